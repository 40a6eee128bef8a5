"""What a person sees while a model learns: a bar in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
from typing import Any

from nn.training.history import Epoch

__all__ = ["Progress"]

LINES = 10  # plain lines in a run


class Progress:
    """Told of every step and every epoch; shows what the place it is in can show.

    Args:
        epochs: how many there will be.
        steps: how many steps an epoch has.
        wanted: False for silence.

    >>> progress = Progress(epochs=2, steps=5, wanted=False)
    >>> progress.epoch(1, Epoch(loss=0.25, accuracy=None))
    >>> progress.close()
    """

    def __init__(self, epochs: int, steps: int, wanted: bool) -> None:
        self.epochs, self.wanted = epochs, wanted
        self.bar = _bar(epochs * steps) if wanted and sys.stderr.isatty() else None

    def step(self) -> None:
        """One step has been made."""
        if self.bar is not None:
            self.bar.update()

    def epoch(self, number: int, epoch: Epoch) -> None:
        """The epoch of that number, counted from 1, is complete."""
        text = f"epoch {number}/{self.epochs}"
        if self.bar is not None:
            self.bar.set_description_str(text, refresh=False)
            self.bar.set_postfix_str(str(epoch))
        elif self.wanted and (number % -(-self.epochs // LINES) == 0 or number == self.epochs):
            print(f"{text}  {epoch}", flush=True)

    def close(self) -> None:
        """There is no more to come, be it early or in the end."""
        if self.bar is not None:
            self.bar.close()


def _bar(total: int) -> Any:
    """A tqdm bar, or None where tqdm is not installed."""
    try:
        from tqdm import tqdm
    except ImportError:
        return None
    return tqdm(
        total=total,
        unit="step",
        dynamic_ncols=True,
        bar_format="{l_bar}{bar}| {elapsed}<{remaining}{postfix}",
    )
