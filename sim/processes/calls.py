"""Process 9: firms post calls for application projects (揭榜挂帅), suppliers carry them out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

import numpy as np

from sim.blueprint import Blueprint, Bools, Floats, Ints
from sim.economy import Lever
from sim.firms import Column, Firms
from sim.kernels import kernel
from sim.parameters import BY_SECTOR
from sim.plan import Driver

if TYPE_CHECKING:
    from sim.model import District


class CallsParameters(NamedTuple):
    peer_effect: float  # log change of the hazard at mean AI share 1 of the cell's firms
    demand_effect: float  # log change of the hazard at full demand
    take_up: float  # κ: funded calls a month that an adopter half-way to maturity takes up at most
    deadweight: float  # share of funded calls that would have been posted anyway
    crowding_out: float  # share of own calls that give way where all calls are funded
    bidders: float  # firms that bid for a call
    capability_weight: float  # a: weight of a supplier's capability in its selection
    staff_per_project: float  # supplier's staff needed for one project
    shortest: float  # months
    longest: float  # months
    failure: float  # chance that the weakest supplier's project fails
    learning: float  # share of the gap to the frontier that a done project closes for its supplier
    maturity_gain: float  # share of the gap to full maturity that a project closes
    ai_gain: float  # share of the gap to a full AI share that a project closes
    project_value: float  # 亿元 paid to the supplier
    follow_on: float  # share of that revenue that stays after the project
    hazard: Annotated[Floats, BY_SECTOR]  # calls a year of a firm half-way to maturity
    typical: Annotated[Floats, BY_SECTOR]  # chance that a done project is a typical scenario
    model_chance: Annotated[Floats, BY_SECTOR]  # that a reuse of a kind yields its AI model


ROOM = 1024  # projects under way that find a place at first


class Projects:
    """Projects under way in columns, and which kinds have been done where."""

    def __init__(self, blueprint: Blueprint) -> None:
        # adopter, supplier, kind, last month, and whether it counts as one of the plan
        self.table = np.zeros((5, ROOM), dtype=np.intp)
        self.luck = np.zeros(ROOM)  # of each one's outcome
        self.count = 0
        kinds = int(blueprint.base.project_kinds.max(initial=0))
        self.first_adopter = np.full((blueprint.shape[1], kinds), -1, dtype=np.intp)
        self.is_model = np.zeros((blueprint.shape[1], kinds), dtype=bool)

    @property
    def adopter(self) -> Ints:
        return self.table[0, : self.count]

    @property
    def supplier(self) -> Ints:
        return self.table[1, : self.count]

    @property
    def kind(self) -> Ints:
        return self.table[2, : self.count]

    @property
    def end(self) -> Ints:
        return self.table[3, : self.count]

    def make_room(self, more: int) -> None:
        """See that so many projects more find a place."""
        if (short := self.count + more - len(self.luck)) > 0:
            short = max(short, len(self.luck))
            self.table = np.pad(self.table, ((0, 0), (0, short)))
            self.luck = np.pad(self.luck, (0, short))


def step(model: District) -> None:
    """Projects that end this month are judged; then new calls are posted and matched."""
    finish(model)
    post(model)


def post(model: District) -> None:
    """Adopters post at h_s·4M(1−M)·exp(peers + demand), and funded calls come on top.

    Funding offers funding/grant calls a year, spread over a cell's adopters by their readiness
    4M(1−M); of n offered to one of them in a month κ·(1 − exp(−n/κ)) are taken up, since only so
    many can start at once. Of the grants a share goes to calls that would have been posted anyway,
    and where calls are funded some own ones give way. A matched call's grant is booked with the
    odds that it had one; what is not taken up is not spent.

    In month 0 the projects are made that run at the start. A firm that posts at the rate h when
    free has one with chance hL/(1 + hL), L their mean length; long ones are met more often, and at
    any of their months. What they pay is in the base year's revenue.
    """
    blueprint, firms, p = model.blueprint, model.columns, model.parameters.calls
    projects, zones = model.projects, model.zones
    grant = blueprint.lever_strength[Lever.SCENARIO_FUNDING]
    adopter, odds = called(
        p,
        model.draws.uniform("call", model.month, len(firms)),
        firms.cell,
        firms.maturity,
        firms.alive,
        firms.adopts,
        firms.adopting,
        zones.firms,
        zones.ai_adoption,
        model.drivers.cell(Driver.DEMAND),
        blueprint.funding[model.month],
        grant,
        model.month == 0,
    )
    if not len(adopter):
        return
    bids = 2 * int(p.bidders)
    detail = model.draws.of_slots("project", model.month, adopter, 3 + 2 * bids)
    projects.make_room(len(adopter))
    spent = np.zeros(blueprint.shape[0])
    projects.count = begin(
        firms.visible,
        p,
        adopter,
        firms.supplies.nonzero()[0],
        detail,
        projects.table,
        projects.luck,
        projects.count,
        blueprint.base.project_kinds,
        model.month,
        model.month > 0 or blueprint.plan.counts_projects_under_way,
        odds,
        spent,
    )
    if not model.month:
        return
    unit_cost = blueprint.lever_cost[Lever.SCENARIO_FUNDING]
    model.spending.add(Lever.SCENARIO_FUNDING, spent * grant * unit_cost)


@kernel
def called(
    p: CallsParameters,
    luck: Column,
    cell: Ints,
    maturity: Column,
    alive: Column,
    adopts: Bools,
    adopting: Bools,
    firms: Floats,
    ai_adoption: Floats,
    demand: Floats,
    funding: Floats,
    grant: float,
    before: bool,
) -> tuple[Ints, Floats]:
    """The firms that post a call (calls,), or that have a project ``before`` the start; and the
    odds that a call had a grant (Z, S)."""
    ready, total = readiness(cell, maturity, alive, adopts, adopting, firms.size)
    rate, odds = np.empty(firms.size, luck.dtype), np.empty(firms.shape)
    for z in range(firms.shape[0]):
        for s in range(firms.shape[1]):
            # peers: the mean AI share of the cell's firms
            peers = ai_adoption[z, s] / max(firms[z, s], 1.0)
            push = p.peer_effect * peers + p.demand_effect * demand[z, s]
            own, funded = p.hazard[s] / 12.0 * np.exp(push), 0.0
            ready_here = total[z * firms.shape[1] + s]
            if ready_here > 0.0:
                offered = funding[z, s] / grant / 12.0 / ready_here
                funded = p.take_up * (1.0 - np.exp(-offered / p.take_up))
            added = funded * (1.0 - p.deadweight)
            own *= 1.0 - p.crowding_out * added / max(own + added, 1e-300)
            rate[z * firms.shape[1] + s] = own + added
            odds[z, s] = min(funded / max(own + added, 1e-300), 1.0)
    length = (p.shortest + p.longest) / 2.0 if before else 0.0
    return callers(luck, rate, cell, ready, length), odds


@kernel
def readiness(
    cell: Ints, maturity: Column, alive: Column, adopts: Bools, adopting: Bools, cells: int
) -> tuple[Column, Floats]:
    """How ready each firm is for a project of its own, 4M(1−M) (visible,), and sums by cell."""
    one, four = alive.dtype.type(1.0), alive.dtype.type(4.0)
    ready, total = np.empty_like(alive), np.zeros(cells)
    for i in range(len(ready)):
        ready[i] = four * maturity[i] * (one - maturity[i]) * alive[i]
    for i in range(len(ready)):
        ready[i] *= adopts[i] & ~adopting[i]
    for i in range(len(ready)):
        total[cell[i]] += ready[i]
    return ready, total


@kernel
def callers(luck: Column, rate: Column, cell: Ints, ready: Column, length: float) -> Ints:
    """The firms that post a call, by luck (visible,) and the cells' rate at full readiness; or
    those that have a project already, of a mean ``length`` in months."""
    hazard, who, count = np.empty_like(ready), np.empty(len(luck), np.intp), 0
    for i in range(len(luck)):
        hazard[i] = rate[cell[i]] * ready[i]
    for i in range(len(luck)):
        if length > 0.0:
            chance = hazard[i] * length / (1.0 + hazard[i] * length)
        elif luck[i] <= hazard[i]:  # a chance is never above its hazard
            chance = -np.expm1(-hazard[i])
        else:
            chance = 0.0
        if luck[i] < chance:
            who[count] = i
            count += 1
    return who[:count].copy()


@kernel
def award(
    firms: Firms,
    p: CallsParameters,
    adopter: Ints,
    candidates: Ints,
    luck: Floats,
) -> Ints:
    """The supplier of each call (calls,), −1 where no bidder has capacity to spare.

    Firms of the supplying sectors are drawn by slot (from the fourth of a call's ``luck`` on,
    uniform, as many as there are draws for the choice), and the first few of them that are active
    bid. Among the bidders the choice is a conditional logit with weight C^a·spare, by Gumbel
    draws; ln weight + draw is compared by its exponential.
    """
    supplier = np.empty(len(adopter), np.intp)
    asked = (luck.shape[1] - 3) // 2 if len(candidates) else 0
    for call in range(len(adopter)):
        supplier[call] = -1
        bids, best = 0.0, 0.0
        for n in range(asked):
            bidder = candidates[int(luck[call, 3 + n] * len(candidates))]
            if firms.alive[bidder] == 0.0:
                continue
            bids += 1.0
            if bids > p.bidders:
                break
            capacity = np.floor(firms.staff[bidder] / p.staff_per_project)
            spare = 1.0 - firms.projects[bidder] / max(capacity, 1.0)
            if capacity < 1.0 or spare <= 0.0:
                continue
            skill = p.capability_weight * np.log(max(firms.capability[bidder], 1e-9))
            score = np.exp(skill) * spare / -np.log(max(luck[call, 3 + asked + n], 1e-12))
            if score > best:
                best, supplier[call] = score, bidder
    return supplier


@kernel
def begin(
    firms: Firms,
    p: CallsParameters,
    adopter: Ints,
    candidates: Ints,
    luck: Floats,
    table: Ints,
    own_luck: Floats,
    count: int,
    kinds: Ints,
    month: int,
    counts: bool,
    odds: Floats,
    funded: Floats,
) -> int:
    """Matched calls become projects, behind the ``count`` that are under way; gives their number.

    ``odds`` (Z, S) that a call had a grant are added to ``funded`` (Z,). In month 0 a project is
    at any month of a length that is drawn in proportion to itself.
    """
    supplier = award(firms, p, adopter, candidates, luck)
    first, beyond = p.shortest, p.longest + 1.0
    taken = np.zeros(len(firms.alive), np.intp)
    for call in range(len(adopter)):
        a, b = adopter[call], supplier[call]
        if b < 0:
            continue
        taken[b] += 1
        if month == 0:
            length = np.sqrt(first**2 + luck[call, 0] * (beyond**2 - first**2))
            last = 1 + int(luck[call, 2] * np.floor(length))
        else:
            length = first + luck[call, 0] * (beyond - first)
            last = month + int(length)
        table[0, count] = a
        table[1, count] = b
        table[2, count] = int(length % 1.0 * kinds[firms.sector[a]])
        table[3, count] = last
        table[4, count] = counts
        own_luck[count] = luck[call, 1]
        count += 1
        firms.adopting[a] = True
        funded[firms.zone[a]] += odds[firms.zone[a], firms.sector[a]]
    for b in supplier:
        if b >= 0 and taken[b] > 0:
            firms.projects[b] += taken[b]
            if month > 0:
                firms.one_off[b] += project_growth(p, firms.log_revenue[b], taken[b])
            taken[b] = 0
    return count


@kernel
def project_growth(p: CallsParameters, log_revenue: float, number: int) -> float:
    """Log rise of a supplier's revenue by projects, each spread over its mean length."""
    monthly = 2.0 * p.project_value / (p.shortest + p.longest)
    growth: float = np.log1p(number * monthly * np.exp(-log_revenue))
    return growth


