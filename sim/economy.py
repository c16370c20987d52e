"""The base year and how the economy behaves, as data: one file for one district.

``scenarios/economy.yaml`` holds one. District totals of each sector are split over the zones by
shares, so that a published total stays a published total and the split carries its own range.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import Field

from sim.errors import EconomyError, unknown
from sim.figures import (
    Name,
    NonNegative,
    Number,
    Parameter,
    Provenance,
    Record,
    Share,
    cited_numbers,
)
from sim.files import FieldPath, Source, load, read_yaml
from sim.months import Month
from sim.plan import ELSEWHERE, Id, Plan, shares_problems


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

    name: Name
    unit: Name
    low: float
    high: float
    baseline: dict[str, Number] = Field(description="by zone; 'elsewhere' for the zones not named")
    spread: Literal["same", "by_firms"] = Field(
        description="a value given for several zones holds in each, or is a sum split by firms"
    )
    strength: NonNegative = Field(description="what one unit adds to its driver, see docs/model.md")
    unit_cost: NonNegative = Field(description="亿元 a year for one unit, see docs/model.md")


class ZoneSplit(Record):
    """A zone's shares of a sector's district totals."""

    firms: Share
    revenue: Share
    staff: Share


class SizeDistribution(Record):
    """Lognormal body with a Pareto tail; rescaled so that each cell meets its total."""

    body_sigma: NonNegative = Field(description="standard deviation of log revenue in the body")
    tail_share: Share = Field(description="share of firms in the Pareto tail")
    tail_exponent: NonNegative = Field(description="Pareto exponent of the tail")


class SectorBase(Record):
    """A sector at the end of the base year; flows are sums over the base year's twelve months."""

    firms: NonNegative
    revenue: NonNegative
    staff: NonNegative = Field(description="skilled staff, persons")
    zones: dict[str, ZoneSplit]
    size: SizeDistribution
    growth_in_base_year: Number = Field(description="nominal growth over the base year, share")
    ai_share: Share = Field(description="AI part of revenue, revenue-weighted mean")
    maturity: Share = Field(description="mean digital maturity")
    capability: Share = Field(description="mean capability relative to the frontier")
    foreign_share: Share
    data_intensity: Share
    project_kinds: NonNegative = Field(description="kinds of application projects that exist")
    is_ai: bool = Field(False, description="its firms are AI firms from the start")
    supplies: bool = Field(False, description="its firms carry out application projects")
    adopts: bool = Field(False, description="its firms post calls for application projects")
    capacity_bound: bool = Field(False, description="output is limited by fabs or plants")


class Economy(Record):
    """The base year, linkages, levers and behavioural parameters of one district."""

    id: Id
    name: Name
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


def read_economy(path: Path | str, plan: Plan) -> tuple[Economy, Source]:
    """Read and check an economy file against its plan; raises FileError or EconomyError."""
    source = read_yaml(path)
    economy = load(source, Economy, EconomyError)
    problems = [f"{source.place(field)}: {text}" for field, text in _problems(economy, plan)]
    if problems:
        raise EconomyError("\n".join(problems[:10]))
    return economy, source


