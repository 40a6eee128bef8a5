"""What counts as a plain number: Python's own, and NumPy's scalars."""

from __future__ import annotations

import sys
from typing import Any


def is_plain(x: Any) -> bool:
    """Whether ``x`` is an int, a bool, a float or a real NumPy scalar."""
    if isinstance(x, (float, int)):
        return True
    numpy = sys.modules.get("numpy")  # without NumPy loaded nobody can hold a NumPy scalar
    return numpy is not None and isinstance(x, numpy.generic) and x.dtype.kind in "biuf"


def plain(x: Any) -> float:
    """``x`` as a float.

    Raises:
        TypeError: ``x`` is not a plain number; the message names its type.

    >>> plain(True), plain(2)
    (1.0, 2.0)
    >>> plain("2")
    Traceback (most recent call last):
    TypeError: expected a number, not str: '2'
    """
    if type(x) is float:
        return x
    if not is_plain(x):
        raise TypeError(f"expected a number, not {type(x).__name__}: {x!r:.60}")
    return float(x)
