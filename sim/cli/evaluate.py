"""``pudong evaluate``: the designs of published evaluations, run on the model's firms."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sim.cli import options
from sim.cli.printing import command_line
from sim.cli.runs import making_runs, progress_bar, runners


def evaluate(
    scenario: options.Scenario,
    designs: Annotated[
        Path, typer.Option(help="Table of the designs (columns: docs/evaluate.md).")
    ],
    out: Annotated[Path, typer.Option(help="Page to write.")] = Path("out/evaluations.md"),
    runs: Annotated[int, typer.Option(help="Number of runs of each design.")] = 70,
    seed: options.Seed = 1,
    workers: options.Workers = None,
) -> None:
    """Do to SCENARIO's district what evaluations of policies did, and compare the estimates.

    A pilot goes from zone to zone over the runs, so that their number is best a multiple of the
    zones'.
    """
    with making_runs(workers, None) as console:
        from sim.analysis.designs import read_designs
        from sim.analysis.virtual import evaluate as run_designs
        from sim.errors import PathError
        from sim.report.evaluations import evaluations_page
        from sim.scenario import read_scenario
        from sim.store import write_text

        inputs = read_scenario(scenario)
        table = read_designs(designs, inputs)
        if out.is_dir():
            raise PathError(f"--out {out}: is a directory; name a file")
        out.parent.mkdir(parents=True, exist_ok=True)
        with progress_bar(runs * len(table)) as on_progress:
            found = run_designs(
                inputs,
                table,
                runs=runs,
                seed=seed,
                workers=runners(workers, None),
                on_progress=on_progress,
            )
        write_text(out, evaluations_page(inputs, found, runs, seed, command_line()))
        inside = sum(one.inside for one in found)
        console.print(
            f"{inside} of {len(found)} estimates lie in the published interval: {out}",
            highlight=False,
        )
