"""Many variants of a scenario, run by run with the same luck, in one pool and kept on disk.

A run of a variant is known by the variant's content, the seed and its number, so what was made
once is not made again, whatever is asked for next.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from sim import months
from sim.analysis.kept import Kept, opened
from sim.analysis.probability import thresholds
from sim.blueprint import Blueprint, Floats, build
from sim.errors import RunError
from sim.executors import Workers
from sim.model import Outcome
from sim.montecarlo import Pool, Progress, Task, complete, local, no_progress
from sim.plan import ALL_TARGETS, DISTRICT, Plan
from sim.posterior import Posterior
from sim.processes.accounts import indicators
from sim.runner import Runner
from sim.scenario import Inputs
from sim.store import reason
from sim.zones import ITEMS

RUNS_PER_TASK = 10  # 0.6 s of the real district: little is lost, and sending it costs 2 %
TOTAL = "total"

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Outcomes:
    """What runs of some variants ended with.

    Attributes:
        plan: the plan of all variants.
        runs: the runs' numbers; run r of each variant met the same luck and parameters.
        columns: ``target.zone`` for each target and zone, the indicator at the target's deadline
            in the target's unit; then ``cost.item.zone``, 亿元 over the whole period. Zone
            ``district`` is the whole, item ``total`` all items.
        values: (variants, runs, columns).
        thresholds: of each variant in each ``target.zone``, NaN where the zone has no part in the
            target: (variants, targets · zones).
    """

    plan: Plan
    runs: range
    columns: tuple[str, ...]
    values: Floats
    thresholds: Floats

    def column(self, name: str) -> Floats:
        """One column, (variants, runs); raises ValueError for an unknown name."""
        return self.values[:, :, self.columns.index(name)]

    @cached_property
    def goals(self) -> tuple[str, ...]:
        """``target.zone`` where a zone has a part in a target, and ``all.zone`` for such zones."""
        parts = [self.columns[place] for place in self._parts]
        zones = dict.fromkeys(name.split(".")[1] for name in parts)
        return (*parts, *(f"{ALL_TARGETS}.{zone}" for zone in zones))

    def met(self) -> Flags:
        """Which goals each run meets, (variants, runs, goals), counted as a forecast counts them.

        ``all.zone`` is all targets of the zone at once. A variant whose ``target_shares`` leave a
        zone no part in a target meets that goal: there is nothing to reach.
        """
        # As a forecast's store keeps them, so that the same run meets the same targets in both.
        values = self.values[:, :, self._parts].astype(np.float32).astype(float)
        limits = self.thresholds[:, None, self._parts]
        names = [self.columns[place].split(".") for place in self._parts]
        targets = {target.id: target for target in self.plan.targets}
        met = np.empty((*values.shape[:2], len(self.goals)), dtype=bool)
        for n, (target, _) in enumerate(names):
            reached = targets[target].met(values[:, :, n], limits[:, :, n])
            met[:, :, n] = reached | np.isnan(limits[:, :, n])
        for n, goal in enumerate(self.goals[len(names) :], start=len(names)):
            zone = goal.split(".")[1]
            mine = [place for place, name in enumerate(names) if name[1] == zone]
            met[:, :, n] = met[:, :, mine].all(axis=2)
        return met

    @cached_property
    def _parts(self) -> list[int]:
        """The columns in which at least one variant has a threshold."""
        return np.flatnonzero(~np.isnan(self.thresholds).all(axis=0)).tolist()


class Evaluator:
    """Evaluates variants of a scenario with common random numbers; a context manager.

    One pool of workers for its life, started when first needed. With ``out`` every finished run
    is kept in ``OUT/evaluations`` and never made again: by a later call, with more runs or other
    variants, or in another process after this one was stopped.

    Args:
        seed: of all draws.
        out: a directory; none: nothing is kept.
        workers: processes, or where else to run; one: in this process. The outcomes do not
            depend on it.
        on_progress: called with the number of runs done and needed in the call.

    Raises:
        RunError: another process writes to ``out``, or it holds another program's evaluations or
            other files, or cannot be written.
    """

    def __init__(
        self,
        seed: int,
        out: Path | str | None = None,
        workers: int | Workers | None = None,
        on_progress: Progress = no_progress,
    ) -> None:
        self.seed = seed
        self._out = None if out is None else Path(out)
        self._pool = Pool(local(workers or 1) if isinstance(workers, int | None) else workers)
        self._on_progress = on_progress
        self._kept: Kept | None = None
        self._ending = ExitStack()
        self._digests: dict[int, tuple[object, bytes]] = {}

    def __enter__(self) -> Evaluator:
        with ExitStack() as ending:
            if self._out is not None:
                self._kept = ending.enter_context(opened(self._out))
            ending.enter_context(self._pool)
            self._ending = ending.pop_all()
        return self

    def __exit__(self, *error: Any) -> bool | None:
        return self._ending.__exit__(*error)

    def evaluate(
        self, variants: Sequence[Inputs], runs: int | range, needed: Flags | None = None
    ) -> Outcomes:
        """The outcomes of each variant in the same runs.

        Variants are told apart by what a run depends on (levers, shocks, parameters, …, plan,
        economy, posterior) and not by names; equal ones are made once. ``changed(inputs,
        parameters={…})`` holds parameters, and needs no file.

        Args:
            variants: checked inputs with the same targets and zones.
            runs: how many, from 0 on, or which.
            needed: which variants in which runs, (variants, runs), where each run needs others;
                what is not needed is NaN where it is not kept either. None: all.

        Raises:
            RunError: variants of other targets or zones, workers that die repeatedly, too little
                memory, or a disk that cannot be used; finished runs are kept.
            KeyboardInterrupt: likewise.
        """
        runs = range(runs) if isinstance(runs, int) else runs
        if not variants or not runs or runs.step != 1 or runs.start < 0:
            raise RunError(f"found {len(variants)} variants and {runs}; at least one of each")
        plan = variants[0].plan
        for variant in variants:
            if variant.plan is not plan and variant.plan != plan:
                raise RunError("variants of different plans cannot be evaluated together")
        keys = [self._key(variant) for variant in variants]
        place = {key: n for n, key in reversed(list(enumerate(keys)))}
        columns = column_names(build(variants[0]))
        values = np.full((len(variants), len(runs), len(columns)), np.nan)
        outcomes = Outcomes(plan, runs, columns, values, _thresholds(variants))
        wanted = {key: np.full(len(runs), needed is None) for key in place}
        if needed is not None:
            for key, flags in zip(keys, needed, strict=True):
                wanted[key] |= flags
        total = sum(int(flags.sum()) for flags in wanted.values())
        self._make(self._missing(place, wanted, outcomes), total, keys, variants, outcomes)
        for n, key in enumerate(keys):
            if place[key] != n:
                values[n] = values[place[key]]
        return outcomes

    def _missing(
        self, place: dict[str, int], wanted: dict[str, Flags], outcomes: Outcomes
    ) -> list[tuple[int, range]]:
        """Read what is kept; what is wanted and not kept, as places of variants and runs."""
        runs = outcomes.runs
        there = {key: ~flags for key, flags in wanted.items()}
        if self._kept is not None:
            for key, first, found in self._kept.read(set(place), runs):
                here = slice(first - runs.start, first - runs.start + len(found))
                outcomes.values[place[key], here] = found
                there[key][here] = True
        missing = []
        for key, n in sorted(place.items(), key=lambda item: item[1]):
            edges = np.flatnonzero(np.diff(~there[key], prepend=False, append=False))
            missing += [(n, runs[start:stop]) for start, stop in edges.reshape(-1, 2).tolist()]
        return missing

    def _make(
        self,
        missing: list[tuple[int, range]],
        total: int,
        keys: Sequence[str],
        variants: Sequence[Inputs],
        outcomes: Outcomes,
    ) -> None:
        """Make what is missing, keep it, and put it in its place."""
        runs, values = outcomes.runs, outcomes.values
        left = sum(len(stretch) for _, stretch in missing)
        self._on_progress(total - left, total)

        def stopped(why: str) -> RunError:
            kept = f"{total - left} runs are kept, the same command goes on from them"
            return RunError(why if self._kept is None else f"{why}; {kept}")

        def keep(task: Task, rows: Floats) -> None:
            nonlocal left
            jobs = [(n, first, count) for n, first, count, _ in _jobs(task)]
            if self._kept is not None:
                parts = [(keys[n], first, count) for n, first, count in jobs]
                try:
                    self._kept.write(parts, outcomes.columns, rows)
                except OSError as error:
                    where = self._kept.folder
                    raise stopped(f"{where}: cannot be written ({reason(error)})") from None
            start = 0
            for n, first, count in jobs:
                here = slice(first - runs.start, first - runs.start + count)
                values[n, here] = rows[start : start + count]
                start += count
            left -= len(rows)
            self._on_progress(total - left, total)

        size = max(1, min(RUNS_PER_TASK, -(-left // self._pool.width())))
        tasks: list[Task] = []
        for jobs in _packed(missing, size):
            parts = [(n, part.start, len(part), variants[n]) for n, part in jobs]
            # Side by side, so that a cluster sends a variant once and a pool what they share once.
            tasks.append((self.seed, *(field for part in parts for field in part)))
        complete(self._pool, _work, tasks, keep, stopped)

    def _key(self, inputs: Inputs) -> str:
        """What a variant's runs depend on, as a checksum."""
        names = {"id", "name", "question", "plan", "economy"}
        sums = hashlib.sha256(inputs.scenario.model_dump_json(exclude=names).encode())
        for part in (inputs.plan, inputs.economy, inputs.posterior):
            if id(part) not in self._digests:
                self._digests[id(part)] = part, _digest(part)
            sums.update(self._digests[id(part)][1])
        sums.update(str(self.seed).encode())
        return sums.hexdigest()[:32]


