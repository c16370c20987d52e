"""Virtual evaluations: the designs do what they say, and see an effect where there is one."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from sim.analysis.designs import Design, read_designs
from sim.analysis.virtual import Panel, evaluate, panel, pilot, succeeded, winners
from sim.cli import app
from sim.errors import ObservationError, RunError
from sim.runner import Runner
from sim.scenario import changed, ending_at

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "calibration" / "data" / "evaluations.csv"


def design(**fields: Any) -> Design:
    given = {
        "id": "one",
        "name_zh": "一",
        "name_en": "One",
        "kind": "district",
        "levers": "rent_relief",
        "value": "0.5",
        "outcome": "entries",
        "measured": "log",
        "unit": "log",
        "published": "0.1",
        "low": "0",
        "high": "0.2",
        "interval": "printed",
        "evidence": "E001",
        "use": "apart",
    }
    return Design.model_validate(given | fields)


def test_a_pilot_is_the_change_in_its_zone_beyond_that_elsewhere() -> None:
    """By hand: the zone grows from 99.5 to 199.5, the others as before from 49.5 to 99.5."""
    before = Panel({"entries": np.array([[99.5, 49.5], [99.5, 99.5]])}, 0.0, 0.0, 0.0)
    treated = Panel({"entries": np.array([[99.5, 49.5], [199.5, 99.5]])}, 0.0, 0.0, 0.0)
    assert pilot(before, treated, "entries", 0) == pytest.approx(np.log(2.0))


def test_a_treatment_that_changes_nothing_has_an_estimate_of_exactly_nothing(small: Runner) -> None:
    none = design(value="0")
    (found,) = evaluate(small.inputs, [none], runs=3, seed=1)
    assert (found.value, found.error) == (0.0, 0.0)


def test_workers_do_not_change_an_estimate(small: Runner) -> None:
    both = [
        evaluate(small.inputs, [design()], runs=4, seed=1, workers=workers) for workers in (1, 2)
    ]
    assert both[0] == both[1]
    assert both[0][0].value > 0


@pytest.mark.parametrize(("deadweight", "least", "most"), [(0.0, 0.75, 1.05), (0.9, -0.1, 0.3)])
def test_a_lottery_finds_the_deadweight_that_is_put_in(
    small: Runner, deadweight: float, least: float, most: float
) -> None:
    held = {"calls.deadweight": deadweight, "calls.crowding_out": 0.0}
    inputs = changed(small.inputs, parameters=held)
    lots = design(kind="lottery", levers="scenario_funding", value="6", measured="share")
    (found,) = evaluate(inputs, [lots], runs=24, seed=1, workers=2)
    assert least < found.value < most


def test_winners_grow_by_what_their_projects_pay(small: Runner) -> None:
    """Without pay and learning, winning a contract is worth nothing but the better firms' lead."""

    def mean(**held: float) -> float:
        inputs = changed(small.inputs, parameters={f"calls.{k}": v for k, v in held.items()})
        runner = Runner(inputs, 1)
        return float(np.nanmean([winners(runner.district(run)) for run in range(12)]))

    poor = mean(project_value=0.03, follow_on=0.0, learning=0.0)
    rich = mean(project_value=0.5, follow_on=0.9, learning=0.1)
    assert rich > poor + 0.05


def test_successes_are_those_that_the_model_counts(small: Runner) -> None:
    district = small.district(0)
    made = keys = 0.0
    for _ in range(24):
        level, before = district.columns.capability.copy(), district.zones.key_technologies.sum()
        district.step()
        won = succeeded(district, level)
        made += won.sum()
        keys += district.zones.key_technologies.sum() - before
    assert made > 10 * keys > 0


def test_a_panel_adds_up_to_what_the_run_counts(small: Runner) -> None:
    district = small.district(2)
    seen = panel(district)
    assert seen.counts["entries"].sum() == district.zones.entries.sum()
    assert seen.cost == pytest.approx(district.costs.sum())
    assert seen.projects >= district.zones.scenarios.sum() > 0


def test_the_shipped_table_fits_the_plan(real: Runner) -> None:
    found = read_designs(TABLE, real.inputs)
    assert len(found) >= 8
    assert {one.use.value for one in found} == {"prior", "apart"}


