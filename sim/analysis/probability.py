"""How likely each target is, in each zone and for the district, from the runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.analysis.interval import Method, Probability, parameter_share
from sim.blueprint import Blueprint, Floats, largest_remainder
from sim.draws import AGAIN
from sim.montecarlo import repeats
from sim.plan import ALL_TARGETS, DISTRICT, Plan, Quantity, Target
from sim.processes.accounts import indicators, revenue_weights
from sim.runner import Runner
from sim.store import Pick, Store
from sim.zones import ITEMS

if TYPE_CHECKING:
    from sim.analysis.uncertainty import Uncertainty

Flags = NDArray[np.bool_]
QUANTILES = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}


@dataclass(frozen=True)
class Answer:
    """What a forecast says.

    Attributes:
        results: a row a zone and target; zone ``district`` is the whole, target ``all`` all
            targets at once (its value is the number of targets met).
        yearly: quantiles and mean of every indicator by zone, at the end of each plan year.
        monthly: quantiles of each target's indicator for the district, every month.
        costs: fiscal cost by item and zone over the whole period, 亿元.
        uncertainty: what the spread of the values and outcomes comes from; see its type.
    """

    runs: int
    method: Method
    results: pd.DataFrame
    yearly: pd.DataFrame
    monthly: pd.DataFrame
    costs: pd.DataFrame
    uncertainty: Uncertainty | None = None


@dataclass(frozen=True)
class Outcome:
    """How the runs stood to one target in one zone: values at its deadline and met or not (runs,).

    Of all targets at once the value is the number of targets met, the limit how many there are.
    """

    limit: float
    values: Floats
    met: Flags


def base_values(blueprint: Blueprint, target: Target) -> Floats:
    """A target's quantity in the base year by zone (Z,): flows in sum, stocks at its end."""
    base = blueprint.base
    if target.quantity == Quantity.AI_FIRMS:
        return np.asarray(base.firms @ base.is_ai.astype(float))
    weights = revenue_weights(target, base, blueprint.sectors)
    if target.quantity == Quantity.FIRMS:
        return np.asarray(base.firms @ weights)
    return np.asarray(base.revenue @ weights)


def thresholds(blueprint: Blueprint, target: Target) -> dict[str, float]:
    """The target's threshold for the district and for each zone that has a part in it.

    A zone's part is the district's threshold times its share; of things that come whole the
    parts are whole and sum to the threshold (largest remainder), and a zone may have none.
    """
    total = target.threshold.value
    if target.id in blueprint.target_shares:
        shares = blueprint.target_shares[target.id]
    else:
        base = base_values(blueprint, target)
        shares = base / base.sum() if base.sum() > 0 else np.full(len(base), 1.0 / len(base))
    parts = largest_remainder(int(total), shares) if target.quantity.whole else shares * total
    by_zone = {
        zone: float(part) for zone, part in zip(blueprint.zones, parts, strict=True) if part > 0
    }
    return {DISTRICT: total} | by_zone


def answer(store: Store, runner: Runner, runs: int, method: Method = Method.WILSON) -> Answer:
    """Read what the answer needs from the store's first ``runs`` runs and their repeats.

    In one pass over the chunks of each table, or few where there are very many runs.
    """
    blueprint, plan = runner.blueprint, runner.inputs.plan
    zones = [*blueprint.zones, DISTRICT]
    targets = {target.id: target for target in plan.targets}
    picks = []
    for indicator in indicators(blueprint):
        columns = [f"{indicator}.{zone}" for zone in zones]
        picks.append(Pick(columns, year_ends(blueprint)))
        if indicator in targets:
            picks.append(_at_deadline(targets[indicator], blueprint))
            picks.append(Pick([f"{indicator}.{DISTRICT}"]))
    values = store.scan("series", picks, runs)
    yearly, ends, monthly = [], {}, []
    for indicator, kind in indicators(blueprint).items():
        yearly.append(_yearly(next(values), indicator, kind, zones, year_ends(blueprint)))
        if indicator in targets:
            ends[indicator] = next(values)[:, 0]
            monthly.append(_monthly(next(values)[0], indicator, blueprint.months()))
    return Answer(
        runs,
        method,
        _results(ends, _again(store, blueprint, plan, runs), blueprint, plan, method),
        pd.concat(yearly, ignore_index=True),
        pd.concat(monthly, ignore_index=True),
        _costs(store, blueprint, runs),
    )


def results(
    store: Store, blueprint: Blueprint, plan: Plan, runs: int, method: Method
) -> pd.DataFrame:
    """The probabilities: a row a zone and target, the district first and ``all`` last."""
    ends = at_deadlines(store, blueprint, plan, runs)
    return _results(ends, _again(store, blueprint, plan, runs), blueprint, plan, method)


def _at_deadline(target: Target, blueprint: Blueprint) -> Pick:
    """A target's value at its deadline in the district and each zone that has a part in it."""
    columns = [f"{target.id}.{zone}" for zone in thresholds(blueprint, target)]
    return Pick(columns, [target.deadline])


def at_deadlines(
    store: Store, blueprint: Blueprint, plan: Plan, runs: int, first: int = 0
) -> dict[str, Floats]:
    """By target the value at its deadline, (zones with a part, runs), in its thresholds' order."""
    picks = [_at_deadline(target, blueprint) for target in plan.targets]
    values = store.scan("series", picks, runs, first)
    return {target.id: found[:, 0] for target, found in zip(plan.targets, values, strict=True)}


