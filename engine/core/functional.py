"""Functions of a list of Values."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import overload

from engine.core import ops
from engine.core.op import Operation
from engine.core.scalar import as_float
from engine.core.value import Number, Value, as_value, make_node


@overload
def weighted_sum(weights: Sequence[float], inputs: Sequence[float], bias: float = 0.0) -> float: ...  # type: ignore[overload-overlap]


@overload
def weighted_sum(weights: Sequence[Number], inputs: Sequence[Number], bias: Number = 0.0) -> Value: ...


def weighted_sum(weights: Sequence[Number], inputs: Sequence[Number], bias: Number = 0.0) -> Number:
    """Return z = b + Σ wᵢ aᵢ as one node, as in the textbook's diagram of a neuron.

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
    return record_all(ops.weighted_sum, (*weights, *inputs, bias))


@overload
def total(values: Iterable[float]) -> float: ...  # type: ignore[overload-overlap]


@overload
def total(values: Iterable[Number]) -> Value: ...


def total(values: Iterable[Number]) -> Number:
    """Return y = Σ aᵢ as one node, added from left to right; 0.0 if there are none.

    >>> total([Value(1.0), 2.0, Value(4.0)]).data
    7.0
    """
    values = tuple(values)
    return record_all(ops.total, values) if values else 0.0


#: For operations of many arguments, functions that are faster than `make_node`, by the number of arguments;
#: see `engine.core.specialize`.
unrolled: dict[Operation, Mapping[int, Callable[[tuple[Number, ...]], Value]]] = {}


def record_all(op: Operation, args: tuple[Number, ...]) -> Number:
    """Return ``op`` of ``args``: a Value if there is one among them, else a float."""
    fast = unrolled.get(op)
    if fast is not None:
        try:
            return fast[len(args)](args)
        except AttributeError:
            pass  # there are plain numbers among the Values
    if not any(isinstance(arg, Value) for arg in args):
        return op.value(*map(as_float, args))
    parents = tuple(map(as_value, args))
    return fast[len(args)](parents) if fast is not None else make_node(op, parents)


EMPTY = "expected at least one value, not an empty list"


def _below_greatest(values: Iterable[Number]) -> list[Number]:
    """Return value - the greatest for each of ``values``: 0 or less, so exp cannot overflow."""
    numbers = [value if isinstance(value, Value) else as_float(value) for value in values]
    if not numbers:
        raise ValueError(EMPTY)
    greatest: Number = functools.reduce(ops.maximum, numbers)
    return [value - greatest for value in numbers]


@overload
def logsumexp(values: Iterable[float]) -> float: ...  # type: ignore[overload-overlap]


@overload
def logsumexp(values: Iterable[Number]) -> Value: ...


def logsumexp(values: Iterable[Number]) -> Number:
    """Return log Σ exp(aᵢ) as one node, for numbers of any size; if the greatest is ±∞, that itself.

    The local gradients are the probabilities that `softmax` returns.

    >>> logsumexp([1000.0, 1000.0])
    1000.6931471805599
    """
    values = tuple(values)
    if not values:
        raise ValueError(EMPTY)
    return record_all(ops.logsumexp, values)


@overload
def log_softmax(values: Iterable[float]) -> list[float]: ...  # type: ignore[overload-overlap]


@overload
def log_softmax(values: Iterable[Number]) -> list[Value]: ...


def log_softmax(values: Iterable[Number]) -> list[float] | list[Value]:
    """Return aᵢ - log Σ exp(aⱼ) for each i: the logarithms of the probabilities that `softmax` returns.

    >>> log_softmax([0.0, -1000.0])
    [0.0, -1000.0]
    """
    below = _below_greatest(values)
    log_total = logsumexp(below)
    return [value - log_total for value in below]


@overload
def softmax(values: Iterable[float]) -> list[float]: ...  # type: ignore[overload-overlap]


@overload
def softmax(values: Iterable[Number]) -> list[Value]: ...


def softmax(values: Iterable[Number]) -> list[float] | list[Value]:
    """Return exp(aᵢ) / Σ exp(aⱼ) for each i: the logits aᵢ as probabilities, which add up to 1.

    >>> softmax([0.0, 0.0])
    [0.5, 0.5]
    """
    exps = [ops.exp(value) for value in _below_greatest(values)]
    whole = total(exps)
    return [e / whole for e in exps]
