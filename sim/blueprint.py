"""A scenario turned into arrays once, and shared by all its runs.

Indices: zone z, sector s, measure m, department d, park k, month t (0 is the start, 1 the first
month simulated). A cell is a zone × sector pair, numbered z·S + s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim import months
from sim.economy import Economy, Lever, LeverRule
from sim.plan import ELSEWHERE, Driver, Plan
from sim.scenario import Inputs, LeverSetting, Scenario, target_shares

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Base:
    """The base year: totals by cell (Z, S), traits by sector (S,)."""

    firms: Ints  # (Z, S)
    revenue: Floats  # (Z, S), 亿元, the base year's sum
    staff: Floats  # (Z, S), persons
    growth: Floats  # (S,), log growth over the base year
    body_sigma: Floats
    tail_share: Floats
    tail_exponent: Floats
    ai_share: Floats
    maturity: Floats
    capability: Floats
    foreign_share: Floats
    data_intensity: Floats
    project_kinds: Ints
    is_ai: Bools
    supplies: Bools
    adopts: Bools
    capacity_bound: Bools

    @cached_property
    def december_revenue(self) -> Floats:
        """Monthly revenue at the start (Z, S), 亿元: the base year's sum grew month by month.

        With log growth g a year, month −j had r·exp(−g·j/12); the twelve sum to the year's total.
        """
        months_back = np.arange(12.0)
        weights = np.exp(-self.growth[:, None] * months_back / 12.0).sum(axis=1)
        return np.asarray(self.revenue / weights)

    @cached_property
    def dealt(self) -> Ints:
        """The cell of each firm at the start, dealt out cell by cell in rounds (firms,).

        Sums by cell are faster when neighbouring slots lie in different cells: an addition need
        not wait for the one before it.
        """
        count = self.firms.ravel()
        in_order = np.repeat(np.arange(len(count)), count)
        turn = np.arange(len(in_order)) - np.repeat(np.cumsum(count) - count, count)
        return np.asarray(in_order[np.argsort(turn, kind="stable")])

    def revenue_before(self, months_back: int) -> Floats:
        """Monthly revenue (Z, S) that many months before the start, 0 to 11."""
        return np.asarray(self.december_revenue * np.exp(-self.growth * months_back / 12.0))

    @cached_property
    def earlier_revenue(self) -> Floats:
        """Monthly revenue of the eleven months before the start, oldest first (11, Z, S)."""
        return np.array([self.revenue_before(months_back) for months_back in range(11, 0, -1)])


@dataclass(frozen=True)
class Links:
    """Which department works on which measure, where, and with what weight.

    ``pair_*`` list each department × measure pair; ``link_*`` each pair in each zone it serves.
    """

    pair_department: Ints
    pair_measure: Ints
    link_pair: Ints
    link_cell: Ints  # m·Z + z
    members: Floats  # (M, Z), departments at work on a measure in a zone


@dataclass(frozen=True)
class Effects:
    """What measures' progress adds to drivers: flat entries (measure, driver, sector)."""

    measure: Ints
    strength: Floats
    place: Ints  # (entries · Z,), flat place of (driver, zone, sector) for each entry and zone


@dataclass(frozen=True)
class Measures:
    number: Ints  # (M,), random slot
    start: Ints  # (M,), first month in which it acts
    reach: Floats  # (M, Z)
    speed: Floats  # (M,), a month
    path: Floats  # (T + 1, M), the plan's milestones, interpolated
    annual_cost: Floats  # (M, Z), 亿元 a year at intensity 1
    priority: Floats  # (M,)
    intensity: Floats  # (T + 1, M, Z)


@dataclass(frozen=True)
class Parks:
    zone: Ints
    focus: Floats  # (K, S), 1 in focus, 0.5 in general parks, else 0
    capacity: Floats
    platforms: Ints
    opens: Ints  # month
    general: Bools

    @cached_property
    def opening_months(self) -> frozenset[int]:
        return frozenset(self.opens.tolist())


@dataclass(frozen=True)
class Shocks:
    """Level paths of unit size (J, T + 1) and where they hit (J, Z, S)."""

    path: Floats
    hits: Bools
    size: Floats
    size_sd: Floats
    ids: tuple[str, ...]


