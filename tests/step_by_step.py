"""Disturb one command at one step after another; run as a program, which has no threads to lose.

``python -m tests.step_by_step FOLDER HOW MOST COMMAND...``: FOLDER/begun is what the command goes
on from, copied for each attempt; HOW is ``kill``, ``fail`` or ``stop``; MOST is how many steps are
tried (0: all). Prints a line for each attempt that did not end as promised, then how many there
were.
"""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import sim.cli  # loaded here, once for all attempts
import sim.report.gallery
from sim.__main__ import main
from tests.endings import Files, files

ON_DISK = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree"}
ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
SIM = str(Path(sim.cli.__file__).parents[1])

Act = Callable[[int], None]


def on_disk(out: Path, act: Act) -> None:
    """Before each step on the disk below a folder."""
    count = 0

    def hook(event: str, arguments: Any) -> None:
        nonlocal count
        if event in ON_DISK and os.path.abspath(str(arguments[0])).startswith(str(out)):
            if event == "open" and not {"w", "x", "a"} & set(str(arguments[1])):
                return
            count += 1
            act(count)

    sys.addaudithook(hook)


def in_calls(act: Act) -> None:
    """At each call of a function of the program's."""
    count = 0

    def hook(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        if event == "call" and frame.f_code.co_filename.startswith(SIM):
            count += 1
            act(count)

    sys.setprofile(hook)


def attempt(how: str, step: int, command: list[str], place: Path) -> tuple[int, str, int]:
    """The command in a process of its own, disturbed at a step: status, complaint, steps made."""
    steps = place / "steps"
    pid = os.fork()
    if pid:
        status = os.waitpid(pid, 0)[1]
        made = int(steps.read_text() or 0) if steps.exists() else 0
        return os.waitstatus_to_exitcode(status), (place / "complained").read_text(), made
    os.chdir(place)
    for number, name in ((1, "said"), (2, "complained")):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    note = os.open("steps", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    sys.argv = ["pudong", *command]

    def act(count: int) -> None:
        os.pwrite(note, str(count).encode(), 0)
        if count != step:
            return
        if how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if how == "stop":
            os.kill(os.getpid(), signal.SIGINT)
        if how == "fail":
            number = ERRORS[count % len(ERRORS)]
            raise OSError(number, os.strerror(number))

    code = 70
    try:
        if how == "stop":
            in_calls(act)
        else:
            on_disk(place / "out", act)
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.setprofile(None)
        sys.stderr.flush()
        os._exit(code)


def promised(how: str, status: int, complaint: str) -> bool:
    if how == "kill":
        return status == -signal.SIGKILL
    if how == "stop":
        return (status == 130 and complaint.startswith("Stopped")) and complaint.count("\n") == 1
    return status == 2 and complaint.startswith("RunError: ") and "Traceback" not in complaint


def whole_or_absent(left: Files, begun: Files, whole: Files) -> bool:
    """Under each final name lies what belongs there, or what lay there before."""
    names = [name for name in left if not Path(name).name.startswith(".")]
    return all(left[name] in (whole.get(name), begun.get(name)) for name in names)


def run(folder: Path, how: str, most: int, command: list[str]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    begun = files(folder / "begun")

    def fresh(name: str) -> Path:
        place = folder / name
        place.mkdir()
        shutil.copytree(folder / "begun", place / "out")
        return place

    status, complaint, steps = attempt(how, 0, command, fresh("whole"))
    assert status == 0, complaint
    whole = files(folder / "whole" / "out")
    chosen = range(1, steps + 1)
    if most:
        chosen = sorted(random.Random(1).sample(chosen, min(most, steps)))
    for step in chosen:
        place = fresh(str(step))
        status, complaint, _ = attempt(how, step, command, place)
        left = files(place / "out")
        good = promised(how, status, complaint) and whole_or_absent(left, begun, whole)
        if how != "kill" and status == 0:  # it had done all, or could do without this step
            good = left == whole and not complaint
        if not good:
            print(f"step {step} of {steps}: status {status}: {complaint[-400:]!r}")
        status, complaint, _ = attempt("count", 0, command, place)
        if status or files(place / "out") != whole:
            print(f"step {step} of {steps}, again: status {status}: {complaint[-400:]!r}")
        shutil.rmtree(place)
    print(f"{len(chosen)} of {steps}")


if __name__ == "__main__":
    run(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4:])
