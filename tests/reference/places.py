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
        self.usual_growth = 0.0  # log growth a month when nothing happens
        self.last_growth = 0.0  # log, of last month
        self.pull = 0.0  # of its customers' growth
        self.firms = 0  # at the end of last month
        self.mean_log_revenue = 0.0  # over them
        self.firms_at_start = 1  # at least 1
        self.mean_log_at_start = 0.0  # over them, as all below
        self.mean_youth = 0.0
        self.mean_staff = 0.0
        self.mean_size = 0.0
        self.staff_per_revenue = 0.0
        self.usual_distress = 1.0  # mean factor of closing in a normal year


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
        self.support = 0.0  # log change of the odds of research that policy has brought so far
        self.research_push = 0.0
        self.lift = 0.0  # log revenue that measures have brought so far
        self.lift_gained = 0.0  # of it this month
        self.calls_per_readiness = 0.0
        self.cycle = 0.0  # log growth this month by factors and shocks
        self.capacity = math.inf  # of output a month
        self.orders = 0.0
        self.ramp = 0.0
        self.scenarios = 0
        self.models = 0
        # sums over active firms at the end of the month
        self.firms = 0
        self.staff = 0.0
        self.revenue = 0.0
        self.log_revenue = 0.0
        self.ai_shares = 0.0

    def build_up(self) -> None:
        """7.11: what measures bring is approached over the years."""
        p = self.zone.model.p.growth
        self.lift_gained = (self.weighed(p.effect) - self.lift) / (12.0 * p.build_up)
        self.lift += self.lift_gained

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
        self.driver: dict[str, float] = {}  # means over sectors
        self.seekers = 0.0
        self.vacancies = 0.0
        self.applicants = 0.0
        self.fill_rate = 0.0
        self.wage_index = 1.0
        self.arrivals = 0.0
        self.displaced = 0.0  # of the month's arrivals, whom policy draws from neighbours
        self.pull = 0.0  # log change of arrivals by policy
        self.talent_quality = 0.0  # its mean over the people who stay
        self.policy_openness = 0.0
        self.openness = 0.0
        self.setback_months = 0
        self.data_access = 0.0
        self.data_used = 0.0  # of the access, what firms make use of by now
        self.data_use_gained = 0.0  # of it this month
        self.data_volume = 0.0
        self.data_across_border = 0.0
        self.incidents = 0
        self.key_technologies = 0
        self.landmark_results = 0
        self.standards = 0
        self.technologies_proposed = 0  # as standards
        self.scenarios_proposed = 0
        self.entries = 0
        self.exits = 0

    @property
    def open_platforms(self) -> int:
        return sum(park.open_platforms for park in self.model.parks if park.zone is self)

    def set_drivers(self) -> None:
        """A driver without a sector is its mean over sectors."""
        names = self.cells[0].driver
        self.driver = {r: sum(c.driver[r] for c in self.cells) / len(self.cells) for r in names}

    def open_market(self) -> None:
        """5: posts and people in the steady state of the base year."""
        p = self.model.p.talent
        staff = sum(cell.staff_at_start for cell in self.cells)
        growth = p.inflow_rate - p.attrition * p.leave_district
        gap = 1.0 / self.model.p.growth.normal_staffing - 1.0
        self.vacancies = max(staff * (gap + p.attrition + growth), 0.0)
        turning_up = staff * (p.inflow_rate + p.attrition * (1.0 - p.leave_district))
        self.seekers = max(self.vacancies / p.normal_tightness - turning_up, 0.0)
        self.fill_rate = 1.0 - math.exp(-1.0 / p.normal_tightness)

    @property
    def appeal(self) -> float:
        """7.5: weight with which newcomers choose it."""
        return self.vacancies * self.wage_index**self.model.p.talent.zone_choice

    def set_pull(self) -> None:
        """7.5: what policy adds to the arrivals, and how much of it stays in the people here."""
        model, p = self.model, self.model.p.talent
        grant = model.lever("talent_subsidy", self) / p.grant_years
        usual = model.lever_at_start("talent_subsidy", self) / p.grant_years
        eased = self.driver["talent_inflow"]
        felt = p.grant_alone + (1.0 - p.grant_alone) * eased
        better = ((p.annual_pay + grant) / (p.annual_pay + usual)) ** felt
        self.pull = math.log(1.0 - p.eligible + p.eligible * better**p.pay_elasticity)
        self.pull += p.policy_effect * eased
        self.pull += p.connectivity_effect * self.driver["connectivity"]
        self.talent_quality += p.inflow_rate * (self.pull - self.talent_quality)

    def receive(self, usual: float, luck: float) -> None:
        """7.5: skilled people come, ``usual`` many on average without policy."""
        mean = usual * math.exp(self.pull)
        self.arrivals = max(0.0, mean + math.sqrt(mean) * luck)
        by_policy = max(0.0, 1.0 - math.exp(-self.pull))
        self.displaced = self.model.p.talent.displaced * by_policy * self.arrivals
        self.seekers += self.arrivals

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

    def use_data(self) -> None:
        """7.11: firms come to use the access that they have."""
        gap = self.data_access - self.data_used
        self.data_use_gained = gap / (12.0 * self.model.p.growth.build_up)
        self.data_used += self.data_use_gained

    def trade_data(self, luck: float, luck_of_length: float) -> None:
        """7.10: what rests on data is traded; incidents set openness back."""
        p, effect = self.model.p.data_market, self.model.p.growth.data_effect
        self.data_volume = sum(
            cell.revenue * (1.0 - math.exp(-effect * cell.sector.data_intensity * self.data_used))
            for cell in self.cells
        )
        self.data_across_border = self.openness * self.data_volume
        hazard = p.incident_hazard / 12.0 * self.openness * (1.0 - self.driver["trust"])
        if luck < 1.0 - math.exp(-hazard):
            span = p.setback_longest - p.setback_shortest + 1.0
            self.setback_months = math.floor(p.setback_shortest + luck_of_length * span)
            self.incidents += 1
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
        self.service = model.p.parks.service_at_start
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
        """7.4: service rises, the rent is set."""
        p, driver = self.model.p.parks, self.zone.driver
        help_for_firms = driver["service"] + driver["park_service"]
        self.service += p.service_rate * help_for_firms * (1.0 - self.service)
        filled = self.tenants / max(self.capacity, 1)
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
        p, zone = self.model.p.lifecycle, self.zone
        for s, focus in enumerate(self.focus):
            if focus == 0:
                self.utility[s] = -math.inf
                continue
            cell = zone.cells[s]
            self.utility[s] = (
                p.rent_utility * self.rent
                + p.size_utility * math.log(max(self.free, 1))
                + p.knowledge_utility * math.log(1 + cell.firms)
                + p.talent_utility * zone.fill_rate
                + p.data_utility * zone.data_access * cell.sector.data_intensity
                + p.focus_utility * focus
            )
