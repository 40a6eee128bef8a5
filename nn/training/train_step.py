"""The loss and the gradients of one batch: computed on Values, or by the same graph traced and compiled.

This room and `nn.model.predict` know of backends. Whichever is chosen leaves the gradient of the mean loss in the
parameters' ``.grad`` and tells the mean loss and how many samples were right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isclose, isfinite
from typing import Any

from engine import Value, as_value, no_grad, one_line, topological_order, total
from nn.model.modules import Module
from nn.model.predict import Answers
from nn.training import losses
from nn.training.dataset import Sample
from nn.training.losses import Loss

__all__ = ["Step", "eager", "evaluate", "traced"]

Step = Callable[[Sequence[Sample]], tuple[float, int]]

AT_ONCE = 32  # samples in one graph: enough to share the visit to each parameter, too few to fill the memory


def eager(model: Module, loss: Loss) -> Step:
    """Compute each batch on Values.

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
        mean, right = 0.0, 0
        for first in range(0, len(batch), AT_ONCE):
            wrongs = []
            for sample in batch[first : first + AT_ONCE]:
                try:
                    outputs = model(sample.x)
                    error = as_value(loss(outputs, sample.t))
                except (ArithmeticError, ValueError) as outside:
                    outside.add_note(f"at sample {sample.number}")
                    raise
                wrongs.append(_finite(error, sample))
                right += _is_right(loss, _numbers(outputs), sample.t)
            share = total(wrongs) / len(batch)
            share.backward()
            mean += share.data
        return mean, right

    return step


def traced(model: Module, loss: Loss, batch: Sequence[Sample], backend: str) -> Step:
    """Trace the graph of one sample, compile it for ``backend``, and compare the first batch with `eager`.

    Raises:
        ValueError: the compiled graph gives other numbers than Values do on ``batch``: the graph depends on
            the data, and what was traced is that of one sample only.

    >>> from nn.model.modules import Neuron
    >>> neuron = Neuron(1, activation=None, init="zeros")
    >>> batch = [Sample([1.0], 2.0), Sample([1.0], 4.0)]
    >>> traced(neuron, losses.half_squared_error, batch, "python")(batch)
    (5.0, 0)
    >>> neuron.b.grad
    -3.0
    """
    from engine import trace

    first = model.predict(batch[0].x)
    classes = len(first) if loss is losses.cross_entropy else 0
    inputs = [Value(number, f"x{i}") for i, number in enumerate(batch[0].x)]
    numbers = _target(batch[0].t, classes)
    targets = [Value(number, f"t{k}") for k, number in enumerate(numbers)]
    root = loss(model(inputs), targets if len(targets) > 1 else targets[0])
    parameters = model.parameters()
    program = trace(root, inputs=[*inputs, *targets], parameters=parameters)
    run, by_values = program.compile(backend), eager(model, loss)
    decides = losses.decide(loss, batch[0].t) is not None
    answers = None  # several outputs are asked for one by one: only machine code is then faster than predict
    if decides and (backend == "llvm" or not isinstance(first, list)):
        answers = Answers(model, batch[0].x, backend)

    def step(batch: Sequence[Sample]) -> tuple[float, int]:
        rows = [[*x, *_target(t, classes)] for x, t, _ in batch]
        now = [p.data for p in parameters]
        try:
            mean, gradients = run(now, [list(column) for column in zip(*rows)])
        except (ArithmeticError, ValueError):
            by_values(batch)  # it says which sample of the data it was
            raise
        slopes = gradients.tolist() if hasattr(gradients, "tolist") else gradients
        if not (isfinite(mean) and all(map(isfinite, slopes))):
            for sample, row in zip(batch, rows):
                if found := program.find_nonfinite(now, [[number] for number in row]):
                    found = found.replace("sample 0", f"sample {sample.number}", 1)
                    raise FloatingPointError(
                        f"{found}. No parameter was moved by it; a smaller learning rate may help"
                    )
        if not isfinite(mean):
            raise FloatingPointError(f"the mean loss of a batch is {mean}. No parameter was moved by it")
        for p, slope in zip(parameters, slopes):
            p.grad = slope
        return float(mean), right(batch)

    def right(batch: Sequence[Sample]) -> int:
        if not decides:
            return 0
        xs = [x for x, _, _ in batch]
        said = answers(xs) if answers else map(model.predict, xs)
        return sum(_is_right(loss, y, t) for y, (_, t, _) in zip(said, batch))

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
    """The mean loss over the samples, and how many are right; nothing is recorded.

    >>> from nn.model.modules import Neuron
    >>> neuron = Neuron(1, activation=None, init="zeros")
    >>> evaluate(neuron, losses.hinge, [Sample([1.0], -1), Sample([2.0], 1)])
    (1.0, 1)
    """
    whole, right = 0.0, 0
    with no_grad():
        for x, t, _ in samples:
            y = model.predict(x)
            whole += as_value(loss([Value(a) for a in y] if isinstance(y, list) else Value(y), t)).data
            right += _is_right(loss, y, t)
    return whole / len(samples), right


def _numbers(outputs: Any) -> Any:
    return [a.data for a in outputs] if isinstance(outputs, list) else outputs.data


def _is_right(loss: Loss, y: Any, t: Any) -> bool:
    said = losses.decide(loss, y)
    return said is not None and bool(said == losses.decide(loss, t))


def _target(t: Any, classes: int) -> list[float]:
    """A target as numbers in columns; the number of a class as one-hot."""
    if isinstance(t, (list, tuple)):
        return [float(t_k) for t_k in t]
    return [float(k == t) for k in range(classes)] if classes else [float(t)]


def _finite(error: Value, sample: Sample) -> Value:
    """The loss of a sample, if it is a number.

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
