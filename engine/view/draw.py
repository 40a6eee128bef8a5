"""A graph as a picture: a box for each number, a circle for each operation, edges as numbers flow."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine.core.backward import topological_order
from engine.core.grad import grad
from engine.core.value import Value
from engine.view.box import Box
from engine.view.clusters import fold as boxes_of
from engine.view.graphviz import cell, graphviz, quietly, shown
from engine.view.labels import family, kind

MOST = 200  # boxes that a picture has before fold="auto" folds them
ROWS = 8  # kinds of values that a folded box lists
DIRECTIONS = ("LR", "RL", "TB", "BT")

# The colours of Okabe and Ito, which the colour-blind can tell apart: a strong one around, a faint one in it.
# Every text stands on a ground of its own, or is of a grey that reads on white and on black.
GREY = "#767676"
COLOURS = {
    "input": ("#56B4E9", "#E3F3FC"),
    "parameter": ("#E69F00", "#FDF1D8"),
    "computed": ("#767676", "#F6F6F6"),
    "root": ("#009E73", "#DDF3EC"),
}
VERMILION = "#D55E00"
NODE = {"fontname": "Helvetica", "fontsize": "12", "shape": "plain"}
EDGE = {"fontname": "Helvetica", "fontsize": "10", "color": GREY, "fontcolor": GREY, "arrowsize": "0.7"}
CIRCLE = {"shape": "circle", "style": "filled", "color": GREY, "fillcolor": "#E8E8E8", "margin": "0.02"}
MARK = {"color": VERMILION, "penwidth": "2.5"}


def draw_dot(
    root: Value,
    *,
    rankdir: str = "LR",
    max_nodes: int = MOST,
    fold: str = "auto",
    unfold: str | Iterable[str] = (),
    local_gradients: bool = False,
    largest_path: bool = False,
) -> Any:
    """Draw the graph that ``root`` was computed by.

    Args:
        root: the end of the graph.
        rankdir: where the graph runs: "LR" left to right, "TB" top to bottom, "RL", "BT".
        max_nodes: how many boxes ``fold="auto"`` draws at most; beyond that it folds.
        fold: "none" draws every node. "neuron" folds the operations of a neuron into one box, "layer" the
            neurons of a layer, "batch" the samples that went through the same layers; each of them does
            what stands before it, too. "auto" is the first that is small enough.
        unfold: the names of folded boxes, as the picture shows them, to be opened again by one level.
        local_gradients: write ∂child/∂parent at every edge.
        largest_path: mark the path that goes from ``root`` on to the parent with the largest |∂root/∂parent|.

    Returns:
        A `graphviz.Digraph`: it shows itself in Jupyter; ``source`` is its DOT text, ``render`` writes files.
        A box says label, data and grad; "not computed" before a backward pass. Inputs and parameters have
        colours of their own; plain numbers stand as they are. A folded box says how many values of which
        kind it holds, and between which bounds their data and their gradients lie.

    Raises:
        TypeError: ``root`` is not a Value.
        ValueError: an unknown rankdir or fold, a ``max_nodes`` below 2, or no box of a name in ``unfold``.
        ImportError: the package graphviz is missing. RuntimeError: the program dot is, once it is needed.

    >>> x = Value(3.0, label="x")
    >>> picture = draw_dot(x * x)
    >>> picture.source.count("->")
    3
    """
    if not isinstance(root, Value):
        raise TypeError(f"a picture is drawn of a Value, not of {type(root).__name__}")
    if rankdir not in DIRECTIONS:
        raise ValueError(f"rankdir is one of {', '.join(DIRECTIONS)}, not {rankdir!r}")
    if max_nodes < 2:
        raise ValueError(f"max_nodes is at least 2, not {max_nodes}")
    boxes = boxes_of(root, fold, max_nodes, unfold)
    return Picture(root, boxes, largest(root) if largest_path else {}, local_gradients).dot(rankdir)


class Picture:
    """What is to be drawn, and how: each method draws one kind of thing.

    Args:
        root: the end of the graph.
        boxes: what to draw, parents first.
        path: the path to mark: for each node on it, which of its parents comes next; -1 at its end.
        slopes: whether edges say the local gradient.
        labels: what to call a node instead of by its own label.
        room: how wide, in points, the cells of numbers are at least.
    """

    def __init__(
        self,
        root: Value,
        boxes: Sequence[Box],
        path: Mapping[Value, int],
        slopes: bool = False,
        labels: Mapping[Value, str] | None = None,
        room: int = 0,
    ) -> None:
        self.root, self.boxes, self.path, self.slopes = root, boxes, path, slopes
        self.labels, self.room = labels or {}, room
        self.home = {node: box for box in boxes for node in box.nodes}
        self.name = {box: f"n{i}" for i, box in enumerate(boxes)}

    def dot(self, rankdir: str) -> Any:
        """The picture, as a `graphviz.Digraph`."""
        # operands stand in order; but between folded boxes there is no order to keep
        order = {} if any(box.folded for box in self.boxes) else {"ordering": "in"}
        graph = {"rankdir": rankdir, "bgcolor": "transparent", **order}
        dot = graphviz().Digraph(graph_attr=graph, node_attr=NODE, edge_attr=EDGE)
        for box in self.boxes:
            name, node = self.name[box], box.node
            if box.folded:
                dot.node(name, self.summary(box), id=name)
                self.edges(dot, box, name)
                continue
            dot.node(name, self.label(node), id=name)
            if node.op:
                circle, symbol = f"{name}op", node.op.symbol.replace("&", "&amp;")
                dot.node(circle, graphviz().escape(symbol), id=circle, **CIRCLE)
                self.edges(dot, box, circle)
                dot.edge(circle, name, id=f"{name}edge", **(MARK if node in self.path else {}))
        return quietly(dot)

    def edges(self, dot: Any, box: Box, end: str) -> None:
        """The edges to ``end``: two from an x to x * x, but to or from a folded box only one of them all."""
        slopes: dict[tuple[Box, int], list[float]] = {}
        marked = set()
        for node in box.nodes:
            for position, (parent, slope) in enumerate(
                zip(node.parents, node.local_gradients(), strict=True)
            ):
                source = self.home[parent]
                edge = source, 0 if source.folded or box.folded else position
                if source is not box:
                    slopes.setdefault(edge, []).extend([] if parent.constant else [slope])
                    marked |= {edge} if self.path.get(node) == position else set()
        for i, (edge, bounds) in enumerate(slopes.items()):
            says = {"label": f" {between(bounds)} "} if self.slopes and bounds else {}
            mark = MARK if edge in marked else {}
            dot.edge(self.name[edge[0]], end, id=f"{self.name[box]}edge{i}", **says, **mark)

    def label(self, node: Value) -> str:
        """The box of a node: label, data, grad; of a plain number, the number."""
        looks = "root" if node is self.root else kind(node)
        if looks == "number":
            return f'<<FONT COLOR="{GREY}">{shown(node.data)}</FONT>>'
        name = self.labels.get(node, node.label)
        cells = [cell(name)] if name else []
        cells.append(cell(f"data {shown(node.data)}", width=self.room))
        if not node.constant:
            cells.append(cell(self.gradient([node]), width=self.room))
        return table(["".join(cells)], looks, node in self.path)

    def summary(self, box: Box) -> str:
        """The box of several nodes: of which kinds, how many of each, and between which bounds they lie."""
        kinds: dict[str, list[Value]] = {}
        for node in box.nodes:
            kinds.setdefault(family(node), []).append(node)
        last = family(box.node)
        plain = box.name in (last, f"{last} × {len(kinds[last])}")  # what the only row says anyway
        rows = [] if plain and len(kinds) == 1 else [cell(box.name, bold=True, columns=3)]
        for what, nodes in list(kinds.items())[:ROWS]:
            count = cell(f"{what} × {len(nodes)}" if len(nodes) > 1 else what)
            data = f"data {between([node.data for node in nodes])}"
            if all(node.constant for node in nodes):
                rows.append(count + cell(data, columns=2))
            else:
                rows.append(count + cell(data) + cell(self.gradient(nodes)))
        if len(kinds) > ROWS:
            rows.append(cell(f"and {len(kinds) - ROWS} more kinds", columns=3))
        looks = kind(box.node)
        looks = "root" if box.node is self.root else "input" if looks == "number" else looks
        return table(rows, looks, any(node in self.path for node in box.nodes))

    def gradient(self, nodes: Sequence[Value]) -> str:
        """What a box says of gradients: before a backward pass they are not 0, but not computed."""
        known = [node.grad for node in nodes if not node.constant and (self.root.grad or node.grad)]
        return f"grad {between(known)}" if known else "grad not computed"


def largest(root: Value) -> dict[Value, int]:
    """The path from ``root`` that goes on to the parent whose |gradient| is largest, the first of equals.

    For each node on it, the position of the parent that comes next; -1 where it ends. It writes no gradient.
    """
    nodes = topological_order(root)
    size = {node: abs(slope) for node, slope in zip(nodes, grad(root, nodes), strict=True)}
    path, node = {}, root
    while open_to := [i for i, parent in enumerate(node.parents) if not parent.constant]:
        path[node] = max(open_to, key=lambda i: size[node.parents[i]])
        node = node.parents[path[node]]
    path[node] = -1
    return path


def between(numbers: Sequence[float]) -> str:
    """The bounds of some numbers; of equal ones, the number; a NaN among them is told first.

    >>> between([3.0, -1.5, 2.0]), between([2.0, 2.0])
    ('-1.5 … 3', '2')
    """
    if any(map(math.isnan, numbers)):
        return "nan"
    low, high = shown(min(numbers)), shown(max(numbers))
    return low if low == high else f"{low} … {high}"


def table(rows: Iterable[str], looks: str, marked: bool) -> str:
    """An HTML-like label: rows of cells, in the colours of what it is."""
    edge, ground = COLOURS[looks]
    border = f'BORDER="{3 if marked else 0}" CELLBORDER="1" COLOR="{VERMILION if marked else edge}"'
    body = "".join(f"<TR>{row}</TR>" for row in rows)
    return f'<<TABLE {border} CELLSPACING="0" CELLPADDING="4" BGCOLOR="{ground}">{body}</TABLE>>'
