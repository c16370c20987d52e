"""Where published figures lie among runs of the model: before the fit, and after it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MultipleLocator
from scipy.optimize import brentq
from scipy.special import ndtr

from sim.analysis.observations import Kind, Observation, Use
from sim.blueprint import Floats
from sim.figures import Name
from sim.plan import DISTRICT, Plan
from sim.report import style
from sim.report.page import Line, blank_page, heading, height_of, lines_of, stack
from sim.report.wording import WHOLE_DISTRICT, Language, amount, say

PROBABILITIES = {"q025": 0.025, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q975": 0.975}

TITLE = Name(
    zh="拟合前后的预测检验：模型与公布数",
    en="Predictive check before and after the fit: the model and what was published",
)
NOTE = Name(
    zh="横轴为模型对应值与公布数之比，区间含口径差异和取整误差，右侧为拟合后的数值。"
    "菱形为公布数；三角形为公布的界限（超过、近），指向其允许的一侧；空心者不用于拟合。",
    en="The model's counterpart over the published figure, with differences of definition and "
    "rounding in the intervals. Diamond: a published value; triangle: a published bound, pointing "
    "to the side that it allows; hollow: not for the fit. Right: the model after the fit.",
)
PUBLISHED = Name(zh="公布数", en="published")
FORESEEN = Name(zh="模型", en="model: median (95 %)")
KINDS: dict[Kind, tuple[str, str]] = {
    Kind.EXACT: ("", ""),
    Kind.ABOUT: ("约", "about"),
    Kind.OVER: ("超过", "over"),
    Kind.NEARLY: ("近", "nearly"),
}
UNITS = {"亿元": "亿元", "家": "firms", "人": "persons"}


def cumulative(observation: Observation, value: float, predicted: Floats) -> float:
    """Predictive probability of a published figure below ``value``.

    The mean over runs of Φ((ln value − ln m − δ) / s): parameters, chance and observation noise.
    """
    score = observation.score(predicted) + np.log(value / observation.value) / observation.sd
    return float(ndtr(score).mean())


def quantile(observation: Observation, probability: float, predicted: Floats) -> float:
    """The value at which ``cumulative`` reaches a probability, by bisection in logs."""
    middle = np.log(predicted) + observation.shift
    reach = 10.0 * observation.sd
    root = brentq(
        lambda log: cumulative(observation, float(np.exp(log)), predicted) - probability,
        middle.min() - reach,
        middle.max() + reach,
    )
    return float(np.exp(root))


def predictive_table(observations: Sequence[Observation], predicted: Floats) -> pd.DataFrame:
    """Predictive distribution of each observation beside what was published.

    Args:
        predicted: the model's counterparts (runs, observations), all above 0.

    Returns:
        A row an observation: id, use, kind, published (in its unit), q025, q25, q50, q75 and q975
        of the predictive distribution, and position, the quantile at which the published
        figure lies in it (0 to 1).
    """
    rows = []
    for observation, values in zip(observations, predicted.T, strict=True):
        quantiles = {
            name: quantile(observation, level, values) for name, level in PROBABILITIES.items()
        }
        rows.append(
            {
                "id": observation.id,
                "use": observation.use.value,
                "kind": observation.kind.value,
                "published": observation.value,
                **quantiles,
                "position": cumulative(observation, observation.value, values),
            }
        )
    return pd.DataFrame(rows)


def is_outside(position: float) -> bool:
    """Whether a published figure lies outside the central 95 % of its predictive distribution."""
    return not 0.025 <= position <= 0.975


def keeps_bound(row: pd.Series) -> bool:
    """Whether it is a bound, with most of the predictive distribution on the side it allows."""
    position = float(row["position"])
    return (
        position < 0.5
        if row["kind"] == Kind.OVER.value
        else (position > 0.5 and row["kind"] == Kind.NEARLY.value)
    )


def published(observation: Observation) -> str:
    """The figure as it was published: ``nearly 1,900 亿元``."""
    unit = UNITS[observation.unit]
    return f"{KINDS[observation.kind][1]} {amount(observation.value)} {unit}".strip()


def title(observation: Observation, plan: Plan) -> Name:
    """Indicator, zone and date of an observation."""
    names = {target.id: target.name for target in plan.targets}
    zones = {zone.id: zone.name for zone in plan.zones}
    zones[DISTRICT] = Name(zh=WHOLE_DISTRICT.zh, en=WHOLE_DISTRICT.en.lower())
    named = observation.indicator
    indicator = names.get(named, Name(zh=named, en=named))
    zone, date = zones[observation.zone], observation.month
    return Name(zh=f"{indicator.zh} · {zone.zh} · {date}", en=f"{indicator.en}, {zone.en}, {date}")


def predictive_chart(
    observations: Sequence[Observation],
    before: pd.DataFrame,
    after: pd.DataFrame,
    plan: Plan,
    *,
    subtitle: Name,
    language: Language = "both",
) -> Figure:
    """Dot (median) and intervals (50 and 95 %) of each observation, over the published figure.

    ``before`` and ``after`` the fit: see ``predictive_table``, in the order of ``observations``.
    """
    width, row, left, right = 11.2, 0.74, 3.9, 2.6
    with style.house_style():
        head = heading(TITLE, subtitle, language, width)
        note = lines_of(NOTE, language, zh=10.5, en=10, zh_width=64, en_width=125)
        top = 0.15 + height_of(head) + 0.85
        body = row * len(observations)
        height = top + body + 0.5 + height_of(note) + 0.2
        figure, page = blank_page(width, height)
        stack(page, 0.3, 0.15, head)
        place = (left / width, 1 - (top + body) / height, 1 - (left + right) / width, body / height)
        axes = figure.add_axes(place)
        for n, (observation, (_, found), (_, prior)) in enumerate(
            zip(observations, after.iterrows(), before.iterrows(), strict=True)
        ):
            middle = top + row * (n + 0.5)
            name = title(observation, plan)
            label = lines_of(name, language, zh=11.5, en=9.5, zh_width=40, en_width=48)
            stack(page, left - 0.2, middle - height_of(label) / 2, label, align="right")
            values = _values(observation, found, language)
            stack(page, width - right + 0.2, middle - height_of(values) / 2, values)
            _draw_row(axes, n, observation, found, prior)
        _finish(axes, len(observations))
        handles, words = _legend(axes, language)
        heads = [
            Line(say(PUBLISHED, language), 10.5, style.RED),
            Line(say(FORESEEN, language), 10.5, style.BLUE),
        ]
        stack(page, width - right + 0.2, top - height_of(heads) - 0.05, heads)
        figure.legend(
            handles,
            words,
            loc="upper left",
            bbox_to_anchor=(0.3 / width, 1 - (0.15 + height_of(head) + 0.1) / height),
            bbox_transform=figure.transFigure,
            borderaxespad=0,
            borderpad=0.3,
            ncols=6,
            columnspacing=1.1,
            frameon=False,
            fontsize=10.5,
        )
        stack(page, 0.3, top + body + 0.5, note)
        figure.draw_without_rendering()
    return figure


def _values(observation: Observation, found: pd.Series, language: Language) -> list[Line]:
    """To the right of a row: the published figure, and below it the model's in the same unit."""
    zh, en = KINDS[observation.kind]
    figure = f"{zh} {amount(observation.value)} {observation.unit}".strip()
    if language == "en":
        figure = published(observation)
    elif language == "both" and en:
        figure += f"（{en}）"
    spread = f"{amount(round(found['q50']))}"
    spread += f"（{amount(round(found['q025']))}–{amount(round(found['q975']))}）"
    return [Line(figure, 10.5, style.RED), Line(spread, 10.5, style.BLUE)]


