"""The accelerator makes the same nodes as the written-out core, bit for bit, and can be switched off."""

import inspect
import math
import os
import subprocess
import sys
import traceback

import pytest
from hypothesis import given, settings
from support.graphs import graphs
from support.table import ROWS

from engine import Op, Value, grad, no_grad, ops, topological_order, total, weighted_sum
from engine.core import specialize
from engine.core.specialize import fast, variant
from engine.core.value import record

each_row = pytest.mark.parametrize("op", ROWS.values(), ids=ROWS)


@pytest.fixture
def written_out():
    """Switch the accelerator off during a test."""
    specialize.disable()
    yield
    specialize.enable()


def bits(node):
    numbers = (node.data, *node.local_gradients())
    return node.op, [x.hex() for x in numbers], [type(x) for x in numbers], node.label, node.grad


def both(make):
    """Return what ``make`` gives with the accelerator, and without it."""
    quick = make()
    specialize.disable()
    try:
        return quick, make()
    finally:
        specialize.enable()


def points(op):
    arity = len(op.partials)
    numbers = [-2.5, -1.0, -0.0, 0.0, 0.5, 1.0, 3.0, 1e-308, 1e200, math.inf, math.nan]
    return [(x,) for x in numbers] if arity == 1 else [(x, y) for x in numbers for y in numbers]


@each_row
@pytest.mark.parametrize("kinds", ["vv", "vn", "nv"])
def test_every_operation_makes_the_same_node_bit_for_bit(op, kinds):
    if len(op.partials) == 1 and kinds != "vv":
        return
    for point in points(op):

        def make(point=point):
            args = [Value(x) if kind == "v" else x for x, kind in zip(point, kinds)]
            try:
                return bits(op(*args))
            except (ArithmeticError, ValueError) as error:
                return type(error), str(error)

        quick, slow = both(make)
        assert quick == slow


@given(graphs())
@settings(max_examples=60)
def test_a_random_graph_has_the_same_numbers_and_gradients(graph):
    def make():
        leaves = [Value(x) for x in graph.leaves]
        root = graph.build(leaves)[-1]
        nodes = topological_order(root)
        return [bits(node) for node in nodes if node.op], [x.hex() for x in grad(root, leaves)]

    quick, slow = both(make)
    assert quick == slow


@pytest.mark.parametrize("count", [1, 3, 49, 50, 100, 101, 500])
def test_a_weighted_sum_of_any_length_is_the_same(count):
    def make():
        weights = [Value(math.sin(i)) for i in range(count)]
        inputs = [Value(math.cos(i)) if i % 3 else 0.1 * i for i in range(count)]
        nodes = weighted_sum(weights, inputs, 0.5), total([*weights, 2.0])
        return [bits(node) for node in nodes]

    quick, slow = both(make)
    assert quick == slow


def test_operators_methods_and_functions_record_without_the_accelerator(written_out):
    x, w = Value(2.0), Value(-3.0)
    y = (w * x + 1) / 2 - abs(-x) ** 2
    y = 3 * y.tanh() + ops.exp(x)
    y.backward()
    assert x.grad == pytest.approx(grad(y, [x])[0])
    with no_grad():
        assert (x * w).parents == ()


def test_the_switch_is_an_environment_variable():
    program = (
        "from engine import Value; from engine.core.value import recorders; "
        "print(len(recorders), (Value(2.0) * 3).data)"
    )
    environment = {**os.environ, specialize.SWITCH: "0"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert done.stdout.split() == ["0", "6.0"], done.stderr


def test_methods_read_like_hand_written_ones_before_and_after_their_first_use():
    before = (
        str(inspect.signature(Value.__truediv__)),
        Value.__truediv__.__doc__,
        Value.__truediv__.__qualname__,
    )
    assert before == ("(self, other: 'Number') -> 'Value'", "Return self / other.", "Value.__truediv__")
    assert (Value(6.0) / Value(2.0)).data == 3.0
    after = (
        str(inspect.signature(Value.__truediv__)),
        Value.__truediv__.__doc__,
        Value.__truediv__.__qualname__,
    )
    assert after == before
    assert inspect.getsource(Value.__truediv__).startswith("    def __truediv__(self, other: Number)")


@each_row
def test_the_generated_function_can_be_read(op):
    source = inspect.getsource(fast(op))
    assert source.startswith("def _record(_a")
    assert ", recorded.'" in source
    compile(source, "row", "exec")


def test_the_derivative_of_a_plain_number_is_not_in_the_source():
    assert "log(a)" in inspect.getsource(fast(ops.pow))
    assert "log(a)" not in inspect.getsource(variant(ops.pow, False, True))
    assert "(b - 1)" not in inspect.getsource(variant(ops.pow, True, False))


def test_a_variant_is_generated_once():
    assert variant(ops.pow, False, True) is variant(ops.pow, False, True)
    assert variant(ops.pow, False, True) is not variant(ops.pow, True, False)


def test_a_traceback_shows_the_line_of_the_row():
    with pytest.raises(ValueError, match="log") as caught:
        ops.log(Value(-1.0))
    shown = "".join(traceback.format_tb(caught.tb))
    assert "<row log #" in shown
    assert "raise _domain_error" in shown


def test_the_error_of_a_node_hides_the_one_that_it_repeats():
    with pytest.raises(ValueError, match="log") as caught:
        ops.log(Value(-1.0))
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("args", [(2.0, Value(5.0)), (Value(2.0), 5.0), (Value(2.0), Value(5.0))])
def test_the_parents_of_a_node_are_values_even_if_numbers_were_given(args):
    node = record(ops.mul, *args)
    assert (node.data, node.grad, node.label, node.op) == (10.0, 0.0, "", ops.mul)
    assert [parent.data for parent in node.parents] == [2.0, 5.0]


@each_row
def test_local_gradients_are_floats_even_if_the_row_has_an_integer(op):
    node = op(*map(Value, op.at[0]))
    assert [type(local) for local in node.local_gradients()] == [float] * len(op.partials)
    assert type(node.data) is float


@pytest.mark.parametrize("symbol", ["source", "title", "names", "what"])
def test_an_operation_of_any_name_can_be_called_in_another_formula(symbol):
    Op(symbol, "a * 2", "2")
    assert Op("caller", f"{symbol}(a) + 1", "2")(Value(3.0)).data == 7.0
