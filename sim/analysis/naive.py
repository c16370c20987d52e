"""Naive forecasts: what past figures alone would have said, each as a distribution.

All are in logs. b is the base value, h the horizon in years, and the past is the growth
d_i = Δ ln y over spans of τ_i years, pooled over all series (N growth figures in S series):

    c    = Σ d / Σ τ                              growth a year, all series together
    s_g² = Σ (d − c·τ)² / τ / (N − 1)             spread of a year's growth about it
    σ²   = Σ (d − μ·τ)² / τ / (N − S)             about each series' own growth μ = Σ d / Σ τ

Ten years of figures would be few and there are fewer, so every forecast is a Student t: the error
of the variance is in its degrees of freedom, that of the mean growth in its scale (Box & Jenkins,
Time Series Analysis, 1976; Gelman et al., Bayesian Data Analysis, 2013, section 3.2).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field
from scipy.special import stdtr, stdtrit

from sim import months
from sim.analysis.observations import (
    Kind,
    Published,
    read_table,
    units_of,
    unknown_names,
)
from sim.blueprint import Floats
from sim.errors import Fault, ObservationError, shown
from sim.plan import DISTRICT
from sim.scenario import Inputs

MEMBERS = 500  # points of a naive distribution; assumption: its tails beyond 0.1 % do not matter
PRIOR_SD = 0.5  # of φ about 0; assumption: growth is far more often damped or noise than a trend


class Naive(StrEnum):
    """A forecast without a model."""

    LAST = "last value"
    DRIFT = "constant growth"
    AUTOREGRESSION = "AR(1) of growth"
    PATH = "the plan's own path"

    @property
    def zh(self) -> str:
        return {
            Naive.LAST: "末期值不变",
            Naive.DRIFT: "增速不变",
            Naive.AUTOREGRESSION: "增速一阶自回归",
            Naive.PATH: "规划路径",
        }[self]


class PastFigure(Published):
    """A figure about a date up to the base month."""

    proxy: Annotated[str, Field(pattern=r"^[a-z]*$")] = Field(
        "", description="empty: the zone's own; else the wider area that stands in for it"
    )


@dataclass(frozen=True)
class Series:
    """Growth of one series: Δ ln y (n,) over spans in years (n,), oldest first."""

    growth: Floats
    spans: Floats

    @property
    def mean(self) -> float:
        """Growth a year from the first figure to the last."""
        return float(self.growth.sum() / self.spans.sum())


@dataclass(frozen=True)
class Distribution:
    """A Student t of ln y.

    Attributes:
        centre: median, ln of the indicator's unit.
        scale: of the t, log points.
        df: degrees of freedom.
    """

    centre: float
    scale: float
    df: float

    def members(self, count: int = MEMBERS) -> Floats:
        """Quantiles (i − ½) / count in the indicator's unit: equally likely values (count,)."""
        levels = (np.arange(count) + 0.5) / count
        return np.asarray(np.exp(self.centre + self.scale * stdtrit(self.df, levels)))

    def probability_above(self, threshold: float) -> float:
        """P(y > threshold), threshold > 0."""
        distance = self.centre - math.log(threshold)
        if self.scale == 0:
            return 0.5 if distance == 0 else float(distance > 0)
        return float(stdtr(self.df, distance / self.scale))


@dataclass(frozen=True)
class Goal:
    """Where the plan's path leads: a threshold after so many years."""

    threshold: float
    years: float


