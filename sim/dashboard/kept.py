"""Forecasts on disk, each in a folder as ``pudong forecast`` leaves it.

    OUT/<scenario>-<key>/    runs, inputs and, once a briefing was made, summary and comparison;
                             the key is the checksum of what the runs depend on

The base's is begun at the first start, a what-if's when a briefing asks for it or when it has many
runs. What lies there is not made again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from sim import __version__
from sim.analysis.published import Published
from sim.blueprint import Floats
from sim.dashboard.runs import Pieces, Runs
from sim.draws import AGAIN
from sim.errors import RunError
from sim.montecarlo import repeats
from sim.plan import DISTRICT
from sim.scenario import Inputs
from sim.store import (
    RUNS_PER_CHUNK,
    Pick,
    Store,
    fingerprint,
    identity,
    locked,
    open_store,
    reason,
)

MOST = 10  # forecasts; some 40 MB each with 2,000 runs of the real district
KEY = 12  # letters of a folder's key
PATIENCE = 3.0  # seconds to wait for another process that is writing


class Kept:
    """The forecasts in one folder, all of one seed and of the base's plan and economy."""

    def __init__(self, folder: Path, base: Inputs, seed: int) -> None:
        self.folder = folder
        self.seed = seed
        self._shared = identity(base, seed, __version__)

    def place(self, runs: Runs) -> Path:
        """The folder of a scenario's runs, by its content and its names."""
        if runs.given:
            return runs.given
        own = runs.inputs.sources["scenario"].sha256
        known = json.dumps([self._shared, own], sort_keys=True)
        key = hashlib.sha256(known.encode()).hexdigest()[:KEY]
        return self.folder / f"{runs.inputs.scenario.id}-{key}"

    def take(self, runs: Runs) -> None:
        """Take up the runs that lie on disk whole and undamaged."""
        place = self.place(runs)
        store = self._store(runs)
        plan = runs.inputs.plan
        zones = [*plan.zone_ids(), DISTRICT]
        picks = [Pick([f"{target}.{zone}" for zone in zones]) for target in plan.target_ids()]
        for number in range(runs.most // RUNS_PER_CHUNK):
            first = number * RUNS_PER_CHUNK
            try:
                if not store.is_sound(number):
                    continue
                series = np.array(list(store.scan("series", picks, RUNS_PER_CHUNK, first)))
                (costs,) = store.scan("costs", [Pick(runs.names.costs)], RUNS_PER_CHUNK, first)
            except OSError:  # made again, as if it were not there
                continue
            runs.take(first, series.transpose(3, 2, 0, 1), costs.transpose(2, 1, 0))
            runs.kept.add(number)
        if runs.kept:
            runs.folder = place
            self._use(place)

    def keep(self, runs: Runs) -> None:
        """Put whole chunks on disk, and there under the scenario's present name.

        Raises:
            RunError: the disk does not take them, or another process is writing there.
        """
        place = self.place(runs)
        whole = runs.pieces.whole()
        if not whole and (not runs.kept or place == runs.folder):
            return
        with self._open(runs) as store:
            if runs.folder is not None and runs.folder != place:  # it has another name now
                earlier = Store(runs.folder, runs.names)
                for number in runs.kept:
                    if not store.has(number) and earlier.is_sound(number):
                        store.adopt(earlier, number)
            runs.folder = place
            for number, chunk in whole.items():
                if not store.has(number):
                    store.write(chunk)
                runs.kept.add(number)
                runs.pieces.drop(number)

    def lacking(self, runs: Runs) -> list[tuple[int, int]]:
        """What its forecast needs beside the runs: repeats, as (first run, number of runs)."""
        store = self._store(runs)
        numbers = range(repeats(runs.most) // RUNS_PER_CHUNK)
        starts = [AGAIN + number * RUNS_PER_CHUNK for number in numbers]
        return [
            (first, RUNS_PER_CHUNK)
            for first in starts
            if not store.is_sound(first // RUNS_PER_CHUNK)
        ]

    def keep_repeats(self, runs: Runs, pieces: Pieces) -> None:
        """Likewise, of repeats."""
        with self._open(runs) as store:
            for number, chunk in pieces.whole().items():
                if not store.has(number):
                    store.write(chunk)
                pieces.drop(number)

    def values(self, runs: Runs, indicators: Sequence[str], zone: str, month: str) -> Floats:
        """Indicators in a zone and month of the runs that are there (indicators, runs)."""
        names = [f"{indicator}.{zone}" for indicator in indicators]
        places = [list(runs.names.series).index(name) for name in names]
        found, there = np.full((len(names), runs.most), np.nan), runs.there.copy()
        for part in runs.pieces.parts():
            at = list(runs.names.months).index(month)
            here = slice(part.first, part.first + len(part.series))
            found[:, here] = part.series[:, at, places].T
        store = Store(runs.folder or self.folder, runs.names)
        for number in list(runs.kept):
            first = number * RUNS_PER_CHUNK
            (chunk,) = store.scan("series", [Pick(names, [month])], RUNS_PER_CHUNK, first)
            found[:, first : first + RUNS_PER_CHUNK] = chunk[:, 0]
        return found[:, there]

    def sweep(self, using: Collection[Path]) -> None:
        """Remove the forecasts that were used longest ago, beyond the newest few."""
        named = f"*-{KEY * '[0-9a-f]'}"  # what else lies there is somebody's own
        files = self.folder.glob(f"{named}/manifest.json")
        found = [(file.stat().st_mtime, file.parent) for file in files]
        for _, place in sorted(found)[:-MOST]:
            if place not in using:
                with suppress(OSError, RunError), locked(place):
                    shutil.rmtree(place)

    def _store(self, runs: Runs) -> Store:
        """The store of a scenario's runs as it lies there; a given forecast was checked before."""
        of = None if runs.given else fingerprint(identity(runs.inputs, self.seed, __version__))
        return Store(self.place(runs), runs.names, of)

    @contextmanager
    def _open(self, runs: Runs) -> Iterator[Store]:
        place, names = self.place(runs), runs.names
        opened = open_store(place, runs.inputs, self.seed, __version__, names, PATIENCE)
        try:
            with opened as store:
                self._use(place)
                yield store
        except OSError as error:
            raise RunError(f"{place}: cannot be written ({reason(error)})") from None

    def _use(self, place: Path) -> None:
        with suppress(OSError):
            os.utime(place / "manifest.json")


def check_usable(forecast: Published) -> None:
    """Refuse a finished forecast that no what-if's runs can be held against.

    Raises:
        RunError: another version of the program made it, or its last chunk is not whole.
    """
    path, manifest, runs = forecast.finished.path, forecast.finished.manifest, forecast.summary.runs
    now = identity(forecast.finished.inputs, forecast.summary.seed, __version__)
    if any(manifest.get(name) != now[name] for name in ("version", "code", "libraries")):
        raise RunError(
            f"{path}: was made by another version of the program or its libraries, so that other "
            "scenarios would not meet the same luck; make the forecast again with this one"
        )
    if runs % RUNS_PER_CHUNK:
        more = -(-runs // RUNS_PER_CHUNK) * RUNS_PER_CHUNK
        raise RunError(
            f"{path}: has {runs} runs; the page takes whole chunks of {RUNS_PER_CHUNK}: go on to "
            f"{more} with the same forecast command"
        )
