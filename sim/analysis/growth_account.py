"""Where a revenue indicator's change comes from, firm by firm and month by month, exactly.

A firm's revenue moves by a sum of terms in logs (docs/model.md, 7.11). Its change is split in
proportion: Δx = L·Σ terms with the logarithmic mean L = Δx/Δln x, so that nothing is left over
(logarithmic mean Divisia index; Ang 2005, Energy Policy 33, 867-871).

What firms approach over years (what drivers, capability, digital practice and technologies bring)
follows linear equations, so that each part has an equation of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.blueprint import Bools, Floats, Ints
from sim.firms import POTENTIAL
from sim.model import District
from sim.plan import Quantity, Target
from sim.processes.drivers import DRIVERS

# Terms of the growth of a firm, beside the drivers; then who comes and goes.
TERMS = (
    "trend",  # the sector's drift
    "youth",  # young firms grow faster; against the mean at the start
    "data_access",
    "capability",
    "maturity",
    "technologies",  # key technologies of the firm's own
    "staffing",  # posts that could not be filled
    "cycle",  # factors and shocks
    "plants",  # orders of new plants
    "customers",  # customers' growth against the base year's
    "projects",  # application projects begun and ended
    "capacity",  # cut to the output capacity
    "luck",  # changes of the firm's own fortune
    "ai_share",  # more of the firm's revenue counts
    "entries",
    "exits",
)


@dataclass
class Before:
    """What a month needs of the month before; of firms by slot (slots,)."""

    worth: Floats  # part of the monthly revenue that counts, 亿元
    log_revenue: Floats  # that of potential founders is what they would start with now
    log_share: Floats  # of the part that counts
    alive: Bools
    zone: Ints
    ramp: Floats  # (Z, S)
    data_used: Floats  # (Z,)
    pull: Floats  # (S,)
    mean_log: Floats  # (S,)
    projects: Ints  # adopter, supplier, kind, last month (…, projects)


class GrowthAccount:
    """Adds up what moved a flow in each zone while a district is stepped.

    Args:
        district: at its start.
        target: of quantity ai_revenue or revenue.

    Attributes:
        terms: cumulated by month, (T + 1, TERMS, Z), 亿元 a month.
        drivers: likewise by driver, zone of the firm and sector, (T + 1, R, Z, S).
        weight: what a cell's revenue of this month gains per unit of log growth, (Z, S).
        rest: the largest log change of a firm in any month that no term explains; rounding.
    """

    def __init__(self, district: District, target: Target) -> None:
        self._district, self._ai = district, target.quantity == Quantity.AI_REVENUE
        self._weights = district.target_weights[target.id]
        months, zones, sectors = district.blueprint.horizon + 1, *district.blueprint.shape
        self.terms = np.zeros((months, len(TERMS), zones))
        self.drivers = np.zeros((months, len(DRIVERS), zones, sectors))
        self.weight: Floats = np.zeros((zones, sectors))
        self.rest = 0.0
        self._lift = np.zeros((len(DRIVERS), zones, sectors))
        firms, p = district.columns, district.parameters.growth
        firms.reveal_all()
        self._capability = p.capability_effect * firms.capability.astype(float)
        self._maturity = p.maturity_effect * firms.maturity.astype(float)
        firms.reveal(district.month)
        self._before = self._snapshot()

    def book(self) -> None:
        """After each step: what the month added."""
        district, before = self._district, self._before
        month, now = district.month, self._snapshot()
        firms, shape = district.columns, district.blueprint.shape
        seen = len(firms)
        terms = np.zeros((len(TERMS), shape[0]))
        alive, was = now.alive[:seen], before.alive[:seen]
        zone = firms.zone
        start = np.exp(before.log_revenue[:seen] + before.log_share[:seen])

        def by_zone(values: Floats, who: Bools) -> Floats:
            return np.asarray(np.bincount(zone[who], values[who], shape[0]))

        terms[TERMS.index("entries")] = by_zone(start, alive & ~was)
        terms[TERMS.index("exits")] = -by_zone(before.worth[:seen], was & ~alive)

        own, by_driver = self._terms(before), self._rise()
        who = np.flatnonzero(alive & (start > 0))
        rise = now.log_revenue[who] - before.log_revenue[who]
        more = now.log_share[who] - before.log_share[who]
        total = rise + more
        tiny = np.abs(total) < 1e-9
        mean = np.where(
            tiny, start[who], (now.worth[who] - start[who]) / np.where(tiny, 1.0, total)
        )
        own = {name: values[who] for name, values in own.items()}
        cell = firms.cell[who]
        rest = rise - sum(own.values()) - by_driver.sum(axis=0).ravel()[cell]
        own["capacity"] = self._cut(cell, rest)
        rest -= own["capacity"]
        self.rest = max(self.rest, float(np.abs(rest).max(initial=0.0)))
        own["luck"] += rest  # what single precision left
        own["ai_share"] = more
        for name, values in own.items():
            terms[TERMS.index(name)] = np.bincount(zone[who], mean * values, shape[0])
        self.weight = np.asarray(np.bincount(cell, mean, shape[0] * shape[1]), float).reshape(shape)
        self.terms[month] = self.terms[month - 1] + terms
        self.drivers[month] = self.drivers[month - 1] + by_driver * self.weight
        self._before = now

    def _rise(self) -> Floats:
        """Log growth this month by driver, as its level is approached (R, Z, S)."""
        p = self._district.parameters.growth
        goal = p.effect[:, None, None] * self._district.drivers.by_cell
        rise = (goal - self._lift) / (12.0 * p.build_up)
        self._lift += rise
        return np.asarray(rise)

    def _terms(self, before: Before) -> dict[str, Floats]:
        """The terms that the model adds up by firm, but for the drivers' (visible,)."""
        district = self._district
        blueprint, firms, p = district.blueprint, district.columns, district.parameters.growth
        sector, cell, zones = firms.sector, firms.cell, district.zones
        norms = district.norms
        more = zones.data_used - before.data_used
        access = p.data_effect * blueprint.base.data_intensity * more[:, None]
        young = firms.youth * np.exp(1.0 / (12.0 * p.age_years))  # that of the month
        own = {
            "trend": (p.drift / 12.0)[sector],
            "youth": p.age_growth / 12.0 * (young - norms.mean_youth[sector]),
            "data_access": access.ravel()[cell],
            "staffing": p.staffing_effect * firms.staffing.astype(float) - norms.staffing,
            "cycle": district.cycle.growth.ravel()[cell],
            "plants": before.ramp.ravel()[cell],
            "customers": p.demand_pull * before.pull[sector],
            "projects": self._projects(before),
            "luck": self._luck(before, young),
        }
        return own | self._standing()

    def _standing(self) -> dict[str, Floats]:
        """What a firm's own level adds as it is approached (visible,).

        What technologies bring is what the firm's standing lacks beside the two other parts.
        """
        firms, p = self._district.columns, self._district.parameters.growth
        seen, pace = len(firms), 1.0 / (12.0 * p.build_up)
        found, known = {}, np.zeros(seen)
        for name in ("capability", "maturity"):
            level = getattr(self, f"_{name}")[:seen]
            goal = getattr(p, f"{name}_effect") * getattr(firms, name).astype(float)
            found[name] = pace * (goal - level)
            level += found[name]
            known += level
        lacking = known - firms.standing.astype(float)
        found["technologies"] = pace / (1.0 - pace) * lacking
        return found

    def _projects(self, before: Before) -> Floats:
        """What projects that began or ended this month did to their suppliers' revenue."""
        district = self._district
        firms, p, month = district.columns, district.parameters.calls, district.month
        ended = before.projects[1][before.projects[3] <= month]
        # those that go on come first
        begun = district.projects.supplier[before.projects.shape[1] - len(ended) :]
        monthly = 2.0 * p.project_value / (p.shortest + p.longest)
        size = monthly * np.exp(-before.log_revenue[: len(firms)])

        def growth(suppliers: Ints) -> Floats:
            return np.asarray(np.log1p(np.bincount(suppliers, minlength=len(firms)) * size))

        return np.asarray(growth(begun) - (1.0 - p.follow_on) * growth(ended))

    def _luck(self, before: Before, young: Floats) -> Floats:
        """b·ε for those whose fortune changed, less the mean; the month's draws once more.

        One draw tells whether it changes and how.
        """
        district = self._district
        firms, p, norms = district.columns, district.parameters.growth, district.norms
        chance = p.jumps / 12.0
        scale = (norms.log_scale + p.size_exponent * before.mean_log)[firms.sector]
        scale += p.age_volatility * (young - norms.mean_youth[firms.sector])
        scale -= p.size_exponent * before.log_revenue[: len(firms)]
        scale = np.minimum(np.exp(scale), 0.6)
        luck = district.draws.uniform("growth", district.month, len(firms)).astype(float)
        centred = 2.0 * (luck + 2.0**-25) / chance - 1.0
        noise = -np.sign(centred) * np.log(np.maximum(1.0 - np.abs(centred), 2.0**-24))
        jump = np.where(luck < chance, scale * noise, 0.0)
        return np.asarray(jump - np.log1p(chance * scale**2 / (1.0 - scale**2)))

    def _cut(self, cell: Ints, rest: Floats) -> Floats:
        """What the output capacity took, the same for all firms of a cell that is at its bound."""
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
        grown = (momentum.mean_log - momentum.first_log)[firms.sector]
        log_revenue = firms.log_revenue.astype(float)
        found = Before(
            worth=firms.revenue.astype(float) * share,
            log_revenue=log_revenue + np.where(firms.state == POTENTIAL, grown, 0.0),
            log_share=log_share,
            alive=firms.alive > 0,
            zone=firms.zone.copy(),
            ramp=district.zones.ramp.copy(),
            data_used=district.zones.data_used.copy(),
            pull=district.blueprint.sales_share @ (momentum.last - momentum.usual),
            mean_log=momentum.mean_log.copy(),
            projects=district.projects.table[:4, : district.projects.count].copy(),
        )
        firms.reveal(district.month)
        return found
