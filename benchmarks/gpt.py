"""How fast does a GPT in scalars learn: on Values in microgpt's style, on ours, and in machine code?

    python benchmarks/gpt.py                  every table
    python benchmarks/gpt.py step lengths     those that you name, of step, lengths
    python benchmarks/gpt.py --quick          fewer turns and fewer lengths: a minute or so

The model is that of notebooks/08_a_gpt_in_scalars.ipynb, read from its cells, and the names are those that it
reads. The peer is a Value in microgpt's style (tuples.py), with its words for what ours do in one node: a sum
is made of single + and *, and the loss is -log of one share of the softmax. All three first show that
they compute the same gradients; then they take turns, and each figure is a median, of processor time. "on"
and "off" tell of Python's garbage collector.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial, reduce
from importlib.resources import files
from itertools import chain
from math import ceil, sqrt
from operator import add, mul
from types import SimpleNamespace
from typing import Any

import numpy as np
import tuples
from bench import ROOT, aligned, figure, machine, medians, table

from engine import Value, relu, softmax, total, trace, weighted_sum
from engine.program import Program
from nn import Adam, losses

NOTEBOOK = ROOT / "notebooks" / "08_a_gpt_in_scalars.ipynb"
PEER, VALUES, CODE = "microgpt's style", "chalkgrad, Values", "chalkgrad, machine code"
LONGEST, TOKENS, BATCH = 8, 27, 32

Net = dict[str, Any]  # the names that the notebook's cells define
Gradients = Callable[[], None]  # sets the gradients of a batch


# The model


def net(**words: Any) -> Net:
    """The notebook's model, in the words of an engine."""
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    model = ["".join(cell["source"]) for cell in cells if "model" in cell["metadata"].get("tags", ())]
    names: Net = {"random": random, "sqrt": sqrt, "LONGEST": LONGEST, **words}
    exec("\n".join(model), names)
    return names


def ours() -> Net:
    """It on our Values, as the notebook has it."""
    words = {"weighted_sum": weighted_sum, "softmax": softmax, "relu": relu, "total": total}
    return net(Value=Value, losses=losses, **words)


def theirs() -> Net:
    """It in microgpt's style."""

    def shares(values: Sequence[Any]) -> list[Any]:
        greatest = max(value.data for value in values)
        exps = [(value - greatest).exp() for value in values]
        whole = reduce(add, exps)
        return [e / whole for e in exps]

    return net(
        Value=tuples.Value,
        weighted_sum=lambda weights, inputs: reduce(add, map(mul, weights, inputs)),
        softmax=shares,
        relu=tuples.Value.relu,
        total=partial(reduce, add),
        losses=SimpleNamespace(cross_entropy=lambda logits, t: -shares(logits)[t].log()),
    )


def names(length: int) -> list[str]:
    """A batch of names of so many letters."""
    try:
        lists = [files("names").joinpath(f"dist.{who}.first") for who in ("female", "male")]
    except ImportError:
        sys.exit("the package names is missing: make bench, or pip install 'chalkgrad[bench]'")
    every = {line.split()[0].lower() for text in lists for line in text.read_text().splitlines()}
    return random.Random(length).sample(sorted(name for name in every if len(name) == length), BATCH)


def on_values(model: Net, batch: list[str]) -> Gradients:
    """The gradients of the mean loss, one name after another."""

    def gradients() -> None:
        for p in model["parameters"]:
            p.grad = 0.0
        for name in batch:
            (model["surprise"](name) / len(batch)).backward()

    return gradients


def program(model: Net, letters: int, filled: bool = False) -> Program:
    """The loss of a name of so many letters; if ``filled``, or of fewer, filled up with dots."""
    one_hot = [[Value(float(i == 0)) for i in range(TOKENS)] for _ in range(letters)]
    rows = list(zip(*model["token"]))
    logits = model["gpt"]([model["token"][0], *(model["times"](rows, letter) for letter in one_hot)])
    questions = [losses.cross_entropy(z, t) for z, t in zip(logits, [*one_hot, 0])]
    weights = [Value(0.0) for _ in questions] if filled else []
    loss = weighted_sum(weights, questions) if filled else total(questions) / len(questions)
    return trace(loss, [*weights, *chain(*one_hot)], model["parameters"])


def columns(model: Net, batch: list[str], letters: int, filled: bool = False) -> list[Any]:
    """The inputs of that program."""
    one_hot = np.eye(TOKENS)[[model["tokens"](name.ljust(letters, ".")) for name in batch]]
    questions = np.array([[len(name) + 1] for name in batch])
    weights = (np.arange(letters + 1) < questions) / questions
    return [*(weights.T if filled else []), *one_hot.reshape(len(batch), -1).T]


def in_code(model: Net, step: Any, inputs: list[Any]) -> Gradients:
    """The same gradients by machine code, on the same parameters."""

    def gradients() -> None:
        _, slopes = step(np.array([p.data for p in model["parameters"]]), inputs)
        for p, slope in zip(model["parameters"], slopes.tolist()):
            p.grad = slope

    return gradients


