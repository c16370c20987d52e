"""Each malformed file beside this one gets the one message that messages.yaml holds for it.

The files in ``plan/`` and ``economy/`` are those of ``good/`` with one thing wrong; the files in
``scenario/`` name the small district. To see a message: ``pudong validate FILE`` (for an economy
with ``--plan good/plan.yaml``).
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from sim.cli import app
from sim.economy import read_economy
from sim.files import read_yaml
from sim.plan import read_plan
from sim.scenario import read_scenario

HERE = Path(__file__).parent
MESSAGES: dict[str, str] = yaml.safe_load((HERE / "messages.yaml").read_text(encoding="utf-8"))
SEVERAL = {"scenario/several_problems.yaml": 5, "scenario/twelve_problems.yaml": 10}


def files() -> list[str]:
    return [
        file.relative_to(HERE).as_posix()
        for kind in ("scenario", "plan", "economy")
        for file in (HERE / kind).iterdir()
    ]


@pytest.fixture(autouse=True)
def _from_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE)


def test_every_malformed_file_has_its_message() -> None:
    assert sorted(files()) == sorted(MESSAGES)


def test_the_good_files_are_valid() -> None:
    plan, _ = read_plan("good/plan.yaml")
    read_economy("good/economy.yaml", plan)


def test_a_measure_may_have_run_before_the_plan(tmp_path: Path) -> None:
    text = (HERE / "good" / "plan.yaml").read_text(encoding="utf-8")
    assert text.count("start: 2025-01") == 1
    file = tmp_path / "plan.yaml"
    file.write_text(text.replace("start: 2025-01", "start: 2023-03"), encoding="utf-8")
    plan, _ = read_plan(file)
    assert plan.measures[0].start == "2023-03" < plan.start


@pytest.mark.parametrize("file", MESSAGES)
def test_a_malformed_file_gets_its_message_and_status_2(file: str) -> None:
    before = sorted(HERE.rglob("*.yaml"))
    result = CliRunner().invoke(app, ["validate", file, "--plan", "good/plan.yaml"])
    assert result.stderr == MESSAGES[file]
    assert result.exit_code == 2
    assert result.stdout == ""
    assert sorted(HERE.rglob("*.yaml")) == before


@pytest.mark.parametrize("file", MESSAGES)
def test_each_problem_is_named_once_with_the_file(file: str) -> None:
    problems = [line for line in MESSAGES[file].splitlines() if not line.startswith("…")]
    assert len(problems) == SEVERAL.get(file, 1)
    assert all(file in problem for problem in problems)


@pytest.mark.parametrize("file", MESSAGES)
def test_the_line_that_is_named_holds_the_field(file: str) -> None:
    lines = (HERE / file).read_text(encoding="utf-8", errors="replace").splitlines()
    for line, field, text in re.findall(r"line (\d+), field (\S+): (.*)", MESSAGES[file]):
        names = re.findall(r"[a-z_0-9-]+", re.sub(r"\[\d+\]", "", field))
        enclosing = "is missing" in text or len(names) == 1
        assert enclosing or names[-1] in lines[int(line) - 1] or names[-2] in lines[int(line) - 1]


@pytest.mark.parametrize("file", [file for file in MESSAGES if file.startswith("scenario/")])
def test_a_forecast_from_a_malformed_file_leaves_nothing_behind(file: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = CliRunner().invoke(app, ["forecast", file, "--runs", "1", "--out", str(out)])
    assert (result.exit_code, result.stderr) == (2, MESSAGES[file])
    assert not out.exists()


def test_whole_numbers_may_be_written_with_a_point(tmp_path: Path) -> None:
    for file in (HERE.parent / "small_district").iterdir():
        text = file.read_text(encoding="utf-8")
        if file.name == "scenario.yaml":
            text += "levers:\n- {lever: rent_relief, value: 0.2, start: 2024-09, ramp: 3.0}\n"
        (tmp_path / file.name).write_text(text, encoding="utf-8")
    (lever,) = read_scenario(tmp_path / "scenario.yaml").scenario.levers
    assert (lever.ramp, type(lever.ramp)) == (3, int)


def valid_files() -> list[Path]:
    root = HERE.parents[1]
    found = [*(root / "scenarios").glob("*.yaml"), *(HERE.parent / "reference").glob("*.yaml")]
    return [*found, *(HERE.parent / "small_district").glob("*.yaml"), *(HERE / "good").iterdir()]


@pytest.mark.parametrize("file", valid_files(), ids=lambda file: file.name)
def test_files_are_read_alike_without_libyaml(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_it = read_yaml(file)
    monkeypatch.delattr(yaml, "CSafeLoader")
    without = read_yaml(file)
    assert without == with_it
    assert repr(without.data) == repr(with_it.data)


@pytest.mark.parametrize("file", [file for file in MESSAGES if file.startswith("scenario/")])
def test_malformed_files_are_refused_without_libyaml_too(
    file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(yaml, "CSafeLoader")
    done = CliRunner().invoke(app, ["validate", file])
    assert done.exit_code == 2
    assert file in done.stderr
