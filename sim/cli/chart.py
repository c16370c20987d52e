"""``pudong chart``: one chart of a finished forecast."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sim.cli import options
from sim.cli.ending import errors
from sim.cli.options import Language


class ChartKind(StrEnum):
    board = "board"
    fan = "fan"
    ridge = "ridge"
    map = "map"


class ChartFormat(StrEnum):
    png = "png"
    svg = "svg"
    pdf = "pdf"


def chart(
    directory: options.Forecast,
    kind: Annotated[
        ChartKind,
        typer.Option(
            help="board: all probabilities; fan: a target over time; ridge: where it ends in each "
            "zone; map: the plan's layout."
        ),
    ] = ChartKind.board,
    target: Annotated[str | None, typer.Option(help="Of fan, ridge and map.")] = None,
    zone: Annotated[str, typer.Option(help="Of fan.")] = "district",
    history: Annotated[
        Path | None,
        typer.Option(
            help="Figures before the plan (CSV, as calibration/data/history.csv), for fan."
        ),
    ] = None,
    format: Annotated[ChartFormat, typer.Option(help="Of the file.")] = ChartFormat.png,
    out: Annotated[
        Path | None, typer.Option(help="File.", show_default="in DIR/charts, by its kind")
    ] = None,
    lang: options.Lang = Language.both,
) -> None:
    """Draw one chart of a finished forecast; no run is made."""
    with errors() as console:
        from sim.analysis.naive import read_history
        from sim.analysis.published import read_published
        from sim.report.charts import save
        from sim.report.pictures import draw
        from sim.report.places import file_for

        published = read_published(directory)
        past = read_history(history, published.finished.inputs) if history else []
        figure = draw(
            published, kind.value, target=target, zone=zone, past=past, language=lang.value
        )
        parts = [kind.value, target, zone if zone != "district" else None]
        name = "-".join(part for part in parts if part)
        suffix = f".{format.value}"
        file = directory / "charts" / f"{name}{suffix}"
        if out is not None:
            file = file_for(out, directory, suffix)
        (written,) = save(figure, file.with_suffix(""), formats=(format.value,))
        console.print(written, highlight=False, soft_wrap=True)
