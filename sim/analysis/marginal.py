"""What controls do and cost, each by itself: settings of one control, run by run against none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sim.analysis.aims import Aim
from sim.analysis.controls import Control, variant
from sim.analysis.evaluation import Evaluator
from sim.analysis.response import Response, added_cost, distances_of, mean_effects
from sim.blueprint import Floats
from sim.executors import Workers
from sim.montecarlo import Progress
from sim.scenario import Inputs

if TYPE_CHECKING:
    from sim.analysis.outputs import Evaluates

PILOT = 10  # runs: what is spent hardly varies, run by run against the same luck
PILOT_AT = (0.05, 0.2, 1.0)  # of a lever's range
SATURATED = 0.95  # of the highest cost: what more of a lever is set is not taken up
MARGIN = 1e-6  # 亿元; a curve over what is spent needs rising values


def respond(
    evaluates: Evaluates,
    inputs: Inputs,
    aim: Aim,
    controls: Sequence[Control],
    levels: Floats,
    runs: int,
) -> Response:
    """The stand-in from runs at levels (controls, levels), lever values above what holds."""
    variants = [inputs] + [
        variant(inputs, control.settings(float(value)))
        for control, row in zip(controls, levels, strict=True)
        for value in row
    ]
    outcomes = evaluates.evaluate(variants, runs)
    shape = levels.shape
    costs = added_cost(outcomes).mean(axis=1)[1:].reshape(shape)
    effects = mean_effects(outcomes, aim)[1:].reshape(*shape, -1)
    lows = np.array([control.low for control in controls])
    return Response(
        aim,
        tuple(controls),
        np.column_stack([lows, levels]),
        rising(np.column_stack([np.zeros(len(controls)), costs])),
        np.concatenate([np.zeros_like(effects[:, :1]), effects], axis=1),
        distances_of(outcomes, aim, 0),
        np.zeros(len(controls)),
        0.0,
    )


def cost_curves(
    evaluates: Evaluates,
    inputs: Inputs,
    controls: Sequence[Control],
    runs: int = PILOT,
    at: Sequence[float] = PILOT_AT,
) -> tuple[Floats, Floats]:
    """Lever values and what they cost, 亿元, each (controls, points), from a few runs."""
    values = np.array(
        [
            [control.low + part * (control.high - control.low) for part in (0.0, *at)]
            for control in controls
        ]
    )
    variants = [inputs] + [
        variant(inputs, control.settings(float(value)))
        for control, row in zip(controls, values, strict=True)
        for value in row[1:]
    ]
    costs = added_cost(evaluates.evaluate(variants, runs)).mean(axis=1)[1:]
    costs = costs.reshape(len(controls), -1)
    return values, rising(np.column_stack([np.zeros(len(controls)), costs]))


def affordable(values: Floats, costs: Floats, budget: float, parts: Sequence[float]) -> Floats:
    """Lever values that cost these parts of the budget, or of the most they can cost: (K, parts).

    A lever of which no more is taken up is not set higher.
    """
    from scipy.interpolate import PchipInterpolator

    rows = []
    for value, cost in zip(values, costs, strict=True):
        taken = SATURATED * cost[-1] if cost[-2] > SATURATED * cost[-1] else cost[-1]
        most = min(budget, float(taken))
        rows.append(PchipInterpolator(cost, value)(np.array(parts) * most))
    return np.array(rows)


def rising(costs: Floats) -> Floats:
    """Costs by level (controls, levels), each at least a little above the one before."""
    found = costs.copy()
    for n in range(1, found.shape[1]):
        found[:, n] = np.maximum(found[:, n], found[:, n - 1] + MARGIN)
    return found


@contextmanager
def evaluating(
    evaluator: Evaluates | None,
    seed: int,
    out: Path | str | None,
    workers: int | Workers,
    on_progress: Progress,
    expected: int,
) -> Iterator[Evaluates]:
    """The evaluator given, or one of the model that tells its progress over all calls.

    Raises:
        RunError: see ``Evaluator``.
    """
    if evaluator is not None:
        yield evaluator
        return
    done = last = of = 0

    def progress(now: int, total: int) -> None:
        nonlocal done, last, of
        if now < last or total != of:  # the next call has begun
            done += of
        last, of = now, total
        on_progress(done + now, max(expected, done + total))

    with Evaluator(seed, out, workers, progress) as made:
        yield made
