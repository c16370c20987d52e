"""Sobol' indices: the parts of an output's variance that factors make, alone and together.

Saltelli's design (Saltelli et al. 2010) on scrambled Sobol' points: matrices A and B of N points,
and A_i, A with factor i from B. With Q(X, Y) = mean (f(X) − f(Y))²/2 of the output f over rows,

    T_i = Q(A, A_i)/Q(A, B)           with all that it takes part in
    S_i = 1 − Q(B, A_i)/Q(A, B)       alone                            (both Jansen 1999)

The points of a row share their luck, so that what chance does to all of them alike drops out of the
differences. What is left of it would count as interplay of all factors with each other; so Q is
taken between the two halves of the runs, f' and f'', whose luck differs: it is quadratic, and

    Q between f' and f'' = (Q of f' + f'' − Q of f' − f'')/4

speaks of the expected output alone. SALib makes the design and gives each Q.

The intervals are bootstrap over the rows, which have luck of their own, so they hold chance too.
They take the points as independent; Sobol' points are more even, so they are rather too wide.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.blueprint import Floats

RESAMPLES = 200
REACH = 1.959964  # standard errors of a 95 % interval
TINY = 1e-9  # of a variance near one
CUT = (-10.0, 10.0)  # where an estimate is cut: it tells nothing there

Pick = Callable[..., tuple[Floats, Floats]]  # two of A, B and the A_i


@dataclass(frozen=True)
class Indices:
    """One output's indices, each (factors,), as they come: sampling may leave one below 0.

    Attributes:
        first, first_reach: S_i, and half of its 95 % interval.
        total, total_reach: T_i likewise.
    """

    first: Floats
    first_reach: Floats
    total: Floats
    total_reach: Floats


def design(factors: int, size: int, seed: int) -> Floats:
    """Points in rows A, A_1 … A_k, B, for one row of the Sobol' sequence after the other.

    The first rows are those of a smaller design with the same seed.

    Args:
        size: N, a power of two.

    Returns:
        (N · (factors + 2), factors), strictly within 0 and 1.
    """
    from SALib.sample import sobol

    problem = {"num_vars": factors, "bounds": [[0.0, 1.0]] * factors}
    points = sobol.sample(problem, size, calc_second_order=False, seed=seed + 1)
    return np.asarray(np.clip(points, 2.0**-30, 1.0 - 2.0**-30))


def base_rows(factors: int, size: int) -> Any:
    """Places of A and B in a design: 2N independent points."""
    step = factors + 2
    rows = np.arange(size) * step
    return np.concatenate([rows, rows + step - 1])


def indices(factors: int, halves: Floats, seed: int) -> Indices:
    """The indices of an output; 0 where it never varies.

    Args:
        halves: the output in the two halves of the runs, (2, N · (factors + 2)).
    """
    from SALib.analyze.sobol import separate_output_values, total_order

    scale = float(halves.std())
    if scale <= TINY * float(np.abs(halves).max()):
        return Indices(*np.zeros((4, factors)))
    size = halves.shape[1] // (factors + 2)
    chosen = np.random.default_rng(seed + 1).integers(size, size=(size, RESAMPLES))
    parts = [
        separate_output_values(values / scale, factors, size, False)[:3]
        for values in (halves[0] + halves[1], halves[0] - halves[1])
    ]

    def between(pick: Pick, rows: Any) -> Floats:
        """Q between the halves, of the rows (N,), or of many resamples of them (N, resamples)."""
        found = np.zeros(rows.shape[1:])
        for sign, (a, b, mixed) in zip((1.0, -1.0), parts, strict=True):
            one, other = pick(a, b, mixed)
            one, other = one[rows], other[rows]
            base = np.concatenate([one, other])
            if np.ptp(base) > np.finfo(float).eps:  # SALib divides by the variance
                found = found + sign * total_order(one, other, other) * np.var(base, axis=0)
        return found

    def ratio(pick: Pick) -> tuple[float, float]:
        """Q over that of A and B, and half of its 95 % interval."""
        estimate, many = (
            np.clip(between(pick, rows) / np.where(np.abs(all_) < TINY, TINY, all_), *CUT)
            for rows, all_ in ((np.arange(size), whole), (chosen, wholes))
        )
        return float(estimate), REACH * float(np.std(many, ddof=1))

    whole, wholes = (between(lambda a, b, _: (a, b), rows) for rows in (np.arange(size), chosen))
    totals = [ratio(lambda a, _, mixed, n=n: (a, mixed[:, n])) for n in range(factors)]
    others = [ratio(lambda _, b, mixed, n=n: (b, mixed[:, n])) for n in range(factors)]
    total, total_reach = np.array(totals).T
    rest, first_reach = np.array(others).T
    # A ratio's interval is without bounds where its divisor is not told from 0 (Fieller 1954).
    if whole <= REACH * np.std(wholes, ddof=1):
        first_reach, total_reach = np.full((2, factors), CUT[1])
    return Indices(1.0 - rest, first_reach, total, total_reach)


def slopes(points: Floats, values: Floats) -> tuple[Floats, Floats]:
    """What an output rises by when a factor goes from 0 to 1, on a straight line.

    By least squares through the changes from A to A_i, which share their luck and all other
    factors: b = Σ Δf·Δu/Σ Δu².

    Args:
        points: the design, (N · (factors + 2), factors).
        values: the output, (N · (factors + 2),).

    Returns:
        b and its standard error (White 1980), each (factors,).
    """
    factors = points.shape[1]
    found = []
    for factor in range(factors):
        move = points[factor + 1 :: factors + 2, factor] - points[:: factors + 2, factor]
        change = values[factor + 1 :: factors + 2] - values[:: factors + 2]
        square = float(np.sum(move**2))
        slope = float(np.sum(move * change)) / square
        error = float(np.sqrt(np.sum((move * (change - slope * move)) ** 2))) / square
        found.append((slope, error))
    slope, error = np.array(found).T
    return slope, error
