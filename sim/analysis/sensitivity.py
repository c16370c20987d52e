"""Which uncertain parameters or levers an answer hangs on: screening, then Sobol' indices.

Points that are compared meet the same runs' luck (``outputs``). What is not among the factors is
drawn in each run as in a forecast, and counts as chance.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from sim.analysis.evaluation import Evaluator
from sim.analysis.factors import ALL, Space, space_of
from sim.analysis.indices import Indices, base_rows, design, indices, slopes
from sim.analysis.outputs import (
    Evaluates,
    Output,
    Table,
    chance_share,
    check_names,
    made,
)
from sim.analysis.screening import Screening, screen, trajectories
from sim.blueprint import Floats
from sim.errors import RunError
from sim.executors import Workers
from sim.montecarlo import Progress, no_progress
from sim.scenario import Inputs, with_priors

Method = Literal["morris", "sobol"]
Verdict = Literal["matters", "negligible", "cannot be told"]

FEWEST_TRAJECTORIES = 10  # Campolongo et al. (2007): 10 to 50 rank factors reliably
MOST_INDICES = 10  # factors that get indices; each more costs N points
LEAST_SHARE = 0.01  # of some output's squared strengths, for a factor to get indices
FEWEST_INDICES = 3  # that get them however small the budget
COMFORTABLE = 256  # N that so many factors should leave room for
PILOT = 64  # N of the pilot: the intervals' own error is then about a tenth
WIDEST = 0.1  # assumption: half of an interval beyond which an index tells nothing, of 0 to 1
SMALL = 0.05  # a factor with less than this part is negligible (Sarrazin et al. 2016)
MOST_RUNS = 10_000_000
POINTS_AT_ONCE = 120  # rows that are handed out together, for pools to be busy
STEP_OF_RANGE = 0.5  # what a step of the screening moves a factor by
REACH_OF_ENDS = 0.375  # from the middle to those of the outer quarters


@dataclass(frozen=True)
class Ends:
    """An output at the middles of a factor's lowest and highest quarter, on a straight line.

    Each (factors,): the two ends, and their standard error without that of the common mean.
    """

    low: Floats
    high: Floats
    error: Floats

    @classmethod
    def of(cls, output: Output, mean: float, slope: Floats, error: Floats) -> Ends:
        """From the mean at the factors' middle and the rise from 0 to 1; probabilities are cut."""
        low, high = mean - REACH_OF_ENDS * slope, mean + REACH_OF_ENDS * slope
        if output.measure == "probability":
            low, high = np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)
        return cls(low, high, REACH_OF_ENDS * error)


@dataclass(frozen=True)
class Screened:
    """What screening found for one output; ``factors`` in the order of the space."""

    output: Output
    mean: float
    chance: float | None
    effects: Screening
    ends: Ends


@dataclass(frozen=True)
class Indexed:
    """The indices of one output; ``factors`` in the order of those chosen."""

    output: Output
    mean: float
    chance: float | None
    indices: Indices
    ends: Ends


@dataclass(frozen=True)
class Sensitivity:
    """What an analysis found.

    Attributes:
        space: all factors; ``chosen`` those that got indices, the strongest first.
        fitted: whether the economy has a fit that was left aside for the priors.
        repeats: runs of a point.
        trajectories, size: of the two designs; 0 where one was not made.
        runs: runs of the model that the answer rests on.
        screened, indexed: by output.
    """

    space: Space
    chosen: Space
    fitted: bool
    seed: int
    repeats: int
    trajectories: int
    size: int
    runs: int
    screened: list[Screened]
    indexed: list[Indexed]


