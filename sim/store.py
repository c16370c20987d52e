"""The runs on disk: chunks of Parquet files, each complete or absent, and a manifest.

    DIR/manifest.json                 what the runs are of, and checksums of inputs/; written first
    DIR/README.md                     what lies here, and how to open it
    DIR/inputs/*.yaml                 the files that they were made from
    DIR/runs/chunk-000000/            runs 0 to 24: series, costs and parameters as Parquet,
                                      chunk.json with their checksums and what they are of
    DIR/runs/again-000000/            runs 0 to 24 again: the same parameters, other luck
A chunk is written beside its place and renamed into it, so whatever stops the program leaves whole
chunks only, and the same command goes on from them. What was changed or cut is noticed by its
checksum and made again. docs/store.md says what is promised.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version as version_of
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from sim.draws import AGAIN
from sim.errors import RunError, plain
from sim.files import yaml_text
from sim.plan import DISTRICT
from sim.scenario import Inputs
from sim.seal import JSON, Unsealed, seal, unseal
from sim.text import markdown

FORMAT = 2
RUNS_PER_CHUNK = 25
PASS_BYTES = 2**30  # held at once by a pass over the chunks; more is read in several passes
TABLES = ("series", "costs", "parameters")
LIBRARIES = ("numpy", "scipy", "numba", "pyarrow")  # that the bytes depend on
SHOWN_ONLY = ("cli", "dashboard", "report")  # packages that ask for runs or show them
NAMED_IN = {"plan": "scenario", "economy": "scenario", "posterior": "economy"}
README = Path(__file__).with_name("store_readme.md")

FULL = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "a file would be larger than is allowed here",
}
LONGEST = 60  # characters of a file's name while it is written; systems take 255 bytes
DEEPEST = 200  # bytes that the names of files within an output directory may take
# What reading a damaged chunk may meet; any other error says nothing about the chunk.
DAMAGE = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EIO)

Floats = NDArray[Any]


@dataclass(frozen=True)
class Chunk:
    """Consecutive runs: series (runs, T + 1, columns), costs alike, parameters (runs, entries).

    ``made_with``: the kind of kernels and the processor, see ``sim.kernels.made_with``.
    """

    first: int
    series: Floats
    costs: Floats
    parameters: Floats
    made_with: dict[str, str]


@dataclass(frozen=True)
class Columns:
    """The names of what a chunk's arrays hold."""

    months: Sequence[str]
    series: Sequence[str]
    costs: Sequence[str]
    parameters: Sequence[str]


@dataclass(frozen=True)
class Pick:
    """What to read of a table: columns in some months (none: all), or their sums over them."""

    columns: Sequence[str]
    months: Sequence[str] | None = None
    total: bool = False


def identity(inputs: Inputs, seed: int, version: str) -> dict[str, Any]:
    """What makes two sets of runs the same to the byte: files, seed, program and libraries."""
    return {
        "format": FORMAT,
        "version": version,
        "code": code_sha256(),
        "libraries": {name: version_of(name) for name in LIBRARIES},
        "scenario": inputs.scenario.id,
        "plan": inputs.plan.id,
        "economy": inputs.economy.id,
        "sha256": {name: source.sha256 for name, source in inputs.sources.items()},
        "seed": seed,
        "runs_per_chunk": RUNS_PER_CHUNK,
    }


def fingerprint(manifest: dict[str, Any]) -> str:
    """What the runs are of in one sum, which stands with every chunk: ``identity``, no copies."""
    own = {name: value for name, value in manifest.items() if name != "inputs"}
    return hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()


def code_sha256() -> str:
    """One sum over the source files that runs may depend on: other code makes other runs."""
    root = Path(__file__).parent
    sums = hashlib.sha256()
    for file in sorted(root.rglob("*.py")):
        if file.relative_to(root).parts[0] in SHOWN_ONLY:
            continue
        sums.update(str(file.relative_to(root)).encode())
        sums.update(file.read_bytes())
    return sums.hexdigest()


