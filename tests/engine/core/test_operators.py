"""Python's operators on Values, and operations as methods."""

import math
import operator
from decimal import Decimal

import numpy as np
import pytest
from support.table import ROWS

from engine import Op, Value, grad, ops, weighted_sum
from engine.core.value import Constant, as_value

PLAIN = [2, True, 2.0, np.float64(2), np.float32(2), np.int64(2), np.uint8(2), np.bool_(True)]
FOREIGN = [None, "2", b"2", 2j, [2.0], (2.0,), {}, object(), Decimal(2)]
OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]

each_plain = pytest.mark.parametrize("number", PLAIN, ids=lambda x: type(x).__name__)
each_foreign = pytest.mark.parametrize("other", FOREIGN, ids=lambda x: type(x).__name__)
each_operator = pytest.mark.parametrize("act", OPERATORS, ids=lambda f: f.__name__)


# Arithmetic


@each_operator
def test_an_operator_on_two_values_gives_a_value_with_both_as_parents(act):
    a, b = Value(3.0), Value(2.0)
    y = act(a, b)
    assert y.data == act(3.0, 2.0)
    assert y.parents == (a, b)


@each_operator
@each_plain
def test_the_right_operand_can_be_a_plain_number(act, number):
    a = Value(3.0)
    y = act(a, number)
    assert y.data == act(3.0, float(number))
    assert (y.parents[0], y.parents[1].data, y.parents[1].constant) == (a, float(number), True)
    assert y.local_gradients() == (act(a, Value(number)).local_gradients()[0], 0.0)


@each_operator
@each_plain
def test_the_left_operand_can_be_a_plain_number(act, number):
    b = Value(3.0)
    y = act(number, b)
    assert y.data == act(float(number), 3.0)
    assert (y.parents[0].data, y.parents[0].constant, y.parents[1]) == (float(number), True, b)
    assert y.local_gradients() == (0.0, act(Value(number), b).local_gradients()[1])


@each_operator
@each_foreign
def test_an_operand_of_another_type_is_a_type_error_on_either_side(act, other):
    for pair in ((Value(1.0), other), (other, Value(1.0))):
        with pytest.raises(TypeError, match="Value"):
            act(*pair)


@each_operator
def test_an_operation_with_an_array_is_done_element_by_element(act):
    for pair in ((Value(3.0), np.array([2.0, 0.5])), (np.array([2.0, 0.5]), Value(3.0))):
        results = act(*pair)
        assert results.dtype == object
        numbers = [act(*(x if isinstance(x, Value) else x[i] for x in pair)).data for i in range(2)]
        assert [result.data for result in results] == numbers
        results[0].backward()
        assert {type(value.grad) for value in results} == {float}


@pytest.mark.parametrize("act", [operator.mod, operator.floordiv, operator.matmul, operator.and_, divmod])
def test_other_operators_are_a_type_error(act):
    with pytest.raises(TypeError, match="Value"):
        act(Value(1.0), Value(1.0))


def test_a_power_has_no_modulus():
    with pytest.raises(TypeError):
        pow(Value(2.0), 2, 3)


def test_negation_and_absolute_value():
    x = Value(-3.0)
    assert (-x).data == 3.0
    assert (-x).local_gradients() == (-1.0,)
    assert abs(x).data == x.abs().data == 3.0
    assert abs(x).local_gradients() == (-1.0,)
    assert (+x if hasattr(x, "__pos__") else x) is x


def test_the_built_in_sum_works():
    values = [Value(1.0), Value(2.0), Value(4.0)]
    assert sum(values).data == 7.0
    assert grad(sum(values), values) == [1.0, 1.0, 1.0]


def test_an_augmented_assignment_makes_a_new_value():
    x = y = Value(1.0)
    y += 2
    y *= 3
    assert (x.data, y.data) == (1.0, 9.0)


