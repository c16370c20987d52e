"""``pudong explain``: what stands behind a finished forecast of one target in one zone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli import options
from sim.cli.ending import Finish, errors
from sim.cli.options import Language
from sim.cli.printing import print_files, print_lines
from sim.cli.runs import progress_bar

if TYPE_CHECKING:
    from rich.console import Console

    from sim.analysis.explanation import Explanation
    from sim.plan import Plan


def explain(
    directory: options.Forecast,
    target: Annotated[str, typer.Option(help="Target of the plan.")],
    zone: Annotated[str, typer.Option(help="Zone, or the whole district.")] = "district",
    runs: Annotated[
        int | None,
        typer.Option(help="Runs that are made again and looked at.", show_default="30"),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Directory.", show_default="DIR/explain")] = None,
    lang: options.Lang = Language.both,
) -> None:
    """Follow a target's chain: effort, progress, drivers, behaviour, indicator; its bottlenecks.

    Leaves explanation-TARGET-ZONE.json (documented in docs/explain.md), the text as .md and the
    chain as a picture in OUT; the forecast in DIR stays as it is.
    """
    with errors() as console, Finish() as finish:
        from sim.analysis.explain import explain as follow
        from sim.analysis.explain import runs_again
        from sim.analysis.explanation import file_name, write_explanation
        from sim.analysis.finished import read_finished
        from sim.figures import Name
        from sim.report.chain import chain_chart
        from sim.report.explanation_table import sentences
        from sim.report.places import folder_for
        from sim.report.wording import say
        from sim.store import write_text
        from sim.text import markdown

        finished = read_finished(directory)
        folder = folder_for(out or directory / "explain", directory)
        count = runs_again(finished, runs)
        with progress_bar(count) as on_progress:
            found = follow(finished, target, zone, runs=count, on_progress=on_progress)
        plan = finished.inputs.plan
        name = file_name(target, zone)
        lines = [Name(zh=markdown(s.zh), en=markdown(s.en)) for s in sentences(found, plan)]
        text = "\n\n".join(say(line, lang.value, "\n\n") for line in lines)
        folder.mkdir(parents=True, exist_ok=True)
        finish.do(write_explanation, found, folder / f"{name}.json")
        finish.do(write_text, folder / f"{name}.md", text + "\n")
        finish.draw(folder / name, chain_chart, found, plan, language=lang.value)
        _show(console, found, plan, lang)
        print_files(console, [f"{folder / name}.json", ".md", ".png", ".svg"])


def _show(console: Console, found: Explanation, plan: Plan, language: Language) -> None:
    from sim.report.explanation_table import (
        account_table,
        driver_table,
        measure_table,
        sentences,
    )

    console.print()
    print_lines(console, sentences(found, plan), language)
    console.print()
    if found.account:
        console.print(account_table(found, language.value))
    console.print(measure_table(found, plan, language.value))
    console.print(driver_table(found, language.value))
