"""Long runs leak no memory: without the garbage collector, the numbers of objects and bytes stay the same."""

import contextlib
import gc
import importlib.util
import random
import tracemalloc

import pytest

from engine import Value, backward_steps, detect_anomaly, explain, grad, no_grad, tanh
from nn import MLP, SGD, fit

NEEDS = {"numpy": "numpy", "llvm": "llvmlite", "jax": "jax", "torch": "torch"}
INSTALLED = [name for name, package in NEEDS.items() if importlib.util.find_spec(package)]
BACKENDS = ["eager", "python", *INSTALLED]


@pytest.fixture(autouse=True)
def collector_off():
    gc.disable()
    gc.collect()
    gc.freeze()  # ignore the objects that exist already
    yield
    gc.unfreeze()
    gc.enable()


class Counting(SGD):
    """SGD that calls ``measure`` after each ``every`` steps."""

    def __init__(self, parameters, every, measure):
        super().__init__(parameters, lr=0.01)
        self.every, self.measure, self.counts = every, measure, []

    def step(self):
        super().step()
        if self.steps % self.every == 0:
            self.counts.append(self.measure())


def long_run(backend, steps, measure):
    """Train a small net; return the results of ``measure`` after each tenth of the steps but the first."""
    rng = random.Random(0)
    model = MLP(2, [2, 1], activation="tanh", rng=rng)
    xs = [[rng.uniform(-1, 1), rng.uniform(-1, 1)] for _ in range(100)]
    ys = [rng.choice([-1, 1]) for _ in xs]
    optimizer = Counting(model.parameters(), steps // 10, measure)
    xs, ys = xs * (steps // 100), ys * (steps // 100)
    fit(model, xs, ys, "hinge", optimizer, 1, 1, rng, backend, progress=False)
    assert len(optimizer.counts) == 10
    return optimizer.counts[1:]  # the first tenth creates what is created only once


@pytest.mark.parametrize("backend", BACKENDS)
def test_ten_thousand_steps_leave_no_object_behind(backend):
    counts = long_run(backend, 10_000, lambda: len(gc.get_objects()))
    assert max(counts) - min(counts) <= len(counts)  # the list of counts itself grows


@pytest.mark.parametrize("backend", BACKENDS)
def test_hundreds_of_steps_leave_no_bytes_behind(backend):
    def size():
        assert gc.collect() == 0  # no cycles; this also empties Python's free lists
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        sizes = long_run(backend, 500, size)
    finally:
        tracemalloc.stop()
    sizes = sizes[4:]  # until then JAX fills its own caches
    assert max(sizes) - min(sizes) < 10_000  # one node kept in each step would take 40,000 bytes


def once(x, w):
    y = tanh(w * x + 1) * x
    y.backward()
    list(backward_steps(y))
    grad(y, [x, w])
    [first, _] = grad(y, [x, w], create_graph=True)
    grad(first, [x])
    str(explain(x, y))
    with no_grad():
        tanh(x)


def anomaly(x, w):
    with contextlib.suppress(FloatingPointError), detect_anomaly():
        _ = (x * 1e200) * (w * 1e200)


def domain(x, w):
    with contextlib.suppress(ValueError):
        (x - 5).log()


@pytest.mark.parametrize("work", [once, anomaly, domain])
def test_graphs_gradients_and_errors_leave_no_object_behind(work):
    x, w = Value(2.0, label="x"), Value(3.0, label="w")
    for _ in range(20):
        work(x, w)
    before = len(gc.get_objects())
    for _ in range(200):
        work(x, w)
    assert len(gc.get_objects()) - before < 20  # one object kept in each round would make 200


@pytest.mark.parametrize("depth", [10, 100_000])
def test_dropping_the_root_frees_the_graph_without_the_collector(depth):
    x = Value(1.0)
    y = x * x
    del y
    before = len(gc.get_objects())
    y = x
    for _ in range(depth):
        y = y * 1.0 + x
    y.backward()
    assert len(gc.get_objects()) - before >= 3 * depth
    del y
    assert len(gc.get_objects()) - before < 10
