"""How a subcommand ends: with one message where something is wrong, cleanly where it is stopped."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from sim.errors import InputError

KEPT = "; finished runs are kept, the same command goes on from them"


class Terminated(KeyboardInterrupt):
    """SIGTERM has come, which stops a command as Ctrl-C does, and also where that is ignored.

    A shell without job control has SIGINT ignored in what it starts in the background, so the one
    signal cannot be passed on as the other.
    """


@contextmanager
def errors(kept: str = "") -> Iterator[Console]:
    """What a user gave wrongly ends with one message and status 2; Ctrl-C with 130, SIGTERM 143.

    What no font can show is said at the end of a command that is well.

    ``kept``: what to say when the command had to stop in its midst.
    """
    from sim.cli.terminal import terminal
    from sim.errors import InputError, RunError

    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield terminal()
        remark()
    except InputError as error:
        complain(error)
        raise typer.Exit(2) from None
    except BrokenPipeError:
        raise
    except OSError as error:
        from sim.store import FULL, reason

        text = f"{error.filename or 'a file'}: cannot be used ({reason(error)})"
        complain(RunError(text + (kept if error.errno in FULL else "")))
        raise typer.Exit(2) from None
    except MemoryError:
        complain(RunError(f"out of memory{kept}"))
        raise typer.Exit(2) from None
    except KeyboardInterrupt as stop:
        typer.echo(f"Stopped{kept}.", err=True)
        number = signal.SIGTERM if isinstance(stop, Terminated) else signal.SIGINT
        raise typer.Exit(128 + number) from None
    finally:
        signal.signal(signal.SIGTERM, before)


def complain(error: InputError) -> None:
    from sim.text import visible

    typer.echo(visible(f"{type(error).__name__}: {error}"), err=True)


def remark() -> None:
    """Say which signs were met that no font has."""
    from sim.report import glyphs

    if said := glyphs.remark():
        typer.echo(f"Note: {said}.", err=True)


def _terminate(*_: object) -> NoReturn:
    raise Terminated
