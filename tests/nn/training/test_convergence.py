"""Runs that stop before their last epoch, and runs that diverge."""

import math
import random
import warnings

import pytest

from engine import Value
from nn import MLP, SGD, Adam, Epoch, Neuron, fit

LINE = [[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 7.0]


def line():
    return Neuron(1, None, init="zeros")


def learn(neuron, lr=0.1, epochs=3000, optimizer=None, loss="half_squared_error", **options):
    optimizer = optimizer or SGD(neuron.parameters(), lr)
    return fit(neuron, *LINE, loss, optimizer, epochs, progress=False, **options)


def test_a_run_that_makes_all_epochs_says_so():
    history = learn(line(), epochs=3)
    assert (history.stopped, history.interrupted, len(history.epochs)) == ("epochs", False, 3)


# The loss


def test_a_loss_that_no_longer_improves_stops_the_run():
    history = learn(line(), tolerance=1e-3, patience=5)
    assert history.stopped == "tolerance"
    assert len(history.epochs) < 3000
    best = history.loss[0]
    waited = 0
    for loss in history.loss[1:]:
        best, waited = (loss, 0) if loss < best - 1e-3 else (best, waited + 1)
    assert waited == 5
    assert repr(history).endswith("\nstopped by tolerance")


def test_slow_progress_counts_from_the_last_improvement():
    # each epoch improves by less than the tolerance, but five epochs together by more
    losses = iter([1.0 - 0.0025 * k for k in range(300)])
    history = learn(
        line(), epochs=60, lr=0.0, loss=lambda y, t: 0 * y + next(losses), tolerance=0.03, patience=5
    )
    assert history.stopped == "epochs"


@pytest.mark.parametrize(("options", "epochs"), [({"tolerance": 0.0}, 11), ({"patience": 3}, 4)])
def test_one_of_tolerance_and_patience_is_enough(options, epochs):
    history = learn(line(), lr=0.0, **options)
    assert (history.stopped, len(history.epochs)) == ("tolerance", epochs)


def test_with_validation_its_loss_decides():
    validation = ([[0.0]], [-5.0])  # it gets worse from the first step on
    history = learn(line(), tolerance=0.0, patience=4, validation=validation)
    assert (history.stopped, len(history.epochs)) == ("tolerance", 5)
    assert history.loss == sorted(history.loss, reverse=True)


# The gradient


def test_a_small_gradient_stops_the_run():
    neuron = line()
    history = learn(neuron, min_gradient=1e-6)
    assert history.stopped == "min_gradient"
    neuron.zero_grad()
    for x, t in zip(*LINE):
        (0.5 * (neuron(x) - t) ** 2 / 4).backward()
    assert math.hypot(*(p.grad for p in neuron.parameters())) < 1e-6


def test_the_gradient_of_an_epoch_is_the_mean_of_its_batches():
    xs, ys = [[1.0]] * 4, [1.0, -1.0, 1.0, -1.0]  # the batches pull in opposite directions
    neuron = line()
    optimizer = SGD(neuron.parameters(), lr=1e-6)
    history = fit(neuron, xs, ys, "half_squared_error", optimizer, 3, 1, random.Random(0), progress=False,
                  min_gradient=1e-3)  # fmt: skip
    assert (history.stopped, len(history.epochs)) == ("min_gradient", 1)


def test_weight_decay_is_part_of_the_gradient():
    neuron = line()
    optimizer = SGD(neuron.parameters(), lr=0.1, weight_decay=0.5)
    assert learn(neuron, optimizer=optimizer, min_gradient=1e-6).stopped == "min_gradient"


# The callback


def test_the_callback_gets_the_number_and_the_epoch():
    seen = []
    history = learn(line(), epochs=4, callback=lambda number, epoch: seen.append((number, epoch)))
    assert seen == [*enumerate(history.epochs, 1)]
    assert isinstance(seen[0][1], Epoch)
    assert history.stopped == "epochs"


@pytest.mark.parametrize("backend", ["eager", "python"])
def test_a_callback_that_returns_true_stops_the_run(backend):
    history = learn(line(), callback=lambda number, epoch: epoch.loss < 0.5, backend=backend)
    assert history.stopped == "callback"
    assert history.loss[-1] < 0.5 <= history.loss[-2]


@pytest.mark.parametrize("answer", [None, False, 0, 1, "stop", [True]])
def test_any_other_answer_is_no_answer(answer):
    assert learn(line(), epochs=2, callback=lambda number, epoch: answer).stopped == "epochs"


def test_a_bool_of_numpy_is_an_answer():
    numpy = pytest.importorskip("numpy")
    assert learn(line(), callback=lambda number, epoch: numpy.bool_(True)).stopped == "callback"
    assert learn(line(), epochs=2, callback=lambda number, epoch: numpy.bool_(False)).stopped == "epochs"


def test_an_error_in_the_callback_ends_the_run():
    def fail(number, epoch):
        raise KeyError(number)

    with pytest.raises(KeyError):
        learn(line(), callback=fail)


def test_ctrl_c_in_the_callback_interrupts_the_run():
    def press(number, epoch):
        if number == 2:
            raise KeyboardInterrupt

    history = learn(line(), callback=press)
    assert (history.stopped, history.interrupted, len(history.epochs)) == ("interrupted", True, 2)


def test_the_reason_is_shown_with_the_last_line(capsys):
    neuron = line()
    fit(
        neuron, *LINE, "half_squared_error", SGD(neuron.parameters(), 0.1), 1000, callback=lambda n, e: n == 7
    )
    assert capsys.readouterr().out.startswith("epoch 7/1000  loss ")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"tolerance": -1e-3}, ValueError, "tolerance is at least 0 and finite, not -0.001"),
        ({"tolerance": "small"}, TypeError, "tolerance is a number, not str: 'small'"),
        ({"patience": 0}, ValueError, "patience is a whole number of at least 1, not 0"),
        ({"patience": 2.5}, ValueError, "patience is a whole number of at least 1, not 2.5"),
        ({"min_gradient": float("nan")}, ValueError, "min_gradient is at least 0 and finite, not nan"),
        ({"callback": 3}, TypeError, "callback is a function .* -> True to stop, not int: 3"),
    ],
)
def test_bad_arguments_are_refused_before_any_parameter_moves(options, error, message):
    neuron = line()
    with pytest.raises(error, match=message):
        learn(neuron, **options)
    assert [p.data for p in neuron.parameters()] == [0.0, 0.0]


