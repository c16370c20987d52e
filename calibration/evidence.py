"""What evaluations of policies say about the model's channels: one prior a channel, by one rule.

``python -m calibration.evidence`` prints docs/evidence.md. The tables are evidence.csv (one row an
estimate) and channels.csv (one row a channel) in calibration/data, where their columns are
described; the rule is in docs/decisions/0014-evidence.md.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

import numpy as np
import pandas as pd
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
)

from calibration import OBSERVATIONS
from sim.analysis import written
from sim.analysis.observations import REACH
from sim.analysis.records import read_records
from sim.errors import Fault, FieldValueError, Unknown, plain, shown

EVIDENCE = OBSERVATIONS.with_name("evidence.csv")
CHANNELS = OBSERVATIONS.with_name("channels.csv")

# The rule's numbers, each a judgement; the reasons stand in decision 14.
FLOOR = {"A": 0.3, "B": 0.5, "C": 0.8, "D": 1.0}  # least error by grade, over the estimate
STRONG = 0.5  # an error up to this, over the estimate, is of a strong design
SHRINK = 0.5  # what is kept of an effect from a selected pilot or a weak design
HOME, ABROAD = 0.3, 0.5  # error of carrying an estimate over, from China and from elsewhere
NEEDED = 2  # strong designs that exclude "nothing"
SURE = 0.1  # a share nearer than this to 0 or 1 is no surer than one at this distance


class Grade(StrEnum):
    """How far a design is trusted."""

    A = "A"  # lottery, experiment, regression discontinuity
    B = "B"  # another design in a strong journal, or a meta-analysis
    C = "C"  # difference-in-differences or instruments elsewhere
    D = "D"  # panel, survey, simulation, description


class Design(StrEnum):
    """How an effect was found."""

    RCT = "RCT"
    RD = "RD"
    DID = "DID"
    IV = "IV"
    PANEL = "panel"
    STRUCTURAL = "structural"
    META = "meta-analysis"
    SURVEY = "survey"


class Sign(StrEnum):
    """Where the lever moved the outcome."""

    UP = "+"
    NONE = "0"
    DOWN = "-"
    MIXED = "mixed"


class Seen(StrEnum):
    """How much of the source was read."""

    FULL = "full"
    ABSTRACT = "abstract"
    SUMMARY = "summary"
    RECALLED = "recalled"


class Kind(StrEnum):
    """What a channel's number is."""

    EFFECT = "effect"  # what a policy does
    SHARE = "share"  # a part of a whole
    STRUCTURE = "structure"  # how an economy works, whatever the policy


class Shape(StrEnum):
    NORMAL = "normal"
    LOGNORMAL = "lognormal"


class Answer(StrEnum):
    YES = "yes"
    NO = "no"


def _number(found: object, info: ValidationInfo) -> float:
    return float(str(found)) if not isinstance(found, str) else written.number(found, ".")


def _id(text: object) -> str:
    if not isinstance(text, str) or not re.fullmatch(r"E\d{3}[a-z]?", text):
        raise ValueError(f"found {shown(text)}; allowed: E, three digits and perhaps a letter")
    return text


def _name(text: object) -> str:
    if not isinstance(text, str) or not re.fullmatch(r"[a-z][a-z0-9_]*", text):
        raise ValueError(f"found {shown(text)}; allowed: small letters, digits and '_'")
    return text


def _address(text: object) -> str:
    if not isinstance(text, str) or not re.match(r"https?://\S+$", text):
        raise ValueError(f"found {shown(text)}; an address begins with http:// or https://")
    return text


Number = Annotated[float, BeforeValidator(_number)]
Text = Annotated[str, Field(min_length=1)]


