"""What the three kinds of agents share."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import mesa


class _Counters:
    """Mesa's counters of agent numbers, kept on each model and not in a table of all models.

    Mesa keeps them by model in a class-level dictionary, so that a model with agents never dies.
    """

    def __getitem__(self, model: Any) -> Iterator[int]:
        if not hasattr(model, "agent_numbers"):
            model.agent_numbers = count(1)
        numbers: Iterator[int] = model.agent_numbers
        return numbers


class View(mesa.Agent):
    """An agent over a row of columns; made when somebody looks, and gone with its model."""

    _ids = _Counters()
