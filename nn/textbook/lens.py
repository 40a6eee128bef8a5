"""The Δ lens: Δ of each neuron by autograd, by the textbook and by finite differences, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import nan

from engine import Value, as_value, grad, no_grad
from nn.model.activations import apply
from nn.model.modules import MLP, Layer, Module, Neuron, one_or_list
from nn.textbook import adapter
from nn.textbook import backprop as textbook
from nn.textbook.report import DeltaReport, NeuronRow, WeightRow
from nn.training import losses
from nn.training.losses import Loss
from nn.validation import Floats, InputValues, as_floats, as_inputs, expected

__all__ = ["DeltaReport", "NeuronRow", "WeightRow", "deltas"]

Net = list[list[Neuron]]
PerNeuron = list[list[float]]  # [layer][neuron]
Difference = tuple[float, tuple[float, float] | None]  # the central one; left and right at a kink
PerWeight = list[list[list[float]]]  # [layer][neuron][input]

STEP = 6e-6  # the cube root of the rounding of a float, where a central difference is most exact
JUMP = 1e-6  # a kink: left and right differ by more than this part of the largest number in the computation,
NOISE = 100 * 2.3e-16 / STEP  # and by more than this part of what the signals contribute to E
FINER = 64  # a kink is confirmed by a step smaller by this factor
TINY = 1e-300  # numbers below it have fewer digits


def deltas(model: Module, x: Floats, t: object, loss: str | Loss = "half_squared_error") -> DeltaReport:
    """Compute Δ of every neuron for one sample: by autograd, by the textbook and by finite differences.

        output node    Δ_k = g'(in_k) · -∂E/∂a_k,      which is g'(in_k) (t_k - a_k) for E = ½ Σ (t_k - a_k)²
        hidden node    Δ_j = g'(in_j) Σ_k w_jk Δ_k
        theorem        Δ_k = -∂E/∂in_k     and     -∂E/∂w_jk = a_j Δ_k

    Args:
        model: an MLP, a Layer or a Neuron, of any depth and with any activation.
        x: the inputs of the sample, plain numbers.
        t: its target, as the loss takes it.
        loss: E, the name of a loss or a function of (outputs, target).

    Returns:
        A `DeltaReport`. No ``.grad`` is read or written.

    Raises:
        TypeError: the model is not made of neurons, or x is not a list of numbers.
        ValueError: the sample does not fit the model, its target does not fit the loss, nothing was
            recorded, or the neurons of a layer have different activations.

    >>> from nn.model.modules import MLP
    >>> report = deltas(MLP(2, [2, 1], activation="sigmoid"), [0.05, 0.10], 0.01)
    >>> report.disagreement < 1e-12 and report.finite_difference_error < 1e-7
    True
    """
    net, E = _neurons(model), losses.get_loss(loss)
    inputs = as_floats(x, net[0][0].nin)
    error, by_autograd, minus_gradients = _autograd(net, inputs, t, E)

    book, E_book, t_book = adapter.layers(net), adapter.loss(E), adapter.target(E, t)
    zs, outs = textbook.forward(book, inputs)
    by_hand = textbook.deltas(book, inputs, t_book, E_book)
    products = [dW for dW, _ in textbook.gradients(book, inputs, t_book, E_book)]
    derivatives = [[derivative(z_k) for z_k in z] for z, (_, _, (_, derivative)) in zip(zs, book)]
    downstream = [  # the Δ of a node with g' = 1
        *(
            textbook.hidden_deltas(z, None, W_next, delta)
            for z, (W_next, _, _), delta in zip(zs, book[1:], by_hand[1:])
        ),
        textbook.output_deltas(zs[-1], outs[-1], t_book, None, E_book),
    ]
    found = [abs(d) for layer in by_autograd for d in layer]
    largest = max(abs(error), *map(abs, outs[-1]), *found)
    signal = max(abs(number) for layer in (*zs, *outs) for number in layer)
    jump = max(JUMP * largest, NOISE * signal * max(found), TINY)
    by_differences = _finite_differences(net, zs, t, E, jump)

    columns = zip(zs, outs, derivatives, downstream, by_autograd, by_hand, by_differences)
    neurons = [
        NeuronRow(l, k, *row, *difference)
        for l, (*layer, differences) in enumerate(columns, 1)
        for k, (*row, difference) in enumerate(zip(*layer, differences))
    ]
    weights = [
        WeightRow(l, k, j, *pair)
        for l, layer in enumerate(zip(minus_gradients, products), 1)
        for k, neuron in enumerate(zip(*layer))
        for j, pair in enumerate(zip(*neuron))
    ]
    disagreement = _disagreement(neurons, weights, _sizes(book, derivatives, downstream), [inputs, *outs])
    fd_error = _finite_difference_error(neurons, largest, jump)
    return DeltaReport(repr(model), losses.name(E), error, neurons, weights, disagreement, fd_error)


def _neurons(model: Module) -> Net:
    if isinstance(model, MLP):
        return [layer.neurons for layer in model.layers]
    if isinstance(model, Layer):
        return [model.neurons]
    if isinstance(model, Neuron):
        return [[model]]
    expected("expected an MLP, a Layer or a Neuron", model)


def _autograd(net: Net, x: list[float], t: object, E: Loss) -> tuple[float, PerNeuron, PerWeight]:
    """Return E, and from one recorded pass -∂E/∂in of every neuron and -∂E/∂w of every weight."""
    values, zs = as_inputs(x, len(x)), []
    for layer in net:
        zs.append([neuron.preactivation(values) for neuron in layer])
        values = InputValues([neuron.activate(z_k) for neuron, z_k in zip(layer, zs[-1])])
    error = as_value(E(one_or_list(values), t))
    if not error.parents:
        raise ValueError(
            f"{losses.name(E)} recorded nothing: it does not depend on the outputs, or no_grad is on"
        )
    nodes = [z_k for z in zs for z_k in z] + [w for layer in net for neuron in layer for w in neuron.w]
    minus = iter([-gradient for gradient in grad(error, nodes)])
    by_neuron = [[next(minus) for _ in z] for z in zs]
    return error.data, by_neuron, [[[next(minus) for _ in neuron.w] for neuron in layer] for layer in net]


def _finite_differences(net: Net, zs: PerNeuron, t: object, E: Loss, jump: float) -> list[list[Difference]]:
    """Return -(E(in_k + h) - E(in_k - h)) / 2h of every neuron; NaN where E is not defined on both sides.

    Beside it stands None, or at a kink the differences on the left and on the right. Each of these is
    extrapolated from h and h / 2, so that at a smooth place they differ by rounding only, not by curvature.
    A difference above ``jump`` that a smaller h does not confirm is that of a kink nearby, or of an E that
    varies within h; the difference of the smaller h is then the better one.
    """

    def error(l: int, k: int, z_k: float) -> float:
        z = [*zs[l][:k], z_k, *zs[l][k + 1 :]]
        a = [apply(n.activation, z_i) for n, z_i in zip(net[l], z)]
        for layer in net[l + 1 :]:
            a = [neuron.predict_floats(a) for neuron in layer]
        with no_grad():
            return as_value(E(one_or_list([Value(a_k) for a_k in a]), t)).data

    def quotients(l: int, k: int, z: float, h: float) -> tuple[float, float, float]:
        points = [z - h, z - h / 2, z, z + h / 2, z + h]
        try:
            E0, E1, E2, E3, E4 = (error(l, k, z_k) for z_k in points)
        except (ArithmeticError, ValueError):
            return nan, nan, nan
        z0, z1, z2, z3, z4 = points
        left = 2 * (E1 - E2) / (z2 - z1) - (E0 - E2) / (z2 - z0)
        right = 2 * (E2 - E3) / (z3 - z2) - (E2 - E4) / (z4 - z2)
        return (E0 - E4) / (z4 - z0), left, right

    def difference(l: int, k: int, z: float) -> Difference:
        h = STEP * max(1.0, abs(z))
        central, left, right = quotients(l, k, z, h)
        if not abs(left - right) > jump:
            return central, None
        finer, finer_left, finer_right = quotients(l, k, z, h / FINER)
        if abs(finer_left - finer_right) > abs(left - right) / 2:
            return central, (left, right)
        return finer, None

    return [[difference(l, k, z_k) for k, z_k in enumerate(z)] for l, z in enumerate(zs)]


def _sizes(book: Sequence[textbook.Layer], derivatives: PerNeuron, downstream: PerNeuron) -> PerNeuron:
    """Return the size of the terms of each Δ: its size if no terms cancelled and no derivative were small.

    Rounding makes two correct computations of Δ differ by about 1e-16 times this size.
    """
    above = [max(1.0, abs(term)) for term in downstream[-1]]
    found: PerNeuron = []
    for l in reversed(range(len(book))):
        terms = zip(derivatives[l], above, downstream[l])
        found.insert(0, [abs(g) * size + abs(term) for g, size, term in terms])
        W_abs = [[abs(w) for w in row] for row in book[l][0]]
        above = textbook.hidden_deltas([0.0] * len(W_abs[0]), None, W_abs, found[0])
    return found


def _disagreement(
    neurons: list[NeuronRow], weights: list[WeightRow], sizes: PerNeuron, signals: PerNeuron
) -> float:
    """Return the largest difference between autograd and textbook, relative to the sizes of their terms."""
    errors = [(n.autograd - n.textbook, sizes[n.layer - 1][n.index]) for n in neurons]
    for w in weights:
        size = sizes[w.layer - 1][w.index] * abs(signals[w.layer - 1][w.input])
        errors.append((w.minus_gradient - w.product, size))
    return _worst([abs(error) / max(size, TINY) for error, size in errors])


def _finite_difference_error(neurons: list[NeuronRow], largest: float, jump: float) -> float:
    """Return the largest error of a finite difference, relative to the largest number in its computation.

    At a kink, only a number outside the interval from left to right is an error; NaN if nothing is compared.
    """
    errors = []
    for n in neurons:
        if n.kink is None:
            errors.append(abs(n.finite_difference - n.autograd))
        elif not min(n.kink) - jump <= n.autograd <= max(n.kink) + jump:
            errors.append(min(abs(side - n.autograd) for side in n.kink))
    return _worst([e / max(largest, TINY) for e in errors]) if errors else nan


def _worst(errors: Iterable[float]) -> float:
    """Return the largest error, or NaN if one of them is NaN."""
    worst = 0.0
    for e in errors:
        worst = e if e > worst or e != e else worst
    return worst
