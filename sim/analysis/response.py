"""A smooth stand-in for the probabilities that levers give, from few evaluated settings.

A run's distance to each target is moved by the sum of the controls' mean effects; each effect is
interpolated over what is spent on the control. Distances are smoothed by a normal kernel, so that
a probability near 0 or 1 still has a slope. Around the answer the stand-in is set right by runs of
the model, again and again (space mapping: Bandler et al. 1994, IEEE Trans. MTT 42, 2536-2544).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from sim.analysis.aims import Aim
from sim.analysis.controls import Control
from sim.analysis.evaluation import TOTAL, Outcomes
from sim.blueprint import Floats
from sim.plan import DISTRICT

FAR = 1e6  # distance to a target that asks nothing of a zone
NARROWEST = 1e-3  # of the threshold; a kernel needs a width where all runs agree
SOFT = 8.0  # a worst zone's share of the slope: e^8 for each unit of log probability


@dataclass(frozen=True)
class Distances:
    """How far runs end from the targets, over the threshold: (runs, parts); 0 and more is met."""

    values: Floats
    width: Floats  # (parts,), of the kernel


@dataclass(frozen=True)
class Response:
    """The stand-in.

    Attributes:
        aim: what counts.
        controls: the K controls.
        values: (K, levels), lever values, from what holds to the most that was tried.
        spends: (K, levels), mean cost above the scenario's, 亿元, from 0, rising.
        effects: (K, levels, parts), mean change of the distances.
        centre: distances of runs of the setting ``at`` (K,), whose cost is ``cost``.
    """

    aim: Aim
    controls: tuple[Control, ...]
    values: Floats
    spends: Floats
    effects: Floats
    centre: Distances
    at: Floats
    cost: float

    @property
    def most(self) -> Floats:
        """The most that can be spent on each control, (K,)."""
        return np.asarray(self.spends[:, -1])

    def settings(self, spent: Floats) -> Floats:
        """Lever values for what is spent on each control (K,), on the levers' steps."""
        return np.array(
            [
                control.rounded(float(np.interp(money, spends, values)))
                for control, money, spends, values in zip(
                    self.controls, spent, self.spends, self.values, strict=True
                )
            ]
        )

    def spent(self, values: Floats) -> Floats:
        """What lever values (K,) cost each by itself."""
        return np.array(
            [np.interp(v, vs, s) for v, vs, s in zip(values, self.values, self.spends, strict=True)]
        )

    def predicted_cost(self, spent: Floats) -> float:
        """亿元 above the scenario's."""
        return self.cost + float(np.sum(spent - self.at))

    def centred(self, outcomes: Outcomes, spent: Floats) -> Response:
        """Set right by runs: outcomes of the scenario and of the setting, in this order."""
        distances = distances_of(outcomes, self.aim, 1)
        cost = float(added_cost(outcomes)[1].mean())
        return replace(self, centre=distances, at=np.asarray(spent), cost=cost)

    def score(self, spent: Floats) -> tuple[float, Floats]:
        """The smooth objective's logarithm, and its slope by what is spent (K,)."""
        shift = np.zeros(self.centre.values.shape[1])
        slopes = np.empty((len(self.controls), len(shift)))
        for k, (now, then) in enumerate(zip(spent, self.at, strict=True)):
            curve = self._curves[k]
            shift += curve(now) - curve(then)
            slopes[k] = curve(now, 1)
        value, by_part, _ = smooth(self.aim, self.centre, shift, self._places)
        return value, slopes @ by_part

    def probability(self, spent: Floats) -> float:
        """The smooth objective itself, 0 to 1."""
        shift = np.zeros(self.centre.values.shape[1])
        for curve, now, then in zip(self._curves, spent, self.at, strict=True):
            shift += curve(now) - curve(then)
        return float(self.aim.value(smooth(self.aim, self.centre, shift, self._places)[2]))

    @cached_property
    def _curves(self) -> list[Curve]:
        return [Curve(*pair) for pair in zip(self.spends, self.effects, strict=True)]

    @cached_property
    def _places(self) -> list[list[int]]:
        return places_of(self.aim)


class Curve:
    """Monotone between its points (Fritsch and Carlson 1980), flat beyond them."""

    def __init__(self, spends: Floats, effects: Floats) -> None:
        from scipy.interpolate import PchipInterpolator

        self._most = float(spends[-1])
        self._value = PchipInterpolator(spends, effects)
        self._slope = self._value.derivative()

    def __call__(self, spent: float, order: int = 0) -> Floats:
        curve = self._slope if order else self._value
        return np.asarray(curve(min(max(spent, 0.0), self._most)))


