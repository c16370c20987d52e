"""The government plan as data: zones, sectors, targets, measures, departments, parks.

Nothing here knows a particular plan; ``scenarios/plan.yaml`` holds one.
"""

from __future__ import annotations

import math
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from sim import months
from sim.errors import PlanError, unknown
from sim.figures import Name, NonNegative, Provenance, Record, Share, cited_numbers
from sim.files import FieldPath, Source, load, read_yaml
from sim.months import Month

Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
DISTRICT = "district"
ALL_TARGETS = "all"
ELSEWHERE = "elsewhere"
SHARE_TOLERANCE = 1e-6


class Driver(StrEnum):
    """The quantities through which measures and levers act on firms and parks (0 to 1)."""

    CONNECTIVITY = "connectivity"
    COMPUTE = "compute"
    TOOLING = "tooling"
    CAPACITY = "capacity"
    RECRUITMENT = "recruitment"
    FIRM_PLATFORMS = "firm_platforms"
    PUBLIC_PLATFORMS = "public_platforms"
    RESEARCH = "research"
    SPILLOVER = "spillover"
    PARK_SERVICE = "park_service"
    ADOPTION = "adoption"
    DATA_OPENNESS = "data_openness"
    DATA_EXCHANGE = "data_exchange"
    MARKET_ACCESS = "market_access"
    CERTAINTY = "certainty"
    DEMAND = "demand"
    TALENT_INFLOW = "talent_inflow"
    APPROPRIABILITY = "appropriability"
    TRUST = "trust"
    LINKAGE = "linkage"
    SERVICE = "service"


class Quantity(StrEnum):
    """What the model counts, by zone; a target is about one of these.

    Flows are sums over the twelve months to the date, stocks the level at the date, counts the
    number since the start.
    """

    AI_REVENUE = "ai_revenue"  # flow, 亿元: revenue × AI share; an AI firm counts whole
    REVENUE = "revenue"  # flow, 亿元: revenue of sectors, by the target's sector weights
    AI_FIRMS = "ai_firms"  # stock: active firms of the AI sector or past the AI threshold
    FIRMS = "firms"  # stock: active firms of the target's sectors
    KEY_TECHNOLOGIES = "key_technologies"  # count
    LANDMARK_RESULTS = "landmark_results"  # count
    OPEN_PLATFORMS = "open_platforms"  # count
    SCENARIOS = "scenarios"  # count: completed typical projects
    AI_MODELS = "ai_models"  # count: project kinds that a second firm reused
    MODEL_SECTORS = "model_sectors"  # count: sectors with at least one such model
    STANDARDS = "standards"  # count

    @property
    def kind(self) -> Literal["flow", "stock", "count"]:
        if self in (Quantity.AI_REVENUE, Quantity.REVENUE):
            return "flow"
        return "stock" if self in (Quantity.AI_FIRMS, Quantity.FIRMS) else "count"

    @property
    def whole(self) -> bool:
        """Whether it comes in whole numbers."""
        return self.kind != "flow"


class Zone(Record):
    id: Id
    name: Name
    section: str
    role: Literal["core", "centre", "other"]
    data_pilot: bool = Field(False, description="data cross the border here first")


class Sector(Record):
    id: Id
    name: Name
    section: str
    role: Literal["core", "application"]


class Target(Record):
    """One target of the plan: a threshold for a quantity at a date, split over the zones."""

    id: Id
    name: Name
    section: str
    unit: Name
    quantity: Quantity
    sectors: dict[str, Share] = Field(
        default_factory=dict, description="weight of each sector's revenue or firms"
    )
    threshold: NonNegative
    comparison: Literal["at_least", "above"]
    deadline: Month
    shares: Literal["base_year"] | dict[str, Share]
    milestones: dict[Month, Share] = Field(
        default_factory=dict, description="share of the threshold that the plan has reached by then"
    )
    driven_by: Name

    def met(self, value: float, threshold: float) -> bool:
        return value > threshold if self.comparison == "above" else value >= threshold


class Group(Record):
    id: Id
    name: Name
    section: str


class Effect(Record):
    """What a measure's full progress adds to a driver before saturation: D = 1 − exp(−Σ b·P)."""

    driver: Driver
    strength: NonNegative
    sectors: list[str] = Field(default_factory=list, description="none: all sectors")


class Measure(Record):
    id: Id
    number: int = Field(ge=1, le=999, description="its number in the plan, and its random slot")
    name: Name
    section: str
    group: str
    lead: str
    join: list[str] = Field(default_factory=list)
    start: Month
    reach: dict[str, Share] = Field(
        description="how far it acts in each zone; 'elsewhere': in the zones not named, else 0"
    )
    speed: NonNegative = Field(description="hazard of completion a month at unit effort")
    milestones: dict[Month, Share] = Field(description="the plan's path of its progress")
    annual_cost: NonNegative = Field(description="亿元 a year at intensity 1, whole district")
    effects: list[Effect] = Field(min_length=1)
    moves: list[str] = Field(min_length=1, description="targets that it is meant to move")


