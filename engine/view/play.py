"""Step through a graph on a page or in a notebook: forward node by node, backward edge by edge."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from engine.core.backward import topological_order
from engine.core.files import write_whole
from engine.core.messages import brief
from engine.core.value import Value
from engine.view.backward_pass import BackwardPass, as_pass
from engine.view.clusters import fold
from engine.view.draw import Picture
from engine.view.explain import made, passed_on
from engine.view.graphviz import data_uri
from engine.view.kinds import Kinds
from engine.view.phrases import Plain, count, four_digits, names

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = 2000  # steps of a player at most: with more, a page would become slow
WIDTH = 92  # points: wide enough for any number that a box shows during the steps
KINDS = {"input": "an input", "parameter": "a parameter", "leaf": "a leaf", "number": "a plain number"}

Story = dict[str, Any]  # JSON


def play(root: Value | BackwardPass, *, title: str = "", inputs: Iterable[Value] | None = None) -> Player:
    """Show the computation of ``root`` step by step: forward node by node, then backward edge by edge.

    Each backward step highlights an edge, explains it as `explain` does, and adds the contribution to the
    parent's gradient. The gradients start at 0, and end as those of ``root.backward()``; no ``.grad`` of the
    graph is read or written.

    To move, use the slider, the buttons, or the keys ← → Home End; the space bar plays and pauses. Point at a
    node, or focus it, to see its formula; click it to follow its paths to the root.

    Args:
        root: the root of the graph; or a BackwardPass from it.
        title: a heading.
        inputs: leaves that are inputs; the other leaves are then parameters. See `draw_dot`.

    Returns:
        A Player. Jupyter shows it (as a still picture if scripts are not allowed), and
        ``save("backprop.html")`` writes it as a page that needs no network.

    Raises:
        TypeError: ``root`` is not a Value, ``title`` is not a str, or ``inputs`` is not a list of Values.
        ValueError: the graph has more than 2,000 steps. There is one step for each computed node, one for the
            start of the backward pass, and one for each edge.
        ImportError: the package graphviz is missing.
        RuntimeError: the program dot is missing.

    >>> x = Value(3.0, label="x")
    >>> play(x * x)
    Player(4 steps)
    """
    if not isinstance(title, str):
        raise TypeError(f"a title is a str, not {type(title).__name__}: {brief(title)}")
    kinds = Kinds(inputs)
    order = root.order if isinstance(root, BackwardPass) else topological_order(root)
    edges = sum(not parent.constant for node in order for parent in node.parents)
    steps = sum(bool(node.parents) for node in order) + 1 + edges
    if steps > LIMIT:
        raise ValueError(
            f"this graph has {steps:,} steps, and a player shows at most {LIMIT:,}: play a smaller part of "
            "the graph, such as the loss of one sample or one neuron; any Value in it can be played"
        )
    run = as_pass(root)
    called = names(order)
    boxes = fold(order, "none", 2, kinds=kinds)
    picture = Picture(run.root, boxes, kinds, labels=called, gradients=run.gradients, width=WIDTH)
    svg = slim(picture.draw("LR").pipe("svg", encoding="utf-8"))
    ids = {node: picture.name[picture.home[node]] for node in order}
    return Player(title, svg, _story(run, Plain(called, run.local_gradients), ids, kinds))


def _story(run: BackwardPass, pen: Plain, ids: dict[Value, str], kinds: Kinds) -> Story:
    """Return the data of the page: the nodes, and the text and the changes of each step."""
    place = {node: i for i, node in enumerate(run.order)}
    leaves = sum(not node.parents for node in run.order)
    have = f"The {leaves} leaves have their numbers." if leaves > 1 else "The leaf has its number."
    end, start = pen.name(run.root), f"{pen.d(run.root, run.root)} = 1"
    return {
        "start": f"{have} Nothing is computed yet.",
        "turn": f"{end} is computed. The backward pass starts at {end}, with {start}.",
        "nodes": [_about(pen, node, ids[node], place, kinds(node)) for node in run.order],
        "forward": [[place[node]] for node in run.order if node.parents],
        "backward": [
            [place[step.edge.node], place[step.edge.parent], step.edge.position,
             four_digits(step.edge.total), repr(step.edge.total), passed_on(pen, step)]
            for step in run.steps
        ],
    }  # fmt: skip


def _about(pen: Plain, node: Value, name: str, place: dict[Value, int], kind: str) -> Story:
    """Return the data of one node of the page."""
    data = four_digits(node.data)
    return {
        "id": name,
        "name": pen.name(node),
        "kind": "constant" if kind == "input" and node.constant else kind,
        "data": data,
        "parents": [place[parent] for parent in node.parents],
        "locals": [four_digits(local) for local in pen.local_gradients[node]],
        "about": made(pen, node) if node.op else f"{pen.name(node)} = {data}, {KINDS[kind]}",
    }


class Player:
    """A graph to step through: Jupyter shows it, and `save` writes it as a page.

    Attributes:
        title: the heading.
        svg: the picture, with all gradients.
        story: the data of the page, as plain lists and dicts.
    """

    def __init__(self, title: str, svg: str, story: Story) -> None:
        self.title, self.svg, self.story = title.encode("utf-8", "replace").decode(), svg, story

    def __repr__(self) -> str:
        steps = len(self.story["forward"]) + 1 + len(self.story["backward"])
        return f"Player({f'{self.title!r}, ' if self.title else ''}{count(steps, 'step')})"

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write a page that needs no other file, and return its path; page.html#12 opens it at step 12.

        Raises:
            TypeError: ``path`` is not a path.
            OSError: the page cannot be written; an existing file stays as it was.
        """
        from html import escape  # these here, as they are slow to import and only a page needs them
        from string import Template

        title = escape(self.title or "Backpropagation, step by step")
        page = Template(resource("page.html")).substitute(title=title, player=self.html(page=True))
        return write_whole(path, page)

    def html(self, page: bool = False) -> str:
        """Return the player as a piece of HTML: a still picture, and the script that replaces it."""
        import hashlib
        import json
        from html import escape

        story = {**self.story, "title": self.title, "page": page}
        key = hashlib.sha256(json.dumps(story).encode() + self.svg.encode()).hexdigest()[:12]
        return (
            f'<div class="chalkgrad" data-story="{key}"><style>{resource("player.css")}</style>'
            f'<img alt="{escape(self.title or "the graph")}" src="{data_uri(self.svg)}"></div>\n'
            f"<script>({resource('player.js')})({script({**story, 'key': key})})</script>"
        )

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, str]:
        bundle = {"text/plain": repr(self), "text/html": self.html(), "image/svg+xml": self.svg}
        return {
            kind: data for kind, data in bundle.items()
            if (include is None or kind in include) and kind not in (exclude or ())
        }  # fmt: skip