class Evidence(BaseModel):
    """One estimate of one evaluation; empty where nothing was printed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, BeforeValidator(_id)]
    lever: Annotated[str, BeforeValidator(_name)]
    outcome: Text
    design: Design
    grade: Grade
    pilot: Answer
    country: Text
    place: str = ""
    years: str = ""
    unit_of_analysis: str = ""
    estimate: Number | None = None
    low: Number | None = None
    high: Number | None = None
    unit: str = ""
    sign: Sign | None = None
    horizon_years: Number | None = None
    source: Text
    source_url: Annotated[str, BeforeValidator(_address)]
    seen: Seen
    note: str = ""

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if (self.low is None) != (self.high is None):
            missing = "low" if self.low is None else "high"
            raise FieldValueError((missing,), "is missing; give both ends of the range")
        if self.low is not None and self.high is not None:
            middle = self.estimate if self.estimate is not None else self.low
            if not self.low <= middle <= self.high:
                text = f"found {plain(middle)}; allowed: {plain(self.low)} to {plain(self.high)}"
                raise FieldValueError(("estimate",), text)
        if self.value is None and self.sign is None:
            raise FieldValueError(("sign",), "is missing; a row without a number says a sign")
        if self.value is not None and not self.unit:
            raise FieldValueError(("unit",), "is missing; a number has a unit")
        if (self.grade == Grade.A) != (self.design in (Design.RCT, Design.RD)):
            text = f"found {self.grade.value!r}; A is for RCT and RD, and these are A"
            raise FieldValueError(("grade",), text)
        return self

    @property
    def value(self) -> float | None:
        """The estimate, or the middle of a printed range."""
        if self.estimate is None and self.low is not None and self.high is not None:
            return (self.low + self.high) / 2.0
        return self.estimate


# From a printed number e to the channel's unit, before its factor.
TRANSFORMS: dict[str, Callable[[float], float]] = {
    "plain": lambda e: e,
    "pct": lambda e: e / 100.0,
    "log": lambda e: math.log1p(e / 100.0),  # % change as log points
    "rest": lambda e: 1.0 - e / 100.0,  # the part that e % leaves
    "anyway": lambda e: (
        1.0 / (1.0 + e / 100.0)
    ),  # the part that would act without an increase of e %
    "per": lambda e: 100.0 / e,  # how many are needed for one, if e % work
}
USE = re.compile(r"(\S+) (\S+) (\S+)")


@dataclass(frozen=True)
class Conversion:
    """How one printed estimate speaks of a channel: factor × transform(estimate)."""

    id: str
    transform: str
    factor: float

    def __call__(self, printed: float) -> float:
        return self.factor * TRANSFORMS[self.transform](printed)

    def error(self, row: Evidence, channel: Channel) -> float:
        """Standard error by the printed range, over the size; 0 where no range was printed."""
        around = size(self(row.value or 0.0), channel)
        if row.low is None or row.high is None or not around:
            return 0.0
        return abs(self(row.high) - self(row.low)) / (2.0 * REACH * around)


def _conversions(text: object) -> tuple[Conversion, ...]:
    found = []
    for part in filter(None, (piece.strip() for piece in str(text).split(";"))):
        match = USE.fullmatch(part)
        if not match or match[2] not in TRANSFORMS:
            allowed = f"id, one of {', '.join(TRANSFORMS)}, factor; between estimates ';'"
            raise ValueError(f"found {shown(part)}; allowed: {allowed}")
        found.append(Conversion(_id(match[1]), match[2], written.number(match[3], ".")))
    return tuple(found)


def _ids(text: object) -> tuple[str, ...]:
    return tuple(_id(part) for part in str(text).split())


class Channel(BaseModel):
    """One number of the model that evaluations speak of."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, BeforeValidator(_name)]
    levers: Text  # whose estimates are its own
    kind: Kind
    meaning: Text
    unit: Text
    estimates: Annotated[tuple[Conversion, ...], BeforeValidator(_conversions)] = ()
    nulls: Annotated[tuple[str, ...], BeforeValidator(_ids)] = ()
    signs: Annotated[tuple[str, ...], BeforeValidator(_ids)] = ()
    why: Text
    nothing: Number | None = None
    bound_low: Number
    bound_high: Number
    shape: Shape
    assumed_value: Number | None = None
    assumed_low: Number | None = None
    assumed_high: Number | None = None

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        assumed = (self.assumed_low, self.assumed_value, self.assumed_high)
        names = ("assumed_low", "assumed_value", "assumed_high")
        for name, given in zip(names, assumed, strict=True):
            if self.estimates and given is not None:
                raise FieldValueError((name,), "is given; a channel with estimates assumes nothing")
            if not self.estimates and given is None:
                raise FieldValueError((name,), "is missing; a channel without estimates assumes it")
        if self.nothing is not None and not self.bound_low <= self.nothing <= self.bound_high:
            allowed = f"{plain(self.bound_low)} to {plain(self.bound_high)}"
            text = f"found {plain(self.nothing)}; allowed: {allowed}"
            raise FieldValueError(("nothing",), text)
        low, value, high = assumed
        if low is not None and value is not None and high is not None:
            if not self.bound_low <= low <= value <= high <= self.bound_high:
                allowed = f"{plain(self.bound_low)} ≤ low ≤ value ≤ high ≤ {plain(self.bound_high)}"
                raise FieldValueError(
                    ("assumed_value",), f"found {plain(value)}; allowed: {allowed}"
                )
            if high - low < 1.5 * abs(value):
                text = f"found {plain(high)}; a range without evidence is at least 1.5 values wide"
                raise FieldValueError(("assumed_high",), text)
        return self


