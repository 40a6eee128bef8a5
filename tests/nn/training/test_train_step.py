"""The mean loss and the gradients of one batch, from Values and from the traced graph."""

import math
import random
import warnings

import pytest

from engine import Op, Value, grad, log, no_grad, sigmoid, total
from engine.compiler.guarded import GuardedFunction
from nn import MLP, SGD, Module, data, fit, losses
from nn.model.predict import PAYS
from nn.training.dataset import Sample
from nn.training.train_step import AT_ONCE, eager, evaluate, traced


def batch(n, rng, nin=2, t=lambda rng: rng.choice([-1, 1])):
    return [Sample([rng.gauss(0, 1) for _ in range(nin)], t(rng), i) for i in range(n)]


@pytest.mark.parametrize("n", [1, 3, AT_ONCE, AT_ONCE + 1, 2 * AT_ONCE + 5])
def test_the_gradient_is_that_of_the_mean_over_the_batch(n):
    rng = random.Random(n)
    model, samples = MLP(2, [4, 1], "tanh", rng=rng), batch(n, rng)
    whole = total([losses.hinge(model(s.x), s.t) for s in samples]) / n
    whole.backward()
    expected = [p.grad for p in model.parameters()]
    mean, right = eager(model, losses.hinge)(samples)
    assert mean == pytest.approx(whole.data, rel=1e-14)
    assert [p.grad for p in model.parameters()] == pytest.approx(expected, rel=1e-12, abs=1e-16)
    assert right == sum((model.predict(s.x) > 0) == (s.t > 0) for s in samples)


def test_a_second_step_starts_from_zero_gradients():
    rng = random.Random(0)
    model, samples = MLP(2, [4, 1], "tanh", rng=rng), batch(5, rng)
    step = eager(model, losses.hinge)
    assert step(samples) == step(samples)
    first = [p.grad for p in model.parameters()]
    step(samples)
    assert [p.grad for p in model.parameters()] == first


def test_evaluation_records_and_changes_nothing():
    rng = random.Random(0)
    model, samples = MLP(2, [4, 1], "tanh", rng=rng), batch(5, rng)
    mean, right = evaluate(model, losses.hinge, samples)
    assert (mean, right) == pytest.approx(eager(model, losses.hinge)(samples), rel=1e-14)
    model.zero_grad()
    evaluate(model, losses.hinge, samples)
    assert not any(p.grad for p in model.parameters())


def test_a_loss_that_is_not_finite_names_the_sample_and_the_first_node():
    model = MLP(2, [2, 1], "tanh", rng=random.Random(0))
    model.layers[1].neurons[0].w[1].data = float("inf")
    with pytest.raises(
        FloatingPointError, match=r"sample 7: the loss is .* not finite is w2_1_0 = inf, a leaf"
    ):
        eager(model, losses.half_squared_error)([Sample([1.0, 1.0], 0.0, 7)])


def test_a_node_computed_from_finite_numbers_is_named_with_them():
    model = MLP(1, [1], None, init="zeros")
    model.layers[0].neurons[0].w[0].data = 1e200
    with pytest.raises(FloatingPointError, match=r"is z1_0 = inf, Σwa of \[1e\+200, 1e\+200"):
        eager(model, losses.half_squared_error)([Sample([1e200], 0.0, 0)])


def test_a_loss_of_your_own_may_be_a_plain_number_for_some_samples():
    model = MLP(1, [1], rng=random.Random(0))
    step = eager(model, lambda y, t: (y - t) ** 2 if t else 0.0)
    mean, _ = step([Sample([1.0], 0.0), Sample([1.0], 1.0)])
    assert mean == (model.predict([1.0]) - 1.0) ** 2 / 2


# The traced graph

TARGETS = {
    "half_squared_error": lambda rng: [rng.gauss(0, 1) for _ in range(3)],
    "mean_squared_error": lambda rng: [rng.gauss(0, 1) for _ in range(3)],
    "hinge": lambda rng: [rng.choice([-1, 1]) for _ in range(3)],
    "binary_cross_entropy": lambda rng: [rng.choice([0, 1]) for _ in range(3)],
    "cross_entropy": lambda rng: rng.randrange(3),
}


@pytest.mark.parametrize("name", losses.table)
def test_the_traced_graph_gives_the_numbers_of_values(name):
    rng = random.Random(0)
    model, samples = MLP(2, [4, 3], "tanh", rng=rng), batch(9, rng, t=TARGETS[name])
    loss = losses.table[name]
    expected = *eager(model, loss)(samples), [p.grad for p in model.parameters()]
    step = traced(model, loss, samples[:2], "python")
    found = *step(samples), [p.grad for p in model.parameters()]
    assert found[:2] == pytest.approx(expected[:2], rel=1e-12)
    assert found[2] == pytest.approx(expected[2], rel=1e-9, abs=1e-15)


def test_a_single_target_is_a_column_too():
    rng = random.Random(0)
    model, samples = MLP(2, [4, 1], "relu", rng=rng), batch(9, rng)
    assert traced(model, losses.hinge, samples, "python")(samples) == pytest.approx(
        eager(model, losses.hinge)(samples)
    )


