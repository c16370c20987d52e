"""The runs on disk: chunks of Parquet files, each complete or absent, and a manifest.

    DIR/manifest.json                 what the runs are of; written once, first
    DIR/inputs/*.yaml                 the files that they were made from
    DIR/runs/chunk-000000/            runs 0 to 24: series, costs and parameters as Parquet,
                                      chunk.json with their checksums
    DIR/runs/again-000000/            runs 0 to 24 again: the same parameters, other luck
A chunk is written beside its place and renamed into it, so whatever stops the program leaves whole
chunks only, and the same command goes on from them.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from sim.draws import AGAIN
from sim.errors import RunError
from sim.scenario import Inputs

FORMAT = 1
RUNS_PER_CHUNK = 25
TABLES = ("series", "costs", "parameters")

Floats = NDArray[Any]


@dataclass(frozen=True)
class Chunk:
    """Consecutive runs: series (runs, T + 1, columns), costs alike, parameters (runs, entries)."""

    first: int
    series: Floats
    costs: Floats
    parameters: Floats


@dataclass(frozen=True)
class Columns:
    """The names of what a chunk's arrays hold."""

    months: Sequence[str]
    series: Sequence[str]
    costs: Sequence[str]
    parameters: Sequence[str]


def identity(inputs: Inputs, seed: int, version: str) -> dict[str, Any]:
    """What makes two sets of runs the same: files, seed, program version and format."""
    return {
        "format": FORMAT,
        "version": version,
        "code": code_sha256(),
        "scenario": inputs.scenario.id,
        "plan": inputs.plan.id,
        "economy": inputs.economy.id,
        "sha256": {name: source.sha256 for name, source in inputs.sources.items()},
        "seed": seed,
        "runs_per_chunk": RUNS_PER_CHUNK,
    }


def code_sha256() -> str:
    """One sum over the program's source files: other code makes other runs."""
    root = Path(__file__).parent
    sums = hashlib.sha256()
    for file in sorted(root.rglob("*.py")):
        sums.update(str(file.relative_to(root)).encode())
        sums.update(file.read_bytes())
    return sums.hexdigest()


