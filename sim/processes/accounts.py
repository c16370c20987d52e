"""Process 13: the month's indicators by zone, and what it cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.blueprint import Base, Blueprint, Floats
from sim.economy import Lever
from sim.plan import Quantity, Target
from sim.zones import ITEMS

if TYPE_CHECKING:
    from sim.model import District

CONTEXT = {
    "firms": "stock",
    "entries": "count",
    "exits": "count",
    "skilled_staff": "stock",
    "fill_rate": "level",
    "arrivals": "flow",
    "data_access": "level",
    "data_volume": "flow",
    "cross_border_data": "flow",
    "data_incidents": "count",
    "digital_maturity": "level",
    "park_service": "level",
    "core_revenue": "flow",
    "revenue": "flow",
}


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
    extra = blueprint.department_extra / 12.0 * cost[Lever.DEPARTMENT_CAPACITY]
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
    add_up(model)
    row = model.series[model.month]
    targets = model.blueprint.plan.targets
    for position, target in enumerate(targets):
        row[position] = measure(model, target)
    context(model, row[len(targets) :])
    model.covered[model.month] = np.count_nonzero(model.zones.models.any(axis=0))


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
    firms, zones, shape = model.columns, model.zones, model.blueprint.shape
    zones.firms = firms.sum_by_cell(firms.alive, shape)
    if not model.month:  # later on growth has just added it up
        zones.revenue = firms.sum_by_cell(firms.revenue, shape)
    zones.staff = firms.sum_by_cell(firms.staff, shape)
    zones.ai_adoption = firms.sum_by_cell(firms.ai_share * firms.alive, shape)


def history(model: District) -> Floats:
    """The flows of the eleven months before the start (11, flows, Z), oldest first.

    Revenue and what is part of it follow the base year's growth; other flows their start.
    """
    blueprint, base = model.blueprint, model.blueprint.base
    flows = [name for name, kind in indicators(blueprint).items() if kind == "flow"]
    revenue = np.array([base.revenue_before(months_back) for months_back in range(11, 0, -1)])
    known = {
        "revenue": revenue.sum(axis=2),
        "core_revenue": revenue @ blueprint.is_core,
        "arrivals": model.usual_arrivals,
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


def measure(model: District, target: Target) -> Floats:
    """A target's quantity this month by zone (Z,); flows are of this month alone."""
    zones, firms, shape = model.zones, model.columns, model.blueprint.shape
    quantity = target.quantity
    if quantity in (Quantity.REVENUE, Quantity.FIRMS):
        by_cell = zones.firms if quantity == Quantity.FIRMS else zones.revenue
        return np.asarray(by_cell @ model.target_weights[target.id])
    if quantity == Quantity.AI_REVENUE:
        part = firms.revenue * np.maximum(firms.ai_share, firms.is_ai)
        return np.asarray(firms.sum_by_cell(part, shape).sum(axis=1))
    if quantity == Quantity.AI_FIRMS:
        return np.asarray(firms.count_by_cell(firms.is_ai, shape).sum(axis=1))
    if quantity == Quantity.OPEN_PLATFORMS:
        parks = model.park_columns
        return np.asarray(np.bincount(parks.zone, parks.open_platforms, shape[0]))
    if quantity == Quantity.SCENARIOS:
        return np.asarray(zones.scenarios.sum(axis=1))
    if quantity == Quantity.AI_MODELS:
        return np.asarray(zones.models.sum(axis=1))
    if quantity == Quantity.MODEL_SECTORS:
        return np.asarray((zones.models > 0).sum(axis=1))
    return np.asarray(getattr(zones, quantity.value))


def context(model: District, row: Floats) -> None:
    """The month's values of the CONTEXT indicators, in their order, (indicators, Z)."""
    zones, firms, parks = model.zones, model.columns, model.park_columns
    shape, zone_count = model.blueprint.shape, model.blueprint.shape[0]
    adopts = model.blueprint.base.adopts
    maturity = firms.sum_by_cell(firms.maturity * firms.alive, shape)
    count = zones.firms @ adopts
    room = np.bincount(parks.zone, parks.capacity, zone_count)
    service = np.bincount(parks.zone, parks.service * parks.capacity, zone_count)
    row[:] = (
        zones.firms.sum(axis=1),
        zones.entries,
        zones.exits,
        zones.staff.sum(axis=1),
        zones.fill_rate,
        zones.arrivals,
        zones.data_access,
        zones.data_volume,
        zones.cross_border,
        zones.incidents,
        (maturity * adopts).sum(axis=1) / np.maximum(count, 1.0),
        service / np.maximum(room, 1.0),
        zones.revenue @ model.blueprint.is_core,
        zones.revenue.sum(axis=1),
    )
