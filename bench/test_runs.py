"""Runs inside this process, in its own time on the core: other work on the machine counts less.

Nothing here passes or fails by its time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from bench.floor import floor_of
from bench.subjects import firm_months, full, runner, with_firms, with_months
from sim.runner import Runner
from tests.reference.docking import reference

Benchmark = Any
CLOCK = time.process_time
pytestmark = pytest.mark.benchmark(timer=CLOCK)

RUNS = range(8)  # parameters differ from run to run, and with them the work
FIRMS = (1, 2, 4, 8)
MONTHS = (12, 24, 36, 72)


@pytest.fixture(scope="module")
def district() -> Runner:
    return runner(full())


def seconds(action: Callable[[int], object], round_: int) -> float:
    start = CLOCK()
    action(round_)
    return CLOCK() - start


def in_turn(
    benchmark: Benchmark,
    target: Callable[[int], object],
    others: Mapping[str, Callable[[int], object]],
    rounds: int,
) -> None:
    """Time the target, and in each of its rounds the others too, so that noise hits all alike."""
    times: dict[str, list[float]] = {name: [] for name in others}
    number = iter(range(rounds))

    def before_each() -> tuple[tuple[int], dict[str, object]]:
        round_ = next(number)
        for name, other in others.items():
            times[name].append(seconds(other, round_))
        return (round_,), {}

    benchmark.pedantic(target, setup=before_each, rounds=rounds)
    benchmark.extra_info["others"] = times


def test_one_run_against_the_floor(benchmark: Benchmark, district: Runner) -> None:
    benchmark.extra_info["firm_months"] = [firm_months(district, run) for run in RUNS]
    floors = [floor_of(district, run) for run in RUNS]
    for floor in floors:
        floor()
    in_turn(
        benchmark,
        lambda round_: district.run(round_ % len(RUNS)),
        {"floor": lambda round_: floors[round_ % len(RUNS)]()},
        rounds=10 * len(RUNS),
    )


def test_one_run_against_the_oracle(benchmark: Benchmark, district: Runner) -> None:
    def ten_runs(run: int) -> None:
        for _ in range(10):
            district.run(run)

    in_turn(
        benchmark,
        lambda run: reference(district, run).run(),
        {"ten runs": ten_runs},
        rounds=5,
    )


def test_growth_with_firms(benchmark: Benchmark) -> None:
    runners = {str(times): runner(with_firms(full(), times)) for times in FIRMS}
    for district in runners.values():
        district.run(0)
    benchmark.extra_info["firms"] = {
        times: int(district.blueprint.base.firms.sum()) for times, district in runners.items()
    }
    others = {times: district.run for times, district in runners.items()}
    in_turn(benchmark, others.pop(str(FIRMS[-1])), others, rounds=12)


def test_growth_with_months(benchmark: Benchmark) -> None:
    runners = {str(months): runner(with_months(full(), months)) for months in MONTHS}
    for district in runners.values():
        district.run(0)
    others = {months: district.run for months, district in runners.items()}
    in_turn(benchmark, others.pop(str(MONTHS[-1])), others, rounds=12)
