"""What was measured, as docs/benchmarks.md and its picture."""

from __future__ import annotations

import json
import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.command import LOOK_EVERY
from bench.subjects import ROOT
from sim.report import style

PAGE = ROOT / "docs" / "benchmarks.md"
PICTURE = ROOT / "docs" / "images" / "benchmarks.png"

TEMPLATE = """\
# Benchmarks

`make bench` measures this in one go on the machine at hand, in about five minutes, and writes this
page. None of it is a test: nothing fails because a machine is slow or busy.

Here: {cores} cores, {machine}. {met} of {all} goals are met.

![A run's time by number of firms, and beside floor and oracle](images/benchmarks.png)

| goal | measured | met |
|---|---|---|
{goals}

## All times

| what | median | from – to | rounds |
|---|---|---|---|
{rows}

## What is measured

- **Rounds.** Runs are timed in one process, in its time on the core. What is compared is timed in
  turn, round by round, so that other work on the machine hits all alike; ratios to floor and oracle
  are medians of the rounds' own ratios. Runs 0 to 7 of the baseline take turns: their parameters
  differ, and with them the work.
- **The floor** (`bench/floor.py`) makes the draws of the same run, number by number, and takes the
  exponentials, logarithms and powers over whole columns of firms; nothing else. Beyond it a run
  adds, multiplies and looks up over firms, and steps through zones, sectors, parks, measures and
  departments: {fixed:.0f} % of its time does not depend on the number of firms (by the times for
  one and two times the firms), which is why it grows so slowly with them.
- **The oracle** (`tests/reference`) is the same model with the same draws and results, as a plain
  Mesa model with an object for each firm.
- **A firm-month** is an active firm in a month of a run; one run has {firm_months:,.0f}. The
  published benchmarks of Starsim and Covasim give 1.2 and 2.4 million agent-steps a second.
- **Firms** are multiplied together with revenue and staff, so that each is as large as before.
- **A forecast** is timed by the clock on the wall, from the command to its answer, with a worker a
  core; other work on the machine counts in full. It makes up to 200 of its runs again, to tell
  chance from parameters.
- **Memory** is the largest peak of any worker that the kernel tells, asked every {look_every:g} s.
"""


@dataclass(frozen=True)
class Times:
    """Seconds of one action over its rounds."""

    seconds: tuple[float, ...]

    @property
    def middle(self) -> float:
        return float(median(self.seconds))

    def row(self, name: str) -> str:
        """As a row of a table."""
        span = f"{shown(min(self.seconds))} – {shown(max(self.seconds))}"
        return f"| {name} | {shown(self.middle)} | {span} | {len(self.seconds)} |"


@dataclass(frozen=True)
class Goal:
    text: str
    figure: str
    met: bool

    def row(self) -> str:
        return f"| {self.text} | {self.figure} | {'yes' if self.met else '**no**'} |"


