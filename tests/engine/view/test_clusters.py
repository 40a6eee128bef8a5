"""Folding: what belongs together becomes one box, nothing is lost, and every box can be opened again."""

import math
import random
import re

import pytest

from engine import Role, Value, exp, relu, topological_order
from engine.view import clusters
from engine.view.clusters import LEVELS
from engine.view.draw import draw_dot
from engine.view.kinds import Kinds, samples
from nn import MLP, Neuron

levels = pytest.mark.parametrize("level", LEVELS)
builds = pytest.mark.parametrize("atomic", [False, True], ids=["weighted sums", "single operations"])


def net(atomic=False, nouts=(3, 2)):
    return MLP(2, list(nouts), activation="tanh", output="tanh", rng=random.Random(0), atomic=atomic)


def batch_loss(model, n=5, as_values=False, regularised=False):
    """Micrograd's loss: the mean hinge over the samples, and a penalty on the weights."""
    rng = random.Random(1)
    losses = []
    for _ in range(n):
        x = [rng.uniform(-1, 1) for _ in range(2)]
        losses.append(relu(1 + -rng.choice([-1, 1]) * model([Value(v) for v in x] if as_values else x)))
    loss = sum(losses) * (1 / n)
    return loss + 1e-4 * sum(p * p for p in model.parameters()) if regularised else loss


def fold(root, level, most, unfold=()):
    return clusters.fold(topological_order(root), level, most, unfold)


def names(boxes):
    return [box.name for box in boxes if box.folded]


@builds
@levels
def test_every_node_is_in_one_box_and_every_edge_between_two_is_kept(level, atomic):
    root = batch_loss(net(atomic, (3, 1)), regularised=True)
    boxes = fold(root, level, 100)
    home = {node: box for box in boxes for node in box.nodes}
    assert sum(len(box.nodes) for box in boxes) == len(home) == len(fold(root, "none", 100))
    for box in boxes:
        assert set(box.parents) == {home[p] for node in box.nodes for p in node.parents} - {box}


@builds
@levels
def test_parents_stand_before_children(level, atomic):
    boxes = fold(batch_loss(net(atomic, (3, 1)), regularised=True), level, 100)
    place = {box: i for i, box in enumerate(boxes)}
    assert all(place[parent] < place[box] for box in boxes for parent in box.parents)


@builds
def test_a_neuron_is_its_weights_its_z_and_its_a(atomic):
    boxes = fold(net(atomic)([1.0, 2.0])[0], "neuron", 100)
    assert names(boxes) == ["neuron 1_0", "neuron 1_1", "neuron 1_2", "neuron 2_0"]
    labels = {node.label for node in boxes[2].nodes}
    assert labels - {""} == {"w1_0_0", "w1_0_1", "b1_0", "z1_0", "a1_0"}


def test_a_lone_neuron_needs_no_place():
    assert names(fold(Neuron(2)([1.0, 2.0]), "neuron", 100)) == ["neuron"]


@builds
def test_a_layer_is_its_neurons(atomic):
    a, b = net(atomic)([1.0, 2.0])
    boxes = fold(a + b, "layer", 100)
    assert names(boxes) == ["x", "layer 1", "layer 2"]


@builds
@pytest.mark.parametrize("as_values", [False, True], ids=["numbers", "unlabelled Values"])
def test_the_samples_of_a_batch_are_one_with_a_count(atomic, as_values):
    boxes = fold(batch_loss(net(atomic, (3, 1)), 5, as_values), "batch", 100)
    assert {"layer 1 × 5", "layer 2 × 5", "relu × 5", "+ × 5"} <= set(names(boxes))
    assert len(boxes) < 15


def test_penalised_parameters_have_a_box_of_their_own():
    boxes = fold(batch_loss(net(nouts=(3, 1)), regularised=True), "batch", 100)
    assert {"parameters of layer 1", "parameters of layer 2", "* × 9", "* × 4", "+ × 13"} <= set(names(boxes))


def test_two_models_are_not_two_samples():
    one, other = net(nouts=(3, 1)), net(nouts=(3, 1))
    x = [Value(1.0, label="x0"), Value(2.0, label="x1")]
    assert not any("×" in name for name in names(fold(one(x) + other(x), "batch", 100)))


def test_a_layer_that_is_used_again_after_itself_is_two_boxes():
    model = MLP(2, [2], activation="tanh")
    y = model(model([1.0, 2.0]))
    assert names(fold(y[0] * y[1], "layer", 100)).count("layer 1") == 2


@levels
def test_labels_that_fold_a_graph_into_a_ring_are_drawn_all_the_same(level):
    z = Value(1.0) * 2
    z.label = "z"
    between = exp(z)
    between.label = "between"
    a = z * between
    a.label = "a"
    assert sum(len(box.nodes) for box in fold(a, level, 100)) == 5


