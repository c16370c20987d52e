"""What observed figures do to a forecast, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sim.analysis.interval import percent
from sim.analysis.observe import Observed
from sim.figures import Name
from sim.plan import ALL_TARGETS, DISTRICT, Plan
from sim.report.wording import amount

UNITS = {"亿元": "× 100 million yuan", "家": "firms", "人": "persons"}
BOUND = {"over": Name(zh="超过 ", en="over "), "nearly": Name(zh="不到 ", en="nearly ")}
PUBLISHED = Name(zh="公布 ", en="published ")
ERRORS = 3.0  # standard errors; the largest of a dozen moves passes two by the runs' chance


def heading(observed: Observed) -> Name:
    """What the table below it rests on."""
    figures, used = observed.figures, len(observed.figures.used)
    return Name(
        zh=f"给定 {figures.first} 至 {figures.last} 的 {used} 个观测值：",
        en=f"Given {used} {'figure' if used == 1 else 'figures'} observed from {figures.first} to "
        f"{figures.last}:",
    )


def observed_notes(observed: Observed, plan: Plan) -> list[Name]:
    """How many runs count, which rows were left aside, what the answer was, and what moved it."""
    figures, runs = observed.figures, observed.answer.runs
    lines = [
        Name(
            zh=f"{runs:,} 次模拟按观测值的似然加权，相当于 {observed.effective:,.0f} 次；"
            "区间为 95 %（威尔逊区间，按有效次数）。",
            en=f"{runs:,} runs, weighted by the likelihood of the figures, count as "
            f"{observed.effective:,.0f}; 95 % intervals: Wilson score interval with effective "
            "runs.",
        )
    ]
    aside = [
        (figures.base, "行为基期（base）", "for the base year (base)"),
        (figures.check, "行供事后核对（check）", "to look at afterwards (check)"),
        (len(figures.fitted), "行已用于拟合参数", "fitted already"),
    ]
    if any(count for count, _, _ in aside):
        zh = "、".join(f"{count} {words}" for count, words, _ in aside if count)
        en = ", ".join(f"{count} {words}" for count, _, words in aside if count)
        lines.append(Name(zh=f"未用的行：{zh}。", en=f"Rows not used: {en}."))
    return lines + _before(observed, plan) + _moves(observed, plan)


def _before(observed: Observed, plan: Plan) -> list[Name]:
    """The district's targets that moved most, from what to what."""
    rows = observed.results[observed.results["zone"] == DISTRICT].set_index("target")
    change = (rows["probability"] - rows["before"]).abs().sort_values(ascending=False)
    names = {target.id: target.name for target in plan.targets}
    moved = [(names[t], rows.loc[t]) for t in change.index if t != ALL_TARGETS][:3]
    shown = [
        (name, f"{percent(row['before'])} → {percent(row['probability'])}") for name, row in moved
    ]
    return [
        Name(
            zh="全区变化最大的：" + "；".join(f"{name.zh} {text}" for name, text in shown) + "。",
            en="Moved most in the district: "
            + "; ".join(f"{name.en} {text}" for name, text in shown)
            + ".",
        )
    ]


def _moves(observed: Observed, plan: Plan) -> list[Name]:
    """Each figure: what was published, what the runs had, and what it moved most."""
    targets = {target.id: target for target in plan.targets}
    rows = observed.results[observed.results["zone"] == DISTRICT]
    after = dict(zip(rows["target"], rows["probability"], strict=True))
    lines = []
    for _, row in observed.influence.iterrows():
        without = observed.without[observed.without["id"] == row["id"]]
        mine = without[without["zone"] == DISTRICT][["target", "probability", "error"]]
        moved = largest_move(after, mine.itertuples(index=False, name=None))
        said = Name(zh="对各指标的影响未超过误差", en="moves no target by more than its error")
        if moved is not None:
            name, points = targets[moved[0]].name, f"{100 * moved[1]:+.0f}"
            said = Name(zh=f"使{name.zh} {points} 点", en=f"moves {name.en} by {points} points")
        sign = BOUND.get(row["kind"], PUBLISHED)
        spread = f"{amount(row['q05'])}–{amount(row['q95'])}"
        unit = Name(zh=row["unit"], en=UNITS.get(row["unit"], row["unit"]))
        value = amount(row["value"])
        lines.append(
            Name(
                zh=f"  {row['id']}：{sign.zh}{value} {unit.zh}，模拟 90 % 在 {spread}；{said.zh}。",
                en=f"  {row['id']}: {sign.en}{value} {unit.en}, nine runs in ten {spread}; "
                f"{said.en}.",
            )
        )
    return lines


def largest_move(
    after: Mapping[str, float], without: Iterable[tuple[str, float, float]]
) -> tuple[str, float] | None:
    """The single target that a figure moves most and by how much; none by more than its error.

    Args:
        after: probability of each target given all figures.
        without: target, probability given all figures but this, standard error of the difference.
    """
    moves = {
        target: after[target] - probability
        for target, probability, error in without
        if target != ALL_TARGETS and abs(after[target] - probability) > ERRORS * error
    }
    return max(moves.items(), key=lambda move: abs(move[1])) if moves else None
