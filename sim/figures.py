"""Numbers that carry where they come from.

A plan or economy file gives a number either whole::

    {value: 600, unit: firms, low: 550, high: 650, source: "Pudong portal, 2021-02-23"}

or bare (``600``), when the file's own ``provenance`` table covers the field it stands in::

    provenance:
      - fields: [sectors.*.zones]
        unit: share
        relative_range: 0.3
        assumption: "no published split; …"

A number with neither is refused. A field of the table is written with dots; ``*`` stands for one
name or list position, and a field covers all that lies below it; the longest match counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    model_validator,
)

from sim.errors import FieldPath, FieldValueError, Problem, plain
from sim.text import LINE_END, described

MAX_LABEL = 200  # characters
MAX_SENTENCE = 5_000
LARGEST = 1e9  # of any number in a file: far above all that a district has


class Record(BaseModel):
    """A record of a file: unknown fields are refused, values are never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True)


def within(low: float, high: float) -> AfterValidator:
    """A number (or figure) from ``low`` to ``high``."""

    def check(number: Any) -> Any:
        if not low <= float(number) <= high:
            allowed = f"{plain(low)} to {plain(high)}"
            raise ValueError(f"found {plain(float(number))}; allowed: {allowed}")
        return number

    return AfterValidator(check)


def whole(number: Any) -> Any:
    """A number (or figure) of things, which come whole."""
    if float(number) % 1:
        raise ValueError(f"found {plain(float(number))}; a whole number is needed")
    return number


def _as_whole(number: Any) -> Any:
    return int(number) if isinstance(number, float) and number.is_integer() else number


Whole = Annotated[int, BeforeValidator(_as_whole)]  # 3.0 is 3
Finite = Annotated[float, within(-LARGEST, LARGEST)]


def _one_line(text: str) -> str:
    sign = LINE_END.search(text)
    if sign:
        raise ValueError(f"found {described(sign.group())}; write it on one line")
    return text


# Text of a file, without the spaces around it: on one line, or on several if need be.
Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_LABEL),
    AfterValidator(_one_line),
]
Prose = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=5, max_length=MAX_SENTENCE)
]
Reason = Annotated[Prose, Field(min_length=10)]


class Name(Record):
    """What a thing is called, in Chinese and in English."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)

    def __getitem__(self, language: str) -> str:
        return self.zh if language == "zh" else self.en


def _of_a_file(longest: int) -> AfterValidator:
    """A name as a file gives it: each language on one line, without the spaces around it."""

    def check(name: Name) -> Name:
        texts = {language: name[language].strip() for language in ("zh", "en")}
        for language, text in texts.items():
            sign = LINE_END.search(text)
            problem = (
                "text is needed"
                if not text
                else f"found {described(sign.group())}; write it on one line"
                if sign
                else f"found {len(text):,} characters; allowed: at most {longest:,}"
                if len(text) > longest
                else None
            )
            if problem:
                raise FieldValueError((language,), problem)
        return Name(**texts)

    return AfterValidator(check)


Label = Annotated[Name, _of_a_file(MAX_LABEL)]  # stands in headings, tables and charts
Sentence = Annotated[Name, _of_a_file(MAX_SENTENCE)]


class Basis(Record):
    """Where numbers come from: a source, or an assumption with its reason."""

    source: Prose | None = None
    assumption: Reason | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        _check_basis(self)
        return self


class Provenance(Basis):
    """One row of a file's provenance table; it covers every bare number below its fields."""

    fields: list[str] = Field(min_length=1)
    unit: Line
    relative_range: Annotated[float, within(0, 100)] | None = Field(
        None, description="± share of the value"
    )
    low: Finite | None = None
    high: Finite | None = None

    @model_validator(mode="after")
    def _has_range(self) -> Self:
        absolute = self.low is not None and self.high is not None
        if absolute == (self.relative_range is not None):
            raise ValueError("give either 'relative_range' or both 'low' and 'high'")
        _check_ends(self.low, self.high)
        return self


