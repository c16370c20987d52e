"""The government plan as data: zones, sectors, targets, measures, departments, parks.

Nothing here knows a particular plan; ``scenarios/plan.yaml`` holds one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from sim import months
from sim.errors import FieldPath, PlanError, Problem, Unknown, meant, plain, shown
from sim.figures import (
    LARGEST,
    Basis,
    Label,
    Line,
    NonNegative,
    Number,
    Prose,
    Provenance,
    Record,
    Sentence,
    Share,
    Whole,
    provenance_problems,
    whole,
    within,
)
from sim.files import Source, load, read_yaml, refuse
from sim.months import Month

Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
DISTRICT = "district"
ALL_TARGETS = "all"
ELSEWHERE = "elsewhere"
SHARE_TOLERANCE = 1e-6
LEAST = 0.001  # of a target: values are shown in % of it, and 0 would always be met
LONGEST = 600  # months from a plan's start to its end

Count = Annotated[NonNegative, AfterValidator(whole)]


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


class Position(Basis):
    """Where a zone's middle lies, for schematic maps alone: no run depends on it."""

    longitude: Annotated[float, within(-180, 180)] = Field(description="degrees east")
    latitude: Annotated[float, within(-90, 90)] = Field(description="degrees north")
    within_km: Annotated[float, within(0, 100)] = Field(description="how far off it may be")


class Zone(Record):
    id: Id
    name: Label
    section: Line
    role: Literal["core", "centre", "other"]
    data_pilot: bool = Field(False, description="data cross the border here first")
    position: Position | None = None


class Sector(Record):
    id: Id
    name: Label
    section: Line
    role: Literal["core", "application"]


def _as_shares(text: Any) -> Any:
    if text != "base_year":
        needed = "'base_year', or a share for each zone (zone: share)"
        raise ValueError(f"found {shown(text)}; allowed: {needed}")
    return text


Shares = Annotated[
    Annotated[Literal["base_year"], BeforeValidator(_as_shares), Tag("a word")]
    | Annotated[dict[str, Share], Tag("by zone")],
    Discriminator(lambda shares: "by zone" if isinstance(shares, dict) else "a word"),
]


class Target(Record):
    """One target of the plan: a threshold for a quantity at a date, split over the zones."""

    id: Id
    name: Label
    section: Line
    unit: Label
    quantity: Quantity = Field(strict=False)
    sectors: dict[str, Share] = Field(
        default_factory=dict, description="weight of each sector's revenue or firms"
    )
    threshold: Annotated[Number, within(LEAST, LARGEST)]
    comparison: Literal["at_least", "above"]
    deadline: Month
    shares: Shares
    milestones: dict[Month, Share] = Field(
        default_factory=dict, description="share of the threshold that the plan has reached by then"
    )
    driven_by: Sentence

    def met(self, values: NDArray[Any], threshold: float | NDArray[Any]) -> NDArray[np.bool_]:
        """Which values meet a threshold (one, or one each): strictly above it, or at least it."""
        return np.asarray(values > threshold if self.comparison == "above" else values >= threshold)


class Group(Record):
    id: Id
    name: Label
    section: Line


class Effect(Record):
    """What a measure's full progress adds to a driver before saturation: D = 1 − exp(−Σ b·P)."""

    driver: Driver = Field(strict=False)
    strength: NonNegative
    sectors: list[str] = Field(default_factory=list, description="none: all sectors")


class Measure(Record):
    id: Id
    number: Annotated[Whole, within(1, 999)] = Field(
        description="its number in the plan, and its random slot"
    )
    name: Label
    section: Line
    group: str
    lead: str
    join: list[str] = Field(default_factory=list)
    start: Month = Field(description="its first month; one that ran before the plan goes on")
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
    name: Label
    section: Line
    zone: str | None = Field(None, description="a zone's own authority works in its zone only")
    capacity: NonNegative = Field(description="measures that its staff can carry at full effort")


class Park(Record):
    id: Id
    name: Label
    section: Line
    zone: str
    kind: Literal["park", "carrier"]
    general: bool = Field(False, description="a home for firms of every sector")
    focus: list[str] = Field(default_factory=list)
    capacity: NonNegative = Field(description="firms; of a general park: per firm at the start")
    platforms: Count = Field(description="open innovation platforms that it can host")
    opens: Month | None = None


class Plan(Record):
    """A plan: its period, where and by whom it is carried out, and what it aims at."""

    id: Id
    name: Label
    source: Prose
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
    counts_projects_under_way: bool = Field(
        True, description="application projects that run at the start count once they are done"
    )

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
    refuse(source, _problems(plan), PlanError)
    return plan, source


