"""A section for each target that matters most."""

from __future__ import annotations

from collections.abc import Sequence

from sim.analysis.naive import PastFigure
from sim.analysis.published import Published
from sim.figures import Name
from sim.plan import Target
from sim.report.brief.answer import single
from sim.report.brief.chances import count_words, month, quantity, span, told
from sim.report.brief.document import Block, Paragraph, Section, Tongue
from sim.report.brief.pictures import picture
from sim.report.pictures import Kind

TITLE = Name(zh="重点指标", en="The targets that matter most")
NUMBER = 3  # of targets, where none is named


def chosen(published: Published, named: Sequence[str]) -> list[Target]:
    """The named targets, or the least likely ones of the district.

    Raises:
        ScenarioError: the plan has no target of that name.
    """
    names = list(dict.fromkeys(named)) or [row.target for row in single(published)[:NUMBER]]
    return [published.target(name) for name in names]


def target_sections(
    published: Published,
    targets: Sequence[Target],
    past: Sequence[PastFigure],
    language: Tongue,
    *,
    named: bool,
) -> list[Section]:
    """How each stands, what it depends on, and its charts."""
    count = len(targets)
    why = Name(
        zh=f"以下{count}项指标在全区达成的可能性最低。",
        en=f"The district is least likely to meet these {count_words(count)}.",
    )
    if named:
        why = Name(zh=f"本简报专列以下{count}项指标。", en="The targets that were asked for.")
    first = Section(TITLE[language], [Paragraph(why[language])])
    return [first, *(_section(published, target, past, language) for target in targets)]


def _section(
    published: Published, target: Target, past: Sequence[PastFigure], language: Tongue
) -> Section:
    row = published.result(target.id)
    middle, spread = quantity(row.q50, target.unit), span(row.q05, row.q95, target.unit)
    aim, due, odds = quantity(row.threshold, target.unit), month(target.deadline), told(row)
    at_least = Name(zh="不少于", en="at least")
    if target.comparison == "above":
        at_least = Name(zh="超过", en="more than")
    stands = Name(
        zh=f"目标是到{due.zh}{at_least.zh}{aim.zh}。模拟期末值的中位数为{middle.zh}，九成模拟在"
        f"{spread.zh}之间，按期达成的可能性{odds.zh}。",
        en=f"The aim is {at_least.en} {aim.en} by {due.en}. The median of the runs is {middle.en}, "
        f"nine in ten end within {spread.en}, and the chance of meeting it is {odds.en}.",
    )
    fan = Name(
        zh=f"扇形图：{target.name.zh}（全区）逐月模拟区间与目标线。期末中位数{middle.zh}，"
        f"九成模拟在{spread.zh}之间；目标{aim.zh}。",
        en=f"Fan chart of {target.name.en} in the whole district, month by month, with the target. "
        f"Median at the deadline {middle.en}, nine runs in ten {spread.en}; target {aim.en}.",
    )
    ridge = Name(
        zh=f"{target.name.zh}：全区和各片区期末值的分布，以各自目标为100%。",
        en=f"{target.name.en}: distribution of the value at the deadline in the district and in "
        "each zone, in percent of its own target.",
    )
    blocks: list[Block] = [
        Paragraph(stands[language]),
        Paragraph(target.driven_by[language]),
        picture(
            published, Kind.FAN, target=target.id, past=past, alt=fan[language], language=language
        ),
        picture(
            published,
            Kind.RIDGE,
            target=target.id,
            alt=ridge[language],
            language=language,
            slides=False,
        ),
    ]
    return Section(target.name[language], blocks, level=2)
