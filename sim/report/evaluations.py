"""The page of virtual evaluations: each design's estimate beside the published one."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sim.analysis.designs import Kind, Use
from sim.analysis.virtual import Estimate
from sim.scenario import Inputs
from sim.text import markdown

HOW = {
    Kind.PILOT: "one zone at a time against the others, the last year against the first",
    Kind.DISTRICT: "the district with against without, on the same luck",
    Kind.LOTTERY: "projects begun with against without the grants",
    Kind.WINNERS: "winners against firms of their sector and size that did not win",
    Kind.RESEARCHERS: "successes over staff, by tenths of size",
}
USED = {Use.PRIOR: "a number of the model follows from it", Use.APART: "kept apart"}
UNTOLD = "cannot be told"

HEAD = """# Virtual evaluations

What evaluations of policies did in the world is done to the district of the model, and the estimate
stands beside the published one. {inside} of {count} lie in the published interval;
{apart_inside} of the {apart} that were kept apart.

{runs} runs with seed {seed} of *{scenario}*: `{command}`. *Range*: 5 to 95 % over the runs, each
with parameters of its own. *By rule*: no error was printed, and the interval follows from the
design's grade (docs/evidence.md).

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
        scenario=markdown(inputs.scenario.name.en),
        command=command,
    )
    for one in found:
        design = one.design
        text += (
            f"| {markdown(f'{design.name_en} ({design.name_zh})')} | {markdown(design.unit)} | "
            f"{_number(one.value)} ± {_number(one.error)} | "
            f"{_number(one.low)} to {_number(one.high)} | {_number(design.published)} | "
            f"{_number(design.low)} to {_number(design.high)} "
            f"({markdown(design.interval)}) | {_where(one)} | {' '.join(design.evidence)} | "
            f"{USED[design.use]} |\n"
        )
    text += "\n"
    for one in found:
        design = one.design
        note = f" {markdown(design.note[0].upper() + design.note[1:])}." if design.note else ""
        few = f" Told from {one.runs} of {runs} runs." if one.runs < runs else ""
        text += f"- **{markdown(design.name_en)}**: {HOW[design.kind]}.{note}{few}\n"
    return text


def _where(one: Estimate) -> str:
    """On which side of the interval's ends the estimate lies."""
    if not math.isfinite(one.value):
        return UNTOLD
    return "inside" if one.inside else "outside"


def _number(value: float) -> str:
    return "–" if not math.isfinite(value) else f"{value:.2g}"
