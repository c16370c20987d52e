"""The page's words: in both languages, and drawn by the font that comes along."""

from __future__ import annotations

import json
import re

from fontTools.ttLib import TTFont

from sim.dashboard.server import STATIC
from sim.report.glyphs import FIRST

WORDS = json.loads((STATIC / "words.json").read_text(encoding="utf-8"))
SCRIPTS = "".join(file.read_text(encoding="utf-8") for file in sorted(STATIC.glob("*.js")))
PAGE = (STATIC / "index.html").read_text(encoding="utf-8")


def test_every_word_is_there_in_both_languages_with_the_same_gaps() -> None:
    for key, word in WORDS.items():
        assert set(word) == {"zh", "en"}, key
        assert all(word.values()), key
        gaps = [sorted(re.findall(r"\{(\w+)\}", text)) for text in word.values()]
        assert gaps[0] == gaps[1], key


def test_every_word_that_the_page_names_is_there() -> None:
    named = re.findall(r'word\("(\w+)"', SCRIPTS) + re.findall(r'data-word="(\w+)"', PAGE)
    assert len(named) > 50
    assert set(named) <= set(WORDS)


def test_the_font_draws_every_sign_of_the_page() -> None:
    with TTFont(FIRST) as font:
        known = set(font.getBestCmap())
    signs = {sign for word in WORDS.values() for text in word.values() for sign in text}
    signs |= set(re.sub(r"//.*|/\*.*?\*/", "", SCRIPTS)) - {"\n"}
    assert not {sign for sign in signs if ord(sign) not in known}


def test_the_page_asks_for_nothing_from_elsewhere() -> None:
    text = SCRIPTS + PAGE + (STATIC / "style.css").read_text(encoding="utf-8")
    found = re.findall(r"[a-z]+://[^\s\"'`]+", text)
    assert set(found) == {"http://www.w3.org/2000/svg"}
