"""Text at the borders: what is no text stays out, and any text goes out whole."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from sim.cli.terminal import alike, prepare_streams, terminal
from sim.errors import InputError
from sim.files import read_yaml
from sim.scenario import read_scenario
from sim.text import LINE_END, NO_TEXT, csv_text, markdown, no_text, visible

ROOT = Path(__file__).parents[1]
SIGNS = st.characters().filter(lambda sign: not NO_TEXT.match(sign) and not LINE_END.match(sign))
TEXTS = st.text(SIGNS, min_size=1, max_size=30).map(str.strip).filter(bool)
NASTY = st.one_of(
    TEXTS,
    st.text("[]()<>*_`~|&#\\!$^=+-@{}'\"/.:; aB12中", min_size=1, max_size=20)
    .map(str.strip)
    .filter(bool),
)
ANY = settings(derandomize=True, deadline=None, database=None)
ENCODINGS = ("ascii", "cp1252", "gbk", "gb18030", "big5", "shift_jis", "latin-1", "utf-8")

# Escapes of YAML, and what the message says of them.
NO_NAMES = {
    r"A\u000bB": "the control character U+000B",
    r"A\e[2JB": "the control character U+001B",
    r"A\0": "the control character U+0000",
    r"\x7f": "the control character U+007F",
    r"A\u009b": "the control character U+009B",
    r"A\uFFFEB": "the sign U+FFFE",
    r"\uFDD0": "the sign U+FDD0",
    r"\U0001FFFF": "the sign U+1FFFF",
    r"A\u202eB": "the invisible sign U+202E",
    r"A\u2066B": "the invisible sign U+2066",
    r"A\LB": "the sign U+2028",
    r"A\uFEFFB": "the invisible sign U+FEFF",
    r"A\nB": "the control character U+000A; write it on one line",
    r"A\tB": "the control character U+0009; write it on one line",
    r"A\NB": "the control character U+0085",
    r"  ": "text is needed",
    "x" * 201: "found 201 characters; allowed: at most 200",
}


@pytest.mark.parametrize("name", NO_NAMES)
@pytest.mark.parametrize("where", ["name", "question", "shocks[0].name"])
def test_what_is_no_text_is_refused_by_line_and_field(
    small_scenario: Path, tmp_path: Path, name: str, where: str
) -> None:
    said = NO_NAMES[name]
    if where == "question" and "201" in said:
        name, said = "x" * 5001, "found 5,001 characters; allowed: at most 5,000"
    scenario, line = with_text(small_scenario, tmp_path, where, name)
    with pytest.raises(InputError) as refused:
        read_scenario(scenario)
    assert str(refused.value).startswith(f"{scenario}, line {line}, field {where}.zh: ")
    assert said in str(refused.value)


def with_text(small_scenario: Path, folder: Path, where: str, text: str) -> tuple[Path, int]:
    """The small district's scenario with a text somewhere as YAML writes it, and its line."""
    data = yaml.safe_load(yaml.safe_dump(read_yaml(small_scenario).data))
    for name in ("plan", "economy"):
        data[name] = str(small_scenario.parent / data[name])
    data["shocks"] = [{"id": "blow", "name": {"zh": "冲", "en": "x"}} | BLOW]
    record = data["shocks"][0] if where.startswith("shocks") else data
    record[where.rpartition(".")[2]] = {"zh": "HERE", "en": "x"}
    written = yaml.safe_dump(data, allow_unicode=True, sort_keys=False)
    lines = written.splitlines()
    line = next(n for n, found in enumerate(lines, 1) if "HERE" in found)
    file = folder / "scenario.yaml"
    file.write_text(written.replace("HERE", f'"{text}"'), encoding="utf-8")
    return file, line


IN_USE = (
    "[一期] 方案 [b]",
    "堃镕犇 ㎡ 𠮷",
    "‘A’ – “B”…",
    "a  b",
    "👩\u200d🔬 é",
    "=1+1",
    "葛\U000e0100",
    "-",
)
BLOW = {"start": "2025-06", "length": 2, "size": -0.1}


@pytest.mark.parametrize("key", [r"\e[31mname", r"na\u202eme", r"\0"])
def test_what_is_no_text_is_refused_in_a_fields_name_too(
    small_scenario: Path, tmp_path: Path, key: str
) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_text(small_scenario.read_text() + f'"{key}": 1\n')
    with pytest.raises(InputError, match="in a field's name") as refused:
        read_scenario(file)
    assert no_text(str(refused.value)) is None


