"""What a forecast says given observed figures as a file: ``observed.json``, and its schema."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from sim.analysis.observations import Kind
from sim.analysis.observe import FEWEST_EFFECTIVE, Observed
from sim.analysis.record import Part, schema_of, write_record
from sim.analysis.summary import AnswerRecord, Versions, origin, records, versions
from sim.scenario import Inputs

INTERVAL = "Wilson score interval with effective runs (delta method, at most Kish's)"


class SetAside(Part):
    """Rows of the file that the forecast is not conditioned on."""

    base: int = Field(description="the base year, met by construction")
    check: int = Field(description="to look at, because they conflict with another row")
    fitted: list[str] = Field(description="ids that the economy's posterior has seen already")


class FigureRecord(Part):
    """One figure that the forecast is conditioned on, and what it does."""

    id: str
    indicator: str
    zone: str
    month: str
    value: float
    unit: str
    kind: Kind
    q05: float = Field(description="quantile of the runs' own values, before they are weighted")
    q50: float
    q95: float
    distance: float | None = Field(
        description="standard deviations by which the figure lies above the runs' median; null: 0"
    )
    effective_alone: float = Field(description="effective runs with this figure alone")
    effective_without: float = Field(description="effective runs with all figures but this")


class Conditioned(Part):
    """How likely one zone is to meet one target, before and after."""

    zone: str
    target: str
    threshold: float
    before: float = Field(ge=0, le=1, description="as in summary.json")
    before_low: float = Field(ge=0, le=1)
    before_high: float = Field(ge=0, le=1)
    probability: float = Field(ge=0, le=1, description="given the figures")
    low: float = Field(ge=0, le=1, description="95 % interval, lower end; see interval")
    high: float = Field(ge=0, le=1, description="95 % interval, upper end")
    q05: float = Field(description="quantile of the value at the deadline, given the figures")
    q50: float
    q95: float


class WithoutRecord(Part):
    """The probability given all figures but one."""

    id: str
    zone: str
    target: str
    probability: float = Field(ge=0, le=1)
    error: float = Field(description="standard error of what the figure moves it by")


class ObservedRecord(AnswerRecord):
    """Everything that a forecast says given a file of figures."""

    format: Literal[2] = 2
    seed: int
    runs: int
    file: str = Field(description="name of the file of figures")
    sha256: str = Field(description="of that file")
    first_month: str = Field(description="of the figures used")
    last_month: str
    set_aside: SetAside
    effective_runs: float = Field(description="Kish's effective sample size of the weights")
    fewest_effective: int = Field(description="below this no probability is said")
    interval: str = Field(description="how the 95 % intervals were made")
    versions: Versions
    figures: list[FigureRecord]
    results: list[Conditioned]
    without: list[WithoutRecord]


def record_of(observed: Observed, inputs: Inputs, seed: int) -> ObservedRecord:
    """Put it into one record with its origin."""
    figures = observed.figures
    return ObservedRecord(
        **origin(inputs),
        seed=seed,
        runs=observed.answer.runs,
        file=figures.path.name,
        sha256=figures.sha256,
        first_month=figures.first,
        last_month=figures.last,
        set_aside=SetAside(base=figures.base, check=figures.check, fitted=figures.fitted),
        effective_runs=observed.effective,
        fewest_effective=FEWEST_EFFECTIVE,
        interval=INTERVAL,
        versions=versions(),
        figures=records(observed.influence),
        results=records(observed.results),
        without=records(observed.without),
    )


def write_observed(observed: Observed, inputs: Inputs, seed: int, out: Path) -> None:
    """Write ``observed.json``, whole or not at all."""
    write_record(record_of(observed, inputs, seed), out / "observed.json")


def schema_text() -> str:
    """The JSON Schema of ``observed.json``."""
    return schema_of(ObservedRecord)
