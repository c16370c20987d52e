"""Process 13: the month's indicators by zone, and what it cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.blueprint import Base, Blueprint, Bools, Floats, Ints
from sim.economy import Lever
from sim.firms import Column
from sim.kernels import kernel
from sim.plan import Quantity, Target
from sim.zones import ITEMS, SUMS

if TYPE_CHECKING:
    from sim.model import District

CONTEXT = {
    "firms": "stock",
    "entries": "count",
    "exits": "count",
    "skilled_staff": "stock",
    "fill_rate": "level",
    "arrivals": "flow",
    "displaced_arrivals": "flow",
    "data_access": "level",
    "data_volume": "flow",
    "cross_border_data": "flow",
    "data_incidents": "count",
    "digital_maturity": "level",
    "park_service": "level",
    "core_revenue": "flow",
    "revenue": "flow",
}


PLACE = {name: place for place, name in enumerate(CONTEXT)}
FIRMS_ROW, STAFF_ROW = PLACE["firms"], PLACE["skilled_staff"]
MATURITY_ROW, SERVICE_ROW = PLACE["digital_maturity"], PLACE["park_service"]
CORE_ROW, REVENUE_ROW = PLACE["core_revenue"], PLACE["revenue"]

# as kernels know them
QUANTITIES = {quantity: number for number, quantity in enumerate(Quantity)}
FIRMS, REVENUE = QUANTITIES[Quantity.FIRMS], QUANTITIES[Quantity.REVENUE]
AI_FIRMS, AI_REVENUE = QUANTITIES[Quantity.AI_FIRMS], QUANTITIES[Quantity.AI_REVENUE]
SCENARIOS, AI_MODELS = QUANTITIES[Quantity.SCENARIOS], QUANTITIES[Quantity.AI_MODELS]
OPEN_PLATFORMS, STANDARDS = QUANTITIES[Quantity.OPEN_PLATFORMS], QUANTITIES[Quantity.STANDARDS]
KEY_TECHNOLOGIES = QUANTITIES[Quantity.KEY_TECHNOLOGIES]
LANDMARK_RESULTS = QUANTITIES[Quantity.LANDMARK_RESULTS]
COUNT, STAFF, MATURITY = SUMS.index("firms"), SUMS.index("staff"), SUMS.index("maturity")
AI_PART, AI_COUNT = SUMS.index("ai_revenue"), SUMS.index("ai_firms")


def indicators(blueprint: Blueprint) -> dict[str, str]:
    """The recorded series and their kinds: the plan's targets, then what explains them.

    A flow is recorded by month; a stock and a level at the month's end; a count since the start.
    """
    targets = {target.id: target.quantity.kind for target in blueprint.plan.targets}
    return targets | {
        f"context_{name}" if name in targets else name: kind for name, kind in CONTEXT.items()
    }


def step(model: District) -> None:
    """Book the month's costs, then record its indicators."""
    model.costs[model.month] += model.spending.month
    model.spending.clear()
    record(model)


def committed(blueprint: Blueprint) -> Floats:
    """What measures, staff and the levers that push a driver cost, whatever firms do.

    By month, item and zone (T + 1, items, Z), 亿元; nothing in the start month.
    """
    measures, cost = blueprint.measures, blueprint.lever_cost
    costs = np.zeros((blueprint.horizon + 1, len(ITEMS), blueprint.shape[0]))
    under_way = measures.start <= np.arange(blueprint.horizon + 1)[:, None]
    planned = measures.annual_cost / 12.0 * measures.intensity * under_way[:, :, None]
    # added one by one: a pairwise sum would differ in its last bit with the number of measures
    paid = planned.cumsum(axis=1)[:, -1:].sum(axis=1)
    costs[:, ITEMS.index(Lever.MEASURE_INTENSITY)] = paid * cost[Lever.MEASURE_INTENSITY]
    staff = costs[:, ITEMS.index(Lever.DEPARTMENT_CAPACITY)]
    # staff that is not there saves nothing: posts are filled again, or their work is bought
    extra = np.maximum(blueprint.department_extra, 0.0) / 12.0 * cost[Lever.DEPARTMENT_CAPACITY]
    own = blueprint.department_zone >= 0
    np.add.at(staff.T, blueprint.department_zone[own], extra.T[own])
    shared = np.ascontiguousarray(extra[:, ~own]).sum(axis=1)
    staff += shared[:, None] * blueprint.firm_share
    for lever, rule in blueprint.economy.levers.items():
        if rule.driver:
            paid = blueprint.levers[Lever(lever)] * rule.unit_cost.value / 12.0
            costs[:, ITEMS.index(lever)] += paid
    costs[0] = 0.0
    return costs


