"""Free a deep graph where Python's stack is too small for it: in a browser.

When a node is freed, so is each parent that nobody else holds, then that parent's parents, and so on. CPython
compiled to WebAssembly does this by calls within calls, and ends at about 2,600 nodes.
"""

from __future__ import annotations

from typing import Protocol


class Node(Protocol):
    """The attributes of a node that hold other objects."""

    parents: tuple[object, ...]
    _local: tuple[object, ...]


_pending: list[object] = []  # what freed nodes held
_emptying = False


def release(self: Node) -> None:
    """Drop what a node holds, as its ``__del__``: in a loop, at a constant depth of calls.

    A node that is freed in that loop only adds to the list, so the loop goes on with its parents.
    """
    global _emptying
    _pending.append((getattr(self, "parents", ()), getattr(self, "_local", ())))
    self.parents = self._local = ()
    if _emptying:
        return
    _emptying = True
    try:
        while _pending:
            _pending.pop()
    finally:
        _emptying = False


def release_in_a_loop(*classes: type[object]) -> None:
    """Let the nodes of these classes be freed by `release`."""
    for nodes in classes:
        setattr(nodes, "__del__", release)  # noqa: B010  (mypy refuses an assignment to a method)
