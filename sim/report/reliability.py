"""Whether a forecast's probabilities were kept: its figures, and its targets, as one chart."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from sim.analysis.interval import wilson
from sim.analysis.scorebook import MODEL, Score, settled
from sim.analysis.scoring import CONFIDENCE, Verdict, band
from sim.blueprint import Floats
from sim.figures import Name
from sim.report import style
from sim.report.page import blank_page, heading, height_of, lines_of, stack
from sim.report.wording import Language, say

BINS = 5  # of equal width
ENOUGH = 10  # settled targets for frequencies; assumption: with fewer a bin holds one or two

TITLE = Name(zh="预测概率是否可靠", en="How reliable were the forecast's probabilities?")
FIGURES = Name(zh="公布的数值", en="Published figures")
TARGETS = Name(zh="已有定论的目标", en="Targets of which the outcome is known")
TOO_LOW = Name(zh="预测偏低", en="forecasts\ntoo low")
TOO_HIGH = Name(zh="预测偏高", en="forecasts\ntoo high")
BELOW = Name(
    zh="预测认为低于公布值的概率（PIT）",
    en="Probability given to less than was published (PIT)",
)
SHARE = Name(zh="数值的累计比例", en="Share of figures up to there")
GIVEN = Name(zh="预测的达成概率", en="Forecast probability of meeting the target")
MET = Name(zh="实际达成的比例", en="Share of targets that were met")
IDEAL = Name(zh="完全可靠的预测", en="perfectly reliable")
NOTE = Name(
    zh="左：每个圆点为一个公布的数值，只公布界限的不在其中。若各数值相互独立，可靠预测的阶梯线"
    "有 95 % 的把握整条落在浅色带内。",
    en="Left: a dot is a published figure; those published as a bound are not shown. If the "
    "figures are independent, the steps of a reliable forecast stay wholly within the band with "
    "95 % probability.",
)
NOTE_TARGETS = Name(
    zh="右：上下两行的圆圈为单项目标（上：达成，下：未达成）。",
    en="Right: a circle is one target (upper row: met, lower row: missed).",
)
NOTE_SHARES = Name(
    zh="方块为预测概率相近的一组目标中达成的比例，旁为个数，竖线为 95 % 区间。",
    en="A square is the share met among targets of like probability, with their number; the line "
    "is its 95 % interval.",
)


def reliability_chart(found: Score, *, scenario: Name, language: Language = "both") -> Figure:
    """ECDF of the PIT with its simultaneous band; forecast probability against frequency.

    With fewer than 10 settled targets there are no frequencies, only the targets themselves.
    """
    places = np.sort([s.pit for s in found.scores if s.forecast == MODEL and s.pit is not None])
    rows = settled(found.targets)
    given = np.array([row.probabilities[MODEL] for row in rows])
    met = np.array([row.verdict == Verdict.MET for row in rows], dtype=float)
    forecast = found.forecast
    subtitle = Name(
        zh=f"情景：{scenario.zh}；{forecast.runs:,} 次模拟，随机种子 {forecast.seed}；"
        f"公布数：{found.outturns.name}",
        en=f"Scenario: {scenario.en}; {forecast.runs:,} runs, seed {forecast.seed}; "
        f"published figures: {found.outturns.name}",
    )
    width, side = 10.4, 3.7
    with style.house_style():
        headline = heading(TITLE, subtitle, language, width)
        texts = [NOTE]
        if len(rows):
            texts.append(NOTE_TARGETS if len(rows) < ENOUGH else _joined(NOTE_TARGETS, NOTE_SHARES))
        note = [
            line
            for text in texts
            for line in lines_of(text, language, zh=10.5, en=10, zh_width=64, en_width=125)
        ]
        heads = [
            lines_of(name, language, zh=12.5, en=10.5)
            for name in (_head(FIGURES, len(places)), _head(TARGETS, len(rows)))
        ]
        top = 0.15 + height_of(headline) + 0.25
        body = top + max(height_of(head) for head in heads) + 0.12
        labels = 1.25 if language == "both" else 1.05
        height = body + side + labels + height_of(note) + 0.25
        figure, page = blank_page(width, height)
        stack(page, 0.3, 0.15, headline)
        for left, head, words, draw in (
            (1.1, heads[0], (BELOW, SHARE), lambda axes: _draw_pit(axes, places, language)),
            (6.3, heads[1], (GIVEN, MET), lambda axes: _draw_targets(axes, given, met, language)),
        ):
            stack(page, left, top, head)
            place = (left / width, 1 - (body + side) / height, side / width, side / height)
            axes = figure.add_axes(place)
            _frame(axes, words, language)
            draw(axes)
        _legend(figure, 1 - (body + side + labels - 0.06) / height, language)
        stack(page, 0.3, body + side + labels, note)
        figure.draw_without_rendering()
    return figure


def _legend(figure: Figure, bottom: float, language: Language) -> None:
    handles = (
        Line2D([], [], color=style.BLUE, linewidth=2, marker="o", markersize=6),
        Patch(facecolor=style.BLUE_LIGHT, edgecolor="none"),
        Line2D([], [], color=style.GREY, linewidth=1.2, dashes=(5, 3)),
    )
    share = f"{CONFIDENCE * 100:.0f} %"
    words = (
        Name(zh="本预测", en="this forecast"),
        Name(zh=f"可靠预测的 {share} 范围", en=f"{share} of reliable forecasts"),
        IDEAL,
    )
    figure.legend(
        handles,
        [say(name, language) for name in words],
        loc="lower left",
        bbox_to_anchor=(0.02, bottom),
        ncols=3,
        frameon=False,
        fontsize=10,
    )


def _head(name: Name, count: int) -> Name:
    return Name(zh=f"{name.zh}（{count} 个）", en=f"{name.en} ({count})")


def _joined(first: Name, second: Name) -> Name:
    return Name(zh=first.zh + second.zh, en=f"{first.en} {second.en}")


def _frame(axes: Axes, words: tuple[Name, Name], language: Language) -> None:
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.12, 1.12)
    axes.set_xlabel(say(words[0], language, "\n"), fontsize=10, linespacing=1.4)
    axes.set_ylabel(say(words[1], language, "\n"), fontsize=10, linespacing=1.4)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks([0, 0.25, 0.5, 0.75, 1])
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f} %"))
    style.grid(axes)
    axes.plot([0, 1], [0, 1], color=style.GREY, linewidth=1.2, dashes=(5, 3))


def _draw_pit(axes: Axes, places: Floats, language: Language) -> None:
    if not len(places):
        _nothing(
            axes,
            Name(zh="没有公布数值，只有界限", en="no figure with a value, only bounds"),
            language,
        )
        return
    half = band(len(places))
    line = np.linspace(0, 1, 201)
    low, high = np.clip(line - half, 0, 1), np.clip(line + half, 0, 1)
    axes.fill_between(line, low, high, color=style.BLUE_LIGHT, linewidth=0, zorder=0.5)
    steps = np.concatenate([[0.0], places, [1.0]])
    shares = np.concatenate([np.arange(len(places) + 1) / len(places), [1.0]])
    axes.step(steps, shares, where="post", color=style.BLUE, linewidth=2)
    heights = (np.arange(len(places)) + 1) / len(places)
    axes.plot(places, heights, "o", color=style.BLUE, markersize=6 if len(places) < 40 else 3)
    for x, y, words, side in ((1, 0.03, TOO_LOW, "right"), (0, 0.97, TOO_HIGH, "left")):
        axes.text(
            x,
            y,
            say(words, language, "\n"),
            ha=side,
            va="bottom" if y < 0.5 else "top",
            fontsize=9,
            linespacing=1.3,
            color=style.GREY,
        )


def _draw_targets(axes: Axes, given: Floats, met: Floats, language: Language) -> None:
    if not len(given):
        words = Name(
            zh="公布数还不能说明\n任何目标是否按期达成",
            en="the published figures settle\nno target at its deadline",
        )
        _nothing(axes, words, language)
        return
    faces = np.where(met > 0, style.BLUE, "white")
    axes.scatter(
        given,
        1.12 * met - 0.06,
        s=42,
        c=faces,
        edgecolors=style.BLUE,
        linewidths=1.2,
        alpha=0.7,
        zorder=3,
    )
    if len(given) < ENOUGH:
        return
    bins = np.minimum((given * BINS).astype(int), BINS - 1)
    for number in np.unique(bins):
        own = bins == number
        count, hits = int(own.sum()), int(met[own].sum())
        low, high = wilson(hits, count)
        x, y = float(given[own].mean()), hits / count
        axes.vlines(x, low, high, color=style.RED, linewidth=2, zorder=4)
        axes.plot(x, y, "s", color=style.RED, markersize=8, zorder=5)
        axes.annotate(
            f"{count}", (x, y), (9, 0), textcoords="offset points", va="center", color=style.RED
        )


def _nothing(axes: Axes, words: Name, language: Language) -> None:
    axes.text(
        0.5,
        0.5,
        say(words, language, "\n"),
        ha="center",
        va="center",
        fontsize=11,
        color=style.GREY,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 6},
    )
