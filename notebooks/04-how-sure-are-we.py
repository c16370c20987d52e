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
# # 4 · How sure are we
#
# > **摘要** 一个概率有几层不确定性：模拟次数有限、偶然因素、参数（有来源的、属假设的），以及在各次模拟中不变的假设。本节逐层拆分；再以 2021 年的公布数对模拟加权（条件概率）；用同样的数给预测打分；最后看需要多少次模拟。
#
# A probability of 70 % from a model is not 70 % of certainty. This notebook takes the doubt apart: chance
# against parameters, sources against assumptions; then asks what the figures of 2021 say, how good the
# forecast was on them, and how many runs are enough.

# %%
from pathlib import Path

import numpy as np
import pandas as pd
from IPython.display import Markdown
from matplotlib.figure import Figure

import sim
from sim import (
    forecast,
    house_style,
    notes,
    observe,
    observed_notes,
    read_published,
    read_scenario,
    reliability_chart,
    score,
    shift_chart,
    with_priors,
)

# %matplotlib inline
PROJECT = Path(sim.__file__).parents[1]

# %% tags=["parameters"]
SCENARIO = "scenarios/baseline.yaml"
FIGURES = "calibration/data/observations.csv"
HISTORY = "calibration/data/history.csv"
RUNS = 1_000
SEED = 1

# %% [markdown]
# The shipped parameters were fitted to the figures of 2021. Whoever wants to learn from these figures
# again, or to score the forecast on them, must leave the fit aside, or would count them twice:
# `with_priors` draws every parameter from its prior (先验).

# %%
inputs = with_priors(read_scenario(PROJECT / SCENARIO))
plan = inputs.plan
out = Path("out/fit/prior")  # the runs of notebook 2, where that was executed in the same place
answer = forecast(inputs, runs=RUNS, seed=SEED, out=out, workers=2)
whole = answer.results.query("zone == 'district'").set_index("target")
whole[["probability", "low", "high", "parameter_share"]].round(3)

# %% [markdown]
# ## Chance against parameters (偶然与参数)
#
# Some runs are made twice: the same parameters, other luck. What differs between the two is chance, the
# rest lies in parameters. `parameter_share` above is that part of the doubt about *met or not*. For the
# *value* at the deadline the part of the parameters is split further, by what each rests on. The parts are
# estimates, each good to some hundredths, chance to a tenth; the bars are scaled to 100 %.

# %%
split = answer.uncertainty.split.query("zone == 'district' and of == 'value'").set_index("target")
parts = {
    "source": ("有来源的参数", "parameters with a source", "#0072B2"),
    "fitted": ("拟合的参数", "fitted parameters", "#56B4E9"),
    "assumption": ("假设的参数", "parameters that are assumptions", "#D55E00"),
    "joint": ("参数共同作用", "parameters jointly", "#F0B98D"),
    "chance": ("偶然因素", "chance", "#CCCCCC"),
}
shares = split[list(parts)].astype(float).fillna(0).clip(lower=0)
shares = 100 * shares.div(shares.sum(axis=1).where(lambda total: total > 0, 1), axis=0)
labels = {target.id: f"{target.name.zh}\n{target.id}" for target in plan.targets}
labels["all"] = "达标数\ntargets met"
with house_style():
    figure = Figure(figsize=(10, 0.52 * len(shares) + 1.3), layout="constrained")
    axes = figure.subplots()
    left = np.zeros(len(shares))
    for part, (zh, en, colour) in parts.items():
        if shares[part].max() >= 0.5:
            axes.barh(range(len(shares)), shares[part], left=left, color=colour, label=f"{zh} {en}")
        left += shares[part].to_numpy()
    axes.set_yticks(range(len(shares)), labels=[labels[target] for target in shares.index])
    axes.tick_params(labelsize=9)
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.set_xlabel("期末值方差的构成，%  share of the variance of the value at the deadline, %")
    figure.legend(loc="outside upper center", ncols=2, frameon=False, fontsize=9.5)
figure

# %% [markdown]
# The single parameters that matter most, for those told from none at the 5 % level:

# %%
largest = answer.uncertainty.largest.query("zone == 'district' and of == 'value'")
first = largest.groupby("target", sort=False).head(1).set_index("target")
first[["parameter", "basis", "share", "error"]].round(2)

# %% [markdown]
# ## How much rests on assumptions (假设)
#
# Parameters vary from run to run, so that their doubt is in the answer. Most numbers of the plan and the
# economy do not: base-year figures, effects and speeds of measures, distances. Those of them that are
# assumptions are in no share and no interval. They can only be counted, and changed in a what-if.

