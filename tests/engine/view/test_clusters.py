"""Folding puts related nodes into one box, keeps every edge, and lets every box be opened again."""

import math
import random
import re

import pytest

from engine import Role, Value, exp, no_grad, relu, topological_order, total
from engine.core.value import Constant
from engine.view import clusters
from engine.view.clusters import LEVELS
from engine.view.draw import draw_dot
from engine.view.kinds import Kinds, samples
from nn import MLP, Neuron, losses

levels = pytest.mark.parametrize("level", LEVELS)
builds = pytest.mark.parametrize("atomic", [False, True], ids=["weighted sums", "single operations"])


def net(atomic=False, nouts=(3, 2)):
    return MLP(2, list(nouts), activation="tanh", output="tanh", rng=random.Random(0), atomic=atomic)


def batch_loss(model, n=5, as_values=False, regularised=False):
    """Return the loss of micrograd: the mean hinge over the samples, and a penalty on the weights."""
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
def test_parents_come_before_children(level, atomic):
    boxes = fold(batch_loss(net(atomic, (3, 1)), regularised=True), level, 100)
    place = {box: i for i, box in enumerate(boxes)}
    assert all(place[parent] < place[box] for box in boxes for parent in box.parents)


@builds
def test_a_neuron_is_its_weights_its_z_and_its_a(atomic):
    boxes = fold(net(atomic)([1.0, 2.0])[0], "neuron", 100)
    assert names(boxes) == ["neuron 1_0", "neuron 1_1", "neuron 1_2", "neuron 2_0"]
    labels = {node.label for node in boxes[2].nodes}
    assert labels - {""} == {"w1_0_0", "w1_1_0", "b1_0", "z1_0", "a1_0"}


def test_a_neuron_without_a_layer_is_one_box_too():
    assert names(fold(Neuron(2)([1.0, 2.0]), "neuron", 100)) == ["neuron"]


@builds
def test_a_layer_is_its_neurons(atomic):
    a, b = net(atomic)([1.0, 2.0])
    boxes = fold(a + b, "layer", 100)
    assert names(boxes) == ["x", "layer 1", "layer 2"]


@builds
@pytest.mark.parametrize("as_values", [False, True], ids=["numbers", "unlabelled Values"])
def test_the_samples_of_a_batch_are_one_box_with_a_count(atomic, as_values):
    boxes = fold(batch_loss(net(atomic, (3, 1)), 5, as_values), "batch", 100)
    assert {"layer 1 × 5 samples", "layer 2 × 5 samples", "relu × 5", "+ × 5"} <= set(names(boxes))
    assert len(boxes) < 15


def test_parameters_with_a_penalty_have_their_own_box():
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
def test_a_cycle_of_boxes_from_odd_roles_can_still_be_drawn(level):
    z = Value(1.0) * 2
    z.role = Role("z")
    between = exp(z)
    a = z * between
    a.role = Role("a")
    boxes = fold(a, level, 100)
    assert sum(len(box.nodes) for box in boxes) == 5
    if level not in ("none", "loss"):
        ring = next(box for box in boxes if a in box.nodes)
        assert z in ring.nodes
        assert set(ring.parents) & set(ring.children)


def test_similar_operations_without_roles_are_one_box():
    w = [Value(0.1 * i, label=f"weight {i}") for i in range(2)]
    root = sum(exp(w[0] * x) - w[1] for x in range(50))
    assert {"exp × 50", "* × 50", "- × 50"} <= set(names(fold(root, "batch", 100)))


def test_auto_folds_no_more_than_necessary():
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


def test_a_wide_graph_without_a_pattern_is_folded():
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
def test_all_boxes_can_be_opened_down_to_single_nodes(atomic):
    root = batch_loss(net(atomic, (3, 1)), regularised=True)
    wanted = set()
    for _ in LEVELS:
        wanted |= set(names(fold(root, "batch", 100, wanted)))
    assert len(fold(root, "batch", 100, wanted)) == len(fold(root, "none", 100))


def test_a_missing_box_is_named_with_the_boxes_that_exist():
    with pytest.raises(ValueError, match=r"called 'layer 7'; there are 'x', 'layer 1', 'layer 2'"):
        fold(sum(net()([1.0, 2.0])), "layer", 100, unfold=["layer 7"])


