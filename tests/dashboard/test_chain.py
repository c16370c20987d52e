"""Why: the page's chain of causes is the one of ``pudong explain``, for the page's scenario."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from sim.analysis.explain import explain
from sim.analysis.finished import read_finished
from sim.analysis.interval import percent
from sim.report.explanation_table import sentences
from tests.dashboard.pages import DONE, Client, Served

CELL = '[id="cell-pilot_projects.north_bank"]'
LEVERS = [{"lever": "scenario_funding", "value": 10}]


def test_the_causes_behind_a_cell_are_traced_and_drawn_in_the_page_s_language(opened: Any) -> None:
    page = opened(locale="zh-CN")
    page.set("scenario_funding", "10")
    page.run()
    page.page.click(CELL)
    page.page.click("#trace")
    page.page.wait_for_selector("#chain-picture")
    page.page.wait_for_selector("#status:has-text('原因已追溯')")
    said = page.page.inner_text("#chain")
    chance = page.page.inner_text(f"{CELL} .p")
    assert "北岸「示范项目」到 2026-03 达标" in said
    assert f"概率为 {chance}（" in said
    assert "推动最大的措施" in said
    drawn = page.page.evaluate("document.getElementById('chain-picture').naturalWidth")
    assert drawn > 500
    page.page.click('[data-language="en"]')
    assert "Measures that push most" in page.page.inner_text("#chain")
    assert (
        page.saved('[data-export="chain.svg"]').name
        == "what_if-chain-pilot_projects-north_bank.svg"
    )


def test_a_chain_goes_when_its_scenario_or_its_cell_does(opened: Any) -> None:
    page = opened()
    page.page.click(CELL)
    page.page.click("#trace")
    page.page.wait_for_selector("#chain")
    page.page.click('[id="cell-battery_output.district"]')
    assert page.page.locator("#chain").count() == 0
    page.page.click(CELL)
    assert page.page.locator("#chain").count() == 1
    page.set("rd_subsidy", "40")
    assert page.page.locator("#chain").count() == 0


def test_tracing_is_cancelled(opened: Any) -> None:
    page = opened()
    page.set("talent_subsidy", "20")
    clicks = "['trace', 'cancel'].forEach(id => document.getElementById(id).click())"
    page.page.evaluate(f"() => {clicks}")
    page.page.wait_for_selector("text=Cancelled")
    page.page.wait_for_selector(DONE)
    assert page.page.locator("#chain").count() == 0


def test_the_chain_is_the_one_that_the_command_finds(served: Served, kept: Path) -> None:
    client = Client(served)
    with client.socket:
        scenario = client.hear("hello")["scenario"] | {"id": "chained", "levers": LEVERS}
        client.brief(kind="html", language="en", scenario=scenario)
        for zone, target in (("district", "smart_turnover"), ("north_bank", "pilot_projects")):
            client.tell(type="look", zone=zone, target=target)
            found = client.work("why", runs=20, scenario=scenario)
            (folder,) = kept.glob("chained-*")
            finished = read_finished(folder)
            wanted = sentences(explain(finished, target, zone), finished.inputs.plan)
            assert found["lines"] == [line.model_dump() for line in wanted]


def test_a_chain_says_the_board_s_probability_whatever_was_run_before(served: Served) -> None:
    levers = [{"lever": "scenario_funding", "value": 8}]
    client = Client(served)
    with client.socket:
        scenario = client.hear("hello")["scenario"] | {"levers": levers}
        client.tell(type="look", zone="district", target="pilot_projects")
        client.tell(type="why", run=1, runs=60, scenario=scenario)
        board = None
        while (message := client.hear("results", "chain"))["type"] != "chain":
            board = message["cells"] if message.get("run") == 1 else board
    assert board is not None
    (cell,) = (c for c in board if (c["zone"], c["target"]) == ("district", "pilot_projects"))
    assert cell["what_if"] != cell["base"]
    assert f"probability {percent(cell['what_if'])} (" in message["lines"][0]["en"]


def test_a_chain_that_was_traced_is_in_the_briefing(served: Served, kept: Path) -> None:
    client = Client(served)
    with client.socket:
        levers = [{"lever": "talent_subsidy", "value": 12}]
        scenario = client.hear("hello")["scenario"] | {"id": "traced", "levers": levers}
        client.tell(type="look", zone="north_bank", target="pilot_projects")
        client.work("why", runs=60, scenario=scenario)
        page = client.brief(kind="html", language="en", scenario=scenario).decode()
    (folder,) = kept.glob("traced-*")
    finished = read_finished(folder)
    wanted = sentences(explain(finished, "pilot_projects"), finished.inputs.plan)
    assert "Pilot projects: what moves it" in page
    assert all(escape(line.en) in page for line in wanted[1:])


def test_where_no_chain_leads_it_is_said(served: Served) -> None:
    client = Client(served)
    with client.socket:
        scenario = client.hear("hello")["scenario"]
        client.tell(type="look", zone="district", target="all")
        assert "give one target" in client.work("why", scenario=scenario)["text"]
        client.tell(type="look", zone="airfield", target="pilot_projects")
        assert "has no part" in client.work("why", scenario=scenario)["text"]
        client.tell(type="export", what="chain", kind="png", language="zh")
        assert "no chain of causes" in client.hear("problem", "file")["text"]
