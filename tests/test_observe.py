"""What has been observed moves the probabilities: as far as the figures say, and no run is made."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import norm
from typer.testing import CliRunner

from sim import __version__, forecast, observe
from sim.analysis.interval import wilson
from sim.analysis.observe import (
    FEWEST_EFFECTIVE,
    Observed,
    condition,
    effective_runs,
    read_figures,
    weigh,
    weighted_probability,
)
from sim.analysis.observed import ObservedRecord, schema_text, write_observed
from sim.analysis.probability import answer
from sim.cli import app
from sim.errors import ObservationError, RunError
from sim.montecarlo import columns_of
from sim.plan import DISTRICT
from sim.report.observed import heading, observed_notes
from sim.report.shift import shift_chart
from sim.runner import Runner
from sim.store import RUNS_PER_CHUNK, Chunk, open_store
from tests.figures import cells, write_figures

DOCS = Path(__file__).parents[1] / "docs"
RUNS = 2000
SPREAD = 0.1  # standard deviation of what the toy runs differ in, on the log scale
TARGET = "smart_turnover"  # above 75 亿元 by 2026-06
MIDDLE = 50.0  # median of the runs at the figures' month
GROWTH = 1.5  # from then to the deadline, in every run: half the runs come above 75

FigureFile = Callable[..., Path]


def toy_runs(rng: np.random.Generator) -> np.ndarray:
    """One standard normal a run, at evenly spread quantiles so that little is left to luck."""
    return ndtri((rng.permutation(RUNS) + 0.5) / RUNS)


@pytest.fixture(scope="module")
def toy(small: Runner, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose runs differ in one number θ ~ N(0, 1): turnover is 50·exp(0.1·θ) at mid-plan
    and one and a half times that at its deadline; the number of firms knows nothing of it."""
    out = tmp_path_factory.mktemp("toy") / "out"
    columns, rng = columns_of(small), np.random.default_rng(7)
    theta, firms = toy_runs(rng), toy_runs(rng)
    series = np.ones((RUNS, len(columns.months), len(columns.series)), dtype=np.float32)
    place = columns.series.index(f"{TARGET}.{DISTRICT}")
    series[:, :, place] = (MIDDLE * np.exp(SPREAD * theta))[:, None]
    series[:, columns.months.index("2026-06"), place] *= GROWTH
    series[:, :, columns.series.index(f"technology_firms.{DISTRICT}")] = (
        122 * np.exp(SPREAD * firms)
    )[:, None]
    costs = np.zeros((RUNS, len(columns.months), len(columns.costs)))
    parameters = np.zeros((RUNS, len(columns.parameters)))
    with open_store(out, small.inputs, 1, __version__, columns) as store:
        for first in range(0, RUNS, RUNS_PER_CHUNK):
            part = slice(first, first + RUNS_PER_CHUNK)
            store.write(Chunk(first, series[part], costs[part], parameters[part], {}))
        for first in range(0, 200, RUNS_PER_CHUNK):
            part = slice(first, first + RUNS_PER_CHUNK)
            again = 1_000_000_000 + first
            store.write(Chunk(again, series[part], costs[part], parameters[part], {}))
    return out


@pytest.fixture
def figures(tmp_path: Path) -> FigureFile:
    """Writes a file of observations; each row is given by what differs from the first."""

    def write(*rows: dict[str, Any]) -> Path:
        usual = {"id": "turnover_2025", "indicator": TARGET, "month": "2025-06", "value": MIDDLE}
        usual |= {"noise_sd": 0.1, "source_date": "2025-07-01"}
        return write_figures(tmp_path / "figures.csv", [cells(**usual | row) for row in rows])

    return write


@pytest.fixture
def given(small: Runner, toy: Path, figures: FigureFile) -> Callable[..., Observed]:
    """The toy forecast given some figures."""

    def conditioned(*rows: dict[str, Any], runs: int = RUNS) -> Observed:
        read = read_figures(figures(*rows), small.inputs)
        with open_store(toy, small.inputs, 1, __version__, columns_of(small)) as store:
            before = answer(store, small, runs)
        return condition(small.inputs, read, before, seed=1, out=toy)

    return conditioned


