"""Kernels: loops over firms, calls or cells, compiled to machine code when first called.

What numba compiled it keeps beside the source, or in the user's cache where the source cannot be
written to; where neither can be, it compiles anew in each process. It notices a change of the
kernel's own file alone, so a kernel calls no function of another file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile a function of arrays and numbers; a division by zero gives inf, as in numpy.

    Sums keep their order and nothing is contracted, so that results are those of plain Python.
    """
    try:
        compiled: Any = numba.njit(cache=True, error_model="numpy")(function)
    except RuntimeError:  # no place where what was compiled could be kept
        compiled = numba.njit(error_model="numpy")(function)
    return compiled  # type: ignore[no-any-return]
