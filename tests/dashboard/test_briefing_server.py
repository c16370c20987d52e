"""The briefing's file, the forecast behind it, and that nobody has to wait for another's."""

from __future__ import annotations

import asyncio
import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import docx
import pytest
from typer.testing import CliRunner

from sim import forecast
from sim.analysis.published import read_published
from sim.cli import app
from sim.dashboard.engine import Engine
from sim.dashboard.room import Limits, Room
from sim.dashboard.session import FAULT, Session
from sim.report.brief.compose import compose
from sim.report.brief.document import Table
from sim.scenario import read_scenario
from tests.dashboard.pages import SMALL, Client, Served

FIRST_BYTES = {"docx": b"PK", "pptx": b"PK", "html": b"<!doctype html>", "pdf": b"%PDF"}
LEVERS = [{"lever": "scenario_funding", "value": 10}]


def test_the_forecast_behind_a_briefing_is_the_one_that_the_command_makes(
    served: Served, kept: Path, tmp_path: Path
) -> None:
    client = Client(served)
    with client.socket:
        scenario = client.hear("hello")["scenario"] | {"id": "more_pilots", "levers": LEVERS}
        data = client.brief(kind="docx", language="zh", scenario=scenario)
    (folder,) = kept.glob("more_pilots-*")
    again = tmp_path / "again"
    forecast(read_scenario(folder / "inputs" / "scenario.yaml"), runs=100, seed=1, out=again)
    one, other = (
        json.loads((place / "summary.json").read_text(encoding="utf-8"))
        for place in (folder, again)
    )
    for name in ("results", "yearly", "monthly", "costs", "uncertainty"):
        assert one[name] == other[name]
    for words in (
        ["brief", "--format", "html", "--compare", str(folder / "compare")],
        ["export", "--format", "csv", "--out", str(tmp_path / "tables")],
    ):
        done = CliRunner().invoke(app, [words[0], str(folder), *words[1:]])
        assert done.exit_code == 0, done.output
    made = compose(read_published(folder), "zh", compare=folder / "compare", day=date.today())
    text = [p.text for p in docx.Document(io.BytesIO(data)).paragraphs]
    for section in made.sections:
        assert section.title in text
    tables = [b for section in made.sections for b in section.blocks if isinstance(b, Table)]
    for table, found in zip(tables, docx.Document(io.BytesIO(data)).tables, strict=True):
        assert [[cell.text for cell in row.cells] for row in found.rows[1:]] == [
            list(row) for row in table.rows
        ]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_baseline_s_briefing_comes_in_every_format(served: Served, language: str) -> None:
    client = Client(served)
    with client.socket:
        scenario = client.hear("hello")["scenario"]
        for kind, first in FIRST_BYTES.items():
            data = client.brief(kind=kind, language=language, scenario=scenario)
            assert data.lower().startswith(first.lower())


def test_a_briefing_that_is_asked_for_again_needs_no_run(served: Served) -> None:
    client = Client(served)
    with client.socket:
        scenario = client.hear("hello")["scenario"] | {"id": "again", "levers": LEVERS}
        client.brief(kind="html", language="en", scenario=scenario)
    other = Client(served)
    with other.socket:
        other.hear("hello")
        other.tell(type="brief", run=1, kind="html", language="en", scenario=scenario)
        stages = []
        while (message := other.hear("progress", "results", "file"))["type"] != "file":
            if message["type"] == "progress":
                stages.append(message["stage"])
            elif message.get("total"):
                assert message["done"] == message["total"]
        assert set(stages) == {"queue", "writing"}


@pytest.mark.parametrize(
    "message",
    [
        {"kind": "exe", "language": "zh"},
        {"kind": ["docx"], "language": "zh"},
        {"kind": "docx", "language": "both"},
        {"kind": "docx", "language": {}},
        {"kind": "docx", "language": "zh", "scenario": {"id": "../../x"}},
        {"kind": "docx", "language": "zh", "scenario": None},
    ],
)
def test_nonsense_about_a_briefing_is_answered_with_one_message(
    served: Served, message: dict[str, Any]
) -> None:
    client = Client(served)
    with client.socket:
        scenario = client.hear("hello")["scenario"]
        client.tell(**{"type": "brief", "run": 1, "scenario": scenario} | message)
        assert client.hear("problem", "file")["type"] == "problem"
        client.tell(type="look", zone="district", target="all")
        assert client.hear("history", "problem")["type"] == "history"


