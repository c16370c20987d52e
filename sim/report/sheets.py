"""A finished forecast as tidy tables: what each column is called, holds and is measured in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from sim.analysis.provenance import provenance
from sim.analysis.published import Published
from sim.figures import Name
from sim.report import terms
from sim.store import Pick, column_names

Look = Literal["text", "long", "share", "number", "count"]


@dataclass(frozen=True)
class Column:
    """A column: its name as a machine and as people call it, how it looks, and what it holds."""

    key: str
    name: Name
    look: Look
    meaning: Name


@dataclass(frozen=True)
class Sheet:
    """A table with its columns in their order."""

    key: str
    name: Name
    columns: Sequence[Column]
    rows: pd.DataFrame


def _column(key: str, look: Look, zh: str, en: str, held_zh: str, held_en: str) -> Column:
    return Column(key, Name(zh=zh, en=en), look, Name(zh=held_zh, en=held_en))


def _thing(key: str, zh: str, en: str, held_zh: str, held_en: str) -> list[Column]:
    """Its id, and its name in both languages."""
    return [
        _column(key, "text", f"{zh}代码", f"{en} id", held_zh, held_en),
        _column(f"{key}_zh", "text", zh, f"{en} (zh)", "中文名称", "Chinese name"),
        _column(f"{key}_en", "text", f"{zh}（英文）", en, "英文名称", "English name"),
    ]


def _words(key: str, look: Look, zh: str, en: str) -> list[Column]:
    """A text in both languages."""
    return [
        _column(f"{key}_zh", look, zh, f"{en} (zh)", "中文", "in Chinese"),
        _column(f"{key}_en", look, f"{zh}（英文）", en, "英文", "in English"),
    ]


ZONE = _thing("zone", "片区", "Zone", "district 为全区", "district: the whole")
TARGET = _thing("target", "指标", "Target", "all 为全部指标", "all: all of the zone's")
INDICATOR = _thing("indicator", "序列", "Series", "指标或背景序列", "target or context")
UNIT = [
    _column("unit_zh", "text", "单位", "Unit (zh)", "中文单位", "unit in Chinese"),
    _column("unit_en", "text", "单位（英文）", "Unit", "英文单位", "unit in English"),
]
MONTH = _column("month", "text", "月份", "Month", "年-月，取月末", "year-month, at its end")
MEAN = _column("mean", "number", "均值", "Mean", "全部模拟的均值", "mean over the runs")


def _quantiles(*levels: int) -> list[Column]:
    return [
        _column(
            f"q{level:02d}",
            "number",
            f"{level} % 分位数" if level != 50 else "中位数",
            f"{level} % quantile" if level != 50 else "Median",
            f"{level} % 的模拟不超过此值，单位见单位列",
            f"{level} % of the runs end no higher; in the row's unit",
        )
        for level in levels
    ]


def sheets_of(published: Published) -> list[Sheet]:
    """Every table of the export, the data dictionary last."""
    made = [
        _about(published),
        _probabilities(published),
        _yearly(published),
        _monthly(published),
        _costs(published),
        _parameters(published),
        _inputs(published),
    ]
    return [*made, _dictionary(made)]


def _about(published: Published) -> Sheet:
    """What the numbers are of, and how to make them again."""
    summary = published.summary
    facts: list[tuple[str, str, object]] = [
        ("情景", "Scenario", f"{summary.scenario.name.zh} {summary.scenario.name.en}"),
        ("规划", "Plan", f"{summary.plan.name.zh} {summary.plan.name.en}"),
        ("基年数据", "Base year", f"{summary.economy.name.zh} {summary.economy.name.en}"),
        ("模拟次数", "Runs", summary.runs),
        ("随机种子", "Seed", summary.seed),
        ("区间算法", "Intervals", summary.interval),
        ("重做命令", "Command", summary.command),
    ]
    facts += [("版本", "Version", f"{n} {v}") for n, v in summary.versions.model_dump().items()]
    for kind, zh in (("scenario", "情景文件"), ("plan", "规划文件"), ("economy", "基年文件")):
        facts.append((f"{zh} SHA-256", f"SHA-256 of {kind}", getattr(summary, kind).sha256))
    columns = [
        *_words("fact", "text", "项目", "Fact"),
        _column("value", "long", "内容", "Value", "内容", "what it is"),
    ]
    rows = pd.DataFrame(facts, columns=["fact_zh", "fact_en", "value"])
    return Sheet("about", Name(zh="说明", en="About"), columns, rows)


def _probabilities(published: Published) -> Sheet:
    rows = _named(published, published.results, "target")
    due = {target.id: target.deadline for target in published.plan.targets}
    signs = {"above": ">", "at_least": "≥"}
    compared = {target.id: signs[target.comparison] for target in published.plan.targets}
    rows["deadline"] = rows["target"].map(due).fillna(max(due.values()))
    rows["comparison"] = rows["target"].map(compared).fillna("=")
    share = "0 至 1", "0 to 1"
    columns = [
        *ZONE,
        *TARGET,
        _column("deadline", "text", "期限", "Deadline", "年-月", "year-month"),
        _column("comparison", "text", "比较", "Comparison", "≥、> 或 =", "≥, > or ="),
        _column(
            "threshold",
            "number",
            "目标值",
            "Threshold",
            "全区目标值，或片区按份额承担的部分；全部指标为项数",
            "the district's, or the zone's part of it; of all targets their number",
        ),
        *UNIT,
        _column("probability", "share", "达成概率", "Probability", *share),
        _column("low", "share", "95 % 区间下限", "95 % interval, low", *share),
        _column("high", "share", "95 % 区间上限", "95 % interval, high", *share),
        _column("runs", "count", "模拟次数", "Runs", "次", "number of runs"),
        _column(
            "parameter_share",
            "share",
            "参数占比",
            "Share of parameters",
            "不确定性中来自参数的部分，其余为偶然；空：无法判断",
            "part of the doubt that lies in parameters, the rest is chance; empty: not told",
        ),
        *_quantiles(5, 50, 95),
        _column(
            "shortfall",
            "number",
            "平均缺口",
            "Mean shortfall",
            "max(0, 目标值 − 期末值) 的均值，单位见单位列",
            "mean of max(0, threshold − value), in the row's unit",
        ),
    ]
    return Sheet("probabilities", Name(zh="达成概率", en="Probabilities"), columns, rows)


def _yearly(published: Published) -> Sheet:
    rows = _named(published, published.table("yearly"), "indicator")
    kind = _column(
        "kind",
        "text",
        "口径",
        "Kind",
        "flow：近 12 个月合计；stock：月末数；count：累计数；level：月末水平",
        "flow: sum of twelve months; stock: at the month's end; count: since the start; level",
    )
    columns = [*ZONE, *INDICATOR, kind, MONTH, *UNIT, MEAN, *_quantiles(5, 25, 50, 75, 95)]
    return Sheet("yearly", Name(zh="年度值", en="Yearly values"), columns, rows)


def _monthly(published: Published) -> Sheet:
    rows = _named(published, published.table("monthly"), "target")
    columns = [*TARGET, MONTH, *UNIT, *_quantiles(5, 25, 50, 75, 95)]
    return Sheet("monthly", Name(zh="月度值（全区）", en="Monthly, district"), columns, rows)


def _costs(published: Published) -> Sheet:
    rows = _zones(published, published.table("costs"))
    names = terms.items(published.finished.inputs.economy)
    rows["item_zh"], rows["item_en"] = _both(rows["item"], names)
    rows["unit_zh"], rows["unit_en"] = terms.MONEY.zh, terms.MONEY.en
    columns = [
        *_thing("item", "科目", "Item", "total 为合计", "total: all items"),
        *ZONE,
        *UNIT,
        MEAN,
        *_quantiles(5, 95),
    ]
    return Sheet("costs", Name(zh="财政成本", en="Costs"), columns, rows)


def _parameters(published: Published) -> Sheet:
    """What each parameter is, and what the runs drew."""
    finished, runs = published.finished, published.summary.runs
    file = finished.path / "runs" / "chunk-000000" / "parameters.parquet"
    labels = [name for name in column_names(file) if name != "run"]
    (drawn,) = finished.store.scan("parameters", [Pick(labels)], runs)
    levels = np.quantile(drawn[:, 0].astype(float), [0.05, 0.5, 0.95], axis=1)
    rows = pd.DataFrame({"parameter": labels, "q05": levels[0], "q50": levels[1], "q95": levels[2]})
    numbers = provenance(finished.inputs)
    numbers = numbers[numbers["file"] == "economy"].drop(columns="file")
    rows = rows.assign(field="parameters." + rows["parameter"]).merge(numbers, how="left")
    columns = [
        _column("parameter", "text", "参数", "Parameter", "过程.参数", "process.parameter"),
        _column("unit", "text", "单位", "Unit", "英文", "as in the economy file"),
        _column("value", "number", "取值", "Value", "先验的中心", "middle of its prior"),
        _column("low", "number", "下限", "Low", "取值范围", "of its range"),
        _column("high", "number", "上限", "High", "取值范围", "of its range"),
        *_quantiles(5, 50, 95),
        *BASIS,
    ]
    return Sheet("parameters", Name(zh="参数", en="Parameters"), columns, rows)


BASIS = [
    _column("source", "long", "出处", "Source", "空：属于假设", "empty: an assumption"),
    _column("assumption", "long", "假设及理由", "Assumption", "空：有出处", "empty: has a source"),
]


def _inputs(published: Published) -> Sheet:
    """Every number that the model starts from, and where it comes from."""
    columns = [
        _column("file", "text", "文件", "File", "规划或基年", "plan or economy"),
        _column("field", "text", "字段", "Field", "在文件中的位置", "where it stands in the file"),
        _column("value", "number", "取值", "Value", "单位见单位列", "in the row's unit"),
        _column("unit", "text", "单位", "Unit", "英文", "as in the file"),
        _column("low", "number", "下限", "Low", "合理范围", "of its range"),
        _column("high", "number", "上限", "High", "合理范围", "of its range"),
        *BASIS,
    ]
    rows = provenance(published.finished.inputs)
    return Sheet("inputs", Name(zh="输入数据来源", en="Inputs"), columns, rows)


def _dictionary(made: Sequence[Sheet]) -> Sheet:
    """Every column of every table."""
    rows = [
        {
            "sheet_zh": sheet.name.zh,
            "sheet_en": sheet.name.en,
            "column": column.key,
            "column_zh": column.name.zh,
            "column_en": column.name.en,
            "meaning_zh": column.meaning.zh,
            "meaning_en": column.meaning.en,
        }
        for sheet in made
        for column in sheet.columns
    ]
    columns = [
        *_words("sheet", "text", "工作表", "Sheet"),
        _column("column", "text", "列代码", "Column id", "CSV 表头", "header of the CSV file"),
        *_words("column", "text", "列", "Column"),
        *_words("meaning", "long", "含义", "Meaning"),
    ]
    name = Name(zh="数据字典", en="Data dictionary")
    return Sheet("dictionary", name, columns, pd.DataFrame(rows))


def _named(published: Published, rows: pd.DataFrame, key: str) -> pd.DataFrame:
    """With names and units of what stands in the column ``key``, and of zones."""
    known = terms.series(published.plan)
    rows = _zones(published, rows) if "zone" in rows else rows.copy()
    rows[f"{key}_zh"], rows[f"{key}_en"] = _both(rows[key], {k: t.name for k, t in known.items()})
    rows["unit_zh"], rows["unit_en"] = _both(rows[key], {k: t.unit for k, t in known.items()})
    return rows


def _zones(published: Published, rows: pd.DataFrame) -> pd.DataFrame:
    rows = rows.copy()
    rows["zone_zh"], rows["zone_en"] = _both(rows["zone"], terms.zones(published.plan))
    return rows


def _both(ids: pd.Series, names: Mapping[str, Name]) -> tuple[list[str], list[str]]:
    """Chinese and English names of a column of ids; the id itself where there is none."""
    known = [names.get(one, Name(zh=one, en=one)) for one in ids]
    return [name.zh for name in known], [name.en for name in known]
