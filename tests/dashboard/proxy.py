"""A reverse proxy on loopback, as small as one can be: by https, below a path of its own."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
import threading
from pathlib import Path

import pytest

NAME = "hub.example.org"  # which the tests' browser looks for on this machine


class Proxy:
    """Shows what listens at ``target`` below ``base``; a context manager.

    Attributes:
        strips: whether it takes its path off.
        keeps_host: whether it passes the browser's Host on, or gives the target's own.
    """

    def __init__(self, folder: Path, base: str) -> None:
        self.base, self.target = base, 0
        self.strips = self.keeps_host = True
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate(folder))
        self._loop = asyncio.new_event_loop()
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,))
        self._thread.start()
        started.wait(timeout=20)
        self.url = f"https://{NAME}:{self.port}{base}"

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=20)

    def _run(self, started: threading.Event) -> None:
        async def serve() -> None:
            self._stop = asyncio.Event()
            at = await asyncio.start_server(self._answer, "127.0.0.1", 0, ssl=self._context)
            self.port = at.sockets[0].getsockname()[1]
            started.set()
            await self._stop.wait()
            at.close()
            others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        self._loop.run_until_complete(serve())
        self._loop.close()

    async def _answer(self, page: asyncio.StreamReader, to_page: asyncio.StreamWriter) -> None:
        to_server: asyncio.StreamWriter | None = None
        try:
            head = (await page.readuntil(b"\r\n\r\n")).decode("latin-1")
            (method, path, version), *lines = (
                head.split("\r\n")[0].split(" "),
                *(line.partition(": ")[::2] for line in head.split("\r\n")[1:] if line),
            )
            assert path.startswith(self.base)
            if self.strips:
                path = path[len(self.base) - 1 :]
            heads = {name.lower(): value for name, value in lines}
            if not self.keeps_host:
                heads["host"] = f"127.0.0.1:{self.target}"
            if "upgrade" not in heads:
                heads["connection"] = "close"
            text = f"{method} {path} {version}\r\n"
            text += "".join(f"{name}: {value}\r\n" for name, value in heads.items()) + "\r\n"
            server, to_server = await asyncio.open_connection("127.0.0.1", self.target)
            to_server.write(text.encode("latin-1"))
            await asyncio.gather(_pipe(page, to_server), _pipe(server, to_page))
        except (OSError, EOFError):
            pass
        finally:
            for writer in (to_page, to_server):
                if writer is not None:
                    writer.close()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()


def certificate(folder: Path) -> Path:
    """One that nobody has signed, with its key."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on this machine, which makes the proxy's certificate")
    file = folder / "proxy.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    made += ["-subj", f"/CN={NAME}", "-keyout", str(file), "-out", str(folder / "own.pem")]
    subprocess.run(made, check=True, capture_output=True)
    file.write_bytes(file.read_bytes() + (folder / "own.pem").read_bytes())
    return file
