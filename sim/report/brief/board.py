"""The board of all probabilities as a table, and the map."""

from __future__ import annotations

from sim.analysis.interval import interval, percent
from sim.analysis.published import Published
from sim.figures import Name
from sim.plan import ALL_TARGETS
from sim.report import terms
from sim.report.brief.document import Block, Paragraph, Section, Table, Tongue
from sim.report.brief.pictures import picture
from sim.report.layout_map import can_be_drawn
from sim.report.pictures import Kind
from sim.report.wording import NONE, goal

TITLE = Name(zh="各片区各项指标的达成概率", en="Probability of each target in each zone")
NOTE = Name(
    zh="每格上方为按期达成的概率，下方为95%区间（%），颜色越深概率越高。指标名下为全区目标值，各片区按所承担的份额计；"
    "“–”表示该片区不承担此项指标。",
    en="Each cell has the probability that the target is met by its deadline and below it the "
    "95 % interval (%); the darker, the likelier. Thresholds are the district's; each zone is held "
    "to its share (–: it has none).",
)
MAP = Name(
    zh="规划布局示意图：各片区按所在位置排列，颜色为所承担指标的平均达成概率：",
    en="Schematic map of the plan's layout; each zone is coloured by the mean probability of its "
    "targets: ",
)


def board(published: Published, language: Tongue) -> Section:
    """Targets as rows, the district and its zones as columns."""
    cells = {(row.zone, row.target): row for row in published.summary.results}
    zones = terms.zones(published.plan)
    targets = {target.id: target for target in published.plan.targets}
    names = terms.series(published.plan)
    rows, shades = [], []
    for target in [*targets, ALL_TARGETS]:
        label = names[target].name[language]
        if target in targets:
            label += "\n" + goal(targets[target], targets[target].threshold.value)[language]
        found = [cells.get((zone, target)) for zone in zones]
        rows.append(
            [
                label,
                *(
                    NONE
                    if row is None
                    else f"{percent(row.probability)}\n{interval(row.low, row.high)}"
                    for row in found
                ),
            ]
        )
        shades.append([None, *(None if row is None else row.probability for row in found)])
    head = [Name(zh="指标", en="Target")[language], *(zone[language] for zone in zones.values())]
    table = Table(
        head,
        rows,
        [2.9, *([1.0] * len(zones))],
        alt=TITLE[language],
        shades=shades,
        dense=True,
    )
    blocks: list[Block] = [table, Paragraph(NOTE[language], "note")]
    if can_be_drawn(published.plan):
        alt = MAP[language] + _means(published, language)
        blocks.append(picture(published, Kind.MAP, alt=alt, language=language))
    return Section(TITLE[language], blocks)


def _means(published: Published, language: Tongue) -> str:
    table = published.results
    table = table[table["target"] != ALL_TARGETS].groupby("zone")["probability"].mean()
    names = terms.zones(published.plan)
    between, stop = ("，", "。") if language == "zh" else (", ", ".")
    ids = [zone.id for zone in published.plan.zones if zone.id in table.index]
    return between.join(f"{names[z][language]} {percent(float(table[z]))}" for z in ids) + stop
