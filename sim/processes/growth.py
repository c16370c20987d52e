"""Process 11: revenue grows, within the capacity of fabs and plants."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from sim.blueprint import Blueprint, Floats
from sim.firms import Firms
from sim.parameters import BY_DRIVER, BY_SECTOR
from sim.plan import Driver

if TYPE_CHECKING:
    from sim.model import District


@dataclass(frozen=True)
class GrowthParameters:
    staffing_effect: float  # β_v: log growth a month per log of staff over desired staff
    normal_staffing: float  # staff over desired staff at which the effect is nil
    capability_effect: float  # β_C: log growth a year per unit of capability
    maturity_effect: float  # β_M: log growth a year per unit of maturity
    data_effect: float  # log growth a year at full data access and data intensity
    size_exponent: float  # β: standard deviation of growth ∝ size^(−β)
    demand_pull: float  # share of customers' growth surprise that reaches their purchases
    capacity_at_start: float  # output capacity over output at the start
    capacity_growth: float  # log growth a year of capacity without the plan
    expansion_hazard: float  # expansions a year in a cell at full capacity driver
    expansion_size: float  # 亿元 a year of output that an expansion makes possible
    expansion_uptake: float  # share of it that comes with orders, beyond the firms' own growth
    expansion_months: float  # mean months until those orders are produced
    drift: Floats = field(metadata=BY_SECTOR)  # μ, log growth a year
    volatility: Floats = field(
        metadata=BY_SECTOR
    )  # s.d. of log growth a month, geometric mean size
    effect: Floats = field(metadata=BY_DRIVER)  # log growth a year at a full driver


class Momentum:
    """What growth is measured against: levels at the start, and sectors' recent growth (S,)."""

    def __init__(self, blueprint: Blueprint, firms: Firms) -> None:
        sectors = blueprint.shape[1]
        count = np.maximum(np.bincount(firms.sector, firms.alive, sectors), 1.0)
        self.mean_log = np.bincount(firms.sector, firms.log_revenue * firms.alive, sectors) / count
        self.capability = np.bincount(firms.sector, firms.capability * firms.alive, sectors) / count
        self.maturity = np.bincount(firms.sector, firms.maturity * firms.alive, sectors) / count
        self.mean = blueprint.base.growth / 12.0  # running mean of the sector's log growth
        self.last = self.mean.copy()  # its log growth last month


def step(model: District) -> None:
    """Δln r = μ_s + f_s + Σ_r β_r D_rzs + β_d·access + io_s + β_v·(ln filled − ln normal)
    + β_C·(C − C̄₀) + β_M·(M − M̄₀) + projects + b·ε + ln(1 − b²), ε ~ Laplace(0, 1).

    b = σ_s/√2·(r/r̄_s)^(−β); ln(1 − b²) takes out what the noise adds to the mean of r
    (E e^(bε) = 1/(1 − b²)). Everything but μ and f is measured from the base year, so that μ is
    the growth under its conditions.
    """
    blueprint, firms, p = model.blueprint, model.columns, model.parameters.growth
    base, momentum, zones = blueprint.base, model.momentum, model.zones
    yearly = p.drift + model.drivers.weighed(p.effect)
    yearly = yearly + p.data_effect * base.data_intensity * zones.data_access[:, None]
    yearly -= p.capability_effect * momentum.capability + p.maturity_effect * momentum.maturity
    pull = blueprint.sales_share @ (momentum.last - momentum.mean)
    monthly = yearly / 12.0 + model.cycle.growth + p.demand_pull * pull
    monthly += zones.ramp
    monthly -= p.staffing_effect * np.log(p.normal_staffing)

    change = firms.by_cell(monthly)
    term = firms.capability * (p.capability_effect / 12.0)
    change += term
    np.multiply(firms.maturity, p.maturity_effect / 12.0, out=term)
    change += term
    np.multiply(firms.staffing, p.staffing_effect, out=term)
    change += term
    change += firms.one_off
    firms.one_off[:] = 0.0

    noise = model.draws.laplace("growth", model.month, len(firms))
    scale = firms.by_sector(
        np.log(p.volatility / np.sqrt(2.0)) + p.size_exponent * momentum.mean_log
    )
    np.multiply(firms.log_revenue, p.size_exponent, out=term)
    scale -= term
    np.exp(scale, out=scale)
    np.minimum(scale, 0.4, out=scale)
    noise *= scale
    change += noise
    np.multiply(scale, -scale, out=scale)
    np.log1p(scale, out=scale)
    change += scale

    change *= firms.alive
    firms.log_revenue += change
    np.maximum(firms.log_revenue, -16.0, out=firms.log_revenue)
    np.minimum(firms.log_revenue, 8.0, out=firms.log_revenue)
    np.exp(firms.log_revenue, out=firms.revenue)
    firms.revenue *= firms.alive
    before = zones.revenue.sum(axis=0)
    zones.revenue = firms.sum_by_cell(firms.revenue, blueprint.shape)
    bind(model, p)
    now = zones.revenue.sum(axis=0)
    known = (before > 0) & (now > 0)
    momentum.last = np.where(known, np.log(np.where(known, now, 1) / np.where(known, before, 1)), 0)
    momentum.mean = momentum.mean + (momentum.last - momentum.mean) / 12.0


def bind(model: District, p: GrowthParameters) -> None:
    """Hold capacity-bound cells to their output capacity, which grows and comes in lumps.

    A lump raises the bound at once; part of it comes with orders, which the cell's firms fill
    month by month in proportion to their revenue (it raises their growth of the next month).
    """
    blueprint, firms, zones = model.blueprint, model.columns, model.zones
    bound = blueprint.base.capacity_bound
    if not bound.any():
        return
    luck = model.draws.uniform("expansion", model.month, blueprint.shape).astype(float)
    hazard = p.expansion_hazard / 12.0 * model.drivers.cell(Driver.CAPACITY)
    lumps = (luck < 1.0 - np.exp(-hazard)) * bound
    zones.output_capacity *= np.exp(p.capacity_growth / 12.0)
    zones.output_capacity += lumps * p.expansion_size / 12.0
    zones.orders += lumps * p.expansion_size / 12.0 * p.expansion_uptake
    filled = zones.orders / p.expansion_months
    zones.orders -= filled
    some = zones.revenue > 0
    zones.ramp = np.log1p(np.divide(filled, zones.revenue, out=np.zeros_like(filled), where=some))
    over = zones.revenue > zones.output_capacity
    if not over.any():
        return
    factor = np.where(over, zones.output_capacity / np.where(over, zones.revenue, 1.0), 1.0)
    held = np.flatnonzero(over.ravel()[firms.cell] & (firms.alive > 0))
    cut = factor.ravel()[firms.cell[held]]
    firms.revenue[held] *= cut
    firms.log_revenue[held] += np.log(cut)
    zones.revenue = np.where(over, zones.output_capacity, zones.revenue)
