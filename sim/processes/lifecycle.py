"""Process 12: founders start, firms move, close, and become AI firms."""

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
    cycle_effect: float  # log change of it per log point of the sector's yearly growth
    focus_utility: float  # utility of a park's focus, from none to full
    knowledge_utility: float  # of the zone's log number of firms of the sector
    talent_utility: float  # of the share of vacancies filled
    rent_utility: float  # of rent over its normal level, negative
    service_utility: float  # of a park's service above its start
    digital_utility: float  # of a park's digital level above its start
    data_utility: float  # of data access, times the sector's data intensity
    recruiting_utility: float  # of courting effort over an even share
    size_utility: float  # of the log number of free places
    moving_hazard: float  # a year
    moving_cost: float  # utility lost per km
    exit_year_1: float  # chance of closing, a year, by age
    exit_year_2: float
    exit_year_3: float
    exit_year_4_to_7: float
    exit_later: float
    exit_size_effect: float  # log change of the hazard per log of size over the sector's mean
    exit_service_effect: float  # log change of the hazard at full service, negative
    ai_threshold: float  # AI share from which a firm is an AI firm
    exit_scale: Annotated[Floats, BY_SECTOR]  # sector's hazard over the average one


def step(model: District) -> None:
    close(model)
    offer = utilities(model)
    move(model, offer)
    start(model, offer)
    convert(model)


class Exits:
    """What no month changes in the log hazard of closing.

    By age in months, the last entry for all higher ages, from the profile of SAIC (2013), survival
    of domestic enterprises; and by sector (S,), for a firm whose log revenue is 0.
    """

    def __init__(self, firms: Firms, mean_log: Floats, p: LifecycleParameters) -> None:
        yearly = [p.exit_year_1, p.exit_year_2, p.exit_year_3]
        yearly += [p.exit_year_4_to_7] * 4 + [p.exit_later]
        self.by_age: Column = np.log(np.repeat(yearly, 12) / 12.0).astype(firms.precision)
        self.by_sector = np.log(p.exit_scale) - p.exit_size_effect * mean_log


class Fit:
    """What no month changes in what parks offer to firms of each sector (K, S)."""

    def __init__(self, parks: Parks, p: LifecycleParameters) -> None:
        self.focus = np.where(parks.takes, p.focus_utility * parks.focus, -np.inf)
        sectors = parks.takes.sum(axis=1, dtype=float)
        self.courted = p.recruiting_utility * sectors  # over an even share


def close(model: District) -> None:
    """Exit with chance 1 − exp(−h_s·age profile·exp(−b·(ln r − mean) + service))."""
    firms, zones, p = model.columns, model.zones, model.parameters.lifecycle
    closing = struck(
        model.draws.uniform("exit", model.month, len(firms)),
        firms.cell,
        firms.founded,
        firms.log_revenue,
        model.month,
        model.exits.by_age,
        model.exits.by_sector,
        p.exit_service_effect,
        model.drivers.zone(Driver.SERVICE),
        p.exit_size_effect,
    )
    leave(firms.visible, closing, model.park_columns.occupied, zones.seekers, zones.exits)


@kernel
def struck(
    luck: Column,
    cell: Ints,
    founded: Ints,
    log_revenue: Column,
    month: int,
    by_age: Column,
    by_sector: Floats,
    service_effect: float,
    service: Floats,
    size_effect: float,
) -> Ints:
    """Slots whose luck is below 1 − exp(−e^(−x)), −x = age + sector + service + b·ln r."""
    kind, oldest, sectors = by_age.dtype, len(by_age) - 1, len(by_sector)
    by_cell = np.empty(len(service) * sectors, kind)
    for c in range(len(by_cell)):
        by_cell[c] = by_sector[c % sectors] + service_effect * service[c // sectors]
    effect = kind.type(size_effect)
    safe, near = np.empty_like(log_revenue), np.empty_like(log_revenue)
    for i in range(len(luck)):
        safe[i] = by_cell[cell[i]] + by_age[min(month - founded[i], oldest)]
    for i in range(len(luck)):
        safe[i] = -(safe[i] + effect * log_revenue[i])
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
        model.parameters.parks.service_at_start,
        zones.firms,
        zones.fill_rate,
        zones.data_access,
        model.blueprint.base.data_intensity,
        parks.zone,
        parks.rent,
        parks.service,
        parks.digital,
        parks.capacity - parks.occupied,
        model.fit.focus,
        model.fit.courted,
        parks.recruiting,
    )