class Department(Record):
    id: Id
    name: Name
    section: str
    zone: str | None = Field(None, description="a zone's own authority works in its zone only")
    capacity: NonNegative = Field(description="measures that its staff can carry at full effort")


class Park(Record):
    id: Id
    name: Name
    section: str
    zone: str
    kind: Literal["park", "carrier"]
    general: bool = Field(False, description="a home for firms of every sector")
    focus: list[str] = Field(default_factory=list)
    capacity: NonNegative = Field(description="firms; of a general park: per firm at the start")
    platforms: NonNegative = Field(description="open innovation platforms that it can host")
    opens: Month | None = None


class Plan(Record):
    """A plan: its period, where and by whom it is carried out, and what it aims at."""

    id: Id
    name: Name
    source: str
    start: Month = Field(description="the model starts at the end of this month")
    end: Month
    provenance: list[Provenance]
    zones: list[Zone] = Field(min_length=1)
    sectors: list[Sector] = Field(min_length=1)
    targets: list[Target] = Field(min_length=1)
    groups: list[Group] = Field(min_length=1)
    measures: list[Measure]
    departments: list[Department]
    parks: list[Park] = Field(min_length=1)

    @property
    def horizon(self) -> int:
        """Months from the start to the end."""
        return months.between(self.start, self.end)

    def zone_ids(self) -> list[str]:
        return [zone.id for zone in self.zones]

    def sector_ids(self) -> list[str]:
        return [sector.id for sector in self.sectors]

    def measure_ids(self) -> list[str]:
        return [measure.id for measure in self.measures]

    def reach_of(self, measure: Measure, zone: str) -> float:
        reach = measure.reach.get(zone, measure.reach.get(ELSEWHERE))
        return reach.value if reach is not None else 0.0

    def target_ids(self) -> list[str]:
        return [target.id for target in self.targets]


def read_plan(path: Path | str) -> tuple[Plan, Source]:
    """Read and check a plan file; raises FileError or PlanError with every problem's line."""
    source = read_yaml(path)
    plan = load(source, Plan, PlanError)
    problems = [f"{source.place(field)}: {text}" for field, text in _problems(plan)]
    if problems:
        raise PlanError("\n".join(problems[:10]))
    return plan, source


def _problems(plan: Plan) -> list[tuple[FieldPath, str]]:
    """Every contradiction in a plan, with the field in which it stands."""
    found: list[tuple[FieldPath, str]] = []
    if plan.horizon < 1:
        found.append((("end",), f"found {plan.end}; it must lie after the start {plan.start}"))
    if plan.horizon > 600:
        found.append((("end",), f"found {plan.horizon} months; allowed: at most 600"))
    for kind in ("zones", "sectors", "targets", "groups", "measures", "departments", "parks"):
        found += _repeated(kind, [record.id for record in getattr(plan, kind)])
    for reserved, kind, ids in (
        (DISTRICT, "zones", plan.zone_ids()),
        (ELSEWHERE, "zones", plan.zone_ids()),
        (ALL_TARGETS, "targets", plan.target_ids()),
    ):
        if reserved in ids:
            place = (kind, ids.index(reserved), "id")
            found.append((place, f"{reserved!r} is kept for the whole; choose another name"))
    found += _repeated("measures", [str(m.number) for m in plan.measures], "number")
    found += _target_problems(plan)
    found += _measure_problems(plan)
    found += _park_problems(plan)
    for position, department in enumerate(plan.departments):
        if department.zone is not None and department.zone not in plan.zone_ids():
            place = ("departments", position, "zone")
            found.append((place, unknown("zone", department.zone, plan.zone_ids())))
    for number in cited_numbers(plan, plan.provenance):
        if isinstance(number, str):
            text = f"the number {number} has no unit, source or assumption; add it to 'provenance'"
            found.append((("provenance",), text))
    return found


def _repeated(kind: str, names: list[str], field: str = "id") -> list[tuple[FieldPath, str]]:
    return [
        ((kind, position, field), f"{name!r} is used twice; each must be its own")
        for position, name in enumerate(names)
        if name in names[:position]
    ]