class Store:
    """The runs of one scenario and seed in one directory.

    ``of``: the fingerprint of what they must be of; none: of whatever they are.
    """

    def __init__(self, path: Path, columns: Columns, of: str | None = None) -> None:
        self.path = path
        self.columns = columns
        self.of = of
        self._sound: set[int] = set()  # chunks that this process wrote or has checked

    def has(self, number: int) -> bool:
        """Whether a chunk is there and undamaged, by its checksums; a damaged one is removed.

        Raises:
            OSError: the chunk cannot be looked at, or a damaged one not be removed.
        """
        if number in self._sound:
            return True
        folder = self._folder(number)
        if not folder.exists():
            return False
        if self.is_sound(number):
            self._sound.add(number)
            return True
        if folder.is_dir():
            shutil.rmtree(folder)
        else:
            folder.unlink()
        return False

    def is_sound(self, number: int) -> bool:
        """Whether a chunk is there and undamaged, by its checksums; nothing is changed.

        Raises:
            OSError: the chunk cannot be looked at.
        """
        folder, first = self._folder(number), number * RUNS_PER_CHUNK
        try:
            note = read_sealed(folder / "chunk.json")
            if self.of not in (None, note["of"]):
                return False
            return (note["first_run"], note["runs"]) == (first, RUNS_PER_CHUNK) and all(
                _sha256(folder / f"{name}.parquet") == note["sha256"][name] for name in TABLES
            )
        except OSError as error:
            if error.errno not in DAMAGE:
                raise
        except (ValueError, LookupError, TypeError, RecursionError):
            pass
        return False

    def write(self, chunk: Chunk) -> None:
        """Write one chunk, whole or not at all.

        Raises:
            OSError: the disk does not take it; nothing of it is left.
        """
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
            note = {
                "of": self.of,
                "first_run": chunk.first,
                "runs": len(chunk.series),
                "sha256": sums,
                "made_with": chunk.made_with,
            }
            (draft / "chunk.json").write_text(_sealed(note), encoding="utf-8")
            _sync(draft / "chunk.json")
            _sync(draft)
            os.replace(draft, folder)
            _sync(folder.parent)
        except OSError:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        self._sound.add(number)

    def adopt(self, other: Store, number: int) -> None:
        """Copy a sound chunk of another store that holds the same runs, whole or not at all.

        Raises:
            OSError: the disk does not take it; nothing of it is left.
        """
        folder = self._folder(number)
        draft = folder.with_name(f".{folder.name}.part")
        try:
            shutil.copytree(other._folder(number), draft)
            note = read_sealed(draft / "chunk.json") | {"of": self.of}
            (draft / "chunk.json").write_text(_sealed(note), encoding="utf-8")
            os.replace(draft, folder)
        except OSError:
            shutil.rmtree(draft, ignore_errors=True)
            raise

    def table(
        self,
        name: str,
        columns: Sequence[str],
        runs: int,
        months: Sequence[str] | None = None,
        first: int = 0,
    ) -> pa.Table:
        """Columns of one table for ``runs`` runs from ``first`` on, sorted by run (and month)."""
        keys = ["run"] if name == "parameters" else ["run", "month"]
        wanted = pc.field("run") < first + runs
        if "month" in keys and months is not None:
            wanted = wanted & pc.field("month").isin(list(months))
        chunks = range(first // RUNS_PER_CHUNK, -(-(first + runs) // RUNS_PER_CHUNK))
        files = (self._folder(number) / f"{name}.parquet" for number in chunks)
        return pa.concat_tables(
            _read_table(file, [*keys, *columns]).filter(wanted) for file in files
        )

    def scan(self, name: str, picks: Sequence[Pick], runs: int, first: int = 0) -> Iterator[Floats]:
        """The values of each pick in turn, for ``runs`` runs from ``first`` (a chunk's first) on.

        All picks are read in one pass over the chunks, or, where they hold more than PASS_BYTES
        together, in as few passes as hold no more each (a larger pick has a pass of its own).

        Returns:
            For each pick (columns, months, runs), single precision as it is stored; sums over
            months (columns, 1, runs) in double precision. Of the table ``parameters``, which has
            no months, (columns, 1, runs).
        """
        months = [""] if name == "parameters" else list(self.columns.months)
        waiting = list(picks)
        while waiting:
            arrays: list[Floats] = []
            while waiting and (
                not arrays
                or sum(array.nbytes for array in arrays) + _bytes(waiting[0], months, runs)
                <= PASS_BYTES
            ):
                arrays.append(_room(waiting[0], months, runs))
                waiting.pop(0)
            done = picks[len(picks) - len(waiting) - len(arrays) : len(picks) - len(waiting)]
            self._fill(name, done, months, arrays, first)
            while arrays:  # given away, so that each can be freed before the next pass
                yield arrays.pop(0)

    def _fill(
        self,
        name: str,
        picks: Sequence[Pick],
        months: Sequence[str],
        arrays: Sequence[Floats],
        first: int,
    ) -> None:
        """Read the picks of one pass into their arrays."""
        columns = list(dict.fromkeys(column for pick in picks for column in pick.columns))
        place = {column: n for n, column in enumerate(columns)}
        wanted = [
            (
                [place[column] for column in pick.columns],
                [months.index(month) for month in pick.months or months],
                pick.total,
            )
            for pick in picks
        ]
        runs = arrays[0].shape[2]
        for start in range(0, runs, RUNS_PER_CHUNK):
            file = self._folder((first + start) // RUNS_PER_CHUNK) / f"{name}.parquet"
            table = _read_table(file, columns)
            block = np.stack([table.column(column).to_numpy() for column in columns])
            block = block.reshape(len(columns), RUNS_PER_CHUNK, len(months))
            block = block[:, : runs - start]
            here = slice(start, start + block.shape[1])
            for (rows, chosen, total), array in zip(wanted, arrays, strict=True):
                if total:
                    array[:, 0, here] = block[rows][:, :, chosen].astype(float).sum(axis=2)
                else:
                    array[:, :, here] = block[rows][:, :, chosen].transpose(0, 2, 1)

    def _folder(self, number: int) -> Path:
        return self.path / "runs" / chunk_name(number)


def chunk_name(number: int) -> str:
    """What a chunk's folder is called."""
    again = number - AGAIN // RUNS_PER_CHUNK
    return f"again-{again:06d}" if again >= 0 else f"chunk-{number:06d}"


def _room(pick: Pick, months: Sequence[str], runs: int) -> Floats:
    count = 1 if pick.total else len(pick.months or months)
    return np.empty((len(pick.columns), count, runs), dtype=float if pick.total else np.float32)


def _bytes(pick: Pick, months: Sequence[str], runs: int) -> int:
    each = 8 if pick.total else 4 * len(pick.months or months)
    return len(pick.columns) * each * runs


@contextmanager
def open_store(
    path: Path, inputs: Inputs, seed: int, version: str, columns: Columns, patience: float = 0.0
) -> Iterator[Store]:
    """The store in a directory: new, or the one that the same inputs and seed began.

    ``patience``: seconds to wait for another process that is writing there.

    Raises:
        RunError: the directory holds another forecast or other files, is in use, or is not
            writable.
    """
    wanted = identity(inputs, seed, version)
    try:
        _begun(path, wanted)
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _not_writable(path, error) from None
    with locked(path, patience):
        try:
            manifest = _begun(path, wanted)
            copies = _copies(inputs, manifest["inputs"] if manifest else {})
            if manifest is None:
                sums = {
                    kind: {"file": name, "sha256": hashlib.sha256(text.encode()).hexdigest()}
                    for kind, (name, text) in copies.items()
                }
                write_sealed(path / "manifest.json", wanted | {"inputs": sums})
            _sweep(path)
            _describe(path, _readme(inputs), dict(copies.values()))
        except OSError as error:
            raise _not_writable(path, error) from None
        yield Store(path, columns, fingerprint(wanted))


@contextmanager
def locked(path: Path, patience: float = 0.0) -> Iterator[None]:
    """Nobody else writes to the directory meanwhile; the kernel ends it with the process.

    ``patience``: seconds to wait for another process that is writing there.

    Raises:
        RunError: another process writes there, or this one may not.
    """
    lock = FileLock(path / ".lock")
    try:
        _check_length(path)
        lock.acquire(timeout=patience)
    except Timeout:
        raise RunError(f"{path}: another process is writing there; wait for it to end") from None
    except OSError as error:
        raise _not_writable(path, error) from None
    try:
        yield
    finally:
        lock.release()


def _check_length(path: Path) -> None:
    """Raise OSError where names within a directory would be longer than the system takes."""
    with suppress(FileNotFoundError):
        (path / ("n" * DEEPEST)).lstat()


def reason(error: OSError) -> str:
    """Why the system refused, in a few words."""
    if error.errno == errno.EEXIST and os.path.islink(error.filename or ""):
        return f"it is a link to {os.readlink(error.filename)}, which is not there"
    return FULL.get(error.errno or 0) or error.strerror or str(error)


def _not_writable(path: Path, error: OSError) -> RunError:
    return RunError(
        f"{path}: cannot be written ({reason(error)}); give another directory with --out"
    )


def _check_free(path: Path) -> None:
    """An output directory is new, empty, or begun by a forecast that was stopped at once."""
    if path.exists() and not path.is_dir():
        raise RunError(f"{path}: is a file; give a directory with --out")
    left = {item.name for item in path.iterdir()} if path.exists() else set()
    if "manifest.json" in left:  # another process began here this very moment
        return
    left -= {".lock", ".manifest.json.part"}
    if left:
        names = ", ".join(sorted(left)[:4]) + (", …" if len(left) > 4 else "")
        raise RunError(
            f"{path}: holds other files ({names}); give an empty or a new directory with --out"
        )


def _begun(path: Path, wanted: dict[str, Any]) -> dict[str, Any] | None:
    """The manifest of what was begun here; none: nothing yet, or it is to be written anew.

    It is written anew where it is damaged or gone and a chunk shows what the runs are of.

    Raises:
        RunError: something else was begun here, or lies here.
    """
    file = path / "manifest.json"
    try:
        found = read_manifest(file) if file.exists() else None
    except RunError as error:
        if _has_runs_of(path, fingerprint(wanted)):
            return None
        raise RunError(f"{error}; give another directory with --out") from None
    if found is None:
        if not _has_runs_of(path, fingerprint(wanted)):
            _check_free(path)
        return None
    try:
        difference = _difference(found, wanted)
    except (LookupError, TypeError, AttributeError):
        raise RunError(
            f"{file}: is damaged or not this program's; give another directory with --out"
        ) from None
    if difference:
        raise RunError(f"{path}: holds {difference}; give another directory with --out")
    return found


def read_manifest(file: Path) -> dict[str, Any]:
    """What a store's runs are of, as it was written, in this format or an earlier one.

    Raises:
        RunError: it was changed or cut, or is not this program's.
        OSError: it cannot be read.
    """
    try:
        found = read_sealed(file)
    except Unsealed:
        found = _before_seals(file)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or "format" not in found or not _are_names(found):
        raise RunError(f"{file}: is damaged or not this program's")
    return found


def _are_names(manifest: dict[str, Any]) -> bool:
    """Whether the copies lie in the folder for them, in this format."""
    try:
        files = [copy["file"] for copy in manifest["inputs"].values()]
        return all(file == Path(file).name for file in files)
    except (LookupError, TypeError, AttributeError):
        return bool(manifest["format"] != FORMAT)


def _before_seals(file: Path) -> Any:
    """A manifest of format 1, which had no checksum; nothing else passes for one."""
    try:
        found = json.loads(file.read_bytes())
        return found if found["format"] < FORMAT else None
    except (ValueError, LookupError, TypeError, RecursionError):
        return None


def _has_runs_of(path: Path, of: str) -> bool:
    """Whether any chunk says that it is of this."""
    for note in sorted(path.glob("runs/*/chunk.json")):
        with suppress(OSError, ValueError, LookupError, TypeError, RecursionError):
            if read_sealed(note)["of"] == of:
                return True
    return False


def _difference(found: dict[str, Any], wanted: dict[str, Any]) -> str | None:
    """What a store holds instead of what is wanted, the most telling first."""

    def differs(here: dict[str, Any], there: dict[str, Any], keys: Sequence[str]) -> str | None:
        for key in keys:
            if there[key] != here[key]:
                return f"{key} is {there[key]!r} there and {here[key]!r} here"
        return None

    if found["format"] != FORMAT:
        return f"runs in format {found['format']!r}, and this program writes format {FORMAT}"
    other = differs(wanted, found, ("scenario", "plan", "economy", "seed"))
    sums = (wanted["sha256"], found["sha256"])
    kinds = dict.fromkeys([*sums[0], *sums[1]])
    changed = [kind for kind in kinds if sums[0].get(kind) != sums[1].get(kind)]
    if changed and not other:
        other = f"its {' and '.join(changed)} file has changed since"
    if other:
        return f"another forecast ({other})"
    other = differs(wanted, found, ("version", "runs_per_chunk"))
    if not other and found["code"] != wanted["code"]:
        other = "its code has changed since"
    if other:
        return f"runs made by another version of the program ({other})"
    other = differs(wanted["libraries"], found["libraries"], LIBRARIES)
    return f"runs made with other libraries ({other})" if other else None


def _sweep(path: Path) -> None:
    """Remove what writing left that was stopped."""
    for place in ("", "inputs/", "runs/", "charts/"):
        for draft in path.glob(f"{place}.*.part"):
            if draft.is_dir():
                shutil.rmtree(draft)
            else:
                draft.unlink()


def _describe(path: Path, readme: str, copies: dict[str, str]) -> None:
    """Put in, or put right, what a reader needs: the inputs, and how to open the runs."""
    (path / "inputs").mkdir(exist_ok=True)
    texts = {path / "inputs" / name: text for name, text in copies.items()}
    for file, text in (texts | {path / "README.md": readme}).items():
        if not file.exists() or file.read_bytes() != text.encode():
            write_text(file, text)


def _copies(inputs: Inputs, begun: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """The inputs for one folder, in which each finds those that it names: file name and text.

    ``begun``: the names that they have there already, by kind; none: their own.
    """
    names = {kind: source.path.name for kind, source in inputs.sources.items()}
    names |= {kind: begun[kind]["file"] for kind in names if kind in begun}
    texts = {kind: source.text for kind, source in inputs.sources.items()}
    for kind, names_it in NAMED_IN.items():
        line = re.compile(rf"^{kind}:.*\n?", re.MULTILINE)
        new = ""
        if kind in names:
            if list(names.values()).count(names[kind]) > 1:
                names[kind] = f"{kind}-{names[kind]}"
            new = yaml_text({kind: names[kind]}, width=sys.maxsize)
        texts[names_it] = line.sub(new.replace("\\", r"\\"), texts[names_it], count=1)
    return {kind: (names[kind], text) for kind, text in texts.items()}


def _readme(inputs: Inputs) -> str:
    """What lies in the directory, with an example from its first target."""
    target = inputs.plan.targets[0]
    name = inputs.scenario.name
    return Template(README.read_text(encoding="utf-8")).substitute(
        name=markdown(f"{name.zh} {name.en}"),
        column=f"{target.id}.{DISTRICT}",
        comparison=">" if target.comparison == "above" else ">=",
        threshold=plain(target.threshold.value).replace(",", ""),
        month=target.deadline,
    )


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
        arrays.append(pa.array(months * len(runs)))
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
            write_statistics=labels,
            store_schema=False,
        )
    _sync(path)


def _read_table(path: Path, columns: Sequence[str]) -> pa.Table:
    with _opened(path) as file:
        return file.read(columns=columns)


def column_names(path: Path) -> list[str]:
    """The columns of a Parquet file.

    Raises:
        OSError: it cannot be read.
    """
    with _opened(path) as file:
        return list(file.schema_arrow.names)


@contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    """A Parquet file opened here, since pyarrow takes names like ``12:30/x`` for addresses."""
    with path.open("rb") as file:
        yield pq.ParquetFile(file)


def write_sealed(path: Path, content: dict[str, Any]) -> None:
    """Write JSON with its checksum, whole or not at all.

    Raises:
        OSError: the disk does not take it; it names the file.
    """
    write_text(path, _sealed(content))


def read_sealed(path: Path) -> Any:
    """JSON as it was written.

    Raises:
        ValueError: it was changed or cut; ``Unsealed`` where it has no checksum.
        OSError: it cannot be read.
    """
    return json.loads(unseal(path.read_bytes().decode(), JSON))


def _sealed(content: dict[str, Any]) -> str:
    return seal(json.dumps(content, indent=1) + "\n", JSON)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all; what UTF-8 lacks, as in a path, as ``\\udcd6``.

    Raises:
        OSError: the disk does not take it; it names the file.
    """
    with whole_file(path) as draft:
        draft.write_text(text, encoding="utf-8", errors="backslashreplace")


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A file to write beside ``path``; once whole it takes its place, else nothing of it is left.

    Raises:
        OSError: the disk does not take it; it names the file.
    """
    draft = path.with_name(f".{path.name[:LONGEST]}.part")
    try:
        yield draft
        _sync(draft)
        os.replace(draft, path)
        _sync(path.parent)
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise
    finally:
        draft.unlink(missing_ok=True)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _sync(path: Path) -> None:
    """Wait until a file's content, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
