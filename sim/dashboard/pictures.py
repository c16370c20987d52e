"""The house's charts of what a page shows, as PNG or SVG."""

from __future__ import annotations

import io
from dataclasses import dataclass
from threading import Lock
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from sim import months
from sim.analysis.explanation import Explanation
from sim.analysis.naive import PastFigure
from sim.analysis.probability import QUANTILES
from sim.blueprint import build
from sim.dashboard.results import Results, history_of
from sim.dashboard.runs import Runs
from sim.plan import ALL_TARGETS, DISTRICT, Plan
from sim.report import style
from sim.report.chain import chain_chart
from sim.report.charts import fan_chart, probability_board
from sim.report.layout_map import layout_map
from sim.report.pictures import past_of
from sim.report.wording import WHOLE_DISTRICT, Language, probability_words

_drawing = Lock()  # the charts' style is the whole process's while they are drawn


@dataclass(frozen=True)
class Shown:
    """What a page shows: the runs behind it and what they say."""

    base: Runs
    what_if: Runs | None
    results: Results
    seed: int
    past: list[PastFigure]

    @property
    def runs(self) -> Runs:
        """Those of the scenario that is shown."""
        return self.base if self.what_if is None else self.what_if

    def table(self) -> pd.DataFrame:
        """The scenario's probabilities, as the charts take them."""
        names = ("base", "low", "high")
        if self.what_if is not None:
            names = ("what_if", "what_if_low", "what_if_high")
        rows = [
            {"zone": row["zone"], "target": row["target"], "threshold": row["threshold"]}
            | {"probability": row[names[0]], "low": row[names[1]], "high": row[names[2]]}
            | {"runs": self.runs.done}
            for row in self.results.cells
            if names[0] in row
        ]
        return pd.DataFrame(rows)


def board(shown: Shown, language: Language, kind: str) -> bytes:
    """The probability of each target in each zone."""
    inputs = shown.runs.inputs
    with _drawing:
        figure = probability_board(
            shown.table(),
            inputs.plan,
            scenario=inputs.scenario.name,
            seed=shown.seed,
            language=language,
        )
        return _bytes(figure, kind)


def fan(shown: Shown, zone: str, target: str, language: Language, kind: str) -> bytes:
    """The spread of the runs over time; raises ValueError where a zone has no such target."""
    inputs = shown.runs.inputs
    plan = inputs.plan
    table = shown.table()
    found = table[(table["zone"] == zone) & (table["target"] == target)]
    if target == ALL_TARGETS or found.empty:
        raise ValueError(f"no chart of {target} in {zone}")
    row = found.iloc[0]
    history = history_of(shown.runs, None, zone, target)["base"]
    dates = [months.after(plan.start, n) for n in range(plan.horizon + 1)]
    names = {DISTRICT: WHOLE_DISTRICT} | {part.id: part.name for part in plan.zones}
    with _drawing:
        figure = fan_chart(
            pd.DataFrame({"month": dates} | {name: history[name] for name in QUANTILES}),
            next(part for part in plan.targets if part.id == target),
            names[zone],
            float(row["threshold"]),
            probability_words(row["probability"], row["low"], row["high"], int(row["runs"])),
            scenario=inputs.scenario.name,
            past=past_of(shown.past, target, zone),
            language=language,
        )
        return _bytes(figure, kind)


def layout(shown: Shown, target: str, language: Language, kind: str) -> bytes:
    """The zones where they lie; raises RunError where the plan does not say where."""
    inputs = shown.runs.inputs
    blueprint = build(shown.base.inputs)
    core = (blueprint.base.revenue @ blueprint.is_core).tolist()
    with _drawing:
        figure = layout_map(
            shown.table(),
            dict(zip(blueprint.zones, core, strict=True)),
            inputs.plan,
            target=target,
            scenario=inputs.scenario.name,
            seed=shown.seed,
            language=language,
        )
        return _bytes(figure, kind)


def chain(found: Explanation, plan: Plan, language: Language, kind: str) -> bytes:
    """The chain of causes behind one target."""
    with _drawing:
        return _bytes(chain_chart(found, plan, language=language), kind)


def _bytes(figure: Figure, kind: str) -> bytes:
    buffer = io.BytesIO()
    undated: dict[str, Any] = {"svg": {"Date": None}, "png": {"Software": None}}
    with style.house_style():
        figure.savefig(buffer, format=kind, dpi=160, metadata=undated[kind])
    return buffer.getvalue()
