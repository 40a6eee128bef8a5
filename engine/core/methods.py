"""The methods of Value that are not needed to understand it: functions, comparisons, copies."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, Self

from engine.core import ops
from engine.core.backward import pass_on, topological_order
from engine.core.closures import OwnClosure, OwnOperation, make_by_hand
from engine.core.messages import brief
from engine.core.op import Evaluator, Operation
from engine.core.scalar import as_float


class Role(NamedTuple):
    """What a Value is in a net. Labels are only text; pictures and explanations find a neuron by its role.

    >>> Role("w", layer=1, neuron=3, input=0)
    Role(kind='w', layer=1, neuron=3, input=0)
    """

    kind: str  #: "w" weight, "b" bias, "z" pre-activation, "a" activation, "x" input of the net
    layer: int | None = None  #: counted from 1; None for a neuron that belongs to no layer
    neuron: int | None = None  #: its place in the layer, counted from 0
    input: int | None = None  #: of a weight or an input, which input, counted from 0


class Undefined(Sequence[float]):
    """The local gradients of a node that has none: to read one raises the error that says why."""

    def __init__(self, error: Exception, count: int) -> None:
        self.error, self._length = error, count

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, position: Any) -> NoReturn:
        raise self.error


class Methods:
    """The base class of Value."""

    if not TYPE_CHECKING:
        __slots__ = ()
    else:  # set by Value
        _data: float
        _grad: float
        _local: Sequence[float]
        _role: Role | None
        label: str
        op: Operation | None
        parents: tuple[Self, ...]
        constant: bool

        def local_gradients(self) -> tuple[float, ...]:
            raise NotImplementedError

        @staticmethod
        def __record__(op: Operation, *args: Any) -> Any: ...

    def exp(self) -> Self:
        """Return e^self."""
        return self.__record__(ops.exp, self)  # type: ignore[no-any-return]

    def expm1(self) -> Self:
        """Return e^self - 1."""
        return self.__record__(ops.expm1, self)  # type: ignore[no-any-return]

    def log(self) -> Self:
        """Return the natural logarithm of self."""
        return self.__record__(ops.log, self)  # type: ignore[no-any-return]

    def log1p(self) -> Self:
        """Return log(1 + self)."""
        return self.__record__(ops.log1p, self)  # type: ignore[no-any-return]

    def sqrt(self) -> Self:
        """Return the square root of self."""
        return self.__record__(ops.sqrt, self)  # type: ignore[no-any-return]

    def sin(self) -> Self:
        """Return sin(self)."""
        return self.__record__(ops.sin, self)  # type: ignore[no-any-return]

    def cos(self) -> Self:
        """Return cos(self)."""
        return self.__record__(ops.cos, self)  # type: ignore[no-any-return]

    def tan(self) -> Self:
        """Return tan(self)."""
        return self.__record__(ops.tan, self)  # type: ignore[no-any-return]

    def tanh(self) -> Self:
        """Return tanh(self)."""
        return self.__record__(ops.tanh, self)  # type: ignore[no-any-return]

    def erf(self) -> Self:
        """Return erf(self)."""
        return self.__record__(ops.erf, self)  # type: ignore[no-any-return]

    def erfc(self) -> Self:
        """Return 1 - erf(self)."""
        return self.__record__(ops.erfc, self)  # type: ignore[no-any-return]

    def sigmoid(self) -> Self:
        """Return 1 / (1 + e^-self)."""
        return self.__record__(ops.sigmoid, self)  # type: ignore[no-any-return]

    def softplus(self) -> Self:
        """Return log(1 + e^self)."""
        return self.__record__(ops.softplus, self)  # type: ignore[no-any-return]

    def gelu(self) -> Self:
        """Return self × the probability that a standard normal variable is below self."""
        return self.__record__(ops.gelu, self)  # type: ignore[no-any-return]

    def relu(self) -> Self:
        """Return max(0, self)."""
        return self.__record__(ops.relu, self)  # type: ignore[no-any-return]

    def leaky_relu(self) -> Self:
        """Return self, or 0.01 self if it is negative."""
        return self.__record__(ops.leaky_relu, self)  # type: ignore[no-any-return]

    def asin(self) -> Self:
        """Return the angle between -π/2 and π/2 whose sine is self."""
        return self.__record__(ops.asin, self)  # type: ignore[no-any-return]

    def acos(self) -> Self:
        """Return the angle between 0 and π whose cosine is self."""
        return self.__record__(ops.acos, self)  # type: ignore[no-any-return]

    def atan(self) -> Self:
        """Return the angle between -π/2 and π/2 whose tangent is self."""
        return self.__record__(ops.atan, self)  # type: ignore[no-any-return]

    def atan2(self, other: Any) -> Self:
        """Return the angle of the point (other, self)."""
        return self.__record__(ops.atan2, self, other)  # type: ignore[no-any-return]

    def sinh(self) -> Self:
        """Return (e^self - e^-self) / 2."""
        return self.__record__(ops.sinh, self)  # type: ignore[no-any-return]

    def cosh(self) -> Self:
        """Return (e^self + e^-self) / 2."""
        return self.__record__(ops.cosh, self)  # type: ignore[no-any-return]

    def asinh(self) -> Self:
        """Return the number whose sinh is self."""
        return self.__record__(ops.asinh, self)  # type: ignore[no-any-return]

    def acosh(self) -> Self:
        """Return the number, 0 or greater, whose cosh is self."""
        return self.__record__(ops.acosh, self)  # type: ignore[no-any-return]

    def atanh(self) -> Self:
        """Return the number whose tanh is self."""
        return self.__record__(ops.atanh, self)  # type: ignore[no-any-return]

    arcsin, arccos, arctan, arctan2 = asin, acos, atan, atan2  # NumPy's names: np.arcsin(v) is v.arcsin()
    arcsinh, arccosh, arctanh = asinh, acosh, atanh

    def silu(self) -> Self:
        """Return self × sigmoid(self), also called swish."""
        return self.__record__(ops.silu, self)  # type: ignore[no-any-return]

    def elu(self) -> Self:
        """Return self, or e^self - 1 if it is negative."""
        return self.__record__(ops.elu, self)  # type: ignore[no-any-return]

    def floor(self) -> Self:
        """Return the greatest whole number that is at most self."""
        return self.__record__(ops.floor, self)  # type: ignore[no-any-return]

    def ceil(self) -> Self:
        """Return the least whole number that is at least self."""
        return self.__record__(ops.ceil, self)  # type: ignore[no-any-return]

    def sign(self) -> Self:
        """Return -1, 0 or 1."""
        return self.__record__(ops.sign, self)  # type: ignore[no-any-return]

    def neg(self) -> Self:
        """Return -self."""
        return self.__record__(ops.neg, self)  # type: ignore[no-any-return]

    def abs(self) -> Self:
        """Return |self|."""
        return self.__record__(ops.abs, self)  # type: ignore[no-any-return]

    @property
    def role(self) -> Role | None:
        """What the Value is in a net, set by the net's modules; None outside one."""
        return getattr(self, "_role", None)

    @role.setter
    def role(self, role: Role | None) -> None:
        self._role = role

    def is_stale(self) -> bool:
        """Return whether a parent's number was changed after this one was computed from it.

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
        except (ArithmeticError, ValueError):  # it could not have been computed from these
            return True
        then = (self._data, *self.local_gradients())  # 3² and (-3)² differ in their local gradients
        return any(a != b and (a == a or b == b) for a, b in zip(then, now))  # a NaN after a NaN is no change

    def differentiate(self) -> list[Self | float]:
        """Return ∂self/∂parent for each parent as Values, which can be differentiated in turn.

        Raises:
            ValueError: a parent's number was changed after this Value was computed from it.
        """
        if self.op is None:
            return []
        if isinstance(self._local, Undefined):
            raise self._local.error
        if self.is_stale():
            raise ValueError(
                f"{self!r} no longer follows from the numbers that it was computed from, as one of them was "
                "changed: compute it again before you differentiate with create_graph=True"
            )
        args = [parent._data if parent.constant else parent for parent in self.parents]
        positions = [position for position, parent in enumerate(self.parents) if not parent.constant]
        found: list[Self | float] = [0.0] * len(args)
        for position, x in zip(positions, self.op.derivatives(positions, Evaluator(), args, self)):
            found[position] = x
        return found

    @property
    def _prev(self) -> tuple[Self, ...]:
        return self.parents  # micrograd's name

    @property
    def _op(self) -> str:
        return self.op.symbol if self.op else self.__dict__.get("symbol", "")  # micrograd's name

    @property
    def _backward(self) -> Callable[[], None]:
        """The step by hand, micrograd's name: it adds ``grad`` × local gradient to each parent's ``grad``.

        A function assigned to it takes its place, in every backward pass: see `engine.core.closures`.

        >>> from engine import Value
        >>> a, b = Value(2.0), Value(5.0)
        >>> y = a * b
        >>> y.grad = 10.0
        >>> y._backward()
        >>> a.grad, b.grad
        (50.0, 20.0)
        """
        if isinstance(self._local, OwnClosure):
            return self._local.function or (lambda: None)
        return functools.partial(pass_on, (self,))

    @_backward.setter
    def _backward(self, function: Callable[[], None]) -> None:
        if not callable(function):
            raise TypeError(f"_backward is a function without arguments, not {brief(function)}")
        if self.parents:
            if not isinstance(self._local, OwnClosure):
                make_by_hand(self, self.parents, self._op)
            self._local.function = function  # type: ignore[attr-defined]

    def pow(self, other: Any) -> Self:
        """Return self ** other."""
        return self.__record__(ops.pow, self, other)  # type: ignore[no-any-return]

    def __lt__(self, other: Any) -> bool:
        return self._data < _number(other)

    def __le__(self, other: Any) -> bool:
        return self._data <= _number(other)

    def __gt__(self, other: Any) -> bool:
        return self._data > _number(other)

    def __ge__(self, other: Any) -> bool:
        return self._data >= _number(other)

    def __bool__(self) -> bool:
        return self._data != 0.0

    def __format__(self, spec: str) -> str:
        return format(self._data, spec) if spec else str(self)

    def __float__(self) -> float:
        raise TypeError(
            "float() and the functions of math lose the graph of a Value: use .data for its number, "
            "and the functions of engine, such as engine.exp, to compute with it"
        )

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """NumPy's functions on Values and arrays of them: np.exp(v) is v.exp(), element by element."""
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
        for node in topological_order(self):
            if isinstance(node._local, OwnClosure):
                raise TypeError(
                    f"{node!r} has a closure, which would refer to the original nodes: build the graph again"
                )
            if id(node) not in memo:
                memo[id(node)] = copy = object.__new__(type(node))
                copy._data, copy._grad, copy.label, copy.op = node._data, node._grad, node.label, node.op
                copy.parents = tuple(memo[id(parent)] for parent in node.parents)
                copy._local, copy._role = node._local, node.role
                copy.__dict__.update(node.__dict__)
        return memo[id(self)]  # type: ignore[no-any-return]

    def __reduce_ex__(self, protocol: Any) -> Any:
        if self.parents:
            raise TypeError(
                "a Value that was computed cannot be pickled, as its copy would be cut off from its parents: "
                "pickle the leaves and compute it again, use copy.deepcopy, or save a model with nn.save"
            )
        return super().__reduce_ex__(protocol)


def _number(x: Any) -> float:
    return x._data if isinstance(x, Methods) else as_float(x)
