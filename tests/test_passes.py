"""The answer is read in one pass over the chunks, or in more where memory would not hold it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import sim.store
from sim import __version__
from sim.analysis.interval import Method
from sim.analysis.probability import answer, results
from sim.draws import AGAIN
from sim.montecarlo import columns_of, run_missing
from sim.runner import Runner
from sim.store import Pick, Store, open_store

RUNS = 110  # four chunks and a part of a fifth, and two chunks made again


@pytest.fixture(scope="module")
def store(small: Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    out = tmp_path_factory.mktemp("passes") / "out"
    with open_store(out, small.inputs, 1, __version__, columns_of(small)) as opened:
        run_missing(opened, small.inputs, 1, RUNS)
        yield opened


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Counter[Path]:
    """How often each file has been opened."""
    count: Counter[Path] = Counter()

    class Counted(pq.ParquetFile):  # type: ignore[misc]
        def __init__(self, file: BinaryIO) -> None:
            count[Path(file.name)] += 1
            super().__init__(file)

    monkeypatch.setattr(sim.store.pq, "ParquetFile", Counted)
    return count


def test_a_scan_gives_what_the_tables_hold(store: Store, small: Runner) -> None:
    months = small.blueprint.months()
    columns = ["firms.district", "technology_firms.airfield"]
    table = store.table("series", columns, RUNS).to_pandas()
    whole, few = store.scan("series", [Pick(columns), Pick(columns[1:], months[5:7])], RUNS)
    for column, values in zip(columns, whole, strict=True):
        assert np.array_equal(values.T.ravel(), table[column])
    assert np.array_equal(few, whole[1:, 5:7])
    drawn = store.table("parameters", ["talent.attrition"], RUNS).to_pandas()
    (values,) = store.scan("parameters", [Pick(["talent.attrition"])], RUNS)
    assert np.array_equal(values[0, 0], drawn["talent.attrition"])


def test_a_scan_adds_up_over_months_in_double_precision(store: Store) -> None:
    column = "rent_relief.airfield"
    spent = store.table("costs", [column], RUNS).to_pandas().astype({column: float})
    (sums,) = store.scan("costs", [Pick([column], total=True)], RUNS)
    assert sums.dtype == float
    expected = spent.groupby("run")[column].sum()
    np.testing.assert_allclose(sums[0, 0], expected, rtol=1e-14)


def test_a_scan_begins_where_it_is_told_to(store: Store, small: Runner) -> None:
    pick = Pick(["firms.district"])
    (again,) = store.scan("series", [pick], 50, AGAIN)
    column = small.series_columns.index("firms.district")
    months = len(small.blueprint.months())
    expected = small.run(AGAIN + 30).series.reshape(months, -1)[:, column]
    assert np.array_equal(again[0, :, 30], expected.astype(np.float32))


def test_an_answer_opens_each_chunk_once_a_table(
    store: Store, small: Runner, opened: Counter[Path]
) -> None:
    answer(store, small, RUNS)
    assert set(opened.values()) == {1}
    assert len(opened) == 5 + 5 + 2  # series and costs, and the series of runs made again


def test_an_answer_in_many_passes_is_the_same(
    store: Store, small: Runner, opened: Counter[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = answer(store, small, RUNS)
    opened.clear()
    monkeypatch.setattr(sim.store, "PASS_BYTES", 1_000)
    parts = answer(store, small, RUNS)
    assert min(opened.values()) > 1
    for name in ("results", "yearly", "monthly", "costs"):
        pd.testing.assert_frame_equal(getattr(whole, name), getattr(parts, name), check_exact=True)


def test_the_probabilities_alone_are_those_of_the_answer(store: Store, small: Runner) -> None:
    alone = results(store, small.blueprint, small.inputs.plan, RUNS, Method.WILSON)
    pd.testing.assert_frame_equal(alone, answer(store, small, RUNS).results, check_exact=True)


def test_the_yearly_figures_are_those_of_the_runs(store: Store, small: Runner) -> None:
    yearly = answer(store, small, RUNS).yearly
    rows = yearly[(yearly["zone"] == "old_docks") & (yearly["indicator"] == "smart_turnover")]
    column = "smart_turnover.old_docks"
    table = store.table("series", [column], RUNS).to_pandas().astype({"month": str, column: float})
    for _, row in rows.iterrows():
        values = table.loc[table["month"] == row["month"], column]
        assert row["mean"] == pytest.approx(values.mean(), rel=1e-12)
        for name, share in (("q05", 0.05), ("q25", 0.25), ("q75", 0.75), ("q95", 0.95)):
            assert row[name] == pytest.approx(values.quantile(share), rel=1e-12)
