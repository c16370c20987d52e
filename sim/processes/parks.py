"""Process 4: parks raise their service and set rents."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim.blueprint import Floats, Ints
from sim.economy import Lever
from sim.kernels import kernel
from sim.plan import Driver

if TYPE_CHECKING:
    from sim.model import District


class ParksParameters(NamedTuple):
    service_at_start: float  # service at the start, 0 to 1
    service_rate: float  # share of the gap to full service closed a month at full effort
    rent_response: float  # ψ: log rent by occupancy
    normal_occupancy: float  # occupancy at which rents stay
    annual_rent: float  # 亿元 a firm and year at the start


def step(model: District) -> None:
    """Service moves towards 1 at a rate set by the service and park measures;
    ln rent = ψ·(occupied/capacity − normal) + ln(1 − relief).
    """
    blueprint, parks, drivers = model.blueprint, model.park_columns, model.drivers
    parks.open_at(blueprint, model.month)
    forgone = manage(
        model.parameters.parks,
        parks.zone,
        parks.capacity,
        parks.occupied,
        drivers.zone(Driver.SERVICE),
        drivers.zone(Driver.PARK_SERVICE),
        blueprint.levers[Lever.RENT_RELIEF][model.month],
        parks.service,
        parks.rent,
    )
    model.spending.add(Lever.RENT_RELIEF, forgone * blueprint.lever_cost[Lever.RENT_RELIEF])


@kernel
def manage(
    p: ParksParameters,
    zone: Ints,
    capacity: Floats,
    occupied: Floats,
    service_driver: Floats,
    park_driver: Floats,
    relief: Floats,
    service: Floats,
    rent: Floats,
) -> Floats:
    """One month of all parks; gives the rent forgone by zone (Z,), 亿元.

    Parks' arrays are (K,), drivers and relief (Z,).
    """
    forgone = np.zeros(len(relief))
    for k in range(len(zone)):
        z = zone[k]
        effort = service_driver[z] + park_driver[z]
        service[k] += p.service_rate * effort * (1.0 - service[k])
        filled = occupied[k] / max(capacity[k], 1.0)
        full_rent = np.exp(p.rent_response * (filled - p.normal_occupancy))
        rent[k] = full_rent * (1.0 - relief[z])
        forgone[z] += p.annual_rent / 12.0 * full_rent * occupied[k] * relief[z]
    return forgone
