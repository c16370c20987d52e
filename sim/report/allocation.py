"""A chart of ``optimise``: what the best allocation spends on each lever in each place."""

from __future__ import annotations

from matplotlib.figure import Figure

from sim.analysis.optimum import Optimum
from sim.figures import Name
from sim.report import style
from sim.report.lever_words import lever_name, lever_value, money, place_name
from sim.report.page import blank_page, height_of, lines_of, stack
from sim.report.wording import Language, say
from sim.scenario import Inputs

TITLE = Name(zh="最优配置：钱花在哪里", en="Best allocation: where the money goes")
ACROSS = Name(zh="亿元，全期，超出现有安排", en="亿元 over the period, above what is spent now")
NONE = Name(zh="不作改变", en="No change")


def allocation_chart(found: Optimum, inputs: Inputs, *, language: Language = "both") -> Figure:
    """A bar a lever and place, the dearest first, with the lever's value."""
    shares = sorted(found.of("best").shares, key=lambda one: -one.cost)
    name = inputs.scenario.name
    words = Name(
        zh=f"情景：{name.zh}；预算 {found.budget:g} 亿元",
        en=f"Scenario: {name.en}; budget {found.budget:g} 亿元",
    )
    with style.house_style():
        width, label, row = 10.0, 4.0, 0.52
        heading = lines_of(TITLE, language, zh=15, en=11)
        heading += lines_of(words, language, zh=10.5, en=9.5, colour=style.GREY)
        top = 0.15 + height_of(heading) + 0.2
        body = row * max(len(shares), 1)
        height = top + body + 0.75
        figure, page = blank_page(width, height)
        stack(page, 0.3, 0.15, heading)
        if not shares:
            stack(page, 0.3, top, lines_of(NONE, language, zh=12, en=10))
            return figure
        axes = figure.add_axes(
            (label / width, 0.7 / height, (width - label - 2.3) / width, body / height)
        )
        for number, share in enumerate(shares):
            axes.barh(number, share.cost, 0.6, color=style.BLUE_MIDDLE)
            value = lever_value(share.lever, share.value, inputs)
            text = f" {value.zh if language != 'en' else value.en} = {money(share.cost)} 亿元"
            axes.text(share.cost, number, text, fontsize=9, va="center", clip_on=False)
            lever, place = (
                lever_name(share.lever, inputs),
                place_name(share.kind, share.place, inputs),
            )
            both = Name(zh=f"{lever.zh} · {place.zh}", en=f"{lever.en} · {place.en}")
            lines = lines_of(both, language, zh=10.5, en=8.5, en_width=56)
            middle = top + row * (number + 0.5)
            stack(page, label - 0.15, middle - height_of(lines) / 2, lines, align="right")
        axes.set_ylim(len(shares) - 0.5, -0.5)
        axes.set_yticks([])
        axes.set_xlim(left=0)
        axes.set_xlabel(say(ACROSS, language))
        figure.draw_without_rendering()
    return figure
