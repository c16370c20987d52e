"""Process 4: parks court firms, raise their service and set rents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.economy import Lever
from sim.plan import Driver

if TYPE_CHECKING:
    from sim.model import District


@dataclass(frozen=True)
class ParksParameters:
    service_at_start: float  # service and digital level at the start, 0 to 1
    service_rate: float  # share of the gap to full service closed a month at full effort
    digital_rate: float  # share of the gap to full digital level closed a month
    recruiting_response: float  # how far recruitment policy raises courting effort
    rent_response: float  # ψ: log rent by occupancy
    normal_occupancy: float  # occupancy at which rents stay
    annual_rent: float  # 亿元 a firm and year at the start


def step(model: District) -> None:
    """R_ks ∝ focus_ks·v_k·(1 + recruitment_zs); service and digital level move towards 1 at rates
    set by the service and park measures; ln rent = ψ·(occupied/capacity − normal) + ln(1 − relief).
    """
    blueprint, p, parks = model.blueprint, model.parameters.parks, model.park_columns
    drivers = model.drivers
    parks.open_at(blueprint, model.month)

    digital = drivers.zone(Driver.PARK_SERVICE)
    service = drivers.zone(Driver.SERVICE) + digital
    parks.service += (p.service_rate * service)[parks.zone] * (1.0 - parks.service)
    parks.digital += (p.digital_rate * digital)[parks.zone] * (1.0 - parks.digital)

    courting = 1.0 + p.recruiting_response * drivers.cell(Driver.RECRUITMENT)[parks.zone]
    filled = parks.occupied / np.maximum(parks.capacity, 1.0)
    vacancy = np.maximum(1.0 - filled, 0.0) * (parks.capacity > 0)
    wanted = parks.focus * vacancy[:, None] * courting
    parks.recruiting = wanted / np.maximum(wanted.sum(axis=1, keepdims=True), 1e-300)

    relief = blueprint.levers[Lever.RENT_RELIEF][model.month]
    full_rent = np.exp(p.rent_response * (filled - p.normal_occupancy))
    parks.rent = full_rent * (1.0 - relief[parks.zone])
    forgone = p.annual_rent / 12.0 * full_rent * parks.occupied * relief[parks.zone]
    by_zone = np.bincount(parks.zone, forgone, blueprint.shape[0])
    model.spending.add(Lever.RENT_RELIEF, by_zone * blueprint.lever_cost[Lever.RENT_RELIEF])
