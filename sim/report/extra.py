"""Libraries of the extra ``brief``, which writing documents needs and nothing else."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from sim.errors import RunError


def needed(module: str, what: str) -> Any:
    """A library of the extra.

    Raises:
        RunError: it is not installed; says what to install.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError:
        raise RunError(
            f"{what} need the library {module.partition('.')[0]}, which is not installed; "
            "install the extra: pip install 'pudong-sim[brief]'"
        ) from None
