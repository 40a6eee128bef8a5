"""A model predicts the same for many samples at once as for each of them."""

import gc
import importlib.util
import math
import pickle
import random
import sys
import weakref

import pytest

from engine import Value
from nn import MLP, Layer, Module, Neuron, losses
from nn.model import predict
from nn.training.dataset import Sample
from nn.training.train_step import eager, traced

BACKENDS = [
    pytest.param(name, marks=pytest.mark.skipif(importlib.util.find_spec(package) is None, reason=package))
    for name, package in {"python": "math", "numpy": "numpy", "llvm": "llvmlite"}.items()
]
each_backend = pytest.mark.parametrize("backend", BACKENDS)


@pytest.fixture
def compiled(monkeypatch):
    """Compile for any number of rows."""
    monkeypatch.setattr(predict, "PAYS", {})
    monkeypatch.setattr(predict, "PAYS_LATER", 0)


@pytest.fixture
def traced_models(monkeypatch):
    """Return the models that are traced, in order."""
    found, outputs = [], predict.Outputs

    def noting(model, x, backend):
        found.append(model)
        return outputs(model, x, backend)

    monkeypatch.setattr(predict, "Outputs", noting)
    return found


def net(outputs, rng=None):
    return MLP(2, [4, outputs], "tanh", rng=rng or random.Random(5))


def rows(n):
    rng = random.Random(n)
    return [[rng.gauss(0, 2), rng.gauss(0, 2)] for _ in range(n)]


@each_backend
@pytest.mark.parametrize("outputs", [1, 3])
def test_each_row_gets_the_outputs_of_predict(backend, outputs, compiled):
    model = net(outputs)
    for row, outputs_of_row in zip(rows(33), model.predict_many(rows(33), backend)):
        assert outputs_of_row == pytest.approx(model.predict(row), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("outputs", [1, 3])
def test_python_gives_the_same_bits(outputs, compiled):
    model = net(outputs)
    assert model.predict_many(rows(33), "python") == [model.predict(row) for row in rows(33)]


@each_backend
def test_an_infinite_output_does_not_change_the_others(backend, compiled):
    model = MLP(1, [2], None, init="zeros")
    model.layers[0].neurons[0].w[0].data = 1e200
    assert model.predict_many([[1e200], [1.0]], backend) == [[math.inf, 0.0], [1e200, 0.0]]


def test_a_model_of_your_own_predicts(compiled):
    class Line(Module):
        def __init__(self):
            self.w = Value(2.0, label="w")

        def parameters(self):
            return [self.w]

        def __call__(self, x):
            return self.w * x[0] + x[1]

    assert Line().predict_many([[1.0, 2.0], [3.0, 4.0]], "python") == [4.0, 10.0]


def test_an_array_of_rows_is_accepted_and_no_rows_give_no_predictions(compiled):
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


# Programs are compiled where they pay, and kept


def test_few_rows_are_predicted_without_a_program(traced_models):
    model = net(1)
    found = [model.predict_many(rows(20), "python") for _ in range(3)]
    assert found[0] == [model.predict(row) for row in rows(20)]
    assert traced_models == []


def test_few_rows_that_come_often_are_compiled_in_the_end(traced_models, monkeypatch):
    monkeypatch.setitem(predict.PAYS, "python", 50)
    model = net(1)
    for _ in range(5):
        assert model.predict_many(rows(20), "python") == [model.predict(row) for row in rows(20)]
    assert traced_models == [model]


@pytest.mark.parametrize(
    "make", [lambda: MLP(2, [3, 1], "tanh"), lambda: Layer(2, 2, "tanh"), lambda: Neuron(2, "tanh")]
)
def test_a_program_is_kept_and_takes_the_parameters_as_they_are(make, compiled, traced_models):
    model = make()
    for number in (0.5, 1.5):
        model.parameters()[0].data = number
        assert model.predict_many(rows(3), "python") == [model.predict(row) for row in rows(3)]
    assert traced_models == [model]


def shape(model):
    neuron = model.layers[0].neurons[0]
    model.layers[0].neurons.append(neuron)
    for follower in model.layers[1].neurons:
        follower.w.append(Value(0.5))
        follower.nin += 1


def activation(model):
    model.layers[0].neurons[0].activation = "relu"


def nonlinearity(model):
    model.layers[0].neurons[0].nonlin = False


def layer(model):
    model.layers[1] = Layer(4, 1, "relu", rng=random.Random(8))


def parameter(model):
    model.layers[0].neurons[0].w[0] = Value(7.0)


@pytest.mark.parametrize(
    ("change", "programs"), [(shape, 1), (activation, 2), (nonlinearity, 2), (layer, 2), (parameter, 1)]
)
def test_a_net_that_changes_predicts_what_it_has_become(change, programs, compiled, traced_models):
    model = MLP(2, [4, 1], "tanh", rng=random.Random(5))
    before = model.predict_many(rows(4), "python")
    change(model)
    after = model.predict_many(rows(4), "python")
    assert after == [model.predict(row) for row in rows(4)] != before
    if change is not shape:  # a neuron that is listed twice cannot be compiled, but it is noticed
        assert len(traced_models) == programs


def test_a_model_of_your_own_is_traced_at_each_call(compiled, traced_models):
    class Scaled(MLP):
        scale = 1.0

        def __call__(self, x):
            return super().__call__(x) * self.scale

    model = Scaled(2, [1])
    before = model.predict_many(rows(4), "python")
    model.scale = 3.0
    assert model.predict_many(rows(4), "python") == pytest.approx([3.0 * y for y in before])
    assert traced_models == [model, model]


def test_a_kept_program_keeps_no_model_alive(compiled):
    model = net(1)
    model.predict_many(rows(4), "python")
    alive = weakref.ref(model)
    del model
    gc.collect()
    assert alive() is None


def test_a_model_with_a_program_can_be_copied(compiled):
    model = net(1)
    found = model.predict_many(rows(4), "python")
    assert pickle.loads(pickle.dumps(model)).predict_many(rows(4), "python") == found


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
