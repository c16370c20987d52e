"""What each measure adds: values known from game theory, sums that are exact, work that is kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from sim.analysis.attribute import (
    Asked,
    Coalition,
    Worth,
    attribute,
    members,
    only,
    orders,
    shapley_by_permutations,
    shapley_exactly,
)
from sim.analysis.attribution import Attribution, Share, schema_text
from sim.analysis.average import Average, average
from sim.analysis.forecast import forecast
from sim.blueprint import Floats
from sim.cli import app
from sim.errors import RunError
from sim.report.attribution import attribution_chart
from sim.report.charts import save
from sim.runner import Runner

ROOT = Path(__file__).parents[1]
RUNS = 12


def game(value: Callable[[Coalition], float]) -> Worth:
    """A game whose value is the same in every run."""

    def worth(asked: Sequence[Asked]) -> Floats:
        return np.array([[value(coalition)] for _, coalition in asked])

    return worth


PLAYERS = ["a", "b", "c", "d"]
WAGES = {"a": 3.0, "b": -1.0, "c": 0.0, "d": 0.5}
additive = game(lambda who: sum(WAGES[player] for player in who))
gloves = game(lambda who: float("a" in who and ("b" in who or "c" in who)))
both_of_a_b = game(lambda who: float({"a", "b"} <= who))
all_of_a_b_c = game(lambda who: float({"a", "b", "c"} <= who))


# Values known from game theory


def test_in_an_additive_game_everybody_gets_what_he_brings() -> None:
    wages = np.array([WAGES[player] for player in PLAYERS])
    for shares in (
        shapley_exactly(additive, PLAYERS, range(2)),
        shapley_by_permutations(additive, PLAYERS, range(2), 2, seed=1),
    ):
        assert shares.shape == (2, 4, 1)
        assert shares[:, :, 0] == pytest.approx(np.tile(wages, (2, 1)), abs=1e-12)


@pytest.mark.parametrize(
    ("worth", "values"),
    [
        (gloves, [2 / 3, 1 / 6, 1 / 6, 0]),  # one left glove, two right ones, one empty hand
        (both_of_a_b, [1 / 2, 1 / 2, 0, 0]),  # unanimity games
        (all_of_a_b_c, [1 / 3, 1 / 3, 1 / 3, 0]),
    ],
)
def test_glove_and_unanimity_games_have_their_known_values(
    worth: Worth, values: list[float]
) -> None:
    exact = shapley_exactly(worth, PLAYERS, range(1))[0, :, 0]
    assert exact == pytest.approx(values, abs=1e-12)
    shares = shapley_by_permutations(worth, PLAYERS, range(600), 2, seed=1)[:, :, 0]
    assert shares.sum(axis=1) == pytest.approx(np.full(600, 1.0), abs=1e-12)
    for player, value in enumerate(values):
        found = average(shares[:, player])
        assert abs(found.mean - value) <= 4 * found.error + 1e-12


def test_an_order_and_its_reverse_settle_a_game_of_two_by_themselves() -> None:
    shares = shapley_by_permutations(both_of_a_b, PLAYERS, range(20), 2, seed=1)
    assert shares[:, :2, 0] == pytest.approx(np.full((20, 2), 0.5), abs=1e-12)
    found = orders(PLAYERS, 6, seed=1, run=3)
    assert [order[::-1] for order in found[::2]] == found[1::2]
    assert orders(PLAYERS, 2, seed=1, run=3) == found[:2]
    assert {tuple(orders(PLAYERS, 2, 1, run)[0]) for run in range(9)} > {tuple(found[0])}


def test_groups_are_players_of_a_game_of_their_own() -> None:
    groups = {"left": ["a"], "right": ["b", "c"], "empty": ["d"]}

    def by_group(asked: Sequence[Asked]) -> Floats:
        return gloves([(r, frozenset(m for g in who for m in groups[g])) for r, who in asked])

    shares = shapley_exactly(by_group, list(groups), range(1))[0, :, 0]
    assert shares == pytest.approx([1 / 2, 1 / 2, 0])  # not 2/3 and 1/6 + 1/6


def test_each_run_is_a_game_of_its_own() -> None:
    def worth(asked: Sequence[Asked]) -> Floats:
        return np.array([[float(run * len(who)), 1.0] for run, who in asked])

    shares = shapley_by_permutations(worth, PLAYERS, range(5, 25), 2, seed=1)
    assert np.array_equal(shares[:, :, 0], np.repeat(np.arange(5.0, 25)[:, None], 4, axis=1))
    assert (shares[:, :, 1] == 0).all()


def test_too_many_groups_and_odd_permutations_are_refused() -> None:
    with pytest.raises(RunError, match="found 11 groups"):
        shapley_exactly(additive, [str(n) for n in range(11)], range(1))
    with pytest.raises(RunError, match="they come in pairs"):
        shapley_by_permutations(additive, PLAYERS, range(1), 3, seed=1)


def test_an_average_admits_what_so_few_runs_could_have_missed() -> None:
    nothing = average(np.zeros(100), step=1.0)
    assert nothing.mean == nothing.error == 0
    assert 0.02 < nothing.high == -nothing.low < 0.04  # rule of three: 3/100
    assert average(np.full(9, 2.0)).high == 2.0
    values = np.arange(10.0)
    assert average(values).error == pytest.approx(values.std(ddof=1) / 10**0.5)
    assert average(values, step=1.0).high > average(values).high


# The plan of a district


@pytest.fixture(scope="module")
def found(small: Runner) -> Attribution:
    return attribute(small.inputs, runs=RUNS, seed=1)


def shares_in(shares: list[Share], target: str, zone: str) -> list[Share]:
    return [share for share in shares if (share.target, share.zone) == (target, zone)]


def test_the_shares_sum_to_what_all_measures_do(found: Attribution) -> None:
    moved = 0
    for whole in found.wholes:
        for shares in (found.measures, found.groups):
            own = shares_in(shares, whole.target, whole.zone)
            total = sum(share.probability.mean for share in own)
            assert total == pytest.approx(whole.probability.mean, abs=1e-12)
            total = sum(share.value.mean for share in own)
            assert total == pytest.approx(whole.value.mean, abs=1e-9)
            moved += abs(total) > 0.1
        change = whole.complete.probability - whole.without.probability
        assert change == pytest.approx(whole.probability.mean, abs=1e-12)
    assert moved > 10


def test_the_whole_is_the_plan_that_a_forecast_tells_of(
    found: Attribution, small: Runner, tmp_path: Path
) -> None:
    results = forecast(small.inputs, runs=RUNS, seed=1, out=tmp_path).results
    said = {(row.target, row.zone): row for row in results.itertuples()}
    assert [(whole.target, whole.zone) for whole in found.wholes] == list(said)
    for whole in found.wholes:
        row = said[whole.target, whole.zone]
        assert whole.complete.probability == row.probability
        assert whole.threshold == row.threshold
    everybody = frozenset(small.inputs.plan.measure_ids())
    assert only(small.inputs, everybody) is small.inputs
    groups = members(small.inputs.plan)
    assert sorted(m for own in groups.values() for m in own) == sorted(everybody)


def test_two_seeds_do_not_contradict_each_other(found: Attribution, small: Runner) -> None:
    other = attribute(small.inputs, runs=RUNS, seed=2)

    def averages(one: Attribution) -> list[Average]:
        parts = [*one.wholes, *one.groups, *one.measures]
        return [average for part in parts for average in (part.probability, part.value)]

    apart = []
    for one, two in zip(averages(found), averages(other), strict=True):
        reach = np.hypot(one.high - one.mean, two.high - two.mean)
        apart.append(abs(one.mean - two.mean) / reach if reach else float(one.mean != two.mean))
    assert 0 < max(apart) < 2
    assert np.mean(np.array(apart) > 1) < 0.05


def test_what_was_stopped_goes_on_and_gives_the_same(
    found: Attribution, small: Runner, tmp_path: Path
) -> None:
    done: list[tuple[int, int]] = []

    def stop(now: int, total: int) -> None:
        done.append((now, total))
        if now >= 60:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        attribute(small.inputs, runs=RUNS, seed=1, out=tmp_path, on_progress=stop)
    again: list[tuple[int, int]] = []
    rest = attribute(
        small.inputs,
        runs=RUNS,
        seed=1,
        out=tmp_path,
        workers=2,
        on_progress=lambda *now: again.append(now),
    )
    assert rest == found
    assert done[0][0] == 0
    assert again[0][0] >= 48
    assert again[-1] == (found.evaluations, found.evaluations)


# The command


def invoke(*words: object) -> Any:
    return CliRunner().invoke(app, ["attribute", *map(str, words)])


def test_the_command_writes_what_it_shows(small_scenario: Path, tmp_path: Path) -> None:
    options = ["--runs", "3", "--workers", "1", "--out", tmp_path / "a"]
    done = invoke(small_scenario, *options, "--target", "battery_output", "--zone", "airfield")
    assert done.exit_code == 0, done.output
    assert "Output of batteries, Airfield" in " ".join(done.stdout.split())
    record = (tmp_path / "a" / "attribution.json").read_text("utf-8")
    found = Attribution.model_validate_json(record)
    assert (found.runs, found.permutations, found.seed) == (3, 2, 1)
    assert set(found.model_dump()) == set(json.loads(schema_text())["properties"])
    rows = (tmp_path / "a" / "shares.csv").read_text("utf-8").splitlines()
    assert len(rows) == 1 + len(found.groups) + len(found.measures)
    charts = sorted(file.name for file in (tmp_path / "a" / "charts").iterdir())
    assert charts == [f"attribution-battery_output-airfield.{kind}" for kind in ("png", "svg")]
    done = invoke(small_scenario, *options, "--no-charts", "--lang", "en")
    assert done.exit_code == 0, done.output
    assert "Start-up desk" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--target", "battery_outpt"], "did you mean 'battery_output'?"),
        (["--zone", "airfeld"], "did you mean 'airfield'?"),
        (["--zone", "airfield", "--target", "pilot_projects"], "has no part in target"),
        (["--runs", "1"], "at least 2"),
        (["--permutations", "5"], "they come in pairs"),
    ],
)
def test_what_is_asked_wrongly_is_said_before_anything_is_made(
    small_scenario: Path, tmp_path: Path, options: list[str], message: str
) -> None:
    done = invoke(small_scenario, "--out", tmp_path / "a", *options)
    assert done.exit_code == 2
    assert message in done.output
    assert not (tmp_path / "a").exists()


def test_a_plan_without_measures_has_nothing_to_attribute(
    small_scenario: Path, variant: Callable[..., Path], tmp_path: Path
) -> None:
    empty = variant(small_scenario, plan=lambda plan: plan.update(measures=[]))
    done = invoke(empty, "--out", tmp_path / "a")
    assert done.exit_code == 2
    assert "no measures" in done.output


@pytest.mark.parametrize("language", ["zh", "en", "both"])
def test_the_waterfall_has_a_step_for_each_group_and_measure(
    found: Attribution, small: Runner, tmp_path: Path, language: Any
) -> None:
    plan = small.inputs.plan
    chart = attribution_chart(found, "all", "district", plan, language=language)
    bars = [len(axes.patches) for axes in chart.axes[1:]]
    assert bars == [len(plan.groups)] * 2 + [len(plan.measures)] * 2
    assert save(chart, tmp_path / "chart", ("png",))[0].exists()


def test_the_page_documents_every_field() -> None:
    page = (ROOT / "docs" / "attribute.md").read_text(encoding="utf-8")
    for record in (Attribution, *json.loads(schema_text())["$defs"].items()):
        fields = Attribution.model_fields if record is Attribution else record[1]["properties"]
        if record is Attribution or record[0] in ("Whole", "Share", "Average", "Chance"):
            assert all(f"`{field}`" in page for field in fields)
