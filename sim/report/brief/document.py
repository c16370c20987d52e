"""A briefing as data: sections of paragraphs, tables and pictures, for every kind of file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

PROPERTY = 255  # characters of a file's property in office programs
Tongue = Literal["zh", "en"]


@dataclass(frozen=True)
class Paragraph:
    """Text; ``lead`` stands out, ``note`` is small, ``point`` is one of a list."""

    text: str
    kind: Literal["body", "lead", "note", "point"] = "body"


@dataclass(frozen=True)
class Table:
    """A table with one header row.

    Attributes:
        widths: of the columns, relative to each other.
        shades: of each cell a probability (0 to 1) that colours it, or none.
        alt: what it shows, for those who cannot see it.
        dense: has many columns, so that its text is small and centred.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    widths: Sequence[float]
    alt: str
    shades: Sequence[Sequence[float | None]] | None = None
    dense: bool = False


@dataclass(frozen=True)
class Picture:
    """A chart as PNG and SVG, with alternative text.

    Attributes:
        width, height: inches.
        slides: whether it belongs on a slide too.
    """

    name: str
    png: bytes
    svg: bytes
    alt: str
    width: float
    height: float
    slides: bool = True


Block = Paragraph | Table | Picture


@dataclass(frozen=True)
class Section:
    """A heading with what stands below it; ``level`` 2 lies within the section before it."""

    title: str
    blocks: Sequence[Block]
    level: int = 1


@dataclass(frozen=True)
class Brief:
    """A briefing in one language.

    Attributes:
        facts: the line under the title: scenario, date, runs.
        origin: one line that says what made it, for the foot of each page.
    """

    language: Tongue
    title: str
    subtitle: str
    facts: str
    origin: str
    sections: Sequence[Section]
    keywords: Sequence[str] = field(default_factory=tuple)

    def properties(self) -> dict[str, str]:
        """What office programs say of a file, as long as it may be."""
        keywords = ", ".join(self.keywords)
        texts = {"title": self.title, "subject": self.subtitle, "keywords": keywords}
        return {name: text[:PROPERTY] for name, text in texts.items()}

    def pictures(self) -> list[Picture]:
        """All pictures in their order."""
        return [b for s in self.sections for b in s.blocks if isinstance(b, Picture)]
