"""Exercises on the textbook's rules: forward, Δ at the output and inside, the products, the update, a layer.

A net is a list of layers ``(W, b, (g, dg))``, as in `nn.textbook`: ``W[k][j]`` is the weight from node j to
node k, g the activation and dg its derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from math import cosh, tanh
from typing import NamedTuple, TypeAlias

from nn import textbook
from nn.exercises.checker import Case, Named, Slip, Steps, Topic, Unlike, as_list, as_lists, unlike

Vector: TypeAlias = list[float]
Matrix: TypeAlias = list[Vector]
Pair: TypeAlias = tuple[Callable[[float], float], Callable[[float], float]]
Layer: TypeAlias = tuple[Matrix, Vector, Pair]
Gradients: TypeAlias = list[tuple[Matrix, Vector]]


class Rules:
    """The rules, written once more, of which each slip replaces one part."""

    def weighted_sum(self, w: Vector, a: Vector, b: float) -> float:
        """Return in_k = b_k + Σ_j w_jk a_j."""
        return sum((w_j * a_j for w_j, a_j in zip(w, a)), b)

    def preactivations(self, W: Matrix, b: Vector, a: Vector) -> Vector:
        """Return in_k of a layer."""
        return [self.weighted_sum(row, a, b_k) for row, b_k in zip(W, b)]

    def activations(self, g: Callable[[float], float], z: Vector) -> Vector:
        """Return a_k = g(in_k)."""
        return [g(z_k) for z_k in z]

    def neuron(self, w: Vector, x: Vector, b: float) -> float:
        """Return tanh(b + Σ_j w_j x_j)."""
        return self.activations(tanh, [self.weighted_sum(w, x, b)])[0]

    def layer(self, W: Matrix, b: Vector, a: Vector) -> Vector:
        """Return z = W a + b."""
        return self.preactivations(W, b, a)

    def forward(self, layers: list[Layer], x: Vector) -> tuple[Matrix, Matrix]:
        """Return in_k and a_k of each layer."""
        zs: Matrix = []
        outs: Matrix = []
        a = x
        for W, b, (g, _) in layers:
            zs.append(self.preactivations(W, b, a))
            a = self.activations(g, zs[-1])
            outs.append(a)
        return zs, outs

    def error(self, t: float, a: float, z: float) -> float:
        """Return t_k - a_k."""
        return t - a

    def derivative(self, pair: Pair, z: float) -> float:
        """Return g'(in_k)."""
        return pair[1](z)

    def output_derivative(self, pair: Pair, z: float) -> float:
        """Return g'(in_k) of an output neuron."""
        return self.derivative(pair, z)

    def hidden_derivative(self, pair: Pair, z: float) -> float:
        """Return g'(in_j) of a hidden neuron."""
        return self.derivative(pair, z)

    def output_deltas(self, z: Vector, a: Vector, t: Vector, pair: Pair) -> Vector:
        """Return Δ_k = g'(in_k) (t_k - a_k)."""
        return [
            self.output_derivative(pair, z_k) * self.error(t_k, a_k, z_k) for z_k, a_k, t_k in zip(z, a, t)
        ]

    def signal(self, W: Matrix, j: int, deltas: Vector) -> float:
        """Return Σ_k w_jk Δ_k."""
        return sum(row[j] * delta for row, delta in zip(W, deltas))

    def hidden_deltas(self, z: Vector, pair: Pair, W_next: Matrix, deltas_next: Vector) -> Vector:
        """Return Δ_j = g'(in_j) Σ_k w_jk Δ_k."""
        return [
            self.hidden_derivative(pair, z_j) * self.signal(W_next, j, deltas_next) for j, z_j in enumerate(z)
        ]

    def deltas(self, layers: list[Layer], x: Vector, t: Vector) -> Matrix:
        """Return Δ of every node."""
        zs, outs = self.forward(layers, x)
        found = [self.output_deltas(zs[-1], outs[-1], t, layers[-1][2])]
        for l in reversed(range(len(layers) - 1)):
            found.insert(0, self.hidden_deltas(zs[l], layers[l][2], layers[l + 1][0], found[0]))
        return found

    def inputs(self, x: Vector, zs: Matrix, outs: Matrix) -> Matrix:
        """Return the a_j that each layer takes."""
        return [x, *outs]

    def product(self, a: float, delta: float) -> float:
        """Return a_j Δ_k."""
        return a * delta

    def bias_product(self, delta: float) -> float:
        """Return 1 · Δ_k."""
        return delta

    def gradients(self, layers: list[Layer], x: Vector, t: Vector) -> Gradients:
        """Return (-∂E/∂W, -∂E/∂b) of each layer."""
        inputs = self.inputs(x, *self.forward(layers, x))
        return [
            ([[self.product(a_j, d) for a_j in a] for d in delta], [self.bias_product(d) for d in delta])
            for a, delta in zip(inputs, self.deltas(layers, x, t))
        ]

    def moved(self, w: float, step: float, rate: float) -> float:
        """Return w + η step."""
        return w + rate * step

    def moved_weight(self, w: float, step: float, rate: float) -> float:
        """Return w + η step."""
        return self.moved(w, step, rate)

    def moved_bias(self, b: float, step: float, rate: float) -> float:
        """Return b + η step."""
        return self.moved(b, step, rate)

    def update(self, layers: list[Layer], steps: Gradients, rate: float) -> list[Layer]:
        """Return the net after a step."""
        return [
            (
                [[self.moved_weight(w, d, rate) for w, d in zip(row, drow)] for row, drow in zip(W, dW)],
                [self.moved_bias(p, d, rate) for p, d in zip(b, db)],
                pair,
            )
            for (W, b, pair), (dW, db) in zip(layers, steps)
        ]

    def train_step(self, layers: list[Layer], x: Vector, t: Vector, rate: float) -> list[Layer]:
        """Return the net after a step on one sample."""
        return self.update(layers, self.gradients(layers, x, t), rate)

    def sign(self) -> float:
        """Return the sign of δ = -Δ."""
        return -1.0

    def backward_matrix(self, layers: list[Layer], x: Vector, t: Vector) -> tuple[Matrix, Gradients]:
        """Return δ of each layer, and (∂E/∂W, ∂E/∂b)."""
        s = self.sign()
        deltas = [[s * d for d in delta] for delta in self.deltas(layers, x, t)]
        steps = self.gradients(layers, x, t)
        return deltas, [([[s * d for d in row] for row in dW], [s * d for d in db]) for dW, db in steps]


