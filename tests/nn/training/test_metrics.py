"""The accuracy of a model, and batches of samples for a loop of your own."""

import random

import pytest

from engine import Value
from nn import MLP, SGD, Adam, Module, Neuron, accuracy, batches, clip_gradients, data, fit

LOSSES = ["hinge", "binary_cross_entropy", "cross_entropy"]


@pytest.mark.parametrize("loss", LOSSES)
def test_the_accuracy_is_that_of_the_history(loss):
    rng = random.Random(0)
    xs, ys = data.moons(30, rng=rng)
    ys = [2 * y - 1 for y in ys] if loss == "hinge" else ys
    model = MLP(2, [4, 2 if loss == "cross_entropy" else 1], "tanh", rng=rng)
    history = fit(model, xs, ys, loss, Adam(model.parameters(), 0.05), 5, progress=False, validation=(xs, ys))
    assert accuracy(model, xs, ys, loss=loss) == history.validation_accuracy[-1]
    assert accuracy(model, xs, ys) == history.validation_accuracy[-1]


def test_the_accuracy_counts_every_output_of_a_sample():
    class Echo(Module):
        def __call__(self, x):
            return [Value(x_i) for x_i in x]

    xs, ys = [[1.0, -1.0], [1.0, 2.0]], [[1, -1], [1, -1]]
    assert accuracy(Echo(), xs, ys, loss="hinge") == 0.5
    assert accuracy(Echo(), xs, [0, 0]) == 0.5
    assert accuracy(Echo(), xs, [[1, 0], [0, 1]], "cross_entropy") == 1.0


def test_the_accuracy_of_many_samples_is_computed_by_a_program(monkeypatch):
    pytest.importorskip("numpy")
    calls, predict = [], MLP.predict
    monkeypatch.setattr(MLP, "predict", lambda model, x: calls.append(x) or predict(model, x))
    xs, ys = data.moons(300, rng=random.Random(0))
    model = MLP(2, [4, 1], "tanh", rng=random.Random(1))
    found = accuracy(model, xs, ys)
    assert len(calls) < 5
    assert found == sum((model.predict(x) > 0) == (y > 0) for x, y in zip(xs, ys)) / 300


def test_arrays_have_an_accuracy():
    numpy = pytest.importorskip("numpy")
    model = Neuron(1, None, init=lambda rng, nin, nout: 1.0)
    assert accuracy(model, numpy.array([[1.0], [-2.0]]), numpy.array([1, 1])) == 0.5


@pytest.mark.parametrize(
    ("xs", "ys", "loss", "error", "message"),
    [
        (
            [[1.0]],
            [1.0],
            "half_squared_error",
            ValueError,
            "the loss half_squared_error has no classes; expected",
        ),
        ([[1.0]], [1.0], "hings", ValueError, r"unknown loss 'hings' \(did you mean hinge\?\)"),
        ([[1.0]], [3], "hinge", ValueError, "sample 0: a target of this loss is -1 or 1, not 3"),
        ([[1.0]], [1, 1], "hinge", ValueError, "1 samples in xs, 2 targets in ys"),
        ([], [], None, ValueError, "expected at least one sample"),
        ({1: 2}, [1], None, TypeError, "xs is a list"),
    ],
)
def test_bad_samples_have_no_accuracy(xs, ys, loss, error, message):
    with pytest.raises(error, match=message):
        accuracy(Neuron(1), xs, ys, loss)


def test_a_model_is_expected():
    with pytest.raises(TypeError, match="expected a model, a Module, not function"):
        accuracy(lambda x: x, [[1.0]], [1])


# Batches


def test_batches_hold_every_sample_once_with_its_target():
    xs, ys = [[float(k)] for k in range(10)], list(range(10))
    found = [*batches(xs, ys, 4, random.Random(0))]
    assert [len(part) for part, _ in found] == [4, 4, 2]
    assert all(x == [float(y)] for part in found for x, y in zip(*part))
    assert sorted(y for _, part in found for y in part) == ys
    assert ys == list(range(10))


