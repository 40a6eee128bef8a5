"""What nodes, numbers and slopes are called in a sentence: in plain text, and in mathematics for Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from engine.core.value import Value
from engine.formula.printers import ATOM, PRODUCT, SUM, LatexPrinter, StrPrinter, Text
from engine.formula.simplify import Simplifier, TreeBuilder
from engine.formula.tree import Tree, interpret
from engine.view.graphviz import shown

T = TypeVar("T")

MANY = 7  # parents of a node that are written out; of more, the first and the last

# In LaTeX a label is text: what would be markup there, or in the page around it, has a twin that is none.
TWINS = str.maketrans("\\{}$&#%^~`<>_*|[]@", "∖❴❵＄＆＃％＾～‘‹›＿∗❘⁅⁆＠")
INDEXED = re.compile(r"([^\W\d_]+)_?(\d+(?:_\d+)*)")


def names(nodes: Iterable[Value]) -> dict[Value, str]:
    """A name of its own for each node: its label, or v1, v2, ...; a label met again gets a number: x, x#2.

    >>> x = Value(2.0, label="x")
    >>> list(names([x, Value(1.0, label="x"), x * x]).values())
    ['x', 'x#2', 'v1']
    """
    nodes = list(nodes)
    labels = {node: one_line(node.label) for node in nodes}
    taken, times = set(labels.values()), dict.fromkeys(labels.values(), 0)
    found = {}
    for node, label in labels.items():
        if node.constant and not label:
            found[node] = shown(node.data)
            continue
        times[label] += 1
        name = label
        while not label or times[label] > 1:  # to be numbered; the number may belong to a label, too
            name = f"{label}#{times[label]}" if label else f"v{times[label]}"
            if name not in taken:
                break
            times[label] += 1
        found[node] = name
    return found


def one_line(label: str) -> str:
    """A label as part of a sentence: on one line, and nothing in it that does not print."""
    return "".join(c if c.isprintable() else "\ufffd" for c in " ".join(label.split()))


class Plain:
    """Writes names, numbers and slopes as plain text.

    Args:
        called: the name of each node.
    """

    times, to, dots = "×", "→", "…"
    in_k, delta_k, slope_k, sigma = "in_k", "Δ_k", "g'(in_k)", "Σ w Δ"

    def __init__(self, called: dict[Value, str]) -> None:
        self.called = called
        self.interpreter: StrPrinter | LatexPrinter = StrPrinter()

    def math(self, formula: str) -> str:
        """A formula within a sentence."""
        return formula

    def text(self, name: str) -> str:
        """A name as part of a formula."""
        return name

    def number(self, x: float) -> str:
        """A number, to four digits."""
        return shown(x)

    def slope_of(self, y: str, x: str) -> str:
        """∂y/∂x."""
        return f"∂{y}/∂{x}"

    # The rest is the same in every notation

    def delta(self, place: str | None) -> str:
        """Δ of the neuron at a place."""
        return self.text(f"Δ{place or ''}")

    def name(self, node: Value) -> str:
        """What a node is called."""
        return self.number(node.data) if node.constant and not node.label else self.text(self.called[node])

    def d(self, y: Value, x: Value) -> str:
        """∂y/∂x."""
        return self.slope_of(self.name(y), self.name(x))

    def within(self, x: float) -> str:
        """A number as a factor: in brackets, if it begins with a minus."""
        return self._numeral(x).within(ATOM)

    def term(self, x: float) -> str:
        """A number as a term of a sum: in brackets, if it begins with a minus."""
        return self._numeral(x).within(PRODUCT)

    def _numeral(self, x: float) -> Text:
        text = self.number(x)
        return Text(text, SUM if text[0] == "-" else PRODUCT if "cdot" in text else ATOM)

    def _letter(self, node: Value) -> Text:
        return self._numeral(node.data) if node.constant and not node.label else Text(self.name(node))

    def equation(self, node: Value) -> str:
        """How a node was computed: its name, its row with the names put in, its number."""
        assert node.op is not None
        args = [self._letter(parent) for parent in node.parents]
        called = self.interpreter.apply(node.op.symbol, *some(args, Text(self.dots))).text
        sides = [self.name(node)]
        if (node.op.symbol[0].isalpha() and node.op.symbol.isascii()) or len(args) > MANY:
            sides.append(called)
        if len(args) <= MANY:
            sides.append(node.op.forward(self.interpreter, args).text)
        return " = ".join(dict.fromkeys([*sides, self.number(node.data)]))

    def now(self, nodes: Iterable[Value]) -> str:
        """The numbers of some nodes; plain numbers without a name are left out."""
        named = [node for node in dict.fromkeys(nodes) if node.label or not node.constant]
        said = [self.math(f"{self.name(node)} = {self.number(node.data)}") for node in named]
        return ", ".join(some(said, self.math(self.dots)))

    def slope(self, node: Value, position: int) -> str:
        """A local gradient: what the row says, with the names, with the numbers, and its value."""
        sides = [self.row(node, position), self._read(node, position, lambda part: self._numeral(part.data))]
        local = self.number(node.local_gradients()[position])
        return " = ".join(dict.fromkeys([self.d(node, node.parents[position]), *sides, local]))

    def row(self, node: Value, position: int) -> str:
        """A local gradient as the row says it, with the names."""
        return self._read(node, position, self._letter)

    def _read(self, node: Value, position: int, letter: Callable[[Value], Text]) -> str:
        assert node.op is not None
        names = {f"p{i}": letter(parent) for i, parent in enumerate(node.parents)} | {"y": letter(node)}
        args: list[Tree] = [
            parent.data if parent.constant and not parent.label else f"p{i}"
            for i, parent in enumerate(node.parents)
        ]
        simplifier = Simplifier(TreeBuilder(), functions=False)
        tree = node.op.derivative(position, simplifier, args, "y")
        return interpret(tree, self.interpreter, names).text


class Math(Plain):
    """Writes names, numbers and slopes in LaTeX, between dollars."""

    times, to, dots = r"\times", r"\to", r"\dots"
    in_k, delta_k, slope_k, sigma = r"\text{in}_k", r"\Delta_k", r"g'(\text{in}_k)", r"\sum w \Delta"

    def __init__(self, called: dict[Value, str]) -> None:
        super().__init__(called)
        self.interpreter = LatexPrinter()

    def math(self, formula: str) -> str:
        return f"${formula}$"

    def text(self, name: str) -> str:
        indexed = INDEXED.fullmatch(name)
        letters, indices = indexed.groups() if indexed else (name, "")
        word = letters if len(letters) == 1 and letters.isalpha() else rf"\text{{{letters.translate(TWINS)}}}"
        return f"{word}_{{{indices.replace('_', ',')}}}" if indices else word

    def number(self, x: float) -> str:
        mantissa, _, exponent = (
            shown(x).replace("inf", r"\infty").replace("nan", r"\text{NaN}").partition("e")
        )
        return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else mantissa

    def slope_of(self, y: str, x: str) -> str:
        return rf"\frac{{\partial {y}}}{{\partial {x}}}"


def some(items: Sequence[T], dots: T) -> list[T]:
    """The items; of more than MANY the first ones and the last, with ``dots`` in the middle."""
    return [*items] if len(items) <= MANY else [*items[: MANY - 2], dots, items[-1]]
