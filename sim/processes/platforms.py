"""Process 8: large firms and departments found open innovation platforms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.plan import Driver
from sim.zones import PLATFORM_ITEM

if TYPE_CHECKING:
    from sim.model import District


@dataclass(frozen=True)
class PlatformsParameters:
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
    blueprint, firms, parks = model.blueprint, model.columns, model.park_columns
    p, drivers = model.parameters.platforms, model.drivers
    zones = blueprint.shape[0]
    founders = firms.large & (firms.capability >= p.capable)
    capable = firms.count_by_cell(founders, blueprint.shape).sum(axis=1)
    by_firms = p.firm_hazard_at_start + p.firm_hazard * drivers.zone(Driver.FIRM_PLATFORMS)
    rate = capable * by_firms + p.public_hazard * drivers.zone(Driver.PUBLIC_PLATFORMS)

    free = parks.platforms - parks.founding - parks.open_platforms
    places = np.bincount(parks.zone, free, zones)
    share = free / np.maximum(places, 1e-300)[parks.zone]
    luck = model.draws.uniform("platform", model.month, (len(free), 2))
    founded = luck[:, 0] < -np.expm1(-rate[parks.zone] * share / 12.0)
    opened = luck[:, 1] < -np.expm1(-parks.founding * (p.opening_hazard / 12.0))
    parks.founding += founded.astype(float) - opened
    parks.open_platforms += opened
    spent = np.bincount(parks.zone, founded * p.founding_cost, zones)
    model.spending.add(PLATFORM_ITEM, spent)
