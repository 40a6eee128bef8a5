"""The textbook: its derivatives against 50 digits, and its two forms against each other."""

import random
from itertools import pairwise

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp, mpf

from engine import ops
from nn import textbook

POINTS = [-30.0, -3.0, -0.7, -1e-3, 1e-3, 0.4, 2.0, 30.0]

ACTIVATIONS = {
    "linear": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + mp.exp(-z)),
    "tanh": mp.tanh,
    "relu": lambda z: max(z, mpf(0)),
    "leaky_relu": lambda z: z if z > 0 else mpf(0.01) * z,
    "softplus": lambda z: mp.log1p(mp.exp(z)),
    "gelu": lambda z: z * mp.ncdf(z),
    "exp": mp.exp,
    "sin": mp.sin,
    "cos": mp.cos,
}


def softmax(a):
    return [mp.exp(a_k) / sum(mp.exp(a_j) for a_j in a) for a_k in a]


LOSSES = {
    "half_squared_error": lambda a, t: sum((t_k - a_k) ** 2 for a_k, t_k in zip(a, t)) / 2,
    "mean_squared_error": lambda a, t: sum((t_k - a_k) ** 2 for a_k, t_k in zip(a, t)) / len(a),
    "hinge": lambda a, t: sum(max(mpf(0), 1 - t_k * a_k) for a_k, t_k in zip(a, t)) / len(a),
    "binary_cross_entropy": lambda a, t: (
        -sum(
            mp.log(1 / (1 + mp.exp(-a_k))) if t_k else mp.log(1 / (1 + mp.exp(a_k))) for a_k, t_k in zip(a, t)
        )
        / len(a)
    ),
    "cross_entropy": lambda a, t: -mp.log(softmax(a)[t]),
}
TARGETS = {"hinge": [1, -1, 1], "binary_cross_entropy": [1, 0, 0], "cross_entropy": 2}


@pytest.fixture(autouse=True)
def digits():
    with mp.workdps(50):
        yield


def net(seed, sizes, activation="tanh", output="sigmoid"):
    rng = random.Random(seed)
    layers = []
    for l, (n, m) in enumerate(pairwise(sizes)):
        W = [[rng.uniform(-1, 1) for _ in range(n)] for _ in range(m)]
        b = [rng.uniform(-1, 1) for _ in range(m)]
        layers.append((W, b, output if l == len(sizes) - 2 else activation))
    return (
        layers,
        [rng.uniform(-1, 1) for _ in range(sizes[0])],
        [rng.uniform(-1, 1) for _ in range(sizes[-1])],
    )


def test_every_activation_and_loss_has_a_reference_here():
    assert set(textbook.activations) == set(ACTIVATIONS)
    assert set(textbook.losses) == set(LOSSES)


