"""Process 10: data are traded and cross the border; incidents set openness back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.economy import Lever
from sim.plan import Driver

if TYPE_CHECKING:
    from sim.model import District


@dataclass(frozen=True)
class DataMarketParameters:
    trade_share: float  # data traded per unit of data-intensive revenue at full access
    incident_hazard: float  # a year, at full openness without trust
    setback_shortest: float  # months
    setback_longest: float  # months


def step(model: District) -> None:
    """Volume_z = τ·access_z·Σ_s intensity_s·r_zs; incidents at h·O_z·(1−trust_z)."""
    blueprint, zones, p = model.blueprint, model.zones, model.parameters.data_market
    intensive = zones.revenue @ blueprint.base.data_intensity
    zones.data_volume = p.trade_share * zones.data_access * intensive
    zones.cross_border = zones.data_volume * zones.openness

    luck = model.draws.uniform("incident", model.month, (len(intensive), 2)).astype(float)
    exposure = zones.openness * (1.0 - model.drivers.zone(Driver.TRUST))
    hit = luck[:, 0] < -np.expm1(-p.incident_hazard / 12.0 * exposure)
    length = np.floor(
        p.setback_shortest + luck[:, 1] * (p.setback_longest - p.setback_shortest + 1.0)
    )
    zones.setback_months = np.where(hit, length, np.maximum(zones.setback_months - 1.0, 0.0))
    zones.incidents += hit

    lever = Lever.DATA_PORT_OPENNESS
    level = blueprint.levers[lever][model.month]
    model.spending.add(lever, level * blueprint.lever_cost[lever] / 12.0)
