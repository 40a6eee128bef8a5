"""The player shows each step on a page, works in a browser, and changes no gradient."""

import gc
import json
import os
import random
import re
import shutil
import subprocess
import weakref
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest

from engine import Value, play, relu, tanh, topological_order, total
from engine.view.backward_pass import BackwardPass
from engine.view.draw import draw_dot
from engine.view.play import LIMIT, Player, script
from nn import MLP, Neuron
from nn.training.losses import half_squared_error

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None
)
in_a_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
    "--virtual-time-budget=3000", "--dump-dom",
]  # fmt: skip

# Helpers for tests that run in the page
HELPERS = """
const player = document.querySelector(".chalkgrad");
const node = (name) => player.querySelector(`[id="${name}"]`);
const key = (k, on = player) => on.dispatchEvent(new KeyboardEvent("keydown", { key: k, bubbles: true }));
const click = (on) => on.dispatchEvent(new MouseEvent("click", { bubbles: true }));
const seen = {};
const step = () => parseInt(player.querySelector("output").textContent);
const about = () => player.querySelector(".about").textContent;
const sentence = () => player.querySelector(".sentence").textContent;
const grad = (name) => node(name).dataset.grad;
const lit = (kind) => [...player.querySelectorAll(`.edge.${kind}`)].map((edge) => edge.id);
"""


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


