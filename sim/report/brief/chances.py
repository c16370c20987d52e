"""Probabilities, quantities and dates as people say them in a sentence."""

from __future__ import annotations

import math
from calendar import month_name
from dataclasses import dataclass

from sim.analysis.interval import interval, percent
from sim.analysis.summary import Result
from sim.figures import Name
from sim.report.wording import amount

TOGETHER = "\u00a0%"  # the sign stays on the line of its number
DIGITS = 3  # that a quantity is said with; thresholds and whole numbers of things as they are
HUNDRED_MILLION = "100 million "  # unit in which Chinese counts money; English says billions


@dataclass(frozen=True)
class Chance:
    """A share that people have a word for."""

    share: float
    words: Name


CHANCES = [
    Chance(share, Name(zh=zh, en=en))
    for share, zh, en in (
        (0.01, "约百分之一", "about one in a hundred"),
        (0.02, "约百分之二", "about one in fifty"),
        (0.05, "约百分之五", "about one in twenty"),
        (0.10, "约一成", "about one in ten"),
        (0.20, "约两成", "about one in five"),
        (0.25, "约四分之一", "about one in four"),
        (0.30, "约三成", "about three in ten"),
        (1 / 3, "约三分之一", "about one in three"),
        (0.40, "约四成", "about two in five"),
        (0.50, "约一半", "about one in two"),
        (0.60, "约六成", "about three in five"),
        (2 / 3, "约三分之二", "about two in three"),
        (0.70, "约七成", "about seven in ten"),
        (0.75, "约四分之三", "about three in four"),
        (0.80, "约八成", "about four in five"),
        (0.90, "约九成", "about nine in ten"),
        (0.95, "约百分之九十五", "about nineteen in twenty"),
        (0.98, "约百分之九十八", "about forty-nine in fifty"),
        (0.99, "约百分之九十九", "about ninety-nine in a hundred"),
    )
]
HARDLY = Name(zh="不到百分之一", en="less than one in a hundred")
NEARLY_SURE = Name(zh="百分之九十九以上", en="more than ninety-nine in a hundred")


def chance(probability: float) -> Name:
    """A probability (0 to 1) as a round share: about three in four.

    Never none and never all: runs prove neither. Raises ValueError outside 0 to 1.
    """
    if not 0 <= probability <= 1:
        raise ValueError(f"found {probability:g}; a probability lies between 0 and 1")
    if probability < 0.01:
        return HARDLY
    if probability > 0.99:
        return NEARLY_SURE
    return min(CHANCES, key=lambda known: abs(known.share - probability)).words


def figures(result: Result) -> Name:
    """A probability and its interval as figures: ``27 %, 95 % interval 19–37 %``."""
    shown, bounds = percent(result.probability), interval(result.low, result.high)
    return Name(
        zh=f"{close(shown)}，95%区间{bounds}%",
        en=f"{shown}, 95 % interval {bounds} %".replace(" %", TOGETHER),
    )


def told(result: Result) -> Name:
    """Both: ``about one in four (27 %, 95 % interval 19–37 %)``."""
    words, exact = chance(result.probability), figures(result)
    return Name(zh=f"{words.zh}（{exact.zh}）", en=f"{words.en} ({exact.en})")


def close(text: str) -> str:
    """A percentage as Chinese sets it, without a space."""
    return text.replace(" %", "%")


def rounded(value: float) -> float:
    """To three digits; whole numbers up to a thousand stay as they are."""
    if value == 0 or (value == round(value) and abs(value) < 10**DIGITS):
        return value
    digits = DIGITS - 1 - math.floor(math.log10(abs(value)))
    return round(value, digits)


def quantity(value: float, unit: Name) -> Name:
    """A value with its unit: 2,070亿元, 207 billion yuan."""
    near = rounded(value)
    zh = f"{amount(near)}{unit.zh}"
    if unit.en.startswith(HUNDRED_MILLION):
        return Name(zh=zh, en=_english_money([near], unit))
    return Name(zh=zh, en=f"{amount(near)} {_singular(unit.en) if near == 1 else unit.en}")


def span(low: float, high: float, unit: Name) -> Name:
    """Two values with their unit: 1,740–2,470亿元, 174–247 billion yuan."""
    one, two = rounded(low), rounded(high)
    zh = f"{amount(one)}–{amount(two)}{unit.zh}"
    if unit.en.startswith(HUNDRED_MILLION):
        return Name(zh=zh, en=_english_money([one, two], unit))
    return Name(zh=zh, en=f"{amount(one)}–{amount(two)} {unit.en}")


def month(text: str) -> Name:
    """2023-12 as 2023年12月, December 2023."""
    year, number = text.split("-")
    return Name(zh=f"{year}年{int(number)}月", en=f"{month_name[int(number)]} {year}")


def count_words(number: int) -> str:
    """A small number in English words, as a sentence has it."""
    words = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    return words[number] if number < len(words) else f"{number:,}"


def _english_money(values: list[float], unit: Name) -> str:
    """Hundreds of millions as billions, or as millions where all are less than one."""
    small = max(values) < 10
    shown = [f"{rounded(100 * value if small else value / 10):,.10g}" for value in values]
    rest = unit.en.removeprefix(HUNDRED_MILLION)
    return f"{'–'.join(shown)} {'million' if small else 'billion'} {rest}"


def _singular(unit: str) -> str:
    return unit.removesuffix("s")
