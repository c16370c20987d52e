"""Boxes of factors in which an outcome is frequent: the patient rule induction method (PRIM).

Peeling (Friedman and Fisher 1999): from the box of all runs, again and again the twentieth of its
runs at one end of one factor is taken off whose removal leaves the highest share of cases. Of the
boxes on the way the one is chosen with the greatest

    gain = runs in it/all runs · (density − share of cases among all)

(weighted relative accuracy, Lavrač et al. 1999), and limits are taken back that could be chance.
Coverage is the part of all cases in a box, density the part of its runs that are cases (Bryant and
Lempert 2010). There is no pasting: taking limits back whole does its work here.

Where an outcome is partly chance and factors are many, a peel is soon led by noise: a twentieth of
the runs holds few cases. So only factors are peeled whose distribution differs between cases and
others (Kolmogorov and Smirnov's D at the 5 % level, the ten largest), and then once more those
alone whose limits stay; what acts through the interplay of two factors alone, neither mattering by
itself, is not found.

The quasi-p-value of a limit (Bryant and Lempert 2010): with t runs in the box, h of them cases, and
q the density without that limit, the probability of h or more among t draws of q. It takes no
account of the limit's having been chosen among many; the permutation test and the resamples do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from sim.blueprint import Floats

PEEL = 0.05  # of a box's runs at a time: patient, after Friedman and Fisher's 0.05 to 0.1
SMALLEST = 0.05  # part of all runs below which no box is looked for
FEWEST = 10  # runs in a box
MOST_PEELED = 10  # factors
CRITICAL = 1.358  # of D·√(n·m/(n + m)) at the 5 % level
LEVEL = 0.05  # of quasi-p-values and of the permutation test

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Box:
    """A box by its limits, both inclusive, ±∞ where there is none: low, high (factors,)."""

    low: Floats
    high: Floats

    def holds(self, points: Floats) -> Flags:
        """Which points (points, factors) lie in it."""
        return np.asarray(((points >= self.low) & (points <= self.high)).all(axis=1))

    @property
    def limited(self) -> list[tuple[int, bool]]:
        """Its limits: place of the factor, and whether it is the upper one."""
        return [
            (place, upper)
            for place in range(len(self.low))
            for upper in (False, True)
            if np.isfinite(self.high[place] if upper else self.low[place])
        ]

    def without(self, place: int, upper: bool) -> Box:
        """The box with one limit taken back."""
        low, high = self.low.copy(), self.high.copy()
        if upper:
            high[place] = np.inf
        else:
            low[place] = -np.inf
        return Box(low, high)


@dataclass(frozen=True)
class Quality:
    """How a box does on some runs."""

    runs: int
    cases: int
    coverage: float
    density: float
    gain: float


def quality(box: Box, points: Floats, cases: Flags) -> Quality:
    """Coverage, density and gain of a box on runs (runs, factors) with their cases (runs,)."""
    inside = box.holds(points)
    count, hits = int(inside.sum()), int(cases[inside].sum())
    density = hits / count if count else 0.0
    coverage = hits / int(cases.sum()) if cases.any() else 0.0
    gain = count / len(points) * (density - float(cases.mean()))
    return Quality(count, hits, coverage, density, gain)


def peel(points: Floats, cases: Flags, chosen: NDArray[np.intp]) -> list[Box]:
    """The boxes on the way from all runs to the smallest, each within the one before.

    Args:
        points: (runs, factors).
        cases: (runs,).
        chosen: places of the factors that may be limited.
    """
    factors = points.shape[1]
    box = Box(np.full(factors, -np.inf), np.full(factors, np.inf))
    boxes, least = [box], max(FEWEST, int(np.ceil(SMALLEST * len(points))))
    if not len(chosen):
        return boxes
    inside, hits = points[:, chosen], cases.astype(float)
    while len(inside) > least:
        count = len(inside)
        off = max(1, int(PEEL * count))
        if count - off < least:
            break
        parted = np.partition(inside, [off, count - off - 1], axis=0)
        ends = np.stack([parted[off], parted[count - off - 1]])  # the outermost that may stay
        kept = np.stack([inside >= ends[0], inside <= ends[1]])
        left = kept.sum(axis=1)
        share = np.einsum("erf,r->ef", kept.astype(float), hits) / np.maximum(left, 1)
        share[(left == count) | (left < least)] = -1.0  # ties: nothing to take off
        side, place = np.unravel_index(int(np.argmax(share)), share.shape)
        if share[side, place] < 0.0:
            break
        low, high = box.low.copy(), box.high.copy()
        (high if side else low)[chosen[place]] = ends[side, place]
        box = Box(low, high)
        boxes.append(box)
        stays = kept[side, :, place]
        inside, hits = inside[stays], hits[stays]
    return boxes


def peeled(points: Floats, cases: Flags) -> NDArray[np.intp]:
    """Places of the factors that differ between cases and others, by Kolmogorov and Smirnov."""
    hits, count = int(cases.sum()), len(cases)
    if hits in (0, count):
        return np.array([], dtype=np.intp)
    sorted_cases = cases[np.argsort(points, axis=0)]
    steps = np.where(sorted_cases, 1.0 / hits, -1.0 / (count - hits))
    distance = np.abs(np.cumsum(steps, axis=0)).max(axis=0)
    order = np.argsort(-distance, kind="stable")[:MOST_PEELED]
    chosen: NDArray[np.intp] = order[
        distance[order] * np.sqrt(hits * (count - hits) / count) > CRITICAL
    ]
    return chosen


def best(points: Floats, cases: Flags) -> Box:
    """The box of the greatest gain, without limits that could be chance."""
    chosen = peeled(points, cases)
    box = _told(_greatest(points, cases, chosen), points, cases)
    while True:
        stay = np.array(sorted({place for place, _ in box.limited}), dtype=np.intp)
        if len(stay) in (0, len(chosen)):
            return box
        chosen = stay
        again = _told(_greatest(points, cases, chosen), points, cases)
        if quality(again, points, cases).gain < quality(box, points, cases).gain:
            return box
        box = again


def _greatest(points: Floats, cases: Flags, chosen: NDArray[np.intp]) -> Box:
    """The box of the greatest gain on the way."""
    boxes = peel(points, cases, chosen)
    return max(boxes, key=lambda one: quality(one, points, cases).gain)


def _told(box: Box, points: Floats, cases: Flags) -> Box:
    """Without limits that could be chance, the weakest taken back first."""
    while box.limited:
        values = {limit: quasi_p(box, *limit, points, cases) for limit in box.limited}
        weakest = max(values, key=lambda limit: values[limit])
        if values[weakest] <= LEVEL:
            break
        box = box.without(*weakest)
    return box


def quasi_p(box: Box, place: int, upper: bool, points: Floats, cases: Flags) -> float:
    """The quasi-p-value of one of the box's limits."""
    inside = quality(box, points, cases)
    wider = quality(box.without(place, upper), points, cases)
    return float(binom.sf(inside.cases - 1, inside.runs, wider.density))


