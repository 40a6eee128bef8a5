"""draw_dot shows every number and every edge, treats any label as text, and works with any dot."""

import gc
import importlib.metadata
import math
import os
import random
import re
import subprocess
import sys
import weakref
import xml.etree.ElementTree as ElementTree
from collections import Counter
from functools import reduce
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

import engine
from engine import Op, Role, Value, exp, play, tanh, topological_order, total, weighted_sum
from engine.core.value import Constant
from engine.view import graphviz as dot
from engine.view.backward_pass import BackwardPass
from engine.view.draw import COLOURS, VERMILION, draw_dot, largest
from nn import MLP, losses

HOSTILE = [
    "<script>alert(1)</script>",
    "a | b", "{x}", 'say "no"', "it's", r"\n \l \N\G \\N", "back\\", "<b>", "&lt; &amp;",
    "Δ_k ∂é", "漢字", "𝔘", "--> n0 -> n1;", "]; n9 [label=x", "%s {} {0}", "a<BR/>b", " two  spaces ", "n0:e",
]  # fmt: skip


def svg(picture):
    return ElementTree.fromstring(picture.pipe("svg", encoding="utf-8"))


def parts(picture, kind):
    """Return the texts in each node or edge of the SVG, by its id."""
    found = {}
    for group in svg(picture).iter("{http://www.w3.org/2000/svg}g"):
        if group.get("class") == kind:
            texts = group.iter("{http://www.w3.org/2000/svg}text")
            found[group.get("id")] = [(text.text or "").replace("\xa0", " ") for text in texts]
    return found


def boxes(picture):
    return list(parts(picture, "node").values())


def edges(picture):
    return re.findall(r"(\w+) -> (\w+)", picture.source)


@pytest.fixture
def xy():
    return Value(3.0, label="x"), Value(-2.0, label="w")


# Nodes and edges


def test_a_box_shows_label_data_and_grad_to_four_digits(xy):
    x, w = xy
    y = x * w / 7
    y.backward()
    assert ["x", "data 3", "grad -0.2857"] in boxes(draw_dot(y))


def test_before_a_backward_pass_a_gradient_is_a_dash(xy):
    x, w = xy
    picture = draw_dot(x * w)
    assert ["x", "data 3", "grad –"] in boxes(picture)
    assert "grad 0" not in picture.source


def test_after_a_backward_pass_a_gradient_of_zero_is_shown(xy):
    x, w = xy
    y = x * w * 0
    y.backward()
    assert ["x", "data 3", "grad 0"] in boxes(draw_dot(y))


def test_a_gradient_that_an_earlier_pass_left_on_a_leaf_is_shown(xy):
    x, w = xy
    (x * w).backward()
    assert ["w", "data -2", "grad 3"] in boxes(draw_dot(x * w))


def test_an_op_is_a_circle_between_its_operands_and_its_result(xy):
    x, w = xy
    picture = draw_dot(tanh(x * w))
    assert ["tanh"] in boxes(picture)
    assert ["×"] in boxes(picture)
    assert edges(picture) == [("n0", "n2op"), ("n1", "n2op"), ("n2op", "n2"), ("n2", "n3op"), ("n3op", "n3")]


def test_a_picture_shows_the_same_signs_of_mathematics_as_the_player(xy):
    x, w = xy
    root = -((x - w) ** 2 / w)
    shown = [text for [text, *rest] in boxes(draw_dot(root)) if not rest]
    assert {"−", "xⁿ", "÷"} <= set(shown)
    assert not {"-", "**", "/", "neg"} & set(shown)
    assert all(f">{sign}<" in play(root).svg for sign in ("−", "xⁿ", "÷"))


def test_a_value_that_is_used_twice_has_two_edges(xy):
    x, _ = xy
    assert Counter(edges(draw_dot(x * x)))["n0", "n1op"] == 2


