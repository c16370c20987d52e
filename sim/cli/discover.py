"""``pudong discover``: under which conditions a target is missed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli import options
from sim.cli.ending import KEPT, Finish, errors
from sim.cli.options import Language
from sim.cli.printing import print_files, print_lines
from sim.cli.runs import start_workers, under_way

if TYPE_CHECKING:
    from sim.analysis.discover import Discovery


def discover(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="RUN_DIR|SCENARIO",
            help="A finished forecast's directory, or a scenario (YAML) for levers.",
        ),
    ],
    target: Annotated[str, typer.Option(help="Target, or 'all' targets at once.")],
    zone: Annotated[str, typer.Option(help="Zone, or 'district'.")] = "district",
    levers: Annotated[
        str | None,
        typer.Option(help="With a scenario: levers, by comma, or 'all'.", show_default="all"),
    ] = None,
    runs: Annotated[
        int | None, typer.Option(help="With a scenario: number of runs.", show_default="1000")
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Seed of the runs of a scenario, and of the tests.")
    ] = 1,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Directory; a scenario needs one.", show_default="RUN_DIR/discover/TARGET.ZONE"
        ),
    ] = None,
    workers: options.Workers = None,
    cluster: options.Cluster = None,
    lang: options.Lang = Language.both,
    charts: options.Charts = True,
) -> None:
    """Find the conditions under which a target is missed: boxes of parameters and levers.

    From a finished forecast's own runs, without new ones; with a scenario from new runs in which
    levers vary over their bounds. Leaves in OUT: discover.json (documented in docs/discover.md),
    limits.csv and a chart.
    """
    with errors(KEPT) as console, Finish(charts, KEPT) as finish:
        from sim.errors import RunError

        finished = not source.is_file() and source.suffix not in (".yaml", ".yml")
        if finished and (levers is not None or runs is not None or cluster is not None):
            raise RunError(
                "--levers, --runs and --cluster are for a scenario (YAML); a forecast's own runs "
                "are there already"
            )
        if not finished and out is None:
            raise RunError("--out is needed with a scenario: a directory for the runs")
        if finished:
            found = _of_forecast(source, target, zone, seed)
        else:
            assert out is not None
            count = 1000 if runs is None else runs
            start_workers(workers, cluster)
            found = _of_scenario(
                source, levers or "all", target, zone, count, seed, out, workers, cluster
            )
        from sim.analysis.discover_record import record_of, write_discovery
        from sim.report.discover_table import box_table, box_words, heading, verdict

        place = out or source / "discover" / f"{target}.{zone}"
        record, plan = record_of(found), found.inputs.plan
        files = finish.do(write_discovery, record, place) or []
        if charts:
            from sim.report.box import box_chart

            files += finish.draw(place / "box", box_chart, record, plan, language=lang.value)
        console.print()
        print_lines(console, [heading(record, plan)], lang)
        for number, box in enumerate(record.boxes, start=1):
            console.print()
            console.print(box_table(box, number, lang.value))
            print_lines(console, [box_words(box)], lang)
        print_lines(console, verdict(record), lang)
        print_files(console, files)


def _of_forecast(directory: Path, target: str, zone: str, seed: int) -> Discovery:
    from sim.analysis.discover import discover as search
    from sim.analysis.discover import finished_cases
    from sim.analysis.finished import read_finished

    finished = read_finished(directory)
    cases = finished_cases(finished, target, zone)
    return search(finished.inputs, cases, target, zone, seed)


def _of_scenario(
    scenario: Path,
    levers: str,
    target: str,
    zone: str,
    runs: int,
    seed: int,
    out: Path,
    workers: int | None,
    cluster: str | None,
) -> Discovery:
    from sim.analysis.discover import discover as search
    from sim.analysis.discover import sampled_cases
    from sim.scenario import read_scenario

    inputs = read_scenario(scenario)
    with under_way(runs, seed, out, workers, cluster) as how:
        cases = sampled_cases(inputs, options.names(levers), target, zone, runs=runs, **how)
    return search(inputs, cases, target, zone, seed)
