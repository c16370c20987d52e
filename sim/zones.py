"""What belongs to a zone and not to a firm: people, data, capacity, counts so far."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.blueprint import Blueprint
from sim.economy import Lever

# number; skilled persons; capability, maturity, AI shares; monthly AI revenue in 亿元; AI firms;
# log revenue
SUMS = (
    "firms",
    "staff",
    "capability",
    "maturity",
    "ai_adoption",
    "ai_revenue",
    "ai_firms",
    "log_revenue",
)


class Zones:
    """The state of all zones; arrays of shape (Z,) unless said otherwise."""

    def __init__(self, blueprint: Blueprint) -> None:
        zones, sectors = blueprint.shape
        self.seekers = np.zeros(zones)  # skilled people who look for a post
        self.vacancies = np.zeros(zones)  # posts on offer this month
        self.fill_rate = np.ones(zones)  # share of vacancies filled this month
        self.arrivals = np.zeros(zones)  # skilled people who came this month
        self.departures = np.zeros(zones)  # skilled people who left the district this month
        self.displaced = np.zeros(zones)  # of those who came, whom policy drew from neighbours
        self.pull = np.zeros(zones)  # log change of this month's arrivals by policy
        self.talent_quality = np.zeros(zones)  # its mean over the people who stay
        self.wage_index = np.ones(zones)  # 1 at the start
        self.policy_openness = np.zeros(zones)  # data-port openness that rules allow
        self.setback_months = np.zeros(zones)  # months left of a setback after an incident
        self.openness = np.zeros(zones)  # openness after setbacks
        self.data_access = np.zeros(zones)
        self.data_used = np.zeros(zones)  # of it, what firms make use of by now
        self.incidents = np.zeros(zones)  # so far
        self.data_volume = np.zeros(zones)  # revenue of the month that access to data carries, 亿元
        self.cross_border = np.zeros(zones)  # of it across the border, 亿元
        self.output_capacity = np.full((zones, sectors), np.inf)  # monthly, 亿元
        self.orders = np.zeros((zones, sectors))  # of new plants, not yet produced, 亿元 a month
        self.ramp = np.zeros((zones, sectors))  # log growth next month from filling them
        self.lift = np.zeros((zones, sectors))  # log revenue that measures have brought
        # sums over active firms at the month's end, (Z, S)
        self.revenue = np.zeros((zones, sectors))  # monthly, 亿元
        self.sums = np.zeros((zones, sectors, len(SUMS)))  # the others
        self.firms = self.sums[..., SUMS.index("firms")]
        self.staff = self.sums[..., SUMS.index("staff")]
        self.capability = self.sums[..., SUMS.index("capability")]
        self.maturity = self.sums[..., SUMS.index("maturity")]
        self.ai_adoption = self.sums[..., SUMS.index("ai_adoption")]
        self.ai_revenue = self.sums[..., SUMS.index("ai_revenue")]
        self.ai_firms = self.sums[..., SUMS.index("ai_firms")]
        self.log_revenue = self.sums[..., SUMS.index("log_revenue")]
        self.key_technologies = np.zeros(zones)  # counts since the start, as all below
        self.landmark_results = np.zeros(zones)
        self.standards = np.zeros(zones)
        self.proposed = np.zeros((zones, 2))  # technologies, typical scenarios with a standard
        self.scenarios = np.zeros((zones, sectors))
        self.models = np.zeros((zones, sectors))
        self.entries = np.zeros(zones)
        self.exits = np.zeros(zones)


PLATFORM_ITEM = "platform_founding"
ITEMS = (*(lever.value for lever in Lever), PLATFORM_ITEM)
ROW = {item: row for row, item in enumerate(ITEMS)}


class Spending:
    """Fiscal cost of the current month by item and zone (items, Z), 亿元.

    The ITEMS are the levers and the founding of platforms.
    """

    def __init__(self, zones: int) -> None:
        self.month = np.zeros((len(ITEMS), zones))

    def add(self, item: str, amount: NDArray[Any]) -> None:
        self.month[ROW[item]] += amount

    def clear(self) -> None:
        self.month[:] = 0.0
