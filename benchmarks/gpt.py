"""Compare the speed of training a GPT in scalars: Values in microgpt's style, our Values, and machine code.

    python benchmarks/gpt.py                  every table
    python benchmarks/gpt.py step lengths     the named tables (step, lengths)
    python benchmarks/gpt.py --quick          fewer calls and fewer lengths: about a minute

The model is read from the cells of notebooks/11_a_gpt_in_scalars.ipynb. The peer is a Value in microgpt's
style (tuples.py). It needs several nodes where we need one: a sum is made of single + and * nodes, and the
loss is -log of one output of the softmax. Before anything is timed, the gradients and the first step of all
contenders are compared. They are interleaved, and each number is a median of processor time.
"on" and "off" refer to Python's garbage collector: with it off, the graphs of the peer stay in memory, as its
recursive sort leaves a reference cycle that contains them.
"""

from __future__ import annotations

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
from bench import ROOT, aligned, figure, medians, print_tables, table

from engine import Program, Value, relu, softmax, total, trace, weighted_sum
from nn import Adam, losses

NOTEBOOK = ROOT / "notebooks" / "11_a_gpt_in_scalars.ipynb"
PEER, VALUES = "microgpt's style", "chalkgrad, Values"
CODE, ARRAYS = "chalkgrad, machine code for Values", "chalkgrad, machine code for arrays"
LONGEST, TOKENS, BATCH, RATE = 8, 27, 32, 1e-4
CALLS = 20  # calls of machine code in a turn

Net = dict[str, Any]  # the names that the notebook's cells define
Gradients = Callable[[], None]  # sets the gradients of a batch


# The model


def net(**words: Any) -> Net:
    """Return the names that the notebook's cells define, run with the given functions of an engine."""
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    model = ["".join(cell["source"]) for cell in cells if "model" in cell["metadata"].get("tags", ())]
    names: Net = {"random": random, "sqrt": sqrt, "LONGEST": LONGEST, **words}
    exec("\n".join(model), names)
    return names


def ours() -> Net:
    """Return the model on our Values, as in the notebook."""
    words = {"weighted_sum": weighted_sum, "softmax": softmax, "relu": relu, "total": total}
    return net(Value=Value, losses=losses, **words)


def theirs() -> Net:
    """Return the model in microgpt's style."""

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
    """Return a batch of names of ``length`` letters."""
    try:
        lists = [files("names").joinpath(f"dist.{who}.first") for who in ("female", "male")]
    except ImportError:
        sys.exit("the package names is missing: make bench, or pip install 'chalkgrad[bench]'")
    every = {line.split()[0].lower() for text in lists for line in text.read_text().splitlines()}
    return random.Random(length).sample(sorted(name for name in every if len(name) == length), BATCH)


def on_values(model: Net, batch: list[str]) -> Gradients:
    """Return a function that sets the gradients of the mean loss, one name after another."""

    def gradients() -> None:
        for p in model["parameters"]:
            p.grad = 0.0
        for name in batch:
            (model["surprise"](name) / len(batch)).backward()

    return gradients


def program(model: Net, letters: int, filled: bool = False) -> Program:
    """Return the traced loss of a name of ``letters`` letters; if ``filled``, or fewer, padded with dots."""
    one_hot = [[Value(float(i == 0)) for i in range(TOKENS)] for _ in range(letters)]
    rows = list(zip(*model["token"]))
    logits = model["gpt"]([model["token"][0], *(model["times"](rows, letter) for letter in one_hot)])
    questions = [losses.cross_entropy(z, t) for z, t in zip(logits, [*one_hot, 0])]
    weights = [Value(0.0) for _ in questions] if filled else []
    loss = weighted_sum(weights, questions) if filled else total(questions) / len(questions)
    return trace(loss, [*weights, *chain(*one_hot)], model["parameters"])


def columns(model: Net, batch: list[str], letters: int, filled: bool = False) -> list[Any]:
    """Return the input columns of that program."""
    one_hot = np.eye(TOKENS)[[model["tokens"](name.ljust(letters, ".")) for name in batch]]
    questions = np.array([[len(name) + 1] for name in batch])
    weights = (np.arange(letters + 1) < questions) / questions
    return [*(weights.T if filled else []), *one_hot.reshape(len(batch), -1).T]


def in_code(model: Net, step: Any, inputs: list[Any]) -> Gradients:
    """Return a function that sets the gradients of the Values by machine code."""

    def gradients() -> None:
        _, found = step(np.array([p.data for p in model["parameters"]]), inputs)
        for p, gradient in zip(model["parameters"], found.tolist()):
            p.grad = gradient

    return gradients


class Learner:
    """A model that learns a batch with Adam; ``gradients`` sets the gradients of its parameters."""

    def __init__(self, model: Net, gradients: Gradients) -> None:
        self.parameters, self.gradients = model["parameters"], gradients
        self.optimizer = Adam(self.parameters, lr=RATE)

    def step(self) -> None:
        self.gradients()
        self.optimizer.step()

    def gradient(self) -> list[float]:
        self.gradients()
        return [p.grad for p in self.parameters]

    def numbers(self) -> list[float]:
        return [p.data for p in self.parameters]


class ArrayLearner:
    """The same on arrays, without a Value: machine code, and the formulas of Adam."""

    def __init__(self, model: Net, run: Any, inputs: list[Any]) -> None:
        self.run, self.inputs, self.steps = run, inputs, 0
        self.parameters = np.array([p.data for p in model["parameters"]])
        self.m, self.v = np.zeros_like(self.parameters), np.zeros_like(self.parameters)

    def step(self) -> None:
        g = self.gradient()
        self.steps += 1
        self.m = 0.9 * self.m + 0.1 * g
        self.v = 0.999 * self.v + 0.001 * g * g
        m, v = self.m / (1 - 0.9**self.steps), self.v / (1 - 0.999**self.steps)
        self.parameters -= RATE * m / (np.sqrt(v) + 1e-8)

    def gradient(self) -> Any:
        return self.run(self.parameters, self.inputs)[1]

    def numbers(self) -> Any:
        return self.parameters


