"""What an attribution says, as a record and as files: ``attribution.json``, ``shares.csv``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd
from pydantic import Field

from sim.analysis.average import Average, average
from sim.analysis.interval import Probability
from sim.analysis.probability import thresholds
from sim.analysis.record import Part, schema_of, write_record
from sim.analysis.summary import AnswerRecord, TargetId, Versions, ZoneId, origin, versions
from sim.blueprint import Blueprint, Floats, build
from sim.errors import ScenarioError, unknown
from sim.plan import ALL_TARGETS, DISTRICT, Plan
from sim.scenario import Inputs
from sim.store import write_text
from sim.text import csv_text

METHOD = (
    "Student's interval over runs, of what comes in steps as if two more had been seen, a step "
    "above and below the mean; of a probability itself: Wilson score interval"
)


class Chance(Part):
    """A probability with its 95 % interval (Wilson)."""

    probability: float
    low: float
    high: float


class Whole(Part):
    """What all measures together do to one goal: the scenario with them and without any."""

    zone: ZoneId
    target: TargetId
    threshold: float = Field(description="in the target's unit; for 'all' the number of targets")
    without: Chance = Field(description="all measures at intensity 0")
    complete: Chance = Field(description="all measures as the scenario has them")
    probability: Average = Field(description="complete less without, −1 to 1")
    value_without: Average = Field(
        description="value at the deadline; for 'all' the number of targets met"
    )
    value_complete: Average
    value: Average = Field(description="complete less without, in the target's unit")


class Share(Part):
    """One measure's or group's Shapley value in one goal."""

    zone: str
    target: str
    id: str = Field(description="measure or group")
    probability: Average = Field(description="of the whole's probability, −1 to 1")
    value: Average = Field(description="of the whole's value, in the target's unit")


class Attribution(AnswerRecord):
    """Everything that an attribution says, with what it was made from."""

    format: Literal[2] = 2
    seed: int
    runs: int = Field(description="parameters and luck averaged over")
    permutations: int = Field(description="orders of the measures in each run")
    evaluations: int = Field(description="runs of the model that it rests on")
    interval: str = METHOD
    versions: Versions
    wholes: list[Whole]
    groups: list[Share] = Field(description="groups of measures as players, all coalitions")
    measures: list[Share] = Field(description="measures as players, sampled permutations")

    def whole(self, target: str, zone: str) -> Whole:
        """One goal; raises KeyError where there is none."""
        for whole in self.wholes:
            if (whole.target, whole.zone) == (target, zone):
                return whole
        raise KeyError(target, zone)


@dataclass(frozen=True)
class Shares:
    """What the runs gave: goals met, then their values, (runs, 2 · goals) each."""

    without: Floats
    complete: Floats
    measures: dict[str, Floats]
    groups: dict[str, Floats]


def attribution_of(
    inputs: Inputs, shares: Shares, *, permutations: int, seed: int, made: int
) -> Attribution:
    """Average over runs, goal by goal; the district first, ``all`` last in each zone."""
    blueprint = build(inputs)
    found = goals(blueprint, inputs.plan)
    place = {goal: n for n, goal in enumerate(_columns(blueprint, inputs.plan))}
    runs = len(shares.without)

    def rows(players: dict[str, Floats]) -> list[Share]:
        return [
            Share(
                zone=zone,
                target=target,
                id=player,
                **_averages(values, place[target, zone], len(found), _step(inputs.plan, target)),
            )
            for target, zone in found
            for player, values in players.items()
        ]

    return Attribution(
        **origin(inputs),
        seed=seed,
        runs=runs,
        permutations=permutations,
        evaluations=made,
        versions=versions(),
        wholes=[
            _whole(inputs.plan, shares, goal, limit, place[goal], len(found))
            for goal, limit in found.items()
        ],
        groups=rows(shares.groups),
        measures=rows(shares.measures),
    )


def goals(blueprint: Blueprint, plan: Plan) -> dict[tuple[str, str], float]:
    """Threshold by target and zone: those that a forecast tells of, in its order."""
    limits = {target.id: thresholds(blueprint, target) for target in plan.targets}
    found: dict[tuple[str, str], float] = {}
    for zone in (DISTRICT, *blueprint.zones):
        own = {target: limit[zone] for target, limit in limits.items() if zone in limit}
        found |= {(target, zone): limit for target, limit in own.items()}
        if own:
            found[ALL_TARGETS, zone] = float(len(own))
    return found


def check_goal(inputs: Inputs, target: str | None, zone: str) -> None:
    """Refuse a target or zone that the plan lacks, or a zone without a part in the target.

    Raises:
        ScenarioError: names the nearest that there is.
    """
    plan = inputs.plan
    if zone not in (DISTRICT, *plan.zone_ids()):
        raise ScenarioError(unknown("zone", zone, [DISTRICT, *plan.zone_ids()]))
    if target is not None and target not in (*plan.target_ids(), ALL_TARGETS):
        raise ScenarioError(unknown("target", target, [*plan.target_ids(), ALL_TARGETS]))
    found = goals(build(inputs), plan)
    zones = [place for goal, place in found if target in (None, goal)]
    if zone not in zones:
        what = "any target" if target is None else f"target {target!r}"
        allowed = ", ".join(dict.fromkeys(zones))
        raise ScenarioError(f"zone {zone!r} has no part in {what} (allowed: {allowed})")


def write_attribution(found: Attribution, folder: Path) -> list[Path]:
    """``shares.csv`` and, last, ``attribution.json``, each whole or not at all.

    Raises:
        OSError: the disk does not take one; it names the file.
    """
    rows = [
        {"kind": kind, "zone": share.zone, "target": share.target, "id": share.id}
        | {f"probability_{name}": value for name, value in share.probability}
        | {f"value_{name}": value for name, value in share.value}
        for kind, shares in (("group", found.groups), ("measure", found.measures))
        for share in shares
    ]
    table, record = folder / "shares.csv", folder / "attribution.json"
    write_text(table, csv_text(pd.DataFrame(rows).assign(runs=found.runs)))
    write_record(found, record)
    return [table, record]


def schema_text() -> str:
    """The JSON Schema of ``attribution.json``."""
    return schema_of(Attribution)


def _columns(blueprint: Blueprint, plan: Plan) -> Iterator[tuple[str, str]]:
    """Target and zone of each column of ``Shares``: targets first, then ``all``."""
    found = goals(blueprint, plan)
    zones = (*blueprint.zones, DISTRICT)
    parts = [(t.id, zone) for t in plan.targets for zone in zones if (t.id, zone) in found]
    yield from parts
    yield from ((ALL_TARGETS, zone) for zone in dict.fromkeys(zone for _, zone in parts))


def _whole(
    plan: Plan, shares: Shares, goal: tuple[str, str], limit: float, place: int, count: int
) -> Whole:
    target, zone = goal
    step = _step(plan, target)
    without, complete = shares.without, shares.complete
    return Whole(
        zone=zone,
        target=target,
        threshold=limit,
        without=_chance(without[:, place]),
        complete=_chance(complete[:, place]),
        value_without=average(without[:, count + place]),
        value_complete=average(complete[:, count + place]),
        **_averages(complete - without, place, count, step),
    )


def _averages(values: Floats, place: int, count: int, step: float) -> dict[str, Average]:
    return {
        "probability": average(values[:, place], 1.0, most=1.0),
        "value": average(values[:, count + place], step),
    }


def _chance(met: Floats) -> Chance:
    found = Probability.of(met > 0)
    return Chance(probability=found.estimate, low=found.low, high=found.high)


def _step(plan: Plan, target: str) -> float:
    """The smallest change of a target's value; numbers of targets are whole too."""
    whole = {t.id: t.quantity.whole for t in plan.targets}
    return 1.0 if whole.get(target, True) else 0.0
