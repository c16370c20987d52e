"""Pictures of a fit: how far each parameter moved, and whether ranks are uniform."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import binom, norm

from calibration.checks import BINS, RANK_DRAWS
from sim.figures import Name
from sim.report import style
from sim.report.page import Line, blank_page, heading, height_of, lines_of, stack
from sim.report.wording import Language

LIKELY = 0.99  # of one bar within the band

MOVED = Name(zh="拟合使参数移动了多少", en="How far the fit moved the parameters")
MOVED_NOTE = Name(
    zh="灰色为先验，蓝色为拟合后：均值与 95 % 区间，以先验标准差为单位。"
    "未列出的参数对公布数无可辨识的影响。",
    en="Grey: prior, blue: after the fit; mean and 95 % interval, in standard deviations of the "
    "prior. Parameters not shown have no discernible effect on the published figures.",
)
RANKS = Name(
    zh="模拟校准：真值在后验抽样中的秩", en="Simulation-based calibration: ranks of the truth"
)
RANKS_NOTE = Name(
    zh="若拟合正确，各柱应平齐；灰带内含单柱的 99 %。",
    en="Bars are level if the fit is right; 99 % of single bars lie in the grey band.",
)


def moved_chart(parameters: pd.DataFrame, *, subtitle: Name, language: Language = "both") -> Figure:
    """Prior and posterior intervals of each fitted parameter; see ``checks.contraction``."""
    width, row, left = 9.0, 0.42, 2.9
    with style.house_style():
        head = heading(MOVED, subtitle, language, width)
        note = lines_of(MOVED_NOTE, language, zh=10.5, en=10, zh_width=52, en_width=105)
        top = 0.15 + height_of(head) + 0.2
        body = row * len(parameters)
        height = top + body + 0.55 + height_of(note) + 0.2
        figure, page = blank_page(width, height)
        stack(page, 0.3, 0.15, head)
        axes = figure.add_axes(
            (left / width, 1 - (top + body) / height, 1 - (left + 0.4) / width, body / height)
        )
        reach = norm.ppf(0.975)
        for y, (_, found) in enumerate(parameters.iterrows()):
            axes.hlines(y - 0.16, -reach, reach, color=style.GREY, linewidth=1.5)
            axes.plot(0.0, y - 0.16, "o", color=style.GREY, markersize=5)
            axes.hlines(y + 0.12, found["low"], found["high"], color=style.BLUE, linewidth=3)
            axes.plot(found["shift"], y + 0.12, "o", color=style.BLUE, markersize=8)
            label = [Line(str(found["parameter"]), 10)]
            stack(page, left - 0.15, top + row * (y + 0.5) - 0.1, label, align="right")
        axes.set_ylim(len(parameters) - 0.5, -0.5)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        style.grid(axes, "x")
        stack(page, 0.3, top + body + 0.45, note)
    return figure


def rank_chart(
    names: Sequence[str],
    ranks: NDArray[np.intp],
    *,
    subtitle: Name,
    language: Language = "both",
) -> Figure:
    """A histogram of ranks for each parameter, with the band of uniform ranks."""
    across = 4
    down = -(-len(names) // across)
    width, cell_width, cell_height = 11.2, 2.35, 1.35
    with style.house_style():
        head = heading(RANKS, subtitle, language, width)
        note = lines_of(RANKS_NOTE, language, zh=10.5, en=10, zh_width=64, en_width=125)
        top = 0.15 + height_of(head) + 0.15
        step = cell_height + 0.75
        height = top + down * step + height_of(note) + 0.25
        figure, page = blank_page(width, height)
        stack(page, 0.3, 0.15, head)
        low, high = binom.interval(LIKELY, len(ranks), 1.0 / BINS)
        for place, (name, column) in enumerate(zip(names, ranks.T, strict=True)):
            x = 0.35 + (place % across) * (cell_width + 0.4)
            y = top + (place // across) * step + 0.3
            stack(page, x, y - 0.28, [Line(str(name), 10)])
            axes = figure.add_axes(
                (
                    x / width,
                    1 - (y + cell_height) / height,
                    cell_width / width,
                    cell_height / height,
                )
            )
            axes.axhspan(low, high, color=style.BLANK, zorder=0)
            axes.axhline(len(ranks) / BINS, color=style.GREY, linewidth=1)
            bins = np.linspace(-0.5, RANK_DRAWS + 0.5, BINS + 1).tolist()
            axes.hist(column, bins=bins, color=style.BLUE, edgecolor="white", linewidth=0.5)
            axes.set_ylim(0, max(1.1 * high, axes.get_ylim()[1]))
            axes.set_yticks([])
            axes.set_xticks([0, RANK_DRAWS])
            axes.spines["left"].set_visible(False)
        stack(page, 0.3, top + down * step + 0.05, note)
    return figure
