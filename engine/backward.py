"""Topological order, and the chain rule, which is written here once and nowhere else.

This room knows no operation by name. All that it asks of a node is its `parents`, its `grad`, and one local
gradient for each parent.
"""

from __future__ import annotations

from _thread import get_ident
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

Node = Any  # whatever has .parents, .grad and ._local: a Value, or the Shadow of one


class Contribution(NamedTuple):
    """One edge of the backward pass: what a node passes on to one of its parents."""

    node: Node
    parent: Node
    position: int  #: which parent, counted from 0: the two edges of x * x differ in nothing else
    upstream: float  #: ∂root/∂node, complete
    local: float  #: ∂node/∂parent
    contribution: float  #: upstream × local
    total: float  #: the parent's gradient after it


def topological_order(root: Node) -> list[Node]:
    """Every node that ``root`` depends on: parents before children, ``root`` last, each node once.

    The order follows from the graph alone. Nothing recurses, so that the graph may be of any depth.

    Raises:
        TypeError: ``root`` is not a Value.

    >>> from engine import Value
    >>> x = Value(3.0, label="x")
    >>> y = x * x + x
    >>> [node.label or node.op.symbol for node in topological_order(y)]
    ['x', '*', '+']
    """
    expect_value(root)
    order: list[Node] = []
    seen: set[Node] = set()
    path: list[tuple[Node, Iterator[Node]]] = []  # from the root down: nodes, and what is left of each
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


#: For each thread whose backward passes are watched, who consumes the steps.
watchers: dict[int, Callable[[Iterator[Contribution]], None]] = {}


def expect_value(node: Any) -> None:
    """Refuse what is no node of a graph."""
    if not hasattr(node, "parents"):
        raise TypeError(f"expected a Value, not {type(node).__name__}: {node!r:.60}")


def pass_on(nodes: Iterable[Node]) -> None:
    """The chain rule: from each node in turn, add to each parent's gradient its own times the local one."""
    for node in nodes:
        upstream, local, i = node.grad, node._local, 0
        for parent in node.parents:
            parent.grad += upstream * local[i]
            i += 1  # noqa: SIM113 (on the two edges of most nodes, enumerate takes longer than the chain rule)


def start(root: Node, seed: Any = 1.0) -> list[Node]:
    """Forget the gradients of the interior nodes, seed the root's, and return the order of the pass."""
    order = topological_order(root)
    for node in order:
        if node.parents:
            node.grad = 0.0
    root.grad = seed if root.parents else root.grad + seed  # a leaf accumulates, as in PyTorch
    return order[::-1]


def backward(root: Node) -> None:
    """Give every node that ``root`` depends on its gradient: a node's is complete when its turn comes."""
    if get_ident() in watchers:
        return watchers[get_ident()](_watched(root))
    pass_on(start(root))


def backward_steps(root: Node) -> Iterator[Contribution]:
    """The same pass, one contribution at a time, to be watched: it writes the gradients as it goes.

    Edges into plain numbers are left out, as nothing passes along them. An abandoned stream leaves the
    pass half done.

    >>> from engine import Value
    >>> x = Value(3.0)
    >>> for step in backward_steps(x * x):
    ...     print(step.position, step.upstream, step.local, step.contribution, step.total)
    0 1.0 3.0 3.0 3.0
    1 1.0 3.0 3.0 6.0
    """
    expect_value(root)  # now, and not when the first step is asked for
    return _watched(root)


def _watched(root: Node) -> Iterator[Contribution]:
    for node in start(root):
        upstream = node.grad
        for position, (parent, local) in enumerate(zip(node.parents, node._local, strict=True)):
            pass_on([Shadow((parent,), (local,), upstream)])
            if not parent.constant:
                yield Contribution(node, parent, position, upstream, local, upstream * local, parent.grad)


class Shadow:
    """A node's double, on which a backward pass leaves the node itself untouched."""

    __slots__ = ("_local", "grad", "parents")

    def __init__(self, parents: tuple[Shadow, ...], local_gradients: Sequence[Any], zero: Any) -> None:
        self.parents, self._local, self.grad = parents, local_gradients, zero


class Term:
    """A gradient under construction: ``0 + x`` and ``1 * x`` are x, and leave no node in the graph of it."""

    __slots__ = ("it",)

    def __init__(self, it: Any) -> None:
        self.it = it

    def __add__(self, other: Term) -> Term:
        return other if _is(self.it, 0.0) else Term(self.it + other.it)

    def __mul__(self, other: Term) -> Term:
        return other if _is(self.it, 1.0) else self if _is(other.it, 1.0) else Term(self.it * other.it)


def _is(it: Any, number: float) -> bool:
    return isinstance(it, float) and it == number


def grad(y: Node, xs: Iterable[Node], create_graph: bool = False) -> list[Any]:
    """∂y/∂x for each x of ``xs``; no ``.grad`` is read or written.

    Args:
        y: the Value to differentiate.
        xs: Values, leaves or not; one that ``y`` does not depend on has the gradient 0.0.
        create_graph: return Values that remember how they were made, from the same rows, so that
            they can be drawn and differentiated in turn, to any order.

    Returns:
        A list of floats, or with ``create_graph`` of Values, in the order of ``xs``.

    Raises:
        TypeError: ``y`` is not a Value, or ``xs`` not a list of Values.
        ValueError: with ``create_graph``, a node's number no longer follows from its parents'.

    >>> from engine import Value
    >>> x = Value(2.0)
    >>> [dy] = grad(x**3, [x], create_graph=True)
    >>> dy.data, grad(dy, [x])
    (12.0, [12.0])
    """
    if not isinstance(xs, Iterable):
        raise TypeError("xs is a list of Values: to differentiate by x alone, call grad(y, [x])")
    xs = list(xs)
    for x in xs:
        expect_value(x)
    shadows: dict[Node, Shadow] = {}
    zero: Any = Term(0.0) if create_graph else 0.0
    for node in topological_order(y):
        local = [Term(slope) for slope in node.differentiate()] if create_graph else node._local
        shadows[node] = Shadow(tuple(shadows[parent] for parent in node.parents), local, zero)
    root = shadows[y]
    root.grad = Term(1.0) if create_graph else 1.0
    pass_on(reversed(shadows.values()))
    found = [shadows[x].grad if x in shadows else zero for x in xs]
    if not create_graph:
        return found
    return [term.it if hasattr(term.it, "parents") else type(y)(term.it) for term in found]
