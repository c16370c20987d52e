"""Where published figures lie among runs whose parameters come from their priors.

``python -m calibration.prior_predictive`` writes docs/prior-predictive.md and its picture.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MultipleLocator
from scipy.optimize import brentq
from scipy.special import ndtr

from calibration import BASELINE, OBSERVATIONS, ROOT
from sim import months
from sim.analysis.observations import Kind, Observation, Use, read_observations
from sim.blueprint import Floats
from sim.errors import InputError
from sim.figures import Name
from sim.plan import DISTRICT, Plan
from sim.report import style
from sim.report.charts import save
from sim.report.page import Line, blank_page, height_of, lines_of, stack
from sim.report.wording import WHOLE_DISTRICT, Language, amount, say
from sim.runner import Runner
from sim.scenario import read_scenario
from sim.store import write_text

PROBABILITIES = {"q025": 0.025, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q975": 0.975}

TITLE = Name(
    zh="先验预测检验：2021 年公布数", en="Prior predictive check: figures published for 2021"
)
NOTE = Name(
    zh="横轴为模型对应值与公布数之比；区间含口径差异和取整误差。菱形为公布数；“超过”“近”只给出界限，"
    "三角形指向其允许的一侧；空心者不用于拟合。",
    en="The model's counterpart over the published figure, with differences of definition and "
    "rounding in the intervals. Diamond: a published value; triangle: a published bound, pointing "
    "to the side that it allows; hollow: not for the fit.",
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


def counterparts(runner: Runner, observations: Sequence[Observation], runs: int) -> Floats:
    """What the model has for each observation in runs 0 to ``runs`` − 1 (runs, observations).

    Runs stop at the last month that is observed. A flow is the sum of the twelve months to the
    date, those before the start as in the base year.
    """
    start = runner.inputs.plan.start
    month = [months.between(start, observation.month) for observation in observations]
    column = [
        runner.series_columns.index(f"{observation.indicator}.{observation.zone}")
        for observation in observations
    ]
    found = np.empty((runs, len(observations)))
    for run in range(runs):
        district = runner.district(run)
        for _ in range(max(month)):
            district.step()
        series = district.outcome().series
        found[run] = series.reshape(len(series), -1)[month, column]
    return found


def cumulative(observation: Observation, value: float, predicted: Floats) -> float:
    """Prior predictive probability of a published figure below ``value``.

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
    """Prior predictive distribution of each observation beside what was published.

    Args:
        predicted: the model's counterparts (runs, observations), all above 0.

    Returns:
        A row an observation: id, use, kind, published (in its unit), q025, q25, q50, q75 and q975
        of the prior predictive distribution, and position, the quantile at which the published
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


def prior_predictive_chart(
    observations: Sequence[Observation],
    table: pd.DataFrame,
    plan: Plan,
    *,
    runs: int,
    seed: int,
    language: Language = "both",
) -> Figure:
    """Dot (median) and intervals (50 and 95 %) of each observation, over the published figure.

    ``table``: see ``predictive_table``, in the order of ``observations``.
    """
    subtitle = Name(
        zh=f"基准情景；参数取自先验；{runs:,} 次模拟，随机种子 {seed}",
        en=f"Baseline, parameters from their priors; {runs:,} runs, seed {seed}",
    )
    width, row, left, right = 11.2, 0.74, 3.9, 2.6
    with style.house_style():
        heading = lines_of(TITLE, language, zh=17, en=12)
        heading += lines_of(subtitle, language, zh=11, en=10, colour=style.GREY)
        note = lines_of(NOTE, language, zh=10.5, en=10, zh_width=64, en_width=125)
        top = 0.15 + height_of(heading) + 0.85
        body = row * len(observations)
        height = top + body + 0.5 + height_of(note) + 0.2
        figure, page = blank_page(width, height)
        stack(page, 0.3, 0.15, heading)
        place = (left / width, 1 - (top + body) / height, 1 - (left + right) / width, body / height)
        axes = figure.add_axes(place)
        for n, (observation, (_, found)) in enumerate(
            zip(observations, table.iterrows(), strict=True)
        ):
            middle = top + row * (n + 0.5)
            name = title(observation, plan)
            label = lines_of(name, language, zh=11.5, en=9.5, zh_width=40, en_width=48)
            stack(page, left - 0.2, middle - height_of(label) / 2, label, align="right")
            values = _values(observation, found, language)
            stack(page, width - right + 0.2, middle - height_of(values) / 2, values)
            _draw_row(axes, n, observation, found)
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
            bbox_to_anchor=(0.3 / width, 1 - (0.15 + height_of(heading) + 0.1) / height),
            bbox_transform=figure.transFigure,
            borderaxespad=0,
            borderpad=0.3,
            ncols=5,
            columnspacing=1.3,
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


def _draw_row(axes: Axes, y: int, observation: Observation, found: pd.Series) -> None:
    """One observation's intervals, median and published figure, the latter at 100 %."""
    share = {name: 100.0 * found[name] / observation.value for name in PROBABILITIES}
    axes.hlines(y, share["q025"], share["q975"], color=style.BLUE_MIDDLE, linewidth=3)
    axes.hlines(y, share["q25"], share["q75"], color=style.BLUE, linewidth=7)
    axes.plot(
        share["q50"], y, "o", color="white", markeredgecolor=style.BLUE, markersize=9, zorder=4
    )
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
    axes.grid(axis="x", color=style.INK, alpha=0.15, linewidth=0.8)
    axes.set_axisbelow(True)


