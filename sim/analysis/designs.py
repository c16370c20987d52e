"""The table of evaluation designs that are run on the model, one row each."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from sim.analysis import written
from sim.analysis.records import read_records
from sim.economy import Lever
from sim.errors import Fault, FieldValueError, ObservationError, RunError, Unknown, plain
from sim.scenario import Inputs

SHORTEST = 24  # months that a plan needs, a year before the treatment and a year under it
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


# What each kind can estimate, and the one lever that a lottery is about.
MEASURES = {
    Kind.PILOT: (Measured.LOG,),
    Kind.DISTRICT: (Measured.LOG, Measured.COST),
    Kind.LOTTERY: (Measured.SHARE,),
    Kind.WINNERS: (Measured.LOG,),
    Kind.RESEARCHERS: (Measured.ELASTICITY,),
}


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
    value: Number | None = None
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
        if self.kind in (Kind.PILOT, Kind.DISTRICT, Kind.LOTTERY):
            if not self.levers:
                text = "is missing; name the lever that is the treatment"
                raise FieldValueError(("levers",), text)
            if self.value is None:
                raise FieldValueError(("value",), "is missing; say what the lever is set to")
        if self.measured not in MEASURES[self.kind]:
            allowed = " or ".join(MEASURES[self.kind])
            text = f"found {self.measured.value!r}; allowed for {self.kind.value!r}: {allowed}"
            raise FieldValueError(("measured",), text)
        if self.kind == Kind.LOTTERY and self.levers != (Lever.SCENARIO_FUNDING.value,):
            text = f"found {' '.join(self.levers)}; a lottery is of {Lever.SCENARIO_FUNDING.value}"
            raise FieldValueError(("levers",), text)
        if self.measures:
            self._check_measures()
        return self

    def _check_measures(self) -> None:
        """Measures are taken away, in the whole district."""
        if self.levers != (Lever.MEASURE_INTENSITY.value,):
            text = f"go with {Lever.MEASURE_INTENSITY.value} alone, found {' '.join(self.levers)}"
            raise FieldValueError(("measures",), text)
        if self.value != 0:
            text = f"found {plain(self.value or 0.0)}; allowed: 0, which takes the measures away"
            raise FieldValueError(("value",), text)
        if self.kind != Kind.DISTRICT or self.measured != Measured.LOG:
            raise FieldValueError(("measures",), "go with kind 'district' and measured 'log'")


def _misfits(design: Design, inputs: Inputs) -> Iterator[tuple[str, Fault]]:
    """Unknown names, values that a lever cannot have, levers of several units with one value."""
    known = {"levers": [lever.value for lever in Lever], "measures": inputs.plan.measure_ids()}
    for column, names in known.items():
        for name in getattr(design, column):
            if name not in names:
                yield column, Unknown(column.removesuffix("s"), name, names)
    rules = [inputs.economy.levers[name] for name in design.levers if name in inputs.economy.levers]
    for name, rule in zip(design.levers, rules, strict=False):
        if design.value is not None and not rule.low <= design.value <= rule.high:
            bounds = f"{plain(rule.low)} to {plain(rule.high)}"
            yield "value", f"found {plain(design.value)}; allowed for {name!r}: {bounds}"
    if len({rule.unit.en for rule in rules}) > 1:
        units = " and ".join(rule.unit.en for rule in rules)
        yield "levers", f"have one value but several units: {units}"


def read_designs(path: Path, inputs: Inputs) -> list[Design]:
    """The designs of a table, each of which fits the scenario.

    Raises:
        FileError: the file is missing or unreadable.
        ObservationError: something cannot be used; names file, line and column of each problem.
        RunError: the plan is too short to look before and after.
    """
    if inputs.plan.horizon < SHORTEST:
        length = f"{inputs.sources['plan'].path}: runs for {inputs.plan.horizon} months"
        needed = f"{SHORTEST}, a year before the treatment and a year under it"
        raise RunError(f"{length}; evaluations need {needed}")
    found = read_records(path, Design, lambda design: _misfits(design, inputs))
    if not found:
        raise ObservationError(f"{path}: has no row under the names of its columns")
    return list(found.values())