def _problems(economy: Economy, plan: Plan) -> list[tuple[FieldPath, str]]:
    found: list[tuple[FieldPath, str]] = []
    zones, sectors = plan.zone_ids(), plan.sector_ids()
    if economy.base_month != plan.start:
        text = f"found {economy.base_month}; the plan starts at the end of {plan.start}"
        found.append((("base_month",), text))
    for sector in sectors:
        if sector not in economy.sectors:
            found.append((("sectors",), f"the plan's sector {sector!r} is missing"))
    for sector, base in economy.sectors.items():
        place: FieldPath = ("sectors", sector)
        if sector not in sectors:
            found.append((place, unknown("sector", sector, sectors)))
        for total in ("firms", "revenue", "staff"):
            shares = {zone: getattr(split, total).value for zone, split in base.zones.items()}
            for field, text in shares_problems(shares, zones, (*place, "zones")):
                named = field if len(field) > len(place) + 1 else (*field, f"*.{total}")
                found.append((named, text))
        if base.size.tail_exponent.value <= 0.5:
            text = f"found {base.size.tail_exponent.value:g}; allowed: above 0.5"
            found.append(((*place, "size", "tail_exponent"), text))
        if base.firms.value % 1:
            found.append(((*place, "firms"), f"found {base.firms.value:g}; firms must be whole"))
        for zone, split in base.zones.items():
            if split.revenue.value > 0 and round(base.firms.value * split.firms.value) == 0:
                text = "has revenue but no firm; give it firms or no revenue"
                found.append(((*place, "zones", zone), text))
    if not any(base.is_ai for base in economy.sectors.values()) and any(
        target.quantity.value.startswith("ai_") for target in plan.targets
    ):
        found.append((("sectors",), "no sector has 'is_ai: true', but the plan counts AI firms"))
    for table in ("relatedness", "technical_coefficients"):
        for row, entries in getattr(economy, table).items():
            if row not in sectors:
                found.append(((table, row), unknown("sector", row, sectors)))
            for column, entry in entries.items():
                if column not in sectors:
                    found.append(((table, row, column), unknown("sector", column, sectors)))
                mirror = economy.relatedness.get(column, {}).get(row)
                differs = mirror is not None and mirror.value != entry.value
                if table == "relatedness" and differs:
                    text = f"found {entry.value:g}, but {column} → {row} is {mirror.value:g}"
                    found.append(((table, row, column), text))
    for buyer, entries in economy.technical_coefficients.items():
        total = sum(entry.value for entry in entries.values())
        if total >= 1:
            text = f"purchases sum to {total:g} of revenue; they must stay below 1"
            found.append((("technical_coefficients", buyer), text))
    found += _distance_problems(economy, zones)
    found += _lever_problems(economy, zones)
    for number in cited_numbers(economy, economy.provenance):
        if isinstance(number, str):
            text = f"the number {number} has no unit, source or assumption; add it to 'provenance'"
            found.append((("provenance",), text))
    return found


def _distance_problems(economy: Economy, zones: list[str]) -> list[tuple[FieldPath, str]]:
    found: list[tuple[FieldPath, str]] = []
    for start, ends in economy.distances.items():
        for end in (start, *ends):
            if end not in zones:
                place = ("distances", start) if end == start else ("distances", start, end)
                found.append((place, unknown("zone", end, zones)))
    for position, one in enumerate(zones):
        for other in zones[position + 1 :]:
            given = [
                economy.distances[a][b].value
                for a, b in ((one, other), (other, one))
                if b in economy.distances.get(a, {})
            ]
            if not given:
                found.append((("distances",), f"between {one!r} and {other!r} is missing"))
            elif len(set(given)) > 1:
                text = f"differs by direction ({given[0]:g} and {given[1]:g} km)"
                found.append((("distances", one, other), text))
    return found


def _lever_problems(economy: Economy, zones: list[str]) -> list[tuple[FieldPath, str]]:
    found: list[tuple[FieldPath, str]] = []
    known = [lever.value for lever in Lever]
    for lever in known:
        if lever not in economy.levers:
            found.append((("levers",), f"the lever {lever!r} is missing"))
    for lever, rule in economy.levers.items():
        place: FieldPath = ("levers", lever)
        if lever not in known:
            found.append((place, unknown("lever", lever, known)))
        if rule.low > rule.high:
            found.append(((*place, "low"), f"found {rule.low:g}, above 'high' {rule.high:g}"))
        for zone, baseline in rule.baseline.items():
            field = (*place, "baseline", zone)
            if zone not in (*zones, ELSEWHERE):
                found.append((field, unknown("zone", zone, [*zones, ELSEWHERE])))
            if not rule.low <= baseline.value <= rule.high:
                text = f"found {baseline.value:g}; allowed: {rule.low:g} to {rule.high:g}"
                found.append((field, text))
        if ELSEWHERE not in rule.baseline and set(zones) - set(rule.baseline):
            missing = ", ".join(sorted(set(zones) - set(rule.baseline)))
            text = f"no value for {missing}; name them or give '{ELSEWHERE}'"
            found.append(((*place, "baseline"), text))
    return found
