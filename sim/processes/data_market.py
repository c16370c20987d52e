"""Process 10: data are traded and cross the border; incidents set openness back."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim.blueprint import Floats
from sim.economy import Lever
from sim.kernels import kernel
from sim.plan import Driver

if TYPE_CHECKING:
    from sim.model import District


class DataMarketParameters(NamedTuple):
    incident_hazard: float  # a year, at full openness without trust
    setback_shortest: float  # months
    setback_longest: float  # months


def step(model: District) -> None:
    """Services that access to data carries, Σ_s r_zs·(1 − e^(−β_d·intensity_s·U_z)) with U_z the
    access that firms make use of by now, and what of them crosses the border; incidents at
    h·O_z·(1−trust_z).
    """
    blueprint, zones, lever = model.blueprint, model.zones, Lever.DATA_PORT_OPENNESS
    trade(
        model.parameters.data_market,
        model.draws.uniform("incident", model.month, (len(zones.openness), 2)).astype(float),
        model.drivers.zone(Driver.TRUST),
        blueprint.base.data_intensity,
        model.parameters.growth.data_effect,
        zones.revenue,
        zones.data_used,
        zones.openness,
        zones.data_volume,
        zones.cross_border,
        zones.setback_months,
        zones.incidents,
    )
    level = blueprint.levers[lever][model.month]
    model.spending.add(lever, level * blueprint.lever_cost[lever] / 12.0)


@kernel
def trade(
    p: DataMarketParameters,
    luck: Floats,
    trust: Floats,
    data_intensity: Floats,
    effect: float,
    revenue: Floats,
    data_used: Floats,
    openness: Floats,
    data_volume: Floats,
    cross_border: Floats,
    setback_months: Floats,
    incidents: Floats,
) -> None:
    for z in range(len(trust)):
        data_volume[z] = 0.0
        for s in range(len(data_intensity)):
            part = -np.expm1(-effect * data_intensity[s] * data_used[z])
            data_volume[z] += revenue[z, s] * part
        cross_border[z] = data_volume[z] * openness[z]
        exposure = openness[z] * (1.0 - trust[z])
        if luck[z, 0] < -np.expm1(-p.incident_hazard / 12.0 * exposure):
            span = p.setback_longest - p.setback_shortest + 1.0
            setback_months[z] = np.floor(p.setback_shortest + luck[z, 1] * span)
            incidents[z] += 1.0
        else:
            setback_months[z] = max(setback_months[z] - 1.0, 0.0)
