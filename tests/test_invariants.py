"""Whatever a scenario sets and whatever luck a run meets, the books balance and nothing leaves
its bounds, in any month."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sim import months
from sim.blueprint import Floats
from sim.draws import Draws
from sim.economy import Lever
from sim.firms import ACTIVE, COLUMNS, EXITED, POTENTIAL, REFUSED, Column
from sim.model import District
from sim.plan import Driver, Quantity
from sim.processes.accounts import indicators
from sim.runner import Runner
from sim.scenario import Inputs, LeverSetting, Scenario, Shock, read_scenario
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

bounded = settings(
    max_examples=25,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@cache
def inputs_of(path: Path) -> Inputs:
    return read_scenario(path)


# What a planner may set, what may hit from outside, and what a run may meet.


def some(names: list[str]) -> st.SearchStrategy[list[str]]:
    """A few of them; none stands for all."""
    return st.lists(st.sampled_from(names), unique=True, max_size=len(names))


@st.composite
def lever_settings(draw: st.DrawFn, inputs: Inputs) -> dict[str, Any]:
    """One lever at a value within its bounds, somewhere, from some month, for some time."""
    plan, economy = inputs.plan, inputs.economy
    lever = draw(st.sampled_from(Lever))
    rule = economy.levers[lever]
    ends = st.sampled_from([rule.low, rule.high])
    setting: dict[str, Any] = {
        "lever": lever.value,
        "value": draw(ends | st.floats(rule.low, rule.high)),
        "ramp": draw(st.integers(0, plan.horizon)),
    }
    if lever != Lever.DEPARTMENT_CAPACITY:
        setting["zones"] = draw(some(plan.zone_ids()))
    if lever in SCOPES:
        names = {
            "sectors": [name for name, base in economy.sectors.items() if base.adopts],
            "measures": plan.measure_ids(),
            "departments": [department.id for department in plan.departments],
        }
        setting[SCOPES[lever]] = draw(some(names[SCOPES[lever]]))
    start = draw(st.integers(1, plan.horizon))
    setting["start"] = months.after(plan.start, start)
    if draw(st.booleans()):
        setting["end"] = months.after(plan.start, draw(st.integers(start, plan.horizon)))
    return setting


@st.composite
def shocks(draw: st.DrawFn, inputs: Inputs) -> dict[str, Any]:
    plan = inputs.plan
    return {
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
    """The fields of a scenario file beside its names."""
    blows = draw(st.lists(shocks(inputs), max_size=2))
    measures = inputs.plan.measure_ids()
    return {
        "levers": draw(st.lists(lever_settings(inputs), max_size=6)),
        "shocks": [{"id": f"blow_{number}"} | blow for number, blow in enumerate(blows)],
        "priorities": draw(
            st.dictionaries(st.sampled_from(measures), st.floats(-10, 10), max_size=len(measures))
        ),
    }


def with_fields(inputs: Inputs, fields: dict[str, Any]) -> Inputs:
    scenario = inputs.scenario.model_copy(
        update={
            "levers": [LeverSetting.model_validate(one) for one in fields["levers"]],
            "shocks": [Shock.model_validate(one) for one in fields["shocks"]],
            "priorities": fields["priorities"],
        }
    )
    return replace(inputs, scenario=scenario)


@st.composite
def districts(draw: st.DrawFn, path: Path = SMALL) -> District:
    """A district at its start: a scenario, a run, and parameters as drawn or at their ends."""
    inputs = inputs_of(path)
    runner = Runner(with_fields(inputs, draw(scenarios(inputs))), draw(st.integers(0, 2**32)))
    table, run = runner.parameters, draw(st.integers(0, 10**6))
    low, high = (
        np.array([getattr(entry.parameter, end) for entry in table.entries])
        for end in ("low", "high")
    )
    extreme = draw(st.sampled_from(["no", "low", "high", "either"]))
    if extreme == "no":
        values = table.draw(runner.seed, run)
    elif extreme == "either":
        bits = draw(st.integers(0, 2 ** len(low) - 1))
        at_high = np.array([bits >> place & 1 for place in range(len(low))], dtype=bool)
        values = np.where(at_high, high, low)
    else:
        values = low if extreme == "low" else high
    return District(runner.blueprint, table.arranged(values), Draws(runner.seed, run))


any_district = given(district=districts())


# A month of a district, with the state that it found.


@dataclass(frozen=True)
class Before:
    """The state at the end of the month before, over the slots of this month."""

    firms: SimpleNamespace
    zones: Any
    parks: Any
    progress: Floats


def stepped(district: District) -> Iterator[Before]:
    """Step to the end, and give after each month what stood before it."""
    while district.month < district.blueprint.horizon:
        district.columns.reveal(district.month + 1)
        firms = {name: getattr(district.columns, name).copy() for name in COLUMNS}
        before = Before(
            SimpleNamespace(**firms),
            deepcopy(district.zones),
            deepcopy(district.park_columns),
            district.department_columns.progress.copy(),
        )
        district.step()
        yield before


def counted(zone: Column, district: District) -> Floats:
    """How many there are in each zone."""
    return np.bincount(zone, minlength=district.blueprint.shape[0]).astype(float)


def people(district: District) -> float:
    """Skilled people in the district, at work or looking for it."""
    return float(district.zones.seekers.sum() + district.columns.staff.sum(dtype=float))


# Generators keep to the rules


@bounded
@given(fields=scenarios(inputs_of(SMALL)))
def test_what_is_made_up_here_is_what_a_scenario_file_may_hold(
    fields: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = SMALL.parent
    names = {"id": "trial", "name": NAME, "question": NAME}
    files = {name: str(folder / f"{name}.yaml") for name in ("plan", "economy")}
    path = tmp_path_factory.mktemp("trial") / "scenario.yaml"
    path.write_text(yaml.safe_dump(names | files | fields, allow_unicode=True), encoding="utf-8")
    inputs = read_scenario(path)
    made = with_fields(inputs_of(SMALL), fields).scenario
    for field in ("levers", "shocks", "priorities"):
        assert getattr(inputs.scenario, field) == getattr(made, field)


# Stocks equal flows


@bounded
@any_district
def test_the_firms_of_a_zone_change_by_foundings_closures_and_moves_alone(
    district: District,
) -> None:
    for before in stepped(district):
        firms, zones = district.columns, district.zones
        was, active = before.firms.state == ACTIVE, firms.state == ACTIVE
        entered, left = active & ~was, was & ~active
        moved = active & was & (firms.zone != before.firms.zone)
        entries, exits = counted(firms.zone[entered], district), counted(firms.zone[left], district)
        came = counted(firms.zone[moved], district)
        went = counted(before.firms.zone[moved], district)
        assert np.array_equal(zones.entries - before.zones.entries, entries)
        assert np.array_equal(zones.exits - before.zones.exits, exits)
        stock = before.zones.firms.sum(axis=1) + entries - exits + came - went
        assert np.array_equal(zones.firms.sum(axis=1), stock)
        assert np.array_equal(counted(firms.zone[active], district), stock)
        cells = np.bincount(firms.cell[active], minlength=zones.firms.size)
        assert np.array_equal(cells, zones.firms.ravel())


@bounded
@any_district
def test_a_slot_goes_from_potential_to_active_or_refused_and_from_active_to_exited(
    district: District,
) -> None:
    allowed = {
        POTENTIAL: {ACTIVE, REFUSED},
        ACTIVE: {ACTIVE, EXITED},
        EXITED: {EXITED},
        REFUSED: {REFUSED},
    }
    for before in stepped(district):
        steps = set(zip(before.firms.state.tolist(), district.columns.state.tolist(), strict=True))
        assert all(now in allowed[then] for then, now in steps)
        alive = district.columns.alive > 0
        assert np.array_equal(alive, district.columns.state == ACTIVE)
        assert not district.columns.revenue[~alive].any()
        assert not district.columns.staff[~alive].any()


@bounded
@any_district
def test_skilled_people_change_by_arrivals_and_departures_alone(district: District) -> None:
    then = people(district)
    for _ in stepped(district):
        zones, now = district.zones, people(district)
        expected = then + zones.arrivals.sum() - zones.departures.sum()
        assert now == pytest.approx(expected, rel=SINGLE, abs=1e-3)
        staff = np.bincount(district.columns.cell, district.columns.staff, zones.staff.size)
        np.testing.assert_allclose(zones.staff.ravel(), staff, rtol=SINGLE)
        then = now


@bounded
@any_district
def test_what_is_spent_is_each_lever_times_what_it_pays_for(district: District) -> None:
    for before in stepped(district):
        expected = bill(district, before)
        for item, amount in expected.items():
            spent = district.costs[district.month, ITEMS.index(item)]
            np.testing.assert_allclose(spent, amount, rtol=1e-4, atol=1e-9, err_msg=item)
    outcome = district.outcome()
    assert set(expected) == set(ITEMS)
    assert np.array_equal(outcome.costs, district.costs)
    assert not outcome.costs[0].any()


def bill(district: District, before: Before) -> dict[str, Floats]:
    """The month's cost by item and zone, from what the plan and the economy say it should be."""
    blueprint, month = district.blueprint, district.month
    plan, economy, p = blueprint.plan, blueprint.economy, district.parameters
    level = {lever: blueprint.levers[lever][month] for lever in Lever}
    price = {lever: economy.levers[lever].unit_cost.value for lever in Lever}
    zone_count = len(plan.zones)

    park = before.firms.park[before.firms.state == ACTIVE]
    occupied = np.bincount(park, minlength=len(plan.parks))
    room = np.maximum(district.park_columns.capacity, 1.0)
    rent = p.parks.annual_rent / 12 * occupied
    rent = rent * np.exp(p.parks.rent_response * (occupied / room - p.parks.normal_occupancy))
    rents = np.bincount(blueprint.parks.zone, rent, zone_count)

    measures = np.zeros(zone_count)
    for m, measure in enumerate(plan.measures):
        weight = [plan.reach_of(measure, zone.id) for zone in plan.zones] * blueprint.firm_share
        if months.between(plan.start, measure.start) <= month and weight.sum() > 0:
            part = measure.annual_cost.value / 12 * weight / weight.sum()
            measures += part * blueprint.measures.intensity[month, m]

    staff = np.zeros(zone_count)
    for d, department in enumerate(plan.departments):
        extra = blueprint.department_capacity[month, d] - department.capacity.value
        where = np.array([zone.id == department.zone for zone in plan.zones], dtype=float)
        staff += extra / 12 * (where if department.zone else blueprint.firm_share)

    built = [parks.founding + parks.open_platforms for parks in (before.parks, None) if parks]
    founded = district.park_columns.founding + district.park_columns.open_platforms - built[0]
    by_zone = np.bincount(blueprint.parks.zone, founded, zone_count)
    return {
        Lever.TALENT_SUBSIDY: level[Lever.TALENT_SUBSIDY]
        * district.zones.arrivals
        * price[Lever.TALENT_SUBSIDY],
        Lever.DATA_PORT_OPENNESS: level[Lever.DATA_PORT_OPENNESS]
        / 12
        * price[Lever.DATA_PORT_OPENNESS],
        Lever.SCENARIO_FUNDING: grants(district, before) * price[Lever.SCENARIO_FUNDING],
        Lever.MEASURE_INTENSITY: measures * price[Lever.MEASURE_INTENSITY],
        Lever.DEPARTMENT_CAPACITY: staff * price[Lever.DEPARTMENT_CAPACITY],
        Lever.RENT_RELIEF: rents * level[Lever.RENT_RELIEF] * price[Lever.RENT_RELIEF],
        PLATFORM_ITEM: by_zone * p.platforms.founding_cost,
    } | {
        lever: level[lever] / 12 * price[lever] for lever in Lever if economy.levers[lever].driver
    }