def agree(contenders: dict[str, tuple[Net, Gradients]]) -> None:
    """Stop, unless all compute the same gradients."""
    slopes = {}
    for name, (model, gradients) in contenders.items():
        gradients()
        slopes[name] = [p.grad for p in model["parameters"]]
    for name, its in slopes.items():
        error = max(abs(a - b) for a, b in zip(its, slopes[PEER], strict=True))
        if not error <= 1e-12:
            sys.exit(f"{name} disagrees with {PEER}: a gradient differs by {error:.1e}")


# The tables


def step_table(rounds: int, quick: bool) -> None:
    """One step of Adam on names of six letters."""
    letters, peer, values = 6, theirs(), ours()
    compiled = program(values, letters).compile("llvm")
    for count in (1,) if quick else (1, BATCH):
        batch = names(letters)[:count]
        contenders = {
            PEER: (peer, on_values(peer, batch)),
            VALUES: (values, on_values(values, batch)),
            CODE: (values, in_code(values, compiled, columns(values, batch, letters))),
        }
        agree(contenders)
        turns: dict[str, Gradients] = {}
        for name, (model, gradients) in contenders.items():
            optimizer = Adam(model["parameters"], lr=1e-4)
            turns[name] = lambda gradients=gradients, step=optimizer.step: (gradients(), step())
        turns[f"{CODE}, without Adam"] = contenders[CODE][1]
        off, on = (medians(turns, rounds, collect, time.process_time) for collect in (False, True))
        what = f"a step on {count} name{'s' * (count > 1)} of {letters} letters"
        rows = [[name, *(cell for t in (off, on) for cell in beside(t, name))] for name in turns]
        print(table([what, "off, ms", f"x {PEER}", "on, ms", f"x {PEER}"], rows), end="\n\n", flush=True)


def beside(times: dict[str, float], name: str) -> tuple[str, str]:
    return figure(1e3 * times[name]), figure(times[PEER] / times[name])


HEAD = ["gradients of 32 names", "lines", "s to trace", "s to compile", "ms", "x Values: off", "on",
        f"x {PEER}: off", "on", "pays after"]  # fmt: skip


def lengths_table(rounds: int, quick: bool) -> None:
    """A program for each length: what it costs to have it, and what it gains. And one for all lengths."""
    counts = [3, 6] if quick else list(range(3, LONGEST + 1))
    for line in aligned(HEAD, lengths(rounds, counts), [max(len(cell), 7) for cell in HEAD]):
        print(line, flush=True)
    print("\nIt pays after so many batches on Values, the collector being on.")


def lengths(rounds: int, counts: list[int]) -> Iterator[list[str]]:
    """The row of each length, as soon as it is measured, that of all together, and that of one for all."""
    peer, values = theirs(), ours()
    whole = np.zeros(2)
    for letters in counts:
        row = measured(peer, values, names(letters), letters, False, rounds)
        whole += row[1:3]
        yield cells(f"{letters} letters", row)
    yield ["all of these", "", *map(figure, whole), *[""] * 6]
    mixed = [name for batch in zip(*map(names, counts)) for name in batch][:BATCH]
    yield cells(f"up to {max(counts)}, filled up", measured(peer, values, mixed, max(counts), True, rounds))


def cells(name: str, row: Sequence[float]) -> list[str]:
    lines, *figures, pays = row
    return [name, f"{lines:,}", *map(figure, figures), f"{ceil(pays)}"]


def measured(
    peer: Net, values: Net, batch: list[str], letters: int, filled: bool, rounds: int
) -> tuple[float, ...]:
    """The figures of a row. What Values take for a batch is taken from a part of it."""
    start = time.process_time()
    traced = program(values, letters, filled)
    between = time.process_time()
    step = traced.compile("llvm")
    tracing, compiling = between - start, time.process_time() - between
    code = in_code(values, step, columns(values, batch, letters, filled))
    agree({PEER: (peer, on_values(peer, batch)), CODE: (values, code)})
    part = batch[:6]
    turns = {PEER: on_values(peer, part), VALUES: on_values(values, part), CODE: code}
    off, on = (medians(turns, rounds, collect, time.process_time) for collect in (False, True))
    times = len(batch) / len(part)
    ratios = [times * t[name] / t[CODE] for name in (VALUES, PEER) for t in (off, on)]
    pays = (tracing + compiling) / (times * on[VALUES] - on[CODE])
    return len(traced.lines), tracing, compiling, 1e3 * off[CODE], *ratios, pays


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure a GPT in scalars.")
    parser.add_argument("tables", nargs="*", help="step, lengths; both by default")
    parser.add_argument("--rounds", type=int, default=3, help="turns that each contender takes (default 3)")
    parser.add_argument("--quick", action="store_true", help="fewer turns and fewer lengths")
    options = parser.parse_args()
    tables = {"step": step_table, "lengths": lengths_table}
    if unknown := [name for name in options.tables if name not in tables]:
        parser.error(f"there is no table {unknown[0]!r}; there are {', '.join(tables)}")
    print(machine(), end="\n\n")
    for name in options.tables or tables:
        tables[name](1 if options.quick else options.rounds, options.quick)
        print(flush=True)


if __name__ == "__main__":
    main()