def read_evidence(path: Path | str = EVIDENCE) -> dict[str, Evidence]:
    """The estimates by id.

    Raises:
        ObservationError: something cannot be used; names file, line and column of each problem.
    """
    return read_records(Path(path), Evidence, lambda row: ())


def read_channels(evidence: dict[str, Evidence], path: Path | str = CHANNELS) -> dict[str, Channel]:
    """The channels by id, each of whose estimates is in ``evidence``.

    Raises:
        ObservationError: something cannot be used; names file, line and column of each problem.
    """
    return read_records(Path(path), Channel, lambda row: _misfits(row, evidence))


def _misfits(channel: Channel, evidence: dict[str, Evidence]) -> Iterator[tuple[str, Fault]]:
    """Estimates that are not there, have no number, or are of a study that is used already."""
    by_column = {
        "estimates": [use.id for use in channel.estimates],
        "nulls": channel.nulls,
        "signs": channel.signs,
    }
    for column, ids in by_column.items():
        for one in ids:
            if one not in evidence:
                yield column, Unknown("estimate", one, evidence)
    for use in channel.estimates:
        if use.id in evidence and evidence[use.id].value is None:
            yield "estimates", f"found '{use.id}'; allowed: rows with a number"
    for one in channel.nulls:
        if one in evidence and evidence[one].sign != Sign.NONE:
            yield "nulls", f"found '{one}'; allowed: rows with sign 0"
    sources = [evidence[use.id].source for use in channel.estimates if use.id in evidence]
    for source in sorted({source for source in sources if sources.count(source) > 1}):
        yield "estimates", f"found {shown(source)} twice; allowed: one number a study"
    for lever in channel.levers.split():
        known = {row.lever for row in evidence.values()}
        if lever not in known:
            yield "levers", Unknown("lever", lever, sorted(known))


