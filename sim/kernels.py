"""Kernels: loops over firms, calls or cells, compiled to machine code when first called.

What numba compiled is kept beside the source, or in the user's cache where the source cannot be
written to; where neither can be, it is compiled anew in each process. A kept file is used only
where all that its machine code depends on is as it was, and every byte is as it was written; else
the kernel is compiled anew. (numba goes by a source's date and size, and has no checksums.)

A kernel calls no function of another file: what is kept of it would go on with the old one. What
it reads of others as numbers (states and columns of firms, sums of zones, quantities of the plan)
is part of what it depends on.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import platform
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, TypeVar

import numba
from numba.core.caching import FunctionCache
from numba.core.registry import cpu_target
from numba.core.serialize import dumps

F = TypeVar("F", bound=Callable[..., Any])

READ = ("firms.py", "plan.py", "zones.py")  # files whose names kernels know as numbers
_TEXTS = [(Path(__file__).parent / file).read_bytes() for file in READ]
LAYOUT = hashlib.sha256(b"".join(_TEXTS)).hexdigest()
PLAIN = bool(vars(numba.config)["DISABLE_JIT"])  # by NUMBA_DISABLE_JIT
SUM = hashlib.sha256().digest_size


def kernel(function: F) -> F:
    """Compile a function of arrays and numbers; a division by zero gives inf, as in numpy.

    Sums keep their order and nothing is contracted, so that results are those of plain Python.
    """
    compiled: Any = numba.njit(error_model="numpy")(function)
    if not PLAIN:
        with suppress(RuntimeError, OSError):  # no place where what was compiled could be kept
            compiled._cache = KernelCache(function)
    return compiled  # type: ignore[no-any-return]


def made_with() -> dict[str, str]:
    """What machine code depends on beside the program: recorded with the runs that it made."""
    if PLAIN:
        return {"kernels": "plain Python", "processor": platform.machine()}
    triple, processor, features = cpu_target.target_context.codegen().magic_tuple()
    sort = hashlib.sha256(str(features).encode()).hexdigest()[:8]
    return {"kernels": "compiled", "processor": f"{triple.split('-')[0]} {processor} {sort}"}


class KernelCache(FunctionCache):
    """numba's cache of one function's compiled versions, with files of ours in place of its own."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        source = Path(function.__code__.co_filename).read_bytes()
        code = function.__code__  # as it was loaded, which need not be the source of this moment
        known = [LAYOUT, hashlib.sha256(source).hexdigest(), repr((code.co_consts, code.co_names))]
        known.append(platform.python_version())
        known += [version(library) for library in ("numba", "llvmlite", "numpy")]
        self._cache_file: Any = KernelFiles(Path(self.cache_path), self._impl.filename_base, known)

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep it where that can be done; where not, the next process compiles it anew."""
        with suppress(OSError):
            super().save_overload(sig, data)


class KernelFiles:
    """One file a compiled version: a checksum of what it depends on and of its bytes, and these.

    Args:
        folder: where they lie.
        stem: with which their names begin.
        known: what the machine code depends on beside signature, processor and byte code.
    """

    def __init__(self, folder: Path, stem: str, known: list[str]) -> None:
        self._folder, self._stem, self._known = folder, stem, known

    def load(self, key: Any) -> Any:
        """What was kept of a version; none where there is nothing, or not as it was written."""
        name = self._name(key)
        try:
            content = (self._folder / name).read_bytes()
        except OSError:
            return None
        kept, data = content[:SUM], content[SUM:]
        return pickle.loads(data) if kept == _sum(name, data) else None

    def save(self, key: Any, data: Any) -> None:
        """Keep a version, whole or not at all.

        Raises:
            OSError: the disk does not take it.
        """
        name, content = self._name(key), dumps(data)
        with NamedTemporaryFile(dir=self._folder, prefix=f".{self._stem}-", delete=False) as draft:
            try:
                draft.write(_sum(name, content) + content)
                draft.close()
                os.replace(draft.name, self._folder / name)
            except BaseException:
                os.unlink(draft.name)
                raise

    def flush(self) -> None:
        """Forget all versions."""
        for file in self._folder.glob(f"{self._stem}-*.kernel"):
            file.unlink()

    def _name(self, key: Any) -> str:
        described = "\n".join([*self._known, repr(key)])
        return f"{self._stem}-{hashlib.sha256(described.encode()).hexdigest()[:32]}.kernel"


def _sum(name: str, data: bytes) -> bytes:
    """The checksum of a kept file, which is of no other kernel or version either."""
    return hashlib.sha256(name.encode() + data).digest()
