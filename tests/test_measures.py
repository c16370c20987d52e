"""No measure is decorative: each moves what the plan means it to, and nothing before it starts."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from calibration.measures import PAGE, effects_of, table
from sim.plan import Plan
from sim.scenario import read_scenario

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def plan() -> Plan:
    return read_scenario(ROOT / "scenarios/baseline.yaml").plan


@pytest.fixture(scope="module")
def effects() -> pd.DataFrame:
    return effects_of(read_scenario(ROOT / "scenarios/baseline.yaml"))


def test_every_measure_raises_a_target_that_it_is_meant_to_move(effects: pd.DataFrame) -> None:
    meant = effects[effects["meant"]]
    clear = meant[meant["mean"] > 2.0 * meant["error"]]
    assert sorted(clear["number"].unique()) == sorted(effects["number"].unique())


def test_nothing_moves_before_a_measure_starts(effects: pd.DataFrame) -> None:
    assert (effects["early"] == 0.0).all()


def test_no_measure_clearly_lowers_what_it_is_meant_to_raise(effects: pd.DataFrame) -> None:
    meant = effects[effects["meant"]]
    assert not (meant["mean"] < -3.0 * meant["error"]).any()


def test_the_page_of_effects_is_of_this_model(effects: pd.DataFrame, plan: Plan) -> None:
    """`make evidence` writes it; another processor may change a last digit here and there."""
    fresh, committed = table(effects, plan).split(), PAGE.read_text(encoding="utf-8").split()
    assert len(fresh) == len(committed)
    same = sum(one == other for one, other in zip(fresh, committed, strict=True))
    assert same > 0.98 * len(fresh), "docs/measure-effects.md is of another model: make evidence"
