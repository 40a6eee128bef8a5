"""The player is a page, a picture for each step, and a machine that computes as Python does."""

import gc
import json
import os
import random
import re
import weakref
import xml.etree.ElementTree as ElementTree
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.backends import near
from support.graphs import graphs
from support.javascript import Node, in_node

from engine import Op, Value, exp, log, logsumexp, ops, play, relu, sqrt, tanh, topological_order, total
from engine.core.value import make_node
from engine.view.backward_pass import BackwardPass
from engine.view.play import LIMIT, Player, resource, script
from nn import MLP, Neuron
from nn.training.losses import half_squared_error

swish_twice = Op("swish_twice", "2 * a * sigmoid(a)", "2 * sigmoid(a) + y * (1 - sigmoid(a))")


@pytest.fixture(scope="module")
def machine():
    with Node() as process:
        yield process


def neuron_loss():
    neuron = Neuron(2, activation="tanh", rng=random.Random(1))
    loss = 0.5 * (1 - neuron([1.0, -2.0])) ** 2
    loss.label = "E"
    return loss


def net_loss():
    model = MLP(2, [3, 2], activation="tanh", output="tanh", rng=random.Random(1))
    loss = half_squared_error(model([1.0, -2.0]), [1, 0])
    loss.label = "E"
    return loss


def tags(html):
    """Return the name and the attributes of each element of a page."""
    found = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag, attrs):
            found.append((tag, dict(attrs)))

    Tags().feed(html)
    return found


HOSTILE = [
    "</script><script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "'\"`${document.title='owned'}\\",
    "<!--",
    "]]>",
    "$player $title",
    "\u2028",
    "\ud800",
    "Δ 漢字",
]


def test_no_label_and_no_title_ends_the_script(tmp_path):
    y = Value(1.0, label="x")
    for label in HOSTILE:
        y = y + Value(1.0, label=label)
        y.label = label + " sum"
    html = play(y, title=" ".join(HOSTILE)).save(tmp_path / "page.html").read_text(encoding="utf-8")
    assert html.count("<script") == html.count("</script") == 1
    assert [tag for tag, _ in tags(html)].count("img") == 1


# The page as a file


def test_the_page_needs_no_network(tmp_path):
    html = play(neuron_loss()).save(tmp_path / "page.html").read_text(encoding="utf-8")
    assert set(re.findall(r"https?://[\w./]+", html)) == {"http://www.w3.org/2000/svg"}
    assert "default-src 'none'" in html


def test_each_step_stores_only_what_changed():
    player = play(net_loss())
    assert {len(step) for step in player.story["backward"]} == {2, 4}


def chain(n):
    """Return the root of a graph of n nodes, of which every third is a leaf."""
    y = Value(0.5, label="x")
    for i in range((n - 1) // 3):
        y = tanh(y * Value(0.9, label=f"w{i}"))
    return y


def layers(nin, *nouts):
    """Return the root of a net, which has many edges for its number of nodes."""
    return MLP(nin, nouts, activation="tanh", rng=random.Random(0))([0.5 * i for i in range(nin)])


@pytest.mark.parametrize(
    ("root", "nodes", "limit"),
    [
        (chain(26), 25, 90_000),
        (layers(3, 3, 1), 26, 90_000),
        (chain(500), 499, 1_200_000),
        (layers(12, 24, 5, 1), 500, 1_200_000),
    ],
    ids=["a chain of 26", "a net of 26", "a chain of 500", "a net of 500"],
)
def test_the_page_is_small(tmp_path, root, nodes, limit):
    assert len(topological_order(root)) >= nodes
    assert play(root).save(tmp_path / "page.html").stat().st_size <= limit


def test_a_page_is_written_completely_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "page.html"
    path.write_text("mine")
    player = play(Value(1.0) * 2)

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        player.save(path)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["mine"]


@pytest.mark.skipif(os.name == "nt", reason="links need a right that users do not have")
def test_a_link_at_the_target_stays_a_link(tmp_path):
    target, link = tmp_path / "folder" / "page.html", tmp_path / "link.html"
    target.parent.mkdir()
    target.write_text("old")
    link.symlink_to(target)
    assert play(Value(1.0) * 2).save(link) == link
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_threads_that_save_one_page_do_not_mix_their_pages(tmp_path):
    players = [play(Value(float(i)) * 2, title=f"player {i}") for i in range(4)]
    pages = {player.save(tmp_path / "expected.html").read_bytes() for player in players}
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(player.save, tmp_path / "page.html") for player in players * 20]:
            done.result()
    assert (tmp_path / "page.html").read_bytes() in pages
    assert sorted(os.listdir(tmp_path)) == ["expected.html", "page.html"]


