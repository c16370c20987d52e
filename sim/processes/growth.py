"""Process 11: revenue grows, within the capacity of fabs and plants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

import numpy as np

from sim.blueprint import Blueprint, Bools, Floats, Ints
from sim.firms import Column, Firms
from sim.kernels import kernel
from sim.parameters import BY_DRIVER, BY_SECTOR
from sim.plan import Driver

if TYPE_CHECKING:
    from sim.model import District


class GrowthParameters(NamedTuple):
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
    drift: Annotated[Floats, BY_SECTOR]  # μ, log growth a year
    volatility: Annotated[Floats, BY_SECTOR]  # s.d. of log growth a month, geometric mean size
    effect: Annotated[Floats, BY_DRIVER]  # log growth a year at a full driver


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
    base, zones, momentum = blueprint.base, model.zones, model.momentum
    before, change, scale = without_luck(
        p,
        model.drivers.by_cell,
        base.data_intensity,
        zones.data_access,
        model.norms.traits,
        model.norms.staffing,
        model.norms.log_scale,
        blueprint.sales_share,
        momentum.last,
        momentum.mean,
        model.cycle.growth,
        zones.ramp,
        firms.cell,
        firms.revenue,
        firms.log_revenue,
        firms.capability,
        firms.maturity,
        firms.staffing,
        firms.one_off,
    )
    np.exp(scale, out=scale)
    noise = model.draws.laplace("growth", model.month, len(firms))
    correction = shake(change, noise, scale)
    np.log1p(correction, out=correction)
    move(change, correction, firms.alive, firms.log_revenue)
    np.exp(firms.log_revenue, out=firms.revenue)
    zones.revenue[:] = 0.0
    add_up(firms.cell, firms.alive, firms.revenue, zones.revenue.reshape(-1))
    bind(
        p,
        model.draws.uniform("expansion", model.month, blueprint.shape),
        model.drivers.cell(Driver.CAPACITY),
        base.capacity_bound,
        zones.output_capacity,
        zones.orders,
        zones.ramp,
        zones.revenue,
        firms.cell,
        firms.alive,
        firms.revenue,
        firms.log_revenue,
    )
    remember(momentum.last, momentum.mean, before, zones.revenue)


@kernel
def without_luck(
    p: GrowthParameters,
    drivers: Floats,
    data_intensity: Floats,
    data_access: Floats,
    traits: Floats,
    normal_staffing: float,
    scale_at_start: Column,
    sales_share: Floats,
    last: Floats,
    mean: Floats,
    cycle: Floats,
    ramp: Floats,
    cell: Ints,
    revenue: Column,
    log_revenue: Column,
    capability: Column,
    maturity: Column,
    staffing: Column,
    one_off: Column,
) -> tuple[Floats, Column, Column]:
    """Sectors' revenue before the month (S,); firms' log growth without luck, and ln b
    (visible,)."""
    pull = customers(sales_share, last, mean)
    monthly = shared(
        p, drivers, data_intensity, data_access, traits, normal_staffing, pull, cycle, ramp
    )
    before = turnover(cell, revenue, monthly.size, len(pull))
    change = own(p, monthly, cell, capability, maturity, staffing, one_off)
    return before, change, log_scale(scale_at_start, p.size_exponent, log_revenue)


@kernel
def customers(sales_share: Floats, last: Floats, mean: Floats) -> Floats:
    """Customers' growth last month beyond its mean, by supplying sector (S,)."""
    pull = np.zeros(len(last))
    for s in range(len(pull)):
        for buyer in range(len(last)):
            pull[s] += sales_share[s, buyer] * (last[buyer] - mean[buyer])
    return pull


@kernel
def shared(
    p: GrowthParameters,
    drivers: Floats,
    data_intensity: Floats,
    data_access: Floats,
    traits: Floats,
    normal_staffing: float,
    pull: Floats,
    cycle: Floats,
    ramp: Floats,
) -> Floats:
    """Log growth this month that a cell's firms share (Z, S), with ``drivers`` (R, Z, S)."""
    monthly = np.empty_like(ramp)
    for s in range(len(traits)):
        for z in range(len(data_access)):
            yearly = p.drift[s] - traits[s]
            for r in range(len(p.effect)):
                yearly += p.effect[r] * drivers[r, z, s]
            yearly += p.data_effect * data_intensity[s] * data_access[z]
            monthly[z, s] = yearly / 12.0 + cycle[z, s] + p.demand_pull * pull[s]
            monthly[z, s] += ramp[z, s] - normal_staffing
    return monthly


