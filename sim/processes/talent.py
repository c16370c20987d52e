"""Process 5: skilled people come, look for posts in reach, are hired, and leave."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim.blueprint import Floats, Ints
from sim.economy import Lever
from sim.firms import Column
from sim.kernels import kernel
from sim.plan import Driver

if TYPE_CHECKING:
    from sim.model import District


class TalentParameters(NamedTuple):
    inflow_rate: float  # arrivals a month over staff
    annual_pay: float  # 万元 a year, skilled staff
    pay_elasticity: float  # η_T: of arrivals to net pay
    eligible: float  # share of newcomers who can have the subsidy
    grant_years: float  # years over which a newcomer reckons a one-off grant
    grant_alone: float  # share of a grant's pull where housing and permits are not eased
    displaced: float  # share of the newcomers drawn by policy whom neighbours lose
    policy_effect: float  # log change of arrivals at full talent_inflow
    connectivity_effect: float  # log change of arrivals at full connectivity
    attrition: float  # share of staff who leave their post a month
    leave_district: float  # share of them who leave the district
    dismissal: float  # share of staff beyond need who are dismissed a month
    commuting_reach: float  # km over which applications fall by e
    relocation: float  # share of seekers who look in all zones, whatever the distance
    zone_choice: float  # elasticity of newcomers' choice of a zone to its wage
    productivity_growth: float  # log growth of revenue per head a year
    labour_demand_elasticity: float  # of desired staff to the wage
    wage_response: float  # log wage a month per log of vacancies over applicants
    normal_tightness: float  # vacancies over applicants at which wages stay


def step(model: District) -> None:
    """Arrivals, vacancies, urn-ball matching by zone, attrition, dismissals.

    Arrivals_z ~ N(m, m), m = a·ΣH·share_z·w̄^η·exp(pull_z), where newcomers choose zones by
    vacancies and wages, share_z ∝ V_z·w_z^ζ, and pull_z is what policy adds; desired staff
    H* = 12·r/(n·π·w^ε) with productivity π growing and normal staffing n; V = max(0, H* − H);
    applicants reach a zone by gravity, and a share 1 − exp(−A_z/V_z) of its vacancies is filled.
    """
    firms, zones = model.columns, model.zones
    p = model.parameters.talent
    arrive(model, p)
    zones.seekers += zones.arrivals

    left = zones.staff.sum(axis=1) * p.attrition
    zones.departures = left * p.leave_district
    zones.seekers += left - zones.departures

    labour_market(
        p,
        model.month,
        model.productivity,
        model.commuting,
        firms.cell,
        firms.revenue,
        firms.staff,
        firms.staffing,
        model.staff_per_revenue,
        zones.seekers,
        zones.departures,
        zones.vacancies,
        zones.fill_rate,
        zones.wage_index,
    )
    np.log(firms.staffing, out=firms.staffing)
    firms.staffing *= firms.alive


@kernel
def labour_market(
    p: TalentParameters,
    month: int,
    productivity: Floats,
    commuting: Floats,
    cell: Ints,
    revenue: Column,
    staff: Column,
    staffing: Column,
    staff_per_revenue: Floats,
    seekers: Floats,
    departures: Floats,
    vacancies: Floats,
    fill_rate: Floats,
    wage_index: Floats,
) -> None:
    """Staff leave, posts are open, people apply and are hired; wages move."""
    demand(p, month, productivity, wage_index, staff_per_revenue)
    dismissed = np.zeros(len(seekers))
    desired = lose_staff(
        staff, revenue, cell, p.attrition, p.dismissal, staff_per_revenue, vacancies, dismissed
    )
    for z in range(len(seekers)):
        seekers[z] += dismissed[z] * (1.0 - p.leave_district)
        departures[z] += dismissed[z] * p.leave_district
    applicants, origin = applications(seekers, vacancies, commuting)
    match(p, vacancies, applicants, origin, seekers, fill_rate, wage_index)
    hire(staff, staffing, cell, desired, fill_rate, productivity.shape[1])


@kernel
def demand(
    p: TalentParameters,
    month: int,
    productivity: Floats,
    wage_index: Floats,
    staff_per_revenue: Floats,
) -> None:
    """Desired staff per monthly revenue (Z, S), with productivity π growing and wages w.

    ``productivity`` (Z, S) is per head that a firm wants, 亿元 a year.
    """
    grown = np.exp(p.productivity_growth * month / 12.0)
    for z in range(len(wage_index)):
        dear = wage_index[z] ** p.labour_demand_elasticity
        for s in range(productivity.shape[1]):
            staff_per_revenue[z, s] = 12.0 / (productivity[z, s] * grown * dear)


@kernel
def lose_staff(
    staff: Column,
    revenue: Column,
    cell: Ints,
    attrition: float,
    dismissal: float,
    staff_per_revenue: Floats,
    vacancies: Floats,
    dismissed: Floats,
) -> Column:
    """Attrition leaves posts open, and staff beyond need is dismissed in part; both are counted
    by zone (Z,). Gives desired staff (visible,)."""
    kind, sectors = staff.dtype, staff_per_revenue.shape[1]
    none, kept = kind.type(0.0), kind.type(1.0 - attrition)
    per_revenue = np.empty(staff_per_revenue.size, kind)
    for c in range(len(per_revenue)):
        per_revenue[c] = staff_per_revenue[c // sectors, c % sectors]
    desired = np.empty_like(staff)
    for i in range(len(staff)):
        desired[i] = per_revenue[cell[i]]
    for i in range(len(staff)):
        desired[i] *= revenue[i]
        staff[i] *= kept
    by_cell, beyond = np.zeros(len(per_revenue)), np.zeros(len(per_revenue))
    part = kind.type(dismissal)
    for i in range(len(staff)):
        gap = desired[i] - staff[i]
        by_cell[cell[i]] += max(gap, none)
        sent = part * max(-gap, none)
        beyond[cell[i]] += sent
        staff[i] -= sent
    vacancies[:] = 0.0
    for c in range(len(by_cell)):
        vacancies[c // sectors] += by_cell[c]
        dismissed[c // sectors] += beyond[c]
    return desired


@kernel
def applications(seekers: Floats, vacancies: Floats, commuting: Floats) -> tuple[Floats, Floats]:
    """Applicants by destination (Z,), and by origin × destination (Z, Z).

    Each seeker applies in one zone, chosen in proportion to its vacancies and its nearness.
    """
    zones = len(seekers)
    origin, applicants = np.empty((zones, zones)), np.zeros(zones)
    for z in range(zones):
        total = 0.0
        for to in range(zones):
            origin[z, to] = commuting[z, to] * vacancies[to]
            total += origin[z, to]
        for to in range(zones):
            origin[z, to] *= seekers[z] / max(total, 1e-300)
            applicants[to] += origin[z, to]
    return applicants, origin


@kernel
def match(
    p: TalentParameters,
    vacancies: Floats,
    applicants: Floats,
    origin: Floats,
    seekers: Floats,
    fill_rate: Floats,
    wage_index: Floats,
) -> None:
    """Who finds a post seeks no more; wages follow the tightness of the zone's market."""
    hired = np.zeros(len(vacancies))  # share of the applicants
    for z in range(len(vacancies)):
        fill_rate[z] = 1.0 - np.exp(-applicants[z] / vacancies[z]) if vacancies[z] > 0.0 else 1.0
        hired[z] = fill_rate[z] * vacancies[z] / max(applicants[z], 1e-300)
        tight = vacancies[z] / max(applicants[z], 1.0) / p.normal_tightness
        pull = p.wage_response * np.log(min(max(tight, 0.1), 10.0))
        wage_index[z] = min(max(wage_index[z] * np.exp(pull), 0.5), 2.0)
    for z in range(len(seekers)):
        for to in range(len(hired)):
            seekers[z] -= origin[z, to] * hired[to]
        seekers[z] = max(seekers[z], 0.0)


