"""Where a document may be written."""

from __future__ import annotations

from pathlib import Path

from sim.errors import RunError

OWN = ("runs", "inputs")  # parts of a forecast's directory that stay as they are


def file_for(out: Path, directory: Path, suffix: str) -> Path:
    """The file, if it can be one beside or within a forecast's directory.

    Raises:
        RunError: its name says another format, its folder is not there, or it is in the way.
    """
    if out.suffix.lower() != suffix:
        raise RunError(f"--out: found {out.name}; its name must end in {suffix}, as --format says")
    if out.is_dir():
        raise RunError(f"--out: {out} is a directory; give a file")
    if not out.absolute().parent.is_dir():
        raise RunError(f"--out: {out.parent}: no such directory; make it, or give another file")
    _check_outside(out, directory)
    return out


def folder_for(out: Path, directory: Path) -> Path:
    """The folder, which is made where it is not there.

    Raises:
        RunError: a file is in the way.
    """
    if out.exists() and not out.is_dir():
        raise RunError(f"--out: {out} is a file; give a directory")
    _check_outside(out, directory)
    return out


def _check_outside(out: Path, directory: Path) -> None:
    kept = [directory.resolve() / part for part in OWN]
    names = [directory.resolve() / name for name in ("summary.json", "manifest.json")]
    place = out.resolve()
    if place in names or any(place.is_relative_to(part) for part in kept):
        raise RunError(f"--out: {out} is a part of the forecast; give another place")
