"""YAML files read into validated records, with the line of every field kept for messages.

PyYAML's safe loader composes the nodes (it knows lines), pydantic validates what they hold.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from sim.errors import FileError, InputError, at, unknown

Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
RecordT = TypeVar("RecordT", bound=BaseModel)
FieldPath = tuple[str | int, ...]

MAX_BYTES = 5_000_000
MAX_NODES = 200_000


@dataclass(frozen=True)
class Source:
    """The text of one file: what it holds, and the line in which each field starts."""

    path: Path
    text: str
    data: Any
    lines: dict[FieldPath, int]
    sha256: str

    def place(self, field: FieldPath) -> str:
        """The file, line and field of a problem; the nearest enclosing line where none fits."""
        line = next(
            (self.lines[field[:n]] for n in range(len(field), -1, -1) if field[:n] in self.lines),
            None,
        )
        return at(self.path, line, dotted(field))


def dotted(field: FieldPath) -> str:
    """A field's path as people write it: ``measures[3].reach.lingang``."""
    text = ""
    for part in field:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def read_yaml(path: Path | str) -> Source:
    """Read one YAML file; raises FileError where it is missing, empty, too large or not YAML."""
    path = Path(path)
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise FileError(f"{path}: no such file{_neighbours(path)}") from None
    except IsADirectoryError:
        raise FileError(f"{path}: is a directory; a YAML file is needed") from None
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror})") from None
    if len(raw) > MAX_BYTES:
        raise FileError(f"{path}: has {len(raw):,} bytes; allowed: at most {MAX_BYTES:,}")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise FileError(f"{path}, line {line}: is not UTF-8 text") from None
    lines: dict[FieldPath, int] = {}
    try:
        node = yaml.compose(text, Loader=Loader)
        if node is None:
            raise FileError(f"{path}: is empty; see the files in scenarios/ for what it must hold")
        data = _construct(node, (), lines, path, [0])
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line_text = f", line {mark.line + 1}" if mark else ""
        raise FileError(f"{path}{line_text}: is not valid YAML ({error.problem})") from None
    except yaml.YAMLError as error:
        raise FileError(f"{path}: is not valid YAML ({str(error).splitlines()[0]})") from None
    except RecursionError:
        raise FileError(f"{path}: is nested too deeply to be read") from None
    if not isinstance(data, dict):
        raise FileError(
            f"{path}, line 1: found {_kind(data)}; the file must hold fields (name: value)"
        )
    return Source(path, text, data, lines, hashlib.sha256(raw).hexdigest())


def load(source: Source, record: type[RecordT], error: type[InputError]) -> RecordT:
    """Validate what a file holds; every problem is named with its line, at most ten of them."""
    try:
        return record.model_validate(source.data)
    except ValidationError as failure:
        found = failure.errors(include_url=False)
        messages = [_message(source, record, item) for item in found[:10]]
        if len(found) > 10:
            messages.append(f"… and {len(found) - 10} more")
        raise error("\n".join(dict.fromkeys(messages))) from None


def _construct(
    node: yaml.Node, at_path: FieldPath, lines: dict[FieldPath, int], file: Path, count: list[int]
) -> Any:
    count[0] += 1
    if count[0] > MAX_NODES:
        raise FileError(f"{file}: holds more than {MAX_NODES:,} values (aliases count each time)")
    lines.setdefault(at_path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            line = key_node.start_mark.line + 1
            if key is None or key == "<<":
                raise FileError(f"{file}, line {line}: a field's name must be a plain word")
            if key in mapping:
                raise FileError(f"{at(file, line, dotted((*at_path, key)))}: is given twice")
            lines[(*at_path, key)] = line
            mapping[key] = _construct(value_node, (*at_path, key), lines, file, count)
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return [
            _construct(item, (*at_path, position), lines, file, count)
            for position, item in enumerate(node.value)
        ]
    return _scalar(node, at_path, file)


def _scalar(node: yaml.Node, at_path: FieldPath, file: Path) -> Any:
    """A YAML 1.1 scalar; months (2021-12) and dates stay text, and so does ``no`` or ``on``."""
    kind = node.tag.rpartition(":")[2]
    if kind in ("timestamp", "str", "value"):
        return node.value
    if kind == "bool":
        return {"true": True, "false": False}.get(node.value.lower(), node.value)
    if kind in ("int", "float", "null"):
        try:
            return yaml.safe_load(node.value) if kind != "null" else None
        except (ValueError, yaml.YAMLError):
            return node.value
    place = at(file, node.start_mark.line + 1, dotted(at_path))
    raise FileError(f"{place}: the tag {node.tag!r} is not allowed; plain values only")


def _message(source: Source, record: type[BaseModel], item: Any) -> str:
    field = _field_of(source, item["loc"])
    place, found, kind = source.place(field), item.get("input"), item["type"]
    if kind == "missing":
        return f"{place}: is missing; it must be given"
    if kind == "extra_forbidden":
        return f"{place}: {unknown('field', field[-1], _fields_beside(record, item['loc']))}"
    if kind in ("value_error", "assertion_error"):
        return f"{place}: {item['msg'].partition(', ')[2] or item['msg']}"
    text = item["msg"][0].lower() + item["msg"][1:]
    return f"{place}: found {_kind(found)}; {text}"


def _field_of(source: Source, loc: tuple[str | int, ...]) -> FieldPath:
    """pydantic's location without the parts that name a type and not a field."""
    node, field = source.data, []
    for part in loc:
        if isinstance(node, dict) and (part in node or part == loc[-1]):
            field.append(part)
            node = node.get(part) if isinstance(part, str) else None
        elif isinstance(node, list) and isinstance(part, int) and part < len(node):
            field.append(part)
            node = node[part]
        elif not field and isinstance(part, str):
            field.append(part)
            node = None
    return tuple(field)


def _fields_beside(record: type[BaseModel], loc: tuple[str | int, ...]) -> list[str]:
    """The fields that are allowed where an unknown one was found."""
    current: Any = record
    for part in loc[:-1]:
        fields = getattr(current, "model_fields", None)
        if fields and part in fields:
            current = _inner_model(fields[part].annotation)
    return list(getattr(current, "model_fields", {}))


def _inner_model(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        inner = _inner_model(argument)
        if inner is not None:
            return inner
    return None


def _kind(value: Any) -> str:
    """What was found, short enough for one line."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return f"fields ({', '.join(map(str, list(value)[:4]))}{', …' if len(value) > 4 else ''})"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _neighbours(path: Path) -> str:
    """The YAML files beside a missing one, since a mistyped name is the usual cause."""
    try:
        names = sorted(item.name for item in path.parent.glob("*.y*ml"))
    except OSError:
        return ""
    return f"; {path.parent}/ has: {', '.join(names[:12])}" if names else ""
