"""A model whose answers are known: targets' values are sums of levers plus normal luck.

``value = threshold·(1 + start + Σ effect·(lever − present) + noise·N(run, target))``, and each
lever costs its price for each unit above what holds. It stands in for an ``Evaluator``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from sim.analysis.evaluation import Outcomes, column_names
from sim.analysis.probability import thresholds
from sim.blueprint import Floats, build
from sim.economy import Lever
from sim.plan import DISTRICT
from sim.scenario import Inputs

Shape = Callable[[float], float]


@dataclass
class ClosedForm:
    """Effects by (lever, target), prices by lever; what is not named does nothing and is free.

    Attributes:
        start: (value − threshold)/threshold of each target without levers.
        shapes: what a lever's rise does before its effect; none: itself.
        runs: that were asked for, all calls together.
    """

    inputs: Inputs
    seed: int
    start: dict[str, float]
    effects: dict[tuple[Lever, str], float]
    prices: dict[Lever, float]
    noise: float = 0.1
    shapes: dict[Lever, Shape] = field(default_factory=dict)
    runs: int = 0

    def evaluate(self, variants: Sequence[Inputs], runs: int | range) -> Outcomes:
        runs = range(runs) if isinstance(runs, int) else runs
        plan, base = self.inputs.plan, build(self.inputs)
        columns = column_names(base)
        values = np.zeros((len(variants), len(runs), len(columns)))
        limits = np.full((len(variants), len(plan.targets) * (len(base.zones) + 1)), np.nan)
        luck = np.array(
            [np.random.default_rng([self.seed, run]).normal(size=len(plan.targets)) for run in runs]
        )
        for n, variant in enumerate(variants):
            raised = self.raised(variant)
            for k, target in enumerate(plan.targets):
                place = columns.index(f"{target.id}.{DISTRICT}")
                limit = thresholds(base, target)[DISTRICT]
                limits[n, place] = limit
                mean = self.start.get(target.id, 10.0) + sum(
                    effect * self.shapes.get(lever, float)(raised[lever])
                    for (lever, moved), effect in self.effects.items()
                    if moved == target.id
                )
                values[n, :, place] = limit * (1.0 + mean + self.noise * luck[:, k])
            spent = sum(price * raised[lever] for lever, price in self.prices.items())
            values[n, :, columns.index(f"cost.total.{DISTRICT}")] = spent
        self.runs += len(variants) * len(runs)
        return Outcomes(plan, runs, columns, values, limits)

    def raised(self, variant: Inputs) -> dict[Lever, float]:
        """Each lever's rise above what holds: of sums their sum, else the zones' mean."""
        made, base = build(variant), build(self.inputs)
        found: dict[Lever, float] = {}
        for lever in Lever:
            change: Floats = made.levers[lever][-1] - base.levers[lever][-1]
            sums = self.inputs.economy.levers[lever].spread == "by_firms"
            found[lever] = float(change.sum() if sums else change.mean())
        return found
