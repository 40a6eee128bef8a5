"""Explain the gradients of a neuron in the textbook's terms: Δ, g'(in) and Σ w Δ.

A hidden neuron is j, and its weights come from i; an output neuron is k, and its weights come from j.
"""

from __future__ import annotations

from typing import NamedTuple

from engine.core.value import Value
from engine.view.backward_pass import BackwardPass, Edge
from engine.view.kinds import neuron_of, samples
from engine.view.phrases import Plain, count, some

SAMPLES = 3  # samples that are explained at most


def in_textbook_terms(pen: Plain, value: Value, run: BackwardPass) -> list[str]:
    """Return lines about ``value`` if it is the z, the a, a weight or the bias of a neuron; otherwise none.

    Δ is -∂E/∂in: it has the opposite sign of a gradient.
    """
    if value.parents:
        place = neuron_of(value, "za")
        zs = [node for node in (value, *value.parents) if _is_z(node) and neuron_of(node, "z") == place]
        return _one_neuron(pen, _Neuron(zs[0], run)) if zs else []
    place = neuron_of(value, "wb")
    if place is None:
        return []
    every = [_follow(edge, run) for edge in run.children.get(value, [])]
    mine = [path for path in every if _is_z(path[1]) and neuron_of(path[1], "z") == place]
    bias = value.role is not None and value.role.kind == "b"
    lines: list[str] = []
    for edge, z, weight in mine[:SAMPLES]:
        neuron = _Neuron(z, run)
        lines += _one_neuron(pen, neuron)
        sides = [
            f"{pen.letter('a', neuron.before)} {pen.times} {pen.letter('Δ', neuron.index)}",
            f"{pen.formula(*edge)} {pen.times} {pen.delta(neuron.place, neuron.sample)}",
            f"{pen.within(weight)} {pen.times} {pen.within(neuron.delta)}",
            pen.number(neuron.delta * weight),
        ]
        if bias:
            sides = sides[1:]
        so = "A bias is a weight whose input is 1: " if bias else "So "
        if len(every) == 1:
            sides.insert(0, f"-{pen.d(run.root, value)}")
        else:
            so = "A bias is a weight whose input is 1. Its" if bias else "The weight's"
            so += f" share of {pen.math('-' + pen.d(run.root, value))} from this sample is "
        lines += [f"- {so}{pen.math(' = '.join(sides))}."]
    if len(mine) > SAMPLES:
        lines += ["", f"… and likewise for {count(len(mine) - SAMPLES, 'more sample')}."]
    if len(mine) > 1:
        shares = sum(-run.gradients[z] * weight for _, z, weight in mine)
        whole = pen.math(f"-{pen.d(run.root, value)} = {pen.number(-run.gradients[value])}")
        rest = ", which is" if len(mine) == len(every) else "; other paths add the rest of"
        total = pen.math(pen.number(shares))
        lines += ["", f"The shares of the {len(mine):,} samples add up to {total}{rest} {whole}."]
    return lines


class _Neuron:
    """A neuron for one sample: its nodes, its Δ, and the letters for its indices."""

    def __init__(self, z: Value, run: BackwardPass) -> None:
        self.z, self.run = z, run
        self.place = neuron_of(z, "z") or (None, None)
        activations = [edge for edge in run.children[z] if neuron_of(edge[0], "a") == self.place]
        self.edge = activations[0] if activations else None
        self.a = self.edge[0] if self.edge else z
        self.delta, self.back = -run.gradients[z], -run.gradients[self.a]
        self.after = [_follow(edge, run) for edge in run.children[self.a]]
        self.is_hidden = bool(self.after) and all(_is_z(z_k) for _, z_k, _ in self.after)
        self.before, self.index = ("i", "j") if self.is_hidden else ("j", "k")
        numbers = samples(run.order)
        self.numbers = numbers if max(numbers.values()) > 1 else {}
        self.sample = self.numbers.get(z)


