"""Replace the function that makes nodes within a block, as `no_grad` does to compute without recording.

A replacement holds in one thread and one asyncio task, as each of them has its own context (`contextvars`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

#: Takes an operation and its parents, and returns a node.
NodeFactory = Callable[..., Any]

Block = tuple[object, NodeFactory | None]

#: The blocks that are open in any context. While it is empty, the slower look-up of the context is skipped.
open_blocks: set[object] = set()
#: The blocks that are open in this context, the innermost last.
_blocks: ContextVar[tuple[Block, ...]] = ContextVar("blocks", default=())


@contextmanager
def node_factory(make: NodeFactory | None) -> Iterator[None]:
    """Make nodes by ``make`` within the block; with None, record them as usual.

    Blocks may end in any order, as those of two generators may: of the open ones, the last to begin is used.
    """
    key = object()
    open_blocks.add(key)
    _blocks.set((*_blocks.get(), (key, make)))
    try:
        yield
    finally:
        open_blocks.discard(key)
        _blocks.set(tuple(block for block in _blocks.get() if block[0] is not key))


def active_factory() -> NodeFactory | None:
    """Return the function that makes nodes in this context in place of `make_node`, or None."""
    blocks = _blocks.get()
    return blocks[-1][1] if blocks else None
