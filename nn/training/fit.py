"""The training loop: for each batch, compute the gradients and make a step."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, cast

from engine import Value, brief
from nn.model.modules import Module
from nn.training import losses
from nn.training.convergence import Callback, Convergence
from nn.training.dataset import Sample, Targets, check_loss, check_samples
from nn.training.history import Epoch, History
from nn.training.losses import Loss
from nn.training.optim import OptimizerLike
from nn.training.progress import Progress
from nn.validation import Rng, Rows, count, expected, generator, pair

if TYPE_CHECKING:
    from nn.training.runs import Run

__all__ = ["Epoch", "History", "fit"]

FIRST = 4  # samples, at the least, of which the initial loss is the mean


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
    tolerance: float | None = None,
    patience: int | None = None,
    min_gradient: float | None = None,
    callback: Callback | None = None,
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
            "auto" stands for "llvm", "numpy" or "python": of those that are installed, the one that is
            estimated to finish first. A compiled run writes the Values at the end of each epoch, and the
            gradients and the state of the optimizer before each callback and at the end of the run.
        progress: show a bar in a terminal (with tqdm installed), a line every few epochs elsewhere; and a
            line about the backend, for "auto", and for "eager" if it is estimated to take over ten seconds.
        validation: ``(xs, ys)``, evaluated after each epoch and never used for training.
        tolerance, patience: stop when the loss (the validation loss, if there is one) has not fallen by more
            than tolerance for patience epochs. If only one is given, the other is 0.0 or 10.
        min_gradient: stop after an epoch in which the norm of the gradient is below it: the gradient of the
            mean loss, with the weight decay, for the parameters of the optimizer. With batches, it is the
            mean of their gradients.
        callback: a function, called with the number of the epoch, counted from 1, and its `Epoch` (``.loss``,
            ``.accuracy``, ``.validation_loss``, ``.validation_accuracy``) after each epoch. If it returns
            True, the run stops.

    Returns:
        A `History`, in which ``history.stopped`` is the reason for the end: "epochs", "tolerance",
        "min_gradient", "callback" or "interrupted". Ctrl-C interrupts a run: the model keeps what it has
        learned, no step is left half done, and ``history.interrupted`` is True.

    Warns:
        UserWarning: the loss of an epoch is more than a hundred times that of the first batch; once in a run.

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
    >>> history.accuracy[-1], history.stopped
    (1.0, 'epochs')
    >>> history = fit(model, xs, ys, "binary_cross_entropy", optimizer, epochs=1000, progress=False,
    ...               callback=lambda number, epoch: epoch.loss < 0.01)
    >>> history.stopped
    'callback'
    """
    from nn.training.auto import Work, choose_backend, recommendation, report
    from nn.training.runs import begin  # loads the compiler: slow to import
    from nn.training.train_step import eager, traced

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
    convergence = Convergence(tolerance, patience, min_gradient, callback, optimizer)
    has_classes = losses.decide(loss, samples[0].t) is not None

    history = History()
    shown, stopped, warned = Progress(epochs, -(-len(samples) // size), progress), "", False
    try:
        work = Work(check_loss(model, samples, loss), len(samples), shown.steps, epochs)
        if backend == "auto":
            backend = choose_backend(work)
            shown.say(report(backend, work))
        elif backend == "eager":
            shown.say(recommendation(work))
        step = (
            eager(model, loss)
            if backend == "eager"
            else traced(model, loss, samples[: max(2, size)], backend)
        )
        run = begin(model, loss, samples, step, optimizer, convergence)
        try:
            try:
                for number in range(1, epochs + 1):
                    if batch_size is not None:
                        rng.shuffle(samples)
                        run.arrange(samples)
                    try:
                        means, n_correct = _epoch(run, len(samples), size, shown)
                    except (ArithmeticError, ValueError) as error:
                        error.add_note(f"in epoch {number}")
                        raise
                    epoch = Epoch(means.mean(len(samples)), n_correct / len(samples) if has_classes else None)
                    if number == 1:
                        history.initial_loss = means.initial
                    if held_back:
                        mean, n_correct = run.evaluate(held_back)
                        accuracy = n_correct / len(held_back) if has_classes else None
                        epoch = Epoch(epoch.loss, epoch.accuracy, mean, accuracy)
                    history.epochs.append(epoch)
                    if history.diverged and not warned:
                        warned = True
                        _warn_of_divergence(history, optimizer)
                    stopped = _stopped(run, convergence, number, epoch)
                    shown.epoch(number, epoch, stopped)
                    if stopped:
                        break
            finally:
                run.finish()
        finally:
            run.finish()  # again, as Ctrl-C may have come just before the writing began
        history.stopped = stopped or "epochs"
    except KeyboardInterrupt:
        history.interrupted = True
    finally:
        shown.close()
    return history


def _epoch(run: Run, n: int, size: int, shown: Progress) -> tuple[Means, int]:
    """Make one step for each batch; return their mean losses, and how many predictions were correct."""
    means, n_correct = Means(n), 0
    for first in range(0, n, size):
        last = min(first + size, n)
        mean, correct_here = run.step(first, last)
        means.add(mean, last - first)
        n_correct += correct_here
        shown.step()
    return means, n_correct


def _stopped(run: Run, convergence: Convergence, number: int, epoch: Epoch) -> str:
    """Write the Values, ask whether the run stops, and take what the callback may have changed."""
    if convergence.callback is None:
        run.write()
        return convergence.reason(number, epoch)
    run.finish()
    stopped = convergence.reason(number, epoch)
    run.read()
    return stopped


class Means:
    """The mean over ``n`` samples, from the means of batches.

    Attributes:
        initial: the mean over the first batches, of `FIRST` samples or a few more.
    """

    def __init__(self, n: int) -> None:
        self.n, self.count, self.whole, self.safe, self.initial = n, 0, 0.0, 0.0, 0.0

    def add(self, mean: float, size: int) -> None:
        """Add a batch."""
        self.whole += mean * size
        self.safe += mean * (size / self.n)
        self.count += size
        if self.count - size < FIRST:
            self.initial = self.mean(self.count)

    def mean(self, count: int) -> float:
        """Return the mean over the ``count`` samples so far; the sum may overflow where it does not."""
        whole = self.whole / count
        return whole if isfinite(whole) else self.safe * (self.n / count)


def _warn_of_divergence(history: History, optimizer: OptimizerLike) -> None:
    import warnings

    rate = getattr(optimizer, "last_lr", None) or getattr(optimizer, "lr", "of the optimizer")
    warnings.warn(
        f"the loss has grown from {history.initial_loss:.4g} to {history.loss[-1]:.4g} "
        f"by epoch {len(history.epochs)}: the learning rate {rate} may be too large",
        stacklevel=3,
    )


def _check_optimizer(optimizer: OptimizerLike, model: Module) -> None:
    """Raise an error for an object that is no optimizer, and for one that was made for another model."""
    if isinstance(optimizer, type) or not all(
        hasattr(optimizer, part) for part in ("parameters", "step", "zero_grad")
    ):
        what = "expected an optimizer such as SGD(model.parameters(), lr=0.1)"
        raise TypeError(f"{what}, not {brief(optimizer)}")
    own = set(model.parameters())
    if not any(isinstance(p, Value) and p in own for p in optimizer.parameters):
        raise ValueError(
            "the optimizer moves none of the model's parameters: make it with model.parameters()"
        )
