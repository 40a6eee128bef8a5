"""The paths by which one number reaches another: a gradient is the sum over them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from engine.core.backward import topological_order
from engine.core.value import Value

if TYPE_CHECKING:
    from decimal import Decimal

Edge = tuple[Value, int]  # a node, and which of its parents


def count_paths(leaf: Value, root: Value) -> tuple[Decimal, list[Value]]:
    """How many paths lead from ``leaf`` to ``root``, and the nodes on them, parents before children.

    They are counted, not followed: there may be 2^60 of them.

    >>> x = y = Value(1.0)
    >>> for _ in range(60):
    ...     y = y + y
    >>> count_paths(x, y)[0]
    Decimal('1152921504606846976')
    """
    from decimal import MAX_EMAX, Context, Decimal  # here, as it is slow to import

    counting = Context(prec=28, Emax=MAX_EMAX)  # to the last path up to 10^28, and then to 28 digits
    number = {leaf: Decimal(1)}
    for node in topological_order(root):
        ways = Decimal(0)
        for parent in node.parents:
            if parent in number:
                ways = counting.add(ways, number[parent])
        if ways and node is not leaf:
            number[node] = ways
    return (number[root], list(number)) if root in number else (Decimal(0), [])


def paths(leaf: Value, root: Value, nodes: Collection[Value]) -> Iterator[list[Edge]]:
    """The paths, one at a time, each as its edges from ``leaf`` to ``root``.

    Args:
        leaf: where they begin.
        root: where they end.
        nodes: those on the way, as `count_paths` finds them: no other is looked at.
    """
    way = set(nodes)
    trail: list[Edge] = []
    open_edges = [_edges(root, leaf, way)]
    if root is leaf:
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
            open_edges.append(_edges(parent, leaf, way))


def _edges(node: Value, leaf: Value, way: set[Value]) -> Iterator[Edge]:
    """The edges from a node to those of its parents that are on the way; from the leaf itself, none."""
    parents = () if node is leaf else node.parents
    return ((node, i) for i, parent in enumerate(parents) if parent in way)


def written(number: Decimal) -> str:
    """A number of paths: exact below 10^28, else its first digits.

    >>> from decimal import Decimal
    >>> written(Decimal(1234)), written(Decimal(10) ** 40 * 3)
    ('1,234', 'about 3.000e+40')
    """
    return f"{int(number):,}" if number < 10**28 else f"about {number:.3e}"
