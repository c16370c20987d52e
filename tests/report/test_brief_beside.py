"""What lies beside a forecast gets a section of its own: what was observed, and the baseline."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import docx
import pptx
import pytest

from sim import forecast
from sim.analysis.compare import compare, write_comparison
from sim.analysis.interval import interval, percent
from sim.analysis.observations import Observation
from sim.analysis.observe import condition, read_figures
from sim.analysis.observed import write_observed
from sim.analysis.published import Published, read_published
from sim.errors import RunError
from sim.plan import DISTRICT
from sim.report.brief.compose import compose
from sim.report.brief.document import Brief, Paragraph, Section, Table, Tongue
from sim.report.brief.writers import WRITERS, write
from sim.report.difference_table import points
from sim.scenario import Inputs, LeverSetting, changed, read_scenario
from tests.sealed import rewrite

DAY = date(2026, 11, 24)
RUNS = 200
FIGURE = {
    "id": "turnover_2025",
    "indicator": "smart_turnover",
    "zone": DISTRICT,
    "month": "2025-06",
    "value": 66,
    "unit": "亿元",
    "kind": "exact",
    "noise_sd": 0.1,
    "use": "fit",
    "source_title": "made up for the tests",
    "source_date": "2025-07-01",
}


@pytest.fixture(scope="module")
def twice(small_scenario: Path) -> Inputs:
    """The small scenario with twice the people in one office, and a subsidy in one zone."""
    inputs = read_scenario(small_scenario)
    levers = [
        LeverSetting(lever="department_capacity", value=2.0, departments=["people_office"]),
        LeverSetting(lever="talent_subsidy", value=9, zones=["airfield"], start="2025-01", ramp=3),
    ]
    return changed(inputs, id="twice", levers=levers)


@pytest.fixture(scope="module")
def finished(twice: Inputs, small_scenario: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its forecast, given a figure, and compared with the small scenario."""
    out = tmp_path_factory.mktemp("beside") / "twice"
    answer = forecast(twice, runs=RUNS, seed=1, out=out)
    figures = out.parent / "figures.csv"
    with figures.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(Observation.model_fields), restval="")
        writer.writeheader()
        writer.writerow(FIGURE)
    given = condition(twice, read_figures(figures, twice), answer, seed=1, out=out)
    write_observed(given, twice, 1, out)
    (out.parent / "compare").mkdir()
    base = read_scenario(small_scenario)
    found = compare(base, [twice], runs=RUNS, seed=1)
    write_comparison(found, out.parent / "compare")
    return out


@pytest.fixture(scope="module", params=["zh", "en"])
def language(request: pytest.FixtureRequest) -> Tongue:
    found: Tongue = request.param
    return found


@pytest.fixture(scope="module")
def published(finished: Path) -> Published:
    return read_published(finished)


@pytest.fixture(scope="module")
def brief(published: Published, language: Tongue) -> Brief:
    compared = published.finished.path.parent / "compare"
    return compose(published, language, compare=compared, day=DAY)


def section_of(brief: Brief, zh: str, en: str) -> Section:
    title = zh if brief.language == "zh" else en
    return next(section for section in brief.sections if section.title.endswith(title))


def cells(section: Section) -> list[list[str]]:
    (table,) = (block for block in section.blocks if isinstance(block, Table))
    return [list(row) for row in table.rows]


def text_of(section: Section) -> str:
    return "\n".join(block.text for block in section.blocks if isinstance(block, Paragraph))


def observed_rows(finished: Path) -> list[dict[str, Any]]:
    found = json.loads((finished / "observed.json").read_text(encoding="utf-8"))
    return [row for row in found["results"] if row["zone"] == DISTRICT]


def test_what_was_observed_is_told_with_the_numbers_of_its_file(
    brief: Brief, finished: Path
) -> None:
    section = section_of(brief, "计入已公布数据后的判断", "Given what has been observed")
    wanted = [
        [
            f"{percent(row['before'])} ({interval(row['before_low'], row['before_high'])})",
            f"{percent(row['probability'])} ({interval(row['low'], row['high'])})",
            points(row["probability"] - row["before"]),
        ]
        for row in observed_rows(finished)
    ]
    if brief.language == "zh":
        wanted = [
            [w.replace(" %", "%").replace(" (", "（").replace(")", "）") for w in row]
            for row in wanted
        ]
    assert [row[1:] for row in cells(section)] == wanted
    found = json.loads((finished / "observed.json").read_text(encoding="utf-8"))
    assert f"{found['effective_runs']:,.0f}" in text_of(section)
    assert "66" in text_of(section)
    assert {row[3] for row in cells(section)} != {"0"}


