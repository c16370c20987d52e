"""The command ``pudong``. Heavy libraries are imported by the commands that need them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from sim.analysis.probability import Answer
    from sim.errors import InputError
    from sim.executors import Workers
    from sim.plan import Plan
    from sim.scenario import Inputs

app = typer.Typer(
    help="How likely a district's plan is to reach its targets, and what would change it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


KEPT = "; finished runs are kept, the same command goes on from them"


class Language(StrEnum):
    zh = "zh"
    en = "en"
    both = "both"


class Listing(StrEnum):
    targets = "targets"
    measures = "measures"
    departments = "departments"
    zones = "zones"
    sectors = "sectors"
    parks = "parks"
    levers = "levers"
    parameters = "parameters"


ScenarioFile = Annotated[Path, typer.Argument(help="Scenario file (YAML).", show_default=False)]
LanguageOption = Annotated[Language, typer.Option("--lang", help="Language of names and charts.")]


@app.command()
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
    seed: Annotated[int, typer.Option(help="Seed of all draws.")] = 1,
    workers: Annotated[
        int | None, typer.Option(help="Worker processes; default: one a core.", show_default=False)
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(help="Address of a Dask scheduler, tcp://host:8786.", show_default=False),
    ] = None,
    lang: LanguageOption = Language.both,
    charts: Annotated[bool, typer.Option(help="Draw the charts as PNG and SVG.")] = True,
) -> None:
    """Run a scenario many times: the probability of each target in each zone.

    Leaves in OUT: summary.json (everything said, documented in docs/summary.md), runs/ (the runs
    as Parquet) and charts/. The same command again goes on where it stopped.
    """
    with _errors(KEPT) as console:
        from sim.scenario import read_scenario

        inputs = read_scenario(scenario)
        where = _where(workers, cluster)
        most = runs if runs is not None else 500 if precision is None else 20_000
        answer = _with_progress(inputs, most, precision, seed, where, out)
        if charts:
            _draw(inputs, answer, seed, out, lang)
        _show(console, inputs, answer, lang)
        console.print(f"\n{out}/summary.json, {out}/runs/" + (f", {out}/charts/" if charts else ""))


@app.command()
def validate(
    files: Annotated[
        list[Path],
        typer.Argument(help="Scenario, plan or economy files (YAML).", show_default=False),
    ],
    plan: Annotated[
        Path | None,
        typer.Option(
            help="Plan that an economy file is checked against; default: plan.yaml beside it.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Check files without running them: scenarios with what they name, or a plan or an economy."""
    with _errors() as console:
        from sim.errors import InputError

        bad = 0
        for file in files:
            try:
                verdict = _verdict(file, plan or file.parent / "plan.yaml")
            except InputError as error:
                _complain(error)
                bad += 1
            else:
                console.print(f"{file}: valid – {verdict}", highlight=False, soft_wrap=True)
        if bad:
            raise typer.Exit(2)


@app.command(name="list")
def list_(
    what: Annotated[Listing | None, typer.Argument(help="One kind only.")] = None,
    scenario: Annotated[
        Path, typer.Option(help="Scenario whose plan and economy are listed.")
    ] = Path("scenarios/baseline.yaml"),
) -> None:
    """Show what a scenario can name: targets, measures, departments, zones, levers, …"""
    with _errors() as console:
        from sim.report.listing import listing
        from sim.scenario import read_scenario

        inputs = read_scenario(scenario)
        for kind in [what] if what else list(Listing):
            if what is None and kind == Listing.parameters:
                continue
            console.print(listing(inputs, kind.value))


