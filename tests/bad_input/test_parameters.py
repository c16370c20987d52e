"""The economy's parameters must be those that the processes need, each within its range."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sim.cli import app

DISTRICT = Path(__file__).parent.parent / "small_district"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "\n    attrition: ",
            "\n    atrition: ",
            "field parameters.talent.atrition: unknown parameter 'atrition'; did you mean "
            "'attrition'? (allowed: ",
        ),
        (
            "\n  data_market:",
            "\n  data_markets:",
            "field parameters.data_markets: unknown process 'data_markets'; did you mean "
            "'data_market'? (allowed: ",
        ),
        (
            "\n    ai_rate: {value: {learning_systems: ",
            "\n    ai_rate: {value: {learning_system: ",
            "field parameters.diffusion.ai_rate.value.learning_system: unknown sector "
            "'learning_system'; did you mean 'learning_systems'? (allowed: learning_systems, ",
        ),
        (
            "\n    ai_effect: {value: {compute: ",
            "\n    ai_effect: {value: {computes: ",
            "field parameters.diffusion.ai_effect.value.computes: unknown driver 'computes'; did "
            "you mean 'compute'? (allowed: connectivity, compute, ",
        ),
        (
            "\n    age_rate: {value: ",
            "\n    age_rate: {value: 1",
            "field parameters.population.age_rate.value: found 10.136; allowed: 0.1 to 0.18, "
            "its own range",
        ),
        (
            "\n    age_rate: {value: 0.136",
            "\n    age_rate: {value: {hospitals: 0.136}",
            "field parameters.population.age_rate.value: found fields (hospitals); one number is "
            "needed",
        ),
    ],
)
def test_a_parameter_that_does_not_fit_is_said_with_its_line(
    old: str, new: str, message: str, tmp_path: Path
) -> None:
    shutil.copytree(DISTRICT, tmp_path, dirs_exist_ok=True)
    economy = tmp_path / "economy.yaml"
    text = economy.read_text(encoding="utf-8")
    assert text.count(old) == 1
    economy.write_text(text.replace(old, new), encoding="utf-8")
    line = text[: text.index(old) + 1].count("\n") + 1
    result = CliRunner().invoke(app, ["validate", str(tmp_path / "scenario.yaml")])
    assert result.exit_code == 2
    assert f"EconomyError: {economy}, line {line}, {message}" in result.stderr


def test_a_missing_parameter_is_said_with_its_process(
    small_scenario: Path, variant: Callable[..., Path]
) -> None:
    file = variant(small_scenario, economy=lambda e: e["parameters"]["talent"].pop("attrition"))
    result = CliRunner().invoke(app, ["validate", str(file)])
    assert result.exit_code == 2
    message = "field parameters.talent: the parameter 'attrition' is missing; it must be given"
    assert message in result.stderr