def script(data: object) -> str:
    """Return data as JavaScript in which no text can end the script element around it."""
    import json

    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for c in "<>&\u2028\u2029":
        text = text.replace(c, f"\\u{ord(c):04x}")
    return text.encode("utf-8", "replace").decode()  # half a surrogate pair becomes "?"


def slim(svg: str) -> str:
    """Return the SVG of `dot` without repeated attributes, and with numbers to a tenth of a point."""
    svg = re.sub(r"<!--.*?-->\n", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r"(class=\"edge\">)\n<title>.*?</title>", r"\1", svg)
    repeated = r' (font-family="[^"]*"|font-size="12.00"|xml:space="preserve"|text-anchor="start")'
    svg = re.sub(repeated, "", svg)
    svg = re.sub(r' (d|points|c?[xy])="[^"]*"', lambda numbers: re.sub(r"(\.\d)\d+", r"\1", numbers[0]), svg)
    return svg.replace("<svg ", '<svg font-family="Helvetica,Arial,sans-serif" font-size="12" ', 1)


def resource(name: str) -> str:
    """Return a file of the page without its indentation and comments, which makes the page smaller."""
    import importlib.resources  # here, as it is slow to import

    text = (importlib.resources.files("engine.view") / "page" / name).read_text(encoding="utf-8")
    lines = (re.sub(r"\s+// .*", "", line).strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith(("// ", "/* ")))
