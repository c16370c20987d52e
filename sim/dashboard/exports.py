"""Files that a page hands over: what it shows, as pictures and tables."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from sim.analysis.explanation import Explanation
from sim.dashboard import pictures, tables
from sim.dashboard.pictures import Shown
from sim.errors import RunError
from sim.report.wording import Language

TYPES = {
    "csv": "text/csv",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "html": "text/html",
    "pdf": "application/pdf",
    "png": "image/png",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "svg": "image/svg+xml",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "yaml": "application/yaml",
}


@dataclass(frozen=True)
class File:
    """A file that a browser saves."""

    name: str
    data: bytes

    @property
    def type(self) -> str:
        return TYPES[self.name.rpartition(".")[2]]


async def export(
    shown: Shown,
    chain: Explanation | None,
    look: tuple[str, str],
    what: object,
    kind: object,
    language: Language,
) -> File:
    """A picture or a table.

    Args:
        chain: the chain of causes that is shown.
        look: the zone and target that are looked at.

    Raises:
        RunError: there is no such export, or nothing to be drawn.
    """
    (zone, target), plan = look, shown.base.inputs.plan
    name = str(what)
    match what, kind:
        case "board", "png" | "svg":
            made = asyncio.to_thread(pictures.board, shown, language, kind)
        case "fan", "png" | "svg":
            name = f"fan-{target}-{zone}"
            made = asyncio.to_thread(pictures.fan, shown, zone, target, language, kind)
        case "map", "png" | "svg":
            name = f"map-{target}"
            made = asyncio.to_thread(pictures.layout, shown, target, language, kind)
        case "chain", "png" | "svg":
            if chain is None:
                raise RunError("no chain of causes has been traced yet")
            name = f"chain-{chain.target}-{chain.zone}"
            made = asyncio.to_thread(pictures.chain, chain, plan, language, kind)
        case "table", "csv":
            made = asyncio.to_thread(tables.csv, shown)
        case "table", "xlsx":
            made = asyncio.to_thread(tables.workbook, shown)
        case _:
            raise RunError(f"found {what!r} as {kind!r}; there is no such export")
    try:
        return File(f"{shown.runs.inputs.scenario.id}-{name}.{kind}", await made)
    except ValueError as error:
        raise RunError(str(error)) from None
