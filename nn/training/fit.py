"""The training loop: predict, compare, go back, step; over and over."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from nn.model.modules import Module
from nn.training import losses
from nn.training.dataset import Sample, checked
from nn.training.history import Epoch, History
from nn.training.losses import Loss
from nn.training.progress import Progress
from nn.training.train_step import Step, eager, evaluate, traced
from nn.validation import count, generator

__all__ = ["Epoch", "History", "fit"]


def fit(
    model: Module,
    xs: Any,
    ys: Any,
    loss: str | Loss,
    optimizer: Any,
    epochs: int,
    batch_size: int | None = None,
    rng: Any = None,
    backend: str = "eager",
    progress: bool = True,
    validation: tuple[Any, Any] | None = None,
) -> History:
    """Let the model learn from samples.

    Args:
        model: whatever is a Module.
        xs: the samples, a list of lists of numbers, or an array with one row each.
        ys: the target of each, as the loss takes it.
        loss: the name of a loss, or a function (outputs, target) -> Value; a batch counts by its mean.
        optimizer: SGD, Adam or your own, made with ``model.parameters()``.
        epochs: how many times to go through the samples.
        batch_size: the number of samples before each step, shuffled anew each epoch; None for all, in order.
        rng: shuffles, as random.Random does; None for the module `random`.
        backend: "eager" computes on Values; any other name compiles the traced graph, see `engine.trace`.
        progress: show a bar in a terminal (with tqdm installed), a line every few epochs elsewhere.
        validation: ``(xs, ys)`` to be measured after each epoch, and never learned from.

    Returns:
        A `History`. Ctrl-C ends the run early and in order: the model keeps what it has learned, no step is
        left half done, and ``history.interrupted`` says so.

    Raises:
        ValueError, TypeError: an argument is not as above, or a sample does not fit. The message says which,
            and no parameter has moved.
        FloatingPointError: a loss or a gradient is not finite. The message names the first number that is
            not, and the parameters are as the last good step left them.

    >>> import random
    >>> from nn import MLP, SGD
    >>> from nn.data import datasets as data
    >>> xs, ys = data.xor(4, noise=0.0)
    >>> model = MLP(2, [4, 1], activation="tanh", rng=random.Random(1))
    >>> optimizer = SGD(model.parameters(), lr=0.5)
    >>> history = fit(model, xs, ys, "binary_cross_entropy", optimizer, epochs=200, progress=False)
    >>> history.accuracy[-1]
    1.0
    """
    if not isinstance(model, Module):
        raise TypeError(f"expected a model, a Module, not {type(model).__name__}: {model!r:.60}")
    loss, epochs, rng = losses.find(loss), count("epochs", epochs), generator(rng)
    samples = checked(model, xs, ys, loss)
    held_back = checked(model, *_pair(validation), loss) if validation is not None else []
    size = len(samples) if batch_size is None else count("batch_size", batch_size)
    _fits(optimizer, model)
    has_classes = losses.decide(loss, samples[0].t) is not None

    history = History()
    shown = Progress(epochs, -(-len(samples) // size), progress)
    try:
        step = eager(model, loss) if backend == "eager" else traced(model, loss, samples[:size], backend)
        for number in range(1, epochs + 1):
            if batch_size is not None:
                rng.shuffle(samples)
            try:
                mean, right = _epoch(samples, size, step, optimizer, shown)
            except (ArithmeticError, ValueError) as error:
                error.add_note(f"in epoch {number}")
                raise
            epoch = Epoch(mean, right / len(samples) if has_classes else None)
            if held_back:
                mean, right = evaluate(model, loss, held_back)
                epoch = Epoch(
                    epoch.loss, epoch.accuracy, mean, right / len(held_back) if has_classes else None
                )
            history.epochs.append(epoch)
            shown.epoch(number, epoch)
    except KeyboardInterrupt:
        history.interrupted = True
    finally:
        shown.close()
    return history


def _epoch(
    samples: Sequence[Sample], size: int, step: Step, optimizer: Any, shown: Progress
) -> tuple[float, int]:
    """One step for each batch; the mean loss over the samples, and how many were right."""
    whole, right = 0.0, 0
    for first in range(0, len(samples), size):
        batch = samples[first : first + size]
        optimizer.zero_grad()
        mean, right_here = step(batch)
        with _uninterrupted():
            optimizer.step()
        whole, right = whole + mean * len(batch), right + right_here
        shown.step()
    return whole / len(samples), right


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let Ctrl-C wait until the end: parameters that moved and parameters that did not are no model."""
    usual = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(usual):
        yield  # Ctrl-C comes to the main thread only
        return
    pressed: list[Any] = []
    signal.signal(signal.SIGINT, lambda *args: pressed.append(args))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
    if pressed:
        usual(*pressed[0])


def _pair(validation: Any) -> tuple[Any, Any]:
    if not isinstance(validation, (tuple, list)) or len(validation) != 2:
        raise TypeError(f"validation is a pair (xs, ys), not {type(validation).__name__}")
    return validation[0], validation[1]


def _fits(optimizer: Any, model: Module) -> None:
    """Refuse what is no optimiser, and one that was made for another model."""
    if not all(hasattr(optimizer, part) for part in ("parameters", "step", "zero_grad")):
        raise TypeError(
            f"expected an optimizer such as SGD(model.parameters(), lr=0.1), not {optimizer!r:.60}"
        )
    own = {id(p) for p in model.parameters()}
    if not any(id(p) in own for p in optimizer.parameters):
        raise ValueError(
            "the optimizer moves none of the model's parameters: make it with model.parameters()"
        )