class Past:
    """What the past says about growth.

    Args:
        series: by indicator and zone.

    Raises:
        ObservationError: fewer than two growth figures in all.
    """

    def __init__(self, series: Mapping[tuple[str, str], Series]) -> None:
        self.series = series
        self._growth = np.concatenate([one.growth for one in series.values()] or [np.empty(0)])
        self._spans = np.concatenate([one.spans for one in series.values()] or [np.empty(0)])
        if len(self._growth) < 2:
            raise ObservationError(
                "the history gives fewer than two growth figures; a spread needs at least two"
            )

    @cached_property
    def _mean(self) -> float:
        return float(self._growth.sum() / self._spans.sum())

    @cached_property
    def _spread(self) -> tuple[float, float]:
        """s_g and its degrees of freedom."""
        squares = float(((self._growth - self._mean * self._spans) ** 2 / self._spans).sum())
        return math.sqrt(squares / (len(self._growth) - 1)), len(self._growth) - 1

    @cached_property
    def _own_spread(self) -> tuple[float, float]:
        """σ and its degrees of freedom; s_g where no series has two growth figures."""
        free = len(self._growth) - len(self.series)
        if not free:
            return self._spread
        squares = sum(
            float(((one.growth - one.mean * one.spans) ** 2 / one.spans).sum())
            for one in self.series.values()
        )
        return math.sqrt(squares / free), free

    @cached_property
    def persistence(self) -> float:
        """φ of growth: Σ x_i·x_{i+1} / (Σ x_i² + s_g² / ψ²), x = d/τ − c, within ±0.95.

        The mean of φ given a prior N(0, ψ²), ψ = 0.5, as in Litterman's (1986) shrinkage towards a
        random walk; least squares on so few pairs would say anything.
        """
        products = squares = 0.0
        for one in self.series.values():
            excess = one.growth / one.spans - self._mean
            products += float((excess[:-1] * excess[1:]).sum())
            squares += float((excess[:-1] ** 2).sum())
        squares += (self._spread[0] / PRIOR_SD) ** 2
        return min(0.95, max(-0.95, products / squares)) if squares else 0.0

    def of(self, indicator: str, zone: str) -> Series | None:
        """The zone's own series, else the district's, which stands in for it."""
        return self.series.get((indicator, zone)) or self.series.get((indicator, DISTRICT))

    def last_value(self, base: float, years: float) -> Distribution:
        """ln y ~ ln b + √(h·m)·t_N, m = Σ d² / τ / N: a random walk, growth being all surprise."""
        count = len(self._growth)
        square = float((self._growth**2 / self._spans).sum()) / count
        return Distribution(math.log(base), math.sqrt(square * years), count)

    def constant_growth(self, base: float, years: float, own: Series | None) -> Distribution:
        """ln y ~ ln b + μ·h + σ·√(h + h²/T)·t_{N−S}, T the years of the series: a random walk with
        drift. Without a series: c, s_g, all years of the past and N − 1."""
        if own is None:
            scale, free = self._spread
            mean, past = self._mean, float(self._spans.sum())
        else:
            scale, free = self._own_spread
            mean, past = own.mean, float(own.spans.sum())
        spread = scale * math.sqrt(years + years**2 / past)
        return Distribution(math.log(base) + mean * years, spread, free)

    def autoregression(self, base: float, years: float, own: Series | None) -> Distribution:
        """Growth returns to c at the rate φ: g_k = c + φ·(g_{k−1} − c) + ε_k, year by year.

        ln y ~ ln b + Σ_k w_k·(c + φ^k·(g_0 − c)) + t_{N−1}·√(V + h²·s_g²/T), g_0 the last growth
        of the series (without one: c), w_k = 1 but for a part of a year at the end. V sums over the
        years j the variance s_g²·(1 − φ²) of ε_j times (√w_j + Σ_{k>j} w_k·φ^{k−j})². The error of
        φ is left out.
        """
        (spread, free), phi = self._spread, self.persistence
        steps = math.ceil(years - 1e-9)
        weights = np.minimum(1.0, years - np.arange(steps))
        powers = phi ** np.arange(steps + 1.0)
        first = 0.0 if own is None else float(own.growth[-1] / own.spans[-1]) - self._mean
        centre = math.log(base) + self._mean * years + first * float(weights @ powers[1:])
        variance = spread**2 * years**2 / float(self._spans.sum())
        for step in range(steps):
            later = float(weights[step + 1 :] @ powers[1 : steps - step])
            variance += spread**2 * (1 - phi**2) * (math.sqrt(weights[step]) + later) ** 2
        return Distribution(centre, math.sqrt(variance), free)

    def plan_path(self, base: float, years: float, goal: Goal) -> Distribution:
        """ln y ~ ln b + (ln θ − ln b)·h/H + σ·√h·t_{N−S}: straight in logs to the threshold θ
        after H years, and on beyond it."""
        scale, free = self._own_spread
        slope = math.log(goal.threshold / base) / goal.years
        return Distribution(math.log(base) + slope * years, scale * math.sqrt(years), free)

    def forecasts(
        self, indicator: str, zone: str, base: float, years: float, goal: Goal | None
    ) -> dict[Naive, Distribution]:
        """Every naive forecast that there is; none from a base of 0, which has no log."""
        if base <= 0:
            return {}
        own = self.of(indicator, zone)
        found = {
            Naive.LAST: self.last_value(base, years),
            Naive.DRIFT: self.constant_growth(base, years, own),
            Naive.AUTOREGRESSION: self.autoregression(base, years, own),
        }
        if goal is not None and goal.threshold > 0 and goal.years > 0:
            found[Naive.PATH] = self.plan_path(base, years, goal)
        return found


