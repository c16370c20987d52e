"""A command that is stopped or killed at any moment ends, and the same command then finishes.

``PUDONG_DISTURBED=100 pytest tests/test_endings.py -k random -s`` disturbs so many, and says how
they ended.
"""

from __future__ import annotations

import ctypes
import gc
import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import time
import weakref
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sim.cli import app
from sim.cli.ending import KEPT
from sim.runner import Runner
from sim.stopping import AGAIN, ONE_PRESS, Stopped, Stops
from tests.endings import (
    PROGRAM,
    ROOT,
    SMALL,
    Command,
    Undisturbed,
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
        one = Command("forecast", ["forecast", SCENARIO, "--runs", "125", "--no-charts", *MAKING])
        done = folder / "given" / "out"
        undisturbed(one, done.parent)
        pair = [SCENARIO, str(what_if(folder / "what-if"))]
        target = small.inputs.plan.targets[0].id
        fit, serve = ["calibrate", SCENARIO], ["dashboard", "--scenario", SCENARIO]
        zh = ["--date", "2025-01-01", "--lang", "zh"]
        self.known = {
            command.name: command
            for command in (
                Command("forecast", ["forecast", SCENARIO, "--runs", "25", *MAKING], kept=KEPT),
                Command(
                    "forecast in one process",
                    ["forecast", SCENARIO, "--runs", "25", "--workers", "1", "--out", "out"],
                    kept=KEPT,
                ),
                Command("compare", ["compare", *pair, "--runs", "20", *MAKING], kept=KEPT),
                Command("attribute", ["attribute", SCENARIO, "--runs", "12", *MAKING], kept=KEPT),
                Command(
                    "calibrate",
                    [*fit, "--observations", str(figures), "--runs", "400", *MAKING],
                    kept=KEPT,
                ),
                Command("explain", ["explain", "out", "--target", target], given=done),
                Command("brief", ["brief", "out", "--format", "html", *zh], given=done),
                Command(
                    "dashboard",
                    [*serve, "--port", "0", "--base-runs", "150", *MAKING],
                    served=6,
                ),
            )
        }
        self.targets = small.inputs.plan.target_ids()
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


# At one step after another


def prepared(commands: Commands, name: str, folder: Path) -> list[str]:
    """A folder from which a command has little left to make; what is given."""
    given = commands.known["explain"].given
    assert given is not None
    if name != "compare":
        shutil.copytree(given, folder / "begun")
    if name == "forecast":
        (folder / "begun" / "summary.json").unlink()
        one = ["forecast", SCENARIO, "--runs", "125", "--workers", "1", "--out", "out"]
        return [*one, "--observe", str(commands.folder / "figures.csv")]
    if name == "compare":
        pair = [SCENARIO, str(commands.folder / "what-if" / "more.yaml"), "--runs", "20"]
        undisturbed(Command(name, [name, *pair, *MAKING]), folder)
        (folder / "out").rename(folder / "begun")
        for file in (folder / "begun").iterdir():
            if file.name == "charts":
                shutil.rmtree(file)
            elif file.is_file():
                file.unlink()
        return [name, *pair, "--workers", "1", "--out", "out"]
    return list(commands.known[name].arguments)


@pytest.mark.parametrize(
    ("name", "how", "most"),
    [
        ("forecast", "kill", 1),
        ("forecast", "fail", 1),
        ("forecast", "stop", 2),
        ("compare", "fail", 1),
        ("explain", "fail", 1),
        ("brief", "fail", 1),
    ],
)
def test_whatever_step_is_disturbed_says_so_once_and_the_same_command_finishes(
    commands: Commands, tmp_path: Path, name: str, how: str, most: int
) -> None:
    """A kill or a full disk at steps on the disk after the runs, a stop in calls of functions."""
    command = prepared(commands, name, tmp_path)
    if how == "stop":
        command.append("--no-charts")  # of which each has a million calls
    most = most if not MANY else 0 if how != "stop" else MANY
    done = subprocess.run(
        [sys.executable, "-m", "tests.step_by_step", str(tmp_path), how, str(most), *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    print(f"\n{name}, {how}: {done.stdout.strip()}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1, done.stdout
    assert int(done.stdout.split()[-1]) > (2 if name == "brief" else 10)  # which writes one file


# A stop that Python drops


def in_a_finalizer(stop: Callable[[], None]) -> None:
    class Thing:
        def __del__(self) -> None:
            stop()

    Thing()


def in_a_weak_reference(stop: Callable[[], None]) -> None:
    class Thing:
        pass

    thing = Thing()
    reference = weakref.ref(thing, lambda _: stop())
    del thing
    assert reference() is None


def in_the_garbage_collector(stop: Callable[[], None]) -> None:
    once = [stop]

    def collected(phase: str, info: object) -> None:
        if once:
            once.pop()()

    gc.callbacks.append(collected)
    gc.collect()
    gc.callbacks.remove(collected)


def in_a_callback_of_c(stop: Callable[[], None]) -> None:
    ctypes.CFUNCTYPE(None)(stop)()


def where_all_is_suppressed(stop: Callable[[], None]) -> None:
    with suppress(BaseException):
        stop()


def in_what_looks_whether_a_name_is_there(stop: Callable[[], None]) -> None:
    """Some libraries' C code takes any error for a no; here in Python."""

    class Thing:
        def __getattr__(self, name: str) -> None:
            try:
                stop()
            except BaseException:
                raise AttributeError(name) from None

    assert not hasattr(Thing(), "name")


DROPPED = [
    in_a_finalizer,
    in_a_weak_reference,
    in_the_garbage_collector,
    in_a_callback_of_c,
    where_all_is_suppressed,
    in_what_looks_whether_a_name_is_there,
]


def told() -> None:
    """Be told to stop, here and now."""
    signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("place", DROPPED, ids=lambda place: place.__name__)
def test_a_stop_that_is_dropped_comes_again(
    place: Callable[[Callable[[], None]], None], capfd: pytest.CaptureFixture[str]
) -> None:
    def work() -> None:
        with Stops():
            place(told)
            time.sleep(10)
            pytest.fail("it went on to its end")

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(Stopped):
        work()
    assert signal.getsignal(signal.SIGINT) is before
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("place", DROPPED, ids=lambda place: place.__name__)
def test_work_during_which_a_stop_was_asked_for_has_not_succeeded(
    place: Callable[[Callable[[], None]], None],
) -> None:
    with pytest.raises(Stopped), Stops():
        place(told)


def test_an_error_that_a_stop_led_to_is_that_stop() -> None:
    def work() -> None:
        with Stops():
            try:
                told()
            except KeyboardInterrupt:
                raise ValueError("something was cut off") from None

    with pytest.raises(Stopped):
        work()


def test_what_clears_up_behind_a_stop_is_left_in_peace() -> None:
    cleared = []

    def work() -> None:
        with Stops():
            try:
                told()
            finally:
                end = time.monotonic() + 3 * AGAIN
                while time.monotonic() < end:
                    pass
                told()  # twice within a moment is one press
                cleared.append("to its end")

    with pytest.raises(Stopped):
        work()
    assert cleared == ["to its end"]


HANGING = """
import signal, sys, time
import sim.stopping
from sim.cli.ending import errors

sim.stopping.PATIENCE = float(sys.argv[1])
sim.stopping.STOPS.listen()
with errors("; kept"):
    try:
        print("at work", flush=True)
        time.sleep(60)
    finally:
        print("clearing up", flush=True)
        time.sleep(60)
"""


@pytest.mark.parametrize("presses", [1, 2])
def test_clearing_up_that_hangs_is_cut_short_by_itself_or_by_a_second_press(presses: int) -> None:
    patience = "0.5" if presses == 1 else "50"
    with subprocess.Popen(
        [sys.executable, "-c", HANGING, patience],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "at work\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "clearing up\n"
        if presses == 2:
            time.sleep(ONE_PRESS + 0.1)
            process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=30)[1] == "Stopped; kept.\n"
    assert process.returncode == 128 + signal.SIGTERM


# Nothing after the work


def no_chart(*arguments: object, **settings: object) -> None:
    raise RuntimeError("the font is broken")


def test_a_chart_that_cannot_be_drawn_leaves_the_answer_and_the_others(
    commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sim.report.gallery.probability_board", no_chart)
    monkeypatch.setattr("sim.report.shift.shift_chart", no_chart)
    command = prepared(commands, "forecast", tmp_path)
    out = tmp_path / "begun"
    command[command.index("out")] = str(out)
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 2
    assert done.stderr == (
        f"RunError: {out}/charts/probability-board, {out}/charts/observed: cannot be drawn "
        f"(RuntimeError: the font is broken){KEPT}\n"
    )
    assert "Given 3 figures" in done.stdout
    drawn = {file.stem for file in (out / "charts").iterdir()}
    assert drawn == {f"fan-{target}" for target in commands.targets} | drawn - {"observed"}
    assert len(drawn) >= len(commands.targets)
    assert (out / "summary.json").exists()
    assert (out / "observed.json").exists()


def test_an_answer_that_cannot_be_printed_is_written(commands: Commands, tmp_path: Path) -> None:
    command = prepared(commands, "forecast", tmp_path)
    out = tmp_path / "begun"
    command[command.index("out")] = str(out)
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*PROGRAM, *command, "--no-charts"], cwd=ROOT, stdout=full, stderr=subprocess.PIPE
        )
    assert done.returncode == 2
    assert done.stderr.decode() == (
        f"RunError: standard output: cannot be written (the disk is full){KEPT}\n"
    )
    assert (out / "summary.json").exists()
    assert (out / "observed.json").exists()


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&- <&-"])
def test_a_command_needs_no_stream(commands: Commands, tmp_path: Path, closed: str) -> None:
    command = prepared(commands, "forecast", tmp_path)
    out = tmp_path / "begun"
    command[command.index("out")] = str(out)
    line = shlex.join([*PROGRAM, *command, "--no-charts"])
    done = subprocess.run(f"{line} {closed}", shell=True, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert (out / "observed.json").exists()


# Workers of any program


SCRIPT = """
from sim import forecast, read_scenario
inputs = read_scenario({scenario!r})
print("once")
answer = forecast(inputs, runs=75, seed=1, out={out!r}, workers=2)
print(answer.runs)
"""


@pytest.mark.parametrize("how", ["file", "stdin", "-c"])
def test_a_plain_script_makes_its_runs_in_workers(tmp_path: Path, how: str) -> None:
    text = SCRIPT.format(scenario=SCENARIO, out=str(tmp_path / "out"))
    (tmp_path / "script.py").write_text(text)
    arguments = {"file": [str(tmp_path / "script.py")], "stdin": ["-"], "-c": ["-c", text]}[how]
    done = subprocess.run(
        [sys.executable, *arguments],
        input=text if how == "stdin" else None,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "once\n75\n", "")


@pytest.mark.parametrize("place", ["x" * 90, "missing"], ids=["too long for a socket", "missing"])
def test_workers_start_whatever_the_temporary_directory(tmp_path: Path, place: str) -> None:
    folder = tmp_path / place
    if place != "missing":
        folder.mkdir()
    done = subprocess.run(
        [*PROGRAM, "forecast", SCENARIO, "--runs", "25", "--no-charts", *MAKING],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
