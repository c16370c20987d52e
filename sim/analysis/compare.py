"""What a what-if changes, against a base: run by run, with the same luck and parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field

from sim.analysis.evaluation import TOTAL, Evaluator, Outcomes
from sim.analysis.interval import CONFIDENCE, wilson
from sim.analysis.paired import difference_interval, mean_and_error, mean_interval, ratio_interval
from sim.analysis.record import Part, Sealed, schema_of, write_record
from sim.analysis.summary import InputRecord, TargetId, Versions, ZoneId, made_from, versions
from sim.blueprint import Floats
from sim.errors import ScenarioError
from sim.executors import Workers
from sim.montecarlo import Progress, no_progress
from sim.plan import ALL_TARGETS, DISTRICT
from sim.posterior import Posterior
from sim.scenario import Inputs
from sim.store import write_text
from sim.text import csv_text

METHOD = "paired: Tango's score interval; of a probability itself: Wilson score interval"
NAMES = {"id", "name", "question", "plan", "economy"}  # what no run depends on


class Verdict(StrEnum):
    """Whether a difference can be told from chance.

    By intervals so wide that all of a what-if's verdicts hold at once with 95 % (Bonferroni).
    """

    RISES = "rises"
    FALLS = "falls"
    UNCLEAR = "unclear"


class Side(StrEnum):
    """Whom a what-if serves, by all verdicts on a zone's targets."""

    GAINS = "gains"
    LOSES = "loses"
    MIXED = "some rise, some fall"
    UNCLEAR = "unclear"


class Cost(StrEnum):
    """Whether a price of one percentage point can be told."""

    TOLD = "told"
    NO_RISE = "cannot be told: the probability is not distinguishably higher"


class Difference(Part):
    """How one goal fares in the what-if and in the base."""

    zone: ZoneId
    target: TargetId
    base: float = Field(description="probability in the base, 0 to 1, with its 95 % interval")
    base_low: float
    base_high: float
    what_if: float = Field(description="probability in the what-if, likewise")
    what_if_low: float
    what_if_high: float
    difference: float = Field(description="what-if less base, −1 to 1")
    low: float = Field(description="its paired 95 % interval, see interval")
    high: float
    gained: int = Field(description="runs that meet it in the what-if alone")
    lost: int = Field(description="runs that meet it in the base alone")
    verdict: Verdict = Field(
        description="on the probability, by an interval so wide that all verdicts on the what-if "
        "hold at once with 95 %"
    )
    value: float = Field(
        description="mean change of the value at the deadline, in the target's unit; for 'all' of "
        "the number of targets met"
    )
    error: float | None = Field(description="its standard error; null from a single run")
    value_verdict: Verdict = Field(description="on the value, likewise")
    q05: float = Field(description="quantiles over runs of the change of the value")
    q50: float
    q95: float
    cost: Cost
    cost_per_point: float | None = Field(
        description="added cost of the whole district, 亿元, per percentage point gained here"
    )
    cost_low: float | None = Field(description="its 95 % interval (Fieller)")
    cost_high: float | None


class CostDifference(Part):
    """What an item costs more in the what-if over the whole period, 亿元."""

    item: str = Field(description="a lever, 'platform_founding', or 'total'")
    zone: str
    base: float = Field(description="mean in the base")
    difference: float = Field(description="mean of what-if less base")
    error: float | None = Field(description="its standard error; null from a single run")
    q05: float
    q50: float
    q95: float


class ZoneChange(Part):
    """Whether a zone gains or loses, and by which targets ('all' included)."""

    zone: str
    side: Side
    rises: list[str] = Field(description="their probability or value rises by its verdict")
    falls: list[str]


class WhatIf(Part):
    """One scenario beside the base."""

    scenario: InputRecord
    same: bool = Field(description="asks for nothing else than the base: every difference is zero")
    differences: list[Difference]
    costs: list[CostDifference]
    zones: list[ZoneChange]


class Comparison(Sealed):
    """Everything that a comparison says, with what it was made from."""

    format: Literal[2] = 2
    base: InputRecord
    plan: InputRecord
    economy: InputRecord
    seed: int
    runs: int
    interval: str = METHOD
    versions: Versions
    what_ifs: list[WhatIf]


