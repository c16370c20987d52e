"""What SECURITY.md promises: tests that are there, and licences that bind nobody's own code."""

from __future__ import annotations

import re
from importlib.metadata import distribution, distributions
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Licences that ask for one's own code to be under them; MPL asks for its own files alone.
BINDING = re.compile(r"\bA?GPL|General Public License|\bSSPL|\bEUPL|Commons Clause", re.IGNORECASE)
LESSER = re.compile(r"\bLGPL|Lesser General Public", re.IGNORECASE)


def test_every_promise_names_a_test_that_is_there() -> None:
    page = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    promised = page.partition("## What is promised")[2].partition("\n## ")[0]
    rows = [line for line in promised.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 8
    for row in rows:
        named = re.findall(r"`(tests/[a-z_/]+(?:\.py)?|make test)`", row.split("|")[3])
        assert named, row
        assert all(name == "make test" or (ROOT / name).exists() for name in named), row


def licence_of(name: str) -> str:
    """What a distribution says of its licence."""
    about = distribution(name).metadata
    said = [about.get("License-Expression"), *(about.get_all("Classifier") or [])]
    return "; ".join(text for text in said if text and ("License" in text or text is said[0]))


def test_the_project_says_its_licence_and_ships_it_with_the_fonts() -> None:
    assert licence_of("pudong-sim") == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")
    shipped = {str(file) for file in distribution("pudong-sim").files or []}
    for file in ("LICENSE", "OFL.txt"):
        assert any(name.endswith(file) and "licenses" in name for name in shipped), shipped


def test_nothing_is_installed_under_a_licence_that_binds_ones_own_code() -> None:
    names = {found.name for found in distributions()}
    assert len(names) > 50
    binding = {name: licence_of(name) for name in names if BINDING.search(licence_of(name))}
    assert {name for name, text in binding.items() if not LESSER.search(text)} == set()
