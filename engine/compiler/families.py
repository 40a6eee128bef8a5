"""Families: the nodes of a graph that do the same to different numbers, so that one array holds them all.

The members of a family have the same operation, the same depth, and arguments of the same kinds. None of them
depends on another. Weighted sums of the same inputs are one family too: a matrix times these inputs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple, TypeVar

from engine.compiler.graph import Graph
from engine.core import ops
from engine.core.op import Operation
from engine.formula.tree import Interpreter

T = TypeVar("T")

INPUTS, PARAMETERS, NUMBERS = -1, -2, -3  # the kinds of leaves, beside the numbers of the families
TERMS = 4  # as many terms make a chain of additions one sum


class Greatest(Operation):
    """y = max(a₁, a₂, …): a chain of maxima as one operation. The derivative is 1 for the first greatest."""

    symbol = "max…"

    def forward(self, interpreter: Interpreter[T], args: Sequence[T]) -> T:
        y = args[0]
        for a in args[1:]:
            y = ops.maximum.forward(interpreter, [y, a])
        return y


GREATEST = Greatest()
#: The operations of many arguments. One node is a family of its own: its arguments are the rows of an array.
REDUCTIONS = {ops.total, ops.logsumexp, ops.weighted_sum, GREATEST}


class Family(NamedTuple):
    """Nodes that are computed together.

    Attributes:
        op: their operation.
        depth: the length of the longest way from a leaf.
        members: their positions in the graph.
        product: whether it is a matrix product: weighted sums of the same inputs, whose weights are
            parameters or plain numbers.
    """

    op: Operation
    depth: int
    members: list[int]
    product: bool


class Families:
    """The families of a graph, those of smaller depth first.

    Attributes:
        families: the families.
        args: the positions of the parents of each node; a folded chain has those of all its nodes.
        sources: for each node its family, or one of INPUTS, PARAMETERS and NUMBERS.
        places: for each node its position among the members of its family, or among the leaves of its kind.

    >>> from engine import Value, tanh, trace, weighted_sum
    >>> x, w, v = (Value(1.0, label=label) for label in "xwv")
    >>> zs = [weighted_sum([p], [x]) for p in (w, v)]
    >>> found = Families(trace(tanh(zs[0]) * tanh(zs[1]), [x], [w, v]).graph)
    >>> [(family.op.symbol, len(family.members)) for family in found.families]
    [('Σwa', 2), ('tanh', 2), ('*', 1)]
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.ops, self.args = fold(graph)
        count = len(self.ops)
        self.sources, self.places = [NUMBERS] * count, [0] * count
        for kind, leaves in (INPUTS, graph.inputs), (PARAMETERS, graph.parameters):
            kinds = slice(leaves.start, leaves.stop)
            self.sources[kinds], self.places[kinds] = [kind] * len(leaves), range(len(leaves))
        numbers: dict[Hashable, int] = {}
        found: list[Family] = []
        for node, op in enumerate(self.ops):
            if op is None:
                continue
            parents = self.args[node]
            key, product = self._key(node, op, parents)
            number = numbers.setdefault(key, len(found))
            if number == len(found):
                depths = [found[source].depth for source in self._sources(parents) if source >= 0]
                found.append(Family(op, 1 + max(depths, default=0), [], product))
            members = found[number].members
            self.sources[node], self.places[node] = number, len(members)
            members.append(node)
        self.families = sorted(found, key=lambda family: family.depth)
        for number, family in enumerate(self.families):
            for node in family.members:
                self.sources[node] = number

    def _key(self, node: int, op: Operation, parents: tuple[int, ...]) -> tuple[Hashable, bool]:
        """Return what the members of the node's family have in common, and whether that is a product."""
        learns = self.graph.requires_grad[node]
        if op not in REDUCTIONS:
            exponent = self.graph.numbers.get(parents[1]) if op is ops.pow else None
            return (op, learns, exponent, *self._sources(parents)), False
        if op is ops.weighted_sum:
            n = len(parents) // 2
            kinds = set(self._sources(parents[:n]))
            if kinds == {PARAMETERS} or kinds == {NUMBERS}:
                return (op, learns, *kinds, parents[n:-1], self.sources[parents[-1]]), True
        return node, False

    def _sources(self, nodes: Sequence[int]) -> Iterator[int]:
        return map(self.sources.__getitem__, nodes)

    def pays(self) -> bool:
        """Return whether arrays of families cost less than a statement for each operation."""
        operations = sum(len(self.args[node]) for family in self.families for node in family.members)
        return operations >= 4 * len(self.families)


def fold(graph: Graph) -> tuple[list[Operation | None], list[tuple[int, ...]]]:
    """Return the operations and arguments of a graph in which chains of + and of max are one node each.

    A chain of + whose terms are products with weights is a weighted sum. The nodes inside a chain, which are
    used nowhere else, are left out: their operation is None.
    """
    found, args = list(graph.ops), list(graph.args)
    chains = [node for node, op in enumerate(found) if op is ops.add or op is ops.maximum]
    foldable = {t for node in chains for t in args[node] if found[t] in (ops.add, ops.maximum, ops.mul)}
    if not foldable:
        return found, args
    users = [parents for parents in args if not foldable.isdisjoint(parents)]
    uses = Counter([*chain.from_iterable(users), *graph.outputs, *graph.outputs])
    stop = len(graph.inputs)

    def is_weight(node: int) -> bool:
        return node >= stop and graph.ops[node] is None

    inside: set[int] = set()
    for node in reversed(chains):
        if node in inside:
            continue
        op = found[node]
        links: list[int] = []
        terms: list[int] = []
        todo = list(reversed(args[node]))
        while todo:  # the terms from left to right
            term = todo.pop()
            if found[term] is op and uses[term] == 1 and (op is ops.add or not terms):
                links.append(term)
                todo += reversed(args[term])
            else:
                terms.append(term)
        if op is ops.maximum:
            if len(terms) >= TERMS:
                found[node], args[node] = GREATEST, tuple(terms)
                inside.update(links)
            continue
        products: list[int] = []
        others: list[int] = []
        for t in terms:
            product = found[t] is ops.mul and uses[t] == 1 and any(map(is_weight, args[t]))
            (products if product else others).append(t)
        if products and len(others) == 1:
            pairs = [(a, b) if is_weight(a) else (b, a) for a, b in map(args.__getitem__, products)]
            weights, inputs = zip(*pairs)
            found[node], args[node] = ops.weighted_sum, (*weights, *inputs, *others)
            inside.update(links, products)
        elif len(terms) >= TERMS:
            found[node], args[node] = ops.total, tuple(terms)
            inside.update(links)
    for node in inside:
        found[node] = None
    return found, args