MARKERS = {Kind.EXACT: "D", Kind.ABOUT: "D", Kind.OVER: ">", Kind.NEARLY: "<"}


def _draw_row(
    axes: Axes, y: int, observation: Observation, found: pd.Series, prior: pd.Series
) -> None:
    """One observation's intervals, median and published figure, the latter at 100 %."""
    before = {name: 100.0 * prior[name] / observation.value for name in PROBABILITIES}
    share = {name: 100.0 * found[name] / observation.value for name in PROBABILITIES}
    axes.hlines(y, share["q025"], share["q975"], color=style.BLUE_MIDDLE, linewidth=3)
    axes.hlines(y, share["q25"], share["q75"], color=style.BLUE, linewidth=7)
    axes.plot(
        share["q50"], y, "o", color="white", markeredgecolor=style.BLUE, markersize=9, zorder=4
    )
    axes.hlines(y - 0.28, before["q025"], before["q975"], color=style.GREY, linewidth=1.5)
    axes.plot(before["q50"], y - 0.28, "o", color=style.GREY, markersize=5, zorder=4)
    marker = MARKERS[observation.kind]
    size = 8 if marker == "D" else 10
    face = "white" if observation.use == Use.CHECK else style.RED
    axes.plot(
        100.0,
        y + 0.3,
        marker,
        color=style.RED,
        markerfacecolor=face,
        markersize=size,
        zorder=5,
    )


