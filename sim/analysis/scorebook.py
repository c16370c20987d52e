"""The score of a finished forecast as a file: ``score.json``, and its schema."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from sim import __version__, months
from sim.analysis import scoring
from sim.analysis.finished import Finished, sha256_of
from sim.analysis.naive import Distribution, Goal, Naive, PastFigure, past_of
from sim.analysis.observations import Observation, ObservationError, Use
from sim.analysis.scoring import Verdict
from sim.analysis.summary import InputRecord, Part
from sim.blueprint import Floats
from sim.figures import Name
from sim.plan import ALL_TARGETS
from sim.store import write_text

MODEL = "model"
NO_HISTORY = Name(
    zh="没有给出历史数据（--history），因此没有与简单预测相比。",
    en="No history was given (--history), so there are no naive forecasts to compare.",
)
QUANTILES = {"q025": 0.025, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q975": 0.975}

LogScore = float | Literal["-Infinity"]
Probability = Annotated[float, Field(ge=0, le=1)]


class ForecastRecord(Part):
    """The forecast that is scored."""

    scenario: InputRecord
    plan: InputRecord
    economy: InputRecord
    seed: int
    runs: int
    base_month: str
    version: str = Field(description="of the program that made the runs")
    code: str = Field(description="SHA-256 of its source, as in the manifest")
    fitted: list[str] = Field(
        description="ids of the figures that its parameters were fitted to; empty: priors alone"
    )


class FileRecord(Part):
    """A table of figures that the score was made from."""

    name: str
    sha256: str
    rows: int
    used: int = Field(description="rows that were scored, or that give growth")


class FigureScore(Part):
    """One forecast of one figure."""

    figure: str = Field(description="id of its row")
    forecast: str = Field(description="'model', or a naive forecast")
    q025: float = Field(description="quantile of the published figure as foreseen, in its unit")
    q10: float
    q50: float
    q90: float
    q975: float
    pit: Probability | None = Field(
        description="foreseen probability of less than was published; null for a bound"
    )
    crps: float | None = Field(description="log points, lower is better; null for a bound")
    log_score: LogScore = Field(
        description="ln of the density of ln y, of a bound ln of its probability; higher is better"
    )
    probability: Probability | None = Field(
        description="what the forecast gave to a bound; null for a value"
    )
    reached: bool = Field(
        description="false: the forecast gave the figure, or a more extreme one, under a millionth"
    )


class Figure(Part):
    """One published figure."""

    id: str
    indicator: str
    zone: str
    month: str
    kind: Literal["exact", "about", "over", "nearly"]
    published: float
    unit: str
    use: Literal["fit", "check"] = Field(description="fit: it may have served to fit the model")


class Coverage(Part):
    """How many figures lay in the central intervals of one probability."""

    level: float
    inside: int
    figures: int


class Total(Part):
    """One forecast over all figures that it is made for."""

    forecast: str
    values: int = Field(description="exact and round figures")
    crps: float | None = Field(description="mean over the values; null without any")
    log_score: LogScore | None = Field(description="mean over the values")
    coverage: list[Coverage]
    bounds: int
    bounds_log_score: LogScore | None = Field(description="mean over the bounds")


class TargetScore(Part):
    """One target in one zone."""

    zone: str
    target: str
    deadline: str
    threshold: float
    verdict: Verdict
    figures: list[str] = Field(description="ids of the rows about it at its deadline")
    probabilities: dict[str, Probability] = Field(
        description="that it is met, by forecast; naive ones for settled targets only"
    )


class DecompositionRecord(Part):
    """Brier score = miscalibration − discrimination + uncertainty."""

    miscalibration: float
    discrimination: float
    uncertainty: float


class BrierTotal(Part):
    """One forecast over all settled targets that it is made for."""

    forecast: str
    targets: int
    brier: float
    log_score: LogScore
    decomposition: DecompositionRecord | None = Field(description="null with fewer than 50")


class Skill(Part):
    """The model against a naive forecast, over what both are made for."""

    naive: str
    score: Literal["CRPS", "Brier"]
    count: int = Field(description="figures or targets that both foresaw")
    better: int = Field(description="of them, those that the model foresaw better")
    model: float = Field(description="mean score of the model")
    naive_score: float
    skill: float | None = Field(
        description="1 − model / naive: 1 is perfect, 0 as good, below 0 worse; null: naive is 0"
    )
    words: Name


class Score(Part):
    """Everything that is said of how good a forecast was."""

    format: Literal[1] = 1
    made_by: str = Field(description="version of the program that scored it")
    forecast: ForecastRecord
    outturns: FileRecord
    history: FileRecord | None = Field(description="null: no naive forecasts were made")
    persistence: float | None = Field(description="φ of the AR(1) of growth; null without history")
    figures: list[Figure]
    scores: list[FigureScore]
    totals: list[Total]
    pit_distance: Probability | None = Field(
        description="largest distance of the model's ECDF of PIT from the diagonal; null: no value"
    )
    pit_band: Probability | None = Field(
        description="what independent figures of a calibrated forecast exceed in 5 % of cases"
    )
    targets: list[TargetScore]
    brier: list[BrierTotal]
    skills: list[Skill]
    remarks: list[Name] = Field(description="what a reader must know of these numbers")


def score(
    finished: Finished,
    outturns: Sequence[Observation],
    outturns_file: Path,
    history: Sequence[PastFigure] = (),
    history_file: Path | None = None,
) -> Score:
    """Hold a finished forecast beside what was published later.

    Args:
        finished: see ``read_finished``.
        outturns: from ``read_observations`` with the forecast's own inputs; rows of the base year
            are left out, since the base year is met by construction.
        history: from ``read_history``; without any there are no naive forecasts.

    Raises:
        ObservationError: no row is about a date after the base month, or the history gives fewer
            than two growth figures.
    """
    figures = [figure for figure in outturns if figure.use != Use.BASE]
    if not figures:
        raise ObservationError(f"{outturns_file}: no row to score; all are of the base year")
    naive = _Naives(finished, history) if history_file is not None else None
    scores: list[FigureScore] = []
    for figure in figures:
        values = finished.values(figure.indicator, figure.zone, figure.month)
        scores.append(_figure_score(figure, MODEL, values))
        if naive:
            for name, found in naive.of(figure.indicator, figure.zone, figure.month).items():
                scores.append(_figure_score(figure, name.value, found.members()))
    targets = _targets(finished, figures, naive)
    totals = _totals(figures, scores)
    brier = _brier(targets)
    used = len(figures)
    places = [row.pit for row in scores if row.forecast == MODEL and row.pit is not None]
    distance = scoring.distance(places) if places else None
    forecast = _forecast(finished)
    return Score(
        made_by=__version__,
        forecast=forecast,
        outturns=FileRecord(
            name=outturns_file.name,
            sha256=sha256_of(outturns_file),
            rows=len(outturns),
            used=used,
        ),
        history=None
        if history_file is None
        else FileRecord(
            name=history_file.name,
            sha256=sha256_of(history_file),
            rows=len(history),
            used=len(history),
        ),
        persistence=naive.past.persistence if naive else None,
        figures=[_figure(figure) for figure in figures],
        scores=scores,
        totals=totals,
        pit_distance=distance,
        pit_band=scoring.band(len(places)) if places else None,
        targets=targets,
        brier=brier,
        skills=[*_crps_skills(scores), *_brier_skills(targets)],
        remarks=_remarks(figures, scores, targets, forecast.fitted, len(outturns) - used)
        + ([] if naive else [NO_HISTORY]),
    )


class _Naives:
    """The naive forecasts that belong to one forecast."""

    def __init__(self, finished: Finished, history: Sequence[PastFigure]) -> None:
        self._finished = finished
        self._start = finished.inputs.plan.start
        places = {(figure.indicator, figure.zone) for figure in history}
        base = {place: self._base(*place) for place in places}
        self.past = past_of(history, self._start, base)
        self._goals = {
            (row.target, row.zone): row.threshold
            for row in finished.summary.results
            if row.target != ALL_TARGETS
        }
        self._deadlines = {target.id: target.deadline for target in finished.inputs.plan.targets}

    def _base(self, indicator: str, zone: str) -> float:
        """The forecast's value in its base month, the same in every run but for rounding."""
        return float(np.median(self._finished.values(indicator, zone, self._start)))

    def of(self, indicator: str, zone: str, month: str) -> dict[Naive, Distribution]:
        years = months.between(self._start, month) / 12
        goal = None
        if (indicator, zone) in self._goals:
            left = months.between(self._start, self._deadlines[indicator]) / 12
            goal = Goal(self._goals[indicator, zone], left)
        return self.past.forecasts(indicator, zone, self._base(indicator, zone), years, goal)


