"""A schematic map of the plan's layout: its cores and centres where they lie."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle

from sim.analysis.interval import interval, percent
from sim.errors import RunError
from sim.figures import Name
from sim.plan import ALL_TARGETS, DISTRICT, Plan, Zone
from sim.report import style
from sim.report.charts import run_words
from sim.report.page import Line, blank_page, heading, height_of, legend, lines_of, stack
from sim.report.wording import NONE, Language, say

SCALE = "core_revenue"  # indicator that a zone's size goes with
KM_A_DEGREE = 111.2
LARGEST, SMALLEST = 0.42, 0.09  # radius in inches
LINES = {"core": 2.6, "centre": 1.2, "other": 1.2}
ROLES = {
    "core": Name(zh="核心", en="Core"),
    "centre": Name(zh="中心", en="Centre"),
    "other": Name(zh="其他区域", en="Other"),
}
EVERY = Name(zh="各片区指标平均达成概率", en="mean probability of each zone's targets")
NOTE = Name(
    zh="示意图：圆心为片区的大致位置，不表示边界；圆的面积与基年核心产业营业收入成正比，"
    "颜色越深概率越高。",
    en="Schematic: circles stand roughly where zones lie and show no borders; their areas go with "
    "the core sectors' revenue in the base year; the darker, the likelier.",
)


def can_be_drawn(plan: Plan) -> bool:
    """Whether the plan says where its zones lie."""
    return all(zone.position is not None for zone in plan.zones if zone.role != "other")


def industry(yearly: pd.DataFrame) -> dict[str, float]:
    """Each zone's revenue of core sectors in the base year, 亿元; ``yearly`` as in ``Answer``."""
    rows = yearly[(yearly["indicator"] == SCALE) & (yearly["zone"] != DISTRICT)]
    first = rows[rows["month"] == rows["month"].min()]
    return dict(zip(first["zone"], first["mean"].astype(float), strict=True))


def layout_map(
    results: pd.DataFrame,
    scale: Mapping[str, float],
    plan: Plan,
    *,
    target: str = ALL_TARGETS,
    scenario: Name,
    seed: int,
    language: Language = "both",
) -> Figure:
    """Zones where they lie, coloured by probability and sized by their industry.

    ``results``: as in ``charts.probability_board``. ``scale``: size of each zone, of any unit.
    ``target``: one of the plan's; ``all`` shows the mean over the targets that a zone has.

    Raises:
        RunError: the plan does not say where its cores and centres lie.
    """
    lacking = [z.id for z in plan.zones if z.position is None and z.role != "other"]
    if lacking:
        raise RunError(
            f"plan {plan.id}: the map cannot be drawn, since zone {lacking[0]!r} has no position; "
            "add 'position' to the plan's zones"
        )
    zones = [zone for zone in plan.zones if zone.position is not None]
    runs = int(results["runs"].max())
    told = {zone.id: _told(results, zone.id, target) for zone in zones}
    name = next((t.name for t in plan.targets if t.id == target), EVERY)
    title = Name(zh=f"规划布局：{name.zh}", en=f"The plan's layout: {name.en}")
    if target != ALL_TARGETS:
        title = Name(zh=f"{title.zh}的达成概率", en=f"{title.en}, probability")
    with style.house_style():
        width, side, inner = 9.0, 2.35, 0.5
        head = heading(title, run_words(scenario, runs, seed), language, width)
        note = lines_of(
            NOTE, language, zh=10, en=9, zh_width=int(6.6 * width), en_width=int(13 * width)
        )
        places, span = _project(zones)
        room = width - 2 * side
        inch = min((room - 2 * inner) / span[0], 5.2 / span[1])  # a kilometre
        body = max(span[1] * inch + 2 * inner, 0.62 * math.ceil(len(zones) / 2) + 0.4)
        top = 0.15 + height_of(head) + 0.2
        height = top + body + 0.75 + height_of(note)
        figure, page = blank_page(width, height)
        stack(page, 0.3, 0.15, head)
        middle = (width / 2, top + body / 2)
        spots = {
            zone: (middle[0] + (x - span[0] / 2) * inch, middle[1] + (y - span[1] / 2) * inch)
            for zone, (x, y) in places.items()
        }
        shades = style.probability_scale()
        colours = ScalarMappable(norm=Normalize(0, 1), cmap=shades)
        most = max(scale.get(zone.id, 0.0) for zone in zones) or 1.0
        _labels(page, zones, spots, told, language, (side, width - side), (top, top + body))
        order = sorted(zones, key=lambda zone: -scale.get(zone.id, 0.0))
        for depth, zone in enumerate(order):
            radius = max(SMALLEST, LARGEST * math.sqrt(scale.get(zone.id, 0.0) / most))
            value = told[zone.id][0]
            page.add_patch(
                Circle(
                    spots[zone.id],
                    radius,
                    facecolor=style.BLANK if value is None else shades(value),
                    edgecolor=style.INK,
                    linewidth=LINES[zone.role],
                    linestyle=(0, (3, 2)) if zone.role == "other" else "-",
                    zorder=3 + 0.1 * depth,
                )
            )
        _scale_bar(page, inch, 0.3, top + body + 0.1, language)
        _keys(figure, page, {zone.role for zone in zones}, colours, top + body + 0.1, language)
        stack(page, 0.3, height - height_of(note) - 0.1, note)
        figure.draw_without_rendering()
    return figure


