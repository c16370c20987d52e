"""What commands leave as JSON, for readers and for later commands: whole, or its damage is noticed.

A record's file carries its checksum, see ``sim.seal``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sim.errors import RunError
from sim.seal import JSON, seal, unseal
from sim.store import write_text

SEALED = {"checksum"}  # written by the seal, not by the record

RecordT = TypeVar("RecordT", bound=BaseModel)


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Sealed(Part):
    """A whole file."""

    checksum: str = Field(
        default="", description="SHA-256 of all other lines of the file; stands in the second"
    )


def write_record(record: Sealed, file: Path) -> None:
    """Write it as JSON with its checksum, whole or not at all.

    Raises:
        OSError: the disk does not take it; it names the file.
    """
    write_text(file, seal(record.model_dump_json(indent=1, exclude=SEALED) + "\n", JSON))


def read_record(file: Path, kind: type[RecordT], advice: str) -> RecordT:
    """Read what a command left, as it was left.

    Args:
        kind: which record it is, or the part of it that is needed.
        advice: how to get a sound one, where this is not.

    Raises:
        RunError: it was changed or cut, or is another version's.
        OSError: it cannot be read.
    """
    try:
        return kind.model_validate_json(unseal(file.read_bytes().decode(), JSON))
    except ValidationError:
        raise RunError(f"{file}: is of another version, or another file; {advice}") from None
    except UnicodeDecodeError:
        raise RunError(f"{file}: is damaged; {advice}") from None
    except ValueError as error:
        raise RunError(f"{file}: {error}; {advice}") from None


def schema_of(kind: type[Sealed]) -> str:
    """The JSON Schema of a record's file."""
    return json.dumps(kind.model_json_schema(), indent=1, ensure_ascii=False) + "\n"