# The nets: the smallest first


class Net(NamedTuple):
    """A net of tanh neurons and a sample."""

    shape: tuple[int, ...]

    def layers(self) -> list[Layer]:
        """Return fresh layers with small, different numbers."""
        numbers = iter([0.5, -0.2, 0.8, 0.3, -0.6, 0.4, 0.7, -0.3, 0.9, 0.1, -0.5, 0.6] * 4)
        pair = (tanh, lambda z: 1 / cosh(z) ** 2)
        return [
            ([[next(numbers) for _ in range(m)] for _ in range(n)], [next(numbers) for _ in range(n)], pair)
            for m, n in zip(self.shape, self.shape[1:])
        ]

    def x(self) -> Vector:
        """Return the inputs."""
        return [0.7, -0.8, 1.2][: self.shape[0]]

    def t(self) -> Vector:
        """Return the targets."""
        return [0.9, -0.4, 0.1][: self.shape[-1]]

    def __str__(self) -> str:
        weights = ", ".join(f"W{l} = {W}, b{l} = {b}" for l, (W, b, _) in enumerate(self.layers(), 1))
        return f"a net {'-'.join(map(str, self.shape))} of tanh, x = {self.x()}, t = {self.t()}\n{weights}"


SHAPES = (
    (1, 1),
    (2, 1),
    (1, 2),
    (2, 3),
    (1, 1, 1),
    (1, 2, 1),
    (1, 1, 2),
    (2, 2, 2),
    (1, 1, 1, 1),
    (2, 3, 2, 1),
)
Parts: TypeAlias = Callable[..., Iterator[tuple[str, object]]]  # of a result and its net


