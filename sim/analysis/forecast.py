"""A forecast: the runs of one scenario, made or taken up again, and the answer from them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sim import __version__
from sim.analysis.probability import Answer, answer
from sim.analysis.summary import summarise, write_summary
from sim.errors import RunError
from sim.montecarlo import MAX_RUNS, columns_of, run_missing
from sim.runner import Runner
from sim.scenario import Inputs
from sim.store import open_store

MAX_WORKERS = 1024
MAX_SEED = 2**64 - 1


def forecast(
    inputs: Inputs,
    *,
    runs: int,
    seed: int,
    out: Path | str,
    workers: int = 1,
    on_progress: Callable[[int], None] = lambda done: None,
) -> Answer:
    """Run a scenario ``runs`` times and say how likely each target is.

    Runs that ``out`` already holds from the same files, seed and version are used, not made
    again. Leaves the runs and ``summary.json`` in ``out``.

    Args:
        inputs: a checked scenario, see ``read_scenario``.
        runs: 1 to 10,000,000.
        seed: a whole number of at least 0.
        out: a new directory, or one that the same forecast began.
        workers: processes; the results do not depend on it.
        on_progress: called with the number of runs that are done.

    Raises:
        RunError: a number out of range, or a directory that cannot be used.
        EconomyError: the economy file's parameters are not those that the model needs.
    """
    for name, value, low, high in (
        ("runs", runs, 1, MAX_RUNS),
        ("seed", seed, 0, MAX_SEED),
        ("workers", workers, 1, MAX_WORKERS),
    ):
        if not low <= value <= high:
            raise RunError(f"--{name}: found {value}; allowed: {low} to {high:,}")
    runner = Runner(inputs, seed)
    with open_store(Path(out), inputs, seed, __version__, columns_of(runner)) as store:
        run_missing(store, inputs, seed, runs, workers, on_progress)
        found = answer(store, runner, runs)
        write_summary(summarise(found, inputs, seed), Path(out) / "summary.json")
    return found
