"""Gradients as results: nothing is written to the graph, and they can be differentiated again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, TypeVar, overload

from engine.core.backward import AdjointNode, pass_on, topological_order
from engine.core.checks import check_recorded, check_value
from engine.core.messages import brief
from engine.core.methods import Undefined
from engine.core.node_factories import node_factory
from engine.core.op import Evaluator, Operation
from engine.core.value import Number, Value, make_node
from engine.formula.simplify import Simplifier

G = TypeVar("G")

_simplifier = Simplifier[Number](Evaluator())


class Adjoint:
    """A gradient that is built as a graph: 0 + x and 1 * x are x, and add no node to it."""

    __slots__ = ("x",)

    def __init__(self, x: Number) -> None:
        self.x = x

    def __add__(self, other: Adjoint) -> Adjoint:
        return Adjoint(_simplifier.apply("+", self.x, other.x))

    def __mul__(self, other: Adjoint) -> Adjoint:
        return Adjoint(_simplifier.apply("*", self.x, other.x))


@overload
def grad(y: Value, xs: Iterable[Value], create_graph: Literal[False] = False) -> list[float]: ...


@overload
def grad(y: Value, xs: Iterable[Value], create_graph: Literal[True]) -> list[Value]: ...


def grad(y: Value, xs: Iterable[Value], create_graph: bool = False) -> list[float] | list[Value]:
    """Return ∂y/∂x for each x of ``xs``; no ``.grad`` is read or written.

    Args:
        y: the Value to differentiate.
        xs: Values, leaves or not. If ``y`` does not depend on one, its gradient is 0.0.
        create_graph: return Values that remember how they were computed. They can be drawn and differentiated
            in turn, to any order.

    Returns:
        A list of floats, or with ``create_graph`` of Values, in the order of ``xs``.

    Raises:
        TypeError: ``y`` is not a Value, or ``xs`` not a list of Values.
        ValueError: ``y`` was computed under `no_grad`, or may depend on an x through a Value that was. Or,
            with ``create_graph``, a node's number no longer follows from its parents'.

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
        check_value(x)
    if create_graph:
        gradients = _gradients(y, xs, _differentiate, Adjoint(0.0), Adjoint(1.0))
        return [_as_leaf(gradient.x) for gradient in gradients]
    return _gradients(y, xs, lambda node: node._local, 0.0, 1.0)


def _gradients(
    y: Value, xs: Sequence[Value], local: Callable[[Value], Sequence[G]], zero: G, one: G
) -> list[G]:
    """Run the backward pass on stand-ins for the nodes."""
    check_recorded(y)
    nodes: dict[Value, AdjointNode] = {}
    for node in topological_order(y):
        nodes[node] = AdjointNode([nodes[parent] for parent in node.parents], local(node), zero)
    for x in xs:
        if x not in nodes and not all(node.recorded for node in nodes):
            raise ValueError(
                f"no recorded path leads from {brief(x)} to {brief(y)}, which depends on a Value computed "
                "under no_grad: compute that one outside of it"
            )
    nodes[y]._grad = one
    pass_on(reversed(nodes.values()))
    return [nodes[x]._grad if x in nodes else zero for x in xs]


def _differentiate(node: Value) -> list[Adjoint]:
    try:
        derivatives = node.differentiate()
    except (ArithmeticError, ValueError):
        with node_factory(_node_with_value):
            derivatives = node.differentiate()
    return [Adjoint(derivative) for derivative in derivatives]


def _node_with_value(op: Operation, parents: tuple[Value, ...]) -> Value:
    """Return a new node, even if its local gradients do not exist: 1.5 * x ** 0.5, of x ** 1.5, at x = 0."""
    try:
        with node_factory(None):
            return make_node(op, parents)
    except (ArithmeticError, ValueError) as error:
        try:
            node = Value(op.value(*[parent.data for parent in parents]))
        except (ArithmeticError, ValueError):
            raise error from None
        node.op, node.parents, node._local = op, parents, Undefined(error, len(parents))
        return node


def _as_leaf(x: Number) -> Value:
    return x if isinstance(x, Value) else Value(x)
