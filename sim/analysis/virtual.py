"""Virtual evaluations: the designs of policy evaluations, run on simulated firms.

What a study did in the world is done to the model's district: a pilot in one zone against the
others, a lottery of grants, winners of contracts against firms like them. The estimate then stands
beside the published one. All variants of a run meet the same luck, so that what is left is the
effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from sim import months
from sim.analysis.designs import Design, Kind, Measured
from sim.analysis.effects import with_lever
from sim.blueprint import Bools, Floats
from sim.economy import Lever
from sim.errors import RunError
from sim.executors import Workers
from sim.firms import ACTIVE
from sim.model import District
from sim.montecarlo import Pool, Progress, Task, complete, local, no_progress
from sim.runner import Runner
from sim.scenario import Inputs
from sim.zones import ROW

BEFORE = 12  # months that an evaluation looks back on; the treatment starts after them
TENTHS = 10


@dataclass(frozen=True)
class Panel:
    """What an evaluator can see of one run, by year and zone (years, Z)."""

    counts: dict[str, Floats]
    cost: float  # 亿元 of public money until the end
    projects: float  # application projects begun in the district
    grants: float  # of them with a grant


@dataclass(frozen=True)
class Estimate:
    """A design's estimate in the model, beside the published one.

    Attributes:
        value, error: over all runs and its standard error, in the design's unit; NaN where it
            cannot be told.
        low, high: 5 and 95 % over the runs, each with parameters of its own.
        runs: those in which there was something to tell it from.
    """

    design: Design
    value: float
    error: float
    low: float
    high: float
    runs: int

    @property
    def inside(self) -> bool:
        """Whether it lies in the published interval."""
        return self.design.low <= self.value <= self.design.high


def evaluate(
    inputs: Inputs,
    designs: Sequence[Design],
    *,
    runs: int,
    seed: int,
    workers: int | Workers = 1,
    on_progress: Progress = no_progress,
) -> list[Estimate]:
    """Each design's estimate over runs 0 to ``runs`` − 1; a pilot goes from zone to zone.

    Raises:
        RunError: the numbers make no sense, workers died repeatedly, or memory ran out.
    """
    if runs < 2:
        raise RunError(f"--runs: found {runs}; allowed: at least 2")
    if isinstance(workers, int) and workers < 1:
        raise RunError(f"--workers: found {workers}; allowed: at least 1")
    where = local(workers) if isinstance(workers, int) else workers
    tasks = [(inputs, design, seed, run) for design in designs for run in range(runs)]
    place = {id(task): n for n, task in enumerate(tasks)}
    parts = np.full((len(tasks), 2), np.nan)
    done = 0

    def keep(task: Task, found: tuple[float, float]) -> None:
        nonlocal done
        parts[place[id(task)]] = found
        done += 1
        on_progress(done, len(tasks))

    with Pool(where) as pool:
        complete(pool, one_run, tasks, keep, RunError)
    by_design = parts.reshape(len(designs), runs, 2)
    return [_summed(design, values) for design, values in zip(designs, by_design, strict=True)]


def _summed(design: Design, parts: Floats) -> Estimate:
    """A ratio of means, for an estimate that is one, and its error to first order."""
    told = parts[np.isfinite(parts).all(axis=1)]
    over, under = told.T
    if len(told) < 2 or under.mean() <= 0:
        return Estimate(design, *(float("nan"),) * 4, runs=len(told))
    value = over.mean() / under.mean()
    error = (over - value * under).std(ddof=1) / np.sqrt(len(told)) / under.mean()
    each = over[under > 0] / under[under > 0]
    low, high = np.quantile(each, [0.05, 0.95])
    return Estimate(design, float(value), float(error), float(low), float(high), len(told))


def one_run(inputs: Inputs, design: Design, seed: int, run: int) -> tuple[float, float]:
    """A design's estimate in one run, as what it is a ratio of; NaN where it cannot be told."""
    if design.kind == Kind.WINNERS:
        return winners(Runner(inputs, seed).district(run)), 1.0
    if design.kind == Kind.RESEARCHERS:
        return researchers(Runner(inputs, seed).district(run)), 1.0
    zone = run % len(inputs.plan.zones)
    treated = treat(inputs, design, zone)
    without, under = (panel(Runner(which, seed).district(run)) for which in (inputs, treated))
    if design.kind == Kind.LOTTERY:
        return under.projects - without.projects, under.grants - without.grants
    if design.kind == Kind.PILOT:
        return pilot(without, under, design.outcome, zone) / design.per, 1.0
    if design.measured == Measured.COST:
        first = BEFORE // 12
        before, after = (seen.counts[design.outcome][first:].sum() for seen in (without, under))
        return under.cost - without.cost, float(after - before)
    return whole(without, under, design), 1.0


def treat(inputs: Inputs, design: Design, zone: int) -> Inputs:
    """The scenario with the treatment, after BEFORE months; a pilot's in one zone alone."""
    start = months.after(inputs.plan.start, BEFORE + 1)
    where: dict[str, object] = {"start": start}
    if design.measures:
        where = {"measures": list(design.measures)}  # with and without, from its own start
    elif design.kind == Kind.PILOT:
        where["zones"] = [inputs.plan.zones[zone].id]
    for lever in design.levers:
        inputs = with_lever(inputs, Lever(lever), design.value or 0.0, **where)
    return inputs