def pool(channel: Channel, evidence: dict[str, Evidence]) -> pd.DataFrame:
    """The converted estimates of a channel, nulls last: one row an estimate.

    Columns: ``value`` after shrinkage; ``floor``, its error over its size; ``error``, its standard
    error in the channel's unit; ``weight`` 1/floor²; ``transfer``, the share of the value that
    carrying it over may add as an error.
    """
    found = []
    for use in channel.estimates:
        row = evidence[use.id]
        value = _kept(row, channel) * use(row.value or 0.0)
        around = size(value, channel)
        found.append((row, value, max(_floor(row, channel), use.error(row, channel)), around))
    middle = float(np.median([around for *_, around in found]))
    found += [(evidence[one], 0.0, _floor(evidence[one], channel), middle) for one in channel.nulls]
    rows = [
        {
            "id": row.id,
            "value": value,
            "floor": floor,
            "error": floor * around,
            "weight": floor**-2,
            "transfer": HOME if row.country == "China" else ABROAD,
        }
        for row, value, floor, around in found
    ]
    return pd.DataFrame(rows).set_index("id")


def _floor(row: Evidence, channel: Channel) -> float:
    """The least error by design; what is borrowed from another lever counts as the weakest."""
    return FLOOR[row.grade.value if row.lever in channel.levers.split() else "D"]


def _kept(row: Evidence, channel: Channel) -> float:
    """Half of an effect from a selected pilot or a weak design; all of anything else."""
    weak = row.pilot == Answer.YES or row.grade in (Grade.C, Grade.D)
    return SHRINK if weak and channel.kind == Kind.EFFECT else 1.0


def size(value: float, channel: Channel) -> float:
    """What a relative error is relative to: |y|, and p·(1 − p) for a share p."""
    if channel.kind != Kind.SHARE:
        return abs(value)
    near = min(max(value, SURE), 1.0 - SURE)
    return near * (1.0 - near)


def weighted_median(values: pd.Series, weights: pd.Series) -> float:
    """The value at half of the weight; the mean of two where half falls between them."""
    order = values.sort_values(kind="stable").index
    ranked, shares = values[order].to_numpy(), (weights[order].cumsum() / weights.sum()).to_numpy()
    first = int(np.searchsorted(shares, 0.5 - 1e-9))
    if abs(shares[first] - 0.5) < 1e-9:
        return float((ranked[first] + ranked[first + 1]) / 2.0)
    return float(ranked[first])


@dataclass(frozen=True)
class Prior:
    """What a channel's number may be: middle, 95 % range, and spread as the economy file has it."""

    channel: str
    value: float
    low: float
    high: float
    shape: str
    spread: float
    count: int
    ids: str
    source: str


def prior(channel: Channel, evidence: dict[str, Evidence]) -> Prior:
    """The rule, for one channel."""
    if not channel.estimates:
        aside = (*channel.nulls, *channel.signs)
        value, low, high = channel.assumed_value, channel.assumed_low, channel.assumed_high
        if value is None or low is None or high is None:
            raise ValueError(f"{channel.id}: neither estimates nor an assumed range")
        spread = (high - low) / (2.0 * REACH)
        signs = ", ".join(f"{one} {_sign(evidence[one])}" for one in aside)
        text = f"no number printed, so a wide range: {channel.why}"
        text += f"; signs: {signs}" if signs else ""
        ids = " ".join(aside)
        return Prior(channel.id, value, low, high, "normal", _round(spread), 0, ids, text)
    items = pool(channel, evidence)
    value = weighted_median(items["value"], items["weight"])
    share = items["weight"] / items["weight"].sum()
    within = math.sqrt(float(((share * items["error"]) ** 2).sum()))
    between = math.sqrt(math.pi / 2.0) * float((share * (items["value"] - value).abs()).sum())
    transfer = float((share * items["transfer"]).sum()) * size(value, channel)
    spread = math.sqrt(within**2 + between**2 + transfer**2)
    shape = channel.shape.value
    if channel.nothing is not None and excluding(items, value, channel.nothing) < NEEDED:
        spread = max(spread, abs(value - channel.nothing) / REACH)
        shape = "normal"
    if shape == "lognormal":
        spread /= abs(value)
        low, high = sorted(value * math.exp(turn * REACH * spread) for turn in (-1.0, 1.0))
    else:
        low, high = value - REACH * spread, value + REACH * spread
    low, high = max(low, channel.bound_low), min(high, channel.bound_high)
    used = "; ".join(f"{one} {_cited(evidence[one])}" for one in items.index)
    signs = " ".join(channel.signs)
    text = f"{len(items)} estimate{'s' if len(items) > 1 else ''}: {used}"
    text += f" (signs alone: {signs})" if signs else ""
    value, low, high = (_round(number) for number in (value, low, high))
    ids = " ".join(items.index)
    return Prior(channel.id, value, low, high, shape, _round(spread), len(items), ids, text)


