"""Value: its attributes, comparisons, copies, memory and bits."""

import copy
import gc
import math
import operator
import pickle
import subprocess
import sys
import weakref
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.graphs import graphs

from engine import Value, grad, logsumexp, ops, topological_order, weighted_sum
from engine.core.op import rows

PLAIN = [2, True, 2.0, np.float64(2), np.float32(2), np.int64(2), np.uint8(2), np.bool_(True)]
FOREIGN = [None, "2", b"2", 2j, [2.0], (2.0,), {}, object(), Decimal(2)]
COMPARISONS = [operator.lt, operator.le, operator.gt, operator.ge]

each_plain = pytest.mark.parametrize("number", PLAIN, ids=lambda x: type(x).__name__)
each_foreign = pytest.mark.parametrize("other", FOREIGN, ids=lambda x: type(x).__name__)
each_comparison = pytest.mark.parametrize("compare", COMPARISONS, ids=lambda f: f.__name__)


# Construction


@each_plain
def test_data_becomes_a_float(number):
    value = Value(number)
    assert type(value.data) is float
    assert value.data == float(number)


@each_foreign
def test_an_error_names_the_type_of_what_is_not_a_number(other):
    with pytest.raises(TypeError, match=f"expected a number, not {type(other).__name__}"):
        Value(other)


def test_a_value_of_a_value_is_refused():
    with pytest.raises(TypeError, match="expected a number, not Value"):
        Value(Value(1.0))


def test_infinities_and_nan_are_numbers():
    assert Value(math.inf).data == math.inf
    assert math.isnan(Value(math.nan).data)


@pytest.mark.parametrize("label", [None, 3, b"x", ["x"]], ids=repr)
def test_a_label_that_is_not_a_str_is_an_error(label):
    with pytest.raises(TypeError, match="expected a label|are Values"):
        Value(1.0, label)
    with pytest.raises(TypeError, match=f"a label is a str, not {type(label).__name__}"):
        Value(1.0, label=label)


def test_a_new_value_is_a_leaf_without_a_gradient():
    x = Value(2, label="x")
    assert (x.data, x.grad, x.label, x.op, x.parents) == (2.0, 0.0, "x", None, ())
    assert x.local_gradients() == ()


def test_a_value_shows_its_number_its_gradient_and_its_label():
    assert repr(Value(2)) == "Value(data=2.0, grad=0.0)"
    assert repr(Value(-1.5, "w")) == "Value(data=-1.5, grad=0.0, label='w')"


def test_attributes_of_a_users_own_are_kept_and_copied():
    x = Value(1.0)
    x.momentum = [0.5]
    copied = copy.deepcopy(x)
    assert (x.momentum, copied.momentum) == ([0.5], [0.5])
    with pytest.raises(AttributeError, match="gard"):
        x.gard  # noqa: B018


# Comparisons


@each_comparison
def test_values_are_compared_by_their_numbers(compare):
    for a in (-1.0, 0.0, 2.0, math.nan, math.inf):
        for b in (-1.0, 2.0, math.nan):
            assert compare(Value(a), Value(b)) is compare(a, b)
            assert compare(Value(a), b) is compare(a, b)
            assert compare(a, Value(b)) is compare(a, b)
            assert compare(np.float64(a), Value(b)) == compare(a, b)


@each_comparison
@pytest.mark.parametrize("other", [None, "2", 2j, [2.0]], ids=repr)
def test_a_comparison_with_something_that_is_not_a_number_is_an_error(compare, other):
    with pytest.raises(TypeError, match=type(other).__name__):
        compare(Value(1.0), other)


def test_equality_is_identity():
    a, b = Value(1.0), Value(1.0)
    assert a == a
    assert a != b
    assert a != 1.0
    assert len({a, b, a}) == 2


def test_max_and_sorted_work_on_values():
    values = [Value(1.0), Value(3.0), Value(2.0)]
    assert max(values) is values[1]
    assert sorted(values) == [values[0], values[2], values[1]]


# Local gradients are those of the forward pass


