"""One finished forecast of the small district, which the tests of documents read."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sim import forecast
from sim.scenario import read_scenario

RUNS = 50


@pytest.fixture(scope="session")
def finished_small(small_scenario: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its directory; not to be changed."""
    out = tmp_path_factory.mktemp("finished") / "small"
    forecast(read_scenario(small_scenario), runs=RUNS, seed=1, out=out)
    return out


@pytest.fixture
def own_small(finished_small: Path, tmp_path: Path) -> Path:
    """A copy of it, to be damaged."""
    return Path(shutil.copytree(finished_small, tmp_path / "own"))
