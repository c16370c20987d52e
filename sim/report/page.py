"""Text on a figure that is laid out in inches from its top left corner."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from sim.figures import Name
from sim.report import style
from sim.report.wording import Language, wrap_zh

LEADING = 1.35 / 72  # inches from line to line, per point of text size


@dataclass(frozen=True)
class Line:
    """One line of text: its size in points, its colour."""

    text: str
    size: float
    colour: str = style.INK


def blank_page(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure of that size in inches, covered by axes whose unit is the inch, downwards."""
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    return figure, axes


def lines_of(
    name: Name,
    language: Language,
    *,
    zh: float,
    en: float,
    zh_width: int = 200,
    en_width: int = 200,
    colour: str = style.INK,
) -> list[Line]:
    """A name as lines in one language or both, ``zh`` and ``en`` points high.

    Widths are in characters; Chinese breaks anywhere, into lines of even length.
    """
    lines: list[Line] = []
    if language != "en":
        even = math.ceil(len(name.zh) / math.ceil(len(name.zh) / zh_width))
        lines += [Line(text, zh, colour) for text in wrap_zh(name.zh, even)]
    if language != "zh":
        size = en if language == "both" else max(en, 0.9 * zh)
        shade = style.GREY if language == "both" and colour == style.INK else colour
        wrapped = textwrap.wrap(name.en, en_width, break_long_words=False)
        lines += [Line(text, size, shade) for text in wrapped]
    return lines


def heading(title: Name, subtitle: Name, language: Language, width: float) -> list[Line]:
    """Title and, smaller, subtitle, in lines that fit a page ``width`` inches wide."""
    large = lines_of(
        title, language, zh=17, en=12, zh_width=int(3.8 * width), en_width=int(9 * width)
    )
    small = lines_of(
        subtitle,
        language,
        zh=11,
        en=10,
        zh_width=int(6.3 * width),
        en_width=int(12 * width),
        colour=style.GREY,
    )
    return large + small


def legend(
    figure: Figure,
    keys: Sequence[Artist],
    place: tuple[float, float],
    *,
    columns: int,
    corner: Literal["lower left", "upper left"] = "lower left",
    gap: float = 2.0,
) -> None:
    """A key without a frame whose ``corner`` lies at ``place``, in parts of the figure."""
    figure.legend(
        handles=keys,
        loc=corner,
        bbox_to_anchor=place,
        ncols=columns,
        columnspacing=gap,
        frameon=False,
        fontsize=10,
        borderaxespad=0.0,
    )


def height_of(lines: Iterable[Line]) -> float:
    """Inches."""
    return sum(line.size for line in lines) * LEADING


def stack(
    axes: Axes,
    x: float,
    y: float,
    lines: Iterable[Line],
    align: Literal["left", "center", "right"] = "left",
) -> None:
    """Write lines beneath each other; ``y`` is the upper edge of the first, in inches."""
    for line in lines:
        step = line.size * LEADING
        axes.text(
            x,
            y + 0.78 * step,
            line.text,
            fontsize=line.size,
            color=line.colour,
            ha=align,
            va="baseline",
        )
        y += step
