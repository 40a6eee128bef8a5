"""A graph too large to look at is folded: operations into neurons, neurons into layers, samples into one.

What belongs together is read off the graph: off the labels z1_3, a1_3, w1_3_0, b1_3 (layer, neuron, input)
that neurons give to their values, off who feeds whom, and, for the samples of a batch, off the parameters
that they share. No operation is known by name.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence

from engine.backward import topological_order
from engine.value import Value

PLACED = re.compile(r"([zawb])(?:(\d+_\d+)(?:_\d+)?|\d*)")  # z1_3, w1_3_0; of a lone neuron z, w0
INPUT = re.compile(r"(x[\d_]*)?")

Key = tuple[str, Hashable]  # boxes with the same key become one; its first part is what that is called


class Box:
    """Nodes that are drawn as one.

    Attributes:
        nodes: at least one, in topological order.
        inner: the boxes of the finer level that it was folded from.
        name: what it is called, if it is folded.
        parents, children: the boxes that feed it, and those that it feeds.
        neuron: the neuron whose z or a is in it, by its place: "1_3", or "" for a lone neuron; None if none.
        owner: the neuron whose weights or bias are all that it is; None if it is something else.
    """

    __slots__ = ("children", "inner", "name", "neuron", "nodes", "owner", "parents")

    def __init__(self, nodes: Sequence[Value], inner: Sequence[Box] = (), name: str = "") -> None:
        self.nodes, self.inner, self.name = nodes, inner, name
        self.parents: tuple[Box, ...] = ()
        self.children: tuple[Box, ...] = ()
        if inner:
            places = (box.neuron for box in inner)
            self.neuron: str | None = next((place for place in places if place is not None), None)
            self.owner: str | None = inner[-1].owner
        else:
            self.neuron = placed(nodes[0], "za") if nodes[0].parents else None
            self.owner = None if nodes[0].parents else placed(nodes[0], "wb")

    @property
    def node(self) -> Value:
        """The last of its nodes: the only one, if it is not folded."""
        return self.nodes[-1]

    @property
    def folded(self) -> bool:
        """Whether it stands for more than one node."""
        return len(self.nodes) > 1

    @property
    def what(self) -> str:
        """What it is, in a word or two."""
        return self.name or family(self.node)


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


def linked(boxes: list[Box], root: Value) -> list[Box]:
    """The boxes, each told who its parents and its children are, and put in topological order."""
    home = {node: box for box in boxes for node in box.nodes}
    children: dict[Box, dict[Box, None]] = {box: {} for box in boxes}
    for box in boxes:
        feeding = dict.fromkeys([home[parent] for node in box.nodes for parent in node.parents])
        feeding.pop(box, None)
        box.parents = tuple(feeding)
        for parent in feeding:
            children[parent][box] = None
    for box in boxes:
        box.children = tuple(children[box])
    order: list[Box] = []
    seen: set[Box] = set()
    stack: list[Box | None] = [home[root]]
    while stack:  # not topological_order: labels given by hand may fold a graph into a ring
        top = stack.pop()
        if top is None:
            order.append(stack.pop())  # type: ignore[arg-type]
        elif top not in seen:
            seen.add(top)
            stack += (top, None, *reversed(top.parents))
    return order


def merged(boxes: list[Box], keys: dict[Box, Key], root: Value) -> list[Box]:
    """Boxes with the same key made one. A node that stays alone stays what it is."""
    groups: dict[Key, list[Box]] = {}
    for box in boxes:
        groups.setdefault(keys[box], []).append(box)
    one = []
    for (name, _), group in groups.items():
        first, alone = group[0], len(group) == 1
        as_it_is = alone and (not first.folded or first.name == name)
        one.append(first if as_it_is else Box([node for box in group for node in box.nodes], group, name))
    return linked(one, root)


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


# What labels say


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


def title(box: Box) -> str:
    """What to call several boxes like this one."""
    return f"layer {layer(box.neuron)}" if layer(box.neuron) else box.what
