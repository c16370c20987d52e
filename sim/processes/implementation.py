"""Process 2: departments split their staff over measures, and measures make progress."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.blueprint import Blueprint, Bools, Floats

if TYPE_CHECKING:
    from sim.model import District


@dataclass(frozen=True)
class ImplementationParameters:
    attention_speed: float  # η: share of attention that is reconsidered each month
    shortfall_weight: float  # κ: how strongly a measure behind its path draws attention
    other_duties: float  # φ: weight of other duties against a measure on its path, per measure
    lead_weight: float  # weight of the leading department over a joining one
    substitution: float  # r of the CES of efforts; below 0 the weakest holds it back
    coordination_loss: float  # χ: effort ∝ |D|^(−χ)
    efficiency: float  # departments' mean efficiency, 1 as planned
    effort_noise: float  # standard deviation of log effort, a month
    progress_noise: float  # standard deviation of log progress, a month


def step(model: District) -> None:
    """Attention → effort → joint effort → progress, for each measure and zone.

    a_dm ← (1−η)·a_dm + η·exp(w_m + κ·q_m)/(Σ_m exp(w_m + κ·q_m) + φ·c_d), with the shortfall
    q_m = max(0, path_m − P_m), over d's measures under way and its other duties φ·c_d, so that a
    measure dropped frees hands for the others only in part; e_dm = (1+φ)·c_d·a_dm·ε_d;
    E_mz = (Σ_d ω_d·e_dm^r)^(1/r)·|D_mz|^(−χ), weights ω summing to one;
    P_mz ← 1 − (1−P_mz)·exp(−I_mz·reach_mz·v_m·E_mz·ν_mz). A zone's own authority works in its
    zone only. Sums run pair by pair in the plan's order, so that a measure without intensity
    and a measure that is not in the plan are the same to the last bit.
    """
    blueprint, p, month = model.blueprint, model.parameters.implementation, model.month
    measures, links, state = blueprint.measures, blueprint.links, model.department_columns
    intensity = measures.intensity[month]
    under_way = (measures.start <= month) & (intensity * measures.reach > 0).any(axis=1)

    urgency = measures.priority + p.shortfall_weight * shortfall(blueprint, state.progress, month)
    weight = np.exp(urgency) * under_way
    departments = len(blueprint.department_zone)
    pair_weight = weight[links.pair_measure]
    staffed = blueprint.department_capacity[month]
    planned = np.bincount(links.pair_department, pair_weight, departments)
    total = planned + p.other_duties * blueprint.department_staffed
    share = pair_weight / np.where(total > 0, total, 1.0)[links.pair_department]
    state.attention += p.attention_speed * (share - state.attention)

    luck = model.draws.normal("department", month, departments)
    efficiency = p.efficiency * np.exp(p.effort_noise * luck - p.effort_noise**2 / 2.0)
    able = staffed * (1.0 + p.other_duties) * efficiency
    state.effort = able[links.pair_department] * state.attention
    state.joint_effort = joint_effort(blueprint, p, state.effort)

    numbers = int(measures.number.max(initial=0))
    luck = model.draws.normal("progress", month, (numbers, blueprint.shape[0]))
    noise = np.exp(p.progress_noise * luck[measures.number - 1] - p.progress_noise**2 / 2.0)
    rate = intensity * measures.reach * measures.speed[:, None] * state.joint_effort * noise
    rate *= under_way[:, None]
    state.progress = 1.0 - (1.0 - state.progress) * np.exp(-rate)


def shortfall(blueprint: Blueprint, progress: Floats, month: int) -> Floats:
    """How far each measure's mean progress lies behind the plan's path, (M,), at least 0."""
    reach = blueprint.measures.reach
    served = reach.sum(axis=1)
    mean = (progress * reach).sum(axis=1) / np.where(served > 0, served, 1.0)
    return np.asarray(np.maximum(0.0, blueprint.measures.path[month] - mean))


def joint_effort(blueprint: Blueprint, p: ImplementationParameters, effort: Floats) -> Floats:
    """Low-elasticity CES of the efforts on each measure in each zone, (M, Z)."""
    links, shape = blueprint.links, blueprint.measures.reach.shape
    weight = np.where(links.link_is_lead, p.lead_weight, 1.0)
    cells = shape[0] * shape[1]
    total = np.bincount(links.link_cell, weight, cells)
    power = np.maximum(effort, 1e-9)[links.link_pair] ** p.substitution
    mean = np.bincount(links.link_cell, weight * power, cells) / np.where(total > 0, total, 1.0)
    staffed: Bools = total > 0
    joint = np.where(staffed, np.where(staffed, mean, 1.0) ** (1.0 / p.substitution), 0.0)
    crowd = np.maximum(links.members, 1.0) ** -p.coordination_loss
    return np.asarray(joint.reshape(shape) * crowd)
