"""What a page shows as tables: CSV text or a workbook."""

from __future__ import annotations

import io
from typing import Any

import pandas as pd

from sim.dashboard.pictures import Shown
from sim.figures import Name
from sim.plan import ALL_TARGETS, DISTRICT
from sim.report.wording import ALL_TOGETHER, WHOLE_DISTRICT
from sim.text import csv_text


def probabilities(shown: Shown) -> pd.DataFrame:
    """A row a zone and target with their names, as in ``Results.cells``."""
    plan = shown.base.inputs.plan
    zones = {DISTRICT: WHOLE_DISTRICT} | {zone.id: zone.name for zone in plan.zones}
    targets = {target.id: target.name for target in plan.targets} | {ALL_TARGETS: ALL_TOGETHER}
    units = {target.id: target.unit for target in plan.targets}
    rows = []
    for row in shown.results.cells:
        zone, target = row["zone"], row["target"]
        unit = units.get(target, Name(zh="项指标", en="targets"))
        named = {"zone": zone, "zone_zh": zones[zone].zh, "zone_en": zones[zone].en}
        named |= {"target": target, "target_zh": targets[target].zh}
        named |= {"target_en": targets[target].en, "unit_zh": unit.zh, "unit_en": unit.en}
        rows.append(named | row)
    return pd.DataFrame(rows).assign(runs=shown.results.runs, pairs=shown.results.pairs)


def costs(shown: Shown) -> pd.DataFrame:
    """A row an item and zone, 亿元 over the whole period."""
    return pd.DataFrame(shown.results.costs)


def about(shown: Shown) -> pd.DataFrame:
    """Whose the numbers are."""
    base, scenario = shown.base.inputs, shown.runs.inputs.scenario
    facts: dict[str, Any] = {
        "scenario": scenario.id,
        "scenario_zh": scenario.name.zh,
        "scenario_en": scenario.name.en,
        "base": base.scenario.id,
        "plan": base.plan.id,
        "economy": base.economy.id,
        "seed": shown.seed,
        "runs of the base": shown.results.runs,
        "pairs of runs": shown.results.pairs,
        "intervals": "95 %; of the base Wilson's, of the rest post-stratified by the base",
    }
    return pd.DataFrame({"what": list(facts), "value": [str(value) for value in facts.values()]})


def csv(shown: Shown) -> bytes:
    """The probabilities; with a byte order mark, by which spreadsheets know the encoding."""
    return csv_text(probabilities(shown)).encode("utf-8-sig")


def workbook(shown: Shown) -> bytes:
    """Probabilities, costs and whose they are, a sheet each; text is never a formula."""
    buffer = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False}
    with pd.ExcelWriter(buffer, engine="xlsxwriter", engine_kwargs={"options": options}) as book:
        for name, table in (
            ("probabilities", probabilities(shown)),
            ("costs", costs(shown)),
            ("about", about(shown)),
        ):
            table.to_excel(book, sheet_name=name, index=False, freeze_panes=(1, 0))
            book.sheets[name].autofit()
    return buffer.getvalue()
