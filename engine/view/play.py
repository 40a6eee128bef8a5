"""Step through a graph on a page or in a notebook: forward node by node, backward edge by edge."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from pathlib import Path

from engine.core.backward import topological_order
from engine.core.files import write_whole
from engine.core.messages import brief
from engine.core.value import Value
from engine.view.backward_pass import BackwardPass, as_pass
from engine.view.graphviz import data_uri
from engine.view.kinds import Kinds
from engine.view.phrases import count, four_digits, names
from engine.view.scene import Scene, State
from engine.view.steps import Story, story

LIMIT = 2000  # steps of a player at most: with more, a page would become slow


def play(
    root: Value | BackwardPass, *, title: str = "", inputs: Iterable[Value] | None = None, start: int = 0
) -> Player:
    """Show the computation of ``root`` step by step: forward node by node, then backward edge by edge.

    In a backward step the contribution, upstream × local gradient, moves along an edge against the arrow, and
    is added to the parent's gradient. In a neuron from nn, Δ_k, g'(in_k) and Σ w Δ are named. The gradients
    start at 0, and end as those of ``root.backward()``; no ``.grad`` of the graph is read or written.

    On the page:
        - The buttons, the slider, or the keys ← → Home End move; the space bar plays and pauses.
        - "Predict first" hides each new number until you have typed it, or asked for it.
        - Click a node, or move to it with ↑ ↓ and press Enter, to follow its paths to the root. A leaf can be
          given another number there, and everything is computed again. The graph itself stays as it was: what
          Python decided while it was built is not decided again.

    Args:
        root: the root of the graph; or a BackwardPass from it.
        title: a heading.
        inputs: leaves that are inputs; the other leaves are then parameters. See `draw_dot`.
        start: the step at which it opens; 0 is before the first one.

    Returns:
        A Player. Jupyter shows it (as a still picture if scripts are not allowed),
        ``save("backprop.html")`` writes it as a page that needs no network, and ``frames("slides")`` writes a
        picture for each step.

    Raises:
        TypeError: ``root`` is not a Value, ``title`` is not a str, or ``inputs`` is not a list of Values.
        ValueError: there is no step ``start``, or the graph has more than 2,000 steps. There is one step for
            each computed node, one for the start of the backward pass, and one for each edge.
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
    if isinstance(start, bool) or start not in range(steps + 1):
        raise ValueError(f"a player of this graph starts at a step from 0 to {steps}, not at {brief(start)}")
    run, called = as_pass(root), names(order)
    data, code = story(run, called, kinds)
    return Player(title, Scene(run, called, kinds), Steps(run), {**data, "start": start}, code)


class Steps:
    """The steps of a player, as plain numbers; nodes are indices. `state` returns the picture of a step."""

    def __init__(self, run: BackwardPass) -> None:
        place = {node: i for i, node in enumerate(run.order)}
        self.computed = [i for node, i in place.items() if node.parents]
        self.leaves = [i for node, i in place.items() if not node.parents]
        self.root = len(place) - 1
        self.passed = [
            (place[edge.node], place[edge.parent], edge.position, edge.upstream,
             run.local_gradients[edge.node][edge.position], edge.contribution, edge.total)
            for edge, _, _ in run.steps
        ]  # fmt: skip

    def __len__(self) -> int:
        return len(self.computed) + 1 + len(self.passed)

    def state(self, step: int) -> State:
        """Return the picture after so many steps; after 0, nothing is computed."""
        forward, backward = len(self.computed), step - len(self.computed) - 1
        known = {*self.leaves, *self.computed[:step]}
        if step == 0:
            return State(known, {}, caption="Before: nothing is computed yet")
        if step <= forward:
            now = [self.computed[step - 1]]
            return State(known, {}, now=now, caption=f"Forward, step {step} of {forward}")
        passed = self.passed[:backward]
        gradients = {self.root: 1.0} | {parent: total for _, parent, *_, total in passed}
        if not passed:
            return State(known, gradients, now=[self.root], caption="The backward pass starts with 1")
        node, parent, position, upstream, local, contribution, _ = passed[-1]
        return State(
            known,
            gradients,
            done={(node, position) for node, _, position, *_ in passed},
            now=[node, parent],
            edge=(node, position),
            term=[f"{four_digits(upstream)} × {factor(local)}", f"= {four_digits(contribution)}"],
            caption=f"Backward, step {backward} of {len(self.passed)}: upstream × local = contribution",
        )


def factor(x: float) -> str:
    """Return a number as the second factor of a product.

    >>> factor(2.0), factor(-2.0)
    ('2', '(-2)')
    """
    text = four_digits(x)
    return f"({text})" if text.startswith("-") else text


class Player:
    """A graph to step through: Jupyter shows it, `save` writes it as a page, `frames` as pictures.

    Attributes:
        title: the heading.
        svg: the picture, with all gradients.
        story: the data of the page, as plain lists and dicts.
    """

    def __init__(self, title: str, scene: Scene, steps: Steps, story: Story, code: str) -> None:
        self.title, self.story = title.encode("utf-8", "replace").decode(), story
        self._scene, self._steps, self._code = scene, steps, code
        last = steps.state(len(steps))
        self.svg = scene.svg(State(last.known, last.gradients))

    def __repr__(self) -> str:
        steps = count(len(self._steps), "step")
        return f"Player({f'{self.title!r}, ' if self.title else ''}{steps})"

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

    def frames(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write a picture of each step, step_0000.svg and so on, for slides; return their paths.

        The first picture is that of step 0, before anything is computed. All of them have the same size.

        Args:
            folder: a folder that does not exist yet, or is empty; it then has all of the pictures, or none.

        Raises:
            TypeError: ``folder`` is not a path.
            FileExistsError: ``folder`` is a file, or is not empty.
            OSError: the pictures cannot be written.

        >>> import os, tempfile
        >>> x = Value(3.0, label="x")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     paths = play(x * x).frames(os.path.join(folder, "slides"))
        >>> len(paths), paths[-1].name
        (5, 'step_0004.svg')
        """
        import shutil

        place = Path(os.path.realpath(folder))
        if place.exists() and not (place.is_dir() and not any(place.iterdir())):
            raise FileExistsError(f"frames are written to a new or an empty folder, not to {brief(folder)}")
        part = place.with_name(f".{place.name}.{os.urandom(8).hex()}.part")
        part.mkdir()
        names = [f"step_{step:04}.svg" for step in range(len(self._steps) + 1)]
        try:
            for step, name in enumerate(names):
                (part / name).write_text(self._scene.svg(self._steps.state(step)), encoding="utf-8")
            if place.exists():
                place.rmdir()
            part.rename(place)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        return [Path(folder) / name for name in names]

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
            f"<script>({resource('player.js')})({script({**story, 'key': key})},\n"
            f"{resource('compute.js')},\n{self._code})</script>"
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


def resource(name: str) -> str:
    """Return a file of the page without its indentation and comments, which makes the page smaller."""
    import importlib.resources  # here, as it is slow to import
    import re

    text = (importlib.resources.files("engine.view") / "page" / name).read_text(encoding="utf-8")
    lines = (re.sub(r"\s+// .*", "", line).strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith(("// ", "/* ")))