class Prior(Record):
    """How a parameter is drawn for each run, around its value and cut to its range.

    ``normal``: spread is the standard deviation in the parameter's unit; ``lognormal``: spread is
    the standard deviation of the logarithm, and a zero stays zero; ``uniform``: over the range.
    ``shared``: the entries of a parameter with one value a sector (or driver) move together, else
    each by itself.
    """

    shape: Literal["normal", "lognormal", "uniform"]
    spread: Annotated[float, within(1e-6, LARGEST)] | None = None
    shared: bool = False

    @model_validator(mode="after")
    def _spread_fits_shape(self) -> Self:
        if self.shape == "uniform" and self.spread is not None:
            raise FieldValueError(("spread",), "is not used by the shape 'uniform'; remove it")
        if self.shape != "uniform" and self.spread is None:
            text = f"is missing; the shape {self.shape!r} needs it"
            raise FieldValueError(("spread",), text)
        return self


class Figure(Record):
    """A number with its unit, range and source or assumption (own, or from the table)."""

    value: float
    unit: Line | None = None
    low: Finite | None = None
    high: Finite | None = None
    source: Prose | None = None
    assumption: Reason | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _check_one_basis(self)
        _check_range(self.value, self.low, self.high)
        return self

    def __float__(self) -> float:
        return self.value


def _one_or_many(value: Any) -> str:
    return "entries" if isinstance(value, dict) else "one"


class Parameter(Record):
    """A behavioural parameter: one value, or one for each sector or driver, with its prior."""

    value: Annotated[
        Annotated[float, Tag("one")] | Annotated[dict[str, float], Tag("entries")],
        Discriminator(_one_or_many),
    ]
    unit: Line
    low: Finite
    high: Finite
    prior: Prior | None = None
    source: Prose | None = None
    assumption: Reason | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _check_basis(self)
        _check_ends(self.low, self.high)
        values = self.value if isinstance(self.value, dict) else {None: self.value}
        for key, value in values.items():
            _check_range(value, self.low, self.high, ("value",) if key is None else ("value", key))
        if self.prior and self.prior.shape == "lognormal" and self.low < 0:
            text = f"found {plain(self.low)}; a lognormal prior needs at least 0"
            raise FieldValueError(("low",), text)
        return self

    def entries(self, name: str) -> list[tuple[str, float]]:
        """Each of its values with its name: ``growth.drift.ic``, …, or the name itself."""
        if isinstance(self.value, dict):
            return [(f"{name}.{key}", value) for key, value in self.value.items()]
        return [(name, self.value)]


def _check_basis(record: Basis | Parameter) -> None:
    _check_one_basis(record)
    if record.source is None and record.assumption is None:
        raise ValueError("needs a 'source' or an 'assumption' (with its reason)")


def _check_one_basis(record: Basis | Figure | Parameter) -> None:
    if record.source is not None and record.assumption is not None:
        raise FieldValueError(("source",), "stands beside an 'assumption'; give one of the two")


def _check_range(
    value: float, low: float | None, high: float | None, field: FieldPath = ("value",)
) -> None:
    _check_ends(low, high)
    if (low is not None and value < low) or (high is not None and value > high):
        ends = " to ".join("…" if end is None else plain(end) for end in (low, high))
        raise FieldValueError(field, f"found {plain(value)}; allowed: {ends}, its own range")


def _check_ends(low: float | None, high: float | None) -> None:
    if low is not None and high is not None and low > high:
        raise FieldValueError(("low",), f"found {plain(low)}, above 'high' {plain(high)}")


