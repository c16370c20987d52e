"""What other scenarios change, from a comparison with this one."""

from __future__ import annotations

from collections.abc import Sequence

from sim.analysis.compare import Comparison, Difference, Verdict, WhatIf
from sim.analysis.interval import percent
from sim.figures import Name
from sim.plan import DISTRICT, Target
from sim.report import terms
from sim.report.brief.chances import quantity
from sim.report.brief.document import Block, Paragraph, Table, Tongue
from sim.report.difference_table import points, points_interval

HEAD = (
    Name(zh="情景", en="Scenario"),
    Name(zh="指标", en="Target"),
    Name(zh="本情景", en="Here"),
    Name(zh="该情景", en="There"),
    Name(zh="相差百分点（95%区间）", en="Points (95 % interval)"),
    Name(zh="判断", en="Verdict"),
)
VERDICTS = {
    Verdict.RISES: Name(zh="可能性上升", en="likelier"),
    Verdict.FALLS: Name(zh="可能性下降", en="less likely"),
    Verdict.UNCLEAR: Name(zh="看不出差别", en="cannot be told"),
}
ALT = Name(zh="其他情景与本情景的比较", en="Other scenarios beside this one")


def compared(found: Comparison, targets: Sequence[Target], language: Tongue) -> list[Block]:
    """A row a scenario and target, and what each scenario costs."""
    rows = []
    for what_if in found.what_ifs:
        known = {row.target: row for row in what_if.differences if row.zone == DISTRICT}
        for target in targets:
            told = figures_of(known[target.id], language)
            rows.append([what_if.scenario.name[language], target.name[language], *told])
    words = Name(
        zh=f"以下情景与本情景同用一组随机数，各模拟{found.runs:,}次，逐次对照。",
        en=f"These scenarios met the same luck as this one, run by run, in {found.runs:,} runs of "
        "each.",
    )
    table = Table(
        [head[language] for head in HEAD],
        rows,
        [1.9, 2.3, 0.9, 0.9, 2.4, 1.3],
        alt=ALT[language],
    )
    costs = [
        Paragraph(cost_sentence(one, one.scenario.name)[language], "point")
        for one in found.what_ifs
    ]
    return [Paragraph(words[language]), table, *costs]


def figures_of(row: Difference, language: Tongue) -> list[str]:
    """Both probabilities, the difference with its interval, and whether it can be told."""
    shift, bounds = points(row.difference), points_interval(row)
    return [
        percent(row.base),
        percent(row.what_if),
        f"{shift}（{bounds}）" if language == "zh" else f"{shift} ({bounds})",
        VERDICTS[row.verdict][language],
    ]


def cost_sentence(what_if: WhatIf, name: Name) -> Name:
    """What a scenario, by the name that it is given, costs more or less over the whole period."""
    total = next(row for row in what_if.costs if (row.item, row.zone) == ("total", DISTRICT))
    money = quantity(abs(total.difference), terms.MONEY)
    if not total.difference:
        return Name(
            zh=f"{name.zh}：全期财政投入不变。",
            en=f"{name.en}: costs the public purse the same.",
        )
    zh, en = ("增加", "more") if total.difference > 0 else ("减少", "less")
    return Name(
        zh=f"{name.zh}：全期财政投入约{zh}{money.zh}。",
        en=f"{name.en}: costs the public purse about {money.en} {en} over the whole period.",
    )
