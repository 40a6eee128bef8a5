"""Write the part of the reference that the table of operations states: formula, derivatives, domain."""

import engine
from engine import Op, ops
from engine.formula.printers import LatexPrinter, Text

PLACE = "% the operations"
TRIED = [-2.0, -1.0, 0.0, 1.0, 1000.0]  # every operation is defined at one of these; some are not at others


def fill(app, page, source):
    """Handle Sphinx's event for the source of a page: replace the place of the operations by their text."""
    if PLACE in source[0]:
        source[0] = source[0].replace(PLACE, describe_all())


def public_name(op):
    """Return the name by which a user imports an operation.

    >>> public_name(ops.tanh), public_name(ops.add)
    ('engine.tanh', 'engine.ops.add')
    """
    [name] = [name for name, value in vars(ops).items() if value is op]
    return f"engine.{name}" if name in engine.__all__ else f"engine.ops.{name}"


def rows():
    """Return the operations that are rows of text, in the order of the table."""
    return [op for op in ops.table.values() if isinstance(op, Op) and op in vars(ops).values()]


def describe_all():
    """Return the descriptions of all rows, in reStructuredText within Markdown."""
    return "```{eval-rst}\n" + "\n".join(describe(op) for op in rows()) + "```\n"


def describe(op):
    """Return the description of one row.

    >>> print(describe(ops.exp))
    .. py:function:: engine.exp(a)
    <BLANKLINE>
       .. math:: y = e^{a} \\qquad \\frac{\\partial y}{\\partial a} = y
    <BLANKLINE>
       Computed as ``exp(a)``, with the derivative ``y``.
    <BLANKLINE>
       ``exp(1000.0)`` raises OverflowError: exp(a) at a = 1000.0: math range error.
    <BLANKLINE>
    """
    letters, printer = op.formula.letters, LatexPrinter()
    args, y = [Text(letter) for letter in letters], Text("y")
    formulas = [rf"y = {op.textbook(printer, args).text}"]
    for position, letter in enumerate(letters):
        derivative = op.textbook_derivative(position, printer, args, y).text
        formulas.append(rf"\frac{{\partial y}}{{\partial {letter}}} = {derivative}")
    partials = " and ".join(f"``{partial.text}``" for partial in op.partials)
    lines = [
        ".. math:: " + r" \qquad ".join(formulas),
        f"Computed as ``{op.formula.text}``, with the derivative{'s' * (len(letters) > 1)} {partials}.",
        *kinks(op),
        *errors(op),
    ]
    name = f"{public_name(op)}({', '.join(letters)})"
    return f".. py:function:: {name}\n" + "".join(f"\n   {line}\n" for line in lines)


def kinks(op):
    """Yield a sentence for each point without a derivative.

    >>> list(kinks(ops.relu))
    ['There is no derivative at a = 0; the row takes 0 there.']
    """
    letters = op.formula.letters
    for point, derivatives in op.kinks.items():
        place = ", ".join(f"{letter} = {x:g}" for letter, x in zip(letters, point))
        taken = " and ".join(f"{d:g}" for d in derivatives)
        yield f"There is no derivative at {place}; the row takes {taken} there."


def errors(op):
    """Yield a sentence for the first of some arguments at which the operation is not defined.

    >>> list(errors(ops.log))
    ['``log(-2.0)`` raises ValueError: log(a) at a = -2.0: math domain error.']
    """
    arity = len(op.formula.letters)
    for x in TRIED if arity == 1 else []:
        try:
            op(x)
        except (ArithmeticError, ValueError) as error:
            yield f"``{op.symbol}({x})`` raises {type(error).__name__}: {error}."
            return
