"""A file of fitted draws: how it is read, refused, and used by the runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sim.analysis.forecast import forecast
from sim.errors import InputError, PathError, PosteriorError
from sim.posterior import Head, posterior_text, read_posterior
from sim.runner import Runner
from sim.scenario import changed, read_scenario, with_priors
from sim.seal import HEAD, seal, unseal

DRAWS = 150
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, small: Runner) -> Write:
    """Writes a posterior of two of the small district's parameters, its text changed by a function;
    ``sealed``: and its checksum with it, as if it had been made so."""
    priors = small.parameters.prior_texts()
    labels = tuple(sorted(priors)[:2])

    def posterior(change: Callable[[str], str] = lambda text: text, sealed: bool = False) -> Path:
        rows = [small.parameters.labels.index(label) for label in labels]
        entries = [small.parameters.entries[row] for row in rows]
        low, high = (
            np.array([getattr(e.parameter, end) for e in entries]) for end in ("low", "high")
        )
        share = np.linspace(0.3, 0.4, DRAWS)[:, None]
        head = Head(
            format=2,
            economy=small.inputs.economy.id,
            until="2025-06",
            figures=["one"],
            method="by hand",
            seed=1,
            runs=100,
            effective_draws=100,
            draws=DRAWS,
            made_with="0",
            priors={label: priors[label] for label in labels},
        )
        file = tmp_path / "posterior.csv"
        text = posterior_text(head, labels, low + (high - low) * share)
        text = seal(change(unseal(text, HEAD)), HEAD) if sealed else change(text)
        file.write_bytes(text.encode())
        return file

    return posterior


def with_posterior(variant: Write, scenario: Path, file: Path) -> Path:
    return variant(scenario, economy=lambda data: data.update(posterior=str(file)))


def test_runs_draw_rows_of_the_posterior_and_the_rest_from_priors(
    write: Write, variant: Write, small_scenario: Path, small: Runner
) -> None:
    runner = Runner(read_scenario(with_posterior(variant, small_scenario, write())), seed=1)
    posterior = runner.inputs.posterior
    assert posterior is not None
    fitted = [runner.parameters.labels.index(label) for label in posterior.labels]
    others = np.setdiff1d(np.arange(len(runner.parameters.labels)), fitted)
    seen = set()
    for run in range(60):
        values, before = runner.parameters_of(run), small.parameters_of(run)
        row = np.flatnonzero((posterior.draws == values[fitted]).all(axis=1))
        assert len(row) == 1
        seen.add(int(row[0]))
        np.testing.assert_array_equal(values[others], before[others])
    assert len(seen) > 40
    ignored = Runner(with_priors(runner.inputs), seed=1)
    np.testing.assert_array_equal(ignored.parameters_of(3), small.parameters_of(3))


def test_a_scenario_holds_a_fitted_parameter_at_its_value(
    write: Write, variant: Write, small_scenario: Path
) -> None:
    inputs = read_scenario(with_posterior(variant, small_scenario, write()))
    assert inputs.posterior is not None
    label = inputs.posterior.labels[0]
    runner = Runner(changed(inputs, parameters={label: 0.123}), seed=1)
    assert runner.parameters_of(5)[runner.parameters.labels.index(label)] == 0.123


def test_a_forecast_keeps_the_posterior_and_can_be_made_again_from_its_inputs(
    write: Write, variant: Write, small_scenario: Path, tmp_path: Path
) -> None:
    inputs = read_scenario(with_posterior(variant, small_scenario, write()))
    first = forecast(inputs, runs=25, seed=3, out=tmp_path / "out")
    kept = read_scenario(tmp_path / "out" / "inputs" / "scenario.yaml")
    assert kept.posterior is not None
    again = forecast(kept, runs=25, seed=3, out=tmp_path / "again")
    assert first.results.equals(again.results)
    with pytest.raises(InputError, match="its posterior file has changed since"):
        forecast(with_priors(inputs), runs=25, seed=3, out=tmp_path / "out")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.replace("# until: 2025-06", "# until: summer"), "line 4, field until"),
        (lambda t: t.replace("# method:", "# methd:"), "methd"),
        (lambda t: "\n".join(t.splitlines()[:60]) + "\n", "draws; allowed: at least 100"),
        (lambda t: t + "1,2,3\n", "found 3 numbers for 2 column"),
        (lambda t: t + "1,many\n", "found 'many'; a number is needed"),
        (lambda t: t + "1,nan\n", "a finite number is needed"),
        (lambda t: "\n".join(ln for ln in t.splitlines() if ln.startswith("#")), "no draws below"),
        (lambda t: "a,b\n1,2\n", "is empty"),
    ],
)
def test_a_wrong_file_is_refused(write: Write, change: Callable[[str], str], message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        read_posterior(write(change))


def digit(text: str) -> str:
    """Another digit in a draw of the middle."""
    lines = text.splitlines()
    place = len(lines) - DRAWS // 2
    lines[place] = lines[place][:-1] + str(9 - int(lines[place][-1]))
    return "\n".join(lines) + "\n"


MORE = "take the file as pudong calibrate left it, or make it again with that command"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: "\n".join(t.splitlines()[:-20]) + "\n", "holds 130 draws, and its head says 1"),
        (lambda t: t + t.splitlines()[-1] + "\n", "holds 151 draws, and its head says 150"),
        (lambda t: t[:-2], "was changed or cut since it was written"),
        (digit, "was changed or cut since it was written"),
        (lambda t: t.replace("# until: 2025-06", "# until: 2025-05"), "was changed or cut since"),
        (lambda t: t.replace("# - one", "# - One"), "was changed or cut since it was written"),
        (lambda t: re.sub("# checksum: .*\n", "", t), "has no checksum in its second line"),
        (lambda t: t.replace("# format: 2", "# format: 1"), "found 1, which an earlier version"),
    ],
)
def test_what_was_cut_or_changed_is_refused(
    write: Write, change: Callable[[str], str], message: str
) -> None:
    file = write(change)
    with pytest.raises(PosteriorError, match=f"^{re.escape(str(file))}.*{message}.*; {MORE}$"):
        read_posterior(file)


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.replace("\n", "\r\n"),
        lambda t: "\ufeff" + t,
        lambda t: "\ufeff" + t.replace("\n", "\r\n"),
        lambda t: t.removesuffix("\n"),
    ],
)
def test_line_ends_of_another_system_and_a_byte_order_mark_are_no_change(
    write: Write, change: Callable[[str], str]
) -> None:
    whole, _ = read_posterior(write())
    found, _ = read_posterior(write(change))
    assert found.head == whole.head
    assert np.array_equal(found.draws, whole.draws)


def test_columns_and_priors_of_the_head_must_agree(write: Write) -> None:
    with pytest.raises(PosteriorError, match="unknown parameter 'other'"):
        read_posterior(write(lambda text: re.sub(r"(?m)^[a-z_.]+,", "other,", text, count=1)))


def test_a_posterior_of_other_priors_is_refused(
    write: Write, variant: Write, small_scenario: Path
) -> None:
    file = write(
        lambda text: re.sub(r"(?m)^(#   [a-z_.]+: .*)$", r"\g<1>000", text, count=1), sealed=True
    )
    inputs = read_scenario(with_posterior(variant, small_scenario, file))
    with pytest.raises(PosteriorError, match=r"was fitted to the prior .*; the economy has .*anew"):
        Runner(inputs, seed=1)


def test_draws_outside_the_range_are_refused(
    write: Write, variant: Write, small_scenario: Path
) -> None:
    file = write(lambda text: re.sub(r"[^\n]+\n$", "1e9,1e9\n", text), sealed=True)
    inputs = read_scenario(with_posterior(variant, small_scenario, file))
    with pytest.raises(PosteriorError, match=r"found 1,000,000,000; allowed: "):
        Runner(inputs, seed=1)


def test_a_missing_posterior_is_named_where_the_economy_names_it(
    variant: Write, small_scenario: Path, tmp_path: Path
) -> None:
    scenario = with_posterior(variant, small_scenario, tmp_path / "none.csv")
    with pytest.raises(
        InputError, match=r"economy.yaml, line \d+, field posterior: .*no such file"
    ):
        read_scenario(scenario)
    with pytest.raises(PathError, match="no such file"):
        read_posterior(tmp_path / "none.csv")
