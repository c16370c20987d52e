"""The summary of a forecast as a file: ``summary.json``, and its schema."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict

import pandas as pd
from pydantic import Field

from sim.analysis.probability import Answer
from sim.analysis.record import Part, Sealed, schema_of, write_record
from sim.figures import Name
from sim.scenario import Inputs

ZoneId = Annotated[str, Field(description="zone id, or 'district' for the whole")]
TargetId = Annotated[
    str, Field(description="target id, or 'all' for all of the zone's targets at once")
]


class InputRecord(Part):
    """A file that the forecast was made from; a copy lies in ``inputs/``."""

    id: str
    name: Name
    sha256: str


class AnswerRecord(Sealed):
    """What a whole answer starts with: its format, and the files that it was made from."""

    format: int
    scenario: InputRecord
    plan: InputRecord
    economy: InputRecord


class Origin(TypedDict):
    scenario: InputRecord
    plan: InputRecord
    economy: InputRecord


class Versions(Part):
    pudong_sim: str
    python: str
    mesa: str
    numpy: str
    scipy: str
    pandas: str


class Result(Part):
    """How likely one zone is to meet one target."""

    zone: ZoneId
    target: TargetId
    threshold: float = Field(description="in the target's unit; for 'all' the number of targets")
    probability: float = Field(ge=0, le=1, description="share of the runs that meet it")
    low: float = Field(ge=0, le=1, description="95 % interval, lower end; see interval")
    high: float = Field(ge=0, le=1, description="95 % interval, upper end")
    runs: int
    parameter_share: float | None = Field(
        description="part of the doubt that lies in parameters, the rest is chance; null: unknown"
    )
    q05: float = Field(description="quantile of the value at the deadline over the runs")
    q50: float
    q95: float
    shortfall: float = Field(description="mean of max(0, threshold − value) over all runs")


class YearlyRecord(Part):
    """The distribution of one indicator at the end of one year of the plan."""

    zone: str
    indicator: str
    kind: Literal["flow", "stock", "count", "level"] = Field(
        description="flow: sum of the twelve months to the date; count: since the start"
    )
    month: str
    mean: float
    q05: float
    q25: float
    q50: float
    q75: float
    q95: float


class MonthlyRecord(Part):
    """The distribution of a target's indicator in one month, whole district."""

    target: str
    month: str
    q05: float
    q25: float
    q50: float
    q75: float
    q95: float


class CostRecord(Part):
    """Fiscal cost over the whole period, 亿元."""

    item: str = Field(description="a lever, 'platform_founding', or 'total'")
    zone: str
    mean: float
    q05: float
    q95: float


class SplitRecord(Part):
    """What the variance of one result over the runs comes from; null: it cannot be told."""

    zone: str
    target: str
    of: Literal["value", "met"] = Field(description="value at the deadline, or met: yes or no")
    source: float | None = Field(description="share that goes with parameters with a source")
    source_error: float | None = Field(description="its standard error")
    assumption: float | None = Field(description="with parameters that are assumptions")
    assumption_error: float | None
    fitted: float | None = Field(description="with parameters drawn from a posterior")
    fitted_error: float | None
    joint: float | None = Field(description="with parameters, jointly or not in proportion")
    chance: float | None = Field(description="with chance: same parameters, other luck")
    chance_error: float | None


class LargestRecord(Part):
    """A parameter with which a part of one result's variance goes, told from none."""

    zone: str
    target: str
    of: Literal["value", "met"]
    parameter: str
    basis: Literal["source", "assumption", "fitted"]
    share: float = Field(ge=0, le=1)
    error: float = Field(description="its standard error")


class UncertaintyRecord(Part):
    """Where the uncertainty of the answer comes from."""

    runs: int = Field(description="runs that the split rests on")
    runs_needed: int = Field(description="with fewer the parameters cannot be told apart")
    varied: dict[str, int] = Field(description="parameters that vary over the runs, by basis")
    fixed: dict[str, int] = Field(
        description="assumptions that are the same in all runs, by file and part of it"
    )
    split: list[SplitRecord]
    largest: list[LargestRecord]


class Summary(AnswerRecord):
    """Everything that a forecast says, with what it was made from."""

    format: Literal[3] = 3
    seed: int
    runs: int
    interval: str = Field(description="how the 95 % intervals were made")
    versions: Versions
    command: str = Field(description="how to make it again, from within the forecast's directory")
    results: list[Result]
    yearly: list[YearlyRecord]
    monthly: list[MonthlyRecord]
    costs: list[CostRecord]
    uncertainty: UncertaintyRecord | None = Field(
        description="null: the answer was made without it"
    )


def summarise(answer: Answer, inputs: Inputs, seed: int) -> Summary:
    """Put an answer and its origin into one record."""
    scenario_file = f"inputs/{inputs.sources['scenario'].path.name}"
    return Summary(
        **origin(inputs),
        seed=seed,
        runs=answer.runs,
        interval=answer.method.value,
        versions=versions(),
        command=f"pudong forecast {scenario_file} --runs {answer.runs} --seed {seed} --out DIR",
        results=records(answer.results),
        yearly=answer.yearly.to_dict("records"),
        monthly=answer.monthly.to_dict("records"),
        costs=answer.costs.to_dict("records"),
        uncertainty=_uncertainty(answer),
    )


def _uncertainty(answer: Answer) -> UncertaintyRecord | None:
    found = answer.uncertainty
    if found is None:
        return None
    return UncertaintyRecord(
        runs=found.runs,
        runs_needed=found.runs_needed,
        varied=found.varied,
        fixed=found.fixed,
        split=records(found.split),
        largest=records(found.largest),
    )


def origin(inputs: Inputs) -> Origin:
    """The files that an answer is made from."""
    return Origin(
        scenario=made_from(inputs, "scenario"),
        plan=made_from(inputs, "plan"),
        economy=made_from(inputs, "economy"),
    )


def made_from(inputs: Inputs, name: str) -> InputRecord:
    """The record of one of the files: scenario, plan or economy."""
    record = getattr(inputs, name)
    return InputRecord(id=record.id, name=record.name, sha256=inputs.sources[name].sha256)


def records(table: pd.DataFrame) -> list[Any]:
    """A table's rows with None where a figure is missing."""
    return [
        {name: None if pd.isna(value) else value for name, value in row.items()}
        for row in table.to_dict("records")
    ]


def versions() -> Versions:
    """The versions that the numbers depend on."""
    import platform
    from importlib.metadata import version

    from sim import __version__

    libraries = {name: version(name) for name in ("mesa", "numpy", "scipy", "pandas")}
    return Versions(pudong_sim=__version__, python=platform.python_version(), **libraries)


def write_summary(summary: Summary, path: Path) -> None:
    """Write it as JSON, whole or not at all."""
    write_record(summary, path)


def schema_text() -> str:
    """The JSON Schema of ``summary.json``."""
    return schema_of(Summary)
