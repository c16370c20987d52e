"""The chain behind one target as four panels: effort, progress, drivers, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sim.analysis.average import Average
from sim.analysis.explanation import Explanation
from sim.analysis.interval import interval, percent
from sim.figures import Name
from sim.plan import Driver, Plan
from sim.report import style
from sim.report.attribution_table import change_text
from sim.report.chain_words import BEHAVIOURS, DRIVERS, TERMS, department_name, measure_name
from sim.report.difference_table import target_name, zone_name
from sim.report.page import Line, blank_page, height_of, lines_of, stack
from sim.report.wording import Language, goal

EFFORT = Name(zh="1 投入：任务数与人手之比", en="1 Effort: measures per staff")
PROGRESS = Name(zh="2 进度（竖线为计划）", en="2 Progress (mark: the plan's path)")
LEVELS = Name(zh="3 驱动因素（0–1）", en="3 Drivers (0 to 1)")
ACCOUNT = Name(zh="4 指标变化的构成", en="4 What the change consists of")
PUSHES = Name(zh="4 行为的变化，%", en="4 Change of behaviour, %")
NOTE = Name(
    zh="条为重做各次模拟的均值，细线为 95 % 区间。投入大于 1 为人手不足；进度与驱动因素取期末；"
    "各图列出最大的几项，指标变化的各项之和恰为总变化。",
    en="Bars: means over the runs made again; thin lines: 95 % intervals. Above 1 a department is "
    "short of staff. Progress and drivers at the deadline. The largest are shown; the parts of the "
    "change sum to it exactly.",
)
ROW, HEAD, LABEL, PLOT = 0.36, 0.62, 2.75, 2.5  # inches
GAP = 0.09  # between two labels, at least
SHOWN = 9


@dataclass(frozen=True)
class Bar:
    """One row of a panel; ``mark``: where the plan wants it."""

    name: Name
    value: Average
    mark: float | None = None


Panel = tuple[Name, list[Bar], Callable[[float], str]]


@dataclass(frozen=True)
class Rows:
    """The labels of a panel's bars, and how far down each bar lies, inches."""

    labels: list[list[Line]]
    centres: list[float]
    height: float

    @classmethod
    def of(cls, bars: Sequence[Bar], language: Language) -> Rows:
        """A row is as high as its label needs."""
        labels = [lines_of(bar.name, language, zh=9.5, en=7.8, en_width=40) for bar in bars]
        heights = [max(ROW, height_of(lines) + GAP) for lines in labels] or [ROW]
        ends = list(accumulate(heights))
        centres = [end - height / 2 for end, height in zip(ends, heights, strict=True)]
        return cls(labels, centres, ends[-1])


def chain_chart(found: Explanation, plan: Plan, *, language: Language = "both") -> Figure:
    """Two columns of panels: departments and measures; drivers and the indicator."""
    columns: list[list[Panel]] = [
        [
            (EFFORT, _effort(found, plan), _plain),
            (PROGRESS, _progress(found, plan, language), _part),
        ],
        [(LEVELS, _levels(found), _two), _last(found)],
    ]
    with style.house_style():
        width = 2 * (LABEL + PLOT) + 1.1
        heading = _heading(found, plan, language)
        note = lines_of(NOTE, language, zh=10.5, en=10, zh_width=72, en_width=140)
        top = 0.15 + height_of(heading) + 0.15
        laid = [[(panel, Rows.of(panel[1], language)) for panel in panels] for panels in columns]
        spans = [sum(HEAD + rows.height + 0.35 for _, rows in panels) for panels in laid]
        height = top + max(spans) + 0.15 + height_of(note) + 0.25
        figure, page = blank_page(width, height)
        stack(page, 0.3, 0.15, heading)
        for number, panels in enumerate(laid):
            left, y = LABEL + number * (LABEL + PLOT + 0.55), top
            for (title, bars, words), rows in panels:
                head = lines_of(title, language, zh=12, en=10)
                stack(page, left - LABEL + 0.3, y + HEAD - 0.08 - height_of(head), head)
                place = left / width, 1 - (y + HEAD + rows.height) / height
                axes = figure.add_axes((*place, PLOT / width, rows.height / height))
                _draw(axes, bars, rows, words)
                for lines, centre in zip(rows.labels, rows.centres, strict=False):
                    edge = y + HEAD + centre - height_of(lines) / 2
                    stack(page, left - 0.1, edge, lines, align="right")
                y += HEAD + rows.height + 0.35
        stack(page, 0.3, top + max(spans) + 0.15, note)
        figure.draw_without_rendering()
    return figure


