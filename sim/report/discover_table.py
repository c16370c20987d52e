"""Scenario discovery in the terminal: sentences, and a table of each box's limits."""

from __future__ import annotations

from rich import box as rules
from rich.table import Table

from sim.analysis.discover_record import BoxRecord, DiscoveryRecord, LimitRecord
from sim.analysis.interval import interval, percent
from sim.figures import Name
from sim.plan import Plan
from sim.report.difference_table import target_name, zone_name
from sim.report.wording import NONE, Language, say

SIDES = {"at least": Name(zh="至少", en="at least"), "at most": Name(zh="至多", en="at most")}


def heading(record: DiscoveryRecord, plan: Plan) -> Name:
    """What is missed, how often."""
    target, zone = target_name(record.target, plan), zone_name(record.zone, plan)
    share = percent(record.misses / record.runs)
    return Name(
        zh=f"{zone.zh}“{target.zh}”在 {record.runs:,} 次模拟中有 {share} 未达成。",
        en=f"{target.en} ({zone.en}) is missed in {share} of {record.runs:,} runs.",
    )


def box_table(found: BoxRecord, number: int, language: Language) -> Table:
    """A row a limit."""
    title = Name(zh=f"条件 {number}", en=f"Condition {number}")
    table = Table(box=rules.SIMPLE_HEAD, show_edge=False, padding=(0, 1))
    heads = [
        title,
        Name(zh="取值", en="Value"),
        Name(zh="单独满足", en="Runs within it"),
        Name(zh="准 p 值", en="Quasi-p"),
        Name(zh="半样本重现", en="Found again"),
    ]
    for place, head in enumerate(heads):
        table.add_column(say(head, language, "\n"), justify="right" if place else "left")
    for limit in found.limits:
        table.add_row(limit.factor, limit_text(limit, language), *_shares(limit))
    return table


def limit_text(limit: LimitRecord, language: Language) -> str:
    """``at most 0.031``."""
    return f"{say(SIDES[limit.side], language)} {limit.value:.3g}"


def _shares(limit: LimitRecord) -> tuple[str, str, str]:
    quasi = "<0.001" if limit.quasi_p < 0.001 else f"{limit.quasi_p:.3f}"
    return percent(limit.share), quasi, percent(limit.again)


def box_words(found: BoxRecord) -> Name:
    """What a box holds, there and elsewhere."""
    bounds = interval(found.low, found.high)
    return Name(
        zh=f"满足上述条件的 {found.runs:,} 次模拟中 {percent(found.density)} 未达成"
        f"（95 % 区间 {bounds} %），占全部未达成的 {percent(found.coverage)}；"
        "在一半模拟中找到、另一半中检验："
        f"{percent(found.density_elsewhere)}、{percent(found.coverage_elsewhere)}。"
        f"偶然得到同样好条件的概率：{found.chance_p:.3f}。",
        en=f"Of the {found.runs:,} runs under it {percent(found.density)} miss (95 % interval "
        f"{bounds} %), {percent(found.coverage)} of all misses. Found in one half of the runs and "
        f"looked at in the other: {percent(found.density_elsewhere)} and "
        f"{percent(found.coverage_elsewhere)}. As good a condition by chance: p = "
        f"{found.chance_p:.3f}.",
    )


def verdict(record: DiscoveryRecord) -> list[Name]:
    """Whether conditions explain the misses, and how much is left to chance."""
    lines = []
    if not record.explained:
        found = NONE if record.tried is None else f"{record.tried.chance_p:.2f}"
        lines.append(
            Name(
                zh=f"没有条件能解释未达成：最好的一组偶然也会出现（p = {found}）。"
                f"考察了 {len(record.factors)} 个因素；偶然因素占主导，或需要更多模拟。",
                en="Nothing explains the misses: as good a condition as the best one found comes "
                f"by chance too (p = {found}). {len(record.factors)} factors were looked at; "
                "chance dominates, or more runs are needed.",
            )
        )
    elif record.tried is not None:
        lines.append(
            Name(
                zh="其余未达成找不到超出偶然的条件。",
                en="The misses outside have no condition that is more than chance.",
            )
        )
    if record.parameter_share is not None:
        lines.append(
            Name(
                zh=f"该指标的不确定性约有 {100 * record.parameter_share:.0f} % 来自参数，"
                "其余为偶然，任何条件都解释不了。",
                en=f"About {100 * record.parameter_share:.0f} % of the doubt about this target "
                "lies in parameters; the rest is chance, which no condition explains.",
            )
        )
    return lines
