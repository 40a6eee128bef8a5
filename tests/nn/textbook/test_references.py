"""Published numbers are reproduced; a published wrong number is reproduced with the mistake behind it."""

import random

import pytest

from engine import relu, total
from nn import MLP, SGD, Neuron, fit, losses, textbook

# micrograd's demo: https://github.com/karpathy/micrograd/blob/master/demo.ipynb


@pytest.fixture
def moons():
    datasets = pytest.importorskip("sklearn.datasets")  # before seeding: its import draws random numbers
    import numpy

    numpy.random.seed(1337)
    random.seed(1337)
    xs, ys = datasets.make_moons(n_samples=100, noise=0.1)
    return xs, ys * 2 - 1


PUBLISHED = (0.8958441028683222, 1.7235905336972022, 0.7429006313851131)  # at steps 0, 1 and 2


def test_the_loop_of_micrograds_demo_gives_the_published_losses(moons):
    xs, ys = moons
    model = MLP(2, [16, 16, 1])
    assert len(model.parameters()) == 337

    def loss():
        scores = [model(x) for x in xs.tolist()]
        margins = [relu(1 + -y * score) for y, score in zip(ys.tolist(), scores)]
        right = sum((y > 0) == (score.data > 0) for y, score in zip(ys, scores))
        return total(margins) * (1.0 / len(margins)) + 1e-4 * total(
            [p * p for p in model.parameters()]
        ), right

    reached = []
    for k in range(100):
        wrong, right = loss()
        reached.append(wrong.data)
        if right == 100 and k >= len(PUBLISHED):
            break
        model.zero_grad()
        wrong.backward()
        for p in model.parameters():
            p.data -= (1.0 - 0.9 * k / 100) * p.grad
    assert reached[:3] == pytest.approx(PUBLISHED, rel=1e-9)
    assert right == 100


def test_fit_gives_the_published_losses_of_micrograds_demo(moons):
    xs, ys = moons
    model = MLP(2, [16, 16, 1])
    # the derivative of 1e-4 Σ p² is that of ½ · 2e-4 Σ p²
    optimizer = SGD(model.parameters(), lr=lambda k: 1 - 0.9 * k / 100, weight_decay=2e-4)
    penalties = []
    reached = []
    for _ in range(3):
        penalties.append(1e-4 * sum(p.data**2 for p in model.parameters()))
        reached += fit(model, xs, ys, "hinge", optimizer, epochs=1, progress=False).loss
    assert [a + b for a, b in zip(reached, penalties)] == pytest.approx(PUBLISHED, rel=1e-9)


# Mazur: https://mattmazur.com/2015/03/17/a-step-by-step-backpropagation-example/

X, T, RATE = [0.05, 0.10], [0.01, 0.99], 0.5
W1, B1 = [[0.15, 0.20], [0.25, 0.30]], [0.35, 0.35]
W2, B2 = [[0.40, 0.45], [0.50, 0.55]], [0.60, 0.60]


def net(W1, W2):
    return [(W1, B1, "sigmoid"), (W2, B2, "sigmoid")]


def error(W1, W2):
    return textbook.losses["half_squared_error"][0](textbook.forward(net(W1, W2), X)[1][-1], T)


def step(W1, W2):
    """Return the weights after a step: every gradient is computed first. The biases are not trained."""
    layers = net(W1, W2)
    (W1, _, _), (W2, _, _) = textbook.update(layers, textbook.gradients(layers, X, T), RATE)
    return W1, W2


def wrong_step(W1, W2):
    """Return the weights after a wrong step, in which the hidden Δ use the new output weights."""
    layers = net(W1, W2)
    (z1, z2), (a1, a2) = textbook.forward(layers, X)
    output = textbook.output_deltas(z2, a2, T, "sigmoid")
    W2 = [[w + RATE * a_j * d for w, a_j in zip(row, a1)] for row, d in zip(W2, output)]
    hidden = textbook.hidden_deltas(z1, "sigmoid", W2, output)
    W1 = [[w + RATE * x * d for w, x in zip(row, X)] for row, d in zip(W1, hidden)]
    return W1, W2


def test_the_textbook_gives_mazurs_error_and_gradients():
    assert error(W1, W2) == pytest.approx(0.298371109, abs=5e-10)
    (dW1, _), (dW2, _) = textbook.gradients(net(W1, W2), X, T)
    assert -dW2[0][0] == pytest.approx(0.082167041, abs=5e-10)
    assert -dW1[0][0] == pytest.approx(0.000438568, abs=5e-10)


def test_the_textbook_gives_mazurs_weights_after_the_first_step():
    new_W1, new_W2 = step(W1, W2)
    assert new_W2[0][0] == pytest.approx(0.35891648, abs=5e-9)
    assert new_W1[0][0] == pytest.approx(0.149780716, abs=5e-10)


def test_autograd_gives_mazurs_error_and_gradients():
    model = MLP(2, [2, 2], activation="sigmoid", output="sigmoid")
    for layer, W, b in zip(model.layers, (W1, W2), (B1, B2)):
        for neuron, row, bias in zip(layer.neurons, W, b):
            neuron.b.data = bias
            for w, number in zip(neuron.w, row):
                w.data = number
    wrong = losses.half_squared_error(model(X), T)
    wrong.backward()
    assert wrong.data == pytest.approx(0.298371109, abs=5e-10)
    assert model.layers[1].neurons[0].w[0].grad == pytest.approx(0.082167041, abs=5e-10)
    assert model.layers[0].neurons[0].w[0].grad == pytest.approx(0.000438568, abs=5e-10)
    SGD([w for layer in model.layers for n in layer.neurons for w in n.w], lr=RATE).step()
    assert losses.half_squared_error(model(X), T).data == pytest.approx(0.29102777369359933, rel=1e-14)


@pytest.mark.parametrize(
    ("method", "after_one", "after_10_000"),
    [
        (step, 0.29102777369359933, 3.510187782978859e-05),
        (wrong_step, 0.29102792390544197, 3.5084786296312774e-05),
    ],
)
def test_the_order_of_the_updates_changes_the_errors_of_mazurs_net(method, after_one, after_10_000):
    weights = method(W1, W2)
    assert error(*weights) == pytest.approx(after_one, rel=1e-13)
    for _ in range(9_999):
        weights = method(*weights)
    assert error(*weights) == pytest.approx(after_10_000, rel=1e-10)


def test_updating_the_output_weights_first_gives_the_numbers_that_mazur_printed():
    weights = wrong_step(W1, W2)
    assert f"{error(*weights):.9f}" == "0.291027924"
    for _ in range(9_999):
        weights = wrong_step(*weights)
    outputs = textbook.forward(net(*weights), X)[1][-1]
    assert [f"{output:.9f}" for output in outputs] == ["0.015912196", "0.984065734"]


# Nielsen, chapter 3: http://neuralnetworksanddeeplearning.com/chap3.html


@pytest.mark.parametrize(
    ("w", "b", "first", "last"),
    [(0.6, 0.9, "0.82", "0.09"), (2.0, 2.0, "0.98", "0.20")],  # the second learns slowly: it is saturated
)
def test_nielsens_neuron_learns_to_return_zero(w, b, first, last):
    neuron = Neuron(1, activation="sigmoid", init="zeros")
    neuron.w[0].data, neuron.b.data = w, b
    assert f"{neuron.predict([1.0]):.2f}" == first
    optimizer = SGD(neuron.parameters(), lr=0.15)
    fit(neuron, [[1.0]], [0.0], "half_squared_error", optimizer, epochs=300, progress=False)
    assert f"{neuron.predict([1.0]):.2f}" == last
