"""Two scenarios of one run share their luck: what no lever touches is the same, and what it does
shows in few runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sim import months
from sim.analysis.effects import paired_series, with_lever
from sim.blueprint import Floats
from sim.draws import AGAIN
from sim.economy import Lever
from sim.firms import COLUMNS
from sim.model import District
from sim.plan import DISTRICT, Plan
from sim.runner import Runner
from sim.scenario import Inputs

ROOT = Path(__file__).parents[1]
RUNS, SEED, OTHER_SEED = 96, 1, 2
START = "2021-06"
GOAL = 10.0  # independent runs that one pair is to be worth at least

ACTS_ON_FIRMS_ALONE = (Lever.TALENT_SUBSIDY, Lever.SCENARIO_FUNDING, Lever.RENT_RELIEF)
POLICY_OF_ZONES = ("policy_openness", "openness", "data_access", "setback_months", "incidents")
POLICY_OF_PARKS = ("service", "capacity")


# Nothing differs where no lever does


def both(inputs: Inputs, lever: Lever, **where: Any) -> tuple[District, District]:
    """Run 0 without a lever and with it at the end of its bounds."""
    changed = with_lever(inputs, lever, inputs.economy.levers[lever].high, **where)
    return Runner(inputs, SEED).district(0), Runner(changed, SEED).district(0)


def state(district: District) -> dict[str, bytes]:
    """All that the district keeps, to the bit."""
    parts = [getattr(district, name) for name in ("zones", "park_columns", "department_columns")]
    parts += [district.drivers, district.cycle, district.projects, district.momentum]
    kept = {
        f"{type(part).__name__}.{name}": values.tobytes()
        for part in parts
        for name, values in vars(part).items()
        if isinstance(values, np.ndarray)
    }
    kept |= {name: getattr(district.columns, name).tobytes() for name in COLUMNS}
    # costs that the plan commits to are known ahead; only those up to this month are booked
    booked = district.costs[: district.month + 1]
    return kept | {"series": district.series.tobytes(), "costs": booked.tobytes()}


def policy(district: District) -> dict[str, Floats]:
    """What departments and rules bring about, by zone (the first axis)."""
    zones, parks = district.zones, district.park_columns
    progress = district.department_columns.progress
    return (
        {name: getattr(zones, name) for name in POLICY_OF_ZONES}
        | {"progress": progress.T, "drivers": np.moveaxis(district.drivers.by_cell, 1, 0)}
        | {
            f"{name} of parks": np.array([getattr(parks, name) * (parks.zone == z) for z in at])
            for at in [range(len(zones.seekers))]
            for name in POLICY_OF_PARKS
        }
    )


@pytest.mark.parametrize("lever", Lever)
def test_nothing_differs_before_a_lever_moves(small: Runner, lever: Lever) -> None:
    start = "2025-04"
    plain, pulled = both(small.inputs, lever, start=start, ramp=3)
    first = small.blueprint.months().index(start)
    while plain.month < first - 1:
        plain.step()
        pulled.step()
        assert state(plain) == state(pulled)
    plain.step()
    pulled.step()
    assert state(plain) != state(pulled)


@pytest.mark.parametrize("lever", ACTS_ON_FIRMS_ALONE)
def test_a_lever_that_acts_on_firms_alone_leaves_the_policy_side_as_it_was(
    real: Runner, lever: Lever
) -> None:
    plain, pulled = both(real.inputs, lever, start=START)
    while plain.month < plain.blueprint.horizon:
        plain.step()
        pulled.step()
        one, other = policy(plain), policy(pulled)
        assert all(np.array_equal(one[name], other[name]) for name in one)
        for name in ("attention", "effort", "joint_effort"):
            pair = [getattr(d.department_columns, name) for d in (plain, pulled)]
            assert np.array_equal(*pair), name
    assert not np.array_equal(plain.columns.staff, pulled.columns.staff)


@pytest.mark.parametrize(
    "lever", [x for x in Lever if x not in (Lever.MEASURE_INTENSITY, Lever.DEPARTMENT_CAPACITY)]
)
def test_a_lever_in_one_zone_leaves_the_policy_side_of_the_others_as_it_was(
    real: Runner, lever: Lever
) -> None:
    zone = real.blueprint.zones.index("zhangjiang")
    assert not real.blueprint.data_pilot[zone]  # what opens first in a pilot zone spreads
    plain, pulled = both(real.inputs, lever, zones=["zhangjiang"], start=START)
    others = np.arange(len(real.blueprint.zones)) != zone
    while plain.month < plain.blueprint.horizon:
        plain.step()
        pulled.step()
        one, other = policy(plain), policy(pulled)
        assert all(np.array_equal(one[name][others], other[name][others]) for name in one)
    assert not np.array_equal(plain.costs[:, :, zone], pulled.costs[:, :, zone])


@pytest.mark.parametrize("lever", Lever)
def test_the_cycle_and_what_firms_are_born_with_are_the_same_under_every_lever(
    real: Runner, lever: Lever
) -> None:
    plain, pulled = both(real.inputs, lever)
    assert state(plain) == state(pulled)
    plain.run()
    pulled.run()
    assert np.array_equal(plain.cycle.growth, pulled.cycle.growth)
    for name in ("sector", "founded", "foreign", "anchor", "large"):
        one, other = getattr(plain.columns, name), getattr(pulled.columns, name)
        assert np.array_equal(one, other), name
    refused_or_not = plain.columns.state > 0
    assert np.array_equal(refused_or_not, pulled.columns.state > 0)


# How much the pairs are worth


def a_tenth_more(runner: Runner, lever: Lever) -> Inputs:
    """A lever at a tenth above its baseline in each zone."""
    inputs = runner.inputs
    for zone, value in zip(
        inputs.plan.zone_ids(), runner.blueprint.lever_baseline[lever], strict=True
    ):
        inputs = with_lever(inputs, lever, 1.1 * float(value), zones=[zone], start=START)
    return inputs


def with_openness(runner: Runner, value: float) -> Inputs:
    return with_lever(runner.inputs, Lever.DATA_PORT_OPENNESS, value, start=START)


def factor(apart: Floats, paired: Floats) -> Floats:
    """Variance of a difference without common luck over that with it, by target.

    Infinite where the paired differences (runs, targets) never vary.
    """
    together = paired.var(axis=0, ddof=1)
    return np.divide(apart, together, out=np.full(len(apart), np.inf), where=together > 0)


def at_deadlines(runner: Runner, series: Floats) -> Floats:
    """Each target's indicator for the district at its deadline, (runs, targets)."""
    plan = runner.inputs.plan
    due = [months.between(plan.start, target.deadline) for target in plan.targets]
    columns = [runner.series_columns.index(f"{target.id}.{DISTRICT}") for target in plan.targets]
    return series[:, due, columns]


