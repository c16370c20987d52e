"""Many runs over processes: in chunks, each of which any worker can make and remake.

The seam is a ``concurrent.futures`` executor; a chunk is asked for by its first run's number and
depends on nothing else, so workers, order and interruptions leave the results as they are.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

import numpy as np

from sim.errors import RunError
from sim.runner import Runner
from sim.scenario import Inputs
from sim.store import RUNS_PER_CHUNK, Chunk, Columns, Store

MAX_RUNS = 10_000_000
ATTEMPTS = 3


def columns_of(runner: Runner) -> Columns:
    """The names of what the runs of this scenario hold."""
    return Columns(
        runner.blueprint.months(),
        runner.series_columns,
        runner.cost_columns,
        runner.parameters.labels,
    )


def simulate(inputs: Inputs, seed: int, number: int) -> Chunk:
    """Make the runs of one chunk; runs in a worker."""
    runner = Runner(inputs, seed)
    first = number * RUNS_PER_CHUNK
    outcomes = [runner.run(run) for run in range(first, first + RUNS_PER_CHUNK)]
    months = runner.blueprint.horizon + 1
    return Chunk(
        first,
        np.array([o.series.reshape(months, -1) for o in outcomes], dtype=np.float32),
        np.array([o.costs.reshape(months, -1) for o in outcomes], dtype=np.float32),
        np.array([runner.parameters.draw(seed, o.run) for o in outcomes], dtype=np.float32),
    )


def process_pool(workers: int) -> Executor:
    """Worker processes that inherit nothing from this one's threads."""
    methods = multiprocessing.get_all_start_methods()
    method = "forkserver" if "forkserver" in methods else "spawn"
    context = multiprocessing.get_context(method)
    if method == "forkserver":
        context.set_forkserver_preload(["sim.montecarlo"])
    return ProcessPoolExecutor(workers, mp_context=context)


def run_missing(
    store: Store,
    inputs: Inputs,
    seed: int,
    runs: int,
    workers: int,
    on_progress: Callable[[int], None] = lambda done: None,
) -> None:
    """Make and store the chunks that hold runs 0 to ``runs`` − 1 and are not there yet.

    Chunks are whole, so a few runs beyond the last may be made; results use those asked for.

    Args:
        on_progress: called with the number of runs (of those asked for) that are stored.

    Raises:
        RunError: a worker died repeatedly, or the disk cannot be written.
        KeyboardInterrupt: finished chunks are kept.
    """
    chunks = range(-(-runs // RUNS_PER_CHUNK))
    missing = [number for number in chunks if not store.has(number)]
    done = len(chunks) - len(missing)
    on_progress(min(done * RUNS_PER_CHUNK, runs))
    if not missing:
        return
    if workers == 1:
        for number in missing:
            store.write(simulate(inputs, seed, number))
            done += 1
            on_progress(min(done * RUNS_PER_CHUNK, runs))
        return
    deaths = 0
    while missing:
        try:
            for chunk in _from_workers(inputs, seed, missing, workers):
                store.write(chunk)
                missing.remove(chunk.first // RUNS_PER_CHUNK)
                done += 1
                deaths = 0
                on_progress(min(done * RUNS_PER_CHUNK, runs))
        except BrokenProcessPool:
            deaths += 1
            if deaths == ATTEMPTS:
                raise RunError(
                    f"worker processes died {ATTEMPTS} times without finishing a run: out of "
                    "memory (try fewer --workers), killed, or started from a script without "
                    "'if __name__ == \"__main__\":'; "
                    f"{min(done * RUNS_PER_CHUNK, runs)} runs are kept"
                ) from None


def _from_workers(inputs: Inputs, seed: int, numbers: list[int], workers: int):  # type: ignore[no-untyped-def]
    """Chunks as they are finished; no more are asked for than workers can hold."""
    pool = process_pool(min(workers, len(numbers)))
    try:
        waiting = list(reversed(numbers))
        running: set[Future[Chunk]] = set()
        while waiting or running:
            while waiting and len(running) < 2 * workers:
                running.add(pool.submit(simulate, inputs, seed, waiting.pop()))
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                yield future.result()
    finally:
        workers_left = list((getattr(pool, "_processes", None) or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)
        for process in workers_left:
            process.terminate()
