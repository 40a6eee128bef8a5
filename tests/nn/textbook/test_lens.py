"""The Δ lens: Δ computed in three ways, and the errors that it detects."""

import csv
import io
import math
import random
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import Op, Value, grad, no_grad, relu
from nn import MLP, SGD, Layer, Module, Neuron, deltas, losses, textbook

LENS = sys.modules["nn.textbook.lens"]
ACTIVATIONS = ["relu", "tanh", "sigmoid", "leaky_relu", "softplus", "gelu", "sin", "swish_of_the_lens", None]
Op("swish_of_the_lens", "a * sigmoid(a)", "sigmoid(a) + y * (1 - sigmoid(a))", at=[-1, 2])


def target(loss, n, rng):
    return {
        "hinge": [rng.choice([-1, 1]) for _ in range(n)],
        "binary_cross_entropy": [rng.choice([0, 1]) for _ in range(n)],
        "cross_entropy": rng.randrange(n),
    }.get(loss, [rng.gauss(0, 1) for _ in range(n)])


@st.composite
def cases(draw):
    """Return a net, a sample, a target and a loss."""
    rng = random.Random(draw(st.integers(0, 10**9)))
    loss = draw(st.sampled_from(list(losses.table)))
    hidden = draw(st.lists(st.integers(1, 6), max_size=7))
    nout = draw(st.integers(2 if loss == "cross_entropy" else 1, 4))
    activation = draw(st.sampled_from(ACTIVATIONS))
    output = draw(st.sampled_from([None, activation]))
    init = draw(st.sampled_from(["uniform", "normal", "xavier", "he", "lecun"]))
    model = MLP(rng.randint(1, 5), [*hidden, nout], activation, output, init=init, rng=rng)
    for p in model.parameters():
        p.data = p.data or rng.gauss(0, 0.1)  # a bias of 0 puts relu on its kink
    return model, [rng.gauss(0, 1) for _ in range(model.nin)], target(loss, nout, rng), loss


@given(cases())
def test_autograd_and_textbook_agree_on_any_net(case):
    report = deltas(*case)
    assert report.disagreement <= 1e-12


@given(cases())
def test_the_matrix_form_has_the_opposite_sign_of_the_report(case):
    model, x, t, loss = case
    book = [
        ([[w.data for w in n.w] for n in layer.neurons], [n.b.data for n in layer.neurons], name(layer))
        for layer in model.layers
    ]
    t = t if loss == "cross_entropy" else list(t)
    found, _ = textbook.backward_matrix(book, x, t, loss)
    for row in deltas(model, x, t, loss).neurons:
        assert found[row.layer - 1][row.index] == pytest.approx(-row.textbook, rel=1e-9, abs=1e-12)


def name(layer):
    op = layer.neurons[0].activation
    if op is None or op.symbol in textbook.activations:
        return op and op.symbol
    return op.value, lambda z: op(Value(z)).local_gradients()[0]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", losses.table)
def test_the_finite_difference_agrees_for_every_activation_and_loss(activation, loss):
    rng = random.Random(5)
    model = MLP(3, [5, 4, 3], activation, activation, rng=rng)
    report = deltas(model, [0.3, -0.8, 1.1], target(loss, 3, rng), loss)
    assert report.finite_difference_error < 1e-8
    assert any(row.autograd for row in report.neurons)


