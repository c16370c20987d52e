"""One run looked at month by month: effort, progress, drivers, behaviour and what moved a target.

Everything is by zone; what is linear in the model's own equations is split exactly, and no draw is
touched, so that the run ends as it would have without being watched.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim import months
from sim.analysis.growth_account import TERMS, GrowthAccount
from sim.blueprint import Bools, Floats, Ints
from sim.model import District
from sim.plan import Driver, Quantity, Target
from sim.processes.accounts import indicators
from sim.processes.drivers import DRIVERS, PLACE
from sim.runner import Runner

FLOWS = (Quantity.AI_REVENUE, Quantity.REVENUE)
STOCKS = (Quantity.AI_FIRMS, Quantity.FIRMS)
RESEARCH = (Quantity.KEY_TECHNOLOGIES, Quantity.LANDMARK_RESULTS, Quantity.STANDARDS)
CALLS = (Quantity.SCENARIOS, Quantity.AI_MODELS, Quantity.MODEL_SECTORS)
COMINGS = ("entries", "exits", "conversions")


@dataclass(frozen=True)
class Watched:
    """What one run showed up to a target's deadline; entries are the plan's effects, one a sector.

    Attributes:
        start, end: the indicator at the start and at the deadline, (Z,), in its unit.
        account: what moved it, by name (Z,); sums to end − start for flows and stocks, empty for
            counts.
        policy: its part by effect entry (entries, Z), in the indicator's unit; zero but for flows.
        progress, path: of each measure at the deadline (M, Z), (M,).
        effort: mean effort since its measure's start, by pair (pairs,).
        credit: part of a measure's progress by pair (pairs, Z), sums to 1 over a measure's pairs.
        workload: measures under way over staff, mean over the months (D,).
        levels: drivers at the deadline (R, Z).
        pushes: by behaviour, mean log change of its rate by effect entry (entries, Z); of
            ``revenue`` that of the level, of ``foundings`` the mean part of the rate.
        limits: by name (Z,), see ``LIMITS``.
    """

    start: Floats
    end: Floats
    account: dict[str, Floats]
    policy: Floats
    progress: Floats
    path: Floats
    effort: Floats
    credit: Floats
    workload: Floats
    levels: Floats
    pushes: dict[str, Floats]
    limits: dict[str, Floats]


LIMITS = (
    "unfilled",  # share of vacancies left open, mean over the months
    "wage_index",  # at the deadline, 1 at the start
    "full_parks",  # share of parks' places taken, at the deadline
    "setback_months",  # months with openness set back after a data incident
    "incidents",  # data incidents since the start
    "capacity_bound",  # cells and months at the output capacity, share of cells that have one
)


def watch(runner: Runner, run: int, target: Target) -> Watched:
    """Make one run again and look at it; as many steps as to the target's deadline."""
    district = runner.district(run)
    due = months.between(runner.blueprint.plan.start, target.deadline)
    watcher = _Watcher(district, target)
    while district.month < due:
        district.step()
        watcher.look()
    return watcher.found()


