"""Activation functions: any operation of one argument, or none."""

from __future__ import annotations

from typing import TypeAlias

from engine import Op, brief, ops

__all__ = ["Activation", "apply", "get_activation", "symbol"]

Activation: TypeAlias = str | Op | None


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
        raise TypeError(f"an activation is a name, an Op or None, not {brief(activation)}")
    unary = {name: op for name, op in ops.table.items() if isinstance(op, Op) and len(op.partials) == 1}
    name = activation if isinstance(activation, str) else activation.symbol
    if name not in unary:
        raise ValueError(
            f"unknown activation {brief(name)}: operations of one argument are {', '.join(unary)}"
        )
    return unary[name] if isinstance(activation, str) else activation


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
