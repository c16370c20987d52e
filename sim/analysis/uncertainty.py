"""Where the uncertainty of an answer comes from: sources, assumptions, chance, single parameters.

From the forecast's own runs. With x_j the normal score of the rank of parameter j among the runs,
S and b the covariances of the x among themselves and with a result y, n runs and p parameters:

    β = S⁻¹·b,   σ² = n/(n − p − 1)·(var y − β·b)
    share_j = (β_j·b_j − σ²/n) / var y                     what goes with parameter j alone
    chance  = 1 − cov(y, y') / var y                       y' with the same parameters, other luck
    joint   = 1 − Σ_j share_j − chance                     what parameters do jointly, or bent

β_j·b_j is the covariance of β_j·x_j with the fitted value, so that shares add up to R² whether or
not the parameters are independent (Li et al. 2010, J. Phys. Chem. A 114); for independent ones it
is the squared standardised rank regression coefficient (Saltelli et al. 2008, Global sensitivity
analysis, 1.2.5). σ²/n is what the noise of a regression adds to each; without it they add up to
the adjusted R² (Ezekiel 1930), whose mean is the true share however many parameters do nothing.
Errors are standard errors by a delete-a-group jackknife (Kott 2001, J. Official Statistics 17).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.special import ndtri

from sim.analysis.probability import Flags, at_deadlines, outcomes
from sim.analysis.provenance import provenance
from sim.blueprint import Floats
from sim.draws import AGAIN
from sim.montecarlo import repeats
from sim.parameters import ParameterTable
from sim.runner import Runner
from sim.scenario import Inputs
from sim.store import Pick, Store

Basis = Literal["source", "assumption", "fitted"]
BASES: tuple[Basis, ...] = ("source", "assumption", "fitted")

RUNS_A_PARAMETER = 2  # fewer leave a regression more parameters than runs to judge it by
MOST_RUNS = 20_000  # of which shares are known to a hundredth; more would cost memory alone
FEWEST_OF_BOTH = 20  # runs that meet a target, and that miss it; fewer tell nothing of why
GROUPS = 20  # of the jackknife
SAME = 0.999  # correlation of ranks from which two entries of one parameter are one draw
LEVEL = 0.05  # chance that any of the parameters named for one result does nothing
NAMED = 5  # largest parameters kept for each result


@dataclass(frozen=True)
class Feature:
    """A parameter as it varies over the runs; entries that move together are one."""

    name: str
    basis: Basis


@dataclass(frozen=True)
class Shares:
    """Parts of the variance of each result that go with the parameters.

    Attributes:
        by_basis, by_basis_error: (bases, results), in the order of BASES.
        single, single_error: (features, results).
        sure: whether a parameter's effect is told from none (features, results), all at once.
    """

    by_basis: Floats
    by_basis_error: Floats
    single: Floats
    single_error: Floats
    sure: Flags


@dataclass(frozen=True)
class Uncertainty:
    """Where the uncertainty of a forecast comes from.

    Attributes:
        split: a row a zone, target and ``of`` (``value``: the value at the deadline; ``met``: yes
            or no), with the parts of its variance: source, assumption, fitted (parameters by what
            they rest on), each with its standard error (``source_error``, …), joint, chance and
            chance_error; missing where it cannot be told.
        largest: a row a zone, target, ``of`` and parameter whose effect is told from none, at most
            NAMED each, the largest first: parameter, basis, share, error.
        varied: number of parameters that vary over the runs, by basis.
        fixed: number of assumptions that are the same in all runs, by file and part of the file.
        runs: runs that the split rests on.
        runs_needed: with fewer the parameters cannot be told apart.
    """

    split: pd.DataFrame
    largest: pd.DataFrame
    varied: dict[str, int]
    fixed: dict[str, int]
    runs: int
    runs_needed: int

    @property
    def told(self) -> bool:
        """Whether there are runs enough to tell the parameters apart."""
        return self.runs >= self.runs_needed


def uncertainty(store: Store, runner: Runner, runs: int) -> Uncertainty:
    """Split the variance of each result over the store's first runs, at most MOST_RUNS."""
    runs = min(runs, MOST_RUNS)
    blueprint, plan, table = runner.blueprint, runner.inputs.plan, runner.parameters
    found = outcomes(at_deadlines(store, blueprint, plan, runs), blueprint, plan)
    again = repeats(runs)
    repeated = (
        outcomes(at_deadlines(store, blueprint, plan, again, AGAIN), blueprint, plan)
        if again
        else {}
    )
    (drawn,) = store.scan("parameters", [Pick(table.labels)], runs)
    fitted = runner.inputs.posterior.labels if runner.inputs.posterior else ()
    features, scores, varying = features_of(drawn[:, 0].T, table, fitted)

    places = [(zone, target, of) for zone, target in found for of in ("value", "met")]
    results = _columns(found, places)
    uncertain = len(np.unique(table.priors.draw[~table.priors.is_fixed]))
    needed = max(RUNS_A_PARAMETER * max(len(features), uncertain), 2 * GROUPS)
    shares = split(scores, [f.basis for f in features], results) if runs >= needed else None
    chance, chance_error = chance_of(results[:again], _columns(repeated, places), results)
    told = [of == "value" or _has_both(results[:, n]) for n, (_, _, of) in enumerate(places)]
    return Uncertainty(
        _split_table(places, shares, chance, chance_error, told),
        _largest_table(places, shares, features, told),
        {basis: sum(f.basis == basis for f in features) for basis in BASES},
        fixed_assumptions(runner.inputs, varying),
        runs,
        needed,
    )


