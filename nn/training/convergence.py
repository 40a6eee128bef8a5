"""Stop a training run before its last epoch: it has converged, or the user's callback stops it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import hypot, inf
from typing import TypeAlias

from nn.training.history import Epoch
from nn.training.optim import Optimizer, OptimizerLike
from nn.validation import check_range, count, expected

__all__ = ["Callback", "Convergence"]

#: From the number of an epoch, counted from 1, and its `Epoch`: True to stop the run.
Callback: TypeAlias = Callable[[int, Epoch], object]

PATIENCE = 10  # epochs, if only a tolerance is given


class Convergence:
    """The reasons to stop a run, tried after each epoch. The arguments are those of `nn.fit`.

    >>> from nn.training.optim import SGD
    >>> from engine import Value
    >>> convergence = Convergence(0.01, 2, None, None, SGD([Value(1.0)], lr=0.1))
    >>> [convergence.reason(n, Epoch(loss, None)) for n, loss in enumerate([1.0, 0.5, 0.495, 0.494], 1)]
    ['', '', '', 'tolerance']
    """

    def __init__(
        self,
        tolerance: float | None,
        patience: int | None,
        min_gradient: float | None,
        callback: Callback | None,
        optimizer: OptimizerLike,
    ) -> None:
        self.patience = None
        if tolerance is not None or patience is not None:
            self.patience = PATIENCE if patience is None else count("patience", patience)
            self.tolerance = 0.0 if tolerance is None else check_range("tolerance", tolerance, 0.0)
        self.min_gradient = None if min_gradient is None else check_range("min_gradient", min_gradient, 0.0)
        if callback is not None and not callable(callback):
            expected("callback is a function (number of the epoch, Epoch) -> True to stop", callback)
        self.callback, self.optimizer = callback, optimizer
        self.best, self.best_number = inf, 0  # the last loss that was an improvement, and its epoch
        self.gradient = [0.0] * len(optimizer.parameters)  # the mean over the batches of an epoch

    @property
    def needs_gradient(self) -> bool:
        """Whether the gradient of each batch has to be added."""
        return self.min_gradient is not None

    def add_gradient(self, weight: float, gradients: Sequence[float], data: Sequence[float]) -> None:
        """Add the gradient of a batch, with its part of the samples, to that of the epoch.

        Args:
            weight: the part of the samples.
            gradients, data: of the parameters of the optimizer.
        """
        decay = self.optimizer.weight_decay if isinstance(self.optimizer, Optimizer) else 0.0
        for i, (gradient, x) in enumerate(zip(gradients, data)):
            self.gradient[i] += weight * (gradient + decay * x)

    def reason(self, number: int, epoch: Epoch) -> str:
        """Return why the run stops after an epoch, or "" if it goes on."""
        loss = epoch.loss if epoch.validation_loss is None else epoch.validation_loss
        found = ""
        if self.patience is not None:
            if loss < self.best - self.tolerance:
                self.best, self.best_number = loss, number
            elif number - self.best_number >= self.patience:
                found = "tolerance"
        if self.min_gradient is not None:
            if hypot(*self.gradient) < self.min_gradient:
                found = "min_gradient"
            self.gradient = [0.0] * len(self.gradient)
        if self.callback is not None and _is_true(self.callback(number, epoch)):
            found = "callback"
        return found


def _is_true(answer: object) -> bool:
    """Return whether a callback answered True, of Python or of NumPy; any other object is no answer."""
    return answer is True or (type(answer).__name__ in ("bool", "bool_") and bool(answer))
