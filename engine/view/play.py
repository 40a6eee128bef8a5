"""A graph to be stepped through: forward node by node, backward edge by edge, in a page or in a notebook."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from engine.core.backward import topological_order
from engine.core.value import Value
from engine.view.clusters import fold
from engine.view.draw import Picture
from engine.view.explain import Told, made, passed_on, rehearsal
from engine.view.graphviz import shown
from engine.view.labels import kind
from engine.view.phrases import Plain, names

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = 2000  # steps of a player: more than anyone watches, and as many as a page shows without delay
ROOM = 92  # points, for the numbers of a box: they are not known yet
KINDS = {"input": "an input", "parameter": "a parameter", "number": "a plain number"}


def play(root: Value, *, title: str = "") -> Player:
    """Step through the graph of ``root``: forward, as the numbers come in, then backward, edge by edge.

    Each backward step lights the edge, tells what `explain` says of it, and adds the contribution to the
    parent's gradient. The gradients begin at zero, and end as those of ``root.backward()``; they are the
    player's own, the graph keeps those that it has.

    In the player: the slider, the buttons, or the keys ← → Home End; space plays and pauses. To hover over a
    node, or to focus it, shows its formula; to choose it follows its paths to the root.

    Args:
        root: the end of the graph.
        title: a heading.

    Returns:
        A Player: it shows itself in Jupyter (where no script may run, as a still picture), and
        ``save("backprop.html")`` writes it as a page that needs no network.

    Raises:
        TypeError: ``root`` is not a Value, or ``title`` not a str.
        ValueError: the graph has more than 2,000 steps, a step being a node or an edge.
        RuntimeError: there is no program dot, see `draw_dot`.

    >>> x = Value(3.0, label="x")
    >>> play(x * x)
    Player(4 steps)
    """
    if not isinstance(title, str):
        raise TypeError(f"a title is a str, not {type(title).__name__}: {title!r:.60}")
    order = topological_order(root)
    edges = sum(not parent.constant for node in order for parent in node.parents)
    count = sum(bool(node.parents) for node in order) + 1 + edges
    if count > LIMIT:
        raise ValueError(
            f"to play this graph takes {count:,} steps, and a player has at most {LIMIT:,}: play a smaller "
            "part of it, such as the loss of one sample, or one neuron: any Value in it can be played"
        )
    called = names(order)
    twin, steps = rehearsal(root)
    every = list(steps)  # now the twin has its gradients, and can be drawn with them
    own = dict(zip(order, topological_order(twin), strict=True))
    labels = {double: called[node] for node, double in own.items()}
    picture = Picture(twin, fold(twin, "none", 2), {}, labels=labels, room=ROOM)
    svg = slim(picture.dot("LR").pipe("svg", encoding="utf-8"))
    ids = {node: picture.name[picture.home[double]] for node, double in own.items()}
    return Player(title, svg, story(root, Plain(called), ids, every))


def story(root: Value, pen: Plain, ids: dict[Value, str], every: list[Told]) -> dict[str, Any]:
    """All that the page tells: its nodes, and of each step what it says and what it changes."""
    order = list(ids)
    place = {node: i for i, node in enumerate(order)}
    leaves, computed = ([node for node in order if bool(node.parents) is has] for has in (False, True))
    end = pen.name(root)
    return {
        "start": f"The {len(leaves)} leaves have their numbers. Nothing is computed yet.",
        "turn": f"{end} is computed. The backward pass begins: {pen.d(root, root)} = 1.",
        "nodes": [about(pen, node, ids[node], place) for node in order],
        "forward": [[place[node]] for node in computed],
        "backward": [
            [place[step.node], place[step.parent], step.position, shown(step.total), repr(step.total),
             passed_on(pen, Told(step, before))]
            for step, before in every
        ],
    }  # fmt: skip


def about(pen: Plain, node: Value, name: str, place: dict[Value, int]) -> dict[str, Any]:
    """One node for the page."""
    what = kind(node)
    return {
        "id": name,
        "name": pen.name(node),
        "kind": "constant" if what == "input" and node.constant else what,
        "data": shown(node.data),
        "parents": [place[parent] for parent in node.parents],
        "locals": [shown(slope) for slope in node.local_gradients()],
        "about": made(pen, node) if node.op else f"{pen.name(node)} = {shown(node.data)}, {KINDS[what]}",
    }


class Player:
    """A graph to be stepped through: it shows itself in Jupyter, and `save` writes it as a page.

    Attributes:
        title: its heading.
        svg: the picture, with all gradients.
        story: what the page tells, as plain lists and dicts.
    """

    def __init__(self, title: str, svg: str, story: dict[str, Any]) -> None:
        self.title, self.svg, self.story = title.encode("utf-8", "replace").decode(), svg, story

    def __repr__(self) -> str:
        steps = len(self.story["forward"]) + 1 + len(self.story["backward"])
        return f"Player({f'{self.title!r}, ' if self.title else ''}{steps} steps)"

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write a page that needs nothing else, whole or not at all; page.html#12 opens it at step 12.

        Raises:
            OSError: the page cannot be written there.
        """
        from html import escape  # these here, as they are slow to import and only a page needs them
        from pathlib import Path
        from string import Template

        title = escape(self.title or "Backpropagation, step by step")
        page = Template(resource("page.html")).substitute(title=title, player=self.html(page=True))
        return write(Path(path), page)

    def html(self, page: bool = False) -> str:
        """The player as a piece of HTML: a still picture, and the script that brings it to life."""
        import hashlib
        import json
        from html import escape

        told = {**self.story, "title": self.title, "page": page}
        key = hashlib.sha256(json.dumps(told).encode() + self.svg.encode()).hexdigest()[:12]
        return (
            f'<div class="chalkgrad" data-story="{key}"><style>{resource("player.css")}</style>'
            f'<img alt="{escape(self.title or "the graph")}" src="{data_uri(self.svg)}"></div>\n'
            f"<script>({resource('player.js')})({script({**told, 'key': key})})</script>"
        )

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, str]:
        bundle = {"text/plain": repr(self), "text/html": self.html(), "image/svg+xml": self.svg}
        return {
            kind: data for kind, data in bundle.items()
            if (include is None or kind in include) and kind not in (exclude or ())
        }  # fmt: skip


