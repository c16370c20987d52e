"""``pudong validate``: check files without running them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli.ending import complain, errors

if TYPE_CHECKING:
    from sim.plan import Plan


def validate(
    files: Annotated[list[Path], typer.Argument(help="Scenario, plan or economy files (YAML).")],
    plan: Annotated[
        Path | None,
        typer.Option(
            help="Plan that an economy file is checked against.", show_default="plan.yaml beside it"
        ),
    ] = None,
) -> None:
    """Check files without running them: scenarios with what they name, or a plan or an economy."""
    with errors() as console:
        from sim.errors import InputError

        bad = 0
        for file in files:
            try:
                held = verdict(file, plan or file.parent / "plan.yaml")
            except InputError as error:
                complain(error)
                bad += 1
            else:
                console.print(f"{file}: valid – {held}", highlight=False, soft_wrap=True)
        if bad:
            raise typer.Exit(2)


def verdict(file: Path, plan_file: Path) -> str:
    """What a valid file holds; raises InputError where it is not valid."""
    from sim.economy import read_economy
    from sim.errors import EconomyError
    from sim.files import kind_of, read_yaml
    from sim.parameters import parameter_table
    from sim.plan import read_plan
    from sim.processes import PARAMETERS
    from sim.report import glyphs
    from sim.runner import Runner
    from sim.scenario import read_scenario

    kind = kind_of(read_yaml(file))
    if kind == "plan":
        plan, _ = read_plan(file)
        glyphs.note(plan)
        return _plan_in_short(plan)
    if kind == "economy":
        if not plan_file.exists():
            raise EconomyError(
                f"{file}: is an economy file, which is checked against a plan; there is no "
                f"{plan_file}: name one with --plan, or validate a scenario that names both"
            )
        plan, _ = read_plan(plan_file)
        economy, source = read_economy(file, plan)
        parameter_table(economy, plan, source, PARAMETERS, {})
        glyphs.note(economy)
        return f"economy {economy.id}, with {_plan_in_short(plan)}"
    inputs = read_scenario(file)
    Runner(inputs, seed=0)
    glyphs.note(inputs.scenario, inputs.plan, inputs.economy)
    name = inputs.scenario.name
    return f"{name.zh} {name.en}; {_plan_in_short(inputs.plan)}"


def _plan_in_short(plan: Plan) -> str:
    return (
        f"plan {plan.id} ({plan.start} to {plan.end}: {len(plan.targets)} targets, "
        f"{len(plan.measures)} measures, {len(plan.zones)} zones)"
    )
