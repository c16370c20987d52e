"""Departments: attention and effort in columns, and `Department`, a Mesa agent over one row."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.agents import View
from sim.blueprint import Blueprint


class Departments:
    """The state of all departments, by department × measure pair, and of the measures.

    Pairs are those of the blueprint's links: who leads or joins what.
    """

    def __init__(self, blueprint: Blueprint) -> None:
        pairs = len(blueprint.links.pair_department)
        self.attention = np.zeros(pairs)  # share of a department's capacity
        self.effort = np.zeros(pairs)  # 1: one measure's worth of staff at full effort
        self.progress = np.zeros(blueprint.measures.reach.shape)  # (M, Z), 0 to 1
        self.joint_effort = np.zeros(blueprint.measures.reach.shape)  # (M, Z)


class Department(View):
    """One department: what it leads and joins, and how it splits its staff this month."""

    def __init__(self, model: Any, row: int) -> None:
        super().__init__(model)
        self.row = row
        record = model.blueprint.plan.departments[row]
        self.id, self.name, self.zone = record.id, record.name, record.zone

    @property
    def capacity(self) -> float:
        """Measures that its staff can carry at full effort this month."""
        return float(self.model.blueprint.department_capacity[self.model.month, self.row])

    @property
    def leads(self) -> list[str]:
        return [m.id for m in self.model.blueprint.plan.measures if m.lead == self.id]

    @property
    def joins(self) -> list[str]:
        return [m.id for m in self.model.blueprint.plan.measures if self.id in m.join]

    @property
    def attention(self) -> dict[str, float]:
        """Share of its capacity by measure."""
        return self._by_measure("attention")

    @property
    def effort(self) -> dict[str, float]:
        """Effort by measure; 1 is one measure's worth of staff."""
        return self._by_measure("effort")

    @property
    def workload(self) -> float:
        """Measures under way over what its staff can carry; above 1 it is stretched."""
        links, measures = self.model.blueprint.links, self.model.blueprint.measures
        mine = links.pair_measure[links.pair_department == self.row]
        under_way = int((measures.start[mine] <= self.model.month).sum())
        return under_way / self.capacity if self.capacity else float("inf")

    def _by_measure(self, column: str) -> dict[str, float]:
        links, plan = self.model.blueprint.links, self.model.blueprint.plan
        values = getattr(self.model.department_columns, column)
        return {
            plan.measures[links.pair_measure[pair]].id: float(values[pair])
            for pair in np.flatnonzero(links.pair_department == self.row)
        }
