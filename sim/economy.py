"""The base year and how the economy behaves, as data: one file for one district.

``scenarios/economy.yaml`` holds one. District totals of each sector are split over the zones by
shares, so that a published total stays a published total and the split carries its own range.
"""

from __future__ import annotations

import math
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from sim.errors import EconomyError, FieldPath, Problem, plain
from sim.figures import (
    Finite,
    Given,
    Label,
    NonNegative,
    Number,
    Parameter,
    Provenance,
    Record,
    Share,
    provenance_problems,
    whole,
    within,
)
from sim.files import Source, load, read_yaml, refuse
from sim.months import Month
from sim.plan import ELSEWHERE, Driver, Id, Plan, names_problems, shares_problems, unknown_names

MOST_FIRMS = 100_000  # of one sector; each is a row in every run


class Lever(StrEnum):
    """What a planner can set. Each has bounds, a baseline and a cost rule in the economy file."""

    TALENT_SUBSIDY = "talent_subsidy"  # 万元 per skilled person who comes
    DATA_PORT_OPENNESS = "data_port_openness"  # 0 to 1
    SCENARIO_FUNDING = "scenario_funding"  # 亿元 a year
    MEASURE_INTENSITY = "measure_intensity"  # 1: as planned; by measure
    DEPARTMENT_CAPACITY = "department_capacity"  # 1: as staffed; by department
    RECRUITMENT_FUNDS = "recruitment_funds"  # 亿元 a year
    RENT_RELIEF = "rent_relief"  # share of the rent
    COMPUTE_VOUCHERS = "compute_vouchers"  # 亿元 a year
    RD_SUBSIDY = "rd_subsidy"  # 亿元 a year
    FOREIGN_ENTRY = "foreign_entry"  # 0 to 1: limits on foreign firms lifted


class LeverRule(Record):
    """One lever's bounds, the plan's value, its strength on what it moves, and its price."""

    name: Label
    unit: Label
    low: Finite
    high: Finite
    baseline: dict[str, Number] = Field(description="by zone; 'elsewhere' for the zones not named")
    spread: Literal["same", "by_firms"] = Field(
        description="a value given for several zones holds in each, or is a sum split by firms"
    )
    driver: Driver | None = Field(
        None, strict=False, description="the driver it raises; none: a process reads the lever"
    )
    strength: NonNegative = Field(description="what one unit adds to its driver, see docs/model.md")
    unit_cost: NonNegative = Field(description="亿元 a year for one unit, see docs/model.md")


Level = Annotated[Given, within(0.001, 0.999)]  # firms lie around it on the logit scale


class ZoneSplit(Record):
    """A zone's shares of a sector's district totals."""

    firms: Share
    revenue: Share
    staff: Share


class SizeDistribution(Record):
    """Lognormal body with a Pareto tail; rescaled so that each cell meets its total."""

    body_sigma: Annotated[Given, within(0, 5)] = Field(
        description="standard deviation of log revenue in the body"
    )
    tail_share: Annotated[Given, within(0, 0.9)] = Field(
        description="share of firms in the Pareto tail"
    )
    tail_exponent: Annotated[Given, within(0.5, 10)] = Field(
        description="Pareto exponent of the tail"
    )


class SectorBase(Record):
    """A sector at the end of the base year; flows are sums over the base year's twelve months."""

    firms: Annotated[Given, within(0, MOST_FIRMS), AfterValidator(whole)]
    revenue: NonNegative
    staff: NonNegative = Field(description="skilled staff, persons")
    zones: dict[str, ZoneSplit]
    size: SizeDistribution
    growth_in_base_year: Annotated[Given, within(-0.95, 10)] = Field(
        description="nominal growth over the base year, share"
    )
    ai_share: Share = Field(
        description="AI part of revenue, revenue-weighted mean; an AI sector counts whole"
    )
    maturity: Level = Field(description="typical (median) digital maturity")
    capability: Level = Field(description="typical (median) capability relative to the frontier")
    foreign_share: Share
    data_intensity: Share
    project_kinds: Annotated[Given, within(0, 1000), AfterValidator(whole)] = Field(
        description="kinds of application projects that exist"
    )
    is_ai: bool = Field(False, description="its firms are AI firms from the start")
    supplies: bool = Field(False, description="its firms carry out application projects")
    adopts: bool = Field(False, description="its firms post calls for application projects")
    capacity_bound: bool = Field(False, description="output is limited by fabs or plants")


