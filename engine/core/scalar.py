"""Plain numbers: Python's own, and NumPy's scalars."""

from __future__ import annotations

import sys
from typing import SupportsFloat, TypeGuard

from engine.core.messages import brief


def is_number(x: object) -> TypeGuard[SupportsFloat]:
    """Return whether ``x`` is an int, a bool, a float or a real NumPy scalar.

    >>> is_number(2), is_number("2")
    (True, False)
    """
    if isinstance(x, (float, int)):
        return True
    numpy = sys.modules.get("numpy")  # without NumPy loaded there is no NumPy scalar
    return numpy is not None and isinstance(x, numpy.generic) and x.dtype.kind in "biuf"


def as_float(x: object) -> float:
    """Return ``x`` as a float.

    Raises:
        TypeError: ``x`` is not a plain number; the message names its type.

    >>> as_float(True), as_float(2)
    (1.0, 2.0)
    >>> as_float("2")
    Traceback (most recent call last):
    TypeError: expected a number, not str: '2'
    """
    if type(x) is float:
        return x
    if not is_number(x):
        raise TypeError(f"expected a number, not {type(x).__name__}: {brief(x)}")
    return float(x)
