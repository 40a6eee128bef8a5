"""Compute Values without recording how they were computed."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ContextDecorator
from typing import Any, TypeVar

from engine.core.domain import domain_error
from engine.core.node_factories import node_factory
from engine.core.op import Operation
from engine.core.value import Constant, Value

F = TypeVar("F", bound=Callable[..., Any])

CO_GENERATOR, CO_COROUTINE = 0x20, 0x80  # flags of code objects, as `inspect` names them


class Detached(Constant):
    """A Value computed under `no_grad`: a constant of the graphs that it is used in, as in PyTorch."""

    __slots__ = ()
    recorded = False


class no_grad(ContextDecorator):
    """Compute Values without recording them, within a ``with`` block or a function that it decorates.

    It holds in this thread and this asyncio task only. A backward pass from such a Value raises an error; in
    a graph that is recorded later, the Value is a constant. It decorates generators and coroutines, too.

    >>> from engine import Value
    >>> x = Value(2.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.data, y.parents
    (4.0, ())
    """

    def __init__(self) -> None:
        self._blocks: list[AbstractContextManager[None]] = []

    def __enter__(self) -> None:
        self._blocks.append(node_factory(_compute))
        self._blocks[-1].__enter__()

    def __exit__(self, *error: Any) -> None:
        self._blocks.pop().__exit__(*error)

    def __call__(self, function: F) -> F:
        flags = getattr(getattr(function, "__code__", None), "co_flags", 0)
        if flags & CO_GENERATOR:

            def generate(*args: Any, **options: Any) -> Any:
                generator = function(*args, **options)
                sent = None
                while True:
                    with no_grad():
                        try:
                            item = generator.send(sent)
                        except StopIteration as end:
                            return end.value
                    sent = yield item

            return functools.wraps(function)(generate)  # type: ignore[return-value]
        if flags & CO_COROUTINE:

            async def run(*args: Any, **options: Any) -> Any:
                with no_grad():
                    return await function(*args, **options)

            return functools.wraps(function)(run)  # type: ignore[return-value]

        def call(*args: Any, **options: Any) -> Any:
            with no_grad():
                return function(*args, **options)

        return functools.wraps(function)(call)  # type: ignore[return-value]


def _compute(op: Operation, parents: Sequence[Value]) -> Detached:
    data = [parent._data for parent in parents]
    for parent in parents:
        if parent.traced:
            parent.note_read()  # the result is a number, which a program cannot check
            break
    try:
        return Detached(op.value(*data))
    except (ArithmeticError, ValueError) as error:
        raise domain_error(op, error, data, [parent.label for parent in parents]) from None
