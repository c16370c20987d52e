"""The command ``pudong``: a file for each subcommand, which imports what it needs when called."""

from __future__ import annotations

import typer

from sim.cli.attribute import attribute
from sim.cli.brief import brief
from sim.cli.calibrate import calibrate
from sim.cli.chart import chart
from sim.cli.command import Command
from sim.cli.compare import compare
from sim.cli.dashboard import dashboard
from sim.cli.discover import discover
from sim.cli.evaluate import evaluate
from sim.cli.explain import explain
from sim.cli.export import export
from sim.cli.forecast import forecast
from sim.cli.library import library
from sim.cli.listing import list_
from sim.cli.optimise import optimise
from sim.cli.provenance import provenance
from sim.cli.require import require
from sim.cli.score import score
from sim.cli.sensitivity import sensitivity
from sim.cli.validate import validate

app = typer.Typer(
    help="How likely a district's plan is to reach its targets, and what would change it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (
    forecast,
    compare,
    attribute,
    require,
    optimise,
    explain,
    calibrate,
    library,
    evaluate,
    validate,
    list_,
    provenance,
    score,
    sensitivity,
    discover,
    dashboard,
    chart,
    export,
    brief,
):
    app.command(name=command.__name__.rstrip("_"), cls=Command)(command)
