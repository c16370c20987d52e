"""The score of a finished forecast as a file: ``score.json``, and its schema."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from sim.analysis.record import Part, Sealed, schema_of, write_record
from sim.analysis.scoring import Verdict
from sim.analysis.summary import InputRecord
from sim.figures import Name

MODEL = "model"

LogScore = float | Literal["-Infinity"]
Probability = Annotated[float, Field(ge=0, le=1)]


class ForecastRecord(Part):
    """The forecast that is scored."""

    scenario: InputRecord
    plan: InputRecord
    economy: InputRecord
    seed: int
    runs: int
    base_month: str
    version: str = Field(description="of the program that made the runs")
    code: str = Field(description="SHA-256 of its source, as in the manifest")
    fitted: list[str] = Field(
        description="ids of the figures that its parameters were fitted to; empty: priors alone"
    )


class FileRecord(Part):
    """A table of figures that the score was made from."""

    name: str
    sha256: str
    rows: int
    used: int = Field(description="rows that were scored, or that give growth")


class FigureScore(Part):
    """One forecast of one figure."""

    figure: str = Field(description="id of its row")
    forecast: str = Field(description="'model', or a naive forecast")
    q025: float = Field(description="quantile of the published figure as foreseen, in its unit")
    q10: float
    q50: float
    q90: float
    q975: float
    pit: Probability | None = Field(
        description="foreseen probability of less than was published; null for a bound"
    )
    crps: float | None = Field(description="log points, lower is better; null for a bound")
    log_score: LogScore = Field(
        description="ln of the density of ln y, of a bound ln of its probability; higher is better"
    )
    probability: Probability | None = Field(
        description="what the forecast gave to a bound; null for a value"
    )
    reached: bool = Field(
        description="false: the forecast gave the figure, or a more extreme one, under a millionth"
    )


class Figure(Part):
    """One published figure."""

    id: str
    indicator: str
    zone: str
    month: str
    kind: Literal["exact", "about", "over", "nearly"]
    published: float
    unit: str
    use: Literal["fit", "check"] = Field(description="fit: it may have served to fit the model")


class Coverage(Part):
    """How many figures lay in the central intervals of one probability."""

    level: float
    inside: int
    figures: int


class Total(Part):
    """One forecast over all figures that it is made for."""

    forecast: str
    values: int = Field(description="exact and round figures")
    crps: float | None = Field(description="mean over the values; null without any")
    log_score: LogScore | None = Field(description="mean over the values")
    coverage: list[Coverage]
    bounds: int
    bounds_log_score: LogScore | None = Field(description="mean over the bounds")


class TargetScore(Part):
    """One target in one zone."""

    zone: str
    target: str
    deadline: str
    threshold: float
    verdict: Verdict
    figures: list[str] = Field(description="ids of the rows about it at its deadline")
    probabilities: dict[str, Probability] = Field(
        description="that it is met, by forecast; naive ones for settled targets only"
    )


class DecompositionRecord(Part):
    """Brier score = miscalibration − discrimination + uncertainty."""

    miscalibration: float
    discrimination: float
    uncertainty: float


class BrierTotal(Part):
    """One forecast over all settled targets that it is made for."""

    forecast: str
    targets: int
    brier: float
    log_score: LogScore
    decomposition: DecompositionRecord | None = Field(description="null with fewer than 50")


class Skill(Part):
    """The model against a naive forecast, over what both are made for."""

    naive: str
    score: Literal["CRPS", "Brier"]
    count: int = Field(description="figures or targets that both foresaw")
    better: int = Field(description="of them, those that the model foresaw better")
    model: float = Field(description="mean score of the model")
    naive_score: float
    skill: float | None = Field(
        description="1 − model / naive: 1 is perfect, 0 as good, below 0 worse; null: naive is 0"
    )
    words: Name


class Score(Sealed):
    """Everything that is said of how good a forecast was."""

    format: Literal[2] = 2
    made_by: str = Field(description="version of the program that scored it")
    forecast: ForecastRecord
    outturns: FileRecord
    history: FileRecord | None = Field(description="null: no naive forecasts were made")
    persistence: float | None = Field(description="φ of the AR(1) of growth; null without history")
    figures: list[Figure]
    scores: list[FigureScore]
    totals: list[Total]
    pit_distance: Probability | None = Field(
        description="largest distance of the model's ECDF of PIT from the diagonal; null: no value"
    )
    pit_band: Probability | None = Field(
        description="what independent figures of a calibrated forecast exceed in 5 % of cases"
    )
    targets: list[TargetScore]
    brier: list[BrierTotal]
    skills: list[Skill]
    remarks: list[Name] = Field(description="what a reader must know of these numbers")


def settled(targets: Sequence[TargetScore]) -> list[TargetScore]:
    """The targets of which the outturns say whether they were met."""
    return [row for row in targets if row.verdict in (Verdict.MET, Verdict.MISSED)]


def write_score(found: Score, path: Path) -> None:
    """Write it as JSON, whole or not at all."""
    write_record(found, path)


def schema_text() -> str:
    """The JSON Schema of ``score.json``."""
    return schema_of(Score)
