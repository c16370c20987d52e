"""A forecast given what has been observed up to a date in the midst of its plan.

The forecast's own runs are weighted by how likely each makes the observed figures (importance
sampling from the prior predictive):

    w_r ∝ Π_i L_i(m_ri),   Σ_r w_r = 1
    P(met | figures) = Σ_r w_r · met_r
    n_eff = 1 / Σ_r w_r²                                    effective runs (Kish 1965)

with L_i the likelihood of figure i (calibration/data/README.md) at run r's value m_ri. Sources:
Owen (2013), Monte Carlo theory, methods and examples, section 9.2; Kish (1965), Survey sampling.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import logsumexp

from sim import __version__
from sim.analysis.forecast import forecast
from sim.analysis.interval import wilson
from sim.analysis.observations import Kind, Observation, Use, read_observations
from sim.analysis.probability import Answer, Flags, Outcome, at_deadlines, outcomes
from sim.blueprint import Floats
from sim.errors import ObservationError, RunError, plain
from sim.executors import Workers
from sim.montecarlo import MAX_RUNS, Progress, columns_of, no_progress
from sim.runner import Runner
from sim.scenario import Inputs
from sim.store import Pick, Store, open_store

FEWEST_EFFECTIVE = (
    100  # a probability near one half is then known to ± 10 points, hardly worth less
)
FARTHEST = 4.0  # standard deviations: a normal error exceeds them once in 16,000 times
QUANTILES = (0.05, 0.5, 0.95)


@dataclass(frozen=True)
class Figures:
    """The figures of a file, by what becomes of them.

    Attributes:
        path, sha256: the file, and the checksum of its bytes.
        used: those that the forecast is conditioned on.
        base, check: number of rows with that use, which are not.
        fitted: ids of rows for the fit that the economy's posterior has seen already.
    """

    path: Path
    sha256: str
    used: list[Observation]
    base: int
    check: int
    fitted: list[str]

    @property
    def first(self) -> str:
        return min(figure.month for figure in self.used)

    @property
    def last(self) -> str:
        return max(figure.month for figure in self.used)


@dataclass(frozen=True)
class Observed:
    """What a forecast says given observed figures.

    Attributes:
        answer: the forecast without them.
        results: a row a zone and target: threshold; before, before_low, before_high (as in the
            answer); probability, low, high (given the figures, 95 % interval); q05, q50, q95 of
            the value at the deadline, given them.
        influence: a row a figure: id, indicator, zone, month, value, unit, kind; q05, q50, q95 of
            the runs' own values before weighting; distance (standard deviations from the figure
            to the runs' median, positive if the figure is higher); effective_alone and
            effective_without, the effective runs with this figure alone and with all but it.
        without: a row a figure, zone and target: the probability given all figures but this, and
            the standard error of what this figure moves it by.
        weights: (runs,), their sum 1.
        effective: number of effective runs.
    """

    answer: Answer
    figures: Figures
    results: pd.DataFrame
    influence: pd.DataFrame
    without: pd.DataFrame
    weights: Floats
    effective: float


def observe(
    inputs: Inputs,
    file: Path | str,
    *,
    runs: int,
    seed: int,
    out: Path | str,
    workers: int | Workers = 1,
    precision: float | None = None,
    on_progress: Progress = no_progress,
) -> Observed:
    """Forecast, then weight its runs by what has been observed; runs that are there are used.

    Args:
        file: CSV with the columns of calibration/data/README.md; rows with use ``fit`` count.
        others: see ``forecast``.

    Raises:
        FileError, ObservationError: the file cannot be used; line and column are named.
        RunError: too few runs agree with the figures, or none comes near one of them; the runs
            and ``summary.json`` are kept.
    """
    figures = read_figures(file, inputs)
    answer = forecast(
        inputs,
        runs=runs,
        seed=seed,
        out=out,
        workers=workers,
        precision=precision,
        on_progress=on_progress,
    )
    return condition(inputs, figures, answer, seed=seed, out=out)


def read_figures(file: Path | str, inputs: Inputs) -> Figures:
    """Read a file of observations and set aside what a forecast is not conditioned on.

    Raises:
        FileError, ObservationError: the file cannot be used, or holds nothing to condition on.
    """
    rows = read_observations(file, inputs)
    known = inputs.posterior.head.figures if inputs.posterior else []
    fit = [row for row in rows if row.use == Use.FIT]
    figures = Figures(
        Path(file),
        hashlib.sha256(Path(file).read_bytes()).hexdigest(),
        [row for row in fit if row.id not in known],
        sum(row.use == Use.BASE for row in rows),
        sum(row.use == Use.CHECK for row in rows),
        [row.id for row in fit if row.id in known],
    )
    if not figures.used:
        why = "rows with use 'fit' are needed, base and check are not used"
        if figures.fitted:
            where = inputs.sources["posterior"].path
            why = (
                f"the parameters in {where} were fitted to all of them already; give later ones, "
                "or leave it aside with --priors"
            )
        raise ObservationError(f"{file}: found no figure to condition on; {why}")
    return figures


def condition(
    inputs: Inputs, figures: Figures, answer: Answer, *, seed: int, out: Path | str
) -> Observed:
    """Weight the runs of a forecast in ``out`` by the figures; see ``observe``."""
    runner = Runner(inputs, seed)
    with open_store(Path(out), inputs, seed, __version__, columns_of(runner)) as store:
        predicted = _predicted(store, figures.used, answer.runs)
        ends = at_deadlines(store, runner.blueprint, inputs.plan, answer.runs)
    likelihoods = np.array(
        [row.log_likelihood(m) for row, m in zip(figures.used, predicted, strict=True)]
    )
    _check_reach(figures, predicted, likelihoods)
    weights = weigh(likelihoods.sum(axis=0))
    effective = effective_runs(weights)
    influence = _influence(figures.used, predicted, likelihoods)
    if effective < FEWEST_EFFECTIVE:
        raise RunError(_too_few(figures, influence, effective, answer.runs))
    found = outcomes(ends, runner.blueprint, inputs.plan)
    return Observed(
        answer,
        figures,
        _results(answer.results, found, weights),
        influence,
        _without(figures.used, likelihoods, found),
        weights,
        effective,
    )


def weigh(log_likelihood: Floats) -> Floats:
    """Normalised weights (runs,) from log-likelihoods (runs,), of which one at least is finite."""
    return np.asarray(np.exp(log_likelihood - logsumexp(log_likelihood)))


def effective_runs(weights: Floats) -> float:
    """Kish's effective sample size of normalised weights: 1 / Σ w²."""
    return float(1.0 / np.sum(weights**2))


