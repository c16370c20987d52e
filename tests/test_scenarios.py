"""The scenario library, and plans that end in another month."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sim import months
from sim.errors import ScenarioError
from sim.files import kind_of, read_yaml
from sim.runner import Runner
from sim.scenario import read_scenario

FOLDER = Path(__file__).parents[1] / "scenarios"
LIBRARY = [path for path in sorted(FOLDER.glob("*.yaml")) if kind_of(read_yaml(path)) == "scenario"]


def test_the_library_asks_a_dozen_questions_each_under_its_own_name() -> None:
    scenarios = [read_scenario(path).scenario for path in LIBRARY]
    assert len(scenarios) > 12
    for path, scenario in zip(LIBRARY, scenarios, strict=True):
        assert scenario.id == path.stem.replace("-", "_")
        assert scenario.question.zh.endswith("？")
        assert scenario.question.en.endswith("?")
    assert len({scenario.name.zh for scenario in scenarios}) == len(scenarios)


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: path.stem)
def test_each_scenario_changes_the_baseline(path: Path, real: Runner) -> None:
    inputs = read_scenario(path)
    if inputs.scenario.id == real.inputs.scenario.id:
        return
    same = real.run(0)
    other = Runner(inputs, seed=1).run(0)
    assert other.series.shape != same.series.shape or not np.array_equal(other.series, same.series)


def test_a_plan_that_ends_later_takes_its_targets_along(
    variant: Callable[..., Path], small_scenario: Path, small: Runner
) -> None:
    end = months.after(small.inputs.plan.end, 6)
    longer = read_scenario(variant(small_scenario, scenario=lambda data: data.update(plan_end=end)))
    due = {target.deadline for target in longer.plan.targets}
    kept = {t.deadline for t in small.inputs.plan.targets if t.deadline != small.inputs.plan.end}
    assert (longer.plan.end, due) == (end, {end} | kept)
    run = Runner(longer, seed=1).run(0)
    same = small.run(0)
    assert len(run.series) == len(same.series) + 6
    np.testing.assert_array_equal(run.series[: len(same.series)], same.series)
    for wrong in (small.inputs.plan.start, months.after(small.inputs.plan.start, 700)):
        change = variant(small_scenario, scenario=lambda data, end=wrong: data.update(plan_end=end))
        with pytest.raises(ScenarioError, match=r"field plan_end: found .*; allowed: after"):
            read_scenario(change)
