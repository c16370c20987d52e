"""The fit: known answers, the same result whatever the workers, and what cannot be fitted."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from calibration import BASELINE, OBSERVATIONS, CalibrationError
from calibration.calibrate import Fit, calibrate
from calibration.checks import contraction, leave_one_out, simulation_based_calibration, uniformity
from calibration.design import Design, parameters_at, uncertain_draws
from calibration.emulator import emulate
from calibration.fit import (
    candidates,
    check_agreement,
    check_reach,
    effective,
    log_weights,
    normalised,
    resampled,
)
from calibration.page import page_text
from sim.analysis.observations import Observation, Use, read_observations
from sim.cli import app
from sim.posterior import read_posterior
from sim.runner import Runner
from sim.scenario import read_scenario
from tests.figures import cells, figure, write_figures

DOCS = Path(__file__).parents[1] / "docs"
NOISE = 0.05  # of a figure, in logs, as in tests/figures.py
EFFECTS = np.array([[0.10, 0.0], [0.04, 0.08], [0.0, 0.0]])  # three parameters, two figures
CHANCE = 0.03


@pytest.fixture(scope="module")
def design() -> Design:
    """A linear model of three parameters, of which the last does nothing."""
    luck = np.random.default_rng(5)
    scores = luck.standard_normal((3_000, 3))
    mean = np.log(1_000.0) + scores @ EFFECTS

    def values(count: int) -> np.ndarray:
        return mean[:count] + CHANCE * luck.standard_normal((count, 2))

    first, again = values(3_000), values(200)
    return Design(("a", "b", "c"), scores, first, again)


FIGURES = [figure(value=1_080.0), figure(id="two", value=950.0)]


def exact_posterior() -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of parameters a and b, in closed form for a linear Gaussian model."""
    effects = EFFECTS[:2].T
    precision = np.eye(2) + effects.T @ effects / (CHANCE**2 + NOISE**2)
    gap = np.log([item.value for item in FIGURES]) - np.log(1_000.0)
    covariance = np.linalg.inv(precision)
    return covariance @ effects.T @ gap / (CHANCE**2 + NOISE**2), covariance


def test_the_emulator_finds_what_matters_and_its_size(design: Design) -> None:
    emulator = emulate(design)
    assert emulator.names == ("a", "b")
    np.testing.assert_allclose(emulator.response.coef_, EFFECTS[:2].T, atol=0.003)
    np.testing.assert_allclose(emulator.covariance, CHANCE**2 * np.eye(2), atol=1e-4)
    share = (EFFECTS**2).sum(axis=0) / ((EFFECTS**2).sum(axis=0) + CHANCE**2)
    np.testing.assert_allclose(emulator.explained, share, atol=0.03)
    np.testing.assert_allclose(emulator.chance, 1 - share, atol=0.1)


def test_figures_that_nothing_moves_are_said(design: Design) -> None:
    luck = np.random.default_rng(1)
    still = replace(design, predicted=luck.standard_normal(design.predicted.shape))
    with pytest.raises(CalibrationError, match="no parameter moves any of the figures"):
        emulate(still)


def test_the_posterior_of_a_linear_model_is_the_one_in_closed_form(design: Design) -> None:
    emulator = emulate(design)
    drawn = candidates(emulator, seed=3)
    weights = normalised(log_weights(FIGURES, drawn.predicted).sum(axis=1))
    mean, covariance = exact_posterior()
    found = weights @ drawn.scores
    np.testing.assert_allclose(found, mean, atol=0.03)
    spread = (drawn.scores - found).T @ ((drawn.scores - found) * weights[:, None])
    np.testing.assert_allclose(spread, covariance, atol=0.02)
    told = contraction(emulator.names, drawn, weights)
    np.testing.assert_allclose(told["contraction"], 1 - np.diag(covariance), atol=0.03)
    chosen = drawn.scores[resampled(weights, 4_000)]
    np.testing.assert_allclose(chosen.mean(axis=0), mean, atol=0.05)
    assert len(weights) > effective(weights) > 10_000


