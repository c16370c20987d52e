"""Stylised facts of firms, jobs and sectors: what the model shows beside what was found.

``python -m calibration.facts`` writes docs/generated/facts.md. Each fact of
calibration/data/facts.csv is measured over baseline runs firm by firm; ``role`` says whether it was
put into the model (``input``) or left to come out of it (``check``).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from calibration import OBSERVATIONS
from sim.analysis.effects import with_lever
from sim.economy import Lever
from sim.model import District
from sim.runner import Runner
from sim.scenario import Inputs, ending_at, read_scenario
from sim.store import write_text

ROOT = Path(__file__).parents[1]
TABLE = OBSERVATIONS.with_name("facts.csv")
PAGE = ROOT / "docs" / "generated" / "facts.md"
RUNS, SEED, YEARS = 24, 1, 3
LONG_RUN = 6  # years after the first without policy, for what should not drift
TENTHS = 10

Floats = NDArray[np.float64]
YOUNG, OLD = 36, 84  # months of age

HEAD = """# Stylised facts

Made by `make evidence` from {runs} runs of the baseline with seed {seed}. Each fact is measured as
its source did, firm by firm where the source did so. *Input*: the figure was put into the model.
*Check*: it was not, and comes out of what firms do. {inside} of {count} lie within the range of the
literature.

