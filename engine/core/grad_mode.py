"""Compute Values without recording how they were computed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from engine.core.node_factories import node_factory
from engine.core.op import Operation
from engine.core.value import Constant, Value


class Detached(Constant):
    """A Value computed under `no_grad`: a constant of the graphs that it is used in, as in PyTorch."""

    __slots__ = ()
    recorded = False


@contextmanager
def no_grad() -> Iterator[None]:
    """Compute Values without recording them, within a ``with`` block or a function that it decorates.

    It holds in this thread and this asyncio task only. A backward pass from such a Value raises an error; in
    a graph that is recorded later, the Value is a constant.

    >>> from engine import Value
    >>> x = Value(2.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.data, y.parents
    (4.0, ())
    """
    with node_factory(_compute):
        yield


def _compute(op: Operation, parents: Sequence[Value]) -> Detached:
    data = [parent._data for parent in parents]
    try:
        return Detached(op.value(*data))
    except (ArithmeticError, ValueError) as error:
        raise op.domain_error(error, data, [parent.label for parent in parents]) from None
