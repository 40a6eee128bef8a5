"""Functions of a list: weighted sums, totals, and the family of softmax."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mpmath import mp, mpf

from engine import (
    Value,
    grad,
    gradcheck,
    log_softmax,
    logsumexp,
    no_grad,
    ops,
    softmax,
    topological_order,
    total,
    trace,
    weighted_sum,
)  # fmt: skip
from engine.formula.printers import StrPrinter, Text

logits = st.lists(st.floats(-1000, 1000), min_size=1, max_size=8)
FAMILY = [logsumexp, log_softmax, softmax]

# The weighted sum


def test_a_weighted_sum_is_one_node_with_weights_inputs_and_bias_as_parents():
    w, a, b = [Value(2.0), Value(-1.0)], [Value(3.0), Value(4.0)], Value(0.5)
    z = weighted_sum(w, a, bias=b)
    assert z.data == 2.5
    assert z.parents == (*w, *a, b)
    assert z.op is ops.weighted_sum
    assert z.local_gradients() == (3.0, 4.0, 2.0, -1.0, 1.0)


def test_the_gradients_of_a_weighted_sum_are_the_inputs_and_the_weights():
    w, a, b = [Value(2.0), Value(-1.0)], [Value(3.0), Value(4.0)], Value(0.5)
    (weighted_sum(w, a, b) * 10).backward()
    assert [v.grad for v in (*w, *a, b)] == [30.0, 40.0, 20.0, -10.0, 10.0]


def test_a_weighted_sum_has_higher_derivatives():
    w, a = Value(2.0), Value(3.0)
    z = weighted_sum([w], [a], bias=1.0)
    [dw] = grad(z * z, [w], create_graph=True)
    assert dw.data == 2 * 7.0 * 3.0
    assert grad(dw, [w, a]) == [2 * 9.0, 2 * (7.0 + 2.0 * 3.0)]


def test_a_weighted_sum_agrees_with_finite_differences():
    assert gradcheck(lambda w, v, a, b: weighted_sum([w, v], [a, 3.0], b), [0.5, -1.0, 2.0, 0.1])


@pytest.mark.parametrize("bias", [0.5, Value(0.5), np.float64(0.5)], ids=lambda b: type(b).__name__)
@pytest.mark.parametrize("inputs", [[3.0, 4], [Value(3.0), 4], np.array([3.0, 4.0]), (3.0, 4.0)], ids=repr)
@pytest.mark.parametrize("weights", [[Value(2.0), Value(-1.0)], [2, Value(-1.0)]], ids=repr)
def test_any_argument_of_a_weighted_sum_may_be_a_plain_number(weights, inputs, bias):
    z = weighted_sum(weights, inputs, bias)
    assert z.data == 2.5
    given_ = [*weights, *inputs, bias]
    assert [parent.constant for parent in z.parents] == [not isinstance(x, Value) for x in given_]
    partials = (3.0, 4.0, 2.0, -1.0, 1.0)
    expected = tuple(s if isinstance(x, Value) else 0.0 for x, s in zip(given_, partials, strict=True))
    assert z.local_gradients() == expected
    z.backward()


@pytest.mark.parametrize("row", [[2.0, 3], np.array([2.0, 3.0]), [np.float32(2), np.int64(3)]], ids=repr)
def test_a_weighted_sum_of_plain_numbers_is_a_float(row):
    z = weighted_sum(row, row)
    assert z == 13.0
    assert type(z) is float


def test_an_object_with_data_is_not_taken_for_a_value():
    class Tensor:
        data = np.array([1.0, 2.0])

    for args in (([Tensor()], [Value(1.0)], Value(0.0)), ([], [], Tensor()), ([1.0], [1.0], Tensor())):
        with pytest.raises(TypeError, match="expected a number, not Tensor"):
            weighted_sum(*args)


def test_a_weighted_sum_of_nothing_is_the_bias():
    assert weighted_sum([], []) == 0.0
    assert weighted_sum([], [], 2.5) == 2.5
    assert weighted_sum([], [], np.float64(2.5)) == 2.5
    b = Value(2.5)
    assert weighted_sum([], [], b).parents == (b,)


def test_one_value_may_be_weight_input_and_bias():
    x = Value(3.0)
    z = weighted_sum([x], [x], x)
    z.backward()
    assert (z.data, x.grad) == (12.0, 7.0)


def test_products_are_added_to_the_bias_from_left_to_right():
    huge = [Value(1e16), Value(1.0), Value(-1e16)]
    ones = [Value(1.0)] * 3
    assert weighted_sum(huge, ones, Value(0.0)).data == 0.0
    assert weighted_sum([h.data for h in huge], [1.0, 1.0, 1.0]) == 0.0
    assert weighted_sum(huge, [1.0, 1.0, 1.0], 0.0).data == 0.0


@given(st.lists(st.tuples(*[st.floats(-1e6, 1e6)] * 2), max_size=30), st.floats(-1e6, 1e6))
def test_a_weighted_sum_has_the_same_bits_as_a_loop(pairs, bias):
    z = bias
    for w, a in pairs:
        z += w * a
    values = [[Value(x) for x in column] for column in zip(*pairs, strict=True)] or [[], []]
    assert weighted_sum(*values, Value(bias)).data == z
    half = weighted_sum([w for w, _ in pairs], values[1], bias)
    assert getattr(half, "data", half) == z


@pytest.mark.parametrize(("weights", "inputs"), [([1.0], []), ([], [1.0]), ([Value(1.0)], [1.0, 2.0])])
def test_unequal_lengths_are_a_value_error(weights, inputs):
    words = f"a weighted sum of {len(weights)} weights takes as many inputs, not {len(inputs)}"
    with pytest.raises(ValueError, match=words):
        weighted_sum(weights, inputs)


@pytest.mark.parametrize("foreign", [None, "2", 2j, [1.0], object()], ids=lambda x: type(x).__name__)
def test_something_that_is_not_a_number_is_an_error_in_any_argument(foreign):
    kind = type(foreign).__name__
    for args in (
        ([foreign], [Value(1.0)], 0.0),
        ([Value(1.0)], [foreign], Value(0.0)),
        ([Value(1.0)], [Value(1.0)], foreign),
        ([1.0], [1.0], foreign),
    ):
        with pytest.raises(TypeError, match=f"expected a number, not {kind}"):
            weighted_sum(*args)


@pytest.mark.parametrize("count", [1, 150, 5000])
def test_a_sum_may_be_of_any_length(count):
    w, a = [Value(1.0) for _ in range(count)], [Value(2.0) for _ in range(count)]
    z = weighted_sum(w, a, Value(1.0))
    z.backward()
    assert z.data == 2.0 * count + 1
    assert {v.grad for v in w} == {2.0}
    assert {v.grad for v in a} == {1.0}
    mixed = weighted_sum(w, [3.0] * count)
    assert mixed.local_gradients() == (3.0,) * count + (0.0,) * (count + 1)


def test_overflow_of_a_sum_is_infinite_as_in_ieee():
    assert weighted_sum([Value(1e200)], [Value(1e200)], 0.0).data == math.inf


def test_sums_under_no_grad_are_computed_but_not_recorded():
    with no_grad():
        for z in (weighted_sum([Value(2.0)], [Value(3.0)]), total([Value(2.0), 4.0])):
            assert (z.data, z.parents) == (6.0, ())


# The total


def test_a_total_is_one_node():
    values = [Value(1.0), Value(2.0), Value(4.0)]
    y = total(values)
    assert (y.data, y.parents, y.op) == (7.0, tuple(values), ops.total)
    assert y.local_gradients() == (1.0, 1.0, 1.0)


def test_a_total_takes_plain_numbers_and_is_a_float_if_all_are_plain():
    y = total([Value(1.0), 2, np.float64(4.0)])
    assert (y.data, y.local_gradients()) == (7.0, (1.0, 0.0, 0.0))
    assert total([1, 2.0]) == 3.0
    assert total([]) == 0.0
    assert type(total([1, 2])) is float


def test_a_total_takes_any_iterable():
    x = Value(3.0)
    assert total(x * i for i in range(4)).data == 18.0
    assert total(np.array([1.0, 2.0])) == 3.0
    assert total((1.0, x)).data == 4.0
    assert total(iter([])) == 0.0


def test_a_total_adds_from_left_to_right():
    assert total([Value(1e16), Value(1.0), Value(-1e16)]).data == 0.0
    assert total([1e16, 1.0, -1e16]) == 0.0


def test_a_total_has_higher_derivatives():
    x = Value(3.0)
    [dx] = grad(total([x * x, x, 2.0]), [x], create_graph=True)
    assert (dx.data, grad(dx, [x])) == (7.0, [2.0])


@pytest.mark.parametrize("values", [[None], ["a"], [Value(1.0), "a"], [[1.0]]], ids=repr)
def test_a_total_of_anything_but_numbers_is_an_error(values):
    with pytest.raises(TypeError, match="expected a number, not"):
        total(values)


# logsumexp, log_softmax, softmax


def exact_softmax(xs):
    exps = [mp.exp(mpf(x)) for x in xs]
    return [e / sum(exps) for e in exps]


@given(logits)
@example([1000.0, -1000.0])
@example([-1000.0] * 3)
@example([0.0, 5.0, 0.0, 0.0, 0.0, 0.0])
@example([0.0])
def test_the_softmax_family_is_right_to_the_last_digits(xs):
    exact = exact_softmax(xs)
    whole = mp.log(sum(mp.exp(mpf(x)) for x in xs))
    rounding = 2e-16 * (len(xs) + 1)  # each term of the sum may be off by so much of it
    assert logsumexp(xs) == pytest.approx(float(whole), rel=1e-15, abs=rounding)
    for p, lp, e in zip(softmax(xs), log_softmax(xs), exact, strict=True):
        assert p == pytest.approx(float(e), rel=4e-13, abs=1e-300)
        assert lp == pytest.approx(float(mp.log(e)), rel=1e-15, abs=rounding)


@given(logits)
@example([1000.0, 1000.0, -1000.0])
@example([0.0, 0.0])
def test_the_gradient_of_logsumexp_is_softmax(xs):
    values = [Value(x) for x in xs]
    gradients = grad(logsumexp(values), values)
    assert gradients == [pytest.approx(float(p), rel=4e-13, abs=4e-16) for p in exact_softmax(xs)]


@given(logits, st.data())
def test_the_gradients_of_softmax_and_log_softmax_are_exact(xs, data):
    i = data.draw(st.integers(0, len(xs) - 1))
    values = [Value(x) for x in xs]
    p = [float(e) for e in exact_softmax(xs)]
    of_log = [(i == j) - p[j] for j in range(len(xs))]
    assert grad(log_softmax(values)[i], values) == pytest.approx(of_log, rel=4e-13, abs=4e-16)
    assert grad(softmax(values)[i], values) == pytest.approx([p[i] * s for s in of_log], rel=4e-12, abs=4e-16)


def test_second_derivatives_of_logsumexp_are_the_covariance_of_softmax():
    xs = [0.5, -1.0, 2.0]
    values = [Value(x) for x in xs]
    p = [float(e) for e in exact_softmax(xs)]
    gradients = grad(logsumexp(values), values, create_graph=True)
    for i, first in enumerate(gradients):
        expected = [p[i] * ((i == j) - p[j]) for j in range(3)]
        assert grad(first, values) == pytest.approx(expected, rel=1e-13, abs=1e-15)


@pytest.mark.parametrize("f", FAMILY)
def test_the_softmax_family_takes_values_numbers_and_both(f):
    xs = [1.0, -2.0, 3]
    plain = f(xs)
    for args in ([Value(x) for x in xs], [Value(1.0), -2.0, 3], np.array(xs), tuple(xs), (x for x in xs)):
        result = f(args)
        data = [getattr(y, "data", y) for y in (result if isinstance(result, list) else [result])]
        assert data == (plain if isinstance(plain, list) else [plain])


@pytest.mark.parametrize("f", FAMILY)
def test_the_softmax_family_gives_floats_for_numbers(f):
    for xs in ([1, 2], [np.float32(1), np.float64(2)], np.array([1.0, 2.0])):
        result = f(xs)
        assert all(type(y) is float for y in (result if isinstance(result, list) else [result]))


@pytest.mark.parametrize("f", FAMILY)
@pytest.mark.parametrize("nothing", [[], (), np.array([]), iter([])], ids=lambda x: type(x).__name__)
def test_the_softmax_family_of_an_empty_list_is_an_error(f, nothing):
    with pytest.raises(ValueError, match="^expected at least one value, not an empty list$"):
        f(nothing)


@pytest.mark.parametrize("f", FAMILY)
@pytest.mark.parametrize("values", [[None], ["a"], [Value(1.0), "a"], [[1.0]]], ids=repr)
def test_the_softmax_family_of_anything_but_numbers_is_an_error(f, values):
    with pytest.raises(TypeError, match="expected a number, not (str|NoneType|list)"):
        f(values)


@pytest.mark.parametrize("f", FAMILY)
def test_a_nan_among_the_logits_gives_nan(f):
    for xs in ([math.nan, 1.0], [1.0, math.nan]):
        result = f(xs)
        assert all(map(math.isnan, result if isinstance(result, list) else [result]))


def test_a_logit_of_minus_infinity_is_a_probability_of_0():
    assert softmax([0.0, -math.inf]) == [1.0, 0.0]
    assert log_softmax([0.0, -math.inf]) == [0.0, -math.inf]
    assert logsumexp([0.0, -math.inf]) == 0.0


@pytest.mark.parametrize(
    ("xs", "greatest"),
    [
        ([-math.inf], -math.inf),
        ([-math.inf, -math.inf], -math.inf),
        ([math.inf, 0.0], math.inf),
        ([0.0, math.inf, -math.inf], math.inf),
        ([math.inf, math.inf], math.inf),
    ],
)
def test_logsumexp_of_an_infinite_maximum_is_that_maximum(xs, greatest):
    assert logsumexp(xs) == greatest
    values = [Value(x) for x in xs]
    y = logsumexp(values)
    assert y.data == greatest
    first = xs.index(greatest)
    assert grad(y, values) == [float(i == first) for i in range(len(xs))]


def test_probabilities_add_up_to_1():
    assert sum(softmax([Value(x / 7) for x in range(50)])).data == pytest.approx(1.0, rel=1e-15)


def test_the_maximum_in_logsumexp_is_a_node_of_the_graph():
    x, y = Value(1.0), Value(3.0)
    assert "max" in {node._op for node in topological_order(log_softmax([x, y])[0])}
    assert [node._op for node in topological_order(logsumexp([x, y]))] == ["", "", "logsumexp"]
    assert mpmath.almosteq(grad(logsumexp([x, y]), [y])[0], exact_softmax([1, 3])[1], 1e-15)


# logsumexp is one node


def test_logsumexp_is_one_node():
    values = [Value(0.5), Value(-1.0), Value(2.0)]
    y = logsumexp([*values, 1.0])
    assert (y.op, y.parents[:3], y.parents[3].constant) == (ops.logsumexp, tuple(values), True)
    assert y.local_gradients()[3] == 0.0
    assert y.op.text(StrPrinter(), [Text("a"), Text("b")]).text == "log(exp(a) + exp(b))"


EXTREME = [-math.inf, -1e300, -1e16, -1.0, 0.0, 1.0, 1e8, 1e8 + 1, 1e16, 1e16 + 2, 1e300, math.inf, math.nan]


@given(st.lists(st.sampled_from(EXTREME) | st.floats(-5, 5), min_size=1, max_size=5))
def test_a_compiled_logsumexp_and_create_graph_have_the_bits_of_eager_ones(xs):
    values = [Value(x, label=f"x{i}") for i, x in enumerate(xs)]
    y = logsumexp(values)
    written = [y.data, *y.local_gradients()]
    built = [y.data, *[g.data for g in grad(y, values, create_graph=True)]]
    assert list(map(float.hex, built)) == list(map(float.hex, written))
    numbers = [Value(0.25, label=f"x{i}") for i in range(len(xs))]
    step = trace(logsumexp(numbers), inputs=[], parameters=numbers).compile("python")
    if not any(map(math.isnan, xs)):
        value, gradients = step(xs)
        assert list(map(float.hex, [value, *gradients])) == list(map(float.hex, written))


@pytest.mark.parametrize(
    "xs", [[1e16, 1e16 - 2], [1e300, 1e300], [1e8, 1e8 - 1, 0.0], [30.0, 0.0], [-1e16] * 3]
)
def test_the_local_gradients_of_logsumexp_are_exact_for_numbers_of_any_size(xs):
    greatest = max(xs)
    exps = [mp.exp(mpf(x) - mpf(greatest)) for x in xs]
    values = list(map(Value, xs))
    for gradients in grad(logsumexp(values), values), softmax(xs):
        assert gradients == pytest.approx([float(e / sum(exps)) for e in exps], rel=1e-15, abs=0)


@pytest.mark.parametrize("xs", [[30.0, 0.0], [0.0, 700.0], [1e8, 1e8 - 1], [1e16, 1e16 - 2, 0.0]])
def test_log_softmax_keeps_small_logarithms(xs):
    with mp.workdps(400):
        exact = [-mp.log(mp.fsum(mp.exp(mpf(other) - mpf(x)) for other in xs)) for x in xs]
    assert log_softmax(xs) == pytest.approx([float(e) for e in exact], rel=1e-15, abs=0)


def test_a_program_grows_in_proportion_to_the_numbers_of_logsumexp():
    counts = []
    for n in (10, 20, 40):
        values = [Value(float(i)) for i in range(n)]
        counts.append(trace(logsumexp(values), parameters=values).count_operations())
    assert counts[2] - counts[1] == 2 * (counts[1] - counts[0])
