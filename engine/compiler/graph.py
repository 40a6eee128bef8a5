"""The graph of one sample as plain data: positions in place of Values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar, cast

from engine.compiler.guards import Guard
from engine.core.adjoint import AdjointNode
from engine.core.backward import topological_order
from engine.core.closures import OwnOperation
from engine.core.messages import brief
from engine.core.methods import Role
from engine.core.op import Evaluator, Operation
from engine.core.value import Value
from engine.formula.tree import Interpreter

T = TypeVar("T")


class Comparison(Operation):
    """A comparison that Python made: 1.0 if it holds, and 0.0 if not.

    Args:
        symbol: one of < <= > >= ==, or "!=" for the truth of a Value, which is compared with 0.

    >>> Comparison("==").value(2.0, 2.0)
    1.0
    """

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol

    def forward(self, interpreter: Interpreter[T], args: Sequence[T]) -> T:
        def pick(word: str, a: T, b: T, then: T, other: T) -> T:
            return interpreter.choose(interpreter.apply(word, a, b), lambda: then, lambda: other)

        (left, right), one, zero = args, interpreter.number(1.0), interpreter.number(0.0)
        if self.symbol == "==":
            return pick("<=", left, right, pick(">=", left, right, one, zero), zero)
        if self.symbol == "!=":  # a NaN is true
            return pick("<=", interpreter.apply("abs", left), zero, zero, one)
        return pick(self.symbol, left, right, one, zero)

    def derivative(self, position: int, interpreter: Interpreter[T], args: Sequence[T], y: T) -> T:
        return interpreter.number(0.0)

    def value(self, *data: float) -> float:
        return float(self.forward(Evaluator(), data))

    def __reduce__(self) -> tuple[type[Comparison], tuple[str]]:
        return type(self), (self.symbol,)


class GuardNode(NamedTuple):
    """A node that compares two others as Python did while the graph was built."""

    position: int  #: of the node; its operation is a `Comparison`
    outcome: bool  #: whether the comparison held for the sample that was traced
    line: str  #: the line of source that compared


@dataclass(frozen=True, eq=False, repr=False)
class Graph:
    """The nodes of a traced graph in topological order. It holds no Value, and never changes.

    A node is a position: the inputs come first, then the parameters, then the nodes of the first output and
    the plain numbers among them, then those of the other outputs and of the guards.

    Attributes:
        ops: the operation of each node; None for a leaf.
        args: the positions of the parents of each node, in order; none for a leaf.
        numbers: the number of each plain number, by its position.
        inputs, parameters, outputs: their positions.
        labels: the label of each node, as the user wrote it.
        roles: the role of each node; None if it has none.
        requires_grad: for each node, whether it is a parameter, or is computed from one and is part of the
            first output.
        guards: the nodes that compare.
        many: whether the program was traced from a list of outputs.
        reads: the lines of source that read a number while the graph was built.
        backward: whether the derivatives of the first output belong to the program.

    >>> x, w = Value(2.0, label="x"), Value(3.0, label="w")
    >>> graph = read_graph([w * x + 1], [x], [w])
    >>> graph.args, graph.numbers, graph.outputs
    ([(), (), (1, 0), (), (2, 3)], {3: 1.0}, (4,))
    """

    ops: list[Operation | None]
    args: list[tuple[int, ...]]
    numbers: dict[int, float]
    inputs: range
    parameters: range
    outputs: tuple[int, ...]
    labels: list[str]
    roles: list[Role | None]
    requires_grad: list[bool]
    guards: tuple[GuardNode, ...] = ()
    many: bool = False
    reads: tuple[str, ...] = ()
    backward: bool = True

    def __repr__(self) -> str:
        return f"<Graph of {len(self.ops)} nodes>"

    def forward(self) -> Graph:
        """Return the same graph without the derivatives, for predictions."""
        return replace(self, backward=False, requires_grad=[False] * len(self.ops))

    def guarded(self) -> Graph:
        """Return the same graph with its guards as further outputs."""
        guards = tuple([guard.position for guard in self.guards])
        return replace(self, outputs=self.outputs + guards, guards=(), many=True)

    def evaluated(self) -> range:
        """Return the positions of the nodes that the first output is computed from, if it is computed."""
        return range(len(self.inputs) + len(self.parameters), self.outputs[0] + 1)


def read_graph(
    outputs: Sequence[Value],
    inputs: Sequence[Value],
    parameters: Sequence[Value],
    guards: Sequence[Guard] = (),
    many: bool = False,
    reads: Sequence[str] = (),
) -> Graph:
    """Return the graph of some Values as data.

    Args:
        outputs, inputs, parameters, many: see `engine.compiler.tracing.trace`; they are checked there.
        guards: the comparisons that Python made.
        reads: the lines that read a number.

    Raises:
        ValueError: a leaf of the graph is neither input nor parameter nor a plain number, or a node was made
            by hand, so that its derivative has no formula.
    """
    compared = [node for guard in guards for node in (guard.left, guard.right)]
    leaves = (*inputs, *parameters)
    # one search finds the nodes of all outputs, those of the first output first, and what was compared
    root = cast(Value, AdjointNode((*outputs, *compared), (), 0.0))
    order = topological_order(root, leaves)
    order.pop()
    start, stop = len(inputs), len(leaves)
    if unknown := [v for v in order if not v.parents and not v.constant]:
        more = f", and {len(unknown) - 3} more" if len(unknown) > 3 else ""
        raise ValueError(
            f"{', '.join(map(brief, unknown[:3]))}{more}: a leaf that is neither an input nor a parameter. "
            "List it as one of them, or, if it never changes, use a plain number in its place"
        )
    nodes = (*leaves, *order)
    place = dict(zip(nodes, range(len(nodes)))).__getitem__
    ops = [node.op for node in nodes]
    for op in set(ops):
        if isinstance(op, OwnOperation):
            op.value()  # which raises the error that says why
    args = [()] * stop + [tuple(map(place, node.parents)) for node in order]
    first = place(outputs[0])
    requires_grad = [False] * start + [True] * len(parameters) + [False] * len(order)
    for position in range(stop, first + 1):  # parents come before children, so one pass suffices
        for parent in args[position]:
            if requires_grad[parent]:
                requires_grad[position] = True
                break
    checks = []
    for guard in dict.fromkeys(guards):
        checks.append(GuardNode(len(ops), guard.outcome, guard.line))
        ops.append(Comparison(guard.comparison))
        args.append((place(guard.left), place(guard.right)))
    return Graph(
        ops=ops,
        args=args,
        numbers={
            position: nodes[position]._data for position in range(stop, len(nodes)) if not ops[position]
        },
        inputs=range(start),
        parameters=range(start, stop),
        outputs=tuple(map(place, outputs)),
        labels=[node.label for node in nodes] + [""] * len(checks),
        roles=[getattr(node, "_role", None) for node in nodes] + [None] * len(checks),
        requires_grad=requires_grad + [False] * len(checks),
        guards=tuple(checks),
        many=many,
        reads=tuple(dict.fromkeys(reads)),
        backward=bool(parameters),
    )
