"""A chart of ``require``: the probability along the path, the level asked for, and the answer."""

from __future__ import annotations

from matplotlib.figure import Figure

from sim.analysis.interval import wilson
from sim.analysis.requirement import Requirement
from sim.figures import Name
from sim.report import style
from sim.report.lever_words import goal_name, lever_name
from sim.report.page import blank_page, height_of, lines_of, stack
from sim.report.wording import Language, say
from sim.scenario import Inputs

COST = Name(zh="增加成本，亿元", en="Added cost, 亿元")
AXIS = Name(zh="达成概率，%", en="Probability, %")
SEARCHED = Name(zh="搜索所用模拟", en="searched runs")
FIT = Name(zh="保序回归", en="isotonic fit")
HELD = Name(zh="未参与搜索的模拟", en="held-out runs")
RANGE = Name(zh="答案的 95 % 区间", en="95 % interval of the answer")


def dose_chart(found: Requirement, inputs: Inputs, *, language: Language = "both") -> Figure:
    """Of one lever over its value, of several over what the mix costs."""
    single = len(found.doses) == 1
    across = [level.values[0] if single else level.cost for level in found.levels]
    goal = goal_name(f"{found.target}.{found.zone}", inputs)
    level = 100 * found.probability
    title = Name(zh=f"{goal.zh}：多大力度够 {level:g} %", en=f"{goal.en}: enough for {level:g} %")
    name = inputs.scenario.name
    words = Name(
        zh=f"情景：{name.zh}；每点 {found.runs:,} 次模拟，检验 {found.confirm:,} 次；"
        "竖线为 95 % 区间",
        en=f"Scenario: {name.en}; {found.runs:,} runs a point, {found.confirm:,} held out; "
        "bars: 95 % intervals",
    )
    with style.house_style():
        width, body = 9.0, 4.4
        heading = lines_of(title, language, zh=15, en=11, zh_width=40, en_width=90)
        heading += lines_of(words, language, zh=10.5, en=9.5, colour=style.GREY)
        top = 0.15 + height_of(heading) + 0.25
        height = top + body + 1.2
        figure, page = blank_page(width, height)
        stack(page, 0.3, 0.15, heading)
        axes = figure.add_axes((0.8 / width, 1.2 / height, (width - 1.1) / width, body / height))
        axes.axhline(level, color=style.RED, lw=1.6)
        ends = _interval(found, across, single)
        if ends is not None:
            axes.axvspan(*ends, color=style.BLUE_LIGHT, label=say(RANGE, language))
        fitted = [100 * one.fitted for one in found.levels]
        axes.plot(across, fitted, color=style.BLUE, lw=1.8, label=say(FIT, language))
        for x, one in zip(across, found.levels, strict=True):
            low, high = wilson(one.probability * found.runs, found.runs)
            axes.vlines(x, 100 * low, 100 * high, style.BLUE_MIDDLE, lw=1.2)
        shares = [100 * one.probability for one in found.levels]
        axes.plot(across, shares, "o", color=style.BLUE, ms=5, label=say(SEARCHED, language))
        label: str | None = say(HELD, language)
        for checked in (found.answer, found.sure):
            if checked is not None:
                x = checked.values[0] if single else checked.cost.value
                held = checked.held_out
                axes.vlines(x, 100 * held.low, 100 * held.high, style.RED, lw=2)
                axes.plot(x, 100 * held.value, "D", color=style.RED, ms=7, label=label)
                label = None
        axes.set_ylim(-2, 102)
        axes.set_ylabel(say(AXIS, language))
        axes.set_xlabel(say(_across(found, inputs), language))
        style.grid(axes, "y")
        figure.legend(
            loc="lower left", bbox_to_anchor=(0.02, 0.0), ncols=2, frameon=False, fontsize=9.5
        )
        figure.draw_without_rendering()
    return figure


def _across(found: Requirement, inputs: Inputs) -> Name:
    if len(found.doses) > 1:
        return COST
    lever = found.doses[0].lever
    name, unit = lever_name(lever, inputs), inputs.economy.levers[lever].unit
    return Name(zh=f"{name.zh}，{unit.zh}", en=f"{name.en}, {unit.en}")


def _interval(found: Requirement, across: list[float], single: bool) -> tuple[float, float] | None:
    """The answer's interval on the axis; open upwards it ends with the axis."""
    if found.status != "reached":
        return None
    dose = max(found.doses, key=lambda one: (one.value or 0.0) - one.present)
    if dose.low is None:
        return None
    if single:
        return dose.low, dose.bound if dose.high is None else dose.high
    k = found.doses.index(dose)
    values = [level.values[k] for level in found.levels]
    import numpy as np

    low = float(np.interp(dose.low, values, across))
    high = across[-1] if dose.high is None else float(np.interp(dose.high, values, across))
    return low, high
