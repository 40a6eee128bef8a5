"""Compute without recording."""

from __future__ import annotations

from _thread import get_ident  # what threading calls get_ident, without the rest of threading
from collections.abc import Iterator
from contextlib import contextmanager

#: For each thread in which nothing is recorded, how many `no_grad` blocks it is in.
paused: dict[int, int] = {}


@contextmanager
def no_grad() -> Iterator[None]:
    """Within it, or in a function decorated with it, this thread computes Values but records nothing.

    >>> from engine import Value
    >>> x = Value(2.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.data, y.parents
    (4.0, ())
    """
    me = get_ident()
    paused[me] = paused.get(me, 0) + 1
    try:
        yield
    finally:
        paused[me] -= 1
        if not paused[me]:
            del paused[me]


def recording() -> bool:
    """Whether this thread records."""
    return get_ident() not in paused
