"""A graph too large to look at is folded: operations into neurons, neurons into layers, samples into one.

What belongs together is read off the graph: off the labels z1_3, a1_3, w1_3_0, b1_3 (layer, neuron, input)
that neurons give to their values, off who feeds whom, and, for the samples of a batch, off the parameters
that they share. No operation is known by name.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterable

from engine.core.backward import topological_order
from engine.core.value import Value
from engine.view.box import Box, Key, linked, merged
from engine.view.labels import called, kind, layer, placed


def fold(root: Value, level: str, most: int, unfold: str | Iterable[str] = ()) -> list[Box]:
    """The boxes of a picture of ``root``, parents before children.

    Args:
        root: the end of the graph.
        level: "none", "neuron", "layer", "batch", or "auto": the first of them with at most ``most`` boxes.
        most: see ``level``. Where even "batch" has more, "auto" goes on to fold by depth.
        unfold: the names of boxes to be opened again, one level each.

    Raises:
        ValueError: there is no such level, or no box of such a name; the message lists those that there are.
    """
    if level not in (*LEVELS, "auto"):
        raise ValueError(f"fold is one of {', '.join(map(repr, LEVELS))} or 'auto', not {level!r}")
    boxes = linked([Box((node,)) for node in topological_order(root)], root)
    for name, together in LEVELS.items():
        boxes = merged(boxes, together(boxes), root) if together else boxes
        if level == name or (level == "auto" and len(boxes) <= most):
            break
    else:
        boxes = merged(boxes, by_depth(boxes, most), root)
    return opened(boxes, {unfold} if isinstance(unfold, str) else set(unfold), root)


def opened(boxes: list[Box], wanted: set[str], root: Value) -> list[Box]:
    """The boxes, with those of the ``wanted`` names replaced by what they were folded from."""
    names: dict[str, None] = {}
    while names.keys() != (names := names | {box.name: None for box in boxes if box.folded}).keys():
        boxes = [part for box in boxes for part in (box.inner if box.name in wanted else (box,))]
    for name in wanted - names.keys():
        known = ", ".join(map(repr, names)) or "none, as nothing is folded"
        raise ValueError(f"no folded box is called {name!r}; there are {known}")
    return linked(boxes, root) if wanted else boxes


# The levels. Each says of every box what it becomes a part of.


def by_neuron(boxes: list[Box]) -> dict[Box, Key]:
    """A neuron is its z, its a, and what feeds only them; + after + after + is one, too."""
    head: dict[Box, Box] = {}
    for box in reversed(boxes):
        heads = dict.fromkeys([head[child] for child in box.children])
        first, head[box] = next(iter(heads), box), box
        if box.neuron is not None:  # z goes to its a; an a that feeds the same neuron once more does not
            its_a = (h for h in heads if h.neuron == box.neuron and placed(h.node, "a") is not None)
            head[box] = box if placed(box.node, "a") is not None else next(its_a, box)
        elif len(heads) == 1 and box.node.parents and not box.node.label:
            run = len(box.children) == 1 and box.children[0].node.op is box.node.op
            head[box] = first if run or first.neuron is not None else box
    size = Counter(head.values())
    whole: dict[Box, Key] = {}
    for h, n in size.items():
        whole[h] = called("neuron", h.neuron) or f"{h.what} × {n}", h
    keys = {box: whole[head[box]] for box in boxes}
    for box in boxes:
        heads = dict.fromkeys([head[child] for child in box.children])
        first = next(iter(heads), box)
        owners = frozenset(h for h in heads if h.neuron == box.owner is not None)
        if owners:
            shared = called("parameters of neuron", box.owner), owners
            keys[box] = shared if len(heads) > 1 else whole[first]
        elif kind(box.node) == "number" and len(heads) == 1 and size[first] > 1:
            keys[box] = whole[first]
    return keys


def by_layer(boxes: list[Box]) -> dict[Box, Key]:
    """A layer is the neurons of its number that are fed by the same; what feeds them is one, too."""
    keys: dict[Box, Key] = {box: (box.name, box) for box in boxes}
    for box in reversed(boxes):
        above = {keys[child] for child in box.children}
        if layer(box.neuron):
            keys[box] = title(box), frozenset(parent for parent in box.parents if parent.owner is None)
        elif layer(box.owner):
            owners = frozenset(keys[child] for child in box.children if child.neuron is not None)
            keys[box] = (
                above.pop() if len(above) == 1 else (f"parameters of layer {layer(box.owner)}", owners)
            )
        elif not box.node.parents and any(child.neuron is not None for child in box.children):
            keys[box] = box.what, frozenset(above)
    return keys


def by_sample(boxes: list[Box]) -> dict[Box, Key]:
    """What does the same, with the same parameters, to one sample after another is one."""
    alike: dict[Box, int] = {}
    seen: dict[Hashable, int] = {}
    for box in boxes:
        node = box.node
        does: Hashable = box.what
        if node.parents:
            fed = [alike.get(parent) for parent in box.parents if kind(parent.node) != "number"]
            own = frozenset(node for node in box.nodes if kind(node) == "parameter")
            does = box.what, node.op, own, frozenset(fed) if box.folded else tuple(fed)
        elif kind(node) == "parameter":
            does = box
        alike[box] = seen.setdefault(does, len(seen))
    times = Counter(alike.values())
    keys: dict[Box, Key] = {box: (box.name, box) for box in boxes}
    for box in reversed(boxes):
        above = {keys[child] for child in box.children}
        n = times[alike[box]]
        keys[box] = f"{title(box)} × {n}" if n > 1 else box.name, alike[box]
        if kind(box.node) == "number" and not box.folded:
            child = box.children[0].node
            place = child.parents.index(box.node) if box.node in child.parents else 0
            keys[box] = "number", (frozenset(above), place)
        elif box.owner is not None and len(above) == 1:
            keys[box] = above.pop()
    return keys


def by_depth(boxes: list[Box], most: int) -> dict[Box, Key]:
    """What is about as far from the leaves is one: the last resort, as it asks for no pattern at all."""
    depth: dict[Box, int] = {}
    for box in boxes:
        depth[box] = 1 + max((depth.get(parent, 0) for parent in box.parents), default=-1)
    step = max(1, math.ceil(depth[boxes[-1]] / (most - 1)))
    keys: dict[Box, Key] = {}
    for box in boxes[:-1]:
        first = depth[box] // step * step
        keys[box] = f"depth {first}" if step == 1 else f"depth {first} to {first + step - 1}", first
    return {**keys, boxes[-1]: (boxes[-1].name, None)}


LEVELS: dict[str, Callable[[list[Box]], dict[Box, Key]] | None] = {
    "none": None, "neuron": by_neuron, "layer": by_layer, "batch": by_sample,
}  # fmt: skip


def title(box: Box) -> str:
    """What to call several boxes like this one."""
    return f"layer {layer(box.neuron)}" if layer(box.neuron) else box.what
