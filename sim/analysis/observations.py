"""Published figures, each with what it says about the model's value.

The columns and the observation model are described in calibration/data/README.md.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from scipy.special import log_ndtr, ndtri

from sim import months
from sim.analysis import written
from sim.analysis.sheet import Sheet, at, read_sheet
from sim.blueprint import Floats, build
from sim.errors import (
    Fault,
    FieldValueError,
    ObservationError,
    Unknown,
    listed,
    plain,
    shown,
)
from sim.plan import DISTRICT, Plan
from sim.processes.accounts import indicators
from sim.scenario import Inputs
from sim.validation import problems_of

REACH = float(ndtri(0.975))  # standard deviations from the middle to the end of a 95 % range

# Context series that statistics know, with their unit; the others are indices of the model's own.
CONTEXT_UNITS = {
    "firms": "家",
    "entries": "家",
    "exits": "家",
    "skilled_staff": "人",
    "arrivals": "人",
    "core_revenue": "亿元",
    "revenue": "亿元",
}


class Kind(StrEnum):
    """How a figure was published."""

    EXACT = "exact"
    ABOUT = "about"
    OVER = "over"
    NEARLY = "nearly"


class Use(StrEnum):
    """What a figure is for."""

    BASE = "base"
    FIT = "fit"
    CHECK = "check"


def _number(found: object, info: ValidationInfo) -> float:
    """A number, or a cell of a table, whose decimal mark stands in the context."""
    if not isinstance(found, str):
        return float(str(found))
    return written.number(found, info.context["mark"] if info.context else ".")


def _positive(found: object, info: ValidationInfo) -> float:
    value = _number(found, info)
    if value <= 0:
        raise ValueError(f"found {plain(value)}; allowed: above 0")
    return value


def _sd(found: object, info: ValidationInfo) -> float:
    value = _number(found, info)
    if not 0 <= value <= 1:
        raise ValueError(f"found {plain(value)}; allowed: 0 to 1, on the log scale")
    return value


def _name(text: object) -> str:
    if not isinstance(text, str) or not re.fullmatch(r"[a-z][a-z0-9_]*", text):
        raise ValueError(f"found {shown(text)}; small letters, digits and '_' are needed")
    return text


def _month(text: object) -> object:
    return written.month(text) if isinstance(text, str) else text


def _day(text: object) -> str:
    day = written.day(str(text))
    try:
        return date.fromisoformat(day).isoformat()
    except ValueError:
        raise ValueError(f"found {shown(text)}; a day is written like 2022-02-24") from None


Text = Annotated[str, Field(min_length=1)]
Positive = Annotated[float, BeforeValidator(_positive)]


class Published(BaseModel):
    """One published figure, whatever it is for.

    Attributes:
        value: as published, in ``unit``; a flow is the sum of the twelve months to ``month``.
        definition_ratio_low, definition_ratio_high: 95 % range of what the published series
            measures over what the model's indicator does.
        noise_sd: rounding and measurement, log scale.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, BeforeValidator(_name)]
    indicator: Text
    zone: Text
    month: Annotated[months.Month, BeforeValidator(_month)]
    value: Positive
    unit: Text
    kind: Kind
    definition_ratio_low: Positive = 1.0
    definition_ratio_high: Positive = 1.0
    noise_sd: Annotated[float, BeforeValidator(_sd)]
    source_title: Text
    source_date: Annotated[str, BeforeValidator(_day)]
    note: str = ""

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        low, high = self.definition_ratio_low, self.definition_ratio_high
        given = {"definition_ratio_low", "definition_ratio_high"} & self.model_fields_set
        if len(given) == 1:
            missing = "high" if "definition_ratio_low" in given else "low"
            raise FieldValueError(
                (f"definition_ratio_{missing}",), "is missing; give both ends of the range"
            )
        if low > high:
            text = f"found {plain(high)}; allowed: at least definition_ratio_low, {plain(low)}"
            raise FieldValueError(("definition_ratio_high",), text)
        if self.sd == 0:
            text = "found 0; above 0 is needed where the definitions are the same"
            raise FieldValueError(("noise_sd",), text)
        return self

    @property
    def shift(self) -> float:
        """Middle of the definition ratio, in logs: δ = ½·(ln low + ln high)."""
        return 0.5 * math.log(self.definition_ratio_low * self.definition_ratio_high)

    @property
    def sd(self) -> float:
        """Log-scale standard deviation: √(noise_sd² + (ln(high / low) / (2·1.96))²)."""
        ratio = math.log(self.definition_ratio_high / self.definition_ratio_low)
        return math.hypot(self.noise_sd, ratio / (2.0 * REACH))

    def score(self, predicted: ArrayLike) -> Floats:
        """How far the figure lies above the model's value: (ln y − ln m − δ) / s.

        Args:
            predicted: the model's value m ≥ 0 in the figure's unit, of any shape; 0 gives +∞.

        Raises:
            ValueError: a value is negative or not a number.
        """
        found = np.asarray(predicted, dtype=float)
        if not np.all(found >= 0):
            raise ValueError(f"{self.id}: a predicted value is negative or not a number")
        logs = np.log(found, out=np.full_like(found, -np.inf), where=found > 0)
        return np.asarray((math.log(self.value) - logs - self.shift) / self.sd)

    def log_likelihood(self, predicted: ArrayLike) -> Floats:
        """Log-likelihood of the figure, of the shape of ``predicted`` (see ``score``).

        exact, about: −½·z² − ln(s·√(2π)); over: ln Φ(−z); nearly: ln Φ(z).
        """
        z = self.score(predicted)
        if self.kind == Kind.OVER:
            return np.asarray(log_ndtr(-z))
        if self.kind == Kind.NEARLY:
            return np.asarray(log_ndtr(z))
        return np.asarray(-0.5 * z**2 - math.log(self.sd * math.sqrt(2.0 * math.pi)))


