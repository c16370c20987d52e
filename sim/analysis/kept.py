"""Evaluated runs on disk: small files, each complete or absent, and damage is noticed.

    OUT/evaluations/manifest.json        the program and libraries that made them
    OUT/evaluations/<checksum>.parquet   a task's runs: variant, run, values
A file's name is the checksum of its content; ``variant`` is the checksum of what its runs depend
on, the seed included. The names of the values, and what program made them, stand in the file's
metadata, so that a damaged manifest can be written anew.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sim import __version__
from sim.errors import RunError
from sim.store import (
    DAMAGE,
    LIBRARIES,
    Floats,
    code_sha256,
    fingerprint,
    locked,
    read_sealed,
    reason,
    whole_file,
    write_sealed,
)

FORMAT = 2
FOLDER = "evaluations"
ADVICE = "remove it, or give another directory with --out"

Stretch = tuple[str, int, int]  # a variant's key, its first run here, and how many runs follow


class Kept:
    """The runs in one folder. The index is in memory, the values are not."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._program = fingerprint(_program())
        self._files: dict[str, list[Stretch]] = {}
        for file in folder.glob("*.parquet"):
            content = _content(file)
            if content is None:
                file.unlink()
            elif _made_by(content) == self._program:
                self._files[file.name] = _stretches(content)

    def read(self, keys: Collection[str], runs: range) -> Iterator[tuple[str, int, Floats]]:
        """What is there of some variants in some runs: key, first run, values (runs, columns).

        Raises:
            RunError: a file can no longer be read.
        """
        for name, stretches in self._files.items():
            if not any(
                key in keys and first < runs.stop and runs.start < first + count
                for key, first, count in stretches
            ):
                continue
            content = _content(self.folder / name)
            if content is None:
                raise RunError(
                    f"{self.folder / name}: was changed or removed meanwhile; start again"
                )
            values = _values(content)
            start = 0
            for key, first, count in stretches:
                low, high = max(first, runs.start), min(first + count, runs.stop)
                if key in keys and low < high:
                    yield key, low, values[start + low - first : start + high - first]
                start += count

    def write(self, stretches: Sequence[Stretch], columns: Sequence[str], values: Floats) -> None:
        """Write a task's runs (runs, columns) in the order of ``stretches``, whole or not at all.

        Raises:
            OSError: the disk does not take it; nothing of it is left.
        """
        variants = [key for key, _, count in stretches for _ in range(count)]
        runs = np.concatenate([np.arange(first, first + count) for _, first, count in stretches])
        lists = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])
        table = pa.table({"variant": variants, "run": runs, "values": lists})
        about = {"columns": json.dumps(list(columns)), "program": self._program}
        table = table.replace_schema_metadata(about)
        buffer = io.BytesIO()
        pq.write_table(table, buffer, compression="zstd", write_statistics=False)
        content = buffer.getvalue()
        name = f"{_checksum(content)}.parquet"
        with whole_file(self.folder / name) as draft:
            draft.write_bytes(content)
        self._files[name] = list(stretches)


@contextmanager
def opened(out: Path) -> Iterator[Kept]:
    """The evaluated runs in ``out``, which no other process uses meanwhile.

    Raises:
        RunError: another process writes there, the runs are another program's, the folder holds
            other files, or it cannot be read or written.
    """
    folder, manifest = out / FOLDER, out / FOLDER / "manifest.json"
    try:
        if out.exists() and not out.is_dir():
            raise RunError(f"{out}: is a file; give a directory with --out")
        _check(folder, manifest)
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(folder, error) from None
    with locked(out):
        try:
            folder.mkdir(exist_ok=True)
            for draft in folder.glob(".*.part"):
                draft.unlink()
            if not _check(folder, manifest):
                write_sealed(manifest, _program())
            kept = Kept(folder)
        except OSError as error:
            raise _unusable(folder, error) from None
        yield kept


def _unusable(folder: Path, error: OSError) -> RunError:
    where = error.filename or folder
    return RunError(f"{where}: cannot be used ({reason(error)}); give another directory with --out")


def _check(folder: Path, manifest: Path) -> bool:
    """Whether the manifest says that runs of this program were begun here; nothing is changed.

    Where it is damaged or gone, but the runs say so, it is to be written anew.
    """
    if not manifest.exists():
        left = {file.name for file in folder.iterdir()} if folder.exists() else set()
        left = {name for name in left if not name.endswith(".part")}
        if left and not _has_own(folder):
            raise RunError(f"{folder}: holds other files ({', '.join(sorted(left)[:4])}); {ADVICE}")
        return False
    try:
        found = read_sealed(manifest)
        differing = [name for name, value in _program().items() if found[name] != value]
    except (ValueError, LookupError, TypeError, RecursionError):
        if _has_own(folder):
            return False
        raise RunError(f"{manifest}: is damaged or not this program's; {ADVICE}") from None
    if differing:
        names = " and ".join(differing)
        raise RunError(
            f"{folder}: holds runs made by another version of the program (other {names}); {ADVICE}"
        )
    return True


def _program() -> dict[str, Any]:
    """What the runs depend on besides their variant, seed and number."""
    return {
        "format": FORMAT,
        "version": __version__,
        "code": code_sha256(),
        "libraries": {name: version_of(name) for name in LIBRARIES},
    }


def _has_own(folder: Path) -> bool:
    """Whether any file is whole and made by this program."""
    own = fingerprint(_program())
    contents = (_content(file) for file in sorted(folder.glob("*.parquet")))
    return any(content is not None and _made_by(content) == own for content in contents)


def _made_by(content: bytes) -> str:
    """The program that made a file's runs."""
    about = pq.read_schema(io.BytesIO(content)).metadata or {}
    return bytes(about.get(b"program", b"")).decode()


def _content(file: Path) -> bytes | None:
    """A file's bytes; none where they are not those that were written."""
    try:
        content = file.read_bytes()
    except OSError as error:
        if error.errno not in DAMAGE:
            raise
        return None
    return content if _checksum(content) == file.stem else None


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


def _stretches(content: bytes) -> list[Stretch]:
    """A file's runs, in its order."""
    table = pq.read_table(io.BytesIO(content), columns=["variant", "run"])
    stretches: list[Stretch] = []
    for key, run in zip(table["variant"].to_pylist(), table["run"].to_pylist(), strict=True):
        if stretches and stretches[-1][0] == key and sum(stretches[-1][1:]) == run:
            stretches[-1] = key, stretches[-1][1], stretches[-1][2] + 1
        else:
            stretches.append((key, run, 1))
    return stretches


def _values(content: bytes) -> Floats:
    """A file's values, (runs, columns)."""
    column = pq.read_table(io.BytesIO(content), columns=["values"])["values"].combine_chunks()
    values: Floats = column.flatten().to_numpy()
    return values.reshape(len(column), -1)
