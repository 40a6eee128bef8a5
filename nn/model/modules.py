"""Neuron, Layer and MLP: a neuron is two nodes of the graph, its pre-activation z and its activation a."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, TypeAlias, TypeVar, cast

from engine import Op, Role, Value, brief, collector_paused, record, relu, weighted_sum
from nn.model.activations import DEFAULT, Activation, apply, get_activation, symbol, with_nonlin
from nn.model.initializers import Initializer, generator, get_initializer
from nn.validation import (
    Floats,
    Inputs,
    InputValues,
    Rng,
    Rows,
    as_floats,
    as_inputs,
    as_outputs,
    check_flag,
    count,
    expected,
    is_list,
)

__all__ = ["MLP", "Layer", "Module", "Neuron"]

T = TypeVar("T")
#: A Value, or a list of Values if there are several outputs.
Outputs: TypeAlias = Any

MOST = 10_000_000  # parameters of a net: some gigabytes of Values


class Module:
    """Base class for models. A subclass defines `parameters` and `__call__`."""

    def parameters(self) -> list[Value]:
        """Return the Values that training may change, in a fixed order."""
        return []

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0, as ``backward`` adds to the gradients of leaves."""
        for p in self.parameters():
            p.grad = 0.0

    def _structure(self) -> object:
        """Return what the graph depends on besides the numbers; None where that is not known.

        As long as it is the same, a compiled program of the model may be kept.
        """
        return None

    def __call__(self, x: Inputs) -> Outputs:
        """Return the outputs: one Value, or a list of Values."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it computes: define __call__")

    def predict(self, x: Floats) -> float | list[float]:
        """Return the outputs for plain numbers, as a float or a list of floats: the numbers of the call.

        The graph is recorded and forgotten: under `engine.no_grad`, a model that calls `engine.grad` itself
        would compute something else.
        """
        y = as_outputs(self(x))
        return [out.data for out in y] if isinstance(y, list) else y.data

    def predict_many(self, rows: Rows, backend: str = "numpy") -> list[float] | list[list[float]]:
        """Return `predict` of each of many rows, computed by the compiled graph.

        Args:
            rows: the samples, a list of lists of numbers, or an array with one row each.
            backend: the name of a backend, see `engine.trace`: ``numpy``, ``llvm``, ``python``, ...

        Few rows are predicted one by one, which takes less time than to compile the graph. The program of an
        MLP, a Layer or a Neuron is kept for the next call, until its shape or an activation changes; any
        other model is traced at each call.

        Returns:
            A list with the outputs for each row: the same bits as ``predict`` from ``python``, and equal to
            1e-12 from the others. The graph is that of the first row: if your ``__call__`` has an ``if`` on
            its data, call ``predict`` for one row after another instead.

        Raises:
            ValueError, TypeError: a row does not fit the model; the message has its number.
            ImportError: the backend needs a package that is not installed; the message names the extra.

        >>> MLP(2, [3, 1], init="zeros").predict_many([[1.0, 2.0], [3.0, 4.0]], backend="python")
        [0.0, 0.0]
        """
        from nn.model.predict import many  # loads the compiler, which only programs need

        predictions = many(self, cast("Sequence[Sequence[float]]", rows), backend)
        return cast("list[float] | list[list[float]]", predictions)


class Neuron(Module):
    """A neuron: z = b + Σ_i w_i x_i and a = g(z).

    Args:
        nin: the number of inputs.
        activation: g, the name of an operation of one argument, an Op, or None for a = z.
        init: the initializer of the weights, see `nn.model.initializers`; the bias starts at 0.
        rng: a source of random numbers, as random.Random is; None for the module `random`.
        atomic: build z from single * and + nodes, as micrograd does, instead of one weighted sum.
        nonlin: micrograd's flag: False for activation=None; True asks for an activation.
        nout: the number of neurons in its layer, which some initializers use.
        layer, index: the number of its layer and its place there, for the labels and roles of its nodes.

    Raises:
        ValueError: nin is not a whole number of at least 1, the activation or init is unknown, or activation
            and nonlin contradict each other.
        TypeError: the activation, init, rng or nonlin is of a wrong kind.

    >>> neuron = Neuron(2, activation="tanh", init="zeros")
    >>> neuron.b.data = 0.5
    >>> round(neuron([1.0, -1.0]).data, 6)
    0.462117
    >>> neuron.nonlin = False
    >>> neuron, neuron([1.0, -1.0]).data
    (Neuron(2, activation=None), 0.5)
    """

    _is_plain = True  #: no method of a subclass computes something that `predict_floats` does not
    # what a subclass lacks that sets w, b and nonlin itself, without super().__init__, as in micrograd:
    atomic, _nonlinear, _labels, _roles = False, relu, ("z", "a"), (Role("z"), Role("a"))
    layer: int | None = None
    index: int | None = None
    _activation: Op | None = None

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._is_plain = _inherits(cls, Neuron, "__call__", "preactivation", "activate")

    def __init__(
        self,
        nin: int,
        activation: Activation = DEFAULT,
        init: str | Initializer = "uniform",
        rng: Rng | None = None,
        atomic: bool = False,
        *,
        nonlin: bool | None = None,
        nout: int = 1,
        layer: int | None = None,
        index: int | None = None,
    ) -> None:
        self.nin, self.atomic = count("nin", nin), bool(atomic)
        self._nonlinear = relu  # the activation that nonlin = True restores
        self.activation = with_nonlin(activation, nonlin)
        _check_size(self.nin + 1)
        draw, rng = get_initializer(init), generator(rng)
        self.layer, self.index = layer, index
        place = "" if layer is None else f"{layer}_{index}"
        before, after = ("w", "") if layer is None else (f"w{layer}_", f"_{index}")  # w_jk: j is the input
        self.w = [Value(draw(rng, nin, nout), f"{before}{i}{after}") for i in range(nin)]
        self.b = Value(0.0, f"b{place}")
        for i, w in enumerate(self.w):
            w._role = Role("w", layer, index, i)
        self.b._role = Role("b", layer, index)
        self._labels = f"z{place}", f"a{place}"
        self._roles = Role("z", layer, index), Role("a", layer, index)

    @property
    def activation(self) -> Op | None:
        """The activation g, an Op, or None for a = z; assign an Op, a name or None."""
        return self._activation

    @activation.setter
    def activation(self, activation: Activation) -> None:
        op = get_activation(activation) if isinstance(activation, str) else activation
        self._activation = op
        if isinstance(op, Op):
            self._nonlinear = op

    @property
    def nonlin(self) -> bool:
        """Whether there is an activation, as in micrograd.

        False removes it; True restores the last one, which is relu if there was none.
        """
        return self._activation is not None

    @nonlin.setter
    def nonlin(self, nonlin: bool) -> None:
        self._activation = self._nonlinear if check_flag("nonlin", nonlin) else None

    def preactivation(self, x: Inputs) -> Value:
        """Return z = b + Σ_i w_i x_i, added from left to right: the textbook's in_k."""
        inputs = (
            x if type(x) is InputValues else as_inputs(x, len(self.w))
        )  # its layer has checked them already
        if self.atomic:
            z = self.b
            for w, x_i in zip(self.w, inputs, strict=True):
                z = z + w * x_i
        else:
            z = weighted_sum(self.w, inputs, self.b)
        z.label, z._role = self._labels[0], self._roles[0]
        return z

    def activate(self, z: Value) -> Value:
        """Return a = g(z); z itself if there is no activation."""
        if not isinstance(z, Value):
            expected("expected z, a Value", z)
        if self._activation is None:
            return z
        a = record(self._activation, z)
        a.label, a._role = self._labels[1], self._roles[1]
        return a

    def __call__(self, x: Inputs) -> Value:
        """Return the activation; z is the node between it and the inputs."""
        return self.activate(self.preactivation(x))

    def _structure(self) -> object:
        own = type(self) is not Neuron
        return None if own else (self.nin, len(self.w), self.atomic, self._activation)

    def predict(self, x: Floats) -> float:
        """Return the activation as a float: the same bits as the recorded one."""
        if _methods() != _METHODS:
            return cast("float", Module.predict(self, x))
        return self.predict_floats(as_floats(x, len(self.w)))

    def predict_floats(self, x: list[float]) -> float:
        """Return `predict` of floats that have been checked."""
        if not self._is_plain:
            return cast("float", Module.predict(self, x))
        z = self.b._data
        for w, x_i in zip(self.w, x):
            z += w._data * x_i
        return apply(self._activation, z)

    def parameters(self) -> list[Value]:
        """Return the weights, then the bias."""
        return [*self.w, self.b]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.w)}, activation={symbol(self.activation)!r})"