def _legend(axes: Axes, language: Language) -> tuple[list[Artist], list[str]]:
    """Handles of the first row's marks, and their words."""
    words = (
        Name(zh="中位数", en="median"),
        Name(zh="50 % 区间", en="interval"),
        Name(zh="95 % 区间", en="interval"),
        Name(zh="用于拟合", en="published, for the fit"),
        Name(zh="仅作核对", en="published, to check"),
    )
    most, half = axes.collections[:2]
    diamonds = [
        axes.plot([], [], MARKERS[Kind.EXACT], color=style.RED, markerfacecolor=face, markersize=8)[
            0
        ]
        for face in (style.RED, "white")
    ]
    handles = [axes.lines[0], half, most, *diamonds]
    return handles, [say(name, language) for name in words]


def page_text(
    observations: Sequence[Observation], table: pd.DataFrame, *, runs: int, seed: int
) -> str:
    """The page docs/prior-predictive.md, but for its picture."""
    later = [n for n, observation in enumerate(observations) if observation.use != Use.BASE]
    base = [n for n, observation in enumerate(observations) if observation.use == Use.BASE]
    rows = [_row(observations[n], table.iloc[n]) for n in later]
    base_rows = [
        f"| `{observations[n].id}` | {published(observations[n])} "
        f"| {amount(round(table.iloc[n]['q50']))} |"
        for n in base
    ]
    return "\n".join(
        [
            "# Prior predictive check",
            "",
            "Generated by `python -m calibration.prior_predictive`: the baseline "
            f"{runs:,} times (seed {seed}), parameters",
            "drawn from their priors, as far as the last month observed, beside what was published "
            "about 2021",
            "([data dictionary](../calibration/data/README.md)). Nothing is fitted here.",
            "",
            "![Published figures among prior runs](images/prior-predictive.png)",
            "",
            *_findings(observations, table, later),
            "",
            "| row | published | use | median | 50 % | 95 % | quantile of the published figure |",
            "|---|---|---|---|---|---|---|",
            *rows,
            "",
            "The distribution is that of the published figure as the model foresees it: parameters "
            "and chance of the runs,",
            "and the row's differences of definition and rounding. Flows are sums of twelve "
            "months. For a bound the quantile is",
            "the probability of a figure below it: low is what `over` says, high what `nearly` "
            "says. Rows for the fit and rows to",
            "check are not independent: the zones' shares of the base year and the level of "
            "software come from the same figures",
            "of 2021, so that these rows test growth and not the level.",
            "",
            "The base year is met by construction, whatever the draws:",
            "",
            "| row | published | model |",
            "|---|---|---|",
            *base_rows,
            "",
        ]
    )


def _row(observation: Observation, found: pd.Series) -> str:
    def span(low: str, high: str) -> str:
        return f"{amount(round(found[low]))}–{amount(round(found[high]))}"

    cells = [
        f"`{observation.id}`",
        published(observation),
        observation.use.value,
        amount(round(found["q50"])),
        span("q25", "q75"),
        span("q025", "q975"),
        _position(found["position"]) + (" (outside)" if is_outside(found["position"]) else ""),
    ]
    return f"| {' | '.join(cells)} |"


def _position(position: float) -> str:
    """A quantile with two decimals, three near the ends."""
    if 0.0005 <= position <= 0.9995:
        return f"{position:.2f}" if 0.05 <= position <= 0.95 else f"{position:.3f}"
    return "< 0.001" if position < 0.5 else "> 0.999"


def _findings(
    observations: Sequence[Observation], table: pd.DataFrame, rows: Sequence[int]
) -> list[str]:
    """One line an observation outside the 95 % interval, or one that says there is none; and on
    which side of the medians the figures lie."""
    lines = []
    for n in rows:
        found, observation = table.iloc[n], observations[n]
        if is_outside(found["position"]):
            side = "above" if found["position"] > 0.5 else "below"
            text = f"- **`{observation.id}` ({published(observation)}) lies {side} the 95 % "
            text += f"interval** (quantile {_position(found['position'])})"
            if keeps_bound(found):
                text += ", on the side that the bound allows"
                text += "; read as a value it is beyond nearly all runs"
            lines.append(text + ".")
    above = sum(table.iloc[n]["position"] > 0.5 for n in rows)
    side = f"{above} of the {len(rows)} published figures lie above the median."
    if not lines:
        return ["**No published figure lies outside its 95 % interval.**", side]
    return ["Outside the 95 % interval:", "", *lines, "", side]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page and its picture; 0, or 2 where the input cannot be used."""
    parser = argparse.ArgumentParser(prog="calibration.prior_predictive", description=__doc__)
    parser.add_argument("--runs", type=int, default=300, help="number of runs (default 300)")
    parser.add_argument("--seed", type=int, default=1, help="seed (default 1)")
    parser.add_argument("--out", type=Path, default=ROOT / "docs", help="directory of the page")
    options = parser.parse_args(arguments)
    if options.runs < 1 or options.seed < 0:
        parser.error("--runs: at least 1; --seed: at least 0")
    try:
        inputs = read_scenario(BASELINE)
        observations = read_observations(OBSERVATIONS, inputs)
        runner = Runner(inputs, options.seed)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    predicted = counterparts(runner, observations, options.runs)
    table = predictive_table(observations, predicted)
    text = page_text(observations, table, runs=options.runs, seed=options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    write_text(options.out / "prior-predictive.md", text)
    later = [n for n, observation in enumerate(observations) if observation.use != Use.BASE]
    chart = prior_predictive_chart(
        [observations[n] for n in later],
        table.iloc[later],
        inputs.plan,
        runs=options.runs,
        seed=options.seed,
    )
    save(chart, options.out / "images" / "prior-predictive", ("png",))
    return 0


if __name__ == "__main__":
    sys.exit(main())
