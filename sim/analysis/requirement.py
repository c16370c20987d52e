"""What ``require`` answers, as a record: ``require.json``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sim.analysis.estimates import Estimate, Mean
from sim.analysis.record import Part, schema_of
from sim.analysis.summary import AnswerRecord, Versions
from sim.scenario import LeverSetting

Status = Literal["reached", "already reached", "out of reach"]
Verdict = Literal["confirmed", "contradicted", "not asked"]


class Level(Part):
    """One setting along the path that was looked at, on the runs searched with."""

    place: float = Field(description="0: nothing set, 1: the most that was looked at")
    values: list[float] = Field(description="of the levers, in their order and units")
    cost: float = Field(description="mean above the scenario's, 亿元 over the period")
    probability: float = Field(description="share of runs")
    fitted: float = Field(description="by isotonic regression up to the peak")


class Dose(Part):
    """What the answer asks of one lever."""

    lever: str
    zones: list[str] = Field(description="none: all, or all measures or departments")
    present: float = Field(description="the scenario's value at the plan's end (the least place)")
    bound: float = Field(description="the most that is allowed")
    value: float | None = Field(description="the answer; null: out of reach")
    low: float | None = Field(description="95 % interval, by bootstrap over runs")
    high: float | None = Field(description="null: the level may be out of reach")


class Alone(Part):
    """One of several levers by itself, by the stand-in: a hint and not an answer."""

    lever: str
    cost: float | None = Field(description="亿元 with which it would do; null: it would not")


class Checked(Part):
    """A setting on held-out runs."""

    levers: list[LeverSetting] = Field(description="on top of the scenario's own")
    values: list[float]
    searched: Estimate
    held_out: Estimate
    cost: Mean = Field(description="above the scenario's, held-out runs, 亿元 over the period")


class Requirement(AnswerRecord):
    """Everything that the question is answered with, and what it was made from."""

    format: Literal[2] = 2
    seed: int
    runs: int = Field(description="runs of each setting while searching")
    confirm: int = Field(description="held-out runs")
    target: str
    zone: str
    probability: float = Field(description="the level asked for")
    status: Status
    doses: list[Dose]
    answer: Checked = Field(description="the answer; out of reach: the setting that gives most")
    sure: Checked | None = Field(
        description="the upper end of the interval, where the level is reached with 97.5 %"
    )
    verdict: Verdict = Field(description="contradicted: the held-out interval lies below the level")
    reach: float = Field(description="part of the bootstrap samples in which the level is reached")
    falls: bool = Field(description="the probability falls again beyond its peak (95 %)")
    reached: list[tuple[float, float]] = Field(description="places in which the level is met")
    levels: list[Level]
    alone: list[Alone] = Field(description="with several levers")
    versions: Versions


def schema_text() -> str:
    """The JSON Schema of ``require.json``."""
    return schema_of(Requirement)
