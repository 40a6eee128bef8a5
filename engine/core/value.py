"""A Value is a number that remembers how it was computed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from engine.core import ops
from engine.core.backward import backward
from engine.core.checks import check_number
from engine.core.closures import check_write, local_of, make_by_hand
from engine.core.messages import brief
from engine.core.methods import Methods
from engine.core.node_factories import active_factory, open_blocks
from engine.core.op import Op, Operation, on_register, shipped
from engine.core.scalar import as_float, is_number

Number: TypeAlias = "Value | float"


class Value(Methods):
    """A number and, if it was computed, the numbers that it was computed from.

    Args:
        data: the number: an int, a bool, a float or a NumPy scalar; it becomes a float.
        parents: of a node made by hand, the Values that it is computed from (see `engine.core.closures`); in
            its place, the label may be given.
        op: the symbol of a node made by hand.
        label: a name, for pictures and explanations.

    Attributes:
        data: the number, always a float.
        grad: ∂root/∂self, after ``root.backward()``; always a float.
        label: the name.
        op: the operation that computed it; None for a leaf.
        parents: the Values that it was computed from, in order; a Value used twice is there twice.

    Raises:
        TypeError: ``data`` is not a plain number, a parent not a Value, or a name not a str.

    >>> x, w = Value(2.0, label="x"), Value(-3.0, label="w")
    >>> y = w * x + 1
    >>> y.backward()
    >>> y.data, x.grad, w.grad
    (-5.0, -3.0, 2.0)
    """

    __slots__ = ("__dict__", "__weakref__", "_data", "_grad", "_local", "_role", "label", "op", "parents")
    constant = False  #: whether it is a plain number of an expression, which has no gradient
    recorded = True  #: whether it was recorded, so that a backward pass may start here; see `no_grad`

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
        for name in (label, op):
            if not isinstance(name, str):
                raise TypeError(f"a label is a str, not {type(name).__name__}: {brief(name)}")
        self._data = as_float(data)
        self._grad = 0.0
        self.label = label
        self.op: Operation | None = None
        self.parents: tuple[Value, ...] = ()
        self._local: Sequence[float] = ()  # ∂self/∂parent for each parent, kept from the forward pass
        if parents != () or _children != () or op or _op:
            make_by_hand(
                self, _children if parents == () else parents, op or _op
            )  # the last two are micrograd's names

    @property
    def data(self) -> float:
        """The number."""
        return self._data

    @data.setter
    def data(self, x: float) -> None:
        self._data = check_number("data", self.label, x)

    @property
    def grad(self) -> float:
        """∂root/∂self, after ``root.backward()``. Setting it to None sets it to 0.0."""
        return self._grad

    @grad.setter
    def grad(self, x: float | None) -> None:
        check_write(self)
        self._grad = 0.0 if x is None else check_number("grad", self.label, x)

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        return f"Value(data={self._data}, grad={self.grad}{label})"

    def local_gradients(self) -> tuple[float, ...]:
        """Return ∂self/∂parent for each parent, at the numbers of the forward pass; 0.0 for a plain number.

        >>> (Value(2.0) * Value(5.0)).local_gradients()
        (5.0, 2.0)
        """
        edges = zip(self.parents, local_of(self, 1.0), strict=True)
        return tuple([0.0 if parent.constant else float(local) for parent, local in edges])

    def pullback(self, upstream: float) -> tuple[float, ...]:
        """Return the contribution to each parent's gradient: ``upstream`` × the local gradient, in order.

        This is the node's local-gradient closure, the function that other engines store on each node.

        >>> (Value(2.0) * Value(5.0)).pullback(10.0)
        (50.0, 20.0)
        """
        edges = zip(self.parents, local_of(self, upstream), strict=True)
        return tuple([0.0 if parent.constant else upstream * local for parent, local in edges])

    def backward(self) -> None:
        """Set ``grad`` = ∂self/∂node on every node in between, and add it to the ``grad`` of every leaf.

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
    """A plain number in an expression: a parent like any other, but without a gradient.

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
        """0.0, whatever is added to it."""
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


Value.__record__ = staticmethod(record)  # type: ignore[method-assign]  # for operations called on Values


def make_node(op: Operation, parents: tuple[Value, ...]) -> Value:
    """Return a new node: its number, its parents, and the local gradient of each edge.

    Raises:
        ArithmeticError, ValueError: the parents' numbers are outside the domain of ``op``.
    """
    if open_blocks and (factory := active_factory()):
        made: Value = factory(op, parents)
        return made
    data = [parent._data for parent in parents]
    try:
        y = op.value(*data)
        local = op.local_gradients(data, y, [parent.constant for parent in parents])
    except (ArithmeticError, ValueError) as error:
        raise op.domain_error(error, data, [parent.label for parent in parents]) from None
    node = Value(y)
    node.op, node.parents, node._local = op, parents, local
    return node


def _add_method(op: Op) -> None:
    """Make an operation of one argument a method, unless Values have something else of that name."""
    if len(op.partials) == 1 and (op.symbol in _methods or not hasattr(Value, op.symbol)):
        _methods.add(op.symbol)

        def method(self: Value) -> Value:
            return record(op, self)

        method.__name__, method.__qualname__, method.__doc__ = op.symbol, f"Value.{op.symbol}", op.__doc__
        setattr(Value, op.symbol, method)


#: The methods that an operation may replace.
_methods: set[str] = set(ops.table) - shipped
on_register.append(_add_method)
