"""One open page: what it asks for, and what it is told. Its work ends with it."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any, cast, get_args

from sim.analysis.compare import NAMES
from sim.dashboard import pictures, tables
from sim.dashboard.pictures import Shown
from sim.dashboard.results import Results, history_of, results_of
from sim.dashboard.room import PAUSE, Room
from sim.dashboard.runs import Runs
from sim.dashboard.scenarios import (
    MOST_BYTES,
    data_of,
    from_file,
    from_page,
    safe_name,
    text_of,
)
from sim.errors import InputError, RunError, unknown
from sim.plan import ALL_TARGETS, DISTRICT
from sim.report.pictures import past_of
from sim.report.wording import Language
from sim.scenario import Inputs

Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]

FEWEST = 20
USUAL = 400  # runs of a what-if
TYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "png": "image/png",
    "svg": "image/svg+xml",
}


class Session:
    """Answers one page.

    Args:
        room: what it shares with others; nothing of theirs is in it.
        send: sends the page a message.
    """

    def __init__(self, room: Room, send: Send) -> None:
        self.room = room
        self._send = send
        self._what_if: Runs | None = None
        self._results: Results | None = None
        self._look = DISTRICT, room.inputs.plan.target_ids()[0]
        self._running: asyncio.Task[None] | None = None
        self._following: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Greet the page with everything that it shows at first."""
        room = self.room
        limits = {"bytes": MOST_BYTES, "fewest": FEWEST, "most": room.base.most}
        limits["usual"] = min(USUAL, room.base.most)
        await self._send(
            {
                "type": "hello",
                "catalogue": room.catalogue,
                "scenario": room.scenario,
                "examples": [
                    {"file": example.file, "name": dict(data_of(example.inputs)["name"])}
                    for example in room.examples
                ],
                "limits": limits,
                "seed": room.engine.seed,
            }
        )
        await self._show()
        self._following = asyncio.create_task(self._follow())

    async def answer(self, message: object) -> None:
        """Do what the page asks; what it asks wrongly is said to it, and nothing else happens."""
        kind = message.get("type") if isinstance(message, dict) else None
        does = {
            "run": self._run,
            "cancel": self._cancel,
            "look": self._look_at,
            "load": self._load,
            "example": self._example,
            "save": self._save,
            "export": self._export,
            "map": self._map,
        }
        try:
            if not isinstance(message, dict) or not isinstance(kind, str) or kind not in does:
                raise RunError(unknown("message", kind, does))
            await does[kind](message)
        except InputError as error:
            await self._send({"type": "problem", "about": kind, "text": str(error)})

    async def close(self) -> None:
        """Stop all work for the page."""
        tasks = [task for task in (self._running, self._following) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._what_if = self._results = None

    async def _run(self, message: Message) -> None:
        inputs = from_page(message.get("scenario"), self.room.inputs)
        runs = message.get("runs", USUAL)
        most = self.room.base.most
        if not isinstance(runs, int) or not FEWEST <= runs <= most:
            raise RunError(f"runs: found {runs}; allowed: {FEWEST} to {most:,}")
        await self._stop()
        if asks_the_same(inputs, self.room.inputs):
            self._what_if, self._results = None, None
            await self._show(run=message.get("run"), finished=True)
            return
        if self._what_if is None or not asks_the_same(inputs, self._what_if.inputs):
            self._what_if, self._results = Runs(inputs, most), None
        self._what_if.inputs = inputs  # another name, perhaps
        self._running = asyncio.create_task(self._make(self._what_if, runs, message.get("run")))

    async def _make(self, what_if: Runs, runs: int, number: object) -> None:
        clock = asyncio.get_running_loop().time
        self.room.busy += 1
        start = last = clock()
        before = what_if.done
        before = what_if.done
        first = True
        try:
            async with aclosing(self.room.engine.complete(what_if, runs)) as batches:
                async for _ in batches:
                    if first or clock() - last > PAUSE:
                        spent, made = clock() - start, what_if.done - before
                        left = spent / made * max(0, runs - what_if.done)
                        await self._show(run=number, done=what_if.done, total=runs, left=left)
                        first, last = False, clock()
            seconds = clock() - start
            await self._show(run=number, done=what_if.done, total=runs, finished=True, took=seconds)
        except InputError as error:
            await self._send({"type": "problem", "about": "run", "text": str(error)})
            await self._send({"type": "stopped", "run": number})
        finally:
            self.room.busy -= 1

    async def _cancel(self, message: Message) -> None:
        await self._stop()
        await self._send({"type": "stopped", "run": message.get("run")})

    async def _stop(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
            self._running = None

    async def _look_at(self, message: Message) -> None:
        zone, target = message.get("zone"), message.get("target")
        plan = self.room.inputs.plan
        if zone not in (zones := [DISTRICT, *plan.zone_ids()]):
            raise RunError(unknown("zone", zone, zones))
        if target not in (targets := [*plan.target_ids(), ALL_TARGETS]):
            raise RunError(unknown("target", target, targets))
        self._look = str(zone), str(target)
        await self._send({"type": "history", "history": self._history()})

    async def _load(self, message: Message) -> None:
        text, name = message.get("text"), safe_name(message.get("name"))
        if not isinstance(text, str):
            raise RunError(f"{name}: found no text")
        inputs = from_file(text.encode("utf-8", "replace"), name, self.room.inputs)
        await self._send({"type": "loaded", "scenario": data_of(inputs), "file": name})

    async def _example(self, message: Message) -> None:
        examples = {example.file: example.inputs for example in self.room.examples}
        file = message.get("file")
        if not isinstance(file, str) or file not in examples:
            raise RunError(unknown("example", file, examples))
        data = data_of(examples[file])
        await self._send({"type": "loaded", "scenario": data, "file": file})

    async def _save(self, message: Message) -> None:
        inputs = from_page(message.get("scenario"), self.room.inputs)
        text = text_of(data_of(inputs)).encode()
        await self._hand_over(f"{inputs.scenario.id}.yaml", "application/yaml", text)

    async def _export(self, message: Message) -> None:
        shown, language = self._shown(), language_of(message)
        what, kind = message.get("what"), message.get("kind")
        zone, target = self._look
        match what, kind:
            case "board", "png" | "svg":
                data = await asyncio.to_thread(pictures.board, shown, language, kind)
            case "fan", "png" | "svg":
                what = f"fan-{target}-{zone}"
                try:
                    drawing = asyncio.to_thread(pictures.fan, shown, zone, target, language, kind)
                    data = await drawing
                except ValueError as error:
                    raise RunError(str(error)) from None
            case "map", "png" | "svg":
                drawing = asyncio.to_thread(pictures.layout, shown, target, language, kind)
                what, data = f"map-{target}", await drawing
            case "table", "csv":
                data = await asyncio.to_thread(tables.csv, shown)
            case "table", "xlsx":
                data = await asyncio.to_thread(tables.workbook, shown)
            case _:
                raise RunError(f"found {what!r} as {kind!r}; there is no such export")
        name = f"{shown.runs.inputs.scenario.id}-{what}.{kind}"
        await self._hand_over(name, TYPES[str(kind)], data)

    async def _map(self, message: Message) -> None:
        """The map of the target that is looked at, to be shown on the page."""
        shown, language, target = self._shown(), language_of(message), self._look[1]
        svg = await asyncio.to_thread(pictures.layout, shown, target, language, "svg")
        await self._send({"type": "map", "data": base64.b64encode(svg).decode()})

    def _shown(self) -> Shown:
        results = self._results or self.room.results
        if results is None:
            raise RunError("there are no runs yet; wait for the first")
        what_if = self._what_if if self._results else None
        room = self.room
        return Shown(room.base, what_if, results, room.engine.seed, room.past)

    async def _hand_over(self, name: str, kind: str, data: bytes) -> None:
        coded = base64.b64encode(data).decode()
        await self._send({"type": "file", "name": name, "kind": kind, "data": coded})

    async def _follow(self) -> None:
        """Show the base's runs as they come in, while the page makes none of its own."""
        shown = self.room.told
        while self.room.problem is None and shown < self.room.base.most:
            if self.room.told == shown:
                await self.room.news.wait()
            shown = self.room.told
            if self._running is None or self._running.done():
                await self._show(refined=True)
        if self.room.problem is not None:
            await self._send({"type": "problem", "about": "base", "text": self.room.problem})

    async def _show(self, **progress: Any) -> None:
        """Send what there is, with how far the work has come."""
        room, what_if = self.room, self._what_if
        results = room.results
        if what_if is not None:
            results = await asyncio.to_thread(results_of, room.base, what_if)
            if what_if is not self._what_if:
                return
            self._results = results
        await self._send(
            {
                "type": "results",
                "base_done": room.told,
                "base_total": room.base.most,
                "pairs": results.pairs if results else 0,
                "runs": results.runs if results else 0,
                "half_width": results.half_width() if results else None,
                "cells": results.cells if results else [],
                "costs": results.costs if results else [],
                "history": self._history(),
                **progress,
            }
        )

    def _history(self) -> Message | None:
        zone, target = self._look
        if target == ALL_TARGETS:
            return None
        found = history_of(self.room.base, self._what_if, zone, target)
        past = past_of(self.room.past, target, zone)
        if past is not None:
            found["past"] = past[["month", "value"]].to_dict("records")
        return found


def language_of(message: Message) -> Language:
    """The language that a page asks for; raises RunError for an unknown one."""
    language = message.get("language")
    if language not in get_args(Language):
        raise RunError(unknown("language", language, get_args(Language)))
    return cast(Language, language)


def asks_the_same(one: Inputs, other: Inputs) -> bool:
    """Whether two scenarios of one plan and economy differ in names alone."""
    fields = [inputs.scenario.model_dump(exclude=NAMES) for inputs in (one, other)]
    return bool(fields[0] == fields[1])
