"""Parameters as a fit left them: joint draws in a CSV file, with a head that says whence.

# format: 2
# checksum: ...                       of all other lines, see ``sim.seal``
# ...                                 YAML, see ``Head``
growth.drift.ic,growth.drift.ai       labels of the parameters that the figures speak of
0.0123,0.0210                         one draw a row, all equally likely
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from sim.errors import PosteriorError, unknown
from sim.figures import Record, within
from sim.files import Source, load, read_source, yaml_text
from sim.months import Month
from sim.seal import HEAD, seal, unseal

ADVICE = "take the file as pudong calibrate left it, or make it again with that command"
FEWEST_DRAWS = 100  # assumption: below, a 95 % range of a parameter rests on fewer than three draws


class Head(Record):
    """What a posterior was made from."""

    format: Literal[2]
    economy: str = Field(description="id of the economy that was fitted")
    until: Month = Field(description="the last month that a figure was about")
    figures: list[str] = Field(min_length=1, description="ids of the figures that were fitted")
    method: str
    seed: Annotated[int, within(0, 2**64 - 1)]
    runs: Annotated[int, within(1, 10_000_000)] = Field(description="runs of the model behind it")
    effective_draws: Annotated[float, within(1, 1e12)] = Field(
        description="Kish's effective sample size before draws were chosen"
    )
    draws: Annotated[int, within(1, 10_000_000)] = Field(description="rows below the head")
    made_with: str = Field(description="version of the program")
    priors: dict[str, str] = Field(
        min_length=1, description="the prior of each column, as it was when it was fitted"
    )


@dataclass(frozen=True)
class Posterior:
    """Draws of some parameters (draws, labels), equally likely; the others keep their priors."""

    head: Head
    labels: tuple[str, ...]
    draws: NDArray[np.float64]


def read_posterior(path: Path | str) -> tuple[Posterior, Source]:
    """Read and check a posterior file by itself.

    Raises:
        FileError, PosteriorError: file, line and column with what was found and what is allowed.
    """
    path = Path(path)
    source = read_source(path, _head_text)
    if source.data.get("format") == 1:
        place = source.place(("format",))
        raise PosteriorError(f"{place}: found 1, which an earlier version wrote; {ADVICE}")
    head = load(source, Head, PosteriorError)
    lines = source.text.splitlines()
    first = next((n for n, line in enumerate(lines) if not line.startswith("#")), len(lines))
    if first == len(lines):
        raise PosteriorError(f"{path}: has a head, but no draws below it")
    labels = tuple(name.strip() for name in lines[first].split(","))
    _check_labels(path, first + 1, labels, head)
    draws = _draws(path, lines[first + 1 :], first + 2, labels)
    _check_whole(path, source, head, len(draws))
    return Posterior(head, labels, draws), source


def posterior_text(head: Head, labels: tuple[str, ...], draws: NDArray[np.float64]) -> str:
    """The text of a posterior file, with seven significant digits."""
    dumped = yaml_text(head.model_dump(mode="json"), width=96)
    body = io.StringIO()
    np.savetxt(body, draws, fmt="%.7g", delimiter=",", header=",".join(labels), comments="")
    return seal("".join(f"# {line}\n" for line in dumped.splitlines()) + body.getvalue(), HEAD)


def _head_text(text: str) -> str:
    """The lines of the head without their marks; other lines as empty ones, so lines still fit."""
    return "\n".join(
        line[1:].removeprefix(" ")
        if line.startswith("#") and not line.startswith(HEAD.before)
        else ""
        for line in text.splitlines()
    )


def _check_whole(path: Path, source: Source, head: Head, rows: int) -> None:
    if rows != head.draws:
        text = f"holds {rows:,} draws, and its head says {head.draws:,}: rows were lost or added"
        raise PosteriorError(f"{path}: {text}; {ADVICE}")
    try:
        unseal(source.text, HEAD)
    except ValueError as error:
        raise PosteriorError(f"{path}: {error}; {ADVICE}") from None


def _check_labels(path: Path, line: int, labels: tuple[str, ...], head: Head) -> None:
    for label in labels:
        if labels.count(label) > 1:
            raise PosteriorError(f"{path}, line {line}, column {label}: is given twice")
        if label not in head.priors:
            problem = unknown("parameter", label, list(head.priors))
            raise PosteriorError(f"{path}, line {line}: {problem} of the head's priors")
    for label in head.priors:
        if label not in labels:
            raise PosteriorError(f"{path}, line {line}: the column {label} is missing")


def _draws(
    path: Path, lines: list[str], first: int, labels: tuple[str, ...]
) -> NDArray[np.float64]:
    for number, line in enumerate(lines, first):
        cells = line.split(",")
        if len(cells) != len(labels):
            text = f"found {len(cells)} numbers for {len(labels)} columns"
            raise PosteriorError(f"{path}, line {number}: {text}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # no draws at all: said below
            draws = np.loadtxt(lines, delimiter=",", ndmin=2)
    except ValueError:
        draws = _slowly(path, lines, first, labels)
    if len(draws) < FEWEST_DRAWS:
        raise PosteriorError(f"{path}: holds {len(draws)} draws; allowed: at least {FEWEST_DRAWS}")
    if not np.isfinite(draws).all():
        row, column = np.argwhere(~np.isfinite(draws))[0]
        place = f"{path}, line {first + row}, column {labels[column]}"
        raise PosteriorError(f"{place}: found {draws[row, column]}; a finite number is needed")
    return draws


def _slowly(
    path: Path, lines: list[str], first: int, labels: tuple[str, ...]
) -> NDArray[np.float64]:
    """Cell by cell, to name the one that is not a number."""
    values = np.empty((len(lines), len(labels)))
    for row, line in enumerate(lines):
        for column, (label, cell) in enumerate(zip(labels, line.split(","), strict=True)):
            try:
                values[row, column] = float(cell)
            except ValueError:
                place = f"{path}, line {first + row}, column {label}"
                raise PosteriorError(f"{place}: found {cell!r}; a number is needed") from None
    return values
