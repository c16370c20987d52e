"""Process 9: firms post calls for application projects (揭榜挂帅), suppliers carry them out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from sim.blueprint import Blueprint, Floats, Ints
from sim.economy import Lever
from sim.firms import Column
from sim.parameters import BY_SECTOR
from sim.plan import Driver

if TYPE_CHECKING:
    from sim.model import District


@dataclass(frozen=True)
class CallsParameters:
    peer_effect: float  # log change of the hazard at mean AI share 1 of the cell's firms
    demand_effect: float  # log change of the hazard at full demand
    capability_weight: float  # a: weight of a supplier's capability in its selection
    supplier_reach: float  # km over which a supplier's appeal falls by e
    staff_per_project: float  # supplier's staff needed for one project
    shortest: float  # months
    longest: float  # months
    failure: float  # chance that the weakest supplier's project fails
    maturity_gain: float  # share of the gap to full maturity that a project closes
    ai_gain: float  # share of the gap to a full AI share that a project closes
    project_value: float  # 亿元 paid to the supplier
    follow_on: float  # share of that revenue that stays after the project
    adopter_cost: float  # log revenue that a running project costs the adopter
    hazard: Floats = field(metadata=BY_SECTOR)  # calls a year of a firm half-way to maturity
    typical: Floats = field(metadata=BY_SECTOR)  # chance that a done project is a typical scenario
    model_chance: Floats = field(metadata=BY_SECTOR)  # that a reuse of a kind yields an AI model


class Projects:
    """Projects under way in columns, and which kinds have been done where."""

    def __init__(self, blueprint: Blueprint) -> None:
        self.adopter = np.zeros(0, dtype=np.intp)
        self.supplier = np.zeros(0, dtype=np.intp)
        self.kind = np.zeros(0, dtype=np.intp)
        self.end = np.zeros(0, dtype=np.intp)
        self.luck = np.zeros(0)
        kinds = int(blueprint.base.project_kinds.max(initial=0))
        self.first_adopter = np.full((blueprint.shape[1], kinds), -1, dtype=np.intp)
        self.is_model = np.zeros((blueprint.shape[1], kinds), dtype=bool)

    def add(self, **rows: Column) -> None:
        for name, values in rows.items():
            setattr(self, name, np.concatenate([getattr(self, name), values]))

    def take(self, chosen: Column) -> dict[str, Column]:
        """Remove the chosen rows and give them back."""
        rows = {}
        for name in ("adopter", "supplier", "kind", "end", "luck"):
            column = getattr(self, name)
            rows[name] = column[chosen]
            setattr(self, name, column[~chosen])
        return rows


def step(model: District) -> None:
    """Projects that end this month are judged; then new calls are posted and matched."""
    finish(model)
    post(model)


def post(model: District) -> None:
    """Adopters post at h_s·4M(1−M)·exp(peers + demand) + funded calls; a supplier is chosen with
    weight C^a·exp(−d/ℓ)·spare capacity.

    Funding pays funding/grant calls a year, spread over a cell's adopters by their readiness
    4M(1−M). The grant of a matched call is booked with the odds that it was a funded one. One
    uniform draw u decides on posting (u < p), and u/p then chooses the supplier.
    """
    blueprint, firms, p = model.blueprint, model.columns, model.parameters.calls
    base, shape = blueprint.base, blueprint.shape
    ready = firms.maturity * (1.0 - firms.maturity)
    ready *= 4.0
    ready *= firms.alive
    ready *= firms.by_sector(base.adopts)
    ready[firms.adopting] = 0.0
    total_ready = firms.sum_by_cell(ready, shape)

    # peers: the mean AI share of the cell's firms
    count = np.maximum(firms.sum_by_cell(firms.alive, shape), 1.0)
    peers = firms.sum_by_cell(firms.ai_share * firms.alive, shape) / count
    push = p.peer_effect * peers + p.demand_effect * model.drivers.cell(Driver.DEMAND)
    own = p.hazard / 12.0 * np.exp(push)
    grant = blueprint.lever_strength[Lever.SCENARIO_FUNDING]
    calls = blueprint.funding[model.month] / grant / 12.0
    funded = np.divide(calls, total_ready, out=np.zeros(shape), where=total_ready > 0)
    chance = firms.by_cell(own + funded)
    chance *= ready
    np.negative(chance, out=chance)
    np.expm1(chance, out=chance)
    np.negative(chance, out=chance)

    luck = model.draws.uniform("call", model.month, len(firms))
    adopter = np.flatnonzero(luck < chance)
    detail = model.draws.uniform("project", model.month, (len(firms), 2))[adopter].astype(float)
    if not len(adopter):
        return
    choice = (luck[adopter] + 2.0**-25) / chance[adopter]
    supplier = choose_suppliers(model, p, firms.zone[adopter], choice)
    matched = supplier >= 0
    adopter, supplier, detail = adopter[matched], supplier[matched], detail[matched]

    span = p.longest - p.shortest + 1.0
    length = detail[:, 0] * span
    kinds = base.project_kinds[firms.sector[adopter]]
    model.projects.add(
        adopter=adopter,
        supplier=supplier,
        kind=np.floor(length % 1.0 * kinds).astype(np.intp),
        end=model.month + np.floor(p.shortest + length).astype(np.intp),
        luck=detail[:, 1],
    )
    firms.adopting[adopter] = True
    firms.jump[adopter] -= p.adopter_cost
    np.add.at(firms.projects, supplier, 1.0)
    np.add.at(firms.jump, supplier, project_jump(p, firms.log_revenue[supplier]))

    cell = firms.cell[adopter]
    odds = np.divide(funded, own + funded, out=np.zeros(shape), where=own + funded > 0).ravel()
    spent = np.bincount(cell, grant * odds[cell], shape[0] * shape[1]).reshape(shape).sum(axis=1)
    unit_cost = blueprint.lever_cost[Lever.SCENARIO_FUNDING]
    model.spending.add(Lever.SCENARIO_FUNDING, spent * unit_cost)


def choose_suppliers(model: District, p: CallsParameters, zone: Ints, choice: Column) -> Ints:
    """A supplier for each call, −1 where none has capacity to spare; one firm at most one call.

    ``choice`` in (0, 1] picks the zone and then the firm from the cumulated weights.
    """
    blueprint, firms = model.blueprint, model.columns
    candidates = np.flatnonzero(blueprint.base.supplies[firms.sector] & (firms.alive > 0))
    order = np.argsort(firms.zone[candidates], kind="stable")
    candidates = candidates[order]
    capacity = np.maximum(np.floor(firms.staff[candidates] / p.staff_per_project), 1.0)
    spare = np.maximum(1.0 - firms.projects[candidates] / capacity, 0.0)
    weight = firms.capability[candidates].astype(float) ** p.capability_weight * spare
    zones = blueprint.shape[0]
    where = firms.zone[candidates]
    in_zone = np.bincount(where, weight, zones)
    cumulated = np.cumsum(weight)
    first = np.cumsum(in_zone) - in_zone

    appeal = np.exp(-blueprint.distance / p.supplier_reach) * in_zone
    reach = np.cumsum(appeal, axis=1)[zone]
    total = reach[:, -1]
    goal = np.minimum(choice, 1.0 - 1e-9) * total
    chosen = np.minimum((reach <= goal[:, None]).sum(axis=1), zones - 1)
    before = np.where(chosen > 0, reach[np.arange(len(zone)), chosen - 1], 0.0)
    width = np.maximum(reach[np.arange(len(zone)), chosen] - before, 1e-300)
    point = first[chosen] + (goal - before) / width * in_zone[chosen]
    position = np.minimum(np.searchsorted(cumulated, point, side="right"), len(candidates) - 1)
    found = np.where(total > 0, position, -1)
    supplier = np.where(found >= 0, candidates[found] if len(candidates) else -1, -1)
    _, once = np.unique(supplier, return_index=True)
    single = np.full(len(supplier), -1, dtype=np.intp)
    single[once] = supplier[once]
    return single


def project_jump(p: CallsParameters, log_revenue: Column) -> Column:
    """Log rise of a supplier's revenue by a project spread over its mean length."""
    monthly = 2.0 * p.project_value / (p.shortest + p.longest)
    return np.asarray(np.log1p(monthly * np.exp(-log_revenue)))


