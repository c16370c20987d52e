"""A tornado: what each factor does to a target, from its lowest to its highest quarter."""

from __future__ import annotations

from typing import Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sim.analysis.sensitivity_record import OutputRecord, Row, SensitivityRecord
from sim.figures import Name
from sim.plan import ALL_TARGETS, Plan
from sim.report import style
from sim.report.difference_table import target_name, zone_name
from sim.report.page import Line, blank_page, height_of, lines_of, stack
from sim.report.sensitivity_table import index_texts, shown_zone, strongest
from sim.report.wording import Language, say

MOST = 12  # factors on a chart
ROW, LABEL, SIDE, WIDTH = 0.36, 2.9, 1.75, 11.0  # inches

NOTE = Name(
    zh="横条从该因素处于其范围最低四分之一正中（橙）到最高四分之一正中（蓝），按直线；"
    "细线为其 95 % 区间，竖线为总均值。斜纹：该因素的作用无法判断。",
    en="Bars: from the middle of the factor's lowest quarter (vermilion) to that of its highest "
    "(blue), on a straight line, with 95 % intervals; upright line: mean of all points. Hatched: "
    "what the factor does cannot be told.",
)


def drawn(record: SensitivityRecord) -> list[tuple[str, str]]:
    """The targets and zone that have a chart."""
    zone = shown_zone(record)
    targets = dict.fromkeys(output.target for output in record.outputs if output.zone == zone)
    return [(target, zone) for target in targets if strongest(record, target, zone)]


def tornado(
    record: SensitivityRecord,
    plan: Plan,
    target: str,
    zone: str,
    *,
    language: Language = "both",
) -> Figure:
    """The strongest factors of a target's mean indicator and of its probability, beside indices."""
    rows = strongest(record, target, zone)[:MOST]
    whole, where = target_name(target, plan), zone_name(zone, plan)
    title = Name(
        zh=f"{whole.zh} · {where.zh}：取决于什么", en=f"{whole.en} · {where.en}: what it hangs on"
    )
    units = {one.id: one.unit for one in plan.targets}
    with style.house_style():
        heading = lines_of(title, language, zh=15, en=11)
        heading += lines_of(
            NOTE, language, zh=9.5, en=9, zh_width=72, en_width=140, colour=style.GREY
        )
        top, body = 0.15 + height_of(heading) + 0.55, ROW * len(rows)
        height = top + body + 0.6
        figure, page = blank_page(WIDTH, height)
        stack(page, 0.3, 0.15, heading)
        room = WIDTH - LABEL - SIDE - 0.55
        if target == ALL_TARGETS:
            panels = [(rows, "probability", LABEL, room)]
        else:
            half = (room - 0.35) / 2
            chances = [(row if other is None else other, other) for row, other in rows]
            panels = [
                (rows, "mean", LABEL, half),
                (chances, "probability", LABEL + half + 0.35, half),
            ]
        for mine, measure, left, width in panels:
            axes = figure.add_axes((left / WIDTH, 0.6 / height, width / WIDTH, body / height))
            unit = None if measure == "probability" else units[target]
            _bars(
                axes,
                [row for row, _ in mine],
                _output(record, target, zone, measure),
                unit,
                language,
            )
        heads = index_head(record)
        stack(
            page, WIDTH - 0.3, top - 0.4, [Line(say(heads, language), 9, style.GREY)], align="right"
        )
        for place, (row, _) in enumerate(rows):
            middle = top + ROW * (place + 0.5)
            stack(page, LABEL - 0.12, middle - 0.09, [Line(row.factor, 9)], align="right")
            text = index_texts(row, "zh" if language == "zh" else "en")[0]
            stack(page, WIDTH - 0.3, middle - 0.09, [Line(text, 9)], align="right")
        figure.draw_without_rendering()
    return figure


def index_head(record: SensitivityRecord) -> Name:
    """What stands beside the bars."""
    if record.size:
        return Name(zh="总效应指数", en="Total index")
    return Name(zh="平均效应", en="Mean effect")


def _output(record: SensitivityRecord, target: str, zone: str, measure: str) -> OutputRecord:
    design: Literal["sobol", "morris"] = "sobol" if record.size else "morris"
    return next(
        output
        for output in record.outputs
        if (output.target, output.zone, output.measure, output.design)
        == (target, zone, measure, design)
    )


def _bars(
    axes: Axes, rows: list[Row], output: OutputRecord, unit: Name | None, language: Language
) -> None:
    scale = 100.0 if unit is None else 1.0
    middle = scale * output.mean
    for place, row in enumerate(rows):
        apart = abs(row.at_high - row.at_low) > 2 * 1.96 * row.error
        hatch = None if apart or row.verdict == "negligible" else "////"
        for value, colour in ((row.at_low, style.RED), (row.at_high, style.BLUE)):
            if hatch:
                axes.barh(
                    place, scale * value - middle, left=middle, height=0.62,
                    facecolor="white", edgecolor=style.GREY, hatch=hatch, linewidth=0.6,
                )  # fmt: skip
            else:
                axes.barh(place, scale * value - middle, left=middle, height=0.62, color=colour)
            reach = 1.96 * scale * row.error
            axes.hlines(place, scale * value - reach, scale * value + reach, style.INK, lw=1.1)
    axes.axvline(middle, color=style.INK, linewidth=1.0)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="x", labelsize=9)
    style.grid(axes, "x")
    words = Name(zh="达成概率，%", en="Probability, %")
    if unit is not None:
        words = Name(zh=f"期末值均值，{unit.zh}", en="Mean at the deadline")
    axes.set_xlabel(say(words, language, " · "), fontsize=9)