class Layer(Module):
    """Neurons side by side that share their inputs.

    Args and errors are those of `Neuron`; ``nout`` is the number of neurons, and ``number`` the place of the
    layer in its net, counted from 1: its nodes have the labels z1_0, a1_0, z1_1, ... by layer and neuron,
    and its weights w1_0_0, w1_1_0, ... by layer, input and neuron: w1_0_2 leads from input 0 to neuron 2.

    >>> Layer(3, 4, activation=None)
    Layer(3, 4, activation=None)
    """

    _is_plain = _lists_activations = True  #: no method of a subclass computes something else than `predict`
    nin: int | None = None  #: None in a subclass that sets its neurons itself; these know their inputs

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._lists_activations = _inherits(cls, Layer, "activations")
        cls._is_plain = cls._lists_activations and _inherits(cls, Layer, "__call__")

    def __init__(
        self,
        nin: int,
        nout: int,
        activation: Activation = DEFAULT,
        init: str | Initializer = "uniform",
        rng: Rng | None = None,
        atomic: bool = False,
        *,
        nonlin: bool | None = None,
        number: int = 1,
    ) -> None:
        self.nin, self.nout = count("nin", nin), count("nout", nout)
        activation = with_nonlin(activation, nonlin)
        _check_size((self.nin + 1) * self.nout)
        self.neurons = [
            Neuron(nin, activation, init, rng, atomic, nout=nout, layer=number, index=k) for k in range(nout)
        ]

    def activations(self, x: Inputs) -> InputValues:
        """Return one activation for each neuron, always as a list."""
        inputs = as_inputs(x, self.nin)
        return InputValues([neuron(inputs) for neuron in self.neurons])

    def __call__(self, x: Inputs) -> Outputs:
        """Return a list of activations; the activation itself if there is one neuron, as in micrograd."""
        return one_or_list(self.activations(x))

    def _structure(self) -> object:
        return _structures(self.neurons) if type(self) is Layer else None

    def predict(self, x: Floats) -> float | list[float]:
        """Return the activations as floats: the same bits as the recorded ones."""
        if not self._is_plain or _methods() != _METHODS:
            return Module.predict(self, x)
        return one_or_list(self.predict_floats(as_floats(x, self.nin)))

    def predict_floats(self, x: list[float]) -> list[float]:
        """Return `predict` of floats that have been checked, always as a list."""
        if not self._lists_activations:
            return [a.data for a in self.activations(x)]
        return [
            neuron.predict_floats(x) if isinstance(neuron, Neuron) else neuron(x).data
            for neuron in self.neurons
        ]

    def parameters(self) -> list[Value]:
        """Return the parameters of each neuron in turn."""
        return [p for neuron in self.neurons for p in neuron.parameters()]

    def __repr__(self) -> str:
        if self.nin is None:
            return _list_of(self, self.neurons)
        return f"Layer({self.nin}, {self.nout}, activation={symbol(self.neurons[0].activation)!r})"


