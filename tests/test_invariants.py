"""Whatever a scenario sets and whatever luck a run meets, the books balance and nothing leaves
its bounds, in any month."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from sim import months
from sim.blueprint import Floats
from sim.draws import Draws
from sim.economy import Lever
from sim.errors import EconomyError
from sim.firms import ACTIVE, COLUMNS, EXITED, POTENTIAL, REFUSED, Column
from sim.model import District
from sim.plan import Driver, Quantity
from sim.processes.accounts import indicators
from sim.runner import Runner
from sim.scenario import Inputs, LeverSetting, Shock, read_scenario
from sim.zones import ITEMS, PLATFORM_ITEM

ROOT = Path(__file__).parents[1]
REAL = ROOT / "scenarios" / "baseline.yaml"
SMALL = ROOT / "tests" / "small_district" / "scenario.yaml"
NAME = {"zh": "试验", "en": "Trial"}
SCOPES = {
    Lever.SCENARIO_FUNDING: "sectors",
    Lever.MEASURE_INTENSITY: "measures",
    Lever.DEPARTMENT_CAPACITY: "departments",
}
SINGLE = 1e-6  # what single precision leaves of a sum over firms
ROUNDING = 1e-9

bounded = settings(
    max_examples=40,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@cache
def inputs_of(path: Path) -> Inputs:
    return read_scenario(path)


# What a planner may set, what may hit from outside, and what a run may meet


def some(names: list[str]) -> st.SearchStrategy[list[str]]:
    """A few of them; none stands for all."""
    return st.lists(st.sampled_from(names), unique=True)


@st.composite
def lever_settings(draw: st.DrawFn, inputs: Inputs) -> dict[str, Any]:
    """One lever at a value within its bounds, somewhere, from some month, for some time."""
    plan, economy = inputs.plan, inputs.economy
    lever = draw(st.sampled_from(Lever))
    rule = economy.levers[lever]
    start = draw(st.integers(1, plan.horizon))
    setting: dict[str, Any] = {
        "lever": lever.value,
        "value": draw(st.sampled_from([rule.low, rule.high]) | st.floats(rule.low, rule.high)),
        "start": months.after(plan.start, start),
        "ramp": draw(st.integers(0, plan.horizon)),
    }
    if draw(st.booleans()):
        setting["end"] = months.after(plan.start, draw(st.integers(start, plan.horizon)))
    if lever != Lever.DEPARTMENT_CAPACITY:
        setting["zones"] = draw(some(plan.zone_ids()))
    names = {
        "sectors": [name for name, base in economy.sectors.items() if base.adopts],
        "measures": plan.measure_ids(),
        "departments": [department.id for department in plan.departments],
    }
    if lever in SCOPES:
        setting[SCOPES[lever]] = draw(some(names[SCOPES[lever]]))
    return setting


@st.composite
def shocks(draw: st.DrawFn, inputs: Inputs) -> dict[str, Any]:
    plan = inputs.plan
    return {
        "id": draw(st.sampled_from(["slump", "boom", "closed_port"])),
        "name": NAME,
        "start": months.after(plan.start, draw(st.integers(1, plan.horizon))),
        "length": draw(st.integers(1, plan.horizon)),
        "size": draw(st.sampled_from([-0.95, 3.0]) | st.floats(-0.95, 3.0)),
        "size_sd": draw(st.sampled_from([0.0, 0.3, 1.0])),
        "recovery": draw(st.floats(0, 1)),
        "recovery_months": draw(st.integers(1, plan.horizon)),
        "sectors": draw(some(plan.sector_ids())),
        "zones": draw(some(plan.zone_ids())),
    }


@st.composite
def scenarios(draw: st.DrawFn, inputs: Inputs) -> dict[str, Any]:
    """What a scenario file holds beside its names."""
    measures = st.sampled_from(inputs.plan.measure_ids())
    return {
        "levers": draw(st.lists(lever_settings(inputs), max_size=6)),
        "shocks": draw(st.lists(shocks(inputs), max_size=2, unique_by=lambda shock: shock["id"])),
        "priorities": draw(st.dictionaries(measures, st.floats(-10, 10))),
    }


def with_fields(inputs: Inputs, fields: dict[str, Any]) -> Inputs:
    read = {
        "levers": [LeverSetting.model_validate(one) for one in fields["levers"]],
        "shocks": [Shock.model_validate(one) for one in fields["shocks"]],
        "priorities": fields["priorities"],
    }
    return replace(inputs, scenario=inputs.scenario.model_copy(update=read))


@st.composite
def districts(draw: st.DrawFn, path: Path = SMALL) -> District:
    """A district at its start: a scenario, a run, and parameters as drawn or at their ends."""
    inputs = inputs_of(path)
    fields, seed = draw(scenarios(inputs)), draw(st.integers(0, 2**32))
    runner = Runner(with_fields(inputs, fields), seed)
    run, table = draw(st.integers(0, 10**6)), runner.parameters
    ranges = [(entry.parameter.low, entry.parameter.high) for entry in table.entries]
    low, high = np.array(ranges).T
    where = draw(st.sampled_from(["as drawn", "low", "high", "at either end"]))
    if where == "as drawn":
        values = table.draw(runner.seed, run)
    elif where == "at either end":
        bits = draw(st.integers(0, 2 ** len(ranges) - 1))
        values = np.where([bits >> place & 1 for place in range(len(ranges))], high, low)
    else:
        values = low if where == "low" else high
    note(f"seed {seed}, run {run}, parameters {where}, {fields}")
    return District(runner.blueprint, table.arranged(values), Draws(runner.seed, run))


# A month of a district, and the state that it found


@dataclass(frozen=True)
class Before:
    """The state at the end of the month before; of firms, over the slots of this month."""

    firms: SimpleNamespace
    zones: Any
    parks: Any
    departments: Any
    projects: Any
    people: float


Check = Callable[[District, Before], None]
CHECKS: list[Check] = []


def stepped(district: District) -> Iterator[Before]:
    """Step to the end, and give after each month what stood before it."""
    while district.month < district.blueprint.horizon:
        district.columns.reveal(district.month + 1)
        firms = {name: getattr(district.columns, name).copy() for name in COLUMNS}
        before = Before(
            SimpleNamespace(**firms),
            deepcopy(district.zones),
            deepcopy(district.park_columns),
            deepcopy(district.department_columns),
            deepcopy(district.projects),
            people(district),
        )
        district.step()
        yield before


def every_month(check: Check) -> Callable[[], None]:
    """A test that something holds after each month of any district."""
    CHECKS.append(check)

    def test(district: District) -> None:
        for before in stepped(district):
            check(district, before)

    test.__name__, test.__qualname__ = check.__name__, check.__qualname__
    return bounded(given(district=districts())(test))


def run_through(district: District) -> District:
    """The same district at its end, with all that must hold each month held."""
    for before in stepped(district):
        for check in CHECKS:
            check(district, before)
    return district


def people(district: District) -> float:
    """Skilled people of the district, at work or looking for a post."""
    return float(district.zones.seekers.sum() + district.columns.staff.sum(dtype=float))


def in_zones(zone: Column, district: District) -> Floats:
    """How many there are in each zone."""
    return np.bincount(zone, minlength=district.blueprint.shape[0]).astype(float)


def by_cell(cell: Column, values: Column, district: District) -> Floats:
    """Sums by zone and sector."""
    shape = district.blueprint.shape
    return np.bincount(cell, values, shape[0] * shape[1]).reshape(shape)


def recorded(district: District, name: str) -> Floats:
    """What this month alone adds to an indicator, by zone."""
    return district.series[district.month, district.indicators.index(name)]


# Stocks equal flows


@every_month
def test_firms_change_by_foundings_and_closures_alone(district: District, before: Before) -> None:
    firms, zones = district.columns, district.zones
    was, active = before.firms.state == ACTIVE, firms.state == ACTIVE
    entries = in_zones(firms.zone[active & ~was], district)
    exits = in_zones(firms.zone[was & ~active], district)
    assert np.array_equal(zones.entries - before.zones.entries, entries)
    assert np.array_equal(zones.exits - before.zones.exits, exits)
    stock = before.zones.firms.sum(axis=1) + entries - exits
    assert np.array_equal(in_zones(firms.zone[active], district), stock)
    assert np.array_equal(recorded(district, "firms"), stock)
    in_cells = by_cell(firms.cell[active], firms.alive[active], district)
    assert np.array_equal(zones.firms, in_cells)


@every_month
def test_a_firm_starts_once_or_never_and_closes_for_good(
    district: District, before: Before
) -> None:
    allowed = {
        POTENTIAL: {ACTIVE, REFUSED},
        ACTIVE: {ACTIVE, EXITED},
        EXITED: {EXITED},
        REFUSED: {REFUSED},
    }
    firms = district.columns
    for then, now in set(zip(before.firms.state.tolist(), firms.state.tolist(), strict=True)):
        assert now in allowed[then]
    idle = firms.state != ACTIVE
    assert np.array_equal(firms.alive == 0, idle)
    for name in ("revenue", "staff", "projects", "adopting"):
        assert not getattr(firms, name)[idle].any(), name


@every_month
def test_skilled_people_change_by_arrivals_and_departures_alone(
    district: District, before: Before
) -> None:
    zones, firms, p = district.zones, district.columns, district.parameters.talent
    left = before.zones.staff.sum(axis=1) * p.attrition
    gone = (left + dismissed(district, before)) * p.leave_district
    np.testing.assert_allclose(zones.departures, gone, rtol=SINGLE)
    expected = before.people + zones.arrivals.sum() - zones.departures.sum()
    assert people(district) == pytest.approx(expected, rel=SINGLE)
    np.testing.assert_allclose(zones.staff, by_cell(firms.cell, firms.staff, district), rtol=SINGLE)
    assert np.array_equal(recorded(district, "arrivals"), zones.arrivals)
    assert np.array_equal(recorded(district, "displaced_arrivals"), zones.displaced)
    assert (zones.displaced <= zones.arrivals).all()


def dismissed(district: District, before: Before) -> Floats:
    """A part of the staff that firms no longer want once leavers are gone, by zone."""
    firms, p = before.firms, district.parameters.talent
    desired = district.staff_per_revenue.ravel()[firms.cell] * firms.revenue
    beyond = np.maximum(firms.staff * (1.0 - p.attrition) - desired, 0.0) * p.dismissal
    return by_cell(firms.cell, beyond, district).sum(axis=1)


@every_month
def test_revenue_is_that_of_the_firms_at_work(district: District, before: Before) -> None:
    firms = district.columns
    part = np.where(firms.is_ai, 1.0, firms.ai_share)
    for target in district.blueprint.plan.targets:
        if target.quantity == Quantity.AI_REVENUE:
            total = by_cell(firms.cell, firms.revenue * part, district).sum(axis=1)
            np.testing.assert_allclose(recorded(district, target.id), total, rtol=SINGLE)
    total = by_cell(firms.cell, firms.revenue, district).sum(axis=1)
    np.testing.assert_allclose(recorded(district, "revenue"), total, rtol=SINGLE)


@every_month
def test_a_flow_is_the_sum_of_its_last_twelve_months(district: District, before: Before) -> None:
    base, month = district.blueprint.base, district.month
    year = district.outcome().series[month]
    kinds = list(indicators(district.blueprint).values())
    months_before = range(1, 12 - month + 1) if month < 12 else []
    for place in (n for n, kind in enumerate(kinds) if kind == "flow"):
        since = district.series[max(month - 11, 0) : month + 1, place].sum(axis=0)
        if not months_before:
            np.testing.assert_allclose(year[place, :-1], since, rtol=1e-9, atol=1e-9)
        elif district.indicators[place] == "revenue":
            earlier = sum(base.revenue_before(back).sum(axis=1) for back in months_before[:-1])
            np.testing.assert_allclose(year[place, :-1], since + earlier, rtol=1e-9)


@every_month
def test_what_is_counted_from_the_start_is_whole_and_never_falls(
    district: District, before: Before
) -> None:
    kinds = list(indicators(district.blueprint).values())
    counts = [place for place, kind in enumerate(kinds) if kind == "count"]
    now = district.series[district.month, counts]
    assert (now >= district.series[district.month - 1, counts]).all()
    zones = district.zones
    for name in ("key_technologies", "landmark_results", "standards", "scenarios", "models"):
        values = getattr(zones, name)
        assert (values >= getattr(before.zones, name)).all(), name
        assert np.array_equal(values, np.round(values)), name
    assert zones.landmark_results.sum() <= zones.key_technologies.sum()
    assert zones.models.sum() == district.projects.is_model.sum()


@every_month
def test_a_technology_and_a_scenario_propose_one_standard_at_most(
    district: District, before: Before
) -> None:
    zones, parks = district.zones, district.park_columns
    assert (zones.proposed >= before.zones.proposed).all()
    assert (zones.proposed[:, 0] <= zones.key_technologies).all()
    assert (zones.proposed[:, 1] <= zones.scenarios.sum(axis=1)).all()
    of_platforms = zones.standards - zones.proposed.sum(axis=1)
    more = of_platforms - before.zones.standards + before.zones.proposed.sum(axis=1)
    assert (more >= 0).all()
    assert not more[in_zones(parks.zone[before.parks.open_platforms > 0], district) == 0].any()


# What is spent is each lever times what it pays for


@every_month
def test_each_item_costs_its_price_times_what_was_bought(
    district: District, before: Before
) -> None:
    levers = district.blueprint.economy.levers
    bought = quantities(district, before)
    assert set(bought) == set(ITEMS)
    spent = district.outcome().costs[district.month]
    for item, quantity in bought.items():
        price = levers[item].unit_cost.value if item in levers else 1.0
        paid = spent[ITEMS.index(item)]
        np.testing.assert_allclose(paid, price * quantity, rtol=1e-4, atol=1e-9, err_msg=item)


def quantities(district: District, before: Before) -> dict[str, Floats]:
    """What was paid for this month by item and zone, in units of the lever."""
    blueprint, parks = district.blueprint, district.park_columns
    level = {lever: blueprint.levers[lever][district.month] for lever in Lever}
    monthly = [lever for lever in Lever if blueprint.economy.levers[lever].driver]
    monthly.append(Lever.DATA_PORT_OPENNESS)
    founded = parks.founding + parks.open_platforms
    founded -= before.parks.founding + before.parks.open_platforms
    cost = district.parameters.platforms.founding_cost
    return {
        PLATFORM_ITEM: cost * np.bincount(parks.zone, founded, blueprint.shape[0]),
        Lever.TALENT_SUBSIDY: level[Lever.TALENT_SUBSIDY] * eligible_arrivals(district),
        Lever.RENT_RELIEF: level[Lever.RENT_RELIEF] * full_rents(district, before),
        Lever.SCENARIO_FUNDING: grants(district, before),
        Lever.MEASURE_INTENSITY: measures_under_way(district),
        Lever.DEPARTMENT_CAPACITY: added_staff(district),
    } | {lever: level[lever] / 12 for lever in monthly}


def eligible_arrivals(district: District) -> Floats:
    """Of those who came to each zone, those who can have the subsidy: the rest came without it."""
    zones, drivers, p = district.zones, district.drivers, district.parameters.talent
    others = p.policy_effect * drivers.zone(Driver.TALENT_INFLOW)
    others = others + p.connectivity_effect * drivers.zone(Driver.CONNECTIVITY)
    return zones.arrivals * (1.0 - (1.0 - p.eligible) / np.exp(zones.pull - others))


def full_rents(district: District, before: Before) -> Floats:
    """A month's rent in each zone without relief, by the firms that were there before it."""
    plan, p = district.blueprint.parks, district.parameters.parks
    housed = before.firms.park[before.firms.state == ACTIVE]
    count = np.bincount(housed, minlength=len(plan.zone))
    filled = count / np.maximum(district.park_columns.capacity, 1.0)
    rent = np.exp(p.rent_response * (filled - p.normal_occupancy)) * p.annual_rent / 12
    return np.bincount(plan.zone, count * rent, district.blueprint.shape[0])


