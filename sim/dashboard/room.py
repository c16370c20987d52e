"""What all pages of one server share: the base and its runs, the workers, the examples."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakSet, WeakValueDictionary

from sim.analysis.naive import PastFigure
from sim.dashboard.catalogue import catalogue
from sim.dashboard.engine import Engine
from sim.dashboard.kept import Kept
from sim.dashboard.results import Results, results_of
from sim.dashboard.runs import Runs
from sim.dashboard.scenarios import Example, data_of, examples_of
from sim.errors import InputError, RunError
from sim.scenario import Inputs
from sim.store import RUNS_PER_CHUNK

BASE_RUNS = 2000
MOST_PAGES = 12  # open at once; a what-if holds some 30 MB each
FIRST = 400  # runs of the base that go before what-ifs; those beyond wait for them
PAUSE = 0.4  # seconds between two results of runs that come in


@dataclass(frozen=True)
class Limits:
    """How much a server takes on."""

    base_runs: int = BASE_RUNS
    pages: int = MOST_PAGES


@dataclass
class Room:
    """One server's base.

    Attributes:
        engine: makes the runs.
        folder: where forecasts are kept.
        given: a finished forecast whose runs are the base's; none: they are made.
        past: figures published for dates before the plan.
        pages: how many are open.
        busy: how many of them make runs.
        news: set anew whenever there are more of the base's runs.
        problem: why the base could not be made or kept, for people.
        writing: held while a briefing is written, which takes as much memory as the server.
        locks: of what-ifs' folders, each held by the page that makes its forecast.
        what_ifs: the runs that pages show, whose folders stay.
    """

    inputs: Inputs
    engine: Engine
    folder: Path
    limits: Limits = Limits()
    past: list[PastFigure] = field(default_factory=list)
    given: Path | None = None
    pages: int = 0
    busy: int = 0
    problem: str | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)
    locks: WeakValueDictionary[Path, asyncio.Lock] = field(default_factory=WeakValueDictionary)
    what_ifs: WeakSet[Runs] = field(default_factory=WeakSet)

    def __post_init__(self) -> None:
        chunks = -(-self.limits.base_runs // RUNS_PER_CHUNK)
        self.base = Runs(self.inputs, chunks * RUNS_PER_CHUNK, self.given)
        self.kept = Kept(self.folder, self.inputs, self.engine.seed)
        self.catalogue: dict[str, Any] = catalogue(self.inputs)
        self.scenario = data_of(self.inputs)
        self.examples: list[Example] = examples_of(self.inputs)
        self.kept.take(self.base)
        self.results: Results | None = results_of(self.base)

    @property
    def ready(self) -> bool:
        return self.base.done == self.base.most

    @property
    def told(self) -> int:
        """How many of the base's runs its results are of."""
        return self.results.runs if self.results else 0

    async def prepare(self) -> None:
        """Make those of the base's runs that are not kept, and keep them."""
        last = 0.0
        clock = asyncio.get_running_loop().time
        try:
            async with aclosing(self.engine.complete(self.base, self.base.most)) as batches:
                async for _ in batches:
                    problem = await self.keep(self.base)
                    if self.ready and problem is not None:
                        self.problem = (
                            f"{problem}; the base's runs are made again at the next start"
                        )
                    if self.ready or clock() - last > PAUSE:
                        self.results = await asyncio.to_thread(results_of, self.base)
                        self._tell()
                        last = clock()
                    while self.busy and self.base.done >= FIRST:
                        await asyncio.sleep(PAUSE / 2)
        except InputError as error:
            self.problem = str(error)
            self._tell()
        await self.tidy()

    async def keep(self, runs: Runs) -> InputError | None:
        """Put on disk what can be; what cannot stays in memory, and it is said why."""
        async with self.lock(runs):
            try:
                await to_its_end(self.kept.keep, runs)
            except InputError as error:
                return error
        return None

    async def tidy(self) -> None:
        """Let forecasts go that nobody has used for long."""
        using = {self.kept.place(runs) for runs in (self.base, *self.what_ifs)}
        await to_its_end(self.kept.sweep, using)

    async def settled(self, upto: int) -> None:
        """Wait until so many of the base's runs are there; raises RunError if they cannot be."""
        while self.base.done < upto:
            if self.problem is not None:
                raise RunError(self.problem)
            await self.news.wait()

    def lock(self, runs: Runs) -> asyncio.Lock:
        """Held by whoever writes to a forecast's folder."""
        place = self.kept.place(runs)
        return self.locks.setdefault(place, asyncio.Lock())

    def _tell(self) -> None:
        news, self.news = self.news, asyncio.Event()
        news.set()


async def to_its_end(work: Callable[..., None], *arguments: object) -> None:
    """Do something in a thread, and wait for it even when whoever asked has gone meanwhile."""
    task = asyncio.ensure_future(asyncio.to_thread(work, *arguments))
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
