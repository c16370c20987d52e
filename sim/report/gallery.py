"""The charts of a finished forecast as files."""

from __future__ import annotations

from pathlib import Path

from sim.analysis.probability import Answer
from sim.plan import DISTRICT
from sim.report.charts import fan_chart, probability_board, save
from sim.report.layout_map import can_be_drawn, industry, layout_map
from sim.report.wording import WHOLE_DISTRICT, Language, probability_words
from sim.scenario import Inputs


def draw_all(
    inputs: Inputs, answer: Answer, seed: int, folder: Path, language: Language = "both"
) -> list[Path]:
    """The board, the map where zones have positions, and a fan for each target of the district."""
    plan, scenario = inputs.plan, inputs.scenario.name
    board = probability_board(answer.results, plan, scenario=scenario, seed=seed, language=language)
    files = save(board, folder / "probability-board")
    if can_be_drawn(plan):
        layout = layout_map(
            answer.results,
            industry(answer.yearly),
            plan,
            scenario=scenario,
            seed=seed,
            language=language,
        )
        files += save(layout, folder / "layout-map")
    whole = answer.results[answer.results["zone"] == DISTRICT].set_index("target")
    for target in plan.targets:
        row = whole.loc[target.id]
        words = probability_words(row["probability"], row["low"], row["high"], answer.runs)
        history = answer.monthly[answer.monthly["target"] == target.id]
        chart = fan_chart(
            history,
            target,
            WHOLE_DISTRICT,
            float(row["threshold"]),
            words,
            scenario=scenario,
            language=language,
        )
        files += save(chart, folder / f"fan-{target.id}")
    return files
