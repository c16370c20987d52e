"""The answer in three sentences: the district, its targets, its zones and the cost."""

from __future__ import annotations

from sim.analysis.published import Published
from sim.analysis.summary import Result
from sim.figures import Name
from sim.plan import ALL_TARGETS, DISTRICT
from sim.report import terms
from sim.report.brief.chances import month, quantity, span, told
from sim.report.brief.document import Paragraph, Section, Tongue

TITLE = Name(zh="主要结论", en="The answer")


def answer(published: Published, language: Tongue) -> Section:
    """Three sentences, each with its intervals."""
    sentences = (_together(published), _one_by_one(published), _zones(published))
    blocks = [Paragraph(sentence[language], "lead") for sentence in sentences]
    return Section(TITLE[language], blocks)


def _together(published: Published) -> Name:
    """All targets of the district at once, and how many of them are met."""
    whole = published.result(ALL_TARGETS)
    scenario = published.finished.inputs.scenario.name
    count = int(whole.threshold)
    due = month(max(target.deadline for target in published.plan.targets))
    return Name(
        zh=f"在“{scenario.zh}”下，全区{count}项指标到{due.zh}全部按期达成的可能性{told(whole).zh}；"
        f"各次模拟期末达成{whole.q50:.0f}项左右，九成模拟在{whole.q05:.0f}至{whole.q95:.0f}项之间。",
        en=f'Under the scenario "{scenario.en}", the chance that the district meets all '
        f"{count} targets by {due.en} is {told(whole).en}; a typical run meets "
        f"{whole.q50:.0f} of them, and nine runs in ten meet {whole.q05:.0f} to {whole.q95:.0f}.",
    )


def _one_by_one(published: Published) -> Name:
    """The likeliest and the least likely target, and how many lie on either side of a half."""
    rows = single(published)
    best, worst = rows[-1], rows[0]
    names = {target.id: target.name for target in published.plan.targets}
    above = sum(row.low > 0.5 for row in rows)
    below = sum(row.high < 0.5 for row in rows)
    parts_zh, parts_en = [], []
    for number, zh, en in (
        (above, "有{}项明显高于一半", "{} are clearly more likely than not"),
        (below, "有{}项明显低于一半", "{} clearly less likely than not"),
        (len(rows) - above - below, "有{}项在一半上下、尚难判断", "{} too close to even to call"),
    ):
        if number:
            parts_zh.append(zh.format(number))
            parts_en.append(en.format(number))
    head = ", ".join(parts_en)
    return Name(
        zh=f"逐项看，按期达成的可能性，{'，'.join(parts_zh)}；把握最大的是“{names[best.target].zh}”，"
        f"{told(best).zh}，最难达成的是“{names[worst.target].zh}”，{told(worst).zh}。",
        en=f'Of the {len(rows)} targets, {head}; the safest is "{names[best.target].en}", '
        f'{told(best).en}, the least likely "{names[worst.target].en}", {told(worst).en}.',
    )


def _zones(published: Published) -> Name:
    """Where most and fewest of a zone's own targets are met, and what all of it costs."""
    rows = [
        row
        for row in published.summary.results
        if row.target == ALL_TARGETS and row.zone != DISTRICT
    ]
    rows.sort(key=lambda row: 1.0 - row.shortfall / row.threshold)
    names = terms.zones(published.plan)
    cost = next(
        row for row in published.summary.costs if (row.item, row.zone) == ("total", DISTRICT)
    )
    mean, bounds = quantity(cost.mean, terms.MONEY), span(cost.q05, cost.q95, terms.MONEY)
    zh, en = "", ""
    if len(rows) > 1:
        best, worst = rows[-1], rows[0]
        zh = (
            f"分片区看，{names[best.zone].zh}完成面最高，所承担的{_met(best).zh}；"
            f"{names[worst.zone].zh}最低，所承担的{_met(worst).zh}；"
        )
        en = (
            f"Among the zones, {names[best.zone].en} does best, typically meeting "
            f"{_met(best).en}, and {names[worst.zone].en} worst, with {_met(worst).en}; "
        )
    money = Name(
        zh=f"全期财政投入约{mean.zh}（九成模拟在{bounds.zh}之间）。",
        en=f"the whole period costs the public purse about {mean.en} (nine runs in ten: "
        f"{bounds.en}).",
    )
    if not en:
        return Name(zh=money.zh, en=money.en[0].upper() + money.en[1:])
    return Name(zh=zh + money.zh, en=en + money.en)


def _met(row: Result) -> Name:
    """How many of a zone's own targets a typical run meets."""
    count = int(row.threshold)
    return Name(
        zh=f"{count}项指标通常达成{row.q50:.0f}项（九成模拟在{row.q05:.0f}至{row.q95:.0f}项之间）",
        en=f"{row.q50:.0f} of its {count} (nine runs in ten: {row.q05:.0f} to {row.q95:.0f})",
    )


def single(published: Published) -> list[Result]:
    """The district's targets one by one, the least likely first."""
    rows = [
        row
        for row in published.summary.results
        if row.zone == DISTRICT and row.target != ALL_TARGETS
    ]
    return sorted(rows, key=lambda row: row.probability)