# %%
doubt = answer.uncertainty
print("vary over the runs:", {basis: count for basis, count in doubt.varied.items() if count})
print("assumptions that do not:", sum(doubt.fixed.values()))
pd.Series(doubt.fixed, name="assumptions").sort_values(ascending=False).head(8).to_frame()

# %%
Markdown("\n".join(f"- {note.en} {note.zh}" for note in notes(answer, inputs.scenario.name)))

# %% [markdown]
# ## Given what was observed (条件概率)
#
# `observe` weights the runs by how likely each makes the published figures; no run is made again. Runs
# that agree count more, so that parameters and the state that the district has reached are both taken
# from the figures. Effective runs say how many equally weighted ones would be as good.

# %%
observed = observe(inputs, PROJECT / FIGURES, runs=RUNS, seed=SEED, out=out, workers=2)
shift_chart(observed, plan, scenario=inputs.scenario.name)

# %%
Markdown("\n".join(f"- {note.en} {note.zh}" for note in observed_notes(observed, plan)))

# %% [markdown]
# Which figure does it? `distance` is how many standard deviations it lies above the runs' median,
# `effective_alone` how many runs would count with it alone: the fewer, the more it says.

# %%
columns = ["id", "month", "kind", "value", "unit", "q05", "q50", "q95"]
columns += ["distance", "effective_alone"]
observed.influence[columns].set_index("id").round(1)

# %% [markdown]
# ## Was it any good? (评分)
#
# `score` holds the forecast beside figures that came later, and beside naive forecasts (朴素预测) made from
# the years before. CRPS is an error in log points: 0.05 is what a certain forecast gets that is 5 % beside
# the figure. Lower is better.

# %%
finished = read_published(out).finished
scored = score(finished, PROJECT / FIGURES, PROJECT / HISTORY)
totals = pd.DataFrame(row.model_dump(mode="json") for row in scored.totals).set_index("forecast")
totals[["values", "crps", "log_score", "bounds", "bounds_log_score"]].round(3)

# %%
reliability_chart(scored, scenario=inputs.scenario.name)

# %%
words = [skill.words for skill in scored.skills if skill.score == "CRPS"] + scored.remarks
Markdown("\n".join(f"- {line.en} {line.zh}" for line in words))

# %% [markdown]
# A few figures from one place and one year conclude nothing, and the model's authors had seen them when
# the priors were set: this is a check, no test of foresight. What would be one is a forecast that is kept
# today and scored when the figures of later years are out: `pudong score`.
#
# ## How many runs are enough? (模拟次数)
#
# The 95 % interval of a probability has a half-width of about 1.96·√(p(1 − p)/n). The estimate after each
# run for the target most in doubt, with its interval:

# %%
doubtful = (whole["probability"].drop("all") - 0.5).abs().idxmin()
target = next(one for one in plan.targets if one.id == doubtful)
values = finished.values(doubtful, "district", target.deadline)
met = target.met(values, target.threshold.value)
count = np.arange(1, len(met) + 1)
share = np.cumsum(met) / count
z = 1.96
middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
width = z * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2)) / (1 + z**2 / count)
with house_style():
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    axes = figure.subplots()
    axes.fill_between(
        count, 100 * (middle - width), 100 * (middle + width), color="#CCE3F0", linewidth=0
    )
    axes.plot(count, 100 * share, color="#0072B2")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlim(10, len(met))
    axes.set_ylim(0, 100)
    axes.set_xlabel("模拟次数  number of runs")
    axes.set_title(f"{target.name.zh} {target.name.en}: %", loc="left", fontsize=11)
figure

# %%
wanted = np.array([0.1, 0.05, 0.03, 0.01])
needed = pd.DataFrame(
    {f"p = {p:g}": np.ceil(z**2 * p * (1 - p) / wanted**2).astype(int) for p in (0.5, 0.2, 0.05)},
    index=pd.Index([f"± {100 * half:.0f} points" for half in wanted], name="half-width"),
)
needed

# %% [markdown]
# Twice as sure takes four times the runs. `forecast(…, precision=0.03)` goes on until every probability
# is known to ± 3 points, by an interval that may be looked at as often as one likes; this one may not.
#
# More runs make the number of the model sharper, not the model better. Where parameters that are
# assumptions hold most of the doubt, a source for one of them is worth more than a million runs; and a
# difference between two scenarios needs far fewer, because pairs share their luck
# ([3 · What if](03-what-if.ipynb)).
