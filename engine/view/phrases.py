"""Write names, numbers and local gradients as parts of a sentence, in plain text or in LaTeX."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from engine.core.closures import OwnOperation, symbol_of
from engine.core.op import Evaluator, Op, shipped
from engine.core.value import Value
from engine.formula.printers import ATOM, PRODUCT, SUM, TEST, LatexPrinter, MathPrinter, Text
from engine.formula.simplify import Simplifier, TreeBuilder
from engine.formula.tree import Tree, interpret
from engine.view.kinds import Place, indices, neuron_of, samples

T = TypeVar("T")

MANY = 7  # parents of a node that are written out; of more, the first ones and the last one
LONGEST = 80  # characters of a label in a sentence at most
JUMP = 1e-6  # a kink: beside it, the derivative or the function changes by more than this

SUPERSCRIPT_DIGITS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
NORMAL_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")

# The characters of a label that are markup, in LaTeX or in the page around it: commands of math mode without
# any character that Markdown or HTML would take for its own.
MARKUP = {
    "\\": r"\backslash ", "{": r"\lbrace ", "}": r"\rbrace ", "$": r"\text{ dollar }", "&": r"\text{ and }",
    "#": r"\#", "%": r"\%", "^": r"\wedge ", "~": r"\sim ", "`": r"\prime ", "<": r"\langle ",
    ">": r"\rangle ", "_": r"\_", "*": r"\ast ", "|": r"\vert ", "[": r"\lbrack ", "]": r"\rbrack ",
    "@": r"\text{ at }", "·": r"\cdot ", "×": r"\times ", "→": r"\to ", "∂": r"\partial ", "…": r"\dots ",
}  # fmt: skip
GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta",
    "θ": "theta", "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi",
    "ρ": "rho", "σ": "sigma", "τ": "tau", "υ": "upsilon", "φ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega",
    "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma",
    "Υ": "Upsilon", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
}  # fmt: skip
CONTRARY = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}


def names(nodes: Iterable[Value]) -> dict[Value, str]:
    """Return a different name for each node: its label, or v1, v2, ...; a repeated label is numbered: x#2.

    If a neuron occurs for several samples, the names of its z and a and of the inputs end in the number of
    the sample: z1_0⁽²⁾ belongs to sample 2.

    >>> x = Value(2.0, label="x")
    >>> list(names([x, Value(1.0, label="x"), x * x]).values())
    ['x', 'x#2', 'v1']
    """
    nodes = list(dict.fromkeys(nodes))
    of_sample = {node: f"⁽{n}⁾".translate(SUPERSCRIPT_DIGITS) for node, n in sample_numbers(nodes).items()}
    labels = {
        node: label + of_sample.get(node, "") if (label := in_sentence(node.label)) else "" for node in nodes
    }
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


def sample_numbers(nodes: Sequence[Value]) -> dict[Value, int]:
    """Return the number of the sample of each z, each a and each input; none if there is one sample only.

    Args:
        nodes: the nodes in topological order.
    """
    numbers = samples(nodes)
    if max(numbers.values(), default=1) == 1:
        return {}
    found: dict[Value, int] = {}
    shared = set()
    for node in nodes:
        if node in numbers:
            found[node] = numbers[node]
            parts = list(node.parents)
            while parts:
                part = parts.pop()
                if part.role is None:
                    parts += part.parents
                elif part.role.kind == "x" and found.setdefault(part, numbers[node]) != numbers[node]:
                    shared.add(part)
        elif neuron_of(node, "a") is not None:
            found |= {a: found[z] for a, z in [(node, node.parents[0])] if z in numbers}
    return {node: n for node, n in found.items() if node not in shared}


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

    times, to, dots = "·", "→", "…"

    def __init__(
        self, names: Mapping[Value, str], local_gradients: Mapping[Value, Sequence[float]] | None = None
    ) -> None:
        self.names, self.local_gradients = names, local_gradients or {}
        self.printer: MathPrinter | LatexPrinter = MathPrinter()
        self.rounded = False  #: whether a number was written with fewer digits than it has

    def math(self, formula: str) -> str:
        """Return a formula as part of a sentence."""
        return formula

    def text(self, name: str) -> str:
        """Return a name as part of a formula."""
        return name

    def number(self, x: float) -> str:
        """Return a number, to four digits."""
        text = four_digits(x)
        self.rounded |= math.isfinite(x) and float(text) != x
        return text

    def partial(self, y: str, x: str) -> str:
        """Return ∂y/∂x."""
        return f"∂{y}/∂{x}"

    def delta(self, place: Place, sample: int | None = None) -> str:
        """Return the Δ of a neuron, for a sample."""
        n = "" if sample is None else f"⁽{sample}⁾".translate(SUPERSCRIPT_DIGITS)
        return "Δ" + "_".join(indices(place)) + n

    def letter(self, letter: str, index: str) -> str:
        """Return one of the letters in, a, t, w, Δ of the textbook with its index."""
        return f"{letter}_{index}"

    def derivative_at(self, index: str) -> str:
        """Return g'(in_k)."""
        return f"g'({self.letter('in', index)})"

    def signals(self, index: str) -> str:
        """Return Σ_k w_jk Δ_k, where j is ``index``."""
        return f"Σ_k w_{index}k Δ_k"

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
            sides.append(node.op.textbook(self.printer, args).within(TEST))
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
        tree, _ = _chosen(self._tree(node, position), _numbers(node))
        sides = [self._write(tree, node, self._letter)]
        if not _chooses(tree):  # the numbers of a choice inside a formula are no easier to read
            sides.append(self._write(tree, node, lambda part: self._numeral(part.data)))
        return " = ".join(dict.fromkeys([*sides, self.number(self.local_gradients[node][position])]))

    def reasons(self, node: Value, position: int) -> str:
        """Return why a local gradient is as `local` writes it: the case of its formula, and a kink.

        The result is the rest of a sentence, ``, as x = 3 > 0``; "" if the formula has no cases.
        """
        if isinstance(node.op, OwnOperation):
            return ""
        _, tests = _chosen(self._tree(node, position), _numbers(node))
        cases = [self.math(self._case(node, test, holds)) for test, holds in tests]
        return (f", as {' and '.join(cases)}" if cases else "") + self._kink(node, position)

    def _case(self, node: Value, test: Tree, holds: bool) -> str:
        """Return a comparison that holds, with the numbers of its sides: x = 3 > 0."""
        assert isinstance(test, tuple)
        word, *parts = test
        sides = []
        for part in parts:
            texts = [self._write(part, node, self._letter)]
            if not isinstance(part, float):
                x = interpret(part, Evaluator(), _numbers(node))
                texts.append(self.number(x))
                if math.isnan(x):
                    return " = ".join(texts)  # no comparison with it holds
            sides.append(Text(" = ".join(dict.fromkeys(texts))))
        return self.printer.apply(str(word) if holds else CONTRARY[str(word)], *sides).text

    def _kink(self, node: Value, position: int) -> str:
        """Return a remark in brackets if the node is at a kink of its operation; otherwise ""."""
        sides = kink(node, position)
        if sides is None:
            return ""
        left, right = map(self.number, sides)
        picked = self.math(self.number(self.local_gradients[node][position]))
        x = node.parents[position]
        point = (
            f"{self.name(x)} = {self.number(x.data)}" if x.label or not x.constant else self.number(x.data)
        )
        if left == right:
            what = f"the function jumps at {self.math(point)} and has no derivative there"
        else:
            what = f"{self.math(point)} is a kink: the derivative is {self.math(left)} on the left and "
            what += f"{self.math(right)} on the right"
        return f" ({what}; the table picks {picked})"

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
        return node.op.textbook_derivative(position, simplifier, args, "y")