def compare(
    base: Inputs,
    others: Sequence[Inputs],
    *,
    runs: int,
    seed: int,
    out: Path | str | None = None,
    workers: int | Workers = 1,
    on_progress: Progress = no_progress,
) -> Comparison:
    """Hold scenarios beside a base, in runs that meet the same luck and the same parameters.

    Args:
        base: a checked scenario.
        others: what-ifs of the same plan and economy.
        runs: number of runs of each.
        seed: of all draws.
        out: keeps the runs, and takes up those that are there; none: nothing is kept.
        workers: processes, or where else to run; the result does not depend on it.
        on_progress: called with the number of runs done and needed.

    Raises:
        ScenarioError: a what-if has another plan, economy or posterior; says what differs.
        RunError: see ``Evaluator``.
    """
    for other in others:
        _check_comparable(base, other)
    with Evaluator(seed, out, workers, on_progress) as evaluator:
        return compared(base, others, evaluator.evaluate([base, *others], runs), seed)


def compared(base: Inputs, others: Sequence[Inputs], outcomes: Outcomes, seed: int) -> Comparison:
    """What runs that are there say: ``outcomes`` of the base, then of each of the others."""
    return Comparison(
        base=made_from(base, "scenario"),
        plan=made_from(base, "plan"),
        economy=made_from(base, "economy"),
        seed=seed,
        runs=len(outcomes.runs),
        versions=versions(),
        what_ifs=[_what_if(base, other, outcomes, n + 1) for n, other in enumerate(others)],
    )


def write_comparison(found: Comparison, folder: Path) -> list[Path]:
    """``differences.csv``, ``costs.csv`` and, last, ``compare.json``, each whole or not at all.

    Raises:
        OSError: the disk does not take one; it names the file.
    """
    tables: dict[str, list[tuple[WhatIf, Part]]] = {
        "differences": [(w, row) for w in found.what_ifs for row in w.differences],
        "costs": [(w, row) for w in found.what_ifs for row in w.costs],
    }
    files = []
    for name, rows in tables.items():
        table = pd.DataFrame(
            {"what_if": w.scenario.id, "runs": found.runs} | row.model_dump(mode="json")
            for w, row in rows
        )
        files.append(folder / f"{name}.csv")
        write_text(files[-1], csv_text(table))
    files.append(folder / "compare.json")
    write_record(found, files[-1])
    return files


def schema_text() -> str:
    """The JSON Schema of ``compare.json``."""
    return schema_of(Comparison)


def _check_comparable(base: Inputs, other: Inputs) -> None:
    """Differences are a scenario's doing only where all else is the same."""
    found = []
    for kind, one, two in (
        ("plan", base.plan, other.plan),
        ("economy", base.economy, other.economy),
    ):
        if one != two:
            fields = [n for n in type(one).model_fields if getattr(one, n) != getattr(two, n)]
            found.append(f"{kind} ({', '.join(fields)})")
    if not _same_posterior(base.posterior, other.posterior):
        found.append("posterior")
    if found:
        places = [str(inputs.sources["scenario"].path) for inputs in (base, other)]
        raise ScenarioError(
            f"{places[1]}: cannot be compared with {places[0]}, since another "
            f"{' and another '.join(found)} would be compared too; give both the same"
        )


def _same_posterior(one: Posterior | None, two: Posterior | None) -> bool:
    if one is None or two is None:
        return one is two
    return one.labels == two.labels and np.array_equal(one.draws, two.draws)


def _what_if(base: Inputs, other: Inputs, outcomes: Outcomes, n: int) -> WhatIf:
    same = base.scenario.model_dump(exclude=NAMES) == other.scenario.model_dump(exclude=NAMES)
    differences = list(_differences(outcomes, n, same))
    return WhatIf(
        scenario=made_from(other, "scenario"),
        same=same,
        differences=differences,
        costs=list(_costs(outcomes, n)),
        zones=_zones(differences),
    )