class MLP(Module):
    """A multi-layer perceptron: the activations of each layer are the inputs of the next.

    Args:
        nin: the number of inputs.
        nouts: the number of neurons of each layer; the last layer gives the outputs.
        activation: g of the hidden layers: the name of an operation of one argument, an Op, or None.
        output: the activation of the last layer.
        init, rng, atomic: see `Neuron`. The weights are drawn neuron by neuron, as micrograd draws them.

    Raises:
        ValueError: a number of neurons is not a whole number of at least 1, there are no layers, or the
            activation or init is unknown.
        TypeError: nouts is not a list, or the activation, init or rng is of a wrong kind.

    >>> model = MLP(2, [16, 16, 1])
    >>> model, len(model.parameters())
    (MLP(2, [16, 16, 1], activation='relu', output=None), 337)

    The defaults, relu inside and a linear output, are those of micrograd's nn. The net of micrograd's lecture
    has tanh in every layer instead; with the defaults, its 20 steps of rate 0.1 do not learn its samples.

    >>> MLP(3, [4, 4, 1], activation="tanh", output="tanh")
    MLP(3, [4, 4, 1], activation='tanh', output='tanh')
    """

    _is_plain = True  #: no method of a subclass computes something else than `predict`
    nin: int | None = None  #: None in a subclass that sets its layers itself

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._is_plain = _inherits(cls, MLP, "__call__")

    def __init__(
        self,
        nin: int,
        nouts: Sequence[int],
        activation: Activation = "relu",
        output: Activation = None,
        init: str | Initializer = "uniform",
        rng: Rng | None = None,
        atomic: bool = False,
    ) -> None:
        if not is_list(nouts):
            raise TypeError(f"nouts is a list of the layers' sizes, such as [16, 16, 1], not {brief(nouts)}")
        if not len(nouts):
            raise ValueError("nouts is empty; expected the size of at least one layer")
        sizes = [count("nin", nin), *(count("a layer's size", n) for n in nouts)]
        self.nin, self.nouts, self.atomic = sizes[0], sizes[1:], bool(atomic)
        _check_size(sum((n + 1) * m for n, m in pairwise(sizes)))
        self.activation, self.output = get_activation(activation), get_activation(output)
        functions = [self.activation] * (len(nouts) - 1) + [self.output]
        shapes = enumerate(zip(pairwise(sizes), functions), 1)
        with collector_paused():
            self.layers = [Layer(n, m, g, init, rng, atomic, number=l) for l, ((n, m), g) in shapes]

    def __call__(self, x: Inputs) -> Outputs:
        """Return a list of outputs; the output itself if there is one, as in micrograd."""
        values = as_inputs(x, self.nin)
        for layer in self.layers:
            values = _activations(layer, values)
        return one_or_list(values)

    def _structure(self) -> object:
        return _structures(self.layers) if type(self) is MLP else None

    def predict(self, x: Floats) -> float | list[float]:
        """Return the outputs as floats: the same bits as the recorded ones.

        >>> MLP(2, [3, 2], init="zeros").predict([1.0, 2.0])
        [0.0, 0.0]
        """
        if not self._is_plain or _methods() != _METHODS:
            return Module.predict(self, x)
        a = as_floats(x, self.nin)
        for layer in self.layers:
            a = layer.predict_floats(a) if isinstance(layer, Layer) else _as_list(Module.predict(layer, a))
        return one_or_list(a)

    def parameters(self) -> list[Value]:
        """Return the parameters of each layer in turn."""
        return [p for layer in self.layers for p in layer.parameters()]

    def __repr__(self) -> str:
        if self.nin is None:
            return _list_of(self, self.layers)
        names = f"activation={symbol(self.activation)!r}, output={symbol(self.output)!r}"
        return f"MLP({self.nin}, {self.nouts}, {names})"


