"""A probability is a type of its own: its intervals cover, and it prints one way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.analysis.forecast import forecast
from sim.analysis.interval import (
    Method,
    Probability,
    confidence_sequence,
    parameter_share,
    wilson,
)
from sim.errors import RunError
from sim.runner import Runner


def test_wilson_gives_the_textbook_interval() -> None:
    # Brown, Cai and DasGupta (2001): 0 of 10 gives 0 to 0.278; 5 of 10 gives 0.237 to 0.763
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=5e-4)
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=5e-4)


def test_a_confidence_sequence_covers_however_often_one_looks() -> None:
    luck = np.random.default_rng(7)
    looks = [10, *range(40, 1001, 40)]
    for chance in (0.02, 0.3, 0.5):
        hits = (luck.random((160, 1000)) < chance).cumsum(axis=1)
        missed = sum(
            any(
                not low <= chance <= high
                for low, high in (confidence_sequence(int(row[n - 1]), n) for n in looks)
            )
            for row in hits
        )
        assert missed / 160 <= 0.05


def test_wilson_looked_at_often_does_not_cover() -> None:
    """The reason for the sequence: the same looks with fixed-size intervals miss far more often."""
    luck = np.random.default_rng(7)
    hits = (luck.random((160, 1000)) < 0.3).cumsum(axis=1)
    looks = [10, *range(40, 1001, 40)]
    missed = sum(
        any(not low <= 0.3 <= high for low, high in (wilson(int(row[n - 1]), n) for n in looks))
        for row in hits
    )
    assert missed / 160 > 0.1


@pytest.mark.parametrize(("hits", "runs"), [(0, 500), (1, 500), (250, 500), (500, 500), (1, 1)])
def test_a_sequence_is_wider_than_wilson_and_holds_the_estimate(hits: int, runs: int) -> None:
    low, high = confidence_sequence(hits, runs)
    assert 0.0 <= low <= hits / runs <= high <= 1.0
    assert high - low > wilson(hits, runs)[1] - wilson(hits, runs)[0]


def test_a_probability_prints_itself_with_interval_and_runs() -> None:
    met = np.arange(500) < 311
    assert str(Probability.of(met)) == "62 % (95 % interval 57–67 %, 500 runs)"
    assert str(Probability.of(np.zeros(500, bool))) == "<1 % (95 % interval 0–1 %, 500 runs)"


def test_a_probability_needs_a_run() -> None:
    with pytest.raises(ValueError, match="at least one run"):
        Probability.of(np.zeros(0, bool))


def test_the_parameters_share_of_doubt_is_found() -> None:
    luck = np.random.default_rng(3)
    chance = luck.beta(1.0, 1.0, 20_000)  # variance of the chance 1/12 of a total of 1/4
    first, again = (luck.random((2, 20_000)) < chance).astype(bool)
    assert parameter_share(first, again, float(first.mean())) == pytest.approx(1 / 3, abs=0.03)
    alone, apart = luck.random((2, 20_000)) < 0.5
    assert parameter_share(alone, apart, float(alone.mean())) == pytest.approx(0.0, abs=0.03)


def test_a_share_of_doubt_needs_doubt() -> None:
    assert parameter_share(np.ones(50, bool), np.ones(50, bool), 1.0) is None


def test_a_forecast_runs_until_it_is_precise(small: Runner, tmp_path: Path) -> None:
    answer = forecast(
        small.inputs, runs=5000, seed=1, out=tmp_path / "out", workers=2, precision=0.075
    )
    widths = (answer.results["high"] - answer.results["low"]) / 2
    assert widths.max() <= 0.075
    assert 500 < answer.runs < 5000
    assert answer.method == Method.SEQUENCE
    # it could not have stopped at the look before
    before = forecast(small.inputs, runs=500, seed=1, out=tmp_path / "before", precision=0.075)
    assert ((before.results["high"] - before.results["low"]) / 2).max() > 0.075


def test_a_precision_that_cannot_be_had_is_refused(small: Runner, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"--precision: found 0; allowed: 0.005 to 0.5"):
        forecast(small.inputs, runs=100, seed=1, out=tmp_path / "out", precision=0.0)
    assert not (tmp_path / "out").exists()
