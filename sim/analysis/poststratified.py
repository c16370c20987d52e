"""A probability in a what-if, from few runs of it and many of its base with the same luck."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sim.analysis.interval import wilson

Flags = NDArray[np.bool_]


def poststratified(before: Flags, after: Flags, hits: int, runs: int) -> tuple[float, float, float]:
    """Estimate and 95 % interval of the share of runs that meet a goal in the what-if.

    p = w·p₁ + (1 − w)·p₀: w, how often the base meets the goal, is known from many runs; p₁ and
    p₀, how often the what-if meets it where the base does and does not, from the pairs. The bounds
    put together those of w, p₁ and p₀ (Wilson), each as far from its estimate as it alone would
    move p: l = p − √(Σ_j (p − p with bound j)²). Where a stratum has no pair yet, the Wilson
    interval of the what-if's own runs. Sources: Holt and Smith (1979), J. R. Statist. Soc. A 142,
    33-46; Zou and Donner (2008), Statistics in Medicine 27, 1693-1702.

    Args:
        before, after: of the same runs, whether base and what-if meet the goal (pairs,).
        hits, runs: of all runs of the base, those of the pairs among them.
    """
    met = int(before.sum())
    missed = len(before) - met
    if not met or not missed:
        own = int(after.sum())
        return own / len(after), *wilson(own, len(after))
    kept, won = int((after & before).sum()), int((after & ~before).sum())
    w, p1, p0 = hits / runs, kept / met, won / missed
    low_w, high_w = wilson(hits, runs)
    low1, high1 = wilson(kept, met)
    low0, high0 = wilson(won, missed)
    estimate = w * p1 + (1.0 - w) * p0
    slope = p1 - p0
    down, up = (w - low_w, high_w - w) if slope >= 0 else (high_w - w, w - low_w)
    below = math.hypot(w * (p1 - low1), (1.0 - w) * (p0 - low0), slope * down)
    above = math.hypot(w * (high1 - p1), (1.0 - w) * (high0 - p0), slope * up)
    return estimate, max(0.0, estimate - below), min(1.0, estimate + above)
