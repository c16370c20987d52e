"""What the server refuses, and that one page's work is its own and ends with it."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sim.cli import app
from sim.dashboard.address import Address
from sim.dashboard.engine import Engine
from sim.dashboard.room import Limits, Room
from sim.dashboard.session import Session
from sim.scenario import read_scenario
from tests.dashboard.pages import SMALL, Client, Served

sync_client = pytest.importorskip("websockets.sync.client")
exceptions = pytest.importorskip("websockets.exceptions")


@pytest.fixture
def client(served: Served) -> Iterator[Client]:
    client = Client(served)
    with client.socket:
        yield client


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "null", None])
def test_a_page_of_another_site_gets_no_connection(served: Served, origin: str | None) -> None:
    with pytest.raises(exceptions.InvalidStatus, match="403"):
        Client(served, origin=origin)


def test_a_name_that_was_made_to_point_here_gets_nothing(served: Served) -> None:
    with served.ask(Host="elsewhere.example") as refused:
        assert refused.status == 403
    port = int(served.host.rpartition(":")[2])
    name = f"elsewhere.example:{port}"
    with (
        socket.create_connection(("127.0.0.1", port)) as here,
        pytest.raises(exceptions.InvalidStatus, match="403"),
    ):
        sync_client.connect(f"ws://{name}/live", sock=here, origin=f"http://{name}", proxy=None)


@pytest.mark.parametrize(
    ("address", "host", "known"),
    [
        ("127.0.0.1", "localhost:8866", True),
        ("127.0.0.1", "LOCALHOST:8866", True),
        ("127.0.0.1", "[::1]:8866", True),
        ("127.0.0.1", "192.0.2.7:8866", False),
        ("0.0.0.0", "192.0.2.7:8866", True),
        ("0.0.0.0", "[2001:db8::1]:8866", True),
        ("0.0.0.0", "elsewhere.example", False),
        ("127.0.0.1", "localhost", False),
        ("127.0.0.1", "localhost:8867", False),
        ("0.0.0.0", "192.0.2.7:80", False),
        ("127.0.0.1", "localhost:8866; script-src *", False),
        ("127.0.0.1", "localhost:8866@elsewhere.example", False),
        ("127.0.0.1", "", False),
    ],
)
def test_the_server_goes_by_its_own_names_and_port_alone(
    address: str, host: str, known: bool
) -> None:
    assert bool(Address(address, 8866).origins(host)) is known


def test_every_answer_forbids_what_comes_from_elsewhere(served: Served) -> None:
    with served.ask() as answer:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        text = answer.read().decode()
    assert "http" not in text.replace("http-equiv", "")


def test_what_lies_beside_the_page_s_files_is_not_handed_out(served: Served) -> None:
    for path in ("/static/../server.py", "/static/%2e%2e/server.py", "/static/..%2fserver.py"):
        with served.ask(path) as refused:
            assert refused.status == 404


def test_an_uploaded_scenario_names_the_served_plan_and_economy_or_none(
    client: Client, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.yaml"
    secret.write_text("password: open sesame\n", encoding="utf-8")
    scenario = client.hear("hello")["scenario"]
    for field in ("plan", "economy"):
        for path in (str(secret), "../secret.yaml", "/etc/passwd"):
            text = json.dumps(scenario | {field: path}, ensure_ascii=False)
            client.tell(type="load", name="upload.yaml", text=text)
            said = client.hear("problem", "loaded")
            assert f"allowed here: '{scenario[field]}'" in said["text"]
            assert "sesame" not in said["text"]
            client.tell(type="run", runs=20, scenario=scenario | {field: path})
            assert "allowed here" in client.hear("problem")["text"]


def test_an_upload_beyond_the_limit_is_refused_and_others_do_not_notice(
    served: Served, client: Client
) -> None:
    client.hear("hello")
    other = Client(served)
    with other.socket:
        other.hear("hello")
        other.tell(type="load", name="a.yaml", text="#" * 250_000)
        assert "too large" in other.hear("problem")["text"]
        other.tell(type="load", name="a.yaml", text="#" * 3_000_000)
        with pytest.raises(exceptions.ConnectionClosed) as closed:
            other.hear("never")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009
    client.tell(type="look", zone="district", target="all")
    assert client.hear("history")


@pytest.mark.parametrize(
    "message",
    [
        "no JSON",
        "[" * 5000,
        "null",
        '{"type": ["run"]}',
        '{"type": "run", "runs": 1000000000, "scenario": {}}',
        '{"type": "run", "runs": "all"}',
        '{"type": "look", "zone": ["district"], "target": {}}',
        '{"type": "load", "name": 1, "text": 2}',
        '{"type": "load", "name": "a", "text": "\\ud800"}',
        '{"type": "example", "file": "../../pyproject.toml"}',
        '{"type": "example", "file": ["plan.yaml"]}',
        '{"type": "export", "what": "board", "kind": "exe", "language": "zh"}',
        '{"type": "export", "what": "board", "kind": "png", "language": ["zh"]}',
    ],
)
def test_nonsense_is_answered_with_one_message(client: Client, message: str) -> None:
    client.hear("results")
    client.socket.send(message)
    assert client.hear("problem", "file", "loaded")["type"] == "problem"
    client.tell(type="look", zone="district", target="all")
    assert client.hear("history", "problem")["type"] == "history"


def test_a_server_takes_no_more_pages_than_it_may(kept: Path) -> None:
    server = Served(kept, "--pages", "1")
    try:
        first = Client(server)
        with first.socket:
            first.hear("hello")
            second = Client(server)
            with second.socket:
                assert "close one" in second.hear("problem")["text"]
        third = Client(server)
        with third.socket:
            assert third.hear("hello", "problem")["type"] == "hello"
        assert server.stop() == 0
    finally:
        server.process.kill()


def test_the_second_start_has_the_base_at_once(served: Served, client: Client, kept: Path) -> None:
    while (first := client.hear("results"))["base_done"] < first["base_total"]:
        pass
    again = Served(kept)
    try:
        other = Client(again)
        with other.socket:
            assert other.hear("results")["cells"] == first["cells"]
    finally:
        again.stop()


def test_work_ends_with_its_page(tmp_path: Path) -> None:
    async def leave() -> tuple[int, int, int]:
        async def hear(message: dict[str, Any]) -> None: ...

        with Engine(1, seed=1) as engine:
            room = Room(read_scenario(SMALL), engine, tmp_path, Limits(base_runs=400))
            session = Session(room, hear)
            await session.open()
            levers = [{"lever": "talent_subsidy", "value": 9}]
            scenario = room.scenario | {"levers": levers}
            await session.answer({"type": "run", "runs": 400, "scenario": scenario})
            runs = session._what_if
            assert runs is not None
            while not runs.done:
                await asyncio.sleep(0.05)
            busy = room.busy
            await session.close()
            done = runs.done
            await asyncio.sleep(1.0)
            assert runs.done == done < 400
            return busy, room.busy, len(engine_tasks())

    def engine_tasks() -> list[Any]:
        return [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]

    assert asyncio.run(leave()) == (1, 0, 0)


def test_workers_that_are_killed_are_replaced(tmp_path: Path) -> None:
    from sim.dashboard.runs import Runs

    async def through_a_death() -> int:
        with Engine(1, seed=1) as engine:
            runs = Runs(read_scenario(SMALL), 60)
            killed = False
            async for _ in engine.complete(runs, 60):
                if not killed:
                    for worker in engine._executor._processes.values():  # type: ignore[union-attr]
                        worker.kill()
                    killed = True
            return runs.done

    assert asyncio.run(through_a_death()) == 60


def test_a_port_in_use_is_said_in_one_message() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        arguments = ["dashboard", "--scenario", str(SMALL), "--port", str(port)]
        ended = CliRunner().invoke(app, arguments)
    assert ended.exit_code == 2
    assert f"port {port}" in ended.output
    assert "--port" in ended.output


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "uvicorn", None)
    ended = CliRunner().invoke(app, ["dashboard", "--scenario", str(SMALL)])
    assert ended.exit_code == 2
    assert "[dashboard]" in ended.output
