"""Where a revenue indicator's change comes from, firm by firm and month by month, exactly.

A firm's revenue moves by a sum of terms in logs (docs/model.md, 7.11). Its change is split in
proportion: Δx = L·Σ terms with the logarithmic mean L = Δx/Δln x, so that nothing is left over
(logarithmic mean Divisia index; Ang 2005, Energy Policy 33, 867-871).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.blueprint import Bools, Floats, Ints
from sim.model import District
from sim.plan import Quantity, Target
from sim.processes.drivers import DRIVERS

# Terms of the growth of a firm, beside the drivers; then who comes and goes.
TERMS = (
    "trend",  # the sector's drift
    "data_access",
    "capability",  # the firm's, against the sector's at the start
    "maturity",
    "staffing",  # posts that could not be filled
    "cycle",  # factors and shocks
    "plants",  # orders of new plants
    "customers",  # purchases of growing customers
    "projects",  # application projects begun and ended
    "capacity",  # cut to the output capacity
    "luck",  # the firm's own noise
    "ai_share",  # more of the firm's revenue counts
    "entries",
    "exits",
    "moves",  # firms that move between zones
)


@dataclass
class Before:
    """What a month needs of the month before, by slot (slots,)."""

    worth: Floats  # part of the monthly revenue that counts, 亿元
    log_revenue: Floats
    log_share: Floats  # of the part that counts
    alive: Bools
    zone: Ints
    ramp: Floats  # (Z, S)
    pull: Floats  # (S,)


class GrowthAccount:
    """Adds up what moved a flow in each zone while a district is stepped.

    Args:
        district: at its start.
        target: of quantity ai_revenue or revenue.

    Attributes:
        terms: cumulated by month, (T + 1, TERMS, Z), 亿元 a month.
        drivers: likewise by driver, zone of the firm and sector, (T + 1, R, Z, S).
    """

    def __init__(self, district: District, target: Target) -> None:
        self._district, self._ai = district, target.quantity == Quantity.AI_REVENUE
        self._weights = district.target_weights[target.id]
        months, zones, sectors = district.blueprint.horizon + 1, *district.blueprint.shape
        self.terms = np.zeros((months, len(TERMS), zones))
        self.drivers = np.zeros((months, len(DRIVERS), zones, sectors))
        self._before = self._snapshot()

    def book(self) -> None:
        """After each step: what the month added."""
        district, before = self._district, self._before
        month, now = district.month, self._snapshot()
        firms, shape = district.columns, district.blueprint.shape
        seen = len(firms)
        terms = np.zeros((len(TERMS), shape[0]))
        alive, was = now.alive[:seen], before.alive[:seen]
        zone, old = firms.zone, before.zone[:seen]
        start = np.exp(before.log_revenue[:seen] + before.log_share[:seen])

        def by_zone(values: Floats, who: Bools, where: Ints) -> Floats:
            return np.asarray(np.bincount(where[who], values[who], shape[0]))

        new = alive & ~was
        moved = alive & was & (zone != old)
        terms[TERMS.index("entries")] = by_zone(start, new, zone)
        terms[TERMS.index("exits")] = -by_zone(before.worth[:seen], was & ~alive, old)
        terms[TERMS.index("moves")] = by_zone(start, moved, zone) - by_zone(start, moved, old)

        who = np.flatnonzero(alive & (start > 0))
        rise = now.log_revenue[who] - before.log_revenue[who]
        more = now.log_share[who] - before.log_share[who]
        total = rise + more
        tiny = np.abs(total) < 1e-9
        mean = np.where(
            tiny, start[who], (now.worth[who] - start[who]) / np.where(tiny, 1.0, total)
        )
        own, yearly = self._terms(who, before)
        cell = firms.cell[who]
        by_driver = yearly.reshape(len(DRIVERS), -1) / 12.0
        known = sum(own.values()) + by_driver.sum(axis=0)[cell]
        rest = rise - known
        own["capacity"] = self._cut(cell, rest)
        own["projects"] = rest - own["capacity"]
        own["ai_share"] = more
        for name, values in own.items():
            terms[TERMS.index(name)] = np.bincount(zone[who], mean * values, shape[0])
        weight = np.bincount(cell, mean, shape[0] * shape[1])
        self.terms[month] = self.terms[month - 1] + terms
        self.drivers[month] = self.drivers[month - 1] + (by_driver * weight).reshape(yearly.shape)
        self._before = now

    def _terms(self, who: Ints, before: Before) -> tuple[dict[str, Floats], Floats]:
        """The terms that the model adds up, by firm, and the drivers' by cell (R, Z, S), a year."""
        district = self._district
        blueprint, firms, p = district.blueprint, district.columns, district.parameters.growth
        sector, cell = firms.sector[who], firms.cell[who]
        momentum, zones = district.momentum, district.zones
        access = p.data_effect * blueprint.base.data_intensity * zones.data_access[:, None]
        own = {
            "trend": (p.drift / 12.0)[sector],
            "data_access": access.ravel()[cell] / 12.0,
            "capability": p.capability_effect
            / 12.0
            * (firms.capability[who] - momentum.capability[sector]),
            "maturity": p.maturity_effect
            / 12.0
            * (firms.maturity[who] - momentum.maturity[sector]),
            "staffing": p.staffing_effect * (firms.staffing[who] - np.log(p.normal_staffing)),
            "cycle": district.cycle.growth.ravel()[cell],
            "plants": before.ramp.ravel()[cell],
            "customers": p.demand_pull * before.pull[sector],
            "luck": self._luck(before)[who],
        }
        return own, p.effect[:, None, None] * district.drivers.by_cell

    def _luck(self, before: Before) -> Floats:
        """b·ε + ln(1 − b²), the draws of the month once more, (visible,)."""
        district = self._district
        firms, p = district.columns, district.parameters.growth
        noise = district.draws.laplace("growth", district.month, len(firms)).astype(float)
        size = before.log_revenue[: len(firms)]
        scale = np.exp(district.norms.log_scale[: len(firms)] - p.size_exponent * size)
        scale = scale.clip(0.0, 0.4)
        return np.asarray(scale * noise + np.log1p(-(scale**2)))

    def _cut(self, cell: Ints, rest: Floats) -> Floats:
        """What the output capacity took, the same for all firms of a cell that is at its bound.

        Few of them begin or end a project in a month, so it is the median of what is left.
        """
        zones = self._district.zones
        bound = zones.revenue >= zones.output_capacity * (1.0 - 1e-9)
        cut = np.zeros(len(rest))
        for place in np.flatnonzero(bound.ravel()):
            mine = cell == place
            if mine.any():
                cut[mine] = min(0.0, float(np.median(rest[mine])))
        return cut

    def _snapshot(self) -> Before:
        district = self._district
        firms, momentum = district.columns, district.momentum
        firms.reveal_all()  # next month's founders too
        with np.errstate(divide="ignore"):
            share = (
                np.maximum(firms.ai_share, firms.is_ai) if self._ai else self._weights[firms.sector]
            )
            log_share = np.log(share.astype(float))
        found = Before(
            worth=firms.revenue.astype(float) * share,
            log_revenue=firms.log_revenue.astype(float),
            log_share=log_share,
            alive=firms.alive > 0,
            zone=firms.zone.copy(),
            ramp=district.zones.ramp.copy(),
            pull=district.blueprint.sales_share @ (momentum.last - momentum.mean),
        )
        firms.reveal(district.month)
        return found