def features_of(
    values: Floats, table: ParameterTable, fitted: Sequence[str] = ()
) -> tuple[list[Feature], Floats, set[str]]:
    """What varies over the runs, from their stored values; joint draws need not be independent.

    Args:
        values: (runs, entries), as the runs drew them.
        fitted: labels of entries that were drawn from a posterior.

    Returns:
        The features, the normal scores of their ranks (runs, features) with mean 0 and variance
        1, and the labels of all entries that vary.
    """
    features: list[Feature] = []
    columns: list[Floats] = []
    varying: set[str] = set()
    last: dict[str, list[int]] = {}
    for label, entry, column in zip(table.labels, table.entries, values.T, strict=True):
        if column.min() == column.max():
            continue
        varying.add(label)
        score = _normal_score(column)
        parameter = f"{entry.process}.{entry.name}"
        twin = next(
            (n for n in last.get(parameter, []) if np.mean(score * columns[n]) > SAME), None
        )
        if twin is not None:
            features[twin] = Feature(parameter, features[twin].basis)
            continue
        basis: Basis = "assumption" if entry.parameter.source is None else "source"
        features.append(Feature(label, "fitted" if label in fitted else basis))
        last.setdefault(parameter, []).append(len(columns))
        columns.append(score)
    scores = np.array(columns).T if columns else np.zeros((len(values), 0))
    return features, scores, varying


def _normal_score(column: Floats) -> Floats:
    """Normal quantiles of the ranks of a column (runs,), ties at their mean rank."""
    ranks = pd.Series(column).rank().to_numpy()
    score = ndtri((ranks - 0.5) / len(column))
    return np.asarray((score - score.mean()) / score.std())


def split(scores: Floats, bases: Sequence[str], results: Floats) -> Shares:
    """The parts of the variance of each result that go with single parameters and with bases.

    Args:
        scores: (runs, features), normal scores. results: (runs, results).
        bases: of each feature.

    Returns:
        Shares with their errors; not a number where a result does not vary.
    """
    runs = len(scores)
    y = results - results.mean(axis=0)
    bounds = np.linspace(0, runs, GROUPS + 1).astype(int)
    parts = [slice(start, end) for start, end in pairwise(bounds)]
    sums = [(scores[p].T @ scores[p], scores[p].T @ y[p], (y[p] ** 2).sum(axis=0)) for p in parts]
    members = np.array([[basis == wanted for basis in bases] for wanted in BASES], dtype=float)
    xx, xy, yy = (np.sum([part[n] for part in sums], axis=0) for n in range(3))
    single, z = _single(xx, xy, yy, runs)
    without = [
        _single(xx - own[0], xy - own[1], yy - own[2], runs - (part.stop - part.start))[0]
        for own, part in zip(sums, parts, strict=True)
    ]
    by_basis = members @ single
    reach = float(ndtri(1.0 - LEVEL / (2.0 * max(1, len(bases)))))
    return Shares(
        by_basis,
        _jackknife([members @ shares for shares in without]),
        single,
        _jackknife(without),
        np.abs(z) > reach,
    )


