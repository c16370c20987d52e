"""A finished forecast held beside what was published later, and beside naive forecasts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from sim import __version__, months
from sim.analysis import scoring
from sim.analysis.finished import Finished, sha256_of
from sim.analysis.naive import Distribution, Goal, Naive, PastFigure, past_of, read_history
from sim.analysis.observations import Observation, Use, read_observations
from sim.analysis.score_words import NO_HISTORY, remarks, skill_words
from sim.analysis.scorebook import (
    MODEL,
    BrierTotal,
    Coverage,
    DecompositionRecord,
    Figure,
    FigureScore,
    FileRecord,
    ForecastRecord,
    LogScore,
    Score,
    Skill,
    TargetScore,
    Total,
    settled,
)
from sim.analysis.scoring import Verdict
from sim.blueprint import Floats
from sim.errors import ObservationError
from sim.plan import ALL_TARGETS

QUANTILES = {"q025": 0.025, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q975": 0.975}


def score(finished: Finished, outturns: Path | str, history: Path | str | None = None) -> Score:
    """Hold a finished forecast beside what was published later.

    Args:
        finished: see ``read_finished``.
        outturns: CSV, see ``read_observations``; rows of the base year are left out, since the
            base year is met by construction.
        history: CSV, see ``read_history``; without it there are no naive forecasts.

    Raises:
        FileError: a file is missing, unreadable or not UTF-8 text.
        ObservationError: something in a file cannot be used, no row is about a date after the
            base month, or the history gives fewer than two growth figures.
    """
    rows = read_observations(outturns, finished.inputs)
    past = [] if history is None else read_history(history, finished.inputs)
    figures = [figure for figure in rows if figure.use != Use.BASE]
    if not figures:
        raise ObservationError(f"{outturns}: no row to score; all are of the base year")
    naive = None if history is None else _Naives(finished, past)
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
    places = [row.pit for row in scores if row.forecast == MODEL and row.pit is not None]
    distance = scoring.distance(places) if places else None
    forecast = _forecast(finished)
    return Score(
        made_by=__version__,
        forecast=forecast,
        outturns=_file(Path(outturns), len(rows), len(figures)),
        history=None if history is None else _file(Path(history), len(past), len(past)),
        persistence=naive.past.persistence if naive else None,
        figures=[_figure(figure) for figure in figures],
        scores=scores,
        totals=totals,
        pit_distance=distance,
        pit_band=scoring.band(len(places)) if places else None,
        targets=targets,
        brier=brier,
        skills=[*_crps_skills(scores), *_brier_skills(targets)],
        remarks=remarks(figures, scores, targets, forecast.fitted, len(rows) - len(figures))
        + ([] if naive else [NO_HISTORY]),
    )


def _file(path: Path, rows: int, used: int) -> FileRecord:
    return FileRecord(name=path.name, sha256=sha256_of(path), rows=rows, used=used)


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
        words=skill_words(Naive(naive), score, skill, better, count),
    )