def test_operands_are_drawn_in_order(xy):
    x, w = xy
    for y in (x - w, w - x, exp(x) / w, w / exp(x)):
        picture = draw_dot(y)
        first, second = [source for source, target in edges(picture) if target == edges(picture)[-1][0]]
        where = {
            group.get("id"): float(next(group.iter("{http://www.w3.org/2000/svg}text")).get("y"))
            for group in svg(picture).iter("{http://www.w3.org/2000/svg}g")
            if group.get("class") == "node"
        }
        assert where[first] < where[second]


def test_a_plain_number_is_drawn_as_a_bare_number(xy):
    assert ["2"] in boxes(draw_dot(xy[0] ** 2))


def test_edges_show_the_local_gradient_on_request(xy):
    x, w = xy
    y = x * w + 1
    assert not any(texts for texts in parts(draw_dot(y), "edge").values())
    shown = parts(draw_dot(y, local_gradients=True), "edge")
    assert {name: [t.strip() for t in texts] for name, texts in shown.items() if texts} == {
        "n2edge0": ["-2"], "n2edge1": ["3"], "n4edge0": ["1"],
    }  # fmt: skip


def test_parameters_inputs_and_the_root_have_different_colours(xy):
    x, w = xy

    def colours(**options):
        source = draw_dot(x * w + Constant(1.0, "x1"), **options).source.splitlines()
        assert sum(COLOURS["root"][1] in line for line in source) == 1
        found = {}
        for name in ("x", "w", "x1"):
            [line] = [line for line in source if "<TD" in line and f">{name}<" in line]
            found[name] = next(look for look, (_, ground) in COLOURS.items() if f'BGCOLOR="{ground}"' in line)
        return found

    assert colours() == {"x": "leaf", "w": "leaf", "x1": "input"}
    assert colours(inputs=[x]) == {"x": "input", "w": "parameter", "x1": "input"}
    x.role, w.role = Role("x"), Role("w")
    assert colours() == {"x": "input", "w": "parameter", "x1": "input"}


def test_every_kind_has_different_colours():
    assert len({border for border, _ in COLOURS.values()}) == len(COLOURS)
    assert len({ground for _, ground in COLOURS.values()}) == len(COLOURS)


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_everything_is_legible_on_white_and_on_black_pages(xy):
    source = draw_dot(xy[0] ** 2, local_gradients=True).source
    assert "bgcolor=transparent" in source
    for ground in ("#FFFFFF", "#111111"):
        assert contrast("#767676", ground) > 4  # numbers, edges and their labels
        assert contrast(VERMILION, ground) > 3
    assert all(contrast("#000000", inside) > 12 for _, inside in COLOURS.values())


def test_the_largest_path_goes_from_the_root_to_a_leaf(xy):
    x, w = xy
    y = 5 * x + w * x
    path = largest(BackwardPass(y))
    assert list(path.values()) == [0, 1, -1]
    assert list(path)[-1] is x
    marked = [line for line in draw_dot(y, largest_path=True).source.splitlines() if VERMILION in line]
    assert len([line for line in marked if "->" in line]) == 4


def test_the_marked_path_takes_one_of_two_equal_edges(xy):
    marked = [
        line for line in draw_dot(xy[0] * xy[0], largest_path=True).source.splitlines() if VERMILION in line
    ]
    assert len([line for line in marked if "n0 -> n1op" in line]) == 1


def test_drawing_changes_no_gradient(xy):
    x, w = xy
    y = x * w
    y.backward()
    draw_dot(y, local_gradients=True, largest_path=True)
    assert (x.grad, w.grad, y.grad) == (-2.0, 3.0, 1.0)


def test_the_picture_of_a_leaf_is_one_box():
    assert boxes(draw_dot(Value(1.0))) == [["data 1", "grad –"]]


def test_numbers_that_are_not_finite_are_drawn():
    assert ["data nan", "grad –"] in boxes(draw_dot(Value(float("nan")) + Value(float("-inf"))))


def test_the_same_graph_gives_the_same_picture():
    def picture():
        x = Value(2.0, label="x")
        return draw_dot(x * x + 1).source

    assert picture() == picture()