def _differences(outcomes: Outcomes, n: int, same: bool) -> Iterator[Difference]:
    met = outcomes.met()
    runs = len(outcomes.runs)
    spent = outcomes.column(f"cost.{TOTAL}.{DISTRICT}")
    added = spent[n] - spent[0]
    together = 1.0 - (1.0 - CONFIDENCE) / (2 * len(outcomes.goals))  # Bonferroni
    zones = [DISTRICT, *(goal.split(".")[1] for goal in outcomes.goals)]
    order = {zone: place for place, zone in enumerate(dict.fromkeys(zones))}
    places = sorted(range(len(outcomes.goals)), key=lambda p: order[zones[p + 1]])
    for place in places:
        target, zone = outcomes.goals[place].split(".")
        before, after = met[0, :, place], met[n, :, place]
        gained, lost = int(np.sum(after & ~before)), int(np.sum(before & ~after))
        low, high = (0.0, 0.0) if same else difference_interval(gained, lost, runs)
        wide = (0.0, 0.0) if same else difference_interval(gained, lost, runs, together)
        if target == ALL_TARGETS:
            mine = [p for p, goal in enumerate(outcomes.goals) if goal.endswith(f".{zone}")]
            parts = met[:, :, [p for p in mine if p != place]].sum(axis=2)
            change = (parts[n] - parts[0]).astype(float)
        else:
            values = outcomes.column(f"{target}.{zone}")
            change = values[n] - values[0]
        bounds = ratio_interval(added, 100 * (after.astype(np.int8) - before)) if low > 0 else None
        shares = (float(before.mean()), float(after.mean()))
        intervals = [wilson(int(flags.sum()), runs) for flags in (before, after)]
        value, error = mean_and_error(change)
        q05, q50, q95 = np.quantile(change, [0.05, 0.5, 0.95])
        yield Difference(
            zone=zone,
            target=target,
            base=shares[0],
            base_low=intervals[0][0],
            base_high=intervals[0][1],
            what_if=shares[1],
            what_if_low=intervals[1][0],
            what_if_high=intervals[1][1],
            difference=(gained - lost) / runs,
            low=low,
            high=high,
            gained=gained,
            lost=lost,
            verdict=_verdict(*wide),
            value=value,
            error=None if np.isnan(error) else error,
            value_verdict=_verdict(*mean_interval(value, error, runs, together)),
            q05=float(q05),
            q50=float(q50),
            q95=float(q95),
            cost=Cost.TOLD if bounds else Cost.NO_RISE,
            cost_per_point=float(added.mean()) * runs / (100 * (gained - lost)) if bounds else None,
            cost_low=bounds[0] if bounds else None,
            cost_high=bounds[1] if bounds else None,
        )


def _costs(outcomes: Outcomes, n: int) -> Iterator[CostDifference]:
    for name in outcomes.columns:
        if not name.startswith("cost."):
            continue
        _, item, zone = name.split(".")
        spent: Floats = outcomes.column(name)
        added = spent[n] - spent[0]
        difference, error = mean_and_error(added)
        q05, q50, q95 = np.quantile(added, [0.05, 0.5, 0.95])
        yield CostDifference(
            item=item,
            zone=zone,
            base=float(spent[0].mean()),
            difference=difference,
            error=None if np.isnan(error) else error,
            q05=float(q05),
            q50=float(q50),
            q95=float(q95),
        )


def _verdict(low: float, high: float) -> Verdict:
    if low > 0:
        return Verdict.RISES
    return Verdict.FALLS if high < 0 else Verdict.UNCLEAR


def _zones(differences: Sequence[Difference]) -> list[ZoneChange]:
    changes = []
    for zone in dict.fromkeys(row.zone for row in differences):
        rises, falls = (
            [
                row.target
                for row in differences
                if row.zone == zone and verdict in (row.verdict, row.value_verdict)
            ]
            for verdict in (Verdict.RISES, Verdict.FALLS)
        )
        side = Side.UNCLEAR
        if rises or falls:
            side = Side.GAINS if not falls else Side.MIXED if rises else Side.LOSES
        changes.append(ZoneChange(zone=zone, side=side, rises=rises, falls=falls))
    return changes