def _as_figure(value: Any) -> Any:
    """A bare number is a figure without provenance of its own."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return {"value": value} if is_number else value


Given = Annotated[Figure, BeforeValidator(_as_figure)]  # whole or bare, of any size
Number = Annotated[Given, within(-LARGEST, LARGEST)]
NonNegative = Annotated[Given, within(0, LARGEST)]
Share = Annotated[Given, within(0, 1)]


@dataclass(frozen=True)
class Cited:
    """One number of a file with its resolved provenance: a row of the table of all numbers."""

    field: str
    value: float
    unit: str
    low: float
    high: float
    source: str | None
    assumption: str | None


def cited_numbers(record: Record, table: list[Provenance]) -> Iterator[Cited | str]:
    """Every number below ``record`` with its provenance; for one without, its field's name."""
    for path, _, figure in _figures(record, (), ()):
        field = ".".join(path)
        if isinstance(figure, Parameter):
            for label, value in figure.entries(field):
                yield Cited(
                    label,
                    value,
                    figure.unit,
                    figure.low,
                    figure.high,
                    figure.source,
                    figure.assumption,
                )
            continue
        row = _covering(path, table)
        own = figure.source is not None or figure.assumption is not None
        if not own and row is None:
            yield field
            continue
        unit = figure.unit or (row.unit if row else None)
        if unit is None:
            yield field
            continue
        low, high = figure.low, figure.high
        if row is not None and low is None and high is None:
            low, high = _range_of(figure.value, row)
        yield Cited(
            field,
            figure.value,
            unit,
            figure.value if low is None else low,
            figure.value if high is None else high,
            figure.source if own else (row.source if row else None),
            figure.assumption if own else (row.assumption if row else None),
        )


def _range_of(value: float, row: Provenance) -> tuple[float | None, float | None]:
    if row.relative_range is not None:
        ends = (value * (1 - row.relative_range), value * (1 + row.relative_range))
        return min(ends), max(ends)
    return row.low, row.high


def provenance_problems(record: Record, table: list[Provenance]) -> Iterator[Problem]:
    """Numbers below ``record`` without a provenance, or outside its range; rows for no number."""
    numbers = list(_figures(record, (), ()))
    for path, field, figure in numbers:
        if not isinstance(figure, Parameter):
            yield from _figure_problems(path, field, figure, _covering(path, table))
    empty = type(record).model_fields.keys() - {path[0] for path, _, _ in numbers}
    for position, row in enumerate(table):
        for number, pattern in enumerate(row.fields):
            parts = pattern.split(".")
            if parts[0] not in empty and not any(_covers(parts, path) for path, _, _ in numbers):
                text = f"found {pattern!r}, which covers no number; correct or remove it"
                yield ("provenance", position, "fields", number), text


def _figure_problems(
    path: tuple[str, ...], field: FieldPath, figure: Figure, row: Provenance | None
) -> Iterator[Problem]:
    has_basis = figure.source is not None or figure.assumption is not None
    lacks = [] if figure.unit or row else ["unit"]
    if not has_basis and row is None:
        lacks.append("source or assumption")
    if lacks:
        text = f"found {plain(figure.value)} without a {' and '.join(lacks)}"
        yield field, f"{text}; add it here, or a row for {'.'.join(path)} to 'provenance'"
        return
    low, high = (row.low, row.high) if row else (None, None)
    has_own_range = figure.low is not None or figure.high is not None
    if low is None or high is None or has_own_range or low <= figure.value <= high:
        return
    allowed = f"{plain(low)} to {plain(high)}, the range that 'provenance' gives it"
    yield field, f"found {plain(figure.value)}; allowed: {allowed}"


def _figures(
    node: Any, path: tuple[str, ...], field: FieldPath
) -> Iterator[tuple[tuple[str, ...], FieldPath, Any]]:
    """Each figure below a record, with its path by ids and its field by positions."""
    if isinstance(node, Figure | Parameter):
        yield path, field, node
    elif isinstance(node, BaseModel):
        for name in type(node).model_fields:
            if name != "provenance":
                yield from _figures(getattr(node, name), (*path, name), (*field, name))
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _figures(value, (*path, str(key)), (*field, key))
    elif isinstance(node, list | tuple):
        for position, value in enumerate(node):
            name = str(getattr(value, "id", position))
            yield from _figures(value, (*path, name), (*field, position))


def _covering(path: tuple[str, ...], table: list[Provenance]) -> Provenance | None:
    """The row with the longest field that covers a number; of equals the first."""
    fits = [
        (len(parts), row)
        for row in table
        for parts in (field.split(".") for field in row.fields)
        if _covers(parts, path)
    ]
    return max(fits, key=lambda fit: fit[0])[1] if fits else None


def _covers(pattern: list[str], path: tuple[str, ...]) -> bool:
    return len(pattern) <= len(path) and all(
        part in ("*", step) for part, step in zip(pattern, path, strict=False)
    )
