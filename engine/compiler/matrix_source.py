"""Write the program on arrays as NumPy."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from engine.compiler.matrices import SAMPLES, WORDS, Index, Matrices
from engine.compiler.source import ColumnSource, Names, rows, statements, unpack
from engine.formula.printers import ATOM, PRODUCT, SIGN, SUM, Text, float_literal
from engine.formula.tree import Formula

#: The functions that NumPy has under these names; the others are in the module of the backend.
NUMPY = {word: word.replace("a", "arc", 1)
         for word in ("asin", "acos", "atan", "atan2", "asinh", "acosh", "atanh")}  # fmt: skip
CALLED = {"rows", "first", "exps", "others"}  # the words for arrays that are functions of arrays alone
ARRAY_WORDS = {*CALLED, "@", "T", "take", "put", "sum0", "sum1", "greatest", "like", "unless"}
OWN = {*CALLED, "pow", "erf", "erfc", "choose", "put"}


class ArrayNames(Names):
    """Each name means itself; those of indices are not collected."""

    def __init__(self, indices: Mapping[str, Index]) -> None:
        super().__init__()
        self.indices = indices

    def __missing__(self, name: str) -> Text:
        return Text(name) if name in self.indices else super().__missing__(name)


class MatrixSource(ColumnSource):
    """Writes formulas on arrays, with the words of `engine.compiler.matrices`, as NumPy."""

    def __init__(self, matrices: Matrices, taken: Sequence[str]) -> None:
        super().__init__((*taken, *WORDS, SAMPLES, *matrices.numbers))
        self.indices = matrices.indices
        self.names = ArrayNames(matrices.indices)

    def apply(self, word: str, *args: Text) -> Text:
        if word not in ARRAY_WORDS:
            return super().apply(word, *args)
        if word in CALLED:
            return self._call(word, *[arg.text for arg in args])
        first = args[0].within(ATOM)
        match word:
            case "@":
                return Text(f"{args[0].within(PRODUCT)} @ {args[1].within(SIGN)}", SUM)
            case "T":
                return Text(f"{first}.T")
            case "take":
                return Text(f"{first}[{self._literal(args[1])}]")
            case "put":
                index, size = map(self._literal, args[1:])
                at = f"slice({index.replace(':', ', ')})" if ":" in index else index
                return self._call(word, float_literal(args[0]).text, at, size)
            case "like":
                return self._call("broadcast_to", float_literal(args[0]).text, f"{args[1].text}.shape")
            case "unless":
                return Text(f"~({args[0].text})")
            case "greatest":
                return Text(f"{first}.max(0, keepdims=True)")
        return Text(f"{first}.sum({word[-1]}, keepdims=True)")

    def _literal(self, name: Text) -> str:
        """Return an index or a size as it is written."""
        value = self.indices[name.text]
        return f"{value.start}:{value.stop}" if isinstance(value, slice) else str(value)

    def matrix(self, numbers: list[list[float]]) -> str:
        """Return a matrix of plain numbers as it is written."""
        self.imports.add("array")
        return f"[{', '.join('[' + ', '.join(map(self.text, row)) + ']' for row in numbers)}]"

    def _call(self, word: str, *args: str) -> Text:
        self.imports.add(word)
        return Text(f"{word}({', '.join(args)})")

    def call(self, formula: Formula, *args: Text) -> Text:
        match formula.tree:
            case ("if", ("<=", "a", float(low)), float(other), "a") if low == other:
                return self._call("maximum", args[0].text, str(low))
        return super().call(formula, *args)


def matrix_source(matrices: Matrices) -> str:
    """Return the program on arrays as NumPy that defines ``step(parameters, inputs, samples)``.

    It takes the blocks of parameters and of inputs, and returns the first output, the sums over the samples
    of its derivatives with respect to each block, and a list of the further outputs.
    """
    computed = [*matrices.forward, *matrices.backward]
    blocks = [tuple(block.name for block in kind) for kind in (matrices.inputs, matrices.parameters)]
    writer = MatrixSource(matrices, [*(it.name for it in computed), *blocks[0], *blocks[1]])
    body = [*unpack(blocks[0], "inputs"), *unpack(blocks[1], "parameters")]
    body += statements(writer, "forward: one column for each sample", matrices.forward)
    value, *others = map(writer.text, matrices.outputs)
    gradients = [writer.text(tree) for tree in matrices.gradients]
    if matrices.backward:
        body += statements(
            writer, "backward: D is δ, and dW is ∂/∂W of the sum over the samples", matrices.backward
        )
    result = (
        rows(f"return {value}, ", "[", gradients, ", ", "], ") + rows("", "[", others, ", ", "]").lstrip()
    )
    arrays = [f"{name} = array({writer.matrix(numbers)})" for name, numbers in matrices.numbers.items()]
    return (
        '"""The program on arrays: samples are columns."""\n'
        + _preface(writer)
        + "".join(f"\n{text}\n" for text in arrays)
        + f"\n\ndef step(parameters, inputs, {SAMPLES}=1):\n"
        + textwrap.indent("\n".join([*body, "", result]), "    ")
        + "\n"
    )


def _preface(writer: MatrixSource) -> str:
    """Return the imports, and the definitions of the operations that are called by name."""
    numpy = [f"{NUMPY[name]} as {name}" if name in NUMPY else name for name in sorted(writer.imports - OWN)]
    own = sorted(writer.imports & OWN)
    parts = [rows("from numpy import ", "(", numpy, ", ", ")") + "\n"] if numpy else []
    parts += [rows(f"from {writer.module} import ", "(", own, ", ", ")") + "\n"] if own else []
    return "\n" * bool(parts) + "".join(parts) + "".join(f"\n\n{text}" for text in writer.functions)
