"""Write names, numbers and local gradients as parts of a sentence, in plain text or in LaTeX."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from engine.core.closures import OwnOperation, symbol_of
from engine.core.op import shipped
from engine.core.value import Value
from engine.formula.printers import ATOM, PRODUCT, SUM, TEST, LatexPrinter, StrPrinter, Text
from engine.formula.simplify import Simplifier, TreeBuilder
from engine.formula.tree import Tree, interpret
from engine.view.kinds import Place, indices

T = TypeVar("T")

MANY = 7  # parents of a node that are written out; of more, the first ones and the last one
LONGEST = 80  # characters of a label in a sentence at most

# In LaTeX a label is text: a character that would be markup there, or in the page around it, is replaced by
# a similar one.
TWINS = str.maketrans("\\{}$&#%^~`<>_*|[]@", "∖❴❵＄＆＃％＾～‘‹›＿∗❘⁅⁆＠")


def names(nodes: Iterable[Value]) -> dict[Value, str]:
    """Return a different name for each node: its label, or v1, v2, ...; a repeated label is numbered: x#2.

    >>> x = Value(2.0, label="x")
    >>> list(names([x, Value(1.0, label="x"), x * x]).values())
    ['x', 'x#2', 'v1']
    """
    nodes = list(nodes)
    labels = {node: in_sentence(node.label) for node in nodes}
    taken, times = set(labels.values()), dict.fromkeys(labels.values(), 0)
    found = {}
    for node, label in labels.items():
        if node.constant and not label:
            found[node] = four_digits(node.data)
            continue
        times[label] += 1
        name = label
        while not label or times[label] > 1:  # add a number; the result may be the label of another node
            name = f"{label}#{times[label]}" if label else f"v{times[label]}"
            if name not in taken:
                break
            times[label] += 1
        found[node] = name
    return found


def in_sentence(label: str) -> str:
    """Return a label as part of a sentence: one line of bounded length, printable."""
    label = " ".join(label[: 2 * LONGEST].split())
    label = label if len(label) <= LONGEST else label[: LONGEST - 1] + "…"
    return "".join(c if c.isprintable() else "\ufffd" for c in label)


def four_digits(x: float) -> str:
    """Return a number to four significant digits.

    >>> four_digits(2.0), four_digits(-0.123456), four_digits(-0.0)
    ('2', '-0.1235', '0')
    """
    return f"{x + 0.0:.4g}"  # -0.0 + 0.0 is 0.0


def some(items: Sequence[T], dots: T) -> list[T]:
    """Return the items; if there are more than MANY, the first ones, ``dots`` and the last one."""
    return [*items] if len(items) <= MANY else [*items[: MANY - 2], dots, items[-1]]


def count(n: int, noun: str) -> str:
    """Return a number with its noun.

    >>> count(1, "step"), count(2000, "step")
    ('1 step', '2,000 steps')
    """
    return f"{n:,} {noun}{'s' * (n != 1)}"


class Plain:
    """Write names, numbers and local gradients as plain text.

    Args:
        names: the name of each node.
        local_gradients: the local gradients of each node, as a BackwardPass has them.
    """

    times, to, dots = "×", "→", "…"
    in_k, delta_k, derivative_k, sigma = "in_k", "Δ_k", "g'(in_k)", "Σ w Δ"

    def __init__(
        self, names: Mapping[Value, str], local_gradients: Mapping[Value, Sequence[float]] | None = None
    ) -> None:
        self.names, self.local_gradients = names, local_gradients or {}
        self.printer: StrPrinter | LatexPrinter = StrPrinter()

    def math(self, formula: str) -> str:
        """Return a formula as part of a sentence."""
        return formula

    def text(self, name: str) -> str:
        """Return a name as part of a formula."""
        return name

    def number(self, x: float) -> str:
        """Return a number, to four digits."""
        return four_digits(x)

    def partial(self, y: str, x: str) -> str:
        """Return ∂y/∂x."""
        return f"∂{y}/∂{x}"

    def delta(self, place: Place) -> str:
        """Return the Δ of a neuron."""
        return "Δ" + "_".join(indices(place))

    def call(self, symbol: str, args: Sequence[str]) -> str:
        """Return the call of an operation."""
        return f"{symbol}({', '.join(args)})"

    # The methods below are the same in both notations

    def name(self, node: Value) -> str:
        """Return the name of a node; for a plain number, the number."""
        return self.number(node.data) if node.constant and not node.label else self.text(self.names[node])

    def d(self, y: Value, x: Value) -> str:
        """Return ∂y/∂x."""
        return self.partial(self.name(y), self.name(x))

    def within(self, x: float) -> str:
        """Return a number as a factor, in brackets if it begins with a minus."""
        return self._numeral(x).within(ATOM)

    def term(self, x: float) -> str:
        """Return a number as a term of a sum, in brackets if it begins with a minus."""
        return self._numeral(x).within(PRODUCT)

    def _numeral(self, x: float) -> Text:
        text = self.number(x)
        return Text(text, SUM if text[0] == "-" else PRODUCT if "cdot" in text else ATOM)

    def _letter(self, node: Value) -> Text:
        return self._numeral(node.data) if node.constant and not node.label else Text(self.name(node))

    def equation(self, node: Value) -> str:
        """Return how a node was computed: its name, its formula in the names of its parents, its number."""
        assert node.op is not None
        args = [self._letter(parent) for parent in node.parents]
        symbol, sides = node.op.symbol, [self.name(node)]
        own = isinstance(node.op, OwnOperation)  # always a call, even if its symbol is "-"
        if own or (symbol[0].isalpha() and symbol.isascii()) or len(args) > MANY:
            shown = some(args, Text(self.dots))
            sides.append(
                self.printer.apply(symbol, *shown).text
                if symbol in shipped and not own
                else self.call(symbol_of(node.op), [arg.text for arg in shown])
            )
        if len(args) <= MANY and not own:
            sides.append(node.op.text(self.printer, args).within(TEST))
        return " = ".join(dict.fromkeys([*sides, self.number(node.data)]))

    def now(self, nodes: Iterable[Value]) -> str:
        """Return equations of nodes and their numbers; plain numbers without a name are left out."""
        named = [node for node in dict.fromkeys(nodes) if node.label or not node.constant]
        equations = [self.math(f"{self.name(node)} = {self.number(node.data)}") for node in named]
        return ", ".join(some(equations, self.math(self.dots)))

    def local(self, node: Value, position: int) -> str:
        """Return a local gradient: its formula in names, then in numbers, then its value."""
        if isinstance(node.op, OwnOperation):
            return self.number(self.local_gradients[node][position])
        tree = self._tree(node, position)
        sides = [self._write(tree, node, self._letter)]
        if not _chooses(tree):  # the numbers of a choice are no easier to read
            sides.append(self._write(tree, node, lambda part: self._numeral(part.data)))
        return " = ".join(dict.fromkeys([*sides, self.number(self.local_gradients[node][position])]))

    def formula(self, node: Value, position: int) -> str:
        """Return the formula of a local gradient in the names of the nodes, as a factor."""
        if isinstance(node.op, OwnOperation):
            return self.within(self.local_gradients[node][position])
        return self._write(self._tree(node, position), node, self._letter, PRODUCT)

    def _write(self, tree: Tree, node: Value, letter: Callable[[Value], Text], binds: int = TEST) -> str:
        letters = {f"p{i}": letter(parent) for i, parent in enumerate(node.parents)} | {"y": letter(node)}
        return interpret(tree, self.printer, letters).within(binds)

    @staticmethod
    def _tree(node: Value, position: int) -> Tree:
        assert node.op is not None
        args: list[Tree] = [
            parent.data if parent.constant and not parent.label else f"p{i}"
            for i, parent in enumerate(node.parents)
        ]
        simplifier = Simplifier(TreeBuilder(), functions=False)
        return node.op.derivative(position, simplifier, args, "y")


class Latex(Plain):
    """Write names, numbers and local gradients in LaTeX, between dollar signs."""

    times, to, dots = r"\times", r"\to", r"\dots"
    in_k, delta_k, derivative_k, sigma = r"\text{in}_k", r"\Delta_k", r"g'(\text{in}_k)", r"\sum w \Delta"

    def __init__(
        self, names: Mapping[Value, str], local_gradients: Mapping[Value, Sequence[float]] | None = None
    ) -> None:
        super().__init__(names, local_gradients)
        self.printer = _Printer()

    def math(self, formula: str) -> str:
        return f"${formula}$"

    def text(self, name: str) -> str:
        """Return a name as part of a formula; digits at its end are typeset as indices."""
        letters = name.rstrip("0123456789_")
        numbers = name[len(letters) :].removeprefix("_").split("_")
        if not (letters.isalpha() and all(numbers)):
            letters, numbers = name, []
        word = letters if len(letters) == 1 and letters.isalpha() else rf"\text{{{letters.translate(TWINS)}}}"
        return f"{word}_{{{','.join(numbers)}}}" if numbers else word

    def number(self, x: float) -> str:
        mantissa, _, exponent = four_digits(x).partition("e")
        if exponent:
            return rf"{mantissa} \cdot 10^{{{int(exponent)}}}"
        return mantissa.replace("inf", r"\infty").replace("nan", r"\text{NaN}")

    def partial(self, y: str, x: str) -> str:
        return rf"\frac{{\partial {y}}}{{\partial {x}}}"

    def delta(self, place: Place) -> str:
        return r"\Delta" + (f"_{{{','.join(indices(place))}}}" if indices(place) else "")

    def call(self, symbol: str, args: Sequence[str]) -> str:
        word = symbol.replace("_", r"\_") if symbol.isidentifier() else rf"\text{{{symbol.translate(TWINS)}}}"
        return rf"\operatorname{{{word}}}\left({', '.join(args)}\right)"


class _Printer(LatexPrinter):
    def number(self, x: float) -> Text:
        return Text(r"\text{NaN}") if math.isnan(x) else super().number(x)


def _chooses(tree: Tree) -> bool:
    """Return whether a tree contains a choice (``... if ... else ...``)."""
    return isinstance(tree, tuple) and (tree[0] == "if" or any(map(_chooses, tree[1:])))
