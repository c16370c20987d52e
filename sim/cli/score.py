"""``pudong score``: how good a forecast was, once the figures are out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli import options
from sim.cli.ending import Finish, errors
from sim.cli.options import Language
from sim.cli.printing import print_files, print_lines

if TYPE_CHECKING:
    from rich.console import Console

    from sim.analysis.finished import Finished
    from sim.analysis.scorebook import Score


def score(
    directory: options.Forecast,
    outturns: Annotated[
        Path,
        typer.Option(help="What was published later (CSV, as calibration/data/observations.csv)."),
    ],
    history: Annotated[
        Path | None,
        typer.Option(
            help="Figures before the forecast (CSV, as calibration/data/history.csv), from which "
            "naive forecasts are made."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Directory, or a file that ends in .json.", show_default="DIR/score"),
    ] = None,
    lang: options.Lang = Language.both,
) -> None:
    """Hold a finished forecast beside later figures, and beside naive forecasts.

    Leaves score.json (documented in docs/scoring.md) and a reliability chart in OUT; the forecast
    in DIR stays as it is.
    """
    with errors() as console, Finish() as finish:
        from sim.analysis.finished import read_finished
        from sim.analysis.judging import score as hold_beside

        file = _place(directory, out)
        finished = read_finished(directory)
        found = hold_beside(finished, outturns, history)
        _write(finish, finished, found, file, lang)
        _show(console, finished, found, lang)
        print_files(console, [file, f"{_chart(file)}.png", ".svg"])


def _place(directory: Path, out: Path | None) -> Path:
    """The file for the scores."""
    from sim.errors import RunError

    if out is None:
        return directory / "score" / "score.json"
    file = out if out.suffix == ".json" else out / "score.json"
    if file.is_dir() or (file.parent.exists() and not file.parent.is_dir()):
        raise RunError(f"--out: {out} is in the way; give a directory or a file that ends in .json")
    if file.parent.resolve().is_relative_to(directory.resolve() / "runs"):
        raise RunError(f"--out: {out} lies among the runs; give another directory")
    return file


def _chart(file: Path) -> Path:
    """Where the chart goes, without its suffix."""
    own = file.stem if file.name != "score.json" else ""
    return file.with_name(f"{own}-reliability".lstrip("-"))


def _write(
    finish: Finish, finished: Finished, found: Score, file: Path, language: Language
) -> None:
    from sim.analysis.scorebook import write_score
    from sim.report.reliability import reliability_chart

    file.parent.mkdir(parents=True, exist_ok=True)
    finish.do(write_score, found, file)
    name = finished.inputs.scenario.name
    place, lang = _chart(file), language.value
    finish.draw(place, reliability_chart, found, scenario=name, language=lang)


def _show(console: Console, finished: Finished, found: Score, language: Language) -> None:
    from sim.report.score_table import figure_table, lines, total_table

    plan = finished.inputs.plan
    console.print()
    console.print(figure_table(found, plan, language.value))
    console.print()
    console.print(total_table(found, language.value))
    print_lines(console, lines(found, plan), language)
