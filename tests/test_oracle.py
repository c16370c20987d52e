"""The columns against the reference: the same model twice, firm by firm and in distribution.

``tests/reference`` is docs/model.md written again, one Mesa agent a firm. Both meet the same luck,
so they must agree in every firm and month; and the comparison must see any error that is planted
into the columns.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml
from scipy.stats import ks_2samp, ttest_ind

import sim.model
from sim.files import read_yaml
from sim.plan import Driver
from sim.processes import PARAMETERS
from sim.runner import Runner
from sim.scenario import read_scenario
from tests.reference import full_size_run
from tests.reference.docking import (
    Snapshot,
    columns,
    first_difference,
    months,
    of_columns,
    of_reference,
    reference,
    same,
)

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "tests" / "reference"

# ------------------------------------------------------------------------ firm by firm, by month


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """All levers raised and two shocks, in the small district with more of what is rare in it:
    a measure that pushes the drivers that its plan leaves alone, larger firms, more platforms."""
    files = {
        "scenario": read_yaml(REFERENCE / "everything.yaml").data,
        "plan": read_yaml(ROOT / "tests/small_district/plan.yaml").data,
        "economy": read_yaml(ROOT / "tests/small_district/economy.yaml").data,
    }
    plan = files["plan"]
    pushed = {effect["driver"] for measure in plan["measures"] for effect in measure["effects"]}
    desk = next(measure for measure in plan["measures"] if measure["id"] == "start_up_desk")
    desk["start"] = "2024-07"
    desk["effects"] += [{"driver": d.value, "strength": 1.5} for d in Driver if d not in pushed]
    for park in plan["parks"]:
        park["platforms"] = 8
    for sector in files["economy"]["sectors"].values():
        sector["revenue"] *= 4
    files["scenario"] |= {"plan": "plan.yaml", "economy": "economy.yaml"}
    folder = tmp_path_factory.mktemp("everything")
    for name, data in files.items():
        text = yaml.safe_dump(data, allow_unicode=True, sort_keys=False)
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return Runner(read_scenario(folder / "scenario.yaml"), seed=1)


@pytest.mark.parametrize("run", [0, 3])
def test_baseline_is_the_same_in_every_firm_and_month(small: Runner, run: int) -> None:
    assert first_difference(months(columns(small, run)), months(reference(small, run))) is None


RUNS = (65, 2)  # in run 65 a firm also repeats a project of its own, which is rare


@pytest.fixture(scope="module")
def path(everything: Runner) -> dict[int, list[Snapshot]]:
    """What the reference makes of everything at once."""
    return {run: list(months(reference(everything, run))) for run in RUNS}


@pytest.mark.parametrize("run", RUNS)
def test_all_levers_and_shocks_are_the_same_in_every_firm_and_month(
    everything: Runner, path: dict[int, list[Snapshot]], run: int
) -> None:
    assert first_difference(months(columns(everything, run)), path[run]) is None


def test_what_is_rare_happens_in_the_compared_runs(path: dict[int, list[Snapshot]]) -> None:
    for run in RUNS:
        end = path[run][-1]
        assert len(end["state"]) > 900
        for name in ("entries", "exits", "key technologies", "landmark results", "AI models"):
            assert end[name].sum() >= 5, name
        assert end["platforms open"].sum() >= 2
        assert (end["is_ai"] & (end["sector"] > 0)).sum() > 20  # converted
        assert (end["orders"] > 0).any()
        assert any((month["setback months"] > 0).any() for month in path[run])
        moved = sum(
            ((a["state"] == 1) & (a["park"] != b["park"][: len(a["park"])])).sum()
            for a, b in zip(path[run], path[run][1:], strict=False)
        )
        assert moved >= 10


def test_a_year_of_the_real_plan_is_the_same_in_every_firm(real: Runner) -> None:
    here, there = columns(real, 3), full_size_run(run=3, seed=real.seed, last=12)
    for _ in range(12):
        here.step()
    one, other = of_columns(here), of_reference(there)
    assert not [name for name in one if not same(name, one[name], other[name])]


def test_the_reference_takes_no_rule_from_the_program() -> None:
    shared = {"blueprint", "draws", "economy", "months", "plan", "scenario"}
    for file in sorted(REFERENCE.glob("*.py")):
        if file.name in ("__init__.py", "docking.py"):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sim"):
                taken = node.module.split(".")[1:] or [alias.name for alias in node.names]
                assert set(taken) <= shared, f"{file.name}, line {node.lineno}"


def test_the_page_names_every_parameter() -> None:
    page = (ROOT / "docs" / "model.md").read_text(encoding="utf-8")
    for process, group in PARAMETERS.items():
        for field in dataclasses.fields(group):
            assert re.search(rf"\b{field.name}(_s|_r)?\b", page), f"{process}.{field.name}"


# ------------------------------------------------------------------------- it sees planted errors

# What stands in a function of the columns, and what is put in its place.
ERRORS = {
    # 7.1 Economy
    "a shock that is not scaled by its size": (
        "economy.step",
        "size * change * shocks.hits[j]",
        "change * shocks.hits[j]",
    ),
    "a shock whose logarithm is forgotten": (
        "economy.shock_sizes",
        "np.log1p(np.maximum(size, -0.95))",
        "np.maximum(size, -0.95)",
    ),
    "a shock that falls again each month": (
        "economy.step",
        "- shocks.path[j, model.month - 1]",
        "",
    ),
    "a shock that comes a month late": (
        "economy.step",
        "shocks.path[j, model.month] - shocks.path[j, model.month - 1]",
        "shocks.path[j, model.month - 1] - shocks.path[j, max(model.month - 2, 0)]",
    ),
    "factors that lose their variance": (
        "economy.step",
        "sqrt(1.0 - rho**2) * luck[1:]",
        "(1.0 - rho) * luck[1:]",
    ),
    # 7.2 to 7.4 Implementation, drivers, parks
    "other duties that grow with the lever": (
        "implementation.step",
        "planned + work.other_duties",
        "planned + p.other_duties * blueprint.department_capacity[month]",
    ),
    "every department leads": (
        "implementation.Work",
        "np.where(links.link_is_lead, p.lead_weight, 1.0)",
        "np.full(len(links.link_is_lead), p.lead_weight)",
    ),
    "money that does as much in a large zone": (
        "drivers.lever_push",
        "extra / np.maximum(blueprint.firm_share, 1e-6)",
        "extra",
    ),
    "openness without setbacks": (
        "drivers.open_data",
        "(zones.setback_months > 0)",
        "np.zeros_like(zones.setback_months)",
    ),
    "openness that counts in pilot zones alone": (
        "drivers.open_data",
        "np.maximum(allowed, spread)",
        "np.maximum(lever, spread)",
    ),
    "rent relief in the wrong zone": (
        "parks.step",
        "(1.0 - relief[parks.zone])",
        "(1.0 - np.roll(relief, 1)[parks.zone])",
    ),
    # 7.5 Talent
    "attrition twice": (
        "talent.step",
        "firms.staff *= 1.0 - p.attrition",
        "firms.staff *= (1.0 - p.attrition) ** 2",
    ),
    "the fill rate of the next zone": (
        "talent.step",
        "firms.by_zone(zones.fill_rate, shape)",
        "firms.by_zone(np.roll(zones.fill_rate, 1), shape)",
    ),
    "commuting to where people live": (
        "talent.applications",
        "commuting * vacancies",
        "commuting * vacancies[:, None]",
    ),
    "hires taken from the zone of the post": (
        "talent.step",
        "origin @ (hires",
        "origin.T @ (hires",
    ),
    "wages that raise the demand for labour": (
        "talent.step",
        "** p.labour_demand_elasticity",
        "** -p.labour_demand_elasticity",
    ),
    "a subsidy that counts from nothing": (
        "talent.arrivals",
        "(p.annual_pay + baseline)",
        "p.annual_pay",
    ),
    "leavers who all leave the district": (
        "talent.step",
        "zones.seekers += left - zones.departures",
        "pass",
    ),
    # 7.6 Diffusion
    "another driver than adoption": ("diffusion.step", "Driver.ADOPTION", "Driver.SERVICE"),
    "AI shares that spread without an end": (
        "diffusion.step",
        "speed *= 1.0 - firms.ai_share",
        "pass",
    ),
    # 7.7 and 7.8 Innovation, platforms
    "a frontier that stands still": (
        "innovation.step",
        "research.kept[: len(firms)]",
        "1.0",
    ),
    "a frontier that the success itself may pass": (
        "innovation.step",
        "firms.capability[lucky] >= p.frontier",
        "firms.capability[lucky] + p.step * (1.0 - firms.capability[lucky]) >= p.frontier",
    ),
    "knowledge with the reach of the other zone": (
        "innovation.knowledge",
        "reach[:, None]",
        "reach",
    ),
    "a threshold from a uniform that is not rescaled": (
        "innovation.step",
        "(luck[makers] + 2.0**-25) / key_chance[new]",
        "luck[makers] + 2.0**-25",
    ),
    "standards from scenarios of the whole district": (
        "innovation.step",
        "zones.scenarios.sum(axis=1)",
        "zones.scenarios.sum()",
    ),
    "platforms that small firms found": (
        "platforms.step",
        "firms.large & (firms.capability >= p.capable)",
        "firms.capability >= p.capable",
    ),
    # 7.9 Scenario calls
    "peers in sum and not on average": (
        "calls.post",
        " / np.maximum(model.zones.firms, 1.0)",
        "",
    ),
    "projects that last a month longer": (
        "calls.post",
        "(p.shortest + length).astype",
        "(p.shortest + length + 1.0).astype",
    ),
    "projects that are judged a month late": (
        "calls.finish",
        "model.projects.end <= model.month",
        "model.projects.end < model.month",
    ),
    "suppliers that are never full": (
        "calls.award",
        "(capacity >= 1.0) & (spare > 0)",
        "(firms.staff[bidder] > 0)",
    ),
    "suppliers too small for a project": (
        "calls.award",
        "(capacity >= 1.0) & (spare > 0)",
        "(spare > 0)",
    ),
    "bids of all that are asked": (
        "calls.award",
        "(np.cumsum(alive, axis=1) <= p.bidders)",
        "alive",
    ),
    "suppliers that are better from afar": (
        "calls.award",
        "- away / p.supplier_reach",
        "+ away / p.supplier_reach",
    ),
    "the adopter's capability for the supplier's": (
        "calls.finish",
        "firms.capability[supplier]",
        "firms.capability[adopter]",
    ),
    "projects of closed suppliers that go on": (
        "calls.finish",
        "still & (firms.alive[supplier] > 0) &",
        "still &",
    ),
    "an outcome from a uniform that is not rescaled": (
        "calls.finish",
        '(done["luck"][good] - failure[good]) / (1.0 - failure[good])',
        'done["luck"][good]',
    ),
    "a growth term for each of several projects": (
        "calls.project_growth",
        "np.log1p(number * monthly * np.exp(-log_revenue))",
        "number * np.log1p(monthly * np.exp(-log_revenue))",
    ),
    "projects that leave nothing behind": ("calls.finish", "(1.0 - p.follow_on) *", "1.0 *"),
    "projects whose cost stays": (
        "calls.finish",
        "firms.one_off[adopter[still]] += p.adopter_cost",
        "pass",
    ),
    "a model by the same firm's second project": (
        "calls.finish",
        "elif first != adopter[i] and",
        "elif",
    ),
    # 7.11 Growth
    "customers and suppliers exchanged": (
        "growth.step",
        "blueprint.sales_share @",
        "blueprint.sales_share.T @",
    ),
    "customers' growth that is not measured from its mean": (
        "growth.step",
        "@ (momentum.last - momentum.mean)",
        "@ momentum.last",
    ),
    "a mean of one month": (
        "growth.step",
        "(momentum.last - momentum.mean) / 12.0",
        "momentum.last - momentum.mean",
    ),
    "no correction of the mean for the noise": (
        "growth.step",
        "np.log1p(scale, out=scale)",
        "scale[:] = 0.0",
    ),
    "noise that rises with size": ("growth.step", "[: len(firms)] - term", "[: len(firms)] + term"),
    "one-offs that come again": ("growth.step", "firms.one_off[:] = 0.0", "pass"),
    "capacity held against last month's sum": (
        "growth.step",
        "zones.revenue = firms.sum_by_cell(firms.revenue, blueprint.shape)",
        "pass",
    ),
    "a cut that the logarithm does not see": (
        "growth.bind",
        "firms.log_revenue[held] += np.log(cut)",
        "pass",
    ),
    "orders that are filled and stay": ("growth.bind", "zones.orders -= filled", "pass"),
    "plants without orders": ("growth.bind", "* p.expansion_uptake", "* 0.0"),
    # 7.12 Entry, moves, exit, conversion
    "firms a month too old": (
        "lifecycle.close",
        "model.month - firms.founded",
        "model.month - firms.founded + 1",
    ),
    "large firms that close more often": (
        "lifecycle.close",
        "hazard += firms.log_revenue * p.exit_size_effect",
        "hazard -= firms.log_revenue * p.exit_size_effect",
    ),
    "staff of closed firms that are gone": (
        "lifecycle.close",
        "zones.seekers += np.bincount(firms.zone[gone], firms.staff[gone], count)",
        "pass",
    ),
    "closed firms that keep their place": (
        "lifecycle.close",
        "np.subtract.at(model.park_columns.occupied, left, 1.0)",
        "pass",
    ),
    "offers with the fill rate of the next zone": (
        "lifecycle.utilities",
        "zones.fill_rate)[:, None]",
        "np.roll(zones.fill_rate, 1))[:, None]",
    ),
    "a full park that is closed to its own firms": (
        "lifecycle.move",
        "stay | has_room(model)",
        "has_room(model)",
    ),
    "moves by a uniform that is not rescaled": (
        "lifecycle.move",
        "(luck[who] + 2.0**-25) / hazard",
        "luck[who]",
    ),
    "moves without distance": ("lifecycle.move", "- p.moving_cost * away", ""),
    "starts that see no shock": (
        "lifecycle.start",
        "model.cycle.growth.take(cell)",
        "model.cycle.sector_growth[sector]",
    ),
    "starts where rent counts from nothing": (
        "lifecycle.start",
        "(parks.rent[park] - 1.0)",
        "parks.rent[park]",
    ),
    "founders' staff as productive as at the start": (
        "lifecycle.start",
        "model.staff_per_revenue.ravel()",
        "(12.0 / model.productivity).ravel()",
    ),
    "founders who hire more people than there are": (
        "lifecycle.take_staff",
        "np.minimum(1.0, zones.seekers / np.maximum(total, 1e-300))",
        "np.ones(len(total))",
    ),
    "a firm too many in each park": ("lifecycle.place", "rank < np.floor", "rank <= np.floor"),
    "AI firms of every sector": ("lifecycle.convert", "new[can[firms.sector[new]]]", "new"),
    # 5 Initialization
    "AI shares that are cut before they are scaled": (
        "firms._ai_shares",
        "taste * goal[cells]",
        "taste",
    ),
    "founders measured by the mean firm": (
        "firms.populate",
        "p.founder_size * median_size[late]",
        "p.founder_size * mean_revenue[late]",
    ),
    "staff by the number of firms": (
        "firms.populate",
        "_scaled(revenue[existing], cells, base.staff.ravel())",
        "_scaled(np.ones(at_start), cells, base.staff.ravel())",
    ),
}


def plant(patch: pytest.MonkeyPatch, name: str) -> None:
    """Put an error into a function of the columns."""
    place, right, wrong = ERRORS[name]
    file, function = place.split(".")
    module = importlib.import_module(f"sim.{file}" if file == "firms" else f"sim.processes.{file}")
    text = inspect.getsource(getattr(module, function))
    assert text.count(right) == 1, f"{place} no longer has {right!r} just once; plant it anew"
    names = dict(vars(module))
    code = f"from __future__ import annotations\n{text.replace(right, wrong)}"
    exec(compile(code, f"<{place}, {name}>", "exec"), names)
    patch.setattr(module, function, names[function])
    if hasattr(sim.model, function):
        patch.setattr(sim.model, function, names[function])


def seen(
    runner: Runner,
    path: dict[int, list[Snapshot]],
    change: Callable[[SimpleNamespace], SimpleNamespace] = lambda parameters: parameters,
) -> bool:
    """Whether the comparison sees that the columns are not as they should be."""
    return any(
        first_difference(
            months(columns(runner, run, change(runner.district(run).parameters))), path[run]
        )
        for run in RUNS
    )


@pytest.mark.parametrize("name", ERRORS)
def test_a_planted_error_is_seen(
    everything: Runner,
    path: dict[int, list[Snapshot]],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    plant(monkeypatch, name)
    assert seen(everything, path)


# Parameters that neither firms nor parks feel: costs, and the volume of data.
NOT_FELT = {"parks.annual_rent", "platforms.founding_cost", "data_market.trade_share"}

# Parameters that move nothing but the odds of events (all of a process, or those named): where few
# events are near, a per cent more changes none. Doubled; where firms are few, fourfold.
ODDS = {
    "population": "anchor_share",
    "innovation": "frontier learning_reach linkage_reach agglomeration platform_spillover "
    "landmark_hazard landmark_platform_effect standards_per_technology standards_per_platform "
    "standards_per_scenario certainty_at_start key_share effect",
    "platforms": "all",
    "calls": "peer_effect demand_effect take_up bidders capability_weight supplier_reach "
    "staff_per_project failure hazard typical model_chance",
    "data_market": "all",
    "growth": "expansion_hazard",
    "lifecycle": "all",
}
OF_FEW = {
    "platforms": "firm_hazard firm_hazard_at_start",
    "lifecycle": "moving_cost",
    "innovation": "standards_per_scenario",
}


def off_by(process: str, name: str) -> float:
    """How wrong a parameter is made: by one per cent, if it is felt in itself."""
    if name in OF_FEW.get(process, "").split():
        return 8.0
    odds = ODDS.get(process, "").split()
    return 2.0 if name in odds or odds == ["all"] else 1.01


@pytest.mark.parametrize(
    "label",
    [
        label
        for process, group in PARAMETERS.items()
        for field in dataclasses.fields(group)
        if (label := f"{process}.{field.name}") not in NOT_FELT
    ],
)
def test_a_coefficient_that_is_off_is_seen(
    everything: Runner, path: dict[int, list[Snapshot]], label: str
) -> None:
    process, name = label.split(".")

    def change(parameters: SimpleNamespace) -> SimpleNamespace:
        group = getattr(parameters, process)
        wrong = dataclasses.replace(group, **{name: getattr(group, name) * off_by(process, name)})
        return SimpleNamespace(**vars(parameters) | {process: wrong})

    assert seen(everything, path, change)


# ------------------------------------------------------------------------------- in distribution

# Single precision and double precision, other seeds: each figure of a run is compared by two tests
# over the runs. The chance that any of them fails where there is no difference is at most 1 %.
FALSE_ALARM = 0.01
SAMPLE = 60


def figures(runner: Runner, run: int, precision: type) -> dict[str, float]:
    """A run in figures: indicators of the district at the end, and the firms' sizes and ages."""
    district = runner.district(run, precision)
    end = district.run().series[-1, :, -1]
    found: dict[str, Any] = dict(zip(district.indicators, end, strict=True))
    firms = district.columns
    active = firms.state == 1
    size = firms.log_revenue[active].astype(float)
    age = (district.month - firms.founded[active]).astype(float)
    for share in (0.1, 0.5, 0.9, 0.99):
        found[f"log size, quantile {share}"] = np.quantile(size, share)
        found[f"age, quantile {share}"] = np.quantile(age, share)
    found["spread of log size"] = size.std()
    found["largest firm"] = size.max()
    found["mean maturity"] = firms.maturity[active].mean(dtype=float)
    found["mean capability"] = firms.capability[active].mean(dtype=float)
    return {name: float(value) for name, value in found.items()}


