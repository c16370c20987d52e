"""What an explanation says, as a record and as a file: ``explanation.json``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from sim.analysis.average import Average
from sim.analysis.record import Part, schema_of, write_record
from sim.analysis.summary import AnswerRecord, Versions


class Term(Part):
    """A part of something, mean over the runs that were made again."""

    id: str
    value: Average


class DepartmentWork(Part):
    """What one department does for one measure."""

    department: str
    effort: Average = Field(description="mean since the measure's start; 1: one measure's staff")
    weight: Average = Field(
        description="its part of the joint effort by elasticity, 0 to 1; the largest holds back"
    )


class MeasureWork(Part):
    """How far one measure came in the zone, who made it, and what it pushed."""

    measure: str
    progress: Average = Field(description="at the deadline, 0 to 1")
    path: float = Field(description="what the plan's milestones ask for by then")
    bottleneck: str | None = Field(
        description="department with the largest weight, where it can be told from the second"
    )
    departments: list[DepartmentWork]
    pushes: list[Term] = Field(
        description="by behaviour: mean log change of its rate, or of revenue, over the months"
    )
    growth: Average | None = Field(
        description="direct part in the indicator's change, in its unit; null but for revenue"
    )


class DepartmentLoad(Part):
    """One department over all its measures."""

    department: str
    workload: Average = Field(description="measures under way over those its staff can carry")
    growth: Average | None = Field(
        description="direct part in the indicator's change, by its weight in each measure"
    )


class DriverLevel(Part):
    """A driver in the zone at the deadline, and the measures behind it."""

    driver: str
    level: Average = Field(description="0 (base year) to 1, mean over sectors")
    pushes: list[Term] = Field(description="by behaviour, as for measures")


class Association(Part):
    """How a context series goes with the indicator over all runs of the forecast; no cause."""

    series: str
    rank_correlation: float = Field(description="Spearman's, both at the deadline")
    low: float = Field(description="95 % interval (Fisher's z, Bonett and Wright 2000)")
    high: float


class Explanation(AnswerRecord):
    """The chain from effort to one target in one zone, in numbers."""

    format: Literal[2] = 2
    seed: int
    runs: int = Field(description="runs of the forecast")
    watched: int = Field(description="of them made again and looked at")
    versions: Versions
    target: str
    zone: str
    deadline: str
    threshold: float
    probability: float = Field(description="of the forecast, with its 95 % Wilson interval")
    low: float
    high: float
    q05: float = Field(description="quantiles of the value at the deadline, of the forecast")
    q50: float
    q95: float
    start: float = Field(description="the indicator at the plan's start")
    change: Average = Field(description="start to deadline, over the runs made again")
    account: list[Term] = Field(description="what the change consists of; sums to it")
    drivers: list[DriverLevel]
    measures: list[MeasureWork]
    departments: list[DepartmentLoad]
    limits: list[Term]
    associations: list[Association]


def file_name(target: str, zone: str) -> str:
    """What an explanation's files are called, without what says their kind."""
    return f"explanation-{target}-{zone}"


def write_explanation(found: Explanation, file: Path) -> None:
    """Write it as JSON, whole or not at all.

    Raises:
        OSError: the disk does not take it; it names the file.
    """
    write_record(found, file)


def schema_text() -> str:
    """The JSON Schema of ``explanation.json``."""
    return schema_of(Explanation)
