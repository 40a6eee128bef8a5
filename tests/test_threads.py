"""Two threads build and differentiate graphs at the same time, and neither notices the other."""

import random
import sys
import threading

import pytest

from engine import Value, detect_anomaly, grad, no_grad, relu, softplus, tanh
from nn import MLP, SGD, fit


@pytest.fixture(autouse=True)
def switching():
    """Threads that take turns as often as Python lets them."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


def together(*works):
    """Run the works in threads that start at the same moment; their results, or the first error."""
    results, errors, barrier = [None] * len(works), [], threading.Barrier(len(works))

    def run(i, work):
        try:
            barrier.wait()
            results[i] = work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=job) for job in enumerate(works)]
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


def test_runs_in_four_threads_give_the_bits_that_they_give_alone():
    alone = [learned(seed) for seed in range(4)]
    assert together(*[lambda seed=seed: learned(seed) for seed in range(4)]) == alone


def slopes():
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
    """An anomaly in every round, reported in this thread and nowhere else."""
    x = Value(1e200, label="x")
    for _ in range(100):
        with detect_anomaly():
            assert (x * 1e-200).parents
            with pytest.raises(FloatingPointError, match="inf at a = 1e\\+200"):
                x * x


def infinite():
    """What `detect_anomaly` would refuse, were it on in this thread."""
    x = Value(1e200)
    for _ in range(300):
        y = x * x + 1
        y.backward()
        assert y.data == float("inf")
        x.grad = 0.0


@pytest.mark.parametrize("other", [unrecorded, watched, infinite, slopes])
def test_what_one_thread_switches_off_or_on_stays_with_it(other):
    alone = slopes()
    found = together(slopes, other, slopes)
    assert (found[0], found[2]) == (alone, alone)


def test_watching_and_not_recording_do_not_meet():
    together(watched, infinite, unrecorded, watched)


def test_one_graph_may_be_read_by_many_threads():
    x = Value(0.3)
    y = x
    for _ in range(50):
        y = tanh(y * x + 0.1)
    alone = grad(y, [x])
    assert together(*[lambda: [grad(y, [x]) for _ in range(20)][-1]] * 4) == [alone] * 4
