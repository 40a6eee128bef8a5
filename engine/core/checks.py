"""Checks of arguments: symbols and points of an operation, numbers and nodes of a graph."""

from __future__ import annotations

import keyword
from collections.abc import Iterable

from engine.core.messages import brief, one_line
from engine.core.scalar import as_float
from engine.formula.arithmetic import CONSTANTS
from engine.formula.tree import LETTERS


def check_symbol(symbol: str, shipped: set[str]) -> None:
    """Raise an error unless ``symbol`` is one printable word that has no other meaning."""
    if not isinstance(symbol, str):
        raise TypeError(f"a symbol is a str, not {type(symbol).__name__}")
    if not symbol.isprintable() or symbol.split() != [symbol] or ":" in symbol or symbol.startswith("_"):
        raise ValueError("a symbol is one printable word, without a colon, and not beginning with _")
    if symbol in shipped or symbol in {*LETTERS, *CONSTANTS, "pow", "inf", "nan", *keyword.kwlist}:
        raise ValueError(f"the symbol {symbol!r} is taken; choose another")


def as_point(numbers: object, arity: int) -> tuple[float, ...]:
    """Return a point as a tuple of ``arity`` floats; a single number is a point of one letter."""
    point = tuple(map(as_float, numbers if isinstance(numbers, (tuple, list)) else [numbers]))
    if len(point) != arity:
        raise ValueError(f"a point of this row is {arity} number{'s' * (arity > 1)}, not {numbers!r}")
    return point


def check_number(what: str, label: str, x: object) -> float:
    """Return ``x`` as a float, or raise a TypeError that names the attribute and the label of its Value."""
    try:
        return as_float(x)
    except (TypeError, OverflowError) as error:
        name = f" of {one_line(label)}" if label else ""
        raise type(error)(f"cannot set the {what}{name}: {error}") from None


def check_recorded(root: object) -> None:
    """Raise a ValueError if ``root`` was computed under `no_grad`."""
    if not getattr(root, "recorded", True):
        raise ValueError(f"{brief(root)} was computed under no_grad, so there is no graph to differentiate")


def check_all_recorded(root: object, order: Iterable[object]) -> None:
    """Raise a ValueError if ``root`` depends on leaves only through Values computed under `no_grad`."""
    for node in order:
        if not getattr(node, "recorded", True):
            raise ValueError(
                f"{brief(root)} depends only on {brief(node)}, computed under no_grad: there is no gradient"
            )


def check_value(node: object) -> None:
    """Raise a TypeError unless ``node`` is a node of a graph."""
    if not hasattr(node, "parents"):
        raise TypeError(f"expected a Value, not {type(node).__name__}: {brief(node)}")
