"""A briefing opens in every kind of file and says what the forecast says, in both languages."""

from __future__ import annotations

import io
import json
import re
import shutil
from base64 import b64decode
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import docx
import pptx
import pytest
from fontTools.ttLib import TTFont
from pptx.enum.shapes import MSO_SHAPE_TYPE
from rich.console import Console
from typer.testing import CliRunner

from sim.analysis.compare import compare, write_comparison
from sim.analysis.interval import interval, percent
from sim.analysis.published import Published, read_published
from sim.cli import app
from sim.errors import RunError
from sim.plan import ALL_TARGETS, DISTRICT
from sim.report import extra
from sim.report.brief.chances import told
from sim.report.brief.compose import compose
from sim.report.brief.document import Brief, Table, Tongue
from sim.report.brief.writers import WRITERS, write
from sim.report.pictures import Kind, draw
from sim.report.table import probability_table
from sim.scenario import LeverSetting, changed, read_scenario
from tests.sealed import rewrite

DAY = date(2026, 11, 24)
LANGUAGES: tuple[Tongue, ...] = ("zh", "en")
ASIAN = re.compile(r"[\u4e00-\u9fff]")
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


@pytest.fixture(scope="module")
def published(finished_small: Path) -> Published:
    return read_published(finished_small)


@pytest.fixture(scope="module", params=LANGUAGES)
def brief(request: pytest.FixtureRequest, published: Published) -> Brief:
    return compose(published, request.param, day=DAY)


