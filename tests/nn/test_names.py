"""Unknown names: the error suggests the most similar one."""

import pytest

import nn
from engine import Value, did_you_mean, get_op, trace
from nn import MLP, data, init, losses


def program_of(backend):
    x = Value(2.0)
    return trace(x * x, [x]).compile(backend)


@pytest.mark.parametrize(
    ("use", "name", "suggested"),
    [
        (losses.get_loss, "hing", "hinge"),
        (losses.get_loss, "mean_square_error", "mean_squared_error"),
        (losses.find, "Cross_Entropy", "cross_entropy"),
        (init.get_initializer, "xavir", "xavier"),
        (lambda name: MLP(2, [1], init=name), "He", "he"),
        (lambda name: MLP(2, [1], name), "ReLU", "relu"),
        (lambda name: MLP(2, [1], output=name), "sigmoyd", "sigmoid"),
        (data.get_dataset, "moon", "moons"),
        (get_op, "tanhh", "tanh"),
        (program_of, "pyton", "python"),
        (lambda name: getattr(data, name), "spiral", "spirals"),
        (lambda name: getattr(nn, name), "Adamm", "Adam"),
        (lambda name: getattr(nn, name), "mlp", "MLP"),
    ],
)
def test_a_name_that_is_nearly_right_is_suggested(use, name, suggested):
    with pytest.raises((ValueError, AttributeError)) as error:
        use(name)
    assert f"{name!r} (did you mean {suggested}?)" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("use", [losses.get_loss, init.get_initializer, data.get_dataset, get_op, program_of])
@pytest.mark.parametrize("name", ["", "qqq", "x" * 10**6, "two\nlines"])
def test_a_name_unlike_all_others_is_only_refused(use, name):
    with pytest.raises(ValueError, match="there are") as error:
        use(name)
    assert "did you mean" not in str(error.value)
    assert len(str(error.value)) < 600
    assert "\n" not in str(error.value)


def test_the_spelling_of_the_known_name_is_kept():
    assert did_you_mean("value", ["Value", "values"]) == " (did you mean Value?)"


def test_everything_of_nn_comes_with_a_star():
    names = {}
    exec("from nn import *", names)
    assert names["Value"] is Value
    assert {*nn.__all__} <= {*names}
    assert {"accuracy", "batches", "clip_gradients", "plots", "MLP", "deltas"} <= {*nn.__all__}
