"""Show a Value in a notebook: in one line, with its graph if it is small."""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from html import escape

from engine.core.value import Value
from engine.view.draw import draw_dot
from engine.view.kinds import sign_of
from engine.view.phrases import four_digits, in_sentence, some

MOST = 12  # nodes of a graph that is drawn


def line(node: Value) -> str:
    """Return number, operation, parents and gradient of a Value in one line; "–" is no gradient yet.

    >>> x, w = Value(3.0, label="x"), Value(-2.0, label="w")
    >>> print(line(x * w))
    -6 · operation × · parents x = 3, w = -2 · grad –
    >>> print(line(x))
    x = 3 · leaf · grad –
    """
    parts = [_named(node)]
    if node.op:
        parents = ", ".join(some([_named(parent) for parent in node.parents], "…"))
        parts += [f"operation {sign_of(node)}", f"parent{'s' * (len(node.parents) > 1)} {parents}"]
    else:
        parts.append("not recorded" if not node.recorded else "plain number" if node.constant else "leaf")
    if not node.constant and node.recorded:
        parts.append(f"grad {four_digits(node.grad) if node.grad else '–'}")
    return " · ".join(parts)


def html(node: Value) -> str:
    """Return the line of a Value as HTML, with the picture of its graph if that has at most 12 nodes."""
    shown = f"<div>{escape(line(node))}</div>"
    if node.parents and _is_small(node):
        with contextlib.suppress(ImportError, RuntimeError):  # without Graphviz only the line is shown
            shown += draw_dot(node).html()
    return shown


def _named(node: Value) -> str:
    label = in_sentence(node.label)
    return f"{label} = {four_digits(node.data)}" if label else four_digits(node.data)


def _is_small(root: Value) -> bool:
    """Return whether a graph has at most 12 nodes, without a visit to the rest of a large one."""
    seen, todo = {root}, [root]
    while todo and len(seen) <= MOST:
        new = dict.fromkeys(parent for parent in todo.pop().parents if parent not in seen)
        seen.update(new)
        todo += new
    return len(seen) <= MOST


def mimebundle(
    node: Value, include: Collection[str] | None = None, exclude: Collection[str] | None = None
) -> dict[str, str]:
    """Return a Value as HTML for a notebook, unless that is not wanted; its text stays its repr."""
    kind = "text/html"
    return {kind: html(node)} if (include is None or kind in include) and kind not in (exclude or ()) else {}
