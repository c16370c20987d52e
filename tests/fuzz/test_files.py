"""Whatever a file holds, reading it ends with what it says or with one message.

``FUZZ_SECONDS`` says for how long, ``FUZZ_SEED`` with which files; ``-s`` shows their number.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sim.analysis.naive import read_history
from sim.analysis.observe import read_figures
from sim.errors import MAX_PROBLEMS, InputError
from sim.posterior import read_posterior
from sim.runner import Runner
from sim.scenario import Inputs, read_scenario
from sim.text import no_text

SECONDS = float(os.environ.get("FUZZ_SECONDS", "4"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
ROOT = Path(__file__).parents[2]
DISTRICT = ROOT / "tests" / "small_district"

FIGURES = (
    "id,indicator,zone,month,value,unit,kind,noise_sd,source_title,source_date,note\n"
    "a,smart_turnover,district,2025-06,700,亿元,exact,0.02,Statistics,2025-08-01,\n"
    'b,smart_turnover,district,2025-12,"1,200",亿元,over,0.02,"Yearbook, 2025",2026-02-24,x\n'
)
PIECES = [
    *(
        b"\0",
        b"\x1b[2J",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\r",
        b"\t",
        b"\x85",
        b"\xd6\xd0",
        b"x" * 5000,
    ),
    *(
        b'"',
        b"'",
        b"{",
        b"}",
        b"[" * 60,
        b"]",
        b": ",
        b"- ",
        b",,,,",
        b";",
        b"|",
        b"#",
        b"%",
        b"\n\n",
    ),
    *(b"&a", b"*a", b"<<: *a", b"!!python/object:os.system ", b"---\n", b"\\u000b", b"\\uD800"),
    *(b"1e999", b".nan", b"-0", b"9" * 400, b"0x1F", b"12:30", b"2021-13"),
    *(text.encode() for text in ("２０２１年12月", "：", "，", "\u202e", "\ufeff", "𠮷")),
    "亿元".encode("gb18030"),
]


def mutate(dice: random.Random, raw: bytes) -> bytes:
    """A file with some bytes changed, cut, doubled or put in."""
    for _ in range(dice.randint(1, 4)):
        start = dice.randrange(len(raw) + 1)
        stop = min(len(raw), start + dice.choice((0, 1, 3, 20, 400)))
        how = dice.randrange(5)
        if how == 0:
            raw = raw[:start] + dice.choice(PIECES) + raw[stop:]
        elif how == 1:
            raw = raw[:start] + raw[stop:]
        elif how == 2:
            raw = raw[:stop] + raw[start:]
        elif how == 3:
            raw = raw[:start] + dice.randbytes(stop - start) + raw[stop:]
        else:
            lines = raw.splitlines(keepends=True)
            dice.shuffle(lines) if dice.random() < 0.1 else lines.reverse()
            raw = b"".join(lines) if dice.random() < 0.1 else raw[:start]
    return raw


def readers(folder: Path, inputs: Inputs) -> dict[str, tuple[bytes, Callable[[Path], object]]]:
    """Each kind of file: a good one, and what reads it."""

    def scenario(file: Path) -> object:
        return Runner(read_scenario(folder / "scenario.yaml"), seed=0)

    found: dict[str, tuple[bytes, Callable[[Path], object]]] = {
        name: ((DISTRICT / name).read_bytes(), scenario)
        for name in ("scenario.yaml", "plan.yaml", "economy.yaml")
    }
    history = (ROOT / "calibration" / "data" / "history.csv").read_bytes()
    posterior = (ROOT / "scenarios" / "posterior.csv").read_bytes().splitlines(keepends=True)
    head = sum(line.startswith(b"#") for line in posterior)
    found["figures.csv"] = (FIGURES.encode(), lambda file: read_figures(file, inputs))
    found["history.csv"] = (history, lambda file: read_history(file, inputs))
    found["posterior.csv"] = (b"".join(posterior[: head + 110]), read_posterior)
    return found


@pytest.mark.filterwarnings("error")
def test_any_file_is_read_or_refused_in_one_message(tmp_path: Path) -> None:
    dice, tried, refused = random.Random(SEED), 0, 0
    kinds = readers(tmp_path, read_scenario(DISTRICT / "scenario.yaml"))
    for name, (raw, _) in kinds.items():
        (tmp_path / name).write_bytes(raw)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end or tried < 20:
        name = dice.choice(list(kinds))
        raw, read = kinds[name]
        file, changed = tmp_path / name, mutate(dice, raw)
        file.write_bytes(changed)
        try:
            read(file)
        except InputError as error:
            said = str(error)
            refused += 1
            assert no_text(said) is None, said
            assert len(said.splitlines()) <= MAX_PROBLEMS + 1
        except Exception as error:
            kept = Path(os.environ.get("FUZZ_KEEP", str(tmp_path))) / f"crash-{name}"
            kept.write_bytes(changed)
            raise AssertionError(f"{kept} is not read and not refused: {error!r}") from error
        finally:
            file.write_bytes(raw)
        tried += 1
    print(f"{tried} files, {refused} refused")
    assert refused