def read_history(path: Path | str, inputs: Inputs) -> list[PastFigure]:
    """Read a CSV file of figures about dates before the plan, in its order.

    The columns are those of observations, with ``proxy`` in place of ``use``. The base month's own
    figure is not in it: that is the forecast's.

    Raises:
        FileError: the file is missing, unreadable or not UTF-8 text.
        ObservationError: something in it cannot be used; names line and column of each problem.
    """
    units = units_of(inputs)
    start = months.number(inputs.plan.start)
    seen: dict[tuple[str, str], str] = {}
    dates: set[tuple[str, str, str]] = set()

    def misfits(figure: PastFigure) -> Iterator[tuple[str, Fault]]:
        yield from unknown_names(figure, inputs.plan, units)
        if figure.kind not in (Kind.EXACT, Kind.ABOUT):
            yield "kind", f"found '{figure.kind}'; allowed: exact, about (a bound has no growth)"
        if months.number(figure.month) > start - (not figure.proxy):
            until = "to" if figure.proxy else "before"
            yield "month", f"found '{figure.month}'; allowed: {until} {inputs.plan.start}"
        place = (figure.indicator, figure.zone)
        if seen.setdefault(place, figure.proxy) != figure.proxy:
            text = f"found {shown(figure.proxy)}; a line above has {shown(seen[place])}"
            yield "proxy", f"{text}, and a series is of one area"
        if (*place, figure.month) in dates:
            yield "month", f"'{figure.month}' is given twice for {figure.indicator}, {figure.zone}"
        dates.add((*place, figure.month))

    return read_table(path, PastFigure, units, misfits)


def past_of(
    figures: Sequence[PastFigure], start: str, base: Mapping[tuple[str, str], float]
) -> Past:
    """The growth that the figures tell of.

    Args:
        start: the base month.
        base: the forecast's value in it by indicator and zone, which ends a series of their own.

    Raises:
        ObservationError: fewer than two growth figures in all.
    """
    dated: dict[tuple[str, str], list[tuple[str, float]]] = {}
    for figure in figures:
        place = (figure.indicator, figure.zone)
        points = dated.setdefault(place, [])
        points.append((figure.month, figure.value))
        if not figure.proxy and len(points) == 1 and base.get(place, 0.0) > 0:
            points.append((start, base[place]))
    series = {}
    for place, points in dated.items():
        ordered = sorted(points)
        dates = np.array([months.number(month) / 12 for month, _ in ordered])
        logs = np.log([value for _, value in ordered])
        if len(ordered) > 1:
            series[place] = Series(np.diff(logs), np.diff(dates))
    return Past(series)
