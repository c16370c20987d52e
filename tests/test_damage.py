"""A flipped bit, a cut or a loss anywhere in what commands leave never gives another number.

A command that meets a damage says the undisturbed numbers, or one message with status 2. The
command that left the file, given again, puts it right to the byte.
More of them: ``DAMAGES=300 pytest tests/test_damage.py``.
"""

from __future__ import annotations

import os
import random
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from sim.analysis.discover import finished_cases
from sim.analysis.explain import explain
from sim.analysis.finished import read_finished
from sim.analysis.judging import score
from sim.analysis.published import read_published
from sim.cli import app
from sim.errors import InputError
from sim.files import read_yaml
from sim.posterior import Head, posterior_text
from sim.report.brief.compose import compose
from sim.report.sheets import sheets_of
from sim.runner import Runner
from tests.figures import cells, write_figures

DAMAGES = int(os.environ.get("DAMAGES", "42"))
TOGETHER = 5  # are mended by the same commands
RUNS = 125  # with fewer none is said given figures
DRAWS = 100
TARGET = "pilot_projects"
FIGURE = cells(indicator="smart_turnover", month="2025-06", value=66, noise_sd=0.5)

Read = Callable[["Made"], Any]


@dataclass(frozen=True)
class Made:
    """What some commands left in one folder, and what they were given."""

    folder: Path

    @property
    def forecast(self) -> Path:
        return self.folder / "forecast"

    @property
    def figures(self) -> Path:
        return self.folder / "given" / "figures.csv"

    def commands(self) -> dict[str, list[str]]:
        """By the place of what they leave; the innermost first."""
        scenarios = [str(self.folder / "given" / f"{name}.yaml") for name in ("scenario", "more")]
        out, others = str(self.forecast), str(self.folder / "compare")
        return {
            "forecast/explain": ["explain", out, "--target", TARGET, "--runs", "2"],
            "forecast": [
                *("forecast", scenarios[0], "--out", out, "--runs", str(RUNS)),
                *("--observe", str(self.figures), "--workers", "1", "--no-charts"),
            ],
            "compare": [
                *("compare", *scenarios, "--out", others, "--runs", "12"),
                *("--workers", "1", "--no-charts"),
            ],
        }

    def left(self) -> dict[str, bytes]:
        """Every file that they left and a later command reads, or whoever finds the folder."""
        return {
            file.relative_to(self.folder).as_posix(): file.read_bytes()
            for file in sorted(self.folder.rglob("*"))
            if file.is_file() and file.suffix not in ("", ".png", ".svg")
        }


def run(*command: str) -> Any:
    return CliRunner().invoke(app, command)


def tables(made: Made) -> Any:
    return [sheet.rows.to_csv() for sheet in sheets_of(read_published(made.forecast))]


def briefing(made: Made) -> Any:
    published = read_published(made.forecast)
    compare = made.folder / "compare"
    told = compose(published, "en", targets=[TARGET], compare=compare, day=date(2026, 11, 24))
    words = repr([told.title, told.sections])
    return re.sub(r"0x[0-9a-f]+", "", words)


def scores(made: Made) -> Any:
    return score(read_finished(made.forecast), made.figures).model_dump_json()


def chain(made: Made) -> Any:
    return explain(read_finished(made.forecast), TARGET, "district", runs=2).model_dump_json()


def conditions(made: Made) -> Any:
    cases = finished_cases(read_finished(made.forecast), TARGET, "district")
    return cases.names, cases.points.tobytes(), cases.missed.tobytes()


def reading(made: Made, out: Path) -> dict[Read, list[str]]:
    """How each command reads in-process, and the command."""
    place = str(made.forecast)
    compare = ["--compare", str(made.folder / "compare")]
    return {
        tables: ["export", place, "--format", "csv", "--out", str(out)],
        briefing: ["brief", place, "--target", TARGET, *compare, "--out", f"{out}.docx"],
        scores: ["score", place, "--outturns", str(made.figures), "--out", str(out)],
        chain: ["explain", place, "--target", TARGET, "--runs", "2", "--out", str(out)],
        conditions: ["discover", place, "--target", TARGET, "--out", str(out)],
    }


@pytest.fixture(scope="module")
def whole(
    small: Runner, small_scenario: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Made, dict[str, bytes], dict[Read, Any]]:
    """The undisturbed files and numbers, of a district with a posterior and a what-if."""
    made = Made(tmp_path_factory.mktemp("damage"))
    given = made.folder / "given"
    shutil.copytree(small_scenario.parent, given)
    economy = read_yaml(given / "economy.yaml").data | {"posterior": "posterior.csv"}
    (given / "economy.yaml").write_text(yaml.safe_dump(economy, allow_unicode=True), "utf-8")
    (given / "posterior.csv").write_text(posterior(small), "utf-8")
    what_if = read_yaml(given / "scenario.yaml").data | {"id": "more"}
    what_if["levers"] = [{"lever": "talent_subsidy", "value": 9}]
    (given / "more.yaml").write_text(yaml.safe_dump(what_if, allow_unicode=True), "utf-8")
    write_figures(made.figures, [FIGURE])
    for command in reversed(made.commands().values()):
        done = run(*command)
        assert done.exit_code == 0, done.output
    files = made.left()
    assert {"forecast/README.md", "forecast/observed.json", "compare/compare.json"} <= set(files)
    return made, files, {read: read(made) for read in reading(made, made.folder)}


