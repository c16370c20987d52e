"""The charts: one function each, from a table to a matplotlib Figure.

Figures are made without pyplot and leave no state behind; ``save`` writes them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from sim import months
from sim.analysis.interval import interval, percent
from sim.figures import Name
from sim.plan import ALL_TARGETS, DISTRICT, Plan, Target
from sim.report import glyphs, style, terms
from sim.report.page import Line, blank_page, heading, height_of, lines_of, stack
from sim.report.wording import (
    ALL_TOGETHER,
    NONE,
    Language,
    amount,
    goal,
    say,
)
from sim.store import whole_file

BOARD_TITLE = Name(zh="各片区各项指标的达成概率", en="Probability of meeting each target, by zone")
BOARD_NOTE = Name(
    zh="格内为按期达成指标的概率，其下为 95 % 区间（%）。表头为全区目标值，各片区按所承担的份额计；"
    "“–”表示该片区不承担此项指标。",
    en="In each cell: the probability that the target is met by its deadline; below it the 95 % "
    "interval (%). Thresholds are the district's; a zone is held to its share (–: it has none).",
)
MEASURED = {
    "flow": Name(zh="近 12 个月合计", en="Sum of the last 12 months"),
    "stock": Name(zh="月末数", en="At the end of the month"),
    "count": Name(zh="累计数", en="Cumulative number"),
}


def probability_board(
    results: pd.DataFrame,
    plan: Plan,
    *,
    scenario: Name,
    seed: int,
    language: Language = "both",
) -> Figure:
    """Heat map of the probability of every target (columns) in every zone (rows).

    ``results``: one row a zone and target with zone, target, threshold (the target's unit),
    probability, low and high (its 95 % interval, 0 to 1) and runs; zone ``district`` is the
    whole, target ``all`` all of them at once. A pair without a row is a zone without that target.
    """
    cells = results.set_index(["zone", "target"])
    runs = int(results["runs"].max())
    zones = terms.zones(plan)
    heads = {target.id: _column_head(target, cells, language) for target in plan.targets}
    heads[ALL_TARGETS] = (_column_name(ALL_TOGETHER, language), [])

    # In inches: text must fit its cell whatever the number of zones and targets.
    column, row, gap, left = 1.04, 0.62, 0.12, 1.75
    right = left + len(heads) * column + gap
    width = right + 1.0
    head = heading(BOARD_TITLE, run_words(scenario, runs, seed), language, width)
    note = lines_of(
        BOARD_NOTE, language, zh=10.5, en=10, zh_width=int(6.5 * width), en_width=int(12 * width)
    )
    top = 0.15 + height_of(head) + 0.25
    names, goals = (max(height_of(words[part]) for words in heads.values()) for part in (0, 1))
    body = top + names + goals + 0.16
    bottom = body + len(zones) * row + gap
    height = bottom + 0.35 + height_of(note)
    x_of = {t: left + n * column + gap * (t == ALL_TARGETS) for n, t in enumerate(heads)}
    y_of = {z: body + n * row + gap * (z != DISTRICT) for n, z in enumerate(zones)}

    with style.house_style():
        figure, page = blank_page(width, height)
        stack(page, 0.25, 0.15, head)
        for target, (name, threshold) in heads.items():
            middle = x_of[target] + column / 2
            stack(page, middle, top, name, align="center")
            stack(page, middle, top + names + 0.06, threshold, align="center")
        for zone, zone_name in zones.items():
            label = lines_of(zone_name, language, zh=12.5, en=10.5)
            edge = y_of[zone] + (row - height_of(label)) / 2
            stack(page, left - 0.12, edge, label, align="right")
        colours = ScalarMappable(norm=Normalize(0, 100), cmap=style.probability_scale())
        for zone, y in y_of.items():
            for target, x in x_of.items():
                found = cells.loc[(zone, target)] if (zone, target) in cells.index else None
                _board_cell(page, x, y, column, row, found, colours)
        stack(page, 0.25, bottom + 0.2, note)
        place = (right + 0.2, height - bottom, 0.16, bottom - body)
        bar = figure.add_axes(
            (place[0] / width, place[1] / height, place[2] / width, place[3] / height)
        )
        figure.colorbar(colours, cax=bar, ticks=range(0, 101, 20), format="%d %%")
        bar.tick_params(labelsize=10, length=2)
        figure.draw_without_rendering()
    return figure


def fan_chart(
    history: pd.DataFrame,
    target: Target,
    zone_name: Name,
    threshold: float,
    probability_text: Name,
    *,
    scenario: Name,
    past: pd.DataFrame | None = None,
    language: Language = "both",
) -> Figure:
    """The spread of all runs over time, with the target at its deadline.

    ``history``: one row a month from the base month on, with month (``2021-03``) and the runs'
    quantiles q05, q25, q50, q75, q95 in the target's unit: flows as sums over twelve months,
    counts since the start, stocks at the month's end. ``probability_text``: see
    ``wording.probability_words``. ``past``: figures published for dates before the base month,
    with month and value in the target's unit.
    """
    years = [_year(month) for month in history["month"]]
    due = _year(target.deadline)
    known = pd.DataFrame(columns=["month", "value"]) if past is None else past
    earlier = [_year(month) for month in known["month"]]
    floor = min(history["q05"].min(), threshold, *known["value"])
    ceiling = max(history["q95"].max(), threshold, *known["value"])
    margin = 0.06 * (ceiling - floor or 1.0)
    floor = floor - margin if floor > 0.5 * ceiling else 0.0
    title = Name(zh=f"{target.name.zh} · {zone_name.zh}", en=f"{target.name.en} · {zone_name.en}")
    subtitle = Name(
        zh=f"按期达成概率：{probability_text.zh}。情景：{scenario.zh}",
        en=f"Probability of meeting the target: {probability_text.en}. Scenario: {scenario.en}",
    )

    with style.house_style():
        width, plot, below = 9.0, 3.3, 1.1 + 0.3 * bool(earlier)
        head = heading(title, subtitle, language, width)
        height = 0.15 + height_of(head) + 0.6 + plot + below
        figure, page = blank_page(width, height)
        stack(page, 0.3, 0.15, head)
        axes = figure.add_axes((0.09, below / height, 0.71, plot / height))
        _draw_fan(axes, years, history, target, language)
        start = min([years[0], *(math.floor(year - 0.01) for year in earlier)])
        axes.plot([start, due], [threshold] * 2, color=style.RED, linewidth=1.8, dashes=(5, 3))
        axes.plot(due, threshold, "D", color=style.RED, markersize=7, clip_on=False)
        if earlier:
            _draw_past(axes, earlier, known, (years[0], history["q50"].iloc[0]), language)
        axes.set_xlim(start, max(years[-1], due))
        axes.set_ylim(floor, ceiling + margin)
        _label_years(axes)
        axes.yaxis.set_major_locator(
            MaxNLocator(6, steps=[1, 2, 5, 10], integer=target.quantity.whole)
        )
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: amount(value)))
        style.grid(axes, "y", below="line")
        _label_axis_and_target(page, axes, target, threshold, language)
        figure.legend(
            loc="lower left", bbox_to_anchor=(0.07, 0.01), ncols=2, frameon=False, fontsize=10.5
        )
        figure.draw_without_rendering()
    return figure


def save(
    figure: Figure, path_without_suffix: Path | str, formats: Sequence[str] = ("png", "svg")
) -> list[Path]:
    """Write a figure in each format and return the files; a file is whole or not there.

    The same figure gives the same bytes: no dates, no random ids. SVG text is drawn as paths,
    so that it needs no font.
    """
    glyphs.note(style.texts(figure))
    written = []
    for kind in formats:
        path = Path(f"{path_without_suffix}.{kind}")
        path.parent.mkdir(parents=True, exist_ok=True)
        undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {"Software": None}}
        with whole_file(path) as draft, style.house_style():
            figure.savefig(draft, format=kind, dpi=160, metadata=undated.get(kind))
        written.append(path)
    return written


def run_words(scenario: Name, runs: int, seed: int) -> Name:
    """Which scenario, how many runs and which seed: a chart's second line."""
    return Name(
        zh=f"情景：{scenario.zh}；{runs:,} 次模拟，随机种子 {seed}",
        en=f"Scenario: {scenario.en}; {runs:,} runs, seed {seed}",
    )


def _column_name(name: Name, language: Language) -> list[Line]:
    return lines_of(name, language, zh=11.5, en=9.5, zh_width=6, en_width=14)


def _column_head(
    target: Target, cells: pd.DataFrame, language: Language
) -> tuple[list[Line], list[Line]]:
    """A target's name, and its threshold for the district with the unit."""
    place = (DISTRICT, target.id)
    threshold = float(
        cells.loc[place, "threshold"] if place in cells.index else target.threshold.value
    )
    whole = goal(target, threshold)
    below = Name(zh=whole.zh, en=target.unit.en if language == "both" else whole.en)
    return (
        _column_name(target.name, language),
        lines_of(below, language, zh=11.5, en=9.5, en_width=14),
    )


def _board_cell(
    page: Axes,
    x: float,
    y: float,
    width: float,
    height: float,
    found: pd.Series | None,
    colours: ScalarMappable,
) -> None:
    lines = [Line(NONE, 12, style.GREY)]
    face: Any = style.BLANK
    if found is not None and not math.isnan(found["probability"]):
        face = colours.to_rgba(100 * found["probability"])
        bounds = interval(found["low"], found["high"])
        lines = [Line(percent(found["probability"]), 15), Line(bounds, 10.5)]
    page.add_patch(Rectangle((x, y), width, height, facecolor=face, edgecolor="white", linewidth=2))
    stack(page, x + width / 2, y + (height - height_of(lines)) / 2, lines, align="center")


def _draw_fan(
    axes: Axes, years: list[float], history: pd.DataFrame, target: Target, language: Language
) -> None:
    """Median, bands and base point; whole numbers change in steps, one a month."""
    first, last = history.iloc[0], history.iloc[-1]
    steps = target.quantity.whole
    words = say(Name(zh="模拟中位数", en="Median of runs"), language)
    axes.plot(
        years,
        history["q50"],
        color=style.BLUE,
        linewidth=2.2,
        drawstyle="steps-pre" if steps else "default",
        label=f"{words} ({last['month']}: {amount(last['q50'])})",
    )
    bands = (("q25", "q75", 50, style.BLUE_MIDDLE), ("q05", "q95", 90, style.BLUE_LIGHT))
    for order, (low, high, share, colour) in enumerate(bands):
        words = say(Name(zh=f"{share} % 的模拟", en=f"{share} % of runs"), language)
        axes.fill_between(
            years,
            history[low],
            history[high],
            color=colour,
            linewidth=0,
            step="pre" if steps else None,
            zorder=1 - 0.1 * order,
            label=f"{words} ({last['month']}: {amount(last[low])}–{amount(last[high])})",
        )
    words = say(Name(zh="基期", en="Base"), language)
    axes.plot(
        years[0],
        first["q50"],
        "o",
        color=style.INK,
        markersize=7,
        clip_on=False,
        zorder=5,
        label=f"{words} ({first['month']}: {amount(first['q50'])})",
    )


def _draw_past(
    axes: Axes,
    years: list[float],
    past: pd.DataFrame,
    base: tuple[float, float],
    language: Language,
) -> None:
    """What was published before the base month, joined to the base point."""
    axes.plot(
        [*years, base[0]], [*past["value"], base[1]], color=style.GREY, linewidth=1.2, dashes=(2, 2)
    )
    words = say(Name(zh="此前公布值", en="Published before"), language)
    axes.plot(
        years,
        past["value"],
        "s",
        color=style.GREY,
        markerfacecolor="white",
        markersize=6.5,
        clip_on=False,
        zorder=5,
        label=f"{words} ({', '.join(past['month'])})",
    )


def _year(month: str) -> float:
    """Where a month stands on the axis: at its end, so that December closes its year."""
    return (months.number(month) + 1) / 12


def _label_years(axes: Axes) -> None:
    """A tick at each turn of the year, its number in the year's middle."""
    low, high = axes.get_xlim()
    turns = range(math.ceil(low), math.floor(high) + 1)
    axes.set_xticks(turns, labels=[""] * len(turns))
    every = math.ceil((high - low) / 12)
    years = range(math.floor(low), math.ceil(high), every)
    shown = [year for year in years if low <= year + 0.5 <= high]
    axes.set_xticks([year + 0.5 for year in shown], labels=[str(y) for y in shown], minor=True)
    axes.tick_params(axis="x", which="minor", length=0)


def _label_axis_and_target(
    page: Axes, axes: Axes, target: Target, threshold: float, language: Language
) -> None:
    """The unit above the value axis; the target to the right, at its height."""
    width, height = page.get_xlim()[1], page.get_ylim()[0]
    place = axes.get_position()
    how = MEASURED[target.quantity.kind]
    words = Name(zh=f"{how.zh}（{target.unit.zh}）", en=f"{how.en} ({target.unit.en})")
    unit = [Line(say(words, language, "   "), 10.5)]
    stack(page, 0.3, (1 - place.y1) * height - 0.3, unit)
    low, high = axes.get_ylim()
    middle = height * (1 - place.y0 - place.height * (threshold - low) / (high - low))
    title = Line(
        f"{say(Name(zh='目标', en='Target'), language)} {target.deadline}", 10.5, style.RED
    )
    whole = goal(target, threshold)
    label = [title, *lines_of(whole, language, zh=10.5, en=9.5, en_width=18, colour=style.RED)]
    stack(page, place.x1 * width + 0.15, middle - height_of(label) / 2, label)