def write(file: Path, **changes: str) -> Path:
    rows = list(csv.DictReader(TABLE.read_text(encoding="utf-8").splitlines()))[:1]
    rows[0] |= {"levers": "rent_relief", "kind": "district", "outcome": "entries"} | changes
    with file.open("w", encoding="utf-8", newline="") as out:
        table = csv.DictWriter(out, rows[0])
        table.writeheader()
        table.writerows(rows)
    return file


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"levers": "rent_releif"}, "column levers: unknown lever 'rent_releif'"),
        (
            {"measures": "unknown", "levers": "measure_intensity", "value": "0"},
            "column measures: unknown measure 'unknown'",
        ),
        ({"published": "9"}, "column published: found 9; allowed: -0.36 to 1.65"),
        ({"outcome": "profit"}, "column outcome: unknown outcome 'profit'"),
        ({"per": "0"}, "column per: found 0; allowed: above 0"),
        ({"kind": "survey"}, "column kind: unknown kind 'survey' (allowed: pilot, district"),
        ({"levers": ""}, "column levers: is missing"),
        ({"value": ""}, "column value: is missing"),
        ({"value": "5"}, "column value: found 5; allowed for 'rent_relief': 0 to 1"),
        ({"measured": "share"}, "column measured: found 'share'; allowed for 'district': log or"),
        ({"measures": "newcomers"}, "column measures: go with measure_intensity alone"),
        (
            {"measures": "newcomers", "levers": "measure_intensity", "value": "2"},
            "column value: found 2; allowed: 0",
        ),
        (
            {"levers": "rent_relief recruitment_funds"},
            "column levers: have one value but several units",
        ),
        (
            {"kind": "lottery", "measured": "share"},
            "column levers: found rent_relief; a lottery is of scenario_funding",
        ),
    ],
)
def test_a_row_that_cannot_be_used_is_refused(
    tmp_path: Path, small: Runner, changes: dict[str, str], said: str
) -> None:
    file = write(tmp_path / "designs.csv", **changes)
    with pytest.raises(ObservationError) as refused:
        read_designs(file, small.inputs)
    assert f"{file}, line 2, {said}" in str(refused.value)


def test_the_command_writes_the_page(tmp_path: Path, small: Runner, small_scenario: Path) -> None:
    file = write(tmp_path / "designs.csv")
    page = tmp_path / "new" / "page.md"
    given = [str(small_scenario), "--designs", str(file), "--runs", "3", "--out", str(page)]
    done = CliRunner().invoke(app, ["evaluate", *given, "--workers", "1"])
    assert done.exit_code == 0, done.output
    assert "of 1 estimates lie" in done.output
    assert "Foreign firms in an opened zone" in page.read_text(encoding="utf-8")


def test_a_name_with_a_bar_stays_one_cell(tmp_path: Path, small_scenario: Path) -> None:
    file, page = write(tmp_path / "designs.csv", name_en="one|two"), tmp_path / "page.md"
    given = [str(small_scenario), "--designs", str(file), "--runs", "2", "--out", str(page)]
    assert CliRunner().invoke(app, ["evaluate", *given, "--workers", "1"]).exit_code == 0
    assert "one\\|two" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--runs", "1"], "--runs: found 1; allowed: at least 2"),
        (["--workers", "0"], "--workers: found 0; allowed: at least 1"),
        (["--out", "."], "--out .: is a directory; name a file"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_before_any_run(
    tmp_path: Path, small_scenario: Path, more: list[str], said: str
) -> None:
    file = write(tmp_path / "designs.csv")
    given = ["evaluate", str(small_scenario), "--designs", str(file), *more]
    done = CliRunner().invoke(app, given)
    assert done.exit_code == 2
    assert said in " ".join(done.output.split())


def test_a_plan_too_short_to_look_before_and_after_is_refused(small: Runner) -> None:
    short = ending_at(small.inputs, "2025-06")
    with pytest.raises(RunError, match="runs for 12 months; evaluations need 24"):
        read_designs(TABLE, short)


def test_an_empty_table_is_refused(tmp_path: Path, small: Runner) -> None:
    file = tmp_path / "designs.csv"
    file.write_text(TABLE.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    with pytest.raises(ObservationError, match="has no row"):
        read_designs(file, small.inputs)


def test_evaluating_needs_every_input_to_be_there(tmp_path: Path, small_scenario: Path) -> None:
    given = ["evaluate", str(small_scenario), "--designs", str(tmp_path / "none.csv")]
    done = CliRunner().invoke(app, given)
    assert done.exit_code == 2
