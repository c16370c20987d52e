"""The page of virtual evaluations: each design's estimate beside the published one."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sim.analysis.designs import Kind, Use
from sim.analysis.virtual import Estimate
from sim.scenario import Inputs

HOW = {
    Kind.PILOT: "one zone at a time against the others, the last year against the first",
    Kind.DISTRICT: "the district with against without, on the same luck",
    Kind.LOTTERY: "projects begun with against without the grants",
    Kind.WINNERS: "winners against firms of their sector and size that did not win",
    Kind.RESEARCHERS: "successes over staff, by tenths of size",
}
USED = {Use.PRIOR: "a prior follows from it", Use.APART: "kept apart"}

HEAD = """# Virtual evaluations

What evaluations of policies did in the world is done to the district of the model, and the estimate
stands beside the published one. {inside} of {count} lie in the published interval;
{apart_inside} of the {apart} that were kept apart.

{runs} runs with seed {seed} of *{scenario}*: `{command}`. *Range*: 5 to 95 % over the runs, each
with parameters of its own. *By rule*: no error was printed, and the interval follows from the
design's grade ([evidence](../evidence.md)).

| | unit | model | range | published | interval | | evidence | use |
|---|---|---|---|---|---|---|---|---|
"""


def evaluations_page(
    inputs: Inputs, found: Sequence[Estimate], runs: int, seed: int, command: str
) -> str:
    """The page as Markdown."""
    apart = [one for one in found if one.design.use == Use.APART]
    text = HEAD.format(
        inside=sum(one.inside for one in found),
        count=len(found),
        apart=len(apart),
        apart_inside=sum(one.inside for one in apart),
        runs=runs,
        seed=seed,
        scenario=inputs.scenario.name.en,
        command=command,
    )
    for one in found:
        design = one.design
        text += (
            f"| {design.name_en} ({design.name_zh}) | {design.unit} | "
            f"{_number(one.value)} ± {_number(one.error)} | "
            f"{_number(one.low)} to {_number(one.high)} | {_number(design.published)} | "
            f"{_number(design.low)} to {_number(design.high)} ({design.interval}) | "
            f"{'inside' if one.inside else 'outside'} | {' '.join(design.evidence)} | "
            f"{USED[design.use]} |\n"
        )
    text += "\n"
    for one in found:
        design = one.design
        note = f" {design.note[0].upper()}{design.note[1:]}." if design.note else ""
        text += f"- **{design.name_en}**: {HOW[design.kind]}.{note}\n"
    return text


def _number(value: float) -> str:
    return "–" if not math.isfinite(value) else f"{value:.2g}"
