"""Write a program as a JavaScript module, which a page or Node imports."""

from __future__ import annotations

import json
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence

from engine.compiler.graph import Comparison
from engine.compiler.identifiers import Identifiers
from engine.compiler.ir import IR, GuardCheck, Instruction, names_in
from engine.compiler.source import RESERVED, Loop, rows, term_texts
from engine.core.domain import failing_formula
from engine.core.op import Operation
from engine.formula.arithmetic import PARTIAL
from engine.formula.javascript import JavaScriptPrinter
from engine.formula.printers import Text
from engine.formula.tree import Formula, Interpreter, Tree, interpret

#: The names that the module uses itself, beside RESERVED, and the words that JavaScript reserves.
TAKEN = [
    "names", "total", "backward", "formulas", "run", "which", "where", "sample", "columns", "values",
    "check", "each", "attempt", "locate", "result", "repr", "fail", "overflows", "gauss", "divide",
    "Math", "Number", "Object", "String", "Array", "RangeError", "TypeError", "NaN", "Infinity",
    "undefined", "abstract", "arguments", "boolean", "break", "byte", "case", "catch", "char", "class",
    "const", "continue", "debugger", "default", "delete", "do", "double", "else", "enum", "eval",
    "export", "extends", "false", "final", "finally", "float", "for", "function", "goto", "if",
    "implements", "import", "in", "instanceof", "int", "interface", "let", "long", "native", "new",
    "null", "package", "private", "protected", "public", "return", "short", "static", "super", "switch",
    "synchronized", "this", "throw", "throws", "transient", "true", "try", "typeof", "var", "void",
    "volatile", "while", "with", "yield", "await", "async", "of", "GuardError",
]  # fmt: skip

#: Checks of the arguments, with the words of `engine.compiler.compiled`, and errors that say where.
CHECKS = """\
const check = (given, names, what) => {
  const listed = names.slice(0, 6).join(", ") + (names.length > 6 ? ", …" : "");
  if (given.length !== names.length) {
    const expected = `${names.length} ${what}${names.length === 1 ? "" : "s"} (${listed})`;
    throw new RangeError(`expected ${expected}, not ${given.length}`);
  }
};
const each = (numbers, what, name) => {
  for (let i = 0; i < numbers.length; i++) {
    const x = numbers[i];
    if (typeof x !== "number") throw new TypeError(`${what}: expected a number, not ${typeof x}: ${x}`);
    if (Number.isNaN(x)) throw new RangeError(`${what}: ${name(i)} is NaN`);
  }
};
const attempt = (compute, ...words) => {
  try {
    return compute();
  } catch (error) {
    throw new RangeError(words.map((x) => (typeof x === "number" ? repr(x) : x)).join("") + error.message);
  }
};
const run = (compute, parameters, columns, where) => {
  check(parameters, names.parameters, "parameter");
  each(parameters, "the parameters", (i) => names.parameters[i]);
  check(columns, names.inputs, "column");
  columns.forEach((column, i) => each(column, `column ${names.inputs[i]}`, (j) => `sample ${j}`));
  const samples = columns.length ? columns[0].length : 1;
  if (columns.some((column) => column.length !== samples)) {
    const listed = columns.map((column, i) => `${names.inputs[i]}: ${column.length}`).join(", ");
    throw new RangeError(`the columns differ in length: ${listed}`);
  }
  if (!samples) throw new RangeError("the columns are empty; expected at least one sample");
  return compute(parameters, columns, samples, where);
};"""

#: A comparison that came out differently, and the text of the error after the line of source.
GUARD = "class GuardError extends RangeError {}"
DIFFERS = "comes out differently than for the sample that was traced"

NAMES = """\
/** The names of the numbers that the functions take and return. */
export const names = {"""

#: The functions that a page calls.
STEP = """\
/** One sample: [{shape}]. */
export function step(parameters, inputs) {{
  check(inputs, names.inputs, "input");
  each(inputs, "the inputs", (i) => names.inputs[i]);
  {start}run(batch, parameters, Array.from(inputs, (x) => [x]), () => ""){end}
}}

/** B samples: [the mean of {value}, its gradients{others}]. A column has B numbers. */
export const steps = (parameters, columns) => run(batch, parameters, columns, which);

/** B samples, without a backward pass: {outputs}. */
export const values = (parameters, columns) => run(forward, parameters, columns, which);

const which = (sample) => `sample ${{sample}}: `;
"""