class Page(HTMLParser):
    """A parser of a page that collects the attributes of each element with an id, and all visible texts."""

    def __init__(self, html):
        super().__init__()
        self.ids, self.tags, self.texts, self._inside = {}, [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if "id" in dict(attrs):
            self.ids[dict(attrs)["id"]] = dict(attrs)
        if tag in ("script", "style", "title"):
            self._inside.append(tag)

    def handle_endtag(self, tag):
        if self._inside and tag == self._inside[-1]:
            self._inside.pop()

    def handle_data(self, data):
        if not self._inside and data.strip():
            self.texts.append(data)

    def gradient(self, name):
        return self.ids[name]["data-grad"]


def live(path, at=""):
    """Return the page at ``path`` after its script has run."""
    command = [BROWSER, *FLAGS, f"--user-data-dir={path.parent / 'profile'}", path.as_uri() + at]
    done = subprocess.run(command, capture_output=True, timeout=120, check=True)
    return Page(done.stdout.decode())


def acted(path, act):
    """Run the script ``act`` in the page at ``path``, and return the object ``seen`` that it fills."""
    script = f"{HELPERS}{act}; document.body.dataset.seen = JSON.stringify(seen)"
    html = path.read_text(encoding="utf-8").replace("</body>", f"<script>{script}</script></body>")
    path.write_text(html, encoding="utf-8")
    [seen] = [attrs["data-seen"] for _, attrs in live(path).tags if "data-seen" in attrs]
    return json.loads(seen)


# In a browser


@in_a_browser
@pytest.mark.parametrize("loss", [neuron_loss, net_loss])
def test_at_the_last_step_the_gradients_are_those_of_backward(tmp_path, loss):
    root = loss()
    player = play(root)
    page = live(player.save(tmp_path / "page.html"), "#end")
    root.backward()
    nodes = topological_order(root)
    for node, shown in zip(nodes, player.story["nodes"], strict=True):
        if not node.constant:
            assert float(page.gradient(shown["id"])) == node.grad
    assert f"{len(BackwardPass(root).steps) + 1 + sum(bool(n.parents) for n in nodes)} / " in "".join(
        page.texts
    )


@in_a_browser
def test_each_step_shows_what_has_been_computed_so_far(tmp_path):
    x = Value(3.0, label="x")
    look = """
    seen.steps = [];
    for (let i = 0; i < 5; i++) {
      const data = [...node("n1").querySelectorAll("text")].map((text) => text.textContent);
      const edges = { now: lit("now"), done: lit("done") };
      seen.steps.push({ data, x: grad("n0"), y: grad("n1"), sentence: sentence(), ...edges });
      key("ArrowRight");
    }"""
    before, forward, turn, half, whole = acted(play(x * x).save(tmp_path / "page.html"), look)["steps"]
    assert before["data"] == ["v1", "data –", "grad –"]
    assert forward["data"] == ["v1", "data 9", "grad –"]
    assert "v1 = x · x = 9 (x = 3)" in forward["sentence"]
    assert (turn["x"], turn["y"]) == ("", "1.0")
    assert (half["x"], whole["x"]) == ("3.0", "6.0")
    assert "Upstream × local = contribution: 1 · 3 = 3." in half["sentence"]
    assert "The gradient of x becomes 0 + 3 = 3." in half["sentence"]
    assert "n1edge0" in half["now"]
    assert "n1edge1" in whole["now"]
    assert (half["done"], whole["done"]) == (["n1edge0", "n1edge"], ["n1edge0", "n1edge1", "n1edge"])


@in_a_browser
def test_the_keys_the_slider_and_the_mouse_work(tmp_path):
    x = Value(3.0, label="x")
    act = """
    key("ArrowRight"); key("ArrowRight"); key("ArrowLeft"); seen.arrows = step();
    key("End"); key("ArrowRight"); seen.end = step();
    key("Home"); key("ArrowLeft"); seen.home = step();
    const slider = player.querySelector("input");
    slider.value = 3; slider.dispatchEvent(new Event("input")); seen.slider = step();
    key("End"); key(" "); seen.again = [step(), player.querySelectorAll("button")[2].textContent]; key(" ");
    seen.paused = player.querySelectorAll("button")[2].textContent;
    node("n1").focus(); seen.focus = about();
    click(node("n0")); seen.all = about(); seen.lit = lit("path");
    key("Enter", node("n0")); seen.one = about(); seen.litOne = lit("path");
    key("Escape"); seen.none = about();"""
    seen = acted(play(x * x + x).save(tmp_path / "page.html"), act)
    assert (seen["arrows"], seen["end"], seen["home"], seen["slider"]) == (1, 7, 0, 3)
    assert (seen["again"], seen["paused"]) == ([0, "pause"], "play")
    assert seen["focus"] == "v1 = x · x = 9 (x = 3)"
    assert seen["all"].startswith("3 paths lead from x to v2; the gradient is the sum over them.")
    assert {"n1edge0", "n1edge1", "n2edge0", "n2edge1"} <= set(seen["lit"])
    assert seen["one"] == "x → v1 → v2, with the local gradients 3 × 1"
    assert "n2edge1" not in seen["litOne"]
    assert seen["none"] == ""


@in_a_browser
def test_every_control_has_a_name_for_screen_readers(tmp_path):
    page = live(play(neuron_loss(), title="One neuron").save(tmp_path / "page.html"), "#end")
    attributes = [attrs for _, attrs in page.tags]
    assert any(attrs.get("aria-live") == "polite" for attrs in attributes)
    for tag, attrs in page.tags:
        if tag in ("button", "input") or attrs.get("tabindex") == "0":
            assert attrs.get("aria-label")
    assert "w0, data -0.7313, grad -0.1102" in [attrs.get("aria-label") for attrs in attributes]
    assert any(
        attrs.get("aria-label") == "One neuron" and attrs.get("role") == "region" for attrs in attributes
    )


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


@in_a_browser
def test_no_label_and_no_title_becomes_markup_or_script(tmp_path):
    x = y = Value(1.0, label="x")
    for label in HOSTILE:
        y = y + Value(1.0, label=label)
        y.label = label + " sum"
    page = live(play(y, title=" ".join(HOSTILE)).save(tmp_path / "page.html"), "#end")
    assert x
    assert not any(tag == "img" for tag, _ in page.tags)
    assert sum(tag == "script" for tag, _ in page.tags) == 1
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert html.count("<script") == html.count("</script") == 1
    texts = "".join(page.texts)
    for label in HOSTILE[:6]:
        assert label in texts


@in_a_browser
def test_two_players_work_on_one_page(tmp_path):
    one, other = play(neuron_loss()), play(net_loss())
    path = tmp_path / "notebook.html"
    path.write_text(f"<body><p>text</p>{one.html()}{other.html()}{one.html()}</body>", encoding="utf-8")
    page = live(path)
    assert sum(tag == "input" for tag, _ in page.tags) == 3
    assert page.texts[0] == "text"


# The page as a file


def test_the_page_needs_no_network(tmp_path):
    html = play(neuron_loss()).save(tmp_path / "page.html").read_text(encoding="utf-8")
    assert set(re.findall(r"https?://[\w./]+", html)) == {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert "default-src 'none'" in html


def test_each_step_stores_only_what_changed():
    player = play(net_loss())
    assert {len(step) for step in player.story["forward"]} == {1}
    assert {len(step) for step in player.story["backward"]} == {6}


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
        (chain(26), 25, 60_000),
        (layers(3, 3, 1), 26, 60_000),
        (chain(500), 499, 1_000_000),
        (layers(12, 24, 5, 1), 500, 1_000_000),
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
    about = [node["about"] for node in play(y, inputs=[x]).story["nodes"]]
    assert about[0].endswith(" = 2, an input")
    assert about[1].endswith(" = 3, a parameter")
    assert play(y).story["nodes"][0]["about"].endswith(" = 2, a leaf")


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
    [image] = [attrs for tag, attrs in Page(bundle["text/html"]).tags if tag == "img"]
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
    last = {parent: exact for _, parent, _, _, exact, _ in player.story["backward"]}
    for i, node in enumerate(topological_order(root)[:-1]):
        if not node.constant:
            assert float(last[i]) == node.grad  # from zero, though the leaves had gradients


def test_the_middle_of_a_graph_can_be_played():
    root = net_loss()
    z = next(node for node in topological_order(root) if node.label == "z2_1")
    assert isinstance(play(z), Player)


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


def test_the_picture_has_the_nodes_and_edges_of_draw_dot():
    root = neuron_loss()
    drawn = draw_dot(root).pipe("svg", encoding="utf-8")
    assert play(root).svg.count('class="node"') == drawn.count('class="node"')
    assert play(root).svg.count('class="edge"') == drawn.count('class="edge"')
