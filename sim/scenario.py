"""A scenario: what a planner sets differently from the plan, and what hits from outside."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from pydantic import Field

from sim import months
from sim.economy import Economy, Lever, read_economy
from sim.errors import FieldPath, PathError, Problem, ScenarioError, Unknown, plain, shown
from sim.figures import Label, Record, Sentence, Whole, within
from sim.files import Source, load, read_yaml, refuse, source_of, yaml_text
from sim.months import Month
from sim.plan import (
    LONGEST,
    Id,
    Plan,
    outside_horizon,
    read_plan,
    repeated,
    shares_problems,
    unknown_names,
)
from sim.posterior import Posterior, read_posterior

OWN_PERIOD = (
    ", since targets with other deadlines are other targets; make this scenario the base to plan "
    "for another end (pudong dashboard --scenario FILE)"
)

Months = Annotated[Whole, within(1, LONGEST)]
Part = Annotated[float, within(0, 1)]


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
    ramp: Annotated[Whole, within(0, LONGEST)] = Field(
        0, description="months from the old value to the new"
    )
    end: Month | None = Field(None, description="last month; afterwards the old value again")


class Shock(Record):
    """A blow or boom from outside: the level falls over its length and recovers in part."""

    id: Id
    name: Label
    start: Month
    length: Months = Field(description="months until the full size is reached")
    size: Annotated[float, within(-0.95, 3)] = Field(
        description="change of the level: −0.3 is a 30 % fall"
    )
    size_sd: Part = Field(0.0, description="standard deviation over the runs")
    recovery: Part = Field(0.0, description="share of the change undone later")
    recovery_months: Months = 6
    sectors: list[str] = Field(default_factory=list, description="none: all sectors")
    zones: list[str] = Field(default_factory=list, description="none: all zones")


class Scenario(Record):
    """Which plan and economy, and every deviation from them. It changes only what it names."""

    id: Id
    name: Label
    question: Sentence
    plan: str = Field(description="path of the plan file, from the scenario's folder")
    economy: str = Field(description="path of the economy file, from the scenario's folder")
    plan_end: Month | None = Field(
        None,
        description="last month of the plan, with the targets that are due at its end; none: the "
        "plan's own",
    )
    levers: list[LeverSetting] = Field(default_factory=list)
    shocks: list[Shock] = Field(default_factory=list)
    priorities: dict[str, Annotated[float, within(-10, 10)]] = Field(
        default_factory=dict, description="added weight of a measure in every department's choice"
    )
    target_shares: dict[str, dict[str, Part]] = Field(default_factory=dict)
    parameters: dict[str, float] = Field(
        default_factory=dict, description="a parameter held at a value: talent.attrition: 0.02"
    )


@dataclass(frozen=True)
class Inputs:
    """A scenario with its plan and economy, read, checked and fit to each other."""

    scenario: Scenario
    plan: Plan
    economy: Economy
    sources: dict[str, Source]
    posterior: Posterior | None = None


def read_scenario(path: Path | str) -> Inputs:
    """Read a scenario and the files that it names.

    Raises:
        InputError: a file, line and field with what was found and what is allowed.
    """
    source = read_yaml(path)
    scenario = load(source, Scenario, ScenarioError)
    folder = source.path.parent
    with _named_by(source, "plan"):
        plan, plan_source = read_plan(folder / scenario.plan)
    if scenario.plan_end is not None:
        refuse(source, _end_problems(scenario.plan_end, plan), ScenarioError)
        plan = _ending(plan, scenario.plan_end)
    with _named_by(source, "economy"):
        economy, economy_source = read_economy(folder / scenario.economy, plan)
    refuse(source, _problems(scenario, plan, economy), ScenarioError)
    sources = {"scenario": source, "plan": plan_source, "economy": economy_source}
    if economy.posterior is None:
        return Inputs(scenario, plan, economy, sources)
    with _named_by(economy_source, "posterior"):
        posterior, sources["posterior"] = read_posterior(
            economy_source.path.parent / economy.posterior
        )
    return Inputs(scenario, plan, economy, sources, posterior)


def changed(inputs: Inputs, **fields: object) -> Inputs:
    """The same inputs with other fields of the scenario, as if they had stood in its file.

    Args:
        fields: checked values of ``Scenario``'s fields; nothing else is checked here.
    """
    scenario = inputs.scenario.model_copy(update=fields)
    data = scenario.model_dump(mode="json", exclude_defaults=True)
    text = yaml_text(data)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    source = replace(inputs.sources["scenario"], text=text, data=data, lines={}, sha256=sha256)
    return replace(inputs, scenario=scenario, sources=inputs.sources | {"scenario": source})


def scenario_of(raw: bytes, name: str, base: Inputs) -> Inputs:
    """A scenario from a file's content, with the plan and economy of ``base``; opens no file.

    Args:
        raw: content of a scenario file from somebody who may not choose which files are read.
        name: what messages call it.

    Raises:
        InputError: see ``read_scenario``; also where it names another plan or economy than the
            base's scenario does, or another end of the plan.
    """
    source = source_of(Path(name), raw)
    scenario = load(source, Scenario, ScenarioError)
    found: list[Problem] = [
        (
            (field,),
            f"found {shown(given)}; allowed here: {shown(served)}, as in the base scenario{more}",
        )
        for field, more in (("plan", ""), ("economy", ""), ("plan_end", OWN_PERIOD))
        if (given := getattr(scenario, field)) != (served := getattr(base.scenario, field))
    ]
    refuse(source, found or _problems(scenario, base.plan, base.economy), ScenarioError)
    return replace(base, scenario=scenario, sources=base.sources | {"scenario": source})


def with_posterior(inputs: Inputs, path: Path | str) -> Inputs:
    """The same inputs with the posterior of another file, as if the economy had named it.

    Raises:
        FileError, PosteriorError: see ``read_posterior``.
    """
    posterior, source = read_posterior(path)
    economy = inputs.sources["economy"]
    text = re.sub(r"(?m)^posterior:.*\n?", "", economy.text).rstrip()
    text += f"\n\nposterior: {source.path.name}\n"
    sources = inputs.sources | {"economy": replace(economy, text=text), "posterior": source}
    return replace(inputs, sources=sources, posterior=posterior)


def with_priors(inputs: Inputs) -> Inputs:
    """The same inputs with every parameter drawn from its prior, whatever was fitted."""
    sources = {kind: source for kind, source in inputs.sources.items() if kind != "posterior"}
    return replace(inputs, sources=sources, posterior=None)


def ending_at(inputs: Inputs, month: str) -> Inputs:
    """The same inputs with another last month, as if the scenario had named it."""
    scenario = inputs.scenario.model_copy(update={"plan_end": month})
    return replace(inputs, scenario=scenario, plan=_ending(inputs.plan, month))


def _end_problems(end: str, plan: Plan) -> list[Problem]:
    """Why a plan cannot end in that month."""
    field = ("plan_end",)
    if not 1 <= months.between(plan.start, end) <= LONGEST:
        last = months.after(plan.start, LONGEST)
        text = f"found {end}; allowed: after {plan.start}, to {last} ({LONGEST} months)"
        return [(field, text)]
    return [
        (field, f"found {end}, before {target.deadline}, when the target {target.id!r} is due")
        for target in plan.targets
        if target.deadline != plan.end and months.between(target.deadline, end) < 0
    ]


def _ending(plan: Plan, end: str) -> Plan:
    """The plan up to another month; targets that are due at its end are due then."""
    targets = [
        target.model_copy(update={"deadline": end}) if target.deadline == plan.end else target
        for target in plan.targets
    ]
    return plan.model_copy(update={"end": end, "targets": targets})


@contextmanager
def _named_by(source: Source, field: str) -> Iterator[None]:
    """Say where a scenario names a file that is missing, unreadable or of the wrong kind."""
    try:
        yield
    except PathError as error:
        raise ScenarioError(f"{source.place((field,))}: {error}") from None


def _problems(scenario: Scenario, plan: Plan, economy: Economy) -> list[Problem]:
    """Everything in a scenario that its plan or economy does not allow, with its field."""
    found: list[Problem] = []
    for position, setting in enumerate(scenario.levers):
        found += _setting_problems(setting, plan, economy, ("levers", position))
    found += repeated("shocks", [shock.id for shock in scenario.shocks])
    for position, shock in enumerate(scenario.shocks):
        place: FieldPath = ("shocks", position)
        found += unknown_names("zone", shock.zones, plan.zone_ids(), (*place, "zones"))
        found += unknown_names("sector", shock.sectors, plan.sector_ids(), (*place, "sectors"))
        found += outside_horizon(plan, shock.start, (*place, "start"))
    found += unknown_names("measure", scenario.priorities, plan.measure_ids(), ("priorities",))
    found += unknown_names("target", scenario.target_shares, plan.target_ids(), ("target_shares",))
    for name, shares in scenario.target_shares.items():
        found += shares_problems(shares, plan.zone_ids(), ("target_shares", name))
    return found + _parameter_problems(scenario, economy)


def _parameter_problems(scenario: Scenario, economy: Economy) -> list[Problem]:
    known = {
        label: parameter
        for process, group in economy.parameters.items()
        for name, parameter in group.items()
        for label, _ in parameter.entries(f"{process}.{name}")
    }
    found = unknown_names("parameter", scenario.parameters, sorted(known), ("parameters",))
    for name, value in scenario.parameters.items():
        if name in known and not known[name].low <= value <= known[name].high:
            bounds = f"{plain(known[name].low)} to {plain(known[name].high)}"
            found.append((("parameters", name), f"found {plain(value)}; allowed: {bounds}"))
    return found


def _setting_problems(
    setting: LeverSetting, plan: Plan, economy: Economy, place: FieldPath
) -> list[Problem]:
    levers = [lever.value for lever in Lever]
    if setting.lever not in levers:
        return [((*place, "lever"), Unknown("lever", setting.lever, levers))]
    found: list[Problem] = []
    rule = economy.levers[setting.lever]
    if not rule.low <= setting.value <= rule.high:
        bounds = f"{plain(rule.low)} to {plain(rule.high)} ({rule.unit.en})"
        found.append(((*place, "value"), f"found {plain(setting.value)}; allowed: {bounds}"))
    found += unknown_names("zone", setting.zones, plan.zone_ids(), (*place, "zones"))
    found += _scope_problems(setting, plan, place)
    if setting.lever == Lever.SCENARIO_FUNDING:
        adopters = [name for name, base in economy.sectors.items() if base.adopts]
        found += [
            (
                (*place, "sectors", position),
                f"found {sector!r}, which posts no calls (allowed: {', '.join(adopters)})",
            )
            for position, sector in enumerate(setting.sectors)
            if sector in economy.sectors and sector not in adopters
        ]
    for name, month in (("start", setting.start), ("end", setting.end)):
        if month is not None:
            found += outside_horizon(plan, month, (*place, name))
    if setting.start and setting.end and months.between(setting.start, setting.end) < 0:
        text = f"found {setting.end}; allowed: not before its start {setting.start}"
        found.append(((*place, "end"), text))
    return found


def _scope_problems(setting: LeverSetting, plan: Plan, place: FieldPath) -> list[Problem]:
    """Sectors, measures and departments go with one lever each, zones with all but one."""
    found: list[Problem] = []
    departments = [department.id for department in plan.departments]
    for field, names, known, lever in (
        ("sectors", setting.sectors, plan.sector_ids(), Lever.SCENARIO_FUNDING),
        ("measures", setting.measures, plan.measure_ids(), Lever.MEASURE_INTENSITY),
        ("departments", setting.departments, departments, Lever.DEPARTMENT_CAPACITY),
    ):
        if names and setting.lever != lever:
            text = f"found with the lever {setting.lever!r}; allowed with {lever.value!r} only"
            found.append(((*place, field), text))
        else:
            found += unknown_names(field.removesuffix("s"), names, known, (*place, field))
    if setting.lever == Lever.DEPARTMENT_CAPACITY and setting.zones:
        text = "a department's capacity has no zones; name 'departments' in their place"
        found.append(((*place, "zones"), text))
    return found


def target_shares(inputs: Inputs) -> dict[str, dict[str, float]]:
    """Each target's zone shares as the scenario has them; 'base_year' is left to the model."""
    shares = {
        target.id: {zone: share.value for zone, share in target.shares.items()}
        for target in inputs.plan.targets
        if not isinstance(target.shares, str)
    }
    return shares | inputs.scenario.target_shares
