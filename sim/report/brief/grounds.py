"""What the answer rests on: assumptions, method, and how to make it again."""

from __future__ import annotations

from datetime import date

from sim.analysis.interval import Method
from sim.analysis.provenance import provenance
from sim.analysis.published import Published
from sim.figures import Name
from sim.report.brief.chances import month
from sim.report.brief.document import Paragraph, Section, Table, Tongue

ASSUMPTIONS = Name(zh="依据与局限", en="What it rests on")
METHOD = Name(zh="方法说明", en="Method")
AGAIN = Name(zh="复核与重做", en="How to make it again")


def assumptions(published: Published, language: Tongue) -> Section:
    """How many numbers have a source and how many are assumptions, and what that means."""
    numbers = provenance(published.finished.inputs)
    total, sourced = len(numbers), int(numbers["source"].notna().sum())
    found = published.summary.uncertainty
    points = [
        Name(
            zh=f"模型共用{total:,}个输入数值，其中{sourced:,}个有公开出处，"
            f"{total - sourced:,}个为假设，逐一注明了理由和合理范围。",
            en=f"The model starts from {total:,} numbers: {sourced:,} have a published source, "
            f"{total - sourced:,} are assumptions, each with its reason and range.",
        )
    ]
    if found is not None:
        varied, fixed = sum(found.varied.values()), sum(found.fixed.values())
        points.append(
            Name(
                zh=f"各次模拟之间有{varied:,}个参数取不同的值；另有{fixed:,}个假设在各次模拟中不变，"
                "它们可能带来的误差不在区间之内。",
                en=f"{varied:,} parameters differ from run to run; {fixed:,} more assumptions are "
                "the same in all runs, and no interval shows the error that they may bring.",
            )
        )
    fitted = found is not None and found.varied.get("fitted", 0) > 0
    points.append(
        Name(
            zh="部分参数已按公布数据拟合，其余取自先验。"
            if fitted
            else "参数取自先验，尚未按公布数据拟合，宜看差别、慎看水平。",
            en="Some parameters were fitted to published figures, the others come from priors."
            if fitted
            else "Parameters come from priors and are not fitted to published figures: trust "
            "differences before levels.",
        )
    )
    points.append(
        Name(
            zh="各片区的目标由全区目标按份额分解得出；95%区间只反映模拟次数有限带来的误差，"
            "不含模型本身的误差。",
            en="A zone's target is its share of the district's. The 95 % intervals say what a "
            "finite number of runs leaves open, not how far the model itself may be off.",
        )
    )
    return Section(ASSUMPTIONS[language], [Paragraph(p[language], "point") for p in points])


def method(published: Published, language: Tongue) -> Section:
    """What was simulated, and how a probability comes about."""
    plan, blueprint = published.plan, published.finished.blueprint
    firms = round(float(blueprint.base.firms.sum()), -2)
    start, end = month(plan.start), month(plan.end)
    runs = published.summary.runs
    interval = published.summary.interval
    zh = next((known.zh for known in Method if known.value == interval), interval)
    words = Name(
        zh=f"采用多主体仿真：约{firms:,.0f}家企业、{len(plan.departments)}个部门、{len(plan.parks)}个园区和载体，"
        f"在{len(plan.measures)}项任务和各项政策工具作用下，自{start.zh}起逐月推演至{end.zh}。"
        f"全程重复{runs:,}次，每次参数和运气不同；某项指标的达成概率，即期末达到目标的模拟所占比例。"
        f"区间按{zh.split('，')[0]}计算，置信水平95%。",
        en=f"An agent-based simulation: about {firms:,.0f} firms, {len(plan.departments)} "
        f"departments and {len(plan.parks)} parks act month by month from {start.en} to {end.en} "
        f"under the plan's {len(plan.measures)} measures and the planner's levers. It is run "
        f"{runs:,} times with other parameters and other luck; a target's probability is the share "
        f"of the runs that meet it by its deadline. Intervals: {interval}, 95 %.",
    )
    return Section(METHOD[language], [Paragraph(words[language])])


def origin(published: Published, day: date, language: Tongue) -> Section:
    """Date, version, seed, command and checksums."""
    summary = published.summary
    names = (
        (Name(zh="编制日期", en="Date of this briefing"), day.isoformat()),
        (Name(zh="情景", en="Scenario"), summary.scenario.name[language]),
        (Name(zh="软件版本", en="Version"), f"pudong-sim {summary.versions.pudong_sim}"),
        (Name(zh="模拟次数", en="Runs"), f"{summary.runs:,}"),
        (Name(zh="随机种子", en="Seed"), str(summary.seed)),
        (Name(zh="重做命令", en="Command"), summary.command),
        (
            Name(zh="运行环境", en="Made with"),
            ", ".join(
                f"{name} {version}"
                for name, version in summary.versions.model_dump().items()
                if name != "pudong_sim"
            ),
        ),
        (Name(zh="情景文件校验", en="SHA-256, scenario"), summary.scenario.sha256),
        (Name(zh="规划文件校验", en="SHA-256, plan"), summary.plan.sha256),
        (Name(zh="基年文件校验", en="SHA-256, base year"), summary.economy.sha256),
    )
    head = [Name(zh="项目", en="Fact")[language], Name(zh="内容", en="Value")[language]]
    rows = [[name[language], value] for name, value in names]
    table = Table(head, rows, [1.0, 4.4], alt=AGAIN[language])
    words = Name(
        zh="在预测目录中运行下列命令，同一版本、同一种子得到完全相同的结果。",
        en="Run from the forecast's directory, the command below gives the same numbers to the "
        "last digit, with the same version and seed.",
    )
    return Section(AGAIN[language], [Paragraph(words[language]), table])