@kernel
def offers(
    p: LifecycleParameters,
    level: float,
    peers: Floats,
    fill_rate: Floats,
    data_access: Floats,
    data_intensity: Floats,
    zone: Ints,
    rent: Floats,
    service: Floats,
    digital: Floats,
    room: Floats,
    focus: Floats,
    courted: Floats,
    recruiting: Floats,
) -> Floats:
    """Utilities (K, S): of the zone to a sector's firms, of the park itself, of its courting.

    ``level`` is the parks' service and digital level at the start.
    """
    known, utility = np.empty_like(peers), np.empty_like(focus)
    for z in range(peers.shape[0]):
        for s in range(peers.shape[1]):
            known[z, s] = p.knowledge_utility * np.log1p(peers[z, s])
    for k in range(len(zone)):
        z = zone[k]
        own = p.rent_utility * rent[k] + p.size_utility * np.log(max(room[k], 1.0))
        own += p.service_utility * (service[k] - level)
        own += p.digital_utility * (digital[k] - level)
        own += p.talent_utility * fill_rate[z]
        for s in range(len(data_intensity)):
            data = p.data_utility * data_access[z] * data_intensity[s]
            courting = courted[k] * recruiting[k, s]
            utility[k, s] = own + known[z, s] + data + focus[k, s] + courting
    return utility


def move(model: District, offer: Floats) -> None:
    """A few firms look elsewhere each month and go where a conditional logit sends them.

    One uniform draw u decides on looking (u < h) and u/h then on the park.
    """
    firms, parks, p = model.columns, model.park_columns, model.parameters.lifecycle
    hazard = 1.0 - np.exp(-p.moving_hazard / 12.0)
    relocate(
        firms.visible,
        model.draws.uniform("move", model.month, len(firms)),
        hazard,
        offer,
        model.blueprint.parks.distance,
        p.moving_cost,
        parks.zone,
        parks.capacity - parks.occupied,
        parks.occupied,
    )


@kernel
def relocate(
    firms: Firms,
    luck: Column,
    hazard: float,
    offer: Floats,
    distance: Floats,
    moving_cost: float,
    zone: Ints,
    room: Floats,
    occupied: Floats,
) -> None:
    """Firms with luck below ``hazard`` look: each draws a park, its own or one that has room, and
    goes there if no other took the last place."""
    parks, sectors = offer.shape
    left = room.copy()
    utility, steps = np.empty(parks), np.empty(parks)
    for i in range(len(luck)):
        if luck[i] >= hazard or firms.alive[i] == 0.0:
            continue
        now = firms.park[i]
        for k in range(parks):
            utility[k] = -np.inf
            if k == now or room[k] >= 1.0:
                utility[k] = offer[k, firms.sector[i]] - moving_cost * distance[firms.zone[i], k]
        climb(utility, steps)
        k = drawn(steps, (luck[i] + 2.0**-25) / hazard)
        if k >= 0 and k != now and left[k] >= 1.0:
            left[k] -= 1.0
            settle(firms, i, k, zone[k], sectors, occupied)


def start(model: District, offer: Floats) -> None:
    """Founders whose month has come start with chance min(1, a·exp(service + …)), in the park
    that a conditional logit gives them; those who find no place are refused.
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

    ``level`` is the parks' service at the start.
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
        push += p.cycle_effect * 12.0 * cycle[z, s]
        if luck[n, 0] < p.acceptance * np.exp(push) and left[k] >= 1.0:
            left[k] -= 1.0
            settle(firms, i, k, z, sectors, occupied)
            firms.state[i] = ACTIVE
            firms.alive[i] = 1.0
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
