"""Note the decisions that Python takes on Values while a graph is built, so that a program can check them.

A graph is that of one sample. Where Python chose by ``if a < b`` or by ``max(a, b)``, another sample may
choose otherwise. So the graph is built from a private subclass of Value: a comparison becomes a `Guard`,
which a program checks on every sample. A computed number that is read cannot be guarded; the line that reads
it is noted.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import NamedTuple

from engine.core.checks import check_number
from engine.core.node_factories import node_factory
from engine.core.op import Operation
from engine.core.scalar import is_number
from engine.core.source_line import calling_line
from engine.core.specialize import generate
from engine.core.value import Number, Value, as_value, make_node, recorders
from engine.formula.arithmetic import COMPARISONS


class Guard(NamedTuple):
    """A comparison that Python made, and its outcome."""

    comparison: str  #: one of < <= > >= ==, or "!=" for the truth of a Value, which is compared with 0
    left: Value
    right: Value
    outcome: bool
    line: str  #: the line of source that compared


class Decisions:
    """The decisions that Python took while a graph was built.

    Attributes:
        guards: the comparisons, in order.
        reads: the lines that read the number of a Value, which a program cannot check.
    """

    def __init__(self) -> None:
        self.guards: list[Guard] = []
        self.reads: list[str] = []

    def compare(self, comparison: str, left: Value, right: Value, outcome: bool) -> bool:
        """Note a comparison, and return its outcome."""
        if not (left.constant and right.constant):
            self.guards.append(Guard(comparison, left, right, outcome, calling_line()))
        return outcome


_decisions: ContextVar[Decisions | None] = ContextVar("decisions", default=None)


class TracedValue(Value):
    """A Value that notes comparisons and reads of its number."""

    __slots__ = ()
    traced = True

    def note_read(self) -> None:
        if decisions := _decisions.get():
            decisions.reads.append(calling_line())

    def _compare(self, comparison: str, other: Number) -> bool:
        right = as_value(other)
        outcome = COMPARISONS[comparison](self._data, right._data)
        decisions = _decisions.get()
        return decisions.compare(comparison, self, right, outcome) if decisions else outcome

    def __lt__(self, other: Number) -> bool:
        return self._compare("<", other)

    def __le__(self, other: Number) -> bool:
        return self._compare("<=", other)

    def __gt__(self, other: Number) -> bool:
        return self._compare(">", other)

    def __ge__(self, other: Number) -> bool:
        return self._compare(">=", other)

    def __bool__(self) -> bool:
        decisions, outcome = _decisions.get(), self._data != 0.0
        return decisions.compare("!=", self, as_value(0.0), outcome) if decisions else outcome

    @property
    def data(self) -> float:
        """The number; that it is read is noted."""
        self.note_read()
        return self._data

    @data.setter
    def data(self, x: float) -> None:
        self._data = check_number("data", self.label, x)

    @property
    def grad(self) -> float:
        """The gradient; that it is read is noted."""
        self.note_read()
        return self._grad

    @grad.setter
    def grad(self, x: float | None) -> None:
        self._grad = 0.0 if x is None else check_number("grad", self.label, x)

    def __repr__(self) -> str:
        self.note_read()
        return super().__repr__()

    def __format__(self, spec: str) -> str:
        self.note_read()
        return super().__format__(spec)

    def local_gradients(self) -> tuple[float, ...]:
        self.note_read()
        return super().local_gradients()

    def pullback(self, upstream: float) -> tuple[float, ...]:
        self.note_read()
        return super().pullback(upstream)


class TracedInput(TracedValue):
    """An input of the graph. It takes the place of a plain number, so it is compared with numbers by ==."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Value) or not is_number(other):
            return self is other
        right = as_value(other)
        outcome = self._data == right._data
        decisions = _decisions.get()
        return decisions.compare("==", self, right, outcome) if decisions else outcome

    __hash__ = TracedValue.__hash__

    def _number(self) -> float:
        self.note_read()
        return self._data

    def __float__(self) -> float:
        return self._number()

    def __int__(self) -> int:
        return int(self._number())

    def __index__(self) -> int:
        number = self._number()
        if not number.is_integer():
            raise TypeError(f"expected a whole number as an index, not {number}")
        return int(number)

    def __round__(self, digits: int | None = None) -> float:
        return round(self._number(), digits)


@contextmanager
def noting_decisions(inputs: Sequence[Value], parameters: Sequence[Value]) -> Iterator[Decisions]:
    """Note the comparisons of these leaves and of the Values computed from them, within a ``with`` block."""
    decisions = Decisions()
    with _lock:  # the leaves change their class meanwhile, so one thread at a time
        changed = [leaf for leaf in (*inputs, *parameters) if type(leaf) is Value]
        if len(changed) < len(inputs) + len(parameters):  # a class of the user's own may do anything
            decisions.reads.append("a class of your own, whose Values are leaves here,")
        for leaf in changed:
            leaf.__class__ = TracedValue
        for leaf in inputs:
            if type(leaf) is TracedValue:
                leaf.__class__ = TracedInput
        token = _decisions.set(decisions)
        try:
            with node_factory(_make):
                yield decisions
        finally:
            _decisions.reset(token)
            for leaf in changed:
                leaf.__class__ = Value


_lock = threading.RLock()


def _make(op: Operation, parents: tuple[Value, ...]) -> Value:
    try:
        if op in recorders:
            return _recorder(op, *[parent.constant for parent in parents])(*parents)
        with node_factory(None):
            node = make_node(op, parents)
        node.__class__ = TracedValue
        return node
    except (ArithmeticError, ValueError):
        if decisions := _decisions.get():  # Python may catch it, and decide by it
            decisions.reads.append(calling_line())
        raise


@cache
def _recorder(op: Operation, *constant: bool) -> Callable[..., Value]:
    """Return the generated function that records ``op`` as a TracedValue."""
    return generate(op, constant, _Value=TracedValue, _open_blocks=())
