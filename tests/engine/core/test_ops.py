"""Every row of the table is compared with 50-digit arithmetic, also at difficult points."""

import math
import struct

import mpmath
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf
from support import accuracy, witness
from support.names import name
from support.slips import slips, text
from support.table import ROWS

import engine
from engine import Op, Value, check_row, grad, ops
from engine.core.op import Evaluator, shipped

BINARY = [op for op in ROWS.values() if len(op.partials) == 2]
UNARY = [op for op in ROWS.values() if len(op.partials) == 1]
EDGES = accuracy.edges()
FUNCTIONS = [
    "exp", "log", "sqrt", "sin", "cos", "tan", "tanh", "sigmoid", "relu", "leaky_relu", "softplus", "gelu",
    "asin", "acos", "atan", "atan2", "sinh", "cosh", "asinh", "acosh", "atanh", "silu", "elu",
    "floor", "ceil", "sign",
]  # fmt: skip


def called(it):
    return name(accuracy.name(it))


each_row = pytest.mark.parametrize("op", ROWS.values(), ids=called)
each_binary = pytest.mark.parametrize("op", BINARY, ids=called)
each_unary = pytest.mark.parametrize("op", UNARY, ids=called)
each_known = pytest.mark.parametrize(
    "op", [op for op in ROWS.values() if witness.definition(op.symbol)], ids=called
)
each_edge = pytest.mark.parametrize(("op", "position"), EDGES, ids=called)


def named(*symbols):
    return pytest.mark.parametrize("op", [ops.table[symbol] for symbol in symbols], ids=called)


def bits(x):
    return struct.pack("d", x)


# Accuracy: 4 ulp, or the bounds that follow


def loose(error):
    """Return whether the error of 1 - y² or y(1 - y) is small; where y is almost 1, both lose digits."""
    return error.absolute <= 2**-52


def power(error):
    """Beyond 1e307, b - 1 is rounded before a is raised to it."""
    return abs(error.where[0]) > 1e307 and error.ulps <= 4 + 710


def denormal(error):
    """Below -709, exp(a) is a denormal number with few digits, and silu multiplies it by a."""
    return error.where[0] < -700 and error.absolute <= 1000 * 5e-324


BOUNDS = {
    ("tanh", 0): loose,
    ("sigmoid", 0): loose,
    ("**", 0): power,
    ("silu", None): denormal,
    ("silu", 0): denormal,
}


def is_right(op, position, error):
    bound = BOUNDS.get((op.symbol, position), lambda error: False)
    return error is None or error.allowed or bound(error)


def assert_true(op, position, data):
    error = accuracy.error(op, position, *data)
    assert is_right(op, position, error), error


@each_edge
def test_a_row_is_right_to_4_ulp_at_difficult_points(op, position):
    for data in accuracy.points(op):
        assert_true(op, position, data)


@each_edge
@settings(max_examples=25)
@given(data=st.data())
def test_a_row_is_right_to_4_ulp_anywhere(op, position, data):
    finite = st.floats(allow_nan=False, allow_infinity=False) | st.floats(-10, 10)
    assert_true(op, position, data.draw(st.tuples(*[finite for _ in op.partials])))


@each_known
def test_a_formula_at_50_digits_agrees_with_the_definition_in_mpmath(op):
    f = witness.definition(op.symbol)
    for data in op.at:
        assert mp.almosteq(witness.value(op, *data), f(*map(mpf, data)), mpf(10) ** -45)


@each_row
def test_the_witness_defines_every_shipped_row_independently(op):
    assert witness.definition(op.symbol) or op.symbol not in shipped


@each_row
def test_a_row_agrees_with_finite_differences_at_the_points_it_names(op):
    assert op.at
    assert check_row(op)


