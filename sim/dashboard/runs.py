"""The runs of one scenario as they come in: what the page needs of them, and the rest."""

from __future__ import annotations

import math
from mmap import mmap
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim import months
from sim.analysis.evaluation import Flags, column_names
from sim.blueprint import Floats
from sim.montecarlo import columns_of, stretch
from sim.processes.accounts import indicators
from sim.runner import Runner
from sim.scenario import Inputs
from sim.store import RUNS_PER_CHUNK, Chunk
from sim.zones import ITEMS


def make(inputs: Inputs, seed: int, first: int, count: int) -> Chunk:
    """Make runs; in a worker."""
    return stretch(inputs, seed, first, count)


class Pieces:
    """Parts of chunks that are not on disk, until they make whole ones."""

    def __init__(self) -> None:
        self._parts: dict[int, dict[int, Chunk]] = {}

    def add(self, part: Chunk) -> None:
        self._parts.setdefault(part.first // RUNS_PER_CHUNK, {})[part.first] = part

    def parts(self) -> list[Chunk]:
        return [part for parts in list(self._parts.values()) for part in list(parts.values())]

    def whole(self) -> dict[int, Chunk]:
        """The chunks that are complete, by their number."""
        return {
            number: _joined([part for _, part in sorted(parts.items())])
            for number, parts in list(self._parts.items())
            if sum(len(part.series) for part in parts.values()) == RUNS_PER_CHUNK
        }

    def drop(self, number: int) -> None:
        del self._parts[number]


def _joined(parts: list[Chunk]) -> Chunk:
    """Consecutive parts as one chunk."""
    return Chunk(
        parts[0].first,
        np.concatenate([part.series for part in parts]),
        np.concatenate([part.costs for part in parts]),
        np.concatenate([part.parameters for part in parts]),
        parts[0].made_with,
    )


class Runs:
    """Runs 0 to ``most`` − 1, as far as they are there.

    Everything is taken from single precision, as a forecast's store keeps it, so that runs that
    were just made and runs that were read back say the same to the bit.

    Attributes:
        inputs: whose runs they are.
        given: the finished forecast that they are those of, and that stays as it is.
        names: of what the store holds.
        columns: names of what a run ended with, see ``Outcomes``.
        ends: (most, columns).
        paths: each target's quantity month by month, (most, T + 1, targets, zones and district).
        there: which runs are there (most,).
        pieces: what is in memory alone; ``kept``: chunks that lie in ``folder``.
    """

    def __init__(self, inputs: Inputs, most: int, given: Path | None = None) -> None:
        runner = Runner(inputs, seed=0)
        blueprint, targets = runner.blueprint, inputs.plan.targets
        zones = len(blueprint.zones) + 1
        self.inputs = inputs
        self.given = given
        self.names = columns_of(runner)
        self.columns = column_names(blueprint)
        self.ends: Floats = _zeros((most, len(self.columns)), np.float64)
        shape = (most, blueprint.horizon + 1, len(targets), zones)
        self.paths: NDArray[np.float32] = _zeros(shape, np.float32)
        self.there: Flags = np.zeros(most, dtype=bool)
        self.pieces = Pieces()
        self.kept: set[int] = set()
        self.folder = given
        known = list(indicators(blueprint))
        self._targets = [known.index(target.id) for target in targets]
        self._due = [months.between(inputs.plan.start, target.deadline) for target in targets]
        self._zones = zones

    @property
    def done(self) -> int:
        return int(self.there.sum())

    @property
    def most(self) -> int:
        return len(self.there)

    def add(self, batch: Chunk) -> None:
        """Take up runs that were just made."""
        count, horizon = batch.series.shape[:2]
        paths = batch.series.reshape(count, horizon, -1, self._zones)[:, :, self._targets]
        self.take(batch.first, paths, batch.costs)
        self.pieces.add(batch)

    def take(self, first: int, paths: Floats, costs: Floats) -> None:
        """Take up ``paths`` of runs from ``first`` on, and costs as in ``Chunk``."""
        here = slice(first, first + len(paths))
        ends = paths[:, self._due, range(len(self._due))].reshape(len(paths), -1)
        spent = np.ascontiguousarray(costs).astype(float).sum(axis=1)
        spent = spent.reshape(len(paths), len(ITEMS), self._zones - 1)
        spent = np.concatenate([spent, spent.sum(axis=1, keepdims=True)], axis=1)
        spent = np.concatenate([spent, spent.sum(axis=2, keepdims=True)], axis=2)
        self.ends[here] = np.concatenate([ends, spent.reshape(len(paths), -1)], axis=1)
        self.paths[here], self.there[here] = paths, True

    def missing(self, size: int) -> list[tuple[int, int]]:
        """What is not there yet, as (first run, number of runs) of at most ``size`` runs."""
        edges = np.flatnonzero(np.diff(~self.there, prepend=False, append=False))
        return [
            (first, min(size, stop - first))
            for start, stop in edges.reshape(-1, 2).tolist()
            for first in range(start, stop, size)
        ]


def _zeros(shape: tuple[int, ...], kind: type) -> NDArray[Any]:
    """In memory of their own, which goes back to the system with them.

    The allocator would keep it, in pieces: 30 MB more with each what-if of 2,000 runs.
    """
    size = math.prod(shape) * np.dtype(kind).itemsize
    return np.frombuffer(mmap(-1, size), dtype=kind).reshape(shape)
