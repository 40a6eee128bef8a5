"""The schedule separates shared values, values of one sample, and products that are added up."""

import random

import pytest

from engine import Value, tanh, total, trace, weighted_sum
from nn.model.modules import MLP

pytest.importorskip("llvmlite")
from engine.compiler.backends.llvm.reduction import LONGEST, Row, rows, slots
from engine.compiler.backends.llvm.schedule import FIRST, LONG, MEAN, ONE, Product, Schedule


def leaves(letter, count):
    return [Value(random.Random(i).uniform(-1, 1), label=f"{letter}{i}") for i in range(count)]


def test_values_that_depend_on_no_input_are_shared():
    [x], [w, v] = leaves("x", 1), leaves("w", 2)
    schedule = Schedule(trace(x * w + tanh(v * w), [x], [w, v]))
    assert {"v2", "v3", "d_v2"} == {item.name for item in schedule.shared if item.name}
    assert {item.place for item in schedule.shared if not item.name} == {FIRST, FIRST + 1}
    assert {item.tree for item in schedule.varying} == {("*", "x0", "w0"), "x0", ("+", "v1", "v3")}
    assert schedule.outputs == ["y"]


def test_outputs_are_columns_or_shared_sums():
    [x], [w] = leaves("x", 1), leaves("w", 1)
    y = w * x
    schedule = Schedule(trace([y, w * w, y, w], [x], [w]))
    assert schedule.outputs == ["y", FIRST + 1, "y", FIRST + 2]
    assert schedule.sums == FIRST + 3


def test_the_gradient_of_a_layer_is_one_row_for_each_neuron():
    model = MLP(3, [5, 4, 1], activation="tanh", rng=random.Random(1))
    x = leaves("x", 3)
    products = Schedule(trace(model(x) ** 2, x, model.parameters())).products
    table = rows(products, slots(products))
    assert max(row.length for row in table) <= LONGEST
    whole = {}
    for row in table:
        whole[row.left] = whole.get(row.left, 0) + row.length
    root = [1]
    assert sorted(whole.values()) == [*root, *[3 + 1] * 5, *[4 + 1], *[5 + 1] * 4]


def test_a_term_that_is_not_a_product_is_added_once():
    [x], [w, b] = leaves("x", 1), leaves("w", 2)
    schedule = Schedule(trace(tanh(w * x + b), [x], [w, b]))
    ones = {product.place for product in schedule.products if product.right == ONE}
    assert ones == {MEAN, FIRST + 1}


@pytest.mark.parametrize("count", [LONG - 1, LONG, LONG + 1, LONG * LONG + 1])
def test_a_long_sum_is_divided_into_short_ones(count):
    xs, ws = leaves("x", 3), leaves("w", count)
    root = weighted_sum(ws, [xs[i % 3] for i in range(count)]) - total([w * w for w in ws])
    schedule = Schedule(trace(root, xs, ws))
    items = [*schedule.shared, *schedule.varying]
    assert max(str(item.tree).count("'+'") for item in items) < LONG
    assert len({item.name for item in items if item.name}) == sum(bool(item.name) for item in items)


def test_consecutive_second_factors_are_neighbours():
    products = [Product("d", 2, "a"), Product("d", 3, "b"), Product("d", 4, ONE), Product("e", 5, "b")]
    places = slots(products)
    assert [places[name] for name in ("a", "b", f"{ONE} after b")] == [0, 1, 2]
    assert rows(products, places) == [Row(1, 1, places["e"], 5), Row(3, 0, places["d"], 2)]


@pytest.mark.parametrize("count", [1, LONGEST, LONGEST + 1, 3 * LONGEST - 1, 10 * LONGEST + 1])
def test_a_long_row_is_divided_into_parts_of_about_equal_length(count):
    products = [Product("d", FIRST + i, f"a{i}") for i in range(count)]
    table = rows(products, slots(products))
    assert max(row.length for row in table) <= LONGEST
    assert max(row.length for row in table) - min(row.length for row in table) <= 1
    pairs = {(row.right + i, row.place + i) for row in table for i in range(row.length)}
    assert pairs == {(i, FIRST + i) for i in range(count)}


def test_independent_values_are_adjacent_and_follow_the_values_that_only_they_need():
    xs, ws = leaves("x", 2), leaves("w", 4)
    first, second = tanh(xs[0] * ws[0]) + ws[1], tanh(xs[1] * ws[2]) + ws[3]
    order = [
        item.name for item in Schedule(trace(first * second, xs, ws)).varying if item.name.startswith("v")
    ]
    assert order == ["v1", "v2", "v4", "v5", "v3", "v6"]