def test_local_gradients_are_one_float_for_each_parent_in_order():
    a, b = Value(6.0), Value(3.0)
    assert (a / b).local_gradients() == (1 / 3.0, -2.0 / 3.0)
    assert all(type(local) is float for local in (a / b).local_gradients())


def test_differentiate_gives_0_for_a_plain_number_and_an_empty_list_for_a_leaf():
    x = Value(3.0)
    of_x, of_the_number = (x**2).differentiate()
    assert (of_x.data, of_the_number) == (6.0, 0.0)
    assert x.differentiate() == []


@each_plain
def test_a_plain_number_in_an_expression_is_a_float_without_a_label(number):
    constant = (Value(3.0) * number).parents[1]
    assert constant.constant
    assert (constant.data, type(constant.data), constant.label) == (float(number), float, "")


def test_a_later_change_of_data_does_not_change_the_gradients():
    a, b = Value(2.0), Value(5.0)
    y = a * b
    a.data = b.data = 100.0
    assert (y.data, y.local_gradients()) == (10.0, (5.0, 2.0))
    y.backward()
    assert (a.grad, b.grad) == (5.0, 2.0)


def test_a_value_is_stale_if_the_number_of_a_parent_was_changed():
    x = Value(3.0)
    y = x * x
    z = y + 1
    assert not any(value.is_stale() for value in (x, y, z))
    x.data = -3.0
    assert [value.is_stale() for value in (x, y, z)] == [False, True, False]
    y.data = 8.0
    assert z.is_stale()


# micrograd's names


def test_prev_and_op_can_be_read_but_not_set():
    a = Value(2.0)
    y = a * 3
    assert y._prev == y.parents
    assert y._op == "*"
    assert (a._prev, a._op) == ((), "")
    with pytest.raises(AttributeError):
        y._prev = ()
    with pytest.raises(AttributeError):
        y._op = "+"


@pytest.mark.parametrize("symbol", ops.table)
def test_no_symbol_has_a_colon_which_dot_treats_as_a_port(symbol):
    assert ":" not in symbol


# Copies


def test_a_deep_copy_is_a_separate_graph_with_gradients_of_its_own():
    x = Value(3.0, label="x")
    y = x * x + x
    y.label = "y"
    y.backward()
    twin = copy.deepcopy(y)
    assert (twin.data, twin.grad, twin.label, twin.op) == (y.data, y.grad, "y", y.op)
    [leaf] = [node for node in topological_order(twin) if not node.parents]
    assert leaf is not x
    assert (leaf.data, leaf.grad, leaf.label) == (3.0, 7.0, "x")
    twin.backward()
    assert (leaf.grad, x.grad) == (14.0, 7.0)
    assert grad(twin, [leaf], create_graph=True)[0].data == 7.0


def test_shared_values_are_shared_in_the_copy_too():
    x = Value(3.0)
    y, z = x * x, x + 1
    copied = copy.deepcopy({"x": x, "both": [y, z], "again": y})
    assert copied["both"][0] is copied["again"]
    assert copied["both"][0].parents == (copied["x"], copied["x"])
    assert copied["both"][1].parents[0] is copied["x"]
    assert copied["both"][1].parents[1].constant


@given(graphs())
def test_the_copy_of_any_graph_has_the_same_shape_numbers_and_gradients(graph):
    root = graph.build()[-1]
    twin = copy.deepcopy(root)
    root.backward()
    twin.backward()
    nodes, twins = topological_order(root), topological_order(twin)
    place, twin_place = ({node: i for i, node in enumerate(order)} for order in (nodes, twins))
    for node, other in zip(nodes, twins, strict=True):
        assert node is not other
        assert (node.data, node.grad, node.op, type(node)) == (other.data, other.grad, other.op, type(other))
        assert [place[parent] for parent in node.parents] == [twin_place[parent] for parent in other.parents]


