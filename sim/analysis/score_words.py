"""What the scores of a forecast mean, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from sim.analysis import scoring
from sim.analysis.naive import Naive
from sim.analysis.observations import Observation
from sim.analysis.scorebook import MODEL, FigureScore, LogScore, TargetScore, settled
from sim.analysis.scoring import Verdict
from sim.figures import Name

FEW = 20  # assumption: figures with a value below which nothing is concluded

NO_HISTORY = Name(
    zh="没有给出历史数据（--history），因此没有与简单预测相比。",
    en="No history was given (--history), so there are no naive forecasts to compare.",
)


def skill_words(naive: Naive, score: str, skill: float | None, better: int, count: int) -> Name:
    """A skill as a sentence: better or worse, by how much, how often."""
    things = Name(zh="个数值", en="figures") if score == "CRPS" else Name(zh="项目标", en="targets")
    measure = Name(zh=f"平均 {score} ", en=f"mean {score}")
    if skill is None:
        result = Name(zh="简单预测没有误差，无法相比", en="cannot be compared: it made no error")
    elif abs(skill) < 0.005:
        result = Name(zh="与之相当", en="as good")
    else:
        size = f"{abs(skill):.0%}".replace("%", " %")
        good = skill > 0
        result = Name(
            zh=f"{'优于' if good else '不如'}它：{measure.zh}{'低' if good else '高'} {size}",
            en=f"{'better' if good else 'worse'}: {measure.en} {size} "
            f"{'lower' if good else 'higher'}",
        )
    return Name(
        zh=f"与“{naive.zh}”相比：{result.zh}；"
        f"{count} {things.zh}中有 {better} {things.zh[0]}更准。",
        en=f"Against “{naive.value}”: {result.en}; closer for {better} of {count} {things.en}.",
    )


def remarks(
    figures: Sequence[Observation],
    scores: Sequence[FigureScore],
    targets: Sequence[TargetScore],
    fit: Sequence[str],
    base_rows: int,
) -> list[Name]:
    """What is left out, out of reach, or too little to conclude from."""
    found = []
    if base_rows:
        found.append(
            Name(
                zh=f"{base_rows} 行为基期数值，由构造即相符，不计分。",
                en=f"{base_rows} rows are of the base year, which is met by construction; "
                "they are not scored.",
            )
        )
    bounds = sum(scoring.is_bound(figure) for figure in figures)
    if bounds:
        found.append(
            Name(
                zh=f"{bounds} 个数值只公布了界限（“超过”“近”）：只记预测给予该界限的概率，"
                "不计入 CRPS、覆盖率和 PIT。",
                en=f"{bounds} figures are only bounds (over, nearly): they get the probability "
                "that the forecast gave them, and are not in CRPS, coverage and PIT.",
            )
        )
    fitted = [figure.id for figure in figures if figure.id in fit]
    if fitted:
        found.append(
            Name(
                zh=f"模型参数已用其中 {len(fitted)} 个数值拟合（{'、'.join(fitted)}）："
                "这些数值的得分偏好，不能算预测。",
                en=f"The model's parameters were fitted to {len(fitted)} of these figures "
                f"({', '.join(fitted)}): their scores are too good, and no forecast.",
            )
        )
    values = len(figures) - bounds
    if values < FEW:
        found.append(
            Name(
                zh=f"有数值的只有 {values} 个，彼此并不独立：优劣和校准都还不能下结论。",
                en=f"Only {values} figures have a value, and they are not independent: too few to "
                "conclude which forecast is better, or whether it is calibrated.",
            )
        )
    found += [
        Name(
            zh=f"没有一次模拟接近 {row.figure}：预测给予它或更极端值的概率不到百万分之一"
            f"（对数得分 {_words(row.log_score)}）。",
            en=f"No run comes near {row.figure}: the forecast gave it, or a more extreme one, "
            f"under a millionth (log score {_words(row.log_score)}).",
        )
        for row in scores
        if row.forecast == MODEL and not row.reached
    ]
    found += _calibration_remark(scores)
    done = len(settled(targets))
    silent = sum(row.verdict == Verdict.NO_FIGURE for row in targets)
    found.append(
        Name(
            zh=f"{len(targets)} 项目标（全区和各片区）中，{done} 项已有定论，"
            f"{silent} 项在期限当月没有数值，{len(targets) - done - silent} 项有数值但不能定论。",
            en=f"Of {len(targets)} targets (district and zones) {done} are settled, {silent} have "
            f"no figure at their deadline, {len(targets) - done - silent} have one that leaves "
            "them open.",
        )
    )
    return found


def _calibration_remark(scores: Sequence[FigureScore]) -> list[Name]:
    """Whether the model's PITs leave the band, and on which side of the medians figures lie."""
    places = [row.pit for row in scores if row.forecast == MODEL and row.pit is not None]
    if not places or scoring.distance(places) <= scoring.band(len(places)):
        return []
    above, count = sum(place > 0.5 for place in places), len(places)
    return [
        Name(
            zh=f"{count} 个数值中有 {above} 个高于预测中位数，PIT 超出了可靠预测的 95 % 范围；"
            "数值互不独立，这一判断从宽。",
            en=f"{above} of {count} figures lie above the forecast's median, and their PITs leave "
            "the band of 95 % of reliable forecasts; as figures are not independent, that happens "
            "more often than in 5 % of cases.",
        )
    ]


def _words(value: LogScore) -> str:
    return "−∞" if value == "-Infinity" else f"{float(value):,.1f}".replace("-", "−")
