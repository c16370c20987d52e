"""Any name that the system takes for a folder does for a forecast; a wrong one is said at once."""

from __future__ import annotations

import codecs
import os
import shutil
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sim import forecast as make_forecast
from sim.analysis.finished import read_finished
from sim.analysis.published import read_published
from sim.cli import app
from sim.report.brief.compose import compose
from sim.report.brief.writers import write
from sim.report.charts import save
from sim.report.pictures import draw
from sim.report.sheets import sheets_of
from sim.report.workbook import write_workbook
from sim.scenario import read_scenario
from sim.store import write_text

ROOT = Path(__file__).parents[1]
SMALL = ROOT / "tests" / "small_district"
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


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_forecast_is_written_and_read_under_any_name(
    name: str, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    known = read_finished(finished)
    shutil.copytree(finished, name)
    answer = make_forecast(read_scenario(SMALL / "scenario.yaml"), runs=25, seed=1, out=name)
    assert answer.runs == 25
    here = read_finished(name)
    values = here.values(TARGET, "district", here.inputs.plan.end)
    assert (values == known.values(TARGET, "district", here.inputs.plan.end)).all()


def test_documents_are_written_under_a_name_that_no_text_has(
    finished: Path, tmp_path: Path
) -> None:
    published = read_published(finished)
    made = compose(published, "zh", targets=[], past=[], compare=None, day=date(2026, 1, 1))
    for kind in ("docx", "pptx"):
        write(made, tmp_path / f"{GBK}.{kind}")
    write_workbook(sheets_of(published), tmp_path / f"{GBK}.xlsx", datetime(2026, 1, 1))
    figure = draw(published, "ridge", target=TARGET, zone="district", past=[], language="zh")
    assert len(save(figure, tmp_path / GBK, formats=("png", "svg", "pdf"))) == 3
    kinds = ["docx", "pptx", "xlsx", "png", "svg", "pdf"]
    assert sorted(os.listdir(tmp_path)) == sorted(f"{GBK}.{kind}" for kind in kinds)


def test_what_is_written_from_files_of_any_name_is_utf_8_and_read_again(tmp_path: Path) -> None:
    inputs, out = tmp_path / GBK, tmp_path / f"out {GBK}"
    plan = "plan: #2 [c].yaml"
    shutil.copytree(SMALL, inputs)
    (inputs / "plan.yaml").rename(inputs / plan)
    text = (inputs / "scenario.yaml").read_text(encoding="utf-8")
    text = text.replace("plan: plan.yaml", f"plan: '{plan}'")
    (inputs / "scenario.yaml").write_text(text, encoding="utf-8")
    make_forecast(read_scenario(inputs / "scenario.yaml"), runs=25, seed=1, out=out)
    for file in [*out.glob("*.*"), *(out / "inputs").iterdir()]:
        file.read_text(encoding="utf-8")
    again = read_scenario(out / "inputs" / "scenario.yaml")
    assert again.sources["plan"].path.name == plan
    assert again.plan == read_scenario(SMALL / "scenario.yaml").plan


def test_a_forecast_of_files_with_an_editor_s_mark_is_whole(tmp_path: Path) -> None:
    shutil.copytree(SMALL, tmp_path / "marked")
    for file in (tmp_path / "marked").iterdir():
        file.write_bytes(codecs.BOM_UTF8 + file.read_bytes())
    inputs = read_scenario(tmp_path / "marked" / "scenario.yaml")
    make_forecast(inputs, runs=25, seed=1, out=tmp_path / "out")
    assert read_finished(tmp_path / "out").inputs.plan == inputs.plan


def test_a_path_that_no_text_has_can_be_named_in_one(tmp_path: Path) -> None:
    write_text(tmp_path / "page.md", f"pudong forecast {GBK}")
    page = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert page == r"pudong forecast \udcd6\udcd0\udcce\udcc4"


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
    assert not [folders for _, folders, _ in os.walk(".") if "runs" in folders]


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
    assert (
        f"{tmp_path / 'out'}: cannot be written (it is a link to {tmp_path / 'nowhere'}"
        in done.stderr
    )


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
    assert said.endswith(
        f"{finished}: is a directory; a file is needed; its scenario lies in inputs/\n"
    )


def test_the_package_is_a_command_too() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sim", "validate", "--help"], capture_output=True, text=True
    )
    assert done.returncode == 0
    assert "Usage: pudong validate" in done.stdout


def test_no_word_is_lost_on_a_home_that_does_not_exist(tmp_path: Path) -> None:
    """Matplotlib then takes a temporary place for its cache, and would say so."""
    words = ["forecast", str(SMALL / "scenario.yaml"), "--runs", "25", "--out", str(tmp_path / "o")]
    done = subprocess.run(
        [sys.executable, "-m", "sim", *words],
        cwd=ROOT,
        env=os.environ | {"HOME": "/dev/null/home", "MPLCONFIGDIR": "/dev/null/cache"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
