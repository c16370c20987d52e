"""Worker processes that all pages share: each has a few batches under way at a time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable
from concurrent.futures import Executor
from contextlib import ExitStack, aclosing
from typing import Any, TypeVar

from sim.dashboard.runs import Runs, make
from sim.errors import RunError
from sim.executors import LocalProcesses
from sim.montecarlo import DEATHS_IN_A_ROW

T = TypeVar("T")

RUNS_PER_BATCH = 5  # 0.1 s of the real district, so others hardly wait; a chunk is five of them


class Engine:
    """Makes runs in worker processes; a context manager.

    Whoever asks has one batch more under way than there are workers, so that two who ask share
    them evenly and none waits for the other to end.

    Args:
        workers: number of processes.
        seed: of all draws.
    """

    def __init__(self, workers: int, seed: int) -> None:
        self.seed = seed
        self._workers = LocalProcesses(workers)
        self._executor: Executor | None = None
        self._ending = ExitStack()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *error: object) -> None:
        self._executor = None
        self._ending.close()

    async def complete(self, runs: Runs, upto: int) -> AsyncGenerator[int]:
        """Add those of the first ``upto`` runs that are missing; gives how many have come so far.

        What is under way when the iteration is left is given up.

        Raises:
            RunError: workers died repeatedly, or memory ran out.
        """
        wanted = [(first, count) for first, count in runs.missing(RUNS_PER_BATCH) if first < upto]
        tasks = [(runs.inputs, self.seed, first, count) for first, count in wanted]
        made = 0
        async with aclosing(self.done(make, tasks)) as batches:
            async for batch in batches:
                runs.add(batch)
                made += len(batch.series)
                yield made

    async def done(
        self, work: Callable[..., T], tasks: Iterable[tuple[Any, ...]]
    ) -> AsyncGenerator[T]:
        """The results of tasks, as they come, in any order; likewise.

        Args:
            work: a function of a module, which a worker can import.
            tasks: its arguments, each time; each takes no longer than a batch of runs.
        """
        deaths = 0
        waiting = deque(tasks)
        running: dict[asyncio.Future[T], tuple[Any, ...]] = {}
        by: dict[asyncio.Future[T], Executor] = {}
        try:
            while waiting or running:
                while waiting and len(running) <= self._workers.count:
                    task = waiting.popleft()
                    future, executor = self._submit(work, task)
                    running[future], by[future] = task, executor
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for future in done:
                    task, executor = running.pop(future), by.pop(future)
                    try:
                        result = future.result()
                    except MemoryError:
                        raise RunError("out of memory; start again with fewer --workers") from None
                    except Exception as error:
                        if not self._workers.is_death(error):
                            raise
                        self._leave(executor)
                        deaths += 1
                        if deaths > DEATHS_IN_A_ROW * (self._workers.count + 1):
                            raise RunError("workers died again and again; out of memory?") from None
                        waiting.appendleft(task)
                        continue
                    deaths = 0
                    yield result
        finally:
            for future in running:
                future.cancel()

    def _submit(
        self, work: Callable[..., T], task: tuple[Any, ...]
    ) -> tuple[asyncio.Future[T], Executor]:
        """Ask for a task; of new workers, where the old ones died meanwhile."""
        for _ in range(DEATHS_IN_A_ROW):
            if self._executor is None:
                self._executor = self._ending.enter_context(self._workers.open())
            executor = self._executor
            try:
                future = executor.submit(work, *task)
            except Exception as error:
                if not self._workers.is_death(error):
                    raise
                self._leave(executor)
            else:
                return asyncio.wrap_future(future), executor
        raise RunError("workers cannot be started")

    def _leave(self, executor: Executor) -> None:
        """Leave workers that died, unless somebody did already; new ones start when needed."""
        if self._executor is executor:
            self._executor = None
            self._ending.close()
