"""The methods of Value that a first reader may skip: functions, comparisons, copies, micrograd's names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, Self

from engine.core import ops
from engine.core.adjoint import AdjointNode
from engine.core.backward import pass_on, topological_order
from engine.core.closures import (
    OwnClosure,
    OwnOperation,
    as_parents,
    check_label,
    check_own,
    check_write,
    make_by_hand,
)
from engine.core.messages import brief
from engine.core.op import Evaluator, Op, Operation, shipped
from engine.core.scalar import as_float


class Role(NamedTuple):
    """The part that a Value plays in a net. Pictures and explanations find a neuron by it, not by labels.

    >>> Role("w", layer=1, neuron=3, input=0)
    Role(kind='w', layer=1, neuron=3, input=0, formula='')
    """

    kind: str  #: "w" weight, "b" bias, "z" pre-activation, "a" activation, "x" input, or the name of a loss
    layer: int | None = None  #: counted from 1; None for a neuron that belongs to no layer
    neuron: int | None = None  #: its position in the layer, counted from 0
    input: int | None = None  #: the position of the input, counted from 0, for a weight or an input
    formula: str = ""  #: of a loss; its nodes, which share this role, are drawn as one box


class Undefined(Sequence[float]):
    """The local gradients of a node that has none: to read one raises the error that names the reason."""

    def __init__(self, error: Exception, count: int) -> None:
        self.error, self._length = error, count

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, position: object) -> NoReturn:
        raise self.error


if TYPE_CHECKING:

    class Attributes:
        """The attributes that Value sets."""

        _data: float
        _grad: float
        _local: Sequence[float]
        _role: Role | None
        label: str
        op: Operation | None
        parents: tuple[Self, ...]
        constant: bool
        traced: bool

        @classmethod
        def __record__(cls, op: Operation, *args: Any) -> Self:  # it is `engine.core.value.record`
            raise NotImplementedError

        def local_gradients(self) -> tuple[float, ...]:
            raise NotImplementedError

else:
    Attributes = object  # when the program runs, Value alone has them


class Methods(Attributes):
    """Base class of Value."""

    __slots__ = ()

    def exp(self) -> Self:
        """Return e^self."""
        return self.__record__(ops.exp, self)

    def expm1(self) -> Self:
        """Return e^self - 1."""
        return self.__record__(ops.expm1, self)

    def log(self) -> Self:
        """Return the natural logarithm of self."""
        return self.__record__(ops.log, self)

    def log1p(self) -> Self:
        """Return log(1 + self)."""
        return self.__record__(ops.log1p, self)

    def sqrt(self) -> Self:
        """Return the square root of self."""
        return self.__record__(ops.sqrt, self)

    def sin(self) -> Self:
        """Return sin(self)."""
        return self.__record__(ops.sin, self)

    def cos(self) -> Self:
        """Return cos(self)."""
        return self.__record__(ops.cos, self)

    def tan(self) -> Self:
        """Return tan(self)."""
        return self.__record__(ops.tan, self)

    def tanh(self) -> Self:
        """Return tanh(self)."""
        return self.__record__(ops.tanh, self)

    def erf(self) -> Self:
        """Return erf(self)."""
        return self.__record__(ops.erf, self)

    def erfc(self) -> Self:
        """Return 1 - erf(self)."""
        return self.__record__(ops.erfc, self)

    def sigmoid(self) -> Self:
        """Return 1 / (1 + e^-self)."""
        return self.__record__(ops.sigmoid, self)

    def softplus(self) -> Self:
        """Return log(1 + e^self)."""
        return self.__record__(ops.softplus, self)

    def gelu(self) -> Self:
        """Return self × the probability that a standard normal variable is smaller than self."""
        return self.__record__(ops.gelu, self)

    def relu(self) -> Self:
        """Return max(0, self)."""
        return self.__record__(ops.relu, self)

    def leaky_relu(self) -> Self:
        """Return self if it is positive, else 0.01 × self."""
        return self.__record__(ops.leaky_relu, self)

    def asin(self) -> Self:
        """Return the angle between -π/2 and π/2 whose sine is self."""
        return self.__record__(ops.asin, self)

    def acos(self) -> Self:
        """Return the angle between 0 and π whose cosine is self."""
        return self.__record__(ops.acos, self)

    def atan(self) -> Self:
        """Return the angle between -π/2 and π/2 whose tangent is self."""
        return self.__record__(ops.atan, self)

    def atan2(self, other: Any) -> Self:
        """Return the angle of the point (other, self)."""
        return self.__record__(ops.atan2, self, other)

    def sinh(self) -> Self:
        """Return (e^self - e^-self) / 2."""
        return self.__record__(ops.sinh, self)

    def cosh(self) -> Self:
        """Return (e^self + e^-self) / 2."""
        return self.__record__(ops.cosh, self)

    def asinh(self) -> Self:
        """Return the number whose sinh is self."""
        return self.__record__(ops.asinh, self)

    def acosh(self) -> Self:
        """Return the number, 0 or greater, whose cosh is self."""
        return self.__record__(ops.acosh, self)

    def atanh(self) -> Self:
        """Return the number whose tanh is self."""
        return self.__record__(ops.atanh, self)

    arcsin, arccos, arctan, arctan2 = asin, acos, atan, atan2  # NumPy's names: np.arcsin(v) is v.arcsin()
    arcsinh, arccosh, arctanh = asinh, acosh, atanh

    def silu(self) -> Self:
        """Return self × sigmoid(self), also called swish."""
        return self.__record__(ops.silu, self)

    def elu(self) -> Self:
        """Return self, or e^self - 1 if it is negative."""
        return self.__record__(ops.elu, self)

    def floor(self) -> Self:
        """Return the greatest whole number that is at most self."""
        return self.__record__(ops.floor, self)

    def ceil(self) -> Self:
        """Return the least whole number that is at least self."""
        return self.__record__(ops.ceil, self)

    def sign(self) -> Self:
        """Return -1, 0 or 1."""
        return self.__record__(ops.sign, self)

    def neg(self) -> Self:
        """Return -self."""
        return self.__record__(ops.neg, self)

    def abs(self) -> Self:
        """Return abs(self)."""
        return self.__record__(ops.abs, self)

    @property
    def role(self) -> Role | None:
        """The part that the Value plays in a net, as the modules of nn set it; None outside a net."""
        return getattr(self, "_role", None)

    @role.setter
    def role(self, role: Role | None) -> None:
        self._role = role

    def note_read(self) -> None:
        """Note that the number was read, if a graph to be compiled is being built."""

    def is_stale(self) -> bool:
        """Return whether a parent's number was changed after this Value was computed from it.

        >>> from engine import Value
        >>> x = Value(2.0)
        >>> y = x * x
        >>> x.data = 3.0
        >>> y.is_stale()
        True
        """
        if self.op is None or isinstance(self.op, OwnOperation):
            return False
        data = [parent._data for parent in self.parents]
        if isinstance(self._local, Undefined):
            return self.op.value(*data) != self._data
        try:
            y = self.op.value(*data)
            now = (y, *self.op.local_gradients(data, y, [parent.constant for parent in self.parents]))
        except (ArithmeticError, ValueError):  # the parents' numbers are outside the domain now
            return True
        local = [0.0 if parent.constant else d for parent, d in zip(self.parents, self._local)]
        then = (self._data, *local)  # 3² and (-3)² differ only in these
        return any(a != b and (a == a or b == b) for a, b in zip(then, now))  # two NaNs count as equal

    def differentiate(self) -> list[Self | float]:
        """Return ∂self/∂parent for each parent, as Values that can be differentiated again.

        Raises:
            ValueError: a parent's number was changed after this Value was computed from it, or this node was
                made by hand, with a closure.

        >>> from engine import Value
        >>> x = Value(3.0)
        >>> [dy] = x.exp().differentiate()
        >>> dy.data == x.exp().data
        True
        """
        if self.op is None:
            return []
        if isinstance(self._local, Undefined):
            raise self._local.error
        if self.is_stale():
            raise ValueError(
                f"{brief(self)} no longer follows from the numbers that it was computed from, as one of them "
                "was changed: compute it again before you differentiate with create_graph=True"
            )
        args = [parent._data if parent.constant else parent for parent in self.parents]
        positions = [position for position, parent in enumerate(self.parents) if not parent.constant]
        found: list[Self | float] = [0.0] * len(args)
        for position, x in zip(positions, self.op.derivatives(positions, Evaluator(), args, self)):
            found[position] = x
        return found

    @property
    def _prev(self) -> tuple[Self, ...]:
        """The parents, by micrograd's name; micrograd has a set here.

        They may be assigned, as in micrograd, to a leaf or to a node made by hand.
        """
        return self.parents

    @_prev.setter
    def _prev(self, parents: Iterable[Self]) -> None:
        check_own(self, self.op)
        parents = as_parents(parents)
        for parent in parents:
            if any(node is self for node in topological_order(parent)):
                raise ValueError(
                    f"a node cannot depend on itself: {brief(parent)} is computed from {brief(self)}"
                )
        function = (
            self._local.function if isinstance(self._local, OwnClosure) else self.__dict__.get("closure")
        )
        make_by_hand(self, parents, self._op)
        if function and self.parents:
            self._backward = function

    @property
    def _op(self) -> str:
        """The symbol of the operation, by micrograd's name; it may be assigned, as `_prev`."""
        return self.op.symbol if self.op else self.__dict__.get("symbol", "")

    @_op.setter
    def _op(self, symbol: str) -> None:
        check_own(self, self.op)
        check_label(symbol)
        if isinstance(self.op, OwnOperation):
            self.op = OwnOperation(symbol)
        else:
            self.__dict__["symbol"] = symbol

    @property
    def _backward(self) -> Callable[[], None]:
        """A function that adds ``grad`` × local gradient to each parent's ``grad``, by micrograd's name.

        A function that is assigned to it replaces it in every backward pass: see `engine.core.closures`. A
        leaf has no edges, so no backward pass calls its function; a call by hand does.

        >>> from engine import Value
        >>> a, b = Value(2.0), Value(5.0)
        >>> y = a * b
        >>> y.grad = 10.0
        >>> y._backward()
        >>> a.grad, b.grad
        (50.0, 20.0)
        """
        local = self._local
        if isinstance(local, OwnClosure):
            return local.function or local.missing
        if not self.parents and (function := self.__dict__.get("closure")):
            return function  # type: ignore[no-any-return]

        def step() -> None:  # with the local gradients of now, as a function may be assigned later
            for parent in self.parents:
                check_write(parent)
            pass_on((AdjointNode(self.parents, local, self._grad),))

        return step

    @_backward.setter
    def _backward(self, function: Callable[[], None]) -> None:
        if not callable(function):
            raise TypeError(f"_backward is a function without arguments, not {brief(function)}")
        if not self.parents:  # a leaf keeps it for a call by hand, and for the parents that `_prev` may set
            self.__dict__["closure"] = function
            return
        if not isinstance(self._local, OwnClosure):
            make_by_hand(self, self.parents, self._op)
        self._local.function = function  # type: ignore[attr-defined]

    def pow(self, other: Any) -> Self:
        """Return self ** other."""
        return self.__record__(ops.pow, self, other)

    def __lt__(self, other: Any) -> bool:
        """Return self.data < other."""
        return other > self if _is_traced(other) else self._data < _number(other)

    def __le__(self, other: Any) -> bool:
        """Return self.data <= other."""
        return other >= self if _is_traced(other) else self._data <= _number(other)

    def __gt__(self, other: Any) -> bool:
        """Return self.data > other."""
        return other < self if _is_traced(other) else self._data > _number(other)

    def __ge__(self, other: Any) -> bool:
        """Return self.data >= other."""
        return other <= self if _is_traced(other) else self._data >= _number(other)

    def __bool__(self) -> bool:
        """Return whether self.data is not 0."""
        return self._data != 0.0

    def __format__(self, spec: str) -> str:
        """Return self.data in the format ``spec``, as in f"{loss:.4f}"; without one, str(self)."""
        return format(self._data, spec) if spec else str(self)

    def __float__(self) -> float:
        """Raise a TypeError, as a float has no graph; use ``data``."""
        raise TypeError(
            "float() and the functions of math lose the graph of a Value: use .data for its number, "
            "and the functions of engine, such as engine.exp, to compute with it"
        )

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """Apply a function of NumPy to Values or arrays of Values: np.exp(v) is v.exp()."""
        import numpy as np

        def as_objects(x: object) -> object:
            if isinstance(x, Methods):
                array: Any = np.empty((), dtype=object)
                array[()] = x
                return array
            return x.astype(object) if isinstance(x, np.ndarray | np.generic) else x

        with np.errstate(all="ignore"):  # the numbers are Python's, which raises its own errors
            return getattr(ufunc, method)(*map(as_objects, inputs), **options)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return a copy of the whole graph that this Value was computed by."""
        from copy import deepcopy

        for node in topological_order(self):
            if isinstance(node._local, OwnClosure):
                raise TypeError(
                    f"{brief(node)} has a closure, which refers to the original nodes: build the graph again"
                )
            if id(node) not in memo:
                memo[id(node)] = copy = object.__new__(type(node))
                copy._data, copy._grad, copy.label, copy.op = node._data, node._grad, node.label, node.op
                copy.parents = tuple(memo[id(parent)] for parent in node.parents)
                copy._local, copy._role = node._local, node.role
                copy.__dict__.update(deepcopy(node.__dict__, memo))
        return memo[id(self)]  # type: ignore[no-any-return]

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Return the parts to copy or pickle a leaf from; raise a TypeError for a computed Value."""
        if self.parents:
            raise TypeError(
                "a computed Value cannot be pickled, as its copy would lose its parents: "
                "pickle the leaves and compute it again, use copy.deepcopy, or save a model with nn.save"
            )
        return super().__reduce_ex__(protocol)


def _is_traced(x: object) -> bool:
    """Return whether ``x`` notes comparisons itself; see `engine.compiler.guards`."""
    return isinstance(x, Methods) and x.traced


def _number(x: Any) -> float:
    return x._data if isinstance(x, Methods) else as_float(x)


#: The names of the methods that an operation of the user's own may replace.
own_methods: set[str] = set(ops.table) - shipped


def add_method(cls: type[Methods], op: Op) -> None:
    """Make an operation of one argument a method of ``cls``, unless it has another attribute of that name."""
    if len(op.partials) == 1 and (op.symbol in own_methods or not hasattr(cls, op.symbol)):
        own_methods.add(op.symbol)

        def method(self: Methods) -> Methods:
            return self.__record__(op, self)

        method.__name__, method.__doc__ = op.symbol, op.__doc__
        method.__qualname__ = f"{cls.__name__}.{op.symbol}"
        setattr(cls, op.symbol, method)
