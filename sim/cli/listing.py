"""``pudong list``: what a scenario can name."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sim.cli.ending import errors


class Listing(StrEnum):
    targets = "targets"
    measures = "measures"
    departments = "departments"
    zones = "zones"
    sectors = "sectors"
    parks = "parks"
    levers = "levers"
    parameters = "parameters"


def list_(
    what: Annotated[Listing | None, typer.Argument(help="One kind only.")] = None,
    scenario: Annotated[
        Path, typer.Option(help="Scenario whose plan and economy are listed.")
    ] = Path("scenarios/baseline.yaml"),
) -> None:
    """Show what a scenario can name: targets, measures, departments, zones, levers, …"""
    with errors() as console:
        from sim.report.listing import listing
        from sim.scenario import read_scenario

        inputs = read_scenario(scenario)
        for kind in [what] if what else list(Listing):
            if what is None and kind == Listing.parameters:
                continue
            console.print(listing(inputs, kind.value))
