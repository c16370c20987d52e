"""A chart of what observed figures do to the district's probabilities."""

from __future__ import annotations

from matplotlib.figure import Figure

from sim.analysis.interval import percent
from sim.analysis.observe import Observed
from sim.figures import Name
from sim.plan import ALL_TARGETS, DISTRICT, Plan
from sim.report import style
from sim.report.page import blank_page, height_of, lines_of, stack
from sim.report.wording import ALL_TOGETHER, Language, say

TITLE = Name(
    zh="观测值如何改变全区各项指标的达成概率",
    en="How observed figures move the district's probabilities",
)


def shift_chart(
    observed: Observed, plan: Plan, *, scenario: Name, language: Language = "both"
) -> Figure:
    """Each target's probability in the district before and after, with its 95 % intervals."""
    rows = observed.results[observed.results["zone"] == DISTRICT].set_index("target")
    names = {target.id: target.name for target in plan.targets} | {ALL_TARGETS: ALL_TOGETHER}
    names = {target: name for target, name in names.items() if target in rows.index}
    figures, runs = observed.figures, observed.answer.runs
    words = Name(
        zh=f"情景：{scenario.zh}；{runs:,} 次模拟，加权后相当于 {observed.effective:,.0f} 次；"
        "横条为 95 % 区间",
        en=f"Scenario: {scenario.en}; {runs:,} runs, {observed.effective:,.0f} once weighted; "
        "bars: 95 % intervals",
    )
    count = len(figures.used)
    before = say(Name(zh="此前", en="before"), language)
    after = say(
        Name(
            zh=f"给定截至 {figures.last} 的 {count} 个观测值",
            en=f"given {count} observed to {figures.last}",
        ),
        language,
    )
    with style.house_style():
        width, row, label = 10.0, 0.5, 3.6
        heading = lines_of(TITLE, language, zh=15, en=11)
        heading += lines_of(words, language, zh=10.5, en=9.5, colour=style.GREY)
        body = row * len(names)
        top = 0.15 + height_of(heading) + 0.2
        height = top + body + 1.0
        figure, page = blank_page(width, height)
        stack(page, 0.3, 0.15, heading)
        axes = figure.add_axes(
            (label / width, 0.85 / height, (width - label - 1.4) / width, body / height)
        )
        for place, (target, name) in enumerate(names.items()):
            found = rows.loc[target]
            old, new = place - 0.17, place + 0.17
            axes.hlines(
                old, 100 * found["before_low"], 100 * found["before_high"], style.BLUE_LIGHT, lw=6
            )
            axes.hlines(new, 100 * found["low"], 100 * found["high"], style.BLUE_MIDDLE, lw=6)
            axes.plot(100 * found["before"], old, "o", color=style.GREY, ms=6, clip_on=False)
            axes.plot(100 * found["probability"], new, "o", color=style.BLUE, ms=7, clip_on=False)
            text = f"{percent(found['before'])} → {percent(found['probability'])}"
            axes.text(102, place, text, fontsize=9, va="center", clip_on=False)
            lines = lines_of(name, language, zh=10.5, en=8.5, en_width=48)
            middle = top + row * (place + 0.5)
            stack(page, label - 0.15, middle - height_of(lines) / 2, lines, align="right")
        axes.set_xlim(0, 100)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_yticks([])
        axes.set_xticks(range(0, 101, 20), labels=[f"{n} %" for n in range(0, 101, 20)])
        style.grid(axes, "x")
        axes.plot([], [], "o", color=style.GREY, ms=6, label=before)
        axes.plot([], [], "o", color=style.BLUE, ms=7, label=after)
        figure.legend(
            loc="lower left", bbox_to_anchor=(0.02, 0.0), ncols=2, frameon=False, fontsize=10
        )
        figure.draw_without_rendering()
    return figure
