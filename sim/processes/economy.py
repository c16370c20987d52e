"""Process 1: the common factor, the sectors' factors, and shocks from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

import numpy as np

from sim.blueprint import Blueprint, Floats
from sim.draws import Draws
from sim.kernels import kernel
from sim.parameters import BY_SECTOR

if TYPE_CHECKING:
    from sim.model import District


class EconomyParameters(NamedTuple):
    common_persistence: float  # ρ of the common factor, a month
    sector_persistence: float  # ρ of the sectors' own factors, a month
    common_loading: Annotated[Floats, BY_SECTOR]  # λ, log growth a month
    sector_volatility: Annotated[Floats, BY_SECTOR]  # σ, log growth a month


class BusinessCycle:
    """Standardised factors, and what they and the shocks add to log growth this month (Z, S)."""

    def __init__(self, blueprint: Blueprint, draws: Draws) -> None:
        sectors = blueprint.shape[1]
        first = draws.normal("economy", 0, 1 + sectors)
        self.common = float(first[0])
        self.sector = first[1:]
        self.sector_growth = np.zeros(sectors)
        self.growth = np.zeros(blueprint.shape)
        self.shock_size = shock_sizes(blueprint, draws)


def shock_sizes(blueprint: Blueprint, draws: Draws) -> Floats:
    """Log change of the level by each shock in this run (J,): its size with its uncertainty.

    Drawn by the shock's name, so that one shock more leaves the others as they were.
    """
    shocks = blueprint.shocks
    luck = [float(draws.normal(f"shock {name}", 0, 1)[0]) for name in shocks.ids]
    size = shocks.size + shocks.size_sd * np.array(luck).reshape(shocks.size.shape)
    return np.asarray(np.log1p(np.maximum(size, -0.95)))


def step(model: District) -> None:
    """F ← ρF + √(1−ρ²)·N, and likewise each F_s; growth = λ_s·F + σ_s·F_s + Σ_j ΔL_j.

    A shock's level path L_j falls over its length and recovers in part, so the growth it adds is
    its path's change: what it takes it partly gives back.
    """
    cycle, shocks, month = model.cycle, model.blueprint.shocks, model.month
    cycle.common = turn(
        model.parameters.economy,
        model.draws.normal("economy", month, 1 + len(cycle.sector)),
        cycle.common,
        cycle.sector,
        cycle.sector_growth,
        cycle.growth,
    )
    for j, size in enumerate(cycle.shock_size):
        change = shocks.path[j, month] - shocks.path[j, month - 1]
        cycle.growth += size * change * shocks.hits[j]


@kernel
def turn(
    p: EconomyParameters,
    luck: Floats,
    common: float,
    sector: Floats,
    sector_growth: Floats,
    growth: Floats,
) -> float:
    """The sectors' factors move on (S,), and with them growth (Z, S); gives the common factor."""
    rho = p.common_persistence
    common = rho * common + np.sqrt(1.0 - rho**2) * luck[0]
    rho = p.sector_persistence
    for s in range(len(sector)):
        sector[s] = rho * sector[s] + np.sqrt(1.0 - rho**2) * luck[1 + s]
        sector_growth[s] = p.common_loading[s] * common + p.sector_volatility[s] * sector[s]
    growth[:] = sector_growth
    return common
