"""pudong-sim: how likely a district's plan is to reach its targets, and what would change it.

The public interface, which docs/api.md lists and notebooks/ shows at work::

    from sim import Runner, compare, forecast, read_scenario, what_if

    inputs = read_scenario("scenarios/baseline.yaml")
    answer = forecast(inputs, runs=500, seed=1, out="out/baseline")
    district = Runner(inputs, seed=1).district(run=0)   # one run, to step and look at

    lever = {"lever": "talent_subsidy", "value": 8, "start": "2022-01"}
    talent = what_if(inputs, "talent", {"zh": "人才补贴", "en": "Talent subsidy"}, levers=[lever])
    found = compare(inputs, [talent], runs=200, seed=1)  # run by run, with the same luck

What is not listed there may change without notice.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

# The model's arrays are small: threads of the linear algebra library would only get in the way
# of the worker processes. Set before numpy is first imported, unless the user has chosen.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.1.0"

_PUBLIC = {
    "InputError": "sim.errors",
    # scenarios
    "read_scenario": "sim.scenario",
    "what_if": "sim.analysis.what_if",
    "with_priors": "sim.scenario",
    "with_posterior": "sim.scenario",
    # runs and answers
    "Runner": "sim.runner",
    "forecast": "sim.analysis.forecast",
    "observe": "sim.analysis.observe",
    "compare": "sim.analysis.compare",
    # a finished forecast, beside published figures
    "read_published": "sim.analysis.published",
    "read_observations": "sim.analysis.observations",
    "read_history": "sim.analysis.naive",
    "score": "sim.analysis.judging",
    # answers in words
    "notes": "sim.report.table",
    "observed_notes": "sim.report.observed",
    "sentences": "sim.report.difference_table",
    # pictures, each a matplotlib figure
    "draw": "sim.report.pictures",
    "shift_chart": "sim.report.shift",
    "difference_chart": "sim.report.difference",
    "zones_chart": "sim.report.difference",
    "reliability_chart": "sim.report.reliability",
    "house_style": "sim.report.style",
}
__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    """Import on first use, so that the command's help need not wait for the libraries."""
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'sim' has no attribute {name!r}")
