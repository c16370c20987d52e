"""Records out of a table: one a row, each with an id of its own, and every problem by its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from sim.analysis.sheet import at, read_sheet
from sim.errors import Fault, ObservationError, listed
from sim.validation import problems_of

RowT = TypeVar("RowT", bound=BaseModel)


def read_records(
    path: Path, record: type[RowT], misfits: Callable[[RowT], Iterable[tuple[str, Fault]]]
) -> dict[str, RowT]:
    """The rows of a table as records by their ids, in their order.

    Args:
        record: has a field for each column, ``id`` among them; a cell of a field with a default
            may be empty.
        misfits: what is wrong with a row that is well formed, as columns and faults.

    Raises:
        FileError: the file is missing or unreadable.
        ObservationError: something cannot be used; names file, line and column of each problem.
    """
    fields = record.model_fields
    optional = [name for name, field in fields.items() if not field.is_required()]
    sheet = read_sheet(path, list(fields), optional, ())
    found: dict[str, RowT] = {}
    problems: list[tuple[int, str, Fault]] = []
    for line, row in sheet.rows:
        try:
            one = record.model_validate(row)
        except ValidationError as failure:
            problems += [
                (line, str(field[0]) if field else "", text)
                for field, text in problems_of(failure, record, row)
            ]
            continue
        known: Any = one
        name = str(known.id)
        if name in found:
            problems.append((line, "id", f"found {name!r}; it is given twice"))
        found[name] = one
        problems += [(line, column, text) for column, text in misfits(one)]
    if problems:
        said = listed(problems, lambda wrong: f"{at(path, *wrong[:2])}: {wrong[2]}")
        raise ObservationError(said)
    return found
