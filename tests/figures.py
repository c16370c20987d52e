"""Made-up published figures: records, and files of them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from sim.analysis.observations import Observation

COLUMNS = [*Observation.model_fields]

Cells = dict[str, object]


def cells(**changes: object) -> Cells:
    """One figure, by what it has different from this one."""
    usual = {
        "id": "one",
        "indicator": "ic_scale",
        "zone": "district",
        "month": "2021-12",
        "value": 1_000.0,
        "unit": "亿元",
        "kind": "exact",
        "noise_sd": 0.05,
        "use": "fit",
        "source_title": "made up",
        "source_date": "2022-02-24",
    }
    return usual | changes


def figure(**changes: object) -> Observation:
    return Observation.model_validate(cells(**changes))


def write_figures(file: Path, rows: Iterable[Cells], columns: Sequence[str] = COLUMNS) -> Path:
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return file
