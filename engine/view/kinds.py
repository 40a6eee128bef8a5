"""Find the kind of each node: input, parameter, part of a neuron. The text of a label has no influence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from engine.core import ops
from engine.core.closures import OwnOperation, symbol_of
from engine.core.messages import brief
from engine.core.methods import Role
from engine.core.value import Value

#: The operations as signs of mathematics.
SIGNS = {"*": "×", "/": "÷", "-": "−", "neg": "−", "**": "xⁿ", "logsumexp": "log Σ eᵃ"}

#: A neuron: its layer and its number in the layer, or two Nones if it is in no layer.
Place = tuple[int | None, int | None]


class Kinds:
    """A function of nodes that returns the kind: "number", "input", "parameter", "leaf" or "computed".

    A plain number is an input if it has a label. The weights and the bias of a neuron are parameters, and a
    leaf with the role of an input is an input. Every other leaf is of the kind "leaf".

    Args:
        inputs: leaves that are inputs; every other leaf without a role is then a parameter.

    Raises:
        TypeError: ``inputs`` is not a list of Values.
        ValueError: one of them is not a leaf.

    >>> x, w = Value(2.0), Value(3.0)
    >>> [Kinds()(node) for node in (x, w, x * w)]
    ['leaf', 'leaf', 'computed']
    >>> [Kinds(inputs=[x])(node) for node in (x, w, x * w)]
    ['input', 'parameter', 'computed']
    """

    def __init__(self, inputs: Iterable[Value] | None = None) -> None:
        if inputs is not None and not isinstance(inputs, Iterable):
            raise TypeError(f"inputs is a list of Values, not {type(inputs).__name__}: {brief(inputs)}")
        self.inputs = None if inputs is None else list(inputs)
        for node in self.inputs or ():
            if not isinstance(node, Value):
                raise TypeError(f"inputs is a list of Values; {brief(node)} in it is {type(node).__name__}")
            if node.parents:
                raise ValueError(f"an input is a leaf, and {brief(node)} was computed")
        self._listed = set(self.inputs or ())

    def __call__(self, node: Value) -> str:
        """Return the kind of a node."""
        if node.parents:
            return "computed"
        role = node.role.kind if node.role else ""
        if node in self._listed or role == "x":
            return "input"
        if node.constant:
            return "input" if node.label else "number"
        if role in ("w", "b"):
            return "parameter"
        return "leaf" if self.inputs is None else "parameter"

    def family(self, node: Value) -> str:
        """Return the name of the family of a node: its role in a neuron, its label, or its operation.

        >>> Kinds().family(Value(1.0) + 1.0)
        '+'
        """
        if node.role and not node.role.formula:
            return node.role.kind
        return node.label or (symbol_of(node.op) if node.op else self(node))


def neuron_of(node: Value, kinds: str) -> Place | None:
    """Return the neuron that a node belongs to, if the kind of its role is a letter of ``kinds``, else None.

    >>> from engine import Role
    >>> z = Value(1.0)
    >>> z.role = Role("z", 2, 0)
    >>> neuron_of(z, "za"), neuron_of(z, "wb")
    ((2, 0), None)
    """
    role = node.role
    return (role.layer, role.neuron) if role and role.kind in kinds else None


def loss_of(node: Value) -> Role | None:
    """Return the role of a node that is a part of a loss; None for any other node.

    >>> from engine import Role
    >>> y = Value(3.0) ** 2
    >>> y.role = Role("square", formula="x²")
    >>> loss_of(y).kind, loss_of(y.parents[0])
    ('square', None)
    """
    return node.role if node.role and node.role.formula else None


def indices(place: Place) -> list[str]:
    """Return layer and number of a neuron as texts; an empty list for a neuron without a layer.

    >>> indices((1, 3)), indices((None, None))
    (['1', '3'], [])
    """
    return [str(i) for i in place if i is not None]


def samples(order: Sequence[Value]) -> dict[Value, int]:
    """Return the number of the sample that each z belongs to: a neuron's n-th z belongs to sample n.

    >>> from engine import Role, topological_order
    >>> zs = [Value(1.0) + 1.0, Value(2.0) + 1.0]
    >>> for z in zs:
    ...     z.role = Role("z", 1, 0)
    >>> list(samples(topological_order(zs[0] + zs[1])).values())
    [1, 2]
    """
    seen: Counter[Place] = Counter()
    numbers = {}
    for node in order:
        place = neuron_of(node, "z")
        if place is not None:
            seen[place] += 1
            numbers[node] = seen[place]
    return numbers


def sign_of(node: Value) -> str:
    """Return the operation of a computed node as a sign of mathematics.

    >>> x = Value(2.0)
    >>> sign_of(x * 3), sign_of(x**2), sign_of(-x)
    ('×', 'xⁿ', '−')
    """
    op = node.op
    if op is None:
        raise ValueError("a leaf has no operation")
    if op is ops.weighted_sum:
        last = node.parents[-1]
        return "Σ wᵢaᵢ" if last.constant and not last.data else "Σ wᵢaᵢ + b"
    return (not isinstance(op, OwnOperation) and SIGNS.get(op.symbol)) or symbol_of(op)
