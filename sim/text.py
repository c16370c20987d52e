"""Text at every border: what may come in, and how what is in goes out safely.

In: no sign that is not text (control characters, half of a surrogate pair, what Unicode says is no
character, what turns the direction of the signs that follow). What was read is text for good, so
each border minds only what is special to it: Markdown's marks, a spreadsheet's formulas, the signs
that a terminal has.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

# Control characters but tab and line ends, separators of lines, changes of direction, the mark of a
# file's start, halves of surrogate pairs, and what is no character (U+FDD0 to FDEF, FFFE and FFFF
# of each plane).
NO_TEXT = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff"
    "\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr(plane * 0x10000 + 0xFFFE + last) for plane in range(17) for last in (0, 1))
    + "]"
)
LINE_END = re.compile("[\t\n\r]")
MARKUP = re.compile(r"[\\`*_\[\]<>|~&#]|^[-+=]")
NUMBERED = re.compile(r"^(\d+)([.)])")
FORMULA = ("=", "+", "-", "@", "\t", "\r")

KINDS = {
    "Cc": "the control character",
    "Cs": "half of a surrogate pair,",
    "Cf": "the invisible sign",
}


def no_text(text: str) -> str | None:
    """What in a text is no text, in words; none where all is."""
    found = NO_TEXT.search(text)
    return described(found.group()) if found else None


def described(sign: str) -> str:
    """A sign that cannot be shown, as ``the control character U+000B``."""
    kind = KINDS.get(unicodedata.category(sign), "the sign")
    return f"{kind} U+{ord(sign):04X}"


def visible(text: str) -> str:
    """A text with what is no text as its code (``\\x1b``), on as many lines as it had."""
    return NO_TEXT.sub(lambda found: ascii(found.group())[1:-1], text)


def markdown(text: str) -> str:
    """A text as Markdown that shows just this text, in one paragraph or cell."""
    marked = MARKUP.sub(lambda found: "\\" + found.group(), " ".join(text.split()))
    return NUMBERED.sub(r"\1\\\2", marked)


def csv_text(table: pd.DataFrame) -> str:
    """A table as CSV; text that a spreadsheet would take for a formula has a ' before it."""
    safe = table.copy()
    for name in safe.columns:
        if safe[name].dtype.kind not in "biufc":
            safe[name] = safe[name].map(_cell)
    return str(safe.to_csv(index=False, lineterminator="\n"))


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(FORMULA) and value[1:] and not _is_number(value):
        return "'" + value
    return value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
