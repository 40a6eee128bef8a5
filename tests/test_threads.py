"""Threads build and differentiate graphs at the same time without affecting each other."""

import random
import sys
import threading

import pytest

from engine import Value, detect_anomaly, grad, no_grad, relu, softplus, tanh
from nn import MLP, SGD, fit


@pytest.fixture(autouse=True)
def switching():
    """Make threads switch as often as Python allows."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


def together(*functions):
    """Run functions in threads that start together; return their results or raise the first error."""
    results, errors, barrier = [None] * len(functions), [], threading.Barrier(len(functions))

    def run(i, function):
        try:
            barrier.wait()
            results[i] = function()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=job) for job in enumerate(functions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results


def learned(seed):
    rng = random.Random(seed)
    model = MLP(2, [4, 1], activation="tanh", rng=rng)
    xs = [[rng.uniform(-1, 1), rng.uniform(-1, 1)] for _ in range(16)]
    ys = [1 if x[0] * x[1] > 0 else -1 for x in xs]
    fit(model, xs, ys, "hinge", SGD(model.parameters(), lr=0.1), 4, 4, rng, progress=False)
    return [p.data for p in model.parameters()]


def test_training_in_four_threads_gives_the_same_bits_as_alone():
    alone = [learned(seed) for seed in range(4)]
    assert together(*[lambda seed=seed: learned(seed) for seed in range(4)]) == alone


def gradients():
    x, w = Value(0.5), Value(-1.5)
    for _ in range(300):
        y = softplus(tanh(w * x) + relu(x)) ** 2
        y.backward()
        first, _ = grad(y, [x, w], create_graph=True)
        assert first.parents
        assert y.parents
    return x.grad, w.grad


def unrecorded():
    x = Value(0.5)
    for _ in range(300):
        with no_grad():
            assert tanh(x * x).parents == ()
            with no_grad():
                assert (x + 1).parents == ()
            assert (x + 1).parents == ()
        assert (x * x).parents == (x, x)


def watched():
    """Cause an anomaly in every round; it is reported in this thread only."""
    x = Value(1e200, label="x")
    for _ in range(100):
        with detect_anomaly():
            assert (x * 1e-200).parents
            with pytest.raises(FloatingPointError, match="inf at a = 1e\\+200"):
                x * x


def infinite():
    """Compute what `detect_anomaly` would report if it were on in this thread."""
    x = Value(1e200)
    for _ in range(300):
        y = x * x + 1
        y.backward()
        assert y.data == float("inf")
        x.grad = 0.0


@pytest.mark.parametrize("other", [unrecorded, watched, infinite, gradients])
def test_a_switch_of_one_thread_does_not_affect_another(other):
    alone = gradients()
    found = together(gradients, other, gradients)
    assert (found[0], found[2]) == (alone, alone)


def test_detect_anomaly_and_no_grad_in_threads_do_not_interfere():
    together(watched, infinite, unrecorded, watched)


def test_many_threads_may_read_one_graph():
    x = Value(0.3)
    y = x
    for _ in range(50):
        y = tanh(y * x + 0.1)
    alone = grad(y, [x])
    assert together(*[lambda: [grad(y, [x]) for _ in range(20)][-1]] * 4) == [alone] * 4
