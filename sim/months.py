"""Calendar months, written 2021-12; a number of months counts from the model's start."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from sim.errors import shown_text

YEARS = "(19|20|21)[0-9]{2}"


def checked(text: object) -> str:
    """A month as it is written; raises ValueError for anything else."""
    if not isinstance(text, str) or not re.fullmatch(YEARS + "-(0[1-9]|1[0-2])", text):
        found = "nothing" if text is None else shown_text(repr(text))
        raise ValueError(f"found {found}; a month is written like 2021-12, from 1900 to 2199")
    return text


Month = Annotated[str, BeforeValidator(checked), AfterValidator(str)]


def number(month: str) -> int:
    """Months since year 0."""
    return int(month[:4]) * 12 + int(month[5:7]) - 1


def between(start: str, end: str) -> int:
    """Months from ``start`` to ``end``: 36 from 2020-12 to 2023-12."""
    return number(end) - number(start)


def after(start: str, months: int) -> str:
    """The month that lies ``months`` after ``start``."""
    year, month = divmod(number(start) + months, 12)
    return f"{year:04d}-{month + 1:02d}"
