"""The training loop."""

import os
import random
import signal
import threading

import pytest

from engine import Op, Value
from nn import MLP, SGD, Adam, Module, data, fit, losses
from nn.training.interrupts import uninterrupted


def moons(n=40):
    xs, ys = data.moons(n, rng=random.Random(0))
    return xs, [2 * y - 1 for y in ys]


def net(seed=0):
    return MLP(2, [4, 1], "tanh", rng=random.Random(seed))


def numbers(model):
    return [p.data for p in model.parameters()]


def learn(model, epochs=3, rng=None, optimizer=None, **options):
    optimizer = optimizer or SGD(model.parameters(), lr=0.1)
    return fit(model, *moons(), "hinge", optimizer, epochs, rng=rng, progress=False, **options)


# Training


def test_training_reduces_the_loss_and_raises_the_accuracy():
    model = net()
    history = learn(model, epochs=60)
    assert len(history.loss) == len(history.accuracy) == 60
    assert history.loss[-1] < history.loss[0] / 2
    assert history.accuracy[-1] > 0.8
    assert not history.interrupted


@pytest.mark.parametrize("optimizer", [lambda p: SGD(p, lr=0.5, momentum=0.9), lambda p: Adam(p, lr=0.05)])
def test_xor_is_learned(optimizer):
    xs, ys = data.xor(4, noise=0.0)
    model = MLP(2, [8, 2], "tanh", rng=random.Random(3))
    history = fit(model, xs, ys, "cross_entropy", optimizer(model.parameters()), epochs=200, progress=False)
    assert history.accuracy[-1] == 1.0


def test_a_whole_batch_is_one_step_of_gradient_descent():
    model, twin = net(), net()
    xs, ys = moons()
    sum((losses.hinge(twin(x), y) for x, y in zip(xs, ys)), Value(0.0)).backward()
    for p in twin.parameters():
        p.data -= 0.1 * p.grad / len(xs)
    history = learn(model, epochs=1)
    assert numbers(model) == pytest.approx(numbers(twin), rel=1e-12)
    assert history.loss == pytest.approx(
        [sum(losses.hinge(net().predict(x), y) for x, y in zip(xs, ys)) / len(xs)]
    )


@pytest.mark.parametrize(("size", "steps"), [(None, 1), (1, 40), (7, 6), (40, 1), (1000, 1)])
def test_each_batch_makes_one_step_and_so_does_the_rest(size, steps):
    model = net()
    optimizer = SGD(model.parameters(), lr=0.01)
    learn(model, epochs=2, optimizer=optimizer, batch_size=size)
    assert optimizer.steps == 2 * steps


def test_the_loss_of_an_epoch_is_the_mean_over_its_samples():
    model = net()
    xs, ys = moons()
    still = SGD(model.parameters(), lr=0.0)
    whole = fit(model, xs, ys, "hinge", still, 1, progress=False).loss
    assert fit(model, xs, ys, "hinge", still, 1, batch_size=7, progress=False).loss == pytest.approx(
        whole, rel=1e-12
    )


def test_batches_are_shuffled_by_the_generator_given():
    runs = []
    for seed in (1, 1, 2):
        model = net()
        runs.append((learn(model, batch_size=8, rng=random.Random(seed)).loss, numbers(model)))
    assert runs[0] == runs[1] != runs[2]


def test_without_a_generator_the_module_random_shuffles():
    runs = []
    for _ in range(2):
        random.seed(11)
        runs.append(learn(net(), batch_size=8).loss)
    assert runs[0] == runs[1]


def test_a_whole_batch_stays_in_order_and_draws_nothing():
    rng = random.Random(0)
    before = rng.getstate()
    learn(net(), rng=rng)
    assert rng.getstate() == before


def test_the_arguments_are_not_changed():
    xs, ys = moons()
    before = repr((xs, ys))
    fit(
        net(), xs, ys, "hinge", SGD((model := net()).parameters(), lr=0.1), 1, 4, progress=False
    ) if False else None
    model = net()
    fit(model, xs, ys, "hinge", SGD(model.parameters(), lr=0.1), 2, batch_size=4, progress=False)
    assert repr((xs, ys)) == before


