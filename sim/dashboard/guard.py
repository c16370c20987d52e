"""Who may ask: pages of this server alone, by its own names, that know its token.

Checked before anything is done. A browser tells which page asks (Origin) and by which name (Host),
and brings the cookie that it got for the token.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.responses import RedirectResponse, Response

from sim.dashboard import refusal
from sim.dashboard.address import Address
from sim.dashboard.refusal import STYLE_HASH, Refusal
from sim.dashboard.token import Token

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Heads = dict[str, list[str]]

SAFE = {
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
NOTHING = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
ON_REFUSALS = SAFE | {
    "content-security-policy": f"{NOTHING}; style-src 'sha256-{STYLE_HASH}'; img-src data:; "
    "form-action 'self'"
}
REFUSED = [(name.encode(), value.encode()) for name, value in ON_REFUSALS.items()]


class Guard:
    """Lets in who may ask, and sets what a browser may do with an answer.

    Args:
        app: what answers.
        address: by which names it is asked for.
        token: that must be known; none: whoever reaches the server may ask.
        most: requests that are answered at once, open pages among them.
    """

    def __init__(self, app: App, address: Address, token: Token | None, most: int) -> None:
        self._app = app
        self._address = address
        self._token = token
        self._most = most
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        heads: Heads = {}
        for name, value in scope["headers"]:
            heads.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
        host = ", ".join(heads.get("host", []))
        answer = self._foreign(scope, heads, host) or self._without_token(scope, heads, host)
        safely = _adding(send, ON_REFUSALS if answer else SAFE | self._policy(host))
        if answer is not None:
            if scope["type"] == "websocket":
                await receive()
            await answer(scope, receive, safely)
            return
        path = self._address.path(scope["path"])
        self._under_way += 1
        try:
            await self._app({**scope, "path": path, "raw_path": path.encode()}, receive, safely)
        finally:
            self._under_way -= 1

    def _foreign(self, scope: Scope, heads: Heads, host: str) -> Response | None:
        """What is answered to whoever asks by another name, or for another site's page."""
        known = self._address.origins(host)
        if not known:
            only_port = self._address.is_own_name(host)
            return self._refuse(refusal.PORT if only_port else refusal.NAME, host)
        origins = heads.get("origin", [])
        must_say = scope["type"] == "websocket"
        if len(origins) > 1 or not known.issuperset(origins) or (must_say and not origins):
            return self._refuse(refusal.ORIGIN, host)
        if self._address.lacks_slash(scope["path"]):
            query = scope["query_string"].decode("latin-1")
            place = f"{scope['path'].rpartition('/')[2]}/{'?' if query else ''}{query}"
            return RedirectResponse(place, 307)
        return self._refuse(refusal.BUSY, host) if self._under_way >= self._most else None

    def _without_token(self, scope: Scope, heads: Heads, host: str) -> Response | None:
        """What is answered to whoever does not know the token, or brings it in an address."""
        if self._token is None:
            return None
        port, path = self._address.seen_port(host), self._address.path(scope["path"])
        if self._token.is_in_query(scope["query_string"]):
            if scope["type"] == "websocket" or path != "/":
                return None
            cookie = self._token.cookie(port, self._address.base, self._address.is_secure)
            return RedirectResponse("./", 303, {"set-cookie": cookie, "cache-control": "no-store"})
        if self._token.is_in_heads(heads, port):
            return None
        comes = [heads.get(f"sec-fetch-{name}") for name in ("site", "mode")]
        again = path == "/" and comes == [["cross-site"], ["navigate"]]
        return refusal.TOKEN.response(host, self._address.port, path, again)

    def _refuse(self, why: Refusal, host: str) -> Response:
        return why.response(host, self._address.port)

    def _policy(self, host: str) -> dict[str, str]:
        """The page loads from here alone; by a name that the server goes by."""
        sockets = sorted(origin.replace("http", "ws", 1) for origin in self._address.origins(host))
        return {
            "content-security-policy": f"{NOTHING}; script-src 'self'; style-src 'self'; "
            "font-src 'self'; img-src 'self' data:; form-action 'none'; "
            f"connect-src 'self' {' '.join(sockets)}",
            "cache-control": "no-cache",
        }


def _adding(send: Send, rules: dict[str, str]) -> Send:
    """Send answers with more heads."""
    own = [(name.encode(), value.encode("latin-1")) for name, value in rules.items()]

    async def sending(message: Message) -> None:
        if message["type"].endswith("http.response.start"):
            message["headers"] = [*message.get("headers", []), *own]
        await send(message)

    return sending