def panel(district: District) -> Panel:
    """Step a district to its end and count by year and zone."""
    firms, zones, base = district.columns, district.zones, district.blueprint.base
    count = district.blueprint.shape[0]
    names = ("entries", "foreign_entries", "data_entries", "revenue", "arrivals", "results")
    yearly: dict[str, list[Floats]] = {name: [] for name in names}
    intensive = base.data_intensity >= np.median(base.data_intensity)
    projects = 0.0
    month: dict[str, Floats] = {}
    while district.month < district.blueprint.horizon:
        if district.month % 12 == 0:
            month = {name: np.zeros(count) for name in names}
        under_way = district.projects.end.copy()
        level = firms.capability.copy()
        district.step()
        ended = float((under_way <= district.month).sum())
        projects += district.projects.count - len(under_way) + ended
        new = (firms.founded == district.month) & (firms.state == ACTIVE)
        for name, who in (
            ("entries", new),
            ("foreign_entries", new & firms.foreign),
            ("data_entries", new & intensive[firms.sector]),
            ("results", succeeded(district, level)),
        ):
            month[name] += np.bincount(firms.zone[who], minlength=count)[:count]
        month["revenue"] += zones.revenue.sum(axis=1)
        month["arrivals"] += zones.arrivals
        if district.month % 12 == 0:
            for name in names:
                yearly[name].append(month[name])
    grant = district.blueprint.lever_strength[Lever.SCENARIO_FUNDING]
    paid = district.costs.sum(axis=2).sum(axis=0)
    grants = float(paid[ROW[Lever.SCENARIO_FUNDING.value]]) / grant
    counts = {name: np.array(rows) for name, rows in yearly.items()}
    return Panel(counts, float(paid.sum()), projects, grants)


def succeeded(district: District, before: Floats) -> Bools:
    """Which firms' research succeeded this month (visible,): their capability rose by a step.

    ``before`` is the capability of the slots visible last month.
    """
    firms, step = district.columns, district.parameters.innovation.step
    count = len(before)
    kept = district.research.kept[:count]
    gain = firms.capability[:count] - before * kept
    rose = np.zeros(len(firms), dtype=bool)
    rose[:count] = (gain > 0.5 * step * (1.0 - before)) & (firms.alive[:count] > 0)
    return rose


def pilot(without: Panel, treated: Panel, outcome: str, zone: int) -> float:
    """Difference in differences of the log outcome: the zone against the others, the last year
    against the first, beyond what it is without the treatment."""

    def gap(seen: Panel) -> float:
        values = seen.counts[outcome] + 0.5  # a count may be 0
        others = np.delete(values, zone, axis=1).sum(axis=1)
        own = values[:, zone]
        return float(np.log(own[-1] / own[0]) - np.log(others[-1] / others[0]))

    return gap(treated) - gap(without)


def whole(without: Panel, treated: Panel, design: Design) -> float:
    """Change of the log outcome: of the years under a lever; or, of measures, which the treatment
    takes away, in the last year with them against without."""
    if design.measures:
        one, other = (seen.counts[design.outcome][-1].sum() for seen in (treated, without))
    else:
        first = BEFORE // 12
        one, other = (seen.counts[design.outcome][first:].sum() for seen in (without, treated))
    return float(np.log((other + 0.5) / (one + 0.5))) / design.per


def winners(district: District) -> float:
    """Growth of log revenue of firms that win their first project in the second year, from its
    start to two years later, beyond that of others of their sector and tenth of size."""
    firms = district.columns
    while district.month < BEFORE:
        district.step()
    count = len(firms)
    size = firms.log_revenue[:count].astype(float)
    fresh = firms.supplies & (firms.alive > 0) & (firms.projects == 0)
    won = np.zeros(count, dtype=bool)
    end = min(BEFORE + 24, district.blueprint.horizon)
    while district.month < end:
        district.step()
        if district.month <= BEFORE + 12:
            won |= firms.projects[:count] > 0
    growth = firms.log_revenue[:count].astype(float) - size
    stays = fresh[:count] & (firms.alive[:count] > 0)
    found, weights = [], []
    for s in np.flatnonzero(district.blueprint.base.supplies):
        own = np.flatnonzero(stays & (firms.sector[:count] == s))
        for part in np.array_split(own[np.argsort(size[own])], TENTHS):
            chosen = part[won[part]]
            rest = part[~won[part]]
            if len(chosen) and len(rest):
                found.append(growth[chosen].mean() - growth[rest].mean())
                weights.append(len(chosen))
    return float(np.average(found, weights=weights)) if found else float("nan")


def researchers(district: District) -> float:
    """Elasticity of a firm's successes in research to its staff: the slope of log mean successes
    on log mean staff over tenths of the firms of a sector, mean of sectors."""
    firms = district.columns
    start, count = firms.staff.astype(float).copy(), len(firms)
    made = np.zeros(count)
    while district.month < min(3 * BEFORE, district.blueprint.horizon):
        level = firms.capability.copy()
        district.step()
        made += succeeded(district, level)[:count]
    slopes = []
    for s in range(district.blueprint.shape[1]):
        own = np.flatnonzero((firms.sector[:count] == s) & (firms.alive[:count] > 0))
        parts = np.array_split(own[np.argsort(start[own])], TENTHS)
        points = [
            (np.log(start[part].mean()), np.log(made[part].mean()))
            for part in parts
            if len(part) and made[part].sum() > 0 and start[part].mean() > 0
        ]
        if len(points) > TENTHS // 2:
            x, y = np.array(points).T
            slopes.append(float(np.polyfit(x, y, 1)[0]))
    return fmean(slopes) if slopes else float("nan")