def _forecast(finished: Finished) -> ForecastRecord:
    summary, posterior = finished.summary, finished.inputs.posterior
    return ForecastRecord(
        scenario=summary.scenario,
        plan=summary.plan,
        economy=summary.economy,
        seed=summary.seed,
        runs=summary.runs,
        base_month=finished.inputs.plan.start,
        version=finished.manifest["version"],
        code=finished.manifest["code"],
        fitted=list(posterior.head.figures) if posterior else [],
    )


def _figure(figure: Observation) -> Figure:
    return Figure(
        id=figure.id,
        indicator=figure.indicator,
        zone=figure.zone,
        month=figure.month,
        kind=figure.kind.value,
        published=figure.value,
        unit=figure.unit,
        use="fit" if figure.use == Use.FIT else "check",
    )


def _figure_score(figure: Observation, forecast: str, values: Floats) -> FigureScore:
    bound = scoring.is_bound(figure)
    reached = scoring.log_score(figure, values)
    return FigureScore(
        figure=figure.id,
        forecast=forecast,
        **{name: scoring.quantile(figure, level, values) for name, level in QUANTILES.items()},
        pit=None if bound else scoring.pit(figure, values),
        crps=None if bound else scoring.crps(figure, values),
        log_score=_log(reached),
        probability=min(1.0, math.exp(reached)) if bound else None,
        reached=scoring.is_reached(figure, values),
    )


