"""Many runs: in chunks, each of which any worker can make and remake.

A chunk is asked for by its number and depends on nothing else, so workers, order and
interruptions leave the results as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait

import numpy as np

from sim.draws import AGAIN
from sim.errors import RunError
from sim.executors import LocalProcesses, Workers
from sim.runner import Runner
from sim.scenario import Inputs
from sim.store import RUNS_PER_CHUNK, Chunk, Columns, Store

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
        RunError: workers died repeatedly, or the disk cannot be written.
        KeyboardInterrupt: finished chunks are kept.
    """
    needed = chunks_of(runs)
    missing = [number for number in needed if not store.has(number)]
    total = len(needed) * RUNS_PER_CHUNK

    def tell() -> None:
        on_progress(total - len(missing) * RUNS_PER_CHUNK, total)

    tell()
    deaths = 0
    while missing:
        try:
            for chunk in _made(inputs, seed, tuple(missing), workers):
                store.write(chunk)
                missing.remove(chunk.first // RUNS_PER_CHUNK)
                deaths = 0
                tell()
        except Exception as error:
            if workers is None or not workers.is_death(error):
                raise
            deaths += 1
            if deaths == DEATHS_IN_A_ROW:
                kept = total - len(missing) * RUNS_PER_CHUNK
                raise RunError(
                    f"workers died {deaths} times without finishing a run: out of memory (try "
                    "fewer --workers), killed, or started from a script without "
                    f"'if __name__ == \"__main__\":'; {kept} runs are kept"
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
                running.add(executor.submit(simulate, inputs, seed, waiting.pop()))
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                yield future.result()


def local(workers: int) -> Workers | None:
    """This machine's processes; with one worker the runs are made in this process."""
    return LocalProcesses(workers) if workers > 1 else None
