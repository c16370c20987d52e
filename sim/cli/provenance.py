"""``pudong provenance``: where each number comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sim.cli.ending import errors


def provenance(
    field: Annotated[
        str, typer.Argument(help="Only numbers whose field holds this text, e.g. talent.")
    ] = "",
    out: Annotated[Path | None, typer.Option(help="Write all as CSV to this file.")] = None,
    scenario: Annotated[
        Path, typer.Option(help="Scenario whose plan and economy are meant.")
    ] = Path("scenarios/baseline.yaml"),
) -> None:
    """Say where each number comes from: its unit, range, and source or assumption."""
    with errors() as console:
        from sim.analysis.provenance import provenance as numbers_of
        from sim.errors import RunError
        from sim.report.listing import provenance_table
        from sim.scenario import read_scenario
        from sim.store import write_text
        from sim.text import csv_text

        numbers = numbers_of(read_scenario(scenario))
        chosen = numbers[numbers["field"].str.contains(field, regex=False)]
        if chosen.empty:
            raise RunError(
                f"found no number whose field holds {field!r}; try pudong list parameters"
            )
        if out is not None and not out.absolute().parent.is_dir():
            raise RunError(f"{out.parent}: no such directory; make it, or give another --out")
        if out is not None:
            write_text(out, csv_text(chosen))
        else:
            console.print(provenance_table(chosen))
        sourced = int(chosen["source"].notna().sum())
        console.print(
            f"{len(chosen):,} numbers: {sourced:,} from sources, "
            f"{len(chosen) - sourced:,} assumptions with their reasons"
            + (f"; {out}" if out else ""),
            highlight=False,
        )
