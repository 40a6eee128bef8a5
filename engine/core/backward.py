"""Topological order, and the chain rule, which is written here once and nowhere else.

This module names no operation. All that it needs of a node is its `parents`, its gradient, and one local
gradient for each parent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple, Protocol, Self, TypeVar

from engine.core.checks import check_recorded, check_value
from engine.core.closures import local_of


class Node(Protocol):
    """What the chain rule needs of a node: a Value has it, and so has an AdjointNode."""

    _grad: Any
    _local: Any

    @property
    def parents(self) -> Sequence[Self]: ...


N = TypeVar("N", bound=Node)


class Contribution(NamedTuple):
    """One edge of the backward pass: what a node adds to the gradient of one of its parents."""

    node: Any
    parent: Any
    position: int  #: which parent, counted from 0: the two edges of x * x differ in nothing else
    upstream: float  #: ∂root/∂node, complete
    local: float  #: ∂node/∂parent
    contribution: float  #: upstream × local
    total: float  #: the parent's gradient after it


def topological_order(root: N) -> list[N]:
    """Return every node that ``root`` depends on: parents before children, ``root`` last, each node once.

    The order follows from the graph alone. The search is a loop, so the graph may be of any depth.

    Raises:
        TypeError: ``root`` is not a Value.

    >>> from engine import Value
    >>> x = Value(3.0, label="x")
    >>> y = x * x + x
    >>> [node.label or node.op.symbol for node in topological_order(y)]
    ['x', '*', '+']
    """
    check_value(root)
    order: list[N] = []
    seen: set[N] = set()
    path: list[tuple[N, Iterator[N]]] = []  # from the root down: nodes, and the parents yet to be visited
    node, rest = root, iter(root.parents)
    while True:
        for parent in rest:
            if parent not in seen:
                if not seen.issuperset(parent.parents):
                    path.append((node, rest))
                    node, rest = parent, iter(parent.parents)
                    break
                seen.add(parent)
                order.append(parent)
        else:  # all the parents have been listed
            seen.add(node)
            order.append(node)
            if not path:
                return order
            node, rest = path.pop()


def pass_on(nodes: Iterable[Node]) -> None:
    """Apply the chain rule: each node adds gradient × local gradient to the gradient of each parent."""
    for node in nodes:
        upstream, local, i = node._grad, node._local, 0
        for parent in node.parents:
            parent._grad += upstream * local[i]
            i += 1  # noqa: SIM113 (on the two edges of most nodes, enumerate takes longer than the chain rule)


def start(root: N) -> list[N]:
    """Set the interior gradients to 0 and the root's to 1; return the nodes from the root to the leaves."""
    check_recorded(root)
    order = topological_order(root)
    for node in order:
        if node.parents:
            node._grad = 0.0
    root._grad = 1.0 if root.parents else root._grad + 1.0  # a leaf accumulates, as in PyTorch
    return order[::-1]


def backward(root: N) -> None:
    """Compute the gradient of every node that ``root`` depends on; it is complete when its turn comes."""
    if watch := watcher.get():
        return watch(_steps(root))
    pass_on(start(root))


def backward_steps(root: N) -> Iterator[Contribution]:
    """Run the same pass one contribution at a time; it writes the gradients as it goes.

    Edges into plain numbers are left out, as they have no gradient. A stream that is abandoned leaves the
    pass half done.

    Raises:
        TypeError: ``root`` is not a Value.

    >>> from engine import Value
    >>> x = Value(3.0)
    >>> for step in backward_steps(x * x):
    ...     print(step.position, step.upstream, step.local, step.contribution, step.total)
    0 1.0 3.0 3.0 3.0
    1 1.0 3.0 3.0 6.0
    """
    check_value(root)  # now, and not when the first step is asked for
    check_recorded(root)
    return _steps(root)


def _steps(root: Any) -> Iterator[Contribution]:
    for node in start(root):
        upstream = node._grad
        for position, (parent, local) in enumerate(zip(node.parents, local_of(node, upstream), strict=True)):
            pass_on([AdjointNode((parent,), (local,), upstream)])
            if not parent.constant:
                yield Contribution(node, parent, position, upstream, local, upstream * local, parent._grad)


class AdjointNode:
    """A stand-in for a node with a gradient of its own, so that a pass leaves the node itself unchanged."""

    __slots__ = ("_grad", "_local", "parents")

    def __init__(self, parents: Sequence[Any], local: Any, grad: Any) -> None:
        self.parents, self._local, self._grad = parents, local, grad


#: In each context, the function that consumes the steps of backward passes; see `detect_anomaly`.
watcher: ContextVar[Callable[[Iterator[Contribution]], None] | None] = ContextVar("watcher", default=None)