def record(model: District) -> None:
    """Write this month's row of the series: each indicator by zone, (indicators, Z)."""
    blueprint, zones, parks = model.blueprint, model.zones, model.park_columns
    add_up(model)
    targets = model.series[model.month, : len(model.target_kinds)]
    context = model.series[model.month, len(model.target_kinds) :]
    model.covered[model.month] = write_targets(
        targets,
        model.target_kinds,
        model.weight_table,
        zones.revenue,
        zones.sums,
        zones.scenarios,
        zones.models,
        zones.key_technologies,
        zones.landmark_results,
        zones.standards,
        parks.zone,
        parks.open_platforms,
    )
    write_context(
        context,
        zones.revenue,
        zones.sums,
        blueprint.base.adopts,
        blueprint.is_core,
        parks.zone,
        parks.capacity,
        parks.service,
    )
    for name, values in (
        ("entries", zones.entries),
        ("exits", zones.exits),
        ("fill_rate", zones.fill_rate),
        ("arrivals", zones.arrivals),
        ("displaced_arrivals", zones.displaced),
        ("data_access", zones.data_access),
        ("data_volume", zones.data_volume),
        ("cross_border_data", zones.cross_border),
        ("data_incidents", zones.incidents),
    ):
        context[PLACE[name]] = values


def with_district(model: District, series: Floats) -> Floats:
    """The series with the district behind its zones, (months, indicators, Z + 1).

    Counts, stocks and flows are the zones' sums, levels their mean by firms at the start; a
    sector with an AI model counts once, however many zones have one.
    """
    district = series.sum(axis=2)
    for position, kind in enumerate(indicators(model.blueprint).values()):
        if kind == "level":
            district[:, position] = series[:, position] @ model.blueprint.firm_share
    for position, target in enumerate(model.blueprint.plan.targets):
        if target.quantity == Quantity.MODEL_SECTORS:
            district[:, position] = model.covered[: len(series)]
    return np.concatenate([series, district[:, :, None]], axis=2)


def add_up(model: District) -> None:
    """Sums over firms at the month's end, which this month's indicators and the next use."""
    firms, zones, sums = model.columns, model.zones, model.zones.sums
    if not model.month:  # later on growth has just added it up
        zones.revenue[:] = firms.sum_by_cell(firms.revenue, model.blueprint.shape)
    add_firms(
        firms.cell,
        firms.alive,
        firms.staff,
        firms.capability,
        firms.maturity,
        firms.ai_share,
        firms.is_ai,
        firms.revenue,
        firms.log_revenue,
        sums.reshape(-1, len(SUMS)),
    )
    model.momentum.look(zones.log_revenue, zones.firms)


@kernel
def add_firms(
    cell: Ints,
    alive: Column,
    staff: Column,
    capability: Column,
    maturity: Column,
    ai_share: Column,
    is_ai: Bools,
    revenue: Column,
    log_revenue: Column,
    sums: Floats,
) -> None:
    """Add all firms up by cell in one pass, in the order of SUMS (cells, SUMS)."""
    real = alive.dtype.type
    sums[:] = 0.0
    for i in range(len(cell)):
        active, ai, here = alive[i], real(is_ai[i]), sums[cell[i]]
        here[0] += active
        here[1] += staff[i]
        here[2] += capability[i] * active
        here[3] += maturity[i] * active
        here[4] += ai_share[i] * active
        here[5] += revenue[i] * max(ai_share[i], ai)
        here[6] += ai * active
        here[7] += log_revenue[i] * active