@dataclass(frozen=True)
class Blueprint:
    """All that is the same in every run of a scenario."""

    inputs: Inputs
    zones: tuple[str, ...]
    sectors: tuple[str, ...]
    horizon: int
    base: Base
    distance: Floats  # (Z, Z), km
    relatedness: Floats  # (S, S)
    sales_share: Floats  # (S, S), supplier × buyer: part of the supplier's revenue in the base year
    data_pilot: Bools  # (Z,)
    is_core: Floats  # (S,), 1 for core sectors
    firm_share: Floats  # (Z,), of the district's firms at the start
    measures: Measures
    links: Links
    effects: Effects
    department_staffed: Floats  # (D,), measures that the planned staff can carry
    department_capacity: Floats  # (T + 1, D), the same with the lever
    department_extra: Floats  # (T + 1, D), capacity above or below what is staffed
    department_zone: Ints  # (D,), −1: the whole district
    parks: Parks
    levers: dict[Lever, Floats]  # (T + 1, Z)
    lever_baseline: dict[Lever, Floats]  # (Z,)
    lever_strength: dict[Lever, float]
    lever_cost: dict[Lever, float]
    funding: Floats  # (T + 1, Z, S), scenario funding, 亿元 a year
    shocks: Shocks
    target_shares: dict[str, Floats]  # (Z,), where the plan or scenario gives them

    @cached_property
    def plan(self) -> Plan:
        return self.inputs.plan

    @cached_property
    def economy(self) -> Economy:
        return self.inputs.economy

    @cached_property
    def shape(self) -> tuple[int, int]:
        return len(self.zones), len(self.sectors)

    def months(self) -> list[str]:
        """The calendar months from the start to the end, T + 1 of them."""
        return [months.after(self.plan.start, t) for t in range(self.horizon + 1)]


def largest_remainder(total: int, shares: Sequence[float] | Floats) -> Ints:
    """Split a whole number by shares so that the parts are whole and sum to it.

    Ties go to the earlier part. Source: Hamilton's method of apportionment.
    """
    exact = np.asarray(shares, dtype=float)
    exact = exact * (total / max(exact.sum(), 1e-300))
    parts = np.floor(exact + 1e-9).astype(np.intp)
    order = np.argsort(-(exact - parts), kind="stable")
    parts[order[: total - int(parts.sum())]] += 1
    return np.asarray(parts)


def build(inputs: Inputs) -> Blueprint:
    """Turn checked inputs into arrays."""
    plan, economy, scenario = inputs.plan, inputs.economy, inputs.scenario
    zones, sectors = plan.zone_ids(), plan.sector_ids()
    base = _base(economy, zones, sectors)
    firm_share = base.firms.sum(axis=1) / max(1, int(base.firms.sum()))
    distance = _distances(economy, zones)
    levers, baseline = _lever_paths(scenario, economy, plan, firm_share)
    capacity, extra = _department_capacity(scenario, plan)
    return Blueprint(
        inputs=inputs,
        zones=tuple(zones),
        sectors=tuple(sectors),
        horizon=plan.horizon,
        base=base,
        distance=distance,
        relatedness=_relatedness(economy, sectors),
        sales_share=_sales_shares(_table(economy.technical_coefficients, sectors), base),
        data_pilot=np.array([zone.data_pilot for zone in plan.zones]),
        is_core=np.array([sector.role == "core" for sector in plan.sectors], dtype=float),
        firm_share=firm_share,
        measures=_measures(scenario, plan, firm_share),
        links=_links(plan),
        effects=_effects(plan),
        department_staffed=np.array([d.capacity.value for d in plan.departments], dtype=float),
        department_capacity=capacity,
        department_extra=extra,
        department_zone=np.array(
            [zones.index(d.zone) if d.zone else -1 for d in plan.departments], dtype=np.intp
        ),
        parks=_parks(plan, base),
        levers=levers,
        lever_baseline=baseline,
        lever_strength={lever: economy.levers[lever].strength.value for lever in Lever},
        lever_cost={lever: economy.levers[lever].unit_cost.value for lever in Lever},
        funding=_funding(scenario, plan, base, firm_share, baseline[Lever.SCENARIO_FUNDING]),
        shocks=_shocks(scenario, plan),
        target_shares={
            target: np.array([shares.get(zone, 0.0) for zone in zones])
            for target, shares in target_shares(inputs).items()
        },
    )


