"""What subcommands print in the same way."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from sim.cli.options import Language
    from sim.figures import Name


def print_lines(console: Console, lines: Iterable[Name], language: Language) -> None:
    from sim.report.wording import say

    for line in lines:
        console.print(say(line, language.value, "\n"), highlight=False)


def print_files(console: Console, files: Iterable[object]) -> None:
    """What a command leaves, on a line that can be copied from."""
    console.print("\n" + ", ".join(map(str, files)), highlight=False, soft_wrap=True)


def command_line() -> str:
    """The command as it was given."""
    return shlex.join(["pudong", *sys.argv[1:]])
