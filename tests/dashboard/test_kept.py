"""Forecasts behind the page on disk: taken up again, mended where damaged, and not too many."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from sim import forecast
from sim.cli import app
from sim.dashboard import kept as shelf
from sim.dashboard.engine import Engine
from sim.dashboard.kept import Kept
from sim.dashboard.results import results_of
from sim.dashboard.room import Limits, Room
from sim.dashboard.runs import Runs, make
from sim.dashboard.session import Session
from sim.scenario import LeverSetting, changed, read_scenario
from sim.store import RUNS_PER_CHUNK
from tests.dashboard.pages import SMALL
from tests.sealed import remade

RUNS = 50
KEY = "0123456789ab"


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the base's runs."""
    folder = tmp_path_factory.mktemp("kept")
    prepared(folder)
    return folder


@pytest.fixture
def own(full: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(full, tmp_path / "own"))


def prepared(folder: Path, given: Path | None = None) -> tuple[Room, int]:
    """A base that is ready, and how many of its runs had to be made."""

    async def prepare() -> tuple[Room, int]:
        with Engine(2, seed=1) as engine:
            inputs = read_scenario(SMALL)
            room = Room(inputs, engine, folder, Limits(base_runs=RUNS), given=given)
            had = room.base.done
            await room.prepare()
            return room, room.base.done - had

    return asyncio.run(prepare())


def chunk(folder: Path, number: int) -> Path:
    (base,) = folder.glob("harbour_baseline-*")
    return base / "runs" / f"chunk-{number:06d}"


def test_a_second_start_makes_no_run_and_says_the_same_to_the_bit(own: Path) -> None:
    first, made = prepared(own)
    assert made == 0
    live = Runs(first.inputs, RUNS)
    for start in range(0, RUNS, 5):
        live.add(make(first.inputs, 1, start, 5))
    assert np.array_equal(live.ends, first.base.ends)
    assert np.array_equal(live.paths, first.base.paths)
    assert results_of(live) == first.results


def _truncated(folder: Path) -> None:
    file = chunk(folder, 1) / "series.parquet"
    file.write_bytes(file.read_bytes()[:-9])


def _garbled(folder: Path) -> None:
    file = chunk(folder, 1) / "costs.parquet"
    file.write_bytes(b"x" * file.stat().st_size)


def _unfinished(folder: Path) -> None:
    """As a start that was killed leaves it."""
    chunk(folder, 1).rename(chunk(folder, 1).with_name(".chunk-000001.part"))


def _noteless(folder: Path) -> None:
    (chunk(folder, 1) / "chunk.json").unlink()


@pytest.mark.parametrize("spoil", [_truncated, _garbled, _unfinished, _noteless])
def test_what_is_damaged_or_unfinished_is_made_again_and_the_rest_is_used(
    own: Path, spoil: Callable[[Path], None], full: Path
) -> None:
    spoil(own)
    mended, made = prepared(own)
    assert made == RUNS_PER_CHUNK
    assert mended.problem is None
    assert mended.results == prepared(full)[0].results
    assert prepared(own)[1] == 0


def _foreign(folder: Path) -> None:
    (chunk(folder, 0).parents[1] / "manifest.json").write_text("{", encoding="utf-8")
    shutil.rmtree(chunk(folder, 0).parent)


def _a_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("somebody's", encoding="utf-8")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [(_foreign, "is damaged or not this program's"), (_a_file, "cannot be written")],
)
def test_where_nothing_can_be_kept_the_page_works_and_says_so(
    own: Path, spoil: Callable[[Path], None], said: str
) -> None:
    spoil(own)
    room, _ = prepared(own)
    assert room.ready
    assert room.results is not None
    assert said in str(room.problem)
    assert "are made again at the next start" in str(room.problem)


def test_a_page_is_told_once_why_nothing_can_be_kept(own: Path) -> None:
    _a_file(own)

    async def heard() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []

        async def hear(message: dict[str, Any]) -> None:
            found.append(message)

        with Engine(2, seed=1) as engine:
            room = Room(read_scenario(SMALL), engine, own, Limits(base_runs=RUNS))
            session = Session(room, hear)
            await session.open()
            await room.prepare()
            asked = {"type": "brief", "kind": "html", "language": "en", "scenario": room.scenario}
            await session.answer(asked)
            while not any(message["type"] == "stopped" for message in found):
                await asyncio.sleep(0.01)
            await session.close()
        return [message for message in found if message["type"] == "problem"]

    problems = asyncio.run(heard())
    assert [problem["about"] for problem in problems] == ["base", "brief"]
    assert all("cannot be written" in problem["text"] for problem in problems)


