"""Numbers and dates as people and spreadsheets write them: read where one meaning is left.

A number: ``1300``, ``1,300`` and ``1.3E+03``; with a decimal comma ``1300,5`` and ``1.300,5``. A
table has one decimal mark, which shows in those of its numbers that have one reading only, such as
``0.02``. What could still be two numbers is refused. A date: ``2021-12``, ``2021/12/31``,
``2021年12月``, ``Dec-21``; what could be two months is refused.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable
from datetime import date

from sim.errors import shown

# Full-width signs and the true minus as the keyboard has them. Unlike the compatibility forms of
# Unicode this leaves ² alone, which would turn 10² into 102.
HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x2212: "-", 0x3000: " "}

# A spreadsheet's spaces between groups of digits: one that does not break a line, a thin one.
GROUP_SPACE = "\u00a0\u2009\u202f"
NUMBER = (
    r"[-+]?(?:[0-9]+|(?:[1-9][0-9]{{0,2}})(?:(?:{group}[0-9]{{3}})+|(?:[{space}][0-9]{{3}})+)"
    r"|(?={mark}[0-9]))(?:{mark}[0-9]*)?(?:[eE][-+]?[0-9]+)?"
)
GROUPS = {".": ",", ",": "."}  # what stands between groups of three digits, by decimal mark
FORMS = {
    mark: re.compile(NUMBER.format(group=re.escape(group), mark=re.escape(mark), space=GROUP_SPACE))
    for mark, group in GROUPS.items()
}
BY_TEN_THOUSANDS = re.compile(r"[-+]?[1-9][0-9]{0,3}(,[0-9]{4})+")  # as some in China group

NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
ENGLISH = {name: number for number, name in enumerate(NAMES, start=1)}
YEAR = r"(?P<year>(?:19|20|21)[0-9]{2})"
MONTH = r"(?P<month>0?[1-9]|1[0-2])"
DAY = r"(?P<day>0?[1-9]|[12][0-9]|3[01])"
WORD = (
    r"(?P<word>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
GAP = r"[-/. ]"
DATES = [
    re.compile(form)
    for form in (
        rf"{YEAR}(?P<gap>[-/.]){MONTH}(?:(?P=gap){DAY})?",
        rf"{YEAR} ?年 ?{MONTH} ?月(?: ?{DAY} ?[日号])?",
        rf"{WORD}{GAP}?(?:{DAY},? )?{YEAR}",
        rf"(?:{DAY}{GAP})?{WORD}{GAP}{YEAR}",
        rf"{YEAR}{GAP}{WORD}(?:{GAP}{DAY})?",
        rf"{MONTH}[-/.]{YEAR}",
    )
]
# As a spreadsheet shows a month: two digits stand for 2000 to 2029, as it reads them itself.
SHORT = re.compile(rf"{WORD}[-/ ]'?(?P<short>[0-2][0-9])")
YEAR_LAST = re.compile(rf"([0-9]{{1,2}})([-/.])([0-9]{{1,2}})\2{YEAR}")
MIDNIGHT = re.compile(r"[ t]0?0:00(:00(\.0+)?)?$")


def half_width(text: str) -> str:
    """A cell in the signs of a keyboard, digits of any script as 0 to 9."""
    digits = (str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in text)
    return "".join(digits).translate(HALF_WIDTH).strip()


def decimal_mark(cells: Iterable[str]) -> str | None:
    """The decimal mark of a table by its numbers: '.', ',' or None where none of them tells."""
    found: Counter[str] = Counter()
    for cell in map(half_width, cells):
        readings = _readings(cell)
        if len(readings) == 1 and not BY_TEN_THOUSANDS.fullmatch(cell):
            found.update(readings)
    return found.most_common(1)[0][0] if found else None


def number(text: str, mark: str | None = ".") -> float:
    """The number in a cell of a table with this decimal mark.

    Raises:
        ValueError: it is no number, or could be two.
    """
    cell = half_width(text)
    readings = _readings(cell)
    if not readings:
        raise ValueError(f"found {shown(text)}; {_cause(cell)}")
    least, most = min(readings.values()), max(readings.values())
    if len(readings) == 1 and mark not in readings:
        decimals = f", and {mark!r} before its decimals" if mark else ""
        raise ValueError(
            f"found {shown(text)}, which does not fit the table's other numbers; "
            f"write it without signs between its thousands{decimals}"
        )
    if least != most and mark != ".":
        exact = cell.replace(".", ",").replace(",", mark or ".") + "0"
        raise ValueError(
            f"found {shown(text)}, which may be {most:.15g} or {least:.15g}; "
            f"write {most:.15g}, or {exact}"
        )
    value = readings.get(str(mark), most)
    if abs(value) > sys.float_info.max:
        raise ValueError(f"found {shown(text)}; a finite number is needed")
    return value


def _readings(cell: str) -> dict[str, float]:
    """What a cell says, by the decimal mark with which it would be a number."""
    found = {}
    for mark, form in FORMS.items():
        if form.fullmatch(cell):
            digits = re.sub(rf"[{GROUP_SPACE}{GROUPS[mark]}]", "", cell)
            found[mark] = float(digits.replace(mark, "."))
    return found


def _cause(cell: str) -> str:
    """Why a cell is no number, and what to write."""
    if cell.startswith("#"):
        return "an error of the spreadsheet; a number is needed"
    if cell.endswith(("%", "‰")):
        return "a number without a sign is needed: 0.1 for a share of a tenth"
    if cell.lower().lstrip("+-") in ("nan", "inf", "infinity"):
        return "a finite number is needed"
    if re.match(r"[-+]?[0-9][0-9.,]*\s*[^\W\d_]+$", cell):
        return "a number alone is needed; its unit stands in the column unit"
    return "a number is needed"


def month(text: str) -> str:
    """A month as 2021-12, of a month or a day; what is neither comes back as it was.

    Raises:
        ValueError: it could be two months.
    """
    cell = MIDNIGHT.sub("", half_width(text).lower())
    write = "write it like 2021-12"
    if re.fullmatch(rf"{YEAR}\.1", cell):
        raise ValueError(f"found {shown(text)}, which may be January or October; {write}")
    if re.fullmatch(r"[1-9][0-9]{4}", cell):
        raise ValueError(f"found {shown(text)}, a spreadsheet's count of days; {write}, as text")
    if short := SHORT.fullmatch(cell):
        return f"20{short['short']}-{ENGLISH[short['word'][:3]]:02d}"
    found = _date(text, cell, write)
    return text if found is None else f"{found[0]:04d}-{found[1]:02d}"


def day(text: str) -> str:
    """A day as 2021-12-31; what is none comes back as it was.

    Raises:
        ValueError: it could be two days.
    """
    cell = MIDNIGHT.sub("", half_width(text).lower())
    write = "write it like 2021-12-31"
    if re.fullmatch(r"[1-9][0-9]{4}", cell):
        raise ValueError(f"found {shown(text)}, a spreadsheet's count of days; {write}, as text")
    found = _date(text, cell, write)
    if found is None or found[2] is None:
        return text
    return date(found[0], found[1], found[2]).isoformat()


def _date(text: str, cell: str, write: str) -> tuple[int, int, int | None] | None:
    """Year, month and, where it is given, day; None where it is no date."""
    if last := YEAR_LAST.fullmatch(cell):
        year, one, other = int(last["year"]), int(last[1]), int(last[3])
        days = {day for pair in ((one, other), (other, one)) if (day := _valid(year, *pair))}
        if len(days) > 1:
            raise ValueError(f"found {shown(text)}, which may be two days; {write}")
        return next(iter(days), None)
    for form in DATES:
        if parts := form.fullmatch(cell):
            named = parts.groupdict()
            month = int(named["month"]) if named.get("month") else ENGLISH[named["word"][:3]]
            if not named.get("day"):
                return int(named["year"]), month, None
            return _valid(int(named["year"]), month, int(named["day"]))
    return None


def _valid(year: int, month: int, day: int) -> tuple[int, int, int] | None:
    try:
        date(year, month, day)
    except ValueError:
        return None
    return year, month, day
