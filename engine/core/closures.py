"""A node made by hand: ``out = Value(t, (a, b), "name")``, with a function assigned to ``out._backward``.

The function adds to the gradients of the parents, as in micrograd. Before each call the parents' gradients
are set to 0; after it they are the contributions of the node's edges. So ``=`` in the function has the effect
of ``+=``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any, Protocol, TypeVar
from weakref import ref

from engine.core.messages import LONGEST, brief, one_line
from engine.core.op import Operation
from engine.formula.printers import Text
from engine.formula.tree import Interpreter

T = TypeVar("T")
P = TypeVar("P")


class OwnNode(Protocol):
    """The part of a Value that a closure needs."""

    _data: float
    _grad: float
    label: str

    @property
    def constant(self) -> bool: ...

    @property
    def _backward(self) -> Callable[[], None]: ...  # the function of the closure, or a method of a subclass


class OwnOperation(Operation):
    """The operation of a node made by hand: it has a symbol, but no formula that could be compiled."""

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol

    def forward(self, interpreter: Interpreter[T], args: Sequence[T]) -> T:
        raise ValueError(NOT_AN_OP.format(symbol_of(self)))

    def text(self, printer: Interpreter[Text], args: Sequence[Text]) -> Text:
        # always a call, as a printer would take a symbol such as "-" for its own operator
        return Text(f"{symbol_of(self)}({', '.join(arg.text for arg in args)})")

    def derivative(self, position: int, interpreter: Interpreter[T], args: Sequence[T], y: T) -> T:
        raise ValueError(NOT_AN_OP.format(symbol_of(self)))

    def value(self, *data: float) -> float:
        raise ValueError(NOT_AN_OP.format(symbol_of(self)))


def symbol_of(op: Operation) -> str:
    r"""Return the symbol of an operation, on one line and of bounded length; "f" if it is empty.

    >>> symbol_of(OwnOperation("my\nname")), symbol_of(OwnOperation(""))
    ('my name', 'f')
    """
    symbol = one_line(" ".join(op.symbol.split()))
    return (symbol if len(symbol) <= LONGEST else f"{symbol[: LONGEST - 1]}…") or "f"


NOT_AN_OP = (
    "the node {} was made by hand: its closure cannot be differentiated again or compiled; "
    "an operation made with Op can"
)


class Edge:
    """One edge of a node made by hand. ``upstream * edge`` is the contribution that the closure makes."""

    __slots__ = ("closure", "position")

    def __init__(self, closure: OwnClosure, position: int) -> None:
        self.closure, self.position = closure, position

    def __rmul__(self, upstream: float) -> float:
        if self.position == 0:  # the chain rule takes the edges in order: one call serves all of them
            self.closure.latest = self.closure.contributions(upstream)
        return self.closure.latest[self.position]


class Local(float):
    """A local gradient. ``upstream * local`` is exactly the contribution of a closure, without rounding."""

    contribution: float

    def __new__(cls, upstream: float, contribution: float) -> Local:
        local = super().__new__(cls, contribution / upstream if upstream else contribution)
        local.contribution = contribution
        return local

    def __rmul__(self, upstream: float) -> float:
        return self.contribution


class OwnClosure(Sequence[Edge]):
    """The local gradients of a node made by hand, computed by the function assigned to ``_backward``."""

    def __init__(self, node: OwnNode, parents: tuple[OwnNode, ...]) -> None:
        self.node, self.parents = ref(node), parents  # a weak reference, or the two would form a cycle
        self.function: Callable[[], None] | None = None
        self.latest: tuple[float, ...] = ()
        self.writable = {id(parent) for parent in parents}

    def missing(self) -> None:
        """Raise a ValueError, as no function was assigned."""
        raise ValueError(
            f"{brief(self.node())} was made by hand and has no closure: assign one to ._backward"
        )

    def __len__(self) -> int:
        return len(self.parents)

    def __getitem__(self, position: int) -> Edge:  # type: ignore[override]
        return Edge(self, position)

    def __iter__(self) -> Iterator[Edge]:
        return map(self.__getitem__, range(len(self)))

    def at(self, upstream: float) -> tuple[Local, ...]:
        """Return the local gradient of each edge, when the gradient of the node is ``upstream``."""
        return tuple([Local(upstream, contribution) for contribution in self.contributions(upstream)])

    def contributions(self, upstream: float) -> tuple[float, ...]:
        """Return what the function adds to each parent's gradient; all gradients are restored after the call.

        Raises:
            ValueError: no function was assigned, or it writes the gradient of a node that is not a parent.
        """
        node = self.node()
        assert node is not None
        kept = [(each, each._grad) for each in (node, *self.parents)]
        node._grad = upstream
        for parent in self.parents:
            parent._grad = 0.0
        token = _running.set(self)
        try:
            node._backward()
            first = {id(parent): i for i, parent in reversed(list(enumerate(self.parents)))}
            return tuple([
                parent._grad if first[id(parent)] == i and not parent.constant else 0.0
                for i, parent in enumerate(self.parents)
            ])  # fmt: skip
        finally:
            _running.reset(token)
            for each, grad in reversed(kept):
                each._grad = grad


#: The closure that is being called in this context.
_running: ContextVar[OwnClosure | None] = ContextVar("running", default=None)


def check_write(node: object) -> None:
    """Raise a ValueError if a closure is being called, and ``node`` is not one of its parents."""
    closure = _running.get()
    if closure and id(node) not in closure.writable:
        raise ValueError(
            f"the closure of {brief(closure.node())} writes the gradient of {brief(node)}, "
            "which is not one of its parents"
        )


def check_start(root: object) -> None:
    """Raise a ValueError if a closure is being called: a pass inside it would write other gradients."""
    if closure := _running.get():
        raise ValueError(f"the closure of {brief(closure.node())} starts a backward pass from {brief(root)}")


def as_parents(parents: Iterable[P]) -> tuple[P, ...]:
    """Return the parents of a node as a tuple.

    Raises:
        TypeError: ``parents`` is not iterable, or a parent is not a Value.
    """
    if not isinstance(parents, Iterable):
        raise TypeError(
            f"expected a label or the parents of a node, not {type(parents).__name__}: {brief(parents)}"
        )
    parents = tuple(parents)
    for parent in parents:
        if not hasattr(parent, "_local"):
            raise TypeError(f"the parents of a node are Values, not {type(parent).__name__}: {brief(parent)}")
    return parents


def check_own(node: object, op: Operation | None) -> None:
    """Raise an AttributeError if an operation of the table computed the node, as it names the parents."""
    if op is not None and not isinstance(op, OwnOperation):
        raise AttributeError(
            f"{brief(node)} was computed by {op.symbol!r}, which names its parents and its symbol: "
            "only those of a leaf or of a node made by hand can be assigned"
        )


def check_label(name: object) -> None:
    """Raise a TypeError if a label or a symbol is not a str."""
    if not isinstance(name, str):
        raise TypeError(f"a label is a str, not {type(name).__name__}: {brief(name)}")


def make_by_hand(node: Any, parents: Iterable[Any], symbol: str) -> None:
    """Set the parents and the operation of a new Value; without parents it stays a leaf.

    Raises:
        TypeError: a parent is not a Value.
    """
    parents = as_parents(parents)
    if parents:
        node.parents, node.op, node._local = parents, OwnOperation(symbol), OwnClosure(node, parents)
    else:
        node.symbol = symbol


def local_of(node: Any, upstream: float) -> Sequence[float]:
    """Return the local gradients of a node. Those of a closure may depend on the upstream gradient."""
    local: Sequence[float] | OwnClosure = node._local
    return local.at(upstream) if isinstance(local, OwnClosure) else local
