"""What is measured: the full district, and the same with other numbers of firms and months."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sim import months
from sim.runner import Runner
from sim.scenario import Inputs, read_scenario

ROOT = Path(__file__).parents[1]
BASELINE = ROOT / "scenarios" / "baseline.yaml"
SEED = 1


def full() -> Inputs:
    """The plan's baseline at full size."""
    return read_scenario(BASELINE)


def with_firms(inputs: Inputs, times: int) -> Inputs:
    """So many times the firms, each as large as before; general parks grow with them."""
    economy = inputs.economy
    sectors = {}
    for name, base in economy.sectors.items():
        totals = {total: getattr(base, total) for total in ("firms", "revenue", "staff")}
        more = {
            total: figure.model_copy(update={"value": figure.value * times})
            for total, figure in totals.items()
        }
        sectors[name] = base.model_copy(update=more)
    return replace(inputs, economy=economy.model_copy(update={"sectors": sectors}))


def with_months(inputs: Inputs, count: int) -> Inputs:
    """The plan's first months, or as many more after its end."""
    end = months.after(inputs.plan.start, count)
    return replace(inputs, plan=inputs.plan.model_copy(update={"end": end}))


def runner(inputs: Inputs) -> Runner:
    return Runner(inputs, SEED)


def firm_months(runner: Runner, run: int) -> float:
    """Active firms, summed over the months that a run steps through."""
    firms = runner.series_columns.index("firms.district")
    series = runner.run(run).series
    return float(series[1:].reshape(len(series) - 1, -1)[:, firms].sum())