@each_row
@pytest.mark.parametrize("order", [1, 2, 3])
def test_a_row_gives_derivatives_of_any_order(op, order):
    f = witness.definition(op.symbol) or (lambda *data: witness.value(op, *data))
    for data in op.at:
        for position in range(len(data)):
            values = [Value(x) for x in data]
            y = op(*values)
            for _ in range(order):
                [y] = grad(y, [values[position]], create_graph=True)
            orders = tuple(order if i == position else 0 for i in range(len(data)))
            exact = mpmath.diff(f, tuple(map(mpf, data)), orders)
            assert y.data == pytest.approx(float(exact), rel=1e-12, abs=1e-14)


@named("*", "/", "**", "max")
def test_mixed_derivatives_do_not_depend_on_the_order(op):
    a, b = Value(2.0), Value(3.0)
    da, db = grad(op(a, b), [a, b], create_graph=True)
    exact = mpmath.diff(witness.definition(op.symbol), (mpf(2), mpf(3)), (1, 1))
    assert grad(da, [b])[0] == pytest.approx(float(exact), rel=1e-14, abs=1e-14)
    assert grad(db, [a])[0] == pytest.approx(float(exact), rel=1e-14, abs=1e-14)


# The tests themselves are tested: they find every slip in a row

POWER = text(ops.pow.partials[0].tree)
HARMLESS = {  # at 0, or where one of the two is a NaN, the other branch gives the same
    "**": {  # near the borders; and that a zero of b differs shows in second order only
        "0 if sqrt(y) <= 0 else y * log(a)",
        POWER,
        POWER.removeprefix("b * a ** (b - 1) if b >= 0.5 else (")[:-1],
        POWER.replace("b >= 0.5", "b > 0.5"),
        POWER.replace("b >= 0.5", "b >= 1.5"),
        POWER.replace("abs(a) + abs(b)", "abs(b) + abs(b)"),
        POWER.replace("b / a * y", "b / a / y"),
        POWER.replace("abs(b) <= 5e-16", "abs(b) < 5e-16"),
        POWER.replace("abs(b) <= 5e-16", "abs(a) <= 5e-16"),
        POWER.replace("abs(a) <= 1e+307", "abs(a) < 1e+307"),
    },
    "gelu": {  # beyond 39 the limits are reached
        "0 if a < -39 else (1 if a > 40 else erfc(-a / sqrt(2)) / 2 + a * exp(-(a * a) / 2) / sqrt(2 * pi))",
        "0 if a < -39 else a * (erfc(-a / sqrt(2)) / 2)",
        "0 if a < -40 else (1 if a > 41 else erfc(-a / sqrt(2)) / 2 + a * exp(-(a * a) / 2) / sqrt(2 * pi))",
        "0 if a < -40 else (1 if a >= 40 else erfc(-a / sqrt(2)) / 2 + a * exp(-(a * a) / 2) / sqrt(2 * pi))",
        "0 if a <= -40 else (1 if a > 40 else erfc(-a / sqrt(2)) / 2 + a * exp(-(a * a) / 2) / sqrt(2 * pi))",
        "0 if a <= -40 else a * (erfc(-a / sqrt(2)) / 2)",
    },
    "atan": {  # both formulas are right where neither overflows
        "1 / (1 + a * a) if abs(a) < 1 else 1 / a / (a + 1 / a)",
        "1 / (1 + a * a) if abs(a) <= 2 else 1 / a / (a + 1 / a)",
    },
    "asinh": {
        "1 / sqrt(1 + a * a) if abs(a) < 1 else 1 / abs(a) / sqrt(1 + 1 / a * (1 / a))",
        "1 / sqrt(1 + a * a) if abs(a) <= 2 else 1 / abs(a) / sqrt(1 + 1 / a * (1 / a))",
    },
    "atan2": {
        "-a / b / b / (1 + a / b * (a / b)) if abs(a) < abs(b) else -1 / a / (1 + b / a * (b / a))",
        "1 / b / (1 + a / b * (a / b)) if abs(a) < abs(b) else b / a / a / (1 + b / a * (b / a))",
    },
    "silu": {  # beyond 799 the limits are reached
        "0 if a < -799 else (1 if a > 800 else sigmoid(a) * (1 + a * sigmoid(-a)))",
        "0 if a < -799 else a * sigmoid(a)",
        "0 if a < -800 else (1 if a > 801 else sigmoid(a) * (1 + a * sigmoid(-a)))",
        "0 if a < -800 else (1 if a >= 800 else sigmoid(a) * (1 + a * sigmoid(-a)))",
        "0 if a <= -800 else (1 if a > 800 else sigmoid(a) * (1 + a * sigmoid(-a)))",
        "0 if a <= -800 else a * sigmoid(a)",
    },
    "elu": {
        "1 if a >= 0 else exp(a)",
        "a if a >= 0 else expm1(a)",
    },
    "sigmoid": {"1 / (1 + exp(-a)) if a > 0 else exp(a) / (1 + exp(a))"},
    "softplus": {"a + log1p(exp(-a)) if a >= 0 else log1p(exp(a))"},
    "relu": {"0 if a < 0 else a"},
    "leaky_relu": {"0.01 * a if a < 0 else a"},
    "max": {"a if a >= b else (b if b >= a else a + b)", "a if a >= b else (b if b > a else a - b)"},
    "min": {"a if a <= b else (b if b <= a else a + b)", "a if a <= b else (b if b < a else a - b)"},
}
ELSEWHERE = {  # near 1, both branches give the same number to the last digits
    "sigmoid": {"1 / (1 + exp(-a)) if a >= 1 else exp(a) / (1 + exp(a))"},
    "softplus": {"a + log1p(exp(-a)) if a > 1 else log1p(exp(a))"},
}


