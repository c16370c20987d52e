"""``pudong calibrate``: fit the parameters to published figures, and check the fit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sim.cli import options
from sim.cli.ending import KEPT, Finish
from sim.cli.printing import command_line
from sim.cli.runs import making_runs, under_way


def calibrate(
    scenario: options.Scenario,
    observations: Annotated[
        Path, typer.Option(help="Published figures (CSV, see calibration/data/README.md).")
    ],
    out: Annotated[Path, typer.Option(help="Directory for runs, posterior and report.")],
    until: Annotated[
        str | None,
        typer.Option(
            help="Last month that a figure may be about, like 2021-12.",
            show_default="the plan's end",
        ),
    ] = None,
    runs: Annotated[int, typer.Option(help="Runs with priors, to learn from.")] = 4_000,
    seed: options.Seed = 1,
    workers: options.Workers = None,
    cluster: options.Cluster = None,
) -> None:
    """Fit the parameters' distribution to published figures, and check the fit.

    Leaves in OUT: posterior.csv, which an economy file names (posterior: posterior.csv) for its
    forecasts to use, calibration.md with pictures, and the runs. The same command again goes on
    where it stopped.
    """
    with making_runs(workers, cluster) as console, Finish(kept=KEPT) as finish:
        from calibration.calibrate import calibrate as fit_of
        from calibration.calibrate import runs_needed
        from calibration.page import write_page
        from sim.scenario import read_scenario

        inputs = read_scenario(scenario)
        with under_way(runs_needed(runs), seed, out, workers, cluster) as how:
            fit = fit_of(inputs, observations, until=until, runs=runs, **how)
        finish.do(write_page, fit, out, command_line(), finish.draw)
        console.print(
            f"{len(fit.head.figures)} figures fitted, "
            f"{fit.head.effective_draws:,.0f} effective draws.\n"
            f"{out}/posterior.csv, {out}/calibration.md",
            highlight=False,
        )
