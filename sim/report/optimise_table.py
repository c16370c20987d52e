"""The answer of ``optimise`` in the terminal: allocation, settings beside it, and sentences."""

from __future__ import annotations

from rich import box
from rich.table import Table

from sim.analysis.estimates import Gap
from sim.analysis.interval import interval, percent
from sim.analysis.optimum import Optimum, Role
from sim.figures import Name
from sim.report.lever_words import goal_name, lever_name, lever_value, money, place_name
from sim.report.wording import Language, probability_words, say
from sim.scenario import Inputs

ROLES: dict[Role, Name] = {
    "present": Name(zh="现有安排", en="As it is"),
    "best": Name(zh="最优配置", en="Best allocation"),
    "equal spread": Name(zh="平均分配", en="Equal spread"),
    "best single lever": Name(zh="最佳单项", en="Best single lever"),
    "front": Name(zh="较少预算的最优", en="Best with less"),
}
LEVER, PLACE = Name(zh="手段", en="Lever"), Name(zh="对象", en="Place")
VALUE, PRESENT = Name(zh="力度", en="Value"), Name(zh="现为", en="Now")
COST = Name(zh="亿元", en="亿元")
SETTING = Name(zh="安排", en="Setting")
SEARCHED = Name(zh="搜索所用", en="Searched")
HELD = Name(zh="未参与搜索", en="Held out")


def allocation_table(found: Optimum, inputs: Inputs, language: Language) -> Table:
    """A row a lever and place, the dearest first."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1))
    for head in (LEVER, PLACE):
        table.add_column(say(head, language, "\n"))
    for head in (VALUE, PRESENT, COST):
        table.add_column(say(head, language, "\n"), justify="right")
    for share in sorted(found.of("best").shares, key=lambda one: -one.cost):
        table.add_row(
            say(lever_name(share.lever, inputs), language, "\n"),
            say(place_name(share.kind, share.place, inputs), language, "\n"),
            say(lever_value(share.lever, share.value, inputs), language, "\n"),
            f"{share.present:.4g}",
            money(share.cost),
        )
    return table


def setting_table(found: Optimum, language: Language) -> Table:
    """A row a setting: cost and objective, searched and held out; by cost."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1))
    table.add_column(say(SETTING, language, "\n"))
    for head in (COST, SEARCHED, HELD):
        table.add_column(say(head, language, "\n"), justify="right")
    for one in sorted(found.settings, key=lambda setting: setting.cost.value):
        held = one.held_out
        table.add_row(
            say(ROLES[one.role], language),
            money(one.cost.value),
            percent(one.searched.value),
            f"{percent(held.value)} ({interval(held.low, held.high)})",
        )
    return table


def objective_words(found: Optimum, inputs: Inputs) -> Name:
    """What was made as likely as can be."""
    if found.objective == "worst-zone":
        return Name(
            zh="最差片区全部指标同时达成的概率",
            en="probability of the worst-placed zone to meet all its targets",
        )
    if found.objective == "all":
        goal = goal_name(found.goals[0], inputs)
        return Name(zh=f"达成概率（{goal.zh}）", en=f"probability ({goal.en})")
    pairs = [
        (goal_name(goal, inputs), f"{weight:.2g}")
        for goal, weight in zip(found.goals, found.weights, strict=True)
    ]
    return Name(
        zh=f"加权平均概率（{'、'.join(f'{name.zh} {weight}' for name, weight in pairs)}）",
        en=f"weighted mean probability ({', '.join(f'{name.en} {w}' for name, w in pairs)})",
    )


def lines(found: Optimum, inputs: Inputs) -> list[Name]:
    """The answer, what it beats, and how much of it was optimism."""
    best = found.of("best")
    what, held = objective_words(found, inputs), best.held_out
    words = probability_words(held.value, held.low, held.high, held.runs)
    now = percent(found.of("present").held_out.value)
    spent = money(best.cost.value)
    said = [
        Name(
            zh=f"预算 {found.budget:g} 亿元（实花 {spent}）：{what.zh}由 {now} 到 {words.zh}。",
            en=f"With {found.budget:g} 亿元 ({spent} are spent): {what.en} goes from {now} to "
            f"{words.en}.",
        )
    ]
    pairs: tuple[tuple[Role, Gap], ...] = (
        ("equal spread", found.over_equal),
        ("best single lever", found.over_single),
    )
    said += [_against(role, gap) for role, gap in pairs]
    low, high = 100 * found.optimism_low, 100 * found.optimism_high
    said.append(
        Name(
            zh=f"搜索的乐观偏差（搜索所用减未参与）：{100 * found.optimism:+.1f} 个百分点"
            f"（95 % 区间 {low:+.1f} 至 {high:+.1f}）。",
            en=f"Optimism of the search (searched less held out): {100 * found.optimism:+.1f} "
            f"points (95 % interval {low:+.1f} to {high:+.1f}).",
        )
    )
    return said


def _against(role: Role, gap: Gap) -> Name:
    name = ROLES[role]
    points = f"{100 * gap.difference:+.1f}"
    bounds = f"{100 * gap.low:+.1f}", f"{100 * gap.high:+.1f}"
    zh = {"higher": "更好", "lower": "更差", "cannot be told": "分不出高下"}[gap.verdict]
    en = {"higher": "better", "lower": "worse", "cannot be told": "cannot be told apart"}
    return Name(
        zh=f"与{name.zh}相比{zh}：{points} 个百分点（95 % 区间 {bounds[0]} 至 {bounds[1]}）。",
        en=f"Against {name.en.lower()}: {en[gap.verdict]}, {points} points "
        f"(95 % interval {bounds[0]} to {bounds[1]}).",
    )
