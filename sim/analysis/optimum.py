"""What ``optimise`` answers, as a record: ``optimise.json``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sim.analysis.aims import Kind
from sim.analysis.estimates import Estimate, Gap, Mean
from sim.analysis.record import Part, schema_of
from sim.analysis.summary import AnswerRecord, Versions
from sim.scenario import LeverSetting

Role = Literal["present", "best", "equal spread", "best single lever", "front"]


class Share(Part):
    """What one lever gets in one place."""

    lever: str
    kind: Literal["zones", "measures", "departments"] = Field(description="what places are")
    place: str = Field(description="zone, measure or department id; empty: all of them")
    value: float = Field(description="lever value, in its unit")
    present: float = Field(description="the scenario's own value at the plan's end (least place)")
    cost: float = Field(description="亿元 over the period above the scenario's, set by itself")


class GoalShare(Part):
    """One goal in one setting, on held-out runs."""

    target: str
    zone: str
    probability: float = Field(ge=0, le=1)


class Setting(Part):
    """One way to set the levers, and what it gives."""

    role: Role
    levers: list[LeverSetting] = Field(description="on top of the scenario's own")
    shares: list[Share]
    searched: Estimate = Field(description="objective on the runs that were searched with")
    held_out: Estimate = Field(description="objective on other runs: this is the answer")
    cost: Mean = Field(description="above the scenario's, held-out runs, 亿元 over the period")
    goals: list[GoalShare]
    efficient: bool = Field(description="no setting here has more at less cost, on held-out runs")


class Optimum(AnswerRecord):
    """Everything that an optimisation says, with what it was made from."""

    format: Literal[2] = 2
    seed: int
    runs: int = Field(description="runs of each setting while searching")
    confirm: int = Field(description="held-out runs of each setting")
    budget: float = Field(description="亿元 over the period above the scenario's cost")
    objective: Kind
    goals: list[str] = Field(description="target.zone, all.zone: what the objective is made of")
    weights: list[float]
    levers: list[str] = Field(description="levers that were looked at")
    split: list[str] = Field(description="those that were also set place by place")
    evaluated: int = Field(description="settings that were run")
    versions: Versions
    settings: list[Setting] = Field(description="present, best, equal spread, single lever, front")
    over_equal: Gap = Field(description="best less equal spread, held-out runs")
    over_single: Gap = Field(description="best less best single lever, held-out runs")
    over_present: Gap = Field(description="best less the scenario as it is, held-out runs")
    optimism: float = Field(description="of the best: searched less held-out probability")
    optimism_low: float = Field(description="its 95 % interval (two samples)")
    optimism_high: float

    def of(self, role: Role) -> Setting:
        return next(setting for setting in self.settings if setting.role == role)


def schema_text() -> str:
    """The JSON Schema of ``optimise.json``."""
    return schema_of(Optimum)
