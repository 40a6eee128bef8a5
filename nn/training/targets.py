"""Classes as targets, and outputs as classes: what each loss calls yes and no."""

from __future__ import annotations

from typing import Any

from nn.training import losses

__all__ = ["Classes"]


class Classes:
    """How a loss tells ``count`` classes apart: by one output where two classes let it, else by one each.

    Args:
        loss: the name of a loss.
        count: the number of classes, at least 2.

    Attributes:
        outputs: the number of outputs that the model needs.

    >>> Classes("hinge", 2).target(0), Classes("hinge", 3).target(0), Classes("cross_entropy", 3).target(0)
    (-1, [1, -1, -1], 0)
    """

    def __init__(self, loss: str, count: int) -> None:
        self.loss, self.count = losses.find(loss), count
        self.outputs = 1 if count == 2 and self.loss is not losses.cross_entropy else count
        self.no = -1 if self.loss is losses.hinge else 0
        squared = self.loss in (losses.half_squared_error, losses.mean_squared_error)
        self.middle = (
            0.5 if squared else 0.0
        )  # a squared error pulls towards 0 and 1, the others apart from 0

    def target(self, y: int) -> Any:
        """The target for a sample of class ``y``."""
        if self.loss is losses.cross_entropy:
            return y
        sides = [1 if k == y else self.no for k in range(self.count)]
        return sides[1] if self.outputs == 1 else sides

    def of(self, outputs: Any) -> int:
        """The class that the outputs, a float or a list, say.

        >>> Classes("hinge", 2).of(-0.3), Classes("cross_entropy", 3).of([0.1, 0.2, 3.0])
        (0, 2)
        """
        scores = self._scores(outputs)
        return max(range(self.count), key=lambda k: scores[k])

    def lead(self, outputs: Any) -> float:
        """By how much the class that the outputs say is ahead of the next: the less, the less sure.

        >>> Classes("cross_entropy", 3).lead([0.5, 0.0, 3.0])
        2.5
        """
        *_, second, first = sorted(self._scores(outputs))
        return first - second

    def lean(self, outputs: Any) -> float:
        """Of two classes, how far the second is ahead of the first."""
        no, yes = self._scores(outputs)
        return yes - no

    def _scores(self, outputs: Any) -> list[float]:
        return outputs if self.outputs > 1 else [self.middle, outputs]
