"""The look of all charts.

Lines are blue and vermilion of Okabe and Ito's palette, areas tints of that blue, scales run from
light to dark: colour-blind readers tell them apart, and so does grey print.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, ListedColormap, to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text

from sim.report import glyphs

BLUE = "#0072B2"
BLUE_MIDDLE = "#80B8D8"
BLUE_LIGHT = "#CCE3F0"
RED = "#D55E00"
INK = "#222222"
GREY = "#666666"
BLANK = "#F2F2F2"

_RC: dict[Any, Any] = {
    "font.size": 11,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "xtick.color": INK,
    "ytick.color": INK,
    "text.parse_math": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.fonttype": "path",
    "svg.hashsalt": "pudong-sim",
}


@contextmanager
def house_style() -> Iterator[None]:
    """Charts made and saved inside look alike on every machine; outside nothing changes."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_RC | {"font.family": glyphs.families()})
        yield


def texts(figure: Figure) -> list[str]:
    """All text on a figure."""
    return [part.get_text() for part in figure.findobj(Text)]


def grid(
    axes: Axes,
    axis: Literal["both", "x", "y"] = "both",
    *,
    below: bool | Literal["line"] = True,
) -> None:
    """Thin lines at the ticks of an axis, under all that is drawn or (``line``) above areas."""
    axes.grid(axis=axis, color=INK, alpha=0.15, linewidth=0.8)
    axes.set_axisbelow(below)


def probability_scale() -> Colormap:
    """Pale yellow (0) to blue (1), darkening evenly, and light enough for dark text throughout."""
    return ListedColormap(matplotlib.colormaps["YlGnBu"](np.linspace(0, 0.58, 256)), "probability")


def shade(probability: float) -> str:
    """The scale's colour for a probability (0 to 1) as ``#rrggbb``."""
    return to_hex(probability_scale()(float(probability)))
