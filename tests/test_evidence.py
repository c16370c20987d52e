"""What evaluations of policies found, and the prior that one rule makes of it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from calibration import ROOT
from calibration.evidence import (
    CHANNELS,
    EVIDENCE,
    Channel,
    Evidence,
    Grade,
    Sign,
    excluding,
    page,
    pool,
    prior,
    priors,
    read_channels,
    read_evidence,
    weighted_median,
)
from sim.errors import ObservationError

Write = Callable[..., Path]


@pytest.fixture(scope="module")
def evidence() -> dict[str, Evidence]:
    return read_evidence()


@pytest.fixture(scope="module")
def channels(evidence: dict[str, Evidence]) -> dict[str, Channel]:
    return read_channels(evidence)


@pytest.fixture(scope="module")
def table(evidence: dict[str, Evidence], channels: dict[str, Channel]) -> pd.DataFrame:
    return priors(evidence, channels)


def row(**changes: object) -> Evidence:
    usual = {
        "id": "E001",
        "lever": "vouchers",
        "outcome": "new firms",
        "design": "RCT",
        "grade": "A",
        "pilot": "no",
        "country": "UK",
        "estimate": 0.4,
        "unit": "log starts",
        "sign": "+",
        "source": "made up, 2020",
        "source_url": "https://example.org/1",
        "seen": "full",
    }
    return Evidence.model_validate(usual | changes)


def channel(**changes: object) -> Channel:
    usual = {
        "id": "one",
        "levers": "vouchers",
        "kind": "effect",
        "meaning": "starts by vouchers",
        "unit": "log starts",
        "estimates": "E001 plain 1",
        "why": "made up",
        "nothing": 0,
        "bound_low": -5,
        "bound_high": 5,
        "shape": "normal",
    }
    return Channel.model_validate(usual | changes)


def test_the_page_is_what_the_code_makes() -> None:
    shown = (ROOT / "docs" / "evidence.md").read_text(encoding="utf-8")
    assert shown == page(), "python -m calibration.evidence > docs/evidence.md"


@pytest.mark.parametrize("record", [Evidence, Channel])
def test_the_data_dictionary_names_every_column(record: type[Evidence] | type[Channel]) -> None:
    text = (EVIDENCE.parent / "README.md").read_text(encoding="utf-8")
    section = text[text.index("## Evidence") :]
    for column in record.model_fields:
        assert re.search(rf"^\| [^|]*\b{column}\b[^|]*\|", section, re.MULTILINE), column


def test_every_channel_has_a_range_around_its_value_and_says_where_it_is_from(
    table: pd.DataFrame, channels: dict[str, Channel]
) -> None:
    assert len(table) == len(channels) > 40
    assert (table["low"] <= table["value"]).all()
    assert (table["value"] <= table["high"]).all()
    assert (table["spread"] > 0).all()
    assert table["source"].str.len().min() > 20
    assert not table["source"].str.contains("\n").any()
    bare = table["count"] == 0
    assert table.loc[bare, "source"].str.startswith("no number printed").all()


def test_nothing_is_inside_a_range_that_two_strong_designs_do_not_exclude(
    table: pd.DataFrame, evidence: dict[str, Evidence], channels: dict[str, Channel]
) -> None:
    for name, one in channels.items():
        if one.estimates and one.nothing is not None:
            found = prior(one, evidence)
            if excluding(pool(one, evidence), found.value, one.nothing) < 2:
                assert found.low <= one.nothing <= found.high, name
                assert found.shape == "normal"


def test_the_rule_does_what_it_says() -> None:
    """By hand: a lottery of 0.4, a pilot's +49.18 % (0.4 in logs, halved) and a null of a panel."""
    evidence = {
        "E001": row(),
        "E002": row(
            id="E002", design="DID", grade="C", pilot="yes", country="China", estimate=49.1825,
            source="other, 2021",
        ),
        "E003": row(id="E003", design="panel", grade="D", estimate=None, unit="", sign="0"),
    }  # fmt: skip
    one = channel(estimates="E001 plain 1; E002 log 1", nulls="E003")
    items = pool(one, evidence)
    assert items["value"].tolist() == pytest.approx([0.4, 0.2, 0.0], abs=1e-5)
    assert items["floor"].tolist() == [0.3, 0.8, 1.0]
    assert items["error"].tolist() == pytest.approx([0.12, 0.16, 0.3], abs=1e-5)
    weights = [1 / 0.09, 1 / 0.64, 1.0]
    total = sum(weights)  # 13.67, so the lottery holds more than half
    within = math.hypot(weights[0] * 0.12, weights[1] * 0.16, 0.3) / total
    between = math.sqrt(math.pi / 2) * (weights[1] * 0.2 + 0.4) / total
    transfer = 0.4 * (weights[0] * 0.5 + weights[1] * 0.3 + 0.5) / total
    spread = math.hypot(within, between, transfer)
    found = prior(one, evidence)
    assert found.value == 0.4
    assert found.spread == pytest.approx(spread, rel=0.03)
    assert found.low == pytest.approx(0.4 - 1.96 * spread, abs=0.02)
    assert found.ids == "E001 E002 E003"


def test_one_strong_study_leaves_nothing_possible_and_two_may_exclude_it() -> None:
    near = {"country": "China", "low": 0.36, "high": 0.44}
    evidence = {
        f"E00{n}": row(id=f"E00{n}", source=f"study {n}, 2020", **near) for n in range(1, 5)
    }
    alone = prior(channel(shape="lognormal"), evidence)
    assert alone.low <= 0 < alone.value
    assert alone.shape == "normal"
    four = channel(estimates="; ".join(f"{name} plain 1" for name in evidence), shape="lognormal")
    assert prior(four, evidence).shape == "lognormal"
    assert prior(four, evidence).low > 0


