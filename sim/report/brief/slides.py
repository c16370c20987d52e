"""A briefing as slides: title placeholders, real tables, pictures with alternative text."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.cells import cell_len

from sim.report import style
from sim.report.brief.document import Brief, Paragraph, Picture, Section, Table
from sim.report.extra import needed
from sim.store import whole_file

WIDTH, HEIGHT = 13.333, 7.5  # inches, 16:9
LEFT, TOP, ROOM = 0.6, 1.2, 12.13  # of what stands below the title
FOOT = 7.0
FONTS = {"zh": ("Arial", "微软雅黑"), "en": ("Calibri", "微软雅黑")}
TAG = {"zh": "zh-CN", "en": "en-US"}
LEADING = {"zh": 1.4, "en": 1.2}  # height of a line over that of its letters
CELL = 0.5  # width of a Latin letter over its height; a Chinese one has two of it


def write_pptx(brief: Brief, path: Path) -> None:
    """Write it whole or not at all; raises RunError where the library is missing, or OSError."""
    pptx = needed("pptx", "slides")
    from pptx.util import Inches

    show = pptx.Presentation()
    show.slide_width, show.slide_height = Inches(WIDTH), Inches(HEIGHT)
    properties = show.core_properties
    for name, text in brief.properties().items():
        setattr(properties, name, text)
    properties.author = "pudong-sim"
    properties.language = TAG[brief.language]
    _title(show, brief)
    above = ""
    for section in brief.sections:
        before = len(show.slides)
        _section(
            show, brief, section, f"{above}{section.title}" if section.level > 1 else section.title
        )
        if section.level == 1:  # one without a slide of its own is named on those below it
            between = "" if brief.language == "zh" else ": "
            above = section.title + between if len(show.slides) == before else ""
    with whole_file(path) as draft:
        show.save(str(draft))


def _title(show: Any, brief: Brief) -> None:
    from pptx.util import Inches

    slide = show.slides.add_slide(show.slide_layouts[0])
    title, subtitle = slide.shapes.title, slide.placeholders[1]
    _place(title, LEFT + 0.3, 2.0, 11.5, 1.3)
    _place(subtitle, LEFT + 0.3, 3.45, 11.5, 1.7)
    _write(title.text_frame, [(brief.title, 38.0, style.BLUE)], brief)
    lines = [(brief.subtitle, 20.0, style.INK), (brief.facts, 15.0, style.GREY)]
    _write(subtitle.text_frame, lines, brief)
    bar = slide.shapes.add_shape(1, Inches(LEFT), Inches(2.15), Inches(0.09), Inches(2.6))
    bar.fill.solid()
    bar.fill.fore_color.rgb = _colour(style.BLUE)
    bar.line.fill.background()
    bar._element.nvSpPr.cNvPr.set("descr", "")


def _section(show: Any, brief: Brief, section: Section, title: str) -> None:
    """One slide with its text and table, or its text beside its first picture; then the others."""
    texts = [block for block in section.blocks if isinstance(block, Paragraph)]
    tables = [block for block in section.blocks if isinstance(block, Table)]
    pictures = [block for block in section.blocks if isinstance(block, Picture) and block.slides]
    if tables:
        slide = _slide(show, brief, title)
        body = [text for text in texts if text.kind in ("body", "lead")]
        after = [text for text in texts if text.kind in ("point", "note")]
        below = 0.45 + 0.25 * len(after) if after else 0.0
        top = TOP
        if body:
            top += _text(slide, brief, body, (LEFT, TOP, ROOM, 0.75), most=15.0) + 0.1
        top += _table(slide, brief, tables[0], top, FOOT - below - 0.15 - top)
        if after:
            place = min(top + 0.1, FOOT - below)
            most = 14.0 if after[0].kind == "point" else 11.0
            _text(slide, brief, after, (LEFT, place, ROOM, below), most=most)
    elif pictures:
        slide = _slide(show, brief, title)
        taken = _picture(slide, pictures[0], LEFT, TOP, 7.9, FOOT - TOP - 0.1)
        rest = LEFT + taken + 0.3
        _text(slide, brief, texts, (rest, TOP + 0.2, WIDTH - LEFT - rest, 5.2), most=18.0)
        pictures = pictures[1:]
    elif len(texts) > 1 or cell_len(texts[0].text) > 60:
        slide = _slide(show, brief, title)
        _text(slide, brief, texts, (LEFT, TOP + 0.1, ROOM, 5.3), most=22.0)
    for picture in pictures:
        slide = _slide(show, brief, title)
        _picture(slide, picture, LEFT, TOP, ROOM, FOOT - TOP - 0.1, centred=True)


def _slide(show: Any, brief: Brief, title: str) -> Any:
    """A slide with its title in the title's placeholder, and the origin at its foot."""
    from pptx.util import Inches

    slide = show.slides.add_slide(show.slide_layouts[5])
    _place(slide.shapes.title, LEFT - 0.1, 0.4, ROOM + 0.2, 0.8)
    _write(slide.shapes.title.text_frame, [(title, 26.0, style.BLUE)], brief)
    foot = slide.shapes.add_textbox(Inches(LEFT), Inches(FOOT), Inches(ROOM), Inches(0.35))
    number = len(show.slides)
    _write(foot.text_frame, [(f"{brief.origin}    {number}", 10.0, style.GREY)], brief)
    return slide


