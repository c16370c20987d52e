"""A briefing as a Word document: styles, real tables, pictures with alternative text."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from sim.report import style
from sim.report.brief.document import Block, Brief, Picture, Table
from sim.report.extra import needed
from sim.store import whole_file

# Fonts that Word brings along: Latin, East Asian for text, East Asian for headings.
FONTS = {"zh": ("Times New Roman", "宋体", "黑体"), "en": ("Calibri", "宋体", "黑体")}
TEXT = 16.0  # width of the text in cm, on A4
TALLEST = 9.2  # cm of a picture, so that two and their text share a page
SIZES = {"Title": 22, "Subtitle": 12, "Heading 1": 15, "Heading 2": 13, "Caption": 9}
KINDS = {"body": "Normal", "lead": "Normal", "note": "Caption", "point": "List Bullet"}


def write_docx(brief: Brief, path: Path) -> None:
    """Write it whole or not at all; raises RunError where the library is missing, or OSError."""
    docx = needed("docx", "Word briefings")
    document = docx.Document()
    _page(document)
    _styles(document, brief.language)
    for name, text in brief.properties().items():
        setattr(document.core_properties, name, text)
    document.core_properties.author = brief.origin.split(",")[0].split("，")[0]
    document.core_properties.language = "zh-CN" if brief.language == "zh" else "en-US"
    document.add_paragraph(brief.title, style="Title")
    document.add_paragraph(brief.subtitle, style="Subtitle")
    document.add_paragraph(brief.facts, style="Caption")
    for section in brief.sections:
        document.add_heading(section.title, level=section.level)
        for number, block in enumerate(section.blocks):
            follows = number + 1 < len(section.blocks)
            _block(document, block, brief.language, keep=follows)
    _foot(document, brief)
    with whole_file(path) as draft:
        document.save(str(draft))


def _page(document: Any) -> None:
    from docx.shared import Cm

    page = document.sections[0]
    page.page_width, page.page_height = Cm(21.0), Cm(29.7)
    page.left_margin = page.right_margin = Cm((21.0 - TEXT) / 2)
    page.top_margin = page.bottom_margin = Cm(2.3)


def _styles(document: Any, language: str) -> None:
    """Fonts for Latin and East Asian text in every style used, and the languages they are in."""
    from docx.shared import Pt, RGBColor

    latin, text, heading = FONTS[language]
    for name in ("Normal", "Title", "Subtitle", "Heading 1", "Heading 2", "Caption", "List Bullet"):
        own = document.styles[name]
        headed = name in ("Title", "Heading 1", "Heading 2")
        _fonts(own.element.get_or_add_rPr(), latin, heading if headed else text)
        own.font.size = Pt(SIZES.get(name, 11))
        own.font.italic = False
        own.font.bold = headed and language == "en"
        own.font.color.rgb = RGBColor.from_string((style.BLUE if headed else style.INK)[1:])
        own.paragraph_format.space_after = Pt(4)
        own.paragraph_format.line_spacing = 1.25 if name in ("Normal", "List Bullet") else 1.1
        own.paragraph_format.space_before = Pt({"Heading 1": 14, "Heading 2": 10}.get(name, 0))
    for name in ("Title", "Subtitle"):  # the template spaces their letters
        properties = document.styles[name].element.rPr
        for part in properties.findall(_q("w:spacing")):
            properties.remove(part)
    document.styles["Title"].font.color.rgb = RGBColor.from_string(style.INK[1:])
    document.styles["Caption"].font.color.rgb = RGBColor.from_string(style.GREY[1:])
    defaults = document.styles.element.find(_q("w:docDefaults"))
    run = defaults.find(_q("w:rPrDefault")).find(_q("w:rPr"))
    _fonts(run, latin, text)
    tongue = run.find(_q("w:lang"))
    tongue.set(_q("w:val"), "en-US")
    tongue.set(_q("w:eastAsia"), "zh-CN")


def _fonts(properties: Any, latin: str, asian: str) -> None:
    """Named fonts in place of the theme's, for Latin and for East Asian letters."""
    fonts = properties.find(_q("w:rFonts"))
    if fonts is None:
        fonts = properties.makeelement(_q("w:rFonts"), {})
        properties.insert(0, fonts)
    fonts.attrib.clear()
    for name, font in (("ascii", latin), ("hAnsi", latin), ("cs", latin), ("eastAsia", asian)):
        fonts.set(_q(f"w:{name}"), font)


def _block(document: Any, block: Block, language: str, *, keep: bool) -> None:
    from docx.shared import Cm, Pt

    if isinstance(block, Table):
        _table(document, block)
        document.add_paragraph().paragraph_format.space_after = Pt(0)
    elif isinstance(block, Picture):
        _picture(document, block)
    else:
        paragraph = document.add_paragraph(block.text, style=KINDS[block.kind])
        if block.kind in ("body", "lead") and language == "zh":
            paragraph.paragraph_format.first_line_indent = Pt(22)
        if block.kind == "lead":
            paragraph.paragraph_format.space_after = Pt(7)
            for run in paragraph.runs:
                run.font.size = Pt(12)
            if language == "zh":
                paragraph.paragraph_format.first_line_indent = Pt(24)
        if block.kind == "point":
            paragraph.paragraph_format.left_indent = Cm(0.7)
        paragraph.paragraph_format.widow_control = True
        if keep and block.kind == "body":
            paragraph.paragraph_format.keep_with_next = True