class Latex(Plain):
    """Write names, numbers and local gradients in LaTeX, between dollar signs.

    KaTeX, MathJax and pdflatex take it. It is ASCII, but for letters of labels that are neither Latin nor
    Greek.
    """

    times, to, dots = r"\cdot", r"\to", r"\dots"

    def __init__(
        self, names: Mapping[Value, str], local_gradients: Mapping[Value, Sequence[float]] | None = None
    ) -> None:
        super().__init__(names, local_gradients)
        self.printer = _Printer()

    def math(self, formula: str) -> str:
        return f"${formula}$"

    def text(self, name: str) -> str:
        """Return a name as part of a formula: digits at its end are indices, a sample is a superscript."""
        name, _, sample = name.partition("⁽")
        number = sample.rstrip("⁾").translate(NORMAL_DIGITS)
        if sample and not number.isdecimal():
            name, number = f"{name}({number})", ""
        letters = name.rstrip("0123456789_")
        numbers = name[len(letters) :].removeprefix("_").split("_")
        if not (letters.isalpha() and all(numbers)):
            letters, numbers = name, []
        word = _word(letters).rstrip() + (f"_{{{','.join(numbers)}}}" if numbers else "")
        return f"{word}^{{({number})}}" if number else word

    def number(self, x: float) -> str:
        mantissa, _, exponent = super().number(x).partition("e")
        if exponent:
            return rf"{mantissa} \cdot 10^{{{int(exponent)}}}"
        return mantissa.replace("inf", r"\infty").replace("nan", r"\text{NaN}")

    def partial(self, y: str, x: str) -> str:
        return rf"\frac{{\partial {y}}}{{\partial {x}}}"

    def delta(self, place: Place, sample: int | None = None) -> str:
        index = f"_{{{','.join(indices(place))}}}" if indices(place) else ""
        return rf"\Delta{index}" + (f"^{{({sample})}}" if sample is not None else "")

    def letter(self, letter: str, index: str) -> str:
        word = {"in": r"\mathit{in}", "Δ": r"\Delta"}.get(letter, letter)
        return f"{word}_{{{index}}}"

    def signals(self, index: str) -> str:
        return rf"\sum_k w_{{{index}k}} \Delta_k"

    def call(self, symbol: str, args: Sequence[str]) -> str:
        word = symbol.replace("_", r"\_") if symbol.isidentifier() and symbol.isascii() else _word(symbol)
        return rf"\operatorname{{{word}}}\left({', '.join(args)}\right)"


