"""Firms: their state in columns, one slot a firm, and `Firm`, a Mesa agent over one slot.

Potential founders are slots too, behind the firms that exist at the start and in the order of
their founding months; a month sees the slots up to its own founders, so nothing is computed for
firms that cannot exist yet.
"""

from __future__ import annotations

from collections import namedtuple
from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from sim.agents import View
from sim.blueprint import Base, Blueprint, Bools, Floats, Ints
from sim.draws import Draws
from sim.kernels import kernel
from sim.parameters import BY_SECTOR

Column = NDArray[Any]

POTENTIAL, ACTIVE, EXITED, REFUSED = range(4)
STATES = ("potential", "active", "exited", "refused")

COLUMNS: dict[str, str] = {
    "zone": "int",  # index of the zone, −1 before a founding
    "park": "int",  # index of the park, −1 before a founding
    "sector": "int",  # index of the sector
    "cell": "int",  # zone · sectors + sector; before a founding any
    "founded": "int",  # month of founding, negative for firms that exist at the start
    "state": "int",  # POTENTIAL, ACTIVE, EXITED, REFUSED
    "alive": "real",  # 1 while active, else 0
    "log_revenue": "real",  # of monthly revenue in 亿元
    "revenue": "real",  # monthly, 亿元; 0 unless active
    "staff": "real",  # skilled staff, persons; 0 unless active
    "staffing": "real",  # log of staff over desired staff, at most 0
    "capability": "real",  # relative to the frontier, 0 to 1
    "maturity": "real",  # digital maturity, 0 to 1
    "ai_share": "real",  # AI part of revenue, 0 to 1; firms of an AI sector have 1
    "standing": "real",  # log revenue that capability and maturity have brought so far
    "trend": "real",  # mean log revenue of about the last year
    "youth": "real",  # 1 for a firm just founded, towards 0 with age
    "one_off": "real",  # one-off log change of revenue due this month, from projects
    "is_ai": "flag",
    "large": "flag",
    "foreign": "flag",
    "adopts": "flag",  # its sector posts calls for application projects
    "supplies": "flag",  # its sector carries them out
    "anchor": "flag",  # a large founder that needs courting
    "adopting": "flag",  # runs an application project of its own
    "projects": "real",  # projects carried out for others
}


MOST_AI_SHARE = 0.499  # of a firm that is no AI firm at the start


NAMES = tuple(COLUMNS)
# the visible slots' columns as kernels take them; to a reader the same as Firms
Visible = namedtuple("Visible", NAMES)  # type: ignore[misc]

# what other books depend on: places in parks, sums by cell, who exists
BOOKED = ("zone", "park", "sector", "cell", "founded", "state", "alive", "adopting", "projects")


