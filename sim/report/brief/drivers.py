"""What the spread of the answer comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sim.analysis.explanation import Explanation
from sim.analysis.published import Published
from sim.analysis.summary import SplitRecord
from sim.figures import Name
from sim.plan import DISTRICT, Target
from sim.report.brief.document import Block, Paragraph, Section, Table, Tongue
from sim.report.explanation_table import sentences
from sim.report.wording import NONE

TITLE = Name(zh="不确定性从何而来", en="Where the uncertainty comes from")
HEAD = (
    Name(zh="指标", en="Target"),
    Name(zh="偶然因素", en="Chance"),
    Name(zh="有出处的参数", en="Parameters with a source"),
    Name(zh="属于假设的参数", en="Assumed parameters"),
    Name(zh="拟合过的参数", en="Fitted parameters"),
    Name(zh="影响最大的参数", en="Largest parameter"),
)


def drivers(
    published: Published,
    targets: Sequence[Target],
    explanations: Mapping[str, Explanation],
    language: Tongue,
) -> list[Section]:
    """What the spread comes from, and for targets that were explained their chain of causes."""
    sections = [_spread(published, targets, language)]
    for target in targets:
        if target.id in explanations:
            title = Name(zh=f"{target.name.zh}：由何推动", en=f"{target.name.en}: what moves it")
            told = sentences(explanations[target.id], published.plan)[1:]  # odds were said before
            blocks = [Paragraph(sentence[language], "point") for sentence in told]
            sections.append(Section(title[language], blocks, level=2))
    return sections


def _spread(published: Published, targets: Sequence[Target], language: Tongue) -> Section:
    """By source, assumption and chance where the runs suffice to tell; else why they do not."""
    found = published.summary.uncertainty
    if found is None or found.runs < found.runs_needed:
        return Section(TITLE[language], _too_few(published, targets, language))
    split = {row.target: row for row in found.split if (row.zone, row.of) == (DISTRICT, "value")}
    largest = {
        row.target: row
        for row in reversed(found.largest)
        if (row.zone, row.of) == (DISTRICT, "value")
    }
    rows = []
    for target in targets:
        named = largest.get(target.id)
        parts = _parts(split[target.id])
        most = f"{named.parameter} {_share(named.share)}" if named else NONE
        rows.append([target.name[language], *parts, most])
    table = Table(
        [head[language] for head in HEAD], rows, [2.0, 0.9, 1.3, 1.3, 1.3, 2.4], alt=TITLE[language]
    )
    words = Name(
        zh="下表把各重点指标期末值的波动按来源分开。“偶然因素”指参数不变、只换运气时的波动，"
        "再多的研究也不能消除；其余部分可随数据改善而缩小。",
        en="The table splits the spread of each target's value at the deadline by its source. "
        "Chance is what remains when parameters stay and only luck differs: no research removes "
        "it. The rest shrinks as data improve.",
    )
    note = Name(
        zh="各列之和可不足100%，其余为参数之间的共同作用；参数为模型中的名称（过程.参数）。",
        en="Columns may add up to less than 100 %: the rest is what parameters do jointly. "
        "Parameters have their names in the model (process.parameter).",
    )
    return Section(
        TITLE[language],
        [Paragraph(words[language]), table, Paragraph(note[language], "note")],
    )


def _too_few(published: Published, targets: Sequence[Target], language: Tongue) -> list[Block]:
    found, runs = published.summary.uncertainty, published.summary.runs
    needed = f"{found.runs_needed:,}" if found else NONE
    words = Name(
        zh=f"本次共{runs:,}次模拟，尚不足以分辨波动来自哪些参数（约需{needed}次）。",
        en=f"The {runs:,} runs are too few to tell which parameters the spread comes from; about "
        f"{needed} would do.",
    )
    blocks: list[Block] = [Paragraph(words[language])]
    for target in targets:
        share = published.result(target.id).parameter_share
        if share is None:
            continue
        text = Name(
            zh=f"{target.name.zh}：能否达成的不确定性{_about(share).zh}来自参数，其余为偶然因素。",
            en=f"{target.name.en}: {_about(share).en} of the doubt about meeting it lies in "
            "parameters, the rest is chance.",
        )
        blocks.append(Paragraph(text[language], "point"))
    return blocks


def _parts(row: SplitRecord) -> list[str]:
    return [_share(part) for part in (row.chance, row.source, row.assumption, row.fitted)]


def _about(share: float) -> Name:
    """A share in a sentence."""
    if share < 0.01:
        return Name(zh="不到1%", en="less than 1 %")
    return Name(zh=f"约有{_share(share)}", en=f"about {_share(share, ' ')}")


def _share(share: float | None, space: str = "") -> str:
    """In whole percent; small shares are not said to be none."""
    if share is None:
        return NONE
    return f"<1{space}%" if share < 0.01 else f"{100 * share:.0f}{space}%"
