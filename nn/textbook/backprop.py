"""Backpropagation as the textbook writes it, by hand on plain floats: an independent witness.

A net is a list of layers ``(W, b, activation)``; ``W[k][j]`` is the weight from node j to node k. Two forms
stand side by side, and they differ in sign:

    scalar form     Δ_k = -∂E/∂in_k     one node at a time      w ← w + η a Δ
    matrix form     δ⁽ˡ⁾ = ∂L/∂z⁽ˡ⁾     one layer at a time     W ← W - η δ aᵀ      so Δ = -δ

in_k and z_k are two names of one number, and so are E and L, g and σ. Mind the indices: ∂in_k/∂w_jk is a_j
and ∂in_k/∂a_j is w_jk; a text that prints a_i and w_ij there has slipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import cos, erfc, exp, log, log1p, pi, sin, sqrt, tanh
from typing import Any, TypeVar

__all__ = [
    "forward", "output_deltas", "hidden_deltas", "deltas", "gradients", "update", "backward_matrix",
    "activations", "losses",
]  # fmt: skip

P = TypeVar("P")
Q = TypeVar("Q")

Vector = Sequence[float]
Matrix = Sequence[Vector]
Function = Callable[[float], float]
Error = Callable[[Vector, Any], float]
Pull = Callable[[Vector, Any], Vector]
Activation = str | None | tuple[Function, Function]  # a name, None for a = z, or the pair (g, g')
Loss = str | tuple[Error, Pull]  # a name, or the pair (E, ∂E/∂a)
Layer = tuple[Matrix, Vector, Activation]
PerLayer = list[tuple[list[list[float]], list[float]]]  # what belongs to (W, b), layer by layer


def forward(layers: Sequence[Layer], x: Vector) -> tuple[list[list[float]], list[list[float]]]:
    """Run the net: in_k = b_k + Σ_j w_jk a_j and a_k = g(in_k), layer after layer.

    Args:
        layers: ``(W, b, activation)`` each; an activation is a name of `activations`, None or (g, g').
        x: the inputs, as many as each row of the first W has weights.

    Returns:
        ``(zs, activations)``: for each layer the list of its in_k, and the list of its a_k. x is in neither.

    Raises:
        ValueError: W does not fit its inputs or b, or the activation is unknown.

    >>> forward([([[0.5, -1.0]], [0.25], "relu")], [1.0, 2.0])
    ([[-1.25]], [[0.0]])
    """
    zs, outs, a = [], [], list(x)
    if not layers:
        raise ValueError("expected at least one layer (W, b, activation), not an empty list")
    for number, (W, b, activation) in enumerate(layers, 1):
        g, _ = _activation(activation)
        if [len(row) for row in W] != [len(a)] * len(b):
            shape = f"rows of {[len(row) for row in W]} weights"
            raise ValueError(f"layer {number}: expected {len(b)} rows of {len(a)} weights each, not {shape}")
        z = [_weighted_sum(row, a, bias) for row, bias in zip(W, b)]
        a = [g(z_k) for z_k in z]
        zs.append(z)
        outs.append(a)
    return zs, outs


# ---- one node at a time: Δ -------------------------------------------------------------------------


def output_deltas(
    z: Vector, a: Vector, t: Any, activation: Activation, loss: Loss = "half_squared_error"
) -> list[float]:
    """Δ_k of the output nodes: g'(in_k) · (-∂E/∂a_k), which is g'(in_k) (t_k - a_k) for E = ½ Σ (t_k - a_k)².

    >>> output_deltas([3.0], [3.0], [5.0], None)
    [2.0]
    """
    slope, dE_da = _activation(activation)[1], _loss(loss)[1]
    return [slope(z_k) * -e_k for z_k, e_k in _pairs(z, dE_da(a, t))]


def hidden_deltas(z: Vector, activation: Activation, W_next: Matrix, deltas_next: Vector) -> list[float]:
    """Δ_j of hidden nodes: g'(in_j) Σ_k w_jk Δ_k, over the nodes k that j feeds.

    >>> hidden_deltas([1.0, -1.0], "relu", [[0.5, 4.0]], [2.0])
    [1.0, 0.0]
    """
    _, slope = _activation(activation)
    weights_from = _transpose(W_next)  # weights_from[j][k] is w_jk, one row for each node j
    return [slope(z_j) * _weighted_sum(w_j, deltas_next) for z_j, w_j in _pairs(z, weights_from)]


def deltas(
    layers: Sequence[Layer], x: Vector, t: Any, loss: Loss = "half_squared_error"
) -> list[list[float]]:
    """Δ of every node, layer by layer, found from the last layer to the first. The sign: Δ_k = -∂E/∂in_k.

    >>> deltas([([[2.0]], [0.0], None), ([[3.0]], [0.0], None)], [1.0], [7.0])
    [[3.0], [1.0]]
    """
    zs, outs = forward(layers, x)
    found = [output_deltas(zs[-1], outs[-1], t, layers[-1][2], loss)]
    for l in reversed(range(len(layers) - 1)):
        found.insert(0, hidden_deltas(zs[l], layers[l][2], layers[l + 1][0], found[0]))
    return found


def gradients(layers: Sequence[Layer], x: Vector, t: Any, loss: Loss = "half_squared_error") -> PerLayer:
    """The directions of descent, (-∂E/∂W, -∂E/∂b) for each layer: -∂E/∂w_jk = a_j Δ_k and -∂E/∂b_k = Δ_k.

    >>> gradients([([[2.0, 0.0]], [0.0], None)], [1.0, 10.0], [5.0])
    [([[3.0, 30.0]], [3.0])]
    """
    inputs = [list(x), *forward(layers, x)[1]]
    return [
        ([[a_j * delta_k for a_j in a] for delta_k in delta], delta)
        for a, delta in zip(inputs, deltas(layers, x, t, loss))
    ]


def update(layers: Sequence[Layer], steps: PerLayer, rate: float) -> list[Layer]:
    """The net after one step of size η = rate: w_jk ← w_jk + η a_j Δ_k and b_k ← b_k + η Δ_k.

    ``steps`` come from `gradients`, all of them taken before the first weight moves. (In the matrix form,
    W ← W - η ∂L/∂W, the same step is ``update(layers, slopes, -rate)``.)

    >>> net = [([[2.0]], [0.0], None)]
    >>> update(net, gradients(net, [1.0], [5.0]), rate=0.5)
    [([[3.5]], [1.5], None)]
    """
    return [
        ([_step(w, dw, rate) for w, dw in _pairs(W, dW)], _step(b, db, rate), activation)
        for (W, b, activation), (dW, db) in _pairs(layers, steps)
    ]


# ---- one layer at a time: δ ------------------------------------------------------------------------


def backward_matrix(
    layers: Sequence[Layer], x: Vector, t: Any, loss: Loss = "half_squared_error"
) -> tuple[list[list[float]], PerLayer]:
    """The matrix form. The sign: δ⁽ˡ⁾ = ∂L/∂z⁽ˡ⁾.

        δ⁽ᴸ⁾ = ∂L/∂a⁽ᴸ⁾ ⊙ σ'(z⁽ᴸ⁾)        δ⁽ˡ⁾ = (W⁽ˡ⁺¹⁾ᵀ δ⁽ˡ⁺¹⁾) ⊙ σ'(z⁽ˡ⁾)
        ∂L/∂W⁽ˡ⁾ = δ⁽ˡ⁾ a⁽ˡ⁻¹⁾ᵀ           ∂L/∂b⁽ˡ⁾ = δ⁽ˡ⁾

    Returns:
        ``(δs, [(∂L/∂W, ∂L/∂b), ...])``, one of each per layer.

    >>> backward_matrix([([[2.0]], [0.0], None), ([[3.0]], [0.0], None)], [1.0], [7.0])
    ([[-3.0], [-1.0]], [([[-3.0]], [-3.0]), ([[-2.0]], [-1.0])])
    """
    zs, outs = forward(layers, x)
    slopes = [[_activation(layer[2])[1](z_k) for z_k in z] for layer, z in zip(layers, zs)]  # σ'(z⁽ˡ⁾)
    found = [_hadamard(_loss(loss)[1](outs[-1], t), slopes[-1])]
    for l in reversed(range(len(layers) - 1)):
        found.insert(0, _hadamard(_matvec(_transpose(layers[l + 1][0]), found[0]), slopes[l]))
    return found, [(_outer(delta, a), list(delta)) for delta, a in zip(found, [list(x), *outs])]


def _pairs(u: Sequence[P], v: Sequence[Q]) -> Iterator[tuple[P, Q]]:
    if not isinstance(v, (list, tuple)):
        raise TypeError(f"expected a list of numbers, not {type(v).__name__}: {v!r:.60}")
    if len(u) != len(v):
        raise ValueError(f"expected lists of one length, not {len(u)} and {len(v)}: {u!r:.60} and {v!r:.60}")
    return zip(u, v)


def _weighted_sum(weights: Vector, inputs: Vector, bias: float = 0.0) -> float:
    for w, a in _pairs(weights, inputs):  # not sum(): from Python 3.12 on it adds in another way
        bias += w * a
    return bias


def _step(v: Vector, dv: Vector, rate: float) -> list[float]:
    return [p + rate * d for p, d in _pairs(v, dv)]


def _transpose(W: Matrix) -> list[list[float]]:
    return [list(column) for column in zip(*W)]


def _matvec(W: Matrix, v: Vector) -> list[float]:
    return [_weighted_sum(row, v) for row in W]


def _hadamard(u: Vector, v: Vector) -> list[float]:
    return [p * q for p, q in _pairs(u, v)]


def _outer(u: Vector, v: Vector) -> list[list[float]]:
    return [[p * q for q in v] for p in u]


# ---- calculus, by hand -----------------------------------------------------------------------------


def _sigmoid(z: float) -> float:
    return 1 / (1 + exp(-z)) if z >= 0 else exp(z) / (1 + exp(z))


def _normal_cdf(z: float) -> float:
    return erfc(-z / sqrt(2)) / 2


#: name: (g(z), g'(z)). At a kink, g' is what the left side has: relu'(0) = 0.
activations: dict[str, tuple[Function, Function]] = {
    "linear": (lambda z: z, lambda z: 1.0),
    "sigmoid": (_sigmoid, lambda z: _sigmoid(z) * _sigmoid(-z)),
    "tanh": (tanh, lambda z: 1 - tanh(z) ** 2),
    "relu": (lambda z: z if z > 0 else 0.0, lambda z: 1.0 if z > 0 else 0.0),
    "leaky_relu": (lambda z: z if z > 0 else 0.01 * z, lambda z: 1.0 if z > 0 else 0.01),
    "softplus": (lambda z: max(z, 0.0) + log1p(exp(-abs(z))), _sigmoid),
    "gelu": (lambda z: z * _normal_cdf(z), lambda z: _normal_cdf(z) + z * exp(-z * z / 2) / sqrt(2 * pi)),
    "exp": (exp, exp),
    "sin": (sin, cos),
    "cos": (cos, lambda z: -sin(z)),
}


def _half_squared_error(a: Vector, t: Vector) -> float:
    return sum((t_k - a_k) ** 2 for a_k, t_k in _pairs(a, t)) / 2


def _hinge(a: Vector, t: Vector) -> float:
    return sum(max(0.0, 1 - t_k * a_k) for a_k, t_k in _pairs(a, t)) / len(a)


def _binary_cross_entropy(a: Vector, t: Vector) -> float:
    softplus, _ = activations["softplus"]  # -log σ(a) is softplus(-a), and -log(1 - σ(a)) is softplus(a)
    return sum(softplus(-a_k if t_k else a_k) for a_k, t_k in _pairs(a, t)) / len(a)


def _softmax(a: Vector) -> list[float]:
    powers = [exp(a_k - max(a)) for a_k in a]
    return [p / sum(powers) for p in powers]


def _cross_entropy(a: Vector, t: Any) -> float:  # -log softmax(a)_t
    rest = log(sum(exp(a_k - max(a)) for a_k in a))
    return rest + sum(y_k * (max(a) - a_k) for a_k, y_k in _pairs(a, _one_hot(t, len(a))))


def _one_hot(t: Any, n: int) -> list[float]:
    if not isinstance(t, Sequence) and t not in range(n):
        raise ValueError(f"the class is a whole number from 0 to {n - 1}, not {t!r:.60}")
    return list(t) if isinstance(t, Sequence) else [float(k == t) for k in range(n)]


def _each(slope: Callable[[float, float], float]) -> Pull:
    """∂E/∂a of every output, where each depends on its own target alone."""
    return lambda a, t: [slope(a_k, t_k) for a_k, t_k in _pairs(a, t)]


def _mean(slope: Callable[[float, float], float]) -> Pull:
    return lambda a, t: [s / len(a) for s in _each(slope)(a, t)]


#: name: (E(a, t), the list of ∂E/∂a_k). `a` and `t` are lists; cross_entropy also takes a class index for t.
losses: dict[str, tuple[Error, Pull]] = {
    "half_squared_error": (_half_squared_error, _each(lambda a, t: -(t - a))),
    "mean_squared_error": (
        lambda a, t: 2 / len(a) * _half_squared_error(a, t),
        _mean(lambda a, t: -2 * (t - a)),
    ),
    "hinge": (_hinge, _mean(lambda a, t: -t if t * a < 1 else 0.0)),
    "binary_cross_entropy": (_binary_cross_entropy, _mean(lambda a, t: -_sigmoid(-a) if t else _sigmoid(a))),
    "cross_entropy": (
        _cross_entropy,
        lambda a, t: [p - y for p, y in _pairs(_softmax(a), _one_hot(t, len(a)))],
    ),
}


def _activation(which: Activation) -> tuple[Function, Function]:
    return _named("linear" if which is None else which, activations, "activation", "or give a pair (g, g')")


def _loss(which: Loss) -> tuple[Error, Pull]:
    return _named(which, losses, "loss", "or give a pair (E, ∂E/∂a)")


def _named(which: Any, table: Mapping[str, P], what: str, or_else: str) -> P:
    """The pair of functions of that name; a pair stands for itself."""
    if isinstance(which, tuple) and len(which) == 2 and all(map(callable, which)):
        return which  # type: ignore[return-value]
    if not isinstance(which, str) or which not in table:
        raise ValueError(f"unknown {what} {which!r:.60}; written by hand are {', '.join(table)}; {or_else}")
    return table[which]
