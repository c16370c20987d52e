"""A Dask cluster gives the runs that this machine gives, whatever happens to it, or says why not.

With a real scheduler and real workers, on loopback.
"""

from __future__ import annotations

import gc
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import dask
import distributed
import pytest
from typer.testing import CliRunner

import sim.cluster
from sim.addresses import is_loopback
from sim.analysis.forecast import forecast
from sim.cli import app
from sim.cluster import DaskCluster
from sim.errors import RunError
from sim.runner import Runner
from sim.scenario import Inputs
from sim.store import RUNS_PER_CHUNK

CHUNKS = 2
AGAIN_CHUNKS = 1  # of the first half of the runs, made again with other luck
RUNS = CHUNKS * RUNS_PER_CHUNK
TOO_MANY = 20_000  # more than are made before a test stops them
AT_MOST = 90.0  # seconds that anything here may take on a busy machine
AT_ONCE = 25.0  # seconds within which a command that was told to stop is gone

Progress = Callable[[int, int], None]


def wait_until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + AT_MOST
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def environment(program: Path | None = None, settings: Path | None = None) -> dict[str, str]:
    """That of a process which is to find the program in a folder; by default this one."""
    found = os.environ | {"PYTHONPATH": str(program or Path(sim.__file__).parents[1])}
    return found | ({"DASK_CONFIG": str(settings)} if settings else {})


def living_inputs() -> int:
    return sum(type(thing) is Inputs for thing in gc.get_objects())


class Cluster:
    """A scheduler, and the workers that a test adds."""

    def __init__(
        self, folder: Path, ending: ExitStack, port: int = 0, settings: Path | None = None
    ) -> None:
        """``settings``: Dask's, with certificates, which all parts use then."""
        self._folder = folder
        self._settings = settings
        self._ending = ending
        self._workers = ExitStack()
        note = folder / "scheduler.json"
        note.unlink(missing_ok=True)
        options = ["--protocol", "tls"] if settings else []
        options += ["--port", str(port), "--scheduler-file", str(note)]
        self.scheduler = self._start("scheduler", *options)
        ending.enter_context(ended(self.scheduler))
        wait_until(lambda: note.exists() and note.read_text().endswith("}"))
        self.address: str = json.loads(note.read_text())["address"]
        with configured(settings):
            self._client = distributed.Client(self.address, timeout=AT_MOST, set_as_default=False)
        ending.callback(self._client.close)

    def add_workers(
        self, number: int, nanny: bool = False, threads: int = 1, program: Path | None = None
    ) -> list[str]:
        """The addresses of new workers, once they have joined; a folder may hold their program."""
        before = self.workers()
        options = ["--nanny" if nanny else "--no-nanny", "--nthreads", str(threads)]
        options += ["--local-directory", str(self._folder)]
        for _ in range(number):
            worker = self._start("worker", self.address, *options, program=program)
            self._workers.enter_context(ended(worker))
        wait_until(lambda: len(self.workers() - before) == number)
        return list(self.workers() - before)

    def remove_workers(self) -> None:
        self._workers.close()
        wait_until(lambda: not self.workers())

    def workers(self) -> set[str]:
        return set(self._client.ncores())

    def kill(self, *workers: str) -> None:
        for pid in self._client.run(os.getpid, workers=list(workers)).values():
            os.kill(pid, signal.SIGKILL)

    def kill_a_busy_one(self) -> None:
        tasks = self._client.processing()
        self.kill(next(worker for worker in tasks if tasks[worker]))

    def forgive_deaths(self, number: int) -> None:
        """How many workers may die over a task; Dask's default is 3."""
        self._client.run_on_scheduler(
            lambda dask_scheduler: setattr(dask_scheduler, "allowed_failures", number)
        )

    def tasks(self) -> int:
        return int(self._client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)))

    def clients(self) -> int:
        """How many others than this test use it."""
        clients = self._client.run_on_scheduler(lambda dask_scheduler: [*dask_scheduler.clients])
        return sum(name.startswith("Client-") for name in clients) - 1

    def inputs_in_scheduler(self) -> int:
        return int(self._client.run_on_scheduler(living_inputs))

    def _start(
        self, kind: str, *options: str, program: Path | None = None
    ) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dask", kind, "--host", "127.0.0.1", "--no-dashboard"]
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                [*command, *options],
                cwd=self._folder,
                stdout=log,
                stderr=log,
                env=environment(program, self._settings),
            )


