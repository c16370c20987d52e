"""What a search for levers tries to raise: probabilities, in one number."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sim.analysis.evaluation import Flags, Outcomes
from sim.analysis.probability import thresholds
from sim.blueprint import Floats, build
from sim.errors import RunError, unknown
from sim.plan import ALL_TARGETS, DISTRICT
from sim.scenario import Inputs

Kind = Literal["all", "worst-zone", "weights"]
OBJECTIVES = "all, worst-zone, or targets with weights such as a_target=2,other_target@a_zone=1"


@dataclass(frozen=True)
class Aim:
    """The goals that count, and how.

    Attributes:
        kind: ``all``: the probability of one goal, such as all targets of the district;
            ``worst-zone``: the least over zones; ``weights``: the weighted mean.
        goals: as in ``Outcomes.goals``.
        parts: of each goal the ``target.zone`` that must be met together.
        weights: of each goal, sum 1.
    """

    kind: Kind
    goals: tuple[str, ...]
    parts: tuple[tuple[str, ...], ...]
    weights: tuple[float, ...]

    def met(self, outcomes: Outcomes) -> Flags:
        """Which goals each run meets, (variants, runs, goals)."""
        places = [outcomes.goals.index(goal) for goal in self.goals]
        return np.asarray(outcomes.met()[:, :, places])

    def value(self, shares: Floats) -> Floats:
        """The objective from the goals' probabilities (…, goals), 0 to 1."""
        if self.kind == "worst-zone":
            return np.asarray(shares.min(axis=-1))
        return np.asarray(shares @ np.array(self.weights))


def single_aim(inputs: Inputs, target: str, zone: str) -> Aim:
    """One target in one zone (``all``, ``district``: the whole).

    Raises:
        RunError: an unknown name, or a zone that has no part in the target.
    """
    return _aim("all", [(_checked(inputs, target, zone, "--target", "--zone"), 1.0)], inputs)


def aim_of(inputs: Inputs, text: str) -> Aim:
    """An objective as it is written on the command line, see ``OBJECTIVES``.

    Raises:
        RunError: an unknown word, target or zone, or a weight that is not above 0.
    """
    text = text.strip()
    if text == "all":
        return _aim("all", [(f"{ALL_TARGETS}.{DISTRICT}", 1.0)], inputs)
    if text == "worst-zone":
        zones = [goal for goal in _goals(inputs) if goal.startswith(f"{ALL_TARGETS}.")]
        chosen = [(goal, 1.0) for goal in zones if not goal.endswith(f".{DISTRICT}")]
        return _aim("worst-zone", chosen, inputs)
    if "=" not in text:
        raise RunError(
            f"--objective: {unknown('objective', text, ('all', 'worst-zone'))}; or {OBJECTIVES}"
        )
    weighted: dict[str, float] = {}
    for term in text.split(","):
        name, _, number = term.partition("=")
        target, _, zone = name.strip().partition("@")
        goal = _checked(inputs, target, zone or DISTRICT, "--objective", "--objective")
        try:
            weight = float(number)
        except ValueError:
            weight = math.nan
        if not 0 < weight < math.inf:
            raise RunError(f"--objective: found the weight {number!r}; allowed: above 0")
        if goal in weighted:
            raise RunError(f"--objective: {name.strip()!r} stands there twice")
        weighted[goal] = weight
    return _aim("weights", list(weighted.items()), inputs)


def _aim(kind: Kind, chosen: list[tuple[str, float]], inputs: Inputs) -> Aim:
    known = _goals(inputs)
    total = sum(weight for _, weight in chosen)
    parts = []
    for goal, _ in chosen:
        target, zone = goal.split(".")
        alone = [one for one in known if one.endswith(f".{zone}") and one != goal]
        parts.append(tuple(alone) if target == ALL_TARGETS else (goal,))
    weights = tuple(weight / total for _, weight in chosen)
    return Aim(kind, tuple(goal for goal, _ in chosen), tuple(parts), weights)


def _checked(inputs: Inputs, target: str, zone: str, by_target: str, by_zone: str) -> str:
    targets = [*inputs.plan.target_ids(), ALL_TARGETS]
    if target not in targets:
        raise RunError(f"{by_target}: {unknown('target', target, targets)}")
    zones = [DISTRICT, *inputs.plan.zone_ids()]
    if zone not in zones:
        raise RunError(f"{by_zone}: {unknown('zone', zone, zones)}")
    known = _goals(inputs)
    if f"{target}.{zone}" not in known:
        having = [goal.split(".")[1] for goal in known if goal.startswith(f"{target}.")]
        raise RunError(
            f"{by_zone}: {zone!r} has no part in the target {target!r} "
            f"(allowed: {', '.join(having)})"
        )
    return f"{target}.{zone}"


def _goals(inputs: Inputs) -> list[str]:
    """All goals of a scenario: targets by zone with a part, then all of a zone together."""
    blueprint = build(inputs)
    parts = [f"{t.id}.{zone}" for t in inputs.plan.targets for zone in thresholds(blueprint, t)]
    zones = dict.fromkeys(part.split(".")[1] for part in parts)
    return [*parts, *(f"{ALL_TARGETS}.{zone}" for zone in zones)]
