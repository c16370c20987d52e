"""The command as a user starts it. Nothing here passes or fails by its time."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from bench import command
from sim.montecarlo import chunks_of
from sim.store import RUNS_PER_CHUNK

Benchmark = Any
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def test_help(benchmark: Benchmark) -> None:
    benchmark.pedantic(command.help_page, rounds=10, warmup_rounds=1)


def test_start_of_the_first_run(benchmark: Benchmark, tmp_path: Path) -> None:
    waits = [command.start_of_first_run(CORES, tmp_path / str(round_)) for round_ in range(6)]
    benchmark.extra_info["seconds"] = waits[1:]  # the first warms the disk's cache
    benchmark.pedantic(lambda: None, rounds=1)  # the clock is read elsewhere


@pytest.mark.parametrize(("runs", "rounds"), [(25, 3), (100, 3), (400, 2), (1000, 2)])
def test_forecast(benchmark: Benchmark, tmp_path: Path, runs: int, rounds: int) -> None:
    spent: list[command.Spent] = []

    def forecast() -> None:
        folder = tmp_path / str(len(spent))
        spent.append(command.run(command.forecast(runs, CORES, folder, charts=False)))

    benchmark.pedantic(forecast, rounds=rounds)
    benchmark.extra_info["runs"] = runs
    benchmark.extra_info["runs_made"] = len(chunks_of(runs)) * RUNS_PER_CHUNK
    benchmark.extra_info["cores"] = CORES
    benchmark.extra_info["worker_memory"] = [one.worker_memory for one in spent]
