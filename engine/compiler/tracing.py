"""From a graph to the flat list of its lines: forward, then backward, written from the rows alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import reduce

from engine.compiler.identifiers import Names
from engine.compiler.program import Line, Program
from engine.compiler.source import RESERVED
from engine.core.backward import topological_order
from engine.core.op import Operation
from engine.core.value import Value
from engine.formula.arithmetic import FUNCTIONS
from engine.formula.simplify import Simplifier, TreeBuilder
from engine.formula.tree import Interpreter, Tree


def forward_tree(op: Operation, args: Sequence[Tree], simplifier: Interpreter[Tree]) -> Tree:
    """Return y of one node: an operation with a name is called by it, any other is written out."""
    formula = getattr(op, "formula", None)
    if formula is not None and formula.name.isidentifier() and formula.name not in FUNCTIONS:
        return simplifier.call(formula, *args)
    return op.forward(simplifier, args)


def trace(root: Value, inputs: Sequence[Value] = (), parameters: Sequence[Value] = ()) -> Program:
    """The graph of one sample as a program: what computes ``root``, and its slope in every parameter.

    The program is what was recorded, no more: where Python chose by an ``if`` or counted in a loop, the
    choice is frozen. (``relu``, ``maximum`` and every other row choose anew for each sample.) A plain number
    stays the number that it is.

    Args:
        root: what is to be computed for each sample, such as its loss.
        inputs: the leaves that differ from sample to sample, in the order of the columns; targets, too.
        parameters: the leaves that all samples share, and in which the root is differentiated.

    Returns:
        The Program. It holds no Value: the graph may be dropped, and its numbers changed.

    Raises:
        TypeError: the root is not a Value, or one of the others is not.
        ValueError: a leaf of the graph is neither input nor parameter nor a plain number; one is
            listed twice or is not a leaf; or the root depends on none of the parameters.

    >>> x, w = Value(2.0, label="x"), Value(3.0, label="w")
    >>> program = trace(w * x + 1, inputs=[x], parameters=[w])
    >>> step = program.compile("python")
    >>> step([3.0], [[1.0, 2.0, 6.0]])
    (10.0, [3.0])
    """
    leaves = {**_leaves("input", inputs), **_leaves("parameter", parameters)}
    if not isinstance(root, Value):
        raise TypeError(f"the root of a program is a Value, not {type(root).__name__}: {root!r:.60}")
    if both := [v for v in inputs if leaves[v] == "parameter"]:
        raise ValueError(f"{both[0]!r} is listed both as an input and as a parameter")
    order = topological_order(root)
    if unknown := [v for v in order if not v.parents and not v.constant and v not in leaves]:
        more = f", and {len(unknown) - 3} more" if len(unknown) > 3 else ""
        raise ValueError(
            f"{', '.join(map(repr, unknown[:3]))}{more}: a leaf that is neither an input nor a parameter. "
            "List it as one of them, or, if it never changes, use a plain number in its place"
        )
    learns = set(parameters)
    for node in order:  # parents come before children, so that this is the whole of it
        if not learns.isdisjoint(node.parents):
            learns.add(node)
    if parameters and root not in learns:
        raise ValueError(
            f"{root!r} depends on none of the {len(parameters)} parameters: nothing can be learnt"
        )
    return _Writer(root, order, learns).program(inputs, parameters)


def _leaves(kind: str, values: Sequence[Value]) -> dict[Value, str]:
    for v in values:
        if not isinstance(v, Value):
            raise TypeError(f"{kind}s are Values, not {type(v).__name__}: {v!r:.60}")
        if v.parents or v.constant:
            why = f"was computed, by {v.op}" if v.parents else "is a plain number of an expression"
            raise ValueError(f"an {kind} is a leaf, but {v!r} {why}".replace("an p", "a p"))
    found = dict.fromkeys(values, kind)
    if len(found) < len(values):
        twice = next(v for i, v in enumerate(values) if v in values[:i])
        raise ValueError(f"{twice!r} is listed twice among the {kind}s")
    return found


class _Writer:
    """Writes the lines of one graph."""

    def __init__(self, root: Value, order: list[Value], learns: set[Value]) -> None:
        self.root, self.order, self.learns, self.trees = root, order, learns, Simplifier(TreeBuilder())
        self.names, self.nameless = Names(RESERVED), 0
        self.lines: list[Line] = []
        self.called: dict[Value, Tree] = {}  # the name of each node; of a plain number, the number

    def program(self, inputs: Sequence[Value], parameters: Sequence[Value]) -> Program:
        for kind, letter, leaves in ("input", "x", inputs), ("parameter", "p", parameters):
            for place, leaf in enumerate(leaves):
                self.called[leaf] = name = self.names.give(leaf.label or f"{letter}{place}")
                self.lines.append(Line(name, kind, name, leaf.label))
        for node in self.order:
            self.forward(node)
        gradients = self.backward() if parameters else {}
        return Program(
            lines=tuple(self.lines),
            inputs=tuple(str(self.called[v]) for v in inputs),
            parameters=tuple(str(self.called[v]) for v in parameters),
            root=self.called[self.root],
            gradients=tuple(gradients.get(p, 0.0) for p in parameters),
        )

    def forward(self, node: Value) -> None:
        if node.op is None:
            self.called.setdefault(node, node.data)  # a plain number; any other leaf has its name already
            return
        args = tuple(self.called[parent] for parent in node.parents)
        asked = tuple(i for i, parent in enumerate(node.parents) if parent in self.learns)
        self.called[node] = name = self.names.give(node.label or self.nickname(node))
        self.lines.append(
            Line(name, "forward", forward_tree(node.op, args, self.trees), node.label, node.op, args, asked)
        )

    def nickname(self, node: Value) -> str:
        if node is self.root:
            return "y"
        self.nameless += 1
        return f"v{self.nameless}"

    def backward(self) -> dict[Value, Tree]:
        """The lines of the gradients, each added up in the order in which `engine.core.backward` does."""
        left = Counter(parent for node in self.order for parent in node.parents)  # edges yet to be passed
        passed: dict[Value, list[Tree]] = {self.root: [1.0]}
        gradients: dict[Value, Tree] = {self.root: 1.0}
        for node in reversed(self.order):
            if node.op is None or node not in self.learns:
                continue
            upstream = self.gradient(node, passed.pop(node))
            args = [self.called[parent] for parent in node.parents]
            for position, parent in enumerate(node.parents):
                left[parent] -= 1
                if parent in self.learns:
                    local = node.op.derivative(position, self.trees, args, self.called[node])
                    passed.setdefault(parent, []).append(self.trees.apply("*", upstream, local))
            for leaf in dict.fromkeys(
                parent for parent in node.parents if parent.op is None and not left[parent]
            ):
                if leaf in self.learns:
                    gradients[leaf] = self.gradient(leaf, passed.pop(leaf))
        return gradients

    def gradient(self, node: Value, contributions: list[Tree]) -> Tree:
        """∂root/∂node: what its children passed on, in a line of its own, unless that would say nothing."""
        tree = reduce(lambda total, more: self.trees.apply("+", total, more), contributions)
        if isinstance(tree, float) or (isinstance(tree, str) and node.parents and not node.label):
            return tree
        name = self.names.give(f"d_{self.called[node]}")
        self.lines.append(Line(name, "backward", tree, node.label))
        return name