def posterior(small: Runner) -> str:
    """Draws of two parameters, near the middle of their ranges."""
    priors = small.parameters.prior_texts()
    labels = tuple(sorted(priors)[:2])
    entries = [small.parameters.entries[small.parameters.labels.index(label)] for label in labels]
    low, high = (np.array([getattr(e.parameter, end) for e in entries]) for end in ("low", "high"))
    head = Head(
        format=2, economy=small.inputs.economy.id, until="2024-12", figures=["other"],
        method="by hand", seed=1, runs=100, effective_draws=100, draws=DRAWS, made_with="0",
        priors={label: priors[label] for label in labels},
    )  # fmt: skip
    share = np.linspace(0.3, 0.4, DRAWS)[:, None]
    return posterior_text(head, labels, low + (high - low) * share)


READ = (
    *("forecast/*.json", "forecast/README.md", "forecast/inputs/*", "forecast/runs/*/*"),
    *("forecast/explain/*.json", "compare/compare.json", "compare/evaluations/*"),
    "given/posterior.csv",
)  # by a later command, or by whoever finds the folder
ASKED_FOR = ("forecast/observed.json", "forecast/explain/*.json")  # a briefing does without
NUMBER = r"[0-9a-f]{32}|\d{6}"  # of a chunk, or an evaluation's
KINDS = ("flip", "flip", "flip", "cut", "lose")


def damages(files: dict[str, bytes], count: int) -> Iterator[tuple[str, str, bytes | None]]:
    """Which file, what happened, and what is left of it: each kind of file as often."""
    chance = random.Random(15)
    kinds: dict[str, list[str]] = {}
    for name in files:
        if any(PurePath(name).match(pattern) for pattern in READ):
            kinds.setdefault(re.sub(NUMBER, "*", name), []).append(name)
    for number in range(count):
        name = chance.choice(list(kinds.values())[number % len(kinds)])
        content, what = files[name], chance.choice(KINDS)
        place = chance.randrange(len(content))
        if what == "flip":
            bit = 1 << chance.randrange(8)
            left = content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :]
            yield name, f"bit {bit} of byte {place}", left
        elif what == "cut" or any(PurePath(name).match(pattern) for pattern in ASKED_FOR):
            yield name, f"cut at byte {place}", content[:place]
        else:
            yield name, "lost", None


def put(file: Path, content: bytes | None) -> None:
    file.unlink(missing_ok=True)
    if content is not None:
        file.write_bytes(content)


def test_no_damage_gives_another_number_or_stays(
    whole: tuple[Made, dict[str, bytes], dict[Read, Any]], tmp_path: Path
) -> None:
    made, files, said = whole
    counts: Counter[str] = Counter()
    spoilt: dict[str, bytes | None] = {}
    for number, (name, what, left) in enumerate(damages(files, DAMAGES), start=1):
        put(made.folder / name, left)
        readers = reading(made, tmp_path / str(number))
        beside = name.endswith(("compare.json", "observed.json")) or "explain" in name
        one = briefing if beside else [*readers][1 + number % (len(readers) - 1)]
        refused = []
        for read in (tables, one) if name.startswith("forecast") or beside else ():
            try:
                assert read(made) == said[read], f"{name}, {what}: {readers[read][0]}"
            except InputError:
                refused.append(readers[read])
        if name.startswith("given/"):
            refused.append(made.commands()["forecast"])
        for command in refused[-1:]:
            done = run(*command)
            assert done.exit_code == 2, f"{name}, {what}: {command[0]}"
            assert len(re.findall(r"(?m)^\w*Error: ", done.stderr)) == 1, done.stderr
            assert not list(tmp_path.iterdir())
        counts[f"{'refused' if refused else 'same numbers'}: {re.sub(NUMBER, '*', name)}"] += 1
        put(made.folder / name, files[name])
        if not name.startswith("given/"):
            spoilt[name] = left
        if number % TOGETHER == 0 or number == DAMAGES:
            mend(made, spoilt)
            assert made.left() == files, list(spoilt)
            spoilt = {}
    print(f"\n{DAMAGES} damages")
    print(*(f"{count:4} {kind}" for kind, count in sorted(counts.items())), sep="\n")


def mend(made: Made, spoilt: dict[str, bytes | None]) -> None:
    """Give the commands that left some files again, all of them spoilt."""
    commands = made.commands()
    for name, left in spoilt.items():
        put(made.folder / name, left)
    by = {next(place for place in commands if name.startswith(place)) for name in spoilt}
    for place in reversed(commands):
        if place in by:
            done = run(*commands[place])
            assert done.exit_code == 0, f"{list(spoilt)}: {done.output}"
