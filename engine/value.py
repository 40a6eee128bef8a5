"""A Value is a number that remembers how it was made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter, is_
from typing import TYPE_CHECKING, Any, TypeAlias, Union

from engine.backward import backward, topological_order
from engine.op import Calculus, Operation
from engine.plain import plain

Number: TypeAlias = Union["Value", float]


class Value:
    """A number, and, if it was computed, the numbers that it was computed from.

    Args:
        data: the number: an int, a bool, a float or a NumPy scalar; it becomes a float.
        label: a name, for pictures and explanations.

    Attributes:
        data: the number.
        grad: ∂root/∂self, after ``root.backward()``.
        label: the name.
        op: the operation that made it; None for a leaf.
        parents: the Values that it was made from, in order; one that was used twice is there twice.

    Raises:
        TypeError: ``data`` is not a plain number, or ``label`` not a str.

    >>> x, w = Value(2.0, label="x"), Value(-3.0, label="w")
    >>> y = w * x + 1
    >>> y.backward()
    >>> y.data, x.grad, w.grad
    (-5.0, -3.0, 2.0)
    """

    __slots__ = ("__weakref__", "_local", "data", "grad", "label", "op", "parents")
    __array_ufunc__ = None  # in arithmetic between the two, NumPy leaves the work to us
    constant = False  #: whether it is a plain number of an expression, which takes no gradient

    def __init__(self, data: float, label: str = "") -> None:
        if not isinstance(label, str):
            raise TypeError(f"a label is a str, not {type(label).__name__}: {label!r}")
        self.data: float = plain(data)
        self.grad: float = 0.0
        self.label: str = label
        self.op: Operation | None = None
        self.parents: tuple[Value, ...] = ()
        self._local: Sequence[float] = ()

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        return f"Value(data={self.data}, grad={self.grad}{label})"

    def local_gradients(self) -> tuple[float, ...]:
        """∂self/∂parent for each parent, at the numbers of the forward pass; 0.0 for a plain number.

        >>> (Value(2.0) * Value(5.0)).local_gradients()
        (5.0, 2.0)
        """
        edges = zip(self.parents, self._local, strict=True)
        return tuple(0.0 if parent.constant else local for parent, local in edges)

    def is_stale(self) -> bool:
        """Whether a parent's number was changed after this one was computed from it.

        >>> x = Value(2.0)
        >>> y = x * x
        >>> x.data = 3.0
        >>> y.is_stale()
        True
        """
        if self.op is None:
            return False
        data = [parent.data for parent in self.parents]
        try:
            y = self.op.value(*data)
            slopes = [
                0.0 if parent.constant else self.op.slope(position, Calculus(), data, y)
                for position, parent in enumerate(self.parents)
            ]
        except (ArithmeticError, ValueError):  # it could not have been computed from these
            return True
        then, now = (self.data, *self.local_gradients()), (y, *slopes)  # 3² and (-3)² differ in their slopes
        return any(a != b and (a == a or b == b) for a, b in zip(then, now))  # a NaN after a NaN is no change

    def differentiate(self) -> list[Number]:
        """∂self/∂parent for each parent, as Values made by the row's slopes: the way to higher derivatives.

        Raises:
            ValueError: a parent's number was changed after this Value was computed from it.
        """
        if self.op is None:
            return []
        if self.is_stale():
            raise ValueError(
                f"{self!r} no longer follows from the numbers that it was computed from, as one of them was "
                "changed: compute it again before you differentiate with create_graph=True"
            )
        args = [parent.data if parent.constant else parent for parent in self.parents]
        return [
            0.0 if parent.constant else self.op.slope(position, Calculus(), args, self)
            for position, parent in enumerate(self.parents)
        ]

    def backward(self) -> None:
        """Set ``grad`` = ∂self/∂node on every node in between, and add it to that of every leaf.

        >>> x = Value(3.0)
        >>> (x * x + x).backward()
        >>> x.grad
        7.0
        """
        backward(self)

    if TYPE_CHECKING:  # rows of the table, put here by the room `operators`

        def __add__(self, other: Number) -> Value: ...
        def __radd__(self, other: float) -> Value: ...
        def __sub__(self, other: Number) -> Value: ...
        def __rsub__(self, other: float) -> Value: ...
        def __mul__(self, other: Number) -> Value: ...
        def __rmul__(self, other: float) -> Value: ...
        def __truediv__(self, other: Number) -> Value: ...
        def __rtruediv__(self, other: float) -> Value: ...
        def __pow__(self, other: Number) -> Value: ...
        def __rpow__(self, other: float) -> Value: ...
        def __neg__(self) -> Value: ...
        def __abs__(self) -> Value: ...
        def __record__(self, op: Any, args: Any) -> Any: ...
        def __getattr__(self, name: str) -> Callable[[], Value]: ...  # x.exp(), and every row of one argument

    def __lt__(self, other: Number) -> bool:
        return self.data < lift(other).data

    def __le__(self, other: Number) -> bool:
        return self.data <= lift(other).data

    def __gt__(self, other: Number) -> bool:
        return self.data > lift(other).data

    def __ge__(self, other: Number) -> bool:
        return self.data >= lift(other).data

    @property
    def _prev(self) -> tuple[Value, ...]:
        return self.parents  # micrograd's name

    @property
    def _op(self) -> str:
        return self.op.symbol if self.op else ""  # micrograd's name

    def __deepcopy__(self, memo: dict[int, Any]) -> Value:
        for node in topological_order(self):
            if id(node) not in memo:
                memo[id(node)] = copy = object.__new__(type(node))
                copy.data, copy.grad, copy.label, copy.op = node.data, node.grad, node.label, node.op
                copy.parents = tuple(memo[id(parent)] for parent in node.parents)
                copy._local = node._local
        return memo[id(self)]  # type: ignore[no-any-return]

    def __reduce_ex__(self, protocol: Any) -> Any:
        if self.parents:
            raise TypeError(
                "a Value that was computed cannot be pickled, as its copy would be cut off from its parents: "
                "pickle the leaves and compute it again, use copy.deepcopy, or save a model with nn.save"
            )
        return super().__reduce_ex__(protocol)


class Constant(Value):
    """A plain number in an expression: a parent like any other, but one that takes no gradient."""

    __slots__ = ()
    constant = True

    def __init__(self, data: float, label: str = "") -> None:
        self.data, self.label = data if type(data) is float else plain(data), label
        self.op, self.parents, self._local = None, (), ()

    _zero = 0.0
    grad = property(attrgetter("_zero"), is_)  # type: ignore[arg-type]  # drops what is set, and all of it in C


def lift(x: Any) -> Value:
    """``x`` itself if it is a Value, and a Constant if it is a plain number.

    Raises:
        TypeError: it is neither; the message names its type.
    """
    return x if isinstance(x, Value) else Constant(x)
