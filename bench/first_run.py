"""The command ``pudong``, which says when its first run is about to start, and waits there."""

from __future__ import annotations

import time

from sim.cli import app
from sim.runner import Runner

SIGN = "first run at"


def announce(runner: Runner, run: int) -> None:
    """In place of a run; whoever reads the clock stops the command."""
    print(SIGN, time.time(), flush=True)
    time.sleep(60.0)


if __name__ in ("__main__", "__mp_main__"):  # workers import this file under the second name
    Runner.run = announce  # type: ignore[assignment, method-assign]
if __name__ == "__main__":
    app()
