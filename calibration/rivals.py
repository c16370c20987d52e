"""Other methods of calibration, beside which decision 7 sets the one that is used.

Importance sampling with richer emulators, a Markov chain on the emulator (emcee), sequential Monte
Carlo on the model itself (pyABC), and runs of the model weighted as they are.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from itertools import count
from tempfile import TemporaryDirectory
from typing import Any, Self

import numpy as np
from scipy.special import logsumexp
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.model_selection import cross_val_predict

from calibration.design import Design, parameters_at, scores_of
from calibration.emulator import Emulator
from calibration.fit import (
    CANDIDATES,
    Candidates,
    effective,
    log_weights,
    normalised,
)
from sim import months
from sim.analysis.observations import Kind, Observation
from sim.blueprint import Floats
from sim.draws import AGAIN, Draws
from sim.errors import InputError
from sim.model import District
from sim.montecarlo import repeats
from sim.runner import Runner

PARTS = 10  # of the runs, each fitted by itself, for the error of what is learnt from runs
GP_LEARNS = 1_000  # runs that set a Gaussian process's lengths; all runs then condition it
GP_AT_ONCE = 5_000  # points foretold at once: 160 MB at 4,000 runs
FOLDS = 5
WALKERS = 64
BURN_IN = 0.2  # of a chain's steps


class NotInstalled(InputError):
    """A method needs a package that is no part of the project."""


def optional(name: str) -> Any:
    """A package that only this comparison needs.

    Raises:
        NotInstalled: says how to install it.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise NotInstalled(f"{name} is not installed; to compare it: pip install {name}") from None


@dataclass(frozen=True)
class ShortRuns:
    """Runs of the model to the last month that a figure is about."""

    runner: Runner
    observations: Sequence[Observation]

    def figures(self, run: int, names: Sequence[str] = (), scores: Floats | None = None) -> Floats:
        """Logs of the model's values in one run (figures,).

        Args:
            run: its number, which sets its luck and its parameters.
            names: draws that are not to be the run's own (a,).
            scores: their normal scores (a,).
        """
        runner = self.runner
        values = runner.parameters_of(run)
        if scores is not None:
            labels, given = parameters_at(runner, names, np.asarray(scores)[None])
            free = [label not in runner.parameters.fixed for label in labels]
            places = [runner.parameters.labels.index(label) for label in labels]
            values[np.array(places)[free]] = given[0, free]
        district = District(
            runner.blueprint, runner.parameters.arranged(values), Draws(runner.seed, run)
        )
        start = runner.inputs.plan.start
        ends = [months.between(start, item.month) for item in self.observations]
        while district.month < max(ends):
            district.step()
        series = district.outcome().series.reshape(max(ends) + 1, -1)
        columns = [
            runner.series_columns.index(f"{item.indicator}.{item.zone}")
            for item in self.observations
        ]
        return np.asarray(np.log(series[ends, columns]))

    def design(self, first: int, runs: int) -> Design:
        """Runs ``first`` to ``first + runs``, parameters from their priors, and repeats of some."""
        names, scores = scores_of(self.runner, range(first, first + runs))
        return Design(
            names,
            scores,
            np.array([self.figures(run) for run in range(first, first + runs)]),
            np.array([self.figures(AGAIN + first + run) for run in range(repeats(runs))]),
        )


@dataclass(frozen=True)
class Found:
    """What a method says of the active parameters, in prior standard deviations (a,).

    Attributes:
        mean, sd: of the posterior.
        mean_error, sd_error: their Monte Carlo standard errors, chance of the runs included.
        effective: independent draws that the sample is worth.
        runs: of the model.
    """

    mean: Floats
    sd: Floats
    mean_error: Floats
    sd_error: Floats
    effective: float
    runs: int


def weighted(scores: Floats, weights: Floats, runs: int) -> Found:
    """Moments of weighted independent draws, with the errors of a ratio estimate.

    Args:
        scores: (draws, a).
        weights: sum to 1 (draws,).
    """
    mean = weights @ scores
    square = (scores - mean) ** 2
    sd = np.sqrt(weights @ square)
    return Found(
        mean,
        sd,
        np.sqrt(weights**2 @ square),
        np.sqrt(weights**2 @ (square - sd**2) ** 2) / (2.0 * sd),
        effective(weights),
        runs,
    )


def model_runs(design: Design, active: Sequence[int], observations: Sequence[Observation]) -> Found:
    """Runs of the model itself, each weighted by its likelihood: no emulator, nothing assumed."""
    weights = normalised(log_weights(observations, design.predicted).sum(axis=1))
    return weighted(design.scores[:, list(active)], weights, len(design.scores))


