"""Why runs say what they say of one target in one zone.

Some of them are made again and looked at: effort, progress, drivers, behaviour, indicator. What
the model adds up is split exactly; what is not a sum is given as association over all runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sim.analysis.attribution import check_goal
from sim.analysis.average import Average, average
from sim.analysis.explanation import (
    Association,
    DepartmentLoad,
    DepartmentWork,
    DriverLevel,
    Explanation,
    MeasureWork,
    Term,
)
from sim.analysis.finished import Finished
from sim.analysis.interval import CONFIDENCE, Probability
from sim.analysis.probability import thresholds
from sim.analysis.summary import made_from, versions
from sim.analysis.watch import LIMITS, RESEARCH, Watched, watch
from sim.blueprint import Bools, Floats
from sim.errors import RunError
from sim.montecarlo import Progress, no_progress
from sim.plan import DISTRICT, Quantity, Target
from sim.processes.accounts import CONTEXT
from sim.processes.drivers import DRIVERS
from sim.runner import Runner
from sim.scenario import Inputs

RUNS = 30  # assumption: standard errors of a fifth of the spread over runs; two seconds of a core
SUMS = ("setback_months", "incidents")  # limits that are counted over the district's zones


@dataclass(frozen=True)
class Evidence:
    """The runs that are to be explained.

    Attributes:
        inputs, seed: whose they are.
        runs: how many.
        values: indicators' values in a zone and month, in the indicator's unit (indicators, runs).
    """

    inputs: Inputs
    seed: int
    runs: int
    values: Callable[[Sequence[str], str, str], Floats]


def explain(
    finished: Finished,
    target: str,
    zone: str = DISTRICT,
    *,
    runs: int | None = None,
    on_progress: Progress = no_progress,
) -> Explanation:
    """The chain from effort to a target's indicator in a zone, from a finished forecast.

    Args:
        finished: see ``read_finished``.
        target: one of the plan's.
        zone: one that has a part in it, or ``district``.
        runs: see ``runs_again``.
        on_progress: called with the number of runs done and needed.

    Raises:
        ScenarioError: no such target or zone; names the nearest.
        RunError: too few or too many runs, or the program makes other runs today than those of
            the forecast.
    """
    record = explainable(finished.inputs, target, zone)
    runs = runs_again(finished, runs)
    seed = int(finished.manifest["seed"])
    runner = Runner(finished.inputs, seed)
    stored = finished.values(target, zone, record.deadline)
    watched: list[Watched] = []
    on_progress(0, runs)
    for run in range(runs):
        watched.append(watch(runner, run, record))
        _check_same(finished, record, _Place(runner, zone), watched[-1], stored[run])
        on_progress(run + 1, runs)

    def values(indicators: Sequence[str], zone: str, month: str) -> Floats:
        return np.array([finished.values(name, zone, month) for name in indicators])

    known = Evidence(finished.inputs, seed, finished.summary.runs, values)
    return explanation(known, record, zone, watched)


def runs_again(finished: Finished, runs: int | None = None) -> int:
    """How many of the forecast's first runs are made again: at least 2, at most all.

    ``runs``: as many as that; none: 30, or all where there are fewer.

    Raises:
        RunError: too few or too many.
    """
    made = finished.summary.runs
    if made < 2:
        raise RunError(
            f"{finished.path}: a forecast of 1 run is too few to explain; at least 2 are needed, "
            "make them with the same forecast command and more --runs"
        )
    if runs is not None and not 2 <= runs <= made:
        raise RunError(f"--runs: found {runs}; allowed: 2 to {made:,}, the forecast's")
    return min(RUNS, made) if runs is None else runs


def explainable(inputs: Inputs, target: str, zone: str) -> Target:
    """The target, where a chain leads to it in that zone.

    Raises:
        ScenarioError: no such target or zone, or the zone has no part in it; names the nearest.
        RunError: it is all targets at once.
    """
    check_goal(inputs, target, zone)
    record = next((t for t in inputs.plan.targets if t.id == target), None)
    if record is None:
        raise RunError("all targets at once have no indicator of their own; give one target")
    return record


def explanation(
    known: Evidence, target: Target, zone: str, watched: Sequence[Watched]
) -> Explanation:
    """The chain, from the first of the runs as they were watched, in their order."""
    runner = Runner(known.inputs, known.seed)
    place = _Place(runner, zone)
    stored = known.values([target.id], zone, target.deadline)[0]
    limit = thresholds(runner.blueprint, target)[zone]
    chance = Probability.of(target.met(stored, limit))
    account = [
        Term(id=name, value=place.total([w.account[name] for w in watched]))
        for name in watched[0].account
    ]
    return Explanation(
        scenario=made_from(known.inputs, "scenario"),
        plan=made_from(known.inputs, "plan"),
        economy=made_from(known.inputs, "economy"),
        seed=known.seed,
        runs=known.runs,
        watched=len(watched),
        versions=versions(),
        target=target.id,
        zone=zone,
        deadline=target.deadline,
        threshold=limit,
        probability=chance.estimate,
        low=chance.low,
        high=chance.high,
        q05=float(np.quantile(stored, 0.05)),
        q50=float(np.quantile(stored, 0.5)),
        q95=float(np.quantile(stored, 0.95)),
        start=place.total([w.start for w in watched]).mean,
        change=_change(target, place, watched, stored[: len(watched)]),
        account=account,
        drivers=_drivers(runner, place, watched),
        measures=_measures(runner, place, watched),
        departments=_departments(runner, place, watched),
        limits=[
            Term(
                id=name,
                value=place.total([w.limits[name] for w in watched], 1.0)
                if name in SUMS
                else place.mean([w.limits[name] for w in watched]),
            )
            for name in LIMITS
        ],
        associations=_associations(known, target, zone, stored),
    )


class _Place:
    """The zone or the whole district, as weights over zones."""

    def __init__(self, runner: Runner, zone: str) -> None:
        zones = runner.blueprint.zones
        own = np.array([name == zone for name in zones], dtype=float)
        self.sum = np.ones(len(zones)) if zone == DISTRICT else own
        self.weight = runner.blueprint.firm_share if zone == DISTRICT else own

    def total(self, values: Sequence[Floats], step: float = 0.0) -> Average:
        """Of what adds up over zones, (Z,) a run."""
        return average(np.array(values) @ self.sum, step)

    def mean(self, values: Sequence[Floats]) -> Average:
        """Of levels, by firms at the start as indicators are."""
        return average(np.array(values) @ self.weight)


def _check_same(
    finished: Finished, target: Target, place: _Place, watched: Watched, stored: float
) -> None:
    """A run made again must be the one that the forecast kept, in its single precision."""
    if target.quantity == Quantity.MODEL_SECTORS and place.sum.sum() > 1:
        return  # a sector counts once in the district, so zones do not add up
    value = float(watched.end @ place.sum)
    if not math.isclose(value, stored, rel_tol=1e-5, abs_tol=1e-6):
        raise RunError(
            f"{finished.path}: this version of the program makes other runs (found {value:.8g}, "
            f"the forecast has {stored:.8g}); make the forecast anew, then explain it"
        )


def _change(target: Target, place: _Place, watched: Sequence[Watched], stored: Floats) -> Average:
    if target.quantity == Quantity.MODEL_SECTORS:
        return average(stored, 1.0)  # nothing at the start
    step = 1.0 if target.quantity.whole else 0.0
    return average(np.array([(w.end - w.start) @ place.sum for w in watched]), step)


def _pushes(place: _Place, watched: Sequence[Watched], chosen: Bools) -> list[Term]:
    """By behaviour the mean log change from some of the plan's effects."""
    return [
        Term(id=name, value=place.mean([w.pushes[name][chosen].sum(axis=0) for w in watched]))
        for name in watched[0].pushes
    ]