@kernel
def own(
    p: GrowthParameters,
    monthly: Floats,
    cell: Ints,
    capability: Column,
    maturity: Column,
    staffing: Column,
    one_off: Column,
) -> Column:
    """Log growth without luck of each firm (visible,); one-offs are used up."""
    real = staffing.dtype.type
    capability_effect = real(p.capability_effect / 12.0)
    maturity_effect = real(p.maturity_effect / 12.0)
    staffing_effect = real(p.staffing_effect)
    by_cell, change = np.empty(monthly.size, staffing.dtype), np.empty_like(staffing)
    for c in range(len(by_cell)):
        by_cell[c] = monthly[c // monthly.shape[1], c % monthly.shape[1]]
    for i in range(len(change)):
        change[i] = by_cell[cell[i]]
    for i in range(len(change)):
        change[i] += capability_effect * capability[i] + maturity_effect * maturity[i]
        change[i] += staffing_effect * staffing[i] + one_off[i]
    one_off[:] = 0.0
    return change


@kernel
def log_scale(at_start: Column, size_exponent: float, log_revenue: Column) -> Column:
    """ln b of each firm (visible,); ``at_start`` is ln b at a log revenue of 0 (slots,)."""
    scale, exponent = np.empty_like(log_revenue), at_start.dtype.type(size_exponent)
    for i in range(len(scale)):
        scale[i] = at_start[i] - exponent * log_revenue[i]
    return scale


@kernel
def turnover(cell: Ints, revenue: Column, cells: int, sectors: int) -> Floats:
    """Revenue of each sector (S,), 亿元."""
    by_cell, total = np.zeros(cells), np.zeros(sectors)
    for i in range(len(cell)):
        by_cell[cell[i]] += revenue[i]
    for c in range(cells):
        total[c % sectors] += by_cell[c]
    return total


@kernel
def shake(change: Column, noise: Column, scale: Column) -> Column:
    """Add b·ε to each firm's growth; gives −b², for what that adds to the mean of revenue."""
    largest = scale.dtype.type(0.4)
    correction = np.empty_like(change)
    for i in range(len(change)):
        b = min(scale[i], largest)
        change[i] += b * noise[i]
        correction[i] = -b * b
    return correction


@kernel
def move(change: Column, correction: Column, alive: Column, log_revenue: Column) -> None:
    """Move active firms' log revenue, within what a firm can be."""
    smallest, largest = change.dtype.type(-16.0), change.dtype.type(8.0)
    for i in range(len(change)):
        moved = log_revenue[i] + (change[i] + correction[i]) * alive[i]
        log_revenue[i] = min(max(moved, smallest), largest)


@kernel
def add_up(cell: Ints, alive: Column, revenue: Column, by_cell: Floats) -> None:
    """Take closed firms' revenue away and add the others' up (cells,)."""
    for i in range(len(cell)):
        revenue[i] *= alive[i]
        by_cell[cell[i]] += revenue[i]


@kernel
def bind(
    p: GrowthParameters,
    luck: Floats,
    driver: Floats,
    bound: Bools,
    capacity: Floats,
    orders: Floats,
    ramp: Floats,
    revenue: Floats,
    cell: Ints,
    alive: Column,
    own_revenue: Column,
    log_revenue: Column,
) -> None:
    """Hold capacity-bound cells to their output capacity, which grows and comes in lumps.

    A lump raises the bound at once; part of it comes with orders, which the cell's firms fill
    month by month in proportion to their revenue (it raises their growth of the next month).
    Arrays are (Z, S), bound (S,), firms' (visible,).
    """
    sectors = len(bound)
    cut = np.ones(revenue.size)
    any_over = False
    for z in range(len(revenue)):
        for s in range(sectors):
            if not bound[s]:
                continue
            capacity[z, s] *= np.exp(p.capacity_growth / 12.0)
            if luck[z, s] < -np.expm1(-p.expansion_hazard / 12.0 * driver[z, s]):
                made_possible = p.expansion_size / 12.0
                capacity[z, s] += made_possible
                orders[z, s] += made_possible * p.expansion_uptake
            filled = orders[z, s] / p.expansion_months
            orders[z, s] -= filled
            ramp[z, s] = np.log1p(filled / revenue[z, s]) if revenue[z, s] > 0 else 0.0
            if revenue[z, s] > capacity[z, s]:
                cut[z * sectors + s] = capacity[z, s] / revenue[z, s]
                revenue[z, s] = capacity[z, s]
                any_over = True
    if any_over:
        for i in range(len(cell)):
            factor = cut[cell[i]]
            if factor < 1.0 and alive[i] > 0.0:
                own_revenue[i] *= factor
                log_revenue[i] += np.log(factor)


@kernel
def remember(last: Floats, mean: Floats, before: Floats, revenue: Floats) -> None:
    """Sectors' log growth of the month, and its running mean (S,), for next month's customers."""
    for s in range(len(last)):
        now = 0.0
        for z in range(len(revenue)):
            now += revenue[z, s]
        last[s] = np.log(now / before[s]) if before[s] > 0.0 and now > 0.0 else 0.0
        mean[s] += (last[s] - mean[s]) / 12.0
