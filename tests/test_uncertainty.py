"""Shares of variance are told where they can be, and noise is not reported as a share."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import ndtri

from sim import forecast
from sim.analysis.probability import Answer
from sim.analysis.provenance import provenance
from sim.analysis.summary import Summary, schema_text
from sim.analysis.uncertainty import (
    BASES,
    chance_of,
    features_of,
    fixed_assumptions,
    split,
)
from sim.plan import DISTRICT
from sim.report.table import notes
from sim.runner import Runner

DOCS = Path(__file__).parents[1] / "docs"
NOTHING = 100  # parameters of the toy that do nothing


def toy(
    runs: int, weights: list[float], noise: float, seed: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """y = Σ weight·x + noise·ε, all standard normal, and NOTHING more x that do nothing."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(runs, len(weights) + NOTHING))
    y = x[:, : len(weights)] @ weights + noise * rng.normal(size=runs)
    return (x - x.mean(axis=0)) / x.std(axis=0), y[:, None]


def test_a_linear_model_s_shares_are_found() -> None:
    # var y = 4 + 2 + 1 + 3 = 10
    x, y = toy(4000, [2.0, np.sqrt(2.0), -1.0], np.sqrt(3.0))
    bases = ["source", "assumption", "assumption"] + ["assumption"] * NOTHING
    found = split(x, bases, y)
    assert found.by_basis[:, 0] == pytest.approx([0.4, 0.3, 0.0], abs=0.03)
    assert found.single[:3, 0] == pytest.approx([0.4, 0.2, 0.1], abs=0.03)
    assert np.flatnonzero(found.sure[:, 0]).tolist() == [0, 1, 2]


def test_parameters_that_do_nothing_get_no_share() -> None:
    """Plain R² would give a hundred of them half of the variance with 200 runs."""
    shares, errors = [], []
    for seed in range(40):
        x, y = toy(200, [], 1.0, seed)
        found = split(x, ["assumption"] * NOTHING, y)
        shares.append(found.by_basis[1, 0])
        errors.append(found.by_basis_error[1, 0])
        fit = x @ np.linalg.lstsq(x, y, rcond=None)[0]
        assert fit.var() / y.var() > 0.35
    assert np.mean(shares) == pytest.approx(0, abs=0.05)
    assert np.mean(np.abs(shares) < 3 * np.array(errors)) > 0.9


def test_the_errors_are_about_as_large_as_shares_differ() -> None:
    found = [
        split(x, ["source", "assumption"] + ["assumption"] * NOTHING, y)
        for x, y in (toy(600, [1.0, 1.0], 1.0, seed) for seed in range(60))
    ]
    for basis in (0, 1):
        spread = np.std([one.by_basis[basis, 0] for one in found])
        said = np.mean([one.by_basis_error[basis, 0] for one in found])
        assert 0.7 < said / spread < 1.6


def test_shares_of_parameters_that_go_together_add_up_to_what_they_explain() -> None:
    rng = np.random.default_rng(4)
    runs, rho = 20_000, 0.6
    first = rng.normal(size=runs)
    second = rho * first + np.sqrt(1 - rho**2) * rng.normal(size=runs)
    y = (first + second + rng.normal(size=runs))[:, None]
    found = split(np.stack([first, second], axis=1), ["source", "assumption"], y)
    # var y = 1 + 1 + 2·0.6 + 1 = 4.2; each part goes along with 1 + 0.6 of it
    assert found.by_basis[:2, 0] == pytest.approx([1.6 / 4.2] * 2, abs=0.015)


def test_a_result_that_does_not_vary_has_no_shares() -> None:
    x, _ = toy(300, [], 1.0)
    found = split(x, ["assumption"] * NOTHING, np.full((300, 1), 5.0))
    assert np.isnan(found.by_basis).all()
    assert not found.sure.any()


