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
    capability_effect: float  # β_C: log revenue per unit of capability, in the end
    maturity_effect: float  # β_M: log revenue per unit of maturity, in the end
    data_effect: float  # log revenue at full data access and data intensity, in the end
    build_up: float  # τ: years over which such an effect is approached
    age_growth: float  # log growth a year of a firm just founded, beyond an old one's
    age_volatility: float  # log of its spread of growth over an old one's
    age_years: float  # years over which both fall by e
    jumps: float  # λ: changes of fortune a year
    size_exponent: float  # β: standard deviation of growth ∝ size^(−β)
    demand_pull: float  # share of customers' growth beyond their drift that reaches purchases
    capacity_at_start: float  # output capacity over output at the start
    capacity_growth: float  # log growth a year of capacity without the plan
    expansion_hazard: float  # expansions a year in a cell at full capacity driver
    expansion_size: float  # 亿元 a year of output that an expansion makes possible
    expansion_uptake: float  # share of it that comes with orders, beyond the firms' own growth
    expansion_months: float  # mean months until those orders are produced
    drift: Annotated[Floats, BY_SECTOR]  # μ, log growth a year
    volatility: Annotated[Floats, BY_SECTOR]  # s.d. of log growth a month, geometric mean size
    effect: Annotated[Floats, BY_DRIVER]  # log revenue at a full driver, in the end


class Momentum:
    """Sectors' mean log revenue at the end of last month, and their growth in it (S,)."""

    def __init__(self, blueprint: Blueprint, firms: Firms, p: GrowthParameters) -> None:
        sectors = blueprint.shape[1]
        count = np.maximum(np.bincount(firms.sector, firms.alive, sectors), 1.0)
        self.mean_log = np.bincount(firms.sector, firms.log_revenue * firms.alive, sectors) / count
        self.first_log = self.mean_log.copy()  # at the start
        self.usual = p.drift / 12.0  # log growth a month when nothing happens
        self.last = self.usual.copy()

    def look(self, log_revenue: Floats, firms: Floats) -> None:
        """Take the means from sums over the firms of each cell (Z, S)."""
        count = firms.sum(axis=0)
        total = log_revenue.sum(axis=0)
        self.mean_log = np.where(count > 0, total / np.maximum(count, 1.0), self.mean_log)


class Norms:
    """What no month changes in the growth of firms.

    Mean youth over the firms at the start by sector (S,); log growth a month of normal staffing;
    ln b of a firm of mean size and age (S,); and how far firms' revenue at the start lies about
    its mean of the last year, as the scale of a Laplace distribution (firms,).
    """

    def __init__(self, firms: Firms, blueprint: Blueprint, p: GrowthParameters) -> None:
        youth = np.exp(firms.founded / (12.0 * p.age_years))
        sectors = blueprint.shape[1]
        count = np.maximum(np.bincount(firms.sector, minlength=sectors), 1)
        self.mean_youth = np.bincount(firms.sector, youth, sectors) / count
        self.staffing = p.staffing_effect * np.log(p.normal_staffing)
        self.log_scale = np.log(p.volatility / np.sqrt(2.0 * p.jumps / 12.0))
        self.about_trend = np.zeros(len(firms))


def set_past(model: District) -> None:
    """What firms bring along from before the start.

    Their capability and maturity have brought what they bring; and revenue has moved about its
    mean of the last year as it does in a steady state: with monthly steps of mean g and variance
    σ², r − m is 11·g in the mean and has the variance σ²·ρ²/(1 − ρ²), ρ = 11/12. Youth is that of
    the first month, in which founders have 1.
    """
    firms, p = model.columns, model.parameters.growth
    momentum, norms = model.momentum, model.norms
    firms.reveal_all()
    firms.standing[:] = p.capability_effect * firms.capability + p.maturity_effect * firms.maturity
    firms.youth[:] = 1.0
    firms.reveal(0)
    sector = firms.sector
    youth = np.exp(firms.founded / (12.0 * p.age_years))
    firms.youth[:] = youth * np.exp(-1.0 / (12.0 * p.age_years))
    scale = (norms.log_scale + p.size_exponent * momentum.mean_log).take(sector)
    scale += p.age_volatility * (youth - norms.mean_youth.take(sector))
    scale -= p.size_exponent * firms.log_revenue
    monthly = np.exp(scale).clip(0.0, 0.6) * np.sqrt(p.jumps / 12.0)
    rho = 11.0 / 12.0
    wide = norms.about_trend = monthly * rho / np.sqrt(1.0 - rho**2)
    noise = model.draws.laplace("trait trend", 0, len(firms))
    past = 11.0 / 12.0 * model.blueprint.base.growth.take(sector)
    firms.trend[:] = firms.log_revenue - past + wide * noise