@contextmanager
def configured(settings: Path | None) -> Iterator[None]:
    """Dask as a file of settings has it, within this process."""
    found = dask.config.collect([str(settings)], env={}) if settings else {}
    with dask.config.set(dask.config.merge(dask.config.config, found)):
        yield


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Ends a process when it is no longer needed; a nanny takes its worker along."""
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(AT_MOST)
        except subprocess.TimeoutExpired:  # Dask's own way to end can hang on a busy machine
            process.kill()
            process.wait(AT_MOST)


@pytest.fixture(scope="module")
def standing_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with ExitStack() as ending:
        yield Cluster(tmp_path_factory.mktemp("cluster"), ending)


@pytest.fixture
def cluster(standing_cluster: Cluster) -> Iterator[Cluster]:
    """A cluster without workers, as often as needed."""
    yield standing_cluster
    standing_cluster.remove_workers()


@pytest.fixture(scope="module")
def whole(small: Runner, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The forecast that this machine makes."""
    folder = tmp_path_factory.mktemp("whole") / "out"
    forecast(small.inputs, runs=RUNS, seed=1, out=folder, workers=2)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    """The bytes of everything a forecast left, by name."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and file.name != ".lock"
    }


def kept_chunks(out: Path, whole: Path) -> int:
    """How many chunks a forecast without an end left, all of them as they should be."""
    left = files(out)
    assert "summary.json" not in left
    assert left.items() <= files(whole).items()
    return sum(name.endswith("chunk.json") for name in left)


def copy_of(out: Path, place: Path) -> Path:
    return Path(shutil.copytree(out, place))


def once(act: Callable[[], None]) -> Progress:
    """Do something when the first chunk is there and others are under way."""
    done_already: list[bool] = []

    def on_progress(done: int, total: int) -> None:
        if done and not done_already:
            done_already.append(True)
            act()

    return on_progress


def command(scenario: Path, out: Path, cluster: str, runs: int = RUNS) -> list[str]:
    run = [str(scenario), "--runs", str(runs), "--no-charts", "--out", str(out)]
    return ["forecast", *run, "--cluster", cluster]


@contextmanager
def pudong(arguments: list[str], settings: Path | None = None) -> Iterator[subprocess.Popen[str]]:
    """The command, in a process of its own."""
    program = [sys.executable, "-c", "from sim.__main__ import main; main()"]
    with subprocess.Popen(
        [*program, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(settings=settings),
    ) as process:
        try:
            yield process
        finally:
            process.kill()


# The same runs, to the byte


def test_a_cluster_makes_the_runs_that_this_machine_makes(
    cluster: Cluster, small_scenario: Path, tmp_path: Path, whole: Path
) -> None:
    cluster.add_workers(1, threads=2)
    with pudong(command(small_scenario, tmp_path / "out", cluster.address)) as process:
        said, complained = process.communicate(timeout=AT_MOST)
    assert (process.returncode, complained) == (0, "")
    assert f"{RUNS} runs" in said
    assert files(tmp_path / "out") == files(whole)
    assert not cluster.inputs_in_scheduler()  # it would keep a set for each task
    wait_until(lambda: not cluster.clients())


def test_a_worker_killed_under_way_costs_no_run(
    cluster: Cluster, small: Runner, tmp_path: Path, whole: Path
) -> None:
    cluster.add_workers(2)
    place = DaskCluster(cluster.address)
    kill = once(cluster.kill_a_busy_one)
    forecast(small.inputs, runs=RUNS, seed=1, out=tmp_path, workers=place, on_progress=kill)
    assert len(cluster.workers()) == 1
    assert files(tmp_path) == files(whole)


def test_the_only_worker_killed_under_way_is_waited_for_until_it_is_back(
    cluster: Cluster, small: Runner, tmp_path: Path, whole: Path
) -> None:
    first = cluster.add_workers(1, nanny=True)
    place = DaskCluster(cluster.address)
    kill = once(cluster.kill_a_busy_one)
    forecast(small.inputs, runs=RUNS, seed=1, out=tmp_path, workers=place, on_progress=kill)
    assert cluster.workers() != set(first)
    assert files(tmp_path) == files(whole)


# What is lost under way is said, and finished runs are kept


def test_a_forecast_that_loses_all_workers_goes_on_with_others(
    cluster: Cluster, small: Runner, tmp_path: Path, whole: Path
) -> None:
    workers = cluster.add_workers(2)
    place = DaskCluster(cluster.address, patience=0.5)
    kill = once(lambda: cluster.kill(*workers))
    with pytest.raises(RunError, match=r"its workers are gone, and none came .* runs are kept"):
        forecast(small.inputs, runs=RUNS, seed=1, out=tmp_path, workers=place, on_progress=kill)
    assert 1 <= kept_chunks(tmp_path, whole) < CHUNKS + AGAIN_CHUNKS
    with pytest.raises(RunError, match="the scheduler has no worker, and none came within"):
        DaskCluster(cluster.address, patience=0.5)
    cluster.add_workers(1)
    forecast(small.inputs, runs=RUNS, seed=1, out=tmp_path, workers=place)
    assert files(tmp_path) == files(whole)


def test_a_forecast_whose_scheduler_dies_goes_on_here_or_when_it_is_back(
    small: Runner, small_scenario: Path, tmp_path: Path, whole: Path
) -> None:
    out = tmp_path / "out"
    with ExitStack() as ending:
        cluster = Cluster(tmp_path, ending)
        cluster.add_workers(1)
        with pudong(command(small_scenario, out, cluster.address, TOO_MANY)) as process:
            wait_until((out / "runs" / "chunk-000000").exists)
            cluster.scheduler.kill()
            _, complained = process.communicate(timeout=AT_MOST)
    assert process.returncode == 2
    assert complained.startswith(
        f"RunError: --cluster {cluster.address}: the connection to the scheduler is lost; "
        "finished runs are kept"
    )
    assert complained.count("\n") == 1
    assert (out / "runs" / "chunk-000000" / "chunk.json").exists()
    assert not (out / "summary.json").exists()
    kept = copy_of(out, tmp_path / "kept")
    forecast(small.inputs, runs=RUNS, seed=1, out=out)
    assert files(whole).items() <= files(out).items()
    with ExitStack() as ending:
        cluster = Cluster(tmp_path, ending, port=int(cluster.address.rpartition(":")[2]))
        cluster.add_workers(1)
        with pudong(command(small_scenario, kept, cluster.address)) as process:
            assert process.communicate(timeout=AT_MOST)[1] == ""
    assert files(whole).items() <= files(kept).items()


def test_ctrl_c_takes_the_tasks_off_the_cluster(
    cluster: Cluster, small_scenario: Path, tmp_path: Path
) -> None:
    cluster.add_workers(1)
    out = tmp_path / "out"
    with pudong(command(small_scenario, out, cluster.address, TOO_MANY)) as process:
        wait_until((out / "runs" / "chunk-000000").exists)
        wait_until(cluster.tasks)
        process.send_signal(signal.SIGINT)
        _, complained = process.communicate(timeout=AT_ONCE)
    assert process.returncode == 130
    assert complained.startswith("Stopped; finished runs are kept")
    assert complained.count("\n") == 1
    assert (out / "runs" / "chunk-000000" / "chunk.json").exists()
    assert not (out / "summary.json").exists()
    wait_until(lambda: not cluster.tasks())
    assert not cluster.clients()


def test_runs_that_kill_worker_after_worker_are_given_up(
    cluster: Cluster, small: Runner, tmp_path: Path, whole: Path
) -> None:
    cluster.add_workers(1)
    place = DaskCluster(cluster.address)
    kill = once(cluster.kill_a_busy_one)
    cluster.forgive_deaths(0)
    with pytest.raises(RunError, match=r"worker after worker died .* finished runs are kept"):
        forecast(small.inputs, runs=RUNS, seed=1, out=tmp_path, workers=place, on_progress=kill)
    cluster.forgive_deaths(3)
    assert kept_chunks(tmp_path, whole)


# Who may take part


def other_program(folder: Path) -> Path:
    """A folder with the program, changed in one place."""
    copy = shutil.copytree(Path(sim.__file__).parent, folder / "sim")
    (copy / "model.py").write_text((copy / "model.py").read_text() + "\n# changed\n")
    return folder


def other_numpy(folder: Path) -> Path:
    """A folder in which another numpy is said to be installed."""
    note = folder / "numpy-1.0.dist-info" / "METADATA"
    note.parent.mkdir(parents=True)
    note.write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 1.0\n")
    return shown_first(folder)


def other_python(folder: Path) -> Path:
    """A folder whose workers say that another Python runs them."""
    folder.mkdir()
    other = 'import platform\nplatform.python_version_tuple = lambda: ("3", "99", "0")\n'
    (folder / "sitecustomize.py").write_text(other)
    return shown_first(folder)


def shown_first(folder: Path) -> Path:
    """The program itself beside what is there."""
    (folder / "sim").symlink_to(Path(sim.__file__).parent)
    return folder


def no_program(folder: Path) -> Path:
    """A folder that hides the program from whoever looks there first."""
    folder.mkdir()
    (folder / "sim.py").write_text("raise ModuleNotFoundError(\"No module named 'sim'\")\n")
    return folder


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (other_program, r"has another program \(code is [0-9a-f]{12} there and [0-9a-f]{12} here"),
        (other_numpy, r"has another program \(numpy is 1.0 there and "),
        (other_python, r"has another program \(Python is 3.99 there and "),
        (no_program, r"cannot load pudong-sim \(.*No module named 'sim'"),
    ],
)
def test_a_worker_with_another_program_is_named(
    cluster: Cluster,
    tmp_path: Path,
    program: Callable[[Path], Path],
    reason: str,
) -> None:
    (other,) = cluster.add_workers(1, program=program(tmp_path / "other"))
    with pytest.raises(RunError, match=f"the worker {other} {reason}"):
        DaskCluster(cluster.address)


def test_a_worker_with_another_program_that_joins_later_makes_no_run(
    cluster: Cluster, small: Runner, tmp_path: Path, whole: Path
) -> None:
    def replace_worker() -> None:
        cluster.add_workers(1, program=other_program(tmp_path / "other"))
        cluster.kill(*workers)

    workers = cluster.add_workers(1)
    place = DaskCluster(cluster.address)
    out = tmp_path / "out"
    replace = once(replace_worker)
    with pytest.raises(RunError, match="has another program"):
        forecast(small.inputs, runs=RUNS, seed=1, out=out, workers=place, on_progress=replace)
    assert kept_chunks(out, whole)


# Addresses that are none


@pytest.mark.parametrize(
    "address",
    ["foo", "http://127.0.0.1:8786", "tcp://127.0.0.1", "tcp://127.0.0.1:x", "tcp://a:99999"],
)
def test_what_is_no_address_is_refused(small_scenario: Path, tmp_path: Path, address: str) -> None:
    done = CliRunner().invoke(app, command(small_scenario, tmp_path / "out", address))
    assert done.exit_code == 2
    assert done.stderr == (
        f"RunError: --cluster: found '{address}'; give the address that the scheduler prints, "
        "like tcp://host:8786\n"
    )
    assert not (tmp_path / "out").exists()


def test_an_address_where_nothing_answers_leaves_nothing(
    small_scenario: Path, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    arguments = command(small_scenario, tmp_path / "out", f"tcp://127.0.0.1:{port}")
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 2
    assert "nothing answers (Connection refused)" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("greeting", [b"", b"SSH-2.0-OpenSSH_9.2\r\n"])
def test_a_server_that_is_no_scheduler_is_given_up_in_time(
    small_scenario: Path, tmp_path: Path, greeting: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that says nothing and one that speaks first, and neither hangs up."""
    assert sim.cluster.ANSWER_WAIT < 10
    monkeypatch.setattr(sim.cluster, "ANSWER_WAIT", 1.0)
    calls: list[socket.socket] = []

    def answer(server: socket.socket) -> None:
        with suppress(OSError):
            while True:
                calls.append(server.accept()[0])
                calls[-1].sendall(greeting)

    with ExitStack() as ending:
        server = ending.enter_context(socket.create_server(("127.0.0.1", 0)))
        thread = threading.Thread(target=answer, args=(server,))
        thread.start()
        ending.callback(thread.join)
        ending.callback(server.shutdown, socket.SHUT_RDWR)
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        done = CliRunner().invoke(app, command(small_scenario, tmp_path / "out", address))
    for call in calls:
        call.close()
    assert done.exit_code == 2
    assert f"--cluster {address}: what answers is no Dask scheduler" in done.stderr
    assert not (tmp_path / "out").exists()


