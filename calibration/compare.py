"""Methods of calibration side by side: what each finds, how sure it is of it, and what it takes.

``python -m calibration.compare`` prints the tables of docs/decisions/0007-calibration.md. pyABC and
emcee are no part of the project: ``pip install pyabc emcee`` beside it, or they are left out.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np
from scipy.special import ndtri
from scipy.stats import kurtosis, skew
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from calibration import BASELINE, OBSERVATIONS, CalibrationError
from calibration.calibrate import FEWEST_RUNS
from calibration.design import Design
from calibration.emulator import Emulator, emulate
from calibration.fit import Candidates, candidates
from calibration.rivals import (
    Draw,
    Found,
    GaussianProcess,
    NotInstalled,
    ShortRuns,
    emcee_chain,
    importance,
    learnt_kernels,
    model_runs,
    pyabc_smc,
    rest_of,
    with_response,
    with_rest_resampled,
)
from sim.analysis.observations import Observation, Use, read_observations
from sim.errors import InputError
from sim.runner import Runner
from sim.scenario import read_scenario, with_priors

UNTIL = "2021-12"  # last month that a figure is about
REFERENCE = "model runs, weighted"
SURE = 0.05  # level of a test over all parameters together (Bonferroni)

Method = Callable[[], Found]
T = TypeVar("T")


@dataclass(frozen=True)
class Seconds:
    """Time that something took, on the clock and of all cores."""

    wall: float
    core: float

    def __add__(self, other: Seconds) -> Seconds:
        return Seconds(self.wall + other.wall, self.core + other.core)


@dataclass(frozen=True)
class Row:
    """A method with what it found and took."""

    name: str
    found: Found
    took: Seconds


def timed(work: Callable[[], T]) -> tuple[T, Seconds]:
    """What some work returns, with its time."""
    wall, core = time.perf_counter(), time.process_time()
    found = work()
    return found, Seconds(time.perf_counter() - wall, time.process_time() - core)


def methods_table(rows: Sequence[Row]) -> str:
    """Runs and time of each method, its errors, and how far it lies from weighted runs."""
    against = next(row.found for row in rows if row.name == REFERENCE)
    lines = [
        "| method | runs | core s | wall s | effective draws | error: mean, s.d. "
        "| largest gap: mean, s.d. | in errors |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        found = row.found
        cells = [row.name, f"{found.runs:,}", f"{row.took.core:.0f}", f"{row.took.wall:.0f}"]
        cells += [f"{found.effective:,.0f}"]
        cells += [f"{found.mean_error.mean():.3f}, {found.sd_error.mean():.3f}"]
        pairs = [
            (found.mean - against.mean, np.hypot(found.mean_error, against.mean_error)),
            (found.sd - against.sd, np.hypot(found.sd_error, against.sd_error)),
        ]
        cells += [", ".join(f"{np.abs(gap).max():.2f}" for gap, _ in pairs)]
        cells += [", ".join(f"{np.abs(gap / error).max():.1f}" for gap, error in pairs)]
        if row.name == REFERENCE:
            cells[-2:] = ["–", "–"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def parameters_table(names: Sequence[str], rows: Sequence[Row]) -> str:
    """Posterior mean ± error and (s.d.) of each parameter by each method."""
    lines = [
        "| parameter | " + " | ".join(row.name for row in rows) + " |",
        "|---" * (len(rows) + 1) + "|",
    ]
    for place, name in enumerate(names):
        cells = [
            f"{row.found.mean[place]:+.2f} ± {row.found.mean_error[place]:.2f} "
            f"({row.found.sd[place]:.2f})"
            for row in rows
        ]
        lines.append(f"| `{name}` | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def explained_table(
    observations: Sequence[Observation], emulators: dict[str, Emulator], design: Design
) -> str:
    """Cross-validated R² of each emulator, and the form of the first one's rest."""
    rest = rest_of(next(iter(emulators.values())), design)
    lines = [
        f"| figure | {' | '.join(emulators)} | skewness of the rest | excess kurtosis |",
        "|---" * (len(emulators) + 3) + "|",
    ]
    for place, item in enumerate(observations):
        shares = " | ".join(f"{one.explained[place]:.3f}" for one in emulators.values())
        form = f"{skew(rest[:, place]):+.2f} | {kurtosis(rest[:, place]):+.2f}"
        lines.append(f"| `{item.id}` | {shares} | {form} |")
    return "\n".join(lines)


def overlooked(design: Design, active: Sequence[int], observations: Sequence[Observation]) -> str:
    """Parameters that emulators leave out and weighted runs of the model move."""
    found = model_runs(design, range(len(design.names)), observations)
    errors = np.abs(found.mean) / found.mean_error
    others = [place for place in range(len(design.names)) if place not in active]
    limit = float(ndtri(1.0 - 0.5 * SURE / len(others)))
    words = [
        f"- `{design.names[place]}`: {found.mean[place]:+.2f} ± {found.mean_error[place]:.2f}"
        for place in sorted(others, key=lambda place: -errors[place])
        if errors[place] > limit
    ]
    title = f"Left out by emulators but moved by over {limit:.1f} errors in weighted runs:"
    return "\n".join([title, "", *(words or ["- none"])])


