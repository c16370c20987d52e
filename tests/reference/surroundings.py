"""What firms meet and do not act upon: the business cycle, the plan's measures, the drivers.

Sections 7.1 to 7.3 of docs/model.md.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import mesa

from sim import months
from sim.plan import Driver

if TYPE_CHECKING:
    from tests.reference.model import ReferenceDistrict
    from tests.reference.places import Cell, Zone


class BusinessCycle:
    """7.1: the common factor, the sectors' factors, and shocks."""

    def __init__(self, model: ReferenceDistrict) -> None:
        self.model = model
        self.common, *self.sector = self._normal(0)
        self.size = {
            shock.id: max(shock.size + shock.size_sd * self._shock_luck(shock.id), -0.95)
            for shock in model.inputs.scenario.shocks
        }

    def _normal(self, month: int) -> list[float]:
        return self.model.draws.normal("economy", month, 1 + len(self.model.sectors)).tolist()

    def _shock_luck(self, name: str) -> float:
        return float(self.model.draws.normal(f"shock {name}", 0, 1)[0])

    def turn(self) -> None:
        """Set the month's log growth of every cell."""
        model, p = self.model, self.model.p.economy
        common, *sector = self._normal(model.month)
        rho = p.common_persistence
        self.common = rho * self.common + math.sqrt(1.0 - rho**2) * common
        rho = p.sector_persistence
        for s, luck in enumerate(sector):
            self.sector[s] = rho * self.sector[s] + math.sqrt(1.0 - rho**2) * luck
        for cell in model.cells:
            s = cell.sector.number
            cell.cycle = p.common_loading[s] * self.common + p.sector_volatility[s] * self.sector[s]
            cell.cycle += self.shocks(cell)

    def shocks(self, cell: Cell) -> float:
        plan, t = self.model.inputs.plan, self.model.month
        total = 0.0
        for shock in self.model.inputs.scenario.shocks:
            zones = shock.zones or plan.zone_ids()
            sectors = shock.sectors or plan.sector_ids()
            if cell.zone.id in zones and plan.sector_ids()[cell.sector.number] in sectors:
                first = months.between(plan.start, shock.start)

                def level(month: int, shock=shock, first=first) -> float:
                    fallen = (month - first + 1) / shock.length
                    back = (month - first + 1 - shock.length) / shock.recovery_months
                    return clip(fallen, 0, 1) - shock.recovery * clip(back, 0, 1)

                total += math.log(1.0 + self.size[shock.id]) * (level(t) - level(t - 1))
        return total


