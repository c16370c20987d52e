"""``pudong library``: every what-if of a folder, answered on one page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli import options
from sim.cli.printing import command_line
from sim.cli.runs import making_runs, progress_bar, runners

if TYPE_CHECKING:
    from sim.scenario import Inputs


def library(
    base: options.Base,
    out: Annotated[Path, typer.Option(help="Directory for the page and the runs.")] = Path(
        "out/library"
    ),
    runs: Annotated[int, typer.Option(help="Number of runs of each scenario.")] = 500,
    seed: options.Seed = 1,
    workers: options.Workers = None,
    cluster: options.Cluster = None,
) -> None:
    """Answer all scenarios that lie beside BASE: one page, scenarios.md, with a section each.

    Each is compared with BASE run by run; one of another period stands for itself. The same command
    again goes on where it stopped.
    """
    with making_runs(workers, cluster) as console:
        from sim.analysis.compare import compare
        from sim.analysis.evaluation import Evaluator
        from sim.analysis.interval import Probability
        from sim.plan import DISTRICT
        from sim.report.library import library_page
        from sim.scenario import read_scenario
        from sim.store import write_text

        first = read_scenario(base)
        others = _beside(first, base)
        paired = [one for one in others if one.plan == first.plan and one.economy == first.economy]
        alone = [one for one in others if one.plan != first.plan and one.economy == first.economy]
        where = runners(workers, cluster)
        with progress_bar(runs * (1 + len(others))) as on_progress:
            found = compare(
                first,
                paired,
                runs=runs,
                seed=seed,
                out=out,
                workers=where,
                on_progress=lambda done, _: on_progress(done, runs * (1 + len(others))),
            )
            by_itself = []
            for one in alone:
                with Evaluator(seed, out, where) as evaluator:
                    outcomes = evaluator.evaluate([one], runs)
                met = outcomes.met()[0]
                goals = [goal.split(".") for goal in outcomes.goals]
                by_itself.append(
                    (
                        one,
                        {
                            target: Probability.of(met[:, n])
                            for n, (target, zone) in enumerate(goals)
                            if zone == DISTRICT
                        },
                    )
                )
        page = library_page(first, paired, found, by_itself, command_line())
        write_text(out / "scenarios.md", page)
        console.print(
            f"{len(paired)} scenarios beside {first.scenario.name.en}, {len(alone)} of another "
            f"period: {out}/scenarios.md",
            highlight=False,
        )


def _beside(first: Inputs, base: Path) -> list[Inputs]:
    """The other scenarios in the folder of the base, by file name."""
    from sim.errors import RunError
    from sim.files import kind_of, read_yaml
    from sim.scenario import read_scenario

    files = [
        path
        for path in sorted(base.absolute().parent.glob("*.yaml"))
        if kind_of(read_yaml(path)) == "scenario"
    ]
    others = [read_scenario(path) for path in files]
    others = [one for one in others if one.scenario.id != first.scenario.id]
    if not others:
        raise RunError(f"{base}: has no other scenario beside it")
    return others