def column_names(blueprint: Blueprint) -> tuple[str, ...]:
    """``target.zone`` for each target and zone, then ``cost.item.zone``; see ``Outcomes``."""
    zones = (*blueprint.zones, DISTRICT)
    ends = [f"{target.id}.{zone}" for target in blueprint.plan.targets for zone in zones]
    costs = [f"cost.{item}.{zone}" for item in (*ITEMS, TOTAL) for zone in zones]
    return (*ends, *costs)


def row_of(blueprint: Blueprint, outcome: Outcome) -> Floats:
    """What is kept of a run, in the order of ``column_names``."""
    names = list(indicators(blueprint))
    targets = blueprint.plan.targets
    due = [months.between(blueprint.plan.start, target.deadline) for target in targets]
    ends = outcome.series[due, [names.index(target.id) for target in targets]]
    costs = outcome.costs.sum(axis=0)
    costs = np.concatenate([costs, costs.sum(axis=0, keepdims=True)])
    costs = np.concatenate([costs, costs.sum(axis=1, keepdims=True)], axis=1)
    return np.concatenate([ends.ravel(), costs.ravel()])


def _work(*task: Any) -> Floats:
    """Make a task's runs, (runs, columns); in a worker."""
    rows = []
    for _, first, count, inputs in _jobs(task):
        runner = Runner(inputs, task[0])
        rows += [row_of(runner.blueprint, runner.run(run)) for run in range(first, first + count)]
    return np.array(rows)


