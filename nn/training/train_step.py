"""The loss and the gradients of one batch: computed on Values, or by the same graph traced and compiled.

Either way the gradient of the mean loss is left in the parameters' ``.grad``, and the mean loss and the
number of correctly predicted samples are returned.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from math import isclose, isfinite
from typing import Any, NamedTuple

from engine import GuardError, Program, Value, as_value, one_line, topological_order, total, trace
from nn.model.modules import Module
from nn.model.predict import Prediction, as_predictions
from nn.training import losses
from nn.training.dataset import Sample
from nn.training.losses import Loss

__all__ = ["Step", "eager", "evaluate", "traced"]

Step = Callable[[Sequence[Sample]], tuple[float, int]]

FAILURES = 3  # batches in which a guard fails, after which no further program is tried
AT_ONCE = 32  # samples in one graph: enough to share the visit to each parameter, too few to fill the memory


def eager(model: Module, loss: Loss) -> Step:
    """Return a function that computes each batch on Values.

    >>> from nn.model.modules import Neuron
    >>> neuron = Neuron(1, activation=None, init="zeros")
    >>> step = eager(neuron, losses.half_squared_error)
    >>> step([Sample([1.0], 2.0), Sample([1.0], 4.0)])
    (5.0, 0)
    >>> neuron.b.grad
    -3.0
    """

    def step(batch: Sequence[Sample]) -> tuple[float, int]:
        model.zero_grad()
        mean, correct = 0.0, 0
        for first in range(0, len(batch), AT_ONCE):
            errors = []
            for sample in batch[first : first + AT_ONCE]:
                try:
                    outputs = model(sample.x)
                    error = as_value(loss(outputs, sample.t))
                except (ArithmeticError, ValueError) as outside:
                    outside.add_note(f"at sample {sample.number}")
                    raise
                errors.append(_finite(error, sample))
                correct += _is_correct(loss, _numbers(outputs), sample.t)
            share = total(errors) / len(batch)
            share.backward()
            mean += share.data
        return mean, correct

    return step


def traced(model: Module, loss: Loss, batch: Sequence[Sample], backend: str) -> Step:
    """Return a function that computes each batch by the graph of one sample, traced and compiled.

    One program has the loss as its first output and the outputs of the model as further ones, so one call
    gives the loss, the gradients and the number of correct predictions. Where Python compares Values, the
    program checks the comparison on every sample. A batch in which one comes out differently is computed on
    Values, and after `FAILURES` such batches every batch is.

    Args:
        model, loss: what is trained.
        batch: samples to trace and to compare with `eager`; at least two, as only the second one can show
            what is random.
        backend: see `engine.trace`.

    Warns:
        UserWarning: a comparison came out differently for a sample, or the model or the loss reads the number
            of a Value, which no program can check: then every batch is computed on Values.

    Raises:
        ValueError: the compiled graph gives other numbers than Values do on ``batch``: the graph differs from
            sample to sample.

    >>> from nn.model.modules import Neuron
    >>> neuron = Neuron(1, activation=None, init="zeros")
    >>> batch = [Sample([1.0], 2.0), Sample([1.0], 4.0)]
    >>> traced(neuron, losses.half_squared_error, batch, "python")(batch)
    (5.0, 0)
    >>> neuron.b.grad
    -3.0
    """
    by_values, parameters = eager(model, loss), model.parameters()
    graph = _trace(model, loss, batch)
    if graph is None or graph.program.reads:
        line = f"{graph.program.reads[0]} reads" if graph else "the model or the loss decides by"
        warnings.warn(
            f"{line} the number of a Value, which a program cannot check on other samples: training goes on "
            'with backend="eager"',
            stacklevel=3,
        )
        return by_values
    program, listed, classes = graph
    run, failures = program.compile(backend), 0

    def step(batch: Sequence[Sample]) -> tuple[float, int]:
        nonlocal failures
        if failures >= FAILURES:
            return by_values(batch)
        columns = [list(column) for column in zip(*([*x, *_target(t, classes)] for x, t, _ in batch))]
        now = [p.data for p in parameters]
        try:
            mean, gradients, answers = run(now, columns)
        except GuardError as failed:
            failures += 1
            if failures == 1:
                warnings.warn(
                    f"at sample {batch[failed.sample].number}, Python's comparison in {failed.line} comes out "
                    f"differently than in the graph that was traced for backend={backend!r}: such a batch is "
                    f"computed on Values, and after {FAILURES} of them every batch is",
                    stacklevel=4,
                )
            return by_values(batch)
        except (ArithmeticError, ValueError):
            by_values(batch)  # its error has the number of the sample in the data
            raise
        gradients = gradients.tolist() if hasattr(gradients, "tolist") else gradients
        finite = isfinite(mean) and all(map(isfinite, gradients))
        if not finite and (found := program.locate_nonfinite(now, columns)):
            raise FloatingPointError(
                f"sample {batch[found.sample].number}: {found.text}. No parameter was moved by it; "
                "a smaller learning rate may help"
            )
        if not isfinite(mean):
            raise FloatingPointError(f"the mean loss of a batch is {mean}. No parameter was moved by it")
        for p, gradient in zip(parameters, gradients):
            p.grad = gradient
        if not answers:
            return float(mean), 0
        predictions = as_predictions(answers, listed)
        return float(mean), sum(_is_correct(loss, y, s.t) for y, s in zip(predictions, batch))

    mean, _ = by_values(batch)
    expected = [mean, *(p.grad for p in parameters)]
    got = [step(batch)[0], *(p.grad for p in parameters)]
    if not all(isclose(a, b, rel_tol=1e-9, abs_tol=1e-12) for a, b in zip(expected, got)):
        raise ValueError(
            f"backend={backend!r} gives other numbers than Values on the first batch: the graph of its first "
            "sample is not that of all. Where a model or loss is random or keeps a state, use "
            'backend="eager"'
        )
    return step


class Graph(NamedTuple):
    """The traced graph of one sample."""

    program: Program
    listed: bool  #: whether the outputs of the model are a list
    classes: int  #: the number of classes, where the target is the number of one; else 0


class _PlainNumber(Exception):
    """The loss of a sample is a plain number, such as the 0 of max(0, 1 - t y)."""


def _trace(model: Module, loss: Loss, batch: Sequence[Sample]) -> Graph | None:
    """Trace the first sample whose loss depends on the parameters; return None if there is none."""
    for sample in batch:
        inputs = [Value(number, f"x{i}") for i, number in enumerate(sample.x)]
        shape = model.predict(sample.x)
        listed = isinstance(shape, list)
        classes = len(shape) if isinstance(shape, list) and loss is losses.cross_entropy else 0
        targets = [Value(number, f"t{k}") for k, number in enumerate(_target(sample.t, classes))]
        decides = losses.decide(loss, sample.t) is not None

        def build(*leaves: Value, count: int = len(inputs), decides: bool = decides) -> list[Value]:
            outputs, t = model(list(leaves[:count])), list(leaves[count:])
            root = as_value(loss(outputs, t if len(t) > 1 else t[0]))
            if not root.parents:
                raise _PlainNumber
            return [root, *(outputs if isinstance(outputs, list) else [outputs])] if decides else [root]

        try:
            program = trace(build, inputs=[*inputs, *targets], parameters=model.parameters())
        except _PlainNumber:
            continue
        return Graph(program, listed, classes)
    return None


def evaluate(model: Module, loss: Loss, samples: Sequence[Sample]) -> tuple[float, int]:
    """Return the mean loss over the samples, and how many are predicted correctly; no gradient is computed.

    >>> from nn.model.modules import Neuron
    >>> neuron = Neuron(1, activation=None, init="zeros")
    >>> evaluate(neuron, losses.hinge, [Sample([1.0], -1), Sample([2.0], 1)])
    (1.0, 1)
    """
    whole, correct = 0.0, 0
    for x, t, _ in samples:
        y = model.predict(x)
        whole += as_value(loss([Value(a) for a in y] if isinstance(y, list) else Value(y), t)).data
        correct += _is_correct(loss, y, t)
    return whole / len(samples), correct


def _numbers(outputs: Value | list[Value]) -> Prediction:
    return [a.data for a in outputs] if isinstance(outputs, list) else outputs.data


def _is_correct(loss: Loss, y: Prediction, t: object) -> bool:
    """Return whether a prediction and a target mean the same class or side; False if there are no classes."""
    decision = losses.decide(loss, y)
    return decision is not None and bool(decision == losses.decide(loss, t))


def _target(t: Any, classes: int) -> list[float]:
    """Return a target as numbers for columns; the number of a class becomes one-hot."""
    if isinstance(t, (list, tuple)):
        return [float(t_k) for t_k in t]
    return [float(k == t) for k in range(classes)] if classes else [float(t)]


def _finite(error: Value, sample: Sample) -> Value:
    """Return the loss of a sample if it is finite.

    Raises:
        FloatingPointError: it is not; the message names the first node of its graph that is not.
    """
    if isfinite(error.data):
        return error
    node = next(node for node in topological_order(error) if not isfinite(node.data))
    made = f"{node.op.symbol} of {[parent.data for parent in node.parents]!r:.60}" if node.op else "a leaf"
    raise FloatingPointError(
        f"sample {sample.number}: the loss is {error.data}, and the first number that is not finite is "
        f"{one_line(node.label) or 'a node'} = {node.data}, {made}. No parameter was moved by it; "
        "a smaller learning rate may help"
    )
