"""The charts of a finished forecast."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sim.analysis.probability import Answer
from sim.plan import DISTRICT
from sim.report.charts import fan_chart, probability_board
from sim.report.layout_map import can_be_drawn, industry, layout_map
from sim.report.wording import WHOLE_DISTRICT, Language, probability_words
from sim.scenario import Inputs


def draw_all(
    draw: Callable[..., object],
    inputs: Inputs,
    answer: Answer,
    seed: int,
    folder: Path,
    language: Language = "both",
) -> None:
    """The board, the map where zones have positions, and a fan for each target of the district.

    Args:
        draw: called for each with a file's name without suffix, a chart's function and what it
            takes, so that one that cannot be drawn leaves the others to be.
    """
    plan, scenario = inputs.plan, inputs.scenario.name
    same = {"scenario": scenario, "language": language}
    draw(folder / "probability-board", probability_board, answer.results, plan, seed=seed, **same)
    if can_be_drawn(plan):
        map_of = answer.results, industry(answer.yearly), plan
        draw(folder / "layout-map", layout_map, *map_of, seed=seed, **same)
    whole = answer.results[answer.results["zone"] == DISTRICT].set_index("target")
    for target in plan.targets:
        row = whole.loc[target.id]
        words = probability_words(row["probability"], row["low"], row["high"], answer.runs)
        history = answer.monthly[answer.monthly["target"] == target.id]
        fan_of = history, target, WHOLE_DISTRICT, float(row["threshold"]), words
        draw(folder / f"fan-{target.id}", fan_chart, *fan_of, **same)
