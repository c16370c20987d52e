"""What can be wrong with what a user gave, each said in one sentence that helps.

Every message names the file, the line or field, what was found and what is allowed.
The command prints it and ends with exit status 2.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path


class InputError(Exception):
    """Something that the user gave cannot be used; the base of all errors below."""


class FileError(InputError):
    """A file is missing, empty, unreadable or not YAML."""


class PlanError(InputError):
    """A plan file contradicts itself or the rules of a plan."""


class EconomyError(InputError):
    """An economy file contradicts itself, its plan or the model's parameters."""


class ScenarioError(InputError):
    """A scenario names something that the plan lacks, or a value outside its bounds."""


class RunError(InputError):
    """A forecast cannot start or go on as asked: runs, seed, workers, output directory."""


def at(file: Path | str, line: int | None, field: str) -> str:
    """The place of a problem, as ``file, line 12, field levers[0].zone``."""
    where = str(file)
    if line is not None:
        where += f", line {line}"
    return f"{where}, field {field}" if field else where


def unknown(kind: str, found: object, allowed: Iterable[str]) -> str:
    """Say that a name is unknown, with the nearest known one and all that are allowed."""
    names = list(allowed)
    text = f"unknown {kind} {found!r}"
    near = difflib.get_close_matches(str(found), names, n=1, cutoff=0.5)
    if near:
        text += f"; did you mean {near[0]!r}?"
    return f"{text} (allowed: {', '.join(names) or 'none'})"
