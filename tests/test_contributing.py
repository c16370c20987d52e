"""The five worked examples of CONTRIBUTING.md do what they say, block by block."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")

# The line above a block says where it goes.
PLACE = re.compile(
    r"(?P<how>Write|In|At the end of) (?P<files>`[^`]+`(?: and `[^`]+`)*)"
    r"(?:, (?P<side>before|after) the line that starts with `(?P<anchor>[^`]+)`)?:"
)
BLOCK = re.compile(r"(?P<place>[^\n]*)\n\n```(?:python|yaml)\n(?P<text>.*?)```", re.DOTALL)

# One run of a scenario as tables by month: all indicators, all costs, measures' mean progress.
OBSERVE = """
import sys
import pandas as pd
import sim
from sim import Runner, read_scenario

scenario, out = sys.argv[1:]
runner = Runner(read_scenario(scenario), seed=1)
district = runner.district(run=0)
progress = [district.department_columns.progress.mean(axis=1)]
while district.month < runner.blueprint.horizon:
    district.step()
    progress.append(district.department_columns.progress.mean(axis=1))
outcome, months = district.outcome(), runner.blueprint.months()
series = outcome.series.reshape(len(months), -1)
costs = outcome.costs.reshape(len(months), -1)
pd.to_pickle(
    {
        "code": sim.__file__,
        "series": pd.DataFrame(series, index=months, columns=runner.series_columns),
        "costs": pd.DataFrame(costs, index=months, columns=runner.cost_columns),
        "progress": pd.DataFrame(
            progress, index=months, columns=runner.inputs.plan.measure_ids()
        ),
    },
    out,
)
"""
COMMAND = "from sim.cli import app; app()"


@dataclass(frozen=True)
class Block:
    """A piece of code or data, and where in the project it goes."""

    how: str
    files: tuple[str, ...]
    side: str | None
    anchor: str | None
    text: str

    def apply(self, tree: Path) -> None:
        for name in self.files:
            path = tree / name
            if self.how == "Write":
                assert not path.exists(), f"{name} is there already"
                path.write_text(self.text, encoding="utf-8")
                continue
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            lines.insert(self._position(name, lines), self.text)
            path.write_text("".join(lines), encoding="utf-8")

    def _position(self, name: str, lines: list[str]) -> int:
        if self.anchor is None:
            return len(lines)
        found = [n for n, line in enumerate(lines) if line.lstrip().startswith(self.anchor)]
        assert len(found) == 1, f"{name}: {len(found)} lines start with {self.anchor!r}, not one"
        return found[0] + (self.side == "after")


def blocks(example: int) -> list[Block]:
    """The blocks of the example with that number, in their order."""
    section = re.split(r"^## ", GUIDE, flags=re.MULTILINE)
    chosen = next(text for text in section if text.startswith(f"{example}. "))
    found = []
    for match in BLOCK.finditer(chosen):
        place = PLACE.fullmatch(match["place"])
        assert place, f"a block does not say where it goes: {match['place']!r}"
        assert (place["how"] == "In") == (place["anchor"] is not None), match["place"]
        files = tuple(re.findall(r"`([^`]+)`", place["files"]))
        found.append(Block(place["how"], files, place["side"], place["anchor"], match["text"]))
    assert len(found) == len(re.findall(r"^```\w+$", chosen, re.MULTILINE))
    return found


class Project:
    """A copy of the project's code and data, which examples may change."""

    def __init__(self, tree: Path) -> None:
        self.tree = tree
        for name in ("sim", "scenarios", "tests/small_district"):
            shutil.copytree(ROOT / name, tree / name)  # with what has been compiled
        shutil.copy(ROOT / "pyproject.toml", tree)

    def follow(self, example: int) -> None:
        """Do what the example says; the code that results is as tidy as that of the project."""
        for block in blocks(example):
            block.apply(self.tree)
        changed = {name for block in blocks(example) for name in block.files if ".py" in name}
        if changed:
            for check in (("check",), ("format", "--check")):
                self.python("-m", "ruff", *check, "--no-cache", *sorted(changed))

    def python(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.tree,
            env=os.environ | {"PYTHONPATH": str(self.tree), "PYTHONUTF8": "1", "COLUMNS": "200"},
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def validate(self, *scenarios: str) -> None:
        printed = self.python("-c", COMMAND, "validate", *scenarios)
        assert printed.count(": valid") == len(scenarios)

    def run(self, scenario: str) -> Seen:
        out = self.tree / "seen.pickle"
        self.python("-c", OBSERVE, scenario, str(out))
        seen = pd.read_pickle(out)
        assert Path(seen["code"]).is_relative_to(self.tree)
        return Seen(seen["series"], seen["costs"], seen["progress"])


@dataclass(frozen=True)
class Seen:
    """One run: a row a month."""

    series: pd.DataFrame
    costs: pd.DataFrame
    progress: pd.DataFrame

    def spent(self, item: str) -> pd.DataFrame:
        """What a lever cost, by month and zone."""
        return self.costs.filter(regex=rf"^{item}\.")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project")


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """The baseline without any of the examples."""
    return Project(tmp_path_factory.mktemp("plain") / "project").run("scenarios/baseline.yaml")


def assert_moves_from(month: str, before: Seen, after: Seen) -> None:
    """Not a bit differs before the month, and something does in it or later."""
    differs = (before.series != after.series[before.series.columns]).any(axis=1)
    assert differs.any()
    assert differs.idxmax() >= month


def test_a_scenario_is_one_file(project: Project, before: Seen) -> None:
    project.follow(1)
    project.validate("scenarios/lingang-rent.yaml")
    after = project.run("scenarios/lingang-rent.yaml")
    assert_moves_from("2022-01", before, after)
    spent = after.spent("rent_relief")
    assert spent.columns[(spent > 0).any()].tolist() == ["rent_relief.lingang"]
    paid = spent.index[spent["rent_relief.lingang"] > 0]
    assert (paid[0], paid[-1]) == ("2022-01", "2022-12")


def test_a_new_lever_acts_and_costs_and_does_nothing_at_its_baseline(
    project: Project, before: Seen
) -> None:
    project.follow(2)
    project.validate("scenarios/retention-grant.yaml", "tests/small_district/scenario.yaml")
    idle = project.run("scenarios/baseline.yaml")
    pd.testing.assert_frame_equal(idle.series, before.series, check_exact=True)
    assert (idle.spent("retention_grant") == 0).all(axis=None)
    after = project.run("scenarios/retention-grant.yaml")
    assert_moves_from("2022-01", before, after)
    staff = "skilled_staff.district"
    assert after.series[staff].iloc[-1] > before.series[staff].iloc[-1]
    spent = after.spent("retention_grant").sum(axis=1)
    assert (spent[:"2021-12"] == 0).all()
    assert (spent["2022-01":] > 0).all()


def test_a_new_measure_makes_progress_from_its_start_and_costs(
    project: Project, before: Seen
) -> None:
    project.follow(3)
    project.validate("scenarios/baseline.yaml")
    after = project.run("scenarios/baseline.yaml")
    assert_moves_from("2022-06", before, after)
    progress = after.progress["compute_pool"]
    assert (progress[:"2022-05"] == 0).all()
    assert (np.diff(progress["2022-05":]) > 0).all()
    extra = after.spent("measure_intensity") - before.spent("measure_intensity")
    assert (extra[:"2022-05"] == 0).all(axis=None)
    assert extra["2022-06":].sum(axis=1).to_numpy() == pytest.approx(2 / 12)  # 2 亿元 a year


def test_a_new_process_is_seen_from_its_month_and_leaves_the_luck_of_others(
    project: Project, before: Seen
) -> None:
    project.follow(4)
    project.validate("scenarios/baseline.yaml", "tests/small_district/scenario.yaml")
    after = project.run("scenarios/baseline.yaml")
    assert_moves_from("2021-07", before, after)
    filled = "fill_rate.district"
    assert after.series.loc["2021-07", filled] > before.series.loc["2021-07", filled]


def test_a_new_chart_is_drawn_with_each_forecast(project: Project) -> None:
    project.follow(5)
    strict = ("-W", "error::UserWarning")  # what the layout cannot fit is only warned about
    small = ("tests/small_district/scenario.yaml", "--runs", "1", "--workers", "1", "--out", "out")
    project.python(*strict, "-c", COMMAND, "forecast", *small)
    image = (project.tree / "out" / "charts" / "margins.png").read_bytes()
    assert image.startswith(b"\x89PNG")
    assert len(image) > 10_000


def test_the_guide_has_five_examples_and_each_of_their_blocks_has_a_place() -> None:
    assert re.findall(r"^## (\d)\.", GUIDE, re.MULTILINE) == ["1", "2", "3", "4", "5"]
    assert all(blocks(example) for example in range(1, 6))
