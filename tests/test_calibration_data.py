"""The published figures: how they are read, what they say of a value, where runs stand to them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from calibration import OBSERVATIONS
from calibration.predictive import cumulative, findings, predictive_table, quantile
from sim.analysis.observations import (
    Kind,
    Observation,
    Use,
    read_observations,
)
from sim.errors import FileError, ObservationError, PathError
from sim.runner import Runner
from tests.figures import figure

RUNS = 12
UNTIL = "2021-12"  # the last month that the plan's own forecast may know

Write = Callable[..., Path]


@pytest.fixture(scope="module")
def observations(real: Runner) -> list[Observation]:
    return read_observations(OBSERVATIONS, real.inputs, UNTIL)


@pytest.fixture(scope="module")
def predicted(real: Runner, observations: list[Observation]) -> np.ndarray:
    """What a few runs have for each figure (runs, figures)."""
    months = {"2020-12": 0, "2021-06": 6, "2021-12": 12}
    rows = []
    for run in range(RUNS):
        district = real.district(run)
        for _ in range(12):
            district.step()
        series = district.outcome().series
        found = series.reshape(len(series), -1)
        rows.append(
            [
                found[months[o.month], real.series_columns.index(f"{o.indicator}.{o.zone}")]
                for o in observations
            ]
        )
    return np.array(rows)


@pytest.fixture
def table(tmp_path: Path) -> Write:
    """Writes the real file with cells of its line 5 (a row for the fit) changed."""

    def write(**cells: str) -> Path:
        frame = pd.read_csv(OBSERVATIONS, dtype=str, keep_default_na=False)
        for column, text in cells.items():
            frame.loc[3, column] = text
        file = tmp_path / "observations.csv"
        frame.to_csv(file, index=False)
        return file

    return write


def observation(**changes: object) -> Observation:
    return figure(**{"value": 1900, "noise_sd": 0.03} | changes)


def test_every_figure_has_a_source_and_lies_before_the_cut(
    observations: list[Observation],
) -> None:
    assert len(observations) == len({item.id for item in observations}) > 8
    for item in observations:
        assert item.source_title
        assert item.source_date
        assert item.month <= UNTIL
    assert {item.use for item in observations} == set(Use)


def test_the_data_dictionary_names_every_column() -> None:
    text = (OBSERVATIONS.parent / "README.md").read_text(encoding="utf-8")
    for column in Observation.model_fields:
        assert re.search(rf"^\|.*\b{column}\b.*\|", text, re.MULTILINE), column


@pytest.mark.parametrize(
    ("column", "text", "named", "message"),
    [
        ("value", "many", "value", "found 'many'; a number is needed"),
        ("value", "nan", "value", "a finite number is needed"),
        ("value", "-3", "value", "found -3; allowed: above 0"),
        ("value", "", "value", "is missing; it must be given"),
        ("noise_sd", "5", "noise_sd", "allowed: 0 to 1"),
        ("noise_sd", "0", "noise_sd", "above 0 is needed"),
        ("zone", "zhangjang", "zone", "unknown zone 'zhangjang'; did you mean 'zhangjiang'?"),
        (
            "indicator",
            "ai_firm",
            "indicator",
            "unknown indicator 'ai_firm'; did you mean 'ai_firms'?",
        ),
        ("indicator", "fill_rate", "indicator", "unknown indicator 'fill_rate'"),
        ("unit", "亿元", "unit", "found '亿元'; ai_firms is in 家"),
        ("kind", "ovr", "kind", "unknown kind 'ovr'; did you mean 'over'?"),
        ("use", "test", "use", "unknown use 'test'"),
        ("month", "2022-01", "month", "found '2022-01'; observations end with 2021-12"),
        ("month", "2021", "month", "a month is written like 2021-12"),
        ("month", "2020-12", "month", "allowed: after 2020-12"),
        ("use", "base", "month", "a figure of the base year is dated 2020-12"),
        ("source_title", "", "source_title", "is missing"),
        ("source_date", "2021-13-01", "source_date", "a day is written like 2022-02-24"),
        (
            "definition_ratio_low",
            "0.9",
            "definition_ratio_high",
            "is missing; give both ends of the range",
        ),
        ("id", "AI firms", "id", "small letters, digits and '_' are needed"),
        ("id", "ai_scale_2020", "id", "given twice"),
    ],
)
def test_a_wrong_cell_is_named_with_its_line_and_column(
    real: Runner, table: Write, column: str, text: str, named: str, message: str
) -> None:
    file = table(**{column: text})
    with pytest.raises(ObservationError) as caught:
        read_observations(file, real.inputs, UNTIL)
    first = str(caught.value).splitlines()[0]
    assert first.startswith(f"{file}, line 5, column {named}: ")
    assert message in first


def test_all_wrong_cells_are_named_at_once(real: Runner, table: Write) -> None:
    with pytest.raises(ObservationError) as caught:
        read_observations(table(zone="mars", unit="t"), real.inputs, UNTIL)
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("month,value", "month,valu", 1), "did you mean 'value'?"),
        (lambda text: text.replace(",note", "", 1), "column note: is missing"),
        (lambda text: text.replace("month,value", "month,month", 1), "is given twice"),
        (lambda text: text + "one,two\n", "found 2 cells for 14 columns"),
        (lambda text: text.splitlines()[0] + "\n", "holds no observation"),
    ],
)
def test_a_wrong_table_is_refused(
    real: Runner, tmp_path: Path, change: Callable[[str], str], message: str
) -> None:
    file = tmp_path / "observations.csv"
    file.write_text(change(OBSERVATIONS.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(ObservationError, match=re.escape(message)):
        read_observations(file, real.inputs, UNTIL)


def test_a_file_that_cannot_be_read_is_refused(real: Runner, tmp_path: Path) -> None:
    with pytest.raises(PathError, match="no such file"):
        read_observations(tmp_path / "none.csv", real.inputs, UNTIL)
    with pytest.raises(PathError, match="is a directory"):
        read_observations(tmp_path, real.inputs, UNTIL)
    (tmp_path / "old.csv").write_bytes("亿元".encode("gbk"))
    with pytest.raises(FileError, match="UTF-8"):
        read_observations(tmp_path / "old.csv", real.inputs, UNTIL)


def test_the_ends_of_a_definition_ratio_are_a_95_percent_range() -> None:
    item = observation(definition_ratio_low=0.9, definition_ratio_high=1.2, noise_sd=0)
    inside = norm(item.shift, item.sd)
    assert inside.cdf(np.log([0.9, 1.2])) == pytest.approx([0.025, 0.975])
    wider = observation(definition_ratio_low=0.9, definition_ratio_high=1.2, noise_sd=0.1)
    assert wider.sd == pytest.approx(np.hypot(item.sd, 0.1))


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("model", [400.0, 1500.0, 1900.0, 2300.0])
def test_the_likelihood_is_normal_in_logs_and_one_sided_for_bounds(
    kind: Kind, model: float
) -> None:
    item = observation(kind=kind, definition_ratio_low=0.95, definition_ratio_high=1.1)
    counted = norm(np.log(model) + item.shift, item.sd)  # ln of what the source would count
    expected = {
        Kind.EXACT: counted.logpdf,
        Kind.ABOUT: counted.logpdf,
        Kind.OVER: counted.logsf,
        Kind.NEARLY: counted.logcdf,
    }[kind](np.log(1900.0))
    assert item.log_likelihood(model) == pytest.approx(expected, rel=1e-9)
    both = item.log_likelihood([model, 1.0])
    assert both.shape == (2,)
    assert both[0] == item.log_likelihood(model)


def test_a_bound_at_the_model_s_value_is_as_likely_as_not() -> None:
    for kind in (Kind.OVER, Kind.NEARLY):
        assert observation(kind=kind).log_likelihood(1900) == pytest.approx(np.log(0.5))


def test_nothing_at_all_is_below_every_figure() -> None:
    assert observation(kind="nearly").log_likelihood(0) == 0
    for kind in ("exact", "about", "over"):
        assert observation(kind=kind).log_likelihood(0) == -np.inf
    for wrong in (-1.0, np.nan):
        with pytest.raises(ValueError, match="negative or not a number"):
            observation().log_likelihood(wrong)


def test_without_spread_of_runs_the_predictive_distribution_is_the_noise() -> None:
    item = observation(definition_ratio_low=0.95, definition_ratio_high=1.1)
    same = np.full(5, 1700.0)
    exact = norm(np.log(1700.0) + item.shift, item.sd)
    for level in (0.025, 0.5, 0.975):
        assert quantile(item, level, same) == pytest.approx(np.exp(exact.ppf(level)))
    assert cumulative(item, 1800.0, same) == pytest.approx(exact.cdf(np.log(1800.0)))


def test_the_base_year_is_met_by_every_run(
    observations: list[Observation], predicted: np.ndarray
) -> None:
    for item, values in zip(observations, predicted.T, strict=True):
        if item.use == Use.BASE:
            assert values == pytest.approx(item.value, rel=1e-4)
        else:
            assert np.ptp(values) > 0


def test_prior_runs_give_finite_likelihoods_and_ordered_quantiles(
    observations: list[Observation], predicted: np.ndarray
) -> None:
    for item, values in zip(observations, predicted.T, strict=True):
        assert np.isfinite(item.log_likelihood(values)).all()
    found = predictive_table(observations, predicted)
    levels = found[["q025", "q25", "q50", "q75", "q975"]].to_numpy()
    assert (np.diff(levels, axis=1) > 0).all()
    assert found["position"].between(0, 1).all()


def test_a_figure_far_from_all_runs_is_said_to_lie_outside(
    observations: list[Observation], predicted: np.ndarray
) -> None:
    item = observation(value=4000)
    values = predicted[:, [o.id for o in observations].index("ic_scale_2021")][:, None]
    found = predictive_table([item], values)
    text = "\n".join(findings([item], found))
    assert "`one` (4,000 亿元) lies above the 95 % interval** (quantile > 0.999)." in text
