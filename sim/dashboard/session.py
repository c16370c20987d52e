"""One open page: what it asks for, and what it is told. Its work ends with it."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any, cast, get_args

from sim.analysis.compare import NAMES
from sim.analysis.explain import RUNS as WATCHED
from sim.analysis.explain import explainable
from sim.dashboard import pictures
from sim.dashboard.briefing import brief
from sim.dashboard.chain import Chain
from sim.dashboard.exports import File, export
from sim.dashboard.messages import Message, read_message
from sim.dashboard.pictures import Shown
from sim.dashboard.results import Results, history_of, results_of
from sim.dashboard.room import FIRST, PAUSE, Room
from sim.dashboard.runs import Runs
from sim.dashboard.scenarios import (
    MOST_BYTES,
    data_of,
    from_file,
    from_page,
    safe_name,
    text_of,
)
from sim.errors import InputError, RunError, shown, unknown
from sim.plan import ALL_TARGETS, DISTRICT
from sim.report.brief.document import Tongue
from sim.report.brief.writers import WRITERS, check
from sim.report.explanation_table import sentences
from sim.report.pictures import past_of
from sim.report.wording import Language
from sim.scenario import Inputs
from sim.store import reason

Send = Callable[[Message], Awaitable[None]]

FEWEST = 20
USUAL = 400  # runs of a what-if
FAULT = (
    "this could not be done, by a fault of the program; what went wrong stands in the terminal in "
    "which it runs"
)

log = logging.getLogger(__name__)


class Gone(Exception):
    """The page is not there any more."""


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
        self._chain: Chain | None = None
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

    async def hear(self, text: str) -> None:
        """Read what the page sends, and answer it."""
        try:
            message = await asyncio.to_thread(read_message, text)
        except InputError as error:
            await self._tell_problem(None, error)
        else:
            await self.answer(message)

    async def answer(self, message: Message) -> None:
        """Do what the page asks; what it asks wrongly is said to it, and nothing else happens."""
        kind = message.get("type")
        does = {
            "run": self._run,
            "why": self._why,
            "brief": self._brief,
            "cancel": self._cancel,
            "look": self._look_at,
            "load": self._load,
            "example": self._example,
            "save": self._save,
            "export": self._export,
            "map": self._map,
            "chain": self._picture_chain,
        }
        try:
            if not isinstance(kind, str) or kind not in does:
                kind = None
                raise RunError(unknown("message", message.get("type"), does))
            await does[kind](message)
        except Gone:
            raise
        except Exception as error:
            await self._tell_problem(kind, error)

    async def _tell_problem(self, about: str | None, error: Exception) -> None:
        """Say what is wrong with what was asked for; a fault of the program goes to its log."""
        if isinstance(error, InputError):
            text = str(error)
        elif isinstance(error, OSError):
            text = f"{error.filename or self.room.folder}: cannot be used ({reason(error)})"
        else:
            log.error("%s: %s", about, FAULT, exc_info=error)
            text = FAULT
        await self._send({"type": "problem", "about": about, "text": text})

    async def close(self) -> None:
        """Stop all work for the page."""
        tasks = [task for task in (self._running, self._following) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._what_if = self._results = self._chain = None

    async def _run(self, message: Message) -> None:
        most = self._asked(message)
        runs = await self._take(message)

        async def work() -> None:
            if runs is self.room.base:
                await self._show(run=message.get("run"), finished=True)
                return
            clock = asyncio.get_running_loop().time
            start = clock()
            await self._complete(runs, most, message.get("run"))
            done = {"done": runs.done, "total": most, "took": clock() - start}
            await self._show(run=message.get("run"), finished=True, **done)

        self._start(message, work)

    async def _why(self, message: Message) -> None:
        """Follow the chain of causes behind the cell that is looked at."""
        most, (zone, name) = max(self._asked(message), WATCHED), self._look
        target = explainable(self.room.inputs, name, zone)
        runs = await self._take(message)

        async def work() -> None:
            await self._complete(runs, most, message.get("run"))
            await self._show(run=message.get("run"), done=runs.done, total=most, left=0)
            chain = self._chain
            if chain is None or chain.target is not target:
                chain = self._chain = Chain(runs, target)
            found = await chain.follow(self.room, zone, self._teller(message), self._chance)
            lines = [line.model_dump() for line in sentences(found, runs.inputs.plan)]
            await self._send(
                {
                    "type": "chain",
                    "run": message.get("run"),
                    "zone": zone,
                    "target": name,
                    "lines": lines,
                    "watched": found.watched,
                    "runs": found.runs,
                }
            )

        self._start(message, work)

    async def _brief(self, message: Message) -> None:
        """Write a briefing on the scenario of the page, from as many runs as the base has."""
        kind, language = message.get("kind"), message.get("language")
        if not isinstance(kind, str) or kind not in WRITERS:
            raise RunError(unknown("kind of briefing", kind, WRITERS))
        if language not in get_args(Tongue):
            raise RunError(unknown("language", language, get_args(Tongue)))
        await asyncio.to_thread(check, kind)
        runs = await self._take(message)
        tell = self._teller(message)

        async def work() -> None:
            while not self.room.ready:
                done = self.room.base.done
                await tell("base", done, runs.most)
                await self.room.settled(done + 1)
            await self._complete(runs, runs.most, message.get("run"))
            await self._show(run=message.get("run"), done=runs.done, total=runs.most, left=0)
            tongue = cast(Tongue, language)
            data = await brief(self.room, runs, self._chain, kind, tongue, tell)
            await self._hand_over(File(f"{runs.inputs.scenario.id}-{language}.{kind}", data))
            place = str(self.room.kept.place(runs))
            await self._send({"type": "briefed", "run": message.get("run"), "folder": place})

        self._start(message, work)

    def _chance(self, zone: str, target: str) -> tuple[float, float, float]:
        """A probability with its interval, as the page shows it."""
        table = self._shown().table().set_index(["zone", "target"])
        row = table.loc[(zone, target)]
        return float(row["probability"]), float(row["low"]), float(row["high"])

    def _asked(self, message: Message) -> int:
        """How many runs of a what-if a page asks for."""
        most = self.room.base.most
        runs = message.get("runs", min(USUAL, most))
        if not isinstance(runs, int) or not FEWEST <= runs <= most:
            raise RunError(f"runs: found {shown(runs)}; allowed: {FEWEST} to {most:,}")
        return runs

    async def _take(self, message: Message) -> Runs:
        """The runs of the scenario that a message brings; what was under way is stopped."""
        base, before = self.room.base, self._what_if or self.room.base
        inputs = await asyncio.to_thread(from_page, message.get("scenario"), self.room.inputs)
        await self._stop()
        if not await asyncio.to_thread(asks_the_same, inputs, before.inputs):
            self._what_if = self._results = self._chain = None
            if not await asyncio.to_thread(asks_the_same, inputs, base.inputs):
                what_if = await asyncio.to_thread(Runs, inputs, base.most)
                self.room.what_ifs.add(what_if)
                await asyncio.to_thread(self.room.kept.take, what_if)
                self._what_if = what_if
        if self._what_if is None:
            return base
        self._what_if.inputs = inputs  # another name, perhaps
        return self._what_if

    def _start(self, message: Message, work: Callable[[], Awaitable[None]]) -> None:
        """Go to work on what a message asks for; what cannot be done is said."""

        async def carry_out() -> None:
            try:
                await work()
            except Gone:
                raise
            except Exception as error:
                await self._tell_problem(message["type"], error)
                await self._send({"type": "stopped", "run": message.get("run")})

        self._running = asyncio.create_task(carry_out())

    def _teller(self, message: Message) -> Callable[..., Awaitable[None]]:
        """What tells the page how far the work is that its message asked for."""

        async def tell(stage: str, done: int = 0, total: int = 0) -> None:
            progress = {"stage": stage, "done": done, "total": total}
            await self._send({"type": "progress", "run": message.get("run"), **progress})

        return tell

    async def _complete(self, runs: Runs, upto: int, number: object) -> None:
        """Make runs of a what-if that are missing, and show what they say as they come."""
        if runs is self.room.base:
            await self.room.settled(min(upto, FIRST, runs.most))
            return
        clock = asyncio.get_running_loop().time
        start = last = clock()
        first = True
        self.room.busy += 1
        try:
            async with aclosing(self.room.engine.complete(runs, upto)) as counts:
                async for made in counts:
                    if first or clock() - last > PAUSE:
                        left = (clock() - start) / made * max(0, upto - runs.done)
                        await self._show(run=number, done=runs.done, total=upto, left=left)
                        first, last = False, clock()
                    if runs.done > USUAL:  # so many are not held in memory
                        await self.room.keep(runs)
        finally:
            self.room.busy -= 1
        if runs.kept:
            await self.room.tidy()

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
        await self._send({"type": "history", "history": await self._history()})

    async def _load(self, message: Message) -> None:
        text, name = message.get("text"), safe_name(message.get("name"))
        if not isinstance(text, str):
            raise RunError(f"{name}: found no text")
        raw = text.encode()
        inputs = await asyncio.to_thread(from_file, raw, name, self.room.inputs)
        scenario = await asyncio.to_thread(data_of, inputs)
        await self._send({"type": "loaded", "scenario": scenario, "file": name})

    async def _example(self, message: Message) -> None:
        examples = {example.file: example.inputs for example in self.room.examples}
        file = message.get("file")
        if not isinstance(file, str) or file not in examples:
            raise RunError(unknown("example", file, examples))
        data = data_of(examples[file])
        await self._send({"type": "loaded", "scenario": data, "file": file})

    async def _save(self, message: Message) -> None:
        inputs = await asyncio.to_thread(from_page, message.get("scenario"), self.room.inputs)
        text = await asyncio.to_thread(lambda: text_of(data_of(inputs)))
        await self._hand_over(File(f"{inputs.scenario.id}.yaml", text.encode()))

    async def _export(self, message: Message) -> None:
        chain = self._chain.found if self._chain else None
        asked = message.get("what"), message.get("kind"), language_of(message)
        await self._hand_over(await export(self._shown(), chain, self._look, *asked))

    async def _map(self, message: Message) -> None:
        """The map of the target that is looked at, to be shown on the page."""
        shown, language, target = self._shown(), language_of(message), self._look[1]
        svg = await asyncio.to_thread(pictures.layout, shown, target, language, "svg")
        await self._send({"type": "map", "data": base64.b64encode(svg).decode()})

    async def _picture_chain(self, message: Message) -> None:
        """The chain of causes that was found, likewise."""
        found, language = self._chain.found if self._chain else None, language_of(message)
        if found is None:
            raise RunError("no chain of causes has been traced yet")
        plan = self.room.inputs.plan
        svg = await asyncio.to_thread(pictures.chain, found, plan, language, "svg")
        await self._send({"type": "chain_picture", "data": base64.b64encode(svg).decode()})

    def _shown(self) -> Shown:
        results = self._results or self.room.results
        if results is None:
            raise RunError("there are no runs yet; wait for the first")
        what_if = self._what_if if self._results else None
        room = self.room
        return Shown(room.base, what_if, results, room.engine.seed, room.past)

    async def _hand_over(self, file: File) -> None:
        coded = base64.b64encode(file.data).decode()
        await self._send({"type": "file", "name": file.name, "kind": file.type, "data": coded})

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
        history = await self._history()
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
                "history": history,
                **progress,
            }
        )

    async def _history(self) -> Message | None:
        zone, target = self._look
        if target == ALL_TARGETS:
            return None
        base, what_if = self.room.base, self._what_if
        found = await asyncio.to_thread(history_of, base, what_if, zone, target)
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
