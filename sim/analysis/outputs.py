"""What of many variants' runs is analysed: the mean indicator, and the probability of the target.

A design is made of rows, each a few points that differ in some factors. The points of a row meet
the same runs' luck (common random numbers), other rows other luck, so that comparisons within a row
are sharp, and chance is averaged over the rows and shows in intervals that resample rows. A row's
runs fall into two halves with different luck: what both show is the factors' doing, and what they
do not share is chance's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from sim.analysis.evaluation import Flags, Outcomes
from sim.blueprint import Floats
from sim.errors import RunError, unknown
from sim.plan import ALL_TARGETS, DISTRICT, Plan
from sim.scenario import Inputs

Measure = Literal["mean", "probability"]


class Evaluates(Protocol):
    """What makes the runs: an ``Evaluator``, or a closed form in its place."""

    def evaluate(
        self, variants: Sequence[Inputs], runs: int | range, needed: Flags | None = None
    ) -> Outcomes: ...


@dataclass(frozen=True)
class Output:
    """One number of a point: a target's mean indicator in a zone, or the probability to meet it."""

    target: str
    zone: str
    measure: Measure


@dataclass(frozen=True)
class Table:
    """Outputs of some points.

    Attributes:
        outputs: their names; ``all`` targets of a zone at once have a probability only.
        runs: the indicator, or 1 where the run meets the target: (repeats, points, outputs).
    """

    outputs: tuple[Output, ...]
    runs: Floats

    @property
    def values(self) -> Floats:
        """Means over the runs, (points, outputs)."""
        return np.asarray(self.runs.mean(axis=0))

    @property
    def halves(self) -> Floats:
        """Means over the first and the second half of the runs, (2, points, outputs)."""
        half = len(self.runs) // 2
        return np.stack([self.runs[:half].mean(axis=0), self.runs[half:].mean(axis=0)])

    @staticmethod
    def joined(tables: Sequence[Table]) -> Table:
        """The points of all, one after the other."""
        runs = np.concatenate([table.runs for table in tables], axis=1)
        return Table(tables[0].outputs, runs)


def check_names(plan: Plan, target: str | None, zone: str | None) -> None:
    """Raises RunError for a target or zone that the plan lacks."""
    targets = [*plan.target_ids(), ALL_TARGETS]
    if target is not None and target not in targets:
        raise RunError(f"--target: {unknown('target', target, targets)}")
    zones = [DISTRICT, *plan.zone_ids()]
    if zone is not None and zone not in zones:
        raise RunError(f"--zone: {unknown('zone', zone, zones)}")


def outputs_of(outcomes: Outcomes, target: str | None = None, zone: str | None = None) -> Table:
    """The outputs of a target (none: all) in a zone (none: the district and all zones).

    Raises:
        RunError: the zone has no part in the target.
    """
    met = outcomes.met()
    outputs, columns = [], []
    for place, goal in enumerate(outcomes.goals):
        name, where = goal.split(".")
        if target not in (None, name) or zone not in (None, where):
            continue
        if name != ALL_TARGETS:
            outputs.append(Output(name, where, "mean"))
            columns.append(outcomes.column(goal))
        outputs.append(Output(name, where, "probability"))
        columns.append(met[:, :, place].astype(float))
    if not outputs:
        raise RunError(f"--zone: {zone!r} has no part in the target {target!r}")
    return Table(tuple(outputs), np.stack(columns, axis=2).swapaxes(0, 1))


def made(
    evaluator: Evaluates,
    variants: Sequence[Inputs],
    row: int,
    first: int,
    repeats: int,
    target: str | None,
    zone: str | None,
) -> Table:
    """The outputs of a design's variants: ``row`` variants each make a row, with runs of its own.

    Args:
        first: number of the first row; row r meets runs r · repeats to (r + 1) · repeats − 1.
    """
    rows = len(variants) // row
    needed = np.kron(np.eye(rows, dtype=bool), np.ones((row, repeats), dtype=bool))
    runs = range(first * repeats, (first + rows) * repeats)
    found = evaluator.evaluate(variants, runs, needed)
    tables = []
    for place in range(rows):
        points, mine = slice(place * row, (place + 1) * row), slice(place * repeats, None)
        part = Outcomes(
            found.plan,
            runs[place * repeats : (place + 1) * repeats],
            found.columns,
            found.values[points, mine][:, :repeats],
            found.thresholds[points],
        )
        tables.append(outputs_of(part, target, zone))
    return Table.joined(tables)


def chance_share(runs: Floats) -> float | None:
    """Part of an output's variance over single runs (repeats, points) that is luck's, 0 to 1.

    1 − cov(first half, second half)/var: the halves share the factors and differ in luck. None
    where nothing varies.
    """
    whole = float(np.var(runs))
    if whole == 0.0:
        return None
    half = len(runs) // 2
    first, second = runs[:half].mean(axis=0), runs[half:].mean(axis=0)
    shared = float(np.mean((first - first.mean()) * (second - second.mean())))
    return float(np.clip(1.0 - shared / whole, 0.0, 1.0))
