"""Small computational graphs, the smallest first, as cases for a class of nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from operator import methodcaller
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from engine import Value, backward_steps, play, topological_order
from nn.exercises.checker import Case, Named, Steps, as_number

if TYPE_CHECKING:
    from engine import Player

Node: TypeAlias = object
Line: TypeAlias = tuple[str, tuple[int, ...]]  # an operation, and the positions of its arguments


class NodeClass(NamedTuple):
    """A class of nodes, and how to use it."""

    make: Callable[[float], Node]
    data: Callable[[Node], object]
    grad: Callable[[Node], object]
    backward: Callable[[Node], object]
    has: frozenset[str] = frozenset()  #: the operations that it has


Adapter: TypeAlias = Callable[[object], NodeClass]


class Operation(NamedTuple):
    """An operation of the graphs."""

    text: str  #: such as "{} + {}"
    apply: Callable[..., Node]
    arity: int  #: the number of nodes that it takes
    commutes: bool = False


FUNCTIONS = ("exp", "log", "tanh", "sigmoid", "relu")
OPERATIONS = {  # those that others are often built from come first
    "+": Operation("{} + {}", lambda a, b: a + b, 2, True),
    "*": Operation("{} * {}", lambda a, b: a * b, 2, True),
    "v + number": Operation("{} + 2", lambda a: a + 2, 1),
    "v * number": Operation("{} * 3", lambda a: a * 3, 1),
    "number + v": Operation("2 + {}", lambda a: 2 + a, 1),
    "number * v": Operation("3 * {}", lambda a: 3 * a, 1),
    "**": Operation("{} ** 3", lambda a: a**3, 1),
    **{name: Operation(name + "({})", methodcaller(name), 1) for name in FUNCTIONS},
    "neg": Operation("-{}", lambda a: -a, 1),
    "-": Operation("{} - {}", lambda a, b: a - b, 2),
    "/": Operation("{} / {}", lambda a, b: a / b, 2),
    "v - number": Operation("{} - 1", lambda a: a - 1, 1),
    "number - v": Operation("5 - {}", lambda a: 5 - a, 1),
    "v / number": Operation("{} / 4", lambda a: a / 4, 1),
    "number / v": Operation("2 / {}", lambda a: 2 / a, 1),
    "sum": Operation("sum([{}, {}])", lambda a, b: sum([a, b]), 2, True),
}


class Graph(NamedTuple):
    """A graph of a few operations.

    >>> graph = Graph((2.0, -3.0), (("*", (0, 1)), ("+", (2, 0))))
    >>> print(graph)
    a = 2, b = -3
    v1 = a * b; v2 = v1 + a
    >>> graph.build(Value)[-1].data
    -4.0
    """

    leaves: tuple[float, ...]
    lines: tuple[Line, ...]

    @property
    def names(self) -> list[str]:
        """The name of each node."""
        return [*"abc"[: len(self.leaves)], *(f"v{i}" for i in range(1, len(self.lines) + 1))]

    def text(self, line: Line) -> str:
        """Return an operation as a student writes it."""
        word, at = line
        return OPERATIONS[word].text.format(*(self.names[i] for i in at))

    def __str__(self) -> str:
        given = ", ".join(f"{name} = {x:g}" for name, x in zip(self.names, self.leaves))
        names = self.names[len(self.leaves) :]
        return f"{given}\n{'; '.join(f'{name} = {self.text(line)}' for name, line in zip(names, self.lines))}"

    def makers(self, make: Callable[[float], Node], nodes: list[Node]) -> Iterator[Callable[[], Node]]:
        """Iterate over the functions that make the nodes, each from those before it."""
        for x in self.leaves:
            yield partial(make, x)
        for word, at in self.lines:
            yield lambda word=word, at=at: OPERATIONS[word].apply(*(nodes[i] for i in at))  # type: ignore[misc]

    def build(self, make: Callable[[float], Node]) -> list[Node]:
        """Return the nodes."""
        nodes: list[Node] = []
        for maker in self.makers(make, nodes):
            nodes.append(maker())
        return nodes

    def values(self) -> list[Value]:
        """Return the nodes as Values with their names."""
        nodes = [node for node in self.build(Value) if isinstance(node, Value)]
        for node, name in zip(nodes, self.names):
            node.label = name
        return nodes

    def play(self, step: str, yours: str, right: str) -> Player:
        """Return the player of the graph at a step of `steps`, with both numbers in its heading."""
        values = self.values()
        order = [v for v in topological_order(values[-1]) if v.parents]
        edges = [edge.parent for edge in backward_steps(values[-1])]
        shown = {name: order.index(v) + 1 for name, v in zip(self.data_steps, values) if v.parents}
        shown |= {
            f"{v.label}.grad": len(order) + 1 + n for n, v in enumerate(edges, 1)
        }  # the last one counts
        shown[self.root_step] = len(order) + 1
        return play(values[-1], title=f"{step}: yours {yours}, right {right}", start=shown.get(step, 0))

    @property
    def data_steps(self) -> list[str]:
        """The name of the step that computes each node."""
        texts = [f"{x:g}" for x in self.leaves] + [self.text(line) for line in self.lines]
        return [f"the data of {name} = {text}" for name, text in zip(self.names, texts)]

    @property
    def root_step(self) -> str:
        """The name of the step that runs the backward pass."""
        return f"{self.names[-1]}.grad after {self.names[-1]}.backward()"

    def case(self) -> Case:
        """Return the case: the data from the leaves to the root, then the gradients from the root down."""
        return Case(str(self), self.steps, frozenset(word for word, _ in self.lines), self.play)

    def steps(self, solution: object) -> Steps:
        """Iterate over the steps of a solution, a `NodeClass`."""
        assert isinstance(solution, NodeClass)
        nodes: list[Node] = []
        names = self.names

        def forward(maker: Callable[[], Node]) -> object:
            nodes.append(maker())
            return solution.data(nodes[-1])

        def backward() -> object:
            solution.backward(nodes[-1])
            return solution.grad(nodes[-1])

        for step, maker in zip(self.data_steps, self.makers(solution.make, nodes)):
            yield step, partial(forward, maker)
        yield self.root_step, backward
        for i in reversed(range(len(names) - 1)):
            yield f"{names[i]}.grad", lambda i=i: solution.grad(nodes[i])  # type: ignore[misc]


def second_pass(graph: Graph, adapt: Adapter) -> Case:
    """Return the case of a second backward pass over a graph: the gradients of the leaves add up.

    Args:
        graph: the graph.
        adapt: makes the class of nodes from a solution.
    """
    root, names = graph.names[-1], graph.names[: len(graph.leaves)]

    def run(solution: object) -> Steps:
        mine = adapt(solution)

        def gradients() -> Named:
            nodes = graph.build(mine.make)
            mine.backward(nodes[-1])
            first = [as_number(mine.grad(v)) for v, _ in zip(nodes, names)]
            mine.backward(nodes[-1])
            second = [as_number(mine.grad(v)) for v, _ in zip(nodes, names)]
            if first == second:  # a tape that is empty after the first pass adds nothing, and is no slip
                second = [None if x is None else 2 * x for x in first]
            return Named((f"{name}.grad after the second pass", x) for name, x in zip(names, second))

        yield f"{root}.backward(), twice", gradients

    return Case(f"{graph}; {root}.backward(); {root}.backward()", run, frozenset("+*"), graph.play)


def shared_leaf(adapt: Adapter) -> Case:
    """Return the case of two graphs with the same leaf, whose gradient adds up over their backward passes."""

    def run(solution: object) -> Steps:
        mine = adapt(solution)

        def gradient() -> object:
            a = mine.make(2.0)
            for word in "+", "*":
                mine.backward(OPERATIONS[word].apply(a, a))
            return mine.grad(a)

        yield "a.grad after both passes", gradient

    return Case("a = 2\nv1 = a + a; v1.backward(); v2 = a * a; v2.backward()", run, frozenset("+*"))


def repeated_passes(adapt: Adapter) -> Iterator[Case]:
    """Iterate over the cases of two backward passes, the smallest first."""
    for leaves in (2.0,), (2.0, -3.0):
        yield from (second_pass(graph, adapt) for graph in graphs(2, leaves, "+*"))
    yield shared_leaf(adapt)


def graphs(size: int, leaves: tuple[float, ...], words: Iterable[str]) -> Iterator[Graph]:
    """Iterate over all graphs of so many operations in which every node is used.

    >>> [str(graph).split("= ")[-1] for graph in graphs(1, (2.0,), ["+", "neg"])]
    ['a + a', '-a']
    """
    words = tuple(words)

    def grow(lines: tuple[Line, ...]) -> Iterator[Graph]:
        count = len(leaves) + len(lines)
        if len(lines) == size:
            if {i for _, at in lines for i in at}.issuperset(range(count - 1)):
                yield Graph(leaves, lines)
            return
        for word in words:
            operation = OPERATIONS[word]
            for i in range(count):
                seconds = range(i if operation.commutes else 0, count)
                for at in [(i,)] if operation.arity == 1 else [(i, j) for j in seconds]:
                    yield from grow((*lines, (word, at)))

    return grow(())
