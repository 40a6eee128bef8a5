"""Explain the gradients of a neuron in the textbook's terms: Δ_k, g'(in_k), Σ w Δ."""

from __future__ import annotations

from engine.core.value import Value
from engine.view.backward_pass import BackwardPass, Edge
from engine.view.kinds import neuron_of, samples
from engine.view.phrases import Plain, count, some

SAMPLES = 3  # samples that are explained at most


def in_textbook_terms(pen: Plain, value: Value, run: BackwardPass) -> list[str]:
    """Return lines about ``value`` if it is the z, the a, a weight or the bias of a neuron; otherwise none.

    Δ_k is -∂E/∂in_k: it has the opposite sign of a gradient.
    """
    if value.parents:
        place = neuron_of(value, "za")
        zs = [node for node in (value, *value.parents) if _is_z(node) and neuron_of(node, "z") == place]
        return _one_neuron(pen, zs[0], run) if zs else []
    place = neuron_of(value, "wb")
    if place is None:
        return []
    every = [_follow(edge, run) for edge in run.children.get(value, [])]
    mine = [path for path in every if _is_z(path[1]) and neuron_of(path[1], "z") == place]
    numbers = samples(run.order)
    lines: list[str] = []
    for edge, z, weight in mine[:SAMPLES]:
        sample = f"for sample {numbers[z]}" if len(mine) > 1 else ""
        lines += _one_neuron(pen, z, run, sample)
        delta = -run.gradients[z]
        sides = [
            f"a_j {pen.times} {pen.delta_k}",
            f"{pen.formula(*edge)} {pen.times} {pen.delta(place)}",
            f"{pen.within(weight)} {pen.times} {pen.within(delta)}",
            pen.number(delta * weight),
        ]
        bias = value.role is not None and value.role.kind == "b"
        if len(every) == 1:
            so = "A bias is a weight whose input is 1: " if bias else "So "
            sides.insert(0, f"-{pen.d(run.root, value)}")
        else:
            so = "A bias is a weight whose input is 1. Its" if bias else "The weight's"
            so += f" share of {pen.math('-' + pen.d(run.root, value))} from this sample is "
        lines += [f"- {so}{pen.math(' = '.join(sides))}."]
    if len(mine) > SAMPLES:
        more = len(mine) - SAMPLES
        lines += ["", f"… and likewise for {more:,} more sample{'s' * (more > 1)}."]
    if len(mine) > 1:
        shares = sum(-run.gradients[z] * weight for _, z, weight in mine)
        whole = pen.math(f"-{pen.d(run.root, value)} = {pen.number(-run.gradients[value])}")
        rest = ", which is" if len(mine) == len(every) else "; other paths add the rest of"
        total = pen.math(pen.number(shares))
        lines += ["", f"The shares of all {len(mine):,} samples add up to {total}{rest} {whole}."]
    return lines


def _one_neuron(pen: Plain, z: Value, run: BackwardPass, sample: str = "") -> list[str]:
    """Return lines about g'(in_k), about -∂E/∂a_k, and about their product Δ_k."""
    place = neuron_of(z, "za") or (None, None)
    activations = [edge for edge in run.children[z] if neuron_of(edge[0], "a") == place]
    a = activations[0][0] if activations else z
    delta, back = -run.gradients[z], -run.gradients[a]
    meaning = [
        f"{pen.in_k} = {pen.name(z)}",
        f"a_k = {pen.name(a)}",
        f"{pen.delta_k} = -{pen.d(run.root, z)}",
    ]
    head = " ".join(["In the textbook's terms", sample]).strip()
    lines = ["", f"{head}, where {', '.join(map(pen.math, meaning))}:", ""]
    if neuron_of(run.root, "za") is not None:
        lines[1] = f"{lines[1][:-1]} (here {pen.math(pen.name(run.root))} takes the place of E):"
    derivative = 1.0
    if activations:
        node, position = activations[0]
        derivative = run.local_gradients[node][position]
        equation = f"{pen.derivative_k} = {pen.d(node, z)} = {pen.local(node, position)}"
        lines += [f"- The derivative of its activation is {pen.math(equation)}."]
    else:
        lines += [f"- It has no activation, so {pen.math(f'{pen.derivative_k} = 1')}."]
    after = [_follow(edge, run) for edge in run.children[a]]
    word = f"(-{pen.d(run.root, a)})"
    if after and all(_is_z(z_j) for _, z_j, _ in after):
        word = pen.sigma
        deltas = [-run.gradients[z_j] for _, z_j, _ in after]
        terms = [
            f"{pen.formula(*edge)} {pen.times} {pen.delta(neuron_of(z_j, 'z') or (None, None))}"
            for edge, z_j, _ in after
        ]
        numbers = [
            f"{pen.within(w)} {pen.times} {pen.within(d)}" for (_, _, w), d in zip(after, deltas, strict=True)
        ]
        sums = [" + ".join(some(side, pen.dots)) for side in (terms, numbers)]
        signals = (
            "Its signal comes back over the weight"
            if len(after) == 1
            else "Their signals come back over the weights"
        )
        equation = " = ".join([word, *sums, pen.number(back)])
        lines += [f"- It leads to {count(len(after), 'neuron')}. {signals}: {pen.math(equation)}."]
    else:
        lines += [
            f"- It is an output node. Its error is {pen.math(f'-{pen.d(run.root, a)} = {pen.number(back)}')}."
        ]
    product = f"{pen.within(derivative)} {pen.times} {pen.within(back)} = {pen.number(delta)}"
    whole = f"{pen.delta(place)} = {pen.derivative_k} {pen.times} {word} = {product}"
    return [*lines, f"- So {pen.math(whole)}."]


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
