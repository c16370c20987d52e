"""One firm more changes what it touches, in the direction in which it should, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sim.firms import ACTIVE, COLUMNS, POTENTIAL, REFUSED, Firms
from sim.model import District
from sim.processes import accounts
from sim.runner import Runner
from sim.zones import SUMS

RUNS = range(5)
MONTH = 10  # of the founding
POLICY = ("policy_openness", "openness", "data_access", "setback_months", "incidents")


def with_slot(district: District, month: int, **traits: Any) -> int:
    """Give a district at its start one more slot, the last of a month's founders, or of the firms
    at the start in month 0; the slots behind it move up by one. Returns its number.
    """
    old = district.columns
    founders = np.diff(old.visible_by, prepend=old.at_start)
    founders[month] += month > 0
    new = Firms(old.slots + 1, old.at_start + (month == 0), founders, old.precision)
    slot = int(old.visible_by[month])
    old.reveal_all()
    new.reveal_all()
    for name in COLUMNS:
        column = np.insert(getattr(old, name), slot, traits.get(name, 0))
        getattr(new, name)[:] = column
    alike = int(np.flatnonzero(old.sector == traits["sector"])[0])
    kept = district.research.kept
    district.research.kept = np.insert(kept, slot, kept[alike])
    new.reveal(0)
    district.columns = new
    return slot


def founder(district: District, sector: str) -> dict[str, Any]:
    """What a potential founder of a sector is before its month."""
    s, p = district.blueprint.sectors.index(sector), district.parameters.growth
    return {
        "sector": s,
        "zone": -1,
        "park": -1,
        "founded": MONTH,
        "state": POTENTIAL,
        "log_revenue": np.log(0.02),
        "trend": np.log(0.02),
        "capability": 0.6,
        "maturity": 0.5,
        "standing": 0.6 * p.capability_effect + 0.5 * p.maturity_effect,
        "youth": 1,
        "adopts": district.blueprint.base.adopts[s],
        "supplies": district.blueprint.base.supplies[s],
    }


@dataclass(frozen=True)
class Pair:
    """A district and its double with one firm more, in the same month."""

    plain: District
    added: District
    slot: int

    @property
    def slots_before(self) -> int:
        """The slots of firms at the start and of founders of earlier months."""
        return int(self.plain.columns.visible_by[MONTH - 1])

    def step(self) -> None:
        self.plain.step()
        self.added.step()

    def to(self, month: int) -> Pair:
        while self.plain.month < month:
            self.step()
        return self

    def rest(self, name: str) -> tuple[Any, Any]:
        """A column of both districts without the firm that was added."""
        added = getattr(self.added.columns, name)
        if len(added) > self.slot:
            added = np.delete(added, self.slot)
        return getattr(self.plain.columns, name), added

    def more(self, part: str, name: str) -> Any:
        """By how much the double has more of something."""
        one, other = (getattr(d, part) for d in (self.added, self.plain))
        return getattr(one, name) - getattr(other, name)

    @property
    def firm(self) -> SimpleNamespace:
        columns = self.added.columns
        return SimpleNamespace(**{name: getattr(columns, name)[self.slot] for name in COLUMNS})


def with_founder(runner: Runner, run: int) -> Pair:
    """A founder more of textiles, who has no supplier's part in others' calls."""
    plain, added = runner.district(run), runner.district(run)
    return Pair(plain, added, with_slot(added, MONTH, **founder(added, "textiles")))


@pytest.fixture(scope="module")
def fates(small: Runner) -> dict[int, list[int]]:
    """The runs in which the founder starts, and those in which it is refused."""
    runs: dict[int, list[int]] = {ACTIVE: [], REFUSED: []}
    for run in range(8 * len(RUNS)):
        runs[int(with_founder(small, run).to(MONTH).firm.state)].append(run)
    return runs


@pytest.fixture(params=RUNS)
def pair(small: Runner, fates: dict[int, list[int]], request: pytest.FixtureRequest) -> Pair:
    return with_founder(small, fates[ACTIVE][request.param])


@pytest.fixture(params=RUNS)
def refused(small: Runner, fates: dict[int, list[int]], request: pytest.FixtureRequest) -> Pair:
    return with_founder(small, fates[REFUSED][request.param])


def arrays(*parts: object) -> Iterator[tuple[str, Any]]:
    for part in parts:
        for name, values in vars(part).items():
            if isinstance(values, np.ndarray) and name != "kept":  # kept: a trait of each slot
                yield f"{type(part).__name__}.{name}", values


def everything(district: District) -> dict[str, bytes]:
    """What the district keeps beside its firms' columns, to the bit."""
    parts = (
        district.zones,
        district.park_columns,
        district.department_columns,
        district.drivers,
        district.cycle,
        district.projects,
        district.momentum,
        district.research,
        district.research.technologies,
    )
    return {name: values.tobytes() for name, values in arrays(*parts)} | {
        "series": district.series.tobytes(),
        "costs": district.costs.tobytes(),
    }