@kernel
def hire(
    staff: Column, staffing: Column, cell: Ints, desired: Column, fill_rate: Floats, sectors: int
) -> None:
    """The zone's share of each firm's vacancies is filled; leaves staff over desired staff, from
    0.05 to 1, in ``staffing``."""
    kind = staff.dtype
    none, tiny = kind.type(0.0), kind.type(1e-6)
    least, most = kind.type(0.05), kind.type(1.0)
    by_cell, filled = np.empty(len(fill_rate) * sectors, kind), np.empty_like(staff)
    for c in range(len(by_cell)):
        by_cell[c] = fill_rate[c // sectors]
    for i in range(len(staff)):
        filled[i] = by_cell[cell[i]]
    for i in range(len(staff)):
        staff[i] += max(desired[i] - staff[i], none) * filled[i]
    for i in range(len(staff)):
        staffing[i] = min(max(staff[i] / max(desired[i], tiny), least), most)


def arrive(model: District, p: TalentParameters) -> None:
    """Skilled people who come to each zone this month (Z,), Poisson in its normal limit; what the
    subsidy pays to those who can have it; and whom neighbours lose.

    The subsidy counts beyond its baseline, under which the base year's people came.
    """
    blueprint, drivers, zones = model.blueprint, model.drivers, model.zones
    lever = Lever.TALENT_SUBSIDY
    subsidy = blueprint.levers[lever][model.month]
    eligible = come(
        p,
        model.draws.normal("arrivals", model.month, len(subsidy)),
        zones.staff,
        zones.vacancies,
        subsidy,
        blueprint.lever_baseline[lever],
        zones.wage_index,
        drivers.zone(Driver.TALENT_INFLOW),
        drivers.zone(Driver.CONNECTIVITY),
        zones.pull,
        zones.talent_quality,
        zones.arrivals,
        zones.displaced,
    )
    model.spending.add(lever, subsidy * eligible * blueprint.lever_cost[lever])


@kernel
def come(
    p: TalentParameters,
    luck: Floats,
    staff: Floats,
    vacancies: Floats,
    subsidy: Floats,
    baseline: Floats,
    wage_index: Floats,
    policy: Floats,
    connectivity: Floats,
    pull: Floats,
    quality: Floats,
    arrivals: Floats,
    displaced: Floats,
) -> Floats:
    """Gives the newcomers who can have the subsidy (Z,); ``staff`` is (Z, S), all others (Z,)."""
    total = appeal = open_posts = 0.0
    for z in range(len(luck)):
        for s in range(staff.shape[1]):
            total += staff[z, s]
        appeal += vacancies[z] * wage_index[z] ** p.zone_choice
        open_posts += vacancies[z]
    mean_wage = 0.0
    for z in range(len(luck)):
        mean_wage += wage_index[z] * vacancies[z] / max(open_posts, 1e-300)
    everywhere = p.inflow_rate * total * max(mean_wage, 1e-300) ** p.pay_elasticity
    eligible = np.empty_like(pull)
    for z in range(len(luck)):
        eased = p.grant_alone + (1.0 - p.grant_alone) * policy[z]
        had, has = baseline[z] / p.grant_years, subsidy[z] / p.grant_years
        reward = eased * np.log((p.annual_pay + has) / (p.annual_pay + had))
        drawn = p.eligible * np.exp(p.pay_elasticity * reward)
        pull[z] = np.log(1.0 - p.eligible + drawn)
        pull[z] += p.policy_effect * policy[z] + p.connectivity_effect * connectivity[z]
        share = vacancies[z] * wage_index[z] ** p.zone_choice / max(appeal, 1e-300)
        mean = everywhere * share * np.exp(pull[z])
        arrivals[z] = max(mean + np.sqrt(mean) * luck[z], 0.0)
        eligible[z] = arrivals[z] * drawn / (1.0 - p.eligible + drawn)
        displaced[z] = p.displaced * arrivals[z] * max(1.0 - np.exp(-pull[z]), 0.0)
        # what share of the staff came under policy, as people come and go
        quality[z] += p.inflow_rate * (pull[z] - quality[z])
    return eligible


class Opening(NamedTuple):
    """The labour market at the start, in the steady state of the base year; by zone (Z,)."""

    vacancies: Floats
    seekers: Floats


def at_start(p: TalentParameters, normal_staffing: float, staff: Floats) -> Opening:
    """Vacancies V and seekers S at which posts are filled at the rate of normal tightness θ.

    V = H·(1/n − 1 + δ + d) with normal staffing n, attrition δ and growth d = a − δ·ℓ of staff H
    (Z,); those who apply are V/θ, newcomers and this month's leavers among them.
    """
    growth = p.inflow_rate - p.attrition * p.leave_district
    vacancies = staff * max(1.0 / normal_staffing - 1.0 + p.attrition + growth, 0.0)
    flow = p.inflow_rate + p.attrition * (1.0 - p.leave_district)
    seekers = np.maximum(vacancies / p.normal_tightness - flow * staff, 0.0)
    return Opening(vacancies, seekers)


def gravity(distance: Floats, p: TalentParameters) -> Floats:
    """How readily people of one zone apply in another, (origin, destination)."""
    near = np.exp(-distance / p.commuting_reach)
    return np.asarray(p.relocation + (1.0 - p.relocation) * near)
