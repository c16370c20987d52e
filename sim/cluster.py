"""Runs on a Dask cluster: which program its workers must have, and what can go wrong with it."""

from __future__ import annotations

import pickle
import platform
import re
import socket
import ssl
import struct
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from importlib import metadata
from typing import Any

from sim import __version__
from sim.addresses import is_loopback
from sim.errors import RunError, shown_text
from sim.store import code_sha256

ADDRESS = re.compile(r"(?:tcp|tls)://(?P<host>[^\s/]+):(?P<port>\d+)")
MAX_PORT = 65535
MOST_BYTES = 2**24  # of a scheduler's answer to who it is, which names its workers
ANSWER_WAIT = 8.0  # seconds until an address counts as silent
WORKER_WAIT = 60.0  # seconds without any worker until runs are given up
LOOK = 1.0  # seconds between two counts of the workers

GIVE = "give the address that the scheduler prints, like tcp://host:8786"
CERTIFICATES = (
    "give yours and the authority's in Dask's configuration (distributed.comm.tls), as "
    "docs/cluster.md shows"
)
SAME = "install the program that you run here there too, and start it anew"
KEPT = "finished runs are kept; the same command goes on from them, with or without --cluster"


class DaskCluster:
    """The workers of a running Dask scheduler, as a place to run.

    Connects, checks and closes when made, so that what cannot work is said before anything is
    written, and connects anew each time it is opened. A worker that is lost costs no run, the
    scheduler gives its tasks to others; new workers may join at any time.

    Args:
        address: the scheduler's, as ``tcp://host:8786``.
        patience: seconds that runs wait without any worker until they are given up.

    Raises:
        RunError: Dask is not installed, nothing or something else answers, no worker is there, or
            the scheduler or a worker has another program.
    """

    def __init__(self, address: str, patience: float = WORKER_WAIT) -> None:
        self.address = address
        self.patience = patience
        self._cores = 0
        self._given_up = ""
        parts = ADDRESS.fullmatch(address)
        if not parts or not 0 < int(parts["port"]) <= MAX_PORT:
            raise RunError(f"--cluster: found {shown_text(address)!r}; {GIVE}")
        self._host, self._port = parts["host"].strip("[]"), int(parts["port"])
        self._encrypted = address.startswith("tls:")
        with self._connected():
            pass

    @contextmanager
    def open(self) -> Iterator[Executor]:
        """An executor; closing it cancels what is not done.

        Raises:
            RunError: as when made, and when the scheduler or all workers are lost under way.
        """
        self._given_up = ""
        with self._connected() as client:
            executor = _Tasks(client)
            ended = threading.Event()
            watch = threading.Thread(
                target=self._watch, args=(client, executor, ended), daemon=True
            )
            try:
                watch.start()
                yield executor
            except Exception as error:
                if reason := self._loss(error, client):
                    raise self._error(f"{reason}; {KEPT}") from None
                raise
            finally:
                ended.set()
                executor.shutdown(wait=False)

    def width(self) -> int:
        """How many tasks its workers do at once; at least one, which waits for a worker."""
        return max(1, self._cores)

    def is_guarded(self) -> bool:
        """Whether nobody else can answer in its place: by certificates, or as it is here."""
        return self._encrypted or is_loopback(self._host)

    def is_death(self, error: BaseException) -> bool:
        """Never: the scheduler itself asks another worker."""
        return False

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        """A client of a scheduler that answers and has workers, all with this program."""
        distributed = _distributed()
        with ExitStack() as ending:
            try:
                self._look()
                with warnings.catch_warnings():  # of other versions: those that matter are compared
                    warnings.simplefilter("ignore")
                    client = distributed.Client(
                        self.address, timeout=ANSWER_WAIT, set_as_default=False
                    )
                ending.callback(client.close)
                self._await_workers(client)
                self._compare_programs(client)
            except RunError:
                raise
            except Exception as error:
                kind = type(error).__name__
                # a server that does not take our certificate may just hang up
                if isinstance(error, ssl.SSLError) or (
                    self._encrypted and isinstance(error, ConnectionError)
                ):
                    reason = (getattr(error, "reason", None) or kind).replace("_", " ").lower()
                    raise self._error(
                        f"the certificates do not fit ({reason}); {CERTIFICATES}"
                    ) from None
                raise self._error(
                    f"what answers is no Dask scheduler, or one for tls:// ({kind}); {GIVE}"
                ) from None
            yield client

    def _look(self) -> None:
        """Whether a scheduler is there; Dask's client waits for other servers without end.

        Nothing of what answers is unpacked but plain data, so another server gets to do nothing.
        """
        from distributed import Security

        context = Security().get_connection_args("client").get("ssl_context")
        if self._encrypted and context is None:
            raise self._error(f"found no certificates in Dask's configuration; {CERTIFICATES}")
        try:
            line = socket.create_connection((self._host, self._port), ANSWER_WAIT)
        except OSError as error:
            raise self._error(f"nothing answers ({error.strerror or error}); {GIVE}") from None
        with ExitStack() as ending:
            ending.enter_context(line)
            if self._encrypted:
                line = ending.enter_context(context.wrap_socket(line))
            kind = kind_of(line)
        if kind != "Scheduler":
            raise self._error(f"what answers is a Dask {kind.lower()}, no scheduler; {GIVE}")

    def _await_workers(self, client: Any) -> None:
        limit = min(ANSWER_WAIT, self.patience)
        try:
            client.wait_for_workers(1, timeout=limit)
        except TimeoutError:
            raise self._error(
                f"the scheduler has no worker, and none came within {limit:g} s; "
                f"start some with 'dask worker {self.address}'"
            ) from None
        self._cores = sum(client.ncores().values())

    def _compare_programs(self, client: Any) -> None:
        """The scheduler's too, which unpacks the tasks that it gives out."""
        try:
            answers = {"the scheduler": client.run_on_scheduler(program)}
        except Exception as error:
            answers = {"the scheduler": error}
        for worker, answer in client.run(program, on_error="return").items():
            if not isinstance(answer, OSError):  # a worker that is just being lost
                answers[f"the worker {worker}"] = answer
        for who, answer in answers.items():
            if isinstance(answer, Exception):
                reason = shown_text(f"{type(answer).__name__}: {answer}", 120)
                raise self._error(f"{who} cannot load pudong-sim ({reason}); {SAME}")
            if difference := _difference(answer, program()):
                raise self._error(f"{who} {difference}; {SAME}")

    def _watch(self, client: Any, executor: Executor, ended: threading.Event) -> None:
        """Count the workers, and give up when none has been there for long."""
        seen = time.monotonic()
        while not ended.wait(LOOK):
            with suppress(Exception):  # the client itself notices that its scheduler is gone
                self._cores = sum(client.ncores().values())
            if self._cores:
                seen = time.monotonic()
            elif time.monotonic() - seen > self.patience:
                self._given_up = f"its workers are gone, and none came within {self.patience:g} s"
                executor.shutdown(wait=False)
                return

    def _loss(self, error: Exception, client: Any) -> str:
        """What was lost when this error came, if anything."""
        if self._given_up:
            return self._given_up
        if type(error).__name__ == "KilledWorker":
            return f"worker after worker died over the same runs, killed or out of memory ({error})"
        if isinstance(error, CancelledError) or client.status != "running":
            return "the connection to the scheduler is lost"
        return ""

    def _error(self, text: str) -> RunError:
        return RunError(f"--cluster {self.address}: {text}")


