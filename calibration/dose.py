"""Dose and response of the levers, beside what evaluations found.

``python -m calibration.dose`` writes docs/generated/levers.md. All variants meet the same luck and
the same drawn parameters run by run, so that the range over runs is what is not known of an effect.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from calibration import OBSERVATIONS
from calibration.evidence import priors
from sim import months
from sim.analysis.effects import paired_series, with_lever
from sim.economy import Lever
from sim.plan import DISTRICT
from sim.runner import Runner
from sim.scenario import Inputs, read_scenario
from sim.store import write_text

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "generated" / "levers.md"
CHANNELS_OF = OBSERVATIONS.with_name("levers.csv")
MIXES = OBSERVATIONS.with_name("mixes.csv")
RUNS, SEED, WORKERS = 64, 1, 2
QUARTERS = (0.25, 0.5, 0.75, 1.0)  # of the way from the baseline to the highest value

Floats = NDArray[np.float64]

HEAD = """# Levers: dose and response

Made by `make evidence` from {runs} runs with seed {seed}, all with the same luck and parameters
with and without the lever. Each lever is set in the whole district from {start} on. Change of
each target's indicator at its deadline, in % of its mean without the lever; * where it is more than
two standard errors from 0. Cost: 亿元 beyond the baseline until the plan's end. *Range*: 5 to 95 %
over the runs, each with parameters of its own, so it says how far the effect is known. The priors
that the evaluations lead to stand in [evidence.md](../evidence.md).
"""


def doses(inputs: Inputs, lever: Lever) -> list[float]:
    """Four values from the baseline to the highest."""
    rule = inputs.economy.levers[lever]
    values = [number.value for number in rule.baseline.values()]
    first = max(values) if rule.spread == "same" else sum(values)
    return [float(f"{first + part * (rule.high - first):.3g}") for part in QUARTERS]


def ends(inputs: Inputs, series: Floats) -> Floats:
    """Each target's indicator of the district when it is due (runs, targets)."""
    columns = Runner(inputs, SEED).series_columns
    found = [
        series[
            :, months.between(inputs.plan.start, t.deadline), columns.index(f"{t.id}.{DISTRICT}")
        ]
        for t in inputs.plan.targets
    ]
    return np.stack(found, axis=1)


def cell(change: Floats, base: float) -> str:
    """Mean change in %, with a star where it is clear."""
    error = change.std(ddof=1) / np.sqrt(len(change))
    percent = 100.0 * change.mean() / max(base, 1e-9)
    return f"{percent:.2f}{'*' if abs(change.mean()) > 2 * error else ''}"


def page(inputs: Inputs, runs: int = RUNS) -> str:
    """docs/generated/levers.md."""
    start = months.after(inputs.plan.start, 1)
    levers = [Lever(name) for name in inputs.economy.levers]
    plan = [(lever, dose) for lever in levers for dose in doses(inputs, lever)]
    variants = [with_lever(inputs, lever, dose) for lever, dose in plan]
    (base, paid), *rest = paired_series([inputs, *variants], SEED, runs, WORKERS)
    level = ends(inputs, base)
    names = [target.name.en for target in inputs.plan.targets]
    known = priors()
    channels = pd.read_csv(CHANNELS_OF, dtype=str, keep_default_na=False).set_index("lever")
    text = HEAD.format(runs=runs, seed=SEED, start=start)
    for lever in levers:
        rule = inputs.economy.levers[lever]
        text += f"\n## {rule.name.en} ({rule.name.zh})\n\n"
        text += f"| {rule.unit.en} | cost | " + " | ".join(names) + " |\n"
        text += "|---|---|" + "---|" * len(names) + "\n"
        found = [
            (dose, ends(inputs, series) - level, float((costs - paid).sum(axis=(1, 2)).mean()))
            for (which, dose), (series, costs) in zip(plan, rest, strict=True)
            if which == lever
        ]
        for dose, change, cost in found:
            cells = [cell(change[:, t], level[:, t].mean()) for t in range(len(names))]
            text += f"| {dose:g} | {cost:.0f} | " + " | ".join(cells) + " |\n"
        text += "\n" + _known(found[-1], level, names) + "\n"
        row = channels.loc[lever.value] if lever.value in channels.index else None
        if row is not None:
            said = [
                f"{name.replace('_', ' ')} {prior.value:g} ({prior.low:g} to {prior.high:g})"
                for name, prior in known.loc[row["channels"].split()].iterrows()
            ]
            note = f" {row['note'][0].upper()}{row['note'][1:]}." if row["note"] else ""
            text += f"\nEvaluations: {'; '.join(said)}.{note}\n"
    return text + mixes(inputs, level, runs)


