"""A briefing as one HTML file: pictures and font are inside, nothing is asked for from anywhere."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Iterator
from html import escape
from pathlib import Path

from sim.report import glyphs, style
from sim.report.brief.document import Block, Brief, Paragraph, Picture, Table
from sim.report.extra import needed
from sim.store import write_text

CSS = Path(__file__).with_name("brief.css")


def write_html(brief: Brief, path: Path) -> None:
    """Write it whole or not at all; raises RunError where a library is missing, or OSError."""
    body = "\n".join(_body(brief))
    lang = "zh-CN" if brief.language == "zh" else "en"
    faces = "\n".join(_faces(body + brief.title + brief.subtitle))
    write_text(
        path,
        f'<!DOCTYPE html>\n<html lang="{lang}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(brief.title)}</title>\n"
        f"<style>{faces}\n{CSS.read_text(encoding='utf-8')}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n",
    )


def _body(brief: Brief) -> Iterator[str]:
    yield f"<main>\n<header>\n<h1>{escape(brief.title)}</h1>"
    yield f'<p class="subtitle">{escape(brief.subtitle)}</p>'
    yield f'<p class="facts">{escape(brief.facts)}</p>\n</header>'
    for section in brief.sections:
        rank = section.level + 1
        yield f"<section>\n<h{rank}>{escape(section.title)}</h{rank}>"
        points: list[str] = []
        for block in section.blocks:
            if isinstance(block, Paragraph) and block.kind == "point":
                points.append(f"<li>{escape(block.text)}</li>")
                continue
            yield from _listed(points)
            points = []
            yield _block(block)
        yield from _listed(points)
        yield "</section>"
    yield f"</main>\n<footer>{escape(brief.origin)}</footer>"


def _listed(points: list[str]) -> Iterator[str]:
    if points:
        yield "<ul>\n" + "\n".join(points) + "\n</ul>"


def _block(block: Block) -> str:
    if isinstance(block, Paragraph):
        return f'<p class="{block.kind}">{escape(block.text)}</p>'
    if isinstance(block, Picture):
        data = b64encode(block.png).decode()
        return (
            f'<figure><img src="data:image/png;base64,{data}" alt="{escape(block.alt)}" '
            f'style="max-width:{block.width:.2f}in"></figure>'
        )
    return _table(block)


def _table(table: Table) -> str:
    kind = ' class="dense"' if table.dense else ""
    total = sum(table.widths)
    columns = "".join(f'<col style="width:{100 * width / total:.2f}%">' for width in table.widths)
    head = "".join(f'<th scope="col">{_cell(text)}</th>' for text in table.head)
    rows = []
    for number, row in enumerate(table.rows):
        cells = []
        for place, text in enumerate(row):
            shade = table.shades[number][place] if table.shades else None
            paint = "" if shade is None else f' style="background:{style.shade(shade)}"'
            tag = '<th scope="row"' if place == 0 else "<td"
            cells.append(f"{tag}{paint}>{_cell(text)}</{'th' if place == 0 else 'td'}>")
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return (
        f'<div class="scroll"><table{kind} aria-label="{escape(table.alt)}">'
        f"<colgroup>{columns}</colgroup>\n<thead><tr>{head}</tr></thead>\n<tbody>\n"
        + "\n".join(rows)
        + "\n</tbody></table></div>"
    )


def _cell(text: str) -> str:
    first, *rest = text.split("\n")
    return escape(first) + "".join(f"<br><small>{escape(line)}</small>" for line in rest)


def _faces(text: str) -> Iterator[str]:
    """The fonts that come along as the page takes them, with the characters of the text alone."""
    signs = {ord(sign) for sign in text} | set(range(32, 127))
    for file in (glyphs.FIRST, *glyphs.MORE):
        if font := _font(file, signs):
            data = b64encode(font).decode()
            name = "Brief" if file == glyphs.FIRST else file.stem.rpartition("-")[2]
            yield (
                f"@font-face{{font-family:'{name}';"
                f"src:url(data:font/woff;base64,{data}) format('woff');}}"
            )


def _font(file: Path, signs: set[int]) -> bytes:
    """A font with those of the signs that it has, as WOFF; nothing where it has none."""
    subset = needed("fontTools.subset", "HTML briefings")
    options = subset.Options(flavor="woff", desubroutinize=True, notdef_outline=True)
    options.layout_features = ["*"]
    maker = subset.Subsetter(options)
    out = io.BytesIO()
    with subset.load_font(str(file), options) as font:
        has = signs & font.getBestCmap().keys()
        if not has:
            return b""
        maker.populate(unicodes=has)
        maker.subset(font)
        font.recalcTimestamp = False
        font.flavor = "woff"
        font.save(out)
    return out.getvalue()
