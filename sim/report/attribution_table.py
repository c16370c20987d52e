"""An attribution in the terminal: a goal's measures and groups, or all targets of a zone."""

from __future__ import annotations

from rich import box
from rich.table import Table
from rich.text import Text

from sim.analysis.attribution import Attribution, Chance, Share, Whole
from sim.analysis.average import Average
from sim.analysis.interval import interval, percent
from sim.figures import Name
from sim.plan import Plan
from sim.report.difference_table import points, signed, target_name, zone_name
from sim.report.wording import ALL_TOGETHER, Language, amount, goal, say

SHARE = Name(zh="概率\n百分点 (95 %)", en="Probability,\npoints (95 %)")
VALUE = Name(zh="期末均值\n(95 %)", en="Mean value\n(95 %)")


def overview_table(found: Attribution, zone: str, plan: Plan, language: Language) -> Table:
    """A row a target of one zone: without the measures, with them, and who adds most."""
    table = _table(
        language,
        zone_name(zone, plan),
        Name(zh="无措施\n(95 %)", en="Without\n(95 %)"),
        Name(zh="有措施\n(95 %)", en="With\n(95 %)"),
        Name(zh="百分点\n(95 %)", en="Points\n(95 %)"),
        Name(zh="均值变化\n(95 %)", en="Mean value\n(95 %)"),
        Name(zh="均值贡献最大的组、措施", en="Largest in the mean: group, measure"),
    )
    for whole in found.wholes:
        if whole.zone != zone:
            continue
        largest = [
            _largest(shares, whole, plan, language) for shares in (found.groups, found.measures)
        ]
        table.add_row(
            say(goal_name(whole, plan), language, "\n"),
            _chance(whole.without),
            _chance(whole.complete),
            _two(points(whole.probability.mean), points_range(whole.probability)),
            _two(change_text(whole.value.mean), signed_range(whole.value)),
            "\n".join(largest),
        )
    return table


def share_table(
    found: Attribution, target: str, zone: str, plan: Plan, language: Language
) -> Table:
    """One goal: the plan's groups, then its measures, largest share in the mean first."""
    table = _table(language, Name(zh="措施", en="Measure"), SHARE, VALUE)
    whole = found.whole(target, zone)
    for players in (found.groups, found.measures):
        for share in ordered(players, whole):
            table.add_row(
                say(player_name(share.id, plan, language), language),
                _one(points(share.probability.mean), points_range(share.probability)),
                _one(change_text(share.value.mean), signed_range(share.value)),
            )
        total = Name(zh="全部措施合计", en="All measures")
        table.add_row(
            Text(say(total, language), style="bold"),
            _one(points(whole.probability.mean), points_range(whole.probability)),
            _one(change_text(whole.value.mean), signed_range(whole.value)),
            end_section=True,
        )
    return table


def share_notes(found: Attribution) -> list[Name]:
    """What belongs under the tables: how many runs, and what a share is."""
    return [
        Name(
            zh=f"{found.runs:,} 组参数与运气，共 {found.evaluations:,} 次模拟，"
            f"随机种子 {found.seed}；每组抽 {found.permutations} 个措施排列（正反成对），"
            "各措施组的组合则逐一算全。",
            en=f"{found.runs:,} draws of parameters and luck, {found.evaluations:,} runs in all, "
            f"seed {found.seed}; {found.permutations} orders of the measures in each (an order and "
            "its reverse), and all combinations of the groups.",
        ),
        Name(
            zh="份额为沙普利值：按各种先后顺序逐项加入措施时该项平均带来的变化，"
            "相加即为全部措施的作用；各组的份额由整组进退算得，与组内措施份额之和略有不同。",
            en="Shares are Shapley values: what a measure adds on average over all orders in which "
            "measures may join; they sum to what all do together. A group's share comes from whole "
            "groups joining, and differs a little from the sum of its measures' shares.",
        ),
    ]


def sentence(found: Attribution, target: str, zone: str, plan: Plan) -> Name:
    """What all measures do to one goal, and which of them do most."""
    whole = found.whole(target, zone)
    told = [s for s in ordered(found.measures, whole) if s.value.low > 0 or s.value.high < 0]
    names = [m.name for share in told[:3] for m in plan.measures if m.id == share.id]
    zh = (
        f"其中最大的是{'、'.join(f'「{n.zh}」' for n in names)}。"
        if names
        else "没有一项措施的作用可辨别。"
    )
    en = f"Largest: {'; '.join(n.en for n in names)}." if names else "No measure's share is told."
    goal_of, place = target_name(target, plan), zone_name(zone, plan)
    without, complete = (f"{percent(c.probability)}" for c in (whole.without, whole.complete))
    change, span = points(whole.probability.mean), points_range(whole.probability)
    return Name(
        zh=f"{place.zh}「{goal_of.zh}」：措施使达成概率由 {without} 变为 {complete}"
        f"（{change} 个百分点，95 % 区间 {span}），期末均值变化 {change_text(whole.value.mean)}"
        f"（{signed_range(whole.value)}）；{zh}",
        en=f"{goal_of.en}, {place.en}: the measures take the probability from {without} to "
        f"{complete} ({change} points, 95 % interval {span}) and the mean value by "
        f"{change_text(whole.value.mean)} ({signed_range(whole.value)}). {en}",
    )


def ordered(shares: list[Share], whole: Whole) -> list[Share]:
    """The shares in one goal, the largest in its mean value first."""
    own = [s for s in shares if (s.target, s.zone) == (whole.target, whole.zone)]
    return sorted(own, key=lambda share: -share.value.mean)


def player_name(player: str, plan: Plan, language: Language) -> Name:
    """A group's name, or a measure's with its number in the plan, said once."""
    for group in plan.groups:
        if group.id == player:
            return group.name
    measure = next(m for m in plan.measures if m.id == player)
    number, name = f"{measure.number} ", measure.name
    return Name(zh=number + name.zh, en=(number if language == "en" else "") + name.en)


def goal_name(whole: Whole, plan: Plan) -> Name:
    """A target's name with its threshold."""
    for target in plan.targets:
        if target.id == whole.target:
            limit = goal(target, whole.threshold)
            return Name(zh=f"{target.name.zh} {limit.zh}", en=f"{target.name.en} {limit.en}")
    return ALL_TOGETHER


def points_range(share: Average) -> str:
    return f"{points(share.low)} … {points(share.high)}"


def change_text(value: float) -> str:
    """A change in a target's unit with its sign: ``+12``, ``+1.2``, ``+0.03``."""
    size = abs(value)
    if size >= 1 and size < 10:
        return signed(value, 1)
    if size >= 10:
        return ("+" if value > 0 else "−") + amount(size)
    return signed(value, 2)


def signed_range(value: Average) -> str:
    return f"{change_text(value.low)} … {change_text(value.high)}"


def _largest(shares: list[Share], whole: Whole, plan: Plan, language: Language) -> str:
    share = max(ordered(shares, whole), key=lambda share: abs(share.value.mean))
    return f"{say(player_name(share.id, plan, language), language)} {change_text(share.value.mean)}"


def _chance(chance: Chance) -> Text:
    return _two(percent(chance.probability), interval(chance.low, chance.high))


def _one(first: str, second: str) -> Text:
    return Text(first).append(Text(f" ({second})", style="dim"))


def _two(first: str, second: str) -> Text:
    return Text(first).append(Text("\n" + second, style="dim"))


def _table(language: Language, *heads: Name) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for number, head in enumerate(heads):
        table.add_column(say(head, language, "\n"), justify="left" if number == 0 else "center")
    return table