def part_names(aim: Aim) -> list[str]:
    """Every ``target.zone`` that counts, once."""
    return list(dict.fromkeys(name for parts in aim.parts for name in parts))


def places_of(aim: Aim) -> list[list[int]]:
    """Of each goal the places of its parts in ``part_names``."""
    names = part_names(aim)
    return [[names.index(name) for name in parts] for parts in aim.parts]


def distances_of(outcomes: Outcomes, aim: Aim, variant: int) -> Distances:
    """One variant's distances with a kernel of the width h = 1.06·σ·n^(−1/3).

    The rate is the best for distribution functions (Azzalini 1981). Distances are drawn together by
    √(1 − h²/σ²), so that smoothing leaves their variance as it is (West 1993).
    """
    values = raw_distances(outcomes, aim)[variant]
    spread = values.std(axis=0)
    ratio = min(1.06 * len(values) ** (-1.0 / 3.0), 0.9)
    mean = values.mean(axis=0)
    drawn = mean + np.sqrt(1.0 - ratio**2) * (values - mean)
    return Distances(drawn, np.maximum(ratio * spread, NARROWEST))


def raw_distances(outcomes: Outcomes, aim: Aim) -> Floats:
    """(variants, runs, parts): value less threshold, over the threshold; of things that come
    whole the threshold lies half a thing lower, between met and not met.
    """
    targets = {target.id: target for target in outcomes.plan.targets}
    found = []
    for name in part_names(aim):
        column = outcomes.columns.index(name)
        target = targets[name.split(".")[0]]
        limits = outcomes.thresholds[:, column][:, None].copy()
        scale = np.where(np.nan_to_num(limits) > 0, limits, 1.0)
        if target.quantity.whole:
            limits += 0.5 if target.comparison == "above" else -0.5
        found.append((outcomes.values[:, :, column] - limits) / scale)
    return np.nan_to_num(np.stack(found, axis=2), nan=FAR)


def added_cost(outcomes: Outcomes) -> Floats:
    """What each variant costs above the first, by run, 亿元: (variants, runs)."""
    spent = outcomes.column(f"cost.{TOTAL}.{DISTRICT}")
    return np.asarray(spent - spent[:1])


def mean_effects(outcomes: Outcomes, aim: Aim) -> Floats:
    """Mean change of the distances against the first variant, (variants, parts), without chance.

    Drawn towards zero by the positive part of 1 − s²/d² (James and Stein 1961), where s is the
    standard error of the difference d: what may be chance alone counts as none.
    """
    distances = raw_distances(outcomes, aim)
    change = distances - distances[:1]
    mean = change.mean(axis=1)
    error = change.std(axis=1, ddof=1) / np.sqrt(change.shape[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        kept = np.clip(1.0 - (error / mean) ** 2, 0.0, 1.0)
    return np.asarray(np.where(mean == 0.0, 0.0, mean * np.nan_to_num(kept)))


def smooth(
    aim: Aim, distances: Distances, shift: Floats, places: Sequence[Sequence[int]]
) -> tuple[float, Floats, Floats]:
    """The objective's logarithm, its slope by a shift of each part, and the goals' probabilities.

    A goal's probability is the mean over runs of Π_parts Φ((distance + shift)/h). Of several goals:
    log Σ w·p, or the soft minimum −log Σ exp(−s·log p)/s.
    """
    from scipy.special import log_ndtr, logsumexp

    z = (distances.values + shift) / distances.width
    logs = log_ndtr(z)
    mills = np.exp(np.clip(-0.5 * z**2 - 0.5 * np.log(2.0 * np.pi) - logs, -700.0, 50.0))
    goals = np.empty(len(places))
    slopes = np.zeros((len(places), len(shift)))
    for n, mine in enumerate(places):
        runs = logs[:, mine].sum(axis=1)
        total = logsumexp(runs)
        goals[n] = total - np.log(len(runs))
        slopes[n, mine] = np.exp(runs - total) @ mills[:, mine] / distances.width[mine]
    if aim.kind == "worst-zone":
        value = -logsumexp(-SOFT * goals) / SOFT
        weight = np.exp(-SOFT * (goals - value))
    else:
        logged = goals + np.log(aim.weights)
        value = logsumexp(logged)
        weight = np.exp(logged - value)
    return float(value), weight @ slopes, np.exp(goals)
