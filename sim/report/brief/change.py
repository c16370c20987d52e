"""What would change the answer: how far each target is off, and who could move it."""

from __future__ import annotations

from collections.abc import Sequence

from sim.analysis.compare import Comparison
from sim.analysis.published import Published
from sim.figures import Name
from sim.plan import Plan, Target
from sim.report.brief.chances import quantity, rounded
from sim.report.brief.compared import compared
from sim.report.brief.document import Block, Paragraph, Section, Table, Tongue
from sim.report.wording import NONE

TITLE = Name(zh="如何提高把握", en="What would change it")
OTHERS = Name(zh="与其他情景比较", en="Other scenarios")
ALONE = Name(
    zh="本次推演只含一种情景，未测算各项任务和政策工具的效果。改变做法能提高多少把握，可另用 "
    "pudong compare 命令将其他情景与本情景逐次对照。",
    en="This forecast holds one scenario and does not measure what single measures or levers do. "
    "The command pudong compare holds other scenarios beside this one, run by run.",
)
HEAD = (
    Name(zh="指标", en="Target"),
    Name(zh="期末中位数", en="Median"),
    Name(zh="目标值", en="Target value"),
    Name(zh="差距", en="Gap"),
    Name(zh="方案中的对应任务", en="Measures of the plan that aim at it"),
    Name(zh="牵头部门", en="Led by"),
)


def change(
    published: Published,
    targets: Sequence[Target],
    comparison: Comparison | None,
    language: Tongue,
    *,
    alone: bool,
) -> list[Section]:
    """The gap between the median and the target, the measures that aim at it, other scenarios.

    ``alone``: whether no other scenario is in the briefing, which is then said.
    """
    rows = []
    for target in targets:
        row = published.result(target.id)
        measures, leads = _aiming(published.plan, target)
        rows.append(
            [
                target.name[language],
                quantity(row.q50, target.unit)[language],
                quantity(row.threshold, target.unit)[language],
                _gap(row.q50, row.threshold, language),
                measures[language],
                leads[language],
            ]
        )
    table = Table(
        [head[language] for head in HEAD], rows, [1.6, 1.1, 1.1, 0.9, 3.3, 2.4], alt=TITLE[language]
    )
    words = Name(
        zh="期末中位数低于目标值的指标，要做到有一半把握，须先补上表中的差距。方案中与之对应的任务和牵头部门如下。",
        en="Where the median lies below the target, the gap in the table is what it takes to make "
        "the chance even. The plan's measures that aim at each target, and who leads them:",
    )
    first: list[Block] = [Paragraph(words[language]), table]
    if comparison is None:
        note = [Paragraph(ALONE[language], "note")] * alone
        return [Section(TITLE[language], [*first, *note])]
    beside = compared(comparison, targets, language)
    return [Section(TITLE[language], first), Section(OTHERS[language], beside, level=2)]


def _gap(value: float, aim: float, language: Tongue) -> str:
    if value >= aim:
        return Name(zh="已达到", en="none")[language]
    if aim <= 0:
        return NONE
    share = rounded(100.0 * (aim - value) / aim)
    return Name(zh=f"差{share:.0f}%", en=f"{share:.0f} % short")[language]


def _aiming(plan: Plan, target: Target) -> tuple[Name, Name]:
    """The measures that are meant to move a target, and their lead departments."""
    measures = [measure for measure in plan.measures if target.id in measure.moves]
    names = {department.id: department.name for department in plan.departments}
    if not measures:
        return Name(zh=NONE, en=NONE), Name(zh=NONE, en=NONE)
    zh = "；".join(f"{m.number}. {m.name.zh}" for m in measures)
    en = "; ".join(f"{m.number}. {m.name.en}" for m in measures)
    leads = [names[lead] for lead in dict.fromkeys(m.lead for m in measures)]
    return Name(zh=zh, en=en), Name(
        zh="、".join(lead.zh for lead in leads), en="; ".join(lead.en for lead in leads)
    )
