"""An objective's estimate from runs, with its interval, and differences of two settings."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from sim.analysis.aims import Aim
from sim.analysis.evaluation import Flags
from sim.analysis.interval import CONFIDENCE, wilson
from sim.analysis.paired import difference_interval
from sim.analysis.record import Part
from sim.blueprint import Floats

RESAMPLES = 2000

Verdict = Literal["higher", "lower", "cannot be told"]


class Estimate(Part):
    """A probability, or an objective made of several, from a number of runs."""

    value: float = Field(ge=0, le=1)
    low: float = Field(
        ge=0, le=1, description="95 % interval: Wilson's; of several goals by bootstrap over runs"
    )
    high: float = Field(ge=0, le=1)
    runs: int


class Gap(Part):
    """The difference of two settings, run by run with the same luck."""

    difference: float = Field(ge=-1, le=1)
    low: float = Field(
        ge=-1, le=1, description="95 % interval: Tango's; of several goals by paired bootstrap"
    )
    high: float = Field(ge=-1, le=1)
    verdict: Verdict = Field(description="by the interval")


class Mean(Part):
    """A mean over runs, 亿元."""

    value: float
    error: float = Field(description="standard error")


def resamples(runs: int, seed: int, count: int = RESAMPLES) -> Floats:
    """Weights of the runs in bootstrap samples, (count, runs), each row of sum 1."""
    draws = np.random.default_rng([seed, runs, count])
    return np.asarray(draws.multinomial(runs, np.full(runs, 1.0 / runs), size=count) / runs)


def estimate(aim: Aim, met: Flags, seed: int) -> Estimate:
    """Of flags (runs, goals)."""
    runs = len(met)
    value = float(aim.value(met.mean(axis=0)))
    if len(aim.goals) == 1:
        low, high = wilson(float(met.sum()), runs)
    else:
        low, high = _percentiles(aim.value(resamples(runs, seed) @ met))
    return Estimate(value=value, low=min(low, value), high=max(high, value), runs=runs)


def gap(aim: Aim, first: Flags, second: Flags, seed: int) -> Gap:
    """The first less the second, flags (runs, goals) of the same runs."""
    difference = float(aim.value(first.mean(axis=0)) - aim.value(second.mean(axis=0)))
    if len(aim.goals) == 1:
        gained, lost = int((first & ~second).sum()), int((second & ~first).sum())
        low, high = difference_interval(gained, lost, len(first))
    else:
        weights = resamples(len(first), seed)
        low, high = _percentiles(aim.value(weights @ first) - aim.value(weights @ second))
    verdict: Verdict = "higher" if low > 0 else "lower" if high < 0 else "cannot be told"
    return Gap(
        difference=difference, low=min(low, difference), high=max(high, difference), verdict=verdict
    )


def mean_of(values: Floats) -> Mean:
    """Of one number a run (runs,)."""
    error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
    return Mean(value=float(values.mean()), error=error)


def _percentiles(values: Floats) -> tuple[float, float]:
    tail = (1.0 - CONFIDENCE) / 2.0
    low, high = np.quantile(values, [tail, 1.0 - tail])
    return float(low), float(high)
