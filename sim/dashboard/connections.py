"""Connections, none of which holds a place for long without asking for something.

uvicorn's own protocols, with what they lack: a limit of time for a request's head, room for who
comes new while others wait, and an end where the other side takes nothing.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

HEAD_SECONDS = 10.0  # for a request to be there whole, from the connection's start or the last one
ANSWER_SECONDS = 120.0  # for its answer to be taken; the largest file has 1.6 MB
MOST_WAITING = 100  # connections without a request; beyond these the one that waits longest goes
MOST_HEAD = 32_768  # bytes; a hub's other cookies come along
BACKLOG = 100  # connections that are taken up in one go
SILENCE = 20.0  # seconds after which an open page is asked whether it still listens, and to answer

Heads = list[tuple[bytes, bytes]]


class Connection(H11Protocol):
    """One HTTP connection, which waits for a request or is answered."""

    refusal_heads: Heads = []  # noqa: RUF012
    _waiting: dict[Connection, None] = {}  # noqa: RUF012
    _limit: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self in self._waiting and self._is_answered():
            self._leave()
            self._limit = self.loop.call_later(ANSWER_SECONDS, self.transport.abort)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._is_answered():
            self._wait()

    def handle_websocket_upgrade(self, event: Any) -> None:
        self._leave()
        super().handle_websocket_upgrade(event)

    def send_400_response(self, msg: str) -> None:
        """As uvicorn's own, with the heads of every answer."""
        head = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"
        head += b"".join(name + b": " + value + b"\r\n" for name, value in self.refusal_heads)
        text = msg.encode()
        self.transport.write(head + b"Content-Length: %d\r\n\r\n" % len(text) + text)
        self.transport.close()

    def _is_answered(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait(self) -> None:
        self._leave()
        self._waiting[self] = None
        self._limit = self.loop.call_later(HEAD_SECONDS, self.transport.abort)
        if len(self._waiting) > MOST_WAITING:
            longest = next(iter(self._waiting))
            longest._leave()
            longest.transport.abort()

    def _leave(self) -> None:
        self._waiting.pop(self, None)
        if self._limit is not None:
            self._limit.cancel()


class Line(WebSocketsSansIOProtocol):
    """One open page's websocket."""

    def keepalive_timeout(self) -> None:
        """A page that answers no more takes no more either: what waits for it is dropped."""
        super().keepalive_timeout()
        self.transport.abort()

    def send_receive_event_to_app(self) -> None:
        """Text that is none ends the connection with its code, and without a traceback."""
        if self.curr_msg_data_type == "text":
            data = b"".join(self.frames)
            try:
                data.decode()
            except UnicodeDecodeError:
                self.conn.send_close(1007)
                self.handle_parser_exception()
                return
            self.frames = [data]
        super().send_receive_event_to_app()


def limits(heads: Heads) -> dict[str, Any]:
    """What uvicorn is to be set to; ``heads`` stand on its own refusals."""
    connection = type("OwnConnection", (Connection,), {"refusal_heads": heads, "_waiting": {}})
    return {
        "http": connection,
        "ws": Line,
        "ws_ping_interval": SILENCE,
        "ws_ping_timeout": SILENCE,
        "backlog": BACKLOG,
        "h11_max_incomplete_event_size": MOST_HEAD,
    }
