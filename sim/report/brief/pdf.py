"""A briefing as PDF: tagged for screen readers (PDF/UA), charts as vectors, fonts inside.

PDF/UA allows no sign without a glyph: what no font has shows as the box of the last font.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sim.errors import RunError
from sim.report import glyphs, style
from sim.report.brief.document import Block, Brief, Paragraph, Picture
from sim.report.extra import needed
from sim.store import whole_file

TEMPLATE = Path(__file__).with_name("brief.typ")
NO_DATE = datetime(2000, 1, 1, tzinfo=UTC)  # so that the same briefing gives the same bytes


def write_pdf(brief: Brief, path: Path) -> None:
    """Write it whole or not at all.

    Raises:
        RunError: the library is missing, or it could not set the page.
        OSError: the disk does not take it.
    """
    typst = needed("typst", "PDF briefings")
    data = _data(brief)
    glyphs.note(data)
    files: dict[str, bytes] = {"main.typ": TEMPLATE.read_bytes()}
    files["brief.json"] = json.dumps(data, ensure_ascii=False).encode()
    files |= {f"{picture.name}.svg": picture.svg for picture in brief.pictures()}
    try:
        made = typst.compile(
            files,
            format="pdf",
            font_paths=[str(folder) for folder in glyphs.folders()],
            ignore_system_fonts=True,
            pdf_standards="ua-1",
            timestamp=NO_DATE,
        )
    except typst.TypstError as error:
        raise RunError(f"{path}: the PDF could not be made ({error})") from None
    with whole_file(path) as draft:
        draft.write_bytes(made)


def _data(brief: Brief) -> dict[str, Any]:
    return {
        "language": brief.language,
        "fonts": glyphs.families(),
        "title": brief.title,
        "subtitle": brief.subtitle,
        "facts": brief.facts,
        "origin": brief.origin,
        "keywords": list(brief.keywords),
        "sections": [
            {
                "title": section.title,
                "level": section.level,
                "blocks": [_block(block) for block in section.blocks],
            }
            for section in brief.sections
        ],
    }


def _block(block: Block) -> dict[str, Any]:
    if isinstance(block, Paragraph):
        return {"kind": block.kind, "text": block.text}
    if isinstance(block, Picture):
        return {
            "kind": "picture",
            "file": f"{block.name}.svg",
            "alt": block.alt,
            "width": block.width,
            "height": block.height,
        }
    shades = block.shades or [[None] * len(block.head) for _ in block.rows]
    return {
        "kind": "table",
        "head": list(block.head),
        "rows": [list(row) for row in block.rows],
        "widths": list(block.widths),
        "fills": [[None if s is None else style.shade(s) for s in row] for row in shades],
        "dense": block.dense,
    }
