"""Nodes made by hand are drawn, played and explained, whatever their symbol is."""

import math

import pytest

from engine import BackwardPass, Value, draw_dot, explain, gradcheck, play

SYMBOLS = ["", "-", "*", "**", "+", "/", ">=", "neg", "exp", "tanh", "<b>&\"$_\\", "two\nlines", "\x1b[31m",
           "long" * 2500, "\n" * 9_999, "é", "|", "]"]  # fmt: skip


def by_hand(symbol, parents, calls=None):
    """Return the sum of the parents, made by hand; each call of its closure is noted in ``calls``."""
    out = Value(sum(parent.data for parent in parents), parents, symbol)

    def closure():
        if calls is not None:
            calls.append(out.grad)
        for parent in parents:
            parent.grad += out.grad

    out._backward = closure
    return out


def flat(explanation):
    """Return the text of an explanation on one line."""
    return " ".join(str(explanation).split())


def leaves(count):
    return tuple(Value(float(i + 1), label=f"x{i}") for i in range(count))


@pytest.mark.parametrize("count", [1, 2, 9])
@pytest.mark.parametrize("symbol", SYMBOLS, ids=lambda symbol: repr(symbol[:10]))
def test_any_symbol_can_be_explained_drawn_played_and_checked(symbol, count):
    xs = leaves(count)
    y = by_hand(symbol, xs) * 2
    for story in explain(y), explain(xs[0], y):
        steps = [line for line in str(story).splitlines() if line[:1].isdigit()]
        assert len(steps) in (1, 2, count + 1)
        assert str(story).replace("\n", "").isprintable()
        assert max(map(len, str(story).splitlines())) < 1000
        assert story.markdown.count("$") % 2 == 0
        assert story.markdown.count("{") == story.markdown.count("}")
        assert "<b>" not in story.markdown
    assert len(draw_dot(y).source) < 10_000
    assert len(play(y).story["backward"]) == count + 1
    report = gradcheck(lambda *xs: by_hand(symbol, xs) * 2, xs)
    assert report
    assert max(map(len, str(report).splitlines())) < 400


@pytest.mark.parametrize(
    ("symbol", "call", "latex"),
    [
        ("", "f(x0, x1)", r"\operatorname{f}\left(x_{0}, x_{1}\right)"),
        ("-", "-(x0, x1)", r"\operatorname{\text{-}}\left(x_{0}, x_{1}\right)"),
        ("**", "**(x0, x1)", r"\operatorname{\ast \ast }\left(x_{0}, x_{1}\right)"),
        ("two\nlines", "two lines(x0, x1)", r"\operatorname{\text{two lines}}\left(x_{0}, x_{1}\right)"),
        ("my_op", "my_op(x0, x1)", r"\operatorname{my\_op}\left(x_{0}, x_{1}\right)"),
    ],
)
def test_a_node_made_by_hand_is_written_as_a_call(symbol, call, latex):
    story = explain(by_hand(symbol, leaves(2)))
    assert f"1. v1 = {call} = 3 (x0 = 1, x1 = 2)." in str(story)
    assert f"1. $\\text{{v}}_{{1}} = {latex} = 3$" in story.markdown.replace("v_{1}", r"\text{v}_{1}")


def test_a_node_without_a_closure_is_drawn_without_its_local_gradients():
    xs = leaves(2)
    y = Value(3.0, xs, "add") * 2
    assert draw_dot(y).source.count("->") == 6
    source = draw_dot(y, local_gradients=True).source
    assert source.count("->") == 6
    assert source.count('label=" 2 "') == 1


def test_a_picture_calls_no_closure_unless_it_shows_local_gradients():
    calls = []
    y = by_hand("add", leaves(2), calls)
    draw_dot(y)
    draw_dot(y, fold="neuron")
    assert calls == []
    assert draw_dot(y, local_gradients=True).source.count('label=" 1 "') == 2
    assert calls == [1.0]


def test_a_pass_calls_each_closure_once_and_is_explained_drawn_and_played_without_a_call():
    calls = []
    xs = leaves(2)
    run = BackwardPass(by_hand("add", xs, calls) * 2)
    assert calls == [2.0]
    assert run.local_gradients[run.order[2]] == (1.0, 1.0)
    for leaf in xs:
        assert "has the local gradient 1, by a closure of your own" in flat(explain(leaf, run))
    play(run)
    draw_dot(run, local_gradients=True, largest_path=True)
    assert calls == [2.0]


@pytest.mark.parametrize("factor", [0.0, math.inf])
def test_local_gradients_are_shown_even_if_the_upstream_gradient_hides_them(factor):
    xs = leaves(2)
    y = by_hand("add", xs) * factor
    assert BackwardPass(y).local_gradients[y.parents[0]] == (1.0, 1.0)
    assert "has the local gradient 1, by a closure of your own" in flat(explain(xs[0], y))