def test_an_activation_of_your_own_is_traced_like_any_other():
    Op("cubed_traced", "a ** 3", "3 * a**2")
    rng = random.Random(0)
    model, samples = MLP(2, [3, 1], "cubed_traced", rng=rng), batch(4, rng)
    assert traced(model, losses.hinge, samples, "python")(samples) == pytest.approx(
        eager(model, losses.hinge)(samples)
    )


def test_a_model_that_reads_its_data_is_computed_on_values_with_a_warning_that_names_the_line():
    class Bent(Module):
        def __init__(self):
            self.w = Value(2.0, label="w")

        def parameters(self):
            return [self.w]

        def __call__(self, x):
            x = [v if isinstance(v, Value) else Value(v) for v in x]
            return self.w * x[0] if x[0].data > 0 else -self.w * x[0]

    samples = [Sample([1.0], 0.0, 0), Sample([-1.0], 1.0, 1)]
    model = Bent()
    with pytest.warns(UserWarning, match=r"if x\[0\].data > 0 .* reads the number of a Value"):
        step = traced(model, losses.half_squared_error, samples, "python")
    assert step(samples) == eager(model, losses.half_squared_error)(samples)


def test_an_unknown_backend_is_refused():
    with pytest.raises(ValueError, match="abacus"):
        traced(MLP(2, [1]), losses.hinge, [Sample([1.0, 1.0], 1)], "abacus")


@pytest.mark.parametrize("backend", ["python", "numpy", "llvm"])
def test_a_number_that_is_not_finite_is_traced_to_its_instruction_and_sample(backend):
    if backend != "python":
        pytest.importorskip({"numpy": "numpy", "llvm": "llvmlite"}[backend])
    model = MLP(1, [1], None, init="zeros")
    step = traced(model, lambda y, t: y - t, [Sample([1.0], 0.0, 0)], backend)
    model.layers[0].neurons[0].w[0].data = 1e200
    expected = r"sample 7: z1_0 = b1_0 \+ w1_0_0\*x0 is inf at .*w1_0_0 = 1e\+200, x0 = 1e\+200.*No parameter"
    with pytest.raises(FloatingPointError, match=expected):
        step([Sample([1.0], 0.0, 3), Sample([1e200], 0.0, 7)])


def test_a_gradient_that_is_not_finite_is_traced_to_its_sample():
    model = MLP(1, [1], None, init="zeros")

    def loss(y, t):
        return y * 1e200 * t * 1e-200

    step = traced(model, loss, [Sample([1.0], 1.0, 0)], "python")
    with pytest.raises(FloatingPointError, match=r"sample 4: d_w1_0_0 = .* is inf at"):
        step([Sample([1e250], 1e100, 4)])


def test_the_message_is_one_line_for_any_label():
    model = MLP(1, [1], init="zeros")
    model.parameters()[0].data = math.inf
    model.parameters()[0].label = "two\nlines"
    with pytest.raises(FloatingPointError) as told:
        eager(model, lambda y, t: y)([Sample([1.0], 0.0, 3)])
    assert r"is 'two\nlines' = inf, a leaf." in str(told.value)
    assert str(told.value).isprintable()


def test_a_number_outside_a_domain_names_the_sample_of_the_data():
    Op("log_traced", "log(a)", "1 / a")
    model = MLP(1, [1], "log_traced", "log_traced", init="zeros")
    neuron = model.layers[0].neurons[0]
    neuron.b.data = 1.0
    step = traced(model, losses.half_squared_error, [Sample([1.0], 0.0, 0)], "python")
    neuron.w[0].data = 1.0
    with pytest.raises(ValueError, match="log") as caught:
        step([Sample([1.0], 0.0, 5), Sample([-3.0], 0.0, 9)])
    assert caught.value.__notes__ == ["at sample 9"]


# A traced run is the run


def python_hinge(y, t):
    return max(0, 1 - t * y)


def huber(y, t):
    e = y - t
    return e * e / 2 if abs(e) < 1 else abs(e) - 0.5


def reads_a_number(y, t):
    e = y - t
    return e * e if e.data < 1 else abs(e)


def small_net(seed=3):
    return MLP(2, [4, 1], activation="tanh", rng=random.Random(seed))


def losses_of(loss, backend, batch_size, seed=3):
    xs, ys = data.moons(24, rng=random.Random(1))
    model = small_net(seed)
    optimizer = SGD(model.parameters(), lr=0.1)
    targets = [2 * y - 1 for y in ys]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        history = fit(
            model, xs, targets, loss, optimizer, 3, batch_size, random.Random(5), backend, progress=False
        )
    return history.loss, [p.data for p in model.parameters()], [str(w.message) for w in caught]


