"""The reference district: docs/model.md as a plain Mesa model, one agent a firm.

Slow and obvious on purpose. It shares with ``sim`` what is read from files (records, and the paths
of levers and milestones by month), a run's parameters, and the draws; every rule is its own.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from types import SimpleNamespace
from typing import Any, get_type_hints

import mesa
import numpy as np

from sim.blueprint import build
from sim.draws import Draws
from sim.economy import Lever
from sim.plan import Driver
from sim.scenario import Inputs
from tests.reference.firm import Firm, laplace_quantile
from tests.reference.places import Cell, Park, Sector, Zone
from tests.reference.population import Population, largest_remainder
from tests.reference.surroundings import BusinessCycle, Department, Measure, drive

BY_SLOT = ("innovation", "call", "exit", "growth")  # uniform draws of a month


@dataclasses.dataclass
class Project:
    """An application project under way."""

    adopter: Firm
    supplier: Firm
    kind: int
    last_month: int
    luck: float
    counts: bool  # as one of the plan's


@dataclasses.dataclass
class Technology:
    """A key technology that is not yet a landmark result."""

    maker: Firm
    remaining: float  # hazard that it has still to live through


class ReferenceDistrict(mesa.Model):
    """One run.

    Args:
        inputs: the scenario with its plan and economy.
        parameters: the run's parameters by process, as ``sim`` draws them.
        draws: the run's draws.
    """

    def __init__(self, inputs: Inputs, parameters: SimpleNamespace, draws: Draws) -> None:
        super().__init__(rng=0)  # Mesa's own generators are not used
        self.inputs = inputs
        self.blueprint = build(inputs)
        self.p = plain(parameters)
        self.draws = draws
        self.month = 0
        self.horizon = inputs.plan.horizon
        self.luck: dict[str, list[float]] = {}
        self.projects: list[Project] = []
        self.technologies: list[Technology] = []
        self.first_adopter: dict[tuple[int, int], Firm] = {}  # of a kind in a sector
        self.ai_models: set[tuple[int, int]] = set()

        self._lay_out()
        self.population = Population(self)
        self.firms: list[Firm] = self.population.firms_at_start()  # by slot, as far as visible
        self._house_firms()
        self._take_references()
        self.add_up()
        self._remember_last_year()
        self.projects_at_start()

    # ------------------------------------------------------------------------------- 5 The start

    def _lay_out(self) -> None:
        """Sectors, zones with their cells, parks, measures and departments."""
        plan, economy = self.inputs.plan, self.inputs.economy
        self.sectors = [Sector(s, economy.sectors[n]) for s, n in enumerate(plan.sector_ids())]
        self.zones = [Zone(self, z, zone.id, zone.data_pilot) for z, zone in enumerate(plan.zones)]
        firms = {sector: self._split_firms(sector) for sector in self.sectors}
        for zone in self.zones:
            zone.distance = self.blueprint.distance[zone.number].tolist()
            zone.cells = [Cell(zone, s, firms[s][zone.number]) for s in self.sectors]
            zone.open_market()
        self.cells = [cell for zone in self.zones for cell in zone.cells]
        total = sum(cell.firms_at_start for cell in self.cells)
        for zone in self.zones:
            zone.firm_share = sum(cell.firms_at_start for cell in zone.cells) / total
        at = {zone.id: zone for zone in self.zones}
        self.parks = [Park(self, k, at[park.zone]) for k, park in enumerate(plan.parks)]
        self.measures = [Measure(self, m) for m in range(len(plan.measures))]
        departments = {record.id: Department(self, d) for d, record in enumerate(plan.departments)}
        for measure in self.measures:
            names = (measure.record.lead, *measure.record.join)
            measure.team = [departments[name] for name in names]
        self.cycle = BusinessCycle(self)

    def _split_firms(self, sector: Sector) -> list[int]:
        splits = [sector.record.zones.get(zone.id) for zone in self.zones]
        shares = [float(split.firms) if split else 0.0 for split in splits]
        return largest_remainder(int(sector.record.firms.value), shares)

    def _house_firms(self) -> None:
        """By focus and places among the parks of the zone; the rest in its general park."""
        wishes = []
        for firm in self.firms:
            s = firm.sector.number
            weights = [
                park.focus[s] * park.capacity if park.zone is firm.zone else 0.0
                for park in self.parks
            ]
            goal = self.population.luck["park"][firm.slot] * sum(weights)
            wishes.append((firm, self.first_above(weights, goal)))
        self.house(wishes)
        general = {
            zone: max(
                (park for park in self.parks if park.general and park.zone is zone),
                key=lambda park: park.free,
            )
            for zone in self.zones
        }
        self.house([(firm, general[firm.zone]) for firm in self.firms if firm.park is None])

    def _take_references(self) -> None:
        """What growth, exit and research are measured against from here on."""
        growth = self.p.growth
        for cell in self.cells:
            known = cell.staff_at_start > 0 and cell.revenue_at_start > 0
            alike = [cell] if known else [c for c in self.cells if c.sector is cell.sector]
            revenue = sum(c.revenue_at_start for c in alike)
            staff = sum(c.staff_at_start for c in alike)
            cell.productivity = 12.0 * revenue / max(staff, 1e-9) * growth.normal_staffing
            if cell.sector.record.capacity_bound:
                room = growth.capacity_at_start * cell.revenue_at_start
                cell.capacity = max(room, growth.expansion_size / 12.0)
        self.set_knowledge(linkage=[0.0 for _ in self.zones])
        for cell in self.cells:
            cell.knowledge_at_start = max(cell.knowledge, 1e-9)
        for sector in self.sectors:
            sector.last_growth = sector.usual_growth = growth.drift[sector.number] / 12.0
            own = [firm for firm in self.firms if firm.sector is sector]
            if not own:
                continue
            sector.firms_at_start = len(own)
            sector.mean_log_at_start = sum(firm.log_revenue for firm in own) / len(own)
            sector.mean_youth = sum(firm.youth for firm in own) / len(own)
            staff, revenue = (sum(getattr(f, n) for f in own) for n in ("staff", "revenue"))
            sector.mean_staff = max(staff / len(own), 1e-6)
            sector.staff_per_revenue = staff / revenue if revenue > 0 else 0.0
            for firm in own:
                firm.set_obsolescence(firm.staff)

    def _remember_last_year(self) -> None:
        """Revenue of firms at the start has moved about its mean of the year before.

        So it will, and the mean of e^(δ·fall) over a Laplace law is what distress does as a rule.
        """
        luck = self.draws.uniform("trait trend", 0, len(self.firms)).tolist()
        kept, effect = 11.0 / 12.0, self.p.lifecycle.distress_effect
        added: dict[Sector, list[float]] = {sector: [] for sector in self.sectors}
        for firm, own in zip(self.firms, luck, strict=True):
            step = firm.jump_size * math.sqrt(self.p.growth.jumps / 12.0)  # Laplace scale of it
            wide = step * kept / math.sqrt(1.0 - kept**2)
            grown = 11.0 * firm.sector.growth_of_base_year / 12.0
            firm.trend = firm.log_revenue - grown + wide * laplace_quantile(own)
            ahead = max(11.0 * firm.sector.usual_growth, 0.0)  # of its mean, in a normal year
            chance = 0.5 * math.exp(-ahead / wide)  # of a fall below it
            added[firm.sector].append(chance * (1.0 / (1.0 - min(effect * wide, 0.9)) - 1.0))
        for sector, more in added.items():
            if more:
                sector.usual_distress = 1.0 + sum(more) / len(more)

    # ----------------------------------------------------------------------------- 3 The schedule

    def step(self) -> None:
        """One month."""
        self.month += 1
        self.firms += self.population.founders_of(self.month)
        self.deal_luck()
        self.cycle.turn()
        self.implement()
        drive(self)
        self.agents_by_type[Park].do("serve")
        self.labour_market()
        self.active.do("diffuse")
        self.research()
        self.found_platforms()
        self.finish_projects()
        self.scenario_calls()
        self.data_market()
        self.active.do("maybe_close")
        self.agents_by_type[Park].do("make_offers")
        self.entries()
        self.active.do("maybe_convert")
        self.growth()
        self.add_up()

    def run(self, last: int | None = None) -> None:
        """Step to a month, by default the end of the plan."""
        while self.month < (self.horizon if last is None else last):
            self.step()

    @property
    def active(self) -> mesa.agent.AgentSet:
        return self.agents_by_type[Firm].select(lambda firm: firm.state == "active")

    def deal_luck(self) -> None:
        """The month's draws, by slot, department, zone or park."""
        draws, t, slots = self.draws, self.month, len(self.firms)
        self.luck = {name: draws.uniform(name, t, slots).tolist() for name in BY_SLOT}
        departments = len(self.inputs.plan.departments)
        self.luck["department"] = draws.normal("department", t, departments).tolist()
        self.luck["arrivals"] = draws.normal("arrivals", t, len(self.zones)).tolist()

    def lever(self, name: str, zone: Zone) -> float:
        return float(self.blueprint.levers[Lever(name)][self.month, zone.number])

    def lever_at_start(self, name: str, zone: Zone) -> float:
        return float(self.blueprint.lever_baseline[Lever(name)][zone.number])

    # ------------------------------------------------------------------------ 7.2 Implementation

    def implement(self) -> None:
        for measure in self.measures:
            measure.set_weight()
        if self.measures:
            self.agents_by_type[Department].do("work")
        numbers = max((m.record.number for m in self.measures), default=0)
        luck = self.draws.normal("progress", self.month, (numbers, len(self.zones))).tolist()
        for measure in self.measures:
            measure.advance(luck[measure.record.number - 1])

    # -------------------------------------------------------------------------------- 7.5 Talent

    def labour_market(self) -> None:
        self.newcomers()
        self.active.do("lose_staff")
        for zone in self.zones:
            zone.plan_staff()
        self.active.do("open_posts")
        self.active.do("dismiss")
        applicants = self.applications()
        for zone in self.zones:
            zone.applicants = sum(applicants[origin][zone] for origin in self.zones)
            share = zone.applicants / zone.vacancies if zone.vacancies > 0 else math.inf
            zone.fill_rate = 1.0 - math.exp(-share)
        self.active.do("hire")
        for origin in self.zones:
            hired = sum(
                applicants[origin][zone] * zone.fill_rate * zone.vacancies / zone.applicants
                for zone in self.zones
                if zone.applicants > 0
            )
            origin.seekers = max(0.0, origin.seekers - hired)
        for zone in self.zones:
            zone.set_wage()

    def newcomers(self) -> None:
        """People come to the district for its posts and wages of last month, and choose a zone."""
        p = self.p.talent
        posts = sum(zone.vacancies for zone in self.zones)
        weights = [zone.appeal for zone in self.zones]
        everywhere = 0.0
        if posts > 0:
            wage = sum(zone.wage_index * zone.vacancies for zone in self.zones) / posts
            staff = sum(cell.staff for cell in self.cells)
            everywhere = p.inflow_rate * staff * wage**p.pay_elasticity
        for zone, weight, luck in zip(self.zones, weights, self.luck["arrivals"], strict=True):
            zone.set_pull()
            share = weight / sum(weights) if posts > 0 else 0.0
            zone.receive(everywhere * share, luck)

    def applications(self) -> dict[Zone, dict[Zone, float]]:
        """Seekers of each zone who apply in each zone."""
        p, found = self.p.talent, {}
        for origin in self.zones:
            pull = {}
            for zone in self.zones:
                near = math.exp(-origin.distance[zone.number] / p.commuting_reach)
                pull[zone] = (p.relocation + (1.0 - p.relocation) * near) * zone.vacancies
            total = sum(pull.values())
            found[origin] = {
                zone: origin.seekers * part / total if total > 0 else 0.0
                for zone, part in pull.items()
            }
        return found

    # ---------------------------------------------------------------------------- 7.7 Innovation

    def research(self) -> None:
        p = self.p.innovation
        self.set_knowledge(linkage=[zone.driver["linkage"] for zone in self.zones])
        platforms = {zone: math.log2(1 + zone.open_platforms) for zone in self.zones}
        for cell in self.cells:
            grown = max(cell.knowledge, 1e-9) / cell.knowledge_at_start
            cell.support += (cell.weighed(p.effect) - cell.support) / (12.0 * p.gestation)
            cell.research_push = (
                cell.support
                + p.talent_effect * cell.zone.talent_quality
                + p.agglomeration * math.log(grown)
                + p.platform_spillover * platforms[cell.zone]
            )
        self.agents_by_type[Firm].do("research")
        for technology in self.technologies:
            zone = technology.maker.zone
            push = p.landmark_platform_effect * platforms[zone]
            technology.remaining -= p.landmark_hazard / 12.0 * math.exp(push)
            if technology.remaining <= 0:
                zone.landmark_results += 1
        self.technologies = [t for t in self.technologies if t.remaining > 0]
        self.set_standards()

    def set_standards(self) -> None:
        p = self.p.innovation
        luck = self.draws.uniform("standards", self.month, (len(self.zones), 3)).tolist()
        for zone, own in zip(self.zones, luck, strict=True):
            sure = (p.certainty_at_start + zone.driver["certainty"]) / 12.0
            made = zone.key_technologies - zone.technologies_proposed  # and not yet proposed
            done = sum(cell.scenarios for cell in zone.cells) - zone.scenarios_proposed
            of_made = 1.0 - math.exp(-p.standards_per_technology * sure)
            of_done = 1.0 - math.exp(-p.standards_per_scenario * sure)
            by_technologies = min(poisson_quantile(own[0], made * of_made), made)
            by_scenarios = min(poisson_quantile(own[1], done * of_done), done)
            expected = p.standards_per_platform * zone.open_platforms * sure
            zone.technologies_proposed += by_technologies
            zone.scenarios_proposed += by_scenarios
            zone.standards += by_technologies + by_scenarios + poisson_quantile(own[2], expected)

    def add_technology(self, maker: Firm, threshold: float) -> None:
        self.technologies.append(Technology(maker, threshold))
        maker.zone.key_technologies += 1

    def set_knowledge(self, linkage: list[float]) -> None:
        """Capability of related firms within reach of each cell."""
        p = self.p.innovation
        stock = dict.fromkeys(self.cells, 0.0)
        for firm in self.firms:
            if firm.active:
                stock[firm.cell] += firm.capability
        for cell in self.cells:
            reach = p.learning_reach * (1.0 + p.linkage_reach * linkage[cell.zone.number])
            related = self.blueprint.relatedness[cell.sector.number].tolist()
            cell.knowledge = sum(
                math.exp(-cell.zone.distance[other.zone.number] / reach)
                * related[other.sector.number]
                * stock[other]
                for other in self.cells
            )

    # ----------------------------------------------------------------------------- 7.8 Platforms

    def found_platforms(self) -> None:
        p = self.p.platforms
        leaders = self.agents_by_type[Firm].select(lambda firm: firm.may_found_platforms)
        rate = {}
        for zone in self.zones:
            here = sum(firm.zone is zone for firm in leaders)
            by_firms = p.firm_hazard_at_start + p.firm_hazard * zone.driver["firm_platforms"]
            by_departments = p.public_hazard * zone.driver["public_platforms"]
            rate[zone] = here * by_firms + by_departments
        room = {
            zone: sum(park.room_for_platforms for park in self.parks if park.zone is zone)
            for zone in self.zones
        }
        share = {park: park.room_for_platforms / max(room[park.zone], 1) for park in self.parks}
        luck = self.draws.uniform("platform", self.month, (len(self.parks), 2)).tolist()
        for park, (founding, opening) in zip(self.parks, luck, strict=True):
            park.host_platforms(rate[park.zone] * share[park], founding, opening)

    # ------------------------------------------------------------------------- 7.9 Scenario calls

    def finish_projects(self) -> None:
        ending = [project for project in self.projects if project.last_month <= self.month]
        self.projects = [project for project in self.projects if project.last_month > self.month]
        for supplier, number in Counter(project.supplier for project in ending).items():
            supplier.projects = max(supplier.projects - number, 0)
            if supplier.active:
                lost = (1.0 - self.p.calls.follow_on) * supplier.project_growth(number)
                supplier.one_off -= lost
        for project in ending:
            self.judge(project)

    def judge(self, project: Project) -> None:
        """Whether it is done, and what comes of it."""
        p, adopter, supplier = self.p.calls, project.adopter, project.supplier
        adopter.adopting = False
        if not adopter.active:
            return
        failure = p.failure * (1.0 - supplier.capability)
        if not supplier.active or project.luck < failure:
            return
        luck = (project.luck - failure) / (1.0 - failure)
        supplier.capability += p.learning * (1.0 - supplier.capability)
        adopter.maturity += p.maturity_gain * (1.0 - adopter.maturity)
        if not adopter.is_ai:
            adopter.ai_share += p.ai_gain * (1.0 - adopter.ai_share)
        s = adopter.sector.number
        if luck >= p.typical[s] or not project.counts:
            return
        adopter.cell.scenarios += 1
        kind = (s, project.kind)
        first = self.first_adopter.setdefault(kind, adopter)
        general = luck / p.typical[s] < p.model_chance[s]
        if first is not adopter and general and kind not in self.ai_models:
            self.ai_models.add(kind)
            adopter.cell.models += 1

    def scenario_calls(self) -> None:
        """Calls are posted, each chooses among its bidders, and contracts are signed."""
        p = self.p.calls
        self.set_call_hazards()
        suppliers = []
        callers = [firm for firm in self.active if firm.readiness > 0 and firm.posts_call()]
        for adopter, supplier, luck, luck_at_end, _ in self.award(callers):
            length = p.shortest + luck * (p.longest + 1.0 - p.shortest)
            last = self.month + math.floor(length)
            self.sign(adopter, supplier, length, last, luck_at_end)
            suppliers.append(supplier)
        for supplier, number in Counter(suppliers).items():
            supplier.one_off += supplier.project_growth(number)

    def projects_at_start(self) -> None:
        """Projects that run already: the longer, the more likely; at any of their months."""
        p, counts = self.p.calls, self.inputs.plan.counts_projects_under_way
        self.luck["call"] = self.draws.uniform("call", 0, len(self.firms)).tolist()
        self.set_call_hazards()
        busy = [firm for firm in self.active if firm.readiness > 0 and firm.has_project()]
        for adopter, supplier, luck, luck_at_end, luck_of_month in self.award(busy):
            shortest, longest = p.shortest**2, (p.longest + 1.0) ** 2
            length = math.sqrt(shortest + luck * (longest - shortest))
            last = 1 + math.floor(luck_of_month * math.floor(length))
            self.sign(adopter, supplier, length, last, luck_at_end, counts)

    def award(self, callers: list[Firm]) -> list[tuple[Firm, Firm, float, float, float]]:
        """Callers that find a supplier, the supplier, and three draws for what they agree on."""
        asked = 2 * math.floor(self.p.calls.bidders)
        slots = np.array([firm.slot for firm in callers], dtype=int)
        draws = self.draws.of_slots("project", self.month, slots, 3 + 2 * asked).tolist()
        candidates = [firm for firm in self.firms if firm.sector.record.supplies]
        awards = []
        for adopter, luck in zip(callers, draws, strict=True):
            supplier = self.choose(candidates, luck[3 : 3 + asked], luck[3 + asked :])
            if supplier is not None:
                awards.append((adopter, supplier, *luck[:3]))
        return awards

    def sign(
        self,
        adopter: Firm,
        supplier: Firm,
        length: float,
        last: int,
        luck: float,
        counts: bool = True,
    ) -> None:
        kind = math.floor(length % 1.0 * adopter.sector.kinds)
        self.projects.append(Project(adopter, supplier, kind, last, luck, counts))
        adopter.adopting = True
        supplier.projects += 1

    def set_call_hazards(self) -> None:
        p, t = self.p.calls, self.month
        ready = dict.fromkeys(self.cells, 0.0)
        for firm in self.active:
            ready[firm.cell] += firm.readiness
        grant = float(self.inputs.economy.levers["scenario_funding"].strength)
        for cell in self.cells:
            z, s = cell.zone.number, cell.sector.number
            peers = cell.ai_shares / max(cell.firms, 1)
            push = p.peer_effect * peers + p.demand_effect * cell.driver["demand"]
            own = p.hazard[s] / 12.0 * math.exp(push)
            funding = float(self.blueprint.funding[t, z, s])
            offered = funding / grant / 12.0 / ready[cell] if ready[cell] > 0 else 0.0
            funded = p.take_up * (1.0 - math.exp(-offered / p.take_up))
            added = (1.0 - p.deadweight) * funded
            given_way = p.crowding_out * added / (own + added) if added > 0 else 0.0
            cell.calls_per_readiness = own * (1.0 - given_way) + added

    def choose(
        self, candidates: list[Firm], asking: list[float], choosing: list[float]
    ) -> Firm | None:
        """The supplier of a call: of the first few asked that are active, the most appealing."""
        best, highest, bids = None, -math.inf, 0
        for who, luck in zip(asking, choosing, strict=True):
            if not candidates:
                return None
            bidder = candidates[math.floor(who * len(candidates))]
            if not bidder.active:
                continue
            bids += 1
            if bids > math.floor(self.p.calls.bidders):
                break
            if bidder.spare > 0:
                appeal = bidder.appeal(luck)
                if appeal > highest:
                    best, highest = bidder, appeal
        return best

    # --------------------------------------------------------------------------- 7.10 Data market

    def data_market(self) -> None:
        luck = self.draws.uniform("incident", self.month, (len(self.zones), 2)).tolist()
        for zone in self.zones:
            zone.trade_data(*luck[zone.number])

    # -------------------------------------------------------------------------------- 7.11 Growth

    def growth(self) -> None:
        before = self.revenue_by_sector()
        coefficients = self.inputs.economy.technical_coefficients
        names = self.inputs.plan.sector_ids()
        for supplier in self.sectors:
            supplier.pull = 0.0
            for buyer in self.sectors:
                bought = coefficients.get(names[buyer.number], {}).get(names[supplier.number])
                if bought is None:
                    continue
                sold = float(bought) * buyer.revenue_of_base_year
                if supplier.revenue_of_base_year <= 0.0:
                    continue
                share = min(sold / supplier.revenue_of_base_year, 1.0)
                supplier.pull += share * (buyer.last_growth - buyer.usual_growth)
        for cell in self.cells:
            cell.build_up()
        for zone in self.zones:
            zone.use_data()
        self.agents_by_type[Firm].do("grow")
        self.bind()
        for sector, old, new in zip(self.sectors, before, self.revenue_by_sector(), strict=True):
            sector.last_growth = math.log(new / old) if new > 0 and old > 0 else 0.0

    def revenue_by_sector(self) -> list[float]:
        return [sum(f.revenue for f in self.firms if f.sector is s) for s in self.sectors]

    def bind(self) -> None:
        """Hold cells to the capacity of their plants; new plants bring room and orders."""
        p = self.p.growth
        shape = (len(self.zones), len(self.sectors))
        luck = self.draws.uniform("expansion", self.month, shape).tolist()
        bound = [cell for cell in self.cells if cell.sector.record.capacity_bound]
        members: dict[Cell, list[Firm]] = {cell: [] for cell in self.cells}
        for firm in self.active:
            members[firm.cell].append(firm)
        for cell in bound:
            hazard = p.expansion_hazard / 12.0 * cell.driver["capacity"]
            lump = luck[cell.zone.number][cell.sector.number] < 1.0 - math.exp(-hazard)
            room = p.expansion_size / 12.0 if lump else 0.0
            cell.capacity = cell.capacity * math.exp(p.capacity_growth / 12.0) + room
            cell.orders += p.expansion_uptake * room
            filled = cell.orders / p.expansion_months
            cell.orders -= filled
            revenue = sum(firm.revenue for firm in members[cell])
            cell.ramp = math.log(1.0 + filled / revenue) if revenue > 0 else 0.0
            if revenue > cell.capacity:
                for firm in members[cell]:
                    firm.cut(cell.capacity / revenue)

    # ---------------------------------------------------------------- 7.12 Entry, exit, conversion

    def entries(self) -> None:
        founders = [firm for firm in self.firms if firm.founded == self.month]
        luck = self.draws.uniform("founder", self.month, (len(founders), 2)).tolist()
        wishes = [
            (founder, founder.looks_for_a_start(*own))
            for founder, own in zip(founders, luck, strict=True)
        ]
        self.house([(founder, park) for founder, park in wishes if park is not None])
        for founder in founders:
            founder.state = "refused"
        started = [founder for founder in founders if founder.park is not None]
        for founder in started:
            founder.start()
        for zone in self.zones:
            here = [founder for founder in started if founder.zone is zone]
            wanted = sum(founder.wanted for founder in here)
            share = min(1.0, zone.seekers / wanted) if wanted > 0 else 1.0
            for founder in here:
                founder.staff = share * founder.wanted
            zone.seekers -= share * wanted

    def house(self, wishes: list[tuple[Firm, Park]]) -> None:
        """Places go by slot."""
        free = {park: park.free for park in self.parks}
        granted = []
        for firm, park in wishes:
            if free[park] >= 1:
                free[park] -= 1
                granted.append((firm, park))
        for firm, park in granted:
            park.tenants += 1
            firm.park, firm.zone = park, park.zone

    def logit(self, utility: list[float], luck: float) -> Park | None:
        """A park by conditional logit, by inversion; none if there is none to choose."""
        best = max(utility)
        if best == -math.inf:
            return None
        weights = [math.exp(value - best) for value in utility]
        return self.first_above(weights, min(luck, 1.0 - 1e-9) * sum(weights))

    def first_above(self, weights: list[float], goal: float) -> Park:
        cumulated = 0.0
        for park, weight in zip(self.parks, weights, strict=True):
            cumulated += weight
            if cumulated > goal:
                return park
        return self.parks[-1]

    # ------------------------------------------------------------------------------ 7.13 Accounts

    def add_up(self) -> None:
        for cell in self.cells:
            cell.firms, cell.staff, cell.revenue = 0, 0.0, 0.0
            cell.log_revenue = cell.ai_shares = 0.0
        for firm in self.active:
            cell = firm.cell
            cell.firms += 1
            cell.staff += firm.staff
            cell.revenue += firm.revenue
            cell.log_revenue += firm.log_revenue
            cell.ai_shares += firm.ai_share
        for sector in self.sectors:
            own = [zone.cells[sector.number] for zone in self.zones]
            sector.firms = sum(cell.firms for cell in own)
            if sector.firms:
                sector.mean_log_revenue = sum(cell.log_revenue for cell in own) / sector.firms


def plain(parameters: SimpleNamespace) -> SimpleNamespace:
    """Parameters as plain numbers: lists by sector's number, dictionaries by driver's name."""

    def value(given: Any, hint: Any) -> object:
        by = getattr(hint, "__metadata__", [None])[0]
        if by == "sector":
            return [float(x) for x in given]
        if by == "driver":
            by_driver = zip(Driver, given, strict=True)
            return {driver.value: float(x) for driver, x in by_driver if x}
        return float(given)

    def values(group: Any) -> SimpleNamespace:
        hints = get_type_hints(type(group), include_extras=True)
        return SimpleNamespace(**{n: value(getattr(group, n), hint) for n, hint in hints.items()})

    return SimpleNamespace(
        **{process: values(group) for process, group in vars(parameters).items()}
    )


def poisson_quantile(uniform: float, mean: float) -> int:
    """The smallest count whose probability reaches ``uniform``; 0 where the mean is 0."""
    if mean <= 0:
        return 0
    count, term = 0, math.exp(-mean)
    reached = term
    while reached < min(max(uniform, 1e-7), 1.0 - 1e-7):
        count += 1
        term *= mean / count
        reached += term
    return count