SENSIBLE: dict[str, tuple[float, float]] = {
    Lever.DATA_PORT_OPENNESS: (0.0, 1.0),
    Lever.RENT_RELIEF: (0.0, 1.0),
}
PLANNED = (Lever.MEASURE_INTENSITY, Lever.DEPARTMENT_CAPACITY)
MOST_AI_SHARE = 0.4  # above, firms' shares could not spread around the mean below one half


class Economy(Record):
    """The base year, linkages, levers and behavioural parameters of one district."""

    id: Id
    name: Label
    base_month: Month
    provenance: list[Provenance]
    sectors: dict[str, SectorBase]
    relatedness: dict[str, dict[str, Share]] = Field(
        description="how much one sector's firms learn from another's; symmetric, own sector 1"
    )
    technical_coefficients: dict[str, dict[str, Share]] = Field(
        description="buyer → supplier → purchases per unit of the buyer's revenue"
    )
    distances: dict[str, dict[str, NonNegative]] = Field(description="km between zones' centres")
    levers: dict[str, LeverRule]
    parameters: dict[str, dict[str, Parameter]] = Field(description="by process")
    posterior: str | None = Field(
        None, description="path of the fitted draws, from the economy's folder; none: priors alone"
    )


def read_economy(path: Path | str, plan: Plan) -> tuple[Economy, Source]:
    """Read and check an economy file against its plan; raises FileError or EconomyError."""
    source = read_yaml(path)
    economy = load(source, Economy, EconomyError)
    refuse(source, _problems(economy, plan), EconomyError)
    return economy, source


def _problems(economy: Economy, plan: Plan) -> list[Problem]:
    """Every contradiction in an economy, or between it and its plan, with its field."""
    found: list[Problem] = []
    zones, sectors = plan.zone_ids(), plan.sector_ids()
    if economy.base_month != plan.start:
        text = f"found {economy.base_month}; allowed: {plan.start}, the start of the plan"
        found.append((("base_month",), text))
    found += names_problems("sector", economy.sectors, sectors, ("sectors",))
    for sector, base in economy.sectors.items():
        found += _split_problems(base, zones, ("sectors", sector, "zones"))
        found += _role_problems(base, ("sectors", sector))
    counts_ai = any(target.quantity.value.startswith("ai_") for target in plan.targets)
    if counts_ai and not any(base.is_ai for base in economy.sectors.values()):
        text = "no sector has 'is_ai: true', but a target of the plan counts AI firms"
        found.append((("sectors",), text))
    for table in ("relatedness", "technical_coefficients"):
        rows: dict[str, dict[str, Share]] = getattr(economy, table)
        found += unknown_names("sector", rows, sectors, (table,))
        for row, entries in rows.items():
            found += unknown_names("sector", entries, sectors, (table, row))
    found += _relatedness_problems(economy)
    for buyer, entries in economy.technical_coefficients.items():
        total = sum(entry.value for entry in entries.values())
        if total >= 1:
            text = f"purchases sum to {plain(total)} of revenue; allowed: below 1"
            found.append((("technical_coefficients", buyer), text))
    found += _distance_problems(economy, zones)
    found += _lever_problems(economy, zones)
    found += _scale_problems(economy)
    return [*found, *provenance_problems(economy, economy.provenance)]


def _role_problems(base: SectorBase, place: FieldPath) -> list[Problem]:
    """What a sector is and what its figures say must agree."""
    found: list[Problem] = []
    if not base.is_ai and base.ai_share.value > MOST_AI_SHARE:
        text = (
            f"found {plain(base.ai_share.value)}; allowed: 0 to {MOST_AI_SHARE:g} without 'is_ai'"
        )
        found.append(((*place, "ai_share"), text))
    if base.adopts and base.project_kinds.value < 1:
        text = f"found {plain(base.project_kinds.value)}; allowed: at least 1, since it 'adopts'"
        found.append(((*place, "project_kinds"), text))
    return found


def _split_problems(base: SectorBase, zones: list[str], place: FieldPath) -> list[Problem]:
    """A sector's totals must be split whole over the zones, and money needs firms."""
    found: list[Problem] = unknown_names("zone", base.zones, zones, place)
    for total in ("firms", "revenue", "staff"):
        shares = {zone: getattr(split, total).value for zone, split in base.zones.items()}
        sums = shares_problems(shares, list(shares), place)
        found += [((*field, f"*.{total}"), text) for field, text in sums]
    for zone, split in base.zones.items():
        firms = base.firms.value * split.firms.value
        for total in ("revenue", "staff"):
            amount = getattr(base, total).value * getattr(split, total).value
            if amount > 0 and firms < 1 - 1e-9:
                text = f"has {total} but {plain(firms)} firms; give it at least one, or no {total}"
                found.append(((*place, zone, total), text))
                break
    return found