# Divergence


@pytest.mark.parametrize("backend", ["eager", "python"])
def test_a_run_that_diverges_warns_once_with_the_learning_rate(backend):
    with pytest.warns(
        UserWarning, match="the loss has grown from 10.5 to .* the learning rate 0.7 may be too"
    ) as seen:
        history = learn(line(), lr=0.7, epochs=30, backend=backend)
    assert len(seen) == 1
    assert history.diverged
    assert history.initial_loss == history.loss[0] == 10.5
    assert seen[0].filename == __file__.replace(".pyc", ".py") or seen[0].filename.endswith(
        "test_convergence.py"
    )


def test_a_run_that_diverges_in_its_first_epoch_warns():
    xs = [[float(k % 5)] for k in range(64)]
    neuron = line()
    with pytest.warns(UserWarning, match="by epoch 1: the learning rate 5.0"):
        fit(neuron, xs, [2 * x[0] + 1 for x in xs], "half_squared_error", SGD(neuron.parameters(), 5.0), 1, 8,
            random.Random(0), progress=False)  # fmt: skip


def test_a_schedule_is_named_by_the_rate_of_the_last_step():
    neuron = line()
    optimizer = SGD(neuron.parameters(), lambda step: 50.0 / (1 + step))
    with pytest.warns(UserWarning, match="learning rate (25|16.6)"):
        learn(neuron, optimizer=optimizer, epochs=3)


def test_a_schedule_is_asked_once_for_each_step():
    neuron, rates = line(), iter([0.1] * 5)
    learn(neuron, optimizer=SGD(neuron.parameters(), lambda step: next(rates)), epochs=5)
    assert next(rates, None) is None


def test_a_good_run_does_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = MLP(1, [3, 1], "tanh", rng=random.Random(0))
        history = fit(model, *LINE, "half_squared_error", Adam(model.parameters(), 0.01), 20, 1,
                      random.Random(0), progress=False)  # fmt: skip
    assert not history.diverged


def test_a_loss_that_starts_at_zero_does_not_warn():
    neuron = line()
    neuron.w[0].data, neuron.b.data = 2.0, 1.0
    assert not learn(neuron, epochs=3).diverged


# Numbers at the end of the range


def test_the_mean_over_batches_does_not_overflow():
    model = line()
    model.b.data = 1.6e308
    history = fit(model, [[0.0]] * 5, [0.0] * 5, lambda y, t: 1.0 * y, SGD(model.parameters(), 0.0), 1, 1,
                  random.Random(0), progress=False)  # fmt: skip
    assert history.loss == [pytest.approx(1.6e308)]
    assert history.initial_loss == pytest.approx(1.6e308)


# Targets


@pytest.mark.parametrize("backend", ["eager", "python", "numpy"])
def test_values_as_targets_count_as_their_numbers(backend):
    if backend == "numpy":
        pytest.importorskip("numpy")
    usual, other = line(), line()
    learn(usual, epochs=3)
    targets = [Value(t) for t in LINE[1]]
    optimizer = SGD(other.parameters(), 0.1)
    fit(other, LINE[0], targets, "half_squared_error", optimizer, 3, backend=backend, progress=False,
        validation=(LINE[0], targets))  # fmt: skip
    assert [p.data for p in other.parameters()] == pytest.approx(
        [p.data for p in usual.parameters()], rel=1e-12
    )
    assert [t.grad for t in targets] == [0.0] * 4


@pytest.mark.parametrize("backend", ["eager", "python"])
@pytest.mark.parametrize("wrap", [lambda t: t, lambda t: [t]])
def test_a_computed_value_is_refused_as_a_target(backend, wrap):
    neuron = line()
    with pytest.raises(TypeError, match="sample 1: a target is a number, or a Value that was not computed"):
        fit(neuron, [[0.0], [1.0]], [wrap(1.0), wrap(2 * neuron.b)], "half_squared_error",
            SGD(neuron.parameters(), 0.1), 1, backend=backend, progress=False)  # fmt: skip