@pytest.mark.parametrize(
    ("act", "gradient"),
    {"x + x": 2.0, "x * x": 6.0, "x - x": 0.0, "x / x": 0.0, "x ** x": 27.0 * (math.log(3.0) + 1.0)}.items(),
)
def test_a_parent_that_is_used_twice_is_listed_twice(act, gradient):
    x = Value(3.0)
    y = eval(act, {"x": x})
    assert y.parents == (x, x)
    y.backward()
    assert x.grad == pytest.approx(gradient, rel=1e-15)


def test_parents_are_in_the_order_in_which_they_were_written():
    a, b = Value(1.0), Value(2.0)
    assert (a - b).parents == (a, b)
    assert (b - a).parents == (b, a)
    assert weighted_sum([b], [a], bias=b).parents == (b, a, b)


# Plain numbers in an expression


def test_a_constant_exponent_needs_no_logarithm_of_the_base():
    y = Value(-3.0) ** 2
    assert (y.data, y.local_gradients()) == (9.0, (-6.0, 0.0))
    assert (Value(0.0) ** 2).local_gradients() == (0.0, 0.0)
    assert (Value(-2.0) ** -3).data == -0.125


def test_the_derivative_with_respect_to_a_constant_base_is_not_computed():
    y = 0 ** Value(2.0)
    assert (y.data, y.local_gradients()) == (0.0, (0.0, 0.0))
    assert (2 ** Value(3.0)).local_gradients() == (0.0, 8.0 * math.log(2.0))


def test_an_exponent_that_is_a_value_needs_the_logarithm_of_the_base():
    assert (Value(2.0) ** Value(3.0)).local_gradients() == (12.0, 8.0 * math.log(2.0))
    with pytest.raises(ValueError, match=r"the derivative ∂/∂b of a \*\* b"):
        Value(-2.0) ** Value(2.0)


def test_the_gradient_of_a_constant_stays_0():
    x = Value(3.0)
    y = x * 2
    y.backward()
    [constant] = [parent for parent in y.parents if parent.constant]
    constant.grad += 5.0
    assert constant.grad == 0.0
    assert grad(y, [constant]) == [0.0]


def test_as_value_makes_a_constant_of_a_plain_number():
    x = Value(1.0)
    assert as_value(x) is x
    assert isinstance(as_value(2), Constant)
    assert as_value(2).data == 2.0
    assert not x.constant
    with pytest.raises(TypeError, match="expected a number, not str"):
        as_value("2")


# Methods


@pytest.mark.parametrize("symbol", [op.symbol for op in ROWS.values() if len(op.partials) == 1])
def test_every_operation_of_one_letter_is_a_method(symbol):
    x = Value(*ROWS[symbol].at[-1])
    y = getattr(x, symbol)()
    assert (y.op.symbol, y.parents, y.data) == (symbol, (x,), ops.table[symbol](x.data))
    with pytest.raises(TypeError):
        getattr(x, symbol)(1.0)


def test_operations_of_two_letters_are_not_methods():
    assert not hasattr(Value(1.0), "max")
    assert not hasattr(Value(1.0), "+")


def test_an_operation_of_the_user_is_a_method_and_can_be_redefined():
    Op("ours", "2 * a", "2")
    x = Value(3.0)
    assert x.ours().data == 6.0
    Op("ours", "5 * a", "5")
    assert x.ours().data == 15.0


def test_a_method_can_be_called_on_the_class_before_and_after_its_first_use():
    Op("ours", "2 * a", "2")
    x = Value(3.0)
    assert Value.ours(x).data == 6.0
    assert [x.ours().data, Value.ours(x).data] == [6.0, 6.0]


def test_a_subclass_of_value_takes_part_in_the_graph():
    class Weight(Value):
        pass

    w, x = Weight(2.0), Value(3.0)
    y = w * x + w.tanh()
    y.backward()
    assert y.parents[0].parents == (w, x)
    assert w.grad == 3.0 + (1 - math.tanh(2.0) ** 2)
