"""``pudong forecast``: the probability of each target in each zone."""

from __future__ import annotations

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
    from rich.console import Console

    from sim.analysis.probability import Answer
    from sim.scenario import Inputs


def forecast(
    scenario: ScenarioFile,
    out: Annotated[
        Path, typer.Option(help="Directory for runs, summary and charts.", show_default=False)
    ],
    runs: Annotated[
        int | None,
        typer.Option(
            help="Number of runs [default: 500]; with --precision the most that are made "
            "[default: 20000].",
            show_default=False,
        ),
    ] = None,
    precision: Annotated[
        float | None,
        typer.Option(
            help="Run until every probability is known to ± this, e.g. 0.02.", show_default=False
        ),
    ] = None,
    seed: SeedOption = 1,
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    lang: LanguageOption = Language.both,
    charts: Annotated[bool, typer.Option(help="Draw the charts as PNG and SVG.")] = True,
) -> None:
    """Run a scenario many times: the probability of each target in each zone.

    Leaves in OUT: summary.json (everything said, documented in docs/summary.md), runs/ (the runs
    as Parquet) and charts/. The same command again goes on where it stopped.
    """
    with errors(KEPT) as console:
        if workers != 1 and cluster is None:
            prepare()
        from sim.analysis.forecast import forecast as run_forecast
        from sim.scenario import read_scenario

        inputs = read_scenario(scenario)
        most = runs if runs is not None else 500 if precision is None else 20_000
        with progress_bar(most) as on_progress:
            answer = run_forecast(
                inputs,
                runs=most,
                seed=seed,
                out=out,
                workers=runners(workers, cluster),
                precision=precision,
                on_progress=on_progress,
            )
        if charts:
            _draw(inputs, answer, seed, out, lang)
        _show(console, inputs, answer, lang)
        console.print(f"\n{out}/summary.json, {out}/runs/" + (f", {out}/charts/" if charts else ""))


def _draw(inputs: Inputs, answer: Answer, seed: int, out: Path, language: Language) -> None:
    from sim.report.gallery import draw_all
    from sim.store import locked

    with locked(out):
        draw_all(inputs, answer, seed, out / "charts", language.value)


def _show(console: Console, inputs: Inputs, answer: Answer, language: Language) -> None:
    from sim.report.table import notes, probability_table
    from sim.report.wording import say

    console.print()
    console.print(
        probability_table(answer.results, inputs.plan, width=console.width, language=language.value)
    )
    for note in notes(answer, inputs.scenario.name):
        console.print(say(note, language.value, "\n"), highlight=False)
