"""Every sign of a name is drawn as it is, or as a box, which is said in one sentence."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import zlib
from base64 import b64decode
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import docx
import pptx
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.textpath import TextPath
from typer.testing import CliRunner, Result

from sim.analysis.published import read_published
from sim.cli import app
from sim.report import glyphs, style
from sim.report.brief.compose import compose
from sim.report.brief.document import Brief, Paragraph, Section
from sim.report.brief.writers import WRITERS, write
from sim.text import described

ROOT = Path(__file__).parents[2]
RARE = "堃镕犇㎡喆臺𠮷"
# No font has the first three; the others cannot be seen, or are signs of their own.
ODD = "🚀ཀ\ue000葛\U000e0100a\u200db\u200f\ufffdＡ　Ｂe\u0301ع"
# 通用规范汉字表 (2013): those of its 8,105 characters that Unicode has beyond its first plane.
BEYOND = (
    "𠅤𠙶𠳐𡎚𡐓𣗋𣲗𣲘𣸣𤧛𤩽𤫉𥔲𥕢𥖨𥻗𦈡𦒍𦙶𦝼𦭜𦰡𧿹𨐈𨙸𨚕𨟠𨭉𨱇𨱏𨱑𨱔𨺙𩽾𩾃𩾌𪟝𪣻𪤗𪨰𪨶𪩘𪾢𫄧𫄨𫄷𫄸𫇭𫌀"
    "𫍣𫍯𫍲𫍽𫐄𫐐𫐓𫑡𫓧𫓯𫓶𫓹𫔍𫔎𫔶𫖮𫖯𫖳𫗧𫗴𫘜𫘝𫘦𫘧𫘨𫘪𫘬𫚕𫚖𫚭𫛭𫞩𫟅𫟦𫟹𫟼𫠆𫠊𫠜𫢸𫫇𫭟𫭢𫭼𫮃𫰛𫵷𫶇𫷷𫸩"
    "𬀩𬀪𬂩𬃊𬇕𬇙𬇹𬉼𬊈𬊤𬌗𬍛𬍡𬍤𬒈𬒔𬒗𬕂𬘓𬘘𬘡𬘩𬘫𬘬𬘭𬘯𬙂𬙊𬙋𬜬𬜯𬞟𬟁𬟽𬣙𬣞𬣡𬣳𬤇𬤊𬤝𬨂𬨎𬩽𬪩𬬩𬬭𬬮𬬱"
    "𬬸𬬹𬬻𬬿𬭁𬭊𬭎𬭚𬭛𬭤𬭩𬭬𬭯𬭳𬭶𬭸𬭼𬮱𬮿𬯀𬯎𬱖𬱟𬳵𬳶𬳽𬳿𬴂𬴃𬴊𬶋𬶍𬶏𬶐𬶟𬶠𬶨𬶭𬶮𬷕𬸘𬸚𬸣𬸦𬸪𬹼𬺈𬺓"
)


@pytest.fixture(scope="module", autouse=True)
def bare_machine() -> Iterator[None]:
    """A machine without fonts of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(glyphs, "OF_THE_MACHINE", ())
        forget()
        yield
    forget()


def forget() -> None:
    glyphs.of_the_machine.cache_clear()
    glyphs.has.cache_clear()
    glyphs.remark()


