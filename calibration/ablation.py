"""What the answers depend on: each mechanism switched off, one at a time.

``python -m calibration.ablation`` writes docs/generated/ablations.md. Every parameter that may be
0 is held at 0; so nobody chooses which mechanisms are shown.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from calibration.dose import cell, ends
from sim.analysis.effects import paired_series
from sim.scenario import Inputs, changed, read_scenario
from sim.store import write_text

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "generated" / "ablations.md"
RUNS, SEED, WORKERS = 40, 1, 2
LITTLE = 0.3  # % of a target's indicator

HEAD = """# Ablations

Made by `make evidence` from {runs} runs with seed {seed} and the same luck. Every parameter that
may be 0 is held at 0, one at a time. Change of each target's indicator of the district at its
deadline, in % of its mean; * where it is more than two standard errors from 0. Sorted by the
largest change.
{little} of {count} move no target by more than {bound} %.

| parameter | {names} |
|---|{line}
"""


def switches(inputs: Inputs) -> list[str]:
    """Parameters of one number that may be 0 and are not."""
    return [
        f"{process}.{name}"
        for process, group in inputs.economy.parameters.items()
        for name, parameter in group.items()
        if isinstance(parameter.value, float | int) and parameter.low == 0 < parameter.value
    ]


def page(inputs: Inputs, runs: int = RUNS) -> str:
    """docs/generated/ablations.md."""
    names = switches(inputs)
    kept = inputs.scenario.parameters
    variants = [changed(inputs, parameters=kept | {name: 0.0}) for name in names]
    (base, _), *rest = paired_series([inputs, *variants], SEED, runs, WORKERS)
    level = ends(inputs, base)
    rows = []
    for name, (series, _) in zip(names, rest, strict=True):
        change = ends(inputs, series) - level
        relative = 100.0 * change.mean(axis=0) / np.maximum(level.mean(axis=0), 1e-9)
        cells = [cell(change[:, t], level[:, t].mean()) for t in range(level.shape[1])]
        rows.append((float(np.abs(relative).max()), f"| `{name}` | {' | '.join(cells)} |\n"))
    rows.sort(key=lambda row: -row[0])
    titles = [target.name.en for target in inputs.plan.targets]
    head = HEAD.format(
        runs=runs,
        seed=SEED,
        little=sum(most <= LITTLE for most, _ in rows),
        count=len(rows),
        bound=LITTLE,
        names=" | ".join(titles),
        line="---|" * len(titles),
    )
    return head + "".join(row for _, row in rows)


def main() -> int:
    inputs = read_scenario(ROOT / "scenarios" / "baseline.yaml")
    PAGE.parent.mkdir(exist_ok=True)
    write_text(PAGE, page(inputs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