def is_noticed(op, position, row):
    """Return whether the tests above find a slip in the formula (position None) or in a derivative."""
    try:
        slip = Op("slip", *row, at=op.at, kinks=op.kinks)
        if not check_row(slip):
            return True
        strict = STRICT.get((op.symbol, position), [])
        for data in [*strict, *accuracy.points(op, count=10)]:
            if position is None:
                y = accuracy.outcome(slip.value, *data)
                error = accuracy.compare(y, witness.definition(op.symbol), data)
            else:
                error = accuracy.derivative_error(slip, position, *data)
            if not is_right(op, position, error) or (data in strict and error.ulps > 4):
                return True
    except (AssertionError, ArithmeticError, ValueError):  # it is not a row, or a point is outside its domain
        return True
    return any(extremes(op, point) != extremes(slip, point) for point in EXTREME[len(op.partials)])


#: Points at which a row is right to 4 ulp, however much it changes with the numbers given.
STRICT = {
    ("**", 0): [(4.319e142, -1.098), (1e150, -0.95), (1e-200, 0.3), (5e-324, -1e-300), (1.5e307, -1e-3)]
}
EXTREME = {
    1: [(math.nan,), (math.inf,), (-math.inf,)],
    2: [(math.nan, 1.0), (1.0, math.nan), (math.inf, 0.1)],
}


def extremes(op, point):
    """The value at a NaN or an infinity, and the derivatives at an infinity, as texts."""
    y = accuracy.outcome(op.value, *point)
    if isinstance(y, Exception) or math.isnan(y):
        return repr(y)
    return [y, *(repr(accuracy.outcome(op.local_gradient, i, point, y)) for i in range(len(point)))]


@each_known
def test_no_error_is_found_in_a_correct_row(op):
    row = [formula.text for formula in (op.formula, *op.partials)]
    assert not any(is_noticed(op, position, row) for position in (None, *range(len(op.partials))))


@each_known
def test_a_slip_in_a_row_is_found(op):
    harmless = HARMLESS.get(op.symbol, set()) | ELSEWHERE.get(op.symbol, set())
    unnoticed = [(position, row) for position, row in slips(op) if not is_noticed(op, position, row)]
    assert {row[0 if position is None else 1 + position] for position, row in unnoticed} == harmless