def finish(model: District) -> None:
    """A project fails with chance f·(1−C) of its supplier; done, it is a typical scenario with
    chance q_s, raises the adopter's maturity and AI share, and may make its kind a model.

    The first reuse of a kind in another firm yields an AI model with a stated chance.
    """
    firms, zones, p = model.columns, model.zones, model.parameters.calls
    ending = model.projects.end <= model.month
    if not ending.any():
        return
    done = model.projects.take(ending)
    adopter, supplier = done["adopter"], done["supplier"]
    np.subtract.at(firms.projects, supplier, 1.0)
    np.maximum(firms.projects, 0.0, out=firms.projects)
    firms.adopting[adopter] = False
    lost = (1.0 - p.follow_on) * project_jump(p, firms.log_revenue[supplier])
    np.subtract.at(firms.jump, supplier, lost * firms.alive[supplier])
    still = firms.alive[adopter] > 0
    firms.jump[adopter[still]] += p.adopter_cost

    failure = p.failure * (1.0 - firms.capability[supplier])
    good = still & (done["luck"] >= failure)
    adopter, kind = adopter[good], done["kind"][good]
    luck = (done["luck"][good] - failure[good]) / (1.0 - failure[good])
    firms.maturity[adopter] += p.maturity_gain * (1.0 - firms.maturity[adopter])
    own = adopter[~firms.is_ai[adopter]]
    firms.ai_share[own] += p.ai_gain * (1.0 - firms.ai_share[own])

    sector, zone = firms.sector[adopter], firms.zone[adopter]
    typical = luck < p.typical[sector]
    np.add.at(zones.scenarios, (zone[typical], sector[typical]), 1.0)
    own_luck = luck / np.maximum(p.typical[sector], 1e-9)
    for i in np.flatnonzero(typical):
        s, k = sector[i], kind[i]
        first = model.projects.first_adopter[s, k]
        if first < 0:
            model.projects.first_adopter[s, k] = adopter[i]
        elif first != adopter[i] and not model.projects.is_model[s, k]:
            if own_luck[i] < p.model_chance[s]:
                model.projects.is_model[s, k] = True
                zones.models[zone[i], s] += 1.0
