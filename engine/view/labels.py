"""What labels say of their nodes: parameter or input, and of which neuron of which layer.

Neurons label their values z1_3, a1_3, w1_3_0, b1_3 (layer, neuron, input), a lone neuron z, a, w0, b.
"""

from __future__ import annotations

import re

from engine.core.value import Value

PLACED = re.compile(r"([zawb])(?:(\d+_\d+)(?:_\d+)?|\d*)")
INPUT = re.compile(r"(x[\d_]*)?")


def kind(node: Value) -> str:
    """What a node is to a reader of the picture: "number", "input", "parameter" or "computed".

    An input is a plain number with a label, or a leaf called x, x0, x1, ... or not called at all; any other
    leaf is a parameter.

    >>> kind(Value(1.0, label="x0")), kind(Value(1.0, label="w")), kind(Value(1.0) + 1.0)
    ('input', 'parameter', 'computed')
    """
    if node.parents:
        return "computed"
    if node.constant:
        return "input" if node.label else "number"
    return "input" if INPUT.fullmatch(node.label) else "parameter"


def family(node: Value) -> str:
    """What nodes of one kind have in common: the label without its indices, else the symbol of the op.

    >>> family(Value(1.0, label="w1_3_0")), family(Value(1.0) + 1.0)
    ('w', '+')
    """
    name = node.label.rstrip("_0123456789") or node.label
    return name or (node.op.symbol if node.op else kind(node))


def placed(node: Value, letters: str) -> str | None:
    """The place in its label: "1_3", or "" in that of a lone neuron; None if it is none of these letters."""
    match = PLACED.fullmatch(node.label) if node.label else None
    return (match[2] or "") if match and match[1] in letters else None


def layer(place: str | None) -> str:
    """The layer of a place, as it is written there; "" if there is none."""
    return (place or "").partition("_")[0]


def called(what: str, place: str | None) -> str:
    """``what``, with its place; "" if there is none."""
    return "" if place is None else f"{what} {place}".strip()