def test_without_labels_what_is_alike_is_still_one():
    w = [Value(0.1 * i, label=f"weight {i}") for i in range(2)]
    root = sum(exp(w[0] * x) - w[1] for x in range(50))
    assert {"exp × 50", "* × 50", "- × 50"} <= set(names(fold(root, "batch", 100)))


def test_auto_folds_no_further_than_it_must():
    y = net()([1.0, 2.0])[0]
    sizes = {level: len(fold(y, level, 100)) for level in LEVELS}
    assert sizes["none"] > sizes["neuron"] > sizes["layer"]
    for size in sizes.values():
        assert len(fold(y, "auto", size)) == size


def test_a_chain_without_any_pattern_folds_by_depth():
    y = Value(1.0, label="start")
    for i in range(3000):
        y = relu(y * Value(1.0, label=f"p {i}")) - Value(0.5, label=f"q {i}")
    boxes = fold(y, "auto", 200)
    assert 100 < len(boxes) <= 200
    assert boxes[-1].nodes == (y,)
    assert boxes[0].name == "depth 0 to 45"


def test_a_graph_that_is_wide_folds_by_depth_too():
    y = sum(exp(Value(1.0, label=f"p {i}")) for i in range(1000))
    assert len(fold(y, "auto", 20)) <= 20


def test_a_box_is_opened_by_its_name():
    a, b = net()([1.0, 2.0])
    opened = fold(a + b, "layer", 100, unfold="layer 1")
    assert names(opened) == ["x", "neuron 1_0", "neuron 1_1", "neuron 1_2", "layer 2"]
    further = fold(a + b, "layer", 100, unfold=["layer 1", "neuron 1_1"])
    assert names(further) == ["x", "neuron 1_0", "neuron 1_2", "layer 2"]
    assert "z1_1" in {box.node.label for box in further if not box.folded}


@builds
def test_everything_can_be_opened_down_to_the_single_nodes(atomic):
    root = batch_loss(net(atomic, (3, 1)), regularised=True)
    wanted = set()
    for _ in LEVELS:
        wanted |= set(names(fold(root, "batch", 100, wanted)))
    assert len(fold(root, "batch", 100, wanted)) == len(fold(root, "none", 100))


def test_a_box_that_there_is_not_is_named_with_those_that_there_are():
    with pytest.raises(ValueError, match=r"called 'layer 7'; there are 'x', 'layer 1', 'layer 2'"):
        fold(sum(net()([1.0, 2.0])), "layer", 100, unfold=["layer 7"])


def test_micrograds_loss_on_100_samples_is_a_picture_of_some_two_dozen_boxes():
    model = MLP(2, [16, 16, 1], rng=random.Random(0))
    loss = batch_loss(model, 100, as_values=True, regularised=True)
    loss.backward()
    picture = draw_dot(loss)
    said = picture.pipe("svg", encoding="utf-8").replace("&#160;", " ")
    assert said.count('class="node"') < 30
    for what in ("layer 1 × 100", "layer 2 × 100", "layer 3 × 100", "z × 1600", "w × 256", "relu × 100"):
        assert what in said
    weights = [p for p in model.parameters() if p.label.startswith("w2")]
    low, high = (pick(p.data for p in weights) for pick in (min, max))
    assert re.sub("&#45;", "-", said).count(f"data {low:.4g} … {high:.4g}") == 1
    low, high = (pick(p.grad for p in weights) for pick in (min, max))
    assert re.sub("&#45;", "-", said).count(f"grad {low:.4g} … {high:.4g}") == 1


def test_before_a_backward_pass_a_folded_box_knows_no_gradient():
    assert "grad not computed" in draw_dot(net()([1.0, 2.0])[0], fold="layer").source


def test_folded_edges_say_between_what_bounds_the_local_gradients_lie():
    a, _ = net()([1.0, 2.0])
    weights = [w.data for w in a.parents[0].parents[:3]]
    source = draw_dot(a, fold="layer", local_gradients=True).source
    assert f"{min(weights):.4g} … {max(weights):.4g}" in source


def test_a_nan_among_the_numbers_of_a_box_is_not_lost_between_bounds():
    model = net()
    model.layers[0].neurons[1].w[0].data = math.nan
    source = draw_dot(model([1.0, 2.0])[0], fold="layer").source
    assert "data nan" in source


@pytest.mark.parametrize(
    ("node", "what"),
    [
        (lambda: Value(1.0, label="x"), "input"),
        (lambda: Value(1.0, label="x1_2"), "input"),
        (lambda: Value(1.0), "input"),
        (lambda: Value(1.0, label="w"), "parameter"),
        (lambda: Value(1.0, label="xenon"), "parameter"),
        (lambda: Value(1.0) + 1, "computed"),
        (lambda: (Value(1.0) + 1).parents[1], "number"),
        (lambda: Neuron(1)([2.0]).parents[0].parents[1], "input"),
    ],
)
def test_inputs_parameters_and_numbers_are_told_apart(node, what):
    assert kind(node()) == what
