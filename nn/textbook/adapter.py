"""A model and its loss, written down for the textbook: lists of floats, and pairs of functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine import Op, Value, as_value, grad, shipped
from nn.model.modules import Neuron, single
from nn.textbook import backprop as textbook
from nn.textbook.backprop import Error, Function, Matrix, Pull, Vector
from nn.training import losses
from nn.training.losses import Loss

__all__ = ["activation", "layers", "loss", "target"]


Pair = tuple[Function, Function]


def layers(net: Sequence[Sequence[Neuron]]) -> list[tuple[Matrix, Vector, Pair]]:
    """The net as ``(W, b, (g, g'))``, layer by layer.

    >>> layers([[Neuron(2, activation=None, init="zeros")]])[0][:2]
    ([[0.0, 0.0]], [0.0])
    """
    return [
        ([[w.data for w in n.w] for n in layer], [n.b.data for n in layer], activation(layer[0].activation))
        for layer in net
    ]


def activation(op: Op | None) -> Pair:
    """g and g': those that the textbook writes by hand, or else those of the op's own row.

    >>> from engine import relu
    >>> g, slope = activation(relu)
    >>> g(-1.0), slope(2.0)
    (0.0, 1.0)
    """
    if op is None:
        return textbook.activations["linear"]
    if op.symbol in textbook.activations and op.symbol in shipped:  # a "linear" of your own is another
        return textbook.activations[op.symbol]
    return op.value, lambda z: op(Value(z)).local_gradients()[0]


def loss(E: Loss) -> tuple[Error, Pull]:
    """E and the list of ∂E/∂a_k: by hand for a loss of `nn.training.losses`, or else found by autograd from a alone.

    >>> E, pull = loss(lambda outputs, t: (outputs - t) ** 4)
    >>> E([3.0], 1.0), pull([3.0], 1.0)
    (16.0, [32.0])
    """
    if _ours(E):
        return textbook.losses[losses.name(E)]

    def pull(a: Sequence[float], t: Any) -> list[float]:
        values = [Value(a_k) for a_k in a]
        return grad(as_value(E(single(values), t)), values)

    def error(a: Sequence[float], t: Any) -> float:
        return as_value(E(single([Value(a_k) for a_k in a]), t)).data

    return error, pull


def target(E: Loss, t: Any) -> Any:
    """The target as the textbook takes it: a list of floats, or a class; for any other loss, as it is.

    >>> target(losses.hinge, -1), target(losses.cross_entropy, 3), target(losses.cross_entropy, (0, 1))
    ([-1.0], 3, [0.0, 1.0])
    """
    if not _ours(E):
        return t
    if E is losses.cross_entropy and not hasattr(t, "__len__"):
        return int(t)
    return [float(t_k) for t_k in (t if hasattr(t, "__len__") else [t])]


def _ours(E: Loss) -> bool:
    return losses.table.get(losses.name(E)) is E
