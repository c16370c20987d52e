"""The district: firms, parks and departments, built from a blueprint and stepped month by month."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import mesa
import numpy as np

from sim.blueprint import Blueprint, Floats, Ints
from sim.departments import Department, Departments
from sim.draws import Draws
from sim.firms import ACTIVE, Firm, populate
from sim.parks import Park, Parks
from sim.processes import (
    accounts,
    calls,
    data_market,
    diffusion,
    drivers,
    economy,
    growth,
    implementation,
    innovation,
    lifecycle,
    parks,
    platforms,
    talent,
)
from sim.zones import Spending, Zones


@dataclass(frozen=True)
class Outcome:
    """What one run leaves behind.

    Attributes:
        series: indicators by month from the start (T + 1, indicators, Z + 1); the last zone is the
            district. Flows are sums over the twelve months to the date, counts since the start.
        costs: fiscal cost by month, item and zone (T + 1, items, Z), 亿元.
    """

    run: int
    series: Floats
    costs: Floats


class District(mesa.Model):
    """One run of one scenario.

    Args:
        blueprint: the scenario as arrays.
        parameters: the run's parameters by process (see ``ParameterTable.arranged``).
        draws: the run's draws.
        precision: numpy type of firms' real columns; double for docking, single for speed.
    """

    def __init__(
        self,
        blueprint: Blueprint,
        parameters: SimpleNamespace,
        draws: Draws,
        precision: type = np.float32,
    ) -> None:
        super().__init__(rng=0)  # Mesa's own generators are not used; see sim.draws
        self.blueprint = blueprint
        self.parameters = parameters
        self.draws = draws
        self.month = 0
        self._looked_at = False

        self.founding_firms = np.maximum(blueprint.base.firms.sum(axis=0), 1)  # (S,)
        self.columns = populate(blueprint, parameters.population, draws, precision)
        self.park_columns = Parks(blueprint, parameters.parks.service_at_start)
        self.park_columns.open_at(blueprint, 0)
        self.department_columns = Departments(blueprint)
        self.zones = Zones(blueprint)
        self.spending = Spending(blueprint.shape[0])
        self.drivers = drivers.Drivers(blueprint, parameters.drivers)
        self.work = implementation.Work(blueprint, parameters.implementation)
        self.department_columns.attention[:] = self.work.attention_at_start(blueprint)
        self.cycle = economy.BusinessCycle(blueprint, draws)
        self.research = innovation.Research(blueprint, self.columns, parameters.innovation)
        self.projects = calls.Projects(blueprint)
        self.momentum = growth.Momentum(blueprint, self.columns, parameters.growth)
        self.norms = growth.Norms(self.columns, blueprint, parameters.growth)
        growth.set_past(self)
        self.exits = lifecycle.Exits(
            self.columns, self.norms.about_trend, parameters.growth.drift, parameters.lifecycle
        )
        self.fit = lifecycle.Fit(self.park_columns, parameters.lifecycle)
        normal = parameters.growth.normal_staffing
        self.productivity = _productivity(blueprint) * normal  # a head that a firm wants
        self.staff_per_revenue = 12.0 / self.productivity  # wanted a month, (Z, S)
        self.commuting = talent.gravity(blueprint.distance, parameters.talent)
        self._house_firms()
        self._fill_zones()

        self.indicators = tuple(accounts.indicators(blueprint))
        targets = blueprint.plan.targets
        self.target_kinds = np.array([accounts.QUANTITIES[t.quantity] for t in targets])
        self.target_weights = {
            t.id: accounts.revenue_weights(t, blueprint.base, blueprint.sectors) for t in targets
        }
        self.weight_table = np.array(list(self.target_weights.values()))
        months = blueprint.horizon + 1
        self.series = np.zeros((months, len(self.indicators), blueprint.shape[0]))
        self.covered = np.zeros(months)  # sectors with an AI model
        self.costs = accounts.committed(blueprint)
        accounts.record(self)
        calls.post(self)  # projects that run at the start

    def step(self) -> None:
        """One month, in the order in which things happen."""
        self.month += 1
        self.columns.reveal(self.month)
        economy.step(self)  # factors and shocks move
        implementation.step(self)  # departments work, measures make progress
        drivers.step(self)  # progress and levers set what firms meet
        parks.step(self)  # parks raise service, set rents
        talent.step(self)  # people come, are hired, leave
        diffusion.step(self)  # AI and digital practice spread in firms
        innovation.step(self)  # research succeeds; technologies, results, standards
        platforms.step(self)  # open innovation platforms are founded and open
        calls.step(self)  # application projects are done, called for and matched
        data_market.step(self)  # data are traded; incidents
        lifecycle.step(self)  # firms close, start, become AI firms
        growth.step(self)  # revenue grows within capacity
        accounts.step(self)  # costs are booked, indicators recorded

    def run(self) -> Outcome:
        """Step to the end of the plan."""
        while self.month < self.blueprint.horizon:
            self.step()
        return self.outcome()

    def clear(self) -> None:
        """Let go of everything; the district is of no use afterwards.

        Mesa's model refers to itself, so that its columns would stay until the next collection of
        garbage.
        """
        self.__dict__.clear()

    def outcome(self) -> Outcome:
        kinds = list(accounts.indicators(self.blueprint).values())
        flows = np.array([kind == "flow" for kind in kinds])
        series = self.series[: self.month + 1].copy()
        past = accounts.history(self)
        path = np.concatenate([past, series[:, flows]])
        total = np.concatenate([np.zeros((1, *path.shape[1:])), np.cumsum(path, axis=0)])
        series[:, flows] = total[12:] - total[:-12]
        series = accounts.with_district(self, series)
        return Outcome(self.draws.run, series, self.costs[: self.month + 1].copy())

    @property
    def firms(self) -> mesa.agent.AgentSet:
        """All firms that have come into being, as Mesa agents; made when first looked at."""
        self._look()
        firms = self.agents_by_type[Firm]
        born = self.columns.zone >= 0
        known = {firm.slot for firm in firms}
        for slot in np.flatnonzero(born):
            if int(slot) not in known:
                Firm(self, int(slot))
        return firms

    @property
    def parks(self) -> mesa.agent.AgentSet:
        self._look()
        return self.agents_by_type[Park]

    @property
    def departments(self) -> mesa.agent.AgentSet:
        self._look()
        return self.agents_by_type[Department]

    def _look(self) -> None:
        """Make the agents when somebody looks; a Monte Carlo run never does."""
        if self._looked_at:
            return
        self._looked_at = True
        for row in range(len(self.blueprint.plan.departments)):
            Department(self, row)
        for row in range(len(self.blueprint.plan.parks)):
            Park(self, row)
        for slot in np.flatnonzero(self.columns.state == ACTIVE):
            Firm(self, int(slot))

    def _house_firms(self) -> None:
        """Give firms at the start a park of their zone, by focus and places; the rest go to the
        zone's general parks."""
        columns, state = self.columns, self.park_columns
        park = lifecycle.homes(
            self.draws.uniform("trait park", 0, columns.slots)[: columns.at_start],
            columns.zone,
            columns.sector,
            state.zone,
            state.focus,
            state.capacity,
        )
        lifecycle.place(self, np.arange(columns.at_start), park)
        homeless = np.flatnonzero(columns.park < 0)
        lifecycle.place(self, homeless, self._general_park(columns.zone[homeless]))

    def _general_park(self, zone: Ints) -> Ints:
        """The general park of each zone with the most room."""
        plan, state = self.blueprint.parks, self.park_columns
        room = np.where(plan.general, state.capacity - state.occupied, -1.0)
        best = [
            int(np.argmax(np.where(plan.zone == z, room, -2.0)))
            for z in range(self.blueprint.shape[0])
        ]
        return np.array(best, dtype=np.intp)[zone]

    def _fill_zones(self) -> None:
        blueprint, zones = self.blueprint, self.zones
        p = self.parameters.growth
        staff = blueprint.base.staff.sum(axis=1)
        opening = talent.at_start(self.parameters.talent, p.normal_staffing, staff)
        zones.vacancies, zones.seekers = opening
        zones.fill_rate[:] = 1.0 - np.exp(-1.0 / self.parameters.talent.normal_tightness)
        bound = blueprint.base.capacity_bound
        room = np.maximum(
            p.capacity_at_start * blueprint.base.december_revenue, p.expansion_size / 12.0
        )
        zones.output_capacity = np.where(bound, room, np.inf)


def _productivity(blueprint: Blueprint) -> Floats:
    """Revenue a head and year at the start (Z, S), 亿元; the sector's where a cell is empty."""
    revenue, staff = 12.0 * blueprint.base.december_revenue, blueprint.base.staff
    sector = revenue.sum(axis=0) / np.maximum(staff.sum(axis=0), 1e-9)
    known = (staff > 0) & (revenue > 0)
    return np.where(known, revenue / np.where(known, staff, 1.0), np.maximum(sector, 1e-6))