def step(model: District) -> None:
    """Δln r = μ_s + f_s + ramp_zs + ΔX_zs + ΔY_i + io_s + β_v·(ln filled − ln normal) + projects
    + β_a·(young_i − mean) + jump.

    What measures, data, capability and digital practice add is a level that is approached over τ
    years: X_zs follows Σ_r β_r D_rzs + β_d·access, Y_i follows β_C·C_i + β_M·M_i, each with
    1/(12τ) a month. A jump b·ε, ε ~ Laplace(0, 1), comes λ times a year, so that yearly growth has
    heavy tails; b = σ_s/√(2λ/12)·(r/r̄_s)^(−β)·e^(β_y·(young − mean)). What it adds to the mean of r
    is taken out: 1 + λ/12·b²/(1 − b²), since E e^(bε) = 1/(1 − b²).
    """
    blueprint, firms, p = model.blueprint, model.columns, model.parameters.growth
    base, zones, momentum = blueprint.base, model.zones, model.momentum
    before, change, scale = without_luck(
        p,
        model.drivers.by_cell,
        base.data_intensity,
        zones.data_access,
        model.norms.staffing,
        model.norms.log_scale,
        model.norms.mean_youth,
        blueprint.sales_share,
        momentum.last,
        momentum.usual,
        momentum.mean_log,
        model.cycle.growth,
        zones.ramp,
        zones.lift,
        zones.data_used,
        firms.cell,
        firms.revenue,
        firms.log_revenue,
        firms.capability,
        firms.maturity,
        firms.staffing,
        firms.standing,
        firms.youth,
        firms.one_off,
    )
    np.exp(scale, out=scale)
    luck = model.draws.uniform("growth", model.month, len(firms))
    correction = shake(change, luck, p.jumps / 12.0, scale)
    np.log1p(correction, out=correction)
    move(change, correction, firms.alive, firms.log_revenue, firms.trend)
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
    remember(momentum.last, before, zones.revenue)


@kernel
def without_luck(
    p: GrowthParameters,
    drivers: Floats,
    data_intensity: Floats,
    data_access: Floats,
    normal_staffing: float,
    log_scale: Floats,
    mean_youth: Floats,
    sales_share: Floats,
    last: Floats,
    usual: Floats,
    mean_log: Floats,
    cycle: Floats,
    ramp: Floats,
    lift: Floats,
    data_used: Floats,
    cell: Ints,
    revenue: Column,
    log_revenue: Column,
    capability: Column,
    maturity: Column,
    staffing: Column,
    standing: Column,
    youth: Column,
    one_off: Column,
) -> tuple[Floats, Column, Column]:
    """Sectors' revenue before the month (S,); firms' log growth without luck, and ln b
    (visible,)."""
    pull = customers(sales_share, last, usual)
    monthly = shared(p, drivers, normal_staffing, mean_youth, pull, cycle, ramp, lift)
    use_data(p, data_intensity, data_access, data_used, monthly)
    before = turnover(cell, revenue, monthly.size, len(pull))
    change = own(p, monthly, cell, capability, maturity, staffing, standing, one_off)
    middle = log_scale + p.size_exponent * mean_log - p.age_volatility * mean_youth
    scale = by_size_and_age(p, middle, change, cell, youth, log_revenue)
    return before, change, scale


@kernel
def customers(sales_share: Floats, last: Floats, usual: Floats) -> Floats:
    """Customers' growth last month beyond their drift, by supplying sector (S,).

    Against a fixed growth, so that what customers lose for good their suppliers lose for good.
    """
    pull = np.zeros(len(last))
    for s in range(len(pull)):
        for buyer in range(len(last)):
            pull[s] += sales_share[s, buyer] * (last[buyer] - usual[buyer])
    return pull


@kernel
def shared(
    p: GrowthParameters,
    drivers: Floats,
    normal_staffing: float,
    mean_youth: Floats,
    pull: Floats,
    cycle: Floats,
    ramp: Floats,
    lift: Floats,
) -> Floats:
    """Log growth this month that a cell's firms share (Z, S), with ``drivers`` (R, Z, S), but for
    data; the level that measures have brought, ``lift`` (Z, S), moves on."""
    monthly = np.empty_like(ramp)
    for s in range(len(pull)):
        for z in range(len(ramp)):
            goal = 0.0
            for r in range(len(p.effect)):
                goal += p.effect[r] * drivers[r, z, s]
            rise = (goal - lift[z, s]) / (12.0 * p.build_up)
            lift[z, s] += rise
            monthly[z, s] = p.drift[s] / 12.0 + rise + cycle[z, s] + p.demand_pull * pull[s]
            monthly[z, s] += ramp[z, s] - normal_staffing - p.age_growth / 12.0 * mean_youth[s]
    return monthly


