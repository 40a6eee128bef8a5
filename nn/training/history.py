"""What a training run leaves behind: the loss and the accuracy of every epoch, and their curve."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import NamedTuple

__all__ = ["Epoch", "History"]

SHOWN = 10  # lines of the table; the lists hold all epochs
WIDTH, HEIGHT = 360, 120  # of the curve, in pixels


class Epoch(NamedTuple):
    """One pass over the data."""

    loss: float  #: the mean over the samples, each as it was when its batch came
    accuracy: float | None  #: the part of them that was right; None if the loss has no classes
    validation_loss: float | None = None  #: the mean over the validation samples after the epoch
    validation_accuracy: float | None = None  #: the part of them that is right after the epoch

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
    """One `Epoch` after the other. It shows itself as a table, and in Jupyter with its curve.

    Attributes:
        epochs: the epochs that were completed.
        interrupted: whether Ctrl-C ended the run early; what was learned until then is in the model.
        loss, accuracy, validation_loss, validation_accuracy: one number per epoch, as lists. An accuracy is
            None where the loss has no classes; without validation samples its lists are empty.

    >>> history = History()
    >>> history.epochs.append(Epoch(loss=0.5, accuracy=0.75))
    >>> history.loss, history.accuracy, history.validation_loss
    ([0.5], [0.75], [])
    >>> history
    epoch 1  loss 0.5  accuracy 75.0%
    """

    def __init__(self) -> None:
        self.epochs: list[Epoch] = []
        self.interrupted = False

    @property
    def loss(self) -> list[float]:
        """The mean loss over the samples, epoch by epoch."""
        return [epoch.loss for epoch in self.epochs]

    @property
    def accuracy(self) -> list[float | None]:
        """The part of the samples that was right, epoch by epoch."""
        return [epoch.accuracy for epoch in self.epochs]

    @property
    def validation_loss(self) -> list[float]:
        """The mean loss over the validation samples, epoch by epoch."""
        return [epoch.validation_loss for epoch in self.epochs if epoch.validation_loss is not None]

    @property
    def validation_accuracy(self) -> list[float | None]:
        """The part of the validation samples that was right, epoch by epoch."""
        return [epoch.validation_accuracy for epoch in self.epochs if epoch.validation_loss is not None]

    def __repr__(self) -> str:
        return "\n".join(self._lines())

    def _repr_html_(self) -> str:
        top = max((y for y in (*self.loss, *self.validation_loss) if isfinite(y)), default=1.0) or 1.0
        curves = _curve(self.loss, top, "") + _curve(self.validation_loss, top, 'stroke-dasharray="4 3"')
        caption = "loss, epoch by epoch, from 0 up" + "; dashed: validation" * bool(self.validation_loss)
        box = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
        axes = f'<path d="M0.5 0V{HEIGHT - 0.5}H{WIDTH}" fill="none" stroke="currentColor" opacity="0.4"/>'
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
        return [*lines, *["interrupted"] * self.interrupted] or ["no epoch was completed"]


def _curve(losses: Sequence[float], top: float, style: str) -> str:
    """A polyline from left to right; what is not finite leaves a gap."""
    if len(losses) < 2:
        return ""
    points = [
        f"{i * WIDTH / (len(losses) - 1):.1f},{HEIGHT * (1 - y / top):.1f}"
        for i, y in enumerate(losses)
        if isfinite(y)
    ]
    return f'<polyline points="{" ".join(points)}" fill="none" stroke="currentColor" {style}/>'