def test_each_field_of_a_row_has_its_documented_value():
    model = MLP(2, [3, 2], activation="tanh", output="sigmoid", rng=random.Random(0))
    x, t = [0.5, -1.0], [0.0, 1.0]
    report = deltas(model, x, t)
    outs = model(x)
    E = losses.half_squared_error(outs, t)
    assert report.error == E.data
    assert [(row.layer, row.index) for row in report.neurons] == [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1)]
    assert [row.a for row in report.neurons[3:]] == pytest.approx([a.data for a in outs], rel=1e-15)
    for row in report.neurons:
        g, slope = textbook.activations["tanh" if row.layer == 1 else "sigmoid"]
        assert (row.a, row.slope) == (g(row.z), slope(row.z))
        assert row.textbook == row.slope * row.downstream
        bias = model.layers[row.layer - 1].neurons[row.index].b
        assert row.autograd == -grad(E, [bias])[0]
    for row in report.neurons[3:]:
        assert row.downstream == t[row.index] - row.a
    for row in report.neurons[:3]:
        through = sum(
            neuron.w[row.index].data * above.textbook
            for neuron, above in zip(model.layers[1].neurons, report.neurons[3:])
        )
        assert row.downstream == pytest.approx(through, rel=1e-14)
    signals = [x, [row.a for row in report.neurons[:3]]]
    assert len(report.weights) == 2 * 3 + 3 * 2
    for w in report.weights:
        weight = model.layers[w.layer - 1].neurons[w.index].w[w.input]
        assert w.minus_gradient == -grad(E, [weight])[0]
        [delta] = [n.textbook for n in report.neurons if (n.layer, n.index) == (w.layer, w.index)]
        assert w.product == signals[w.layer - 1][w.input] * delta


def test_a_step_along_a_delta_is_the_step_that_sgd_makes():
    model = MLP(3, [4, 2], activation="sigmoid", output="tanh", rng=random.Random(2))
    x, t, eta = [0.1, 0.9, -0.4], [1.0, -1.0], 0.5
    report = deltas(model, x, t)
    products, found = iter(report.weights), iter(report.neurons)
    expected = []
    for layer in model.layers:
        for neuron in layer.neurons:
            expected += [w.data + eta * next(products).product for w in neuron.w]
            expected.append(neuron.b.data + eta * next(found).textbook)
    losses.half_squared_error(model(x), t).backward()
    SGD(model.parameters(), lr=eta).step()
    assert [p.data for p in model.parameters()] == pytest.approx(expected, rel=1e-15, abs=1e-16)


def test_layers_and_neurons_have_reports():
    rng = random.Random(0)
    neuron = deltas(Neuron(2, "tanh", rng=rng), [1.0, 2.0], 0.5)
    assert [(row.layer, row.index) for row in neuron.neurons] == [(1, 0)]
    layer = deltas(Layer(2, 3, "tanh", rng=rng), [1.0, 2.0], 1, "cross_entropy")
    assert len(layer.neurons) == 3
    assert max(neuron.disagreement, layer.disagreement) < 1e-15


def test_an_atomic_net_gives_the_same_report():
    whole, atomic = (MLP(2, [3, 1], "tanh", atomic=kind, rng=random.Random(1)) for kind in (False, True))
    for a, b in zip(deltas(whole, [1.0, 2.0], 0.0).neurons, deltas(atomic, [1.0, 2.0], 0.0).neurons):
        assert a.autograd == pytest.approx(b.autograd, rel=1e-14)


def test_a_loss_of_the_user_has_a_report():
    def fourth(outputs, t):
        return sum((a - t_k) ** 4 for a, t_k in zip(outputs, t))

    report = deltas(MLP(2, [3, 2], "tanh", rng=random.Random(3)), [0.4, 0.6], [1.0, -1.0], fourth)
    assert report.loss == "fourth"
    assert report.disagreement < 1e-14
    assert report.finite_difference_error < 1e-8


def test_targets_may_be_arrays():
    numpy = pytest.importorskip("numpy")
    model = MLP(2, [3, 2], "tanh", rng=random.Random(3))
    assert deltas(model, numpy.array([0.4, 0.6]), numpy.array([1, -1]), "hinge") == deltas(
        model, [0.4, 0.6], [1, -1], "hinge"
    )
    assert deltas(model, [0.4, 0.6], numpy.int64(1), "cross_entropy") == deltas(
        model, [0.4, 0.6], [0, 1], "cross_entropy"
    )


