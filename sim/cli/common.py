"""What subcommands share: options, the ways to end, workers and progress."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli.ending import KEPT as KEPT
from sim.cli.ending import complain as complain
from sim.cli.ending import errors as errors

if TYPE_CHECKING:
    from sim.executors import Workers
    from sim.montecarlo import Progress


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
