"""Whether a fit can be believed: ranks, contraction, and each figure foretold by the others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import chisquare

from calibration.design import Design
from calibration.emulator import emulate
from calibration.fit import Candidates, candidates, normalised, resampled
from calibration.predictive import cumulative
from sim.analysis.observations import Kind, Observation
from sim.blueprint import Floats

DATA_SETS = 400
RANK_DRAWS = 99  # ranks 0 to 99
BINS = 20


def simulation_based_calibration(
    design: Design, observations: Sequence[Observation], active: tuple[int, ...], seed: int
) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    """Ranks of true parameters among posterior draws, for figures that the model itself made.

    The last ``DATA_SETS`` runs of the design are taken for the truth, one at a time: their
    parameters and the figures that a statistician would have published of them. Each is fitted by
    an emulator of the other runs. If the fit is right, ranks are uniform (Talts et al. 2018,
    arXiv 1804.06788; Cook, Gelman and Rubin 2006).

    Of a bound what is published is whether the figure lies beyond it.

    Args:
        active: places of the fitted parameters among the design's draws (a,).

    Returns:
        Names of the active parameters (a,), and ranks of 0 to ``RANK_DRAWS`` (data sets, a).
    """
    sets = min(DATA_SETS, len(design.scores) // 4)
    rest = Design(design.names, design.scores[:-sets], design.predicted[:-sets], design.again)
    emulator = emulate(rest, active)
    drawn = candidates(emulator, seed)
    luck = np.random.Generator(np.random.PCG64DXSM([seed, 1]))
    ranks = np.empty((sets, len(emulator.active)), dtype=np.intp)
    for number in range(sets):
        run = len(rest.scores) + number
        noise = luck.standard_normal(len(observations))
        logs = np.zeros(len(drawn.predicted))
        for item, z, value, values in zip(
            observations, noise, design.predicted[run], drawn.predicted.T, strict=True
        ):
            logs += _likelihood(item, float(value + item.shift + item.sd * z), values)
        places = resampled(normalised(logs), RANK_DRAWS, float(luck.random()))
        truth = design.scores[run, list(emulator.active)]
        ranks[number] = (drawn.scores[places] < truth).sum(axis=0)
    return emulator.names, ranks


def _likelihood(item: Observation, counted: float, predicted: Floats) -> Floats:
    """Log-likelihood of a simulated figure, ``counted`` in logs (candidates,)."""
    if item.kind in (Kind.OVER, Kind.NEARLY):
        kind = Kind.OVER if counted > np.log(item.value) else Kind.NEARLY
        return item.model_copy(update={"kind": kind}).log_likelihood(np.exp(predicted))
    value = float(np.exp(counted))
    return item.model_copy(update={"value": value}).log_likelihood(np.exp(predicted))


def uniformity(ranks: NDArray[np.intp]) -> Floats:
    """P values of a chi-square test of each parameter's ranks over ``BINS`` bins (a,)."""
    width = (RANK_DRAWS + 1) // BINS
    counts = [np.bincount(column // width, minlength=BINS) for column in ranks.T]
    return np.array([chisquare(count).pvalue for count in counts])


def contraction(names: Sequence[str], drawn: Candidates, weights: Floats) -> pd.DataFrame:
    """How far figures move and narrow each parameter, in the prior's standard deviations.

    Returns:
        A row a parameter: name, shift (posterior mean less prior mean), contraction
        (1 − posterior variance over prior variance), low and high (95 % of the posterior).
    """
    rows = []
    for name, scores in zip(names, drawn.scores.T, strict=True):
        mean = float(weights @ scores)
        variance = float(weights @ (scores - mean) ** 2)
        order = np.argsort(scores)
        share = np.cumsum(weights[order])
        low, high = (float(scores[order][np.searchsorted(share, q)]) for q in (0.025, 0.975))
        rows.append(
            {
                "parameter": name,
                "shift": mean,
                "contraction": 1.0 - variance / float(scores.var()),
                "low": low,
                "high": high,
            }
        )
    return pd.DataFrame(rows)


def leave_one_out(observations: Sequence[Observation], drawn: Candidates, logs: Floats) -> Floats:
    """Where each figure lies in the distribution that the other figures foretell (figures,)."""
    positions = []
    for place, item in enumerate(observations):
        others = normalised(np.delete(logs, place, axis=1).sum(axis=1))
        chosen = resampled(others, 4_000)
        positions.append(cumulative(item, item.value, np.exp(drawn.predicted[chosen, place])))
    return np.array(positions)
