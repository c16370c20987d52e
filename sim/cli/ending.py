"""How a subcommand ends: with one message where something is wrong, cleanly where it is stopped."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from traceback import walk_tb
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from sim.stopping import STOPS, Stopped
from sim.text import visible

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.console import Console

    from sim.errors import InputError

T = TypeVar("T")

PRINTING = ("rich.console", __name__)  # what writes to stdout

MOST_NAMED = 3  # charts that a message names one by one
KEPT = "; finished runs are kept, the same command goes on from them"
INTERRUPTED = 130


@contextmanager
def errors(kept: str = "") -> Iterator[Console]:
    """What a user gave wrongly ends with one message and status 2, a stop with 128 + its signal.

    A stop that comes before the last word is out ends the command as stopped; one that comes
    later finds it finished. ``kept``: what to say when the command had to stop in its midst.
    What no font can show is said at the end of a command that is well.
    """
    from sim.cli.terminal import terminal
    from sim.errors import InputError, RunError

    STOPS.last_words = f"Stopped{kept}."
    try:
        with STOPS:
            yield terminal()
            remark()
            if sys.stdout is not None:
                sys.stdout.flush()
    except InputError as error:
        complain(error)
        raise typer.Exit(2) from None
    except BrokenPipeError:
        raise
    except OSError as error:
        from sim.store import FULL

        complain(RunError(f"{_what(error)} ({why(error)}){kept if error.errno in FULL else ''}"))
        raise typer.Exit(2) from None
    except MemoryError:
        complain(RunError(f"out of memory{kept}"))
        raise typer.Exit(2) from None
    except KeyboardInterrupt as stop:
        STOPS.rest()  # it may have come in the very moment in which the block ended
        say(f"Stopped{kept}.")
        status = stop.status if isinstance(stop, Stopped) else INTERRUPTED
        raise typer.Exit(status) from None


def complain(error: InputError) -> None:
    say(f"{type(error).__name__}: {error}")


def remark() -> None:
    """Say which signs were met that no font has."""
    from sim.report import glyphs

    if said := glyphs.remark():
        say(f"Note: {said}.")


def say(text: str) -> None:
    """On stderr, where there is one that takes it."""
    with suppress(OSError):
        typer.echo(visible(text), err=True)


class Finish:
    """The steps after the work: one that fails leaves the others to be done, and is said at last.

    Files come first, then charts, then what is printed: so nothing that can be written is lost
    to a font or a terminal.

    Args:
        charts: whether any are drawn.
        kept: as in ``errors``.
    """

    def __init__(self, charts: bool = True, kept: str = "") -> None:
        self._charts = charts
        self._kept = kept
        self._failed: dict[str, list[str]] = {}  # what, by why

    def __enter__(self) -> Finish:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        from sim.errors import InputError, RunError, listed

        if self._failed and (error is None or isinstance(error, InputError | OSError)):
            said = [_some(names) + reason for reason, names in self._failed.items()]
            if error is not None:
                said.append(str(error) if isinstance(error, InputError) else why(error))
            raise RunError(listed(said) + self._kept) from None

    def do(self, step: Callable[..., T], *arguments: Any, **settings: Any) -> T | None:
        """What a step gives; nothing where something was wrong with it."""
        from sim.errors import InputError

        try:
            return step(*arguments, **settings)
        except InputError as error:
            self._fail("", str(error))
        except OSError as error:
            self._fail("", f"{_what(error)} ({why(error)})")
        return None

    def draw(
        self,
        place: Path,
        chart: Callable[..., Figure],
        *arguments: Any,
        formats: Sequence[str] = ("png", "svg"),
        **settings: Any,
    ) -> list[Path]:
        """Draw a chart as files, its name without suffix given; those that are there."""
        from sim.report.charts import save

        if not self._charts:
            return []
        try:
            return save(chart(*arguments, **settings), place, formats)
        except Exception as error:  # of fonts and of a library, whatever it is
            self._fail(str(place), f": cannot be drawn ({why(error)})")
        return []

    def _fail(self, what: str, reason: str) -> None:
        self._failed.setdefault(reason, []).append(what)


def _what(error: OSError) -> str:
    """What the system would not let be used: a file, or else where the output goes."""
    if error.filename:
        return f"{error.filename}: cannot be used"
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    if frames and frames[-1].f_globals.get("__name__") in PRINTING:
        sys.stdout = None  # else Python tries once more at its end, and complains
        return "standard output: cannot be written"
    return "a file: cannot be used"


def _some(names: list[str]) -> str:
    shown = names[:MOST_NAMED]
    more = len(names) - len(shown)
    return ", ".join([*shown, *[f"{more} more"] * (more > 0)])


def why(error: Exception) -> str:
    """Why something failed, in a few words on one line."""
    from sim.errors import shown_text
    from sim.store import reason

    if isinstance(error, OSError):
        return reason(error)
    if isinstance(error, MemoryError):
        return "out of memory"
    return shown_text(f"{type(error).__name__}: {error}", 120)