class Measured:
    """The figures of one ``make bench``."""

    def __init__(self, raw: dict[str, Any]) -> None:
        tests = {test["name"]: test for test in raw["benchmarks"]}

        def own(name: str) -> Times:
            return Times(tuple(tests[name]["stats"]["data"]))

        def others(name: str) -> dict[str, Times]:
            found: dict[str, list[float]] = tests[name]["extra_info"]["others"]
            return {other: Times(tuple(seconds)) for other, seconds in found.items()}

        floor, oracle = "test_one_run_against_the_floor", "test_one_run_against_the_oracle"
        self.run, self.floor = own(floor), others(floor)["floor"]
        self.oracle = own(oracle)
        self.run_beside_oracle = Times(
            tuple(seconds / 10 for seconds in others(oracle)["ten runs"].seconds)
        )
        self.firm_months = median(tests[floor]["extra_info"]["firm_months"])
        firms, months = "test_growth_with_firms", "test_growth_with_months"
        self.firms: dict[str, int] = tests[firms]["extra_info"]["firms"]
        self.by_firms: dict[str, Times] = others(firms) | {list(self.firms)[-1]: own(firms)}
        self.by_months = others(months) | {"72": own(months)}
        self.help = own("test_help")
        self.start = Times(tuple(tests["test_start_of_the_first_run"]["extra_info"]["seconds"]))
        forecasts = [test for name, test in tests.items() if name.startswith("test_forecast")]
        self.forecasts: dict[int, Times] = {
            test["extra_info"]["runs"]: Times(tuple(test["stats"]["data"])) for test in forecasts
        }
        self.made: dict[int, int] = {
            test["extra_info"]["runs"]: test["extra_info"]["runs_made"] for test in forecasts
        }
        self.memory = {
            test["extra_info"]["runs"]: max(test["extra_info"]["worker_memory"])
            for test in forecasts
            if None not in test["extra_info"]["worker_memory"]
        }
        self.cores: int = forecasts[0]["extra_info"]["cores"]

    @property
    def over_floor(self) -> float:
        """Median over the rounds of run over floor: a round's two meet the same noise."""
        pairs = zip(self.run.seconds, self.floor.seconds, strict=True)
        return float(median(run / floor for run, floor in pairs))

    @property
    def over_oracle(self) -> float:
        pairs = zip(self.oracle.seconds, self.run_beside_oracle.seconds, strict=True)
        return float(median(oracle / run for oracle, run in pairs))

    @property
    def fixed_share(self) -> float:
        """The part of a run's time that does not depend on the number of firms."""
        one, two = self.by_firms["1"].middle, self.by_firms["2"].middle
        return (2.0 * one - two) / one

    def further_run(self, first: int, last: int) -> float:
        """Seconds of one more run between two forecasts of different lengths."""
        more = self.forecasts[last].middle - self.forecasts[first].middle
        return more / (self.made[last] - self.made[first])

    def goals(self) -> list[Goal]:
        speed = self.firm_months / self.run.middle / 1e6
        thousand = self.forecasts[1000].middle
        own = self.made[1000] * self.run.middle / self.cores
        times = {name: one.middle for name, one in self.by_firms.items()}
        slower = times["8"] / times["1"]
        early, late = self.further_run(100, 400), self.further_run(400, 1000)
        found = [
            Goal(
                "one run at least 80 times faster than the oracle",
                f"{self.over_oracle:.0f} times",
                self.over_oracle >= 80,
            ),
            Goal(
                "one run at most 3 times the floor",
                f"{self.over_floor:.1f} times",
                self.over_floor <= 3,
            ),
            Goal(
                "at least 8 million firm-months a second and core",
                f"{speed:.1f} million",
                speed >= 8,
            ),
            Goal(
                f"1,000 runs on {self.cores} cores under 30 s",
                f"{thousand:.1f} s, of which the runs' own time is {own:.1f} s",
                thousand < 30,
            ),
            Goal(
                "8 times the firms in at most 9 times the time", f"{slower:.1f} times", slower <= 9
            ),
            Goal(
                "time linear in runs: a further run costs the same early and late (± 10 %)",
                f"{early * 1e3:.1f} ms from 100 to 400, {late * 1e3:.1f} ms from 400 to 1,000",
                abs(late / early - 1) <= 0.1,
            ),
            Goal("`pudong --help` under 0.5 s", shown(self.help.middle), self.help.middle < 0.5),
            Goal(
                "the first run of a forecast starts within 2 s",
                shown(self.start.middle),
                self.start.middle < 2,
            ),
        ]
        if {100, 1000} <= self.memory.keys():
            few, many = self.memory[100], self.memory[1000]
            found += [
                Goal("a worker under 300 MB", f"{many:.0f} MB", many < 300),
                Goal(
                    "a worker's memory does not grow with the number of runs (± 5 %)",
                    f"{few:.0f} MB in 100 runs, {many:.0f} MB in 1,000",
                    many <= 1.05 * few,
                ),
            ]
        return found

    def rows(self) -> list[str]:
        """All times as rows of a table."""
        return [
            self.run.row("one run, 7,000 firms at the start, 36 months"),
            self.floor.row("its floor"),
            self.oracle.row("the oracle's run"),
            *(
                times.row(f"one run with {self.firms[name]:,} firms at the start")
                for name, times in self.by_firms.items()
            ),
            *(times.row(f"one run over {name} months") for name, times in self.by_months.items()),
            *(
                times.row(f"`pudong forecast --runs {runs} --no-charts` ({self.made[runs]:,} runs)")
                for runs, times in self.forecasts.items()
            ),
            self.help.row("`pudong --help`"),
            self.start.row("`pudong forecast` to the start of its first run"),
        ]


