"""A sensitivity analysis in the terminal: each target's strongest factors, and sentences."""

from __future__ import annotations

from rich import box
from rich.table import Table
from rich.text import Text

from sim.analysis.interval import percent
from sim.analysis.sensitivity_record import IndexRecord, Row, ScreeningRecord, SensitivityRecord
from sim.figures import Name
from sim.plan import ALL_TARGETS, DISTRICT, Plan
from sim.report.difference_table import target_name, zone_name
from sim.report.wording import NONE, Language, amount, say

SHOWN = 5  # factors of a target on the screen; the files hold all
CANNOT = Name(zh="无法判断", en="cannot be told")


def shown_zone(record: SensitivityRecord) -> str:
    """The district, or the one zone that was asked for."""
    zones = [output.zone for output in record.outputs]
    return DISTRICT if DISTRICT in zones or not zones else zones[0]


def strongest(record: SensitivityRecord, target: str, zone: str) -> list[tuple[Row, Row | None]]:
    """A target's factors, the strongest first, each with its row for the probability.

    Of its mean indicator; of ``all`` of the probability. By indices if there are any, else by
    screening.
    """
    measure = "probability" if target == ALL_TARGETS else "mean"
    rows: list[IndexRecord] | list[ScreeningRecord]
    rows = record.indices if record.size else record.screening
    mine = [row for row in rows if (row.target, row.zone) == (target, zone)]
    chance = {row.factor: row for row in mine if row.measure == "probability"}
    told = [row for row in mine if row.measure == measure]
    told.sort(key=strength, reverse=True)
    return [(row, chance.get(row.factor)) for row in told]


def strength(row: Row) -> tuple[bool, float]:
    """What rows are ordered by; an index that is open by more than 1 goes last."""
    if isinstance(row, IndexRecord):
        return row.total_high - row.total_low < 2.0, row.raw_total
    assert isinstance(row, ScreeningRecord)
    return True, row.strength - row.floor


def tables(record: SensitivityRecord, plan: Plan, language: Language) -> list[Table]:
    """One table: each target's strongest factors in the district, or in the zone asked for."""
    zone = shown_zone(record)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    title = Name(zh=zone_name(zone, plan).zh, en=zone_name(zone, plan).en)
    by_index = record.size > 0
    heads = [
        title,
        Name(zh="总效应", en="Total index") if by_index else Name(zh="效应", en="Strength"),
        Name(zh="单独", en="Alone") if by_index else Name(zh="偶然所致", en="By chance"),
        Name(zh="指标，\n低 → 高", en="Indicator,\nlow → high"),
        Name(zh="概率，\n低 → 高", en="Probability,\nlow → high"),
    ]
    for place, head in enumerate(heads):
        if place:
            table.add_column(say(head, language, "\n"), justify="right", no_wrap=True)
        else:
            table.add_column(say(head, language, "\n"), overflow="fold", min_width=18)
    for target in [*plan.target_ids(), ALL_TARGETS]:
        rows = strongest(record, target, zone)
        if not rows:
            continue
        table.add_section()
        table.add_row(Text(say(target_name(target, plan), language), style="bold"))
        for row, chance in rows[:SHOWN]:
            values = [*index_texts(row, language), *_ends(row, chance)]
            values = [
                text.replace(" (", "\n(").replace(" cannot", "\ncannot").replace("→ ", "→\n")
                for text in values
            ]
            table.add_row("  " + row.factor, *values)
        if len(rows) > SHOWN:
            table.add_row(Text(f"  … {len(rows) - SHOWN}", style="dim"))
    return [table]


def index_texts(row: Row, language: Language) -> tuple[str, str]:
    """Total and first-order index with intervals, or strength and what chance gives."""
    cannot = say(CANNOT, language)
    if isinstance(row, ScreeningRecord):
        bounds = f"{row.strength:.3g} ({row.strength_low:.3g}–{row.strength_high:.3g})"
        text = cannot if row.verdict == "cannot be told" else bounds
        return text, f"{row.floor:.3g}"
    assert isinstance(row, IndexRecord)
    return (
        _index(row.total, row.total_low, row.total_high, cannot),
        _index(row.first, row.first_low, row.first_high, cannot),
    )


def _index(value: float | None, low: float, high: float, cannot: str) -> str:
    """An index with its interval, within what an index can be."""
    shown = cannot if value is None else f"{value:.2f}"
    return f"{shown} ({min(1.0, max(0.0, low)):.2f}–{min(1.0, max(0.0, high)):.2f})"


def _ends(row: Row, chance: Row | None) -> tuple[str, str]:
    whole = NONE
    if row.measure == "mean":
        whole = f"{amount(row.at_low)} → {amount(row.at_high)}"
    if chance is None:
        return whole, NONE
    return whole, f"{percent(chance.at_low)} → {percent(chance.at_high)}"


def lines(record: SensitivityRecord) -> list[Name]:
    """What the table rests on, and what it leaves open."""
    count = len(record.factors)
    text = [
        Name(
            zh=f"{record.runs:,} 次模拟，每点 {record.repeats} 次，相比较的点运气相同；"
            f"{count} 个因素。"
            "低、高：该因素处于其范围最低、最高四分之一正中时，按直线；区间为 95 %。",
            en=f"{record.runs:,} runs, {record.repeats} a point, the same luck for points that are "
            f"compared; {count} factors. Low, high: in the middle of the factor's lowest and "
            "highest quarter, on a straight line; 95 % intervals.",
        )
    ]
    if record.trajectories and record.size:
        kept = sum(factor.indexed for factor in record.factors)
        text.append(
            Name(
                zh=f"先以 {record.trajectories} 条 Morris 轨迹筛选，留下 {kept} 个因素"
                f"计算 Sobol 指数"
                f"（N = {record.size:,}）；其余因素在各次模拟中照常抽取，计入偶然。",
                en=f"Screened by {record.trajectories} Morris trajectories; {kept} factors got "
                f"Sobol' indices (N = {record.size:,}), the others are drawn in each run as usual "
                "and count as chance.",
            )
        )
    elif (
        record.trajectories
        and not record.size
        and not any(row.verdict == "matters" for row in record.screening)
    ):
        text.append(
            Name(
                zh="没有一个因素的效应超出偶然。",
                en="No factor does more than chance does.",
            )
        )
    if record.over_priors:
        text.append(
            Name(
                zh="参数取自先验（各自独立），而非拟合后的联合分布：预测所用的范围可能更窄。",
                en="Parameters are taken from their priors, independent of each other, not from "
                "the fit's joint draws, which a forecast uses and which may be narrower.",
            )
        )
    rows: list[IndexRecord] | list[ScreeningRecord]
    rows = record.indices if record.size else record.screening
    open_ = sum(row.verdict == "cannot be told" for row in rows)
    if rows and open_:
        text.append(
            Name(
                zh=f"{len(rows):,} 个结果中有 {open_:,} 个无法判断；"
                "更多模拟（--budget）会使区间变窄。",
                en=f"{open_:,} of {len(rows):,} results cannot be told; more runs (--budget) make "
                "the intervals narrower.",
            )
        )
    return text