def pudong(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def district(folder: Path, more: str) -> Path:
    """The small district, two of its zones with more in their names."""
    for file in (ROOT / "tests" / "small_district").glob("*.yaml"):
        shutil.copy(file, folder)
    plan = folder / "plan.yaml"
    text = plan.read_text(encoding="utf-8")
    for name in ("北岸", "旧港"):
        assert f"{{zh: {name}," in text
        text = text.replace(f"{{zh: {name},", f'{{zh: "{name}{more}",')
    plan.write_text(text, encoding="utf-8")
    return folder / "scenario.yaml"


def finished(folder: Path, more: str) -> tuple[Path, Result]:
    """A forecast of that district, and what its command said."""
    out = folder / "out"
    scenario = district(folder, more)
    return out, pudong("forecast", scenario, "--runs", "5", "--workers", "1", "--out", out)


@pytest.fixture(scope="module")
def rare(bare_machine: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    return finished(tmp_path_factory.mktemp("rare"), RARE)


@pytest.fixture(scope="module")
def odd(bare_machine: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    return finished(tmp_path_factory.mktemp("odd"), ODD)


def outline(sign: str) -> list[list[float]]:
    with style.house_style():
        points: list[list[float]] = TextPath((0, 0), sign, size=10).vertices.tolist()
    return points


def test_the_fonts_have_all_characters_of_the_national_standards() -> None:
    known: set[int] = set()
    for file in (glyphs.FIRST, *glyphs.MORE):
        with TTFont(file) as font:
            known |= font.getBestCmap().keys()
    assert len(BEYOND) == 196
    # GB 18030, levels 1 and 2, and all of 通用规范汉字表; GBK's 21,003 lie within
    wanted = {*range(0x4E00, 0x9FF0), *range(0x3400, 0x4DB6), *map(ord, BEYOND + RARE)}
    assert not wanted - known
    gbk = {
        ord(text)
        for high in range(0x81, 0xFF)
        for low in range(0x40, 0xFF)
        if len(text := bytes([high, low]).decode("gbk", "ignore")) == 1
    }
    assert {code for code in gbk if not glyphs.has(chr(code))} == set()


def test_the_page_asks_each_font_for_what_it_has() -> None:
    css = (ROOT / "sim" / "dashboard" / "static" / "style.css").read_text(encoding="utf-8")
    ranges = re.findall(r"More(\d)\.otf.*?unicode-range: U\+(\w+)-(\w+);", css, re.DOTALL)
    assert [int(number) for number, *_ in ranges] == [1, 2, 3]
    for file, (_, low, high) in zip(glyphs.MORE, ranges, strict=True):
        with TTFont(file) as font:
            assert all(int(low, 16) <= code <= int(high, 16) for code in font.getBestCmap())


def test_no_font_is_a_burden_to_who_takes_a_copy() -> None:
    assert all(file.stat().st_size < 2**21 for file in glyphs.FOLDER.iterdir())


@pytest.mark.parametrize("sign", RARE)
def test_a_rare_character_is_drawn_and_not_a_box(sign: str) -> None:
    assert outline(sign) != outline("\ue000")
    assert len(outline(sign)) > len(outline("\ue000"))


@pytest.mark.parametrize("sign", ["🚀", "\ue000", "ཀ"])
def test_what_no_font_has_is_a_box(sign: str) -> None:
    assert len(outline(sign)) == len(outline("\U0010fffd")) > 0


@pytest.mark.parametrize("sign", ["\U000e0100", "\ufe0f", "\u200d", "\u200f", "\u200b"])
def test_what_cannot_be_seen_takes_no_place(sign: str) -> None:
    assert outline(f"葛{sign}城") == outline("葛城")
    assert glyphs.has(sign)


def test_what_the_first_font_has_is_drawn_by_it_alone() -> None:
    text = "浦东新区 Pudong ≥ 50 项（①）"
    chain = font_manager.FontProperties(family=glyphs.families())
    alone = font_manager.FontProperties(fname=str(glyphs.FIRST))
    with style.house_style():
        drawn = [TextPath((0, 0), text, size=10, prop=prop).vertices for prop in (chain, alone)]
    assert drawn[0].tolist() == drawn[1].tolist()


@pytest.fixture
def own_font(tmp_path: Path) -> Iterator[str]:
    """A font of the machine, which has one sign that the others lack and one that they have."""
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    pen.lineTo((500, 900))
    pen.lineTo((900, 0))
    pen.closePath()
    arrow = pen.glyph()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "rocket"])
    builder.setupCharacterMap({ord("🚀"): "rocket", ord("东"): "rocket"})
    builder.setupGlyf({".notdef": arrow, "rocket": arrow})
    builder.setupHorizontalMetrics({".notdef": (1000, 0), "rocket": (1000, 0)})
    builder.setupHorizontalHeader(ascent=880, descent=-120)
    names = {"familyName": "Own Rockets", "fullName": "Own Rockets", "psName": "OwnRockets"}
    builder.setupNameTable(names | {"styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(tmp_path / "own.ttf")
    fonts = font_manager.fontManager
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fonts, "ttflist", [*fonts.ttflist])
        fonts.addfont(tmp_path / "own.ttf")
        patch.setattr(glyphs, "OF_THE_MACHINE", ("Absent", "Own Rockets"))
        forget()
        yield "Own Rockets"
    forget()
    fonts._findfont_cached.cache_clear()


def test_a_font_of_the_machine_is_asked_before_the_box(
    own_font: str, rare: tuple[Path, Result], tmp_path: Path
) -> None:
    assert glyphs.families()[-2:] == [own_font, glyphs.LAST]
    assert glyphs.has("🚀")
    assert len(outline("🚀")) not in (0, len(outline("\ue000")))
    alone = font_manager.FontProperties(fname=str(glyphs.FIRST))
    with style.house_style():
        first = TextPath((0, 0), "东", size=10, prop=alone).vertices.tolist()
    assert outline("东") == first
    text = Section("🚀", [Paragraph("🚀东")])
    write(Brief("zh", "🚀", "", "", "", [text]), tmp_path / "brief.pdf")
    assert b"OwnRockets" in (tmp_path / "brief.pdf").read_bytes()


def test_charts_with_rare_characters_say_nothing(rare: tuple[Path, Result]) -> None:
    out, result = rare
    assert result.exit_code == 0
    assert result.stderr == ""
    assert (out / "charts" / "probability-board.svg").exists()


def test_signs_without_a_glyph_are_said_once_by_each_command(odd: tuple[Path, Result]) -> None:
    out, result = odd
    drawn = pudong("chart", out, "--format", "pdf", "--lang", "zh")
    written = pudong("brief", out, "--format", "pdf", "--target", "pilot_projects")
    checked = pudong("validate", out.parent / "scenario.yaml", out.parent / "plan.yaml")
    for said in (result, drawn, written, checked):
        assert said.exit_code == 0, said.output
        (line,) = said.stderr.splitlines()
        assert line.startswith("Note: no font here has 🚀 (U+1F680, in '")
        assert "U+E000 (in '" in line
        assert line.count("(") == 3
        assert line.endswith("; charts and PDF files show a box instead.")
    assert "北岸" in checked.stderr


def test_more_signs_than_anybody_reads_are_counted() -> None:
    glyphs.note({"a": [chr(code) for code in range(0x0F40, 0x0F48)]}, ["\ue001", "\ue002\ue003"])
    said = glyphs.remark()
    assert said.count("U+") == glyphs.TOLD
    assert ", and 1 more;" in said
    assert glyphs.remark() == ""


@pytest.mark.parametrize("names", ["rare", "odd"])
def test_every_document_is_written_and_has_the_names(
    names: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    out, _ = request.getfixturevalue(names)
    more = {"rare": RARE, "odd": ODD}[names]
    target = read_published(out).plan.targets[0].id
    made = compose(read_published(out), "zh", targets=[target], day=date(2026, 11, 24))
    files = {kind: tmp_path / f"brief.{kind}" for kind in WRITERS}
    for file in files.values():
        write(made, file)
    assert more in files["html"].read_text(encoding="utf-8")
    cells = [cell.text for cell in docx.Document(str(files["docx"])).tables[0].rows[0].cells]
    assert f"北岸{more}" in cells
    slides = pptx.Presentation(str(files["pptx"])).slides
    board = next(s for slide in slides for s in slide.shapes if s.has_table).table
    assert f"北岸{more}" in [cell.text for cell in board.rows[0].cells]

    pdf = files["pdf"].read_bytes()
    assert b"<pdfuaid:part>1</pdfuaid:part>" in pdf
    kept = {chr(code) for code in to_unicode(pdf)}
    assert set(RARE if names == "rare" else "葛�ＡＢع") <= kept
    reader = shutil.which("pdftotext")
    if reader:
        read = subprocess.run([reader, files["pdf"], "-"], capture_output=True, check=True)
        assert set(RARE if names == "rare" else "🚀ཀ\ue000") <= set(read.stdout.decode())


def to_unicode(pdf: bytes) -> set[int]:
    """What the letters of a PDF stand for, by the tables for those who copy or hear it."""
    found: set[int] = set()
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        try:
            text = zlib.decompress(stream)
        except zlib.error:
            continue
        for block in re.findall(rb"beginbfchar(.*?)endbfchar", text, re.DOTALL):
            for stands in re.findall(rb"<[0-9A-F]+>\s*<([0-9A-F]+)>", block):
                found |= {*map(ord, bytes.fromhex(stands.decode()).decode("utf-16-be"))}
    return found


def test_the_web_page_brings_along_the_rare_characters(tmp_path: Path) -> None:
    file = tmp_path / "brief.html"
    write(Brief("zh", RARE, "浦东", "", "", []), file)
    page = file.read_text(encoding="utf-8")
    faces = re.findall(r"font-family:'(\w+)';src:url\(data:font/woff;base64,([^)]+)\)", page)
    assert [name for name, _ in faces] == ["Brief", "More1", "More2", "More3"]
    known = set().union(*(TTFont(io.BytesIO(b64decode(data))).getBestCmap() for _, data in faces))
    assert {ord(sign) for sign in RARE} <= known
    used = re.findall(r"font: [^;]*", page)[0]
    assert all(name in used for name, _ in faces)


@pytest.mark.parametrize("escape", [r"\0", r"\a", r"\x85", r"\u2028", r"\uFEFF", r"\uFFFE"])
def test_a_character_that_no_document_can_hold_is_refused(escape: str, tmp_path: Path) -> None:
    said = pudong("validate", district(tmp_path, escape))
    assert said.exit_code == 2
    sign = eval(f'"{escape}"')
    place = f"{tmp_path / 'plan.yaml'}, line 17, field zones[0].name.zh"
    assert said.stderr == f"FileError: {place}: found {described(sign)}; remove it\n"


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_any_sign_can_be_drawn(kind: str) -> None:
    with style.house_style():
        figure = Figure(figsize=(4, 2))
        figure.text(0.1, 0.5, ODD + "한ก็\u2060שלום\U0001f1e8\U0001f1f3\ufdd0\U0001ffff\u00ad\u3164")
        figure.savefig(io.BytesIO(), format=kind)
