"""The mean of something over runs, with its standard error and an interval that admits surprise."""

from __future__ import annotations

import math

from pydantic import Field

from sim.analysis.interval import CONFIDENCE
from sim.analysis.record import Part
from sim.blueprint import Floats


class Average(Part):
    """A mean over runs."""

    mean: float
    error: float = Field(description="its standard error")
    low: float = Field(description="95 % interval, lower end")
    high: float = Field(description="95 % interval, upper end")


def average(values: Floats, step: float = 0.0, most: float = math.inf) -> Average:
    """Mean over runs of ``values`` (runs,), its standard error and its 95 % interval.

    Student's interval; with a step as if two more runs had been seen, one a step above the mean and
    one a step below it: Var = (Σ(x − x̄)² + 2·step²)/n². Where all runs agree it then reaches
    about 2.8 steps over the number of runs to each side, near the rule of three, since so few runs
    could have missed a rare one. Pseudo-observations as in Agresti and Coull (1998), The American
    Statistician 52, 119-126, here around the mean, which they leave as it is.

    Args:
        values: one value a run, at least two.
        step: the smallest change that a run can show; 0 for what varies without steps.
        most: what no mean can be above, nor its opposite below.
    """
    from scipy.special import stdtrit

    runs = len(values)
    mean, spread = float(values.mean()), float(values.std(ddof=1))
    error = spread / math.sqrt(runs)
    seen = math.hypot(error, math.sqrt(2.0) * step / runs)
    reach = float(stdtrit(runs - 1, 0.5 + 0.5 * CONFIDENCE)) * seen
    low, high = max(mean - reach, -most), min(mean + reach, most)
    return Average(mean=mean, error=error, low=low, high=high)
