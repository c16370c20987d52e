"""What the model's own series and cost items are called, with their units."""

from __future__ import annotations

from dataclasses import dataclass

from sim.economy import Economy
from sim.figures import Name
from sim.plan import DISTRICT, Plan
from sim.report.wording import ALL_TOGETHER, WHOLE_DISTRICT

MONEY = Name(zh="亿元", en="100 million yuan")
SHARE = Name(zh="0–1", en="0 to 1")
FIRMS = Name(zh="家", en="firms")
PERSONS = Name(zh="人", en="persons")
TARGETS = Name(zh="项", en="targets")
TOTAL = Name(zh="合计", en="Total")
PLATFORMS = Name(zh="平台筹建", en="Founding of open innovation platforms")


@dataclass(frozen=True)
class Term:
    """A series' name and unit."""

    name: Name
    unit: Name


CONTEXT = {
    "firms": Term(Name(zh="企业数", en="Active firms"), FIRMS),
    "entries": Term(Name(zh="新设企业", en="Entries"), FIRMS),
    "exits": Term(Name(zh="退出企业", en="Exits"), FIRMS),
    "skilled_staff": Term(Name(zh="技能人才", en="Skilled staff"), PERSONS),
    "fill_rate": Term(Name(zh="岗位填补率", en="Vacancies filled"), SHARE),
    "arrivals": Term(Name(zh="引进人才", en="Skilled arrivals"), PERSONS),
    "displaced_arrivals": Term(
        Name(zh="人才虹吸（来自周边）", en="Skilled arrivals drawn from neighbours"), PERSONS
    ),
    "data_access": Term(Name(zh="数据可得性", en="Access to data"), SHARE),
    "data_volume": Term(Name(zh="数据带动的营业收入", en="Revenue carried by data"), MONEY),
    "cross_border_data": Term(
        Name(zh="跨境数据带动的营业收入", en="Revenue carried by cross-border data"), MONEY
    ),
    "data_incidents": Term(
        Name(zh="数据安全事件", en="Data incidents"), Name(zh="起", en="incidents")
    ),
    "digital_maturity": Term(Name(zh="数字化成熟度", en="Digital maturity"), SHARE),
    "park_service": Term(Name(zh="园区服务水平", en="Park service"), SHARE),
    "core_revenue": Term(Name(zh="核心产业营业收入", en="Revenue of core sectors"), MONEY),
    "revenue": Term(Name(zh="全部产业营业收入", en="Revenue of all sectors"), MONEY),
}


def series(plan: Plan) -> dict[str, Term]:
    """Every indicator of a forecast by its id: the plan's targets, then what explains them."""
    targets = {target.id: Term(target.name, target.unit) for target in plan.targets}
    context = {f"context_{n}" if n in targets else n: term for n, term in CONTEXT.items()}
    return targets | context | {"all": Term(ALL_TOGETHER, TARGETS)}


def items(economy: Economy) -> dict[str, Name]:
    """Every cost item by its id: the levers, the founding of platforms, the total."""
    levers = {str(lever): rule.name for lever, rule in economy.levers.items()}
    return levers | {"platform_founding": PLATFORMS, "total": TOTAL}


def zones(plan: Plan) -> dict[str, Name]:
    """The district and every zone by its id."""
    return {DISTRICT: WHOLE_DISTRICT} | {zone.id: zone.name for zone in plan.zones}