def row_of(observed: Observed, target: str = TARGET) -> Any:
    return observed.results.set_index(["zone", "target"]).loc[(DISTRICT, target)]


def test_a_figure_moves_a_probability_as_the_normal_posterior_does(
    given: Callable[..., Observed],
) -> None:
    # ln y = ln 50 + 0.1·θ + 0.1·ε with θ, ε ~ N(0, 1): θ | y ~ N(½·ln(y / 50) / 0.1, ½)
    for value in (45.0, 50.0, 58.0):
        found = row_of(given({"value": value}))
        mean = 0.5 * np.log(value / MIDDLE) / SPREAD
        assert found["before"] == pytest.approx(0.5, abs=0.001)
        assert found["probability"] == pytest.approx(norm.cdf(mean / np.sqrt(0.5)), abs=0.005)
        median = MIDDLE * GROWTH * np.exp(SPREAD * mean)
        assert found["q50"] == pytest.approx(median, rel=0.003)


def test_two_figures_count_as_one_of_half_the_variance(given: Callable[..., Observed]) -> None:
    twice = given({"value": 55}, {"value": 55, "id": "again"})
    once = given({"value": 55, "noise_sd": 0.1 / np.sqrt(2)})
    np.testing.assert_allclose(twice.weights, once.weights, rtol=1e-9)


def test_the_effective_runs_are_those_of_the_normal_weights(given: Callable[..., Observed]) -> None:
    # n·E[L]² / E[L²] of normal densities with equal variances: n·√3/2 where y is the median
    found = given({"value": MIDDLE})
    assert found.effective == pytest.approx(RUNS * np.sqrt(3) / 2, rel=0.01)
    assert found.weights.sum() == pytest.approx(1)


def test_a_lower_bound_raises_and_an_upper_bound_lowers(given: Callable[..., Observed]) -> None:
    high, low = (row_of(given({"value": 55, "kind": kind})) for kind in ("over", "nearly"))
    assert high["probability"] > high["before"] + 0.1
    assert low["probability"] < low["before"] - 0.02


def test_a_figure_far_above_the_runs_raises_what_grows_with_it_alone(
    given: Callable[..., Observed],
) -> None:
    found = given({"value": 60})
    assert row_of(found)["probability"] > 0.85
    firms = row_of(found, "technology_firms")
    assert firms["probability"] == pytest.approx(firms["before"], abs=0.06)
    assert firms["low"] < firms["before"] < firms["high"]


def test_the_figure_that_moved_the_answer_is_told_apart(given: Callable[..., Observed]) -> None:
    idle = {"id": "idle", "value": 1, "kind": "exact", "indicator": "battery_output"}
    found = given({"value": 60}, idle)
    without = found.without.set_index(["id", "zone", "target"])["probability"]
    assert without["turnover_2025", DISTRICT, TARGET] == pytest.approx(0.5, abs=0.001)
    assert without["idle", DISTRICT, TARGET] == pytest.approx(row_of(found)["probability"])
    rows = found.influence.set_index("id")
    assert rows.loc["idle", "effective_alone"] == pytest.approx(RUNS)
    assert rows.loc["turnover_2025", "effective_without"] == pytest.approx(RUNS)
    assert rows.loc["turnover_2025", "distance"] == pytest.approx(np.log(60 / 50) / 0.1, rel=0.01)


def test_equal_weights_leave_wilson_s_interval_as_it_is() -> None:
    met = np.arange(300) < 81
    assert weighted_probability(met, np.full(300, 1 / 300)) == pytest.approx(
        (0.27, *wilson(81, 300)), rel=1e-9
    )


def test_the_weighted_interval_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    covered, tries, truth = 0, 1000, norm.sf(0.5, loc=0.5, scale=np.sqrt(0.5))
    for _ in range(tries):
        theta = rng.normal(size=400)
        weights = weigh(norm.logpdf(1.0, loc=theta))
        _, low, high = weighted_probability(theta > 0.5, weights)
        covered += low <= truth <= high
    assert 0.93 <= covered / tries <= 0.985


