"""The base's runs on disk, so that the next start has them at once.

OUT/base-<key>.npz    ends and paths of all runs; the key is the checksum of what they depend on
"""

from __future__ import annotations

import hashlib
import zipfile
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import numpy as np

from sim.dashboard.runs import Batch, Runs
from sim.scenario import Inputs
from sim.store import LIBRARIES, code_sha256, whole_file

FORMAT = 1
MOST_FILES = 4  # some 10 MB each; the oldest goes


def read(folder: Path, runs: Runs, seed: int) -> bool:
    """Take up the runs of an earlier start, where all are there and whole."""
    try:
        with np.load(_file(folder, runs, seed), allow_pickle=False) as kept:
            batch = Batch(0, kept["ends"], kept["paths"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return False
    if batch.ends.shape != runs.ends.shape or batch.paths.shape != runs.paths.shape:
        return False
    runs.add(batch)
    return True


def write(folder: Path, runs: Runs, seed: int) -> None:
    """Keep complete runs, whole or not at all; of older ones only the newest few stay.

    Raises:
        OSError: the disk does not take them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with whole_file(_file(folder, runs, seed)) as draft, draft.open("wb") as file:
        np.savez_compressed(file, ends=runs.ends, paths=runs.paths)
    others = sorted(folder.glob("base-*.npz"), key=lambda kept: kept.stat().st_mtime)
    for other in others[:-MOST_FILES]:
        with suppress(OSError):
            other.unlink()


def _file(folder: Path, runs: Runs, seed: int) -> Path:
    parts = [str(FORMAT), code_sha256(), str(seed), str(runs.most), ",".join(runs.columns)]
    parts += [version(name) for name in LIBRARIES]
    parts += [_content(runs.inputs, kind) for kind in sorted(runs.inputs.sources)]
    return folder / f"base-{hashlib.sha256('|'.join(parts).encode()).hexdigest()[:32]}.npz"


def _content(inputs: Inputs, kind: str) -> str:
    return f"{kind} {inputs.sources[kind].sha256}"
