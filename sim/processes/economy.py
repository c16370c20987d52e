"""Process 1: the common factor, the sectors' factors, and shocks from outside."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from sim.blueprint import Blueprint, Floats
from sim.draws import Draws
from sim.parameters import BY_SECTOR

if TYPE_CHECKING:
    from sim.model import District


@dataclass(frozen=True)
class EconomyParameters:
    common_persistence: float  # ρ of the common factor, a month
    sector_persistence: float  # ρ of the sectors' own factors, a month
    common_loading: Floats = field(metadata=BY_SECTOR)  # λ, log growth a month
    sector_volatility: Floats = field(metadata=BY_SECTOR)  # σ, log growth a month


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
    cycle, p = model.cycle, model.parameters.economy
    luck = model.draws.normal("economy", model.month, 1 + len(cycle.sector))
    rho = p.common_persistence
    cycle.common = rho * cycle.common + sqrt(1.0 - rho**2) * float(luck[0])
    rho = p.sector_persistence
    cycle.sector = rho * cycle.sector + sqrt(1.0 - rho**2) * luck[1:]
    cycle.sector_growth = p.common_loading * cycle.common + p.sector_volatility * cycle.sector
    cycle.growth[:] = cycle.sector_growth
    shocks = model.blueprint.shocks
    for j, size in enumerate(cycle.shock_size):
        change = shocks.path[j, model.month] - shocks.path[j, model.month - 1]
        cycle.growth += size * change * shocks.hits[j]