def clip(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


class Measure:
    """7.2: a measure of the plan, its progress by zone, and the departments behind it."""

    def __init__(self, model: ReferenceDistrict, number: int) -> None:
        plan, paths = model.inputs.plan, model.blueprint.measures
        self.model = model
        self.record = plan.measures[number]
        self.start = months.between(plan.start, self.record.start)
        self.reach = [plan.reach_of(self.record, zone) for zone in plan.zone_ids()]
        self.path: list[float] = paths.path[:, number].tolist()  # by month
        self.intensity: list[list[float]] = paths.intensity[:, number].tolist()  # by month, zone
        self.priority = model.inputs.scenario.priorities.get(self.record.id, 0.0)
        self.progress = [0.0 for _ in self.reach]
        self.team: list[Department] = []
        self.weight = 0.0

    def under_way_in(self, month: int) -> bool:
        intensity = self.intensity[month]
        acts = any(i * reach > 0 for i, reach in zip(intensity, self.reach, strict=True))
        return self.start <= month and acts

    @property
    def under_way(self) -> bool:
        return self.under_way_in(self.model.month)

    @property
    def goes_on(self) -> bool:
        """Whether it ran before the plan and does in its first month."""
        return self.start <= 0 and self.under_way_in(min(1, self.model.horizon))

    def set_weight(self) -> None:
        """Its pull on departments: more if it lags behind its path."""
        p = self.model.p.implementation
        served = sum(self.reach)
        done = sum(r * x for r, x in zip(self.reach, self.progress, strict=True))
        lag = max(0.0, self.path[self.model.month] - (done / served if served > 0 else 0.0))
        push = math.exp(self.priority + p.shortfall_weight * lag)
        self.weight = push if self.under_way else 0.0

    def joint_effort(self, zone_id: str) -> float:
        p = self.model.p.implementation
        efforts = [d.effort[self.record.id] for d in self.team if d.record.zone in (None, zone_id)]
        if not efforts:
            return 0.0
        help_of_strongest = p.hand_over * max(efforts)
        helped = [max(effort, help_of_strongest, 1e-9) for effort in efforts]
        mean = sum(effort**p.substitution for effort in helped) / len(helped)
        return mean ** (1.0 / p.substitution) * len(helped) ** -p.coordination_loss

    def work(self, zone: Zone) -> float:
        """What money and staff do together; neither does anything without the other."""
        p = self.model.p.implementation
        money = self.intensity[self.model.month][zone.number]
        staff = self.joint_effort(zone.id)
        if money <= 0 or staff <= 0:
            return 0.0
        power = p.money_substitution
        mean = p.money_share * money**power + (1.0 - p.money_share) * staff**power
        return mean ** (1.0 / power)

    def advance(self, luck: list[float]) -> None:
        p, speed = self.model.p.implementation, float(self.record.speed)
        if not self.under_way:
            return
        for zone in self.model.zones:
            z = zone.number
            noise = math.exp(p.progress_noise * luck[z] - p.progress_noise**2 / 2.0)
            push = self.reach[z] * speed * self.work(zone) * noise
            self.progress[z] = 1.0 - (1.0 - self.progress[z]) * math.exp(-push)


class Department(mesa.Agent):
    """7.2: a department that splits its staff over its measures."""

    model: ReferenceDistrict

    def __init__(self, model: ReferenceDistrict, number: int) -> None:
        super().__init__(model)
        self.number = number
        self.record = model.inputs.plan.departments[number]
        self.measures = [
            m for m in model.measures if self.record.id in (m.record.lead, *m.record.join)
        ]
        # measures that ran before the plan already have what they keep drawing
        drawn = {m: math.exp(m.priority) if m.goes_on else 0.0 for m in self.measures}
        duties = model.p.implementation.other_duties * float(self.record.capacity)
        total = sum(drawn.values()) + duties
        self.attention = {m.record.id: w / total if w > 0 else 0.0 for m, w in drawn.items()}
        self.effort = {m.record.id: 0.0 for m in self.measures}

    def work(self) -> None:
        p, model = self.model.p.implementation, self.model
        luck = model.luck["department"][self.number]
        efficiency = p.efficiency * math.exp(p.effort_noise * luck - p.effort_noise**2 / 2.0)
        capacity = float(model.blueprint.department_capacity[model.month, self.number])
        planned = float(self.record.capacity)
        total = sum(m.weight for m in self.measures) + p.other_duties * planned
        for measure in self.measures:
            name = measure.record.id
            share = measure.weight / total if total > 0 else 0.0
            self.attention[name] += p.attention_speed * (share - self.attention[name])
            able = (1.0 + p.other_duties) * capacity * efficiency
            self.effort[name] = able * self.attention[name]


def drive(model: ReferenceDistrict) -> None:
    """7.3: progress and levers set the drivers of every cell, then openness of data."""
    sectors = model.inputs.plan.sector_ids()
    scale = model.p.drivers.effect_scale
    for cell in model.cells:
        raw = {driver.value: 0.0 for driver in Driver}
        for measure in model.measures:
            for effect in measure.record.effects:
                if not effect.sectors or sectors[cell.sector.number] in effect.sectors:
                    strength = scale * float(effect.strength)
                    raw[effect.driver] += strength * measure.progress[cell.zone.number]
        for name, rule in model.inputs.economy.levers.items():
            if rule.driver is not None:
                extra = model.lever(name, cell.zone) - model.lever_at_start(name, cell.zone)
                if rule.spread == "by_firms":
                    extra /= max(cell.zone.firm_share, 1e-6)
                scaled = model.p.drivers.lever_scale.get(rule.driver, 0.0)
                raw[rule.driver] += scaled * float(rule.strength) * extra
        cell.set_drivers({r: 1.0 - math.exp(-max(x, 0.0)) for r, x in raw.items()})
    for zone in model.zones:
        zone.set_drivers()
    open_data(model)


def open_data(model: ReferenceDistrict) -> None:
    """7.3: openness spreads from the pilot zones, and gives access to data."""
    p = model.p.drivers
    allowed = {}
    for zone in model.zones:
        lever = model.lever("data_port_openness", zone)
        allowed[zone] = lever + (1.0 - lever) * zone.driver["data_openness"]
    pilots = [allowed[zone] for zone in model.zones if zone.pilot]
    lead = sum(pilots) / len(pilots) if pilots else 0.0
    for zone in model.zones:
        gap = max(0.0, lead - zone.policy_openness)
        spread = zone.policy_openness + p.openness_spread * zone.driver["linkage"] * gap
        zone.policy_openness = allowed[zone] if zone.pilot else max(allowed[zone], spread)
        set_back = p.setback if zone.setback_months > 0 else 0.0
        zone.openness = zone.policy_openness * (1.0 - set_back)
        trusted = p.access_without_trust + (1.0 - p.access_without_trust) * zone.driver["trust"]
        exchange = p.exchange_weight * zone.driver["data_exchange"]
        zone.data_access = 1.0 - (1.0 - zone.openness * trusted) * (1.0 - exchange)
