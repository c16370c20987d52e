"""Another place is another set of files: no line of the program belongs to one plan."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.analysis.summary import Summary
from sim.plan import ALL_TARGETS, DISTRICT, Driver, Plan, Quantity
from sim.processes import PARAMETERS
from sim.processes.accounts import CONTEXT
from sim.runner import Runner
from sim.scenario import read_scenario

RECORDS = ("zones", "sectors", "targets", "groups", "measures", "departments", "parks")
RUNS = 30

# The model's own words that the plan happens to use as ids.
SHARED_WORDS = {
    "key_technologies": Quantity,  # a target may be called after what it counts
    "landmark_results": Quantity,
    "open_platforms": Quantity,
    "ai_firms": Quantity,
    "ai_models": Quantity,
    "standards": Quantity,
    "data_exchange": Driver,  # a park is called after what it offers
    "cross_border_data": CONTEXT,  # a measure is called after what it moves
    "talent": PARAMETERS,  # a measure is called after the process in which it acts
    "data_market": PARAMETERS,
}


@dataclass(frozen=True)
class Command:
    """A finished forecast: what it printed and what it left."""

    printed: str
    folder: Path
    summary: Summary


@pytest.fixture(scope="module")
def command(small_scenario: Path, tmp_path_factory: pytest.TempPathFactory) -> Command:
    folder = tmp_path_factory.mktemp("forecast") / "out"
    pudong = [sys.executable, "-c", "from sim.cli import app; app()"]
    options = ["--runs", str(RUNS), "--seed", "1", "--workers", "1", "--out", str(folder)]
    done = subprocess.run(
        [*pudong, "forecast", str(small_scenario), *options],
        env=os.environ | {"COLUMNS": "160", "PYTHONUTF8": "1"},
        cwd=Path(__file__).parents[1],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    summary = Summary.model_validate_json((folder / "summary.json").read_text(encoding="utf-8"))
    return Command(done.stdout, folder, summary)


@pytest.fixture(scope="module")
def plan(small: Runner) -> Plan:
    return small.inputs.plan


def names(plan: Plan) -> set[str]:
    """What its records are called in Chinese."""
    return {record.name.zh for kind in RECORDS for record in getattr(plan, kind)}


def test_the_table_of_another_plan_shows_its_own_zones_and_targets(
    command: Command, plan: Plan, real: Runner
) -> None:
    for record in (*plan.zones, *plan.targets):
        assert record.name.zh in command.printed
    for name in names(real.inputs.plan) - names(plan):
        assert name not in command.printed


def test_the_summary_of_another_plan_answers_for_its_own_zones_and_targets(
    command: Command, plan: Plan
) -> None:
    results = command.summary.results
    assert {result.zone for result in results} == {DISTRICT, *plan.zone_ids()}
    assert {result.target for result in results} == {*plan.target_ids(), ALL_TARGETS}
    assert {result.runs for result in results} == {RUNS}
    assert command.summary.plan.id == plan.id


def test_the_years_of_a_plan_that_starts_in_june_end_in_june(command: Command) -> None:
    months = {record.month for record in command.summary.yearly}
    assert months == {"2024-06", "2025-06", "2026-06"}


def test_each_target_is_judged_at_its_own_deadline(
    command: Command, plan: Plan, small: Runner
) -> None:
    outcomes = [small.run(run) for run in range(RUNS)]
    whole = {r.target: r for r in command.summary.results if r.zone == DISTRICT}
    for target in plan.targets:
        month = small.blueprint.months().index(target.deadline)
        column = small.series_columns.index(f"{target.id}.{DISTRICT}")
        values = [o.series.reshape(len(o.series), -1)[month, column] for o in outcomes]
        assert whole[target.id].q50 == pytest.approx(np.median(values), rel=1e-5)


def test_the_charts_of_another_plan_are_its_board_and_a_fan_for_each_target(
    command: Command, plan: Plan
) -> None:
    charts = command.folder / "charts"
    assert (charts / "probability-board.png").stat().st_size > 10_000
    for target in plan.targets:
        assert (charts / f"fan-{target.id}.png").stat().st_size > 10_000
        assert (charts / f"fan-{target.id}.svg").exists()


def one_zone(data: dict[str, Any]) -> None:
    """A plan or economy of the first zone alone."""
    here = "north_bank"
    for record in ("zones", "parks"):
        if record in data:
            data[record] = [r for r in data[record] if here in (r["id"], r.get("zone"))]
    for measure in data.get("measures", []):
        measure["reach"] = {here: 0.8}
    for department in data.get("departments", []):
        department["zone"] = here
    for target in data.get("targets", []):
        target["shares"] = {here: 1}
    for sector in data["sectors"] if isinstance(data["sectors"], dict) else ():
        data["sectors"][sector]["zones"] = {here: {"firms": 1, "revenue": 1, "staff": 1}}
    for lever in data.get("levers", {}).values():
        lever["baseline"] = {here: lever["baseline"]["elsewhere"]}
    if "distances" in data:
        data["distances"] = {}


def no_measures(plan: dict[str, Any]) -> None:
    plan["measures"] = []


def no_department_of_a_zone(plan: dict[str, Any]) -> None:
    for department in plan["departments"]:
        department.pop("zone", None)


@pytest.mark.parametrize(
    "changes",
    [
        {"plan": one_zone, "economy": one_zone},
        {"plan": no_measures},
        {"plan": no_department_of_a_zone},
    ],
    ids=["one zone", "no measures", "no department of a zone"],
)
def test_a_smaller_plan_runs_to_its_end(
    small_scenario: Path, variant: Callable[..., Path], changes: dict[str, Any]
) -> None:
    runner = Runner(read_scenario(variant(small_scenario, **changes)), seed=1)
    for run in range(3):
        outcome = runner.run(run)
        assert outcome.series.shape[0] == runner.blueprint.horizon + 1 == 25
        assert np.isfinite(outcome.series).all()


def literals() -> Iterator[tuple[str, str]]:
    """Every string of the program, docstrings aside, with its place."""
    for file in sorted((Path(__file__).parents[1] / "sim").rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and id(node) not in alone:
                yield f"{file.name}:{node.lineno}", text


def test_the_program_names_nothing_of_the_real_plan(real: Runner) -> None:
    plan = real.inputs.plan
    ids = {record.id for kind in RECORDS for record in getattr(plan, kind)} - set(SHARED_WORDS)
    found = [
        f"{place}: {text!r}"
        for place, text in literals()
        if ids & set(text.split(".")) or any(name in text for name in names(plan))
    ]
    assert not found


def test_each_word_that_program_and_plan_share_is_the_model_s_own(real: Runner) -> None:
    plan = real.inputs.plan
    ids = {record.id for kind in RECORDS for record in getattr(plan, kind)}
    for word, vocabulary in SHARED_WORDS.items():
        assert word in ids
        assert word in {str(own) for own in vocabulary}