def _base(economy: Economy, zones: list[str], sectors: list[str]) -> Base:
    records = [economy.sectors[sector] for sector in sectors]

    def split(total: str) -> Floats:
        return np.array(
            [
                [
                    getattr(r, total).value * getattr(r.zones[z], total).value
                    if z in r.zones
                    else 0.0
                    for r in records
                ]
                for z in zones
            ]
        )

    firms = np.stack(
        [
            largest_remainder(
                int(r.firms.value), [r.zones[z].firms.value if z in r.zones else 0 for z in zones]
            )
            for r in records
        ],
        axis=1,
    )

    def trait(name: str) -> Floats:
        return np.array([getattr(r, name).value for r in records])

    def flag(name: str) -> Bools:
        return np.array([getattr(r, name) for r in records])

    return Base(
        firms=firms,
        revenue=split("revenue"),
        staff=split("staff"),
        growth=np.log1p(trait("growth_in_base_year")),
        body_sigma=np.array([r.size.body_sigma.value for r in records]),
        tail_share=np.array([r.size.tail_share.value for r in records]),
        tail_exponent=np.array([r.size.tail_exponent.value for r in records]),
        ai_share=trait("ai_share"),
        maturity=trait("maturity"),
        capability=trait("capability"),
        foreign_share=trait("foreign_share"),
        data_intensity=trait("data_intensity"),
        project_kinds=trait("project_kinds").astype(np.intp),
        is_ai=flag("is_ai"),
        supplies=flag("supplies"),
        adopts=flag("adopts"),
        capacity_bound=flag("capacity_bound"),
    )


def _distances(economy: Economy, zones: list[str]) -> Floats:
    matrix = np.zeros((len(zones), len(zones)))
    for start, ends in economy.distances.items():
        for end, distance in ends.items():
            a, b = zones.index(start), zones.index(end)
            matrix[a, b] = matrix[b, a] = distance.value
    return matrix


def _relatedness(economy: Economy, sectors: list[str]) -> Floats:
    table = _table(economy.relatedness, sectors)
    table = np.maximum(table, table.T)
    np.fill_diagonal(table, 1.0)
    return table


def _sales_shares(purchases: Floats, base: Base) -> Floats:
    """Which part of a supplier's revenue a buyer's purchases are: A_bs·R_b/R_s, (supplier, buyer).

    ``purchases`` is per unit of the buyer's revenue, (buyer, supplier). At most 1: what a buyer
    buys beyond a sector's revenue comes from elsewhere.
    """
    revenue = base.revenue.sum(axis=0)
    sold = purchases.T * revenue
    share = np.minimum(sold / np.maximum(revenue[:, None], 1e-9), 1.0)
    return np.where(revenue[:, None] > 0, share, 0.0)


def _table(table: dict[str, dict[str, Any]], names: list[str]) -> Floats:
    matrix = np.zeros((len(names), len(names)))
    for row, entries in table.items():
        for column, entry in entries.items():
            matrix[names.index(row), names.index(column)] = entry.value
    return matrix


def _measures(scenario: Scenario, plan: Plan, firm_share: Floats) -> Measures:
    zones, horizon = plan.zone_ids(), plan.horizon
    ids = plan.measure_ids()
    reach = np.array([[plan.reach_of(m, z) for z in zones] for m in plan.measures]).reshape(
        len(ids), len(zones)
    )
    served = reach * firm_share
    total = served.sum(axis=1, keepdims=True)
    cost = np.array([m.annual_cost.value for m in plan.measures])[:, None]
    intensity = np.ones((horizon + 1, len(ids), len(zones)))
    for setting in scenario.levers:
        if setting.lever != Lever.MEASURE_INTENSITY:
            continue
        rows = [ids.index(m) for m in setting.measures or ids]
        columns = [zones.index(z) for z in setting.zones or zones]
        for row in rows:
            for column in columns:
                old = intensity[:, row, column]
                intensity[:, row, column] = _set(setting, plan, old, setting.value)
    return Measures(
        number=np.array([m.number for m in plan.measures], dtype=np.intp),
        start=np.array([months.between(plan.start, m.start) for m in plan.measures], dtype=np.intp),
        reach=reach,
        speed=np.array([m.speed.value for m in plan.measures]),
        path=np.array([_path(m.milestones, plan) for m in plan.measures])
        .reshape(len(ids), horizon + 1)
        .T.copy(),
        annual_cost=np.divide(cost * served, total, out=np.zeros_like(served), where=total > 0),
        priority=np.array([scenario.priorities.get(m, 0.0) for m in ids]),
        intensity=intensity,
    )


