"""How good a probability forecast was, by proper scores (Gneiting & Raftery 2007, JASA 102:359).

A forecast of a figure is a set of equally likely values m_r; with the figure's definition ratio and
noise (calibration/data/README.md) what is foreseen of ln y is the mixture of N(ln m_r + δ, s²).
Everything about figures is in logs, so that errors are relative and figures of any unit can be
averaged (Bosse et al. 2023, PLoS Computational Biology 19:e1011393).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import scoringrules
from scipy.optimize import brentq, isotonic_regression
from scipy.special import logsumexp, ndtr
from scipy.stats import kstwo

from sim.analysis.observations import Kind, Published
from sim.blueprint import Floats
from sim.plan import Target

LEVELS = (0.5, 0.8, 0.95)  # of central intervals
MEMBERS = 500  # quantiles that stand for more runs in the CRPS, whose cost is their square
OUT_OF_REACH = 1e-6  # assumption: a forecast that gave a figure less than that did not foresee it
ENOUGH = 50  # settled targets for a decomposition; assumption: fewer say nothing about reliability
CONFIDENCE = 0.95  # of the band around a calibrated PIT


def is_bound(figure: Published) -> bool:
    """Whether only a bound was published, which has no point value."""
    return figure.kind in (Kind.OVER, Kind.NEARLY)


def pit(figure: Published, values: Floats) -> float:
    """Probability integral transform: the forecast's probability of less than was published.

    F(y) = mean over r of Φ((ln y − ln m_r − δ) / s); uniform where forecasts are calibrated (Dawid
    1984; Gneiting, Balabdaoui & Raftery 2007, JRSS B 69:243). ``values``: m_r ≥ 0 (runs,).
    """
    return float(ndtr(figure.score(values)).mean())


def log_score(figure: Published, values: Floats) -> float:
    """ln of the forecast density of ln y, of a bound ln of its probability; higher is better.

    The mean over runs of the figure's likelihood, summed in logs: −∞ only where no run can give
    the figure at all. Good (1952); censored as in Diks, Panchenko & van Dijk (2011).
    """
    return float(logsumexp(figure.log_likelihood(values)) - math.log(len(values)))


def crps(figure: Published, values: Floats) -> float:
    """Continuous ranked probability score of ln y, ∫ (F(x) − 1{x ≥ ln y})² dx; lower is better.

    In log points: 0.05 is what a certain forecast 5 % beside the figure gets. The closed form for
    mixtures of normals (Grimit et al. 2006); more than 500 runs stand for themselves by quantiles.
    A run with nothing has no log and counts as half a unit, or as the least run where that is less.
    """
    members = np.asarray(values, dtype=float)
    if len(members) > MEMBERS:
        members = np.quantile(members, (np.arange(MEMBERS) + 0.5) / MEMBERS)
    positive = members[members > 0]
    least = min(0.5, positive.min()) if len(positive) else 0.5
    centres = np.log(np.maximum(members, least)) + figure.shift
    spread = np.full_like(centres, figure.sd)
    return float(scoringrules.crps_mixnorm(math.log(figure.value), centres, spread))


def quantile(figure: Published, level: float, values: Floats) -> float:
    """Quantile of the published figure as foreseen, in its unit, by bisection in logs."""
    nothing = float(np.mean(values <= 0))
    if level <= nothing:
        return 0.0
    logs = np.log(values[values > 0]) + figure.shift
    reach = 10.0 * figure.sd
    root = brentq(
        lambda x: nothing + (1 - nothing) * ndtr((x - logs) / figure.sd).mean() - level,
        logs.min() - reach,
        logs.max() + reach,
    )
    return float(math.exp(root))


def is_inside(position: float, level: float) -> bool:
    """Whether a figure with this PIT lies in the central interval of that probability."""
    return abs(position - 0.5) <= level / 2


def is_reached(figure: Published, values: Floats) -> bool:
    """Whether the forecast left the figure, or a more extreme one, more than a millionth."""
    if is_bound(figure):
        return math.exp(log_score(figure, values)) > OUT_OF_REACH
    below = pit(figure, values)
    above = float(ndtr(-figure.score(values)).mean())
    return 2 * min(below, above) > OUT_OF_REACH


def brier(probability: float, happened: bool) -> float:
    """(p − o)² (Brier 1950); 0.25 is what a probability of one half gets."""
    return float(scoringrules.brier_score(float(happened), probability))


def event_log_score(probability: float, happened: bool) -> float:
    """ln of the probability given to what happened; −∞ where that was 0."""
    given = probability if happened else 1.0 - probability
    return math.log(given) if given > 0 else -math.inf


@dataclass(frozen=True)
class Decomposition:
    """Brier score = miscalibration − discrimination + uncertainty."""

    miscalibration: float
    discrimination: float
    uncertainty: float


def decomposition(probabilities: Sequence[float], happened: Sequence[bool]) -> Decomposition | None:
    """Of the mean Brier score; None with fewer than 50 events.

    By isotonic regression of outcomes on probabilities, which needs no bins (CORP: Dimitriadis,
    Gneiting & Jordan 2021, PNAS 118:e2016191118).
    """
    if len(probabilities) < ENOUGH:
        return None
    given, outcomes = np.asarray(probabilities, float), np.asarray(happened, float)
    pooled = recalibrated(given, outcomes)
    rate = outcomes.mean()
    score = np.mean((given - outcomes) ** 2)
    best = np.mean((pooled - outcomes) ** 2)
    uncertainty = float(rate * (1 - rate))
    return Decomposition(float(score - best), float(uncertainty - best), uncertainty)


def recalibrated(given: Floats, outcomes: Floats) -> Floats:
    """Observed frequency at each forecast probability, rising with it; ties share theirs."""
    _, where, count = np.unique(given, return_inverse=True, return_counts=True)
    means = np.bincount(where, weights=outcomes) / count
    return np.asarray(isotonic_regression(means, weights=count).x[where])


def band(count: int) -> float:
    """Half-width of the simultaneous 95 % band of the ECDF of ``count`` uniform values.

    The quantile of the Kolmogorov–Smirnov statistic, exact for any number of independent values.
    """
    return float(kstwo.ppf(CONFIDENCE, count))


def distance(places: Sequence[float]) -> float:
    """Largest distance of the ECDF of PITs from that of a uniform: max_i max(i/n − u_i, u_i −
    (i − 1)/n), the Kolmogorov–Smirnov statistic."""
    ordered = np.sort(np.asarray(places, float))
    ranks = np.arange(len(ordered))
    below, above = ordered - ranks / len(ordered), (ranks + 1) / len(ordered) - ordered
    return float(max(below.max(), above.max()))


class Verdict(StrEnum):
    """What the outturns say about a target at its deadline."""

    MET = "met"
    MISSED = "missed"
    NO_FIGURE = "no figure at the deadline"
    OPEN = "the bound lies on the other side of the threshold"
    DEFINITION = "the definition may differ by more than the distance"
    CONTRADICTION = "figures contradict each other"


def verdict(figures: Sequence[Published], target: Target, threshold: float) -> Verdict:
    """Whether a target was met, by all figures about its indicator and zone at its deadline.

    An exact or round figure is held beside the threshold, at both ends of its definition ratio. An
    ``over`` at or above it is met, a ``nearly`` at or below it missed.
    """
    found = [_verdict(figure, target, threshold) for figure in figures]
    settled = {one for one in found if one in (Verdict.MET, Verdict.MISSED)}
    if len(settled) == 2:
        return Verdict.CONTRADICTION
    return next(iter(settled), found[0] if found else Verdict.NO_FIGURE)


def _verdict(figure: Published, target: Target, threshold: float) -> Verdict:
    low, high = (
        figure.value / figure.definition_ratio_high,
        figure.value / figure.definition_ratio_low,
    )
    if figure.kind == Kind.OVER:
        return Verdict.MET if low >= threshold else Verdict.OPEN
    if figure.kind == Kind.NEARLY:
        return Verdict.MISSED if high <= threshold else Verdict.OPEN
    met = target.met(np.array([low, high]), threshold)
    if met.all():
        return Verdict.MET
    return Verdict.DEFINITION if met.any() else Verdict.MISSED