def script(data: Any) -> str:
    """Data as JavaScript that is safe inside a script element: no text in it can end the element."""
    import json

    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for c in "<>&\u2028\u2029":
        text = text.replace(c, f"\\u{ord(c):04x}")
    return text.encode("utf-8", "replace").decode()  # half a character is none


def slim(svg: str) -> str:
    """The SVG of `dot`, without what it says again and again, and to a tenth of a point."""
    svg = re.sub(r"<!--.*?-->\n", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r"(class=\"edge\">)\n<title>.*?</title>", r"\1", svg)
    said = r' (font-family="[^"]*"|font-size="12.00"|xml:space="preserve"|text-anchor="start")'
    svg = re.sub(said, "", svg)
    svg = re.sub(r' (d|points|c?[xy])="[^"]*"', lambda numbers: re.sub(r"(\.\d)\d+", r"\1", numbers[0]), svg)
    return svg.replace("<svg ", '<svg font-family="Helvetica,Arial,sans-serif" font-size="12" ', 1)


def data_uri(svg: str) -> str:
    """The picture as an address, ready to stand in double quotes: nothing is escaped that need not be."""
    one_line = svg.replace("\n", "").replace('"', "'")
    for c, instead in ("%", "%25"), ("#", "%23"), ("&", "&amp;"):
        one_line = one_line.replace(c, instead)
    return f"data:image/svg+xml;charset=utf-8,{one_line}"


def resource(name: str) -> str:
    """A file of the page, without its indentation and its comments."""
    import importlib.resources  # here, as it is slow to import

    text = (importlib.resources.files("engine.view") / "page" / name).read_text(encoding="utf-8")
    lines = (re.sub(r"\s+// .*", "", line).strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith(("// ", "/* ")))


def write(path: Path, text: str) -> Path:
    """Write a file whole or not at all: what is there stays until the new one is complete."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8", newline="\n")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path
