"""A table that a spreadsheet has saved as text: its rows by column, whatever the dialect.

Read are UTF-8, UTF-16 with its mark (a spreadsheet's "Unicode text") and GB 18030 (what a Chinese
one saves as CSV); commas, semicolons or tabs between cells, named in a first line ``sep=;`` or
found by the names of the columns; empty rows and columns anywhere; rows that end early.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sim.errors import FileError, ObservationError, alike, shown, unknown
from sim.files import read_bytes
from sim.text import NO_TEXT, described

SEPARATORS = {",": "a comma", ";": "a semicolon", "\t": "a tab"}
OTHERS = "，；、|"  # that people type between columns, and that also stand in their text
SEARCHED = 20  # lines in which the names of the columns are looked for
SAVE = "save it as UTF-8 (in a spreadsheet: CSV UTF-8)"
BOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # how workbooks begin, new and old
DECLARED = re.compile(r'"?sep=(.)"?[,;\t]*\r?\n?', re.IGNORECASE)
BLANK = r"[\s\ufeff\u200b\u2060]+"  # seen as nothing
EDGES = re.compile(f"^{BLANK}|{BLANK}$")


@dataclass(frozen=True)
class Sheet:
    """The rows of a table.

    Attributes:
        rows: each with the line in which it ends; empty cells are left out.
        separator: what stands between cells.
    """

    rows: list[tuple[int, dict[str, str]]]
    separator: str


def read_sheet(
    path: Path, columns: Sequence[str], may_be_empty: Collection[str], words: Collection[str]
) -> Sheet:
    """Read a table whose first row names its columns, in any order.

    Args:
        columns: their names, all of which are needed.
        may_be_empty: those whose cells a row may lack at its end.
        words: what cells hold as they should; a Chinese one among them shows that text which is
            no UTF-8 was rightly taken for GB 18030, in which most bytes mean something.

    Raises:
        FileError: the file is missing, unreadable or no text.
        ObservationError: its form is wrong; names the line.
    """
    text, is_guess = _text(path)
    separator, start = _separator(text, columns)
    lines = io.StringIO(text[start:], newline="")
    reader = csv.reader(lines, delimiter=separator, strict=True)
    above = 1 if start else 0
    try:
        records = [
            (reader.line_num + above, [EDGES.sub("", cell) for cell in cells]) for cells in reader
        ]
    except csv.Error as error:
        raise ObservationError(f"{at(path, reader.line_num + above)}: {error}") from None
    records = [(line, cells) for line, cells in records if any(cells)]
    head = records[0][1] if records else []
    found = {cell for _, cells in records[1:] for cell in cells} & set(words)
    if is_guess and not any(not word.isascii() for word in found):
        raise FileError(f"{path}: is not UTF-8 text; {SAVE}")
    if not records:
        raise ObservationError(f"{path}: is empty; its first row must name the columns")
    _check_head(path, records, columns)
    rows = [
        (line, _row(at(path, line), head, cells, separator, may_be_empty))
        for line, cells in records[1:]
    ]
    return Sheet(rows, separator)


def at(path: Path, line: int, column: str = "") -> str:
    """The place of a problem, as ``file, line 12, column value``."""
    return f"{path}, line {line}" + (f", column {column}" if column else "")


def _text(path: Path) -> tuple[str, bool]:
    """A file's text, and whether its encoding is a guess: UTF-8 and UTF-16 show themselves."""
    raw = read_bytes(path)
    if raw.startswith(BOOKS):
        raise FileError(f"{path}: is a spreadsheet's own file; save the sheet as CSV UTF-8")
    is_guess = False
    try:
        if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            text = raw.decode("utf-16")
        else:
            try:
                text = raw.decode("utf-8")
            except UnicodeDecodeError:
                text, is_guess = raw.decode("gb18030"), True
    except UnicodeDecodeError:
        raise FileError(f"{path}: is not UTF-8 text; {SAVE}") from None
    text = text.lstrip("\ufeff")
    seen = text.replace("\ufeff", "")  # which spreadsheets leave, and nobody sees
    if odd := NO_TEXT.search(seen):
        line = len(re.findall(r"\r\n|\r|\n", seen[: odd.start()])) + 1
        found = described(odd.group())
        raise FileError(f"{at(path, line)}: found {found}; remove it, or {SAVE}")
    return text, is_guess


def _separator(text: str, columns: Collection[str]) -> tuple[str, int]:
    """What stands between cells, and where the table begins below a line ``sep=;``."""
    declared = DECLARED.match(text)
    if declared and declared[1] in SEPARATORS:
        return declared[1], declared.end()
    first = text.splitlines()[:SEARCHED]

    def known(separator: str) -> int:
        return max((len(_known(line.split(separator), columns)) for line in first), default=0)

    return max(SEPARATORS, key=known), 0


def _known(cells: Iterable[str], columns: Collection[str]) -> set[str]:
    """The columns that cells seem to name, however they are written."""
    return {alike(cell.strip('"')) for cell in cells} & set(columns)


def _check_head(
    path: Path, records: Sequence[tuple[int, list[str]]], columns: Sequence[str]
) -> None:
    line, head = records[0]
    place = at(path, line)
    below = [n for n, cells in records[1:SEARCHED] if len(_known(cells, columns)) > 1]
    if below and len(_known(head, columns)) < 2:
        found = shown(next(filter(None, head)))
        raise ObservationError(
            f"{place}: found {found}; the first row must name the columns, as line {below[0]} "
            "does: remove what stands above it"
        )
    other = [sign for sign in OTHERS if len(_known(" ".join(head).split(sign), columns)) > 1]
    if other:
        raise ObservationError(
            f"{place}: found {other[0]!r} between the columns; allowed: a comma, a semicolon, a tab"
        )
    for name in filter(None, head):
        if name not in columns:
            raise ObservationError(f"{place}: {unknown('column', name, columns)}")
        if head.count(name) > 1:
            raise ObservationError(f"{at(path, line, name)}: is given twice")
    missing = [name for name in columns if name not in head]
    if missing:
        raise ObservationError(f"{at(path, line, missing[0])}: is missing; it must be given")


def _row(
    place: str, head: list[str], cells: list[str], separator: str, may_be_empty: Collection[str]
) -> dict[str, str]:
    """A row's cells by column, empty ones left out."""
    named = [name for name in head if name]
    lacking = [name for name in head[len(cells) :] if name and name not in may_be_empty]
    extra = [cell for n, cell in enumerate(cells) if cell and (n >= len(head) or not head[n])]
    if lacking or extra:
        quotes = f"put text with {SEPARATORS[separator]} in quotes"
        why = f"{', '.join(lacking)}: missing" if lacking else f"{shown(extra[0])} is in no column"
        raise ObservationError(
            f"{place}: found {len(cells)} cells for {len(named)} columns; {why}; {quotes}"
        )
    return {name: cell for name, cell in zip(head, cells, strict=False) if name and cell}
