"""Process 2: departments split their staff over measures, and measures make progress."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim.blueprint import Blueprint, Bools, Floats, Ints
from sim.kernels import kernel

if TYPE_CHECKING:
    from sim.model import District


class ImplementationParameters(NamedTuple):
    attention_speed: float  # η: share of attention that is reconsidered each month
    shortfall_weight: float  # κ: how strongly a measure behind its path draws attention
    other_duties: float  # φ: weight of other duties against a measure on its path, per measure
    substitution: float  # r of the CES of efforts; below 0 the weakest holds it back
    hand_over: float  # share of the strongest effort that steps in for a weaker one
    money_share: float  # weight of money against staff in a measure's progress
    money_substitution: float  # r of the CES of money and staff
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
        pace = measures.reach * measures.speed[:, None]
        pace *= np.exp(-(p.progress_noise**2) / 2.0)  # so that the noise has mean 1
        self.pace = pace * self.under_way[:, :, None]  # (T + 1, M, Z), reach·v
        self.money = measures.intensity  # (T + 1, M, Z), multiples of the planned money
        self.numbers = int(measures.number.max(initial=0))  # slots of luck
        self.slot = measures.number - 1  # (M,)
        served = np.maximum(measures.reach.sum(axis=1, keepdims=True), 1e-300)
        self.share = measures.reach / served  # (M, Z), of the zone in a measure's mean progress
        self.other_duties = p.other_duties * blueprint.department_staffed  # (D,)
        able = (1.0 + p.other_duties) * p.efficiency * np.exp(-(p.effort_noise**2) / 2.0)
        self.able = blueprint.department_capacity * able  # (T + 1, D)
        self.staffed = links.members.reshape(-1) > 0  # (M · Z,)
        self.crowd = np.maximum(links.members, 1.0) ** -p.coordination_loss  # (M, Z)

    def attention_at_start(self, blueprint: Blueprint) -> Floats:
        """What measures that ran before the start already have (pairs,): a steady state."""
        measures, links = blueprint.measures, blueprint.links
        goes_on = (measures.start <= 0) * self.under_way[min(1, blueprint.horizon)]
        urgency = np.exp(measures.priority) * goes_on
        pull = urgency[links.pair_measure]
        planned = self.other_duties + np.bincount(
            links.pair_department, pull, len(self.other_duties)
        )
        return np.asarray(pull / np.maximum(planned, 1e-300)[links.pair_department])


def step(model: District) -> None:
    """Attention → effort → joint effort → progress, for each measure and zone.

    a_dm ← (1−η)·a_dm + η·exp(w_m + κ·q_m)/(Σ_m exp(w_m + κ·q_m) + φ·c_d), with the shortfall
    q_m = max(0, path_m − P_m), over d's measures under way and its other duties φ·c_d, so that a
    measure dropped frees hands for the others only in part; e_dm = (1+φ)·c_d·a_dm·ε_d;
    E_mz = (mean_d max(e_dm, h·max_d e_dm)^r)^(1/r)·|D_mz|^(−χ): the strongest steps in for the
    others with a share h of its effort; money I_mz and staff make progress together,
    P_mz ← 1 − (1−P_mz)·exp(−reach_mz·v_m·(μ·I_mz^q + (1−μ)·E_mz^q)^(1/q)·ν_mz). A zone's own
    authority works in its zone only. Sums run pair by pair in the plan's order, so that a measure
    without money and a measure that is not in the plan are the same to the last bit.
    """
    blueprint, p, month = model.blueprint, model.parameters.implementation, model.month
    measures, links, state = blueprint.measures, blueprint.links, model.department_columns
    work = model.work
    work_on(
        p,
        model.draws.normal("department", month, len(blueprint.department_zone)),
        model.draws.normal("progress", month, (work.numbers, blueprint.shape[0])),
        measures.path[month],
        measures.priority,
        work.under_way[month],
        work.pace[month],
        work.money[month],
        work.share,
        work.slot,
        work.able[month],
        work.other_duties,
        work.crowd,
        work.staffed,
        links.pair_department,
        links.pair_measure,
        links.link_pair,
        links.link_cell,
        state.attention,
        state.effort,
        state.joint_effort,
        state.progress,
    )


@kernel
def work_on(
    p: ImplementationParameters,
    department_luck: Floats,
    progress_luck: Floats,
    path: Floats,
    priority: Floats,
    under_way: Floats,
    pace: Floats,
    money: Floats,
    share: Floats,
    slot: Ints,
    able: Floats,
    other_duties: Floats,
    crowd: Floats,
    staffed: Bools,
    pair_department: Ints,
    pair_measure: Ints,
    link_pair: Ints,
    link_cell: Ints,
    attention: Floats,
    effort: Floats,
    joint: Floats,
    progress: Floats,
) -> None:
    """What departments do in a month."""
    urgency = urgencies(p, path, priority, under_way, share, progress)
    turn_to(
        p,
        urgency,
        department_luck,
        able,
        other_duties,
        pair_department,
        pair_measure,
        attention,
        effort,
    )
    joint_effort(p, effort, link_pair, link_cell, crowd, staffed, joint)
    make_progress(p, progress_luck, slot, pace, money, joint, progress)


@kernel
def urgencies(
    p: ImplementationParameters,
    path: Floats,
    priority: Floats,
    under_way: Floats,
    share: Floats,
    progress: Floats,
) -> Floats:
    """What draws attention to each measure under way (M,)."""
    urgency = np.empty(len(path))
    for m in range(len(path)):
        mean = 0.0
        for z in range(progress.shape[1]):
            mean += progress[m, z] * share[m, z]
        shortfall = max(0.0, path[m] - mean)
        urgency[m] = np.exp(priority[m] + p.shortfall_weight * shortfall) * under_way[m]
    return urgency


@kernel
def turn_to(
    p: ImplementationParameters,
    urgency: Floats,
    luck: Floats,
    able: Floats,
    other_duties: Floats,
    pair_department: Ints,
    pair_measure: Ints,
    attention: Floats,
    effort: Floats,
) -> None:
    """Departments reconsider part of their attention, and work on what has it (pairs,)."""
    planned = other_duties.copy()
    for pair in range(len(pair_measure)):
        planned[pair_department[pair]] += urgency[pair_measure[pair]]
    for pair in range(len(pair_measure)):
        d = pair_department[pair]
        wanted = urgency[pair_measure[pair]] / max(planned[d], 1e-300)
        attention[pair] += p.attention_speed * (wanted - attention[pair])
        effort[pair] = able[d] * np.exp(p.effort_noise * luck[d]) * attention[pair]


@kernel
def joint_effort(
    p: ImplementationParameters,
    effort: Floats,
    link_pair: Ints,
    link_cell: Ints,
    crowd: Floats,
    staffed: Bools,
    joint: Floats,
) -> None:
    """Low-elasticity CES of the efforts on each measure in each zone, (M, Z)."""
    strongest, mean = np.zeros(joint.size), np.zeros(joint.size)
    members = np.zeros(joint.size)
    for link in range(len(link_pair)):
        cell = link_cell[link]
        strongest[cell] = max(strongest[cell], effort[link_pair[link]])
        members[cell] += 1.0
    for link in range(len(link_pair)):
        cell = link_cell[link]
        helped = max(effort[link_pair[link]], p.hand_over * strongest[cell])
        mean[cell] += max(helped, 1e-9) ** p.substitution / members[cell]
    flat, loss = joint.reshape(-1), crowd.reshape(-1)
    for cell in range(len(mean)):
        flat[cell] = mean[cell] ** (1.0 / p.substitution) * loss[cell] if staffed[cell] else 0.0


@kernel
def make_progress(
    p: ImplementationParameters,
    luck: Floats,
    slot: Ints,
    pace: Floats,
    money: Floats,
    joint: Floats,
    progress: Floats,
) -> None:
    """Money and staff together close part of what is left to do, (M, Z)."""
    for m in range(len(slot)):
        for z in range(progress.shape[1]):
            if money[m, z] <= 0.0 or joint[m, z] <= 0.0:
                continue
            paid = p.money_share * money[m, z] ** p.money_substitution
            staffed = (1.0 - p.money_share) * joint[m, z] ** p.money_substitution
            work = (paid + staffed) ** (1.0 / p.money_substitution)
            rate = pace[m, z] * work * np.exp(p.progress_noise * luck[slot[m], z])
            progress[m, z] = 1.0 - (1.0 - progress[m, z]) * np.exp(-rate)
