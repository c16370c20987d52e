"""What all pages of one server share: the base and its runs, the workers, the examples."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sim.analysis.naive import PastFigure
from sim.dashboard import kept
from sim.dashboard.catalogue import catalogue
from sim.dashboard.engine import Engine
from sim.dashboard.results import Results, results_of
from sim.dashboard.runs import Runs
from sim.dashboard.scenarios import Example, data_of, examples_of
from sim.errors import InputError
from sim.scenario import Inputs

BASE_RUNS = 2000
MOST_PAGES = 12  # open at once; a what-if of 2,000 runs each holds 30 MB
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
        folder: where the base's runs are kept.
        past: figures published for dates before the plan.
        pages: how many are open.
        busy: how many of them make runs.
        news: set anew whenever there are more of the base's runs.
        problem: why the base could not be made or kept, for people.
    """

    inputs: Inputs
    engine: Engine
    folder: Path
    limits: Limits = Limits()
    past: list[PastFigure] = field(default_factory=list)
    pages: int = 0
    busy: int = 0
    problem: str | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.base = Runs(self.inputs, self.limits.base_runs)
        self.results: Results | None = None
        self.catalogue: dict[str, Any] = catalogue(self.inputs)
        self.scenario = data_of(self.inputs)
        self.examples: list[Example] = examples_of(self.inputs)
        if kept.read(self.folder, self.base, self.engine.seed):
            self.results = results_of(self.base)

    @property
    def ready(self) -> bool:
        return self.base.done == self.base.most

    @property
    def told(self) -> int:
        """How many of the base's runs its results are of."""
        return self.results.runs if self.results else 0

    async def prepare(self) -> None:
        """Make the base's runs, where they are not kept, and keep them."""
        if self.ready:
            return
        last = 0.0
        clock = asyncio.get_running_loop().time
        try:
            async with aclosing(self.engine.complete(self.base, self.base.most)) as batches:
                async for _ in batches:
                    if self.ready or clock() - last > PAUSE:
                        self.results = await asyncio.to_thread(results_of, self.base)
                        self._tell()
                        last = clock()
                    while self.busy and self.base.done >= FIRST:
                        await asyncio.sleep(PAUSE / 2)
        except InputError as error:
            self.problem = str(error)
            self._tell()
            return
        with suppress(OSError):  # they are made again at the next start
            await asyncio.to_thread(kept.write, self.folder, self.base, self.engine.seed)

    def _tell(self) -> None:
        news, self.news = self.news, asyncio.Event()
        news.set()