@kernel
def use_data(
    p: GrowthParameters,
    data_intensity: Floats,
    data_access: Floats,
    data_used: Floats,
    monthly: Floats,
) -> None:
    """Firms come to use the access that they have (Z,), which adds to their growth (Z, S)."""
    for z in range(len(data_access)):
        more = (data_access[z] - data_used[z]) / (12.0 * p.build_up)
        data_used[z] += more
        for s in range(len(data_intensity)):
            monthly[z, s] += p.data_effect * data_intensity[s] * more


@kernel
def own(
    p: GrowthParameters,
    monthly: Floats,
    cell: Ints,
    capability: Column,
    maturity: Column,
    staffing: Column,
    standing: Column,
    one_off: Column,
) -> Column:
    """Log growth without luck of each firm, but for its age (visible,); one-offs are used up, and
    the level that its capability and maturity have brought, ``standing``, moves on."""
    real = staffing.dtype.type
    capability_effect, maturity_effect = real(p.capability_effect), real(p.maturity_effect)
    pace, staffing_effect = real(1.0 / (12.0 * p.build_up)), real(p.staffing_effect)
    by_cell, change = np.empty(monthly.size, staffing.dtype), np.empty_like(staffing)
    for c in range(len(by_cell)):
        by_cell[c] = monthly[c // monthly.shape[1], c % monthly.shape[1]]
    for i in range(len(change)):
        change[i] = by_cell[cell[i]]
    for i in range(len(change)):
        goal = capability_effect * capability[i] + maturity_effect * maturity[i]
        rise = pace * (goal - standing[i])
        standing[i] += rise
        change[i] += rise + staffing_effect * staffing[i] + one_off[i]
    one_off[:] = 0.0
    return change


@kernel
def by_size_and_age(
    p: GrowthParameters,
    middle: Floats,
    change: Column,
    cell: Ints,
    youth: Column,
    log_revenue: Column,
) -> Column:
    """ln b of each firm (visible,), from ``middle``, that at a log revenue of 0 and no youth (S,);
    young firms grow faster, which is added to ``change``, and all grow older."""
    real, sectors = change.dtype.type, len(middle)
    by_cell, scale = np.empty(sectors, change.dtype), np.empty_like(change)
    for s in range(sectors):
        by_cell[s] = middle[s]
    exponent, wider = real(p.size_exponent), real(p.age_volatility)
    faster, older = real(p.age_growth / 12.0), real(np.exp(-1.0 / (12.0 * p.age_years)))
    for i in range(len(scale)):
        scale[i] = by_cell[cell[i] % sectors]
    for i in range(len(scale)):
        scale[i] += wider * youth[i] - exponent * log_revenue[i]
        change[i] += faster * youth[i]
        youth[i] *= older
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
def shake(change: Column, luck: Column, chance: float, scale: Column) -> Column:
    """Add a jump b·ε to the growth of those whose luck is below ``chance``, whose rest is ε's draw;
    gives for each firm what 1 less is the mean of e^(jump), to be taken out."""
    real = scale.dtype.type
    largest, part, one = real(0.6), real(chance), real(1.0)
    correction = np.empty_like(change)
    for i in range(len(change)):
        b = min(scale[i], largest)
        scale[i] = b
        correction[i] = part * b * b / (one - b * b)
    struck, count = np.empty(len(change), np.intp), 0
    for i in range(len(change)):
        struck[count] = i
        count += luck[i] < part
    for i in struck[:count]:
        centred = 2.0 * (luck[i] + 2.0**-25) / chance - 1.0
        size = -np.log(max(1.0 - abs(centred), 2.0**-24))
        change[i] += scale[i] * (size if centred > 0.0 else -size)
    return correction


@kernel
def move(
    change: Column, correction: Column, alive: Column, log_revenue: Column, trend: Column
) -> None:
    """Move active firms' log revenue, within what a firm can be, and its mean over a year."""
    smallest, largest = change.dtype.type(-16.0), change.dtype.type(8.0)
    twelfth = change.dtype.type(1.0 / 12.0)
    for i in range(len(change)):
        moved = log_revenue[i] + (change[i] - correction[i]) * alive[i]
        log_revenue[i] = min(max(moved, smallest), largest)
    for i in range(len(change)):
        trend[i] += twelfth * (log_revenue[i] - trend[i])


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
def remember(last: Floats, before: Floats, revenue: Floats) -> None:
    """Sectors' log growth of the month (S,), for next month's customers."""
    for s in range(len(last)):
        now = 0.0
        for z in range(len(revenue)):
            now += revenue[z, s]
        last[s] = np.log(now / before[s]) if before[s] > 0.0 and now > 0.0 else 0.0
