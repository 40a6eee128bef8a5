"""A program as a pure function of a library's arrays, which the library may transform."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import partial
from types import ModuleType
from typing import TypeAlias, cast

import numpy as np

from engine.compiler.backends.arrays import ArrayFunction, Layout, find_matrices
from engine.compiler.interpreter import interpret_program
from engine.compiler.ir import IR
from engine.compiler.matrices import SAMPLES, Matrices
from engine.formula.arithmetic import ARITHMETIC, COMPARISONS, PARTIAL
from engine.formula.simplify import Simplifier
from engine.formula.tree import Formula, Interpreter, interpret

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
        zeros: a zero for each sample, in the precision of the computation; of a program on matrices one row
            and one column.
        put: returns rows of zeros, their number is its last argument, to which the rows of an array are added
            at an index.
    """

    inner: Library

    def __init__(
        self,
        module: ModuleType,
        erf: Callable[[Array], Array],
        erfc: Callable[[Array], Array],
        zeros: Array,
        put: Callable[[Array, object, int], Array],
    ) -> None:
        super().__init__(Library(module, {"erf": erf, "erfc": erfc}, zeros, put))

    def call(self, formula: Formula, *args: Meaning) -> Meaning:
        return formula.interpret(self, args)


def rows(module: ModuleType, *parts: Array) -> Array:
    """Return arrays below each other; one of a single sample is repeated."""
    samples = max(part.shape[1] for part in parts)
    wide = [module.broadcast_to(part, (part.shape[0], samples)) for part in parts]
    array: Array = module.concatenate(wide)
    return array


class Library(Interpreter[Meaning]):
    """Applies the functions of a library to arrays."""

    def __init__(
        self,
        module: ModuleType,
        special: dict[str, Callable[[Array], Array]],
        zeros: Array,
        put: Callable[[Array, object, int], Array],
    ) -> None:
        self.module, self.zeros = module, zeros
        self.special: dict[str, Callable[..., object]] = {
            **special,
            "sign": partial(sign, module),
            "@": operator.matmul,
            "T": lambda x: x.T,
            "take": lambda x, index: x[index],
            "put": put,
            "rows": partial(rows, module),  # not a method, which would be a cycle
            "sum0": lambda x: x.sum(0)[None],
            "sum1": lambda x: x.sum(1)[:, None],
            "greatest": lambda x: module.amax(x, 0)[None],
            "first": lambda x: first(module, x) + zeros,
            "exps": partial(exps, module),
            "others": lambda x: module.where(first(module, x), zeros, x).sum(0)[None],
            "like": lambda x, other: module.broadcast_to(x, other.shape),
            "unless": lambda test: ~test + zeros,
        }
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


def first(module: ModuleType, x: Array) -> Array:
    """Return whether each number is the first of the greatest of its column; False for a NaN."""
    greatest = x >= module.amax(x, 0)
    result: Array = greatest & (module.cumsum(greatest, 0) == 1)
    return result


def exps(module: ModuleType, x: Array, greatest: Array) -> Array:
    """Return exp(x - m) for the greatest m of each column; of an infinite m 1 where it is first, else 0."""
    equal = module.where(module.isfinite(greatest) | first(module, x), 1.0, 0.0)
    result: Array = module.where(x >= greatest, equal, module.exp(x - greatest))
    return result


class TensorFunction(ArrayFunction):
    """The base class of the backends on libraries.

    Attributes:
        function: ``(parameters, columns) -> (mean, gradients)``, in the library's own arrays and in their
            precision; of a list of outputs ``(mean, gradients, others)``.
    """

    def __init__(self, program: IR) -> None:
        super().__init__(program)
        self._matrices = find_matrices(program)
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
        if self._matrices and not self.is_spread(columns):
            return self._on_matrices(self._matrices, parameters, columns, zeros)
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

    def _on_matrices(
        self, matrices: Matrices, parameters: Array, columns: Sequence[Array], zeros: Array
    ) -> tuple[Array, Array, list[Array], Array]:
        single = self.zeros(parameters[:1])[None]  # not a part of zeros, whose samples may be on many devices
        interpreter = self.interpreter(single)
        library = interpreter.inner
        module, samples = library.module, len(zeros)
        known: dict[str, Meaning] = {SAMPLES: float(samples)}
        layouts = [Layout(block) for block in matrices.parameters]
        for block, layout in zip(matrices.parameters, layouts):
            known[block.name] = Unknown(layout.read(parameters))
        for block in matrices.inputs:
            known[block.name] = Unknown(module.stack([columns[place] for (place,) in block.positions]))
        for name, rows in matrices.numbers.items():
            known[name] = Unknown(module.asarray(rows, dtype=zeros.dtype))
        for name, index in matrices.indices.items():
            known[name] = Unknown(cast(Array, np.array(index) if isinstance(index, list) else index))
        for it in (*matrices.forward, *matrices.backward):
            known[it.name] = interpret(it.tree, interpreter, known)
        outputs = [library.array(interpret(tree, interpreter, known)) for tree in matrices.outputs]
        values = [row + zeros for output in outputs for row in output]
        gradients = self.stack([])[:, 0] + 0 * parameters[:0]
        if self.program.graph.backward:
            parts = [
                module.broadcast_to(library.array(interpret(tree, interpreter, known)), layout.shape).reshape(
                    -1
                )
                for tree, layout in zip(matrices.gradients, layouts)
            ]
            places = np.concatenate([layout.positions.ravel() for layout in layouts])
            gradients = self.put(module.concatenate(parts), places, len(parameters)) / samples
        bad = [module.any(each) for each in library.bad]
        return (
            module.mean(values[0]),
            gradients,
            values,
            module.any(module.stack([module.any(zeros != zeros), *bad])),
        )

    def is_spread(self, columns: Sequence[Array]) -> bool:
        """Return whether the samples are spread over devices in a way that allows no product over samples."""
        return False

    def put(self, part: Array, index: object, size: int) -> Array:
        """Return ``size`` zeros, or rows of zeros, to which the parts are added at the places ``index``."""
        raise NotImplementedError

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