def weighted_probability(met: Flags, weights: Floats) -> tuple[float, float, float]:
    """A weighted share of runs with its 95 % interval.

    The variance of p = Σ w·met is Σ w²·(met − p)² by the delta method (Owen 2013, eq. 9.8); the
    interval is Wilson's with the number of runs that would have this variance, p(1 − p) over it,
    and no more than Kish's (Korn and Graubard 1998, Survey Methodology 24: 193-201).

    Args:
        met: (runs,). weights: (runs,), their sum 1.

    Returns:
        The probability and the ends of its interval.
    """
    share = min(1.0, float(weights[met].sum()))
    runs = effective_runs(weights)
    variance = float(np.sum(weights**2 * (met - share) ** 2))
    if met.any() and not met.all() and variance > 0:
        runs = min(runs, share * (1.0 - share) / variance)
    share = 1.0 if met.all() else share
    low, high = wilson(share * runs, runs)
    return share, min(low, share), max(high, share)


def _predicted(store: Store, rows: Sequence[Observation], runs: int) -> list[Floats]:
    """The runs' value of each figure (runs,), in its unit."""
    picks = [Pick([f"{row.indicator}.{row.zone}"], [row.month]) for row in rows]
    return [found[0, 0].astype(float) for found in store.scan("series", picks, runs)]


def _distance(row: Observation, predicted: Floats) -> Floats:
    """Standard deviations by which a run's value contradicts a figure; a bound is one-sided."""
    score = row.score(predicted)
    if row.kind == Kind.OVER:
        return np.maximum(score, 0.0)
    return np.maximum(-score, 0.0) if row.kind == Kind.NEARLY else np.abs(score)


def _check_reach(figures: Figures, predicted: Sequence[Floats], likelihoods: Floats) -> None:
    """Refuse figures that no run comes near: weights would only choose the least wrong of them."""
    file = figures.path
    far = [
        f"{_shown(row)}, where the nearest run has {_amount(_nearest(row, values))}"
        for row, values in zip(figures.used, predicted, strict=True)
        if _distance(row, values).min() > FARTHEST
    ]
    if far:
        raise RunError(
            f"{file}: no run comes within {FARTHEST:g} standard deviations of "
            + "; nor of ".join(far)
            + ". The model as it stands does not produce what was observed: check the figure and "
            "its definition, or fit the parameters with 'pudong calibrate'"
        )
    if not np.isfinite(likelihoods.sum(axis=0)).any():
        names = ", ".join(row.id for row in figures.used)
        raise RunError(f"{file}: no run agrees with all of its figures at once ({names})")


