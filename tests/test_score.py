"""How good a forecast was: scores with known answers, naive forecasts by hand, the command."""

from __future__ import annotations

import json
import math
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm, t
from typer.testing import CliRunner

from calibration import scoring_example
from sim.analysis import scoring
from sim.analysis.finished import read_finished
from sim.analysis.forecast import forecast
from sim.analysis.judging import score
from sim.analysis.naive import Distribution, Goal, Naive, Past, Series, past_of, read_history
from sim.analysis.observations import Observation
from sim.analysis.published import read_published
from sim.analysis.record import read_record
from sim.analysis.scorebook import Score, schema_text
from sim.analysis.scoring import Verdict
from sim.cli import app
from sim.errors import ObservationError
from sim.plan import Target
from sim.report.charts import save
from sim.report.reliability import reliability_chart
from sim.runner import Runner
from sim.scenario import read_scenario
from tests import figures
from tests.figures import COLUMNS, Cells, write_figures
from tests.sealed import remade, rewrite

ROOT = Path(__file__).parents[1]
HISTORY = ROOT / "calibration" / "data" / "history.csv"
RUNS = 75
PAST_COLUMNS = ["proxy" if name == "use" else name for name in COLUMNS]


def cells(**changes: object) -> Cells:
    own = {"indicator": "smart_turnover", "month": "2025-06", "value": 60, "noise_sd": 0.03}
    return figures.cells(**own | {"use": "check", "source_date": "2025-07-01"} | changes)


def figure(**changes: object) -> Observation:
    return Observation.model_validate(cells(**changes))


def past_rows() -> list[Cells]:
    """Two years of growth of one target, one year of an area that stands in for another."""
    turnover = [("2022-06", 35), ("2023-06", 42)]
    batteries = [("2023-06", 700), ("2024-06", 760)]
    rows = [
        cells(id=f"turnover_{n}", month=month, value=value, proxy="")
        for n, (month, value) in enumerate(turnover)
    ]
    return rows + [
        cells(id=f"city_{n}", indicator="battery_output", month=month, value=value, proxy="city")
        for n, (month, value) in enumerate(batteries)
    ]


def invoke(directory: Path, *more: str | Path) -> Any:
    return CliRunner().invoke(app, ["score", str(directory), *map(str, more)])


def complaint(directory: Path, *more: str | Path) -> str:
    """What the command says on stderr where it must end with status 2."""
    done = invoke(directory, *more)
    assert done.exit_code == 2, done.output
    assert "Traceback" not in done.stderr
    return str(done.stderr)


