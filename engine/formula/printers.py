"""Print a formula: as plain text, as mathematics, as Python, and in LaTeX.

Each printer is an interpreter. The meaning of a word is its text and how tightly that text binds, so brackets
are written where the tree needs them and nowhere else. Plain text and Python parse to the same tree again.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import ClassVar, NamedTuple

from engine.formula.tree import Formula, Interpreter

CHOICE, TEST, SUM, PRODUCT, SIGN, POWER, ATOM = range(7)  # from loose to tight
BINDS = {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "<": TEST, "<=": TEST, ">": TEST, ">=": TEST}


class Text(NamedTuple):
    """A piece of a formula's text, and how tightly it binds."""

    text: str
    binds: int = ATOM

    def within(self, binds: int) -> str:
        """The text as a part of something that binds as tightly as ``binds``: in brackets if need be."""
        return self.text if self.binds >= binds else f"({self.text})"


def short(x: float) -> str:
    """A number as a person writes it: 2 rather than 2.0, and no digit lost.

    >>> short(2.0), short(-0.5), short(1e300)
    ('2', '-0.5', '1e+300')
    """
    whole = x.is_integer() and abs(x) < 1e15 and (x != 0 or math.copysign(1, x) > 0)
    return str(int(x)) if whole else repr(x)


class StrPrinter(Interpreter[Text]):
    """Prints a formula as plain text.

    >>> Formula("1 - y**2").interpret(StrPrinter(), [], Text("tanh(x)")).text
    '1 - tanh(x) ** 2'
    """

    def number(self, x: float) -> Text:
        return Text(short(x), SIGN if math.copysign(1, x) < 0 else ATOM)

    def apply(self, word: str, *args: Text) -> Text:
        if word == "neg":
            return Text(f"-{args[0].within(SIGN)}", SIGN)
        if word == "**":
            return self.power(*args)
        if word in BINDS:
            binds = BINDS[word]
            left, right = args[0].within(binds), args[1].within(binds + 1)  # a - (b - c) keeps its brackets
            return Text(f"{left} {word} {right}", binds)
        return Text(f"{word}({', '.join(arg.text for arg in args)})" if args else word)

    def power(self, base: Text, exponent: Text) -> Text:
        return Text(f"{base.within(ATOM)} ** {exponent.within(SIGN)}", POWER)

    def choose(self, test: Text, then: Callable[[], Text], other: Callable[[], Text]) -> Text:
        return Text(f"{then().within(TEST)} if {test.text} else {other().within(TEST)}", CHOICE)

    def call(self, formula: Formula, *args: Text) -> Text:
        return self.apply(formula.name, *args)


class MathPrinter(StrPrinter):
    """Prints a formula as mathematics in one line of text, for sentences and pictures.

    A power has its exponent as a superscript where Unicode has the characters, and behind ``^`` elsewhere.

    >>> Formula("1 - y**2").interpret(MathPrinter(), [], Text("y")).text
    '1 - y²'
    >>> Formula("b / (1 + exp(-a))").interpret(MathPrinter(), [Text("x"), Text("w")]).text
    'w / (1 + e⁻ˣ)'
    >>> Formula("a * b ** 1.5").interpret(MathPrinter(), [Text("x"), Text("w")]).text
    'x · w^1.5'
    """

    NAMES: ClassVar = {"log": "ln", "sigmoid": "σ", "pi": "π"}
    SIGNS: ClassVar = {"*": "·", "<=": "≤", ">=": "≥"}
    AROUND: ClassVar = {"abs": ("|", "|"), "floor": ("⌊", "⌋"), "ceil": ("⌈", "⌉")}

    def number(self, x: float) -> Text:
        return super().number(x + 0.0)  # -0.0 + 0.0 is 0.0

    def apply(self, word: str, *args: Text) -> Text:
        if word == "neg":
            return args[0] if args[0].text == "0" else Text(f"-{self._unsigned(args[0], SIGN)}", SIGN)
        if word == "exp":
            return self.power(Text("e"), args[0])
        if word == "sqrt":
            return Text(f"√{args[0].within(ATOM)}", POWER)
        if word in self.AROUND:
            left, right = self.AROUND[word]
            return Text(f"{left}{args[0].text}{right}")
        if word in BINDS:
            binds = BINDS[word]
            left, right = args[0].within(binds), self._unsigned(args[1], binds + 1)
            return Text(f"{left} {self.SIGNS.get(word, word)} {right}", binds)
        return super().apply(self.NAMES.get(word, word), *args)

    def power(self, base: Text, exponent: Text) -> Text:
        raised = superscript(exponent.text) or f"^{exponent.within(ATOM)}"
        return Text(f"{base.within(ATOM)}{raised}", POWER)

    def choose(self, test: Text, then: Callable[[], Text], other: Callable[[], Text]) -> Text:
        return Text(f"{then().within(TEST)} if {test.text}, else {other().within(TEST)}", CHOICE)

    @staticmethod
    def _unsigned(part: Text, binds: int) -> str:
        """The text as a part, in brackets if it begins with a sign: a - (-2), not a - -2."""
        return part.within(binds) if part.text[:1] != "-" else f"({part.text})"


SUPERSCRIPTS = str.maketrans(
    "0123456789+-abcdefghijklmnoprstuvwxyz", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ", " "
)


def superscript(text: str) -> str:
    """The text as a superscript; "" if it is long, or has a character without a superscript.

    >>> superscript("-x"), superscript("n - 1"), superscript("12"), superscript("x0"), superscript("1.5")
    ('⁻ˣ', 'ⁿ⁻¹', '¹²', '', '')
    """
    part = r"(\d{1,4}|[a-pr-z])"
    return text.translate(SUPERSCRIPTS) if re.fullmatch(rf"-?{part}( [+-] {part})?", text, re.A) else ""


