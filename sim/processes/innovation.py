"""Process 7: research succeeds or not; key technologies, landmark results, standards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

import numpy as np

from sim.blueprint import Blueprint, Floats, Ints
from sim.draws import poisson_quantile
from sim.firms import Column, Firms
from sim.kernels import kernel
from sim.parameters import BY_DRIVER, BY_SECTOR
from sim.plan import Driver

if TYPE_CHECKING:
    from sim.model import District


class InnovationParameters(NamedTuple):
    size_elasticity: float  # γ: of the hazard to staff
    step: float  # share of the gap to the frontier that a success closes
    frontier: float  # capability from which a success can be a key technology
    learning_reach: float  # km over which spillovers fall by e
    linkage_reach: float  # share by which full linkage lengthens that reach
    agglomeration: float  # elasticity of the hazard to capability within reach
    platform_spillover: float  # log change of the hazard at the first open platform in the zone
    gestation: float  # years in which what support adds to the hazard comes into force
    talent_effect: float  # log change of the hazard per log of newcomers drawn by policy
    technology_value: float  # log revenue that a key technology brings its maker, in the end
    value_alone: float  # share of it where nobody asks for applications (no demand driver)
    landmark_hazard: float  # a year, per key technology
    landmark_platform_effect: float  # log change of it at the first open platform in the zone
    standards_per_technology: float  # 1/year until it is proposed, at certainty 1
    standards_per_platform: float  # a year, at certainty 1
    standards_per_scenario: float  # 1/year until it is proposed, at certainty 1
    certainty_at_start: float  # certainty before the plan's measures
    hazard: Annotated[Floats, BY_SECTOR]  # successes a year of a firm of mean size
    key_share: Annotated[Floats, BY_SECTOR]  # of successes beyond the frontier
    effect: Annotated[Floats, BY_DRIVER]  # log change of the hazard at a full driver


class Technologies:
    """Key technologies that have not yet become landmark results.

    Each carries the hazard that it still has to live through, an exponential drawn at its birth
    (Sellke's construction), so that its fate depends on nothing but its own hazard.
    """

    def __init__(self) -> None:
        self.firm = np.zeros(0, dtype=np.intp)
        self.remaining = np.zeros(0)


class Research:
    """Mean staff and knowledge within reach at the start, each firm's pace of obsolescence, and
    what support adds to the hazard by now (Z, S)."""

    def __init__(self, blueprint: Blueprint, firms: Firms, p: InnovationParameters) -> None:
        sectors = blueprint.shape[1]
        alive = firms.alive > 0
        count = np.bincount(firms.sector[alive], minlength=sectors)
        staff = np.bincount(firms.sector, firms.staff, sectors)
        self.mean_staff = np.maximum(staff / np.maximum(count, 1), 1e-6)
        self.per_head = p.hazard / 12.0 * self.mean_staff**-p.size_elasticity  # h_s/H̄_s^γ
        self.technologies = Technologies()
        stock = firms.sum_by_cell(firms.capability * firms.alive, blueprint.shape)
        nowhere = np.zeros(blueprint.shape[0])
        self.knowledge_at_start = np.maximum(
            knowledge(p, stock, nowhere, blueprint.distance, blueprint.relatedness), 1e-9
        )
        self.push = np.zeros(blueprint.shape)
        # each firm falls behind the frontier at the pace at which it closes in on it in the base
        # year, so that neither its own capability nor a weighted mean drifts
        turnover = np.bincount(firms.sector, np.exp(firms.log_revenue) * firms.alive, sectors)
        per_revenue = np.divide(staff, turnover, out=np.zeros(sectors), where=turnover > 0)
        firms.reveal_all()
        sector = firms.sector
        future = per_revenue.take(sector) * np.exp(firms.log_revenue.astype(float))
        heads = np.maximum(np.where(firms.alive > 0, firms.staff, future), 1e-6)
        chance = -np.expm1(-self.per_head.take(sector) * heads**p.size_elasticity)
        level = firms.capability.astype(float)
        pace = np.minimum(chance * p.step * (1.0 - level) / level, 1.0)
        self.kept = (1.0 - pace).astype(firms.precision)  # (slots,), share a month
        firms.reveal(0)


@kernel
def knowledge(
    p: InnovationParameters, stock: Floats, linkage: Floats, distance: Floats, relatedness: Floats
) -> Floats:
    """Capability of related sectors within reach (Z, S): Σ_z' e^(−d/ℓ_z) Σ_s' R_ss' K_z's'.

    ``stock`` K (Z, S) is the sum over a cell's firms.
    """
    zones, sectors = stock.shape
    related, within = np.zeros((zones, sectors)), np.zeros((zones, sectors))
    for z in range(zones):
        for s in range(sectors):
            for other in range(sectors):
                related[z, s] += relatedness[s, other] * stock[z, other]
    for z in range(zones):
        reach = p.learning_reach * (1.0 + p.linkage_reach * linkage[z])
        for other in range(zones):
            nearness = np.exp(-distance[z, other] / reach)
            for s in range(sectors):
                within[z, s] += nearness * related[other, s]
    return within


def relative_size(firms: Firms, p: InnovationParameters) -> Column:
    """H^γ of each firm (visible,)."""
    size = firms.staff.clip(1e-6, np.inf)
    np.log(size, out=size)
    size *= p.size_elasticity
    np.exp(size, out=size)
    return size


def step(model: District) -> None:
    """h_i = h_s·(H_i/H̄_s)^γ·exp(S_zs + β_q·Q_z)·(knowledge/knowledge₀)^ε, and what follows.

    S follows Σ_r β_r D_rzs over the years of gestation; Q is what policy drew among the staff.

    A success moves capability by step·(1−C). With chance q_s a success of a firm beyond the
    frontier is a key technology: one uniform draw u decides both (success if u < p, key if
    u < p·q), and u/(p·q) then is the technology's own luck.
    """
    blueprint, firms, zones = model.blueprint, model.columns, model.zones
    p, research, drivers = model.parameters.innovation, model.research, model.drivers
    parks, technologies = model.park_columns, research.technologies
    in_parks = np.bincount(parks.zone, parks.open_platforms, blueprint.shape[0])
    open_platforms: Floats = np.asarray(in_parks, dtype=float)
    rate = rates(
        p,
        research.per_head,
        drivers.by_cell,
        research.push,
        zones.talent_quality,
        zones.capability,
        drivers.zone(Driver.LINKAGE),
        blueprint.distance,
        blueprint.relatedness,
        research.knowledge_at_start,
        open_platforms,
    )
    makers, threshold = succeed(
        p,
        model.draws.uniform("innovation", model.month, len(firms)),
        relative_size(firms, p),
        rate,
        research.kept,
        firms.cell,
        firms.sector,
        firms.alive,
        firms.capability,
    )
    value(p, makers, drivers.cell(Driver.DEMAND).reshape(-1), firms.cell, firms.standing)
    technologies.firm, technologies.remaining, proposals = mature(
        p,
        technologies.firm,
        technologies.remaining,
        makers,
        threshold,
        firms.zone,
        open_platforms,
        zones.scenarios,
        drivers.zone(Driver.CERTAINTY),
        zones.key_technologies,
        zones.landmark_results,
        zones.proposed,
    )
    uniform = model.draws.uniform("standards", model.month, proposals.shape).astype(float)
    count = poisson_quantile(uniform.ravel(), proposals.ravel()).reshape(proposals.shape)
    propose(count, zones.key_technologies, zones.scenarios, zones.proposed, zones.standards)


@kernel
def propose(
    count: Floats,
    key_technologies: Floats,
    scenarios: Floats,
    proposed: Floats,
    standards: Floats,
) -> None:
    """Standards of the month by zone and source (Z, 3), no more than there is to propose."""
    for z in range(len(standards)):
        left = key_technologies[z] - proposed[z, 0], scenarios[z].sum() - proposed[z, 1]
        for source in range(2):
            made = min(count[z, source], left[source])
            proposed[z, source] += made
            standards[z] += made
        standards[z] += count[z, 2]


@kernel
def rates(
    p: InnovationParameters,
    per_head: Floats,
    drivers: Floats,
    support: Floats,
    quality: Floats,
    stock: Floats,
    linkage: Floats,
    distance: Floats,
    relatedness: Floats,
    knowledge_at_start: Floats,
    open_platforms: Floats,
) -> Floats:
    """Hazard this month of a firm of one person (Z, S), with ``drivers`` (R, Z, S); what they have
    added so far, ``support`` (Z, S), moves on."""
    rate = knowledge(p, stock, linkage, distance, relatedness)
    for z in range(rate.shape[0]):
        spillover = p.platform_spillover * np.log2(1.0 + open_platforms[z])
        for s in range(rate.shape[1]):
            goal = 0.0
            for r in range(len(p.effect)):
                goal += p.effect[r] * drivers[r, z, s]
            support[z, s] += (goal - support[z, s]) / (12.0 * p.gestation)
            push = spillover + support[z, s] + p.talent_effect * quality[z]
            within = max(rate[z, s], 1e-9) / knowledge_at_start[z, s]
            rate[z, s] = per_head[s] * np.exp(push) * within**p.agglomeration
    return rate


@kernel
def succeed(
    p: InnovationParameters,
    luck: Column,
    size: Column,
    rate: Floats,
    kept: Column,
    cell: Ints,
    sector: Ints,
    alive: Column,
    capability: Column,
) -> tuple[Ints, Floats]:
    """The frontier moves on and successes close in on it; gives the makers of key technologies
    and what each technology has to live through.

    ``size`` is H^γ by firm (visible,), ``rate`` its factor by cell (Z, S), ``kept`` the share of
    its capability that a firm keeps in the month (slots,).
    """
    makers, threshold = np.empty(len(luck), np.intp), np.empty(len(luck))
    count = 0
    by_cell, hazard = np.empty(rate.size, size.dtype), np.empty_like(size)
    for c in range(len(by_cell)):
        by_cell[c] = rate[c // rate.shape[1], c % rate.shape[1]]
    for i in range(len(luck)):
        hazard[i] = by_cell[cell[i]] * size[i]
    for i in range(len(luck)):
        capability[i] *= kept[i]
    for i in range(len(luck)):
        if luck[i] > hazard[i]:  # a chance is never above its hazard
            continue
        chance = -np.expm1(-hazard[i])
        if luck[i] >= chance or alive[i] == 0.0:
            continue
        able = capability[i] >= p.frontier
        capability[i] += p.step * (1.0 - capability[i])
        key_chance = chance * p.key_share[sector[i]] * able
        if luck[i] < key_chance:
            own_luck = (luck[i] + 2.0**-25) / key_chance
            makers[count] = i
            threshold[count] = -np.log(min(max(own_luck, 1e-9), 1.0))
            count += 1
    return makers[:count].copy(), threshold[:count].copy()


@kernel
def value(
    p: InnovationParameters, makers: Ints, demand: Floats, cell: Ints, standing: Column
) -> None:
    """A key technology brings its maker a higher level of revenue, more where its application is
    asked for: demand (cells,). Revenue closes in on it as on that of other capabilities."""
    for i in makers:
        asked = p.value_alone + (1.0 - p.value_alone) * demand[cell[i]]
        standing[i] -= p.technology_value * asked


@kernel
def mature(
    p: InnovationParameters,
    old: Ints,
    remaining: Floats,
    makers: Ints,
    threshold: Floats,
    zone: Ints,
    open_platforms: Floats,
    scenarios: Floats,
    certainty: Floats,
    key_technologies: Floats,
    landmark_results: Floats,
    proposed: Floats,
) -> tuple[Ints, Floats, Floats]:
    """Technologies, old and new, live through one month's hazard; those that are ripe become
    landmark results, and the others are given back, with the standards to be expected (Z, 3): of
    technologies and scenarios not yet ``proposed`` (Z, 2), and of platforms."""
    for maker in makers:
        key_technologies[zone[maker]] += 1.0
    hazard, proposals = np.empty(len(certainty)), np.empty((len(certainty), 3))
    for z in range(len(certainty)):
        effect = p.landmark_platform_effect * np.log2(1.0 + open_platforms[z])
        hazard[z] = p.landmark_hazard / 12.0 * np.exp(effect)
    count, left = len(old) + len(makers), 0
    firm, rest = np.empty(count, np.intp), np.empty(count)
    for n in range(count):
        new = n - len(old)
        owner = makers[new] if new >= 0 else old[n]
        lasting = (threshold[new] if new >= 0 else remaining[n]) - hazard[zone[owner]]
        if lasting <= 0.0:
            landmark_results[zone[owner]] += 1.0
        else:
            firm[left], rest[left] = owner, lasting
            left += 1
    for z in range(len(certainty)):
        sure = (p.certainty_at_start + certainty[z]) / 12.0
        done = 0.0
        for s in range(scenarios.shape[1]):
            done += scenarios[z, s]
        technologies, typical = key_technologies[z] - proposed[z, 0], done - proposed[z, 1]
        proposals[z, 0] = technologies * -np.expm1(-p.standards_per_technology * sure)
        proposals[z, 1] = typical * -np.expm1(-p.standards_per_scenario * sure)
        proposals[z, 2] = p.standards_per_platform * open_platforms[z] * sure
    return firm[:left].copy(), rest[:left].copy(), proposals
