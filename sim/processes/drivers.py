"""Process 3: measures' progress and the planner's levers set the drivers of behaviour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.blueprint import Blueprint, Floats
from sim.economy import Lever
from sim.plan import Driver

if TYPE_CHECKING:
    from sim.model import District

DRIVERS = tuple(Driver)
PLACE = {driver: place for place, driver in enumerate(DRIVERS)}


@dataclass(frozen=True)
class DriversParameters:
    effect_scale: float  # strength of all measures' effects, 1 as in the plan file
    openness_spread: float  # ν: share of the gap to the pilot zones closed a month
    access_without_trust: float  # τ0: what openness gives without security
    exchange_weight: float  # data access that a full exchange adds
    setback: float  # δ: openness lost after an incident, share


class Drivers:
    """Every driver between 0 (the base year) and 1: by cell (R, Z, S), and zones' means (R, Z).

    What levers push before saturation is known ahead, (R, Z, 1) by month.
    """

    def __init__(self, blueprint: Blueprint, p: DriversParameters) -> None:
        self.strength = (p.effect_scale * blueprint.effects.strength)[:, None]
        pushed = np.zeros((blueprint.horizon + 1, len(DRIVERS), blueprint.shape[0], 1))
        for lever, rule in blueprint.economy.levers.items():
            if rule.driver:
                pushed[:, PLACE[rule.driver], :, 0] += lever_push(blueprint, Lever(lever))
        self.pushes = list(pushed)
        self.set(np.zeros((len(DRIVERS), *blueprint.shape)))

    def weighed(self, effect: Floats) -> Floats:
        """Σ_r effect_r·D_rzs, (Z, S), for one effect a driver (R,)."""
        return np.asarray((effect @ self._flat).reshape(self.by_cell.shape[1:]))

    def set(self, by_cell: Floats) -> None:
        """Take new values, (R, Z, S)."""
        self.by_cell = by_cell
        self.by_zone = by_cell.sum(axis=2) / by_cell.shape[2]
        self._flat = by_cell.reshape(len(DRIVERS), -1)

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
    blueprint, p = model.blueprint, model.parameters.drivers
    effects, progress = blueprint.effects, model.department_columns.progress
    zones, sectors = blueprint.shape
    pushed = progress[effects.measure] * model.drivers.strength
    effect = np.bincount(effects.place, pushed.ravel(), len(DRIVERS) * zones * sectors)
    raw = effect.reshape(len(DRIVERS), zones, sectors) + model.drivers.pushes[model.month]
    model.drivers.set(-np.expm1(-np.maximum(raw, 0.0)))
    open_data(model, p)


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
    lever = blueprint.levers[Lever.DATA_PORT_OPENNESS][model.month]
    pilot = blueprint.data_pilot
    allowed = lever + (1.0 - lever) * drivers.zone(Driver.DATA_OPENNESS)
    lead = allowed[pilot].sum() / max(1, np.count_nonzero(pilot))
    gap = np.maximum(0.0, lead - zones.policy_openness)
    spread = zones.policy_openness + p.openness_spread * drivers.zone(Driver.LINKAGE) * gap
    zones.policy_openness = np.where(pilot, allowed, np.maximum(allowed, spread))
    zones.openness = zones.policy_openness * (1.0 - p.setback * (zones.setback_months > 0))
    trusted = p.access_without_trust + (1.0 - p.access_without_trust) * drivers.zone(Driver.TRUST)
    exchange = p.exchange_weight * drivers.zone(Driver.DATA_EXCHANGE)
    zones.data_access = 1.0 - (1.0 - zones.openness * trusted) * (1.0 - exchange)
