"""The one source of chance: every draw is keyed by seed, run, mechanism, month and slot.

A mechanism has a stream of its own (a ``SeedSequence`` child by run and name), a month has its own
stretch of 2^64 numbers in it, and a slot its own place in the stretch. So a draw does not depend on
who else is alive, on the order of work, or on mechanisms added later, and two scenarios of one run
meet the same luck (common random numbers).
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

MONTH_STRIDE = 2**64
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
        self._streams: dict[str, tuple[np.random.Generator, dict[str, Any]]] = {}

    def _at(self, mechanism: str, month: int) -> np.random.Generator:
        if mechanism not in self._streams:
            key = zlib.crc32(mechanism.encode())
            sequence = np.random.SeedSequence(self.seed, spawn_key=(self.run, key))
            bits = np.random.PCG64DXSM(sequence)
            self._streams[mechanism] = (np.random.Generator(bits), dict(bits.state))
        generator, start = self._streams[mechanism]
        bits = generator.bit_generator
        bits.state = start
        bits.advance(month * MONTH_STRIDE)  # type: ignore[attr-defined]
        return generator

    def uniform(self, mechanism: str, month: int, shape: int | tuple[int, ...]) -> Floats:
        """Uniform on [0, 1), single precision; the first axis is the slot."""
        return self._at(mechanism, month).random(shape, dtype=np.float32)

    def normal(self, mechanism: str, month: int, shape: int | tuple[int, ...]) -> Floats:
        """Standard normal, double precision; for zones, sectors and measures, of which few exist."""
        return self._at(mechanism, month).standard_normal(shape)

    def laplace(self, mechanism: str, month: int, shape: int) -> Floats:
        """Laplace with mean 0 and scale 1, by inversion of a uniform draw; at most ±16.6."""
        centred = self.uniform(mechanism, month, shape)
        centred *= 2.0
        centred -= 1.0
        size = np.abs(centred)
        np.subtract(1.0, size, out=size)
        np.maximum(size, SMALLEST, out=size)
        np.log(size, out=size)
        return np.copysign(size, centred, out=size)


def parameter_uniforms(seed: int, run: int, names: Sequence[str]) -> Floats:
    """One uniform draw on (0, 1) for each named parameter of one run, shape (names,).

    Keyed by name, so that a new parameter leaves the draws of all others as they were.
    """
    values = np.empty(len(names))
    for position, name in enumerate(names):
        key = zlib.crc32(f"parameter {name}".encode())
        sequence = np.random.SeedSequence(seed, spawn_key=(run, key))
        values[position] = (sequence.generate_state(1, np.uint64)[0] + 0.5) / 2.0**64
    return values