def history(model: District) -> Floats:
    """The flows of the eleven months before the start (11, flows, Z), oldest first.

    Revenue and what is part of it follow the base year's growth; other flows their start.
    """
    blueprint, base = model.blueprint, model.blueprint.base
    flows = [name for name, kind in indicators(blueprint).items() if kind == "flow"]
    revenue = base.earlier_revenue
    known = {
        "revenue": revenue.sum(axis=2),
        "core_revenue": revenue @ blueprint.is_core,
        "arrivals": model.parameters.talent.inflow_rate * base.staff.sum(axis=1),
    } | {name: revenue @ weights for name, weights in model.target_weights.items()}
    past = np.zeros((11, len(flows), blueprint.shape[0]))
    for position, name in enumerate(flows):
        past[:, position] = known.get(name, 0.0)
    return past


def revenue_weights(target: Target, base: Base, sectors: tuple[str, ...]) -> Floats:
    """The part of each sector's revenue that a flow target counted in the base year (S,)."""
    if target.quantity == Quantity.AI_REVENUE:
        return np.where(base.is_ai, 1.0, base.ai_share)
    return np.array([target.sectors[s].value if s in target.sectors else 0.0 for s in sectors])


@kernel
def write_targets(
    row: Floats,
    kinds: Ints,
    weights: Floats,
    revenue: Floats,
    sums: Floats,
    scenarios: Floats,
    models: Floats,
    key_technologies: Floats,
    landmark_results: Floats,
    standards: Floats,
    park_zone: Ints,
    open_platforms: Floats,
) -> int:
    """The targets' quantities this month (targets, Z), by their ``kinds`` (targets,) as in
    QUANTITIES; flows are of this month alone. ``weights`` (targets, S) of revenue and firms.

    Gives the number of sectors with an AI model.
    """
    zones, sectors = revenue.shape
    for n in range(len(kinds)):
        kind = kinds[n]
        if kind == OPEN_PLATFORMS:
            row[n] = 0.0
            for k in range(len(park_zone)):
                row[n, park_zone[k]] += open_platforms[k]
        elif kind == KEY_TECHNOLOGIES:
            row[n] = key_technologies
        elif kind == LANDMARK_RESULTS:
            row[n] = landmark_results
        elif kind == STANDARDS:
            row[n] = standards
        else:
            for z in range(zones):
                total = 0.0
                for s in range(sectors):
                    if kind == REVENUE:
                        total += revenue[z, s] * weights[n, s]
                    elif kind == FIRMS:
                        total += sums[z, s, COUNT] * weights[n, s]
                    elif kind == AI_REVENUE:
                        total += sums[z, s, AI_PART]
                    elif kind == AI_FIRMS:
                        total += sums[z, s, AI_COUNT]
                    elif kind == SCENARIOS:
                        total += scenarios[z, s]
                    elif kind == AI_MODELS:
                        total += models[z, s]
                    else:  # MODEL_SECTORS
                        total += models[z, s] > 0.0
                row[n, z] = total
    covered = 0
    for s in range(sectors):
        for z in range(zones):
            if models[z, s] > 0.0:
                covered += 1
                break
    return covered


@kernel
def write_context(
    row: Floats,
    revenue: Floats,
    sums: Floats,
    adopts: Bools,
    is_core: Floats,
    park_zone: Ints,
    capacity: Floats,
    service: Floats,
) -> None:
    """Sums over firms and means over parks (indicators, Z), in the order of CONTEXT."""
    zones, sectors = revenue.shape
    room, served = np.zeros(zones), np.zeros(zones)
    for k in range(len(park_zone)):
        room[park_zone[k]] += capacity[k]
        served[park_zone[k]] += capacity[k] * service[k]
    for z in range(zones):
        maturity = adopters = 0.0
        for place in (FIRMS_ROW, STAFF_ROW, CORE_ROW, REVENUE_ROW):
            row[place, z] = 0.0
        for s in range(sectors):
            row[FIRMS_ROW, z] += sums[z, s, COUNT]
            row[STAFF_ROW, z] += sums[z, s, STAFF]
            row[CORE_ROW, z] += revenue[z, s] * is_core[s]
            row[REVENUE_ROW, z] += revenue[z, s]
            maturity += sums[z, s, MATURITY] * adopts[s]
            adopters += sums[z, s, COUNT] * adopts[s]
        row[MATURITY_ROW, z] = maturity / max(adopters, 1.0)
        row[SERVICE_ROW, z] = served[z] / max(room[z], 1.0)
