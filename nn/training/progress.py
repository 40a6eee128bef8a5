"""The progress of a training run: a bar in a terminal, a line every few epochs elsewhere."""

from __future__ import annotations

import sys
from typing import Protocol

from nn.training.history import Epoch

__all__ = ["Progress", "is_terminal", "show"]

LINES = 10  # plain lines in a run


class Progress:
    """A tqdm bar in a terminal, occasional lines elsewhere.

    Args:
        epochs: the number of epochs.
        steps: the number of steps of an epoch.
        wanted: False for no output.

    >>> progress = Progress(epochs=2, steps=5, wanted=False)
    >>> progress.epoch(1, Epoch(loss=0.25, accuracy=None))
    >>> progress.close()
    """

    def __init__(self, epochs: int, steps: int, wanted: bool) -> None:
        self.epochs, self.steps, self.wanted = epochs, steps, wanted
        self.bar = _bar(epochs * steps) if wanted and is_terminal() else None

    def say(self, text: str) -> None:
        """Show a line, above the bar; nothing if it is empty."""
        if self.bar is not None and text:
            self.bar.clear()
        if self.wanted and text:
            self.wanted = show(text)

    def step(self) -> None:
        """Show that one step has been made."""
        if self.bar is not None:
            self.bar.update()

    def epoch(self, number: int, epoch: Epoch, stopped: str = "") -> None:
        """Show that the epoch of that number, counted from 1, is complete, and what stops the run."""
        text = f"epoch {number}/{self.epochs}"
        if self.bar is not None:
            self.bar.set_description_str(text, refresh=False)
            self.bar.set_postfix_str(str(epoch))
        elif self.wanted and (number % -(-self.epochs // LINES) == 0 or number == self.epochs or stopped):
            self.wanted = show(f"{text}  {epoch}" + f"  stopped by {stopped}" * bool(stopped))

    def close(self) -> None:
        """Remove the bar, at the end or when the run ends early."""
        if self.bar is not None:
            self.bar.close()


class Bar(Protocol):
    """The methods of a tqdm bar that `Progress` calls."""

    def update(self) -> object:
        """Count one step."""

    def set_description_str(self, text: str, refresh: bool) -> object:
        """Set the text before the bar."""

    def set_postfix_str(self, text: str) -> object:
        """Set the text after the bar."""

    def clear(self) -> object:
        """Remove the bar until it is shown again."""

    def close(self) -> object:
        """Remove the bar."""


def show(text: str) -> bool:
    """Print ``text``, with "?" for each character that the terminal cannot show.

    Returns:
        Whether it could be written: False if there is no output, the disk is full, or the reader of a pipe is
        gone. That is no reason to stop a run and lose the model that it trains.

    >>> show("Δ")
    Δ
    True
    """
    out = sys.stdout
    if out is None:  # as under pythonw on Windows
        return False
    encoding = getattr(out, "encoding", None) or "utf-8"
    try:
        print(text.encode(encoding, "replace").decode(encoding), file=out, flush=True)
    except (OSError, ValueError):  # ValueError: it is closed
        return False
    return True


def is_terminal() -> bool:
    """Return whether standard error is a terminal; False if it was closed."""
    try:
        return sys.stderr is not None and sys.stderr.isatty()
    except ValueError:
        return False


def _bar(total: int) -> Bar | None:
    """Return a tqdm bar, or None where tqdm is not installed."""
    try:
        from tqdm import tqdm
    except ImportError:
        return None
    bar: Bar = tqdm(
        total=total,
        unit="step",
        dynamic_ncols=True,
        bar_format="{l_bar}{bar}| {elapsed}<{remaining}{postfix}",
    )
    return bar
