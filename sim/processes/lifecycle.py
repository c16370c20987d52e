"""Process 12: founders start, firms close, and become AI firms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

import numpy as np

from sim.blueprint import Bools, Floats, Ints
from sim.firms import ACTIVE, EXITED, REFUSED, Column, Firms
from sim.kernels import kernel
from sim.parameters import BY_SECTOR
from sim.parks import Parks
from sim.plan import Driver

if TYPE_CHECKING:
    from sim.model import District


class LifecycleParameters(NamedTuple):
    acceptance: float  # chance that a potential founder starts in the base year
    service_effect: float  # log change of it at full service
    park_effect: float  # log change of it per unit of the chosen park's service above its start
    rent_effect: float  # log change of it per unit of the chosen park's rent, negative
    recruitment_effect: float  # log change of it at full recruitment
    anchor_effect: float  # further log change of it for anchors
    access_effect: float  # log change of it for foreign founders at full market access
    foreign_barrier: float  # log change of it for foreign founders in the base year
    openness_effect: float  # log change of it for foreign founders where data flow freely
    data_start_effect: float  # log change of it at full data access and data intensity
    talent_start_effect: float  # log change of it per log of newcomers drawn by policy
    cycle_effect: float  # log change of it per log point of the sector's yearly growth
    focus_utility: float  # utility of a park's focus, from none to full
    knowledge_utility: float  # of the zone's log number of firms of the sector
    talent_utility: float  # of the share of vacancies filled
    rent_utility: float  # of rent over its normal level, negative
    data_utility: float  # of data access, times the sector's data intensity
    size_utility: float  # of the log number of free places
    exit_year_1: float  # chance of closing, a year, by age
    exit_year_2: float
    exit_year_3: float
    exit_year_4_to_7: float
    exit_later: float
    exit_size_effect: float  # log change of the hazard per log of size over the sector's mean
    exit_service_effect: float  # log change of the hazard at full service, negative
    distress_effect: float  # log change of it per log point of revenue below last year's mean
    ai_threshold: float  # AI share from which a firm is an AI firm
    exit_scale: Annotated[Floats, BY_SECTOR]  # sector's hazard over the average one


def step(model: District) -> None:
    close(model)
    start(model, utilities(model))
    convert(model)


class Exits:
    """What no month changes in the log hazard of closing.

    By age in months, the last entry for all higher ages, from the profile of SAIC (2013), survival
    of domestic enterprises; and by sector (S,), for a firm whose log revenue is 0 and steady. The
    profile is of firms in and out of distress. So the mean effect of distress in a normal year is
    taken out: with x the fall below the trend, Laplace with scale w about −11/12·drift,
    E e^(δ·max(0, x)) = 1 + ½·e^(−11/12·drift/w)·(1/(1 − δw) − 1).
    """

    def __init__(
        self, firms: Firms, about_trend: Floats, drift: Floats, p: LifecycleParameters
    ) -> None:
        yearly = [p.exit_year_1, p.exit_year_2, p.exit_year_3]
        yearly += [p.exit_year_4_to_7] * 4 + [p.exit_later]
        self.by_age: Column = np.log(np.repeat(yearly, 12) / 12.0).astype(firms.precision)
        sectors = len(p.exit_scale)
        wide = np.maximum(about_trend, 1e-9)
        above = np.exp(-11.0 / 12.0 * np.maximum(drift, 0.0).take(firms.sector) / wide)
        more = 1.0 / (1.0 - np.minimum(p.distress_effect * wide, 0.9)) - 1.0
        count = np.maximum(np.bincount(firms.sector, minlength=sectors), 1)
        usual = 1.0 + np.bincount(firms.sector, 0.5 * above * more, sectors) / count
        self.by_sector = np.log(p.exit_scale) - np.log(usual)


class Fit:
    """What no month changes in what parks offer to firms of each sector (K, S)."""

    def __init__(self, parks: Parks, p: LifecycleParameters) -> None:
        self.focus = np.where(parks.takes, p.focus_utility * parks.focus, -np.inf)


def close(model: District) -> None:
    """Exit with chance 1 − exp(−h_s·age profile·exp(−b·(ln r − mean) + service + distress)).

    The mean is that of the sector's firms now, distress δ·max(0, m − ln r) with m the firm's mean
    log revenue of about the last year.
    """
    firms, zones, p = model.columns, model.zones, model.parameters.lifecycle
    closing = struck(
        model.draws.uniform("exit", model.month, len(firms)),
        firms.cell,
        firms.founded,
        firms.log_revenue,
        firms.trend,
        model.month,
        model.exits.by_age,
        model.exits.by_sector - p.exit_size_effect * model.momentum.mean_log,
        p.exit_service_effect,
        model.drivers.zone(Driver.SERVICE),
        p.exit_size_effect,
        p.distress_effect,
    )
    leave(firms.visible, closing, model.park_columns.occupied, zones.seekers, zones.exits)


@kernel
def struck(
    luck: Column,
    cell: Ints,
    founded: Ints,
    log_revenue: Column,
    trend: Column,
    month: int,
    by_age: Column,
    by_sector: Floats,
    service_effect: float,
    service: Floats,
    size_effect: float,
    distress_effect: float,
) -> Ints:
    """Slots whose luck is below 1 − exp(−e^(−x)), −x = age + sector + service + size + distress."""
    kind, oldest, sectors = by_age.dtype, len(by_age) - 1, len(by_sector)
    by_cell = np.empty(len(service) * sectors, kind)
    for c in range(len(by_cell)):
        by_cell[c] = by_sector[c % sectors] + service_effect * service[c // sectors]
    effect, distress, none = kind.type(size_effect), kind.type(distress_effect), kind.type(0.0)
    safe, near = np.empty_like(log_revenue), np.empty_like(log_revenue)
    for i in range(len(luck)):
        safe[i] = by_cell[cell[i]] + by_age[min(month - founded[i], oldest)]
    for i in range(len(luck)):
        fallen = max(trend[i] - log_revenue[i], none)
        safe[i] = -(safe[i] + effect * log_revenue[i] + distress * fallen)
    # quicker: a chance is below its hazard e^(−x), and that is below 1/(1 + x + x²/2 + …)
    one, half, third, quarter = kind.type(1.0), kind.type(0.5), kind.type(0.33), kind.type(0.25)
    for i in range(len(luck)):
        x = safe[i]
        series = one + x * (one + half * x * (one + third * x * (one + quarter * x)))
        near[i] = luck[i] * series
    who = np.empty(len(luck), np.intp)
    count = 0
    for i in range(len(luck)):
        if (near[i] <= 1.0 or safe[i] <= 0.0) and luck[i] < -np.expm1(-np.exp(-safe[i])):
            who[count] = i
            count += 1
    return who[:count].copy()


@kernel
def leave(firms: Firms, who: Ints, occupied: Floats, seekers: Floats, exits: Floats) -> None:
    """Active firms among these leave their place in the park, and their staff to look for posts."""
    for i in who:
        if firms.alive[i] == 0.0:
            continue
        exits[firms.zone[i]] += 1.0
        seekers[firms.zone[i]] += firms.staff[i]
        occupied[firms.park[i]] -= 1.0
        firms.state[i] = EXITED
        firms.alive[i] = firms.revenue[i] = firms.projects[i] = 0.0
        firms.staff[i] = firms.staffing[i] = 0.0
        firms.adopting[i] = False


def utilities(model: District) -> Floats:
    """What each park offers to a firm of each sector (K, S); −∞ where it takes none of them."""
    parks, zones = model.park_columns, model.zones
    return offers(
        model.parameters.lifecycle,
        zones.firms,
        zones.fill_rate,
        zones.data_access,
        model.blueprint.base.data_intensity,
        parks.zone,
        parks.rent,
        parks.capacity - parks.occupied,
        model.fit.focus,
    )


@kernel
def offers(
    p: LifecycleParameters,
    peers: Floats,
    fill_rate: Floats,
    data_access: Floats,
    data_intensity: Floats,
    zone: Ints,
    rent: Floats,
    room: Floats,
    focus: Floats,
) -> Floats:
    """Utilities (K, S): of the zone to a sector's firms, and of the park itself."""
    known, utility = np.empty_like(peers), np.empty_like(focus)
    for z in range(peers.shape[0]):
        for s in range(peers.shape[1]):
            known[z, s] = p.knowledge_utility * np.log1p(peers[z, s])
    for k in range(len(zone)):
        z = zone[k]
        own = p.rent_utility * rent[k] + p.size_utility * np.log(max(room[k], 1.0))
        own += p.talent_utility * fill_rate[z]
        for s in range(len(data_intensity)):
            data = p.data_utility * data_access[z] * data_intensity[s]
            utility[k, s] = own + known[z, s] + data + focus[k, s]
    return utility


