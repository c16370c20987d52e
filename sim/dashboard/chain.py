"""Why: the chain of causes behind the cell that a page looks at."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from sim.analysis.explain import RUNS, Evidence, explainable, explanation
from sim.analysis.explanation import Explanation, file_name, write_explanation
from sim.analysis.watch import Watched, watch
from sim.blueprint import Floats
from sim.dashboard.engine import RUNS_PER_BATCH
from sim.dashboard.room import Room
from sim.dashboard.runs import Runs
from sim.plan import DISTRICT, Target
from sim.runner import Runner
from sim.scenario import Inputs

RUNS_PER_TASK = RUNS_PER_BATCH - 2  # looking on takes longer than running

Tell = Callable[..., Awaitable[None]]
Chance = Callable[[str, str], tuple[float, float, float]]


@dataclass
class Chain:
    """What was watched of one target in a scenario's runs, for all zones.

    Attributes:
        runs: the scenario's, of which the first are watched.
        found: the explanation that is shown.
    """

    runs: Runs
    target: Target
    found: Explanation | None = None
    _watched: dict[int, list[Watched]] = field(default_factory=dict)

    async def follow(self, room: Room, zone: str, tell: Tell, chance: Chance) -> Explanation:
        """The chain in a zone; the runs are watched once for all zones.

        Args:
            tell: called with a stage, and how many runs of it are done and needed.
            chance: the probability of a zone's target that the page shows, with its interval; one
                that is stratified by the base's runs is not the share of these runs.

        Raises:
            InputError: no chain leads there, or runs cannot be made.
        """
        explainable(self.runs.inputs, self.target.id, zone)
        inputs, seed = self.runs.inputs, room.engine.seed
        most = min(RUNS, self.runs.most)
        tasks = [
            (inputs, seed, self.target, first, min(RUNS_PER_TASK, most - first))
            for first in range(0, most, RUNS_PER_TASK)
            if first not in self._watched
        ]
        async with aclosing(room.engine.done(look, tasks)) as batches:
            async for first, watched in batches:
                self._watched[first] = watched
                done = sum(len(batch) for batch in self._watched.values())
                await tell("watching", done, most)
        explained = await asyncio.to_thread(self._explained, room, zone)
        shown = dict(zip(("probability", "low", "high"), chance(zone, self.target.id), strict=True))
        self.found = explained.model_copy(update=shown)
        return self.found

    async def leave(self, room: Room) -> None:
        """Leave the district's chain in the forecast's folder, where briefings look for it."""
        folder = room.kept.place(self.runs) / "explain"

        def write() -> None:
            explained = self._explained(room, DISTRICT)
            folder.mkdir(exist_ok=True)
            write_explanation(explained, folder / f"{file_name(self.target.id, DISTRICT)}.json")

        await asyncio.to_thread(write)

    def _explained(self, room: Room, zone: str) -> Explanation:
        def values(indicators: Sequence[str], zone: str, month: str) -> Floats:
            return room.kept.values(self.runs, indicators, zone, month)

        known = Evidence(self.runs.inputs, room.engine.seed, self.runs.done, values)
        watched = [one for _, batch in sorted(self._watched.items()) for one in batch]
        return explanation(known, self.target, zone, watched)


def look(
    inputs: Inputs, seed: int, target: Target, first: int, count: int
) -> tuple[int, list[Watched]]:
    """Make runs again and look at them; in a worker."""
    runner = Runner(inputs, seed)
    return first, [watch(runner, run, target) for run in range(first, first + count)]
