"""What lies on the disk survives kills, full disks and damage, and opens without the program."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import multiprocessing
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import sim.montecarlo
import sim.store
from sim import __version__
from sim.analysis.finished import read_finished
from sim.analysis.forecast import forecast
from sim.cli import app
from sim.cli.ending import KEPT
from sim.errors import RunError
from sim.montecarlo import chunks_of, columns_of, run_missing, simulate
from sim.runner import Runner
from sim.scenario import read_scenario
from sim.store import RUNS_PER_CHUNK, TABLES, Chunk, open_store, reason
from tests.sealed import rewrite

ROOT = Path(__file__).parents[1]
SCENARIO = ROOT / "tests" / "small_district" / "scenario.yaml"
PUDONG = [sys.executable, "-c", "from sim.cli import app; app()"]

BACKGROUND = ("sh", "-c", 'trap "" INT; exec "$0" "$@"')  # as a shell starts what ends with &

RUNS = 200
CHUNKS = 8
AGAIN_CHUNKS = 4
KILLS = 20
FEW = 75  # three chunks, and one again
GOES_ON = "the same command goes on from them"

Stamps = dict[str, tuple[int, int]]


def files(folder: Path) -> dict[str, bytes]:
    """The bytes of everything in a directory, by name, but for the lock."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and file.name != ".lock"
    }


def stamps(out: Path) -> Stamps:
    """Which chunks are there, and which files exactly: a chunk made again gets new ones."""
    chunks = (out / "runs").glob("[!.]*") if out.exists() else ()
    stats = {chunk.name: (chunk / "chunk.json").stat() for chunk in chunks}
    return {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in stats.items()}


def drafts(out: Path) -> list[str]:
    return [str(draft.relative_to(out)) for draft in out.rglob(".*") if draft.name != ".lock"]


def command(out: Path, runs: int, *more: str, workers: int = 2) -> list[str]:
    options = ["--runs", str(runs), "--workers", str(workers), "--out", str(out)]
    return ["forecast", str(SCENARIO), *options, *more]


