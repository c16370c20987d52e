"""What has been observed since the plan began, and what it does to the answer."""

from __future__ import annotations

from sim.analysis.interval import interval, percent
from sim.analysis.observed import Conditioned, FigureRecord, ObservedRecord
from sim.analysis.published import Published
from sim.figures import Name
from sim.plan import ALL_TARGETS, DISTRICT
from sim.report import terms
from sim.report.brief.chances import close, month
from sim.report.brief.document import Paragraph, Section, Table, Tongue
from sim.report.difference_table import points, target_name
from sim.report.observed import BOUND, PUBLISHED, UNITS, largest_move
from sim.report.wording import amount

TITLE = Name(zh="计入已公布数据后的判断", en="Given what has been observed")
HEAD = (
    Name(zh="指标（全区）", en="Target (whole district)"),
    Name(zh="计入前", en="Before"),
    Name(zh="计入后", en="Given the figures"),
    Name(zh="变化（百分点）", en="Points"),
)


def observed(published: Published, found: ObservedRecord, language: Tongue) -> Section:
    """The district's targets before and after, and each figure with what it moves most."""
    used, when = len(found.figures), _period(found)
    words = Name(
        zh=f"把{when.zh}的{used}个观测值计入后，与之吻合的模拟权重更大，{found.runs:,}次"
        f"模拟相当于{found.effective_runs:,.0f}次；没有重做模拟。本简报其他各节均为计入之前的结果。",
        en=f"{used} {'figure' if used == 1 else 'figures'} observed {when.en} "
        f"{'gives' if used == 1 else 'give'} more weight to runs that agree with "
        f"{'it' if used == 1 else 'them'}: {found.runs:,} runs count as "
        f"{found.effective_runs:,.0f}. No run was made again, and all other sections of this "
        "briefing are without it.",
    )
    plan = published.plan
    rows = [
        [
            target_name(row.target, plan)[language],
            _chance(row.before, row.before_low, row.before_high, language),
            _chance(row.probability, row.low, row.high, language),
            points(row.probability - row.before),
        ]
        for row in found.results
        if row.zone == DISTRICT
    ]
    table = Table(
        [head[language] for head in HEAD], rows, [3.0, 1.6, 1.6, 1.1], alt=TITLE[language]
    )
    after = {row.target: row.probability for row in _district(found) if row.target != ALL_TARGETS}
    told = [
        Paragraph(_figure(published, found, row, after)[language], "point") for row in found.figures
    ]
    return Section(TITLE[language], [Paragraph(words[language]), table, *told])


def _period(found: ObservedRecord) -> Name:
    """The month that the figures are of, or the first and the last."""
    first, last = month(found.first_month), month(found.last_month)
    if first == last:
        return Name(zh=first.zh, en=f"in {first.en}")
    return Name(zh=f"{first.zh}至{last.zh}", en=f"from {first.en} to {last.en}")


def _district(found: ObservedRecord) -> list[Conditioned]:
    return [row for row in found.results if row.zone == DISTRICT]


def _chance(value: float, low: float, high: float, language: Tongue) -> str:
    """``62 % (58–66)``, as Chinese and English set it."""
    if language == "zh":
        return f"{close(percent(value))}（{interval(low, high)}）"
    return f"{percent(value)} ({interval(low, high)})"


def _figure(
    published: Published, found: ObservedRecord, row: FigureRecord, after: dict[str, float]
) -> Name:
    """One figure: what was published, what the runs had, and what it moves most."""
    plan = published.plan
    name = terms.series(plan)[row.indicator].name
    zone, due = terms.zones(plan)[row.zone], month(row.month)
    sign = BOUND.get(row.kind, PUBLISHED)
    unit = Name(zh=row.unit, en=UNITS.get(row.unit, row.unit))
    spread = f"{amount(row.q05)}–{amount(row.q95)}"
    without = [
        (one.target, one.probability, one.error)
        for one in found.without
        if (one.id, one.zone) == (row.id, DISTRICT)
    ]
    moved = largest_move(after, without)
    said = Name(zh="对各项指标的影响未超过误差", en="it moves no target by more than its error")
    if moved is not None:
        target, share = target_name(moved[0], plan), points(moved[1])
        said = Name(
            zh=f"影响最大的是“{target.zh}”，{share}个百分点",
            en=f'it moves "{target.en}" most, by {share} points',
        )
    return Name(
        zh=f"{name.zh}（{zone.zh}，{due.zh}）：{sign.zh.strip()}{amount(row.value)}{unit.zh}，"
        f"九成模拟在{spread}之间；{said.zh}。",
        en=f"{name.en} ({zone.en}, {due.en}): {sign.en}{amount(row.value)} {unit.en}, nine runs in "
        f"ten {spread}; {said.en}.",
    )