def test_the_model_is_not_changed():
    model = MLP(2, [3, 1], "tanh")
    for p in model.parameters():
        p.grad = 7.0
    before = [(p.data, p.grad) for p in model.parameters()]
    deltas(model, [1.0, 2.0], 0.0)
    assert [(p.data, p.grad) for p in model.parameters()] == before


# When something is wrong


def test_finite_differences_detect_a_wrong_derivative():
    Op("wrong_of_the_lens", "tanh(a)", "1 - y")
    report = deltas(MLP(2, [3, 1], "wrong_of_the_lens", rng=random.Random(0)), [1.0, 2.0], 0.0)
    assert report.finite_difference_error > 1e-2


def test_the_textbook_detects_a_wrong_backward_pass(monkeypatch):
    monkeypatch.setattr(LENS, "grad", lambda y, xs: [1.000001 * g for g in grad(y, xs)])
    report = deltas(MLP(2, [3, 1], "tanh", rng=random.Random(0)), [1.0, 2.0], 0.0)
    assert 1e-7 < report.disagreement < 1e-5
    assert 1e-8 < report.finite_difference_error < 1e-5


def test_differences_are_relative_to_the_size_of_the_terms(monkeypatch):
    monkeypatch.setattr(LENS, "grad", lambda y, xs: [1.01 * g for g in grad(y, xs)])
    neuron = Neuron(1, None, init="zeros")  # a = 0, so that Δ = t and E = ½ t²
    near, far = deltas(neuron, [1.0], 0.5), deltas(neuron, [3.0], 20.0)
    # the size of the terms is |Δ| + max(1, |t - a|)
    assert near.disagreement == pytest.approx(0.01 * 0.5 / (0.5 + 1))
    assert far.disagreement == pytest.approx(0.01 * 20 / (20 + 20))
    assert near.finite_difference_error == pytest.approx(0.01 * 0.5 / (1.01 * 0.5), rel=1e-2)
    assert far.finite_difference_error == pytest.approx(0.01 * 20 / 200, rel=1e-2)


def test_a_single_wrong_weight_is_detected(monkeypatch):
    monkeypatch.setattr(LENS, "grad", lambda y, xs: [*grad(y, xs)[:-1], grad(y, xs)[-1] + 1e-6])
    assert deltas(MLP(2, [3, 1], "tanh", rng=random.Random(0)), [1.0, 2.0], 0.0).disagreement > 1e-8


def test_a_nan_never_counts_as_agreement(monkeypatch):
    monkeypatch.setattr(LENS, "grad", lambda y, xs: [math.nan for _ in xs])
    report = deltas(MLP(2, [3, 1], "tanh", rng=random.Random(0)), [1.0, 2.0], 0.0)
    assert math.isnan(report.disagreement)
    assert math.isnan(report.finite_difference_error)


# Difficult inputs


def test_at_a_kink_left_and_right_are_shown_and_not_compared():
    neuron = Neuron(1, "relu", init="zeros")  # in = 0
    report = deltas(neuron, [1.0], 5.0)
    [row] = report.neurons
    assert (row.slope, row.autograd, row.textbook) == (0.0, 0.0, 0.0)
    assert row.finite_difference == pytest.approx(2.5, rel=1e-4)  # the central one, whatever autograd says
    assert row.kink == (0.0, pytest.approx(5.0, rel=1e-6))
    assert report.kinks == [row]
    assert math.isnan(report.finite_difference_error)  # nothing was compared
    text = " ".join(str(report).split())
    assert "kink: 0 left, 5 right" in text
    assert "At a kink: neuron 0 of layer 1. The derivatives on the left and on the right differ" in text
    assert "kink: 0 left, 5 right" in report._repr_html_()


