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
from nn.validation import Floats, Rows, all_finite

__all__ = ["CompiledStep", "Step", "eager", "evaluate", "traced"]

Step = Callable[[Sequence[Sample]], tuple[float, int]]

FAILURES = 3  # batches in which a guard fails, after which no further program is tried
COMPARED = 250_000  # parameters times samples on which a program is compared with Values, which takes 0.2 s
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
    try:
        graph = _trace(model, loss, batch)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        by_values(batch)  # an error of the model or the loss itself is raised here
        _warn(f"the graph of a sample cannot be traced: {error}")
        return by_values
    if graph.program.reads:
        line = graph.program.reads[0]
        _warn(f"{line} reads the number of a Value, which a program cannot check on other samples")
        return by_values
    step = CompiledStep(graph, loss, parameters, by_values, backend)
    batch = batch[: max(2, COMPARED // len(parameters))]
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


class CompiledStep:
    """Computes each batch by a compiled program, and on Values where a guard of it fails.

    Args:
        graph: the traced graph of one sample.
        loss: its loss.
        parameters: the parameters of the model.
        by_values: computes a batch on Values.
        backend: see `engine.trace`.
    """

    def __init__(
        self, graph: Graph, loss: Loss, parameters: list[Value], by_values: Step, backend: str
    ) -> None:
        self.graph, self.loss, self.parameters = graph, loss, parameters
        self.by_values, self.backend = by_values, backend
        self.run, self.failures = graph.program.compile(backend), 0

    def __call__(self, batch: Sequence[Sample]) -> tuple[float, int]:
        """Return the mean loss and the number of correct predictions; leave the gradients in the Values."""
        columns = self.columns(batch)
        found = self.compute([p.data for p in self.parameters], columns, batch)
        if found is None:
            return self.by_values(batch)
        mean, gradients, answers = found
        self.write_gradients(gradients.tolist() if hasattr(gradients, "tolist") else gradients)
        return mean, self.n_correct(answers, batch)

    def write_gradients(self, gradients: Sequence[float]) -> None:
        """Write the gradient of each parameter into its Value."""
        for p, gradient in zip(self.parameters, gradients):
            if type(p) is Value:
                p._grad = gradient  # a float: `compute` has checked it
            else:
                p.grad = gradient

    def n_correct(self, answers: Sequence[Floats], samples: Sequence[Sample]) -> int:
        """Return the number of samples that these outputs of the model predict correctly."""
        if not answers:
            return 0
        predictions = as_predictions(answers, self.graph.listed)
        return sum(_is_correct(self.loss, y, s.t) for y, s in zip(predictions, samples))

    def columns(self, samples: Sequence[Sample]) -> list[list[float]]:
        """Return a list for each input and each number of the target, with one number for each sample."""
        rows = ([*x, *target_numbers(t, self.graph.classes)] for x, t, _ in samples)
        return [list(column) for column in zip(*rows)]

    def compute(self, data: Floats, columns: Rows, batch: Sequence[Sample]) -> Result | None:
        """Return the mean loss, its gradients and the outputs of the model; None if Values have to do it.

        Args:
            data: the number of each parameter, a list or an array.
            columns: the samples, as `columns` returns them, or a two-dimensional array of the same shape.
            batch: the same samples, for errors.

        Warns:
            UserWarning: a comparison came out differently for a sample; once in a run.

        Raises:
            FloatingPointError: the loss or a gradient is not finite; the message names the sample.
        """
        if self.failures >= FAILURES:
            return None
        try:
            mean, gradients, *answers = self.run(data, columns)
        except GuardError as failed:
            self.failures += 1
            if self.failures == 1:
                where = f"at sample {batch[failed.sample].number}, Python's comparison in {failed.line}"
                warnings.warn(
                    f"{where} comes out differently than in the graph traced for backend={self.backend!r}: "
                    f"such a batch is computed on Values, and after {FAILURES} of them every batch is",
                    stacklevel=6,
                )
            return None
        except (ArithmeticError, ValueError):
            self.failures += 1  # unless Values have the error as well; theirs names the sample in the data
            return None
        if not (isfinite(mean) and all_finite(gradients)):
            self._refuse(mean, data, columns, batch)
        return Result(float(mean), gradients, answers[0] if answers else [])

    def outputs(self, data: Floats, columns: Rows) -> Result | None:
        """Return the mean loss and the outputs of the model, without gradients; None as for `compute`."""
        if self.failures >= FAILURES:
            return None
        try:
            values = self.run.values(data, columns)
        except (ArithmeticError, ValueError):  # a guard failed, or Values have the error, too
            return None
        if not self.graph.program.many:
            values = [values]
        errors = values[0]
        whole = sum(errors) if isinstance(errors, list) else errors.sum()
        return Result(float(whole / len(errors)), [], values[1:])

    def _refuse(self, mean: float, data: Floats, columns: Rows, batch: Sequence[Sample]) -> None:
        """Raise the error that names the first number that is not finite, unless the optimizer finds it."""
        if found := self.graph.program.locate_nonfinite(data, columns):
            raise FloatingPointError(
                f"sample {batch[found.sample].number}: {found.text}. No parameter was moved by it; "
                "a smaller learning rate may help"
            )
        if not isfinite(mean):
            raise FloatingPointError(f"the mean loss of a batch is {mean}. No parameter was moved by it")


class Result(NamedTuple):
    """A batch, computed by a program."""

    mean: float  #: the mean loss
    gradients: Floats  #: its derivative with respect to each parameter
    answers: Sequence[Floats]  #: for each output of the model its values; none if the loss has no classes


class Graph(NamedTuple):
    """The traced graph of one sample."""

    program: Program
    listed: bool  #: whether the outputs of the model are a list
    classes: int  #: the number of classes, where the target is the number of one; else 0


class _PlainNumber(Exception):
    """The loss of a sample is a plain number, such as the 0 of max(0, 1 - t y)."""


def _trace(model: Module, loss: Loss, batch: Sequence[Sample]) -> Graph:
    """Trace the first sample whose loss depends on the parameters.

    Raises:
        ValueError: there is no such sample, or the graph cannot be traced.
    """
    for sample in batch:
        inputs = [Value(number, f"x{i}") for i, number in enumerate(sample.x)]
        shape = model.predict(sample.x)
        listed = isinstance(shape, list)
        classes = len(shape) if isinstance(shape, list) and loss is losses.cross_entropy else 0
        targets = [Value(number, f"t{k}") for k, number in enumerate(target_numbers(sample.t, classes))]
        listed_target = len(targets) > 1 or isinstance(sample.t, (list, tuple))
        decides = losses.decide(loss, sample.t) is not None

        def build(
            *leaves: Value,
            count: int = len(inputs),
            decides: bool = decides,
            listed_target: bool = listed_target,
        ) -> list[Value]:
            outputs, t = model(list(leaves[:count])), list(leaves[count:])
            root = as_value(loss(outputs, t if listed_target else t[0]))
            if not root.parents:
                raise _PlainNumber
            return [root, *(outputs if isinstance(outputs, list) else [outputs])] if decides else [root]

        try:
            program = trace(build, inputs=[*inputs, *targets], parameters=model.parameters())
        except _PlainNumber:
            continue
        return Graph(program, listed, classes)
    raise ValueError("the loss of every sample of the first batch is a plain number")


def _warn(why: str) -> None:
    warnings.warn(f'{why[:400]}: training goes on with backend="eager"', stacklevel=4)


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


def target_numbers(t: Any, classes: int) -> list[float]:
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
