"""The page of the small district: a server as the command starts it, a browser, a bare client."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BASE_RUNS = "100"


class Served:
    """A dashboard in a process of its own."""

    def __init__(self, folder: Path, *more: str) -> None:
        command = [sys.executable, "-c", "from sim.cli import app; app()", "dashboard"]
        scenario = ROOT / "tests" / "small_district" / "scenario.yaml"
        command += ["--scenario", str(scenario), "--port", "0", "--base-runs", BASE_RUNS]
        command += ["--workers", "2", "--out", str(folder), *more]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().split()[0]
        self.host = self.url.removeprefix("http://")

    def stop(self) -> int:
        self.process.terminate()
        with self.process:  # closes its pipe
            return self.process.wait(timeout=20)


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the base's runs are kept, for all servers of these tests."""
    return tmp_path_factory.mktemp("dashboard")


@pytest.fixture(scope="session")
def served(kept: Path) -> Iterator[Served]:
    server = Served(kept)
    yield server
    server.stop()


@pytest.fixture(scope="module")  # while it is open no other test's event loop can run
def browser() -> Iterator[Any]:
    """A browser of this machine: Chromium by its usual names, or the one that CHROMIUM names."""
    from playwright import sync_api  # in the dev group: only the browser itself may be missing

    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(
            "no Chromium on this machine; 'make browser' installs it, or name one: CHROMIUM=…"
        )
    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        chromium = playwright.chromium.launch(executable_path=found, args=arguments)
        yield chromium
        chromium.close()