def with_other_luck(inputs: Inputs) -> Floats:
    """The series of runs with the parameters of runs 0, 1, … and other luck, as all_series."""
    runner = Runner(inputs, SEED)
    found = np.array([runner.run(AGAIN + run).series for run in range(RUNS)])
    return found.reshape(RUNS, runner.blueprint.horizon + 1, -1)


@pytest.fixture(scope="module")
def worth(real: Runner) -> pd.DataFrame:
    """What a tenth more of each named lever adds to each target, and what pairing is worth."""
    half, more = (with_openness(real, value) for value in (0.5, 0.55))
    trials = [
        ("talent_subsidy × 1.1", real.inputs, a_tenth_more(real, Lever.TALENT_SUBSIDY)),
        ("scenario_funding × 1.1", real.inputs, a_tenth_more(real, Lever.SCENARIO_FUNDING)),
        ("data_port_openness 0.5 → 0.55", half, more),
    ]
    variants = [real.inputs, half, *(after for _, _, after in trials)]
    found = paired_series(variants, SEED, RUNS, workers=2)
    ends = [at_deadlines(real, series) for series, _ in found]
    others = [at_deadlines(real, with_other_luck(inputs)) for inputs in variants[:2]]
    rows = []
    for number, (lever, inputs, _) in enumerate(trials):
        start = int(inputs is half)
        before, other, after = ends[start], others[start], ends[2 + number]
        change = after - before
        independent = factor(before.var(axis=0, ddof=1) + after.var(axis=0, ddof=1), change)
        other_luck = factor((after - other).var(axis=0, ddof=1), change)
        mean, error = change.mean(axis=0), change.std(axis=0, ddof=1) / np.sqrt(RUNS)
        rows += [
            {
                "lever": lever,
                "target": target.id,
                "mean": mean[n],
                "error": error[n],
                "moved": abs(mean[n]) > 2 * error[n],
                "differ": np.count_nonzero(change[:, n]),
                "independent": independent[n],
                "other_luck": other_luck[n],
            }
            for n, target in enumerate(real.inputs.plan.targets)
        ]
    return pd.DataFrame(rows)


