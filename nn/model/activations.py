"""Activation functions: any operation of one argument, or none."""

from __future__ import annotations

from typing import TypeAlias

from engine import Op, brief, did_you_mean, ops
from nn.validation import check_flag

__all__ = ["DEFAULT", "Activation", "apply", "get_activation", "symbol", "with_nonlin"]

Activation: TypeAlias = str | Op | None


class Default(str):
    """The name of an activation that was not given, so that ``nonlin=False`` does not contradict it."""

    __slots__ = ()


DEFAULT = Default("relu")


def get_activation(activation: Activation) -> Op | None:
    """Return the operation of one argument of that name; an Op or None is returned as it is.

    Raises:
        ValueError: there is none of that name, or it takes more than one argument.
        TypeError: it is neither a name nor an Op nor None.

    >>> get_activation("tanh")
    <op tanh>
    """
    if activation is None:
        return None
    if not isinstance(activation, (str, Op)):
        hint = (
            "; micrograd's flag is written nonlin=" + f"{activation}" if isinstance(activation, bool) else ""
        )
        raise TypeError(f"an activation is a name, an Op or None, not {brief(activation)}{hint}")
    unary = {name: op for name, op in ops.table.items() if isinstance(op, Op) and len(op.partials) == 1}
    name = activation if isinstance(activation, str) else activation.symbol
    if name not in unary:
        hint = did_you_mean(name, unary)
        raise ValueError(
            f"unknown activation {brief(name)}{hint}: operations of one argument are {', '.join(unary)}"
        )
    return unary[name] if isinstance(activation, str) else activation


def with_nonlin(activation: Activation, nonlin: object) -> Op | None:
    """Return the activation that the arguments ``activation`` and ``nonlin`` ask for together.

    Raises:
        ValueError: they contradict each other.
        TypeError: nonlin is neither True nor False nor None.

    >>> with_nonlin(DEFAULT, None), with_nonlin(DEFAULT, False), with_nonlin("tanh", True)
    (<op relu>, None, <op tanh>)
    """
    op = get_activation(activation)
    if nonlin is None:
        return op
    if check_flag("nonlin", nonlin) == (op is not None):
        return op
    if isinstance(activation, Default):
        return None
    raise ValueError(f"activation={symbol(op)!r} and nonlin={nonlin} contradict each other: give one of them")


def symbol(op: Op | None) -> str | None:
    """Return the symbol of an operation, or None for none.

    >>> symbol(get_activation("tanh"))
    'tanh'
    """
    return None if op is None else op.symbol


def apply(op: Op | None, z: float) -> float:
    """Return a = g(z) as a float.

    >>> apply(get_activation("relu"), -2.0), apply(None, -2.0)
    (0.0, -2.0)
    """
    if op is None:
        return z
    try:
        return op.value(z)
    except (ArithmeticError, ValueError):
        return float(op(z))  # raises it again, with the formula and the number