def _known(dose: tuple[float, Floats, float], level: Floats, names: list[str]) -> str:
    """How far the effect of a dose on the targets that it moves most is known."""
    value, change, cost = dose
    relative = 100.0 * change / np.maximum(level.mean(axis=0), 1e-9)
    error = relative.std(axis=0, ddof=1) / np.sqrt(len(relative))
    clear = np.abs(relative.mean(axis=0)) > 2.0 * error
    most = [t for t in np.argsort(-np.abs(relative.mean(axis=0))) if clear[t]][:3]
    if not most:
        return f"At {value:g} nothing moves clearly."
    low, high = np.quantile(relative, [0.05, 0.95], axis=0)
    ranges = [f"{names[t]} {low[t]:.1f} to {high[t]:.1f} %" for t in most]
    per = [f"{relative[:, t].mean() / cost:.3f}" for t in most] if cost > 0.5 else []
    priced = f"; per 亿元 {', '.join(per)} %" if per else ""
    return f"Range at {value:g}: {'; '.join(ranges)}{priced}."


def mixes(inputs: Inputs, level: Floats, runs: int) -> str:
    """Pairs of levers: what both do together over the sum of what each does."""
    table = pd.read_csv(MIXES, dtype=str, keep_default_na=False)
    variants, rows = [], list(table.itertuples(index=False))
    for row in rows:
        one = _set(inputs, row.first, row.first_value, row.first_measures)
        other = _set(inputs, row.second, row.second_value, row.second_measures)
        both = _set(one, row.second, row.second_value, row.second_measures)
        variants += [one, other, both]
    found = [
        ends(inputs, series) - level for series, _ in paired_series(variants, SEED, runs, WORKERS)
    ]
    text = "\n## Mixes\n\nWhat two do together over the sum of what each does, for the targets "
    text += "that they move most and by more than four standard errors.\n\n"
    text += "| first | second | together over apart | why |\n|---|---|---|---|\n"
    for n, row in enumerate(rows):
        apart, together = found[3 * n] + found[3 * n + 1], found[3 * n + 2].mean(axis=0)
        total = apart.mean(axis=0)
        relative = np.abs(total) / np.maximum(level.mean(axis=0), 1e-9)
        clear = np.abs(total) > 4.0 * apart.std(axis=0, ddof=1) / np.sqrt(runs)
        most = [t for t in np.argsort(-relative) if clear[t]][:3]
        ratios = [f"{inputs.plan.targets[t].name.en} {together[t] / total[t]:.2f}" for t in most]
        first = " ".join(filter(None, [row.first, row.first_value, row.first_measures]))
        second = " ".join(filter(None, [row.second, row.second_value, row.second_measures]))
        text += f"| {first} | {second} | {'; '.join(ratios)} | {row.why} |\n"
    return text


def _set(inputs: Inputs, lever: str, value: str, measures: str) -> Inputs:
    where = {"measures": measures.split()} if measures else {}
    return with_lever(inputs, Lever(lever), float(value), **where)


def main() -> int:
    inputs = read_scenario(ROOT / "scenarios" / "baseline.yaml")
    PAGE.parent.mkdir(exist_ok=True)
    write_text(PAGE, page(inputs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