@pytest.mark.parametrize("batch_size", [None, 4, 1])
@pytest.mark.parametrize("backend", ["python", "numpy", "llvm"])
@pytest.mark.parametrize("loss", [python_hinge, huber, reads_a_number], ids=lambda loss: loss.__name__)
def test_a_loss_that_chooses_in_python_trains_as_on_values(loss, backend, batch_size):
    expected, numbers, _ = losses_of(loss, "eager", batch_size)
    got, trained, messages = losses_of(loss, backend, batch_size)
    assert got == pytest.approx(expected, rel=1e-9)
    assert trained == pytest.approx(numbers, rel=1e-9)
    assert len(messages) <= 1
    if loss is reads_a_number:
        assert "if e.data < 1 else abs(e) reads the number of a Value" in messages[0]
    elif batch_size is None:
        assert "Python's comparison in" in messages[0]
        assert "at sample" in messages[0]


def test_after_three_batches_with_a_failed_guard_no_program_is_tried(monkeypatch):
    calls = []
    original = GuardedFunction.__call__
    monkeypatch.setattr(GuardedFunction, "__call__", lambda *args: calls.append(1) or original(*args))
    losses_of(huber, "python", None, seed=4)
    assert len(calls) <= 4


def test_a_random_mask_is_noticed_on_two_samples_even_with_batches_of_one():
    masks = random.Random(0)

    class Dropout(MLP):
        def __call__(self, x):
            return super().__call__([v if masks.random() < 0.5 else v * 0.0 for v in x])

    model = Dropout(2, [4, 1], rng=random.Random(1))
    xs, ys = data.moons(8, rng=random.Random(1))
    with pytest.raises(ValueError, match="gives other numbers than Values on the first batch"):
        fit(model, xs, ys, "half_squared_error", SGD(model.parameters(), lr=0.1), 1, 1, backend="python",
            progress=False)  # fmt: skip


class Energy(Module):
    """A model whose output is the derivative of an energy, so that it differentiates inside."""

    def __init__(self):
        self.net = MLP(1, [3, 1], activation="tanh", rng=random.Random(2))

    def parameters(self):
        return self.net.parameters()

    def __call__(self, x):
        x = [v if isinstance(v, Value) else Value(v) for v in x]
        [force] = grad(self.net(x), x, create_graph=True)
        return -force


def test_a_model_that_differentiates_inside_predicts_and_validates_the_number_of_the_call(monkeypatch):
    monkeypatch.setitem(PAYS, "python", 0)  # compile for one row, too
    model = Energy()
    call = model([0.5]).data
    assert model.predict_many([[0.5]], backend="python") == [pytest.approx(call, rel=1e-12)]
    loss, _ = evaluate(model, losses.half_squared_error, [Sample([0.5], 1.0)])
    assert loss == pytest.approx((1.0 - call) ** 2 / 2, rel=1e-12)


class Two(Module):
    """Two parameters, and whatever is computed from them."""

    def __init__(self, call):
        self.a, self.b, self.call = Value(0.5, "a"), Value(-0.75, "b"), call

    def parameters(self):
        return [self.a, self.b]

    def __call__(self, x):
        return self.call(self, [v if isinstance(v, Value) else Value(v) for v in x])


def linear(m, x):
    return m.a * x[0] + m.b * x[1]


def stop_gradient(m, x):
    with no_grad():
        n = m.a * x[0] + 1
    return m.b * x[1] * n


def by_exception(m, x):
    try:
        return log(m.a * x[0]) + m.b
    except ValueError:
        return m.b * x[1]


def by_closure(m, x):
    out = Value(m.a.data * x[0].data, (m.a,), "f")

    def closure():
        m.a.grad += x[0].data * out.grad

    out._backward = closure
    return out + m.b


MODELS = [linear, stop_gradient, by_exception, by_closure, lambda m, x: m.a if x[0] == 0.0 else m.b * x[1]]


@pytest.mark.parametrize("call", MODELS)
@pytest.mark.parametrize("loss", [
    lambda y, t: (y - t) ** 2, lambda y, t: -log(sigmoid(y)) if t == 1 else -log(1 - sigmoid(y)),
    lambda y, t: (y - t) ** 2 if abs(y - t) < Value(1.0) else abs(y - t),
    lambda y, t: (y - {0.0: 0.5, 1.0: 2.0}[t]) ** 2,
])  # fmt: skip
def test_whatever_python_does_training_and_predictions_are_those_of_values(call, loss, monkeypatch):
    monkeypatch.setitem(PAYS, "python", 0)  # compile for few rows, too
    rng = random.Random(0)
    xs = [[rng.choice([0.0, rng.gauss(0, 1)]), rng.gauss(0, 1)] for _ in range(12)]
    ys = [float(i > 5) for i in range(12)]
    results = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for backend in ("eager", "python", "numpy"):
            model = Two(call)
            optimizer = SGD(model.parameters(), lr=0.05)
            history = fit(model, xs, ys, loss, optimizer, 3, 3, random.Random(1), backend, progress=False)
            results.append([*history.loss, model.a.data, model.b.data])
    assert results[1] == pytest.approx(results[0], rel=1e-9)
    assert results[2] == pytest.approx(results[0], rel=1e-9)
    one_by_one = [model.predict(x) for x in xs]
    assert model.predict_many(xs, backend="python") == pytest.approx(one_by_one, rel=1e-12)