def _structures(parts: Sequence[Module]) -> tuple[object, ...] | None:
    """Return the structure of each part; None if that of one is not known."""
    found = tuple([part._structure() for part in parts])
    return None if any(structure is None for structure in found) else found


def _check_size(parameters: int) -> None:
    """Raise a ValueError, before the first weight is drawn, if the net would not fit into memory."""
    if parameters > MOST:
        raise ValueError(f"{parameters:.3g} parameters are too many: a net of Values has at most {MOST}")


def _methods() -> tuple[object, ...]:
    """Return the methods that predictions with floats repeat; a user may set others on the classes."""
    of_neuron = Neuron.__call__, Neuron.preactivation, Neuron.activate
    return (*of_neuron, Layer.__call__, Layer.activations, MLP.__call__)


_METHODS = _methods()


def _inherits(cls: type, base: type, *methods: str) -> bool:
    """Return whether a class has these methods from ``base``."""
    return all(getattr(cls, method) is getattr(base, method) for method in methods)


def _activations(layer: Callable[[InputValues], Outputs], x: InputValues) -> InputValues:
    """Return the outputs of a layer as a list, also of one that is not a `Layer`."""
    return layer.activations(x) if isinstance(layer, Layer) else InputValues(_as_list(layer(x)))


def _as_list(y: T | list[T]) -> list[T]:
    """Return the outputs of a model as a list, also if there is one."""
    return y if isinstance(y, list) else [y]


def _list_of(model: Module, parts: Sequence[object]) -> str:
    """Return the text that micrograd prints of a layer or a net."""
    return f"{type(model).__name__} of [{', '.join(map(str, parts))}]"


def set_numbers(parameters: Sequence[Value], numbers: Sequence[float]) -> None:
    """Write a number into each parameter.

    >>> neuron = Neuron(1, activation=None)
    >>> set_numbers(neuron.parameters(), [2.0, 1.0])
    >>> neuron.predict([3.0])
    7.0
    """
    for p, number in zip(parameters, numbers, strict=True):
        p.data = number


def one_or_list(values: list[T]) -> T | list[T]:
    """Return the only entry of a list of one, and any other list as it is."""
    return values[0] if len(values) == 1 else values