def _problems(plan: Plan) -> list[Problem]:
    """Every contradiction in a plan, with the field in which it stands."""
    if not 1 <= plan.horizon <= LONGEST:
        first, last = (months.after(plan.start, n) for n in (1, LONGEST))
        text = f"found {plan.end}; allowed: {first} to {last}, as the plan starts in {plan.start}"
        return [(("end",), text)]
    found: list[Problem] = []
    for kind in ("zones", "sectors", "targets", "groups", "measures", "departments", "parks"):
        found += repeated(kind, [record.id for record in getattr(plan, kind)])
    for reserved, kind, ids in (
        (DISTRICT, "zones", plan.zone_ids()),
        (ELSEWHERE, "zones", plan.zone_ids()),
        (ALL_TARGETS, "targets", plan.target_ids()),
    ):
        if reserved in ids:
            place = (kind, ids.index(reserved), "id")
            found.append((place, f"{reserved!r} is kept for the whole; choose another name"))
    found += repeated("measures", [str(m.number) for m in plan.measures], "number")
    found += _position_problems(plan)
    found += _target_problems(plan)
    found += _measure_problems(plan)
    found += _park_problems(plan)
    for position, department in enumerate(plan.departments):
        if department.zone is not None and department.zone not in plan.zone_ids():
            place = ("departments", position, "zone")
            found.append((place, Unknown("zone", department.zone, plan.zone_ids())))
    return [*found, *provenance_problems(plan, plan.provenance)]


def repeated(kind: str, names: list[str], field: str = "id") -> list[Problem]:
    return [
        ((kind, position, field), f"{names[position]!r} is used twice; each needs its own")
        for position in _again(names)
    ]


def _again(names: list[str]) -> list[int]:
    """The places of names that stand in a list already."""
    first: dict[str, int] = {}
    return [n for n, name in enumerate(names) if first.setdefault(name, n) != n]


def _position_problems(plan: Plan) -> list[Problem]:
    """Two zones in one place would hide each other on a map."""
    found: list[Problem] = []
    taken: dict[tuple[float, float], str] = {}
    for number, zone in enumerate(plan.zones):
        if zone.position is None:
            continue
        place = (zone.position.longitude, zone.position.latitude)
        if place in taken:
            text = f"is the place of zone {taken[place]!r} too; correct one of the two"
            found.append((("zones", number, "position"), text))
        taken.setdefault(place, zone.id)
    return found


def _target_problems(plan: Plan) -> list[Problem]:
    found: list[Problem] = []
    for position, target in enumerate(plan.targets):
        place: FieldPath = ("targets", position)
        found += outside_horizon(plan, target.deadline, (*place, "deadline"))
        weighted = target.quantity in (Quantity.REVENUE, Quantity.FIRMS)
        if weighted and not target.sectors:
            text = f"is missing; quantity {target.quantity} needs sectors with their weights"
            found.append(((*place, "sectors"), text))
        if target.sectors and not weighted:
            text = f"not used by quantity {target.quantity}; remove them"
            found.append(((*place, "sectors"), text))
        found += unknown_names("sector", target.sectors, plan.sector_ids(), (*place, "sectors"))
        if not isinstance(target.shares, str):
            shares = {zone: share.value for zone, share in target.shares.items()}
            found += shares_problems(shares, plan.zone_ids(), (*place, "shares"))
        elif target.quantity.kind == "count":
            text = "found 'base_year', which is for flows and stocks; a count needs zone: share"
            found.append(((*place, "shares"), text))
        found += _milestone_problems(plan, target.milestones, (*place, "milestones"))
        if target.quantity.whole and target.threshold.value % 1:
            text = f"found {plain(target.threshold.value)}; a number of things must be whole"
            found.append(((*place, "threshold"), text))
    return found


def _measure_problems(plan: Plan) -> list[Problem]:
    found: list[Problem] = []
    groups = [group.id for group in plan.groups]
    departments = [department.id for department in plan.departments]
    for position, measure in enumerate(plan.measures):
        place: FieldPath = ("measures", position)
        if measure.group not in groups:
            found.append(((*place, "group"), Unknown("group", measure.group, groups)))
        if measure.lead not in departments:
            found.append(((*place, "lead"), Unknown("department", measure.lead, departments)))
        found += unknown_names("department", measure.join, departments, (*place, "join"))
        if measure.lead in measure.join:
            field = (*place, "join", measure.join.index(measure.lead))
            found.append((field, f"found {measure.lead!r}, which leads the measure; remove it"))
        if months.between(measure.start, plan.end) < 0:
            text = f"found {measure.start}; allowed: up to {plan.end}, the plan's end"
            found.append(((*place, "start"), text))
        known = [*plan.zone_ids(), ELSEWHERE]
        found += unknown_names("zone", measure.reach, known, (*place, "reach"))
        found += _milestone_problems(plan, measure.milestones, (*place, "milestones"))
        for number, effect in enumerate(measure.effects):
            field = (*place, "effects", number, "sectors")
            found += unknown_names("sector", effect.sectors, plan.sector_ids(), field)
        found += unknown_names("target", measure.moves, plan.target_ids(), (*place, "moves"))
    return found


