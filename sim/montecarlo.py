"""Many runs: in chunks, each of which any worker can make and remake.

A chunk is asked for by its number and depends on nothing else, so workers, order and
interruptions leave the results as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import ExitStack
from typing import Any

import numpy as np

from sim.draws import AGAIN
from sim.errors import RunError
from sim.executors import LocalProcesses, Workers
from sim.kernels import made_with
from sim.runner import Runner
from sim.scenario import Inputs
from sim.store import RUNS_PER_CHUNK, Chunk, Columns, Store, reason

MAX_RUNS = 10_000_000
DEATHS_IN_A_ROW = 3

Progress = Callable[[int, int], None]
Task = tuple[Any, ...]


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
    return stretch(inputs, seed, number * RUNS_PER_CHUNK, RUNS_PER_CHUNK)


def stretch(inputs: Inputs, seed: int, first: int, count: int) -> Chunk:
    """Make ``count`` runs from ``first`` on, as a chunk or a part of one."""
    runner = Runner(inputs, seed)
    outcomes = [runner.run(run) for run in range(first, first + count)]
    months = runner.blueprint.horizon + 1
    return Chunk(
        first,
        np.array([o.series.reshape(months, -1) for o in outcomes], dtype=np.float32),
        np.array([o.costs.reshape(months, -1) for o in outcomes], dtype=np.float32),
        np.array([runner.parameters_of(o.run) for o in outcomes], dtype=np.float32),
        made_with(),
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

    def keep(task: Task, chunk: Chunk) -> None:
        try:
            store.write(chunk)
        except OSError as error:
            raise stopped(f"{store.path}: cannot be written ({reason(error)})") from None
        missing.remove(chunk.first // RUNS_PER_CHUNK)
        on_progress(kept(), total)

    on_progress(kept(), total)
    with Pool(workers) as pool:
        complete(pool, simulate, [(inputs, seed, number) for number in missing], keep, stopped)


class Pool:
    """Workers for one list of tasks after another: started when first needed, stopped at the end.

    Args:
        workers: where tasks are done; none: in this process.
    """

    def __init__(self, workers: Workers | None) -> None:
        self._workers = workers
        self._executor: Executor | None = None
        self._ending = ExitStack()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *error: Any) -> bool | None:
        self._executor = None
        return self._ending.__exit__(*error)

    def width(self) -> int:
        """How many tasks are done at once."""
        return 1 if self._workers is None else self._workers.width()

    def done(self, work: Callable[..., Any], tasks: Sequence[Task]) -> Iterator[tuple[Task, Any]]:
        """Tasks with their results, as they are finished.

        No more are asked for than workers can soon take up.

        Args:
            work: a function of a module, which a worker can import.
            tasks: its arguments, each time.
        """
        if self._workers is None:
            for task in tasks:
                yield task, work(*task)
            return
        if self._executor is None:
            self._executor = self._ending.enter_context(self._workers.open())
        waiting = list(reversed(tasks))
        running: dict[Future[Any], Task] = {}
        try:
            while waiting or running:
                while waiting and len(running) < 2 * self._workers.width():
                    task = waiting.pop()
                    running[self._executor.submit(work, *task)] = task
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    yield running.pop(future), future.result()
        finally:
            for future in running:
                future.cancel()

    def has_died(self, error: Exception) -> bool:
        """Whether an error means that workers died; then new ones are started when needed."""
        if self._workers is None or not self._workers.is_death(error):
            return False
        self.__exit__(None, None, None)
        return True


def complete(
    pool: Pool,
    work: Callable[..., Any],
    tasks: Sequence[Task],
    keep: Callable[[Task, Any], None],
    stopped: Callable[[str], RunError],
) -> None:
    """Do all tasks, those of workers that died again.

    Args:
        work: a function of a module, which a worker can import.
        tasks: its arguments, each time.
        keep: called here with each task and its result, as they are finished.
        stopped: the error to raise, from the reason.

    Raises:
        RunError: workers died repeatedly, or memory ran out.
    """
    missing = {id(task): task for task in tasks}
    deaths = 0
    while missing:
        try:
            for task, result in pool.done(work, tuple(missing.values())):
                keep(task, result)
                del missing[id(task)]
                deaths = 0
        except MemoryError:
            raise stopped("out of memory (try fewer --workers)") from None
        except Exception as error:
            if not pool.has_died(error):
                raise
            deaths += 1
            if deaths == DEATHS_IN_A_ROW:
                raise stopped(
                    f"workers died {deaths} times without finishing a run: out of memory (try "
                    "fewer --workers), or killed"
                ) from None


def local(workers: int) -> Workers | None:
    """This machine's processes; with one worker the runs are made in this process."""
    return LocalProcesses(workers) if workers > 1 else None