def _target_problems(plan: Plan) -> list[tuple[FieldPath, str]]:
    found: list[tuple[FieldPath, str]] = []
    for position, target in enumerate(plan.targets):
        place: FieldPath = ("targets", position)
        found += _outside_horizon(plan, target.deadline, (*place, "deadline"))
        weighted = target.quantity in (Quantity.REVENUE, Quantity.FIRMS)
        if weighted and not target.sectors:
            found.append((place, f"quantity {target.quantity} needs 'sectors' with their weights"))
        if target.sectors and not weighted:
            found.append(((*place, "sectors"), f"not used by quantity {target.quantity}; remove"))
        found += _unknown_keys("sector", target.sectors, plan.sector_ids(), (*place, "sectors"))
        if not isinstance(target.shares, str):
            found += shares_problems(
                {zone: share.value for zone, share in target.shares.items()},
                plan.zone_ids(),
                (*place, "shares"),
            )
        elif target.quantity.kind == "count":
            text = "'base_year' is for flows and stocks; a count needs a share for each zone"
            found.append(((*place, "shares"), text))
        found += _milestone_problems(target.milestones, (*place, "milestones"))
        if target.quantity.whole and target.threshold.value % 1:
            text = f"found {target.threshold.value:g}; a number of things must be whole"
            found.append(((*place, "threshold"), text))
    return found


def _measure_problems(plan: Plan) -> list[tuple[FieldPath, str]]:
    found: list[tuple[FieldPath, str]] = []
    departments = [department.id for department in plan.departments]
    for position, measure in enumerate(plan.measures):
        place: FieldPath = ("measures", position)
        if measure.group not in [group.id for group in plan.groups]:
            text = unknown("group", measure.group, [group.id for group in plan.groups])
            found.append(((*place, "group"), text))
        if measure.lead not in departments:
            found.append(((*place, "lead"), unknown("department", measure.lead, departments)))
        for number, name in enumerate(measure.join):
            if name not in departments:
                field = (*place, "join", number)
                found.append((field, unknown("department", name, departments)))
            elif name == measure.lead or name in measure.join[:number]:
                found.append(((*place, "join", number), f"{name!r} is named twice"))
        found += _outside_horizon(plan, measure.start, (*place, "start"))
        known = [*plan.zone_ids(), ELSEWHERE]
        found += _unknown_keys("zone", measure.reach, known, (*place, "reach"))
        found += _milestone_problems(measure.milestones, (*place, "milestones"))
        for number, effect in enumerate(measure.effects):
            field = (*place, "effects", number, "sectors")
            found += _unknown_keys("sector", effect.sectors, plan.sector_ids(), field)
        found += _unknown_keys("target", measure.moves, plan.target_ids(), (*place, "moves"))
    return found


def _park_problems(plan: Plan) -> list[tuple[FieldPath, str]]:
    found: list[tuple[FieldPath, str]] = []
    for position, park in enumerate(plan.parks):
        place: FieldPath = ("parks", position)
        if park.zone not in plan.zone_ids():
            found.append(((*place, "zone"), unknown("zone", park.zone, plan.zone_ids())))
        found += _unknown_keys("sector", park.focus, plan.sector_ids(), (*place, "focus"))
        if park.general and park.capacity.value < 1:
            text = f"found {park.capacity.value:g}; a general park needs at least 1 place per firm"
            found.append(((*place, "capacity"), text))
        if park.opens and months.number(park.opens) > months.number(plan.end):
            found.append(((*place, "opens"), f"found {park.opens}; the plan ends in {plan.end}"))
    for position, zone in enumerate(plan.zones):
        if not any(park.general and park.zone == zone.id for park in plan.parks):
            text = "has no general park; give it one in 'parks' so that every firm has a home"
            found.append((("zones", position), text))
    return found


def shares_problems(
    shares: dict[str, float], zones: list[str], place: FieldPath
) -> list[tuple[FieldPath, str]]:
    """Shares over zones must name known zones and sum to one."""
    found = _unknown_keys("zone", shares, zones, place)
    total = math.fsum(shares.values())
    if abs(total - 1) > SHARE_TOLERANCE:
        found.append((place, f"shares sum to {total:.6g}; they must sum to 1"))
    return found


def _unknown_keys(
    kind: str,
    names: dict[str, Share] | dict[str, float] | list[str],
    known: list[str],
    place: FieldPath,
) -> list[tuple[FieldPath, str]]:
    keys: list[str | int] = list(names) if isinstance(names, dict) else list(range(len(names)))
    return [
        ((*place, key), unknown(kind, name, known))
        for key, name in zip(keys, names, strict=True)
        if name not in known
    ]


def _milestone_problems(
    milestones: dict[str, Share], place: FieldPath
) -> list[tuple[FieldPath, str]]:
    ordered = sorted(milestones)
    return [
        (
            (*place, later),
            f"falls from {milestones[earlier].value:g} to {milestones[later].value:g}"
            "; a path never falls",
        )
        for earlier, later in zip(ordered, ordered[1:], strict=False)
        if milestones[later].value < milestones[earlier].value
    ]


def _outside_horizon(plan: Plan, month: str, place: FieldPath) -> list[tuple[FieldPath, str]]:
    first, last = months.after(plan.start, 1), plan.end
    if months.number(first) <= months.number(month) <= months.number(last):
        return []
    return [(place, f"month {month} lies outside the plan's horizon {first} to {last}")]
