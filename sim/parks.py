"""Parks and carriers: their state in columns, and `Park`, a Mesa agent over one row."""

from __future__ import annotations

from typing import Any

import mesa
import numpy as np

from sim.agents import View
from sim.blueprint import Blueprint

COLUMNS = (
    "capacity",
    "occupied",
    "rent",
    "service",
    "founding",
    "open_platforms",
)


class Parks:
    """The state of all parks; arrays of shape (K,) unless said otherwise."""

    def __init__(self, blueprint: Blueprint, service_at_start: float) -> None:
        count = len(blueprint.parks.zone)
        self.zone = blueprint.parks.zone
        self.focus = blueprint.parks.focus
        self.takes = self.focus > 0  # (K, S), which sectors
        self.capacity = np.zeros(count)  # firms it has room for this month
        self.platforms = np.zeros(count)  # open innovation platforms it has room for this month
        self.occupied = np.zeros(count)  # firms in it
        self.rent = np.ones(count)  # relative to the start
        self.service = np.full(count, service_at_start)  # 0 to 1
        self.founding = np.zeros(count)  # platforms founded and not yet open
        self.open_platforms = np.zeros(count)

    def open_at(self, blueprint: Blueprint, month: int) -> None:
        """Give the parks that have opened by this month their places, in a month when one opens."""
        plan = blueprint.parks
        if month in plan.opening_months:
            is_open = plan.opens <= month
            self.capacity = np.where(is_open, plan.capacity, 0.0)
            self.platforms = np.where(is_open, plan.platforms, 0.0)


class Park(View):
    """One park, seen through its row: capacity, occupied, rent, service, …"""

    def __init__(self, model: Any, row: int) -> None:
        super().__init__(model)
        self.row = row
        record = model.blueprint.plan.parks[row]
        self.id, self.name, self.zone = record.id, record.name, record.zone

    def __getattr__(self, name: str) -> Any:
        if name not in COLUMNS:
            raise AttributeError(f"a park has no {name!r} (it has: {', '.join(COLUMNS)})")
        return getattr(self.model.park_columns, name)[self.row].item()

    @property
    def firms(self) -> mesa.agent.AgentSet:
        """The active firms in this park."""
        return self.model.firms.select(lambda firm: firm.park == self.id and firm.alive)
