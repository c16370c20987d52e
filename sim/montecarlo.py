"""Many runs: in chunks, each of which any worker can make and remake.

A chunk is asked for by its number and depends on nothing else, so workers, order and
interruptions leave the results as they are.
"""

from __future__ import annotations

import multiprocessing
import os
from _thread import start_new_thread
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from functools import cache

import numpy as np

from sim.draws import AGAIN
from sim.errors import RunError
from sim.executors import LocalProcesses, Workers
from sim.runner import Runner
from sim.scenario import Inputs
from sim.store import RUNS_PER_CHUNK, Chunk, Columns, Store, reason

MAX_RUNS = 10_000_000
DEATHS_IN_A_ROW = 3

Progress = Callable[[int, int], None]


def no_progress(done: int, total: int) -> None:
    """Say nothing."""


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
        np.array([runner.parameters_of(o.run) for o in outcomes], dtype=np.float32),
    )


def repeats(runs: int) -> int:
    """How many runs are made again with other luck, to tell chance from parameters."""
    most = 200
    return min(runs // 2, most) // RUNS_PER_CHUNK * RUNS_PER_CHUNK


def chunks_of(runs: int) -> list[int]:
    """The chunks that hold runs 0 to ``runs`` − 1 and the repeats of the first of them."""
    again = AGAIN // RUNS_PER_CHUNK
    first = range(-(-runs // RUNS_PER_CHUNK))
    return [*first, *range(again, again + repeats(runs) // RUNS_PER_CHUNK)]


def run_missing(
    store: Store,
    inputs: Inputs,
    seed: int,
    runs: int,
    workers: Workers | None = None,
    on_progress: Progress = no_progress,
) -> None:
    """Make and store the chunks that ``runs`` runs need and that are not there yet.

    Chunks are whole, so a few runs beyond the last may be made; results use those asked for.

    Args:
        workers: where the runs are made; none: in this process.
        on_progress: called with the number of runs stored and needed, repeats included.

    Raises:
        RunError: workers died repeatedly, memory ran out, or the disk cannot be written; finished
            chunks are kept.
        KeyboardInterrupt: likewise.
    """
    needed = chunks_of(runs)
    try:
        missing = [number for number in needed if not store.has(number)]
    except OSError as error:
        where = error.filename or store.path
        raise RunError(f"{where}: runs cannot be checked ({reason(error)})") from None
    total = len(needed) * RUNS_PER_CHUNK

    def kept() -> int:
        return total - len(missing) * RUNS_PER_CHUNK

    def stopped(why: str) -> RunError:
        return RunError(f"{why}; {kept()} runs are kept, the same command goes on from them")

    on_progress(kept(), total)
    deaths = 0
    while missing:
        try:
            for chunk in _made(inputs, seed, tuple(missing), workers):
                try:
                    store.write(chunk)
                except OSError as error:
                    raise stopped(f"{store.path}: cannot be written ({reason(error)})") from None
                missing.remove(chunk.first // RUNS_PER_CHUNK)
                deaths = 0
                on_progress(kept(), total)
        except MemoryError:
            raise stopped("out of memory (try fewer --workers)") from None
        except Exception as error:
            if workers is None or not workers.is_death(error):
                raise
            deaths += 1
            if deaths == DEATHS_IN_A_ROW:
                raise stopped(
                    f"workers died {deaths} times without finishing a run: out of memory (try "
                    "fewer --workers), killed, or started from a script without "
                    "'if __name__ == \"__main__\":'"
                ) from None


def _made(
    inputs: Inputs, seed: int, numbers: Sequence[int], workers: Workers | None
) -> Iterator[Chunk]:
    """Chunks as they are finished; no more are asked for than workers can soon take up."""
    if workers is None:
        for number in numbers:
            yield simulate(inputs, seed, number)
        return
    with workers.open() as executor:
        waiting = list(reversed(numbers))
        running: set[Future[Chunk]] = set()
        while waiting or running:
            while waiting and len(running) < 2 * workers.width():
                running.add(executor.submit(_work, inputs, seed, waiting.pop()))
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                yield future.result()


def _work(inputs: Inputs, seed: int, number: int) -> Chunk:
    """Make a chunk in a worker."""
    _end_with_parent()
    return simulate(inputs, seed, number)


@cache
def _end_with_parent() -> None:
    """Let this worker end when the process that started it is gone, even if it was killed.

    It would wait for its next task for ever: the pipe that brings them is held open by its like.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def follow() -> None:
        parent.join()
        os._exit(1)

    with suppress(RuntimeError):  # no memory for a thread: the runs will say so
        start_new_thread(follow, ())  # threading.Thread would wait for ever for it to begin


def local(workers: int) -> Workers | None:
    """This machine's processes; with one worker the runs are made in this process."""
    return LocalProcesses(workers) if workers > 1 else None
