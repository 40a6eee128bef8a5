"""Optimizers: PyTorch's formulas, and steps that are made whole or not at all."""

import math
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import Value
from nn import SGD, Adam
from nn.training.optim import Optimizer


def gradient(w):
    return 2 * (w - 3) + math.sin(5 * w)  # of (w - 3)² - cos(5w) / 5


def run(optimizer, steps):
    [w] = optimizer.parameters
    path = []
    for _ in range(steps):
        w.grad = gradient(w.data)
        optimizer.step()
        path.append(w.data)
    return path


def test_plain_sgd_subtracts_eta_times_the_gradient():
    w, path = 1.0, []
    for _ in range(5):
        w = w - 0.05 * gradient(w)
        path.append(w)
    assert run(SGD([Value(1.0)], lr=0.05), 5) == path


# The formulas of torch.optim.SGD and torch.optim.Adam, as its documentation and its code have them.


def torch_sgd(steps, lr, momentum, nesterov, decay):
    w, velocity, path = 1.0, None, []
    for _ in range(steps):
        g = gradient(w) + decay * w
        if momentum:
            velocity = g if velocity is None else momentum * velocity + g
            g = g + momentum * velocity if nesterov else velocity
        w = w - lr * g
        path.append(w)
    return path


def torch_adam(steps, lr, beta1, beta2, eps, decay):
    w, m, v, path = 1.0, 0.0, 0.0, []
    for t in range(1, steps + 1):
        g = gradient(w) + decay * w
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        denominator = math.sqrt(v) / math.sqrt(1 - beta2**t) + eps  # as its code has it
        w = w - lr / (1 - beta1**t) * m / denominator
        path.append(w)
    return path


@pytest.mark.parametrize(
    ("momentum", "nesterov"), [(0.0, False), (0.5, False), (0.9, False), (0.5, True), (0.9, True)]
)
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_sgd_follows_the_formulas_of_torch(momentum, nesterov, decay):
    ours = SGD([Value(1.0)], lr=0.05, momentum=momentum, nesterov=nesterov, weight_decay=decay)
    assert run(ours, 20) == pytest.approx(torch_sgd(20, 0.05, momentum, nesterov, decay), rel=1e-14)


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.0, 0.5), (0.5, 0.0)])
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_adam_follows_the_formulas_of_torch(betas, decay):
    ours = Adam([Value(1.0)], lr=0.05, betas=betas, weight_decay=decay)
    assert run(ours, 20) == pytest.approx(torch_adam(20, 0.05, *betas, 1e-8, decay), rel=1e-12)


