# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 3 · What if
#
# > **摘要** 在 Python 中改动一个政策工具（人才补贴），再取消一项任务，与基准情景逐次配对比较：同号模拟的运气与参数相同，差别即为该改动所致，因此所需模拟次数少得多。随后看成本、每提高一个百分点的花费，以及各片区受益或受损。
#
# A lever (政策工具) is changed, a measure (任务) is taken away, and both are held beside the baseline run by
# run. Which targets move, what does it cost, and which zones gain?

# %%
from pathlib import Path

import numpy as np
import pandas as pd
from IPython.display import Markdown
from matplotlib.figure import Figure

import sim
from sim import (
    InputError,
    Runner,
    compare,
    difference_chart,
    house_style,
    read_scenario,
    sentences,
    what_if,
    zones_chart,
)

# %matplotlib inline
pd.set_option("display.max_colwidth", None)
PROJECT = Path(sim.__file__).parents[1]

# %% tags=["parameters"]
SCENARIO = "scenarios/baseline.yaml"
LEVER = {"lever": "talent_subsidy", "value": 8, "start": "2022-01", "ramp": 3}
MEASURE = "enterprise_services"
RUNS = 200
PAIRS = 12  # of runs that are followed month by month
SEED = 1

# %% [markdown]
# ## Two what-ifs
#
# `what_if` adds to a scenario what a YAML file could add, and checks it in the same way. The talent
# subsidy (人才补贴) rises from 2 to 8 万元 a newcomer; and one measure is not carried out at all: its
# intensity is 0.

# %%
base = read_scenario(PROJECT / SCENARIO)
plan = base.plan
lever = base.economy.levers[LEVER["lever"]]
more = what_if(
    base,
    "more",
    {"zh": f"{lever.name.zh} {LEVER['value']}", "en": f"{lever.name.en} at {LEVER['value']}"},
    levers=[LEVER],
)

measure = next(one for one in plan.measures if one.id == MEASURE)
less = what_if(
    base,
    "less",
    {"zh": f"取消“{measure.name.zh}”", "en": f"Without “{measure.name.en}”"},
    levers=[{"lever": "measure_intensity", "value": 0, "measures": [MEASURE]}],
)

# %% [markdown]
# What cannot be is refused, with what was found and what is allowed:

# %%
try:
    what_if(base, "wrong", {"zh": "误", "en": "Wrong"}, levers=[LEVER | {"value": 800}])
except InputError as error:
    print(error)

# %% [markdown]
# ## The same luck (公共随机数)
#
# Run 7 of both scenarios draws the same parameters and meets the same luck, because every random number
# hangs on its mechanism, month and place, not on what was drawn before (common random numbers). So the
# difference of two runs is what the change does. One target's indicator in some pairs: the runs
# themselves on the left, their differences on the right.

# %%
outcomes = {
    name: [Runner(inputs, SEED).run(run).series for run in range(PAIRS)]
    for name, inputs in {"base": base, "more": more}.items()
}
runner = Runner(base, SEED)
largest = max(plan.targets, key=lambda target: target.threshold.value)
column = runner.series_columns.index(f"{largest.id}.district")
one, two = (
    np.array([series.reshape(len(series), -1)[:, column] for series in outcomes[name]]).T
    for name in ("base", "more")
)
with house_style():
    figure = Figure(figsize=(9.5, 3.4), layout="constrained")
    runs, changes = figure.subplots(1, 2)
    months = np.arange(len(one)) / 12 + int(plan.start[:4]) + int(plan.start[5:]) / 12
    runs.plot(months, one, color="#0072B2", linewidth=1)
    runs.plot(months, two, color="#D55E00", linewidth=1, linestyle="--")
    runs.set_title(f"{largest.name.zh}，{largest.unit.zh}\nthe runs: base (blue), what-if (dashes)")
    changes.plot(months, two - one, color="#D55E00", linewidth=1)
    changes.axhline(0, color="#666666", linewidth=0.8)
    changes.set_title(f"逐次之差，{largest.unit.zh}\nwhat-if less base, pair by pair")
    for axes in (runs, changes):
        axes.title.set_fontsize(10.5)
        axes.set_xticks(range(int(months[0]), int(np.ceil(months[-1])) + 1))
figure

# %% [markdown]
# What that is worth: the standard error of the mean difference at the end from these pairs, and from as
# many runs that do not share their luck.

# %%
paired = (two - one)[-1].std(ddof=1) / PAIRS**0.5
apart = np.sqrt((one[-1].var(ddof=1) + two[-1].var(ddof=1)) / PAIRS)
print(f"mean difference {np.mean((two - one)[-1]):,.1f} {largest.unit.zh}:")
print(f"standard error {paired:,.1f} in pairs, {apart:,.1f} without")
print(f"pairs are worth {(apart / paired) ** 2:,.0f} times the runs")

# %% [markdown]
# ## Both beside the baseline
#
# `compare` makes the runs of all three scenarios and says for each target and zone how the probability
# and the value at the deadline change.

# %%
found = compare(base, [more, less], runs=RUNS, seed=SEED, out="out/compare", workers=2)
difference_chart(found, found.what_ifs[0], plan)

# %% [markdown]
# Grey is the base, colour the what-if. A target that is met or missed in nearly every run has no
# probability to gain, yet its value may rise; a hollow point is a value whose change cannot be told from
# chance. The intervals of the differences are those of paired proportions: they look at the runs in which
# only one of the two meets the target (`gained`, `lost`).

# %%
table = pd.DataFrame(row.model_dump(mode="json") for row in found.what_ifs[0].differences)
shown = ["target", "base", "what_if", "difference", "low", "high"]
shown += ["gained", "lost", "value", "error"]
table.query("zone == 'district'")[shown].set_index("target").round(3)

# %% [markdown]
# ## Cost (财政成本)
#
# In 亿元 (100 million yuan) over the whole period, what-if less base, for the items that change. What a
# percentage point costs is only said where the probability distinguishably rises.

# %%
costs = pd.DataFrame(row.model_dump() for row in found.what_ifs[0].costs)
changed = costs.query("zone == 'district' and abs(difference) > 1e-6").set_index("item")
changed[["base", "difference", "error", "q05", "q95"]].round(3)

# %%
Markdown("\n".join(f"- {line.en} {line.zh}" for line in sentences(found, found.what_ifs[0], base)))

# %% [markdown]
# ## One measure taken away
#
# What the plan would lose without the measure. Its departments then have their hands free for others, so
# that some targets may even gain a little.

# %%
difference_chart(found, found.what_ifs[1], plan)

# %% [markdown]
# ## Who gains, by zone (分片区)

# %%
zones_chart(found, found.what_ifs[0], plan)

# %%
names = {"district": "全区 whole district"} | {
    zone.id: f"{zone.name.zh} {zone.name.en}" for zone in plan.zones
}
pd.DataFrame(
    [
        (
            names[change.zone],
            what.scenario.name.en,
            change.side.value,
            ", ".join(change.rises),
            ", ".join(change.falls),
        )
        for what in found.what_ifs
        for change in what.zones
    ],
    columns=["zone", "what-if", "side", "rises", "falls"],
).set_index(["what-if", "zone"])

# %% [markdown]
# All verdicts on a what-if hold at once with 95 %: that is a wider margin than that of a single interval,
# so that nobody is called a winner for being looked at among many.
#
# The command does the same with files: `pudong compare BASE WHAT-IF…`
# ([docs/compare.md](../docs/compare.md)). What the differences rest on is the model's effects of levers
# and measures, most of which are assumptions: [4 · How sure are we](04-how-sure-are-we.ipynb).
