"""YAML files read into validated records, with the line of every field kept for messages.

PyYAML's safe loader composes the nodes (it knows lines), pydantic validates what they hold.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from sim.errors import (
    FieldPath,
    FileError,
    InputError,
    PathError,
    Problem,
    at,
    listed,
    nearest,
    shown,
    shown_text,
)
from sim.text import NO_TEXT, described, no_text
from sim.validation import problems_of

__all__ = [
    "FieldPath",
    "Source",
    "dotted",
    "expect",
    "kind_of",
    "load",
    "read_yaml",
    "refuse",
    "yaml_text",
]

RecordT = TypeVar("RecordT", bound=BaseModel)

MAX_BYTES = 5_000_000
MAX_NODES = 200_000
MAX_DEPTH = 40
MAX_ENTRIES = 2_000  # of one list, or fields of one record
TAGS = {"map", "seq", "str", "int", "float", "bool", "null", "timestamp", "value"}

# Plain decimals only: no octal, hexadecimal, sixties (12:30) or digits in groups.
NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]*|(?=\.[0-9]))(\.[0-9]*)?([eE][-+]?[0-9]+)?")
NOT_FINITE = {".inf": float("inf"), "-.inf": float("-inf"), ".nan": float("nan")}

# The fields by which the three kinds of file are told apart.
SIGNS = {
    "scenario": {"plan", "economy", "question"},
    "plan": {"targets", "measures", "departments", "parks"},
    "economy": {"relatedness", "technical_coefficients", "distances", "base_month"},
}

# What the YAML library says, in plain words. For the first table, the line where the bracket, quote
# or name began is the one to look at.
FROM_ITS_START = {
    "could not find expected ':'": "a field is written 'name: value', with a colon and a space",
    "did not find expected ',' or ']'": "the '[' in this line lacks its ']', or an item its ','",
    "did not find expected ',' or '}'": "the '{' in this line lacks its '}', or a field its ','",
    "found unexpected end of stream": "the quote that opens here is not closed",
}
AT_ITS_PLACE = {
    "mapping values are not allowed in this context": "a colon within a value, or a wrong "
    "indentation; put text with a colon in quotes",
    "did not find expected key": "a wrong indentation, or a quote too many",
    "did not find expected '-' indicator": "a list's items each begin with '- ', and stand in line",
    "but found another document": "a file holds one document; remove the '---'",
    "found undefined alias": "the alias (*name) has no anchor (&name) above it",
    "second occurrence": "an anchor's name is used twice",
}


@dataclass(frozen=True)
class Source:
    """The text of one file: what it holds, and the line in which each field starts."""

    path: Path
    text: str
    data: Any
    lines: dict[FieldPath, int]
    sha256: str

    def line(self, field: FieldPath) -> int:
        """The line of a field; of the nearest record around it where it is missing."""
        around = (field[:n] for n in range(len(field), -1, -1))
        return next((self.lines[part] for part in around if part in self.lines), 1)

    def place(self, field: FieldPath) -> str:
        """The file, line and field of a problem."""
        return at(self.path, self.line(field), dotted(field))


def dotted(field: FieldPath) -> str:
    """A field's path as people write it: ``measures[3].reach.lingang``."""
    text = ""
    for part in field:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def read_yaml(path: Path | str) -> Source:
    """Read one YAML file; raises FileError where it is missing, empty, too large or not YAML."""
    return read_source(Path(path), lambda text: text)


def read_source(path: Path, yaml_of: Callable[[str], str]) -> Source:
    """Read a text file that holds YAML, or holds it in part: ``yaml_of`` gives it by its lines."""
    return source_of(path, read_bytes(path), yaml_of)


def source_of(path: Path, raw: bytes, yaml_of: Callable[[str], str] = lambda text: text) -> Source:
    """What is in a file with this content; ``path`` names it in messages and is not opened."""
    whole = _text(path, raw)
    text = yaml_of(whole)
    content = whole.encode()  # without the mark that some editors put first, as copies have it
    lines: dict[FieldPath, int] = {}
    loader = _loader()
    try:
        _check_depth(path, text, loader)
        node = yaml.compose(text, Loader=loader)
        if node is None:
            raise FileError(f"{path}: is empty; see the files in scenarios/ for what it must hold")
        data = _construct(node, (), lines, path, [0])
    except yaml.MarkedYAMLError as error:
        raise FileError(f"{path}, {_yaml_problem(error, text.splitlines())}") from None
    except yaml.YAMLError as error:
        raise FileError(f"{path}: is not valid YAML ({str(error).splitlines()[0]})") from None
    if not isinstance(data, dict):
        found = f"{path}, line {lines[()]}: found {shown(data)}"
        raise FileError(f"{found}; the file must hold fields (name: value)")
    return Source(path, whole, data, lines, hashlib.sha256(content).hexdigest())


