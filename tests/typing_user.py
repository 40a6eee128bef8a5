"""A user's file: it runs as a test, and pyright finds no error in it."""

import random
from pathlib import Path
from typing import assert_type

from engine import (
    Op,
    Value,
    backward_steps,
    detect_anomaly,
    draw_dot,
    explain,
    grad,
    gradcheck,
    log_softmax,
    maximum,
    no_grad,
    play,
    softmax,
    stale,
    tanh,
    topological_order,
    total,
    trace,
    weighted_sum,
)
from nn import MLP, SGD, Adam, Neuron, data, deltas, fit, load, losses, save


def graph() -> Value:
    """Build a small graph by operators, methods and functions, and differentiate it."""
    x, w = Value(2.0, label="x"), Value(-3.0, "w")
    u: Value = w * x + 1
    v: Value = 2 - u / 4 + x**2 - abs(w)
    e: Value = (0.1 * x).exp() + w.tanh() + x.log().sigmoid() + (-w).relu() + 2**x
    z: Value = weighted_sum([w, 0.5], [x, u], bias=v)
    y: Value = tanh(z * 0.01) + total([e, x, 1.0]) + maximum(x, w)
    y.label = "y"
    y.backward()
    number: float = y.data + x.grad
    if x > w and y >= number - 100.0:
        x.grad = 0.0
    assert_type(w * x, Value)
    assert_type(2**x, Value)
    assert_type(x.exp(), Value)
    assert_type(x.grad, float)
    assert_type(total([x]), Value)
    assert_type(topological_order(y), list[Value])
    names: list[str] = [node.label for node in topological_order(y)]
    contributions: list[float] = [step.upstream * step.local for step in backward_steps(y)]
    local: tuple[float, ...] = y.local_gradients()
    parts: tuple[float, ...] = y.pullback(1.0)
    assert len(names) > len(local) == len(parts) <= len(contributions)
    return y


def gradients() -> float:
    """Differentiate twice."""
    x = Value(0.5, label="x")
    y = x**3 + x.exp()
    first = grad(y, [x])
    assert_type(first, list[float])
    assert abs(first[0] - 3 * 0.25 - x.exp().data) < 1e-12
    derivatives = grad(y, [x], create_graph=True)
    assert_type(derivatives, list[Value])
    [second] = grad(derivatives[0], [x])
    return second


def functions_of_floats() -> float:
    """Call functions on plain numbers, which return plain numbers."""
    probabilities = softmax([0.0, 1.0])
    assert_type(probabilities, list[float])
    return sum(probabilities) + log_softmax([0.0, 0.0])[0]


def own_operation() -> bool:
    """Define an operation and check it."""
    swish = Op("user_swish", "a * sigmoid(a)", "sigmoid(a) + y * (1 - sigmoid(a))")
    report = gradcheck(lambda v: swish(v) ** 2, [0.5])
    print(report.summary())
    return bool(report)


def unrecorded(x: Value) -> float:
    """Compute without recording, and with checks for infinite numbers."""
    with no_grad():
        y = x * x + 1
    with detect_anomaly():
        z = x * x + 1
    assert not y.parents
    assert z.parents
    return y.data


def training(folder: Path) -> list[float]:
    """Train, save, load and predict."""
    rng = random.Random(0)
    xs, ys = data.moons(20, rng=rng)
    model = MLP(2, [4, 1], activation="tanh", init="xavier", rng=rng)
    history = fit(model, xs, ys, "binary_cross_entropy", SGD(model.parameters(), lr=0.5), 3, progress=False)
    fit(model, xs, ys, losses.binary_cross_entropy, Adam(model.parameters(), lr=0.01), 1, 5, progress=False)
    save(model, folder / "model.json")
    again = load(folder / "model.json")
    assert again.predict(xs[0]) == model.predict(xs[0])
    answers = model.predict_many(xs, backend="python")
    assert len(answers) == len(xs)
    assert history.accuracy[-1] is not None
    return history.loss


def textbook() -> float:
    """Compare autograd with the textbook."""
    net = MLP(2, [2, 1], activation="sigmoid", output="sigmoid", rng=random.Random(0))
    report = deltas(net, [0.05, 0.1], [0.99])
    signals: list[float] = [row.autograd for row in report.neurons]
    products: list[float] = [row.product for row in report.weights]
    assert signals
    assert products
    return report.disagreement


def by_hand() -> float:
    """Write a training loop."""
    neuron = Neuron(2, activation="tanh", rng=random.Random(1))
    optimizer = SGD(neuron.parameters(), lr=0.1)
    model = MLP(2, [3, 1], rng=random.Random(1))
    error = Value(0.0)
    for _ in range(3):
        a = neuron([1.0, -2.0])
        assert_type(a, Value)
        error = losses.half_squared_error(a, 1.0) + (model([1.0, -2.0]) - 1.0) ** 2
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
    return error.data


def programs() -> float:
    """Compile a graph."""
    x, w = Value(2.0, label="x"), Value(-3.0, label="w")
    program = trace(tanh(w * x), inputs=[x], parameters=[w])
    assert "tanh" in program.source
    step = program.compile("python")
    mean, gradients = step([-3.0], [[2.0, 1.0, 0.0]])
    assert len(gradients) == 1
    return float(mean)


def views(folder: Path) -> str:
    """Draw, play and explain."""
    x, w = Value(2.0, label="x"), Value(-3.0, label="w")
    y = w * x
    y.backward()
    picture = draw_dot(y, rankdir="TB", local_gradients=True)
    page = play(y, title="a product").save(folder / "player.html")
    assert "->" in picture.source
    assert page.exists()
    w.data = 1.0
    assert stale(y)
    w.data = -3.0
    return str(explain(w, y))


def main(folder: Path) -> None:
    """Call everything; ``folder`` is for its files."""
    print(graph(), gradients(), functions_of_floats(), own_operation(), unrecorded(Value(2.0)))
    print(training(folder), textbook(), by_hand(), programs())
    print(views(folder))
