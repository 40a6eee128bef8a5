"""The record of a training run: the loss and the accuracy of every epoch, and their curve."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import NamedTuple

__all__ = ["Epoch", "History"]

SHOWN = 10  # lines of the table; the lists hold all epochs
WIDTH, HEIGHT = 360, 120  # of the curve, in pixels
LEFT, TOP, RIGHT, BELOW = 58, 10, 24, 34  # around it, for the numbers at the axes


class Epoch(NamedTuple):
    """One pass over the data."""

    loss: float  #: the mean over the samples, each computed just before the step of its batch
    accuracy: float | None  #: the fraction predicted correctly; None if the loss has no classes
    validation_loss: float | None = None  #: the mean over the validation samples after the epoch
    validation_accuracy: float | None = None  #: the fraction of them predicted correctly after the epoch

    def __str__(self) -> str:
        parts = [f"loss {self.loss:.4g}"]
        if self.accuracy is not None:
            parts.append(f"accuracy {self.accuracy:.1%}")
        if self.validation_loss is not None:
            parts.append(f"|  validation loss {self.validation_loss:.4g}")
        if self.validation_accuracy is not None:
            parts.append(f"accuracy {self.validation_accuracy:.1%}")
        return "  ".join(parts)


class History:
    """The epochs of a training run, shown as a table, and in Jupyter with a curve.

    Attributes:
        epochs: the completed epochs, each an `Epoch`.
        stopped: why the run ended: "epochs" (all were made), "tolerance" (the loss no longer improved),
            "min_gradient" (the gradient was small), "callback" or "interrupted" (by Ctrl-C); "" before.
        interrupted: whether Ctrl-C ended the run early; the model keeps what it had learned.
        initial_loss: the mean loss of the first batch, before the first step; None if there was none.
        loss, accuracy, validation_loss, validation_accuracy: lists of one number per epoch. An accuracy is
            None where the loss has no classes; without validation samples the last two lists are empty.

    >>> history = History()
    >>> history.epochs.append(Epoch(loss=0.5, accuracy=0.75))
    >>> history.loss, history.accuracy, history.validation_loss
    ([0.5], [0.75], [])
    >>> history
    epoch 1  loss 0.5  accuracy 75.0%
    """

    def __init__(self) -> None:
        self.epochs: list[Epoch] = []
        self.stopped = ""
        self.initial_loss: float | None = None

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the run early."""
        return self.stopped == "interrupted"

    @interrupted.setter
    def interrupted(self, interrupted: bool) -> None:
        self.stopped = "interrupted" if interrupted else ""

    @property
    def diverged(self) -> bool:
        """Whether the loss of the last epoch is more than a hundred times the initial loss.

        >>> history = History()
        >>> history.initial_loss = 0.5
        >>> history.epochs.append(Epoch(loss=60.0, accuracy=None))
        >>> history.diverged
        True
        """
        first = self.initial_loss
        return bool(self.epochs and first is not None and first > 0 and self.epochs[-1].loss / 100 > first)

    @property
    def loss(self) -> list[float]:
        """The mean loss over the samples of each epoch."""
        return [epoch.loss for epoch in self.epochs]

    @property
    def accuracy(self) -> list[float | None]:
        """The fraction of the samples that was predicted correctly in each epoch."""
        return [epoch.accuracy for epoch in self.epochs]

    @property
    def validation_loss(self) -> list[float]:
        """The mean loss over the validation samples after each epoch."""
        return [epoch.validation_loss for epoch in self.epochs if epoch.validation_loss is not None]

    @property
    def validation_accuracy(self) -> list[float | None]:
        """The fraction of the validation samples that was predicted correctly after each epoch."""
        return [epoch.validation_accuracy for epoch in self.epochs if epoch.validation_loss is not None]

    def __repr__(self) -> str:
        return "\n".join(self._lines())

    def _repr_html_(self) -> str:
        top = max((y for y in (*self.loss, *self.validation_loss) if isfinite(y)), default=1.0) or 1.0
        curves = _curve(self.loss, top, "") + _curve(self.validation_loss, top, 'stroke-dasharray="4 3"')
        caption = "loss of each epoch; the axis starts at 0" + "; dashed: validation" * bool(
            self.validation_loss
        )
        width, height = LEFT + WIDTH + RIGHT, TOP + HEIGHT + BELOW
        box = f'viewBox="{-LEFT} {-TOP} {width} {height}" width="{width}" style="max-width: 100%"'
        axes = f'<path d="M0.5 0V{HEIGHT - 0.5}H{WIDTH}" fill="none" stroke="currentColor" opacity="0.4"/>'
        axes += _numbers(top, len(self.epochs))
        return (
            f'<figure style="margin: 0"><svg {box} role="img" aria-label="{caption}">{axes}{curves}</svg>'
            f"<figcaption>{caption}</figcaption></figure>"
            f'<pre style="font-family: monospace">{chr(10).join(self._lines())}</pre>'
        )

    def _lines(self) -> list[str]:
        n = len(self.epochs)
        every = -(-n // SHOWN)  # rounded up
        shown = [i for i in range(n) if i == n - 1 or (i + 1) % every == 0]
        lines = [f"epoch {i + 1:>{len(str(n))}}  {self.epochs[i]}" for i in shown]
        ends = {"": [], "epochs": [], "interrupted": ["interrupted"]}
        return lines + ends.get(self.stopped, [f"stopped by {self.stopped}"]) or ["no epoch was completed"]


def _numbers(top: float, n: int) -> str:
    """Return the numbers at the axes: the loss from 0 to the top, the epochs from 1 to n."""
    up = "".join(
        f'<text x="-6" y="{HEIGHT * (1 - part) + 4:g}" text-anchor="end">{part * top:.3g}</text>'
        for part in (0, 0.5, 1)
    )
    along = "".join(
        f'<text x="{WIDTH * (number - 1) / (n - 1):g}" y="{HEIGHT + 15}" text-anchor="middle">{number}</text>'
        for number in (sorted({1, (n + 1) // 2, n}) if n > 1 else ())
    )
    name = f'<text x="{WIDTH / 2:g}" y="{HEIGHT + 30}" text-anchor="middle">epoch</text>'
    return f'<g font-size="11" font-family="sans-serif" fill="currentColor">{up}{along}{name}</g>'


def _curve(losses: Sequence[float], top: float, style: str) -> str:
    """Return a polyline from left to right, without the numbers that are not finite."""
    if len(losses) < 2:
        return ""
    points = [
        f"{i * WIDTH / (len(losses) - 1):.1f},{HEIGHT * (1 - y / top):.1f}"
        for i, y in enumerate(losses)
        if isfinite(y)
    ]
    return f'<polyline points="{" ".join(points)}" fill="none" stroke="currentColor" {style}/>'
