"""Process 9: firms post calls for application projects (揭榜挂帅), suppliers carry them out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from sim.blueprint import Blueprint, Bools, Floats, Ints
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
    take_up: float  # κ: funded calls a month that an adopter half-way to maturity takes up at most
    bidders: float  # firms that bid for a call
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
    model_chance: Floats = field(metadata=BY_SECTOR)  # that a reuse of a kind yields its AI model


class Projects:
    """Projects under way in columns, and which kinds have been done where."""

    def __init__(self, blueprint: Blueprint) -> None:
        self._place(np.zeros((4, 0), dtype=np.intp), np.zeros(0))
        kinds = int(blueprint.base.project_kinds.max(initial=0))
        self.first_adopter = np.full((blueprint.shape[1], kinds), -1, dtype=np.intp)
        self.is_model = np.zeros((blueprint.shape[1], kinds), dtype=bool)

    def add(self, adopter: Ints, supplier: Ints, kind: Ints, end: Ints, luck: Floats) -> None:
        new = np.stack([adopter, supplier, kind, end])
        self._place(np.concatenate([self._table, new], 1), np.concatenate([self.luck, luck]))

    def take(self, chosen: Bools) -> dict[str, Column]:
        """Remove the chosen projects and give them back."""
        done, others = chosen.nonzero()[0], (~chosen).nonzero()[0]
        adopter, supplier, kind, _ = self._table.take(done, axis=1)
        rows = {"adopter": adopter, "supplier": supplier, "kind": kind, "luck": self.luck[done]}
        self._place(self._table.take(others, axis=1), self.luck[others])
        return rows

    def _place(self, table: Ints, luck: Floats) -> None:
        """All projects under way: whole numbers (4, projects) and luck (projects,)."""
        self._table, self.luck = table, luck
        self.adopter, self.supplier, self.kind, self.end = table


def step(model: District) -> None:
    """Projects that end this month are judged; then new calls are posted and matched."""
    finish(model)
    post(model)


def post(model: District) -> None:
    """Adopters post at h_s·4M(1−M)·exp(peers + demand), and funded calls come on top.

    Funding offers funding/grant calls a year, spread over a cell's adopters by their readiness
    4M(1−M); of n offered to one of them in a month κ·(1 − exp(−n/κ)) are taken up, since only so
    many can start at once. A matched call's grant is booked with the odds that it was a funded
    one; what is not taken up is not spent.
    """
    blueprint, firms, p = model.blueprint, model.columns, model.parameters.calls
    base, shape = blueprint.base, blueprint.shape
    ready = firms.maturity * (1.0 - firms.maturity)
    ready *= 4.0
    ready *= firms.alive
    ready *= firms.adopts & ~firms.adopting
    total_ready = firms.sum_by_cell(ready, shape)

    # peers: the mean AI share of the cell's firms
    peers = model.zones.ai_adoption / np.maximum(model.zones.firms, 1.0)
    push = p.peer_effect * peers + p.demand_effect * model.drivers.cell(Driver.DEMAND)
    own = p.hazard / 12.0 * np.exp(push)
    grant = blueprint.lever_strength[Lever.SCENARIO_FUNDING]
    offered = blueprint.funding[model.month] / grant / 12.0
    per_ready = np.divide(offered, total_ready, out=np.zeros(shape), where=total_ready > 0)
    funded = p.take_up * (1.0 - np.exp(-per_ready / p.take_up))
    luck = model.draws.uniform("call", model.month, len(firms))
    adopter, _ = firms.struck(luck, firms.by_cell(own + funded) * ready)
    if not len(adopter):
        return
    seen = 2 * int(p.bidders)
    detail = model.draws.of_slots("project", model.month, adopter, 2 + 2 * seen)
    supplier = award(model, p, adopter, detail[:, 2 : 2 + seen], detail[:, 2 + seen :])
    matched = supplier >= 0
    adopter, supplier, detail = adopter[matched], supplier[matched], detail[matched]

    span = p.longest - p.shortest + 1.0
    length = detail[:, 0] * span
    kinds = base.project_kinds[firms.sector[adopter]]
    model.projects.add(
        adopter=adopter,
        supplier=supplier,
        kind=(length % 1.0 * kinds).astype(np.intp),
        end=model.month + (p.shortest + length).astype(np.intp),
        luck=detail[:, 1],
    )
    firms.adopting[adopter] = True
    firms.one_off[adopter] -= p.adopter_cost
    # a supplier of several is written to several times, each time the same
    number = np.bincount(supplier)[supplier]
    firms.projects[supplier] += number
    firms.one_off[supplier] += project_growth(p, firms.log_revenue[supplier], number)

    cell = firms.cell[adopter]
    odds = np.divide(funded, own + funded, out=np.zeros(shape), where=own + funded > 0).ravel()
    spent = np.bincount(cell, grant * odds[cell], shape[0] * shape[1]).reshape(shape).sum(axis=1)
    unit_cost = blueprint.lever_cost[Lever.SCENARIO_FUNDING]
    model.spending.add(Lever.SCENARIO_FUNDING, spent * unit_cost)


def award(model: District, p: CallsParameters, adopter: Ints, bid: Floats, luck: Floats) -> Ints:
    """The supplier of each call, −1 where no bidder has capacity to spare.

    Firms of the supplying sectors are drawn by slot (``bid``, uniform, (calls, 2 × bidders)), and
    the first few of them that are active bid. Among the bidders the choice is a conditional logit
    with weight C^a·exp(−d/ℓ)·spare, by Gumbel draws (from ``luck``, uniform); ln weight + draw is
    compared by its exponential.
    """
    blueprint, firms = model.blueprint, model.columns
    candidates = firms.supplies.nonzero()[0]
    if not len(candidates):
        return np.full(len(adopter), -1, dtype=np.intp)
    bidder = candidates[(bid * len(candidates)).astype(np.intp)]
    alive = firms.alive[bidder] > 0
    bids = alive & (np.cumsum(alive, axis=1) <= p.bidders)
    capacity = np.floor(firms.staff[bidder] / p.staff_per_project)
    spare = np.maximum(1.0 - firms.projects[bidder] / np.maximum(capacity, 1.0), 0.0)
    away = blueprint.distance[firms.zone[adopter][:, None], firms.zone[bidder]]
    able = bids & (capacity >= 1.0) & (spare > 0)
    skill = p.capability_weight * np.log(np.maximum(firms.capability[bidder], 1e-9))
    weight = np.exp(skill - away / p.supplier_reach) * spare * able
    best = (weight / -np.log(np.maximum(luck, 1e-12))).argmax(axis=1)
    rows = np.arange(len(adopter))
    return np.where(able[rows, best], bidder[rows, best], -1)


def project_growth(p: CallsParameters, log_revenue: Column, number: Column) -> Column:
    """Log rise of suppliers' revenue by a number of projects, each spread over its mean length."""
    monthly = 2.0 * p.project_value / (p.shortest + p.longest)
    return np.asarray(np.log1p(number * monthly * np.exp(-log_revenue)))