@pytest.fixture(scope="module")
def files(brief: Brief, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("brief")
    for kind in WRITERS:
        write(brief, folder / f"brief.{kind}")
    return {kind: folder / f"brief.{kind}" for kind in WRITERS}


def results(finished: Path) -> list[dict[str, Any]]:
    found = json.loads((finished / "summary.json").read_text(encoding="utf-8"))["results"]
    return [dict(row) for row in found]


def cells_of(finished: Path, published: Published) -> list[list[str]]:
    """Probability and interval of each target (rows) in each zone, from the JSON alone."""
    rows = {(row["zone"], row["target"]): row for row in results(finished)}
    zones = [DISTRICT, *published.plan.zone_ids()]
    return [
        [
            f"{percent(row['probability'])}\n{interval(row['low'], row['high'])}"
            if (row := rows.get((zone, target)))
            else "–"
            for zone in zones
        ]
        for target in [*published.plan.target_ids(), ALL_TARGETS]
    ]


def test_board_table_chart_and_every_document_have_the_numbers_of_the_json(
    brief: Brief, files: dict[str, Path], finished_small: Path, published: Published
) -> None:
    wanted = cells_of(finished_small, published)
    board = next(b for s in brief.sections for b in s.blocks if isinstance(b, Table))
    assert [list(row[1:]) for row in board.rows] == wanted

    word = docx.Document(str(files["docx"])).tables[0]
    assert [[cell.text for cell in row.cells[1:]] for row in word.rows[1:]] == wanted

    slides = pptx.Presentation(str(files["pptx"])).slides
    shown = next(shape for slide in slides for shape in slide.shapes if shape.has_table).table
    assert [[cell.text for cell in list(row.cells)[1:]] for row in list(shown.rows)[1:]] == wanted

    page = files["html"].read_text(encoding="utf-8")
    found = re.findall(r"<td[^>]*>([^<]*)(?:<br><small>([^<]*)</small>)?</td>", page)
    flat = [cell.replace("<", "&lt;").replace(">", "&gt;") for row in wanted for cell in row]
    assert ["\n".join(filter(None, pair)) for pair in found][: len(flat)] == flat

    table = probability_table(published.results, published.plan, width=120, language="en")
    console = Console(width=120)
    with console.capture() as captured:
        console.print(table)
    for row in wanted:
        assert row[0].split("\n")[0] in captured.get()

    drawn = draw(published, Kind.BOARD, language="en").axes[0].texts
    texts = [text.get_text() for text in drawn]
    for row in wanted:
        assert all(cell.split("\n")[0] in texts for cell in row)


def test_the_sentences_have_the_figures_of_the_json(brief: Brief, published: Published) -> None:
    text = "".join(getattr(block, "text", "") for block in brief.sections[0].blocks)
    assert told(published.result(ALL_TARGETS))[brief.language] in text
    for section in brief.sections:
        for target in published.plan.targets:
            if section.title.endswith(target.name[brief.language]):
                words = told(published.result(target.id))[brief.language]
                assert words in getattr(section.blocks[0], "text", "")


def test_the_fan_draws_the_quantiles_of_the_json(published: Published) -> None:
    for target in published.plan.targets[:2]:
        axes = draw(published, Kind.FAN, target=target.id).axes[1]
        wanted = [row.q50 for row in published.summary.monthly if row.target == target.id]
        assert list(axes.lines[0].get_ydata()) == wanted


def test_without_a_named_target_the_least_likely_have_charts(
    brief: Brief, published: Published
) -> None:
    rows = [r for r in published.summary.results if r.zone == DISTRICT and r.target != ALL_TARGETS]
    least = sorted(rows, key=lambda row: row.probability)[:3]
    assert [p.name for p in brief.pictures()] == [
        f"{kind}-{row.target}" for row in least for kind in ("fan", "ridge")
    ]


def test_every_picture_has_an_alternative_text_in_the_language(
    brief: Brief, files: dict[str, Path]
) -> None:
    word = docx.Document(str(files["docx"])).inline_shapes
    alts = [shape._inline.docPr.get("descr") for shape in word]
    assert alts == [picture.alt for picture in brief.pictures()]
    slides = pptx.Presentation(str(files["pptx"])).slides
    shown = [s for slide in slides for s in slide.shapes if s.shape_type == MSO_SHAPE_TYPE.PICTURE]
    assert [s._element.nvPicPr.cNvPr.get("descr") for s in shown] == [
        picture.alt for picture in brief.pictures() if picture.slides
    ]
    page = files["html"].read_text(encoding="utf-8")
    assert len(re.findall(r"<img [^>]*alt=\"[^\"]+\"", page)) == len(brief.pictures())
    assert page.count("<img ") == len(brief.pictures())
    for picture in brief.pictures():
        assert bool(ASIAN.search(picture.alt)) == (brief.language == "zh")


def test_the_web_page_asks_for_nothing_from_anywhere(brief: Brief, files: dict[str, Path]) -> None:
    page = files["html"].read_text(encoding="utf-8")
    places = re.findall(r"(?:src|href)=\"([^\"]*)\"|url\(([^)]*)\)|@import|<script|<link", page)
    assert places
    assert all("".join(place).startswith("data:") for place in places)
    assert "http" not in re.sub(r"base64,[A-Za-z0-9+/=]+", "", page)
    assert f'lang="{"zh-CN" if brief.language == "zh" else "en"}"' in page


def test_the_font_in_the_web_page_has_every_character_of_it(files: dict[str, Path]) -> None:
    page = files["html"].read_text(encoding="utf-8")
    (data,) = re.findall(r"data:font/woff;base64,([A-Za-z0-9+/=]+)", page)
    known = TTFont(io.BytesIO(b64decode(data))).getBestCmap()
    text = re.sub(r"<style>.*?</style>|<[^>]*>", "", page, flags=re.DOTALL)
    assert not {letter for letter in text if letter >= " " and ord(letter) not in known}


def test_word_knows_which_font_and_language_chinese_letters_have(files: dict[str, Path]) -> None:
    document = docx.Document(str(files["docx"]))
    for name in ("Normal", "Title", "Heading 1", "Heading 2", "Caption", "List Bullet"):
        fonts = document.styles[name].element.rPr.find(f"{W}rFonts")
        assert ASIAN.search(fonts.get(f"{W}eastAsia"))
        assert not [key for key in fonts.attrib if key.endswith("Theme")]
    (tongue,) = document.styles.element.iterfind(f"{W}docDefaults/{W}rPrDefault/{W}rPr/{W}lang")
    assert tongue.get(f"{W}eastAsia") == "zh-CN"
    used = {paragraph.style.name for paragraph in document.paragraphs}
    assert {"Title", "Subtitle", "Heading 1", "Heading 2", "List Bullet"} <= used


def test_slides_wrap_their_text_name_a_chinese_font_and_stay_on_the_page(
    brief: Brief, files: dict[str, Path]
) -> None:
    show = pptx.Presentation(str(files["pptx"]))
    for slide in show.slides:
        assert slide.shapes.title is not None
        assert slide.shapes.title.text
        for shape in slide.shapes:
            assert 0 <= shape.left <= shape.left + shape.width <= show.slide_width
            assert 0 <= shape.top <= shape.top + shape.height <= show.slide_height
            if shape.has_text_frame and shape.text_frame.text:
                assert shape.text_frame.word_wrap
                runs = [run for p in shape.text_frame.paragraphs for run in p.runs]
                for run in runs:
                    asian = run._r.rPr.find(
                        "{http://schemas.openxmlformats.org/drawingml/2006/main}ea"
                    )
                    assert ASIAN.search(asian.get("typeface"))
                    assert run._r.rPr.get("lang") == (
                        "zh-CN" if brief.language == "zh" else "en-US"
                    )


def test_the_same_briefing_is_the_same_file(brief: Brief, files: dict[str, Path]) -> None:
    for kind in ("html", "pdf"):
        again = files[kind].with_name(f"again.{kind}")
        write(brief, again)
        assert again.read_bytes() == files[kind].read_bytes()
    assert files["pdf"].read_bytes().startswith(b"%PDF")


def test_it_says_date_version_seed_and_how_to_make_it_again(
    brief: Brief, published: Published
) -> None:
    table = brief.sections[-1].blocks[-1]
    assert isinstance(table, Table)
    facts = [row[1] for row in table.rows]
    summary = published.summary
    assert summary.command in facts
    assert str(summary.seed) in facts
    assert "2026-11-24" in facts
    assert f"pudong-sim {summary.versions.pudong_sim}" in facts
    assert summary.plan.sha256 in facts


@pytest.fixture(scope="module")
def comparison(small_scenario: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small scenario beside one in which departments have twice the staff."""
    folder = tmp_path_factory.mktemp("compare")
    inputs = read_scenario(small_scenario)
    setting = LeverSetting(lever="department_capacity", value=2.0)
    other = changed(inputs, id="twice", levers=[*inputs.scenario.levers, setting])
    write_comparison(compare(inputs, [other], runs=5, seed=1), folder)
    return folder


def test_a_comparison_shows_what_other_scenarios_change(
    published: Published, comparison: Path
) -> None:
    found = json.loads((comparison / "compare.json").read_text(encoding="utf-8"))
    (what_if,) = found["what_ifs"]
    by_target = {r["target"]: r for r in what_if["differences"] if r["zone"] == DISTRICT}
    brief = compose(published, "en", targets=["pilot_projects"], compare=comparison, day=DAY)
    section = next(s for s in brief.sections if s.title == "Other scenarios")
    (table,) = (block for block in section.blocks if isinstance(block, Table))
    row = by_target["pilot_projects"]
    assert table.rows[0][2:4] == [percent(row["base"]), percent(row["what_if"])]


def test_a_comparison_with_another_base_is_refused(
    published: Published, comparison: Path, tmp_path: Path
) -> None:
    shutil.copy(comparison / "compare.json", tmp_path)
    rewrite(tmp_path / "compare.json", lambda data: data["base"].update(sha256="0" * 64))
    with pytest.raises(RunError, match="is of another scenario than the forecast"):
        compose(published, "en", compare=tmp_path, day=DAY)
    with pytest.raises(RunError, match="no such file"):
        compose(published, "en", compare=tmp_path / "nowhere", day=DAY)


def test_an_explanation_in_the_directory_is_told(own_small: Path) -> None:
    runner = CliRunner()
    options = ["--target", "pilot_projects", "--runs", "3"]
    assert runner.invoke(app, ["explain", str(own_small), *options]).exit_code == 0
    brief = compose(read_published(own_small), "zh", targets=["pilot_projects"], day=DAY)
    section = next(s for s in brief.sections if s.title.endswith("由何推动"))
    assert all(ASIAN.search(getattr(block, "text", "")) for block in section.blocks)
    file = own_small / "explain" / "explanation-pilot_projects-district.json"
    file.write_text("{}", encoding="utf-8")
    with pytest.raises(RunError, match="has no checksum in its second line"):
        compose(read_published(own_small), "zh", targets=["pilot_projects"], day=DAY)


def _unfinished(own: Path) -> None:
    (own / "summary.json").unlink()


def _damaged_runs(own: Path) -> None:
    file = own / "runs" / "chunk-000001" / "series.parquet"
    file.write_bytes(file.read_bytes()[:-9])


def _damaged_summary(own: Path) -> None:
    file = own / "summary.json"
    file.write_text(file.read_text(encoding="utf-8")[:-900], encoding="utf-8")


def _other_format(own: Path) -> None:
    file = own / "summary.json"
    rewrite(file, lambda data: data.update(format=2))


def _other_plan(own: Path) -> None:
    file = own / "inputs" / "plan.yaml"
    file.write_text(file.read_text(encoding="utf-8") + "\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("spoil", "options", "message"),
    [
        (_unfinished, [], "the forecast is not finished"),
        (_damaged_runs, [], "is missing or damaged"),
        (_damaged_summary, [], "was changed or cut since it was written"),
        (_other_format, [], "of another version of the program"),
        (_other_plan, [], "the plan was changed"),
        (None, ["--target", "pilot_project"], "did you mean 'pilot_projects'?"),
        (None, ["--date", "yesterday"], "a day is written like"),
        (None, ["--history", "nowhere.csv"], "no such file"),
    ],
)
def test_what_cannot_be_written_about_gets_one_message_and_leaves_no_file(
    own_small: Path, spoil: Callable[[Path], None] | None, options: list[str], message: str
) -> None:
    if spoil:
        spoil(own_small)
    before = sorted(own_small.rglob("*"))
    result = CliRunner().invoke(app, ["brief", str(own_small), "--format", "html", *options])
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("Error:") == 1
    assert sorted(own_small.rglob("*")) == before


@pytest.mark.parametrize("kind", WRITERS)
def test_without_its_library_the_message_says_what_to_install(
    own_small: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(extra, "import_module", gone)
    result = CliRunner().invoke(app, ["brief", str(own_small), "--format", kind])
    assert result.exit_code == 2
    assert "pip install 'pudong-sim[brief]'" in result.stderr
    assert not list(own_small.glob("brief*"))


def test_the_command_writes_the_named_target_into_the_named_file(
    own_small: Path, tmp_path: Path
) -> None:
    file = tmp_path / "for-the-mayor.html"
    options = ["--target", "battery_output", "--format", "html", "--lang", "en"]
    arguments = ["brief", str(own_small), *options, "--date", "2026-11-24", "--out", str(file)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    page = file.read_text(encoding="utf-8")
    assert "24 November 2026" in page
    assert re.findall(r"<h3>(.*?)</h3>", page) == ["Output of batteries"]
