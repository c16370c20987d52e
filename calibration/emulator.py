"""What the model says of each published figure as a function of its parameters, and the rest.

ln m = f(z) + e, e ~ N(0, Σ): f is linear in the normal scores z of the parameters that matter,
e is the chance of a run and what all other parameters add. docs/decisions/0007-calibration.md
compares it with richer ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.feature_selection import SelectFwe, f_regression
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import cross_val_score

from calibration import CalibrationError
from calibration.design import Design
from sim.blueprint import Floats

FALSE_ALARM = 0.01  # assumption: chance that any parameter without effect is taken for one with


@dataclass(frozen=True)
class Emulator:
    """A linear response of logs of figures to normal scores, with its normal rest.

    Attributes:
        active: places of the parameters that matter among the design's draws (a,).
        covariance: of the rest e (figures, figures).
        explained: share of each figure's variance that the parameters explain in runs that were
            not used for it, five-fold (figures,); may be slightly negative.
        chance: share that is chance alone, from pairs of runs with the same parameters
            (figures,); good to a tenth.
    """

    names: tuple[str, ...]
    active: tuple[int, ...]
    response: LinearRegression
    covariance: Floats
    explained: Floats
    chance: Floats

    def mean(self, scores: Floats) -> Floats:
        """f(z) for scores of the active parameters: (draws, a) to (draws, figures)."""
        return np.asarray(self.response.predict(scores))


def emulate(design: Design, active: tuple[int, ...] | None = None) -> Emulator:
    """Choose the parameters that move at least one figure, and fit the response to them.

    A parameter is chosen where its F test passes with the family-wise error ``FALSE_ALARM`` over
    all parameters and figures (Bonferroni, by scikit-learn's ``SelectFwe``).

    Args:
        active: places of parameters that were chosen before; none: they are chosen here.

    Raises:
        CalibrationError: no parameter moves any figure.
    """
    active = _moving(design) if active is None else active
    if not active:
        raise CalibrationError("no parameter moves any of the figures; there is nothing to fit")
    scores = design.scores[:, active]
    response = LinearRegression().fit(scores, design.predicted)
    rest = design.predicted - response.predict(scores)
    freedom = len(rest) - len(active) - 1
    explained = [
        cross_val_score(LinearRegression(), scores, values, cv=5).mean()
        for values in design.predicted.T
    ]
    again = len(design.again)
    first = design.predicted[:again]
    alike = [
        np.corrcoef(one, other)[0, 1] for one, other in zip(first.T, design.again.T, strict=True)
    ]
    return Emulator(
        tuple(design.names[place] for place in active),
        active,
        response,
        rest.T @ rest / freedom,
        np.array(explained),
        1.0 - np.array(alike),
    )


def _moving(design: Design) -> tuple[int, ...]:
    """Places of the parameters whose F test passes for at least one figure."""
    figures = design.predicted.shape[1]
    chosen = np.zeros(design.scores.shape[1], dtype=bool)
    for values in design.predicted.T:
        test = SelectFwe(f_regression, alpha=FALSE_ALARM / figures)
        chosen |= test.fit(design.scores, values).get_support()
    return tuple(int(place) for place in np.flatnonzero(chosen))