def _path(milestones: dict[str, Any], plan: Plan) -> Floats:
    """Straight lines between milestones, from zero at the start, shape (T + 1,)."""
    points = {0: 0.0} | {
        months.between(plan.start, month): share.value for month, share in milestones.items()
    }
    known = sorted(points)
    levels = [points[month] for month in known]
    return np.asarray(np.interp(np.arange(plan.horizon + 1), known, levels))


def _links(plan: Plan) -> Links:
    departments = {department.id: n for n, department in enumerate(plan.departments)}
    pairs: list[tuple[int, int]] = []
    links: list[tuple[int, int]] = []
    members = np.zeros((len(plan.measures), len(plan.zones)))
    for m, measure in enumerate(plan.measures):
        names = [measure.lead, *measure.join]
        first_pair = len(pairs)
        pairs += [(departments[name], m) for name in names]
        for z, zone in enumerate(plan.zones):
            here = [
                n
                for n, name in enumerate(names)
                if plan.departments[departments[name]].zone in (None, zone.id)
            ]
            members[m, z] = len(here)
            links += [(first_pair + n, m * len(plan.zones) + z) for n in here]
    pair_table = np.array(pairs, dtype=np.intp).reshape(-1, 2)
    return Links(
        pair_department=pair_table[:, 0].copy(),
        pair_measure=pair_table[:, 1].copy(),
        link_pair=np.array([link[0] for link in links], dtype=np.intp),
        link_cell=np.array([link[1] for link in links], dtype=np.intp),
        members=members,
    )


def _effects(plan: Plan) -> Effects:
    drivers, sectors = list(Driver), plan.sector_ids()
    rows = [
        (m, drivers.index(effect.driver), sectors.index(sector), effect.strength.value)
        for m, measure in enumerate(plan.measures)
        for effect in measure.effects
        for sector in (effect.sectors or sectors)
    ]
    table = np.array([row[:3] for row in rows], dtype=np.intp).reshape(-1, 3)
    zone = np.arange(len(plan.zones))
    place = (table[:, 1, None] * len(zone) + zone) * len(sectors) + table[:, 2, None]
    return Effects(
        measure=table[:, 0].copy(),
        strength=np.array([row[3] for row in rows], dtype=float),
        place=place.ravel(),
    )


def _parks(plan: Plan, base: Base) -> Parks:
    zones, sectors = plan.zone_ids(), plan.sector_ids()
    focus = np.zeros((len(plan.parks), len(sectors)))
    capacity = np.array([park.capacity.value for park in plan.parks])
    for k, park in enumerate(plan.parks):
        if park.general:
            focus[k] = 0.5
            capacity[k] = np.ceil(capacity[k] * base.firms[zones.index(park.zone)].sum())
        focus[k, [sectors.index(sector) for sector in park.focus]] = 1.0
    zone = np.array([zones.index(park.zone) for park in plan.parks], dtype=np.intp)
    return Parks(
        zone=zone,
        focus=focus,
        capacity=np.floor(capacity),
        platforms=np.array([int(park.platforms.value) for park in plan.parks], dtype=np.intp),
        opens=np.array(
            [
                max(0, months.between(plan.start, park.opens)) if park.opens else 0
                for park in plan.parks
            ],
            dtype=np.intp,
        ),
        general=np.array([park.general for park in plan.parks]),
    )


def _department_capacity(scenario: Scenario, plan: Plan) -> tuple[Floats, Floats]:
    ids = [department.id for department in plan.departments]
    staffed = np.array([department.capacity.value for department in plan.departments])
    level = np.ones((plan.horizon + 1, len(ids)))
    for setting in scenario.levers:
        if setting.lever == Lever.DEPARTMENT_CAPACITY:
            for name in setting.departments or ids:
                column = ids.index(name)
                level[:, column] = _set(setting, plan, level[:, column], setting.value)
    return level * staffed, (level - 1.0) * staffed


