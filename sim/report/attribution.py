"""How the plan's measures add up: a waterfall from no measure to all, by group and by measure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sim.analysis.attribution import Attribution, Share, Whole
from sim.analysis.average import Average
from sim.figures import Name
from sim.plan import Plan
from sim.report import style
from sim.report.attribution_table import change_text, goal_name, ordered, player_name
from sim.report.difference_table import points, target_name, zone_name
from sim.report.page import Line, blank_page, heading, height_of, lines_of, stack
from sim.report.wording import Language, say

WITHOUT = Name(zh="无措施", en="No measure")
WITH = Name(zh="全部措施", en="All measures")
GROUPS = Name(zh="按组", en="By group")
MEASURES = Name(zh="按措施", en="By measure")
PROBABILITY = Name(zh="达成概率，%", en="Probability, %")
VALUE = Name(zh="期末均值", en="Mean value at the deadline")
MET = Name(zh="达成指标个数的均值", en="Mean number of targets met")
NOTE = Name(
    zh="每一级为一组或一项措施的份额（沙普利值），细线为其 95 % 区间；蓝色为增，橙红为减，"
    "空心为区间含零。按均值份额排序。",
    en="Each step is the share of a group or measure (Shapley value), the thin line its 95 % "
    "interval; blue adds, vermilion takes away, hollow: the interval holds zero. Sorted by the "
    "share in the mean.",
)
ROW, HEAD, LABEL, PLOT, GAP = 0.38, 0.45, 3.6, 3.5, 0.5  # inches
WIDTH = LABEL + 2 * PLOT + GAP + 0.55

Part = Callable[[Share], Average]


def attribution_chart(
    found: Attribution, target: str, zone: str, plan: Plan, *, language: Language = "both"
) -> Figure:
    """Two waterfalls, probability and mean value, each over groups and then over measures.

    Raises:
        KeyError: the zone has no part in the target.
    """
    whole = found.whole(target, zone)
    blocks = [(GROUPS, ordered(found.groups, whole)), (MEASURES, ordered(found.measures, whole))]
    with style.house_style():
        head = _heading(found, whole, plan, language)
        note = lines_of(NOTE, language, zh=10.5, en=10, zh_width=72, en_width=140)
        top = 0.15 + height_of(head) + 0.1
        spans = [HEAD + ROW * (len(shares) + 2) for _, shares in blocks]
        height = top + sum(spans) + 0.85 + height_of(note) + 0.3
        figure, page = blank_page(WIDTH, height)
        stack(page, 0.3, 0.15, head)
        for (name, shares), span in zip(blocks, spans, strict=True):
            body = top + HEAD
            stack(page, 0.3, body - 0.28, lines_of(_flat(name, language), "zh", zh=12, en=10))
            names = [WITHOUT, *(player_name(share.id, plan, language) for share in shares), WITH]
            for row, label in enumerate(names):
                _label(page, label, body + ROW * (row + 0.5), language)
            for column, draw in enumerate((_probability, _value)):
                left = LABEL + column * (PLOT + GAP)
                place = (left / WIDTH, 1 - (body + ROW * len(names)) / height)
                size = (PLOT / WIDTH, ROW * len(names) / height)
                axes = figure.add_axes((*place, *size))
                draw(axes, whole, shares)
                if name is MEASURES:
                    axes.set_xlabel(say(_axis(target, plan, column), language, "\n"))
            top += span
        stack(page, 0.3, top + 0.9, note)
        figure.draw_without_rendering()
    return figure


def _probability(axes: Axes, whole: Whole, shares: Sequence[Share]) -> None:
    start, end = whole.without.probability, whole.complete.probability
    _steps(axes, start, end, [s.probability for s in shares], points, 100.0)


def _value(axes: Axes, whole: Whole, shares: Sequence[Share]) -> None:
    start, end = whole.value_without.mean, whole.value_complete.mean
    _steps(axes, start, end, [share.value for share in shares], change_text, 1.0)


def _steps(
    axes: Axes,
    start: float,
    end: float,
    shares: Sequence[Average],
    words: Callable[[float], str],
    scale: float,
) -> None:
    """Bars from where the last one ended; at both ends the level itself."""
    levels = [start]
    for share in shares:
        levels.append(levels[-1] + share.mean)
    reach = [start, end, *levels]
    reach += [
        base + side for base, s in zip(levels, shares, strict=False) for side in (s.low, s.high)
    ]
    low, high = min(reach) * scale, max(reach) * scale
    room = max(high - low, 1e-9)
    last = len(shares) + 1
    for row, level in ((0, start), (last, end)):
        axes.plot([level * scale] * 2, [row - 0.36, row + 0.36], color=style.INK, lw=3.0)
        fine = abs(end - start) < 20
        text = f"{level:,.{1 if fine else 0}f}" if scale == 1.0 else f"{100 * level:.0f} %"
        axes.text(level * scale + 0.03 * room, row, text, va="center", ha="left", fontsize=10)
    for row, (base, share) in enumerate(zip(levels, shares, strict=False), start=1):
        told = share.low > 0 or share.high < 0
        colour = style.BLUE if share.mean >= 0 else style.RED
        axes.barh(
            row,
            share.mean * scale,
            left=base * scale,
            height=0.56,
            color=colour if told else "white",
            edgecolor=colour,
            linewidth=1.0,
            zorder=3,
        )
        ends = [(base + share.low) * scale, (base + share.high) * scale]
        axes.plot(ends, [row, row], color=style.INK, lw=0.9, zorder=4)
        after = (base + share.mean) * scale
        axes.plot([after, after], [row + 0.28, row + 0.72], color=style.GREY, lw=0.7, zorder=2)
        edge = max(after, base * scale, *ends)
        axes.text(
            edge + 0.02 * room, row, words(share.mean), va="center", ha="left", fontsize=9, zorder=5
        )
    axes.set_xlim(low - 0.03 * room, high + 0.22 * room)
    axes.set_ylim(last + 0.5, -0.5)
    axes.set_yticks([])
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.tick_params(labelsize=9.5)
    axes.spines["left"].set_visible(False)
    style.grid(axes, "x")


def _axis(target: str, plan: Plan, column: int) -> Name:
    if not column:
        return PROBABILITY
    unit = next((t.unit for t in plan.targets if t.id == target), None)
    return MET if unit is None else Name(zh=f"{VALUE.zh}，{unit.zh}", en=f"{VALUE.en}, {unit.en}")


def _label(page: Axes, name: Name, centre: float, language: Language) -> None:
    lines = lines_of(name, language, zh=10.5, en=8.5, en_width=52)
    stack(page, LABEL - 0.15, centre - height_of(lines) / 2, lines, align="right")


def _flat(name: Name, language: Language) -> Name:
    text = say(name, language)
    return Name(zh=text, en=text)


def _heading(found: Attribution, whole: Whole, plan: Plan, language: Language) -> list[Line]:
    goal, place = goal_name(whole, plan), zone_name(whole.zone, plan)
    short = target_name(whole.target, plan)
    title = Name(
        zh=f"各项措施对「{short.zh}」的贡献：{place.zh}",
        en=f"What each measure adds: {goal.en}, {place.en}",
    )
    subtitle = Name(
        zh=f"情景：{found.scenario.name.zh}；{found.runs:,} 组参数与运气，共 {found.evaluations:,} "
        f"次模拟，随机种子 {found.seed}",
        en=f"Scenario: {found.scenario.name.en}; {found.runs:,} draws of parameters and luck, "
        f"{found.evaluations:,} runs in all, seed {found.seed}",
    )
    return heading(title, subtitle, language, WIDTH)