class Observation(Published):
    """A published figure that is held against the model."""

    use: Use


RecordT = TypeVar("RecordT", bound=Published)
Misfits = Callable[[RecordT], Iterator[tuple[str, Fault]]]


def read_observations(
    path: Path | str, inputs: Inputs, until: str | None = None
) -> list[Observation]:
    """Read a CSV file of observations, in its order.

    Args:
        inputs: the scenario whose zones, indicators and months they are about.
        until: the last month that a figure may be about, like 2021-12; none: the plan's end.

    Raises:
        FileError: the file is missing, unreadable or no text.
        ObservationError: something in it cannot be used; names line and column of each problem.
    """
    units = units_of(inputs)
    return read_table(path, Observation, units, lambda row: _misfits(row, inputs, units, until))


def read_table(
    path: Path | str, record: type[RecordT], units: Mapping[str, str], misfits: Misfits[RecordT]
) -> list[RecordT]:
    """Read a CSV file with a row a figure, in its order.

    Args:
        record: what a row holds; its fields are the columns.
        units: the indicators that a figure may be about, and the unit of each.
        misfits: the columns of a row that do not fit the plan, each with what is wrong.

    Raises:
        FileError: the file is missing, unreadable or no text.
        ObservationError: something in it cannot be used; names line and column of each problem.
    """
    path = Path(path)
    fields = record.model_fields
    optional = [name for name, field in fields.items() if not field.is_required()]
    sheet = read_sheet(path, list(fields), optional, set(units.values()))
    if not sheet.rows:
        raise ObservationError(f"{path}: holds no observation")
    mark = {"mark": _mark(sheet, [name for name in fields if fields[name].annotation is float])}
    found: list[RecordT] = []
    problems: list[tuple[int, str, Fault]] = []
    lines: dict[str, int] = {}
    for line, row in sheet.rows:
        try:
            figure = record.model_validate(row, context=mark)
        except ValidationError as failure:
            wrong = problems_of(failure, record, row)
            problems += [(line, str(field[0]) if field else "", text) for field, text in wrong]
            continue
        if figure.id in lines:
            text = f"{figure.id!r} is given twice, first in line {lines[figure.id]}"
            problems.append((line, "id", text))
        lines.setdefault(figure.id, line)
        problems += [(line, *problem) for problem in misfits(figure)]
        found.append(figure)
    if problems:
        said = listed(problems, lambda one: f"{at(path, *one[:2])}: {one[2]}")
        raise ObservationError(said)
    return found


def _mark(sheet: Sheet, columns: Sequence[str]) -> str | None:
    """The decimal mark; where no number tells, cells between commas are taken to have a point."""
    cells = [row[name] for _, row in sheet.rows for name in columns if name in row]
    return written.decimal_mark(cells) or ("." if sheet.separator == "," else None)


def units_of(inputs: Inputs) -> dict[str, str]:
    """The indicators that a figure may be about, and the unit of each."""
    units = {target.id: target.unit.zh for target in inputs.plan.targets}
    for name in indicators(build(inputs)):
        series = name.removeprefix("context_")
        if name not in units and series in CONTEXT_UNITS:
            units[name] = CONTEXT_UNITS[series]
    return units


def unknown_names(
    figure: Published, plan: Plan, units: dict[str, str]
) -> Iterator[tuple[str, Fault]]:
    """Columns that name what the plan or the model lacks, and why."""
    if figure.indicator not in units:
        yield "indicator", Unknown("indicator", figure.indicator, units)
    elif figure.unit != units[figure.indicator]:
        needed = units[figure.indicator]
        yield "unit", f"found {shown(figure.unit)}; {figure.indicator} is in {needed}"
    zones = [DISTRICT, *(zone.id for zone in plan.zones)]
    if figure.zone not in zones:
        yield "zone", Unknown("zone", figure.zone, zones)


def _misfits(
    observation: Observation, inputs: Inputs, units: dict[str, str], until: str | None
) -> Iterator[tuple[str, Fault]]:
    """What does not fit the plan, by column: names, and months outside its time."""
    plan = inputs.plan
    yield from unknown_names(observation, plan, units)
    month, start = observation.month, plan.start
    if observation.use == Use.BASE and month != start:
        yield "month", f"found '{month}'; a figure of the base year is dated {start}"
    if observation.use != Use.BASE and not 0 < months.between(start, month) <= months.between(
        start, plan.end
    ):
        yield "month", f"found '{month}'; allowed: after {start}, to {plan.end}"
    elif until is not None and months.number(month) > months.number(until):
        yield "month", f"found '{month}'; observations end with {until}, later ones stay out"