def _word(text: str) -> str:
    r"""Return a label in math mode: letters as text, Greek ones and markup as commands.

    >>> _word("x"), _word("loss"), _word("a#2"), _word("Δ")
    ('x', '\\text{loss}', '\\text{a}\\#\\text{2}', '\\Delta ')
    """
    if len(text) == 1 and text.isalpha() and text.isascii():
        return text
    found: list[str] = []
    plain = ""
    for c in text:
        command = MARKUP.get(c) or (f"\\{GREEK[c]} " if c in GREEK else "")
        if command and plain:
            found.append(rf"\text{{{plain}}}")
            plain = ""
        if command:
            found.append(command)
        else:
            plain += c
    return "".join([*found, rf"\text{{{plain}}}" if plain else ""])


class _Printer(LatexPrinter):
    def number(self, x: float) -> Text:
        return Text(r"\text{NaN}") if math.isnan(x) else super().number(x)


def _chooses(tree: Tree) -> bool:
    """Return whether a tree contains a choice (``... if ... else ...``)."""
    return isinstance(tree, tuple) and (tree[0] == "if" or any(map(_chooses, tree[1:])))


def _numbers(node: Value) -> dict[str, float]:
    """Return the numbers of a node and of its parents, by the letters of `Plain._tree`."""
    return {**{f"p{i}": parent.data for i, parent in enumerate(node.parents)}, "y": node.data}


def _chosen(tree: Tree, numbers: Mapping[str, float]) -> tuple[Tree, list[tuple[Tree, bool]]]:
    """Return the case of a formula that holds for these numbers, and each test with its result.

    >>> _chosen(("if", ("<=", "p0", 0.0), 0.0, 1.0), {"p0": 3.0})
    (1.0, [(('<=', 'p0', 0.0), False)])
    """
    tests: list[tuple[Tree, bool]] = []
    while isinstance(tree, tuple) and tree[0] == "if":
        test, then, other = list(tree[1:])
        try:
            holds = bool(interpret(test, Evaluator(), numbers))
        except (ArithmeticError, ValueError):
            break
        tests.append((test, holds))
        tree = then if holds else other
    return tree, tests


def kink(node: Value, position: int) -> tuple[float, float] | None:
    """Return the derivatives beside a kink, on the left and on the right; None where the node has no kink.

    Both are equal where the function jumps, as `floor` does.

    >>> from engine import relu
    >>> kink(relu(Value(0.0)), 0), kink(relu(Value(1.0)), 0)
    ((0.0, 1.0), None)
    """
    op = node.op
    if not isinstance(op, Op) or not op.kinks:
        return None
    data = [parent.data for parent in node.parents]
    sides = []
    for end in (-math.inf, math.inf):
        beside = [*data]
        beside[position] = math.nextafter(data[position], end)
        try:
            y = op.value(*beside)
            sides.append((op.local_gradient(position, beside, y), y))
        except (ArithmeticError, ValueError):
            return None
    (left, y_left), (right, y_right) = sides
    jumps = abs(y_right - y_left) > JUMP
    return (left, right) if abs(right - left) > JUMP or jumps else None
