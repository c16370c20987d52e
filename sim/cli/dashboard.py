"""``pudong dashboard``: a local web page on which a planner moves levers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sim.cli import options
from sim.cli.ending import errors, remark
from sim.cli.runs import cores


def dashboard(
    scenario: Annotated[
        Path, typer.Option(help="Scenario that what-ifs are held against (YAML).")
    ] = Path("scenarios/baseline.yaml"),
    forecast: Annotated[
        Path | None,
        typer.Option(
            help="A finished forecast, whose scenario, seed and runs are the base's; no run of it "
            "is made.",
        ),
    ] = None,
    port: Annotated[int, typer.Option(help="Port to listen at.", min=0, max=65535)] = 8866,
    address: Annotated[
        str,
        typer.Option(help="Address to listen at; the default is reached from this machine only."),
    ] = "127.0.0.1",
    public_url: Annotated[
        str | None,
        typer.Option(
            help="The page's address behind a reverse proxy or tunnel, as the browser shows it: "
            "https://hub.example.org/user/li/proxy/8866/",
        ),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            help="What the page must know to be let in; without it each start makes a new one.",
            envvar="PUDONG_TOKEN",
            show_envvar=True,
        ),
    ] = None,
    no_token: Annotated[
        bool,
        typer.Option("--no-token", help="Let in every program and user of this machine."),
    ] = False,
    base_runs: Annotated[
        int,
        typer.Option(help="Runs of the base, and the most of a what-if.", min=100, max=5000),
    ] = 2000,
    pages: Annotated[int, typer.Option(help="Most pages open at once.", min=1, max=100)] = 12,
    history: Annotated[
        Path | None,
        typer.Option(
            help="Figures before the plan (CSV, as calibration/data/history.csv), for the charts.",
        ),
    ] = None,
    seed: options.Seed = 1,
    workers: options.Workers = None,
    out: Annotated[
        Path, typer.Option(help="Directory in which the forecasts behind the page are kept.")
    ] = Path("out/dashboard"),
) -> None:
    """Serve a web page on this machine: move a lever, see the probabilities move.

    The base's runs are made at the first start and kept in OUT, likewise the forecast behind each
    briefing. Ends with Ctrl-C. Needs the extra "dashboard"; see docs/dashboard.md.
    """
    with errors() as console:
        from sim.errors import RunError
        from sim.executors import prepare

        try:
            import starlette  # noqa: F401
            import uvicorn  # noqa: F401
            import websockets  # noqa: F401
            import xlsxwriter  # noqa: F401
        except ImportError as error:
            raise RunError(
                f"{error.name} is not installed: the page needs the extra [dashboard], "
                "pip install 'pudong-sim[dashboard]'"
            ) from None
        prepare()
        from sim.addresses import is_loopback
        from sim.analysis.naive import read_history
        from sim.analysis.published import read_published
        from sim.dashboard.address import Public
        from sim.dashboard.kept import check_usable
        from sim.dashboard.room import Limits
        from sim.dashboard.server import serve
        from sim.dashboard.token import Token
        from sim.report import glyphs
        from sim.scenario import read_scenario

        def say(url: str) -> None:
            console.print(f"{url}   (Ctrl-C ends it)", highlight=False, soft_wrap=True)
            glyphs.note(inputs.plan, inputs.economy, inputs.scenario)
            remark()
            if no_token:
                console.print(
                    "Every program of this machine can use the page; it asks for no token.",
                    highlight=False,
                )
            elif not is_loopback(address):
                console.print(
                    "Whoever reaches this address and has the token can use the page. Neither is "
                    "hidden on the way: use a tunnel or a proxy with https where others listen.",
                    highlight=False,
                )

        if no_token and token is not None:
            raise RunError("--no-token: found with a token; give one of the two")
        if no_token and not is_loopback(address):
            raise RunError(
                f"--no-token: found with --address {address}, which other machines reach; "
                "allowed with an address of this machine alone"
            )
        shown = Public.of(public_url) if public_url is not None else None
        known = None if no_token else Token(token)
        if forecast is None:
            inputs = read_scenario(scenario)
        else:
            published = read_published(forecast)
            check_usable(published)
            inputs = published.finished.inputs
            seed, base_runs = published.summary.seed, published.summary.runs
        serve(
            inputs,
            address=address,
            port=port,
            workers=cores() if workers is None else max(1, workers),
            seed=seed,
            folder=out,
            limits=Limits(base_runs, pages),
            token=known,
            public=shown,
            past=read_history(history, inputs) if history else [],
            given=forecast,
            on_start=say,
        )