def _relatedness_problems(economy: Economy) -> list[Problem]:
    found: list[Problem] = []
    for row, entries in economy.relatedness.items():
        for column, entry in entries.items():
            mirror = economy.relatedness.get(column, {}).get(row)
            field = ("relatedness", row, column)
            if row == column and entry.value != 1:
                text = f"found {plain(entry.value)}; a sector is related to itself by 1"
                found.append((field, text))
            elif mirror is not None and row < column and mirror.value != entry.value:
                other = f"{column} → {row} is {plain(mirror.value)}"
                text = f"found {plain(entry.value)}, but {other}; both must be the same"
                found.append((field, text))
    return found


def _distance_problems(economy: Economy, zones: list[str]) -> list[Problem]:
    found = unknown_names("zone", economy.distances, zones, ("distances",))
    for start, ends in economy.distances.items():
        found += unknown_names("zone", ends, zones, ("distances", start))
        if start in ends and ends[start].value != 0:
            text = f"found {plain(ends[start].value)}; a zone's distance to itself is 0"
            found.append((("distances", start, start), text))
    mistyped = bool(found)
    for position, one in enumerate(zones):
        for other in zones[position + 1 :]:
            given = {
                (a, b): economy.distances[a][b].value
                for a, b in ((one, other), (other, one))
                if b in economy.distances.get(a, {})
            }
            if not given and not mistyped:
                found.append((("distances",), f"between {one!r} and {other!r} is missing"))
            elif len(set(given.values())) > 1:
                there, back = given.values()
                text = f"found {plain(back)} km, but {plain(there)} the other way"
                found.append((("distances", other, one), f"{text}; both must be the same"))
    return found


def _scale_problems(economy: Economy) -> list[Problem]:
    """A driver that a lever raises needs a scale, or the lever would do nothing."""
    scale = economy.parameters.get("drivers", {}).get("lever_scale")
    if scale is None or not isinstance(scale.value, dict):
        return []  # said where parameters are read
    return [
        (
            ("parameters", "drivers", "lever_scale", "value"),
            f"{rule.driver.value!r} is missing, which the lever {lever!r} raises",
        )
        for lever, rule in economy.levers.items()
        if rule.driver is not None and rule.driver.value not in scale.value
    ]


def _lever_problems(economy: Economy, zones: list[str]) -> list[Problem]:
    found = names_problems("lever", economy.levers, [str(lever) for lever in Lever], ("levers",))
    for lever, rule in economy.levers.items():
        place: FieldPath = ("levers", lever)
        floor, ceiling = SENSIBLE.get(lever, (0.0, math.inf))
        for name in ("low", "high"):
            value = getattr(rule, name)
            if not floor <= value <= ceiling:
                allowed = f"{floor:g} to {ceiling:g}" if ceiling < math.inf else "at least 0"
                found.append(((*place, name), f"found {plain(value)}; allowed: {allowed}"))
        if lever in PLANNED:
            for zone, baseline in rule.baseline.items():
                if baseline.value != 1:
                    text = f"found {plain(baseline.value)}; allowed: 1, which is as planned"
                    found.append(((*place, "baseline", zone), text))
        bounds = f"{plain(rule.low)} to {plain(rule.high)}"
        if rule.low > rule.high:
            text = f"found {plain(rule.low)}, above 'high' {plain(rule.high)}"
            found.append(((*place, "low"), text))
            continue
        known = [*zones, ELSEWHERE]
        found += unknown_names("zone", rule.baseline, known, (*place, "baseline"))
        for zone, baseline in rule.baseline.items():
            if not rule.low <= baseline.value <= rule.high:
                text = f"found {plain(baseline.value)}; allowed: {bounds}"
                found.append(((*place, "baseline", zone), text))
        if lever == Lever.SCENARIO_FUNDING and rule.strength.value <= 0:
            text = f"found {plain(rule.strength.value)}; allowed: above 0, the grant of one call"
            found.append(((*place, "strength"), text))
        missing = [zone for zone in zones if zone not in rule.baseline]
        if ELSEWHERE not in rule.baseline and missing:
            text = f"no value for {', '.join(missing)}; name them or give '{ELSEWHERE}'"
            found.append(((*place, "baseline"), text))
    return found
