"""Fold a large graph: a loss, the operations of a neuron, the neurons of a layer, the samples of a batch.

The folding depends on the roles of nodes (layer, neuron, input, loss), on the edges, and, for the samples of
a batch, on the parameters that they share. It depends on no label, and on no operation's name.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from weakref import ref

from engine.core.closures import symbol_of
from engine.core.methods import Role
from engine.core.value import Value
from engine.view.kinds import Kinds, Place, indices, loss_of, neuron_of

NAMES = 30  # names of boxes that an error lists at most
Key = tuple[str, Hashable]  # boxes with the same key become one box, with the first part as its name


class Box:
    """Nodes that are drawn as one.

    Attributes:
        nodes: at least one, in topological order.
        inner: the smaller boxes that it consists of.
        name: the name, if it is folded.
        title: the name; for a single node, the node's family.
        kind: the kind of its last node.
        parents: the boxes that it has edges from.
        neuron: the neuron whose z or a it contains, if any.
        owner: the neuron whose weights or bias it consists of, if any.
        loss: the role of its nodes, if they are parts of a loss.
    """

    __slots__ = (
        "__weakref__", "_children", "inner", "kind", "loss", "name", "neuron", "nodes", "owner", "parents",
        "title",
    )  # fmt: skip

    def __init__(
        self, nodes: Sequence[Value], kinds: Kinds, inner: Sequence[Box] = (), name: str = ""
    ) -> None:
        self.nodes, self.inner, self.name = nodes, inner, name
        self.title = name or kinds.family(nodes[-1])
        self.kind = kinds(nodes[-1])
        self.parents: tuple[Box, ...] = ()
        self._children: list[ref[Box]] = []  # weak references, as cycles would keep the nodes alive
        self.neuron: Place | None
        self.owner: Place | None
        self.loss: Role | None
        if inner:
            losses = {box.loss for box in inner if box.kind != "number"}
            self.loss = losses.pop() if len(losses) == 1 else None
            self.neuron = next((box.neuron for box in inner if box.neuron is not None), None)
            self.owner = inner[-1].owner
        else:
            self.loss = loss_of(nodes[0])
            self.neuron = neuron_of(nodes[0], "za") if nodes[0].parents else None
            self.owner = None if nodes[0].parents else neuron_of(nodes[0], "wb")

    @property
    def children(self) -> tuple[Box, ...]:
        """The boxes that it has edges to."""
        return tuple(box for child in self._children if (box := child()) is not None)

    @property
    def node(self) -> Value:
        """Its last node, which is the only one if it is not folded."""
        return self.nodes[-1]

    @property
    def folded(self) -> bool:
        """Whether it contains more than one node."""
        return len(self.nodes) > 1


def fold(
    order: Sequence[Value],
    level: str,
    most: int,
    unfold: str | Iterable[str] = (),
    kinds: Kinds | None = None,
) -> list[Box]:
    """Return the boxes of a picture, parents before children.

    Args:
        order: the nodes of the graph in topological order.
        level: "none", "loss", "neuron", "layer", "batch", or "auto": the first of them, from "loss" on, with
            at most ``most`` boxes.
        most: the largest number of boxes for "auto"; if even "batch" has more, "auto" folds by depth, too.
        unfold: the names of boxes to open again, each by one level.
        kinds: gives the kind of each node.

    Raises:
        ValueError: there is no such level, or no box of a name in ``unfold``; the message lists the existing
            ones.
    """
    boxes = next(foldings(order, level, most, kinds or Kinds()))
    return open_boxes(boxes, {unfold} if isinstance(unfold, str) else set(unfold), order[-1])


def foldings(order: Sequence[Value], level: str, most: int, kinds: Kinds) -> Iterator[list[Box]]:
    """Yield the boxes of a picture as `fold` returns them; for "auto" then also ever fewer boxes, down to 2.

    Raises:
        ValueError: there is no such level.
    """
    if level not in (*LEVELS, "auto"):
        raise ValueError(f"fold is one of {', '.join(map(repr, LEVELS))} or 'auto', not {level!r:.60}")
    root = order[-1]
    boxes = _link([Box((node,), kinds) for node in order], root)
    for name, group in LEVELS.items():
        before = len(boxes)
        boxes = _merge(boxes, group(boxes), kinds, root) if group else boxes
        new = name == "loss" or len(boxes) < before
        if level == name or (level == "auto" and group and new and len(boxes) <= most):
            yield boxes
        if level == name:
            return
    while most > 1:
        if len(boxes) > most:
            yield _merge(boxes, by_depth(boxes, most), kinds, root)
        most //= 2


def open_boxes(boxes: list[Box], wanted: set[str], root: Value) -> list[Box]:
    """Replace each box with a name in ``wanted`` by the smaller boxes that it consists of.

    Raises:
        ValueError: no box has one of the names; the message lists the existing ones.
    """
    names: dict[str, None] = {}
    while names.keys() != (names := names | {box.name: None for box in boxes if box.folded}).keys():
        boxes = [part for box in boxes for part in (box.inner if box.name in wanted else (box,))]
    for name in wanted - names.keys():
        known = ", ".join([*map(repr, list(names)[:NAMES]), *["…"] * (len(names) > NAMES)])
        known = known or "none, as nothing is folded"
        raise ValueError(f"no folded box is called {name!r:.60}; there are {known}")
    return _link(boxes, root) if wanted else boxes


def _link(boxes: list[Box], root: Value) -> list[Box]:
    """Set the parents and the children of the boxes; return them in topological order."""
    home = {node: box for box in boxes for node in box.nodes}
    children: dict[Box, dict[Box, None]] = {box: {} for box in boxes}
    for box in boxes:
        parents = dict.fromkeys([home[parent] for node in box.nodes for parent in node.parents])
        parents.pop(box, None)
        box.parents = tuple(parents)
        for parent in parents:
            children[parent][box] = None
    for box in boxes:
        box._children = [ref(child) for child in children[box]]
    order: list[Box] = []
    seen: set[Box] = set()
    stack: list[tuple[Box, bool]] = [(home[root], False)]
    while stack:  # not topological_order: with roles set by hand, folding may make a cycle
        box, done = stack.pop()
        if done:
            order.append(box)
        elif box not in seen:
            seen.add(box)
            stack.append((box, True))
            stack += [(parent, False) for parent in reversed(box.parents)]
    return order


def _merge(boxes: list[Box], keys: dict[Box, Key], kinds: Kinds, root: Value) -> list[Box]:
    """Make one box of the boxes with the same key; a node that is alone stays unfolded."""
    groups: dict[Key, list[Box]] = {}
    for box in boxes:
        groups.setdefault(keys[box], []).append(box)
    merged = []
    for (name, _), group in groups.items():
        first = group[0]
        unchanged = len(group) == 1 and (not first.folded or first.name == name)
        nodes = [node for box in group for node in box.nodes]
        merged.append(first if unchanged else Box(nodes, kinds, group, name))
    return _link(merged, root)


# The levels. Each function returns, for every box, the key of the larger box that it becomes a part of.


def by_loss(boxes: list[Box]) -> dict[Box, Key]:
    """Fold a loss: its nodes, and the plain numbers that only these use."""
    head: dict[Box, Box] = {}
    for box in reversed(boxes):
        heads = dict.fromkeys([head[child] for child in box.children if child.loss is not None])
        first = next(iter(heads), box)
        same = box.loss is not None and box.loss == first.loss
        alone = box.kind == "number" and all(head[child] is first for child in box.children)
        head[box] = first if same or alone else box
    return {box: (h.loss.kind if h.loss else box.name, h) for box, h in head.items()}


def by_neuron(boxes: list[Box]) -> dict[Box, Key]:
    """Fold a neuron: its z, its a, and the nodes that only these use. Also fold chains of one operation."""
    inside = _on_the_way_to_z(boxes)
    head: dict[Box, Box] = {}
    for box in reversed(boxes):
        heads = dict.fromkeys([head[child] for child in box.children])
        first, head[box] = next(iter(heads), box), box
        if box.neuron is not None:  # a z belongs to its a; an a does not belong to the next a of that neuron
            its_a = (h for h in heads if h.neuron == box.neuron and _is_a(h))
            head[box] = box if _is_a(box) else next(its_a, box)
        elif len(heads) == 1 and box.node.parents and box.loss is None:
            run = len(box.children) == 1 and box.children[0].node.op is box.node.op
            part = first.neuron is not None and first.neuron in inside[box]
            head[box] = first if part or (run and first.neuron is None) else box
    size = Counter(head.values())
    whole: dict[Box, Key] = {}
    for h, n in size.items():
        name = f"{_symbol(h)} × {n}" if n > 1 else h.name
        whole[h] = name if h.neuron is None else _named("neuron", h.neuron), h
    keys = {box: whole[head[box]] for box in boxes}
    for box in boxes:
        heads = dict.fromkeys([head[child] for child in box.children])
        first = next(iter(heads), box)
        owners = frozenset(h for h in heads if box.owner is not None and h.neuron == box.owner)
        if owners and box.owner is not None:
            shared = _named("parameters of neuron", box.owner), owners
            keys[box] = shared if len(heads) > 1 else whole[first]
        elif box.kind == "number" and len(heads) == 1 and size[first] > 1:
            keys[box] = whole[first]
    return keys


def _on_the_way_to_z(boxes: list[Box]) -> dict[Box, set[Place]]:
    """Return, for each box, the neurons whose parameters it uses without another neuron in between."""
    inside: dict[Box, set[Place]] = {}
    for box in boxes:
        inside[box] = {box.owner} if box.owner is not None else set()
        if box.neuron is None:
            inside[box].update(*(inside[parent] for parent in box.parents))
    return inside


def _is_a(box: Box) -> bool:
    return neuron_of(box.node, "a") is not None


def by_layer(boxes: list[Box]) -> dict[Box, Key]:
    """Fold a layer: the neurons of one layer that have the same parents. Also fold their inputs."""
    keys: dict[Box, Key] = {box: (box.name, box) for box in boxes}
    for box in reversed(boxes):
        above = {keys[child] for child in box.children}
        if box.neuron is not None and box.neuron[0] is not None:
            keys[box] = _title(box), frozenset(parent for parent in box.parents if parent.owner is None)
        elif box.owner is not None and box.owner[0] is not None:
            owners = frozenset(keys[child] for child in box.children if child.neuron is not None)
            several = f"parameters of layer {box.owner[0]}", owners
            keys[box] = above.pop() if len(above) == 1 else several
        elif _is_input_of_neuron(box):
            keys[box] = "x", frozenset(above)
    return keys


def _is_input_of_neuron(box: Box) -> bool:
    leaf = box.kind in ("input", "leaf", "number") and not box.node.parents
    return leaf and any(child.neuron is not None for child in box.children)


def by_sample(boxes: list[Box]) -> dict[Box, Key]:
    """Fold the samples of a batch: the boxes with the same operations on the same parameters."""
    alike: dict[Box, int] = {}
    seen: dict[Hashable, int] = {}
    for box in boxes:
        node = box.node
        pattern: Hashable = box.title
        if node.parents:
            used = [alike.get(parent) for parent in box.parents if parent.kind != "number"]
            own = frozenset(node for node in box.nodes if neuron_of(node, "wb") is not None)
            title = _title(box) if box.neuron is not None else box.name
            pattern = title, node.op, own, frozenset(used) if box.folded else tuple(used)
        elif box.kind == "parameter":
            pattern = box
        elif _is_input_of_neuron(box):
            pattern = "x"
        alike[box] = seen.setdefault(pattern, len(seen))
    times = Counter(alike.values())
    titles: dict[int, set[str]] = {}
    for box in boxes:
        titles.setdefault(alike[box], set()).add("x" if _is_input_of_neuron(box) else _title(box))
    keys: dict[Box, Key] = {box: (box.name, box) for box in boxes}
    for box in reversed(boxes):
        above = {keys[child] for child in box.children}
        n = times[alike[box]]
        first, *others = titles[alike[box]]
        title = _symbol(box) if others else first
        of_samples = box.neuron is not None or box.loss is not None or _is_input_of_neuron(box)
        times_n = f"{title} × {n}{' samples' * of_samples}"
        keys[box] = times_n if n > 1 else box.name, alike[box]
        if box.kind == "number" and not box.folded:
            if len(above) == 1 and times[alike[box.children[0]]] > 1:
                keys[box] = above.pop()
                continue
            child = box.children[0].node
            place = child.parents.index(box.node) if box.node in child.parents else 0
            keys[box] = "number", (frozenset(above), place)
        elif box.owner is not None and len(above) == 1:
            keys[box] = above.pop()
    return keys


def by_depth(boxes: list[Box], most: int) -> dict[Box, Key]:
    """Fold the boxes of similar depth, which is possible for any graph."""
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
    "none": None, "loss": by_loss, "neuron": by_neuron, "layer": by_layer, "batch": by_sample,
}  # fmt: skip


def _named(what: str, place: Place) -> str:
    """Return ``what`` with layer and number of a neuron, if it has them."""
    return " ".join([what, "_".join(indices(place))]).strip()


def _symbol(box: Box) -> str:
    """Return the symbol of the operation that computed the box; for a leaf, its kind."""
    return symbol_of(box.node.op) if box.node.op else box.kind


def _title(box: Box) -> str:
    """Return the name of a group of boxes like this one."""
    layer = box.neuron[0] if box.neuron is not None else None
    return box.title if layer is None else f"layer {layer}"