def _told(results: pd.DataFrame, zone: str, target: str) -> tuple[float | None, str]:
    """A zone's probability, and its interval in words; of all targets their mean."""
    rows = results[results["zone"] == zone].set_index("target")
    if target == ALL_TARGETS:
        own = rows.drop(index=ALL_TARGETS, errors="ignore")
        return (float(own["probability"].mean()), "") if len(own) else (None, "")
    if target not in rows.index:
        return None, ""
    row = rows.loc[target]
    return float(row["probability"]), interval(row["low"], row["high"])


def _project(zones: list[Zone]) -> tuple[dict[str, tuple[float, float]], tuple[float, float]]:
    """Kilometres east and south of the north-western corner, and how far they reach.

    x = R·cos(mean φ)·Δλ, y = R·Δφ: an equirectangular map, true enough for one district.
    """
    known = {zone.id: zone.position for zone in zones if zone.position is not None}
    middle = math.radians(sum(p.latitude for p in known.values()) / len(known))
    west = min(p.longitude for p in known.values())
    north = max(p.latitude for p in known.values())
    places = {
        zone: (
            (p.longitude - west) * KM_A_DEGREE * math.cos(middle),
            (north - p.latitude) * KM_A_DEGREE,
        )
        for zone, p in known.items()
    }
    reach = [max(place[n] for place in places.values()) or 1.0 for n in (0, 1)]
    return places, (reach[0], reach[1])


def _labels(
    page: Axes,
    zones: list[Zone],
    spots: Mapping[str, tuple[float, float]],
    told: Mapping[str, tuple[float | None, str]],
    language: Language,
    edges: tuple[float, float],
    rows: tuple[float, float],
) -> None:
    """Names and figures in the margins, the western half left, with a line to each circle."""
    by_x = sorted(zones, key=lambda zone: spots[zone.id][0])
    half = len(by_x) // 2
    for group, edge, align in ((by_x[:half], edges[0], "right"), (by_x[half:], edges[1], "left")):
        blocks = {zone.id: _block(zone, told[zone.id], language) for zone in group}
        wanted = sorted(group, key=lambda zone: spots[zone.id][1])
        heights = [height_of(blocks[zone.id]) + 0.14 for zone in wanted]
        centres = _spread([spots[zone.id][1] for zone in wanted], heights, rows)
        for zone, centre in zip(wanted, centres, strict=True):
            lines = blocks[zone.id]
            shift = -0.08 if align == "right" else 0.08
            stack(page, edge + shift, centre - height_of(lines) / 2, lines, align=align)  # type: ignore[arg-type]
            page.plot(
                [edge, spots[zone.id][0]],
                [centre, spots[zone.id][1]],
                color=style.GREY,
                linewidth=0.8,
                zorder=2,
            )


def _block(zone: Zone, told: tuple[float | None, str], language: Language) -> list[Line]:
    lines = lines_of(zone.name, language, zh=12, en=10, en_width=22)
    value, bounds = told
    shown = NONE if value is None else percent(value)
    return [*lines, Line(f"{shown}  ({bounds})" if bounds else shown, 11.5)]


def _spread(wanted: list[float], heights: list[float], rows: tuple[float, float]) -> list[float]:
    """Centres as near as possible to those wanted (in order) without overlap, within rows."""
    centres: list[float] = []
    floor = rows[0]
    for centre, height in zip(wanted, heights, strict=True):
        centres.append(max(centre, floor + height / 2))
        floor = centres[-1] + height / 2
    ceiling = rows[1]
    for n in range(len(centres) - 1, -1, -1):
        centres[n] = min(centres[n], ceiling - heights[n] / 2)
        ceiling = centres[n] - heights[n] / 2
    return centres


def _scale_bar(page: Axes, inch: float, left: float, y: float, language: Language) -> None:
    """So long as a round number of kilometres."""
    length = next(km for km in (100, 50, 20, 10, 5, 2, 1, 0.5) if km * inch < 1.2 or km == 0.5)
    page.plot([left, left + length * inch], [y, y], color=style.INK, linewidth=1.6)
    words = say(Name(zh=f"{length:g} 千米", en=f"{length:g} km"), language)
    north = say(Name(zh="上北", en="north is up"), language)
    stack(page, left, y + 0.06, [Line(f"{words}; {north}", 9.5, style.GREY)])


def _keys(
    figure: Figure,
    page: Axes,
    roles: set[str],
    colours: ScalarMappable,
    y: float,
    language: Language,
) -> None:
    height = page.get_ylim()[0]
    keys = [
        Line2D(
            [],
            [],
            marker="o",
            linestyle="none" if role != "other" else (0, (3, 2)),
            color=style.INK,
            markerfacecolor="white",
            markeredgewidth=LINES[role],
            markersize=11,
            linewidth=1.0,
            label=say(ROLES[role], language),
        )
        for role in ROLES
        if role in roles
    ]
    place = (0.47, 1 - (y - 0.1) / height)
    legend(figure, keys, place, columns=3, corner="upper left", gap=1.2)
    bar = figure.add_axes((0.47, 1 - (y + 0.34) / height, 0.3, 0.12 / height))
    figure.colorbar(colours, cax=bar, orientation="horizontal", ticks=[0, 0.5, 1.0])
    bar.set_xticklabels(["0 %", "50 %", "100 %"])
    bar.tick_params(labelsize=9, length=2)
