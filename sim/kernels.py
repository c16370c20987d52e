"""Kernels: loops over firms, calls or cells, compiled to machine code when first called.

What numba compiled it keeps beside the source, or in the user's cache where the source cannot be
written to; where neither can be, it compiles anew in each process. It notices a change of the
kernel's own file alone, so a kernel calls no function of another file, and what it reads of others
as numbers (states and columns of firms, sums of zones, quantities of the plan) is part of its name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba

F = TypeVar("F", bound=Callable[..., Any])

READ = ("firms.py", "plan.py", "zones.py")  # files whose names kernels know as numbers
_TEXTS = [(Path(__file__).parent / file).read_bytes() for file in READ]
LAYOUT = hashlib.sha256(b"".join(_TEXTS)).hexdigest()[:8]


def kernel(function: F) -> F:
    """Compile a function of arrays and numbers; a division by zero gives inf, as in numpy.

    Sums keep their order and nothing is contracted, so that results are those of plain Python.
    """
    function.__qualname__ += f"_{LAYOUT}"  # the name under which numba keeps it
    try:
        compiled: Any = numba.njit(cache=True, error_model="numpy")(function)
    except RuntimeError:  # no place where what was compiled could be kept
        compiled = numba.njit(error_model="numpy")(function)
    return compiled  # type: ignore[no-any-return]
