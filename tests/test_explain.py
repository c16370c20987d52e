"""The chain behind a forecast: parts that sum exactly, runs that are the forecast's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import sim.analysis.explain
from sim.analysis.average import Average
from sim.analysis.effects import with_lever
from sim.analysis.explain import explain, runs_again
from sim.analysis.explanation import Explanation, schema_text
from sim.analysis.finished import Finished, read_finished
from sim.analysis.growth_account import TERMS, GrowthAccount
from sim.analysis.watch import COMINGS, FLOWS, LIMITS, STOCKS, Watched, watch
from sim.cli import app
from sim.economy import Lever
from sim.errors import RunError
from sim.figures import Name
from sim.plan import DISTRICT, Driver, Quantity, Target
from sim.processes.accounts import CONTEXT, indicators
from sim.report import chain_words, terms
from sim.report.chain import chain_chart
from sim.report.charts import save
from sim.report.explanation_table import sentences
from sim.report.wording import Language
from sim.runner import Runner
from sim.scenario import read_scenario

ROOT = Path(__file__).parents[1]
RUNS, WATCHED = 25, 10


def forecast_in(scenario: Path, folder: Path, seed: int) -> Path:
    words = ["forecast", scenario, "--runs", RUNS, "--seed", seed, "--workers", 1]
    done = CliRunner().invoke(app, [*map(str, words), "--no-charts", "--out", str(folder)])
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture(scope="module")
def made(small_scenario: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return forecast_in(small_scenario, tmp_path_factory.mktemp("made") / "out", seed=1)


@pytest.fixture(scope="module")
def finished(made: Path) -> Finished:
    return read_finished(made)


@pytest.fixture(scope="module")
def found(finished: Finished) -> Explanation:
    return explain(finished, "smart_turnover", "north_bank", runs=WATCHED)


def targets_of(small: Runner, kinds: tuple[Any, ...]) -> list[Target]:
    return [target for target in small.inputs.plan.targets if target.quantity in kinds]


# One run


def test_a_run_that_is_watched_ends_as_it_would_have(small: Runner) -> None:
    place = list(indicators(small.blueprint))
    series = small.run(3).series
    for target in small.inputs.plan.targets:
        seen = watch(small, 3, target)
        due = small.blueprint.months().index(target.deadline)
        assert np.array_equal(seen.end, series[due, place.index(target.id), :-1])


def test_the_parts_of_a_revenue_s_change_sum_to_it(small: Runner) -> None:
    for target in targets_of(small, FLOWS):
        rests = []
        for run in range(4):
            seen = watch(small, run, target)
            assert set(seen.account) == {*TERMS, "measures", "levers", "base_year"}
            rests.append(seen.account["base_year"])
            assert abs(seen.account["luck"]).sum() > 0.01
        # the base year's carry-over is known at the start, so nothing else may be left in it
        for run, rest in enumerate(rests):
            district = small.district(run)
            place = district.indicators.index(target.id)
            month, year = district.series[0, place], district.outcome().series[0, place, :-1]
            assert rest == pytest.approx(12 * month - year, abs=2e-5)


def test_every_term_of_a_firm_s_growth_is_what_the_model_added(small: Runner) -> None:
    for target in targets_of(small, FLOWS):
        used = np.zeros(len(TERMS))
        for run in range(4):
            district = small.district(run)
            account = GrowthAccount(district, target)
            while district.month < small.blueprint.horizon:
                district.step()
                account.book()
            # nothing is left of any firm's growth in any month but what single precision rounds
            assert account.rest < 2e-6
            used += abs(account.terms[-1]).sum(axis=1)
        if target.quantity == Quantity.AI_REVENUE:
            assert used.all()


def test_what_comes_and_goes_sums_to_a_stock_s_change(small: Runner) -> None:
    for target in targets_of(small, STOCKS):
        seen = watch(small, 0, target)
        assert set(seen.account) == set(COMINGS)
        assert sum(seen.account.values()) == pytest.approx(seen.end - seen.start)
        assert abs(seen.account["entries"]).sum() > 0


def test_departments_share_a_measure_s_progress(small: Runner) -> None:
    links = small.blueprint.links
    seen = watch(small, 0, small.inputs.plan.targets[0])
    for m, reach in enumerate(small.blueprint.measures.reach):
        whole = seen.credit[links.pair_measure == m].sum(axis=0)
        assert whole == pytest.approx((reach > 0).astype(float))


def staff_alone(economy: dict[str, Any]) -> None:
    economy["parameters"]["implementation"]["money_share"] |= {"value": 0, "low": 0, "high": 0}


def test_a_department_s_weight_is_what_more_of_its_staff_brings(
    small_scenario: Path, variant: Callable[..., Path]
) -> None:
    small = Runner(read_scenario(variant(small_scenario, economy=staff_alone)), seed=1)
    target, links = small.inputs.plan.targets[0], small.blueprint.links
    before = watch(small, 0, target)

    def hazard(seen: Watched, measure: int, zone: int) -> float:
        return -float(np.log1p(-seen.progress[measure, zone]))

    for department in ("health_office", "people_office"):
        more = with_lever(small.inputs, Lever.DEPARTMENT_CAPACITY, 1.05, departments=[department])
        after = watch(Runner(more, small.seed), 0, target)
        measure = small.inputs.plan.measure_ids().index("shared_data")
        names = [small.inputs.plan.departments[d].id for d in links.pair_department]
        pair = next(
            n for n, m in enumerate(links.pair_measure) if m == measure and names[n] == department
        )
        elasticity = np.log(hazard(after, measure, 0) / hazard(before, measure, 0)) / np.log(1.05)
        # less than the weight, since a measure that is nearer its path draws less attention
        assert 0.8 * before.credit[pair, 0] < elasticity < 1.02 * before.credit[pair, 0]


def test_where_the_strongest_steps_in_for_others_the_weight_is_its_own(
    small_scenario: Path, variant: Callable[..., Path]
) -> None:
    def leave(plan: dict[str, Any]) -> None:
        for department in plan["departments"]:
            if department["id"] == "people_office":
                department["capacity"] = 0.01

    small = Runner(read_scenario(variant(small_scenario, plan=leave)), seed=1)
    plan, links = small.inputs.plan, small.blueprint.links
    seen = watch(small, 0, plan.targets[0])
    measure = plan.measure_ids().index("shared_data")
    weights = {
        plan.departments[links.pair_department[pair]].id: seen.credit[pair, 0]
        for pair in np.flatnonzero(links.pair_measure == measure)
    }
    assert weights.pop("people_office") == 0
    assert sum(weights.values()) == pytest.approx(1)


def test_measures_push_in_proportion_to_what_they_add(small: Runner) -> None:
    target = next(t for t in small.inputs.plan.targets if t.id == "pilot_projects")
    seen = watch(small, 0, target)
    effects, ids = small.blueprint.effects, small.inputs.plan.measure_ids()
    pushed = {
        ids[m]: abs(seen.pushes["calls"][effects.measure == m]).sum() for m in range(len(ids))
    }
    assert pushed["calls_for_pilots"] > 0
    assert sum(pushed.values()) == pushed["calls_for_pilots"]  # the only measure that raises demand


# A finished forecast


def test_the_explanation_s_parts_sum_to_the_change(finished: Finished, found: Explanation) -> None:
    total = sum(term.value.mean for term in found.account)
    assert total == pytest.approx(found.change.mean, rel=1e-9)
    growth = sum(row.growth.mean for row in found.measures if row.growth)
    own = next(term.value.mean for term in found.account if term.id == "measures")
    assert growth == pytest.approx(own)
    assert sum(row.growth.mean for row in found.departments if row.growth) == pytest.approx(own)
    said = next(
        row
        for row in finished.summary.results
        if (row.target, row.zone) == (found.target, found.zone)
    )
    assert (found.probability, found.threshold) == (said.probability, said.threshold)
    assert found.low < found.probability < found.high
    assert (found.runs, found.watched) == (RUNS, WATCHED)


def test_every_target_and_zone_can_be_explained(finished: Finished, tmp_path: Path) -> None:
    plan = finished.inputs.plan
    for target, zone in (
        ("battery_output", "airfield"),
        ("technology_firms", DISTRICT),
        ("pilot_projects", "old_docks"),
    ):
        found = explain(finished, target, zone, runs=2)
        assert len(sentences(found, plan)) >= 4
        for language in ("zh", "en", "both"):
            chart = chain_chart(found, plan, language=language)
            assert save(chart, tmp_path / "chart", ("png",))[0].exists()
        if found.account:
            total = sum(term.value.mean for term in found.account)
            assert total == pytest.approx(found.change.mean, rel=1e-6)


@pytest.mark.parametrize("language", ["zh", "en", "both"])
def test_no_two_texts_of_the_chart_touch(
    finished: Finished, found: Explanation, language: Language
) -> None:
    plan = finished.inputs.plan
    long = Name(
        zh="任务", en="A measure whose English name is so long that it takes three lines at least"
    )
    measures = [measure.model_copy(update={"name": long}) for measure in plan.measures]
    plan = plan.model_copy(update={"measures": measures})
    chart = chain_chart(found, plan, language=language)
    texts = [text for axes in chart.axes for text in axes.texts if text.get_text()]
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts]
    assert len(boxes) > 20
    touching = [
        (one, other)
        for n, (one, box) in enumerate(boxes)
        for other, there in boxes[n + 1 :]
        if box.overlaps(there.shrunk(0.98, 0.98))
    ]
    assert not touching


def test_two_seeds_do_not_contradict_each_other(
    found: Explanation, small_scenario: Path, tmp_path: Path
) -> None:
    finished = read_finished(forecast_in(small_scenario, tmp_path / "two", seed=2))
    other = explain(finished, found.target, found.zone, runs=WATCHED)

    def averages(one: Explanation) -> dict[tuple[str, str], Average]:
        rows = {("measure", row.measure): row.progress for row in one.measures}
        rows |= {("driver", row.driver): row.level for row in one.drivers}
        rows |= {("account", term.id): term.value for term in one.account}
        return rows | {("change", ""): one.change}

    mine, theirs = averages(found), averages(other)
    assert set(mine) == set(theirs)
    apart = []
    for name, one in mine.items():
        reach = np.hypot(one.high - one.mean, theirs[name].high - theirs[name].mean)
        apart.append(abs(one.mean - theirs[name].mean) / max(float(reach), 1e-6))
    assert 0 < max(apart) < 2
    assert np.mean(np.array(apart) > 1) < 0.1


def test_runs_that_are_not_the_forecast_s_are_refused(
    finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(runner: Runner, run: int, target: Target) -> Watched:
        seen = watch(runner, run, target)
        return replace(seen, end=seen.end + 1.0)

    monkeypatch.setattr(sim.analysis.explain, "watch", other)
    with pytest.raises(RunError, match="make the forecast anew"):
        explain(finished, "smart_turnover", runs=2)


# The command and the words


def invoke(*words: object) -> Any:
    return CliRunner().invoke(app, ["explain", *map(str, words)])


def test_the_command_writes_what_it_shows(made: Path) -> None:
    before = {file: file.read_bytes() for file in made.rglob("*") if file.is_file()}
    done = invoke(made, "--target", "smart_turnover", "--zone", "airfield", "--runs", 3)
    assert done.exit_code == 0, done.output
    assert "Association only" in done.stdout or "No other series" in done.stdout
    name = "explanation-smart_turnover-airfield"
    files = {file.name for file in (made / "explain").iterdir()}
    assert files == {f"{name}.{kind}" for kind in ("json", "md", "png", "svg")}
    record = (made / "explain" / f"{name}.json").read_text("utf-8")
    assert Explanation.model_validate_json(record).watched == 3
    assert "Bottlenecks" in (made / "explain" / f"{name}.md").read_text("utf-8")
    assert all(file.read_bytes() == content for file, content in before.items())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--target", "smart_turnovr"], "did you mean 'smart_turnover'?"),
        (["--target", "smart_turnover", "--zone", "airfeld"], "did you mean 'airfield'?"),
        (["--target", "pilot_projects", "--zone", "airfield"], "has no part in target"),
        (["--target", "all"], "no indicator of their own"),
        (["--target", "smart_turnover", "--runs", "26"], "allowed: 2 to 25"),
        (["--target", "smart_turnover", "--runs", "1"], "allowed: 2 to 25"),
    ],
)
def test_what_is_asked_wrongly_is_said_and_nothing_is_written(
    made: Path, tmp_path: Path, options: list[str], message: str
) -> None:
    done = invoke(made, *options, "--out", tmp_path / "x")
    assert done.exit_code == 2
    assert message in done.output
    assert not (tmp_path / "x").exists()


def test_what_is_no_forecast_is_refused(tmp_path: Path) -> None:
    done = invoke(tmp_path, "--target", "smart_turnover")
    assert done.exit_code == 2
    assert "holds no forecast" in done.output


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (set(Driver), chain_words.DRIVERS),
        ({*TERMS, *COMINGS, "measures", "levers", "base_year"}, chain_words.TERMS),
        (set(LIMITS), chain_words.LIMITS),
        (set(CONTEXT), terms.CONTEXT),
    ],
)
def test_every_link_has_a_name_in_both_languages(names: set[str], words: dict[str, Any]) -> None:
    assert set(words) == names


def test_every_behaviour_has_a_name(small: Runner, variant: Callable[..., Path]) -> None:
    used: set[str] = set()
    for quantity in ("standards", "open_platforms", "key_technologies", "ai_firms"):
        scenario = variant(
            ROOT / "tests" / "small_district" / "scenario.yaml",
            plan=lambda plan, quantity=quantity: plan["targets"][3].update(quantity=quantity),
        )
        runner = Runner(read_scenario(scenario), seed=1)
        target = runner.inputs.plan.targets[3]
        assert target.quantity == Quantity(quantity)
        used |= set(watch(runner, 0, target).pushes)
    used |= set(watch(small, 0, small.inputs.plan.targets[0]).pushes)
    used |= set(watch(small, 0, small.inputs.plan.targets[3]).pushes)
    assert used == set(chain_words.BEHAVIOURS)


def test_the_page_documents_every_field() -> None:
    page = (ROOT / "docs" / "explain.md").read_text(encoding="utf-8")
    records = json.loads(schema_text())
    own = {name: records["$defs"][name] for name in records["$defs"]}
    for name in ("InputRecord", "Versions", "Name", "Average"):
        own.pop(name, None)
    for record in (records, *own.values()):
        assert [field for field in record["properties"] if f"`{field}`" not in page] == []


def test_a_forecast_of_one_run_is_too_few_and_of_few_runs_is_looked_at_whole(
    finished: Finished,
) -> None:
    def of(runs: int) -> Finished:
        return replace(finished, summary=finished.summary.model_copy(update={"runs": runs}))

    with pytest.raises(RunError, match="a forecast of 1 run is too few to explain; at least 2"):
        explain(of(1), "smart_turnover")
    assert [runs_again(of(made)) for made in (2, 29, 500)] == [2, 29, 30]
    with pytest.raises(RunError, match="--runs: found 3; allowed: 2 to 2, the forecast's"):
        runs_again(of(2), 3)
