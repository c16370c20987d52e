"""What a sensitivity analysis varies: uncertain parameters over their priors, levers over bounds.

A point is a vector of numbers from 0 to 1, one a factor. A parameter takes its prior's quantile
there, so that the priors are uniform in this space; a lever goes evenly from its lower bound to its
upper. Entries that share one draw are one factor and move together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from sim.blueprint import Floats
from sim.economy import Lever
from sim.errors import RunError, unknown
from sim.parameters import ParameterTable, table_of
from sim.processes import PARAMETERS
from sim.scenario import Inputs, LeverSetting

ALL = "all"

Kind = Literal["parameter", "lever"]


@dataclass(frozen=True)
class Factor:
    """One thing that is varied by itself.

    Attributes:
        name: of a lever, or of a parameter's draw (``growth.drift.ic``; entries with a shared
            draw have one name, ``growth.drift``).
        places: a parameter's entries in the table; none for a lever.
        range: what it runs over, in words.
    """

    name: str
    kind: Kind
    places: tuple[int, ...]
    range: str


@dataclass(frozen=True)
class Space:
    """The factors of a scenario; each point of [0, 1]^factors is a variant of it."""

    inputs: Inputs
    factors: tuple[Factor, ...]
    table: ParameterTable

    def part(self, chosen: Sequence[int]) -> Space:
        """The same scenario with some of the factors; the others are drawn in each run again."""
        return replace(self, factors=tuple(self.factors[n] for n in chosen))

    def variant(self, point: Floats) -> Inputs:
        """The scenario at a point (factors,): parameters held there, levers set in all zones."""
        uniforms = np.full(len(self.table.labels), 0.5)
        for factor, place in zip(self.factors, point, strict=True):
            uniforms[list(factor.places)] = place
        values = self.table.priors.quantile(uniforms)
        scenario, rules = self.inputs.scenario, self.inputs.economy.levers
        held, levers = dict(scenario.parameters), list(scenario.levers)
        for factor, place in zip(self.factors, point, strict=True):
            for entry in factor.places:
                held[self.table.labels[entry]] = self._within(entry, float(values[entry]))
            if factor.kind == "lever":
                rule = rules[factor.name]
                value = rule.low + float(place) * (rule.high - rule.low)
                levers.append(LeverSetting(lever=factor.name, value=value))
        # Not ``changed``, which writes YAML: thousands of points would wait for it.
        update = {"parameters": held, "levers": levers}
        return replace(self.inputs, scenario=scenario.model_copy(update=update))

    def _within(self, entry: int, value: float) -> float:
        """A quantile at an end of the range may pass it by a rounding."""
        parameter = self.table.entries[entry].parameter
        return min(max(value, parameter.low), parameter.high)


def space_of(inputs: Inputs, parameters: Iterable[str] = (), levers: Iterable[str] = ()) -> Space:
    """The space of the named factors, parameters first.

    Args:
        inputs: a checked scenario. Where parameters are varied give it with its priors alone
            (``with_priors``): joint draws have no axes along which one could be moved by itself.
        parameters: names of draws or entries, of processes (all their uncertain parameters), or
            ``all``.
        levers: names, or ``all``.

    Raises:
        RunError: an unknown name, a parameter without a prior or held by the scenario, or no
            factor at all.
    """
    table = table_of(inputs, PARAMETERS)
    known = parameter_factors(table)
    chosen: dict[str, Factor] = {}
    for name in parameters:
        chosen |= {factor.name: factor for factor in _named(name, known, table)}
    rules = inputs.economy.levers
    for name in levers:
        names = [lever.value for lever in Lever]
        if name != ALL and name not in names:
            raise RunError(f"--levers: {unknown('lever', name, names)}")
        for lever in names if name == ALL else [name]:
            rule = rules[lever]
            chosen[lever] = Factor(lever, "lever", (), f"uniform, {rule.low:g} to {rule.high:g}")
    if not chosen:
        raise RunError("no factor is left to vary; name parameters or levers")
    return Space(inputs, tuple(chosen.values()), table)


def parameter_factors(table: ParameterTable) -> list[Factor]:
    """The uncertain parameters, by draw and in the table's order; those held are left out."""
    texts = table.prior_texts()
    places: dict[int, list[int]] = {}
    for place, (label, entry) in enumerate(zip(table.labels, table.entries, strict=True)):
        if label in texts and label not in table.fixed:
            places.setdefault(entry.draw, []).append(place)
    return [
        Factor(
            table.draw_names[draw],
            "parameter",
            tuple(entries),
            texts[table.labels[entries[0]]] if len(entries) == 1 else f"{len(entries)} priors",
        )
        for draw, entries in places.items()
    ]


def _named(name: str, known: list[Factor], table: ParameterTable) -> list[Factor]:
    """The factors that a name means."""
    if name == ALL:
        return known
    found = [
        factor
        for factor in known
        if name in (factor.name, factor.name.split(".")[0])
        or name in [table.labels[place] for place in factor.places]
    ]
    if found:
        return found
    if name in table.fixed:
        raise RunError(f"--parameters: {name!r} is held at a value by the scenario")
    if name in table.labels or name in table.draw_names:
        raise RunError(f"--parameters: {name!r} has no prior, so nothing says how far it may vary")
    names = [factor.name for factor in known]
    raise RunError(f"--parameters: {unknown('parameter', name, names)}")