def test_before_its_month_nothing_differs_to_the_bit(pair: Pair) -> None:
    for _ in range(MONTH - 1):
        pair.step()
        assert everything(pair.plain) == everything(pair.added)
        for name in COLUMNS:
            one, other = pair.rest(name)
            assert one.tobytes() == other.tobytes(), name


def test_in_its_month_there_is_one_firm_more_where_it_starts(pair: Pair) -> None:
    pair.to(MONTH)
    firm, shape = pair.firm, pair.plain.blueprint.shape
    assert firm.state == ACTIVE
    assert pair.added.columns.alive.sum() - pair.plain.columns.alive.sum() == 1
    in_cell, in_zone = np.zeros(shape), np.zeros(shape[0])
    in_cell[firm.zone, firm.sector] = in_zone[firm.zone] = 1
    in_park = np.arange(len(pair.plain.park_columns.zone)) == firm.park
    assert np.array_equal(pair.more("zones", "firms"), in_cell)
    assert np.array_equal(pair.more("zones", "entries"), in_zone)
    assert np.array_equal(pair.more("park_columns", "occupied"), in_park)
    indicators = pair.plain.indicators
    change = pair.added.series[MONTH] - pair.plain.series[MONTH]
    assert np.array_equal(change[indicators.index("firms")], in_zone)
    assert change[indicators.index("revenue")] == pytest.approx(firm.revenue * in_zone)
    assert pair.more("zones", "revenue") == pytest.approx(firm.revenue * in_cell)


def test_in_its_month_all_other_firms_are_the_same_to_the_bit(pair: Pair) -> None:
    pair.to(MONTH)
    for name in COLUMNS:
        one, other = (column[: pair.slots_before] for column in pair.rest(name))
        assert one.tobytes() == other.tobytes(), name


def test_in_its_month_it_takes_nothing_from_other_founders_but_people_of_its_zone(
    pair: Pair,
) -> None:
    pair.to(MONTH)
    for name in set(COLUMNS) - {"staff"}:
        one, other = pair.rest(name)
        assert one.tobytes() == other.tobytes(), name
    one, other = pair.rest("staff")
    assert (other <= one).all()
    assert set(pair.plain.columns.zone[other < one]) <= {pair.firm.zone}


def test_in_its_month_the_books_that_it_is_not_in_are_the_same_to_the_bit(pair: Pair) -> None:
    pair.to(MONTH)
    firm, touched = pair.firm, {"series", "Parks.occupied"}
    touched |= {f"Zones.{n}" for n in ("sums", *SUMS, "revenue", "entries", "seekers")}
    touched |= {"Momentum.last", "Momentum.mean_log"}
    one, other = everything(pair.plain), everything(pair.added)
    assert {name for name in one if one[name] != other[name]} <= touched
    elsewhere = np.arange(pair.plain.blueprint.shape[0]) != firm.zone
    for name in ("sums", *SUMS, "revenue", "entries", "seekers"):
        assert not pair.more("zones", name)[elsewhere].any(), name
    assert not (pair.added.series - pair.plain.series)[:, :, elsewhere].any()


def test_its_first_staff_are_people_of_its_zone(pair: Pair) -> None:
    pair.to(MONTH)
    zone = pair.firm.zone
    assert pair.firm.staff > 0
    one, other = pair.rest("staff")
    taken = pair.more("zones", "seekers")[zone] + float((other - one).sum(dtype=float))
    assert taken == pytest.approx(-pair.firm.staff, rel=1e-4)


def test_a_month_later_its_zone_s_people_are_scarcer_and_its_park_is_dearer(pair: Pair) -> None:
    pair.to(MONTH + 1)
    zone, park = pair.firm.zone, pair.firm.park
    elsewhere = np.arange(pair.plain.blueprint.shape[0]) != zone
    if pair.firm.staffing == 0:  # a founder whose revenue fell has all the people it needs
        assert not pair.more("zones", "vacancies").any()
        return
    assert pair.more("zones", "vacancies")[zone] > 0
    assert not pair.more("zones", "vacancies")[elsewhere].any()
    assert pair.more("zones", "fill_rate")[zone] < 0
    assert (pair.more("zones", "fill_rate") <= 0).all()
    assert pair.more("zones", "wage_index")[zone] >= 0
    assert pair.more("park_columns", "rent")[park] > 0
    assert not np.delete(pair.more("park_columns", "rent"), park).any()