def _drivers(runner: Runner, place: _Place, watched: Sequence[Watched]) -> list[DriverLevel]:
    entries = runner.blueprint.effects.place.reshape(-1, runner.blueprint.shape[0])[:, 0]
    driver_of = entries // (runner.blueprint.shape[0] * runner.blueprint.shape[1])
    found = []
    for n, driver in enumerate(DRIVERS):
        level = place.mean([w.levels[n] for w in watched])
        if level.mean > 0:
            pushes = _pushes(place, watched, driver_of == n)
            found.append(DriverLevel(driver=driver.value, level=level, pushes=pushes))
    return sorted(found, key=lambda row: -max((abs(t.value.mean) for t in row.pushes), default=0))


def _measures(runner: Runner, place: _Place, watched: Sequence[Watched]) -> list[MeasureWork]:
    """Those that reach the zone, the largest push first."""
    blueprint, plan = runner.blueprint, runner.blueprint.plan
    links, entry_of = blueprint.links, blueprint.effects.measure
    zones = place.sum > 0
    found = []
    for m, measure in enumerate(plan.measures):
        reach = blueprint.measures.reach[m] * place.weight
        if not (reach > 0).any():
            continue
        reach = reach / reach.sum()
        mine = entry_of == m
        pairs = np.flatnonzero(links.pair_measure == m)
        work = []
        for pair in pairs:
            here = [w.credit[pair] @ reach for w in watched]
            if not any(w.credit[pair][zones].any() for w in watched):
                continue  # its authority works elsewhere
            work.append(
                DepartmentWork(
                    department=plan.departments[links.pair_department[pair]].id,
                    effort=average(np.array([w.effort[pair] for w in watched])),
                    weight=average(np.array(here)),
                )
            )
        work.sort(key=lambda row: -row.weight.mean)
        told = len(work) == 1 or (len(work) > 1 and work[0].weight.low > work[1].weight.high)
        found.append(
            MeasureWork(
                measure=measure.id,
                progress=average(np.array([w.progress[m] @ reach for w in watched])),
                path=float(watched[0].path[m]),
                bottleneck=work[0].department if told else None,
                departments=work,
                pushes=_pushes(place, watched, mine),
                growth=place.total([w.policy[mine].sum(axis=0) for w in watched])
                if "measures" in watched[0].account
                else None,
            )
        )
    return sorted(found, key=_size)


