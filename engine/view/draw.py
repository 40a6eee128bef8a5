"""Draw a graph: a box for each number, a circle for each operation, an edge for each use of a number."""

from __future__ import annotations

import contextlib
import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from engine.core.backward import topological_order
from engine.core.closures import OwnClosure
from engine.core.messages import brief
from engine.core.methods import Role
from engine.core.scalar import is_number
from engine.core.value import Value
from engine.view import clusters
from engine.view.backward_pass import BackwardPass
from engine.view.clusters import Box
from engine.view.graphviz import LEAST, cell, graphviz, measure
from engine.view.kinds import Kinds, neuron_of, sign_of
from engine.view.phrases import four_digits, in_sentence

if TYPE_CHECKING:
    from engine.view.drawing import Drawing

MOST = 200  # boxes that a picture with fold="auto" has at most, by default
ROWS = 8  # families of values that a folded box lists at most
DIRECTIONS = ("LR", "RL", "TB", "BT")
PAGE = 970  # pixels: the width of a cell of a notebook
NARROWEST = 60  # pixels: a box with the space beside it
TIGHT, LOOSE = {"nodesep": "0.12", "ranksep": "0.2"}, {"nodesep": "0.25", "ranksep": "0.4"}

# The colours of Okabe and Ito, which colour-blind people can distinguish: a strong one for the border, a
# faint one for the background. Text is in a box, or in a grey that is legible on white and on black.
GREY = "#767676"
COLOURS = {
    "input": ("#56B4E9", "#E3F3FC"),
    "parameter": ("#E69F00", "#FDF1D8"),
    "leaf": ("#000000", "#FFFFFF"),
    "computed": ("#767676", "#F6F6F6"),
    "root": ("#009E73", "#DDF3EC"),
}
VERMILION = "#D55E00"
NODE = {"fontname": "Helvetica", "fontsize": "12", "shape": "plain"}
EDGE = {"fontname": "Helvetica", "fontsize": "12", "color": GREY, "fontcolor": GREY, "arrowsize": "0.7"}
CIRCLE = {
    "shape": "circle", "style": "filled", "color": GREY, "fillcolor": "#E8E8E8", "margin": "0.02",
    "width": "0.35", "height": "0.35",
}  # fmt: skip
MARK = {"color": VERMILION, "penwidth": "2.5"}

with contextlib.suppress(ImportError):
    graphviz()  # so that a graphviz.Digraph that the user makes finds the same dot


def draw_dot(
    root: Value | BackwardPass,
    *,
    rankdir: str = "auto",
    width: float = PAGE,
    max_nodes: int = MOST,
    fold: str = "auto",
    unfold: str | Iterable[str] = (),
    local_gradients: bool = False,
    largest_path: bool = False,
    inputs: Iterable[Value] | None = None,
    format: str = "svg",
) -> Drawing:
    """Draw the graph that ``root`` was computed by, as large a part of it as fits the width of a page.

    Args:
        root: the root of the graph; a BackwardPass from it is drawn with the gradients of the pass.
        rankdir: the direction of the graph: "LR" left to right, "TB" top to bottom, "RL", "BT". "auto" takes
            "LR", and "TB" if only that fits.
        width: the width of the page in pixels, on which the text has a height of at least 11 pixels.
        max_nodes: the largest number of boxes that ``fold="auto"`` draws.
        fold: "none" draws every node. "loss" folds a loss into one box, "neuron" also the operations of a
            neuron, "layer" also the neurons of a layer, "batch" also the samples of a batch. "auto" takes the
            first of these, from "loss" on, that has at most ``max_nodes`` boxes and fits; if none does, it
            folds by depth, too.
        unfold: the names of folded boxes, as the picture shows them, to open again by one level.
        local_gradients: whether to write ∂child/∂parent at every edge; a node made by hand that has no
            closure yet has none to write.
        largest_path: whether to mark the path from ``root`` that always goes to the parent with the largest
            |∂root/∂parent|.
        inputs: leaves that are inputs; the other leaves are then parameters. A model from nn needs no such
            list.
        format: the format of the files that `render` writes.

    Returns:
        A `graphviz.Digraph`, which Jupyter shows; ``source`` is its DOT text, ``render`` writes files. A box
        shows label, data and grad ("–" before a backward pass). Inputs and parameters are named and have
        different colours; a plain number is drawn without a box. A folded box lists the families of its
        values, with their number and the bounds of their data and their gradients; the box of a loss shows
        its formula. A picture that cannot be folded to fit is wider than the page, and can be scrolled.

    Raises:
        TypeError: ``root`` is not a Value, ``max_nodes`` not an int, ``width`` not a number, or ``inputs``
            not a list of Values.
        ValueError: rankdir, fold or format is unknown, ``max_nodes`` is below 2, ``width`` is not positive,
            no box has a name in ``unfold``, or an input is not a leaf.
        ImportError: the package graphviz is missing.
        RuntimeError: the program dot is missing; this is raised when the picture is shown.

    >>> x = Value(3.0, label="x")
    >>> picture = draw_dot(x * x)
    >>> picture.source.count("->")
    3
    """
    if not isinstance(root, (Value, BackwardPass)):
        raise TypeError(f"expected a Value to draw, not {type(root).__name__}: {brief(root)}")
    if rankdir not in ("auto", *DIRECTIONS):
        raise ValueError(f"rankdir is auto or one of {', '.join(DIRECTIONS)}, not {brief(rankdir)}")
    if not isinstance(max_nodes, int):
        raise TypeError(f"max_nodes is a whole number, not {type(max_nodes).__name__}: {brief(max_nodes)}")
    if max_nodes < 2:
        raise ValueError(f"max_nodes is at least 2, not {max_nodes}")
    if not is_number(width):
        raise TypeError(f"width is a number of pixels, not {type(width).__name__}: {brief(width)}")
    if not 0 < width < math.inf:
        raise ValueError(f"width is a positive number of pixels, not {brief(width)}")
    kinds = Kinds(inputs)
    run = None
    if isinstance(root, BackwardPass):
        run, root = root, root.root
    gradients = run.gradients if run else None
    path: dict[Value, int] = {}
    if largest_path:
        run = run or BackwardPass(root)
        path = largest(run)
    order = run.order if run else topological_order(root)
    foldings = clusters.foldings(order, fold, max_nodes, kinds)
    if names := {unfold} if isinstance(unfold, str) else set(unfold):
        foldings = iter([clusters.open_boxes(next(foldings), names, root)])
    local = {} if not local_gradients else run.local_gradients if run else local_gradients_of(order)
    pictures = (Picture(order[-1], boxes, kinds, path, local, gradients=gradients) for boxes in foldings)
    return first_that_fits(pictures, ("LR", "TB") if rankdir == "auto" else (rankdir,), width, format)


