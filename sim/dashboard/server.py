"""The page's server: files of the page, and a websocket for each page that is open."""

from __future__ import annotations

import asyncio
import gc
import json
import math
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.responses import FileResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from sim.analysis.naive import PastFigure
from sim.dashboard import connections
from sim.dashboard.address import Address, Public
from sim.dashboard.engine import Engine
from sim.dashboard.guard import REFUSED, Guard
from sim.dashboard.room import Limits, Room
from sim.dashboard.scenarios import MOST_BYTES
from sim.dashboard.session import Gone, Session
from sim.dashboard.token import Token
from sim.errors import RunError
from sim.report import glyphs
from sim.scenario import Inputs
from sim.stopping import STOPS
from sim.store import reason

STATIC = Path(__file__).parent / "static"
MORE = 4  # pages' worth of requests that are answered beyond those of the pages that may be open
REQUESTS = 20  # of one page at once, at most


def serve(
    inputs: Inputs,
    *,
    address: str,
    port: int,
    workers: int,
    seed: int,
    folder: Path,
    limits: Limits = Limits(),  # noqa: B008
    token: Token | None = None,
    public: Public | None = None,
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
        token: that a page must know; none: whoever reaches the server may ask.
        public: where a proxy or tunnel shows the page.
        past: figures published for dates before the plan, for the charts.
        given: a finished forecast, of these inputs and this seed, whose runs are the base's.
        on_start: called with the page's address once it can be opened.

    Raises:
        RunError: the port is in use, or the address is not this machine's.
    """
    listener = _listen(address, port)
    place = Address(address, listener.getsockname()[1], public)
    url = f"{place.url}?token={token.text}" if token else place.url
    with listener, Engine(workers, seed) as engine:
        room = Room(inputs, engine, folder, limits, list(past), given)
        most = REQUESTS * (limits.pages + MORE)
        config = uvicorn.Config(
            Guard(_app(room, lambda: on_start(url)), place, token, most),
            ws_max_size=2 * MOST_BYTES,
            lifespan="on",
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
            **connections.limits(REFUSED),
        )
        gc.collect()
        gc.freeze()  # it stays; to look through all of it again and again holds up all pages
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
        threads = ThreadPoolExecutor(2 * room.limits.pages + MORE)  # none waits for another page's
        asyncio.get_running_loop().set_default_executor(threads)
        preparing = asyncio.create_task(room.prepare())
        started()
        yield
        preparing.cancel()
        await asyncio.gather(preparing, return_exceptions=True)

    async def page(request: Any) -> FileResponse:
        return FileResponse(STATIC / "index.html", media_type="text/html; charset=utf-8")

    async def font(request: Any) -> FileResponse:
        return FileResponse(glyphs.FIRST, media_type="font/otf")

    async def live(socket: WebSocket) -> None:
        with suppress(Gone, WebSocketDisconnect):  # perhaps while it was being told something
            await socket.accept()
            await _converse(room, socket)

    return Starlette(
        routes=[
            Route("/", page),
            Route("/font.otf", font),
            Mount("/fonts", StaticFiles(directory=glyphs.FOLDER)),
            WebSocketRoute("/live", live),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        lifespan=lifespan,
    )


async def _converse(room: Room, socket: WebSocket) -> None:
    """Talk with one page until it goes; then nothing of its work goes on."""

    async def send(message: dict[str, Any]) -> None:
        text = json.dumps(_finite(message), ensure_ascii=False)
        try:
            await socket.send_text(text.encode("utf-8", "backslashreplace").decode())
        except (WebSocketDisconnect, RuntimeError):
            raise Gone from None

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
            await session.hear(await _text(socket))
    finally:
        room.pages -= 1
        await session.close()


async def _text(socket: WebSocket) -> str:
    """What comes next; bytes, which a page never sends, are no message."""
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise Gone
    return message.get("text") or ""


def _finite(data: Any) -> Any:
    """Numbers that JSON lacks as null."""
    if isinstance(data, dict):
        return {name: _finite(value) for name, value in data.items()}
    if isinstance(data, list):
        return [_finite(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data
