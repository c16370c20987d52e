"""The token that is printed at the start, and who gets in without it: nobody."""

from __future__ import annotations

import http.client
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sim.cli import app
from sim.dashboard.token import Token, cookie_name
from sim.errors import RunError
from tests.dashboard.pages import SMALL, Client, Page, Served, free_port

exceptions = pytest.importorskip("websockets.exceptions")

ASKED = ["/", "/static/main.js", "/static/words.json", "/font.otf", "/static/none", "/none"]
HEADS = [
    {},
    {"Authorization": "token wrong-token-wrong"},
    {"Authorization": "Basic dG9rZW46"},
    {"Cookie": "pudong-dashboard-{port}=wrong"},
    {"Cookie": "pudong-dashboard-1={cookie}"},
    {"Cookie": "pudong-dashboard-{port}={token}"},
]


def ask(server: Served, path: str, **heads: str) -> http.client.HTTPResponse:
    """An answer as it comes, with nothing followed."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("GET", path, headers=heads)
    answer = connection.getresponse()
    answer.text = answer.read().decode("utf-8", "replace")  # type: ignore[attr-defined]
    connection.close()
    return answer


def cookie_of(server: Served) -> str:
    given = ask(server, f"/?token={server.token}").getheader("Set-Cookie", "")
    return given.partition(";")[0].partition("=")[2]


def test_without_the_token_nothing_is_handed_out(served: Served) -> None:
    own = {"port": str(served.port), "cookie": cookie_of(served), "token": served.token}
    for path in ASKED:
        for heads in HEADS:
            refused = ask(
                served, path, **{name: text.format(**own) for name, text in heads.items()}
            )
            assert refused.status == 401
            assert "需要令牌" in refused.text  # type: ignore[attr-defined]
            assert "A token is needed" in refused.text  # type: ignore[attr-defined]
    assert ask(served, f"/?{'a=1&' * 2000}token=x").status == 401
    for wrong in ("", "x", served.token[:-1], served.token + "0", "%ff", "令"):
        assert ask(served, f"/?token={wrong.encode('unicode_escape').decode()}").status == 401


@pytest.mark.parametrize("heads", HEADS)
def test_without_the_token_no_page_is_connected(served: Served, heads: dict[str, str]) -> None:
    own = {"port": str(served.port), "cookie": cookie_of(served), "token": served.token}
    with pytest.raises(exceptions.InvalidStatus, match="401"):
        Client(
            served,
            additional_headers={name: text.format(**own) for name, text in heads.items()},
        )


def test_the_first_visit_gives_a_cookie_and_an_address_without_the_token(served: Served) -> None:
    first = ask(served, f"/?token={served.token}")
    assert (first.status, first.getheader("Location")) == (303, "./")
    cookie, *rules = first.getheader("Set-Cookie", "").split("; ")
    assert set(rules) == {"Path=/", "HttpOnly", "SameSite=Strict"}
    assert cookie.startswith(f"{cookie_name(served.port)}=")
    assert served.token not in cookie
    for path in ("/", "/static/main.js", "/font.otf"):
        assert ask(served, path, Cookie=f"a=b; {cookie}; c=d").status == 200
    client = Client(served, additional_headers={"Cookie": cookie})
    with client.socket:
        assert client.hear("hello")


def test_every_refusal_has_the_heads_of_safety(served: Served) -> None:
    token = {"Authorization": f"token {served.token}"}
    answers = [
        (401, ask(served, "/")),
        (403, ask(served, "/", Host="elsewhere.example")),
        (403, ask(served, "/", Origin="http://elsewhere.example")),
        (404, ask(served, "/none", **token)),
        (400, ask(served, "/", Host="")),
    ]
    for status, answer in answers:
        assert answer.status in (status, 403)
        heads = {name.lower(): value for name, value in answer.getheaders()}
        assert "default-src 'none'" in heads["content-security-policy"]
        assert "frame-ancestors 'none'" in heads["content-security-policy"]
        assert heads["x-content-type-options"] == "nosniff"
        assert heads["referrer-policy"] == "no-referrer"
        assert heads["cross-origin-resource-policy"] == "same-origin"
        assert "elsewhere" not in heads["content-security-policy"]


def test_each_start_has_a_token_of_its_own() -> None:
    assert len({Token().text for _ in range(20)}) == 20
    assert len(Token().text) >= 32


@pytest.mark.parametrize("text", ["", "short", "with a space in it", "令牌令牌令牌令牌", "x" * 300])
def test_a_token_that_cannot_stand_in_an_address_is_refused(text: str) -> None:
    with pytest.raises(RunError, match=r"--token: found \d+ characters; allowed: 8 to 200"):
        Token(text)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--token", "a b"], "--token: found 3 characters"),
        (["--no-token", "--token", "long-enough-1"], "give one of the two"),
        (["--no-token", "--address", "0.0.0.0"], "of this machine alone"),
        (["--public-url", "nowhere"], "--public-url: found 'nowhere'"),
    ],
)
def test_what_cannot_be_is_one_message(words: list[str], said: str) -> None:
    ended = CliRunner().invoke(app, ["dashboard", "--scenario", str(SMALL), *words])
    assert ended.exit_code == 2
    assert said in " ".join(ended.output.split())


def test_the_page_of_a_refusal_lets_in_whoever_has_the_token(browser: Any, served: Served) -> None:
    page = Page(browser, f"{served.origin}/", wait=False)
    page.page.fill("#token", "wrong-token")
    page.page.keyboard.press("Enter")
    page.page.wait_for_url("**/?token=wrong-token")
    assert "A token is needed" in page.page.inner_text("body")
    page.page.fill("#token", served.token)
    page.page.keyboard.press("Enter")
    page.page.wait_for_selector(".cell")
    assert page.page.url == f"{served.origin}/"
    page.context.close()


def test_a_link_on_another_site_leads_to_the_page(browser: Any, served: Served) -> None:
    """A browser brings a strict cookie only once the page itself asks."""
    page = Page(browser, "about:blank", wait=False)
    for address in (served.url, f"{served.origin}/"):
        page.page.goto(f"http://localhost:{served.port}/static/main.js")  # another site: refused
        page.page.evaluate("url => { location.href = url; }", address)
        page.page.wait_for_selector(".cell")
        assert page.page.url == f"{served.origin}/"
    page.context.close()


def test_a_page_that_is_open_over_a_restart_says_what_to_do(browser: Any, kept: Path) -> None:
    port = free_port()
    server = Served(kept, port=port)
    page = Page(browser, server.url)
    page.page.uncheck("#auto")
    page.set("talent_subsidy", "9")
    server.stop()
    page.page.wait_for_selector("#notice:has-text('The connection to the program is lost')")
    again = Served(kept, port=port)
    try:
        page.page.wait_for_selector("#notice:has-text('has a new token')")
        other = page.context.new_page()
        other.goto(again.url)
        other.wait_for_selector(".cell")
        page.page.wait_for_selector("#notice", state="hidden")
        assert page.page.input_value('[data-key="talent_subsidy"] input.number') == "9"
        page.context.close()
    finally:
        again.stop()


def test_with_a_token_of_ones_own_a_cookie_outlives_the_server() -> None:
    one, same, other = Token("mine-since-spring"), Token("mine-since-spring"), Token()
    heads = {"cookie": [one.cookie(8866, "/", False).partition(";")[0]]}
    assert same.is_in_heads(heads, 8866)
    assert not same.is_in_heads(heads, 8867)
    assert not other.is_in_heads(heads, 8866)


def test_without_a_token_by_choice_the_page_is_open(kept: Path) -> None:
    server = Served(kept, "--no-token")
    try:
        assert server.url == f"{server.origin}/"
        assert ask(server, "/").status == 200
        assert ask(server, "/", Host="elsewhere.example").status == 403
        with Client(server, additional_headers={}).socket:
            pass
    finally:
        server.stop()
