"""Runs survive interruption, and what is on disk is what a single go would have made."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sim import __version__
from sim.analysis.forecast import forecast
from sim.analysis.probability import Answer
from sim.errors import RunError
from sim.montecarlo import columns_of
from sim.runner import Runner
from sim.scenario import read_scenario
from sim.store import RUNS_PER_CHUNK, open_store

CHUNKS = 4
RUNS = CHUNKS * RUNS_PER_CHUNK
AGAIN_CHUNKS = 2  # the first half of the runs are made again with other luck


def files(folder: Path) -> dict[str, bytes]:
    """The bytes of everything a forecast left, by name."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and file.name != ".lock"
    }


def into(progress: list[int]) -> Callable[[int, int], None]:
    """Keep the number of runs done whenever it is told."""
    return lambda done, total: progress.append(done)


def chunks(folder: Path) -> list[str]:
    return sorted(chunk.name for chunk in (folder / "runs").iterdir())


@pytest.fixture(scope="module")
def whole(small: Runner, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A forecast made in one go by one process."""
    folder = tmp_path_factory.mktemp("whole") / "out"
    forecast(small.inputs, runs=RUNS, seed=1, out=folder)
    assert len([name for name in files(folder) if name.endswith(".parquet")]) == 3 * (
        CHUNKS + AGAIN_CHUNKS
    )
    return folder


def same_results(one: Answer, other: Answer) -> bool:
    tables = ("results", "yearly", "monthly", "costs")
    pairs = [(getattr(one, table), getattr(other, table)) for table in tables]
    return one.runs == other.runs and all(a.equals(b) for a, b in pairs)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupted_forecast_keeps_its_chunks_and_goes_on_from_them(
    small: Runner, tmp_path: Path, whole: Path, workers: int
) -> None:
    def interrupt(done: int, total: int) -> None:
        if done >= 2 * RUNS_PER_CHUNK:
            raise KeyboardInterrupt

    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        forecast(small.inputs, runs=RUNS, seed=1, out=out, workers=workers, on_progress=interrupt)
    kept = files(out)
    assert len([name for name in kept if name.endswith(".parquet")]) == 3 * 2
    assert "summary.json" not in kept
    assert kept.items() <= files(whole).items()

    progress: list[int] = []
    more = into(progress)
    forecast(small.inputs, runs=RUNS, seed=1, out=out, workers=workers, on_progress=more)
    assert progress == [50, 75, 100, 125, 150]
    assert files(out) == files(whole)


def test_a_killed_worker_costs_no_run(small: Runner, tmp_path: Path, whole: Path) -> None:
    killed: list[int] = []

    def kill_one(done: int, total: int) -> None:
        workers = multiprocessing.active_children()
        if done and not killed:
            killed.append(workers[0].pid)
            os.kill(workers[0].pid, signal.SIGKILL)

    forecast(small.inputs, runs=RUNS, seed=1, out=tmp_path / "out", workers=2, on_progress=kill_one)
    assert killed
    assert files(tmp_path / "out") == files(whole)


def test_no_worker_outlives_an_interrupted_forecast(small: Runner, tmp_path: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        forecast(small.inputs, runs=RUNS, seed=1, out=tmp_path, workers=2, on_progress=interrupt)
    for worker in multiprocessing.active_children():
        worker.join(timeout=10)
        assert not worker.is_alive()


def test_asking_for_more_runs_adds_to_those_that_are_there(
    small: Runner, tmp_path: Path, whole: Path
) -> None:
    out = tmp_path / "out"
    forecast(small.inputs, runs=30, seed=1, out=out)
    assert chunks(out) == ["chunk-000000", "chunk-000001"]
    stamps = {file: file.stat().st_mtime_ns for file in out.rglob("*.parquet")}
    forecast(small.inputs, runs=RUNS, seed=1, out=out)
    assert files(out) == files(whole)
    assert {file: file.stat().st_mtime_ns for file in stamps} == stamps


def test_asking_for_fewer_runs_uses_only_those(small: Runner, tmp_path: Path, whole: Path) -> None:
    out = shutil.copytree(whole, tmp_path / "out")
    progress: list[int] = []
    fewer = forecast(
        small.inputs,
        runs=10,
        seed=1,
        out=out,
        on_progress=into(progress),
    )
    fresh = forecast(small.inputs, runs=10, seed=1, out=tmp_path / "fresh")
    assert progress == [25]
    assert fewer.runs == 10
    assert set(fewer.results["runs"]) == {10}
    assert same_results(fewer, fresh)
    before, after = files(whole), files(out)
    assert {name for name in before if before[name] != after[name]} == {"summary.json"}


def flip_a_byte(chunk: Path) -> None:
    file = chunk / "series.parquet"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def cut_short(chunk: Path) -> None:
    file = chunk / "costs.parquet"
    file.write_bytes(file.read_bytes()[:100])


def lose_a_table(chunk: Path) -> None:
    (chunk / "parameters.parquet").unlink()


def lose_the_checksums(chunk: Path) -> None:
    (chunk / "chunk.json").unlink()


def garble_the_checksums(chunk: Path) -> None:
    (chunk / "chunk.json").write_text("[1, 2]")


@pytest.mark.parametrize(
    "damage",
    [flip_a_byte, cut_short, lose_a_table, lose_the_checksums, garble_the_checksums],
    ids=lambda damage: damage.__name__,
)
def test_a_damaged_chunk_is_noticed_and_made_again(
    small: Runner, tmp_path: Path, whole: Path, damage: Callable[[Path], None]
) -> None:
    out = shutil.copytree(whole, tmp_path / "out")
    damage(out / "runs" / "chunk-000001")
    progress: list[int] = []
    forecast(small.inputs, runs=RUNS, seed=1, out=out, on_progress=into(progress))
    assert progress == [125, 150]
    assert files(out) == files(whole)


def test_what_an_unfinished_write_leaves_is_not_taken_for_runs(
    small: Runner, tmp_path: Path, whole: Path
) -> None:
    out = tmp_path / "out"
    forecast(small.inputs, runs=RUNS_PER_CHUNK, seed=1, out=out)
    part = out / "runs" / ".chunk-000001.part"
    part.mkdir()
    (part / "series.parquet").write_bytes(b"half a table")
    forecast(small.inputs, runs=RUNS, seed=1, out=out)
    assert files(out) == files(whole)


def test_another_seed_is_refused_in_the_same_directory(small: Runner, whole: Path) -> None:
    before = files(whole)
    with pytest.raises(RunError, match=r"holds another forecast \(seed is 1 there and 2 here\)"):
        forecast(small.inputs, runs=RUNS, seed=2, out=whole)
    assert files(whole) == before


@pytest.mark.parametrize("changed", ["scenario", "plan", "economy"])
def test_another_scenario_plan_or_economy_is_refused_in_the_same_directory(
    small_scenario: Path, variant: Callable[..., Path], whole: Path, changed: str
) -> None:
    def rename(record: dict[str, Any]) -> None:
        record["name"] = {"zh": "别的", "en": "Another"}

    before = files(whole)
    copies = {name: whole / "inputs" / f"{name}.yaml" for name in ("scenario", "plan", "economy")}
    other = variant(small_scenario, **{changed: rename})
    for name, copy in copies.items():
        if name != changed:
            (other.parent / f"{name}.yaml").write_bytes(copy.read_bytes())
    with pytest.raises(RunError, match=f"its {changed} file has changed since"):
        forecast(read_scenario(other), runs=RUNS, seed=1, out=whole)
    assert files(whole) == before


def test_another_version_of_the_program_is_refused_in_the_same_directory(
    small: Runner, whole: Path
) -> None:
    columns = columns_of(small)
    with (
        pytest.raises(RunError, match=r"version is .* there and '99\.0' here"),
        open_store(whole, small.inputs, 1, "99.0", columns),
    ):
        pass


def test_a_directory_with_other_files_is_refused_and_left_alone(
    small: Runner, tmp_path: Path
) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(RunError, match=r"holds other files \(thesis\.txt\)"):
        forecast(small.inputs, runs=1, seed=1, out=tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def test_two_forecasts_cannot_write_to_one_directory_at_once(small: Runner, tmp_path: Path) -> None:
    columns = columns_of(small)
    with (
        open_store(tmp_path, small.inputs, 1, __version__, columns),
        pytest.raises(RunError, match="another process is writing there"),
    ):
        forecast(small.inputs, runs=1, seed=1, out=tmp_path)
    assert forecast(small.inputs, runs=1, seed=1, out=tmp_path).runs == 1


def test_the_stored_tables_are_read_in_the_order_of_runs_and_months(
    small: Runner, whole: Path
) -> None:
    columns = columns_of(small)
    name = "technology_firms.district"
    with open_store(whole, small.inputs, 1, __version__, columns) as store:
        table = store.table("series", [name], 60).to_pandas()
    months = small.blueprint.months()
    assert table["run"].tolist() == [run for run in range(60) for _ in months]
    assert table["month"].astype(str).tolist() == months * 60
    last = table[table["run"] == 59][name]
    column = columns.series.index(name)
    series = small.run(59).series.reshape(len(months), -1)[:, column]
    pd.testing.assert_series_equal(
        last.reset_index(drop=True), pd.Series(series, name=name), check_dtype=False
    )