| fact | model | range found | | role | source |
|---|---|---|---|---|---|
"""


@dataclass
class Year:
    """One year of one run: firms at its start (slots,), and what became of them."""

    sector: NDArray[np.intp]
    age: Floats  # months
    size: Floats  # log revenue
    growth: Floats  # of log revenue; NaN for those that closed
    staff: Floats
    staff_after: Floats  # of all slots at its end, those that started in it behind


@dataclass
class Run:
    """What a run shows; by month where not said otherwise."""

    years: list[Year] = field(default_factory=list)
    sector_growth: list[Floats] = field(default_factory=list)  # by year (S,)
    wages: Floats = field(default_factory=lambda: np.ones(1))
    filled: list[float] = field(default_factory=list)
    open_posts: list[float] = field(default_factory=list)
    firms: list[float] = field(default_factory=list)  # by year, at its start
    entries: list[float] = field(default_factory=list)  # by year
    exits: list[float] = field(default_factory=list)
    converted: list[float] = field(default_factory=list)
    concentration: list[float] = field(default_factory=list)
    survival: float = 1.0


def watched(district: District) -> Run:
    """Step a district through its first years and look at its firms."""
    run = Run()
    entrants: dict[int, int] = {}
    run.concentration.append(_concentration(district))
    for year in range(YEARS):
        firms, zones = district.columns, district.zones
        count = len(firms)
        alive = firms.alive[:count] > 0
        start = firms.log_revenue.astype(float)[:count].copy()
        staff = (firms.staff * firms.alive).astype(float)[:count].copy()
        age = (district.month - firms.founded[:count]).astype(float)
        sector = firms.sector[:count].astype(np.intp).copy()
        turnover = _turnover(district)
        before = zones.entries.sum(), zones.exits.sum(), _converted(district)
        run.firms.append(float(alive.sum()))
        for _ in range(12):
            district.step()
            unfilled = (zones.vacancies * (1.0 - zones.fill_rate)).sum()
            run.open_posts.append(float(unfilled / zones.staff.sum()))
            run.filled.append(float(1.0 - unfilled / max(zones.vacancies.sum(), 1e-9)))
            if year == 0:
                new = np.flatnonzero(firms.founded == district.month)
                entrants |= {int(i): district.month for i in new if firms.alive[i] > 0}
        growth = firms.log_revenue.astype(float)[:count] - start
        growth[~(alive & (firms.alive[:count] > 0))] = np.nan
        after = (firms.staff * firms.alive).astype(float)
        here = alive
        run.years.append(
            Year(sector[here], age[here], start[here], growth[here], staff, after.copy())
        )
        run.sector_growth.append(np.log(_turnover(district) / turnover))
        run.entries.append(float(zones.entries.sum() - before[0]))
        run.exits.append(float(zones.exits.sum() - before[1]))
        run.converted.append(_converted(district) - before[2])
        run.concentration.append(_concentration(district))
    run.wages = district.zones.wage_index.copy()
    left = [district.columns.alive[i] > 0 for i in entrants]
    run.survival = fmean(left) if left else 1.0
    return run


def _turnover(district: District) -> Floats:
    return np.asarray(district.zones.revenue.sum(axis=0))


def _converted(district: District) -> float:
    firms, is_ai = district.columns, district.blueprint.base.is_ai
    return float((firms.is_ai & ~is_ai[firms.sector] & (firms.alive > 0)).sum())


def _concentration(district: District) -> float:
    share = district.zones.revenue.sum(axis=1) / district.zones.revenue.sum()
    return float((share**2).sum())


def measure(runs: list[Run], steady: Floats) -> dict[str, float]:
    """Each fact's figure; ``steady`` is log growth of all revenue by year without policy."""
    years = [year for run in runs for year in run.years]
    z = np.concatenate([values for year in years for values in _within(year)])
    spread = [(year, _demeaned(year)) for year in years]

    def by_age(low: float, high: float) -> Floats:
        parts = [g[(y.age >= low) & (y.age < high) & np.isfinite(g)] for y, g in spread]
        return np.concatenate(parts)

    young, old = by_age(0, YOUNG), by_age(OLD, np.inf)
    # as the source does: mean of growth between two sizes over their mean, not of logs
    change = [2.0 * np.tanh(x / 2.0) for x in (young, old)]
    created = [np.maximum(_staff_change(y), 0.0).sum() / y.staff.sum() for y in years]
    lost = [np.maximum(-_staff_change(y), 0.0).sum() / y.staff.sum() for y in years]
    sectors = np.array([np.array(run.sector_growth) for run in runs])  # (runs, years, S)
    aside = sectors - sectors.mean(axis=0)
    flat = aside.reshape(-1, aside.shape[2])
    moved = flat[:, flat.std(axis=0) > 0]
    matrix: Floats = np.atleast_2d(np.corrcoef(moved.T))
    pairs = matrix[np.triu_indices(len(matrix), 1)]
    filled = np.array([run.filled for run in runs]).reshape(len(runs), YEARS, 12).mean(axis=(0, 2))
    exits = np.array([np.array(run.exits) / np.array(run.firms) for run in runs]).mean(axis=0)
    converted = np.array([run.converted for run in runs]).mean(axis=0)
    return {
        "tail_exponent": fmean(_hill(y) for y in years),
        "growth_kurtosis": float((z**4).mean() - 3.0),
        "growth_shape": float(np.abs(z).mean()),
        "size_variance": fmean(_size_exponent(y) for y in years),
        "age_spread": float(young.std() / old.std()),
        "age_mean": float(change[0].mean() - change[1].mean()),
        "entry_rate": fmean(
            e / n for run in runs for e, n in zip(run.entries, run.firms, strict=True)
        ),
        "exit_rate": float(exits.mean()),
        "exit_drift": float(exits[-1] - exits[0]),
        "survival": fmean(run.survival for run in runs),
        "job_creation": fmean(created),
        "job_destruction": fmean(lost),
        "fill_drift": float(filled[-1] - filled[0]),
        "vacancy_rate": fmean(x for run in runs for x in run.open_posts),
        "zone_wages": fmean(float(np.ptp(np.log(run.wages))) for run in runs),
        "sector_sd": float(aside.std(axis=(0, 1)).mean()),
        "comovement": float(pairs.mean()),
        "conversion_start": float(converted[0] / max(converted.mean(), 1e-9)),
        "concentration": fmean(run.concentration[-1] - run.concentration[0] for run in runs),
        "steady_growth": float(np.ptp(steady)),
    }