def chance_p(points: Floats, cases: Flags, permutations: int, random: np.random.Generator) -> float:
    """How often cases dealt out at random leave a box of as great a gain (permutation test)."""

    def greatest(dealt: Flags) -> float:
        box = _greatest(points, dealt, peeled(points, dealt))
        return quality(box, points, dealt).gain

    found = greatest(cases)
    reached = sum(greatest(random.permutation(cases)) >= found for _ in range(permutations))
    return float((1 + reached) / (1 + permutations))


@dataclass(frozen=True)
class Resampled:
    """What boxes found in random halves of the runs are like.

    Attributes:
        limited: how often each factor was limited below and above, 0 to 1: (2, factors).
        coverage, density: means of these boxes on the halves in which they were not found.
    """

    limited: Floats
    coverage: float
    density: float


def resample(
    points: Floats, cases: Flags, resamples: int, random: np.random.Generator
) -> Resampled:
    """Find a box in a random half of the runs and look at it in the other, many times."""
    limited = np.zeros((2, points.shape[1]))
    seen = []
    for _ in range(resamples):
        order = random.permutation(len(points))
        one, other = order[: len(order) // 2], order[len(order) // 2 :]
        box = best(points[one], cases[one])
        limited += np.isfinite(np.stack([box.low, box.high]))
        seen.append(quality(box, points[other], cases[other]))
    coverage = float(np.mean([found.coverage for found in seen]))
    inside = max(1, sum(found.runs for found in seen))
    density = sum(found.cases for found in seen) / inside
    return Resampled(limited / resamples, coverage, density)
