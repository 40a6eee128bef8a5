"""From a graph to the flat list of its instructions: the forward pass, then the backward pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import reduce
from typing import cast
from weakref import WeakMethod

from engine.compiler.guards import Decisions, Guard, noting_decisions
from engine.compiler.identifiers import Identifiers
from engine.compiler.ir import GuardCheck, Instruction
from engine.compiler.program import Program
from engine.compiler.source import RESERVED
from engine.core.adjoint import AdjointNode
from engine.core.backward import topological_order
from engine.core.messages import brief
from engine.core.methods import Role
from engine.core.op import Operation
from engine.core.scalar import is_number
from engine.core.value import Value, as_value
from engine.formula.arithmetic import FUNCTIONS
from engine.formula.simplify import Simplifier, TreeBuilder
from engine.formula.tree import Interpreter, Tree


def trace(
    outputs: Value | Sequence[Value] | Callable[..., Value | Sequence[Value]],
    inputs: Sequence[Value] = (),
    parameters: Sequence[Value] = (),
) -> Program:
    """Return the graph of one sample as a program: it computes the outputs, and the gradient of the first.

    Of a finished graph, the program is what was recorded, no more: where Python chose by an ``if`` or counted
    in a loop, the choice is frozen. (``relu``, ``maximum`` and every other operation choose anew for each
    sample.) A plain number stays the number that it is.

    A function is called with the inputs, to build the graph. Each comparison that Python makes on Values
    meanwhile becomes a guard: the compiled program checks it on every sample, and raises a `GuardError` where
    it comes out differently. A number that is read cannot be checked: ``program.reads`` lists the lines.

    Args:
        outputs: what to compute for each sample: a Value, such as its loss, or a list of Values, of which the
            first is differentiated; or a function of the inputs that returns either.
        inputs: the leaves that differ from sample to sample, in the order of the columns; targets, too.
        parameters: the leaves that all samples share, with respect to which the first output is
            differentiated.

    Returns:
        The Program. It holds no Value: the graph may be dropped, and its numbers changed.

    Raises:
        TypeError: an output is not a Value, or an input or a parameter is not.
        ValueError: a leaf of the graph is neither input nor parameter nor a plain number; one is listed
            twice or is not a leaf; there is no output; or the outputs depend on none of the parameters.

    >>> x, w = Value(2.0, label="x"), Value(3.0, label="w")
    >>> y = w * x
    >>> step = trace(y + 1, inputs=[x], parameters=[w]).compile("python")
    >>> step([3.0], [[1.0, 2.0, 6.0]])
    (10.0, [3.0])
    >>> step = trace([y + 1, y], inputs=[x], parameters=[w]).compile("python")
    >>> step([3.0], [[1.0, 2.0, 6.0]])
    (10.0, [3.0], [[3.0, 6.0, 18.0]])
    """
    inputs, parameters = _leaves("input", inputs), _leaves("parameter", parameters)
    decisions = Decisions()
    if callable(outputs):
        with noting_decisions(inputs, parameters) as decisions:
            outputs = _lifted(outputs(*inputs))
    many = isinstance(outputs, (list, tuple))
    roots = tuple(outputs) if isinstance(outputs, (list, tuple)) else (outputs,)
    for output in roots:
        if not isinstance(output, Value):
            raise TypeError(
                f"an output of a program is a Value, not {type(output).__name__}: {brief(output)}"
            )
    if not roots:
        raise ValueError("a program has at least one output; the list of outputs is empty")
    learnable = set(parameters)
    if both := [v for v in inputs if v in learnable]:
        raise ValueError(f"{brief(both[0])} is listed both as an input and as a parameter")
    known = {*inputs, *learnable}
    # one search finds the nodes of all outputs, those of the first output first, and what was compared
    compared = [node for guard in decisions.guards for node in (guard.left, guard.right)]
    order = cast(list[Value], topological_order(AdjointNode((*roots, *compared), (), 0.0))[:-1])
    if unknown := [v for v in order if not v.parents and not v.constant and v not in known]:
        more = f", and {len(unknown) - 3} more" if len(unknown) > 3 else ""
        raise ValueError(
            f"{', '.join(map(brief, unknown[:3]))}{more}: a leaf that is neither an input nor a parameter. "
            "List it as one of them, or, if it never changes, use a plain number in its place"
        )
    requires_grad = learnable
    for node in order:  # parents come before children, so one pass suffices
        if not requires_grad.isdisjoint(node.parents):
            requires_grad.add(node)
    if parameters and requires_grad.isdisjoint(roots):
        which = "no output depends on any" if many else f"{brief(roots[0])} depends on none"
        raise ValueError(f"{which} of the {len(parameters)} parameters: nothing can be learned")
    return _Tracer(roots, order, requires_grad).program(inputs, parameters, many, decisions)


def forward_tree(op: Operation, args: Sequence[Tree], simplifier: Interpreter[Tree]) -> Tree:
    """Return y of one node: an operation with a name is called by it, any other is written out."""
    formula = getattr(op, "formula", None)
    if formula is not None and formula.name.isidentifier() and formula.name not in FUNCTIONS:
        return simplifier.call(formula, *args)
    return op.forward(simplifier, args)


def _leaves(kind: str, values: Sequence[Value]) -> tuple[Value, ...]:
    """Return the leaves of one kind, after checking them."""
    article = {"input": "an", "parameter": "a"}[kind]
    if isinstance(values, (Value, str)) or not hasattr(values, "__iter__"):
        raise TypeError(f"{kind}s is a list of Values, not {type(values).__name__}: {brief(values)}")
    leaves = tuple(values)
    for v in leaves:
        if not isinstance(v, Value):
            raise TypeError(f"{kind}s are Values, not {type(v).__name__}: {brief(v)}")
        if v.parents or v.constant:
            why = f"was computed, by {v.op}" if v.parents else "is a plain number of an expression"
            raise ValueError(f"{article} {kind} is a leaf, but {brief(v)} {why}")
    if len(set(leaves)) < len(leaves):
        twice = next(v for i, v in enumerate(leaves) if v in leaves[:i])
        raise ValueError(f"{brief(twice)} is listed twice among the {kind}s")
    return leaves


def _lifted(outputs: Value | Sequence[Value]) -> Value | Sequence[Value]:
    """Return what a function gave, with Values for its plain numbers, such as the 0 of ``max(0, x)``."""
    if isinstance(outputs, (list, tuple)):
        return [as_value(output) if is_number(output) else output for output in outputs]
    return as_value(outputs) if is_number(outputs) else outputs


class _Namer(TreeBuilder):
    """Builds trees in which an intermediate result that is used more than once has a name."""

    def __init__(self, write: Callable[[Tree], str]) -> None:
        self.write = WeakMethod(write)  # weakly, as the tracer refers to this builder
        self.known: dict[Tree, str] = {}

    def let(self, x: Tree) -> Tree:
        if not isinstance(x, tuple):
            return x
        if x not in self.known:
            write = self.write()
            assert write is not None
            self.known[x] = write(x)
        return self.known[x]


class _Tracer:
    """Writes the instructions of one graph."""

    def __init__(self, roots: tuple[Value, ...], order: list[Value], requires_grad: set[Value]) -> None:
        self.roots, self.order, self.requires_grad = roots, order, requires_grad
        self.differentiated = order[: order.index(roots[0]) + 1]  # the nodes that the first output depends on
        self.simplifier, self.identifiers = Simplifier(_Namer(self.let)), Identifiers(RESERVED)
        self.instructions: list[Instruction] = []
        self.nameless = 0
        self.role: Role | None = None  # of the node whose formula is being written
        self.names: dict[Value, Tree] = {}  # of each node; a plain number is itself

    def program(
        self, inputs: Sequence[Value], parameters: Sequence[Value], many: bool, decisions: Decisions
    ) -> Program:
        for kind, letter, leaves in ("input", "x", inputs), ("parameter", "p", parameters):
            for place, leaf in enumerate(leaves):
                self.names[leaf] = name = self.identifiers.give(leaf.label or f"{letter}{place}")
                self.instructions.append(Instruction(name, kind, name, leaf.label, role=leaf.role))
        for node in self.differentiated:
            self.forward(node, self.requires_grad)
        for node in self.order[len(self.differentiated) :]:
            self.forward(node, set())
        guards = tuple([self.guard(guard) for guard in dict.fromkeys(decisions.guards)])
        gradients = self.backward() if parameters else {}
        return Program(
            instructions=tuple(self.instructions),
            inputs=tuple(str(self.names[v]) for v in inputs),
            parameters=tuple(str(self.names[v]) for v in parameters),
            outputs=tuple(self.names[root] for root in self.roots),
            gradients=tuple(gradients.get(p, 0.0) for p in parameters),
            many=many,
            guards=guards,
            reads=tuple(dict.fromkeys(decisions.reads)),
        )

    def guard(self, guard: Guard) -> GuardCheck:
        """Write the instruction that is 1.0 if a comparison holds, and 0.0 if not."""
        left, right = self.names[guard.left], self.names[guard.right]
        tree: Tree = ("if", (guard.comparison, left, right), 1.0, 0.0)
        if guard.comparison == "==":
            tree = ("if", ("<=", left, right), ("if", (">=", left, right), 1.0, 0.0), 0.0)
        if guard.comparison == "!=":  # the truth of a Value: a NaN is true
            tree = ("if", ("<=", ("abs", left), 0.0), 0.0, 1.0)
        name = self.identifiers.give("guard")
        self.instructions.append(Instruction(name, "forward", tree))
        return GuardCheck(name, guard.outcome, guard.line)

    def forward(self, node: Value, requires_grad: set[Value]) -> None:
        if node.op is None:
            self.names.setdefault(node, node.data)  # a plain number; any other leaf has its name already
            return
        self.role = node.role
        args = tuple(self.names[parent] for parent in node.parents)
        needs_grad = tuple(i for i, parent in enumerate(node.parents) if parent in requires_grad)
        self.names[node] = name = self.identifiers.give(node.label or self.nickname(node))
        tree = forward_tree(node.op, args, self.simplifier)
        self.instructions.append(
            Instruction(name, "forward", tree, node.label, node.op, args, needs_grad, node.role)
        )

    def let(self, tree: Tree) -> str:
        """Write an instruction for an intermediate result of one node's formula, and return its name."""
        self.nameless += 1
        name = self.identifiers.give(f"v{self.nameless}")
        self.instructions.append(Instruction(name, "forward", tree, role=self.role))
        return name

    def nickname(self, node: Value) -> str:
        """Return a name for a node without a label: y for the first output, y1 for the next, v1, v2, ..."""
        if node is self.roots[0]:
            return "y"
        if node in self.roots:
            return f"y{self.roots.index(node)}"
        self.nameless += 1
        return f"v{self.nameless}"

    def backward(self) -> dict[Value, Tree]:
        """Write the gradients, each added up in the order in which `engine.core.backward` adds it."""
        left = Counter(parent for node in self.differentiated for parent in node.parents)  # edges to come
        contributions: dict[Value, list[Tree]] = {self.roots[0]: [1.0]}
        gradients: dict[Value, Tree] = {self.roots[0]: 1.0}
        for node in reversed(self.differentiated):
            if node.op is None or node not in self.requires_grad:
                continue
            upstream = self.gradient(node, contributions.pop(node))
            args = [self.names[parent] for parent in node.parents]
            left.subtract(node.parents)
            self.role = node.role
            positions = [i for i, parent in enumerate(node.parents) if parent in self.requires_grad]
            local = node.op.derivatives(positions, self.simplifier, args, self.names[node])
            for position, derivative in zip(positions, local):
                term = self.simplifier.apply("*", upstream, derivative)
                contributions.setdefault(node.parents[position], []).append(term)
            for leaf in dict.fromkeys(node.parents):
                if leaf.op is None and not left[leaf] and leaf in self.requires_grad:
                    gradients[leaf] = self.gradient(leaf, contributions.pop(leaf))
        return gradients

    def gradient(self, node: Value, contributions: list[Tree]) -> Tree:
        """Return ∂root/∂node: the sum of the contributions, as a new instruction unless it is a mere name."""
        tree = reduce(lambda total, more: self.simplifier.apply("+", total, more), contributions)
        if isinstance(tree, float) or (isinstance(tree, str) and node.parents and not node.label):
            return tree
        name = self.identifiers.give(f"d_{self.names[node]}")
        self.instructions.append(Instruction(name, "backward", tree, node.label, role=node.role))
        return name