def finish(model: District) -> None:
    """A project fails with chance f·(1−C) of its supplier; done, it is a typical scenario with
    chance q_s, raises the adopter's maturity and AI share, and may make its kind a model.

    Each reuse of a kind in another firm yields its AI model with a stated chance, until it has one.
    A project whose supplier has closed fails.
    """
    firms, zones, p = model.columns, model.zones, model.parameters.calls
    ending = model.projects.end <= model.month
    if not ending.any():
        return
    done = model.projects.take(ending)
    adopter, supplier = done["adopter"], done["supplier"]
    number = np.bincount(supplier)[supplier]  # as in ``post``
    firms.projects[supplier] = np.maximum(firms.projects[supplier] - number, 0.0)
    firms.adopting[adopter] = False
    lost = (1.0 - p.follow_on) * project_growth(p, firms.log_revenue[supplier], number)
    firms.one_off[supplier] -= lost * firms.alive[supplier]
    still = firms.alive[adopter] > 0
    firms.one_off[adopter[still]] += p.adopter_cost

    failure = p.failure * (1.0 - firms.capability[supplier])
    good = still & (firms.alive[supplier] > 0) & (done["luck"] >= failure)
    adopter, kind = adopter[good], done["kind"][good]
    luck = (done["luck"][good] - failure[good]) / (1.0 - failure[good])
    firms.maturity[adopter] += p.maturity_gain * (1.0 - firms.maturity[adopter])
    own = adopter[~firms.is_ai[adopter]]
    firms.ai_share[own] += p.ai_gain * (1.0 - firms.ai_share[own])

    sector, zone = firms.sector[adopter], firms.zone[adopter]
    typical = luck < p.typical[sector]
    np.add.at(zones.scenarios.ravel(), firms.cell[adopter[typical]], 1.0)
    own_luck = luck / np.maximum(p.typical[sector], 1e-9)
    for i in typical.nonzero()[0].tolist():
        s, k = sector[i], kind[i]
        first = model.projects.first_adopter[s, k]
        if first < 0:
            model.projects.first_adopter[s, k] = adopter[i]
        elif first != adopter[i] and own_luck[i] < p.model_chance[s]:
            zones.models[zone[i], s] += not model.projects.is_model[s, k]
            model.projects.is_model[s, k] = True
