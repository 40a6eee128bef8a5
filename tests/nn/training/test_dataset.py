"""Every sample is checked before any parameter moves."""

import pytest

from engine import Value
from nn import MLP, Module, losses
from nn.training.dataset import check_samples

NAN, INF = float("nan"), float("inf")


@pytest.fixture
def model():
    return MLP(2, [3, 1])


def test_samples_are_plain_python_and_numbered(model):
    samples = check_samples(model, [(1, 2), [True, 0.5]], [1, -1], losses.hinge)
    assert samples == [([1.0, 2.0], 1, 0), ([1.0, 0.5], -1, 1)]


def test_arrays_are_accepted_as_samples(model):
    numpy = pytest.importorskip("numpy")
    samples = check_samples(model, numpy.array([[1, 2], [3, 4]]), numpy.array([1, -1]), losses.hinge)
    assert samples == [([1.0, 2.0], 1, 0), ([3.0, 4.0], -1, 1)]
    assert type(samples[0].t) is int
    rows = [numpy.array([1.0, 2.0])]
    assert check_samples(model, rows, [numpy.float64(0.5)], losses.half_squared_error)[0].t == 0.5
    assert check_samples(MLP(2, [2]), rows, numpy.array([[0, 1]]), losses.cross_entropy)[0].t == [0, 1]


def test_samples_for_a_module_of_the_user_have_the_length_of_the_first():
    class Sum(Module):
        def __call__(self, x):
            return Value(0.0) + sum(x)

    samples = check_samples(Sum(), [[1.0, 2.0], [3.0, 4.0]], [0.0, 0.0], losses.half_squared_error)
    assert len(samples) == 2
    with pytest.raises(ValueError, match="sample 1: expected 2 inputs, got 1"):
        check_samples(Sum(), [[1.0, 2.0], [3.0]], [0.0, 0.0], losses.half_squared_error)


@pytest.mark.parametrize(
    ("xs", "ys", "error", "message"),
    [
        ([], [], ValueError, "at least one sample"),
        ([[1.0, 2.0]], [1, 1], ValueError, "1 samples in xs, 2 targets in ys"),
        ([[1.0, 2.0]], [], ValueError, "1 samples in xs, 0 targets in ys"),
        (None, [1], TypeError, "xs is a list with one entry for each sample, not NoneType"),
        ([[1.0, 2.0]], 1, TypeError, "ys is a list with one entry for each sample, not int"),
        ("12", [1], TypeError, "xs is a list"),
        ([[1.0, 2.0], [1.0]], [1, 1], ValueError, "sample 1: expected 2 inputs, got 1"),
        ([1.0, 2.0], [1, 1], TypeError, "sample 0: a sample is a list of 2 numbers, not float"),
        ([[1.0, 2.0], [1.0, "x"]], [1, 1], TypeError, "sample 1: .*not str"),
        ([[1.0, 2.0], [1.0, NAN]], [1, 1], ValueError, "sample 1: input 1 is nan; expected a finite number"),
        ([[INF, 2.0]], [1], ValueError, "sample 0: input 0 is inf"),
        ([[1.0, 2.0]], [NAN], ValueError, "sample 0: target 0 is nan"),
        ([[1.0, 2.0], [1.0, 2.0]], [1, 0], ValueError, "sample 1: a target of this loss is -1 or 1, not 0"),
        ([[1.0, 2.0]], [[1, 1]], ValueError, "sample 0: .*1 outputs, 2 targets"),
        ([[1.0, 2.0]], [None], TypeError, "sample 0: .*not NoneType"),
        ([[1.0, 2.0]], ["1"], TypeError, "sample 0: .*not str"),
        ([[1.0, 10**400]], [1], OverflowError, "sample 0: "),
    ],
)
def test_the_number_of_a_bad_sample_is_named(model, xs, ys, error, message):
    with pytest.raises(error, match=message):
        check_samples(model, xs, ys, losses.hinge)


def test_a_class_beyond_the_outputs_is_refused():
    with pytest.raises(ValueError, match="sample 2: the class is a whole number from 0 to 2, not 3"):
        check_samples(MLP(1, [3]), [[1.0]] * 3, [0, 2, 3], losses.cross_entropy)
    with pytest.raises(ValueError, match="sample 0: .* two or more classes"):
        check_samples(MLP(1, [1]), [[1.0]], [0], losses.cross_entropy)


def test_a_loss_of_the_user_takes_any_targets(model):
    samples = check_samples(model, [[1.0, 2.0]], ["anything"], lambda outputs, t: outputs)
    assert samples[0].t == "anything"


def test_a_one_hot_target_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="sample 0: target 1 is inf"):
        check_samples(MLP(1, [2]), [[1.0]], [[0.0, INF]], losses.half_squared_error)