def finish(model: District) -> None:
    """A project fails with chance f·(1−C) of its supplier; done, it is a typical scenario with
    chance q_s, raises the adopter's maturity and AI share, and may make its kind a model.

    Each reuse of a kind in another firm yields its AI model with a stated chance, until it has one.
    A project whose supplier has closed fails.
    """
    zones, projects = model.zones, model.projects
    projects.count = end(
        model.columns.visible,
        model.parameters.calls,
        projects.table,
        projects.luck,
        projects.count,
        model.month,
        projects.first_adopter,
        projects.is_model,
        zones.scenarios,
        zones.models,
    )


@kernel
def end(
    firms: Firms,
    p: CallsParameters,
    table: Ints,
    luck: Floats,
    count: int,
    month: int,
    first_adopter: Ints,
    is_model: Bools,
    scenarios: Floats,
    models: Floats,
) -> int:
    """End what is due of the ``count`` projects; gives the number of those that go on."""
    going, done = sort_out(table, luck, count, month)
    if done == 0:
        return going
    ended, own_luck = table[:, going : going + done], luck[going : going + done]
    leave(firms, p, ended)
    judge(firms, p, ended, own_luck, first_adopter, is_model, scenarios, models)
    return going


@kernel
def sort_out(table: Ints, luck: Floats, count: int, month: int) -> tuple[int, int]:
    """Put the projects that end by this month behind the others; gives the numbers of both."""
    going, done = 0, 0
    for n in range(count):
        going += table[3, n] > month
    if going == count:
        return going, done
    old, old_luck = np.empty((5, count), np.intp), np.empty(count)
    for n in range(count):
        for row in range(5):
            old[row, n] = table[row, n]
        old_luck[n] = luck[n]
    for n in range(count):
        if old[3, n] > month:
            place = n - done
        else:
            place = going + done
            done += 1
        for row in range(5):
            table[row, place] = old[row, n]
        luck[place] = old_luck[n]
    return going, done


