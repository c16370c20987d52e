"""The best allocation of a sum over controls, and the least sum that does, on the stand-in.

SciPy's SLSQP with slopes, from several starts; why: docs/decisions/0009-optimiser.md.
"""

from __future__ import annotations

import numpy as np

from sim.analysis.response import Response
from sim.blueprint import Floats

STARTS = 6  # of one control alone, besides all in equal parts and what stands already
ROUNDS = 200
FEWEST = 0.01


def equal_parts(most: Floats, budget: float) -> Floats:
    """The budget in equal parts (K,), what is too much for one spread over the others."""
    spent = np.zeros(len(most))
    open_ = most > 0
    left = min(budget, float(most.sum()))
    while left > 1e-12 and open_.any():
        share = left / open_.sum()
        more = np.where(open_, np.minimum(share, most - spent), 0.0)
        spent += more
        left -= float(more.sum())
        open_ = most - spent > 1e-12
    return spent


def best_spending(response: Response, budget: float, start: Floats | None = None) -> Floats:
    """What to spend on each control (K,) so that the smooth objective is highest.

    What gets less than a hundredth of it is left out, so that an answer names what matters.

    Args:
        budget: 亿元 above the scenario's cost, by the stand-in's own reckoning.
        start: a further start, such as an earlier answer.
    """
    spent = _search(response, response.most, budget, start)
    kept = spent >= FEWEST * spent.sum()
    if kept.all():
        return spent
    return _search(response, np.where(kept, response.most, 0.0), budget, np.where(kept, spent, 0.0))


def _search(response: Response, most: Floats, budget: float, start: Floats | None) -> Floats:
    """The best of what SLSQP reaches from each start."""
    from scipy.optimize import LinearConstraint, minimize

    # What the sum of single costs misjudges at the centre is given back or taken away.
    room = budget - response.cost + float(response.at.sum())
    if room <= 0.0 or not (most > 0).any():
        return np.zeros(len(most))
    starts = [equal_parts(most, room), _greedy(response, most, room)]
    singles = np.diag(np.minimum(most, room))[most > 0]
    order = np.argsort([-response.score(single)[0] for single in singles])
    starts += [singles[k] for k in order[:STARTS]]
    if start is not None:
        starts.append(np.minimum(start, most) * min(1.0, room / max(float(start.sum()), 1e-12)))

    unit = max(min(room, float(most.sum())), 1e-12)
    limit = LinearConstraint(np.ones((1, len(most))), -np.inf, room / unit)

    def negative(part: Floats) -> tuple[float, Floats]:
        value, slope = response.score(part * unit)
        return -value, -slope * unit

    best, top = starts[0], -np.inf
    for first in starts:
        done = minimize(
            negative,
            first / unit,
            jac=True,
            method="SLSQP",
            bounds=list(zip(np.zeros(len(most)), most / unit, strict=True)),
            constraints=[limit],
            options={"maxiter": ROUNDS, "ftol": 1e-9},
        )
        for found in (first, _within(done.x * unit, most, room)):
            value = response.score(found)[0]
            if value > top + 1e-12:
                best, top = found, value
    return best


def least_budget(response: Response, probability: float, alone: int | None = None) -> float | None:
    """The least 亿元 with which the smooth probability reaches a level; None where none does.

    Args:
        alone: spend on this control only.
    """
    from scipy.optimize import brentq

    nothing = np.zeros(len(response.most))

    def lack(budget: float) -> float:
        spent = nothing.copy()
        if alone is None:
            spent = best_spending(response, budget)
        else:
            spent[alone] = budget
        return response.probability(spent) - probability

    whole = response.predicted_cost(response.most)
    whole = whole if alone is None else float(response.most[alone])
    if response.probability(nothing) >= probability:
        return 0.0
    if whole <= 0 or lack(whole) < 0:
        return None
    return float(brentq(lack, 0.0, whole, xtol=1e-3 * whole, rtol=1e-3))


def _greedy(response: Response, most: Floats, room: float, steps: int = 40) -> Floats:
    """Step by step to where the next 亿元 helps most: the marginal effects' own answer."""
    spent = np.zeros(len(most))
    left = min(room, float(most.sum()))
    step = left / steps
    for _ in range(4 * steps):
        if left <= 1e-9:
            break
        slope = np.where(most - spent > 1e-9, response.score(spent)[1], -np.inf)
        k = int(np.argmax(slope))
        if slope[k] <= 0:
            break
        more = min(step, left, most[k] - spent[k])
        spent[k] += more
        left -= more
    return spent


def _within(spent: Floats, most: Floats, room: float) -> Floats:
    """A solver may pass a bound by a rounding."""
    inside = np.clip(spent, 0.0, most)
    total = float(inside.sum())
    return np.asarray(inside * min(1.0, room / total) if total > 0 else inside)
