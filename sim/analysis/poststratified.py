"""A probability in a what-if, from few runs of it and many of its base with the same luck."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.analysis.interval import CONFIDENCE, wilson

Flags = NDArray[np.bool_]


class Estimate(NamedTuple):
    """A value with the ends of its interval."""

    value: float
    low: float
    high: float


def poststratified(
    before: Flags, after: Flags, hits: int, runs: int, confidence: float = CONFIDENCE
) -> tuple[Estimate, Estimate]:
    """The share of runs that meet a goal in the what-if, and how far it lies above the base's.

    p = w·p₁ + (1 − w)·p₀ and d = p − w: w, how often the base meets the goal, is known from many
    runs; p₁ and p₀, how often the what-if meets it where the base does and does not, from the
    pairs. The bounds put together those of w, p₁ and p₀ (Wilson), each as far from its estimate as
    it alone would move p: l = p − √(Σ_j (p − p with bound j)²); likewise of d. Where a stratum has
    no pair yet, p is the share of the what-if's own runs. Sources: Holt and Smith (1979),
    J. R. Statist. Soc. A 142, 33-46; Zou and Donner (2008), Statistics in Medicine 27, 1693-1702.

    Args:
        before, after: of the same runs, whether base and what-if meet the goal (pairs,).
        hits, runs: of all runs of the base, those of the pairs among them.
        confidence: of the intervals.
    """
    met = int(before.sum())
    missed = len(before) - met
    w, base = hits / runs, wilson(hits, runs, confidence)
    if not met or not missed:
        own = int(after.sum())
        value, ends = own / len(after), wilson(own, len(after), confidence)
        there = Estimate(value, *ends)
        below = math.hypot(value - ends[0], base[1] - w)
        above = math.hypot(ends[1] - value, w - base[0])
        return there, _within(value - w, below, above, -1.0)
    kept, won = int((after & before).sum()), int((after & ~before).sum())
    p1, p0 = kept / met, won / missed
    ends1, ends0 = wilson(kept, met, confidence), wilson(won, missed, confidence)
    below = math.hypot(w * (p1 - ends1[0]), (1.0 - w) * (p0 - ends0[0]))
    above = math.hypot(w * (ends1[1] - p1), (1.0 - w) * (ends0[1] - p0))
    estimates = []
    for value, slope, floor in (
        (w * p1 + (1.0 - w) * p0, p1 - p0, 0.0),
        (w * (p1 - 1.0) + (1.0 - w) * p0, p1 - p0 - 1.0, -1.0),
    ):
        less, more = slope * (w - base[0]), slope * (base[1] - w)
        down, up = (less, more) if slope >= 0 else (more, less)
        estimates.append(_within(value, math.hypot(below, down), math.hypot(above, up), floor))
    return estimates[0], estimates[1]


def _within(value: float, below: float, above: float, floor: float) -> Estimate:
    return Estimate(value, max(floor, value - below), min(1.0, value + above))
