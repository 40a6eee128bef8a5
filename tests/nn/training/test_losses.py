"""Losses: their values against 50 digits, and the checks of their targets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp, mpf

from engine import Value, grad, topological_order
from nn import losses

LOGITS = st.lists(st.floats(-40, 40), min_size=2, max_size=6)


def exact(name, outputs, targets):
    with mp.workdps(50):
        a, t = [mpf(s) for s in outputs], targets
        n = len(a)
        match name:
            case "half_squared_error":
                return float(sum((t_k - a_k) ** 2 for a_k, t_k in zip(a, t)) / 2)
            case "mean_squared_error":
                return float(sum((t_k - a_k) ** 2 for a_k, t_k in zip(a, t)) / n)
            case "hinge":
                return float(sum(max(0, 1 - t_k * a_k) for a_k, t_k in zip(a, t)) / n)
            case "binary_cross_entropy":
                return float(sum(mp.log1p(mp.exp(-a_k if t_k else a_k)) for a_k, t_k in zip(a, t)) / n)
            case "cross_entropy":
                return float(mp.log(sum(mp.exp(a_k) for a_k in a)) - a[t])


def targets(name, n):
    return {
        "hinge": [(-1) ** k for k in range(n)],
        "binary_cross_entropy": [k % 2 for k in range(n)],
        "cross_entropy": n - 1,
    }.get(name, [0.5 * k for k in range(n)])


@pytest.mark.parametrize("name", losses.table)
@given(outputs=LOGITS)
def test_a_loss_follows_its_formula(name, outputs):
    t = targets(name, len(outputs))
    found = losses.table[name]([Value(s) for s in outputs], t)
    assert found.data == pytest.approx(exact(name, outputs, t), rel=1e-13, abs=1e-13)


@pytest.mark.parametrize("name", losses.table)
@given(outputs=LOGITS)
def test_plain_outputs_give_a_plain_number_of_the_same_bits(name, outputs):
    t = targets(name, len(outputs))
    plain = losses.table[name](outputs, t)
    assert isinstance(plain, float)
    assert plain == losses.table[name]([Value(s) for s in outputs], t).data


@pytest.mark.parametrize(
    "name", ["half_squared_error", "mean_squared_error", "hinge", "binary_cross_entropy"]
)
def test_a_single_output_and_target_need_no_list(name):
    loss = losses.table[name]
    found = loss(Value(0.3), 1).data
    assert found == loss([Value(0.3)], [1]).data == loss(Value(0.3), [1]).data == loss([Value(0.3)], 1).data


@pytest.mark.parametrize("s", [-1000.0, 1000.0])
def test_large_logits_neither_overflow_nor_lose_their_gradient(s):
    for t in (0, 1):
        out = Value(s)
        wrong = losses.binary_cross_entropy(out, t)
        assert wrong.data == (1000.0 if (s > 0) != bool(t) else 0.0)
        assert grad(wrong, [out]) == [(s > 0) - t]
    outs = [Value(s), Value(-s), Value(0.0)]
    for t in range(3):
        wrong = losses.cross_entropy(outs, t)
        assert wrong.data == pytest.approx(1000.0 - outs[t].data)
        winner = 0 if s > 0 else 1
        assert grad(wrong, outs) == pytest.approx([(k == winner) - (k == t) for k in range(3)], abs=1e-15)


@given(outputs=LOGITS, data=st.data())
def test_a_class_and_its_one_hot_list_agree(outputs, data):
    t = data.draw(st.integers(0, len(outputs) - 1))
    one_hot = [float(k == t) for k in range(len(outputs))]
    first, second = [Value(s) for s in outputs], [Value(s) for s in outputs]
    by_class, by_list = losses.cross_entropy(first, t), losses.cross_entropy(second, one_hot)
    assert by_class.data == by_list.data
    assert grad(by_class, first) == pytest.approx(grad(by_list, second), abs=1e-15)


def test_the_hinge_is_zero_from_a_margin_of_one_on():
    s = Value(1.0)
    wrong = losses.hinge(s, 1)
    assert (wrong.data, grad(wrong, [s])) == (0.0, [0.0])


def test_the_graph_of_a_single_output_has_no_sum_and_no_mean():
    symbols = [
        node.op.symbol for node in topological_order(losses.mean_squared_error(Value(2.0), 1.0)) if node.op
    ]
    assert symbols == ["-", "**"]
    root = losses.half_squared_error(Value(2.0), 1.0)
    assert [node.op.symbol for node in topological_order(root) if node.op] == ["-", "**", "*"]


@pytest.mark.parametrize("name", losses.table)
def test_targets_may_come_as_arrays_or_as_values(name):
    numpy = pytest.importorskip("numpy")
    outs, t = [Value(0.5), Value(-2.0), Value(1.0)], targets(name, 3)
    found = losses.table[name](outs, t).data
    squared = name in ("half_squared_error", "mean_squared_error")
    array = numpy.array(t, dtype=float if squared else numpy.int8)
    assert losses.table[name](outs, array[()]).data == found
    if name == "cross_entropy":
        t = [0.0, 0.0, 1.0]
    assert losses.table[name](outs, [Value(float(t_k)) for t_k in t]).data == found


@pytest.mark.parametrize("output", [1e200, Value(1e200)], ids=["number", "Value"])
@pytest.mark.parametrize("name", ["half_squared_error", "mean_squared_error"])
def test_a_square_that_overflows_names_its_operand(name, output):
    with pytest.raises(OverflowError, match=r"^a \*\* b at a = -1e\+200, b = 2.0: "):
        losses.table[name]([0.0, output], [0.0, 0.0])


@pytest.mark.parametrize("name", ["half_squared_error", "mean_squared_error", "hinge"])
def test_a_loss_of_plain_numbers_is_a_float(name):
    numpy = pytest.importorskip("numpy")
    for output in (3, numpy.float32(3), numpy.int8(3)):
        assert type(losses.table[name](output, -1)) is float


def test_small_integers_of_numpy_do_not_overflow_in_a_loss():
    numpy = pytest.importorskip("numpy")
    assert losses.half_squared_error(numpy.int8(100), numpy.int8(-100)) == 20_000.0


# Targets that do not fit


@pytest.mark.parametrize(
    "name", ["half_squared_error", "mean_squared_error", "hinge", "binary_cross_entropy"]
)
@pytest.mark.parametrize("t", [[1, 1], [1, 1, 1, 1], 1, []])
def test_as_many_targets_as_outputs(name, t):
    count = len(t) if isinstance(t, list) else 1
    with pytest.raises(ValueError, match=f"one target for each output: 3 outputs, {count} targets"):
        losses.table[name]([Value(0.0)] * 3, t)


@pytest.mark.parametrize("name", losses.table)
def test_there_is_at_least_one_output(name):
    with pytest.raises(ValueError, match="outputs?"):
        losses.table[name]([], [])


@pytest.mark.parametrize("t", [0, 2, 0.5, -1.5, float("nan"), float("inf")])
def test_hinge_refuses_other_targets_than_its_two(t):
    with pytest.raises(ValueError, match="a target of this loss is -1 or 1, not"):
        losses.hinge(Value(0.0), t)


@pytest.mark.parametrize("t", [-1, 2, 1.0000001, float("nan")])
def test_binary_cross_entropy_refuses_targets_that_are_no_probabilities(t):
    with pytest.raises(ValueError, match="a target of this loss is a number from 0 to 1, not"):
        losses.binary_cross_entropy([Value(0.0)], [t])


@pytest.mark.parametrize("s", [-800.0, -30.0, -0.5, 0.0, 1.0, 30.0, 800.0])
@pytest.mark.parametrize("t", [0.0, 0.25, 0.5, 0.9, 1.0])
def test_binary_cross_entropy_takes_any_probability(s, t):
    p = 1 / (1 + mp.exp(-mpf(s)))
    exact = t * mp.log1p(mp.exp(-s)) + (1 - mpf(t)) * mp.log1p(mp.exp(s))
    for target in (t, Value(t)):  # in a traced graph targets are Values
        v = Value(s)
        y = losses.binary_cross_entropy(v, target)
        assert y.data == pytest.approx(float(exact), rel=1e-15)
        assert grad(y, [v]) == [pytest.approx(float(p - t), rel=1e-15, abs=2e-16)]
    assert losses.binary_cross_entropy(s, t) == y.data


@pytest.mark.parametrize("t", [-1, 3, 0.5, 10**6, float("nan"), float("inf")])
def test_an_unknown_class_is_refused(t):
    with pytest.raises(ValueError, match="the class is a whole number from 0 to 2, not"):
        losses.cross_entropy([Value(0.0)] * 3, t)


@pytest.mark.parametrize("t", [[1, 1, 0], [0, 0, 0], [0.5, 0.5, 1e-8]])
def test_probabilities_of_classes_that_do_not_add_up_to_1_are_refused(t):
    with pytest.raises(ValueError, match="the probabilities of the classes add up to 1, not"):
        losses.cross_entropy([Value(0.0)] * 3, t)


@pytest.mark.parametrize("t", [[1.5, -0.5], [float("nan"), 1.0]])
def test_probabilities_of_classes_are_from_0_to_1(t):
    with pytest.raises(ValueError, match="a target of this loss is a number from 0 to 1, not"):
        losses.cross_entropy([Value(0.0)] * 2, t)


def exact_cross_entropy(logits, ts):
    exps = [mp.exp(mpf(s) - mpf(max(logits))) for s in logits]
    return -sum(t * mp.log(e / sum(exps)) for t, e in zip(ts, exps)), [e / sum(exps) for e in exps]


@pytest.mark.parametrize(
    "logits",
    [
        [1e16, 1e16 - 2], [1e8, 1e8 - 1], [30.0, 0.0], [0.0, 30.0], [-1e8, -1e8], [0.1, -0.7, 2.5],
        [1e16, 0.0, 3.0],
    ],
)  # fmt: skip
def test_cross_entropy_is_exact_for_logits_of_any_size(logits):
    with mp.workdps(60):
        for t in range(len(logits)):
            hot = [float(k == t) for k in range(len(logits))]
            exact, p = exact_cross_entropy(logits, hot)
            for target in (t, hot, list(map(Value, hot))):  # in a traced graph targets are Values
                values = list(map(Value, logits))
                y = losses.cross_entropy(values, target)
                assert y.data == pytest.approx(float(exact), rel=1e-15, abs=0)
                for g, p_k, t_k in zip(grad(y, values), p, hot):
                    assert g == pytest.approx(float(p_k - t_k), rel=2e-15, abs=1e-300)


@pytest.mark.parametrize("ts", [[0.2, 0.3, 0.5], [0.5, 0.5, 0.0], [1 / 3] * 3, [1 - 1e-10, 1e-10, 0.0]])
@pytest.mark.parametrize("logits", [[1.0, 2.0, 3.0], [1e8, 1e8 + 1, 1e8 - 1], [700.0, 0.0, -700.0]])
def test_cross_entropy_takes_the_probabilities_of_the_classes(logits, ts):
    exact, p = exact_cross_entropy(logits, [mpf(t) for t in ts])
    for target in (ts, list(map(Value, ts))):
        values = list(map(Value, logits))
        y = losses.cross_entropy(values, target)
        assert y.data == pytest.approx(float(exact), rel=1e-15)
        for g, p_k, t_k in zip(grad(y, values), p, ts):
            assert g == pytest.approx(float(p_k - t_k), rel=1e-14, abs=5e-16)
    assert losses.cross_entropy(logits, ts) == pytest.approx(float(exact), rel=1e-15)


@pytest.mark.parametrize("outputs", [Value(0.0), [Value(0.0)]])
def test_cross_entropy_refuses_a_single_output(outputs):
    with pytest.raises(ValueError, match="one output for each of two or more classes, not 1"):
        losses.cross_entropy(outputs, 0)


@pytest.mark.parametrize("name", losses.table)
@pytest.mark.parametrize("t", ["1", None, 1j])
def test_a_target_is_a_number(name, t):
    with pytest.raises((TypeError, ValueError), match="number|target"):
        losses.table[name]([Value(0.0), Value(1.0)], [t, t] if name != "cross_entropy" else t)


@pytest.mark.parametrize("name", ["half_squared_error", "mean_squared_error", "hinge"])
def test_an_array_without_a_length_is_a_single_number(name):
    numpy = pytest.importorskip("numpy")
    assert losses.table[name](Value(1.0), numpy.array(1.0)).data == 0.0


# Names and classes


def test_get_loss_takes_a_name_or_a_function():
    assert all(losses.find(name) is loss and losses.name(loss) == name for name, loss in losses.table.items())
    own = lambda outputs, t: outputs - t  # noqa: E731
    assert losses.find(own) is own
    assert losses.name(own) == "<lambda>"


def test_the_name_of_a_loss_object_is_that_of_its_class():
    class Absolute:
        def __call__(self, outputs, targets):
            return abs(outputs - targets)

    assert losses.name(Absolute()) == "Absolute"


def test_an_unknown_loss_lists_the_known_ones():
    with pytest.raises(
        ValueError, match="unknown loss 'mse'; there are half_squared_error, mean_squared_error, hinge"
    ):
        losses.find("mse")
    with pytest.raises(TypeError, match="a loss is a name or a function"):
        losses.find(3)


@pytest.mark.parametrize(
    ("loss", "outputs", "target", "right"),
    [
        ("hinge", 0.1, 1, True),
        ("hinge", -0.1, 1, False),
        ("hinge", 0.0, -1, True),
        ("hinge", [0.1, -3.0], [1, -1], True),
        ("hinge", [0.1, 3.0], [1, -1], False),
        ("binary_cross_entropy", 0.1, 1, True),
        ("binary_cross_entropy", -5.0, 1, False),
        ("binary_cross_entropy", [-5.0, 5.0], [0, 1], True),
        ("cross_entropy", [0.0, 2.0, 1.0], 1, True),
        ("cross_entropy", [0.0, 2.0, 1.0], 2, False),
        ("cross_entropy", [0.0, 2.0, 1.0], [0, 1, 0], True),
    ],
)
def test_outputs_and_targets_of_one_class_decide_equally(loss, outputs, target, right):
    decide = losses.table[loss]
    assert (losses.decide(decide, outputs) == losses.decide(decide, target)) == right


@pytest.mark.parametrize("loss", [losses.half_squared_error, losses.mean_squared_error, lambda a, t: a])
def test_other_losses_have_no_classes(loss):
    assert losses.decide(loss, 0.3) is None


# Sums that are too large for a float


@pytest.mark.parametrize("n", [2, 3, 5])
@pytest.mark.parametrize("wrap", [float, Value])
def test_a_mean_is_finite_where_the_sum_is_not(n, wrap):
    found = losses.hinge([wrap(-1.2e308)] * n, [1] * n)
    assert (found.data if isinstance(found, Value) else found) == pytest.approx(1.2e308)
    found = losses.mean_squared_error([wrap(1.2e154)] * n, [0.0] * n)
    assert (found.data if isinstance(found, Value) else found) == pytest.approx(1.44e308)


def test_half_a_sum_is_finite_where_the_sum_is_not():
    a, b = Value(1e154), Value(1e154)
    error = losses.half_squared_error([a, b], [0.0, 0.0])
    assert error.data == pytest.approx(1e308)
    assert grad(error, [a, b]) == pytest.approx([1e154, 1e154])


def test_the_gradient_of_such_a_mean_is_right():
    scores = [Value(-1.2e308) for _ in range(3)]
    assert grad(losses.hinge(scores, [1, 1, 1]), scores) == pytest.approx([-1 / 3] * 3, rel=1e-15)


def test_a_mean_of_an_infinity_stays_infinite():
    assert losses.mean_squared_error([float("inf"), 1.0], [0.0, 0.0]) == float("inf")