def _jobs(task: Task) -> Iterator[tuple[int, int, int, Inputs]]:
    """A task's parts: place of the variant, first run, number of runs, variant."""
    return zip(task[1::4], task[2::4], task[3::4], task[4::4], strict=True)


def _packed(missing: list[tuple[int, range]], size: int) -> Iterator[list[tuple[int, range]]]:
    """Runs in packs of ``size``: of a variant together, of several where they have few."""
    pack: list[tuple[int, range]] = []
    room = size
    for n, stretch in missing:
        while stretch:
            pack.append((n, stretch[:room]))
            room, stretch = room - len(stretch[:room]), stretch[room:]
            if not room:
                yield pack
                pack, room = [], size
    if pack:
        yield pack


def _digest(part: object) -> bytes:
    """Checksum of a plan, an economy or a posterior, by what runs depend on."""
    if isinstance(part, BaseModel):
        text = part.model_dump_json(exclude={"posterior"}).encode()  # a path; its draws count
    elif isinstance(part, Posterior):
        text = ",".join(part.labels).encode() + part.draws.tobytes()
    else:
        text = b""
    return hashlib.sha256(text).digest()


def _thresholds(variants: Sequence[Inputs]) -> Floats:
    """Each variant's threshold for each target and zone, (variants, targets · zones)."""
    known: dict[tuple[int, str], list[float]] = {}
    rows = []
    for variant in variants:
        key = id(variant.economy), json.dumps(variant.scenario.target_shares, sort_keys=True)
        if key not in known:
            blueprint = build(variant)
            limits = [thresholds(blueprint, target) for target in variant.plan.targets]
            zones = (*blueprint.zones, DISTRICT)
            known[key] = [limit.get(zone, np.nan) for limit in limits for zone in zones]
        rows.append(known[key])
    return np.array(rows)
