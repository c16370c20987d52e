"""Why somebody is not let in, as a plain page in both languages that says what to do."""

from __future__ import annotations

import base64
import hashlib
import html
from dataclasses import dataclass
from pathlib import Path
from string import Template

from starlette.responses import HTMLResponse

from sim.errors import shown_text

PAGE = (Path(__file__).parent / "refused.html").read_text(encoding="utf-8")
STYLE = PAGE[PAGE.index("<style>") + len("<style>") : PAGE.index("</style>")]
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
FORM = Template(
    '<form method="get" action="$top"><label for="token">令牌 <span lang="en">Token</span></label>'
    '<input id="token" name="token" type="password" autocomplete="off" required>'
    '<button type="submit">进入 <span lang="en">Open</span></button></form>'
)
AGAIN = '<meta http-equiv="refresh" content="0; url=./">'


@dataclass(frozen=True)
class Refusal:
    """One reason.

    Attributes:
        status: of HTTP.
        zh, en: title and paragraphs; ``$host`` is the name that was asked for, ``$port`` the
            server's port.
    """

    status: int
    zh: tuple[str, ...]
    en: tuple[str, ...]

    def response(self, host: str, port: int, path: str = "/", again: bool = False) -> HTMLResponse:
        """The page.

        Args:
            host, port: what was asked for, and where the server listens.
            path: that was asked for, from which the form finds the top.
            again: ask once more at once; on its way from elsewhere a browser brings no cookie.
        """
        names = {"host": html.escape(shown_text(host)), "port": str(port)}
        parts = {}
        for language, (title, *lines) in (("zh", self.zh), ("en", self.en)):
            parts[f"title_{language}"] = title
            text = "".join(f"<p>{line}</p>" for line in lines)
            parts[f"text_{language}"] = Template(text).substitute(names)
        top = "../" * (path.count("/") - 1) or "./"
        form = FORM.substitute(top=top) if self is TOKEN else ""
        page = Template(PAGE).substitute(parts, form=form, again=AGAIN if again else "")
        heads = {"www-authenticate": "Bearer"} if self.status == 401 else {}
        return HTMLResponse(page, self.status, {"cache-control": "no-store"} | heads)


TOKEN = Refusal(
    401,
    (
        "需要令牌",
        "请在运行 <code>pudong dashboard</code> 的终端里找到启动时显示的网址"
        "（末尾为 <code>?token=…</code>），打开它，或把其中的令牌粘贴在下面。",
        "程序每次启动都会更换令牌；要固定令牌，启动时加 <code>--token</code>。",
    ),
    (
        "A token is needed",
        "Open the address that the terminal showed when <code>pudong dashboard</code> was started "
        "(it ends in <code>?token=…</code>), or paste the token from it below.",
        "Each start makes a new token; <code>--token</code> keeps one.",
    ),
)
NAME = Refusal(
    403,
    (
        "不能用这个地址访问",
        "收到的地址是 <code>$host</code>，而本程序只接受自己的地址，以防其他网站冒用。",
        "请打开终端里显示的网址。如果经过反向代理访问，启动时请用 "
        "<code>--public-url</code> 写明浏览器里看到的完整地址。",
    ),
    (
        "Not by this address",
        "This page was asked for as <code>$host</code>. It answers to its own address alone, so "
        "that no other site can pose as it.",
        "Open the address that the terminal shows. Behind a reverse proxy, start the program with "
        "<code>--public-url</code> and the whole address that the browser shows.",
    ),
)
PORT = Refusal(
    403,
    (
        "端口不一致",
        "收到的地址是 <code>$host</code>，而本程序的端口是 $port。",
        "如果使用 SSH 隧道，请让两端端口相同：<code>ssh -L $port:127.0.0.1:$port 主机</code>；"
        "或者启动时加 <code>--public-url http://$host/</code>。",
    ),
    (
        "Another port",
        "This page was asked for as <code>$host</code>, but the program listens at port $port.",
        "Through an SSH tunnel, use the same port at both ends: "
        "<code>ssh -L $port:127.0.0.1:$port MACHINE</code>; or start the program with "
        "<code>--public-url http://$host/</code>.",
    ),
)
ORIGIN = Refusal(
    403,
    ("来自其他网站的请求", "只有本程序自己的页面可以请求这里。请打开终端里显示的网址。"),
    (
        "Asked for by another site",
        "Only the program's own page may ask here. Open the address that the terminal shows.",
    ),
)
BUSY = Refusal(
    503,
    ("请求过多", "同时处理的请求已达上限，请稍后重新打开。"),
    ("Too many at once", "The program answers as many as it can; open the page again in a moment."),
)
