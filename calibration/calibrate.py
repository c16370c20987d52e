"""A fit from start to end: runs with priors, the posterior, runs with it, and the checks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from calibration import CalibrationError, checks
from calibration.design import counterparts, design_of, parameters_at
from calibration.emulator import Emulator, emulate
from calibration.fit import (
    candidates,
    check_agreement,
    check_reach,
    effective,
    log_weights,
    normalised,
    resampled,
)
from calibration.predictive import predictive_table
from sim import __version__, months
from sim.analysis.observations import Observation, Use, read_observations
from sim.blueprint import Floats
from sim.executors import Workers
from sim.montecarlo import (
    Progress,
    columns_of,
    local,
    no_progress,
    repeats,
    run_missing,
)
from sim.posterior import Head, posterior_text
from sim.runner import Runner
from sim.scenario import Inputs, with_posterior, with_priors
from sim.store import open_store, write_text

METHOD = "importance sampling with a linear emulator"
DRAWS = 1_000  # in the posterior file; assumption: a forecast of 500 runs then repeats few
CHECK_RUNS = 1_000  # of the model with the posterior
FEWEST_RUNS = (
    400  # assumption: the emulator's test needs some runs for each of a hundred parameters
)


def runs_needed(runs: int, check_runs: int = CHECK_RUNS) -> int:
    """All runs that a fit makes, repeats included."""
    return runs + repeats(runs) + check_runs + repeats(check_runs)


@dataclass(frozen=True)
class Fit:
    """A fit with what its checks say.

    Attributes:
        observations: the figures after the base year, for the fit and to check.
        runs, check_runs: with priors, and with the posterior.
        prior, posterior: predictive distributions of them by the model's own runs, see
            ``predictive_table``.
        foretold: where each figure of the fit lies given all others (figures of the fit,).
        uncertain: number of uncertain draws in all.
        parameters: see ``checks.contraction``.
        ranked, ranks: see ``checks.simulation_based_calibration``.
        uniform: p value of each parameter's ranks.
        emulated, simulated: means of the logs of all figures after the fit, by the emulator and by
            the model (figures,), and the standard error of their difference.
    """

    inputs: Inputs
    seed: int
    runs: int
    check_runs: int
    observations: list[Observation]
    head: Head
    draws: Floats
    emulator: Emulator
    prior: pd.DataFrame
    posterior: pd.DataFrame
    foretold: Floats
    uncertain: int
    parameters: pd.DataFrame
    ranked: tuple[str, ...]
    ranks: NDArray[np.intp]
    uniform: Floats
    emulated: Floats
    simulated: Floats
    error: Floats

    @property
    def text(self) -> str:
        """The posterior file."""
        return posterior_text(self.head, tuple(self.head.priors), self.draws)


def calibrate(
    inputs: Inputs,
    figures: Path | str,
    *,
    until: str | None = None,
    runs: int = 4_000,
    check_runs: int = CHECK_RUNS,
    seed: int = 1,
    out: Path | str,
    workers: int | Workers = 1,
    on_progress: Progress = no_progress,
) -> Fit:
    """Fit the parameters' distribution to published figures, and check the fit.

    Leaves in ``out``: ``posterior.csv``, and the runs with priors (``prior/``) and with the
    posterior (``posterior/``), which the same call takes up again. The result depends on the
    files, ``runs`` and ``seed`` alone, not on ``workers``.

    Args:
        inputs: a checked scenario; a posterior that it has is left aside.
        figures: CSV file of published figures, see calibration/data/README.md.
        until: the last month that a figure may be about; none: the plan's end.
        runs: runs with priors, from which the emulator learns; at least 400.
        check_runs: runs with the posterior, for the checks.
        seed: of the runs and of the candidates; it is not fitted.
        on_progress: called with the number of runs done and needed, over both stages.

    Raises:
        InputError: figures that cannot be read or reached, or a number out of range.
    """
    if runs < FEWEST_RUNS:
        raise CalibrationError(f"--runs: found {runs}; allowed: at least {FEWEST_RUNS}")
    if until is not None:
        try:
            months.checked(until)
        except ValueError as error:
            raise CalibrationError(f"--until: {error}") from None
    inputs, out = with_priors(inputs), Path(out)
    observations = [
        item for item in read_observations(figures, inputs, until) if item.use != Use.BASE
    ]
    fitted = [place for place, item in enumerate(observations) if item.use == Use.FIT]
    if not fitted:
        raise CalibrationError(f"{figures}: holds no figure for the fit (use: fit)")
    where = local(workers) if isinstance(workers, int) else workers
    total = runs_needed(runs, check_runs)

    runner = Runner(inputs, seed)
    with open_store(out / "prior", inputs, seed, __version__, columns_of(runner)) as store:
        run_missing(store, inputs, seed, runs, where, lambda done, _: on_progress(done, total))
        design = design_of(store, runner, observations, runs)
    used = [observations[place] for place in fitted]
    emulator = emulate(design)
    drawn = candidates(emulator, seed)
    logs = log_weights(used, drawn.predicted[:, fitted])
    check_reach(used, logs, drawn.predicted[:, fitted])
    foretold = checks.leave_one_out(used, drawn.of_figures(fitted), logs)
    check_agreement(used, foretold)
    weights = normalised(logs.sum(axis=1))
    chosen = resampled(weights, DRAWS)
    labels, draws = parameters_at(runner, emulator.names, drawn.scores[chosen])
    priors = runner.parameters.prior_texts()
    head = Head(
        format=2,
        economy=inputs.economy.id,
        until=max((item.month for item in used), key=months.number),
        figures=[item.id for item in used],
        method=METHOD,
        seed=seed,
        runs=runs,
        effective_draws=float(np.floor(effective(weights))),
        draws=len(draws),
        made_with=__version__,
        priors={label: priors[label] for label in labels},
    )
    text = posterior_text(head, labels, draws)
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / "posterior.csv", text)

    after = with_posterior(inputs, out / "posterior.csv")
    second = Runner(after, seed)
    begun = runs + repeats(runs)
    with open_store(out / "posterior", after, seed, __version__, columns_of(second)) as store:
        run_missing(
            store, after, seed, check_runs, where, lambda done, _: on_progress(begun + done, total)
        )
        simulated = np.log(counterparts(store, second, observations, check_runs))
    ranked, ranks = checks.simulation_based_calibration(
        design.of_figures(fitted), used, emulator.active, seed
    )
    emulated = weights @ emulator.mean(drawn.scores)
    return Fit(
        inputs,
        seed,
        runs,
        check_runs,
        observations,
        head,
        draws,
        emulator,
        predictive_table(observations, np.exp(design.predicted)),
        predictive_table(observations, np.exp(simulated)),
        foretold,
        len(design.names),
        checks.contraction(emulator.names, drawn, weights),
        ranked,
        ranks,
        checks.uniformity(ranks),
        emulated,
        simulated.mean(axis=0),
        simulated.std(axis=0, ddof=1) / np.sqrt(check_runs),
    )
