"""What the command is asked for must make sense too: numbers, directories, kinds of file."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sim.cli import app
from tests.sealed import rewrite

HERE = Path(__file__).parent
DISTRICT = HERE.parent / "small_district"
SCENARIO = DISTRICT / "scenario.yaml"


def run(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


def forecast(out: Path, *words: object, scenario: Path = SCENARIO) -> Any:
    options = ("--runs", 1, "--workers", 1, "--no-charts", "--out", out)
    return run("forecast", scenario, *options, *words)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of a forecast of one run."""
    out = tmp_path_factory.mktemp("forecast") / "out"
    result = forecast(out)
    assert result.exit_code == 0, result.output
    return out


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--runs", 0, "--runs: found 0; allowed: 1 to 10,000,000"),
        ("--runs", -5, "--runs: found -5; allowed: 1 to 10,000,000"),
        ("--runs", 10**9, "--runs: found 1000000000; allowed: 1 to 10,000,000"),
        ("--seed", -1, "--seed: found -1; allowed: 0 to 18,446,744,073,709,551,615"),
        ("--seed", 2**64, "--seed: found 18446744073709551616; allowed: 0 to 18,446,"),
        ("--workers", 0, "--workers: found 0; allowed: 1 to 1,024"),
        ("--workers", -2, "--workers: found -2; allowed: 1 to 1,024"),
        ("--runs", "ten", "Invalid value for '--runs'"),
        ("--lang", "fr", "Invalid value for '--lang'"),
    ],
)
def test_a_number_out_of_range_is_refused(
    option: str, value: object, message: str, tmp_path: Path
) -> None:
    result = forecast(tmp_path / "out", option, value)
    assert result.exit_code == 2
    assert message in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_output_directory_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    result = forecast(tmp_path)
    message = f"RunError: {tmp_path}: holds other files (letter.txt); give an empty or a new"
    assert (result.exit_code, result.stderr.startswith(message)) == (2, True)
    assert contents(tmp_path) == {"letter.txt": b"dear"}


@pytest.mark.parametrize("below", ["", "deeper/out"])
def test_an_output_directory_that_is_a_file_is_refused(below: str, tmp_path: Path) -> None:
    file = tmp_path / "out"
    file.write_text("a file")
    result = forecast(file / below)
    assert result.exit_code == 2
    assert f"RunError: {file / below}: " in result.stderr
    assert contents(tmp_path) == {"out": b"a file"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_output_directory_without_permission_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    result = forecast(tmp_path / "out")
    assert result.exit_code == 2
    assert "cannot be written (Permission denied); give another directory" in result.stderr


def test_another_seed_does_not_mix_with_finished_runs(finished: Path) -> None:
    before = contents(finished)
    result = forecast(finished, "--seed", 2)
    assert result.exit_code == 2
    assert f"{finished}: holds another forecast (seed is 1 there and 2 here)" in result.stderr
    assert contents(finished) == before


def test_a_changed_file_does_not_mix_with_finished_runs(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(DISTRICT, tmp_path / "changed")
    plan = tmp_path / "changed" / "plan.yaml"
    plan.write_text(plan.read_text(encoding="utf-8") + "# a remark\n", encoding="utf-8")
    before = contents(finished)
    result = forecast(finished, scenario=tmp_path / "changed" / "scenario.yaml")
    assert result.exit_code == 2
    assert "holds another forecast (its plan file has changed since)" in result.stderr
    assert contents(finished) == before


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"sha256": []}', '{"sha256": {}}', "\xff"])
def test_a_damaged_manifest_is_said_and_kept(text: str, tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text(text, encoding="latin-1")
    result = forecast(tmp_path)
    assert result.exit_code == 2
    assert (
        f"RunError: {manifest}: is damaged or not this program's; give another directory"
        in result.stderr
    )
    assert list(contents(tmp_path)) == ["manifest.json"]


def test_a_manifest_of_another_version_is_said(finished: Path, tmp_path: Path) -> None:
    shutil.copy(finished / "manifest.json", tmp_path)
    rewrite(tmp_path / "manifest.json", lambda manifest: manifest.update(version="0.0.1"))
    result = forecast(tmp_path)
    assert result.exit_code == 2
    assert "another version of the program (version is '0.0.1' there and '" in result.stderr


def test_a_missing_file_is_said_with_its_likely_name() -> None:
    result = run("validate", DISTRICT / "scenarios.yaml")
    assert result.exit_code == 2
    assert "scenarios.yaml: no such file; did you mean 'scenario.yaml'? (" in result.stderr


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="this system has no endless file")
def test_a_file_that_never_ends_is_not_read_to_its_end() -> None:
    result = run("validate", "/dev/zero")
    assert result.exit_code == 2
    assert result.stderr == "PathError: /dev/zero: is too large; allowed: at most 5,000,000 bytes\n"


def test_charts_that_cannot_be_written_are_said(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished, out)
    (out / "charts").write_text("a file")
    result = run("forecast", SCENARIO, "--runs", 1, "--workers", 1, "--out", out)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"RunError: {out}/charts/probability-board, ")
    assert "cannot be drawn (File exists)" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_directory_is_not_a_scenario() -> None:
    result = run("validate", DISTRICT)
    assert result.exit_code == 2
    assert result.stderr == f"PathError: {DISTRICT}: is a directory; a file is needed\n"


def test_a_plan_and_an_economy_can_be_checked_by_themselves() -> None:
    result = run("validate", DISTRICT / "plan.yaml", DISTRICT / "economy.yaml", SCENARIO)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.count("valid") == 3


def test_an_economy_without_a_plan_beside_it_says_what_is_needed(tmp_path: Path) -> None:
    economy = shutil.copy(DISTRICT / "economy.yaml", tmp_path)
    alone = run("validate", economy)
    assert alone.exit_code == 2
    assert f"there is no {tmp_path / 'plan.yaml'}: name one with --plan" in alone.stderr
    assert run("validate", economy, "--plan", DISTRICT / "plan.yaml").exit_code == 0


def test_a_forecast_needs_a_scenario_and_not_a_plan(tmp_path: Path) -> None:
    result = forecast(tmp_path / "out", scenario=DISTRICT / "plan.yaml")
    assert result.exit_code == 2
    assert "is a plan file; a scenario file is needed, which names it (plan: " in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_all_of_several_files_are_checked() -> None:
    bad = [HERE / "scenario" / name for name in ("unknown_zone.yaml", "tab.yaml")]
    result = run("validate", bad[0], SCENARIO, bad[1])
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 2
    assert f"{SCENARIO}: valid" in result.stdout