def _text(
    slide: Any,
    brief: Brief,
    texts: Sequence[Paragraph],
    box: tuple[float, float, float, float],
    *,
    most: float,
) -> float:
    """Paragraphs as large as fits a box, at most so many points; the height taken, inches."""
    from pptx.util import Inches

    leading = LEADING[brief.language]
    sizes = [half / 2 for half in range(int(2 * most), 18, -1)]
    size = next((s for s in sizes if _height(texts, s, box[2], leading) <= box[3]), sizes[-1])
    shape = slide.shapes.add_textbox(*(Inches(value) for value in box))
    lines = [
        (
            ("• " if text.kind == "point" else "") + text.text,
            size,
            style.GREY if text.kind == "note" else style.INK,
        )
        for text in texts
    ]
    _write(shape.text_frame, lines, brief, after=0.45 * size)
    return _height(texts, size, box[2], leading)


def _height(texts: Sequence[Paragraph], size: float, width: float, leading: float) -> float:
    """Inches that paragraphs take at a size in points."""
    letters = (width - 0.2) * 72.0 / (CELL * size)
    lines = sum(math.ceil(cell_len(text.text) / letters) for text in texts)
    return (lines * leading * size + 0.45 * size * len(texts)) / 72.0


def _picture(
    slide: Any,
    picture: Picture,
    left: float,
    top: float,
    width: float,
    height: float,
    *,
    centred: bool = False,
) -> float:
    """As large as fits; the width taken, inches."""
    from pptx.util import Inches

    scale = min(width / picture.width, height / picture.height)
    wide = picture.width * scale
    left += (width - wide) / 2 if centred else 0.0
    shape = slide.shapes.add_picture(
        io.BytesIO(picture.png), Inches(left), Inches(top), width=Inches(wide)
    )
    shape.name = picture.name
    shape._element.nvPicPr.cNvPr.set("descr", picture.alt)
    return wide


