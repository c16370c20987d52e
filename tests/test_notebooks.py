"""The notebooks run from end to end, say the same as their sources, and know no machine.

Where a cell needs hundreds of runs the small district stands in: scenario and figures are
parameters of the notebook, and a fit of another district needs no change of code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

from notebooks.execute import FOLDER, SOURCES, cleaned, executed

ROOT = Path(__file__).parents[1]
LARGEST = 1_000_000  # bytes of an executed notebook, so that a forge shows it

FIGURES = """\
id,indicator,zone,month,value,unit,kind,definition_ratio_low,definition_ratio_high,noise_sd,use,source_title,source_date,note
turnover,smart_turnover,district,2026-05,86,亿元,nearly,,,0.03,fit,made up,2026-07-01,
staff,skilled_staff,district,2025-06,22100,人,exact,0.98,1.02,0.02,fit,made up,2026-07-01,
firms,technology_firms,district,2026-05,122,家,over,,,0.03,fit,made up,2026-07-01,
firms_again,technology_firms,district,2026-05,135,家,about,,,0.05,check,made up,2026-07-01,
"""
HISTORY = """\
id,indicator,zone,month,value,unit,kind,definition_ratio_low,definition_ratio_high,noise_sd,proxy,source_title,source_date,note
turnover_2022,smart_turnover,district,2022-06,35,亿元,exact,,,0.03,,made up,2023-07-01,
turnover_2023,smart_turnover,district,2023-06,42,亿元,exact,,,0.03,,made up,2023-07-01,
firms_2022,technology_firms,district,2022-06,90,家,exact,,,0.03,,made up,2023-07-01,
firms_2023,technology_firms,district,2023-06,99,家,exact,,,0.03,,made up,2023-07-01,
"""


@pytest.fixture(scope="module")
def parameters(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    """Few runs, and the small district where few are not enough."""
    folder = tmp_path_factory.mktemp("figures")
    for name, text in (("figures", FIGURES), ("history", HISTORY)):
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    small: dict[str, object] = {
        "SCENARIO": str(ROOT / "tests" / "small_district" / "scenario.yaml"),
        "FIGURES": str(folder / "figures.csv"),
    }
    return {
        "01-first-forecast": {"RUNS": 25},
        "02-calibrate": small | {"UNTIL": "2026-05", "RUNS": 400, "CHECK_RUNS": 25},
        "03-what-if": {"RUNS": 25, "PAIRS": 3},
        "04-how-sure-are-we": small | {"RUNS": 400, "HISTORY": str(folder / "history.csv")},
    }


def outputs(notebook: Any) -> Iterator[Any]:
    for cell in notebook.cells:
        yield from cell.get("outputs", [])


def tree() -> set[str]:
    """What lies beside the notebooks and at the top of the project; caches of tools aside."""
    found = (file.name for folder in (ROOT, FOLDER) for file in folder.iterdir())
    return {name for name in found if not name.startswith((".", "__"))}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all, as for readers: a notebook takes up the runs of an earlier one."""
    return tmp_path_factory.mktemp("workspace")


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_a_notebook_runs_from_end_to_end(
    source: Path, parameters: dict[str, dict[str, object]], workspace: Path
) -> None:
    before = tree()
    notebook = cleaned(executed(source, workspace, **parameters[source.stem]))
    nbformat.validate(notebook)
    assert [one for one in outputs(notebook) if one.get("name") == "stderr"] == []
    assert any("image/png" in one.get("data", {}) for one in outputs(notebook))
    assert (workspace / "out").is_dir()
    assert tree() == before


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_what_readers_see_has_the_cells_of_its_source(source: Path) -> None:
    shown = jupytext.read(source.with_suffix(".ipynb"))
    cells = [(cell.cell_type, cell.source) for cell in jupytext.read(source).cells]
    assert [(cell.cell_type, cell.source) for cell in shown.cells] == cells


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_what_readers_see_was_executed_and_holds_nothing_that_changes_each_time(
    source: Path,
) -> None:
    file = source.with_suffix(".ipynb")
    shown = nbformat.read(file, as_version=4)
    code = [cell for cell in shown.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert {one.output_type for one in outputs(shown)} <= {
        "display_data",
        "execute_result",
        "stream",
    }
    assert [one for one in outputs(shown) if one.get("name") == "stderr"] == []
    again = cleaned(nbformat.read(file, as_version=4))
    assert nbformat.writes(again) == nbformat.writes(shown)
    assert file.stat().st_size < LARGEST


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_a_notebook_begins_with_what_it_is_about_in_both_languages(source: Path) -> None:
    first = jupytext.read(source).cells[0].source
    title, summary, prose = first.split("\n\n", 2)
    assert re.fullmatch(r"# \d · .+", title)
    assert re.match(r"> \*\*摘要\*\* .{3}", summary)
    assert re.match(r"[A-Z]", prose)


def test_a_notebook_that_fails_is_not_taken_for_executed(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("# %%\nforecats(runs=1)\n", encoding="utf-8")
    with pytest.raises(CellExecutionError, match="NameError"):
        executed(broken, tmp_path)
