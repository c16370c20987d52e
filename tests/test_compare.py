"""Scenarios beside a base: paired by run, zero where nothing differs, sure where it says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from sim.analysis.compare import (
    Comparison,
    Cost,
    Difference,
    Side,
    Verdict,
    compare,
    schema_text,
    write_comparison,
)
from sim.analysis.effects import with_lever
from sim.analysis.evaluation import TOTAL
from sim.analysis.forecast import forecast
from sim.analysis.paired import (
    difference_interval,
    mean_and_error,
    mean_interval,
    ratio_interval,
)
from sim.analysis.record import read_record
from sim.cli import app
from sim.economy import Lever
from sim.errors import ScenarioError
from sim.plan import DISTRICT
from sim.report.difference import difference_chart, zones_chart
from sim.report.difference_table import mean_text, price_words, sentences, signed
from sim.runner import Runner
from sim.scenario import Inputs, changed, read_scenario

ROOT = Path(__file__).parents[1]
RUNS, SEED = 60, 1
STRONG = Lever.SCENARIO_FUNDING


@pytest.fixture(scope="module")
def what_if(small: Runner) -> Inputs:
    """Funding of application scenarios at its upper bound."""
    return with_lever(small.inputs, STRONG, small.inputs.economy.levers[STRONG].high)


@pytest.fixture(scope="module")
def found(small: Runner, what_if: Inputs) -> Comparison:
    return compare(small.inputs, [what_if, small.inputs], runs=RUNS, seed=SEED)


def rows(found: Comparison, number: int = 0) -> dict[tuple[str, str], Difference]:
    return {(row.target, row.zone): row for row in found.what_ifs[number].differences}


# The paired interval


@pytest.mark.parametrize(
    ("gained", "lost", "runs", "low", "high"),
    [
        (1, 7, 21, -0.517, -0.026),  # Bentur et al. (2009) in Fagerland, Lydersen and Laake (2014)
        (6, 16, 161, -0.1240, -0.0054),  # Cavo et al. (2012) in the R package contingencytables
        (20, 60, 1000, -0.0584, -0.0231),  # the R package PropCIs, scoreci.mp
    ],
)
def test_the_paired_interval_is_the_published_one(
    gained: int, lost: int, runs: int, low: float, high: float
) -> None:
    assert difference_interval(gained, lost, runs) == pytest.approx((low, high), abs=5e-4)


def test_pairs_that_never_differ_leave_the_interval_of_the_score_test() -> None:
    z2, runs = 1.959964**2, 500
    low, high = difference_interval(0, 0, runs)
    assert (-low, high) == pytest.approx([z2 / (runs + z2)] * 2, rel=1e-6)


def test_pairs_that_all_differ_leave_one_end_open() -> None:
    z2, runs = 1.959964**2, 50
    assert difference_interval(runs, 0, runs) == pytest.approx(((runs - z2) / (runs + z2), 1.0))
    assert difference_interval(0, runs, runs)[0] == -1.0


@pytest.mark.parametrize("gained", [0, 1, 5, 30])
@pytest.mark.parametrize("lost", [0, 2, 17])
def test_the_paired_interval_holds_the_estimate_and_mirrors(gained: int, lost: int) -> None:
    low, high = difference_interval(gained, lost, 60)
    assert -1 <= low < (gained - lost) / 60 < high <= 1
    assert difference_interval(lost, gained, 60) == pytest.approx((-high, -low), abs=1e-9)
    wide = difference_interval(gained, lost, 60, 0.999)
    assert wide[0] < low < high < wide[1]


def test_the_paired_interval_covers_in_95_of_100_trials() -> None:
    chance = np.random.default_rng(5)
    trials, gain, loss, runs = 2000, 0.06, 0.02, 300
    counts = chance.multinomial(runs, [gain, loss, 1 - gain - loss], trials)
    intervals = [difference_interval(int(g), int(x), runs) for g, x, _ in counts]
    covered = np.mean([low <= gain - loss <= high for low, high in intervals])
    assert 0.93 < covered < 0.97


def test_the_price_of_a_point_covers_in_95_of_100_trials() -> None:
    chance = np.random.default_rng(6)
    hits = []
    for _ in range(1000):
        gain = chance.choice([1, 0, -1], 300, p=[0.2, 0.75, 0.05])
        cost = 3.0 + gain + chance.normal(size=300)
        bounds = ratio_interval(cost, 100 * gain.astype(np.int8))
        assert bounds is not None
        hits.append(bounds[0] <= (3.0 + 0.15) / 15 <= bounds[1])
    assert 0.93 < np.mean(hits) < 0.97


def test_the_price_of_a_gain_that_may_be_none_is_no_interval() -> None:
    gain = np.array([1, -1, 1, -1, 0, 0], dtype=np.int8)
    assert ratio_interval(np.ones(6), gain) is None
    assert ratio_interval(np.ones(1), gain[:1]) is None


def test_one_run_says_nothing_about_a_mean() -> None:
    mean, error = mean_and_error(np.array([2.0]))
    assert (mean, np.isnan(error)) == (2.0, True)
    assert mean_interval(mean, error, 1, 0.95) == (-np.inf, np.inf)
    values = np.array([1.0, 2.0, 4.0])
    mean, error = mean_and_error(values)
    assert error == pytest.approx(values.std(ddof=1) / np.sqrt(3))
    assert mean_interval(mean, error, 3, 0.95)[1] == pytest.approx(mean + 4.302653 * error)


# A comparison


def test_a_scenario_beside_itself_differs_nowhere(found: Comparison) -> None:
    itself = found.what_ifs[1]
    assert itself.same
    for row in itself.differences:
        zeros = (row.difference, row.low, row.high, row.gained, row.lost, row.value, row.error)
        assert not any((*zeros, row.q05, row.q50, row.q95))
        assert row.base == row.what_if
        assert (row.verdict, row.value_verdict) == (Verdict.UNCLEAR, Verdict.UNCLEAR)
        assert row.cost == Cost.NO_RISE
    for cost in itself.costs:
        assert not any((cost.difference, cost.error, cost.q05, cost.q50, cost.q95))
    assert {zone.side for zone in itself.zones} == {Side.UNCLEAR}


def test_another_name_is_no_difference(small: Runner) -> None:
    renamed = changed(small.inputs, id="other_name")
    (other,) = compare(small.inputs, [renamed], runs=2, seed=SEED).what_ifs
    assert other.same
    assert other.scenario.id == "other_name"


def test_probabilities_are_those_of_two_forecasts(
    small: Runner, what_if: Inputs, found: Comparison, tmp_path: Path
) -> None:
    for inputs, name in ((small.inputs, "base"), (what_if, "what_if")):
        answer = forecast(inputs, runs=RUNS, seed=SEED, out=tmp_path / name)
        compared = rows(found)
        assert len(compared) == len(answer.results)
        for _, row in answer.results.iterrows():
            mine = compared[row["target"], row["zone"]].model_dump()
            bounds = (mine[name], mine[f"{name}_low"], mine[f"{name}_high"])
            assert bounds == (row["probability"], row["low"], row["high"])


def test_differences_are_those_of_the_single_runs(
    small: Runner, what_if: Inputs, found: Comparison
) -> None:
    target = small.inputs.plan.targets[0]
    runners = [Runner(inputs, SEED) for inputs in (small.inputs, what_if)]
    column = runners[0].series_columns.index(f"{target.id}.{DISTRICT}")
    due = small.blueprint.months().index(target.deadline)
    outcomes = [[runner.run(run) for run in range(RUNS)] for runner in runners]
    ends = np.array(
        [[o.series.reshape(len(o.series), -1)[due, column] for o in x] for x in outcomes]
    )
    change = ends[1] - ends[0]
    met = target.met(ends, target.threshold.value)
    row = rows(found)[target.id, DISTRICT]
    assert row.value == pytest.approx(change.mean())
    assert (row.q05, row.q50, row.q95) == pytest.approx(np.quantile(change, [0.05, 0.5, 0.95]))
    assert row.gained == np.sum(met[1] & ~met[0])
    assert row.lost == np.sum(met[0] & ~met[1])
    assert row.difference == pytest.approx(row.what_if - row.base)
    added = np.subtract(*[[o.costs.sum() for o in x] for x in outcomes[::-1]])
    total = next(c for c in found.what_ifs[0].costs if (c.item, c.zone) == (TOTAL, DISTRICT))
    assert total.difference == pytest.approx(added.mean())
    assert total.error == pytest.approx(added.std(ddof=1) / np.sqrt(RUNS))


def test_a_strong_lever_serves_somebody_and_costs(found: Comparison) -> None:
    what_if = found.what_ifs[0]
    assert any(zone.side == Side.GAINS for zone in what_if.zones)
    costs = {(cost.item, cost.zone): cost for cost in what_if.costs}
    assert costs[STRONG.value, DISTRICT].q05 > 0
    for zone in {cost.zone for cost in what_if.costs}:
        items = [
            cost.difference for (item, at), cost in costs.items() if at == zone and item != TOTAL
        ]
        assert sum(items) == pytest.approx(costs[TOTAL, zone].difference)


def test_a_point_has_a_price_only_where_the_probability_is_told_to_rise(found: Comparison) -> None:
    priced = [row for row in found.what_ifs[0].differences if row.cost == Cost.TOLD]
    assert priced
    for row in found.what_ifs[0].differences:
        assert (row.cost == Cost.TOLD) == (row.cost_per_point is not None)
    for row in priced:
        assert row.low > 0
        assert row.cost_low is not None
        assert row.cost_high is not None
        assert row.cost_per_point is not None
        assert row.cost_low <= row.cost_per_point <= row.cost_high
        (total,) = [c for c in found.what_ifs[0].costs if (c.item, c.zone) == (TOTAL, DISTRICT)]
        assert row.cost_per_point * 100 * row.difference == pytest.approx(total.difference)


def test_two_seeds_agree_within_their_intervals(small: Runner, what_if: Inputs) -> None:
    one, two = (rows(compare(small.inputs, [what_if], runs=RUNS, seed=seed)) for seed in (11, 12))
    apart = []
    for place, row in one.items():
        other = two[place]
        assert row.low <= other.high
        assert other.low <= row.high
        assert row.error is not None
        assert other.error is not None
        error = np.hypot(row.error, other.error)
        if error:
            apart.append((row.value - other.value) / error)
    assert len(apart) > 10
    # Normal where both estimate the same; values of one run go together, so a few may be large.
    assert np.max(np.abs(apart)) < 4
    assert np.std(apart) < 2


def test_swapped_scenarios_change_the_signs_alone(small: Runner, what_if: Inputs) -> None:
    there = rows(compare(small.inputs, [what_if], runs=12, seed=SEED))
    back = rows(compare(what_if, [small.inputs], runs=12, seed=SEED))
    for place, row in there.items():
        assert back[place].difference == -row.difference
        assert back[place].value == pytest.approx(-row.value)
        assert (back[place].low, back[place].high) == pytest.approx((-row.high, -row.low))


# Refused


@pytest.mark.parametrize(
    ("kind", "change", "said"),
    [
        ("plan", lambda plan: plan["targets"][0].update(threshold=77), "targets"),
        ("plan", lambda plan: plan["measures"].pop(), "measures"),
        ("economy", lambda economy: economy.update(name={"zh": "别", "en": "Other"}), "name"),
    ],
)
def test_another_plan_or_economy_is_refused_with_what_differs(
    small_scenario: Path,
    variant: Callable[..., Path],
    kind: str,
    change: Callable[[dict[str, Any]], object],
    said: str,
) -> None:
    base, other = variant(small_scenario), variant(small_scenario, **{kind: change})
    with pytest.raises(
        ScenarioError, match=rf"cannot be compared with .* another {kind} \({said}\)"
    ):
        compare(read_scenario(base), [read_scenario(other)], runs=1, seed=1)


def test_another_end_of_the_plan_is_refused(
    small_scenario: Path, variant: Callable[..., Path]
) -> None:
    longer = variant(small_scenario, scenario=lambda scenario: scenario.update(plan_end="2027-06"))
    with pytest.raises(ScenarioError, match=r"another plan \(end, targets\)"):
        compare(read_scenario(small_scenario), [read_scenario(longer)], runs=1, seed=1)


# What the command leaves


def asks(variant: Callable[..., Path], small_scenario: Path, inputs: Inputs) -> tuple[Path, Path]:
    """The base and a strong what-if as files."""
    high = inputs.economy.levers[STRONG].high

    def pull(scenario: dict[str, Any]) -> None:
        scenario |= {"id": "strong", "levers": [{"lever": STRONG.value, "value": high}]}

    return variant(small_scenario), variant(small_scenario, scenario=pull)


def test_the_command_leaves_record_tables_and_charts_and_goes_on(
    small_scenario: Path, small: Runner, variant: Callable[..., Path], tmp_path: Path
) -> None:
    files = [str(file) for file in asks(variant, small_scenario, small.inputs)]
    out = tmp_path / "out"
    options = ["--out", str(out), "--workers", "1"]
    said = CliRunner().invoke(app, ["compare", *files, "--runs", "10", *options, "--no-charts"])
    assert said.exit_code == 0, said.output
    stamps = {file: file.stat().st_mtime_ns for file in (out / "evaluations").iterdir()}
    said = CliRunner().invoke(app, ["compare", *files, "--runs", "12", *options])
    assert said.exit_code == 0, said.output
    assert {file: file.stat().st_mtime_ns for file in stamps} == stamps
    assert "12 runs of each, seed 1" in " ".join(said.output.split())

    found = Comparison.model_validate_json((out / "compare.json").read_text())
    assert found.runs == 12
    assert [what_if.scenario.id for what_if in found.what_ifs] == ["strong"]
    table = pd.read_csv(out / "differences.csv")
    assert len(table) == len(found.what_ifs[0].differences)
    assert set(table["runs"]) == {12}
    assert table["difference"].tolist() == [r.difference for r in found.what_ifs[0].differences]
    assert len(pd.read_csv(out / "costs.csv")) == len(found.what_ifs[0].costs)
    names = [f"{kind}-1-strong.{end}" for kind in ("difference", "zones") for end in ("png", "svg")]
    assert sorted(file.name for file in (out / "charts").iterdir()) == sorted(names)


def test_the_command_refuses_another_plan_with_status_2(
    small_scenario: Path, real_scenario: Path, tmp_path: Path
) -> None:
    files = [str(small_scenario), str(real_scenario)]
    said = CliRunner().invoke(app, ["compare", *files, "--out", str(tmp_path / "out")])
    assert said.exit_code == 2
    assert "ScenarioError" in said.output
    assert not (tmp_path / "out").exists()


def test_the_record_reads_back_and_has_a_schema(found: Comparison, tmp_path: Path) -> None:
    files = write_comparison(found, tmp_path)
    assert [file.name for file in files] == ["differences.csv", "costs.csv", "compare.json"]
    assert read_record(files[-1], Comparison, "") == found
    assert set(json.loads(schema_text())["properties"]) == set(Comparison.model_fields)


def test_every_field_of_the_record_is_documented() -> None:
    page = (ROOT / "docs" / "compare.md").read_text(encoding="utf-8")
    schema = json.loads(schema_text())
    records = [schema, *(schema["$defs"][n] for n in ("WhatIf", "Difference", "CostDifference"))]
    missing = [
        name for record in records for name in record["properties"] if f"`{name}`" not in page
    ]
    assert not missing


@pytest.mark.parametrize("language", ["zh", "en", "both"])
def test_charts_show_each_target_of_the_district_and_each_zone(
    small: Runner, found: Comparison, language: Any
) -> None:
    plan, what_if = small.inputs.plan, found.what_ifs[0]
    chart = difference_chart(found, what_if, plan, language=language)
    texts = "".join(text.get_text() for axes in chart.axes for text in axes.texts)
    for target in plan.targets:
        shown = target.name.en.split()[0] if language == "en" else target.name.zh[:2]
        assert shown in texts
    panels = zones_chart(found, what_if, plan, language=language)
    assert len(panels.axes) == 1 + len([z for z in what_if.zones if z.zone != DISTRICT])


def test_sentences_name_who_gains_what_it_costs_and_how_sure(
    small: Runner, found: Comparison
) -> None:
    said = " ".join(line.en for line in sentences(found, found.what_ifs[0], small.inputs))
    for zone in found.what_ifs[0].zones:
        if zone.zone != DISTRICT:
            assert next(z.name.en for z in small.inputs.plan.zones if z.id == zone.zone) in said
    assert f"{RUNS} runs of each, seed {SEED}" in said
    assert small.inputs.economy.levers[STRONG].name.en in said
    nothing = [line.en for line in sentences(found, found.what_ifs[1], small.inputs)]
    assert nothing[-1].endswith("every difference is zero.")
    assert "cannot be told" in price_words(found.what_ifs[1], small.inputs.plan).en


@pytest.mark.parametrize(
    ("mean", "error", "text"),
    [
        (12.081, 0.304, "+12.08 ± 0.30"),
        (-116.47, 3.31, "−116.5 ± 3.3"),
        (0.0, 0.0, "0"),
        (0.9, 1e-17, "+0.900"),
        (5.0, None, "+5.0"),
    ],
)
def test_a_mean_has_the_digits_that_its_error_leaves(
    mean: float, error: float | None, text: str
) -> None:
    assert mean_text(mean, error) == text


def test_signs_are_true_ones_and_zero_has_none() -> None:
    assert [signed(x, 1) for x in (1.25, -1.25, 0.04, -0.04)] == ["+1.2", "−1.2", "0", "0"]