def _one_neuron(pen: Plain, neuron: _Neuron) -> list[str]:
    """Return lines about g'(in), about -∂E/∂a, and about their product Δ."""
    run, index = neuron.run, neuron.index
    meaning = [
        f"{pen.letter('in', index)} = {pen.name(neuron.z)}",
        f"{pen.letter('a', index)} = {pen.name(neuron.a)}",
        f"{pen.letter('Δ', index)} = -{pen.d(run.root, neuron.z)}",
    ]
    sample = f" for sample {neuron.sample}" if neuron.sample else ""
    root = ""
    if neuron_of(run.root, "za") is not None:
        root = f" (here {pen.math(pen.name(run.root))} takes the place of E)"
    lines = ["", f"In the textbook's terms{sample}, where {', '.join(map(pen.math, meaning))}{root}:", ""]
    derivative = 1.0
    if neuron.edge:
        node, position = neuron.edge
        derivative = run.local_gradients[node][position]
        equation = pen.math(f"{pen.derivative_at(index)} = {pen.local(node, position)}")
        lines += [f"- The derivative of its activation is {equation}{pen.reasons(node, position)}."]
    else:
        lines += [f"- It has no activation, so {pen.math(f'{pen.derivative_at(index)} = 1')}."]
    word, sentence = _signals(pen, neuron) if neuron.is_hidden else _error(pen, neuron)
    product = f"{pen.within(derivative)} {pen.times} {pen.within(neuron.back)} = {pen.number(neuron.delta)}"
    delta = pen.delta(neuron.place, neuron.sample)
    whole = f"{delta} = {pen.derivative_at(index)} {pen.times} {word} = {product}"
    return [*lines, sentence, f"- So {pen.math(whole)}."]


def _signals(pen: Plain, neuron: _Neuron) -> tuple[str, str]:
    """Return Σ_k w_jk Δ_k of a hidden neuron, and a sentence about it."""
    word = pen.signals(neuron.index)
    terms, numbers = [], []
    for edge, z_k, w in neuron.after:
        delta = pen.delta(neuron_of(z_k, "z") or (None, None), neuron.numbers.get(z_k))
        terms.append(f"{pen.formula(*edge)} {pen.times} {delta}")
        numbers.append(f"{pen.within(w)} {pen.times} {pen.within(-neuron.run.gradients[z_k])}")
    sums = [" + ".join(some(side, pen.dots)) for side in (terms, numbers)]
    equation = pen.math(" = ".join([word, *sums, pen.number(neuron.back)]))
    n = len(neuron.after)
    signals = (
        "Its signal comes back over the weight" if n == 1 else "Their signals come back over the weights"
    )
    return word, f"- It feeds {count(n, 'neuron')}. {signals}: {equation}."


def _error(pen: Plain, neuron: _Neuron) -> tuple[str, str]:
    """Return the error of an output neuron, and a sentence about it: t - a where E is a squared error."""
    minus = f"-{pen.d(neuron.run.root, neuron.a)}"
    squared = _squared_error(neuron)
    if squared is None:
        equation = pen.math(f"{minus} = {pen.number(neuron.back)}")
        return f"({minus})", f"- It is an output node. Its error is {equation}."
    a, t = pen.letter("a", neuron.index), pen.letter("t", neuron.index)
    factor = "" if squared.factor == 1.0 else f"{pen.number(squared.factor)} {pen.times} "
    word, numbers = f"({t} - {a})", f"{pen.term(squared.target)} - {pen.term(neuron.a.data)}"
    sides = [f"{factor}{word}", f"{factor}({numbers})"] if factor else [word[1:-1], numbers]
    equation = pen.math(" = ".join([*sides, pen.number(neuron.back)]))
    same = pen.math(minus)
    return f"{factor}{word}", f"- It is an output node, so its error is {equation}. This is {same}."


class _Squared(NamedTuple):
    """The part of a squared error that depends on one output: -∂E/∂a = factor · (target - a)."""

    factor: float
    target: float


def _squared_error(neuron: _Neuron) -> _Squared | None:
    """Return factor and target if the output enters E only through the square of t - a; otherwise None."""
    run = neuron.run
    if len(run.children[neuron.a]) != 1:
        return None
    [(difference, position)] = run.children[neuron.a]
    if difference.op is None or difference.op.symbol != "-" or not difference.parents[1 - position].constant:
        return None
    squares = {node for node, _ in run.children[difference]}
    if len(squares) != 1:
        return None
    [square] = squares
    assert square.op is not None
    of_two = [parent.data for parent in square.parents if parent.constant] == [2.0]
    is_power = square.op.symbol == "**" and square.parents[0] is difference and of_two
    is_product = square.op.symbol == "*" and square.parents == (difference, difference)
    if not is_power and not is_product:
        return None
    return _Squared(2.0 * run.gradients[square], difference.parents[1 - position].data)


def _is_z(node: Value) -> bool:
    return bool(node.parents) and neuron_of(node, "z") is not None


def _follow(edge: Edge, run: BackwardPass) -> tuple[Edge, Value, float]:
    """Follow an edge over the nodes inside a neuron, which have no role and one child.

    Return the edge, the node that it leads to, and the derivative of that node with respect to the parent.
    """
    node, position = edge
    derivative = run.local_gradients[node][position]
    while node.role is None and len(run.children[node]) == 1:
        [(child, position)] = run.children[node]
        node, derivative = child, run.local_gradients[child][position] * derivative
    return edge, node, derivative