class Firms:
    """The columns of all slots; the attributes named in COLUMNS show the slots visible so far.

    Args:
        slots: number of slots, firms at the start first.
        at_start: number of firms that exist at the start.
        founders: slots that become visible in each month, shape (T + 1,), 0 first.
        precision: numpy type of the real columns.
    """

    zone: Ints
    park: Ints
    sector: Ints
    cell: Ints
    founded: Ints
    state: Ints
    alive: Column
    log_revenue: Column
    revenue: Column
    staff: Column
    staffing: Column
    capability: Column
    maturity: Column
    ai_share: Column
    standing: Column
    trend: Column
    youth: Column
    one_off: Column
    is_ai: Bools
    large: Bools
    foreign: Bools
    adopts: Bools
    supplies: Bools
    anchor: Bools
    adopting: Bools
    projects: Column

    def __init__(self, slots: int, at_start: int, founders: Ints, precision: type) -> None:
        kinds: dict[str, Any] = {"int": np.int32, "real": precision, "flag": np.bool_}
        self.precision = precision
        self.at_start = at_start
        self.visible_by = at_start + np.cumsum(founders)
        self._all = {name: np.zeros(slots, kinds[kind]) for name, kind in COLUMNS.items()}
        self.reveal(0)

    def __len__(self) -> int:
        return len(self.zone)

    @property
    def slots(self) -> int:
        """All slots, the founders of later months included."""
        return len(self._all["zone"])

    def reveal(self, month: int) -> None:
        """Let the attributes show the slots visible in this month."""
        self._show(int(self.visible_by[month]))

    def reveal_all(self) -> None:
        self._show(self.slots)

    def _show(self, count: int) -> None:
        views = [column[:count] for column in self._all.values()]
        self.__dict__.update(zip(NAMES, views, strict=True))
        self.visible: Any = Visible._make(views)

    def founders_of(self, month: int) -> slice:
        """The slots whose founding falls in this month."""
        return slice(int(self.visible_by[month - 1]), int(self.visible_by[month]))

    def by_cell(self, table: Column) -> Column:
        """A cell's value for each firm: ``table`` has shape (Z, S), the result (visible,)."""
        return table.astype(self.precision).ravel().take(self.cell)

    def by_sector(self, table: Column) -> Column:
        """A sector's value for each slot of the run, which keeps its sector: (S,) to (slots,)."""
        return table.astype(self.precision).take(self._all["sector"])

    def sum_by_cell(self, values: Column, shape: tuple[int, int]) -> Column:
        """Sums over the firms of each cell, shape (Z, S); inactive slots must hold 0."""
        sums = np.zeros(shape)
        _add_up(values, self.cell, sums.reshape(-1))
        return sums

    def count_by_cell(self, flag: Bools, shape: tuple[int, int]) -> Floats:
        """How many active firms of each cell have a flag (visible,), shape (Z, S)."""
        who = flag.nonzero()[0]
        count = np.bincount(self.cell[who], self.alive[who], shape[0] * shape[1])
        return np.asarray(count.reshape(shape))


@kernel
def _add_up(values: Column, cell: Ints, sums: Floats) -> None:
    for i in range(len(values)):
        sums[cell[i]] += values[i]


class PopulationParameters(NamedTuple):
    """How firms at the start and potential founders are drawn."""

    tail_span: float  # largest over smallest size in the Pareto tail
    trait_spread: float  # standard deviation of capability and maturity, logit units
    age_rate: float  # rate of the exponential age distribution, a year
    large_revenue: float  # 亿元 a year from which a firm counts as large
    founder_size: float  # first revenue over the sector's median
    founder_ai_boost: float  # AI share of founders over the sector's mean
    anchor_share: float  # potential anchors among potential founders
    anchor_size: float  # first revenue of an anchor over the sector's mean
    founders_rate: Annotated[Floats, BY_SECTOR]  # potential founders a year per firm


def founders_by_month(base: Base, rate: Floats, horizon: int) -> Ints:
    """Potential founders by month and sector, (T + 1, S): a fixed number of slots a year."""
    month = np.arange(horizon + 1)[:, None]
    reached = np.floor(base.firms.sum(axis=0) * rate * month / 12.0 + 0.5)
    return np.asarray(np.diff(reached, axis=0, prepend=reached[:1]).astype(np.intp))


