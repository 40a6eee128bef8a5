"""What goes into a model: one sample, checked, as Values or as plain floats."""

from __future__ import annotations

import operator
import random
from collections.abc import Iterable
from typing import Any

from engine import Constant, Role, Value, as_float

__all__ = ["Lifted", "count", "floats", "generator", "lifted", "table"]


class Lifted(list[Value]):
    """Inputs that are Values already, so that no neuron has to look at them again."""


def lifted(x: Iterable[Any], n: int) -> Lifted:
    """A sample as n Values: the plain numbers in it become constants called x0, x1, ...

    Raises:
        ValueError: there are not n of them.
        TypeError: x is not a list, or one of it neither a Value nor a plain number.

    >>> lifted([Value(2.0, label="here"), 3.0], 2)[1].label
    'x1'
    """
    if type(x) is not Lifted:
        x = Lifted([v if isinstance(v, Value) else _input(v, i) for i, v in enumerate(_listed(x, n))])
    if len(x) != n:
        raise ValueError(f"expected {n} inputs, got {len(x)}")
    return x


def _input(x: float, i: int) -> Constant:
    """Return the input of that place as a labelled constant."""
    node = Constant(x, f"x{i}")
    node.role = Role("x", input=i)
    return node


def floats(x: Iterable[Any], n: int) -> list[float]:
    """A sample as n floats.

    Raises:
        ValueError: there are not n of them.
        TypeError: x is not a list, or one of it not a plain number.

    >>> floats([1, 2.5], 2)
    [1.0, 2.5]
    """
    numbers = [as_float(v) for v in _listed(x, n)]
    if len(numbers) != n:
        raise ValueError(f"expected {n} inputs, got {len(numbers)}")
    return numbers


def table(rows: Iterable[Any], n: int | None = None) -> list[list[float]]:
    """Many samples as floats, n in each; None for as many as there are in the first.

    Raises:
        ValueError, TypeError: a row is not as `floats` wants it; the message has its number.

    >>> table([[1, 2], [3]])
    Traceback (most recent call last):
    ValueError: row 1: expected 2 inputs, got 1
    """
    if isinstance(rows, (str, bytes, dict, Value)) or not hasattr(rows, "__iter__"):
        raise TypeError(f"rows is a list with one sample each, not {type(rows).__name__}: {rows!r:.60}")
    found: list[list[float]] = []
    for i, row in enumerate(rows):
        try:
            found.append(floats(row, n or (len(found[0]) if found else len(row))))
        except (TypeError, ValueError) as error:
            raise type(error)(f"row {i}: {error}") from None
    return found


def count(name: str, n: Any) -> int:
    """``n``, if it is a whole number of at least 1.

    Raises:
        ValueError: it is not; the message calls it ``name``.

    >>> count("nin", 0)
    Traceback (most recent call last):
    ValueError: nin is a whole number of at least 1, not 0
    """
    try:
        whole = 0 if isinstance(n, bool) else operator.index(n)
    except TypeError:
        whole = 0
    if whole < 1:
        raise ValueError(f"{name} is a whole number of at least 1, not {n!r:.60}")
    return whole


def _listed(x: Any, n: int) -> list[Any]:
    if isinstance(x, (str, bytes, dict, Value)) or not hasattr(x, "__iter__"):
        raise TypeError(f"a sample is a list of {n} numbers, not {type(x).__name__}: {x!r:.60}")
    return list(x)


def generator(rng: Any) -> Any:
    """``rng`` itself, or for None the module `random`, which ``random.seed`` seeds.

    Raises:
        TypeError: it cannot draw as random.Random does; a bare seed, say.

    >>> generator(1337)
    Traceback (most recent call last):
    TypeError: rng draws random numbers as random.Random(seed) does; got 1337
    """
    if rng is None:
        return random
    if not all(hasattr(rng, way) for way in ("uniform", "gauss", "shuffle")):
        raise TypeError(f"rng draws random numbers as random.Random(seed) does; got {rng!r:.60}")
    return rng
