"""What the runs so far say: probabilities, what changed and at what cost, as plain data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.analysis.evaluation import TOTAL, Flags, Outcomes
from sim.analysis.interval import CONFIDENCE, wilson
from sim.analysis.paired import difference_interval, mean_and_error
from sim.analysis.poststratified import Estimate, poststratified
from sim.analysis.probability import QUANTILES, thresholds
from sim.blueprint import Floats, build
from sim.dashboard.runs import Runs
from sim.plan import DISTRICT
from sim.scenario import Inputs
from sim.zones import ITEMS

Row = dict[str, Any]


@dataclass(frozen=True)
class Results:
    """Base and, where one was asked for, what-if.

    Attributes:
        runs: of the base that are there.
        pairs: runs that are there of both; 0 without a what-if.
        cells: a row a zone and target (``all``: all of the zone's at once): threshold, base, low
            and high of its 95 % interval; with a what-if also what_if, what_if_low,
            what_if_high, difference with difference_low and difference_high, gained and lost;
            told: whether it can be told from chance, by intervals so wide that all cells' hold
            at once with 95 %.
        costs: a row an item and zone, 亿元 over the whole period: base; with a what-if
            difference and its standard error.
    """

    runs: int
    pairs: int
    cells: list[Row]
    costs: list[Row]

    def half_width(self) -> float:
        """The widest interval's half: of the what-if's probabilities, of the base's without it."""
        name = "what_if" if self.pairs else "base"
        ends = ("what_if_low", "what_if_high") if name == "what_if" else ("low", "high")
        return float(max(row[ends[1]] - row[ends[0]] for row in self.cells)) / 2.0


def results_of(base: Runs, what_if: Runs | None = None) -> Results | None:
    """From what is there now; none before the first run, or the first pair."""
    outcomes = outcomes_of(base, what_if)
    everything = outcomes_of(base)  # afterwards: more may come in meanwhile
    if outcomes is None or everything is None:
        return None
    pairs = 0 if what_if is None else len(outcomes.runs)
    return Results(
        len(everything.runs), pairs, _cells(outcomes, everything), _costs(outcomes, everything)
    )


def outcomes_of(base: Runs, what_if: Runs | None = None) -> Outcomes | None:
    """What runs ended with that are there: the base's, with a what-if those of both."""
    variants = [base] if what_if is None else [base, what_if]
    there = np.logical_and.reduce([runs.there for runs in variants])
    if not there.any():
        return None
    ends = np.stack([runs.ends[there] for runs in variants])
    limits = np.array([limits_of(runs.inputs) for runs in variants])
    return Outcomes(base.inputs.plan, range(ends.shape[1]), base.columns, ends, limits)


def history_of(base: Runs, what_if: Runs | None, zone: str, target: str) -> Row:
    """A target's quantity month by month: the runs' quantiles in base and what-if."""
    plan = base.inputs.plan
    place = plan.target_ids().index(target), [*plan.zone_ids(), DISTRICT].index(zone)
    found: Row = {"zone": zone, "target": target, "base": _fan(base, *place)}
    if what_if is not None and what_if.done:
        found["what_if"] = _fan(what_if, *place)
    return found


def limits_of(inputs: Inputs) -> list[float]:
    """The threshold of each ``target.zone``, as ``Outcomes`` has them; NaN where there is none."""
    blueprint = build(inputs)
    by_target = [thresholds(blueprint, target) for target in inputs.plan.targets]
    zones = (*blueprint.zones, DISTRICT)
    return [limits.get(zone, math.nan) for limits in by_target for zone in zones]


def _fan(runs: Runs, target: int, zone: int) -> dict[str, list[float]]:
    if not runs.done:
        return {}
    values = runs.paths[runs.there, :, target, zone].astype(float)
    levels = np.quantile(values, list(QUANTILES.values()), axis=0)
    return {
        name: [float(f"{value:.5g}") for value in level]
        for name, level in zip(QUANTILES, levels, strict=True)
    }


def _cells(outcomes: Outcomes, everything: Outcomes) -> list[Row]:
    met, known = outcomes.met(), everything.met()[0]
    limits = dict(zip(outcomes.columns, outcomes.thresholds[-1].tolist(), strict=False))
    together = 1.0 - (1.0 - CONFIDENCE) / (2 * len(outcomes.goals))  # as in a comparison
    rows = []
    for n, goal in enumerate(outcomes.goals):
        target, zone = goal.split(".")
        row: Row = {"zone": zone, "target": target, "threshold": limits.get(goal)}
        # a goal of the what-if alone, by its target shares, is none of the base
        hits = known[:, everything.goals.index(goal)] if goal in everything.goals else None
        if hits is not None:
            low, high = wilson(int(hits.sum()), len(hits))
            row |= {"base": float(hits.mean()), "low": low, "high": high}
        if len(met) == 2:
            all_there = met.shape[1] == len(known)
            change = _of_all if all_there else _of_some
            row |= change(met[0, :, n], met[1, :, n], hits, together)
        rows.append(row)
    return rows


def _of_all(before: Flags, after: Flags, hits: Flags | None, together: float) -> Row:
    """When all of the base's runs have their pair: the plain shares, as forecasts have them."""
    pairs = len(before)
    gained, lost = int(np.sum(after & ~before)), int(np.sum(before & ~after))
    there = Estimate(float(after.mean()), *wilson(int(after.sum()), pairs))
    shift = Estimate((gained - lost) / pairs, *difference_interval(gained, lost, pairs))
    return _row(there, shift, difference_interval(gained, lost, pairs, together), gained, lost)


def _of_some(before: Flags, after: Flags, hits: Flags | None, together: float) -> Row:
    """Before that: what is known of the base from more runs is used."""
    known = (before, len(before)) if hits is None else (hits, len(hits))
    counted = before, after, int(known[0].sum()), known[1]
    there, shift = poststratified(*counted)
    wide = poststratified(*counted, confidence=together)[1]
    gained, lost = int(np.sum(after & ~before)), int(np.sum(before & ~after))
    return _row(there, shift, (wide.low, wide.high), gained, lost)


def _row(
    there: Estimate, shift: Estimate, wide: tuple[float, float], gained: int, lost: int
) -> Row:
    return {
        "what_if": there.value,
        "what_if_low": there.low,
        "what_if_high": there.high,
        "difference": shift.value,
        "difference_low": shift.low,
        "difference_high": shift.high,
        "told": wide[0] > 0 or wide[1] < 0,
        "gained": gained,
        "lost": lost,
    }


def _costs(outcomes: Outcomes, everything: Outcomes) -> list[Row]:
    zones = [DISTRICT, *outcomes.plan.zone_ids()]
    rows = []
    for item in (TOTAL, *ITEMS):
        for zone in zones:
            name = f"cost.{item}.{zone}"
            row: Row = {"item": item, "zone": zone}
            row["base"] = float(everything.column(name)[0].mean())
            spent: Floats = outcomes.column(name)
            if len(spent) == 2:
                mean, error = mean_and_error(spent[1] - spent[0])
                row |= {"difference": mean, "error": None if math.isnan(error) else error}
            rows.append(row)
    return rows
