"""The score of a forecast in the terminal: a table of figures, one of forecasts, and sentences."""

from __future__ import annotations

import textwrap

from rich import box
from rich.table import Table
from rich.text import Text

from sim.analysis.naive import Naive
from sim.analysis.scorebook import MODEL, Figure, LogScore, Score, TargetScore
from sim.analysis.scoring import Verdict
from sim.figures import Name
from sim.plan import Plan
from sim.report.wording import NONE, WHOLE_DISTRICT, Language, amount, goal, say, wrap_zh

KINDS = {
    "about": Name(zh="约", en="about"),
    "over": Name(zh="超过", en="over"),
    "nearly": Name(zh="近", en="nearly"),
}
UNITS = {"家": "firms", "人": "persons"}  # of the context series
VERDICTS = {
    Verdict.MET: Name(zh="达成", en="met"),
    Verdict.MISSED: Name(zh="未达成", en="missed"),
    Verdict.NO_FIGURE: Name(zh="期限当月没有数值", en="no figure at the deadline"),
    Verdict.OPEN: Name(
        zh="只公布了界限，不能定论", en="open: the published bound leaves both possible"
    ),
    Verdict.DEFINITION: Name(
        zh="口径差异大于与目标的距离，不能定论",
        en="open: definitions may differ by more than the distance",
    ),
    Verdict.CONTRADICTION: Name(zh="数值互相矛盾，不能定论", en="open: figures contradict"),
}
WIDTH = 26  # columns of text
OUT_OF_REACH = Name(zh="不可及", en="out of reach")


def figure_table(found: Score, plan: Plan, language: Language) -> Table:
    """A row a figure: what was published, what the model foresaw, and its scores."""
    table = _table(
        language,
        Name(zh="数值", en="Figure"),
        Name(zh="公布", en="Published"),
        Name(zh="中位数\n80 % 区间", en="Foreseen\nmedian\nand 80 %"),
        Name(zh="PIT\n界限: P", en="PIT\nbound: P"),
        Name(zh="CRPS", en="CRPS"),
        Name(zh="对数\n得分", en="Log\nscore"),
    )
    model = {row.figure: row for row in found.scores if row.forecast == MODEL}
    for figure in found.figures:
        row = model[figure.id]
        low, middle, high = (amount(_round(value)) for value in (row.q10, row.q50, row.q90))
        place = f"P {row.probability:.2f}" if row.pit is None else f"{row.pit:.3f}"
        mark = "" if row.reached else "\n" + say(OUT_OF_REACH, language, "\n")
        table.add_row(
            _label(figure, plan, language),
            _published(figure, plan, language),
            f"{middle}\n{low}–{high}",
            place + mark,
            NONE if row.crps is None else f"{row.crps:.3f}",
            log_text(row.log_score),
        )
    return table


def total_table(found: Score, language: Language) -> Table:
    """A row a forecast: the model first, then the naive ones."""
    table = _table(
        language,
        Name(zh="预测", en="Forecast"),
        Name(zh="数值\n个数", en="Values"),
        Name(zh="平均\nCRPS", en="Mean\nCRPS"),
        Name(zh="50/80/95%\n区间内", en="50/80/95%\nintervals"),
        Name(zh="平均\n对数得分", en="Mean\nlog score"),
        Name(zh="界限: 个数\n平均得分", en="Bounds, mean\nlog score"),
        Name(zh="目标: 个数\nBrier", en="Targets,\nBrier"),
    )
    brier = {row.forecast: row for row in found.brier}
    for row in found.totals:
        inside = " / ".join(str(level.inside) for level in row.coverage)
        own = brier.get(row.forecast)
        bounds = NONE if not row.bounds else f"{row.bounds}: {log_text(row.bounds_log_score)}"
        table.add_row(
            say(forecast_name(row.forecast), language, "\n"),
            str(row.values),
            NONE if row.crps is None else f"{row.crps:.3f}",
            NONE if not row.values else inside,
            log_text(row.log_score),
            bounds,
            NONE if own is None else f"{own.targets}: {own.brier:.3f}",
        )
    return table


