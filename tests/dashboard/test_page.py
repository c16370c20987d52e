"""The page in a real browser: a planner moves a lever and sees the probabilities move."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import yaml
from typer.testing import CliRunner

from sim.analysis.interval import interval, percent
from sim.cli import app
from tests.dashboard.pages import DONE, ROOT

DISTRICT = ROOT / "tests" / "small_district"


def test_more_money_for_pilot_projects_makes_them_likelier(opened: Any) -> None:
    page = opened()
    page.page.wait_for_selector("text=/Baseline: 100 runs/")
    before = page.chance("pilot_projects")
    page.set("scenario_funding", "10")
    page.run()
    assert page.chance("pilot_projects") > before + 10
    assert "↑" in page.page.inner_text('[id="cell-pilot_projects.district"]')
    assert "Scenario funding" in page.page.inner_text("#settings")
    total = page.page.locator("#costs tr.all td").all_inner_texts()
    assert total[2].startswith("+")


def test_a_measure_that_is_switched_off_takes_its_target_along(opened: Any) -> None:
    page = opened()
    page.page.wait_for_selector("text=/Baseline: 100 runs/")
    before = page.chance("battery_output")
    page.page.click('[data-part="group-firms_first"] > summary')
    page.page.uncheck('[data-key="measure.battery_halls"] input[role=switch]')
    page.run()
    assert page.chance("battery_output") < before


def test_a_slider_moves_by_keys_and_runs_by_itself(opened: Any) -> None:
    page = opened()
    page.page.check("#auto")
    page.page.focus('[data-key="talent_subsidy"] input[type=range]')
    page.page.keyboard.press("End")
    page.page.wait_for_selector('[data-key="talent_subsidy"].changed')
    page.page.wait_for_selector(".shift")
    page.page.wait_for_selector(DONE)
    assert page.page.input_value('[data-key="talent_subsidy"] input.number') == "30"


def test_a_cancelled_run_stops_and_the_next_one_runs(opened: Any) -> None:
    page = opened()
    page.set("rd_subsidy", "50")
    # in one go, before the run can be over
    page.page.evaluate("() => ['run', 'cancel'].forEach(id => document.getElementById(id).click())")
    page.page.wait_for_selector("text=Cancelled")
    assert float(page.page.get_attribute("#progress", "value") or 0) < 100
    page.run()
    assert float(page.page.get_attribute("#progress", "value") or 0) == 100


def test_a_saved_scenario_is_valid_and_comes_back_as_it_was(opened: Any) -> None:
    page = opened()
    page.set("talent_subsidy", "12")
    page.page.click('[data-part="zones-talent_subsidy"] > summary')
    page.set("talent_subsidy.airfield", "3")
    page.page.click('[data-part="departments"] > summary')
    page.set("department.people_office", "2")
    page.page.click('[data-part="shocks"] > summary')
    page.page.click("#add-shock")
    page.page.fill("#name-zh", "试一试")
    page.page.fill("#name-en", "A try: more people")
    file = page.saved("#save")
    held = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert held["name"] == {"zh": "试一试", "en": "A try: more people"}
    assert [setting["value"] for setting in held["levers"]] == [12, 3, 2]

    for name in ("plan.yaml", "economy.yaml"):
        (file.parent / name).write_bytes((DISTRICT / name).read_bytes())
    assert CliRunner().invoke(app, ["validate", str(file)]).exit_code == 0

    other = opened()
    other.page.set_input_files("#load", file)
    other.page.wait_for_selector('[data-key="talent_subsidy"].changed')
    other.page.wait_for_selector(DONE)
    again = other.saved("#save")
    assert yaml.safe_load(again.read_text(encoding="utf-8")) == held


def test_the_language_is_switched_and_nothing_is_lost(opened: Any) -> None:
    page = opened()
    page.set("talent_subsidy", "9")
    page.page.click('[data-language="zh"]')
    assert page.page.inner_text("#run") == "模拟"
    assert page.page.get_attribute("html", "lang") == "zh"
    assert "人才补贴" in page.page.inner_text("#settings")
    assert page.page.input_value('[data-key="talent_subsidy"] input.number') == "9"
    page.page.click('[data-language="en"]')
    assert page.page.inner_text("#run") == "Run"


def test_chinese_text_is_set_in_the_font_that_the_server_brings(opened: Any) -> None:
    page = opened(locale="zh-CN")
    loaded = [face for face in page.asked if face.endswith("/font.otf")]
    assert loaded
    assert page.page.evaluate("() => document.fonts.check('15px \"Noto Sans SC GB2312\"', '浦东')")


def test_rare_characters_have_fonts_that_are_loaded_when_they_are_needed(opened: Any) -> None:
    page = opened(locale="zh-CN")
    assert not [face for face in page.asked if "/fonts/" in face]
    load = "async sign => (await document.fonts.load('15px \"Noto Sans SC More\"', sign)).length"
    assert [page.page.evaluate(load, sign) for sign in "㎡堃镕𠮷"] == [1, 1, 1, 1]
    assert len([face for face in page.asked if "/fonts/" in face]) == 3


@pytest.mark.parametrize("typed", ["99", "-1", "lots"])
def test_a_value_outside_its_bounds_is_said_and_what_was_typed_stays(
    opened: Any, typed: str
) -> None:
    page = opened()
    page.set("talent_subsidy", "7")
    page.set("talent_subsidy", typed)
    fault = page.page.locator('[data-key="talent_subsidy"] .fault')
    assert "7 still holds" in fault.inner_text()
    assert page.page.input_value('[data-key="talent_subsidy"] input.number') == typed
    assert "7 × 10,000 CNY" in page.page.inner_text("#settings")


def test_tables_and_pictures_are_handed_over(opened: Any) -> None:
    page = opened()
    table = page.saved('[data-export="table.csv"]').read_text(encoding="utf-8-sig")
    assert table.startswith("zone,zone_zh")
    with ZipFile(page.saved('[data-export="table.xlsx"]')) as book:
        assert "xl/worksheets/sheet1.xml" in book.namelist()
    assert page.saved('[data-export="board.png"]').read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in page.saved('[data-export="fan.svg"]').read_bytes()


def test_the_page_rounds_as_tables_and_briefings_do(opened: Any) -> None:
    page = opened()
    shares = [n / 2000 for n in range(2001)] + [n / 777 for n in range(778)]
    script = """async (shares) => {
      const { percent, interval } = await import("/static/words.js");
      return shares.map((share) => [percent(share), interval(share, share)]);
    }"""
    found = page.page.evaluate(script, shares)
    assert found == [[percent(share), interval(share, share)] for share in shares]


def test_a_scenario_with_another_end_is_refused_with_the_way_to_it(
    opened: Any, tmp_path: Path
) -> None:
    page = opened()
    held = yaml.safe_load(page.saved("#save").read_text(encoding="utf-8"))
    longer = yaml.safe_dump(held | {"id": "longer", "plan_end": "2027-06"}, allow_unicode=True)
    (tmp_path / "longer.yaml").write_text(longer, encoding="utf-8")
    page.page.set_input_files("#load", tmp_path / "longer.yaml")
    page.page.wait_for_selector("#notice:has-text('found \\'2027-06\\'')")
    assert "pudong dashboard --scenario FILE" in page.page.inner_text("#notice")


def test_two_pages_at_once_see_their_own_scenario_alone(opened: Any) -> None:
    one, other = opened(), opened()
    one.set("scenario_funding", "10")
    other.set("rent_relief", "0.5")
    one.page.click("#run")
    other.page.click("#run")
    for page in (one, other):
        page.page.wait_for_selector(DONE)
        page.page.wait_for_selector("text=/100 runs in/")
    assert "Rent relief" not in one.page.inner_text("#settings, #costs")
    assert one.chance("pilot_projects") > other.chance("pilot_projects")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x" * 300_000, "300000 bytes"),
        ("id: a\nname: !!python/object/apply:os.system [ls]\n", "allowed: plain values only"),
        ("a: [1, 2\n", "is not valid YAML"),
        ("just words", "the file must hold fields"),
    ],
    ids=["oversized", "tags", "broken", "words"],
)
def test_a_bad_file_is_refused_with_one_message_and_the_page_stays(
    opened: Any, tmp_path: Path, text: str, said: str
) -> None:
    page = opened()
    page.set("talent_subsidy", "9")
    (tmp_path / "bad.yaml").write_text(text, encoding="utf-8")
    page.page.set_input_files("#load", tmp_path / "bad.yaml")
    page.page.wait_for_selector(f"#notice:has-text({json.dumps(said)})")
    assert page.page.input_value('[data-key="talent_subsidy"] input.number') == "9"


@pytest.mark.parametrize("language", ["zh-CN", "en-GB"])
def test_a_telephone_shows_the_page_without_scrolling_sideways(opened: Any, language: str) -> None:
    page = opened(locale=language, viewport={"width": 390, "height": 844})
    page.set("scenario_funding", "10")
    page.run()
    assert page.page.evaluate("() => document.documentElement.scrollWidth") == 390
    page.page.select_option("#zone", "airfield")
    assert page.page.locator('[id="cell-battery_output.airfield"]').is_visible()
    assert not page.page.locator('[id="cell-battery_output.district"]').is_visible()