def _groups(year: Year) -> Iterator[NDArray[np.intp]]:
    """Survivors of a sector and tenth of size."""
    for s in np.unique(year.sector):
        own = np.flatnonzero((year.sector == s) & np.isfinite(year.growth))
        for part in np.array_split(own[np.argsort(year.size[own])], TENTHS):
            if len(part) >= TENTHS:
                yield part


def _within(year: Year) -> Iterator[Floats]:
    for part in _groups(year):
        values = year.growth[part]
        yield (values - values.mean()) / values.std()


def _demeaned(year: Year) -> Floats:
    growth = year.growth.copy()
    for s in np.unique(year.sector):
        growth[year.sector == s] -= np.nanmean(growth[year.sector == s])
    return growth


def _staff_change(year: Year) -> Floats:
    before = np.zeros(len(year.staff_after))
    before[: len(year.staff)] = year.staff
    return np.asarray(year.staff_after - before)


def _hill(year: Year) -> float:
    """Hill's estimator over the largest 5 % of each sector's firms, mean of sectors."""
    found = []
    for s in np.unique(year.sector):
        size = np.sort(year.size[year.sector == s])
        tail = size[-max(len(size) // 20, 2) :]
        found.append(1.0 / max(float((tail - tail[0])[1:].mean()), 1e-9))
    return fmean(found)


def _size_exponent(year: Year) -> float:
    """Minus the slope of log spread of growth on log size over tenths, mean of sectors."""
    found = []
    for s in np.unique(year.sector):
        parts = [p for p in _groups(year) if year.sector[p[0]] == s]
        if len(parts) < TENTHS:
            continue
        size = [year.size[p].mean() for p in parts]
        spread = [np.log(year.growth[p].std()) for p in parts]
        found.append(-float(np.polyfit(size, spread, 1)[0]))
    return fmean(found)


def without_policy(inputs: Inputs, runs: int) -> Floats:
    """Mean log growth of all revenue by year with every measure off (LONG_RUN + 1,)."""
    year = int(inputs.plan.start[:4]) + 1 + LONG_RUN
    longer = ending_at(inputs, f"{year}-{inputs.plan.start[5:]}")
    runner = Runner(with_lever(longer, Lever.MEASURE_INTENSITY, 0.0), SEED)
    columns = runner.series_columns
    name = next(n for n in ("context_revenue.district", "revenue.district") if n in columns)
    place = columns.index(name)
    paths = [
        runner.run(run).series.reshape(runner.blueprint.horizon + 1, -1) for run in range(runs)
    ]
    yearly = np.array([path[::12, place] for path in paths])
    return np.asarray(np.diff(np.log(yearly), axis=1).mean(axis=0))


def page(inputs: Inputs, runs: int = RUNS) -> str:
    """docs/generated/facts.md."""
    runner = Runner(inputs, SEED)
    shown = [watched(runner.district(run)) for run in range(runs)]
    steady = without_policy(inputs, runs)
    figures = measure(shown, steady)
    table = pd.read_csv(TABLE, dtype=str, keep_default_na=False)
    rows, inside = [], 0
    for row in table.itertuples(index=False):
        value, low, high = figures[row.id], float(row.low), float(row.high)
        within = low <= value <= high
        inside += within
        unit = f" {row.unit}" if row.unit and row.unit not in ("share", "ratio") else ""
        rows.append(
            f"| {row.fact} | {value:.3g} | {low:g} to {high:g}{unit} | "
            f"{'' if within else 'outside'} | {row.role} | {row.source} |\n"
        )
    text = HEAD.format(runs=runs, seed=SEED, inside=inside, count=len(rows)) + "".join(rows)
    text += "\nLog growth of all revenue without policy, in % by year: "
    return text + ", ".join(f"{100 * x:.1f}" for x in steady) + ".\n"


def main() -> int:
    inputs = read_scenario(ROOT / "scenarios" / "baseline.yaml")
    PAGE.parent.mkdir(exist_ok=True)
    write_text(PAGE, page(inputs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