# Every way to evaluate a row gives the same bits


@each_row
def test_a_row_gives_the_same_bits_recorded_called_or_evaluated(op):
    for data in op.at:
        node = op(*map(Value, data))
        read = op.forward(Evaluator(), data)
        derivatives = [op.derivative(i, Evaluator(), data, read) for i in range(len(data))]
        assert bits(node.data) == bits(op(*data)) == bits(op.value(*data)) == bits(read)
        assert list(map(bits, node.local_gradients())) == list(map(bits, derivatives))


@each_row
def test_a_gradient_with_create_graph_has_the_same_bits(op):
    for data in op.at:
        values = [Value(x) for x in data]
        y = op(*values)
        derivatives = [derivative.data for derivative in grad(y, values, create_graph=True)]
        assert list(map(bits, derivatives)) == list(map(bits, y.local_gradients()))


@each_binary
def test_a_row_gives_the_same_bits_with_a_plain_number_as_operand(op):
    for a, b in op.at:
        both = op(Value(a), Value(b))
        left, right = op(Value(a), b), op(a, Value(b))
        assert bits(both.data) == bits(left.data) == bits(right.data)
        assert left.local_gradients() == (both.local_gradients()[0], 0.0)
        assert right.local_gradients() == (0.0, both.local_gradients()[1])


@each_unary
def test_an_operation_of_one_letter_is_a_method_too(op):
    x = Value(op.at[-1][0])
    y = getattr(x, op.symbol)()
    assert (y.data, y.op, y.parents) == (op(x).data, op, (x,))


@each_row
def test_a_row_takes_numpy_numbers(op):
    np = pytest.importorskip("numpy")
    for data in op.at:
        assert op(*map(np.float64, data)) == op(*data)
        assert op(Value(data[0]), *map(np.float64, data[1:])).data == op(*data)


def test_the_table_has_the_usual_operations():
    operators = {"+", "-", "*", "/", "**", "neg", "abs", "max", "min"}
    assert operators | set(FUNCTIONS) <= set(ops.table)


@pytest.mark.parametrize("name", [*FUNCTIONS, "maximum", "minimum"])
def test_the_package_exports_the_rows(name):
    assert getattr(engine, name) is getattr(ops, name)
    assert name in engine.__all__


# Kinks


@each_row
def test_a_row_picks_the_named_derivative_at_a_kink(op):
    for point, picks in op.kinks.items():
        assert op(*map(Value, point)).local_gradients() == picks


@named("relu", "leaky_relu", "abs", "max", "min")
def test_a_row_with_a_kink_names_it(op):
    assert op.kinks


def test_the_derivatives_picked_at_the_kinks():
    zero, one = Value(0.0), Value(1.0)
    assert ops.relu(zero).local_gradients() == (0.0,)
    assert ops.relu(Value(-0.0)).local_gradients() == (0.0,)
    assert ops.abs(zero).local_gradients() == (0.0,)
    assert ops.leaky_relu(zero).local_gradients() == (0.01,)
    assert ops.maximum(one, Value(1.0)).local_gradients() == (1.0, 0.0)  # a tie goes to the first
    assert ops.minimum(one, Value(1.0)).local_gradients() == (1.0, 0.0)
    assert ops.maximum(Value(0.0), Value(-0.0)).local_gradients() == (1.0, 0.0)


@pytest.mark.parametrize("x", [-5e-324, 5e-324, -1e-300, 1e-300])
def test_beside_a_kink_the_derivative_is_that_of_its_side(x):
    assert ops.relu(Value(x)).local_gradients() == (1.0 if x > 0 else 0.0,)
    assert ops.abs(Value(x)).local_gradients() == (math.copysign(1.0, x),)
    assert ops.leaky_relu(Value(x)).local_gradients() == (1.0 if x > 0 else 0.01,)
    assert ops.maximum(Value(x), Value(0.0)).local_gradients() == ((1.0, 0.0) if x > 0 else (0.0, 1.0))


