"""The table of evaluation designs that are run on the model, one row each."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from sim.analysis import written
from sim.analysis.sheet import at, read_sheet
from sim.economy import Lever
from sim.errors import Fault, FieldValueError, ObservationError, Unknown, listed, plain
from sim.scenario import Inputs
from sim.validation import problems_of

OUTCOMES = ("entries", "foreign_entries", "data_entries", "revenue", "arrivals", "results")


class Kind(StrEnum):
    """How the study compared."""

    PILOT = "pilot"  # one zone against the others, after against before
    DISTRICT = "district"  # the district with against without
    LOTTERY = "lottery"  # grants drawn among those who ask
    WINNERS = "winners"  # winners of contracts against firms like them
    RESEARCHERS = "researchers"  # results over staff, firm by firm


class Measured(StrEnum):
    """What the estimate is."""

    LOG = "log"  # change of the log of the outcome, over ``per``
    COST = "cost"  # 亿元 for one more of the outcome
    SHARE = "share"  # of grants
    ELASTICITY = "elasticity"


class Use(StrEnum):
    """Whether the study is behind a number of the model."""

    PRIOR = "prior"  # a prior follows from it
    APART = "apart"  # kept apart, for the check alone


def _number(text: object) -> float:
    return written.number(str(text))


def _words(text: object) -> tuple[str, ...]:
    return tuple(str(text).split())


Number = Annotated[float, BeforeValidator(_number)]
Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
Text = Annotated[str, Field(min_length=1)]


class Design(BaseModel):
    """One evaluation and how it is run here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
    name_zh: Text
    name_en: Text
    kind: Kind
    levers: Words = ()
    measures: Words = ()
    value: Number = 0.0
    outcome: str = ""
    measured: Measured
    per: Number = 1.0
    unit: Text
    published: Number
    low: Number
    high: Number
    interval: Text
    evidence: Words
    use: Use
    note: str = ""

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if not self.low <= self.published <= self.high:
            text = (
                f"found {plain(self.published)}; allowed: {plain(self.low)} to {plain(self.high)}"
            )
            raise FieldValueError(("published",), text)
        if self.per <= 0:
            raise FieldValueError(("per",), f"found {plain(self.per)}; allowed: above 0")
        if self.kind in (Kind.PILOT, Kind.DISTRICT) and self.outcome not in OUTCOMES:
            raise FieldValueError(("outcome",), str(Unknown("outcome", self.outcome, OUTCOMES)))
        if self.kind in (Kind.PILOT, Kind.DISTRICT, Kind.LOTTERY) and not self.levers:
            raise FieldValueError(("levers",), "is missing; name the lever that is the treatment")
        return self


def read_designs(path: Path, inputs: Inputs) -> list[Design]:
    """The designs of a table, each of which fits the scenario.

    Raises:
        FileError: the file is missing or unreadable.
        ObservationError: something cannot be used; names file, line and column of each problem.
    """
    fields = Design.model_fields
    optional = [name for name, field in fields.items() if not field.is_required()]
    sheet = read_sheet(path, list(fields), optional, ())
    known = {"levers": [lever.value for lever in Lever], "measures": inputs.plan.measure_ids()}
    found: list[Design] = []
    problems: list[tuple[int, str, Fault]] = []
    for line, row in sheet.rows:
        try:
            one = Design.model_validate(row)
        except ValidationError as failure:
            problems += [
                (line, str(field[0]) if field else "", text)
                for field, text in problems_of(failure, Design, row)
            ]
            continue
        if any(other.id == one.id for other in found):
            problems.append((line, "id", f"found {one.id!r}; it is given twice"))
        for column, names in known.items():
            problems += [
                (line, column, Unknown(column.removesuffix("s"), name, names))
                for name in getattr(one, column)
                if name not in names
            ]
        found.append(one)
    if problems:
        said = listed(problems, lambda wrong: f"{at(path, *wrong[:2])}: {wrong[2]}")
        raise ObservationError(said)
    return found
