"""Under which conditions a target is missed: boxes of parameters and levers (scenario discovery).

From the runs of a finished forecast, without new ones; or from runs of a scenario in which levers
vary over their bounds too. In either the parameters are those that each run drew.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import qmc

from sim.analysis.evaluation import Evaluator
from sim.analysis.factors import space_of
from sim.analysis.finished import Finished
from sim.analysis.interval import parameter_share, wilson
from sim.analysis.outputs import check_names
from sim.analysis.prim import (
    LEVEL,
    Box,
    Flags,
    Quality,
    Resampled,
    best,
    chance_p,
    peel,
    peeled,
    quality,
    quasi_p,
    resample,
)
from sim.analysis.probability import at_deadlines, outcomes
from sim.blueprint import Blueprint, Floats
from sim.draws import AGAIN
from sim.errors import RunError
from sim.executors import Workers
from sim.montecarlo import Progress, no_progress, repeats
from sim.parameters import ParameterTable
from sim.runner import Runner
from sim.scenario import Inputs, LeverSetting, changed
from sim.store import Pick

FEWEST_RUNS = 100
FEWEST_CASES = 20  # missed, and met: a box of half of them has a density known to ± 20 points
PERMUTATIONS = 199
RESAMPLES = 50
MOST_BOXES = 3
BLOCK = 25  # runs that are handed out together


@dataclass(frozen=True)
class Cases:
    """Runs with their conditions and whether they missed.

    Attributes:
        names: of the factors: parameters' draws, then levers.
        points: their values in each run, (runs, factors).
        missed: (runs,).
        parameter_share: part of the doubt that lies in parameters, from runs made again; None
            where it is not known.
    """

    names: tuple[str, ...]
    points: Floats
    missed: Flags
    parameter_share: float | None = None


@dataclass(frozen=True)
class Limit:
    """One limit of a box.

    Attributes:
        value: in the factor's unit, inclusive.
        share: part of all runs that it leaves in by itself.
        quasi_p: see ``prim``.
        again: how often the factor was limited on that side in random halves of the runs.
    """

    factor: str
    upper: bool
    value: float
    share: float
    quasi_p: float
    again: float


@dataclass(frozen=True)
class Found:
    """One box.

    Attributes:
        limits: all that bound it.
        quality: on the runs left over by the boxes before it, coverage of all misses.
        low, high: 95 % interval of the density, which takes no account of the box's choice.
        chance_p: of the permutation test.
        resampled: boxes from random halves, looked at in the other halves.
        trajectory: the way of the peeling, from all runs on: qualities and number of limits.
    """

    box: Box
    limits: list[Limit]
    quality: Quality
    low: float
    high: float
    chance_p: float
    resampled: Resampled
    trajectory: list[tuple[Quality, int]]


@dataclass(frozen=True)
class Discovery:
    """Under which conditions a target is missed.

    ``boxes`` are those that chance does not explain, each found in the runs outside of those
    before; ``tried`` is the one that could be chance, where the search ended with such a one.
    """

    inputs: Inputs
    target: str
    zone: str
    seed: int
    cases: Cases
    boxes: list[Found]
    tried: Found | None


def discover(
    inputs: Inputs,
    cases: Cases,
    target: str,
    zone: str,
    seed: int,
    *,
    permutations: int = PERMUTATIONS,
    resamples: int = RESAMPLES,
) -> Discovery:
    """Look for boxes in which the target is missed often.

    Args:
        inputs: what the runs are of.
        cases: from ``finished_cases`` or ``sampled_cases``.
        seed: of the permutations and resamples.
        permutations: of the test against chance; at least 19 for its 5 % level.
        resamples: random halves in which boxes are looked for again.

    Raises:
        RunError: fewer than 100 runs, or fewer than 20 of them missed or met it.
    """
    runs, missed = len(cases.missed), int(cases.missed.sum())
    if runs < FEWEST_RUNS:
        raise RunError(
            f"a forecast of {runs} run{'s' * (runs != 1)} is too few to look for conditions; "
            f"at least {FEWEST_RUNS} are needed"
        )
    rarer = min(missed, runs - missed)
    if rarer < FEWEST_CASES:
        what = "missed" if missed == rarer else "met"
        advice = "it depends on no condition that these runs know"
        if rarer:
            more = math.ceil(FEWEST_CASES * runs / rarer / 100) * 100
            advice = f"about {more:,} runs would have them"
        raise RunError(
            f"the target {target!r} is {what} in {rarer} of {runs:,} runs in {zone!r}; at least "
            f"{FEWEST_CASES} are needed to look for conditions; {advice}"
        )
    random = np.random.default_rng([seed, 0])
    left = np.ones(runs, dtype=bool)
    boxes: list[Found] = []
    tried = None
    while len(boxes) < MOST_BOXES and tried is None:
        some = cases.missed[left]
        if min(some.sum(), (~some).sum()) < FEWEST_CASES:
            break
        found = _found(cases, left, random, permutations, resamples)
        if found.chance_p > LEVEL or not found.limits:
            tried = found
        else:
            boxes.append(found)
            left &= ~found.box.holds(cases.points)
    return Discovery(inputs, target, zone, seed, cases, boxes, tried)


def _found(
    cases: Cases, left: Flags, random: np.random.Generator, permutations: int, resamples: int
) -> Found:
    points, missed = cases.points[left], cases.missed[left]
    box = best(points, missed)
    resampled = resample(points, missed, resamples, random)
    limits = []
    for place, upper in box.limited:
        value = float((box.high if upper else box.low)[place])
        column = points[:, place]
        share = float(np.mean(column <= value if upper else column >= value))
        told = quasi_p(box, place, upper, points, missed)
        again = float(resampled.limited[int(upper), place])
        limits.append(Limit(cases.names[place], upper, value, share, told, again))
    way = peel(points, missed, peeled(points, missed))
    inside = quality(box, points, missed)
    return Found(
        box,
        limits,
        inside,
        *wilson(inside.cases, inside.runs),
        chance_p(points, missed, permutations, random),
        resampled,
        [(quality(one, points, missed), len(one.limited)) for one in way],
    )


def finished_cases(finished: Finished, target: str, zone: str) -> Cases:
    """The conditions of a finished forecast's runs; no run is made.

    Raises:
        RunError: an unknown target or zone, or the runs' parameters are not those of this version.
    """
    inputs, runs = finished.inputs, finished.summary.runs
    check_names(inputs.plan, target, zone)
    runner = Runner(inputs, int(finished.manifest["seed"]))
    names, places = _varying(runner.parameters)
    labels = [runner.parameters.labels[place] for place in places]
    try:
        (table,) = finished.store.scan("parameters", [Pick(labels)], runs)
    except (LookupError, ValueError):
        raise RunError(f"{finished.path}: its runs have other parameters than the plan") from None
    points = np.asarray(table[:, 0].T, dtype=float)
    met = _met(finished, runner.blueprint, target, zone, runs, 0)
    again = repeats(runs)
    share = None
    if again:
        once_more = _met(finished, runner.blueprint, target, zone, again, AGAIN)
        share = parameter_share(met[:again], once_more, float(met.mean()))
    return Cases(names, points, ~met, share)


def _met(
    finished: Finished, blueprint: Blueprint, target: str, zone: str, runs: int, first: int
) -> Flags:
    plan = finished.inputs.plan
    found = outcomes(at_deadlines(finished.store, blueprint, plan, runs, first), blueprint, plan)
    if (zone, target) not in found:
        raise RunError(f"--zone: {zone!r} has no part in the target {target!r}")
    return found[zone, target].met


def sampled_cases(
    inputs: Inputs,
    levers: Iterable[str],
    target: str,
    zone: str,
    *,
    runs: int,
    seed: int,
    out: Path | str | None = None,
    workers: int | Workers = 1,
    on_progress: Progress = no_progress,
) -> Cases:
    """The conditions of new runs: levers over their bounds, parameters as each run draws them.

    Levers are a Latin hypercube (McKay et al. 1979), in all zones from the plan's first month.

    Raises:
        RunError: an unknown target, zone or lever, fewer than 100 runs, or see ``Evaluator``.
    """
    check_names(inputs.plan, target, zone)
    space = space_of(inputs, levers=levers)
    if not FEWEST_RUNS <= runs <= 1_000_000:
        raise RunError(f"--runs: found {runs:,}; allowed: {FEWEST_RUNS} to 1,000,000")
    runner = Runner(inputs, seed)
    names, places = _varying(runner.parameters)
    cube = qmc.LatinHypercube(len(space.factors), rng=np.random.default_rng([seed, 1])).random(runs)
    rules = [inputs.economy.levers[factor.name] for factor in space.factors]
    low, high = (np.array([getattr(rule, end) for rule in rules]) for end in ("low", "high"))
    values = low + cube * (high - low)
    met = np.empty(runs, dtype=bool)
    done = 0

    def progress(now: int, _: int) -> None:
        on_progress(done + now, runs)

    with Evaluator(seed, out, workers, progress) as evaluator:
        for start in range(0, runs, BLOCK):
            block = range(start, min(start + BLOCK, runs))
            variants = [
                changed(
                    inputs,
                    levers=[
                        *inputs.scenario.levers,
                        *(
                            LeverSetting(lever=factor.name, value=float(value))
                            for factor, value in zip(space.factors, values[run], strict=True)
                        ),
                    ],
                )
                for run in block
            ]
            found = evaluator.evaluate(variants, block, np.eye(len(block), dtype=bool))
            goal = f"{target}.{zone}"
            if goal not in found.goals:
                raise RunError(f"--zone: {zone!r} has no part in the target {target!r}")
            met[block.start : block.stop] = np.diagonal(found.met()[:, :, found.goals.index(goal)])
            done = block.stop
    drawn = np.array([runner.parameters_of(run)[places] for run in range(runs)])
    levers_names = [factor.name for factor in space.factors]
    return Cases((*names, *levers_names), np.hstack([drawn, values]), ~met)


def _varying(table: ParameterTable) -> tuple[tuple[str, ...], list[int]]:
    """The parameters that differ between runs: one entry, the largest, for each draw.

    Entries that share a draw rise and fall together; the one that stands for them is named in
    brackets: ``diffusion.ai_rate (software)``.
    """
    texts = table.prior_texts()
    draws: dict[int, list[int]] = {}
    for place, (label, entry) in enumerate(zip(table.labels, table.entries, strict=True)):
        if label in texts and label not in table.fixed:
            draws.setdefault(entry.draw, []).append(place)
    names, places = [], []
    for draw, mine in draws.items():
        name = table.draw_names[draw]
        place = max(mine, key=lambda one: abs(table.entries[one].value))
        key = table.labels[place].removeprefix(f"{name}.")
        names.append(name if len(mine) == 1 else f"{name} ({key})")
        places.append(place)
    return tuple(names), places
