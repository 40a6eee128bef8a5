"""A graph as arrays: the calls that compute it, and the positions of the parents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from engine.compiler.backends.llvm.builder import LANES
from engine.compiler.backends.llvm.nodes import WRITTEN
from engine.compiler.backends.llvm.patterns import Element, Finder, Kind, Run
from engine.compiler.backends.llvm.reductions import REDUCTIONS, groups
from engine.compiler.graph import Comparison, Graph
from engine.core.op import Op, Operation

FEW = 8  # arguments of a node whose formula is written out; over more of them a loop runs
NEEDED = "needed"  # stands for an argument whose gradient the backward pass needs
Call = tuple[int, int]
STOP = (LANES, 0)  # the call that ends a list of calls


class Pass(NamedTuple):
    """Calls, and where they begin."""

    calls: np.ndarray
    offset: int  #: of the positions of the first node's parents; of a backward pass, the place after these
    node: int  #: the first node; of a backward pass, the position after it


class Tables:
    """The nodes of a graph in another order: first those that all samples share, then the others.

    Either part begins with its leaves. The computed nodes are in an order in which as many as possible of a
    kind follow each other, as one call computes these.

    A call is given by the place of its function and the number of nodes or, if a loop runs over them, of
    arguments. After the flag, the first function ends the list; then there are two of each kind, forward and
    backward.

    Args:
        graph: the graph.

    Attributes:
        patterns: the patterns of nodes that functions compute.
        args: the new positions of the parents of all computed nodes.
        shared: the number of nodes that all samples share.
        positions: the new position of each node of the graph.
        forward, backward: the passes over the shared nodes, and those over the others.
    """

    def __init__(self, graph: Graph) -> None:
        count, args = len(graph.ops), graph.args
        varies, place = [i in graph.inputs for i in range(count)], [-1] * count
        kinds = _Kinds(graph)
        for i, op in enumerate(graph.ops):
            if op is not None:
                place[i] = kinds.place(i, op)
                if graph.inputs:
                    varies[i] = any(map(varies.__getitem__, args[i]))
        self.shared = varies.count(False)
        order, parts = list[int](), list[tuple[int, list[Run]]]()
        for part in False, True:
            leaves, nodes = list[int](), list[int]()
            for i in range(count):
                if varies[i] is part:
                    (leaves if place[i] < 0 else nodes).append(i)
            order += leaves
            parts.append((len(order), []))
            for run in in_runs(nodes, args, place):
                parts[-1][1].append((place[run[0]], len(order), len(run)))
                order += run
        self.positions: np.ndarray = np.empty(count, dtype=np.int32)
        self.positions[order] = np.arange(count)
        parents = self.positions[[p for i in order for p in args[i]]]
        starts = np.cumsum([0, *(len(args[i]) for i in order)])
        finder = Finder(list(kinds.found), parents.tolist(), starts.tolist())
        found = [finder.elements(runs) for _, runs in parts]
        flat = [p for elements in found for it in elements for p in it.args]
        self.args = np.array(flat or [0], dtype=np.int32)
        used: np.ndarray = np.zeros(count, dtype=bool)
        used[flat] = used[self.positions[list(graph.outputs)]] = True
        self.patterns = finder.found(chain(*found), used)
        self.forward, self.backward = list[Pass](), list[Pass]()
        offset = 0
        for (node, _), elements in zip(parts, found):
            calls = list(self._calls(elements))
            self.forward.append(Pass(np.array([*calls, STOP], dtype=np.int32), offset, node))
            offset += sum(len(it.args) for it in elements)
            node += sum(self._size(it) for it in elements)
            back = [(function + 1, count) for function, count in reversed(calls)]
            self.backward.append(Pass(np.array([*back, STOP], dtype=np.int32), offset, node))

    def _calls(self, elements: Iterable[Element]) -> Iterator[Call]:
        """Iterate over the forward calls; elements of one pattern that follow one another are one call."""
        for pattern, group in groupby(elements, attrgetter("pattern")):
            function, times = LANES + 1 + 2 * pattern, [it.times for it in group]
            together = self.patterns[pattern].arity > 0
            yield from [(function, sum(times))] if together else [(function, count) for count in times]

    def _size(self, element: Element) -> int:
        """Return the number of nodes that an element computes."""
        pattern = self.patterns[element.pattern]
        return len(pattern.steps) * element.times if pattern.arity else 1


def in_runs(nodes: Sequence[int], args: Sequence[Sequence[int]], place: Sequence[int]) -> Iterator[list[int]]:
    """Iterate over the nodes in runs of one kind, in a topological order: a node may need those before it.

    Args:
        nodes: some of the nodes of a graph.
        args: the parents of each node of the graph; those that are not among the nodes are known.
        place: the kind of each node of the graph.
    """
    some, counts = np.array(nodes, dtype=np.int64), [len(args[i]) for i in nodes]
    parents = np.fromiter(chain.from_iterable([args[i] for i in nodes]), dtype=np.int64)
    known: np.ndarray = np.ones(len(args), dtype=bool)
    known[some] = False
    kept = ~known[parents]
    parents, children = parents[kept], np.repeat(some, counts)[kept]
    users = children[np.argsort(parents, kind="stable")].tolist()  # of one node after the other
    ends = np.cumsum(np.bincount(parents, minlength=len(args))).tolist()
    left = np.bincount(children, minlength=len(args)).tolist()  # the number of parents to wait for
    ready: dict[int, list[int]] = {}  # the nodes that wait for none, by kind; the next kind comes first
    for i in nodes:
        if not left[i]:
            ready.setdefault(place[i], []).append(i)
    while ready:
        kind = next(iter(ready))
        for i in ready[kind]:  # there may be more and more of them
            for user in users[ends[i - 1] if i else 0 : ends[i]]:
                left[user] -= 1
                if not left[user]:
                    ready.setdefault(place[user], []).append(user)
        yield ready.pop(kind)


class _Kinds:
    """The kinds of the nodes of a graph, in the order of their first use."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.found: dict[Kind, int] = {}
        self._known: dict[tuple[object, ...], int] = {}
        self._comparisons: dict[str, Operation] = {}  # they are equal if their symbols are
        written = {p: x for p, x in graph.numbers.items() if x in WRITTEN}
        self._constant: list[float | str] = [written.get(p, "") for p in range(len(graph.ops))]
        self._learning = [NEEDED if it else mark for it, mark in zip(graph.requires_grad, self._constant)]

    def place(self, i: int, op: Operation) -> int:
        """Return the place of the kind of a node."""
        marks = self._learning if self.graph.requires_grad[i] else self._constant
        key = (op, *[marks[p] for p in self.graph.args[i]])
        if key not in self._known:
            self._known[key] = self.found.setdefault(self._kind(op, key[1:]), len(self.found))
        return self._known[key]

    def _kind(self, op: Operation, marks: Sequence[object]) -> Kind:
        needed = [mark is NEEDED for mark in marks]
        if len(marks) > FEW and type(op) in REDUCTIONS:
            return Kind(op, 0, groups(op, needed))
        if isinstance(op, Comparison):
            op = self._comparisons.setdefault(op.symbol, op)
        written = enumerate(marks if isinstance(op, Op) else ())
        numbers = tuple([(k, mark) for k, mark in written if isinstance(mark, float)])
        return Kind(op, len(marks), tuple([k for k, it in enumerate(needed) if it]), numbers)
