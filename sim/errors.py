"""What can be wrong with what a user gave, each said in one sentence that helps.

Every message names the file, the line or field, what was found and what is allowed.
The command prints it and ends with exit status 2.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from sim.text import visible

T = TypeVar("T")
FieldPath = tuple[str | int, ...]

MAX_SHOWN = 60  # characters of a found value
MAX_FIELD = 160  # characters of a field's path
MAX_NAMES = 30  # allowed names that are listed in full
MAX_PROBLEMS = 10
MAX_MEANT = 100  # unknown names that are held against the known ones; looking takes long


class InputError(Exception):
    """Something that the user gave cannot be used; the base of all errors below."""


class FileError(InputError):
    """A file is missing, empty, unreadable or not YAML."""


class PathError(FileError):
    """There is no such file, or it is a directory, cannot be read, or holds something else."""


class PlanError(InputError):
    """A plan file contradicts itself or the rules of a plan."""


class EconomyError(InputError):
    """An economy file contradicts itself, its plan or the model's parameters."""


class PosteriorError(InputError):
    """A posterior file contradicts itself, or does not fit the economy's priors."""


class ObservationError(InputError):
    """A file of observations contradicts its columns, the plan or the model's indicators."""


class ScenarioError(InputError):
    """A scenario names something that the plan lacks, or a value outside its bounds."""


class FieldValueError(ValueError):
    """A value does not fit the others of its record: which field of it, and why."""

    def __init__(self, field: FieldPath, text: str) -> None:
        super().__init__(text)
        self.field = field


class RunError(InputError):
    """A forecast cannot start or go on as asked: runs, seed, workers, output directory."""


def at(file: Path | str, line: int | None, field: str) -> str:
    """The place of a problem, as ``file, line 12, field levers[0].zone``."""
    where = str(file)
    if line is not None:
        where += f", line {line}"
    return f"{where}, field {shown_text(field, MAX_FIELD)}" if field else where


def nearest(name: object, names: Iterable[str]) -> list[str]:
    """The known names that look like a mistyped one, the most alike first."""
    known = {alike(one): one for one in names}
    near = difflib.get_close_matches(alike(str(name)[:MAX_SHOWN]), known, n=3, cutoff=0.5)
    return [known[one] for one in near]


def alike(name: str) -> str:
    """A name as it is compared: small half-width letters, with ``_`` between its words."""
    return "_".join(unicodedata.normalize("NFKC", name).casefold().split())


def meant(unknown: Iterable[object], known: Collection[str]) -> set[str]:
    """The known names that mistyped ones stand for, as far as it is worth looking."""
    return {near for name in islice(unknown, MAX_MEANT) for near in nearest(name, known)[:1]}


@dataclass(frozen=True)
class Unknown:
    """A name that is unknown, as a sentence with the nearest known one and those that are allowed.

    The sentence is made when it is read: a file may hold thousands, of which ten are listed.
    """

    kind: str
    found: object = field(hash=False)
    allowed: Collection[str] = field(compare=False)

    def __str__(self) -> str:
        near = nearest(self.found, self.allowed)
        text = f"unknown {self.kind} {shown(self.found)}"
        if near:
            text += f"; did you mean {near[0]!r}?"
        if len(self.allowed) > MAX_NAMES:
            listed = f"many, such as {', '.join(near or islice(self.allowed, 3))}"
        else:
            listed = ", ".join(self.allowed) or "none"
        return f"{text} (allowed: {listed})"


Fault = str | Unknown  # what is wrong, as a sentence
Problem = tuple[FieldPath, Fault]  # with where it stands in a file


def unknown(kind: str, found: object, allowed: Iterable[str]) -> str:
    """Say that a name is unknown."""
    return str(Unknown(kind, found, list(allowed)))


def shown(value: Any) -> str:
    """What was found, short enough for one line."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        names = ", ".join(shown_text(str(key)) for key in list(value)[:4])
        return f"fields ({names}{', …' if len(value) > 4 else ''})"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, int | float):
        return plain(value)
    return shown_text(repr(value))


def shown_text(text: str, length: int = MAX_SHOWN) -> str:
    """A text on one line, cut to what a message can carry."""
    line = visible(" ".join(text[: 4 * length].split()))
    return line if len(line) <= length else line[: length - 1] + "…"


def plain(number: float) -> str:
    """A number as people write it: 1,000,000 and 0.25, and 1e+300 where it is absurd."""
    if abs(number) < 1e15 and number % 1 == 0:
        return f"{int(number):,}"
    try:
        return f"{number:.10g}"
    except OverflowError:  # a whole number beyond what a float holds
        return "a number of more than 300 digits"


def listed(problems: Iterable[T], say: Callable[[T], str] = str) -> str:
    """Several problems, one a line, each once and at most ten of them; only these are said."""
    found = list(dict.fromkeys(problems))
    lines = [say(problem) for problem in found[:MAX_PROBLEMS]]
    if len(found) > MAX_PROBLEMS:
        lines.append(f"… and {len(found) - MAX_PROBLEMS} more")
    return "\n".join(lines)
