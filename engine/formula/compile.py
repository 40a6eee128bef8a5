"""Turn the text of a formula into a Python function."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping

from engine.formula.arithmetic import CONSTANTS, FUNCTIONS, OWN
from engine.formula.printers import PythonPrinter
from engine.formula.tree import Formula

#: The names that generated Python may use.
NAMESPACE: dict[str, object] = {**FUNCTIONS, **CONSTANTS, **OWN, "inf": math.inf, "nan": math.nan}

_numbers = itertools.count(1)


def run_source(source: str, title: str, names: Mapping[str, object]) -> dict[str, object]:
    """Run generated Python, and return the names that it defines.

    ``inspect.getsource`` and tracebacks show the source, under ``title``.
    """
    import linecache  # here, as its import is slow and most programs never need it

    file = f"<{title} #{next(_numbers)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    space = {**NAMESPACE, **names}
    exec(compile(source, file, "exec"), space)
    return space


def compile_formula(formula: Formula) -> Callable[..., float]:
    """Return the formula as a function of floats, with one argument for each letter that it uses.

    >>> compile_formula(Formula("a ** b"))(2.0, 10.0)
    1024.0
    """
    printer = PythonPrinter()
    source = printer.define(formula, "_formula")
    words = {name: compile_formula(called) for name, called in printer.called.items()}
    function: Callable[..., float] = run_source(source, formula.text, words)["_formula"]  # type: ignore[assignment]
    return function
