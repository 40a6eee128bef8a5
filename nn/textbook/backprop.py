"""Backpropagation as the textbook writes it, by hand on plain floats, independent of the rest of the code.

A net is a list of layers ``(W, b, activation)``; ``W[k][j]`` is the weight from node j to node k. There are
two forms, and they differ in sign:

    scalar form     Δ_k = -∂E/∂in_k     one node at a time      w ← w + η a Δ
    matrix form     δ⁽ˡ⁾ = ∂L/∂z⁽ˡ⁾     one layer at a time     W ← W - η δ aᵀ      so Δ = -δ

in_k and z_k are two names of one number, and so are E and L, g and σ. Note the indices: ∂in_k/∂w_jk is a_j
and ∂in_k/∂a_j is w_jk; some texts print a_i and w_ij there by mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import cos, erfc, exp, log, log1p, pi, sin, sqrt, tanh
from typing import NoReturn, TypeAlias, TypeVar, cast

__all__ = [
    "forward", "output_deltas", "hidden_deltas", "deltas", "gradients", "update", "backward_matrix",
    "activations", "losses",
]  # fmt: skip

P = TypeVar("P")
Q = TypeVar("Q")
F = TypeVar("F", bound="tuple[Callable[..., object], Callable[..., object]]")

Vector: TypeAlias = Sequence[float]
Matrix: TypeAlias = Sequence[Vector]
Target: TypeAlias = float | Vector
Function: TypeAlias = Callable[[float], float]
Error: TypeAlias = Callable[..., float]  # E(a, t), where t may be anything that E expects
ErrorDerivative: TypeAlias = Callable[..., Vector]  # the list of ∂E/∂a_k, from (a, t)
Activation: TypeAlias = str | tuple[Function, Function] | None  # a name, the pair (g, g'), or None for a = z
Loss: TypeAlias = str | tuple[Error, ErrorDerivative]  # a name, or the pair (E, ∂E/∂a)
Layer: TypeAlias = tuple[Matrix, Vector, Activation]
PerLayer: TypeAlias = list[tuple[list[list[float]], list[float]]]  # one entry for (W, b) of each layer


def forward(layers: Sequence[Layer], x: Vector) -> tuple[list[list[float]], list[list[float]]]:
    """Run the net: in_k = b_k + Σ_j w_jk a_j and a_k = g(in_k), layer after layer.

    Args:
        layers: ``(W, b, activation)`` each; an activation is a name of `activations`, None or (g, g').
        x: the inputs, as many as each row of the first W has weights.

    Returns:
        ``(zs, activations)``: for each layer the list of its in_k, and the list of its a_k. x is in neither.

    Raises:
        ValueError: W does not fit its inputs or b, or the activation is unknown.
        TypeError: layers is not a list of such layers, or W, b or x is not made of numbers.

    >>> forward([([[0.5, -1.0]], [0.25], "relu")], [1.0, 2.0])
    ([[-1.25]], [[0.0]])
    """
    zs, outs, a = [], [], _vector(x, "x is a list of numbers")
    for number, (W, b, activation) in enumerate(_check_layers(layers), 1):
        g, _ = _activation(activation)
        if [len(row) for row in W] != [len(a)] * len(b):
            shape = f"rows of {[len(row) for row in W]} weights"
            raise ValueError(f"layer {number}: expected {len(b)} rows of {len(a)} weights each, not {shape}")
        z = [_weighted_sum(row, a, bias) for row, bias in zip(W, b)]
        a = [g(z_k) for z_k in z]
        zs.append(z)
        outs.append(a)
    return zs, outs


# The scalar form: one node at a time, Δ


def output_deltas(
    z: Vector, a: Vector, t: Target, activation: Activation, loss: Loss = "half_squared_error"
) -> list[float]:
    """Return Δ_k = g'(in_k) · (-∂E/∂a_k) of the output nodes: g'(in_k) (t_k - a_k) for E = ½ Σ (t_k - a_k)².

    >>> output_deltas([3.0], [3.0], [5.0], None)
    [2.0]
    """
    derivative, dE_da = _activation(activation)[1], _loss(loss)[1]
    return [derivative(z_k) * -e_k for z_k, e_k in _pairs(z, dE_da(_vector(a), t))]


def hidden_deltas(z: Vector, activation: Activation, W_next: Matrix, deltas_next: Vector) -> list[float]:
    """Return Δ_j of hidden nodes: g'(in_j) Σ_k w_jk Δ_k, over the nodes k of the next layer.

    >>> hidden_deltas([1.0, -1.0], "relu", [[0.5, 4.0]], [2.0])
    [1.0, 0.0]
    """
    _, derivative = _activation(activation)
    weights_from = _transpose(_matrix(W_next, "W_next"))  # weights_from[j][k] is w_jk, one row for each j
    return [derivative(z_j) * _weighted_sum(w_j, deltas_next) for z_j, w_j in _zip(_vector(z), weights_from)]


def deltas(
    layers: Sequence[Layer], x: Vector, t: Target, loss: Loss = "half_squared_error"
) -> list[list[float]]:
    """Return Δ_k = -∂E/∂in_k of every node, layer by layer, computed from the last layer to the first.

    >>> deltas([([[2.0]], [0.0], None), ([[3.0]], [0.0], None)], [1.0], [7.0])
    [[3.0], [1.0]]
    """
    zs, outs = forward(layers, x)
    found = [output_deltas(zs[-1], outs[-1], t, layers[-1][2], loss)]
    for l in reversed(range(len(layers) - 1)):
        found.insert(0, hidden_deltas(zs[l], layers[l][2], layers[l + 1][0], found[0]))
    return found


def gradients(layers: Sequence[Layer], x: Vector, t: Target, loss: Loss = "half_squared_error") -> PerLayer:
    """Return (-∂E/∂W, -∂E/∂b) for each layer: -∂E/∂w_jk = a_j Δ_k and -∂E/∂b_k = Δ_k.

    >>> gradients([([[2.0, 0.0]], [0.0], None)], [1.0, 10.0], [5.0])
    [([[3.0, 30.0]], [3.0])]
    """
    inputs = [list(x), *forward(layers, x)[1]]
    return [
        ([[a_j * delta_k for a_j in a] for delta_k in delta], delta)
        for a, delta in zip(inputs, deltas(layers, x, t, loss))
    ]


def update(layers: Sequence[Layer], steps: PerLayer, rate: float) -> list[Layer]:
    """Return the net after one step of size η = rate: w_jk ← w_jk + η a_j Δ_k and b_k ← b_k + η Δ_k.

    ``steps`` is the result of `gradients`: all are computed before any weight changes. (In the matrix
    form, W ← W - η ∂L/∂W, the same step is ``update(layers, derivatives, -rate)``.)

    >>> net = [([[2.0]], [0.0], None)]
    >>> update(net, gradients(net, [1.0], [5.0]), rate=0.5)
    [([[3.5]], [1.5], None)]
    """
    if not _is_number(rate):
        _refuse("rate is a number", rate)
    found: list[Layer] = []
    for (W, b, activation), step in _zip(
        _check_layers(layers), list(_list(steps, "steps is a list of (dW, db)"))
    ):
        if not isinstance(step, (tuple, list)) or len(step) != 2:
            _refuse("a step is a pair (dW, db)", step)
        new_W = [_step(w, dw, rate) for w, dw in _zip(W, _matrix(step[0], "dW"))]
        found.append((new_W, _step(b, step[1], rate), activation))
    return found


# The matrix form: one layer at a time, δ


def backward_matrix(
    layers: Sequence[Layer], x: Vector, t: Target, loss: Loss = "half_squared_error"
) -> tuple[list[list[float]], PerLayer]:
    """Compute the gradient in the matrix form, with the sign δ⁽ˡ⁾ = ∂L/∂z⁽ˡ⁾.

        δ⁽ᴸ⁾ = ∂L/∂a⁽ᴸ⁾ ⊙ σ'(z⁽ᴸ⁾)        δ⁽ˡ⁾ = (W⁽ˡ⁺¹⁾ᵀ δ⁽ˡ⁺¹⁾) ⊙ σ'(z⁽ˡ⁾)
        ∂L/∂W⁽ˡ⁾ = δ⁽ˡ⁾ a⁽ˡ⁻¹⁾ᵀ           ∂L/∂b⁽ˡ⁾ = δ⁽ˡ⁾

    Returns:
        ``(δs, [(∂L/∂W, ∂L/∂b), ...])``, one of each per layer.

    >>> backward_matrix([([[2.0]], [0.0], None), ([[3.0]], [0.0], None)], [1.0], [7.0])
    ([[-3.0], [-1.0]], [([[-3.0]], [-3.0]), ([[-2.0]], [-1.0])])
    """
    zs, outs = forward(layers, x)
    derivatives = [[_activation(layer[2])[1](z_k) for z_k in z] for layer, z in zip(layers, zs)]  # σ'(z⁽ˡ⁾)
    found = [_hadamard(_loss(loss)[1](outs[-1], t), derivatives[-1])]
    for l in reversed(range(len(layers) - 1)):
        found.insert(0, _hadamard(_matvec(_transpose(layers[l + 1][0]), found[0]), derivatives[l]))
    return found, [(_outer(delta, a), list(delta)) for delta, a in zip(found, [list(x), *outs])]


def _pairs(u: Vector, v: Vector) -> Iterator[tuple[float, float]]:
    return _zip(_vector(u), _vector(v))


def _zip(u: Sequence[P], v: Sequence[Q]) -> Iterator[tuple[P, Q]]:
    if len(u) != len(v):
        what = f"not {len(u)} and {len(v)}: {_brief(u)} and {_brief(v)}"
        raise ValueError(f"expected lists of one length, {what}")
    return zip(u, v)


def _weighted_sum(weights: Vector, inputs: Vector, bias: float = 0.0) -> float:
    for w, a in _pairs(weights, inputs):  # not sum(): since Python 3.12 it rounds differently
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


# Activations and losses, with their derivatives


def _sigmoid(z: float) -> float:
    return 1 / (1 + exp(-z)) if z >= 0 else exp(z) / (1 + exp(z))


def _normal_cdf(z: float) -> float:
    return erfc(-z / sqrt(2)) / 2


#: name: (g(z), g'(z)). At a kink, g' is the derivative on the left side: relu'(0) = 0.
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


def _cross_entropy(a: Vector, t: Target) -> float:  # -log softmax(a)_t
    rest = log(sum(exp(a_k - max(a)) for a_k in a))
    return rest + sum(y_k * (max(a) - a_k) for a_k, y_k in _pairs(a, _one_hot(t, len(a))))


def _one_hot(t: Target, n: int) -> list[float]:
    if isinstance(t, Sequence):
        return _vector(t)
    if t not in range(n):
        raise ValueError(f"the class is a whole number from 0 to {n - 1}, not {_brief(t)}")
    return [float(k == t) for k in range(n)]


def _each(derivative: Callable[[float, float], float]) -> ErrorDerivative:
    """Return the function that lists ∂E/∂a_k of every output, where each depends on its own target alone."""
    return lambda a, t: [derivative(a_k, t_k) for a_k, t_k in _pairs(a, t)]


def _mean(derivative: Callable[[float, float], float]) -> ErrorDerivative:
    return lambda a, t: [s / len(a) for s in _each(derivative)(a, t)]


#: name: (E(a, t), the list of ∂E/∂a_k). `a` and `t` are lists; cross_entropy also takes a class index for t.
losses: dict[str, tuple[Error, ErrorDerivative]] = {
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


# Arguments


def _activation(which: Activation) -> tuple[Function, Function]:
    name = "linear" if which is None else which
    return _named(name, activations, "activation", "or give a pair (g, g')")


def _loss(which: Loss) -> tuple[Error, ErrorDerivative]:
    return _named(which, losses, "loss", "or give a pair (E, ∂E/∂a)")


def _named(which: str | F, table: Mapping[str, F], what: str, or_else: str) -> F:
    """Return the pair of functions of that name; a pair is returned as it is."""
    if isinstance(which, tuple) and len(which) == 2 and all(map(callable, which)):
        return which
    if not isinstance(which, str) or which not in table:
        known = ", ".join(table)
        raise ValueError(f"unknown {what} {_brief(which)}; the textbook has {known}; {or_else}")
    return table[which]


def _check_layers(layers: Sequence[Layer]) -> Sequence[Layer]:
    what = "expected a list of layers (W, b, activation)"
    if not len(_list(layers, what)):
        raise ValueError("expected at least one layer (W, b, activation), not an empty list")
    for number, layer in enumerate(layers, 1):
        if not isinstance(layer, (tuple, list)) or len(layer) != 3:
            _refuse(f"layer {number}: expected (W, b, activation)", layer)
        _matrix(layer[0], f"layer {number}: W")
        _vector(layer[1], f"layer {number}: b is a list of numbers")
    return layers


def _matrix(W: object, name: str) -> list[list[float]]:
    rows = [
        _vector(row, f"{name} is a list of lists of numbers")
        for row in _list(W, f"{name} is a list of lists")
    ]
    if len({len(row) for row in rows}) > 1:
        raise ValueError(f"{name}: expected lists of one length, not {[len(row) for row in rows]}")
    return rows


def _vector(v: object, what: str = "expected a list of numbers") -> list[float]:
    numbers = list(_list(v, what))
    for x in numbers:
        if not _is_number(x):
            raise TypeError(f"{what}; {_brief(x)} in it is of type {type(x).__name__}")
    return cast("list[float]", numbers)


def _list(v: object, what: str) -> Sequence[object]:
    """Return ``v`` if it is a list, a tuple or an array."""
    ordered = hasattr(v, "__len__") and hasattr(v, "__iter__")
    if not ordered or isinstance(v, (str, bytes, set, frozenset, Mapping)):
        _refuse(what, v)
    return cast("Sequence[object]", v)


def _is_number(x: object) -> bool:
    return hasattr(x, "__float__") and not hasattr(x, "__len__")


def _refuse(what: str, x: object) -> NoReturn:
    raise TypeError(f"{what}, not {type(x).__name__}: {_brief(x)}")


def _brief(x: object) -> str:
    return f"{x!r}"[:60].replace("\n", " ").rstrip()
