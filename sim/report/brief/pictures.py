"""Charts of a forecast as pictures with alternative text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from sim.analysis.naive import PastFigure
from sim.analysis.published import Published
from sim.report.brief.document import Picture, Tongue
from sim.report.charts import save
from sim.report.pictures import Kind, draw


def picture(
    published: Published,
    kind: Kind,
    *,
    alt: str,
    language: Tongue,
    target: str | None = None,
    past: Sequence[PastFigure] = (),
    slides: bool = True,
) -> Picture:
    """One chart, drawn; arguments as in ``report.pictures.draw``."""
    figure = draw(published, kind, target=target, past=past, language=language)
    name = f"{kind.value}-{target}" if target else kind.value
    with TemporaryDirectory() as folder:
        png, svg = (file.read_bytes() for file in save(figure, Path(folder) / name))
    width, height = figure.get_size_inches()
    return Picture(name, png, svg, alt, float(width), float(height), slides)