def test_an_event_that_no_run_shows_is_not_said_to_be_impossible() -> None:
    weights = weigh(np.linspace(0, 3, 500))
    none, all_ = np.zeros(500, dtype=bool), np.ones(500, dtype=bool)
    effective = effective_runs(weights)
    assert weighted_probability(none, weights) == (0, *wilson(0, effective))
    assert weighted_probability(all_, weights) == (1, *wilson(effective, effective))


def test_too_few_effective_runs_are_refused_with_the_figure_that_conflicts(
    given: Callable[..., Observed],
) -> None:
    close = {"value": 62, "noise_sd": 0.005}
    mild = {"value": 122, "id": "firms", "indicator": "technology_firms", "unit": "家"}
    with pytest.raises(RunError) as said:
        given(close, mild)
    text = str(said.value)
    assert "of 2,000 runs count, given its 2 figures (effective runs; at least 100" in text
    assert "turnover_2025 (62 亿元, district, 2025-06) conflicts most" in text
    needed = int(text.partition("--runs ")[2].partition(")")[0])
    assert needed > RUNS
    assert "pudong calibrate" in text


def test_the_runs_advised_are_as_many_as_the_limit_needs(given: Callable[..., Observed]) -> None:
    figure = {"value": 55, "noise_sd": 0.02}
    enough = given(figure)
    few = 100
    with pytest.raises(RunError) as said:
        given(figure, runs=few)
    needed = int(str(said.value).partition("--runs ")[2].partition(")")[0])
    assert given(figure, runs=min(2 * needed, RUNS)).effective >= FEWEST_EFFECTIVE
    assert needed == pytest.approx(RUNS * FEWEST_EFFECTIVE / enough.effective, rel=0.6)


@pytest.mark.parametrize(
    "figure",
    [
        {"value": 5000, "noise_sd": 0.1},
        {"value": 5000, "kind": "over"},
        {"value": 2, "kind": "nearly"},
    ],
)
def test_a_figure_that_no_run_comes_near_is_named(
    given: Callable[..., Observed], figure: dict[str, Any]
) -> None:
    with pytest.raises(RunError, match=r"no run comes within 4 standard deviations of turnover_2"):
        given(figure, {"id": "other", "value": 52})


def test_rows_that_are_not_for_the_fit_are_counted_and_not_used(
    given: Callable[..., Observed], small: Runner
) -> None:
    alone = given({"value": 55})
    found = given(
        {"value": 55},
        {"id": "start", "month": "2024-06", "use": "base"},
        {"id": "later", "value": 90, "use": "check"},
    )
    assert (found.figures.base, found.figures.check) == (1, 1)
    np.testing.assert_array_equal(found.weights, alone.weights)
    said = " ".join(note.en for note in observed_notes(found, small.inputs.plan))
    assert "Rows not used: 1 for the base year (base), 1 to look at afterwards (check)" in said
    assert heading(found).en == "Given 1 figure observed from 2025-06 to 2025-06:"


def test_a_file_without_figures_for_the_fit_is_refused(small: Runner, figures: FigureFile) -> None:
    with pytest.raises(ObservationError, match="found no figure to condition on"):
        read_figures(figures({"use": "check"}), small.inputs)


def test_figures_that_the_posterior_knows_are_not_counted_twice(
    small: Runner, figures: FigureFile
) -> None:
    head = SimpleNamespace(figures=["turnover_2025"])
    posterior = SimpleNamespace(head=head)
    source = replace(small.inputs.sources["economy"], path=Path("posterior.csv"))
    sources = small.inputs.sources | {"posterior": source}
    fitted = replace(small.inputs, posterior=posterior, sources=sources)  # type: ignore[arg-type]
    found = read_figures(figures({}, {"id": "later", "month": "2025-12"}), fitted)
    assert [row.id for row in found.used] == ["later"]
    assert found.fitted == ["turnover_2025"]
    with pytest.raises(ObservationError, match=r"in posterior\.csv were fitted to all of them"):
        read_figures(figures({}), fitted)


