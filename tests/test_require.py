"""How much is enough: the analytic answer of a closed form, honesty, and the model itself."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm
from typer.testing import CliRunner

from sim.analysis.record import read_record
from sim.analysis.require import require, write_requirement
from sim.analysis.requirement import Requirement
from sim.cli import app
from sim.economy import Lever
from sim.errors import RunError
from sim.report.dose import dose_chart
from sim.report.require_table import lines
from sim.runner import Runner
from sim.scenario import Inputs, read_scenario
from tests.closed_form import ClosedForm

R, V = Lever.RECRUITMENT_FUNDS, Lever.COMPUTE_VOUCHERS  # 0 to 50, nothing now
GOAL, OTHER = "smart_turnover", "battery_output"


def asked(inputs: Inputs, model: ClosedForm, **changes: Any) -> Requirement:
    question: dict[str, Any] = {
        "target": GOAL, "probability": 0.8, "levers": [R.value], "runs": 400, "confirm": 400,
    }  # fmt: skip
    return require(inputs, evaluator=model, **(question | changes))


def one_lever(inputs: Inputs, seed: int = 1, effect: float = 0.01, **more: Any) -> ClosedForm:
    return ClosedForm(inputs, seed, {GOAL: -0.1}, {(R, GOAL): effect}, {R: 3.0}, **more)


def needed(probability: float) -> float:
    """Φ((start + effect·x)/noise) = p, solved for x."""
    return (0.1 + 0.1 * norm.ppf(probability)) / 0.01


def test_the_least_lever_is_the_analytic_one_within_its_interval(small: Runner) -> None:
    inside = 0
    for seed in range(1, 13):
        found = asked(small.inputs, one_lever(small.inputs, seed), seed=seed)
        dose = found.doses[0]
        assert dose.value is not None
        assert dose.low is not None
        assert dose.high is not None
        assert dose.value == pytest.approx(needed(0.8), abs=2.5)
        assert found.answer.cost.value == pytest.approx(3.0 * dose.value)
        inside += dose.low <= needed(0.8) + 0.05 and needed(0.8) <= dose.high
    assert inside >= 10  # of 12 intervals of 95 %; fewer come by chance once in 50 times


def test_two_seeds_do_not_contradict_each_other(small: Runner) -> None:
    one, two = (
        asked(small.inputs, one_lever(small.inputs, seed), seed=seed).doses[0] for seed in (1, 2)
    )
    assert one.value != two.value
    assert one.low <= two.high
    assert two.low <= one.high


def test_what_is_reached_already_needs_nothing(small: Runner) -> None:
    model = one_lever(small.inputs)
    found = asked(small.inputs, model, probability=0.05)
    assert found.status == "already reached"
    assert found.answer.levers == []
    assert found.answer.cost.value == 0.0


def test_out_of_reach_says_the_most_that_is_reached_and_where(small: Runner) -> None:
    found = asked(small.inputs, one_lever(small.inputs, effect=0.003), probability=0.95)
    assert found.status == "out of reach"
    assert found.doses[0].value is None
    assert found.answer.values == [50.0]
    assert found.answer.cost.value == pytest.approx(150.0)
    best = norm.cdf((-0.1 + 0.003 * 50) / 0.1)
    assert found.answer.held_out.low <= best <= found.answer.held_out.high
    assert "no allowed setting" in lines(found, small.inputs)[0].en


def test_a_response_that_falls_again_is_said_and_its_first_crossing_taken(small: Runner) -> None:
    hump = {R: lambda x: 20.0 - abs(x - 20.0)}  # rises to 20, falls beyond
    found = asked(small.inputs, one_lever(small.inputs, effect=0.0115, shapes=hump))
    assert found.falls
    truth = needed(0.8) / 1.15
    assert found.doses[0].low <= truth <= found.doses[0].high
    ((start, end),) = found.reached
    assert 50 * start == pytest.approx(truth, abs=2)
    assert 50 * end == pytest.approx(40 - truth, abs=3)
    assert any("falls again" in line.en for line in lines(found, small.inputs))


def test_chance_alone_is_not_taken_for_a_fall(small: Runner) -> None:
    found = asked(small.inputs, one_lever(small.inputs, effect=0.0))
    assert not found.falls
    assert found.status == "out of reach"
    assert found.answer.values == [0.0]


def test_of_two_levers_the_cheaper_for_its_effect_is_taken(small: Runner) -> None:
    effects = {(R, GOAL): 0.01, (V, GOAL): 0.01}
    model = ClosedForm(small.inputs, 1, {GOAL: -0.1}, effects, {R: 3.0, V: 1.0})
    found = asked(small.inputs, model, levers=[f"{R.value},{V.value}"])
    assert found.doses[0].value == pytest.approx(0.0, abs=0.2)
    assert found.doses[1].value == pytest.approx(needed(0.8), abs=2.5)
    costs = {one.lever: one.cost for one in found.alone}
    assert costs[R.value] == pytest.approx(3 * costs[V.value], rel=0.05)


def test_two_targets_need_a_mix_and_it_costs_what_the_closed_form_says(small: Runner) -> None:
    model = ClosedForm(
        small.inputs, 3, {GOAL: -0.1, OTHER: -0.1}, {(R, GOAL): 0.01, (V, OTHER): 0.01},
        {R: 1.0, V: 1.0},
    )  # fmt: skip
    found = asked(small.inputs, model, target="all", levers=[R.value, V.value])
    each = needed(math.sqrt(0.8))  # by symmetry
    low, high = (sum(getattr(dose, end) for dose in found.doses) for end in ("low", "high"))
    assert low <= 2 * each <= high
    assert found.answer.cost.value == pytest.approx(2 * each, rel=0.15)
    assert found.doses[0].value == pytest.approx(found.doses[1].value, rel=0.25)
    assert found.verdict == "confirmed"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"probability": 1.2}, "--probability: found 1.2; allowed: between 0 and 1"),
        ({"probability": math.nan}, "--probability"),
        ({"levers": ["recruitment_fund"]}, "did you mean 'recruitment_funds'"),
        ({"levers": []}, "--lever: none is named"),
        ({"target": "smart_turnovr"}, "did you mean 'smart_turnover'"),
        ({"zone": "airfeld"}, "did you mean 'airfield'"),
        ({"target": "pilot_projects", "zone": "airfield"}, "has no part in the target"),
        ({"zones": ["north_bnk"]}, "did you mean 'north_bank'"),
        ({"levers": ["department_capacity"], "zones": ["airfield"]}, "has no zones"),
        ({"runs": 3}, "--runs: found 3; allowed"),
        ({"confirm": 0}, "--confirm: found 0; allowed"),
    ],
)
def test_bad_input_is_said_before_any_run(
    small: Runner, change: dict[str, Any], message: str
) -> None:
    model = one_lever(small.inputs)
    with pytest.raises(RunError, match=message.replace("(", r"\(")):
        asked(small.inputs, model, **change)
    assert model.runs == 0


def test_zones_named_alone_are_raised(small: Runner) -> None:
    found = asked(small.inputs, one_lever(small.inputs), zones=["airfield"])
    assert found.doses[0].zones == ["airfield"]
    assert {zone for one in found.answer.levers for zone in one.zones} == {"airfield"}


def test_the_answer_is_a_scenario_that_asks_for_the_same(small: Runner, tmp_path: Path) -> None:
    found = asked(small.inputs, one_lever(small.inputs))
    write_requirement(found, small.inputs, tmp_path)
    again = read_scenario(tmp_path / "require.yaml")
    assert again.scenario.levers == [*small.inputs.scenario.levers, *found.answer.levers]
    assert again.plan == small.inputs.plan
    assert read_record(tmp_path / "require.json", Requirement, "") == found


def test_the_chart_shows_the_answer(small: Runner) -> None:
    found = asked(small.inputs, one_lever(small.inputs))
    axes = dose_chart(found, small.inputs).axes[1]
    diamonds = [line for line in axes.lines if line.get_marker() == "D"]
    assert [line.get_xdata()[0] for line in diamonds] == [
        found.answer.values[0],
        found.sure.values[0],
    ]
    assert diamonds[0].get_ydata()[0] == pytest.approx(100 * found.answer.held_out.value)


def test_the_command_answers_for_the_model_and_goes_on_from_what_it_kept(
    small_scenario: Path, tmp_path: Path
) -> None:
    words = ["require", str(small_scenario), "--target", "pilot_projects", "--probability", "0.9"]
    words += ["--lever", "scenario_funding", "--runs", "20", "--confirm", "20", "--workers", "1"]
    words += ["--out", str(tmp_path), "--lang", "en"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    found = Requirement.model_validate_json((tmp_path / "require.json").read_text("utf-8"))
    assert found.status == "reached"
    assert found.answer.searched.value >= 0.9
    shares = [level.probability for level in found.levels]
    assert np.all(np.diff(shares) >= -0.1)
    kept = sorted(file.name for file in (tmp_path / "evaluations").iterdir())
    assert (tmp_path / "charts" / "require.png").stat().st_size > 10_000
    again = CliRunner().invoke(app, [*words, "--no-charts"])
    assert again.exit_code == 0
    assert sorted(file.name for file in (tmp_path / "evaluations").iterdir()) == kept


def test_the_command_refuses_with_status_2_and_leaves_nothing(
    small_scenario: Path, tmp_path: Path
) -> None:
    words = ["require", str(small_scenario), "--target", "all", "--probability", "2"]
    words += ["--lever", "rent_relief", "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2
    assert "--probability" in done.output
    assert not (tmp_path / "out").exists()