def start(model: District, offer: Floats) -> None:
    """Founders whose month has come start with chance min(1, a·n_s/n_s0·exp(service + …)), in the
    park that a conditional logit gives them; those who find no place are refused. More firms of a
    sector, n_s, send out more founders, and these start larger as the sector's firms grow.
    """
    firms, zones, p = model.columns, model.zones, model.parameters.lifecycle
    drivers, parks = model.drivers, model.park_columns
    slots = firms.founders_of(model.month)
    if slots.start == slots.stop:
        return
    admit(
        firms.visible,
        p,
        slots.start,
        model.draws.uniform("founder", model.month, (slots.stop - slots.start, 2)).astype(float),
        offer,
        drivers.zone(Driver.SERVICE),
        drivers.cell(Driver.RECRUITMENT),
        drivers.cell(Driver.MARKET_ACCESS),
        zones.openness,
        zones.data_access,
        model.blueprint.base.data_intensity,
        zones.pull,
        np.log(np.maximum(zones.firms.sum(axis=0), 1.0) / model.founding_firms),
        model.momentum.mean_log - model.momentum.first_log,
        model.cycle.growth,
        parks.zone,
        parks.rent,
        parks.service,
        model.parameters.parks.service_at_start,
        parks.capacity,
        parks.occupied,
        model.staff_per_revenue.reshape(-1),
        zones.seekers,
        zones.entries,
    )