def _part(result: object, *at: int) -> object:
    """Return a part of a nested result, or what stands in its place."""
    for i in at:
        values = as_list(result)
        if values is None:
            return unlike(result)
        if i >= len(values):
            return Unlike(f"a list of {len(values)}, which ends before that")
        result = values[i]
    return result


def _neurons(
    result: object, layer: int, name: str, at: tuple[int, ...], count: int
) -> Iterator[tuple[str, object]]:
    for k in range(count):
        yield f"{name} of neuron {k} in layer {layer}", _part(result, *at, k)


def _forward_parts(result: object, net: Net) -> Iterator[tuple[str, object]]:
    for l, n in enumerate(net.shape[1:]):
        yield from _neurons(result, l + 1, "in_k", (0, l), n)
        yield from _neurons(result, l + 1, "a_k", (1, l), n)


def _delta_parts(
    result: object, net: Net, name: str = "Δ", at: tuple[int, ...] = ()
) -> Iterator[tuple[str, object]]:
    for l in reversed(range(len(net.shape) - 1)):
        yield from _neurons(result, l + 1, name, (*at, l), net.shape[l + 1])


def _weight_parts(
    result: object, net: Net, w: str, b: str, at: tuple[int, ...] = ()
) -> Iterator[tuple[str, object]]:
    for l in reversed(range(len(net.shape) - 1)):
        for k in range(net.shape[l + 1]):
            for j in range(net.shape[l]):
                yield f"{w} from {j} to {k} in layer {l + 1}", _part(result, *at, l, 0, k, j)
            yield f"{b} of neuron {k} in layer {l + 1}", _part(result, *at, l, 1, k)


def _matrix_parts(result: object, net: Net) -> Iterator[tuple[str, object]]:
    yield from _delta_parts(result, net, "δ", (0,))
    yield from _weight_parts(result, net, "∂E/∂w", "∂E/∂b", (1,))


def _vector_parts(result: object, net: Net, name: str, layer: int = -1) -> Iterator[tuple[str, object]]:
    values, count = as_list(result), net.shape[layer]
    if values is None or len(values) != count:
        yield name, unlike(result, f"a list of {count} number{'s' * (count > 1)}")
    else:
        yield from ((f"{name} of neuron {k}", x) for k, x in enumerate(values))


def _exercise(net: Net, name: str) -> tuple[object, ...]:
    """Return fresh arguments of an exercise."""
    layers, x, t = net.layers(), net.x(), net.t()
    W, b, pair = layers[-1]
    if name == "neuron":
        return W[0], x, b[0]
    if name == "layer":
        return W, b, x
    if name == "forward":
        return layers, x
    if name in ("deltas", "gradients", "backward_matrix"):
        return layers, x, t
    if name == "train_step":
        return layers, x, t, RATE
    if name == "update":
        return layers, textbook.gradients(layers, x, t), RATE
    zs, outs = textbook.forward(layers, x)
    if name == "output_deltas":
        return zs[-1], outs[-1], t, pair
    return zs[-2], pair, W, textbook.output_deltas(zs[-1], outs[-1], t, pair)


EXERCISES: dict[str, Parts] = {
    "neuron": lambda result, net: iter([("tanh(b + Σ w x)", result)]),
    "layer": partial(_vector_parts, name="z"),
    "forward": _forward_parts,
    "output_deltas": partial(_vector_parts, name="Δ_k"),
    "hidden_deltas": partial(_vector_parts, name="Δ_j", layer=-2),
    "deltas": _delta_parts,
    "gradients": partial(_weight_parts, w="a_j Δ_k", b="Δ_k, the step of the bias,"),
    "update": partial(_weight_parts, w="the new weight", b="the new bias"),
    "train_step": partial(_weight_parts, w="the new weight", b="the new bias"),
    "backward_matrix": _matrix_parts,
}
RATE = 0.3
SINGLE = ("neuron", "layer", "output_deltas")  # exercises on the last layer only
RIGHT = {name: getattr(textbook, name) for name in EXERCISES if hasattr(textbook, name)}


