"""Where a probability first reaches a level along a path of settings, and how sure that is.

All settings meet the same runs, so the share of runs that meet a goal is one fixed step function
of the setting (sample-average approximation), whose root is found as any other.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from sim.analysis.estimates import resamples
from sim.analysis.evaluation import Flags
from sim.analysis.interval import CONFIDENCE
from sim.analysis.paired import difference_interval
from sim.blueprint import Floats

GRID = 7  # settings that are looked at first, evenly from none to the most
CLOSE = 1.0 / 128.0  # of the path, to which the root is found
RESAMPLES = 1000


@dataclass(frozen=True)
class Crossing:
    """What was found along the path, whose places run from 0 (nothing set) to 1 (the most).

    Attributes:
        places: that were run, rising, (levels,).
        shares: runs that meet the goal there, (levels,).
        fitted: rising up to the peak by isotonic regression, (levels,); beyond it as found.
        place: where the level is first reached, None where nowhere.
        low, high: its 95 % interval by bootstrap over runs; ``high`` None: the level may be out of
            reach.
        reach: part of the bootstrap samples that reach the level.
        peak: place of the highest fitted share; the first one.
        falls: whether the probability falls again along the path, beyond chance (95 %, all pairs
            of grid settings taken together).
        reached: stretches of the path in which the level is met, as found.
    """

    places: Floats
    shares: Floats
    fitted: Floats
    place: float | None
    low: float | None
    high: float | None
    reach: float
    peak: float
    falls: bool
    reached: list[tuple[float, float]]


def cross(met_at: Callable[[list[float]], Flags], probability: float, seed: int) -> Crossing:
    """Look along a path.

    Args:
        met_at: which runs meet the goal at some places of the path, (places, runs); the same runs
            in each call, kept by the caller.
        probability: the level, between 0 and 1.
    """
    from scipy.optimize import brentq

    grid = np.linspace(0.0, 1.0, GRID).tolist()
    known = dict(zip(grid, met_at(grid), strict=True))

    def share(place: float) -> float:
        if place not in known:
            known[place] = met_at([place])[0]
        return float(known[place].mean())

    def lack(place: float) -> float:
        return share(place) - probability

    above = [place for place in grid if lack(place) >= 0]
    falls = _falls([known[place] for place in grid])
    if falls or not above:
        _look_around_the_peak(known, share)
        above = [place for place in sorted(known) if lack(place) >= 0]
    if above and above[0] > 0:
        below = max(place for place in known if place < above[0])
        if lack(below) < 0 < lack(above[0]):
            # Looked at on a lattice, so that what is asked again stands on disk.
            brentq(lambda x: lack(_lattice(x, below, above[0])), below, above[0], xtol=CLOSE)
    places = np.array(sorted(known))
    met = np.array([known[place] for place in places])
    return _read(places, met, probability, seed, falls)


def _lattice(place: float, below: float, above: float) -> float:
    """The nearest multiple of a small step; the ends stay."""
    if place in (below, above):
        return place
    return min(max(round(place / CLOSE * 2) * CLOSE / 2, below), above)


def _look_around_the_peak(known: dict[float, np.ndarray], share: Callable[[float], float]) -> None:
    """Twice between the best place and its neighbours."""
    for _ in range(2):
        places = sorted(known)
        shares = [share(place) for place in places]
        best = int(np.argmax(shares))
        for other in (best - 1, best + 1):
            if 0 <= other < len(places):
                share((places[best] + places[other]) / 2)


def _read(places: Floats, met: Flags, probability: float, seed: int, falls: bool) -> Crossing:
    shares = met.mean(axis=1)
    fitted = _rising(shares, falls)
    place = _first(places, fitted, probability)
    samples = resamples(met.shape[1], seed, RESAMPLES) @ met.T
    found = [_first(places, _rising(sample, falls), probability) for sample in samples]
    reached = np.array([math.inf if one is None else one for one in found])
    tail = (1.0 - CONFIDENCE) / 2.0
    low, high = np.quantile(reached, [tail, 1.0 - tail], method="inverted_cdf").tolist()
    return Crossing(
        places=places,
        shares=shares,
        fitted=fitted,
        place=place,
        low=low if low < math.inf else None,
        high=high if high < math.inf else None,
        reach=float(np.isfinite(reached).mean()),
        peak=float(places[int(np.argmax(fitted >= fitted.max() - 1e-9))]),
        falls=falls,
        reached=_stretches(places, fitted, probability),
    )


def _rising(shares: Floats, falls: bool) -> Floats:
    """Isotonic regression; where the response falls again, of what lies before the peak alone."""
    from scipy.optimize import isotonic_regression

    stop = int(np.argmax(shares)) + 1 if falls else len(shares)
    rising = np.asarray(isotonic_regression(shares[:stop]).x)
    return np.concatenate([rising, shares[stop:]])


def _first(places: Floats, shares: Floats, probability: float) -> float | None:
    """The first place at which the level is met, between two settings by a straight line."""
    above = np.flatnonzero(shares >= probability - 1e-12)
    if not len(above):
        return None
    n = int(above[0])
    if n == 0:
        return float(places[0])
    part = (probability - shares[n - 1]) / (shares[n] - shares[n - 1])
    return float(places[n - 1] + part * (places[n] - places[n - 1]))


def _stretches(places: Floats, shares: Floats, probability: float) -> list[tuple[float, float]]:
    """From where to where the level is met."""
    found, start = [], None
    for n, share in enumerate(shares):
        if share >= probability - 1e-12 and start is None:
            start = _first(places[max(n - 1, 0) :], shares[max(n - 1, 0) :], probability)
        elif share < probability - 1e-12 and start is not None:
            part = (shares[n - 1] - probability) / (shares[n - 1] - share)
            found.append((start, float(places[n - 1] + part * (places[n] - places[n - 1]))))
            start = None
    if start is not None:
        found.append((start, float(places[-1])))
    return found


def _falls(grid: list[np.ndarray]) -> bool:
    """Whether a later setting is worse than an earlier one, by paired intervals (Bonferroni)."""
    pairs = list(combinations(range(len(grid)), 2))
    together = 1.0 - (1.0 - CONFIDENCE) / len(pairs)
    for one, two in pairs:
        gained = int((grid[two] & ~grid[one]).sum())
        lost = int((grid[one] & ~grid[two]).sum())
        if lost > gained and difference_interval(gained, lost, len(grid[one]), together)[1] < 0:
            return True
    return False
