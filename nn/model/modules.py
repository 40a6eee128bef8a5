"""Neuron, Layer, MLP: a neuron is two nodes of the graph, its pre-activation z and its activation a."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from engine import Role, Value, no_grad, record, weighted_sum
from nn.model import initializers as initialisers
from nn.model.activations import Activation, apply, find, symbol
from nn.model.initializers import Initialiser
from nn.model.predict import many
from nn.validation import Lifted, count, floats, lifted

__all__ = ["MLP", "Layer", "Module", "Neuron"]

MOST = 10_000_000  # parameters of a net: some gigabytes of Values


class Module:
    """What has parameters. To build your own, say which they are, and in ``__call__`` what it computes."""

    def parameters(self) -> list[Value]:
        """The Values that learning may move, in a fixed order."""
        return []

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0, as ``backward`` adds to what is there."""
        for p in self.parameters():
            p.grad = 0.0

    def __call__(self, x: Sequence[Any]) -> Any:
        """The outputs, as Values."""
        raise NotImplementedError(f"{type(self).__name__} must say what it computes: define __call__")

    def predict(self, x: Sequence[float]) -> Any:
        """The outputs for plain numbers, as a float or a list of floats; nothing is recorded."""
        with no_grad():
            y = self(x)
        return [out.data for out in y] if isinstance(y, list) else y.data

    def predict_many(self, rows: Sequence[Sequence[float]], backend: str = "numpy") -> list[Any]:
        """`predict` for each of many rows, by the compiled graph: to shade a plane, or test on a whole set.

        Args:
            rows: the samples, a list of lists of numbers, or an array with one row each.
            backend: what runs it, see `engine.trace`: ``numpy``, ``llvm``, ``python``, ...

        Returns:
            A list with what ``predict`` gives for each row: the same bits from ``python``, and from the
            others to 1e-12. The graph is that of the first row: where your ``__call__`` has an ``if`` on its
            data, ask ``predict`` for one row after another instead.

        Raises:
            ValueError, TypeError: a row does not fit the model; the message says which.
            ImportError: the backend needs a package that is not installed; the message names the extra.

        >>> MLP(2, [3, 1], init="zeros").predict_many([[1.0, 2.0], [3.0, 4.0]], backend="python")
        [0.0, 0.0]
        """
        return many(self, rows, backend)


class Neuron(Module):
    """z = b + Σ_i w_i x_i and a = g(z).

    Args:
        nin: the number of inputs.
        activation: g, the name of an operation of one argument, an Op, or None for a = z.
        init: how the weights begin, see `nn.model.initializers`; the bias begins at 0.
        rng: random numbers as random.Random draws them; None for the module `random`.
        atomic: build z of single * and + nodes, as micrograd does, instead of one weighted sum.
        nout: how many neurons its layer has, for those ways to begin that depend on it.
        layer, index: the number of its layer and its place there, for the labels and roles of its nodes.

    Raises:
        ValueError: nin is not a whole number of at least 1, or the activation or init is unknown.
        TypeError: the activation, init or rng is of a wrong kind.

    >>> neuron = Neuron(2, activation="tanh", init="zeros")
    >>> neuron.b.data = 0.5
    >>> round(neuron([1.0, -1.0]).data, 6)
    0.462117
    """

    def __init__(
        self,
        nin: int,
        activation: Activation = "relu",
        init: str | Initialiser = "uniform",
        rng: Any = None,
        atomic: bool = False,
        *,
        nout: int = 1,
        layer: int | None = None,
        index: int | None = None,
    ) -> None:
        self.nin, self.atomic, self.activation = count("nin", nin), atomic, find(activation)
        _fits(self.nin + 1)
        draw, rng = initialisers.find(init), initialisers.generator(rng)
        self.layer, self.index = layer, index
        place = "" if layer is None else f"{layer}_{index}"
        prefix = f"w{place}_" if place else "w"
        self.w = [Value(draw(rng, nin, nout), label=f"{prefix}{i}") for i in range(nin)]
        self.b = Value(0.0, label=f"b{place}")
        for i, w in enumerate(self.w):
            w.role = Role("w", layer, index, i)
        self.b.role = Role("b", layer, index)
        self._labels = f"z{place}", f"a{place}"
        self._roles = Role("z", layer, index), Role("a", layer, index)

    def preactivation(self, x: Sequence[Any]) -> Value:
        """z = b + Σ_i w_i x_i, added from left to right: the textbook's in_k."""
        inputs = x if type(x) is Lifted else lifted(x, self.nin)  # its layer has looked at them already
        if self.atomic:
            z = self.b
            for w, x_i in zip(self.w, inputs, strict=True):
                z = z + w * x_i
        else:
            z = weighted_sum(self.w, inputs, self.b)
        z.label, z._role = self._labels[0], self._roles[0]
        return z

    def activate(self, z: Value) -> Value:
        """a = g(z); z itself if there is no activation."""
        if not isinstance(z, Value):
            raise TypeError(f"expected z, a Value, not {type(z).__name__}: {z!r:.60}")
        if self.activation is None:
            return z
        a: Value = record(self.activation, z)
        a.label, a._role = self._labels[1], self._roles[1]
        return a

    def __call__(self, x: Sequence[Any]) -> Value:
        """The activation, with z between it and the inputs."""
        return self.activate(self.preactivation(x))

    def predict(self, x: Sequence[float]) -> float:
        """The activation in floats: the same bits as the recorded one."""
        return self.predict_floats(floats(x, self.nin))

    def predict_floats(self, x: list[float]) -> float:
        """`predict`, of floats that have been checked."""
        z = self.b.data
        for w, x_i in zip(self.w, x):
            z += w.data * x_i
        return apply(self.activation, z)

    def parameters(self) -> list[Value]:
        """The weights, then the bias."""
        return [*self.w, self.b]

    def __repr__(self) -> str:
        return f"Neuron({self.nin}, activation={symbol(self.activation)!r})"


