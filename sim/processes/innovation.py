"""Process 7: research succeeds or not; key technologies, landmark results, standards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from sim.blueprint import Blueprint, Floats
from sim.draws import poisson_quantile
from sim.firms import Column, Firms
from sim.parameters import BY_DRIVER, BY_SECTOR
from sim.plan import Driver

if TYPE_CHECKING:
    from sim.model import District


@dataclass(frozen=True)
class InnovationParameters:
    size_elasticity: float  # γ: of the hazard to staff
    step: float  # share of the gap to the frontier that a success closes
    frontier: float  # capability from which a success can be a key technology
    learning_reach: float  # km over which spillovers fall by e
    linkage_reach: float  # share by which full linkage lengthens that reach
    agglomeration: float  # elasticity of the hazard to capability within reach
    platform_spillover: float  # log change of the hazard at the first open platform in the zone
    landmark_hazard: float  # a year, per key technology
    landmark_platform_effect: float  # log change of it at the first open platform in the zone
    standards_per_technology: float  # a year, at full certainty of 1 unit
    standards_per_platform: float
    standards_per_scenario: float
    certainty_at_start: float  # certainty before the plan's measures
    hazard: Floats = field(metadata=BY_SECTOR)  # successes a year of a firm of mean size
    key_share: Floats = field(metadata=BY_SECTOR)  # of successes beyond the frontier
    effect: Floats = field(metadata=BY_DRIVER)  # log change of the hazard at a full driver


class Technologies:
    """Key technologies that have not yet become landmark results.

    Each carries the hazard that it still has to live through, an exponential drawn at its birth
    (Sellke's construction), so that its fate depends on nothing but its own hazard.
    """

    def __init__(self) -> None:
        self.firm = np.zeros(0, dtype=np.intp)
        self.remaining = np.zeros(0)

    def add(self, firm: Column, threshold: Floats) -> None:
        self.firm = np.concatenate([self.firm, firm])
        self.remaining = np.concatenate([self.remaining, threshold])

    def mature(self, hazard: Floats) -> Column:
        """Live through one month's hazard, one a technology; gives the firms of the ripe ones."""
        self.remaining = self.remaining - hazard
        ripe = self.remaining <= 0
        firms = self.firm[ripe]
        self.firm, self.remaining = self.firm[~ripe], self.remaining[~ripe]
        return firms


class Research:
    """What is fixed at the start: mean staff, the knowledge within reach, and obsolescence."""

    def __init__(self, blueprint: Blueprint, firms: Firms, p: InnovationParameters) -> None:
        sectors = blueprint.shape[1]
        alive = firms.alive > 0
        count = np.bincount(firms.sector[alive], minlength=sectors)
        staff = np.bincount(firms.sector, firms.staff, sectors)
        self.mean_staff = np.maximum(staff / np.maximum(count, 1), 1e-6)
        self.per_head = p.hazard / 12.0 * self.mean_staff**-p.size_elasticity  # h_s/H̄_s^γ
        self.technologies = Technologies()
        self.knowledge_at_start = np.maximum(
            knowledge(blueprint, firms, p, np.zeros(blueprint.shape[0])), 1e-9
        )
        hazard = hazards(self, firms, p, np.zeros(blueprint.shape))
        chance = -np.expm1(-hazard) * firms.alive
        gain = np.bincount(firms.sector, chance * p.step * (1.0 - firms.capability), sectors)
        level = np.bincount(firms.sector, firms.capability * firms.alive, sectors)
        # the frontier moves on at the pace that leaves a sector's mean as it is in the base year
        pace = np.divide(gain, level, out=np.zeros(sectors), where=level > 0)
        self.obsolescence = np.minimum(pace, 1.0)
        self.kept = 1.0 - firms.by_sector(self.obsolescence)  # (slots,), share a month


def knowledge(
    blueprint: Blueprint, firms: Firms, p: InnovationParameters, linkage: Floats
) -> Floats:
    """Capability of related sectors within reach (Z, S): Σ_z' e^(−d/ℓ_z) Σ_s' R_ss' K_z's'."""
    stock = firms.sum_by_cell(firms.capability * firms.alive, blueprint.shape)
    reach = p.learning_reach * (1.0 + p.linkage_reach * linkage)
    nearness = np.exp(-blueprint.distance / reach[:, None])
    return np.asarray(nearness @ stock @ blueprint.relatedness.T)


def hazards(research: Research, firms: Firms, p: InnovationParameters, log_push: Floats) -> Column:
    """Each firm's hazard of a success this month (visible,)."""
    hazard = firms.staff.clip(1e-6, np.inf)
    np.log(hazard, out=hazard)
    hazard *= p.size_elasticity
    np.exp(hazard, out=hazard)
    hazard *= firms.by_cell(research.per_head * np.exp(log_push))
    return hazard


def step(model: District) -> None:
    """h_i = h_s·(H_i/H̄_s)^γ·exp(Σ_r β_r D_rzs)·(knowledge/knowledge₀)^ε, and what follows.

    A success moves capability by step·(1−C). With chance q_s a success of a firm beyond the
    frontier is a key technology: one uniform draw u decides both (success if u < p, key if
    u < p·q), and u/(p·q) then is the technology's own luck.
    """
    blueprint, firms, zones = model.blueprint, model.columns, model.zones
    p, research, drivers = model.parameters.innovation, model.research, model.drivers
    parks = model.park_columns
    open_platforms = np.bincount(parks.zone, parks.open_platforms, blueprint.shape[0])
    platforms = np.log2(1.0 + open_platforms)
    push = drivers.weighed(p.effect)
    within = knowledge(blueprint, firms, p, drivers.zone(Driver.LINKAGE))
    push += p.agglomeration * np.log(np.maximum(within, 1e-9) / research.knowledge_at_start)
    push += (p.platform_spillover * platforms)[:, None]

    luck = model.draws.uniform("innovation", model.month, len(firms))
    lucky, chance = firms.struck(luck, hazards(research, firms, p, push))
    firms.capability *= research.kept[: len(firms)]
    able = firms.capability[lucky] >= p.frontier
    firms.capability[lucky] += p.step * (1.0 - firms.capability[lucky])

    key_chance = chance * p.key_share[firms.sector[lucky]] * able
    new = luck[lucky] < key_chance
    makers = lucky[new]
    own_luck = (luck[makers] + 2.0**-25) / key_chance[new]
    research.technologies.add(makers, -np.log(own_luck.clip(1e-9, 1.0)))
    zones.key_technologies += np.bincount(firms.zone[makers], minlength=blueprint.shape[0])

    hazard = p.landmark_hazard / 12.0 * np.exp(p.landmark_platform_effect * platforms)
    ripe = research.technologies.mature(hazard[firms.zone[research.technologies.firm]])
    zones.landmark_results += np.bincount(firms.zone[ripe], minlength=blueprint.shape[0])

    proposals = p.standards_per_technology * zones.key_technologies
    proposals += p.standards_per_platform * open_platforms
    proposals += p.standards_per_scenario * zones.scenarios.sum(axis=1)
    certainty = p.certainty_at_start + drivers.zone(Driver.CERTAINTY)
    uniform = model.draws.uniform("standards", model.month, blueprint.shape[0]).astype(float)
    zones.standards += poisson_quantile(uniform, proposals * certainty / 12.0)
