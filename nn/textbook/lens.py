"""The Δ lens: Δ of each neuron by autograd, by the textbook and by finite differences, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import nan
from typing import NamedTuple, cast, overload

from engine import Value, as_value, grad, no_grad, total
from nn.model.activations import apply
from nn.model.modules import MLP, Layer, Module, Neuron, one_or_list
from nn.textbook import adapter
from nn.textbook import backprop as textbook
from nn.textbook.report import BiasRow, DeltaReport, NeuronRow, WeightRow
from nn.training import losses
from nn.training.losses import Loss
from nn.validation import (
    Floats,
    InputValues,
    Rows,
    as_floats,
    as_inputs,
    as_list,
    as_rows,
    expected,
    is_list,
)

__all__ = ["BiasRow", "DeltaReport", "NeuronRow", "WeightRow", "deltas"]

Net = list[list[Neuron]]
PerNeuron = list[list[float]]  # [layer][neuron]
Difference = tuple[float, tuple[float, float] | None]  # the central one; left and right at a kink
PerWeight = list[list[list[float]]]  # [layer][neuron][input]

STEP = 6e-6  # the cube root of the rounding of a float, where a central difference is most exact
JUMP = 1e-6  # a kink: left and right differ by more than this part of the largest number in the computation,
NOISE = 100 * 2.3e-16 / STEP  # and by more than this part of what the signals contribute to E
FINER = 64  # a kink is confirmed by a step smaller by this factor
TINY = 1e-300  # numbers below it have fewer digits


@overload
def deltas(
    model: Module, x: Sequence[float], t: object, loss: str | Loss = "half_squared_error"
) -> DeltaReport: ...
@overload
def deltas(model: Module, x: Rows, t: object, loss: str | Loss = "half_squared_error") -> DeltaReport: ...
def deltas(
    model: Module, x: Floats | Rows, t: object, loss: str | Loss = "half_squared_error"
) -> DeltaReport:
    """Compute Δ of every neuron for one sample or a batch: by autograd, by hand and by finite differences.

        output node    Δ_k = g'(in_k) · -∂E/∂a_k,      which is g'(in_k) (t_k - a_k) for E = ½ Σ (t_k - a_k)²
        hidden node    Δ_j = g'(in_j) Σ_k w_jk Δ_k
        theorem        Δ_k = -∂E/∂in_k     and     -∂E/∂w_jk = a_j Δ_k

    For a batch E = Σ_n E_n, every sample has its own Δ, and -∂E/∂w_jk = Σ_n a_j Δ_k.

    Args:
        model: an MLP, a Layer or a Neuron, of any depth and with any activation.
        x: the inputs of the sample, plain numbers; for a batch a list of such lists.
        t: its target, as the loss takes it; for a batch a list of targets.
        loss: E_n, the name of a loss or a function of (outputs, target).

    Returns:
        A `DeltaReport`. No ``.grad`` is read or written.

    Raises:
        TypeError: the model is not made of neurons, or x is not a list of numbers.
        ValueError: a sample does not fit the model, its target does not fit the loss, a batch has not one
            target for each sample, nothing was recorded, or the neurons of a layer have different
            activations.

    >>> from nn.model.modules import MLP
    >>> net = MLP(2, [2, 1], activation="sigmoid")
    >>> report = deltas(net, [0.05, 0.10], 0.01)
    >>> report.disagreement < 1e-12 and report.finite_difference_error < 1e-7
    True
    >>> batch = deltas(net, [[0.05, 0.10], [1.0, -1.0]], [0.01, 0.99])
    >>> len(batch.neurons), len(batch.weights), batch.error == sum(batch.errors)
    (6, 6, True)
    """
    net, E = _neurons(model), losses.get_loss(loss)
    xs, ts = _samples(x, t, net[0][0].nin)
    errors, by_autograd, minus_biases, minus_weights = _autograd(net, xs, ts, E)
    samples = [
        _sample(net, n, x_n, t_n, E, error, signals)
        for n, (x_n, t_n, error, signals) in enumerate(zip(xs, ts, errors, by_autograd), 1)
    ]
    places = [(l, k) for l, layer in enumerate(net) for k in range(len(layer))]
    by_hand = {(l, k): tuple([sample.deltas[l][k] for sample in samples]) for l, k in places}
    weights = []
    for l, k in places:
        for j, w in enumerate(net[l][k].w):
            a = tuple([sample.signals[l][j] for sample in samples])
            product = _sum([a_j * delta for a_j, delta in zip(a, by_hand[l, k])])
            minus = minus_weights[l][k][j]
            weights.append(WeightRow(l + 1, k, j, minus, product, w.data, a, by_hand[l, k]))
    biases = [
        BiasRow(l + 1, k, minus_biases[l][k], _sum(by_hand[l, k]), net[l][k].b.data, by_hand[l, k])
        for l, k in places
    ]
    neurons = [row for sample in samples for row in sample.rows]
    disagreement = _disagreement(samples, weights, biases)
    fd_error = _worst_or_nan([sample.error for sample in samples])
    targets = [sample.target for sample in samples]
    return DeltaReport(
        repr(model), losses.name(E), _sum(errors), neurons, weights, disagreement, fd_error,
        biases, errors, xs, targets,
    )  # fmt: skip


class _Sample(NamedTuple):
    """The results for one sample."""

    rows: list[NeuronRow]
    deltas: PerNeuron  #: Δ by hand
    sizes: PerNeuron  #: the sizes of the terms of each Δ
    signals: PerNeuron  #: x, and the activations of each layer
    target: object  #: t, a list of floats for the losses of `nn.losses`
    error: float  #: the largest error of a finite difference


def _samples(x: Floats | Rows, t: object, nin: int) -> tuple[list[list[float]], list[object]]:
    """Return the inputs and the target of each sample; of a single one, lists of length 1."""
    if not (is_list(x) and len(x) and is_list(x[0])):
        return [as_floats(cast("Floats", x), nin)], [t]
    xs, ts = as_rows(cast("Rows", x), nin), as_list("the targets of a batch are a list", t)
    if len(xs) != len(ts):
        raise ValueError(f"expected one target for each sample, got {len(xs)} samples, {len(ts)} targets")
    return xs, ts


def _sample(
    net: Net, n: int, x: list[float], t: object, E: Loss, error: float, by_autograd: PerNeuron
) -> _Sample:
    """Return the rows of one sample: by hand, and by finite differences."""
    book, E_book, t_book = adapter.layers(net), adapter.loss(E), adapter.target(E, t)
    zs, outs = textbook.forward(book, x)
    by_hand = textbook.deltas(book, x, t_book, E_book)
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
    rows = [
        replace(NeuronRow(l, k, *row, *difference), sample=n)
        for l, (*layer, differences) in enumerate(columns, 1)
        for k, (*row, difference) in enumerate(zip(*layer, differences))
    ]
    if has_targets(E) and isinstance(t_book, Sequence):
        last = len(rows) - len(t_book)
        rows[last:] = [replace(row, target=t_k) for row, t_k in zip(rows[last:], t_book)]
    sizes = _sizes(book, derivatives, downstream)
    return _Sample(rows, by_hand, sizes, [x, *outs], t_book, _finite_difference_error(rows, largest, jump))


def has_targets(E: Loss) -> bool:
    """Return whether a loss of `nn.losses` has one target for each output, and not a class."""
    return adapter.is_shipped(E) and E is not losses.cross_entropy


def _neurons(model: Module) -> Net:
    if isinstance(model, MLP):
        return [layer.neurons for layer in model.layers]
    if isinstance(model, Layer):
        return [model.neurons]
    if isinstance(model, Neuron):
        return [[model]]
    expected("expected an MLP, a Layer or a Neuron", model)


def _autograd(
    net: Net, xs: list[list[float]], ts: list[object], E: Loss
) -> tuple[list[float], list[PerNeuron], PerNeuron, PerWeight]:
    """Return, from one recorded pass over all samples, E_n of each and what follows from E = Σ_n E_n.

    These are -∂E/∂in of every neuron for each sample, -∂E/∂b of every bias, and -∂E/∂w of every weight.
    """
    errors, zs = [], []
    for x, t in zip(xs, ts):
        values = as_inputs(x, len(x))
        for layer in net:
            zs.append([neuron.preactivation(values) for neuron in layer])
            values = InputValues([neuron.activate(z_k) for neuron, z_k in zip(layer, zs[-1])])
        errors.append(as_value(E(one_or_list(values), t)))
        if not errors[-1].parents:
            raise ValueError(
                f"{losses.name(E)} recorded nothing: it does not depend on the outputs, or no_grad is on"
            )
    nodes = [z_k for z in zs for z_k in z] + [neuron.b for layer in net for neuron in layer]
    nodes += [w for layer in net for neuron in layer for w in neuron.w]
    root = errors[0] if len(errors) == 1 else total(errors)
    minus = iter([-gradient for gradient in grad(root, nodes)])
    by_neuron = [[[next(minus) for _ in layer] for layer in net] for _ in xs]
    by_bias = [[next(minus) for _ in layer] for layer in net]
    by_weight = [[[next(minus) for _ in neuron.w] for neuron in layer] for layer in net]
    return [error.data for error in errors], by_neuron, by_bias, by_weight


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


def _disagreement(samples: list[_Sample], weights: list[WeightRow], biases: list[BiasRow]) -> float:
    """Return the largest difference between autograd and textbook, relative to the sizes of their terms."""
    errors = [
        (n.autograd - n.textbook, sample.sizes[n.layer - 1][n.index])
        for sample in samples
        for n in sample.rows
    ]
    rows: list[WeightRow | BiasRow] = [*weights, *biases]
    for row in rows:
        sizes = [
            sample.sizes[row.layer - 1][row.index] * abs(a) for sample, a in zip(samples, row.a, strict=True)
        ]
        errors.append((row.minus_gradient - row.product, sum(sizes)))
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


def _worst_or_nan(errors: list[float]) -> float:
    """Return the largest error of the samples in which something was compared, or else NaN."""
    compared = [e for e in errors if e == e]
    return _worst(compared) if compared else nan


def _sum(terms: Sequence[float]) -> float:
    """Return the sum, added from left to right as autograd adds."""
    result = terms[0]
    for term in terms[1:]:
        result += term
    return result


def _worst(errors: Iterable[float]) -> float:
    """Return the largest error, or NaN if one of them is NaN."""
    worst = 0.0
    for e in errors:
        worst = e if e > worst or e != e else worst
    return worst