@pytest.fixture(scope="module")
def made(small: Runner, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished forecast of the small district; nobody may change it."""
    out = tmp_path_factory.mktemp("made") / "out"
    forecast(small.inputs, runs=RUNS, seed=1, out=out)
    return out


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    """The same, to be spoilt."""
    return Path(shutil.copytree(made, tmp_path / "copy"))


@pytest.fixture
def outturns(tmp_path: Path) -> Path:
    """Figures of every kind, of which some settle a target."""
    rows = [
        cells(),
        cells(id="floor", month="2026-06", value=80, kind="over"),
        cells(id="firms", indicator="technology_firms", unit="家", month="2026-06", value=118),
        cells(id="cells", indicator="battery_output", month="2025-12", value=70, kind="over"),
        cells(id="base", month="2024-06", use="base"),
    ]
    return write_figures(tmp_path / "outturns.csv", rows)


@pytest.fixture
def history(tmp_path: Path) -> Path:
    return write_figures(tmp_path / "history.csv", past_rows(), PAST_COLUMNS)


def loaded(directory: Path) -> Score:
    return read_record(directory / "score" / "score.json", Score, "score it again")


# Scores of figures


def test_a_certain_forecast_has_the_scores_of_its_noise() -> None:
    item = figure(definition_ratio_low=0.9, definition_ratio_high=1.2)
    law = norm(math.log(55.0) + item.shift, item.sd)
    z = (math.log(60.0) - law.mean()) / item.sd
    normal_crps = item.sd * (z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / math.sqrt(math.pi))
    same = np.full(4, 55.0)
    assert scoring.crps(item, same) == pytest.approx(normal_crps)
    assert scoring.pit(item, same) == pytest.approx(law.cdf(math.log(60.0)))
    assert scoring.log_score(item, same) == pytest.approx(law.logpdf(math.log(60.0)))


def test_with_hardly_any_noise_the_crps_is_that_of_the_runs() -> None:
    values = np.array([40.0, 50.0, 80.0])
    logs = np.log(values)
    by_hand = np.abs(logs - math.log(60)).mean() - np.abs(logs[:, None] - logs).mean() / 2
    assert scoring.crps(figure(noise_sd=1e-6), values) == pytest.approx(by_hand, abs=1e-5)


def test_many_runs_are_scored_as_the_distribution_that_they_come_from() -> None:
    values = np.exp(norm(4.0, 0.2).ppf((np.arange(20_000) + 0.5) / 20_000))
    sd = math.hypot(0.2, 0.03)
    z = (math.log(60.0) - 4.0) / sd
    exact = sd * (z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / math.sqrt(math.pi))
    assert scoring.crps(figure(), values) == pytest.approx(exact, rel=1e-3)


@pytest.mark.parametrize("level", [0.025, 0.1, 0.5, 0.975])
def test_a_figure_at_a_quantile_of_the_forecast_has_that_pit(level: float) -> None:
    values = np.array([0.0, 20.0, 44.0, 45.0, 90.0, 91.0, 95.0, 96.0, 97.0, 98.0, 99.0, 300.0])
    middle = scoring.quantile(figure(), level, values)
    if level < 1 / 12:
        assert middle == 0
    else:
        assert scoring.pit(figure(value=middle), values) == pytest.approx(level)


def test_a_bound_gets_the_logarithm_of_the_probability_that_it_was_given() -> None:
    values = np.array([50.0, 70.0])
    above = norm.sf((math.log(60) - np.log(values)) / 0.03).mean()
    assert scoring.log_score(figure(kind="over"), values) == pytest.approx(math.log(above))
    assert scoring.log_score(figure(kind="nearly"), values) == pytest.approx(math.log(1 - above))


def test_a_figure_where_every_run_has_nothing_is_impossible_and_not_dropped() -> None:
    nothing = np.zeros(3)
    assert scoring.log_score(figure(), nothing) == -math.inf
    assert scoring.pit(figure(), nothing) == 1
    assert scoring.crps(figure(), nothing) == pytest.approx(math.log(60 / 0.5), rel=0.01)
    assert not scoring.is_reached(figure(), nothing)


def test_a_figure_far_from_every_run_is_out_of_reach() -> None:
    values = np.linspace(50, 70, 40)
    assert scoring.is_reached(figure(value=72), values)
    assert not scoring.is_reached(figure(value=6000), values)
    assert not scoring.is_reached(figure(value=6), values)
    assert not scoring.is_reached(figure(value=6000, kind="over"), values)
    assert scoring.is_reached(figure(value=6000, kind="nearly"), values)


def test_central_intervals_hold_the_middle() -> None:
    assert [scoring.is_inside(0.1, level) for level in scoring.LEVELS] == [False, True, True]
    assert [scoring.is_inside(0.98, level) for level in scoring.LEVELS] == [False, False, False]


def test_the_band_is_kolmogorov_s(small: Runner) -> None:
    assert scoring.band(1) == pytest.approx(0.975)  # tabulated, as is the next
    assert scoring.band(10) == pytest.approx(0.409, abs=5e-4)
    assert scoring.distance([0.2, 0.6]) == pytest.approx(0.4)
    assert scoring.distance([0.9]) == pytest.approx(0.9)


def pits_of_own_runs(made: Path, indicator: str, shift: float) -> list[float]:
    """Each run published with noise and foreseen by the others."""
    runs = read_finished(made).values(indicator, "district", "2026-06")
    noise = np.exp(0.03 * norm.ppf((np.random.default_rng(5).permutation(RUNS) + 0.5) / RUNS))
    return [
        scoring.pit(figure(value=runs[n] * noise[n] * shift), np.delete(runs, n))
        for n in range(RUNS)
    ]


def test_a_forecast_is_calibrated_for_its_own_runs_and_not_for_shifted_ones(made: Path) -> None:
    own = pits_of_own_runs(made, "smart_turnover", 1.0)
    assert scoring.distance(own) < scoring.band(RUNS)
    for level in scoring.LEVELS:
        share = np.mean([scoring.is_inside(place, level) for place in own])
        assert share == pytest.approx(level, abs=0.1)
    for shift in (0.8, 1.25):
        shifted = pits_of_own_runs(made, "smart_turnover", shift)
        assert scoring.distance(shifted) > scoring.band(RUNS)


# Scores of targets


def test_the_brier_score_is_the_squared_error_of_the_probability() -> None:
    assert scoring.brier(0.7, True) == pytest.approx(0.09)
    assert scoring.brier(0.7, False) == pytest.approx(0.49)
    assert scoring.event_log_score(0.7, False) == pytest.approx(math.log(0.3))
    assert scoring.event_log_score(0.0, True) == -math.inf


def test_the_parts_of_the_brier_score() -> None:
    met = [n % 4 == 0 for n in range(60)]
    certain = scoring.decomposition([float(one) for one in met], met)
    always = scoring.decomposition([0.25] * 60, met)
    turned = scoring.decomposition([0.9 - 0.8 * one for one in met], met)
    assert certain is not None
    assert always is not None
    assert turned is not None
    assert vars(certain) == pytest.approx(
        {"miscalibration": 0, "discrimination": 0.1875, "uncertainty": 0.1875}
    )
    assert vars(always) == pytest.approx(
        {"miscalibration": 0, "discrimination": 0, "uncertainty": 0.1875}
    )
    assert turned.discrimination == pytest.approx(0)
    assert turned.miscalibration == pytest.approx(0.81 - 0.1875)
    assert scoring.decomposition([0.25] * 49, met[:49]) is None


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("exact", 75, Verdict.MISSED),  # the target is "above"
        ("about", 75.1, Verdict.MET),
        ("over", 75, Verdict.MET),
        ("over", 74, Verdict.OPEN),
        ("nearly", 75, Verdict.MISSED),
        ("nearly", 76, Verdict.OPEN),
    ],
)
def test_when_a_figure_settles_a_target(
    small: Runner, kind: str, value: float, expected: Verdict
) -> None:
    target: Target = small.inputs.plan.targets[0]
    assert target.comparison == "above"
    one = figure(kind=kind, value=value)
    assert scoring.verdict([one], target, 75.0) == expected


def test_targets_that_figures_leave_open(small: Runner) -> None:
    target = small.inputs.plan.targets[0]
    wide = figure(value=78, definition_ratio_low=0.9, definition_ratio_high=1.1)
    assert scoring.verdict([], target, 75.0) == Verdict.NO_FIGURE
    assert scoring.verdict([wide], target, 75.0) == Verdict.DEFINITION
    assert scoring.verdict([wide, figure(value=90)], target, 75.0) == Verdict.MET
    assert (
        scoring.verdict([figure(value=70), figure(value=90)], target, 75.0) == Verdict.CONTRADICTION
    )


# Naive forecasts


@pytest.fixture
def by_hand() -> Past:
    """Growth of 0.1 and 0.3 a year in one series, of 0.4 over two years in another."""
    one = Series(np.array([0.1, 0.3]), np.array([1.0, 1.0]))
    other = Series(np.array([0.4]), np.array([2.0]))
    return Past({("one", "district"): one, ("other", "district"): other})


def assert_is(found: Distribution, centre: float, scale: float, df: float) -> None:
    assert found.centre == pytest.approx(math.log(50) + centre)
    assert found.scale == pytest.approx(scale)
    assert found.df == df


def test_the_last_value_stays_with_the_spread_of_all_growth(by_hand: Past) -> None:
    square = (0.1**2 + 0.3**2 + 0.4**2 / 2) / 3
    assert_is(by_hand.last_value(50, 2.0), 0.0, math.sqrt(2 * square), 3)


def test_growth_goes_on_with_the_error_of_its_mean(by_hand: Past) -> None:
    own = by_hand.of("one", "district")
    sigma = math.sqrt(0.1**2 + 0.1**2)  # about 0.2; the other series has one growth, no spread
    assert_is(by_hand.constant_growth(50, 2.0, own), 0.4, sigma * math.sqrt(2 + 4 / 2), 1)
    spread = math.sqrt((0.1**2 + 0.1**2 + 0) / 2)  # about c = 0.8 / 4 years = 0.2
    assert_is(by_hand.constant_growth(50, 1.0, None), 0.2, spread * math.sqrt(1 + 1 / 4), 2)


def test_growth_returns_to_its_mean(by_hand: Past) -> None:
    variance = (0.1**2 + 0.1**2) / 2
    phi = (-0.1 * 0.1) / (0.1**2 + variance / 0.25)
    assert by_hand.persistence == pytest.approx(phi)
    found = by_hand.autoregression(50, 1.5, by_hand.of("one", "district"))
    centre = 0.2 * 1.5 + 0.1 * (phi + 0.5 * phi**2)
    shocks = (1 + 0.5 * phi) ** 2 + 0.5
    total = variance * (1 - phi**2) * shocks + 1.5**2 * variance / 4
    assert_is(found, centre, math.sqrt(total), 2)


def test_the_plan_s_path_is_straight_in_logs_and_as_likely_as_not_to_arrive(
    by_hand: Past,
) -> None:
    goal = Goal(threshold=80.0, years=3.0)
    found = by_hand.plan_path(50, 1.0, goal)
    assert_is(found, math.log(80 / 50) / 3, math.sqrt(0.02), 1)
    assert by_hand.plan_path(50, 3.0, goal).probability_above(80) == pytest.approx(0.5)


def test_a_naive_distribution_is_a_student_t_of_logs() -> None:
    found = Distribution(4.0, 0.2, 5)
    assert found.probability_above(60) == pytest.approx(t(5, 4.0, 0.2).sf(math.log(60)))
    assert np.quantile(found.members(999), 0.5) == pytest.approx(math.exp(4.0))
    inside = np.mean(np.abs(np.log(found.members()) - 4.0) < 0.2 * t(5).ppf(0.95))
    assert inside == pytest.approx(0.9, abs=0.005)
    assert Distribution(4.0, 0.0, 5).probability_above(50) == 1


def test_a_zone_borrows_the_district_s_growth_and_nothing_grows_from_nothing(
    by_hand: Past,
) -> None:
    assert by_hand.of("one", "harbour") is by_hand.of("one", "district")
    assert by_hand.forecasts("one", "harbour", 0.0, 1.0, None) == {}
    assert set(by_hand.forecasts("one", "harbour", 5.0, 1.0, None)) == set(Naive) - {Naive.PATH}


def test_the_base_value_ends_a_series_of_the_zone_s_own_alone(small: Runner, history: Path) -> None:
    figures = read_history(history, small.inputs)
    base = {("smart_turnover", "district"): 50.0, ("battery_output", "district"): 60.0}
    past = past_of(figures, "2024-06", base)
    own, proxy = past.of("smart_turnover", "district"), past.of("battery_output", "district")
    assert own is not None
    assert proxy is not None
    assert own.growth == pytest.approx(np.diff(np.log([35, 42, 50])))
    assert proxy.growth == pytest.approx(np.diff(np.log([700, 760])))


def test_one_growth_figure_has_no_spread() -> None:
    with pytest.raises(ObservationError, match="fewer than two growth figures"):
        Past({("one", "district"): Series(np.array([0.1]), np.array([1.0]))})


@pytest.mark.parametrize(
    ("column", "text", "message"),
    [
        ("kind", "over", "a bound has no growth"),
        ("month", "2024-06", "allowed: before 2024-06"),
        ("month", "2023-06", "is given twice for smart_turnover"),
        ("proxy", "city", "a series is of one area"),
        ("value", "x", "a number is needed"),
        ("unit", "家", "smart_turnover is in 亿元"),
    ],
)
def test_a_wrong_cell_of_the_history_is_named(
    made: Path, tmp_path: Path, outturns: Path, column: str, text: str, message: str
) -> None:
    rows = past_rows()
    rows[0][column] = text
    file = write_figures(tmp_path / "past.csv", rows, PAST_COLUMNS)
    said = complaint(made, "--outturns", outturns, "--history", file)
    assert re.search(rf"past\.csv, line [23], column {column}: ", said)
    assert message in said


def test_the_history_of_the_plan_ends_before_it_and_was_published_by_its_date(
    real: Runner,
) -> None:
    figures = read_history(HISTORY, real.inputs)
    assert {item.indicator for item in figures} == {
        "ai_scale",
        "ai_firms",
        "ic_scale",
        "software_scale",
    }
    assert all(item.month <= real.inputs.plan.start for item in figures)
    assert all(item.source_date < "2022" for item in figures)


# The command


def test_the_command_scores_every_row_and_leaves_the_forecast_as_it_was(
    copy: Path, outturns: Path, history: Path, small: Runner
) -> None:
    before = {file: file.read_bytes() for file in copy.rglob("*") if file.is_file()}
    done = invoke(copy, "--outturns", outturns, "--history", history)
    assert done.exit_code == 0, done.output
    found = loaded(copy)
    assert [item.id for item in found.figures] == ["one", "floor", "firms", "cells"]
    assert {row.forecast for row in found.scores} == {"model", *(name.value for name in Naive)}
    assert len(found.scores) == 4 * 5
    assert found.outturns.rows == 5
    assert found.outturns.used == 4
    assert (found.forecast.seed, found.forecast.runs) == (1, RUNS)
    after = {file for file in copy.rglob("*") if file.is_file()}
    assert {file.relative_to(copy).as_posix() for file in after - set(before)} == {
        f"score/{name}" for name in ("score.json", "reliability.png", "reliability.svg")
    }
    assert all(file.read_bytes() == content for file, content in before.items())
    forecast(small.inputs, runs=RUNS, seed=1, out=copy)  # the store takes it for its own
    assert (copy / "score" / "score.json").exists()


def test_what_the_command_says_is_what_the_runs_say(
    copy: Path, outturns: Path, history: Path
) -> None:
    assert invoke(copy, "--outturns", outturns, "--history", history).exit_code == 0
    found, whole = loaded(copy), read_finished(copy)
    runs = whole.values("smart_turnover", "district", "2025-06")
    row = next(r for r in found.scores if (r.figure, r.forecast) == ("one", "model"))
    assert row.pit == pytest.approx(scoring.pit(figure(), runs))
    assert row.crps == pytest.approx(scoring.crps(figure(), runs))
    firms = whole.values("technology_firms", "district", "2026-06")
    total = next(r for r in found.totals if r.forecast == "model")
    other = figure(indicator="technology_firms", value=118)
    assert total.values == total.bounds == 2
    assert total.crps == pytest.approx(np.mean([row.crps, scoring.crps(other, firms)]))
    settled = {
        r.target: (r.verdict, r.probabilities) for r in found.targets if r.zone == "district"
    }
    assert settled["smart_turnover"][0] == Verdict.MET
    assert settled["technology_firms"][0] == Verdict.MISSED
    assert settled["battery_output"][0] == Verdict.OPEN
    assert settled["pilot_projects"][0] == Verdict.NO_FIGURE
    met = (whole.values("smart_turnover", "district", "2026-06") > 75).mean()
    many = (firms >= 122).mean()
    brier = next(r for r in found.brier if r.forecast == "model")
    assert brier.targets == 2
    assert brier.brier == pytest.approx(((1 - met) ** 2 + many**2) / 2)
    assert settled["smart_turnover"][1][Naive.PATH.value] == pytest.approx(0.5)
    skills = {(skill.naive, skill.score): skill for skill in found.skills}
    assert len(skills) == 8
    for name in Naive:
        near = {
            row.figure: row.crps
            for row in found.scores
            if row.forecast == name.value and row.crps is not None
        }
        model = {r.figure: r.crps for r in found.scores if r.forecast == "model"}
        closer = sum((model[key] or 0) < value for key, value in near.items())
        skill = skills[name.value, "CRPS"]
        assert (skill.better, skill.count) == (closer, 2)
        assert skill.skill == pytest.approx(1 - (total.crps or 0) / np.mean(list(near.values())))
    path = skills[Naive.PATH.value, "Brier"]
    assert path.naive_score == pytest.approx(0.25)
    assert path.skill == pytest.approx(1 - brier.brier / 0.25)


def test_python_scores_a_forecast_by_the_names_of_its_files_as_the_command_does(
    copy: Path, outturns: Path, history: Path
) -> None:
    assert invoke(copy, "--outturns", outturns, "--history", history).exit_code == 0
    finished = read_published(str(copy)).finished
    assert score(finished, str(outturns), str(history)) == loaded(copy)


def test_a_finished_forecast_is_read_by_name_as_by_path(made: Path) -> None:
    assert read_published(str(made)).summary == read_published(made).summary


def test_bounds_are_in_no_score_that_needs_a_value(copy: Path, outturns: Path) -> None:
    assert invoke(copy, "--outturns", outturns).exit_code == 0
    rows = {row.figure: row for row in loaded(copy).scores}
    for bound in ("floor", "cells"):
        assert rows[bound].pit is None
        assert rows[bound].crps is None
        assert rows[bound].probability == pytest.approx(math.exp(float(rows[bound].log_score)))
    assert rows["one"].probability is None


@pytest.mark.parametrize("lang", ["zh", "en", "both"])
def test_the_command_speaks_each_language(
    made: Path, tmp_path: Path, outturns: Path, history: Path, lang: str
) -> None:
    options = ["--outturns", outturns, "--history", history, "--lang", lang]
    done = invoke(made, *options, "--out", tmp_path / "scores")
    assert done.exit_code == 0, done.output
    assert ("Last value" in done.stdout) == (lang != "zh")
    assert ("末期值不变" in done.stdout) == (lang != "en")
    assert (tmp_path / "scores" / "reliability.svg").exists()
    assert not (made / "score").exists()


def test_the_scores_can_go_to_a_file(made: Path, tmp_path: Path, outturns: Path) -> None:
    file = tmp_path / "deep" / "july.json"
    assert invoke(made, "--outturns", outturns, "--out", file).exit_code == 0
    assert Score.model_validate_json(file.read_text("utf-8")).history is None
    assert (file.parent / "july-reliability.png").exists()
    (tmp_path / "taken").write_text("mine")
    assert "is in the way" in complaint(made, "--outturns", outturns, "--out", tmp_path / "taken")
    assert (tmp_path / "taken").read_text() == "mine"
    inside = made / "runs" / "x"
    assert "lies among the runs" in complaint(made, "--outturns", outturns, "--out", inside)


def test_a_figure_that_no_run_reaches_is_said_and_scored(
    small_scenario: Path, variant: Callable[..., Path], tmp_path: Path
) -> None:
    def start_afresh(plan: dict[str, Any]) -> None:
        plan["counts_projects_under_way"] = False  # so that none is done in the first month

    copy = tmp_path / "copy"
    inputs = read_scenario(variant(small_scenario, plan=start_afresh))
    forecast(inputs, runs=RUNS, seed=1, out=copy)
    rows = [
        cells(id="far", value=60_000),
        cells(id="never", indicator="pilot_projects", month="2024-07", unit="个", value=5),
    ]
    done = invoke(copy, "--outturns", write_figures(tmp_path / "far.csv", rows), "--lang", "en")
    assert done.exit_code == 0, done.output
    said = " ".join(done.stdout.split())
    assert "No run comes near far" in said
    assert "No run comes near never" in said
    found = loaded(copy)
    scores = {row.figure: row for row in found.scores}
    assert not scores["far"].reached
    assert float(scores["far"].log_score) < -1000
    assert scores["never"].log_score == "-Infinity"
    assert found.totals[0].log_score == "-Infinity"
    assert found.totals[0].values == 2
    plain = json.loads(
        (copy / "score" / "score.json").read_text("utf-8"), parse_constant=pytest.fail
    )
    assert plain["totals"][0]["log_score"] == "-Infinity"


@pytest.mark.parametrize(
    ("column", "text", "message"),
    [
        ("value", "many", "a number is needed"),
        ("unit", "家", "smart_turnover is in 亿元"),
        ("zone", "north_bnk", "did you mean 'north_bank'?"),
        ("indicator", "smart_turnovr", "did you mean 'smart_turnover'?"),
        ("month", "2025-13", "a month is written like"),
        ("month", "2026-07", "allowed: after 2024-06, to 2026-06"),
        ("month", "2024-06", "allowed: after 2024-06, to 2026-06"),
        ("source_date", "yesterday", "a day is written like"),
        ("kind", "roughly", "unknown kind 'roughly'"),
    ],
)
def test_a_wrong_cell_of_the_outturns_is_named(
    copy: Path, tmp_path: Path, column: str, text: str, message: str
) -> None:
    rows = [cells(), cells(id="two", **{column: text})]
    said = complaint(copy, "--outturns", write_figures(tmp_path / "bad.csv", rows))
    assert f"bad.csv, line 3, column {column}: " in said
    assert message in said
    assert not (copy / "score").exists()


def test_outturns_without_a_row_to_score_are_refused(copy: Path, tmp_path: Path) -> None:
    base = [cells(month="2024-06", use="base")]
    said = complaint(copy, "--outturns", write_figures(tmp_path / "base.csv", base))
    assert "no row to score" in said
    none = write_figures(tmp_path / "none.csv", [])
    assert "holds no observation" in complaint(copy, "--outturns", none)
    wrong = write_figures(tmp_path / "wrong.csv", [cells()], [*COLUMNS, "colour"])
    assert "wrong.csv, line 1: unknown column 'colour'" in complaint(copy, "--outturns", wrong)
    assert "no such file" in complaint(copy, "--outturns", tmp_path / "absent.csv")


def drop(name: str) -> Callable[[Path], object]:
    return lambda path: (path / name).unlink()


def edit(name: str, old: str, new: str) -> Callable[[Path], object]:
    def change(path: Path) -> None:
        text = (path / name).read_text("utf-8")
        assert old in text
        (path / name).write_text(text.replace(old, new), "utf-8")

    return change


def sealed(name: str, **fields: object) -> Callable[[Path], object]:
    return lambda path: rewrite(path / name, lambda found: found.update(fields))


OTHER = {"id": "other", "name": {"zh": "别", "en": "Other"}, "sha256": "0"}


def cut(path: Path) -> None:
    file = path / "runs" / "chunk-000001" / "series.parquet"
    file.write_bytes(file.read_bytes()[:-100])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (drop("manifest.json"), "holds no forecast"),
        (drop("summary.json"), "is not finished"),
        (edit("manifest.json", "{", "["), "is damaged or not this program's"),
        (edit("manifest.json", '"seed": 1', '"seed": 2'), "is damaged or not this program's"),
        (sealed("manifest.json", format=9), "is of another format"),
        (sealed("manifest.json", inputs={}), "is not this program's"),
        (sealed("manifest.json", inputs={"plan": {"file": "../plan.yaml"}}), "not this program's"),
        (edit("summary.json", '"seed": 1', '"seed": 2'), "summary.json: was changed or cut since"),
        (edit("summary.json", '"checksum"', '"checksun"'), "summary.json: has no checksum in its"),
        (sealed("summary.json", results=None), "is of another version, or another file"),
        (sealed("summary.json", seed=2), "is of another seed"),
        (sealed("summary.json", scenario=OTHER), "another scenario"),
        (edit("inputs/plan.yaml", "threshold: 75", "threshold: 70"), "plan was changed after"),
        (edit("inputs/scenario.yaml", "Harbour", "Habour"), "scenario was changed after"),
        (edit("inputs/economy.yaml", "low: 0", "low: 1"), "economy was changed after"),
        (drop("inputs/scenario.yaml"), "scenario.yaml: the scenario is missing"),
        (cut, "chunk-000001: is missing or damaged"),
        (lambda path: shutil.rmtree(path / "runs" / "chunk-000002"), "chunk-000002: is missing"),
    ],
)
def test_a_forecast_that_is_not_whole_is_refused_and_left_alone(
    copy: Path, outturns: Path, spoil: Callable[[Path], object], message: str
) -> None:
    spoil(copy)
    before = sorted(copy.rglob("*"))
    assert message in complaint(copy, "--outturns", outturns)
    assert sorted(copy.rglob("*")) == before


def test_a_forecast_of_another_version_is_scored_as_it_was_made(copy: Path, outturns: Path) -> None:
    def other(summary: dict[str, Any]) -> None:
        for name in ("yearly", "monthly", "costs"):
            del summary[name]
        summary["news"] = "not known today"

    rewrite(copy / "summary.json", other)
    remade(copy, version="0.0.9", code="other")
    assert invoke(copy, "--outturns", outturns).exit_code == 0
    assert loaded(copy).forecast.version == "0.0.9"


def test_what_is_no_forecast_is_refused(tmp_path: Path, outturns: Path) -> None:
    assert "no such directory" in complaint(tmp_path / "absent", "--outturns", outturns)
    assert "holds no forecast" in complaint(tmp_path, "--outturns", outturns)


def test_the_plan_is_that_of_the_forecast_and_not_today_s(
    small_scenario: Path, variant: Callable[..., Path], tmp_path: Path, outturns: Path
) -> None:
    from sim.scenario import read_scenario

    scenario = variant(
        small_scenario, plan=lambda plan: plan["targets"][0].update(threshold=10_000)
    )
    forecast(read_scenario(scenario), runs=25, seed=2, out=tmp_path / "out")
    shutil.rmtree(scenario.parent)
    assert invoke(tmp_path / "out", "--outturns", outturns).exit_code == 0
    row = next(r for r in loaded(tmp_path / "out").targets if r.zone == "district")
    assert (row.target, row.threshold) == ("smart_turnover", 10_000)
    assert row.verdict == Verdict.OPEN


# The chart and the page


@pytest.mark.parametrize("targets", [0, 3, 60])
@pytest.mark.parametrize("language", ["zh", "en", "both"])
def test_the_chart_draws_few_and_many_without_a_missing_glyph(
    copy: Path, tmp_path: Path, outturns: Path, small: Runner, targets: int, language: Any
) -> None:
    assert invoke(copy, "--outturns", outturns).exit_code == 0
    found = loaded(copy)
    row = found.targets[0]
    many = [
        row.model_copy(
            update={
                "verdict": Verdict.MET if n % 3 else Verdict.MISSED,
                "probabilities": {"model": n / 60},
            }
        )
        for n in range(targets)
    ]
    found = found.model_copy(update={"targets": many})
    name = small.inputs.scenario.name
    chart = reliability_chart(found, scenario=name, language=language)
    right = chart.axes[2]
    counts = [text.get_text() for text in right.texts if text.get_text().isdigit()]
    assert sum(map(int, counts)) == (targets if targets >= 10 else 0)
    assert save(chart, tmp_path / "chart", ("png",))[0].exists()


def test_the_page_s_example_is_what_its_command_writes(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "scoring.md").read_text(encoding="utf-8")
    (tmp_path / "scoring.md").write_text(page, encoding="utf-8")
    runs = ["--runs", "25", "--workers", "1", "--out", str(tmp_path / "out")]
    assert scoring_example.main([*runs, "--docs", str(tmp_path)]) == 0
    again = (tmp_path / "scoring.md").read_text(encoding="utf-8")
    numbers = re.compile(r"[−0-9][0-9.,–]*")
    shape = [
        [numbers.sub("#", line).split(" | ")[0] for line in text.splitlines() if line[:1] == "|"]
        for text in (page, again)
    ]
    assert shape[0] == shape[1]
    assert page != again  # 25 runs say another thing than 500
    assert (tmp_path / "images" / "scoring-2021.png").exists()


def test_the_page_describes_every_field() -> None:
    page = (ROOT / "docs" / "scoring.md").read_text(encoding="utf-8")
    schema = json.loads(schema_text())
    inherited = {"InputRecord", "Name"}  # in summary.md
    records = {name: part for name, part in schema["$defs"].items() if name not in inherited}
    for name, record in {"Score": schema, **records}.items():
        for field in record.get("properties", {}):
            assert re.search(rf"^\|.*`{field}`.*\|", page, re.MULTILINE), f"{name}.{field}"
