"""Print formulas as JavaScript that computes what Python does and fails where Python does, in its words."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence

from engine.formula.arithmetic import WORDS
from engine.formula.printers import ATOM, BINDS, SIGN, Text, short
from engine.formula.tree import Formula, Interpreter

#: The words that JavaScript computes as Python does, for every float.
SAME = {word: f"Math.{word}" for word in ("abs", "sign", "floor", "ceil", "tanh", "atan", "atan2", "asinh")}
FUNCTION = {"/": "divide", "**": "pow"}

#: For each word that is undefined for some numbers: when Python raises, and a number where it does.
UNDEFINED: dict[str, tuple[str, Callable[[float], float], float]] = {
    "exp": ("overflows(y, a)", math.exp, 1e4),
    "expm1": ("overflows(y, a)", math.expm1, 1e4),
    "sinh": ("overflows(y, a)", math.sinh, 1e4),
    "cosh": ("overflows(y, a)", math.cosh, 1e4),
    "log": ("a <= 0", math.log, -1.5),
    "log1p": ("a <= -1", math.log1p, -1.5),
    "sqrt": ("a < 0", math.sqrt, -1.5),
    "sin": ("Math.abs(a) === Infinity", math.sin, math.inf),
    "cos": ("Math.abs(a) === Infinity", math.cos, math.inf),
    "tan": ("Math.abs(a) === Infinity", math.tan, math.inf),
    "asin": ("Math.abs(a) > 1", math.asin, 1.5),
    "acos": ("Math.abs(a) > 1", math.acos, 1.5),
    "acosh": ("a < 1", math.acosh, -1.5),
    "atanh": ("Math.abs(a) >= 1", math.atanh, 1.5),
}

#: Python's repr of a float, and the error that stops a computation.
COMMON = """\
const repr = (x) => {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf";
  const [digits, exponent] = x.toExponential().split("e");
  if (exponent >= -4 && exponent < 16) return (Object.is(x, -0) ? "-0" : String(x)) + (x % 1 ? "" : ".0");
  return `${digits}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
};
const fail = (a, ...pieces) => { throw new RangeError(pieces.join(repr(a))); };
const overflows = (y, ...numbers) => Math.abs(y) === Infinity && numbers.every(Number.isFinite);"""

#: The error function: a series of positive terms near 0, a continued fraction further out.
ERROR_FUNCTION = """\
const gauss = (x) => { const h = Math.fround(x); return Math.exp(-h * h) * Math.exp((h - x) * (h + x)); };
const erf = (x) => {
  if (x >= 2) return 1 - erfc(x);
  if (x <= -2) return erfc(-x) - 1;
  let term = x, sum = x;
  for (let n = 3; Math.abs(term) > 1e-18 * Math.abs(sum); n += 2) sum += term *= 2 * x * x / n;
  return 2 / Math.sqrt(Math.PI) * gauss(x) * sum;
};
const erfc = (x) => {
  if (!(x >= 1)) return 1 - erf(x);
  if (x > 30) return 0;
  let below = x;
  for (let n = 200; n > 0; n--) below = x + n / 2 / below;
  return gauss(x) / Math.sqrt(Math.PI) / below;
};"""


class JavaScriptPrinter(Interpreter[Text]):
    """Write formulas as JavaScript, to be run after the lines that `definitions` returns.

    An intermediate result that is used more than once becomes a line in ``constants``.

    >>> printer = JavaScriptPrinter()
    >>> Formula("-a**2 if a > 0 else log(a)").interpret(printer, [Text("x")]).text
    '(x > 0 ? -pow(x, 2) : log(x))'
    """

    def __init__(self) -> None:
        self.constants: list[str] = []
        self._words: set[str] = set()
        self._functions: dict[Formula, str] = {}  # the name of each operation that is called
        self._bodies: list[str] = []
        self._branches = 0  # how deep in choices the printer is

    def number(self, x: float) -> Text:
        if math.isnan(x):
            return Text("NaN")
        return Text(short(x).replace("inf", "Infinity"), SIGN if math.copysign(1, x) < 0 else ATOM)

    def let(self, x: Text) -> Text:
        if (
            self._branches or x.text.isalnum()
        ):  # a branch may not be taken, so nothing in it is computed before
            return x
        name = self.name_constant()
        self.constants.append(f"const {name} = {x.text};")
        return Text(name)

    def name_constant(self) -> str:
        """Return the name of the next of ``constants``."""
        return f"t{len(self.constants)}"

    def name_function(self, formula: Formula) -> str:
        """Return the name of an operation: a new one, as its own may be a reserved word."""
        return f"f{len(self._functions)}"

    def apply(self, word: str, *args: Text) -> Text:
        if word == "pi":
            return Text("Math.PI")
        if word == "neg":  # -(-a), as --a is another operator
            return Text(f"-{args[0].within(ATOM if args[0].text[0] == '-' else SIGN)}", SIGN)
        if word in BINDS and word != "/":
            binds = BINDS[word]
            return Text(f"{args[0].within(binds)} {word} {args[1].within(binds + 1)}", binds)
        self._words.add(word)
        return Text(f"{SAME.get(word) or FUNCTION.get(word, word)}({', '.join(arg.text for arg in args)})")

    def choose(self, test: Text, then: Callable[[], Text], other: Callable[[], Text]) -> Text:
        self._branches += 1
        text = Text(f"({test.text} ? {then().text} : {other().text})")
        self._branches -= 1
        return text

    def call(self, formula: Formula, *args: Text) -> Text:
        """Return the call of an operation, which becomes a function."""
        if formula not in self._functions:
            kept, self._branches = self._branches, 1  # the function has no constants of its own
            body = formula.interpret(self, [Text("a"), Text("b")]).text
            self._branches = kept
            name = self._functions[formula] = self.name_function(formula)
            self._bodies.append(f"const {name} = ({', '.join(formula.letters)}) => {body};")
        return Text(f"{self._functions[formula]}({', '.join(arg.text for arg in args)})")

    def function(self, letters: Sequence[str], body: Callable[[], str]) -> str:
        """Return an anonymous function of ``letters``; ``body`` prints what it returns."""
        self.constants = []
        result = body()
        inside = f"{{ {' '.join(self.constants)} return {result}; }}" if self.constants else f"({result})"
        return f"({', '.join(letters)}) => {inside}"

    def definitions(self) -> str:
        """Return the JavaScript that defines everything that the printed texts use."""
        words = self._words - SAME.keys()
        lines = [COMMON]
        if words & {"erf", "erfc"}:
            lines.append(ERROR_FUNCTION)
        lines += [_undefined(word) for word in sorted(words & UNDEFINED.keys())]
        lines += [define() for word, define in (("/", _divide), ("**", _power)) if word in words]
        return "\n".join([*lines, *self._bodies])


def _undefined(word: str) -> str:
    condition, function, outside = UNDEFINED[word]
    stop = f"{condition} ? {_fail(lambda: function(outside), outside)} : y"
    return f"const {word} = (a) => {{ const y = Math.{word}(a); return {stop}; }};"


def _divide() -> str:
    return f"const divide = (a, b) => (b === 0 ? {_fail(lambda: 1.0 / 0.0)} : a / b);"


def _power() -> str:
    """Return a ** b as Python computes it; JavaScript has NaN for 1 ** nan and for (-1) ** inf."""
    return f"""\
const pow = (a, b) => {{
  if (a === 1 || b === 0 || (a === -1 && Math.abs(b) === Infinity)) return 1;
  if (a === 0 && b < 0 && b !== -Infinity) {_fail(lambda: 0.0**-1.0)};
  if (a < 0 && a !== -Infinity && b % 1 && Number.isFinite(b)) {_fail(lambda: WORDS["**"](-1.0, 0.5))};
  const y = b === 2 ? a * a : Math.pow(a, b);
  return overflows(y, a, b) ? {_fail(lambda: 1e200**2.0)} : y;
}};"""


def _fail(outside: Callable[[], float], argument: float = math.nan) -> str:
    """Return a call of ``fail`` with the words of Python's error, around the argument if they name it."""
    try:
        outside()
    except (ArithmeticError, ValueError) as error:
        pieces = str(error.args[-1]).split(repr(argument))
        return f"fail(a, {', '.join(map(json.dumps, pieces))})"
    raise AssertionError("the number is outside the domain")
