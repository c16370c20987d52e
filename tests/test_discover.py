"""Scenario discovery: a planted box is found, chance is not taken for one, and the command."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from sim.analysis.discover import Cases, discover, finished_cases, sampled_cases
from sim.analysis.discover_record import DiscoveryRecord, record_of, schema_text
from sim.analysis.finished import read_finished
from sim.analysis.forecast import forecast
from sim.analysis.prim import Box, best, chance_p, peel, peeled, quality, quasi_p
from sim.cli import app
from sim.errors import RunError
from sim.plan import DISTRICT
from sim.report.box import box_chart
from sim.report.discover_table import box_table, box_words, verdict
from sim.runner import Runner

RUNS, FACTORS = 1000, 30
FEW = {"permutations": 19, "resamples": 10}  # enough for answers as clear as these
TARGET = "pilot_projects"


def planted(seed: int, inside: float = 0.9, outside: float = 0.15) -> Cases:
    """Misses are frequent where factor 3 is below 0.4 and factor 7 above 0.5."""
    random = np.random.default_rng(seed)
    points = random.random((RUNS, FACTORS))
    box = (points[:, 3] < 0.4) & (points[:, 7] > 0.5)
    missed = random.random(RUNS) < np.where(box, inside, outside)
    return Cases(tuple(f"factor {n}" for n in range(FACTORS)), points, missed)


# Known answers


@pytest.mark.parametrize("seed", [1, 2])
def test_a_planted_box_is_found_with_its_coverage_and_density(small: Runner, seed: int) -> None:
    cases = planted(seed)
    found = discover(small.inputs, cases, TARGET, DISTRICT, seed, **FEW)
    first = found.boxes[0]
    limits = {(limit.factor, limit.upper): limit for limit in first.limits}
    assert set(limits) == {("factor 3", True), ("factor 7", False)}
    assert limits["factor 3", True].value == pytest.approx(0.4, abs=0.07)
    assert limits["factor 7", False].value == pytest.approx(0.5, abs=0.07)
    assert first.low <= 0.9 <= first.high
    assert first.quality.coverage == pytest.approx(0.2 * 0.9 / (0.2 * 0.9 + 0.8 * 0.15), abs=0.08)
    assert all(limit.quasi_p < 1e-6 and limit.again > 0.8 for limit in first.limits)
    assert first.chance_p == pytest.approx(1 / 20)
    assert first.resampled.density == pytest.approx(0.9, abs=0.1)
    assert not found.boxes[1:]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_misses_by_chance_alone_have_no_condition(small: Runner, seed: int) -> None:
    cases = planted(seed, 0.4, 0.4)
    found = discover(small.inputs, cases, TARGET, DISTRICT, seed, **FEW)
    assert not found.boxes
    assert found.tried is not None
    record = record_of(found)
    assert not record.explained
    assert "Nothing explains the misses" in verdict(record)[0].en
    assert box_chart(record, small.inputs.plan).axes


def test_the_permutation_test_rejects_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    values = []
    for _ in range(40):
        points, cases = random.random((120, 5)), random.random(120) < 0.5
        values.append(chance_p(points, cases, 19, random))
    assert np.mean(np.array(values) <= 0.05) <= 0.15  # 0.05 and three standard errors
    assert np.mean(values) > 0.4


def test_two_different_conditions_are_two_boxes(small: Runner) -> None:
    random = np.random.default_rng(4)
    points = random.random((RUNS, FACTORS))
    either = (points[:, 1] > 0.8) | (points[:, 2] < 0.2)
    missed = random.random(RUNS) < np.where(either, 0.9, 0.1)
    cases = Cases(planted(1).names, points, missed)
    found = discover(small.inputs, cases, TARGET, DISTRICT, 1, **FEW)
    limits = [[(limit.factor, limit.upper) for limit in box.limits] for box in found.boxes]
    assert sorted(limits) == [[("factor 1", False)], [("factor 2", True)]]


def test_peeling_narrows_a_twentieth_at_a_time() -> None:
    cases = planted(1)
    way = peel(cases.points, cases.missed, peeled(cases.points, cases.missed))
    inside = [box.holds(cases.points) for box in way]
    assert inside[0].all()
    for wide, narrow in pairwise(inside):
        assert (wide | ~narrow).all()
        assert narrow.sum() == wide.sum() - max(1, int(0.05 * wide.sum()))
    assert inside[-1].sum() >= 0.05 * RUNS


def test_a_quasi_p_value_is_the_binomial_tail() -> None:
    points = np.array([[0.1], [0.2], [0.3], [0.4], [0.6], [0.7], [0.8], [0.9]])
    cases = np.array([1, 1, 1, 0, 0, 0, 0, 1], dtype=bool)
    box = Box(np.array([-np.inf]), np.array([0.3]))
    assert quality(box, points, cases).coverage == 0.75
    assert quasi_p(box, 0, True, points, cases) == pytest.approx(0.5**3)


def test_what_never_varies_is_no_condition() -> None:
    assert not best(np.ones((200, 2)), np.arange(200) < 50).limited


# A forecast's own runs, and a scenario's levers


@pytest.fixture(scope="module")
def finished(small: Runner, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("discover") / "forecast"
    forecast(small.inputs, runs=100, seed=1, out=out)
    return out


def test_the_conditions_of_a_forecast_are_those_that_its_runs_drew(
    small: Runner, finished: Path
) -> None:
    answer = read_finished(finished)
    cases = finished_cases(answer, TARGET, DISTRICT)
    assert len(cases.missed) == 100
    rows = json.loads((finished / "summary.json").read_text(encoding="utf-8"))["results"]
    row = next(row for row in rows if (row["target"], row["zone"]) == (TARGET, DISTRICT))
    assert 1.0 - cases.missed.mean() == pytest.approx(row["probability"])
    values = dict(zip(small.parameters.labels, small.parameters_of(7), strict=True))
    assert len(set(cases.names)) == len(cases.names)
    for name, value in zip(cases.names, cases.points[7], strict=True):
        label = name.replace(" (", ".").removesuffix(")")
        assert value == pytest.approx(values[label], rel=1e-6)


def test_the_levers_of_a_scenario_are_conditions_and_two_workers_change_nothing(
    small: Runner, tmp_path: Path
) -> None:
    options = {"runs": 100, "seed": 1}
    names = ["recruitment_funds", "rent_relief"]
    cases = sampled_cases(small.inputs, names, TARGET, DISTRICT, **options, out=tmp_path / "d")
    assert cases.names[-2:] == tuple(names)
    for column, name in zip(cases.points[:, -2:].T, names, strict=True):
        rule = small.inputs.economy.levers[name]
        edges = np.linspace(rule.low, rule.high, 101)
        assert (np.histogram(column, edges)[0] == 1).all()  # a Latin hypercube
    seen: list[int] = []
    again = sampled_cases(
        small.inputs,
        names,
        TARGET,
        DISTRICT,
        **options,
        out=tmp_path / "d",
        workers=2,
        on_progress=lambda done, total: seen.append(done),
    )
    assert np.array_equal(cases.missed, again.missed)
    assert np.array_equal(cases.points, again.points)
    assert seen[-1] == 100


def test_the_command_says_what_it_found_and_leaves_the_forecast_alone(
    small: Runner, finished: Path, tmp_path: Path
) -> None:
    before = {file: file.read_bytes() for file in finished.rglob("*.parquet")}
    command = [
        "discover",
        str(finished),
        "--target",
        TARGET,
        "--out",
        str(tmp_path),
        "--lang",
        "en",
    ]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    text = (tmp_path / "discover.json").read_text(encoding="utf-8")
    record = DiscoveryRecord.model_validate_json(text)
    assert record.runs == 100
    assert f"is missed in {100 * record.misses / 100:.0f} % of 100 runs" in result.output
    assert record.explained == ("Nothing explains" not in result.output)
    limits = pd.read_csv(tmp_path / "limits.csv")
    assert len(limits) == sum(len(box.limits) for box in record.boxes)
    assert (tmp_path / "box.png").exists()
    assert (tmp_path / "box.svg").exists()
    assert before == {file: file.read_bytes() for file in finished.rglob("*.parquet")}


def test_a_box_is_put_into_words_and_a_chart(small: Runner) -> None:
    record = record_of(discover(small.inputs, planted(1), TARGET, DISTRICT, 1, **FEW))
    box = record.boxes[0]
    assert f"{100 * box.density:.0f} % miss" in box_words(box).en
    assert len(box_table(box, 1, "both").rows) == 2
    for language in ("zh", "en", "both"):
        assert len(box_chart(record, small.inputs.plan, language=language).axes) == 3


# Refused


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--target", "pilot_project"], "did you mean 'pilot_projects'"),
        (["--target", TARGET, "--zone", "airfeld"], "did you mean 'airfield'"),
        (["--target", TARGET, "--levers", "all"], "are for a scenario"),
    ],
)
def test_what_the_forecast_lacks_is_refused_and_nothing_is_written(
    finished: Path, tmp_path: Path, options: list[str], message: str
) -> None:
    out = tmp_path / "out"
    result = CliRunner().invoke(app, ["discover", str(finished), "--out", str(out), *options])
    assert result.exit_code == 2
    assert message in result.output
    assert not out.exists()


def test_a_scenario_needs_a_directory_and_known_levers_and_enough_runs(
    small_scenario: Path, tmp_path: Path
) -> None:
    out = ["--out", str(tmp_path / "out")]
    for options, message in (
        ([], "--out is needed"),
        ([*out, "--levers", "rent_releif"], "did you mean 'rent_relief'"),
        ([*out, "--runs", "20"], "allowed: 100 to"),
    ):
        command = ["discover", str(small_scenario), "--target", TARGET, *options]
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 2
        assert message in result.output
    assert not (tmp_path / "out").exists()


def test_a_place_that_is_no_forecast_is_refused(tmp_path: Path) -> None:
    for place, message in ((tmp_path, "holds no forecast"), (tmp_path / "none", "no such")):
        result = CliRunner().invoke(app, ["discover", str(place), "--target", TARGET])
        assert result.exit_code == 2
        assert message in result.output


def test_a_target_that_is_hardly_ever_missed_is_refused_with_the_runs_that_would_do(
    small: Runner,
) -> None:
    cases = planted(1)
    missed = np.arange(RUNS) < 10
    with pytest.raises(RunError, match=r"missed in 10 of 1,000 runs.*about 2,000 runs"):
        discover(small.inputs, Cases(cases.names, cases.points, missed), TARGET, DISTRICT, 1)
    always = Cases(cases.names, cases.points, np.ones(RUNS, dtype=bool))
    with pytest.raises(RunError, match=r"met in 0 of 1,000 runs.*depends on no condition"):
        discover(small.inputs, always, TARGET, DISTRICT, 1)


def test_the_page_documents_every_field() -> None:
    page = (Path(__file__).parents[1] / "docs" / "discover.md").read_text(encoding="utf-8")
    schema = json.loads(schema_text())
    for part in [schema, *schema["$defs"].values()]:
        for field in part.get("properties", {}):
            assert f"`{field}`" in page, field