@kernel
def admit(
    firms: Firms,
    p: LifecycleParameters,
    first: int,
    luck: Floats,
    offer: Floats,
    service: Floats,
    recruitment: Floats,
    access: Floats,
    openness: Floats,
    data_access: Floats,
    data_intensity: Floats,
    pull: Floats,
    stock: Floats,
    grown: Floats,
    cycle: Floats,
    park_zone: Ints,
    rent: Floats,
    park_service: Floats,
    level: float,
    capacity: Floats,
    occupied: Floats,
    staff_per_revenue: Floats,
    seekers: Floats,
    entries: Floats,
) -> None:
    """Founders from slot ``first`` on draw a park that has room; those who start there become
    firms while there is room, in the order of their slots.

    ``level`` is the parks' service at the start, ``stock`` the log of the sector's firms over those
    at the start (S,), ``grown`` the growth of their mean log revenue (S,), ``pull`` the log change
    of newcomers by policy (Z,).
    """
    parks, sectors = offer.shape
    left = capacity - occupied
    has_room = left >= 1.0
    ladders, utility = np.empty((sectors, parks)), np.empty(parks)
    for s in range(sectors):
        for k in range(parks):
            utility[k] = offer[k, s] if has_room[k] else -np.inf
        climb(utility, ladders[s])
    for n in range(len(luck)):
        i = first + n
        s = firms.sector[i]
        firms.state[i] = REFUSED
        k = drawn(ladders[s], luck[n, 1])
        if k < 0:
            continue
        z = park_zone[k]
        push = p.service_effect * service[z] + p.park_effect * (park_service[k] - level)
        push += p.rent_effect * (rent[k] - 1.0) + p.recruitment_effect * recruitment[z, s]
        if firms.anchor[i]:
            push += p.anchor_effect * recruitment[z, s]
        if firms.foreign[i]:
            push += p.access_effect * access[z, s] + p.foreign_barrier
            push += p.openness_effect * openness[z]
        push += p.data_start_effect * data_intensity[s] * data_access[z]
        push += p.talent_start_effect * pull[z] + stock[s]
        push += p.cycle_effect * 12.0 * cycle[z, s]
        if luck[n, 0] < p.acceptance * np.exp(push) and left[k] >= 1.0:
            left[k] -= 1.0
            settle(firms, i, k, z, sectors, occupied)
            firms.state[i] = ACTIVE
            firms.alive[i] = 1.0
            firms.log_revenue[i] += grown[s]
            firms.trend[i] = firms.log_revenue[i]
    hire(firms, first, staff_per_revenue, seekers, entries)


