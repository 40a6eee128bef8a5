"""Run a program without compiling it: in any interpreter, or sample by sample in floats to locate an error.

The fast backends only detect that a number is wrong. The message and the type of the error are those of
Values: they come from the operation itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple, TypeVar

from engine.compiler.ir import IR, GuardCheck, Instruction, names_in
from engine.compiler.source import Source
from engine.core.domain import domain_error
from engine.core.op import Evaluator
from engine.formula.tree import Interpreter, interpret

T = TypeVar("T")
LONGEST = 200  # characters of a formula in a message


class NonFinite(NamedTuple):
    """The first number of a batch that is infinite or NaN."""

    sample: int  #: the number of the sample, counted from 0
    text: str  #: which instruction gave it, and from which numbers

    def __str__(self) -> str:
        return f"sample {self.sample}: {self.text}"


def interpret_program(
    program: IR, interpreter: Interpreter[T], leaves: Mapping[str, T]
) -> tuple[list[T], list[T]]:
    """Return the outputs and the gradients, each as its meaning in ``interpreter``.

    Args:
        program: the program.
        interpreter: the interpreter.
        leaves: the meaning of each input and parameter, by its name.
    """
    known = dict(leaves)
    for instruction in program.computed():
        known[instruction.name] = interpret(instruction.tree, interpreter, known)
    outputs = [interpret(tree, interpreter, known) for tree in program.outputs]
    return outputs, [interpret(tree, interpreter, known) for tree in program.gradients]


def raise_domain_error(program: IR, parameters: Sequence[float], columns: Sequence[Sequence[float]]) -> None:
    """Raise the error that Values would raise, for the first sample outside a domain, if there is one."""
    for i, row in enumerate(zip(*columns) if columns else [()]):
        try:
            _evaluate(program, [*row, *parameters])
        except (ArithmeticError, ValueError) as error:
            raise type(error)(f"sample {i}: {error}") from None


def _evaluate(program: IR, leaves: Sequence[float]) -> None:
    """Compute the nodes of the graph and their local gradients as Values do, for one sample.

    Raises:
        ArithmeticError, ValueError: a number, or a derivative that the backward pass needs, does not exist.
    """
    graph = program.graph
    known = dict(enumerate(leaves)) | graph.numbers
    fixed = [not learns for learns in graph.requires_grad]
    for node, op in enumerate(graph.ops):
        if op is None:
            continue
        parents = graph.args[node]
        data = [known[parent] for parent in parents]
        try:
            known[node] = y = op.value(*data)
            if not fixed[node]:
                op.local_gradients(data, y, [fixed[parent] for parent in parents])
        except (ArithmeticError, ValueError) as error:
            names = [program.names[parent] for parent in parents]
            labels = [name if isinstance(name, str) else "" for name in names]
            raise domain_error(op, error, data, labels) from None


def find_nonfinite(
    program: IR, parameters: Sequence[float], columns: Sequence[Sequence[float]]
) -> NonFinite | None:
    """Return the first number that is infinite or NaN, in the first sample that has one, or None."""
    for i, leaves in enumerate(_samples(program, parameters, columns)):
        for name, x in leaves.items():
            if not math.isfinite(x):
                return NonFinite(i, f"{name} is {x}")
        known = dict(leaves)
        try:
            for instruction, y in _results(program, known):
                if not math.isfinite(y):
                    return NonFinite(i, _describe(instruction, y, known))
        except (ArithmeticError, ValueError) as error:
            return NonFinite(i, str(error))
    return None


def find_failed_guard(
    program: IR, parameters: Sequence[float], columns: Sequence[Sequence[float]]
) -> tuple[int, GuardCheck] | None:
    """Return the first sample for which a guard fails, and that guard; None if there is none."""
    for i, leaves in enumerate(_samples(program, parameters, columns)):
        known = dict(leaves)
        for instruction in program.of("forward"):
            with suppress(ArithmeticError, ValueError, KeyError):  # and what depends on it is skipped, too
                known[instruction.name] = interpret(instruction.tree, Evaluator(), known)
        for guard in program.guards:
            if guard.name in known and bool(known[guard.name]) is not guard.outcome:
                return i, guard
    return None


def _samples(
    program: IR, parameters: Sequence[float], columns: Sequence[Sequence[float]]
) -> Iterator[dict[str, float]]:
    """Iterate over the samples, each as the numbers of the parameters and inputs by name."""
    shared = dict(zip(program.parameters, parameters))
    for row in zip(*columns) if columns else [()]:
        yield {**shared, **dict(zip(program.inputs, row))}


def _results(program: IR, known: dict[str, float]) -> Iterator[tuple[Instruction, float]]:
    """Iterate over the instructions and their numbers, computed as Values do it and added to ``known``."""
    for instruction in program.computed():
        if instruction.op is None:
            y = interpret(instruction.tree, Evaluator(), known)
        else:
            y = _forward(instruction, known)
        known[instruction.name] = y
        yield instruction, y


def _forward(instruction: Instruction, known: Mapping[str, float]) -> float:
    """Return the number of a forward instruction.

    Raises:
        ArithmeticError, ValueError: it, or a derivative that the backward pass needs, does not exist.
    """
    op = instruction.op
    assert op is not None
    data = [interpret(arg, Evaluator(), known) for arg in instruction.args]
    try:
        y = op.value(*data)
        for position in instruction.needs_grad:
            op.derivative(position, Evaluator(), data, y)
    except (ArithmeticError, ValueError) as error:
        labels = [arg if isinstance(arg, str) else "" for arg in instruction.args]
        raise domain_error(op, error, data, labels) from None
    return y


def _describe(instruction: Instruction, y: float, known: Mapping[str, float]) -> str:
    """Return the instruction, its number, and the numbers that it was computed from, on one line."""
    listed = [f"{name} = {known[name]}" for name in dict.fromkeys(names_in(instruction.tree))][:8]
    where = f" at {', '.join(listed)}" if listed else ""
    first = Source().assignments(instruction.name, instruction.tree)[0]
    text = f"{first.name} = {' '.join(first.terms)}"
    return f"{text if len(text) <= LONGEST else text[:LONGEST] + ' …'} is {y}{where}"
