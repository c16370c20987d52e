"""The answer of ``require`` in the terminal: a table of the levels looked at, and sentences."""

from __future__ import annotations

from rich import box
from rich.table import Table

from sim.analysis.interval import interval, percent
from sim.analysis.requirement import Dose, Requirement
from sim.figures import Name
from sim.report.lever_words import goal_name, lever_name, lever_value, money, places_named
from sim.report.wording import Language, probability_words, say
from sim.scenario import Inputs

COST = Name(zh="增加成本，亿元", en="Added cost, 亿元")
SHARE = Name(zh="达成概率", en="Probability")
FITTED = Name(zh="保序回归", en="Isotonic")


def level_table(found: Requirement, inputs: Inputs, language: Language) -> Table:
    """A row a setting looked at: lever values, cost, probability on the searched runs."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1))
    heads = [lever_name(dose.lever, inputs) for dose in found.doses]
    for head in (*heads, COST, SHARE, FITTED):
        table.add_column(say(head, language, "\n"), justify="right")
    for level in found.levels:
        values = [f"{value:.4g}" for value in level.values]
        shares = percent(level.probability), percent(level.fitted)
        table.add_row(*values, money(level.cost), *shares)
    return table


def lines(found: Requirement, inputs: Inputs) -> list[Name]:
    """The answer, its interval, its check on held-out runs, and what to beware of."""
    goal = goal_name(f"{found.target}.{found.zone}", inputs)
    level = f"{100 * found.probability:.10g} %"
    held = found.answer.held_out
    words = probability_words(held.value, held.low, held.high, held.runs)
    cost = money(found.answer.cost.value)
    said: list[Name] = []
    if found.status == "already reached":
        said.append(
            Name(
                zh=f"{goal.zh}：现有安排已达到 {level}；未参与搜索的模拟给出 {words.zh}。",
                en=f"{goal.en}: {level} is reached as things are; held-out runs give {words.en}.",
            )
        )
        return [*said, *_warnings(found)]
    if found.status == "out of reach":
        values = _mix(found, [float(value) for value in found.answer.values], inputs)
        said.append(
            Name(
                zh=f"{goal.zh}：允许范围内的任何力度都达不到 {level}。最多达到 {words.zh}，为 "
                f"{values.zh}，多花 {cost} 亿元。",
                en=f"{goal.en}: no allowed setting along this path reaches {level}. The most is "
                f"{words.en}, at {values.en}, for {cost} 亿元 more.",
            )
        )
        return [*said, *_warnings(found)]
    values = _mix(found, found.answer.values, inputs)
    where = places_named(found.doses[0].zones, inputs)
    said.append(
        Name(
            zh=f"{goal.zh}：{level} 至少需要 {values.zh}（{where.zh}），多花 {cost} 亿元。",
            en=f"{goal.en}: {level} needs at least {values.en} ({where.en}), for {cost} 亿元 more.",
        )
    )
    said += [_range(dose, inputs) for dose in found.doses if dose.value != dose.present]
    confirmed = found.verdict == "confirmed"
    searched = found.answer.searched.value
    said.append(
        Name(
            zh=f"未参与搜索的模拟给出 {words.zh}（搜索时 {percent(searched)}），"
            + ("与答案相符。" if confirmed else "低于所要求的水平：答案不成立，请增加 --runs。"),
            en=f"Held-out runs give {words.en} (searched: {percent(searched)}): "
            + (
                "in keeping with it."
                if confirmed
                else "below the level, the answer does not hold. Use more --runs."
            ),
        )
    )
    if found.sure is not None:
        sure = found.sure.held_out
        values = _mix(found, found.sure.values, inputs)
        checked = f"{percent(sure.value)} ({interval(sure.low, sure.high)} %)"
        said.append(
            Name(
                zh=f"若要有 97.5 % 的把握，取 {values.zh}，多花 {money(found.sure.cost.value)} "
                f"亿元；未参与搜索的模拟给出 {checked}。",
                en=f"To be sure of it with 97.5 %: {values.en}, for "
                f"{money(found.sure.cost.value)} 亿元 more; held-out runs give {checked}.",
            )
        )
    if found.alone:
        said.append(_alone(found, inputs))
    return [*said, *_warnings(found)]


def _mix(found: Requirement, values: list[float], inputs: Inputs) -> Name:
    """Lever values in a row; levers that stay as they are are left out."""
    parts = [
        (lever_name(dose.lever, inputs), lever_value(dose.lever, value, inputs))
        for dose, value in zip(found.doses, values, strict=True)
        if value > dose.present or len(values) == 1
    ]
    return Name(
        zh="、".join(f"{name.zh} {value.zh}" for name, value in parts) or "现状",
        en=", ".join(f"{name.en} {value.en}" for name, value in parts) or "no change",
    )


def _range(dose: Dose, inputs: Inputs) -> Name:
    name, unit = lever_name(dose.lever, inputs), inputs.economy.levers[dose.lever].unit
    low = "–" if dose.low is None else f"{dose.low:.4g}"
    high = Name(zh="超出允许范围", en="beyond what is allowed")
    if dose.high is not None:
        high = Name(zh=f"{dose.high:.4g}", en=f"{dose.high:.4g}")
    return Name(
        zh=f"{name.zh}的 95 % 区间：{low} 至 {high.zh} {unit.zh}"
        f"（现为 {dose.present:.4g}，上限 {dose.bound:.4g}）。",
        en=f"{name.en}, 95 % interval: {low} to {high.en} ({unit.en}; now {dose.present:.4g}, "
        f"bound {dose.bound:.4g}).",
    )


def _alone(found: Requirement, inputs: Inputs) -> Name:
    zh, en = [], []
    for one in found.alone:
        name = lever_name(one.lever, inputs)
        zh.append(f"{name.zh} {'不够' if one.cost is None else money(one.cost)}")
        en.append(f"{name.en} {'not enough' if one.cost is None else money(one.cost)}")
    return Name(
        zh=f"单用一项的成本估计（亿元，近似）：{'、'.join(zh)}。",
        en=f"One lever alone, by the stand-in (亿元, approximate): {', '.join(en)}.",
    )


def _warnings(found: Requirement) -> list[Name]:
    said = []
    if found.falls:
        places = "; ".join(f"{_cost_at(found, a)}–{_cost_at(found, b)}" for a, b in found.reached)
        said.append(
            Name(
                zh="力度再大，概率反而下降（把握 95 %），故答案只对最先达到之处成立"
                + (f"；达到的成本区间（亿元）：{places}。" if places else "。"),
                en="With still more of it the probability falls again (95 %); the answer is the "
                "first crossing" + (f"; reached at costs of {places} 亿元." if places else "."),
            )
        )
    if found.status == "reached" and found.reach < 0.975:
        said.append(
            Name(
                zh=f"自助抽样中仅 {percent(found.reach)} 能达到该水平：它也可能达不到。",
                en=f"Only {percent(found.reach)} of the bootstrap samples reach the level: it may "
                "be out of reach.",
            )
        )
    if found.status == "out of reach" and found.reach > 0.025:
        said.append(
            Name(
                zh=f"自助抽样中有 {percent(found.reach)} 能达到该水平：增加 --runs 才能判断。",
                en=f"{percent(found.reach)} of the bootstrap samples reach it: more --runs would "
                "tell.",
            )
        )
    return said


def _cost_at(found: Requirement, place: float) -> str:
    import numpy as np

    places = [level.place for level in found.levels]
    return money(float(np.interp(place, places, [level.cost for level in found.levels])))
