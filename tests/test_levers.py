"""Levers move what they should, more lever more effect, each further step less, and all cost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.analysis.effects import paired_series, with_lever
from sim.blueprint import Floats
from sim.economy import Lever
from sim.runner import Runner
from sim.scenario import Inputs, read_scenario

ROOT = Path(__file__).parents[1]
RUNS, SEED = 32, 1

# lever, what it moves first, four evenly spaced values from its baseline on, and the month in
# which each further step does less: at once for arrivals, since their returns diminish so little
# that the luck of some runs hides it later
NAMED = [
    (Lever.TALENT_SUBSIDY, "arrivals", (2.0, 8.0, 14.0, 20.0), "2021-06"),
    (Lever.DATA_PORT_OPENNESS, "data_volume", (0.0, 0.3, 0.6, 0.9), "2023-12"),
    (Lever.SCENARIO_FUNDING, "application_scenarios", (2.0, 18.0, 34.0, 50.0), "2023-12"),
]
# lever, value, what it moves in the district
OTHERS = [
    (Lever.MEASURE_INTENSITY, 2.0, "software_scale"),
    (Lever.DEPARTMENT_CAPACITY, 1.5, "application_scenarios"),
    (Lever.RECRUITMENT_FUNDS, 10.0, "entries"),
    (Lever.RENT_RELIEF, 0.3, "entries"),
    (Lever.COMPUTE_VOUCHERS, 10.0, "ai_scale"),
    (Lever.RD_SUBSIDY, 20.0, "key_technologies"),
    (Lever.FOREIGN_ENTRY, 0.8, "entries"),
]


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    return read_scenario(ROOT / "scenarios/baseline.yaml")


def means(
    inputs: Inputs, variants: list[Inputs], column: str
) -> tuple[dict[str, Floats], list[float]]:
    """Mean of a series column by month, and of the whole cost, for each variant."""
    runner = Runner(inputs, SEED)
    place = runner.series_columns.index(column)
    found = paired_series(variants, SEED, RUNS, workers=2)
    by_month = np.array([series[:, :, place].mean(axis=0) for series, _ in found]).T
    known = dict(zip(runner.blueprint.months(), by_month, strict=True))
    return known, [float(costs.sum(axis=(1, 2)).mean()) for _, costs in found]


@pytest.mark.parametrize(("lever", "indicator", "values", "month"), NAMED)
def test_more_of_a_named_lever_does_more_but_ever_less_and_costs_more(
    inputs: Inputs, lever: Lever, indicator: str, values: tuple[float, ...], month: str
) -> None:
    variants = [with_lever(inputs, lever, value, start="2021-06") for value in values]
    known, costs = means(inputs, variants, f"{indicator}.district")
    assert (np.diff(known["2023-12"]) > 0).all(), f"{indicator}: {known['2023-12']}"
    steps = np.diff(known[month])
    assert (np.diff(steps) < 0).all(), f"{indicator} without diminishing returns: {steps}"
    assert (np.diff(costs) > 0).all(), f"cost: {costs}"


@pytest.mark.parametrize(("lever", "value", "indicator"), OTHERS)
def test_every_other_lever_acts_and_costs(
    inputs: Inputs, lever: Lever, value: float, indicator: str
) -> None:
    variants = [inputs, with_lever(inputs, lever, value, start="2021-06")]
    known, costs = means(inputs, variants, f"{indicator}.district")
    ends = known["2023-12"]
    assert ends[1] > ends[0]
    assert costs[1] > costs[0]


def test_a_lever_in_one_zone_costs_there_and_nowhere_else(inputs: Inputs) -> None:
    changed = with_lever(inputs, Lever.COMPUTE_VOUCHERS, 5.0, zones=["jinqiao"], start="2022-01")
    (_, before), (_, after) = paired_series([inputs, changed], SEED, 2, workers=1)
    names = Runner(inputs, SEED).cost_columns
    spent = (after - before).sum(axis=1)[0]
    moved = {
        name for name, change in zip(names, spent, strict=True) if "voucher" in name and change
    }
    assert moved == {"compute_vouchers.jinqiao"}


def test_a_ramp_reaches_its_value_step_by_step_and_an_end_undoes_it(inputs: Inputs) -> None:
    changed = with_lever(
        inputs, Lever.RENT_RELIEF, 0.4, zones=["expo"], start="2022-01", ramp=3, end="2022-12"
    )
    blueprint = Runner(changed, SEED).blueprint
    path = blueprint.levers[Lever.RENT_RELIEF][:, blueprint.zones.index("expo")]
    assert path[12:17] == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4])
    assert path[24] == pytest.approx(0.4)
    assert path[25] == 0.0


def test_a_shock_lowers_its_sector_and_gives_back_what_it_says() -> None:
    calm = read_scenario(ROOT / "scenarios/baseline.yaml")
    struck = read_scenario(ROOT / "scenarios/chip-slump.yaml")
    (before, _), (after, _) = paired_series([calm, struck], SEED, 8, workers=1)
    columns = Runner(calm, SEED).series_columns
    ic, months = columns.index("ic_scale.district"), Runner(calm, SEED).blueprint.months()
    start = months.index("2022-07")
    assert np.array_equal(before[:, :start], after[:, :start])
    ratio = (after[:, :, ic] / before[:, :, ic]).mean(axis=0)
    assert 0.85 < ratio[start + 6] < 0.99
    assert ratio[-1] > ratio[start + 11]
