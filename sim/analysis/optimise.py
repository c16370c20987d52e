"""The allocation of a budget over levers and places that raises the plan's odds most.

Effects of single settings, run by run against the same luck, make a smooth stand-in
(``response``); its best allocation is run, sets the stand-in right, and so on. What is found is
judged on runs that had no part in the search.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sim.analysis.aims import Aim, aim_of
from sim.analysis.allocation import best_spending, equal_parts
from sim.analysis.controls import (
    Control,
    control_of,
    lever_of,
    listed,
    parts_of,
    settings_of,
    variant,
    write_answer,
)
from sim.analysis.estimates import estimate, gap, mean_of
from sim.analysis.evaluation import Outcomes
from sim.analysis.interval import CONFIDENCE
from sim.analysis.marginal import affordable, cost_curves, evaluating, respond
from sim.analysis.optimum import GoalShare, Optimum, Role, Setting, Share
from sim.analysis.response import Response, added_cost, distances_of, places_of, smooth
from sim.analysis.summary import origin, versions
from sim.blueprint import Floats
from sim.economy import Lever
from sim.errors import RunError, plain
from sim.executors import Workers
from sim.figures import Name
from sim.montecarlo import Progress, no_progress
from sim.scenario import Inputs, LeverSetting

if TYPE_CHECKING:
    from sim.analysis.outputs import Evaluates

FEWEST_RUNS = 20
LEVELS = (0.3, 1.0)  # of the budget, or of the most that a lever can cost
MOST_SPLIT = 5  # levers that are also set place by place: those that help most
ROUNDS = 3  # of setting the stand-in right
FRONT = (0.125, 0.25, 0.5, 0.75)  # of the budget
CAUTION = 0.998  # of the budget: what is aimed at, so that a mean cost ends within it


@dataclass(frozen=True)
class Tried:
    """A setting that was run with the searched runs: smooth objective and mean cost."""

    controls: tuple[Control, ...]
    values: tuple[float, ...]
    score: float
    cost: float
    response: Response

    @property
    def settings(self) -> list[LeverSetting]:
        return settings_of(self.controls, self.values)


def optimise(
    inputs: Inputs,
    *,
    budget: float,
    objective: str = "all",
    levers: Iterable[str] = (),
    runs: int = 200,
    confirm: int = 500,
    seed: int = 1,
    out: Path | str | None = None,
    workers: int | Workers = 1,
    on_progress: Progress = no_progress,
    evaluator: Evaluates | None = None,
) -> Optimum:
    """Allocate a budget over levers and places.

    Args:
        budget: 亿元 over the period, above the cost of the scenario.
        objective: see ``aims.OBJECTIVES``.
        levers: names; none: all. Levers are raised only, up to their bounds.
        runs: of each setting while searching, numbers 0 to ``runs`` − 1.
        confirm: held-out runs, the numbers after those.
        out: keeps the runs, see ``Evaluator``.
        evaluator: what makes the runs in place of the model.

    Raises:
        RunError: an unknown name, a number out of range, or a budget that nothing fits, with one
            that would fit.
    """
    aim = aim_of(inputs, objective)
    names = listed(levers) or [lever.value for lever in Lever]
    wholes = [control_of(inputs, lever_of(name, "--levers")) for name in names]
    wholes = [control for control in wholes if control.low < control.high]
    if not wholes:
        raise RunError("--levers: all stand at their upper bounds already; name others")
    check_runs(runs, confirm)
    if math.isnan(budget) or budget == math.inf:
        raise RunError(f"--budget: found {budget}; allowed: a number of 亿元 above 0")
    # One setting more or less is no matter: this is for the bar.
    parts = sum(len(control.places) for control in wholes[:MOST_SPLIT])
    expected = (2 * (len(wholes) + parts) + 12) * (runs + 10) + 8 * confirm
    with evaluating(evaluator, seed, out, workers, on_progress, expected) as evaluates:
        return _Search(inputs, aim, wholes, budget, runs, confirm, seed, evaluates).answer()


def write_optimum(found: Optimum, inputs: Inputs, folder: Path) -> list[Path]:
    """``optimise.yaml``, the scenario of the answer, and ``optimise.json``, each whole.

    Raises:
        OSError: the disk does not take one.
    """
    best = found.of("best")
    name = inputs.scenario.name
    cost = f"{found.budget:.10g}"
    return write_answer(
        found,
        inputs,
        best.levers,
        folder,
        stem="optimise",
        suffix="best",
        name=Name(zh=f"{name.zh}：{cost} 亿元的最优配置", en=f"{name.en}: best use of {cost} 亿元"),
        question=Name(
            zh=f"在现有安排之外再给 {cost} 亿元，怎样配置最有把握？",
            en=f"With {cost} 亿元 beyond the present cost, which allocation is safest?",
        ),
    )


def check_runs(runs: int, confirm: int) -> None:
    """Raises RunError for too few runs to tell anything."""
    for option, number in (("--runs", runs), ("--confirm", confirm)):
        if not FEWEST_RUNS <= number <= 1_000_000:
            raise RunError(f"{option}: found {number:,}; allowed: {FEWEST_RUNS} to 1,000,000")


class _Search:
    """One optimisation: what it asks, and the settings run so far."""

    def __init__(
        self,
        inputs: Inputs,
        aim: Aim,
        wholes: Sequence[Control],
        budget: float,
        runs: int,
        confirm: int,
        seed: int,
        evaluates: Evaluates,
    ) -> None:
        self.inputs, self.aim, self.wholes, self.budget = inputs, aim, wholes, budget
        self.runs, self.confirm, self.seed = runs, confirm, seed
        self.evaluates = evaluates
        self.evaluated = 1

    def answer(self) -> Optimum:
        curves = cost_curves(self.evaluates, self.inputs, self.wholes)
        self._check_budget(curves[1])
        whole = self._response(self.wholes, curves)
        equal, single = self._equal(whole), self._single(whole)
        split = self._worth_splitting(whole)
        tried = [*self._refined(whole, self.budget), equal, single]
        places = [part for control in split for part in parts_of(self.inputs, control)]
        if places:
            by_place = self._response(places, cost_curves(self.evaluates, self.inputs, places))
            tried += self._refined(by_place, self.budget)
        fitting = [one for one in tried if one.cost <= self.budget + 1e-9] or [equal]
        best = max(fitting, key=lambda one: one.score)
        front = [self._refined(best.response, part * self.budget, 2)[-1] for part in FRONT]
        return self._judged(best, equal, single, front, split)

    def _response(self, controls: Sequence[Control], curves: tuple[Floats, Floats]) -> Response:
        levels = affordable(*curves, self.budget, LEVELS)
        self.evaluated += levels.size
        return respond(self.evaluates, self.inputs, self.aim, controls, levels, self.runs)

    def _check_budget(self, costs: Floats) -> None:
        """A budget must pay for one step of one lever in one place."""
        steps = [
            cost[-1] * control.step / (control.high - control.low)
            for control, cost in zip(self.wholes, costs, strict=True)
        ]
        if self.budget >= min(steps) and self.budget > 0:
            return
        places = [part for control in self.wholes for part in parts_of(self.inputs, control)]
        _, spent = cost_curves(self.evaluates, self.inputs, places, 2, (1.0,))
        steps = [
            float(cost[-1]) * place.step / (place.high - place.low)
            for place, cost in zip(places, spent, strict=True)
        ]
        k = int(np.argmin(steps))
        if self.budget < steps[k] or self.budget <= 0:
            least = max(float(f"{steps[k] * 1.05:.2g}"), 1e-6)
            raise RunError(
                f"--budget: found {plain(self.budget)}; allowed: at least {plain(least)} 亿元, the "
                f"cheapest change ({places[k].name} by {places[k].step:g})"
            )

    def _run(self, response: Response, values: Floats) -> tuple[Tried, Outcomes]:
        """Run a setting with the searched runs."""
        settings = settings_of(response.controls, values.tolist())
        both = [self.inputs, variant(self.inputs, settings)]
        outcomes = self.evaluates.evaluate(both, self.runs)
        self.evaluated += 1
        distances = distances_of(outcomes, self.aim, 1)
        nothing = np.zeros(distances.values.shape[1])
        score, _, _ = smooth(self.aim, distances, nothing, places_of(self.aim))
        cost = float(added_cost(outcomes)[1].mean())
        made = response.centred(outcomes, response.spent(values))
        return Tried(response.controls, tuple(values.tolist()), score, cost, made), outcomes

    def _refined(self, response: Response, budget: float, rounds: int = ROUNDS) -> list[Tried]:
        """Settings within the budget, each from a stand-in set right by the one before."""
        tried: list[Tried] = []
        start = None
        for _ in range(rounds):
            spent = best_spending(response, CAUTION * budget, start)
            values = response.settings(spent)
            if tried and np.array_equal(values, np.array(tried[-1].values)):
                break
            one, _ = self._run(response, values)
            tried.append(one)
            response, start = one.response, spent
        last = tried[-1]
        if last.cost > budget:  # less of everything
            shrunk = response.spent(np.array(last.values)) * (CAUTION * budget / last.cost)
            tried.append(self._run(response, response.settings(shrunk))[0])
        return tried

    def _equal(self, whole: Response) -> Tried:
        """The same sum on each lever, over all places."""
        spent = equal_parts(whole.most, CAUTION * self.budget)
        return self._fitted(whole, spent)

    def _single(self, whole: Response) -> Tried:
        """All on one lever: the best of them, by the runs searched with."""
        singles = np.diag(np.minimum(whole.most, CAUTION * self.budget))
        tried = [self._run(whole, whole.settings(spent))[0] for spent in singles]
        order = sorted(range(len(tried)), key=lambda k: -tried[k].score)
        k = order[0]
        return tried[k] if tried[k].cost <= self.budget else self._fitted(whole, singles[k])

    def _fitted(self, response: Response, spent: Floats) -> Tried:
        """Brought to the budget: levers together may cost other than each by itself."""
        for _ in range(ROUNDS):
            one, _ = self._run(response, response.settings(spent))
            if one.cost <= self.budget:
                return one
            spent = spent * (CAUTION * self.budget / one.cost)
        return one

    def _worth_splitting(self, whole: Response) -> list[Control]:
        """The levers that help most, each with what the budget buys of it."""
        nothing = whole.score(np.zeros(len(whole.most)))[0]
        gains = [whole.score(spent)[0] - nothing for spent in np.diag(whole.most)]
        order = sorted(range(len(gains)), key=lambda k: -gains[k])
        chosen = [self.wholes[k] for k in order[:MOST_SPLIT] if gains[k] > 0]
        return [control for control in chosen if len(control.places) > 1]

    def _judged(
        self,
        best: Tried,
        equal: Tried,
        single: Tried,
        front: Sequence[Tried],
        split: Sequence[Control],
    ) -> Optimum:
        """On held-out runs."""
        roles: list[tuple[Role, Tried | None]] = [
            ("present", None),
            ("best", best),
            ("equal spread", equal),
            ("best single lever", single),
            *(("front", one) for one in front),
        ]
        variants = [
            self.inputs if one is None else variant(self.inputs, one.settings) for _, one in roles
        ]
        searched = self.evaluates.evaluate(variants, self.runs)
        held = self.evaluates.evaluate(variants, range(self.runs, self.runs + self.confirm))
        before, after = self.aim.met(searched), self.aim.met(held)
        every = held.met().mean(axis=1)
        costs = added_cost(held)
        value = self.aim.value(after.mean(axis=1))
        paid = costs.mean(axis=1)
        settings = []
        for n, (role, one) in enumerate(roles):
            cheaper = (paid <= paid[n]) & (value >= value[n])
            better = (paid < paid[n]) | (value > value[n])
            settings.append(
                Setting(
                    role=role,
                    levers=[] if one is None else one.settings,
                    shares=[] if one is None else _shares(one),
                    searched=estimate(self.aim, before[n], self.seed),
                    held_out=estimate(self.aim, after[n], self.seed),
                    cost=mean_of(costs[n]),
                    goals=[
                        GoalShare(target=goal.split(".")[0], zone=goal.split(".")[1], probability=p)
                        for goal, p in zip(held.goals, every[n].tolist(), strict=True)
                    ],
                    efficient=not bool((cheaper & better).any()),
                )
            )
        optimism = settings[1].searched.value - settings[1].held_out.value
        width = _two_samples(self.aim, before[1], after[1])
        return Optimum(
            **origin(self.inputs),
            seed=self.seed,
            runs=self.runs,
            confirm=self.confirm,
            budget=self.budget,
            objective=self.aim.kind,
            goals=list(self.aim.goals),
            weights=list(self.aim.weights),
            levers=[control.lever.value for control in self.wholes],
            split=[control.lever.value for control in split],
            evaluated=self.evaluated,
            versions=versions(),
            settings=settings,
            over_equal=gap(self.aim, after[1], after[2], self.seed),
            over_single=gap(self.aim, after[1], after[3], self.seed),
            over_present=gap(self.aim, after[1], after[0], self.seed),
            optimism=optimism,
            optimism_low=max(optimism - width, -1.0),
            optimism_high=min(optimism + width, 1.0),
        )


def _shares(one: Tried) -> list[Share]:
    spent = one.response.spent(np.array(one.values))
    return [
        Share(
            lever=control.lever.value,
            kind=control.kind,
            place=control.part,
            value=value,
            present=control.low,
            cost=float(money),
        )
        for control, value, money in zip(one.controls, one.values, spent, strict=True)
        if value > control.low
    ]


def _two_samples(aim: Aim, first: Floats, second: Floats) -> float:
    """Half of the 95 % interval of a difference of two independent samples' objectives.

    Of the worst zone by the zone that is worst in the second sample.
    """
    from scipy.special import ndtri

    if aim.kind == "worst-zone":
        place = int(second.mean(axis=0).argmin())
        runs = [first[:, place], second[:, place]]
    else:
        runs = [first @ np.array(aim.weights), second @ np.array(aim.weights)]
    variance = sum(float(values.var(ddof=1)) / len(values) for values in runs)
    return float(ndtri(0.5 + CONFIDENCE / 2.0)) * math.sqrt(variance)
