"""The least setting of levers with which a target is met as likely as asked.

One lever is raised from what holds to its bound. Of several the mix of least cost is sought on a
smooth stand-in (``response``) and then raised in proportion, on to all levers' bounds, so that the
answer is one point of a path either way and is read from runs of the model (``crossing``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sim.analysis.aims import Aim, single_aim
from sim.analysis.allocation import best_spending, least_budget
from sim.analysis.controls import (
    Control,
    control_of,
    lever_of,
    listed,
    settings_of,
    variant,
    write_answer,
)
from sim.analysis.crossing import GRID, Crossing, cross
from sim.analysis.estimates import estimate, mean_of
from sim.analysis.evaluation import Flags
from sim.analysis.marginal import affordable, cost_curves, evaluating, respond
from sim.analysis.optimise import LEVELS, check_runs
from sim.analysis.requirement import Alone, Checked, Dose, Level, Requirement, Status, Verdict
from sim.analysis.response import Response, added_cost
from sim.analysis.summary import origin, versions
from sim.blueprint import Floats
from sim.errors import RunError, plain
from sim.executors import Workers
from sim.figures import Name
from sim.montecarlo import Progress, no_progress
from sim.plan import DISTRICT
from sim.scenario import Inputs

if TYPE_CHECKING:
    from sim.analysis.outputs import Evaluates

ROUNDS = 2  # of setting the stand-in right
Path_ = Callable[[float], Floats]  # from a place, 0 to 1, to lever values


def require(
    inputs: Inputs,
    *,
    target: str,
    probability: float,
    levers: Iterable[str],
    zone: str = DISTRICT,
    zones: Iterable[str] = (),
    runs: int = 400,
    confirm: int = 500,
    seed: int = 1,
    out: Path | str | None = None,
    workers: int | Workers = 1,
    on_progress: Progress = no_progress,
    evaluator: Evaluates | None = None,
) -> Requirement:
    """Say how much of one lever, or which mix of several at least cost, is enough.

    Args:
        target, zone: what is to be met; ``all`` and ``district`` for the whole.
        probability: the level, between 0 and 1.
        levers: names; they are raised only, up to their bounds.
        zones: where they are set; none: everywhere.
        runs: of each setting while searching, numbers 0 to ``runs`` − 1.
        confirm: held-out runs, the numbers after those.
        out: keeps the runs, see ``Evaluator``.
        evaluator: what makes the runs in place of the model.

    Raises:
        RunError: an unknown name, a number out of range, or a directory that cannot be used.
    """
    if not 0 < probability < 1:
        raise RunError(f"--probability: found {plain(probability)}; allowed: between 0 and 1")
    aim = single_aim(inputs, target, zone)
    names = listed(levers)
    if not names:
        raise RunError("--lever: none is named; name at least one")
    where = listed(zones)
    controls = [control_of(inputs, lever_of(name), where) for name in names]
    for control in controls:
        if control.low >= control.high:
            raise RunError(
                f"--lever: {control.name!r} stands at its upper bound {plain(control.high)} already"
            )
    check_runs(runs, confirm)
    looks = GRID + 8
    expected = looks * runs + 3 * confirm
    if len(controls) > 1:
        expected += len(controls) * (2 * runs + 30) + (ROUNDS + 1) * runs
    with evaluating(evaluator, seed, out, workers, on_progress, expected) as evaluates:
        search = _Search(inputs, aim, controls, probability, runs, confirm, seed, evaluates)
        return search.answer(where)


def write_requirement(found: Requirement, inputs: Inputs, folder: Path) -> list[Path]:
    """``require.yaml``, the scenario of the answer, and ``require.json``, each whole.

    Out of reach the scenario is the setting that gives most.

    Raises:
        OSError: the disk does not take one.
    """
    name, level = inputs.scenario.name, f"{100 * found.probability:.10g} %"
    goal = f"{found.target}.{found.zone}"
    most = found.status == "out of reach"
    return write_answer(
        found,
        inputs,
        found.answer.levers,
        folder,
        stem="require",
        suffix="required",
        name=Name(
            zh=f"{name.zh}：{'最大力度，仍不到' if most else '最小力度，达到'} {level}",
            en=f"{name.en}: {'most that is allowed, short of' if most else 'enough for'} {level}",
        ),
        question=Name(
            zh=f"要使 {goal} 的达成概率达到 {level}，至少需要多大力度？",
            en=f"How much is needed for {goal} to be met with {level}?",
        ),
    )


class _Search:
    """One question, and the settings run so far."""

    def __init__(
        self,
        inputs: Inputs,
        aim: Aim,
        controls: Sequence[Control],
        probability: float,
        runs: int,
        confirm: int,
        seed: int,
        evaluates: Evaluates,
    ) -> None:
        self.inputs, self.aim, self.controls = inputs, aim, controls
        self.probability, self.runs, self.confirm, self.seed = probability, runs, confirm, seed
        self.evaluates = evaluates
        self.costs: dict[float, float] = {}

    def answer(self, zones: list[str]) -> Requirement:
        path, alone = self._path()
        values = _rounded(path, self.controls)

        def met_at(places: list[float]) -> Flags:
            variants = [self.inputs, *(self._variant(values(place)) for place in places)]
            outcomes = self.evaluates.evaluate(variants, self.runs)
            spent = added_cost(outcomes).mean(axis=1)[1:].tolist()
            self.costs |= dict(zip(places, spent, strict=True))
            return self.aim.met(outcomes)[1:, :, 0]

        crossing = cross(met_at, self.probability, self.seed)
        status: Status = "out of reach" if crossing.place is None else "reached"
        if crossing.place == 0.0:
            status = "already reached"
        place = crossing.peak if crossing.place is None else crossing.place
        checked = [values(place)]
        if status == "reached" and crossing.high is not None:
            checked.append(values(crossing.high))
        found = self._checked(checked)
        verdict: Verdict = "not asked"
        if status != "out of reach":
            below = found[0].held_out.high < self.probability
            verdict = "contradicted" if below else "confirmed"
        return Requirement(
            **origin(self.inputs),
            seed=self.seed,
            runs=self.runs,
            confirm=self.confirm,
            target=self.aim.goals[0].split(".")[0],
            zone=self.aim.goals[0].split(".")[1],
            probability=self.probability,
            status=status,
            doses=self._doses(crossing, values, zones),
            answer=found[0],
            sure=found[1] if len(found) > 1 else None,
            verdict=verdict,
            reach=crossing.reach,
            falls=crossing.falls,
            reached=crossing.reached,
            levels=[
                Level(
                    place=at,
                    values=values(at).tolist(),
                    cost=self.costs[at],
                    probability=share,
                    fitted=fitted,
                )
                for at, share, fitted in zip(
                    crossing.places.tolist(),
                    crossing.shares.tolist(),
                    crossing.fitted.tolist(),
                    strict=True,
                )
            ],
            alone=alone,
            versions=versions(),
        )

    def _variant(self, values: Floats) -> Inputs:
        return variant(self.inputs, settings_of(self.controls, values.tolist()))

    def _path(self) -> tuple[Path_, list[Alone]]:
        """From what holds to the most: of one lever evenly, of several by the cheapest mix."""
        lows = np.array([control.low for control in self.controls])
        highs = np.array([control.high for control in self.controls])
        if len(self.controls) == 1:
            return lambda place: lows + place * (highs - lows), []
        curves = cost_curves(self.evaluates, self.inputs, self.controls)
        levels = affordable(*curves, np.inf, LEVELS)
        response = respond(self.evaluates, self.inputs, self.aim, self.controls, levels, self.runs)
        alone = [
            Alone(lever=control.lever.value, cost=least_budget(response, self.probability, k))
            for k, control in enumerate(self.controls)
        ]
        mix = self._mix(response)
        for _ in range(ROUNDS):
            reached = response.settings(mix)
            both = [self.inputs, self._variant(reached)]
            outcomes = self.evaluates.evaluate(both, self.runs)
            response = response.centred(outcomes, response.spent(reached))
            mix = self._mix(response)
        middle = np.array(
            [
                np.interp(money, spends, values)
                for money, spends, values in zip(mix, response.spends, response.values, strict=True)
            ]
        )

        def path(place: float) -> Floats:
            if place <= 0.5:
                spent = 2.0 * place * mix
                return np.array(
                    [
                        np.interp(money, spends, values)
                        for money, spends, values in zip(
                            spent, response.spends, response.values, strict=True
                        )
                    ]
                )
            return np.asarray(middle + (2.0 * place - 1.0) * (highs - middle))

        return path, alone

    def _mix(self, response: Response) -> Floats:
        """What to spend on each lever: the least that does, or else what gives most."""
        budget = least_budget(response, self.probability)
        if budget is None:
            budget = response.predicted_cost(response.most)
        return best_spending(response, budget)

    def _doses(self, crossing: Crossing, values: Path_, zones: list[str]) -> list[Dose]:
        found = []
        for k, control in enumerate(self.controls):

            def at(place: float | None, k: int = k) -> float | None:
                return None if place is None else float(values(place)[k])

            found.append(
                Dose(
                    lever=control.lever.value,
                    zones=zones,
                    present=control.low,
                    bound=control.high,
                    value=at(crossing.place),
                    low=at(crossing.low),
                    high=at(crossing.high),
                )
            )
        return found

    def _checked(self, settings: Sequence[Floats]) -> list[Checked]:
        """On held-out runs, beside the scenario itself."""
        variants = [self.inputs, *(self._variant(values) for values in settings)]
        searched = self.aim.met(self.evaluates.evaluate(variants, self.runs))
        outcomes = self.evaluates.evaluate(variants, range(self.runs, self.runs + self.confirm))
        held, costs = self.aim.met(outcomes), added_cost(outcomes)
        return [
            Checked(
                levers=settings_of(self.controls, values.tolist()),
                values=values.tolist(),
                searched=estimate(self.aim, searched[n], self.seed),
                held_out=estimate(self.aim, held[n], self.seed),
                cost=mean_of(costs[n]),
            )
            for n, values in enumerate(settings, start=1)
        ]


def _rounded(path: Path_, controls: Sequence[Control]) -> Path_:
    """On the levers' steps, upwards: an answer must be enough."""

    def values(place: float) -> Floats:
        pairs = zip(controls, path(place), strict=True)
        return np.array([control.rounded(float(value), up=True) for control, value in pairs])

    return values
