"""The floor: a run's draws and its exponentials, logarithms and powers, and nothing else.

No run of this model in numpy can be faster. The draws are those that a run asked for; the list of
functions over whole columns follows the code, process by process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import ndtri

from sim.draws import Draws
from sim.model import District
from sim.runner import Runner

# Each month, over the firms visible in it, single precision.
MONTHLY = {
    "talent": (np.log,),  # of staff over desired staff
    "innovation": (np.log, np.exp),  # (H/H̄)^γ
    "growth": (np.exp, np.log1p, np.exp),  # b, ln(1 − b²), revenue
}
# (calls, closings and other events take exponentials of the few firms alone that are near one)

# At the start, over all slots, double precision.
AT_START = (
    *(ndtri, np.exp),  # capability
    *(ndtri, np.exp),  # maturity
    *(ndtri, np.exp),  # size in the body
    np.log,  # of revenue
    *(np.log1p, np.log1p),  # age, AI share
)
POWERS_OF_TAIL = 2  # firms in the Pareto tail: its start and its quantile


class RecordingDraws(Draws):
    """The draws of one run, and a list of what was asked for."""

    def __init__(self, seed: int, run: int) -> None:
        super().__init__(seed, run)
        self.asked: list[tuple[str, tuple[Any, ...]]] = []

    def uniform(self, *request: Any) -> Any:
        self.asked.append(("uniform", request))
        return super().uniform(*request)

    def normal(self, *request: Any) -> Any:
        self.asked.append(("normal", request))
        return super().normal(*request)

    def of_slots(self, *request: Any) -> Any:
        self.asked.append(("of_slots", request))
        return super().of_slots(*request)

    def laplace(self, *request: Any) -> Any:
        noise = super().laplace(*request)
        self.asked[-1] = ("laplace", request)  # in place of the uniform draw that it is made from
        return noise


def floor_of(runner: Runner, run: int) -> Callable[[], None]:
    """The floor of one run, as a function to be timed."""
    recorded = RecordingDraws(runner.seed, run)
    parameters = runner.parameters.arranged(runner.parameters_of(run))
    district = District(runner.blueprint, parameters, recorded)
    district.run()
    firms, base = district.columns, runner.blueprint.base

    values = np.linspace(0.05, 0.95, firms.slots)
    single, out = values.astype(np.float32), np.empty(firms.slots, dtype=np.float32)
    monthly = [function for functions in MONTHLY.values() for function in functions]
    tail = int(base.tail_share.take(firms.sector).sum())

    def floor() -> None:
        runner.parameters_of(run)
        draws = Draws(runner.seed, run)
        for method, request in recorded.asked:
            getattr(draws, method)(*request)
        for function in AT_START:
            function(values)
        for _ in range(POWERS_OF_TAIL):
            np.power(values[:tail], -0.9)
        for visible in firms.visible_by[1:]:
            for function in monthly:
                function(single[:visible], out=out[:visible])

    return floor
