"""What an analysis may set: a lever in the zones named, or in one zone, measure or department.

A control only adds to what the scenario has. Where a value holds in each zone, zones that have more
already keep it; where it is a sum, it is the sum over the zones.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from sim.analysis.record import write_record
from sim.analysis.summary import AnswerRecord
from sim.blueprint import Blueprint, build
from sim.economy import Lever
from sim.errors import RunError, unknown
from sim.figures import Name
from sim.scenario import Inputs, LeverSetting, changed
from sim.store import write_text

STEPS = 1000  # a lever's range is set in as many steps, so that an answer has few digits

Kind = Literal["zones", "measures", "departments"]


@dataclass(frozen=True)
class Control:
    """One lever over some places.

    Attributes:
        lever: which.
        kind, places: the zones, measures or departments that it is set in.
        present: what holds there at the plan's end, in the lever's unit.
        low, high: from what holds already to the lever's upper bound.
        step: the least change.
        sums: the value is a sum over the places, split by firms.
        zones: where a measure's intensity is set, none: everywhere.
        part: the place where it is only one, else empty.
    """

    lever: Lever
    kind: Kind
    places: tuple[str, ...]
    present: tuple[float, ...]
    low: float
    high: float
    step: float
    sums: bool = False
    zones: tuple[str, ...] = ()
    part: str = ""

    @property
    def name(self) -> str:
        """``lever`` or ``lever@place``."""
        return f"{self.lever.value}@{self.part}" if self.part else self.lever.value

    def rounded(self, value: float, up: bool = False) -> float:
        """The value on the lever's steps within its bounds, at or below (``up``: above) it."""
        if value <= self.low + 1e-9:
            return self.low
        steps = value / self.step
        whole = math.ceil(steps - 1e-6) if up else math.floor(steps + 1e-6)
        return min(max(float(f"{whole * self.step:.9g}"), self.low), self.high)

    def settings(self, value: float) -> list[LeverSetting]:
        """As in a scenario file; none where nothing changes."""
        if value <= self.low + 1e-12:
            return []
        places = list(self.places)
        if not self.sums:
            pairs = zip(self.places, self.present, strict=True)
            places = [place for place, has in pairs if has < value]
        where: dict[str, list[str]] = {self.kind: places}
        if self.zones:
            where["zones"] = list(self.zones)
        return [LeverSetting.model_validate({"lever": self.lever.value, "value": value, **where})]


def lever_of(name: str, option: str = "--lever") -> Lever:
    """Raises RunError for an unknown name, with the nearest."""
    names = [lever.value for lever in Lever]
    if name not in names:
        raise RunError(f"{option}: {unknown('lever', name, names)}")
    return Lever(name)


def listed(names: Iterable[str]) -> list[str]:
    """Names given one by one or with commas between them, each once."""
    parts = (part.strip() for name in names for part in name.split(","))
    return list(dict.fromkeys(part for part in parts if part))


def control_of(inputs: Inputs, lever: Lever, zones: Sequence[str] = ()) -> Control:
    """A lever as a whole: in the zones named (none: all), for all measures or departments.

    Raises:
        RunError: an unknown zone, or zones for a lever that has none.
    """
    known = inputs.plan.zone_ids()
    for zone in zones:
        if zone not in known:
            raise RunError(f"--zones: {unknown('zone', zone, known)}")
    if lever == Lever.DEPARTMENT_CAPACITY and zones:
        raise RunError(f"--zones: the lever {lever.value!r} is set by department and has no zones")
    return _whole(inputs, build(inputs), lever, [zone for zone in known if zone in zones])


def parts_of(inputs: Inputs, control: Control) -> list[Control]:
    """The same lever in each zone, measure or department by itself."""
    parts = []
    for place, has in zip(control.places, control.present, strict=True):
        one = replace(control, places=(place,), present=(has,), low=has, part=place)
        parts.append(one)
    return [part for part in parts if part.low < part.high]


def settings_of(controls: Sequence[Control], values: Sequence[float]) -> list[LeverSetting]:
    """What all controls set, in their order."""
    pairs = zip(controls, values, strict=True)
    return [setting for control, value in pairs for setting in control.settings(float(value))]


def variant(inputs: Inputs, settings: Sequence[LeverSetting]) -> Inputs:
    """The scenario with settings on top of its own; not for writing, see ``write_answer``."""
    levers = [*inputs.scenario.levers, *settings]
    return replace(inputs, scenario=inputs.scenario.model_copy(update={"levers": levers}))


def write_answer(
    found: AnswerRecord,
    inputs: Inputs,
    settings: Sequence[LeverSetting],
    folder: Path,
    *,
    stem: str,
    suffix: str,
    name: Name,
    question: Name,
) -> list[Path]:
    """``STEM.yaml``, the scenario with the settings on top of its own, and ``STEM.json``.

    Raises:
        OSError: the disk does not take one; each is whole or not there.
    """
    paths = {
        kind: os.path.relpath(inputs.sources[kind].path.resolve(), folder.resolve())
        for kind in ("plan", "economy")
    }
    answer = changed(
        inputs,
        id=f"{inputs.scenario.id[: 39 - len(suffix)]}_{suffix}",
        name=name,
        question=question,
        levers=[*inputs.scenario.levers, *settings],
        **paths,
    )
    scenario, record = folder / f"{stem}.yaml", folder / f"{stem}.json"
    write_text(scenario, answer.sources["scenario"].text)
    write_record(found, record)
    return [scenario, record]


def _whole(inputs: Inputs, blueprint: Blueprint, lever: Lever, zones: Sequence[str]) -> Control:
    rule = inputs.economy.levers[lever]
    step = (rule.high - rule.low) / STEPS or 1.0
    plan = inputs.plan
    kind: Kind = "zones"
    places = list(zones) or plan.zone_ids()
    present = [float(blueprint.levers[lever][-1, plan.zone_ids().index(zone)]) for zone in places]
    kept: tuple[str, ...] = ()
    if lever == Lever.MEASURE_INTENSITY:
        rows = [plan.zone_ids().index(zone) for zone in places]
        kind, kept, places = "measures", tuple(zones), plan.measure_ids()
        present = [float(by[rows].min()) for by in blueprint.measures.intensity[-1]]
    elif lever == Lever.DEPARTMENT_CAPACITY:
        kind, places = "departments", [department.id for department in plan.departments]
        staff, planned = blueprint.department_capacity[-1], blueprint.department_staffed
        present = [
            float(has / of) if of > 0 else rule.high for has, of in zip(staff, planned, strict=True)
        ]
    sums = kind == "zones" and rule.spread == "by_firms"
    low = sum(present) if sums else min(present)
    return Control(
        lever,
        kind,
        tuple(places),
        tuple(present),
        max(low, rule.low),
        max(rule.high, low),
        step,
        sums,
        kept,
    )
