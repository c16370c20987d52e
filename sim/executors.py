"""Where runs are made: worker processes on this machine, or elsewhere (see ``sim.cluster``).

All are ``concurrent.futures`` executors, so the code that asks for runs does not know which.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.context import BaseContext
from typing import Any, Protocol


class Workers(Protocol):
    """Somewhere to run: opens an executor, and knows how its workers die."""

    def open(self) -> Any:
        """A context manager that gives an executor and closes it."""

    def width(self) -> int:
        """How many tasks it runs at once."""

    def is_death(self, error: BaseException) -> bool:
        """Whether an error means that workers died, and their tasks are to be asked for again."""


@dataclass(frozen=True)
class LocalProcesses:
    """Processes that inherit nothing from this one's threads; stopped at once when closed."""

    count: int

    @contextmanager
    def open(self) -> Iterator[Executor]:
        context = _context()
        pool = ProcessPoolExecutor(self.count, mp_context=context)
        try:
            yield pool
        finally:
            workers = list((getattr(pool, "_processes", None) or {}).values())
            results = getattr(pool, "_result_queue", None)
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in workers:
                worker.terminate()
            if results is not None:
                # of a result that a worker was sending the pool would await the rest for ever
                results._writer.close()

    def width(self) -> int:
        return self.count

    def is_death(self, error: BaseException) -> bool:
        return isinstance(error, BrokenProcessPool)


def prepare() -> None:
    """Start what workers are forked from, so that it loads the model while this process does."""
    if _context().get_start_method() == "forkserver":
        forkserver.ensure_running()


def _context() -> BaseContext:
    methods = multiprocessing.get_all_start_methods()
    method = "forkserver" if "forkserver" in methods else "spawn"
    context = multiprocessing.get_context(method)
    if method == "forkserver":
        context.set_forkserver_preload(["sim.montecarlo"])
    return context
