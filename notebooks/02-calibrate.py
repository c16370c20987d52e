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
# # 2 · Calibrate
#
# > **摘要** 用截至 2021 年底的公布数拟合参数：每个公布数附有观测模型（口径、取整、“超过”“近”等界限），参数先取自先验分布，再按似然加权。图示拟合前后的预测、参数移动的幅度、模拟校准的秩检验；指出哪些参数不能由这些数识别，并用另一组公布数重新拟合。公布数很少，且多含偶然因素，因此拟合对参数所说不多。
#
# A fit of the model's parameters to published figures, from the figures to a forecast with the result.
# It repeats in a few minutes and with fewer runs what `make calibrate` does
# ([docs/calibration.md](../docs/calibration.md) has the full fit). Other figures, another plan or another
# economy need no change of code: name the files.

# %%
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import sim
from calibration.calibrate import calibrate
from calibration.charts import moved_chart, rank_chart
from calibration.predictive import predictive_chart, published
from sim import (
    Runner,
    forecast,
    house_style,
    read_observations,
    read_scenario,
    with_posterior,
    with_priors,
)

# %matplotlib inline
PROJECT = Path(sim.__file__).parents[1]

# %% tags=["parameters"]
SCENARIO = "scenarios/baseline.yaml"
FIGURES = "calibration/data/observations.csv"
UNTIL = "2021-12"
RUNS = 1_000  # with priors; 400 at least
CHECK_RUNS = 200  # with the fitted parameters
SEED = 1

# %% [markdown]
# ## What was published
#
# One row a figure. `use` says what a figure is for: `base` rows set the base year and are met by
# construction, `fit` rows are fitted, `check` rows are looked at afterwards. `noise_sd` is the error of
# rounding and measurement, in logs.

# %%
inputs = read_scenario(PROJECT / SCENARIO)
figures = read_observations(PROJECT / FIGURES, inputs, UNTIL)
pd.DataFrame(
    [(row.id, row.zone, row.month, published(row), row.noise_sd, row.use.value) for row in figures],
    columns=["id", "zone", "month", "published", "noise_sd", "use"],
).set_index("id")

# %% [markdown]
# ### The observation model (观测模型)
#
# A figure says more than its number. With the model's value *m*, the definition ratio's middle *δ* and
# the error *s* (rounding, measurement, differences of definition), what would have been published is
# ln *y\** = ln *m* + *δ* + *s·ε*. An exact or round figure has a density around it; *over* (超过) and
# *nearly* (近) are one-sided: all values beyond the bound are equally good. The likelihood of each figure
# of the fit, by the model's value:

# %%
fitted = [row for row in figures if row.use.value == "fit"]
with house_style():
    figure = Figure(figsize=(9, 0.4 + 1.0 * len(fitted)), layout="constrained")
    panels = np.atleast_1d(figure.subplots(len(fitted), sharex=True))
    ratios = np.linspace(0.8, 1.25, 400)
    for panel, row in zip(panels, fitted, strict=True):
        likelihood = np.exp(row.log_likelihood(ratios * row.value))
        panel.fill_between(ratios, likelihood / likelihood.max(), color="#80B8D8")
        panel.axvline(1.0, color="#D55E00", linewidth=1.2)
        panel.set_yticks([])
        panel.set_title(f"{row.id}: {published(row)}", loc="left", fontsize=10)
    panels[-1].set_xlabel("模型值与公布数之比  model's value over the published figure")
figure

# %% [markdown]
# ## What is believed before: priors (先验)
#
# Each uncertain parameter has a prior in the economy file, with its source or its assumption. A run draws
# all of them anew.

# %%
before = with_priors(inputs)
priors = Runner(before, SEED).parameters.prior_texts()
print(f"{len(priors)} parameters; those of growth:")
pd.Series(
    {name: text for name, text in priors.items() if name.startswith("growth.drift")}
).to_frame("prior")

# %% [markdown]
# ## The fit (拟合)
#
# Runs with parameters from their priors; a linear emulator of each figure; a great many candidates
# weighted by the likelihood (importance sampling); draws from them in `posterior.csv`; then new runs of
# the model with these, as a check of the emulator.

# %%
out = Path("out/fit")
fit = calibrate(
    inputs,
    PROJECT / FIGURES,
    until=UNTIL,
    runs=RUNS,
    check_runs=CHECK_RUNS,
    seed=SEED,
    out=out,
    workers=2,
)
print(f"{len(fit.head.figures)} figures, {fit.uncertain} uncertain draws,", end=" ")
print(f"{len(fit.parameters)} of which move a figure discernibly")

# %% [markdown]
# ### Before and after
#
# Where each published figure lies among what the model foresees: grey before the fit, blue after it. A
# triangle points to the side that a bound allows.