def _lever_paths(
    scenario: Scenario, economy: Economy, plan: Plan, firm_share: Floats
) -> tuple[dict[Lever, Floats], dict[Lever, Floats]]:
    """Each lever's value by month and zone (T + 1, Z), and its baseline by zone (Z,)."""
    zones = plan.zone_ids()
    paths: dict[Lever, Floats] = {}
    baseline: dict[Lever, Floats] = {}
    for lever in Lever:
        rule = economy.levers[lever]
        baseline[lever] = _baseline(rule, zones, firm_share)
        paths[lever] = np.tile(baseline[lever], (plan.horizon + 1, 1))
    for setting in scenario.levers:
        lever = Lever(setting.lever)
        rows = [zones.index(z) for z in setting.zones or zones]
        parts = np.ones(len(rows))
        if economy.levers[lever].spread == "by_firms":
            parts = _parts(firm_share[rows])
        for row, part in zip(rows, parts, strict=True):
            paths[lever][:, row] = _set(setting, plan, paths[lever][:, row], setting.value * part)
    return paths, baseline


def _baseline(rule: LeverRule, zones: list[str], firm_share: Floats) -> Floats:
    """A lever's baseline by zone; of a lever split by firms, 'elsewhere' is a sum to be split."""
    values = np.array([rule.baseline[z].value if z in rule.baseline else 0.0 for z in zones])
    others = [n for n, zone in enumerate(zones) if zone not in rule.baseline]
    if others:
        parts = np.ones(len(others))
        if rule.spread == "by_firms":
            parts = _parts(firm_share[others])
        values[others] = rule.baseline[ELSEWHERE].value * parts
    return values


def _funding(
    scenario: Scenario, plan: Plan, base: Base, firm_share: Floats, baseline: Floats
) -> Floats:
    """Scenario funding by month, zone and sector: split over the adopting firms of a zone."""
    zones, sectors = plan.zone_ids(), plan.sector_ids()
    adopters = base.firms * base.adopts
    funding = np.zeros((plan.horizon + 1, len(zones), len(sectors)))
    for z in range(len(zones)):
        funding[:, z] = baseline[z] * _parts(adopters[z].astype(float), empty=0.0)
    for setting in scenario.levers:
        if setting.lever != Lever.SCENARIO_FUNDING:
            continue
        rows = [zones.index(z) for z in setting.zones or zones]
        for row, part in zip(rows, _parts(firm_share[rows]), strict=True):
            chosen = [sectors.index(s) for s in setting.sectors or sectors]
            weights = np.zeros(len(sectors))
            weights[chosen] = adopters[row, chosen]
            split = _parts(weights, empty=0.0)
            for column in chosen if setting.sectors else range(len(sectors)):
                funding[:, row, column] = _set(
                    setting, plan, funding[:, row, column], setting.value * part * split[column]
                )
    return funding


def _parts(weights: Floats, empty: float | None = None) -> Floats:
    """Weights scaled to sum to one; all equal, or ``empty``, where there are none."""
    total = float(weights.sum())
    if total > 0:
        return np.asarray(weights / total)
    return np.full(len(weights), 1.0 / len(weights) if empty is None else empty)


def _set(setting: LeverSetting, plan: Plan, old: Floats, value: float) -> Floats:
    """A lever's path with one setting on it: a linear ramp to the value, and back after its end."""
    first = months.between(plan.start, setting.start) if setting.start else 1
    last = months.between(plan.start, setting.end) if setting.end else plan.horizon
    month = np.arange(plan.horizon + 1)
    weight = np.clip((month - first + 1) / (setting.ramp + 1), 0.0, 1.0)
    weight[month > last] = 0.0
    return np.asarray(old + weight * (value - old))


def _shocks(scenario: Scenario, plan: Plan) -> Shocks:
    zones, sectors = plan.zone_ids(), plan.sector_ids()
    count = len(scenario.shocks)
    path = np.zeros((count, plan.horizon + 1))
    hits = np.zeros((count, len(zones), len(sectors)), dtype=bool)
    month = np.arange(plan.horizon + 1)
    for j, shock in enumerate(scenario.shocks):
        first = months.between(plan.start, shock.start)
        fall = np.clip((month - first + 1) / shock.length, 0.0, 1.0)
        back = np.clip((month - first + 1 - shock.length) / shock.recovery_months, 0.0, 1.0)
        path[j] = fall - shock.recovery * back
        rows = [zones.index(z) for z in shock.zones or zones]
        columns = [sectors.index(s) for s in shock.sectors or sectors]
        hits[j][np.ix_(rows, columns)] = True
    return Shocks(
        path=path,
        hits=hits,
        size=np.array([shock.size for shock in scenario.shocks]),
        size_sd=np.array([shock.size_sd for shock in scenario.shocks]),
        ids=tuple(shock.id for shock in scenario.shocks),
    )
