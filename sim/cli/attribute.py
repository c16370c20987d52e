"""``pudong attribute``: how much each measure of the plan adds."""

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

    from sim.analysis.attribution import Attribution
    from sim.plan import Plan


def attribute(
    scenario: options.Scenario,
    target: Annotated[
        list[str] | None,
        typer.Option(
            help="Target to show and draw, or 'all' for all at once; may be given again.",
            show_default="every target of the zone",
        ),
    ] = None,
    zone: Annotated[str, typer.Option(help="Zone to show and draw.")] = "district",
    runs: Annotated[int, typer.Option(help="Draws of parameters and luck.")] = 150,
    permutations: Annotated[
        int, typer.Option(help="Orders of the measures in each, in pairs: 2, 4, …")
    ] = 2,
    seed: options.Seed = 1,
    out: Annotated[Path, typer.Option(help="Directory for what is found.")] = Path("out/attribute"),
    workers: options.Workers = None,
    cluster: options.Cluster = None,
    lang: options.Lang = Language.both,
    charts: options.Charts = True,
) -> None:
    """Share out what the plan achieves over its measures and groups of measures (Shapley values).

    Leaves in OUT: attribution.json (documented in docs/attribute.md) and shares.csv with all
    targets and zones, charts/ and evaluations/ (the runs). The same command again goes on where it
    stopped.
    """
    with making_runs(workers, cluster) as console, Finish(charts, KEPT) as finish:
        from sim.analysis.attribute import asked_in_all
        from sim.analysis.attribute import attribute as share_out
        from sim.analysis.attribution import check_goal, write_attribution
        from sim.scenario import read_scenario

        inputs = read_scenario(scenario)
        for name in [None, *(target or [])]:
            check_goal(inputs, name, zone)
        needed = asked_in_all(inputs.plan, max(runs, 0), permutations, seed)
        with under_way(needed, seed, out, workers, cluster) as how:
            found = share_out(inputs, runs=runs, permutations=permutations, **how)
        finish.do(write_attribution, found, out)
        if charts:
            _draw(finish, found, target, zone, inputs.plan, out / "charts", lang)
        _show(console, found, target, zone, inputs.plan, lang)
        print_files(console, [out / "attribution.json", "shares.csv", *["charts/"] * charts])


def _draw(
    finish: Finish,
    found: Attribution,
    targets: list[str] | None,
    zone: str,
    plan: Plan,
    folder: Path,
    language: Language,
) -> None:
    from sim.report.attribution import attribution_chart

    for target in targets or [whole.target for whole in found.wholes if whole.zone == zone]:
        place = folder / f"attribution-{target}-{zone}"
        what = found, target, zone, plan
        finish.draw(place, attribution_chart, *what, language=language.value)


def _show(
    console: Console,
    found: Attribution,
    targets: list[str] | None,
    zone: str,
    plan: Plan,
    language: Language,
) -> None:
    from sim.report.attribution_table import overview_table, sentence, share_notes, share_table

    console.print()
    if targets is None:
        console.print(overview_table(found, zone, plan, language.value))
    for target in targets or []:
        console.print(share_table(found, target, zone, plan, language.value))
        print_lines(console, [sentence(found, target, zone, plan)], language)
        console.print()
    print_lines(console, share_notes(found), language)
