"""A chart of ``optimise``: what more money buys, and what else the same money would have bought."""

from __future__ import annotations

from matplotlib.figure import Figure

from sim.analysis.optimum import Optimum, Role
from sim.figures import Name
from sim.report import style
from sim.report.optimise_table import ROLES, objective_words
from sim.report.page import blank_page, height_of, lines_of, stack
from sim.report.wording import Language, say
from sim.scenario import Inputs

TITLE = Name(zh="多花的钱换来多大把握", en="What more money buys")
ACROSS = Name(zh="增加成本，亿元", en="Added cost, 亿元")
AXIS = Name(zh="概率，%", en="Probability, %")
FRONT = Name(zh="前沿（无更省更好者）", en="front: nothing better for less")
BUDGET = Name(zh="预算", en="budget")
MARKS: dict[Role, tuple[str, str]] = {
    "present": ("o", style.GREY),
    "front": ("o", style.BLUE_MIDDLE),
    "best": ("D", style.BLUE),
    "equal spread": ("s", style.RED),
    "best single lever": ("^", style.RED),
}


def front_chart(found: Optimum, inputs: Inputs, *, language: Language = "both") -> Figure:
    """Cost against the objective on held-out runs, with 95 % intervals."""
    name, what = inputs.scenario.name, objective_words(found, inputs)
    words = Name(
        zh=f"情景：{name.zh}；{what.zh}；{found.confirm:,} 次未参与搜索的模拟；竖线为 95 % 区间",
        en=f"Scenario: {name.en}; {what.en}; {found.confirm:,} held-out runs; bars: 95 % intervals",
    )
    with style.house_style():
        width, body = 9.0, 4.4
        heading = lines_of(TITLE, language, zh=15, en=11)
        heading += lines_of(
            words, language, zh=10.5, en=9.5, zh_width=58, en_width=115, colour=style.GREY
        )
        top = 0.15 + height_of(heading) + 0.25
        height = top + body + 1.4
        figure, page = blank_page(width, height)
        stack(page, 0.3, 0.15, heading)
        axes = figure.add_axes((0.8 / width, 1.4 / height, (width - 1.1) / width, body / height))
        axes.axvline(found.budget, color=style.GREY, lw=1.2, ls=":", label=say(BUDGET, language))
        best = sorted(
            (one.cost.value, 100 * one.held_out.value) for one in found.settings if one.efficient
        )
        axes.plot(*zip(*best, strict=True), color=style.BLUE, lw=1.6, label=say(FRONT, language))
        named: set[Role] = set()
        for one in found.settings:
            mark, colour = MARKS[one.role]
            x, held = one.cost.value, one.held_out
            axes.vlines(x, 100 * held.low, 100 * held.high, colour, lw=1.4, alpha=0.7)
            label = None if one.role in named else say(ROLES[one.role], language)
            axes.plot(x, 100 * held.value, mark, color=colour, ms=8, label=label)
            named.add(one.role)
        axes.set_ylim(bottom=0)
        axes.set_xlabel(say(ACROSS, language))
        axes.set_ylabel(say(AXIS, language))
        style.grid(axes, "y")
        figure.legend(
            loc="lower left", bbox_to_anchor=(0.02, 0.0), ncols=3, frameon=False, fontsize=9.5
        )
        figure.draw_without_rendering()
    return figure
