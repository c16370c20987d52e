"""Whatever is changed in a file, the answer is a message or a valid scenario, and never a crash."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.errors import MAX_PROBLEMS, InputError
from sim.runner import Runner
from sim.scenario import read_scenario

HERE = Path(__file__).parent
DISTRICT = HERE.parent / "small_district"
SETTINGS = settings(max_examples=80, derandomize=True, deadline=5000, database=None)

ODD = [None, True, 0, -1, 0.5, 1e300, float("nan"), float("inf"), 10**400, "", "ten", "2024-13"]
ODD += ["2199-12", "elsewhere", "all", [], {}, ["x"], {"value": 1}, {"x": [{}]}, "x" * 9999]


def texts() -> dict[str, str]:
    """The small district, with levers, shocks and all else that a scenario may hold."""
    found = {kind: (DISTRICT / f"{kind}.yaml").read_text("utf-8") for kind in ("plan", "economy")}
    scenario = (HERE / "scenario" / "lever_is_true.yaml").read_text("utf-8")
    found["scenario"] = scenario.replace("value: true", "value: 2").replace(
        "../../small_district/", ""
    )
    return found


TEXTS = texts()
DATA = {kind: yaml.load(text, yaml.CSafeLoader) for kind, text in TEXTS.items()}


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value in a file."""
    items = node.items() if isinstance(node, dict) else ()
    items = enumerate(node) if isinstance(node, list) else items
    for key, value in items:
        yield (*path, key)
        yield from places(value, (*path, key))


def change(data: Any, where: int, how: str, value: Any) -> None:
    """Set, drop or rename one value somewhere in a file."""
    known = list(places(data))
    path = known[where % len(known)]
    for part in path[:-1]:
        data = data[part]
    old = data.pop(path[-1]) if how != "set" else None
    if how == "set":
        data[path[-1]] = value
    elif how == "rename" and isinstance(data, dict):
        data[f"{path[-1]}s"] = old


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("changed")


def answer(folder: Path, changed: str, text: str) -> None:
    """Read the district with one file changed; only an InputError may come out."""
    for kind in TEXTS:
        content = text if kind == changed else TEXTS[kind]
        (folder / f"{kind}.yaml").write_text(content, encoding="utf-8", newline="")
    try:
        Runner(read_scenario(folder / "scenario.yaml"), seed=0)
    except InputError as error:
        lines = str(error).splitlines()
        assert str(folder) in lines[0]
        assert len(lines) <= MAX_PROBLEMS + 1


def test_the_unchanged_district_is_valid(folder: Path) -> None:
    for kind, text in TEXTS.items():
        (folder / f"{kind}.yaml").write_text(text, encoding="utf-8")
    Runner(read_scenario(folder / "scenario.yaml"), seed=0)


changes = st.tuples(
    st.integers(0, 10_000), st.sampled_from(["set", "drop", "rename"]), st.sampled_from(ODD)
)


@SETTINGS
@given(kind=st.sampled_from(sorted(TEXTS)), steps=st.lists(changes, min_size=1, max_size=3))
def test_a_changed_value_never_crashes(
    folder: Path, kind: str, steps: list[tuple[int, str, Any]]
) -> None:
    data = copy.deepcopy(DATA[kind])
    for step in steps:
        change(data, *step)
    answer(folder, kind, yaml.dump(data, Dumper=yaml.CSafeDumper, allow_unicode=True))


@SETTINGS
@given(
    kind=st.sampled_from(sorted(TEXTS)),
    where=st.integers(0, 100_000),
    dropped=st.integers(0, 30),
    added=st.text("{}[]:,'\"&*!#|>-?%@\t\n~ aé：\x00\x85\u2028", max_size=4),
)
def test_changed_text_never_crashes(
    folder: Path, kind: str, where: int, dropped: int, added: str
) -> None:
    text = TEXTS[kind]
    where %= len(text)
    answer(folder, kind, text[:where] + added + text[where + dropped :])