def _case(name: str, net: Net) -> Case:
    def run(solution: object) -> Steps:
        assert callable(solution)
        yield (
            f"{name}(...)",
            lambda: Named(EXERCISES[name](as_lists(solution(*_exercise(net, name))), net)),
        )

    return Case(str(net), run)


def parts_of_layers(result: object, net: Net) -> Iterator[tuple[str, object]]:
    """Iterate over the weights and biases of layers, the last layer first."""
    return _weight_parts(result, net, "the new weight", "the new bias")


@cache
def topic(name: str) -> Topic:
    """Return the topic of one rule."""
    rules = Rules()
    shapes = [
        shape
        for shape in SHAPES
        if (len(shape) == 2 or name not in SINGLE) and (len(shape) > 2 or name != "hidden_deltas")
    ]
    right = RIGHT.get(name) or getattr(rules, name)

    def build(parts: Mapping[str, object]) -> object:
        return getattr(type("Rules", (Rules,), dict(parts))(), name)

    slips = tuple(
        Slip(n, why, build(parts), parts) for n, why, parts in SLIPS if n not in OTHER_NAMES.get(name, ())
    )
    return Topic(name, tuple(_case(name, Net(shape)) for shape in shapes), right, slips, build=build)


# The slips: a name, a sentence, and the parts of the rules that they replace


def _transposed_preactivations(self: Rules, W: Matrix, b: Vector, a: Vector) -> Vector:
    columns = [list(column) for column in zip(*W)]  # a column stands in for a row, repeated to its length
    rows = [(columns[k % len(columns)] * len(a))[: len(a)] for k in range(len(W))]
    return Rules.preactivations(self, rows, b, a)


def _old_and_new(self: Rules, layers: list[Layer], x: Vector, t: Vector, rate: float) -> list[Layer]:
    """Update each layer before the Δ of the layer below is computed."""
    zs, outs = self.forward(layers, x)
    inputs, found = [x, *outs], list(layers)
    delta = self.output_deltas(zs[-1], outs[-1], t, layers[-1][2])
    for l in reversed(range(len(layers))):
        step = [[a_j * d for a_j in inputs[l]] for d in delta], delta
        found[l] = self.update([layers[l]], [step], rate)[0]
        if l:
            delta = self.hidden_deltas(zs[l - 1], layers[l - 1][2], found[l][0], delta)
    return found


def _one(self: Rules, pair: Pair, z: float) -> float:
    return 1.0


def _at_activation(self: Rules, pair: Pair, z: float) -> float:
    return pair[1](pair[0](z))


def _activation(self: Rules, pair: Pair, z: float) -> float:
    return pair[0](z)


def _linear_output(self: Rules, layers: list[Layer], x: Vector) -> tuple[Matrix, Matrix]:
    zs, outs = Rules.forward(self, layers, x)
    return zs, [*outs[:-1], zs[-1]]


def _always_x(self: Rules, layers: list[Layer], x: Vector) -> tuple[Matrix, Matrix]:
    results = [Rules.forward(self, [layer], (x * len(layer[0][0]))[: len(layer[0][0])]) for layer in layers]
    return [z[0] for z, _ in results], [a[0] for _, a in results]


