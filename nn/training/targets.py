"""Classes as targets of a loss, and outputs of a model as classes."""

from __future__ import annotations

from typing import cast

from nn.training import losses

__all__ = ["Classes"]


class Classes:
    """The targets and the outputs of a loss for ``count`` classes.

    For two classes, a model has one output if the loss allows it; else it has one output for each class.

    Args:
        loss: the name of a loss.
        count: the number of classes, at least 2.

    Attributes:
        outputs: the number of outputs that the model needs.

    >>> Classes("hinge", 2).target(0), Classes("hinge", 3).target(0), Classes("cross_entropy", 3).target(0)
    (-1, [1, -1, -1], 0)
    """

    def __init__(self, loss: str, count: int) -> None:
        self.loss, self.count = losses.get_loss(loss), count
        self.outputs = 1 if count == 2 and self.loss is not losses.cross_entropy else count
        self.no = -1 if self.loss is losses.hinge else 0
        squared = self.loss in (losses.half_squared_error, losses.mean_squared_error)
        self.middle = 0.5 if squared else 0.0  # half-way between the targets 0 and 1, or between the logits

    def target(self, y: int) -> int | list[int]:
        """Return the target for a sample of class ``y``."""
        if self.loss is losses.cross_entropy:
            return y
        sides = [1 if k == y else self.no for k in range(self.count)]
        return sides[1] if self.outputs == 1 else sides

    def predicted(self, outputs: float | list[float]) -> int:
        """Return the class with the greatest output.

        >>> Classes("hinge", 2).predicted(-0.3), Classes("cross_entropy", 3).predicted([0.1, 0.2, 3.0])
        (0, 2)
        """
        scores = self.scores(outputs)
        return max(range(self.count), key=lambda k: scores[k])

    def margin(self, outputs: float | list[float]) -> float:
        """Return the difference between the greatest output and the next: the smaller, the less certain.

        >>> Classes("cross_entropy", 3).margin([0.5, 0.0, 3.0])
        2.5
        """
        *_, second, first = sorted(self.scores(outputs))
        return first - second

    def difference(self, outputs: float | list[float]) -> float:
        """Return, for two classes, the output of the second minus that of the first."""
        no, yes = self.scores(outputs)
        return yes - no

    def scores(self, outputs: float | list[float]) -> list[float]:
        """Return one number for each class: the outputs; of one output, the middle and the output.

        >>> Classes("half_squared_error", 2).scores(0.75)
        [0.5, 0.75]
        """
        if self.outputs > 1:
            return cast("list[float]", outputs)
        return [self.middle, cast("float", outputs)]
