"""Plain numbers: Python's own, NumPy's scalars, and arrays and tensors without dimensions."""

from __future__ import annotations

from typing import Any, Protocol, SupportsFloat, TypeGuard

from engine.core.messages import brief


def is_number(x: object) -> TypeGuard[SupportsFloat]:
    """Return whether ``x`` is an int, a bool, a float, a real NumPy scalar or an array of no dimensions.

    >>> is_number(2), is_number("2")
    (True, False)
    """
    if isinstance(x, (float, int)):
        return True
    dtype = getattr(x, "dtype", None)  # NumPy scalars and arrays without dimensions have one
    if dtype is None or getattr(x, "ndim", None) != 0:
        return False
    return (
        getattr(dtype, "kind", "f") in "biufV"
        and not getattr(dtype, "is_complex", False)
        and hasattr(x, "__float__")
    )


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


class Recordable(Protocol):
    """A type that operations can be called on, beside plain numbers: Value, which records them."""

    @staticmethod
    def __record__(op: Any, *args: Any) -> Any: ...
