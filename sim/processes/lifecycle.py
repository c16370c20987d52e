"""Process 12: founders start, firms move, close, and become AI firms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from sim.blueprint import Bools, Floats, Ints
from sim.firms import REFUSED, Column, Firms
from sim.parameters import BY_SECTOR
from sim.parks import Parks
from sim.plan import Driver

if TYPE_CHECKING:
    from sim.model import District


@dataclass(frozen=True)
class LifecycleParameters:
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
    exit_scale: Floats = field(metadata=BY_SECTOR)  # sector's hazard over the average one


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
        self.courted = p.recruiting_utility * parks.takes.sum(axis=1, keepdims=True)  # over even


def close(model: District) -> None:
    """Exit with chance 1 − exp(−h_s·age profile·exp(−b·(ln r − mean) + service))."""
    firms, zones, p = model.columns, model.zones, model.parameters.lifecycle
    hazard = model.exits.by_age.take(model.month - firms.founded, mode="clip")
    service = p.exit_service_effect * model.drivers.zone(Driver.SERVICE)
    hazard += firms.by_cell(model.exits.by_sector + service[:, None])
    hazard += firms.log_revenue * p.exit_size_effect
    np.exp(hazard, out=hazard)
    gone, _ = firms.struck(model.draws.uniform("exit", model.month, len(firms)), hazard)
    count = model.blueprint.shape[0]
    zones.exits += np.bincount(firms.zone[gone], minlength=count)
    zones.seekers += np.bincount(firms.zone[gone], firms.staff[gone], count)
    left = firms.park[gone]
    np.subtract.at(model.park_columns.occupied, left, 1.0)
    firms.close(gone)


def utilities(model: District) -> Floats:
    """What each park offers to a firm of each sector (K, S); −∞ where it takes none of them."""
    parks, p = model.park_columns, model.parameters.lifecycle
    base, zones = model.blueprint.base, model.zones
    peers = np.log1p(zones.firms)
    by_zone = p.knowledge_utility * peers + (p.talent_utility * zones.fill_rate)[:, None]
    by_zone = by_zone + p.data_utility * zones.data_access[:, None] * base.data_intensity
    start_level = model.parameters.parks.service_at_start
    own = p.rent_utility * parks.rent
    own += p.service_utility * (parks.service - start_level)
    own += p.digital_utility * (parks.digital - start_level)
    own += p.size_utility * np.log(np.maximum(parks.capacity - parks.occupied, 1.0))
    utility: Floats = by_zone[parks.zone]
    utility += own[:, None]
    utility += model.fit.focus
    utility += model.fit.courted * parks.recruiting
    return utility


def has_room(model: District) -> Bools:
    """Which parks can take another firm, (K,)."""
    return np.asarray(model.park_columns.capacity - model.park_columns.occupied >= 1.0)


def move(model: District, offer: Floats) -> None:
    """A few firms look elsewhere each month and go where a conditional logit sends them.

    One uniform draw u decides on looking (u < h) and u/h then on the park.
    """
    firms, parks, p = model.columns, model.park_columns, model.parameters.lifecycle
    hazard = 1.0 - np.exp(-p.moving_hazard / 12.0)
    luck = model.draws.uniform("move", model.month, len(firms))
    who = (luck < hazard).nonzero()[0]
    who = who[firms.alive[who] > 0]
    if not len(who):
        return
    now = firms.park[who]
    away = model.blueprint.parks.distance[firms.zone[who]]
    utility = offer.T[firms.sector[who]] - p.moving_cost * away
    stay = np.arange(len(parks.zone)) == now[:, None]
    utility = np.where(stay | has_room(model), utility, -np.inf)
    park = drawn(ladder(utility), (luck[who] + 2.0**-25) / hazard)
    goes = (park >= 0) & (park != now)
    place(model, who[goes], park[goes])


def start(model: District, offer: Floats) -> None:
    """Founders whose month has come start with chance min(1, a·exp(service + …)), in the park
    that a conditional logit gives them; those who find no place are refused.
    """
    firms, zones, p = model.columns, model.zones, model.parameters.lifecycle
    blueprint, drivers = model.blueprint, model.drivers
    slots = firms.founders_of(model.month)
    who = np.arange(slots.start, slots.stop)
    if not len(who):
        return
    sector = firms.sector[slots]
    luck = model.draws.uniform("founder", model.month, (len(who), 2)).astype(float)
    room = np.where(has_room(model), offer.T, -np.inf)
    park = drawn(ladder(room)[sector], luck[:, 1])
    housed = park >= 0
    zone = blueprint.parks.zone[park]
    parks, level = model.park_columns, model.parameters.parks.service_at_start
    service = p.service_effect * drivers.zone(Driver.SERVICE)[parks.zone]
    service += p.park_effect * (parks.service - level)
    push = service[park] + p.rent_effect * (parks.rent[park] - 1.0)
    cell = zone * blueprint.shape[1] + sector
    recruited = drivers.cell(Driver.RECRUITMENT).take(cell)
    push += (p.recruitment_effect + p.anchor_effect * firms.anchor[slots]) * recruited
    access = drivers.cell(Driver.MARKET_ACCESS).take(cell)
    push += (p.access_effect * access + p.foreign_barrier) * firms.foreign[slots]
    push += p.cycle_effect * 12.0 * model.cycle.growth.take(cell)
    starts = housed & (luck[:, 0] < p.acceptance * np.exp(push))
    firms.state[slots] = REFUSED
    place(model, who[starts], park[starts])
    founded = who[firms.park[slots] >= 0]
    firms.open(founded)
    firms.revenue[founded] = np.exp(firms.log_revenue[founded])
    wanted = model.staff_per_revenue.ravel()[firms.cell[founded]] * firms.revenue[founded]
    take_staff(model, founded, wanted)
    zones.entries += np.bincount(firms.zone[founded], minlength=blueprint.shape[0])


def take_staff(model: District, founded: Ints, wanted: Column) -> None:
    """Founders' first staff come from the zone's people who look for a post, as far as they go."""
    firms, zones = model.columns, model.zones
    zone = firms.zone[founded]
    total = np.bincount(zone, wanted, len(zones.seekers))
    share = np.minimum(1.0, zones.seekers / np.maximum(total, 1e-300))
    firms.staff[founded] = wanted * share[zone]
    zones.seekers -= share * total


def place(model: District, who: Ints, park: Ints) -> None:
    """Move firms into parks in the order of their slots while there is room; others stay."""
    firms, parks = model.columns, model.park_columns
    if not len(who):
        return
    came = np.bincount(park, minlength=len(parks.zone))
    if (came > parks.capacity - parks.occupied).any():
        order = park.argsort(kind="stable")
        who, park = who[order], park[order]
        first = park.searchsorted(park, side="left")
        rank = np.arange(len(park)) - first
        fits = rank < np.floor(parks.capacity - parks.occupied)[park]
        who, park = who[fits], park[fits]
        came = np.bincount(park, minlength=len(parks.zone))
    old = firms.park[who]
    np.subtract.at(parks.occupied, old[old >= 0], 1.0)
    parks.occupied += came
    firms.settle(who, parks.zone[park], park, model.blueprint.shape[1])


def ladder(utility: Floats) -> Floats:
    """Cumulated logit weights of the options (rows, options); 0 where a row has none."""
    best = np.maximum(utility.max(axis=1, keepdims=True), -1e300)  # finite, even without options
    return np.asarray(np.exp(utility - best).cumsum(axis=1))


def drawn(steps: Floats, uniform: Column) -> Ints:
    """Conditional logit by inversion: an option for each chooser, −1 where it has none.

    ``steps`` is each chooser's ladder, ``uniform`` its draw in [0, 1]. Source: McFadden (1974).
    """
    whole = steps[:, -1]
    goal = np.minimum(uniform, 1.0 - 1e-9) * whole
    option = (steps > goal[:, None]).argmax(axis=1)  # the first step above the goal
    return np.where(whole > 0, option, -1)


def convert(model: District) -> None:
    """A software or application firm whose AI share passes the threshold becomes an AI firm."""
    firms, p = model.columns, model.parameters.lifecycle
    new = ((firms.ai_share > p.ai_threshold) & ~firms.is_ai).nonzero()[0]
    if not len(new):
        return
    new = new[firms.alive[new] > 0]
    can = model.blueprint.base.supplies | model.blueprint.base.adopts
    firms.is_ai[new[can[firms.sector[new]]]] = True
