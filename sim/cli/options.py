"""Arguments and options that several subcommands take; each says its own default."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Language(StrEnum):
    zh = "zh"
    en = "en"
    both = "both"


Scenario = Annotated[Path, typer.Argument(help="Scenario file (YAML).")]
Base = Annotated[Path, typer.Argument(help="Scenario to compare with (YAML).")]
Forecast = Annotated[Path, typer.Argument(metavar="DIR", help="A finished forecast.")]

Seed = Annotated[int, typer.Option(help="Seed of all draws.")]
Workers = Annotated[int | None, typer.Option(help="Worker processes.", show_default="one a core")]
Cluster = Annotated[
    str | None,
    typer.Option(help="Address of a Dask scheduler that you trust, tls://host:8786 or tcp://…"),
]
Lang = Annotated[Language, typer.Option("--lang", help="Language of names and charts.")]
Charts = Annotated[bool, typer.Option(help="Draw the charts as PNG and SVG.")]


def names(text: str | None) -> list[str]:
    """The names in an option that takes several by comma."""
    return [name.strip() for name in (text or "").split(",") if name.strip()]
