"""Worker processes can be stopped at any moment, and the program still ends."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from sim.executors import LocalProcesses

STOPPED_AMID_SENDING = """
from pathlib import Path
from sim.executors import LocalProcesses

def received():
    return int(Path("/proc/self/io").read_text().split()[1])

try:
    with LocalProcesses(1).open() as pool:
        pool.submit(bytes, 1).result()
        before = received()
        pool.submit(bytes, 300_000_000)
        while received() < before + 10_000_000:
            pass
        raise KeyboardInterrupt
except KeyboardInterrupt:
    print("stopped")
"""


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="only Linux says what was received")
def test_a_program_ends_though_a_worker_was_stopped_while_it_sent_a_result() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STOPPED_AMID_SENDING],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (done.returncode, done.stdout) == (0, "stopped\n"), done.stderr


def test_cancelled_tasks_do_not_upset_the_pool_that_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its thread would fail of them, and the program not end: what it sends nobody reads."""
    failed: list[object] = []
    monkeypatch.setattr(threading, "excepthook", failed.append)
    for _ in range(5):
        with LocalProcesses(2).open() as pool:
            running = [pool.submit(time.sleep, 0.05) for _ in range(12)]
            running[0].result()
            manager = pool._executor_manager_thread  # type: ignore[attr-defined]
            for future in running:
                future.cancel()
        assert not manager.is_alive()
    assert not failed


def test_a_pool_is_closed_amid_sending_work_that_nobody_takes_up() -> None:
    """Python before 3.11.5 waits for ever for what it still sends."""
    with LocalProcesses(1).open() as pool:
        pool.submit(int).result()
        manager = pool._executor_manager_thread  # type: ignore[attr-defined]
        pool.submit(time.sleep, 60)
        for _ in range(4):
            pool.submit(len, bytes(30_000_000))
        time.sleep(0.3)
    assert not manager.is_alive()