class Store:
    """The runs of one scenario and seed in one directory."""

    def __init__(self, path: Path, columns: Columns) -> None:
        self.path = path
        self.columns = columns

    def has(self, number: int) -> bool:
        """Whether a chunk is there and undamaged; a damaged one is removed."""
        folder = self._folder(number)
        if not folder.exists():
            return False
        try:
            sums = json.loads((folder / "chunk.json").read_text())["sha256"]
            if all(_sha256(folder / f"{name}.parquet") == sums[name] for name in TABLES):
                return True
        except (OSError, ValueError, KeyError, TypeError):
            pass
        if folder.is_dir():
            shutil.rmtree(folder)
        else:
            folder.unlink()
        return False

    def write(self, chunk: Chunk) -> None:
        """Write one chunk, whole or not at all."""
        number = chunk.first // RUNS_PER_CHUNK
        folder = self._folder(number)
        draft = folder.with_name(f".{folder.name}.part")
        try:
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(parents=True)
            runs = np.arange(chunk.first, chunk.first + len(chunk.series), dtype=np.int32)
            months = list(self.columns.months)
            _write_table(draft / "series.parquet", runs, months, self.columns.series, chunk.series)
            _write_table(draft / "costs.parquet", runs, months, self.columns.costs, chunk.costs)
            values = chunk.parameters[:, None, :]
            _write_table(draft / "parameters.parquet", runs, None, self.columns.parameters, values)
            sums = {name: _sha256(draft / f"{name}.parquet") for name in TABLES}
            note = {"first_run": chunk.first, "runs": len(chunk.series), "sha256": sums}
            write_text(draft / "chunk.json", json.dumps(note, indent=1))
            os.replace(draft, folder)
            _sync(folder.parent)
        except OSError as error:
            shutil.rmtree(draft, ignore_errors=True)
            raise RunError(
                f"{self.path}: cannot write runs ({error.strerror or error}); "
                "the finished ones are kept, the same command goes on from them"
            ) from None

    def table(
        self,
        name: str,
        columns: Sequence[str],
        runs: int,
        months: Sequence[str] | None = None,
        first: int = 0,
    ) -> pa.Table:
        """Columns of one table for ``runs`` runs from ``first`` on, sorted by run (and month)."""
        chunks = range(first // RUNS_PER_CHUNK, -(-(first + runs) // RUNS_PER_CHUNK))
        files = [str(self._folder(number) / f"{name}.parquet") for number in chunks]
        wanted = pads.field("run") < first + runs
        keys = ["run"]
        if name != "parameters":
            keys.append("month")
            if months is not None:
                wanted = wanted & pads.field("month").isin(list(months))
        return pads.dataset(files).to_table(columns=[*keys, *columns], filter=wanted)

    def _folder(self, number: int) -> Path:
        again = number - AGAIN // RUNS_PER_CHUNK
        name = f"again-{again:06d}" if again >= 0 else f"chunk-{number:06d}"
        return self.path / "runs" / name


@contextmanager
def open_store(
    path: Path, inputs: Inputs, seed: int, version: str, columns: Columns
) -> Iterator[Store]:
    """The store in a directory: new, or the one that the same inputs and seed began.

    Raises:
        RunError: the directory holds another forecast or other files, is in use, or is not
            writable.
    """
    wanted = identity(inputs, seed, version)
    manifest = path / "manifest.json"
    lock = FileLock(path / ".lock")
    try:
        if manifest.exists():
            _check_same(manifest, wanted)
        else:
            _check_free(path)
        path.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
        if not manifest.exists():
            _keep_inputs(path, inputs)
            write_text(manifest, json.dumps(wanted, indent=1, ensure_ascii=False))
        _check_same(manifest, wanted)
    except Timeout:
        raise RunError(f"{path}: another process is writing there; wait for it to end") from None
    except OSError as error:
        lock.release()
        raise _not_writable(path, error) from None
    except RunError:
        lock.release()
        raise
    try:
        yield Store(path, columns)
    finally:
        lock.release()


def _not_writable(path: Path, error: OSError) -> RunError:
    reason = error.strerror or str(error)
    return RunError(f"{path}: cannot be written ({reason}); give another directory with --out")


def _check_free(path: Path) -> None:
    """An output directory is new, empty, or begun by a forecast that was stopped at once."""
    if path.exists() and not path.is_dir():
        raise RunError(f"{path}: is a file; give a directory with --out")
    left = {item.name for item in path.iterdir()} if path.exists() else set()
    left -= {"inputs", ".lock", ".manifest.json.part"}
    if left:
        names = ", ".join(sorted(left)[:4]) + (", …" if len(left) > 4 else "")
        raise RunError(
            f"{path}: holds other files ({names}); give an empty or a new directory with --out"
        )


def _check_same(manifest: Path, wanted: dict[str, Any]) -> None:
    try:
        found = json.loads(manifest.read_text(encoding="utf-8"))
        was = {name: str(found["sha256"][name]) for name in wanted["sha256"]}
    except (OSError, ValueError, KeyError, TypeError):
        raise RunError(f"{manifest}: is damaged; give another directory with --out") from None
    changed = [name for name in was if was[name] != wanted["sha256"][name]]
    details = [
        f"{key} is {found.get(key)!r} there and {wanted[key]!r} here"
        for key in wanted
        if key != "sha256" and found.get(key) != wanted[key]
    ]
    if changed:
        details.append(f"its {' and '.join(changed)} file has changed since")
    if details:
        raise RunError(
            f"{manifest.parent}: holds another forecast ({details[0]}); "
            "give another directory with --out"
        )


def _keep_inputs(path: Path, inputs: Inputs) -> None:
    """Copies under their names, in one folder: the scenario finds its plan and economy there."""
    folder = path / "inputs"
    folder.mkdir(exist_ok=True)
    texts = {name: source.text for name, source in inputs.sources.items()}
    for name in ("plan", "economy"):
        file = inputs.sources[name].path.name
        texts["scenario"] = re.sub(
            rf"^{name}:.*$", f"{name}: {file}", texts["scenario"], count=1, flags=re.MULTILINE
        )
    for name, source in inputs.sources.items():
        write_text(folder / source.path.name, texts[name])


def _write_table(
    path: Path,
    runs: NDArray[np.int32],
    months: list[str] | None,
    names: Sequence[str],
    values: Floats,
) -> None:
    """A wide table with a row for each run and month; values are (runs, months, columns)."""
    per_run = values.shape[1]
    arrays: list[pa.Array] = [pa.array(np.repeat(runs, per_run))]
    labels = ["run"]
    if months is not None:
        arrays.append(pa.array(months * len(runs)).dictionary_encode())
        labels.append("month")
    flat = values.reshape(-1, values.shape[2]).astype(np.float32).T.copy()
    arrays += [pa.array(column) for column in flat]
    table = pa.Table.from_arrays(arrays, names=[*labels, *names])
    with path.open("wb") as file:
        pq.write_table(
            table,
            file,
            compression="zstd",
            use_dictionary=["month"] if months is not None else False,
            use_byte_stream_split=list(names),
        )
        file.flush()
        os.fsync(file.fileno())


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    draft = path.with_name(f".{path.name}.part")
    try:
        with draft.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