@dataclass(frozen=True)
class Trial:
    """What methods share.

    Attributes:
        used: the figures of the fit.
        design: runs that emulators learn from, and what they took.
        shipped: the emulator of the fit, whose active parameters all methods fit.
        further: other runs, to be weighted, and what they took.
    """

    short: ShortRuns
    used: list[Observation]
    design: Design
    made: Seconds
    shipped: Emulator
    further: Design
    weighing: Seconds


def trial_of(options: argparse.Namespace) -> Trial:
    """Make the runs.

    Raises:
        CalibrationError: too few runs to tell which parameters matter.
    """
    if options.runs < FEWEST_RUNS:
        raise CalibrationError(f"--runs: found {options.runs}; allowed: at least {FEWEST_RUNS}")
    inputs = with_priors(read_scenario(BASELINE))
    figures = read_observations(OBSERVATIONS, inputs, UNTIL)
    used = [item for item in figures if item.use == Use.FIT]
    short = ShortRuns(Runner(inputs, options.seed), used)
    design, made = timed(lambda: short.design(0, options.runs))
    further, weighing = timed(lambda: short.design(options.runs, options.direct))
    return Trial(short, used, design, made, emulate(design), further, weighing)


def responses_of(trial: Trial) -> dict[str, tuple[Any, Seconds]]:
    """Responses of emulators, and what they took before they are fitted."""
    scores = trial.design.scores[:, list(trial.shipped.active)]
    kernels, learnt = timed(lambda: learnt_kernels(scores, trial.design.predicted))
    square = make_pipeline(PolynomialFeatures(2, include_bias=False), LinearRegression())
    return {
        "linear": (LinearRegression(), trial.made),
        "quadratic": (square, trial.made),
        "Gaussian process": (GaussianProcess(kernels), trial.made + learnt),
    }


def methods_of(
    trial: Trial, responses: dict[str, tuple[Any, Seconds]], options: argparse.Namespace
) -> list[tuple[str, Method, Seconds]]:
    """Each method by name, with what it took before it begins."""
    shipped, design, used, seed = trial.shipped, trial.design, trial.used, options.seed

    def normal(response: Any, part: Design, luck: int, size: int) -> Candidates:
        return candidates(with_response(shipped, part, response), luck, size)

    def resampled(part: Design, luck: int, size: int) -> Candidates:
        emulator = with_response(shipped, part, LinearRegression())
        return with_rest_resampled(emulator, part, luck, size)

    def by(draw: Draw) -> Method:
        return partial(importance, design, used, draw, seed)

    def chain() -> Found:
        found = emcee_chain(shipped, used, seed, options.steps)
        return replace(found, runs=len(design.scores) + len(design.again))

    population = partial(
        pyabc_smc,
        trial.short,
        shipped.names,
        seed=seed,
        first=options.runs + options.direct,
        particles=options.particles,
        populations=options.populations,
        replicates=options.replicates,
    )
    return [
        *(
            (f"emulator, {name}", by(partial(normal, response)), before)
            for name, (response, before) in responses.items()
        ),
        ("linear, rest resampled", by(resampled), trial.made),
        ("linear, emcee", chain, trial.made),
        (REFERENCE, lambda: model_runs(trial.further, shipped.active, used), trial.weighing),
        ("pyABC", population, Seconds(0.0, 0.0)),
    ]


def compare(options: argparse.Namespace) -> str:
    """All tables, as Markdown."""
    trial = trial_of(options)
    responses = responses_of(trial)
    rows = []
    for name, method, before in methods_of(trial, responses, options):
        try:
            found, took = timed(method)
        except NotInstalled as missing:
            print(missing, file=sys.stderr)
            continue
        rows.append(Row(name, found, before + took))
        print(f"{name}: {took.wall:.0f} s", file=sys.stderr)
    emulators = {
        name: with_response(trial.shipped, trial.design, response)
        for name, (response, _) in responses.items()
    }
    return "\n\n".join(
        [
            methods_table(rows),
            parameters_table(trial.shipped.names, rows),
            explained_table(trial.used, emulators, trial.design),
            overlooked(trial.further, trial.shipped.active, trial.used),
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; 0, or 2 where the input cannot be used."""
    parser = argparse.ArgumentParser(prog="calibration.compare", description=__doc__)
    add = parser.add_argument
    add("--runs", type=int, default=4_000, help="runs that emulators learn from (default 4000)")
    add("--direct", type=int, default=12_000, help="runs that are weighted (default 12000)")
    add("--particles", type=int, default=500, help="of each population of pyABC (default 500)")
    add("--populations", type=int, default=2, help="of pyABC (default 2)")
    add("--replicates", type=int, default=1, help="runs a point of pyABC (default 1)")
    add("--steps", type=int, default=5_000, help="of each walker of emcee (default 5000)")
    add("--seed", type=int, default=1, help="seed (default 1)")
    options = parser.parse_args(arguments)
    try:
        print(compare(options))
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