@kernel
def leave(firms: Firms, p: CallsParameters, ended: Ints) -> None:
    """Adopters and suppliers of ended projects (5, projects) are free again; what the projects
    cost and paid ends, but for what follows on."""
    taken = np.zeros(len(firms.alive), np.intp)
    for n in range(ended.shape[1]):
        a = ended[0, n]
        taken[ended[1, n]] += 1
        firms.adopting[a] = False
    for b in ended[1]:
        if taken[b] > 0:
            firms.projects[b] = max(firms.projects[b] - taken[b], 0.0)
            if firms.alive[b] > 0.0:
                paid = project_growth(p, firms.log_revenue[b], taken[b])
                firms.one_off[b] -= (1.0 - p.follow_on) * paid
            taken[b] = 0


@kernel
def judge(
    firms: Firms,
    p: CallsParameters,
    ended: Ints,
    luck: Floats,
    first_adopter: Ints,
    is_model: Bools,
    scenarios: Floats,
    models: Floats,
) -> None:
    """What ended projects (5, projects) leave behind; one draw of each decides on all of it."""
    for n in range(ended.shape[1]):
        adopter, supplier, kind = ended[0, n], ended[1, n], ended[2, n]
        if firms.alive[adopter] == 0.0 or firms.alive[supplier] == 0.0:
            continue
        fails = p.failure * (1.0 - firms.capability[supplier])
        if luck[n] < fails:
            continue
        rest = (luck[n] - fails) / (1.0 - fails)
        firms.capability[supplier] += p.learning * (1.0 - firms.capability[supplier])
        firms.maturity[adopter] += p.maturity_gain * (1.0 - firms.maturity[adopter])
        if not firms.is_ai[adopter]:
            firms.ai_share[adopter] += p.ai_gain * (1.0 - firms.ai_share[adopter])
        z, s = firms.zone[adopter], firms.sector[adopter]
        if rest >= p.typical[s] or ended[4, n] == 0:
            continue
        scenarios[z, s] += 1.0
        first = first_adopter[s, kind]
        if first < 0:
            first_adopter[s, kind] = adopter
        elif first != adopter and rest / max(p.typical[s], 1e-9) < p.model_chance[s]:
            models[z, s] += not is_model[s, kind]
            is_model[s, kind] = True
