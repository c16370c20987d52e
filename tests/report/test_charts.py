"""Charts, their font and their wording."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fontTools.ttLib import TTFont
from rich.console import Console

from sim import months
from sim.analysis.interval import interval, percent
from sim.figures import Name
from sim.plan import ALL_TARGETS, DISTRICT, Plan, Target, read_plan
from sim.report import style, wording
from sim.report.charts import fan_chart, probability_board, save
from sim.report.table import probability_table
from sim.report.wording import WHOLE_DISTRICT, probability_words

ROOT = Path(__file__).parents[2]
BASELINE = Name(zh="基准情景", en="Baseline")
LANGUAGES = ("zh", "en", "both")


@pytest.fixture(scope="module")
def plan() -> Plan:
    return read_plan(ROOT / "scenarios" / "plan.yaml")[0]


@pytest.fixture(scope="module")
def results(plan: Plan) -> pd.DataFrame:
    """Every pair but one zone's first target, with probabilities from 0 to 1."""
    pairs = [
        (zone, target)
        for zone in [DISTRICT, *plan.zone_ids()]
        for target in [*plan.target_ids(), ALL_TARGETS]
        if (zone, target) != (plan.zone_ids()[0], plan.target_ids()[0])
    ]
    table = pd.DataFrame(pairs, columns=["zone", "target"])
    probability = np.linspace(0, 1, len(table))
    return table.assign(
        threshold=50.0,
        probability=probability,
        low=np.maximum(0, probability - 0.04),
        high=np.minimum(1, probability + 0.04),
        runs=500,
    )


def history_of(target: Target, plan: Plan) -> pd.DataFrame:
    span = np.linspace(0, target.threshold.value, plan.horizon + 1)
    quantiles = {"q05": 0.7, "q25": 0.9, "q50": 1.0, "q75": 1.1, "q95": 1.4}
    return pd.DataFrame(
        {"month": [months.after(plan.start, n) for n in range(len(span))]}
        | {name: factor * span for name, factor in quantiles.items()}
    )


def glyphs_missing_for(text: str) -> set[str]:
    known = TTFont(style.FONT_FILE).getBestCmap()
    return {character for character in text if ord(character) not in known and character >= " "}


def test_the_font_that_is_shipped_has_every_character_of_the_plan() -> None:
    assert not glyphs_missing_for((ROOT / "scenarios" / "plan.yaml").read_text().replace("─", ""))


def test_the_font_that_is_shipped_has_every_character_of_the_charts() -> None:
    sources = (ROOT / "sim" / "report").glob("*.py")
    assert not glyphs_missing_for("".join(path.read_text() for path in sources))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_board_draws_every_pair_without_a_missing_glyph(
    plan: Plan, results: pd.DataFrame, language: wording.Language, tmp_path: Path
) -> None:
    figure = probability_board(results, plan, scenario=BASELINE, seed=1, language=language)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts.count("–") == 1
    assert sum(text.endswith("%") for text in texts) == len(results)
    save(figure, tmp_path / "board", formats=("png",))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_target_has_a_fan_without_a_missing_glyph(
    plan: Plan, language: wording.Language, tmp_path: Path
) -> None:
    words = probability_words(0.62, 0.58, 0.66, runs=500)
    for target in plan.targets:
        figure = fan_chart(
            history_of(target, plan),
            target,
            WHOLE_DISTRICT,
            target.threshold.value,
            words,
            scenario=BASELINE,
            language=language,
        )
        assert figure.axes[1].get_ylim()[1] > target.threshold.value
    save(figure, tmp_path / "fan", formats=("png",))


def test_all_text_lies_inside_the_board(plan: Plan, results: pd.DataFrame) -> None:
    figure = probability_board(results, plan, scenario=BASELINE, seed=1)
    page = figure.bbox
    for text in figure.axes[0].texts:
        box = text.get_window_extent()
        assert page.x0 <= box.x0 < box.x1 <= page.x1, text.get_text()
        assert page.y0 <= box.y0 < box.y1 <= page.y1, text.get_text()


def test_a_chart_saved_twice_is_the_same_file_and_its_svg_needs_no_font(
    plan: Plan, results: pd.DataFrame, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        save(probability_board(results, plan, scenario=BASELINE, seed=1), tmp_path / name)
    for kind in ("png", "svg"):
        first, second = tmp_path / f"one.{kind}", tmp_path / f"two.{kind}"
        assert first.read_bytes() == second.read_bytes()
    tags = {element.tag for element in ElementTree.parse(tmp_path / "one.svg").iter()}
    assert not any(tag.endswith("}text") for tag in tags)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "one.png",
        "one.svg",
        "two.png",
        "two.svg",
    ]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [80, 120])
def test_the_terminal_table_fits_its_width(
    plan: Plan, results: pd.DataFrame, language: wording.Language, width: int
) -> None:
    table = probability_table(results, plan, width=width, language=language)
    assert len(table.columns) == 1 + 1 + len(plan.zones)
    assert table.row_count == len(plan.targets) + 1
    console = Console(width=width)
    with console.capture() as shown:
        console.print(table)
    assert "…" not in shown.get()


def test_a_narrow_terminal_gets_a_list(plan: Plan, results: pd.DataFrame) -> None:
    table = probability_table(results, plan, width=60)
    assert table.row_count == len(results) + 1 + len(plan.zones)


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (0.0, "<1 %"),
        (0.004, "<1 %"),
        (0.01, "1 %"),
        (0.624, "62 %"),
        (0.99, "99 %"),
        (0.997, ">99 %"),
        (1.0, ">99 %"),
        (float("nan"), "–"),
    ],
)
def test_a_probability_is_never_said_to_be_certain(probability: float, words: str) -> None:
    assert percent(probability) == words


def test_a_probability_beyond_its_bounds_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        percent(1.2)


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(0.0, 0.0076, "0–1"), (0.58, 0.661, "58–67"), (0.9924, 1.0, "99–100")],
)
def test_an_interval_is_rounded_outwards(low: float, high: float, words: str) -> None:
    assert interval(low, high) == words
