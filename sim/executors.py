"""Where runs are made: worker processes on this machine, or a Dask cluster.

Both are ``concurrent.futures`` executors, so the code that asks for runs does not know which.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from sim.errors import RunError

CLUSTER_WAIT = 10.0  # seconds until an address counts as silent


class Workers(Protocol):
    """Somewhere to run: opens an executor, and knows how its workers die."""

    def open(self) -> Any:
        """A context manager that gives an executor and closes it."""

    def width(self) -> int:
        """How many tasks it runs at once."""

    def is_death(self, error: BaseException) -> bool:
        """Whether an error means that workers died, and not that a task failed."""


@dataclass(frozen=True)
class LocalProcesses:
    """Processes that inherit nothing from this one's threads; stopped at once when closed."""

    count: int

    @contextmanager
    def open(self) -> Iterator[Executor]:
        methods = multiprocessing.get_all_start_methods()
        method = "forkserver" if "forkserver" in methods else "spawn"
        context = multiprocessing.get_context(method)
        if method == "forkserver":
            context.set_forkserver_preload(["sim.montecarlo"])
        pool = ProcessPoolExecutor(self.count, mp_context=context)
        try:
            yield pool
        finally:
            workers = list((getattr(pool, "_processes", None) or {}).values())
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in workers:
                worker.terminate()

    def width(self) -> int:
        return self.count

    def is_death(self, error: BaseException) -> bool:
        return isinstance(error, BrokenProcessPool)


class DaskCluster:
    """The workers of a running Dask scheduler.

    Args:
        address: the scheduler's, as ``tcp://host:8786``.

    Raises:
        RunError: Dask is not installed, nothing answers, or no worker is there.
    """

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client
            from distributed.scheduler import KilledWorker
        except ImportError:
            raise RunError(
                "--cluster: Dask is not installed; pip install 'pudong-sim[cluster]' brings it"
            ) from None
        self._killed = KilledWorker
        try:
            self.client = Client(address, timeout=CLUSTER_WAIT, set_as_default=False)
            self.cores = sum(self.client.ncores().values())
        except (OSError, TimeoutError, ValueError) as error:
            raise RunError(
                f"--cluster {address}: no Dask scheduler answers there within {CLUSTER_WAIT:.0f} s "
                f"({type(error).__name__}); give the address that the scheduler prints, "
                "like tcp://host:8786"
            ) from None
        if not self.cores:
            self.client.close()
            raise RunError(f"--cluster {address}: the scheduler has no worker; start some first")

    @contextmanager
    def open(self) -> Iterator[Executor]:
        # pure=False: a task asked for again is made again
        executor = self.client.get_executor(pure=False, retries=3)
        try:
            yield executor
        finally:
            executor.shutdown(wait=False)
            self.client.close()

    def width(self) -> int:
        return int(self.cores)

    def is_death(self, error: BaseException) -> bool:
        return isinstance(error, self._killed)
