"""The playground's engine and its Δ by hand agree with Python, in Node and in a Chromium."""

import json
import random

import pytest
from support.browser import CHROMIUM, Browser
from support.javascript import Node, in_node
from support.playground import INITIALIZERS, arguments, build, random_case

from engine import Op, get_op, ops
from nn import MLP, SGD, data, deltas, fit
from nn.training import losses
from nn.training.targets import Classes

CORE = ("rows", "numbers", "random", "data", "engine", "textbook", "training")
NETS = 300


@pytest.fixture(scope="module")
def machine():
    with Node() as node:
        names = ", ".join(f"...module_{name}" for name in CORE if name != "engine")
        node.run(f"{build.script(CORE)}\nObject.assign(globalThis, {{ {names}, engine: module_engine }});")
        yield node


def close(got, expected, size=1.0):
    """Return whether numbers differ by at most 1e-12 of their size, or of that of the largest of the net."""
    return abs(got - expected) <= 1e-12 * max(abs(expected), size)


COMPUTE = """((net, x, t, loss) => {
  const { sums, outs } = forward(net, x), found = byAutograd(net, x, t, loss);
  const near = sums.map((layer, l) => layer.map((_, k) => nudgedOrNone(net, x, t, loss, l, k)));
  const by_hand = { deltas: deltas(net, x, t, loss), gradients: gradients(net, x, t, loss) };
  return { sums, outs, error: error(outs.at(-1), t, loss), ...by_hand, found, near };
  function nudgedOrNone(...place) { try { return nudged(...place); } catch { return null; } }
})"""


def check_nets(run):
    """Compare what JavaScript computes for random nets with the report of nn.deltas."""
    for seed in range(NETS):
        case = model, x, t, loss = random_case(seed)
        target = len(t) - 1 if loss == "cross_entropy" else t
        report = deltas(model, x, target, loss)
        got = run(f"{COMPUTE}({arguments(*case)})")
        signals = max([1.0, *(abs(n.z) for n in report.neurons), *(abs(n.a) for n in report.neurons)])
        size = max([1.0, *(abs(n.textbook) for n in report.neurons)]) * signals
        assert close(got["error"], report.error, signals), seed
        assert close(got["found"]["error"], report.error, signals), seed
        for row in report.neurons:
            l, k = row.layer - 1, row.index
            where = (seed, l, k)
            assert close(got["sums"][l][k], row.z, signals), where
            assert close(got["outs"][l][k], row.a, signals), where
            assert close(got["deltas"][l][k], row.textbook, size), where
            assert close(got["found"]["deltas"][l][k], row.autograd, size), where
            if row.kink is None and got["near"][l][k] is not None:
                assert abs(got["near"][l][k] - row.textbook) <= 1e-5 * size, where
        for row in report.weights:
            for found in got["gradients"], got["found"]["gradients"]:
                assert close(found[row.layer - 1]["W"][row.index][row.input], row.product, size)
        for row in report.biases:
            for found in got["gradients"], got["found"]["gradients"]:
                assert close(found[row.layer - 1]["b"][row.index], row.product, size)


@in_node
def test_every_delta_equals_that_of_python_in_node(machine):
    machine.run("globalThis.byAutograd = engine.byAutograd;")
    check_nets(lambda expression: machine.run(f"return {expression};"))


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_every_delta_equals_that_of_python_in_a_chromium(tmp_path):
    page = tmp_path / "index.html"
    page.write_text(build.page(), encoding="utf-8")
    with Browser() as browser:
        browser.open(page)
        browser.run("Object.assign(globalThis, module_textbook, { byAutograd: module_engine.byAutograd }); 0")
        check_nets(browser.run)
        assert browser.errors == []


@in_node
def test_every_row_of_the_table_is_there_with_its_derivatives(machine):
    symbols = [symbol for symbol, op in ops.table.items() if isinstance(op, Op)]
    assert machine.run("return Object.keys(rows);") == symbols
    for symbol in symbols:
        op = get_op(symbol)
        for point in op.at:
            y = op.value(*point)
            got = machine.run(
                f"const row = rows[{json.dumps(symbol)}], p = {json.dumps(point)}, y = row.value(...p);"
                "return [y, ...row.partials.map((partial) => partial(...p, y))];"
            )
            expected = [y, *(op.local_gradient(i, point, y) for i in range(len(point)))]
            assert got == pytest.approx(expected, rel=1e-14), (symbol, point)


@in_node
@pytest.mark.parametrize("seed", [0, 1, 1337, 2**32 - 1])
def test_random_numbers_are_those_of_python(machine, seed):
    got = machine.run(
        f"const random = new Random({seed}), order = [...Array(50).keys()]; random.shuffle(order);"
        "return [order, Array.from({ length: 700 }, () => random.random()), random.uniform(-2, 3),"
        " random.gauss(1, 2), random.gauss(1, 2), random.gauss(1, 2)];"
    )
    rng, order = random.Random(seed), list(range(50))
    rng.shuffle(order)
    assert got[:2] == [order, [rng.random() for _ in range(700)]]
    assert got[2:] == pytest.approx([rng.uniform(-2, 3), *(rng.gauss(1, 2) for _ in range(3))], rel=1e-14)