def sensitivity(
    inputs: Inputs,
    *,
    parameters: Iterable[str] = (),
    levers: Iterable[str] = (),
    method: Method = "sobol",
    budget: int = 20_000,
    repeats: int = 2,
    target: str | None = None,
    zone: str | None = None,
    seed: int = 1,
    out: Path | str | None = None,
    workers: int | Workers = 1,
    on_progress: Progress = no_progress,
    evaluator: Evaluates | None = None,
) -> Sensitivity:
    """Say which factors each target's mean indicator and probability hang on.

    Args:
        parameters, levers: what to vary, see ``factors.space_of``; neither: all uncertain
            parameters. Where parameters vary, all are drawn from their priors, whatever was
            fitted: Sobol' indices need factors that are independent of each other.
        method: ``sobol``: with more than ten factors the strongest by a screening; ``morris``: the
            screening alone.
        budget: the most runs that may be made.
        repeats: runs of each point, even; their two halves tell factors from chance. Two are
            enough: more rows average chance as well, and explore the factors too.
        target, zone: analyse these alone; none: all.
        out: where runs are kept, see ``Evaluator``.
        evaluator: what makes the runs in place of the model.

    Raises:
        RunError: an unknown name, a number out of range, a budget from which nothing could be
            told (with the one that would do), or a directory that cannot be used.
    """
    check_names(inputs.plan, target, zone)
    parameters, levers = list(parameters), list(levers)
    if not parameters and not levers:
        parameters = [ALL]
    space = space_of(with_priors(inputs) if parameters else inputs, parameters, levers)
    if repeats < 2 or repeats % 2 or repeats > 1000:
        raise RunError(f"--repeats: found {repeats}; allowed: an even number, 2 to 1,000")
    _check_first(space, method, budget, repeats)
    fitted = bool(parameters) and inputs.posterior is not None
    work = _Work(space, method, budget, repeats, target, zone, seed, fitted, on_progress)
    if evaluator is not None:
        return work.done_by(evaluator)
    with Evaluator(seed, out, workers, work.progress) as own:
        return work.done_by(own)


