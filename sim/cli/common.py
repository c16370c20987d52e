"""What subcommands share: options, the ways to end, workers and progress."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from sim.errors import InputError
    from sim.executors import Workers
    from sim.montecarlo import Progress

KEPT = "; finished runs are kept, the same command goes on from them"


class Language(StrEnum):
    zh = "zh"
    en = "en"
    both = "both"


ScenarioFile = Annotated[Path, typer.Argument(help="Scenario file (YAML).", show_default=False)]
LanguageOption = Annotated[Language, typer.Option("--lang", help="Language of names and charts.")]
SeedOption = Annotated[int, typer.Option(help="Seed of all draws.")]
WorkersOption = Annotated[
    int | None, typer.Option(help="Worker processes; default: one a core.", show_default=False)
]
ClusterOption = Annotated[
    str | None,
    typer.Option(help="Address of a Dask scheduler, tcp://host:8786.", show_default=False),
]


@contextmanager
def errors(kept: str = "") -> Iterator[Console]:
    """What a user gave wrongly ends with one message and status 2; Ctrl-C with 130.

    ``kept``: what to say when the command had to stop in its midst.
    """
    from rich.console import Console

    from sim.errors import InputError, RunError

    try:
        yield Console()
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
    except KeyboardInterrupt:
        typer.echo(f"Stopped{kept}.", err=True)
        raise typer.Exit(130) from None


def complain(error: InputError) -> None:
    typer.echo(f"{type(error).__name__}: {error}", err=True)


def cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def runners(workers: int | None, cluster: str | None) -> int | Workers:
    """Where the runs are made: on a cluster, or in processes here, one a core by default."""
    from sim.errors import RunError

    if cluster is None:
        return cores() if workers is None else workers
    if workers is not None:
        raise RunError("--workers and --cluster exclude each other; the cluster has its own")
    from sim.cluster import DaskCluster

    return DaskCluster(cluster)


@contextmanager
def progress_bar(runs: int, what: str = "runs") -> Iterator[Progress]:
    """Shows runs done and needed, and the time left, where there is a terminal to show it in."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    columns = (
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(what, total=runs)
        yield lambda done, total: bar.update(task, completed=done, total=total)
