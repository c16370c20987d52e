"""What other analyses found about the same forecast: explanations, and a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from sim.analysis.compare import Comparison
from sim.analysis.explanation import Explanation
from sim.analysis.published import Published
from sim.analysis.summary import InputRecord, Part
from sim.errors import RunError
from sim.plan import DISTRICT

RecordT = TypeVar("RecordT", bound=Part)


@dataclass(frozen=True)
class Beside:
    """What lies beside a forecast.

    Attributes:
        explanations: by target, of the whole district.
        comparison: of other scenarios with this one.
    """

    explanations: Mapping[str, Explanation] = field(default_factory=dict)
    comparison: Comparison | None = None


def read_beside(published: Published, targets: Sequence[str], compare: Path | None) -> Beside:
    """Explanations in the forecast's directory, and the comparison in another, if one is named.

    Raises:
        RunError: one is damaged, of another version, or of another forecast.
        OSError: one cannot be read.
    """
    explanations = {}
    for target in targets:
        file = published.finished.path / "explain" / f"explanation-{target}-{DISTRICT}.json"
        if file.exists():
            found = _read(file, Explanation)
            _check_same(file, published, found.scenario, found.plan, found.economy, found.seed)
            explanations[target] = found
    if compare is None:
        return Beside(explanations)
    file = compare / "compare.json" if compare.is_dir() else compare
    if not file.exists():
        raise RunError(f"--compare: {file}: no such file; pudong compare writes it")
    other = _read(file, Comparison)
    _check_same(file, published, other.base, other.plan, other.economy, other.seed)
    return Beside(explanations, other)


def _read(file: Path, record: type[RecordT]) -> RecordT:
    try:
        return record.model_validate_json(file.read_bytes())
    except ValidationError:
        raise RunError(f"{file}: is damaged or of another version; make it again") from None


def _check_same(
    file: Path,
    published: Published,
    scenario: InputRecord,
    plan: InputRecord,
    economy: InputRecord,
    seed: int,
) -> None:
    """By checksums of the files, or of their copies, which name each other anew."""
    summary, copies = published.summary, published.finished.inputs.sources
    for kind, record in (("scenario", scenario), ("plan", plan), ("economy", economy)):
        known = (getattr(summary, kind).sha256, copies[kind].sha256)
        if record.sha256 not in known:
            raise RunError(f"{file}: is of another {kind} than the forecast; make it again")
    if seed != summary.seed:
        raise RunError(f"{file}: is of seed {seed}, the forecast of seed {summary.seed}")
