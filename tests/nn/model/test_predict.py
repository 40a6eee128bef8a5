"""A model predicts the same for many samples at once as for each of them."""

import importlib.util
import math
import random
import sys

import pytest

from engine import Value
from nn import MLP, Module, losses
from nn.training.dataset import Sample
from nn.training.train_step import eager, traced

BACKENDS = [
    pytest.param(name, marks=pytest.mark.skipif(importlib.util.find_spec(package) is None, reason=package))
    for name, package in {"python": "math", "numpy": "numpy", "llvm": "llvmlite"}.items()
]
each_backend = pytest.mark.parametrize("backend", BACKENDS)


def net(outputs, rng=None):
    return MLP(2, [4, outputs], "tanh", rng=rng or random.Random(5))


def rows(n):
    rng = random.Random(n)
    return [[rng.gauss(0, 2), rng.gauss(0, 2)] for _ in range(n)]


@each_backend
@pytest.mark.parametrize("outputs", [1, 3])
def test_each_row_gets_the_outputs_of_predict(backend, outputs):
    model = net(outputs)
    for row, outputs_of_row in zip(rows(33), model.predict_many(rows(33), backend)):
        assert outputs_of_row == pytest.approx(model.predict(row), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("outputs", [1, 3])
def test_python_gives_the_same_bits(outputs):
    model = net(outputs)
    assert model.predict_many(rows(33), "python") == [model.predict(row) for row in rows(33)]


@each_backend
def test_an_infinite_output_does_not_change_the_others(backend):
    model = MLP(1, [2], None, init="zeros")
    model.layers[0].neurons[0].w[0].data = 1e200
    assert model.predict_many([[1e200], [1.0]], backend) == [[math.inf, 0.0], [1e200, 0.0]]


def test_a_model_of_your_own_predicts():
    class Line(Module):
        def __init__(self):
            self.w = Value(2.0, label="w")

        def parameters(self):
            return [self.w]

        def __call__(self, x):
            return self.w * x[0] + x[1]

    assert Line().predict_many([[1.0, 2.0], [3.0, 4.0]], "python") == [4.0, 10.0]


def test_an_array_of_rows_is_accepted_and_no_rows_give_no_predictions():
    np = pytest.importorskip("numpy")
    assert net(1).predict_many(np.array(rows(3))) == pytest.approx(net(1).predict_many(rows(3)))
    assert net(1).predict_many([]) == []


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ([[1.0, 2.0], [3.0]], ValueError, "row 1: expected 2 inputs, got 1"),
        ([[1.0, "2"]], TypeError, "row 0"),
        ([1.0, 2.0], TypeError, "row 0"),
        ("12", TypeError, "rows is a list"),
        (None, TypeError, "rows is a list"),
    ],
)
def test_a_row_that_does_not_fit_is_named(given, error, message):
    with pytest.raises(error, match=message):
        net(1).predict_many(given, "python")


def test_without_numpy_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "numpy", None)
    monkeypatch.delitem(sys.modules, "engine.compiler.backends.numpy", raising=False)
    with pytest.raises(ImportError, match=r"pip install 'chalkgrad\[numpy\]'"):
        net(1).predict_many([[1.0, 2.0]])


# The accuracy of a traced run


@each_backend
@pytest.mark.parametrize(
    ("loss", "outputs", "target"),
    [
        (losses.hinge, 1, lambda rng: rng.choice([-1, 1])),
        (losses.binary_cross_entropy, 2, lambda rng: [rng.choice([0, 1]), rng.choice([0, 1])]),
        (losses.cross_entropy, 3, lambda rng: rng.randrange(3)),
    ],
)
@pytest.mark.parametrize("init", ["uniform", "zeros"])
def test_as_many_samples_are_correct_as_on_values(backend, loss, outputs, target, init):
    rng = random.Random(2)
    model = MLP(2, [4, outputs], "tanh", init=init, rng=rng)
    batch = [Sample(row, target(rng), i) for i, row in enumerate(rows(40))]
    step = traced(model, loss, batch[:8], backend)
    assert step(batch)[1] == eager(model, loss)(batch)[1]


@pytest.mark.parametrize(
    ("loss", "outputs", "target"),
    [(losses.hinge, 1, 1.0), (losses.half_squared_error, 1, 1.0), (losses.cross_entropy, 3, 2)],
)
def test_a_traced_step_does_not_predict_sample_by_sample(loss, outputs, target, monkeypatch):
    model = net(outputs)
    batch = [Sample(row, target, i) for i, row in enumerate(rows(8))]
    step = traced(model, loss, batch, "python")
    monkeypatch.setattr(MLP, "predict", None)
    monkeypatch.setattr(MLP, "__call__", None)
    step(batch)
