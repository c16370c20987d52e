"""What a page sends, read into plain data: as deep, long and legible as a scenario file."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from sim.errors import RunError, shown_text
from sim.files import MAX_DEPTH, MAX_ENTRIES

Message = dict[str, Any]


def read_message(text: str) -> Message:
    """A message as its fields; raises RunError where nothing can be made of it."""
    try:
        data = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise RunError(f"the message is no JSON: found {shown_text(text)}") from None
    if not isinstance(data, dict):
        raise RunError(f"the message must hold fields: found {shown_text(text)}")
    _check_size(data)
    if "\\u" in text:  # half a character, which no text holds and none can be written with
        try:
            json.dumps(data, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            half = f"U+{ord(str(error.object)[error.start]):04X}"
            raise RunError(f"the message holds {half}, half a character; remove it") from None
    if type(run := data.get("run", 0)) is not int or abs(run) >= 2**53:
        raise RunError("run: a whole number is needed, by which the page knows the answers")
    return data


def _check_size(data: Any) -> None:
    """Refuse what is nested too deep, or long; without recursion, which takes the stack."""
    level, depth = [data], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise RunError(f"the message is nested more than {MAX_DEPTH} levels deep")
        longest = max(map(len, level))
        if longest > MAX_ENTRIES:
            limit = f"allowed: at most {MAX_ENTRIES:,} in one list or record"
            raise RunError(f"the message holds {longest:,} entries; {limit}")
        level = [
            item
            for node in level
            for item in (node.values() if isinstance(node, dict) else node)
            if isinstance(item, dict | list)
        ]


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)
