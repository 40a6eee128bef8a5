"""A program in the words of a library of arrays, as a pure function that the library may transform."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from engine.compiler.backends.arrays import ArrayStep
from engine.core.op import Evaluator
from engine.formula.arithmetic import COMPARISONS, CONSTANTS, PARTIAL
from engine.formula.tree import Interpreter

if TYPE_CHECKING:
    from engine.compiler.program import Program

OPERATORS: dict[str, Callable[..., Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": operator.pow,
    "neg": operator.neg, "abs": abs, **COMPARISONS,
}  # fmt: skip


class Tensors(Interpreter[Any]):
    """Reads formulas with the functions of a library; what depends on nothing stays a float.

    Args:
        module: where the functions of a library are.
        erf, erfc: these two, which may be elsewhere.
        zeros: one for each sample, in the precision that is wanted.
    """

    def __init__(self, module: Any, erf: Any, erfc: Any, zeros: Any) -> None:
        self.module, self.special, self.zeros = module, {"erf": erf, "erfc": erfc}, zeros
        self.bad: list[Any] = []  # for each result that may leave its domain, whether it does
        self._mask: Any = True

    def number(self, x: float) -> float:
        return x

    def apply(self, word: str, *args: Any) -> Any:
        if word in CONSTANTS:
            return CONSTANTS[word]
        if all(isinstance(arg, (float, bool)) for arg in args):
            return Evaluator().apply(word, *args)
        if word == "**" and isinstance(args[1], float) and args[1].is_integer():
            args = args[0], int(args[1])  # a whole power is exact, and has a slope everywhere
        y = (OPERATORS.get(word) or self.special.get(word) or getattr(self.module, word))(*args)
        if word in PARTIAL:
            self.bad.append(~self.module.isfinite(y) & self._mask)
        return y

    def choose(self, test: Any, then: Callable[[], Any], other: Callable[[], Any]) -> Any:
        if isinstance(test, bool):
            return then() if test else other()
        outside = self._mask
        self._mask = test & outside
        first = then()
        self._mask = ~test & outside
        second = other()
        self._mask = outside
        if isinstance(first, float) and isinstance(second, float):
            first = first + self.zeros  # else the library would have to guess the precision
        return self.module.where(test, first, second)


class TensorStep(ArrayStep):
    """What the backends on libraries share."""

    #: (parameters, columns) -> (mean, gradients), in the library's own arrays, and in their precision
    function: Callable[[Any, Any], tuple[Any, Any]]

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.function = lambda parameters, columns: self.everything(parameters, columns)[:2]

    def interpreter(self, zeros: Any) -> Tensors:
        """A reader of formulas in the words of the library."""
        raise NotImplementedError

    def everything(self, parameters: Any, columns: Sequence[Any]) -> tuple[Any, Any, Any, Any]:
        """The mean, the gradients, the root of each sample, and whether an operation left its domain."""
        zeros = self.zeros(columns[0] if len(columns) else parameters[:1])
        interpreter = self.interpreter(zeros)
        module = interpreter.module
        names = dict(zip(self.program.parameters, parameters)) | dict(zip(self.program.inputs, columns))
        root, gradients = self.program.read(interpreter, names)
        values = root + zeros
        slopes = self.stack([gradient + zeros for gradient in gradients])
        flag = zeros != zeros
        for bad in interpreter.bad:
            flag = flag | bad
        return module.mean(values), module.mean(slopes, 1), values, module.any(flag)

    def zeros(self, like: Any) -> Any:
        """As many zeros as there are samples, one if there is nothing that tells; in the same precision."""
        raise NotImplementedError

    def stack(self, slopes: list[Any]) -> Any:
        """The gradients as one array."""
        raise NotImplementedError