def sample(runner: Runner, precision: type) -> dict[str, Any]:
    rows = [figures(runner, run, precision) for run in range(SAMPLE)]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def told_apart(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """The figures in which two samples differ, by Kolmogorov–Smirnov or Welch, Bonferroni."""
    level = FALSE_ALARM / (2 * len(one))
    found = []
    for name, values in one.items():
        shape = ks_2samp(values, other[name], method="asymp").pvalue
        spread = values.std() + other[name].std()
        mean = ttest_ind(values, other[name], equal_var=False).pvalue if spread > 0 else 1.0
        if min(shape, mean) < level:
            found.append(name)
    return found


@pytest.fixture(scope="module")
def doubles() -> dict[str, Any]:
    return sample(Runner(read_scenario(ROOT / "scenarios/baseline.yaml"), seed=22), np.float64)


@pytest.fixture(scope="module")
def other_luck() -> Runner:
    return Runner(read_scenario(ROOT / "scenarios/baseline.yaml"), seed=11)


def test_single_precision_is_the_same_in_distribution(
    other_luck: Runner, doubles: dict[str, Any]
) -> None:
    singles = sample(other_luck, np.float32)
    assert len(singles) >= 35
    assert told_apart(singles, doubles) == []


def test_a_planted_error_is_another_distribution(
    other_luck: Runner, doubles: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch, "no correction of the mean for the noise")
    assert told_apart(sample(other_luck, np.float32), doubles)