def test_half_of_a_surrogate_pair_is_refused(small_scenario: Path, tmp_path: Path) -> None:
    scenario, line = with_text(small_scenario, tmp_path, "name", r"A\uD800B")
    with pytest.raises(InputError, match=f"line {line}"):
        read_scenario(scenario)


def test_names_that_are_in_use_are_read_as_they_are(small_scenario: Path, tmp_path: Path) -> None:
    for name in IN_USE:
        scenario, _ = with_text(small_scenario, tmp_path, "name", name)
        assert read_scenario(scenario).scenario.name.zh == name


def test_what_is_visible_is_text_and_stays_on_its_lines() -> None:
    assert visible("A\x1b[2J\u202eB\ud800") == r"A\x1b[2J\u202eB\ud800"
    assert visible("甲\n乙\tß") == "甲\n乙\tß"


class Words(HTMLParser):
    """The text of a page, and the tags that are not the paragraph's."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text, self.tags = "", list[str]()
        self.feed(page)
        self.close()

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)


@ANY
@given(NASTY)
def test_markdown_shows_a_name_as_it_is(name: str) -> None:
    shown = Words(MarkdownIt("commonmark").enable("table").render(f"## Name {markdown(name)}\n"))
    assert shown.tags == ["h2"]
    assert shown.text.split() == ["Name", *name.split()]
    alone = Words(MarkdownIt("commonmark").enable("table").render(f"{markdown(name)}\n"))
    assert alone.tags == ["p"]
    assert alone.text.split() == name.split()


@ANY
@given(NASTY)
def test_a_name_stays_in_its_cell_of_a_markdown_table(name: str) -> None:
    page = f"| a | b |\n|---|---|\n| x {markdown(name)} | y |\n"
    shown = Words(MarkdownIt("commonmark").enable("table").render(page))
    assert shown.tags.count("td") == 2
    assert not {"em", "strong", "code", "a", "img", "script"} & set(shown.tags)
    assert shown.text.split()[2:-1] == ["x", *name.split()]


@ANY
@given(st.lists(NASTY, min_size=1, max_size=5))
def test_csv_gives_names_back_and_no_formula(names: list[str]) -> None:
    text = csv_text(pd.DataFrame({"name": names, "value": -1.5}))
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["value"] for row in rows] == ["-1.5"] * len(names)
    for row, name in zip(rows, names, strict=True):
        assert row["name"].removeprefix("'") == name.removeprefix("'")
        assert row["name"][0] not in "=+-@" or len(name) == 1 or is_number(name)


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_sign_can_be_printed_in_every_encoding(encoding: str) -> None:
    prepare_streams()
    every = "".join(map(chr, range(0x20, 0x1_1000)))
    printed = every.encode(encoding, "alike").decode(encoding)
    assert "A" in printed
    assert "中".encode(encoding, "alike").decode(encoding) in ("中", "??")
    for sign, like in (("−", "-"), ("≥", ">="), ("…", "..."), ("é", "e"), ("🚀", "??")):
        assert sign.encode(encoding, "alike").decode(encoding) in (sign, like)


def test_other_errors_of_a_codec_are_left_to_it() -> None:
    prepare_streams()
    with pytest.raises(UnicodeDecodeError):
        b"\xff".decode("ascii", "alike")
    assert alike(UnicodeEncodeError("ascii", "é中", 0, 2, "")) == ("e??", 2)


@ANY
@given(NASTY)
def test_the_terminal_takes_no_name_for_markup(name: str) -> None:
    console = terminal()
    console.file, console.width = io.StringIO(), 500
    console.print(name)
    assert console.file.getvalue().rstrip("\n") == name.rstrip()


RUNS: dict[str, Callable[[Path], list[str]]] = {
    "gbk": lambda scenario: ["provenance", "talent", "--scenario", str(scenario)],
    "cp1252": lambda scenario: ["list", "targets", "--scenario", str(scenario)],
    "ascii": lambda scenario: ["validate", str(scenario)],
    "big5": lambda scenario: ["forecast", "--help"],
    "latin-1": lambda scenario: ["validate", "no such file – 堃.yaml"],
}


@pytest.mark.parametrize("encoding", RUNS)
def test_commands_end_well_in_any_encoding(real_scenario: Path, encoding: str) -> None:
    command = [sys.executable, "-m", "sim", *RUNS[encoding](real_scenario)]
    environment = {"PYTHONIOENCODING": encoding, "PATH": "", "HOME": "/nowhere"}
    ended = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True)
    wrong = "no such file" in command[-1]
    assert ended.returncode == (2 if wrong else 0)
    assert ended.stderr.decode(encoding).count("\n") == wrong