def test_a_what_if_with_another_name_is_not_made_again(tmp_path: Path) -> None:
    base = read_scenario(SMALL)
    levers = [LeverSetting(lever="talent_subsidy", value=9)]
    runs = Runs(changed(base, id="one", levers=levers), RUNS)
    kept = Kept(tmp_path, base, 1)
    for start in range(0, RUNS, 5):
        runs.add(make(runs.inputs, 1, start, 5))
    kept.keep(runs)
    assert not runs.pieces.parts()
    first = kept.place(runs)
    runs.inputs = changed(base, id="other", levers=levers)
    kept.keep(runs)
    again = Runs(runs.inputs, RUNS)
    kept.take(again)
    assert again.done == RUNS
    assert np.array_equal(again.ends, runs.ends)
    assert kept.place(runs) != first


def test_forecasts_that_were_not_used_for_long_go_and_others_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "MOST", 2)
    names = ["new", "later", "old", "in_use", "oldest"]
    places = [tmp_path / f"{name}-{KEY}" for name in names]
    for age, place in enumerate([*places, tmp_path / "my-own"]):
        place.mkdir()
        (place / "manifest.json").write_text("{}", encoding="utf-8")
        os.utime(place / "manifest.json", (1e9 - age, 1e9 - age))
    Kept(tmp_path, read_scenario(SMALL), 1).sweep({places[3]})
    left = {place.name.split("-")[0] for place in tmp_path.iterdir()}
    assert left == {"new", "later", "in_use", "my"}


def test_what_a_page_shows_stays_on_disk(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room, _ = prepared(own)
    levers = [LeverSetting(lever="talent_subsidy", value=9)]
    shown, gone = (
        Runs(changed(room.inputs, id=name, levers=levers), RUNS) for name in ("shown", "gone")
    )
    for runs in (shown, gone):
        runs.add(make(runs.inputs, 1, 0, RUNS_PER_CHUNK))
        room.kept.keep(runs)
    room.what_ifs.add(shown)
    for age, runs in enumerate((gone, shown, room.base)):
        os.utime(room.kept.place(runs) / "manifest.json", (1e9 - age, 1e9 - age))
    newest = own / f"newest-{KEY}"
    newest.mkdir()
    (newest / "manifest.json").write_text("{}", encoding="utf-8")
    monkeypatch.setattr(shelf, "MOST", 1)
    asyncio.run(room.tidy())
    left = {place.name.split("-")[0] for place in own.iterdir()}
    assert left == {"harbour_baseline", "shown", "newest"}


def test_a_finished_forecast_is_the_base_without_a_run(tmp_path: Path) -> None:
    out = tmp_path / "finished"
    answer = forecast(read_scenario(SMALL), runs=RUNS, seed=1, out=out)
    room, made = prepared(tmp_path / "dashboard", given=out)
    assert made == 0
    assert room.results is not None
    shares = {(row["zone"], row["target"]): row["base"] for row in room.results.cells}
    wanted = answer.results.set_index(["zone", "target"])["probability"].to_dict()
    assert shares == wanted


def _of_another_program(out: Path) -> None:
    remade(out, code="0" * 64)


def _unended(out: Path) -> None:
    (out / "summary.json").unlink()


@pytest.mark.parametrize(
    ("runs", "spoil", "said"),
    [
        (25, _of_another_program, "was made by another version of the program"),
        (25, _unended, "the forecast is not finished"),
        (30, lambda out: None, "has 30 runs; the page takes whole chunks of 25: go on to 50"),
    ],
)
def test_a_forecast_that_cannot_be_the_base_is_refused_in_one_message(
    tmp_path: Path, runs: int, spoil: Callable[[Path], None], said: str
) -> None:
    out = tmp_path / "finished"
    forecast(read_scenario(SMALL), runs=runs, seed=1, out=out)
    spoil(out)
    ended = CliRunner().invoke(app, ["dashboard", "--forecast", str(out)])
    assert ended.exit_code == 2
    assert said in ended.stderr.replace("\n", " ")
    assert ended.stderr.count("Error:") == 1
