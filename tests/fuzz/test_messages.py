"""Whatever a page sends is answered with one message, soon, and no other page waits for it.

``FUZZ_SECONDS`` says for how long, ``FUZZ_SEED`` with which messages; times are printed (``-s``).
"""

from __future__ import annotations

import json
import os
import random
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from sim.dashboard.messages import read_message
from sim.errors import RunError
from tests.dashboard.pages import Client, Served

SECONDS = float(os.environ.get("FUZZ_SECONDS", "4"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
WORK = ("run", "why", "brief")  # begun, and answered later
LONGEST = 390_000  # bytes; a longer message ends the connection

Scenario = dict[str, Any]

TEXTS = [
    "",
    "x" * 5000,
    "\ud800",
    "a\udfffb",
    "\x00",
    "\x1b[2J",
    "张江",
    "../../etc/passwd",
    "<script>",
    "talent_subsidyy",
    "1e999",
    "\u202e",
    "{{x}}",
]
NUMBERS = [0, -1, 10**20, 10**400, 10**4000, -(10**309), 2**63, 1e308, -1e-320, 0.1, True]
RAW = [
    "",
    "no JSON",
    "[" * 100_000,
    '{"a":' * 900 + "1" + "}" * 900,
    '{"type": ' + "9" * 5000 + "}",
    '{"type": NaN}',
    '{"type": "run", "runs": Infinity}',
    '{"type": "load", "text": "\\ud800", "name": "a"}',
    '{"\\ud800": 1}',
    "[1, 2]",
    "null",
    "\ufeff{}",
]
UPLOADS = [
    "a: &a [x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a]\nc: [*b, *b, *b, *b]",
    "a: !!python/object/apply:os.system [ls]",
    "a: [" * 500,
    "a:\n\t- b",
    'id: "\\ud800"',
    'id: "\\v\\0"',
    "? [a, b]\n: c",
    "<<: {a: 1}",
    "- " * 3000,
    "levers: [" + "1," * 90_000 + "]",
    "x: '" + "y" * 150_000,
    "--- a\n--- b",
    "%YAML 9.9\n---\na: b",
]


def heavy(scenario: Scenario) -> list[Scenario]:
    """Scenarios that take long to check, or did."""
    lever = {"lever": "talent_subsidy", "value": 9}
    shock = {"name": {"zh": "一", "en": "one"}, "start": "2025-01", "length": 3, "size": 0.1}
    return [
        scenario | more
        for more in (
            {"parameters": {f"talent.attrition{n}": 0.1 for n in range(7000)}},
            {"parameters": {f"p{n:05}": 1 for n in range(1990)}},
            {"priorities": {f"name_{n}": 1 for n in range(9000)}},
            {"levers": [lever] * 4500},
            {"levers": [lever] * 1990},
            {"levers": [lever | {"zones": [f"z{n}" for n in range(900)]}] * 12},
            {"levers": [{"leverr": f"talent{n}"} for n in range(1990)]},
            {"shocks": [shock | {"id": f"s{n}"} for n in range(1200)]},
            {"levers": [1] * 99_000},
            {"levers": [[1] * 1990] * 30},
            {"target_shares": {f"t{n}": {"a": 0.5, "b": 0.4} for n in range(1990)}},
            {f"key_{n}": 1 for n in range(22_000)},
            {"name": {"zh": "长" * 60_000, "en": "long " * 20_000}},
            {"question": {"zh": "a\nb" * 20_000, "en": "x"}},
        )
    ]


class Maker:
    """Makes messages, the same ones for the same seed."""

    def __init__(self, seed: int, scenario: Scenario) -> None:
        self._luck = random.Random(seed)
        self._scenario = scenario
        self._heavy = heavy(scenario)

    def message(self) -> str:
        while True:
            make: Callable[[], str] = self._luck.choices(
                [self._raw, self._odd, self._changed, self._load, self._much], [1, 2, 6, 2, 1]
            )[0]
            text = make()
            if len(text.encode()) < LONGEST:
                return text

    def _raw(self) -> str:
        return self._luck.choice(RAW)

    def _odd(self) -> str:
        return json.dumps(self._value(0))

    def _much(self) -> str:
        scenario = self._luck.choice(self._heavy)
        if self._luck.random() < 0.5:
            text = json.dumps(scenario, ensure_ascii=False)
            return json.dumps({"type": "load", "name": "much.yaml", "text": text})
        return json.dumps({"type": "save", "scenario": scenario}, ensure_ascii=False)

    def _load(self) -> str:
        text = self._luck.choice(UPLOADS)
        if self._luck.random() < 0.5:
            text = self._damaged(json.dumps(self._scenario, ensure_ascii=False, indent=1))
        return json.dumps({"type": "load", "name": self._text(), "text": text})

    def _damaged(self, text: str) -> str:
        for _ in range(self._luck.randint(1, 4)):
            at = self._luck.randrange(len(text))
            piece = self._luck.choice(
                ["", "\t", ":", "{", "]", "'", "\n", "&a ", "*a", "!!int ", "\x85"]
            )
            text = text[:at] + piece + text[at + self._luck.randint(0, 3) :]
        return text

    def _changed(self) -> str:
        """A message that a page sends, with something else in one of its places."""
        scenario = self._scenario | {"levers": [{"lever": "talent_subsidy", "value": 9}]}
        message: Any = self._luck.choice(
            [
                {"type": "run", "run": 1, "runs": 20, "scenario": scenario},
                {"type": "why", "run": 1, "runs": 20, "scenario": scenario},
                {"type": "brief", "run": 1, "kind": "docx", "language": "xx", "scenario": scenario},
                {"type": "look", "zone": "district", "target": "all"},
                {"type": "save", "scenario": scenario},
                {"type": "example", "file": "none.yaml"},
                {"type": "export", "what": "table", "kind": "csv", "language": "zh"},
                {"type": "cancel", "run": 1},
                {"type": "chain", "language": "en"},
            ]
        )
        message = json.loads(json.dumps(message))
        node, name = message, self._luck.choice(list(message))
        while isinstance(node[name], dict | list) and node[name] and self._luck.random() < 0.8:
            node = node[name]
            name = self._luck.choice(list(node) if isinstance(node, dict) else range(len(node)))
        node[name] = self._value(0)
        if isinstance(node, dict) and self._luck.random() < 0.3:
            node[self._text()] = self._value(2)
        return json.dumps(message)

    def _text(self) -> str:
        return self._luck.choice(TEXTS)

    def _value(self, depth: int) -> Any:
        kind = self._luck.randrange(7 if depth < 4 else 4)
        if kind == 0:
            return self._text()
        if kind == 1:
            return self._luck.choice(NUMBERS)
        if kind in (2, 3):
            return self._luck.choice([None, False, "district", "zh", "run", 20])
        if kind == 4:
            return [self._value(depth + 1) for _ in range(self._luck.choice([0, 1, 3, 30]))]
        if kind == 5:
            value: Any = 1
            for _ in range(self._luck.choice([30, 60, 900])):
                value = [value] if self._luck.random() < 0.5 else {"a": value}
            return value
        return {self._text(): self._value(depth + 1) for _ in range(self._luck.choice([1, 3, 9]))}


class Other:
    """Another page, which asks again and again how things stand; and how long it waits."""

    def __init__(self, server: Served) -> None:
        self.waits: list[float] = []
        self._client = Client(server)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> Other:
        self._client.socket.__enter__()
        self._client.hear("hello")
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join(timeout=90)
        self._client.socket.__exit__(None, None, None)

    def _ask(self) -> None:
        while not self._over.is_set():
            start = time.monotonic()
            self._client.tell(type="look", zone="district", target="all")
            self._client.hear("history")
            self.waits.append(time.monotonic() - start)
            self._over.wait(0.01)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    server = Served(tmp_path_factory.mktemp("fuzz"))
    yield server
    server.stop()


@contextmanager
def ready(server: Served) -> Iterator[tuple[Client, Scenario]]:
    """A page to which nothing is said any more by itself."""
    client = Client(server)
    with client.socket:
        scenario: Scenario = client.hear("hello")["scenario"]
        while (found := client.hear("results"))["base_done"] < found["base_total"]:
            pass
        yield client, scenario


def answers(client: Client, text: str, mark: str) -> list[dict[str, Any]]:
    """What is said to a message, before the answer to the next one."""
    client.socket.send(text)
    client.tell(type=mark)
    found = []
    while True:
        message = json.loads(client.socket.recv(timeout=60))
        if mark in message.get("text", ""):
            return found
        found.append(message)


def kind_of(text: str) -> object:
    try:
        return json.loads(text)["type"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return None


def test_every_message_is_answered_and_nobody_waits_for_it(server: Served) -> None:
    took = []
    with ready(server) as (client, scenario), Other(server) as other:
        maker, end = Maker(SEED, scenario), time.monotonic() + SECONDS
        while time.monotonic() < end:
            text = maker.message()
            start = time.monotonic()
            said = answers(client, text, f"mark_{len(took)}")
            took.append(time.monotonic() - start)
            if not said and kind_of(text) in WORK:
                said = [json.loads(client.socket.recv(timeout=60))]
                answers(client, '{"type": "cancel", "run": 1}', "after")
            assert said, text[:300]
            problems = [one["text"] for one in said if one["type"] == "problem"]
            assert all("by a fault of the program" not in one for one in problems), text[:300]
            assert all(len(one) < 6000 and "Traceback" not in one for one in problems), text[:300]
    print(
        f"\n{len(took)} messages, own answers: median {statistics.median(took):.3f} s, longest "
        f"{max(took):.2f} s; another page's {len(other.waits)} answers: median "
        f"{statistics.median(other.waits):.3f} s, longest {max(other.waits):.3f} s"
    )
    assert "Traceback" not in server.complaints()
    assert max(other.waits) < 15  # far above what is meant: see docs/dashboard.md


def is_checked_whole(scenario: Scenario) -> bool:
    """Whether it is within the limits that can be seen at once, and so takes its time."""
    try:
        read_message(json.dumps(scenario))
    except RunError:
        return False
    return 30_000 < len(json.dumps(scenario, ensure_ascii=False)) < LONGEST


def test_a_heavy_message_lets_others_go_first(server: Served) -> None:
    with ready(server) as (client, scenario), ready(server) as (other, _):
        within = [data for data in heavy(scenario) if is_checked_whole(data)]
        assert len(within) >= 5
        for data in within:
            text = json.dumps({"type": "save", "scenario": data}, ensure_ascii=False)
            order: list[str] = []

            def listen(order: list[str] = order) -> None:
                client.hear("problem", "file")
                order.append("heavy")

            listening = threading.Thread(target=listen)
            listening.start()
            client.socket.send(text)
            waits = []
            while listening.is_alive():
                start = time.monotonic()
                other.tell(type="look", zone="district", target="all")
                other.hear("history")
                order.append("light")
                waits.append(time.monotonic() - start)
            listening.join()
            print(
                f"{len(text):8,} bytes: {len(waits)} answers meanwhile, longest {max(waits):.3f} s"
            )
            assert order[0] == "light"
    assert "Traceback" not in server.complaints()


@pytest.mark.parametrize("text", RAW)
def test_what_is_no_message_gets_one_answer_and_the_connection_stays(
    server: Served, text: str
) -> None:
    with ready(server) as (client, _):
        (said,) = answers(client, text, "mark")
        assert said["type"] == "problem"


def test_bytes_are_no_message(server: Served) -> None:
    with ready(server) as (client, _):
        client.socket.send(b"\x00\xff")
        assert "no JSON" in client.hear("problem")["text"]