def measures_under_way(district: District) -> Floats:
    """A twelfth of each measure's cost where it has reach, by firms there, times its intensity."""
    blueprint, plan = district.blueprint, district.blueprint.plan
    total = np.zeros(len(plan.zones))
    for row, measure in enumerate(plan.measures):
        reach = np.array([plan.reach_of(measure, zone.id) for zone in plan.zones])
        served = reach * blueprint.base.firms.sum(axis=1)
        if months.between(plan.start, measure.start) <= district.month and served.any():
            cost = measure.annual_cost.value / 12 * served / served.sum()
            total += cost * blueprint.measures.intensity[district.month, row]
    return total


def added_staff(district: District) -> Floats:
    """A twelfth of departments' capacity beyond the plan's; the district's is split by firms.

    What is not there saves nothing: posts are filled again, or their work is bought.
    """
    blueprint, plan = district.blueprint, district.blueprint.plan
    total = np.zeros(len(plan.zones))
    for row, department in enumerate(plan.departments):
        extra = blueprint.department_capacity[district.month, row] - department.capacity.value
        extra = max(extra, 0.0)
        own = np.array([float(zone.id == department.zone) for zone in plan.zones])
        total += extra / 12 * (own if department.zone else blueprint.firm_share)
    return total


def grants(district: District, before: Before) -> Floats:
    """A grant for each project awarded this month, by the odds that its call was a funded one.

    Some funded calls would have been posted anyway, and some own ones give way to funded ones.
    """
    blueprint, firms, p = district.blueprint, district.columns, district.parameters.calls
    projects, shape = district.projects, blueprint.shape
    older = np.count_nonzero(before.projects.end > district.month)
    ready = 4 * firms.maturity.astype(float) * (1 - firms.maturity)
    ready *= (before.firms.state == ACTIVE) & firms.adopts
    ready[projects.adopter[:older]] = 0
    in_cell = by_cell(before.firms.cell, ready, district)
    peers = before.zones.ai_adoption / np.maximum(before.zones.firms, 1)
    push = p.peer_effect * peers + p.demand_effect * district.drivers.cell(Driver.DEMAND)
    own = p.hazard / 12 * np.exp(push)
    grant = blueprint.economy.levers[Lever.SCENARIO_FUNDING].strength.value
    offered = blueprint.funding[district.month] / grant / 12
    offered = np.divide(offered, in_cell, out=np.zeros(shape), where=in_cell > 0)
    funded = p.take_up * (1 - np.exp(-offered / p.take_up))
    added = funded * (1 - p.deadweight)
    own = own * (1 - p.crowding_out * added / np.maximum(own + added, 1e-300))
    odds = np.divide(funded, own + added, out=np.zeros(shape), where=own + added > 0)
    odds = np.minimum(odds, 1.0)
    caller = before.firms.cell[projects.adopter[older:]]
    calls = by_cell(caller, np.ones(len(caller)), district)
    return grant * (odds * calls).sum(axis=1)


