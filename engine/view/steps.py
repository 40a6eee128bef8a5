"""The data of a player: the nodes, the formulas of their operations as text and as JavaScript, the steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.core.closures import OwnOperation, symbol_of
from engine.core.domain import failing_formula
from engine.core.messages import one_line
from engine.core.op import Op, Operation
from engine.core.value import Value
from engine.formula.javascript import JavaScriptPrinter
from engine.formula.printers import MathPrinter, Text
from engine.formula.simplify import Simplifier, TreeBuilder
from engine.formula.tree import Tree, interpret
from engine.view.backward_pass import BackwardPass, Edge
from engine.view.kinds import Kinds, neuron_of
from engine.view.phrases import MANY, some

Story = dict[str, object]  # JSON

# In a text, the letter of a parent is one character, which no label contains: the page puts a name or a
# number in its place. RESULT stands for the node itself.
FIRST, RESULT = 0xE000, "\uf8ff"
LONG = {"Σwa": "Σ wᵢ · aᵢ + b", "Σ": "Σ aᵢ"}  # sums of many parents


def story(run: BackwardPass, names: Mapping[Value, str], kinds: Kinds) -> tuple[Story, str]:
    """Return the data of a page, and its JavaScript: a list with two functions for each operation.

    The numbers are those of Python. The functions compute them again when a leaf is changed on the page.
    """
    place = {node: i for i, node in enumerate(run.order)}
    operations = _Operations(run)
    nodes = [
        {
            "name": names[node],
            "kind": kinds(node),
            "constant": node.constant,
            "data": node.data,
            **({} if names[node] == one_line(node.label) else {"label": one_line(node.label)}),
            **({"z": True} if _is_z(node) else {}),
            **(_computed(node, place, operations, run) if node.parents else {}),
        }
        for node in run.order
    ]
    by_hand = next((node for node in run.order if isinstance(node.op, OwnOperation)), None)
    data: Story = {
        "nodes": nodes,
        "operations": operations.texts,
        "backward": [_step(step.edge.node, step.edge.position, run, place) for step in run.steps],
        "fixed": f"{names[by_hand]} was made by hand, and a page cannot run its closure" if by_hand else "",
    }
    if by_hand:  # the contributions of a closure need not be products
        data["contributions"] = [step.edge.contribution for step in run.steps]
    return data, operations.javascript()


def _computed(node: Value, place: Mapping[Value, int], operations: _Operations, run: BackwardPass) -> Story:
    """Return the further data of a computed node."""
    return {
        "parents": [place[parent] for parent in node.parents],
        "local": list(run.local_gradients[node]),
        "operation": operations.index(node),
    }


def _step(node: Value, position: int, run: BackwardPass, place: Mapping[Value, int]) -> list[object]:
    """Return a step of the backward pass: the node, the position of the parent, and the textbook's term.

    The term is the kind of the step, and the index of the z whose Δ is meant, or nothing.
    """
    parent = node.parents[position]
    if neuron_of(node, "a") is not None and neuron_of(node, "a") == neuron_of(parent, "z"):
        after = [_neuron(child, run.children) for child, _ in run.children[node]]
        kind = "hidden" if after and None not in after else "output"
        return [place[node], position, kind, place[parent]]
    z = _neuron(node, run.children)
    kinds = {"w": "weight", "b": "bias", "a": "signal"}
    kind = kinds.get(parent.role.kind, "") if parent.role else ""
    own = kind == "signal" or neuron_of(parent, "wb") == (neuron_of(z, "z") if z else None)
    return [place[node], position, kind, place[z]] if z and kind and own else [place[node], position]


def _is_z(node: Value) -> bool:
    return bool(node.parents) and neuron_of(node, "z") is not None


def _neuron(node: Value, children: Mapping[Value, Sequence[Edge]] | None = None) -> Value | None:
    """Return the z that a node is, or is added to, so that both have the same gradient; otherwise None."""
    while not _is_z(node):
        above = children.get(node, []) if children else []
        if node.role or len(above) != 1 or above[0][0].op is None or above[0][0].op.symbol != "+":
            return None
        node = above[0][0]
    return node


class _Operations:
    """The operations of a graph: their formulas for people, and as JavaScript.

    Attributes:
        texts: for each operation (with its plain numbers, which are part of the text): its symbol, its
            formula, its derivatives, and the text of an error.
    """

    def __init__(self, run: BackwardPass) -> None:
        self.texts: list[Story] = []
        self._indices: dict[tuple[object, ...], int] = {}
        self._code: dict[tuple[Operation, int], int] = {}
        self._functions: list[str] = []
        self._printer = JavaScriptPrinter()
        self._run = run

    def index(self, node: Value) -> int:
        """Return the index of a node's operation in ``texts``."""
        assert node.op is not None
        numbers = [parent.data if _is_number(parent) else None for parent in node.parents]
        key = (node.op, repr(numbers))  # a repr tells 0 from -0
        if key not in self._indices:
            self._indices[key] = len(self.texts)
            self.texts.append(self._text(node.op, numbers))
        return self._indices[key]

    def _text(self, op: Operation, numbers: Sequence[float | None]) -> Story:
        letters = [Text(chr(FIRST + i)) for i in range(len(numbers))]
        printer = MathPrinter()
        args = [
            letter if x is None else printer.number(x) for letter, x in zip(letters, numbers, strict=True)
        ]
        if isinstance(op, OwnOperation):
            return {"symbol": symbol_of(op), "formula": op.text(printer, some(args, Text("…"))).text}
        word = op.symbol.isidentifier() and op.symbol.isascii()
        if len(args) > MANY:
            formula = LONG.get(op.symbol) or printer.apply(op.symbol, *some(args, Text("…"))).text
        else:
            formula = (printer.apply(op.symbol, *args) if word else op.textbook(printer, args)).text
        simplifier = Simplifier(TreeBuilder(), functions=False)
        parts: list[Tree] = [f"p{i}" if x is None else x for i, x in enumerate(numbers)]
        meanings = {f"p{i}": letter for i, letter in enumerate(letters)} | {"y": Text(RESULT)}
        trees = [op.textbook_derivative(i, simplifier, parts, "y") for i in range(len(parts))]
        found: Story = {
            "symbol": symbol_of(op),
            "formula": formula,
            "derivatives": [interpret(tree, printer, meanings).text for tree in trees],
            "code": self._function(op, len(numbers)),
        }
        if word and len(args) <= MANY and (definition := op.textbook(printer, args).text) != formula:
            found["definition"] = definition
        if isinstance(op, Op) and len(numbers) == 1:
            found["kinks"] = [[point[0], picks[0]] for point, picks in op.kinks.items()]
        if len(numbers) <= 2:  # the sums of many parents are defined for all numbers
            count = len(numbers)
            found["errors"] = [failing_formula(op, count, i) for i in (None, *range(count))]
        return found

    def _function(self, op: Operation, count: int) -> int:
        """Return the index of the JavaScript of an operation with so many parents."""
        if (op, count) not in self._code:
            args, positions = [Text(f"p[{i}]") for i in range(count)], range(count)

            def local() -> str:
                found = op.derivatives(positions, self._printer, args, Text("y"))
                return f"[{', '.join(f'skip[{i}] ? 0 : {x.text}' for i, x in enumerate(found))}]"

            forward = self._printer.function(["p"], lambda: op.forward(self._printer, args).text)
            backward = self._printer.function(["p", "y", "skip"], local)
            self._code[op, count] = len(self._functions)
            self._functions.append(f"[{forward}, {backward}]")
        return self._code[op, count]

    def javascript(self) -> str:
        """Return a function without arguments, which returns the functions of all operations."""
        functions = ",\n".join(self._functions)
        return f"() => {{\n{self._printer.definitions()}\nreturn {{ repr, code: [{functions}] }};\n}}"


def _is_number(node: Value) -> bool:
    """Return whether a node is a plain number without a name: it is part of the formula that uses it."""
    return node.constant and not node.label
