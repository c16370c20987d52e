"""``pudong require``: how much of a lever, or which mix of levers, is enough for a target."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sim.cli import options
from sim.cli.ending import KEPT, Finish
from sim.cli.options import Language
from sim.cli.printing import print_files, print_lines
from sim.cli.runs import making_runs, under_way


def require(
    scenario: options.Scenario,
    target: Annotated[str, typer.Option(help="Target, or 'all' at once.")],
    probability: Annotated[float, typer.Option(help="Probability to reach, between 0 and 1.")],
    lever: Annotated[
        list[str],
        typer.Option(help="Lever to raise; several by comma or again: the mix at least cost."),
    ],
    out: Annotated[Path, typer.Option(help="Directory for the answer and the runs.")],
    zone: Annotated[str, typer.Option(help="Zone that is to meet it.")] = "district",
    zones: Annotated[
        list[str] | None, typer.Option(help="Zones where levers are raised.", show_default="all")
    ] = None,
    runs: Annotated[int, typer.Option(help="Runs of each setting while searching.")] = 400,
    confirm: Annotated[int, typer.Option(help="Held-out runs for the check.")] = 500,
    seed: options.Seed = 1,
    workers: options.Workers = None,
    cluster: options.Cluster = None,
    lang: options.Lang = Language.both,
    charts: options.Charts = True,
) -> None:
    """Say how much is enough: the least lever, or the cheapest mix, for a probability.

    Leaves in OUT: require.json (documented in docs/require.md), require.yaml (the answer as a
    scenario), charts/ and evaluations/ (the runs). The same command again goes on where it stopped.
    """
    with making_runs(workers, cluster) as console, Finish(charts, KEPT) as finish:
        from sim.analysis.require import require as ask
        from sim.analysis.require import write_requirement
        from sim.report.require_table import level_table, lines
        from sim.scenario import read_scenario

        inputs = read_scenario(scenario)
        with under_way(runs, seed, out, workers, cluster) as how:
            found = ask(
                inputs,
                target=target,
                zone=zone,
                probability=probability,
                levers=lever,
                zones=zones or [],
                runs=runs,
                confirm=confirm,
                **how,
            )
        files = finish.do(write_requirement, found, inputs, out) or []
        if charts:
            from sim.report.dose import dose_chart

            place = out / "charts" / "require"
            finish.draw(place, dose_chart, found, inputs, language=lang.value)
        console.print()
        console.print(level_table(found, inputs, lang.value))
        print_lines(console, lines(found, inputs), lang)
        print_files(console, [*files, *[f"{out / 'charts'}/"] * charts])
