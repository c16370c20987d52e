"""Where a budget does most: the analytic answer of a closed form, rivals, and the model itself."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import norm
from typer.testing import CliRunner

import sim.analysis.optimise
from sim.analysis.aims import aim_of
from sim.analysis.allocation import equal_parts
from sim.analysis.controls import control_of, parts_of
from sim.analysis.optimise import optimise, write_optimum
from sim.analysis.optimum import Optimum
from sim.analysis.record import read_record
from sim.cli import app
from sim.economy import Lever
from sim.errors import RunError
from sim.report.allocation import allocation_chart
from sim.report.front import front_chart
from sim.report.optimise_table import lines
from sim.runner import Runner
from sim.scenario import Inputs, read_scenario
from tests.closed_form import ClosedForm

R, V, S = Lever.RECRUITMENT_FUNDS, Lever.COMPUTE_VOUCHERS, Lever.RD_SUBSIDY
GOAL, OTHER = "smart_turnover", "battery_output"
PRICES = {R: 1.0, V: 1.0, S: 1.0}
LEVERS = [R.value, V.value, S.value]
START = {GOAL: -0.1, OTHER: -0.05}
EFFECTS = {(R, GOAL): 0.01, (V, OTHER): 0.006}  # the third does nothing


def closed(inputs: Inputs, seed: int = 1) -> ClosedForm:
    return ClosedForm(inputs, seed, START, EFFECTS, PRICES)


def found_for(inputs: Inputs, model: ClosedForm, **changes: Any) -> Optimum:
    question: dict[str, Any] = {"budget": 30.0, "levers": LEVERS, "runs": 300, "confirm": 600}
    return optimise(inputs, evaluator=model, **(question | changes))


def probability(first: float, second: float) -> float:
    """Both targets at once, when so much is spent on the first lever and the second."""
    one = (START[GOAL] + EFFECTS[R, GOAL] * first) / 0.1
    two = (START[OTHER] + EFFECTS[V, OTHER] * second) / 0.1
    return float(norm.cdf(one) * norm.cdf(two))


def best_for(budget: float) -> tuple[float, float]:
    """The analytic optimum: what goes to the first lever, and the probability."""
    done = minimize_scalar(
        lambda x: -probability(x, budget - x), bounds=(0, budget), method="bounded"
    )
    return float(done.x), -float(done.fun)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_allocation_is_the_analytic_one(small: Runner, seed: int) -> None:
    found = found_for(small.inputs, closed(small.inputs, seed), seed=seed)
    best = found.of("best")
    spent = {
        lever: sum(share.cost for share in best.shares if share.lever == lever) for lever in LEVERS
    }
    first, highest = best_for(30.0)
    assert spent[R.value] == pytest.approx(first, abs=2.0)
    assert spent[S.value] == pytest.approx(0.0, abs=1.0)
    assert best.cost.value <= 30.0
    assert probability(spent[R.value], spent[V.value]) == pytest.approx(highest, abs=0.01)
    assert best.held_out.low <= highest <= best.held_out.high
    assert found.optimism_low <= 0.05
    assert found.optimism_high >= 0.0


def test_it_beats_equal_spread_and_the_best_single_lever(small: Runner) -> None:
    found = found_for(small.inputs, closed(small.inputs))
    assert found.over_equal.verdict == "higher"
    assert found.over_single.verdict == "higher"
    equal = probability(10.0, 10.0)
    assert found.of("equal spread").held_out.value == pytest.approx(equal, abs=0.06)
    single = max(probability(30.0, 0.0), probability(0.0, 30.0))
    assert found.of("best single lever").held_out.value == pytest.approx(single, abs=0.06)


def test_where_one_lever_is_all_there_is_nothing_is_claimed(small: Runner) -> None:
    model = ClosedForm(small.inputs, 1, {GOAL: -0.1}, {(R, GOAL): 0.01}, PRICES)
    found = found_for(small.inputs, model, budget=20.0)
    assert found.over_single.verdict != "higher"
    assert found.over_single.low <= 0 <= found.over_single.high
    assert found.over_equal.verdict == "higher"


def test_more_money_never_lowers_the_front(small: Runner) -> None:
    found = found_for(small.inputs, closed(small.inputs))
    front = [found.of("present"), *(one for one in found.settings if one.role == "front")]
    front.append(found.of("best"))
    values = [one.held_out.value for one in front]
    assert np.all(np.diff([one.cost.value for one in front]) > 0)
    assert values == sorted(values)
    for one in front[1:]:
        assert one.held_out.value == pytest.approx(best_for(one.cost.value)[1], abs=0.06)
    assert found.of("best").efficient
    assert not found.of("equal spread").efficient


def test_weights_and_targets_of_one_s_own(small: Runner) -> None:
    found = found_for(small.inputs, closed(small.inputs), objective=f"{OTHER}=1", budget=20.0)
    shares = found.of("best").shares
    assert {share.lever for share in shares} == {V.value}
    text = f"{GOAL}=3,{OTHER}=1"
    weighted = found_for(small.inputs, closed(small.inputs), objective=text, budget=12.0)
    assert weighted.weights == [0.75, 0.25]
    spent = sum(share.cost for share in weighted.of("best").shares if share.lever == R.value)
    assert spent > 9.0


def test_the_worst_zone_is_the_least_of_the_zones(small: Runner) -> None:
    aim = aim_of(small.inputs, "worst-zone")
    assert aim.goals == ("all.north_bank", "all.old_docks", "all.airfield")
    assert aim.value(np.array([[0.3, 0.2, 0.9]])) == pytest.approx([0.2])


def test_the_budget_in_equal_parts_spreads_what_is_too_much_for_one() -> None:
    assert equal_parts(np.array([1.0, 10.0, 10.0]), 9.0) == pytest.approx([1.0, 4.0, 4.0])
    assert equal_parts(np.array([1.0, 2.0]), 9.0) == pytest.approx([1.0, 2.0])


def test_parts_of_a_lever_are_zones_measures_or_departments(small: Runner) -> None:
    plan = small.inputs.plan
    for lever, names in (
        (R, plan.zone_ids()),
        (Lever.MEASURE_INTENSITY, plan.measure_ids()),
        (Lever.DEPARTMENT_CAPACITY, [department.id for department in plan.departments]),
    ):
        parts = parts_of(small.inputs, control_of(small.inputs, lever))
        assert [part.part for part in parts] == names


def test_zones_that_have_more_already_keep_it(small: Runner) -> None:
    control = control_of(small.inputs, Lever.TALENT_SUBSIDY)  # airfield has 2, the others 1
    assert control.settings(1.5)[0].zones == ["north_bank", "old_docks"]
    assert control.settings(2.5)[0].zones == ["north_bank", "old_docks", "airfield"]
    assert control.settings(control.low) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"levers": ["rent_relif"]}, "did you mean 'rent_relief'"),
        ({"objective": "worst_zone"}, "did you mean 'worst-zone'"),
        ({"objective": "smart_turnovr=1"}, "did you mean 'smart_turnover'"),
        ({"objective": "smart_turnover@airfeld=1"}, "did you mean 'airfield'"),
        ({"objective": "smart_turnover=-1"}, "weight '-1'; allowed: above 0"),
        ({"objective": "smart_turnover=1,smart_turnover=2"}, "stands there twice"),
        ({"budget": math.nan}, "--budget: found nan"),
        ({"runs": 2}, "--runs: found 2; allowed"),
    ],
)
def test_bad_input_is_said_before_any_run(
    small: Runner, change: dict[str, Any], message: str
) -> None:
    model = closed(small.inputs)
    with pytest.raises(RunError, match=message):
        found_for(small.inputs, model, **change)
    assert model.runs == 0


@pytest.mark.parametrize("budget", [-5.0, 0.0, 0.01])
def test_a_budget_that_nothing_fits_is_refused_with_one_that_fits(
    small: Runner, budget: float
) -> None:
    with pytest.raises(RunError, match=r"allowed: at least 0\.05\d* 亿元, the cheapest change"):
        found_for(small.inputs, closed(small.inputs), budget=budget)


def test_the_answer_is_a_scenario_that_asks_for_the_same(small: Runner, tmp_path: Path) -> None:
    found = found_for(small.inputs, closed(small.inputs), runs=60, confirm=60)
    write_optimum(found, small.inputs, tmp_path)
    again = read_scenario(tmp_path / "optimise.yaml")
    assert again.scenario.levers == [*small.inputs.scenario.levers, *found.of("best").levers]
    assert read_record(tmp_path / "optimise.json", Optimum, "") == found


def test_charts_and_sentences_say_what_the_record_says(small: Runner) -> None:
    found = found_for(small.inputs, closed(small.inputs), runs=60, confirm=60)
    axes = front_chart(found, small.inputs).axes[1]
    shown = {
        (round(float(line.get_xdata()[0]), 6), round(float(line.get_ydata()[0]), 6))
        for line in axes.lines
        if line.get_marker() in "Dos^"
    }
    for one in found.settings:
        assert (round(one.cost.value, 6), round(100 * one.held_out.value, 6)) in shown
    bars = allocation_chart(found, small.inputs).axes[1].patches
    assert len(bars) == len(found.of("best").shares)
    text = " ".join(line.en for line in lines(found, small.inputs))
    assert f"{100 * found.optimism:+.1f} points" in text


def test_the_command_allocates_for_the_model(
    small_scenario: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sim.analysis.optimise, "FRONT", (0.5,))  # fewer runs
    words = ["optimise", str(small_scenario), "--budget", "2", "--levers"]
    words += ["scenario_funding", "--objective", "pilot_projects=1", "--runs", "20"]
    words += ["--confirm", "60", "--workers", "1", "--out", str(tmp_path), "--lang", "en"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    found = Optimum.model_validate_json((tmp_path / "optimise.json").read_text("utf-8"))
    assert found.over_present.verdict == "higher"
    assert {share.lever for share in found.of("best").shares} == {"scenario_funding"}
    assert found.of("best").cost.value <= 2 + 4 * found.of("best").cost.error
    assert (tmp_path / "charts" / "front.svg").exists()


def test_the_command_refuses_with_status_2_and_leaves_no_answer(
    small_scenario: Path, tmp_path: Path
) -> None:
    words = ["optimise", str(small_scenario), "--budget", "-1", "--levers", "foreign_entry"]
    done = CliRunner().invoke(app, [*words, "--workers", "1", "--out", str(tmp_path)])
    assert done.exit_code == 2
    assert "allowed: at least" in done.output
    assert not list(tmp_path.glob("optimise.*"))