def first_that_fits(
    pictures: Iterable[Picture], directions: Sequence[str], width: float, format: str
) -> Drawing:
    """Return the first picture, in the first direction, that fits; if none does, the narrowest.

    Without the program dot, which measures a picture, the first picture is returned.
    """
    too_wide: list[tuple[bool, float, Drawing]] = []
    for picture in pictures:
        drawing = picture.draw(directions[0], format, TIGHT)
        for direction in directions:
            natural = picture.estimate(direction)
            estimated = natural * LEAST > width
            if not estimated:
                try:
                    natural = drawing.measure(rankdir=direction, **TIGHT)
                except RuntimeError:
                    return drawing
            if natural * LEAST <= width:
                loose = drawing.measure(**LOOSE)
                return drawing.fit(width, loose if loose * LEAST <= width else drawing.measure(**TIGHT))
            too_wide.append((estimated, natural, drawing))
    *_, narrowest = min(too_wide, key=lambda entry: entry[:2])
    with contextlib.suppress(RuntimeError):
        best = min(directions, key=lambda direction: narrowest.measure(rankdir=direction, **TIGHT))
        narrowest.fit(width, narrowest.measure(rankdir=best))
    return narrowest


class Picture:
    """Draw boxes; each method draws one kind of part.

    Args:
        root: the root of the graph.
        boxes: the boxes to draw, parents before children.
        kinds: gives the kind of each node.
        path: the path to mark: for each node on it, the position of the parent that comes next; -1 at the
            end.
        local_gradients: the local gradients of nodes, to write at their edges.
        labels: names of nodes, in place of their labels.
        gradients: gradients of nodes, in place of their ``.grad``.
        width: the minimum width, in points, of the cells with numbers.
    """

    def __init__(
        self,
        root: Value,
        boxes: Sequence[Box],
        kinds: Kinds,
        path: Mapping[Value, int] | None = None,
        local_gradients: Mapping[Value, Sequence[float]] | None = None,
        labels: Mapping[Value, str] | None = None,
        gradients: Mapping[Value, float] | None = None,
        width: int = 0,
    ) -> None:
        self.root, self.boxes, self.kinds, self.path = root, boxes, kinds, path or {}
        self.local_gradients, self.labels, self.width = local_gradients or {}, labels or {}, width
        self.gradients = gradients
        self.home = {node: box for box in boxes for node in box.nodes}
        self.name = {box: f"n{i}" for i, box in enumerate(boxes)}

    def draw(self, rankdir: str, format: str = "svg", spacing: Mapping[str, str] | None = None) -> Drawing:
        """Return the picture.

        Args:
            rankdir: the direction of the graph.
            format: the format of the files that are written.
            spacing: DOT attributes of the graph.
        """
        escape = graphviz().escape
        from engine.view.drawing import Drawing  # here, as it needs the package graphviz

        columns, folded = self.columns()
        order = {} if folded else {"ordering": "in"}  # draw operands in their order; folded neurons have none
        graph = {"rankdir": rankdir, "bgcolor": "transparent", **order, **(spacing or {})}
        drawing = Drawing(format=format, graph_attr=graph, node_attr=NODE, edge_attr=EDGE)
        drawing.title = f"the graph of {in_sentence(self.root.label) or 'a value'}: {len(self.boxes)} boxes"
        for box in self.boxes:
            name, node = self.name[box], box.node
            if box.folded:
                drawing.node(name, self.summary(box), id=name)
                self.edges(drawing, box, name)
                continue
            drawing.node(name, self.label(node), id=name)
            if node.op:
                circle, sign = f"{name}op", sign_of(node)
                drawing.node(circle, escape(sign.replace("&", "&amp;")), id=circle, **around(sign))
                self.edges(drawing, box, circle)
                drawing.edge(circle, name, id=f"{name}edge", **(MARK if node in self.path else {}))
        for column in columns:
            with drawing.subgraph(graph_attr={"rank": "same"}) as same:
                ends = [self.name[box] + "op" * (not box.folded and bool(box.node.op)) for box in column]
                for one, other in pairwise(ends):
                    same.edge(one, other, style="invis")
        return drawing

    def estimate(self, rankdir: str) -> float:
        """Return the width in pixels that the boxes need at the least, which is faster than to run dot."""
        rank: dict[Box, int] = {}
        for box in reversed(self.boxes):
            rank[box] = 1 + max((rank.get(child, 0) for child in box.children), default=-1)
        sizes = Counter(rank[box] for box in self.boxes if box.folded or self.kinds(box.node) != "number")
        return NARROWEST * (len(sizes) if rankdir in ("LR", "RL") else max(sizes.values(), default=0))

    def columns(self) -> tuple[list[list[Box]], bool]:
        """Return the boxes that stand in one column, in their order, and whether neurons are folded.

        The neurons of a layer stand in one column, or if they are not folded, the operations of their
        pre-activations. Beside folded neurons, the inputs stand in one column, too.
        """
        found: dict[tuple[str, int, int], list[tuple[int, int, Box]]] = {}
        depth: dict[Box, int] = {}
        seen: Counter[Hashable] = Counter()
        for box in self.boxes:
            depth[box] = 1 + max((depth.get(parent, 0) for parent in box.parents), default=-1)
            layer, neuron = (box.neuron if box.folded else neuron_of(box.node, "z")) or (None, None)
            role = box.node.role
            if layer is not None and neuron is not None:
                place = "neuron" if box.folded else "z", layer, depth[box]
            elif role and role.kind == "x" and role.input is not None:
                place, neuron = ("x", 0, 0), role.input
            else:
                continue
            seen[place, neuron] += 1
            found.setdefault(place, []).append((seen[place, neuron], neuron, box))
        folded = any(kind == "neuron" for kind, _, _ in found)
        columns = [sorted(column, key=lambda entry: entry[:2]) for (kind, *_), column in found.items()
                   if len(column) > 1 and (folded or kind == "z")]  # fmt: skip
        return [[box for *_, box in column] for column in columns], folded

    def edges(self, drawing: Drawing, box: Box, end: str) -> None:
        """Draw the edges to ``end``: one for each use, but only one between two boxes if one is folded."""
        local_gradients: dict[tuple[Box, int], list[float]] = {}
        marked, folded = set(), box.folded
        for node in box.nodes:
            local = self.local_gradients.get(node, ())
            for position, parent in enumerate(node.parents):
                source = self.home[parent]
                if source is box:
                    continue
                edge = source, 0 if folded or source.folded else position
                bounds = local_gradients.setdefault(edge, [])
                if local and not parent.constant:
                    bounds.append(local[position])
                if self.path.get(node) == position:
                    marked.add(edge)
        for i, (edge, bounds) in enumerate(local_gradients.items()):
            label = {"label": f" {between(bounds)} "} if bounds else {}
            mark = MARK if edge in marked else {}
            drawing.edge(self.name[edge[0]], end, id=f"{self.name[box]}edge{i}", **label, **mark)

    def label(self, node: Value) -> str:
        """Return the label of a node: its name, kind, data and grad; for a plain number, the number."""
        look = "root" if node is self.root else self.kinds(node)
        if look == "number":
            return f'<<FONT COLOR="{GREY}">{four_digits(node.data)}</FONT>>'
        name, kind = self.labels.get(node, node.label), look if look in ("input", "parameter") else ""
        rows = [cell(name, bold=True, note=kind) if name else cell(kind)] if name or kind else []
        rows.append(cell(f"data {four_digits(node.data)}", width=self.width))
        if not node.constant:
            rows.append(cell(self.gradient([node]), width=self.width))
        return table(rows, look, node in self.path)

    def summary(self, box: Box) -> str:
        """Return the label of a folded box: its families, with their sizes and bounds."""
        look = "root" if box.node is self.root else "input" if box.kind == "number" else box.kind
        marked = any(node in self.path for node in box.nodes)
        if box.loss:
            return table(self.loss(box, box.loss), look, marked)
        families: dict[str, list[Value]] = {}
        for node in box.nodes:
            families.setdefault(self.kinds.family(node), []).append(node)
        last = self.kinds.family(box.node)
        plain = box.name in (last, f"{last} × {len(families[last])}")  # its only row shows the name, too
        rows = [] if plain and len(families) == 1 else [cell(box.name, bold=True, columns=2)]
        for family, nodes in list(families.items())[:ROWS]:
            count = cell(f"{family} × {len(nodes)}" if len(nodes) > 1 else family)
            numbers = f"data {between([node.data for node in nodes])}"
            if not all(node.constant for node in nodes):
                numbers += f"\n{self.gradient(nodes)}"
            rows.append(count + cell(numbers))
        if len(families) > ROWS:
            more = len(families) - ROWS
            rows.append(cell(f"and {more} more kind{'s' * (more > 1)}", columns=2))
        return table(rows, look, marked)

    def loss(self, box: Box, role: Role) -> list[str]:
        """Return the rows of a folded loss: its label, its number, its formula and its gradient."""
        used = {parent for node in box.nodes for parent in node.parents}
        ends = [node for node in box.nodes if node.parents and node not in used]
        data, grad = between([node.data for node in ends]), self.gradient(ends)
        if len(ends) > 1:
            return [cell(box.name, bold=True), cell(f"data {data}\n{grad}"), cell(role.formula)]
        label = self.labels.get(box.node, box.node.label)
        title = [cell(label, bold=True)] if label else []
        return [*title, cell(f"{role.kind} = {data}", bold=not label), cell(role.formula), cell(grad)]

    def gradient(self, nodes: Sequence[Value]) -> str:
        """Return the bounds of gradients as text; before a backward pass, "grad –"."""
        variable = [node for node in nodes if not node.constant]
        if self.gradients is not None:
            known = [self.gradients[node] for node in variable]
        else:
            known = [node.grad for node in variable if self.root.grad or node.grad]
        return f"grad {between(known)}" if known else "grad –"


