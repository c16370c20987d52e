"""``pudong export``: a finished forecast as a workbook or as CSV files."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sim.cli import options
from sim.cli.ending import errors


class ExportFormat(StrEnum):
    xlsx = "xlsx"
    csv = "csv"


def export(
    directory: options.Forecast,
    format: Annotated[
        ExportFormat, typer.Option(help="One workbook, or a CSV file a table.")
    ] = ExportFormat.xlsx,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Workbook, or directory of the CSV files.",
            show_default="DIR/export.xlsx, DIR/export",
        ),
    ] = None,
) -> None:
    """Write a finished forecast as tidy tables, with units and a data dictionary."""
    with errors() as console:
        from datetime import datetime

        from sim.analysis.published import read_published
        from sim.report.places import file_for, folder_for
        from sim.report.sheets import sheets_of
        from sim.report.workbook import write_csv, write_workbook

        published = read_published(directory)
        if format == ExportFormat.xlsx:
            place = file_for(out or directory / "export.xlsx", directory, ".xlsx")
        else:
            place = folder_for(out or directory / "export", directory)
        sheets = sheets_of(published)
        if format == ExportFormat.xlsx:
            made = datetime.fromtimestamp((directory / "summary.json").stat().st_mtime)
            write_workbook(sheets, place, made)
            written = [place]
        else:
            written = write_csv(sheets, place)
        for file in written:
            console.print(file, highlight=False, soft_wrap=True)