# NaN


@each_row
def test_a_nan_as_input_gives_nan_as_output(op):
    for position in range(len(op.partials)):
        data = [1.5] * len(op.partials)
        data[position] = math.nan
        assert math.isnan(op.value(*data))
        assert math.isnan(op(*map(Value, data)).data)


@named("max", "min")
@pytest.mark.parametrize("other", [-math.inf, -1.0, 0.0, 1.0, math.inf, math.nan])
def test_max_and_min_of_a_nan_and_a_number_are_nan(op, other):
    assert math.isnan(op(math.nan, other))
    assert math.isnan(op(other, math.nan))


def test_even_a_nan_to_the_power_of_0_is_1_as_in_python():
    assert (Value(math.nan) ** 0).data == 1.0


@pytest.mark.parametrize("base", [2.0, 0.25, 1e300])
def test_the_mixed_derivative_of_a_power_exists_at_an_exponent_of_0(base):
    a, b = Value(base), Value(0.0)
    assert grad(a**b, [a, b]) == [0.0, math.log(base)]
    for first, second in (a, b), (b, a):
        [derivative] = grad(a**b, [first], create_graph=True)
        assert grad(derivative, [second]) == [pytest.approx(1 / base)]  # a^(b - 1) (1 + b log a)


@pytest.mark.parametrize("base", [0.0, 5e-324, -5e-324, 1e308, math.inf])
def test_the_derivative_of_a_power_of_0_is_0_even_if_the_formula_would_overflow(base):
    a = Value(base)
    assert grad(a**0, [a]) == [0.0]


@pytest.mark.parametrize("exponent", [5e-324, -1e-300, 1e-20, 4e-16])
def test_the_derivative_exists_for_a_tiny_exponent_though_the_formula_overflows(exponent):
    a = Value(5e-324)
    [derivative] = grad(a**exponent, [a])
    assert derivative == pytest.approx(exponent / 5e-324, rel=1e-12)


def test_an_infinite_derivative_of_a_power_with_a_tiny_exponent_is_an_error():
    with pytest.raises(ZeroDivisionError, match=r"derivative ∂/∂a of a \*\* b"):
        _ = Value(0.0) ** 1e-300


# Stability at large inputs

STABLE = {
    "sigmoid": (1.0, 0.0, 0.0, 0.0),
    "tanh": (1.0, -1.0, 0.0, 0.0),
    "softplus": (1000.0, 0.0, 1.0, 0.0),
    "gelu": (1000.0, 0.0, 1.0, 0.0),
    "erf": (1.0, -1.0, 0.0, 0.0),
    "erfc": (0.0, 2.0, 0.0, 0.0),
}


@pytest.mark.parametrize(("symbol", "expected"), STABLE.items(), ids=STABLE)
@pytest.mark.parametrize("size", [1000.0, 1e300, 1.7976931348623157e308])
def test_a_row_has_the_right_limit_at_large_inputs(symbol, expected, size):
    up, down, slope_up, slope_down = expected
    high, low = (ops.table[symbol](Value(x)) for x in (size, -size))
    assert (high.data, low.data) == (size if up == 1000.0 else up, down)
    assert (high.local_gradients(), low.local_gradients()) == ((slope_up,), (slope_down,))


@given(st.floats(-700, 700))
@example(-30.0)
def test_sigmoid_of_x_and_of_minus_x_add_up_to_1(x):
    assert ops.sigmoid(x) + ops.sigmoid(-x) == pytest.approx(1.0, rel=4e-16)


