"""A what-if's probability from few pairs and many runs of the base."""

from __future__ import annotations

import numpy as np
import pytest

from sim.analysis.interval import wilson
from sim.analysis.poststratified import poststratified

PAIRS, BASE, TRIES = 120, 1000, 400


def intervals(w: float, p1: float, p0: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Intervals of many tries of p and of d, and Wilson's of the pairs alone."""
    rng = np.random.default_rng(7)
    ours, shifts, plain = [], [], []
    for _ in range(TRIES):
        base = rng.random(BASE) < w
        before = base[:PAIRS]
        after = np.where(before, rng.random(PAIRS) < p1, rng.random(PAIRS) < p0)
        there, shift = poststratified(before, after, int(base.sum()), BASE)
        ours.append(there[1:])
        shifts.append(shift[1:])
        plain.append(wilson(int(after.sum()), PAIRS))
    return np.array(ours), np.array(shifts), np.array(plain)


def covered(found: np.ndarray, truth: float) -> float:
    return float(np.mean((found[:, 0] <= truth) & (truth <= found[:, 1])))


@pytest.mark.parametrize(
    ("w", "p1", "p0"),
    [(0.5, 0.95, 0.1), (0.3, 0.9, 0.3), (0.7, 0.6, 0.05), (0.1, 1.0, 0.02), (0.5, 0.5, 0.5)],
)
def test_the_interval_holds_the_truth_as_often_as_it_says(w: float, p1: float, p0: float) -> None:
    ours, shifts, _ = intervals(w, p1, p0)
    truth = w * p1 + (1 - w) * p0
    assert 0.93 <= covered(ours, truth) <= 0.995
    assert covered(shifts, truth - w) >= 0.93  # wider than needed where nothing is lost


def test_pairs_with_much_in_common_say_more_than_the_what_if_s_own_runs() -> None:
    ours, _, plain = intervals(0.5, 0.95, 0.1)
    assert np.diff(ours).mean() < 0.7 * np.diff(plain).mean()


def test_a_what_if_that_changes_nothing_has_the_probability_of_the_base() -> None:
    met = np.arange(200) % 3 == 0
    there, shift = poststratified(met, met, 340, 1000)
    assert there.value == pytest.approx(0.34)
    assert shift.value == 0.0
    assert shift.low < 0.0 < shift.high


def test_where_the_base_never_met_the_goal_the_what_if_s_own_runs_speak() -> None:
    never, half = np.zeros(100, dtype=bool), np.arange(100) < 50
    there, shift = poststratified(never, half, 2, 1000)
    assert there == (0.5, *wilson(50, 100))
    assert shift.value == pytest.approx(0.5 - 0.002)