def test_a_player_leaves_no_value_alive(tmp_path):
    gc.disable()
    try:
        gc.collect()
        root = net_loss()
        nodes = [weakref.ref(node) for node in topological_order(root)]
        player = play(root)
        player.save(tmp_path / "page.html")
        player._repr_mimebundle_()
        del root
        assert [node() for node in nodes if node()] == []
        player = weakref.ref(player)
        assert player() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("label", ["z1_0", "w", "x0", ""])
def test_the_page_names_the_kind_of_each_leaf(label):
    x, w = Value(2.0, label=label), Value(3.0, label=label + "!")
    y = x * w
    assert [node["kind"] for node in play(y, inputs=[x]).story["nodes"]] == ["input", "parameter", "computed"]
    assert [node["kind"] for node in play(y).story["nodes"]] == ["leaf", "leaf", "computed"]


def test_playing_a_pass_does_not_compute_it_again(monkeypatch):
    run = BackwardPass(net_loss())
    monkeypatch.setattr("engine.view.backward_pass.topological_order", None)
    assert play(run).html() == play(run).html()


def test_saving_into_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        play(Value(1.0) * 2).save(tmp_path / "missing" / "page.html")


@pytest.mark.parametrize("text", HOSTILE)
def test_data_inside_a_script_can_be_read_back(text):
    inside = script({"text": text})
    assert not set("<>&\u2028\u2029") & set(inside)
    back = json.loads(inside)["text"]
    assert back == text.encode("utf-8", "replace").decode()


# In a notebook


