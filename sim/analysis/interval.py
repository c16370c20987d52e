"""A probability estimated from runs: a type of its own, and its intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, ndtri, xlog1py, xlogy

CONFIDENCE = 0.95


class Method(StrEnum):
    """How an interval was made."""

    WILSON = "Wilson score interval"
    SEQUENCE = "confidence sequence (beta-binomial mixture)"

    @property
    def zh(self) -> str:
        return "威尔逊区间" if self == Method.WILSON else "置信序列，可随时停止"


@dataclass(frozen=True)
class Probability:
    """A share of runs with its 95 % interval.

    Attributes:
        estimate: hits over runs.
        low, high: ends of the interval.
        runs: number of runs.
        method: how the interval was made; a sequence holds however often one looked.
        parameter_share: part of the variance of the outcome that parameters explain, the rest
            being chance (0 to 1); None where no run was repeated with other luck.
    """

    estimate: float
    low: float
    high: float
    runs: int
    method: Method = Method.WILSON
    parameter_share: float | None = None

    @classmethod
    def of(
        cls,
        met: NDArray[np.bool_],
        method: Method = Method.WILSON,
        parameter_share: float | None = None,
    ) -> Probability:
        """From one flag a run; raises ValueError without runs."""
        runs, hits = len(met), int(np.sum(met))
        if not runs:
            raise ValueError("a probability needs at least one run")
        low, high = (wilson if method == Method.WILSON else confidence_sequence)(hits, runs)
        return cls(hits / runs, low, high, runs, method, parameter_share)

    @property
    def half_width(self) -> float:
        return (self.high - self.low) / 2.0

    @property
    def percent(self) -> str:
        """``62 %``; never 0 or 100 %, since runs prove neither."""
        return percent(self.estimate)

    @property
    def interval(self) -> str:
        """The interval in percent, ``58–66``, rounded outwards."""
        return interval(self.low, self.high)

    def __str__(self) -> str:
        return f"{self.percent} (95 % interval {self.interval} %, {self.runs:,} runs)"


def wilson(hits: float, runs: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson's score interval for a number of runs fixed beforehand (Wilson 1927).

    (n·p + z²/2 ± z·√(n·p·(1 − p) + z²/4)) / (n + z²), the shares that a test at the 5 % level
    would not reject; n need not be whole, as runs with unequal weights count for fewer than they
    are (Korn and Graubard 1998).
    """
    reach = float(ndtri(0.5 + 0.5 * confidence))
    share = hits / runs
    double = 2.0 * (runs + reach**2)
    centre = (2.0 * runs * share + reach**2) / double
    spread = reach / double * math.sqrt(4.0 * runs * share * (1.0 - share) + reach**2)
    low = 0.0 if hits == 0 else max(0.0, centre - spread)
    return low, 1.0 if hits == runs else min(1.0, centre + spread)


def confidence_sequence(hits: int, runs: int) -> tuple[float, float]:
    """An interval that holds at all numbers of runs at once, so that one may stop at any.

    All p with B(k+½, n−k+½)/B(½, ½) < p^k (1−p)^(n−k)/α: the likelihood ratio of a
    Jeffreys mixture to p is a martingale under p, and Ville's inequality bounds its maximum.
    Source: Robbins (1970); Howard, Ramdas, McAuliffe and Sekhon (2021).
    """
    from scipy.optimize import brentq

    mixture = betaln(hits + 0.5, runs - hits + 0.5) - betaln(0.5, 0.5)
    limit = mixture + math.log(1.0 - CONFIDENCE)

    def excess(p: float) -> float:
        return float(xlogy(hits, p) + xlog1py(runs - hits, -p) - limit)

    estimate = hits / runs
    tiny = 1e-12
    low = 0.0 if hits == 0 else brentq(excess, tiny, estimate)
    high = 1.0 if hits == runs else brentq(excess, estimate, 1.0 - tiny)
    return float(low), float(high)


def parameter_share(
    first: NDArray[np.bool_], again: NDArray[np.bool_], estimate: float
) -> float | None:
    """Part of a probability's variance that parameters explain (0 to 1).

    ``first`` and ``again`` are the outcomes of runs with the same parameters and different luck:
    their covariance is the variance of P(met | parameters), the total is p(1−p). Estimated from
    pairs, so good to about one tenth for 200 of them; None where the outcome never varies.
    """
    total = estimate * (1.0 - estimate)
    if total == 0.0 or len(first) < 2:
        return None
    together: float = np.mean((first - estimate) * (again - estimate)).item()
    return min(1.0, max(0.0, together / total))


def percent(probability: float) -> str:
    """A probability (0 to 1) as ``62 %``; never 0 or 100 %, since runs prove neither.

    Missing (NaN) is a dash. Raises ValueError outside 0 to 1.
    """
    if math.isnan(probability):
        return "–"
    _check(probability)
    if probability < 0.01:
        return "<1 %"
    if probability > 0.99:
        return ">99 %"
    return f"{probability * 100:.0f} %"


def interval(low: float, high: float) -> str:
    """The bounds of a probability (0 to 1) in percent, ``58–66``, rounded outwards."""
    if math.isnan(low) or math.isnan(high):
        return "–"
    _check(low)
    _check(high)
    # 0.58 * 100 is 57.999…: the inner rounding keeps it from being floored to 57.
    return f"{math.floor(round(low * 100, 6))}–{math.ceil(round(high * 100, 6))}"


def _check(probability: float) -> None:
    if not 0 <= probability <= 1:
        raise ValueError(f"found {probability:g}; a probability lies between 0 and 1")