def test_a_tenth_more_of_each_named_lever_clearly_moves_some_targets(worth: pd.DataFrame) -> None:
    moved = worth.groupby("lever")["moved"].sum()
    # a fifth of those who come can have the subsidy, so that a tenth more moves revenue alone
    assert moved.pop("talent_subsidy × 1.1") >= 2
    assert (moved >= 3).all()


def test_a_pair_is_worth_at_least_ten_pairs_of_independent_runs(worth: pd.DataFrame) -> None:
    moved = worth[worth["moved"]]
    assert (moved["independent"] >= GOAL).all(), moved[moved["independent"] < GOAL]


def test_common_luck_alone_is_worth_that_much_where_parameters_are_common_anyway(
    worth: pd.DataFrame,
) -> None:
    moved = worth[worth["moved"]]
    assert (moved["other_luck"] >= GOAL).all(), moved[moved["other_luck"] < GOAL]


def test_the_table_of_pairing_is_written(worth: pd.DataFrame, real: Runner) -> None:
    path = ROOT / "docs" / "pairing.md"
    path.write_text(page(worth, real.inputs.plan), encoding="utf-8")
    assert path.read_text(encoding="utf-8").count("\n| ") == len(worth) + 1


def page(worth: pd.DataFrame, plan: Plan) -> str:
    """The page: a row a lever and target, bold where the lever clearly moves it."""
    moved = worth[worth["moved"]]
    short = moved[moved["independent"] < GOAL]
    least = moved.loc[moved["independent"].idxmin()]
    if short.empty:
        verdict = (
            f"It is reached for every target that a lever moves; the smallest is that of "
            f"{least['lever']} on {least['target']}, {times(least['independent'])}."
        )
    else:
        names = [f"{row['lever']} on {row['target']}" for _, row in short.iterrows()]
        verdict = f"It is missed by {', '.join(names)}."
    lines = [
        "# What common luck is worth",
        "",
        "Generated by `tests/test_pairing.py`. Each lever is raised by a tenth from "
        f"{START} on, in {RUNS} runs of the",
        f"baseline (seed {SEED}) that meet the same parameters and the same luck with it and "
        "without it.",
        "",
        "- **effect**: mean change of the district's indicator at its deadline ± its standard "
        "error; bold where it is",
        "  more than two of them (by luck alone, about one row in twenty would be).",
        "- **differ**: runs in which the two differ at all. Where they are few, the factors are "
        "rough.",
        "- **independent**: variance of the difference between two runs of different parameters "
        "and luck over that",
        "  between two paired runs: so many times the runs would give the same standard error. "
        f"The goal is {GOAL:g}.",
        f"  {verdict}",
        "- **other luck**: the same where the two share their parameters and only luck differs: "
        "what common luck",
        "  alone is worth.",
        "",
        "| lever | target | effect | differ | independent | other luck |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['lever']} | {name.zh}<br>{row['target']} | {effect(row)} | {row['differ']} | "
        f"{times(row['independent'])} | {times(row['other_luck'])} |"
        for (_, row), name in zip(
            worth.iterrows(),
            [target.name for target in plan.targets] * worth["lever"].nunique(),
            strict=True,
        )
    ]
    return "\n".join([*lines, ""])


def effect(row: pd.Series) -> str:
    text = f"{row['mean']:+.2g} ± {row['error']:.2g}" if row["differ"] else "0 in every run"
    return f"**{text}**" if row["moved"] else text


def times(value: float) -> str:
    """Two digits, since that is what so few runs tell."""
    if not np.isfinite(value):
        return "–"
    digits = max(int(np.floor(np.log10(value))) - 1, 0)
    return f"{round(value, -digits):,.0f}"
