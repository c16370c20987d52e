"""What a page must know to be let in, since every program of the machine reaches its port.

As notebook servers have it: the address that is printed at the start ends in ``?token=…``. Whoever
opens it gets a cookie, by which everything else is asked for.
"""

from __future__ import annotations

import hmac
import re
import secrets
from urllib.parse import parse_qsl

from sim.errors import RunError

GIVEN = re.compile(r"[A-Za-z0-9._~-]{8,200}")
SCHEMES = ("bearer", "token")  # of the head Authorization, for programs


class Token:
    """The token of one server.

    Args:
        text: what it is; none: one that nobody has seen before.

    Raises:
        RunError: it is too short, or would not stand in an address as it is.
    """

    def __init__(self, text: str | None = None) -> None:
        if text is not None and not GIVEN.fullmatch(text):
            raise RunError(
                f"--token: found {len(text)} characters; allowed: 8 to 200 letters, digits and "
                "'-', '.', '_', '~'; without it one is made"
            )
        self.text = text or secrets.token_hex(24)
        self._cookie = hmac.digest(self.text.encode(), b"cookie of the page", "sha256").hex()

    def is_in_query(self, query: bytes) -> bool:
        """Whether an address ends in it."""
        asked = parse_qsl(query.decode("latin-1")) if b"token=" in query else []
        return any(_same(given, self.text) for name, given in asked if name == "token")

    def is_in_heads(self, heads: dict[str, list[str]], port: int) -> bool:
        """Whether a browser brings the cookie, or a program the token itself."""
        for line in heads.get("authorization", ()):
            scheme, _, given = line.partition(" ")
            if scheme.lower() in SCHEMES and _same(given.strip(), self.text):
                return True
        name = cookie_name(port)
        brought = ";".join(heads.get("cookie", ())).split(";")
        pairs = (pair.strip().partition("=") for pair in brought)
        return any(key == name and _same(value, self._cookie) for key, _, value in pairs)

    def cookie(self, port: int, path: str, secure: bool) -> str:
        """What a browser is to bring from now on; no script and no other site's page can use it.

        Args:
            port: the page's, since a browser keeps the cookies of all ports together.
            path: below which the page stands.
            secure: the page is asked for by https alone.
        """
        text = f"{cookie_name(port)}={self._cookie}; Path={path}; HttpOnly; SameSite=Strict"
        return f"{text}; Secure" if secure else text


def cookie_name(port: int) -> str:
    return f"pudong-dashboard-{port}"


def _same(one: str, other: str) -> bool:
    """Compared in a time that tells nothing."""
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode())
