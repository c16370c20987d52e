"""Find another Python than this one that the program should work with; prints its path.

Looks on PATH and among pyenv's versions, the newest first. Ends with status 1, and says so on
stderr, where there is none.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

MINORS = (14, 13, 12, 11)
PROBE = "import ensurepip, sys, venv; print(sys.version_info[1] if sys.version_info[0] == 3 else 0)"


def candidates() -> Iterator[str]:
    """Paths of interpreters, which may be there and may work."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for minor in MINORS:
        if minor != sys.version_info[1]:
            yield from filter(None, [shutil.which(f"python3.{minor}")])
            yield from map(str, sorted(root.glob(f"versions/3.{minor}.*/bin/python"), reverse=True))


def works(python: str) -> bool:
    """Whether it starts, is another version, and can make environments."""
    try:
        found = subprocess.run([python, "-c", PROBE], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return False
    return found.stdout.strip() in {str(minor) for minor in MINORS} - {str(sys.version_info[1])}


def main() -> int:
    python = next(filter(works, candidates()), None)
    if python is None:
        looked = ", ".join(f"python3.{minor}" for minor in MINORS if minor != sys.version_info[1])
        here = ".".join(map(str, sys.version_info[:3]))
        print(f"tested on Python {here} alone: none of {looked} is here", file=sys.stderr)
        return 1
    print(python)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
