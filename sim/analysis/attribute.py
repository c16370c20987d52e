"""How much each measure adds: Shapley values, over measures by permutations, over groups exactly.

The Shapley value of a player i is its marginal contribution v(S ∪ i) − v(S), averaged over all
orders in which the players may join (Shapley 1953). Here players are measures, or groups of them;
a coalition S is the plan with only these at work, and v(S) what a run of it ends with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from math import comb
from pathlib import Path

import numpy as np

from sim.analysis.attribution import Attribution, Shares, attribution_of
from sim.analysis.effects import with_lever
from sim.analysis.evaluation import Evaluator, Outcomes
from sim.blueprint import Floats
from sim.draws import Draws
from sim.economy import Lever
from sim.errors import RunError
from sim.executors import Workers
from sim.montecarlo import Progress, no_progress
from sim.plan import ALL_TARGETS, Plan
from sim.scenario import Inputs

Coalition = frozenset[str]
Asked = tuple[int, Coalition]  # a run, and who is at work in it
Worth = Callable[[Sequence[Asked]], Floats]  # what each ends with, (asked, columns)

RUNS = 150  # with two permutations, 23 measures in 6 groups: 16,000 runs, 13 minutes of a core
PERMUTATIONS = 2  # a run
BATCH = 8  # runs asked for at once, so that two cores are busy to the end
MOST_GROUPS = 10  # 1,024 coalitions


def orders(players: Sequence[str], permutations: int, seed: int, run: int) -> list[list[str]]:
    """A run's own random orders of the players, in pairs of an order and its reverse.

    A player that comes early in the one comes late in the other, which lowers the variance
    (antithetic sampling; Mitchell, Cooper, Frank and Holmes 2022). More permutations begin with
    the same ones.
    """
    found: list[list[str]] = []
    draws = Draws(seed, run)
    for pair in range(permutations // 2):
        luck = draws.uniform("order of players", pair, len(players))
        order = [players[place] for place in np.argsort(luck, kind="stable")]
        found += [order, order[::-1]]
    return found


def shapley_by_permutations(
    worth: Worth, players: Sequence[str], runs: range, permutations: int, seed: int
) -> Floats:
    """Each run's estimate of the Shapley values, (runs, players, columns).

    The mean over the run's permutations of v(those before i and i) − v(those before i). Along one
    permutation the differences telescope, so the players' values sum to v(all) − v(none) in each
    run, whatever was sampled. Runs are independent, so the standard error of their mean follows
    from their spread. Source: Castro, Gómez and Tejada (2009), Computers & Operations Research 36,
    1726-1730; pairs: Mitchell, Cooper, Frank and Holmes (2022), JMLR 23(43), 1-46.

    Args:
        worth: any function of coalitions; asked for a batch of runs at once.
        permutations: of each run; even.

    Raises:
        RunError: permutations that are not in pairs.
    """
    if permutations < 2 or permutations % 2:
        raise RunError(f"permutations: found {permutations}; they come in pairs: 2, 4, 6, …")
    shares: list[Floats] = []
    for start in range(runs.start, runs.stop, BATCH):
        batch = range(start, min(start + BATCH, runs.stop))
        found = {run: orders(players, permutations, seed, run) for run in batch}
        value = _ask(worth, [(r, c) for r in batch for order in found[r] for c in _growing(order)])
        for run in batch:
            added = {player: [] for player in players}  # type: dict[str, list[Floats]]
            for order in found[run]:
                steps = [value[run, coalition] for coalition in _growing(order)]
                for player, before, after in zip(order, steps, steps[1:], strict=False):
                    added[player].append(after - before)
            shares.append(np.array([np.mean(added[player], axis=0) for player in players]))
    return np.array(shares)


def shapley_exactly(worth: Worth, players: Sequence[str], runs: range) -> Floats:
    """Each run's Shapley values from all 2^players coalitions, (runs, players, columns).

    φ_i = Σ_{S without i} (v(S ∪ i) − v(S))/(n·C(n − 1, |S|)). Source: Shapley (1953).

    Raises:
        RunError: more than ten players.
    """
    count = len(players)
    if count > MOST_GROUPS:
        raise RunError(f"found {count} groups; at most {MOST_GROUPS} can be attributed exactly")
    every = [
        frozenset(chosen) for size in range(count + 1) for chosen in combinations(players, size)
    ]
    value = _ask(worth, [(run, coalition) for coalition in every for run in runs])
    shares = []
    for run in runs:
        rows = []
        for player in players:
            others = [coalition for coalition in every if player not in coalition]
            rows.append(
                sum(
                    (value[run, c | {player}] - value[run, c]) / (count * comb(count - 1, len(c)))
                    for c in others
                )
            )
        shares.append(rows)
    return np.array(shares)


def attribute(
    inputs: Inputs,
    *,
    runs: int = RUNS,
    permutations: int = PERMUTATIONS,
    seed: int = 1,
    out: Path | str | None = None,
    workers: int | Workers = 1,
    on_progress: Progress = no_progress,
) -> Attribution:
    """Each measure's and each group's share in every probability and every indicator's mean.

    The whole is the scenario against the same scenario with all its measures at intensity 0. All
    coalitions of a run meet the same luck and parameters. One set of runs serves all targets and
    zones.

    Args:
        inputs: a checked scenario.
        runs: parameters and luck to average over; at least 2.
        permutations: orders of the measures, drawn anew for each run; even.
        seed: of all draws, the orders included.
        out: keeps the runs, and takes up those that are there; none: nothing is kept.
        workers: processes, or where else to run; the result does not depend on it.
        on_progress: called with the number of runs done and needed.

    Raises:
        RunError: too few runs, odd permutations, a plan without measures or with more than ten
            groups of them; or see ``Evaluator``.
    """
    if runs < 2:
        raise RunError(f"--runs: found {runs}; at least 2, since one says nothing of its error")
    measures, groups = inputs.plan.measure_ids(), members(inputs.plan)
    if not measures:
        raise RunError("the plan has no measures, so there is nothing to attribute")
    needed = asked_in_all(inputs.plan, runs, permutations, seed)
    worth = PlanWorth(inputs, seed, out, workers, needed, on_progress)

    def of_groups(asked: Sequence[Asked]) -> Floats:
        return worth([(run, _joined(groups, names)) for run, names in asked])

    with worth.evaluator:
        by_group = shapley_exactly(of_groups, list(groups), range(runs))
        by_measure = shapley_by_permutations(worth, measures, range(runs), permutations, seed)
        ends = [
            worth([(run, coalition) for run in range(runs)])
            for coalition in (frozenset[str](), frozenset(measures))
        ]
    return attribution_of(
        inputs,
        Shares(
            without=ends[0],
            complete=ends[1],
            measures=dict(zip(measures, by_measure.transpose(1, 0, 2), strict=True)),
            groups=dict(zip(groups, by_group.transpose(1, 0, 2), strict=True)),
        ),
        permutations=permutations,
        seed=seed,
        made=worth.asked,
    )


def members(plan: Plan) -> dict[str, list[str]]:
    """The measures of each group that has any, both in the plan's order."""
    found = {
        group.id: [m.id for m in plan.measures if m.group == group.id] for group in plan.groups
    }
    return {group: measures for group, measures in found.items() if measures}


