"""Compute without recording."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from engine.core.node_factories import node_factory
from engine.core.op import Operation
from engine.core.value import Value


@contextmanager
def no_grad() -> Iterator[None]:
    """Within the block, or in a function decorated with it, Values are computed but not recorded.

    It holds in this thread and this asyncio task only.

    >>> from engine import Value
    >>> x = Value(2.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.data, y.parents
    (4.0, ())
    """
    with node_factory(_compute):
        yield


def _compute(op: Operation, parents: Sequence[Value]) -> Value:
    data = [parent._data for parent in parents]
    try:
        return Value(op.value(*data))
    except (ArithmeticError, ValueError) as error:
        raise op.domain_error(error, data, [parent.label for parent in parents]) from None