def test_a_bound_moves_to_its_side_alone(design: Design) -> None:
    emulator = emulate(design)
    drawn = candidates(emulator, seed=3)

    def shift(kind: str) -> float:
        item = figure(kind=kind)
        weights = normalised(log_weights([item], drawn.predicted[:, :1]).sum(axis=1))
        return float(weights @ drawn.scores[:, 0])

    assert shift("over") > 0.3
    assert shift("nearly") < -0.3


def test_ranks_of_a_right_fit_are_uniform_and_of_a_wrong_one_are_not(design: Design) -> None:
    names, ranks = simulation_based_calibration(design, FIGURES, (0, 1), seed=2)
    assert names == ("a", "b")
    assert uniformity(ranks).min() > 0.001
    # the figures scatter twice as much as the fit believes
    louder = replace(design, predicted=design.predicted.copy())
    luck = np.random.default_rng(8)
    louder.predicted[-400:] += 0.12 * luck.standard_normal((400, 2))
    _, wrong = simulation_based_calibration(louder, FIGURES, (0, 1), seed=2)
    assert uniformity(wrong).min() < 1e-6


def test_figures_out_of_reach_and_contradictions_are_named(design: Design) -> None:
    drawn = candidates(emulate(design), seed=3)

    def check(items: list[Observation]) -> None:
        check_reach(items, log_weights(items, drawn.predicted), drawn.predicted)

    check(FIGURES)
    with pytest.raises(
        CalibrationError, match=r"^two: no parameters reach exact 5,000 亿元 \("
    ) as e:
        check([FIGURES[0], figure(id="two", value=5_000.0)])
    assert "Check the figure and its unit" in str(e.value)
    drawn = replace(drawn, predicted=drawn.predicted[:, [0, 0]])
    low = figure(id="low", value=850, noise_sd=0.01)
    pair = [low, figure(id="high", value=1_150, noise_sd=0.01)]
    foretold = leave_one_out(pair, drawn, log_weights(pair, drawn.predicted))
    with pytest.raises(CalibrationError, match=r"(?s)low: .* far below .*high: .* far above"):
        check_agreement(pair, foretold)
    bound = figure(value=1_150, noise_sd=0.01, kind="nearly")  # allows what is far below
    check_agreement([low, bound], np.array([0.5, 0.9999]))


def test_parameters_at_their_medians_are_the_central_ones(small: Runner) -> None:
    names = [small.parameters.draw_names[draw] for draw in uncertain_draws(small)]
    labels, values = parameters_at(small, names, np.zeros((1, len(names))))
    assert len(labels) >= len(names)
    for label, value in zip(labels, values[0], strict=True):
        entry = small.parameters.entries[small.parameters.labels.index(label)]
        assert entry.parameter.low <= value <= entry.parameter.high
        middle = (entry.value - entry.parameter.low, entry.parameter.high - entry.value)
        if min(middle) > 2 * (entry.parameter.prior.spread or 1) * max(entry.value, 1):
            assert value == pytest.approx(entry.value, rel=0.05)


