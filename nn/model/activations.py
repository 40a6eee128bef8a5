"""What a neuron makes of its pre-activation: any operation of one argument, or nothing."""

from __future__ import annotations

from engine import Op, ops

__all__ = ["Activation", "apply", "find", "symbol"]

Activation = str | Op | None


def find(activation: Activation) -> Op | None:
    """The operation of one argument of that name; an Op, or None, stands for itself.

    Raises:
        ValueError: there is none of that name, or it takes more than one argument.
        TypeError: it is neither a name nor an Op nor None.

    >>> find("tanh")
    <op tanh>
    """
    if activation is None:
        return None
    if not isinstance(activation, (str, Op)):
        raise TypeError(f"an activation is a name, an Op or None, not {activation!r:.60}")
    known = {name: op for name, op in ops.table.items() if isinstance(op, Op) and len(op.partials) == 1}
    name = activation if isinstance(activation, str) else activation.symbol
    if name not in known:
        unary = ", ".join(known)
        raise ValueError(f"unknown activation {name!r:.60}: operations of one argument are {unary}")
    return known[name] if isinstance(activation, str) else activation


def symbol(op: Op | None) -> str | None:
    """What an operation is called; None for none.

    >>> symbol(find("tanh"))
    'tanh'
    """
    return None if op is None else op.symbol


def apply(op: Op | None, z: float) -> float:
    """a = g(z) in floats.

    >>> apply(find("relu"), -2.0), apply(None, -2.0)
    (0.0, -2.0)
    """
    if op is None:
        return z
    try:
        return op.value(z)
    except (ArithmeticError, ValueError):
        return float(op(z))  # raises it again, with the formula and the number
