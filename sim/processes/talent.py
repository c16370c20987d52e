"""Process 5: skilled people come, look for posts in reach, are hired, and leave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.blueprint import Floats
from sim.economy import Lever
from sim.plan import Driver

if TYPE_CHECKING:
    from sim.model import District


@dataclass(frozen=True)
class TalentParameters:
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
    firms, zones, p = model.columns, model.zones, model.parameters.talent
    shape = model.blueprint.shape
    zones.arrivals = arrivals(model, p)
    zones.seekers += zones.arrivals
    subsidy = model.blueprint.levers[Lever.TALENT_SUBSIDY][model.month]
    unit_cost = model.blueprint.lever_cost[Lever.TALENT_SUBSIDY]
    model.spending.add(Lever.TALENT_SUBSIDY, subsidy * zones.arrivals * unit_cost)

    left = zones.staff.sum(axis=1) * p.attrition
    firms.staff *= 1.0 - p.attrition
    zones.departures = left * p.leave_district
    zones.seekers += left - zones.departures

    grown = np.exp(p.productivity_growth * model.month / 12.0)
    dear = zones.wage_index[:, None] ** p.labour_demand_elasticity
    model.staff_per_revenue = 12.0 / (model.productivity * grown * dear)
    desired = firms.by_cell(model.staff_per_revenue) * firms.revenue
    vacancies = (desired - firms.staff).clip(0.0, np.inf)
    zones.vacancies = firms.sum_by_cell(vacancies, shape).sum(axis=1)
    applicants, origin = applications(zones.seekers, zones.vacancies, model.commuting)
    some = zones.vacancies > 0
    reached = np.divide(applicants, zones.vacancies, out=np.zeros(shape[0]), where=some)
    zones.fill_rate = 1.0 - np.exp(-reached) * some
    vacancies *= firms.by_zone(zones.fill_rate, shape)
    firms.staff += vacancies
    hires = zones.fill_rate * zones.vacancies
    taken = origin @ (hires / np.maximum(applicants, 1e-300))
    zones.seekers = np.maximum(zones.seekers - taken, 0.0)

    desired.clip(1e-6, np.inf, out=desired)
    np.divide(firms.staff, desired, out=desired)
    desired.clip(0.05, 1.0, out=desired)
    np.log(desired, out=firms.staffing)
    firms.staffing *= firms.alive

    tight = zones.vacancies / np.maximum(applicants, 1.0) / p.normal_tightness
    pull = p.wage_response * np.log(tight.clip(0.1, 10.0))
    zones.wage_index = (zones.wage_index * np.exp(pull)).clip(0.5, 2.0)


def arrivals(model: District, p: TalentParameters) -> Floats:
    """Skilled people who come to each zone this month (Z,): Poisson in its normal limit.

    The subsidy counts beyond its baseline, under which the base year's arrivals came.
    """
    blueprint, drivers = model.blueprint, model.drivers
    subsidy = blueprint.levers[Lever.TALENT_SUBSIDY][model.month]
    baseline = blueprint.lever_baseline[Lever.TALENT_SUBSIDY]
    reward = np.log((p.annual_pay + subsidy) / (p.annual_pay + baseline))
    reward += np.log(model.zones.wage_index)
    push = p.subsidy_elasticity * reward
    push += p.policy_effect * drivers.zone(Driver.TALENT_INFLOW)
    push += p.connectivity_effect * drivers.zone(Driver.CONNECTIVITY)
    mean = model.usual_arrivals * np.exp(push)
    luck = model.draws.normal("arrivals", model.month, len(mean))
    return np.asarray(np.maximum(mean + np.sqrt(mean) * luck, 0.0))


def gravity(distance: Floats, reach: float) -> Floats:
    """How readily people of one zone apply in another, (origin, destination)."""
    return np.asarray(np.exp(-distance / reach))


def applications(seekers: Floats, vacancies: Floats, commuting: Floats) -> tuple[Floats, Floats]:
    """Applicants by destination (Z,), and by origin × destination (Z, Z).

    Each seeker applies in one zone, chosen in proportion to its vacancies and its nearness.
    """
    pull = commuting * vacancies
    total = pull.sum(axis=1, keepdims=True)
    share = pull / np.maximum(total, 1e-300)
    origin = seekers[:, None] * share
    return origin.sum(axis=0), origin
