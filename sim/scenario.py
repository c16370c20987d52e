"""A scenario: what a planner sets differently from the plan, and what hits from outside."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from sim import months
from sim.economy import Economy, Lever, read_economy
from sim.errors import ScenarioError, unknown
from sim.figures import Name, Record
from sim.files import FieldPath, Source, load, read_yaml
from sim.months import Month
from sim.plan import Id, Plan, Quantity, read_plan, shares_problems


class LeverSetting(Record):
    """One lever set to a value: where, from when, how fast, and until when."""

    lever: str
    value: float
    zones: list[str] = Field(default_factory=list, description="none: all zones")
    sectors: list[str] = Field(
        default_factory=list, description="scenario funding only; none: all adopting sectors"
    )
    measures: list[str] = Field(default_factory=list, description="measure intensity only")
    departments: list[str] = Field(default_factory=list, description="department capacity only")
    start: Month | None = Field(None, description="first month; none: the first of the plan")
    ramp: int = Field(0, ge=0, le=600, description="months from the old value to the new")
    end: Month | None = Field(None, description="last month; afterwards the old value again")


class Shock(Record):
    """A blow or boom from outside: the level falls over its length and recovers in part."""

    id: Id
    name: Name
    start: Month
    length: int = Field(ge=1, le=600, description="months until the full size is reached")
    size: float = Field(ge=-0.95, le=3.0, description="change of the level: −0.3 is a 30 % fall")
    size_sd: float = Field(0.0, ge=0.0, le=1.0, description="standard deviation over the runs")
    recovery: float = Field(0.0, ge=0.0, le=1.0, description="share of the change undone later")
    recovery_months: int = Field(6, ge=1, le=600)
    sectors: list[str] = Field(default_factory=list, description="none: all sectors")
    zones: list[str] = Field(default_factory=list, description="none: all zones")


class Scenario(Record):
    """Which plan and economy, and every deviation from them. It changes only what it names."""

    id: Id
    name: Name
    question: Name
    plan: str = Field(description="path of the plan file, from the scenario's folder")
    economy: str = Field(description="path of the economy file, from the scenario's folder")
    levers: list[LeverSetting] = Field(default_factory=list)
    shocks: list[Shock] = Field(default_factory=list)
    priorities: dict[str, float] = Field(
        default_factory=dict, description="added weight of a measure in every department's choice"
    )
    target_shares: dict[str, dict[str, float]] = Field(default_factory=dict)
    parameters: dict[str, float] = Field(
        default_factory=dict, description="a parameter held at a value: talent.attrition: 0.02"
    )

    @model_validator(mode="after")
    def _shocks_have_own_names(self) -> Self:
        names = [shock.id for shock in self.shocks]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"shock {name!r} is given twice; each needs its own id")
        return self


@dataclass(frozen=True)
class Inputs:
    """A scenario with its plan and economy, read, checked and fit to each other."""

    scenario: Scenario
    plan: Plan
    economy: Economy
    sources: dict[str, Source]


def read_scenario(path: Path | str) -> Inputs:
    """Read a scenario and the files that it names.

    Raises:
        InputError: a file, line and field with what was found and what is allowed.
    """
    source = read_yaml(path)
    scenario = load(source, Scenario, ScenarioError)
    plan, plan_source = read_plan(source.path.parent / scenario.plan)
    economy, economy_source = read_economy(source.path.parent / scenario.economy, plan)
    problems = [
        f"{source.place(field)}: {text}" for field, text in _problems(scenario, plan, economy)
    ]
    if problems:
        raise ScenarioError("\n".join(problems[:10]))
    sources = {"scenario": source, "plan": plan_source, "economy": economy_source}
    return Inputs(scenario, plan, economy, sources)


def _problems(scenario: Scenario, plan: Plan, economy: Economy) -> list[tuple[FieldPath, str]]:
    found: list[tuple[FieldPath, str]] = []
    for position, setting in enumerate(scenario.levers):
        found += _setting_problems(setting, plan, economy, ("levers", position))
    for position, shock in enumerate(scenario.shocks):
        place: FieldPath = ("shocks", position)
        found += _unknown("zone", shock.zones, plan.zone_ids(), (*place, "zones"))
        found += _unknown("sector", shock.sectors, plan.sector_ids(), (*place, "sectors"))
        found += _outside(shock.start, plan, (*place, "start"))
    for measure in scenario.priorities:
        if measure not in plan.measure_ids():
            text = unknown("measure", measure, plan.measure_ids())
            found.append((("priorities", measure), text))
        elif abs(scenario.priorities[measure]) > 10:
            text = f"found {scenario.priorities[measure]:g}; allowed: -10 to 10"
            found.append((("priorities", measure), text))
    for name, shares in scenario.target_shares.items():
        place = ("target_shares", name)
        if name not in plan.target_ids():
            found.append((place, unknown("target", name, plan.target_ids())))
        found += shares_problems(shares, plan.zone_ids(), place)
        for zone, share in shares.items():
            if not 0 <= share <= 1:
                found.append(((*place, zone), f"found {share:g}; allowed: 0 to 1"))
    known = {
        label: parameter
        for process, group in economy.parameters.items()
        for name, parameter in group.items()
        for label, _ in parameter.entries(f"{process}.{name}")
    }
    for name, value in scenario.parameters.items():
        place = ("parameters", name)
        if name not in known:
            found.append((place, unknown("parameter", name, sorted(known))))
        elif not known[name].low <= value <= known[name].high:
            text = f"found {value:g}; allowed: {known[name].low:g} to {known[name].high:g}"
            found.append((place, text))
    return found


def _setting_problems(
    setting: LeverSetting, plan: Plan, economy: Economy, place: FieldPath
) -> list[tuple[FieldPath, str]]:
    levers = [lever.value for lever in Lever]
    if setting.lever not in levers:
        return [((*place, "lever"), unknown("lever", setting.lever, levers))]
    found: list[tuple[FieldPath, str]] = []
    rule = economy.levers[setting.lever]
    if not rule.low <= setting.value <= rule.high:
        text = f"found {setting.value:g}; allowed: {rule.low:g} to {rule.high:g} {rule.unit.en}"
        found.append(((*place, "value"), text))
    found += _unknown("zone", setting.zones, plan.zone_ids(), (*place, "zones"))
    departments = [department.id for department in plan.departments]
    for field, names, kind, known, lever in (
        ("sectors", setting.sectors, "sector", plan.sector_ids(), Lever.SCENARIO_FUNDING),
        ("measures", setting.measures, "measure", plan.measure_ids(), Lever.MEASURE_INTENSITY),
        ("departments", setting.departments, "department", departments, Lever.DEPARTMENT_CAPACITY),
    ):
        found += _unknown(kind, names, known, (*place, field))
        if names and setting.lever != lever:
            found.append(((*place, field), f"belongs to the lever {lever.value!r} only; remove it"))
    if setting.lever == Lever.SCENARIO_FUNDING:
        for position, sector in enumerate(setting.sectors):
            if sector in economy.sectors and not economy.sectors[sector].adopts:
                adopters = [name for name, base in economy.sectors.items() if base.adopts]
                text = f"{sector!r} posts no calls (allowed: {', '.join(adopters)})"
                found.append(((*place, "sectors", position), text))
    if setting.lever == Lever.DEPARTMENT_CAPACITY and setting.zones:
        text = "a department's capacity has no zones; name departments"
        found.append(((*place, "zones"), text))
    for name in ("start", "end"):
        month = getattr(setting, name)
        if month is not None:
            found += _outside(month, plan, (*place, name))
    if setting.start and setting.end and months.between(setting.start, setting.end) < 0:
        text = f"found {setting.end}, before its start {setting.start}"
        found.append(((*place, "end"), text))
    return found


def _unknown(
    kind: str, names: list[str], known: list[str], place: FieldPath
) -> list[tuple[FieldPath, str]]:
    found = [
        ((*place, position), unknown(kind, name, known))
        for position, name in enumerate(names)
        if name not in known
    ]
    return found + [
        ((*place, position), f"{name!r} is named twice")
        for position, name in enumerate(names)
        if name in names[:position]
    ]


def _outside(month: str, plan: Plan, place: FieldPath) -> list[tuple[FieldPath, str]]:
    first = months.after(plan.start, 1)
    if months.number(first) <= months.number(month) <= months.number(plan.end):
        return []
    return [(place, f"month {month} lies outside the horizon {first} to {plan.end}")]


def target_shares(inputs: Inputs) -> dict[str, dict[str, float]]:
    """Each target's zone shares as the scenario has them; 'base_year' is left to the model."""
    shares = {
        target.id: {zone: share.value for zone, share in target.shares.items()}
        for target in inputs.plan.targets
        if not isinstance(target.shares, str)
    }
    return shares | inputs.scenario.target_shares


def quantity_of(plan: Plan, target: str) -> Quantity:
    return next(record.quantity for record in plan.targets if record.id == target)
