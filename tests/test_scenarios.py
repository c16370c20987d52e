"""The scenario library, and plans that end in another month."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from sim import months
from sim.errors import MAX_MEANT, MAX_PROBLEMS, FileError, ScenarioError
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


TWO_THOUSAND = range(2000)


def small(tmp_path: Path, **fields: object) -> Path:
    """The small district's scenario with other fields, beside its plan and economy."""
    for file in (Path(__file__).parent / "small_district").glob("*.yaml"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    path = tmp_path / "scenario.yaml"
    held = read_yaml(path).data
    path.write_text(yaml.safe_dump(held | fields, allow_unicode=True), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("fields", "first", "more"),
    [
        ({"parameters": {f"talent.attritio{n}": 0.1 for n in TWO_THOUSAND}}, "did you mean", 1990),
        ({"priorities": {f"name_{n}": 1 for n in TWO_THOUSAND}}, "unknown measure", 1990),
        ({"levers": [{"lever": f"rent{n}", "value": 1} for n in TWO_THOUSAND]}, "levers[0]", 1990),
        ({"levers": [{"levr": f"x{n}", "value": 1} for n in TWO_THOUSAND]}, "'lever'", 1900),
        ({f"field_{n}": 1 for n in range(1900)}, "unknown field", 1890),
    ],
    ids=["parameters", "priorities", "levers", "fields of levers", "fields"],
)
def test_thousands_of_problems_are_counted_and_ten_are_said(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fields: dict[str, object],
    first: str,
    more: int,
) -> None:
    """The nearest known name is looked for where it is said, which is what takes long."""
    searched = []
    real = difflib.get_close_matches

    def counted(word: str, *rest: Any, **options: Any) -> list[str]:
        searched.append(word)
        return real(word, *rest, **options)

    monkeypatch.setattr(difflib, "get_close_matches", counted)
    with pytest.raises(ScenarioError) as refused:
        read_scenario(small(tmp_path, **fields))
    lines = str(refused.value).splitlines()
    assert len(lines) == 11
    assert first in lines[0]
    assert int(lines[-1].split()[2]) >= more
    assert len(searched) <= MAX_MEANT + MAX_PROBLEMS


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"levers": [{"lever": "rent_relief", "value": 0}] * 2001}, "field levers"),
        ({"parameters": {f"p{n}": 1 for n in range(2001)}}, "field parameters"),
        ({"levers": [{"lever": "rent_relief", "value": 0, "zones": ["a"] * 2001}]}, "[0].zones"),
    ],
)
def test_a_list_has_a_limit(tmp_path: Path, fields: dict[str, object], place: str) -> None:
    with pytest.raises(FileError, match=r"holds 2,001 entries; allowed: at most 2,000") as refused:
        read_scenario(small(tmp_path, **fields))
    assert place in str(refused.value)


def test_a_name_has_a_limit(tmp_path: Path) -> None:
    path = small(tmp_path, name={"zh": "长" * 201, "en": "short"})
    with pytest.raises(ScenarioError, match=r"name.zh: found 201 characters; allowed: at most 200"):
        read_scenario(path)
