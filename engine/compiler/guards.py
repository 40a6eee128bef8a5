"""Note the decisions that Python takes on Values while a graph is built, so that a program can check them.

A graph is that of one sample. Where Python chose by ``if a < b`` or by ``max(a, b)``, another sample may
choose otherwise. So the graph is built from a private subclass of Value: a comparison becomes a `Guard`,
which a program checks on every sample. A computed number that is read cannot be guarded; the line that reads
it is noted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from engine.core.checks import check_number
from engine.core.node_factories import node_factory
from engine.core.op import Operation
from engine.core.source_line import calling_line
from engine.core.value import Number, Value, as_value, record
from engine.formula.arithmetic import COMPARISONS


class Guard(NamedTuple):
    """A comparison that Python made, and its outcome."""

    comparison: str  #: one of < <= > >=, or "!=" for the truth of a Value, which is compared with 0
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
        if decisions := _decisions.get():
            decisions.reads.append(calling_line())
        return self._data

    @data.setter
    def data(self, x: float) -> None:
        self._data = check_number("data", self.label, x)


@contextmanager
def noting_decisions(leaves: Sequence[Value]) -> Iterator[Decisions]:
    """Within the block, note what Python decides on ``leaves`` and on the Values computed from them."""
    decisions = Decisions()
    kept = [(leaf, type(leaf)) for leaf in leaves]
    token = _decisions.set(decisions)
    for leaf in leaves:
        leaf.__class__ = TracedValue
    try:
        with node_factory(_make):
            yield decisions
    finally:
        _decisions.reset(token)
        for leaf, kind in kept:
            leaf.__class__ = kind


def _make(op: Operation, parents: Sequence[Value]) -> Value:
    with node_factory(None):
        node = record(op, *parents)
    if type(node) is Value:
        node.__class__ = TracedValue
    return node