def test_arrays_and_lists_give_the_same_run():
    numpy = pytest.importorskip("numpy")
    xs, ys = moons()
    plain, arrays = net(), net()
    fit(plain, xs, ys, "hinge", SGD(plain.parameters(), lr=0.1), 2, progress=False)
    fit(
        arrays, numpy.array(xs), numpy.array(ys), "hinge", SGD(arrays.parameters(), lr=0.1), 2, progress=False
    )
    assert numbers(plain) == numbers(arrays)


def test_a_loss_may_be_a_function_of_the_user():
    model = net()
    history = fit(
        model, *moons(), lambda y, t: (y - t) ** 4, SGD(model.parameters(), lr=0.01), epochs=5, progress=False
    )
    assert history.loss[-1] < history.loss[0]
    assert history.accuracy == [None] * 5


def test_losses_without_classes_have_no_accuracy():
    model = net()
    history = fit(
        model,
        *moons(),
        "half_squared_error",
        SGD(model.parameters(), lr=0.1),
        2,
        progress=False,
        validation=moons(),
    )
    assert history.accuracy == history.validation_accuracy == [None, None]
    assert len(history.validation_loss) == 2


def test_a_module_of_the_user_can_be_trained():
    class Line(Module):
        def __init__(self):
            self.a, self.b = Value(0.0), Value(0.0)

        def parameters(self):
            return [self.a, self.b]

        def __call__(self, x):
            return self.a * x[0] + self.b

    line = Line()
    xs = [[k / 10] for k in range(-10, 11)]
    fit(
        line,
        xs,
        [3 * x - 1 for [x] in xs],
        "mean_squared_error",
        SGD(line.parameters(), lr=0.5),
        100,
        progress=False,
    )
    assert (line.a.data, line.b.data) == pytest.approx((3, -1))


def test_parameters_outside_the_optimizer_do_not_move():
    model = net()
    frozen = [p.data for p in model.layers[0].parameters()]
    learn(model, optimizer=SGD(model.layers[1].parameters(), lr=0.1))
    assert [p.data for p in model.layers[0].parameters()] == frozen


# Validation


def test_validation_is_evaluated_after_each_epoch_and_not_trained_on():
    model, twin = net(), net()
    held = data.moons(20, rng=random.Random(5))
    held = held[0], [2 * y - 1 for y in held[1]]
    history = learn(model, validation=held)
    learn(twin)
    assert numbers(model) == numbers(twin)
    expected = sum(losses.hinge(model.predict(x), y) for x, y in zip(*held)) / 20
    assert history.validation_loss[-1] == pytest.approx(expected)
    right = sum((model.predict(x) > 0) == (y > 0) for x, y in zip(*held))
    assert history.validation_accuracy[-1] == right / 20


@pytest.mark.parametrize("held", [3, "xy", ([[1.0, 2.0]],), [1, 2, 3]])
def test_validation_is_a_pair(held):
    with pytest.raises(TypeError, match=r"validation is a pair \(xs, ys\)"):
        learn(net(), validation=held)


def test_validation_samples_are_checked_before_training():
    model = net()
    before = numbers(model)
    with pytest.raises(ValueError, match="sample 0: expected 2 inputs, got 1"):
        learn(model, validation=([[1.0]], [1]))
    assert numbers(model) == before


# Bad input: said before any parameter moved

