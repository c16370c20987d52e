"""Where runs are made: worker processes on this machine, or elsewhere (see ``sim.cluster``).

All are ``concurrent.futures`` executors, so the code that asks for runs does not know which.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
from _thread import start_new_thread
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.context import BaseContext
from types import ModuleType
from typing import Any, Protocol

SOCKET = "/pymp-xxxxxxxx/listener-xxxxxxxx"  # what the fork server adds to the temporary directory
LONGEST_SOCKET = 103  # bytes of its path, by the strictest system

NO_LONGER_WAITS = (3, 11, 5)  # the Python whose pool closes that end itself
CLOSING = 5.0  # seconds that the pool's thread is waited for

SPAWN: Any = multiprocessing.get_context("spawn")
FORK_SERVER: Any = (
    multiprocessing.get_context("forkserver")
    if "forkserver" in multiprocessing.get_all_start_methods()
    else None
)
STARTING = threading.Lock()  # held while a process is started


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
    """Processes that inherit nothing from this one's threads; stopped at once when closed.

    What they do lies in modules, so the program that asks for runs is not loaded into them: a
    plain script needs no ``if __name__ == "__main__":``. Ctrl-C, which a terminal sends to them
    too, is left to the process that started them; when that is gone they end.
    """

    count: int

    @contextmanager
    def open(self) -> Iterator[Executor]:
        pool = ProcessPoolExecutor(self.count, mp_context=_context(), initializer=_begin)
        try:
            yield pool
        finally:
            workers = list((getattr(pool, "_processes", None) or {}).values())
            calls = getattr(pool, "_call_queue", None)
            results = getattr(pool, "_result_queue", None)
            manager = getattr(pool, "_executor_manager_thread", None)
            pool.shutdown(wait=False, cancel_futures=True)
            _let_go_of_cancelled(pool, manager)
            for worker in workers:
                worker.terminate()
            if calls is not None and sys.version_info < NO_LONGER_WAITS:
                calls._reader.close()  # or what is still sent would wait for a reader for ever
            if results is not None:
                # of a result that a worker was sending the pool would await the rest for ever
                results._writer.close()
            if manager is not None:
                manager.join(CLOSING)  # at the interpreter's end it would be met half closed

    def width(self) -> int:
        return self.count

    def is_death(self, error: BaseException) -> bool:
        return isinstance(error, BrokenProcessPool)


def _let_go_of_cancelled(pool: ProcessPoolExecutor, manager: threading.Thread | None) -> None:
    """Wait until the pool's thread has dropped the tasks that were cancelled.

    On Python 3.11 to 3.13 it fails of a cancelled task when workers are gone, and with nobody to
    read what is sent to them the program would never end.
    """
    last = time.monotonic() + CLOSING
    while manager is not None and manager.is_alive() and time.monotonic() < last:
        if not getattr(pool, "_cancel_pending_futures", False):
            return
        time.sleep(0.002)


def prepare() -> None:
    """Start what workers are forked from, so that it loads the model while this process does."""
    if _context().get_start_method() == "forkserver":
        from multiprocessing import forkserver

        with _deaf_children():
            forkserver.ensure_running()


def _context() -> BaseContext:
    """Forked from a server where there is one and its socket has a place, else from nothing."""
    if FORK_SERVER is None or not _socket_fits():
        return _Spawn()
    context = _ForkServer()
    context.set_forkserver_preload(["sim.montecarlo"])
    return context


def _socket_fits() -> bool:
    """Whether the fork server's socket can lie in the temporary directory, if there is any."""
    try:
        place = tempfile.gettempdir()
    except FileNotFoundError:
        return False
    return len(os.fsencode(place + SOCKET)) <= LONGEST_SOCKET


@contextmanager
def _deaf_children() -> Iterator[None]:
    """Processes started meanwhile never hear of Ctrl-C: what is blocked is so for their like too.

    This one hears of it afterwards.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # when it starts it lets through whatever was blocked
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _NoFile(ModuleType):
    """The main module for whoever looks something up in it, but without a file to load it from."""

    def __init__(self, main: ModuleType) -> None:
        super().__init__(main.__name__)
        self.__dict__.update(__spec__=None, __file__=None, _main=main)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_main"], name)


@contextmanager
def _main_hidden() -> Iterator[None]:
    """What a process is started with names no main module, which it would load and run again."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = _NoFile(main)
    try:
        yield
    finally:
        sys.modules["__main__"] = main


class _QuietStart:
    """A process that starts deaf to Ctrl-C and without the main module."""

    def start(self) -> None:
        with STARTING, _deaf_children(), _main_hidden():
            super().start()  # type: ignore[misc]


class _Spawned(_QuietStart, SPAWN.Process):
    pass


class _Spawn(type(SPAWN)):  # type: ignore[misc]
    Process = _Spawned


if FORK_SERVER is not None:

    class _Forked(_QuietStart, FORK_SERVER.Process):
        pass

    class _ForkServer(type(FORK_SERVER)):  # type: ignore[misc]
        Process = _Forked


def _begin() -> None:
    """What a worker does first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with_parent()


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