@kernel
def hire(
    firms: Firms, first: int, staff_per_revenue: Floats, seekers: Floats, entries: Floats
) -> None:
    """New firms' first staff come from the zone's people who look for a post, as far as they go."""
    wanted = np.zeros(len(seekers))
    for i in range(first, len(firms.state)):
        if firms.state[i] == ACTIVE:
            firms.revenue[i] = np.exp(firms.log_revenue[i])
            firms.staff[i] = staff_per_revenue[firms.cell[i]] * firms.revenue[i]
            wanted[firms.zone[i]] += firms.staff[i]
            entries[firms.zone[i]] += 1.0
    share = np.empty(len(seekers))
    for z in range(len(seekers)):
        share[z] = min(1.0, seekers[z] / max(wanted[z], 1e-300))
        seekers[z] -= share[z] * wanted[z]
    for i in range(first, len(firms.state)):
        if firms.state[i] == ACTIVE:
            firms.staff[i] *= share[firms.zone[i]]


@kernel
def homes(
    luck: Column, zone: Ints, sector: Ints, park_zone: Ints, focus: Floats, capacity: Floats
) -> Ints:
    """A park of its zone for each firm at the start (firms,), drawn by focus and places."""
    park = np.zeros(len(luck), np.intp)
    for i in range(len(luck)):
        total = 0.0
        for k in range(len(capacity)):
            if park_zone[k] == zone[i]:
                total += focus[k, sector[i]] * capacity[k]
        goal, reached = luck[i] * total, 0.0
        for k in range(len(capacity)):
            if park_zone[k] == zone[i]:
                reached += focus[k, sector[i]] * capacity[k]
                if reached > goal:
                    park[i] = k
                    break
    return park


def place(model: District, who: Ints, park: Ints) -> None:
    """Move firms into parks in the order of their slots while there is room; others stay."""
    parks = model.park_columns
    room, sectors = parks.capacity - parks.occupied, model.blueprint.shape[1]
    enter(model.columns.visible, who, park, parks.zone, room, parks.occupied, sectors)


@kernel
def enter(
    firms: Firms,
    who: Ints,
    park: Ints,
    zone: Ints,
    room: Floats,
    occupied: Floats,
    sectors: int,
) -> None:
    for i, k in zip(who, park):  # noqa: B905 (numba knows no strict)
        if room[k] >= 1.0:
            room[k] -= 1.0
            settle(firms, i, k, zone[k], sectors, occupied)


@kernel
def settle(firms: Firms, i: int, k: int, zone: int, sectors: int, occupied: Floats) -> None:
    """Give a firm its zone and park; leave the park where it was."""
    if firms.park[i] >= 0:
        occupied[firms.park[i]] -= 1.0
    occupied[k] += 1.0
    firms.park[i] = k
    firms.zone[i] = zone
    firms.cell[i] = zone * sectors + firms.sector[i]


@kernel
def climb(utility: Floats, steps: Floats) -> None:
    """Cumulated logit weights of the options (options,) into ``steps``; 0 where there is none."""
    best, total = -1e300, 0.0  # finite, even without options
    for k in range(len(utility)):
        best = max(best, utility[k])
    for k in range(len(utility)):
        if utility[k] > -np.inf:
            total += np.exp(utility[k] - best)
        steps[k] = total


@kernel
def drawn(steps: Floats, uniform: float) -> int:
    """Conditional logit by inversion: an option, −1 where there is none.

    ``steps`` are the cumulated weights, ``uniform`` a draw in [0, 1]. Source: McFadden (1974).
    """
    whole = steps[-1]
    if whole <= 0.0:
        return -1
    goal = min(uniform, 1.0 - 1e-9) * whole
    for k in range(len(steps)):
        if steps[k] > goal:
            return k
    return -1


def convert(model: District) -> None:
    """A software or application firm whose AI share passes the threshold becomes an AI firm."""
    firms, base = model.columns, model.blueprint.base
    become_ai(
        model.parameters.lifecycle.ai_threshold,
        base.supplies | base.adopts,
        firms.sector,
        firms.alive,
        firms.ai_share,
        firms.is_ai,
    )


@kernel
def become_ai(
    threshold: float, can: Bools, sector: Ints, alive: Column, ai_share: Column, is_ai: Bools
) -> None:
    for i in range(len(sector)):
        if ai_share[i] > threshold and not is_ai[i] and alive[i] > 0.0 and can[sector[i]]:
            is_ai[i] = True
