"""A comparison in the terminal: the district's targets, the zones, and sentences."""

from __future__ import annotations

from rich import box
from rich.table import Table
from rich.text import Text

from sim.analysis.compare import Comparison, Cost, CostDifference, Difference, Side, Verdict, WhatIf
from sim.analysis.evaluation import TOTAL
from sim.analysis.interval import interval, percent
from sim.figures import Name
from sim.plan import DISTRICT, Plan
from sim.report.table import label, width_of
from sim.report.wording import ALL_TOGETHER, NONE, WHOLE_DISTRICT, Language, say
from sim.scenario import Inputs

WHO = Name(zh="百分点；▲▼ 期末值升降", en="Points; ▲▼ value at deadline")
COST = Name(zh="成本变化，亿元", en="Added cost, 亿元")
PLATFORMS = Name(zh="平台建设", en="Founding of platforms")
CANNOT = Name(zh="无法判断", en="cannot be told")


def difference_table(what_if: WhatIf, plan: Plan, language: Language) -> Table:
    """A row a target for the whole district: both probabilities, differences, price of a point."""
    table = _table(
        language,
        Name(zh="全区", en="Whole district"),
        Name(zh="基准", en="Base"),
        Name(zh="情景", en="What-if"),
        Name(zh="相差百分点", en="Points"),
        Name(zh="期末值变化", en="Change of value"),
        Name(zh="亿元/点", en="Cost a point"),
    )
    for row in what_if.differences:
        if row.zone == DISTRICT:
            table.add_row(
                label(target_name(row.target, plan), "", language, 18),
                _two(percent(row.base), interval(row.base_low, row.base_high)),
                _two(percent(row.what_if), interval(row.what_if_low, row.what_if_high)),
                _two(points(row.difference), points_interval(row), row.verdict),
                _two(mean_text(row.value, row.error), _range(row.q05, row.q95), row.value_verdict),
                _price(row, language),
            )
    return table


def zone_table(what_if: WhatIf, plan: Plan, *, width: int, language: Language) -> Table:
    """Who gains and who loses: the probability's change in points, the value's as ▲▼.

    Targets as rows and zones as columns; a list of what can be told from chance where ``width``
    (columns of text) is too small.
    """
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=0)
    zones = [change.zone for change in what_if.zones]
    table.add_column(label(WHO, "", language, 13), no_wrap=True)
    for zone in zones:
        head = label(zone_name(zone, plan), "", language, 7)
        table.add_column(head, justify="right", no_wrap=True)
    rows = {(row.zone, row.target): row for row in what_if.differences}
    for target in dict.fromkeys(row.target for row in what_if.differences):
        cells = [_change(rows.get((zone, target))) for zone in zones]
        table.add_row(label(target_name(target, plan), "", language, 13), *cells)
    table.add_section()
    spent = {row.zone: row.difference for row in what_if.costs if row.item == TOTAL}
    costs = [signed(spent[zone], min(2, _decimals(spent[zone] / 10.0))) for zone in zones]
    table.add_row(label(COST, "", language, 13), *costs)
    return table if width_of(table) <= width else _zone_list(what_if, plan, language)


def _zone_list(what_if: WhatIf, plan: Plan, language: Language) -> Table:
    table = _table(
        language,
        Name(zh="片区", en="Zone"),
        Name(zh="▲ 上升", en="▲ rises"),
        Name(zh="▼ 下降", en="▼ falls"),
    )
    for change in what_if.zones:
        cells = [
            "\n".join(say(target_name(target, plan), language) for target in targets) or NONE
            for targets in (change.rises, change.falls)
        ]
        table.add_row(say(zone_name(change.zone, plan), language, "\n"), *cells)
    return table


def sentences(found: Comparison, what_if: WhatIf, inputs: Inputs) -> list[Name]:
    """What belongs under the tables: how sure, who gains and loses, what it costs."""
    lines = [
        Name(
            zh=f"每个情景 {found.runs:,} 次模拟，随机种子 {found.seed}，同号模拟的运气与参数相同；"
            "表中第二行为 95 % 区间（期末值变化：± 标准误，其下为 90 % 的模拟）；"
            "粗体：可与偶然区分。",
            en=f"{found.runs:,} runs of each, seed {found.seed}, pairs with the same luck and "
            "parameters. Second lines are 95 % intervals (change of value: ± standard error, below "
            "it 90 % of the runs); bold: told from chance.",
        )
    ]
    if what_if.same:
        same = Name(
            zh="该情景与基准没有任何不同，所有差值为零。",
            en="The what-if asks for nothing else than the base: every difference is zero.",
        )
        return [*lines, same]
    plan = inputs.plan
    return [*lines, who(what_if, plan), cost_words(what_if, inputs), price_words(what_if, plan)]


def who(what_if: WhatIf, plan: Plan) -> Name:
    """Which zones gain and which lose, by what can be told from chance."""
    groups: dict[Side, list[Name]] = {side: [] for side in Side}
    for change in what_if.zones:
        if change.zone != DISTRICT:
            groups[change.side].append(zone_name(change.zone, plan))
    zh = {side: "、".join(name.zh for name in names) or "无" for side, names in groups.items()}
    en = {side: ", ".join(name.en for name in names) or "none" for side, names in groups.items()}
    return Name(
        zh=f"受益片区：{zh[Side.GAINS]}；受损片区：{zh[Side.LOSES]}；有升有降：{zh[Side.MIXED]}；"
        f"看不出差别：{zh[Side.UNCLEAR]}（按概率与期末值，全部判断同时成立的把握为 95 %）。",
        en=f"Gain: {en[Side.GAINS]}. Lose: {en[Side.LOSES]}. Some targets up, some down: "
        f"{en[Side.MIXED]}. No difference told: {en[Side.UNCLEAR]}. (By probabilities and values "
        "at the deadline; all of this holds at once with 95 %.)",
    )


