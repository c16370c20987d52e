"""Differences between two scenarios whose runs come in pairs: same luck, same parameters."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sim.analysis.interval import CONFIDENCE
from sim.blueprint import Floats


def difference_interval(
    gained: int, lost: int, runs: int, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Tango's score interval for a difference of paired proportions, −1 to 1.

    All δ with |g − l − nδ| ≤ z·√(n(2q + δ(1 − δ))), where q is the maximum-likelihood
    probability of a loss given δ: the root of 2n·q² + (−g − l + (2n − g + l)δ)q − lδ(1 − δ) = 0.
    Good also with few discordant runs or none, and for a number of runs fixed beforehand.
    Source: Tango (1998), Statistics in Medicine 17, 891-908; one of those that Fagerland,
    Lydersen and Laake (2014), Statistics in Medicine 33, 2850-2875, recommend.

    Args:
        gained, lost: runs that meet a goal in the second scenario alone, in the first alone.
        runs: number of pairs.
        confidence: of the interval.
    """
    from scipy.optimize import brentq
    from scipy.special import ndtri

    z = float(ndtri((1.0 + confidence) / 2.0))
    estimate = (gained - lost) / runs

    def excess(delta: float) -> float:
        linear = -gained - lost + (2 * runs - gained + lost) * delta
        root = math.sqrt(max(linear**2 + 8 * runs * lost * delta * (1.0 - delta), 0.0))
        spread = runs * (2.0 * (root - linear) / (4 * runs) + delta * (1.0 - delta))
        return (gained - lost - runs * delta) ** 2 - z**2 * max(spread, 0.0)

    tiny, away = 1e-12, 1e-9  # away from the estimate, where both sides may vanish
    low = -1.0 if estimate == -1.0 else brentq(excess, -1.0 + tiny, estimate - away)
    high = 1.0 if estimate == 1.0 else brentq(excess, estimate + away, 1.0 - tiny)
    return float(low), float(high)


def mean_and_error(values: Floats) -> tuple[float, float]:
    """Mean over runs (runs,) and its standard error; NaN from a single run."""
    error = values.std(ddof=1) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return float(values.mean()), float(error)


def mean_interval(mean: float, error: float, runs: int, confidence: float) -> tuple[float, float]:
    """Student's interval for a mean over runs from its standard error; all numbers from one run."""
    from scipy.special import stdtrit

    if runs < 2:
        return -math.inf, math.inf
    width = float(stdtrit(runs - 1, (1.0 + confidence) / 2.0)) * error
    return mean - width, mean + width


def ratio_interval(
    cost: Floats, gain: NDArray[np.int8], confidence: float = CONFIDENCE
) -> tuple[float, float] | None:
    """Fieller's interval for mean cost over mean gain, both by run (runs,).

    All ρ with (c̄ − ρḡ)² ≤ z²·Var(c̄ − ρḡ). None where the mean gain cannot be told from zero: then
    it is not an interval. Source: Fieller (1954), J. R. Statist. Soc. B 16, 175-185; on costs
    Willan and O'Brien (1996), Health Economics 5, 297-305.
    """
    from scipy.special import ndtri

    if len(cost) < 2:
        return None
    z = float(ndtri((1.0 + confidence) / 2.0))
    means, spread = np.array([gain.mean(), cost.mean()]), np.cov(gain, cost) / len(cost)
    # a·ρ² − 2b·ρ + c ≤ 0
    gains, both, costs = (
        means[i] * means[j] - z**2 * spread[i, j] for i, j in ((0, 0), (0, 1), (1, 1))
    )
    if gains <= 0:
        return None
    root = math.sqrt(max(both**2 - gains * costs, 0.0))
    return float((both - root) / gains), float((both + root) / gains)
