"""The page of the small district: a server as the command starts it, and a browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.dashboard.pages import Page, Served
from tests.dashboard.proxy import NAME

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


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

    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(
            "no Chromium on this machine; 'make browser' installs it, or name one: CHROMIUM=…"
        )
    with sync_api.sync_playwright() as playwright:
        arguments = [f"--host-resolver-rules=MAP {NAME} 127.0.0.1"]
        arguments += ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        chromium = playwright.chromium.launch(executable_path=found, args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser: Any, served: Served) -> Iterator[Any]:
    """Opens pages; at the end none of them has complained or asked anybody else."""
    shown: list[Page] = []

    def open_page(server: Served = served, **options: Any) -> Page:
        shown.append(Page(browser, server.url, **options))
        shown[-1].page.uncheck("#auto")
        return shown[-1]

    yield open_page
    for page in shown:
        page.context.close()
        assert not page.faults
        hosts = {url.split("/")[2] for url in page.asked if not url.startswith(("data:", "blob:"))}
        assert hosts == {page.host}
