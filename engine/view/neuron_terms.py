"""A neuron's gradients in the textbook's terms: Δ_k, g'(in_k), Σ w Δ."""

from __future__ import annotations

from engine.core.backward import topological_order
from engine.core.grad import grad
from engine.core.value import Value
from engine.view.labels import placed
from engine.view.paths import Edge
from engine.view.phrases import Plain, some

NEURONS = 3  # how many are told, of the many samples that a weight may have a part in

Children = dict[Value, list[Edge]]


def in_textbook_terms(pen: Plain, value: Value, root: Value) -> list[str]:
    """What the textbook says of ``value``, if it is the z, the a, a weight or the bias of a neuron.

    Its Δ_k is -∂L/∂in_k: it has the opposite sign of a gradient.
    """
    place = placed(value, "za" if value.parents else "wb")
    if place is None:
        return []
    children: Children = {}
    for node in topological_order(root):
        for position, parent in enumerate(node.parents):
            children.setdefault(parent, []).append((node, position))
    lines: list[str] = []
    if value.parents:
        zs = [node for node in (value, *value.parents) if placed(node, "z") == place and node.parents]
        return one_neuron(pen, zs[0], root, children) if zs else []
    ways = [onward(edge, children) for edge in children.get(value, [])]
    mine = [way for way in ways if way[1].parents and placed(way[1], "z") == place]
    for edge, z, slope in mine[:NEURONS]:
        [upstream] = grad(root, [z])
        names = f"{pen.row(*edge)} {pen.times} {pen.delta(place)}"
        numbers = f"{pen.within(slope)} {pen.times} {pen.within(-upstream)} = {pen.number(-upstream * slope)}"
        share = pen.math(f"a_j {pen.times} {pen.delta_k} = {names} = {numbers}")
        lines += one_neuron(pen, z, root, children)
        lines += [f"- Of {pen.math('-' + pen.d(root, value))} that makes {share}."]
    if len(mine) > NEURONS:
        lines += ["", f"… and so for {len(mine) - NEURONS:,} more samples; what each makes adds up."]
    return lines


def one_neuron(pen: Plain, z: Value, root: Value, children: Children) -> list[str]:
    """g'(in_k), what comes back from the nodes that it feeds, and Δ_k as their product."""
    place = placed(z, "za") or ""
    activations = [edge for edge in children.get(z, []) if placed(edge[0], "a") == place]
    a = activations[0][0] if activations else z
    upstream_z, upstream_a = grad(root, [z, a])
    meaning = [f"{pen.in_k} = {pen.name(z)}", f"a_k = {pen.name(a)}", f"{pen.delta_k} = -{pen.d(root, z)}"]
    lines = ["", f"In the textbook's terms, where {', '.join(map(pen.math, meaning))}:", ""]
    slope = 1.0
    if activations:
        slope = a.local_gradients()[activations[0][1]]
        lines += [
            f"- The slope of its activation is {pen.math(f'{pen.slope_k} = {pen.slope(*activations[0])}')}."
        ]
    else:
        lines += [f"- It has no activation, so {pen.math(f'{pen.slope_k} = 1')}."]
    fed = [onward(edge, children) for edge in children.get(a, [])]
    back = f"(-{pen.d(root, a)})"
    if fed and all(z_j.parents and placed(z_j, "z") is not None for _, z_j, _ in fed):
        back, deltas = pen.sigma, [-upstream for upstream in grad(root, [z_j for _, z_j, _ in fed])]
        terms = [f"{pen.row(*edge)} {pen.times} {pen.delta(placed(z_j, 'z'))}" for edge, z_j, _ in fed]
        numbers = [
            f"{pen.within(w)} {pen.times} {pen.within(d)}" for (_, _, w), d in zip(fed, deltas, strict=True)
        ]
        sides = [
            back,
            *(" + ".join(some(side, pen.dots)) for side in (terms, numbers)),
            pen.number(-upstream_a),
        ]
        lines += [f"- Back from the neurons that it feeds comes {pen.math(' = '.join(sides))}."]
    else:
        lines += [
            f"- It is an output: back comes {pen.math(f'-{pen.d(root, a)} = {pen.number(-upstream_a)}')}."
        ]
    product = f"{pen.within(slope)} {pen.times} {pen.within(-upstream_a)} = {pen.number(-upstream_z)}"
    whole = f"{pen.delta(place)} = {pen.slope_k} {pen.times} {back} = {product}"
    return [*lines, f"- So {pen.math(whole)}."]


def onward(edge: Edge, children: Children) -> tuple[Edge, Value, float]:
    """Where an edge leads to, past nodes without a name that feed one other, and the slope up to there."""
    node, position = edge
    slope = node.local_gradients()[position]
    while not node.label and len(children.get(node, ())) == 1:
        [(child, position)] = children[node]
        node, slope = child, child.local_gradients()[position] * slope
    return edge, node, slope
