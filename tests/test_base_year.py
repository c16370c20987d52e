"""At the start the district is the base year's, whatever the draws."""

from __future__ import annotations

import numpy as np
import pytest

from sim.analysis.probability import base_values
from sim.blueprint import Floats
from sim.firms import ACTIVE, Column
from sim.model import District
from sim.runner import Runner

TOLERANCE = 1e-3
LUCK = [(1, 0), (1, 13), (2, 0), (987654321, 4)]  # seed and run


@pytest.fixture(params=["real", "small"])
def runner(request: pytest.FixtureRequest) -> Runner:
    return request.getfixturevalue(request.param)


@pytest.fixture(params=LUCK, ids=lambda luck: f"seed {luck[0]}, run {luck[1]}")
def district(runner: Runner, request: pytest.FixtureRequest) -> District:
    seed, run = request.param
    return Runner(runner.inputs, seed).district(run)


def stated(runner: Runner, total: str) -> Floats:
    """What the economy file says of each zone and sector: the district's total times the share."""
    economy, plan = runner.inputs.economy, runner.inputs.plan
    table = np.zeros((len(plan.zones), len(plan.sectors)))
    for s, sector in enumerate(plan.sector_ids()):
        base = economy.sectors[sector]
        for zone, split in base.zones.items():
            z = plan.zone_ids().index(zone)
            table[z, s] = getattr(base, total).value * getattr(split, total).value
    return table


def by_cell(district: District, values: Column) -> Floats:
    """The sum of the active firms' values by zone and sector, added one firm at a time."""
    firms = district.columns
    table = np.zeros(district.blueprint.shape)
    active = firms.state == ACTIVE
    np.add.at(table, (firms.zone[active], firms.sector[active]), values[active].astype(float))
    return table


def recorded(district: District, name: str) -> Floats:
    """An indicator in the start month by zone, the district last; flows as twelve months' sum."""
    return district.outcome().series[0, district.indicators.index(name)]


def test_each_zone_and_sector_has_its_number_of_firms(runner: Runner, district: District) -> None:
    firms = by_cell(district, district.columns.alive)
    expected = stated(runner, "firms")
    assert np.abs(firms - expected).max() < 1  # firms are whole
    for s, sector in enumerate(runner.inputs.plan.sector_ids()):
        assert firms[:, s].sum() == runner.inputs.economy.sectors[sector].firms.value
    assert recorded(district, "firms").tolist() == [*firms.sum(axis=1), firms.sum()]


def test_the_base_year_s_revenue_is_met_in_each_zone_and_sector(
    runner: Runner, district: District
) -> None:
    earlier = sum(runner.blueprint.base.revenue_before(months) for months in range(1, 12))
    year = by_cell(district, district.columns.revenue) + earlier
    np.testing.assert_allclose(year, stated(runner, "revenue"), rtol=TOLERANCE)
    whole = stated(runner, "revenue").sum(axis=1)
    np.testing.assert_allclose(recorded(district, "revenue"), [*whole, whole.sum()], rtol=TOLERANCE)


def test_the_months_of_the_base_year_grow_at_the_stated_pace(runner: Runner) -> None:
    base = runner.blueprint.base
    first, last = base.revenue_before(11).sum(axis=0), base.revenue_before(0).sum(axis=0)
    for s, sector in enumerate(runner.inputs.plan.sector_ids()):
        yearly = runner.inputs.economy.sectors[sector].growth_in_base_year.value
        assert last[s] / first[s] == pytest.approx((1 + yearly) ** (11 / 12))


def test_the_skilled_staff_is_met_in_each_zone_and_sector(
    runner: Runner, district: District
) -> None:
    staff = stated(runner, "staff")
    np.testing.assert_allclose(by_cell(district, district.columns.staff), staff, rtol=TOLERANCE)
    np.testing.assert_allclose(
        recorded(district, "skilled_staff"), [*staff.sum(axis=1), staff.sum()], rtol=TOLERANCE
    )


def test_the_ai_part_of_revenue_is_met_in_each_zone_and_sector(
    runner: Runner, district: District
) -> None:
    firms, base = district.columns, runner.blueprint.base
    part = by_cell(district, firms.revenue * firms.ai_share)
    np.testing.assert_allclose(part, base.december_revenue * base.ai_share, rtol=TOLERANCE)


def test_flows_and_stocks_of_targets_start_at_their_base_year(
    runner: Runner, district: District
) -> None:
    for target in runner.inputs.plan.targets:
        if target.quantity.kind == "count":
            continue
        expected = base_values(runner.blueprint, target)
        np.testing.assert_allclose(
            recorded(district, target.id), [*expected, expected.sum()], rtol=TOLERANCE
        )


def test_counts_start_at_zero(runner: Runner, district: District) -> None:
    for target in runner.inputs.plan.targets:
        if target.quantity.kind == "count":
            assert not recorded(district, target.id).any()


@pytest.mark.parametrize("run", range(3))
def test_the_published_totals_of_the_real_plan_stand_at_its_start(real: Runner, run: int) -> None:
    district = real.district(run)
    assert recorded(district, "ai_scale")[-1] == pytest.approx(910, rel=TOLERANCE)
    assert recorded(district, "software_scale")[-1] == pytest.approx(2843, rel=TOLERANCE)
    assert recorded(district, "ic_scale")[-1] == pytest.approx(1471, rel=TOLERANCE)
    assert recorded(district, "ai_firms")[-1] == 600