def _park_problems(plan: Plan) -> list[Problem]:
    found: list[Problem] = []
    for position, park in enumerate(plan.parks):
        place: FieldPath = ("parks", position)
        if park.zone not in plan.zone_ids():
            found.append(((*place, "zone"), Unknown("zone", park.zone, plan.zone_ids())))
        found += unknown_names("sector", park.focus, plan.sector_ids(), (*place, "focus"))
        if park.general and park.capacity.value < 1:
            text = f"found {plain(park.capacity.value)}; a general park needs at least 1"
            found.append(((*place, "capacity"), f"{text} (places per firm at the start)"))
        if park.opens and months.number(park.opens) > months.number(plan.end):
            text = f"found {park.opens}; allowed: up to {plan.end}, the plan's end"
            found.append(((*place, "opens"), text))
    housed = _housed(plan)
    found += [
        (
            ("zones", position),
            f"zone {zone.id!r} has no general park that is open from the start; "
            "add one to 'parks', so that every firm has a home",
        )
        for position, zone in enumerate(plan.zones)
        if zone.id not in housed
    ]
    return found


def _housed(plan: Plan) -> set[str]:
    """The zones in which every firm may settle in some park from the start."""
    zones = plan.zone_ids()
    open_to_all = {
        park.zone
        for park in plan.parks
        if park.general
        and (park.opens is None or months.number(park.opens) <= months.number(plan.start))
    }
    # a park whose zone is mistyped is reported as that, and not as missing too
    return open_to_all | meant(sorted(open_to_all.difference(zones)), zones)


def shares_problems(shares: dict[str, float], zones: list[str], place: FieldPath) -> list[Problem]:
    """Shares over zones must name known zones and sum to one."""
    found = unknown_names("zone", shares, zones, place)
    total = math.fsum(shares.values())
    if abs(total - 1) > SHARE_TOLERANCE:
        found.append((place, f"shares sum to {total:.8g}; they must sum to 1"))
    return found


def unknown_names(
    kind: str, names: Mapping[str, object] | list[str], known: list[str], place: FieldPath
) -> list[Problem]:
    """Names in a list, or before the colon, that are unknown or given twice."""
    found: list[Problem] = []
    listed, is_known = list(names), frozenset(known)
    twice = set(_again(listed))
    for position, name in enumerate(listed):
        field = (*place, position if isinstance(names, list) else name)
        if name not in is_known:
            found.append((field, Unknown(kind, name, known)))
        elif position in twice:
            found.append((field, f"{name!r} is named twice; remove one"))
    return found


def names_problems(
    kind: str, given: Mapping[str, object], needed: list[str], place: FieldPath
) -> list[Problem]:
    """Names before the colon must be just the needed ones; a mistyped one is said once."""
    found = unknown_names(kind, given, needed, place)
    mistyped = meant((name for name in given if name not in needed), needed)
    return found + [
        (place, f"the {kind} {name!r} is missing; it must be given")
        for name in needed
        if name not in given and name not in mistyped
    ]


def outside_horizon(plan: Plan, month: str, place: FieldPath) -> list[Problem]:
    """A month must lie after the plan's start and not after its end."""
    first, last = months.after(plan.start, 1), plan.end
    if months.number(first) <= months.number(month) <= months.number(last):
        return []
    return [(place, f"found {month}; allowed: {first} to {last}, the plan's horizon")]


def _milestone_problems(
    plan: Plan, milestones: dict[str, Share], place: FieldPath
) -> list[Problem]:
    found: list[Problem] = []
    ordered = sorted(milestones)
    for month in ordered:
        found += outside_horizon(plan, month, (*place, month))
    for earlier, later in pairwise(ordered):
        before, after = milestones[earlier].value, milestones[later].value
        if after < before:
            text = f"falls from {plain(before)} to {plain(after)}; a path never falls"
            found.append(((*place, later), text))
    return found
