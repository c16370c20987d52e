"""Probabilities, quantities and dates are said as people say them."""

from __future__ import annotations

import numpy as np
import pytest

from sim.figures import Name
from sim.report.brief.chances import (
    CHANCES,
    HARDLY,
    NEARLY_SURE,
    chance,
    month,
    quantity,
    rounded,
    span,
)

MONEY = Name(zh="亿元", en="100 million yuan")
THINGS = Name(zh="个", en="platforms")


@pytest.mark.parametrize(
    ("probability", "zh", "en"),
    [
        (0.7483, "约四分之三", "about three in four"),
        (0.27, "约四分之一", "about one in four"),
        (0.34, "约三分之一", "about one in three"),
        (0.5, "约一半", "about one in two"),
        (0.62, "约六成", "about three in five"),
        (0.91, "约九成", "about nine in ten"),
        (0.015, "约百分之一", "about one in a hundred"),
        (0.0, "不到百分之一", "less than one in a hundred"),
        (1.0, "百分之九十九以上", "more than ninety-nine in a hundred"),
    ],
)
def test_a_probability_is_said_as_a_round_share(probability: float, zh: str, en: str) -> None:
    assert chance(probability) == Name(zh=zh, en=en)


def test_the_words_are_never_far_from_the_figure_and_never_certain() -> None:
    share = {known.words.en: known.share for known in CHANCES}
    for probability in np.linspace(0, 1, 1001):
        words = chance(float(probability))
        if words not in (HARDLY, NEARLY_SURE):
            assert abs(share[words.en] - probability) <= 0.051
    assert chance(0.009) == HARDLY
    assert chance(0.991) == NEARLY_SURE


def test_a_higher_probability_never_gets_a_lower_word() -> None:
    order = [HARDLY.en, *(known.words.en for known in CHANCES), NEARLY_SURE.en]
    places = [order.index(chance(float(p)).en) for p in np.linspace(0, 1, 1001)]
    assert places == sorted(places)
    assert len(set(places)) == len(order)


def test_a_probability_beyond_its_bounds_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        chance(1.2)


@pytest.mark.parametrize(
    ("value", "near"), [(2069.59, 2070), (270.0, 270), (187.3, 187), (0.0, 0), (7.04, 7.04)]
)
def test_a_quantity_has_three_digits(value: float, near: float) -> None:
    assert rounded(value) == near


def test_money_is_counted_in_hundred_millions_in_chinese_and_in_billions_in_english() -> None:
    assert quantity(2069.59, MONEY) == Name(zh="2,070亿元", en="207 billion yuan")
    assert span(1741.7, 2470.4, MONEY) == Name(zh="1,740–2,470亿元", en="174–247 billion yuan")
    assert quantity(5.35, MONEY).en == "535 million yuan"
    assert span(4.75, 12.0, MONEY).en == "0.475–1.2 billion yuan"


def test_one_thing_is_singular() -> None:
    assert quantity(1.0, THINGS) == Name(zh="1个", en="1 platform")
    assert quantity(7.0, THINGS) == Name(zh="7个", en="7 platforms")


def test_a_month_is_written_out() -> None:
    assert month("2023-12") == Name(zh="2023年12月", en="December 2023")