@dataclass
class _Work:
    """An analysis under way."""

    space: Space
    method: Method
    budget: int
    repeats: int
    target: str | None
    zone: str | None
    seed: int
    fitted: bool
    on_progress: Progress
    done: int = 0
    planned: int = 0

    def progress(self, now: int, total: int) -> None:
        self.on_progress(self.done + now, max(self.planned, self.done + total))

    def done_by(self, evaluator: Evaluates) -> Sensitivity:
        screened: list[Screened] = []
        count, chosen = 0, self.space
        if self.method == "morris" or len(self.space.factors) > MOST_INDICES:
            count = FEWEST_TRAJECTORIES
            if self.method == "morris":
                count = self.budget // ((len(self.space.factors) + 1) * self.repeats)
            screened = self._screened(evaluator, count)
            chosen = self.space.part(self._strongest(screened))
        size = 0
        indexed: list[Indexed] = []
        if chosen.factors:
            size, indexed = self._indexed(evaluator, chosen)
        return Sensitivity(
            self.space,
            chosen,
            self.fitted,
            self.seed,
            self.repeats,
            count,
            size,
            self.done,
            screened,
            indexed,
        )

    def _table(
        self, evaluator: Evaluates, space: Space, points: Floats, row: int, first: int = 0
    ) -> Table:
        """The outputs of a design's points, a stretch of rows at a time."""
        self.planned = max(self.planned, self.done + len(points) * self.repeats)
        stretch = row * max(1, POINTS_AT_ONCE // row)
        tables = []
        for start in range(0, len(points), stretch):
            part = points[start : start + stretch]
            variants = [space.variant(point) for point in part]
            place = first + start // row
            tables.append(
                made(evaluator, variants, row, place, self.repeats, self.target, self.zone)
            )
            self.done += len(part) * self.repeats
        return Table.joined(tables)

    def _screened(self, evaluator: Evaluates, count: int) -> list[Screened]:
        names = [factor.name for factor in self.space.factors]
        points = trajectories(names, count, self.seed)
        table = self._table(evaluator, self.space, points, len(names) + 1)
        found = []
        for n, output in enumerate(table.outputs):
            effects = screen(names, points, table.halves[:, :, n], self.seed)
            mean = float(table.values[:, n].mean())
            slope, error = effects.effect / STEP_OF_RANGE, effects.spread / STEP_OF_RANGE
            ends = Ends.of(output, mean, slope, error / math.sqrt(count))
            found.append(Screened(output, mean, chance_share(table.runs[:, :, n]), effects, ends))
        return found

    def _strongest(self, screened: list[Screened]) -> list[int]:
        """Places of the factors that matter, by their mean share over the outputs."""
        if self.method == "morris":
            return []
        shares = np.array([found.effects.share for found in screened])
        share = np.where(shares.max(axis=0) < LEAST_SHARE, 0.0, shares.mean(axis=0))
        room = max(FEWEST_INDICES, (self.budget - self.done) // (COMFORTABLE * self.repeats) - 2)
        order = np.argsort(-share, kind="stable")[: min(room, MOST_INDICES)]
        return [int(place) for place in order if share[place] > 0]

    def _indexed(self, evaluator: Evaluates, chosen: Space) -> tuple[int, list[Indexed]]:
        before, factors = self.done, len(chosen.factors)
        row = factors + 2
        table = self._table(evaluator, chosen, design(factors, PILOT, self.seed), row)
        size = 2 ** int(math.log2((self.budget - before) // (row * self.repeats)))
        self._check_pilot(table, factors, size, before)
        points = design(factors, size, self.seed)
        if size > PILOT:
            rest = self._table(evaluator, chosen, points[PILOT * row :], row, PILOT)
            table = Table.joined([table, rest])
        base = base_rows(factors, size)
        found = []
        for n, output in enumerate(table.outputs):
            mean = float(table.values[base, n].mean())
            ends = Ends.of(output, mean, *slopes(points, table.values[:, n]))
            share = chance_share(table.runs[:, base, n])
            split = indices(factors, table.halves[:, :, n], self.seed)
            found.append(Indexed(output, mean, share, split, ends))
        return size, found

    def _check_pilot(self, pilot: Table, factors: int, size: int, before: int) -> None:
        """Refuse a budget by which not one output's strongest factor would be told from none.

        A bootstrap interval shrinks with the root of N at least.
        """
        needed = []
        for n in range(len(pilot.outputs)):
            found = indices(factors, pilot.halves[:, :, n], self.seed)
            if found.total_reach.any():
                first = int(np.argmax(found.total))
                room = max(WIDEST, min(1.0, float(found.total[first])) - SMALL)
                needed.append(PILOT * (float(found.total_reach[first]) / room) ** 2)
        if not needed or size >= min(needed):
            return
        least, half = (
            before + (factors + 2) * self.repeats * 2 ** math.ceil(math.log2(enough))
            for enough in (min(needed), float(np.median(needed)))
        )
        raise RunError(
            f"--budget: {self.budget:,} runs would tell nothing: by a pilot of "
            f"{self.done - before:,} runs they would not tell even the strongest factor from none, "
            f"in none of {len(needed)} outputs; {least:,} would in one, {half:,} in half of them. "
            "The runs made are kept where --out says"
        )


def _check_first(space: Space, method: Method, budget: int, repeats: int) -> None:
    """Refuse, before any run, a budget that is too small whatever the runs are like."""
    factors = len(space.factors)
    screening = FEWEST_TRAJECTORIES * (factors + 1) * repeats
    screened = method == "morris" or factors > MOST_INDICES
    least = screening if screened else 0
    if method == "sobol":
        least += PILOT * (min(factors, MOST_INDICES) + 2) * repeats
    if least <= budget <= MOST_RUNS:
        return
    if budget > MOST_RUNS:
        raise RunError(f"--budget: found {budget:,}; allowed: at most {MOST_RUNS:,} runs")
    parts = [f"{FEWEST_TRAJECTORIES} trajectories of {factors + 1} points"] * screened
    if method == "sobol":
        points = min(factors, MOST_INDICES) + 2
        parts.append(f"a pilot of {PILOT} × {points} points")
    raise RunError(
        f"--budget: found {budget:,} runs; {factors} factors need at least {least:,} "
        f"({' and '.join(parts)}, {repeats} runs each)"
    )


def verdict(found: Screened | Indexed, factor: int) -> Verdict:
    """What may be said of a factor, by its strength or its total index."""
    if isinstance(found, Screened):
        effects = found.effects
        if effects.matters[factor]:
            return "matters"
        low = effects.strength[factor] + effects.reach[factor] < SMALL * _scale(found)
        return "negligible" if low else "cannot be told"
    total, reach = found.indices.total[factor], found.indices.total_reach[factor]
    if total + reach < SMALL:
        return "negligible"
    least = 0.0 if reach <= WIDEST else SMALL
    return "matters" if total - reach > least else "cannot be told"


def told(estimate: float, reach: float) -> float | None:
    """An index as it may be shown, cut to 0 … 1; None where its interval is too wide."""
    return None if reach > WIDEST else min(max(estimate, 0.0), 1.0)


def _scale(found: Screened) -> float:
    """The largest strength of all factors."""
    return float(found.effects.strength.max())