# Nothing leaves its bounds


def books(district: District) -> dict[str, Column]:
    """Every number that the district keeps, by where it stands."""
    parts = {
        "firms": {name: getattr(district.columns, name) for name in COLUMNS},
        "zones": vars(district.zones),
        "parks": vars(district.park_columns),
        "departments": vars(district.department_columns),
        "drivers": vars(district.drivers),
        "projects": vars(district.projects),
        "research": vars(district.research),
        "technologies": vars(district.research.technologies),
        "momentum": vars(district.momentum),
        "cycle": vars(district.cycle),
        "recorded": {"series": district.series, "costs": district.costs},
    }
    numbers = {
        f"{part} {name}": values
        for part, columns in parts.items()
        for name, values in columns.items()
        if isinstance(values, np.ndarray)
    }
    bound = district.blueprint.base.capacity_bound
    numbers["zones output_capacity"] = district.zones.output_capacity[:, bound]
    return numbers


MAY_BE_NEGATIVE = {
    *(f"firms {name}" for name in ("founded", "log_revenue", "trend", "staffing", "one_off")),
    "firms standing",  # a technology is a level that is still to come
    *(f"zones {name}" for name in ("log_revenue", "sums", "pull", "talent_quality")),
    *(f"momentum {name}" for name in ("mean_log", "first_log", "usual", "last")),
    *(f"cycle {name}" for name in ("sector", "sector_growth", "growth", "shock_size")),
}
FROM_MINUS_ONE = {"firms zone", "firms park", "projects first_adopter"}  # −1: none
SHARES = {
    *(f"firms {name}" for name in ("capability", "maturity", "ai_share", "alive", "youth")),
    *(f"zones {name}" for name in ("fill_rate", "policy_openness", "openness", "data_access")),
    "zones data_used",
    *(f"parks {name}" for name in ("service", "focus")),
    *(f"departments {name}" for name in ("attention", "progress")),
    *(f"drivers {name}" for name in ("by_cell", "by_zone")),
    "research kept",
}