def _picture(document: Any, picture: Picture) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Cm, Pt

    paragraph = document.add_paragraph()
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    width = min(TEXT, 2.54 * picture.width, TALLEST * picture.width / picture.height)
    shape = paragraph.add_run().add_picture(io.BytesIO(picture.png), width=Cm(width))
    properties = shape._inline.docPr
    paragraph.paragraph_format.space_before = Pt(4)
    properties.set("descr", picture.alt)
    properties.set("name", picture.name)


def _table(document: Any, table: Table) -> None:
    from docx.enum.table import WD_TABLE_ALIGNMENT
    from docx.shared import Cm

    made = document.add_table(rows=1 + len(table.rows), cols=len(table.head))
    made.style = "Table Grid"
    made.alignment = WD_TABLE_ALIGNMENT.CENTER
    made.autofit = False
    properties = made._tbl.tblPr
    for tag in ("w:tblCaption", "w:tblDescription"):
        properties.append(properties.makeelement(_q(tag), {_q("w:val"): table.alt}))
    _edges(properties)
    total = sum(table.widths)
    for column, width in zip(made.columns, table.widths, strict=True):
        column.width = Cm(TEXT * width / total)
    for number, row in enumerate([table.head, *table.rows]):
        line = made.rows[number]
        marks = line._tr.get_or_add_trPr()
        marks.append(marks.makeelement(_q("w:cantSplit"), {}))
        if number == 0:
            marks.append(marks.makeelement(_q("w:tblHeader"), {}))
        for place, text in enumerate(row):
            cell = line.cells[place]
            cell.width = Cm(TEXT * table.widths[place] / total)
            shade = style.BLUE_LIGHT if number == 0 else None
            if number and table.shades and (share := table.shades[number - 1][place]) is not None:
                shade = style.shade(share)
            _cell(cell, text, table, shade, head=number == 0, first=place == 0)
        if number < len(table.rows):  # on one page, if it fits
            for cell in line.cells:
                for paragraph in cell.paragraphs:
                    paragraph.paragraph_format.keep_with_next = True


def _cell(
    cell: Any, text: str, table: Table, shade: str | None, *, head: bool, first: bool
) -> None:
    from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt

    large, small = (7.5 if head else 8.5, 6.5) if table.dense else (9.5, 8.5)
    cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
    for number, line in enumerate(text.split("\n")):
        paragraph = cell.paragraphs[0] if number == 0 else cell.add_paragraph()
        paragraph.paragraph_format.space_after = Pt(0)
        paragraph.paragraph_format.line_spacing = 1.0
        if table.dense and not first:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        paragraph.add_run(line).font.size = Pt(large if number == 0 else small)
    if shade:
        properties = cell._tc.get_or_add_tcPr()
        fill = {_q("w:val"): "clear", _q("w:color"): "auto", _q("w:fill"): shade[1:]}
        properties.append(properties.makeelement(_q("w:shd"), fill))


def _edges(properties: Any) -> None:
    """Thin grey lines, and little room beside the text."""
    borders = properties.makeelement(_q("w:tblBorders"), {})
    for side in ("top", "left", "bottom", "right", "insideH", "insideV"):
        line = {_q("w:val"): "single", _q("w:sz"): "4", _q("w:color"): "BBBBBB"}
        borders.append(borders.makeelement(_q(f"w:{side}"), line))
    margins = properties.makeelement(_q("w:tblCellMar"), {})
    for side in ("left", "right"):
        room = {_q("w:w"): "50", _q("w:type"): "dxa"}
        margins.append(margins.makeelement(_q(f"w:{side}"), room))
    for part, before in ((borders, "w:tblLayout"), (margins, "w:tblLook")):
        place = properties.find(_q(before))
        if place is None:
            properties.append(part)
        else:
            place.addprevious(part)


def _foot(document: Any, brief: Brief) -> None:
    """The origin and the page's number."""
    paragraph = document.sections[0].footer.paragraphs[0]
    paragraph.style = document.styles["Caption"]
    paragraph.add_run(brief.origin + "　　" if brief.language == "zh" else brief.origin + "    ")
    for kind, text in (("begin", None), (None, "PAGE"), ("end", None)):
        run = paragraph.add_run()
        tag = "w:fldChar" if kind else "w:instrText"
        part = run._r.makeelement(_q(tag), {_q("w:fldCharType"): kind} if kind else {})
        part.text = text
        run._r.append(part)


def _q(tag: str) -> str:
    from docx.oxml.ns import qn

    return str(qn(tag))
