"""The fonts that text is drawn with, one after the other, and the signs that none of them has.

The first font has what Chinese and English text needs day by day. What it lacks comes from
matplotlib's own, from the rest of the same typeface, from a font of the machine, in this order.
A last font has a box for everything, so that no chart and no PDF fails over a sign.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

FOLDER = Path(__file__).parent / "fonts"
FIRST = FOLDER / "NotoSansSC-Regular-GB2312.otf"
MORE = tuple(FOLDER / f"NotoSansSC-Regular-More{number}.otf" for number in (1, 2, 3))
BOX = FOLDER / "Box.ttf"
SHIPPED = ("Noto Sans SC", "DejaVu Sans", *(f"Noto Sans SC More {n}" for n in (1, 2, 3)))
LAST = "Pudong Box"
# Asked only for what the fonts that come along lack: rarer Chinese characters, then other signs.
OF_THE_MACHINE = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "PingFang SC",
    "Microsoft YaHei",
    "SimSun-ExtB",
    "SimSun-ExtG",
    "Plangothic P1",
    "Plangothic P2",
    "BabelStone Han",
    "HanaMinA",
    "HanaMinB",
    "WenQuanYi Zen Hei",
    "Noto Sans Symbols",
    "Noto Sans Symbols2",
    "Segoe UI Symbol",
    "Segoe UI Emoji",
    "Noto Emoji",
    "Noto Serif Tibetan",
    "Microsoft Himalaya",
    "Noto Sans Mongolian",
    "Mongolian Baiti",
    "Malgun Gothic",
)
TOLD = 10  # signs that are named one by one
AROUND = 12  # characters that are shown on either side of one

_lacking: dict[str, str] = {}  # a sign, and the text in which it was met first


def families() -> list[str]:
    """All fonts by name, in the order in which they are asked for a sign."""
    return [*SHIPPED, *of_the_machine(), LAST]


def folders() -> list[Path]:
    """Where the files of all fonts lie."""
    from matplotlib.font_manager import fontManager

    files = [Path(fontManager.findfont(name)) for name in families()]
    return list(dict.fromkeys(file.parent for file in files))


@functools.cache
def of_the_machine() -> dict[str, Path]:
    """Those of the machine's fonts that are asked, by name; makes known those that come along."""
    from matplotlib.font_manager import fontManager

    there = {
        entry.name: Path(entry.fname)
        for entry in fontManager.ttflist
        if entry.name in OF_THE_MACHINE
        and (entry.style, str(entry.weight)) in (("normal", "400"), ("normal", "normal"))
        and os.path.isfile(entry.fname)
    }
    known = fontManager.ttflist.copy()
    fontManager.ttflist.clear()
    for file in (FIRST, *MORE, BOX):
        fontManager.addfont(file)
    fontManager.ttflist.extend(known)  # after them, since of one name the first is taken
    return {name: there[name] for name in OF_THE_MACHINE if name in there}


def note(*data: object) -> None:
    """Look through all text in records, tables and lists for signs that will show as a box."""
    for text in _texts(data):
        for sign in dict.fromkeys(text):
            if not has(sign):
                _lacking.setdefault(sign, text)


def remark() -> str:
    """One sentence on the signs that were met since the last call; empty where there were none."""
    if not _lacking:
        return ""
    told = [_told(sign, text) for sign, text in list(_lacking.items())[:TOLD]]
    more = len(_lacking) - len(told)
    _lacking.clear()
    rest = f", and {more} more" if more else ""
    return f"no font here has {', '.join(told)}{rest}; charts and PDF files show a box instead"


@functools.cache
def has(sign: str) -> bool:
    """Whether a font has a character, or it is one that cannot be seen."""
    try:
        sign.encode("gb2312")  # the first font has all of it
    except UnicodeEncodeError:
        from matplotlib.font_manager import fontManager, get_font
    else:
        return True
    *fonts, last = (get_font(fontManager.findfont(name)) for name in families())
    code = ord(sign)
    return any(font.get_char_index(code) for font in fonts) or (
        last.get_glyph_name(last.get_char_index(code)) != "box"
    )


def _told(sign: str, text: str) -> str:
    """A sign with its number and the words around it."""
    place = text.index(sign)
    first, last = max(0, place - AROUND), place + AROUND + 1
    words = " ".join(text[first:last].split())
    words = "".join(a if a.isprintable() else "□" * (not has(a)) for a in words)
    words = "…" * (first > 0) + words + "…" * (last < len(text))
    number = f"U+{ord(sign):04X}"
    return f"{sign} ({number}, in '{words}')" if sign.isprintable() else f"{number} (in '{words}')"


def _texts(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from _texts((key, value))
    elif isinstance(data, list | tuple):
        for value in data:
            yield from _texts(value)
    elif isinstance(data, BaseModel):
        yield from _texts(data.__dict__)
    elif is_dataclass(data):
        yield from _texts([getattr(data, field.name) for field in fields(data)])
