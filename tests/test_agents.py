"""Firms, parks and departments can be looked at and changed as Mesa agents."""

from __future__ import annotations

from collections import Counter

import mesa
import numpy as np
import pytest

from sim.departments import Department
from sim.firms import ACTIVE, COLUMNS, STATES, Firm
from sim.model import District
from sim.parks import Park
from sim.runner import Runner


@pytest.fixture
def district(small: Runner) -> District:
    return small.district(0)


def stepped(district: District, months: int) -> District:
    for _ in range(months):
        district.step()
    return district


def test_firms_parks_and_departments_are_agents_of_a_mesa_model(district: District) -> None:
    assert isinstance(district, mesa.Model)
    for agents, kind in (
        (district.firms, Firm),
        (district.parks, Park),
        (district.departments, Department),
    ):
        assert isinstance(agents, type(district.agents))  # Mesa's own set, of several kinds
        assert {type(agent) for agent in agents} == {kind}
        assert issubclass(kind, mesa.Agent)
    together = len(district.firms) + len(district.parks) + len(district.departments)
    assert len(district.agents) == together


def test_no_agent_is_made_before_somebody_looks(district: District) -> None:
    stepped(district, 3)
    assert len(district.agents) == 0
    assert len(district.firms) > 0


def test_mesa_counts_the_steps(district: District) -> None:
    assert stepped(district, 3).steps == district.month == 3


def test_looking_at_agents_leaves_a_run_as_it_is(small: Runner, district: District) -> None:
    while district.month < small.blueprint.horizon:
        district.step()
        assert len(district.firms) >= 300
    assert district.outcome().series.tobytes() == small.run(0).series.tobytes()


def test_there_is_one_agent_for_each_firm_park_and_department(
    small: Runner, district: District
) -> None:
    plan, economy = small.inputs.plan, small.inputs.economy
    assert len(district.firms) == sum(base.firms.value for base in economy.sectors.values()) == 300
    assert set(district.firms.get("slot")) == set(range(300))
    assert district.parks.get("id") == [park.id for park in plan.parks]
    assert district.departments.get("id") == [department.id for department in plan.departments]


def test_firms_by_zone_and_sector_count_what_the_columns_count(district: District) -> None:
    stepped(district, 12)
    firms, columns = district.firms, district.columns
    plan = district.blueprint.plan
    active = columns.state == ACTIVE
    assert len(firms.select(lambda firm: firm.state == "active")) == active.sum()
    for z, zone in enumerate(plan.zone_ids()):
        for s, sector in enumerate(plan.sector_ids()):
            here = firms.select(lambda f, z=zone, s=sector: f.zone == z and f.sector == s)
            assert len(here) == ((columns.zone == z) & (columns.sector == s)).sum()


def test_agents_are_added_up_like_columns(district: District) -> None:
    firms, columns = district.firms, district.columns
    assert firms.agg("revenue", sum) == pytest.approx(columns.revenue.sum(dtype=float))
    assert firms.agg("capability", max) == columns.capability[columns.state == ACTIVE].max()
    table = firms.get(["zone", "staff"])
    by_zone = Counter()
    for zone, staff in table:
        by_zone[zone] += staff
    for z, zone in enumerate(district.blueprint.zones):
        assert by_zone[zone] == pytest.approx(columns.staff[columns.zone == z].sum(dtype=float))


def test_agents_can_be_grouped_by_what_they_are(district: District) -> None:
    sizes = {sector: len(firms) for sector, firms in district.firms.groupby("sector")}
    economy = district.blueprint.economy
    assert sizes == {sector: base.firms.value for sector, base in economy.sectors.items()}


def test_every_attribute_of_a_firm_reads_its_column(district: District) -> None:
    plan = district.blueprint.plan
    names = {
        "zone": plan.zone_ids(),
        "sector": plan.sector_ids(),
        "park": [park.id for park in plan.parks],
        "state": STATES,
    }
    for firm in (district.firms[0], district.firms[137]):
        for column in COLUMNS:
            value = getattr(district.columns, column)[firm.slot]
            expected = names[column][value] if column in names else value
            assert getattr(firm, column) == expected


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("capability", 0.75), ("maturity", 0.25), ("ai_share", 0.5), ("foreign", True), ("staff", 64)],
)
def test_what_is_written_to_a_firm_stands_in_its_column_and_nowhere_else(
    district: District, attribute: str, value: float
) -> None:
    column = getattr(district.columns, attribute)
    before = column.copy()
    firm = district.firms[41]
    setattr(firm, attribute, value)
    assert getattr(firm, attribute) == value
    assert column[firm.slot] == value
    others = np.arange(len(column)) != firm.slot
    assert np.array_equal(column[others], before[others])


def test_what_is_written_to_a_firm_changes_what_it_does(small: Runner) -> None:
    plain, helped = small.district(0), small.district(0)
    (firm,) = helped.firms.select(lambda firm: firm.slot == 41)
    firm.capability = 0.99
    assert plain.columns.capability[41] < 0.9
    plain.step()
    helped.step()
    assert helped.columns.log_revenue[41] > plain.columns.log_revenue[41]


def test_a_firm_has_no_attribute_beyond_its_columns(district: District) -> None:
    with pytest.raises(AttributeError, match=r"a firm has no 'profit' \(it has: zone, park, "):
        _ = district.firms[0].profit
    with pytest.raises(AttributeError, match=r"a park has no 'mood' \(it has: capacity, "):
        _ = district.parks[0].mood


def test_foundings_add_agents_and_closures_keep_them(district: District) -> None:
    assert len(district.firms) == 300
    stepped(district, 18)
    entries, exits = district.zones.entries.sum(), district.zones.exits.sum()
    assert entries > 10
    assert exits > 3
    assert len(district.firms) == 300 + entries
    assert len(district.firms.select(lambda firm: firm.state == "exited")) == exits
    assert len(set(district.firms.get("slot"))) == len(district.firms)
    founded = district.firms.select(lambda firm: firm.founded > 0)
    assert len(founded) == entries
    assert all(firm.age == district.month - firm.founded for firm in founded)


def test_a_park_holds_the_firms_that_say_they_are_in_it(district: District) -> None:
    stepped(district, 9)
    for park in district.parks:
        assert len(park.firms) == park.occupied <= park.capacity
        assert set(park.firms.get("zone")) <= {park.zone}
    assert sum(len(park.firms) for park in district.parks) == district.columns.alive.sum()


def test_a_department_splits_its_staff_over_the_measures_that_it_carries(
    district: District,
) -> None:
    stepped(district, 6)
    plan = district.blueprint.plan
    for department in district.departments:
        carried = {m.id for m in plan.measures if department.id in (m.lead, *m.join)}
        assert {*department.leads, *department.joins} == carried
        assert set(department.attention) == set(department.effort) == carried
        assert 0 < sum(department.attention.values()) <= 1
    (office,) = district.departments.select(lambda d: d.id == "industry_office")
    assert office.leads == ["battery_halls", "calls_for_pilots"]
    assert office.joins == ["shared_data"]
    assert office.workload == pytest.approx(3 / office.capacity)
