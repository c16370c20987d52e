"""Levers, places and goals by their names, and lever values with their units."""

from __future__ import annotations

from collections.abc import Sequence

from sim.analysis.controls import Kind
from sim.errors import plain
from sim.figures import Name
from sim.plan import ALL_TARGETS, DISTRICT
from sim.report.wording import ALL_TOGETHER, WHOLE_DISTRICT
from sim.scenario import Inputs

EVERYWHERE = Name(zh="各处", en="everywhere")


def lever_name(lever: str, inputs: Inputs) -> Name:
    return inputs.economy.levers[lever].name


def place_name(kind: Kind, place: str, inputs: Inputs) -> Name:
    """Of a zone, measure or department; empty: all of them."""
    if not place:
        return EVERYWHERE
    plan = inputs.plan
    named = {
        "zones": {one.id: one.name for one in plan.zones},
        "measures": {one.id: one.name for one in plan.measures},
        "departments": {one.id: one.name for one in plan.departments},
    }
    return named[kind][place]


def lever_value(lever: str, value: float, inputs: Inputs) -> Name:
    """With its unit, as people write it."""
    unit, text = inputs.economy.levers[lever].unit, plain(float(f"{value:.4g}"))
    times = "× " if unit.en[:1].isdigit() else ""
    return Name(zh=f"{text} {unit.zh}", en=f"{text} {times}{unit.en}")


def places_named(zones: Sequence[str], inputs: Inputs) -> Name:
    """Several zones in a row; none: everywhere."""
    if not zones:
        return EVERYWHERE
    names = [place_name("zones", zone, inputs) for zone in zones]
    return Name(zh="、".join(name.zh for name in names), en=", ".join(name.en for name in names))


def goal_name(goal: str, inputs: Inputs) -> Name:
    """``target.zone`` in words."""
    target, zone = goal.split(".")
    what = ALL_TOGETHER
    if target != ALL_TARGETS:
        what = next(one.name for one in inputs.plan.targets if one.id == target)
    where = WHOLE_DISTRICT if zone == DISTRICT else place_name("zones", zone, inputs)
    return Name(zh=f"{where.zh} · {what.zh}", en=f"{where.en} · {what.en}")


def money(value: float) -> str:
    """亿元 with as many decimals as matter."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"
