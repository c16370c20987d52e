"""The runs of one scenario as they come in, and their making in a worker."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.analysis.evaluation import Flags, column_names, row_of
from sim.blueprint import Floats, build
from sim.montecarlo import end_with_parent
from sim.processes.accounts import indicators
from sim.runner import Runner
from sim.scenario import Inputs


@dataclass(frozen=True)
class Batch:
    """Some runs: ``ends`` (runs, columns) as in ``Outcomes``, ``paths`` as in ``Runs``."""

    first: int
    ends: Floats
    paths: NDArray[np.float32]


def make(inputs: Inputs, seed: int, first: int, count: int) -> Batch:
    """Make runs; in a worker."""
    end_with_parent()
    runner = Runner(inputs, seed)
    outcomes = [runner.run(run) for run in range(first, first + count)]
    names = list(indicators(runner.blueprint))
    targets = [names.index(target.id) for target in inputs.plan.targets]
    return Batch(
        first,
        np.array([row_of(runner.blueprint, outcome) for outcome in outcomes]),
        np.array([outcome.series[:, targets] for outcome in outcomes], dtype=np.float32),
    )


class Runs:
    """Runs 0 to ``most`` − 1, as far as they are there.

    Attributes:
        inputs: whose runs they are.
        columns: names of what a run ended with, see ``Outcomes``.
        ends: (most, columns).
        paths: each target's quantity month by month, (most, T + 1, targets, zones and district).
        there: which runs are there (most,).
    """

    def __init__(self, inputs: Inputs, most: int) -> None:
        blueprint, targets = build(inputs), len(inputs.plan.targets)
        shape = (most, blueprint.horizon + 1, targets, len(blueprint.zones) + 1)
        self.inputs = inputs
        self.columns = column_names(blueprint)
        self.ends: Floats = np.full((most, len(self.columns)), np.nan)
        self.paths = np.zeros(shape, dtype=np.float32)
        self.there: Flags = np.zeros(most, dtype=bool)

    def add(self, batch: Batch) -> None:
        here = slice(batch.first, batch.first + len(batch.ends))
        self.ends[here], self.paths[here], self.there[here] = batch.ends, batch.paths, True

    @property
    def done(self) -> int:
        return int(self.there.sum())

    @property
    def most(self) -> int:
        return len(self.there)

    def missing(self, size: int) -> list[tuple[int, int]]:
        """What is not there yet, as (first run, number of runs) of at most ``size`` runs."""
        edges = np.flatnonzero(np.diff(~self.there, prepend=False, append=False))
        return [
            (first, min(size, stop - first))
            for start, stop in edges.reshape(-1, 2).tolist()
            for first in range(start, stop, size)
        ]
