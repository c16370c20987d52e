"""A briefing from the page is the one of ``pudong brief``, with the numbers that the page shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docx
import pytest
from rich.console import Console

from sim import forecast
from sim.analysis.finished import sha256_of
from sim.analysis.interval import interval, percent
from sim.analysis.published import read_published
from sim.plan import ALL_TARGETS, DISTRICT
from sim.report.difference_table import points
from sim.report.table import probability_table
from sim.scenario import read_scenario
from tests.dashboard.pages import DONE, SMALL, Served


@pytest.fixture(scope="module")
def forecast_small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("forecast") / "small"
    forecast(read_scenario(SMALL), runs=100, seed=3, out=out)
    return out


@pytest.fixture(scope="module")
def on_forecast(forecast_small: Path, kept: Path) -> Iterator[Served]:
    """A server whose base is a finished forecast."""
    server = Served(kept, "--forecast", str(forecast_small))
    yield server
    server.stop()


def checksums(directory: Path) -> dict[Path, str]:
    return {file: sha256_of(file) for file in directory.rglob("*") if file.is_file()}


def shares(directory: Path) -> dict[tuple[str, str], tuple[str, str]]:
    """Probability and interval of each zone and target, from the JSON alone."""
    rows = json.loads((directory / "summary.json").read_text(encoding="utf-8"))["results"]
    return {
        (row["zone"], row["target"]): (
            percent(row["probability"]),
            interval(row["low"], row["high"]),
        )
        for row in rows
    }


def shown(page: Any) -> dict[tuple[str, str], tuple[str, str]]:
    """Likewise, from what stands in the page's board."""
    cells = page.page.locator(".cell").all()
    found = {}
    for cell in cells:
        target, zone = str(cell.get_attribute("id")).removeprefix("cell-").split(".")
        found[zone, target] = cell.locator(".p").inner_text(), cell.locator(".bounds").inner_text()
    return found


def written(file: Path, directory: Path) -> dict[tuple[str, str], tuple[str, str]]:
    """Likewise, from a Word file's first table."""
    plan = read_published(directory).plan
    rows = docx.Document(str(file)).tables[0].rows[1:]
    targets = [*plan.target_ids(), ALL_TARGETS]
    found = {}
    for target, row in zip(targets, rows, strict=True):
        for zone, cell in zip([DISTRICT, *plan.zone_ids()], row.cells[1:], strict=True):
            if cell.text != "–":
                share, bounds = cell.text.split("\n")
                found[zone, target] = share, bounds
    return found


def folder_of(page: Any, kept: Path) -> Path:
    """The forecast that the page says lies behind its briefing."""
    page.page.wait_for_selector(f"#status:has-text({json.dumps(str(kept))})")
    (name,) = re.findall(rf"{re.escape(str(kept))}/([\w-]+)", page.page.inner_text("#status"))
    return kept / name


def test_one_forecast_s_numbers_are_the_same_in_json_table_page_and_briefing(
    opened: Any, on_forecast: Served, forecast_small: Path
) -> None:
    before = checksums(forecast_small)
    page = opened(on_forecast)
    wanted = shares(forecast_small)
    assert shown(page) == wanted
    assert written(page.saved("[data-brief=docx]"), forecast_small) == wanted
    published = read_published(forecast_small)
    console = Console(width=200)
    with console.capture() as captured:
        console.print(
            probability_table(published.results, published.plan, width=200, language="en")
        )
    terminal = captured.get()
    assert all(share in terminal for share, _ in wanted.values())
    assert checksums(forecast_small) == before


def test_a_what_if_s_briefing_has_the_numbers_that_the_page_then_shows(
    opened: Any, kept: Path
) -> None:
    page = opened()
    page.set("scenario_funding", "10")
    word = page.saved("[data-brief=docx]")
    folder = folder_of(page, kept)
    wanted = shares(folder)
    assert shown(page) == wanted
    assert written(word, folder) == wanted
    assert word.name == "what_if-en.docx"
    against = docx.Document(str(word)).tables[1]
    compared = json.loads((folder / "compare" / "compare.json").read_text(encoding="utf-8"))
    rows = {
        row["target"]: row
        for row in compared["what_ifs"][0]["differences"]
        if row["zone"] == DISTRICT
    }
    plan = read_published(folder).plan
    for target, row in zip([*plan.target_ids(), ALL_TARGETS], against.rows[1:], strict=True):
        found = [cell.text for cell in row.cells]
        assert found[1:3] == [percent(rows[target]["base"]), wanted[DISTRICT, target][0]]
        assert found[3].startswith(points(rows[target]["difference"]))
        told = page.page.locator(f'[id="cell-{target}.district"] .told').count() == 1
        assert (rows[target]["verdict"] != "unclear") == told


def test_a_briefing_is_cancelled_and_its_runs_are_kept(opened: Any) -> None:
    page = opened()
    page.set("rd_subsidy", "40")
    page.page.click("[data-brief=docx]")
    page.page.wait_for_selector("#status:has-text('Writing the briefing')")
    page.page.click("#cancel")
    page.page.wait_for_selector("#status:has-text('Cancelled')")
    page.page.click("[data-brief=docx]")
    with page.page.expect_download():
        pass
    page.page.wait_for_selector(DONE)
