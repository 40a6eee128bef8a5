"""Checks of arguments: each returns the argument in plain form or raises a one-line error.

Every message names what was given and what was expected. All modules of nn use these checks, except the
textbook by hand, which is independent of the rest and has its own.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, MutableSequence, Sequence
from math import inf, isfinite
from typing import TYPE_CHECKING, NoReturn, Protocol, SupportsFloat, TypeAlias, TypeGuard, TypeVar, cast

from engine import Constant, Number, Role, Value, as_float, brief, did_you_mean, is_number

if TYPE_CHECKING:
    from numpy import ndarray

__all__ = [
    "Floats", "InputValues", "Inputs", "Rng", "Rows", "as_floats", "as_inputs", "as_list", "as_outputs",
    "as_rows", "check_finite", "check_flag", "check_range", "count", "expected", "generator", "is_list",
    "look_up", "number", "pair", "table",
]  # fmt: skip

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., object])

Floats: TypeAlias = "Sequence[float] | ndarray"  # one sample of plain numbers
Inputs: TypeAlias = "Sequence[Number] | Floats"  # one sample, in which there may be Values
Rows: TypeAlias = "Sequence[Floats] | ndarray"  # many samples


class Rng(Protocol):
    """A source of random numbers: random.Random, or the module `random`."""

    def uniform(self, a: float, b: float, /) -> float:
        """Return a number between ``a`` and ``b``."""

    def gauss(self, mu: float, sigma: float, /) -> float:
        """Return a normally distributed number."""

    def shuffle(self, x: MutableSequence[T], /) -> None:
        """Shuffle a list in place."""


class InputValues(list[Value]):
    """Inputs that are Values already, so that no neuron checks them again."""


def expected(what: str, x: object) -> NoReturn:
    """Raise a TypeError with the message ``what``, the expectation, followed by ``x``, the argument given.

    >>> expected("x is a number", "2")
    Traceback (most recent call last):
    TypeError: x is a number, not str: '2'
    """
    raise TypeError(f"{what}, not {type(x).__name__}: {brief(x)}")


# Lists


def is_list(x: object) -> TypeGuard[Sequence[object]]:
    """Return whether ``x`` is a list, a tuple or an array: ordered and of known length.

    >>> is_list([1.0]), is_list({1.0}), is_list("ab")
    (True, False, False)
    """
    return hasattr(x, "__len__") and _reason_against(x) is None and getattr(x, "shape", None) != ()


def as_list(what: str, x: object, sized: bool = True) -> list[object]:
    """Return ``x``, a list, a tuple or an array, as a list; an array's rows as lists.

    Args:
        what: what was expected, for the message.
        x: the argument.
        sized: whether to refuse an iterator, which can be read only once.

    Raises:
        TypeError: it is not a list, or iterating over it would not give its numbers in order: a data frame
            iterates over the names of its columns, a dict over its keys, a set in any order, a masked array
            over masked numbers, too.

    >>> as_list("xs is a list", (1, 2))
    [1, 2]
    >>> as_list("xs is a list", {1, 2})
    Traceback (most recent call last):
    TypeError: xs is a list, not set: {1, 2}
    """
    reason = _reason_against(x)
    if reason is not None or not hasattr(x, "__iter__") or (sized and not hasattr(x, "__len__")):
        if reason:
            raise TypeError(f"{what}, not {type(x).__name__}: {reason}")
        expected(what, x)
    entries = x.tolist() if hasattr(x, "tolist") else x
    return list(entries) if isinstance(entries, Iterable) else expected(what, x)


def _reason_against(x: object) -> str | None:
    """Return why ``x`` is not a list, "" if its type is reason enough; None if it may be a list."""
    if isinstance(x, (list, tuple)):
        return None
    if isinstance(x, (str, bytes, bytearray, set, frozenset, Mapping, Value)):
        return ""
    if hasattr(x, "__dataframe__") or (hasattr(x, "iloc") and hasattr(x, "columns")):  # pandas, polars
        return "give its numbers, as with .to_numpy()"
    if hasattr(x, "mask") and hasattr(x, "filled"):  # numpy.ma
        return "give its numbers, as with .filled(0.0)"
    return None


def pair(what: str, x: object) -> tuple[object, object]:
    """Return ``x``, a pair, as a tuple.

    >>> pair("betas is a pair", [0.9, 0.999])
    (0.9, 0.999)
    """
    if not isinstance(x, (tuple, list)) or len(x) != 2:
        raise TypeError(f"{what}, not {brief(x)}")
    return x[0], x[1]


# Samples


def as_inputs(x: Inputs, n: int | None) -> InputValues:
    """Return a sample as n Values, None for any number; plain numbers become constants, labelled x0, x1, ...

    Raises:
        ValueError: there are not n of them.
        TypeError: x is not a list, or an entry is neither a Value nor a plain number.

    >>> as_inputs([Value(2.0, label="here"), 3.0], 2)[1].label
    'x1'
    """
    if type(x) is not InputValues:
        entries = enumerate(_entries(x, n))
        x = InputValues([v if isinstance(v, Value) else _constant(v, i) for i, v in entries])
    return x if n is None else _of_length(x, n)


def _constant(x: object, i: int) -> Constant:
    """Return the i-th input as a labelled constant."""
    node = Constant(as_float(x), f"x{i}")
    node.role = Role("x", input=i)
    return node


def as_floats(x: Floats, n: int | None = None) -> list[float]:
    """Return a sample as n floats; None for any number of them.

    Raises:
        ValueError: there are not n of them.
        TypeError: x is not a list, or an entry is not a plain number.

    >>> as_floats([1, 2.5], 2)
    [1.0, 2.5]
    """
    entries = _entries(x, n)
    only_floats = set(map(type, entries)) == {float}  # the usual case
    numbers = cast("list[float]", [*entries]) if only_floats else [as_float(v) for v in entries]
    return numbers if n is None else _of_length(numbers, n)


def _entries(x: object, n: int | None) -> list[object]:
    if type(x) is list:  # the usual case
        return x
    return as_list(f"a sample is a list of {'' if n is None else f'{n} '}numbers", x, sized=False)


L = TypeVar("L", bound=Sequence[object])


def _of_length(x: L, n: int) -> L:
    if len(x) != n:
        raise ValueError(f"expected {n} inputs, got {len(x)}")
    return x


def as_rows(rows: Rows, n: int | None = None) -> list[list[float]]:
    """Return many samples as floats, n in each; None for as many as there are in the first.

    Raises:
        ValueError, TypeError: `as_floats` refuses a row; the message has its number.

    >>> as_rows([[1, 2], [3]])
    Traceback (most recent call last):
    ValueError: row 1: expected 2 inputs, got 1
    """
    found: list[list[float]] = []
    for i, row in enumerate(as_list("rows is a list with one sample each", rows, sized=False)):
        try:
            found.append(as_floats(cast("Floats", row), n or (len(found[0]) if found else None)))
        except (TypeError, ValueError, OverflowError) as error:
            raise type(error)(f"row {i}: {error}") from None
    return found


table = as_rows  # its name in version 0.1.0


def as_outputs(y: object) -> Value | list[Value]:
    """Return the outputs of a model, a Value or a list of Values, as they are.

    Raises:
        TypeError: ``y`` is something else, which a Module of the user's own returned.

    >>> as_outputs(2.0)
    Traceback (most recent call last):
    TypeError: a model returns a Value or a list of Values, not float: 2.0
    """
    if isinstance(y, Value):
        return y
    if not isinstance(y, list) or not y:
        expected("a model returns a Value or a list of Values", y)
    for k, out in enumerate(y):
        if not isinstance(out, Value):
            expected(f"a model returns a Value or a list of Values; output {k} is a Value", out)
    return y


def check_finite(what: str, numbers: Iterable[object]) -> None:
    """Raise a ValueError if one of ``numbers`` is not finite.

    >>> check_finite("input", [1.0, float("inf")])
    Traceback (most recent call last):
    ValueError: input 1 is inf; expected a finite number
    """
    for k, x in enumerate(numbers):
        if is_number(x) and not isfinite(x):
            raise ValueError(f"{what} {k} is {x}; expected a finite number")


def all_finite(numbers: Floats) -> bool:
    """Return whether all numbers of a list, or of an array of one dimension, are finite."""
    if isinstance(numbers, Sequence):
        return all(map(isfinite, numbers))
    import numpy as np

    return bool(np.isfinite(numbers).all())


# Numbers


def count(name: str, n: object, least: int = 1, most: int | None = None) -> int:
    """Return ``n``, a whole number of at least ``least``, as an int.

    Raises:
        ValueError: it is not; the message calls it ``name``.

    >>> count("nin", 0)
    Traceback (most recent call last):
    ValueError: nin is a whole number of at least 1, not 0
    """
    try:
        whole = least - 1 if isinstance(n, bool) else operator.index(n)  # type: ignore[arg-type]
    except TypeError:
        whole = least - 1
    if whole < least or (most is not None and whole > most):
        limit = "" if most is None else f" and at most {most}"
        raise ValueError(f"{name} is a whole number of at least {least}{limit}, not {brief(n)}")
    return whole


def number(name: str, x: object) -> float:
    """Return ``x`` as a float; an int that is too large for a float as infinity.

    Raises:
        TypeError: it is not a number; the message calls it ``name``.

    >>> number("noise", 2)
    2.0
    """
    if not isinstance(x, SupportsFloat) or hasattr(x, "__len__"):  # an array has both
        expected(f"{name} is a number", x)
    try:
        return float(x)
    except OverflowError:
        return inf


def check_flag(name: str, x: object) -> bool:
    """Return ``x``, which is True, False, 1 or 0, as a bool.

    Raises:
        TypeError: it is something else; a text, for example.

    >>> check_flag("nonlin", 0)
    False
    """
    if x is True or x is False:
        return x
    truth = x.item() if hasattr(x, "item") and getattr(x, "shape", None) == () else x  # of NumPy
    if not isinstance(truth, (bool, int)) or truth not in (0, 1):
        expected(f"{name} is True or False", x)
    return bool(truth)


def check_range(name: str, x: object, low: float, below: float = inf) -> float:
    """Return ``x`` as a float, if low <= x < below.

    Raises:
        TypeError: it is not a number.
        ValueError: it is outside the range; a NaN is, too.

    >>> check_range("momentum", 1, 0.0, 1.0)
    Traceback (most recent call last):
    ValueError: momentum is at least 0 and below 1, not 1
    """
    found = number(name, x)
    if not low <= found < below:
        above = "finite" if below == inf else f"below {below:g}"
        raise ValueError(f"{name} is {'above 0' if low else 'at least 0'} and {above}, not {brief(x)}")
    return found


# Names and random numbers


def look_up(noun: str, signature: str, which: str | F, table: Mapping[str, F]) -> F:
    """Return the function of that name from ``table``; a function is returned as it is.

    Raises:
        ValueError: there is none of that name; the message lists the names.
        TypeError: ``which`` is neither a name nor a function.

    >>> look_up("loss", "(outputs, target) -> Value", "mse", {"hinge": max})
    Traceback (most recent call last):
    ValueError: unknown loss 'mse'; there are hinge
    """
    if isinstance(which, str):
        if which not in table:
            hint = did_you_mean(which, table)
            raise ValueError(f"unknown {noun} {brief(which)}{hint}; there are {', '.join(table)}")
        return table[which]
    if not callable(which):
        article = "an" if noun[0] in "aeiou" else "a"
        raise TypeError(f"{article} {noun} is a name or a function {signature}, not {brief(which)}")
    return which


def generator(rng: Rng | None) -> Rng:
    """Return ``rng``, or for None the module `random`, which ``random.seed`` seeds.

    Raises:
        TypeError: it lacks the methods of random.Random; a seed is no generator, for example.

    >>> generator(1337)
    Traceback (most recent call last):
    TypeError: rng draws random numbers as random.Random(seed) does, not 1337
    """
    if rng is None:
        import random  # seldom needed: a module that is slow to import

        return random
    if not all(hasattr(rng, method) for method in ("uniform", "gauss", "shuffle")):
        raise TypeError(f"rng draws random numbers as random.Random(seed) does, not {brief(rng)}")
    return rng
