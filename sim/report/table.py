"""The probabilities as a table for the terminal, in the form that fits its width."""

from __future__ import annotations

import re
import textwrap

import pandas as pd
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from sim.analysis.interval import interval, percent
from sim.analysis.probability import Answer
from sim.figures import Name
from sim.plan import ALL_TARGETS, DISTRICT, Plan
from sim.report import terms
from sim.report.wording import (
    ALL_TOGETHER,
    NONE,
    Language,
    goal,
    say,
    wrap_zh,
)

Targets = dict[str, tuple[Name, str]]  # name and threshold
Cell = tuple[float, float, float]  # probability and the bounds of its interval
Cells = dict[tuple[str, str], Cell]  # by zone and target


def probability_table(
    results: pd.DataFrame, plan: Plan, *, width: int = 120, language: Language = "both"
) -> Table:
    """Targets as rows and zones as columns; a list where ``width`` (columns of text) is too small.

    Targets are the rows because their names are long. ``results`` as in
    ``charts.probability_board``.
    """
    rows = results.set_index(["zone", "target"])
    cells = {place: (row["probability"], row["low"], row["high"]) for place, row in rows.iterrows()}
    thresholds = rows["threshold"].to_dict()
    zones = terms.zones(plan)
    targets: Targets = {}
    for target in plan.targets:
        threshold = thresholds.get((DISTRICT, target.id), target.threshold.value)
        words = goal(target, threshold)
        targets[target.id] = (target.name, words.en if language == "en" else words.zh)
    targets[ALL_TARGETS] = (ALL_TOGETHER, "")

    for label_width, column_width in ((40, 8), (13, 6)):
        table = _matrix(zones, targets, cells, language, label_width, column_width)
        if width_of(table) <= width:
            return table
    return _list(zones, targets, cells, language)


def notes(answer: Answer, scenario: Name) -> list[Name]:
    """What belongs under the table: whose it is, how sure, where doubt lies, and the cost."""
    lines = [
        Name(
            zh=f"情景：{scenario.zh}；{answer.runs:,} 次模拟；区间为 95 %（{answer.method.zh}）。",
            en=f"Scenario: {scenario.en}; {answer.runs:,} runs; "
            f"95 % intervals: {answer.method.value}.",
        )
    ]
    whole = answer.results[answer.results["zone"] == DISTRICT]
    shares = whole[whole["target"] != ALL_TARGETS]["parameter_share"].dropna() * 100
    if len(shares):
        low, middle, high = shares.min(), shares.median(), shares.max()
        lines.append(
            Name(
                zh=f"全区各指标的不确定性有 {low:.0f}–{high:.0f} % 来自参数"
                f"（中位数 {middle:.0f} %），其余为偶然因素。",
                en=f"Of the doubt about the district's targets {low:.0f}–{high:.0f} % lies in "
                f"parameters (median {middle:.0f} %), the rest is chance.",
            )
        )
    lines += _grounds(answer)
    cost = answer.costs[answer.costs["zone"] == DISTRICT].set_index("item").loc["total"]
    mean, low, high = (f"{cost[name]:,.0f}" for name in ("mean", "q05", "q95"))
    lines.append(
        Name(
            zh=f"全期财政成本约 {mean} 亿元（90 % 区间 {low}–{high}）。",
            en=f"Fiscal cost of the whole period: about {mean} × 100 million yuan "
            f"(90 % range {low}–{high}).",
        )
    )
    return lines


