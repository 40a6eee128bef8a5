"""Write a graph as the flat list of its instructions: the forward pass, then the backward pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import reduce
from typing import NamedTuple
from weakref import WeakMethod

from engine.compiler.graph import Comparison, Graph
from engine.compiler.identifiers import Identifiers
from engine.compiler.ir import GuardCheck, Instruction
from engine.compiler.source import RESERVED
from engine.core.methods import Role
from engine.core.op import Operation
from engine.formula.arithmetic import FUNCTIONS
from engine.formula.simplify import Simplifier, TreeBuilder
from engine.formula.tree import Interpreter, Tree


class Lines(NamedTuple):
    """The instructions of a graph, and their names. `engine.compiler.ir.IR` documents the same attributes."""

    instructions: tuple[Instruction, ...]
    inputs: tuple[str, ...]
    parameters: tuple[str, ...]
    outputs: tuple[Tree, ...]
    gradients: tuple[Tree, ...]
    guards: tuple[GuardCheck, ...]
    names: tuple[Tree, ...]  #: of each node; a plain number is itself


def write_lines(graph: Graph) -> Lines:
    """Return the instructions of a graph, and their names."""
    return _Writer(graph).write()


def name_leaves(graph: Graph, identifiers: Identifiers, kind: str) -> list[str]:
    """Return the names of all leaves of a kind, input or parameter. The inputs are named first."""
    leaves, letter = (graph.inputs, "x") if kind == "input" else (graph.parameters, "p")
    return [identifiers.give(graph.labels[leaf] or f"{letter}{place}") for place, leaf in enumerate(leaves)]


def forward_tree(op: Operation, args: Sequence[Tree], simplifier: Interpreter[Tree]) -> Tree:
    """Return y of one node: an operation with a name is called by it, any other is written out."""
    formula = getattr(op, "formula", None)
    if formula is not None and formula.name.isidentifier() and formula.name not in FUNCTIONS:
        return simplifier.call(formula, *args)
    return op.forward(simplifier, args)


class Namer(TreeBuilder):
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


class _Writer:
    """Writes the instructions of one graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.simplifier, self.identifiers = Simplifier(Namer(self.let)), Identifiers(RESERVED)
        self.instructions: list[Instruction] = []
        self.nameless = 0
        self.role: Role | None = None  # of the node whose formula is being written
        self.names: dict[int, Tree] = dict(graph.numbers)  # of each node; a plain number is itself

    def write(self) -> Lines:
        graph, names = self.graph, self.names
        for kind, leaves in ("input", graph.inputs), ("parameter", graph.parameters):
            for leaf, name in zip(leaves, name_leaves(graph, self.identifiers, kind)):
                names[leaf] = name
                label, role = graph.labels[leaf], graph.roles[leaf]
                self.instructions.append(Instruction(name, kind, name, label, role=role))
        for node, op in enumerate(graph.ops):
            if isinstance(op, Comparison):
                self.compare(node, op)
            elif op is not None:
                self.forward(node, op)
        gradients = self.backward() if graph.backward else {}
        return Lines(
            instructions=tuple(self.instructions),
            inputs=tuple([str(names[node]) for node in graph.inputs]),
            parameters=tuple([str(names[node]) for node in graph.parameters]),
            outputs=tuple([names[node] for node in graph.outputs]),
            gradients=tuple([gradients.get(p, 0.0) for p in graph.parameters]) if graph.backward else (),
            guards=tuple([GuardCheck(str(names[at]), outcome, line) for at, outcome, line in graph.guards]),
            names=tuple([names[node] for node in range(len(graph.ops))]),
        )

    def compare(self, node: int, op: Comparison) -> None:
        """Write the instruction that is 1.0 if a comparison holds, and 0.0 if not."""
        tree = op.forward(TreeBuilder(), [self.names[parent] for parent in self.graph.args[node]])
        self.names[node] = name = self.identifiers.give("guard")
        self.instructions.append(Instruction(name, "forward", tree))

    def forward(self, node: int, op: Operation) -> None:
        graph, parents = self.graph, self.graph.args[node]
        self.role, label = graph.roles[node], graph.labels[node]
        args = tuple([self.names[parent] for parent in parents])
        needs_grad: tuple[int, ...] = ()
        if graph.requires_grad[node]:
            needs_grad = tuple([i for i, parent in enumerate(parents) if graph.requires_grad[parent]])
        self.names[node] = name = self.identifiers.give(label or self.nickname(node))
        tree = forward_tree(op, args, self.simplifier)
        self.instructions.append(Instruction(name, "forward", tree, label, op, args, needs_grad, self.role))

    def let(self, tree: Tree) -> str:
        """Write an instruction for an intermediate result of one node's formula, and return its name."""
        self.nameless += 1
        name = self.identifiers.give(f"v{self.nameless}")
        self.instructions.append(Instruction(name, "forward", tree, role=self.role))
        return name

    def nickname(self, node: int) -> str:
        """Return a name for a node without a label: y for the first output, y1 for the next, v1, v2, ..."""
        if node in self.graph.outputs:
            return f"y{self.graph.outputs.index(node) or ''}"
        self.nameless += 1
        return f"v{self.nameless}"

    def backward(self) -> dict[int, Tree]:
        """Write the gradients, each added up in the order in which `engine.core.backward` adds it."""
        graph, learns, root = self.graph, self.graph.requires_grad, self.graph.outputs[0]
        nodes = graph.evaluated()
        left = Counter(parent for node in nodes for parent in graph.args[node])  # edges to come
        contributions: dict[int, list[Tree]] = {root: [1.0]}
        gradients: dict[int, Tree] = {root: 1.0}
        for node in reversed(nodes):
            op, parents = graph.ops[node], graph.args[node]
            if op is None or not learns[node]:
                continue
            upstream = self.gradient(node, contributions.pop(node))
            args = [self.names[parent] for parent in parents]
            left.subtract(parents)
            self.role = graph.roles[node]
            positions = [i for i, parent in enumerate(parents) if learns[parent]]
            local = op.derivatives(positions, self.simplifier, args, self.names[node])
            for position, derivative in zip(positions, local):
                term = self.simplifier.apply("*", upstream, derivative)
                contributions.setdefault(parents[position], []).append(term)
            for leaf in dict.fromkeys(parents):
                if graph.ops[leaf] is None and not left[leaf] and learns[leaf]:
                    gradients[leaf] = self.gradient(leaf, contributions.pop(leaf))
        return gradients

    def gradient(self, node: int, contributions: list[Tree]) -> Tree:
        """Return ∂root/∂node: the sum of the contributions, as a new instruction unless it is a mere name."""
        tree = reduce(lambda total, more: self.simplifier.apply("+", total, more), contributions)
        label = self.graph.labels[node]
        if isinstance(tree, float) or (isinstance(tree, str) and self.graph.args[node] and not label):
            return tree
        name = self.identifiers.give(f"d_{self.names[node]}")
        self.instructions.append(Instruction(name, "backward", tree, label, role=self.graph.roles[node]))
        return name
