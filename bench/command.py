"""The command as a user starts it: its time, its workers' memory, its start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.first_run import SIGN
from bench.subjects import BASELINE, ROOT

COMMAND = (str(Path(sys.executable).with_name("pudong")),)
LOOK_EVERY = 0.1  # seconds


@dataclass(frozen=True)
class Spent:
    """What a command took: seconds, and the largest memory of one of its workers in MB."""

    seconds: float
    worker_memory: float | None  # none where /proc does not tell


def forecast(runs: int, workers: int, out: Path, charts: bool = True) -> list[str]:
    """The arguments of a forecast of the baseline."""
    arguments = ["forecast", str(BASELINE), "--out", str(out), "--seed", "1"]
    arguments += ["--runs", str(runs), "--workers", str(workers)]
    return arguments if charts else [*arguments, "--no-charts"]


def help_page() -> None:
    subprocess.run([*COMMAND, "--help"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def run(arguments: list[str]) -> Spent:
    """Run the command, and look at its workers' peaks on the way."""
    peaks = [0.0]
    start = time.perf_counter()
    process = subprocess.Popen([*COMMAND, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL)
    seconds = None
    while seconds is None:
        try:
            process.wait(LOOK_EVERY)
            seconds = time.perf_counter() - start
        except subprocess.TimeoutExpired:
            peaks += workers_peaks(process.pid)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return Spent(seconds, max(peaks) or None)


def workers_peaks(command: int) -> Iterator[float]:
    """The peak memory so far of each worker in MB: they are children of the command's helper."""
    parents: dict[int, int] = {}
    peaks: dict[int, float] = {}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        except OSError:  # gone meanwhile
            continue
        number = int(fields["Pid"])
        parents[number] = int(fields["PPid"])
        if "VmHWM" in fields:
            peaks[number] = int(fields["VmHWM"].split()[0]) * 1024 / 1e6
    for number, peak in peaks.items():
        if parents.get(parents[number]) == command:
            yield peak


def start_of_first_run(workers: int, out: Path) -> float:
    """Seconds from the start of the command to that of the first run in a worker."""
    start = time.time()
    with subprocess.Popen(
        [sys.executable, "-m", "bench.first_run", *forecast(1000, workers, out)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout
        line = next((line for line in process.stdout if line.startswith(SIGN)), None)
        process.send_signal(signal.SIGTERM)
    if line is None:
        raise RuntimeError("the command ended before its first run")
    return float(line.removeprefix(SIGN)) - start
