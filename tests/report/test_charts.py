"""Charts, their font and their wording."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fontTools.ttLib import TTFont
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from numpy.typing import NDArray
from rich.console import Console
from typer.testing import CliRunner

from sim import months
from sim.analysis.interval import interval, percent
from sim.analysis.published import read_published
from sim.cli import app
from sim.errors import RunError
from sim.figures import Name
from sim.plan import ALL_TARGETS, DISTRICT, Plan, Target, read_plan
from sim.report import glyphs, style, wording
from sim.report.charts import fan_chart, probability_board, save
from sim.report.layout_map import can_be_drawn, layout_map
from sim.report.pictures import draw
from sim.report.ridge import ridge_chart
from sim.report.table import probability_table
from sim.report.wording import WHOLE_DISTRICT, probability_words

ROOT = Path(__file__).parents[2]
BASELINE = Name(zh="基准情景", en="Baseline")
Values = NDArray[np.float64]
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
    known = TTFont(glyphs.FIRST).getBestCmap()
    return {character for character in text if ord(character) not in known and character >= " "}


def test_the_font_that_is_shipped_has_every_character_of_the_plan() -> None:
    assert not glyphs_missing_for((ROOT / "scenarios" / "plan.yaml").read_text().replace("─", ""))


def test_the_font_that_is_shipped_has_every_character_of_the_charts() -> None:
    sources = (ROOT / "sim" / "report").rglob("*.py")
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
    assert glyphs.remark() == ""


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
        glyphs.note(style.texts(figure))
    save(figure, tmp_path / "fan", formats=("png",))
    assert glyphs.remark() == ""


def test_all_text_lies_inside_the_board(plan: Plan, results: pd.DataFrame) -> None:
    assert_inside(probability_board(results, plan, scenario=BASELINE, seed=1))


def assert_inside(figure: Figure) -> None:
    page = figure.bbox
    for text in figure.axes[0].texts:
        box = text.get_window_extent()
        assert page.x0 <= box.x0 < box.x1 <= page.x1, text.get_text()
        assert page.y0 <= box.y0 < box.y1 <= page.y1, text.get_text()


@pytest.fixture(scope="module")
def values(plan: Plan, results: pd.DataFrame) -> dict[str, dict[str, Values]]:
    """By target and zone: fifty runs from nothing to twice the threshold, whole where they must."""
    spread = np.linspace(0, 100, 50)
    return {
        target.id: {
            str(zone): np.round(spread) if target.quantity.whole else spread
            for zone in results.loc[results["target"] == target.id, "zone"]
        }
        for target in plan.targets
    }


DEGENERATE = {
    "one run": np.array([3.0]),
    "all the same": np.full(50, 7.0),
    "nothing": np.zeros(50),
    "the same but for rounding": 7.0 + 1e-6 * np.arange(50.0),
    "far off": np.linspace(0.9e9, 1e9, 50),
}


@pytest.mark.parametrize("limit", [0.001, 1e9])
@pytest.mark.parametrize("runs", DEGENERATE)
def test_runs_that_agree_or_lie_far_off_are_drawn_too(
    plan: Plan, results: pd.DataFrame, runs: str, limit: float
) -> None:
    values, target = DEGENERATE[runs], plan.targets[0]
    rows = results[results["target"] == target.id].assign(threshold=limit)
    ends = {str(zone): values for zone in rows["zone"]}
    ridge_chart(ends, rows, target, plan, scenario=BASELINE, seed=1, language="zh")
    levels = {f"q{level:02d}": np.quantile(values, level / 100) for level in (5, 25, 50, 75, 95)}
    history = [{"month": months.after(plan.start, step)} | levels for step in range(25)]
    fan_chart(
        pd.DataFrame(history),
        target,
        BASELINE,
        limit,
        probability_words(0.5, 0.4, 0.6, 50),
        scenario=BASELINE,
        language="zh",
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_target_has_a_ridge_for_each_zone_that_has_a_part_in_it(
    plan: Plan,
    results: pd.DataFrame,
    values: dict[str, dict[str, Values]],
    language: wording.Language,
    tmp_path: Path,
) -> None:
    for target in (plan.targets[0], plan.targets[-1]):
        figure = ridge_chart(
            values[target.id], results, target, plan, scenario=BASELINE, seed=1, language=language
        )
        texts = [text.get_text() for text in figure.axes[0].texts]
        assert sum(text.endswith("%") for text in texts) == len(values[target.id]) + 1
        assert_inside(figure)
    save(figure, tmp_path / "ridge", formats=("png", "svg", "pdf"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_map_shows_each_zone_where_it_lies_and_how_likely_it_is(
    plan: Plan, results: pd.DataFrame, language: wording.Language, tmp_path: Path
) -> None:
    sizes = {zone: n + 1.0 for n, zone in enumerate(plan.zone_ids())}
    for target in (ALL_TARGETS, plan.target_ids()[0]):
        figure = layout_map(
            results, sizes, plan, target=target, scenario=BASELINE, seed=1, language=language
        )
        circles = [patch for patch in figure.axes[0].patches if isinstance(patch, Circle)]
        assert len(circles) == len(plan.zones)
        assert_inside(figure)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts.count("–") == 1  # the zone without that target
    save(figure, tmp_path / "map", formats=("png", "svg", "pdf"))


def test_the_map_has_north_up_and_the_larger_industry_in_the_larger_circle(
    plan: Plan, results: pd.DataFrame
) -> None:
    sizes = {zone: n + 1.0 for n, zone in enumerate(plan.zone_ids())}
    page = layout_map(results, sizes, plan, scenario=BASELINE, seed=1).axes[0]
    circles = sorted((p for p in page.patches if isinstance(p, Circle)), key=lambda p: -p.radius)
    zones = sorted(plan.zones, key=lambda zone: -sizes[zone.id])
    down = {zone.id: circle.center[1] for zone, circle in zip(zones, circles, strict=True)}
    north = [zone.id for zone in plan.zones if zone.position is not None]
    north.sort(key=lambda zone: -next(z for z in plan.zones if z.id == zone).position.latitude)
    assert sorted(north, key=lambda zone: down[zone]) == north


def test_a_plan_without_positions_says_why_it_has_no_map(results: pd.DataFrame) -> None:
    plan = read_plan(ROOT / "tests" / "small_district" / "plan.yaml")[0]
    assert not can_be_drawn(plan)
    with pytest.raises(RunError, match="zone 'north_bank' has no position"):
        layout_map(results, {}, plan, scenario=BASELINE, seed=1)


def test_figures_published_before_the_plan_stand_left_of_the_base(plan: Plan) -> None:
    target = plan.targets[0]
    words = probability_words(0.62, 0.58, 0.66, runs=500)
    past = pd.DataFrame({"month": ["2018-12", "2019-12"], "value": [30.0, 70.0]})
    figure = fan_chart(
        history_of(target, plan),
        target,
        WHOLE_DISTRICT,
        50.0,
        words,
        scenario=BASELINE,
        past=past,
    )
    axes = figure.axes[1]
    assert axes.get_xlim()[0] < 2019.0
    assert "2018-12, 2019-12" in axes.get_legend_handles_labels()[1][-1]
    assert_inside(figure)


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


def test_the_command_draws_one_chart_where_it_is_told(finished_small: Path, tmp_path: Path) -> None:
    file = tmp_path / "one.svg"
    options = ["--kind", "fan", "--target", "pilot_projects", "--zone", "north_bank"]
    places = ["--format", "svg", "--out", str(file)]
    result = CliRunner().invoke(app, ["chart", str(finished_small), *options, *places])
    assert result.exit_code == 0, result.output
    assert ElementTree.parse(file).getroot().tag.endswith("}svg")


def test_a_misspelt_kind_of_chart_is_refused_with_the_likely_one(finished_small: Path) -> None:
    with pytest.raises(RunError, match="unknown kind of chart 'rigde'; did you mean 'ridge'"):
        draw(read_published(finished_small), "rigde", target="pilot_projects")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--kind", "fan"], "--target: is needed for fan"),
        (["--kind", "map"], "has no position"),
        (["--kind", "ridge", "--target", "pilots"], "unknown target 'pilots'"),
        (
            ["--kind", "fan", "--target", "pilot_projects", "--zone", "airfield"],
            "zone 'airfield' has no part in 'pilot_projects'",
        ),
        (["--out", "chart.gif"], "its name must end in .png"),
    ],
)
def test_a_chart_that_cannot_be_drawn_is_refused_with_the_reason(
    finished_small: Path, options: list[str], message: str
) -> None:
    result = CliRunner().invoke(app, ["chart", str(finished_small), *options])
    assert result.exit_code == 2
    assert message in result.stderr