def agree(found: dict[str, Sequence[float]], within: float) -> None:
    """Exit with an error unless all contenders have the numbers of the peer."""
    for name, numbers in found.items():
        error = max(abs(a - b) for a, b in zip(numbers, found[PEER], strict=True))
        if not error <= within:
            sys.exit(f"{name} disagrees with {PEER}: by {error:.1e}")


# The tables


def step_table(rounds: int, quick: bool) -> None:
    """Print the time of one step of Adam on names of six letters."""
    letters = 6
    compiled = program(ours(), letters).compile("llvm")
    for count in (1,) if quick else (1, BATCH):
        peer, on_ours, in_ours = theirs(), ours(), ours()
        batch = names(letters)[:count]
        inputs = columns(peer, batch, letters)
        learners = {
            PEER: Learner(peer, on_values(peer, batch)),
            VALUES: Learner(on_ours, on_values(on_ours, batch)),
            CODE: Learner(in_ours, in_code(in_ours, compiled, inputs)),
            ARRAYS: ArrayLearner(in_ours, compiled, inputs),
        }
        agree({name: learner.gradient() for name, learner in learners.items()}, within=1e-12)
        for learner in learners.values():
            learner.step()
        agree({name: learner.numbers() for name, learner in learners.items()}, within=1e-12)
        turns = {name: learner.step for name, learner in learners.items()}
        off, on = timed(turns, max(1, rounds // count))  # a step on many names takes long
        what = f"a step on {count} name{'s' * (count > 1)} of {letters} letters"
        rows = [[name, *(cell for t in (off, on) for cell in beside(t, name))] for name in turns]
        print(table([what, "off, ms", f"x {PEER}", "on, ms", f"x {PEER}"], rows), end="\n\n", flush=True)


def timed(turns: dict[str, Callable[[], None]], rounds: int) -> Iterator[dict[str, float]]:
    """Yield the median times, with the collector off and then on. Machine code is called often in a turn."""
    often = {name: CALLS if name in (CODE, ARRAYS) else 1 for name in turns}
    laps = {name: lambda f=f, n=often[name]: [f() for _ in range(n)] for name, f in turns.items()}
    for collect in (False, True):
        times = medians(laps, rounds, collect, time.process_time)
        yield {name: t / often[name] for name, t in times.items()}


def beside(times: dict[str, float], name: str) -> tuple[str, str]:
    return figure(1e3 * times[name]), figure(times[PEER] / times[name])


HEAD = ["gradients of 32 names", "lines", "s to trace", "s to compile", "ms", "x Values: off", "on",
        f"x {PEER}: off", "on", "pays after"]  # fmt: skip


def lengths_table(rounds: int, quick: bool) -> None:
    """Print the cost and the gain of a program for each length, and of one program for all lengths."""
    counts = [3, 6] if quick else list(range(3, LONGEST + 1))
    for line in aligned(HEAD, lengths(rounds, counts), [max(len(cell), 7) for cell in HEAD]):
        print(line, flush=True)
    print("\n'pays after': the number of batches after which compiling saves time, with the collector on.")


def lengths(rounds: int, counts: list[int]) -> Iterator[list[str]]:
    """Yield the row of each length as soon as it is measured, then their sum, then one program for all."""
    peer, values = theirs(), ours()
    whole = np.zeros(2)
    for letters in counts:
        row = measured(peer, values, names(letters), letters, False, rounds)
        whole += row[1:3]
        yield cells(f"{letters} letters", row)
    yield ["all of these", "", *map(figure, whole), *[""] * 6]
    mixed = [name for batch in zip(*map(names, counts)) for name in batch][:BATCH]
    yield cells(f"up to {max(counts)}, padded", measured(peer, values, mixed, max(counts), True, rounds))


def cells(name: str, row: Sequence[float]) -> list[str]:
    lines, *figures, pays = row
    return [name, f"{lines:,}", *map(figure, figures), f"{ceil(pays)}"]


def measured(
    peer: Net, values: Net, batch: list[str], letters: int, filled: bool, rounds: int
) -> tuple[float, ...]:
    """Return the numbers of a row. The time of Values for a batch is estimated from a part of it."""
    start = time.process_time()
    traced = program(values, letters, filled)
    between = time.process_time()
    step = traced.compile("llvm")
    tracing, compiling = between - start, time.process_time() - between
    part = batch[:6]
    turns = {PEER: on_values(peer, part), VALUES: on_values(values, part)}
    turns[CODE] = in_code(values, step, columns(values, part, letters, filled))
    models = {PEER: peer, VALUES: values, CODE: values}
    agree({name: Learner(models[name], found).gradient() for name, found in turns.items()}, within=1e-12)
    turns[CODE] = in_code(values, step, columns(values, batch, letters, filled))
    off, on = timed(turns, rounds)
    times = len(batch) / len(part)
    ratios = [times * t[name] / t[CODE] for name in (VALUES, PEER) for t in (off, on)]
    pays = (tracing + compiling) / (times * on[VALUES] - on[CODE])
    return len(traced.lines), tracing, compiling, 1e3 * off[CODE], *ratios, pays


if __name__ == "__main__":
    print_tables("Measure a GPT in scalars.", {"step": step_table, "lengths": lengths_table}, 3, 1)
