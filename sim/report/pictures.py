"""The charts of a finished forecast, each by its kind."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import pandas as pd
from matplotlib.figure import Figure

from sim.analysis.naive import PastFigure
from sim.analysis.published import Published
from sim.errors import RunError, unknown
from sim.plan import ALL_TARGETS, DISTRICT
from sim.report import terms
from sim.report.charts import fan_chart, probability_board
from sim.report.layout_map import industry, layout_map
from sim.report.ridge import ridge_chart
from sim.report.wording import Language, probability_words


class Kind(StrEnum):
    """What a chart shows."""

    BOARD = "board"  # probability of each target in each zone
    FAN = "fan"  # one target over time, in the district or a zone
    RIDGE = "ridge"  # where one target ends in each zone
    MAP = "map"  # the plan's layout, coloured by probability


def draw(
    published: Published,
    kind: Kind | str,
    *,
    target: str | None = None,
    zone: str = DISTRICT,
    past: Sequence[PastFigure] = (),
    language: Language = "both",
) -> Figure:
    """One chart of a finished forecast.

    Args:
        target: needed by ``fan`` and ``ridge``; of ``map`` none means all targets.
        zone: of ``fan`` alone.
        past: figures published for dates before the plan, for ``fan``.

    Raises:
        RunError: no such kind, no target is given, or the plan does not say where its zones lie.
        ScenarioError: the plan has no such target or zone.
    """
    kinds = [one.value for one in Kind]
    if kind not in kinds:
        raise RunError(unknown("kind of chart", kind, kinds))
    summary, plan = published.summary, published.plan
    scenario, seed = published.finished.inputs.scenario.name, summary.seed
    if kind == Kind.BOARD:
        return probability_board(
            published.results, plan, scenario=scenario, seed=seed, language=language
        )
    if kind == Kind.MAP:
        chosen = ALL_TARGETS if target in (None, ALL_TARGETS) else published.target(str(target)).id
        return layout_map(
            published.results,
            industry(published.table("yearly")),
            plan,
            target=chosen,
            scenario=scenario,
            seed=seed,
            language=language,
        )
    if target is None:
        raise RunError(f"--target: is needed for {kind}; one of {', '.join(plan.target_ids())}")
    meant = published.target(target)
    if kind == Kind.RIDGE:
        zones = [DISTRICT, *plan.zone_ids()]
        having = {row.zone for row in summary.results if row.target == target}
        values = {
            place: published.finished.values(target, place, meant.deadline)
            for place in zones
            if place in having
        }
        return ridge_chart(
            values,
            published.results,
            meant,
            plan,
            scenario=scenario,
            seed=seed,
            language=language,
        )
    found = published.result(target, zone)
    return fan_chart(
        published.monthly(target, zone),
        meant,
        terms.zones(plan)[zone],
        found.threshold,
        probability_words(found.probability, found.low, found.high, found.runs),
        scenario=scenario,
        past=past_of(past, target, zone),
        language=language,
    )


def past_of(past: Sequence[PastFigure], target: str, zone: str) -> pd.DataFrame | None:
    """A target's own figures before the plan (not those of a wider area), month by month."""
    own = [
        (figure.month, figure.value)
        for figure in past
        if (figure.indicator, figure.zone, figure.proxy) == (target, zone, "")
    ]
    return pd.DataFrame(sorted(own), columns=["month", "value"]) if own else None