class _Dumper(yaml.SafeDumper):
    """Quotes text that ``read_yaml`` would take for a number, beyond what YAML 1.1 would."""


def _quoted(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if NUMBER.fullmatch(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _quoted)


def yaml_text(data: dict[str, Any], width: int = 100) -> str:
    """Plain data as YAML that ``read_yaml`` reads back as they are."""
    text: str = yaml.dump(data, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=width)
    return text


def load(source: Source, record: type[RecordT], error: type[InputError]) -> RecordT:
    """Validate what a file holds; every problem is named with its line, at most ten of them."""
    expect(source, record.__name__.lower())
    try:
        return record.model_validate(source.data)
    except ValidationError as failure:
        refuse(source, problems_of(failure, record, source.data), error)
        raise


def refuse(source: Source, problems: Iterable[Problem], error: type[InputError]) -> None:
    """Raise ``error`` with the place of every problem, line by line, where there are any."""
    ordered = sorted(problems, key=lambda problem: source.line(problem[0]))
    if ordered:
        raise error(listed(ordered, lambda problem: f"{source.place(problem[0])}: {problem[1]}"))


def kind_of(source: Source) -> str | None:
    """Whether a file holds a scenario, a plan or an economy, by its fields; None: no telling."""
    hits = {kind: len(fields & source.data.keys()) for kind, fields in SIGNS.items()}
    best = max(hits, key=lambda kind: hits[kind])
    return best if hits[best] else None


def expect(source: Source, kind: str) -> None:
    """Raise PathError where a file is plainly of another kind than the one that is needed."""
    found = kind_of(source)
    if kind in SIGNS and found not in (None, kind):
        article = {"economy": "an"}
        text = f"is {article.get(str(found), 'a')} {found} file"
        text += f"; {article.get(kind, 'a')} {kind} file is needed"
        if kind == "scenario":
            text += f", which names it ({found}: {source.path.name})"
        raise PathError(f"{source.path}: {text}")


def read_bytes(path: Path) -> bytes:
    """What a file holds; raises PathError where it is missing, a directory, too large, …"""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise PathError(f"{path}: no such file{_neighbours(path)}") from None
    except IsADirectoryError:
        own = "; its scenario lies in inputs/" if (path / "manifest.json").exists() else ""
        raise PathError(f"{path}: is a directory; a file is needed{own}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise PathError(f"{shown_text(str(path), 200)}: cannot be read ({reason})") from None
    if len(raw) > MAX_BYTES:
        raise PathError(f"{path}: is too large; allowed: at most {MAX_BYTES:,} bytes")
    return raw


def _text(path: Path, raw: bytes) -> str:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise FileError(f"{path}, line {line}: is not UTF-8 text; save it as UTF-8") from None
    odd = NO_TEXT.search(text) or yaml.reader.Reader.NON_PRINTABLE.search(text)
    if odd:
        line = text.count("\n", 0, odd.start()) + 1
        raise FileError(f"{path}, line {line}: found {described(odd.group())}; remove it")
    return text


class _PlainLoader(yaml.SafeLoader):
    """PyYAML's own reader, for where it was built without libyaml; it reads the same language.

    By itself it ends text within brackets at a ``?``, and ``{question: Why?}`` is an error.
    """

    _in_text = False

    def scan_plain(self) -> Any:
        self._in_text = True
        try:
            return super().scan_plain()
        finally:
            self._in_text = False

    def peek(self, index: int = 0) -> str:
        sign: str = super().peek(index)
        return "a" if sign == "?" and self._in_text else sign


def _loader() -> type:
    return getattr(yaml, "CSafeLoader", _PlainLoader)


def _check_depth(path: Path, text: str, loader: type) -> None:
    """Refuse deep nesting before the nodes are composed, which takes the stack."""
    depth = 0
    event: Any
    for event in yaml.parse(text, Loader=loader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            line = event.start_mark.line + 1
            raise FileError(f"{path}, line {line}: is nested more than {MAX_DEPTH} levels deep")


def _yaml_problem(error: yaml.MarkedYAMLError, lines: list[str]) -> str:
    """The line of what is not YAML, what stands there, and what is wrong in plain words."""
    problem = str(error.problem)
    marks = [mark for mark in (error.problem_mark, error.context_mark) if mark is not None]
    mark: Any = marks[-1 if problem in FROM_ITS_START else 0]
    line = min(mark.line, len(lines) - 1)
    character = lines[line][mark.column : mark.column + 1]
    wide = [n for n in (line - 1, line) if n >= 0 and "：" in lines[n] and ": " not in lines[n]]
    if wide:
        line, reason = wide[0], "a field is written 'name: value', not with the full-width '：'"
    elif "tab character" in problem or character == "\t":
        reason = "a line is indented with a tab; use spaces"
    elif "cannot start any token" in problem:
        reason = f"a value cannot begin with {character!r}; put it in quotes"
    else:
        reason = (FROM_ITS_START | AT_ITS_PLACE).get(problem, problem)
    found = shown(lines[line].strip())
    return f"line {line + 1}: is not valid YAML, found {found}; {reason}"


def _construct(
    node: yaml.Node, at_path: FieldPath, lines: dict[FieldPath, int], file: Path, count: list[int]
) -> Any:
    lines.setdefault(at_path, node.start_mark.line + 1)
    count[0] += 1
    if count[0] > MAX_NODES or len(at_path) > MAX_DEPTH:
        place = at(file, lines[at_path[:1]], dotted(at_path[:1]))
        limits = f"{MAX_NODES:,} values or {MAX_DEPTH} levels"
        raise FileError(f"{place}: holds more than {limits}; aliases (*name) count each time")
    if node.tag.removeprefix("tag:yaml.org,2002:") not in TAGS:
        place = at(file, node.start_mark.line + 1, dotted(at_path))
        tag = node.tag.replace("tag:yaml.org,2002:", "!!")
        raise FileError(f"{place}: found the tag {shown(tag)}; allowed: plain values only")
    if isinstance(node, yaml.CollectionNode) and len(node.value) > MAX_ENTRIES:
        place = at(file, lines[at_path], dotted(at_path))
        limit = f"allowed: at most {MAX_ENTRIES:,} in one list or record"
        raise FileError(f"{place}: holds {len(node.value):,} entries; {limit}")
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, at_path, lines, file, count)
    if isinstance(node, yaml.SequenceNode):
        return [
            _construct(item, (*at_path, position), lines, file, count)
            for position, item in enumerate(node.value)
        ]
    if (odd := no_text(node.value)) is not None:
        place = at(file, node.start_mark.line + 1, dotted(at_path))
        raise FileError(f"{place}: found {odd}; remove it")
    return _scalar(node)


def _mapping(
    node: yaml.Node, at_path: FieldPath, lines: dict[FieldPath, int], file: Path, count: list[int]
) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
        line = key_node.start_mark.line + 1
        if key is None or key == "<<":
            found = "a merge (<<)" if key else "a list or fields"
            place = at(file, line, dotted(at_path))
            raise FileError(f"{place}: found {found} as a field's name; a plain word is needed")
        if (odd := no_text(key)) is not None:
            raise FileError(f"{at(file, line, dotted(at_path))}: found {odd} in a field's name")
        field = (*at_path, key)
        if key in mapping:
            place = at(file, line, dotted(field))
            raise FileError(f"{place}: is given twice, first in line {lines[field]}; remove one")
        lines[field] = line
        mapping[key] = _construct(value_node, field, lines, file, count)
    return mapping


def _scalar(node: Any) -> Any:
    """A plain value; months (2021-12) and dates stay text, and so does ``no`` or ``on``."""
    kind, text, is_plain = node.tag.rpartition(":")[2], node.value, not node.style
    if is_plain and NUMBER.fullmatch(text):
        return int(text) if text.lstrip("-+").isdigit() and len(text) < 16 else float(text)
    if kind == "null":
        return None
    if kind == "bool":
        return {"true": True, "false": False}.get(text.lower(), text)
    return NOT_FINITE.get(text.lower().lstrip("+"), text) if kind == "float" else text


def _neighbours(path: Path) -> str:
    """The files of its kind beside a missing one, since a mistyped name is the usual cause."""
    kind = "*.csv" if path.suffix.lower() == ".csv" else "*.y*ml"
    try:
        names = sorted(item.name for item in path.parent.glob(kind))
    except OSError:
        return ""
    near = nearest(path.name, names)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    return f"{meant} ({path.parent}/ has: {', '.join(names[:12])})" if names else ""
