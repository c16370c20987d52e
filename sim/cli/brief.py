"""``pudong brief``: a briefing about a finished forecast."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sim.cli import options
from sim.cli.ending import errors


class BriefFormat(StrEnum):
    docx = "docx"
    pptx = "pptx"
    html = "html"
    pdf = "pdf"


class BriefLanguage(StrEnum):
    zh = "zh"
    en = "en"


def brief(
    directory: options.Forecast,
    target: Annotated[
        list[str] | None,
        typer.Option(
            help="Target with a section and charts of its own; may be given several times.",
            show_default="the three least likely",
        ),
    ] = None,
    format: Annotated[
        BriefFormat, typer.Option(help="Word, slides, web page or PDF.")
    ] = BriefFormat.docx,
    lang: Annotated[BriefLanguage, typer.Option("--lang", help="Language.")] = BriefLanguage.zh,
    history: Annotated[
        Path | None,
        typer.Option(
            help="Figures before the plan (CSV, as calibration/data/history.csv), for the charts.",
        ),
    ] = None,
    compare: Annotated[
        Path | None,
        typer.Option(
            help="What pudong compare left with this forecast's scenario as its base.",
        ),
    ] = None,
    day: Annotated[
        str | None,
        typer.Option("--date", help="Its date, 2026-11-24.", show_default="today"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="File.", show_default="DIR/brief-LANG.FORMAT"),
    ] = None,
) -> None:
    """Write a briefing: the answer, the board, charts, what drives it, what it rests on.

    Everything in it comes from the forecast's results; no run is made.
    """
    with errors() as console:
        from sim.analysis.naive import read_history
        from sim.analysis.published import read_published
        from sim.report.brief.compose import compose, day_of
        from sim.report.brief.writers import check, write
        from sim.report.places import file_for

        check(format.value)
        published = read_published(directory)
        default = directory / f"brief-{lang.value}.{format.value}"
        file = file_for(out or default, directory, f".{format.value}")
        written = day_of(day)
        past = read_history(history, published.finished.inputs) if history else []
        made = compose(
            published,
            lang.value,
            targets=target or [],
            past=past,
            compare=compare,
            day=written,
        )
        write(made, file)
        console.print(file, highlight=False, soft_wrap=True)