def populate(blueprint: Blueprint, p: PopulationParameters, draws: Draws, precision: type) -> Firms:
    """The firms at the start and all potential founders, with their traits.

    Every cell meets its totals of firms, revenue, skilled staff and AI revenue exactly, whatever
    the draws; only who has how much is drawn.
    """
    base = blueprint.base
    sector_count = blueprint.shape[1]
    founders = founders_by_month(base, p.founders_rate, blueprint.horizon)
    at_start = int(base.firms.sum())
    firms = Firms(at_start + int(founders.sum()), at_start, founders.sum(axis=1), precision)
    firms.reveal_all()
    slots = firms.slots
    existing = slice(0, at_start)

    cells = base.dealt
    firms.sector[existing] = cells % sector_count
    firms.sector[at_start:] = np.repeat(
        np.tile(np.arange(sector_count), len(founders)), founders.ravel()
    )
    firms.zone[:] = -1
    firms.park[:] = -1
    firms.zone[existing] = cells // sector_count
    firms.cell[existing] = cells
    # sums by cell are slower when many neighbours in a row stand for the same cell
    firms.cell[at_start:] = np.arange(slots - at_start) % base.firms.size
    firms.state[existing] = ACTIVE
    firms.alive[existing] = 1.0
    firms.founded[at_start:] = np.repeat(np.arange(len(founders)), founders.sum(axis=1))
    age = -np.log1p(-draws.uniform("trait age", 0, slots)[existing].astype(float)) / p.age_rate
    firms.founded[existing] = -np.ceil(age * 12.0).astype(np.intp)

    sector = firms.sector
    for name in ("capability", "maturity"):
        typical = getattr(base, name)
        log_odds = np.log(typical / (1.0 - typical)).take(sector)
        log_odds += p.trait_spread * ndtri(_inner(draws.uniform(f"trait {name}", 0, slots)))
        getattr(firms, name)[:] = 1.0 / (1.0 + np.exp(-log_odds))
    firms.foreign[:] = draws.uniform("trait foreign", 0, slots) < base.foreign_share.take(sector)
    firms.is_ai[:] = base.is_ai[sector]
    firms.adopts[:] = base.adopts[sector]
    firms.supplies[:] = base.supplies[sector]

    size = _sizes(base, p, _inner(draws.uniform("trait size", 0, slots)), sector)
    december = base.december_revenue
    revenue = np.zeros(slots)
    revenue[existing] = _scaled(size[existing], cells, december.ravel())
    total = base.firms.sum(axis=0)
    mean_revenue = np.divide(
        december.sum(axis=0), total, out=np.zeros(sector_count), where=total > 0
    )
    firms.anchor[at_start:] = draws.uniform("trait anchor", 0, slots)[at_start:] < p.anchor_share
    late = sector[at_start:]
    # founders start in the body of the size distribution; the tail is grown into
    largest = np.exp(base.body_sigma * ndtri(np.maximum(1.0 - base.tail_share, 1e-7)))
    first = np.minimum(size[at_start:], largest[late])
    mean_size = np.bincount(sector[existing], size[existing], sector_count) / np.maximum(total, 1)
    median_size = mean_revenue / np.where(mean_size > 0, mean_size, 1.0)
    revenue[at_start:] = np.where(
        firms.anchor[at_start:],
        p.anchor_size * mean_revenue[late],
        p.founder_size * median_size[late] * first,
    )
    firms.log_revenue[:] = np.log(np.maximum(revenue, 1e-9))
    firms.trend[:] = firms.log_revenue
    firms.revenue[existing] = revenue[existing]
    firms.large[:] = revenue * 12.0 >= p.large_revenue
    firms.staff[existing] = _scaled(revenue[existing], cells, base.staff.ravel())

    taste = _tastes(base.ai_share, draws.uniform("trait ai share", 0, slots).astype(float), sector)
    firms.ai_share[:] = np.where(
        base.is_ai[sector],
        1.0,
        np.minimum(taste * p.founder_ai_boost, MOST_AI_SHARE),
    )
    firms.ai_share[existing] = _ai_shares(
        base.ai_share, base.is_ai, taste[existing], revenue[existing], cells, base.firms.size
    )
    firms.reveal(0)
    return firms


def _inner(uniform: Column) -> Column:
    """Uniform draws moved off 0 and 1, double precision, for quantile functions."""
    return np.asarray(uniform.astype(float).clip(1e-7, 1.0 - 1e-7))


def _sizes(base: Base, p: PopulationParameters, uniform: Column, sector: Ints) -> Column:
    """Relative size: a lognormal body with median 1 and a Pareto tail, joined at the tail's start.

    In the tail, (x/x_min)^(−α) is uniform between its largest and smallest value. Source: Zipf's
    law of firm sizes (Axtell 2001; Fujiwara et al. 2004), cut at ``tail_span``.
    """
    sigma, tail, alpha = (
        getattr(base, name).take(sector) for name in ("body_sigma", "tail_share", "tail_exponent")
    )
    start = 1.0 - tail
    in_tail = uniform > start
    size = np.exp(sigma * ndtri(np.minimum(uniform, start)))
    where = np.flatnonzero(in_tail)
    rest = (1.0 - uniform[where]) / tail[where]
    smallest = p.tail_span ** -alpha[where]
    size[where] *= (smallest + (1.0 - smallest) * rest) ** (-1.0 / alpha[where])
    return np.asarray(size)