NAN = float("nan")


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"xs": []}, ValueError, "0 samples in xs, 2 targets"),
        ({"xs": [], "ys": []}, ValueError, "at least one sample"),
        ({"xs": [[1.0, 2.0], [1.0, NAN]]}, ValueError, "sample 1: input 1 is nan"),
        ({"xs": [[1.0, 2.0], [1.0]]}, ValueError, "sample 1: expected 2 inputs, got 1"),
        ({"ys": [1, 2]}, ValueError, "sample 1: a target of this loss is -1 or 1, not 2"),
        ({"loss": "mse"}, ValueError, "unknown loss 'mse'"),
        ({"loss": None}, TypeError, "a loss is a name or a function"),
        ({"epochs": 0}, ValueError, "epochs is a whole number of at least 1, not 0"),
        ({"epochs": 1.5}, ValueError, "epochs is a whole number"),
        ({"batch_size": 0}, ValueError, "batch_size is a whole number of at least 1, not 0"),
        ({"batch_size": -3}, ValueError, "batch_size is a whole number"),
        ({"rng": 1337}, TypeError, "random numbers"),
        ({"backend": "abacus"}, ValueError, "abacus"),
        ({"optimizer": 0.1}, TypeError, "expected an optimizer such as SGD"),
    ],
)
def test_bad_arguments_are_refused_before_any_parameter_moves(changes, error, message):
    model = net()
    arguments = {
        "xs": [[1.0, 2.0], [3.0, 4.0]], "ys": [1, -1], "loss": "hinge",
        "optimizer": SGD(model.parameters(), lr=0.1), "epochs": 1, "progress": False,
    }  # fmt: skip
    before = numbers(model)
    with pytest.raises(error, match=message):
        fit(model, **{**arguments, **changes})
    assert numbers(model) == before


def test_an_optimizer_of_another_model_is_refused():
    with pytest.raises(ValueError, match="the optimizer moves none of the model's parameters"):
        learn(net(), optimizer=SGD(net().parameters(), lr=0.1))


def test_a_run_that_diverges_stops_and_names_the_place():
    model = MLP(1, [1], None, init="zeros")
    optimizer = SGD(model.parameters(), lr=1e200)
    with pytest.raises(OverflowError, match=r"a \*\* b at a = ") as caught:
        fit(model, [[1.0]], [1e100], "half_squared_error", optimizer, 10, progress=False)
    assert caught.value.__notes__ == ["at sample 0", "in epoch 2"]
    assert numbers(model) == [1e300, 1e300]  # as the first step left them


def test_a_loss_that_is_not_finite_stops_the_run_and_names_the_node():
    model = MLP(1, [1], None, init="zeros")
    optimizer = SGD(model.parameters(), lr=1.0)
    with pytest.raises(FloatingPointError, match=r"sample 1: the loss is -inf, .* is z1_0 = -inf, Σwa of"):
        fit(
            model,
            [[1e-200], [1e200]],
            [1e200, 0.0],
            lambda y, t: y - t,
            optimizer,
            3,
            batch_size=1,
            rng=InOrder(),
            progress=False,
        )
    assert all(abs(number) < float("inf") for number in numbers(model))


class InOrder(random.Random):
    def shuffle(self, x):
        pass


def test_a_step_to_a_number_that_is_not_finite_is_not_made():
    model = MLP(1, [1], None, init="zeros")
    before = numbers(model)
    with pytest.raises(FloatingPointError, match="would take parameter w1_0_0 from 0.0 to -inf"):
        fit(model, [[1e200]], [0.0], lambda y, t: y, SGD(model.parameters(), lr=1e200), 1, progress=False)
    assert numbers(model) == before


def test_a_domain_error_names_the_place_and_keeps_the_model():
    Op("log_of_training", "log(a)", "1 / a")
    model = MLP(1, [1], output="log_of_training", init="zeros")
    before = numbers(model)
    with pytest.raises(ValueError, match="sample 0: .*log.* at a = 0"):
        fit(model, [[1.0]], [0.0], "half_squared_error", SGD(model.parameters(), lr=0.1), 1, progress=False)
    assert numbers(model) == before


# Ctrl-C


class Interrupting:
    """Return a loss that presses Ctrl-C when it is called for the nth time."""

    def __init__(self, n):
        self.calls, self.n = 0, n

    def __call__(self, y, t):
        self.calls += 1
        if self.calls == self.n:
            os.kill(os.getpid(), signal.SIGINT)
        return (y - t) ** 2


