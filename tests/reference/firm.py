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
        self.standing = self.worth  # log revenue that capability and maturity have brought so far
        self.trend = self.log_revenue  # its mean of about the last year
        self.obsolescence = 0.0  # share of its capability that is lost each month
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

    @property
    def youth(self) -> float:
        """1 at its founding, and towards 0 with age."""
        age = self.model.month - self.founded
        return math.exp(-age / (12.0 * self.model.p.growth.age_years))

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

    def dismiss(self) -> None:
        """Part of those for whom it has no work."""
        p = self.model.p.talent
        dismissed = p.dismissal * max(0.0, self.staff - self.wanted)
        self.staff -= dismissed
        self.zone.seekers += dismissed * (1.0 - p.leave_district)

    def hire(self) -> None:
        self.staff += self.zone.fill_rate * self.vacancies
        filled = self.staff / max(self.wanted, 1e-6)
        self.staffing = math.log(min(max(filled, 0.05), 1.0))

    # --------------------------------------------------------------------------- 7.6 Diffusion

    def diffuse(self) -> None:
        p, cell = self.model.p.diffusion, self.cell
        push = cell.weighed(p.ai_effect)
        push += p.data_effect * self.sector.data_intensity * self.zone.data_access
        speed = p.ai_rate[self.sector.number] / 12.0 * math.exp(push)
        self.ai_share += speed * self.ai_share * (1.0 - self.ai_share)
        rate = (p.maturity_rate + p.maturity_effect * cell.driver["adoption"]) / 12.0
        self.maturity += rate * (1.0 - self.maturity)

    # -------------------------------------------------------------------------- 7.7 Innovation

    def chance_of_success(self, staff: float, push: float) -> float:
        p, sector = self.model.p.innovation, self.sector
        size = max(staff, 1e-6) / sector.mean_staff
        hazard = p.hazard[sector.number] / 12.0 * size**p.size_elasticity * math.exp(push)
        return 1.0 - math.exp(-hazard)

    def set_obsolescence(self, staff: float) -> None:
        """It falls behind the frontier as fast as it closes in on it in the base year."""
        step = self.model.p.innovation.step
        gain = self.chance_of_success(staff, push=0.0) * step * (1.0 - self.capability)
        self.obsolescence = min(gain / self.capability, 1.0)

    def research(self) -> None:
        """The frontier moves on; a success closes part of the gap, and may be a key technology."""
        p = self.model.p.innovation
        chance = 0.0
        if self.active:
            chance = self.chance_of_success(self.staff, self.cell.research_push)
        self.capability *= 1.0 - self.obsolescence
        luck = self.luck("innovation")
        if luck >= chance:
            return
        able = self.capability >= p.frontier
        self.capability += p.step * (1.0 - self.capability)
        key_chance = chance * p.key_share[self.sector.number]
        if able and luck < key_chance:
            threshold = -math.log(min(max((luck + HALF_STEP) / key_chance, 1e-9), 1.0))
            self.model.add_technology(self, threshold)
            asked = p.value_alone + (1.0 - p.value_alone) * self.cell.driver["demand"]
            self.standing -= p.technology_value * asked  # so that it has that much to gain

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

    def has_project(self) -> bool:
        """Whether it runs a project at the start: as often as in the long run of such calls."""
        p = self.model.p.calls
        busy = self.cell.calls_per_readiness * self.readiness * (p.shortest + p.longest) / 2.0
        return self.luck("call") < busy / (1.0 + busy)

    @property
    def spare(self) -> float:
        """Share of its staff that could take on a project, as a supplier."""
        capacity = math.floor(self.staff / self.model.p.calls.staff_per_project)
        return max(1.0 - self.projects / capacity, 0.0) if capacity >= 1 else 0.0

    def appeal(self, luck: float) -> float:
        """Of its bid; the largest is chosen."""
        weight = self.model.p.calls.capability_weight
        noise = -math.log(-math.log(max(luck, 1e-12)))
        return math.log(self.spare) + weight * math.log(self.capability) + noise

    def project_growth(self, number: int) -> float:
        """Log rise of revenue by a number of projects that it carries out."""
        p = self.model.p.calls
        monthly = 2.0 * p.project_value / (p.shortest + p.longest)
        return math.log(1.0 + number * monthly / math.exp(self.log_revenue))

    # ----------------------------------------------------------------------------- 7.11 Growth

    @property
    def worth(self) -> float:
        """Log revenue that its capability and maturity bring in the end."""
        p = self.model.p.growth
        return p.capability_effect * self.capability + p.maturity_effect * self.maturity

    def grow(self) -> None:
        growth = self.log_growth() if self.active else 0.0
        self.log_revenue = min(max(self.log_revenue + growth, -16.0), 8.0)
        self.one_off = 0.0
        if self.active:
            self.trend += (self.log_revenue - self.trend) / 12.0
            self.revenue = math.exp(self.log_revenue)

    def log_growth(self) -> float:
        p, cell, sector = self.model.p.growth, self.cell, self.sector
        gained = (self.worth - self.standing) / (12.0 * p.build_up)
        self.standing += gained
        monthly = p.drift[sector.number] / 12.0
        monthly += p.age_growth / 12.0 * (self.youth - sector.mean_youth)
        monthly += p.staffing_effect * (self.staffing - math.log(p.normal_staffing))
        monthly += cell.cycle + cell.ramp + p.demand_pull * sector.pull
        monthly += cell.lift_gained
        monthly += p.data_effect * sector.data_intensity * self.zone.data_use_gained
        return monthly + gained + self.one_off + self.jump()

    @property
    def jump_size(self) -> float:
        """Mean size of a jump of its log revenue, up or down."""
        p, sector = self.model.p.growth, self.sector
        typical = p.volatility[sector.number] / math.sqrt(2.0 * p.jumps / 12.0)
        larger = self.log_revenue - sector.mean_log_revenue
        younger = self.youth - sector.mean_youth
        push = p.age_volatility * younger - p.size_exponent * larger
        return min(typical * math.exp(push), 0.6)

    def jump(self) -> float:
        """A change of fortune, with its mean effect on revenue taken out."""
        size, chance, luck = self.jump_size, self.model.p.growth.jumps / 12.0, self.luck("growth")
        jumped = size * laplace_quantile((luck + HALF_STEP) / chance) if luck < chance else 0.0
        return jumped - math.log(1.0 - chance + chance / (1.0 - size**2))

    def cut(self, factor: float) -> None:
        self.revenue *= factor
        self.log_revenue += math.log(factor)

    # -------------------------------------------------------------- 7.12 Entry, exit, conversion

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

    @property
    def distress(self) -> float:
        """Factor of its hazard of closing, for having fallen below its mean of the last year."""
        fallen = max(self.trend - self.log_revenue, 0.0)
        return math.exp(self.model.p.lifecycle.distress_effect * fallen)

    def maybe_close(self) -> None:
        p, sector = self.model.p.lifecycle, self.sector
        push = p.exit_size_effect * (self.log_revenue - sector.mean_log_revenue)
        push += p.exit_service_effect * self.zone.driver["service"]
        hazard = self.exit_hazard_of_age() / 12.0 * p.exit_scale[sector.number] * math.exp(push)
        hazard *= self.distress / sector.usual_distress
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

    def looks_for_a_start(self, luck: float, luck_of_park: float) -> Park | None:
        """As a founder: the park in which it wants to start, if it does."""
        p, model = self.model.p.lifecycle, self.model
        utility = [
            park.utility[self.sector.number] if park.has_room else -math.inf for park in model.parks
        ]
        park = model.logit(utility, luck_of_park)
        if park is None:
            return None
        cell, sector = park.zone.cells[self.sector.number], self.sector
        push = math.log(max(sector.firms, 1) / sector.firms_at_start)
        push += p.service_effect * park.zone.driver["service"]
        push += p.park_effect * (park.service - model.p.parks.service_at_start)
        push += p.rent_effect * (park.rent - 1.0)
        courted = p.recruitment_effect + p.anchor_effect * self.anchor
        push += courted * cell.driver["recruitment"]
        if self.foreign:
            push += p.access_effect * cell.driver["market_access"] + p.foreign_barrier
            push += p.openness_effect * park.zone.openness
        push += p.data_start_effect * sector.data_intensity * park.zone.data_access
        push += p.talent_start_effect * park.zone.pull
        push += p.cycle_effect * 12.0 * cell.cycle
        return park if luck < p.acceptance * math.exp(push) else None

    def start(self) -> None:
        """Housed by now; its staff comes from the zone's seekers, see the model."""
        self.state = "active"
        self.log_revenue += self.sector.mean_log_revenue - self.sector.mean_log_at_start
        self.trend = self.log_revenue
        self.revenue = math.exp(self.log_revenue)
        self.wanted = self.cell.staff_per_revenue * self.revenue
        self.zone.entries += 1

    def maybe_convert(self) -> None:
        can = self.sector.record.supplies or self.sector.record.adopts
        if can and self.ai_share > self.model.p.lifecycle.ai_threshold:
            self.is_ai = True


def laplace_quantile(uniform: float) -> float:
    """Of the Laplace distribution with mean 0 and scale 1, at most 16.6 away from it."""
    centred = 2.0 * uniform - 1.0
    size = -math.log(max(1.0 - abs(centred), 2.0**-24))
    return size if centred > 0 else -size
