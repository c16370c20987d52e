"""Process 6: AI and digital practice spread through firms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

import numpy as np

from sim.blueprint import Floats, Ints
from sim.firms import Column
from sim.kernels import kernel
from sim.parameters import BY_DRIVER, BY_SECTOR
from sim.plan import Driver

if TYPE_CHECKING:
    from sim.model import District


class DiffusionParameters(NamedTuple):
    maturity_rate: float  # share of the gap to full maturity closed a year in the base year
    maturity_effect: float  # added share a year at full adoption driver
    ai_rate: Annotated[Floats, BY_SECTOR]  # logistic growth of the AI share a year
    data_effect: float  # log change of that rate at full data access and data intensity
    ai_effect: Annotated[Floats, BY_DRIVER]  # log change of that rate at a full driver


def step(model: District) -> None:
    """Logistic diffusion within the firm: ȧ = ρ_s·exp(Σ_r β_r D_r + β_d·data)·a·(1−a); Ṁ = μ·(1−M).

    Source: Mansfield (1961), technical change and the rate of imitation, here within firms.
    """
    firms = model.columns
    spread(
        model.parameters.diffusion,
        model.drivers.by_cell,
        model.drivers.cell(Driver.ADOPTION),
        model.blueprint.base.data_intensity,
        model.zones.data_access,
        firms.cell,
        firms.alive,
        firms.ai_share,
        firms.maturity,
    )


@kernel
def spread(
    p: DiffusionParameters,
    drivers: Floats,
    adoption: Floats,
    data_intensity: Floats,
    data_access: Floats,
    cell: Ints,
    alive: Column,
    ai_share: Column,
    maturity: Column,
) -> None:
    """A month's diffusion; ``drivers`` (R, Z, S), ``adoption`` one of them (Z, S)."""
    kind, sectors = alive.dtype, len(p.ai_rate)
    speed, learning = np.empty(adoption.size, kind), np.empty(adoption.size, kind)
    for z in range(len(adoption)):
        for s in range(len(p.ai_rate)):
            boost = p.data_effect * data_intensity[s] * data_access[z]
            for r in range(len(p.ai_effect)):
                boost += p.ai_effect[r] * drivers[r, z, s]
            speed[z * sectors + s] = p.ai_rate[s] * np.exp(boost) / 12.0
            rate = p.maturity_rate + p.maturity_effect * adoption[z, s]
            learning[z * sectors + s] = rate / 12.0

    one, own = kind.type(1.0), np.empty_like(alive)
    for i in range(len(own)):
        own[i] = speed[cell[i]]
    for i in range(len(own)):
        ai_share[i] += own[i] * ai_share[i] * (one - ai_share[i]) * alive[i]
    for i in range(len(own)):
        own[i] = learning[cell[i]]
    for i in range(len(own)):
        maturity[i] += own[i] * (one - maturity[i]) * alive[i]
