"""Each line of a program is told apart: what all samples share, what one computes, what is only added up."""

import random

import pytest

from engine import Value, tanh, total, trace, weighted_sum
from engine.backends.gather import rows, slots
from engine.backends.split import FIRST, LONG, MEAN, ONE, Product, Split
from nn.modules import MLP


def leaves(letter, count):
    return [Value(random.Random(i).uniform(-1, 1), label=f"{letter}{i}") for i in range(count)]


def test_what_no_input_reaches_is_shared():
    [x], [w, v] = leaves("x", 1), leaves("w", 2)
    split = Split(trace(x * w + tanh(v * w), [x], [w, v]))
    assert {"v2", "v3", "d_v2"} == {item.name for item in split.shared if item.name}
    assert {item.place for item in split.shared if not item.name} == {FIRST, FIRST + 1}
    assert {item.tree for item in split.varying} == {("*", "x0", "w0"), "x0", ("+", "v1", "v3")}
    assert split.root == "y"


def test_the_gradient_of_a_layer_is_one_row_for_each_neuron():
    model = MLP(3, [5, 4, 1], activation="tanh", rng=random.Random(1))
    x = leaves("x", 3)
    products = Split(trace(model(x) ** 2, x, model.parameters())).products
    table = rows(products, slots(products))
    root = [1]
    assert sorted(count for *_, count in table) == [*root, *[3 + 1] * 5, *[4 + 1], *[5 + 1] * 4]


def test_what_is_no_product_is_added_once():
    [x], [w, b] = leaves("x", 1), leaves("w", 2)
    split = Split(trace(tanh(w * x + b), [x], [w, b]))
    ones = {product.place for product in split.products if product.right == ONE}
    assert ones == {MEAN, FIRST + 1}


@pytest.mark.parametrize("count", [LONG - 1, LONG, LONG + 1, LONG * LONG + 1])
def test_a_long_sum_is_cut_into_short_ones(count):
    xs, ws = leaves("x", 3), leaves("w", count)
    root = weighted_sum(ws, [xs[i % 3] for i in range(count)]) - total([w * w for w in ws])
    split = Split(trace(root, xs, ws))
    items = [*split.shared, *split.varying]
    assert max(str(item.tree).count("'+'") for item in items) < LONG
    assert len({item.name for item in items if item.name}) == sum(bool(item.name) for item in items)


def test_second_factors_that_follow_each_other_are_neighbours():
    products = [Product("d", 2, "a"), Product("d", 3, "b"), Product("d", 4, ONE), Product("e", 5, "b")]
    places = slots(products)
    assert [places[name] for name in ("a", "b", f"{ONE} after b")] == [0, 1, 2]
    assert rows(products, places) == [(places["d"], 0, 2, 3), (places["e"], 1, 5, 1)]
