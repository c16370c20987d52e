"""The terminal, whatever signs it has: names and paths as they are, and nothing stops the end."""

from __future__ import annotations

import codecs
import logging
import os
import sys
import unicodedata
from typing import TYPE_CHECKING, TextIO

from sim.text import visible

if TYPE_CHECKING:
    from rich.console import Console

ALIKE = str.maketrans(
    {
        "−": "-",
        "–": "-",
        "—": "--",
        "‑": "-",
        "…": "...",
        "‘": "'",
        "’": "'",
        "“": '"',
        "”": '"',
        "•": "*",
        "·": ".",
        "×": "x",
        "≥": ">=",
        "≤": "<=",
        "≈": "~",
        "→": "->",
        "▲": "^",
        "▼": "v",
        "²": "2",
        "³": "3",
    }
)


def prepare_streams() -> None:
    """Let every text be printed: what the terminal has no sign for as a like one or '?'.

    Where there is no output at all, as under a service, what would be printed is dropped. So is
    what Matplotlib remarks, such as that it has no home for its cache and takes a temporary one.
    """
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    codecs.register_error("alike", alike)
    for name in ("stdout", "stderr"):
        stream: TextIO | None = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="alike")


def alike(error: UnicodeError) -> tuple[str, int]:
    """What stands for signs that an encoding lacks, as wide as they are; for ``codecs``."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(_alike(sign) for sign in missing), error.end


def _alike(sign: str) -> str:
    parts = unicodedata.normalize("NFKD", sign)
    bare = "".join(part for part in parts if not unicodedata.combining(part))
    for text in (sign.translate(ALIKE), bare):
        if text != sign and text.isascii():
            return text
    return "??" if unicodedata.east_asian_width(sign) in "WF" else "?"


def terminal() -> Console:
    """A console that takes no text for its own marks, and shows what is no text by its code."""
    from rich.console import Console
    from rich.text import Text

    class Terminal(Console):
        def render_str(self, text: str, **how: object) -> Text:
            return super().render_str(visible(text), **how)  # type: ignore[arg-type]

    return Terminal(markup=False, highlight=False, emoji=False)
