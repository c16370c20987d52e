"""A briefing on what a page shows: its forecast is finished on disk, then written about.

All of it is what ``pudong forecast``, ``pudong compare`` and ``pudong brief`` do, from runs that
are there already. It is written in a process of its own, which ends with it or is ended before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from sim.analysis.compare import compared, write_comparison
from sim.analysis.evaluation import Outcomes
from sim.analysis.forecast import forecast
from sim.analysis.naive import PastFigure
from sim.analysis.published import read_published
from sim.dashboard.chain import Chain
from sim.dashboard.results import outcomes_of
from sim.dashboard.room import Room, to_its_end
from sim.dashboard.runs import Pieces, Runs, make
from sim.errors import RunError
from sim.executors import LocalProcesses
from sim.report.brief.compose import compose
from sim.report.brief.document import Tongue
from sim.report.brief.writers import write
from sim.scenario import Inputs
from sim.store import RUNS_PER_CHUNK, locked, reason

RUNS_PER_TASK = 5  # as batches of runs
COMPARISON = "compare"  # the folder for it within a forecast's

Tell = Callable[..., Awaitable[None]]


@dataclass(frozen=True)
class Order:
    """What is to be written, for the process that writes it.

    Attributes:
        folder: of the forecast, with all its runs.
        runs: how many; none: the forecast is finished and stays as it is.
        outcomes: of the base and the scenario, none where the scenario is the base.
    """

    folder: Path
    inputs: Inputs
    seed: int
    runs: int | None
    base: Inputs
    outcomes: Outcomes | None
    kind: str
    language: Tongue
    past: list[PastFigure]


async def brief(
    room: Room, runs: Runs, chain: Chain | None, kind: str, language: Tongue, tell: Tell
) -> bytes:
    """A briefing on a scenario all of whose runs are there, as a file's content.

    Args:
        runs: the base's, or a what-if's.
        chain: of causes that was traced in them; what it says goes into the briefing.
        tell: called with a stage and, where it is known, how much of it is done and needed.

    Raises:
        InputError: the disk cannot be used, or a part of the forecast there is damaged.
    """
    place = room.kept.place(runs)
    async with room.lock(runs):
        if not runs.given:
            await _complete(room, runs, tell)
            if chain is not None and chain.found is not None:
                await chain.leave(room)
        outcomes = None
        if runs is not room.base:
            outcomes = await asyncio.to_thread(outcomes_of, room.base, runs)
        order = Order(
            place,
            runs.inputs,
            room.engine.seed,
            None if runs.given else runs.most,
            room.inputs,
            outcomes,
            kind,
            language,
            room.past,
        )
        await tell("queue")
        async with room.writing:
            await tell("writing")
            data = await _written(order)
        await room.tidy()
        return data


async def _complete(room: Room, runs: Runs, tell: Tell) -> None:
    """Put the runs on disk, and the repeats by which a forecast tells chance from parameters."""
    kept, seed = room.kept, room.engine.seed
    await to_its_end(kept.keep, runs)
    lacking = await asyncio.to_thread(kept.lacking, runs)
    pieces = Pieces()
    tasks = [
        (runs.inputs, seed, first, RUNS_PER_TASK)
        for start, count in lacking
        for first in range(start, start + count, RUNS_PER_TASK)
    ]
    total, done = len(lacking) * RUNS_PER_CHUNK, 0
    async with aclosing(room.engine.done(make, tasks)) as batches:
        async for batch in batches:
            pieces.add(batch)
            done += len(batch.series)
            if pieces.whole():
                await to_its_end(kept.keep_repeats, runs, pieces)
            await tell("repeats", done, total)


async def _written(order: Order) -> bytes:
    """The file's content; whoever leaves before ends the process that writes it."""
    one = LocalProcesses(1)
    with TemporaryDirectory() as folder, one.open() as executor:
        file = Path(folder) / f"brief.{order.kind}"
        try:
            await asyncio.wrap_future(executor.submit(carry_out, order, file))
        except OSError as error:
            raise RunError(f"{order.folder}: cannot be used ({reason(error)})") from None
        except Exception as error:
            if one.is_death(error) or isinstance(error, MemoryError):
                raise RunError("the briefing could not be written: out of memory?") from None
            raise
        return file.read_bytes()


def carry_out(order: Order, file: Path) -> None:
    """Finish the forecast and write about it; in a process of its own."""
    if order.runs is not None:
        forecast(order.inputs, runs=order.runs, seed=order.seed, out=order.folder)
    beside = None
    if order.outcomes is not None:
        found = compared(order.base, [order.inputs], order.outcomes, order.seed)
        beside = order.folder / COMPARISON
        with locked(order.folder):
            beside.mkdir(exist_ok=True)
            write_comparison(found, beside)
    made = compose(
        read_published(order.folder),
        order.language,
        past=order.past,
        compare=beside,
        day=date.today(),
    )
    write(made, file)