def _size(row: MeasureWork) -> float:
    if row.growth is not None:
        return -row.growth.mean
    return -max((abs(term.value.mean) for term in row.pushes), default=0.0)


def _departments(runner: Runner, place: _Place, watched: Sequence[Watched]) -> list[DepartmentLoad]:
    """Those with a part in a measure in the zone; measures' parts split by their weights."""
    blueprint, plan = runner.blueprint, runner.blueprint.plan
    links, entry_of = blueprint.links, blueprint.effects.measure
    revenue = "measures" in watched[0].account
    found = []
    for d, department in enumerate(plan.departments):
        pairs = np.flatnonzero(links.pair_department == d)
        if not any(w.credit[pairs][:, place.sum > 0].any() for w in watched):
            continue
        growth = [
            sum(
                (
                    w.policy[entry_of == links.pair_measure[pair]].sum(axis=0) * w.credit[pair]
                    for pair in pairs
                ),
                start=np.zeros(len(place.sum)),
            )
            for w in watched
        ]
        found.append(
            DepartmentLoad(
                department=department.id,
                workload=average(np.array([w.workload[d] for w in watched])),
                growth=place.total(growth) if revenue else None,
            )
        )
    return sorted(found, key=lambda row: -(row.growth or row.workload).mean)


def _associations(known: Evidence, target: Target, zone: str, stored: Floats) -> list[Association]:
    """Rank correlation with each context series at the deadline, the strongest first."""
    from scipy.special import ndtri
    from scipy.stats import rankdata

    runs = len(stored)
    if runs < 10 or np.ptp(stored) == 0:
        return []
    taken = known.inputs.plan.target_ids()
    near = () if target.quantity in RESEARCH else ("revenue", "core_revenue")  # the indicator
    names = [name for name in CONTEXT if name not in near]
    columns = [f"context_{name}" if name in taken else name for name in names]
    found = []
    for name, values in zip(names, known.values(columns, zone, target.deadline), strict=True):
        if np.ptp(values) == 0:
            continue
        rho = float(np.corrcoef(rankdata(stored), rankdata(values))[0, 1])
        rho = min(max(rho, -1 + 1e-9), 1 - 1e-9)
        spread = math.sqrt((1.0 + rho**2 / 2.0) / (runs - 3))
        reach = float(ndtri(0.5 + 0.5 * CONFIDENCE)) * spread
        low, high = (math.tanh(math.atanh(rho) + side) for side in (-reach, reach))
        found.append(Association(series=name, rank_correlation=rho, low=low, high=high))
    return sorted(found, key=lambda row: -abs(row.rank_correlation))
