"""`grad` returns gradients and writes none to the graph; they can be differentiated again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, TypeVar, overload

from engine.core.adjoint import AdjointNode
from engine.core.backward import pass_on, topological_order
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
    """A gradient whose computation is recorded. 0 + x and 1 * x are x, and make no node."""

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
        create_graph: whether to return Values that record how they were computed. They can be drawn and
            differentiated again, to any order.

    Returns:
        A list of floats, or with ``create_graph`` of Values, in the order of ``xs``.

    Raises:
        TypeError: ``y`` is not a Value, or ``xs`` is not a list of Values.
        ValueError: ``y`` was computed under `no_grad`, or may depend on an x through a Value that was. With
            ``create_graph``, also: the number of a node was changed after another node was computed from it.

    >>> from engine import Value
    >>> x = Value(2.0)
    >>> [dy] = grad(x**3, [x], create_graph=True)
    >>> dy.data, grad(dy, [x])
    (12.0, [12.0])
    """
    if not isinstance(xs, Iterable):
        raise TypeError("xs is a list of Values: to differentiate by x alone, call grad(y, [x])")
    check_value(y)
    xs = list(xs)
    for x in xs:
        check_value(x)
    if create_graph:
        gradients = _gradients(y, xs, _differentiate, Adjoint(0.0), Adjoint(1.0))
        return [_as_leaf(gradient.x) for gradient in gradients]
    if y.traced:
        y.note_read()  # the gradients are numbers, which a program cannot check
    return _gradients(y, xs, lambda node: node._local, 0.0, 1.0)


def _gradients(
    y: Value, xs: Sequence[Value], local: Callable[[Value], Sequence[G]], zero: G, one: G
) -> list[G]:
    """Run the backward pass on an AdjointNode for each node that depends on an x; no Value is written."""
    check_recorded(y)
    order = topological_order(y)
    detached = next((node for node in order if not node.recorded), None)
    depends, known = set(xs), set(order)
    for x in xs:
        if detached is not None and (x not in known or not x.recorded):
            raise ValueError(
                f"no recorded path leads from {brief(x)} to {brief(y)}, which depends on {brief(detached)}, "
                "computed under no_grad: compute that Value outside no_grad"
            )
    nowhere = AdjointNode((), (), zero)  # in place of the nodes that depend on no x
    nodes: dict[Value, AdjointNode] = {}
    for node in order:
        if not depends.isdisjoint(node.parents):  # parents come first, so one pass suffices
            depends.add(node)
            nodes[node] = AdjointNode(
                [nodes.get(parent, nowhere) for parent in node.parents], local(node), zero
            )
        elif node in depends:
            nodes[node] = AdjointNode((), (), zero)
    if y not in nodes:
        return [zero for _ in xs]
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
