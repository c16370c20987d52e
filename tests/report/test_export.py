"""The workbook and the CSV files hold the forecast's numbers, as numbers, with their units."""

from __future__ import annotations

import json
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from typer.testing import CliRunner

from sim.analysis.published import read_published
from sim.cli import app
from sim.report import extra
from sim.report.sheets import Sheet, sheets_of


@pytest.fixture(scope="module")
def sheets(finished_small: Path) -> dict[str, Sheet]:
    return {sheet.key: sheet for sheet in sheets_of(read_published(finished_small))}


@pytest.fixture(scope="module")
def book(finished_small: Path, tmp_path_factory: pytest.TempPathFactory) -> openpyxl.Workbook:
    file = tmp_path_factory.mktemp("export") / "small.xlsx"
    result = CliRunner().invoke(app, ["export", str(finished_small), "--out", str(file)])
    assert result.exit_code == 0, result.output
    return openpyxl.load_workbook(file)


def test_the_workbook_holds_the_probabilities_of_the_summary_as_numbers(
    book: openpyxl.Workbook, finished_small: Path
) -> None:
    said = json.loads((finished_small / "summary.json").read_text())["results"]
    rows = list(book["达成概率 Probabilities"].iter_rows(values_only=True))
    place = [str(head).split("\n")[1] for head in rows[0]].index("Probability")
    shown = {(row[0], row[3]): row[place] for row in rows[1:]}
    assert shown == {(row["zone"], row["target"]): row["probability"] for row in said}


def test_every_sheet_has_a_header_in_both_languages_that_stays_in_view(
    book: openpyxl.Workbook, sheets: dict[str, Sheet]
) -> None:
    assert len(book.worksheets) == len(sheets)
    for page, sheet in zip(book.worksheets, sheets.values(), strict=True):
        heads = [cell.value for cell in page[1]]
        assert heads == [f"{column.name.zh}\n{column.name.en}" for column in sheet.columns]
        assert page.freeze_panes == "A2"
        assert page.max_row == len(sheet.rows) + 1
        assert all(page.column_dimensions[letter].width >= 8 for letter in "ABC")


def test_probabilities_are_shown_in_percent_and_missing_figures_are_empty(
    book: openpyxl.Workbook, sheets: dict[str, Sheet]
) -> None:
    page = book["达成概率 Probabilities"]
    keys = [column.key for column in sheets["probabilities"].columns]
    assert page.cell(2, keys.index("probability") + 1).number_format == "0.0%"
    missing = sheets["inputs"].rows["source"].isna().tolist().index(True)
    place = [column.key for column in sheets["inputs"].columns].index("source")
    assert book["输入数据来源 Inputs"].cell(missing + 2, place + 1).value is None


def test_the_csv_files_hold_the_same_as_the_workbook(
    finished_small: Path, sheets: dict[str, Sheet], tmp_path: Path
) -> None:
    options = ["--format", "csv", "--out", str(tmp_path / "tables")]
    result = CliRunner().invoke(app, ["export", str(finished_small), *options])
    assert result.exit_code == 0, result.output
    assert sorted(file.stem for file in (tmp_path / "tables").iterdir()) == sorted(sheets)
    for key in ("yearly", "costs", "probabilities"):
        found = pd.read_csv(tmp_path / "tables" / f"{key}.csv")
        wanted = sheets[key].rows[[column.key for column in sheets[key].columns]]
        pd.testing.assert_frame_equal(
            found, wanted.reset_index(drop=True), check_dtype=False, rtol=1e-12
        )
    assert (tmp_path / "tables" / "about.csv").read_bytes().startswith(b"\xef\xbb\xbf")


def test_the_dictionary_explains_every_column_in_both_languages(sheets: dict[str, Sheet]) -> None:
    listed = set(zip(*(sheets["dictionary"].rows[n] for n in ("sheet_en", "column")), strict=True))
    others = [sheet for key, sheet in sheets.items() if key != "dictionary"]
    assert listed == {(sheet.name.en, column.key) for sheet in others for column in sheet.columns}
    assert (sheets["dictionary"].rows["meaning_zh"].str.len() > 0).all()


def test_every_series_and_item_has_a_name_and_a_unit(sheets: dict[str, Sheet]) -> None:
    for key, column in (("yearly", "indicator"), ("costs", "item")):
        rows = sheets[key].rows
        assert (rows[f"{column}_zh"] != rows[column]).all()
        assert (rows["unit_zh"].str.len() > 0).all()


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("x.csv", "its name must end in .xlsx"),
        ("nowhere/x.xlsx", "no such directory"),
        ("{own}/runs/x.xlsx", "is a part of the forecast"),
    ],
)
def test_a_place_that_cannot_be_is_refused(
    own_small: Path, tmp_path: Path, out: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    place = out.format(own=own_small)
    result = CliRunner().invoke(app, ["export", str(own_small), "--out", place])
    assert result.exit_code == 2
    assert message in result.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_without_the_library_the_message_says_what_to_install(
    own_small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(extra, "import_module", gone)
    result = CliRunner().invoke(app, ["export", str(own_small)])
    assert result.exit_code == 2
    assert "pip install 'pudong-sim[brief]'" in result.stderr
    assert not (own_small / "export.xlsx").exists()
