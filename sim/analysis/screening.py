"""Screening of many factors by their elementary effects (Morris 1991), with SALib.

Trajectories through a grid of four levels, the middles of the quarters of each factor's range, so
that its extreme ends do not rule; each step moves one factor across half of its range. Of the steps
of factor i, d_i the change of the output:

    effect_i = mean d_i        strength_i = mean |d_i|  (μ*, Campolongo et al. 2007)
    floor_i  = mean |d_i' − d_i''|/2,    ' and '': the two halves of the runs

The floor is the strength that chance alone gives: the half difference has the noise of the mean of
both halves and nothing of the factors' own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.blueprint import Floats

LEVELS = 4
STEP = 2.0 / 3.0  # of the grid's width, half of the range
RESAMPLES = 200


@dataclass(frozen=True)
class Screening:
    """One output's elementary effects, in its own unit, each (factors,).

    Attributes:
        effect: mean change when the factor moves up across half of its range.
        strength, reach: mean size of the change, and half of its 95 % interval (bootstrap over
            trajectories).
        spread: standard deviation of the change: curvature, interplay with others, and chance.
        floor, floor_reach: the strength that chance alone gives, and half of its interval.
    """

    effect: Floats
    strength: Floats
    reach: Floats
    spread: Floats
    floor: Floats
    floor_reach: Floats

    @property
    def matters(self) -> Any:
        """Whether the strength is told from chance."""
        return self.strength - self.reach > self.floor + self.floor_reach

    @property
    def share(self) -> Floats:
        """Each factor's part of the sum of squared strengths beyond chance, 0 to 1."""
        beyond = np.where(self.matters, self.strength**2 - self.floor**2, 0.0)
        return beyond / beyond.sum() if beyond.sum() > 0 else beyond


def trajectories(names: list[str], count: int, seed: int) -> Floats:
    """Points of [0, 1]^factors, (count · (factors + 1), factors)."""
    from SALib.sample import morris

    grid = morris.sample(_problem(names), count, num_levels=LEVELS, seed=seed + 1)
    return np.asarray((0.5 + (LEVELS - 1) * grid) / LEVELS)


def screen(names: list[str], points: Floats, halves: Floats, seed: int) -> Screening:
    """The elementary effects of an output.

    Args:
        points: from ``trajectories``.
        halves: the output in the two halves of the runs, (2, points).
    """
    whole, noise = (
        _analyse(names, points, values, seed)
        for values in (halves.mean(axis=0), (halves[0] - halves[1]) / 2.0)
    )
    return Screening(
        whole["mu"],
        whole["mu_star"],
        whole["mu_star_conf"],
        whole["sigma"],
        noise["mu_star"],
        noise["mu_star_conf"],
    )


def _analyse(names: list[str], points: Floats, values: Floats, seed: int) -> dict[str, Floats]:
    from SALib.analyze import morris

    grid = np.rint(points * LEVELS - 0.5) / (LEVELS - 1)
    found = morris.analyze(
        _problem(names),
        grid,
        values,
        num_resamples=RESAMPLES,
        num_levels=LEVELS,
        seed=seed + 1,
    )
    wanted = ("mu", "mu_star", "mu_star_conf", "sigma")
    return {name: STEP * np.asarray(found[name], dtype=float) for name in wanted}


def _problem(names: list[str]) -> dict[str, Any]:
    return {"num_vars": len(names), "names": names, "bounds": [[0.0, 1.0]] * len(names)}