@pytest.mark.parametrize("z", POINTS)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_and_derivatives_agree_with_fifty_digits(name, z):
    g, slope = textbook.activations[name]
    exact = ACTIVATIONS[name]
    assert g(z) == pytest.approx(float(exact(mpf(z))), rel=1e-12)
    assert slope(z) == pytest.approx(float(mpmath.diff(exact, mpf(z))), rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("z", [-1000.0, 1000.0])
@pytest.mark.parametrize("name", ["sigmoid", "tanh", "softplus", "gelu", "relu", "leaky_relu"])
def test_activations_are_right_for_large_arguments(name, z):
    g, slope = textbook.activations[name]
    assert g(z) == pytest.approx(float(ACTIVATIONS[name](mpf(z))), abs=1e-300)
    flat = {"tanh", "sigmoid"}
    assert slope(z) == (0.0 if name in flat else 1.0 if z > 0 else 0.01 if name == "leaky_relu" else 0.0)


def test_at_a_kink_the_derivative_is_that_of_the_table_of_operations():
    for name in ("relu", "leaky_relu"):
        [(pick,)] = ops.table[name].kinks.values()
        assert textbook.activations[name][1](0.0) == pick
    _, dE_da = textbook.losses["hinge"]
    assert dE_da([1.0, -1.0], [1, -1]) == [0.0, 0.0]  # just at the margin


@pytest.mark.parametrize("outputs", [[0.5, -1.5, 2.0], [30.0, 0.1, -25.0]])
@pytest.mark.parametrize("name", LOSSES)
def test_losses_and_derivatives_agree_with_fifty_digits(name, outputs):
    E, dE_da = textbook.losses[name]
    t = TARGETS.get(name, [0.25, -0.5, 1.0])
    exact = LOSSES[name]
    a = [mpf(a_k) for a_k in outputs]
    assert E(outputs, t) == pytest.approx(float(exact(a, t)), rel=1e-13)
    for k, found in enumerate(dE_da(outputs, t)):
        slope = mpmath.diff(lambda a_k, k=k: exact([*a[:k], a_k, *a[k + 1 :]], t), a[k])
        assert found == pytest.approx(float(slope), rel=1e-12, abs=1e-15)


def test_the_derivatives_of_cross_entropy_do_not_overflow():
    E, dE_da = textbook.losses["cross_entropy"]
    assert E([800.0, -800.0], 0) == 0.0
    assert E([800.0, -800.0], 1) == 1600.0
    assert dE_da([800.0, -800.0], 0) == [0.0, 0.0]
    assert dE_da([-800.0, 800.0], 0) == [-1.0, 1.0]


@pytest.mark.parametrize("t", [-1, 2, 0.5])
def test_an_unknown_class_is_refused(t):
    for f in textbook.losses["cross_entropy"]:
        with pytest.raises(ValueError, match=f"^the class is a whole number from 0 to 1, not {t}$"):
            f([1.0, 2.0], t)


def test_a_class_and_its_one_hot_list_are_the_same_target():
    E, dE_da = textbook.losses["cross_entropy"]
    assert E([1.0, 2.0], 1) == E([1.0, 2.0], [0.0, 1.0])
    assert dE_da([1.0, 2.0], 1) == dE_da([1.0, 2.0], [0.0, 1.0])


def test_the_forward_pass_is_weighted_sums_and_activations():
    layers = [([[1.0, 2.0], [3.0, 4.0]], [0.5, -20.0], "relu"), ([[1.0, -1.0]], [0.25], None)]
    assert textbook.forward(layers, [1.0, 1.0]) == ([[3.5, -13.0], [3.75]], [[3.5, 0.0], [3.75]])


@given(seed=st.integers(0, 10**6), sizes=st.lists(st.integers(1, 5), min_size=2, max_size=6))
def test_the_two_forms_differ_only_in_sign(seed, sizes):
    layers, x, t = net(seed, sizes)
    scalar = textbook.deltas(layers, x, t)
    matrix, slopes = textbook.backward_matrix(layers, x, t)
    assert scalar == [[-d for d in delta] for delta in matrix]
    for (products, delta), (dW, db) in zip(textbook.gradients(layers, x, t), slopes):
        assert products == [[-d for d in row] for row in dW]
        assert delta == [-d for d in db]


@given(seed=st.integers(0, 10**6), sizes=st.lists(st.integers(1, 4), min_size=2, max_size=5))
def test_delta_is_minus_the_derivative_of_the_error(seed, sizes):
    layers, x, t = net(seed, sizes)
    E, _ = textbook.losses["half_squared_error"]

    def error(l, k, h):
        W, b, g = layers[l]
        nudged = [*layers[:l], (W, [*b[:k], b[k] + h, *b[k + 1 :]], g), *layers[l + 1 :]]
        return E(textbook.forward(nudged, x)[1][-1], t)

    for l, delta in enumerate(textbook.deltas(layers, x, t)):
        for k, d in enumerate(delta):
            assert -(error(l, k, 1e-5) - error(l, k, -1e-5)) / 2e-5 == pytest.approx(d, rel=1e-6, abs=1e-9)


def test_the_scalar_and_the_matrix_form_make_the_same_step():
    layers, x, t = net(1, [3, 4, 2])
    plus = textbook.update(layers, textbook.gradients(layers, x, t), 0.5)
    minus = textbook.update(layers, textbook.backward_matrix(layers, x, t)[1], -0.5)
    assert plus == minus
    (W, b, _), (dW, db) = layers[1], textbook.gradients(layers, x, t)[1]
    assert plus[1][0][0][2] == W[0][2] + 0.5 * dW[0][2]
    assert plus[1][1][1] == b[1] + 0.5 * db[1]


def test_update_does_not_change_its_arguments():
    layers, x, t = net(1, [2, 2])
    before = repr(layers)
    textbook.update(layers, textbook.gradients(layers, x, t), 0.5)
    assert repr(layers) == before


def test_a_pair_of_functions_can_replace_a_name():
    layers, x, t = net(3, [2, 3, 1], activation="tanh")
    named = textbook.deltas(layers, x, t, "mean_squared_error")
    pairs = [(W, b, textbook.activations[g]) for W, b, g in layers]
    assert textbook.deltas(pairs, x, t, textbook.losses["mean_squared_error"]) == named


@pytest.mark.parametrize("pair", [("g", "g'"), (abs,), (abs, abs, abs), [abs, abs]])
def test_a_pair_is_a_tuple_of_two_functions(pair):
    with pytest.raises(ValueError, match="^unknown activation .* or give a pair"):
        textbook.forward([([[2.0]], [1.0], pair)], [3.0])


def test_the_default_loss_is_half_the_squared_error():
    net = [([[1.0]], [0.0], None)]
    assert textbook.output_deltas([3.0], [3.0], [5.0], None) == [2.0]
    assert textbook.deltas(net, [3.0], [5.0]) == [[2.0]]
    assert textbook.gradients(net, [3.0], [5.0]) == [([[6.0]], [2.0])]
    assert textbook.backward_matrix(net, [3.0], [5.0])[0] == [[-2.0]]


def test_no_activation_means_linear():
    assert textbook.forward([([[2.0]], [1.0], None)], [3.0]) == textbook.forward(
        [([[2.0]], [1.0], "linear")], [3.0]
    )


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([([[1.0, 2.0]], [0.0], None)], r"layer 1: expected 1 rows of 3 weights each, not rows of \[2\]"),
        ([([[1.0] * 3], [0.0, 1.0], None)], "layer 1: expected 2 rows of 3 weights"),
        ([([[1.0] * 3], [0.0], None), ([[1.0] * 2], [0.0], None)], "layer 2: expected 1 rows of 1 weights"),
        ([([[1.0] * 3], [0.0], "swish")], "unknown activation 'swish'; the textbook has linear, sigmoid"),
        ([([[1.0] * 3], [0.0], "swish")], r"sin, cos; or give a pair \(g, g'\)$"),
        ([], r"^expected at least one layer \(W, b, activation\), not an empty list$"),
    ],
)
def test_layers_that_do_not_fit_are_refused(layers, message):
    with pytest.raises(ValueError, match=message):
        textbook.forward(layers, [1.0, 2.0, 3.0])


def test_an_unknown_loss_is_refused():
    listed = "half_squared_error, .*, cross_entropy"
    pair = r"or give a pair \(E, ∂E/∂a\)"
    with pytest.raises(ValueError, match=f"^unknown loss 'l1'; the textbook has {listed}; {pair}$"):
        textbook.deltas([([[1.0]], [0.0], None)], [1.0], [0.0], "l1")


def test_targets_must_be_as_many_as_outputs():
    with pytest.raises(ValueError, match="lists of one length, not 1 and 2"):
        textbook.deltas([([[1.0]], [0.0], None)], [1.0], [0.0, 1.0])
    with pytest.raises(TypeError, match="^expected a list of numbers, not float: 0.5$"):
        textbook.deltas([([[1.0]], [0.0], None)], [1.0], 0.5)
