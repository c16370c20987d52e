"""Commands that are disturbed, told to stop or killed, at any moment, and then given again."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
SMALL = ROOT / "tests" / "small_district"
PROGRAM = [sys.executable, "-m", "sim"]
AT_MOST = 180.0  # seconds that an undisturbed command may take on a busy machine
SOON = 25.0  # seconds after which one that was told to stop must be gone, workers and all
BEGINNING = 0.2  # share of its time that Python itself takes at most before the program has a say

Files = dict[str, bytes]


@dataclass(frozen=True)
class Command:
    """What is given, in a folder of its own; ``out`` is what it leaves there."""

    name: str
    arguments: Sequence[str]
    out: str = "out"
    given: Path | None = None  # copied to ``out`` first
    kept: str = ""  # the message's second half
    served: int = 0  # chunks after which a server, which would go on, is told to stop


@dataclass
class Undisturbed:
    files: Files
    seconds: float


@dataclass
class Tally:
    """What became of those that were disturbed."""

    ended: dict[str, int] = field(default_factory=dict)

    def count(self, how: str) -> None:
        self.ended[how] = self.ended.get(how, 0) + 1


def files(folder: Path) -> Files:
    """The bytes of everything in a folder, by name, but for locks."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and file.name != ".lock"
    }


def heard() -> None:
    """As a terminal starts it; what a script starts in the background never hears of Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Run:
    """A command in a process group of its own, as a terminal starts it."""

    def __init__(self, command: Command, folder: Path) -> None:
        self.command = command
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        if command.given is not None and not (folder / command.out).exists():
            shutil.copytree(command.given, folder / command.out)
        with (folder / "said").open("w") as said, (folder / "complained").open("w") as complained:
            self.process = subprocess.Popen(
                [*PROGRAM, *command.arguments],
                cwd=folder,
                env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
                stdout=said,
                stderr=complained,
                start_new_session=True,
                preexec_fn=heard,
            )

    @property
    def complained(self) -> str:
        return (self.folder / "complained").read_text(encoding="utf-8")

    def finish(self) -> int:
        """Wait for its end, or bring a server's about once it has done its work."""
        end = time.monotonic() + AT_MOST
        while self.command.served and not self.serves():
            assert self.process.poll() is None, self.complained
            assert time.monotonic() < end, "the server did not get ready"
            time.sleep(0.02)
        if self.command.served:
            time.sleep(0.3)
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(AT_MOST)

    def serves(self) -> bool:
        """Whether a server has said where it is, and has the runs that it starts with."""
        said = (self.folder / "said").read_text(encoding="utf-8") + self.complained
        return "http://" in said and self.chunks() >= self.command.served

    def chunks(self) -> int:
        return len(list((self.folder / self.command.out).glob("**/runs/chunk-*/chunk.json")))

    def tell(self, number: int) -> None:
        """To all of the group, as a terminal does."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def gone(self) -> bool:
        """Whether nobody is left, waiting a little."""
        end = time.monotonic() + SOON
        while time.monotonic() < end:
            try:
                os.killpg(self.process.pid, 0)
            except ProcessLookupError:
                return True
            time.sleep(0.02)
        return False

    def end(self) -> None:
        self.tell(signal.SIGKILL)
        self.process.wait()


def undisturbed(command: Command, folder: Path) -> Undisturbed:
    start = time.monotonic()
    run = Run(command, folder)
    try:
        assert run.finish() == 0, run.complained
        assert run.complained == ""
        assert run.gone()
    finally:
        run.end()
    return Undisturbed(files(folder / command.out), time.monotonic() - start)


def told_to_stop(
    command: Command, whole: Undisturbed, folder: Path, number: int, chance: random.Random
) -> str:
    """Tell it once to stop at a random moment; how it ended, which is as was promised."""
    moment = chance.uniform(0.0, 1.15 * whole.seconds)
    run = Run(command, folder)
    try:
        time.sleep(moment)
        if run.process.poll() is not None:
            assert run.process.returncode == 0, run.complained
            return "had ended before"
        run.tell(number)
        try:
            status = run.process.wait(SOON)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{command.name} goes on after {moment:.2f} s") from None
        assert run.gone(), f"{command.name} left somebody behind"
        said = run.complained
        began = "Stopped" in said or ((folder / command.out).exists() and not command.given)
        if status in (-number, 1) and not began and moment < BEGINNING * whole.seconds:
            return "before the program began"
        if status == 0:
            assert said == ""
            assert files(folder / command.out) == whole.files or command.served
            return "had done all"
        promised = (128 + number, f"Stopped{command.kept}.\n")
        assert (status, said) == promised, f"after {moment:.2f} s"
        return "stopped"
    finally:
        run.end()


def killed(command: Command, whole: Undisturbed, folder: Path, chance: random.Random) -> str:
    """Kill it, alone or with its workers, at a random moment."""
    run = Run(command, folder)
    try:
        time.sleep(chance.uniform(0.0, 1.05 * whole.seconds))
        if run.process.poll() is not None:
            assert run.process.returncode == 0, run.complained
            return "had ended before"
        if chance.random() < 0.5:
            run.process.kill()
            run.process.wait()
            assert run.gone(), f"workers of {command.name} outlived it"
            return "killed"
        run.tell(signal.SIGKILL)
        run.process.wait()
        return "killed with its workers"
    finally:
        run.end()


def finished(command: Command, whole: Undisturbed, folder: Path) -> None:
    """The same command again, to its end: it leaves what it leaves undisturbed."""
    run = Run(command, folder)
    try:
        assert run.finish() == 0, run.complained
        assert run.complained == ""
    finally:
        run.end()
    left = files(folder / command.out)
    assert sorted(left) == sorted(whole.files)
    assert left == whole.files, [name for name in left if left[name] != whole.files[name]]
