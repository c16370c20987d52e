"""Five planners at once: each gets the numbers that he gets alone, and none waits for another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from threading import Thread
from typing import Any

import pytest

from tests.dashboard.pages import DONE, Client, Served

RUNS = 200
LEVERS: list[dict[str, Any]] = [
    {"lever": "scenario_funding", "value": 10},
    {"lever": "rent_relief", "value": 0.5},
    {"lever": "talent_subsidy", "value": 9},
    {"lever": "rd_subsidy", "value": 20},
    {"lever": "department_capacity", "value": 2},
]
BROWSERS = 2  # of the five; the others are bare clients


@pytest.fixture(scope="module")
def roomy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that takes five pages, with as many runs of its base as keep them all busy."""
    folder = tmp_path_factory.mktemp("five")
    server = Served(folder, "--pages", "5", "--base-runs", str(RUNS))
    client = Client(server)
    with client.socket:
        while (message := client.hear("results"))["base_done"] < RUNS:
            assert message["base_total"] == RUNS
    yield server
    server.stop()


def ask(client: Client, lever: dict[str, Any]) -> list[dict[str, Any]]:
    """What a page hears of its what-if, from the first numbers to the last."""
    scenario = client.hear("hello")["scenario"] | {"id": "own", "levers": [lever]}
    client.tell(type="run", run=1, runs=RUNS, scenario=scenario)
    heard = []
    while not heard or not heard[-1].get("finished"):
        message = client.hear("results", "problem")
        assert message["type"] == "results", message
        if message.get("run") == 1:
            heard.append(message)
    return heard


def alone(server: Served, lever: dict[str, Any]) -> dict[str, Any]:
    client = Client(server)
    with client.socket:
        return ask(client, lever)[-1]


def test_five_at_once_have_the_numbers_of_one_alone_and_share_evenly(
    opened: Any, roomy: Served
) -> None:
    wanted = [alone(roomy, lever) for lever in LEVERS]
    assert len({json.dumps(one["cells"]) for one in wanted}) == len(LEVERS)

    frames: list[list[dict[str, Any]]] = [[] for _ in LEVERS]
    pages = []
    for n, lever in enumerate(LEVERS[:BROWSERS]):
        page = opened(roomy, listen=frames[n].append)
        page.set(lever["lever"], str(lever["value"]))
        page.page.select_option("#runs", str(RUNS))
        pages.append(page)
    clients = [Client(roomy) for _ in LEVERS[BROWSERS:]]
    threads = [
        Thread(target=lambda n=n: frames[n].extend(ask(clients[n - BROWSERS], LEVERS[n])))
        for n in range(BROWSERS, len(LEVERS))
    ]
    with ExitStack() as ending:
        for client in clients:
            ending.enter_context(client.socket)
        sixth = opened(roomy, wait=False)
        sixth.page.wait_for_selector("#notice:has-text('5 pages are open already')")
        for thread in threads:
            thread.start()
        for page in pages:
            page.page.click("#run")
        for page in pages:
            page.page.wait_for_selector(DONE, timeout=120_000)
        for thread in threads:
            thread.join(120)

    for n, one in enumerate(wanted):
        last = [m for m in frames[n] if m["type"] == "results" and m.get("finished")][-1]
        assert (last["pairs"], last["done"]) == (RUNS, RUNS)
        assert last["cells"] == one["cells"]
        assert last["costs"] == one["costs"]
    for page, one in zip(pages, wanted, strict=False):
        (row,) = (c for c in one["cells"] if (c["target"], c["zone"]) == ("all", "district"))
        assert page.chance("all") == max(round(100 * row["what_if"]), 1)

    took = [[m for m in heard if m.get("finished")][-1]["took"] for heard in frames]
    assert min(took) > 0.4 * max(took)  # five in turn would be 1 : 5
    firsts = [next(m for m in heard if m.get("run"))["done"] for heard in frames]
    assert max(firsts) < RUNS / 5

    sixth.page.wait_for_selector(".cell", timeout=20_000)
    assert not sixth.page.locator("#notice").is_visible()


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that takes one page."""
    server = Served(tmp_path_factory.mktemp("single"), "--pages", "1")
    yield server
    server.stop()


def test_a_page_too_many_is_told_so_in_its_language_and_waits(opened: Any, single: Served) -> None:
    first = Client(single)
    with first.socket:
        first.hear("hello")
        page = opened(single, wait=False, locale="zh-CN")
        page.page.wait_for_selector("#notice:has-text('已打开 1 个页面，达到上限')")
    page.page.wait_for_selector(".cell", timeout=20_000)
    assert not page.page.locator("#notice").is_visible()
