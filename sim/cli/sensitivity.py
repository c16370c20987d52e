"""``pudong sensitivity``: which uncertain parameters or levers the answer hangs on."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli import options
from sim.cli.ending import KEPT, Finish
from sim.cli.options import Language
from sim.cli.printing import print_files, print_lines
from sim.cli.runs import making_runs, under_way

if TYPE_CHECKING:
    from sim.analysis.sensitivity_record import SensitivityRecord
    from sim.scenario import Inputs


class Method(StrEnum):
    morris = "morris"
    sobol = "sobol"


def sensitivity(
    scenario: options.Scenario,
    out: Annotated[Path, typer.Option(help="Directory for tables, charts and runs.")],
    parameters: Annotated[
        str | None,
        typer.Option(
            help="Uncertain parameters, by comma: names, processes or 'all'.",
            show_default="all, if no lever is named",
        ),
    ] = None,
    levers: Annotated[
        str | None, typer.Option(help="Levers, by comma, or 'all'; within their bounds.")
    ] = None,
    method: Annotated[
        Method,
        typer.Option(help="morris: screening alone; sobol: indices of those that it leaves."),
    ] = Method.sobol,
    budget: Annotated[int, typer.Option(help="The most runs that may be made.")] = 20_000,
    repeats: Annotated[int, typer.Option(help="Runs of each point, an even number.")] = 2,
    target: Annotated[
        str | None, typer.Option(help="One target, or 'all' at once; none: each.")
    ] = None,
    zone: Annotated[str | None, typer.Option(help="One zone, or 'district'; none: each.")] = None,
    seed: options.Seed = 1,
    workers: options.Workers = None,
    cluster: options.Cluster = None,
    lang: options.Lang = Language.both,
    charts: options.Charts = True,
) -> None:
    """Say which uncertain parameters or levers each target hangs on, and how far.

    Leaves in OUT: sensitivity.json (documented in docs/sensitivity.md), screening.csv and
    indices.csv, charts/ and evaluations/ (the runs). The same command goes on where it stopped.
    """
    with making_runs(workers, cluster) as console, Finish(charts, KEPT) as finish:
        from sim.analysis.sensitivity import sensitivity as analyse
        from sim.analysis.sensitivity_record import record_of, write_sensitivity
        from sim.report.sensitivity_table import lines, tables
        from sim.scenario import read_scenario

        inputs = read_scenario(scenario)
        with under_way(budget, seed, out, workers, cluster) as how:
            found = analyse(
                inputs,
                parameters=options.names(parameters),
                levers=options.names(levers),
                method=method.value,
                budget=budget,
                repeats=repeats,
                target=target,
                zone=zone,
                **how,
            )
        record = record_of(found)
        files = finish.do(write_sensitivity, record, out) or []
        if charts:
            _draw(finish, record, inputs, out / "charts", lang)
            files.append(out / "charts")
        for table in tables(record, inputs.plan, lang.value):
            console.print()
            console.print(table)
        print_lines(console, lines(record), lang)
        print_files(console, files)


def _draw(
    finish: Finish, record: SensitivityRecord, inputs: Inputs, folder: Path, language: Language
) -> None:
    from sim.report.tornado import drawn, tornado

    for target, zone in drawn(record):
        place = folder / f"tornado-{target}-{zone}"
        what = record, inputs.plan, target, zone
        finish.draw(place, tornado, *what, language=language.value)
