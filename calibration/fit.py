"""The posterior by importance sampling: draws from the prior, weighted by the figures.

The likelihood of the figures given the model's values is that of
``sim.analysis.observations``; the values given the parameters are the emulator's. Both the
parameters and the rest of a run are drawn, so bounds need no integral.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from calibration import CalibrationError
from calibration.emulator import Emulator
from sim.analysis.observations import Kind, Observation
from sim.blueprint import Floats
from sim.errors import plain

CANDIDATES = 200_000  # assumption: leaves thousands of effective draws, in half a second
CONFLICT = 1e-3  # assumption: one figure in five hundred is refused where nothing is wrong
FEWEST = 1_000  # assumption: effective draws below which a fit is refused


@dataclass(frozen=True)
class Candidates:
    """Draws from the prior with what the emulator makes of them.

    Attributes:
        scores: normal scores of the active parameters (candidates, a).
        predicted: logs of the figures, chance included (candidates, figures).
    """

    scores: Floats
    predicted: Floats

    def of_figures(self, places: Sequence[int]) -> Candidates:
        """The same with some of the figures."""
        return replace(self, predicted=self.predicted[:, places])


def candidates(emulator: Emulator, seed: int, count: int = CANDIDATES) -> Candidates:
    """Draw parameters from their prior and the rest of a run from its normal distribution."""
    luck = np.random.Generator(np.random.PCG64DXSM(seed))
    scores = luck.standard_normal((count, len(emulator.active)))
    size = len(emulator.covariance)
    rest = luck.multivariate_normal(np.zeros(size), emulator.covariance, count, method="eigh")
    return Candidates(scores, emulator.mean(scores) + rest)


def log_weights(observations: Sequence[Observation], predicted: Floats) -> Floats:
    """Log-likelihood of each figure at logs of the model's values (candidates, figures)."""
    return np.array(
        [
            item.log_likelihood(np.exp(values))
            for item, values in zip(observations, predicted.T, strict=True)
        ]
    ).T


def normalised(logs: Floats) -> Floats:
    """Weights that sum to 1 from their logs (candidates,)."""
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())


def effective(weights: Floats) -> float:
    """Kish's effective sample size 1 / Σ w² (Kish 1965)."""
    return float(1.0 / np.sum(weights**2))


def resampled(weights: Floats, count: int, offset: float = 0.5) -> Floats:
    """Places of ``count`` draws, each as often as its weight says (systematic resampling)."""
    steps = (np.arange(count) + offset) / count
    places = np.searchsorted(np.cumsum(weights), steps)
    return np.minimum(places, len(weights) - 1)


def check_reach(observations: Sequence[Observation], logs: Floats, predicted: Floats) -> None:
    """Refuse figures that no parameters reach.

    Args:
        logs: log-likelihoods (candidates, figures).
        predicted: logs of the model's values (candidates, figures).

    Raises:
        CalibrationError: names each figure that keeps fewer than ``FEWEST`` effective draws by
            itself, or says that all together do.
    """
    alone = []
    for item, column, values in zip(observations, logs.T, predicted.T, strict=True):
        kept = effective(normalised(column)) if np.isfinite(column).any() else 0.0
        if kept < FEWEST:
            low, high = np.exp(np.quantile(values, [0.025, 0.975]) + item.shift)
            alone.append(
                f"{item.id}: no parameters reach {item.kind.value} {plain(item.value)} {item.unit} "
                f"({kept:.0f} effective draws of {len(logs):,}); the priors lead to {low:,.0f} to "
                f"{high:,.0f}. Check the figure and its unit, give it its definition_ratio, "
                "or widen the priors"
            )
    if alone:
        raise CalibrationError("\n".join(alone))
    kept = effective(normalised(logs.sum(axis=1)))
    if kept < FEWEST:
        raise CalibrationError(
            f"{kept:.0f} effective draws of {len(logs):,} are left by all figures together, at "
            f"least {FEWEST:,} are needed; widen noise_sd or the priors"
        )


def check_agreement(observations: Sequence[Observation], foretold: Floats) -> None:
    """Refuse figures that contradict the others.

    Args:
        foretold: where each lies in what the others foretell (figures,), see
            ``checks.leave_one_out``.

    Raises:
        CalibrationError: names each figure beyond ``CONFLICT`` of that distribution.
    """
    conflicts = []
    for item, position in zip(observations, foretold, strict=True):
        too_high = item.kind != Kind.NEARLY and position > 1.0 - CONFLICT
        too_low = item.kind != Kind.OVER and position < CONFLICT
        if too_high or too_low:
            side = "above" if too_high else "below"
            conflicts.append(
                f"{item.id}: {item.kind.value} {plain(item.value)} {item.unit} lies far {side} "
                "what the other figures foretell; take out what is wrong (use: check), or widen "
                "noise_sd"
            )
    if conflicts:
        raise CalibrationError("\n".join(conflicts))
