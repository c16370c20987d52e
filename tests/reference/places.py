"""Sectors, zones, their cells, and parks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import mesa

from sim import months
from sim.economy import SectorBase
from sim.plan import Driver

if TYPE_CHECKING:
    from tests.reference.model import ReferenceDistrict


class Sector:
    """A sector's record in the economy file, and what is measured over its firms."""

    def __init__(self, number: int, record: SectorBase) -> None:
        self.number = number
        self.record = record
        self.revenue_of_base_year = float(record.revenue)
        self.growth_of_base_year = math.log(1.0 + float(record.growth_in_base_year))
        self.data_intensity = float(record.data_intensity)
        self.kinds = int(record.project_kinds.value)
        self.mean_growth = self.growth_of_base_year / 12.0  # running mean, log a month
        self.last_growth = self.mean_growth
        self.pull = 0.0  # of its customers' growth
        self.mean_log_revenue = 0.0  # over its firms at the start, as all below
        self.mean_capability = 0.0
        self.mean_maturity = 0.0
        self.mean_staff = 0.0
        self.mean_size = 0.0
        self.obsolescence = 0.0


class Cell:
    """A sector in a zone."""

    def __init__(self, zone: Zone, sector: Sector, firms: int) -> None:
        self.zone = zone
        self.sector = sector
        split = sector.record.zones.get(zone.id)
        self.firms_at_start = firms
        self.staff_at_start = float(sector.record.staff) * float(split.staff) if split else 0.0
        revenue = sector.revenue_of_base_year * float(split.revenue) if split else 0.0
        past = sum(math.exp(-sector.growth_of_base_year * j / 12.0) for j in range(12))
        self.revenue_at_start = revenue / past  # of December, a month
        self.driver = {driver.value: 0.0 for driver in Driver}
        self._weighed: dict[int, float] = {}
        self.productivity = 0.0
        self.staff_per_revenue = 0.0
        self.knowledge = 0.0
        self.knowledge_at_start = 0.0
        self.research_push = 0.0
        self.calls_per_readiness = 0.0
        self.cycle = 0.0  # log growth this month by factors and shocks
        self.capacity = math.inf  # of output a month
        self.orders = 0.0
        self.ramp = 0.0
        self.scenarios = 0
        self.models = 0
        # sums over active firms at the end of the month
        self.firms = 0
        self.revenue = 0.0
        self.ai_shares = 0.0

    def set_drivers(self, driver: dict[str, float]) -> None:
        self.driver = driver
        self._weighed = {}

    def weighed(self, effect: dict[str, float]) -> float:
        """Σ_r effect_r·D_r; remembered, since all firms of the cell ask."""
        key = id(effect)
        if key not in self._weighed:
            self._weighed[key] = sum(beta * self.driver[r] for r, beta in effect.items())
        return self._weighed[key]


class Zone(mesa.Agent):
    """People, data and counts of a zone."""

    model: ReferenceDistrict

    def __init__(self, model: ReferenceDistrict, number: int, zone_id: str, pilot: bool) -> None:
        super().__init__(model)
        self.number = number
        self.id = zone_id
        self.pilot = pilot
        self.distance: list[float] = []
        self.cells: list[Cell] = []
        self.firm_share = 0.0  # of the district's firms at the start
        self.staff_at_start = 0.0
        self.driver: dict[str, float] = {}  # means over sectors
        self.seekers = 0.0
        self.vacancies = 0.0
        self.applicants = 0.0
        self.fill_rate = 1.0
        self.wage_index = 1.0
        self.policy_openness = 0.0
        self.openness = 0.0
        self.setback_months = 0
        self.data_access = 0.0
        self.key_technologies = 0
        self.landmark_results = 0
        self.standards = 0
        self.entries = 0
        self.exits = 0

    @property
    def open_platforms(self) -> int:
        return sum(park.open_platforms for park in self.model.parks if park.zone is self)

    def set_drivers(self) -> None:
        """A driver without a sector is its mean over sectors."""
        names = self.cells[0].driver
        self.driver = {r: sum(c.driver[r] for c in self.cells) / len(self.cells) for r in names}

    def receive(self, luck: float) -> None:
        """7.5: skilled people come."""
        model, p = self.model, self.model.p.talent
        subsidy = model.lever("talent_subsidy", self)
        at_start = model.lever_at_start("talent_subsidy", self)
        reward = math.log((p.annual_pay + subsidy) / (p.annual_pay + at_start))
        push = p.subsidy_elasticity * (reward + math.log(self.wage_index))
        push += p.policy_effect * self.driver["talent_inflow"]
        push += p.connectivity_effect * self.driver["connectivity"]
        mean = p.inflow_rate * self.staff_at_start * math.exp(push)
        self.seekers += max(0.0, mean + math.sqrt(mean) * luck)

    def plan_staff(self) -> None:
        """7.5: the staff that a unit of monthly revenue needs."""
        p = self.model.p.talent
        grown = math.exp(p.productivity_growth * self.model.month / 12.0)
        dear = self.wage_index**p.labour_demand_elasticity
        for cell in self.cells:
            cell.staff_per_revenue = 12.0 / (cell.productivity * grown * dear)
        self.vacancies = 0.0

    def set_wage(self) -> None:
        """7.5: wages follow tightness."""
        p = self.model.p.talent
        tightness = self.vacancies / max(self.applicants, 1.0) / p.normal_tightness
        change = p.wage_response * math.log(min(max(tightness, 0.1), 10.0))
        self.wage_index = min(max(self.wage_index * math.exp(change), 0.5), 2.0)

    def trade_data(self, luck: float, luck_of_length: float) -> None:
        """7.10: incidents set openness back."""
        p = self.model.p.data_market
        hazard = p.incident_hazard / 12.0 * self.openness * (1.0 - self.driver["trust"])
        if luck < 1.0 - math.exp(-hazard):
            span = p.setback_longest - p.setback_shortest + 1.0
            self.setback_months = math.floor(p.setback_shortest + luck_of_length * span)
        else:
            self.setback_months = max(self.setback_months - 1, 0)


