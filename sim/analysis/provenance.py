"""Where every number that the model starts from comes from."""

from __future__ import annotations

from dataclasses import asdict

import pandas as pd

from sim.figures import Cited, cited_numbers
from sim.scenario import Inputs

COLUMNS = ["file", "field", "value", "unit", "low", "high", "source", "assumption"]


def provenance(inputs: Inputs) -> pd.DataFrame:
    """Every number of the plan and the economy with its unit, range and source or assumption.

    Returns:
        A row a number: file (plan or economy), field (dots between names), value, unit, low, high,
        and either source or assumption, the other missing.
    """
    rows = [
        {"file": name} | asdict(number)
        for name in ("plan", "economy")
        for record in (getattr(inputs, name),)
        for number in cited_numbers(record, record.provenance)
        if isinstance(number, Cited)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)
