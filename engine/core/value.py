"""A Value is a number that records how it was computed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TypeAlias

from engine.core import ops
from engine.core.backward import backward
from engine.core.checks import check_number
from engine.core.closures import check_label, check_write, local_of, make_by_hand
from engine.core.domain import domain_error
from engine.core.methods import Methods, add_method
from engine.core.node_factories import active_factory, open_blocks
from engine.core.op import Operation, on_register
from engine.core.scalar import as_float, is_number

Number: TypeAlias = "Value | float"


class Value(Methods):
    """A number and, if it was computed, the Values that it was computed from.

    Args:
        data: an int, a bool, a float or a NumPy scalar; it becomes a float.
        parents: the parents of a node made by hand, see `engine.core.closures`. A str here is the label.
        op: the symbol of a node made by hand.
        label: a name, for pictures and explanations.

    Attributes:
        data: the number, always a float.
        grad: ∂root/∂self, after ``root.backward()``; always a float.
        label: the name.
        op: the operation that computed it; None for a leaf.
        parents: the Values that it was computed from, in order; a Value used twice is there twice.

    Raises:
        TypeError: ``data`` is not a plain number, a parent is not a Value, or a name is not a str.

    >>> x, w = Value(2.0, label="x"), Value(-3.0, label="w")
    >>> y = w * x + 1
    >>> y.backward()
    >>> y.data, x.grad, w.grad
    (-5.0, -3.0, 2.0)
    """

    __slots__ = ("__dict__", "__weakref__", "_data", "_grad", "_local", "_role", "label", "op", "parents")
    constant = False  #: whether it is a plain number in an expression; see `Constant`
    traced = False  #: whether a graph to be compiled is being built from it; see `engine.compiler.guards`
    recorded = True  #: False if it was computed under `no_grad`: no backward pass can start here

    def __init__(
        self,
        data: float,
        parents: Iterable[Value] | str = (),
        op: str = "",
        label: str = "",
        *,
        _children: Iterable[Value] = (),
        _op: str = "",
    ) -> None:
        if isinstance(parents, str):
            label, parents = parents, ()
        if not (isinstance(label, str) and isinstance(op, str)):  # here, as calls would cost time
            check_label(label)
            check_label(op)
        self._data = data if type(data) is float else as_float(data)
        self._grad = 0.0
        self.label = label
        self.op: Operation | None = None
        self.parents: tuple[Value, ...] = ()
        self._local: Sequence[float] = ()  # ∂self/∂parent for each parent, kept from the forward pass
        given = _children if type(parents) is tuple and not parents else parents  # micrograd's name for them
        if type(given) is not tuple or given or op or _op:
            make_by_hand(self, given, op or _op)

    @property
    def data(self) -> float:
        """The number."""
        return self._data

    @data.setter
    def data(self, x: float) -> None:
        self._data = x if type(x) is float else check_number("data", self.label, x)

    @property
    def grad(self) -> float:
        """∂root/∂self, after ``root.backward()``. Setting it to None sets it to 0.0."""
        return self._grad

    @grad.setter
    def grad(self, x: float | None) -> None:
        check_write(self)
        self._grad = 0.0 if x is None else x if type(x) is float else check_number("grad", self.label, x)

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        return f"Value(data={self._data}, grad={self.grad}{label})"

    def local_gradients(self) -> tuple[float, ...]:
        """Return ∂self/∂parent for each parent, at the numbers of the forward pass; 0.0 for a plain number.

        >>> (Value(2.0) * Value(5.0)).local_gradients()
        (5.0, 2.0)
        """
        edges = zip(self.parents, local_of(self, 1.0), strict=True)  # self._local, or that of a closure
        return tuple([0.0 if parent.constant else float(local) for parent, local in edges])

    def pullback(self, upstream: float) -> tuple[float, ...]:
        """Return the contribution to each parent's gradient: ``upstream`` × the local gradient, in order.

        Other engines store this function, a closure over the local gradients, on each node.

        >>> (Value(2.0) * Value(5.0)).pullback(10.0)
        (50.0, 20.0)
        """
        edges = zip(self.parents, local_of(self, upstream), strict=True)
        return tuple([0.0 if parent.constant else upstream * local for parent, local in edges])

    def backward(self) -> None:
        """Set ``grad`` to ∂self/∂node on each computed node, and add it to the ``grad`` of each leaf.

        >>> x = Value(3.0)
        >>> (x * x + x).backward()
        >>> x.grad
        7.0
        """
        backward(self)

    def __add__(self, other: Number) -> Value:
        """Return self + other."""
        return record(ops.add, self, other)

    def __radd__(self, other: Number) -> Value:
        """Return other + self."""
        return record(ops.add, other, self)

    def __sub__(self, other: Number) -> Value:
        """Return self - other."""
        return record(ops.sub, self, other)

    def __rsub__(self, other: Number) -> Value:
        """Return other - self."""
        return record(ops.sub, other, self)

    def __mul__(self, other: Number) -> Value:
        """Return self * other."""
        return record(ops.mul, self, other)

    def __rmul__(self, other: Number) -> Value:
        """Return other * self."""
        return record(ops.mul, other, self)

    def __truediv__(self, other: Number) -> Value:
        """Return self / other."""
        return record(ops.div, self, other)

    def __rtruediv__(self, other: Number) -> Value:
        """Return other / self."""
        return record(ops.div, other, self)

    def __pow__(self, other: Number) -> Value:
        """Return self ** other."""
        return record(ops.pow, self, other)

    def __rpow__(self, other: Number) -> Value:
        """Return other ** self."""
        return record(ops.pow, other, self)

    def __neg__(self) -> Value:
        """Return -self."""
        return record(ops.neg, self)

    def __abs__(self) -> Value:
        """Return abs(self)."""
        return record(ops.abs, self)


class Constant(Value):
    """A plain number in an expression: a parent whose gradient is always 0.0.

    >>> (Value(2.0) * 3).parents[1]
    Value(data=3.0, grad=0.0)
    """

    __slots__ = ()
    constant = True

    def __init__(self, data: float, label: str = "") -> None:
        self._data, self._grad, self.label = data if type(data) is float else as_float(data), 0.0, label
        self.op, self.parents, self._local = None, (), ()

    @property
    def grad(self) -> float:
        """Always 0.0; what is written to it is ignored."""
        return 0.0

    @grad.setter
    def grad(self, x: float | None) -> None:
        pass


def as_value(x: object) -> Value:
    """Return ``x`` itself if it is a Value, and a Constant if it is a plain number.

    Raises:
        TypeError: it is neither; the message names its type.

    >>> as_value(2).data
    2.0
    """
    return x if isinstance(x, Value) else Constant(x)  # type: ignore[arg-type]


#: Functions that record one operation faster than `record`; see `engine.core.specialize`.
recorders: dict[Operation, Callable[..., Value]] = {}


def record(op: Operation, *args: Number) -> Value:
    """Return the node that ``op`` computes from ``args``, which are Values or plain numbers.

    For any other argument it returns NotImplemented: Python then tries the other operand.

    >>> record(ops.mul, Value(2.0), 3.0).data
    6.0
    """
    if recorder := recorders.get(op):
        return recorder(*args)
    if not all(isinstance(arg, Value) or is_number(arg) for arg in args):
        return NotImplemented  # type: ignore[no-any-return]
    return make_node(op, tuple(map(as_value, args)))


# An operation that is called on a Value records the node by this method.
Value.__record__ = staticmethod(record)  # type: ignore[method-assign]
on_register.append(partial(add_method, Value))


def make_node(op: Operation, parents: tuple[Value, ...]) -> Value:
    """Return a new node, with its number, its parents, and the local gradient of each edge.

    Raises:
        ArithmeticError, ValueError: the parents' numbers are outside the domain of ``op``.
    """
    if open_blocks and (factory := active_factory()):  # for example, under no_grad
        made: Value = factory(op, parents)
        return made
    data = [parent._data for parent in parents]
    try:
        y = op.value(*data)
        local = op.local_gradients(data, y, [parent.constant for parent in parents])
    except (ArithmeticError, ValueError) as error:
        raise domain_error(op, error, data, [parent.label for parent in parents]) from None
    node = Value(y)
    node.op, node.parents, node._local = op, parents, local
    return node
