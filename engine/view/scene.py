"""The picture of a player: a box for each value, an edge for each use, drawn as SVG at any step."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from math import hypot, inf

from engine.core.value import Value
from engine.view.backward_pass import BackwardPass
from engine.view.graphviz import graphviz, measure
from engine.view.kinds import Kinds, Place, neuron_of, sign_of
from engine.view.phrases import four_digits

Point = tuple[float, float]
Edge = tuple[int, int]  # the index of a node, and the position of a parent

INK, GREY, NOW, DONE = "#1a1a1a", "#6a6a6a", "#c24e00", "#0072b2"
#: The border and the ground of each kind of box, after the colours of Okabe and Ito.
COLOURS = {
    "input": ("#2f8fc4", "#e3f3fc"),
    "parameter": ("#b87900", "#fdf1d8"),
    "leaf": ("#6a6a6a", "#ffffff"),
    "computed": ("#6a6a6a", "#f6f6f6"),
    "root": ("#00805d", "#ddf3ec"),
}
LINE, TOP, MARGIN = 17, 18, 10  # pixels: a line of text, the first baseline, around the picture
NARROW, GAP = 104, 112  # pixels: the width of a box at least, and between two columns
HIDDEN = ' display="none"'
LONGEST = 24  # characters of a name in a box


@dataclass
class Box:
    """A node as it is drawn: its texts, its parents, and its place. It holds no Value."""

    name: str
    kind: str  #: "root", or the kind of the node
    word: str  #: "input" or "parameter", as text, or nothing
    data: float
    constant: bool
    sign: str  #: the sign of its operation; nothing for a leaf
    rows: list[str]  #: data, grad, and Δ if the node is the pre-activation of a neuron
    parents: list[int]
    neuron: Place | None = None  #: the neuron whose pre-activation it is
    width: float = 0.0
    height: float = 0.0
    x: float = 0.0
    y: float = 0.0

    def __post_init__(self) -> None:
        if self.kind == "number":
            self.width, self.height = max(28, _width(four_digits(self.data)) + 14), 26
            return
        head = 1.06 * _width(_cut(self.name)) + 20 + (0.8 * _width(self.word) + 8 if self.word else 0)
        self.width = max(NARROW, head) + self.sign_width
        self.height = 13 + LINE * (1 + len(self.rows))

    @property
    def sign_width(self) -> float:
        """The width of the sign, which is at the left of the box."""
        return max(26, _width(self.sign) + 14) if self.sign else 0


@dataclass
class State:
    """The part of a picture that changes. Nodes are indices."""

    known: Collection[int]  #: the nodes whose numbers are known
    gradients: Mapping[int, float]
    done: Collection[Edge] = ()  #: the edges that the backward pass has passed
    now: Collection[int] = ()  #: the nodes of this step
    edge: Edge | None = None  #: the edge of this step
    term: Sequence[str] = ()  #: the lines of text on it
    caption: str = ""


class Scene:
    """A graph whose boxes have places. `svg` draws it.

    Args:
        run: the backward pass.
        names: the names of the nodes.
        kinds: gives the kind of each node.
    """

    def __init__(self, run: BackwardPass, names: Mapping[Value, str], kinds: Kinds) -> None:
        place = {node: i for i, node in enumerate(run.order)}
        finite = [abs(x) for x in run.gradients.values() if abs(x) < inf]
        self.largest = max(finite, default=0.0) or 1.0  # the gradient whose bar is full
        self.boxes = [
            Box(
                name=names[node],
                kind="root" if node is run.root else kinds(node),
                word=kinds(node) if kinds(node) in ("input", "parameter") else "",
                data=node.data,
                constant=node.constant,
                sign=_cut(sign_of(node)) if node.op else "",
                rows=_rows(node),
                parents=[place[parent] for parent in node.parents],
                neuron=neuron_of(node, "z") if node.parents else None,
            )
            for node in run.order
        ]
        self.size: Point = (0.0, 0.0)
        self.curves = self._place()

    def _place(self) -> dict[Edge, list[Point]]:
        """Let `dot` place the boxes; return the curve of each edge, from the parent to the node."""
        graphviz()  # raises if the package is missing
        from engine.view.drawing import Drawing

        drawing = Drawing(
            graph_attr={"rankdir": "LR", "ordering": "in", "ranksep": f"{GAP / 72:.3f}", "nodesep": "0.25"},
            node_attr={"shape": "box", "fixedsize": "true", "label": ""},
            edge_attr={"dir": "none", "tailport": "e", "headport": "w"},
        )
        for i, box in enumerate(self.boxes):
            drawing.node(str(i), width=f"{box.width / 72:.4f}", height=f"{box.height / 72:.4f}")
            for parent in box.parents:
                drawing.edge(str(parent), str(i))
        for column in self._columns():
            with drawing.subgraph(graph_attr={"rank": "same"}) as same:
                for one, other in pairwise(column):
                    same.edge(str(one), str(other), style="invis")
        lines = [line.split() for line in drawing.pipe("plain", encoding="utf-8").splitlines()]
        width, height = (72 * float(word) for word in lines[0][2:4])
        self.size = (width + 2 * MARGIN, height + 2 * MARGIN)
        found: dict[Edge, list[list[Point]]] = {}
        for kind, *words in lines[1:]:
            if kind == "node":
                box = self.boxes[int(words[0])]
                x, y = (72 * float(word) for word in words[1:3])
                box.x, box.y = x - box.width / 2 + MARGIN, height - y - box.height / 2 + MARGIN
            elif kind == "edge":
                numbers = [72 * float(word) for word in words[3 : 3 + 2 * int(words[2])]]
                points = zip(numbers[::2], numbers[1::2], strict=True)
                curve = [(x + MARGIN, height - y + MARGIN) for x, y in points]
                found.setdefault((int(words[0]), int(words[1])), []).append(curve)
        return {
            (i, position): found[parent, i].pop(0)
            for i, box in enumerate(self.boxes)
            for position, parent in enumerate(box.parents)
        }

    def _columns(self) -> list[list[int]]:
        """Return the pre-activations of each layer: sample by sample, in the order of the neurons."""
        depth: list[int] = []
        seen: Counter[Place] = Counter()
        columns: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
        for i, box in enumerate(self.boxes):
            depth.append(1 + max((depth[parent] for parent in box.parents), default=-1))
            layer, neuron = box.neuron or (None, None)
            if layer is not None and neuron is not None:
                seen[layer, neuron] += 1
                columns.setdefault((layer, depth[i]), []).append((seen[layer, neuron], neuron, i))
        return [[i for *_, i in sorted(column)] for column in columns.values()]

    def svg(self, state: State) -> str:
        """Return the picture at a step."""
        top = 26 if state.caption else 0
        width, height = self.size[0], self.size[1] + top
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
            f'viewBox="0 {-top} {width:.0f} {height:.0f}" font-family="Helvetica,Arial,sans-serif" '
            f'font-size="13" fill="{INK}">'
        ]
        if state.caption:
            wide = min(width, _width(state.caption) + 20)
            parts.append(f'<rect x="4" y="{2 - top}" width="{wide:.0f}" height="22" rx="4" fill="#ffffff"/>')
            parts.append(f'<text x="12" y="{18 - top}" font-weight="bold">{_text(state.caption)}</text>')
        parts += [self._edge(edge, state) for edge in self.curves]
        parts += [self._node(i, state) for i in range(len(self.boxes))]
        if state.edge:
            parts.append(self._term(state.edge, state.term))
        return "\n".join([*parts, "</svg>"])

    def _edge(self, edge: Edge, state: State) -> str:
        points = self.curves[edge]
        now, done = edge == state.edge, edge in state.done
        colour, width = (NOW, 3.5) if now else (DONE, 2) if done else (GREY, 1.2)
        start, *others = [f"{x:.1f},{y:.1f}" for x, y in points]
        heads = {
            "forward": (_arrow(points[-2], points[-1]), not (now or done)),
            "backward": (_arrow(points[1], points[0]), now or done),
        }
        arrows = "".join(
            f'<polygon class="{name}" points="{corners}"{"" if shown else HIDDEN}/>'
            for name, (corners, shown) in heads.items()
        )
        return (
            f'<g class="edge" fill="{colour}" stroke="{colour}" stroke-width="{width}">'
            f'<path fill="none" d="M{start}C{" ".join(others)}"/>{arrows}</g>'
        )

    def _node(self, i: int, state: State) -> str:
        box = self.boxes[i]
        group = f'<g class="node {box.kind}" transform="translate({box.x:.1f},{box.y:.1f})">'
        if box.kind == "number":
            frame = (
                f'<rect class="box" width="{box.width:.0f}" height="26" rx="4" fill="#fff" stroke="{GREY}"/>'
            )
            x = f"{box.width / 2:.0f}"
            return (
                f'{group}{frame}<text x="{x}" y="18" text-anchor="middle">{four_digits(box.data)}</text></g>'
            )
        left, wide = box.sign_width, box.width - box.sign_width
        border, ground = COLOURS[box.kind]
        name = _text(_cut(box.name))
        look = f'stroke="{NOW}" stroke-width="3"' if i in state.now else f'stroke="{border}"'
        look += "" if i in state.known else ' stroke-dasharray="4 3"'
        parts = [
            f'<rect class="box" x="{left:.0f}" width="{wide:.0f}" height="{box.height}" '
            f'rx="{12 if box.word == "input" else 3}" fill="{ground}" {look}/>',
            f'<text class="name" x="{left + 8:.0f}" y="{TOP}" font-weight="bold">{name}</text>',
        ]
        if box.word:
            end = f'x="{box.width - 7:.0f}" y="{TOP}" text-anchor="end"'
            parts.append(f'<text class="kind" {end} font-size="11" fill="#4d4d4d">{box.word}</text>')
        gradient = state.gradients.get(i)
        shown = {
            "data": four_digits(box.data) if i in state.known else "–",
            "grad": "–" if gradient is None else four_digits(gradient),
            "Δ": "–" if gradient is None else four_digits(-gradient),
        }
        for line, row in enumerate(box.rows, 1):
            at = f'x="{left + 8:.0f}" y="{TOP + LINE * line}"'
            parts.append(f'<text class="row" {at}>{row} {shown[row]}</text>')
        if not box.constant:
            size = abs(gradient or 0.0) / self.largest
            length = wide * min(size, 1.0) if size == size else 0.0
            at = f'x="{left:.0f}" y="{box.height - 5}"'
            parts.append(f'<rect class="size" {at} width="{length:.0f}" height="5" fill="{DONE}"/>')
        if box.sign:
            y = box.height / 2
            parts.append(
                f'<rect class="sign" y="{y - 13}" width="{left:.0f}" height="26" rx="13" fill="#e4e4e4" '
                f'stroke="{GREY}"/><text x="{left / 2:.0f}" y="{y + 4.5}" text-anchor="middle">'
                f"{_text(box.sign)}</text>"
            )
        return "".join([group, *parts, "</g>"])

    def _term(self, edge: Edge, lines: Sequence[str]) -> str:
        """Draw the text on an edge, at its middle."""
        (x, y), width = _middle(self.curves[edge]), max(map(_width, lines)) + 14
        height = 6 + LINE * len(lines)
        frame = (
            f'<rect x="{-width / 2:.1f}" y="{-height / 2}" width="{width:.1f}" height="{height}" rx="4" '
            f'fill="#ffffff" stroke="{NOW}" stroke-width="2"/>'
        )
        texts = [
            f'<text y="{LINE * i - height / 2 + 16}">{_text(line)}</text>' for i, line in enumerate(lines)
        ]
        group = f'<g class="term" transform="translate({x:.1f},{y:.1f})" text-anchor="middle">'
        return "".join([group, frame, *texts, "</g>"])


def _rows(node: Value) -> list[str]:
    is_z = bool(node.parents) and neuron_of(node, "z") is not None
    return ["data", *["grad"] * (not node.constant), *["Δ"] * is_z]


def _arrow(before: Point, tip: Point) -> str:
    """Return the points of an arrowhead that ends at ``tip``."""
    x, y = tip[0] - before[0], tip[1] - before[1]
    length = hypot(x, y) or 1.0
    x, y = 8 * x / length, 8 * y / length
    corners = [
        tip,
        (tip[0] - x - y / 2.2, tip[1] - y + x / 2.2),
        (tip[0] - x + y / 2.2, tip[1] - y - x / 2.2),
    ]
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in corners)


def _middle(points: Sequence[Point]) -> Point:
    """Return the point in the middle of a chain of Bézier curves."""
    pieces = (len(points) - 1) // 3
    if pieces % 2 == 0:
        return points[3 * (pieces // 2)]
    (a, b), (c, d), (e, f), (g, h) = points[3 * (pieces // 2) : 3 * (pieces // 2) + 4]
    return (a + 3 * c + 3 * e + g) / 8, (b + 3 * d + 3 * f + h) / 8


def _width(text: str) -> float:
    """Return about how many pixels a text is wide, in a font of 13 pixels."""
    return measure(text) * 13 / 12


def _cut(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def _text(anything: str) -> str:
    """Return a text for XML; what XML cannot contain is replaced."""
    return "".join(
        "\ufffd" if unicodedata.category(c) in ("Cc", "Cs") or c in "\ufffe\uffff" else c
        for c in escape(anything)
    )