def _finish(axes: Axes, rows: int) -> None:
    axes.axvline(100.0, color=style.RED, linewidth=1.2, dashes=(5, 3), zorder=0)
    axes.set_ylim(rows - 0.5, -0.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(MultipleLocator(10))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f} %"))
    style.grid(axes, "x")


def _legend(axes: Axes, language: Language) -> tuple[list[Artist], list[str]]:
    """Handles of the first row's marks, and their words."""
    words = (
        Name(zh="中位数", en="median"),
        Name(zh="50 % 区间", en="interval"),
        Name(zh="95 % 区间", en="interval"),
        Name(zh="拟合前 95 %", en="before the fit"),
        Name(zh="用于拟合", en="for the fit"),
        Name(zh="仅作核对", en="to check"),
    )
    most, half, earlier = axes.collections[:3]
    diamonds = [
        axes.plot([], [], MARKERS[Kind.EXACT], color=style.RED, markerfacecolor=face, markersize=8)[
            0
        ]
        for face in (style.RED, "white")
    ]
    handles = [axes.lines[0], half, most, earlier, *diamonds]
    return handles, [say(name, language) for name in words]


def row_text(observation: Observation, found: pd.Series, before: pd.Series) -> str:
    """A row of the page's table: the figure, the model's intervals, and where it lies in them."""

    def span(low: str, high: str) -> str:
        return f"{amount(round(found[low]))}–{amount(round(found[high]))}"

    cells = [
        f"`{observation.id}`",
        published(observation),
        observation.use.value,
        amount(round(found["q50"])),
        span("q25", "q75"),
        span("q025", "q975"),
        _position(before["position"]),
        _position(found["position"]) + (" (outside)" if is_outside(found["position"]) else ""),
    ]
    return f"| {' | '.join(cells)} |"


def _position(position: float) -> str:
    """A quantile with two decimals, three near the ends."""
    if 0.0005 <= position <= 0.9995:
        return f"{position:.2f}" if 0.05 <= position <= 0.95 else f"{position:.3f}"
    return "< 0.001" if position < 0.5 else "> 0.999"


def findings(observations: Sequence[Observation], table: pd.DataFrame) -> list[str]:
    """One line an observation outside the 95 % interval, or one that says there is none; and on
    which side of the medians the figures lie."""
    lines = []
    for observation, (_, found) in zip(observations, table.iterrows(), strict=True):
        if is_outside(found["position"]):
            side = "above" if found["position"] > 0.5 else "below"
            text = f"- **`{observation.id}` ({published(observation)}) lies {side} the 95 % "
            text += f"interval** (quantile {_position(found['position'])})"
            if keeps_bound(found):
                text += ", on the side that the bound allows: nearly all runs keep to it"
                text += "; read as a value it would be beyond them"
            lines.append(text + ".")
    above = int((table["position"] > 0.5).sum())
    side = f"{above} of the {len(table)} published figures lie above the median."
    if not lines:
        return ["**No published figure lies outside its 95 % interval.**", side]
    return ["Outside the 95 % interval:", "", *lines, "", side]
