"""What a program left, changed on purpose and sealed anew, as another version would leave it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sim.seal import JSON, seal
from sim.store import fingerprint, read_manifest, read_sealed


def rewrite(file: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change what a JSON file holds in place; its checksum is then that of the new text."""
    content = read_sealed(file)
    change(content)
    file.write_text(seal(json.dumps(content, indent=1) + "\n", JSON), encoding="utf-8")


def remade(out: Path, **fields: object) -> None:
    """A forecast's runs as if they were of something else, its manifest's fields."""
    rewrite(out / "manifest.json", lambda manifest: manifest.update(fields))
    of = fingerprint(read_manifest(out / "manifest.json"))
    for note in out.glob("runs/*/chunk.json"):
        rewrite(note, lambda content: content.update(of=of))
