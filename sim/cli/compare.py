"""``pudong compare``: what what-ifs change against a base, and for whom."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli import options
from sim.cli.ending import KEPT, Finish
from sim.cli.options import Language
from sim.cli.printing import print_files, print_lines
from sim.cli.runs import making_runs, under_way

if TYPE_CHECKING:
    from rich.console import Console

    from sim.analysis.compare import Comparison
    from sim.scenario import Inputs


def compare(
    base: options.Base,
    what_if: Annotated[
        list[Path],
        typer.Argument(metavar="WHAT-IF...", help="Scenarios of the same plan and economy."),
    ],
    out: Annotated[Path, typer.Option(help="Directory for what is found.")] = Path("out/compare"),
    runs: Annotated[int, typer.Option(help="Number of runs of each scenario.")] = 500,
    seed: options.Seed = 1,
    workers: options.Workers = None,
    cluster: options.Cluster = None,
    lang: options.Lang = Language.both,
    charts: options.Charts = True,
) -> None:
    """Hold scenarios beside a base, run by run with the same luck: who gains, and at what cost.

    Leaves in OUT: compare.json (documented in docs/compare.md), differences.csv, costs.csv, charts/
    and evaluations/ (the runs). The same command again goes on where it stopped.
    """
    with making_runs(workers, cluster) as console, Finish(charts, KEPT) as finish:
        from sim.analysis.compare import compare as hold_beside
        from sim.analysis.compare import write_comparison
        from sim.scenario import read_scenario

        first = read_scenario(base)
        others = [read_scenario(path) for path in what_if]
        with under_way(runs * (1 + len(others)), seed, out, workers, cluster) as how:
            found = hold_beside(first, others, runs=runs, **how)
        finish.do(write_comparison, found, out)
        if charts:
            _draw(finish, found, first, out / "charts", lang)
        _show(console, found, first, lang)
        files = [out / "compare.json", "differences.csv", "costs.csv"]
        print_files(console, [*files, *["charts/"] * charts])


def _draw(
    finish: Finish, found: Comparison, inputs: Inputs, folder: Path, language: Language
) -> None:
    from sim.report.difference import difference_chart, zones_chart

    for number, what_if in enumerate(found.what_ifs, start=1):
        name = f"{number}-{what_if.scenario.id}"
        for kind, chart in (("difference", difference_chart), ("zones", zones_chart)):
            what = found, what_if, inputs.plan
            finish.draw(folder / f"{kind}-{name}", chart, *what, language=language.value)


def _show(console: Console, found: Comparison, inputs: Inputs, language: Language) -> None:
    from sim.report.difference_table import difference_table, sentences, zone_table
    from sim.report.wording import say

    for what_if in found.what_ifs:
        console.print()
        console.rule(say(what_if.scenario.name, language.value))
        console.print(difference_table(what_if, inputs.plan, language.value))
        console.print()
        table = zone_table(what_if, inputs.plan, width=console.width, language=language.value)
        console.print(table)
        console.print()
        print_lines(console, sentences(found, what_if, inputs), language)