def test_a_wrong_derivative_between_left_and_right_is_not_confirmed():
    op = Op("half_of_the_lens", "a if a > 0 else 0", "1 if a > 0 else 0 if a < 0 else 0.5")
    model = MLP(2, [2, 1], op, init="zeros")
    model.layers[1].neurons[0].w[0].data = 1.0
    report = deltas(model, [0.0, 0.0], 1.0)
    first, second, out = report.neurons
    assert first.autograd == 0.5
    assert first.kink == (0.0, pytest.approx(1.0, rel=1e-6))
    assert (second.kink, out.kink) == (None, None)  # a weight of 0 hides the kink of the second
    assert report.kinks == [first]
    assert report.finite_difference_error < 1e-8  # of the two others


@pytest.mark.parametrize("picked", [0.25, 4.0, 2.125])
def test_at_a_kink_the_finite_difference_does_not_depend_on_autograd(picked):
    op = Op(
        f"kink_{str(picked)[0]}_of_the_lens",
        "a / 4 if a < 1 else 4 * a - 3.75",
        f"0.25 if a < 1 else 4 if a > 1 else {picked}",
    )
    neuron = Neuron(1, op, init="zeros")
    neuron.b.data = 1.0
    report = deltas(neuron, [1.0], 5.25)  # a = 0.25, so that t - a = 5
    assert report.neurons[0].autograd == 5.0 * picked
    assert report.neurons[0].finite_difference == pytest.approx(5.0 * 2.125, rel=1e-4)
    assert report.neurons[0].kink == (pytest.approx(1.25, rel=1e-4), pytest.approx(20.0, rel=1e-4))


def test_at_a_kink_a_derivative_outside_of_left_and_right_is_wrong():
    op = Op("steep_of_the_lens", "a / 4 if a < 0 else 4 * a", "0.25 if a < 0 else 4 if a > 0 else 9")
    report = deltas(Neuron(1, op, init="zeros"), [1.0], 5.0)
    assert report.neurons[0].kink == (pytest.approx(1.25, rel=1e-4), pytest.approx(20.0, rel=1e-4))
    assert report.finite_difference_error == pytest.approx(25.0 / 45.0, rel=1e-4)


def test_a_kink_of_the_loss_is_found_too():
    model = MLP(2, [2, 1], "tanh", rng=random.Random(0))
    model.layers[1].neurons[0].b.data += 1 - model.predict([0.3, 0.2])  # the margin of hinge
    report = deltas(model, [0.3, 0.2], 1, "hinge")
    assert len(report.kinks) == 3


def test_beside_a_kink_the_smaller_step_decides():
    neuron = Neuron(1, "relu", init="zeros")
    for b in (-1e-6, 1e-6):  # nearer than h = 6e-6
        neuron.b.data = b
        report = deltas(neuron, [1.0], 5.0)
        assert not report.kinks
        assert report.finite_difference_error < 1e-6


@pytest.mark.parametrize("scale", [1e-6, 1.0, 30.0, 1e6])
@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "softplus", "gelu", "sin", None])
@pytest.mark.parametrize("seed", range(4))
def test_a_smooth_net_has_no_kinks(activation, scale, seed):
    model = MLP(2, [3, 3, 1], activation, rng=random.Random(seed))
    for p in model.layers[1].parameters():
        p.data *= scale
    for t in (0.0, 1e3, 1e-3):
        report = deltas(model, [0.3, -0.7], t)
        assert not report.kinks
        assert "kink" not in str(report)


def test_deep_sigmoid_nets_with_tiny_deltas_agree():
    model = MLP(2, [3] * 12 + [1], "sigmoid", init="normal", rng=random.Random(0))
    report = deltas(model, [1.0, -1.0], 3.0)
    first = max(abs(row.autograd) for row in report.neurons if row.layer == 1)
    assert first < 1e-6
    assert report.disagreement < 1e-14


def test_a_saturated_net_agrees():
    model = MLP(2, [3, 2], "tanh", "sigmoid", rng=random.Random(0))
    for p in model.parameters():
        p.data *= 40
    assert deltas(model, [1.0, -1.0], [0.0, 1.0]).disagreement < 1e-12


