"""``pudong forecast``: the probability of each target in each zone."""

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

    from sim.analysis.observe import Figures, Observed
    from sim.analysis.probability import Answer
    from sim.scenario import Inputs


def forecast(
    scenario: options.Scenario,
    out: Annotated[Path, typer.Option(help="Directory for runs, summary and charts.")],
    runs: Annotated[
        int | None,
        typer.Option(
            help="Number of runs; with --precision the most that are made.",
            show_default="500, or 20000",
        ),
    ] = None,
    precision: Annotated[
        float | None,
        typer.Option(help="Run until every probability is known to ± this, e.g. 0.02."),
    ] = None,
    seed: options.Seed = 1,
    workers: options.Workers = None,
    cluster: options.Cluster = None,
    observe: Annotated[
        Path | None,
        typer.Option(
            help="CSV of figures observed up to a date; also say the probabilities given them."
        ),
    ] = None,
    priors: Annotated[
        bool, typer.Option("--priors", help="Draw all parameters from their priors, none fitted.")
    ] = False,
    lang: options.Lang = Language.both,
    charts: options.Charts = True,
) -> None:
    """Run a scenario many times: the probability of each target in each zone.

    Leaves in OUT: summary.json (everything said, documented in docs/summary.md), runs/ (the runs
    as Parquet) and charts/. The same command again goes on where it stopped.

    With --observe the runs are weighted by how likely each makes the observed figures; leaves
    observed.json too. No run is made again for it. Figures that the economy's posterior was fitted
    to count once only: condition on them with --priors.
    """
    with making_runs(workers, cluster) as console, Finish(charts, KEPT) as finish:
        from sim.analysis.forecast import forecast as run_forecast
        from sim.scenario import read_scenario, with_priors

        inputs = read_scenario(scenario)
        if priors:
            inputs = with_priors(inputs)
        figures = _figures(observe, inputs) if observe else None
        most = runs if runs is not None else 500 if precision is None else 20_000
        with under_way(most, seed, out, workers, cluster) as how:
            answer = run_forecast(inputs, runs=most, precision=precision, **how)
        observed = None
        if figures is not None:
            observed = finish.do(_condition, inputs, figures, answer, seed, out)
        if charts:
            finish.do(_draw, finish, inputs, answer, observed, seed, out, lang)
        left = [f"{out}/summary.json", f"{out}/runs/"] + [f"{out}/charts/"] * charts
        _show(console, inputs, answer, lang)
        if observed is not None:
            _show_observed(console, inputs, observed, lang)
            left.insert(1, f"{out}/observed.json")
        print_files(console, left)


def _figures(file: Path, inputs: Inputs) -> Figures:
    """Read them before any run is made, so that a mistake is said at once."""
    from sim.analysis.observe import read_figures

    return read_figures(file, inputs)


def _condition(inputs: Inputs, figures: Figures, answer: Answer, seed: int, out: Path) -> Observed:
    from sim.analysis.observe import condition
    from sim.analysis.observed import write_observed
    from sim.store import locked

    observed = condition(inputs, figures, answer, seed=seed, out=out)
    with locked(out):
        write_observed(observed, inputs, seed, out)
    return observed


def _draw(
    finish: Finish,
    inputs: Inputs,
    answer: Answer,
    observed: Observed | None,
    seed: int,
    out: Path,
    language: Language,
) -> None:
    from sim.report.gallery import draw_all
    from sim.report.shift import shift_chart
    from sim.store import locked

    folder = out / "charts"
    with locked(out):
        draw_all(finish.draw, inputs, answer, seed, folder, language.value)
        if observed is not None:
            place, name, lang = folder / "observed", inputs.scenario.name, language.value
            what = observed, inputs.plan
            finish.draw(place, shift_chart, *what, scenario=name, language=lang)


def _show(console: Console, inputs: Inputs, answer: Answer, language: Language) -> None:
    from sim.report.table import notes, probability_table

    console.print()
    console.print(
        probability_table(answer.results, inputs.plan, width=console.width, language=language.value)
    )
    print_lines(console, notes(answer, inputs.scenario.name), language)


def _show_observed(
    console: Console, inputs: Inputs, observed: Observed, language: Language
) -> None:
    from sim.report.observed import heading, observed_notes
    from sim.report.table import probability_table

    console.print()
    print_lines(console, [heading(observed)], language)
    console.print()
    console.print(
        probability_table(
            observed.results, inputs.plan, width=console.width, language=language.value
        )
    )
    print_lines(console, observed_notes(observed, inputs.plan), language)
