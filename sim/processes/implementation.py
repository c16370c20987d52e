"""Process 2: departments split their staff over measures, and measures make progress."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.blueprint import Blueprint, Floats

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


class Work:
    """What no month changes: which measures are under way, their pace, and who shares the work."""

    def __init__(self, blueprint: Blueprint, p: ImplementationParameters) -> None:
        measures, links = blueprint.measures, blueprint.links
        begun = measures.start <= np.arange(blueprint.horizon + 1)[:, None]
        acts = measures.intensity * measures.reach > 0
        self.under_way = (begun & acts.any(axis=2)).astype(float)  # (T + 1, M), 0 or 1
        pace = measures.intensity * measures.reach * measures.speed[:, None]
        pace *= np.exp(-(p.progress_noise**2) / 2.0)  # so that the noise has mean 1
        self.pace = pace * self.under_way[:, :, None]  # (T + 1, M, Z), I·reach·v
        self.numbers = int(measures.number.max(initial=0))  # slots of luck
        self.slot = measures.number - 1  # (M,)
        served = np.maximum(measures.reach.sum(axis=1, keepdims=True), 1e-300)
        self.share = measures.reach / served  # (M, Z), of the zone in a measure's mean progress
        self.other_duties = p.other_duties * blueprint.department_staffed  # (D,)
        able = (1.0 + p.other_duties) * p.efficiency * np.exp(-(p.effort_noise**2) / 2.0)
        self.able = blueprint.department_capacity * able  # (T + 1, D)
        weight = np.where(links.link_is_lead, p.lead_weight, 1.0)
        total = np.bincount(links.link_cell, weight, measures.reach.size)  # (M · Z,)
        self.weight = weight / np.maximum(total, 1e-300)[links.link_cell]  # ω of each link
        self.nobody = (total == 0).astype(float)
        crowd = np.maximum(links.members, 1.0) ** -p.coordination_loss
        self.crowd = crowd * (total > 0).reshape(crowd.shape)  # (M, Z), 0 where nobody works


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
    work = model.work

    mean = (state.progress * work.share).sum(axis=1)
    shortfall = np.maximum(0.0, measures.path[month] - mean)
    urgency = measures.priority + p.shortfall_weight * shortfall
    weight = np.exp(urgency) * work.under_way[month]
    departments = len(blueprint.department_zone)
    pair_weight = weight[links.pair_measure]
    planned = np.bincount(links.pair_department, pair_weight, departments)
    total = np.maximum(planned + work.other_duties, 1e-300)
    share = pair_weight / total[links.pair_department]
    state.attention += p.attention_speed * (share - state.attention)

    luck = model.draws.normal("department", month, departments)
    able = work.able[month] * np.exp(p.effort_noise * luck)
    state.effort = able[links.pair_department] * state.attention
    state.joint_effort = joint_effort(blueprint, work, p, state.effort)

    luck = model.draws.normal("progress", month, (work.numbers, blueprint.shape[0]))
    rate = work.pace[month] * state.joint_effort * np.exp(p.progress_noise * luck[work.slot])
    state.progress = 1.0 - (1.0 - state.progress) * np.exp(-rate)


def joint_effort(
    blueprint: Blueprint, work: Work, p: ImplementationParameters, effort: Floats
) -> Floats:
    """Low-elasticity CES of the efforts on each measure in each zone, (M, Z)."""
    links = blueprint.links
    power = (np.maximum(effort, 1e-9) ** p.substitution)[links.link_pair]
    mean = np.bincount(links.link_cell, work.weight * power, len(work.nobody))
    joint = (mean + work.nobody) ** (1.0 / p.substitution)
    return np.asarray(joint.reshape(work.crowd.shape) * work.crowd)
