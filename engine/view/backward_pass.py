"""A backward pass as an object: computed once, it can be explained, drawn and played."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from math import inf, prod
from typing import TYPE_CHECKING, NamedTuple

from engine.core.adjoint import AdjointNode
from engine.core.backward import Contribution, pass_on, topological_order
from engine.core.checks import check_recorded
from engine.core.closures import OwnOperation, local_of
from engine.core.value import Value

if TYPE_CHECKING:
    from decimal import Decimal

Edge = tuple[Value, int]  # a node, and the position of the parent


class Step(NamedTuple):
    """One step of a backward pass: one edge."""

    edge: Contribution
    before: float  #: the parent's gradient before the step
    only: bool  #: whether this is the only edge of the parent


class BackwardPass:
    """The backward pass from ``root``. It starts with gradients of 0, and reads and writes no ``.grad``.

    Attributes:
        root: the node where it starts.
        order: every node that the root depends on, parents before children.
        children: for each node, the edges to its children: a child, and the position of the node among the
            child's parents.
        gradients: for each node, ∂root/∂node; 0.0 for a plain number.
        local_gradients: for each node, the local gradient of each edge; 0.0 for a plain number.
        steps: a Step for each edge, in the order of the pass; edges to plain numbers are left out.

    Raises:
        TypeError: ``root`` is not a Value.
        ValueError: ``root`` was computed under `no_grad`.

    >>> x = Value(3.0)
    >>> run = BackwardPass(x * x)
    >>> run.gradients[x], len(run.steps), x.grad
    (6.0, 2, 0.0)
    """

    def __init__(self, root: Value) -> None:
        check_recorded(root)
        self.root = root
        self.order = topological_order(root)
        self.children: dict[Value, list[Edge]] = {node: [] for node in self.order}
        for node in self.order:
            for position, parent in enumerate(node.parents):
                self.children[parent].append((node, position))
        adjoints = {node: AdjointNode((), (), 1.0 if node is root else 0.0) for node in self.order}
        self.local_gradients: dict[Value, tuple[float, ...]] = {}
        self.steps: list[Step] = []
        for node in reversed(self.order):
            upstream: float = adjoints[node]._grad
            edges = list(zip(node.parents, local_of(node, upstream), strict=True))
            if isinstance(node.op, OwnOperation) and not 0.0 < abs(upstream) < inf:
                self.local_gradients[node] = node.local_gradients()  # its contributions do not show them
            else:
                self.local_gradients[node] = tuple(
                    [0.0 if p.constant else float(local) for p, local in edges]
                )
            for position, (parent, local) in enumerate(edges):
                if parent.constant:
                    continue
                adjoint = adjoints[parent]
                before = adjoint._grad
                pass_on([AdjointNode((adjoint,), (local,), upstream)])
                added = Contribution(node, parent, position, upstream, local, upstream * local, adjoint._grad)
                self.steps.append(Step(added, before, len(self.children[parent]) == 1))
        self.gradients: dict[Value, float] = {node: adjoint._grad for node, adjoint in adjoints.items()}

    def count_paths(self, leaf: Value) -> tuple[Decimal, list[Value]]:
        """Return the number of paths from ``leaf`` to the root, and the nodes on them in topological order.

        The paths are counted and not followed, as there may be 2^60 of them.

        >>> x = y = Value(1.0)
        >>> for _ in range(60):
        ...     y = y + y
        >>> BackwardPass(y).count_paths(x)[0]
        Decimal('1152921504606846976')
        """
        from decimal import MAX_EMAX, Context, Decimal  # here, as it is slow to import

        counting = Context(prec=28, Emax=MAX_EMAX)  # exact up to 10^28, and then to 28 digits
        number = {leaf: Decimal(1)}
        for node in self.order:
            paths = Decimal(0)
            for parent in node.parents:
                if parent in number:
                    paths = counting.add(paths, number[parent])
            if paths and node is not leaf:
                number[node] = paths
        return (number[self.root], list(number)) if self.root in number else (Decimal(0), [])

    def paths(self, leaf: Value, nodes: Collection[Value]) -> Iterator[list[Edge]]:
        """Yield the paths one at a time, each as a list of its edges from ``leaf`` to the root.

        Args:
            leaf: the node where the paths begin.
            nodes: the nodes on the paths, as `count_paths` returns them; no other node is visited.
        """
        return self._walk(leaf, nodes, _edges)

    def distinct_paths(self, leaf: Value, nodes: Collection[Value]) -> Iterator[tuple[list[Edge], int]]:
        """Yield the paths, with paths over the same nodes and with the same local gradients as one.

        Returns:
            Pairs of the edges of a path, as `paths` yields them, and the number of such paths.

        >>> x = Value(3.0)
        >>> run = BackwardPass(x * x)
        >>> [count for _, count in run.distinct_paths(x, run.order)]
        [2]
        """
        for path in self._walk(leaf, nodes, self._different_edges):
            yield path, prod([len(self._parallel(edge)) for edge in path])

    def _different_edges(self, node: Value, leaf: Value, on_path: set[Value]) -> Iterator[Edge]:
        """Return the edges of `_edges`, and of parallel ones with the same local gradient only the first."""
        return (edge for edge in _edges(node, leaf, on_path) if self._parallel(edge)[0] == edge[1])

    def _parallel(self, edge: Edge) -> list[int]:
        """Return the positions of the edges between the same nodes that have the same local gradient."""
        node, position = edge
        parent, local = node.parents[position], repr(self.local_gradients[node][position])
        return [
            i
            for i, other in enumerate(node.parents)  # texts are compared, as a NaN is not equal to itself
            if other is parent and repr(self.local_gradients[node][i]) == local
        ]

    def _walk(
        self,
        leaf: Value,
        nodes: Collection[Value],
        edges: Callable[[Value, Value, set[Value]], Iterator[Edge]],
    ) -> Iterator[list[Edge]]:
        """Yield the paths that take only the edges from a node that ``edges`` gives."""
        on_path = set(nodes)
        trail: list[Edge] = []
        open_edges = [edges(self.root, leaf, on_path)]
        if self.root is leaf:
            yield []
        while open_edges:
            edge = next(open_edges[-1], None)
            if edge is None:
                open_edges.pop()
                del trail[-1:]
                continue
            trail.append(edge)
            parent = edge[0].parents[edge[1]]
            if parent is leaf:
                yield trail[::-1]
                trail.pop()
            else:
                open_edges.append(edges(parent, leaf, on_path))


def as_pass(root: Value | BackwardPass) -> BackwardPass:
    """Return ``root`` itself if it is a pass, else the pass that starts at it."""
    return root if isinstance(root, BackwardPass) else BackwardPass(root)


def _edges(node: Value, leaf: Value, on_path: set[Value]) -> Iterator[Edge]:
    """Return the edges from a node to those of its parents that are on a path; for the leaf itself, none."""
    parents = () if node is leaf else node.parents
    return ((node, i) for i, parent in enumerate(parents) if parent in on_path)
