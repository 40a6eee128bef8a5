"""Making nodes in another way for a while: `no_grad` only computes them."""

from __future__ import annotations

from _thread import get_ident  # what threading calls get_ident, without the rest of threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from engine.op import Operation
from engine.value import Value

Maker = Callable[[Operation, Sequence[Value]], Value]

#: For each thread in which the rows are not to record, who makes the nodes instead.
makers: dict[int, Maker] = {}
#: For each thread, what its open blocks ask for, the innermost last.
_blocks: dict[int, dict[object, Maker | None]] = {}


@contextmanager
def instead(make: Maker | None) -> Iterator[None]:
    """Within it, ``make`` makes the nodes of this thread; with None, the rows record, as usual.

    Blocks may end in any order, as those of two generators do: the innermost that is still open decides.
    """
    me, block = get_ident(), object()
    blocks = _blocks.setdefault(me, {})
    try:
        blocks[block] = make
        _follow(me)
        yield
    finally:
        blocks.pop(block, None)
        _follow(me)


def _follow(thread: int) -> None:
    make = next(reversed(_blocks[thread].values()), None)
    if make:
        makers[thread] = make
    else:
        makers.pop(thread, None)
    if not _blocks[thread]:
        del _blocks[thread]


@contextmanager
def no_grad() -> Iterator[None]:
    """Within it, or in a function decorated with it, this thread computes Values but records nothing.

    >>> from engine import Value
    >>> x = Value(2.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.data, y.parents
    (4.0, ())
    """
    with instead(_compute):
        yield


def _compute(op: Operation, parents: Sequence[Value]) -> Value:
    data = [parent.data for parent in parents]
    try:
        return Value(op.value(*data))
    except (ArithmeticError, ValueError) as error:
        raise op.outside(error, data, [parent.label for parent in parents]) from None
