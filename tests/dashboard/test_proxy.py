"""Behind a reverse proxy, by https and below a path; and the near end of a tunnel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sim.dashboard.address import Address, Public
from sim.errors import RunError
from tests.dashboard.pages import Page, Served, free_port
from tests.dashboard.proxy import NAME, Proxy

BASE = "/user/li%40x.cn/proxy/8866/"


@pytest.fixture(scope="module")
def proxy(kept: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Proxy, Served]]:
    with Proxy(tmp_path_factory.mktemp("proxy"), BASE) as proxy:
        server = Served(kept, "--public-url", proxy.url, port=free_port())
        proxy.target = server.port
        yield proxy, server
        server.stop()


@pytest.mark.parametrize("strips", [True, False], ids=["path taken off", "path passed on"])
@pytest.mark.parametrize("keeps_host", [True, False], ids=["its host", "own host"])
def test_the_page_works_behind_a_proxy(
    browser: Any, proxy: tuple[Proxy, Served], strips: bool, keeps_host: bool
) -> None:
    shown, server = proxy
    shown.strips, shown.keeps_host = strips, keeps_host
    assert server.url == f"{shown.url}?token={server.token}"
    page = Page(browser, server.url, ignore_https_errors=True)
    try:
        assert page.page.url == shown.url
        page.page.uncheck("#auto")
        page.set("scenario_funding", "10")
        page.run()
        assert page.page.inner_text("#settings")
        (cookie,) = page.context.cookies()
        assert (cookie["path"], cookie["secure"], cookie["httpOnly"]) == (BASE, True, True)
        assert cookie["sameSite"] == "Strict"
        asked = [urlsplit(url) for url in page.asked if not url.startswith(("data:", "blob:"))]
        assert {url.netloc for url in asked} == {f"{NAME}:{shown.port}"}
        assert {url.scheme for url in asked} == {"https", "wss"}
        assert all(url.path.startswith(BASE) for url in asked)
        assert not page.faults
    finally:
        page.context.close()


def test_by_its_own_address_the_page_is_there_as_well(proxy: tuple[Proxy, Served]) -> None:
    _, server = proxy
    own = f"127.0.0.1:{server.port}"
    with server.ask(Host=own) as answer:
        assert answer.status == 200
    with server.ask(BASE[:-1], Host=own) as answer:  # without the slash: sent to where it is
        assert answer.url.endswith("/8866/")
        assert answer.status == 200
    for host, origin in (
        ("elsewhere.example", None),
        (f"{NAME}:1", None),
        (own, "https://elsewhere.example"),
        (own, f"http://{NAME}:{proxy[0].port}"),
        (NAME, f"https://{NAME}"),
    ):
        with server.ask(Host=host, **({"Origin": origin} if origin else {})) as refused:
            assert refused.status == 403


def test_the_near_end_of_a_tunnel_is_told_what_to_do(served: Served) -> None:
    with served.ask(Host="localhost:9000") as refused:
        assert refused.status == 403
        text = refused.read().decode()
    assert f"ssh -L {served.port}:127.0.0.1:{served.port}" in text
    assert "--public-url http://localhost:9000/" in text
    tunnel = Address("127.0.0.1", 8866, Public.of("http://localhost:9000/"))
    for host in ("localhost:9000", "127.0.0.1:9000", "[::1]:9000"):
        assert f"http://{host}" in tunnel.origins(host)
    assert not tunnel.origins("localhost:9001")
    assert not tunnel.origins("elsewhere.example:9000")


@pytest.mark.parametrize(
    ("url", "origin", "path"),
    [
        (
            "https://hub.example.org/user/li/proxy/8866/",
            "https://hub.example.org",
            "/user/li/proxy/8866/",
        ),
        ("https://hub.example.org/user/li", "https://hub.example.org", "/user/li/"),
        ("https://Hub.Example.org:443", "https://hub.example.org", "/"),
        ("http://localhost:9000", "http://localhost:9000", "/"),
        ("http://[::1]:9000/x", "http://[::1]:9000", "/x/"),
    ],
)
def test_a_public_address_is_taken_as_the_browser_shows_it(
    url: str, origin: str, path: str
) -> None:
    public = Public.of(url)
    assert (public.origin, public.path) == (origin, path)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hub.example.org",
        "ftp://hub.example.org/",
        "https://",
        "https://li@hub.example.org/",
        "https://hub.example.org:x/",
        "https://hub.example.org/?token=1",
        "https://hub.example.org/#top",
        "https://hub.example.org/a/../b/",
        "https://hub.example.org/a;b/",
        "https://hub.example.org/a b/",
        "https://hub.example.org; script-src */",
        "https://[::1/",
        "https://张江.example/",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(RunError, match=r"--public-url: found .*; allowed: an address"):
        Public.of(url)