def excluding(items: pd.DataFrame, value: float, nothing: float) -> int:
    """How many strong designs, on the side of ``value``, say that it is not nothing."""
    away = (items["value"] - nothing) * math.copysign(1.0, value - nothing)
    return int(((items["floor"] <= STRONG) & (away > REACH * items["error"])).sum())


def _sign(row: Evidence) -> str:
    return row.sign.value if row.sign else "described"


def _cited(row: Evidence) -> str:
    """A source in a few words: Moretti and Wilson 2017 (panel, USA)."""
    source = re.sub(r" ?\([^)]*\)", "", row.source)
    first, rest = re.match(r"(.*?)(?:, (.*)| (?:19|20)\d\d.*|$)$", source).groups("")  # type: ignore[union-attr]
    surname = r"(?:de |van )?[A-Z][\w-]+(?: [A-Z][\w-]+)?"
    if " and " not in first and re.fullmatch(surname, rest.split(", ")[0]):
        first += " et al."
    years = re.findall(r"(?<![\d.-])((?:19|20)\d\d)(?!\d|-\d|\.\d)", source)
    null = "" if row.value is not None else ", no effect"
    words = [first if len(first) <= 48 else first[:47] + "…", *years[-1:]]
    return f"{' '.join(words)} ({row.design.value}, {row.country}{null})"


def _round(number: float) -> float:
    return float(f"{number:.2g}")


def priors(
    evidence: dict[str, Evidence] | None = None, channels: dict[str, Channel] | None = None
) -> pd.DataFrame:
    """One row a channel: ``value``, ``low``, ``high``, ``shape``, ``spread``, ``count``, ``ids``,
    ``source``, indexed by channel."""
    evidence = evidence or read_evidence()
    channels = channels or read_channels(evidence)
    found = [prior(channel, evidence) for channel in channels.values()]
    return pd.DataFrame(found).set_index("channel")


def page() -> str:
    """docs/evidence.md."""
    evidence = read_evidence()
    channels = read_channels(evidence)
    table = priors(evidence, channels)
    numbered = sum(row.value is not None for row in evidence.values())
    bare = int((table["count"] == 0).sum())
    lines = [
        "# Evidence",
        "",
        "Generated by `python -m calibration.evidence`.",
        "",
        f"{len(evidence)} estimates from evaluations of policies, {numbered} of them with a number "
        "([columns](../calibration/data/README.md#evidence)), make a prior for each of "
        f"{len(table)} channels by one rule ([decision 14](decisions/0014-evidence.md)). {bare} "
        "channels have no printed number and a wide range instead.",
        "",
        "| channel | what it is | unit | value | low | high | prior | estimates | source |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, row in table.iterrows():
        channel = channels[str(name)]
        lines.append(
            f"| {name} | {channel.meaning} | {channel.unit} | {row['value']:g} | {row['low']:g} "
            f"| {row['high']:g} | {row['shape']}, {row['spread']:g} | {row['count']} "
            f"| {row['source']} |"
        )
    lines += [
        "",
        "## How estimates were converted",
        "",
        "| channel | conversion | why |",
        "|---|---|---|",
    ]
    for channel in channels.values():
        uses = "; ".join(f"{u.id}: {u.factor:g} × {u.transform}" for u in channel.estimates)
        lines.append(f"| {channel.id} | {uses or 'none'} | {channel.why} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.stdout.write(page())
