"""An explanation in the terminal: sentences first, then the links of the chain as tables."""

from __future__ import annotations

from rich import box
from rich.table import Table

from sim.analysis.average import Average
from sim.analysis.explanation import Explanation, MeasureWork, Term
from sim.analysis.interval import interval, percent
from sim.figures import Name
from sim.plan import Driver, Plan
from sim.report.attribution_table import change_text, signed_range
from sim.report.chain_words import (
    BEHAVIOURS,
    DRIVERS,
    LIMITS,
    PERCENT,
    TERMS,
    department_name,
    measure_name,
)
from sim.report.difference_table import target_name, zone_name
from sim.report.terms import CONTEXT
from sim.report.wording import Language, amount, goal, say

SHOWN = 8
TOLD = 5e-4  # a push that shows in the first decimal of a percentage


def sentences(found: Explanation, plan: Plan) -> list[Name]:
    """What a briefing would say: outcome, what moved it, which measures, where it is held back."""
    lines = [_outcome(found, plan)]
    if found.account:
        lines.append(_moved(found))
    lines += [_pushed(found, plan), _held(found, plan)]
    if found.associations:
        lines.append(_together(found))
    lines.append(
        Name(
            zh=f"由预测 {found.runs:,} 次模拟中重做的 {found.watched} 次得出"
            "（概率与相关性用全部模拟），区间为 95 %。措施经人才、创新、项目等的间接作用"
            "不在“直接作用”之内；全部作用见 pudong attribute。",
            en=f"From {found.watched} of the forecast's {found.runs:,} runs, made again (the "
            "probability and correlations from all of them); 95 % intervals. What measures do "
            "through talent, research and projects is not in their direct part; pudong attribute "
            "has the whole.",
        )
    )
    return lines


def _outcome(found: Explanation, plan: Plan) -> Name:
    target = next(t for t in plan.targets if t.id == found.target)
    zone, name = zone_name(found.zone, plan), target_name(found.target, plan)
    limit = goal(target, found.threshold)
    chance, span = percent(found.probability), interval(found.low, found.high)
    value = f"{amount(found.q50)} ({amount(found.q05)}–{amount(found.q95)})"
    change = f"{change_text(found.change.mean)} ({signed_range(found.change)})"
    return Name(
        zh=f"{zone.zh}「{name.zh}」到 {found.deadline} 达标（{limit.zh}）的概率为 {chance}"
        f"（95 % 区间 {span} %）；中位数 {value}（90 % 的模拟），期初 {amount(found.start)}，"
        f"平均变化 {change}。",
        en=f"{name.en} {limit.en} in {zone.en} by {found.deadline}: probability {chance} (95 % "
        f"interval {span} %); median {value} (90 % of runs), {amount(found.start)} at the start, "
        f"mean change {change}.",
    )


def _moved(found: Explanation) -> Name:
    rows = sorted(found.account, key=lambda term: -abs(term.value.mean))[:4]
    zh = "、".join(f"{TERMS[r.id].zh} {change_text(r.value.mean)}" for r in rows)
    en = ", ".join(f"{_inside(TERMS[r.id].en)} {change_text(r.value.mean)}" for r in rows)
    own = next((t.value for t in found.account if t.id == "measures"), None)
    more = ("", "")
    if own is not None:
        more = (
            f"其中措施对增长的直接作用 {change_text(own.mean)}（{signed_range(own)}）。",
            f" Measures directly on growth: {change_text(own.mean)} ({signed_range(own)}).",
        )
    return Name(
        zh=f"变化的构成（各项之和恰为总变化）：{zh}。{more[0]}",
        en=f"What the change consists of (the parts sum to it exactly): {en}.{more[1]}",
    )


def _spaced(word: str) -> str:
    """A Chinese word behind another, with the space that a Latin letter at its start needs."""
    return f" {word}" if word[0].isascii() else word


