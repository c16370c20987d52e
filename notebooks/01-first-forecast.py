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
# # 1 · A first forecast
#
# > **摘要** 读入一个情景，模拟若干次，看各片区各项指标按期达成的概率（达成概率图）、一项指标逐月的扇形图、结果的文字说明，最后用 pandas 打开全部模拟结果，提出汇总之外的问题。概率是“在这些假设下，多少次模拟达标”，不是预言。
#
# How likely is each target of the plan, in the district and in each zone? This notebook asks with few
# runs, looks at the answer in three forms (a board, a chart, words), and then opens the runs themselves.
# It takes under a minute on two cores.

# %%
from glob import glob
from pathlib import Path

import pandas as pd
from IPython.display import Markdown

import sim
from sim import Runner, draw, forecast, notes, read_published, read_scenario

# %matplotlib inline
PROJECT = Path(sim.__file__).parents[1]

# %% tags=["parameters"]
SCENARIO = "scenarios/baseline.yaml"
RUNS = 200
SEED = 1

# %% [markdown]
# ## The scenario
#
# A scenario (情景) is one YAML file: which plan, which economy, and what differs from the plan. The
# baseline differs in nothing. Reading checks every field; a mistake is an `InputError` that names file,
# line, found and allowed.

# %%
inputs = read_scenario(PROJECT / SCENARIO)
plan = inputs.plan
Markdown(f"**{inputs.scenario.question.en}** {inputs.scenario.question.zh}")

# %%
pd.DataFrame(
    [
        (target.name.zh, target.name.en, target.threshold.value, target.unit.zh, target.deadline)
        for target in plan.targets
    ],
    index=pd.Index(plan.target_ids(), name="target"),
    columns=["指标", "name", "threshold", "unit", "deadline"],
)

# %% [markdown]
# ## The forecast
#
# Each run (模拟) draws its parameters and its luck anew. The runs are kept in `out`: the same call again
# uses them, and more `runs` adds what is missing. The result depends on the files, the seed and the
# number of runs, not on the number of workers.

# %%
out = Path("out/first")
answer = forecast(inputs, runs=RUNS, seed=SEED, out=out, workers=2)

# %% [markdown]
# ### The board (达成概率图)
#
# Rows are zones, columns targets. A cell holds the share of the runs that meet the target by its
# deadline; the small line below is its 95 % interval, which says what a finite number of runs leaves
# open. It says nothing about whether the model is right: notebook 4 is about that.

# %%
published = read_published(out)
draw(published, "board")

# %% [markdown]
# ### The same as a table
#
# `answer.results` has a row a zone and target. The values at the deadline are in the target's unit:
# nine runs in ten lie between `q05` and `q95`, and `shortfall` is what is lacking on average.

# %%
whole = answer.results.query("zone == 'district'").set_index("target")
shown = ["threshold", "probability", "low", "high", "q05", "q50", "q95", "shortfall"]
whole[shown].round(2)

# %% [markdown]
# ### In words
#
# The sentences that the command prints under its table:

# %%
Markdown("\n".join(f"- {note.en} {note.zh}" for note in notes(answer, inputs.scenario.name)))

# %% [markdown]
# ### One target over time (扇形图)
#
# The target whose answer is most in doubt, month by month. The dark line is the median of the runs, the
# bands hold the middle 50 and 90 % of them, and the diamond is the target at its deadline.

# %%
doubtful = (whole["probability"].drop("all") - 0.5).abs().idxmin()
draw(published, "fan", target=doubtful)

# %% [markdown]
# ## The runs themselves
#
# `out/first/runs` holds every run as Parquet: `series` (indicators by month), `costs` and `parameters`.
# pandas opens them without this program. First the probability again, counted by hand:

# %%
files = sorted(glob(f"{out}/runs/chunk-*/series.parquet"))
limits = whole["threshold"].drop("all")
columns = [f"{target}.district" for target in limits.index]
series = pd.read_parquet(files, columns=["run", "month", *columns]).query("run < @RUNS")

target = next(one for one in plan.targets if one.id == doubtful)
end = series[series["month"] == target.deadline].set_index("run")
met = end[f"{doubtful}.district"] >= target.threshold.value
print(f"{doubtful}: {met.sum()} of {len(met)} runs reach {target.threshold.value:,.0f}")

# %% [markdown]
# Now a question that no summary answers: do targets fail together? The correlation, over the runs, of
# each target's value at the end with that of the doubtful one. What they share is parameters and the
# common shocks of a run.

# %%
values = end[columns].rename(columns=lambda name: name.removesuffix(".district"))
together = values.corrwith(values[doubtful], method="spearman").drop(doubtful)
together.sort_values(ascending=False).round(2).to_frame("rank correlation")

# %% [markdown]
# And which uncertain parameters go with a good outcome? With some hundred parameters and so few runs
# only the strongest mean anything: by luck alone the largest of a hundred correlations is near
# 2.6/√runs.

# %%
drawn = pd.concat(map(pd.read_parquet, sorted(glob(f"{out}/runs/chunk-*/parameters.parquet"))))
drawn = drawn.set_index("run").loc[values.index]
drawn = drawn.loc[:, drawn.nunique() > 1].rank().T.drop_duplicates().T  # some move as one
strongest = drawn.corrwith(values[doubtful].rank())
strongest = strongest.sort_values(key=abs, ascending=False).head(5)
print(f"by luck alone about ± {2.6 / len(values) ** 0.5:.2f}")
strongest.round(2).to_frame("rank correlation")

# %% [markdown]
# ## Inside one run
#
# A run is a `mesa.Model` that can be stepped and looked at: firms, parks and departments are its agents.

# %%
district = Runner(inputs, seed=SEED).district(run=0)
for _ in range(12):
    district.step()
firms = pd.DataFrame(
    [(firm.zone, firm.sector, firm.is_ai, firm.revenue) for firm in district.firms],
    columns=["zone", "sector", "is_ai", "revenue"],
)
by_zone = firms.groupby("zone").agg(
    firms=("sector", "size"), ai_firms=("is_ai", "sum"), monthly_revenue=("revenue", "sum")
)
by_zone.sort_values("monthly_revenue", ascending=False).round(1)

# %% [markdown]
# ## Next
#
# [2 · Calibrate](02-calibrate.ipynb) fits the parameters to what was published,
# [3 · What if](03-what-if.ipynb) changes the plan, [4 · How sure are we](04-how-sure-are-we.ipynb) asks
# what the answer rests on. [docs/api.md](../docs/api.md) lists all functions that are used here,
# [docs/store.md](../docs/store.md) the tables of the runs.
