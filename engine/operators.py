"""Python's operators on Values, and the methods: each of them is a row, recorded."""

from __future__ import annotations

import functools
from _thread import get_ident  # what threading calls get_ident, without the rest of threading
from collections.abc import Callable, Sequence
from typing import Any

from engine import ops
from engine.op import Calculus, Op, Operation, listeners, rows
from engine.pause import makers
from engine.plain import is_plain
from engine.record import recorder
from engine.value import Constant, Value, lift

LONGEST = 200  # parents whose sum is still written out as one line of code

_names = {"_Value": Value, "_new": object.__new__, "_makers": makers, "_thread": get_ident}


@functools.cache
def fast(op: Op) -> Callable[..., Any]:
    """The function that records ``op``; it takes Values at once, and hands anything else to `mixed`."""
    return recorder(op, [False] * len(op.partials), mixed=mixed(op), **_names)


@functools.cache
def variant(op: Op, *constant: bool) -> Callable[..., Any]:
    """The function that records ``op`` where some of the Values are known to be plain numbers."""
    return recorder(op, constant, **_names)


@functools.cache
def unrolled(op: Operation, count: int) -> Callable[[tuple[Value, ...]], Value]:
    """The function that records ``op`` of so many Values: one line of code, if that can still be read."""
    return recorder(op, [False] * count, **_names) if count <= LONGEST else functools.partial(_long, op)


def _long(op: Operation, parents: tuple[Value, ...]) -> Value:
    if get_ident() in makers:
        return makers[get_ident()](op, parents)
    data = [parent.data for parent in parents]
    node = Value(op.value(*data))
    node.op, node.parents = op, parents
    node._local = [op.slope(position, Calculus(), data, node.data) for position in range(len(data))]
    return node


def record(op: Operation, parents: Sequence[Value]) -> Value:
    """A node, as the operation's own function records it."""
    if isinstance(op, Op):
        return variant(op, *[parent.constant for parent in parents])(*parents)  # type: ignore[no-any-return]
    return unrolled(op, len(parents))(tuple(parents))


@functools.cache
def mixed(op: Op) -> Callable[..., Any]:
    """The function that records ``op`` where plain numbers may stand among the Values."""

    def lifted(*args: Any) -> Any:
        if not all(isinstance(arg, Value) or is_plain(arg) for arg in args):
            return NotImplemented  # so that Python asks the other operand, and then says what is wrong
        return record(op, [lift(arg) for arg in args])

    if len(op.partials) == 1:
        return lifted
    left, right = variant(op, True, False), variant(op, False, True)

    def one_lifted(a: Any, b: Any) -> Any:  # by far the most frequent cases
        if type(b) in _NUMBERS and type(a) is Value:
            return right(a, Constant(b))
        if type(a) in _NUMBERS and type(b) is Value:
            return left(Constant(a), b)
        return lifted(a, b)

    return one_lifted


_NUMBERS = float, int


class Recorded:
    """A row as a method of Values. When first asked for, it writes the function and makes way for it."""

    def __init__(self, op: Op, name: str, write: Callable[[Op], Callable[..., Any]] = fast) -> None:
        self.op, self.name, self.write = op, name, write

    def __get__(self, value: Value | None, owner: type[Value]) -> Any:
        method = self.write(self.op)
        setattr(Value, self.name, method)
        return method if value is None else functools.partial(method, value)


def reflected(op: Op) -> Callable[[Value, Any], Any]:
    """The function that records ``op`` for its right operand, where the left one is a plain number."""
    of = mixed(op)
    return lambda self, other: of(other, self)


def install(op: Op) -> None:
    """Make a row of one argument a method, unless Values have something else of that name."""
    if len(op.partials) == 1 and (op.symbol in _installed or not hasattr(Value, op.symbol)):
        _installed.add(op.symbol)
        setattr(Value, op.symbol, Recorded(op, op.symbol))


_installed: set[str] = set()
for _op in rows().values():
    install(_op)
listeners.append(install)

_binary = {"add": ops.add, "sub": ops.sub, "mul": ops.mul, "truediv": ops.div, "pow": ops.pow}
for _name, _op in _binary.items():
    setattr(Value, f"__{_name}__", Recorded(_op, f"__{_name}__"))
    setattr(Value, f"__r{_name}__", Recorded(_op, f"__r{_name}__", reflected))
for _name, _op in {"__neg__": ops.neg, "__abs__": ops.abs}.items():
    setattr(Value, _name, Recorded(_op, _name))
Value.__record__ = staticmethod(fast)  # type: ignore[method-assign]
