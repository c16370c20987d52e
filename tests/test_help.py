"""What ``--help`` says is what is written."""

from __future__ import annotations

import pytest
from typer.main import get_group

from sim.cli import app

COMMANDS = get_group(app).commands


@pytest.mark.parametrize("name", COMMANDS)
def test_no_help_has_square_brackets_which_are_taken_for_markup_and_vanish(name: str) -> None:
    command = COMMANDS[name]
    texts = [command.help, *(getattr(one, "help", None) for one in command.params)]
    assert not [text for text in texts if text and "[" in text]