def grants(district: District, before: Before) -> Floats:
    """What funded calls cost: a grant for each new project, by the odds that it was funded."""
    blueprint, firms, p = district.blueprint, district.columns, district.parameters.calls
    projects, base, shape = district.projects, blueprint.base, blueprint.shape
    awarded = new_projects(district)
    busy = np.zeros(len(firms), dtype=bool)
    busy[projects.adopter[~awarded]] = True
    ready = 4 * firms.maturity.astype(float) * (1 - firms.maturity)
    ready *= (before.firms.state == ACTIVE) & firms.adopts & ~busy
    cell = before.firms.cell
    in_cell = np.bincount(cell, ready, shape[0] * shape[1]).reshape(shape)
    peers = before.zones.ai_adoption / np.maximum(before.zones.firms, 1)
    push = p.peer_effect * peers + p.demand_effect * district.drivers.cell(Driver.DEMAND)
    own = p.hazard / 12 * np.exp(push)
    grant = blueprint.economy.levers[Lever.SCENARIO_FUNDING].strength.value
    offer = blueprint.funding[district.month] / 12 / grant
    each = np.divide(offer, in_cell, out=np.zeros(shape), where=in_cell > 0)
    funded = p.take_up * (1 - np.exp(-each / p.take_up))
    total = own + funded
    odds = np.divide(funded, total, out=np.zeros(shape), where=total > 0)
    caller = cell[projects.adopter[awarded]]
    calls = np.bincount(caller, minlength=base.firms.size).reshape(shape)
    return grant * (odds * calls).sum(axis=1)
