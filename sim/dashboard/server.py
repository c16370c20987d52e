"""The page's server: files of the page, and a websocket for each page that is open."""

from __future__ import annotations

import asyncio
import json
import math
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.responses import FileResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from sim.analysis.naive import PastFigure
from sim.dashboard.engine import Engine
from sim.dashboard.guard import Guard
from sim.dashboard.room import Limits, Room
from sim.dashboard.scenarios import MOST_BYTES
from sim.dashboard.session import Session
from sim.errors import RunError
from sim.report.style import FONT_FILE
from sim.scenario import Inputs
from sim.stopping import STOPS
from sim.store import reason

STATIC = Path(__file__).parent / "static"
MOST_WAITING = 4  # connections asked for and not yet taken up, above the pages


def serve(
    inputs: Inputs,
    *,
    address: str,
    port: int,
    workers: int,
    seed: int,
    folder: Path,
    limits: Limits = Limits(),  # noqa: B008
    past: Sequence[PastFigure] = (),
    given: Path | None = None,
    on_start: Callable[[str], None] = lambda url: None,
) -> None:
    """Serve the page until interrupted.

    Args:
        inputs: the base that what-ifs are held against.
        address, port: where to listen; port 0: any that is free.
        workers: processes that make runs, for all pages together.
        seed: of all draws.
        folder: where forecasts are kept, the base's among them.
        past: figures published for dates before the plan, for the charts.
        given: a finished forecast, of these inputs and this seed, whose runs are the base's.
        on_start: called with the page's address once it can be opened.

    Raises:
        RunError: the port is in use, or the address is not this machine's.
    """
    listener = _listen(address, port)
    port = listener.getsockname()[1]
    shown = f"[{address}]" if ":" in address else address
    url = f"http://{shown}:{port}"
    with listener, Engine(workers, seed) as engine:
        room = Room(inputs, engine, folder, limits, list(past), given)
        config = uvicorn.Config(
            Guard(_app(room, lambda: on_start(url)), address),
            ws="websockets-sansio",
            ws_max_size=2 * MOST_BYTES,
            lifespan="on",
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
            limit_concurrency=20 * (limits.pages + MOST_WAITING),
        )
        try:
            uvicorn.Server(config).run(sockets=[listener])
        except KeyboardInterrupt:  # in this way the page ends
            STOPS.settle()


def _listen(address: str, port: int) -> socket.socket:
    """A socket that listens, before anything is made."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise RunError(
            f"{address}, port {port}: cannot be listened at ({reason(error)}); "
            "give another with --port or --address"
        ) from None
    return listener


def _app(room: Room, started: Callable[[], None]) -> Starlette:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        preparing = asyncio.create_task(room.prepare())
        started()
        yield
        preparing.cancel()
        await asyncio.gather(preparing, return_exceptions=True)

    async def page(request: Any) -> FileResponse:
        return FileResponse(STATIC / "index.html", media_type="text/html; charset=utf-8")

    async def font(request: Any) -> FileResponse:
        return FileResponse(FONT_FILE, media_type="font/otf")

    async def live(socket: WebSocket) -> None:
        await socket.accept()
        await _converse(room, socket)

    return Starlette(
        routes=[
            Route("/", page),
            Route("/font.otf", font),
            WebSocketRoute("/live", live),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        lifespan=lifespan,
    )


async def _converse(room: Room, socket: WebSocket) -> None:
    """Talk with one page until it goes; then nothing of its work goes on."""

    async def send(message: dict[str, Any]) -> None:
        await socket.send_text(json.dumps(_finite(message), ensure_ascii=False))

    if room.pages >= room.limits.pages:
        text = f"{room.pages} pages are open already, as many as this server takes; close one"
        await send({"type": "problem", "about": "full", "text": text, "pages": room.pages})
        await socket.close(1013)
        return
    room.pages += 1
    session = Session(room, send)
    try:
        await session.open()
        while True:
            try:
                message = json.loads(await socket.receive_text())
            except (ValueError, RecursionError, KeyError):
                message = None
            await session.answer(message)
    except (WebSocketDisconnect, RuntimeError):  # gone, perhaps while it was being told something
        pass
    finally:
        room.pages -= 1
        await session.close()


def _finite(data: Any) -> Any:
    """Numbers that JSON lacks as null."""
    if isinstance(data, dict):
        return {name: _finite(value) for name, value in data.items()}
    if isinstance(data, list):
        return [_finite(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data