@every_month
def test_no_number_is_missing_or_endless_or_below_nothing(
    district: District, before: Before
) -> None:
    for name, values in books(district).items():
        assert np.isfinite(values).all(), name
        if name not in MAY_BE_NEGATIVE:
            assert values.min(initial=0) >= -(name in FROM_MINUS_ONE) - ROUNDING, name
    assert (district.columns.staffing <= 0).all()
    assert (district.columns.zone[district.columns.state == ACTIVE] >= 0).all()


@every_month
def test_shares_stay_between_nothing_and_all(district: District, before: Before) -> None:
    numbers, links = books(district), district.blueprint.links
    for name in SHARES:
        assert numbers[name].min(initial=0) >= 0, name
        assert numbers[name].max(initial=0) <= 1, name
    attention = np.bincount(links.pair_department, district.department_columns.attention)
    assert attention.max(initial=0) <= 1 + ROUNDING
    assert ((district.zones.wage_index >= 0.5) & (district.zones.wage_index <= 2)).all()
    assert (district.zones.cross_border <= district.zones.data_volume).all()


@every_month
def test_progress_never_falls_and_begins_with_its_measure(
    district: District, before: Before
) -> None:
    progress = district.department_columns.progress
    assert (progress >= before.departments.progress).all()
    assert not progress[district.blueprint.measures.start > district.month].any()


