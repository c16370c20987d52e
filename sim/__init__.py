"""pudong-sim: how likely a district's plan is to reach its targets, and what would change it.

The public interface::

    from sim import read_scenario, forecast, Runner

    inputs = read_scenario("scenarios/baseline.yaml")
    answer = forecast(inputs, runs=500, seed=1, out="out/baseline")
    district = Runner(inputs, seed=1).district(run=0)   # one run, to step and look at
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
    "read_scenario": "sim.scenario",
    "forecast": "sim.analysis.forecast",
    "observe": "sim.analysis.observe",
    "Runner": "sim.runner",
}
__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    """Import on first use, so that the command's help need not wait for the libraries."""
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'sim' has no attribute {name!r}")
