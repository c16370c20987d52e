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

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator


class Record(BaseModel):
    """A record of a file: unknown fields are refused, values are never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Name(Record):
    """What a thing is called, in Chinese and in English."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)

    def __getitem__(self, language: str) -> str:
        return self.zh if language == "zh" else self.en


class Basis(Record):
    """Where numbers come from: a source, or an assumption with its reason."""

    source: str | None = Field(None, min_length=5)
    assumption: str | None = Field(None, min_length=10)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.source is None) == (self.assumption is None):
            raise ValueError("give either 'source' or 'assumption' (with its reason)")
        return self


class Provenance(Basis):
    """One row of a file's provenance table; it covers every bare number below its fields."""

    fields: list[str] = Field(min_length=1)
    unit: str
    relative_range: float | None = Field(None, ge=0, description="± share of the value")
    low: float | None = None
    high: float | None = None

    @model_validator(mode="after")
    def _has_range(self) -> Self:
        absolute = self.low is not None and self.high is not None
        if absolute == (self.relative_range is not None):
            raise ValueError("give either 'relative_range' or both 'low' and 'high'")
        return self


class Prior(Record):
    """How a parameter is drawn for each run, around its value and cut to its range.

    ``normal``: spread is the standard deviation in the parameter's unit; ``lognormal``: spread is
    the standard deviation of the logarithm, and a zero stays zero; ``uniform``: over the range. ``shared``: the entries
    of a parameter with one value a sector (or driver) move together, else each by itself.
    """

    shape: Literal["normal", "lognormal", "uniform"]
    spread: float | None = Field(None, gt=0)
    shared: bool = False

    @model_validator(mode="after")
    def _spread_fits_shape(self) -> Self:
        if (self.shape == "uniform") != (self.spread is None):
            raise ValueError("'spread' goes with normal and lognormal, and only with them")
        return self


class Figure(Record):
    """A number with its unit, range and source or assumption (own, or from the table)."""

    value: float
    unit: str | None = None
    low: float | None = None
    high: float | None = None
    source: str | None = Field(None, min_length=5)
    assumption: str | None = Field(None, min_length=10)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _check_own_provenance(self)
        _check_range(self.value, self.low, self.high)
        return self

    def __float__(self) -> float:
        return self.value


class Parameter(Record):
    """A behavioural parameter: one value, or one for each sector or driver, with its prior."""

    value: float | dict[str, float]
    unit: str
    low: float
    high: float
    prior: Prior | None = None
    source: str | None = Field(None, min_length=5)
    assumption: str | None = Field(None, min_length=10)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _check_own_provenance(self)
        if self.source is None and self.assumption is None:
            raise ValueError("give either 'source' or 'assumption' (with its reason)")
        values = self.value.values() if isinstance(self.value, dict) else [self.value]
        for value in values:
            _check_range(value, self.low, self.high)
        if self.prior and self.prior.shape == "lognormal" and (self.low < 0 or min(values) < 0):
            raise ValueError("a lognormal prior needs values and 'low' of at least 0")
        return self

    def entries(self, name: str) -> list[tuple[str, float]]:
        """Each of its values with its name: ``growth.drift.ic``, …, or the name itself."""
        if isinstance(self.value, dict):
            return [(f"{name}.{key}", value) for key, value in self.value.items()]
        return [(name, self.value)]


def _check_own_provenance(figure: Figure | Parameter) -> None:
    if figure.source is not None and figure.assumption is not None:
        raise ValueError("give either 'source' or 'assumption', not both")


def _check_range(value: float, low: float | None, high: float | None) -> None:
    if low is not None and high is not None and low > high:
        raise ValueError(f"'low' {low:g} is above 'high' {high:g}")
    if (low is not None and value < low) or (high is not None and value > high):
        raise ValueError(f"value {value:g} lies outside its own range {low:g} to {high:g}")


def _whole(value: Any) -> Any:
    """A bare number is a figure without provenance of its own."""
    return {"value": value} if isinstance(value, int | float) and value is not True else value


def _between(low: float, high: float) -> AfterValidator:
    def check(figure: Figure) -> Figure:
        if not low <= figure.value <= high:
            allowed = f"at least {low:g}" if high == math.inf else f"{low:g} to {high:g}"
            raise ValueError(f"found {figure.value:g}; allowed: {allowed}")
        return figure

    return AfterValidator(check)


Number = Annotated[Figure, BeforeValidator(_whole)]
NonNegative = Annotated[Number, _between(0.0, math.inf)]
Share = Annotated[Number, _between(0.0, 1.0)]


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
    for path, figure in _figures(record, ()):
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


def _figures(node: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(node, Figure | Parameter):
        yield path, node
    elif isinstance(node, BaseModel):
        for field in type(node).model_fields:
            if field != "provenance":
                yield from _figures(getattr(node, field), (*path, field))
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _figures(value, (*path, str(key)))
    elif isinstance(node, list | tuple):
        for position, value in enumerate(node):
            yield from _figures(value, (*path, str(getattr(value, "id", position))))


def _covering(path: tuple[str, ...], table: list[Provenance]) -> Provenance | None:
    best: tuple[int, Provenance] | None = None
    for row in table:
        for field in row.fields:
            parts = field.split(".")
            fits = len(parts) <= len(path) and all(
                part in ("*", step) for part, step in zip(parts, path, strict=False)
            )
            if fits and (best is None or len(parts) > best[0]):
                best = (len(parts), row)
    return best[1] if best else None
