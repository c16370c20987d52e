"""Where the runs end in each zone, as one ridge a zone, on a scale that all zones share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray
from scipy.stats import gaussian_kde

from sim.analysis.interval import interval, percent
from sim.figures import Name
from sim.plan import DISTRICT, Plan, Target
from sim.report import style, terms
from sim.report.charts import run_words
from sim.report.page import Line, blank_page, heading, height_of, legend, lines_of, stack
from sim.report.wording import Language, amount, goal, say

Values = NDArray[np.float64]

BARS = 40  # different whole numbers up to which each is a bar of its own
THICKEST = 12.0  # width of a bar, % of the target
POINTS = 240  # of a smooth ridge
WIDEST = 300.0  # % of the target beyond which runs are not drawn
OVERLAP = 0.86  # height of a ridge, in rows
MET = Name(zh="达标的模拟", en="Runs that meet it")
MISSED = Name(zh="未达标的模拟", en="Runs that miss it")
NOTE = Name(
    zh="横轴为期末值占各自目标的百分比，每行高度各自归一；白点为中位数，横线含 90 % 的模拟。"
    "右侧为达成概率及其 95 % 区间。",
    en="Value at the deadline in % of the zone's own target; each ridge has its own height. White "
    "dot: median; line: 90 % of the runs. Right: probability with its 95 % interval.",
)


def ridge_chart(
    values: Mapping[str, Values],
    results: pd.DataFrame,
    target: Target,
    plan: Plan,
    *,
    scenario: Name,
    seed: int,
    language: Language = "both",
) -> Figure:
    """The distribution over the runs of a target's value at its deadline, zone by zone.

    ``values``: (runs,) for the district and each zone with a part in the target, in its unit.
    ``results``: as in ``charts.probability_board``.
    """
    rows = results[results["target"] == target.id].set_index("zone")
    names = terms.zones(plan)
    zones = [zone for zone in names if zone in rows.index]
    runs = len(values[DISTRICT])
    shares = {zone: 100.0 * values[zone] / rows.loc[zone, "threshold"] for zone in zones}
    smooth = not target.quantity.whole or bool(_reach(values[DISTRICT]) > BARS)
    left, right = _span(list(shares.values()), smooth)
    title = Name(
        zh=f"{target.name.zh}：各片区期末值（{target.deadline}）",
        en=f"{target.name.en}: where each zone ends, {target.deadline}",
    )
    with style.house_style():
        width, row, label, side = 9.0, 0.62, 2.1, 1.25
        head = heading(title, run_words(scenario, runs, seed), language, width)
        note = lines_of(
            NOTE, language, zh=10, en=9, zh_width=int(6.6 * width), en_width=int(13 * width)
        )
        body = row * len(zones) + 0.12
        top = 0.15 + height_of(head) + 0.35
        height = top + body + 0.95 + height_of(note)
        figure, page = blank_page(width, height)
        stack(page, 0.3, 0.15, head)
        box = (label, height - top - body, width - label - side, body)
        axes = figure.add_axes((box[0] / width, box[1] / height, box[2] / width, box[3] / height))
        for place, zone in enumerate(zones):
            limit = float(rows.loc[zone, "threshold"])
            base = float(place + 1)
            _ridge(axes, values[zone], limit, target, base, (left, right), smooth)
            own = lines_of(names[zone], language, zh=11.5, en=9.5)
            own = [*own[:2], Line(_goal(target, limit, language), 9, style.GREY)]
            middle = top + row * (place + 0.62)
            stack(page, label - 0.15, middle - height_of(own) / 2, own, align="right")
            found = rows.loc[zone]
            told = [
                Line(percent(found["probability"]), 12.5),
                Line(interval(found["low"], found["high"]), 9.5, style.GREY),
            ]
            stack(page, width - side / 2, middle - height_of(told) / 2, told, align="center")
        axes.axvline(100.0, color=style.RED, linewidth=1.6, dashes=(5, 3))
        axes.set_xlim(left, right)
        axes.set_ylim(len(zones) + 0.04, 0.0)
        axes.set_yticks([])
        ticks = [tick for tick in axes.get_xticks() if left <= tick <= right]
        axes.set_xticks(ticks, labels=[f"{tick:.0f} %" for tick in ticks])
        axes.set_xlim(left, right)
        axes.tick_params(labelsize=9.5)
        axes.spines["left"].set_visible(False)
        _legend(figure, (box[0] / width, (height_of(note) + 0.16) / height), language)
        stack(page, 0.3, height - height_of(note) - 0.1, note)
        target_words = Line(say(Name(zh="目标", en="Target"), language) + " = 100 %", 9, style.RED)
        at = label + (100.0 - left) / (right - left) * box[2]
        stack(page, at, top - 0.2, [target_words], align="center")
        figure.draw_without_rendering()
    return figure


def _reach(values: Values) -> float:
    """How far all runs but the outermost lie apart."""
    return float(np.ptp(np.quantile(values, [0.01, 0.99])))


def _span(shares: Sequence[Values], smooth: bool) -> tuple[float, float]:
    """From where to where the axis runs, in % of the target."""
    low = min(float(np.quantile(share, 0.01)) for share in shares)
    high = max(float(np.quantile(share, 0.97)) for share in shares)
    left = 0.0 if low < 50.0 else 10.0 * np.floor(min(low, 95.0) / 10.0)
    if not smooth and not left:
        left = -0.6 * THICKEST
    return float(left), float(min(WIDEST, max(120.0, 10.0 * np.ceil(high / 10.0))))


def _ridge(
    axes: Axes,
    values: Values,
    limit: float,
    target: Target,
    base: float,
    span: tuple[float, float],
    smooth: bool,
) -> None:
    """One zone: a bar for each whole number, or a smooth density; dark where met."""
    share = 100.0 * values / limit
    step = (span[1] - span[0]) / POINTS
    if not smooth or np.ptp(share) < step:  # all runs in one place
        found, counts = np.unique(values, return_counts=True)
        met = target.met(found, limit)
        one = 100.0 / limit if target.quantity.whole else 1.0
        for value, count, is_met in zip(found, counts, met, strict=True):
            tall = OVERLAP * count / counts.max()
            axes.bar(
                100.0 * value / limit,
                -tall,
                width=min(0.86 * one, THICKEST) if not smooth else max(0.86 * one, step),
                bottom=base,
                color=style.BLUE if is_met else style.BLUE_LIGHT,
                linewidth=0,
            )
    else:
        points = np.linspace(*span, POINTS)
        density = gaussian_kde(share)(points)
        upper = base - OVERLAP * density / (density.max() or 1.0)  # 0 where all lie beyond
        for part, colour in ((points <= 100.0, style.BLUE_LIGHT), (points >= 100.0, style.BLUE)):
            edge = np.append(points[part], 100.0)
            order = np.argsort(edge)
            height = np.append(upper[part], np.interp(100.0, points, upper))
            axes.fill_between(edge[order], height[order], base, color=colour, linewidth=0)
    axes.plot(span, [base, base], color=style.GREY, linewidth=0.7)
    low, middle, high = np.clip(np.quantile(share, [0.05, 0.5, 0.95]), *span)
    axes.plot([low, high], [base, base], color=style.INK, linewidth=2.4, solid_capstyle="butt")
    axes.plot(middle, base, "o", color=style.INK, markerfacecolor="white", ms=6.5, zorder=6)


def _goal(target: Target, limit: float, language: Language) -> str:
    if language == "en":
        return goal(target, limit).en
    sign = ">" if target.comparison == "above" else "≥"
    return f"{sign} {amount(limit)} {target.unit.zh}"


def _legend(figure: Figure, place: tuple[float, float], language: Language) -> None:
    keys = [
        Patch(color=colour, label=say(name, language))
        for name, colour in ((MISSED, style.BLUE_LIGHT), (MET, style.BLUE))
    ]
    legend(figure, keys, place, columns=2)