def _again(store: Store, blueprint: Blueprint, plan: Plan, runs: int) -> dict[str, Floats]:
    """Likewise of the runs that were made again with other luck; empty where none were."""
    again = repeats(runs)
    return at_deadlines(store, blueprint, plan, again, AGAIN) if again else {}


def outcomes(
    ends: dict[str, Floats], blueprint: Blueprint, plan: Plan
) -> dict[tuple[str, str], Outcome]:
    """How the runs stood to each target, by zone and target; district first, ``all`` last."""
    found: dict[tuple[str, str], Outcome] = {}
    parts = {target.id: thresholds(blueprint, target) for target in plan.targets}
    for zone in [DISTRICT, *blueprint.zones]:
        flags = []
        for target in plan.targets:
            if zone not in parts[target.id]:
                continue
            limit = parts[target.id][zone]
            values = ends[target.id][list(parts[target.id]).index(zone)].astype(float)
            flags.append(target.met(values, limit))
            found[zone, target.id] = Outcome(limit, values, flags[-1])
        if flags:
            count = np.sum(flags, axis=0)
            every = Outcome(float(len(flags)), count.astype(float), count == len(flags))
            found[zone, ALL_TARGETS] = every
    return found


def _results(
    ends: dict[str, Floats],
    again: dict[str, Floats],
    blueprint: Blueprint,
    plan: Plan,
    method: Method,
) -> pd.DataFrame:
    repeated = outcomes(again, blueprint, plan) if again else {}
    rows = []
    for (zone, target), outcome in outcomes(ends, blueprint, plan).items():
        once_more = repeated[zone, target].met if again else outcome.met[:0]
        probability = _probability(outcome.met, once_more, method)
        rows.append(_row(zone, target, outcome, probability))
    return pd.DataFrame(rows)


def _probability(met: Flags, again: Flags, method: Method) -> Probability:
    share = parameter_share(met[: len(again)], again, float(met.mean())) if len(again) else None
    return Probability.of(met, method, share)


def _row(zone: str, target: str, outcome: Outcome, probability: Probability) -> dict[str, object]:
    q05, q50, q95 = np.quantile(outcome.values, [0.05, 0.5, 0.95])
    return {
        "zone": zone,
        "target": target,
        "threshold": outcome.limit,
        "probability": probability.estimate,
        "low": probability.low,
        "high": probability.high,
        "runs": probability.runs,
        "parameter_share": probability.parameter_share,
        "q05": float(q05),
        "q50": float(q50),
        "q95": float(q95),
        "shortfall": float(np.maximum(outcome.limit - outcome.values, 0.0).mean()),
    }


def year_ends(blueprint: Blueprint) -> list[str]:
    """The start, every twelve months after it, and the end of the plan."""
    all_months = blueprint.months()
    return list(dict.fromkeys([*all_months[::12], all_months[-1]]))


def _yearly(
    values: Floats, indicator: str, kind: str, zones: list[str], ends: list[str]
) -> pd.DataFrame:
    """Mean and quantiles of an indicator's values (zones, months, runs), zone by zone."""
    count = len(ends)
    table: dict[str, object] = {
        "month": ends * len(zones),
        "zone": np.repeat(zones, count),
        "indicator": indicator,
        "kind": kind,
        "mean": values.mean(axis=2, dtype=float).ravel(),
    }
    levels = np.concatenate([_levels(by_month) for by_month in values], axis=1)
    return pd.DataFrame(table | dict(zip(QUANTILES, levels, strict=True)))


def _monthly(values: Floats, target: str, months: list[str]) -> pd.DataFrame:
    """Quantiles of a target's indicator in the district, (months, runs), month by month."""
    levels = dict(zip(QUANTILES, _levels(values), strict=True))
    return pd.DataFrame({"target": target, "month": months} | levels)


def _levels(values: Floats) -> Floats:
    """The quantiles over runs of values (months, runs), in double precision (quantiles, months)."""
    return np.asarray(np.quantile(values.astype(float), list(QUANTILES.values()), axis=1))


def _costs(store: Store, blueprint: Blueprint, runs: int) -> pd.DataFrame:
    """Mean and 90 % range of cost over the whole period, by item and zone, and in all."""
    rows = []
    total = {zone: np.zeros(runs) for zone in [*blueprint.zones, DISTRICT]}
    picks = [Pick([f"{item}.{zone}" for zone in blueprint.zones], total=True) for item in ITEMS]
    for item, sums in zip(ITEMS, store.scan("costs", picks, runs), strict=True):
        district = np.zeros(runs)
        for zone, spent in zip(blueprint.zones, sums[:, 0], strict=True):
            rows.append(_cost_row(item, zone, spent))
            total[zone] += spent
            district += spent
        rows.append(_cost_row(item, DISTRICT, district))
        total[DISTRICT] += district
    rows += [_cost_row("total", zone, spent) for zone, spent in total.items()]
    return pd.DataFrame(rows)


def _cost_row(item: str, zone: str, spent: Floats) -> dict[str, object]:
    return {
        "item": item,
        "zone": zone,
        "mean": float(spent.mean()),
        "q05": float(np.quantile(spent, 0.05)),
        "q95": float(np.quantile(spent, 0.95)),
    }