def _effort(found: Explanation, plan: Plan) -> list[Bar]:
    rows = sorted(found.departments, key=lambda row: -row.workload.mean)[: SHOWN - 3]
    return [Bar(department_name(row.department, plan), row.workload, 1.0) for row in rows]


def _progress(found: Explanation, plan: Plan, language: Language) -> list[Bar]:
    return [
        Bar(measure_name(row.measure, plan, language), row.progress, row.path)
        for row in found.measures[:SHOWN]
    ]


def _levels(found: Explanation) -> list[Bar]:
    return [Bar(DRIVERS[Driver(row.driver)], row.level) for row in found.drivers[: SHOWN - 3]]


def _last(found: Explanation) -> Panel:
    if found.account:
        rows = sorted(found.account, key=lambda term: -abs(term.value.mean))
        always = [term for term in rows if term.id == "measures"]
        rows = rows[:SHOWN] + [term for term in always if term not in rows[:SHOWN]]
        return ACCOUNT, [Bar(TERMS[term.id], term.value) for term in rows], change_text
    bars = [
        Bar(
            Name(
                zh=f"{BEHAVIOURS[push.id].zh}：{DRIVERS[Driver(row.driver)].zh}",
                en=f"{BEHAVIOURS[push.id].en}: {DRIVERS[Driver(row.driver)].en.lower()}",
            ),
            _hundredfold(push.value),
        )
        for row in found.drivers
        for push in row.pushes
        if push.value.mean
    ]
    bars.sort(key=lambda bar: -abs(bar.value.mean))
    return PUSHES, bars[:SHOWN], change_text


def _hundredfold(value: Average) -> Average:
    return Average(**{name: 100.0 * number for name, number in value})


def _draw(axes: Axes, bars: Sequence[Bar], rows: Rows, words: Callable[[float], str]) -> None:
    """Bars at the height of their labels; downwards the unit is the inch."""
    ends = [0.0]
    for row, bar in zip(rows.centres, bars, strict=False):
        value = bar.value
        colour = style.BLUE if value.mean >= 0 else style.RED
        axes.barh(row, value.mean, height=0.55 * ROW, color=colour, zorder=3)
        axes.plot([value.low, value.high], [row, row], color=style.INK, lw=0.9, zorder=4)
        if bar.mark is not None:
            reach = 0.36 * ROW
            axes.plot([bar.mark] * 2, [row - reach, row + reach], color=style.RED, lw=2, zorder=5)
        ends += [value.low, value.high, value.mean, bar.mark or 0.0]
    low, high = min(ends), max(ends)
    room = max(high - low, 1e-9)
    for row, bar in zip(rows.centres, bars, strict=False):
        edge = max(bar.value.high, bar.value.mean, bar.mark or 0.0, 0.0) + 0.03 * room
        axes.text(edge, row, words(bar.value.mean), va="center", ha="left", fontsize=9)
    axes.axvline(0, color=style.GREY, lw=0.8)
    axes.set_xlim(low - 0.02 * room if low < 0 else 0, high + 0.22 * room)
    axes.set_ylim(rows.height, 0)
    axes.set_yticks([])
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.tick_params(labelsize=8.5)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=style.INK, alpha=0.12, linewidth=0.8)
    axes.set_axisbelow(True)


def _plain(value: float) -> str:
    return f"{value:.1f}"


def _part(value: float) -> str:
    return f"{value:.0%}".replace("%", " %")


def _two(value: float) -> str:
    return f"{value:.2f}"


def _heading(found: Explanation, plan: Plan, language: Language) -> list[Line]:
    target = next(t for t in plan.targets if t.id == found.target)
    name, zone = target_name(found.target, plan), zone_name(found.zone, plan)
    limit = goal(target, found.threshold)
    title = Name(
        zh=f"从投入到指标：{zone.zh}「{name.zh}」{limit.zh}",
        en=f"From effort to indicator: {name.en} {limit.en}, {zone.en}",
    )
    chance, span = percent(found.probability), interval(found.low, found.high)
    subtitle = Name(
        zh=f"情景：{found.scenario.name.zh}；达成概率 {chance}（{span} %，{found.runs:,} 次模拟）；"
        f"重做 {found.watched} 次，随机种子 {found.seed}",
        en=f"Scenario: {found.scenario.name.en}; probability {chance} ({span} %, {found.runs:,} "
        f"runs); {found.watched} runs made again, seed {found.seed}",
    )
    large = lines_of(title, language, zh=16, en=12, zh_width=48, en_width=110)
    small = lines_of(subtitle, language, zh=11, en=10, zh_width=72, en_width=130, colour=style.GREY)
    return large + small
