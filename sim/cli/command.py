"""A subcommand, which refuses empty values: an empty path would be the folder one stands in."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import typer
from typer.core import TyperCommand

from sim.cli.ending import complain


class Command(TyperCommand):
    """What each subcommand is."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        from sim.errors import RunError

        for before, word in pairwise(["", *args]):
            option, equals, value = word.partition("=")
            if not word:
                option = before if before.startswith("--") and "=" not in before else "an argument"
            if not word or (equals and not value and option.startswith("--")):
                complain(RunError(f"{option}: found nothing; give a value, or leave it out"))
                raise typer.Exit(2)
        return super().parse_args(ctx, args)