def _pushed(found: Explanation, plan: Plan) -> Name:
    rows = [(row, _largest(row)) for row in found.measures if row.pushes]
    rows = sorted(rows, key=lambda pair: -abs(pair[1].value.mean))[:3]
    rows = [(row, push) for row, push in rows if abs(push.value.mean) > TOLD]
    if not rows:
        return Name(
            zh="没有措施明显改变该指标背后的企业行为。",
            en="No measure changes the behaviour behind this indicator to speak of.",
        )
    zh = "；".join(
        f"「{measure_name(row.measure, plan).zh}」进度 {part(row.progress.mean)}"
        f"（计划 {part(row.path)}），使{_spaced(BEHAVIOURS[push.id].zh)}变化 {_change(push)}"
        for row, push in rows
    )
    en = "; ".join(
        f"{measure_name(row.measure, plan, 'en').en} is {part(row.progress.mean)} done (plan "
        f"{part(row.path)}) and changes the {BEHAVIOURS[push.id].en} by {_change(push)}"
        for row, push in rows
    )
    return Name(zh=f"推动最大的措施：{zh}。", en=f"Measures that push most: {en}.")


def _held(found: Explanation, plan: Plan) -> Name:
    """The measure of the three that push most that lags furthest, and who holds it back."""
    pushing = [row for row in found.measures if abs(_largest(row).value.mean) > TOLD]
    pushing = sorted(pushing, key=lambda row: -abs(_largest(row).value.mean))[:3]
    zh, en = [], []
    late = [row for row in pushing if row.progress.high < row.path and row.departments]
    if late:
        row = max(late, key=lambda row: row.path - row.progress.mean)
        first = row.departments[0]
        who, name = department_name(first.department, plan), measure_name(row.measure, plan)
        told = row.bottleneck is not None
        zh.append(
            f"「{name.zh}」比计划落后 {part(row.path - row.progress.mean)}，"
            f"{'' if told else '可能'}最受{who.zh}牵制：其投入每增 1 %，合力增 "
            f"{first.weight.mean:.2f} %（共 {len(row.departments)} 个部门）"
        )
        en.append(
            f"{measure_name(row.measure, plan, 'en').en} is {part(row.path - row.progress.mean)} "
            f"behind its path, held back most{'' if told else ', it seems,'} by {who.en}: 1 % more "
            f"of its effort adds {first.weight.mean:.2f} % to the joint effort of "
            f"{len(row.departments)}"
        )
    at_work = {one.department for row in pushing for one in row.departments}
    loads = [row for row in found.departments if row.department in at_work]
    busy = max(loads, key=lambda row: row.workload.mean, default=None)
    if busy is not None and busy.workload.mean > 1:
        who = department_name(busy.department, plan)
        zh.append(f"{who.zh}负荷最重，任务为人手的 {busy.workload.mean:.1f} 倍")
        en.append(
            f"of their departments {who.en} is stretched most, {busy.workload.mean:.1f} times its "
            "staff"
        )
    limits = {term.id: term.value for term in found.limits}
    unfilled, full = part(limits["unfilled"].mean), part(limits["full_parks"].mean)
    zh.append(
        f"岗位空缺 {unfilled} 未填补，园区占用 {full}，数据事件 {limits['incidents'].mean:.1f} 起"
    )
    en.append(
        f"{unfilled} of vacancies stay open, {full} of parks' places are taken, "
        f"{limits['incidents'].mean:.1f} data incidents occur"
    )
    return Name(zh=f"瓶颈：{'；'.join(zh)}。", en=f"Bottlenecks: {'; '.join(en)}.")


def _together(found: Explanation) -> Name:
    rows = [r for r in found.associations if r.low > 0 or r.high < 0][:3]
    if not rows:
        return Name(
            zh="没有其他指标与之有可辨别的相关。",
            en="No other series goes with it that can be told.",
        )
    zh = "、".join(f"{CONTEXT[r.series].name.zh} {_signed2(r.rank_correlation)}" for r in rows)
    en = ", ".join(
        f"{_inside(CONTEXT[r.series].name.en)} {_signed2(r.rank_correlation)}" for r in rows
    )
    return Name(
        zh=f"仅为相关、并非因果（各次模拟间的秩相关）：{zh}。",
        en=f"Association only, no cause (rank correlation over runs): {en}.",
    )


