"""Variants evaluated run by run: the same as single runs, made once, whatever stops them."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

import sim.analysis.evaluation
import sim.analysis.kept
from sim import months
from sim.analysis.effects import with_lever
from sim.analysis.evaluation import RUNS_PER_TASK, Evaluator, Outcomes
from sim.analysis.forecast import forecast
from sim.analysis.probability import base_values
from sim.economy import Lever
from sim.errors import RunError
from sim.plan import ALL_TARGETS, DISTRICT
from sim.posterior import Head, Posterior
from sim.runner import Runner
from sim.scenario import Inputs, changed
from sim.zones import ITEMS

RUNS, SEED = 24, 1


@pytest.fixture(scope="module")
def variants(small: Runner) -> list[Inputs]:
    """As it is, and with the talent subsidy at its upper bound."""
    high = small.inputs.economy.levers[Lever.TALENT_SUBSIDY].high
    return [small.inputs, with_lever(small.inputs, Lever.TALENT_SUBSIDY, high)]


@pytest.fixture(scope="module")
def whole(variants: list[Inputs]) -> Outcomes:
    """What one go in this process gives."""
    with Evaluator(SEED) as evaluator:
        return evaluator.evaluate(variants, RUNS)


def evaluated(
    variants: Sequence[Inputs], runs: int | range, out: Path, workers: int = 1, seed: int = SEED
) -> tuple[Outcomes, int]:
    """The outcomes, and how many runs were made for them."""
    done: list[int] = []
    with Evaluator(seed, out, workers, lambda now, total: done.append(now)) as evaluator:
        outcomes = evaluator.evaluate(variants, runs)
    return outcomes, done[-1] - done[0]


def kept(out: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (out / "evaluations").glob("*.parquet")}


def stop_at(runs: int) -> Callable[[int, int], None]:
    def progress(done: int, total: int) -> None:
        if done >= runs:
            raise KeyboardInterrupt

    return progress


# What the numbers are


def test_an_outcome_is_that_of_the_run_itself_to_the_bit(
    variants: list[Inputs], whole: Outcomes
) -> None:
    for n, variant in enumerate(variants):
        runner = Runner(variant, SEED)
        zones = [*runner.blueprint.zones, DISTRICT]
        for run in (0, RUNS - 1):
            outcome = runner.run(run)
            series = outcome.series.reshape(len(outcome.series), -1)
            for target in variant.plan.targets:
                due = months.between(variant.plan.start, target.deadline)
                for zone in zones:
                    name = f"{target.id}.{zone}"
                    value = series[due, runner.series_columns.index(name)]
                    assert whole.column(name)[n, run] == value
            spent = outcome.costs.sum(axis=0)
            for item, by_zone in zip(ITEMS, spent, strict=True):
                for zone, value in zip(runner.blueprint.zones, by_zone, strict=True):
                    assert whole.column(f"cost.{item}.{zone}")[n, run] == value
            total = whole.column(f"cost.total.{DISTRICT}")[n, run]
            assert total == pytest.approx(outcome.costs.sum(), rel=1e-12)


def test_the_goals_are_met_in_the_runs_in_which_a_forecast_meets_them(
    variants: list[Inputs], whole: Outcomes, tmp_path: Path
) -> None:
    met = whole.met()
    for n, variant in enumerate(variants):
        answer = forecast(variant, runs=RUNS, seed=SEED, out=tmp_path / str(n))
        rows = answer.results.set_index(["target", "zone"])["probability"]
        assert len(rows) == len(whole.goals)
        for goal, share in zip(whole.goals, met[n].mean(axis=0), strict=True):
            assert rows[tuple(goal.split("."))] == share
    assert 0 < met.mean() < 1


def test_a_zone_without_a_part_in_a_variant_has_nothing_to_reach_there(small: Runner) -> None:
    target = next(t for t in small.inputs.plan.targets if not t.quantity.whole)
    base = base_values(small.blueprint, target)
    shares = dict(zip(small.blueprint.zones, (base / base.sum()).tolist(), strict=True))
    gone, *others = shares
    rest = sum(shares[zone] for zone in others)
    without = {gone: 0.0} | {zone: shares[zone] / rest for zone in others}
    with Evaluator(SEED) as evaluator:
        outcomes = evaluator.evaluate(
            [changed(small.inputs, target_shares={target.id: s}) for s in (shares, without)], 4
        )
    limits = outcomes.thresholds[:, outcomes.columns.index(f"{target.id}.{gone}")]
    assert limits[0] > 0
    assert np.isnan(limits[1])
    assert outcomes.met()[1, :, outcomes.goals.index(f"{target.id}.{gone}")].all()
    assert f"{ALL_TARGETS}.{gone}" in outcomes.goals


def test_held_parameters_are_those_of_the_runs(small: Runner) -> None:
    values = small.parameters_of(3)
    held = dict(zip(small.parameters.labels, map(float, values), strict=True))
    with Evaluator(SEED) as evaluator:
        outcomes = evaluator.evaluate([small.inputs, changed(small.inputs, parameters=held)], 5)
    same = (outcomes.values[0] == outcomes.values[1]).all(axis=1)
    assert same[3]
    assert not same.all()


# Made once


def test_two_workers_give_what_one_process_gives(
    variants: list[Inputs], whole: Outcomes, tmp_path: Path
) -> None:
    outcomes, made = evaluated(variants, RUNS, tmp_path, workers=2)
    assert made == 2 * RUNS
    assert np.array_equal(outcomes.values, whole.values)


def test_what_was_asked_before_is_not_made_again(
    variants: list[Inputs], whole: Outcomes, tmp_path: Path
) -> None:
    assert evaluated(variants[:1], 10, tmp_path)[1] == 10
    assert evaluated(variants[:1], range(16, 20), tmp_path)[1] == 4
    outcomes, made = evaluated(variants, RUNS, tmp_path)
    assert made == 2 * RUNS - 14
    assert np.array_equal(outcomes.values, whole.values)
    files = kept(tmp_path)
    outcomes, made = evaluated(variants[::-1], range(5, 18), tmp_path)
    assert made == 0
    assert np.array_equal(outcomes.values, whole.values[::-1, 5:18])
    assert kept(tmp_path) == files


def test_each_run_may_need_other_variants(variants: list[Inputs], whole: Outcomes) -> None:
    needed = np.zeros((2, RUNS), dtype=bool)
    needed[0, 3:5] = needed[1, 20] = True
    done: list[tuple[int, int]] = []
    with Evaluator(SEED, on_progress=lambda *now: done.append(now)) as evaluator:
        outcomes = evaluator.evaluate(variants, RUNS, needed)
    assert done[0] == (0, 3)
    assert done[-1] == (3, 3)
    assert np.array_equal(outcomes.values[needed], whole.values[needed])
    assert np.isnan(outcomes.values[~needed]).all()


def test_equal_variants_are_made_once_whatever_their_name(
    variants: list[Inputs], tmp_path: Path
) -> None:
    named = changed(variants[0], id="other_name")
    outcomes, made = evaluated([variants[0], variants[1], named], 6, tmp_path)
    assert made == 12
    assert np.array_equal(outcomes.values[0], outcomes.values[2])


def test_another_seed_or_posterior_is_another_run(
    small: Runner, variants: list[Inputs], tmp_path: Path
) -> None:
    label, text = next(iter(small.parameters.prior_texts().items()))
    parameter = small.parameters.entries[small.parameters.labels.index(label)].parameter
    posteriors = [
        Posterior(Head.model_construct(priors={label: text}), (label,), np.full((100, 1), value))
        for value in (parameter.low, parameter.high)
    ]
    fitted = [
        Inputs(x.scenario, x.plan, x.economy, x.sources | {"posterior": x.sources["economy"]}, p)
        for x in variants[:1]
        for p in posteriors
    ]
    assert evaluated(variants[:1], 5, tmp_path)[1] == 5
    assert evaluated(variants[:1], 5, tmp_path, seed=2)[1] == 5
    assert evaluated([*variants[:1], *fitted], 5, tmp_path)[1] == 10


def test_many_variants_of_few_runs_share_a_file(small: Runner, tmp_path: Path) -> None:
    label = next(iter(small.parameters.prior_texts()))
    value = float(small.parameters.central()[small.parameters.labels.index(label)])
    many = [changed(small.inputs, parameters={label: value * (1 + n / 1e6)}) for n in range(30)]
    outcomes, made = evaluated(many, 1, tmp_path)
    assert made == 30
    assert len(kept(tmp_path)) == 30 / RUNS_PER_TASK
    again, made = evaluated(many, 1, tmp_path)
    assert made == 0
    assert np.array_equal(again.values, outcomes.values)


# Whatever stops it


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupted_evaluation_goes_on_from_what_is_kept(
    variants: list[Inputs], whole: Outcomes, tmp_path: Path, workers: int
) -> None:
    with (
        pytest.raises(KeyboardInterrupt),
        Evaluator(SEED, tmp_path, workers, stop_at(RUNS_PER_TASK)) as evaluator,
    ):
        evaluator.evaluate(variants, RUNS)
    for worker in multiprocessing.active_children():
        worker.join(timeout=10)
        assert not worker.is_alive()
    files = kept(tmp_path)
    assert len(files) == 1
    outcomes, made = evaluated(variants, RUNS, tmp_path, workers)
    assert made == 2 * RUNS - RUNS_PER_TASK
    assert np.array_equal(outcomes.values, whole.values)
    assert files.items() <= kept(tmp_path).items()


def test_a_killed_worker_costs_no_run(
    variants: list[Inputs], whole: Outcomes, tmp_path: Path
) -> None:
    killed: list[int] = []

    def kill_one(done: int, total: int) -> None:
        if done and not killed:
            killed.append(multiprocessing.active_children()[0].pid)
            os.kill(killed[0], signal.SIGKILL)

    with Evaluator(SEED, tmp_path, 2, kill_one) as evaluator:
        outcomes = evaluator.evaluate(variants, RUNS)
        more = evaluator.evaluate(variants, range(RUNS, RUNS + 2))
    assert killed
    assert np.array_equal(outcomes.values, whole.values)
    assert more.values.shape[1] == 2


def flip_a_byte(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:50])


def rename(file: Path) -> None:
    file.rename(file.with_name("0" * 32 + ".parquet"))


@pytest.mark.parametrize("damage", [flip_a_byte, cut_short, rename], ids=lambda d: d.__name__)
def test_a_damaged_file_is_noticed_and_its_runs_are_made_again(
    variants: list[Inputs], whole: Outcomes, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    evaluated(variants, RUNS, tmp_path)
    files = kept(tmp_path)
    damage(tmp_path / "evaluations" / min(files))
    outcomes, made = evaluated(variants, RUNS, tmp_path)
    assert 0 < made <= RUNS_PER_TASK
    assert np.array_equal(outcomes.values, whole.values)
    assert kept(tmp_path) == files


def test_a_full_disk_is_said_and_leaves_nothing_half_written(
    variants: list[Inputs], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluated(variants, 4, tmp_path)
    files = kept(tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(RunError, match=r"disk is full.*8 runs are kept"):
        evaluated(variants, 8, tmp_path)
    assert kept(tmp_path) == files
    assert not list((tmp_path / "evaluations").glob(".*.part"))


# Refused


def test_two_processes_cannot_evaluate_into_one_directory(
    variants: list[Inputs], tmp_path: Path
) -> None:
    with (
        Evaluator(SEED, tmp_path),
        pytest.raises(RunError, match="another process is writing there"),
        Evaluator(SEED, tmp_path),
    ):
        pass
    assert evaluated(variants, 1, tmp_path)[1] == 2


def test_another_program_s_runs_are_refused_and_left_alone(
    variants: list[Inputs], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluated(variants, 2, tmp_path)
    files = kept(tmp_path)
    monkeypatch.setattr(sim.analysis.kept, "code_sha256", lambda: "other")
    with pytest.raises(RunError, match=r"another version of the program \(other code\)"):
        evaluated(variants, 2, tmp_path)
    assert kept(tmp_path) == files


@pytest.mark.parametrize("text", ["[1, 2]", "{", '{"format": 1}'])
def test_a_damaged_manifest_is_refused(variants: list[Inputs], tmp_path: Path, text: str) -> None:
    (tmp_path / "evaluations").mkdir()
    (tmp_path / "evaluations" / "manifest.json").write_text(text)
    with pytest.raises(RunError, match="is damaged or not this program's"):
        evaluated(variants, 1, tmp_path)


def test_other_files_are_refused_and_left_alone(variants: list[Inputs], tmp_path: Path) -> None:
    (tmp_path / "evaluations").mkdir()
    (tmp_path / "evaluations" / "thesis.txt").write_text("years of work")
    with pytest.raises(RunError, match=r"holds other files \(thesis\.txt\)"):
        evaluated(variants, 1, tmp_path)
    assert [file.name for file in tmp_path.rglob("*")] == ["evaluations", "thesis.txt"]


def test_plans_are_not_mixed(real: Runner, small: Runner) -> None:
    with Evaluator(SEED) as evaluator, pytest.raises(RunError, match="different plans"):
        evaluator.evaluate([real.inputs, small.inputs], 1)