@app.command()
def provenance(
    field: Annotated[
        str, typer.Argument(help="Only numbers whose field holds this text, e.g. talent.")
    ] = "",
    out: Annotated[
        Path | None, typer.Option(help="Write all as CSV to this file.", show_default=False)
    ] = None,
    scenario: Annotated[
        Path, typer.Option(help="Scenario whose plan and economy are meant.")
    ] = Path("scenarios/baseline.yaml"),
) -> None:
    """Say where each number comes from: its unit, range, and source or assumption."""
    with _errors() as console:
        from sim.analysis.provenance import provenance as numbers_of
        from sim.errors import RunError
        from sim.report.listing import provenance_table
        from sim.scenario import read_scenario
        from sim.store import write_text

        numbers = numbers_of(read_scenario(scenario))
        chosen = numbers[numbers["field"].str.contains(field, regex=False)]
        if chosen.empty:
            raise RunError(
                f"found no number whose field holds {field!r}; try pudong list parameters"
            )
        if out is not None and not out.absolute().parent.is_dir():
            raise RunError(f"{out.parent}: no such directory; make it, or give another --out")
        if out is not None:
            write_text(out, chosen.to_csv(index=False))
        else:
            console.print(provenance_table(chosen))
        sourced = int(chosen["source"].notna().sum())
        console.print(
            f"{len(chosen):,} numbers: {sourced:,} from sources, "
            f"{len(chosen) - sourced:,} assumptions with their reasons"
            + (f"; {out}" if out else ""),
            highlight=False,
        )


@contextmanager
def _errors(kept: str = "") -> Iterator[Console]:
    """What a user gave wrongly ends with one message and status 2; Ctrl-C with 130.

    ``kept``: what to say when the command had to stop in its midst.
    """
    from rich.console import Console

    from sim.errors import InputError, RunError

    try:
        yield Console()
    except InputError as error:
        _complain(error)
        raise typer.Exit(2) from None
    except BrokenPipeError:
        raise
    except OSError as error:
        from sim.store import FULL, reason

        text = f"{error.filename or 'a file'}: cannot be used ({reason(error)})"
        _complain(RunError(text + (kept if error.errno in FULL else "")))
        raise typer.Exit(2) from None
    except MemoryError:
        _complain(RunError(f"out of memory{kept}"))
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        typer.echo(f"Stopped{kept}.", err=True)
        raise typer.Exit(130) from None


def _complain(error: InputError) -> None:
    typer.echo(f"{type(error).__name__}: {error}", err=True)


def _verdict(file: Path, plan_file: Path) -> str:
    """What a valid file holds; raises InputError where it is not valid."""
    from sim.economy import read_economy
    from sim.errors import EconomyError
    from sim.files import kind_of, read_yaml
    from sim.parameters import parameter_table
    from sim.plan import read_plan
    from sim.processes import PARAMETERS
    from sim.runner import Runner
    from sim.scenario import read_scenario

    kind = kind_of(read_yaml(file))
    if kind == "plan":
        return _plan_in_short(read_plan(file)[0])
    if kind == "economy":
        if not plan_file.exists():
            raise EconomyError(
                f"{file}: is an economy file, which is checked against a plan; there is no "
                f"{plan_file}: name one with --plan, or validate a scenario that names both"
            )
        plan, _ = read_plan(plan_file)
        economy, source = read_economy(file, plan)
        parameter_table(economy, plan, source, PARAMETERS, {})
        return f"economy {economy.id}, with {_plan_in_short(plan)}"
    inputs = read_scenario(file)
    Runner(inputs, seed=0)
    name = inputs.scenario.name
    return f"{name.zh} {name.en}; {_plan_in_short(inputs.plan)}"


def _plan_in_short(plan: Plan) -> str:
    return (
        f"plan {plan.id} ({plan.start} to {plan.end}: {len(plan.targets)} targets, "
        f"{len(plan.measures)} measures, {len(plan.zones)} zones)"
    )


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def _where(workers: int | None, cluster: str | None) -> int | Workers:
    """Where the runs are made: on a cluster, or in processes here, one a core by default."""
    from sim.errors import RunError

    if cluster is None:
        return _cores() if workers is None else workers
    if workers is not None:
        raise RunError("--workers and --cluster exclude each other; the cluster has its own")
    from sim.cluster import DaskCluster

    return DaskCluster(cluster)


def _with_progress(
    inputs: Inputs,
    runs: int,
    precision: float | None,
    seed: int,
    workers: int | Workers,
    out: Path,
) -> Answer:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from sim.analysis.forecast import forecast as run_forecast

    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    columns = (
        TextColumn("runs"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("runs", total=runs)
        return run_forecast(
            inputs,
            runs=runs,
            seed=seed,
            out=out,
            workers=workers,
            precision=precision,
            on_progress=lambda done, total: progress.update(task, completed=done, total=total),
        )


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