class Witness:
    """Unpacked from a pickle it makes a file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, str]]:
        return open, (str(self.file), "w")


def test_nothing_of_a_foreign_server_is_unpacked_before_it_is_known(tmp_path: Path) -> None:
    """One that speaks Dask's protocol, and packs what runs code when it is unpacked."""
    from distributed.protocol import dumps, to_serialize
    from distributed.protocol.serialize import ToPickle
    from distributed.protocol.utils import pack_frames

    def answer(server: socket.socket, message: object) -> None:
        with suppress(OSError):
            while True:
                with server.accept()[0] as call:
                    body = pack_frames([bytes(frame) for frame in dumps(message)])
                    call.sendall(2 * (struct.pack("Q", len(body)) + body))
                    while call.recv(1000):
                        pass

    witness = tmp_path / "unpacked"
    for packed in (ToPickle(Witness(witness)), to_serialize(Witness(witness))):
        for message in (packed, {"type": packed}, {"type": "Worker", "more": packed}):
            with ExitStack() as ending:
                server = ending.enter_context(socket.create_server(("127.0.0.1", 0)))
                thread = threading.Thread(target=answer, args=(server, message))
                thread.start()
                ending.callback(thread.join)
                ending.callback(server.shutdown, socket.SHUT_RDWR)
                with pytest.raises(RunError, match=r"what answers is (no|a) Dask"):
                    DaskCluster(f"tcp://127.0.0.1:{server.getsockname()[1]}")
            assert not witness.exists()
    Witness(witness).__reduce__()[0](str(witness), "w").close()  # type: ignore[attr-defined]
    assert witness.exists()


