"""What other analyses found about the same forecast: explanations, observations, a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sim.analysis.compare import Comparison, WhatIf
from sim.analysis.explanation import Explanation, file_name
from sim.analysis.observed import ObservedRecord
from sim.analysis.published import Published
from sim.analysis.record import read_record
from sim.analysis.summary import InputRecord
from sim.errors import RunError
from sim.plan import DISTRICT


@dataclass(frozen=True)
class Beside:
    """What lies beside a forecast.

    Attributes:
        explanations: by target, of the whole district.
        observed: the forecast given observed figures.
        comparison: of other scenarios with this one.
        against: of this one with its baseline, and its part of that.
    """

    explanations: Mapping[str, Explanation] = field(default_factory=dict)
    observed: ObservedRecord | None = None
    comparison: Comparison | None = None
    against: tuple[Comparison, WhatIf] | None = None


def read_beside(published: Published, targets: Sequence[str], compare: Path | None) -> Beside:
    """What lies in the forecast's directory, and the comparison in another, if one is named.

    Raises:
        RunError: one is damaged, of another version, or of another forecast.
        OSError: one cannot be read.
    """
    explanations = {}
    for target in targets:
        file = published.finished.path / "explain" / f"{file_name(target, DISTRICT)}.json"
        if file.exists():
            found = read_record(file, Explanation, "make it again with pudong explain")
            _check_same(file, published, found.scenario, found)
            explanations[target] = found
    observed = _observed(published)
    if compare is None:
        return Beside(explanations, observed)
    file = compare / "compare.json" if compare.is_dir() else compare
    if not file.exists():
        raise RunError(f"--compare: {file}: no such file; pudong compare writes it")
    other = read_record(file, Comparison, "make it again with pudong compare")
    for what_if in other.what_ifs:
        if what_if.scenario.sha256 in _known(published, "scenario"):
            _check_same(file, published, what_if.scenario, other)
            return Beside(explanations, observed, against=(other, what_if))
    _check_same(file, published, other.base, other)
    return Beside(explanations, observed, other)


def _observed(published: Published) -> ObservedRecord | None:
    file = published.finished.path / "observed.json"
    if not file.exists():
        return None
    found = read_record(file, ObservedRecord, "make it again with --observe")
    _check_same(file, published, found.scenario, found)
    if found.runs != published.summary.runs:
        raise RunError(
            f"{file}: is of {found.runs:,} runs, the forecast of {published.summary.runs:,}; make "
            "it again with --observe"
        )
    return found


def _check_same(
    file: Path,
    published: Published,
    scenario: InputRecord,
    found: Explanation | ObservedRecord | Comparison,
) -> None:
    for kind, record in (("scenario", scenario), ("plan", found.plan), ("economy", found.economy)):
        if record.sha256 not in _known(published, kind):
            raise RunError(f"{file}: is of another {kind} than the forecast; make it again")
    if found.seed != published.summary.seed:
        raise RunError(f"{file}: is of seed {found.seed}, the forecast of {published.summary.seed}")


def _known(published: Published, kind: str) -> tuple[str, str]:
    """Checksums of a file, and of its copy, which names the others anew."""
    made_from: InputRecord = getattr(published.summary, kind)
    return made_from.sha256, published.finished.inputs.sources[kind].sha256