class Layer(Module):
    """Neurons side by side, all fed by the same inputs.

    Args and errors are those of `Neuron`; ``nout`` is the number of neurons, and ``number`` the place of the
    layer in its net, counted from 1: its nodes are called z1_0, a1_0, z1_1, ... by layer and neuron.

    >>> Layer(3, 4, activation=None)
    Layer(3, 4, activation=None)
    """

    def __init__(
        self,
        nin: int,
        nout: int,
        activation: Activation = "relu",
        init: str | Initialiser = "uniform",
        rng: Any = None,
        atomic: bool = False,
        *,
        number: int = 1,
    ) -> None:
        self.nin, self.nout = count("nin", nin), count("nout", nout)
        _fits((self.nin + 1) * self.nout)
        self.neurons = [
            Neuron(nin, activation, init, rng, atomic, nout=nout, layer=number, index=k) for k in range(nout)
        ]

    def activations(self, x: Sequence[Any]) -> Lifted:
        """One activation for each neuron, always as a list."""
        inputs = lifted(x, self.nin)
        return Lifted([neuron(inputs) for neuron in self.neurons])

    def __call__(self, x: Sequence[Any]) -> Any:
        """A list of activations; of a single neuron, the activation itself, as in micrograd."""
        return single(self.activations(x))

    def predict(self, x: Sequence[float]) -> Any:
        """The activations in floats: the same bits as the recorded ones."""
        return single(self.predict_floats(floats(x, self.nin)))

    def predict_floats(self, x: list[float]) -> list[float]:
        """`predict`, of floats that have been checked, and always as a list."""
        return [neuron.predict_floats(x) for neuron in self.neurons]

    def parameters(self) -> list[Value]:
        """Those of each neuron in turn."""
        return [p for neuron in self.neurons for p in neuron.parameters()]

    def __repr__(self) -> str:
        return f"Layer({self.nin}, {self.nout}, activation={symbol(self.neurons[0].activation)!r})"


class MLP(Module):
    """A multi-layer perceptron: layer after layer, each fed by the one before it.

    Args:
        nin: the number of inputs.
        nouts: the number of neurons of each layer, the last of them the outputs.
        activation: of the layers inside: the name of an operation of one argument, an Op, or None.
        output: the activation of the last layer.
        init, rng, atomic: see `Neuron`. The weights are drawn neuron by neuron, as micrograd draws them.

    Raises:
        ValueError: a number of neurons is not a whole number of at least 1, there are no layers, or the
            activation or init is unknown.
        TypeError: nouts is not a list, or the activation, init or rng is of a wrong kind.

    >>> model = MLP(2, [16, 16, 1])
    >>> model, len(model.parameters())
    (MLP(2, [16, 16, 1], activation='relu', output=None), 337)
    """

    def __init__(
        self,
        nin: int,
        nouts: Sequence[int],
        activation: Activation = "relu",
        output: Activation = None,
        init: str | Initialiser = "uniform",
        rng: Any = None,
        atomic: bool = False,
    ) -> None:
        if isinstance(nouts, (str, bytes)) or not hasattr(nouts, "__len__"):
            raise TypeError(f"nouts is a list of the layers' sizes, such as [16, 16, 1], not {nouts!r:.60}")
        if not len(nouts):
            raise ValueError("nouts is empty; expected the size of at least one layer")
        sizes = [count("nin", nin), *(count("a layer's size", n) for n in nouts)]
        self.nin, self.nouts, self.atomic = sizes[0], sizes[1:], atomic
        _fits(sum((n + 1) * m for n, m in pairwise(sizes)))
        self.activation, self.output = find(activation), find(output)
        functions = [self.activation] * (len(nouts) - 1) + [self.output]
        shapes = enumerate(zip(pairwise(sizes), functions), 1)
        self.layers = [Layer(n, m, g, init, rng, atomic, number=l) for l, ((n, m), g) in shapes]

    def __call__(self, x: Sequence[Any]) -> Any:
        """A list of outputs; of a last layer of one neuron, the output itself, as in micrograd."""
        values = lifted(x, self.nin)
        for layer in self.layers:
            values = layer.activations(values)
        return single(values)

    def predict(self, x: Sequence[float]) -> Any:
        """The outputs in floats: the same bits as the recorded ones.

        >>> MLP(2, [3, 2], init="zeros").predict([1.0, 2.0])
        [0.0, 0.0]
        """
        x = floats(x, self.nin)
        for layer in self.layers:
            x = layer.predict_floats(x)
        return single(x)

    def parameters(self) -> list[Value]:
        """Those of each layer in turn."""
        return [p for layer in self.layers for p in layer.parameters()]

    def __repr__(self) -> str:
        names = f"activation={symbol(self.activation)!r}, output={symbol(self.output)!r}"
        return f"MLP({self.nin}, {self.nouts}, {names})"


def _fits(parameters: int) -> None:
    """Refuse, before the first weight is drawn, what no memory would hold."""
    if parameters > MOST:
        raise ValueError(f"{parameters:.3g} parameters are too many: a net of Values has at most {MOST}")


def single(values: list[Any]) -> Any:
    """The list as it is, but of a list of one, the one."""
    return values[0] if len(values) == 1 else values
