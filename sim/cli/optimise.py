"""``pudong optimise``: where a budget does most."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sim.cli import options
from sim.cli.ending import KEPT, Finish
from sim.cli.options import Language
from sim.cli.printing import print_files, print_lines
from sim.cli.runs import making_runs, under_way


def optimise(
    scenario: options.Scenario,
    budget: Annotated[
        float, typer.Option(help="亿元 over the period, above the scenario's own cost.")
    ],
    out: Annotated[Path, typer.Option(help="Directory for the answer and the runs.")],
    objective: Annotated[
        str,
        typer.Option(
            help="all: all targets of the district; worst-zone: all targets of the worst zone; or "
            "targets with weights, a_target=2,other@a_zone=1."
        ),
    ] = "all",
    levers: Annotated[
        list[str] | None, typer.Option(help="Levers to use, by comma or again.", show_default="all")
    ] = None,
    runs: Annotated[int, typer.Option(help="Runs of each setting while searching.")] = 200,
    confirm: Annotated[int, typer.Option(help="Held-out runs for the judgement.")] = 500,
    seed: options.Seed = 1,
    workers: options.Workers = None,
    cluster: options.Cluster = None,
    lang: options.Lang = Language.both,
    charts: options.Charts = True,
) -> None:
    """Allocate a budget over levers, zones, measures and departments so that it does most.

    Leaves in OUT: optimise.json (documented in docs/optimise.md), optimise.yaml (the answer as a
    scenario), charts/ and evaluations/ (the runs). The same command again goes on where it stopped.
    """
    with making_runs(workers, cluster) as console, Finish(charts, KEPT) as finish:
        from sim.analysis.optimise import optimise as allocate
        from sim.analysis.optimise import write_optimum
        from sim.report.optimise_table import allocation_table, lines, setting_table
        from sim.scenario import read_scenario

        inputs = read_scenario(scenario)
        with under_way(runs, seed, out, workers, cluster) as how:
            found = allocate(
                inputs,
                budget=budget,
                objective=objective,
                levers=levers or [],
                runs=runs,
                confirm=confirm,
                **how,
            )
        files = finish.do(write_optimum, found, inputs, out) or []
        if charts:
            from sim.report.allocation import allocation_chart
            from sim.report.front import front_chart

            for name, chart in (("front", front_chart), ("allocation", allocation_chart)):
                place = out / "charts" / name
                finish.draw(place, chart, found, inputs, language=lang.value)
        console.print()
        for table in (
            allocation_table(found, inputs, lang.value),
            setting_table(found, lang.value),
        ):
            console.print(table)
            console.print()
        print_lines(console, lines(found, inputs), lang)
        print_files(console, [*files, *[f"{out / 'charts'}/"] * charts])