def kind_of(line: socket.socket) -> str:
    """What kind of Dask server is at the other end, asked and answered in plain msgpack.

    Dask's own messages may hold pickles, which run code when they are unpacked.

    Raises:
        OSError, ValueError, LookupError: none that answers as a Dask server does, in time.
    """
    import msgpack

    line.settimeout(ANSWER_WAIT)

    def send(message: dict[str, Any]) -> None:
        frame = msgpack.packb(message)
        body = struct.pack("QQ", 1, len(frame)) + frame
        line.sendall(struct.pack("Q", len(body)) + body)

    def receive() -> dict[str, Any]:
        (size,) = struct.unpack("Q", exactly(8))
        if not 16 <= size <= MOST_BYTES:
            raise ValueError("no message of Dask's")
        body = exactly(size)
        frames, length = struct.unpack_from("QQ", body)
        start = 8 * (1 + frames)
        message = msgpack.unpackb(body[start : start + length], strict_map_key=False)
        if not isinstance(message, dict):
            raise ValueError("no message of Dask's")
        return message

    def exactly(size: int) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            if not (part := line.recv(size - len(parts))):
                raise ConnectionError("hung up")
            parts += part
        return bytes(parts)

    python = tuple(sys.version_info[:3])
    send({"compression": None, "python": python, "pickle-protocol": 4})
    receive()
    send({"op": "identity", "reply": True})
    return shown_text(str(receive()["type"]), 40)


class _Tasks(Executor):
    """Dask's executor, whose tasks are done only by workers with this program.

    Of what many tasks need, each gets the name: the thing itself is the result of a task of its
    own. So it is sent to a worker once, made again wherever workers lost it, and does not pile up
    in the scheduler, which keeps the last thousand messages to each worker.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._executor = client.get_executor(pure=False)  # what is asked for again is made again
        self._shared: dict[int, tuple[Any, Any]] = {}  # by id: the thing, and Dask's future of it

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        shared = [arg if isinstance(arg, int | str) else self._share(arg) for arg in args]
        future: Future[Any] = self._executor.submit(_do, program(), fn, *shared, **kwargs)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        with suppress(Exception):  # a scheduler that is gone has nothing to cancel
            self._executor.shutdown(wait=wait and not cancel_futures)

    def _share(self, thing: Any) -> Any:
        if id(thing) not in self._shared:
            task = self._client.submit(pickle.loads, pickle.dumps(thing), pure=False)
            self._shared[id(thing)] = thing, task
        return self._shared[id(thing)][1]


@cache
def program() -> dict[str, str]:
    """What has to be alike wherever runs are made, for them to come out alike.

    Kept from the first time on: a worker tells what it has loaded, and not what was put on its
    disk since.
    """
    return {
        "version": __version__,
        "code": code_sha256()[:12],
        "Python": ".".join(platform.python_version_tuple()[:2]),
        "numpy": metadata.version("numpy"),
        "scipy": metadata.version("scipy"),
        "numba": metadata.version("numba"),
    }


def _difference(found: dict[str, str], wanted: dict[str, str]) -> str:
    for name, value in wanted.items():
        if found.get(name) != value:
            return f"has another program ({name} is {found.get(name)} there and {value} here)"
    return ""


def _do(wanted: dict[str, str], task: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Do a task in a worker, unless it joined late and has another program."""
    if difference := _difference(program(), wanted):
        raise RunError(f"--cluster: a worker on {platform.node()} {difference}; {SAME}")
    return task(*args, **kwargs)


def _distributed() -> Any:
    """Dask's module, which keeps its log to itself unless it is set up otherwise."""
    try:
        import dask

        if "distributed" not in sys.modules and dask.config.get("logging", None) is None:
            loggers = ("distributed", "distributed.client", "tornado.application")
            dask.config.set({"logging": dict.fromkeys(loggers, "critical")})
        import distributed
    except ImportError:
        raise RunError(
            "--cluster: Dask is not installed; pip install 'pudong-sim[cluster]' brings it"
        ) from None
    return distributed