def test_a_graph_of_100_000_nodes_can_be_copied():
    x = y = Value(1.0)
    for _ in range(100_000):
        y = y + x
    twin = copy.deepcopy(y)
    twin.backward()
    leaf = topological_order(twin)[0]
    assert (leaf.grad, x.grad) == (100_001.0, 0.0)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_leaf_can_be_pickled(protocol):
    x = Value(3.0, label="x")
    x.grad = 2.0
    twin = pickle.loads(pickle.dumps(x, protocol))
    assert (twin.data, twin.grad, twin.label, twin.op, twin.parents) == (3.0, 2.0, "x", None, ())
    (twin * twin).backward()
    assert twin.grad == 8.0


def test_a_leaf_that_is_in_a_list_twice_is_pickled_once():
    x = Value(3.0)
    first, second = pickle.loads(pickle.dumps([x, x]))
    assert first is second


@pytest.mark.parametrize("dump", [pickle.dumps, copy.copy, lambda y: pickle.dumps({"loss": [y]})])
def test_pickling_a_computed_value_is_an_error_that_names_the_alternatives(dump):
    with pytest.raises(TypeError, match=r"^a computed Value cannot .*copy.deepcopy.*nn.save$"):
        dump(Value(3.0) * 2)


# Memory


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def everything_from(x):
    """Return the root of one graph that contains every operation."""
    y = x
    for op in rows().values():
        inside = x + 1 if op.symbol == "acosh" else x  # of the domain
        y = y + (op(inside) if len(op.partials) == 1 else op(x, 2.0) + op(2.0, x) + op(x, x))
    return y + logsumexp([x, y]) + weighted_sum([x, y], [x, 1.0], bias=x) + ops.table["Σ"].value(1.0)


@pytest.mark.usefixtures("no_collector")
def test_with_the_collector_off_dropping_the_root_frees_the_whole_graph():
    root = everything_from(Value(0.5))
    nodes = [weakref.ref(node) for node in topological_order(root)]
    root.backward()
    list(grad(root, [nodes[0]()]))
    assert all(ref() is not None for ref in nodes)
    del root
    assert all(ref() is None for ref in nodes)


@pytest.mark.usefixtures("no_collector")
def test_a_gradient_with_create_graph_makes_no_reference_cycle():
    x = Value(0.5)
    root = everything_from(x)
    [dx] = grad(root, [x], create_graph=True)
    nodes = [weakref.ref(node) for node in topological_order(dx)]
    del x, root, dx
    assert all(ref() is None for ref in nodes)


@pytest.mark.usefixtures("no_collector")
def test_a_million_nodes_in_a_chain_are_built_run_backward_and_freed():
    x = y = Value(1.0)
    for _ in range(1_000_000):
        y = y + x
    first = weakref.ref(x)
    y.backward()
    assert (y.data, x.grad) == (1_000_001.0, 1_000_001.0)
    del x, y
    assert first() is None


# The same bits everywhere

PROGRAM = """
import random
from engine import Value, ops
junk = [bytearray(random.randrange(1, 2000)) for _ in range(random.randrange(5000))]  # other addresses
rng = random.Random(7)
nodes = [Value(rng.uniform(0.1, 1.0)) for _ in range(5)]
names = ["+", "-", "*", "/", "max", "min"], ["tanh", "sigmoid", "exp", "neg", "gelu", "softplus"]
for _ in range(400):
    if rng.random() < 0.6:
        y = ops.find(rng.choice(names[0]))(rng.choice(nodes), rng.choice(nodes[-30:]))
    else:
        y = ops.find(rng.choice(names[1]))(rng.choice(nodes))
    nodes.append(y.tanh() + 1.5)
root = sum(nodes)
root.backward()
print(root.data.hex(), *(x.grad.hex() for x in nodes[:5]))
"""


