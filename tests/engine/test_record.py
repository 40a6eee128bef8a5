"""The function that a row becomes: as if written by hand, and open to be read."""

import inspect
import math
import traceback

import pytest

from engine import Op, Value, ops
from engine.op import rows
from engine.operators import fast, record, unrolled, variant


@pytest.mark.parametrize("op", rows().values(), ids=rows())
def test_the_function_of_a_row_can_be_read(op):
    source = inspect.getsource(fast(op))
    assert source.startswith("def _record(_a")
    assert ", recorded.'" in source
    compile(source, "row", "exec")


def test_it_computes_the_formula_and_the_slopes_and_makes_the_node():
    source = inspect.getsource(fast(ops.tanh))
    assert "y = tanh(a)\n" in source
    assert "_slopes = (1 - y ** 2,)" in source
    assert "_node.parents = (_a,)" in source


def test_the_slope_of_a_plain_number_is_not_even_in_the_source():
    assert "log(a)" in inspect.getsource(fast(ops.pow))
    assert "log(a)" not in inspect.getsource(variant(ops.pow, False, True))
    assert "(b - 1)" not in inspect.getsource(variant(ops.pow, True, False))


def test_a_variant_is_written_once():
    assert variant(ops.pow, False, True) is variant(ops.pow, False, True)
    assert variant(ops.pow, False, True) is not variant(ops.pow, True, False)


def test_a_traceback_shows_the_line_of_the_row():
    with pytest.raises(ValueError, match="log") as caught:
        ops.log(Value(-1.0))
    shown = "".join(traceback.format_tb(caught.tb))
    assert "<row log #" in shown
    assert "raise _op.outside" in shown


def test_the_error_of_a_node_hides_the_one_that_it_repeats():
    with pytest.raises(ValueError, match="log") as caught:
        ops.log(Value(-1.0))
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("args", [(2.0, 5.0), (Value(2.0), 5.0), (2.0, Value(5.0)), (Value(2.0), Value(5.0))])
def test_whichever_parents_are_plain_the_node_is_complete(args):
    parents = [Value(x) if not isinstance(x, Value) else x for x in args]
    node = record(ops.mul, parents)
    assert (node.data, node.grad, node.label, node.op) == (10.0, 0.0, "", ops.mul)
    assert node.parents == tuple(parents)
    assert node.local_gradients() == (5.0, 2.0)


def test_slopes_are_floats_even_where_the_row_says_1():
    for op in rows().values():
        node = op(*map(Value, op.at[0]))
        assert [type(local) for local in node.local_gradients()] == [float] * len(op.partials)
        assert type(node.data) is float


def test_a_long_sum_is_recorded_as_a_short_one_is():
    for count in (3, 199, 201, 1001):
        parents = [Value(math.sin(i)) for i in range(count)]
        node = unrolled(ops.weighted_sum, count)(tuple(parents))
        n = count // 2
        z = parents[-1].data
        for w, a in zip(parents[:n], parents[n:-1], strict=True):
            z += w.data * a.data
        assert node.data == z
        assert node.parents == tuple(parents)
        slopes = [p.data for p in (*parents[n:-1], *parents[:n])]
        assert node.local_gradients() == (*slopes, 1.0)


def test_a_row_defined_by_a_learner_is_recorded_in_the_same_way():
    op = Op("step", "a if a > b else b * sigmoid(a)", "1 if a > b else b * sigmoid(a) * (1 - sigmoid(a))",
            "0 if a > b else sigmoid(a)")  # fmt: skip
    source = inspect.getsource(fast(op))
    assert "y = a if a > b else b * sigmoid(a)" in source
    assert op(Value(2.0), 1.0).local_gradients() == (1.0, 0.0)
