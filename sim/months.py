"""Calendar months, written 2021-12; a number of months counts from the model's start."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator


def _check(text: object) -> str:
    if not isinstance(text, str) or not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text):
        raise ValueError(f"found {text!r}; a month is written like 2021-12")
    return text


Month = Annotated[str, BeforeValidator(_check), AfterValidator(str)]


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
