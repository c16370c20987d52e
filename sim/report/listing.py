"""What a scenario can name, as tables for the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pandas as pd
from rich import box
from rich.table import Table

from sim.figures import Parameter
from sim.plan import ELSEWHERE
from sim.report.wording import goal
from sim.scenario import Inputs

Row = Iterable[str]


def listing(inputs: Inputs, kind: str) -> Table:
    """One table: the records of one kind with their ids and names."""
    title, heads, rows = LISTINGS[kind](inputs)
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False)
    for head in heads:
        table.add_column(head, overflow="fold", no_wrap=head == "id")
    for row in rows:
        table.add_row(*row)
    return table


def _targets(inputs: Inputs) -> tuple[str, list[str], list[Row]]:
    rows: list[Row] = [
        (t.id, t.name.zh, t.name.en, goal(t, t.threshold.value).zh, t.deadline, t.section)
        for t in inputs.plan.targets
    ]
    return "Targets 目标", ["id", "名称", "name", "threshold", "by", "section"], rows


def _measures(inputs: Inputs) -> tuple[str, list[str], list[Row]]:
    rows: list[Row] = [
        (
            str(m.number),
            m.id,
            m.name.zh,
            m.name.en,
            m.start,
            m.lead,
            ", ".join(effect.driver.value for effect in m.effects),
        )
        for m in inputs.plan.measures
    ]
    heads = ["no.", "id", "名称", "name", "start", "lead", "drivers"]
    return "Measures 任务与举措", heads, rows


def _departments(inputs: Inputs) -> tuple[str, list[str], list[Row]]:
    rows: list[Row] = []
    for d in inputs.plan.departments:
        leads = ", ".join(str(m.number) for m in inputs.plan.measures if m.lead == d.id)
        joins = ", ".join(str(m.number) for m in inputs.plan.measures if d.id in m.join)
        rows.append((d.id, d.name.zh, d.name.en, d.zone or "district", leads, joins))
    return "Departments 责任部门", ["id", "名称", "name", "works in", "leads", "joins"], rows


def _zones(inputs: Inputs) -> tuple[str, list[str], list[Row]]:
    rows: list[Row] = [(z.id, z.name.zh, z.name.en, z.role) for z in inputs.plan.zones]
    return "Zones 片区", ["id", "名称", "name", "role"], rows


def _sectors(inputs: Inputs) -> tuple[str, list[str], list[Row]]:
    rows: list[Row] = []
    for s in inputs.plan.sectors:
        base = inputs.economy.sectors[s.id]
        firms, revenue = f"{base.firms.value:,.0f}", f"{base.revenue.value:,.0f}"
        rows.append((s.id, s.name.zh, s.name.en, s.role, firms, revenue))
    heads = ["id", "名称", "name", "role", "firms", "revenue 亿元"]
    return f"Sectors 产业 ({inputs.economy.base_month})", heads, rows


def _parks(inputs: Inputs) -> tuple[str, list[str], list[Row]]:
    rows: list[Row] = [
        (p.id, p.name.zh, p.name.en, p.zone, p.kind, ", ".join(p.focus)) for p in inputs.plan.parks
    ]
    return "Parks 园区与载体", ["id", "名称", "name", "zone", "kind", "focus"], rows


def _levers(inputs: Inputs) -> tuple[str, list[str], list[Row]]:
    rows: list[Row] = []
    for lever, rule in inputs.economy.levers.items():
        baseline = ", ".join(
            f"{value.value:g}" if zone == ELSEWHERE else f"{zone} {value.value:g}"
            for zone, value in rule.baseline.items()
        )
        bounds = f"{rule.low:g} to {rule.high:g}"
        unit = f"{rule.unit.zh} {rule.unit.en}" if rule.unit.zh != rule.unit.en else rule.unit.en
        rows.append((lever, rule.name.zh, rule.name.en, unit, bounds, baseline))
    heads = ["id", "名称", "name", "unit", "bounds", "baseline"]
    return "Levers 政策工具", heads, rows


def _parameters(inputs: Inputs) -> tuple[str, list[str], list[Row]]:
    rows: list[Row] = []
    for process, group in inputs.economy.parameters.items():
        for name, parameter in group.items():
            basis = parameter.source or f"assumption: {parameter.assumption}"
            rows += [
                (label, f"{value:g}", parameter.unit, _range(parameter), basis)
                for label, value in parameter.entries(f"{process}.{name}")
            ]
    return "Parameters 参数", ["id", "value", "unit", "range", "basis"], rows


def provenance_table(numbers: pd.DataFrame) -> Table:
    """Numbers with where they come from, as ``analysis.provenance`` gives them."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    for head in ("field", "value", "unit", "range", "basis"):
        table.add_column(head, overflow="fold")
    for row in numbers.itertuples():
        basis = row.source if isinstance(row.source, str) else f"assumption: {row.assumption}"
        table.add_row(
            f"{row.file}: {row.field}",
            f"{row.value:g}",
            row.unit,
            f"{row.low:g} to {row.high:g}",
            basis,
        )
    return table


def _range(parameter: Parameter) -> str:
    shape = parameter.prior.shape if parameter.prior else "fixed"
    return f"{parameter.low:g} to {parameter.high:g}, {shape}"


LISTINGS: dict[str, Callable[[Inputs], tuple[str, list[str], list[Row]]]] = {
    "targets": _targets,
    "measures": _measures,
    "departments": _departments,
    "zones": _zones,
    "sectors": _sectors,
    "parks": _parks,
    "levers": _levers,
    "parameters": _parameters,
}