def test_a_certain_prediction_agrees():
    model = MLP(2, [3, 3], "tanh", rng=random.Random(0))
    for n in model.layers[1].neurons:
        for w in n.w:
            w.data *= 30
    outputs = model.predict([1.0, -1.0])
    assert deltas(model, [1.0, -1.0], outputs.index(max(outputs)), "cross_entropy").disagreement < 1e-12


def test_a_finite_difference_across_the_end_of_the_domain_is_nan():
    Op("log_of_the_lens", "log(a)", "1 / a")
    neuron = Neuron(1, "log_of_the_lens", init="zeros")
    neuron.b.data = 1e-7
    report = deltas(neuron, [0.0], 0.0)
    assert math.isnan(report.neurons[0].finite_difference)
    assert math.isnan(report.finite_difference_error)
    assert report.disagreement < 1e-15


# Bad input


@pytest.mark.parametrize("model", [None, Value(1.0), Module(), lambda x: x])
def test_a_model_without_neurons_is_refused(model):
    kind = type(model).__name__
    with pytest.raises(TypeError, match=f"expected an MLP, a Layer or a Neuron, not {kind}: "):
        deltas(model, [1.0], 0.0)


@pytest.mark.parametrize(
    ("x", "t", "loss", "error", "message"),
    [
        ([1.0], 0.0, "half_squared_error", ValueError, "expected 2 inputs, got 1"),
        ([1.0, "2"], 0.0, "half_squared_error", TypeError, "not str"),
        ([1.0, 2.0], [0.0, 1.0], "half_squared_error", ValueError, "1 outputs, 2 targets"),
        ([1.0, 2.0], 3, "hinge", ValueError, "-1 or 1"),
        ([1.0, 2.0], 0, "cross_entropy", ValueError, "two or more classes"),
        ([1.0, 2.0], 0.0, "mse", ValueError, "unknown loss 'mse'"),
        ([1.0, 2.0], 0.0, lambda a, t: 0.0, ValueError, "^<lambda> recorded nothing: it does not depend on"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(x, t, loss, error, message):
    with pytest.raises(error, match=message):
        deltas(MLP(2, [2, 1], "tanh"), x, t, loss)


def test_under_no_grad_there_is_no_report():
    with no_grad(), pytest.raises(ValueError, match="recorded nothing: .* or no_grad is on"):
        deltas(MLP(2, [2, 1], "tanh"), [1.0, 2.0], 0.0)


# Text and HTML


@pytest.fixture
def report():
    return deltas(MLP(2, [3, 2], "tanh", "sigmoid", rng=random.Random(0)), [0.5, -1.0], [0, 1])


def test_the_text_names_both_signs_and_gives_the_formulas(report):
    text = str(report)
    for said in (
        "MLP(2, [3, 2], activation='tanh', output='sigmoid')\n",
        f"x = [0.5, -1], t = [0, 1], E = half_squared_error = {report.error:.6g}\n",
        "Δ_k = -∂E/∂in_k",
        "δ_k = ∂E/∂z_k = -Δ_k",
        "Layer 2 (output).  Δ_k = g'(in_k) · (t_k - a_k)",
        "Layer 1 (hidden).  Δ_j = g'(in_j) · Σ_k w_jk Δ_k",
        "-∂E/∂w_jk = a_j Δ_k",
    ):
        assert said in text


def test_repr_is_str(report):
    assert repr(report) == str(report)


def test_the_tables_go_from_the_first_layer_to_the_last_and_then_to_the_weights(report):
    text = str(report)
    assert text.index("Layer 1") < text.index("Layer 2") < text.index("Weights")


def rows_of(text, title):
    """Return the cells of a table's rows, by its title."""
    block = next(block for block in text.split("\n\n") if block.startswith(title))
    return [line.replace("|", " ").split() for line in block.split("\n")[1:]]


def test_a_hidden_layer_has_its_factors_then_the_three_deltas_under_one_head(report):
    group, heads, *rows = rows_of(report.text(200), "Layer 1")
    assert group == ["Δ_j"]
    assert " ".join(heads) == "j in_j a_j g'(in_j) Σ_k w_jk Δ_k by hand autograd nudged δ_j"
    for row, n in zip(rows, report.neurons, strict=False):
        numbers = [n.z, n.a, n.slope, n.downstream, n.textbook, n.autograd, n.finite_difference, -n.autograd]
        assert row[0] == str(n.index)
        assert [float(cell) for cell in row[1:]] == pytest.approx(numbers, rel=2e-3)


def test_an_output_layer_shows_target_and_error(report):
    _, heads, *rows = rows_of(report.text(200), "Layer 2")
    assert " ".join(heads) == "k in_k a_k t_k t_k - a_k g'(in_k) by hand autograd nudged δ_k"
    for row, n in zip(rows, report.neurons[3:], strict=True):
        numbers = [n.z, n.a, [0, 1][n.index], n.downstream, n.slope, n.textbook]
        assert [float(cell) for cell in row[1:7]] == pytest.approx(numbers, rel=2e-3)


def test_each_weight_is_shown_with_its_ends_its_factors_and_their_product(report):
    group, heads, *rows = rows_of(report.text(200), "Weights")
    assert " ".join(group) == "a_j Δ_k -∂E/∂w_jk"
    assert " ".join(heads) == "layer from j to k w_jk a_j Δ_k by hand autograd"
    found = {tuple(row[:3]): row[3:] for row in rows}
    assert len(found) == len(rows) == len(report.weights) + len(report.biases)
    for w in report.weights:
        cells = [float(cell) for cell in found[str(w.layer), str(w.input), str(w.index)]]
        assert cells == pytest.approx([w.weight, *w.a, *w.delta, w.product, w.minus_gradient], rel=2e-3)
    for b in report.biases:
        cells = [float(cell) for cell in found[str(b.layer), "bias", str(b.index)]]
        assert cells == pytest.approx([b.weight, 1.0, *b.delta, b.product, b.minus_gradient], rel=2e-3)


def test_the_rows_of_weights_and_biases_are_those_of_the_model(report):
    model = MLP(2, [3, 2], "tanh", "sigmoid", rng=random.Random(0))
    E = losses.half_squared_error(model([0.5, -1.0]), [0, 1])
    for w in report.weights:
        assert w.weight == model.layers[w.layer - 1].neurons[w.index].w[w.input].data
        assert w.product == w.a[0] * w.delta[0]
    for b in report.biases:
        bias = model.layers[b.layer - 1].neurons[b.index].b
        assert (b.weight, b.minus_gradient) == (bias.data, -grad(E, [bias])[0])
        assert b.product == b.delta[0]


def test_columns_are_aligned_and_their_numbers_have_equal_decimals(report):
    for block in report.text(200).split("\n\n")[1:-1]:
        _, *lines = block.split("\n")
        assert len({len(line) for line in lines}) == 1
        for column in zip(*(line.replace("|", " ").split() for line in lines[2:])):
            assert len({len(cell.partition(".")[2]) for cell in column if cell != "bias"}) == 1


@pytest.mark.parametrize("size", [2, 40])
@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e6])
def test_the_text_fits_into_80_columns(size, scale):
    model = MLP(2, [size, 2], "tanh", rng=random.Random(0))
    for p in model.parameters():
        p.data *= scale
    samples = [[0.5, -1.0], [1e-7, 3.0]]
    for report in deltas(model, samples[0], [0, 1]), deltas(model, samples, [[0, 1], [1e-9, 1]]):
        assert max(map(len, report.text().splitlines())) <= 80
        assert "Layer 2 (output)" in report.text()


def test_a_wide_terminal_gets_wide_tables(report, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    assert max(map(len, str(report).splitlines())) <= 80
    monkeypatch.setenv("COLUMNS", "200")
    assert str(report) == report.text(200)


def test_the_closing_line_says_in_words_that_all_values_agree(report):
    assert f"All {2 * 5 + 12 + 5} values agree. Largest" in str(report)


def test_the_closing_line_says_that_values_do_not_agree(monkeypatch):
    monkeypatch.setattr(LENS, "grad", lambda y, xs: [1.001 * g for g in grad(y, xs)])
    report = deltas(MLP(2, [3, 1], "tanh", rng=random.Random(0)), [1.0, 2.0], 0.0)
    assert "NOT all 21 values agree." in str(report)
    monkeypatch.setattr(LENS, "grad", lambda y, xs: [math.nan for _ in xs])
    assert "NOT all" in str(deltas(MLP(2, [3, 1], "tanh", rng=random.Random(0)), [1.0, 2.0], 0.0))


def test_a_zero_has_no_sign():
    neuron = Neuron(1, "relu", init="zeros")
    neuron.b.data = -1.0
    for text in (deltas(neuron, [1.0], 5.0).text(), deltas(neuron, [1.0], 5.0).to_latex()):
        assert not re.search(r"-0(?![.\d])|-0\.0*(?!\d)", text)


def test_latex_is_ascii_and_balanced(report):
    for text in (report.to_latex(), deltas(Neuron(1, "relu", init="zeros"), [1.0], 5.0).to_latex()):
        assert text.isascii()
        assert text.count("{") == text.count("}")
        assert text.count(r"\[") == text.count(r"\]") == text.count(r"\begin{array}")
        for array in re.findall(r"begin{array}{(.*?)}\n(.*?)\\end{array}", text, re.S):
            columns = array[0].replace("|", "")
            assert {line.count("&") for line in array[1].strip().splitlines()} == {len(columns) - 1}
        outside = re.sub(r"\\\[.*?\\\]|\$.*?\$", "", text, flags=re.S)
        assert not set("_^\\&#%") & set(outside)


def test_csv_has_every_digit(report):
    table = list(csv.DictReader(io.StringIO(report.to_csv())))
    assert [float(row["autograd"]) for row in table] == [row.autograd for row in report.neurons]
    table = list(csv.DictReader(io.StringIO(report.to_csv("weights"))))
    assert [float(row["product"]) for row in table] == [row.product for row in report.weights]
    assert len(report.to_csv("biases").splitlines()) == 1 + len(report.biases)
    with pytest.raises(ValueError, match="rows is 'neurons', 'weights' or 'biases', not 'layers'"):
        report.to_csv("layers")


# A batch

SAMPLES = [[0.5, -1.0], [1.0, 0.25], [-0.5, 2.0]]
TARGETS = [[0.0, 1.0], [1.0, 0.0], [0.5, 0.5]]


@pytest.fixture
def model():
    return MLP(2, [3, 2], "tanh", "sigmoid", rng=random.Random(0))


def test_a_batch_has_the_deltas_of_its_samples_and_their_sums(model):
    batch = deltas(model, SAMPLES, TARGETS)
    single = [deltas(model, x, t) for x, t in zip(SAMPLES, TARGETS)]
    assert batch.errors == [report.error for report in single]
    assert batch.error == pytest.approx(sum(batch.errors), rel=1e-15)
    for n, report in enumerate(single, 1):
        mine = [row for row in batch.neurons if row.sample == n]
        assert [row.textbook for row in mine] == [row.textbook for row in report.neurons]
        assert [row.autograd for row in mine] == pytest.approx(
            [row.autograd for row in report.neurons], rel=1e-14
        )
    total = sum(losses.half_squared_error(model(x), t) for x, t in zip(SAMPLES, TARGETS))
    for rows, parameters in (
        (batch.weights, [w for layer in model.layers for n in layer.neurons for w in n.w]),
        (batch.biases, [n.b for layer in model.layers for n in layer.neurons]),
    ):
        expected = pytest.approx([-g for g in grad(total, parameters)], rel=1e-13)
        assert [row.product for row in rows] == expected
        assert [row.minus_gradient for row in rows] == expected
    assert batch.disagreement < 1e-14
    assert batch.finite_difference_error < 1e-8


def test_a_batch_is_shown_sample_by_sample_with_a_sum_for_each_neuron(model):
    batch = deltas(model, SAMPLES, TARGETS)
    text = batch.text(200)
    assert f"E = Σ_n E_n = {batch.error:.6g}, where E_n = half_squared_error of sample n" in text
    assert f"x_2 = [1, 0.25], t_2 = [1, 0], E_2 = {batch.errors[1]:.6g}" in text
    _, _, *rows = rows_of(text, "Layer 2")
    assert [row[:2] for row in rows] == [[str(k), n] for k in range(2) for n in ("1", "2", "3", "Σ_n")]
    sums = [row[2:] for row in rows if row[1] == "Σ_n"]
    for cells, bias in zip(sums, batch.biases[3:], strict=True):
        numbers = [bias.product, bias.minus_gradient, bias.product, -bias.product]
        assert [float(cell) for cell in cells] == pytest.approx(numbers, rel=2e-3)
    assert "Σ_n a_j Δ_k" in text


def test_a_wrong_sum_over_the_samples_is_detected(model, monkeypatch):
    monkeypatch.setattr(LENS, "grad", lambda y, xs: [*grad(y, xs)[:-1], grad(y, xs)[-1] + 1e-6])
    assert deltas(model, SAMPLES, TARGETS).disagreement > 1e-8


def test_a_batch_may_be_an_array(model):
    numpy = pytest.importorskip("numpy")
    assert deltas(model, numpy.array(SAMPLES), numpy.array(TARGETS)) == deltas(model, SAMPLES, TARGETS)


def test_a_batch_has_one_target_for_each_sample(model):
    with pytest.raises(ValueError, match="one target for each sample, got 3 samples, 2 targets"):
        deltas(model, SAMPLES, TARGETS[:2])
    with pytest.raises(TypeError, match="the targets of a batch are a list"):
        deltas(model, SAMPLES, 1.0)


# Headings


def test_the_heading_names_the_derivative_of_another_loss():
    model = MLP(2, [2], "tanh", rng=random.Random(0))
    assert "Δ_k = g'(in_k) · (-∂E/∂a_k)" in str(deltas(model, [1.0, 2.0], 1, "cross_entropy"))


def test_of_a_large_net_only_the_largest_rows_are_shown():
    report = deltas(MLP(8, [40, 2], "tanh", rng=random.Random(0)), [0.1] * 8, [0.0, 1.0])
    text = str(report)
    assert "Layer 1 (hidden; the 16 largest of 40 neurons)." in text
    assert "Weights (the 24 largest of 442 weights and biases, a bias has the input 1)" in text
    largest = max(report.neurons[:40], key=lambda row: abs(row.autograd))
    assert f"{largest.autograd:.4f}" in text
    assert len(report.neurons) == 42


def test_html_has_the_same_numbers(report):
    html = report._repr_html_()
    assert html.count("<table>") == html.count("</table>") == 3
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", html)
    assert {cell for line in rows_of(report.text(200), "Layer 1")[2:] for cell in line} <= set(cells)
    assert "δ<sub>k</sub> = ∂E/∂z<sub>k</sub> = -Δ<sub>k</sub>" in html
    assert "E = half_squared_error" in html


def test_names_are_escaped_in_html():
    def evil(outputs, t):
        return relu(outputs)

    evil.__name__ = "<script>alert(1)</script>"
    assert "<script>" not in deltas(Neuron(1, rng=random.Random(0)), [1.0], 0.0, evil)._repr_html_()