class _Watcher:
    def __init__(self, district: District, target: Target) -> None:
        self.district, self.target = district, target
        blueprint = district.blueprint
        self.zones, self.sectors = blueprint.shape
        links, effects = blueprint.links, blueprint.effects
        pairs, entries = len(links.pair_measure), len(effects.measure)
        self.place = effects.place.reshape(entries, self.zones)
        self.progress = district.department_columns.progress.copy()
        self.hazard = np.zeros((pairs, self.zones))
        self.effort, self.working = np.zeros(pairs), np.zeros(pairs)
        self.work = np.zeros(len(blueprint.department_zone))
        self.growth = GrowthAccount(district, target) if target.quantity in FLOWS else None
        self.policy = [np.zeros((entries, self.zones))]  # cumulated, by month
        self.pushes = {name: np.zeros((entries, self.zones)) for name in self._rates()}
        # what entries have brought so far, of what is approached over years
        self.level = {name: np.zeros((entries, self.zones)) for name in ("revenue", "research")}
        self.comings = {name: np.zeros(self.zones) for name in COMINGS}
        self.members = self._members()
        self.unfilled, self.setback, self.bound = (np.zeros(self.zones) for _ in range(3))

    def look(self) -> None:
        """After a step."""
        self._look_at_departments()
        self._look_at_drivers()
        if self.target.quantity in STOCKS:
            self._count()
        zones = self.district.zones
        self.unfilled += 1.0 - zones.fill_rate
        self.setback += zones.setback_months > 0
        full = zones.revenue >= zones.output_capacity * (1.0 - 1e-9)
        finite = np.isfinite(zones.output_capacity) & (zones.revenue > 0)
        self.bound += (full & finite).sum(axis=1) / np.maximum(finite.sum(axis=1), 1)

    def _look_at_drivers(self) -> None:
        """Split what drivers do by the plan's effects."""
        drivers, share, p = self.district.drivers.by_cell, self._shares(), self.district.parameters
        years = {"revenue": p.growth.build_up, "research": p.innovation.gestation}
        if self.growth is not None:
            self.growth.book()
        for name, rate in self._rates().items():
            push = (rate * drivers).ravel()[self.place] * share
            if name in years:
                rise = (push - self.level[name]) / (12.0 * years[name])
                push = self.level[name] = self.level[name] + rise
            if name == "revenue" and self.growth is not None:
                self.policy.append(self.policy[-1] + rise * self._at_entries(self.growth.weight))
            self.pushes[name] += push * self._at_entries(self._sector_weight(name))

    def _at_entries(self, by_cell: Floats) -> Floats:
        """What stands for a cell (Z, S), at each entry of the plan's effects (entries, Z)."""
        whole = np.broadcast_to(by_cell, (len(DRIVERS), *by_cell.shape))
        return np.asarray(whole.ravel()[self.place])

    def _look_at_departments(self) -> None:
        """Split each month's progress by departments.

        Joint effort is homogeneous of degree one, so E = Σ_d e_d·∂E/∂e_d (Euler), with the shares
        e_d^ρ/Σ e^ρ: with ρ below 0 the largest is that of the department that holds it back. The
        share of one for which the strongest steps in is the strongest's.
        """
        district = self.district
        blueprint, work = district.blueprint, district.work
        links, state = blueprint.links, district.department_columns
        now = state.progress
        made = np.log1p(-self.progress) - np.log1p(-np.minimum(now, 1.0 - 1e-15))
        self.progress = now.copy()
        p, cell = district.parameters.implementation, links.link_cell
        effort = state.effort[links.link_pair]
        order = np.lexsort((-effort, cell))
        first = np.unique(cell[order], return_index=True)[1]
        strongest = np.zeros(now.size, dtype=np.intp)
        strongest[cell[order][first]] = order[first]
        floor = p.hand_over * effort[strongest[cell]]
        power = np.maximum(np.maximum(effort, floor), 1e-9) ** p.substitution
        total = np.bincount(cell, power, now.size)
        share = power / np.maximum(total, 1e-300)[cell]
        works = np.where(effort >= floor, np.arange(len(cell)), strongest[cell])
        pair = links.link_pair[works]
        np.add.at(self.hazard, (pair, cell % self.zones), share * made.ravel()[cell])
        busy = work.under_way[district.month][links.pair_measure]
        self.effort += busy * state.effort
        self.working += busy
        planned = np.bincount(links.pair_department, busy, len(self.work))
        capacity = blueprint.department_capacity[district.month]
        self.work += planned / np.maximum(capacity, 1e-9)

    def _shares(self) -> Floats:
        """Each entry's part of its driver before saturation (entries, Z); levers have the rest."""
        district = self.district
        effects = district.blueprint.effects
        progress = district.department_columns.progress[effects.measure]
        pushed = progress * district.drivers.strength[:, None]
        size = len(DRIVERS) * self.zones * self.sectors
        levers = np.broadcast_to(
            district.drivers.pushes[district.month][..., None],
            (len(DRIVERS), self.zones, self.sectors),
        )
        total = np.bincount(effects.place, pushed.ravel(), size) + levers.ravel()
        whole = total[self.place]
        return np.divide(pushed, whole, out=np.zeros_like(pushed), where=whole > 0)

    def _rates(self) -> dict[str, Floats]:
        """β_r of each behaviour behind the target, (R, 1, 1): log change at a full driver.

        Of ``standards`` the mean slope of ln(1 + D/certainty at the start), (R, Z, S); of
        ``foundings`` the part of the rate per unit of the driver, (R, Z, 1).
        """
        p, quantity = self.district.parameters, self.target.quantity
        life, talent = p.lifecycle, p.talent
        starts = {Driver.SERVICE: life.service_effect, Driver.RECRUITMENT: life.recruitment_effect}
        arrivals = {
            Driver.TALENT_INFLOW: talent.policy_effect,
            Driver.CONNECTIVITY: talent.connectivity_effect,
        }
        every = {
            "revenue": p.growth.effect,
            "ai_diffusion": p.diffusion.ai_effect,
            "research": p.innovation.effect,
            "calls": _only({Driver.DEMAND: p.calls.demand_effect}),
            "starts": _only(starts),
            "exits": _only({Driver.SERVICE: life.exit_service_effect}),
            "arrivals": _only(arrivals),
        }
        names = ["revenue", "starts", "exits", "arrivals"]
        if quantity in (Quantity.AI_REVENUE, Quantity.AI_FIRMS):
            names.append("ai_diffusion")
        if quantity in RESEARCH:
            names = ["research", "arrivals"]
        if quantity in CALLS:
            names = ["calls", "ai_diffusion"]
        found = {name: np.asarray(every[name])[:, None, None] for name in names}
        if quantity == Quantity.OPEN_PLATFORMS:
            return {"foundings": self._foundings()}
        if quantity == Quantity.STANDARDS:
            certainty = self.district.drivers.cell(Driver.CERTAINTY)
            slope = np.zeros((len(DRIVERS), *certainty.shape))
            log = np.log1p(certainty / p.innovation.certainty_at_start)
            some = certainty > 0
            np.divide(log, certainty, out=slope[PLACE[Driver.CERTAINTY]], where=some)
            found["standards"] = slope
        return found

    def _foundings(self) -> Floats:
        """Parts of the rate λ = n·(h₀ + h·D_firm) + g·D_public at which platforms are founded."""
        district, p = self.district, self.district.parameters.platforms
        firms, drivers = district.columns, district.drivers
        able = firms.large & (firms.capability >= p.capable)
        capable = firms.count_by_cell(able, district.blueprint.shape).sum(axis=1)
        parts = np.zeros((len(DRIVERS), self.zones))
        parts[PLACE[Driver.FIRM_PLATFORMS]] = capable * p.firm_hazard
        parts[PLACE[Driver.PUBLIC_PLATFORMS]] = p.public_hazard
        rate = capable * p.firm_hazard_at_start + (parts * drivers.by_zone).sum(axis=0)
        found = np.divide(parts, rate, out=np.zeros_like(parts), where=rate > 0)
        return np.asarray(found[:, :, None])

    def _sector_weight(self, behaviour: str) -> Floats:
        """How much a sector counts in a zone's mean, (Z, S): firms, of calls those that adopt."""
        blueprint, zones = self.district.blueprint, self.district.zones
        weight = zones.firms * (blueprint.base.adopts if behaviour == "calls" else 1.0)
        return np.asarray(weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-300))

    def _members(self) -> tuple[Floats, Bools, Ints]:
        """What each slot counts for in a stock, whether it is active, and its zone (slots,)."""
        district = self.district
        firms = district.columns
        firms.reveal_all()
        if self.target.quantity == Quantity.AI_FIRMS:
            weight = firms.is_ai.astype(float)
        else:
            weight = district.target_weights[self.target.id][firms.sector]
        found = weight, firms.alive > 0, firms.zone.copy()
        firms.reveal(district.month)
        return found

    def _count(self) -> None:
        (old_weight, was, old), (weight, alive, zone) = self.members, self._members()
        self.members = weight, alive, zone
        start, worth = self.comings, np.bincount
        new, gone = alive & ~was, was & ~alive
        both = alive.nonzero()[0]
        start["entries"] += worth(zone[new], old_weight[new], self.zones)
        start["exits"] -= worth(old[gone], old_weight[gone], self.zones)
        start["conversions"] += worth(zone[both], (weight - old_weight)[both], self.zones)

    def found(self) -> Watched:
        district, target = self.district, self.target
        blueprint, month = district.blueprint, district.month
        links, parks = blueprint.links, district.park_columns
        place = list(indicators(blueprint)).index(target.id)
        series = district.outcome().series[:, place, :-1]
        account, policy = self._account(series[month] - series[0])
        total = np.zeros((len(blueprint.plan.measures), self.zones))
        np.add.at(total, links.pair_measure, self.hazard)
        whole = total[links.pair_measure]
        taken = np.bincount(parks.zone, parks.occupied, self.zones)
        places = np.bincount(parks.zone, parks.capacity, self.zones)
        zones = district.zones
        return Watched(
            start=series[0],
            end=series[month],
            account=account,
            policy=policy,
            progress=self.progress,
            path=blueprint.measures.path[month],
            effort=self.effort / np.maximum(self.working, 1.0),
            credit=np.divide(self.hazard, whole, out=np.zeros_like(whole), where=whole > 0),
            workload=self.work / month,
            levels=district.drivers.by_zone.copy(),
            pushes={name: values / month for name, values in self.pushes.items()},
            limits={
                "unfilled": self.unfilled / month,
                "wage_index": zones.wage_index.copy(),
                "full_parks": taken / np.maximum(places, 1.0),
                "setback_months": self.setback,
                "incidents": zones.incidents.copy(),
                "capacity_bound": self.bound / month,
            },
        )

    def _account(self, change: Floats) -> tuple[dict[str, Floats], Floats]:
        """What moved the indicator by name (Z,), and measures' part by entry (entries, Z).

        A flow is a sum of twelve months, each of which has moved since the start by what is
        cumulated up to it; what is left is the growth that the base year ended with.
        """
        entries = np.zeros_like(self.policy[0])
        if self.target.quantity in STOCKS:
            return dict(self.comings), entries
        if self.growth is None:
            return {}, entries
        month = self.district.month
        last = [t for t in range(month - 11, month + 1) if t > 0]
        terms = self.growth.terms[last].sum(axis=0)
        drivers = self.growth.drivers[last].sum(axis=(0, 1, 3))
        policy = np.sum([self.policy[t] for t in last], axis=0)
        account = {name: terms[n] for n, name in enumerate(TERMS)}
        account["measures"] = policy.sum(axis=0)
        account["levers"] = drivers - account["measures"]
        account["base_year"] = change - terms.sum(axis=0) - drivers
        return account, policy


def _only(effects: dict[Driver, float]) -> Floats:
    values = np.zeros(len(DRIVERS))
    for driver, effect in effects.items():
        values[PLACE[driver]] = effect
    return values