class JavaScriptSource(JavaScriptPrinter):
    """Writes the instructions of a program as JavaScript, under names that JavaScript can have.

    >>> writer = JavaScriptSource()
    >>> writer.statement("new", ("+", "Σ", ("*", "w", ("tanh", "x"))))
    'const new_2 = Σ + w * Math.tanh(x);'
    """

    def __init__(self) -> None:
        super().__init__()
        self.identifiers = Identifiers((*TAKEN, *RESERVED))
        self.names = _Names(self.identifiers)

    def name_constant(self) -> str:
        return self.identifiers.give("t")

    def name_function(self, formula: Formula) -> str:
        return self.identifiers.give(_known_letters(formula.name))

    def meaning(self, tree: Tree) -> Text:
        """Return a formula in the names of the module."""
        return interpret(tree, self, self.names)

    def text(self, tree: Tree) -> str:
        return self.meaning(tree).text

    def name(self, name: str) -> str:
        """Return the name that stands for a name of the program."""
        return self.names[name].text

    def statement(self, name: str, tree: Tree, start: str = "const {} =") -> str:
        """Return the statement that computes an instruction."""
        start = f"{start.format(self.name(name))} "
        return rows(start, "(", term_texts(tree, self, self.names), " ", ")") + ";"

    def unpack(self, names: Sequence[str], values: str) -> list[str]:
        """Return the statement that takes the names out of an array; none for no names."""
        taken = [self.name(name) for name in names]
        return [rows("const ", "[", taken, ", ", f"] = {values};")] if names else []


class _Names(dict[str, Text]):
    """The names of a program, each with its name in the module."""

    def __init__(self, identifiers: Identifiers) -> None:
        super().__init__()
        self.identifiers = identifiers

    def __missing__(self, name: str) -> Text:
        self[name] = Text(self.identifiers.give(_known_letters(name)))
        return self[name]


def _known_letters(name: str) -> str:
    """Return a name in which ``_`` stands for each letter that is newer than Unicode 3.2.

    An older JavaScript than this Python does not know all letters that are legal in Python.
    """
    return "".join("_" if unicodedata.ucd_3_2_0.category(c) == "Cn" else c for c in name)


