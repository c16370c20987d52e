"""Other versions of Python, Mesa, numpy and scipy: the same runs, and no warning on the screen."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from tests.other_python import candidates, works

ROOT = Path(__file__).parents[1]
FORECAST = ("forecast", "tests/small_district/scenario.yaml", "--runs", "25", "--workers", "2")

# All warnings; but that libraries start threads before workers are forked is as it was meant.
WARNINGS = ("-W", "default", "-W", "ignore:This process (pid:DeprecationWarning")


def made_by(python: str, out: Path) -> dict[str, bytes]:
    """The runs of a small forecast, table by table; it must say nothing on stderr."""
    command = [python, *WARNINGS, "-m", "sim", *FORECAST, "--no-charts", "--out", str(out)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")
    return {str(file.relative_to(out)): file.read_bytes() for file in out.rglob("*.parquet")}


def test_a_forecast_warns_of_nothing_and_its_runs_are_those_of_the_other_python(
    tmp_path: Path,
) -> None:
    here = made_by(sys.executable, tmp_path / "here")
    assert len(here) == 3
    if first := os.environ.get("FIRST_PYTHON"):
        assert made_by(first, tmp_path / "there") == here


def test_the_other_environment_has_another_python_and_another_mesa() -> None:
    if first := os.environ.get("FIRST_PYTHON"):
        ask = "import sys, importlib.metadata as m; print(sys.version_info[1], m.version('mesa'))"
        said = subprocess.run([first, "-c", ask], cwd=ROOT, capture_output=True, text=True).stdout
        minor, mesa = said.split()
        assert int(minor) != sys.version_info[1]
        assert (mesa == version("mesa")) == ((int(minor) < 12) == (sys.version_info[1] < 12))


def test_an_interpreter_that_is_not_there_or_is_this_one_is_no_other() -> None:
    assert not works("/nowhere/python3.12")
    assert not works(sys.executable)
    assert sys.executable not in set(candidates())