def test_overflow_of_sums_and_products_is_infinite_as_in_ieee():
    huge = Value(1e308)
    assert (huge + huge).data == math.inf
    assert (huge * -10).data == -math.inf
    assert (huge * 10 - huge * 10).data != (huge * 10 - huge * 10).data  # inf - inf is a NaN
    assert (Value(1e-300) / 1e300).data == 0.0


# At infinities the limit, where there is one


LIMITS = {  # at -∞ and ∞: the value, the derivative; None where there is none
    "exp": ((0.0, 0.0), (math.inf, math.inf)), "expm1": ((-1.0, 0.0), (math.inf, math.inf)),
    "tanh": ((-1.0, 0.0), (1.0, 0.0)), "erf": ((-1.0, 0.0), (1.0, 0.0)), "erfc": ((2.0, 0.0), (0.0, 0.0)),
    "sigmoid": ((0.0, 0.0), (1.0, 0.0)), "softplus": ((0.0, 0.0), (math.inf, 1.0)),
    "gelu": ((0.0, 0.0), (math.inf, 1.0)), "silu": ((0.0, 0.0), (math.inf, 1.0)),
    "elu": ((-1.0, 0.0), (math.inf, 1.0)), "relu": ((0.0, 0.0), (math.inf, 1.0)),
    "leaky_relu": ((-math.inf, 0.01), (math.inf, 1.0)), "abs": ((math.inf, -1.0), (math.inf, 1.0)),
    "atan": ((-math.pi / 2, 0.0), (math.pi / 2, 0.0)), "asinh": ((-math.inf, 0.0), (math.inf, 0.0)),
    "sinh": ((-math.inf, math.inf), (math.inf, math.inf)),
    "cosh": ((math.inf, -math.inf), (math.inf, math.inf)),
    "floor": ((-math.inf, 0.0), (math.inf, 0.0)), "ceil": ((-math.inf, 0.0), (math.inf, 0.0)),
    "sign": ((-1.0, 0.0), (1.0, 0.0)), "log": (None, (math.inf, 0.0)), "log1p": (None, (math.inf, 0.0)),
    "sqrt": (None, (math.inf, 0.0)), "acosh": (None, (math.inf, 0.0)),
    "neg": ((math.inf, -1.0), (-math.inf, -1.0)),
    "sin": (None, None), "cos": (None, None), "tan": (None, None),
    "asin": (None, None), "acos": (None, None), "atanh": (None, None),
}  # fmt: skip


@each_unary
def test_at_an_infinity_a_row_gives_the_limit(op):
    for x, expected in zip((-math.inf, math.inf), LIMITS[op.symbol]):
        if expected is None:
            with pytest.raises(ValueError, match="domain"):
                op(Value(x))
            continue
        node = op(Value(x))
        assert (node.data, *node.local_gradients()) == expected
        [derivative] = grad(op(v := Value(x)), [v], create_graph=True)
        assert derivative.data == expected[1]


def test_a_derivative_that_exists_is_given_with_create_graph_too():
    x = Value(0.0, label="x")
    [dx] = grad(x**1.5, [x], create_graph=True)
    assert dx.data == 0.0
    assert not dx.is_stale()
    for differentiate in (lambda: grad(dx, [x]), lambda: grad(dx, [x], create_graph=True), dx.backward):
        with pytest.raises(ZeroDivisionError, match=r"derivative ∂/∂a of a \*\* b, .* at a = 0.0"):
            differentiate()  # 0.75 / sqrt(0)
    [dx] = grad(x**2.5, [x], create_graph=True)
    [second] = grad(dx, [x], create_graph=True)
    assert second.data == 0.0
    with pytest.raises(ZeroDivisionError, match="derivative"):
        grad(x**0.5, [x], create_graph=True)


def test_floor_and_ceil_keep_the_sign_of_a_zero():
    assert list(map(str, [ops.floor(-0.0), ops.ceil(-0.5), ops.floor(0.5), ops.ceil(0.0)])) == [
        "-0.0",
        "-0.0",
        "0.0",
        "0.0",
    ]
