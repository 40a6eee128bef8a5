"""Functions of a list. They are made of operations, and have no calculus of their own."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from math import isinf
from typing import Any

from engine import ops
from engine.op import Operation
from engine.operators import unrolled
from engine.plain import plain
from engine.value import Number, Value, lift


def weighted_sum(weights: Sequence[Number], inputs: Sequence[Number], bias: Number = 0.0) -> Any:
    """z = b + Σ wᵢ aᵢ as one node, as in the textbook's diagram of a neuron.

    Args:
        weights: w₁ … wₙ, Values or plain numbers.
        inputs: a₁ … aₙ, as many.
        bias: b.

    Returns:
        A Value with the parents weights, inputs, bias, in this order; a float if all are plain numbers.
        The products are added to the bias from left to right.

    Raises:
        ValueError: there are not as many inputs as weights.
        TypeError: one of them is neither a Value nor a plain number.

    >>> weighted_sum([Value(2.0), Value(-1.0)], [Value(3.0), Value(4.0)], bias=Value(0.5)).data
    2.5
    """
    count = len(weights)
    if len(inputs) != count:
        raise ValueError(f"a weighted sum of {count} weights takes as many inputs, not {len(inputs)}")
    if count:
        last = bias if type(bias) is Value else lift(bias)  # often it is the only plain number
        try:
            parents: Any = *weights, *inputs, last
            z = unrolled(ops.weighted_sum, 2 * count + 1)(parents)
            if type(z.data) is float:  # NumPy's scalars and arrays have a .data, too, but no number is in it
                return z
        except (AttributeError, TypeError):  # there are plain numbers among the others
            pass
    return _recorded(ops.weighted_sum, [*weights, *inputs, bias])


def total(values: Iterable[Number]) -> Any:
    """y = Σ aᵢ as one node, added from left to right; 0.0 if there are none.

    >>> total([Value(1.0), 2.0, Value(4.0)]).data
    7.0
    """
    values = list(values)
    return _recorded(ops.total, values) if values else 0.0


def _recorded(op: Operation, args: Sequence[Number]) -> Any:
    """``op`` of ``args``: a Value if there is one among them, else a float."""
    if not any(isinstance(arg, Value) for arg in args):
        return op.value(*map(plain, args))
    return unrolled(op, len(args))(tuple(map(lift, args)))


def _shifted(values: Iterable[Number]) -> tuple[Any, list[Any]]:
    """The greatest of ``values``, and how far each lies below it: 0 or less, so that exp cannot overflow."""
    values = [value if isinstance(value, Value) else plain(value) for value in values]
    if not values:
        raise ValueError("expected at least one value, not an empty list")
    greatest: Any = functools.reduce(ops.maximum, values)
    return greatest, [value - greatest for value in values]


def logsumexp(values: Iterable[Number]) -> Any:
    """log Σ exp(aᵢ), for numbers of any size: m + log Σ exp(aᵢ - m) with m the greatest; m if that is ±∞.

    >>> logsumexp([1000.0, 1000.0])
    1000.6931471805599
    """
    greatest, below = _shifted(values)
    if isinf(greatest.data if isinstance(greatest, Value) else greatest):
        return greatest  # as ∞ - ∞ is no number
    return greatest + ops.log(total([ops.exp(value) for value in below]))


def log_softmax(values: Iterable[Number]) -> list[Any]:
    """aᵢ - log Σ exp(aⱼ) for each i: the logarithms of the probabilities that `softmax` gives.

    >>> log_softmax([0.0, -1000.0])
    [0.0, -1000.0]
    """
    _, below = _shifted(values)
    log_total = ops.log(total([ops.exp(value) for value in below]))
    return [value - log_total for value in below]


def softmax(values: Iterable[Number]) -> list[Any]:
    """exp(aᵢ) / Σ exp(aⱼ) for each i: the logits aᵢ as probabilities, which add up to 1.

    >>> softmax([0.0, 0.0])
    [0.5, 0.5]
    """
    _, below = _shifted(values)
    exps = [ops.exp(value) for value in below]
    whole = total(exps)
    return [e / whole for e in exps]
