"""Topological order, and the chain rule, which is written only here.

This module names no operation. Of a node it uses the `parents`, the gradient, and one local gradient for each
parent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import Any, NamedTuple

from engine.core.adjoint import AdjointNode, N, Node
from engine.core.checks import check_all_recorded, check_recorded, check_value
from engine.core.closures import check_start, local_of

Watcher = Callable[[Iterator["Contribution"]], None]

#: In each context, the functions of the open blocks of `detect_anomaly`, the innermost last. That one runs
#: the steps of a backward pass in place of `backward`.
watchers: ContextVar[tuple[Watcher, ...]] = ContextVar("watchers", default=())


class Contribution(NamedTuple):
    """One edge of the backward pass, by which a node adds to the gradient of one of its parents."""

    node: Any
    parent: Any
    position: int  #: of the parent, counted from 0; the two edges of x * x differ only in it
    upstream: float  #: ∂root/∂node, complete
    local: float  #: ∂node/∂parent
    contribution: float  #: upstream × local
    total: float  #: the parent's gradient after the addition


def topological_order(root: N, known: Iterable[N] = ()) -> list[N]:
    """Return every node that ``root`` depends on: parents before children, ``root`` last, each node once.

    The order depends on the graph alone. The search is a loop, not a recursion, so any depth is possible.
    The leaves in ``known`` are left out.

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
    seen = set(known)
    path: list[tuple[N, Iterator[N]]] = []  # from the root down: nodes, and their parents not yet visited
    node, rest = root, iter(root.parents)
    while True:
        for parent in rest:
            if parent not in seen:
                if not seen.issuperset(parent.parents):  # visit its parents first
                    path.append((node, rest))
                    node, rest = parent, iter(parent.parents)
                    break
                seen.add(parent)
                order.append(parent)
        else:  # all parents of the node are in the order
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
            i += 1  # noqa: SIM113 (enumerate takes longer here)


def start(root: N) -> list[N]:
    """Set the gradients of computed nodes to 0, the root's to 1; return the nodes from root to leaves."""
    check_recorded(root)
    check_start(root)
    order = topological_order(root)
    leaves = False
    for node in order:
        if node.parents:
            node._grad = 0.0
        elif not node.constant:
            leaves = True
    if not leaves:
        check_all_recorded(root, order)
    root._grad = 1.0 if root.parents else root._grad + 1.0  # a leaf accumulates, as in PyTorch
    return order[::-1]


def backward(root: N) -> None:
    """Compute the gradient of every node that ``root`` depends on.

    A node comes after all its children, so its gradient is complete before it adds to those of its parents.
    """
    if watching := watchers.get():
        return watching[-1](_steps(root))
    pass_on(start(root))


def backward_steps(root: N) -> Iterator[Contribution]:
    """Run a backward pass one edge at a time: each step writes one gradient and yields its Contribution.

    Edges to plain numbers are left out, as these have no gradient. A loop that stops early leaves the other
    gradients incomplete.

    Raises:
        TypeError: ``root`` is not a Value.

    >>> from engine import Value
    >>> x = Value(3.0)
    >>> for step in backward_steps(x * x):
    ...     print(step.position, step.upstream, step.local, step.contribution, step.total)
    0 1.0 3.0 3.0 3.0
    1 1.0 3.0 3.0 6.0
    """
    check_value(root)  # here, as the code of a generator does not run before its first step
    check_recorded(root)
    return _steps(root)


def _steps(root: Any) -> Iterator[Contribution]:
    for node in start(root):
        upstream = node._grad
        for position, (parent, local) in enumerate(zip(node.parents, local_of(node, upstream), strict=True)):
            pass_on([AdjointNode((parent,), (local,), upstream)])  # the chain rule for this edge alone
            if not parent.constant:
                yield Contribution(node, parent, position, upstream, local, upstream * local, parent._grad)