def test_ctrl_c_keeps_the_parameters_so_far():
    model, twin = net(), net()
    history = fit(
        model, *moons(), Interrupting(40 * 3 + 5), SGD(model.parameters(), lr=0.01), 10, progress=False
    )
    assert history.interrupted
    assert len(history.loss) == 3
    fit(twin, *moons(), lambda y, t: (y - t) ** 2, SGD(twin.parameters(), lr=0.01), 3, progress=False)
    assert numbers(model) == numbers(twin)


def test_ctrl_c_before_the_first_step_changes_nothing():
    model = net()
    before = numbers(model)
    history = fit(model, *moons(), Interrupting(1), SGD(model.parameters(), lr=0.01), 10, progress=False)
    assert (history.interrupted, history.loss, numbers(model)) == (True, [], before)


def test_ctrl_c_during_a_step_takes_effect_after_it():
    class Pressed(SGD):
        def _rule(self, rate):
            rule = super()._rule(rate)

            def moved(*parameter):
                if self.steps == 2:
                    os.kill(os.getpid(), signal.SIGINT)
                return rule(*parameter)

            return moved

    model, twin = net(), net()
    optimizer = Pressed(model.parameters(), lr=0.1)
    history = learn(model, epochs=10, optimizer=optimizer)
    assert history.interrupted
    assert optimizer.steps == 3
    learn(twin, epochs=3)
    assert numbers(model) == numbers(twin)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_is_delayed_only_within_the_block():
    reached = []

    def press():
        with uninterrupted():
            os.kill(os.getpid(), signal.SIGINT)
            reached.append("the end")
        reached.append("beyond")

    with pytest.raises(KeyboardInterrupt):
        press()
    assert reached == ["the end"]


def test_an_error_within_the_block_restores_the_handler():
    with pytest.raises(ValueError, match="mine"), uninterrupted():
        raise ValueError("mine")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_handler_of_the_user_is_called_after_the_block():
    pressed = []
    usual = signal.signal(signal.SIGINT, lambda *args: pressed.append(args))
    try:
        with uninterrupted():
            os.kill(os.getpid(), signal.SIGINT)
            assert pressed == []
        assert len(pressed) == 1
    finally:
        signal.signal(signal.SIGINT, usual)


def test_a_model_can_be_trained_in_another_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(learn(net())))
    thread.start()
    thread.join()
    assert found[0].loss == learn(net()).loss


# Backends


def test_the_traced_graph_and_values_give_the_same_run():
    eager, traced = net(), net()
    by_values = learn(eager, epochs=20, batch_size=8, rng=random.Random(1), validation=moons())
    by_graph = learn(
        traced, epochs=20, batch_size=8, rng=random.Random(1), validation=moons(), backend="python"
    )
    assert by_graph.loss == pytest.approx(by_values.loss, rel=1e-9)
    assert by_graph.accuracy == by_values.accuracy
    assert by_graph.validation_loss == pytest.approx(by_values.validation_loss, rel=1e-9)
    assert numbers(traced) == pytest.approx(numbers(eager), rel=1e-9)


def test_a_traced_run_that_diverges_names_the_line_and_the_sample():
    model = MLP(1, [1], None, init="zeros")
    optimizer = SGD(model.parameters(), lr=1.0)
    xs, ys = [[1e-200], [1e200]], [1e200, 0.0]
    with pytest.raises(FloatingPointError, match=r"sample 1: z1_0 = b1_0 \+ w1_0_0\*x0 is -inf at "):
        fit(model, xs, ys, lambda y, t: y - t, optimizer, 3, 1, InOrder(), "python", progress=False)
    assert all(abs(number) < float("inf") for number in numbers(model))


# Shown


def test_progress_prints_lines(capsys):
    model = net()
    fit(model, *moons(), "hinge", SGD(model.parameters(), lr=0.1), 20)
    assert len(capsys.readouterr().out.strip().split("\n")) == 10


def test_progress_false_prints_nothing(capsys):
    learn(net())
    assert capsys.readouterr() == ("", "")
