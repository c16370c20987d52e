"""The runs that a subcommand makes: where, how far they are, and that they are kept."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from sim.cli.ending import KEPT, errors, say
from sim.executors import prepare

if TYPE_CHECKING:
    from rich.console import Console

    from sim.executors import Workers
    from sim.montecarlo import Progress


PATIENCE = 5.0  # seconds
UNGUARDED = (
    "whoever answers there is trusted to run code here; tls:// says who it is (docs/cluster.md)"
)


class Making(TypedDict):
    """How runs are made, in the words that every analysis takes."""

    seed: int
    out: Path
    workers: int | Workers
    on_progress: Progress


@contextmanager
def making_runs(workers: int | None, cluster: str | None) -> Iterator[Console]:
    """``errors`` of a command that makes runs; its workers start while it reads what it needs."""
    with errors(KEPT) as console:
        start_workers(workers, cluster)
        yield console


def start_workers(workers: int | None, cluster: str | None) -> None:
    """What workers here come from, if there are to be any, so that it loads the model meanwhile."""
    if workers != 1 and cluster is None:
        prepare()


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

    found = DaskCluster(cluster)
    if not found.is_guarded():
        say(f"--cluster {cluster}: {UNGUARDED}")
    return found


@contextmanager
def under_way(
    runs: int, seed: int, out: Path, workers: int | None, cluster: str | None
) -> Iterator[Making]:
    """What an analysis needs to make so many runs at most, and a bar that shows them."""
    with progress_bar(runs) as on_progress:
        where = runners(workers, cluster)
        yield Making(seed=seed, out=out, workers=where, on_progress=on_progress)


@contextmanager
def progress_bar(runs: int) -> Iterator[Progress]:
    """Shows runs done and needed, and the time left, where there is a terminal to show it in."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("runs"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, disable=not watched()) as bar, patience() as first_came:
        task = bar.add_task("runs", total=runs)

        def show(done: int, total: int) -> None:
            if done:
                first_came()
            bar.update(task, completed=done, total=total)

        yield show


def watched() -> bool:
    """Whether stderr is a terminal; a program may be started without any."""
    return sys.stderr is not None and sys.stderr.isatty()


@contextmanager
def patience() -> Iterator[Callable[[], None]]:
    """Says what takes so long when the first run is late; gives what is called when it has come."""

    def explain() -> None:
        if watched():
            sys.stderr.write(
                "no run has come in yet: the first time on a machine the model is compiled, which "
                "takes about half a minute\n"
            )

    timer = threading.Timer(PATIENCE, explain)
    timer.daemon = True
    timer.start()
    try:
        yield timer.cancel
    finally:
        timer.cancel()