@every_month
def test_no_park_holds_more_than_it_has_places_for(district: District, before: Before) -> None:
    firms, parks = district.columns, district.park_columns
    active = firms.state == ACTIVE
    housed = np.bincount(firms.park[active], minlength=len(parks.zone))
    assert np.array_equal(parks.occupied, housed)
    assert (parks.occupied <= parks.capacity).all()
    assert np.array_equal(parks.zone[firms.park[active]], firms.zone[active])
    platforms = parks.founding + parks.open_platforms
    assert (platforms <= district.blueprint.parks.platforms).all()


@every_month
def test_firms_that_were_there_before_produce_no_more_than_plants_can(
    district: District, before: Before
) -> None:
    firms, bound = district.columns, district.blueprint.base.capacity_bound
    stayed = (before.firms.state == ACTIVE) & (firms.cell == before.firms.cell)
    output = by_cell(firms.cell, firms.revenue * stayed, district)
    capacity = district.zones.output_capacity
    assert (output[:, bound] <= capacity[:, bound] * (1 + SINGLE)).all()
    assert np.isinf(capacity[:, ~bound]).all()


@every_month
def test_the_district_is_the_sum_or_the_mean_of_its_zones(
    district: District, before: Before
) -> None:
    now = district.outcome().series[district.month]
    quantity = {target.id: target.quantity for target in district.blueprint.plan.targets}
    for (name, kind), row in zip(indicators(district.blueprint).items(), now, strict=True):
        zones, whole = row[:-1], row[-1]
        if quantity.get(name) == Quantity.MODEL_SECTORS:
            assert zones.max() <= whole <= zones.sum(), name
        elif kind != "level":
            assert whole == pytest.approx(zones.sum(), rel=1e-9), name
        elif district.blueprint.firm_share.any():  # else there is nothing to weigh zones by
            assert zones.min() - ROUNDING <= whole <= zones.max() + ROUNDING, name


# What the tests above make up is fair, and so are the tables that they start from


