"""The loss and the gradients of one batch: computed on Values, or by the same graph traced and compiled.

Either way the gradient of the mean loss is left in the parameters' ``.grad``, and the mean loss and the
number of correctly predicted samples are returned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isclose, isfinite
from typing import Any

from engine import Value, as_value, no_grad, one_line, topological_order, total, trace
from nn.model.modules import Module
from nn.model.predict import Prediction, as_predictions
from nn.training import losses
from nn.training.dataset import Sample
from nn.training.losses import Loss

__all__ = ["Step", "eager", "evaluate", "traced"]

Step = Callable[[Sequence[Sample]], tuple[float, int]]

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
    """Trace the graph of one sample, compile it for ``backend``, and compare the first batch with `eager`.

    One program has the loss as its first output and the outputs of the model as further ones, so one call
    gives the loss, the gradients and the number of correct predictions.

    Raises:
        ValueError: the compiled graph gives other numbers than Values do on ``batch``: the graph depends on
            the data, and the traced graph is that of one sample only.

    >>> from nn.model.modules import Neuron
    >>> neuron = Neuron(1, activation=None, init="zeros")
    >>> batch = [Sample([1.0], 2.0), Sample([1.0], 4.0)]
    >>> traced(neuron, losses.half_squared_error, batch, "python")(batch)
    (5.0, 0)
    >>> neuron.b.grad
    -3.0
    """
    inputs = [Value(number, f"x{i}") for i, number in enumerate(batch[0].x)]
    outputs, parameters = model(inputs), model.parameters()
    answers_of = outputs if isinstance(outputs, list) else [outputs]
    listed = answers_of is outputs
    further = [] if losses.decide(loss, batch[0].t) is None else answers_of
    classes = len(answers_of) if listed and loss is losses.cross_entropy else 0
    targets = [Value(number, f"t{k}") for k, number in enumerate(_target(batch[0].t, classes))]
    root = as_value(loss(outputs, targets if len(targets) > 1 else targets[0]))
    program = trace([root, *further], inputs=[*inputs, *targets], parameters=parameters)
    run, by_values = program.compile(backend), eager(model, loss)

    def step(batch: Sequence[Sample]) -> tuple[float, int]:
        columns = [list(column) for column in zip(*([*x, *_target(t, classes)] for x, t, _ in batch))]
        now = [p.data for p in parameters]
        try:
            mean, gradients, answers = run(now, columns)
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
        if not further:
            return float(mean), 0
        predictions = as_predictions(answers, listed)
        return float(mean), sum(_is_correct(loss, y, s.t) for y, s in zip(predictions, batch))

    mean, _ = by_values(batch)
    expected = [mean, *(p.grad for p in parameters)]
    got = [step(batch)[0], *(p.grad for p in parameters)]
    if not all(isclose(a, b, rel_tol=1e-9, abs_tol=1e-12) for a, b in zip(expected, got)):
        raise ValueError(
            f"backend={backend!r} gives other numbers than Values on the first batch: the graph of its first "
            'sample is not that of all. Where a model or loss has an if on its data, use backend="eager"'
        )
    return step


def evaluate(model: Module, loss: Loss, samples: Sequence[Sample]) -> tuple[float, int]:
    """Return the mean loss over the samples, and how many are predicted correctly; nothing is recorded.

    >>> from nn.model.modules import Neuron
    >>> neuron = Neuron(1, activation=None, init="zeros")
    >>> evaluate(neuron, losses.hinge, [Sample([1.0], -1), Sample([2.0], 1)])
    (1.0, 1)
    """
    whole, correct = 0.0, 0
    with no_grad():
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
