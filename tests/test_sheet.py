"""Figures come as spreadsheets leave them: read where one meaning is left, refused elsewhere."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st

from sim.analysis import written
from sim.analysis.observations import Observation, read_table
from sim.errors import FileError, InputError, ObservationError
from tests.figures import cells, figure, write_figures

UNITS = {"ic_scale": "亿元", "ai_firms": "家"}
COLUMNS = [*(name for name in Observation.model_fields if name != "note"), "note"]
AMBIGUOUS = "which may be"
WIDE = {ord(sign): ord(sign) + 0xFEE0 for sign in "0123456789.,-/:"}


def read(file: Path) -> list[Observation]:
    return read_table(file, Observation, UNITS, lambda _: iter(()))


def refused(file: Path) -> str:
    with pytest.raises(InputError) as caught:
        read(file)
    return str(caught.value)


# Texts as people write them, with whatever separates cells, and in signs that GBK has too.
TEXTS = st.text(st.sampled_from("abz XYZ,;\t\"'。，；：（）浦东新区家亿元％%1=#"), min_size=1).map(
    str.strip
)


@st.composite
def figures(draw: st.DrawFn) -> list[dict[str, object]]:
    amounts = st.decimals("0.01", "9999999", places=2, allow_nan=False).map(float)
    ratio = st.tuples(st.integers(50, 99), st.integers(101, 200))
    rows = []
    for number in range(draw(st.integers(1, 4))):
        low, high = draw(
            st.one_of(st.just(("", "")), ratio.map(lambda ends: (ends[0] / 100, ends[1] / 100)))
        )
        indicator = draw(st.sampled_from(sorted(UNITS)))
        rows.append(
            cells(
                id=f"row_{number}",
                indicator=indicator,
                unit=UNITS[indicator],
                month=draw(st.dates(date(2000, 1, 1), date(2029, 12, 31))).strftime("%Y-%m"),
                value=draw(st.one_of(amounts, st.integers(1, 99_999_999).map(float))),
                definition_ratio_low=low,
                definition_ratio_high=high,
                noise_sd=draw(st.integers(1, 99)) / 100,
                source_title=draw(TEXTS.filter(bool)),
                source_date=draw(st.dates(date(2000, 1, 1), date(2029, 12, 31))).isoformat(),
                note=draw(TEXTS),
            )
        )
    return rows


NAMES = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
MONTHS: list[Callable[[int, int], str]] = [
    lambda year, month: f"{year}-{month:02d}",
    lambda year, month: f"{year}/{month}",
    lambda year, month: f"{year}.{month:02d}",
    lambda year, month: f"{year}年{month}月",
    lambda year, month: f"{year}年{month}月28日",
    lambda year, month: f"{year}/{month}/1",
    lambda year, month: f"{year}-{month:02d}-01 00:00:00",
    lambda year, month: f"28/{month:02d}/{year}",
    lambda year, month: f"{NAMES[month - 1]}-{year % 100:02d}",
    lambda year, month: f"{NAMES[month - 1].upper()} {year}",
    lambda year, month: f"{month}/{year}",
]
DAYS: list[Callable[[date], str]] = [
    date.isoformat,
    lambda day: f"{day.year}/{day.month}/{day.day}",
    lambda day: f"{day.year}.{day.month}.{day.day}",
    lambda day: f"{day.year}年{day.month}月{day.day}日",
    lambda day: f"{day.day}-{NAMES[day.month - 1]}-{day.year}",
    lambda day: f"{NAMES[day.month - 1]} {day.day}, {day.year}",
    lambda day: f"{day.isoformat()} 0:00",
]


@dataclass(frozen=True)
class Dialect:
    """How a spreadsheet, its country and its user write a table."""

    encoding: str
    separator: str
    declared: bool
    quoting: int
    newline: str
    mark: str
    groups: str
    month: Callable[[int, int], str]
    day: Callable[[date], str]
    wide: bool
    around: str
    columns: list[str]
    extra_columns: int
    blank_rows: int
    cut_short: bool

    def number(self, value: object) -> str:
        if value == "":
            return ""
        text = f"{value:,.2f}".removesuffix(".00") if self.groups else f"{value:.2f}"
        text = text.translate({ord(","): self.groups, ord("."): self.mark})
        return text.translate(WIDE) if self.wide else text

    def cell(self, column: str, value: object) -> str:
        if Observation.model_fields[column].annotation is float:
            return self.number(value)
        text = str(value)
        if column == "month":
            text = self.month(int(text[:4]), int(text[5:]))
        elif column == "source_date":
            text = self.day(date.fromisoformat(text))
        return text.translate(WIDE) if self.wide and column in ("month", "source_date") else text

    def write(self, rows: list[dict[str, object]]) -> bytes:
        table = [
            self.columns,
            *([self.cell(c, row.get(c, "")) for c in self.columns] for row in rows),
        ]
        stream = io.StringIO(newline="")
        writer = csv.writer(
            stream, delimiter=self.separator, quoting=self.quoting, lineterminator=self.newline
        )
        if self.declared:
            stream.write(f"sep={self.separator}{self.newline}")
        for row in table:
            padded = [text and self.around + text + self.around for text in row]
            padded += [""] * self.extra_columns
            while self.cut_short and row is not table[0] and not padded[-1]:
                padded.pop()
            writer.writerow(padded)
            stream.write((self.separator * len(row) + self.newline) * self.blank_rows)
        text = stream.getvalue()
        if self.encoding == "doubled":
            return 2 * codecs.BOM_UTF8 + text.encode()
        return text.encode(self.encoding)


@st.composite
def dialects(draw: st.DrawFn) -> Dialect:
    mark = draw(st.sampled_from(".,"))
    columns = COLUMNS if draw(st.booleans()) else draw(st.permutations(COLUMNS))
    return Dialect(
        encoding=draw(
            st.sampled_from(["utf-8", "utf-8-sig", "doubled", "utf-16", "gbk", "gb18030"])
        ),
        separator=draw(st.sampled_from(",;\t")),
        declared=draw(st.booleans()),
        quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
        newline=draw(st.sampled_from(["\n", "\r\n", "\r"])),
        mark=mark,
        groups=draw(st.sampled_from(["", "." if mark == "," else ",", "\u00a0", "\u2009"])),
        month=draw(st.sampled_from(MONTHS)),
        day=draw(st.sampled_from(DAYS)),
        wide=draw(st.booleans()),
        around=draw(st.sampled_from(["", " ", "\u3000"])),
        columns=list(columns),
        extra_columns=draw(st.integers(0, 2)),
        blank_rows=draw(st.integers(0, 1)),
        # what ends early can be told only where the last column may be empty
        cut_short=draw(st.booleans()) and columns[-1] == "note",
    )


@given(figures(), dialects())
def test_figures_are_the_same_in_every_dialect(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, object]], dialect: Dialect
) -> None:
    try:
        raw = dialect.write(rows)
    except UnicodeEncodeError:  # GBK lacks the thin space
        assume(False)
    folder = tmp_path_factory.getbasetemp()
    plain, other = write_figures(folder / "plain.csv", rows), folder / "other.csv"
    other.write_bytes(raw)
    could_be_two = (
        dialect.mark == ","
        and dialect.groups == "."
        and any(
            1000 <= float(str(row["value"])) < 1e6 and float(str(row["value"])).is_integer()
            for row in rows
        )
    )
    event(f"could be two: {could_be_two}")
    if could_be_two:
        assert AMBIGUOUS in refused(other)
    else:
        assert read(other) == read(plain)


@pytest.mark.parametrize(
    ("mark", "text", "value"),
    [
        (".", "1,300", 1300),
        (".", "１，３００", 1300),
        (".", "1,300,000.5", 1_300_000.5),
        (".", "1.300", 1.3),
        (".", "1\u00a0300", 1300),
        (".", "1.3E+03", 1300),
        (".", "٣٠٠", 300),
        (".", "5.", 5),
        (",", "0,5", 0.5),
        (",", "0,125", 0.125),
        (",", "1.300,5", 1300.5),
        (",", "1.300.000", 1_300_000),
        (",", "1,1250", 1.125),
        (None, "1300", 1300),
    ],
)
def test_a_number_with_one_meaning_is_read(mark: str | None, text: str, value: float) -> None:
    assert written.number(text, mark) == value


@pytest.mark.parametrize(
    ("mark", "text", "why"),
    [
        (",", "1.300", "may be 1300 or 1.3; write 1300, or 1,3000"),
        (",", "1,300", "may be 1300 or 1.3; write 1300, or 1,3000"),
        (None, "12,345", "may be 12345 or 12.345"),
        (".", "0,5", "does not fit the table's other numbers"),
        (",", "0.5", "does not fit the table's other numbers"),
        (".", "1,0000", "does not fit the table's other numbers"),
        (None, "1,0000", "write it without signs between its thousands"),
        (".", "13,00", "does not fit"),
        (".", "1 300", "a number is needed"),
        (".", "10%", "0.1 for a share of a tenth"),
        (".", "１０％", "0.1 for a share of a tenth"),
        (".", "300家", "its unit stands in the column unit"),
        (".", "1.3万", "its unit stands in the column unit"),
        (".", "10²", "a number alone is needed"),
        (".", "1_000", "a number is needed"),
        (".", "#REF!", "an error of the spreadsheet"),
        (".", "1e999", "a finite number is needed"),
        (".", "", "a number is needed"),
    ],
)
def test_a_number_that_may_mean_another_is_refused(mark: str | None, text: str, why: str) -> None:
    with pytest.raises(ValueError, match="found") as caught:
        written.number(text, mark)
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("month", "why"),
    [
        ("2021.1", "may be January or October"),
        ("44561", "a spreadsheet's count of days"),
        ("01/12/2021", "may be two days"),
        ("21-Dec", "a month is written like 2021-12"),
        ("Dec-35", "a month is written like 2021-12"),
        ("202112", "a month is written like 2021-12"),
        ("2021", "a month is written like 2021-12"),
        ("2021-02-30", "a month is written like 2021-12"),
    ],
)
def test_a_date_that_may_mean_another_month_is_refused(
    month: str, why: str, tmp_path: Path
) -> None:
    said = refused(write_figures(tmp_path / "x.csv", [cells(month=month)]))
    assert "x.csv, line 2, column month: found" in said
    assert why in said


def test_one_table_has_one_decimal_mark(tmp_path: Path) -> None:
    rows = [cells(id="a"), cells(id="b", value="0.7"), cells(id="c", value="0,7")]
    said = refused(write_figures(tmp_path / "x.csv", rows))
    assert "line 4, column value: found '0,7', which does not fit" in said


def table(**changes: object) -> str:
    row = cells(**changes)
    return ",".join(COLUMNS) + "\n" + ",".join(str(row.get(name, "")) for name in COLUMNS) + "\n"


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (("浦东新区\n" + table()).encode(), "line 1: found '浦东新区'; the first row must name"),
        (("\n标题,,\n\n" + table()).encode(), "as line 4 does: remove what stands above it"),
        (table().replace(",", "，").encode(), "found '，' between the columns; allowed: a comma"),
        (table().replace("noise_sd", "Noise SD").encode(), "'Noise SD'; did you mean 'noise_sd'?"),
        (table().replace("value", "ＶＡＬＵＥ").encode(), "'ＶＡＬＵＥ'; did you mean 'value'?"),
        (
            (table().strip() + ",,x\n").encode(),
            "found 16 cells for 14 columns; 'x' is in no column",
        ),
        (table().replace("note\n", "note,\n").strip().encode() + b",x", "'x' is in no column"),
        (table(source_title="a,b", note="c").encode(), "put text with a comma in quotes"),
        (
            (table() + "two,ic_scale\n").encode(),
            "line 3: found 2 cells for 14 columns; zone, month, value, unit, kind, noise_sd, s",
        ),
        (table(unit="t", source_title="Société").encode("latin-1"), "is not UTF-8 text"),
        (table(unit="億元").encode("big5"), "is not UTF-8 text"),
        (table().encode("utf-16-le"), "control character U+0000"),
        (table().encode()[:-30] + "家".encode()[:2], "is not UTF-8 text"),
        (b"PK\x03\x04" + b"\x00" * 9, "is a spreadsheet's own file; save the sheet as CSV UTF-8"),
        (b"", "is empty; its first row must name the columns"),
        (b"\xef\xbb\xbf\r\n,,\r\n", "is empty; its first row must name the columns"),
        (table().splitlines()[0].encode(), "holds no observation"),
    ],
)
def test_what_is_wrong_with_a_table_is_named(raw: bytes, why: str, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(raw)
    said = refused(file)
    assert said.startswith(str(file))
    assert why in said


def test_a_table_without_a_chinese_unit_is_not_taken_for_gb_18030(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(table(unit="USD", source_title="浦东").encode("gbk"))
    with pytest.raises(FileError, match="is not UTF-8 text; save it as UTF-8"):
        read(file)
    file.write_bytes(table(source_title="浦东").encode("gbk"))
    assert read(file) == [figure(source_title="浦东")]


def test_the_line_that_names_the_separator_counts(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("sep=;\n" + table(value="many").replace(",", ";"), encoding="utf-8")
    with pytest.raises(ObservationError, match=r"x\.csv, line 3, column value: found 'many'"):
        read(file)


def test_a_missing_table_is_sought_among_its_neighbours(tmp_path: Path) -> None:
    write_figures(tmp_path / "figures.csv", [cells()])
    assert "did you mean 'figures.csv'?" in refused(tmp_path / "figure.csv")
