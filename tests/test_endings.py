"""A command that is stopped or killed at any moment ends, and the same command then finishes.

``PUDONG_DISTURBED=100 pytest tests/test_endings.py -k random -s`` disturbs so many, and says how
they ended.
"""

from __future__ import annotations

import ctypes
import gc
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import weakref
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path

import pytest

from sim.cli.ending import KEPT
from sim.runner import Runner
from sim.stopping import Stopped, Stops
from tests.endings import (
    ROOT,
    SMALL,
    Command,
    Undisturbed,
    files,
    finished,
    killed,
    told_to_stop,
    undisturbed,
)
from tests.figures import cells, write_figures

MANY = int(os.environ.get("PUDONG_DISTURBED", 0))
IN_A_ROW = 3  # disturbances before a command is left alone to finish
SCENARIO = str(SMALL / "scenario.yaml")
MAKING = ["--workers", "2", "--out", "out"]


def figures_file(small: Runner, file: Path) -> Path:
    """Three figures of the small district, near what its runs lead to."""
    series, rows = small.run(0).series, []
    for target in small.inputs.plan.targets[:3]:
        place = small.series_columns.index(f"{target.id}.district")
        value = max(float(series.reshape(len(series), -1)[12, place]), 1.0)
        named = {"id": f"row_{target.id}".lower(), "indicator": target.id, "value": value}
        told = {"month": small.blueprint.months()[12], "unit": target.unit.zh, "kind": "about"}
        use = "fit" if value > 1 else "check"
        rows.append(cells(**named, **told, noise_sd=0.2, use=use, source_date="2025-06-30"))
    return write_figures(file, rows)


def what_if(folder: Path) -> Path:
    """The small district with more subsidy for talent."""
    copy = shutil.copytree(SMALL, folder)
    text = (copy / "scenario.yaml").read_text(encoding="utf-8")
    text = text.replace("harbour_baseline", "more_talent")
    text += "levers:\n  - {lever: talent_subsidy, value: 20, start: 2025-01}\n"
    (copy / "more.yaml").write_text(text, encoding="utf-8")
    return copy / "more.yaml"


class Commands:
    """The commands, each once undisturbed."""

    def __init__(self, small: Runner, folder: Path) -> None:
        self.folder = folder
        figures = figures_file(small, folder / "figures.csv")
        one = Command("forecast", ["forecast", SCENARIO, "--runs", "50", "--no-charts", *MAKING])
        done = folder / "given" / "out"
        undisturbed(one, done.parent)
        pair = [SCENARIO, str(what_if(folder / "what-if"))]
        target = small.inputs.plan.targets[0].id
        zh = ["--day", "2025-01-01", "--lang", "zh"]
        self.known = {
            command.name: command
            for command in (
                Command("forecast", ["forecast", SCENARIO, "--runs", "75", *MAKING], kept=KEPT),
                Command(
                    "forecast in one process",
                    ["forecast", SCENARIO, "--runs", "75", "--workers", "1", "--out", "out"],
                    kept=KEPT,
                ),
                Command("compare", ["compare", *pair, "--runs", "60", *MAKING], kept=KEPT),
                Command(
                    "attribute", ["attribute", SCENARIO, "--runs", "12", *MAKING], kept=KEPT
                ),
                Command(
                    "calibrate",
                    ["calibrate", SCENARIO, "--observations", str(figures), *MAKING]
                    + ["--runs", "400"],
                    kept=KEPT,
                ),
                Command("explain", ["explain", "out", "--target", target], given=done),
                Command("brief", ["brief", "out", "--format", "html", *zh], given=done),
                Command(
                    "dashboard",
                    ["dashboard", "--scenario", SCENARIO, "--port", "0", "--base-runs", "150"]
                    + MAKING,
                    served=6,
                ),
            )
        }
        self._whole: dict[str, Undisturbed] = {}

    def whole(self, name: str) -> Undisturbed:
        if name not in self._whole:
            self._whole[name] = undisturbed(self.known[name], self.folder / "whole" / name)
        return self._whole[name]

    def disturb(self, name: str, how: Callable[..., str], times: int) -> Counter[str]:
        """Disturb a command so many times, a few in a row, and let it finish each time then."""
        ended: Counter[str] = Counter()
        command, whole, chance = self.known[name], self.whole(name), random.Random(name)
        for number in range(times):
            turn, place = divmod(number, IN_A_ROW)
            folder = self.folder / how.__name__ / name / str(turn)
            ended[how(command, whole, folder, chance)] += 1
            if place == IN_A_ROW - 1 or number == times - 1:
                finished(command, whole, folder)
        print(f"\n{name}: {dict(ended)}", flush=True)
        return ended


@pytest.fixture(scope="module")
def commands(small: Runner, tmp_path_factory: pytest.TempPathFactory) -> Commands:
    return Commands(small, tmp_path_factory.mktemp("endings"))


def interrupted(command: Command, whole: Undisturbed, folder: Path, chance: random.Random) -> str:
    return told_to_stop(command, whole, folder, signal.SIGINT, chance)


def terminated(command: Command, whole: Undisturbed, folder: Path, chance: random.Random) -> str:
    number = chance.choice([signal.SIGTERM, signal.SIGHUP])
    return told_to_stop(command, whole, folder, number, chance)


STOPPED = ["forecast", "forecast in one process", "compare", "explain", "brief"]
KILLED = ["forecast", "compare", "attribute", "calibrate", "brief", "dashboard"]


@pytest.mark.skipif(not MANY, reason="many, for a quiet hour: PUDONG_DISTURBED says how many")
@pytest.mark.parametrize("name", STOPPED)
def test_random_one_press_of_ctrl_c_ends_a_command(commands: Commands, name: str) -> None:
    commands.disturb(name, interrupted, -(-MANY // len(STOPPED)))


@pytest.mark.skipif(not MANY, reason="likewise")
@pytest.mark.parametrize("name", STOPPED)
def test_random_sigterm_or_hangup_ends_a_command(commands: Commands, name: str) -> None:
    commands.disturb(name, terminated, -(-MANY // len(STOPPED) // 2))


@pytest.mark.skipif(not MANY, reason="likewise")
@pytest.mark.parametrize("name", KILLED)
def test_random_kills_leave_what_the_same_command_finishes(commands: Commands, name: str) -> None:
    commands.disturb(name, killed, -(-MANY // len(KILLED)))
