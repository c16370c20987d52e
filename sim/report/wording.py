"""Numbers and names as people write them, in Chinese, in English or in both."""

from __future__ import annotations

import re
from typing import Literal

from sim.analysis.interval import interval, percent
from sim.figures import Name
from sim.plan import Target

Language = Literal["zh", "en", "both"]
NONE = "–"
WHOLE_DISTRICT = Name(zh="全区", en="Whole district")
ALL_TOGETHER = Name(zh="全部指标同时达成", en="All targets jointly")


def probability_words(probability: float, low: float, high: float, runs: int) -> Name:
    """A probability with its 95 % interval and number of runs, as it stands in a sentence."""
    shown, bounds = percent(probability), interval(low, high)
    return Name(
        zh=f"{shown}（95 % 区间 {bounds} %，{runs:,} 次模拟）",
        en=f"{shown} (95 % interval {bounds} %, {runs:,} runs)",
    )


def amount(value: float) -> str:
    """A quantity with thousands separated; a decimal only below 10."""
    decimals = 0 if value == round(value) or abs(value) >= 10 else 1
    return f"{value:,.{decimals}f}"


def goal(target: Target, threshold: float) -> Name:
    """A target's threshold with its sign and unit: ``≥ 50 项``."""
    sign = ">" if target.comparison == "above" else "≥"
    text = f"{sign} {amount(threshold)} "
    times = "× " if target.unit.en[0].isdigit() else ""
    return Name(zh=text + target.unit.zh, en=text + times + target.unit.en)


def say(name: Name, language: Language, between: str = " ") -> str:
    """A name in one language, or in both with ``between`` in the middle."""
    return f"{name.zh}{between}{name.en}" if language == "both" else name[language]


def wrap_zh(text: str, width: int) -> list[str]:
    """Lines of about ``width`` characters; numbers stay whole, closing marks end their line."""
    lines = [""]
    for piece in re.findall(r"[!-~]+|[^!-~][，。、；：）”]*", text):
        if lines[-1] and len(lines[-1]) + len(piece) > width:
            lines.append("")
        lines[-1] += piece
    return [line.strip() for line in lines]
