"""The comparison of methods: known answers by each that needs no further package."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from calibration import BASELINE, OBSERVATIONS, rivals
from calibration.compare import (
    REFERENCE,
    Row,
    Seconds,
    main,
    methods_table,
    overlooked,
    parameters_table,
)
from calibration.design import Design
from calibration.emulator import Emulator, emulate
from calibration.fit import Candidates, candidates, normalised
from calibration.rivals import (
    Found,
    GaussianProcess,
    NotInstalled,
    ShortRuns,
    highest,
    importance,
    learnt_kernels,
    log_kernel,
    log_posterior,
    model_runs,
    weighted,
    with_response,
    with_rest_resampled,
)
from sim.analysis.observations import Observation, Use, read_observations
from sim.draws import AGAIN
from sim.runner import Runner
from sim.scenario import read_scenario, with_priors
from tests import figures

NOISE, CHANCE, EFFECTS = 0.05, 0.03, (0.10, 0.06)
QUADRATIC = make_pipeline(PolynomialFeatures(2, include_bias=False), LinearRegression())


def figure(value: float = 1_080.0, **changes: object) -> Observation:
    return figures.figure(value=value, **changes)


@pytest.fixture(scope="module")
def design() -> Design:
    """A linear model of two parameters and one figure."""
    luck = np.random.default_rng(5)
    scores = luck.standard_normal((4_000, 2))
    values = math.log(1_000.0) + scores @ np.array([EFFECTS]).T
    rest = CHANCE * luck.standard_normal((2, 4_000, 1))
    return Design(("a", "b"), scores, values + rest[0], (values + rest[1])[:200])


@pytest.fixture(scope="module")
def emulator(design: Design) -> Emulator:
    return emulate(design)


def exact_posterior() -> tuple[np.ndarray, np.ndarray]:
    """Means and standard deviations, in closed form for a linear Gaussian model."""
    effects, variance = np.array(EFFECTS), NOISE**2 + CHANCE**2
    covariance = np.linalg.inv(np.eye(2) + np.outer(effects, effects) / variance)
    return covariance @ effects * math.log(1.08) / variance, np.sqrt(np.diag(covariance))


def assert_agrees(found: Found, errors: float = 4.0) -> None:
    mean, sd = exact_posterior()
    assert (np.abs(found.mean - mean) < errors * found.mean_error).all()
    assert (np.abs(found.sd - sd) < errors * found.sd_error + 0.005).all()


@pytest.mark.parametrize("response", [LinearRegression(), QUADRATIC], ids=["linear", "quadratic"])
def test_importance_sampling_finds_the_exact_posterior_within_its_error(
    design: Design, emulator: Emulator, response: object
) -> None:
    def draw(part: Design, luck: int, size: int) -> Candidates:
        return candidates(with_response(emulator, part, response), luck, size)

    found = importance(design, [figure()], draw, seed=3)
    assert_agrees(found)
    assert (found.mean_error < 0.02).all()
    assert found.runs == 4_200


def test_a_resampled_rest_finds_the_same_where_the_rest_is_normal(
    design: Design, emulator: Emulator
) -> None:
    def draw(part: Design, luck: int, size: int) -> Candidates:
        return with_rest_resampled(emulator, part, luck, size)

    assert_agrees(importance(design, [figure()], draw, seed=3))


def test_weighted_runs_find_the_exact_posterior_without_an_emulator(design: Design) -> None:
    assert_agrees(model_runs(design, (0, 1), [figure()]))


def test_a_gaussian_process_explains_a_curve_that_a_line_does_not(design: Design) -> None:
    noise = 0.01 * np.random.default_rng(2).standard_normal((300, 1))
    scores = design.scores[:300]
    some = replace(design, scores=scores, predicted=0.1 * np.cos(2.0 * scores[:, :1]) + noise)
    emulator = replace(emulate(design), active=(0,))
    process = GaussianProcess(learnt_kernels(some.scores[:, :1], some.predicted))
    assert with_response(emulator, some, process).explained[0] > 0.9
    assert with_response(emulator, some, LinearRegression()).explained[0] < 0.1


def test_a_parameter_that_moves_the_spread_alone_is_found_in_weighted_runs(design: Design) -> None:
    scores = np.column_stack([design.scores, np.random.default_rng(4).standard_normal(4_000)])
    values = math.log(1_000.0) + 0.1 * np.exp(scores[:, 2:]) * scores[:, :1]
    wide = Design(("a", "b", "spread"), scores, values, values[:200])
    low = figure(value=1_300.0)
    assert emulate(wide).names == ("a",)
    assert "- `spread`: +" in overlooked(wide, (0,), [low])
    even = replace(wide, predicted=math.log(1_000.0) + 0.1 * scores[:, :1])
    assert "- none" in overlooked(even, (0,), [low])


def test_the_error_of_weighted_draws_is_their_spread_over_samples() -> None:
    luck = np.random.default_rng(8)

    def sample() -> Found:
        scores = luck.standard_normal((500, 1))
        return weighted(scores, normalised(0.8 * scores[:, 0]), 0)

    found = [sample() for _ in range(300)]
    spread = np.std([one.mean for one in found])
    assert np.mean([one.mean_error for one in found]) == pytest.approx(spread, rel=0.15)
    spread = np.std([one.sd for one in found])
    assert np.mean([one.sd_error for one in found]) == pytest.approx(spread, rel=0.25)


def test_the_chains_density_integrates_to_the_exact_posterior(emulator: Emulator) -> None:
    axis = np.linspace(-5.0, 5.0, 41)
    points = np.array(np.meshgrid(axis, axis, axis)).reshape(3, -1).T
    weights = normalised(log_posterior(emulator, [figure()], points))
    mean, sd = exact_posterior()
    np.testing.assert_allclose(weights @ points[:, :2], mean, atol=0.02)
    np.testing.assert_allclose(np.sqrt(weights @ points[:, :2] ** 2 - mean**2), sd, atol=0.03)


def test_the_chain_takes_two_figures_of_one_series() -> None:
    singular = np.full((2, 2), CHANCE**2)
    response = LinearRegression().fit(np.eye(2), np.eye(2))
    twice = Emulator(("a", "b"), (0, 1), response, singular, np.zeros(2), np.zeros(2))
    points = np.random.default_rng(1).standard_normal((5, 4))
    assert np.isfinite(log_posterior(twice, [figure(), figure(id="two")], points)).all()


def test_no_run_is_accepted_with_a_probability_above_one() -> None:
    figures = [figure(), figure(id="low", kind="over"), figure(id="high", kind="nearly")]
    most = highest(figures)
    for ratio in (0.8, 0.95, 1.0, 1.05, 1.2):
        assert log_kernel(figures, np.full((1, 3), math.log(ratio * 1_080.0))) < most
    hit = np.array([math.log(1_080.0), math.log(5_000.0), math.log(100.0)])[None]
    assert log_kernel(figures, hit) == pytest.approx(most)


def test_replicates_are_averaged_as_likelihoods_and_not_as_figures() -> None:
    runs = np.log([[1_000.0], [1_200.0]])
    likelihoods = np.exp(figure().log_likelihood(np.exp(runs)))
    assert math.exp(log_kernel([figure()], runs)) == pytest.approx(likelihoods.mean())


@pytest.fixture(scope="module")
def short() -> ShortRuns:
    inputs = with_priors(read_scenario(BASELINE))
    figures = read_observations(OBSERVATIONS, inputs, "2021-12")
    return ShortRuns(Runner(inputs, 1), [item for item in figures if item.use == Use.FIT])


def test_a_short_run_is_the_beginning_of_a_whole_one(short: ShortRuns) -> None:
    whole = short.runner.run(7).series.reshape(short.runner.blueprint.horizon + 1, -1)
    software = short.runner.series_columns.index("software_scale.district")
    place = [item.id for item in short.observations].index("software_2021")
    assert short.figures(7)[place] == math.log(whole[12, software])


def test_a_short_run_at_its_own_scores_is_the_same_run(short: ShortRuns) -> None:
    design = short.design(3, 1)
    names = ("growth.drift.software", "lifecycle.acceptance")
    scores = design.scores[0, [design.names.index(name) for name in names]]
    np.testing.assert_allclose(short.figures(3, names, scores), design.predicted[0], atol=1e-6)
    assert (short.figures(3, names, scores + 1.0) != design.predicted[0]).any()
    assert (short.figures(AGAIN + 3) != design.predicted[0]).any()


def test_a_missing_package_is_named_with_the_way_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(name: str) -> object:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(rivals, "import_module", missing)
    with pytest.raises(NotInstalled, match="pip install pyabc"):
        rivals.optional("pyabc")


def test_too_few_runs_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--runs", "50"]) == 2
    assert "allowed: at least 400" in capsys.readouterr().err


def test_tables_hold_gaps_to_weighted_runs_in_their_errors() -> None:
    def row(name: str, mean: float) -> Row:
        one, small = np.ones(1), np.full(1, 0.03)
        return Row(name, Found(mean * one, one, small, small, 900.0, 4_000), Seconds(61.0, 60.0))

    rows = [row(REFERENCE, 0.2), row("another", 0.3)]
    assert methods_table(rows).splitlines()[-1] == (
        "| another | 4,000 | 60 | 61 | 900 | 0.030, 0.030 | 0.10, 0.00 | 2.4, 0.0 |"
    )
    assert "| `a` | +0.20 ± 0.03 (1.00) | +0.30 ± 0.03 (1.00) |" in parameters_table(["a"], rows)