@pytest.fixture(scope="module")
def small_figures(small: Runner, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three figures of the small district, near what its runs lead to."""
    file = tmp_path_factory.mktemp("figures") / "figures.csv"
    plan = small.inputs.plan
    series, rows = small.run(0).series, []
    for target in plan.targets[:3]:
        place = small.series_columns.index(f"{target.id}.district")
        value = float(series.reshape(len(series), -1)[12, place])
        rows.append(
            cells(
                id=f"row_{target.id}".lower(),
                indicator=target.id,
                month=small.blueprint.months()[12],
                value=max(value, 1.0),
                unit=target.unit.zh,
                kind="about",
                noise_sd=0.2,
                use="fit" if value > 1 else "check",
                source_date="2025-06-30",
            )
        )
    return write_figures(file, rows)


def fit_small(small: Runner, figures: Path, out: Path, **settings: object) -> Fit:
    return calibrate(small.inputs, figures, runs=400, check_runs=50, out=out, **settings)


def test_a_fit_does_not_depend_on_workers_and_goes_on_where_it_stopped(
    small: Runner, small_figures: Path, tmp_path: Path
) -> None:
    whole = fit_small(small, small_figures, tmp_path / "one", seed=4)
    assert (tmp_path / "one" / "posterior.csv").read_text(encoding="utf-8") == whole.text

    made = []

    def stop(done: int, total: int) -> None:
        made.append(done)
        if done >= 300:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_small(small, small_figures, tmp_path / "two", seed=4, workers=2, on_progress=stop)
    assert not (tmp_path / "two" / "posterior.csv").exists()
    first = []
    again = fit_small(
        small,
        small_figures,
        tmp_path / "two",
        seed=4,
        workers=2,
        on_progress=lambda done, total: first.append(done),
    )
    assert first[0] >= 300
    assert again.text == whole.text
    other = fit_small(small, small_figures, tmp_path / "three", seed=5)
    assert other.text != whole.text
    text = page_text(whole, "a command")
    assert all(f"`{name}`" in text for name in whole.head.figures)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda text: text.replace("month,value", "month,valu", 1),
            "line 1: unknown column 'valu'",
        ),
        (lambda text: re.sub("1300,亿元", "1300,t", text, count=1), "column unit: found 't'"),
        (
            lambda text: re.sub("1300,亿元", "many,亿元", text, count=1),
            "column value: found 'many'",
        ),
        (lambda text: text.replace("ai_scale,district", "ai_scale,mars"), "unknown zone 'mars'"),
        (lambda text: text.replace(",fit,", ",check,"), "holds no figure for the fit"),
    ],
)
def test_a_wrong_file_of_figures_ends_with_status_2_before_any_run(
    tmp_path: Path, change: Callable[[str], str], message: str
) -> None:
    file = tmp_path / "figures.csv"
    file.write_text(change(OBSERVATIONS.read_text(encoding="utf-8")), encoding="utf-8")
    out = tmp_path / "out"
    arguments = ["calibrate", str(BASELINE), "--observations", str(file), "--out", str(out)]
    found = CliRunner().invoke(app, arguments)
    assert found.exit_code == 2
    assert message in found.stderr
    assert not out.exists()


def test_figures_after_the_cut_and_too_few_runs_are_refused(tmp_path: Path) -> None:
    arguments = ["calibrate", str(BASELINE), "--observations", str(OBSERVATIONS), "--out"]
    arguments += [str(tmp_path / "out")]
    late = CliRunner().invoke(app, [*arguments, "--until", "2021-06"])
    assert late.exit_code == 2
    assert "column month: found '2021-12'; observations end with 2021-06" in late.stderr
    wrong = CliRunner().invoke(app, [*arguments, "--until", "summer"])
    assert wrong.exit_code == 2
    assert "--until: " in wrong.stderr
    few = CliRunner().invoke(app, [*arguments, "--runs", "10"])
    assert few.exit_code == 2
    assert "--runs: found 10; allowed: at least 400" in few.stderr


def test_the_shipped_posterior_is_of_the_shipped_figures_and_page() -> None:
    inputs = read_scenario(BASELINE)
    assert inputs.posterior is not None
    head = inputs.posterior.head
    figures = read_observations(OBSERVATIONS, inputs, head.until)
    assert head.figures == [item.id for item in figures if item.use == Use.FIT]
    assert head.until == "2021-12"  # the plan's own forecast knows nothing later
    Runner(inputs, seed=1)  # and of today's priors
    page = (DOCS / "calibration.md").read_text(encoding="utf-8")
    assert f"{head.effective_draws:,.0f} effective of the candidates" in page
    assert set(re.findall(r"^\| `(\w+)` \|.*(?:fit|check)", page, re.MULTILINE)) == {
        item.id for item in figures if item.use != Use.BASE
    }
    again, _ = read_posterior(inputs.sources["posterior"].path)
    assert again.head == head
