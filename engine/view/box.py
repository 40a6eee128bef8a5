"""Boxes: nodes of a graph that are drawn as one, and what feeds what among them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from engine.core.value import Value
from engine.view.labels import family, placed

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
