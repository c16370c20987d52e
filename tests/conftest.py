"""What several test files share: the real scenario, the small district, and changed copies."""

from __future__ import annotations

import os
import shutil
import signal
import stat
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml

from sim.files import read_yaml
from sim.runner import Runner
from sim.scenario import read_scenario

ROOT = Path(__file__).parents[1]

# A shell that starts the tests in the background hands Ctrl-C down as ignored, to every command
# that they run too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Of a checkout that nobody may write to, copies are made to be changed.
KEEP_MODE, KEEP_STAT = shutil.copymode, shutil.copystat


def _writable(keep: Callable[..., object]) -> Callable[..., None]:
    def copy(source: str, copied: str, *, follow_symlinks: bool = True) -> None:
        keep(source, copied, follow_symlinks=follow_symlinks)
        if not os.path.islink(copied):
            os.chmod(copied, os.stat(copied).st_mode | stat.S_IWUSR)

    return copy


shutil.copymode, shutil.copystat = _writable(KEEP_MODE), _writable(KEEP_STAT)

Change = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="session")
def real_scenario() -> Path:
    """The baseline of the plan that the program was written for."""
    return ROOT / "scenarios" / "baseline.yaml"


@pytest.fixture(scope="session")
def small_scenario() -> Path:
    """A made-up district of 300 firms, other in every name and date."""
    return ROOT / "tests" / "small_district" / "scenario.yaml"


@pytest.fixture(scope="session")
def real(real_scenario: Path) -> Runner:
    return Runner(read_scenario(real_scenario), seed=1)


@pytest.fixture(scope="session")
def small(small_scenario: Path) -> Runner:
    return Runner(read_scenario(small_scenario), seed=1)


@pytest.fixture
def variant(tmp_path: Path) -> Callable[..., Path]:
    """Writes a scenario with its plan and economy anew, each changed in place by a function.

    As in ``variant(small_scenario, plan=lambda plan: plan["measures"].pop())``.
    """
    copies = count()

    def write(scenario: Path, /, **changes: Change) -> Path:
        folder = tmp_path / f"variant-{next(copies)}"
        folder.mkdir()
        files = {"scenario": scenario}
        for name in ("plan", "economy"):
            files[name] = scenario.parent / read_yaml(scenario).data[name]
        for name, file in files.items():
            data = read_yaml(file).data
            if name == "scenario":
                data |= {"plan": "plan.yaml", "economy": "economy.yaml"}
            if data.get("posterior"):
                data["posterior"] = str(file.parent / data["posterior"])
            if name in changes:
                changes[name](data)
            text = yaml.safe_dump(data, allow_unicode=True, sort_keys=False)
            (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
        return folder / "scenario.yaml"

    return write
