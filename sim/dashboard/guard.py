"""Who may ask: pages of this server alone, by the names under which it listens.

A browser tells which page asks (Origin) and by which name (Host). Another site's page, and another
site's name that was made to point here (DNS rebinding), are refused before anything is done.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from sim.addresses import is_loopback

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


class Guard:
    """Refuses foreign names and origins, and sets what a browser may do with an answer.

    Args:
        app: what answers.
        address: where the server listens; beyond loopback, its addresses and own name count too.
    """

    def __init__(self, app: App, address: str) -> None:
        self._app = app
        self._beyond = not is_loopback(address)
        self._names = {*LOOPBACK, address.lower(), f"[{address.lower()}]"}
        if self._beyond:
            self._names |= {socket.gethostname().lower(), socket.getfqdn().lower()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        heads = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        host, origin = heads.get("host", ""), heads.get("origin")
        asks_here = origin == f"http://{host}" or (origin is None and scope["type"] == "http")
        if not self.knows(host) or not asks_here:
            await _refuse(scope, receive, send)
            return

        async def with_policy(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                rules = policy(host).items()
                own = [(name.encode(), value.encode("latin-1")) for name, value in rules]
                message["headers"] = [*message.get("headers", []), *own]
            await send(message)

        await self._app(scope, receive, with_policy)

    def knows(self, host: str) -> bool:
        """Whether the server goes by this name; addresses cannot be made to point elsewhere."""
        name = host.lower()
        name = name[: name.index("]") + 1] if "]" in name else name.partition(":")[0]
        if name in self._names:
            return True
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return self._beyond


def policy(host: str) -> dict[str, str]:
    """Headers of every answer: the page loads from here alone, and no other page shows it."""
    return {
        "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
        f"font-src 'self'; img-src 'self' data:; connect-src 'self' ws://{host}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "cache-control": "no-cache",
    }


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})  # answered with 403
        return
    text = b"This page can be asked for by its own address alone.\n"
    heads = [(b"content-type", b"text/plain"), (b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": heads})
    await send({"type": "http.response.body", "body": text})
