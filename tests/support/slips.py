"""Slips: every row that differs from a given one in a single word, letter or number."""

from engine.formula.printers import StrPrinter, Text
from engine.formula.tree import interpret

OTHER = {
    "+": "-", "-": "+", "*": "/", "/": "*", "**": "*", "<": "<=", "<=": "<", ">": ">=", ">=": ">",
    "sin": "cos", "cos": "sin", "tan": "tanh", "tanh": "tan", "exp": "expm1", "expm1": "exp",
    "asin": "acos", "acos": "asin", "atan": "asinh", "asinh": "atan", "acosh": "atanh", "atanh": "acosh",
    "sinh": "cosh", "cosh": "sinh", "floor": "ceil", "ceil": "floor", "sign": "neg",
    "log": "log1p", "log1p": "log", "erf": "erfc", "erfc": "erf", "sqrt": "abs", "abs": "sqrt",
    "a": "b", "b": "a", "y": "a",
}  # fmt: skip


def slips_of(tree, letters):
    """Yield trees with one slip: a wrong word or letter, a number plus one, a part left out."""
    if isinstance(tree, float):
        yield tree + 1
    elif isinstance(tree, str):
        yield from {OTHER[tree]} & set(letters)
    else:
        word, *parts = tree
        if word in OTHER:
            yield (OTHER[word], *parts)
        if word in ("neg", "if"):
            yield from parts[-2:]
        for i, part in enumerate(parts):
            for slip in slips_of(part, letters):
                yield (word, *parts[:i], slip, *parts[i + 1 :])


def text(tree):
    return interpret(tree, StrPrinter(), {letter: Text(letter) for letter in "aby"}).text


def slips(op):
    """Yield rows with one slip, and its place: None for the formula, else the position of the derivative."""
    formulas = (op.formula, *op.partials)
    for i, formula in enumerate(formulas):
        for tree in slips_of(formula.tree, op.formula.letters):
            row = [text(tree) if j == i else other.text for j, other in enumerate(formulas)]
            yield (i - 1 if i else None), row
