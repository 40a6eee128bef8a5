"""The training loop: for each batch, compute the gradients and make a step."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from engine import brief
from nn.model.modules import Module
from nn.training import losses
from nn.training.dataset import Sample, Targets, check_loss, check_samples
from nn.training.history import Epoch, History
from nn.training.losses import Loss
from nn.training.optim import OptimizerLike
from nn.training.progress import Progress
from nn.validation import Rng, Rows, count, expected, generator, pair

if TYPE_CHECKING:
    from types import FrameType

    from nn.training.train_step import Step

__all__ = ["Epoch", "History", "fit"]


def fit(
    model: Module,
    xs: Rows,
    ys: Targets,
    loss: str | Loss,
    optimizer: OptimizerLike,
    epochs: int,
    batch_size: int | None = None,
    rng: Rng | None = None,
    backend: str = "eager",
    progress: bool = True,
    validation: tuple[Rows, Targets] | None = None,
) -> History:
    """Train a model on samples.

    Args:
        model: a Module.
        xs: the samples, a list of lists of numbers, or an array with one row each.
        ys: the target of each, as the loss takes it.
        loss: the name of a loss, or a function (outputs, target) -> Value; the loss of a batch is the mean.
        optimizer: SGD, Adam or your own, made with ``model.parameters()``.
        epochs: the number of passes over the samples.
        batch_size: the number of samples in each step, shuffled anew each epoch; None for all, in order.
        rng: shuffles as random.Random does; None for the module `random`.
        backend: "eager" computes on Values; any other name compiles the traced graph, see `engine.trace`.
        progress: show a bar in a terminal (with tqdm installed), a line every few epochs elsewhere.
        validation: ``(xs, ys)``, evaluated after each epoch and never used for training.

    Returns:
        A `History`. Ctrl-C ends the run early: the model keeps what it has learned, no step is left half
        done, and ``history.interrupted`` is True.

    Raises:
        ValueError, TypeError: an argument is not as above, a sample does not fit, or the loss does not depend
            on the parameters. The message names it, and no parameter has moved.
        FloatingPointError: a loss or a gradient is not finite. The message names the first number that is
            not, and the parameters are as the last good step left them.

    >>> import random
    >>> from nn import MLP, SGD, data
    >>> xs, ys = data.xor(4, noise=0.0)
    >>> model = MLP(2, [4, 1], activation="tanh", rng=random.Random(1))
    >>> optimizer = SGD(model.parameters(), lr=0.5)
    >>> history = fit(model, xs, ys, "binary_cross_entropy", optimizer, epochs=200, progress=False)
    >>> history.accuracy[-1]
    1.0
    """
    from nn.training.train_step import eager, evaluate, traced  # loads the compiler: slow to import

    if not isinstance(model, Module):
        expected("expected a model, a Module", model)
    loss, epochs, rng = losses.get_loss(loss), count("epochs", epochs), generator(rng)
    samples = check_samples(model, xs, ys, loss)
    held_back: list[Sample] = []
    if validation is not None:
        validation_xs, validation_ys = pair("validation is a pair (xs, ys)", validation)
        held_back = check_samples(model, cast("Rows", validation_xs), cast("Targets", validation_ys), loss)
    size = len(samples) if batch_size is None else count("batch_size", batch_size)
    _check_optimizer(optimizer, model)
    has_classes = losses.decide(loss, samples[0].t) is not None

    history = History()
    shown = Progress(epochs, -(-len(samples) // size), progress)
    try:
        check_loss(model, samples, loss)
        step = (
            eager(model, loss)
            if backend == "eager"
            else traced(model, loss, samples[: max(2, size)], backend)
        )
        for number in range(1, epochs + 1):
            if batch_size is not None:
                rng.shuffle(samples)
            try:
                mean, n_correct = _epoch(samples, size, step, optimizer, shown)
            except (ArithmeticError, ValueError) as error:
                error.add_note(f"in epoch {number}")
                raise
            epoch = Epoch(mean, n_correct / len(samples) if has_classes else None)
            if held_back:
                mean, n_correct = evaluate(model, loss, held_back)
                accuracy = n_correct / len(held_back) if has_classes else None
                epoch = Epoch(epoch.loss, epoch.accuracy, mean, accuracy)
            history.epochs.append(epoch)
            shown.epoch(number, epoch)
    except KeyboardInterrupt:
        history.interrupted = True
    finally:
        shown.close()
    return history


def _epoch(
    samples: Sequence[Sample], size: int, step: Step, optimizer: OptimizerLike, shown: Progress
) -> tuple[float, int]:
    """Make one step for each batch; return the mean loss, and how many predictions were correct."""
    whole, n_correct = 0.0, 0
    for first in range(0, len(samples), size):
        batch = samples[first : first + size]
        optimizer.zero_grad()
        mean, correct_here = step(batch)
        with _uninterrupted():
            optimizer.step()
        whole, n_correct = whole + mean * len(batch), n_correct + correct_here
        shown.step()
    return whole / len(samples), n_correct


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Delay Ctrl-C until the end, as a step that is left half done would leave no model.

    Python delivers signals to the main thread only. SIGINT exists on Windows, too. Where its handler is not a
    Python function (it is ignored, or was set by C code), there is nothing to delay.
    """
    import signal  # slow to import

    usual = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(usual):
        yield
        return
    pressed: list[tuple[int, FrameType | None]] = []
    signal.signal(signal.SIGINT, lambda number, frame: pressed.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
    if pressed:
        usual(*pressed[0])


def _check_optimizer(optimizer: OptimizerLike, model: Module) -> None:
    """Raise an error for an object that is no optimizer, and for one that was made for another model."""
    if isinstance(optimizer, type) or not all(
        hasattr(optimizer, part) for part in ("parameters", "step", "zero_grad")
    ):
        what = "expected an optimizer such as SGD(model.parameters(), lr=0.1)"
        raise TypeError(f"{what}, not {brief(optimizer)}")
    own = {id(p) for p in model.parameters()}
    if not any(id(p) in own for p in optimizer.parameters):
        raise ValueError(
            "the optimizer moves none of the model's parameters: make it with model.parameters()"
        )