def cost_words(what_if: WhatIf, inputs: Inputs) -> Name:
    """What the district pays more, and for which items."""
    rows = [row for row in what_if.costs if row.zone == DISTRICT]
    total = next(row for row in rows if row.item == TOTAL)
    parts = [row for row in rows if row.item != TOTAL and row.difference]
    most = max((abs(row.difference) for row in parts), default=0.0)
    parts = [row for row in parts if abs(row.difference) > most / 100.0]
    names = {lever: rule.name for lever, rule in inputs.economy.levers.items()}
    named = [(names.get(row.item, PLATFORMS), _spent(row)) for row in parts]
    zh = "，".join(f"{name.zh} {spent}" for name, spent in named)
    en = ", ".join(f"{name.en} {spent}" for name, spent in named)
    return Name(
        zh=f"全期财政成本变化 {_spent(total)} 亿元（± 标准误）{zh and '，主要为 '}{zh}。",
        en=f"Change of fiscal cost over the whole period: {_spent(total)} × 100 million yuan "
        f"(± standard error){en and ', mostly '}{en}.",
    )


def price_words(what_if: WhatIf, plan: Plan) -> Name:
    """What a percentage point costs, for the targets where that can be told."""
    rows = [row for row in what_if.differences if row.zone == DISTRICT and row.cost == Cost.TOLD]
    zh = "；".join(f"{target_name(row.target, plan).zh} {price_text(row)}" for row in rows)
    en = "; ".join(f"{target_name(row.target, plan).en} {price_text(row)}" for row in rows)
    if not rows:
        return Name(
            zh="每提高一个百分点的成本无法判断：没有一项全区指标的概率有可辨别的上升。",
            en="What a percentage point costs cannot be told: no probability of the district is "
            "distinguishably higher.",
        )
    return Name(
        zh=f"每提高一个百分点的成本（亿元）：{zh}；其余无法判断。",
        en=f"Cost of a percentage point (亿元): {en}. Of the others it cannot be told.",
    )


def points(share: float) -> str:
    """A difference of probabilities in percentage points: ``+5.2``."""
    return signed(100.0 * share, 1)


def points_interval(row: Difference) -> str:
    """Its interval: ``+1.0 … +9.4``."""
    return f"{points(row.low)} … {points(row.high)}"


def signed(value: float, decimals: int) -> str:
    """With its sign, a true minus, and no sign at zero."""
    text = f"{abs(value):,.{decimals}f}"
    if not float(text.replace(",", "")):
        return "0"
    return ("+" if value > 0 else "−") + text


def mean_text(value: float, error: float | None) -> str:
    """A mean with its standard error, to the digits that the error leaves: ``+5.2 ± 0.4``."""
    if error is not None and error <= 1e-9 * abs(value):  # the same in every run, but for rounding
        return signed(value, _decimals(value / 10.0))
    decimals = _decimals(error or value)
    return signed(value, decimals) + ("" if error is None else f" ± {error:,.{decimals}f}")


def price_text(row: Difference) -> str:
    """Cost of a point with its interval, 亿元: ``1.5 (1.2 … 1.9)``; for a row that has one."""
    value, bounds = _price_parts(row)
    return f"{value} ({bounds})"


def target_name(target: str, plan: Plan) -> Name:
    """A target's name, or that of all together."""
    return next((t.name for t in plan.targets if t.id == target), ALL_TOGETHER)


def zone_name(zone: str, plan: Plan) -> Name:
    """A zone's name, or that of the district."""
    return next((z.name for z in plan.zones if z.id == zone), WHOLE_DISTRICT)


def _decimals(scale: float) -> int:
    """So many that two digits of a number of that size are shown, at most four."""
    limits = (10.0, 1.0, 0.1, 0.01)
    return next((n for n, limit in enumerate(limits) if abs(scale) >= limit), 4)


def _range(low: float, high: float) -> str:
    decimals = _decimals(max(high - low, abs(low)) / 4.0)
    return f"{signed(low, decimals)} … {signed(high, decimals)}"


def _spent(row: CostDifference) -> str:
    return mean_text(row.difference, row.error)


def _price(row: Difference, language: Language) -> Text:
    if row.cost != Cost.TOLD:
        return Text(say(CANNOT, language, "\n"), style="dim")
    return _two(*_price_parts(row))


def _price_parts(row: Difference) -> tuple[str, str]:
    numbers = (row.cost_per_point or 0.0, row.cost_low or 0.0, row.cost_high or 0.0)
    texts = [signed(number, _decimals(number)).lstrip("+") for number in numbers]
    return texts[0], f"{texts[1]} … {texts[2]}"


def _change(row: Difference | None) -> Text:
    """``▲+1.8``: what the value does where that can be told, and the probability in points."""
    if row is None:
        return Text(NONE, style="dim")
    mark = {Verdict.RISES: "▲", Verdict.FALLS: "▼", Verdict.UNCLEAR: ""}[row.value_verdict]
    told = "" if row.verdict == Verdict.UNCLEAR else "bold"
    return Text(mark).append(points(row.difference), style=told)


def _two(first: str, second: str, verdict: Verdict = Verdict.UNCLEAR) -> Text:
    """Two lines; the first is bold where a difference can be told."""
    return Text(first, style="" if verdict == Verdict.UNCLEAR else "bold").append(
        Text("\n" + second, style="dim")
    )


def _table(language: Language, *heads: Name) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=0)
    for number, head in enumerate(heads):
        table.add_column(
            say(head, language, "\n"), justify="center" if number else "left", no_wrap=True
        )
    return table