@pytest.mark.parametrize(
    ("messages", "answers"),
    [
        ([{"type": "brief", "kind": "docx", "language": "zh"}], ["file"]),
        ([{"type": "why"}, {"type": "chain", "language": "zh"}], ["chain", "chain_picture"]),
    ],
    ids=["briefing", "chain"],
)
def test_meanwhile_the_server_answers_others(
    tmp_path: Path, messages: list[dict[str, Any]], answers: list[str]
) -> None:
    async def longest_silence() -> float:
        heard: list[str] = []

        async def hear(message: dict[str, Any]) -> None:
            heard.append(message["type"])

        with Engine(2, seed=1) as engine:
            room = Room(read_scenario(SMALL), engine, tmp_path, Limits(base_runs=100))
            session = Session(room, hear)
            await session.open()
            await room.prepare()
            clock = asyncio.get_running_loop().time
            longest = 0.0
            for message, answer in zip(messages, answers, strict=True):
                asked = session.answer(message | {"scenario": room.scenario})
                task, last = asyncio.create_task(asked), clock()
                while answer not in heard:
                    assert "problem" not in heard
                    await asyncio.sleep(0.01)
                    longest, last = max(longest, clock() - last), clock()
                await task
            await session.close()
            return longest

    assert asyncio.run(longest_silence()) < 0.5


def test_a_briefing_ends_with_its_page(tmp_path: Path) -> None:
    async def leave() -> list[Any]:
        stages: list[str] = []

        async def hear(message: dict[str, Any]) -> None:
            stages.append(message.get("stage", ""))

        with Engine(2, seed=1) as engine:
            room = Room(read_scenario(SMALL), engine, tmp_path, Limits(base_runs=100))
            await room.prepare()
            session = Session(room, hear)
            await session.open()
            scenario = room.scenario | {"levers": LEVERS}
            await session.answer(
                {"type": "brief", "kind": "docx", "language": "zh", "scenario": scenario}
            )
            while "writing" not in stages:
                await asyncio.sleep(0.01)
            await session.close()
            assert not room.writing.locked()
            return [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]

    assert asyncio.run(leave()) == []


def test_whatever_goes_wrong_is_said_to_the_page_which_can_go_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def ask() -> list[dict[str, Any]]:
        heard: list[dict[str, Any]] = []

        async def hear(message: dict[str, Any]) -> None:
            heard.append(message)

        with Engine(1, seed=1) as engine:
            room = Room(read_scenario(SMALL), engine, tmp_path, Limits(base_runs=100))
            await room.prepare()
            session = Session(room, hear)
            await session.open()
            await session.answer({"type": "look", "zone": "district", "target": "all"})
            room.past = [None]  # type: ignore[list-item]  # a fault, which drawing stumbles over
            for kind in ("docx", "pdf"):
                message = {"type": "brief", "kind": kind, "language": "zh", "run": 7}
                await session.answer(message | {"scenario": room.scenario})
                assert session._running is not None
                await session._running
            target = room.inputs.plan.target_ids()[0]
            await session.answer({"type": "look", "zone": "district", "target": target})
            room.past = []
            await session.answer(
                {"type": "export", "what": "table", "kind": "csv", "language": "zh"}
            )
            await session.close()
        return [one for one in heard if one["type"] in ("problem", "stopped", "file")]

    brief, stopped, again, stopped_again, look, table = asyncio.run(ask())
    for problem, about in ((brief, "brief"), (again, "brief"), (look, "look")):
        assert (problem["about"], problem["text"]) == (about, FAULT)
    for end in (stopped, stopped_again):
        assert end == {"type": "stopped", "run": 7}
    assert table["type"] == "file"
    assert "NoneType" in caplog.text  # what happened, for whoever mends it