# %%
name = inputs.scenario.name
subtitle = name.model_copy(
    update={
        "zh": f"{name.zh}；先验模拟 {RUNS:,} 次，拟合后 {CHECK_RUNS:,} 次",
        "en": f"{name.en}; {RUNS:,} runs with priors, {CHECK_RUNS:,} after the fit",
    }
)
predictive_chart(fit.observations, fit.prior, fit.posterior, inputs.plan, subtitle=subtitle)

# %% [markdown]
# ### What moved
#
# `shift` is how far a parameter's mean moved, in standard deviations of its prior; `contraction` is by
# how much of its variance it narrowed.

# %%
moved_chart(fit.parameters, subtitle=subtitle)

# %%
fit.parameters.set_index("parameter").round(2)

# %% [markdown]
# ### What is not identified (不可识别)
#
# A parameter whose variance the figures narrow by less than a tenth is as uncertain as before: whoever
# needs it known must look elsewhere. The table says why: little of a figure's variance over runs goes with
# the parameters that move it; the rest is chance, and what all other parameters add together.

# %%
weak = fit.parameters.loc[fit.parameters["contraction"] < 0.1, "parameter"]
print(f"Not identified: {len(weak)} of the {len(fit.parameters)} that move a figure,", end=" ")
print(f"and the other {fit.uncertain - len(fit.parameters)}, which move none.")

# %%
explained = pd.Series(fit.emulator.explained, index=[row.id for row in fit.observations])
explained.clip(lower=0).round(2).to_frame("share of variance explained")

# %% [markdown]
# ### Ranks (秩检验)
#
# Can the fit be believed? Runs are taken for the truth one at a time: their own figures are fitted, and
# the true parameter is ranked among the draws. If the fit is right, all ranks are equally likely and the
# bars are level (simulation-based calibration).

# %%
rank_chart(fit.ranked, fit.ranks, subtitle=subtitle)

# %%
limit = 0.05 / len(fit.uniform)
verdict = "pass" if fit.uniform.min() > limit else "fail"
print(f"smallest p {fit.uniform.min():.3f}; fails below {limit:.3f}: the ranks {verdict}")

# %% [markdown]
# Each figure of the fit foretold by the others alone: the quantile at which it lies. Values near 0 or 1
# are figures that contradict the rest; of a bound low is what *over* says, high what *nearly* says.

# %%
pd.Series(fit.foretold, index=fit.head.figures).round(2).to_frame("quantile given the others")

# %% [markdown]
# ## A fit of other figures
#
# What if a figure is doubted, or another one is found? Write a file with the same columns. Here the last
# figure of the fit is left out. The runs with priors do not depend on the figures, so they are taken along.

# %%
other = Path("out/other-fit")
shutil.copytree(out / "prior", other / "prior", dirs_exist_ok=True)
rows = pd.read_csv(PROJECT / FIGURES)
left_out = fitted[-1].id
rows[rows["id"] != left_out].to_csv(other / "figures.csv", index=False)
second = calibrate(
    inputs,
    other / "figures.csv",
    until=UNTIL,
    runs=RUNS,
    check_runs=CHECK_RUNS,
    seed=SEED,
    out=other,
    workers=2,
)
shifts = {
    "all figures": fit.parameters.set_index("parameter")["shift"],
    f"without {left_out}": second.parameters.set_index("parameter")["shift"],
}
pd.DataFrame(shifts).round(2)

# %% [markdown]
# ## A forecast with the result
#
# `with_posterior` puts the draws in the place of the priors; an economy file does the same with the line
# `posterior: posterior.csv`. The fit has left the runs that are needed, so none is made again. Given how
# little the parameters moved, probabilities move little, too; what the figures say about the *state* that
# the district has reached is more, and enters by `observe` (notebook 4).

# %%
after = with_posterior(inputs, out / "posterior.csv")
answers = {
    "priors": forecast(before, runs=CHECK_RUNS, seed=SEED, out=out / "prior", workers=2),
    "posterior": forecast(after, runs=CHECK_RUNS, seed=SEED, out=out / "posterior", workers=2),
}
pd.DataFrame(
    {
        name: answer.results.query("zone == 'district'").set_index("target")["probability"]
        for name, answer in answers.items()
    }
).round(2)

# %% [markdown]
# With so few runs a difference below about 0.1 may be the luck of the draw. The shipped posterior,
# `scenarios/posterior.csv`, comes from the same fit with 4,000 runs. How the two agree, in means of the
# parameters that both speak of:

# %%
means = pd.DataFrame(fit.draws, columns=list(fit.head.priors)).mean().to_frame("here")
if inputs.posterior is not None:
    shipped = pd.DataFrame(inputs.posterior.draws, columns=list(inputs.posterior.labels))
    means = means.assign(shipped=shipped.mean(), standard_deviation=shipped.std()).dropna()
means.map("{:.4g}".format)