def _table(slide: Any, brief: Brief, table: Table, top: float, room: float) -> float:
    """A table whose text is as large as fits the room (inches); the height taken."""
    from pptx.util import Inches

    leading, total = LEADING[brief.language], sum(table.widths)
    widths = [ROOM * width / total for width in table.widths]
    sizes = [n / 2 for n in range(28, 15, -1)]
    size = next((s for s in sizes if sum(_rows(table, widths, s, leading)) <= room), sizes[-1])
    heights = _rows(table, widths, size, leading)
    shape = slide.shapes.add_table(
        len(heights),
        len(widths),
        Inches(LEFT),
        Inches(top),
        Inches(ROOM),
        Inches(sum(heights)),
    )
    shape._element.nvGraphicFramePr.cNvPr.set("descr", table.alt)
    made = shape.table
    for place, width in enumerate(widths):
        made.columns[place].width = Inches(width)
    for number, row in enumerate([table.head, *table.rows]):
        made.rows[number].height = Inches(heights[number])
        for place, text in enumerate(row):
            shade = style.BLUE_LIGHT if number == 0 else "#FFFFFF"
            if number and table.shades and (share := table.shades[number - 1][place]) is not None:
                shade = style.shade(share)
            centred = table.dense and place > 0
            _cell(made.cell(number, place), text, size, shade, brief, centred=centred)
    return sum(heights)


def _rows(table: Table, widths: Sequence[float], size: float, leading: float) -> list[float]:
    """Height of each row at a size in points, inches; what stands below a line is smaller."""
    found = []
    for row in [table.head, *table.rows]:
        tallest = 0.0
        for text, width in zip(row, widths, strict=True):
            tall = 0.0
            for number, line in enumerate(text.split("\n")):
                own = size if number == 0 else _small(size)
                letters = max(1.0, (width - 0.14) * 72.0 / (CELL * own * 1.04))
                tall += math.ceil(1.08 * cell_len(line) / letters) * leading * own
            tallest = max(tallest, tall)
        found.append(tallest / 72.0 + 0.06)
    return found


def _small(size: float) -> float:
    return max(7.0, round(1.6 * size) / 2)


def _cell(cell: Any, text: str, size: float, shade: str, brief: Brief, *, centred: bool) -> None:
    from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
    from pptx.util import Inches

    cell.margin_left = cell.margin_right = Inches(0.06)
    cell.margin_top = cell.margin_bottom = Inches(0.02)
    cell.vertical_anchor = MSO_ANCHOR.MIDDLE
    cell.fill.solid()
    cell.fill.fore_color.rgb = _colour(shade)
    first, *rest = text.split("\n")
    lines = [(first, size, style.INK), *((line, _small(size), style.INK) for line in rest)]
    _write(cell.text_frame, lines, brief)
    for paragraph in cell.text_frame.paragraphs:
        paragraph.alignment = PP_ALIGN.CENTER if centred else PP_ALIGN.LEFT


def _place(shape: Any, left: float, top: float, width: float, height: float) -> None:
    from pptx.util import Inches

    shape.left, shape.top = Inches(left), Inches(top)
    shape.width, shape.height = Inches(width), Inches(height)


def _write(
    frame: Any,
    lines: Sequence[tuple[str, float, str]],
    brief: Brief,
    *,
    after: float = 0.0,
) -> None:
    """Lines of text with size and colour, wrapped, with fonts for Latin and Chinese letters."""
    from pptx.enum.text import MSO_AUTO_SIZE, PP_ALIGN
    from pptx.oxml.ns import qn
    from pptx.util import Pt

    frame.word_wrap = True
    frame.auto_size = MSO_AUTO_SIZE.NONE
    latin, asian = FONTS[brief.language]
    for number, (text, size, colour) in enumerate(lines):
        paragraph = frame.paragraphs[0] if number == 0 else frame.add_paragraph()
        paragraph.alignment = PP_ALIGN.LEFT
        if after:
            paragraph.space_after = Pt(after)
        run = paragraph.add_run()
        run.text = text
        run.font.size, run.font.name = Pt(size), latin
        run.font.color.rgb = _colour(colour)
        run.font.bold = False
        properties = run._r.get_or_add_rPr()
        properties.set("lang", TAG[brief.language])
        if brief.language == "zh":
            properties.set("altLang", "en-US")
        fonts = properties.makeelement(qn("a:ea"), {"typeface": asian})
        properties.find(qn("a:latin")).addnext(fonts)


def _colour(text: str) -> Any:
    from pptx.dml.color import RGBColor

    return RGBColor.from_string(text[1:].upper())
