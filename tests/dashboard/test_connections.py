"""Whoever holds connections and asks for nothing keeps nobody out."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from sim.dashboard import connections
from tests.dashboard.pages import Client, Served

HELD = 400
HALF = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "


@pytest.fixture
def held(served: Served) -> Iterator[list[socket.socket]]:
    """Many connections, half of which have begun to ask."""
    with ExitStack() as ends:
        found = []
        for number in range(HELD):
            one = ends.enter_context(socket.create_connection(("127.0.0.1", served.port)))
            if number % 2:
                one.sendall(HALF)
            found.append(one)
        yield found


def test_a_new_page_is_let_in_while_others_hold_connections(
    served: Served, held: list[socket.socket]
) -> None:
    for path in ("/", "/static/main.js", "/font.otf"):
        with served.ask(path) as answer:
            assert answer.status == 200
    client = Client(served)
    with client.socket:
        assert client.hear("hello")
    open_still = sum(is_open(one) for one in held)
    assert open_still <= connections.MOST_WAITING
    assert "Traceback" not in served.complaints()


def is_open(one: socket.socket) -> bool:
    one.setblocking(False)
    try:
        return one.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


class Small:
    """A server in this process with the dashboard's connections and little patience."""

    def __init__(self, app: Any, **more: Any) -> None:
        limits = connections.limits([(b"x-own", b"1")]) | more
        config = uvicorn.Config(app, log_level="warning", lifespan="off", **limits)
        self._server = uvicorn.Server(config)
        self._at = socket.create_server(("127.0.0.1", 0))
        self.port = self._at.getsockname()[1]

    async def __aenter__(self) -> Small:
        self._task = asyncio.create_task(self._server.serve(sockets=[self._at]))
        while not self._server.started:
            await asyncio.sleep(0.01)
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.should_exit = True
        await self._task


@pytest.mark.parametrize("slowly", [False, True], ids=["nothing", "letter by letter"])
def test_a_head_that_does_not_come_ends_the_connection(
    monkeypatch: pytest.MonkeyPatch, slowly: bool
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.5)

    async def app(scope: Any, receive: Any, send: Any) -> None: ...

    async def wait() -> float:
        clock = asyncio.get_running_loop().time
        async with Small(app) as small:
            reader, writer = await asyncio.open_connection("127.0.0.1", small.port)
            start, ended = clock(), asyncio.create_task(reader.read())
            writer.write(HALF)
            while not ended.done() and clock() < start + 20:
                if slowly:
                    writer.write(b"x")
                await asyncio.sleep(0.05)
            writer.close()
            with suppress(ConnectionError):
                assert await ended == b""
            return clock() - start

    assert asyncio.run(wait()) < 20


def test_an_answer_that_is_not_taken_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "ANSWER_SECONDS", 0.5)
    ended: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(200):
            await send({"type": "http.response.body", "body": b"x" * 1_000_000, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        ended.append("answered")

    async def ask() -> None:
        async with Small(app) as small:
            with socket.create_connection(("127.0.0.1", small.port)) as one:
                one.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
                deadline = time.monotonic() + 20
                while not ended and time.monotonic() < deadline:
                    await asyncio.sleep(0.05)

    asyncio.run(ask())
    assert ended  # what it would have sent was dropped


def test_a_page_that_never_reads_loses_its_place() -> None:
    gone: list[bool] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        try:
            while True:
                await send({"type": "websocket.send", "text": "x" * 1_000_000})
        except OSError:
            gone.append(True)

    async def ask() -> None:
        async with Small(app, ws_ping_interval=0.3, ws_ping_timeout=0.3) as small:
            with socket.create_connection(("127.0.0.1", small.port)) as one:
                head = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
                head += "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                head += "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
                one.sendall(head.encode())
                deadline = time.monotonic() + 20
                while not gone and time.monotonic() < deadline:
                    await asyncio.sleep(0.05)

    asyncio.run(ask())
    assert gone


def test_what_is_no_http_is_answered_with_the_heads_of_safety(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port)) as one:
        one.sendall(b"GARBAGE\r\n\r\n")
        one.settimeout(20)
        answer = b"".join(iter(lambda: one.recv(65_536), b"")).decode()
    assert answer.startswith("HTTP/1.1 400 ")
    assert "nosniff" in answer
    assert "content-security-policy" in answer


def test_text_that_is_none_ends_the_connection_without_a_traceback(kept: Path) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass

    async def ask() -> int:
        from websockets.asyncio.client import connect

        async with (
            Small(app) as small,
            connect(f"ws://127.0.0.1:{small.port}/", proxy=None) as page,
        ):
            await page.send(b"\xff\xfe", text=True)
            await page.wait_closed()
            return page.close_code or 0

    assert asyncio.run(ask()) == 1007