@in_node
@pytest.mark.parametrize("name", ["moons", "circles", "spirals", "xor"])
@pytest.mark.parametrize(("n", "noise"), [(4, 0.0), (101, 0.15)])
def test_data_sets_are_those_of_python(machine, name, n, noise):
    xs, ys = data.get_dataset(name)(n, noise, random.Random(3))
    got = machine.run(f"return scatter({name!r}, {n}, {noise}, 3);")
    assert [point["c"] for point in got] == ys
    for point, x in zip(got, xs, strict=True):
        assert point["x"] == pytest.approx(x, abs=1e-14)


@in_node
@pytest.mark.parametrize("initializer", INITIALIZERS)
def test_initial_weights_are_those_of_python(machine, initializer):
    model = MLP(2, [5, 3, 1], init=initializer, rng=random.Random(8))
    got = machine.run(f"return makeNet([2, 5, 3, 1], ['relu', 'relu', null], {initializer!r}, 8);")
    flat = [
        number for layer in got for W, b in zip(layer["W"], layer["b"], strict=True) for number in (*W, b)
    ]
    assert flat == pytest.approx([p.data for p in model.parameters()], rel=1e-14)


@in_node
@pytest.mark.parametrize("loss", losses.table)
@pytest.mark.parametrize(("size", "momentum"), [(0, 0.0), (0, 0.9), (7, 0.5)])
def test_training_is_that_of_fit(machine, loss, size, momentum):
    xs, ys = data.moons(20, 0.1, random.Random(1))
    classes = Classes(loss, 2)
    model = MLP(2, [4, classes.outputs], "tanh", init="xavier", rng=random.Random(2))
    optimizer = SGD(model.parameters(), lr=0.1, momentum=momentum)
    targets = [classes.target(y) for y in ys]
    for epoch in range(5):
        rng = random.Random(6 + epoch)
        fit(model, xs, targets, loss, optimizer, 1, batch_size=size or None, rng=rng, progress=False)
    got = machine.run(
        f"const net = makeNet([2, 4, {classes.outputs}], ['tanh', null], 'xavier', 2), velocity = zeros(net);"
        f"const as_sample = ({{ x, c }}) => ({{ x, t: target({loss!r}, {classes.outputs}, c) }});"
        "const samples = scatter('moons', 20, 0.1, 1).map(as_sample);"
        "for (let epoch = 0; epoch < 5; epoch++) {"
        f"  for (const batch of batches(samples, {size}, 6, epoch))"
        f"    step(net, velocity, batch, {loss!r}, 0.1, {momentum});"
        "} return [net.flatMap(({ W, b }) => W.flatMap((row, k) => [...row, b[k]])),"
        f" meanLoss(net, samples, {loss!r}), accuracy(net, samples, {loss!r})];"
    )
    assert got[0] == pytest.approx([p.data for p in model.parameters()], rel=1e-11, abs=1e-13)
    outputs = [model.predict(x) for x in xs]
    mean = sum(losses.get_loss(loss)(out, t) for out, t in zip(outputs, targets, strict=True)) / 20
    assert got[1] == pytest.approx(mean, rel=1e-11)
    assert got[2] == sum(classes.predicted(out) == y for out, y in zip(outputs, ys, strict=True)) / 20


@in_node
def test_the_boundary_is_the_margin_of_each_point_and_undefined_points_are_nan(machine):
    got = machine.run(
        "const net = makeNet([2, 3, 1], ['tanh', null], 'normal', 4);"
        "const box = { left: -1, right: 1, bottom: -2, top: 2 }, grid = boundary(net, 'hinge', box, 50);"
        "const at = [[-0.98, 1.96], [0.98, 1.96], [-0.98, -1.96]].map((x) => forward(net, x).outs[1][0]);"
        "net[0].activation = 'log';"
        "const holes = [...boundary(net, 'hinge', box, 50)].filter(Number.isNaN).length;"
        "return [at, [grid[0], grid[49], grid[2450]], grid.length, holes];"
    )
    assert got[1] == pytest.approx(got[0], rel=1e-12)
    assert got[2] == 2500
    assert 0 < got[3] <= 2500


@in_node
def test_a_step_by_hand_moves_against_the_gradient(machine):
    got = machine.run(
        "const net = [{ W: [[2]], b: [0], activation: null }];"
        "const moved = update(net, gradients(net, [1], [5], 'half_squared_error'), 0.5);"
        "return [moved[0].W, moved[0].b, net[0].W];"
    )
    assert got == [[[3.5]], [1.5], [[2]]]