def test_chance_is_what_the_same_parameters_leave_open() -> None:
    rng = np.random.default_rng(5)
    runs, pairs = 20_000, 5_000
    parameters = rng.normal(size=runs)
    y = (np.sqrt(0.7) * parameters + np.sqrt(0.3) * rng.normal(size=runs))[:, None]
    again = (np.sqrt(0.7) * parameters[:pairs] + np.sqrt(0.3) * rng.normal(size=pairs))[:, None]
    chance, error = chance_of(y[:pairs], again, y)
    assert chance[0] == pytest.approx(0.3, abs=3 * error[0])
    assert 0.01 < error[0] < 0.03
    none, _ = chance_of(y[:0], again[:0], y)
    assert np.isnan(none).all()


@pytest.fixture(scope="module")
def answered(small: Runner, tmp_path_factory: pytest.TempPathFactory) -> tuple[Answer, Path]:
    out = tmp_path_factory.mktemp("uncertainty") / "out"
    return forecast(small.inputs, runs=300, seed=1, out=out, workers=2), out


def test_a_forecast_splits_every_result(answered: tuple[Answer, Path]) -> None:
    answer, _ = answered
    found = answer.uncertainty
    assert found is not None
    assert found.told
    results = answer.results.set_index(["zone", "target"])
    rows = found.split.set_index(["zone", "target", "of"])
    assert len(rows) == 2 * len(results)
    parts = rows[[*BASES, "joint", "chance"]].astype(float)
    assert ((parts.isna()) | ((parts >= 0) & (parts <= 1))).all(axis=None)
    told = rows[rows["assumption"].notna() & rows["chance"].notna()]
    assert len(told) > len(rows) / 2
    for (zone, target, of), row in told.iterrows():
        if of == "met":
            share = results.loc[(zone, target), "parameter_share"]
            assert min(1.0, max(0.0, 1.0 - row["chance"])) == pytest.approx(share, abs=1e-9)


def test_rare_outcomes_are_not_explained(answered: tuple[Answer, Path]) -> None:
    answer, _ = answered
    assert answer.uncertainty is not None
    results = answer.results.set_index(["zone", "target"])
    rows = answer.uncertainty.split.query("of == 'met'").set_index(["zone", "target"])
    hits = (results["probability"] * results["runs"]).round()
    rare = np.minimum(hits, results["runs"] - hits) < 20
    assert rare.any()
    assert rows.loc[rare.index[rare], "assumption"].isna().all()
    assert rows.loc[rare.index[~rare], "assumption"].notna().all()


def test_few_runs_do_not_tell_parameters_apart_and_it_is_said(
    small: Runner, tmp_path: Path
) -> None:
    answer = forecast(small.inputs, runs=50, seed=1, out=tmp_path / "out")
    found = answer.uncertainty
    assert found is not None
    assert not found.told
    assert found.split[list(BASES)].isna().all(axis=None)
    assert found.largest.empty
    said = " ".join(note.en for note in notes(answer, small.inputs.scenario.name))
    assert f"cannot be told with 50 runs, about {found.runs_needed} are needed" in said
    assert f"{sum(found.fixed.values()):,} more assumptions are the same in all runs" in said


def test_what_does_not_vary_is_counted_and_what_varies_is_not(small: Runner) -> None:
    numbers = provenance(small.inputs)
    assumed = numbers[numbers["assumption"].notna()]
    everything = fixed_assumptions(small.inputs, set())
    assert sum(everything.values()) == len(assumed)
    label = next(
        name
        for name in small.parameters.labels
        if f"parameters.{name}" in set(assumed[assumed["file"] == "economy"]["field"])
    )
    less = fixed_assumptions(small.inputs, {label})
    assert less["economy.parameters"] == everything["economy.parameters"] - 1
    assert "plan.measures" in everything


def test_entries_that_move_together_are_one_parameter(small: Runner) -> None:
    table = small.parameters
    values = np.array([small.parameters_of(run) for run in range(60)])
    features, scores, varying = features_of(values, table)
    assert len(features) == scores.shape[1]
    assert len(features) == len(np.unique(table.priors.draw[~table.priors.is_fixed]))
    assert len(varying) >= len(features)
    shared = next(e for e in table.entries if e.parameter.prior and e.parameter.prior.shared)
    assert f"{shared.process}.{shared.name}" in {feature.name for feature in features}
    assert scores.std(axis=0) == pytest.approx(np.ones(len(features)))