OTHER_NAMES = {  # of slips that have another name where there is one rule only
    "output_deltas": (
        "g' is forgotten inside",
        "g' is forgotten at the output",
        "g' at a_j in place of in_j",
    ),
    "hidden_deltas": (
        "g' is forgotten inside",
        "g' is forgotten at the output",
        "g' at a_k in place of in_k",
    ),
}
SLIPS: list[tuple[str, str, dict[str, object]]] = [
    ("the bias is forgotten", "in_k = b_k + Σ_j w_jk a_j: the bias belongs to the sum.",
     {"weighted_sum": lambda self, w, a, b: Rules.weighted_sum(self, w, a, 0.0)}),
    ("the first input is skipped", "The sum begins with j = 0.",
     {"weighted_sum": lambda self, w, a, b: Rules.weighted_sum(self, w[1:], a[1:], b)}),
    ("the last input is skipped", "The sum runs over all inputs.",
     {"weighted_sum": lambda self, w, a, b: Rules.weighted_sum(self, w[:-1], a[:-1], b)}),
    ("the bias is multiplied by the inputs", "The bias is added once: b + Σ_j w_j a_j.",
     {"weighted_sum": lambda self, w, a, b: sum((w_j + b) * a_j for w_j, a_j in zip(w, a))}),
    ("the bias is added to each weight", "The bias is added once: b + Σ_j w_j a_j.",
     {"weighted_sum": lambda self, w, a, b: Rules.weighted_sum(self, [w_j + b for w_j in w], a, b)}),
    ("the bias is subtracted", "in_k = b_k + Σ_j w_jk a_j.",
     {"weighted_sum": lambda self, w, a, b: Rules.weighted_sum(self, w, a, -b)}),
    ("W is transposed in the forward pass", "W[k][j] is the weight from j to k: row k belongs to neuron k.",
     {"preactivations": _transposed_preactivations}),
    ("elementwise instead of a matrix product", "z_k is a sum over all inputs j, and not w_kk a_k.",
     {"preactivations": lambda self, W, b, a: [row[k % len(row)] * a[k % len(a)] + b_k
                                               for k, (row, b_k) in enumerate(zip(W, b))]}),
    ("the activation is forgotten", "a_k = g(in_k).", {"activations": lambda self, g, z: list(z)}),
    ("the activation of the output layer is forgotten", "The last layer has an activation, too.",
     {"forward": _linear_output}),
    ("the activation is applied twice", "a_k = g(in_k), once.",
     {"activations": lambda self, g, z: [g(g(z_k)) for z_k in z]}),
    ("each layer takes x", "Layer l takes the activations of layer l - 1.", {"forward": _always_x}),
    ("the sign of t - a", "Δ_k = g'(in_k) (t_k - a_k): the target comes first.",
     {"error": lambda self, t, a, z: a - t}),
    ("a factor of 2", "E = ½ Σ (t - a)², so ∂E/∂a = -(t - a), without a 2.",
     {"error": lambda self, t, a, z: 2 * (t - a)}),
    ("in_k in place of a_k", "The error is t_k - a_k: the target is compared with the activation.",
     {"error": lambda self, t, a, z: t - z}),
    ("t - a is squared", "The derivative of ½ (t - a)² is -(t - a).",
     {"error": lambda self, t, a, z: (t - a) ** 2}),
    ("g' at a_k in place of in_k", "The derivative is taken where g was: at in_k.",
     {"derivative": _at_activation}),
    ("g' at a_k in place of in_k", "The derivative is taken where g was: at in_k.",
     {"output_derivative": _at_activation}),
    ("g' at a_j in place of in_j", "The derivative is taken where g was: at in_j.",
     {"hidden_derivative": _at_activation}),
    ("g in place of g'", "Δ has the derivative of the activation.", {"derivative": _activation}),
    ("g in place of g'", "Δ has the derivative of the activation.", {"output_derivative": _activation}),
    ("g in place of g'", "Δ has the derivative of the activation.", {"hidden_derivative": _activation}),
    ("g' is forgotten", "Δ = g'(in) times the error that arrives.", {"derivative": _one}),
    ("g' is forgotten inside", "Δ_j = g'(in_j) Σ_k w_jk Δ_k.", {"hidden_derivative": _one}),
    ("g' is forgotten at the output", "Δ_k = g'(in_k) (t_k - a_k).", {"output_derivative": _one}),
    ("w is left out of Σ w Δ", "The signal of neuron k comes back over the weight w_jk.",
     {"signal": lambda self, W, j, deltas: sum(deltas)}),
    ("Δ is left out of Σ w Δ", "Each weight is multiplied by the Δ of the neuron that it feeds.",
     {"signal": lambda self, W, j, deltas: sum(row[j] for row in W)}),
    ("elementwise instead of Σ w Δ", "The sum runs over all neurons k that j feeds.",
     {"signal": lambda self, W, j, deltas: W[j % len(W)][j] * deltas[j % len(deltas)]}),
    ("only the first neuron of the next layer", "The sum runs over all neurons k that j feeds.",
     {"signal": lambda self, W, j, deltas: W[0][j] * deltas[0]}),
    ("the first neuron of the next layer is skipped", "The sum begins with k = 0.",
     {"signal": lambda self, W, j, deltas: sum(row[j] * d for row, d in zip(W[1:], deltas[1:]))}),
    ("W is not transposed in the backward pass", "Σ_k w_jk Δ_k goes down a column of W: δ is Wᵀ δ.",
     {"signal": lambda self, W, j, deltas: sum(W[j][k] * delta for k, delta in enumerate(deltas))}),
    ("W is not transposed in the backward pass", "Σ_k w_jk Δ_k goes down a column of W: δ is Wᵀ δ.",
     {"signal": lambda self, W, j, deltas: sum(
         W[j % len(W)][k % len(W[0])] * d for k, d in enumerate(deltas))}),
    ("Σ w Δ is divided by the number of neurons", "The contributions are added, not averaged.",
     {"signal": lambda self, W, j, deltas: Rules.signal(self, W, j, deltas) / len(W)}),
    ("the wrong layer's a", "w_jk goes from j to k, so its gradient has a_j, of the layer before.",
     {"inputs": lambda self, x, zs, outs: [(out * len(a))[: len(a)] for a, out in zip([x, *outs], outs)]}),
    ("in_j in place of a_j", "The product is a_j Δ_k, with the activation of j.",
     {"inputs": lambda self, x, zs, outs: [x, *zs]}),
    ("a_j is forgotten", "-∂E/∂w_jk = a_j Δ_k.", {"product": lambda self, a, delta: delta}),
    ("the sign of a Δ", "a_j Δ_k is -∂E/∂w_jk, which already points downhill.",
     {"product": lambda self, a, delta: -a * delta, "bias_product": lambda self, delta: -delta}),
    ("the step of the bias is forgotten", "A bias is a weight whose input is 1: its step is Δ_k.",
     {"bias_product": lambda self, delta: 0.0}),
    ("the sign of the bias's step", "The step of the bias is Δ_k.",
     {"bias_product": lambda self, delta: -delta}),
    ("a step uphill", "w ← w + η a_j Δ_k goes downhill, as a_j Δ_k is -∂E/∂w.",
     {"moved": lambda self, w, step, rate: w - rate * step}),
    ("the learning rate is forgotten", "w ← w + η a_j Δ_k.", {"moved": lambda self, w, step, rate: w + step}),
    ("the weight is replaced by its step", "The step is added to the weight.",
     {"moved": lambda self, w, step, rate: rate * step}),
    ("the weights move uphill", "w ← w + η a_j Δ_k goes downhill, as a_j Δ_k is -∂E/∂w.",
     {"moved_weight": lambda self, w, step, rate: w - rate * step}),
    ("each weight is replaced by its step", "The step is added to the weight.",
     {"moved_weight": lambda self, w, step, rate: rate * step}),
    ("the biases are not moved", "A bias learns, too: b_k ← b_k + η Δ_k.",
     {"moved_bias": lambda self, b, step, rate: b}),
    ("the output weights move before the hidden Δ", "All Δ are computed with the old weights, and then every "
     "weight moves.", {"train_step": _old_and_new}),
    ("the sign of δ", "δ = ∂E/∂z = -Δ.", {"sign": lambda self: 1.0}),
]  # fmt: skip