def test_micrograds_loss_on_100_samples_is_a_picture_of_about_two_dozen_boxes():
    model = MLP(2, [16, 16, 1], rng=random.Random(0))
    loss = batch_loss(model, 100, as_values=True, regularised=True)
    loss.backward()
    picture = draw_dot(loss)
    shown = picture.pipe("svg", encoding="utf-8").replace("&#160;", " ")
    assert shown.count('class="node"') < 30
    for what in (
        "layer 1 × 100 samples",
        "layer 2 × 100 samples",
        "layer 3 × 100 samples",
        "z × 1600",
        "w × 256",
        "relu × 100",
    ):
        assert what in shown
    weights = [p for p in model.parameters() if p.label.startswith("w2")]
    low, high = (pick(p.data for p in weights) for pick in (min, max))
    assert re.sub("&#45;", "-", shown).count(f"data {low:.4g} … {high:.4g}") == 1
    low, high = (pick(p.grad for p in weights) for pick in (min, max))
    assert re.sub("&#45;", "-", shown).count(f"grad {low:.4g} … {high:.4g}") == 1


def test_before_a_backward_pass_a_folded_box_shows_no_gradient():
    assert "grad –" in draw_dot(net()([1.0, 2.0])[0], fold="layer").source


def test_folded_edges_show_the_bounds_of_their_local_gradients():
    a, _ = net()([1.0, 2.0])
    weights = [w.data for w in a.parents[0].parents[:3]]
    source = draw_dot(a, fold="layer", local_gradients=True).source
    assert f"{min(weights):.4g} … {max(weights):.4g}" in source


def test_a_nan_among_the_numbers_of_a_box_is_shown():
    model = net()
    model.layers[0].neurons[1].w[0].data = math.nan
    source = draw_dot(model([1.0, 2.0])[0], fold="layer").source
    assert "data nan" in source


# Losses


@pytest.mark.parametrize("name", losses.table)
def test_each_loss_is_one_box_with_its_name_and_its_formula_in_its_graph(name):
    several = [1.0, 0.0] if name != "hinge" else [1.0, -1.0]
    for targets in [several, 1] if name == "cross_entropy" else [several]:
        outputs = net(nouts=(3, 2))([1.0, 2.0])
        loss = losses.table[name](outputs, targets)
        assert [node for node in topological_order(loss) if node.role and node.role.formula]
        *_, box = boxes = fold(loss, "loss", 100)
        assert names(boxes) == [box.name] == [loss.role.kind]
        assert box.name.replace(" ", "_").replace("-", "_") == name
        assert set(box.parents) == {b for b in boxes if b.node in outputs}
        assert loss.role.formula.split("\n")[0] in draw_dot(loss, fold="loss").source


def test_a_loss_is_found_by_roles_and_not_by_labels():
    a = net()([1.0, 2.0])
    loss = losses.mean_squared_error(a, [0.0, 1.0])
    mine = total([(t - x) ** 2 for x, t in zip(a, [0.0, 1.0], strict=True)]) / 2
    mine.label = "mean squared error"
    loss.label = "f"
    assert names(fold(loss, "loss", 100)) == ["mean squared error"]
    assert names(fold(mine, "loss", 100)) == []


def test_a_target_that_was_computed_is_not_a_part_of_the_loss():
    t = exp(Value(0.0))
    [*rest, box] = fold(losses.mean_squared_error(Value(2.0) * 3, t), "loss", 100)
    assert t not in box.nodes
    assert t in [b.node for b in rest]


def test_auto_folds_the_loss_and_unfold_opens_it():
    loss = losses.cross_entropy(net()([1.0, 2.0]), 1)
    loss.label = "E"
    assert f"cross-entropy = {loss.data:.4g}" in draw_dot(loss).source
    opened = draw_dot(loss, unfold="cross-entropy").source
    assert "log Σ eᵃ" in opened
    assert opened == draw_dot(loss, fold="none").source


def test_the_losses_of_a_batch_are_one_box_with_their_bounds():
    model = net()
    several = [losses.cross_entropy(model([0.1 * i, 1.0]), i % 2) for i in range(4)]
    mean = total(several) / 4
    assert "cross-entropy × 4 samples" in names(fold(mean, "batch", 100))
    low, high = min(x.data for x in several), max(x.data for x in several)
    assert f"data {low:.4g} … {high:.4g}" in draw_dot(mean, fold="batch").source


def test_under_no_grad_a_loss_has_no_graph_to_mark():
    with no_grad():
        assert losses.mean_squared_error(Value(1.0), 0.0).role is None


