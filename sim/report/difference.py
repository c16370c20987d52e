"""A what-if beside its base: each target's two probabilities as a dumbbell, with intervals."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from sim.analysis.compare import Comparison, Difference, Verdict, WhatIf
from sim.figures import Name
from sim.plan import ALL_TARGETS, DISTRICT, Plan
from sim.report import style
from sim.report.difference_table import mean_text, points, points_interval, target_name, zone_name
from sim.report.page import Line, blank_page, heading, height_of, legend, lines_of, stack
from sim.report.wording import Language, say

NOTE = Name(
    zh="圆点为按期达成的概率，横线为其 95 % 区间。同号模拟的运气与参数相同，所以差值（百分点，95 % "
    "配对区间）比两条横线所示更准。期末值变化为均值 ± 标准误，以指标单位计。蓝、橙实心圆点及粗体："
    "全部指标与片区一并判断，仍可与偶然区分（把握 95 %）。",
    en="Dots: probability of meeting the target by its deadline; bars: 95 % interval. Paired runs "
    "share luck and parameters, so the difference (points, paired 95 % interval) is known better "
    "than the bars suggest. Change of value at the deadline: mean ± standard error, in the "
    "target's unit. Filled blue or vermilion dots and bold figures can be told from chance, all "
    "targets and zones taken together (95 %).",
)
NOTE_ZONES = Name(
    zh="圆点为各片区按期达成其份额的概率，横线为其 95 % 区间。蓝、橙实心圆点："
    "期末值的变化可与偶然区分（全部指标与片区一并判断，把握 95 %）；空心：看不出差别。"
    "没有圆点的片区不承担该项指标。",
    en="Dots: probability that the zone meets its part by the deadline; bars: 95 % interval. "
    "Filled blue or vermilion: the change of the value at the deadline can be told from chance "
    "(all targets and zones taken together, 95 %); hollow: it cannot. No dots: the zone has no "
    "part in the target.",
)
KEYS = {
    Verdict.RISES: Name(zh="期末值升高", en="value higher"),
    Verdict.FALLS: Name(zh="期末值降低", en="value lower"),
    Verdict.UNCLEAR: Name(zh="看不出差别", en="no difference told"),
}
COLOURS = {Verdict.RISES: style.BLUE, Verdict.FALLS: style.RED, Verdict.UNCLEAR: style.BLUE}
VALUE = Name(zh="期末值变化", en="Change of value")
CHANGE = Name(zh="相差百分点", en="Points")
AXIS = Name(zh="达成概率，%", en="Probability, %")
ROW, LABEL, SIDE = 0.52, 2.75, 1.55  # inches: height of a target, width of its name, of numbers
PANEL, COLUMNS = 2.1, 4


def difference_chart(
    found: Comparison, what_if: WhatIf, plan: Plan, *, language: Language = "both"
) -> Figure:
    """The whole district: a dumbbell a target, and the difference in percentage points."""
    rows = _rows(what_if, DISTRICT, plan)
    with style.house_style():
        width, plot = 10.6, 4.2
        title = Name(
            zh=f"{what_if.scenario.name.zh}：全区各项指标的达成概率",
            en=f"{what_if.scenario.name.en}: probability of meeting the district's targets",
        )
        headline = _heading(found, what_if, title, language, width)
        note = lines_of(NOTE, language, zh=10.5, en=10, zh_width=66, en_width=125)
        top = 0.15 + height_of(headline) + 1.15
        body = ROW * len(rows)
        height = top + body + 0.75 + height_of(note) + 0.2
        figure, page = blank_page(width, height)
        stack(page, 0.3, 0.15, headline)
        axes = figure.add_axes(
            (LABEL / width, 1 - (top + body) / height, plot / width, body / height)
        )
        _dumbbells(axes, rows, plan, 7.5, 20)
        axes.set_xlabel(say(AXIS, language))
        _legend(figure, (LABEL / width, 1 - (top - 0.55) / height), language)
        first = LABEL + plot + 0.25 + SIDE / 2
        for middle, name in ((first, CHANGE), (first + SIDE, VALUE)):
            head = lines_of(name, language, zh=11, en=9.5)
            stack(page, middle, top - 0.08 - height_of(head), head, align="center")
        for number, row in enumerate(rows):
            centre = top + ROW * (number + 0.5)
            _label(page, row.target, plan, language, centre)
            change = points(row.difference), points_interval(row)
            _figure(page, first, centre, change, row.verdict)
            mean, _, error = mean_text(row.value, row.error).partition(" ")
            _figure(page, first + SIDE, centre, (mean, error), row.value_verdict)
        stack(page, 0.3, top + body + 0.75, note)
        figure.draw_without_rendering()
    return figure


def zones_chart(
    found: Comparison, what_if: WhatIf, plan: Plan, *, language: Language = "both"
) -> Figure:
    """Who gains and who loses: the same dumbbells in a panel a zone."""
    zones = [change.zone for change in what_if.zones if change.zone != DISTRICT]
    targets = [*plan.target_ids(), ALL_TARGETS]
    lines = -(-len(zones) // COLUMNS)
    with style.house_style():
        columns = min(COLUMNS, len(zones))
        width = max(LABEL + columns * PANEL + 0.3, 9.0)
        title = Name(
            zh=f"{what_if.scenario.name.zh}：哪些片区受益、哪些受损",
            en=f"{what_if.scenario.name.en}: which zones gain and which lose",
        )
        headline = _heading(found, what_if, title, language, width)
        note = lines_of(
            NOTE_ZONES,
            language,
            zh=10.5,
            en=10,
            zh_width=int(6.3 * width),
            en_width=int(12 * width),
        )
        step = 0.8 * ROW
        top = 0.15 + height_of(headline) + 0.4
        body, head = step * len(targets), 0.55 if language == "both" else 0.35
        block = head + body + 0.55
        height = top + lines * block + 0.15 + height_of(note) + 0.2
        figure, page = blank_page(width, height)
        stack(page, 0.3, 0.15, headline)
        _legend(figure, (LABEL / width, 1 - (top + 0.02) / height), language)
        for number, zone in enumerate(zones):
            line, column = divmod(number, COLUMNS)
            upper, left = top + line * block + head, LABEL + column * PANEL
            name = lines_of(zone_name(zone, plan), language, zh=12, en=9.5)
            stack(page, left, upper - 0.05 - height_of(name), name)
            place = left / width, 1 - (upper + body) / height
            axes = figure.add_axes((*place, (PANEL - 0.3) / width, body / height))
            _dumbbells(axes, _rows(what_if, zone, plan), plan, 5.5, 50)
            if not column:
                for place_of, target in enumerate(targets):
                    _label(page, target, plan, language, upper + step * (place_of + 0.5), 0.85)
        stack(page, 0.3, top + lines * block + 0.15, note)
        figure.draw_without_rendering()
    return figure


def _rows(what_if: WhatIf, zone: str, plan: Plan) -> list[Difference]:
    found = {row.target: row for row in what_if.differences if row.zone == zone}
    return [found[target] for target in [*plan.target_ids(), ALL_TARGETS] if target in found]


def _dumbbells(axes: Axes, rows: Sequence[Difference], plan: Plan, size: float, every: int) -> None:
    """Base in grey above what-if in blue or vermilion, joined by a line."""
    order = {target: place for place, target in enumerate([*plan.target_ids(), ALL_TARGETS])}
    for row in rows:
        y = order[row.target]
        told, colour = row.value_verdict != Verdict.UNCLEAR, COLOURS[row.value_verdict]
        axes.plot([100 * row.base, 100 * row.what_if], [y - 0.13, y + 0.13], color=style.GREY, lw=1)
        for shade, value, low, high, shift in (
            (style.GREY, row.base, row.base_low, row.base_high, -0.13),
            (colour, row.what_if, row.what_if_low, row.what_if_high, 0.13),
        ):
            axes.plot(
                [100 * low, 100 * high],
                [y + shift] * 2,
                color=shade,
                lw=2.6,
                alpha=0.45,
                solid_capstyle="butt",
            )
            axes.plot(
                100 * value,
                y + shift,
                "o",
                color=shade,
                markerfacecolor=shade if told or shade == style.GREY else "white",
                markersize=size,
                clip_on=False,
                zorder=5,
            )
    axes.set_xlim(0, 100)
    axes.set_ylim(len(order) - 0.5, -0.5)
    axes.set_yticks([])
    axes.set_xticks(range(0, 101, every))
    axes.tick_params(labelsize=9.5)
    axes.spines["left"].set_visible(False)
    style.grid(axes, "x", below="line")
    for edge in range(1, len(order)):
        axes.axhline(edge - 0.5, color=style.INK, alpha=0.08, linewidth=0.6)


def _figure(
    page: Axes, middle: float, centre: float, texts: tuple[str, str], verdict: Verdict
) -> None:
    """A figure above how sure it is, bold where it can be told from chance."""
    told = verdict != Verdict.UNCLEAR
    colour = style.INK if told else style.GREY
    sizes = (12.5, 9.5)
    lines = [Line(text, size, colour) for text, size in zip(texts, sizes, strict=True) if text]
    stack(page, middle, centre - height_of(lines) / 2, lines, align="center")
    if told:
        # The font has one weight: an outline of the same colour thickens it.
        page.texts[-len(lines)].set_path_effects([withStroke(linewidth=0.6, foreground=colour)])


def _label(
    page: Axes, target: str, plan: Plan, language: Language, centre: float, scale: float = 1.0
) -> None:
    lines = lines_of(
        target_name(target, plan), language, zh=11.5 * scale, en=9.5 * scale, en_width=40
    )
    stack(page, LABEL - 0.15, centre - height_of(lines) / 2, lines, align="right")


def _legend(figure: Figure, place: tuple[float, float], language: Language) -> None:
    base, what_if = Name(zh="基准", en="base"), Name(zh="情景", en="what-if")
    keys = [Line2D([], [], marker="o", color=style.GREY, lw=2.6, label=say(base, language))]
    for verdict, name in KEYS.items():
        words = Name(zh=f"{what_if.zh}：{name.zh}", en=f"{what_if.en}: {name.en}")
        face = "white" if verdict == Verdict.UNCLEAR else COLOURS[verdict]
        keys.append(
            Line2D(
                [],
                [],
                marker="o",
                color=COLOURS[verdict],
                markerfacecolor=face,
                lw=2.6,
                label=say(words, language, "\n"),
            )
        )
    legend(figure, keys, place, columns=4)


def _heading(
    found: Comparison, what_if: WhatIf, title: Name, language: Language, width: float
) -> list[Line]:
    subtitle = Name(
        zh=f"基准：{found.base.name.zh}；每个情景 {found.runs:,} 次模拟，随机种子 {found.seed}",
        en=f"Base: {found.base.name.en}; {found.runs:,} runs of each, seed {found.seed}",
    )
    return heading(title, subtitle, language, width)
