"""A forecast: the runs of one scenario, made or taken up again, and the answer from them."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

from sim import __version__
from sim.analysis.interval import Method
from sim.analysis.probability import Answer, answer, results
from sim.analysis.summary import summarise, write_summary
from sim.analysis.uncertainty import uncertainty
from sim.errors import RunError
from sim.executors import Workers
from sim.montecarlo import MAX_RUNS, Progress, columns_of, local, no_progress, run_missing
from sim.runner import Runner
from sim.scenario import Inputs
from sim.store import RUNS_PER_CHUNK, Store, open_store

MAX_WORKERS = 1024
MAX_SEED = 2**64 - 1
FIRST_LOOK = 500  # runs before the first check of the precision
STEP = 1.25  # then a quarter more each time


def forecast(
    inputs: Inputs,
    *,
    runs: int,
    seed: int,
    out: Path | str,
    workers: int | Workers = 1,
    precision: float | None = None,
    on_progress: Progress = no_progress,
) -> Answer:
    """Run a scenario many times and say how likely each target is.

    Runs that ``out`` already holds from the same files, seed and program are used, not made
    again. Leaves the runs and ``summary.json`` in ``out``.

    Args:
        inputs: a checked scenario, see ``read_scenario``.
        runs: number of runs, 1 to 10,000,000; with ``precision`` the most that are made.
        seed: a whole number of at least 0.
        out: a new directory, or one that the same forecast began.
        workers: processes, or where else to run; the results do not depend on it.
        precision: run until every probability's half-width is at most this (0.005 to 0.5), by an
            interval that may be looked at any number of times.
        on_progress: called with the number of runs done and needed.

    Raises:
        RunError: a number out of range, or a directory that cannot be used.
        EconomyError: the economy file's parameters are not those that the model needs.
    """
    _check("runs", runs, 1, MAX_RUNS)
    _check("seed", seed, 0, MAX_SEED)
    if isinstance(workers, int):
        _check("workers", workers, 1, MAX_WORKERS)
    if precision is not None and not 0.005 <= precision <= 0.5:
        raise RunError(f"--precision: found {precision:g}; allowed: 0.005 to 0.5")
    where = local(workers) if isinstance(workers, int) else workers
    runner = Runner(inputs, seed)
    method = Method.WILSON if precision is None else Method.SEQUENCE
    with open_store(Path(out), inputs, seed, __version__, columns_of(runner)) as store:
        count = runs if precision is None else min(FIRST_LOOK, runs)
        run_missing(store, inputs, seed, count, where, on_progress)
        while precision is not None and count < runs and _widest(store, runner, count) > precision:
            count = min(runs, math.ceil(count * STEP / RUNS_PER_CHUNK) * RUNS_PER_CHUNK)
            run_missing(store, inputs, seed, count, where, on_progress)
        found = answer(store, runner, count, method)
        found = replace(found, uncertainty=uncertainty(store, runner, count))
        write_summary(summarise(found, inputs, seed), Path(out) / "summary.json")
    return found


def _check(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise RunError(f"--{name}: found {value}; allowed: {low} to {high:,}")


def _widest(store: Store, runner: Runner, runs: int) -> float:
    """The largest half-width among the probabilities."""
    table = results(store, runner.blueprint, runner.inputs.plan, runs, Method.SEQUENCE)
    return float((table["high"] - table["low"]).max()) / 2.0
