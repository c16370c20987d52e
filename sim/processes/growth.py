"""Process 11: revenue grows, within the capacity of fabs and plants."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from sim.blueprint import Blueprint, Floats
from sim.firms import Column, Firms
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


class Norms:
    """What no month changes in the growth of firms.

    Log growth a year by sector (S,) of capability and maturity at their start, log growth a month
    of normal staffing, and ln b of each slot (slots,) at a log revenue of 0.
    """

    def __init__(self, firms: Firms, momentum: Momentum, p: GrowthParameters) -> None:
        self.traits = p.capability_effect * momentum.capability
        self.traits += p.maturity_effect * momentum.maturity
        self.staffing = p.staffing_effect * np.log(p.normal_staffing)
        log_scale = np.log(p.volatility / np.sqrt(2.0)) + p.size_exponent * momentum.mean_log
        self.log_scale: Column = firms.by_sector(log_scale)


def step(model: District) -> None:
    """Δln r = μ_s + f_s + Σ_r β_r D_rzs + β_d·access + io_s + β_v·(ln filled − ln normal)
    + β_C·(C − C̄₀) + β_M·(M − M̄₀) + projects + b·ε + ln(1 − b²), ε ~ Laplace(0, 1).

    b = σ_s/√2·(r/r̄_s)^(−β); ln(1 − b²) takes out what the noise adds to the mean of r
    (E e^(bε) = 1/(1 − b²)). Everything but μ and f is measured from the base year, so that μ is
    the growth under its conditions.
    """
    blueprint, firms, p = model.blueprint, model.columns, model.parameters.growth
    base, momentum, norms, zones = blueprint.base, model.momentum, model.norms, model.zones
    before = firms.sum_by_cell(firms.revenue, blueprint.shape).sum(axis=0)
    yearly = p.drift + model.drivers.weighed(p.effect)
    yearly = yearly + p.data_effect * base.data_intensity * zones.data_access[:, None]
    yearly -= norms.traits
    pull = blueprint.sales_share @ (momentum.last - momentum.mean)
    monthly = yearly / 12.0 + model.cycle.growth + p.demand_pull * pull
    monthly += zones.ramp
    monthly -= norms.staffing

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
    noise = noise.astype(firms.precision, copy=False)
    np.multiply(firms.log_revenue, p.size_exponent, out=term)
    scale = norms.log_scale[: len(firms)] - term
    np.exp(scale, out=scale)
    scale.clip(0.0, 0.4, out=scale)
    noise *= scale
    change += noise
    np.multiply(scale, -scale, out=scale)
    np.log1p(scale, out=scale)
    change += scale

    change *= firms.alive
    firms.log_revenue += change
    firms.log_revenue.clip(-16.0, 8.0, out=firms.log_revenue)
    np.exp(firms.log_revenue, out=firms.revenue)
    firms.revenue *= firms.alive
    zones.revenue = firms.sum_by_cell(firms.revenue, blueprint.shape)
    bind(model, p)
    now = zones.revenue.sum(axis=0)
    ratio = np.ones(len(now))
    np.divide(now, before, out=ratio, where=(before > 0) & (now > 0))
    momentum.last = np.log(ratio)
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
    luck = model.draws.uniform("expansion", model.month, blueprint.shape)
    hazard = p.expansion_hazard / 12.0 * model.drivers.cell(Driver.CAPACITY)
    lumps = (luck < -np.expm1(-hazard)) * bound
    zones.output_capacity *= np.exp(p.capacity_growth / 12.0)
    made_possible = lumps * p.expansion_size / 12.0
    zones.output_capacity += made_possible
    zones.orders += made_possible * p.expansion_uptake
    filled = zones.orders / p.expansion_months
    zones.orders -= filled
    zones.ramp = np.zeros(blueprint.shape)
    np.divide(filled, zones.revenue, out=zones.ramp, where=zones.revenue > 0)
    np.log1p(zones.ramp, out=zones.ramp)
    over = zones.revenue > zones.output_capacity
    if not over.any():
        return
    factor = zones.output_capacity / np.maximum(zones.revenue, 1e-300)
    held = over.ravel().take(firms.cell).nonzero()[0]
    held = held[firms.alive[held] > 0]
    cut = factor.ravel()[firms.cell[held]]
    firms.revenue[held] *= cut
    firms.log_revenue[held] += np.log(cut)
    zones.revenue = np.minimum(zones.revenue, zones.output_capacity)
