"""Runs leave nothing behind: a forecast of any length needs the memory of a few runs."""

from __future__ import annotations

import gc
import os
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest

from sim.model import District, Outcome
from sim.runner import Runner

WARM_UP, RUNS = 20, 200
MOST_GROWTH = 5e6  # bytes over all runs: 25 kB a run
STATM = Path("/proc/self/statm")


def in_use() -> int:
    """Bytes of memory that this process holds."""
    gc.collect()
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def unseen(district: District) -> None:
    """Run, as a forecast does."""
    district.run()


def looked_at(district: District) -> None:
    """Run, with all firms, parks and departments made into agents."""
    assert district.firms
    assert district.parks
    assert district.departments
    district.run()
    assert district.firms


def alive_after(runner: Runner, use: Callable[[District], None], runs: int) -> int:
    """How many of as many districts are still there when nobody holds them."""
    left = []
    for run in range(runs):
        district = runner.district(run)
        use(district)
        left.append(weakref.ref(district))
        del district
    gc.collect()
    return sum(reference() is not None for reference in left)


@pytest.mark.skipif(not STATM.exists(), reason="memory is read from /proc")
def test_two_hundred_runs_need_no_more_memory_than_twenty(small: Runner) -> None:
    for run in range(WARM_UP):
        small.run(run)
    before = in_use()
    for run in range(WARM_UP, WARM_UP + RUNS):
        small.run(run)
    assert in_use() - before < MOST_GROWTH


def test_no_district_outlives_its_run(small: Runner) -> None:
    assert alive_after(small, unseen, 50) == 0


def test_a_runs_district_goes_at_once_and_does_not_wait_for_the_garbage_collector(
    small: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = []
    make = Runner.district

    def noted(self: Runner, run: int) -> District:
        district = make(self, run)
        columns.append(weakref.ref(district.columns))
        return district

    monkeypatch.setattr(Runner, "district", noted)
    gc.collect()
    gc.disable()
    try:
        small.run(0)
        assert [reference() for reference in columns] == [None]
    finally:
        gc.enable()


def test_an_outcome_does_not_hold_its_district(small: Runner) -> None:
    district = small.district(0)
    outcome, left = district.run(), weakref.ref(district)
    del district
    gc.collect()
    assert isinstance(outcome, Outcome)
    assert left() is None


def test_no_district_outlives_its_run_when_its_agents_were_looked_at(small: Runner) -> None:
    assert alive_after(small, looked_at, 5) == 0
