"""Every number that the model starts from says where it comes from."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from sim.analysis.provenance import provenance
from sim.cli import app
from sim.runner import Runner


@pytest.fixture(scope="module")
def numbers(real: Runner) -> pd.DataFrame:
    return provenance(real.inputs)


def test_each_number_has_a_unit_a_range_and_either_source_or_assumption(
    numbers: pd.DataFrame,
) -> None:
    assert (numbers["unit"].str.len() > 0).all()
    assert (numbers["low"] <= numbers["value"]).all()
    assert (numbers["value"] <= numbers["high"]).all()
    assert (numbers["source"].notna() != numbers["assumption"].notna()).all()


def test_every_parameter_of_a_run_is_listed(real: Runner, numbers: pd.DataFrame) -> None:
    listed = set(numbers["field"].str.removeprefix("parameters."))
    assert set(real.parameters.labels) <= listed


def test_published_totals_carry_their_publisher(numbers: pd.DataFrame) -> None:
    by_field = numbers.set_index("field")["source"]
    assert "Paper" in by_field["sectors.ic.revenue"]
    assert "31" in by_field["targets.key_technologies.threshold"]


def test_the_command_writes_what_it_shows(real_scenario: Path, tmp_path: Path) -> None:
    file = tmp_path / "numbers.csv"
    options = ["--scenario", str(real_scenario), "--out", str(file)]
    result = CliRunner().invoke(app, ["provenance", "talent", *options])
    assert result.exit_code == 0
    written = pd.read_csv(file)
    assert written["field"].str.contains("talent").all()
    assert f"{len(written):,} numbers" in result.output


def test_a_field_that_is_nowhere_is_refused(real_scenario: Path) -> None:
    result = CliRunner().invoke(app, ["provenance", "tallent", "--scenario", str(real_scenario)])
    assert result.exit_code == 2
    assert "'tallent'" in result.stderr
