"""A finished forecast with everything that its summary says, for those who write about it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from sim.analysis.finished import AGAIN, Finished, read_finished
from sim.analysis.probability import QUANTILES
from sim.analysis.record import read_record
from sim.analysis.summary import Result, Summary
from sim.errors import RunError, ScenarioError, unknown
from sim.plan import ALL_TARGETS, DISTRICT, Plan, Target
from sim.store import Pick


@dataclass(frozen=True)
class Published:
    """What a forecast published, and its runs.

    Attributes:
        finished: its inputs and its runs.
        summary: everything that ``summary.json`` says.
    """

    finished: Finished
    summary: Summary

    @property
    def plan(self) -> Plan:
        return self.finished.inputs.plan

    def table(self, name: str) -> pd.DataFrame:
        """``results``, ``yearly``, ``monthly`` or ``costs``, as in ``probability.Answer``."""
        return pd.DataFrame([row.model_dump() for row in getattr(self.summary, name)])

    @property
    def results(self) -> pd.DataFrame:
        """A row a zone and target."""
        return self.table("results")

    def result(self, target: str, zone: str = DISTRICT) -> Result:
        """How likely a zone is to meet a target.

        Raises:
            ScenarioError: the plan has no such zone or target, or the zone no part in it.
        """
        found = {(row.zone, row.target): row for row in self.summary.results}
        if (zone, target) not in found:
            zones = [DISTRICT, *self.plan.zone_ids()]
            if zone not in zones:
                raise ScenarioError(unknown("zone", zone, zones))
            if target not in (*self.plan.target_ids(), ALL_TARGETS):
                raise ScenarioError(unknown("target", target, self.plan.target_ids()))
            having = ", ".join(place for place, name in found if name == target)
            raise ScenarioError(f"zone {zone!r} has no part in {target!r} (allowed: {having})")
        return found[zone, target]

    def target(self, name: str) -> Target:
        """A target by its id; raises ScenarioError where the plan has none of that id."""
        for target in self.plan.targets:
            if target.id == name:
                return target
        raise ScenarioError(unknown("target", name, self.plan.target_ids()))

    def monthly(self, target: str, zone: str = DISTRICT) -> pd.DataFrame:
        """A target's quantiles over the runs, a row a month: month, q05, …, q95."""
        if zone == DISTRICT:
            rows = [row.model_dump() for row in self.summary.monthly if row.target == target]
            return pd.DataFrame(rows).drop(columns="target")
        store, months = self.finished.store, list(self.finished.store.columns.months)
        (values,) = store.scan("series", [Pick([f"{target}.{zone}"])], self.summary.runs)
        levels = np.quantile(values[0].astype(float), list(QUANTILES.values()), axis=1)
        return pd.DataFrame({"month": months} | dict(zip(QUANTILES, levels, strict=True)))


def read_published(path: Path | str) -> Published:
    """Read a forecast's directory with its whole summary.

    Raises:
        RunError: there is no forecast, it is not finished, or a part is damaged, foreign or of
            another version.
        InputError, OSError: see ``read_finished``.
    """
    finished = read_finished(path)
    file = finished.path / "summary.json"
    known = Summary.model_fields["format"].default
    if finished.summary.format != known:
        raise RunError(
            f"{file}: is in format {finished.summary.format}, of another version of the program; "
            f"this one reads format {known}: make the forecast again with it"
        )
    summary = read_record(file, Summary, AGAIN)
    targets = {row.target for row in summary.results if row.zone == DISTRICT}
    lacking = {*finished.inputs.plan.target_ids(), ALL_TARGETS} - targets
    if lacking:
        raise RunError(f"{file}: says nothing of {sorted(lacking)[0]!r}; {AGAIN}")
    return Published(finished, summary)
