"""What pydantic finds wrong in a file, with its field and in plain words."""

from __future__ import annotations

import re
import types
from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from sim.errors import MAX_MEANT, Fault, FieldPath, Problem, Unknown, meant, shown

NEEDED = {
    "float_type": "a number is needed",
    "finite_number": "a finite number is needed",
    "int_type": "a whole number is needed",
    "int_from_float": "a whole number is needed",
    "bool_type": "true or false is needed",
    "string_type": "text is needed (in quotes, where it looks like a number)",
    "string_pattern_mismatch": "allowed: a small letter, then small letters, digits and '_'",
    "list_type": "a list is needed: [one, two], or items that begin with '- '",
    "dict_type": "fields (name: value) are needed",
}


def problems_of(failure: ValidationError, record: type[BaseModel], data: Any) -> Iterator[Problem]:
    """Each problem as its field and a sentence; a mistyped field is not named as missing too."""
    found = failure.errors(include_url=False)
    extra = islice((item["loc"] for item in found if item["type"] == "extra_forbidden"), MAX_MEANT)
    mistyped = {
        (*loc[:-1], name) for loc in extra for name in meant(loc[-1:], _fields_beside(record, loc))
    }
    for item in found:
        if item["type"] != "missing" or item["loc"] not in mistyped:
            below = getattr(item.get("ctx", {}).get("error"), "field", ())
            loc = (*item["loc"], *below)
            missing = item["type"] == "missing" or bool(below)
            yield _field(data, loc, missing), _sentence(record, item)


def _sentence(record: type[BaseModel], item: Any) -> Fault:
    kind, found, context = item["type"], item["input"], item.get("ctx", {})
    if kind == "missing":
        return "is missing; it must be given"
    if kind == "extra_forbidden":
        return Unknown("field", item["loc"][-1], _fields_beside(record, item["loc"]))
    if kind == "value_error":
        return str(context["error"])
    if kind in ("enum", "literal_error"):
        return Unknown(str(item["loc"][-1]), found, re.findall(r"'([^']*)'", context["expected"]))
    return f"found {shown(found)}; {_needed(record, item)}"


def _needed(record: type[BaseModel], item: Any) -> str:
    kind, context = item["type"], item.get("ctx", {})
    if kind in NEEDED:
        return NEEDED[kind]
    if kind == "model_type":
        model = _model_of(_annotation_at(record, item["loc"]))
        fields = list(model.model_fields) if model else []
        if "value" in fields:
            return "a number is needed"
        return f"fields are needed: {', '.join(fields)}"
    if kind == "string_too_short":
        least = context["min_length"]
        return "text is needed" if least == 1 else f"at least {least} characters are needed"
    if kind == "string_too_long":
        return f"allowed: at most {context['max_length']} characters"
    if kind == "too_short":
        return "at least one is needed"
    return str(item["msg"][0].lower() + item["msg"][1:])


def _field(data: Any, loc: tuple[str | int, ...], missing: bool) -> FieldPath:
    """pydantic's location without the parts that name a type and not a field."""
    node, field = data, []
    for position, part in enumerate(loc):
        is_missing = missing and position == len(loc) - 1
        if isinstance(node, dict) and (part in node or is_missing):
            node = node.get(str(part))
            field.append(part)
        elif isinstance(node, list) and isinstance(part, int) and part < len(node):
            node = node[part]
            field.append(part)
    return tuple(field)


def _fields_beside(record: type[BaseModel], loc: tuple[str | int, ...]) -> list[str]:
    """The fields that are allowed where an unknown one was found."""
    model = _model_of(_annotation_at(record, loc[:-1]))
    return list(model.model_fields) if model else []


def _annotation_at(record: type[BaseModel], loc: tuple[str | int, ...]) -> Any:
    current: Any = record
    for part in loc:
        current = _below(current, part)
    return current


def _below(annotation: Any, part: str | int) -> Any:
    """The type of what stands below a record's field, a list's position or a mapping's name."""
    for kind in _kinds(annotation):
        if isinstance(kind, type) and issubclass(kind, BaseModel) and part in kind.model_fields:
            return kind.model_fields[str(part)].annotation
        if get_origin(kind) in (list, dict):
            return get_args(kind)[-1]
    return annotation


def _model_of(annotation: Any) -> type[BaseModel] | None:
    models = (k for k in _kinds(annotation) if isinstance(k, type) and issubclass(k, BaseModel))
    return next(models, None)


def _kinds(annotation: Any) -> Iterator[Any]:
    """The types that an annotation stands for: those of a union, and what is annotated."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _kinds(get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for kind in get_args(annotation):
            yield from _kinds(kind)
    else:
        yield annotation
