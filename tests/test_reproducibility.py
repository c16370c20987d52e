"""A run is its scenario, seed and number alone; scenarios of one run meet the same luck."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.analysis.forecast import forecast
from sim.economy import Lever
from sim.model import Outcome
from sim.montecarlo import simulate
from sim.plan import ELSEWHERE
from sim.runner import Runner
from sim.scenario import read_scenario

FINGERPRINT = """
import hashlib, sys
from sim.runner import Runner
from sim.scenario import read_scenario
outcome = Runner(read_scenario(sys.argv[1]), seed=1).run(3)
print(hashlib.sha256(outcome.series.tobytes() + outcome.costs.tobytes()).hexdigest())
"""


def same(one: Outcome, other: Outcome) -> bool:
    """Equal to the last bit."""
    equal = one.series.tobytes() == other.series.tobytes()
    return equal and one.costs.tobytes() == other.costs.tobytes()


@pytest.fixture(params=["real", "small"])
def runner(request: pytest.FixtureRequest) -> Runner:
    return request.getfixturevalue(request.param)


def test_a_run_is_the_same_alone_and_among_others_in_any_order(runner: Runner) -> None:
    forwards = {run: runner.run(run) for run in range(4)}
    fresh = Runner(runner.inputs, runner.seed)
    backwards = {run: fresh.run(run) for run in (3, 1, 2, 0)}
    alone = Runner(runner.inputs, runner.seed).run(2)
    assert all(same(forwards[run], backwards[run]) for run in range(4))
    assert same(alone, forwards[2])


def test_a_run_is_the_same_when_two_are_stepped_in_turn(small: Runner) -> None:
    one, other = small.district(0), small.district(1)
    while one.month < small.blueprint.horizon:
        one.step()
        other.step()
    assert same(one.outcome(), small.run(0))
    assert same(other.outcome(), small.run(1))


def test_a_run_is_the_same_in_its_chunk(small: Runner) -> None:
    chunk = simulate(small.inputs, small.seed, 1)
    for place in (0, 7, 24):
        run = small.run(chunk.first + place)
        flat = run.series.reshape(len(run.series), -1).astype(np.float32)
        assert np.array_equal(chunk.series[place], flat)


def test_a_run_is_the_same_in_an_interpreter_with_other_hashes(
    small: Runner, small_scenario: Path
) -> None:
    outcome = small.run(3)
    expected = hashlib.sha256(outcome.series.tobytes() + outcome.costs.tobytes()).hexdigest()
    for hash_seed in ("0", "4242"):
        done = subprocess.run(
            [sys.executable, "-c", FINGERPRINT, str(small_scenario)],
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            cwd=Path(__file__).parents[1],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert done.stdout.strip() == expected


def test_the_number_of_processes_leaves_every_byte_as_it_is(small: Runner, tmp_path: Path) -> None:
    for workers in (1, 2):
        folder = tmp_path / str(workers)
        forecast(small.inputs, runs=75, seed=1, out=folder, workers=workers)
    one, two = (
        {
            file.relative_to(folder): file.read_bytes()
            for file in folder.rglob("*.*")
            if file.is_file()
        }
        for folder in (tmp_path / "1", tmp_path / "2")
    )
    assert len([file for file in one if file.suffix == ".parquet"]) == 3 * (3 + 1)
    assert one == two


def test_runs_differ_from_each_other_and_seeds_do_too(small: Runner) -> None:
    places = [(seed, run) for seed in (0, 1, 2) for run in range(4)]
    outcomes = {place: Runner(small.inputs, place[0]).run(place[1]) for place in places}
    assert len({outcome.series.tobytes() for outcome in outcomes.values()}) == len(places)


def test_levers_set_to_their_baselines_change_nothing(
    runner: Runner, variant: Callable[..., Path]
) -> None:
    plan, levers = runner.inputs.plan, runner.inputs.economy.levers

    def spell_out(scenario: dict[str, Any]) -> None:
        scenario["levers"] = [
            {
                "lever": lever.value,
                "zones": [zone.id],
                "value": levers[lever].baseline[zone.id].value,
            }
            for lever in Lever
            for zone in plan.zones
            if zone.id in levers[lever].baseline
        ]
        scenario["levers"] += [
            {"lever": lever.value, "value": levers[lever].baseline[ELSEWHERE].value, "zones": rest}
            for lever in Lever
            if ELSEWHERE in levers[lever].baseline and lever != Lever.DEPARTMENT_CAPACITY
            if (rest := [z for z in plan.zone_ids() if z not in levers[lever].baseline])
        ]
        scenario["levers"].append({"lever": "department_capacity", "value": 1})

    path = variant(runner.inputs.sources["scenario"].path, scenario=spell_out)
    inputs = read_scenario(path)
    assert len(inputs.scenario.levers) >= len(Lever)
    assert {setting.lever for setting in inputs.scenario.levers} == set(Lever)
    spelt_out = Runner(inputs, runner.seed)
    for run in range(2):
        assert same(spelt_out.run(run), runner.run(run))


@pytest.mark.parametrize("number", [1, 12, 23])
def test_a_measure_without_intensity_is_as_a_measure_that_is_not_there(
    real: Runner, variant: Callable[..., Path], real_scenario: Path, number: int
) -> None:
    measures = real.inputs.plan.measures
    assert {1, 23} == {min(m.number for m in measures), max(m.number for m in measures)}
    (measure,) = (m for m in measures if m.number == number)

    def switch_off(scenario: dict[str, Any]) -> None:
        setting = {"lever": "measure_intensity", "value": 0, "measures": [measure.id]}
        scenario["levers"] = [setting]

    def strike_out(plan: dict[str, Any]) -> None:
        plan["measures"] = [m for m in plan["measures"] if m["id"] != measure.id]

    off = Runner(read_scenario(variant(real_scenario, scenario=switch_off)), seed=1)
    absent = Runner(read_scenario(variant(real_scenario, plan=strike_out)), seed=1)
    assert len(absent.blueprint.measures.number) == len(measures) - 1
    for run in range(2):
        assert same(off.run(run), absent.run(run))
    assert not same(off.run(0), real.run(0))


def test_a_lever_moved_late_leaves_all_earlier_months_as_they_were(
    small: Runner, variant: Callable[..., Path], small_scenario: Path
) -> None:
    start = "2025-10"

    def raise_late(scenario: dict[str, Any]) -> None:
        scenario["levers"] = [
            {"lever": "scenario_funding", "value": 5, "start": start},
            {"lever": "talent_subsidy", "value": 20, "start": start},
            {"lever": "recruitment_funds", "value": 5, "start": start},
        ]

    late = Runner(read_scenario(variant(small_scenario, scenario=raise_late)), seed=1).run(0)
    first = small.blueprint.months().index(start)
    assert np.array_equal(late.series[:first], small.run(0).series[:first])
    assert np.array_equal(late.costs[:first], small.run(0).costs[:first])
    assert not np.array_equal(late.series[first:], small.run(0).series[first:])


def test_a_shock_in_one_zone_leaves_the_luck_of_firms_in_the_others(
    small: Runner, variant: Callable[..., Path], small_scenario: Path
) -> None:
    zones = small.inputs.plan.zone_ids()

    def strike(scenario: dict[str, Any]) -> None:
        name = {"zh": "冲击", "en": "Blow"}
        scenario["shocks"] = [
            {
                "id": "blow",
                "name": name,
                "start": "2024-07",
                "length": 1,
                "size": -0.5,
                "zones": zones[:1],
            }
        ]

    struck = Runner(read_scenario(variant(small_scenario, scenario=strike)), seed=1).district(0)
    spared = small.district(0)
    struck.step()
    spared.step()
    elsewhere = np.flatnonzero(spared.columns.zone[: spared.columns.at_start] != 0)
    there = slice(0, spared.columns.at_start)
    open_here = (spared.columns.zone[there] == 0) & (spared.columns.alive[there] > 0)
    here = np.flatnonzero(open_here)  # those that closed this month did not grow
    before, after = spared.columns.log_revenue, struck.columns.log_revenue
    np.testing.assert_allclose(after[elsewhere], before[elsewhere], rtol=1e-6)
    np.testing.assert_allclose(after[here] - before[here], np.log(0.5), rtol=1e-3)