def _log(value: float) -> LogScore:
    return "-Infinity" if value == -math.inf else value


def _mean_log(values: Sequence[LogScore]) -> LogScore | None:
    """−∞ once is −∞ in the mean: a forecast that ruled out what came has lost that game."""
    if not values:
        return None
    return _log(float(np.mean([float(value) for value in values])))


def _totals(figures: Sequence[Observation], scores: Sequence[FigureScore]) -> list[Total]:
    bounds = {figure.id for figure in figures if scoring.is_bound(figure)}
    totals = []
    for forecast in dict.fromkeys(row.forecast for row in scores):
        own = [row for row in scores if row.forecast == forecast]
        values = [row for row in own if row.figure not in bounds]
        limits = [row for row in own if row.figure in bounds]
        places = [row.pit for row in values if row.pit is not None]
        errors = [row.crps for row in values if row.crps is not None]
        totals.append(
            Total(
                forecast=forecast,
                values=len(values),
                crps=float(np.mean(errors)) if errors else None,
                log_score=_mean_log([row.log_score for row in values]),
                coverage=[
                    Coverage(
                        level=level,
                        inside=sum(scoring.is_inside(place, level) for place in places),
                        figures=len(places),
                    )
                    for level in scoring.LEVELS
                ],
                bounds=len(limits),
                bounds_log_score=_mean_log([row.log_score for row in limits]),
            )
        )
    return totals