def test_a_what_if_is_held_against_its_baseline_with_the_comparison_s_numbers(
    brief: Brief, finished: Path, published: Published
) -> None:
    section = section_of(brief, "与基准情景相比", "Against the baseline")
    found = json.loads((finished.parent / "compare" / "compare.json").read_text(encoding="utf-8"))
    rows = [row for row in found["what_ifs"][0]["differences"] if row["zone"] == DISTRICT]
    shown = cells(section)
    assert [row[1:3] for row in shown] == [
        [percent(row["base"]), percent(row["what_if"])] for row in rows
    ]
    assert all(
        row[3].startswith(points(r["difference"])) for row, r in zip(shown, rows, strict=True)
    )
    by_target = {row.target: row for row in published.summary.results if row.zone == DISTRICT}
    assert [row[2] for row in shown] == [
        percent(by_target[row["target"]].probability) for row in rows
    ]


def test_a_what_if_s_settings_are_said_with_place_value_and_time(brief: Brief) -> None:
    text = text_of(section_of(brief, "与基准情景相比", "Against the baseline"))
    wanted = {
        "zh": ["人才办", "空港", "：9 万元", "自2025年1月起", "3个月内逐步到位"],
        "en": ["People Office", "Airfield", ": 9 ", "from January 2025", "reached in 3 months"],
    }
    assert all(words in text for words in wanted[brief.language])
    assert "pudong compare" not in "\n".join(text_of(section) for section in brief.sections)


def texts_of(file: Path) -> Iterator[str]:
    """All that a Word file, slides or a web page say, in pieces."""
    if file.suffix == ".docx":
        document = docx.Document(str(file))
        yield from (paragraph.text for paragraph in document.paragraphs)
        yield from (c.text for table in document.tables for row in table.rows for c in row.cells)
    elif file.suffix == ".pptx":
        for slide in pptx.Presentation(str(file)).slides:
            for shape in slide.shapes:
                if shape.has_text_frame:
                    yield shape.text_frame.text
                if shape.has_table:
                    yield from (cell.text for row in shape.table.rows for cell in row.cells)
    else:
        page = re.sub(r"<style>.*?</style>", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
        yield re.sub(r"<[^>]*>", "\n", page).replace("&quot;", '"').replace("&#x27;", "'")


@pytest.mark.parametrize("kind", sorted(WRITERS))
def test_every_kind_of_file_takes_both_sections_up(brief: Brief, kind: str, tmp_path: Path) -> None:
    file = tmp_path / f"brief.{kind}"
    write(brief, file)
    if kind == "pdf":
        assert file.read_bytes().startswith(b"%PDF")
        return
    said = "\n".join(texts_of(file))
    for names in (
        ("计入已公布数据后的判断", "Given what has been observed"),
        ("与基准情景相比", "Against the baseline"),
    ):
        section = section_of(brief, *names)
        assert section.title in said
        for row in cells(section):
            assert all(cell in said for cell in row if "<" not in cell and ">" not in cell)


def test_without_them_neither_section_is_there(finished_small: Path) -> None:
    titles = [
        section.title for section in compose(read_published(finished_small), "en", day=DAY).sections
    ]
    assert not {"Given what has been observed", "Against the baseline"} & set(titles)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda data: data.update(seed=2), "is of seed 2"),
        (lambda data: data.update(runs=100), "is of 100 runs, the forecast of 200"),
        (lambda data: data.pop("results"), "is of another version, or another file"),
    ],
)
def test_observations_of_another_forecast_are_refused(
    finished: Path, spoil: Any, message: str, tmp_path: Path
) -> None:
    file = finished / "observed.json"
    whole = file.read_text(encoding="utf-8")
    try:
        rewrite(file, spoil)
        with pytest.raises(RunError, match=message):
            compose(read_published(finished), "en", day=DAY)
    finally:
        file.write_text(whole, encoding="utf-8")