def account_table(found: Explanation, language: Language) -> Table:
    """What the change consists of."""
    table = _table(
        language,
        Name(zh="变化的构成", en="Part of the change"),
        Name(zh="变化 (95 %)", en="Change (95 %)"),
    )
    for term in found.account:
        table.add_row(say(TERMS[term.id], language), _signed_average(term.value))
    table.add_section()
    total = Name(zh="合计", en="Total")
    table.add_row(say(total, language), _signed_average(found.change))
    return table


def measure_table(found: Explanation, plan: Plan, language: Language) -> Table:
    """The measures that push most: progress, path, who holds them back, what they push."""
    table = _table(
        language,
        Name(zh="措施", en="Measure"),
        Name(zh="进度\n(95 %)", en="Progress\n(95 %)"),
        Name(zh="计划", en="Plan"),
        Name(zh="牵制最大的部门", en="Held back most by"),
        Name(zh="推动最大的行为", en="Pushes most"),
    )
    for row in found.measures[:SHOWN]:
        push = _largest(row)
        first = row.departments[0] if row.departments else None
        held = "–" if first is None else say(department_name(first.department, plan), language)
        if first is not None:
            held += f" {first.weight.mean:.2f}" + ("" if row.bottleneck else " ?")
        table.add_row(
            say(measure_name(row.measure, plan, language), language, "\n"),
            f"{part(row.progress.mean)}\n{part(row.progress.low)}–{part(row.progress.high)}",
            f"{part(row.path)}",
            held,
            f"{say(BEHAVIOURS[push.id], language)} {_change(push)}",
        )
    return table


def driver_table(found: Explanation, language: Language) -> Table:
    """Drivers by what they push, and the limits."""
    table = _table(
        language,
        Name(zh="驱动因素与约束", en="Driver or limit"),
        Name(zh="水平 (95 %)", en="Level (95 %)"),
        Name(zh="推动最大的行为", en="Pushes most"),
    )
    for row in found.drivers[:SHOWN]:
        push = max(row.pushes, key=lambda term: abs(term.value.mean))
        moved = f"{say(BEHAVIOURS[push.id], language)} {_change(push)}"
        level = f"{row.level.mean:.2f} ({row.level.low:.2f}–{row.level.high:.2f})"
        table.add_row(say(DRIVERS[Driver(row.driver)], language), level, moved)
    table.add_section()
    for term in found.limits:
        table.add_row(say(LIMITS[term.id], language), limit_text(term), "")
    return table


def limit_text(term: Term) -> str:
    value = term.value
    if term.id in PERCENT:
        return f"{part(value.mean)} ({part(max(value.low, 0))}–{part(min(value.high, 1))})"
    return f"{value.mean:.2f} ({max(value.low, 0):.2f}–{value.high:.2f})"


def part(value: float) -> str:
    """A share in percent: ``80 %``."""
    return f"{100 * value:.0f} %"


def _largest(row: MeasureWork) -> Term:
    return max(row.pushes, key=lambda term: abs(term.value.mean))


def _change(term: Term) -> str:
    """A log change with its interval, in percent: ``+1.2 % (+1.0 … +1.4)``."""
    low, high = (_signed1(100 * bound) for bound in (term.value.low, term.value.high))
    return f"{_signed1(100 * term.value.mean)} % ({low} … {high})"


def _signed_average(value: Average) -> str:
    return f"{change_text(value.mean)} ({signed_range(value)})"


def _inside(name: str) -> str:
    """As it stands within a sentence."""
    return name[0].lower() + name[1:]


def _signed1(value: float) -> str:
    return _sign(value, f"{abs(value):.1f}")


def _signed2(value: float) -> str:
    return _sign(value, f"{abs(value):.2f}")


def _sign(value: float, text: str) -> str:
    return text if not float(text) else ("+" if value > 0 else "−") + text


def _table(language: Language, *heads: Name) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for number, head in enumerate(heads):
        table.add_column(say(head, language, "\n"), justify="left" if number == 0 else "center")
    return table
