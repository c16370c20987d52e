"""A probability is a share of runs, with its interval, and a zone is held to its part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.analysis.probability import Probability, answer, thresholds
from sim.blueprint import largest_remainder
from sim.montecarlo import columns_of
from sim.plan import ALL_TARGETS, DISTRICT, Plan, Target
from sim.runner import Runner
from sim.scenario import read_scenario
from sim.store import RUNS_PER_CHUNK, Chunk, open_store

Ask = Callable[..., pd.DataFrame]


def target_of(plan: Plan, name: str) -> Target:
    return next(target for target in plan.targets if target.id == name)


@pytest.fixture
def ask(small: Runner, tmp_path: Path) -> Ask:
    """Results by zone and target from runs with given values at the targets' deadlines.

    ``ask(**{"pilot_projects.district": [7, 6, …]})``: a value for each of 25 runs; what is not
    named is 0. In every other month the value is one that the targets must not be judged by.
    """

    def results(runs: int = RUNS_PER_CHUNK, **values: Any) -> pd.DataFrame:
        columns, plan = columns_of(small), small.inputs.plan
        series = np.zeros((RUNS_PER_CHUNK, len(columns.months), len(columns.series)))
        for name, value in values.items():
            target = target_of(plan, name.partition(".")[0])
            place = columns.series.index(name)
            series[:, :, place] = np.where(np.asarray(value) > 0, 0, 1e6)[..., None]
            series[:, columns.months.index(target.deadline), place] = value
        costs = np.zeros((RUNS_PER_CHUNK, len(columns.months), len(columns.costs)))
        parameters = np.zeros((RUNS_PER_CHUNK, len(columns.parameters)))
        with open_store(tmp_path / "out", small.inputs, 1, "test", columns) as store:
            store.write(Chunk(0, series, costs, parameters, {}))
            found = answer(store, small, runs)
        return found.results.set_index(["zone", "target"])

    return results


@pytest.mark.parametrize(
    ("hits", "runs", "low", "high"),
    [
        # Newcombe, Two-sided confidence intervals for the single proportion, 1998, table I
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        # by hand: (p + z²/2n ± z√(pq/n + z²/4n²)) / (1 + z²/n) with z = 1.96
        (5, 10, 0.2366, 0.7634),
        (20, 20, 0.8389, 1.0),
    ],
)
def test_the_interval_is_wilson_s(hits: int, runs: int, low: float, high: float) -> None:
    found = Probability.of(np.arange(runs) < hits)
    assert found.estimate == hits / runs
    assert found.runs == runs
    assert found.low == pytest.approx(low, abs=5e-5)
    assert found.high == pytest.approx(high, abs=5e-5)


def test_a_probability_without_runs_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one run"):
        Probability.of(np.zeros(0, dtype=bool))


def test_four_times_the_runs_halve_the_interval() -> None:
    few, many = (Probability.of(np.arange(n) % 2 == 0) for n in (1000, 4000))
    assert (few.high - few.low) / (many.high - many.low) == pytest.approx(2, rel=0.01)


def test_seats_go_by_largest_remainder() -> None:
    # exact parts 6.6, 2.1, 1.3: the last seat goes to the largest fraction
    assert largest_remainder(10, [0.66, 0.21, 0.13]).tolist() == [7, 2, 1]
    assert largest_remainder(2, [0.4, 0.4, 0.2]).tolist() == [1, 1, 0]
    assert largest_remainder(3, [0.5, 0.5]).tolist() == [2, 1]
    assert largest_remainder(0, [0.5, 0.5]).tolist() == [0, 0]


@given(
    st.integers(0, 5000),
    st.lists(st.integers(0, 1000), min_size=1, max_size=12).filter(lambda weights: sum(weights)),
)
def test_parts_are_whole_sum_to_the_whole_and_stay_within_one_of_their_share(
    total: int, weights: list[int]
) -> None:
    shares = np.array(weights) / sum(weights)
    parts = largest_remainder(total, shares)
    assert parts.sum() == total
    assert np.abs(parts - shares * total).max() < 1
    assert not parts[shares == 0].any()


def test_the_zones_parts_of_a_target_sum_to_the_target(real: Runner, small: Runner) -> None:
    for runner in (real, small):
        for target in runner.inputs.plan.targets:
            parts = thresholds(runner.blueprint, target)
            assert parts.pop(DISTRICT) == target.threshold.value
            assert sum(parts.values()) == pytest.approx(target.threshold.value)
            assert min(parts.values()) > 0
            if target.quantity.whole:
                assert all(part == int(part) for part in parts.values())


def test_a_zone_without_a_part_has_no_threshold(small: Runner) -> None:
    plan = small.inputs.plan
    parts = thresholds(small.blueprint, target_of(plan, "pilot_projects"))
    assert parts == {DISTRICT: 7, "north_bank": 4, "old_docks": 3}  # 3.85, 3.15 and 0
    assert "north_bank" not in thresholds(small.blueprint, target_of(plan, "battery_output"))


def test_a_target_shared_by_the_base_year_is_split_by_what_zones_had(small: Runner) -> None:
    parts = thresholds(small.blueprint, target_of(small.inputs.plan, "battery_output"))
    assert parts["airfield"] == pytest.approx(78 * 0.9)
    assert parts["old_docks"] == pytest.approx(78 * 0.1)


def test_a_scenario_can_share_out_a_target_anew(
    small_scenario: Path, variant: Callable[..., Path]
) -> None:
    shares = {"north_bank": 0.05, "old_docks": 0.45, "airfield": 0.5}

    def share(scenario: dict[str, Any]) -> None:
        scenario["target_shares"] = {"pilot_projects": shares}

    runner = Runner(read_scenario(variant(small_scenario, scenario=share)), seed=1)
    parts = thresholds(runner.blueprint, target_of(runner.inputs.plan, "pilot_projects"))
    assert parts == {DISTRICT: 7, "old_docks": 3, "airfield": 4}  # 0.35, 3.15 and 3.5


def test_at_least_is_met_by_the_threshold_and_above_only_beyond_it(small: Runner, ask: Ask) -> None:
    comparisons = {t.id: t.comparison for t in small.inputs.plan.targets}
    assert comparisons["smart_turnover"] == "above"
    assert comparisons["battery_output"] == "at_least"
    values = {
        "smart_turnover.district": [75.0] * 10 + [75.001] * 15,
        "battery_output.district": [78.0] * 10 + [77.999] * 15,
    }
    results = ask(**values)
    assert results.loc[(DISTRICT, "smart_turnover"), "probability"] == 15 / 25
    assert results.loc[(DISTRICT, "battery_output"), "probability"] == 10 / 25


def test_all_targets_are_met_only_together(ask: Ask) -> None:
    run = np.arange(RUNS_PER_CHUNK)
    met = {
        "smart_turnover": (run < 20, 80, 70),
        "battery_output": (run >= 5, 80, 70),
        "technology_firms": (run != 10, 130, 110),
        "pilot_projects": (run % 2 == 0, 9, 4),
    }
    values = {f"{name}.district": np.where(*choice) for name, choice in met.items()}
    results = ask(**values).loc[DISTRICT]
    for name, (flags, _, _) in met.items():
        assert results.loc[name, "probability"] == flags.mean()
    together = np.all([flags for flags, _, _ in met.values()], axis=0)
    assert results.loc[ALL_TARGETS, "probability"] == together.mean() == 6 / 25
    count = np.sum([flags for flags, _, _ in met.values()], axis=0)
    assert results.loc[ALL_TARGETS, "threshold"] == 4
    assert results.loc[ALL_TARGETS, "q50"] == np.median(count)
    assert results.loc[ALL_TARGETS, "shortfall"] == pytest.approx((4 - count).mean())


def test_all_targets_of_a_zone_are_those_in_which_it_has_a_part(ask: Ask) -> None:
    values = {"smart_turnover.north_bank": 1000, "technology_firms.north_bank": 1000}
    results = ask(**values, **{"pilot_projects.north_bank": 4})
    assert results.loc[("north_bank", ALL_TARGETS), "threshold"] == 3
    assert results.loc[("north_bank", ALL_TARGETS), "probability"] == 1
    assert ("north_bank", "battery_output") not in results.index
    assert ("airfield", "pilot_projects") not in results.index


def test_the_shortfall_is_the_mean_of_what_is_missing_and_never_negative(ask: Ask) -> None:
    values = [3.0] * 5 + [6.0] * 10 + [40.0] * 10
    row = ask(**{"pilot_projects.district": values}).loc[(DISTRICT, "pilot_projects")]
    assert row["shortfall"] == pytest.approx((4 * 5 + 1 * 10 + 0 * 10) / 25)
    assert row["probability"] == 10 / 25
    assert (row["q05"], row["q50"], row["q95"]) == (3, 6, 40)


def test_only_the_runs_asked_for_are_counted(ask: Ask) -> None:
    row = ask(runs=10, **{"pilot_projects.district": [9] * 10 + [1] * 15})
    assert row.loc[(DISTRICT, "pilot_projects"), "probability"] == 1
    assert row.loc[(DISTRICT, "pilot_projects"), "runs"] == 10


def test_costs_are_summed_over_the_period(small: Runner, tmp_path: Path) -> None:
    columns = columns_of(small)
    shape = (RUNS_PER_CHUNK, len(columns.months), len(columns.costs))
    chunk = Chunk(
        0,
        np.zeros((*shape[:2], len(columns.series))),
        np.full(shape, 0.5),
        np.zeros((RUNS_PER_CHUNK, len(columns.parameters))),
        {},
    )
    chunk = replace(chunk, costs=chunk.costs * (np.arange(shape[1]) > 0)[:, None])
    with open_store(tmp_path / "out", small.inputs, 1, "test", columns) as store:
        store.write(chunk)
        costs = answer(store, small, RUNS_PER_CHUNK).costs.set_index(["item", "zone"])["mean"]
    items = {column.partition(".")[0] for column in columns.costs}
    assert costs["rent_relief", "airfield"] == pytest.approx(0.5 * 24)
    assert costs["rent_relief", DISTRICT] == pytest.approx(0.5 * 24 * 3)
    assert costs["total", DISTRICT] == pytest.approx(0.5 * 24 * 3 * len(items))