def test_micrograds_drawing_code_draws_these_values(xy):
    from graphviz import Digraph

    x, w = xy
    root = x * w + x
    nodes, links, todo = set(), set(), [root]
    while todo:
        v = todo.pop()
        nodes.add(v)
        links |= {(child, v) for child in v._prev}
        todo += v._prev
    plain = Digraph(format="svg", graph_attr={"rankdir": "LR"})
    for n in nodes:
        plain.node(name=str(id(n)), label="{ data %.4f | grad %.4f }" % (n.data, n.grad), shape="record")  # noqa: UP031
        if n._op:
            plain.node(name=str(id(n)) + n._op, label=n._op)
            plain.edge(str(id(n)) + n._op, str(id(n)))
    for n1, n2 in links:
        plain.edge(str(id(n1)), str(id(n2)) + n2._op)
    assert svg(plain) is not None


# Labels


@pytest.mark.parametrize("label", HOSTILE)
def test_a_label_is_shown_as_it_is(label):
    [[*shown, data, grad]] = boxes(draw_dot(Value(1.0, label=label)))
    assert ("".join(shown), data, grad) == (label, "data 1", "grad –")


def test_a_line_break_in_a_label_is_a_line_break():
    assert boxes(draw_dot(Value(1.0, label="one\ntwo\r\nthree"))) == [
        ["one", "two", "three", "data 1", "grad –"]
    ]


@given(st.text())
def test_no_label_is_markup_except_for_line_breaks(label):
    inner = ElementTree.fromstring(f"<a>{dot.text(label)}</a>")
    assert {element.tag for element in inner} <= {"BR", "FONT"}


@pytest.mark.parametrize("label", ["\0", "\x1b[31m", "\ud800", "\ufffe", "\x85", "\t"])
def test_a_character_that_xml_cannot_hold_is_replaced(label):
    [[shown, *_]] = boxes(draw_dot(Value(1.0, label=label + "!")))
    assert shown.endswith("!")


@pytest.mark.parametrize("symbol", ["<", "a&b", 'q"q', "back\\slash", "|", "{}", "&lt;", "<b>"])
def test_the_symbol_of_an_op_is_text_too(symbol):
    from engine.core.op import table

    op = Op(symbol, "a + 1", "1")
    try:
        assert [symbol] in boxes(draw_dot(op(Value(1.0))))
    finally:
        del table[symbol]


# The program dot


def test_a_dot_on_the_path_is_used_first(tmp_path, monkeypatch):
    mine = tmp_path / ("dot.exe" if os.name == "nt" else "dot")
    mine.write_text("#!/bin/sh\n")
    mine.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Path(dot.find_dot()) == mine


