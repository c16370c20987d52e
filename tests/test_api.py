"""The public interface is what docs/api.md says it is, no more and no less."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import sim
from sim import InputError, read_scenario, what_if

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
CALLS = dict(re.findall(r"^\| `(?:sim\.)?(\w+)(\(.*?\))?` \|", PAGE, re.MULTILINE))
NAME = {"zh": "试", "en": "A try"}


def test_the_page_lists_every_public_name_and_no_other() -> None:
    assert sorted(CALLS) == sorted(sim.__all__)


@pytest.mark.parametrize("name", [name for name, call in CALLS.items() if call])
def test_the_page_shows_what_a_function_takes(name: str) -> None:
    found = inspect.signature(getattr(sim, name)).parameters.values()
    real = [one.name if one.kind != one.VAR_KEYWORD else f"**{one.name}" for one in found]
    keyword = [one.name for one in found if one.kind == one.KEYWORD_ONLY]
    if keyword:
        real.insert(real.index(keyword[0]), "*")
    shown = [part.strip().split("=")[0] for part in CALLS[name].strip("()").split(",")]
    assert [part for part in shown if part] == real


def test_the_examples_of_the_page_are_python_that_names_what_there_is() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    imported = {
        alias.name
        for node in ast.walk(ast.parse(example))
        if isinstance(node, ast.ImportFrom) and node.module == "sim"
        for alias in node.names
    }
    assert imported == set(sim.__all__) - {"__version__"}


@pytest.mark.parametrize("module", ["sim", "sim.cli"])
def test_importing_the_package_or_the_command_loads_no_library(module: str) -> None:
    heavy = {"numpy", "pandas", "mesa", "pyarrow", "matplotlib", "pydantic", "rich"}
    code = f"import sys, {module}; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_a_what_if_is_the_base_and_something_more(small_scenario: Path) -> None:
    base = read_scenario(small_scenario)
    lever = {"lever": "talent_subsidy", "value": 2, "start": base.plan.end}
    once = what_if(base, "once", NAME, levers=[lever])
    twice = what_if(once, "twice", NAME, levers=[lever], priorities={base.plan.measures[0].id: 1})
    assert [len(inputs.scenario.levers) for inputs in (base, once, twice)] == [0, 1, 2]
    assert twice.scenario.priorities == {base.plan.measures[0].id: 1}
    assert (once.plan, once.economy) == (base.plan, base.economy)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"levers": [{"lever": "talent_subsidi", "value": 2}]}, "did you mean 'talent_subsidy'"),
        ({"levers": [{"lever": "talent_subsidy", "value": -1}]}, "found -1; allowed: 0 to"),
        ({"priorities": {"nothing": 1}}, "priorities"),
        ({"wishes": {"rain": 1}}, "wishes"),
    ],
)
def test_a_what_if_that_cannot_be_is_refused(
    small_scenario: Path, fields: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        what_if(read_scenario(small_scenario), "wrong", NAME, **fields)  # type: ignore[arg-type]
