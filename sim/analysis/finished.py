"""A finished forecast, read back from its directory as it was made; nothing there is changed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from sim.analysis.record import read_record
from sim.analysis.summary import InputRecord
from sim.blueprint import Blueprint, Floats, build
from sim.errors import RunError
from sim.montecarlo import chunks_of
from sim.plan import DISTRICT
from sim.processes.accounts import indicators
from sim.scenario import Inputs, read_scenario
from sim.store import (
    FORMAT,
    RUNS_PER_CHUNK,
    Columns,
    Store,
    chunk_name,
    column_names,
    fingerprint,
    read_manifest,
    reason,
)

AGAIN = "the same forecast command goes on and ends it"


class Given(BaseModel):
    """A probability as the forecast published it."""

    model_config = ConfigDict(frozen=True)

    zone: str
    target: str
    threshold: float
    probability: float = Field(ge=0, le=1)


class Said(BaseModel):
    """What is needed of ``summary.json``, in any format; other fields come and go."""

    model_config = ConfigDict(frozen=True)

    format: int = Field(ge=1)
    scenario: InputRecord
    plan: InputRecord
    economy: InputRecord
    seed: int
    runs: int = Field(ge=1)
    results: list[Given]


@dataclass(frozen=True)
class Finished:
    """A forecast that is there as a whole.

    Attributes:
        inputs: the scenario, plan and economy that lie with it.
        summary: what it says.
        manifest: what its runs are of.
    """

    path: Path
    inputs: Inputs
    summary: Said
    manifest: dict[str, Any]
    blueprint: Blueprint
    store: Store

    def values(self, indicator: str, zone: str, month: str) -> Floats:
        """The model's value in each run (runs,), in the indicator's unit."""
        column = f"{indicator}.{zone}"
        table = self.store.table("series", [column], self.summary.runs, [month])
        return np.asarray(table[column].to_numpy(), dtype=float)


def read_finished(path: Path | str) -> Finished:
    """Read a forecast's directory and check that it is whole, undamaged and of one piece.

    It may have been made by an earlier version of the program, if this one reads its inputs.

    Raises:
        RunError: there is no forecast, it is not finished, or a part is damaged or foreign.
        InputError: its inputs are not those of a forecast that this program can read.
        OSError: something cannot be read.
    """
    path = Path(path)
    if not (path / "manifest.json").exists():
        raise RunError(f"{path}: {_instead(path)}{_near(path)}")
    manifest = _manifest(path / "manifest.json")
    if not (path / "summary.json").exists():
        raise RunError(f"{path}: the forecast is not finished (no summary.json); {AGAIN}")
    summary = read_record(path / "summary.json", Said, AGAIN)
    for name in ("scenario", "plan", "economy"):
        record = getattr(summary, name)
        if (record.id, record.sha256) != (manifest[name], manifest["sha256"][name]):
            raise RunError(f"{path}: summary.json is of another {name} than the runs; {AGAIN}")
    if summary.seed != manifest["seed"]:
        raise RunError(f"{path}: summary.json is of another seed than the runs; {AGAIN}")
    inputs = _inputs(path / "inputs", manifest)
    blueprint = build(inputs)
    zones = [*blueprint.zones, DISTRICT]
    series = [f"{name}.{zone}" for name in indicators(blueprint) for zone in zones]
    columns = Columns(blueprint.months(), series, [], [])
    store = Store(path, columns, fingerprint(manifest))
    _check_runs(store, summary.runs, series)
    return Finished(path, inputs, summary, manifest, blueprint, store)


def _instead(path: Path) -> str:
    """What is there where no forecast is."""
    if path.is_dir():
        return "holds no forecast (no manifest.json)"
    needed = "the directory of a finished forecast is needed"
    return f"is a file; {needed}" if path.exists() else f"no such directory; {needed}"


def _near(path: Path) -> str:
    """The forecasts around a wrong place: one that it is a part of, or those within."""
    above = [folder for folder in list(path.parents)[:3] if (folder / "manifest.json").exists()]
    within = sorted(file.parent for file in path.glob("*/manifest.json")) if path.is_dir() else []
    found = ", ".join(str(folder) for folder in (above or within)[:4])
    return f"; did you mean {found}?" if found else ""


def _manifest(file: Path) -> dict[str, Any]:
    try:
        found = read_manifest(file)
    except RunError as error:
        raise RunError(f"{error}; {AGAIN}") from None
    try:
        if found["format"] != FORMAT or found["runs_per_chunk"] != RUNS_PER_CHUNK:
            raise RunError(f"{file}: is of another format; use the version that made it")
        for name in ("scenario", "plan", "economy"):
            found[name], found["sha256"][name], found["inputs"][name]["sha256"]
        found["seed"], found["version"], found["code"]
    except (LookupError, TypeError):
        raise RunError(f"{file}: is not this program's") from None
    return found


def _inputs(folder: Path, manifest: dict[str, Any]) -> Inputs:
    """The scenario in the folder with what it names; refused where a file is not as it was put."""
    for kind, copy in manifest["inputs"].items():
        file = folder / copy["file"]
        if not file.exists():
            raise RunError(f"{file}: the {kind} is missing; {AGAIN}")
        if sha256_of(file) != copy["sha256"]:
            raise RunError(f"{file}: the {kind} was changed after it was put there; {AGAIN}")
    return read_scenario(folder / manifest["inputs"]["scenario"]["file"])


def _check_runs(store: Store, runs: int, series: list[str]) -> None:
    for number in chunks_of(runs):
        chunk = store.path / "runs" / chunk_name(number)
        try:
            sound = store.is_sound(number)
        except OSError as error:
            raise RunError(f"{chunk}: cannot be read ({reason(error)})") from None
        if not sound:
            raise RunError(f"{chunk}: is missing or damaged; {AGAIN}")
    first = store.path / "runs" / "chunk-000000" / "series.parquet"
    lacking = set(series) - set(column_names(first))
    if lacking:
        raise RunError(
            f"{store.path}: its runs lack {sorted(lacking)[0]}; they are of another plan"
        )


def sha256_of(file: Path) -> str:
    """SHA-256 of a file, as in the manifest."""
    return hashlib.sha256(file.read_bytes()).hexdigest()
