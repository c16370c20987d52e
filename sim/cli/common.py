"""The names by which ``explain``, ``brief`` and ``dashboard`` know what subcommands share."""

from __future__ import annotations

from sim.cli.ending import errors
from sim.cli.options import Lang as LanguageOption
from sim.cli.options import Language
from sim.cli.options import Seed as SeedOption
from sim.cli.options import Workers as WorkersOption
from sim.cli.runs import cores, progress_bar

__all__ = [
    "Language",
    "LanguageOption",
    "SeedOption",
    "WorkersOption",
    "cores",
    "errors",
    "progress_bar",
]
