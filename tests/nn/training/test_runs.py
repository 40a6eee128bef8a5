"""A run in arrays is the run on Values: its losses, its errors, and what a callback sees and changes."""

import copy
import pickle
import random

import pytest

from engine import Value
from nn import MLP, SGD, Adam, fit
from nn.training.convergence import Convergence
from nn.training.dataset import check_samples
from nn.training.losses import get_loss
from nn.training.runs import ArrayRun, ValueRun, begin
from nn.training.train_step import eager, traced
from tests.support.backends import each_fast_backend

pytest.importorskip("numpy")

OPTIMIZERS = {
    "SGD": lambda p: SGD(p, lr=0.05),
    "momentum": lambda p: SGD(p, lr=0.02, momentum=0.9, weight_decay=0.01),
    "nesterov": lambda p: SGD(p, lr=0.02, momentum=0.9, nesterov=True),
    "Adam": lambda p: Adam(p, lr=0.01, weight_decay=0.01),
    "schedule": lambda p: SGD(p, lr=lambda step: 0.1 * 0.5 ** (step // 30)),
}
LOSSES = {
    "hinge": ([1], lambda rng: rng.choice([-1, 1])),
    "binary_cross_entropy": ([2], lambda rng: [rng.choice([0, 1]), rng.choice([0, 1])]),
    "cross_entropy": ([3], lambda rng: rng.randrange(3)),
    "half_squared_error": ([1], lambda rng: rng.uniform(-1, 1)),
}


def problem(loss="hinge", n=30):
    """Return a net and samples for a loss, the same at each call."""
    rng = random.Random(5)
    outputs, target = LOSSES[loss]
    model = MLP(3, [4, *outputs], "tanh", rng=rng)
    xs = [[rng.uniform(-1, 1) for _ in range(3)] for _ in range(n)]
    return model, xs, [target(rng) for _ in xs]


def run(backend, make=OPTIMIZERS["SGD"], loss="hinge", epochs=25, frozen=0, **options):
    """Return the history, the parameters, their gradients and the optimizer of a run of 4 steps an epoch."""
    model, xs, ys = problem(loss)
    optimizer = make(model.parameters()[frozen:])
    options = {"batch_size": 8, "rng": random.Random(2), "validation": (xs[:7], ys[:7])} | options
    history = fit(model, xs, ys, loss, optimizer, epochs, backend=backend, progress=False, **options)
    p = model.parameters()
    return history, [v.data for v in p], [v.grad for v in p], optimizer


def same(found, expected):
    (history, data, grads, optimizer), (history0, data0, grads0, optimizer0) = found, expected
    assert history.loss == pytest.approx(history0.loss, rel=1e-9)
    assert history.validation_loss == pytest.approx(history0.validation_loss, rel=1e-9)
    assert (history.accuracy, history.validation_accuracy) == (
        history0.accuracy,
        history0.validation_accuracy,
    )
    assert data == pytest.approx(data0, rel=1e-9)
    assert grads == pytest.approx(grads0, rel=1e-8, abs=1e-12)
    assert (optimizer.steps, optimizer.last_lr) == (optimizer0.steps, optimizer0.last_lr)
    flat = [[x for state in o.memory for x in (state if isinstance(state, tuple) else [state])]
            for o in (optimizer, optimizer0)]  # fmt: skip
    assert flat[0] == (flat[1] if None in flat[1] else pytest.approx(flat[1], rel=1e-8, abs=1e-15))


@each_fast_backend
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_hundred_steps_are_those_of_values(name, backend):
    same(run(backend, OPTIMIZERS[name]), run("eager", OPTIMIZERS[name]))


@pytest.mark.parametrize("loss", LOSSES)
def test_each_loss_has_the_losses_and_accuracies_of_values(loss):
    same(run("numpy", loss=loss, batch_size=None), run("eager", loss=loss, batch_size=None))
    same(run("numpy", loss=loss), run("eager", loss=loss))


def test_parameters_that_the_optimizer_does_not_move_stay():
    found = run("python", OPTIMIZERS["Adam"], frozen=16)
    same(found, run("eager", OPTIMIZERS["Adam"], frozen=16))
    assert found[1][:16] == [p.data for p in problem()[0].parameters()[:16]]


def test_a_run_goes_on_where_the_last_one_ended():
    def twice(backend):
        model, xs, ys = problem()
        optimizer = OPTIMIZERS["momentum"](model.parameters())
        for part in (backend, "eager", backend):
            fit(model, xs, ys, "hinge", optimizer, 3, backend=part, progress=False)
        return [p.data for p in model.parameters()], optimizer.steps

    found, steps = twice("numpy")
    assert steps == 9
    assert found == pytest.approx(twice("eager")[0], rel=1e-9)


def kind(optimizer_of, backend="python"):
    model, xs, ys = problem()
    loss, optimizer = get_loss("hinge"), optimizer_of(model.parameters())
    samples = check_samples(model, xs, ys, loss)
    step = eager(model, loss) if backend == "eager" else traced(model, loss, samples[:2], backend)
    return type(begin(model, loss, samples, step, optimizer, Convergence(None, None, None, None, optimizer)))


class Halved(SGD):
    def step(self):
        for p in self.parameters:
            p.grad = 0.5 * p.grad
        super().step()


class Signed(SGD):
    def _rule(self, rate):
        return lambda data, gradient, state: (data - rate * (1.0 if gradient > 0 else -1.0), state)


class Parameter(Value):
    """A class of the user's own."""


def test_optimizers_without_rules_for_arrays_work_on_values():
    assert kind(OPTIMIZERS["Adam"]) is ArrayRun
    assert kind(OPTIMIZERS["Adam"], "eager") is ValueRun
    assert kind(lambda p: Halved(p, lr=0.1)) is ValueRun
    assert kind(lambda p: Signed(p, lr=0.1)) is ValueRun
    assert kind(lambda p: SGD([*p, Value(1.0)], lr=0.1)) is ValueRun
    assert kind(lambda p: SGD([*p, Parameter(1.0)], lr=0.1)) is ValueRun


@pytest.mark.parametrize("cls", [Halved, Signed])
def test_an_optimizer_of_your_own_trains_a_compiled_model_as_on_values(cls):
    same(run("python", lambda p: cls(p, lr=0.01)), run("eager", lambda p: cls(p, lr=0.01)))


@pytest.mark.parametrize("backend", ["eager", "python"])
def test_a_callback_sees_the_values_and_may_change_them(backend):
    model, xs, ys = problem()
    optimizer = OPTIMIZERS["momentum"](model.parameters())
    seen = []

    def callback(number, epoch):
        seen.append(
            (model.parameters()[0].data, model.parameters()[0].grad, optimizer.steps, optimizer.memory[0])
        )
        model.parameters()[1].data = 0.25
        optimizer.lr = 0.0 if number == 2 else 0.1

    fit(model, xs, ys, "hinge", optimizer, 3, backend=backend, progress=False, callback=callback)
    assert [steps for _, _, steps, _ in seen] == [1, 2, 3]
    assert seen[0][0] != seen[1][0] == seen[2][0]  # the rate was 0
    assert all(gradient and velocity for _, gradient, _, velocity in seen)
    assert model.parameters()[1].data == 0.25


@pytest.mark.parametrize("name", ["momentum", "Adam"])
def test_a_copy_of_an_optimizer_after_a_run_has_its_memory_and_no_array(name):
    model, xs, ys = problem()
    optimizer = OPTIMIZERS[name](model.parameters())
    fit(model, xs, ys, "hinge", optimizer, 2, backend="python", progress=False)
    assert len(optimizer.memory) == len(model.parameters())
    assert copy.deepcopy(optimizer).memory == optimizer.memory
    assert b"numpy" not in pickle.dumps(optimizer._memory)


def test_the_values_are_written_before_each_epoch_is_shown(monkeypatch):
    from nn.training import progress

    model, xs, ys = problem()
    seen = []
    monkeypatch.setattr(progress, "show", lambda text: seen.append(model.parameters()[0].data) or True)
    fit(model, xs, ys, "hinge", SGD(model.parameters(), lr=0.1), 3, backend="python")
    assert len(set(seen)) == 3
    assert seen[-1] == model.parameters()[0].data


@pytest.mark.parametrize("make", [OPTIMIZERS["momentum"], OPTIMIZERS["Adam"]])
def test_an_error_leaves_the_parameters_as_the_last_good_step_left_them(make):
    def until(epochs, rate):
        model = problem()[0]
        optimizer = make(model.parameters())
        optimizer.lr = lambda step: rate if step >= 3 else 0.05
        error = ""
        try:
            fit(model, [[1.0, 2.0, -1.0]], [0.5], lambda s, t: s * 3, optimizer, epochs, backend="python",
                progress=False)  # fmt: skip
        except FloatingPointError as caught:
            error = str(caught)
        return [p.data for p in model.parameters()], optimizer.steps, optimizer.memory, error

    *found, error = until(10, 1.7e308)
    assert "the step would take parameter" in error
    *expected, _ = until(3, 0.0)
    assert found == expected


def test_a_square_that_is_infinite_is_refused_in_arrays_as_on_values():
    def message(backend):
        model = MLP(1, [1], None, init="zeros")
        optimizer = Adam(model.parameters(), lr=0.1)
        with pytest.raises(FloatingPointError) as caught:
            fit(model, [[1e200]], [0.0], lambda y, t: y, optimizer, 1, backend=backend, progress=False)
        return str(caught.value), [p.data for p in model.parameters()], optimizer.steps

    assert message("numpy") == message("eager")


def test_training_stops_by_the_norm_of_the_gradient_as_on_values():
    found = run("numpy", epochs=200, min_gradient=0.08, loss="half_squared_error")
    expected = run("eager", epochs=200, min_gradient=0.08, loss="half_squared_error")
    assert found[0].stopped == expected[0].stopped == "min_gradient"
    assert len(found[0].loss) == len(expected[0].loss)