def start(out: Path, runs: int, *through: str) -> subprocess.Popen[str]:
    """The real command, in a process group of its own, ``through`` another that starts it."""
    return subprocess.Popen(
        [*through, *PUDONG, *command(out, runs, "--no-charts")],
        cwd=ROOT,
        env=os.environ | {"PYTHONUTF8": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def end_group(process: subprocess.Popen[str]) -> None:
    """Kill what is left of a command and its workers."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def finish(process: subprocess.Popen[str]) -> str:
    """Wait for a command; what it said on stderr."""
    try:
        said = process.communicate(timeout=120)[1]
    finally:
        end_group(process)
    return said


def invoke(out: Path, runs: int, *more: str) -> Any:
    return CliRunner().invoke(app, command(out, runs, *more, workers=1))


def wait_for(true: Callable[[], object], seconds: float = 30.0) -> bool:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.002)
    return True


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the command leaves that nobody disturbs."""
    out = tmp_path_factory.mktemp("whole") / "out"
    process = start(out, RUNS)
    said = finish(process)
    assert process.returncode == 0, said
    assert len(stamps(out)) == CHUNKS + AGAIN_CHUNKS
    return out


@pytest.fixture(scope="module")
def made(small: Runner) -> dict[int, Chunk]:
    """The chunks of a few runs."""
    return {number: simulate(small.inputs, 1, number) for number in chunks_of(FEW)}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, made: dict[int, Chunk]) -> None:
    """Runs take no time, so that a test can spend its own on the disk."""
    monkeypatch.setattr(sim.montecarlo, "simulate", lambda inputs, seed, number: made[number])


@pytest.fixture(scope="module")
def few(small: Runner, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a forecast of a few runs leaves."""
    out = tmp_path_factory.mktemp("few") / "out"
    forecast(small.inputs, runs=FEW, seed=1, out=out)
    return out


# Killed


def test_twenty_kills_at_random_moments_lose_nothing_and_repeat_nothing(
    tmp_path: Path, whole: Path
) -> None:
    chance = random.Random(20)
    out = tmp_path / "out"
    kept: Stamps = {}
    started: list[subprocess.Popen[str]] = []
    kills = 0
    try:
        while kills < KILLS:
            assert len(started) < 2 * KILLS
            process = start(out, RUNS)
            started.append(process)
            if len(started) % 5 < 3:  # anywhere in the start, or after it
                time.sleep(chance.uniform(0.0, 2.0))
            else:  # around the moment when a chunk is written
                wait_for_writing(process, out / "runs", len(kept) + chance.choice([1, 1, 2]))
                time.sleep(chance.choice([0.0, chance.uniform(0.0, 0.03), chance.uniform(0, 0.3)]))
            kills += process.poll() is None
            if chance.random() < 0.5:
                process.kill()  # its workers must end by themselves
                process.wait()
            else:
                end_group(process)
            now = stamps(out)
            assert kept.items() <= now.items()
            kept = now
        started.append(start(out, RUNS))
        assert finish(started[-1]) == ""
    finally:
        for process in started:
            end_group(process)
    assert kept
    assert kept.items() <= stamps(out).items()
    assert drafts(out) == []
    assert files(out) == files(whole)
    runs_made = [
        run
        for chunk in sorted((out / "runs").iterdir())
        for run in pq.read_table(chunk / "parameters.parquet", columns=["run"])["run"].to_pylist()
    ]
    assert len(runs_made) == len(set(runs_made)) == (CHUNKS + AGAIN_CHUNKS) * RUNS_PER_CHUNK


def wait_for_writing(process: subprocess.Popen[str], runs: Path, number: int) -> None:
    """Until so many chunks are there or being written, or the process has ended."""

    def there() -> bool:
        try:
            return len(os.listdir(runs)) >= number
        except FileNotFoundError:
            return False

    wait_for(lambda: process.poll() is not None or there())


@pytest.mark.parametrize(
    ("through", "sent", "status"),
    [((), signal.SIGINT, 130), ((), signal.SIGTERM, 143), (BACKGROUND, signal.SIGTERM, 143)],
    ids=["Ctrl-C", "SIGTERM", "SIGTERM in the background"],
)
def test_a_command_that_is_told_to_stop_says_so_and_keeps_what_is_finished(
    tmp_path: Path, through: tuple[str, ...], sent: signal.Signals, status: int
) -> None:
    out = tmp_path / "out"
    process = start(out, RUNS, *through)
    wait_for(lambda: process.poll() is not None or stamps(out))
    kept = stamps(out)
    process.send_signal(sent)
    assert (finish(process), process.returncode) == (f"Stopped{KEPT}.\n", status)
    assert kept
    assert kept.items() <= stamps(out).items()
    assert not (out / "summary.json").exists()


# In a process of its own, which has no threads that a fork would lose.
KILLED_AT_EACH_STEP = """
import os, shutil, signal, sys
from pathlib import Path

import sim.montecarlo
from sim import __version__
from sim.montecarlo import columns_of, run_missing, simulate
from sim.runner import Runner
from sim.scenario import read_scenario
from sim.store import RUNS_PER_CHUNK, open_store

scenario, folder = sys.argv[1], Path(sys.argv[2])
inputs = read_scenario(scenario)
columns = columns_of(Runner(inputs, 1))
made = [simulate(inputs, 1, number) for number in range(2)]
sim.montecarlo.simulate = lambda inputs, seed, number: made[number]
STEPS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree"}


def child(out, last_step):
    '''Write the store and end before the step with that number; the exit status says which.'''
    pid = os.fork()
    if pid:
        return os.waitpid(pid, 0)[1]
    steps = 0

    def count(event, arguments):
        nonlocal steps
        if event in STEPS and str(arguments[0]).startswith(str(out)):
            if steps == last_step:
                os.kill(os.getpid(), signal.SIGKILL)
            steps += 1

    sys.addaudithook(count)
    with open_store(out, inputs, 1, __version__, columns) as store:
        run_missing(store, inputs, 1, RUNS_PER_CHUNK + 1)
    os._exit(0)


def files(out):
    found = [file for file in out.rglob("*") if file.is_file() and file.name != ".lock"]
    return {file.relative_to(out): file.read_bytes() for file in found}


def chunks(out):
    return {file: file.stat().st_ino for file in out.glob("runs/chunk-*/*")}


assert child(folder / "whole", None) == 0
whole = files(folder / "whole")
killed = 0
while True:
    out = folder / str(killed)
    if child(out, killed) == 0:
        break
    kept = chunks(out)
    assert child(out, None) == 0
    assert files(out) == whole, killed
    assert kept.items() <= chunks(out).items(), killed
    shutil.rmtree(out)
    killed += 1
print(killed)
"""


def test_a_kill_before_any_step_on_the_disk_leaves_what_can_be_finished(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED_AT_EACH_STEP, str(SCENARIO), str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 40


def test_no_worker_outlives_a_command_that_is_killed_alone(tmp_path: Path) -> None:
    process = start(tmp_path / "out", RUNS)
    try:
        assert wait_for(lambda: len(stamps(tmp_path / "out")) >= 1 or process.poll() is not None)
        process.kill()
        process.wait()

        def all_gone() -> bool:
            try:
                os.killpg(process.pid, 0)
            except ProcessLookupError:
                return True
            return False

        assert wait_for(all_gone, 20.0)
    finally:
        end_group(process)


def test_of_two_commands_started_together_one_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "out"
    both = [start(out, 50) for _ in range(2)]
    said = {process.returncode: text for process in both for text in [finish(process)]}
    refused = f"RunError: {out}: another process is writing there; wait for it to end\n"
    assert said == {0: "", 2: refused}
    assert drafts(out) == []
    assert len(stamps(out)) == 2 + 1


# A full disk


@contextlib.contextmanager
def mounted(folder: Path, size: int) -> Iterator[Callable[[int], None]]:
    """A file system of so many KiB, and how to give it another size."""
    folder.mkdir()

    def mount(*words: str) -> int:
        try:
            return subprocess.run(["mount", *words, str(folder)], capture_output=True).returncode
        except OSError:
            return 1

    if mount("-t", "tmpfs", "-o", f"size={size}k", "tmpfs"):
        pytest.skip("only root may mount a small file system")
    try:
        yield lambda kib: mount("-o", f"remount,size={kib}k", str(folder)) and None
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.usefixtures("quick")
def test_a_disk_of_any_size_that_is_too_small_keeps_what_was_finished(
    small: Runner, tmp_path: Path, few: Path
) -> None:
    expected = files(few)
    kept_at = set()
    for size in range(4, 2000, 60):
        with mounted(tmp_path / str(size), size) as resize:
            out = tmp_path / str(size) / "out"
            try:
                forecast(small.inputs, runs=FEW, seed=1, out=out)
            except RunError as error:
                said = str(error)
            except OSError as error:
                said = reason(error)
            else:
                break
            assert "the disk is full" in said
            kept = stamps(out)
            kept_at.add(len(kept))
            assert drafts(out) == []
            assert files(out).items() <= expected.items()
            resize(4000)
            forecast(small.inputs, runs=FEW, seed=1, out=out)
            assert files(out) == expected
            assert kept.items() <= stamps(out).items()
    else:
        pytest.fail("never enough")
    assert kept_at == {0, 1, 2, 3, 4}


@pytest.mark.usefixtures("quick")
def test_a_full_disk_is_one_sentence_and_the_command_goes_on_when_there_is_room(
    tmp_path: Path, few: Path
) -> None:
    with mounted(tmp_path / "disk", 500) as resize:
        out = tmp_path / "disk" / "out"
        stopped = invoke(out, FEW)
        assert stopped.exit_code == 2
        assert stopped.stderr == (
            f"RunError: {out}: cannot be written (the disk is full); 50 runs are kept, {GOES_ON}\n"
        )
        resize(900)  # enough for the runs and the summary, not for the charts
        stopped = invoke(out, FEW)
        assert stopped.exit_code == 2
        assert re.fullmatch(
            rf"RunError: {out}/charts/.+: cannot be drawn \(the disk is full\); finished runs are "
            rf"kept, {GOES_ON}\n",
            stopped.stderr,
        )
        assert drafts(out) == []
        resize(4000)
        assert invoke(out, FEW).exit_code == 0
        made = files(out)
        assert len([name for name in made if name.startswith("charts/")]) == 2 * 5
        assert {name: made[name] for name in files(few)} == files(few)


@contextlib.contextmanager
def no_file_above(size: int) -> Iterator[None]:
    """The system refuses to write more than so many bytes into a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("quick")
def test_a_file_that_the_system_cuts_off_is_not_taken_for_whole(tmp_path: Path, few: Path) -> None:
    out = tmp_path / "out"
    why = "a file would be larger than is allowed here"
    with no_file_above(50_000):
        stopped = invoke(out, FEW)
    assert stopped.exit_code == 2
    assert f"{out}: cannot be written ({why}); 0 runs are kept, {GOES_ON}\n" in stopped.stderr
    assert set(files(out)) == {name for name in files(few) if not name.startswith(("r", "s"))}

    shutil.copytree(few / "runs", out / "runs", dirs_exist_ok=True)
    with no_file_above(50_000):
        stopped = invoke(out, FEW)
    assert stopped.exit_code == 2
    assert f"{out}/summary.json: cannot be used ({why}); finished runs are kept" in stopped.stderr
    assert "summary.json" not in files(out)

    with no_file_above(150_000):
        stopped = invoke(out, FEW)
    assert stopped.exit_code == 2
    assert re.search(rf"{out}/charts/.+: cannot be drawn \({why}\)", stopped.stderr)
    assert drafts(out) == []
    assert invoke(out, FEW, "--no-charts").exit_code == 0
    assert {name: text for name, text in files(out).items() if "charts" not in name} == files(few)


def nobody() -> contextlib.AbstractContextManager[None]:
    """For root, who may write anywhere: be somebody else for a while."""

    @contextlib.contextmanager
    def other() -> Iterator[None]:
        os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(0)

    return other() if os.geteuid() == 0 else contextlib.nullcontext()


@pytest.mark.usefixtures("quick")
def test_a_store_without_write_permission_is_said_and_left_as_it_is(
    small: Runner, few: Path
) -> None:
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o755)
        out = shutil.copytree(few, place / "out")
        before = files(out)
        shutil.rmtree(out / "runs" / "chunk-000002")
        (out / ".lock").unlink()
        out.chmod(0o555)
        try:
            with nobody(), pytest.raises(RunError) as said:
                forecast(small.inputs, runs=FEW, seed=1, out=out)
            assert f"{out}: cannot be written (Permission denied)" in str(said.value)
            out.chmod(0o777)
            (out / "runs").chmod(0o555)
            with nobody(), pytest.raises(RunError) as said:
                forecast(small.inputs, runs=FEW, seed=1, out=out)
            assert f"{out}: cannot be written (Permission denied); 75 runs are kept" in str(
                said.value
            )
        finally:
            out.chmod(0o755)
            (out / "runs").chmod(0o755)
        (out / ".lock").unlink()
        forecast(small.inputs, runs=FEW, seed=1, out=out)
        assert files(out) == before


# Workers without memory


@contextlib.contextmanager
def whenever_workers_appear(act: Callable[[int], None]) -> Iterator[None]:
    """Do something to each worker process as soon as it is there."""
    over = threading.Event()
    met: set[int] = set()

    def watch() -> None:
        while not over.wait(0.005):
            for worker in multiprocessing.active_children():
                if worker.pid is not None and worker.pid not in met:
                    met.add(worker.pid)
                    with contextlib.suppress(ProcessLookupError):
                        act(worker.pid)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_workers_that_are_killed_again_and_again_end_a_forecast_that_keeps_its_runs(
    small: Runner, tmp_path: Path, few: Path
) -> None:
    out = shutil.copytree(few, tmp_path / "out")
    shutil.rmtree(out / "runs" / "chunk-000001")
    kept = stamps(out)
    with (
        whenever_workers_appear(lambda pid: os.kill(pid, signal.SIGKILL)),
        pytest.raises(RunError) as said,
    ):
        forecast(small.inputs, runs=FEW, seed=1, out=out, workers=2)
    assert "workers died 3 times without finishing a run: out of memory" in str(said.value)
    assert str(said.value).endswith(f"; 75 runs are kept, {GOES_ON}")
    assert stamps(out) == kept
    forecast(small.inputs, runs=FEW, seed=1, out=out)
    assert files(out) == files(few)


def test_a_worker_that_gets_no_memory_ends_a_forecast_that_keeps_its_runs(
    small: Runner, tmp_path: Path, few: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = shutil.copytree(few, tmp_path / "out")
    shutil.rmtree(out / "runs" / "chunk-000001")
    kept = stamps(out)

    def starve(inputs: object, seed: int, number: int) -> Chunk:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(sim.montecarlo, "simulate", starve)
        stopped = invoke(out, FEW, "--no-charts")
    assert stopped.exit_code == 2
    why = "out of memory (try fewer --workers); 75 runs are kept"
    assert stopped.stderr == f"RunError: {why}, {GOES_ON}\n"
    assert stamps(out) == kept


# Damaged, old and foreign


def copy_of_another(runs: Path) -> None:
    shutil.rmtree(runs / "chunk-000001")
    shutil.copytree(runs / "chunk-000000", runs / "chunk-000001")


def fewer_runs(runs: Path) -> None:
    rewrite(runs / "chunk-000001" / "chunk.json", lambda note: note.update(runs=24))


def brackets_without_end(runs: Path) -> None:
    (runs / "chunk-000001" / "chunk.json").write_text("[" * 100_000)


def bytes_that_are_no_text(runs: Path) -> None:
    (runs / "chunk-000001" / "chunk.json").write_bytes(b"\xff\xfe\x00")


def no_sum_of_a_table(runs: Path) -> None:
    rewrite(runs / "chunk-000001" / "chunk.json", lambda note: note["sha256"].pop("costs"))


def of_another_forecast(runs: Path) -> None:
    rewrite(runs / "chunk-000001" / "chunk.json", lambda note: note.update(of="0" * 64))


def a_folder_for_a_table(runs: Path) -> None:
    (runs / "chunk-000001" / "series.parquet").unlink()
    (runs / "chunk-000001" / "series.parquet").mkdir()


def a_file_for_a_chunk(runs: Path) -> None:
    shutil.rmtree(runs / "chunk-000001")
    (runs / "chunk-000001").write_text("")


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "damage",
    [
        copy_of_another,
        fewer_runs,
        brackets_without_end,
        bytes_that_are_no_text,
        no_sum_of_a_table,
        of_another_forecast,
        a_folder_for_a_table,
        a_file_for_a_chunk,
    ],
    ids=lambda damage: damage.__name__,
)
def test_a_chunk_that_is_not_what_it_should_be_is_made_again(
    small: Runner, tmp_path: Path, few: Path, damage: Callable[[Path], None]
) -> None:
    out = shutil.copytree(few, tmp_path / "out")
    damage(out / "runs")
    with open_store(out, small.inputs, 1, __version__, columns_of(small)) as store:
        run_missing(store, small.inputs, 1, FEW)
    assert files(out) == files(few)


def test_a_chunk_that_cannot_be_read_for_now_is_not_taken_for_damaged(
    small: Runner, tmp_path: Path, few: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = shutil.copytree(few, tmp_path / "out")

    def too_many_files(path: Path) -> str:
        raise OSError(errno.EMFILE, "Too many open files", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(sim.store, "_sha256", too_many_files)
        stopped = invoke(out, FEW, "--no-charts")
    assert stopped.exit_code == 2
    file = out / "runs" / "chunk-000000" / "series.parquet"
    assert stopped.stderr == f"RunError: {file}: runs cannot be checked (Too many open files)\n"
    assert files(out) == files(few)


def test_a_process_checks_each_chunk_once(
    small: Runner, few: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []
    sha256 = sim.store._sha256
    monkeypatch.setattr(
        sim.store, "_sha256", lambda path: checked.append(path.name) or sha256(path)
    )
    with open_store(few, small.inputs, 1, __version__, columns_of(small)) as store:
        for _ in range(3):
            run_missing(store, small.inputs, 1, FEW)
    assert len(checked) == len(stamps(few)) * len(TABLES)


OTHER_PROGRAM = "holds runs made by another version of the program"


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("format", 0, "holds runs in format 0, and this program writes format 2"),
        ("format", 3, "holds runs in format 3, and this program writes format 2"),
        ("format", "one", "holds runs in format 'one', and this program writes format 2"),
        (
            "version",
            "0.0.9",
            f"{OTHER_PROGRAM} (version is '0.0.9' there and '{__version__}' here)",
        ),
        ("code", "0" * 64, f"{OTHER_PROGRAM} (its code has changed since)"),
        ("runs_per_chunk", 50, f"{OTHER_PROGRAM} (runs_per_chunk is 50 there and 25 here)"),
        ("libraries", {"numpy": "1.0"}, "runs made with other libraries (numpy is '1.0' there and"),
        ("scenario", "x", "another forecast (scenario is 'x' there and 'harbour_baseline' here)"),
        ("seed", 7, "another forecast (seed is 7 there and 1 here)"),
    ],
)
def test_an_old_or_foreign_store_is_refused_and_left_alone(
    tmp_path: Path, few: Path, field: str, value: object, message: str
) -> None:
    out = shutil.copytree(few, tmp_path / "out")
    rewrite(out / "manifest.json", lambda manifest: manifest.update({field: value}))
    (out / "runs" / ".chunk-000009.part").mkdir()
    before = files(out)
    refused = invoke(out, FEW, "--no-charts")
    assert refused.exit_code == 2
    assert f"{out}: holds " in refused.stderr
    assert message in refused.stderr
    assert refused.stderr.endswith("; give another directory with --out\n")
    assert files(out) == before
    assert drafts(out) == ["runs/.chunk-000009.part"]


def test_a_store_of_a_format_without_checksums_is_said_to_be_one(tmp_path: Path, few: Path) -> None:
    out = shutil.copytree(few, tmp_path / "out")
    lines = (out / "manifest.json").read_text().replace('"format": 2', '"format": 1').splitlines()
    (out / "manifest.json").write_text("\n".join(lines[:1] + lines[2:]))
    for note in out.glob("runs/*/chunk.json"):
        rewrite(note, lambda content: content.pop("of"))
    before = files(out)
    refused = invoke(out, FEW, "--no-charts")
    assert "holds runs in format 1, and this program writes format 2" in refused.stderr
    assert files(out) == before


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("spoil", ["remove", "seed", "cut"])
def test_a_damaged_manifest_is_written_anew_where_a_chunk_says_what_the_runs_are_of(
    small: Runner, tmp_path: Path, few: Path, spoil: str
) -> None:
    out = shutil.copytree(few, tmp_path / "out")
    manifest = out / "manifest.json"
    text = manifest.read_text()
    changed = {"seed": text.replace('"seed": 1', '"seed": 2'), "cut": text[:-40]}
    manifest.unlink() if spoil == "remove" else manifest.write_text(changed[spoil])
    with pytest.raises(RunError, match=r"manifest\.json"):
        read_finished(out)
    other = invoke(out, FEW, "--no-charts", "--seed", "2")
    assert other.exit_code == 2  # these runs are of seed 1
    forecast(small.inputs, runs=FEW, seed=1, out=out)
    assert files(out) == files(few)


@pytest.mark.usefixtures("quick")
def test_the_same_files_under_other_names_go_on_under_the_first(
    tmp_path: Path, few: Path, small_scenario: Path
) -> None:
    out = shutil.copytree(few, tmp_path / "out")
    source = shutil.copytree(small_scenario.parent, tmp_path / "source")
    renamed = (source / "scenario.yaml").rename(source / "renamed.yaml")
    forecast(read_scenario(renamed), runs=FEW, seed=1, out=out)
    assert {name for name in files(out) if name.startswith("inputs")} == {
        name for name in files(few) if name.startswith("inputs")
    }
    assert read_finished(out).inputs.scenario.id == "harbour_baseline"


@pytest.mark.usefixtures("quick")
def test_inputs_as_another_system_saves_them_are_read_back(
    small_scenario: Path, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    shutil.copytree(small_scenario.parent, source)
    for file in source.iterdir():
        text = "\ufeff" + file.read_text(encoding="utf-8").replace("\n", "\r\n")
        file.write_bytes(text.encode())
    inputs = read_scenario(source / "scenario.yaml")
    forecast(inputs, runs=FEW, seed=1, out=tmp_path / "out")
    assert read_finished(tmp_path / "out").inputs.plan == inputs.plan


@pytest.mark.parametrize("name", ["inputs", "runs", "README.md"])
def test_a_directory_with_things_of_the_same_names_is_refused_and_left_alone(
    tmp_path: Path, name: str
) -> None:
    if name == "README.md":
        (tmp_path / name).write_text("mine")
    else:
        (tmp_path / name).mkdir()
        (tmp_path / name / "plan.yaml").write_text("mine")
    before = files(tmp_path)
    refused = invoke(tmp_path, FEW)
    assert refused.exit_code == 2
    assert f"holds other files ({name}); give an empty or a new directory" in refused.stderr
    assert files(tmp_path) == before


@pytest.mark.usefixtures("quick")
def test_what_a_stopped_write_left_is_removed_wherever_it_lies(
    small: Runner, tmp_path: Path, few: Path
) -> None:
    out = shutil.copytree(few, tmp_path / "out")
    (out / "charts").mkdir()
    for draft in (".summary.json.part", "charts/.a.png.part", "inputs/.plan.yaml.part"):
        (out / draft).write_text("half")
    (out / "runs" / ".again-000007.part").mkdir()
    (out / "runs" / ".again-000007.part" / "series.parquet").write_text("half")
    forecast(small.inputs, runs=FEW, seed=1, out=out)
    assert drafts(out) == []
    assert files(out) == files(few)


def test_inputs_of_one_name_in_several_folders_are_all_kept(
    small_scenario: Path, tmp_path: Path, made: dict[int, Chunk]
) -> None:
    source = tmp_path / "source"
    for folder in (".", "plans", "economies"):
        (source / folder).mkdir(parents=True)
    text = small_scenario.read_text(encoding="utf-8")
    text = text.replace("plan: plan.yaml", "plan: plans/x.yaml")
    text = text.replace("economy: economy.yaml", "economy: economies/x.yaml")
    (source / "x.yaml").write_text(text, encoding="utf-8")
    shutil.copy(small_scenario.parent / "plan.yaml", source / "plans" / "x.yaml")
    shutil.copy(small_scenario.parent / "economy.yaml", source / "economies" / "x.yaml")
    inputs = read_scenario(source / "x.yaml")
    with open_store(tmp_path / "out", inputs, 1, __version__, columns_of(Runner(inputs, 1))):
        pass
    again = read_scenario(tmp_path / "out" / "inputs" / "x.yaml")
    assert again.plan == inputs.plan
    assert again.economy == inputs.economy


# Opened without the program

PAGE = (ROOT / "docs" / "store.md").read_text(encoding="utf-8")


def printed(text: str) -> Any:
    """What each Python block of a page prints, run by itself from the current directory."""
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        assert "sim" not in re.findall(r"(?:import|from) (\w+)", block)
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(block, {})
        yield out.getvalue().split()


def test_the_store_opens_with_pandas_duckdb_and_xarray_as_its_readme_says(
    few: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(few)
    numbers = [float(words[0]) for words in printed(Path("README.md").read_text(encoding="utf-8"))]
    summary = json.loads(Path("summary.json").read_text(encoding="utf-8"))
    said = [row["probability"] for row in summary["results"] if row["zone"] == "district"]
    assert 0.0 < said[0] < 1.0
    assert numbers == [pytest.approx(said[0])] * 3  # the first target's


def test_the_store_opens_with_pandas_duckdb_and_xarray_as_the_documentation_says(
    real: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = forecast(real.inputs, runs=50, seed=1, out="out/baseline")
    said = list(printed(PAGE))
    (row,) = answer.results.query("zone == 'district' and target == 'ai_scale'").to_dict("records")
    assert [float(words[0]) for words in said[:3]] == [pytest.approx(row["probability"])] * 3
    assert len(said) == 4


def test_the_documentation_names_every_field_of_manifest_and_chunk(few: Path) -> None:
    manifest = json.loads((few / "manifest.json").read_text())
    note = json.loads((few / "runs" / "chunk-000000" / "chunk.json").read_text())
    rows = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert rows == [*manifest, *note]


def test_months_are_text_and_values_single_precision_in_any_reader(few: Path) -> None:
    series = pq.read_schema(few / "runs" / "chunk-000000" / "series.parquet")
    kinds = {str(kind) for kind in series.types[2:]}
    assert (str(series.field("run").type), str(series.field("month").type), kinds) == (
        "int32",
        "string",
        {"float"},
    )