def lines(found: Score, plan: Plan) -> list[Name]:
    """What belongs under the tables: skill in words, the targets, what limits the numbers."""
    target_lines = [
        target_words(row, plan) for row in found.targets if row.verdict != Verdict.NO_FIGURE
    ]
    return [*(skill.words for skill in found.skills), *target_lines, *found.remarks]


def target_words(row: TargetScore, plan: Plan) -> Name:
    """A target with what became of it and how likely the model thought it."""
    target = next(target for target in plan.targets if target.id == row.target)
    zone, threshold, what = zone_name(row.zone, plan), goal(target, row.threshold), row.verdict
    given = f"{row.probabilities[MODEL]:.0%}".replace("%", " %")
    return Name(
        zh=f"{target.name.zh} · {zone.zh}（{threshold.zh}）：{VERDICTS[what].zh}；"
        f"预测概率 {given}。",
        en=f"{target.name.en}, {zone.en} ({threshold.en}): {VERDICTS[what].en}; the forecast "
        f"gave it {given}.",
    )


def title(figure: Figure, plan: Plan) -> Name:
    """Indicator, zone and month of a figure."""
    indicator, zone = indicator_name(figure.indicator, plan), zone_name(figure.zone, plan)
    return Name(
        zh=f"{indicator.zh} · {zone.zh} · {figure.month}",
        en=f"{indicator.en}, {zone.en}, {figure.month}",
    )


def indicator_name(indicator: str, plan: Plan) -> Name:
    """A target's name; a context series goes by its id."""
    names = {target.id: target.name for target in plan.targets}
    return names.get(indicator, Name(zh=indicator, en=indicator))


def zone_name(zone: str, plan: Plan) -> Name:
    names = {one.id: one.name for one in plan.zones}
    return names.get(zone, Name(zh=WHOLE_DISTRICT.zh, en=WHOLE_DISTRICT.en.lower()))


def published(figure: Figure, plan: Plan) -> Name:
    """The figure as it was published."""
    value = amount(figure.published)
    units = {target.unit.zh: target.unit.en for target in plan.targets} | UNITS
    unit = units.get(figure.unit, figure.unit)
    zh, en = f"{value} {figure.unit}", f"{value} {'× ' if unit[0].isdigit() else ''}{unit}"
    if figure.kind not in KINDS:
        return Name(zh=zh, en=en)
    kind = KINDS[figure.kind]
    return Name(zh=f"{kind.zh} {zh}", en=f"{kind.en} {en}")


def forecast_name(forecast: str) -> Name:
    if forecast == MODEL:
        return Name(zh="模型", en="Model")
    naive = Naive(forecast)
    return Name(zh=naive.zh, en=naive.value[0].upper() + naive.value[1:])


def log_text(score: LogScore | None) -> str:
    if score is None:
        return NONE
    return "−∞" if score == "-Infinity" else f"{float(score):,.2f}".replace("-", "−")


def _label(figure: Figure, plan: Plan, language: Language) -> Text:
    """Indicator, and below it zone and month; broken by hand, as rich breaks Chinese nowhere."""
    indicator, zone = indicator_name(figure.indicator, plan), zone_name(figure.zone, plan)
    found: list[Text] = []
    if language != "en":
        found += [Text(line) for line in wrap_zh(indicator.zh, WIDTH // 2)]
    if language != "zh":
        style = "dim" if found else ""
        found += [Text(line, style=style) for line in textwrap.wrap(indicator.en, WIDTH)]
    return Text("\n").join([*found, Text(f"{say(zone, language)} · {figure.month}")])


def _published(figure: Figure, plan: Plan, language: Language) -> str:
    name = published(figure, plan)
    if language == "both":
        return "\n".join([name.zh, *([KINDS[figure.kind].en] if figure.kind in KINDS else [])])
    return name[language]


def _round(value: float) -> float:
    return round(value) if value >= 10 else value


def _table(language: Language, *heads: Name) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for position, head in enumerate(heads):
        text = head.en if head.zh == head.en else say(head, language, "\n")
        table.add_column(text, justify="right" if position else "left", no_wrap=not position)
    return table
