"""A model and its loss in the form of the textbook: lists of floats, and pairs of functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, cast

from engine import Op, Value, as_value, brief, grad, shipped
from nn.model.activations import symbol
from nn.model.modules import Neuron, one_or_list
from nn.textbook import backprop as textbook
from nn.textbook.backprop import Error, ErrorDerivative, Function, Matrix, Target, Vector
from nn.training import losses
from nn.training.losses import Loss

__all__ = ["activation", "is_shipped", "layers", "loss", "target"]

Functions: TypeAlias = tuple[Function, Function]


def layers(net: Sequence[Sequence[Neuron]]) -> list[tuple[Matrix, Vector, Functions]]:
    """Return the net as ``(W, b, (g, g'))``, layer by layer.

    >>> layers([[Neuron(2, activation=None, init="zeros")]])[0][:2]
    ([[0.0, 0.0]], [0.0])

    Raises:
        ValueError: the neurons of a layer have different activations; the textbook has one for each layer.
    """
    for l, layer in enumerate(net, 1):
        if any(neuron.activation is not layer[0].activation for neuron in layer):
            found = sorted({f"{symbol(neuron.activation)}" for neuron in layer})
            raise ValueError(f"expected one activation in layer {l}, not {brief(found)}")
    return [
        ([[w.data for w in n.w] for n in layer], [n.b.data for n in layer], activation(layer[0].activation))
        for layer in net
    ]


def activation(op: Op | None) -> Functions:
    """Return g and g': those that the textbook writes by hand, or else those of the op.

    >>> from engine import relu
    >>> g, derivative = activation(relu)
    >>> g(-1.0), derivative(2.0)
    (0.0, 1.0)
    """
    if op is None:
        return textbook.activations["linear"]
    if op.symbol in textbook.activations and op.symbol in shipped:  # a user's "linear" is not the textbook's
        return textbook.activations[op.symbol]
    return op.value, lambda z: op(Value(z)).local_gradients()[0]


def loss(E: Loss) -> tuple[Error, ErrorDerivative]:
    """Return E and ∂E/∂a_k as functions: by hand for a loss of `nn.losses`, by autograd for any other.

    >>> E, derivative = loss(lambda outputs, t: (outputs - t) ** 4)
    >>> E([3.0], 1.0), derivative([3.0], 1.0)
    (16.0, [32.0])
    """
    if is_shipped(E):
        return textbook.losses[losses.name(E)]

    def derivative(a: Vector, t: Target) -> list[float]:
        values = [Value(a_k) for a_k in a]
        return grad(as_value(E(one_or_list(values), t)), values)

    def error(a: Vector, t: Target) -> float:
        return as_value(E(one_or_list([Value(a_k) for a_k in a]), t)).data

    return error, derivative


def target(E: Loss, t: object) -> Target:
    """Return the target in the textbook's form, a list of floats or a class; a user's loss gets it unchanged.

    >>> target(losses.hinge, -1), target(losses.cross_entropy, 3), target(losses.cross_entropy, (0, 1))
    ([-1.0], 3, [0.0, 1.0])
    """
    if not is_shipped(E):
        return cast("Target", t)
    numbers = cast("Sequence[float]", t if hasattr(t, "__len__") else [t])
    if E is losses.cross_entropy and numbers is not t:
        return int(numbers[0])
    return [float(t_k) for t_k in numbers]


def is_shipped(E: Loss) -> bool:
    """Return whether a loss is one of `nn.losses`, which the textbook writes by hand."""
    return losses.table.get(losses.name(E)) is E