def test_without_a_dot_on_the_path_graphviz_pure_is_used(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Path(dot.find_dot()).stem == "graphviz-pure"
    assert ["data 1", "grad –"] in boxes(draw_dot(Value(1.0)))


def test_without_any_dot_the_error_names_both_remedies(tmp_path, monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(importlib.metadata, "files", missing)
    picture = draw_dot(Value(1.0))
    assert "data 1" in picture.source  # the source needs no dot
    with pytest.raises(RuntimeError, match=r"(?s)pip install 'chalkgrad\[draw\]'.*apt install graphviz"):
        picture.pipe("svg")


def test_without_the_package_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "graphviz", None)
    with pytest.raises(ImportError, match=r"pip install 'chalkgrad\[draw\]'"):
        draw_dot(Value(1.0))


def test_a_dot_that_the_user_has_chosen_is_kept(monkeypatch):
    from graphviz.backend import dot_command

    monkeypatch.setattr(dot_command, "DOT_BINARY", Path("/my/dot"))
    draw_dot(Value(1.0))
    assert dot_command.DOT_BINARY == Path("/my/dot")  # noqa: SIM300


def test_the_picture_shows_itself_and_prints_nothing_on_stderr(capfd):
    bundle = draw_dot(Value(1.0, label="Δ"))._repr_mimebundle_()
    assert "<svg" in bundle["image/svg+xml"]
    assert capfd.readouterr().err == ""


def test_a_picture_renders_as_svg_with_the_dot_of_graphviz_pure(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    picture = draw_dot(Value(1.0) * 2, format="svg", rankdir="LR")
    assert draw_dot(Value(1.0) * 2).pipe().startswith(b"<?xml")
    assert picture.render("g") == "g.svg"
    assert ElementTree.parse(tmp_path / "g.svg").getroot().tag.endswith("svg")


def test_view_opens_a_viewer(tmp_path, monkeypatch):
    opened = []
    for name in ("unixoid", "darwin", "windows"):
        monkeypatch.setattr(f"graphviz.backend.viewing.view_{name}", lambda path, **_: opened.append(path))
    picture = draw_dot(Value(1.0) * 2)
    for platform in ("linux", "freebsd", "darwin", "windows"):
        key = f"_view_{platform}"
        if hasattr(picture, key):
            monkeypatch.setattr(type(picture), key, staticmethod(lambda path, **_: opened.append(path)))
    written = picture.view(str(tmp_path / "g"))
    assert opened == [written] == [str(tmp_path / "g.svg")]


def test_a_known_format_is_kept_and_an_unknown_one_is_an_error():
    assert draw_dot(Value(1.0), format="pdf").format == "pdf"
    with pytest.raises(ValueError, match="unknown format: 'pfd'"):
        draw_dot(Value(1.0), format="pfd")


def test_a_picture_leaves_no_value_alive():
    gc.disable()
    try:
        gc.collect()
        x = Value(2.0, label="x")
        y = MLP(2, [2, 1])([x, 1.0])
        nodes = [weakref.ref(node) for node in topological_order(y)]
        picture = draw_dot(y, local_gradients=True, largest_path=True, inputs=[x])
        picture.pipe()
        picture._repr_mimebundle_()
        draw_dot(y, fold="layer", unfold="layer 1")
        picture = weakref.ref(picture)
        del x, y
        assert [node() for node in nodes if node()] == []
        assert picture() is None
    finally:
        gc.enable()


def test_a_pass_is_drawn_with_its_own_gradients(xy):
    x, w = xy
    y = x * w
    assert ["x", "data 3", "grad -2"] in boxes(draw_dot(BackwardPass(y)))
    assert ["x", "data 3", "grad –"] in boxes(draw_dot(y))


# The page


def width(picture):
    return float(svg(picture).get("width").removesuffix("pt")) / 0.75


def text_height(picture):
    """Return the height of the smallest text of the picture in pixels."""
    root = svg(picture)
    [graph] = [g for g in root.iter("{http://www.w3.org/2000/svg}g") if g.get("class") == "graph"]
    scale = float(re.search(r"scale\(([\d.]+)", graph.get("transform"))[1])
    sizes = [float(text.get("font-size")) for text in root.iter("{http://www.w3.org/2000/svg}text")]
    return min(sizes) * scale / 0.75


def loss_of(nin=2, nouts=(2, 1), samples=1, atomic=False):
    model = MLP(nin, list(nouts), activation="tanh", rng=random.Random(1), atomic=atomic)
    rng = random.Random(2)
    loss = total([
        losses.half_squared_error(model([rng.uniform(-1, 1) for _ in range(nin)]), [1.0] * nouts[-1])
        for _ in range(samples)
    ])  # fmt: skip
    loss.backward()
    return loss


GRAPHS = {
    "a product": lambda: Value(2.0, label="x") * Value(3.0, label="w"),
    "a net": loss_of,
    "a batch": lambda: loss_of(3, (4, 4, 1), 3),
    "single operations": lambda: loss_of(atomic=True),
    "a chain": lambda: reduce(lambda y, _: tanh(y), range(40), Value(0.5)),
    "a wide sum": lambda: total([exp(Value(1.0, label=f"p {i}")) for i in range(40)]),
}


@pytest.mark.parametrize("page", [390, 736, 970, 1280])
@pytest.mark.parametrize("graph", GRAPHS)
def test_a_picture_fits_its_page_with_readable_text(graph, page):
    picture = draw_dot(GRAPHS[graph](), width=page)
    assert width(picture) <= page + 2
    assert text_height(picture) > 10.99


@pytest.mark.parametrize("level", ["loss", "neuron", "layer", "batch"])
def test_a_net_fits_a_notebook_at_any_level(level):
    assert width(draw_dot(loss_of(), fold=level)) <= 972


def test_a_small_graph_is_drawn_from_left_to_right_at_full_size():
    picture = draw_dot(GRAPHS["a product"]())
    assert "rankdir=LR" in picture.source
    assert text_height(picture) == 16


def test_a_long_chain_is_drawn_from_top_to_bottom():
    assert "rankdir=TB" in draw_dot(GRAPHS["a chain"](), fold="none").source


def test_a_direction_and_a_level_that_are_asked_for_are_kept_and_the_text_stays_readable():
    picture = draw_dot(GRAPHS["a chain"](), rankdir="LR", fold="none", width=390)
    assert "rankdir=LR" in picture.source
    assert width(picture) > 2000
    assert text_height(picture) > 10.99


def test_on_a_page_that_is_too_narrow_for_any_picture_the_narrowest_is_drawn():
    assert width(draw_dot(loss_of(), width=10)) < 250
    assert width(draw_dot(loss_of(), width=10, fold="none")) < width(draw_dot(loss_of(), fold="none"))


@pytest.mark.parametrize("rankdir", ["LR", "TB"])
def test_neurons_of_a_layer_stand_side_by_side_in_their_order(rankdir):
    picture = draw_dot(loss_of(3, (4, 4, 1)), fold="neuron", rankdir=rankdir)
    place = {}
    for group in svg(picture).iter("{http://www.w3.org/2000/svg}g"):
        texts = list(group.iter("{http://www.w3.org/2000/svg}text"))
        if group.get("class") == "node":
            [[x, y]] = [[float(t.get("x")), float(t.get("y"))] for t in texts[:1]]
            place[(texts[0].text or "").replace("\xa0", " ")] = (y, x) if rankdir == "LR" else (x, y)
    for layer in (1, 2):
        along, across = zip(*[place[f"neuron {layer}_{k}"] for k in range(4)], strict=True)
        assert list(along) == sorted(along)
        assert max(across) - min(across) < 60  # boxes of different sizes, in one column
    assert [place[f"x{i}"][0] for i in range(3)] == sorted(place[f"x{i}"][0] for i in range(3))


def test_inputs_and_parameters_are_named_and_not_only_coloured():
    shown = boxes(draw_dot(loss_of()))
    assert ["x0", "input"] in [texts[:2] for texts in shown]
    assert ["w1_0_0", "parameter"] in [texts[:2] for texts in shown]


def test_a_weighted_sum_shows_its_formula():
    shown = boxes(draw_dot(loss_of()))
    assert ["Σ wᵢaᵢ + b"] in shown
    assert ["Σ wᵢaᵢ"] in boxes(draw_dot(weighted_sum([Value(1.0)], [Value(2.0)])))


def images(html):
    found = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: found.append((tag, dict(attributes)))
    parser.feed(html)
    return [(tag, attributes) for tag, attributes in found if tag != "div"]


def test_a_page_that_trusts_nothing_shows_an_image():
    picture = draw_dot(GRAPHS["a chain"](), width=500, fold="none")
    [(tag, image)] = images(picture._repr_mimebundle_()["text/html"])
    assert tag == "img"
    assert image["alt"] == "the graph of a value: 41 boxes"
    assert float(image["width"]) <= 502
    source = unquote(image["src"].removeprefix("data:image/svg+xml;charset=utf-8,"))
    assert ElementTree.fromstring(source).tag.endswith("svg")
    assert "text/html" not in picture._repr_mimebundle_(exclude=["text/html"])
    assert list(picture._repr_mimebundle_(include=["text/html"])) == ["text/html"]


# Bad input


@pytest.mark.parametrize("wrong", ["970", None, [970]])
def test_a_width_that_is_not_a_number_is_an_error(wrong):
    with pytest.raises(TypeError, match=f"width is a number of pixels, not {type(wrong).__name__}"):
        draw_dot(Value(1.0), width=wrong)


@pytest.mark.parametrize("wrong", [0, -5, math.inf, math.nan])
def test_a_width_that_is_not_positive_is_an_error(wrong):
    with pytest.raises(ValueError, match="width is a positive number of pixels, not"):
        draw_dot(Value(1.0), width=wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rankdir": "left"}, "LR, RL, TB, BT, not 'left'"),
        ({"fold": "all"}, "'none', 'loss', 'neuron', 'layer', 'batch' or 'auto', not 'all'"),
        ({"max_nodes": 1}, "at least 2, not 1"),
        ({"unfold": "layer 9"}, "no folded box is called 'layer 9'; there are none"),
    ],
)
def test_a_wrong_argument_is_named(wrong, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        draw_dot(Value(1.0), **wrong)


def test_drawing_anything_but_a_value_is_an_error():
    with pytest.raises(TypeError, match="expected a Value to draw, not float: 1.0"):
        draw_dot(1.0)


@pytest.mark.parametrize("wrong", ["5", 5.0, None])
def test_max_nodes_that_is_not_an_int_is_an_error(wrong):
    with pytest.raises(TypeError, match=f"max_nodes is a whole number, not {type(wrong).__name__}"):
        draw_dot(Value(1.0), max_nodes=wrong)


def test_one_edge_leads_from_a_folded_box_to_a_sum():
    model = MLP(2, [2, 1])
    loss = total([model([0.1 * i, 1.0]) ** 2 for i in range(50)])
    edges = [line for line in draw_dot(loss, fold="batch").source.splitlines() if "->" in line]
    assert len(edges) < 10


# A renderer in place of the program dot


@pytest.fixture
def rendered():
    """Record what a renderer is called with; `dot` computes what it returns."""
    seen = []

    def render(source, format):
        seen.append((source, format))
        return subprocess.run(
            [dot.find_dot(), f"-T{format}"], input=source, capture_output=True, text=True, check=True
        ).stdout

    engine.set_renderer(render)
    yield seen
    engine.set_renderer(None)


def test_a_renderer_draws_pictures_and_players_as_dot_does(rendered):
    x = Value(2.0, label="x")
    y = x * x + 1
    drawn = draw_dot(y).html(), draw_dot(y)._repr_mimebundle_(), engine.play(y).html()
    formats = {format for _, format in rendered}
    assert formats == {"svg", "plain"}
    engine.set_renderer(None)
    assert drawn == (draw_dot(y).html(), draw_dot(y)._repr_mimebundle_(), engine.play(y).html())


def test_a_renderer_writes_no_files(rendered, tmp_path):
    picture = draw_dot(Value(2.0) * 3)
    for write in picture.render, picture.view:
        with pytest.raises(
            RuntimeError, match=r"only the program dot writes files; write the text of \.pipe"
        ):
            write(tmp_path / "picture")
    assert picture.pipe("svg").startswith(b"<?xml")


def test_in_a_browser_a_picture_needs_a_renderer(monkeypatch):
    monkeypatch.setattr(sys, "platform", "emscripten")
    y = Value(2.0) * 3
    for draw in (draw_dot(y).html, lambda: engine.play(y).html(), engine.check_graphviz):
        with pytest.raises(
            RuntimeError, match="needs a renderer here.*starts no programs: engine.set_renderer"
        ):
            draw()
    engine.set_renderer(lambda dot, format: "<svg/>")
    engine.check_graphviz()
    engine.set_renderer(None)


@pytest.mark.parametrize("wrong", ["dot", 1, b""])
def test_a_renderer_is_a_function(wrong):
    with pytest.raises(TypeError, match="expected a function of DOT and a format, not"):
        engine.set_renderer(wrong)