def test_what_was_fitted_is_neither_source_nor_assumption(small: Runner) -> None:
    values = np.array([small.parameters_of(run) for run in range(60)])
    features, _, varying = features_of(values, small.parameters)
    label = next(feature.name for feature in features if feature.name in varying)
    fitted, _, _ = features_of(values, small.parameters, (label,))
    assert {f.name: f.basis for f in fitted}[label] == "fitted"
    assert sum(f.basis == "fitted" for f in fitted) == 1


def test_a_parameter_s_basis_is_what_the_economy_says() -> None:
    rng = np.random.default_rng(1)
    entries = tuple(
        SimpleNamespace(process="growth", name=name, parameter=SimpleNamespace(source=source))
        for name, source in (("drift", "statistics of 2019"), ("risk", None), ("still", None))
    )
    table = SimpleNamespace(labels=("growth.drift", "growth.risk", "growth.still"), entries=entries)
    values = np.column_stack([rng.normal(size=(50, 2)), np.ones(50)])
    features, scores, varying = features_of(values, table)  # type: ignore[arg-type]
    assert [(f.name, f.basis) for f in features] == [
        ("growth.drift", "source"),
        ("growth.risk", "assumption"),
    ]
    assert varying == {"growth.drift", "growth.risk"}
    order = np.argsort(values[:, 0])
    expected = ndtri((np.arange(50) + 0.5) / 50)
    assert scores[order, 0] == pytest.approx(expected / expected.std())


def test_the_notes_say_how_much_rests_on_assumptions(
    answered: tuple[Answer, Path], small: Runner
) -> None:
    answer, _ = answered
    said = [note.en for note in notes(answer, small.inputs.scenario.name)]
    (line,) = [text for text in said if "comes from parameters that are assumptions" in text]
    assert answer.uncertainty is not None
    assert f"{sum(answer.uncertainty.fixed.values()):,} more assumptions" in line
    assert "fitted" not in line
    known = replace(answer.uncertainty, varied=answer.uncertainty.varied | {"fitted": 3})
    more = notes(replace(answer, uncertainty=known), small.inputs.scenario.name)
    assert any("% from fitted ones" in note.en for note in more)
    bare = notes(replace(answer, uncertainty=None), small.inputs.scenario.name)
    assert len(bare) == len(said) - 1


def test_the_summary_holds_the_split_and_the_page_its_fields(
    answered: tuple[Answer, Path],
) -> None:
    answer, out = answered
    summary = Summary.model_validate_json((out / "summary.json").read_text("utf-8"))
    assert summary.uncertainty is not None
    assert answer.uncertainty is not None
    assert len(summary.uncertainty.split) == len(answer.uncertainty.split)
    (first, *_) = (r for r in summary.uncertainty.split if r.zone == DISTRICT)
    assert first.assumption == answer.uncertainty.split.iloc[0]["assumption"]
    page = (DOCS / "summary.md").read_text("utf-8")
    schema = json.loads(schema_text())["$defs"]
    for name in ("UncertaintyRecord", "SplitRecord", "LargestRecord"):
        fields = schema[name]["properties"]
        assert [field for field in fields if f"`{field}`" not in page] == []


def test_the_page_s_table_is_made_as_it_says(answered: tuple[Answer, Path], tmp_path: Path) -> None:
    page = (DOCS / "uncertainty.md").read_text("utf-8")
    found = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert found is not None
    shutil.copytree(answered[1], tmp_path / "out" / "baseline")
    done = subprocess.run(
        [sys.executable, "-c", found.group(1)], cwd=tmp_path, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    assert "pilot_projects" in done.stdout
    assert "assumption" in page.partition("gives, in percent:")[2]