class Park(mesa.Agent):
    """Places for firms, and for platforms."""

    model: ReferenceDistrict

    def __init__(self, model: ReferenceDistrict, number: int, zone: Zone) -> None:
        super().__init__(model)
        plan = model.inputs.plan
        record = plan.parks[number]
        self.number = number
        self.zone = zone
        self.general = record.general
        places = float(record.capacity)
        if record.general:
            places = math.ceil(places * sum(cell.firms_at_start for cell in zone.cells))
        self.places = math.floor(places)
        self.opens = max(0, months.between(plan.start, record.opens)) if record.opens else 0
        others = 0.5 if record.general else 0.0
        self.focus = [1.0 if s in record.focus else others for s in plan.sector_ids()]
        self.platform_places = int(record.platforms.value)
        self.tenants = 0
        self.rent = 1.0
        self.service = self.digital = model.p.parks.service_at_start
        self.courting = [0.0 for _ in self.focus]
        self.utility = [-math.inf for _ in self.focus]
        self.platforms_founded = 0  # and not yet open
        self.open_platforms = 0

    @property
    def is_open(self) -> bool:
        return self.opens <= self.model.month

    @property
    def capacity(self) -> int:
        return self.places if self.is_open else 0

    @property
    def free(self) -> int:
        return self.capacity - self.tenants

    @property
    def has_room(self) -> bool:
        return self.free >= 1

    @property
    def room_for_platforms(self) -> int:
        taken = self.platforms_founded + self.open_platforms
        return self.platform_places - taken if self.is_open else 0

    def serve(self) -> None:
        """7.4: service and digital level rise, firms are courted, the rent is set."""
        p, driver = self.model.p.parks, self.zone.driver
        help_for_firms = driver["service"] + driver["park_service"]
        self.service += p.service_rate * help_for_firms * (1.0 - self.service)
        self.digital += p.digital_rate * driver["park_service"] * (1.0 - self.digital)
        filled = self.tenants / max(self.capacity, 1)
        vacancy = max(0.0, 1.0 - filled) if self.capacity > 0 else 0.0
        wanted = [
            focus * vacancy * (1.0 + p.recruiting_response * cell.driver["recruitment"])
            for focus, cell in zip(self.focus, self.zone.cells, strict=True)
        ]
        total = sum(wanted)
        self.courting = [part / total if total > 0 else 0.0 for part in wanted]
        full_rent = math.exp(p.rent_response * (filled - p.normal_occupancy))
        self.rent = full_rent * (1.0 - self.model.lever("rent_relief", self.zone))

    def host_platforms(self, rate: float, luck: float, luck_of_opening: float) -> None:
        """7.8: at most one platform is founded and one opens, at a rate a year of founding here."""
        p = self.model.p.platforms
        founded = luck < 1.0 - math.exp(-rate / 12.0)
        opening = p.opening_hazard / 12.0 * self.platforms_founded
        opened = luck_of_opening < 1.0 - math.exp(-opening)
        self.platforms_founded += founded - opened
        self.open_platforms += opened

    def make_offers(self) -> None:
        """7.12: what it offers to a firm of each sector."""
        p, at_start = self.model.p.lifecycle, self.model.p.parks.service_at_start
        zone = self.zone
        wanted_sectors = sum(focus > 0 for focus in self.focus)
        for s, focus in enumerate(self.focus):
            if focus == 0:
                self.utility[s] = -math.inf
                continue
            cell = zone.cells[s]
            self.utility[s] = (
                p.rent_utility * self.rent
                + p.service_utility * (self.service - at_start)
                + p.digital_utility * (self.digital - at_start)
                + p.size_utility * math.log(max(self.free, 1))
                + p.knowledge_utility * math.log(1 + cell.firms)
                + p.talent_utility * zone.fill_rate
                + p.data_utility * zone.data_access * cell.sector.data_intensity
                + p.focus_utility * focus
                + p.recruiting_utility * self.courting[s] * wanted_sectors
            )
