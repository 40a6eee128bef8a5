"""The checks of the training loop, the initializers and an operation with its derivative."""

import math

import pytest

from nn import init
from nn.exercises import check
from nn.exercises.checker import check_topic
from nn.exercises.topics.training import VARIANCES, initializer_topic, loop_topic, operation_topic


def train(loss, parameters, rate, steps):
    for _ in range(steps):
        root = loss()
        for p in parameters:
            p.grad = 0.0
        root.backward()
        for p in parameters:
            p.data -= rate * p.grad


def train_and_clean_up(loss, parameters, rate, steps):
    for _ in range(steps):
        loss().backward()
        for p in parameters:
            p.data = p.data - rate * p.grad
            p.grad = 0.0
    print(loss().data)


@pytest.mark.parametrize("right", [train, train_and_clean_up])
def test_right_loops_pass(right):
    assert check("training_loop", right)


@pytest.mark.parametrize("slip", loop_topic().slips, ids=lambda slip: slip.name)
def test_each_slip_of_the_loop_is_named(slip):
    assert check_topic(loop_topic(), slip.solution).cause == slip.name


def test_an_update_without_a_gradient_never_moves():
    def no_backward(loss, parameters, rate, steps):
        for _ in range(steps):
            for p in parameters:
                p.data -= rate * p.grad

    assert check("training_loop", no_backward).cause == "the parameters never move"


def test_of_two_slips_of_the_loop_one_is_named_and_then_the_other():
    def both(loss, parameters, rate, steps):
        root = loss()
        for _ in range(steps):
            root.backward()
            for p in parameters:
                p.data -= rate * p.grad

    def once(loss, parameters, rate, steps):
        root = loss()
        for _ in range(steps):
            for p in parameters:
                p.grad = 0.0
            root.backward()
            for p in parameters:
                p.data -= rate * p.grad

    first, second = check("training_loop", both), check("training_loop", once)
    assert (first.cause, second.cause) == ("no zero_grad", "the loss is computed once")
    assert "mend this one first" in first.why


@pytest.mark.parametrize("name", VARIANCES)
def test_initializers_of_this_package_pass(name):
    assert check("initializer", getattr(init, name), name=name)


@pytest.mark.parametrize("name", VARIANCES)
def test_normal_and_uniform_numbers_of_the_variance_pass(name):
    variance = VARIANCES[name]
    assert check("initializer", lambda rng, *n: rng.gauss(0, math.sqrt(variance(*n))), name=name)
    assert check("initializer", lambda rng, *n: rng.uniform(-1, 1) * math.sqrt(3 * variance(*n)), name=name)


@pytest.mark.parametrize(("wrong", "cause"), [
    (lambda rng, nin, nout: rng.gauss(0, 2 / nin), "the variance in place of the standard deviation"),
    (lambda rng, nin, nout: 0.5 * math.sqrt(2 / nin), None),
    (lambda rng, nin, nout: 0.0, "all weights are equal"),
    (lambda rng, nin, nout: rng.gauss(0, math.sqrt(2 / nout)), "nout in place of nin"),
    (lambda rng, nin, nout: rng.gauss(0, math.sqrt(2 / (nin + nout))), "the variance of xavier"),
    (lambda rng, nin, nout: rng.uniform(0, math.sqrt(6 / nin)), "only positive weights"),
    (lambda rng, nin, nout: rng.uniform(-1, 1) * math.sqrt(2 / nin),
     "the standard deviation as the limit of the uniform numbers"),
])  # fmt: skip
def test_a_slip_of_he_is_named(wrong, cause):
    result = check("initializer", wrong, name="he")
    assert (result.passed, result.cause) == (False, cause)


def test_the_known_slips_of_an_initializer_are_named():
    for slip in initializer_topic("xavier").slips:
        result = check_topic(initializer_topic("xavier"), slip.solution)
        assert result.passed or slip.name in result.cause.split(" or ")


def test_a_list_of_weights_is_refused_in_words():
    result = check("initializer", lambda rng, nin, nout: [rng.random()] * nin, name="he")
    assert result.right == "one number"


def test_an_operation_and_its_derivative_pass():
    assert check("operation", (math.tanh, lambda x: 1 - math.tanh(x) ** 2), name="tanh")
    assert check("operation", [math.exp, math.exp], name="exp")


@pytest.mark.parametrize(("f", "derivative", "cause"), [
    (math.tanh, lambda x: 1 - math.tanh(math.tanh(x)) ** 2, "the derivative is taken at the result"),
    (math.tanh, lambda x: math.tanh(x) ** 2 - 1, "the sign of the derivative"),
    (math.tanh, math.tanh, "the function in place of its derivative"),
    (lambda x: x, lambda x: 1 - math.tanh(x) ** 2, "x as the function"),
    (math.tanh, lambda x: 1 - x**2, "x stands in the place of f(x)"),
])  # fmt: skip
def test_a_slip_of_an_operation_is_named(f, derivative, cause):
    assert check("operation", (f, derivative), name="tanh").cause == cause


def test_each_known_slip_of_an_operation_fails_or_gives_the_right_numbers():
    for name in ("exp", "sigmoid", "log", "relu"):
        for slip in operation_topic(name).slips:
            result = check_topic(operation_topic(name), slip.solution)
            assert result.passed or slip.name in result.cause.split(" or ")


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="no operation 'tanj' of one argument .did you mean tan"):
        check("operation", (math.tanh, math.cosh), name="tanj")
    with pytest.raises(ValueError, match="no initializer 'hee'"):
        check("initializer", lambda *_: 0.0, name="hee")
    with pytest.raises(TypeError, match="needs name="):
        check("initializer", lambda *_: 0.0)
    with pytest.raises(TypeError, match="pair of functions"):
        check("operation", math.tanh, name="tanh")
