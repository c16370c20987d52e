"""Process 8: large firms and departments found open innovation platforms."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim.blueprint import Bools, Floats, Ints
from sim.firms import Column
from sim.kernels import kernel
from sim.plan import Driver
from sim.zones import PLATFORM_ITEM

if TYPE_CHECKING:
    from sim.model import District


class PlatformsParameters(NamedTuple):
    capable: float  # capability from which a large firm may found a platform
    firm_hazard: float  # foundings a year per large capable firm at full firm_platforms
    firm_hazard_at_start: float  # the same before the plan's measures
    public_hazard: float  # foundings a year per zone at full public_platforms
    opening_hazard: float  # openings a year per platform founded
    founding_cost: float  # 亿元 of public money per founding


def step(model: District) -> None:
    """Two stages in each park: founding at rate λ_k while it has room, then opening at rate ω.

    λ_z = n_z·(h₀ + h·D_firm) + g·D_public, shared over the zone's free places for platforms, with
    n_z the zone's large capable firms.
    """
    firms, parks, drivers = model.columns, model.park_columns, model.drivers
    p, zones = model.parameters.platforms, model.blueprint.shape[0]
    spent = found(
        p,
        capable(firms.large, firms.capability, firms.alive, firms.zone, p.capable, zones),
        drivers.zone(Driver.FIRM_PLATFORMS),
        drivers.zone(Driver.PUBLIC_PLATFORMS),
        model.draws.uniform("platform", model.month, (len(parks.zone), 2)),
        parks.zone,
        parks.platforms,
        parks.founding,
        parks.open_platforms,
    )
    model.spending.add(PLATFORM_ITEM, spent)


@kernel
def capable(
    large: Bools, capability: Column, alive: Column, zone: Ints, enough: float, zones: int
) -> Floats:
    """Large firms whose capability is enough to found a platform, by zone (Z,)."""
    count = np.zeros(zones)
    for i in range(len(large)):
        if large[i] and capability[i] >= enough and alive[i] > 0.0:
            count[zone[i]] += 1.0
    return count


@kernel
def found(
    p: PlatformsParameters,
    capable: Floats,
    firm_driver: Floats,
    public_driver: Floats,
    luck: Column,
    zone: Ints,
    places: Floats,
    founding: Floats,
    open_platforms: Floats,
) -> Floats:
    """Found and open platforms in the parks (K,); gives public money spent by zone (Z,), 亿元."""
    free = np.empty(len(zone))
    in_zone, spent = np.zeros(len(capable)), np.zeros(len(capable))
    for k in range(len(zone)):
        free[k] = places[k] - founding[k] - open_platforms[k]
        in_zone[zone[k]] += free[k]
    for k in range(len(zone)):
        z = zone[k]
        by_firms = p.firm_hazard_at_start + p.firm_hazard * firm_driver[z]
        rate = capable[z] * by_firms + p.public_hazard * public_driver[z]
        share = free[k] / max(in_zone[z], 1e-300)
        opens = luck[k, 1] < -np.expm1(-founding[k] * (p.opening_hazard / 12.0))
        if luck[k, 0] < -np.expm1(-rate * share / 12.0):
            founding[k] += 1.0
            spent[z] += p.founding_cost
        if opens:
            founding[k] -= 1.0
            open_platforms[k] += 1.0
    return spent
