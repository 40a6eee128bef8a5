"""Find the first number that is not finite, and the nodes that are out of date."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import isfinite

from engine.core.backward import Contribution, topological_order, watchers
from engine.core.closures import symbol_of
from engine.core.domain import describe_point
from engine.core.messages import brief
from engine.core.node_factories import active_factory, node_factory
from engine.core.op import Operation
from engine.core.source_line import calling_line
from engine.core.value import Value, record
from engine.debug.bounded import bounded
from engine.formula.printers import StrPrinter, Text

LONG = 300  # characters of a formula, of its numbers, or of a line of source in a message at most
MOST = 10  # nodes of a path in a message; of more, the first and the last ones


@contextmanager
def detect_anomaly() -> Iterator[None]:
    """Raise an error at the first number or gradient that is not finite, within a ``with`` block.

    It holds in this thread and this asyncio task only. It is slow: the source line of each node is stored,
    and each contribution of a backward pass is checked.

    Raises:
        FloatingPointError: a number or a gradient is not finite. The message has the label, the operation,
            its formula and numbers, the line that made the node, and, for a gradient, the path to the root.

    >>> from engine import Value
    >>> with detect_anomaly():                                                 # doctest: +ELLIPSIS
    ...     y = Value(1e200, label="x") * Value(1e200, label="w")
    Traceback (most recent call last):
    FloatingPointError: a * b = inf at a = 1e+200 (x), b = 1e+200 (w), computed in ...
    """
    detector = Detector()
    watch = detector.backward
    watchers.set((*watchers.get(), watch))
    try:
        with node_factory(detector.make):
            yield
    finally:  # remove this block alone, as those of two generators may end in any order
        watchers.set(tuple(each for each in watchers.get() if each is not watch))


def stale(root: Value) -> list[Value]:
    """Return the nodes that were computed from numbers that have changed since, parents before children.

    Args:
        root: the root of the graph.

    Raises:
        TypeError: ``root`` is not a Value.

    >>> from engine import Value
    >>> x = Value(2.0)
    >>> y = x * x
    >>> stale(y)
    []
    >>> x.data = 3.0
    >>> [node.data for node in stale(y)]
    [4.0]
    """
    return [node for node in topological_order(root) if node.is_stale()]


class Detector:
    """Make nodes and run backward passes as usual, and check every number."""

    def __init__(self) -> None:
        from weakref import WeakKeyDictionary  # here, as it is slow to import

        self.lines: WeakKeyDictionary[Value, str] = WeakKeyDictionary()  # the source line of each node
        self.outer = active_factory()  # makes the nodes of the enclosing block, such as no_grad

    def make(self, op: Operation, parents: Sequence[Value]) -> Value:
        """Make a node as the enclosing block does, store its line, and check its number."""
        with node_factory(self.outer):
            node = record(op, *parents)
        self.lines[node] = calling_line()
        if not isfinite(node._data):  # the slot, as a read of data is noted while a program is traced
            raise FloatingPointError(self.describe(node, op, parents))
        return node

    def backward(self, steps: Iterator[Contribution]) -> None:
        """Run a backward pass, and check each gradient after each contribution."""
        children: dict[Value, Value] = {}  # for each node, the child that first added to its gradient
        for step in steps:
            children.setdefault(step.parent, step.node)
            if not isfinite(step.total):
                path, node = [], step.parent
                while node in children:
                    node = children[node]
                    path.append(bounded(node.label) or symbol_of(node.op))  # type: ignore[arg-type]
                if len(path) > MOST:
                    path[MOST // 2 : -MOST // 2] = ["…"]
                name = bounded(step.parent.label) or brief(step.parent)
                product = f"{step.upstream} × {step.local}"
                source = self.describe(step.node, step.node.op, step.node.parents)
                raise FloatingPointError(
                    f"the gradient of {name} is {step.total}, after upstream × local = {product} = "
                    f"{step.contribution} came from {source}; "
                    f"the path to the root: {' → '.join(path)}"
                )

    def describe(self, node: Value, op: Operation, parents: Sequence[Value]) -> str:
        """Return the node's formula, numbers and labels, and the line of source that made it."""
        formula = op.text(StrPrinter(), [Text(a) for a in op.letters(len(parents))]).text
        where = describe_point(op, [p._data for p in parents], [bounded(p.label) for p in parents])
        name = f"{bounded(node.label)}: " if node.label else ""
        line = self.lines.get(node, "an unknown line")
        return (
            f"{name}{bounded(formula, LONG)} = {node._data} at {bounded(where, LONG)}, "
            f"computed in {bounded(line, LONG)}"
        )
