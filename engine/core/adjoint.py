"""Nodes as the chain rule uses them, and stand-ins for Values, so that a pass leaves these unchanged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, Self, TypeVar


class Node(Protocol):
    """The attributes that the chain rule uses; Value and AdjointNode have them."""

    _grad: Any
    _local: Any

    @property
    def constant(self) -> bool: ...

    @property
    def parents(self) -> Sequence[Self]: ...


N = TypeVar("N", bound=Node)


class AdjointNode:
    """A node for a pass that leaves the Values unchanged: parents, local gradients, and its own gradient."""

    __slots__ = ("_grad", "_local", "parents")
    constant = False

    def __init__(self, parents: Sequence[Any], local: Any, grad: Any) -> None:
        self.parents, self._local, self._grad = parents, local, grad
