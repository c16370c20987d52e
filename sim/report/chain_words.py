"""What the links of the chain are called: drivers, behaviours, parts of a change, limits."""

from __future__ import annotations

from sim.figures import Name
from sim.plan import Driver, Plan
from sim.report.wording import Language

DRIVERS = {
    Driver.CONNECTIVITY: Name(zh="网络连接", en="Connectivity"),
    Driver.COMPUTE: Name(zh="算力", en="Computing power"),
    Driver.TOOLING: Name(zh="工具与基础软件", en="Tools"),
    Driver.CAPACITY: Name(zh="产能", en="Output capacity"),
    Driver.RECRUITMENT: Name(zh="招商培育", en="Recruitment of firms"),
    Driver.FIRM_PLATFORMS: Name(zh="企业建平台", en="Platforms by firms"),
    Driver.PUBLIC_PLATFORMS: Name(zh="公共平台", en="Public platforms"),
    Driver.RESEARCH: Name(zh="研发", en="Research"),
    Driver.SPILLOVER: Name(zh="知识溢出", en="Spillover"),
    Driver.PARK_SERVICE: Name(zh="园区服务", en="Park service"),
    Driver.ADOPTION: Name(zh="数字化应用", en="Digital adoption"),
    Driver.DATA_OPENNESS: Name(zh="数据开放", en="Openness of data"),
    Driver.DATA_EXCHANGE: Name(zh="数据交易", en="Data exchange"),
    Driver.MARKET_ACCESS: Name(zh="市场准入", en="Market access"),
    Driver.CERTAINTY: Name(zh="规则与标准", en="Legal certainty"),
    Driver.DEMAND: Name(zh="场景需求", en="Demand for applications"),
    Driver.TALENT_INFLOW: Name(zh="人才引进", en="Talent inflow"),
    Driver.APPROPRIABILITY: Name(zh="知识产权保护", en="Protection of ideas"),
    Driver.TRUST: Name(zh="安全可信", en="Trust"),
    Driver.LINKAGE: Name(zh="区域联动", en="Linkage of zones"),
    Driver.SERVICE: Name(zh="企业服务", en="Services for firms"),
}

BEHAVIOURS = {
    "revenue": Name(zh="企业营业收入", en="revenue of firms"),
    "ai_diffusion": Name(zh="AI 扩散速度", en="pace of AI diffusion"),
    "research": Name(zh="研发成功率", en="rate of research success"),
    "standards": Name(zh="标准提案转化率", en="rate at which proposals become standards"),
    "foundings": Name(zh="平台筹建（占其速度）", en="founding of platforms (part of its rate)"),
    "calls": Name(zh="发榜（场景需求）频率", en="rate of calls for projects"),
    "starts": Name(zh="新企业成立机会", en="odds that founders start"),
    "exits": Name(zh="企业退出率", en="rate of exit"),
    "arrivals": Name(zh="人才流入", en="arrivals of talent"),
}

TERMS = {
    "trend": Name(zh="行业趋势", en="Trend of the sectors"),
    "youth": Name(zh="年轻企业增长较快", en="Faster growth of young firms"),
    "measures": Name(zh="措施对增长的直接作用", en="Measures, directly on growth"),
    "levers": Name(zh="政策杠杆对增长的直接作用", en="Levers, directly on growth"),
    "data_access": Name(zh="数据可得性", en="Access to data"),
    "capability": Name(zh="企业技术能力", en="Capability of firms"),
    "maturity": Name(zh="数字化成熟度", en="Digital maturity"),
    "technologies": Name(zh="自有关键技术", en="Key technologies of their own"),
    "staffing": Name(zh="岗位充实程度", en="Staffing"),
    "cycle": Name(zh="景气与外部冲击", en="Cycle and shocks"),
    "plants": Name(zh="新厂订单", en="Orders of new plants"),
    "customers": Name(zh="客户行业增长", en="Growth of customers"),
    "projects": Name(zh="应用项目", en="Application projects"),
    "capacity": Name(zh="产能上限", en="Cut to output capacity"),
    "luck": Name(zh="企业自身起伏", en="Firms' own luck"),
    "ai_share": Name(zh="AI 占比提高", en="Rising AI share"),
    "entries": Name(zh="新设企业", en="Entries"),
    "exits": Name(zh="企业退出", en="Exits"),
    "conversions": Name(zh="转为 AI 企业", en="Firms that become AI firms"),
    "base_year": Name(zh="基年增长的翘尾", en="Carry-over of the base year's growth"),
}

LIMITS = {
    "unfilled": Name(zh="岗位空缺未填补的比例", en="Vacancies left open"),
    "wage_index": Name(zh="工资指数（期初为 1）", en="Wage index (1 at the start)"),
    "full_parks": Name(zh="园区占用率", en="Parks' places taken"),
    "setback_months": Name(
        zh="数据事件后收紧的月数（各片区合计）", en="Months of setback after data incidents"
    ),
    "incidents": Name(zh="数据安全事件，起", en="Data incidents"),
    "capacity_bound": Name(zh="产能受限行业达到上限的时间", en="Time at the output capacity"),
}
PERCENT = ("unfilled", "full_parks", "capacity_bound")


def measure_name(measure: str, plan: Plan, language: Language = "both") -> Name:
    """With its number in the plan, said once."""
    found = next(m for m in plan.measures if m.id == measure)
    number = f"{found.number} "
    return Name(zh=number + found.name.zh, en=(number if language == "en" else "") + found.name.en)


def department_name(department: str, plan: Plan) -> Name:
    return next(d.name for d in plan.departments if d.id == department)