# Certificates


PAGE = (Path(__file__).parents[1] / "docs" / "cluster.md").read_text(encoding="utf-8")


def certificates(folder: Path) -> Path:
    """Dask's settings with certificates, both made as the documentation says."""
    (commands,) = re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)
    folder.mkdir()
    done = subprocess.run(
        ["sh", "-e"], input=commands, text=True, cwd=folder, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (settings,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    file = folder / "distributed.yaml"
    file.write_text(settings.replace("/path/to", str(folder)))
    return file


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on this machine to make certificates with")
    return certificates(tmp_path_factory.mktemp("certificates") / "own")


def test_with_certificates_a_cluster_makes_the_same_runs_and_strangers_are_refused(
    settings: Path, small_scenario: Path, tmp_path: Path, whole: Path
) -> None:
    with ExitStack() as ending:
        cluster = Cluster(tmp_path, ending, settings=settings)
        assert cluster.address.startswith("tls://")
        cluster.add_workers(1)
        with pudong(command(small_scenario, tmp_path / "out", cluster.address), settings) as one:
            assert one.communicate(timeout=AT_MOST)[1] == ""
        assert files(tmp_path / "out") == files(whole)

        with pytest.raises(RunError, match=r"found no certificates in Dask's configuration; give"):
            DaskCluster(cluster.address)
        with pytest.raises(RunError, match=r"no Dask scheduler, or one for tls:// \("):
            DaskCluster(cluster.address.replace("tls:", "tcp:"))
        fit = r"the certificates do not fit \(.+\); give yours and the authority's in Dask's"
        others = certificates(tmp_path / "others")
        with configured(others), pytest.raises(RunError, match=fit):
            DaskCluster(cluster.address)
        # the scheduler's authority is right, and what is shown to it is of another
        mixed = others.with_name("mixed.yaml")
        texts = [str(file.parent / "ca.pem") for file in (others, settings)]
        mixed.write_text(others.read_text().replace(*texts))
        with configured(mixed), pytest.raises(RunError, match=fit):
            DaskCluster(cluster.address)


def test_whoever_answers_from_elsewhere_without_certificates_is_said_to_be_trusted() -> None:
    assert is_loopback("127.0.0.1")
    assert is_loopback("::1")
    assert is_loopback("localhost")
    assert not is_loopback("192.0.2.7")
    assert not is_loopback("scheduler.example")


def test_a_worker_is_no_scheduler(cluster: Cluster) -> None:
    (worker,) = cluster.add_workers(1)
    with pytest.raises(RunError, match="what answers is a Dask worker, no scheduler"):
        DaskCluster(worker)


# What else a user may meet


def test_workers_here_and_a_cluster_exclude_each_other(
    small_scenario: Path, tmp_path: Path
) -> None:
    arguments = command(small_scenario, tmp_path / "out", "tcp://127.0.0.1:8786")
    done = CliRunner().invoke(app, [*arguments, "--workers", "2"])
    assert done.exit_code == 2
    assert "--workers and --cluster exclude each other" in done.stderr
    assert not (tmp_path / "out").exists()


def test_without_dask_a_message_says_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(RunError, match=r"pip install 'pudong-sim\[cluster\]' brings it"):
        DaskCluster("tcp://127.0.0.1:8786")


def test_dask_is_loaded_for_a_cluster_alone() -> None:
    code = (
        "import sys, sim, sim.cli, sim.cluster; print({'dask', 'distributed'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment()
    )
    assert done.stdout == "set()\n"


def test_a_directory_that_is_refused_leaves_no_one_on_the_cluster(
    cluster: Cluster, small: Runner, whole: Path
) -> None:
    cluster.add_workers(1)
    with pytest.raises(RunError, match="holds another forecast"):
        forecast(small.inputs, runs=RUNS, seed=2, out=whole, workers=DaskCluster(cluster.address))
    wait_until(lambda: not cluster.clients())
