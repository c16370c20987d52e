"""Which kind of file a briefing is written as."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sim.report.brief.document import Brief
from sim.report.brief.html import write_html
from sim.report.brief.pdf import write_pdf
from sim.report.brief.slides import write_pptx
from sim.report.brief.word import write_docx
from sim.report.extra import needed

WRITERS: dict[str, Callable[[Brief, Path], None]] = {
    "docx": write_docx,
    "pptx": write_pptx,
    "html": write_html,
    "pdf": write_pdf,
}
LIBRARIES = {
    "docx": ("docx", "Word briefings"),
    "pptx": ("pptx", "slides"),
    "html": ("fontTools.subset", "HTML briefings"),
    "pdf": ("typst", "PDF briefings"),
}


def check(kind: str) -> None:
    """Raise RunError where the library for a kind of file is missing, before any work is done."""
    needed(*LIBRARIES[kind])


def write(brief: Brief, path: Path) -> None:
    """Write a briefing as what the file's name says.

    Raises:
        RunError: a library is missing.
        OSError: the disk does not take it; nothing is left.
    """
    WRITERS[path.suffix.lower().removeprefix(".")](brief, path)
