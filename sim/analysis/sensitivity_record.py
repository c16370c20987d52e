"""A sensitivity analysis as files: ``sensitivity.json`` with its schema, and tables as CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pandas as pd
from pydantic import Field

from sim.analysis.outputs import Measure
from sim.analysis.record import Part, schema_of, write_record
from sim.analysis.sensitivity import (
    SMALL,
    WIDEST,
    Indexed,
    Screened,
    Sensitivity,
    Verdict,
    told,
    verdict,
)
from sim.analysis.summary import AnswerRecord, TargetId, Versions, ZoneId, origin, versions
from sim.store import write_text
from sim.text import csv_text


class FactorRecord(Part):
    """One thing that was varied by itself."""

    name: str
    kind: Literal["parameter", "lever"]
    range: str = Field(description="the prior, or the lever's bounds, in words")
    parameters: list[str] = Field(description="the parameters that move with it; none of a lever")
    indexed: bool = Field(description="whether it got Sobol' indices")


class OutputRecord(Part):
    """One number that was analysed."""

    target: TargetId
    zone: ZoneId
    measure: Measure = Field(
        description="mean: of the indicator at its deadline, in the target's unit; probability: "
        "to meet the target"
    )
    design: Literal["morris", "sobol"] = Field(description="over which points")
    mean: float = Field(description="over the points of the design")
    chance_share: float | None = Field(
        description="part of the variance of single runs that is luck's; null: nothing varies"
    )


class Row(Part):
    """What was found of one factor and output."""

    target: str
    zone: str
    measure: Measure
    factor: str
    verdict: Verdict
    at_low: float = Field(
        description="the output in the middle of the factor's lowest quarter, on a straight line"
    )
    at_high: float = Field(description="likewise of its highest quarter")
    error: float = Field(description="standard error of either end, the common mean aside")


class ScreeningRecord(Row):
    """Elementary effects, in the output's unit, of a move across half of the factor's range."""

    effect: float = Field(description="mean change when the factor rises")
    strength: float = Field(description="mean size of the change, μ*")
    strength_low: float = Field(description="95 % interval (bootstrap over trajectories)")
    strength_high: float
    spread: float = Field(description="standard deviation of the change")
    floor: float = Field(description="the strength that chance alone gives")
    share: float = Field(ge=0, le=1, description="of the squared strengths beyond chance")


class IndexRecord(Row):
    """Sobol' indices: parts of the variance of the expected output."""

    first: float | None = Field(
        ge=0, le=1, description="alone; null: cannot be told, its interval is too wide"
    )
    first_low: float = Field(description="95 % interval (bootstrap), not cut to 0 … 1")
    first_high: float
    total: float | None = Field(ge=0, le=1, description="with all that it takes part in")
    total_low: float
    total_high: float
    raw_first: float = Field(description="as estimated: sampling may leave it below 0 or above 1")
    raw_total: float


class SensitivityRecord(AnswerRecord):
    """Everything that a sensitivity analysis says, with what it was made from."""

    format: Literal[2] = 2
    seed: int
    repeats: int = Field(
        description="runs of each point; the points of a row of the design share their luck"
    )
    trajectories: int = Field(description="of the screening; 0: none was made")
    size: int = Field(description="N of the Sobol' design; 0: none was made")
    runs: int = Field(description="of the model, those of a pilot among them")
    over_priors: bool = Field(
        description="the economy has a fit, and parameters were taken from their priors nonetheless"
    )
    widest: float = Field(description="half of an interval beyond which an index is not told")
    small: float = Field(description="a total index below this is negligible")
    versions: Versions
    salib: str = Field(description="version of the library behind the indices")
    factors: list[FactorRecord]
    outputs: list[OutputRecord]
    screening: list[ScreeningRecord]
    indices: list[IndexRecord]


def record_of(found: Sensitivity) -> SensitivityRecord:
    """Put it into one record with its origin."""
    from importlib.metadata import version

    inputs, labels = found.space.inputs, found.space.table.labels
    indexed = {factor.name for factor in found.chosen.factors} if found.size else set()
    factors = [
        FactorRecord(
            name=factor.name,
            kind=factor.kind,
            range=factor.range,
            parameters=[labels[place] for place in factor.places],
            indexed=factor.name in indexed,
        )
        for factor in found.space.factors
    ]
    return SensitivityRecord(
        **origin(inputs),
        seed=found.seed,
        repeats=found.repeats,
        trajectories=found.trajectories,
        size=found.size,
        runs=found.runs,
        over_priors=found.fitted,
        widest=WIDEST,
        small=SMALL,
        versions=versions(),
        salib=version("SALib"),
        factors=factors,
        outputs=[*map(_output, found.screened), *map(_output, found.indexed)],
        screening=[
            _screening_row(one, n, factor.name)
            for one in found.screened
            for n, factor in enumerate(found.space.factors)
        ],
        indices=[
            _index_row(one, n, factor.name)
            for one in found.indexed
            for n, factor in enumerate(found.chosen.factors)
        ],
    )


def write_sensitivity(record: SensitivityRecord, out: Path) -> list[Path]:
    """Write ``sensitivity.json``, and its tables as CSV, each whole or not at all."""
    out.mkdir(parents=True, exist_ok=True)
    files = []
    for name, rows in (("screening", record.screening), ("indices", record.indices)):
        if rows:
            table = pd.DataFrame([row.model_dump() for row in rows])
            write_text(out / f"{name}.csv", csv_text(table))
            files.append(out / f"{name}.csv")
    write_record(record, out / "sensitivity.json")
    return [out / "sensitivity.json", *files]


def schema_text() -> str:
    """The JSON Schema of ``sensitivity.json``."""
    return schema_of(SensitivityRecord)


def _output(found: Screened | Indexed) -> OutputRecord:
    design: Literal["morris", "sobol"] = "morris" if isinstance(found, Screened) else "sobol"
    output = found.output
    return OutputRecord(
        target=output.target,
        zone=output.zone,
        measure=output.measure,
        design=design,
        mean=found.mean,
        chance_share=found.chance,
    )


def _common(found: Screened | Indexed, place: int, factor: str) -> dict[str, object]:
    ends = found.ends
    return {
        "target": found.output.target,
        "zone": found.output.zone,
        "measure": found.output.measure,
        "factor": factor,
        "verdict": verdict(found, place),
        "at_low": float(ends.low[place]),
        "at_high": float(ends.high[place]),
        "error": float(ends.error[place]),
    }


def _screening_row(found: Screened, place: int, factor: str) -> ScreeningRecord:
    effects = found.effects
    strength, reach = float(effects.strength[place]), float(effects.reach[place])
    return ScreeningRecord.model_validate(
        _common(found, place, factor)
        | {
            "effect": float(effects.effect[place]),
            "strength": strength,
            "strength_low": max(0.0, strength - reach),
            "strength_high": strength + reach,
            "spread": float(effects.spread[place]),
            "floor": float(effects.floor[place]),
            "share": float(effects.share[place]),
        }
    )


def _index_row(found: Indexed, place: int, factor: str) -> IndexRecord:
    values = {"raw_first": float(found.indices.first[place])}
    values["raw_total"] = float(found.indices.total[place])
    row = _common(found, place, factor) | values
    reaches = {"first": found.indices.first_reach, "total": found.indices.total_reach}
    for name, reach in reaches.items():
        estimate, half = values[f"raw_{name}"], float(reach[place])
        row |= {
            name: told(estimate, half),
            f"{name}_low": estimate - half,
            f"{name}_high": estimate + half,
        }
    return IndexRecord.model_validate(row)