def _targets(
    finished: Finished, figures: Sequence[Observation], naive: _Naives | None
) -> list[TargetScore]:
    plan = {target.id: target for target in finished.inputs.plan.targets}
    found = []
    for row in finished.summary.results:
        if row.target == ALL_TARGETS:
            continue
        target = plan[row.target]
        about = [
            figure
            for figure in figures
            if (figure.indicator, figure.zone, figure.month)
            == (row.target, row.zone, target.deadline)
        ]
        verdict = scoring.verdict(about, target, row.threshold)
        given = {MODEL: row.probability}
        if naive and verdict in (Verdict.MET, Verdict.MISSED) and row.threshold > 0:
            paths = naive.of(row.target, row.zone, target.deadline)
            given |= {
                name.value: path.probability_above(row.threshold) for name, path in paths.items()
            }
        found.append(
            TargetScore(
                zone=row.zone,
                target=row.target,
                deadline=target.deadline,
                threshold=row.threshold,
                verdict=verdict,
                figures=[figure.id for figure in about],
                probabilities=given,
            )
        )
    return found


def settled(targets: Sequence[TargetScore]) -> list[TargetScore]:
    """The targets of which the outturns say whether they were met."""
    return [row for row in targets if row.verdict in (Verdict.MET, Verdict.MISSED)]


def _brier(targets: Sequence[TargetScore]) -> list[BrierTotal]:
    rows = settled(targets)
    totals = []
    for forecast in dict.fromkeys(name for row in rows for name in row.probabilities):
        own = [row for row in rows if forecast in row.probabilities]
        given = [row.probabilities[forecast] for row in own]
        met = [row.verdict == Verdict.MET for row in own]
        pairs = list(zip(given, met, strict=True))
        parts = scoring.decomposition(given, met)
        logs = [_log(scoring.event_log_score(p, o)) for p, o in pairs]
        totals.append(
            BrierTotal(
                forecast=forecast,
                targets=len(own),
                brier=float(np.mean([scoring.brier(p, o) for p, o in pairs])),
                log_score=_mean_log(logs) or 0.0,
                decomposition=None if parts is None else DecompositionRecord(**vars(parts)),
            )
        )
    return totals


def _crps_skills(scores: Sequence[FigureScore]) -> list[Skill]:
    crps: dict[str, dict[str, float]] = {}
    for row in scores:
        if row.crps is not None:
            crps.setdefault(row.forecast, {})[row.figure] = row.crps
    model = crps.pop(MODEL, {})
    return [
        _skill(name, "CRPS", [(model[figure], own) for figure, own in rows.items()])
        for name, rows in crps.items()
    ]


def _brier_skills(targets: Sequence[TargetScore]) -> list[Skill]:
    pairs: dict[str, list[tuple[float, float]]] = {}
    for row in settled(targets):
        met = row.verdict == Verdict.MET
        for name, given in row.probabilities.items():
            if name != MODEL:
                own = scoring.brier(row.probabilities[MODEL], met)
                pairs.setdefault(name, []).append((own, scoring.brier(given, met)))
    return [_skill(name, "Brier", rows) for name, rows in pairs.items()]


def _skill(
    naive: str, score: Literal["CRPS", "Brier"], pairs: Sequence[tuple[float, float]]
) -> Skill:
    own, other = (float(np.mean(side)) for side in zip(*pairs, strict=True))
    better, count = sum(a < b for a, b in pairs), len(pairs)
    skill = 1 - own / other if other else None
    return Skill(
        naive=naive,
        score=score,
        count=count,
        better=better,
        model=own,
        naive_score=other,
        skill=skill,
        words=_skill_words(Naive(naive), score, skill, better, count),
    )


def _skill_words(naive: Naive, score: str, skill: float | None, better: int, count: int) -> Name:
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


def _remarks(
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
    if values < 20:
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


def write_score(found: Score, path: Path) -> None:
    """Write it as JSON, whole or not at all."""
    write_text(path, found.model_dump_json(indent=1) + "\n")


def schema_text() -> str:
    """The JSON Schema of ``score.json``."""
    return json.dumps(Score.model_json_schema(), indent=1, ensure_ascii=False) + "\n"
