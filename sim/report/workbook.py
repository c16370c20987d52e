"""Tidy tables as files: one Excel workbook, or a CSV file each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.cells import cell_len

from sim.report.extra import needed
from sim.report.sheets import Column, Look, Sheet
from sim.store import whole_file, write_text
from sim.text import csv_text

WIDTHS = {
    "text": (8, 46),
    "long": (24, 90),
    "share": (11, 16),
    "number": (11, 18),
    "count": (9, 12),
}
FORMATS: dict[Look, dict[str, object]] = {
    "text": {},
    "long": {"text_wrap": True},
    "share": {"num_format": "0.0%"},
    "number": {"num_format": "#,##0.00"},
    "count": {"num_format": "#,##0"},
}
HEADER = {
    "bold": True,
    "text_wrap": True,
    "valign": "vcenter",
    "bg_color": "#CCE3F0",
    "bottom": 1,
}
LARGE, SMALL = 100.0, 0.01  # from where on decimals do not matter, and up to where two are too few


def write_workbook(sheets: Sequence[Sheet], path: Path, made: datetime) -> None:
    """Write an .xlsx file, whole or not at all: one sheet a table, headers in both languages.

    Numbers are numbers, missing figures empty cells; the header stays in view.

    Args:
        made: when the forecast was made, the workbook's date.

    Raises:
        RunError: the library is not installed.
        OSError: the disk does not take it.
    """
    xlsxwriter = needed("xlsxwriter", "workbooks")
    with whole_file(path) as draft:
        book = xlsxwriter.Workbook(
            str(draft), {"strings_to_formulas": False, "strings_to_urls": False}
        )
        book.set_properties({"title": sheets[0].name.en, "created": made})
        looks: dict[str, Any] = {
            key: book.add_format({"valign": "top"} | look) for key, look in FORMATS.items()
        }
        looks["large"] = book.add_format({"valign": "top", "num_format": "#,##0"})
        looks["small"] = book.add_format({"valign": "top", "num_format": "0.00E+00"})
        header = book.add_format(HEADER)
        for sheet in sheets:
            page = book.add_worksheet(f"{sheet.name.zh} {sheet.name.en}"[:31])
            _fill(page, sheet, looks, header)
        book.close()


def write_csv(sheets: Sequence[Sheet], folder: Path) -> list[Path]:
    """Write a .csv file a table: UTF-8 with a mark, so that Excel reads the Chinese."""
    texts = {
        folder / f"{sheet.key}.csv": csv_text(sheet.rows[[c.key for c in sheet.columns]])
        for sheet in sheets
    }
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in texts.items():
        write_text(file, "\ufeff" + text)
    return list(texts)


def _fill(page: Any, sheet: Sheet, looks: dict[str, Any], header: Any) -> None:
    for place, column in enumerate(sheet.columns):
        values = sheet.rows[column.key]
        page.set_column(place, place, _width(column, values))
        page.write_string(0, place, f"{column.name.zh}\n{column.name.en}", header)
        for row, value in enumerate(values.tolist(), start=1):
            _write(page, row, place, value, column.look, looks)
    page.set_row(0, 34)
    page.freeze_panes(1, 0)
    page.autofilter(0, 0, len(sheet.rows), len(sheet.columns) - 1)
    page.set_landscape()
    page.fit_to_pages(1, 0)
    page.repeat_rows(0)


def _write(page: Any, row: int, place: int, value: Any, look: Look, looks: dict[str, Any]) -> None:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        page.write_blank(row, place, None, looks["text"])
    elif isinstance(value, str):
        page.write_string(row, place, value, looks[look])
    else:
        shown: str = look
        if look == "number" and (abs(value) >= LARGE or float(value).is_integer()):
            shown = "large"
        elif look == "number" and abs(value) < SMALL:
            shown = "small"
        page.write_number(row, place, value, looks[shown])


def _width(column: Column, values: pd.Series) -> float:
    low, high = WIDTHS[column.look]
    heads = [cell_len(column.name.zh), cell_len(column.name.en)]
    longest = max([*heads, *(cell_len(text) for text in values if isinstance(text, str))])
    return float(min(max(longest + 2, low), high))
