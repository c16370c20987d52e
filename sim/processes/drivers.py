"""Process 3: measures' progress and the planner's levers set the drivers of behaviour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

import numpy as np

from sim.blueprint import Blueprint, Bools, Floats, Ints
from sim.economy import Lever
from sim.kernels import kernel
from sim.parameters import BY_DRIVER
from sim.plan import Driver

if TYPE_CHECKING:
    from sim.model import District

DRIVERS = tuple(Driver)
PLACE = {driver: place for place, driver in enumerate(DRIVERS)}


class DriversParameters(NamedTuple):
    effect_scale: float  # strength of all measures' effects, 1 as in the plan file
    openness_spread: float  # ν: share of the gap to the pilot zones closed a month
    access_without_trust: float  # τ0: what openness gives without security
    exchange_weight: float  # data access that a full exchange adds
    setback: float  # δ: openness lost after an incident, share
    lever_scale: Annotated[Floats, BY_DRIVER]  # strength of the levers on it, 1 as in their records


class Drivers:
    """Every driver between 0 (the base year) and 1: by cell (R, Z, S), and zones' means (R, Z).

    What levers push before saturation is known ahead, (R, Z) by month.
    """

    def __init__(self, blueprint: Blueprint, p: DriversParameters) -> None:
        self.strength = p.effect_scale * blueprint.effects.strength
        pushed = np.zeros((blueprint.horizon + 1, len(DRIVERS), blueprint.shape[0]))
        for lever, rule in blueprint.economy.levers.items():
            if rule.driver:
                place = PLACE[rule.driver]
                pushed[:, place] += p.lever_scale[place] * lever_push(blueprint, Lever(lever))
        self.pushes = list(pushed)
        shape = len(DRIVERS), *blueprint.shape
        self.set(np.zeros(shape), np.zeros(shape[:2]))

    def set(self, by_cell: Floats, by_zone: Floats) -> None:
        """Take new values, (R, Z, S) and (R, Z)."""
        self.by_cell, self.by_zone = by_cell, by_zone

    def cell(self, driver: Driver) -> Floats:
        """(Z, S)"""
        values: Floats = self.by_cell[PLACE[driver]]
        return values

    def zone(self, driver: Driver) -> Floats:
        """(Z,), mean over sectors"""
        values: Floats = self.by_zone[PLACE[driver]]
        return values


def step(model: District) -> None:
    """D_rzs = 1 − exp(−max(0, x_rzs)), x_rzs = Σ_m b_mrs·P_mz + Σ_levers b_ℓ·ℓ_z; then openness."""
    blueprint, p, drivers = model.blueprint, model.parameters.drivers, model.drivers
    by_cell, by_zone = saturated(
        blueprint.effects.measure,
        blueprint.effects.place,
        drivers.strength,
        model.department_columns.progress,
        drivers.pushes[model.month],
        blueprint.shape[1],
    )
    drivers.set(by_cell, by_zone)
    open_data(model, p)


@kernel
def saturated(
    measure: Ints,
    place: Ints,
    strength: Floats,
    progress: Floats,
    pushes: Floats,
    sectors: int,
) -> tuple[Floats, Floats]:
    """The drivers by cell (R, Z, S), and zones' means over sectors (R, Z).

    Each effect has a measure, a strength and a ``place`` of (driver, zone, sector) for each zone.
    """
    drivers, zones = pushes.shape
    flat = np.zeros(drivers * zones * sectors)
    for effect in range(len(measure)):
        for z in range(zones):
            pushed = strength[effect] * progress[measure[effect], z]
            flat[place[effect * zones + z]] += pushed
    by_cell, by_zone = flat.reshape((drivers, zones, sectors)), np.zeros((drivers, zones))
    for r in range(drivers):
        for z in range(zones):
            for s in range(sectors):
                level = by_cell[r, z, s] + pushes[r, z]
                by_cell[r, z, s] = -np.expm1(-level) if level > 0.0 else 0.0
                by_zone[r, z] += by_cell[r, z, s] / sectors
    return by_cell, by_zone


def lever_push(blueprint: Blueprint, lever: Lever) -> Floats:
    """What a lever adds to its driver before saturation (T + 1, Z), beyond its baseline.

    Money is counted by what it would be for the whole district at the zone's rate, so that a sum
    does more in a small zone than in a large one.
    """
    extra = blueprint.levers[lever] - blueprint.lever_baseline[lever]
    if blueprint.economy.levers[lever].spread == "by_firms":
        extra = extra / np.maximum(blueprint.firm_share, 1e-6)
    return np.asarray(blueprint.lever_strength[lever] * extra)


def open_data(model: District, p: DriversParameters) -> None:
    """Openness of the pilot zones, its spread to the others, and the access that results.

    Allowed by rules: ℓ + (1−ℓ)·D, which is O in the pilot zones. Others:
    O ← max(allowed, O + ν·linkage·max(0, O_pilot − O)).
    Access = 1 − (1 − O·(τ0 + (1−τ0)·trust))·(1 − w·exchange). A setback takes δ of O for a time.
    """
    blueprint, zones, drivers = model.blueprint, model.zones, model.drivers
    open_up(
        p,
        blueprint.data_pilot,
        blueprint.levers[Lever.DATA_PORT_OPENNESS][model.month],
        drivers.zone(Driver.DATA_OPENNESS),
        drivers.zone(Driver.LINKAGE),
        drivers.zone(Driver.TRUST),
        drivers.zone(Driver.DATA_EXCHANGE),
        zones.setback_months,
        zones.policy_openness,
        zones.openness,
        zones.data_access,
    )


@kernel
def open_up(
    p: DriversParameters,
    pilot: Bools,
    lever: Floats,
    driver: Floats,
    linkage: Floats,
    trust: Floats,
    exchange: Floats,
    setback_months: Floats,
    policy_openness: Floats,
    openness: Floats,
    data_access: Floats,
) -> None:
    allowed, lead, pilots = np.empty(len(pilot)), 0.0, 0
    for z in range(len(pilot)):
        allowed[z] = lever[z] + (1.0 - lever[z]) * driver[z]
        if pilot[z]:
            lead += allowed[z]
            pilots += 1
    lead /= max(1, pilots)
    for z in range(len(pilot)):
        gap = max(0.0, lead - policy_openness[z])
        spread = policy_openness[z] + p.openness_spread * linkage[z] * gap
        policy_openness[z] = allowed[z] if pilot[z] else max(allowed[z], spread)
        openness[z] = policy_openness[z]
        if setback_months[z] > 0.0:
            openness[z] *= 1.0 - p.setback
        trusted = p.access_without_trust + (1.0 - p.access_without_trust) * trust[z]
        closed = (1.0 - openness[z] * trusted) * (1.0 - p.exchange_weight * exchange[z])
        data_access[z] = 1.0 - closed