class PythonPrinter(StrPrinter):
    """Writes a formula as Python to be run: the same text, but for what would leave the floats.

    A number that stands alone is written 1.0, not 1; a power that could turn complex goes through `pow`.
    The operations that the text calls by name are kept in ``called``: whoever runs it must define them.
    """

    def __init__(self) -> None:
        self.called: dict[str, Formula] = {}

    def apply(self, word: str, *args: Text) -> Text:
        return super().apply(word, *float_literals(args))

    def power(self, base: Text, exponent: Text) -> Text:
        if is_whole(exponent):
            return super().power(base, exponent)
        return Text(f"pow({base.text}, {exponent.text})")

    def choose(self, test: Text, then: Callable[[], Text], other: Callable[[], Text]) -> Text:
        return super().choose(test, lambda: float_literal(then()), lambda: float_literal(other()))

    def call(self, formula: Formula, *args: Text) -> Text:
        self.called[formula.name] = formula
        return super().call(formula, *map(float_literal, args))

    def define(self, formula: Formula, name: str) -> str:
        """The line of Python that defines a word: ``def sigmoid(a): return ...``."""
        return f"def {name}({', '.join(formula.letters)}): return {self.write(formula)}"

    def write(self, formula: Formula) -> str:
        """The formula in its own letters, as Python that gives a float."""
        return float_literal(formula.interpret(self, [Text("a"), Text("b")], Text("y"))).text


class LatexPrinter(Interpreter[Text]):
    r"""Prints a formula in LaTeX.

    >>> Formula("exp(a) / (1 + exp(a))").interpret(LatexPrinter(), [Text("x")]).text
    '\\frac{e^{x}}{1 + e^{x}}'
    """

    NAMES: ClassVar = {"log": r"\ln", "sin": r"\sin", "cos": r"\cos", "tan": r"\tan", "tanh": r"\tanh",
                       "asin": r"\arcsin", "acos": r"\arccos", "atan": r"\arctan",
                       "sinh": r"\sinh", "cosh": r"\cosh", "asinh": r"\operatorname{arsinh}",
                       "acosh": r"\operatorname{arcosh}", "atanh": r"\operatorname{artanh}",
                       "sign": r"\operatorname{sgn}",
                       "max": r"\max", "min": r"\min", "sigmoid": r"\sigma", "pi": r"\pi"}  # fmt: skip
    SIGNS: ClassVar = {"<=": r"\le", ">=": r"\ge", "*": r"\,"}

    def number(self, x: float) -> Text:
        mantissa, _, exponent = short(x).replace("inf", r"\infty").partition("e")
        text = rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else mantissa
        return Text(text, SIGN if math.copysign(1, x) < 0 else PRODUCT if exponent else ATOM)

    def apply(self, word: str, *args: Text) -> Text:
        match word, *(arg.text for arg in args):
            case "neg", a:
                return Text(f"-{args[0].within(ATOM if a[:1] == '-' else SIGN)}", SIGN)
            case "exp", a:
                return Text(f"e^{{{a}}}", POWER)
            case "sqrt", a:
                return Text(rf"\sqrt{{{a}}}")
            case "abs", a:
                return Text(rf"\left|{a}\right|")
            case (("floor" | "ceil"), a):
                return Text(rf"\left\l{word}{{{a}}}\right\r{word}")
            case "/", a, b:
                return Text(rf"\frac{{{a}}}{{{b}}}", PRODUCT)
            case "**", _, b:
                base = args[0].within(ATOM)
                if "^" in base and base[:1] != "(" and not base.startswith(r"\left"):
                    base = f"{{{base}}}"  # x^{(1)}^{2} is an error of TeX
                return Text(f"{base}^{{{b}}}", POWER)
            case "*", _, b:
                left, right = args[0].within(PRODUCT), args[1].within(SIGN if b[:1] != "-" else ATOM)
                dot = r"\cdot" if right[:1].isdigit() or (left[-1:].isdigit() and right[:1] == "(") else r"\,"
                return Text(f"{left} {dot} {right}", PRODUCT)
            case _ if word in BINDS:
                binds = BINDS[word]
                two_signs = binds == SUM and args[1].text[:1] == "-"  # a - (-2), and never a - -2
                left, right = args[0].within(binds), args[1].within(ATOM if two_signs else binds + 1)
                return Text(f"{left} {self.SIGNS.get(word, word)} {right}", binds)
        name = self.NAMES.get(word, rf"\operatorname{{{word}}}".replace("_", r"\_"))
        return Text(rf"{name}\left({', '.join(arg.text for arg in args)}\right)" if args else name)

    def choose(self, test: Text, then: Callable[[], Text], other: Callable[[], Text]) -> Text:
        cases = rf"{then().text} & \text{{if }} {test.text} \\ {other().text} & \text{{else}}"
        return Text(rf"\begin{{cases}} {cases} \end{{cases}}")

    def call(self, formula: Formula, *args: Text) -> Text:
        return self.apply(formula.name, *args)


def is_whole(text: Text) -> bool:
    """Whether Python would take the text for an int."""
    return text.text.lstrip("-").isdigit()


def float_literals(args: tuple[Text, ...]) -> tuple[Text, ...]:
    """Operands that are all whole numbers, as floats: or 10 ** 400 would be a whole number of 400 digits."""
    return tuple(map(float_literal, args)) if all(map(is_whole, args)) else args


def float_literal(text: Text) -> Text:
    """A number that stands alone, written so that Python takes it for a float."""
    return Text(f"{text.text}.0", text.binds) if is_whole(text) else text
