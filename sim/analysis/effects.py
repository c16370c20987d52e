"""What one change does, run by run: the same luck with it and without it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sim import months
from sim.blueprint import Floats
from sim.economy import Lever
from sim.executors import LocalProcesses
from sim.plan import DISTRICT
from sim.runner import Runner
from sim.scenario import Inputs, LeverSetting, changed


def with_lever(inputs: Inputs, lever: Lever, value: float, **where: object) -> Inputs:
    """The same scenario with one lever set; ``where`` as in a scenario file (zones, start, …)."""
    setting = LeverSetting.model_validate({"lever": lever.value, "value": value, **where})
    return changed(inputs, levers=[*inputs.scenario.levers, setting])


def without_measure(inputs: Inputs, measure: str) -> Inputs:
    """The same scenario with one measure at intensity 0."""
    return with_lever(inputs, Lever.MEASURE_INTENSITY, 0.0, measures=[measure])


def all_series(inputs: Inputs, seed: int, runs: int) -> tuple[Floats, Floats]:
    """Series and costs, each (runs, T + 1, columns), of runs 0 to ``runs`` − 1."""
    runner = Runner(inputs, seed)
    outcomes = [runner.run(run) for run in range(runs)]
    shape = (runs, runner.blueprint.horizon + 1, -1)
    series = np.array([outcome.series for outcome in outcomes]).reshape(shape)
    return series, np.array([outcome.costs for outcome in outcomes]).reshape(shape)


def paired_series(
    variants: Sequence[Inputs], seed: int, runs: int, workers: int
) -> list[tuple[Floats, Floats]]:
    """``all_series`` of each variant, over processes; all meet the same luck."""
    if workers == 1:
        return [all_series(variant, seed, runs) for variant in variants]
    with LocalProcesses(workers).open() as pool:
        tasks = [pool.submit(all_series, variant, seed, runs) for variant in variants]
        return [task.result() for task in tasks]


def measure_effects(inputs: Inputs, *, runs: int, seed: int, workers: int) -> pd.DataFrame:
    """What each measure adds to each target's indicator: with it less without it, paired by run.

    Returns:
        A row a measure and target: measure, number, target, meant (the plan says that the measure
        moves it), mean and standard error of the difference at the deadline in the target's unit,
        base (the mean with all measures), and early (largest change of anything before the
        measure starts, which must be 0).
    """
    plan = inputs.plan
    variants = [inputs, *(without_measure(inputs, measure.id) for measure in plan.measures)]
    (full, _), *rest = paired_series(variants, seed, runs, workers)
    columns = Runner(inputs, seed).series_columns
    rows = []
    for measure, (without, _) in zip(plan.measures, rest, strict=True):
        first = max(0, months.between(plan.start, measure.start))
        early = float(np.abs(full[:, :first] - without[:, :first]).max(initial=0.0))
        for target in plan.targets:
            column = columns.index(f"{target.id}.{DISTRICT}")
            due = months.between(plan.start, target.deadline)
            change = full[:, due, column] - without[:, due, column]
            rows.append(
                {
                    "measure": measure.id,
                    "number": measure.number,
                    "target": target.id,
                    "meant": target.id in measure.moves,
                    "mean": float(change.mean()),
                    "error": float(change.std(ddof=1) / np.sqrt(runs)),
                    "base": float(full[:, due, column].mean()),
                    "early": early,
                }
            )
    return pd.DataFrame(rows)
