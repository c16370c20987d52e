"""Process 6: AI and digital practice spread through firms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sim.blueprint import Floats
from sim.parameters import BY_DRIVER, BY_SECTOR
from sim.plan import Driver

if TYPE_CHECKING:
    from sim.model import District

import numpy as np


@dataclass(frozen=True)
class DiffusionParameters:
    maturity_rate: float  # share of the gap to full maturity closed a year in the base year
    maturity_effect: float  # added share a year at full adoption driver
    ai_rate: Floats = field(metadata=BY_SECTOR)  # logistic growth of the AI share a year
    ai_effect: Floats = field(metadata=BY_DRIVER)  # log change of that rate at a full driver


def step(model: District) -> None:
    """Logistic diffusion within the firm: ȧ = ρ_s·exp(Σ_r β_r D_r)·a·(1−a); Ṁ = μ·(1−M).

    Source: Mansfield (1961), technical change and the rate of imitation, here within firms.
    """
    firms, p = model.columns, model.parameters.diffusion
    boost = np.exp(model.drivers.weighed(p.ai_effect))
    speed = firms.by_cell(p.ai_rate * boost / 12.0)
    speed *= firms.ai_share
    speed *= 1.0 - firms.ai_share
    speed *= firms.alive
    firms.ai_share += speed

    adoption = model.drivers.cell(Driver.ADOPTION)
    learning = firms.by_cell((p.maturity_rate + p.maturity_effect * adoption) / 12.0)
    learning *= 1.0 - firms.maturity
    learning *= firms.alive
    firms.maturity += learning