def test_the_first_epoch_of_fit_has_these_batches():
    seen = []
    xs, ys = [[float(k)] for k in range(7)], [0.0] * 7
    model = Neuron(1, None, init="zeros")

    def note(y, t):
        return 0 * y

    class Watched(Module):
        def parameters(self):
            return model.parameters()

        def __call__(self, x):
            seen.append(x)
            return model(x)

    watched = Watched()
    fit(watched, xs, ys, note, SGD(model.parameters(), 0.1), 1, 3, random.Random(5), progress=False)
    assert seen[-7:] == [x for part, _ in batches(xs, ys, 3, random.Random(5)) for x in part]


def test_without_a_generator_the_module_random_shuffles():
    random.seed(3)
    first = [*batches([[1.0], [2.0], [3.0]], [1, 2, 3], 2)]
    random.seed(3)
    assert [*batches([[1.0], [2.0], [3.0]], [1, 2, 3], 2)] == first


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([[1.0]], [1, 2], 1), ValueError, "1 samples in xs, 2 targets in ys"),
        (([[1.0]], [1], 0), ValueError, "size is a whole number of at least 1, not 0"),
        (({1}, [1], 1), TypeError, "xs is a list of samples, not set"),
        (([[1.0]], 5, 1), TypeError, "ys is a list of targets, not int: 5"),
        (([[1.0]], [1], 1, 7), TypeError, "rng draws random numbers as"),
    ],
)
def test_bad_batches_are_refused_before_the_first(arguments, error, message):
    with pytest.raises(error, match=message):
        batches(*arguments)


# Clipping


def with_gradients(*gradients):
    values = [Value(0.0, f"w{k}") for k in range(len(gradients))]
    for v, g in zip(values, gradients):
        v.grad = g
    return values


def test_gradients_are_clipped_to_the_norm():
    values = with_gradients(3.0, -4.0)
    assert clip_gradients(values, 1.0) == 5.0
    assert [v.grad for v in values] == pytest.approx([0.6, -0.8], rel=1e-15)


def test_gradients_within_the_norm_stay():
    values = with_gradients(3.0, -4.0)
    assert clip_gradients(iter(values), 5.0) == 5.0
    assert clip_gradients(values, float("inf")) == 5.0
    assert [v.grad for v in values] == [3.0, -4.0]
    assert clip_gradients([], 1.0) == 0.0


def test_gradients_at_the_ends_of_the_range_are_clipped():
    values = with_gradients(1.5e308, 1.5e308)
    assert clip_gradients(values, 2.0) == float("inf")
    assert [v.grad for v in values] == pytest.approx([2**0.5, 2**0.5], rel=1e-15)
    values = with_gradients(3e-320, 4e-320)
    clip_gradients(values, 1e-320)
    assert [v.grad for v in values] == pytest.approx([6e-321, 8e-321], rel=1e-3)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_gradient_that_is_not_finite_is_named_and_none_changes(bad):
    values = with_gradients(30.0, bad)
    with pytest.raises(FloatingPointError, match=f"the gradient of parameter w1 is {bad}"):
        clip_gradients(values, 1.0)
    assert values[0].grad == 30.0


@pytest.mark.parametrize(
    ("parameters", "norm", "error", "message"),
    [
        (5, 1.0, TypeError, "parameters is a list of Values"),
        ([1.0], 1.0, TypeError, "a parameter is a Value, not float: 1.0"),
        ([], 0.0, ValueError, "max_norm is a number above 0, not 0.0"),
        ([], float("nan"), ValueError, "max_norm is a number above 0, not nan"),
        ([], "1", TypeError, "max_norm is a number, not str: '1'"),
    ],
)
def test_bad_arguments_of_clipping_are_refused(parameters, norm, error, message):
    with pytest.raises(error, match=message):
        clip_gradients(parameters, norm)
