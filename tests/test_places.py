"""Any name that the system takes for a folder does for a forecast; a wrong one is said at once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sim.analysis.finished import read_finished
from sim.cli import app
from sim.files import read_yaml
from sim.scenario import read_scenario

SMALL = Path(__file__).parent / "small_district"
TARGET = "smart_turnover"
GBK = os.fsdecode("中文".encode("gbk"))  # no UTF-8
NAMES = [
    "run-12:30",
    "s3:run",
    "file:x",
    "hdfs:x",
    "-x",
    "~x",
    "a*?[b]",
    "%20#x",
    "back\\slash",
    "two\nlines",
    "trailing. ",
    "长" * 80,
    GBK,
]


def run(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


def forecast(*words: object) -> Any:
    return run("forecast", *words, "--runs", 25, "--workers", 1, "--no-charts")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("places") / "out"
    done = forecast(SMALL / "scenario.yaml", f"--out={out}")
    assert done.exit_code == 0, done.output
    return out


@pytest.fixture(params=NAMES, ids=ascii)
def named(request: pytest.FixtureRequest, finished: Path, tmp_path: Path, monkeypatch: Any) -> str:
    """The forecast under another name, in the folder in which the test stands."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(finished, request.param)
    return str(request.param)


def test_a_forecast_is_read_under_any_name(named: str, finished: Path) -> None:
    done = forecast(SMALL / "scenario.yaml", f"--out={named}")
    assert done.exit_code == 0, done.stderr
    known, here = read_finished(finished), read_finished(named)
    month = known.inputs.plan.end
    assert (here.values(TARGET, "district", month) == known.values(TARGET, "district", month)).all()


def test_a_workbook_and_a_chart_are_written_under_any_name(named: str) -> None:
    for words in (("export",), ("chart", "--kind", "ridge", "--target", TARGET)):
        done = run(*words, "--", named)
        assert done.exit_code == 0, done.stderr
    assert (Path(named) / "export.xlsx").stat().st_size > 1000
    assert (Path(named) / "charts" / f"ridge-{TARGET}.png").stat().st_size > 1000


def test_what_is_written_in_a_folder_of_any_name_is_utf_8(tmp_path: Path) -> None:
    for name in (GBK, "a: #b [c]"):
        inputs = tmp_path / name
        shutil.copytree(SMALL, inputs)
        (inputs / "plan.yaml").rename(inputs / "plan: #2 [c].yaml")
        text = (inputs / "scenario.yaml").read_text(encoding="utf-8")
        (inputs / "scenario.yaml").write_text(
            text.replace("plan: plan.yaml", "plan: 'plan: #2 [c].yaml'"), encoding="utf-8"
        )
        out = tmp_path / f"out {name}"
        assert forecast(inputs / "scenario.yaml", f"--out={out}").exit_code == 0
        for file in [*out.glob("*.*"), *(out / "inputs").iterdir()]:
            file.read_text(encoding="utf-8")
        read_yaml(out / "inputs" / "plan: #2 [c].yaml")
        again = read_scenario(out / "inputs" / "scenario.yaml")
        assert again.plan == read_scenario(SMALL / "scenario.yaml").plan


def test_a_document_may_have_the_longest_name_there_is(finished: Path, tmp_path: Path) -> None:
    file = tmp_path / ("长" * 83 + ".xlsx")  # 254 bytes
    done = run("export", finished, "--out", file)
    assert done.exit_code == 0, done.stderr
    assert [item.name for item in tmp_path.iterdir()] == [file.name]


def test_a_folder_too_deep_for_its_files_is_refused_before_any_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = "/".join(["d" * 200] * 20 + ["e" * 40])  # 4,059 bytes of at most 4,095
    monkeypatch.chdir(tmp_path)
    done = forecast(SMALL / "scenario.yaml", "--out", out)
    assert done.exit_code == 2
    assert "name too long" in done.stderr
    assert not list(tmp_path.glob("**/runs"))


@pytest.mark.parametrize("command", ["forecast", "export", "explain", "score", "validate"])
def test_an_empty_path_is_not_the_folder_one_stands_in(command: str) -> None:
    for words in (["x", "--out", ""], ["x", "--out="], [""]):
        done = run(command, *words)
        assert done.exit_code == 2
        assert "found nothing; give a value, or leave it out" in done.stderr


def test_a_link_to_nothing_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to(tmp_path / "nowhere")
    done = forecast(SMALL / "scenario.yaml", "--out", tmp_path / "out")
    assert done.exit_code == 2
    assert f"{tmp_path / 'out'}: cannot be written (a file, or a link to what is" in done.stderr


@pytest.mark.parametrize("command", ["brief", "export", "chart"])
@pytest.mark.parametrize("part", ["summary.json", "runs", "inputs/scenario.yaml"])
def test_a_part_of_a_forecast_leads_to_the_whole(command: str, part: str, finished: Path) -> None:
    done = run(command, finished / part)
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.endswith(f"; did you mean {finished}?\n")


def test_the_folder_around_forecasts_leads_to_them(finished: Path) -> None:
    said = run("export", finished.parent).stderr
    assert f"{finished.parent}: holds no forecast (no manifest.json); did you mean" in said
    assert "a file; the directory of a finished" in run("export", SMALL / "plan.yaml").stderr


def test_a_forecast_where_a_scenario_is_wanted_leads_to_its_own(finished: Path) -> None:
    said = run("validate", finished).stderr
    assert f"is a directory; a file is needed ({finished / 'inputs'}/ has: economy.yaml" in said


def test_the_package_is_a_command_too() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sim", "validate", "--help"], capture_output=True, text=True
    )
    assert done.returncode == 0
    assert "Usage: pudong validate" in done.stdout
