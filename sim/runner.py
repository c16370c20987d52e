"""One run from its number alone: scenario, seed and run give the same outcome to the bit."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from sim.blueprint import Blueprint, Floats, build
from sim.draws import AGAIN, Draws
from sim.model import District, Outcome
from sim.parameters import ParameterTable, table_of
from sim.processes import PARAMETERS
from sim.processes.accounts import indicators
from sim.scenario import Inputs
from sim.zones import ITEMS


class Runner:
    """Makes the runs of a scenario, each by itself.

    Args:
        inputs: the checked scenario with its plan and economy.
        seed: the forecast's seed.

    Raises:
        EconomyError: the economy file's parameters are not those that the model needs.
        PosteriorError: the posterior was fitted to other priors than the economy's.
    """

    def __init__(self, inputs: Inputs, seed: int) -> None:
        self.inputs = inputs
        self.seed = seed
        self.blueprint: Blueprint = build(inputs)
        self.parameters: ParameterTable = table_of(inputs, PARAMETERS)

    def parameters_of(self, run: int) -> Floats:
        """The parameter values of a run, in the order of the table's labels (entries,)."""
        return self.parameters.draw(self.seed, run % AGAIN)

    def district(self, run: int, precision: type = np.float32) -> District:
        """The district at the start of a run, to be stepped and looked at."""
        values = self.parameters_of(run)
        return District(
            self.blueprint, self.parameters.arranged(values), Draws(self.seed, run), precision
        )

    def run(self, run: int) -> Outcome:
        """A run from the start to the end of the plan."""
        district = self.district(run)
        outcome = district.run()
        district.clear()
        return outcome

    @cached_property
    def series_columns(self) -> list[str]:
        """``indicator.zone`` for each indicator and zone, the district last."""
        zones = [*self.blueprint.zones, "district"]
        return [f"{name}.{zone}" for name in indicators(self.blueprint) for zone in zones]

    @cached_property
    def cost_columns(self) -> list[str]:
        """``item.zone`` for each item of cost and zone."""
        return [f"{item}.{zone}" for item in ITEMS for zone in self.blueprint.zones]