def _tastes(ai_share: Floats, uniform: Floats, sector: Ints) -> Floats:
    """AI shares before they are scaled (slots,): exponential with the sector's mean, cut at one
    half, so that none heaps up below it."""
    mean = np.maximum(ai_share, 1e-9).take(sector)
    whole = -np.expm1(-MOST_AI_SHARE / mean)
    return np.asarray(-mean * np.log1p(-uniform * whole))


def _scaled(values: Column, cells: Ints, totals: Column) -> Column:
    """Values scaled so that those of each cell sum to its total."""
    sums = np.bincount(cells, values, len(totals))
    factor = np.divide(totals, sums, out=np.zeros(len(totals)), where=sums > 0)
    return np.asarray(values * factor[cells])


@kernel
def _ai_shares(
    ai_share: Floats, is_ai: Bools, taste: Column, revenue: Column, cells: Ints, count: int
) -> Column:
    """AI shares whose revenue-weighted mean in each cell is the sector's, below one half each."""
    sectors = len(ai_share)
    shares, turnover = np.empty(len(taste)), np.zeros(count)
    for i in range(len(taste)):
        shares[i] = taste[i]
        turnover[cells[i]] += revenue[i]
    for _ in range(60):
        now, furthest = np.zeros(count), 0.0
        for i in range(len(taste)):
            now[cells[i]] += revenue[i] * min(shares[i], MOST_AI_SHARE)
        for cell in range(count):
            goal = ai_share[cell % sectors] * turnover[cell]
            now[cell] = goal / now[cell] if now[cell] > 0.0 else 0.0
            furthest = max(furthest, abs(now[cell] - 1.0) if now[cell] > 0.0 else 0.0)
        for i in range(len(taste)):
            shares[i] = min(shares[i], MOST_AI_SHARE) * now[cells[i]]
        if furthest < 1e-10:
            break
    for i in range(len(taste)):
        shares[i] = 1.0 if is_ai[cells[i] % sectors] else min(shares[i], MOST_AI_SHARE)
    return shares


class Firm(View):
    """One firm, seen and changed through its slot in the columns.

    Attributes are those of COLUMNS; zone, park, sector and state are given by name.
    """

    def __init__(self, model: Any, slot: int) -> None:
        super().__init__(model)
        object.__setattr__(self, "slot", slot)

    def __getattr__(self, name: str) -> Any:
        if name not in COLUMNS:
            raise AttributeError(f"a firm has no {name!r} (it has: {', '.join(COLUMNS)})")
        value = self.model.columns._all[name][self.slot]
        names = _names(self.model.blueprint, name)
        if names is not None:
            return names[value] if value >= 0 else None
        return value.item()

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in COLUMNS:
            object.__setattr__(self, name, value)
        elif name in BOOKED:
            raise AttributeError(f"{name!r} is kept by the model; a firm's own traits can be set")
        else:
            columns = self.model.columns._all
            columns[name][self.slot] = value
            if name == "revenue":
                columns["log_revenue"][self.slot] = np.log(value)
            elif name == "log_revenue":
                columns["revenue"][self.slot] = np.exp(value) * self.alive

    @property
    def age(self) -> int:
        """Months since its founding."""
        return int(self.model.month - self.founded)


def _names(blueprint: Blueprint, column: str) -> tuple[str, ...] | None:
    if column == "zone":
        return blueprint.zones
    if column == "sector":
        return blueprint.sectors
    if column == "park":
        return tuple(park.id for park in blueprint.plan.parks)
    return STATES if column == "state" else None
