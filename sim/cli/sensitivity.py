"""``pudong sensitivity``: which uncertain parameters or levers the answer hangs on."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli.common import (
    KEPT,
    ClusterOption,
    Language,
    LanguageOption,
    ScenarioFile,
    SeedOption,
    WorkersOption,
    errors,
    progress_bar,
    runners,
)
from sim.executors import prepare

if TYPE_CHECKING:
    from sim.analysis.sensitivity_record import SensitivityRecord
    from sim.scenario import Inputs


class Method(StrEnum):
    morris = "morris"
    sobol = "sobol"


def sensitivity(
    scenario: ScenarioFile,
    out: Annotated[
        Path, typer.Option(help="Directory for tables, charts and runs.", show_default=False)
    ],
    parameters: Annotated[
        str | None,
        typer.Option(
            help="Uncertain parameters, by comma: names, processes or 'all' [default: all, if no "
            "lever is named].",
            show_default=False,
        ),
    ] = None,
    levers: Annotated[
        str | None,
        typer.Option(help="Levers, by comma, or 'all'; within their bounds.", show_default=False),
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
    seed: SeedOption = 1,
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    lang: LanguageOption = Language.both,
    charts: Annotated[bool, typer.Option(help="Draw the charts as PNG and SVG.")] = True,
) -> None:
    """Say which uncertain parameters or levers each target hangs on, and how far.

    Leaves in OUT: sensitivity.json (documented in docs/sensitivity.md), screening.csv and
    indices.csv, charts/ and evaluations/ (the runs). The same command goes on where it stopped.
    """
    with errors(KEPT) as console:
        if workers != 1 and cluster is None:
            prepare()
        from sim.analysis.sensitivity import sensitivity as analyse
        from sim.analysis.sensitivity_record import record_of, write_sensitivity
        from sim.report.sensitivity_table import lines, tables
        from sim.report.wording import say
        from sim.scenario import read_scenario

        inputs = read_scenario(scenario)
        with progress_bar(budget) as on_progress:
            found = analyse(
                inputs,
                parameters=_names(parameters),
                levers=_names(levers),
                method=method.value,
                budget=budget,
                repeats=repeats,
                target=target,
                zone=zone,
                seed=seed,
                out=out,
                workers=runners(workers, cluster),
                on_progress=on_progress,
            )
        record = record_of(found)
        files = write_sensitivity(record, out)
        if charts:
            _draw(record, inputs, out / "charts", lang)
            files.append(out / "charts")
        for table in tables(record, inputs.plan, lang.value):
            console.print()
            console.print(table)
        for line in lines(record):
            console.print(say(line, lang.value, "\n"), highlight=False)
        console.print("\n" + ", ".join(map(str, files)), highlight=False, soft_wrap=True)


def _names(text: str | None) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()] if text else []


def _draw(record: SensitivityRecord, inputs: Inputs, folder: Path, language: Language) -> None:
    from sim.report.charts import save
    from sim.report.tornado import drawn, tornado

    folder.mkdir(parents=True, exist_ok=True)
    for target, zone in drawn(record):
        chart = tornado(record, inputs.plan, target, zone, language=language.value)
        save(chart, folder / f"tornado-{target}-{zone}")