class GaussianProcess(RegressorMixin, BaseEstimator):
    """A Gaussian process for each figure, with a length for each parameter and white noise.

    Attributes:
        kernels: as learnt before; none: learnt from the first ``GP_LEARNS`` runs.
    """

    def __init__(self, kernels: Sequence[Any] | None = None) -> None:
        self.kernels = kernels

    def fit(self, scores: Floats, values: Floats) -> Self:
        kernels = self.kernels or learnt_kernels(scores, values)
        self.processes_ = [
            GaussianProcessRegressor(kernel, optimizer=None, normalize_y=True).fit(scores, column)
            for kernel, column in zip(kernels, values.T, strict=True)
        ]
        return self

    def predict(self, scores: Floats) -> Floats:
        pieces = np.array_split(scores, -(-len(scores) // GP_AT_ONCE))
        return np.concatenate(
            [np.transpose([one.predict(piece) for one in self.processes_]) for piece in pieces]
        )


def learnt_kernels(scores: Floats, values: Floats) -> list[Any]:
    """The kernel of each figure, by maximum likelihood."""
    lengths = np.full(scores.shape[1], 5.0)
    kernel = ConstantKernel(1.0) * RBF(lengths, (0.3, 1e3)) + WhiteKernel(0.5)
    some = scores[:GP_LEARNS]
    with warnings.catch_warnings():
        # a length at its upper bound: the parameter does nothing to this figure
        warnings.simplefilter("ignore", ConvergenceWarning)
        return [
            GaussianProcessRegressor(kernel, normalize_y=True).fit(some, column[:GP_LEARNS]).kernel_
            for column in values.T
        ]


def with_response(emulator: Emulator, design: Design, response: Any) -> Emulator:
    """Another response of the same parameters; its rest is that of runs it did not learn from."""
    scores = design.scores[:, list(emulator.active)]
    rest = design.predicted - cross_val_predict(response, scores, design.predicted, cv=FOLDS)
    return replace(
        emulator,
        response=response.fit(scores, design.predicted),
        covariance=rest.T @ rest / len(rest),
        explained=1.0 - (rest**2).mean(axis=0) / design.predicted.var(axis=0),
    )


def with_rest_resampled(emulator: Emulator, design: Design, seed: int, count: int) -> Candidates:
    """Candidates whose rest is that of a run, all figures together, and not a normal draw."""
    luck = np.random.Generator(np.random.PCG64DXSM(seed))
    scores = luck.standard_normal((count, len(emulator.active)))
    rest = rest_of(emulator, design)
    return Candidates(scores, emulator.mean(scores) + rest[luck.integers(len(rest), size=count)])


def rest_of(emulator: Emulator, design: Design) -> Floats:
    """What the emulator leaves of each run (runs, figures)."""
    return design.predicted - emulator.mean(design.scores[:, list(emulator.active)])


Draw = Callable[[Design, int, int], Candidates]


def importance(design: Design, observations: Sequence[Observation], draw: Draw, seed: int) -> Found:
    """Importance sampling with an emulator.

    Its error is that over ``PARTS`` equal parts of the runs, each fitted by itself with as many
    candidates less: what is learnt from runs is uncertain, not only the sampling.

    Args:
        draw: candidates by an emulator of a design, from a seed, so many.
    """

    def moments(part: Design, luck: int, count: int) -> Found:
        drawn = draw(part, luck, count)
        weights = normalised(log_weights(observations, drawn.predicted).sum(axis=1))
        return weighted(drawn.scores, weights, 0)

    whole = moments(design, seed, CANDIDATES)
    parts = [
        moments(part, seed + 1 + number, CANDIDATES // PARTS)
        for number, part in enumerate(parts_of(design))
    ]
    root = np.sqrt(PARTS)
    return replace(
        whole,
        mean_error=np.std([part.mean for part in parts], axis=0, ddof=1) / root,
        sd_error=np.std([part.sd for part in parts], axis=0, ddof=1) / root,
        runs=len(design.scores) + len(design.again),
    )


def parts_of(design: Design) -> Iterator[Design]:
    """Equal parts of a design's runs."""
    size = len(design.scores) // PARTS
    for start in range(0, size * PARTS, size):
        part = slice(start, start + size)
        yield replace(design, scores=design.scores[part], predicted=design.predicted[part])


def log_posterior(
    emulator: Emulator, observations: Sequence[Observation], points: Floats
) -> Floats:
    """Log posterior density, but for a constant, of scores and the rest of a run (points,).

    Args:
        points: scores of the active parameters, then the rest in units of independent normals
            (points, a + figures).
    """
    active = len(emulator.active)
    scores, rest = points[:, :active], points[:, active:]
    sizes, directions = np.linalg.eigh(emulator.covariance)  # two figures may be one of the model's
    root = directions * np.sqrt(np.maximum(sizes, 0.0))
    predicted = emulator.mean(scores) + rest @ root.T
    logs = log_weights(observations, predicted).sum(axis=1)
    return np.asarray(logs - 0.5 * (points**2).sum(axis=1))


def emcee_chain(
    emulator: Emulator, observations: Sequence[Observation], seed: int, steps: int
) -> Found:
    """An emulator's posterior by emcee's walkers, the rest of a run being latent.

    Its errors are those of the chain alone, from its autocorrelation; it makes no run.
    """
    emcee = optional("emcee")
    luck = np.random.RandomState(seed)  # emcee takes no Generator
    size = len(emulator.active) + len(observations)
    sampler = emcee.EnsembleSampler(
        WALKERS, size, partial(log_posterior, emulator, observations), vectorize=True
    )
    sampler.run_mcmc(luck.standard_normal((WALKERS, size)), steps, rstate0=luck.get_state())
    begun = int(steps * BURN_IN)
    chain = sampler.get_chain(discard=begun)[:, :, : len(emulator.active)]
    lengths = emcee.autocorr.integrated_time(chain, quiet=True)
    drawn = chain.reshape(-1, chain.shape[2])
    independent = len(drawn) / lengths
    sd = drawn.std(axis=0)
    return Found(
        drawn.mean(axis=0),
        sd,
        sd / np.sqrt(independent),
        sd / np.sqrt(2.0 * independent),
        float(independent.min()),
        0,
    )


def log_kernel(observations: Sequence[Observation], predicted: Floats) -> float:
    """Log of the figures' mean likelihood over runs with the same parameters (runs, figures)."""
    logs = log_weights(observations, predicted).sum(axis=1)
    return float(logsumexp(logs) - np.log(len(logs)))


def highest(observations: Sequence[Observation]) -> float:
    """Most that ``log_kernel`` can be: each value hit, each bound sure."""
    values = [item for item in observations if item.kind in (Kind.EXACT, Kind.ABOUT)]
    return float(sum(-np.log(item.sd * np.sqrt(2.0 * np.pi)) for item in values))


def pyabc_smc(
    short: ShortRuns,
    names: Sequence[str],
    *,
    seed: int,
    first: int,
    particles: int,
    populations: int,
    replicates: int = 1,
) -> Found:
    """pyABC's sequential Monte Carlo on the model itself, exact by its stochastic acceptor.

    A run is accepted with the probability L / max L at the last temperature, 1; bounds are a part
    of L as values are. Each run has a number of its own, so the luck of none is chosen.

    Args:
        first: number of the first run; all other parameters and the luck follow from it.
        particles: accepted in each population.
        populations: the temperature falls to 1 in the last.
        replicates: runs for each point, whose likelihoods are averaged.
    """
    pyabc = optional("pyabc")
    logging.getLogger("ABC").setLevel(logging.WARNING)
    np.random.seed(seed)  # noqa: NPY002 - pyABC draws from numpy's global state
    runs = count(first)
    keys = [f"z{place}" for place in range(len(names))]

    def model(point: dict[str, float]) -> dict[str, Floats]:
        scores = np.array([point[key] for key in keys])
        made = [short.figures(next(runs), names, scores) for _ in range(replicates)]
        return {"figures": np.array(made)}

    def kernel(x: dict[str, Floats], **_: object) -> float:
        return log_kernel(short.observations, x["figures"])

    smc = pyabc.ABCSMC(
        model,
        pyabc.Distribution(**{key: pyabc.RV("norm", 0.0, 1.0) for key in keys}),
        pyabc.FunctionKernel(
            kernel, ret_scale=pyabc.distance.SCALE_LOG, pdf_max=highest(short.observations)
        ),
        population_size=particles,
        eps=pyabc.Temperature() if populations > 1 else pyabc.ListTemperature([1.0]),
        acceptor=pyabc.StochasticAcceptor(pdf_norm_method=pyabc.pdf_norm_from_kernel),
        sampler=pyabc.SingleCoreSampler(),
    )
    with TemporaryDirectory() as folder:
        smc.new(
            f"sqlite:///{folder}/abc.db",
            {"figures": np.log([item.value for item in short.observations])},
        )
        history = smc.run(max_nr_populations=populations)
        table, weights = history.get_distribution()
    return weighted(table[keys].to_numpy(), np.asarray(weights), next(runs) - first)
