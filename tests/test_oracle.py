"""The columns against the reference: the same model twice, firm by firm and in distribution.

``tests/reference`` is docs/model.md written again, one Mesa agent a firm. Both meet the same luck,
so they must agree in every firm and month; and the comparison must see any error that is planted
into the columns.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml
from scipy.stats import ks_2samp, ttest_ind

import sim.kernels
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
    a measure that pushes the drivers that its plan leaves alone and began before it, larger firms,
    more platforms, and projects at the start that do not count."""
    files = {
        "scenario": read_yaml(REFERENCE / "everything.yaml").data,
        "plan": read_yaml(ROOT / "tests/small_district/plan.yaml").data,
        "economy": read_yaml(ROOT / "tests/small_district/economy.yaml").data,
    }
    plan = files["plan"]
    pushed = {effect["driver"] for measure in plan["measures"] for effect in measure["effects"]}
    desk = next(measure for measure in plan["measures"] if measure["id"] == "start_up_desk")
    desk["start"] = "2024-03"
    desk["effects"] += [{"driver": d.value, "strength": 1.5} for d in Driver if d not in pushed]
    next(m for m in plan["measures"] if m["id"] == "newcomers")["start"] = plan["start"]
    plan["counts_projects_under_way"] = False
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


RUNS = (65, 15)  # in run 65 a firm also repeats a project of its own, which is rare


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
        assert path[run][0]["projects under way"].shape[1] >= 5
        assert (end["proposed"].sum(axis=0) >= 2).all()
        assert (end["displaced arrivals"] > 0).any()


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
        for name in group._fields:  # type: ignore[attr-defined]
            assert re.search(rf"\b{name}(_s|_r)?\b", page), f"{process}.{name}"


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
        "- shocks.path[j, month - 1]",
        "",
    ),
    "a shock that comes a month late": (
        "economy.step",
        "shocks.path[j, month] - shocks.path[j, month - 1]",
        "shocks.path[j, month - 1] - shocks.path[j, max(month - 2, 0)]",
    ),
    "factors that lose their variance": (
        "economy.turn",
        "np.sqrt(1.0 - rho**2) * luck[1 + s]",
        "(1.0 - rho) * luck[1 + s]",
    ),
    # 7.2 to 7.4 Implementation, drivers, parks
    "other duties that grow with the lever": (
        "implementation.step",
        "work.other_duties,",
        "work.other_duties / blueprint.department_staffed * blueprint.department_capacity[month],",
    ),
    "the strongest that steps in for nobody": (
        "implementation.joint_effort",
        "p.hand_over * strongest[cell]",
        "0.0",
    ),
    "efforts in sum and not on average": (
        "implementation.joint_effort",
        " / members[cell]",
        "",
    ),
    "measures that money alone moves on": (
        "implementation.make_progress",
        "* joint[m, z] ** p.money_substitution",
        "* money[m, z] ** p.money_substitution",
    ),
    "measures that start with the plan and come too late": (
        "implementation.Work",
        "(measures.start <= 0)",
        "(measures.start < 0)",
    ),
    "measures that have attention before they start": (
        "implementation.Work",
        "np.exp(measures.priority) * goes_on",
        "np.exp(measures.priority)",
    ),
    "levers as strong as in their records": (
        "drivers.Drivers",
        "p.lever_scale[place] * ",
        "",
    ),
    "money that does as much in a large zone": (
        "drivers.lever_push",
        "extra / np.maximum(blueprint.firm_share, 1e-6)",
        "extra",
    ),
    "openness without setbacks": (
        "drivers.open_up",
        "setback_months[z] > 0.0",
        "False",
    ),
    "openness that counts in pilot zones alone": (
        "drivers.open_up",
        "max(allowed[z], spread)",
        "max(lever[z], spread)",
    ),
    "rent relief in the wrong zone": (
        "parks.manage",
        "(1.0 - relief[z])",
        "(1.0 - relief[z - 1])",
    ),
    "parks that are served by zones alone": (
        "parks.manage",
        "service_driver[z] + park_driver[z]",
        "service_driver[z]",
    ),
    # 7.5 Talent
    "attrition twice": (
        "talent.lose_staff",
        "kind.type(1.0 - attrition)",
        "kind.type((1.0 - attrition) ** 2)",
    ),
    "the fill rate of the next zone": (
        "talent.hire",
        "fill_rate[c // sectors]",
        "fill_rate[c // sectors - 1]",
    ),
    "commuting to where people live": (
        "talent.applications",
        "commuting[z, to] * vacancies[to]",
        "commuting[z, to] * vacancies[z]",
    ),
    "hires taken from the zone of the post": (
        "talent.match",
        "origin[z, to] * hired[to]",
        "origin[to, z] * hired[to]",
    ),
    "wages that raise the demand for labour": (
        "talent.demand",
        "** p.labour_demand_elasticity",
        "** -p.labour_demand_elasticity",
    ),
    "a subsidy that counts from nothing": (
        "talent.come",
        "(p.annual_pay + had)",
        "p.annual_pay",
    ),
    "a subsidy that is paid every year": (
        "talent.come",
        "subsidy[z] / p.grant_years",
        "subsidy[z]",
    ),
    "a subsidy for everybody": (
        "talent.come",
        "np.log(1.0 - p.eligible + drawn)",
        "np.log(drawn / p.eligible)",
    ),
    "grants that need no housing": (
        "talent.come",
        "eased * np.log",
        "np.log",
    ),
    "newcomers in all zones alike": (
        "talent.come",
        "everywhere * share",
        "everywhere / len(luck)",
    ),
    "newcomers who do not look at a zone's wage": (
        "talent.come",
        "share = vacancies[z] * wage_index[z] ** p.zone_choice / max(appeal, 1e-300)",
        "share = vacancies[z] / max(open_posts, 1e-300)",
    ),
    "neighbours who lose all newcomers": (
        "talent.come",
        "max(1.0 - np.exp(-pull[z]), 0.0)",
        "1.0",
    ),
    "newcomers who all come under policy": (
        "talent.come",
        "p.inflow_rate * (pull[z] - quality[z])",
        "pull[z] - quality[z]",
    ),
    "dismissed staff who stay": (
        "talent.lose_staff",
        "staff[i] -= sent",
        "pass",
    ),
    "dismissed staff who are gone": (
        "talent.labour_market",
        "seekers[z] += dismissed[z] * (1.0 - p.leave_district)",
        "pass",
    ),
    "seekers who never look far away": (
        "talent.gravity",
        "p.relocation + (1.0 - p.relocation) * near",
        "near",
    ),
    "a start without open posts": (
        "talent.at_start",
        "1.0 / normal_staffing - 1.0 + ",
        "",
    ),
    "leavers who all leave the district": (
        "talent.step",
        "zones.seekers += left - zones.departures",
        "pass",
    ),
    # 7.6 Diffusion
    "another driver than adoption": ("diffusion.step", "Driver.ADOPTION", "Driver.SERVICE"),
    "AI shares that spread without an end": (
        "diffusion.spread",
        " * (one - ai_share[i])",
        "",
    ),
    "data that help AI in every sector alike": (
        "diffusion.spread",
        "p.data_effect * data_intensity[s] * data_access[z]",
        "p.data_effect * data_access[z]",
    ),
    # 7.7 and 7.8 Innovation, platforms
    "a frontier that stands still": (
        "innovation.succeed",
        "capability[i] *= kept[i]",
        "pass",
    ),
    "a frontier that the success itself may pass": (
        "innovation.succeed",
        "able = capability[i] >= p.frontier",
        "able = capability[i] + p.step * (1.0 - capability[i]) >= p.frontier",
    ),
    "knowledge with the reach of the other zone": (
        "innovation.knowledge",
        "p.linkage_reach * linkage[z]",
        "p.linkage_reach * linkage[z - 1]",
    ),
    "a threshold from a uniform that is not rescaled": (
        "innovation.succeed",
        "(luck[i] + 2.0**-25) / key_chance",
        "luck[i] + 2.0**-25",
    ),
    "standards from scenarios of the whole district": (
        "innovation.mature",
        "scenarios[z, s]",
        "scenarios[:, s].sum()",
    ),
    "technologies that are proposed again": (
        "innovation.propose",
        "proposed[z, source] += made",
        "pass",
    ),
    "support that acts at once": (
        "innovation.rates",
        "(goal - support[z, s]) / (12.0 * p.gestation)",
        "goal - support[z, s]",
    ),
    "newcomers who do research no better": (
        "innovation.rates",
        "p.talent_effect * quality[z]",
        "0.0",
    ),
    "technologies that cost their maker": (
        "innovation.value",
        "standing[i] -=",
        "standing[i] +=",
    ),
    "technologies that nobody asks for": (
        "innovation.value",
        " + (1.0 - p.value_alone) * demand[cell[i]]",
        "",
    ),
    "a frontier that moves alike for all": (
        "innovation.Research",
        "level = firms.capability.astype(float)",
        "level = np.full(len(sector), firms.capability.mean())",
    ),
    "a frontier that founders keep up with": (
        "innovation.Research",
        "np.where(firms.alive > 0, firms.staff, future)",
        "firms.staff",
    ),
    "platforms that small firms found": (
        "platforms.capable",
        "large[i] and capability[i] >= enough",
        "capability[i] >= enough",
    ),
    # 7.9 Scenario calls
    "peers in sum and not on average": (
        "calls.called",
        " / max(firms[z, s], 1.0)",
        "",
    ),
    "projects that last a month longer": (
        "calls.begin",
        "last = month + int(length)",
        "last = month + int(length) + 1",
    ),
    "projects that are judged a month late": (
        "calls.finish",
        "model.month,",
        "model.month - 1,",
    ),
    "suppliers that are never full": (
        "calls.award",
        "capacity < 1.0 or spare <= 0.0",
        "firms.staff[bidder] <= 0.0",
    ),
    "suppliers too small for a project": (
        "calls.award",
        "capacity < 1.0 or spare <= 0.0",
        "spare <= 0.0",
    ),
    "bids of all that are asked": (
        "calls.award",
        "bids > p.bidders",
        "bids > 2.0 * p.bidders",
    ),
    "suppliers that are no better for their capability": (
        "calls.award",
        "np.exp(skill) * spare",
        "spare",
    ),
    "the adopter's capability for the supplier's": (
        "calls.judge",
        "fails = p.failure * (1.0 - firms.capability[supplier])",
        "fails = p.failure * (1.0 - firms.capability[adopter])",
    ),
    "suppliers that learn nothing": (
        "calls.judge",
        "firms.capability[supplier] += p.learning * (1.0 - firms.capability[supplier])",
        "pass",
    ),
    "projects before the plan that count": (
        "calls.judge",
        " or ended[4, n] == 0",
        "",
    ),
    "grants that all bring a call more": (
        "calls.called",
        "funded * (1.0 - p.deadweight)",
        "funded",
    ),
    "own calls that never give way": (
        "calls.called",
        "p.crowding_out * added",
        "0.0 * added",
    ),
    "calls in the month before the start alone": (
        "calls.called",
        "if before else 0.0",
        "if False else 0.0",
    ),
    "long projects that are met no more often": (
        "calls.begin",
        "np.sqrt(first**2 + luck[call, 0] * (beyond**2 - first**2))",
        "first + luck[call, 0] * (beyond - first)",
    ),
    "projects at the start that have just begun": (
        "calls.begin",
        "last = 1 + int(luck[call, 2] * np.floor(length))",
        "last = int(length)",
    ),
    "projects at the start that outlast themselves": (
        "calls.begin",
        "int(luck[call, 2] * np.floor(length))",
        "int(luck[call, 2] * length)",
    ),
    "projects at the start that pay once more": (
        "calls.begin",
        "if month > 0:",
        "if True:",
    ),
    "projects of closed suppliers that go on": (
        "calls.judge",
        "firms.alive[adopter] == 0.0 or firms.alive[supplier] == 0.0",
        "firms.alive[adopter] == 0.0",
    ),
    "an outcome from a uniform that is not rescaled": (
        "calls.judge",
        "(luck[n] - fails) / (1.0 - fails)",
        "luck[n]",
    ),
    "a growth term for each of several projects": (
        "calls.project_growth",
        "np.log1p(number * monthly * np.exp(-log_revenue))",
        "number * np.log1p(monthly * np.exp(-log_revenue))",
    ),
    "projects that leave nothing behind": (
        "calls.leave",
        "(1.0 - p.follow_on) *",
        "1.0 *",
    ),
    "a model by the same firm's second project": (
        "calls.judge",
        "elif first != adopter and",
        "elif",
    ),
    # 7.10 Data market
    "data that are traded without being used": (
        "data_market.trade",
        "-np.expm1(-effect * data_intensity[s] * data_used[z])",
        "-np.expm1(-effect * data_intensity[s])",
    ),
    "data that all cross the border": (
        "data_market.trade",
        "data_volume[z] * openness[z]",
        "data_volume[z]",
    ),
    # 7.11 Growth
    "customers and suppliers exchanged": (
        "growth.customers",
        "sales_share[s, buyer]",
        "sales_share[buyer, s]",
    ),
    "customers' growth that is measured from nothing": (
        "growth.customers",
        "(last[buyer] - usual[buyer])",
        "last[buyer]",
    ),
    "customers' growth that is measured from the base year": (
        "growth.Momentum",
        "p.drift / 12.0",
        "blueprint.base.growth / 12.0",
    ),
    "effects that act at once": (
        "growth.shared",
        "(goal - lift[z, s]) / (12.0 * p.build_up)",
        "goal - lift[z, s]",
    ),
    "effects that come again each month": (
        "growth.shared",
        "lift[z, s] += rise",
        "pass",
    ),
    "data that firms use at once": (
        "growth.use_data",
        "(data_access[z] - data_used[z]) / (12.0 * p.build_up)",
        "data_access[z] - data_used[z]",
    ),
    "data that help every sector alike": (
        "growth.use_data",
        "p.data_effect * data_intensity[s] * more",
        "p.data_effect * more",
    ),
    "capability that pays each month": (
        "growth.own",
        "standing[i] += rise",
        "pass",
    ),
    "founders who bring nothing along": (
        "growth.set_past",
        "firms.reveal_all()",
        "pass",
    ),
    "firms that did not grow before the start": (
        "growth.set_past",
        " - past",
        "",
    ),
    "firms that had no luck before the start": (
        "growth.set_past",
        " + wide * noise",
        "",
    ),
    "a year's mean of one month": (
        "growth.move",
        "twelfth * (log_revenue[i] - trend[i])",
        "log_revenue[i] - trend[i]",
    ),
    "jumps twice as often": (
        "growth.step",
        "shake(change, luck, p.jumps / 12.0, scale)",
        "shake(change, luck, p.jumps / 6.0, scale)",
    ),
    "jumps up alone": (
        "growth.shake",
        "size if centred > 0.0 else -size",
        "size",
    ),
    "jumps from a uniform that is not rescaled": (
        "growth.shake",
        "(luck[i] + 2.0**-25) / chance",
        "(luck[i] + 2.0**-25)",
    ),
    "jumps that are corrected as if all jumped": (
        "growth.shake",
        "part * b * b",
        "b * b",
    ),
    "young firms that grow no faster": (
        "growth.by_size_and_age",
        "change[i] += faster * youth[i]",
        "pass",
    ),
    "young firms that stay young": (
        "growth.by_size_and_age",
        "youth[i] *= older",
        "pass",
    ),
    "young firms that jump no further": (
        "growth.by_size_and_age",
        "wider * youth[i] - exponent",
        "-exponent",
    ),
    "size against the mean at the start": (
        "growth.step",
        "momentum.mean_log,",
        "momentum.first_log,",
    ),
    "no correction of the mean for the noise": (
        "growth.step",
        "np.log1p(correction, out=correction)",
        "correction[:] = 0.0",
    ),
    "noise that rises with size": (
        "growth.by_size_and_age",
        "- exponent * log_revenue[i]",
        "+ exponent * log_revenue[i]",
    ),
    "one-offs that come again": (
        "growth.own",
        "one_off[:] = 0.0",
        "pass",
    ),
    "capacity held against last month's sum": (
        "growth.step",
        "zones.revenue.reshape(-1)",
        "zones.revenue.flatten()",
    ),
    "a cut that the logarithm does not see": (
        "growth.bind",
        "log_revenue[i] += np.log(factor)",
        "pass",
    ),
    "orders that are filled and stay": (
        "growth.bind",
        "orders[z, s] -= filled",
        "pass",
    ),
    "plants without orders": ("growth.bind", "* p.expansion_uptake", "* 0.0"),
    # 7.12 Entry, exit, conversion
    "firms a month too old": (
        "lifecycle.struck",
        "month - founded[i]",
        "month - founded[i] + 1",
    ),
    "large firms that close more often": (
        "lifecycle.struck",
        "effect * log_revenue[i]",
        "-effect * log_revenue[i]",
    ),
    "firms that stand distress": (
        "lifecycle.struck",
        "distress * fallen",
        "none * fallen",
    ),
    "firms that growth saves": (
        "lifecycle.struck",
        "max(trend[i] - log_revenue[i], none)",
        "trend[i] - log_revenue[i]",
    ),
    "distress that comes on top of the profile": (
        "lifecycle.Exits",
        " - np.log(usual)",
        "",
    ),
    "distress that all have in a normal year": (
        "lifecycle.Exits",
        "0.5 * above * more",
        "more",
    ),
    "staff of closed firms that are gone": (
        "lifecycle.leave",
        "seekers[firms.zone[i]] += firms.staff[i]",
        "pass",
    ),
    "closed firms that keep their place": (
        "lifecycle.leave",
        "occupied[firms.park[i]] -= 1.0",
        "pass",
    ),
    "offers with the fill rate of the next zone": (
        "lifecycle.offers",
        "fill_rate[z]",
        "fill_rate[z - 1]",
    ),
    "starts as many as at the start": (
        "lifecycle.admit",
        " + stock[s]",
        "",
    ),
    "starts by the firms of all sectors": (
        "lifecycle.start",
        "zones.firms.sum(axis=0)",
        "np.full(len(model.founding_firms), zones.firms.sum() / 5.0)",
    ),
    "starts that data put off": (
        "lifecycle.admit",
        "p.data_start_effect * data_intensity[s] * data_access[z]",
        "-p.data_start_effect * data_intensity[s] * data_access[z]",
    ),
    "starts that newcomers put off": (
        "lifecycle.admit",
        "p.talent_start_effect * pull[z]",
        "-p.talent_start_effect * pull[z]",
    ),
    "foreign founders who wait for open data": (
        "lifecycle.admit",
        "p.openness_effect * openness[z]",
        "-p.openness_effect * openness[z]",
    ),
    "founders as small as at the start": (
        "lifecycle.admit",
        "firms.log_revenue[i] += grown[s]",
        "pass",
    ),
    "founders who have fallen": (
        "lifecycle.admit",
        "firms.trend[i] = firms.log_revenue[i]",
        "pass",
    ),
    "starts that see no shock": (
        "lifecycle.start",
        "model.cycle.growth,",
        "np.tile(model.cycle.sector_growth, (len(zones.seekers), 1)),",
    ),
    "starts where rent counts from nothing": (
        "lifecycle.admit",
        "(rent[k] - 1.0)",
        "rent[k]",
    ),
    "founders' staff as productive as at the start": (
        "lifecycle.start",
        "model.staff_per_revenue.reshape(-1)",
        "(12.0 / model.productivity).reshape(-1)",
    ),
    "founders who hire more people than there are": (
        "lifecycle.hire",
        "min(1.0, seekers[z] / max(wanted[z], 1e-300))",
        "1.0",
    ),
    "a firm too many in each park": (
        "lifecycle.admit",
        "and left[k] >= 1.0",
        "and left[k] >= 0.0",
    ),
    "AI firms of every sector": (
        "lifecycle.become_ai",
        " and can[sector[i]]",
        "",
    ),
    # 5 Initialization
    "AI shares that are not cut off": (
        "firms._tastes",
        "-uniform * whole",
        "-uniform",
    ),
    "AI shares that are not scaled": (
        "firms._ai_shares",
        "* now[cells[i]]",
        "* 1.0",
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


def plain(patch: pytest.MonkeyPatch, file: str, right: str = "", wrong: str = "") -> None:
    """Let the columns run a file's functions in plain Python, with one text put for another."""
    name = f"sim.{file}" if file == "firms" else f"sim.processes.{file}"
    module = importlib.import_module(name)
    text = inspect.getsource(module)
    fresh = ModuleType(name)
    with pytest.MonkeyPatch.context() as uncompiled:
        uncompiled.setattr(sim.kernels, "kernel", lambda function: function)
        exec(compile(text.replace(right, wrong), f"<{file}: {wrong}>", "exec"), vars(fresh))
    for function, new in vars(fresh).items():
        if isinstance(new, FunctionType | type) and new.__module__ == name:
            patch.setattr(module, function, new)
            if function in vars(sim.model):
                patch.setattr(sim.model, function, new)


def plant(patch: pytest.MonkeyPatch, name: str) -> None:
    """Put an error into a function of the columns."""
    place, right, wrong = ERRORS[name]
    file, function = place.split(".")
    module = importlib.import_module(f"sim.{file}" if file == "firms" else f"sim.processes.{file}")
    text = inspect.getsource(getattr(module, function))
    assert text.count(right) == 1, f"{place} no longer has {right!r} just once; plant it anew"
    plain(patch, file, text, text.replace(right, wrong))


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


FILES = sorted({place.split(".")[0] for place, _, _ in ERRORS.values()})


@pytest.mark.parametrize("file", FILES)
def test_without_an_error_plain_python_is_what_is_compiled(
    everything: Runner, path: dict[int, list[Snapshot]], monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    plain(monkeypatch, file)
    assert not seen(everything, path)


@pytest.mark.parametrize("name", ERRORS)
def test_a_planted_error_is_seen(
    everything: Runner,
    path: dict[int, list[Snapshot]],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    plant(monkeypatch, name)
    assert seen(everything, path)


# Parameters that neither firms nor parks feel: costs.
NOT_FELT = {"parks.annual_rent", "platforms.founding_cost"}

# Parameters that move nothing but the odds of events (all of a process, or those named): where few
# events are near, a per cent more changes none. Doubled; where firms are few, fourfold.
ODDS = {
    "population": "anchor_share",
    "innovation": "frontier learning_reach linkage_reach agglomeration platform_spillover "
    "talent_effect landmark_hazard landmark_platform_effect standards_per_technology "
    "standards_per_platform standards_per_scenario certainty_at_start key_share",
    "platforms": "all",
    "calls": "peer_effect demand_effect take_up deadweight crowding_out bidders "
    "capability_weight staff_per_project failure hazard typical model_chance",
    "data_market": "all",
    "growth": "expansion_hazard",
    "lifecycle": "all",
}
OF_FEW = {
    "platforms": "firm_hazard firm_hazard_at_start",
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
        for name in group._fields  # type: ignore[attr-defined]
        if (label := f"{process}.{name}") not in NOT_FELT
    ],
)
def test_a_coefficient_that_is_off_is_seen(
    everything: Runner, path: dict[int, list[Snapshot]], label: str
) -> None:
    process, name = label.split(".")

    def change(parameters: SimpleNamespace) -> SimpleNamespace:
        group = getattr(parameters, process)
        wrong = group._replace(**{name: getattr(group, name) * off_by(process, name)})
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
