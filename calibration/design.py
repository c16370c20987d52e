"""The runs that a fit learns from: parameters from their priors, and what they lead to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr, ndtri

from sim import months
from sim.analysis.observations import Observation
from sim.blueprint import Floats
from sim.draws import AGAIN, parameter_uniforms
from sim.montecarlo import repeats
from sim.runner import Runner
from sim.store import Store


@dataclass(frozen=True)
class Design:
    """Runs of the model with parameters from their priors.

    Attributes:
        names: the uncertain draws (k,); one that several sectors share is one draw.
        scores: each draw's normal score, N(0, 1) under the prior, (runs, k).
        predicted: logs of the model's values (runs, figures).
        again: the same of the first runs with the same parameters and other luck
            (repeats, figures).
    """

    names: tuple[str, ...]
    scores: Floats
    predicted: Floats
    again: Floats

    def of_figures(self, places: Sequence[int]) -> Design:
        """The same with some of the figures."""
        return replace(self, predicted=self.predicted[:, places], again=self.again[:, places])


def uncertain_draws(runner: Runner) -> list[int]:
    """The draws that move at least one parameter: places in ``ParameterTable.draw_names``."""
    priors = runner.parameters.priors
    held = [name in runner.parameters.fixed for name in runner.parameters.labels]
    moves = ~priors.is_fixed & ~np.array(held)
    return sorted({int(draw) for draw in priors.draw[moves]})


def design_of(
    store: Store, runner: Runner, observations: Sequence[Observation], runs: int
) -> Design:
    """Read a design from the first ``runs`` runs of a store made with priors."""
    names, scores = scores_of(runner, range(runs))
    return Design(
        names,
        scores,
        np.log(counterparts(store, runner, observations, runs)),
        np.log(counterparts(store, runner, observations, repeats(runs), AGAIN)),
    )


def scores_of(runner: Runner, runs: Sequence[int]) -> tuple[tuple[str, ...], Floats]:
    """Names of the uncertain draws (k,), and their normal scores in these runs (runs, k)."""
    draws = uncertain_draws(runner)
    names = runner.parameters.draw_names
    uniforms = np.array([parameter_uniforms(runner.seed, run, names) for run in runs])
    return tuple(names[draw] for draw in draws), ndtri(uniforms[:, draws])


def counterparts(
    store: Store, runner: Runner, observations: Sequence[Observation], runs: int, first: int = 0
) -> Floats:
    """What the model has for each figure in ``runs`` runs from ``first`` on (runs, figures).

    A flow is the sum of the twelve months to the date, those before the start as in the base year.
    """
    columns = list(dict.fromkeys(f"{item.indicator}.{item.zone}" for item in observations))
    dates = sorted({item.month for item in observations}, key=months.number)
    table = store.table("series", columns, runs, dates, first)
    values = {
        name: table[name].to_numpy().astype(float).reshape(runs, len(dates)) for name in columns
    }
    return np.array(
        [values[f"{o.indicator}.{o.zone}"][:, dates.index(o.month)] for o in observations]
    ).T


def parameters_at(
    runner: Runner, names: Sequence[str], scores: Floats
) -> tuple[tuple[str, ...], Floats]:
    """The parameters that some draws move, at normal scores of these.

    Args:
        names: of the draws (a,).
        scores: their normal scores (n, a).

    Returns:
        Labels of the parameters (p,), of which a shared draw has several, and values (n, p).
    """
    table = runner.parameters
    places = {table.draw_names.index(name): column for column, name in enumerate(names)}
    moved = [entry for entry, draw in enumerate(table.priors.draw) if int(draw) in places]
    uniforms = np.full((len(scores), len(table.labels)), 0.5)
    for entry in moved:
        uniforms[:, entry] = ndtr(scores[:, places[int(table.priors.draw[entry])]])
    moved = [entry for entry in moved if not table.priors.is_fixed[entry]]
    labels = tuple(table.labels[entry] for entry in moved)
    return labels, table.priors.quantile(uniforms)[:, moved]