def test_a_notebook_shows_a_picture_that_needs_no_script():
    root = neuron_loss()
    player = play(root, title="A & B")
    bundle = player._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", "image/svg+xml"}
    assert bundle["text/plain"] == "Player('A & B', 13 steps)"
    [image] = [attrs for tag, attrs in tags(bundle["text/html"]) if tag == "img"]
    assert image["alt"] == "A & B"
    kind, _, picture = image["src"].partition(",")
    assert kind == "data:image/svg+xml;charset=utf-8"
    root.backward()
    for svg in (unquote(picture), bundle["image/svg+xml"]):
        texts = [text.text for text in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
        assert all(f"grad {node.grad:.4g}" in texts for node in topological_order(root) if not node.constant)


def test_a_player_returns_the_requested_formats():
    player = play(Value(2.0) * 3)
    assert set(player._repr_mimebundle_(include=["text/plain"])) == {"text/plain"}
    assert set(player._repr_mimebundle_(exclude=["text/html"])) == {"text/plain", "image/svg+xml"}


def test_the_same_graph_gives_the_same_page():
    assert play(net_loss()).html() == play(net_loss()).html()


# The graph


def test_playing_does_not_change_the_gradients():
    root = neuron_loss()
    root.backward()
    before = [node.grad for node in topological_order(root)]
    player = play(root)
    assert [node.grad for node in topological_order(root)] == before
    root.backward()
    texts = [
        text.text for text in ElementTree.fromstring(player.svg).iter("{http://www.w3.org/2000/svg}text")
    ]
    for node in topological_order(root):  # from zero, though the leaves had gradients
        assert node.constant or f"grad {node.grad / (2 - bool(node.parents)):.4g}" in texts


def test_the_middle_of_a_graph_can_be_played():
    root = net_loss()
    z = next(node for node in topological_order(root) if node.label == "z2_1")
    assert isinstance(play(z), Player)


def test_the_neurons_of_a_layer_stand_in_their_order():
    model = MLP(2, [4, 3], activation="tanh", rng=random.Random(1))
    samples = [model([1.0, -2.0]), model([0.5, 3.0])]
    svg = play(total([a for sample in samples for a in sample])).svg
    place = re.findall(r'translate\(([\d.]+),([\d.]+)\)"><rect class="box"[^>]*><text [^>]*>(z[^<]*)<', svg)
    columns = {}
    for x, y, name in place:
        layer, neuron, sample = re.fullmatch(r"z(\d)_(\d)(.*)", name).groups()
        columns.setdefault((layer, float(x)), []).append((float(y), "¹²".index(sample[1]), int(neuron)))
    assert sorted(map(len, columns.values())) == [6, 8]
    for column in columns.values():
        order = [entry[1:] for entry in sorted(column)]
        assert order == sorted(order)


def test_a_leaf_can_be_played():
    assert repr(play(Value(1.0))) == "Player(1 step)"


def test_the_error_for_too_many_steps_says_how_to_play_a_part():
    root = total([relu(Value(1.0)) for _ in range(LIMIT)])
    with pytest.raises(ValueError, match=r"has 6,002 steps.* at most 2,000.*smaller part.*one sample"):
        play(root)


@pytest.mark.parametrize("wrong", [{"root": 1.0}, {"root": Value(1.0), "title": 3}])
def test_a_root_that_is_not_a_value_or_a_title_that_is_not_a_str_is_an_error(wrong):
    with pytest.raises(TypeError, match="not (float|int)"):
        play(**wrong)


def test_the_picture_has_a_box_for_each_value_and_an_edge_for_each_use():
    root = neuron_loss()
    order = topological_order(root)
    svg = play(root).svg
    assert svg.count('class="node ') == len(order)
    assert svg.count('class="edge"') == sum(len(node.parents) for node in order)


# Frames


def shown(path):
    """Return the texts of a picture."""
    return [text.text for text in ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}text")]


def test_frames_are_one_picture_for_each_step(tmp_path):
    x = Value(3.0, label="x")
    y = x * x
    y.label = "y"
    paths = play(y).frames(tmp_path / "slides")
    assert [path.name for path in paths] == [f"step_{i:04}.svg" for i in range(5)]
    assert sorted(paths) == sorted((tmp_path / "slides").iterdir())
    before, forward, start, half, whole = map(shown, paths)
    assert before[1:] == ["x", "data 3", "grad –", "y", "data –", "grad –", "×"]
    assert forward[1:] == ["x", "data 3", "grad –", "y", "data 9", "grad –", "×"]
    assert start[1:] == ["x", "data 3", "grad –", "y", "data 9", "grad 1", "×"]
    assert half[1:] == ["x", "data 3", "grad 3", "y", "data 9", "grad 1", "×", "1 × 3", "= 3"]
    assert whole[0] == "Backward, step 2 of 2: upstream × local = contribution"
    assert whole[3] == "grad 6"
    sizes = {ElementTree.parse(path).getroot().attrib["viewBox"] for path in paths}
    assert len(sizes) == 1


def test_frames_are_written_completely_or_not_at_all(tmp_path, monkeypatch):
    player = play(neuron_loss())
    write, written = Path.write_text, []

    def fail(path, *args, **options):
        written.append(path)
        if len(written) > 3:
            raise OSError("disk full")
        return write(path, *args, **options)

    monkeypatch.setattr(Path, "write_text", fail)
    with pytest.raises(OSError, match="disk full"):
        player.frames(tmp_path / "slides")
    assert len(written) == 4
    assert list(tmp_path.iterdir()) == []


def test_frames_go_into_an_empty_folder_and_never_into_a_full_one(tmp_path):
    player = play(Value(1.0) * 2)
    empty, full = tmp_path / "empty", tmp_path / "full"
    empty.mkdir()
    full.mkdir()
    (full / "mine.txt").write_text("mine")
    assert len(player.frames(str(empty))) == len(list(empty.iterdir())) == 4
    for folder in (full, full / "mine.txt"):
        with pytest.raises(FileExistsError, match="a new or an empty folder, not to"):
            player.frames(folder)
    assert [path.name for path in full.iterdir()] == ["mine.txt"]
    with pytest.raises(FileNotFoundError):
        player.frames(tmp_path / "missing" / "slides")


# The page computes as Python does


def recomputed(machine, player, leaves):
    """Return what the page computes with other numbers for its leaves: data and gradients."""
    body = f"""
    const story = {script(player.story)};
    const machine = ({resource("compute.js")})(story, {player._code});
    const {{ data, local }} = machine.forward({json.dumps(leaves)});
    const gradients = data.map(() => 0);
    gradients[gradients.length - 1] = 1;
    for (const step of machine.backward(local)) gradients[step.parent] = step.total;
    return {{ data, gradients }};"""
    return machine.run(body)


@in_node
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(graphs(), st.randoms(use_true_random=False))
def test_a_page_computes_random_graphs_as_python_does(machine, graph, rng):
    root = graph.build()[-1]
    order = topological_order(root)
    player = play(root)
    leaves = [x.data if x.parents or x.constant else x.data + rng.choice([0, 0, 1e-4]) for x in order]
    made, wrong = {}, ""
    try:
        for one, x in zip(order, leaves, strict=True):
            parents = tuple(made[parent] for parent in one.parents)
            made[one] = (
                make_node(one.op, parents) if parents else one if one.constant else Value(x, one.label)
            )
        made[root].backward()
    except (ArithmeticError, ValueError) as error:
        wrong = str(error)
    if wrong:
        assert recomputed(machine, player, leaves) == {"error": wrong}
        return
    found = recomputed(machine, player, leaves)
    last = [made[one] for one in order]
    assert found["data"] == near([one.data for one in last], rel=1e-10)
    gradients = [0.0 if one.constant else one.grad for one in last]
    assert [0.0 if one.constant else x for one, x in zip(last, found["gradients"], strict=True)] == near(
        gradients, rel=1e-8
    )


@in_node
@pytest.mark.parametrize(
    ("function", "bad"),
    [(log, -1.0), (log, 0.0), (sqrt, -2.0), (sqrt, 0.0), (exp, 1000.0), (lambda x: 1 / x, 0.0),
     (lambda x: x**0.5, -3.0), (lambda x: x**-1, 0.0), (lambda x: x**400, 1e10), (lambda x: x**x, -2.0),
     (lambda x: tanh(log(x)), -1e-20), (ops.acos, 1.0), (ops.cosh, 1e5)],
)  # fmt: skip
def test_where_python_raises_the_page_has_the_same_words(function, bad, machine):
    player = play(function(Value(0.5, label="x")))
    with pytest.raises((ArithmeticError, ValueError)) as error:
        function(Value(bad, label="x"))
    leaves = [bad if one["name"] == "x" else one["data"] for one in player.story["nodes"]]
    assert recomputed(machine, player, leaves) == {"error": str(error.value)}


@in_node
def test_sums_of_many_and_own_rows_are_computed_on_the_page(machine):
    def build(numbers):
        xs = [Value(x, label=f"x{i}") for i, x in enumerate(numbers)]
        model = MLP(12, [9, 2], activation="gelu", rng=random.Random(3))
        return logsumexp([*model(xs), total(xs), swish_twice(xs[0])])

    rng = random.Random(0)
    one, other = ([rng.uniform(-1, 1) for _ in range(12)] for _ in range(2))
    root, expected = build(one), build(other)
    order = topological_order(root)
    leaves = [other[int(v.label[1:])] if v.label[:1] == "x" else v.data for v in order]
    found = recomputed(machine, play(root), leaves)
    expected.backward()
    last = topological_order(expected)
    assert found["data"] == near([v.data for v in last])
    assert found["gradients"] == near([v.grad for v in last])


# Terms of the textbook


@pytest.mark.parametrize("atomic", [False, True])
def test_the_terms_of_a_neuron_are_found_by_its_roles(atomic):
    model = MLP(2, [2, 1], activation="tanh", output="tanh", rng=random.Random(1), atomic=atomic)
    error = half_squared_error(model([1.0, -2.0]), 0.5)
    for node in topological_order(error):
        node.label = "any"
    story = play(error).story
    terms = Counter(step[2] for step in story["backward"] if len(step) == 4)
    assert terms == {"output": 1, "hidden": 2, "weight": 6, "bias": 3, "signal": 2}
    assert all(story["nodes"][step[3]].get("z") for step in story["backward"] if len(step) == 4)


def test_outside_of_a_neuron_there_are_no_terms():
    x = Value(2.0, label="z1_0")
    assert {len(step) for step in play(x * x + x).story["backward"]} == {2}
