"""``pudong calibrate``: fit the parameters to published figures, and check the fit."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from sim.cli.common import (
    KEPT,
    ClusterOption,
    ScenarioFile,
    SeedOption,
    WorkersOption,
    errors,
    progress_bar,
    runners,
)


def calibrate(
    scenario: ScenarioFile,
    observations: Annotated[
        Path,
        typer.Option(
            help="Published figures (CSV, see calibration/data/README.md).", show_default=False
        ),
    ],
    out: Annotated[
        Path, typer.Option(help="Directory for runs, posterior and report.", show_default=False)
    ],
    until: Annotated[
        str | None,
        typer.Option(
            help="Last month that a figure may be about, like 2021-12; default: the plan's end.",
            show_default=False,
        ),
    ] = None,
    runs: Annotated[int, typer.Option(help="Runs with priors, to learn from.")] = 4_000,
    seed: SeedOption = 1,
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
) -> None:
    """Fit the parameters' distribution to published figures, and check the fit.

    Leaves in OUT: posterior.csv, which an economy file names (posterior: posterior.csv) for its
    forecasts to use, calibration.md with pictures, and the runs. The same command again goes on
    where it stopped.
    """
    with errors(KEPT) as console:
        from calibration.calibrate import calibrate as fit_of
        from calibration.calibrate import runs_needed
        from calibration.page import write_page
        from sim.scenario import read_scenario

        inputs = read_scenario(scenario)
        with progress_bar(runs_needed(runs)) as on_progress:
            fit = fit_of(
                inputs,
                observations,
                until=until,
                runs=runs,
                seed=seed,
                out=out,
                workers=runners(workers, cluster),
                on_progress=on_progress,
            )
        write_page(fit, out, shlex.join(["pudong", *sys.argv[1:]]))
        console.print(
            f"{len(fit.head.figures)} figures fitted, "
            f"{fit.head.effective_draws:,.0f} effective draws.\n"
            f"{out}/posterior.csv, {out}/calibration.md",
            highlight=False,
        )
