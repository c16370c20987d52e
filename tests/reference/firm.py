"""One firm: its state as attributes, its rules as methods.

Each rule is an equation of docs/model.md, in the section that its heading names, in the arithmetic
of one firm. ``self.luck("growth")`` is the firm's draw of that mechanism in this month.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import mesa

if TYPE_CHECKING:
    from tests.reference.model import ReferenceDistrict
    from tests.reference.places import Cell, Park, Sector, Zone

HALF_STEP = 2.0**-25  # half the distance of two uniform draws


class Firm(mesa.Agent):
    """A firm, or a founder who may start one in the month ``founded``."""

    model: ReferenceDistrict

    def __init__(
        self, model: ReferenceDistrict, slot: int, sector: Sector, founded: int, **traits: float
    ) -> None:
        super().__init__(model)
        self.slot = slot
        self.sector = sector
        self.founded = founded
        self.state = "potential"  # then active or refused; from active exited
        self.zone: Zone | None = None
        self.park: Park | None = None
        self.log_revenue = traits["log_revenue"]  # of monthly revenue, 亿元
        self.revenue = 0.0
        self.staff = 0.0
        self.staffing = 0.0  # log of staff over wanted staff
        self.capability = traits["capability"]
        self.maturity = traits["maturity"]
        self.ai_share = traits["ai_share"]
        self.is_ai = sector.record.is_ai
        self.large = bool(traits["large"])
        self.foreign = bool(traits["foreign"])
        self.anchor = bool(traits["anchor"])
        self.adopting = False
        self.projects = 0
        self.one_off = 0.0
        self.wanted = 0.0  # staff
        self.vacancies = 0.0

    @property
    def active(self) -> bool:
        return self.state == "active"

    @property
    def cell(self) -> Cell:
        """The firms of its sector in its zone."""
        return self.zone.cells[self.sector.number]

    def luck(self, mechanism: str) -> float:
        return self.model.luck[mechanism][self.slot]

    # ------------------------------------------------------------------------------ 7.5 Talent

    def lose_staff(self) -> None:
        p = self.model.p.talent
        leavers = self.staff * p.attrition
        self.staff -= leavers
        self.zone.seekers += leavers * (1.0 - p.leave_district)

    def open_posts(self) -> None:
        self.wanted = self.cell.staff_per_revenue * self.revenue
        self.vacancies = max(0.0, self.wanted - self.staff)
        self.zone.vacancies += self.vacancies

    def hire(self) -> None:
        self.staff += self.zone.fill_rate * self.vacancies
        filled = self.staff / max(self.wanted, 1e-6)
        self.staffing = math.log(min(max(filled, 0.05), 1.0))

    # --------------------------------------------------------------------------- 7.6 Diffusion

    def diffuse(self) -> None:
        p, cell = self.model.p.diffusion, self.cell
        speed = p.ai_rate[self.sector.number] / 12.0 * math.exp(cell.weighed(p.ai_effect))
        self.ai_share += speed * self.ai_share * (1.0 - self.ai_share)
        rate = (p.maturity_rate + p.maturity_effect * cell.driver["adoption"]) / 12.0
        self.maturity += rate * (1.0 - self.maturity)

    # -------------------------------------------------------------------------- 7.7 Innovation

    def chance_of_success(self, push: float) -> float:
        p, sector = self.model.p.innovation, self.sector
        size = max(self.staff, 1e-6) / sector.mean_staff
        hazard = p.hazard[sector.number] / 12.0 * size**p.size_elasticity * math.exp(push)
        return 1.0 - math.exp(-hazard)

    def research(self) -> None:
        """The frontier moves on; a success closes part of the gap, and may be a key technology."""
        p = self.model.p.innovation
        chance = self.chance_of_success(self.cell.research_push) if self.active else 0.0
        self.capability *= 1.0 - self.sector.obsolescence
        luck = self.luck("innovation")
        if luck >= chance:
            return
        able = self.capability >= p.frontier
        self.capability += p.step * (1.0 - self.capability)
        key_chance = chance * p.key_share[self.sector.number]
        if able and luck < key_chance:
            threshold = -math.log(min(max((luck + HALF_STEP) / key_chance, 1e-9), 1.0))
            self.model.add_technology(self, threshold)

    # --------------------------------------------------------------------------- 7.8 Platforms

    @property
    def may_found_platforms(self) -> bool:
        return self.active and self.large and self.capability >= self.model.p.platforms.capable

    # --------------------------------------------------------------------------- 7.9 Scenario calls

    @property
    def readiness(self) -> float:
        """For an application project of its own."""
        if not (self.active and self.sector.record.adopts) or self.adopting:
            return 0.0
        return 4.0 * self.maturity * (1.0 - self.maturity)

    def posts_call(self) -> bool:
        hazard = self.cell.calls_per_readiness * self.readiness
        return self.luck("call") < 1.0 - math.exp(-hazard)

    @property
    def spare(self) -> float:
        """Share of its staff that could take on a project, as a supplier."""
        capacity = math.floor(self.staff / self.model.p.calls.staff_per_project)
        return max(1.0 - self.projects / capacity, 0.0) if capacity >= 1 else 0.0

    def appeal(self, adopter: Firm, luck: float) -> float:
        """Of its bid to an adopter; the largest is chosen."""
        p = self.model.p.calls
        away = self.zone.distance[adopter.zone.number]
        noise = -math.log(-math.log(max(luck, 1e-12)))
        systematic = math.log(self.spare) - away / p.supplier_reach
        return systematic + p.capability_weight * math.log(self.capability) + noise

    def project_growth(self, number: int) -> float:
        """Log rise of revenue by a number of projects that it carries out."""
        p = self.model.p.calls
        monthly = 2.0 * p.project_value / (p.shortest + p.longest)
        return math.log(1.0 + number * monthly / math.exp(self.log_revenue))

    # ----------------------------------------------------------------------------- 7.11 Growth

    def grow(self) -> None:
        growth = self.log_growth() if self.active else 0.0
        self.log_revenue = min(max(self.log_revenue + growth, -16.0), 8.0)
        self.one_off = 0.0
        if self.active:
            self.revenue = math.exp(self.log_revenue)

    def log_growth(self) -> float:
        p, cell, sector = self.model.p.growth, self.cell, self.sector
        s = sector.number
        yearly = p.drift[s] + cell.weighed(p.effect)
        yearly += p.data_effect * sector.data_intensity * self.zone.data_access
        yearly += p.capability_effect * (self.capability - sector.mean_capability)
        yearly += p.maturity_effect * (self.maturity - sector.mean_maturity)
        monthly = yearly / 12.0
        monthly += p.staffing_effect * (self.staffing - math.log(p.normal_staffing))
        monthly += cell.cycle + cell.ramp + p.demand_pull * sector.pull
        size = self.log_revenue - sector.mean_log_revenue
        scale = min(0.4, p.volatility[s] / math.sqrt(2.0) * math.exp(-p.size_exponent * size))
        noise = scale * self.luck("growth") + math.log(1.0 - scale**2)
        return monthly + self.one_off + noise

    def cut(self, factor: float) -> None:
        self.revenue *= factor
        self.log_revenue += math.log(factor)

    # ------------------------------------------------------- 7.12 Entry, moves, exit, conversion

    def exit_hazard_of_age(self) -> float:
        """A year, by age in months."""
        p = self.model.p.lifecycle
        age = self.model.month - self.founded
        for end, hazard in (
            (12, p.exit_year_1),
            (24, p.exit_year_2),
            (36, p.exit_year_3),
            (84, p.exit_year_4_to_7),
        ):
            if age < end:
                return hazard
        return p.exit_later

    def maybe_close(self) -> None:
        p, sector = self.model.p.lifecycle, self.sector
        push = p.exit_size_effect * (self.log_revenue - sector.mean_log_revenue)
        push += p.exit_service_effect * self.zone.driver["service"]
        hazard = self.exit_hazard_of_age() / 12.0 * p.exit_scale[sector.number] * math.exp(push)
        if self.luck("exit") < 1.0 - math.exp(-hazard):
            self.close()

    def close(self) -> None:
        self.state = "exited"
        self.zone.exits += 1
        self.zone.seekers += self.staff
        self.park.tenants -= 1
        self.revenue = self.staff = 0.0
        self.projects = 0
        self.adopting = False

    def looks_elsewhere(self) -> Park | None:
        """The other park that it wants to move to, if any."""
        p, luck = self.model.p.lifecycle, self.luck("move")
        hazard = 1.0 - math.exp(-p.moving_hazard / 12.0)
        if luck >= hazard:
            return None
        utility = []
        for park in self.model.parks:
            offer = park.utility[self.sector.number]
            offer -= p.moving_cost * self.zone.distance[park.zone.number]
            utility.append(offer if park is self.park or park.has_room else -math.inf)
        chosen = self.model.logit(utility, (luck + HALF_STEP) / hazard)
        return chosen if chosen is not self.park else None

    def looks_for_a_start(self, luck: float, luck_of_park: float) -> Park | None:
        """As a founder: the park in which it wants to start, if it does."""
        p, model = self.model.p.lifecycle, self.model
        utility = [
            park.utility[self.sector.number] if park.has_room else -math.inf for park in model.parks
        ]
        park = model.logit(utility, luck_of_park)
        if park is None:
            return None
        cell = park.zone.cells[self.sector.number]
        push = p.service_effect * park.zone.driver["service"]
        push += p.park_effect * (park.service - model.p.parks.service_at_start)
        push += p.rent_effect * (park.rent - 1.0)
        courted = p.recruitment_effect + p.anchor_effect * self.anchor
        push += courted * cell.driver["recruitment"]
        if self.foreign:
            push += p.access_effect * cell.driver["market_access"] + p.foreign_barrier
        push += p.cycle_effect * 12.0 * cell.cycle
        return park if luck < p.acceptance * math.exp(push) else None

    def start(self) -> None:
        """Housed by now; its staff comes from the zone's seekers, see the model."""
        self.state = "active"
        self.revenue = math.exp(self.log_revenue)
        self.wanted = self.cell.staff_per_revenue * self.revenue
        self.zone.entries += 1

    def maybe_convert(self) -> None:
        can = self.sector.record.supplies or self.sector.record.adopts
        if can and self.ai_share > self.model.p.lifecycle.ai_threshold:
            self.is_ai = True
