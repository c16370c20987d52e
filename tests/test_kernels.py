"""What was compiled is kept, and used again only where it is just what was written."""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.kernels import made_with
from sim.montecarlo import columns_of, simulate
from sim.runner import Runner
from sim.store import open_store

SOURCE = """
from sim.kernels import kernel


@kernel
def weighted(values):
    total = 0.0
    for i in range(len(values)):
        total += 3.0 * values[i]
    return total


@kernel
def plain(values):
    total = 0.0
    for i in range(len(values)):
        total += values[i]
    return total
"""
VALUES = np.arange(5.0)
NAMES = itertools.count()


@pytest.fixture
def module(tmp_path: Path) -> Path:
    file = tmp_path / "weights.py"
    file.write_text(SOURCE)
    return file


def loaded(file: Path) -> Any:
    """The module as another process would import it."""
    spec = importlib.util.spec_from_file_location(f"weights_{next(NAMES)}", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def sum_of(file: Path) -> tuple[float, bool]:
    """The weighted sum, and whether it was made by machine code that had been kept."""
    weighted = loaded(file).weighted
    total = weighted(VALUES)
    return total, bool(weighted.stats.cache_hits)


def kept(file: Path, name: str = "weighted") -> Path:
    (found,) = (file.parent / "__pycache__").glob(f"*{name}*.kernel")
    return found


def test_what_was_compiled_is_used_again(module: Path) -> None:
    assert sum_of(module) == (30.0, False)
    assert sum_of(module) == (30.0, True)


def flipped(place: int, bit: int) -> Callable[[bytes], bytes]:
    def damage(content: bytes) -> bytes:
        at = place % len(content)
        return content[:at] + bytes([content[at] ^ (1 << bit)]) + content[at + 1 :]

    return damage


dice = random.Random(7)
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "emptied": lambda content: b"",
    "cut to its checksum": lambda content: content[:32],
    "cut": lambda content: content[:100],
    "without its last byte": lambda content: content[:-1],
    "longer": lambda content: content + b"\0",
    "zeros": lambda content: bytes(len(content)),
    "another file's": lambda content: b"numba",
} | {
    f"bit {bit} of byte {place} flipped": flipped(place, bit)
    for place, bit in ((dice.randrange(10**6), dice.randrange(8)) for _ in range(12))
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_machine_code_is_never_used_and_is_compiled_anew(
    module: Path, damage: Callable[[bytes], bytes]
) -> None:
    sum_of(module)
    file = kept(module)
    content = file.read_bytes()
    file.write_bytes(damage(content))
    assert sum_of(module) == (30.0, False)
    assert sum_of(module) == (30.0, True)


def test_the_machine_code_of_another_kernel_is_not_taken(module: Path) -> None:
    both = loaded(module)
    assert (both.weighted(VALUES), both.plain(VALUES)) == (30.0, 10.0)
    kept(module).write_bytes(kept(module, "plain").read_bytes())
    assert sum_of(module) == (30.0, False)


def test_another_number_in_the_source_is_noticed_whatever_its_date_and_size(module: Path) -> None:
    sum_of(module)
    was = module.stat()
    module.write_text(SOURCE.replace("3.0", "4.0"))
    os.utime(module, ns=(was.st_atime_ns, was.st_mtime_ns))
    for code in (module.parent / "__pycache__").glob("*.pyc"):
        code.unlink()  # Python would take it for up to date
    assert module.stat().st_size == was.st_size
    assert sum_of(module) == (40.0, False)


def test_where_a_kept_file_cannot_be_replaced_the_answer_is_right_all_the_same(
    module: Path,
) -> None:
    sum_of(module)
    file = kept(module)
    file.unlink()
    file.mkdir()
    assert sum_of(module) == (30.0, False)
    assert list(file.parent.glob(".*")) == []


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
@pytest.mark.parametrize("place", ["beside", "named"])
def test_a_full_disk_only_means_that_nothing_is_kept(module: Path, place: str) -> None:
    program = (
        "import resource, runpy, numpy as np\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        f"print(runpy.run_path({str(module)!r})['weighted'](np.arange(5.0)))\n"
    )
    folder = module.parent / "named"
    environment = os.environ | ({"NUMBA_CACHE_DIR": str(folder)} if place == "named" else {})
    ended = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    assert (ended.stdout, ended.stderr, ended.returncode) == ("30.0\n", "", 0)
    assert [file for file in module.parent.rglob("*") if "weighted" in file.name] == []


def test_a_chunk_says_with_what_it_was_made(small: Runner, tmp_path: Path) -> None:
    with open_store(tmp_path / "out", small.inputs, 1, "test", columns_of(small)) as store:
        store.write(simulate(small.inputs, 1, 0))
    note = json.loads((tmp_path / "out" / "runs" / "chunk-000000" / "chunk.json").read_text())
    assert note["made_with"] == made_with()
    assert note["made_with"]["kernels"] == "compiled"
    assert note["made_with"]["processor"]