@bounded
@given(fields=scenarios(inputs_of(SMALL)))
def test_what_is_made_up_here_is_what_a_scenario_file_may_hold(
    fields: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    names = {"id": "trial", "name": NAME, "question": NAME}
    files = {name: str(SMALL.parent / f"{name}.yaml") for name in ("plan", "economy")}
    path = tmp_path_factory.mktemp("trial") / "scenario.yaml"
    path.write_text(yaml.safe_dump(names | files | fields, allow_unicode=True), encoding="utf-8")
    scenario = read_scenario(path).scenario
    made = with_fields(inputs_of(SMALL), fields).scenario
    assert (scenario.levers, scenario.shocks) == (made.levers, made.shocks)
    assert scenario.priorities == made.priorities


@pytest.mark.parametrize("name", ["real", "small"])
def test_what_sectors_buy_is_what_their_suppliers_sell(
    request: pytest.FixtureRequest, name: str
) -> None:
    runner: Runner = request.getfixturevalue(name)
    economy, sectors = runner.inputs.economy, runner.inputs.plan.sector_ids()
    revenue = runner.blueprint.base.revenue.sum(axis=0)
    bought = np.zeros((len(sectors), len(sectors)))
    for buyer, purchases in economy.technical_coefficients.items():
        for supplier, coefficient in purchases.items():
            place = sectors.index(supplier), sectors.index(buyer)
            bought[place] = coefficient.value * economy.sectors[buyer].revenue.value
    sold = runner.blueprint.sales_share * revenue[:, None]
    np.testing.assert_allclose(sold, bought, rtol=1e-9)
    assert (bought.sum(axis=0) < revenue).all()
    assert (bought.sum(axis=1) < revenue).all()


@settings(bounded, max_examples=10)
@given(district=districts(REAL))
def test_all_of_this_holds_in_the_real_plan(district: District) -> None:
    run_through(district)


# At the ends of what can be


Variant = Callable[..., Path]


def at_its_end(path: Path, run: int = 0) -> District:
    return run_through(Runner(read_scenario(path), seed=1).district(run))


def no_firms(economy: dict[str, Any]) -> None:
    for sector in economy["sectors"].values():
        sector |= {"firms": 0, "revenue": 0, "staff": 0}


def test_a_district_without_firms_stays_without(small_scenario: Path, variant: Variant) -> None:
    district = at_its_end(variant(small_scenario, economy=no_firms))
    assert not recorded(district, "firms").any()
    assert not district.outcome().series[:, district.indicators.index("revenue")].any()
    within_reach = district.blueprint.measures.reach > 0
    assert (district.department_columns.progress > 0).tolist() == within_reach.tolist()


def none_at_the_airfield(economy: dict[str, Any]) -> None:
    for sector in economy["sectors"].values():
        zones = sector["zones"]
        for total, share in zones.pop("airfield").items():
            zones["old_docks"][total] += share


def test_a_zone_without_firms_has_nobody_until_some_come(
    small_scenario: Path, variant: Variant
) -> None:
    path = variant(small_scenario, economy=none_at_the_airfield)
    airfield = read_scenario(path).plan.zone_ids().index("airfield")
    some = 0
    for run in range(5):
        district = at_its_end(path, run)
        entries = district.series[:, district.indicators.index("entries"), airfield]
        first = int((np.append(entries, 1) > 0).argmax())
        for name in ("firms", "skilled_staff", "revenue", "arrivals"):
            there = district.series[:first, district.indicators.index(name), airfield]
            assert not there.any(), name
        some += recorded(district, "firms")[airfield] > 0
    assert some > 0


def one_zone(data: dict[str, Any]) -> None:
    """A plan or economy whose whole is its first zone."""
    here = "north_bank"
    for kind in ("zones", "parks"):
        if kind in data:
            data[kind] = [r for r in data[kind] if here in (r["id"], r.get("zone"))]
    for measure in data.get("measures", []):
        measure["reach"] = {here: 1}
    for department in data.get("departments", []):
        department.pop("zone", None)
    for target in data.get("targets", []):
        target["shares"] = {here: 1}
    if "distances" in data:
        data["distances"] = {}
        for sector in data["sectors"].values():
            sector["zones"] = {here: {"firms": 1, "revenue": 1, "staff": 1}}
        for rule in data["levers"].values():
            rule["baseline"] = {here: rule["baseline"]["elsewhere"]}


def test_a_district_of_one_zone_is_that_zone(small_scenario: Path, variant: Variant) -> None:
    district = at_its_end(variant(small_scenario, plan=one_zone, economy=one_zone))
    series = district.outcome().series
    assert series.shape[2] == 2
    np.testing.assert_allclose(series[..., 0], series[..., 1], rtol=1e-12)


def all_levers(end: str) -> Callable[[dict[str, Any]], None]:
    levers = inputs_of(SMALL).economy.levers

    def pull(scenario: dict[str, Any]) -> None:
        scenario["levers"] = [
            {"lever": lever, "value": getattr(rule, end)} for lever, rule in levers.items()
        ]

    return pull


def test_with_every_lever_at_nothing_nothing_is_done_and_nothing_is_spent(
    small_scenario: Path, variant: Variant
) -> None:
    district = at_its_end(variant(small_scenario, scenario=all_levers("low")))
    assert not district.department_columns.progress.any()
    assert not district.drivers.by_cell.any()
    by_item = dict(zip(ITEMS, district.costs.sum(axis=(0, 2)), strict=True))
    assert by_item.pop(PLATFORM_ITEM) >= 0
    assert not any(by_item.values())


def test_with_every_lever_at_its_most_all_cost_and_nothing_breaks(
    small: Runner, small_scenario: Path, variant: Variant
) -> None:
    district = at_its_end(variant(small_scenario, scenario=all_levers("high")))
    assert (district.costs.sum(axis=(0, 2)) > 0).all()
    plain = run_through(small.district(0))
    assert recorded(district, "entries").sum() > recorded(plain, "entries").sum()
    assert (recorded(district, "data_access") > recorded(plain, "data_access")).all()


@pytest.mark.parametrize("size", [-0.9, 2.0], ids=["a slump to a tenth", "a boom to the triple"])
def test_a_blow_to_everything_passes_through_to_revenue(
    small: Runner, small_scenario: Path, variant: Variant, size: float
) -> None:
    def strike(scenario: dict[str, Any]) -> None:
        blow = {"id": "blow", "name": NAME, "start": "2025-01", "length": 1, "size": size}
        scenario["shocks"] = [blow]

    struck, spared = at_its_end(variant(small_scenario, scenario=strike)), small.district(0)
    spared.run()
    month = small.blueprint.months().index("2025-01")
    place = small.inputs.plan.target_ids().index("smart_turnover")  # not bound by capacity
    ratio = struck.series[:, place].sum(axis=1) / spared.series[:, place].sum(axis=1)
    assert (ratio[:month] == 1).all()
    assert ratio[month] == pytest.approx(1 + size, rel=0.05)


def one_month(plan: dict[str, Any]) -> None:
    end = plan["end"] = "2024-07"
    for target in plan["targets"]:
        target |= {"deadline": end, "milestones": {end: 1}}
    for measure in plan["measures"]:
        measure |= {"start": end, "milestones": {end: 0.1}}
    for park in plan["parks"]:
        park.pop("opens", None)


def test_a_plan_of_one_month_has_one_month(small_scenario: Path, variant: Variant) -> None:
    district = at_its_end(variant(small_scenario, plan=one_month))
    assert district.month == 1
    assert district.outcome().series.shape[0] == 2
    assert district.department_columns.progress.any()


def nobody_dares(economy: dict[str, Any]) -> None:
    economy["parameters"]["lifecycle"]["acceptance"] |= {"value": 0, "low": 0}


def test_where_every_founder_is_refused_firms_only_close(
    small_scenario: Path, variant: Variant
) -> None:
    district = at_its_end(variant(small_scenario, economy=nobody_dares))
    firms = district.columns
    assert recorded(district, "firms").sum() == 300 - recorded(district, "exits").sum() < 300
    assert set(firms.state[firms.at_start :]) == {REFUSED}
    assert firms.slots > 400


def no_place_to_spare(plan: dict[str, Any]) -> None:
    plan["parks"] = [park | {"capacity": 1} for park in plan["parks"] if park.get("general")]


def test_where_every_park_is_full_a_firm_starts_only_where_one_has_left(
    small_scenario: Path, variant: Variant
) -> None:
    district = Runner(read_scenario(variant(small_scenario, plan=no_place_to_spare)), 1).district(0)
    parks = district.park_columns
    assert np.array_equal(parks.occupied, parks.capacity)
    run_through(district)
    firms, entries, exits = (recorded(district, n) for n in ("firms", "entries", "exits"))
    assert np.array_equal(firms <= parks.capacity, [True] * 3)
    assert 0 < entries.sum() <= exits.sum()


def nobody_in_office(plan: dict[str, Any]) -> None:
    for department in plan["departments"]:
        department["capacity"] = 0


def test_without_hands_in_any_department_nothing_gets_done(
    small_scenario: Path, variant: Variant
) -> None:
    district = at_its_end(variant(small_scenario, plan=nobody_in_office))
    assert district.department_columns.progress.max() < 1e-6
    assert district.drivers.by_cell.max() < 1e-6


def progress_with(inputs: Inputs, seed: int, **setting: Any) -> Floats:
    """How far each measure is at the end over the zones that it serves, with one lever set."""
    levers = [LeverSetting.model_validate(setting)]
    scenario = inputs.scenario.model_copy(update={"levers": levers})
    district = Runner(replace(inputs, scenario=scenario), seed).district(0)
    while district.month < district.blueprint.horizon:
        district.step()
    return (district.department_columns.progress * district.work.share).sum(axis=1)


@settings(bounded, max_examples=15)
@given(data=st.data(), seed=st.integers(0, 2**32))
def test_a_department_with_more_staff_never_does_less(data: st.DataObject, seed: int) -> None:
    inputs = inputs_of(SMALL)
    who = data.draw(st.sampled_from([department.id for department in inputs.plan.departments]))
    staff = [0.0, 0.001, data.draw(st.floats(0.01, 1)), 1.0]  # times the plan's
    done = [
        progress_with(inputs, seed, lever="department_capacity", value=value, departments=[who])
        for value in staff
    ]
    assert (np.diff(done, axis=0) >= -ROUNDING).all()
    assert (done[-1] > done[0]).any()


@settings(bounded, max_examples=15)
@given(data=st.data(), seed=st.integers(0, 2**32))
def test_a_measure_with_more_money_never_gets_less_far(data: st.DataObject, seed: int) -> None:
    inputs = inputs_of(SMALL)
    place = data.draw(st.integers(0, len(inputs.plan.measures) - 1))
    name = inputs.plan.measures[place].id
    money = [0.0, 0.001, data.draw(st.floats(0.01, 1)), 1.0, 2.0]  # times the plan's
    done = [
        progress_with(inputs, seed, lever="measure_intensity", value=value, measures=[name])[place]
        for value in money
    ]
    assert (np.diff(done, axis=0) >= -ROUNDING).all()
    assert done[0] == 0
    assert done[-1] > done[1]


def test_without_policy_and_shocks_about_half_of_the_posts_are_filled(real: Runner) -> None:
    off = LeverSetting(lever=Lever.MEASURE_INTENSITY, value=0)
    scenario = real.inputs.scenario.model_copy(update={"levers": [off], "shocks": []})
    runner = Runner(replace(real.inputs, scenario=scenario), seed=1)
    runs = [runner.run(run).series for run in range(12)]
    filled = np.mean(runs, axis=0)[:, list(indicators(runner.blueprint)).index("fill_rate"), -1]
    assert ((filled > 0.3) & (filled < 0.7)).all()


def test_open_data_without_trust_give_the_access_that_openness_alone_gives(
    small_scenario: Path, variant: Variant
) -> None:
    def open_up(scenario: dict[str, Any]) -> None:
        scenario["levers"] = [{"lever": "data_port_openness", "value": 1}]

    district = at_its_end(variant(small_scenario, scenario=open_up), run=2)
    assert not district.drivers.zone(Driver.TRUST).any()
    p = district.parameters.drivers
    assert (district.zones.policy_openness == 1).all()
    openness = district.zones.openness
    assert set(openness.tolist()) <= {1.0, 1.0 - p.setback}  # in a setback, some of it is lost
    assert district.zones.data_access == pytest.approx(p.access_without_trust * openness)
    assert recorded(district, "data_incidents").sum() > 0


# What does not hold yet


def test_output_at_the_end_of_a_month_is_no_more_than_plants_can(small: Runner) -> None:
    for run in range(10):
        district = Runner(small.inputs, seed=246).district(run)
        for _ in stepped(district):
            assert (district.zones.revenue <= district.zones.output_capacity * (1 + SINGLE)).all()


def test_a_sector_far_from_the_frontier_stays_above_nothing(
    small_scenario: Path, variant: Variant
) -> None:
    def lag(economy: dict[str, Any]) -> None:
        economy["sectors"]["learning_systems"]["capability"] = 0.001

    at_its_end(variant(small_scenario, economy=lag))


def test_a_sector_without_revenue_is_not_swept_up_by_its_customers(
    small: Runner, small_scenario: Path, variant: Variant
) -> None:
    def sell_nothing(economy: dict[str, Any]) -> None:
        economy["sectors"]["textiles"]["revenue"] = 0

    path = variant(small_scenario, economy=sell_nothing)
    for run in range(3):
        revenue = recorded(at_its_end(path, run), "revenue").sum()
        assert revenue < 2 * recorded(run_through(small.district(run)), "revenue").sum()


def test_a_lever_below_its_baseline_lowers_no_driver_below_nothing(
    small_scenario: Path, variant: Variant
) -> None:
    def start_high(economy: dict[str, Any]) -> None:
        economy["levers"]["compute_vouchers"]["baseline"] = {"elsewhere": 40}

    def set_low(scenario: dict[str, Any]) -> None:
        scenario["levers"] = [{"lever": "compute_vouchers", "value": 0}]

    at_its_end(variant(small_scenario, economy=start_high, scenario=set_low))


@pytest.mark.parametrize("lever", ["measure_intensity", "department_capacity"])
def test_a_plan_that_starts_from_less_than_itself_is_refused(
    small_scenario: Path, variant: Variant, lever: str
) -> None:
    def start_lower(economy: dict[str, Any]) -> None:
        economy["levers"][lever]["baseline"] = {"elsewhere": 0.5}

    with pytest.raises(EconomyError, match="allowed: 1, which is as planned"):
        read_scenario(variant(small_scenario, economy=start_lower))