def javascript_source(program: IR) -> str:
    """Return the program as a JavaScript module that exports names, step, steps and values."""
    writer = JavaScriptSource()
    value, many = writer.text(program.outputs[0]), program.many
    listed = [f"  inputs: {_array(program.inputs)},", f"  parameters: {_array(program.parameters)},"]
    listed.append(f"  outputs: {_array(program.outputs)},")
    step = STEP.format(
        shape=f"{value}, its gradients" + ", [the further outputs]" * many,
        start="const [value, gradients, others] = " if many else "return ",
        end=";\n  return [value, gradients, others.map((column) => column[0])];" if many else ";",
        value=value,
        others=", [the values of each further output]" * many,
        outputs="[the values of each output]" if many else f"the values of {value}",
    )
    located = _locate(program, writer)
    parts = [
        f"// {value} of samples, and its derivative with respect to each parameter.",
        "\n".join([NAMES, *listed, "};"]),
        step.rstrip(),
        _batch(program, writer, located),
        _forward(program.forward(), writer, located),
        located,
        GUARD if program.guards else "",
        CHECKS,
        writer.definitions(),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _array(items: Sequence[object]) -> str:
    """Return a list of strings and numbers as JavaScript; no text in it can end a script of a page."""
    return textwrap.indent(rows("", "[", list(map(_literal, items)), ", ", "]"), "    ").lstrip()


def _literal(item: object) -> str:
    return json.dumps(item).replace("<", "\\u003c")


def _batch(program: IR, writer: JavaScriptSource, located: str) -> str:
    """Return the function that computes the mean of the first output, and its gradients."""
    once, each, constant, sums = Loop.of(program, Identifiers(_taken(program)))
    sum_of = {it: name for it, name in zip(program.gradients, sums) if isinstance(it, str)}
    before = [*writer.unpack(program.parameters, "parameters"), *_statements(writer, once, program.guards)]
    for it, name in zip(program.gradients, sums):
        start = f"samples * {writer.text(constant[it])}" if constant.get(it) else "0"
        before.append(f"let {writer.name(name)} = {start};")
    others = program.outputs[1:]
    before.append("let total = 0;")
    before += [f"const values = [{', '.join(['[]'] * len(others))}];"] if program.many else []
    body = [f"const {writer.name(name)} = columns[{i}][sample];" for i, name in enumerate(program.inputs)]
    body += _statements(writer, [it for it in each if it.kind == "forward"], program.guards)
    body += [f"total += {writer.text(program.outputs[0])};"]
    body += [f"values[{i}].push({writer.text(tree)});" for i, tree in enumerate(others)]
    body += _statements(writer, [it for it in each if it.kind == "backward"], (), sums=sum_of)
    means = [f"{writer.name(name)} / samples" for name in sums]
    result = rows("return [total / samples, ", "[", means, ", ", "]") + (
        ", values];" if program.many else "];"
    )
    return _function(program, "batch", before, body, result, located)


def _forward(program: IR, writer: JavaScriptSource, located: str) -> str:
    """Return the function that computes the values of the outputs; the program has no backward pass."""
    once, each, _, _ = Loop.of(program, Identifiers(_taken(program)))
    before = [*writer.unpack(program.parameters, "parameters"), *_statements(writer, once, program.guards)]
    before.append(f"const values = [{', '.join(['[]'] * len(program.outputs))}];")
    body = [f"const {writer.name(name)} = columns[{i}][sample];" for i, name in enumerate(program.inputs)]
    body += _statements(writer, each, program.guards)
    body += [f"values[{i}].push({writer.text(tree)});" for i, tree in enumerate(program.outputs)]
    return _function(
        program, "forward", before, body, f"return values{'' if program.many else '[0]'};", located
    )


def _taken(program: IR) -> tuple[str, ...]:
    return (*RESERVED, *(instruction.name for instruction in program.instructions))


def _function(program: IR, name: str, before: list[str], body: list[str], result: str, located: str) -> str:
    """Return a function that runs statements once, then others for each sample.

    If something in it can fail, an error gets the number of the sample and the words of `_locate`.
    """
    lines = [*before, "for (; sample < samples; sample++) {", *_indented(body), "}", result]
    if located or program.guards:
        one = "columns.map((column) => column[sample])"
        locate = f"locate(parameters, {one}, {'true' if program.graph.backward else 'false'});"
        unless = "if (!(error instanceof GuardError)) " if program.guards else ""
        handler = [f"  {unless}{locate}"] if located else []
        handler = ["attempt(() => {", *handler, "  throw error;", "}, where(sample));"]
        lines = ["try {", *_indented(lines), "} catch (error) {", *_indented(handler), "}"]
    lines = ["let sample = 0;", *lines]
    return "\n".join([f"function {name}(parameters, columns, samples, where) {{", *_indented(lines), "}"])


def _indented(lines: Iterable[str]) -> list[str]:
    return [textwrap.indent(line, "  ") for line in lines]


def _statements(
    writer: JavaScriptSource,
    instructions: Sequence[Instruction],
    guards: Sequence[GuardCheck],
    sums: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """Iterate over the statements of the instructions, with a comment where a layer begins.

    Args:
        writer: writes the formulas.
        instructions: the instructions.
        guards: those among them are checked as soon as possible: the other instructions may depend on them.
        sums: the name of the sum that an instruction is added to, by the name of the instruction.
    """
    checks, layer = {guard.name: guard for guard in guards}, None
    for it in _guards_first(instructions, guards):
        if it.role and it.role.layer != layer:
            layer = it.role.layer
            yield f"// layer {layer}, {it.kind}"
        if sums and it.name in sums:
            yield writer.statement(it.name, it.tree, f"{writer.name(sums[it.name])} +=")
            continue
        yield writer.statement(it.name, it.tree)
        if guard := checks.get(it.name):
            test = f"{writer.name(it.name)} !== {int(guard.outcome)}"
            words = _literal(f"Python's comparison in {guard.line} {DIFFERS}")
            yield f"if ({test}) throw new GuardError({words});"


def _guards_first(instructions: Sequence[Instruction], guards: Sequence[GuardCheck]) -> Iterator[Instruction]:
    """Iterate over the instructions, those that a guard needs before the others."""
    left = {it.name: it for it in instructions}
    for guard in guards:
        needed, todo = set[str](), [guard.name]
        while todo:
            name = todo.pop()
            if name in left and name not in needed:
                needed.add(name)
                todo += names_in(left[name].tree)
        for name in [name for name in left if name in needed]:
            yield left.pop(name)
    yield from left.values()


def _locate(program: IR, writer: JavaScriptSource) -> str:
    """Return the function that computes one sample as Values do, and names the operation that fails.

    It is empty if no operation can fail.
    """
    graph, said = program.graph, dict[str, int]()
    lines = [*writer.unpack(program.inputs, "inputs"), *writer.unpack(program.parameters, "parameters")]
    for node, op in enumerate(graph.ops):
        if op is None or isinstance(op, Comparison):
            continue
        parents = [program.names[parent] for parent in graph.args[node]]
        formulas = _Formulas(op, parents, program.names[node], writer, said)
        lines.append(f"const {formulas.y.text} = {formulas.attempt()};")
        learns = [i for i, parent in enumerate(graph.args[node]) if graph.requires_grad[parent]]
        for i in learns if graph.requires_grad[node] else ():
            if formulas.can_fail(i):
                lines.append(f"if (backward) {formulas.attempt(i)};")
    function = "\n".join(["function locate(parameters, inputs, backward) {", *_indented(lines), "}"])
    return f"const formulas = {_array(list(said))};\n\n{function}" if said else ""


class _Formulas:
    """The formulas of one node: its value, and the derivative with respect to each parent.

    Args:
        op, parents, name: the operation of the node, the names of its parents, and its own.
        writer: writes them.
        said: collects the formulas that errors name.
    """

    def __init__(
        self,
        op: Operation,
        parents: Sequence[Tree],
        name: Tree,
        writer: JavaScriptSource,
        said: dict[str, int],
    ) -> None:
        self.op, self.parents, self.writer, self.said = op, parents, writer, said
        self.args, self.y = [writer.meaning(parent) for parent in parents], writer.meaning(name)

    def can_fail(self, position: int | None = None) -> bool:
        """Return whether a formula has a word that is undefined for some numbers."""
        words, args = _Words(), [""] * len(self.args)
        if position is None:
            self.op.forward(words, args)
        else:
            self.op.derivative(position, words, args, "")
        return not PARTIAL.isdisjoint(words.seen)

    def attempt(self, position: int | None = None) -> str:
        """Return the text of a formula; if it can fail, as a function with the text of its error."""
        writer, op = self.writer, self.op
        formula = writer.function((), lambda: self._text(position))
        if not self.can_fail(position):
            return formula.removeprefix("() => ") if formula.endswith(")") else f"({formula})()"
        what = failing_formula(op, len(self.args), position)
        words = [f"formulas[{self.said.setdefault(what, len(self.said))}]"]
        before = " at "
        for letter, arg, parent in zip(op.letters(len(self.args)), self.args, self.parents):
            words += [_literal(f"{before}{letter} = "), arg.text]
            before = f" ({parent}), " if isinstance(parent, str) else ", "
        words.append(_literal(f"{before.removesuffix(', ')}: "))
        return f"attempt({', '.join([formula, *words])})"

    def _text(self, position: int | None) -> str:
        if position is None:
            return self.op.forward(self.writer, self.args).text
        return self.op.derivative(position, self.writer, self.args, self.y).text


class _Words(Interpreter[str]):
    """Collects the words of a formula in ``seen``."""

    def __init__(self) -> None:
        self.seen: set[str] = set()

    def number(self, x: float) -> str:
        return ""

    def apply(self, word: str, *args: str) -> str:
        self.seen.add(word)
        return ""
