"""docs/model.md as a plain Mesa model, one agent a firm: the oracle of tests/test_oracle.py."""

from __future__ import annotations

from pathlib import Path

from sim.runner import Runner
from sim.scenario import read_scenario
from tests.reference.docking import reference
from tests.reference.model import ReferenceDistrict

BASELINE = Path(__file__).parents[2] / "scenarios" / "baseline.yaml"


def full_size_run(run: int = 0, seed: int = 1, last: int | None = None) -> ReferenceDistrict:
    """One run of the plan's baseline at full size, stepped to its end or to a month."""
    district = reference(Runner(read_scenario(BASELINE), seed), run)
    district.run(last)
    return district
