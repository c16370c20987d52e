"""What the page can show and set: names, units, bounds and the plan's values, from the data."""

from __future__ import annotations

import math
from typing import Any

from matplotlib.colors import to_hex

from sim import months
from sim.blueprint import build
from sim.economy import PLANNED, Lever, LeverRule
from sim.figures import Name
from sim.plan import ALL_TARGETS, DISTRICT
from sim.report import style
from sim.report.charts import MEASURED
from sim.report.layout_map import can_be_drawn
from sim.report.wording import ALL_TOGETHER, WHOLE_DISTRICT, goal
from sim.scenario import Inputs
from sim.zones import ITEMS

SCOPES = {Lever.MEASURE_INTENSITY: "measures", Lever.DEPARTMENT_CAPACITY: "departments"}
STEPS = 100  # a slider has at most as many


def catalogue(base: Inputs) -> dict[str, Any]:
    """Everything about plan and economy that the page needs, as plain data."""
    plan = base.plan
    return {
        "plan": {"name": words(plan.name), "start": plan.start, "end": plan.end},
        "months": [months.after(plan.start, n) for n in range(plan.horizon + 1)],
        "zones": [
            {"id": DISTRICT, "name": words(WHOLE_DISTRICT)},
            *({"id": zone.id, "name": words(zone.name)} for zone in plan.zones),
        ],
        "sectors": [{"id": sector.id, "name": words(sector.name)} for sector in plan.sectors],
        "targets": [
            *(
                {
                    "id": target.id,
                    "name": words(target.name),
                    "unit": words(target.unit),
                    "goal": words(goal(target, target.threshold.value)),
                    "deadline": target.deadline,
                    "whole": target.quantity.whole,
                    "measured": words(MEASURED[target.quantity.kind]),
                    "driven_by": words(target.driven_by),
                }
                for target in plan.targets
            ),
            {"id": ALL_TARGETS, "name": words(ALL_TOGETHER)},
        ],
        "groups": [{"id": group.id, "name": words(group.name)} for group in plan.groups],
        "measures": [
            {
                "id": measure.id,
                "number": measure.number,
                "name": words(measure.name),
                "group": measure.group,
                "start": measure.start,
                "moves": measure.moves,
            }
            for measure in plan.measures
        ],
        "departments": [
            {"id": office.id, "name": words(office.name)} for office in plan.departments
        ],
        "levers": _levers(base),
        "map": can_be_drawn(plan),
        "scale": [to_hex(style.probability_scale()(n / 20)) for n in range(21)],
        "items": [
            {"id": item, "name": words(base.economy.levers[item].name)}
            if item in base.economy.levers
            else {"id": item}
            for item in ITEMS
        ],
    }


def words(name: Name) -> dict[str, str]:
    return {"zh": name.zh, "en": name.en}


def _levers(base: Inputs) -> list[dict[str, Any]]:
    blueprint = build(base)
    found = []
    for lever in Lever:
        rule = base.economy.levers[lever]
        by_zone = dict(zip(blueprint.zones, blueprint.lever_baseline[lever].tolist(), strict=True))
        found.append(
            {
                "id": lever.value,
                "name": words(rule.name),
                "unit": words(rule.unit),
                "low": rule.low,
                "high": rule.high,
                "step": step(rule),
                "spread": rule.spread,
                "scope": SCOPES.get(lever, "zones"),
                "plan": _plan_value(rule, by_zone),
                "plan_by_zone": {zone: round(value, 6) for zone, value in by_zone.items()},
                "planned": lever in PLANNED,
            }
        )
    return found


def _plan_value(rule: LeverRule, by_zone: dict[str, float]) -> float:
    """The plan's value for all zones: their sum where it is split, else what most of them have."""
    values = list(by_zone.values())
    value = sum(values) if rule.spread == "by_firms" else max(values, key=values.count)
    return round(value, 6)


def step(rule: LeverRule) -> float:
    """A slider's step: 1, 2 or 5 times a power of ten, near the range over ``STEPS``."""
    rough = (rule.high - rule.low) / STEPS or 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    return next(round(n * power, 12) for n in (1, 2, 5, 10) if n * power >= rough * (1 - 1e-9))