def test_a_month_later_no_firm_has_won_staff_from_its_being_there(pair: Pair) -> None:
    pair.to(MONTH + 1)
    plain, added = pair.rest("staff")
    alive = (pair.plain.columns.founded <= MONTH) & (plain > 0) & (added > 0)
    assert (added[alive] <= plain[alive] * (1 + 1e-6)).all()
    here = alive & (pair.plain.columns.zone == pair.firm.zone)
    assert added[here].sum() < plain[here].sum()


def test_the_plan_never_notices_it(pair: Pair) -> None:
    while pair.plain.month < pair.plain.blueprint.horizon:
        pair.step()
        for name in ("attention", "effort", "progress", "joint_effort"):
            assert not pair.more("department_columns", name).any(), name
        assert np.array_equal(pair.plain.drivers.by_cell, pair.added.drivers.by_cell)
        for name in POLICY:
            assert not pair.more("zones", name).any(), name


def test_a_founder_who_is_refused_leaves_no_trace_in_its_month(refused: Pair) -> None:
    refused.to(MONTH)
    assert everything(refused.plain) == everything(refused.added)
    for name in COLUMNS:
        one, other = refused.rest(name)
        assert one.tobytes() == other.tobytes(), name


def with_firm_at_the_start(runner: Runner, run: int, revenue: float, staff: float) -> Pair:
    """A textile firm of the old docks, in their general park, in the base year already."""
    plain, added = runner.district(run), runner.district(run)
    traits = founder(added, "textiles")
    zone = added.blueprint.zones.index("old_docks")
    park = [park.id for park in added.blueprint.plan.parks].index("old_docks_yards")
    traits |= {
        "zone": zone,
        "park": park,
        "cell": zone * added.blueprint.shape[1] + traits["sector"],
        "founded": -60,
        "youth": np.exp(-61 / (12 * added.parameters.growth.age_years)),  # that of the next month
        "state": ACTIVE,
        "alive": 1,
        "revenue": revenue,
        "log_revenue": np.log(revenue),
        "trend": np.log(revenue),
        "staff": staff,
    }
    pair = Pair(plain, added, with_slot(added, 0, **traits))
    added.park_columns.occupied[park] += 1
    accounts.record(added)
    return pair


@pytest.mark.parametrize("run", RUNS)
def test_one_firm_more_at_the_start_is_one_firm_more_in_its_place(small: Runner, run: int) -> None:
    pair = with_firm_at_the_start(small, run, revenue=0.05, staff=30)
    firm = pair.firm
    expected = np.zeros(pair.plain.blueprint.shape)
    expected[firm.zone, firm.sector] = 1
    assert np.array_equal(pair.more("zones", "firms"), expected)
    assert pair.more("zones", "revenue") == pytest.approx(0.05 * expected)
    assert pair.more("zones", "staff") == pytest.approx(30 * expected, abs=1e-6)
    for name in COLUMNS:
        one, other = pair.rest(name)
        assert one.tobytes() == other.tobytes(), name


@pytest.mark.parametrize("run", RUNS)
def test_one_firm_more_at_the_start_bids_for_people_and_leaves_the_rest_as_it_was(
    small: Runner, run: int
) -> None:
    pair = with_firm_at_the_start(small, run, revenue=0.05, staff=0)
    firm = pair.firm
    pair.step()
    elsewhere = np.arange(pair.plain.blueprint.shape[0]) != firm.zone
    assert pair.more("zones", "vacancies")[firm.zone] > 0
    assert not pair.more("zones", "vacancies")[elsewhere].any()
    assert pair.more("zones", "fill_rate")[firm.zone] < 0
    assert (pair.more("zones", "fill_rate") <= 0).all()
    assert not pair.more("zones", "arrivals").any()
    assert pair.more("park_columns", "rent")[firm.park] > 0
    assert not np.delete(pair.more("park_columns", "rent"), firm.park).any()
    for name in ("sector", "founded", "maturity", "ai_share", "foreign", "large", "is_ai"):
        one, other = pair.rest(name)
        assert one.tobytes() == other.tobytes(), name
    one, other = pair.rest("log_revenue")
    there = slice(0, pair.plain.columns.at_start)  # founders stand one slot further on, see above
    effect = pair.plain.parameters.growth.staffing_effect
    assert np.abs(one - other)[there].max() < 0.02 * effect  # through a fiftieth of their staff
