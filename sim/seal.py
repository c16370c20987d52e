"""A text that shows whether it is whole: its second line is the SHA-256 of all its other lines.

    {                                      # format: 2
     "checksum": "5d41402abc4b2a76…",      # checksum: 5d41402abc4b2a76…
     "format": 3,                          # economy: pudong_2020
By hand: ``sed 2d FILE | sha256sum``. It tells damage, not intent: whoever changes a text on purpose
can seal it anew.
"""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple


class Mark(NamedTuple):
    """What stands before and after the checksum in its line."""

    before: str
    after: str


JSON = Mark(' "checksum": "', '",')
HEAD = Mark("# checksum: ", "")  # of a table, whose first lines are remarks


class Unsealed(ValueError):
    """The second line is no checksum."""


class Changed(ValueError):
    """The checksum is another text's."""


def seal(text: str, mark: Mark) -> str:
    """Put the checksum of some lines behind their first."""
    text = _lines(text)
    first, rest = text.split("\n", 1)
    return f"{first}\n{mark.before}{_sum(text)}{mark.after}\n{rest}"


def unseal(text: str, mark: Mark) -> str:
    """The lines without their checksum, once it is found to be theirs.

    How a system ends lines (CRLF), a byte order mark and the end of the last line do not count.

    Raises:
        Unsealed, Changed: it is not; both say so in words that follow the file's name.
    """
    first, line, rest = (*_lines(text).split("\n", 2), "", "")[:3]
    found = re.fullmatch(f"{re.escape(mark.before)}([0-9a-f]{{64}}){re.escape(mark.after)}", line)
    if not found:
        raise Unsealed(
            "has no checksum in its second line: it was changed, or is an earlier version's"
        )
    text = f"{first}\n{rest}"
    if _sum(text) != found[1]:
        raise Changed("was changed or cut since it was written: its checksum is not that of it")
    return text


def _lines(text: str) -> str:
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    return text if text.endswith("\n") else f"{text}\n"


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