def test_a_graph_has_the_same_bits_in_every_process():
    seen = set()
    for seed in ("0", "1", "random"):
        command = [sys.executable, "-c", PROGRAM]
        env = {"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(filter(None, sys.path))}
        seen.add(subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout)
    assert len(seen) == 1
    assert "0x0.0p+0" not in seen.pop().split()


@given(graphs(), st.integers(2, 3))
def test_a_graph_that_is_built_again_has_the_same_bits(graph, times):
    bits = set()
    for _ in range(times):
        nodes = graph.build()
        nodes[-1].backward()
        bits.add(tuple((node.data.hex(), node.grad.hex()) for node in nodes))
    assert len(bits) == 1


# data and grad are floats, whatever is written


@pytest.mark.parametrize("x", [2, True, np.float32(0.5), np.int8(3), np.array(1.5), np.float64(0)], ids=repr)
def test_any_number_that_is_written_becomes_a_float(x):
    w = Value(1.0)
    w.data = w.grad = x
    assert (w.data, w.grad) == (float(x), float(x))
    assert (type(w.data), type(w.grad)) == (float, float)


@pytest.mark.parametrize(
    "x", ["1", [1.0], np.array([1.0]), 1j, Value(2.0), object()], ids=lambda x: type(x).__name__
)
@pytest.mark.parametrize("attribute", ["data", "grad"])
def test_writing_anything_else_is_an_error_that_names_label_and_type(attribute, x):
    w = Value(1.0, "weight")
    with pytest.raises(
        TypeError, match=f"cannot set the {attribute} of weight: expected a number, not {type(x).__name__}"
    ):
        setattr(w, attribute, x)
    assert (w.data, w.grad) == (1.0, 0.0)


def test_a_gradient_set_to_none_is_0():
    w = Value(1.0)
    w.grad = None
    (w * 3).backward()
    assert w.grad == 3.0


def test_a_division_by_a_zero_from_numpy_is_an_error_as_with_floats():
    w = Value(1.0)
    w.data = np.float64(0)
    with pytest.raises(ZeroDivisionError):
        1 / w


def test_an_update_in_single_precision_leaves_the_numbers_double():
    w = Value(0.1)
    w.data -= np.float32(0.1) * w.data
    assert type(w.data) is float
    assert type((w * w).data) is float


def test_assigning_a_value_to_data_is_an_error():
    w, g = Value(1.0, "w"), Value(2.0)
    with pytest.raises(TypeError, match="cannot set the data of w: expected a number, not Value"):
        w.data = w - 0.1 * g


# Formats, conversions and NumPy


def test_a_value_is_true_if_its_number_is_not_0():
    assert [bool(Value(x)) for x in (0.0, -0.0, 1.0, -2.0, math.nan)] == [False, False, True, True, True]


def test_a_format_specification_applies_to_the_number():
    assert f"{Value(math.pi):.4f} {Value(-2.0):+.1e}" == "3.1416 -2.0e+00"
    assert f"{Value(2.0)}" == "Value(data=2.0, grad=0.0)"


@pytest.mark.parametrize("convert", [float, math.exp, math.sqrt], ids=lambda f: f.__name__)
def test_converting_to_a_float_is_an_error_that_names_the_alternatives(convert):
    with pytest.raises(TypeError, match=r"use \.data for its number.*engine\.exp"):
        convert(Value(1.0))


@pytest.mark.parametrize("name", ["exp", "tanh", "sin", "cos", "tan", "log", "sqrt", "log1p", "expm1"])
def test_the_functions_of_numpy_are_the_operations_of_the_same_name(name):
    y = getattr(np, name)(Value(0.5))
    assert isinstance(y, Value)
    assert (y.data, y.op.symbol) == (ops.table[name](0.5), name)


def test_an_array_of_values_computes_element_by_element():
    values = [Value(1.0), Value(3.0)]
    shares = np.array(values) / np.sum(values)
    assert [share.data for share in shares] == [0.25, 0.75]
    assert grad(shares[0], values) == [3 / 16, -1 / 16]
    array = np.array(values)
    array -= array.max()
    assert [value.data for value in array - Value(1.0)] == [-3.0, -1.0]
    assert [value.data for value in np.array([1.0, 2.0]) * Value(3.0)] == [3.0, 6.0]


def test_pow_is_a_method():
    assert Value(3.0).pow(2).data == 9.0