def local_gradients_of(order: Iterable[Value]) -> dict[Value, Sequence[float]]:
    """Return the local gradients of nodes; those of a node by hand that has no closure yet are left out."""
    return {
        node: node.local_gradients()
        for node in order
        if not isinstance(node._local, OwnClosure) or node._local.function
    }


def largest(run: BackwardPass) -> dict[Value, int]:
    """Return the path from the root that always goes to the parent with the largest |gradient|.

    The result gives, for each node on the path, the position of the next parent (of equals, the first), and
    -1 for the last node.
    """
    path, node = {}, run.root
    while candidates := [i for i, parent in enumerate(node.parents) if not parent.constant]:
        path[node] = max(candidates, key=lambda i: abs(run.gradients[node.parents[i]]))
        node = node.parents[path[node]]
    path[node] = -1
    return path


def between(numbers: Sequence[float]) -> str:
    """Return the bounds of numbers as text: one number if they are equal, "nan" if one is a NaN.

    >>> between([3.0, -1.5, 2.0]), between([2.0, 2.0])
    ('-1.5 … 3', '2')
    """
    if any(map(math.isnan, numbers)):
        return "nan"
    low, high = four_digits(min(numbers)), four_digits(max(numbers))
    return low if low == high else f"{low} … {high}"


def around(sign: str) -> Mapping[str, str]:
    """Return the attributes of the node of an operation: a circle, or a rounded box for a longer sign."""
    if len(sign) <= 2:
        return CIRCLE
    return {**CIRCLE, "shape": "box", "style": "rounded,filled", "height": "0.3", "fixedsize": "true",
            "width": f"{(12 + measure(sign)) / 72:.2f}"}  # fmt: skip


def table(rows: Iterable[str], look: str, marked: bool) -> str:
    """Return an HTML-like label: rows of cells, in the colours of ``look``."""
    edge, ground = COLOURS[look]
    border = f'BORDER="{3 if marked else 1}" CELLBORDER="0" COLOR="{VERMILION if marked else edge}"'
    body = "".join(f"<TR>{row}</TR>" for row in rows)
    return f'<<TABLE {border} CELLSPACING="0" CELLPADDING="2" BGCOLOR="{ground}">{body}</TABLE>>'
