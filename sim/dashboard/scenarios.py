"""Scenarios that come from a page and go back to it, and those that lie beside the base."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim.errors import InputError, ScenarioError
from sim.files import read_bytes, yaml_text
from sim.runner import Runner
from sim.scenario import Inputs, scenario_of

MOST_BYTES = 200_000  # of a scenario file; those of the project have some 2,000


@dataclass(frozen=True)
class Example:
    """A scenario file in the folder of the base's."""

    file: str
    inputs: Inputs


def from_page(data: object, base: Inputs) -> Inputs:
    """The scenario that a page shows, from its plain data; raises InputError."""
    if not isinstance(data, dict):
        raise ScenarioError("found no scenario")
    return from_file(text_of(data).encode(), "scenario.yaml", base)


def from_file(raw: bytes, name: str, base: Inputs) -> Inputs:
    """The scenario in an uploaded file, which opens no other file; raises InputError."""
    if len(raw) > MOST_BYTES:
        raise ScenarioError(
            f"{name}: is too large ({len(raw):,} bytes); allowed: at most {MOST_BYTES:,} bytes"
        )
    inputs = scenario_of(raw, name, base)
    Runner(inputs, seed=0)  # finds what only the model notices
    return inputs


def data_of(inputs: Inputs) -> dict[str, Any]:
    """A scenario as plain data, without the fields that are left at their defaults."""
    return inputs.scenario.model_dump(mode="json", exclude_defaults=True)


def text_of(data: dict[str, Any]) -> str:
    """A scenario file's text."""
    return yaml_text(data)


def examples_of(base: Inputs) -> list[Example]:
    """The scenarios beside the base that can be held against it: same plan, economy and end."""
    own = base.sources["scenario"].path
    found = []
    for file in sorted(own.parent.glob("*.yaml")):
        try:
            inputs = scenario_of(read_bytes(file), file.name, base)
        except InputError:  # a plan, an economy, or a scenario of another one
            continue
        if file.name != own.name:
            found.append(Example(file.name, inputs))
    return found


def safe_name(name: object) -> str:
    """A file's name as messages may show it, without folders."""
    return Path(str(name).replace("\\", "/")).name[:80] or "scenario.yaml"