def _nearest(row: Observation, values: Floats) -> float:
    return float(values[np.argmin(_distance(row, values))])


def _shown(row: Observation) -> str:
    sign = {Kind.OVER: "over ", Kind.NEARLY: "nearly "}.get(row.kind, "")
    return f"{row.id} ({sign}{plain(row.value)} {row.unit}, {row.zone}, {row.month})"


def _amount(value: float) -> str:
    return plain(float(f"{value:.4g}"))


def _influence(
    rows: Sequence[Observation], predicted: Sequence[Floats], likelihoods: Floats
) -> pd.DataFrame:
    total = likelihoods.sum(axis=0)
    table = []
    for row, values, own in zip(rows, predicted, likelihoods, strict=True):
        low, middle, high = (float(q) for q in np.quantile(values, QUANTILES))
        table.append(
            {
                "id": row.id,
                "indicator": row.indicator,
                "zone": row.zone,
                "month": row.month,
                "value": row.value,
                "unit": row.unit,
                "kind": row.kind.value,
                "q05": low,
                "q50": middle,
                "q95": high,
                "distance": float(row.score(middle)) if middle > 0 else None,
                "effective_alone": effective_runs(weigh(own)),
                "effective_without": effective_runs(_others(total, own, likelihoods)),
            }
        )
    return pd.DataFrame(table)


def _others(total: Floats, own: Floats, likelihoods: Floats) -> Floats:
    """The weights that all figures but one give."""
    if np.isfinite(own).all():
        return weigh(total - own)
    return weigh(sum((other for other in likelihoods if other is not own), np.zeros(len(total))))


def _too_few(figures: Figures, influence: pd.DataFrame, effective: float, runs: int) -> str:
    worst = influence.loc[influence["effective_without"].idxmax()]
    row = next(row for row in figures.used if row.id == worst["id"])
    given = "figure" if len(influence) == 1 else f"{len(influence)} figures"
    text = (
        f"{figures.path}: only {effective:.0f} of {runs:,} runs count, given its {given} "
        f"(effective runs; at least {FEWEST_EFFECTIVE} are needed). "
        f"{_shown(row)} conflicts most: nine runs in ten lie between {_amount(worst['q05'])} and "
        f"{_amount(worst['q95'])}"
    )
    if len(influence) > 1:
        text += f", and without it {worst['effective_without']:.0f} runs would count"
    needed = math.ceil(runs * FEWEST_EFFECTIVE / effective / 100) * 100
    more = f"make about {needed:,} runs (--runs {needed}), or " if needed <= MAX_RUNS else ""
    return f"{text}. To go on {more}fit the parameters to the figures with 'pudong calibrate'"


def _results(
    before: pd.DataFrame, found: dict[tuple[str, str], Outcome], weights: Floats
) -> pd.DataFrame:
    rows = []
    for _, row in before.iterrows():
        outcome = found[row["zone"], row["target"]]
        probability, low, high = weighted_probability(outcome.met, weights)
        # numpy has weights for this one method alone; with few runs it steps from run to run
        q05, q50, q95 = np.quantile(
            outcome.values, QUANTILES, weights=weights, method="inverted_cdf"
        )
        rows.append(
            {
                "zone": row["zone"],
                "target": row["target"],
                "threshold": row["threshold"],
                "before": row["probability"],
                "before_low": row["low"],
                "before_high": row["high"],
                "probability": probability,
                "low": low,
                "high": high,
                "q05": float(q05),
                "q50": float(q50),
                "q95": float(q95),
            }
        )
    return pd.DataFrame(rows)


def _without(
    rows: Sequence[Observation], likelihoods: Floats, found: dict[tuple[str, str], Outcome]
) -> pd.DataFrame:
    """Leave one figure out; the error is the delta method's, of both probabilities together."""
    total = likelihoods.sum(axis=0)
    all_of_them = weigh(total)
    table = []
    for row, own in zip(rows, likelihoods, strict=True):
        weights = _others(total, own, likelihoods)
        for (zone, target), outcome in found.items():
            met = outcome.met
            given, without = float(all_of_them[met].sum()), float(weights[met].sum())
            moved = all_of_them * (met - given) - weights * (met - without)
            table.append(
                {
                    "id": row.id,
                    "zone": zone,
                    "target": target,
                    "probability": min(1.0, without),
                    "error": float(np.sqrt(np.sum(moved**2))),
                }
            )
    return pd.DataFrame(table)
