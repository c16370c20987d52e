"""Scenario discovery as one chart: coverage against density, and the limits of the boxes."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sim.analysis.discover_record import BoxRecord, DiscoveryRecord
from sim.analysis.interval import percent
from sim.figures import Name
from sim.plan import Plan
from sim.report import style
from sim.report.discover_table import box_words, heading, limit_text, verdict
from sim.report.page import Line, blank_page, height_of, lines_of, stack
from sim.report.wording import Language, say

WIDTH, PLOT, ROW, LABEL = 11.0, 3.6, 0.42, 2.6  # inches

NOTE = Name(
    zh="左：逐步收紧条件时，覆盖率（条件内的未达成占全部未达成之比）与密度（条件内未达成之比）；"
    "圆点为所选条件，叉为在另一半模拟中检验的结果，虚线为全部模拟。右：所选条件在各因素取值范围（按模拟"
    "的分位，0 至 100 %）中的位置。",
    en="Left: coverage (part of all misses that a condition holds) against density (part of its "
    "runs that miss) as it is made narrower; dot: the condition chosen, cross: conditions from "
    "half of the runs in the other half, dashed: all runs. Right: where it lies in the range of "
    "each factor, by the runs' quantiles.",
)


def box_chart(record: DiscoveryRecord, plan: Plan, *, language: Language = "both") -> Figure:
    """The first box, or the one that could be chance where none is more than that."""
    chosen = record.boxes or ([record.tried] if record.tried else [])
    with style.house_style():
        lines = lines_of(heading(record, plan), language, zh=15, en=11)
        for line in [*map(box_words, record.boxes[:1]), *verdict(record)]:
            lines += lines_of(line, language, zh=10.5, en=9.5, zh_width=68, en_width=130)
        lines += lines_of(
            NOTE, language, zh=9.5, en=9, zh_width=74, en_width=140, colour=style.GREY
        )
        limits = [(box, limit) for box in chosen for limit in box.limits]
        top, body = 0.15 + height_of(lines) + 0.35, max(PLOT, ROW * len(limits) + 0.3)
        height = top + body + 0.65
        figure, page = blank_page(WIDTH, height)
        stack(page, 0.3, 0.15, lines)
        left = figure.add_axes((0.75 / WIDTH, 0.65 / height, 3.9 / WIDTH, body / height))
        if chosen:
            _tradeoff(left, chosen[0], record.misses / record.runs, language)
        start = 0.75 + 3.9 + 0.3 + LABEL
        room = ROW * max(1, len(limits))
        right = figure.add_axes(
            (
                start / WIDTH,
                (0.65 + body - room) / height,
                (WIDTH - start - 1.55) / WIDTH,
                room / height,
            )
        )
        right.set_ylim(len(limits) - 0.5 if limits else 0.5, -0.5)
        for place, (box, limit) in enumerate(limits):
            below = limit.side == "at most"
            first = 0.0 if below else 100 * (1 - limit.share)
            last = 100 * limit.share if below else 100.0
            right.barh(place, 100, height=0.5, color=style.BLANK)
            right.barh(place, last - first, left=first, height=0.5, color=style.BLUE_MIDDLE)
            middle = top + ROW * (place + 0.5)
            name = f"{chosen.index(box) + 1}. {limit.factor}" if len(chosen) > 1 else limit.factor
            stack(page, start - 0.12, middle - 0.09, [Line(name, 9.5)], align="right")
            text = limit_text(limit, "zh" if language == "zh" else "en")
            below_it = f"p {limit.quasi_p:.1g}, {percent(limit.again)}"
            words = [Line(text, 9.5), Line(below_it, 8, style.GREY)]
            stack(page, WIDTH - 1.45, middle - height_of(words) / 2, words)
        right.set_yticks([])
        right.set_xlim(0, 100)
        right.set_xticks(range(0, 101, 25), labels=[f"{n} %" for n in range(0, 101, 25)])
        right.spines["left"].set_visible(False)
        figure.draw_without_rendering()
    return figure


def _tradeoff(axes: Axes, found: BoxRecord, base: float, language: Language) -> None:
    coverage = [100 * step.coverage for step in found.trajectory]
    density = [100 * step.density for step in found.trajectory]
    axes.plot(coverage, density, "o-", color=style.BLUE_MIDDLE, ms=4, lw=1.2)
    axes.plot(100 * found.coverage, 100 * found.density, "o", color=style.BLUE, ms=10)
    axes.vlines(100 * found.coverage, 100 * found.low, 100 * found.high, style.BLUE, lw=2)
    axes.plot(
        100 * found.coverage_elsewhere, 100 * found.density_elsewhere, "x", color=style.RED,
        ms=9, mew=2.4,
    )  # fmt: skip
    axes.axhline(100 * base, color=style.INK, lw=1, ls="--")
    axes.set_xlim(0, 103)
    axes.set_ylim(0, 103)
    axes.set_xlabel(say(Name(zh="覆盖率，%", en="Coverage, %"), language, " · "))
    axes.set_ylabel(say(Name(zh="密度，%", en="Density, %"), language, " · "))
    style.grid(axes)
