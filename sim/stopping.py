"""Ctrl-C and its like: a program that is told to stop once does stop, whatever it is doing.

Python raises an exception in whatever its main thread is at. In a callback of the garbage
collector, of C code or of a library that exception is dropped, and the work would go on to its
end. So a stop is written down first and then raised, and raised again until it has come through.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

AGAIN = 0.2  # seconds until a stop that was dropped is raised again
ONE_PRESS = 1.0  # seconds within which two signals are one press: a wrapper passed it on
PATIENCE = 10.0  # seconds that clearing up may take before it is cut short

SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


class Stopped(KeyboardInterrupt):
    """The program was told to stop; ``status`` is what a shell expects it to end with."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.status = 128 + number


class Stops:
    """Hears the signals that stop a program. There is one, as a process has one of each signal.

    ``with`` it, a stop is raised, and again where it was swallowed; so is one that came before.
    Whatever the block ends with, it ends with the stop if one was asked for by then. Outside, a
    stop is only written down; a second one ends the program at once.

    A signal that was ignored when the program began stays ignored: a shell has Ctrl-C ignored in
    what it starts in the background, and ``nohup`` a hangup.
    """

    def __init__(self) -> None:
        self.last_words = "Stopped."  # said by a program that cannot be waited for
        self.status: int | None = None  # what the program ends with, once that is decided
        self._asked: int | None = None
        self._since = 0.0
        self._heeding = False
        self._for_life = False
        self._before: dict[int, Any] = {}
        self._said_before: Callable[[Any], object] = sys.unraisablehook

    def listen(self) -> None:
        """Hear signals from here to the end of the program."""
        self._for_life = True
        self._install()
        atexit.register(self._close)  # the first to be registered, so the last to be called

    def __enter__(self) -> None:
        if not self._before and threading.current_thread() is threading.main_thread():
            self._install()
        self._heeding = True
        if self._asked is not None:
            raise Stopped(self._asked)

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        asked = self.rest()
        if asked is not None and not isinstance(error, Stopped):
            raise Stopped(asked) from None

    def rest(self) -> int | None:
        """Raise no more; the signal that has been heard, if any."""
        self._heeding = False
        asked = self._asked
        if self._before and not self._for_life:
            self.settle()
            for number, handler in self._before.items():
                signal.signal(number, handler)
            self._before.clear()
            sys.unraisablehook = self._said_before
        return asked

    def settle(self) -> None:
        """The stop was heeded by a part that ends in this way: all is as if none had come."""
        self._asked = None
        _ring_every(0.0)

    def _install(self) -> None:
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._hear)
        if hasattr(signal, "setitimer"):
            self._before[signal.SIGALRM] = signal.signal(signal.SIGALRM, self._ring)
        self._said_before = sys.unraisablehook
        sys.unraisablehook = self._say

    def _close(self) -> None:
        """All has been done but for the interpreter's last breath, which nothing may disturb."""
        _ring_every(0.0)
        for number in self._before:
            signal.signal(number, signal.SIG_IGN)

    def _hear(self, number: int, frame: object) -> None:
        now = time.monotonic()
        if self._asked is None:
            self._asked, self._since = number, now
            _ring_every(AGAIN)
            if self._heeding:
                raise Stopped(number)
        elif now - self._since > ONE_PRESS:
            self._leave()

    def _ring(self, number: int, frame: object) -> None:
        if self._asked is None:
            return
        if time.monotonic() - self._since > PATIENCE:
            self._leave()
        if self._heeding and not _coming_through():
            raise Stopped(self._asked)

    def _say(self, dropped: Any) -> None:
        """Say nothing of a stop that was dropped: it comes again."""
        if not isinstance(dropped.exc_value, Stopped):
            self._said_before(dropped)

    def _leave(self) -> None:
        """End at once. Workers end by themselves when the process that started them is gone."""
        status = self.status
        if status is None:
            status = 128 + (self._asked or 0)
            with suppress(OSError):
                os.write(2, f"{self.last_words}\n".encode())
        os._exit(status)


def _ring_every(seconds: float) -> None:
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds, seconds)


def _coming_through() -> bool:
    """Whether a stop is on its way up just now, through what clears up behind it."""
    error = sys.exception()
    while error is not None:
        if isinstance(error, Stopped):
            return True
        error = error.__context__
    return False


STOPS = Stops()
