"""A program as a pure function of a library's arrays, which the library may transform."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import partial
from types import ModuleType
from typing import TypeAlias, cast

import numpy as np

from engine.compiler.backends.arrays import ArrayFunction
from engine.compiler.interpreter import interpret_program
from engine.compiler.ir import IR
from engine.formula.arithmetic import ARITHMETIC, COMPARISONS, PARTIAL
from engine.formula.simplify import Simplifier
from engine.formula.tree import Formula, Interpreter

Array: TypeAlias = np.ndarray  # or the array of the library, which has the same operators
#: Python's operators apply to arrays, too; the real power of `engine.formula.arithmetic` is for floats only.
OPERATORS: dict[str, Callable[..., object]] = {**ARITHMETIC, **COMPARISONS, "**": operator.pow, "abs": abs}
#: The words that libraries have under another name.
NAMES = {word: word.replace("a", "arc", 1)
         for word in ("asin", "acos", "atan", "atan2", "asinh", "acosh", "atanh")}  # fmt: skip


class Unknown:
    """An array among the meanings of a formula. It has no ``==`` of its own, so patterns never match it."""

    __slots__ = ("array",)

    def __init__(self, array: Array) -> None:
        self.array = array


Meaning: TypeAlias = "Unknown | float | bool"


class Tensors(Simplifier[Meaning]):
    """Interprets formulas with the functions of a library; known numbers stay floats.

    Args:
        module: the library.
        erf, erfc: these two functions, which may be elsewhere in it.
        zeros: a zero for each sample, in the precision of the computation.
    """

    inner: Library

    def __init__(
        self,
        module: ModuleType,
        erf: Callable[[Array], Array],
        erfc: Callable[[Array], Array],
        zeros: Array,
    ) -> None:
        super().__init__(Library(module, {"erf": erf, "erfc": erfc}, zeros))

    def call(self, formula: Formula, *args: Meaning) -> Meaning:
        return formula.interpret(self, args)


class Library(Interpreter[Meaning]):
    """Applies the functions of a library to arrays."""

    def __init__(
        self, module: ModuleType, special: dict[str, Callable[[Array], Array]], zeros: Array
    ) -> None:
        self.module, self.zeros = module, zeros
        self.special: dict[str, Callable[..., object]] = {**special, "sign": partial(sign, module)}
        self.bad: list[Array] = []  # for each result that may be outside its domain, whether it is
        self._mask: Array | bool = True

    def array(self, x: Meaning) -> Array:
        """Return a meaning as an array; a float is repeated for each sample."""
        return x.array if isinstance(x, Unknown) else x + self.zeros  # in the right precision

    def apply(self, word: str, *args: Meaning) -> Meaning:
        known = not any(isinstance(arg, Unknown) for arg in args)  # numbers outside the domain of the word
        floats = word in OPERATORS and not known
        arrays: list[object] = [x if isinstance(x, float) and floats else self.array(x) for x in args]
        if word == "**" and isinstance(arrays[1], float) and arrays[1].is_integer():
            arrays[1] = int(arrays[1])  # a whole power is exact, and has a derivative everywhere
        function: Callable[..., object] = (
            OPERATORS.get(word) or self.special.get(word) or getattr(self.module, NAMES.get(word, word))
        )
        y = cast(Array, function(*arrays))
        if word in PARTIAL:
            self.bad.append(~self.module.isfinite(y) & self._mask)
        return Unknown(y)

    def choose(self, test: Meaning, then: Callable[[], Meaning], other: Callable[[], Meaning]) -> Meaning:
        outside, condition = self._mask, cast(Unknown, test).array
        self._mask = condition & outside
        first = then()
        self._mask = ~condition & outside
        second = other()
        self._mask = outside
        return Unknown(self.module.where(condition, self.array(first), self.array(second)))


def sign(module: ModuleType, x: Array) -> Array:
    """Return the sign; a NaN is kept, which is not so in every library."""
    result: Array = module.where(x != x, x, module.sign(x))
    return result


class TensorFunction(ArrayFunction):
    """The base class of the backends on libraries.

    Attributes:
        function: ``(parameters, columns) -> (mean, gradients)``, in the library's own arrays and in their
            precision; of a list of outputs ``(mean, gradients, others)``.
    """

    def __init__(self, program: IR) -> None:
        super().__init__(program)
        self.function: Callable[[Array, Sequence[Array]], tuple[object, ...]] = self._function

    def _function(self, parameters: Array, columns: Sequence[Array]) -> tuple[object, ...]:
        mean, gradients, outputs, _ = self.everything(parameters, columns)
        return (mean, gradients, outputs[1:]) if self.program.many else (mean, gradients)

    def interpreter(self, zeros: Array) -> Tensors:
        """Return the interpreter of formulas in the library."""
        raise NotImplementedError

    def everything(
        self, parameters: Array, columns: Sequence[Array]
    ) -> tuple[Array, Array, list[Array], Array]:
        """Return the mean, the gradients, the outputs, and whether an operation was outside its domain."""
        zeros = self.zeros(columns[0] if len(columns) else parameters[:1])
        interpreter = self.interpreter(zeros)
        library = interpreter.inner
        names = dict(zip(self.program.parameters, parameters)) | dict(zip(self.program.inputs, columns))
        leaves: dict[str, Meaning] = {name: Unknown(array) for name, array in names.items()}
        outputs, gradients = interpret_program(self.program, interpreter, leaves)
        values = [library.array(output) + zeros for output in outputs]
        stacked = self.stack([library.array(gradient) + zeros for gradient in gradients])
        flag = zeros != zeros
        for bad in library.bad:
            flag = flag | bad
        module = library.module
        return module.mean(values[0]), module.mean(stacked, 1), values, module.any(flag)

    def zeros(self, like: Array) -> Array:
        """Return as many zeros as there are samples, one if ``like`` is empty, in the same precision."""
        raise NotImplementedError

    def stack(self, gradients: list[Array]) -> Array:
        """Return the gradients as one array."""
        raise NotImplementedError

    def call(self, parameters: Array, columns: Sequence[Array]) -> tuple[Array, Array, list[Array], Array]:
        """Return what `everything` does, run by the library on float64 arrays."""
        raise NotImplementedError

    def as_numpy(self, array: Array) -> np.ndarray:
        """Return an array of the library as one of NumPy."""
        numpy: np.ndarray = np.array(array)
        return numpy

    def run(
        self, parameters: np.ndarray, columns: list[np.ndarray], samples: int
    ) -> tuple[float, np.ndarray, list[np.ndarray]]:
        mean, gradients, outputs = self._checked(parameters, columns)
        return float(mean), self.as_numpy(gradients), [self.as_numpy(it) for it in outputs[1:]]

    def run_outputs(
        self, parameters: np.ndarray, columns: list[np.ndarray], samples: int
    ) -> list[np.ndarray]:
        return [self.as_numpy(it) for it in self._checked(parameters, columns)[2]]

    def _checked(self, parameters: np.ndarray, columns: list[np.ndarray]) -> tuple[Array, Array, list[Array]]:
        mean, gradients, outputs, bad = self.call(parameters, columns)
        if bad:
            self.raise_domain_error(parameters, columns)
        return mean, gradients, outputs