def shown(seconds: float) -> str:
    """Seconds with three digits."""
    return f"{seconds:.3g} s" if seconds >= 1 else f"{seconds * 1e3:.3g} ms"


def machine() -> str:
    """The machine in a sentence."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text().splitlines()
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        name = names[0] if names else name
    return (
        f"{name}, {platform.system()}, Python {platform.python_version()}, numpy {np.__version__}"
    )


def page(measured: Measured) -> str:
    goals = measured.goals()
    return TEMPLATE.format(
        cores=measured.cores,
        machine=machine(),
        met=sum(goal.met for goal in goals),
        all=len(goals),
        goals="\n".join(goal.row() for goal in goals),
        rows="\n".join(measured.rows()),
        fixed=100 * measured.fixed_share,
        firm_months=measured.firm_months,
        look_every=LOOK_EVERY,
    )


def draw(measured: Measured) -> Figure:
    with style.house_style():
        figure = Figure(figsize=(10.5, 4.2), dpi=150, layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(1.1, 1.0))
        _growth(left, measured)
        _bars(right, measured)
        figure.draw_without_rendering()
    return figure


def _growth(axes: Axes, measured: Measured) -> None:
    firms = list(measured.firms.values())
    times = [measured.by_firms[name].middle * 1e3 for name in measured.firms]
    linear = [times[0] * count / firms[0] for count in firms]
    axes.loglog(firms, linear, color=style.GREY, linestyle="--", linewidth=1.2)
    axes.loglog(firms, times, "o-", color=style.BLUE, linewidth=2)
    axes.annotate(
        "linear",
        (firms[-1], linear[-1]),
        (-8, -2),
        ha="right",
        color=style.GREY,
        textcoords="offset points",
    )
    for count, time in zip(firms, times, strict=True):
        axes.annotate(
            f"{time:.0f}",
            (count, time),
            (0, -16),
            ha="center",
            color=style.BLUE,
            textcoords="offset points",
        )
    axes.set_xticks(firms, labels=[f"{count:,}" for count in firms])
    axes.set_yticks([20, 50, 100, 200], labels=["20", "50", "100", "200"])
    axes.minorticks_off()
    axes.set_ylim(0.6 * min(times), 3.0 * max(times))
    axes.set_xlabel("firms at the start")
    axes.set_title("ms a run of 36 months", loc="left")


def _bars(axes: Axes, measured: Measured) -> None:
    rows = {
        "floor": (measured.floor, style.BLUE_LIGHT),
        "one run": (measured.run, style.BLUE),
        "oracle": (measured.oracle, style.BLUE_MIDDLE),
    }
    for place, (times, colour) in enumerate(rows.values()):
        axes.barh(place, times.middle * 1e3, color=colour, height=0.6)
        axes.annotate(
            shown(times.middle),
            (times.middle * 1e3, place),
            (6, 0),
            va="center",
            textcoords="offset points",
        )
    axes.set_xscale("log")
    axes.set_xlim(1, 40 * 1e3)
    axes.set_xticks([1, 10, 100, 1000, 10_000], labels=["1", "10", "100", "1,000", "10,000"])
    axes.set_yticks(range(len(rows)), labels=list(rows))
    axes.minorticks_off()
    axes.invert_yaxis()
    axes.set_title("ms a run, 7,000 firms at the start (log scale)", loc="left")


def main(raw: Path) -> None:
    measured = Measured(json.loads(raw.read_text(encoding="utf-8")))
    PAGE.write_text(page(measured), encoding="utf-8")
    draw(measured).savefig(PICTURE, metadata={"Software": None})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