def test_a_study_borrowed_from_another_lever_counts_as_the_weakest() -> None:
    evidence = {"E001": row(lever="grants")}
    assert pool(channel(), evidence)["floor"].tolist() == [1.0]


def test_a_share_is_known_to_p_times_one_minus_p_and_is_not_halved() -> None:
    evidence = {"E001": row(design="panel", grade="D", estimate=20, unit="%")}
    items = pool(channel(kind="share", estimates="E001 pct 1"), evidence)
    assert items["value"].tolist() == [0.2]
    assert items["error"].tolist() == pytest.approx([0.16])


def test_a_printed_error_counts_where_it_is_larger() -> None:
    items = pool(channel(), {"E001": row(low=-0.4, high=1.2)})
    assert items["error"].tolist() == pytest.approx([0.8 / 1.96], rel=1e-3)


def test_half_of_the_weight_on_each_side_gives_the_middle() -> None:
    assert weighted_median(pd.Series([1.0, 3.0]), pd.Series([2.0, 2.0])) == 2.0
    assert weighted_median(pd.Series([3.0, 1.0]), pd.Series([1.0, 3.0])) == 1.0


def test_no_number_means_a_wide_range_that_says_so() -> None:
    one = channel(estimates="", signs="E001", assumed_value=0.1, assumed_low=0, assumed_high=0.3)
    found = prior(one, {"E001": row()})
    assert (found.value, found.low, found.high, found.count) == (0.1, 0, 0.3, 0)
    assert found.source == "no number printed, so a wide range: made up; signs: E001 +"


def test_grades_are_those_of_their_designs(evidence: dict[str, Evidence]) -> None:
    for one in evidence.values():
        assert (one.grade == Grade.A) == (one.design.value in ("RCT", "RD"))
        assert one.value is not None or isinstance(one.sign, Sign)


@pytest.fixture
def changed(tmp_path: Path) -> Write:
    """Writes a table with cells of one row, by its id, changed."""

    def write(table: Path, name: str, /, **cells: str) -> Path:
        frame = pd.read_csv(table, dtype=str, keep_default_na=False)
        for column, text in cells.items():
            frame.loc[frame["id"] == name, column] = text
        file = tmp_path / table.name
        frame.to_csv(file, index=False)
        return file

    return write


@pytest.mark.parametrize(
    ("column", "text", "named", "message"),
    [
        ("estimate", "about 25", "estimate", "found 'about 25'; a number is needed"),
        ("id", "1", "id", "found '1'; allowed: E, three digits and perhaps a letter"),
        ("id", "E001", "id", "given twice"),
        ("design", "RDD", "design", "unknown design 'RDD'"),
        ("grade", "A", "grade", "found 'A'; A is for RCT and RD"),
        ("sign", "plus", "sign", "unknown sign 'plus'"),
        ("estimate", "", "sign", ""),
        ("unit", "", "unit", "a number has a unit"),
        ("low", "1", "high", "is missing; give both ends"),
        ("source", "", "source", "is missing"),
        ("source_url", "a page", "source_url", "found 'a page'; an address begins with"),
        ("seen", "heard", "seen", "unknown seen 'heard'"),
    ],
)
def test_a_wrong_cell_of_the_evidence_is_named_with_its_line_and_column(
    changed: Write, column: str, text: str, named: str, message: str
) -> None:
    cells = {column: text} | ({"sign": ""} if not message else {})
    file = changed(EVIDENCE, "E003", **cells)
    with pytest.raises(ObservationError) as caught:
        read_evidence(file)
    first = str(caught.value).splitlines()[0]
    assert first.startswith(f"{file}, line 4, column {named}: ")
    assert message in first


@pytest.mark.parametrize(
    ("column", "text", "message"),
    [
        ("estimates", "E999 plain 1", "unknown estimate 'E999'"),
        ("estimates", "E155 double 1", "found 'E155 double 1'; allowed: id, one of plain, pct"),
        ("estimates", "E015 plain 1", "found 'E015'; allowed: rows with a number"),
        ("estimates", "E179 log 1; E180 plain 1", "twice; allowed: one number a study"),
        ("nulls", "E015", "found 'E015'; allowed: rows with sign 0"),
        ("signs", "E998", "unknown estimate 'E998'"),
        ("levers", "talent_subsidi", "unknown lever 'talent_subsidi'; did you mean"),
        ("assumed_low", "0", "is given; a channel with estimates assumes nothing"),
        ("nothing", "9", "found 9; allowed: 0 to 3"),
    ],
)
def test_a_wrong_cell_of_a_channel_is_named_with_its_line_and_column(
    changed: Write, evidence: dict[str, Evidence], column: str, text: str, message: str
) -> None:
    file = changed(CHANNELS, "talent_arrivals_pay", **{column: text})
    with pytest.raises(ObservationError) as caught:
        read_channels(evidence, file)
    first = str(caught.value).splitlines()[0]
    assert first.startswith(f"{file}, line 2, column {column}: ")
    assert message in first


def test_a_range_without_evidence_may_not_be_narrow(
    changed: Write, evidence: dict[str, Evidence]
) -> None:
    file = changed(CHANNELS, "talent_eligible", assumed_low="0.15", assumed_high="0.25")
    with pytest.raises(ObservationError, match=r"assumed_high: found 0.25; .* 1.5 values wide"):
        read_channels(evidence, file)
