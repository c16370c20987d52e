"""What each measure does, one page: docs/measure-effects.md.

``python -m calibration.measures`` writes it: each measure taken away, run by run, on the same luck.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

from sim.analysis.effects import measure_effects
from sim.plan import Plan
from sim.report.wording import amount
from sim.scenario import Inputs, read_scenario
from sim.store import write_text

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "measure-effects.md"
RUNS, SEED, WORKERS = 64, 1, 2


def effects_of(inputs: Inputs) -> pd.DataFrame:
    """A row a measure and target, see ``measure_effects``."""
    return measure_effects(inputs, runs=RUNS, seed=SEED, workers=WORKERS)


def table(effects: pd.DataFrame, plan: Plan) -> str:
    """The page: a row a measure, a column a target, bold where the plan means it."""
    lines = [
        "# What each measure does",
        "",
        "Made by `make evidence`. A figure is what the district's indicator at its",
        "deadline has with the measure less without it (intensity 0): the mean over",
        f"{RUNS} runs of the baseline that meet the same luck (seed {SEED}). **Bold**: a target",
        "that the plan means the measure to move. ± is twice the standard error, · less than it.",
        "Measures compete for the same departments, so one may take a little from another.",
        "",
        "| no. | measure | " + " | ".join(f"{t.name.zh}<br>{t.id}" for t in plan.targets) + " |",
        "|---|---|" + "---|" * len(plan.targets),
    ]
    for measure in plan.measures:
        rows = effects[effects["measure"] == measure.id].set_index("target")
        cells = [cell(rows.loc[target.id]) for target in plan.targets]
        lines.append(
            f"| {measure.number} | {measure.name.zh}<br>{measure.name.en} | "
            + " | ".join(cells)
            + " |"
        )
    base = [amount(float(effects[effects["target"] == t.id]["base"].iloc[0])) for t in plan.targets]
    lines += [
        "",
        "With all measures: "
        + ", ".join(
            f"{target.id} {value}" for target, value in zip(plan.targets, base, strict=True)
        )
        + ".",
        "",
    ]
    return "\n".join(lines)


def cell(row: pd.Series) -> str:
    """Mean ± twice its error; a dot where it is not clear, bold where it is meant."""
    if abs(row["mean"]) <= 2.0 * row["error"]:
        text = "·"
    else:
        digits = 0 if abs(row["mean"]) >= 20 else 1 if abs(row["mean"]) >= 1 else 2
        text = f"{row['mean']:+.{digits}f} ±{2 * row['error']:.{digits}f}"
    return f"**{text}**" if row["meant"] else text


def main() -> int:
    inputs = read_scenario(ROOT / "scenarios" / "baseline.yaml")
    write_text(PAGE, table(effects_of(inputs), inputs.plan))
    return 0


if __name__ == "__main__":
    sys.exit(main())
