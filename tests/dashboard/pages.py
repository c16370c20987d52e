"""A server as the command starts it, a page in a browser, and a page without one."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

ROOT = Path(__file__).parents[2]
SMALL = ROOT / "tests" / "small_district" / "scenario.yaml"
BASE_RUNS = "100"
DONE = "#cancel[disabled]"  # nothing is under way

sync_client = pytest.importorskip("websockets.sync.client")


class Served:
    """A dashboard in a process of its own."""

    def __init__(self, folder: Path, *more: str, port: int = 0) -> None:
        command = [sys.executable, "-c", "from sim.cli import app; app()", "dashboard"]
        command += ["--scenario", str(SMALL), "--port", str(port), "--base-runs", BASE_RUNS]
        command += ["--workers", "2", "--out", str(folder), *more]
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=self._log, text=True
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().split()[0]
        parts = urlsplit(self.url)
        self.port = port or int(parts.netloc.rpartition(":")[2])
        self.host = f"127.0.0.1:{self.port}"
        self.origin = f"http://{self.host}"
        self.token = parse_qs(parts.query).get("token", [""])[0]

    @property
    def heads(self) -> dict[str, str]:
        """With which a program is let in."""
        return {"Authorization": f"token {self.token}"}

    def ask(self, path: str = "/", **heads: str) -> Any:
        """An answer over HTTP, also where it is a refusal; for ``with``."""
        asked = urllib.request.Request(self.origin + path, headers=self.heads | heads)
        try:
            return urllib.request.urlopen(asked)
        except urllib.error.HTTPError as refused:
            return refused

    def complaints(self) -> str:
        """What it has said beside the page's address."""
        self._log.seek(0)
        return self._log.read()

    def stop(self) -> int:
        self.process.terminate()
        with self.process, self._log:  # closes its pipe
            return self.process.wait(timeout=20)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


class Client:
    """A page without a browser."""

    def __init__(self, server: Served, **options: Any) -> None:
        options = {
            "origin": server.origin,
            "max_size": None,
            "additional_headers": server.heads,
        } | options
        self.socket = sync_client.connect(f"ws://{server.host}/live", proxy=None, **options)

    def tell(self, **message: Any) -> None:
        self.socket.send(json.dumps(message))

    def hear(self, *kinds: str) -> dict[str, Any]:
        """The next message of one of these kinds."""
        while True:
            message: dict[str, Any] = json.loads(self.socket.recv(timeout=60))
            if message["type"] in kinds:
                return message

    def work(self, what: str, **message: Any) -> dict[str, Any]:
        """Ask for work and hear its last message."""
        self.tell(type=what, run=1, **message)
        while True:
            found = self.hear("results", "chain", "file", "problem", "stopped")
            if found["type"] != "results" or found.get("finished"):
                return found

    def brief(self, **message: Any) -> bytes:
        found = self.work("brief", **message)
        assert found["type"] == "file", found
        return base64.b64decode(found["data"])


class Page:
    """A page in a context of its own, with what it asked for and complained about."""

    def __init__(
        self,
        browser: Any,
        url: str,
        *,
        listen: Callable[[Any], object] | None = None,
        wait: bool = True,
        **options: Any,
    ) -> None:
        options = {"locale": "en-GB", "viewport": {"width": 1280, "height": 900}} | options
        self.host = urlsplit(url).netloc
        self.context = browser.new_context(accept_downloads=True, **options)
        self.page = self.context.new_page()
        self.asked: list[str] = []
        self.faults: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("websocket", lambda socket: self.asked.append(socket.url))
        if listen is not None:
            heard = lambda frame: listen(json.loads(frame))  # noqa: E731
            self.page.on("websocket", lambda socket: socket.on("framereceived", heard))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._heard)
        self.page.goto(url)
        if wait:
            self.page.wait_for_selector(".cell")

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(message.text)

    def set(self, key: str, value: str) -> None:
        self.page.locator(f'[data-key="{key}"] input.number').fill(value)
        self.page.keyboard.press("Tab")

    def run(self) -> None:
        self.page.click("#run")  # at once there is something to cancel, until the run is over
        self.page.wait_for_selector(DONE)

    def chance(self, target: str, zone: str = "district") -> int:
        shown = self.page.inner_text(f'[id="cell-{target}.{zone}"] .p')
        return int(shown.strip(" %<>"))

    def saved(self, press: str) -> Path:
        with self.page.expect_download() as download:
            self.page.click(press)
        path = Path(download.value.path())
        return path.rename(path.with_name(download.value.suggested_filename))
