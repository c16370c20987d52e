"""By which names the page is asked for: those at which the server listens, and a proxy's.

A name is a host with its port. A browser says by which one it asks (Host); another site's name that
was made to point here (DNS rebinding) is none of them.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from sim.addresses import is_loopback
from sim.errors import RunError, shown

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?")
PATH = re.compile(r"/(?:[A-Za-z0-9._~@+=:%-]+/)*")
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Public:
    """Where a reverse proxy or a tunnel shows the page.

    Attributes:
        scheme: http or https.
        host: its name, with the port unless that is the scheme's own.
        path: below which it stands there, from slash to slash.
    """

    scheme: str
    host: str
    path: str

    @classmethod
    def of(cls, url: str) -> Public:
        """From an address as a browser shows it; raises RunError."""
        try:
            parts = urlsplit(url)
            name, port = _split(parts.netloc)
        except ValueError:
            name = None
        path = f"{parts.path}/".replace("//", "/") if name else ""
        steps = unquote(path).split("/")
        plain = not (parts.query or parts.fragment) if name else False
        known = name and parts.scheme in PORTS and plain and PATH.fullmatch(path)
        if not known or "." in steps or ".." in steps:
            raise RunError(
                f"--public-url: found {shown(url)}; allowed: an address as the browser shows it, "
                "such as https://hub.example.org/user/li/proxy/8866/"
            )
        host = name if port in (None, PORTS[parts.scheme]) else f"{name}:{port}"
        return cls(parts.scheme, str(host), path)

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.host}"

    def is_asked_for(self, name: str, port: int | None) -> bool:
        """Whether a browser or its proxy means this place; many proxies leave the port out."""
        own, own_port = _split(self.host)
        same = name == own or (name in LOOPBACK and own in LOOPBACK)
        return same and port in (None, own_port or PORTS[self.scheme])


class Address:
    """Where the server listens, and by which names it may be asked for.

    Args:
        address, port: where it listens; beyond loopback, its addresses and own name count too.
        public: where a proxy or tunnel shows it.
    """

    def __init__(self, address: str, port: int, public: Public | None = None) -> None:
        self.port = port
        self.public = public
        self._shown = f"[{address}]" if ":" in address else address
        self._beyond = not is_loopback(address)
        self._names = {*LOOPBACK, self._shown.lower()}
        if self._beyond:
            self._names |= {socket.gethostname().lower(), socket.getfqdn().lower()}

    @property
    def url(self) -> str:
        """The page's address for people."""
        if self.public:
            return f"{self.public.origin}{self.public.path}"
        return f"http://{self._shown}:{self.port}/"

    @property
    def base(self) -> str:
        """The path below which a browser sees the page."""
        return self.public.path if self.public else "/"

    @property
    def is_secure(self) -> bool:
        """Whether a browser asks by https alone."""
        return self.public is not None and self.public.scheme == "https"

    def path(self, path: str) -> str:
        """A path without the proxy's, which some take off themselves."""
        base = unquote(self.base)
        return path[len(base) - 1 :] if path.startswith(base) else path

    def lacks_slash(self, path: str) -> bool:
        """Whether the page was asked for without its last slash, so that no file of it is found."""
        return f"{path}/" == unquote(self.base)

    def seen_port(self, host: str) -> int:
        """The port that a browser sees, which has asked by this name."""
        seen, scheme = (self.public.host, self.public.scheme) if self.public else (host, "http")
        return _split(seen)[1] or PORTS[scheme]

    def origins(self, host: str) -> set[str]:
        """The pages that may ask by a name; empty: the server does not go by it."""
        name, port = _split(host)
        if name is None:
            return set()
        found = set()
        if self.public and self.public.is_asked_for(name, port):
            found.add(self.public.origin)
            if name in LOOPBACK:
                found.add(f"{self.public.scheme}://{host.lower()}")
        if self._is_own(name) and (port or PORTS["http"]) == self.port:
            found |= {f"http://{host.lower()}", *([self.public.origin] if self.public else [])}
        return found

    def is_own_name(self, host: str) -> bool:
        """Whether only the port is another, as at the near end of a tunnel."""
        name, _ = _split(host)
        return name is not None and self._is_own(name)

    def _is_own(self, name: str) -> bool:
        """Whether a name is the machine's; addresses cannot be made to point elsewhere."""
        if name in self._names:
            return True
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return self._beyond


def _split(host: str) -> tuple[str | None, int | None]:
    """Name and port; no name where it cannot be one."""
    found = HOST.fullmatch(host.lower())
    if found is None:
        return None, None
    name, port = found.groups()
    return name, int(port) if port else None
