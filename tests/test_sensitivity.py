"""Sensitivity: known answers by closed forms, the small district, refusals, the command."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from sim.analysis.evaluation import Flags, Outcomes
from sim.analysis.factors import space_of
from sim.analysis.indices import design, indices
from sim.analysis.outputs import chance_share
from sim.analysis.screening import screen, trajectories
from sim.analysis.sensitivity import PILOT, WIDEST, Sensitivity, sensitivity, verdict
from sim.analysis.sensitivity_record import SensitivityRecord, record_of, schema_text
from sim.blueprint import Floats
from sim.cli import app
from sim.economy import Lever
from sim.errors import RunError
from sim.parameters import table_of
from sim.plan import DISTRICT
from sim.processes import PARAMETERS
from sim.report.sensitivity_table import lines, tables
from sim.report.tornado import drawn, tornado
from sim.runner import Runner
from sim.scenario import Inputs

LEVERS = ["rent_relief", "talent_subsidy", "foreign_entry"]
Formula = Callable[[Floats], float]


class ClosedForm:
    """A formula of three levers, each 0 to 1, in place of the model; chance comes with the run."""

    def __init__(self, formula: Formula, noise: float = 0.0, names: Sequence[str] = LEVERS) -> None:
        self.formula, self.noise, self.names = formula, noise, names
        self.made = 0

    def evaluate(
        self, variants: Sequence[Inputs], runs: int | range, needed: Flags | None = None
    ) -> Outcomes:
        runs = range(runs) if isinstance(runs, int) else runs
        luck = np.random.default_rng(runs.start).normal(size=(len(variants), len(runs)))
        common = np.random.default_rng(runs.start + 1).normal(size=len(runs))
        value = np.array([self.formula(self.point(variant)) for variant in variants])
        values = value[:, None] + self.noise * (luck + common)
        if needed is not None:
            values[~needed] = np.nan
        self.made += int(np.isfinite(values).sum())
        target = variants[0].plan.targets[0].id
        limits = np.full((len(variants), 1), 0.0)
        columns = (f"{target}.{DISTRICT}",)
        return Outcomes(variants[0].plan, runs, columns, values[:, :, None], limits)

    def point(self, variant: Inputs) -> Floats:
        rules = variant.economy.levers
        found = {setting.lever: setting.value for setting in variant.scenario.levers}
        return np.array(
            [
                (found[name] - rules[name].low) / (rules[name].high - rules[name].low)
                for name in self.names
            ]
        )


def ishigami(point: Floats) -> float:
    """Ishigami and Homma (1990), a = 7, b = 0.1."""
    x, y, z = np.pi * (2.0 * point - 1.0)
    return float(np.sin(x) + 7.0 * np.sin(y) ** 2 + 0.1 * z**4 * np.sin(x))


FIRST, TOTAL = np.array([0.3139, 0.4424, 0.0]), np.array([0.5576, 0.4424, 0.2437])


def by_formula(small: Runner, form: ClosedForm, **options: object) -> Sensitivity:
    return sensitivity(
        small.inputs, levers=list(form.names), evaluator=form, **{"budget": 10_240, **options}
    )


# Known answers


@pytest.mark.parametrize("noise", [0.0, 2.0])
@pytest.mark.parametrize("seed", [1, 2])
def test_sobol_indices_of_the_ishigami_function(small: Runner, noise: float, seed: int) -> None:
    form = ClosedForm(ishigami, noise)
    found = by_formula(small, form, seed=seed)
    assert found.size == 1024
    assert found.runs == form.made == 10_240
    mean = next(one for one in found.indexed if one.output.measure == "mean")
    assert mean.mean == pytest.approx(3.5, abs=0.3)
    for estimate, reach, truth in (
        (mean.indices.first, mean.indices.first_reach, FIRST),
        (mean.indices.total, mean.indices.total_reach, TOTAL),
    ):
        assert (np.abs(estimate - truth) <= 1.5 * reach).all()
        assert (reach < 0.13).all()
    assert [verdict(mean, n) for n in range(3)] == ["matters"] * 3
    variance = 7.0**2 / 8 + 0.1 * np.pi**4 / 5 + 0.01 * np.pi**8 / 18 + 0.5
    chance = 2.0 * noise**2 / (variance + 2.0 * noise**2)
    assert mean.chance == pytest.approx(chance, abs=0.08)


def test_chance_is_not_taken_for_interplay() -> None:
    """With noise as large as the signal plain indices of the mean of two would be near a third."""
    random, points = np.random.default_rng(3), design(3, 2048, 1)
    value = points @ np.array([3.0, 1.0, 0.0])
    halves = value + random.normal(0.0, value.std(), (2, len(value)))
    found = indices(3, halves, 1)
    assert found.total[0] == pytest.approx(0.9, abs=0.12)
    assert found.total[2] == pytest.approx(0.0, abs=0.12)
    assert chance_share(halves) == pytest.approx(0.5, abs=0.05)


def test_a_smaller_design_is_the_beginning_of_a_larger() -> None:
    assert np.array_equal(design(4, 256, 7)[: 64 * 6], design(4, 64, 7))
    assert not np.array_equal(design(4, 64, 7), design(4, 64, 0))


def test_an_index_that_never_varies_is_none_and_one_of_pure_chance_is_not_told() -> None:
    constant = indices(2, np.ones((2, 256)), 1)
    assert not constant.total.any()
    assert not constant.total_reach.any()
    noise = np.random.default_rng(1).normal(size=(2, 1024))
    assert (indices(2, noise, 1).total_reach > WIDEST).all()


@pytest.mark.parametrize("seed", [0, 5])
def test_screening_of_a_linear_function_gives_its_coefficients(seed: int) -> None:
    names, slope = list("abcd"), np.array([4.0, -2.0, 0.5, 0.0])
    points = trajectories(names, 10, seed)
    halves = np.stack([points @ slope] * 2)
    found = screen(names, points, halves, seed)
    assert found.effect == pytest.approx(slope / 2)
    assert found.strength == pytest.approx(abs(slope) / 2)
    assert found.spread == pytest.approx(0.0, abs=1e-9)
    assert found.matters.tolist() == [True, True, True, False]
    assert found.share == pytest.approx(slope**2 / (slope**2).sum())


def test_screening_tells_effects_from_chance(small: Runner) -> None:
    form = ClosedForm(lambda point: 10.0 * point[0], 1.0)
    found = by_formula(small, form, method="morris", budget=160)
    (mean, *_) = found.screened
    assert found.trajectories == 20
    assert mean.effects.matters.tolist() == [True, False, False]
    assert verdict(mean, 0) == "matters"
    assert mean.ends.high[0] - mean.ends.low[0] == pytest.approx(7.5, abs=1.0)


class OfParameters(ClosedForm):
    """A formula of the values of two parameters, whatever else varies."""

    def point(self, variant: Inputs) -> Floats:
        held = variant.scenario.parameters
        found = []
        for name in self.names:
            process, parameter = name.split(".")
            record = variant.economy.parameters[process][parameter]
            found.append((held[name] - record.low) / (record.high - record.low))
        return np.array(found)


def test_of_many_parameters_the_few_that_matter_get_indices(small: Runner) -> None:
    factors = space_of(small.inputs, parameters=["all"]).factors
    single = [factor.name for factor in factors if len(factor.places) == 1]
    names = [single[3], single[20]]
    form = OfParameters(lambda point: 5.0 * point[0] - 5.0 * point[1], 1e-3, names)
    found = sensitivity(small.inputs, evaluator=form, budget=4000, target=None)
    assert len(factors) == 122
    assert found.trajectories == 10
    assert {factor.name for factor in found.chosen.factors} == set(names)
    assert found.runs == form.made <= 4000
    record = record_of(found)
    assert {factor.name for factor in record.factors if factor.indexed} == set(names)
    assert sum(row.verdict == "matters" for row in record.indices if row.measure == "mean") == 2
    assert not record.over_priors
    assert "Screened by 10 Morris trajectories; 2 factors" in " ".join(
        line.en for line in lines(record)
    )


# What is varied


def test_a_shared_draw_is_one_factor_and_a_point_is_the_prior_s_quantile(small: Runner) -> None:
    space = space_of(small.inputs, parameters=["all"], levers=["rent_relief"])
    table = table_of(small.inputs, PARAMETERS)
    free = [place for place, fixed in enumerate(table.priors.is_fixed) if not fixed]
    assert len(space.factors) == len({table.priors.draw[place] for place in free}) + 1
    assert sorted(place for factor in space.factors for place in factor.places) == free
    shared = next(n for n, factor in enumerate(space.factors) if len(factor.places) > 1)
    point = np.full(len(space.factors), 0.5)
    point[shared] = 0.9
    variant = space.variant(point)
    values = table.priors.quantile(np.full(len(table.labels), 0.9))
    middle = table.priors.quantile(np.full(len(table.labels), 0.5))
    for place in free:
        expected = values if place in space.factors[shared].places else middle
        assert variant.scenario.parameters[table.labels[place]] == pytest.approx(expected[place])
    assert variant.scenario.levers[-1].value == pytest.approx(0.5)


def test_a_process_means_its_parameters_and_an_entry_its_draw(small: Runner) -> None:
    table = table_of(small.inputs, PARAMETERS)
    space = space_of(small.inputs, parameters=["talent"])
    assert len(space.factors) > 1
    assert all(factor.name.startswith("talent.") for factor in space.factors)
    entry = table.labels[space.factors[0].places[0]]
    assert space_of(small.inputs, parameters=[entry]).factors == space.factors[:1]
    assert len(space_of(small.inputs, levers=["all"]).factors) == len(Lever)


# Two seeds


@pytest.fixture(scope="module")
def closed(small: Runner) -> list[SensitivityRecord]:
    """Indices of a noisy formula, by two seeds; of its third lever little can be told."""
    form = ClosedForm(lambda point: 3.0 * point[0] + point[1] * point[2], 0.5)
    return [record_of(by_formula(small, form, seed=seed, budget=1280)) for seed in (1, 2)]


@pytest.fixture(scope="module")
def district(small: Runner) -> list[SensitivityRecord]:
    """Screening of two levers in the small district, by two seeds."""
    levers = ["recruitment_funds", "rent_relief"]
    return [
        record_of(
            sensitivity(
                small.inputs, levers=levers, method="morris", budget=72, zone=DISTRICT, seed=seed
            )
        )
        for seed in (1, 2)
    ]


def test_two_seeds_do_not_contradict_each_other_on_indices(
    closed: list[SensitivityRecord],
) -> None:
    one, other = ({(row.measure, row.factor): row for row in record.indices} for record in closed)
    assert one.keys() == other.keys()
    for key, row in one.items():
        twin = other[key]
        assert max(row.first_low, twin.first_low) <= min(row.first_high, twin.first_high)
        assert max(row.total_low, twin.total_low) <= min(row.total_high, twin.total_high)
    assert one["mean", LEVERS[0]].verdict == other["mean", LEVERS[0]].verdict == "matters"


def test_two_seeds_do_not_contradict_each_other_in_the_district(
    district: list[SensitivityRecord],
) -> None:
    one, other = (
        {(row.target, row.measure, row.factor): row for row in record.screening}
        for record in district
    )
    assert one.keys() == other.keys()
    for key, row in one.items():
        twin = other[key]
        reach = row.strength_high - row.strength + twin.strength_high - twin.strength
        noise = row.floor + twin.floor
        assert abs(row.strength - twin.strength) <= 1.5 * reach + noise, key
        assert {row.verdict, twin.verdict} != {"matters", "negligible"}, key
    assert {row.verdict for row in one.values()} >= {"matters", "cannot be told"}


def cells(record: SensitivityRecord, small: Runner) -> list[str]:
    (table,) = tables(record, small.inputs.plan, "en")
    return [str(cell) for column in table.columns for cell in column.cells]


def test_numbers_are_shown_only_where_they_are_told(
    small: Runner, closed: list[SensitivityRecord]
) -> None:
    for row in closed[0].indices:
        for name in ("first", "total"):
            wide = getattr(row, f"{name}_high") - getattr(row, f"{name}_low") > 2 * WIDEST
            value = getattr(row, name)
            assert (value is None) == wide
            assert value is None or 0.0 <= value <= 1.0
    text = cells(closed[0], small)
    assert any("cannot be told" in cell for cell in text)
    assert any(cell.startswith("0.") for cell in text)
    assert not any("-0." in cell or "−0." in cell for cell in text)
    assert "cannot be told" in " ".join(line.en for line in lines(closed[0]))


def test_each_target_has_a_tornado(
    small: Runner, closed: list[SensitivityRecord], district: list[SensitivityRecord]
) -> None:
    shown = drawn(district[0])
    assert {target for target, _ in shown} == {*small.inputs.plan.target_ids(), "all"}
    for record in (closed[0], district[0]):
        for language in ("zh", "en", "both"):
            figure = tornado(record, small.inputs.plan, *drawn(record)[0], language=language)
            assert len(figure.axes) == 3


# Refused, and the command


def refused(small: Runner, **options: object) -> str:
    form = ClosedForm(ishigami, 20.0)
    with pytest.raises(RunError) as caught:
        by_formula(small, form, **options)
    return str(caught.value)


def test_a_budget_that_tells_nothing_is_refused_with_one_that_would(small: Runner) -> None:
    assert "need at least 640 (a pilot of 64 × 5 points, 2 runs each)" in refused(small, budget=600)
    assert "at least 80 (10 trajectories" in refused(small, budget=70, method="morris")
    message = refused(small, budget=700, target=small.inputs.plan.targets[0].id)
    assert "a pilot of 640 runs" in message
    advised = int(message.split("outputs; ")[1].split(" ")[0].replace(",", ""))
    assert advised >= 4 * 10 * PILOT


def test_a_parameter_that_cannot_vary_is_refused(small: Runner) -> None:
    table = table_of(small.inputs, PARAMETERS)
    fixed = table.labels[int(np.flatnonzero(table.priors.is_fixed)[0])]
    with pytest.raises(RunError, match="has no prior"):
        space_of(small.inputs, parameters=[fixed])
    with pytest.raises(RunError, match=r"did you mean 'talent\.attrition'"):
        space_of(small.inputs, parameters=["talent.atrition"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--levers", "rent_releif"], "did you mean 'rent_relief'"),
        (["--parameters", "talent.atrition"], "did you mean 'talent.attrition'"),
        (["--target", "batery_output"], "did you mean 'battery_output'"),
        (["--zone", "airfeld"], "did you mean 'airfield'"),
        (["--repeats", "3"], "an even number"),
        (["--budget", "10"], "need at least"),
    ],
)
def test_the_command_refuses_and_writes_nothing(
    small_scenario: Path, tmp_path: Path, options: list[str], message: str
) -> None:
    out = tmp_path / "out"
    result = CliRunner().invoke(
        app, ["sensitivity", str(small_scenario), "--out", str(out), *options]
    )
    assert result.exit_code == 2
    assert message in result.output
    assert not out.exists()


def test_the_command_leaves_tables_and_charts_and_goes_on_from_its_runs(
    small_scenario: Path, tmp_path: Path
) -> None:
    command = [
        "sensitivity", str(small_scenario), "--levers", "rent_relief", "--method", "morris",
        "--budget", "40", "--zone", "airfield", "--workers", "1", "--out", str(tmp_path / "s"),
    ]  # fmt: skip
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    text = (tmp_path / "s" / "sensitivity.json").read_text(encoding="utf-8")
    record = SensitivityRecord.model_validate_json(text)
    assert (record.runs, record.trajectories, record.size) == (40, 10, 0)
    table = pd.read_csv(tmp_path / "s" / "screening.csv")
    assert len(table) == len(record.screening)
    assert set(table["zone"]) == {"airfield"}
    assert list((tmp_path / "s" / "charts").glob("tornado-*-airfield.svg"))
    files = sorted((tmp_path / "s" / "evaluations").iterdir())
    again = CliRunner().invoke(app, [*command, "--no-charts"])
    assert again.exit_code == 0
    assert (tmp_path / "s" / "sensitivity.json").read_text(encoding="utf-8") == text
    assert sorted((tmp_path / "s" / "evaluations").iterdir()) == files


def test_the_page_documents_every_field() -> None:
    page = (Path(__file__).parents[1] / "docs" / "sensitivity.md").read_text(encoding="utf-8")
    schema = json.loads(schema_text())
    for part in [schema, *schema["$defs"].values()]:
        for field in part.get("properties", {}):
            assert f"`{field}`" in page, field
