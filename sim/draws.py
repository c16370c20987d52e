"""The one source of chance: every draw is keyed by seed, run, mechanism, month and slot.

A mechanism has a stream of its own (a ``SeedSequence`` child by run and name), a month has its own
stretch of 2^64 numbers in it, and a slot its own place in the stretch. So a draw does not depend on
who else is alive, on the order of work, or on mechanisms added later, and two scenarios of one run
meet the same luck (common random numbers).
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.kernels import kernel

AGAIN = 1_000_000_000  # run AGAIN + r has the parameters of run r, and other luck
MONTH_STRIDE = 2**64
SLOT_STRIDE = 2**20
PARAMETER_KEY = zlib.crc32(b"parameters")
SMALLEST = float(2.0**-24)

Floats = NDArray[Any]


class Draws:
    """The draws of one run.

    Args:
        seed: the forecast's seed, at least 0.
        run: the run's number, at least 0.
    """

    def __init__(self, seed: int, run: int) -> None:
        self.seed = seed
        self.run = run
        self._streams: dict[str, tuple[np.random.Generator, np.random.PCG64DXSM, Any]] = {}

    def _at(self, mechanism: str, month: int) -> np.random.Generator:
        stream = self._streams.get(mechanism)
        if stream is None:
            key = zlib.crc32(mechanism.encode())
            sequence = np.random.SeedSequence(self.seed, spawn_key=(self.run, key))
            bits = np.random.PCG64DXSM(sequence)
            stream = np.random.Generator(bits), bits, bits.state
            self._streams[mechanism] = stream
        generator, bits, start = stream
        bits.state = start
        bits.advance(month * MONTH_STRIDE)
        return generator

    def uniform(self, mechanism: str, month: int, shape: int | tuple[int, ...]) -> Floats:
        """Uniform on [0, 1), single precision; the first axis is the slot."""
        return self._at(mechanism, month).random(shape, dtype=np.float32)

    def of_slots(self, mechanism: str, month: int, slots: NDArray[np.intp], count: int) -> Floats:
        """Uniform draws on [0, 1) for a few slots alone, (slots, count), double precision.

        A slot's draws lie 2^20 numbers apart from its neighbour's in the month's stretch.
        """
        values = np.empty((len(slots), count))
        draw = self._at(mechanism, month).random
        _, bits, _ = self._streams[mechanism]
        place = 0
        for row, goal in zip(values, np.multiply(slots, SLOT_STRIDE).tolist(), strict=True):
            bits.advance(goal - place)
            draw(out=row)
            place = goal + count
        return values

    def normal(self, mechanism: str, month: int, shape: int | tuple[int, ...]) -> Floats:
        """Standard normal, double precision; for the few zones, sectors and measures."""
        return self._at(mechanism, month).standard_normal(shape)

    def laplace(self, mechanism: str, month: int, shape: int) -> Floats:
        """Laplace with mean 0 and scale 1, by inversion of a uniform draw; at most ±16.6."""
        centred = self.uniform(mechanism, month, shape)
        centred *= 2.0
        centred -= 1.0
        size = np.abs(centred)
        np.subtract(1.0, size, out=size)
        size.clip(SMALLEST, 1.0, out=size)
        np.log(size, out=size)
        return np.copysign(size, centred, out=size)


def parameter_uniforms(seed: int, run: int, names: Sequence[str]) -> Floats:
    """One uniform draw on (0, 1) for each named parameter of one run, shape (names,).

    Keyed by name, so that a new parameter leaves the draws of all others as they were.
    """
    bits = np.random.PCG64DXSM(np.random.SeedSequence(seed, spawn_key=(run, PARAMETER_KEY)))
    generator, place = np.random.Generator(bits), 0
    values = np.empty(len(names))
    for position, name in enumerate(names):
        goal = zlib.crc32(name.encode()) * SLOT_STRIDE
        bits.advance(goal - place)
        values[position] = generator.random()
        place = goal + 1
    return np.clip(values, SMALLEST, 1.0 - SMALLEST)


def poisson_quantile(uniform: Floats, mean: Floats) -> Floats:
    """Smallest count whose Poisson probability reaches ``uniform``; 0 where the mean is 0.

    Both are (zones,), double precision; a count is at most 10,000 above the mean.
    """
    return _poisson_quantile(uniform.clip(1e-7, 1.0 - 1e-7), mean)


@kernel
def _poisson_quantile(uniform: Floats, mean: Floats) -> Floats:
    counts = np.zeros(len(mean))
    for z in range(len(mean)):
        # the sum starts so far below the mean that nothing is lost, and ends for sure
        first = max(0.0, np.floor(mean[z] - 12.0 * np.sqrt(mean[z]) - 12.0))
        if mean[z] <= 0.0:
            continue
        log_chance = first * np.log(mean[z]) - mean[z] - math.lgamma(first + 1.0)
        count, chance = first, np.exp(log_chance)
        reached = chance
        while reached < uniform[z] and count < mean[z] + 10_000.0:
            count += 1.0
            chance *= mean[z] / count
            reached += chance
        counts[z] = count
    return counts
