"""Scenario discovery as files: ``discover.json`` with its schema, and the limits as CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pandas as pd
from pydantic import Field

from sim.analysis.discover import Discovery, Found
from sim.analysis.prim import LEVEL, PEEL
from sim.analysis.record import Part, schema_of, write_record
from sim.analysis.summary import AnswerRecord, Versions, origin, versions
from sim.store import write_text
from sim.text import csv_text


class LimitRecord(Part):
    """One limit of a box."""

    factor: str
    side: Literal["at least", "at most"]
    value: float = Field(description="in the factor's unit, inclusive")
    share: float = Field(description="part of the runs that it leaves in by itself")
    quasi_p: float = Field(description="quasi-p-value (Bryant and Lempert 2010)")
    again: float = Field(description="part of random halves of the runs that give this limit too")


class StepRecord(Part):
    """A box on the way of the peeling."""

    runs: int
    coverage: float
    density: float
    limits: int


class BoxRecord(Part):
    """One box, in the runs outside of those before it."""

    limits: list[LimitRecord]
    runs: int = Field(description="in the box")
    misses: int = Field(description="among them")
    coverage: float = Field(ge=0, le=1, description="part of the misses that lie in it")
    density: float = Field(ge=0, le=1, description="part of its runs that miss")
    low: float = Field(description="95 % Wilson interval of the density, the choice left aside")
    high: float
    chance_p: float = Field(description="of the permutation test: as good a box by chance")
    coverage_elsewhere: float = Field(
        description="mean coverage of boxes from random halves of the runs, in the other halves"
    )
    density_elsewhere: float = Field(description="their density there")
    trajectory: list[StepRecord] = Field(description="of the peeling, from all runs on")


class DiscoveryRecord(AnswerRecord):
    """Under which conditions a target is missed, with what it was found from."""

    format: Literal[2] = 2
    target: str
    zone: str
    seed: int = Field(description="of the runs, the permutations and the resamples")
    runs: int
    misses: int
    factors: list[str] = Field(description="what was looked at: parameters, then levers")
    levers: list[str] = Field(description="which of them are levers")
    parameter_share: float | None = Field(
        description="part of the doubt that lies in parameters, the rest is chance; null: unknown"
    )
    explained: bool = Field(description="whether any box is more than chance")
    level: float = Field(description="of quasi-p-values and of the permutation test")
    peel: float = Field(description="part of a box's runs that a peel takes off")
    boxes: list[BoxRecord]
    tried: BoxRecord | None = Field(description="the last box looked at, if it could be chance")
    versions: Versions


def record_of(found: Discovery) -> DiscoveryRecord:
    """Put it into one record with its origin."""
    inputs, cases = found.inputs, found.cases
    return DiscoveryRecord(
        **origin(inputs),
        target=found.target,
        zone=found.zone,
        seed=found.seed,
        runs=len(cases.missed),
        misses=int(cases.missed.sum()),
        factors=list(cases.names),
        levers=[name for name in cases.names if name in inputs.economy.levers],
        parameter_share=cases.parameter_share,
        explained=bool(found.boxes),
        level=LEVEL,
        peel=PEEL,
        boxes=[_box(box) for box in found.boxes],
        tried=None if found.tried is None else _box(found.tried),
        versions=versions(),
    )


def _box(found: Found) -> BoxRecord:
    return BoxRecord(
        limits=[
            LimitRecord(
                factor=limit.factor,
                side="at most" if limit.upper else "at least",
                value=limit.value,
                share=limit.share,
                quasi_p=limit.quasi_p,
                again=limit.again,
            )
            for limit in found.limits
        ],
        runs=found.quality.runs,
        misses=found.quality.cases,
        coverage=found.quality.coverage,
        density=found.quality.density,
        low=found.low,
        high=found.high,
        chance_p=found.chance_p,
        coverage_elsewhere=found.resampled.coverage,
        density_elsewhere=found.resampled.density,
        trajectory=[
            StepRecord(runs=one.runs, coverage=one.coverage, density=one.density, limits=limits)
            for one, limits in found.trajectory
        ],
    )


def write_discovery(record: DiscoveryRecord, out: Path) -> list[Path]:
    """Write ``discover.json`` and ``limits.csv``, each whole or not at all."""
    out.mkdir(parents=True, exist_ok=True)
    rows = [
        {"box": number, **limit.model_dump()}
        for number, box in enumerate(record.boxes, start=1)
        for limit in box.limits
    ]
    columns = ["box", *LimitRecord.model_fields]
    write_text(out / "limits.csv", csv_text(pd.DataFrame(rows, columns=columns)))
    write_record(record, out / "discover.json")
    return [out / "discover.json", out / "limits.csv"]


def schema_text() -> str:
    """The JSON Schema of ``discover.json``."""
    return schema_of(DiscoveryRecord)