@pytest.mark.parametrize("month", ["2024-06", "2026-07"])
def test_figures_from_outside_the_plan_s_time_are_refused(
    small: Runner, figures: FigureFile, month: str
) -> None:
    with pytest.raises(ObservationError, match=r"line 2, column month: .* after 2024-06, to 2026"):
        read_figures(figures({"month": month}), small.inputs)


def test_what_is_written_is_what_is_documented(
    given: Callable[..., Observed], small: Runner, tmp_path: Path
) -> None:
    write_observed(given({"value": 55}), small.inputs, 1, tmp_path)
    record = ObservedRecord.model_validate_json((tmp_path / "observed.json").read_text("utf-8"))
    assert record.figures[0].id == "turnover_2025"
    page = (DOCS / "summary.md").read_text("utf-8").partition("## observed.json")[2]
    schema = json.loads(schema_text())
    parts = ("FigureRecord", "Conditioned", "WithoutRecord", "SetAside")
    for fields in (schema["properties"], *(schema["$defs"][name]["properties"] for name in parts)):
        assert [name for name in fields if f"`{name}`" not in page] == []


def test_the_chart_says_every_target_before_and_after(
    given: Callable[..., Observed], small: Runner
) -> None:
    found = given({"value": 58})
    chart = shift_chart(found, small.inputs.plan, scenario=small.inputs.scenario.name)
    texts = [text.get_text() for text in chart.axes[1].texts]
    assert f"50 % → {100 * row_of(found)['probability']:.0f} %" in texts
    assert len(texts) == len(small.inputs.plan.targets) + 1


def test_a_forecast_that_is_there_is_observed_without_a_new_run(
    small: Runner, small_scenario: Path, figures: FigureFile, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    before = forecast(small.inputs, runs=150, seed=1, out=out)
    made = {file: file.stat().st_mtime_ns for file in (out / "runs").rglob("*.parquet")}
    summary = (out / "summary.json").read_bytes()
    middle = before.yearly.set_index(["zone", "indicator", "month"])["q50"]
    value = float(middle[DISTRICT, TARGET, "2025-06"])
    file = figures({"value": value})
    found = observe(small.inputs, file, runs=150, seed=1, out=out)
    assert found.effective >= FEWEST_EFFECTIVE
    command = ["forecast", str(small_scenario), "--runs", "150", "--out", str(out)]
    done = CliRunner().invoke(app, [*command, "--workers", "1", "--observe", str(file)])
    assert done.exit_code == 0, done.output
    assert "Given 1 figure observed from 2025-06 to 2025-06" in done.output
    assert f"count as {found.effective:,.0f}" in " ".join(done.output.split())
    assert {f: f.stat().st_mtime_ns for f in (out / "runs").rglob("*.parquet")} == made
    assert (out / "summary.json").read_bytes() == summary
    record = ObservedRecord.model_validate_json((out / "observed.json").read_text("utf-8"))
    assert record.effective_runs == found.effective
    assert (out / "charts" / "observed.png").exists()


def test_a_bad_file_of_figures_ends_the_command_before_a_run_is_made(
    small_scenario: Path, figures: FigureFile, tmp_path: Path
) -> None:
    out, file = tmp_path / "out", figures({"value": "many"})
    command = ["forecast", str(small_scenario), "--runs", "25", "--out", str(out)]
    done = CliRunner().invoke(app, [*command, "--workers", "1", "--observe", str(file)])
    assert done.exit_code == 2
    assert f"{file}, line 2, column value: found 'many'; a number is needed" in done.output
    assert not out.exists()


def test_a_refusal_ends_the_command_with_2_and_keeps_the_runs(
    small_scenario: Path, figures: FigureFile, tmp_path: Path
) -> None:
    out, file = tmp_path / "out", figures({"value": 5000, "noise_sd": 0.01})
    command = ["forecast", str(small_scenario), "--runs", "25", "--out", str(out), "--no-charts"]
    done = CliRunner().invoke(app, [*command, "--workers", "1", "--observe", str(file)])
    assert done.exit_code == 2
    assert "no run comes within" in done.output
    assert (out / "summary.json").exists()
    assert len(list((out / "runs").glob("chunk-*"))) == 1
    assert not (out / "observed.json").exists()
