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
    inflow_rate: float  # arrivals a month over staff in the base year
    annual_pay: float  # 万元 a year, skilled staff
    subsidy_elasticity: float  # η_T: of arrivals to pay with subsidy, and to the wage index
    policy_effect: float  # log change of arrivals at full talent_inflow
    connectivity_effect: float  # log change of arrivals at full connectivity
    attrition: float  # share of staff who leave their post a month
    leave_district: float  # share of them who leave the district
    seekers_at_start: float  # people looking for a post over staff
    commuting_reach: float  # km over which applications fall by e
    productivity_growth: float  # log growth of revenue per head a year
    labour_demand_elasticity: float  # of desired staff to the wage
    wage_response: float  # log wage a month per log of vacancies over applicants
    normal_tightness: float  # vacancies over applicants at which wages stay


def step(model: District) -> None:
    """Arrivals, vacancies, urn-ball matching by zone, attrition.

    Arrivals_z ~ N(m, m), m = n_z·exp(η_T·ln((w+s)/(w+s₀)) + η_T·ln w_z + policy terms);
    desired staff H* = 12·r/(π·w^ε) with productivity π growing; V = max(0, H* − H); applicants
    reach a zone by gravity, and a share 1 − exp(−A_z/V_z) of its vacancies is filled.
    """
    blueprint, firms, zones = model.blueprint, model.columns, model.zones
    p = model.parameters.talent
    zones.arrivals = arrivals(model, p)
    zones.seekers += zones.arrivals
    subsidy = blueprint.levers[Lever.TALENT_SUBSIDY][model.month]
    unit_cost = blueprint.lever_cost[Lever.TALENT_SUBSIDY]
    model.spending.add(Lever.TALENT_SUBSIDY, subsidy * zones.arrivals * unit_cost)

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
    vacancies: Floats,
    fill_rate: Floats,
    wage_index: Floats,
) -> None:
    """Staff leave, posts are open, people apply and are hired; wages move."""
    demand(p, month, productivity, wage_index, staff_per_revenue)
    desired = lose_staff(staff, revenue, cell, p.attrition, staff_per_revenue, vacancies)
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
    """Desired staff per monthly revenue (Z, S), with productivity π growing and wages w."""
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
    staff_per_revenue: Floats,
    vacancies: Floats,
) -> Column:
    """Attrition leaves posts open, which are counted by zone; gives desired staff (visible,)."""
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
    by_cell = np.zeros(len(per_revenue))
    for i in range(len(staff)):
        by_cell[cell[i]] += max(desired[i] - staff[i], none)
    vacancies[:] = 0.0
    for c in range(len(by_cell)):
        vacancies[c // sectors] += by_cell[c]
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


def arrivals(model: District, p: TalentParameters) -> Floats:
    """Skilled people who come to each zone this month (Z,): Poisson in its normal limit.

    The subsidy counts beyond its baseline, under which the base year's arrivals came.
    """
    blueprint, drivers, lever = model.blueprint, model.drivers, Lever.TALENT_SUBSIDY
    return coming(
        p,
        model.draws.normal("arrivals", model.month, len(model.usual_arrivals)),
        model.usual_arrivals,
        blueprint.levers[lever][model.month],
        blueprint.lever_baseline[lever],
        model.zones.wage_index,
        drivers.zone(Driver.TALENT_INFLOW),
        drivers.zone(Driver.CONNECTIVITY),
    )


@kernel
def coming(
    p: TalentParameters,
    luck: Floats,
    usual: Floats,
    subsidy: Floats,
    baseline: Floats,
    wage_index: Floats,
    policy: Floats,
    connectivity: Floats,
) -> Floats:
    found = np.empty_like(usual)
    for z in range(len(usual)):
        reward = np.log((p.annual_pay + subsidy[z]) / (p.annual_pay + baseline[z]))
        push = p.subsidy_elasticity * (reward + np.log(wage_index[z]))
        push += p.policy_effect * policy[z] + p.connectivity_effect * connectivity[z]
        mean = usual[z] * np.exp(push)
        found[z] = max(mean + np.sqrt(mean) * luck[z], 0.0)
    return found


def gravity(distance: Floats, reach: float) -> Floats:
    """How readily people of one zone apply in another, (origin, destination)."""
    return np.asarray(np.exp(-distance / reach))