def test_the_same_figures_as_torch_itself():
    torch = pytest.importorskip("torch")
    for ours, theirs, options in (
        (SGD, torch.optim.SGD, {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
        (Adam, torch.optim.Adam, {"weight_decay": 0.1}),
    ):
        w = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
        optimizer = theirs([w], lr=0.05, **options)
        path = []
        for _ in range(20):
            w.grad = torch.tensor(gradient(w.item()), dtype=torch.float64)
            optimizer.step()
            path.append(w.item())
        assert run(ours([Value(1.0)], lr=0.05, **options), 20) == pytest.approx(path, rel=1e-12)


@given(scale=st.floats(1e-3, 1e3))
def test_adams_first_step_is_eta_whatever_the_size_of_the_gradient(scale):
    w = Value(1.0)
    w.grad = scale
    Adam([w], lr=0.01).step()
    assert w.data == pytest.approx(0.99, abs=1e-6)


def test_weight_decay_is_the_gradient_of_half_the_sum_of_squares():
    plain, decayed = Value(2.0), Value(2.0)
    (plain * 3 + 0.5 * 0.1 * plain * plain).backward()
    (decayed * 3).backward()
    SGD([plain], lr=0.1).step()
    SGD([decayed], lr=0.1, weight_decay=0.1).step()
    assert plain.data == pytest.approx(decayed.data, rel=1e-15)


def test_each_parameter_has_its_own_state():
    pair = [Value(1.0), Value(1.0)]
    optimizer = SGD(pair, lr=0.1, momentum=0.9)
    for _ in range(2):
        pair[0].grad, pair[1].grad = 1.0, 0.0
        optimizer.step()
    assert pair[0].data == pytest.approx(1 - 0.1 * (1 + 1.9))
    assert pair[1].data == 1.0


def test_zero_grad_sets_the_gradients_to_zero():
    w = Value(1.0)
    w.grad = 5.0
    SGD([w], lr=0.1).zero_grad()
    assert w.grad == 0.0


# The learning rate


def test_the_defaults_are_those_of_torch():
    still, moved = Value(5.0), Value(5.0)
    moved.grad = 1e6
    adam = Adam([still, moved])
    assert adam.lr == 1e-3
    adam.step()
    assert (still.data, moved.data) == (5.0, pytest.approx(5.0 - 1e-3, abs=1e-12))  # nothing decays
    sgd = SGD([still, moved], lr=1e-6)
    for _ in range(2):
        sgd.step()
    assert (still.data, moved.data) == (5.0, pytest.approx(3.0 - 1e-3, abs=1e-9))  # and nothing gains way


def test_an_optimizer_without_a_rule_raises_an_error():
    class Lazy(Optimizer):
        pass

    with pytest.raises(NotImplementedError, match="^Lazy does not say where a step goes: define _rule$"):
        Lazy([Value(1.0)], 0.1, 0.0).step()


def test_a_schedule_is_a_function_of_the_number_of_steps():
    w = Value(0.0)
    optimizer = SGD([w], lr=lambda step: 1.0 / (step + 1))
    seen = []
    for _ in range(3):
        seen.append(optimizer.lr)
        w.grad = 1.0
        optimizer.step()
    assert seen == [1.0, 1 / 2, 1 / 3]
    assert w.data == -(1.0 + 1 / 2 + 1 / 3)
    assert optimizer.steps == 3


def test_the_rate_can_be_changed():
    optimizer = SGD([Value(0.0)], lr=0.1)
    optimizer.lr = 0.01
    assert optimizer.lr == 0.01
    optimizer.lr = lambda step: 0.5
    assert optimizer.lr == 0.5
    with pytest.raises(ValueError, match="lr is at least 0"):
        optimizer.lr = -1.0


@pytest.mark.parametrize("rate", [-0.1, float("nan"), float("inf")])
def test_a_schedule_with_an_invalid_rate_stops_the_step(rate):
    w = Value(1.0)
    w.grad = 1.0
    with pytest.raises(ValueError, match="lr is at least 0 and finite"):
        SGD([w], lr=lambda step: rate).step()
    assert w.data == 1.0


def test_a_rate_of_zero_moves_nothing():
    w = Value(1.0)
    w.grad = 1.0
    SGD([w], lr=0).step()
    assert w.data == 1.0


# Whole or not at all


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize(
    "make", [lambda p: SGD(p, lr=0.1), lambda p: SGD(p, lr=0.0), lambda p: SGD(p, lr=0.1, momentum=0.9), Adam]
)
def test_a_gradient_that_is_not_finite_is_named_and_nothing_moves(make, bad):
    good, ill = Value(1.0, label="w1_0_0"), Value(2.0, label="w1_0_1")
    optimizer = make([good, ill])
    good.grad = ill.grad = 1.0
    optimizer.step()
    before = good.data, ill.data, optimizer.steps
    good.grad, ill.grad = 1.0, bad
    with pytest.raises(FloatingPointError, match=r"parameter w1_0_1 .* No parameter was moved"):
        optimizer.step()
    assert (good.data, ill.data, optimizer.steps) == before
    good.grad = ill.grad = 1.0
    twin = make([Value(1.0), Value(2.0)])
    for _ in range(2):
        for p in twin.parameters:
            p.grad = 1.0
        twin.step()
    optimizer.step()
    assert [p.data for p in optimizer.parameters] == [
        p.data for p in twin.parameters
    ]  # its memory did not move either


def test_the_error_of_a_step_is_one_line_for_any_label():
    w = Value(1.0, label="two\nlines")
    w.grad = math.inf
    says = r"^the step would take parameter 'two\\nlines' from 1.0 to -inf: its gradient is inf, the learning"
    with pytest.raises(FloatingPointError, match=f"{says} rate 0.1"):
        SGD([w], lr=0.1).step()


def test_any_object_with_data_and_grad_can_be_a_parameter():
    w = SimpleNamespace(data=1.0, grad=2.0, label="w")
    SGD([w], lr=0.25).step()
    assert w.data == 0.5


def test_a_step_that_would_overflow_is_refused():
    w = Value(1e308)
    w.grad = -1e308
    with pytest.raises(FloatingPointError, match="parameter number 0 from 1e\\+308 to inf"):
        SGD([w], lr=10.0).step()
    assert w.data == 1e308


# Bad arguments

W = [Value(1.0)]


class Array:
    """An object with a length is refused as a number, even if NumPy could convert it."""

    def __float__(self):
        return 1.0

    def __len__(self):
        return 1


@pytest.mark.parametrize("make", [lambda p: SGD(p, lr=0.1), Adam])
@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        (
            W[0],
            TypeError,
            r"^parameters is a list of Values, such as model.parameters\(\), not Value: Value\(",
        ),
        ([], ValueError, "^expected at least one parameter to train, not an empty list$"),
        ([SimpleNamespace(data=1.0)], TypeError, "a parameter is a Value, not SimpleNamespace"),
        (
            [W[0] * 2],
            ValueError,
            r"^a parameter is a leaf; this Value was computed from others: Value\(data=2",
        ),
        ([1.0], TypeError, "a parameter is a Value, not float"),
        ([None], TypeError, "a parameter is a Value, not NoneType"),
        (
            [W[0], W[0]],
            ValueError,
            "^a parameter is in the list twice; it would move twice as far as the others$",
        ),
    ],
)
def test_bad_lists_of_parameters_are_refused(make, parameters, error, message):
    with pytest.raises(error, match=message):
        make(parameters)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"lr": -1.0}, ValueError, "lr is at least 0 and finite, not -1.0"),
        ({"lr": float("nan")}, ValueError, "lr is at least 0 and finite, not nan"),
        ({"lr": float("inf")}, ValueError, "lr is at least 0 and finite, not inf"),
        ({"lr": "0.1"}, TypeError, "lr is a number, not str"),
        ({"lr": None}, TypeError, "lr is a number, not NoneType"),
        ({"lr": 0.1, "momentum": 1.0}, ValueError, "momentum is at least 0 and below 1, not 1.0"),
        ({"lr": 0.1, "momentum": -0.1}, ValueError, "momentum is at least 0 and below 1"),
        ({"lr": 10**400}, ValueError, "lr is at least 0 and finite, not 1000"),
        ({"lr": Array()}, TypeError, "lr is a number, not Array"),
        ({"lr": 0.1, "nesterov": True}, ValueError, "^nesterov steps ahead .* needs momentum > 0$"),
        ({"lr": 0.1, "weight_decay": -1}, ValueError, "weight_decay is at least 0 and finite"),
    ],
)
def test_sgd_refuses_bad_arguments(options, error, message):
    with pytest.raises(error, match=message):
        SGD(W, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"betas": (0.9,)}, r"^betas is a pair of numbers \(β₁, β₂\), not \(0.9,\)$"),
        ({"betas": 0.9}, "^betas is a pair"),
        ({"betas": "99"}, "^betas is a pair"),
        ({"betas": (1.0, 0.9)}, r"betas\[0\] is at least 0 and below 1"),
        ({"betas": (0.9, -0.1)}, r"betas\[1\] is at least 0 and below 1"),
        ({"eps": 0.0}, "eps is above 0 and finite, not 0.0"),
        ({"eps": float("inf")}, "eps is above 0 and finite"),
        ({"weight_decay": float("nan")}, "weight_decay is at least 0 and finite"),
        ({"lr": -1e-3}, "lr is at least 0 and finite"),
    ],
)
def test_adam_refuses_bad_arguments(options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        Adam(W, **options)


# Gradients whose squares are no floats


@pytest.mark.parametrize("gradient", [1e200, -1e200, 1.7e308])
def test_adam_refuses_a_gradient_whose_square_overflows(gradient):
    w = Value(5.0, "w")
    optimizer = Adam([w], lr=0.1)
    w.grad = gradient
    with pytest.raises(
        FloatingPointError, match="parameter w from 5.0 to nan: its gradient is .*, the mean of"
    ):
        optimizer.step()
    assert (w.data, optimizer.steps, optimizer.last_lr) == (5.0, 0, None)
    for _ in range(3):
        w.grad = 1.0
        optimizer.step()
    assert w.data == pytest.approx(4.7)  # it still moves


def test_the_rate_of_the_last_step_is_kept():
    w = Value(5.0)
    optimizer = SGD([w], lr=lambda step: 0.5**step)
    for expected in (1.0, 0.5, 0.25):
        optimizer.step()
        assert optimizer.last_lr == expected


def test_micrograds_alpha_is_half_of_weight_decay():
    weights = [Value(0.3), Value(-2.0)]
    (1e-4 * sum(w * w for w in weights)).backward()
    by_loss = SGD(weights, lr=0.5)
    by_loss.step()
    decayed = [Value(0.3), Value(-2.0)]
    SGD(decayed, lr=0.5, weight_decay=2e-4).step()
    assert [w.data for w in decayed] == pytest.approx([w.data for w in weights], rel=1e-15)