def asked_in_all(plan: Plan, runs: int, permutations: int, seed: int) -> int:
    """How many runs of the model an attribution needs.

    Raises:
        RunError: odd permutations.
    """
    asked: set[Asked] = set()

    def count(some: Sequence[Asked]) -> Floats:
        asked.update(some)
        return np.zeros((len(some), 1))

    groups = members(plan)
    shapley_by_permutations(count, plan.measure_ids(), range(runs), permutations, seed)
    shapley_exactly(
        lambda some: count([(run, _joined(groups, names)) for run, names in some]),
        list(groups),
        range(runs),
    )
    return len(asked)


class PlanWorth:
    """What runs of coalitions of measures end with; each is made once and remembered.

    Columns: for each goal (``target.zone``, and all of a zone's targets at once) whether it is
    met, 0 or 1; then for each its value at the deadline in the target's unit, of all targets at
    once the number that are met.
    """

    def __init__(
        self,
        inputs: Inputs,
        seed: int,
        out: Path | str | None,
        workers: int | Workers,
        needed: int,
        on_progress: Progress,
    ) -> None:
        self.evaluator = Evaluator(
            seed, out, workers, lambda done, _: on_progress(len(self._known) + done, needed)
        )
        self._inputs = inputs
        self._known: dict[Asked, Floats] = {}

    @property
    def asked(self) -> int:
        """Runs asked for so far, whether they were made now or had been kept."""
        return len(self._known)

    def __call__(self, asked: Sequence[Asked]) -> Floats:
        """The values, (asked, columns).

        Raises:
            RunError: see ``Evaluator.evaluate``.
        """
        new = [one for one in dict.fromkeys(asked) if one not in self._known]
        if new:
            self._evaluate(new)
        return np.array([self._known[one] for one in asked])

    def _evaluate(self, new: Sequence[Asked]) -> None:
        coalitions = list(dict.fromkeys(coalition for _, coalition in new))
        rows = {coalition: row for row, coalition in enumerate(coalitions)}
        first = min(run for run, _ in new)
        runs = range(first, max(run for run, _ in new) + 1)
        needed = np.zeros((len(coalitions), len(runs)), dtype=bool)
        for run, coalition in new:
            needed[rows[coalition], run - first] = True
        variants = [only(self._inputs, coalition) for coalition in coalitions]
        values = columns_of(self.evaluator.evaluate(variants, runs, needed))
        for run, coalition in new:
            self._known[run, coalition] = values[rows[coalition], run - first]


def only(inputs: Inputs, coalition: Coalition) -> Inputs:
    """The scenario with no measures at work but those of the coalition."""
    idle = [measure for measure in inputs.plan.measure_ids() if measure not in coalition]
    if not idle:
        return inputs
    return with_lever(inputs, Lever.MEASURE_INTENSITY, 0.0, measures=idle)


def columns_of(outcomes: Outcomes) -> Floats:
    """Goals met (0 or 1), then their values, (variants, runs, 2 · goals); see ``PlanWorth``."""
    met = outcomes.met().astype(float)
    values = np.empty_like(met)
    goals = [goal.split(".") for goal in outcomes.goals]
    for place, (target, zone) in enumerate(goals):
        if target == ALL_TARGETS:
            mine = [n for n, goal in enumerate(goals) if goal[1] == zone and n != place]
            values[:, :, place] = met[:, :, mine].sum(axis=2)
        else:
            values[:, :, place] = outcomes.column(f"{target}.{zone}")
    return np.concatenate([met, values], axis=2)


def _growing(order: Sequence[str]) -> list[Coalition]:
    """Nobody, the first of the order, the first two, … all."""
    return [frozenset(order[:count]) for count in range(len(order) + 1)]


def _ask(worth: Worth, asked: Sequence[Asked]) -> dict[Asked, Floats]:
    once = list(dict.fromkeys(asked))
    return dict(zip(once, worth(once), strict=True))


def _joined(groups: dict[str, list[str]], names: Coalition) -> Coalition:
    return frozenset(measure for name in names for measure in groups[name])