def _grounds(answer: Answer) -> list[Name]:
    """How much of the district's spread rests on assumptions, in one sentence."""
    found = answer.uncertainty
    if found is None:
        return []
    fixed = sum(found.fixed.values())
    if not found.told:
        return [
            Name(
                zh=f"{found.runs:,} 次模拟尚不能说明不确定性来自哪些参数，约需 "
                f"{found.runs_needed:,} 次；另有 {fixed:,} 个假设值在各次模拟中不变，不在其内。",
                en=f"Which parameters the spread of the values comes from cannot be told with "
                f"{found.runs:,} runs, about {found.runs_needed:,} are needed; {fixed:,} more "
                "assumptions are the same in all runs.",
            )
        ]
    split = found.split
    here = split[(split["zone"] == DISTRICT) & (split["of"] == "value")]
    here = here[here["target"] != ALL_TARGETS].dropna(subset=["assumption"])
    if here.empty:
        return []
    assumed, sourced, fitted = (100 * here[basis] for basis in ("assumption", "source", "fitted"))
    known = Name(
        zh=f"至多 {sourced.max():.0f} % 来自有出处的参数",
        en=f"at most {sourced.max():.0f} % from those with a source",
    )
    if found.varied["fitted"]:
        known = Name(
            zh=f"{known.zh}，至多 {fitted.max():.0f} % 来自拟合过的参数",
            en=f"{known.en} and {fitted.max():.0f} % from fitted ones",
        )
    return [
        Name(
            zh=f"各指标期末值的离散有 {assumed.min():.0f}–{assumed.max():.0f} %（中位数 "
            f"{assumed.median():.0f} %）来自属于假设的参数，{known.zh}；"
            f"另有 {fixed:,} 个假设值在各次模拟中不变，不在其内。",
            en=f"Of the spread of the targets' values {assumed.min():.0f}–{assumed.max():.0f} % "
            f"(median {assumed.median():.0f} %) comes from parameters that are assumptions, "
            f"{known.en}; {fixed:,} more assumptions are the same in all runs, and no share shows "
            "them.",
        )
    ]


def _matrix(
    zones: dict[str, Name],
    targets: Targets,
    cells: Cells,
    language: Language,
    label_width: int,
    column_width: int,
) -> Table:
    """Each cell has the probability and its 95 % interval below, in percent."""
    table = _plain_table()
    table.add_column()
    for name in zones.values():
        table.add_column(label(name, "", language, column_width), justify="center")
    for target, (name, threshold) in targets.items():
        shown = [_cell(cells.get((zone, target))) for zone in zones]
        table.add_row(label(name, threshold, language, label_width), *shown)
    return table


def _list(zones: dict[str, Name], targets: Targets, cells: Cells, language: Language) -> Table:
    table = _plain_table()
    table.show_header = False
    table.add_column(overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    for zone, zone_name in zones.items():
        table.add_row(Text(say(zone_name, language), style="bold"))
        for target, (name, _) in targets.items():
            if (zone, target) in cells:
                shown, bounds = _cell(cells[zone, target]).split("\n")
                table.add_row("  " + say(name, language), shown, bounds)
        table.add_section()
    return table


def _plain_table() -> Table:
    return Table(box=box.SIMPLE_HEAD, show_edge=False, padding=0)


def width_of(table: Table) -> int:
    """Columns of text that it takes without breaking a line of its own accord."""
    console = Console(width=10_000)
    return Measurement.get(console, console.options, table).maximum


def label(name: Name, below: str, language: Language, width: int) -> Text:
    """Lines of at most ``width`` columns, or of the longest English word where that is longer.

    Broken by hand: rich breaks Chinese nowhere and English wherever a column is too narrow.
    """
    longest = max(map(len, re.findall(r"[^\s-]+-?", name.en)), default=width)
    english = textwrap.wrap(name.en, max(width, longest))
    lines = []
    if language != "en":
        lines += [Text(line) for line in wrap_zh(name.zh, width // 2)]
    if language != "zh":
        lines += [Text(line, style="dim" if language == "both" else "") for line in english]
    if below and lines[0].cell_len + cell_len(below) < width:
        lines[0] = Text.assemble(lines[0], " ", (below, "dim"))
    elif below:
        lines += [Text(line, style="dim") for line in textwrap.wrap(below, width)]
    return Text("\n").join(lines)


def _cell(found: Cell | None) -> Text:
    if found is None:
        return Text(NONE, style="dim")
    probability, low, high = found
    return Text(percent(probability)).append("\n" + interval(low, high), style="dim")