def _single(xx: Floats, xy: Floats, yy: Floats, runs: int) -> tuple[Floats, Floats]:
    """Each feature's share and z statistic (features, results), from sums of products."""
    count = len(xx)
    inverse = np.linalg.pinv(xx / runs, hermitian=True)
    b, variance = xy / runs, yy / runs
    slope = inverse @ b
    noise = (variance - (slope * b).sum(axis=0)) * runs / (runs - count - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = (slope * b - noise / runs) / variance
        z = slope / np.sqrt(np.outer(np.diag(inverse), noise) / runs)
    return shares, z


def _jackknife(without: Sequence[Floats]) -> Floats:
    """Standard errors from estimates each without one group."""
    spread = np.var(np.array(without), axis=0)
    return np.asarray(np.sqrt((len(without) - 1) * spread))


def chance_of(first: Floats, again: Floats, results: Floats) -> tuple[Floats, Floats]:
    """The part of each result's variance that is chance (results,), and its standard error.

    Args:
        first, again: (pairs, results), with the same parameters and other luck.
        results: (runs, results), all runs, for mean and variance.

    Returns:
        Not a number without pairs, or where a result does not vary.
    """
    if not len(again):
        nothing = np.full(results.shape[1], np.nan)
        return nothing, nothing
    mean, variance = results.mean(axis=0), results.var(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        products = (first - mean) * (again - mean) / variance
    error = products.std(axis=0, ddof=1) / np.sqrt(len(products))
    return 1.0 - products.mean(axis=0), error


def fixed_assumptions(inputs: Inputs, varying: set[str]) -> dict[str, int]:
    """How many numbers are assumptions and the same in all runs, by file and part of the file.

    Args:
        varying: labels of the parameters that vary.
    """
    numbers = provenance(inputs)
    varied = {f"parameters.{label}" for label in varying}
    assumed = numbers[numbers["assumption"].notna()]
    kept = assumed[~((assumed["file"] == "economy") & assumed["field"].isin(varied))]
    parts = kept["file"] + "." + kept["field"].str.partition(".")[0]
    return dict(sorted(Counter(parts).items()))


def _columns(found: Any, places: list[tuple[str, str, str]]) -> Floats:
    """Values and outcomes (runs, results) in the order of ``places``."""
    if not found:
        return np.zeros((0, len(places)))
    columns = [
        found[zone, target].values if of == "value" else found[zone, target].met
        for zone, target, of in places
    ]
    return np.array(columns, dtype=float).T


def _has_both(met: Floats) -> bool:
    hits = int(met.sum())
    return min(hits, len(met) - hits) >= FEWEST_OF_BOTH


def _part(value: float) -> float | None:
    """A share between 0 and 1, or none where it cannot be told."""
    return None if np.isnan(value) else min(1.0, max(0.0, float(value)))


def _split_table(
    places: list[tuple[str, str, str]],
    shares: Shares | None,
    chance: Floats,
    chance_error: Floats,
    told: list[bool],
) -> pd.DataFrame:
    rows = []
    for n, (zone, target, of) in enumerate(places):
        row: dict[str, object] = {"zone": zone, "target": target, "of": of}
        linear = np.full(len(BASES), np.nan)
        error = np.full(len(BASES), np.nan)
        if shares is not None and told[n]:
            linear, error = shares.by_basis[:, n], shares.by_basis_error[:, n]
        for basis, part, spread in zip(BASES, linear, error, strict=True):
            row |= {basis: _part(part), f"{basis}_error": _part(spread)}
        luck, luck_error = (chance[n], chance_error[n]) if told[n] else (np.nan, np.nan)
        row["joint"] = _part(1.0 - linear.sum() - luck)
        row |= {"chance": _part(luck), "chance_error": _part(luck_error)}
        rows.append(row)
    return pd.DataFrame(rows)


def _largest_table(
    places: list[tuple[str, str, str]],
    shares: Shares | None,
    features: list[Feature],
    told: list[bool],
) -> pd.DataFrame:
    columns = ["zone", "target", "of", "parameter", "basis", "share", "error"]
    rows: list[tuple[object, ...]] = []
    for n, place in enumerate(places):
        if shares is None or not told[n]:
            continue
        order = np.argsort(-np.nan_to_num(shares.single[:, n]))
        for feature in [j for j in order if shares.sure[j, n]][:NAMED]:
            named = features[feature]
            share = _part(shares.single[feature, n])
            error = float(shares.single_error[feature, n])
            rows.append((*place, named.name, named.basis, share, error))
    return pd.DataFrame(rows, columns=columns)
