"""What a scenario sets, and what that changes against its baseline."""

from __future__ import annotations

from sim.analysis.compare import Comparison, WhatIf
from sim.errors import plain
from sim.figures import Name
from sim.plan import DISTRICT
from sim.report.brief.chances import close, month
from sim.report.brief.compared import cost_sentence, figures_of
from sim.report.brief.document import Paragraph, Section, Table, Tongue
from sim.report.difference_table import target_name, who
from sim.report.lever_words import lever_name, lever_value, place_name
from sim.scenario import Inputs, LeverSetting, Shock

TITLE = Name(zh="与基准情景相比", en="Against the baseline")
THIS = Name(zh="本情景", en="This scenario")
HEAD = (
    Name(zh="指标（全区）", en="Target (whole district)"),
    Name(zh="基准", en="Baseline"),
    THIS,
    Name(zh="相差百分点（95%区间）", en="Points (95 % interval)"),
    Name(zh="判断", en="Verdict"),
)
STRICT = Name(
    zh="“判断”要求各片区各项指标的结论以95%的把握同时成立，因此比单项的95%区间更严。",
    en="A verdict is given only where those on all targets and zones hold at once with 95 %, which "
    "asks for more than that one interval excludes zero.",
)
FURTHER = {
    "priorities": Name(zh="调整任务的优先次序", en="Other priorities of measures"),
    "target_shares": Name(zh="另行分解各片区的指标", en="Other shares of the targets by zone"),
    "parameters": Name(zh="个别参数取定值", en="Parameters held at a value"),
}


def against(found: Comparison, what_if: WhatIf, inputs: Inputs, language: Tongue) -> Section:
    """The settings, each of the district's targets in both, who gains and loses, and the cost.

    Args:
        found: the comparison in which the scenario is a what-if.
        what_if: the scenario in it.
        inputs: the scenario.
    """
    settings = _settings(inputs)
    words = Name(
        zh=f"本情景与“{found.base.name.zh}”同用一组随机数，各模拟{found.runs:,}次，逐次对照。"
        f"本情景的设定：{'；'.join(line.zh for line in settings)}。",
        en=f'This scenario met the same luck as "{found.base.name.en}", run by run, in '
        f"{found.runs:,} runs of each. What it sets: {'; '.join(line.en for line in settings)}.",
    )
    rows = [
        [target_name(row.target, inputs.plan)[language], *figures_of(row, language)]
        for row in what_if.differences
        if row.zone == DISTRICT
    ]
    table = Table(
        [head[language] for head in HEAD], rows, [3.0, 0.9, 1.1, 2.2, 1.3], alt=TITLE[language]
    )
    told = [who(what_if, inputs.plan), cost_sentence(what_if, THIS)]
    lines = [Paragraph(Name(zh=close(line.zh), en=line.en)[language], "point") for line in told]
    return Section(
        TITLE[language],
        [Paragraph(words[language]), table, *lines, Paragraph(STRICT[language], "note")],
    )


def _settings(inputs: Inputs) -> list[Name]:
    """Every lever, shock and other deviation from the plan, a line each."""
    scenario = inputs.scenario
    lines = [_setting(setting, inputs) for setting in scenario.levers]
    lines += [_shock(shock) for shock in scenario.shocks]
    lines += [words for field, words in FURTHER.items() if getattr(scenario, field)]
    return lines or [Name(zh="与方案相同", en="nothing, as planned")]


def _setting(setting: LeverSetting, inputs: Inputs) -> Name:
    name, value = (
        lever_name(setting.lever, inputs),
        lever_value(setting.lever, setting.value, inputs),
    )
    sectors = {sector.id: sector.name for sector in inputs.plan.sectors}
    places = [
        *(place_name("measures", one, inputs) for one in setting.measures),
        *(place_name("departments", one, inputs) for one in setting.departments),
        *(place_name("zones", one, inputs) for one in setting.zones),
        *(sectors[one] for one in setting.sectors),
    ]
    zh, en = f"{name.zh}：{value.zh}", f"{name.en}: {value.en}"
    if places:
        zh += f"（{'、'.join(place.zh for place in places)}）"
        en += f" ({', '.join(place.en for place in places)})"
    if setting.start:
        zh, en = f"{zh}，自{month(setting.start).zh}起", f"{en}, from {month(setting.start).en}"
    if setting.ramp:
        zh, en = f"{zh}，{setting.ramp}个月内逐步到位", f"{en}, reached in {setting.ramp} months"
    if setting.end:
        zh, en = f"{zh}，至{month(setting.end).zh}止", f"{en}, until {month(setting.end).en}"
    return Name(zh=zh, en=en)


def _shock(shock: Shock) -> Name:
    size, begin = plain(100.0 * shock.size).replace("-", "−"), month(shock.start)
    return Name(
        zh=f"外部冲击“{shock.name.zh}”：自{begin.zh}起，水平变动{size}%",
        en=f'Shock from outside "{shock.name.en}": from {begin.en}, level changes by {size} %',
    )