def test_a_plain_number_is_in_the_folded_box_that_uses_it():
    boxes = fold(batch_loss(net(nouts=(3, 1))), "batch", 100)
    assert not any(box.kind == "number" for box in boxes if box.folded)
    assert any(node.constant and not node.label for box in boxes if box.name == "+ × 5" for node in box.nodes)


# Roles, and not labels, decide


def relabel(nodes):
    """Give every node a label that means something else."""
    labels = ("z1_0", "a9_9", "w", "b1_0", "x", "x7", "loss", "1", "w1_0_0")
    for i, node in enumerate(nodes):
        if not node.constant or node.label:
            node.label = labels[i % len(labels)] + ("" if i % 4 else str(i))


@builds
@levels
@pytest.mark.parametrize("as_values", [False, True], ids=["numbers", "Values"])
def test_with_any_labels_the_boxes_are_the_same(level, atomic, as_values):
    root = batch_loss(net(atomic, (3, 1)), 4, as_values, regularised=True)

    def structure():
        return [(box.name if box.folded else "", box.nodes) for box in fold(root, level, 100)]

    before = structure()
    relabel(topological_order(root))
    assert structure() == before


@builds
def test_with_any_labels_a_picture_of_a_net_lists_the_same_boxes(atomic):
    root = batch_loss(net(atomic, (3, 1)))

    def folded():
        return [
            line for line in draw_dot(root, fold="layer").source.splitlines() if "<B>" in line and "×" in line
        ]

    before = folded()
    relabel([node for node in topological_order(root) if node.role])
    assert before
    assert folded() == before


def test_labels_without_roles_do_not_make_a_neuron():
    x, w, b = Value(1.0, label="x0"), Value(2.0, label="w1_0_0"), Value(0.0, label="b1_0")
    z = w * x + b
    z.label = "z1_0"
    a = exp(z)
    a.label = "a1_0"
    assert not any("neuron" in name for name in names(fold(a, "neuron", 100)))


def test_an_operation_on_the_inputs_is_not_a_part_of_the_neuron():
    x = Value(0.5)
    before = exp(x)
    [box] = [box for box in fold(Neuron(1)([before]), "neuron", 100) if box.folded]
    assert box.name == "neuron"
    assert before not in box.nodes


def test_the_nth_z_of_a_neuron_belongs_to_sample_n():
    root = batch_loss(net(nouts=(3, 1)), 3)
    order = topological_order(root)
    zs = [node for node in order if node.role and node.role.kind == "z"]
    numbers = samples(order)
    assert set(numbers) == set(zs)
    assert [numbers[z] for z in zs if z.role == Role("z", 1, 2)] == [1, 2, 3]


ROLES = [("w", "parameter"), ("b", "parameter"), ("x", "input"), ("z", "leaf")]


@pytest.mark.parametrize("label", ["", "x", "x1_2", "w", "xenon", "b1_0"])
def test_the_kind_of_a_node_does_not_depend_on_its_label(label):
    leaf, other = Value(1.0, label=label), Value(2.0, label=label)
    y = leaf * other + 3.0
    y.label = label
    assert [Kinds()(node) for node in (leaf, other, y, y.parents[1])] == [
        "leaf",
        "leaf",
        "computed",
        "number",
    ]
    kinds = Kinds(inputs=[leaf])
    assert [kinds(node) for node in (leaf, other, y)] == ["input", "parameter", "computed"]
    assert Kinds(inputs=[])(leaf) == "parameter"
    for role, kind in ROLES:
        leaf.role = Role(role)
        assert Kinds()(leaf) == kind


def test_a_labelled_plain_number_is_an_input():
    assert Kinds()(Constant(1.0, "anything")) == "input"
    [x] = [node for node in topological_order(Neuron(1)([2.0])) if node.constant]
    x.label = ""
    assert Kinds()(x) == "input"  # by its role


@pytest.mark.parametrize(
    ("inputs", "error", "message"),
    [
        (Value(1.0), TypeError, "inputs is a list of Values, not Value"),
        ([1.0], TypeError, "1.0 in it is float"),
        ([Value(1.0) * 2], ValueError, "an input is a leaf, and Value"),
    ],
)
def test_inputs_that_are_not_a_list_of_leaves_are_an_error(inputs, error, message):
    with pytest.raises(error, match=message):
        Kinds(inputs)
    with pytest.raises(error, match=message):
        draw_dot(Value(1.0), inputs=inputs)
